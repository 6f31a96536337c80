//! What became of organisations that stand no longer. Their work goes to whoever they were merged
//! into, to the first of those they were split into, or to the organisation above one that was
//! abolished; only a merger takes the people along. It is read from the acts, so it holds from the
//! day an act takes effect, whatever stops in between.

use crate::book::Book;
use kernel::Time;
use rustc_hash::FxHashMap;

/// Organisations that went one into the other, at most.
const STEPS: usize = 100;

/// Where one goes.
struct Heir {
    code: String,
    with_people: bool,
}

/// Heirs at a moment.
#[derive(Default)]
pub(crate) struct Heirs {
    heirs: FxHashMap<String, Heir>,
    predecessors: FxHashMap<String, Vec<String>>,
}

impl Heirs {
    /// Of everything that has ended and was not founded anew.
    pub fn at(book: &Book, now: Time) -> Heirs {
        let mut ended: FxHashMap<&str, (Time, Option<&str>)> = FxHashMap::default();
        for (code, versions) in &book.organisations {
            let over = |to: Option<Time>| to.filter(|to| *to <= now);
            if versions.iter().any(|version| version.stands_at(now)) {
                continue;
            }
            let last = versions
                .iter()
                .filter_map(|v| Some((over(v.valid_to)?, v.parent.as_deref())))
                .max_by_key(|(end, _)| *end);
            ended.extend(last.map(|last| (code.as_str(), last)));
        }
        let mut heirs = Heirs::default();
        if ended.is_empty() {
            return heirs;
        }
        // In the order they were done: the last one about the same end decides.
        for act in book.acts.values() {
            let ends = |code: &String| ended.get(code.as_str()).is_some_and(|e| e.0 == act.on);
            let (heir, from) = match (act.what.as_str(), act.codes.as_slice()) {
                ("merge", [into, from @ ..]) => (into, from),
                ("split", [code, first, ..]) => (first, std::slice::from_ref(code)),
                _ => continue,
            };
            for code in from.iter().filter(|code| ends(code)) {
                let heir = Heir {
                    code: heir.clone(),
                    with_people: act.what == "merge",
                };
                heirs.heirs.insert(code.clone(), heir);
            }
        }
        for (code, (_, parent)) in &ended {
            if let (Some(parent), false) = (parent, heirs.heirs.contains_key(*code)) {
                let heir = Heir {
                    code: (*parent).into(),
                    with_people: false,
                };
                heirs.heirs.insert((*code).into(), heir);
            }
        }
        let mut codes: Vec<&String> = heirs.heirs.keys().collect();
        codes.sort_unstable();
        let mut predecessors: FxHashMap<String, Vec<String>> = FxHashMap::default();
        for code in codes {
            if let Some(heir) = heirs.successor(code) {
                predecessors
                    .entry(heir.into())
                    .or_default()
                    .push(code.clone());
            }
        }
        heirs.predecessors = predecessors;
        heirs
    }

    /// Where its work is now; `None` for one that stands, and for one that left no heir.
    pub fn successor(&self, code: &str) -> Option<&str> {
        self.follow(code, |_| true)
    }

    /// Where its people are now.
    pub fn home(&self, code: &str) -> Option<&str> {
        self.follow(code, |heir| heir.with_people)
    }

    fn follow(&self, code: &str, goes: impl Fn(&Heir) -> bool) -> Option<&str> {
        let mut heir = self.heirs.get(code).filter(|heir| goes(heir))?;
        for _ in 0..STEPS {
            match self.heirs.get(&heir.code) {
                None => return Some(&heir.code),
                Some(next) => heir = Some(next).filter(|next| goes(next))?,
            }
        }
        None
    }

    /// Those whose work is with this one, by code.
    pub fn predecessors(&self, code: &str) -> &[String] {
        self.predecessors.get(code).map_or(&[], Vec::as_slice)
    }
}
