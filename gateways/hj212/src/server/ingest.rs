//! From pieces to a batch: rows for the engine, answers for the station, and everything counted.

use super::Shared;
use super::book::Entry;
use super::connection::Link;
use super::counters::Counters;
use crate::codec::{
    Check, Edition, Frame, Measurement, Outgoing, Piece, Reason, Suffix, decode, enclose,
    format_millis, format_time, parse_time,
};
use crate::vocabulary;
use kernel::devices::Frame as KeptFrame;
use kernel::observations::{Cell, ColumnId, FUTURE_LIMIT, Flag, Period, Row};
use kernel::time::{DAY, HOUR, MINUTE};
use kernel::{Span, Time};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// At most so many bytes of a frame are kept for inspection.
const KEPT_BYTES: usize = 4096;

/// What one reading from a connection brought.
#[derive(Default)]
pub(super) struct Batch {
    /// Measured values.
    pub rows: Vec<Row>,
    /// States and running times of devices; written beside, so that the receipts stay apart.
    pub states: Vec<Row>,
    /// Answers, to be sent after the commit.
    pub answers: Vec<u8>,
    pub answer_count: u64,
    /// Pieces of any kind.
    pub pieces: u64,
}

/// Columns by code and suffix, so that the engine is asked once for each.
#[derive(Default)]
pub(super) struct Columns {
    known: RwLock<FxHashMap<Box<str>, [Option<ColumnId>; 14]>>,
}

impl Columns {
    fn find(&self, shared: &Shared, code: &str, suffix: Suffix) -> Option<ColumnId> {
        if let Some(known) = self.known.read().get(code)
            && let Some(column) = known[suffix as usize]
        {
            return Some(column);
        }
        let (property, statistic, basis) = vocabulary::column(code, suffix);
        let column = shared
            .city
            .observations
            .column(&property, statistic, basis)
            .ok()?;
        let mut known = self.known.write();
        known.entry(code.into()).or_default()[suffix as usize] = Some(column);
        Some(column)
    }
}

/// Takes one piece into the batch.
pub(super) fn take(shared: &Shared, link: &Arc<Link>, piece: Piece<'_>, batch: &mut Batch) {
    batch.pieces += 1;
    link.frames.fetch_add(1, Relaxed);
    let envelope = match piece {
        Piece::Frame(envelope) => envelope,
        Piece::Torn(raw) => return refuse(shared, link, raw, Reason::Crc, None, batch),
        Piece::NotAFrame(raw) => return refuse(shared, link, raw, Reason::NotAFrame, None, batch),
        Piece::TooLong(raw) => return refuse(shared, link, raw, Reason::TooLong, None, batch),
    };
    let mut plain = vec![];
    match decode(envelope, |mn| shared.keys.get(mn).copied(), &mut plain) {
        Ok(frame) => {
            if let Err(reason) = accept(shared, link, &frame, envelope.whole, batch) {
                refuse(shared, link, envelope.whole, reason, Some(frame.mn), batch);
            }
        }
        Err(refusal) => refuse(
            shared,
            link,
            envelope.whole,
            refusal.reason,
            refusal.mn,
            batch,
        ),
    }
}

fn refuse(
    shared: &Shared,
    link: &Arc<Link>,
    raw: &[u8],
    reason: Reason,
    mn: Option<&str>,
    batch: &mut Batch,
) {
    shared.counters.reject(reason);
    let mn = mn.unwrap_or_default();
    if let Some(entry) = shared.book.find(mn) {
        entry.refused();
        if reason == Reason::Crc && shared.config.answer_wrong_check {
            let data = format!("ST=91;CN=9014;MN={mn};Flag=4;CP=&&QnRtn=9&&");
            batch
                .answers
                .extend(enclose(data.as_bytes(), Check::Standard));
            batch.answer_count += 1;
        }
    }
    keep(shared, link, raw, mn, Some(reason));
}

fn keep(shared: &Shared, link: &Link, raw: &[u8], mn: &str, rejected: Option<Reason>) {
    shared.city.devices.keep_frame(KeptFrame {
        seq: shared.frame_seq.fetch_add(1, Relaxed) as i64,
        at: shared.city.clock.now(),
        gateway: "hj212".into(),
        peer: link.peer.clone(),
        thing: mn.into(),
        rejected: rejected.map(|reason| reason.word().into()),
        raw: String::from_utf8_lossy(&raw[..raw.len().min(KEPT_BYTES)]).into_owned(),
    });
}

