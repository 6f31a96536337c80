//! Blocks: rows of one group (thing × period), column by column, in order of time. What can be
//! done with them in memory; how they are stored is in `codec`.

/// Of one time at most so many rows are kept: a device with a stopped clock would otherwise make
/// one block grow for ever.
pub(crate) const MAX_VERSIONS: usize = 256;

/// One column of a block; as long as the block has rows. NaN means that the row has no such cell.
#[derive(Clone, Debug, Default)]
pub struct BlockColumn {
    /// Number of the column.
    pub id: u32,
    /// Values; NaN where absent.
    pub values: Vec<f64>,
    /// Flags; 0 where absent or unstated.
    pub flags: Vec<u8>,
}

/// Rows of one group, in order of time and then of reception.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Device times, microseconds.
    pub times: Vec<i64>,
    /// When the city received each row, microseconds, a multiple of 1,000.
    pub received: Vec<i64>,
    /// Columns in order of their numbers.
    pub columns: Vec<BlockColumn>,
}

impl Block {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.times.len()
    }

    /// Number of cells that are present.
    pub fn cells(&self) -> usize {
        self.columns
            .iter()
            .map(|c| c.values.iter().filter(|v| !v.is_nan()).count())
            .sum()
    }

    /// Appends a row; a column given twice keeps its last cell.
    pub fn push(
        &mut self,
        time: i64,
        received: i64,
        cells: impl Iterator<Item = kernel::observations::Cell>,
    ) {
        let row = self.times.len();
        self.times.push(time);
        self.received.push(received);
        let mut hint = 0;
        for cell in cells {
            let id = cell.column.0;
            let at = match self.columns.get(hint) {
                Some(column) if column.id == id => hint,
                _ => self
                    .columns
                    .binary_search_by_key(&id, |c| c.id)
                    .unwrap_or_else(|at| {
                        let column = BlockColumn {
                            id,
                            values: vec![f64::NAN; row],
                            flags: vec![0; row],
                        };
                        self.columns.insert(at, column);
                        at
                    }),
            };
            hint = at + 1;
            let column = &mut self.columns[at];
            if column.values.len() > row {
                column.values[row] = cell.value;
                column.flags[row] = cell.flag.0;
            } else {
                column.values.resize(row, f64::NAN);
                column.flags.resize(row, 0);
                column.values.push(cell.value);
                column.flags.push(cell.flag.0);
            }
        }
    }

    /// Makes every column as long as the block; call after the last [`Block::push`].
    pub fn finish(&mut self) {
        let rows = self.rows();
        for column in &mut self.columns {
            column.values.resize(rows, f64::NAN);
            column.flags.resize(rows, 0);
        }
    }

    /// Appends all rows of another block.
    pub fn append(&mut self, other: &Block) {
        let rows = self.rows();
        self.times.extend_from_slice(&other.times);
        self.received.extend_from_slice(&other.received);
        for column in &other.columns {
            let at = self
                .columns
                .binary_search_by_key(&column.id, |c| c.id)
                .unwrap_or_else(|at| {
                    self.columns.insert(
                        at,
                        BlockColumn {
                            id: column.id,
                            ..BlockColumn::default()
                        },
                    );
                    at
                });
            let mine = &mut self.columns[at];
            mine.values.resize(rows, f64::NAN);
            mine.flags.resize(rows, 0);
            mine.values.extend_from_slice(&column.values);
            mine.flags.extend_from_slice(&column.flags);
        }
        self.finish();
    }

    /// Puts the rows in order of time and then of reception; rows equal in both stay as they are.
    pub fn sort(&mut self) {
        let key = |row: usize| (self.times[row], self.received[row]);
        if (1..self.rows()).all(|row| key(row - 1) <= key(row)) {
            return;
        }
        let mut order: Vec<u32> = (0..self.rows() as u32).collect();
        order.sort_by_key(|&row| key(row as usize));
        self.times = order.iter().map(|&row| self.times[row as usize]).collect();
        self.received = order
            .iter()
            .map(|&row| self.received[row as usize])
            .collect();
        for column in &mut self.columns {
            column.values = order
                .iter()
                .map(|&row| column.values[row as usize])
                .collect();
            column.flags = order
                .iter()
                .map(|&row| column.flags[row as usize])
                .collect();
        }
    }

    /// The rows `from..to` as a block of their own, without columns that are empty there.
    pub fn part(&self, from: usize, to: usize) -> Block {
        let columns = self.columns.iter().map(|column| BlockColumn {
            id: column.id,
            values: column.values[from..to].to_vec(),
            flags: column.flags[from..to].to_vec(),
        });
        Block {
            times: self.times[from..to].to_vec(),
            received: self.received[from..to].to_vec(),
            columns: columns
                .filter(|c| c.values.iter().any(|v| !v.is_nan()))
                .collect(),
        }
    }

    /// Drops columns for which `keep` says no, and rows that are left without a cell.
    pub fn retain_columns(&mut self, keep: impl Fn(u32) -> bool) {
        self.columns.retain(|column| keep(column.id));
        let full: Vec<bool> = (0..self.rows())
            .map(|row| self.columns.iter().any(|c| !c.values[row].is_nan()))
            .collect();
        self.keep_rows(&full);
    }

    /// The newest cell of `column` at `time`: value and flag.
    pub fn newest(&self, column: u32, time: i64) -> Option<(f64, u8)> {
        let at = self.columns.binary_search_by_key(&column, |c| c.id).ok()?;
        let column = &self.columns[at];
        let end = self.times.partition_point(|&t| t <= time);
        (0..end)
            .rev()
            .take_while(|&row| self.times[row] == time)
            .find(|&row| !column.values[row].is_nan())
            .map(|row| (column.values[row], column.flags[row]))
    }
    /// Joins the oldest of more than [`MAX_VERSIONS`] rows at one time into one row, which keeps
    /// the newest cell of each column. The block must be sorted.
    pub fn fold_versions(&mut self) {
        let rows = self.rows();
        if rows <= MAX_VERSIONS
            || (MAX_VERSIONS..rows).all(|at| self.times[at] != self.times[at - MAX_VERSIONS])
        {
            return;
        }
        // A row with that many newer ones at its time gives its cells to the next.
        let crowded = |at: usize| self.times.get(at + MAX_VERSIONS) == Some(&self.times[at]);
        let keep: Vec<bool> = (0..rows).map(|at| !crowded(at)).collect();
        for column in &mut self.columns {
            for (at, _) in keep.iter().enumerate().filter(|(_, keep)| !**keep) {
                if column.values[at + 1].is_nan() {
                    column.values[at + 1] = column.values[at];
                    column.flags[at + 1] = column.flags[at];
                }
            }
        }
        self.keep_rows(&keep);
    }

    fn keep_rows(&mut self, keep: &[bool]) {
        fn retain<T: Copy>(list: &mut Vec<T>, keep: &[bool]) {
            let mut at = 0;
            list.retain(|_| {
                at += 1;
                keep[at - 1]
            });
        }
        retain(&mut self.times, keep);
        retain(&mut self.received, keep);
        for column in &mut self.columns {
            retain(&mut column.values, keep);
            retain(&mut column.flags, keep);
        }
    }

    /// Cuts a sorted block into parts of about `size` rows; rows of one time stay together, and a
    /// rest of less than an eighth stays with the part before it.
    pub fn pieces(&self, size: usize) -> Vec<Block> {
        let rows = self.rows();
        let mut parts = Vec::new();
        let mut from = 0;
        while from < rows {
            let mut to = (from + size).min(rows);
            if rows - to < size / 8 {
                to = rows;
            }
            while to < rows && self.times[to] == self.times[to - 1] {
                to += 1;
            }
            parts.push(self.part(from, to));
            from = to;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::observations::{Cell, ColumnId, Flag};

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

    #[test]
    fn versions_of_one_time_are_bounded() {
        let mut rows: Vec<_> = (0..1000).map(|n| (7, n, vec![(1, n as f64, 0)])).collect();
        rows[0].2.push((2, 5.0, b'N'));
        rows.push((8, 1000, vec![(1, 1.0, 0)]));
        let mut block = block(&rows);
        block.fold_versions();
        assert_eq!(block.rows(), MAX_VERSIONS + 1);
        assert_eq!(block.newest(1, 7), Some((999.0, 0)));
        assert_eq!(block.newest(2, 7), Some((5.0, b'N')));
        assert_eq!(block.newest(2, 8), None);
    }
}
