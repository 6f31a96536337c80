//! The repository: a folder that may be on another disk or a mount.
//!
//! ```text
//! repository.json        identification, made once
//! keys.json              the city's keys, wrapped by its master key
//! covered.json           until when everything is known to be here; rewritten at every look
//! closed.json            the database file as it was when the city stopped in order
//! bases/00000001.base    images of the database file
//! segments/0000/00000001.segment    what was committed since, in order
//! ```
//!
//! Names are made here from numbers and nothing else; other files are left alone. Only whole files
//! have a name (see [`crate::sealed`]), and each segment names the digest of the one before.

use crate::faults::{damaged, io_fault, occupied};
use crate::sealed::{Header, Reader, sync_folder};
use kernel::{Fault, Time};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use store::audit::AuditHead;

/// Edition of the layout.
const FORMAT: u32 = 1;
/// Bytes of a plain file, at most.
const PLAIN_LIMIT: u64 = 4 << 20;
/// Segments in one folder.
const PER_FOLDER: u64 = 10_000;

/// What says which repository this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Layout.
    pub format: u32,
    /// Never changes; part of what every file is sealed with.
    pub id: String,
    /// When it was made.
    pub made_at: Time,
}

/// What a base is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaseFacts {
    /// Its number.
    pub number: u64,
    /// Segments of the same chain continue it.
    pub chain: String,
    /// The state it holds is that of this moment.
    pub at: Time,
    /// Generation of the log at that moment.
    pub generation: u64,
    /// Frames of that generation that belong to the state.
    pub frame: u32,
    /// The image holds those frames already: it needs no segment to be that state.
    pub folded: bool,
    /// First segment of that generation.
    pub segment: u64,
    /// Rows of every table then.
    pub tables: Vec<(String, u64)>,
    /// Head of the audit log then.
    pub audit: AuditHead,
    /// Edition of the program.
    pub edition: String,
}

/// What a segment is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentFacts {
    /// Its number.
    pub number: u64,
    /// Its chain: without a gap from its first segment on.
    pub chain: String,
    /// Digest of the segment before it in the chain; empty for the first.
    pub previous: String,
    /// Everything committed until then is in earlier segments.
    pub from: Time,
    /// Everything committed until then is in this or earlier ones.
    pub until: Time,
    /// Generation of the log.
    pub generation: u64,
    /// Header of the log, in hexadecimal.
    pub log: String,
    /// Frames of the generation before this segment.
    pub first: u32,
    /// Frames of the generation up to its end.
    pub last: u32,
    /// Running checksum of the log at its end.
    pub checksum: [u32; 2],
}

/// A file of the repository.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry<F> {
    /// What its header says.
    #[serde(flatten)]
    pub facts: F,
    /// Bytes on the disk.
    pub bytes: u64,
}

/// Everything there is, in order of number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// Bases.
    pub bases: Vec<Entry<BaseFacts>>,
    /// Segments.
    pub segments: Vec<Entry<SegmentFacts>>,
}

impl Contents {
    /// Bytes of everything.
    pub fn bytes(&self) -> u64 {
        let bases = self.bases.iter().map(|base| base.bytes);
        bases.chain(self.segments.iter().map(|s| s.bytes)).sum()
    }

    /// The newest moment that can be restored.
    pub fn newest(&self) -> Option<Time> {
        let base = self.bases.last()?;
        let segment = self.segments.iter().rev();
        let last = segment
            .take_while(|s| s.facts.chain == base.facts.chain)
            .map(|s| s.facts.until)
            .next();
        Some(last.map_or(base.facts.at, |until| until.max(base.facts.at)))
    }
}

/// The kinds of files with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An image.
    Base,
    /// What was committed since.
    Segment,
}

/// An open repository.
#[derive(Debug)]
pub struct Repository {
    folder: PathBuf,
    identity: Identity,
    /// Locked while a city writes here.
    lock: Option<File>,
}