fn accept(
    shared: &Shared,
    link: &Arc<Link>,
    frame: &Frame<'_>,
    raw: &[u8],
    batch: &mut Batch,
) -> Result<(), Reason> {
    let counters = &shared.counters;
    let mut numbers = Vec::new();
    let tally = frame.measurements(&mut numbers);
    let period = vocabulary::period(frame.cn);
    let mut time = None;
    if period.is_some() && !numbers.is_empty() {
        let told = match frame.field("DataTime") {
            Some(told) => parse_time(told.as_bytes()),
            // Of a message in several packets only the first need say it.
            None => {
                let entry = shared.book.find(frame.mn);
                entry.and_then(|entry| entry.split_time(frame))
            }
        };
        time = Some(told.ok_or(Reason::BadTime)?);
    }
    let (entry, new) = shared
        .book
        .entry(&shared.city, frame.mn, shared.config.max_devices)?;
    link.serve(&entry, frame.mn);
    counters.devices.fetch_add(u64::from(new), Relaxed);
    counters.accepted.fetch_add(1, Relaxed);
    counters.non_numeric.fetch_add(tally.non_numeric, Relaxed);
    counters.other_attributes.fetch_add(tally.other, Relaxed);
    counters
        .heartbeats
        .fetch_add(u64::from(frame.is_heartbeat()), Relaxed);
    counters
        .unknown_commands
        .fetch_add(u64::from(!frame.is_known()), Relaxed);
    let now = shared.city.clock.now();
    let mut values = 0;
    if let (Some(period), Some(time)) = (period, time) {
        let time = shared.period_start(frame.mn, period, time);
        if time.since(now) > FUTURE_LIMIT {
            counters.future_dated.fetch_add(1, Relaxed);
            entry.note("future_dated", time.rfc3339().into());
        }
        let row = |cells| Row {
            thing: entry.thing,
            period,
            time,
            cells,
        };
        values = gather(shared, &numbers, &row, batch);
    } else {
        counters
            .other_attributes
            .fetch_add(numbers.len() as u64, Relaxed);
    }
    entry.accepted(frame, link, now, values);
    if let Some(time) = time {
        entry.remember_split(frame, time);
    }
    entry.clock(frame, now, shared.config.clock_tolerance_s);
    keep(shared, link, raw, frame.mn, None);
    shared.dialogues.heard(frame);
    answer(shared, frame, &entry, now, batch);
    Ok(())
}

/// Puts the numbers of a frame into rows. A name that comes again in the same frame (real
/// stations send three flow meters under one code) goes into a further row of the same time, where
/// the engine's rules for duplicates and corrections hold. Returns how many values there were.
fn gather(
    shared: &Shared,
    numbers: &[Measurement<'_>],
    row: &impl Fn(Vec<Cell>) -> Row,
    batch: &mut Batch,
) -> u64 {
    let counters: &Counters = &shared.counters;
    let (first_row, first_state) = (batch.rows.len(), batch.states.len());
    let (mut values, mut states, mut other) = (0, 0, 0);
    for number in numbers {
        let Some(column) = shared.columns.find(shared, number.code, number.suffix) else {
            other += 1;
            continue;
        };
        let (rows, first) = match number.suffix.is_state() {
            true => {
                states += 1;
                (&mut batch.states, first_state)
            }
            false => {
                values += 1;
                (&mut batch.rows, first_row)
            }
        };
        let cell = Cell {
            column,
            value: number.value,
            flag: Flag(number.flag),
        };
        let lacks = |r: &&mut Row| r.cells.iter().all(|c| c.column != column);
        match rows[first..].iter_mut().find(lacks) {
            Some(open) => open.cells.push(cell),
            None => {
                let mut cells = Vec::with_capacity(numbers.len());
                cells.push(cell);
                rows.push(row(cells));
            }
        }
    }
    counters.values_received.fetch_add(values, Relaxed);
    counters.states_received.fetch_add(states, Relaxed);
    counters.other_attributes.fetch_add(other, Relaxed);
    values
}

impl Shared {
    /// The start of the period a device means by `time`.
    fn period_start(&self, mn: &str, period: Period, time: Time) -> Time {
        if period == Period::RealTime || !self.sends_period_end(mn) {
            return time;
        }
        let length = match period {
            Period::RealTime => 0,
            Period::Minute => i64::from(self.config.minute_interval_min) * MINUTE,
            Period::Hour => HOUR,
            Period::Day => DAY,
        };
        time - Span(length)
    }

    /// By configuration, or by the field `hj212_period_end` of the station's record.
    fn sends_period_end(&self, mn: &str) -> bool {
        if self.config.period_end.contains(mn) {
            return true;
        }
        let record = self.city.registers.cached("station", mn);
        record.is_some_and(|r| r.fields.get("hj212_period_end") == Some(&true.into()))
    }
}

/// The answer a frame asks for, appended to those of the batch: 9014 to data, 9013 to notices
/// and heartbeats; the time to a station that wishes it.
fn answer(shared: &Shared, frame: &Frame<'_>, entry: &Entry, now: Time, batch: &mut Batch) {
    if frame.wants_answer() && !frame.is_answer() {
        let command = if frame.is_notice() { 9013 } else { 9014 };
        batch.answers.extend(answer_frame(frame, command));
        batch.answer_count += 1;
    }
    if frame.cn == 1013 && shared.config.answer_time_wish {
        let message = Outgoing {
            qn: &shared.next_request(),
            st: frame.st,
            cn: 1012,
            pw: frame.pw,
            mn: frame.mn,
            edition: frame.edition(),
            answer: true,
            back_filled: false,
            cp: &format!("SystemTime={}", format_time(now)),
            check: frame.check,
        };
        batch.answers.extend(message.bytes());
        batch.answer_count += 1;
        entry.note("time_set_on_wish", format_millis(now).into());
    }
}

/// An answer to a frame, in the manner of its edition: 2005 repeats the request number inside CP,
/// later editions at the head. It carries the check value the device itself uses.
fn answer_frame(frame: &Frame<'_>, command: u16) -> Vec<u8> {
    let edition = frame.edition();
    let request = frame.request().unwrap_or_default();
    let mut data = String::with_capacity(128);
    if !request.is_empty() && edition != Edition::E2005 {
        data = format!("QN={request};");
    }
    data += &format!("ST=91;CN={command}");
    if !frame.pw.is_empty() {
        data += ";PW=";
        data += frame.pw;
    }
    data += &format!(";MN={};Flag={};CP=&&", frame.mn, edition.flag_bits());
    if !request.is_empty() && edition == Edition::E2005 {
        data += "QN=";
        data += request;
    }
    data += "&&";
    enclose(data.as_bytes(), frame.check)
}
