//! Restore: the city as it was at a moment. The newest base before it is put in place, then the
//! segments since, one generation of the log after the other; SQLite itself reads each as after a
//! crash. The last one is cut behind the last transaction committed by that moment.

use crate::faults::{damaged, io_fault, not_there, occupied};
use crate::repository::{BaseFacts, Contents, Kind, PlainFile, Repository, SegmentFacts};
use crate::segments;
use crate::shipper::Covered;
use kernel::crypto::Crypto;
use kernel::{Fault, Time};
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use store::wal::{FRAME_HEADER_BYTES, HEADER_BYTES, WalHeader};

/// What is to be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Everything there is.
    Latest,
    /// The state of this moment: everything acknowledged by then and nothing begun after.
    At(Time),
    /// The state that the base restored from holds, to be compared with its census.
    OfBase(u64),
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Restored {
    /// The repository.
    pub repository: String,
    /// The base.
    pub base: BaseFacts,
    /// Segments read.
    pub segments: u64,
    /// Bytes written in all: the image and what was replayed.
    pub bytes: u64,
    /// The state is that of this moment.
    pub at: Time,
    /// The repository is known to be complete until then; asked for a later moment, this is what
    /// there was.
    pub covered: Option<Time>,
    /// Not everything up to the moment asked for is there: the chain ends before it, or its newest
    /// segments were removed.
    pub short: bool,
}

/// The base and the segments for a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The base.
    pub base: BaseFacts,
    /// Numbers of the segments, ascending.
    pub segments: Vec<u64>,
}

/// Chooses what a moment is made of. Fails with `backup.not_there` when there is no base before it
/// or a segment is missing on the way.
pub fn plan(contents: &Contents, moment: Moment) -> Result<Plan, Fault> {
    let wanted = |base: &BaseFacts| match moment {
        Moment::Latest => true,
        Moment::At(at) => base.at <= at,
        Moment::OfBase(number) => base.number == number,
    };
    let base = contents.bases.iter().rev().find(|b| wanted(&b.facts));
    let Some(base) = base.map(|b| b.facts.clone()) else {
        let first = contents.bases.first().map(|b| b.facts.at.rfc3339());
        let first = first.unwrap_or_else(|| "-".into());
        return Err(not_there(
            format!("备份库中没有该时刻之前的基础备份，最早可恢复到 {first}"),
            format!("there is no base before that moment; the earliest is {first}"),
        ));
    };
    let after = |facts: &SegmentFacts| match moment {
        Moment::Latest => false,
        Moment::At(at) => facts.from > at,
        Moment::OfBase(_) => (facts.generation, facts.first.max(1)) > (base.generation, base.frame),
    };
    let mut segments = vec![];
    let of_chain = contents
        .segments
        .iter()
        .map(|s| &s.facts)
        .filter(|s| s.chain == base.chain && s.number >= base.segment);
    for facts in of_chain {
        if after(facts) {
            break;
        }
        let expected = segments.last().map_or(base.segment, |last| last + 1);
        if facts.number != expected {
            // What a folded base does not need may have been forgotten.
            if segments.is_empty() && base.folded && matches!(moment, Moment::OfBase(_)) {
                return Ok(Plan { base, segments });
            }
            return Err(not_there(
                format!("缺少第 {expected} 个增量，无法恢复到该时刻"),
                format!("segment {expected} is missing on the way to that moment"),
            ));
        }
        segments.push(facts.number);
    }
    let last = segments.last().copied();
    let reaches = contents.segments.iter().any(|s| {
        Some(s.facts.number) == last
            && (s.facts.generation, s.facts.last) >= (base.generation, base.frame)
    });
    if !base.folded && base.frame > 0 && !reaches {
        return Err(not_there(
            format!("第 {} 个基础备份所需的增量不全", base.number),
            format!("base {} lacks the segments it needs", base.number),
        ));
    }
    Ok(Plan { base, segments })
}

