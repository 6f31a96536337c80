//! The compact encoding of a batch of rows in the event log: written by the observations engine
//! in the commit that makes the batch durable, read by every reaction. Little-endian LEB128
//! numbers; a value is a decimal (mantissa and digits) when it has one, else eight raw bytes.
//!
//! ```text
//! batch   = version(1 byte = 1) received(i64 le) rows*
//! row     = thing period(1 byte) time(zigzag delta to the row before) ncells cell*
//! cell    = column head [flag] value     head: bits 0-3 digits (15 = raw f64), bit 4 = flag follows
//! ```

use super::{Cell, ColumnId, Flag, Period, Row, ThingId};
use crate::time::Time;

const VERSION: u8 = 1;
const RAW: u8 = 15;
const POWERS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// Why a batch could not be read.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum WireError {
    /// The bytes end in the middle.
    #[error("the batch is cut short")]
    Short,
    /// A number or code that cannot be.
    #[error("the batch holds an impossible {0}")]
    Impossible(&'static str),
}

/// The smallest number of decimal digits (0 to 9) that represents `value` exactly, with the
/// mantissa; `None` when there is none below 2^53.
#[inline]
pub fn decimal(value: f64) -> Option<(i64, u8)> {
    for (digits, power) in POWERS.iter().enumerate() {
        let scaled = value * power;
        let rounded = scaled.round();
        if rounded.abs() > 9.0e15 {
            return None;
        }
        if rounded / power == value {
            if rounded == 0.0 && value.is_sign_negative() {
                return None;
            }
            return Some((rounded as i64, digits as u8));
        }
    }
    None
}

/// The value of a mantissa and its digits; the inverse of [`decimal`].
#[inline]
pub fn from_decimal(mantissa: i64, digits: u8) -> f64 {
    mantissa as f64 / POWERS[digits as usize]
}

/// Appends an unsigned LEB128 number.
#[inline]
pub fn put_u64(to: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        to.push(n as u8 | 0x80);
        n >>= 7;
    }
    to.push(n as u8);
}

/// Appends a signed number as zigzag LEB128.
#[inline]
pub fn put_i64(to: &mut Vec<u8>, n: i64) {
    put_u64(to, ((n << 1) ^ (n >> 63)) as u64);
}

/// Takes an unsigned LEB128 number from the front.
#[inline]
pub fn take_u64(from: &mut &[u8]) -> Result<u64, WireError> {
    let mut n = 0u64;
    for shift in (0..70).step_by(7) {
        let (&byte, rest) = from.split_first().ok_or(WireError::Short)?;
        *from = rest;
        if shift == 63 && byte > 1 {
            return Err(WireError::Impossible("number"));
        }
        n |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(n);
        }
    }
    Err(WireError::Impossible("number"))
}

/// Takes a zigzag LEB128 number from the front.
#[inline]
pub fn take_i64(from: &mut &[u8]) -> Result<i64, WireError> {
    let n = take_u64(from)?;
    Ok((n >> 1) as i64 ^ -((n & 1) as i64))
}

fn take<'a>(from: &mut &'a [u8], n: usize) -> Result<&'a [u8], WireError> {
    if from.len() < n {
        return Err(WireError::Short);
    }
    let (head, rest) = from.split_at(n);
    *from = rest;
    Ok(head)
}

/// Starts a batch received at `received`; append rows with [`put_row`].
pub fn start(to: &mut Vec<u8>, received: Time) {
    to.push(VERSION);
    to.extend_from_slice(&received.0.to_le_bytes());
}

