//! Tests of the visits engine, each on both databases. People are synthetic.
#![allow(clippy::unwrap_used)]

mod appointments;
mod calling;
mod crash;
mod halls;
mod races;

use async_trait::async_trait;
use kernel::access::{Actor, Decision, Policy, Verb};
use kernel::facts::Facts;
use kernel::messages::{Channel, NewMessage, Outbox, Queued, Recipient};
use kernel::numbers::Day;
use kernel::visits::*;
use kernel::{Fault, ManualClock, Span, Time, Words};
use parking_lot::Mutex;
use std::any::Any;
use std::sync::Arc;
use store::Store;
use store::audit::{AuditFilter, AuditRow};
use visits::{Engine, Limits, Means};

/// Residents may write, officers handle and read, operators everything; in the hall of another
/// organisation (`far`) officers may nothing.
struct Roles;

impl Policy for Roles {
    fn may(&self, actor: &Actor, verb: Verb, object: &str) -> Decision {
        let has = |role: &str| actor.roles.iter().any(|r| r == role);
        let allowed = object == "visits"
            && match verb {
                Verb::Write => has("resident") || has("officer"),
                Verb::Handle | Verb::Read => has("officer") || has("operator"),
                Verb::Operate => has("operator"),
                _ => false,
            };
        if allowed {
            return Decision::Allowed {
                role: "test".into(),
                purpose: "大厅办事".into(),
                basis: "《优化营商环境条例》第三十六条".into(),
            };
        }
        Decision::denied(vec![])
    }
    fn may_this(&self, actor: &Actor, verb: Verb, object: &str, facts: &Facts) -> Decision {
        let far = facts.owner.as_deref() == Some("far");
        if far && verb == Verb::Handle {
            return Decision::denied(vec![]);
        }
        self.may(actor, verb, object)
    }
}

/// What was said to whom.
#[derive(Default)]
pub(crate) struct Said(pub(crate) Mutex<Vec<(String, Channel, String)>>);

#[async_trait]
impl Outbox for Said {
    async fn send(&self, _: &Actor, new: NewMessage) -> Result<Queued, Fault> {
        let to = match new.to {
            Recipient::Account(to) | Recipient::Mobile(to) | Recipient::Email(to) => to,
        };
        self.0.lock().push((to, new.channel, new.template));
        let id = new.once;
        Ok(Queued { id, fresh: true })
    }
    async fn send_within(
        &self,
        transaction: &mut (dyn Any + Send),
        by: &Actor,
        new: NewMessage,
    ) -> Result<Queued, Fault> {
        assert!(transaction.downcast_mut::<store::Tx>().is_some());
        self.send(by, new).await
    }
}

pub(crate) struct House {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) said: Arc<Said>,
    pub(crate) store: Store,
    pub(crate) crypto: Arc<testkit::FakeCrypto>,
}

pub(crate) fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}
pub(crate) fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

pub(crate) fn resident(name: &str) -> Actor {
    with_role(name, "resident")
}
pub(crate) fn officer() -> Actor {
    with_role("officer", "officer")
}
pub(crate) fn operator() -> Actor {
    with_role("operator", "operator")
}
fn with_role(name: &str, role: &str) -> Actor {
    Actor {
        account: name.into(),
        roles: vec![role.into()],
        ..Actor::default()
    }
}

pub(crate) fn matter(code: &str, letter: char, capacity: u32) -> HallMatter {
    HallMatter {
        code: code.into(),
        title: Words::new("办事", "A matter"),
        letter,
        minutes: 10,
        capacity,
    }
}

pub(crate) fn window(code: &str, matters: &[&str]) -> Window {
    Window {
        code: code.into(),
        title: Words::new("窗口", "Window"),
        matters: matters.iter().map(|m| m.to_string()).collect(),
    }
}