/// Restores into a folder that is empty or not there; `jicheng.db` appears in it when everything is
/// in place. `progress` is told the bytes done. Runs as long as it takes: call it beside the
/// runtime's work.
pub async fn restore(
    repository: &Repository,
    crypto: &dyn Crypto,
    moment: Moment,
    into: &Path,
    mut progress: impl FnMut(u64) + Send,
) -> Result<Restored, Fault> {
    refuse_occupied(into)?;
    // What the repository says of itself comes before what is in it: a city that runs ships on.
    let covered = repository.plain::<Covered>(PlainFile::Covered)?;
    let contents = repository.contents()?;
    let plan = plan(&contents, moment)?;
    std::fs::create_dir_all(into).map_err(|e| io_fault(into, e))?;
    let part = into.join(".restoring.db");
    let mut replay = Replay {
        file: part.clone(),
        done: 0,
        last_at: plan.base.at,
        progress: &mut progress,
    };
    let outcome = replay.run(repository, crypto, &plan, moment).await;
    if let Err(fault) = outcome {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(suffixed(&part, suffix));
        }
        return Err(fault);
    }
    let at = replay.last_at;
    let bytes = replay.done;
    let to = into.join("jicheng.db");
    let finish = || -> std::io::Result<()> {
        File::open(&part)?.sync_all()?;
        std::fs::rename(&part, &to)?;
        File::open(into)?.sync_all()
    };
    finish().map_err(|e| io_fault(&to, e))?;
    let mut of_chain = contents.segments.iter().rev();
    let last = of_chain.find(|s| s.facts.chain == plan.base.chain);
    let last = last.map_or(0, |s| s.facts.number);
    let missing = covered.as_ref().is_some_and(|c| c.segment > last);
    let covered = covered.map(|covered| covered.until).max(contents.newest());
    let newest = contents.bases.last().map(|b| &b.facts.chain) == Some(&plan.base.chain);
    Ok(Restored {
        repository: repository.identity().id.clone(),
        segments: plan.segments.len() as u64,
        bytes,
        at,
        short: match moment {
            Moment::At(asked) => {
                asked > at && (!newest || missing || covered.is_none_or(|c| asked > c))
            }
            Moment::Latest => missing,
            Moment::OfBase(_) => false,
        },
        covered,
        base: plan.base,
    })
}

fn refuse_occupied(into: &Path) -> Result<(), Fault> {
    let mut entries = match std::fs::read_dir(into) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| io_fault(into, e))?,
    };
    // What a restore cut short left is no city.
    let found = entries.find(|entry| {
        // What a restore cut short left is no city, nor is the keys' own key, brought beforehand.
        let harmless = |e: &std::fs::DirEntry| {
            let name = e.file_name();
            let name = name.to_string_lossy();
            name.starts_with(".restoring.db") || name == "master.key"
        };
        !entry.as_ref().is_ok_and(harmless)
    });
    match found {
        Some(entry) => {
            let name = entry.map_or_else(|e| e.to_string(), |e| e.path().display().to_string());
            Err(occupied(
                format!("目标位置已有内容（{name}），未做任何更改"),
                format!("something is there already ({name}), nothing was changed"),
            ))
        }
        None => Ok(()),
    }
}

fn suffixed(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

struct Replay<'a> {
    file: PathBuf,
    done: u64,
    last_at: Time,
    progress: &'a mut (dyn FnMut(u64) + Send),
}

