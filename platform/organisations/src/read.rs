//! What pages ask: branches of the tree, a search, one organisation with its history.

use crate::Engine;
use crate::model::Act;
use crate::tree::Tree;
use kernel::organisations::{LETTER_WORD, Organisation, OrganisationKind, usual_letter_word};
use kernel::{Fault, Time};
use serde::Serialize;
use std::sync::Arc;

/// Organisations on one page, at most.
const PAGE_LIMIT: usize = 500;

/// An organisation in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// The organisation.
    #[serde(flatten)]
    pub organisation: Arc<Organisation>,
    /// How many are directly below it.
    pub children: usize,
    /// How many are below it in all.
    pub below: usize,
    /// Names from the top down to its parent, Chinese.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<kernel::Words>,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    /// The items in order.
    pub items: Vec<T>,
    /// Cursor of the next page.
    pub next: Option<String>,
    /// How many there are in all.
    pub total: u64,
}

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Directly below this one; `None` for everything when there is a text or kind, else the top.
    pub parent: Option<String>,
    /// Part of a name or the beginning of a code.
    pub text: Option<String>,
    /// Only of this kind.
    pub kind: Option<OrganisationKind>,
    /// At this moment; now when `None`.
    pub at: Option<Time>,
    /// Continue after this code.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// One organisation, as a page shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// As it stands at the moment asked for; `None` when it does not.
    pub organisation: Option<Listed>,
    /// What stands in the numbers of its letters now, set or made of its name.
    pub letters: Option<String>,
    /// Every version, newest first.
    pub history: Vec<Organisation>,
    /// Acts that concern it, newest first.
    pub acts: Vec<Act>,
}

fn listed(tree: &Tree, place: usize, with_path: bool) -> Listed {
    let node = &tree.nodes[place];
    let code = &node.organisation.code;
    let path = if with_path {
        let above = tree.above(code).into_iter().rev();
        above.map(|o| o.title.clone()).collect()
    } else {
        vec![]
    };
    Listed {
        organisation: node.organisation.clone(),
        children: tree.children(Some(code)).len(),
        below: node.end - place - 1,
        path,
    }
}

impl Engine {
    /// A page of organisations: a branch, or what a search finds, in the order of the tree.
    pub fn list(&self, wanted: &Found) -> Page<Listed> {
        self.on_tree(wanted.at, |tree| {
            let searching = wanted.text.is_some() || wanted.kind.is_some();
            let places: Vec<usize> = if searching {
                let inside = match &wanted.parent {
                    Some(code) => match tree.place(code) {
                        Some(place) => place..tree.nodes[place].end,
                        None => 0..0,
                    },
                    None => 0..tree.nodes.len(),
                };
                inside
                    .filter(|place| matches(wanted, &tree.nodes[*place].organisation))
                    .collect()
            } else {
                tree.children(wanted.parent.as_deref())
            };
            let total = places.len() as u64;
            let after = wanted.after.as_deref().and_then(|code| tree.place(code));
            let limit = wanted.limit.clamp(1, PAGE_LIMIT);
            let mut rest = places
                .into_iter()
                .filter(|place| after.is_none_or(|after| *place > after));
            let items: Vec<Listed> = rest
                .by_ref()
                .take(limit)
                .map(|place| listed(tree, place, searching))
                .collect();
            let next = rest.next().and(items.last());
            let next = next.map(|item| item.organisation.code.clone());
            Page { items, next, total }
        })
    }

    /// The word in the numbers of an organisation's letters (机关代字): the one it has set, or that
    /// of its name; where another has that one too, the organisation above stands before it. `None`
    /// for one that does not stand now.
    pub fn letter_word(&self, code: &str, city: &str) -> Option<String> {
        self.on_tree(None, |tree| {
            let one = tree.get(code)?;
            let word_of = |one: &Organisation| match &one.letter_word {
                Some(word) => word.clone(),
                None => usual_letter_word(&one.title.zh, city),
            };
            let word = word_of(one);
            let others = tree.nodes.iter().map(|node| &node.organisation);
            let mut others = others.filter(|other| other.code != code);
            if one.letter_word.is_some() || !others.any(|other| word_of(other) == word) {
                return Some(word);
            }
            let above = one.parent.as_deref().and_then(|parent| tree.get(parent));
            let whole = format!("{}{word}", above.map(|o| word_of(o)).unwrap_or_default());
            let letters = whole.chars().count();
            Some(
                whole
                    .chars()
                    .skip(letters.saturating_sub(LETTER_WORD))
                    .collect(),
            )
        })
    }

    /// Where the people of an organisation are that was merged into another; `None` for one that
    /// stands, and for one whose people went nowhere.
    pub fn home(&self, code: &str) -> Option<String> {
        self.now().heirs.home(code).map(String::from)
    }

    /// One organisation with its history; `input.not_found` when there never was one.
    pub fn one(&self, code: &str, at: Option<Time>) -> Result<Answer, Fault> {
        let book = self.now().book.clone();
        let versions = book.versions(code);
        if versions.is_empty() {
            return Err(Fault::missing(&format!("organisation {code}")));
        }
        let organisation = self.on_tree(at, |tree| Some(listed(tree, tree.place(code)?, true)));
        let acts = book.acts.values();
        let mut acts: Vec<&Arc<Act>> = acts
            .filter(|act| act.codes.iter().any(|c| c == code))
            .collect();
        acts.sort_by_key(|act| std::cmp::Reverse((act.on, act.at)));
        Ok(Answer {
            organisation,
            letters: None,
            history: versions.iter().rev().cloned().collect(),
            acts: acts
                .into_iter()
                .take(PAGE_LIMIT)
                .map(|act| without_codes(act))
                .collect(),
        })
    }
}

/// An act of thousands of organisations need not name them all on each one's page.
fn without_codes(act: &Act) -> Act {
    let mut act = act.clone();
    act.codes.truncate(50);
    act
}

fn matches(wanted: &Found, one: &Organisation) -> bool {
    let kind = wanted.kind.is_none_or(|kind| kind == one.kind);
    let text = wanted.text.as_ref().is_none_or(|text| {
        let sought = text.to_lowercase();
        one.title.zh.contains(text.as_str())
            || one.title.en.to_lowercase().contains(&sought)
            || one.code.to_lowercase().starts_with(&sought)
            || one.credit_code.as_deref() == Some(text)
    });
    kind && text
}