impl Repository {
    /// Opens the repository in this folder for reading.
    pub fn open(folder: &Path) -> Result<Repository, Fault> {
        let identity: Identity = read_plain(&folder.join("repository.json"))?.ok_or_else(|| {
            crate::faults::not_there(
                format!("{} 不是备份库", folder.display()),
                format!("{} is no backup repository", folder.display()),
            )
        })?;
        if identity.format != FORMAT || ulid::Ulid::from_string(&identity.id).is_err() {
            let path = folder.join("repository.json");
            return Err(damaged(&path, "版本不符", "of another edition"));
        }
        Ok(Repository {
            folder: folder.to_owned(),
            identity,
            lock: None,
        })
    }

    /// Opens it to write, making it when there is none; one writer at a time. What a crash left
    /// unfinished is removed. A folder with other things in it is refused.
    pub fn open_to_write(folder: &Path, now: Time) -> Result<Repository, Fault> {
        let path = folder.join("repository.json");
        std::fs::create_dir_all(folder).map_err(|e| io_fault(folder, e))?;
        if !path.exists() {
            let strange = std::fs::read_dir(folder)
                .map_err(|e| io_fault(folder, e))?
                .flatten()
                .find(|entry| {
                    let name = entry.file_name();
                    // What a mount has by itself, and a first attempt cut short.
                    !["lost+found", "lock", ".part-repository.json"]
                        .contains(&name.to_string_lossy().as_ref())
                });
            if let Some(strange) = strange {
                let name = strange.path().display().to_string();
                return Err(occupied(
                    format!("备份目录不是空的：{name}"),
                    format!("the backup folder is not empty: {name}"),
                ));
            }
        }
        let lock = lock(folder)?;
        if !path.exists() {
            let identity = Identity {
                format: FORMAT,
                id: ulid::Ulid::generate().to_string(),
                made_at: now,
            };
            write_plain(&path, &identity, true)?;
        }
        let mut repository = Repository::open(folder)?;
        repository.lock = Some(lock);
        for folder in [folder.join("bases"), folder.join("segments")] {
            std::fs::create_dir_all(&folder).map_err(|e| io_fault(&folder, e))?;
        }
        repository.sweep()?;
        Ok(repository)
    }

