//! The committer: one task makes waiting rows durable, many writes in one transaction, and
//! answers each. While one batch is being synced the next is compared, encoded and compressed.

use crate::cells::group_of;
use crate::engine::Engine;
use crate::table::{Found, Staged};
use kernel::fault::FaultKind;
use kernel::observations::{Receipt, Row};
use kernel::{Fault, Time};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use store::observations as tables;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Values of one transaction: large enough to share its sync, small enough to answer soon.
const BATCH_VALUES: usize = 200_000;
/// Fewer waiting values than this are not prepared while another batch is being synced: they
/// would only be split over more transactions.
const WORTH_PREPARING: usize = 20_000;
/// Values of one write at most.
const WRITE_VALUES: usize = 1_000_000;
/// Rows staged under one hold of the lock, so that readers get their turn.
const ROWS_PER_HOLD: usize = 2048;
/// Times a row may carry: years 1 to 9999.
const TIMES: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;

/// A committed batch as live readers get it.
#[derive(Debug)]
pub struct LiveBatch {
    /// Number of its event.
    pub seq: i64,
    /// When it was received.
    pub received: Time,
    /// Rows with the values that were new.
    pub rows: Vec<Row>,
}

/// Writes that wait for the committer.
#[derive(Default)]
pub(crate) struct Queue {
    jobs: VecDeque<Job>,
    pub rows: usize,
    values: usize,
    pub closed: bool,
}

struct Job {
    rows: Vec<Row>,
    values: usize,
    reply: oneshot::Sender<Result<Receipt, Fault>>,
}

fn stopping() -> Fault {
    Fault::new(
        FaultKind::Overloaded,
        "system.stopping",
        "系统正在停止，未接收任何数据",
        "the city is stopping; nothing was taken",
    )
}

/// Checks rows, queues them and waits until they are on disk.
pub(crate) async fn write(engine: &Engine, rows: Vec<Row>) -> Result<Receipt, Fault> {
    check(engine, &rows)?;
    let values: usize = rows.iter().map(|row| row.cells.len()).sum();
    if values == 0 {
        return Ok(Receipt::default());
    }
    let (reply, answer) = oneshot::channel();
    {
        let mut queue = engine.queue.lock();
        if queue.closed {
            return Err(stopping());
        }
        // A write larger than the queue is taken when it has the queue for itself.
        if queue.values > 0 && queue.values + values > engine.options.queue_values {
            return Err(Fault::overloaded("observations", 1));
        }
        queue.rows += rows.len();
        queue.values += values;
        queue.jobs.push_back(Job {
            rows,
            values,
            reply,
        });
    }
    engine.work.notify_one();
    answer.await.unwrap_or_else(|_| Err(stopping()))
}

/// Refuses rows that no gateway may send; they would be a defect of ours, not of a device.
fn check(engine: &Engine, rows: &[Row]) -> Result<(), Fault> {
    let (things, columns) = engine.names.read().counts();
    let mut values = 0;
    for (at, row) in rows.iter().enumerate() {
        let known = (row.thing.0 as usize) < things
            && row.cells.iter().all(|c| (c.column.0 as usize) < columns);
        let wrong = if !known {
            Some((
                "设备或要素编号未知",
                "an unknown number of a thing or column",
            ))
        } else if !row.cells.iter().all(|c| c.value.is_finite()) {
            Some(("数值不是有限数", "a value that is not finite"))
        } else if !TIMES.contains(&row.time.0) {
            Some((
                "时间不在公元 1 至 9999 年",
                "a time outside the years 1 to 9999",
            ))
        } else {
            None
        };
        if let Some((zh, en)) = wrong {
            return Err(Fault::invalid_at(format!("rows/{at}"), zh, en));
        }
        values += row.cells.len();
    }
    if values > WRITE_VALUES {
        return Err(Fault::new(
            FaultKind::TooLarge,
            "input.too_large",
            format!("一次写入最多 {WRITE_VALUES} 个数值"),
            format!("one write takes at most {WRITE_VALUES} values"),
        ));
    }
    Ok(())
}

/// A batch ready for its transaction, with those who wait for it.
struct Prepared {
    staged: Staged,
    packed: Vec<u8>,
    answers: Vec<(oneshot::Sender<Result<Receipt, Fault>>, Receipt)>,
}

struct Flight {
    commit: JoinHandle<Result<i64, Fault>>,
    prepared: Prepared,
}

