//! portal: what the interface is made of that files declare: the menu of pages with what each
//! demands, and the words of the systems. Pages that somebody may not open are explained, not
//! hidden.

use kernel::access::{Actor, Decision, Policy};
use kernel::declare::{Declared, Face, PageDecl};
use kernel::fault::Words;
use serde::Serialize;
use std::collections::BTreeMap;

/// A page of the menu, as somebody sees it.
#[derive(Clone, Debug, Serialize)]
pub struct MenuEntry {
    /// System that declares it.
    pub system: String,
    /// Name, unique among all pages.
    pub name: String,
    /// Face it belongs to.
    pub face: Face,
    /// Path in the web application.
    pub path: String,
    /// Title.
    pub title: Words,
    /// Icon of the design system.
    pub icon: String,
    /// Place in the menu; smaller is higher.
    pub order: u32,
    /// Heading it stands under.
    pub group: Option<Words>,
    /// May it be opened?
    pub allowed: bool,
    /// If not: roles that may, whom to ask.
    pub would: Vec<String>,
}

/// All declared pages in order of face, place and name, each with whether `actor` may open it;
/// without an actor only pages that demand nothing are allowed.
pub fn menu(declared: &Declared, actor: Option<&Actor>, policy: &dyn Policy) -> Vec<MenuEntry> {
    let pages = declared.systems.iter().flat_map(|system| {
        system
            .pages
            .iter()
            .map(|page| (system.folder.as_str(), page))
    });
    let mut menu: Vec<MenuEntry> = pages
        .map(|(system, page)| entry(system, page, actor, policy))
        .collect();
    menu.sort_by(|a, b| {
        let place = |e: &MenuEntry| (e.face as u8, e.order);
        place(a).cmp(&place(b)).then_with(|| a.name.cmp(&b.name))
    });
    menu
}

fn entry(system: &str, page: &PageDecl, actor: Option<&Actor>, policy: &dyn Policy) -> MenuEntry {
    let nobody = Actor::default();
    let decision = page
        .needs
        .as_ref()
        .map(|(verb, object)| policy.may(actor.unwrap_or(&nobody), *verb, object));
    let (allowed, would) = match decision {
        None | Some(Decision::Allowed { .. }) => (true, vec![]),
        Some(Decision::Denied { would, .. }) => (false, would),
    };
    MenuEntry {
        system: system.into(),
        name: page.name.clone(),
        face: page.face,
        path: page.path.clone(),
        title: page.title.clone(),
        icon: page.icon.clone(),
        order: page.order,
        group: page.group.clone(),
        allowed,
        would,
    }
}

/// The words of all systems: `<system>.<key>` → both languages.
pub fn texts(declared: &Declared) -> BTreeMap<String, Words> {
    let mut texts = BTreeMap::new();
    for system in &declared.systems {
        for (key, words) in &system.texts {
            texts.insert(format!("{}.{key}", system.folder), words.clone());
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::access::Verb;
    use kernel::declare::SystemDecl;

    struct Duty;

    impl Policy for Duty {
        fn may(&self, actor: &Actor, verb: Verb, object: &str) -> Decision {
            let granted = verb == Verb::Read && object == "alerts";
            if granted && actor.roles.contains(&"duty".to_string()) {
                return Decision::Allowed {
                    role: "duty".into(),
                    purpose: String::new(),
                    basis: String::new(),
                };
            }
            Decision::denied(if granted { vec!["duty".into()] } else { vec![] })
        }
    }

    fn page(name: &str, face: Face, order: u32, needs: Option<(Verb, &str)>) -> PageDecl {
        PageDecl {
            name: name.into(),
            face,
            path: format!("/{name}"),
            title: Words::new("页", "Page"),
            icon: String::new(),
            order,
            group: None,
            needs: needs.map(|(verb, object)| (verb, object.to_string())),
        }
    }

    fn declared() -> Declared {
        let first = SystemDecl {
            folder: "first".into(),
            pages: vec![
                page("queue", Face::Desk, 20, Some((Verb::Read, "alerts"))),
                page("health", Face::Operator, 1, Some((Verb::Operate, "system"))),
                page("atlas", Face::Desk, 20, None),
            ],
            texts: BTreeMap::from([("hello".into(), Words::new("你好", "Hello"))]),
            ..SystemDecl::default()
        };
        let second = SystemDecl {
            folder: "second".into(),
            pages: vec![
                page("air", Face::Portal, 90, None),
                page("list", Face::Desk, 10, None),
            ],
            texts: BTreeMap::from([("hello".into(), Words::new("您好", "Good day"))]),
            ..SystemDecl::default()
        };
        Declared {
            systems: vec![first, second],
            ..Declared::default()
        }
    }

    #[test]
    fn the_menu_tells_what_may_be_opened_and_whom_to_ask() {
        let check = |roles: Option<&[&str]>, expect: &[&str]| {
            let actor = roles.map(|roles| Actor {
                account: "x".into(),
                display: "x".into(),
                roles: roles.iter().map(|r| r.to_string()).collect(),
                ..Actor::default()
            });
            let found: Vec<String> = menu(&declared(), actor.as_ref(), &Duty)
                .iter()
                .map(|e| {
                    format!(
                        "{}/{} {} {}",
                        e.system,
                        e.name,
                        e.allowed,
                        e.would.join(",")
                    )
                })
                .collect();
            let found: Vec<&str> = found.iter().map(|text| text.trim()).collect();
            assert_eq!(found, expect);
        };
        let nobody = [
            "second/air true",
            "second/list true",
            "first/atlas true",
            "first/queue false duty",
            "first/health false",
        ];
        check(None, &nobody);
        check(Some(&["clerk"]), &nobody);
        let duty = nobody.map(|text| {
            if text.contains("queue") {
                "first/queue true"
            } else {
                text
            }
        });
        check(Some(&["duty"]), &duty);
    }

    #[test]
    fn words_of_systems_do_not_collide() {
        let texts = texts(&declared());
        assert_eq!(texts["first.hello"].zh, "你好");
        assert_eq!(texts["second.hello"].en, "Good day");
    }
}
