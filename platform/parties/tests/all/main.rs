//! Tests of the parties engine, each on both databases.
#![allow(clippy::unwrap_used)]

mod fakes;
mod numbers;
mod proofs;
mod registration;
mod rights;
mod ties;

use fakes::{FakeAccounts, FakeCrypto};
use kernel::access::{Actor, Grant};
use kernel::parties::{Claim, DocumentKind, Parties, Standing};
use kernel::{Fault, ManualClock, Span, Time};
use parties::{Catcher, DemoProver, Engine, Means, NewRegistration};
use std::sync::Arc;
use store::Store;
use store::audit::{AuditFilter, AuditRow};

pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const HOME: &str = "10.0.0.1";

pub(crate) struct House {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) catcher: Arc<Catcher>,
    pub(crate) accounts: Arc<FakeAccounts>,
    pub(crate) store: Store,
    pub(crate) crypto: Arc<FakeCrypto>,
    seen: parking_lot::Mutex<std::collections::HashSet<String>>,
}

pub(crate) fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

pub(crate) async fn house(store: &Store) -> House {
    let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
    open(store, clock).await
}

pub(crate) async fn open(store: &Store, clock: Arc<ManualClock>) -> House {
    open_with(store, clock, Arc::default()).await
}

pub(crate) async fn open_with(
    store: &Store,
    clock: Arc<ManualClock>,
    crypto: Arc<FakeCrypto>,
) -> House {
    let catcher = Arc::new(Catcher::new(clock.clone()));
    let accounts = Arc::new(FakeAccounts::default());
    let means = Means {
        crypto: crypto.clone(),
        messenger: catcher.clone(),
        prover: Arc::new(DemoProver),
        accounts: accounts.clone(),
    };
    House {
        engine: Engine::open(store.clone(), clock.clone(), means)
            .await
            .unwrap(),
        clock,
        catcher,
        accounts,
        store: store.clone(),
        crypto,
        seen: Default::default(),
    }
}

pub(crate) fn claim((number, name): (String, String)) -> Claim {
    Claim {
        document: DocumentKind::CitizenNumber,
        number,
        name,
        birth: None,
    }
}

pub(crate) fn person(serial: u32) -> Claim {
    claim(parties::demo_person(serial))
}

pub(crate) fn actor(account: &str) -> Actor {
    Actor {
        account: account.into(),
        ..Actor::default()
    }
}

pub(crate) fn clerk() -> Actor {
    Actor {
        account: "clerk".into(),
        grant: Grant {
            purpose: "实名核验".into(),
            basis: "个人信息保护法第十三条第一款第三项".into(),
        },
        ..Actor::default()
    }
}

pub(crate) fn wish(name: Option<&str>) -> NewRegistration {
    NewRegistration {
        name: name.map(String::from),
        display: "小李".into(),
        password: PASSWORD.into(),
        consent: true,
    }
}

impl House {
    pub(crate) async fn register(&self) -> String {
        // Each from a household of its own.
        let n = self.accounts.count();
        let address = format!("10.1.{}.{}", n / 250, n % 250);
        self.engine
            .register(wish(None), &address)
            .await
            .unwrap()
            .account
    }

    /// The code sent to a number that was not read yet.
    pub(crate) async fn code(&self, phone: &str) -> String {
        // Messages go out on a task of their own.
        for _ in 0..400 {
            let caught = self.catcher.caught();
            let fresh = |text: &String| !self.seen.lock().contains(text);
            let mine = caught.into_iter().filter(|c| c.to == phone).map(|c| c.text);
            if let Some(text) = mine.filter(fresh).find(|text| text.contains("验证码是 ")) {
                self.seen.lock().insert(text.clone());
                let code = text.split("验证码是 ").nth(1).unwrap_or_default();
                return code.chars().take(6).collect();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("no message to {phone}");
    }

    pub(crate) async fn phone(&self, account: &str, phone: &str) {
        let sent = self.engine.begin_phone(account, phone, HOME).await.unwrap();
        let code = self.code(phone).await;
        let proven = self
            .engine
            .prove_phone(account, &sent.challenge, &code, HOME)
            .await;
        assert!(proven.unwrap() >= 1);
    }

    /// An account proven to level 2 as this person.
    pub(crate) async fn resident(&self, serial: u32) -> String {
        let account = self.register().await;
        self.phone(&account, &phone_of(serial)).await;
        let level = self
            .engine
            .prove_online(&actor(&account), &person(serial))
            .await;
        assert_eq!(level.unwrap(), 2);
        account
    }

    pub(crate) async fn standing(&self, account: &str, session: &str) -> Standing {
        self.engine.standing(account, Some(session)).await.unwrap()
    }

    pub(crate) async fn audit(&self) -> Vec<AuditRow> {
        let filter = AuditFilter {
            limit: 1000,
            ..AuditFilter::default()
        };
        self.store.audit().list(&filter).await.unwrap()
    }

    pub(crate) fn wait(&self, span: Span) {
        self.clock.advance(span);
    }
}

pub(crate) fn phone_of(serial: u32) -> String {
    format!("1380000{serial:04}")
}

pub(crate) fn code<T>(outcome: Result<T, Fault>) -> &'static str {
    match outcome {
        Ok(_) => "ok",
        Err(fault) => fault.code,
    }
}
