//! XLSX for office programs: a sheet made of a CSV export, so that every list that can be had as
//! CSV can be had as a workbook with the same columns and rows. Numbers become numbers; codes,
//! times and everything else stay text, exactly as written.

use crate::LakeError;
use rust_xlsxwriter::{Format, Workbook};

/// Rows of one sheet, at most; the format itself ends at 1,048,576.
pub const XLSX_ROW_LIMIT: u64 = 1_000_000;
/// Widest column, in characters.
const WIDEST: usize = 60;

/// Makes a workbook of a CSV text (UTF-8, a byte order mark is ignored, one header line). The
/// sheet has a frozen, filterable head. More than [`XLSX_ROW_LIMIT`] rows is an error.
pub fn xlsx_of_csv(name: &str, csv: &[u8]) -> Result<Vec<u8>, LakeError> {
    let csv = csv.strip_prefix("\u{feff}".as_bytes()).unwrap_or(csv);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(csv);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name(sheet_name(name))?;
    let head = Format::new().set_bold();
    let mut widths: Vec<usize> = vec![];
    let mut rows: u32 = 0;
    for record in reader.records() {
        let record = record.map_err(|e| std::io::Error::other(e.to_string()))?;
        if u64::from(rows) > XLSX_ROW_LIMIT {
            return Err(LakeError::TooLarge {
                limit: XLSX_ROW_LIMIT,
            });
        }
        for (column, cell) in record.iter().enumerate() {
            let at = u16::try_from(column).unwrap_or(u16::MAX);
            let text = unguarded(cell);
            if rows == 0 {
                sheet.write_with_format(rows, at, text, &head)?;
            } else if let Some(number) = number(text) {
                sheet.write(rows, at, number)?;
            } else if !text.is_empty() {
                sheet.write(rows, at, text)?;
            }
            if widths.len() <= column {
                widths.push(0);
            }
            widths[column] = widths[column].max(width(text));
        }
        rows += 1;
    }
    for (column, width) in widths.iter().enumerate() {
        let at = u16::try_from(column).unwrap_or(u16::MAX);
        sheet.set_column_width(at, (width + 2).min(WIDEST) as f64)?;
    }
    if rows > 0 && !widths.is_empty() {
        let last = u16::try_from(widths.len() - 1).unwrap_or(u16::MAX);
        sheet.set_freeze_panes(1, 0)?;
        sheet.autofilter(0, 0, rows - 1, last)?;
    }
    Ok(book.save_to_buffer()?)
}

/// A CSV disarms a text that looks like a formula with an apostrophe; in a workbook a text is a
/// text, and needs none.
fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => cell,
    }
}

/// A number only if it is written the way numbers are written back: `007` and `1e3` are codes,
/// and so is what has more digits than a double can hold.
fn number(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let digits = text.chars().filter(char::is_ascii_digit).count();
    (number.is_finite() && digits <= 15 && number.to_string() == text).then_some(number)
}

/// Width on the screen: a Chinese character takes two places.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// A sheet's name has at most 31 characters and none of `[]:*?/\`.
fn sheet_name(name: &str) -> String {
    let kept = name.chars().filter(|c| !"[]:*?/\\".contains(*c));
    let kept: String = kept.take(31).collect();
    if kept.is_empty() { "1".into() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stay_text_and_numbers_are_numbers() {
        let check = |text, expect: Option<f64>| assert_eq!(number(text), expect, "{text}");
        check("12.5", Some(12.5));
        check("-3", Some(-3.0));
        check("0", Some(0.0));
        check("007", None);
        check("1e3", None);
        check("1.50", None);
        check("13010219900307001", None);
        check("2026-11-21 10:32", None);
        check("NaN", None);
        check("", None);
    }

    #[test]
    fn a_disarmed_formula_is_plain_text_again() {
        assert_eq!(unguarded("'=1+1"), "=1+1");
        assert_eq!(unguarded("'quoted'"), "'quoted'");
        assert_eq!(unguarded("-x"), "-x");
    }
}
