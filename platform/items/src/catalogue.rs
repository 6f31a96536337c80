//! The catalogue: every item in memory as lists show it, and the contents looked at last.

use crate::say::problem;
use kernel::cases::Limit;
use kernel::items::{
    Channel, Item, ItemContent, ItemFilter, ItemLine, ItemPage, ItemState, ItemType, Serves,
};
use kernel::{Fault, Words};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use store::items::ItemRow;

/// Rows read of the store at once.
pub(crate) const PAGE: u64 = 500;
/// Contents kept, at most.
const READY: usize = 1_024;
/// Word of an item that was given up before anybody published it.
pub(crate) const GONE: &str = "gone";

/// What lists show and search, as the store keeps it with the item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    title: Words,
    summary: Words,
    kind: ItemType,
    organisation: String,
    serves: Serves,
    keywords: Vec<String>,
    subjects: Vec<String>,
    channels: Vec<Channel>,
    promised: Limit,
    visits: u32,
    instant: bool,
    bundle: Vec<String>,
}

impl Listed {
    pub(crate) fn of(content: &ItemContent) -> Listed {
        Listed {
            title: content.title.clone(),
            summary: content.summary.clone(),
            kind: content.kind,
            organisation: content.organisation.clone(),
            serves: content.serves,
            keywords: content.keywords.clone(),
            subjects: content.subjects.clone(),
            channels: content.channels.clone(),
            promised: content.promised,
            visits: content.visits,
            instant: content.instant,
            bundle: content.bundle.clone(),
        }
    }

    pub(crate) fn text(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(|why| Fault::internal("writing an item", why))
    }
}

/// The word of a state in the store.
pub(crate) fn word(state: ItemState) -> &'static str {
    match state {
        ItemState::Drafted => "drafted",
        ItemState::InForce => "in_force",
        ItemState::Suspended => "suspended",
        ItemState::Cancelled => "cancelled",
    }
}

/// The state of a word; `None` for an item that was given up.
pub(crate) fn state_of(word: &str) -> Result<Option<ItemState>, Fault> {
    Ok(Some(match word {
        "drafted" => ItemState::Drafted,
        "in_force" => ItemState::InForce,
        "suspended" => ItemState::Suspended,
        "cancelled" => ItemState::Cancelled,
        GONE => return Ok(None),
        other => return Err(Fault::internal("reading an item", other)),
    }))
}

/// An item in memory.
pub(crate) struct Entry {
    pub(crate) item: String,
    pub(crate) state: ItemState,
    pub(crate) version: i64,
    pub(crate) successors: Vec<String>,
    revision: i64,
    line: ItemLine,
    /// What is searched, in small letters.
    text: String,
}

/// The catalogue and the contents.
#[derive(Default)]
pub(crate) struct State {
    /// The last change taken note of.
    pub(crate) revision: i64,
    pub(crate) entries: BTreeMap<String, Arc<Entry>>,
    pub(crate) ready: HashMap<(String, i64), Arc<Item>>,
}

impl State {
    /// Takes note of a row, unless a later one is known.
    pub(crate) fn note(&mut self, row: ItemRow) -> Result<(), Fault> {
        let known = self
            .entries
            .get(&row.item)
            .map_or(0, |entry| entry.revision);
        self.revision = std::cmp::max(self.revision, row.revision);
        if known >= row.revision {
            return Ok(());
        }
        let Some(state) = state_of(&row.state)? else {
            self.entries.remove(&row.item);
            return Ok(());
        };
        let reading = |why| Fault::internal("reading the catalogue of items", why);
        let listed: Listed = serde_json::from_str(&row.line).map_err(reading)?;
        let successors = serde_json::from_str(&row.successors).map_err(reading)?;
        let entry = Arc::new(entry(row, state, listed, successors));
        self.entries.insert(entry.item.clone(), entry);
        Ok(())
    }

    pub(crate) fn keep(&mut self, key: (String, i64), item: Arc<Item>) {
        if self.ready.len() >= READY {
            self.ready.clear();
        }
        self.ready.insert(key, item);
    }

    /// Bundles in force or suspended that contain an item.
    pub(crate) fn bundles_with(&self, name: &str) -> Vec<Arc<Entry>> {
        let lasting = |state| matches!(state, ItemState::InForce | ItemState::Suspended);
        let of = self.entries.values().filter(|entry| {
            lasting(entry.state) && entry.line.bundle.iter().any(|member| member == name)
        });
        of.cloned().collect()
    }

    pub(crate) fn subjects(&self) -> Vec<(String, i64)> {
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for entry in self.entries.values() {
            if entry.state == ItemState::InForce {
                for subject in &entry.line.subjects {
                    *counts.entry(subject).or_default() += 1;
                }
            }
        }
        let mut counts: Vec<(String, i64)> =
            counts.into_iter().map(|(s, n)| (s.into(), n)).collect();
        counts.sort_by_key(|(_, count)| -count);
        counts
    }