    /// Opens a folder that is to hold a copy of this repository, making it when it is empty.
    pub(crate) fn open_to_copy(folder: &Path, of: &Identity) -> Result<Repository, Fault> {
        let path = folder.join("repository.json");
        if !path.exists() {
            let empty = entries(folder)?.iter().all(|name| name == "lost+found");
            if !empty {
                return Err(occupied(
                    format!("目标目录不是空的：{}", folder.display()),
                    format!("the folder is not empty: {}", folder.display()),
                ));
            }
            std::fs::create_dir_all(folder).map_err(|e| io_fault(folder, e))?;
            write_plain(&path, of, true)?;
        }
        Repository::open_to_write(folder, of.made_at)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Which it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The file of this number.
    pub fn path(&self, kind: Kind, number: u64) -> PathBuf {
        match kind {
            Kind::Base => self.folder.join(format!("bases/{number:08}.base")),
            Kind::Segment => self.folder.join(format!(
                "segments/{:04}/{number:08}.segment",
                number / PER_FOLDER
            )),
        }
    }

    /// The header of a new file of this number.
    pub(crate) fn header(
        &self,
        kind: Kind,
        number: u64,
        bytes: u64,
        facts: &impl Serialize,
    ) -> Result<Header, Fault> {
        let facts = serde_json::to_value(facts)
            .map_err(|e| Fault::internal("writing the header of a backup", e))?;
        let word = match kind {
            Kind::Base => "base",
            Kind::Segment => "segment",
        };
        Ok(Header {
            name: format!("{word}/{number}"),
            repository: self.identity.id.clone(),
            suite: kernel::crypto::Suite::International,
            key: String::new(),
            bytes,
            facts,
        })
    }

    /// Opens the file of this number; its header must be of this repository and number.
    pub(crate) fn read<F: DeserializeOwned>(
        &self,
        kind: Kind,
        number: u64,
    ) -> Result<(Reader, F), Fault> {
        let path = self.path(kind, number);
        self.refuse_links(&path)?;
        let reader = Reader::open(&path)?;
        let expected = self.header(kind, number, 0, &())?;
        if reader.header.repository != expected.repository || reader.header.name != expected.name {
            let en = format!(
                "it says it is {} of repository {}",
                reader.header.name, reader.header.repository
            );
            return Err(damaged(&path, "名称与文件头不符", &en));
        }
        let facts = serde_json::from_value(reader.header.facts.clone())
            .map_err(|e| damaged(&path, "文件头有误", &format!("its facts: {e}")))?;
        Ok((reader, facts))
    }

    /// The folders on the way to a file must be folders, not links to elsewhere.
    fn refuse_links(&self, path: &Path) -> Result<(), Fault> {
        let mut folder = path.parent();
        while let Some(this) = folder.filter(|this| *this != self.folder) {
            let seen = std::fs::symlink_metadata(this).map_err(|e| io_fault(this, e))?;
            if !seen.is_dir() {
                return Err(damaged(
                    this,
                    "不是目录",
                    "a link or file instead of a folder",
                ));
            }
            folder = this.parent();
        }
        Ok(())
    }

    /// Numbers of the files of a kind, ascending.
    pub fn numbers(&self, kind: Kind) -> Result<Vec<u64>, Fault> {
        let (folders, ending) = match kind {
            Kind::Base => (vec![self.folder.join("bases")], ".base"),
            Kind::Segment => {
                let all = self.folder.join("segments");
                let folders = entries(&all)?
                    .into_iter()
                    .filter(|name| number_of(name, "").is_some())
                    .map(|name| all.join(name))
                    .collect();
                (folders, ".segment")
            }
        };
        let mut numbers = vec![];
        for folder in folders {
            let found = entries(&folder)?;
            numbers.extend(found.iter().filter_map(|name| {
                let number = number_of(name, ending)?;
                // Only under the very name it would be given.
                (self.path(kind, number) == folder.join(name)).then_some(number)
            }));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    pub(crate) fn entry<F: DeserializeOwned>(
        &self,
        kind: Kind,
        number: u64,
    ) -> Result<Entry<F>, Fault> {
        let (_, facts) = self.read(kind, number)?;
        let path = self.path(kind, number);
        let seen = std::fs::symlink_metadata(&path).map_err(|e| io_fault(&path, e))?;
        Ok(Entry {
            facts,
            bytes: seen.len(),
        })
    }

    /// Reads every header.
    pub fn contents(&self) -> Result<Contents, Fault> {
        let mut contents = Contents::default();
        self.refresh(&mut contents)?;
        Ok(contents)
    }

    /// The same, reading only headers of files not in `contents` yet.
    pub fn refresh(&self, contents: &mut Contents) -> Result<(), Fault> {
        let numbers = self.numbers(Kind::Base)?;
        contents
            .bases
            .retain(|b| numbers.binary_search(&b.facts.number).is_ok());
        for number in numbers {
            let known = contents
                .bases
                .binary_search_by_key(&number, |b| b.facts.number);
            if let Err(at) = known {
                contents.bases.insert(at, self.entry(Kind::Base, number)?);
            }
        }
        let numbers = self.numbers(Kind::Segment)?;
        contents
            .segments
            .retain(|s| numbers.binary_search(&s.facts.number).is_ok());
        for number in numbers {
            let known = contents
                .segments
                .binary_search_by_key(&number, |s| s.facts.number);
            if let Err(at) = known {
                let entry = self.entry(Kind::Segment, number)?;
                contents.segments.insert(at, entry);
            }
        }
        Ok(())
    }

    /// Removes the file of this number; gone already is as good.
    pub fn remove(&self, kind: Kind, number: u64) -> Result<(), Fault> {
        let path = self.path(kind, number);
        self.refuse_links(&path)?;
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io_fault(&path, e)),
            _ => Ok(()),
        }
    }

    /// Makes the folder a file of this number goes into.
    pub(crate) fn make_folder(&self, kind: Kind, number: u64) -> Result<(), Fault> {
        let path = self.path(kind, number);
        let folder = path.parent().unwrap_or(&self.folder);
        if !folder.is_dir() {
            std::fs::create_dir_all(folder).map_err(|e| io_fault(folder, e))?;
            sync_folder(folder).map_err(|e| io_fault(folder, e))?;
        }
        self.refuse_links(&path)
    }

    /// Removes what a crash left half written.
    fn sweep(&self) -> Result<(), Fault> {
        let mut folders = vec![
            self.folder.clone(),
            self.folder.join("bases"),
            self.folder.join("segments"),
        ];
        if let Some(newest) = entries(&self.folder.join("segments"))?.into_iter().max() {
            folders.push(self.folder.join("segments").join(newest));
        }
        for folder in folders {
            for name in entries(&folder)? {
                if name.starts_with(".part-") {
                    let path = folder.join(name);
                    std::fs::remove_file(&path).map_err(|e| io_fault(&path, e))?;
                }
            }
        }
        Ok(())
    }

    /// Reads a plain file of the repository; `None` when there is none.
    pub fn plain<T: DeserializeOwned>(&self, name: PlainFile) -> Result<Option<T>, Fault> {
        read_plain(&self.folder.join(name.name()))
    }

    /// Writes one; `durable`: on the disk before this returns.
    pub fn put_plain(
        &self,
        name: PlainFile,
        content: &impl Serialize,
        durable: bool,
    ) -> Result<(), Fault> {
        write_plain(&self.folder.join(name.name()), content, durable)
    }

    /// Removes one.
    pub fn remove_plain(&self, name: PlainFile) -> Result<(), Fault> {
        let path = self.folder.join(name.name());
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io_fault(&path, e)),
            _ => sync_folder(&path).map_err(|e| io_fault(&path, e)),
        }
    }
}

