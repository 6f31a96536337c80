//! Tests of the organisations engine, each on both databases.
#![allow(clippy::unwrap_used)]

mod files;
mod people;
mod tree;

use kernel::access::Actor;
use kernel::declare::{Declared, check};
use kernel::{Fault, ManualClock, Time, Words};
use organisations::{Deed, Engine, NewAct, NewOrganisation};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;

pub(crate) const START: Time = Time(1_700_000_000_000_000);

pub(crate) fn declared_with(organisations: &str) -> Arc<Declared> {
    let files = [
        (
            "cities/c/city.yaml",
            "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n",
        ),
        ("cities/c/organisations.yaml", organisations),
        (
            "systems/s/system.yaml",
            "title: {zh: 系统, en: System}\nowner: city\nuses: [registers]\nmaturity: draft\n",
        ),
    ];
    let files: BTreeMap<String, String> = files
        .into_iter()
        .map(|(k, v)| (k.into(), v.into()))
        .collect();
    Arc::new(check::load(&files).unwrap_or_else(|faults| panic!("{faults:#?}")))
}

pub(crate) const DECLARED: &str = "organisations:\n  \
    city: {title: {zh: 市政府, en: City}, kind: city, division: '130100'}\n  \
    bureau: {title: {zh: 数据局, en: Data bureau}, parent: city}\n  \
    public: {title: {zh: 公众, en: Public}, kind: public}\n";

pub(crate) struct House {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) async fn house(store: &Store) -> House {
    let clock = Arc::new(ManualClock::new(START));
    let engine = Engine::open(store.clone(), clock.clone(), declared_with(DECLARED)).await;
    House {
        engine: engine.unwrap(),
        clock,
    }
}

pub(crate) fn boss() -> Actor {
    Actor {
        account: "boss".into(),
        display: "王".into(),
        ..Actor::default()
    }
}

pub(crate) fn new(code: &str, parent: &str) -> NewOrganisation {
    NewOrganisation {
        code: code.into(),
        title: Words::new(format!("{code}局"), code),
        parent: Some(parent.into()),
        ..NewOrganisation::default()
    }
}

pub(crate) fn act(on: Option<Time>, deed: Deed) -> NewAct {
    NewAct {
        on,
        reason: "石政〔2026〕1 号".into(),
        act: deed,
    }
}

impl House {
    pub(crate) async fn found(&self, all: &[(&str, &str)]) {
        let organisations = all.iter().map(|(code, parent)| new(code, parent)).collect();
        let deed = Deed::Found { organisations };
        self.engine.act(&boss(), &act(None, deed)).await.unwrap();
    }
    pub(crate) async fn act(&self, on: Option<Time>, deed: Deed) -> Result<(), Fault> {
        self.engine.act(&boss(), &act(on, deed)).await.map(drop)
    }
}

/// Where the problems of a fault are, and what they say in English.
pub(crate) fn problems(fault: Fault) -> Vec<(String, String)> {
    let all = fault.problems.into_iter();
    all.map(|p| (p.at, p.words.en)).collect()
}