/// Appends one row; `before` is the time of the row before it (0 for the first).
pub fn put_row(to: &mut Vec<u8>, row: &Row, before: &mut i64) {
    put_u64(to, u64::from(row.thing.0));
    to.push(row.period as u8);
    put_i64(to, row.time.0.wrapping_sub(*before));
    *before = row.time.0;
    put_u64(to, row.cells.len() as u64);
    for cell in &row.cells {
        put_u64(to, u64::from(cell.column.0));
        let flag_bit = if cell.flag.0 == 0 { 0 } else { 0x10 };
        match decimal(cell.value) {
            Some((mantissa, digits)) => {
                to.push(digits | flag_bit);
                if flag_bit != 0 {
                    to.push(cell.flag.0);
                }
                put_i64(to, mantissa);
            }
            None => {
                to.push(RAW | flag_bit);
                if flag_bit != 0 {
                    to.push(cell.flag.0);
                }
                to.extend_from_slice(&cell.value.to_le_bytes());
            }
        }
    }
}

/// Encodes a whole batch.
pub fn encode(received: Time, rows: &[Row]) -> Vec<u8> {
    let mut to = Vec::with_capacity(16 + rows.len() * 64);
    start(&mut to, received);
    let mut before = 0;
    for row in rows {
        put_row(&mut to, row, &mut before);
    }
    to
}

/// Reads a batch: when it was received, and its rows one by one through `each`.
pub fn decode(mut bytes: &[u8], mut each: impl FnMut(Time, Row)) -> Result<Time, WireError> {
    let from = &mut bytes;
    if take(from, 1)?[0] != VERSION {
        return Err(WireError::Impossible("version"));
    }
    let mut eight = [0; 8];
    eight.copy_from_slice(take(from, 8)?);
    let received = Time(i64::from_le_bytes(eight));
    let mut before = 0i64;
    while !from.is_empty() {
        let thing = u32::try_from(take_u64(from)?).map_err(|_| WireError::Impossible("thing"))?;
        let period = Period::from_u8(take(from, 1)?[0]).ok_or(WireError::Impossible("period"))?;
        before = before.wrapping_add(take_i64(from)?);
        let count = take_u64(from)? as usize;
        if count > from.len() {
            return Err(WireError::Short);
        }
        let mut cells = Vec::with_capacity(count);
        for _ in 0..count {
            cells.push(take_cell(from)?);
        }
        each(
            received,
            Row {
                thing: ThingId(thing),
                period,
                time: Time(before),
                cells,
            },
        );
    }
    Ok(received)
}

fn take_cell(from: &mut &[u8]) -> Result<Cell, WireError> {
    let column = u32::try_from(take_u64(from)?).map_err(|_| WireError::Impossible("column"))?;
    let head = take(from, 1)?[0];
    let flag = if head & 0x10 != 0 {
        Flag(take(from, 1)?[0])
    } else {
        Flag::UNSTATED
    };
    let value = match head & 0x0f {
        RAW => {
            let mut eight = [0; 8];
            eight.copy_from_slice(take(from, 8)?);
            f64::from_le_bytes(eight)
        }
        digits if digits <= 9 => from_decimal(take_i64(from)?, digits),
        _ => return Err(WireError::Impossible("number of digits")),
    };
    Ok(Cell {
        column: ColumnId(column),
        value,
        flag,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_went() {
        let cell = |column, value, flag| Cell {
            column: ColumnId(column),
            value,
            flag: Flag(flag),
        };
        let rows = vec![
            Row {
                thing: ThingId(7),
                period: Period::RealTime,
                time: Time(1_472_000_000_000_000),
                cells: vec![
                    cell(1, 20.4, b'N'),
                    cell(2, -3.185592, 0),
                    cell(3, 0.0, b'D'),
                    cell(4, 1.0 / 3.0, 0),
                    cell(300, -0.0, 0),
                    cell(5, 1e300, b'N'),
                    cell(6, 208490.21, 0),
                ],
            },
            Row {
                thing: ThingId(1),
                period: Period::Day,
                time: Time(-5),
                cells: vec![],
            },
        ];
        let bytes = encode(Time(42), &rows);
        let mut back = vec![];
        assert_eq!(decode(&bytes, |_, row| back.push(row)), Ok(Time(42)));
        assert_eq!(back, rows);
        assert!(back[0].cells[4].value.is_sign_negative());
        for cut in 0..bytes.len() {
            let _ = decode(&bytes[..cut], |_, _| {});
        }
    }
}