/// The plain files besides `repository.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainFile {
    /// The keys, wrapped.
    Keys,
    /// Until when everything is here.
    Covered,
    /// The database file of a city that stopped in order.
    Closed,
}

impl PlainFile {
    fn name(self) -> &'static str {
        match self {
            PlainFile::Keys => "keys.json",
            PlainFile::Covered => "covered.json",
            PlainFile::Closed => "closed.json",
        }
    }
}

fn lock(folder: &Path) -> Result<File, Fault> {
    let path = folder.join("lock");
    let lock = File::create(&path).map_err(|e| io_fault(&path, e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(occupied(
            format!("备份库正由另一进程写入：{}", folder.display()),
            format!("another process writes to {}", folder.display()),
        )),
        Err(TryLockError::Error(e)) => Err(io_fault(&path, e)),
    }
}

/// Names in a folder; an absent folder has none.
fn entries(folder: &Path) -> Result<Vec<String>, Fault> {
    let listed = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        listed => listed.map_err(|e| io_fault(folder, e))?,
    };
    let mut names = vec![];
    for entry in listed {
        let entry = entry.map_err(|e| io_fault(folder, e))?;
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}

fn number_of(name: &str, ending: &str) -> Option<u64> {
    let digits = name.strip_suffix(ending)?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

fn read_plain<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Fault> {
    let seen = match std::fs::symlink_metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        seen => seen.map_err(|e| io_fault(path, e))?,
    };
    if !seen.is_file() || seen.len() > PLAIN_LIMIT {
        return Err(damaged(
            path,
            "不是普通文件或过大",
            "no regular file, or too large",
        ));
    }
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(PLAIN_LIMIT).read_to_string(&mut text))
        .map_err(|e| io_fault(path, e))?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|e| damaged(path, "无法读取", &e.to_string()))
}

fn write_plain(path: &Path, content: &impl Serialize, durable: bool) -> Result<(), Fault> {
    let text = serde_json::to_string_pretty(content)
        .map_err(|e| Fault::internal("writing a file of the repository", e))?;
    let part = crate::sealed::part_of(path);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&part)?;
        file.write_all(text.as_bytes())?;
        if durable {
            file.sync_data()?;
        }
        std::fs::rename(&part, path)?;
        if durable { sync_folder(path) } else { Ok(()) }
    };
    write().map_err(|e| io_fault(path, e))
}
