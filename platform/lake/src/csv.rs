//! CSV for people and spreadsheets: RFC 4180, UTF-8, one header line, times in Beijing time with
//! their offset.

use crate::{Bounded, ExportRow, LakeError};
use std::io::Write;

const HEADER: &str = "thing,property,kind,time,value,flag,received\r\n";

/// Writes rows as CSV and returns how many. `mark_utf8` puts a byte order mark in front, without
/// which Excel on a Chinese Windows reads UTF-8 as GBK. More than `limit` rows is an error.
pub fn write_csv(
    to: impl Write,
    rows: impl Iterator<Item = ExportRow>,
    limit: u64,
    mark_utf8: bool,
) -> Result<u64, LakeError> {
    let mut to = std::io::BufWriter::new(to);
    if mark_utf8 {
        to.write_all("\u{feff}".as_bytes())?;
    }
    to.write_all(HEADER.as_bytes())?;
    let mut rows = Bounded::new(rows, limit);
    while let Some(row) = rows.next()? {
        write_text(&mut to, &row.thing)?;
        to.write_all(b",")?;
        write_text(&mut to, &row.property)?;
        write!(
            to,
            ",{},{},{},{},{}\r\n",
            row.kind,
            row.time,
            row.value,
            row.flag.text(),
            row.received
        )?;
    }
    to.flush()?;
    Ok(rows.taken)
}

/// Writes a field, quoted when it must be. A text that a spreadsheet would take for a formula is
/// made harmless with a leading apostrophe: device names come from outside.
fn write_text(to: &mut impl Write, text: &str) -> std::io::Result<()> {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if text.contains(['"', ',', '\n', '\r']) {
        write!(to, "\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        write!(to, "{guard}{text}")
    }
}
