//! Page: a part of a list, as every list of the API is answered.

use serde::{Deserialize, Serialize};

/// Items of one page, at most.
pub const PAGE_LIMIT: u64 = 200;
/// Items of one page when nobody says how many.
pub const PAGE_USUAL: u64 = 50;

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items in order.
    pub items: Vec<T>,
    /// Cursor of the next page; `None` at the end.
    pub next: Option<String>,
    /// How many there are in all.
    pub total: u64,
}

/// Which part of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Part {
    /// Cursor of the page before, as it was answered.
    pub after: Option<String>,
    /// Items wanted, 1 to [`PAGE_LIMIT`]; [`PAGE_USUAL`] when there is none.
    pub limit: Option<u64>,
}

impl Part {
    /// How many items, within the limits.
    pub fn size(&self) -> u64 {
        self.limit.unwrap_or(PAGE_USUAL).clamp(1, PAGE_LIMIT)
    }
}
