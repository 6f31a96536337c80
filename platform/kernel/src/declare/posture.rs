//! Posture items: what the standards of security ask of a system (`posture.yaml` of the cloud).
//! An item names the checks whose findings prove it; what software cannot answer names who does.

use super::read::Reader;
use crate::fault::Words;
use serde::Serialize;

/// An item of a standard.
#[derive(Clone, Debug, Serialize)]
pub struct PostureItem {
    /// Stable name.
    pub name: String,
    /// Standard and clause.
    pub standard: String,
    /// What it asks.
    pub title: Words,
    /// Checks that prove it, all of them.
    pub checks: Vec<String>,
    /// Who answers for it, when it is not the software.
    pub by: Option<Words>,
}

impl PostureItem {
    /// Reads the items of `posture.yaml`.
    pub fn read_all(top: &mut Reader<'_>) -> Vec<PostureItem> {
        let mut items = vec![];
        top.each("items", |name, part| {
            let item = PostureItem {
                name: name.into(),
                standard: part.text("standard"),
                title: part.words("title"),
                checks: part.texts_or("checks", &[]),
                by: part.part_opt("by", |by| Words::new(by.text("zh"), by.text("en"))),
            };
            if item.checks.is_empty() == item.by.is_none() {
                part.fault(
                    "",
                    "须给出 checks 或 by，二者其一",
                    "name checks, or who answers for it (by), and not both",
                );
            }
            items.push(item);
        });
        items
    }
}
