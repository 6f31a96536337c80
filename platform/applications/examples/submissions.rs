//! A measurement, not a test: how many applications a second are handed in durably, each with three
//! materials, how soon the receipt is there, and how soon figures and lists come among very many.
//!
//! ```text
//! cargo run --release -p applications --example submissions -- [applications] [at once] [sqlite:… | postgres://…]
//! cargo run --release -p applications --example submissions -- figures [applications] [sqlite:… | postgres://…]
//! ```
//! A submission is done when number, application, draft, audit entry, event, counters and what
//! follows from it are on the disk (fsync). Drafts are written before and not measured. The limit is
//! how often the disk can be made to remember: submissions that arrive together share that. Peer:
//! DIGIT publishes 15 a second at 2 s.

#[path = "../tests/all/stage/mod.rs"]
mod stage;

use kernel::applications::*;
use kernel::{Fault, Time};
use stage::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use store::Store;
use store::applications::{Counts, DayRow, ListQuestion, Put, Test, Write, lists, read, write};
use tokio::task::JoinSet;

fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(0.0)
}

async fn submissions(store: &Store, count: usize, at_once: usize) -> Result<(), Fault> {
    let house = house(store).await;
    let started = Instant::now();
    let mut drafts = vec![];
    for n in 0..count {
        // The residents of area 130199 have 999 numbers of one day: drafts of many items each.
        let item = format!("food{}", n / 999);
        if n % 999 == 0 {
            house.items.publish(&item, food());
        }
        drafts.push((n as u32 % 999, item));
    }
    let drafts = Arc::new(drafts);
    let ids = Arc::new(std::sync::Mutex::new(vec![String::new(); count]));
    let (engine, clock) = (house.engine.clone(), house.clock.clone());
    let (drafts_of, ids_of) = (drafts.clone(), ids.clone());
    run(at_once, count, move |n| {
        let (engine, drafts, ids) = (engine.clone(), drafts_of.clone(), ids_of.clone());
        let clock = clock.clone();
        async move {
            let (person, item) = &drafts[n];
            let by = resident(*person);
            let draft = engine.begin(&by, new_draft(item)).await?;
            for material in ["lease", "plan", "health"] {
                let file = FileLine {
                    id: format!("{material}-{n}"),
                    name: "扫描件.pdf".into(),
                    media: "application/pdf".into(),
                    bytes: 100_000,
                    at: kernel::Clock::now(&*clock),
                };
                engine
                    .note_file(&by, &draft.id, material, file, false)
                    .await?;
            }
            engine.save(&by, &draft.id, None, food_answers()).await?;
            if let Some(slot) = ids.lock().unwrap_or_else(|e| e.into_inner()).get_mut(n) {
                *slot = draft.id;
            }
            Ok(())
        }
    })
    .await?;
    let writes = count * 5;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{}",
        serde_json::json!({ "what": "drafts", "saves_per_second": writes as f64 / seconds })
    );
    let started = Instant::now();
    let engine = house.engine.clone();
    let mut times = run(at_once, count, move |n| {
        let (engine, drafts, ids) = (engine.clone(), drafts.clone(), ids.clone());
        async move {
            let id = {
                let ids = ids.lock().unwrap_or_else(|e| e.into_inner());
                ids.get(n).cloned().unwrap_or_default()
            };
            engine.submit(&resident(drafts[n].0), &id).await.map(drop)
        }
    })
    .await?;
    let seconds = started.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    println!(
        "{}",
        serde_json::json!({
            "what": "submissions", "count": count, "at_once": at_once,
            "per_second": count as f64 / seconds,
            "p50_ms": percentile(&times, 0.5), "p99_ms": percentile(&times, 0.99),
            "commits_alone_per_second": alone(store).await?,
        })
    );
    Ok(())
}

/// Commits one after the other: what the disk can do without sharing.
async fn alone(store: &Store) -> Result<f64, Fault> {
    let started = Instant::now();
    for n in 0..200 {
        let mut tx = store.begin().await?;
        let value = serde_json::json!({ "n": n });
        store::documents::put(&mut tx, "bench", "n", &value, None).await?;
        tx.commit().await?;
    }
    Ok(200.0 / started.elapsed().as_secs_f64())
}

