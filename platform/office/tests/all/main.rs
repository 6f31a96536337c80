//! Tests of the message centre and the office, each on both databases. People are synthetic.
#![allow(clippy::unwrap_used)]

mod calendar;
mod carrying;
mod catcher;
mod circulations;
mod crash;
mod fakes;
mod inbox;
mod mail;
mod notices;
mod sending;
mod smtp;

use fakes::{Accounts, Carrier, Drawer, Everybody, MailBox, Roles};
use kernel::access::{Actor, Standing};
use kernel::messages::*;
use kernel::office::*;
use kernel::page::Part;
use kernel::{Fault, ManualClock, Span, Time};
use office::{Centre, CentreMeans, Engine, Limits, OfficeMeans};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;
use store::audit::{AuditFilter, AuditRow};

pub(crate) struct House {
    pub(crate) centre: Arc<Centre>,
    pub(crate) office: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sms: Arc<Carrier>,
    pub(crate) mail: Arc<MailBox>,
    pub(crate) crypto: Arc<testkit::FakeCrypto>,
    pub(crate) store: Store,
}

pub(crate) fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

pub(crate) async fn house(store: &Store) -> House {
    let limits = Limits {
        time_out: std::time::Duration::from_millis(300),
        ..Limits::default()
    };
    house_with(store, limits).await
}

pub(crate) async fn house_with(store: &Store, limits: Limits) -> House {
    let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
    let sms = Arc::new(Carrier::default());
    let mail = Arc::new(MailBox::default());
    let crypto = Arc::new(testkit::FakeCrypto::default());
    let policy = Arc::new(Roles);
    let means = CentreMeans {
        crypto: crypto.clone(),
        policy: policy.clone(),
        sms: sms.clone(),
        mail: mail.clone(),
        addresses: Arc::new(Accounts),
    };
    let centre = Centre::open(store.clone(), clock.clone(), means, limits);
    let centre = centre.await.unwrap();
    let means = OfficeMeans {
        policy,
        members: Arc::new(Everybody),
        files: Arc::new(Drawer),
        outbox: centre.clone(),
    };
    House {
        office: Engine::open(store.clone(), clock.clone(), means),
        centre,
        clock,
        sms,
        mail,
        crypto,
        store: store.clone(),
    }
}

impl House {
    pub(crate) fn wait(&self, span: Span) {
        self.clock.advance(span);
    }
    pub(crate) async fn send(&self, new: NewMessage) -> Queued {
        self.wait(Span::seconds(1));
        self.centre.send(&Actor::system(), new).await.unwrap()
    }
    pub(crate) async fn row(&self, id: &str) -> MessageRow {
        let all = self.rows().await;
        all.into_iter().find(|row| row.id == id).unwrap()
    }
    pub(crate) async fn rows(&self) -> Vec<MessageRow> {
        let filter = MessageFilter::default();
        self.centre.list(&operator(), &filter).await.unwrap().items
    }
    /// What lies in somebody's inbox: headings, newest first.
    pub(crate) async fn headings(&self, account: &str) -> Vec<String> {
        let (by, filter) = (person(account), InboxFilter::default());
        let items = self.centre.inbox(&by, &filter).await.unwrap().items;
        items.into_iter().map(|entry| entry.subject.zh).collect()
    }
    pub(crate) async fn audit(&self) -> Vec<AuditRow> {
        let filter = AuditFilter {
            limit: 1000,
            ..AuditFilter::default()
        };
        self.store.audit().list(&filter).await.unwrap()
    }
}

/// Somebody signed in, who works where [`Everybody`] says.
pub(crate) fn person(account: &str) -> Actor {
    let roles = match account {
        "resident" => vec![],
        "head" => vec!["staff".into(), "publisher".into()],
        "chief" => vec!["staff".into(), "publisher".into(), "city".into()],
        _ => vec!["staff".into()],
    };
    let own = fakes::organisation(account).unwrap_or_default();
    let below: Vec<String> = fakes::below(own);
    Actor {
        account: account.into(),
        roles,
        standing: Standing {
            organisations: vec![own.into()],
            scope: below.into(),
            ..Standing::default()
        },
        ..Actor::default()
    }
}

pub(crate) fn operator() -> Actor {
    Actor {
        account: "operator".into(),
        roles: vec!["operator".into()],
        ..Actor::default()
    }
}

/// A message of the template `case_progress`.
pub(crate) fn message(to: Recipient, channel: Channel, once: &str) -> NewMessage {
    let fields = [
        ("title", "出生一件事"),
        ("title_en", "A birth"),
        ("number", "130199-0001"),
        ("progress", "已受理"),
        ("progress_en", "accepted"),
    ];
    NewMessage {
        to,
        channel,
        template: "case_progress".into(),
        fields: fields.map(|(k, v)| (k.to_string(), v.to_string())).into(),
        once: once.into(),
        about: "case/1".into(),
        not_before: None,
        until: None,
    }
}

pub(crate) fn sms(once: &str) -> NewMessage {
    message(Recipient::Mobile("13800000001".into()), Channel::Sms, once)
}

pub(crate) fn code<T>(outcome: Result<T, Fault>) -> &'static str {
    match outcome {
        Ok(_) => "ok",
        Err(fault) => fault.code,
    }
}

/// Where the faults of an input are; every one is said in both languages.
pub(crate) fn places<T>(outcome: Result<T, Fault>) -> Vec<String> {
    let Err(fault) = outcome else { return vec![] };
    assert_eq!(fault.code, "input.invalid", "{fault}");
    for problem in &fault.problems {
        assert!(!problem.words.zh.is_empty() && !problem.words.en.is_empty());
    }
    fault.problems.into_iter().map(|p| p.at).collect()
}

pub(crate) fn part(after: Option<String>, limit: u64) -> Part {
    Part {
        after,
        limit: Some(limit),
    }
}

pub(crate) fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string()));
    pairs.collect()
}