/// The committer's task; ends when the queue is closed and empty.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut flight: Option<Flight> = None;
    // After a failed commit the log may hold what memory does not: look before the next.
    let mut in_doubt = false;
    loop {
        let (waiting, closed) = {
            let queue = engine.queue.lock();
            (queue.values, queue.closed)
        };
        let enough = if flight.is_some() { WORTH_PREPARING } else { 1 };
        if waiting < enough {
            match &mut flight {
                Some(in_air) => {
                    let outcome = tokio::select! {
                        outcome = &mut in_air.commit => outcome,
                        () = engine.work.notified() => continue,
                    };
                    if let Some(landed) = flight.take() {
                        in_doubt |= !land(&engine, landed.prepared, outcome);
                    }
                }
                None if closed => return,
                None => engine.work.notified().await,
            }
            continue;
        }
        if in_doubt && flight.is_none() {
            match catch_up(&engine).await {
                Ok(()) => in_doubt = false,
                Err(fault) => refuse_all(take_jobs(&engine), &fault),
            }
            continue;
        }
        wait_for_room(&engine).await;
        let prepared = prepare(&engine, take_jobs(&engine)).await;
        if let Some(Flight {
            commit,
            prepared: before,
        }) = flight.take()
        {
            let outcome = commit.await;
            in_doubt |= !land(&engine, before, outcome);
        }
        let Some(prepared) = prepared else { continue };
        if in_doubt {
            // Compared with rows that have been taken back: nothing of it can stand.
            let fault = Fault::overloaded("observations", 1);
            fail(&engine, prepared, &fault);
            continue;
        }
        flight = launch(&engine, prepared);
    }
}

fn take_jobs(engine: &Engine) -> Vec<Job> {
    let mut queue = engine.queue.lock();
    let mut jobs = Vec::new();
    let mut values = 0;
    while let Some(job) = queue.jobs.front() {
        if values > 0 && values + job.values > BATCH_VALUES {
            break;
        }
        values += job.values;
        jobs.extend(queue.jobs.pop_front());
    }
    queue.values -= values;
    queue.rows -= jobs.iter().map(|job| job.rows.len()).sum::<usize>();
    jobs
}

fn refuse_all(jobs: Vec<Job>, fault: &Fault) {
    for job in jobs {
        let _ = job.reply.send(Err(fault.clone()));
    }
}

/// Holds the committer while memory is full; the queue fills behind it and writers are refused.
async fn wait_for_room(engine: &Engine) {
    let most = engine.options.flush_values + engine.options.flush_values / 2 + BATCH_VALUES as u64;
    while engine.table.read().unflushed > most {
        engine.full.notify_one();
        let _ = tokio::time::timeout(Duration::from_millis(100), engine.room.notified()).await;
    }
}

/// Compares, stages and encodes. `None` when nothing came of it; then everybody has an answer.
async fn prepare(engine: &Arc<Engine>, jobs: Vec<Job>) -> Option<Prepared> {
    let gate = engine.gate.lock().await;
    let found = match find_in_blocks(engine, &jobs).await {
        Ok(found) => found,
        Err(fault) => {
            refuse_all(jobs, &fault);
            return None;
        }
    };
    let worker = engine.clone();
    let staged = tokio::task::spawn_blocking(move || stage(&worker, jobs, &found)).await;
    drop(gate);
    staged.ok()
}

fn stage(engine: &Engine, jobs: Vec<Job>, found: &Found) -> Prepared {
    let mut staged = engine.table.write().start(engine.clock.now().0);
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        let mut receipt = Receipt::default();
        let mut rows = job.rows.into_iter();
        while rows.len() > 0 {
            let mut table = engine.table.write();
            for row in rows.by_ref().take(ROWS_PER_HOLD) {
                table.stage(&mut staged, row, found, &mut receipt);
            }
        }
        answers.push((job.reply, receipt));
    }
    let packed = if staged.cells == 0 {
        Vec::new()
    } else {
        tables::pack_batch(&staged.body)
    };
    staged.body = Vec::new();
    Prepared {
        staged,
        packed,
        answers,
    }
}

