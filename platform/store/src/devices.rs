//! Devices: the tables of devices, refused frames and commands, kept by the observations engine.

use crate::migrations::{Migration, step};
use crate::sql::Run;
use crate::{Store, Tx};
use kernel::devices::{Command, Device, Frame};
use kernel::{Fault, Time};
use sea_query::{ColumnDef, Expr, ExprTrait, Index, OnConflict, Order, Query, Table};

/// Rows of one statement.
const ROWS: usize = 64;
/// Refused frames read at start, and commands of one page, at most.
const PAGE: u64 = 5_000;

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "devices_1",
        statements: |_| {
            let integer =
                |name: &'static str| ColumnDef::new(name).big_integer().not_null().to_owned();
            let text = |name: &'static str| ColumnDef::new(name).text().not_null().to_owned();
            vec![
                step(
                    Table::create()
                        .table("devices")
                        .col(text("thing").primary_key())
                        .col(text("body"))
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("rejected_frames")
                        .col(integer("seq").primary_key())
                        .col(integer("at"))
                        .col(text("gateway"))
                        .col(text("peer"))
                        .col(text("thing"))
                        .col(text("reason"))
                        .col(text("raw"))
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("rejected_counts")
                        .col(text("gateway"))
                        .col(text("reason"))
                        .col(integer("frames"))
                        .primary_key(Index::create().col("gateway").col("reason"))
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("commands")
                        .col(text("id").primary_key())
                        .col(text("thing"))
                        .col(text("body"))
                        .to_owned(),
                ),
                step(
                    Index::create()
                        .name("commands_thing")
                        .table("commands")
                        .col("thing")
                        .col("id")
                        .to_owned(),
                ),
            ]
        },
    }]
}

fn json(value: &impl serde::Serialize) -> Result<String, Fault> {
    // JSON escapes U+0000, so nothing a device says can be refused here.
    serde_json::to_string(value).map_err(|e| Fault::internal("writing JSON", e))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|e| Fault::internal("reading JSON", e))
}

/// Writes devices in place of what was known of them.
pub async fn put_devices(tx: &mut Tx, devices: &[Device]) -> Result<(), Fault> {
    for some in devices.chunks(ROWS) {
        let mut insert = Query::insert()
            .into_table("devices")
            .columns(["thing", "body"])
            .to_owned();
        for device in some {
            insert.values_panic([Expr::val(device.thing.as_str()), Expr::val(json(device)?)]);
        }
        insert.on_conflict(OnConflict::column("thing").update_column("body").to_owned());
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Every device; as many as there are things at most, which the engine bounds.
pub async fn load_devices(store: &Store) -> Result<Vec<Device>, Fault> {
    let select = Query::select().column("body").from("devices").to_owned();
    let rows = store.reader().await?.fetch_all(&select).await?;
    rows.iter()
        .map(|row| from_json(&row.text("body")?))
        .collect()
}

/// Writes refused frames.
pub async fn add_rejected(tx: &mut Tx, frames: &[Frame]) -> Result<(), Fault> {
    let names = ["seq", "at", "gateway", "peer", "thing", "reason", "raw"];
    for some in frames.chunks(ROWS) {
        let mut insert = Query::insert()
            .into_table("rejected_frames")
            .columns(names)
            .to_owned();
        for frame in some {
            insert.values_panic([
                Expr::val(frame.seq),
                Expr::val(frame.at.0),
                Expr::val(frame.gateway.as_str()),
                Expr::val(frame.peer.as_str()),
                Expr::val(frame.thing.as_str()),
                Expr::val(frame.rejected.as_deref().unwrap_or_default()),
                Expr::val(frame.raw.as_str()),
            ]);
        }
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Removes refused frames up to this number.
pub async fn prune_rejected(tx: &mut Tx, upto: i64) -> Result<(), Fault> {
    let delete = Query::delete()
        .from_table("rejected_frames")
        .and_where(Expr::col("seq").lte(upto))
        .to_owned();
    tx.execute(&delete).await.map(drop)
}

/// The newest refused frames, oldest first, at most 5,000.
pub async fn load_rejected(store: &Store) -> Result<Vec<Frame>, Fault> {
    let select = Query::select()
        .columns(["seq", "at", "gateway", "peer", "thing", "reason", "raw"])
        .from("rejected_frames")
        .order_by("seq", Order::Desc)
        .limit(PAGE)
        .to_owned();
    let rows = store.reader().await?.fetch_all(&select).await?;
    let frames = rows.iter().rev().map(|row| {
        Ok(Frame {
            seq: row.i64("seq")?,
            at: Time(row.i64("at")?),
            gateway: row.text("gateway")?,
            peer: row.text("peer")?,
            thing: row.text("thing")?,
            rejected: Some(row.text("reason")?),
            raw: row.text("raw")?,
        })
    });
    frames.collect()
}

/// Writes how many frames were refused, by gateway and reason.
pub async fn put_counts(tx: &mut Tx, counts: &[(String, String, u64)]) -> Result<(), Fault> {
    for some in counts.chunks(ROWS) {
        let mut insert = Query::insert()
            .into_table("rejected_counts")
            .columns(["gateway", "reason", "frames"])
            .to_owned();
        for (gateway, reason, count) in some {
            insert.values_panic([
                Expr::val(gateway.as_str()),
                Expr::val(reason.as_str()),
                Expr::val(*count as i64),
            ]);
        }
        let key = OnConflict::columns(["gateway", "reason"])
            .update_column("frames")
            .to_owned();
        insert.on_conflict(key);
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// How many frames were refused since the store was made, by gateway and reason.
pub async fn load_counts(store: &Store) -> Result<Vec<(String, String, u64)>, Fault> {
    let select = Query::select()
        .columns(["gateway", "reason", "frames"])
        .from("rejected_counts")
        .to_owned();
    let rows = store.reader().await?.fetch_all(&select).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.text("gateway")?,
                row.text("reason")?,
                row.i64("frames")? as u64,
            ))
        })
        .collect()
}

/// Writes a command in place of what was known of it.
pub async fn put_command(tx: &mut Tx, command: &Command) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("commands")
        .columns(["id", "thing", "body"])
        .values_panic([
            Expr::val(command.id.as_str()),
            Expr::val(command.thing.as_str()),
            Expr::val(json(command)?),
        ])
        .on_conflict(OnConflict::column("id").update_column("body").to_owned())
        .to_owned();
    tx.execute(&insert).await.map(drop)
}

/// Commands newest first, of one device or of all, at most 5,000.
pub async fn commands(
    store: &Store,
    thing: Option<&str>,
    limit: usize,
) -> Result<Vec<Command>, Fault> {
    let mut select = Query::select()
        .column("body")
        .from("commands")
        .order_by("id", Order::Desc)
        .limit(std::cmp::min(limit as u64, PAGE))
        .to_owned();
    if let Some(thing) = thing {
        select.and_where(Expr::col("thing").eq(thing));
    }
    let rows = store.reader().await?.fetch_all(&select).await?;
    rows.iter()
        .map(|row| from_json(&row.text("body")?))
        .collect()
}
