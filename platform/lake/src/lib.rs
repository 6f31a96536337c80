//! lake: history as files other programs read. Today it writes exports of observations, Parquet
//! for analysis, CSV and XLSX for people; it knows no store and no network: rows come in as an
//! iterator, bytes go out through `std::io::Write`, and memory stays bounded by one row group.

mod csv;
mod parquet_file;
mod xlsx;

pub use csv::write_csv;
pub use parquet_file::{FileNotes, ROW_GROUP_ROWS, write_parquet};
pub use xlsx::{XLSX_ROW_LIMIT, xlsx_of_csv};

use kernel::fault::FaultKind;
use kernel::observations::{Flag, Kind};
use kernel::{Fault, Time};
use std::sync::Arc;

/// One observation on its way out. Names are shared, so that a million rows of one series hold
/// its names once.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportRow {
    /// Name of the thing.
    pub thing: Arc<str>,
    /// Name of the property.
    pub property: Arc<str>,
    /// Period, statistic, basis.
    pub kind: Kind,
    /// The device's time; for a period, its start.
    pub time: Time,
    /// The number, in the unit of the property.
    pub value: f64,
    /// Its quality flag.
    pub flag: Flag,
    /// When the city received it.
    pub received: Time,
}

/// Why an export could not be written. The reader has then a part of a file, not a whole one.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// There are more rows than the caller allows in one file.
    #[error("the export has more than {limit} rows")]
    TooLarge {
        /// The limit that was passed.
        limit: u64,
    },
    /// The receiving end failed: disk full, connection closed.
    #[error("writing the export")]
    Write(#[from] std::io::Error),
    /// The Parquet encoder refused or failed.
    #[error("encoding Parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The workbook could not be made.
    #[error("writing a workbook")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
}

impl From<LakeError> for Fault {
    fn from(error: LakeError) -> Fault {
        match error {
            LakeError::TooLarge { limit } => Fault::new(
                FaultKind::TooLarge,
                "input.too_large",
                format!("导出超过 {limit} 行，请缩小时间范围或序列范围后分次导出"),
                format!("the export has more than {limit} rows; narrow the time or the series"),
            ),
            LakeError::Write(cause) => Fault::internal("writing an export", cause),
            LakeError::Parquet(cause) => Fault::internal("encoding Parquet", cause),
            LakeError::Workbook(cause) => Fault::internal("writing a workbook", cause),
        }
    }
}

/// Passes rows on and counts them; the row after the last allowed one is an error, because a
/// file that silently lacks rows is worse than none.
struct Bounded<I> {
    rows: I,
    taken: u64,
    limit: u64,
}

impl<I: Iterator<Item = ExportRow>> Bounded<I> {
    fn new(rows: I, limit: u64) -> Self {
        Bounded {
            rows,
            taken: 0,
            limit,
        }
    }

    fn next(&mut self) -> Result<Option<ExportRow>, LakeError> {
        let Some(row) = self.rows.next() else {
            return Ok(None);
        };
        if self.taken == self.limit {
            return Err(LakeError::TooLarge { limit: self.limit });
        }
        self.taken += 1;
        Ok(Some(row))
    }
}
