//! Tests of the documents engine, each on both databases. People and firms are synthetic: area
//! 130199, valid check characters.
#![allow(clippy::unwrap_used)]

mod hostile;
mod kill;
mod letters;
mod prints;
mod scanning;
mod signatures;
mod uploads;

use crypto::Engine as Keys;
use documents::scanner::Scanner;
use documents::{Engine, Means, Settings};
use kernel::access::{Actor, Grant};
use kernel::crypto::{Crypto, Suite};
use kernel::documents::{NewFile, NewLetter, Office};
use kernel::{Fault, ManualClock, Time};
use serde_json::{Value, json};
use std::sync::Arc;
use store::Store;
use store::audit::{AuditFilter, AuditRow};

pub(crate) struct House {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")))
}

pub(crate) fn settings() -> Settings {
    Settings {
        city: "示例市".into(),
        verify_at: "https://city.example/verify-letter".into(),
        ..Settings::default()
    }
}

pub(crate) async fn house(store: &Store) -> House {
    let clock = clock();
    let keys = Keys::in_memory(Suite::International, clock.clone()).unwrap();
    house_with(store, clock, keys, None, settings()).await
}

pub(crate) async fn house_with(
    store: &Store,
    clock: Arc<ManualClock>,
    crypto: Arc<dyn Crypto>,
    scanner: Option<Arc<dyn Scanner>>,
    settings: Settings,
) -> House {
    let means = Means {
        crypto,
        scanner,
        settings,
    };
    let engine = Engine::open(store.clone(), clock.clone(), means).await;
    House {
        engine: engine.unwrap(),
        clock,
    }
}

pub(crate) fn clerk() -> Actor {
    Actor {
        account: "clerk".into(),
        display: "窗口".into(),
        grant: Grant {
            purpose: "办理许可".into(),
            basis: "《行政许可法》第三十四条".into(),
        },
        ..Actor::default()
    }
}

pub(crate) fn office() -> Office {
    Office {
        code: "approval".into(),
        name: "冀城市行政审批局".into(),
        short: "冀城审".into(),
        credit_code: Some("11130199000000019E".into()),
    }
}

pub(crate) fn acceptance(key: &str) -> NewLetter {
    let fields = json!({
        "applicant": "冀城示例餐饮有限公司",
        "item": "食品经营许可（新办）",
        "application": "SQ20261125000001",
        "applied_on": "2026年11月24日",
        "accepted_on": "2026年11月25日",
        "limit": "20个工作日",
        "due_on": "2026年12月23日",
        "excluded": "现场核查",
        "contact": "0311-00000000",
    });
    NewLetter {
        kind: "acceptance".into(),
        office: office(),
        about: "application/1".into(),
        key: key.into(),
        fields: object(fields),
        person: Some("person-7".into()),
        template: None,
    }
}

pub(crate) fn object(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub(crate) fn file(owner: &str, slot: &str, name: &str, bytes: Vec<u8>) -> NewFile {
    NewFile {
        owner: owner.into(),
        slot: slot.into(),
        name: name.into(),
        bytes,
        person: Some("person-7".into()),
        accept: vec![],
        handed_in: false,
    }
}

/// A PDF of so many pages, as a plain writer makes it, with more objects at its end.
pub(crate) fn pdf(pages: usize, more: &str) -> Vec<u8> {
    let mut text = String::from("%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n");
    let kids: Vec<String> = (0..pages).map(|n| format!("{} 0 R", n + 10)).collect();
    let kids = kids.join(" ");
    text.push_str(&format!(
        "2 0 obj\n<</Type/Pages/Count {pages}/Kids[{kids}]>>\nendobj\n"
    ));
    for n in 0..pages {
        text.push_str(&format!(
            "{} 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\nendobj\n",
            n + 10
        ));
    }
    text.push_str(more);
    text.push_str("trailer\n<</Root 1 0 R/Size 4>>\nstartxref\n0\n%%EOF\n");
    text.into_bytes()
}

/// A PNG by its header.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend(b"\x08\x02\0\0\0____\0\0\0\0IEND\xaeB`\x82");
    bytes
}

pub(crate) fn said(outcome: Result<impl Sized, Fault>) -> String {
    match outcome {
        Ok(_) => panic!("it was accepted"),
        Err(fault) => {
            assert!(!fault.words.zh.is_empty() && !fault.words.en.is_empty());
            for problem in &fault.problems {
                assert!(!problem.words.zh.is_empty() && !problem.words.en.is_empty());
            }
            fault.to_string()
        }
    }
}

pub(crate) async fn audit(store: &Store, object: &str) -> Vec<AuditRow> {
    let filter = AuditFilter {
        object: Some(object.into()),
        ..AuditFilter::default()
    };
    store.audit().list(&filter).await.unwrap()
}