/// Reads from blocks the cells that rows not newer than their group's blocks are compared with.
async fn find_in_blocks(engine: &Engine, jobs: &[Job]) -> Result<Found, Fault> {
    let mut wanted: Vec<(u32, i64)> = {
        let table = engine.table.read();
        let rows = jobs
            .iter()
            .flat_map(|job| &job.rows)
            .filter(|row| table.needs_blocks(row));
        rows.map(|row| (group_of(row.thing, row.period), row.time.0))
            .collect()
    };
    let mut found = Found::default();
    if wanted.is_empty() {
        return Ok(found);
    }
    wanted.sort_unstable();
    wanted.dedup();
    let mut reader = engine.store.reader().await?;
    // In order of time, so that one block at a time is held.
    let mut held: Option<(u32, i64, crate::block::Block)> = None;
    for (group, time) in wanted {
        let covers = held
            .as_ref()
            .is_some_and(|(g, end, _)| *g == group && time <= *end);
        if !covers {
            let row = tables::block_before(&mut reader, group, time).await?;
            held = match row.filter(|row| row.end >= time) {
                None => None,
                Some(row) => {
                    let block = crate::flush::unpack(&row, None)?;
                    Some((group, row.end, block))
                }
            };
        }
        let Some((_, _, block)) = &held else { continue };
        let cells = block.columns.iter().filter_map(|column| {
            let (value, flag) = block.newest(column.id, time)?;
            Some((column.id, value, flag))
        });
        found.insert((group, time), cells.collect());
    }
    Ok(found)
}

/// Starts the transaction of a batch; a batch of nothing but duplicates needs none.
fn launch(engine: &Arc<Engine>, prepared: Prepared) -> Option<Flight> {
    if prepared.staged.cells == 0 {
        engine.table.write().take_back(&prepared.staged);
        for (reply, receipt) in prepared.answers {
            let _ = reply.send(Ok(receipt));
        }
        return None;
    }
    let mut prepared = prepared;
    let packed = std::mem::take(&mut prepared.packed);
    let received = Time(prepared.staged.received);
    let commit = tokio::spawn(commit(engine.clone(), received, packed));
    Some(Flight { commit, prepared })
}

async fn commit(engine: Arc<Engine>, received: Time, packed: Vec<u8>) -> Result<i64, Fault> {
    let names = engine.names.read().unsaved();
    let mut tx = engine.store.begin().await?;
    tables::add_names(&mut tx, &names.things, &names.columns).await?;
    let seq = tables::append_batch(&mut tx, received, &packed).await?;
    tx.commit().await?;
    engine.names.write().saved(names.upto);
    Ok(seq)
}

/// Ends a flight: shows the batch and answers, or takes it back. False when it failed.
fn land(
    engine: &Engine,
    prepared: Prepared,
    outcome: Result<Result<i64, Fault>, tokio::task::JoinError>,
) -> bool {
    let outcome = outcome.unwrap_or_else(|e| Err(Fault::internal("committing observations", e)));
    let seq = match outcome {
        Ok(seq) => seq,
        Err(fault) => {
            tracing::error!(%fault, "a batch of observations could not be committed");
            fail(engine, prepared, &fault);
            return false;
        }
    };
    let unflushed = {
        let mut table = engine.table.write();
        table.apply(&prepared.staged, seq);
        table.unflushed
    };
    if unflushed > engine.options.flush_values {
        engine.full.notify_one();
    }
    if engine.live.receiver_count() > 0 {
        let (received, rows) = (Time(prepared.staged.received), prepared.staged.rows);
        let _ = engine.live.send(Arc::new(LiveBatch {
            seq,
            received,
            rows,
        }));
    }
    for (reply, receipt) in prepared.answers {
        let _ = reply.send(Ok(receipt));
    }
    true
}

fn fail(engine: &Engine, prepared: Prepared, fault: &Fault) {
    engine.table.write().take_back(&prepared.staged);
    for (reply, _) in prepared.answers {
        let _ = reply.send(Err(fault.clone()));
    }
}

/// After a failed commit: a failure to hear of success is no failure to commit, so take what the
/// log has beyond memory. Those who wrote it were told that it failed; sent again it will count
/// as duplicate.
async fn catch_up(engine: &Engine) -> Result<(), Fault> {
    let after = engine.table.read().committed_seq;
    // From the disk: the log's own memory does not know of a commit nobody heard of.
    for event in tables::batches_after(&engine.store, after).await? {
        let body = tables::read_batch(&event)?;
        engine.table.write().replay(event.seq, &body);
    }
    Ok(())
}
