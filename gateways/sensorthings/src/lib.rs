//! sensorthings: the OGC SensorThings API 1.1 (OGC 18-088), read side, as a pure function from a
//! path and a query to an answer. It holds no state, speaks no HTTP and reads only through
//! [`kernel::City`]; the program mounts it at `/sta/v1.1`.
//!
//! How the city's words map: a *thing* is a Thing (its name is the id), its place a Location and
//! a FeatureOfInterest, its device a Sensor, a *property* an ObservedProperty, a *series* a
//! Datastream (`thing:property:kind`), an observation an Observation (`series@microseconds`).
//! Fields marked personal in a register never leave through this door.

mod fields;
mod filter;
mod list;
mod model;
mod narrow;
mod options;
mod page;
mod render;
mod resolve;
mod scan;
mod url;
mod view;

use kernel::fault::FaultKind;
use kernel::{Actor, City, Fault};
use serde_json::{Value, json};

/// Longest query string that is read, in bytes.
pub const MAX_QUERY_BYTES: usize = 16 * 1024;

/// What is sent back.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `application/json`, or `text/plain` for `$value`.
    pub content_type: &'static str,
    /// The document; for `text/plain` a JSON string holding the bare text.
    pub body: Value,
}

impl Answer {
    fn json(body: Value) -> Answer {
        Answer {
            status: 200,
            content_type: "application/json",
            body,
        }
    }

    /// The bytes of the HTTP body.
    pub fn bytes(&self) -> Vec<u8> {
        match (&self.body, self.content_type) {
            (Value::String(text), "text/plain") => text.clone().into_bytes(),
            (body, _) => body.to_string().into_bytes(),
        }
    }
}

/// Why a request is not answered, in both languages.
#[derive(Clone, Debug, PartialEq)]
struct Refusal {
    status: u16,
    zh: String,
    en: String,
}

impl Refusal {
    fn bad(zh: impl Into<String>, en: impl Into<String>) -> Refusal {
        Refusal {
            status: 400,
            zh: zh.into(),
            en: en.into(),
        }
    }

    fn missing(what: &str) -> Refusal {
        Refusal {
            status: 404,
            zh: format!("没有找到：{what}"),
            en: format!("not found: {what}"),
        }
    }

    fn unsupported(what: &str) -> Refusal {
        Refusal {
            status: 501,
            zh: format!("尚不支持：{what}"),
            en: format!("not supported: {what}"),
        }
    }

    fn answer(self) -> Answer {
        let message = format!("{} / {}", self.zh, self.en);
        Answer {
            status: self.status,
            content_type: "application/json",
            body: json!({"code": self.status, "type": "error", "message": message}),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        let status = match fault.kind {
            FaultKind::Invalid => 400,
            _ => fault.status(),
        };
        Refusal {
            status,
            zh: fault.words.zh,
            // An internal cause is for the log, not for the caller.
            en: if status == 500 {
                "internal error".into()
            } else {
                fault.words.en
            },
        }
    }
}

/// Answers `GET {base_url}/{path}?{query}`. `path` is what follows the mount point and `query`
/// what follows the question mark, both still percent-encoded; `base_url` ends without a slash
/// (`https://city.example/sta/v1.1`) and is what every link in the answer begins with.
///
/// Shows records of every register that has a place: for callers who have decided that their
/// reader may see them all. [`answer_for`] asks the policy.
pub async fn answer(city: &City, base_url: &str, path: &str, query: &str) -> Answer {
    respond(city, None, base_url, path, query).await
}

/// Like [`answer`], but what of the registers shows (names, places, fields) is decided register
/// by register by the city's policy. A thing of a register the reader may not read appears only
/// when it has observations, under its bare name. That the reader may read observations is for
/// the caller to demand.
pub async fn answer_for(
    city: &City,
    reader: &Actor,
    base_url: &str,
    path: &str,
    query: &str,
) -> Answer {
    respond(city, Some(reader), base_url, path, query).await
}

async fn respond(
    city: &City,
    reader: Option<&Actor>,
    base_url: &str,
    path: &str,
    query: &str,
) -> Answer {
    let view = view::View::new(city, reader, base_url.trim_end_matches('/'));
    match resolve::resolve(&view, path.trim_matches('/'), query).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(),
    }
}

/// Reads a `$filter` and forgets it: the door for tests that throw arbitrary text at the parser.
pub fn check_filter(text: &str) -> Result<(), String> {
    filter::parse(text).map(|_| ()).map_err(|r| r.en)
}
