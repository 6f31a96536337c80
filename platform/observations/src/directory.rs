//! The directory row of a group: everything start-up needs to know of it without touching its
//! blocks, in some six bytes a series.

use crate::cells;
use crate::group::{Group, Series, Tail};
use kernel::observations::wire::{put_i64, put_u64, take_i64, take_u64};
use kernel::observations::{Cell, ColumnId, Flag};

const VERSION: u8 = 1;

/// What a directory row says of a group besides its number and flushed event.
pub(crate) struct Entry<'a> {
    pub tail: Tail,
    pub stored: u64,
    pub received: i64,
    pub rolled_to: i64,
    pub series: &'a [Series],
}

/// Encodes the row; times are written against the tail, which most of them equal.
pub(crate) fn encode(entry: &Entry<'_>) -> Vec<u8> {
    let mut to = vec![VERSION];
    let Tail { start, end, rows } = entry.tail;
    put_i64(&mut to, end);
    put_i64(&mut to, end.wrapping_sub(start));
    put_u64(&mut to, u64::from(rows));
    put_u64(&mut to, entry.stored);
    put_i64(&mut to, entry.received.wrapping_sub(end) / 1000);
    put_i64(&mut to, entry.received.wrapping_sub(end) % 1000);
    put_i64(
        &mut to,
        if entry.rolled_to == i64::MIN {
            0
        } else {
            entry.rolled_to
        },
    );
    put_u64(&mut to, entry.series.len() as u64);
    for series in entry.series {
        let flag = Flag(series.flag);
        cells::put(
            &mut to,
            &Cell {
                column: ColumnId(series.column),
                value: series.value,
                flag,
            },
        );
        put_i64(&mut to, series.first.wrapping_sub(start));
        let behind = end.wrapping_sub(series.time);
        match series.time {
            i64::MIN => to.push(0),
            _ => {
                to.push(1);
                put_i64(&mut to, behind);
            }
        }
    }
    to
}

/// Fills a group from its row; `None` when the row is damaged.
pub(crate) fn decode(mut from: &[u8], flushed_seq: i64) -> Option<Group> {
    let from = &mut from;
    let number = |from: &mut &[u8]| take_u64(from).ok();
    let signed = |from: &mut &[u8]| take_i64(from).ok();
    if byte(from)? != VERSION {
        return None;
    }
    let end = signed(from)?;
    let start = end.wrapping_sub(signed(from)?);
    let rows = u32::try_from(number(from)?).ok()?;
    let stored = number(from)?;
    let received = end
        .wrapping_add(signed(from)?.wrapping_mul(1000))
        .wrapping_add(signed(from)?);
    let rolled_to = signed(from)?;
    let count = number(from)? as usize;
    if count > from.len() {
        return None;
    }
    let mut series = Vec::with_capacity(count);
    for _ in 0..count {
        let cell = cells::take(from)?;
        let first = start.wrapping_add(signed(from)?);
        let time = if byte(from)? == 0 {
            i64::MIN
        } else {
            end.wrapping_sub(signed(from)?)
        };
        series.push(Series {
            column: cell.column.0,
            flag: cell.flag.0,
            time,
            value: cell.value,
            first,
        });
    }
    Some(Group {
        tail: Tail { start, end, rows },
        stored,
        received,
        rolled_to: if rolled_to == 0 { i64::MIN } else { rolled_to },
        series,
        flushed_seq,
        ..Group::default()
    })
}

fn byte(from: &mut &[u8]) -> Option<u8> {
    let (&first, rest) = from.split_first()?;
    *from = rest;
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_comes_back_as_it_went() {
        let series = vec![
            Series {
                column: 0,
                flag: b'N',
                time: 900,
                value: 20.4,
                first: 100,
            },
            Series {
                column: 7,
                flag: 0,
                time: i64::MIN,
                value: 0.0,
                first: 500,
            },
        ];
        let tail = Tail {
            start: 100,
            end: 900,
            rows: 9,
        };
        let entry = Entry {
            tail,
            stored: 18,
            received: 1_000_123,
            rolled_to: i64::MIN,
            series: &series,
        };
        let bytes = encode(&entry);
        let group = decode(&bytes, 5).unwrap();
        assert_eq!(
            (group.tail, group.stored, group.received),
            (tail, 18, 1_000_123)
        );
        assert_eq!((group.rolled_to, group.flushed_seq), (i64::MIN, 5));
        assert_eq!(group.series, series);
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut], 5).is_none());
        }
    }
}
