//! How many letters are numbered, drawn, signed and kept in a second, and how many uploads of one
//! megabyte are judged, sealed and kept, on SQLite on this machine's disk.
//!
//! `cargo run --release -p documents --example letters [FOLDER]`
#![allow(clippy::unwrap_used)]

use crypto::Engine as Keys;
use documents::{Engine, Means, Settings};
use kernel::access::Actor;
use kernel::crypto::Suite;
use kernel::documents::{Documents, NewFile, NewLetter, Office};
use kernel::{Clock, SystemClock};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Store;

const LETTERS: usize = 400;
const UPLOADS: usize = 200;
/// Asked for at once.
const TOGETHER: usize = 16;

fn letter(n: usize) -> NewLetter {
    let fields = json!({
        "applicant": format!("冀城示例餐饮有限公司第{n}分公司"),
        "item": "食品经营许可（新办）",
        "application": format!("SQ20261125{n:06}"),
        "applied_on": "2026年11月24日",
        "accepted_on": "2026年11月25日",
        "limit": "20个工作日",
        "due_on": "2026年12月23日",
        "excluded": "现场核查",
        "contact": "0311-00000000",
    });
    NewLetter {
        kind: "acceptance".into(),
        office: Office {
            code: "approval".into(),
            name: "冀城市行政审批局".into(),
            short: "冀城审".into(),
            credit_code: Some("11130199000000019E".into()),
        },
        about: format!("application/{n}"),
        key: format!("benchmark/{n}"),
        fields: fields.as_object().unwrap().clone(),
        person: None,
        template: None,
    }
}

/// A PDF of a megabyte: one page, and a stream nothing compresses.
fn upload(n: usize) -> NewFile {
    let mut bytes = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Kids[3 0 R]>>endobj\n3 0 obj<</Type/Page>>endobj\n4 0 obj<</Length 1048000>>stream\n".to_vec();
    let mut state = n as u64 + 1;
    while bytes.len() < 1 << 20 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        bytes.extend(state.to_le_bytes());
    }
    bytes.extend(b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n");
    NewFile {
        owner: format!("draft/{}", n / 50),
        slot: "deed".into(),
        name: "a.pdf".into(),
        bytes,
        person: None,
        accept: vec![],
        handed_in: false,
    }
}

/// Does so many things, a few at a time; says how long each took.
async fn measure<F>(what: &str, count: usize, one: impl Fn(usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let begun = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    let mut took: Vec<Duration> = vec![];
    for n in 0..count {
        if running.len() == TOGETHER {
            took.push(running.join_next().await.unwrap().unwrap());
        }
        let work = one(n);
        running.spawn(async move {
            let begun = Instant::now();
            work.await;
            begun.elapsed()
        });
    }
    while let Some(done) = running.join_next().await {
        took.push(done.unwrap());
    }
    took.sort();
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    let (p50, p99) = (took[count / 2], took[count * 99 / 100]);
    println!("{what}: {rate:.0}/s with {TOGETHER} at once, p50 {p50:.0?}, p99 {p99:.0?}");
}

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1);
    let dir = match &folder {
        Some(folder) => tempfile::tempdir_in(folder).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let store = Store::in_folder(dir.path()).await.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let means = Means {
        crypto: Keys::in_memory(Suite::International, clock.clone()).unwrap(),
        scanner: None,
        settings: Settings::default(),
    };
    let begun = Instant::now();
    let engine = Engine::open(store, clock, means).await.unwrap();
    println!("opened with its fonts in {:.0?}", begun.elapsed());
    let actor = Actor::system();
    engine.letter(&actor, &letter(LETTERS)).await.unwrap();
    let writer = engine.clone();
    measure("letters drawn, signed, kept", LETTERS, |n| {
        let engine = writer.clone();
        async move {
            engine.letter(&Actor::system(), &letter(n)).await.unwrap();
        }
    })
    .await;
    let keeper = engine.clone();
    measure("uploads of 1 MB judged, sealed, kept", UPLOADS, |n| {
        let engine = keeper.clone();
        async move {
            engine.put(&Actor::system(), upload(n)).await.unwrap();
        }
    })
    .await;
    let files = engine.list("draft/0").await.unwrap();
    let reader = engine.clone();
    measure("reads of 1 MB, logged and compared", UPLOADS, |n| {
        let engine = reader.clone();
        let id = files[n % files.len()].id.clone();
        async move {
            engine.get(&Actor::system(), &id).await.unwrap();
        }
    })
    .await;
    let proven = engine.letters("application/0").await.unwrap().remove(0);
    let pdf = engine.get(&actor, &proven.file).await.unwrap().bytes;
    println!("a letter has {} kB", pdf.len() / 1000);
    measure("letters verified", LETTERS, |_| {
        let (engine, pdf) = (engine.clone(), pdf.clone());
        async move {
            engine.verify_pdf(pdf).await.unwrap();
        }
    })
    .await;
}
