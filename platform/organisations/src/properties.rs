//! What must hold whatever is done: random dated acts never break the tree, never touch what was
//! before their day, and the scope of an organisation is what a naive walk finds; a delegation
//! never lends more than its giver has.

use crate::acts;
use crate::book::{Book, Draft};
use crate::check;
use crate::delegations::lend;
use crate::model::{Deed, Delegation, DelegationState, NewAct, NewOrganisation};
use crate::tree::Tree;
use kernel::{Actor, Time, Words};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 86_400_000_000;
const CODES: u8 = 7;
const DAYS: i64 = 12;

fn code(n: u8) -> String {
    format!("c{n}")
}

fn new(n: u8, parent: Option<u8>) -> NewOrganisation {
    NewOrganisation {
        code: code(n),
        title: Words::new(format!("机构{n}"), ""),
        parent: parent.map(code),
        ..NewOrganisation::default()
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    let one = 0..CODES;
    let parent = prop::option::weighted(0.8, 0..CODES);
    prop_oneof![
        4 => prop::collection::vec((one.clone(), parent.clone()), 1..4).prop_map(|all| Deed::Found {
            organisations: all.into_iter().map(|(n, p)| new(n, p)).collect(),
        }),
        3 => (one.clone(), parent).prop_map(|(n, p)| Deed::Change {
            code: code(n), title: None, kind: None, credit_code: None, division: None, letter_word: None,
            parent: Some(p.map(code).unwrap_or_default()),
        }),
        1 => (one.clone(), "[a-z]{1,5}").prop_map(|(n, name)| Deed::Change {
            code: code(n), title: Some(Words::new(name, "")), kind: None, credit_code: None,
            division: None, letter_word: None, parent: None,
        }),
        2 => (prop::collection::vec(one.clone(), 1..3), one.clone()).prop_map(|(from, into)| Deed::Merge {
            from: from.into_iter().map(code).collect(), into: code(into),
        }),
        2 => (one.clone(), one.clone(), one.clone(), any::<bool>()).prop_map(|(n, out, child, keep)| Deed::Split {
            code: code(n), into: vec![new(out, None)], keep,
            children: BTreeMap::from([(code(child), code(out))]),
        }),
        1 => one.prop_map(|n| Deed::Abolish { code: code(n) }),
    ]
}

/// Who stands at a moment, and below whom, found by looking at every version.
fn naive(book: &Book, at: Time) -> BTreeMap<String, (Option<String>, String)> {
    let mut all = BTreeMap::new();
    for versions in book.organisations.values() {
        for version in versions.iter().filter(|v| v.stands_at(at)) {
            let what = (version.parent.clone(), version.title.zh.clone());
            let twice = all.insert(version.code.clone(), what);
            assert!(twice.is_none(), "{} stands twice at {at}", version.code);
        }
    }
    all
}

fn naive_below(all: &BTreeMap<String, (Option<String>, String)>, top: &str) -> BTreeSet<String> {
    let is_below = |code: &String| {
        let mut up = Some(code.clone());
        let mut steps = 0;
        while let Some(here) = up {
            if here == top {
                return true;
            }
            steps += 1;
            assert!(steps < 100, "a circle at {here}");
            up = all.get(&here).and_then(|(parent, _)| parent.clone());
        }
        false
    };
    all.keys().filter(|code| is_below(code)).cloned().collect()
}

fn moments() -> impl Iterator<Item = Time> {
    (1..2 * DAYS + 4).map(|half| Time(half * DAY / 2))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_dated_acts_never_break_the_tree(
        acts in prop::collection::vec((1..DAYS, deed()), 1..30)
    ) {
        let mut book = Book::default();
        for (day, deed) in acts {
            let on = Time(day * DAY);
            let act = NewAct { on: Some(on), reason: "文".into(), act: deed };
            let mut draft = Draft::new(&book, Time(DAYS * DAY));
            if acts::act(&mut draft, "t", &act).is_err() || !check::problems(&draft).is_empty() {
                continue;
            }
            for at in moments().filter(|at| *at < on) {
                prop_assert_eq!(naive(&book, at), naive(&draft.book, at), "before its day");
            }
            book = draft.book;
            for at in moments() {
                let all = naive(&book, at);
                for (code, (parent, _)) in &all {
                    let has = parent.as_ref().is_none_or(|p| all.contains_key(p));
                    prop_assert!(has, "{} is an orphan at {}", code, at);
                }
                let tree = Tree::at(&book, at);
                prop_assert_eq!(tree.nodes.len(), all.len());
                for code in all.keys() {
                    let below: BTreeSet<String> = tree.below(code).iter().cloned().collect();
                    prop_assert_eq!(below, naive_below(&all, code), "scope of {}", code);
                }
            }
        }
    }

    #[test]
    fn a_delegation_never_widens_rights(
        own in prop::collection::vec(0..6u8, 0..4),
        givers in prop::collection::vec(0..6u8, 0..4),
        named in prop::collection::vec(0..6u8, 0..4),
        objects in prop::collection::vec(prop::sample::select(vec!["alerts", "register.*", "devices"]), 0..3),
        matter in prop::option::of(prop::sample::select(vec!["A1", "A2"])),
        object in prop::sample::select(vec!["alerts", "register.station", "devices", "audit"]),
        path in prop::sample::select(vec!["/api/v1/alerts/A1/act", "/api/v1/alerts", "/api/v1/alerts/A10"]),
    ) {
        let roles = |all: &[u8]| all.iter().map(|n| format!("r{n}")).collect::<Vec<_>>();
        let giver = Actor { account: "g".into(), roles: roles(&givers), ..Actor::default() };
        let delegation = Delegation {
            id: "d".into(), giver: "g".into(), receiver: "x".into(), from: Time(0), to: Time(1),
            roles: roles(&named), objects: objects.iter().map(|o| o.to_string()).collect(),
            matter: matter.map(String::from), reason: String::new(), state: DelegationState::Agreed,
            made_at: Time(0), ended_at: None, ended_by: None, ended_why: None, leave: None,
        };
        let mut actor = Actor { account: "x".into(), roles: roles(&own), ..Actor::default() };
        let (party, lent) = lend(&delegation, &giver, path);
        prop_assert_eq!(party.party, "g");
        actor.standing.lent = Some(lent);
        let covered = objects.is_empty()
            || objects.contains(&object)
            || (object == "register.station" && objects.contains(&"register.*"));
        let concerns = matter.is_none_or(|m| path.split('/').any(|part| part == m));
        for role in actor.roles_for(object) {
            let mine = actor.roles.iter().any(|r| r == role);
            let named = named.is_empty() || delegation.roles.iter().any(|r| r == role);
            let theirs = giver.roles.iter().any(|r| r == role) && named && covered && concerns;
            prop_assert!(mine || theirs, "{} came from nowhere", role);
        }
        // And it lends all it should: what is named, held and concerned counts.
        for role in giver.roles.iter().filter(|r| named.is_empty() || delegation.roles.contains(r)) {
            if covered && concerns {
                prop_assert!(actor.roles_for(object).any(|r| r == role));
            }
        }
    }
}
