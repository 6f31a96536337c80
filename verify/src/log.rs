//! A whole exported log against checkpoints: every entry's own hash, the chain, the leaves, and the
//! roots at every checkpoint. Reads once, keeps a few hashes, names what is wrong.
//!
//! The leaves an export carries are the city's word, until a checkpoint's root is made of them:
//! then they are proved, and an entry that does not hash to its leaf is proved to be altered. When
//! the roots do not agree either, the trees were made anew; the checkpoints before and after bound
//! where.

use crate::Hash;
use crate::entry::Entry;
use crate::note::Checkpoint;
use sha2::Digest;
use std::io::BufRead;

/// Findings that are kept, at most.
const MOST: usize = 100;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This line is not an entry.
    Malformed {
        /// Line of the file.
        line: u64,
    },
    /// The entry is not what was written.
    Altered {
        /// Its number.
        seq: u64,
        /// Who did what, as the altered entry says.
        about: String,
    },
    /// Entries are gone.
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// The entry was slipped in or moved: its number is not the next one.
    SlippedIn {
        /// Its number.
        seq: u64,
        /// Line of the file.
        line: u64,
    },
    /// The entry does not follow the one before it: it was slipped in, or the one before was
    /// replaced.
    Unchained {
        /// Its number.
        seq: u64,
    },
    /// Chain and trees were made anew after the older checkpoint: something between these two
    /// entries, both included, was altered, removed or slipped in.
    Rewritten {
        /// The first entry that may be the one.
        from: u64,
        /// The last.
        to: u64,
    },
}

impl Fault {
    /// In Chinese and English.
    pub fn say(&self) -> String {
        match self {
            Fault::Malformed { line } => {
                format!("第 {line} 行不是审计条目 / line {line} is not an entry")
            }
            Fault::Altered { seq, about } => {
                format!("第 {seq} 条被改动（{about}） / entry {seq} was altered ({about})")
            }
            Fault::Missing { from, to } if from == to => {
                format!("第 {from} 条缺失 / entry {from} is missing")
            }
            Fault::Missing { from, to } => {
                format!("第 {from} 至 {to} 条缺失 / entries {from} to {to} are missing")
            }
            Fault::SlippedIn { seq, line } => format!(
                "第 {line} 行的条目 {seq} 是插入或挪动的 / entry {seq} on line {line} was slipped in or moved"
            ),
            Fault::Unchained { seq } => format!(
                "第 {seq} 条与前一条不衔接：它是插入的，或前一条被替换 / entry {seq} does not follow the one before: it was slipped in, or that one was replaced"
            ),
            Fault::Rewritten { from, to } => format!(
                "第 {from} 至 {to} 条之间被改写，链和树都重做过 / something in entries {from} to {to} was rewritten, chain and trees made anew"
            ),
        }
    }
}

/// Outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries read.
    pub entries: u64,
    /// What is wrong, in the order of the log.
    pub faults: Vec<Fault>,
    /// Size of the largest checkpoint whose roots the log has.
    pub proved: u64,
}

/// Roots of full subtrees at the right edge: enough for the root of what was read so far.
struct Edge {
    hashes: Vec<(u8, Hash)>,
    node: fn(&Hash, &Hash) -> Hash,
}

impl Edge {
    fn push(&mut self, leaf: Hash) {
        let (mut level, mut hash) = (0, leaf);
        while let Some((_, left)) = self.hashes.pop_if(|(l, _)| *l == level) {
            hash = (self.node)(&left, &hash);
            level += 1;
        }
        self.hashes.push((level, hash));
    }

    fn root(&self) -> Option<Hash> {
        let mut from_right = self.hashes.iter().rev().map(|(_, hash)| *hash);
        let last = from_right.next()?;
        Some(from_right.fold(last, |right, left| (self.node)(&left, &right)))
    }
}

fn sha256(left: &Hash, right: &Hash) -> Hash {
    sha2::Sha256::digest([&[1], left.as_slice(), right].concat()).into()
}

fn sm3(left: &Hash, right: &Hash) -> Hash {
    sm3::Sm3::digest([&[1], left.as_slice(), right].concat()).into()
}

struct Check<'a> {
    checkpoints: Vec<&'a Checkpoint>,
    report: Report,
    trees: [Edge; 2],
    /// Entries that are in the trees here.
    grown: u64,
    /// Number and hash of the entry before.
    before: (u64, Vec<u8>),
}

