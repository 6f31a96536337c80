//! Tests of the identity engine, each on both databases.
#![allow(clippy::unwrap_used)]

mod accounts;
mod factors;
mod sessions;
mod speed;

use identity::{Challenge, Engine, HashCost, Keys, NewAccount, Origin, Settings, SignIn, SignedIn};
use kernel::access::Actor;
use kernel::declare::{Declared, check};
use kernel::{Fault, ManualClock, Span, Time};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;
use store::audit::{AuditFilter, AuditRow};

pub(crate) fn declared() -> Arc<Declared> {
    let files = [
        (
            "cities/c/city.yaml",
            "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n",
        ),
        (
            "cities/c/organisations.yaml",
            "organisations:\n  o1: {title: {zh: 局, en: Bureau}}\n",
        ),
        (
            "cities/c/roles.yaml",
            "roles:\n  operator:\n    title: {zh: 运维, en: Operator}\n    may:\n      \
             - {do: [read, operate], on: [accounts, system], purpose: 运行, basis: 网络安全法第二十一条}\n  \
             guarded:\n    title: {zh: 要害岗, en: Guarded}\n    second_factor: required\n    may:\n      \
             - {do: [read], on: [system], purpose: 运行, basis: 网络安全法第二十一条}\n",
        ),
        (
            "cities/c/accounts.yaml",
            "accounts:\n  yunwei: {display: {zh: 运维员, en: Operator}, roles: [operator], organisation: o1}\n  \
             zhiban: {display: {zh: 值班员, en: Duty officer}, roles: [duty], organisation: o1}\n",
        ),
        (
            "systems/s/system.yaml",
            "title: {zh: 系统, en: System}\nowner: o1\nuses: [registers]\nmaturity: draft\n",
        ),
        (
            "systems/s/access/roles.yaml",
            "roles:\n  duty:\n    title: {zh: 值班, en: Duty}\n    may:\n      \
             - {do: [read, handle], on: [alerts], purpose: 值守, basis: 大气污染防治法第三十条}\n      \
             - {do: [read], on: ['register.*'], purpose: 值守, basis: 大气污染防治法第三十条}\n  \
             operator:\n    title: {zh: 运维, en: Operator}\n    may:\n      \
             - {do: [read], on: [devices], purpose: 维护, basis: 网络安全法第二十一条}\n",
        ),
    ];
    let files: BTreeMap<String, String> = files
        .into_iter()
        .map(|(k, v)| (k.into(), v.into()))
        .collect();
    Arc::new(check::load(&files).unwrap_or_else(|faults| panic!("{faults:#?}")))
}

pub(crate) const START: Time = Time(1_700_000_000_000_000);
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct House {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Store,
}

/// Cheap hashes: these tests are about everything else.
pub(crate) fn cheap() -> Settings {
    Settings {
        cost: HashCost {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        },
        sessions_per_account: 3,
        keys: Keys(Some(Arc::new(testkit::FakeCrypto::default()))),
        ..Settings::default()
    }
}

pub(crate) async fn open(store: &Store, settings: Settings) -> House {
    let clock = Arc::new(ManualClock::new(START));
    let engine = Engine::open_with(store.clone(), clock.clone(), declared(), settings).await;
    House {
        engine: engine.unwrap(),
        clock,
        store: store.clone(),
    }
}

pub(crate) async fn house(store: &Store) -> House {
    open(store, cheap()).await
}

pub(crate) fn new_account(name: &str, role: &str) -> NewAccount {
    NewAccount {
        name: name.into(),
        display: "李明".into(),
        password: PASSWORD.into(),
        roles: vec![role.into()],
        organisation: Some("o1".into()),
    }
}

pub(crate) fn origin(address: &str) -> Origin {
    Origin {
        address: address.into(),
        agent: "test".into(),
        ..Origin::default()
    }
}

/// The session, where no second step is asked for.
pub(crate) fn done(step: SignIn) -> SignedIn {
    match step {
        SignIn::Done(session) => *session,
        SignIn::Next(challenge) => panic!("asked for {:?}", challenge.methods),
    }
}

/// What is asked for after the password.
pub(crate) fn asked(step: SignIn) -> Challenge {
    match step {
        SignIn::Next(challenge) => challenge,
        SignIn::Done(_) => panic!("no second step"),
    }
}

impl House {
    pub(crate) async fn make(&self, name: &str, role: &str) {
        let made = self
            .engine
            .create(&Actor::system(), new_account(name, role))
            .await;
        assert_eq!(made.unwrap().name, name);
    }
    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Result<String, Fault> {
        let signed = self
            .engine
            .sign_in(name, password, &origin("10.0.0.1"))
            .await?;
        Ok(done(signed).token)
    }
    pub(crate) async fn who(&self, token: &str) -> Option<Actor> {
        self.engine.recognise(token).await.unwrap().map(|r| r.actor)
    }
    pub(crate) fn wait(&self, span: Span) {
        self.clock.advance(span);
    }
    pub(crate) async fn audit(&self) -> Vec<AuditRow> {
        let filter = AuditFilter {
            limit: 100,
            ..AuditFilter::default()
        };
        self.store.audit().list(&filter).await.unwrap()
    }
}
