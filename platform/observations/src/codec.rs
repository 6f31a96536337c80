//! The body of a block: up to some two thousand rows of one group (thing × period), compressed.
//! Columns apart, so that a question for one column touches only its bytes: times as differences
//! of differences in their common unit, values as differences of decimal mantissas at one scale
//! (or raw bits where a value is no decimal), flags as runs, and zstd over the whole. On the real
//! traffic of Shijiazhuang this takes about one byte a value in blocks of 37 rows (packing bits
//! took as much, an arithmetic coder no less) and a quarter of one at a thousand. `pco` was left
//! out: its head alone is longer than a column of 37 values.
//!
//! ```text
//! body   = version(1) raw_length zstd(raw)
//! raw    = rows columns first_time unit dod* first_received (received delta)* column*
//! column = id length payload        payload = presence flags scale values
//! ```
//! Numbers are LEB128, signed ones zigzag; `length` lets a reader skip.

use crate::block::{Block, BlockColumn};
use kernel::observations::wire::{decimal, from_decimal, put_i64, put_u64, take_i64, take_u64};
use std::cell::RefCell;

const VERSION: u8 = 1;
const RAW: u8 = 15;
const LEVEL: i32 = 3;
/// No body unpacks to more than this; a larger claim is a damaged body.
const MAX_RAW: usize = 64 << 20;
const MAX_ROWS: usize = 1 << 20;

/// A body that cannot be read: damaged, or of a later edition.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the block is damaged: {0}")]
pub struct Damaged(pub &'static str);

thread_local! {
    static PACKER: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses with a compressor kept per thread: making one costs more than a block.
fn pack(raw: &[u8]) -> Vec<u8> {
    PACKER.with_borrow_mut(|kept| {
        let packer = match kept {
            Some(packer) => packer,
            None => match zstd::bulk::Compressor::new(LEVEL) {
                Ok(mut made) => {
                    // The length stands before the frame; four bytes saved on every block.
                    let _ = made.include_contentsize(false);
                    kept.insert(made)
                }
                Err(_) => return Vec::new(),
            },
        };
        packer.compress(raw).unwrap_or_default()
    })
}

fn unpack(packed: &[u8], length: usize) -> Result<Vec<u8>, Damaged> {
    UNPACKER.with_borrow_mut(|kept| {
        let unpacker = match kept {
            Some(unpacker) => unpacker,
            None => kept
                .insert(zstd::bulk::Decompressor::new().map_err(|_| Damaged("no decompressor"))?),
        };
        let raw = unpacker
            .decompress(packed, length)
            .map_err(|_| Damaged("not zstd"))?;
        if raw.len() == length {
            Ok(raw)
        } else {
            Err(Damaged("length"))
        }
    })
}

fn number(from: &mut &[u8]) -> Result<u64, Damaged> {
    take_u64(from).map_err(|_| Damaged("cut short"))
}

fn signed(from: &mut &[u8]) -> Result<i64, Damaged> {
    take_i64(from).map_err(|_| Damaged("cut short"))
}

fn byte(from: &mut &[u8]) -> Result<u8, Damaged> {
    let (&first, rest) = from.split_first().ok_or(Damaged("cut short"))?;
    *from = rest;
    Ok(first)
}

fn slice<'a>(from: &mut &'a [u8], length: usize) -> Result<&'a [u8], Damaged> {
    let (head, rest) = from.split_at_checked(length).ok_or(Damaged("cut short"))?;
    *from = rest;
    Ok(head)
}

impl Block {
    /// The body to be stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(64 + self.rows() * (2 + 3 * self.columns.len()));
        put_u64(&mut raw, self.rows() as u64);
        put_u64(&mut raw, self.columns.len() as u64);
        put_times(&mut raw, &self.times);
        let mut before = 0;
        for received in &self.received {
            let ms = received.div_euclid(1000);
            put_i64(&mut raw, ms - before);
            before = ms;
        }
        let mut payload = Vec::new();
        for column in &self.columns {
            payload.clear();
            put_column(&mut payload, column);
            put_u64(&mut raw, u64::from(column.id));
            put_u64(&mut raw, payload.len() as u64);
            raw.extend_from_slice(&payload);
        }
        let mut body = vec![VERSION];
        put_u64(&mut body, raw.len() as u64);
        body.extend_from_slice(&pack(&raw));
        body
    }

    /// Reads a body; with `only`, no other column is unpacked.
    pub fn decode(body: &[u8], only: Option<u32>) -> Result<Block, Damaged> {
        let mut body = body;
        if byte(&mut body)? != VERSION {
            return Err(Damaged("version"));
        }
        let length = number(&mut body)? as usize;
        if length > MAX_RAW {
            return Err(Damaged("too long"));
        }
        let raw = unpack(body, length)?;
        let from = &mut raw.as_slice();
        let rows = number(from)? as usize;
        let columns = number(from)? as usize;
        // Every row takes at least two bytes, every column three.
        if rows > MAX_ROWS || rows > raw.len() || columns > raw.len() {
            return Err(Damaged("size"));
        }
        let times = take_times(from, rows)?;
        let mut received = Vec::with_capacity(rows);
        let mut ms = 0i64;
        for _ in 0..rows {
            ms = ms.wrapping_add(signed(from)?);
            received.push(ms.wrapping_mul(1000));
        }
        let mut block = Block {
            times,
            received,
            columns: Vec::new(),
        };
        for _ in 0..columns {
            let id = u32::try_from(number(from)?).map_err(|_| Damaged("column"))?;
            let length = number(from)? as usize;
            let mut payload = slice(from, length)?;
            if only.is_none_or(|only| only == id) {
                block.columns.push(take_column(&mut payload, id, rows)?);
            }
        }
        if block
            .columns
            .windows(2)
            .any(|pair| pair[0].id >= pair[1].id)
        {
            return Err(Damaged("order of columns"));
        }
        Ok(block)
    }
}

