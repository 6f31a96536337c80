//! The live stream (server-sent events): new observations, alerts and devices as they are
//! committed. A slow reader is told how much it missed; it never slows anybody else down.

use super::input::Query;
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use kernel::events::EventKind;
use kernel::observations::{Basis, Row, Statistic, wire};
use kernel::{Access, Fault, Verb};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// Rows of observations sent to one reader in a second; the rest are skipped, and said so.
const ROWS_PER_S: usize = 50;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    table.add(
        line(
            "GET /api/v1/live",
            Access::May(Verb::Read, "observations"),
            "实时推送（SSE）",
            "Live stream (SSE)",
        )
        .query(&["things: text,text"]),
        live,
    );
}

async fn live(
    State(app): State<Arc<App>>,
    query: Query,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let things = query.choices("things", "names", |t| Some(t.to_string()));
    query.finish()?;
    let Ok(room) = app.live_room.clone().try_acquire_owned() else {
        return Err(Fault::overloaded("live", 30).into());
    };
    let (to, from) = tokio::sync::mpsc::channel::<Event>(256);
    tokio::spawn(async move {
        let mut stopping = app.stopping.clone();
        // A reader that reads nothing must not hold up the end of the program.
        tokio::select! {
            () = follow(app, things.into_iter().collect(), to) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
        drop(room);
    });
    let stream = futures::stream::unfold(from, |mut from| async {
        from.recv().await.map(|e| (Ok(e), from))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// Reads the one event log from its end, like every other reaction.
async fn follow(app: Arc<App>, things: HashSet<String>, to: tokio::sync::mpsc::Sender<Event>) {
    let mut seq = app.store.events().last_seq();
    let events = app.store.events();
    loop {
        let waited = tokio::select! {
            waited = events.wait_beyond(seq) => waited,
            () = to.closed() => return,
        };
        // A reader that fell far behind starts again at the end: it shows now, not history.
        if let Ok(last) = waited
            && last - seq > 10_000
        {
            seq = last - 100;
        }
        let Ok(page) = events.read(seq, 4 * 1024 * 1024).await else {
            return;
        };
        let mut room = ROWS_PER_S;
        let mut skipped = 0usize;
        for event in page {
            seq = event.seq;
            for message in messages(&app, &event, &things, &mut room, &mut skipped) {
                if to.send(message).await.is_err() {
                    return;
                }
            }
        }
        if skipped > 0 {
            let note = Event::default()
                .event("skipped")
                .data(json!({"rows": skipped}).to_string());
            if to.send(note).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn messages(
    app: &App,
    event: &kernel::events::Event,
    things: &HashSet<String>,
    room: &mut usize,
    skipped: &mut usize,
) -> Vec<Event> {
    let name = match event.kind {
        EventKind::Observations => {
            let mut found = vec![];
            let Ok(batch) = store::observations::read_batch(event) else {
                return found;
            };
            let _ = wire::decode(&batch, |_, row| {
                let Some(value) = row_json(app, &row, things) else {
                    return;
                };
                if *room == 0 {
                    *skipped += 1;
                } else {
                    *room -= 1;
                    found.push(
                        Event::default()
                            .event("observations")
                            .data(value.to_string()),
                    );
                }
            });
            return found;
        }
        EventKind::Alert => "alert",
        EventKind::Device => "device",
        EventKind::Command => "command",
        EventKind::Record
        | EventKind::Identity
        | EventKind::Organisation
        | EventKind::Metering
        | EventKind::Case
        | EventKind::Licence
        | EventKind::Office
        | EventKind::Visit
        | EventKind::Backup => {
            return vec![];
        }
    };
    vec![
        Event::default()
            .event(name)
            .data(String::from_utf8_lossy(&event.body)),
    ]
}

fn row_json(app: &App, row: &Row, things: &HashSet<String>) -> Option<Value> {
    let thing = app.city.observations.thing_name(row.thing)?;
    if !things.is_empty() && !things.contains(&*thing) {
        return None;
    }
    let mut values = Map::new();
    for cell in &row.cells {
        let Some(column) = app.city.observations.column_meaning(cell.column) else {
            continue;
        };
        let mut name = column.property.to_string();
        if column.statistic != Statistic::Value {
            name = format!("{name}.{}", column.statistic.word());
        }
        if column.basis == Basis::Converted {
            name.push_str(".converted");
        }
        values.insert(name, json!([cell.value, cell.flag.text()]));
    }
    Some(json!({"thing": &*thing, "period": row.period, "time": row.time, "values": values}))
}
