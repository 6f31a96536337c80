//! Segments: what was committed between two looks at the log, with the moment of each
//! transaction. The content is the stamps (number of them, then moment and frame of each) and the
//! frames as SQLite wrote them.

use crate::faults::damaged;
use crate::repository::{Kind, Repository, SegmentFacts};
use crate::sealed::Writer;
use kernel::crypto::Crypto;
use kernel::{Fault, Time};
use std::path::Path;
use store::wal::Stamp;

/// Bytes of frames after which a segment ends with the next transaction.
pub(crate) const SEGMENT_BYTES: usize = 32 << 20;
/// Bytes of the content of a segment, at most: one transaction may be as large as this.
pub(crate) const CONTENT_LIMIT: usize = 2 << 30;
/// Bytes of a stamp.
const STAMP_BYTES: usize = 12;

/// The content of a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Content {
    /// Moment and frames of the generation until then, ascending.
    pub(crate) stamps: Vec<(Time, u32)>,
    /// The frames.
    pub(crate) frames: Vec<u8>,
}

impl Content {
    /// Frames of the generation that were committed by `at`, when everything up to `last` was by
    /// `until`.
    pub(crate) fn frames_by(&self, at: Time, facts: &SegmentFacts) -> u32 {
        let by_then = self.stamps.partition_point(|(moment, _)| *moment <= at);
        if by_then == self.stamps.len() && at >= facts.until {
            return facts.last;
        }
        let committed = by_then.checked_sub(1).map(|last| self.stamps[last].1);
        committed.unwrap_or(facts.first)
    }
}

/// Writes a segment; returns its digest and size.
pub(crate) fn write(
    repository: &Repository,
    crypto: &dyn Crypto,
    facts: &SegmentFacts,
    stamps: &[Stamp],
    frames: &[u8],
) -> Result<(String, u64), Fault> {
    let bytes = 4 + stamps.len() * STAMP_BYTES + frames.len();
    if bytes > CONTENT_LIMIT {
        return Err(Fault::internal(
            "shipping the log",
            "a transaction beyond the limit",
        ));
    }
    repository.make_folder(Kind::Segment, facts.number)?;
    let header = repository.header(Kind::Segment, facts.number, bytes as u64, facts)?;
    let path = repository.path(Kind::Segment, facts.number);
    let mut writer = Writer::create(crypto, &path, header)?;
    writer.write(&(stamps.len() as u32).to_be_bytes())?;
    for stamp in stamps {
        writer.write(&stamp.at.0.to_be_bytes())?;
        writer.write(&stamp.frame.to_be_bytes())?;
    }
    writer.write(frames)?;
    writer.finish()
}

/// Reads a segment: facts, content, digest.
pub(crate) fn read(
    repository: &Repository,
    crypto: &dyn Crypto,
    number: u64,
) -> Result<(SegmentFacts, Content, String), Fault> {
    let path = repository.path(Kind::Segment, number);
    let (reader, facts) = repository.read::<SegmentFacts>(Kind::Segment, number)?;
    let (bytes, digest) = reader.read_all(crypto, CONTENT_LIMIT)?;
    let content = parse(&path, &facts, bytes)?;
    Ok((facts, content, digest))
}

fn parse(path: &Path, facts: &SegmentFacts, mut bytes: Vec<u8>) -> Result<Content, Fault> {
    let wrong = || damaged(path, "内容有误", "its content is not that of a segment");
    let count = bytes.first_chunk::<4>().ok_or_else(wrong)?;
    let count = u32::from_be_bytes(*count) as usize;
    let begin = count
        .checked_mul(STAMP_BYTES)
        .and_then(|n| n.checked_add(4))
        .filter(|begin| *begin <= bytes.len())
        .ok_or_else(wrong)?;
    let mut stamps = Vec::with_capacity(count);
    for stamp in bytes[4..begin].chunks_exact(STAMP_BYTES) {
        let (at, frame) = stamp.split_at(8);
        let at = i64::from_be_bytes(at.try_into().map_err(|_| wrong())?);
        let frame = u32::from_be_bytes(frame.try_into().map_err(|_| wrong())?);
        if frame < facts.first || frame > facts.last {
            return Err(wrong());
        }
        stamps.push((Time(at), frame));
    }
    bytes.drain(..begin);
    Ok(Content {
        stamps,
        frames: bytes,
    })
}
