//! A second place: the repository copied file by file into another folder (another disk, a mount
//! of another house). Only what is missing there is copied; each copy is read back and compared.
//! Segments go before bases, so that a base there always has what it needs.

use crate::faults::{damaged, io_fault, occupied};
use crate::repository::{Kind, PlainFile, Repository};
use crate::sealed::{Reader, part_of, sync_folder};
use kernel::Fault;
use serde::Serialize;
use std::fs::File;
use std::path::Path;

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Files copied.
    pub files: u64,
    /// Files that were there.
    pub kept: u64,
    /// Files removed there because the first place has forgotten them.
    pub removed: u64,
    /// Bytes copied.
    pub bytes: u64,
}

/// Copies what is missing to `to`. With `prune`, what this repository has forgotten goes there too.
pub fn copy(
    from: &Repository,
    to: &Path,
    prune: bool,
    mut progress: impl FnMut(u64),
) -> Result<Copied, Fault> {
    let target = open_target(from, to)?;
    let mut copied = Copied::default();
    for kind in [Kind::Segment, Kind::Base] {
        let there = target.numbers(kind)?;
        for number in from.numbers(kind)? {
            let (source, copy) = (from.path(kind, number), target.path(kind, number));
            let bytes = size(&source)?;
            if there.binary_search(&number).is_ok() && size(&copy)? == bytes {
                copied.kept += 1;
                continue;
            }
            target.make_folder(kind, number)?;
            copy_file(&source, &copy)?;
            copied.files += 1;
            copied.bytes += bytes;
            progress(copied.bytes);
        }
    }
    for kind in [Kind::Base, Kind::Segment] {
        let here = from.numbers(kind)?;
        let there = target.numbers(kind)?;
        for number in there.iter().filter(|n| here.binary_search(n).is_err()) {
            if prune {
                target.remove(kind, *number)?;
                copied.removed += 1;
            }
        }
    }
    for name in [PlainFile::Keys, PlainFile::Covered] {
        if let Some(content) = from.plain::<serde_json::Value>(name)? {
            target.put_plain(name, &content, true)?;
        }
    }
    Ok(copied)
}

fn open_target(from: &Repository, to: &Path) -> Result<Repository, Fault> {
    let same = match (from.folder().canonicalize(), to.canonicalize()) {
        (Ok(here), Ok(there)) => here == there,
        _ => false,
    };
    if same {
        return Err(occupied(
            "目标就是备份库本身",
            "that is the repository itself",
        ));
    }
    let target = Repository::open_to_copy(to, from.identity())?;
    if target.identity().id != from.identity().id {
        return Err(occupied(
            format!("目标是另一个备份库：{}", to.display()),
            format!("{} is another repository", to.display()),
        ));
    }
    Ok(target)
}

fn size(path: &Path) -> Result<u64, Fault> {
    let seen = std::fs::symlink_metadata(path).map_err(|e| io_fault(path, e))?;
    Ok(seen.len())
}

fn copy_file(source: &Path, copy: &Path) -> Result<(), Fault> {
    let digest = Reader::open(source)?.digest()?;
    let part = part_of(copy);
    let work = || -> std::io::Result<()> {
        std::fs::copy(source, &part)?;
        File::open(&part)?.sync_all()
    };
    work().map_err(|e| io_fault(&part, e))?;
    if Reader::open(&part)?.digest()? != digest {
        let _ = std::fs::remove_file(&part);
        let en = "the copy differs from what was read";
        return Err(damaged(copy, "副本与原件不符", en));
    }
    let work = || -> std::io::Result<()> {
        std::fs::rename(&part, copy)?;
        sync_folder(copy)
    };
    work().map_err(|e| io_fault(copy, e))
}