fn put_times(to: &mut Vec<u8>, times: &[i64]) {
    let Some(&first) = times.first() else { return };
    let common = times
        .windows(2)
        .fold(0u64, |g, pair| gcd(g, pair[1].abs_diff(pair[0])));
    let unit = common.max(1);
    put_i64(to, first);
    put_u64(to, unit);
    let mut before = 0i64;
    for pair in times.windows(2) {
        // Sorted, so the difference fits in u64; wrapping keeps even absurd clocks exact.
        let step = (pair[1].abs_diff(pair[0]) / unit) as i64;
        put_i64(to, step.wrapping_sub(before));
        before = step;
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn take_times(from: &mut &[u8], rows: usize) -> Result<Vec<i64>, Damaged> {
    let mut times = Vec::with_capacity(rows);
    if rows == 0 {
        return Ok(times);
    }
    let mut time = signed(from)?;
    let unit = number(from)?;
    let mut step = 0i64;
    times.push(time);
    for _ in 1..rows {
        step = step.wrapping_add(signed(from)?);
        time = time.wrapping_add((step as u64).wrapping_mul(unit) as i64);
        times.push(time);
    }
    Ok(times)
}

fn put_column(to: &mut Vec<u8>, column: &BlockColumn) {
    let present = |row: usize| !column.values[row].is_nan();
    let rows = column.values.len();
    if (0..rows).all(present) {
        to.push(0);
    } else {
        to.push(1);
        to.extend((0..rows.div_ceil(8)).map(|eight| {
            (0..8)
                .filter(|bit| eight * 8 + bit < rows && present(eight * 8 + bit))
                .fold(0u8, |byte, bit| byte | 1 << bit)
        }));
    }
    let flags = (0..rows)
        .filter(|&row| present(row))
        .map(|row| column.flags[row]);
    let mut runs: Vec<(u8, u64)> = Vec::new();
    for flag in flags {
        match runs.last_mut() {
            Some((last, length)) if *last == flag => *length += 1,
            _ => runs.push((flag, 1)),
        }
    }
    put_u64(to, runs.len() as u64);
    for (flag, length) in &runs {
        to.push(*flag);
        // A single run is as long as the column.
        if runs.len() > 1 {
            put_u64(to, *length);
        }
    }
    put_values(to, column.values.iter().copied().filter(|v| !v.is_nan()));
}

fn put_values(to: &mut Vec<u8>, values: impl Iterator<Item = f64> + Clone) {
    let scale = values
        .clone()
        .try_fold(0u8, |most, v| Some(most.max(decimal(v)?.1)));
    let mantissas = scale.and_then(|digits| {
        let factor = 10f64.powi(i32::from(digits));
        values
            .clone()
            .map(|v| {
                let mantissa = (v * factor).round();
                let exact = mantissa.abs() < 9.0e15
                    && from_decimal(mantissa as i64, digits).to_bits() == v.to_bits();
                exact.then_some(mantissa as i64)
            })
            .collect::<Option<Vec<i64>>>()
    });
    match (scale, mantissas) {
        (Some(digits), Some(mantissas)) => {
            to.push(digits);
            let mut before = 0;
            for mantissa in mantissas {
                put_i64(to, mantissa - before);
                before = mantissa;
            }
        }
        _ => {
            to.push(RAW);
            values.for_each(|v| to.extend_from_slice(&v.to_le_bytes()));
        }
    }
}

fn take_column(from: &mut &[u8], id: u32, rows: usize) -> Result<BlockColumn, Damaged> {
    let bitmap = match byte(from)? {
        0 => None,
        1 => Some(slice(from, rows.div_ceil(8))?),
        _ => return Err(Damaged("presence")),
    };
    let present = |row: usize| bitmap.is_none_or(|b| b[row / 8] >> (row % 8) & 1 == 1);
    let count = (0..rows).filter(|&row| present(row)).count();
    let runs = number(from)? as usize;
    if runs > count {
        return Err(Damaged("flags"));
    }
    let mut flags = Vec::with_capacity(count);
    for _ in 0..runs {
        let flag = byte(from)?;
        let length = if runs > 1 {
            number(from)? as usize
        } else {
            count
        };
        if length > count - flags.len() {
            return Err(Damaged("flags"));
        }
        flags.resize(flags.len() + length, flag);
    }
    if flags.len() != count {
        return Err(Damaged("flags"));
    }
    let digits = byte(from)?;
    if digits > 9 && digits != RAW {
        return Err(Damaged("scale"));
    }
    let mut values = Vec::with_capacity(count);
    let mut mantissa = 0i64;
    for _ in 0..count {
        if digits == RAW {
            let eight = slice(from, 8)?
                .first_chunk::<8>()
                .ok_or(Damaged("cut short"))?;
            values.push(f64::from_le_bytes(*eight));
        } else {
            mantissa = mantissa.wrapping_add(signed(from)?);
            values.push(from_decimal(mantissa, digits));
        }
    }
    if bitmap.is_none() {
        return Ok(BlockColumn { id, values, flags });
    }
    let mut column = BlockColumn {
        id,
        values: vec![f64::NAN; rows],
        flags: vec![0; rows],
    };
    for (at, row) in (0..rows).filter(|&row| present(row)).enumerate() {
        column.values[row] = values[at];
        column.flags[row] = flags[at];
    }
    Ok(column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::observations::{Cell, ColumnId, Flag};
    use proptest::prelude::*;

    /// Time, milliseconds of reception, cells (column, value, flag).
    type TestRow = (i64, i64, Vec<(u32, f64, u8)>);

    fn block(rows: &[TestRow]) -> Block {
        let mut block = Block::default();
        for (time, received, cells) in rows {
            let cell = |&(column, value, flag): &(u32, f64, u8)| Cell {
                column: ColumnId(column),
                value,
                flag: Flag(flag),
            };
            block.push(*time, received * 1000, cells.iter().map(cell));
        }
        block.finish();
        block
    }

    /// Everything that can be told apart, bit by bit.
    fn picture(block: &Block) -> String {
        let columns = block.columns.iter().map(|c| {
            let bits: Vec<u64> = c
                .values
                .iter()
                .map(|v| if v.is_nan() { u64::MAX } else { v.to_bits() })
                .collect();
            (c.id, bits, c.flags.clone())
        });
        format!(
            "{:?} {:?} {:?}",
            block.times,
            block.received,
            columns.collect::<Vec<_>>()
        )
    }

    fn rows() -> impl Strategy<Value = Vec<TestRow>> {
        let decimal = (-1_000_000i64..1_000_000, 0u8..10).prop_map(|(m, d)| from_decimal(m, d));
        let double = any::<f64>().prop_filter("finite", |v| v.is_finite());
        let value = prop_oneof![8 => decimal, 1 => double, 1 => Just(-0.0)];
        let flag = prop_oneof![4 => Just(0u8), 2 => Just(b'N'), 1 => any::<u8>()];
        let time = prop_oneof![8 => (0i64..1000).prop_map(|n| n * 60_000_000), 1 => any::<i64>()];
        let row = (
            time,
            0i64..1 << 40,
            prop::collection::vec((0u32..12, value, flag), 1..8),
        );
        prop::collection::vec(row, 0..80)
    }

    proptest! {
        #[test]
        fn a_block_comes_back_bit_by_bit(rows in rows(), only in 0u32..12) {
            let mut block = block(&rows);
            block.sort();
            let body = block.encode();
            let back = Block::decode(&body, None).unwrap();
            prop_assert_eq!(picture(&back), picture(&block));
            let one = Block::decode(&body, Some(only)).unwrap();
            let expect: Vec<_> = block.columns.iter().filter(|c| c.id == only).map(|c| c.values.len()).collect();
            prop_assert_eq!(one.columns.iter().map(|c| c.values.len()).collect::<Vec<_>>(), expect);
            let pieces = block.pieces(16);
            let mut joined = Block::default();
            pieces.iter().for_each(|piece| joined.append(piece));
            prop_assert_eq!(picture(&joined), picture(&block));
            prop_assert!(pieces.windows(2).all(|p| p[0].times.last() < p[1].times.first()));
        }

        #[test]
        fn rubbish_is_refused_and_nothing_worse(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Block::decode(&bytes, None);
            // The same behind an intact frame, which is where damage would do harm.
            let mut body = vec![VERSION];
            put_u64(&mut body, bytes.len() as u64);
            body.extend_from_slice(&pack(&bytes));
            let _ = Block::decode(&body, None);
            let _ = Block::decode(&body, Some(3));
        }

        #[test]
        fn a_damaged_block_is_refused_or_read(rows in rows(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut block = block(&rows);
            block.sort();
            let mut body = block.encode();
            let at = at.index(body.len());
            body[at] ^= 1 << bit;
            let _ = Block::decode(&body, None);
            let _ = Block::decode(&body[..at], None);
        }
    }
}