impl Replay<'_> {
    async fn run(
        &mut self,
        repository: &Repository,
        crypto: &dyn Crypto,
        plan: &Plan,
        moment: Moment,
    ) -> Result<(), Fault> {
        self.place_base(repository, crypto, plan.base.number)?;
        let mut log: Option<(String, File)> = None;
        let mut previous: Option<String> = None;
        let mut reached = 0;
        for number in &plan.segments {
            let path = repository.path(Kind::Segment, *number);
            let (facts, content, digest) = segments::read(repository, crypto, *number)?;
            if previous.as_ref().is_some_and(|p| *p != facts.previous) {
                let en = format!("it does not follow segment {}", number - 1);
                return Err(damaged(&path, "与前一个增量不衔接", &en));
            }
            previous = Some(digest);
            let header = log_header(&path, &facts)?;
            let cut = match moment {
                Moment::Latest => facts.last,
                Moment::At(at) => content.frames_by(at, &facts),
                Moment::OfBase(_) => facts.last.min(plan.base.frame),
            };
            let (begin, end) = frames_range(&path, &header, &facts, cut, content.frames.len())?;
            let same = log.as_ref().is_some_and(|(of, _)| *of == facts.log);
            if !same {
                if log.take().is_some() {
                    store::wal::fold_file(&self.file).await?;
                }
                if facts.first != 0 {
                    let en = format!("it begins at frame {} of a new log", facts.first);
                    return Err(damaged(&path, "增量不从日志开头开始", &en));
                }
                reached = 0;
                log = Some((facts.log.clone(), self.begin_log(&header)?));
            }
            if facts.first != reached {
                let en = format!("frames {reached} to {} are missing", facts.first);
                return Err(damaged(&path, "日志帧不连续", &en));
            }
            if let Some((_, file)) = &mut log {
                file.write_all(&content.frames[begin..end])
                    .map_err(|e| io_fault(&self.file, e))?;
            }
            reached = cut;
            self.advance((end - begin) as u64);
            self.last_at = moment_reached(self.last_at, moment, &facts, &content, cut);
            if cut < facts.last {
                break;
            }
        }
        if log.is_some() {
            store::wal::fold_file(&self.file).await?;
        }
        Ok(())
    }

    fn place_base(
        &mut self,
        repository: &Repository,
        crypto: &dyn Crypto,
        number: u64,
    ) -> Result<(), Fault> {
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(suffixed(&self.file, suffix));
        }
        let (reader, _) = repository.read::<BaseFacts>(Kind::Base, number)?;
        let file = self.file.clone();
        let failed = |e| io_fault(&file, e);
        let mut out = File::create(&file).map_err(failed)?;
        reader.read(crypto, |bytes| {
            out.write_all(bytes).map_err(failed)?;
            self.advance(bytes.len() as u64);
            Ok(())
        })?;
        Ok(())
    }

    fn begin_log(&self, header: &WalHeader) -> Result<File, Fault> {
        let path = suffixed(&self.file, "-wal");
        let failed = |e| io_fault(&path, e);
        let mut file = File::create(&path).map_err(failed)?;
        file.write_all(&header.bytes).map_err(failed)?;
        Ok(file)
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        (self.progress)(self.done);
    }
}

/// The moment of the last transaction replayed so far.
fn moment_reached(
    before: Time,
    moment: Moment,
    facts: &SegmentFacts,
    content: &segments::Content,
    cut: u32,
) -> Time {
    if cut == facts.last {
        return match moment {
            Moment::At(at) => before.max(facts.until.min(at)),
            _ => before.max(facts.until),
        };
    }
    let stamp = content.stamps.iter().rev().find(|(_, f)| *f <= cut);
    stamp.map_or(before, |(at, _)| before.max(*at))
}

fn log_header(path: &Path, facts: &SegmentFacts) -> Result<WalHeader, Fault> {
    let bytes = crate::sealed::unhex(&facts.log);
    let bytes: Option<[u8; HEADER_BYTES]> = bytes.and_then(|b| b.try_into().ok());
    bytes
        .and_then(WalHeader::parse)
        .ok_or_else(|| damaged(path, "日志头有误", "the header of the log is none"))
}

/// The bytes of the content that hold the frames up to `cut`.
fn frames_range(
    path: &Path,
    header: &WalHeader,
    facts: &SegmentFacts,
    cut: u32,
    have: usize,
) -> Result<(usize, usize), Fault> {
    let frame = FRAME_HEADER_BYTES + header.page_size as usize;
    let frames = facts.last.checked_sub(facts.first);
    if frames.is_none_or(|frames| frames as usize * frame != have) {
        return Err(damaged(path, "帧数不符", "not as many frames as it says"));
    }
    let end = (cut.max(facts.first) - facts.first) as usize * frame;
    Ok((0, end))
}
