//! Verification: every file is opened and read to its end, every segment must follow the one
//! before it, and every base must have what it needs. All faults are named, not only the first.

use crate::repository::{BaseFacts, Contents, Kind, Repository};
use crate::restore::{Moment, plan};
use crate::segments;
use kernel::crypto::Crypto;
use kernel::{Fault, Words};
use serde::Serialize;

/// Faults that are listed, at most.
const FAULTS_LIMIT: usize = 1000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// Bases read.
    pub bases: u64,
    /// Segments read.
    pub segments: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong, each with the name of its file.
    pub faults: Vec<Words>,
}

impl Verdict {
    fn note(&mut self, fault: &Fault) {
        if self.faults.len() < FAULTS_LIMIT {
            self.faults.push(fault.words.clone());
        }
    }
}

/// Reads everything. `progress` is told bytes done and bytes in all. Blocks: call it beside the
/// runtime.
pub fn verify(
    repository: &Repository,
    crypto: &dyn Crypto,
    mut progress: impl FnMut(u64, u64),
) -> Result<Verdict, Fault> {
    let mut verdict = Verdict::default();
    let contents = readable(repository, &mut verdict)?;
    let all = contents.bytes();
    for base in &contents.bases {
        let read = repository
            .read::<BaseFacts>(Kind::Base, base.facts.number)
            .and_then(|(reader, _)| reader.read(crypto, |_| Ok(())));
        if let Err(fault) = read {
            verdict.note(&fault);
        }
        verdict.bases += 1;
        verdict.bytes += base.bytes;
        progress(verdict.bytes, all);
    }
    let mut before: Option<(u64, String, String)> = None;
    for segment in &contents.segments {
        let number = segment.facts.number;
        match segments::read(repository, crypto, number) {
            Ok((facts, _, digest)) => {
                let follows = before.as_ref().is_none_or(|(last, chain, digest)| {
                    *last + 1 != number || *chain != facts.chain || *digest == facts.previous
                });
                if !follows {
                    let path = repository.path(Kind::Segment, number);
                    let en = format!("it does not follow segment {}", number - 1);
                    let zh = "与前一个增量不衔接";
                    verdict.note(&crate::faults::damaged(&path, zh, &en));
                }
                before = Some((number, facts.chain, digest));
            }
            Err(fault) => {
                verdict.note(&fault);
                before = None;
            }
        }
        verdict.segments += 1;
        verdict.bytes += segment.bytes;
        progress(verdict.bytes, all);
    }
    for base in &contents.bases {
        if let Err(fault) = plan(&contents, Moment::OfBase(base.facts.number)) {
            verdict.note(&fault);
        }
    }
    if let Err(fault) = plan(&contents, Moment::Latest) {
        verdict.note(&fault);
    }
    Ok(verdict)
}

/// Headers that can be read; those that cannot are faults.
fn readable(repository: &Repository, verdict: &mut Verdict) -> Result<Contents, Fault> {
    let mut contents = Contents::default();
    for number in repository.numbers(Kind::Base)? {
        match repository.entry(Kind::Base, number) {
            Ok(entry) => contents.bases.push(entry),
            Err(fault) => verdict.note(&fault),
        }
    }
    for number in repository.numbers(Kind::Segment)? {
        match repository.entry(Kind::Segment, number) {
            Ok(entry) => contents.segments.push(entry),
            Err(fault) => verdict.note(&fault),
        }
    }
    Ok(contents)
}
