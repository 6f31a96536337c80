//! Cells in memory: the rows not yet in blocks lie packed, cell after cell, in the very encoding
//! of the event log (`kernel::observations::wire`), at five to six bytes a value. This module
//! packs and reads them; it is the only place besides the wire that knows the layout.

use kernel::observations::wire::{decimal, from_decimal, put_i64, put_u64, take_i64, take_u64};
use kernel::observations::{Cell, ColumnId, Flag, Period, ThingId};

const RAW: u8 = 15;
const HAS_FLAG: u8 = 0x10;

/// Appends one cell in the layout of the wire.
#[inline]
pub(crate) fn put(to: &mut Vec<u8>, cell: &Cell) {
    put_u64(to, u64::from(cell.column.0));
    let flag_bit = if cell.flag.0 == 0 { 0 } else { HAS_FLAG };
    let decimal = decimal(cell.value);
    to.push(decimal.map_or(RAW, |(_, digits)| digits) | flag_bit);
    if flag_bit != 0 {
        to.push(cell.flag.0);
    }
    match decimal {
        Some((mantissa, _)) => put_i64(to, mantissa),
        None => to.extend_from_slice(&cell.value.to_le_bytes()),
    }
}

/// Takes one cell from the front; `None` when the bytes are not a cell.
#[inline]
pub(crate) fn take(from: &mut &[u8]) -> Option<Cell> {
    let column = u32::try_from(take_u64(from).ok()?).ok()?;
    let (&head, rest) = from.split_first()?;
    *from = rest;
    let mut flag = Flag::UNSTATED;
    if head & HAS_FLAG != 0 {
        let (&letter, rest) = from.split_first()?;
        *from = rest;
        flag = Flag(letter);
    }
    let value = match head & 0x0f {
        RAW => {
            let (eight, rest) = from.split_first_chunk::<8>()?;
            *from = rest;
            f64::from_le_bytes(*eight)
        }
        digits if digits <= 9 => from_decimal(take_i64(from).ok()?, digits),
        _ => return None,
    };
    Some(Cell {
        column: ColumnId(column),
        value,
        flag,
    })
}

/// Reads packed cells one after the other.
pub(crate) struct Cells<'a>(pub &'a [u8]);

impl Iterator for Cells<'_> {
    type Item = Cell;
    fn next(&mut self) -> Option<Cell> {
        if self.0.is_empty() {
            None
        } else {
            take(&mut self.0)
        }
    }
}

/// When the batch of an event of the log was received; `None` when it is no batch.
pub(crate) fn received(from: &[u8]) -> Option<i64> {
    let (head, _) = from.split_first_chunk::<9>()?;
    if head[0] != 1 {
        return None;
    }
    Some(i64::from_le_bytes(head[1..].try_into().ok()?))
}

/// Walks the rows of an event of the log without unpacking them into vectors: group, time and
/// packed cells of each. False when the body is damaged; the rows before the damage were given.
pub(crate) fn walk(from: &[u8], each: impl FnMut(u32, i64, &[u8])) -> bool {
    from.get(9..)
        .is_some_and(|rows| walk_rows(rows, each).is_some())
}

fn walk_rows(mut from: &[u8], mut each: impl FnMut(u32, i64, &[u8])) -> Option<()> {
    let mut time = 0i64;
    while !from.is_empty() {
        let thing = u32::try_from(take_u64(&mut from).ok()?).ok()?;
        let (&period, rest) = from.split_first()?;
        from = rest;
        let period = Period::from_u8(period)?;
        time = time.wrapping_add(take_i64(&mut from).ok()?);
        let count = take_u64(&mut from).ok()?;
        let cells = from;
        for _ in 0..count {
            take(&mut from)?;
        }
        each(
            group_of(ThingId(thing), period),
            time,
            &cells[..cells.len() - from.len()],
        );
    }
    Some(())
}

/// A group is a thing and a period: the rows that share their columns and their times.
#[inline]
pub(crate) fn group_of(thing: ThingId, period: Period) -> u32 {
    thing.0 << 2 | period as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Time;
    use kernel::observations::{Row, wire};

    #[test]
    fn packed_cells_are_those_of_the_wire() {
        let cells: Vec<Cell> = [
            (1, 20.4, b'N'),
            (300, -3.185592, 0),
            (7, 1.0 / 3.0, b'D'),
            (8, -0.0, 0),
        ]
        .map(|(column, value, flag)| Cell {
            column: ColumnId(column),
            value,
            flag: Flag(flag),
        })
        .to_vec();
        let mut packed = vec![];
        cells.iter().for_each(|cell| put(&mut packed, cell));
        assert_eq!(Cells(&packed).collect::<Vec<_>>(), cells);
        let row = Row {
            thing: ThingId(0),
            period: Period::RealTime,
            time: Time(0),
            cells,
        };
        let mut bytes = vec![];
        wire::put_row(&mut bytes, &row, &mut 0);
        assert!(bytes.ends_with(&packed));
    }
}
