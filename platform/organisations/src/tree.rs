//! The tree as it stood at one moment, laid out so that what is below an organisation is one
//! stretch of a list: "own and subordinate" costs a look-up.

use crate::book::Book;
use kernel::Time;
use kernel::organisations::Organisation;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A node of the tree.
#[derive(Debug)]
pub(crate) struct Node {
    pub organisation: Arc<Organisation>,
    /// Place of the parent in the list.
    pub parent: Option<usize>,
    /// The stretch of the list that is this node and everything below it ends here.
    pub end: usize,
}

/// The tree at one moment, parents before children.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub nodes: Vec<Node>,
    places: FxHashMap<String, usize>,
    codes: Arc<[String]>,
}

impl Tree {
    /// Lays the tree out.
    pub fn at(book: &Book, at: Time) -> Tree {
        let mut children: FxHashMap<Option<&str>, Vec<&Organisation>> = FxHashMap::default();
        for versions in book.organisations.values() {
            if let Some(one) = versions.iter().find(|v| v.stands_at(at)) {
                children.entry(one.parent.as_deref()).or_default().push(one);
            }
        }
        for siblings in children.values_mut() {
            siblings.sort_by(|a, b| (a.kind, &a.code).cmp(&(b.kind, &b.code)));
        }
        let mut tree = Tree::default();
        let tops = children.get(&None).cloned().unwrap_or_default();
        let mut waiting: Vec<(&Organisation, Option<usize>)> =
            tops.into_iter().rev().map(|top| (top, None)).collect();
        while let Some((one, parent)) = waiting.pop() {
            let place = tree.nodes.len();
            tree.places.insert(one.code.clone(), place);
            tree.nodes.push(Node {
                organisation: Arc::new(one.clone()),
                parent,
                end: place + 1,
            });
            if let Some(below) = children.get(&Some(one.code.as_str())) {
                let below = below.iter().rev();
                waiting.extend(below.map(|child| (*child, Some(place))));
            }
        }
        for place in (0..tree.nodes.len()).rev() {
            if let Some(parent) = tree.nodes[place].parent {
                tree.nodes[parent].end = tree.nodes[parent].end.max(tree.nodes[place].end);
            }
        }
        tree.codes = tree
            .nodes
            .iter()
            .map(|n| n.organisation.code.clone())
            .collect();
        tree
    }

    pub fn place(&self, code: &str) -> Option<usize> {
        self.places.get(code).copied()
    }

    pub fn get(&self, code: &str) -> Option<&Arc<Organisation>> {
        Some(&self.nodes[self.place(code)?].organisation)
    }

    /// It and everything below, it first.
    pub fn below(&self, code: &str) -> &[String] {
        match self.place(code) {
            Some(place) => &self.codes[place..self.nodes[place].end],
            None => &[],
        }
    }

    /// Everything above, the nearest first.
    pub fn above(&self, code: &str) -> Vec<&Arc<Organisation>> {
        let mut above = vec![];
        let mut place = self.place(code).and_then(|p| self.nodes[p].parent);
        while let Some(at) = place {
            above.push(&self.nodes[at].organisation);
            place = self.nodes[at].parent;
        }
        above
    }

    /// Those directly below; of the top when there is no code.
    pub fn children(&self, code: Option<&str>) -> Vec<usize> {
        let (mut at, end) = match code {
            None => (0, self.nodes.len()),
            Some(code) => match self.place(code) {
                Some(place) => (place + 1, self.nodes[place].end),
                None => return vec![],
            },
        };
        let mut children = vec![];
        while at < end {
            children.push(at);
            at = self.nodes[at].end;
        }
        children
    }
}
