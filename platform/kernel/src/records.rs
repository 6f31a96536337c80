//! Records: the contents of registers (一库). A register is declared by a JSON Schema with `x-`
//! keywords; a record is a JSON object with a key, kept with the time it was valid in the world
//! and the time the city recorded it. Nothing is overwritten.

use crate::access::Actor;
use crate::facts::Narrowing;
use crate::fault::Fault;
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// One version of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Register it belongs to.
    pub register: String,
    /// Its key: the value of the field marked `x-key`.
    pub key: String,
    /// Its fields.
    pub fields: Map<String, Value>,
    /// Valid in the world from (inclusive).
    pub valid_from: Time,
    /// Valid in the world to (exclusive); `None` while it stands.
    pub valid_to: Option<Time>,
    /// Recorded by the city at.
    pub recorded_at: Time,
    /// Replaced in the city's knowledge at; `None` while it is what the city believes.
    pub superseded_at: Option<Time>,
    /// Number of this version of the record, from 1; the ETag.
    pub version: i64,
    /// Who recorded it.
    pub by: String,
    /// Why, when a reason was given.
    pub reason: Option<String>,
}

/// Which records to list. Parts combine with "and".
#[derive(Clone, Debug, Default)]
pub struct RecordQuery {
    /// Field equals value (fields marked `x-index` only; others are refused).
    pub equals: Vec<(String, Value)>,
    /// Text contained in any indexed text field or the key.
    pub text: Option<String>,
    /// Inside this box: west, south, east, north in degrees.
    pub inside: Option<[f64; 4]>,
    /// Order by this indexed field instead of the key; a leading `-` means downwards.
    pub order: Option<String>,
    /// State of the world at this instant; `None` for now.
    pub valid_at: Option<Time>,
    /// As the city knew it at this instant; `None` for now.
    pub as_of: Option<Time>,
    /// Continue after this cursor (from the page before).
    pub after: Option<String>,
    /// At most so many (capped at 1,000).
    pub limit: usize,
    /// Only records for which this holds: what the policy leaves of the register.
    pub narrowed: Option<Narrowing>,
    /// Only records this keeps, asked one by one and after a bounded number of them no more.
    pub keep: Option<Keep>,
    /// Fields that are not searched, filtered or ordered by: the asker does not see them as they
    /// are.
    pub hidden: Vec<String>,
}

/// Decides about one record.
#[derive(Clone)]
pub struct Keep(pub Arc<dyn Fn(&Record) -> bool + Send + Sync>);

impl std::fmt::Debug for Keep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keep")
    }
}

/// A page of records.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordPage {
    /// The records in order.
    pub records: Vec<Record>,
    /// Cursor of the next page; `None` at the end.
    pub next: Option<String>,
    /// How many match in all.
    pub total: u64,
    /// Records were kept or left out one by one: so many were looked at for this page, and `total`
    /// counts this page only.
    pub looked_at: Option<u64>,
}

/// What to do with a record.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordChange {
    /// Register.
    pub register: String,
    /// Fields of the new version, the key among them; `None` ends the record.
    pub fields: Option<Map<String, Value>>,
    /// Key (must agree with the fields).
    pub key: String,
    /// Valid from; `None` for now.
    pub valid_from: Option<Time>,
    /// Version the change is based on: `Some(0)` means "must not exist", `None` means any.
    pub expect_version: Option<i64>,
    /// Why.
    pub reason: Option<String>,
}

/// The registers engine as others see it.
#[async_trait]
pub trait Registers: Send + Sync {
    /// One record as it stands now (or at `valid_at`, as known at `as_of`).
    async fn get(
        &self,
        register: &str,
        key: &str,
        valid_at: Option<Time>,
        as_of: Option<Time>,
    ) -> Result<Option<Record>, Fault>;
    /// A page of records.
    async fn list(&self, register: &str, query: &RecordQuery) -> Result<RecordPage, Fault>;
    /// Every version of one record, newest first.
    async fn history(&self, register: &str, key: &str) -> Result<Vec<Record>, Fault>;
    /// Applies changes, all or none: validates against the schema, writes history, audit entry
    /// and one event per record in one transaction. Every fault of every change is named.
    async fn apply(&self, actor: &Actor, changes: Vec<RecordChange>) -> Result<Vec<Record>, Fault>;
    /// A record from memory if the register is marked `x-cached` (small registers that rules
    /// and gateways ask for at every frame); always the current state.
    fn cached(&self, register: &str, key: &str) -> Option<std::sync::Arc<Record>>;
    /// All current records of a cached register in order of key.
    fn cached_all(&self, register: &str) -> Vec<std::sync::Arc<Record>>;
}
