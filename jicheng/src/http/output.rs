//! Writing answers: lists with a cursor, records with an ETag, CSV files safe to open.

use super::problem::{Answer, Refusal};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use kernel::fault::{Fault, FaultKind};
use serde::Serialize;

/// A page of a list.
#[derive(Serialize)]
pub struct Listing<T: Serialize> {
    /// The items in order.
    pub items: Vec<T>,
    /// Cursor of the next page; `null` at the end.
    pub next: Option<String>,
    /// How many there are in all.
    pub total: u64,
}

impl<T: Serialize> Listing<T> {
    /// A list that fits on one page.
    pub fn whole(items: Vec<T>) -> Listing<T> {
        let total = items.len() as u64;
        Listing {
            items,
            next: None,
            total,
        }
    }
}

impl<T: Serialize> IntoResponse for Listing<T> {
    fn into_response(self) -> Response {
        axum::Json(self).into_response()
    }
}

/// A versioned thing with its ETag.
pub fn with_version<T: Serialize>(version: i64, body: &T) -> Response {
    ([(header::ETAG, format!("\"{version}\""))], axum::Json(body)).into_response()
}

/// The version a change is based on: `If-Match: "3"`, or `If-None-Match: *` for "must be new".
pub fn if_match(headers: &HeaderMap) -> Answer<Option<i64>> {
    if headers.get(header::IF_NONE_MATCH).is_some_and(|v| v == "*") {
        return Ok(Some(0));
    }
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let number = value
        .to_str()
        .ok()
        .and_then(|t| t.trim().trim_matches('"').parse::<i64>().ok());
    number.map(Some).ok_or_else(|| {
        Refusal(Fault::invalid_at(
            "If-Match",
            "应为版本号，如 \"3\"",
            "expected a version such as \"3\"",
        ))
    })
}

/// How a list is handed out as a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Comma-separated text.
    Csv,
    /// A workbook of office programs.
    Xlsx,
}

impl TableFormat {
    /// The words a caller may say, for the message that names them.
    pub const WORDS: &'static str = "csv, xlsx";

    /// From its word.
    pub fn parse(word: &str) -> Option<TableFormat> {
        match word {
            "csv" => Some(TableFormat::Csv),
            "xlsx" => Some(TableFormat::Xlsx),
            _ => None,
        }
    }
}

/// A CSV text as a file of this format, `name` without its ending. The workbook is made off the
/// async threads.
pub async fn table_file(name: &str, format: TableFormat, csv: Vec<u8>) -> Answer<Response> {
    if format == TableFormat::Csv {
        let name = format!("{name}.csv");
        return Ok(file(&name, "text/csv; charset=utf-8", csv));
    }
    let sheet = name.to_string();
    let work = tokio::task::spawn_blocking(move || lake::xlsx_of_csv(&sheet, &csv));
    let bytes = work
        .await
        .map_err(|e| Refusal(Fault::internal("writing a workbook", e)))?
        .map_err(|e| Refusal(e.into()))?;
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(file(&format!("{name}.xlsx"), kind, bytes))
}

/// A CSV text: UTF-8 with a mark so that spreadsheets read Chinese, and no cell that a
/// spreadsheet would run as a formula.
pub fn csv_text(head: &str, rows: &[Vec<String>]) -> String {
    let mut text = String::from("\u{feff}");
    text.push_str(head);
    text.push_str("\r\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| csv_cell(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// One cell: quoted where needed; a leading formula sign is disarmed unless it is a number.
fn csv_cell(cell: &str) -> String {
    let formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    let safe = if formula {
        format!("'{cell}")
    } else {
        cell.to_string()
    };
    if safe.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

/// A file to be saved.
pub fn file(name: &str, kind: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    (
        [
            (header::CONTENT_TYPE, kind.to_string()),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        bytes,
    )
        .into_response()
}

/// A file to be saved under a name in any script (RFC 6266, RFC 5987); `plain` is for programs that
/// read ASCII only. Personal files: kept by nobody on the way, never shown within our pages' origin.
pub fn named_file(plain: &str, name: &str, kind: &str, bytes: Vec<u8>) -> Response {
    let name = percent(name);
    let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{name}");
    (
        [
            (header::CONTENT_TYPE, kind.to_string()),
            (header::CONTENT_DISPOSITION, disposition),
            (header::CACHE_CONTROL, "no-store".into()),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; sandbox".into(),
            ),
        ],
        bytes,
    )
        .into_response()
}

/// Everything but unreserved characters as `%XX` (RFC 5987).
fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A refusal because somebody else was first.
pub fn stale(now: i64) -> Refusal {
    Refusal(Fault::new(
        FaultKind::Conflict,
        "input.stale",
        format!("内容已被他人更新（现为第 {now} 版），请刷新后重试"),
        format!("somebody changed it meanwhile (now version {now}); load it again"),
    ))
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn cells_cannot_run() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("-3.5", "-3.5"),
            ("-x", "'-x"),
            ("a,b", "\"a,b\""),
            ("@s", "'@s"),
            ("", ""),
        ];
        for (cell, expect) in cases {
            assert_eq!(csv_cell(cell), expect);
        }
    }
}