    /// A page of what matches; only what is in force, or `all` there is. Items of an organisation
    /// that stands no longer are listed under whoever has its work.
    pub(crate) fn page(
        &self,
        filter: &ItemFilter,
        all: bool,
        successor: Successor<'_>,
    ) -> Result<ItemPage, Fault> {
        let wanted = Wanted::of(filter, successor)?;
        let mut matching: Vec<(u8, &Arc<Entry>)> = self
            .entries
            .values()
            .filter(|entry| (all || entry.state == ItemState::InForce) && wanted.fits(entry))
            .map(|entry| (u8::from(entry.state != ItemState::InForce), entry))
            .collect();
        // Names are in order already; the sort is stable.
        matching.sort_by_key(|(rank, _)| *rank);
        let count = matching.len() as i64;
        let start = match &wanted.after {
            None => 0,
            Some((rank, name)) => matching
                .iter()
                .position(|(r, entry)| (*r, entry.item.as_str()) > (*rank, name.as_str()))
                .unwrap_or(matching.len()),
        };
        let limit = filter.limit.clamp(1, 200);
        let shown = &matching[start..std::cmp::min(start + limit, matching.len())];
        let next = (start + shown.len() < matching.len())
            .then(|| shown.last())
            .flatten()
            .map(|(rank, entry)| format!("{rank}{}", entry.item));
        let line = |entry: &Arc<Entry>| ItemLine {
            changed: all && entry.line.changed,
            organisation: wanted.office(&entry.line.organisation),
            ..entry.line.clone()
        };
        Ok(ItemPage {
            rows: shown.iter().map(|(_, entry)| line(entry)).collect(),
            next,
            count,
        })
    }
}

fn entry(row: ItemRow, state: ItemState, listed: Listed, successors: Vec<String>) -> Entry {
    let mut text = String::new();
    let words = [&listed.title, &listed.summary];
    let texts = words.iter().flat_map(|words| [&words.zh, &words.en]);
    for part in texts.chain(&listed.keywords).chain(&listed.subjects) {
        text.push_str(&part.to_lowercase());
        text.push('\n');
    }
    Entry {
        item: row.item.clone(),
        state,
        version: row.version,
        successors,
        revision: row.revision,
        line: ItemLine {
            item: row.item,
            version: row.version,
            state,
            title: listed.title,
            summary: listed.summary,
            kind: listed.kind,
            organisation: listed.organisation,
            serves: listed.serves,
            subjects: listed.subjects,
            channels: listed.channels,
            promised: listed.promised,
            visits: listed.visits,
            instant: listed.instant,
            bundle: listed.bundle,
            changed: row.copied,
        },
        text,
    }
}

/// From the code of an organisation that stands no longer to that of whoever has its work.
pub(crate) type Successor<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a list is asked for.
struct Wanted<'a> {
    filter: &'a ItemFilter,
    successor: Successor<'a>,
    organisation: Option<String>,
    words: Vec<String>,
    after: Option<(u8, String)>,
}

impl<'a> Wanted<'a> {
    fn of(filter: &'a ItemFilter, successor: Successor<'a>) -> Result<Wanted<'a>, Fault> {
        let mut problems = vec![];
        let text = filter.text.as_deref().unwrap_or_default();
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        if text.chars().count() > 100 || words.len() > 10 {
            problems.push(problem(
                "/text",
                "最多 100 个字、10 个词",
                "at most 100 characters and 10 words",
            ));
        }
        let after = filter.after.as_deref().map(|cursor| {
            let rank = match cursor.as_bytes().first() {
                Some(b'0') => 0,
                Some(b'1') => 1,
                _ => return None,
            };
            Some((rank, cursor[1..].to_owned()))
        });
        if after == Some(None) {
            problems.push(problem("/after", "翻页标记不正确", "this is no cursor"));
        }
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        let asked = filter.organisation.as_ref();
        Ok(Wanted {
            filter,
            successor,
            organisation: asked.map(|code| successor(code).unwrap_or_else(|| code.clone())),
            words,
            after: after.flatten(),
        })
    }

    fn office(&self, code: &str) -> String {
        (self.successor)(code).unwrap_or_else(|| code.into())
    }

    fn fits(&self, entry: &Entry) -> bool {
        let line = &entry.line;
        let filter = self.filter;
        let serves = |wanted: Serves| {
            wanted == Serves::Either || line.serves == Serves::Either || line.serves == wanted
        };
        let subject = |wanted: &String| line.subjects.contains(wanted);
        self.words.iter().all(|word| entry.text.contains(word))
            && self
                .organisation
                .as_ref()
                .is_none_or(|wanted| *wanted == self.office(&line.organisation))
            && filter.serves.is_none_or(serves)
            && filter.subject.as_ref().is_none_or(subject)
    }
}