/// Open on working days 09:00–12:00 and 13:00–17:00. Matters `birth` (A) and `tax` (B).
pub(crate) fn hall(code: &str) -> NewHall {
    let hours = |from: &str, to: &str| Hours {
        from: from.into(),
        to: to.into(),
    };
    let work = vec![hours("09:00", "12:00"), hours("13:00", "17:00")];
    let mut week = vec![work; 5];
    week.extend([vec![], vec![]]);
    NewHall {
        code: code.into(),
        title: Words::new("政务服务大厅", "Service hall"),
        organisation: "city".into(),
        address: Words::new("一号路 1 号", "1 First Road"),
        matters: vec![matter("birth", 'A', 2), matter("tax", 'B', 1)],
        windows: vec![
            window("1", &["birth", "tax"]),
            window("2", &["birth", "tax"]),
            window("3", &["tax"]),
        ],
        hours: week,
        closed: vec![],
        days_ahead: 30,
    }
}

pub(crate) async fn open(store: &Store, clock: Arc<ManualClock>, limits: Limits) -> House {
    let said = Arc::new(Said::default());
    let crypto = Arc::new(testkit::FakeCrypto::default());
    let means = Means {
        policy: Arc::new(Roles),
        crypto: crypto.clone(),
        // 2026-11-25 is a Wednesday; the 28th and 29th a weekend.
        days: Arc::new(|d: Day| d != day("2026-11-28") && d != day("2026-11-29")),
        outbox: said.clone(),
        remind_by: vec![Channel::Inbox, Channel::Sms],
    };
    let engine = Engine::open(store.clone(), clock.clone(), means, limits);
    House {
        engine: engine.await.unwrap(),
        clock,
        said,
        store: store.clone(),
        crypto,
    }
}

/// A Wednesday at ten, with a hall.
pub(crate) async fn house(store: &Store) -> House {
    let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
    let house = open(store, clock, Limits::default()).await;
    house
        .engine
        .set_hall(&operator(), hall("h"), 0)
        .await
        .unwrap();
    house
}

impl House {
    pub(crate) async fn take(&self, matter: &str, priority: Priority) -> Ticket {
        let new = NewTicket {
            hall: "h".into(),
            matter: matter.into(),
            priority,
        };
        self.clock.advance(Span::seconds(1));
        self.engine.take(&officer(), new).await.unwrap()
    }
    pub(crate) async fn call(&self, window: &str) -> Option<Ticket> {
        self.clock.advance(Span::seconds(1));
        self.engine
            .call_next(&officer(), "h", window)
            .await
            .unwrap()
    }
    pub(crate) async fn act(&self, window: &str, id: &str, act: TicketAct) -> Ticket {
        self.engine.act(&officer(), window, id, act).await.unwrap()
    }
    /// Calls and serves the next one to the end, in so many minutes; its number.
    pub(crate) async fn serve(&self, window: &str, minutes: i64) -> Option<String> {
        let ticket = self.call(window).await?;
        self.act(window, &ticket.id, TicketAct::Start).await;
        self.clock.advance(Span::minutes(minutes));
        self.act(window, &ticket.id, TicketAct::Finish).await;
        Some(ticket.number)
    }
    pub(crate) async fn audit(&self) -> Vec<AuditRow> {
        let filter = AuditFilter {
            limit: 1000,
            ..AuditFilter::default()
        };
        self.store.audit().list(&filter).await.unwrap()
    }
}

pub(crate) fn booking(matter: &str, from: &str) -> NewAppointment {
    NewAppointment {
        hall: "h".into(),
        matter: matter.into(),
        from: at(from),
        visitor: None,
    }
}

pub(crate) fn code<T>(outcome: Result<T, Fault>) -> &'static str {
    match outcome {
        Ok(_) => "ok",
        Err(fault) => fault.code,
    }
}

pub(crate) fn places<T>(outcome: Result<T, Fault>) -> Vec<String> {
    let Err(fault) = outcome else { return vec![] };
    assert_eq!(fault.code, "input.invalid", "{fault}");
    for problem in &fault.problems {
        assert!(!problem.words.zh.is_empty() && !problem.words.en.is_empty());
    }
    fault.problems.into_iter().map(|p| p.at).collect()
}
