//! A small city: who works where, who may what, carriers that do what they are told.

use async_trait::async_trait;
use kernel::access::{Actor, Decision, Policy, Verb};
use kernel::facts::{Facts, Mask, Shown};
use kernel::fault::FaultKind;
use kernel::messages::{AddressBook, Mail, MailCarrier, Reach};
use kernel::office::{Files, Member, Members};
use kernel::page::{Page, Part};
use kernel::parties::{Message, Messenger};
use kernel::{Fault, Words};
use parking_lot::Mutex;

/// Account, organisation. `civil/births` is below `civil`, both below `city`.
const PEOPLE: [(&str, &str); 8] = [
    ("an", "civil"),
    ("bo", "civil"),
    ("chief", "city"),
    ("cui", "civil/births"),
    ("head", "civil"),
    ("tao", "tax"),
    ("wei", "tax"),
    ("xu", "city"),
];
const ORGANISATIONS: [&str; 4] = ["city", "civil", "civil/births", "tax"];

pub(crate) fn organisation(account: &str) -> Option<&'static str> {
    let found = PEOPLE.iter().find(|(name, _)| *name == account);
    found.map(|(_, organisation)| *organisation)
}

pub(crate) fn below(code: &str) -> Vec<String> {
    let under = |c: &&str| code == "city" || *c == code || c.starts_with(&format!("{code}/"));
    let all = ORGANISATIONS.iter().copied();
    all.filter(|c| !code.is_empty() && under(c))
        .map(String::from)
        .collect()
}

pub(crate) struct Everybody;

impl Members for Everybody {
    fn member(&self, account: &str) -> Option<Member> {
        let code = organisation(account)?;
        let above = ORGANISATIONS
            .iter()
            .filter(|c| below(c).iter().any(|b| b == code));
        Some(Member {
            account: account.into(),
            name: format!("{account} 同志"),
            organisation: code.into(),
            organisation_title: Words::new("机构", "Organisation"),
            positions: vec![],
            phone: Some("13800000009".into()),
            room: "101".into(),
            within: above.map(|c| c.to_string()).collect(),
        })
    }
    fn of_position(&self, position: &str) -> Option<Vec<String>> {
        match position {
            "head_of_civil" => Some(vec!["head".into()]),
            "vacant" => Some(vec![]),
            _ => None,
        }
    }
    fn of_organisation(&self, code: Option<&str>) -> Option<Vec<String>> {
        let inside = match code {
            Some(code) if !ORGANISATIONS.contains(&code) => return None,
            Some(code) => below(code),
            None => below("city"),
        };
        let there = PEOPLE
            .iter()
            .filter(|(_, code)| inside.iter().any(|c| c == code));
        Some(there.map(|(account, _)| account.to_string()).collect())
    }
    fn search(&self, words: &str, _: Option<&str>, part: &Part) -> Page<Member> {
        let fits = PEOPLE.iter().filter(|(account, _)| account.contains(words));
        let items: Vec<Member> = fits
            .filter_map(|(account, _)| self.member(account))
            .collect();
        let total = items.len() as u64;
        let items = items.into_iter().take(part.size() as usize).collect();
        Page {
            items,
            next: None,
            total,
        }
    }
}

/// Files `f…` may be attached by everybody, `own/NAME` by that account.
pub(crate) struct Drawer;

#[async_trait]
impl Files for Drawer {
    async fn may_attach(&self, by: &Actor, file: &str) -> Result<bool, Fault> {
        Ok(file.starts_with('f') || file == format!("own/{}", by.account))
    }
}

/// Staff read and handle, publishers write, `city` operates; operators see messages. The policy
/// also lets a role `ghost` use the office, who works nowhere.
pub(crate) struct Roles;