/// Checks a log against checkpoints whose signatures held. Fails only when it cannot be read.
pub fn check(log: impl BufRead, checkpoints: &[Checkpoint]) -> std::io::Result<Report> {
    let mut ordered: Vec<&Checkpoint> = checkpoints.iter().collect();
    ordered.sort_by_key(|checkpoint| checkpoint.size);
    let edge = |node| Edge {
        hashes: vec![],
        node,
    };
    let mut check = Check {
        checkpoints: ordered,
        report: Report::default(),
        trees: [edge(sha256), edge(sm3)],
        grown: 0,
        before: (0, vec![]),
    };
    for (number, line) in (1..).zip(log.lines()) {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let value = serde_json::from_str(&line).unwrap_or_default();
        match Entry::read(&value) {
            Some(entry) => check.entry(number, entry),
            None => check.found(Fault::Malformed { line: number }),
        }
    }
    Ok(check.end())
}

impl Check<'_> {
    fn found(&mut self, fault: Fault) {
        if self.report.faults.len() < MOST {
            self.report.faults.push(fault);
        }
    }

    fn missing(&mut self, from: u64, to: u64) {
        if let Some(Fault::Missing { to: last, .. }) = self.report.faults.last_mut()
            && *last + 1 == from
        {
            *last = to;
            return;
        }
        self.found(Fault::Missing { from, to });
    }

    fn entry(&mut self, line: u64, entry: Entry) {
        self.report.entries += 1;
        let (last, hash) = self.before.clone();
        let next = last + 1;
        if entry.seq < next {
            self.found(Fault::SlippedIn {
                seq: entry.seq,
                line,
            });
            return;
        }
        if entry.seq > next {
            self.missing(next, entry.seq - 1);
        }
        let follows = entry.seq == next;
        let Some(content) = &entry.content else {
            self.missing(entry.seq, entry.seq);
            self.before = (entry.seq, vec![]);
            self.grow(&entry, None);
            return;
        };
        let leaves = [content.sha256(), content.sm3()];
        let kept = [entry.sha256, entry.sm3];
        let other = kept
            .iter()
            .zip(&leaves)
            .any(|(kept, own)| kept.is_some_and(|k| k != *own));
        if content.chain() != content.hash || other {
            self.found(Fault::Altered {
                seq: entry.seq,
                about: content.about.clone(),
            });
        }
        // After a gap or a row that is gone nothing is known of the one before.
        let known = last == 0 || !hash.is_empty();
        if follows && known && content.previous != hash {
            self.found(Fault::Unchained { seq: entry.seq });
        }
        self.before = (entry.seq, content.hash.clone());
        self.grow(&entry, Some(leaves));
    }

    /// Puts an entry into the trees: by the leaf the city keeps, else by its own.
    fn grow(&mut self, entry: &Entry, own: Option<[Hash; 2]>) {
        if self.grown + 1 != entry.seq {
            return;
        }
        let kept = [entry.sha256, entry.sm3];
        for tree in 0..2 {
            let Some(leaf) = kept[tree].or(own.map(|own| own[tree])) else {
                return;
            };
            self.trees[tree].push(leaf);
        }
        self.grown += 1;
        self.compare();
    }

    fn compare(&mut self) {
        let size = self.grown;
        let at: Vec<&Checkpoint> = self
            .checkpoints
            .iter()
            .filter(|c| c.size == size)
            .copied()
            .collect();
        for checkpoint in at {
            let roots = [self.trees[0].root(), self.trees[1].root()];
            if roots == [Some(checkpoint.sha256), Some(checkpoint.sm3)] {
                self.report.proved = size;
            } else {
                let from = self.report.proved + 1;
                let told = self
                    .report
                    .faults
                    .iter()
                    .any(|f| matches!(f, Fault::Rewritten { .. }));
                if !told {
                    self.found(Fault::Rewritten { from, to: size });
                }
            }
        }
    }

    fn end(mut self) -> Report {
        let last = self.before.0;
        if let Some(largest) = self.checkpoints.last()
            && largest.size > last
        {
            let to = largest.size;
            self.missing(last + 1, to);
        }
        self.report
    }
}