/// Does something `count` times, `at_once` at the same time; milliseconds each took.
async fn run<F, T>(at_once: usize, count: usize, one: F) -> Result<Vec<f64>, Fault>
where
    F: Fn(usize) -> T + Send + Sync + 'static + Clone,
    T: Future<Output = Result<(), Fault>> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut all = JoinSet::new();
    for _ in 0..at_once {
        let (next, one) = (next.clone(), one.clone());
        all.spawn(async move {
            let mut times = vec![];
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return Ok(times);
                }
                let started = Instant::now();
                one(n).await?;
                times.push(started.elapsed().as_secs_f64() * 1_000.0);
            }
        });
    }
    let mut times = vec![];
    for outcome in all.join_all().await {
        let some: Result<Vec<f64>, Fault> = outcome;
        times.extend(some?);
    }
    Ok(times)
}

/// Very many applications over a hundred organisations and two years; then figures and pages.
async fn figures(store: &Store, count: usize) -> Result<(), Fault> {
    let house = house(store).await;
    house.food(1).await;
    let model = {
        let mut reader = store.reader().await?;
        let mut rows = read::applications_after(&mut reader, "", 1).await?;
        rows.pop().ok_or_else(|| Fault::missing("model"))?
    };
    let day = 86_400_000_000;
    let filled = Instant::now();
    for first in (0..count).step_by(1_000) {
        let mut new = Write::default();
        let mut days = vec![];
        for n in first..count.min(first + 1_000) {
            let at = model.submitted_at - (n as i64 % 700) * day;
            let organisation = match n % 3 {
                0 => "market".to_string(),
                _ => format!("org{}", n % 100),
            };
            let mut row = model.clone();
            row.id = format!("{n:026}");
            row.number = format!("{organisation}-x-{n}");
            row.organisation = organisation.clone();
            row.source = format!("draft-{n}");
            row.submitted_at = at;
            row.state = (n % 8) as i64;
            new.applications.push(Put { row, was: 0 });
            let counts = Counts {
                submitted: 1,
                decided: 1,
                ..Counts::default()
            };
            days.push(DayRow {
                organisation,
                day: at / day,
                counts,
            });
        }
        let mut tx = store.begin().await?;
        write::apply(&mut tx, &mut new, &|row, _| {
            row.number = format!("f-{}", row.id);
        })
        .await?;
        write::add_days(&mut tx, &days).await?;
        tx.commit().await?;
    }
    println!(
        "{}",
        serde_json::json!({ "what": "filled", "count": count, "seconds": filled.elapsed().as_secs_f64() })
    );
    let everything = (Time(0), Time(model.submitted_at + day));
    for round in 0..3 {
        let at = Instant::now();
        let found = house
            .engine
            .figures(&clerk("li"), everything.0, everything.1)
            .await?;
        let figures_ms = at.elapsed().as_secs_f64() * 1_000.0;
        let at = Instant::now();
        // The rows are copies that cannot be opened: the store is asked for the page.
        let question = ListQuestion {
            test: Some(Test::Organisation(vec!["market".into()])),
            states: vec![ApplicationState::Submitted as i64],
            pressing: true,
            limit: 50,
            ..ListQuestion::default()
        };
        let mut reader = store.snapshot().await?;
        let (_, _, page_count) = lists::page(&mut reader, &question).await?;
        let page_ms = at.elapsed().as_secs_f64() * 1_000.0;
        println!(
            "{}",
            serde_json::json!({
                "what": "figures", "round": round, "organisations": found.len(),
                "submitted": found.first().map(|all| all.submitted), "figures_ms": figures_ms,
                "page_ms": page_ms, "page_count": page_count,
            })
        );
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, usual: usize| {
        let found = given.iter().filter_map(|text| text.parse().ok()).nth(at);
        found.unwrap_or(usual)
    };
    let dir = tempfile::tempdir().map_err(|e| Fault::internal("making a folder", e))?;
    let here = format!("sqlite:{}", dir.path().join("bench.db").display());
    let address = given.iter().find(|text| text.contains(':'));
    let store = Store::open(address.unwrap_or(&here)).await?;
    match given.first().map(String::as_str) {
        Some("figures") => figures(&store, number(0, 1_000_000)).await?,
        _ => submissions(&store, number(0, 5_000), number(1, 32)).await?,
    }
    store.close().await;
    Ok(())
}