impl Policy for Roles {
    fn may(&self, actor: &Actor, verb: Verb, object: &str) -> Decision {
        let has = |role: &str| actor.roles.iter().any(|r| r == role);
        let allowed = match (object, verb) {
            ("messages", Verb::Operate) => has("operator"),
            ("office", Verb::Read | Verb::Handle) => has("staff") || has("ghost"),
            ("office", Verb::Write) => has("publisher"),
            ("office", Verb::Operate) => has("city"),
            _ => false,
        };
        match allowed {
            true => Decision::Allowed {
                role: "test".into(),
                purpose: "机关内部工作联系".into(),
                basis: "《中华人民共和国公务员法》第十四条".into(),
            },
            false => Decision::denied(vec![]),
        }
    }
    fn mask(&self, actor: &Actor, _: Verb, object: &str, _: Option<&Facts>) -> Mask {
        let shown = match (object, actor.account.as_str()) {
            ("directory", "head") => Shown::Clear,
            ("directory", "tao") => Shown::Withheld,
            _ => Shown::Masked,
        };
        Mask {
            otherwise: shown,
            ..Mask::default()
        }
    }
}

/// `zhang` has both, `li` wants English, `none` neither.
pub(crate) struct Accounts;

#[async_trait]
impl AddressBook for Accounts {
    async fn reach(&self, account: &str) -> Result<Option<Reach>, Fault> {
        let reach = |english| Reach {
            mobile: Some("13800000002".into()),
            email: Some(format!("{account}@example.cn")),
            english,
        };
        Ok(match account {
            "zhang" => Some(reach(false)),
            "li" => Some(reach(true)),
            "none" => Some(Reach::default()),
            _ => None,
        })
    }
}

/// What a carrier does with the next message.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Does {
    Takes,
    Fails,
    Refuses,
    TakesAndIsSilent,
    LosesTheAnswer,
}

fn answer(does: Does, to: &str) -> Result<(), Fault> {
    let fault = |kind, code| {
        Err(Fault::new(
            kind,
            code,
            format!("不收 {to}"),
            format!("no {to}"),
        ))
    };
    match does {
        Does::Takes | Does::TakesAndIsSilent => Ok(()),
        Does::Fails => fault(FaultKind::Overloaded, "outgoing.failed"),
        Does::Refuses => fault(FaultKind::Invalid, "outgoing.refused"),
        Does::LosesTheAnswer => Err(Fault::internal("carrying", "the connection broke off")),
    }
}

/// Carries short messages: the first plan first, then takes everything.
#[derive(Default)]
pub(crate) struct Carrier {
    pub(crate) plan: Mutex<Vec<Does>>,
    /// Number and text of everything that arrived here, whatever was answered.
    pub(crate) arrived: Mutex<Vec<(String, String)>>,
}

impl Carrier {
    pub(crate) fn will(&self, plan: &[Does]) {
        *self.plan.lock() = plan.iter().rev().copied().collect();
    }
    pub(crate) fn count(&self) -> usize {
        self.arrived.lock().len()
    }
}

#[async_trait]
impl Messenger for Carrier {
    fn is_ready(&self) -> bool {
        true
    }
    async fn send(&self, message: Message) -> Result<(), Fault> {
        let does = self.plan.lock().pop().unwrap_or(Does::Takes);
        let to = message.to.clone();
        if !matches!(does, Does::Fails | Does::Refuses) {
            self.arrived.lock().push((message.to, message.text));
        }
        if does == Does::TakesAndIsSilent {
            tokio::time::sleep(std::time::Duration::from_secs(30)).await;
        }
        answer(does, &to)
    }
}

/// A mail server in memory.
#[derive(Default)]
pub(crate) struct MailBox {
    pub(crate) arrived: Mutex<Vec<Mail>>,
}

#[async_trait]
impl MailCarrier for MailBox {
    fn is_ready(&self) -> bool {
        true
    }
    async fn send(&self, mail: Mail) -> Result<(), Fault> {
        self.arrived.lock().push(mail);
        Ok(())
    }
}
