//! Leaked passwords, known without asking anybody: a table of SHA-1 beginnings that is searched
//! where it lies. One is built in; an operator may add any list, up to the whole of Have I Been
//! Pwned, with `jicheng passwords import`.
//!
//! A file holds the passwords' SHA-1 in order, cut short: the first bits say which bucket, the
//! next 24 are stored. About 64 a bucket, so that a look-up reads one small piece of the file and
//! errs once in 260,000 passwords, three bytes an entry.

use kernel::{Fault, Problem, Words};
use sha1::{Digest, Sha1};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

const MAGIC: &[u8; 8] = b"JCBREACH";
/// Magic, bits of the bucket, number of entries.
const HEAD: u64 = 24;
/// Bytes stored of an entry.
const ENTRY: u64 = 3;
/// Entries of a bucket, about.
const IN_BUCKET: u64 = 64;
/// Bytes of a bucket's place in the index.
const PLACE: u64 = 8;
/// Entries that are sorted in memory when a list is not in order: 8 bytes each.
const UNSORTED_LIMIT: usize = 200_000_000;
/// Bytes of a line, at most; longer ones are not passwords.
const LINE_LIMIT: usize = 1024;

/// From the password lists of zxcvbn and zxcvbn-ts (MIT) and our own; see `lists/README.md`.
const BUILT_IN: &[u8] = include_bytes!("../lists/breached.bin");

enum Bytes {
    Here(&'static [u8]),
    File(File),
}

impl Bytes {
    fn read(&self, at: u64, into: &mut [u8]) -> std::io::Result<()> {
        match self {
            Bytes::Here(bytes) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX);
                let part = bytes.get(from..).and_then(|rest| rest.get(..into.len()));
                into.copy_from_slice(part.ok_or(std::io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
            Bytes::File(file) => {
                use std::os::unix::fs::FileExt;
                file.read_exact_at(into, at)
            }
        }
    }
}

/// One list.
struct List {
    bytes: Bytes,
    bits: u32,
    entries: u64,
}

/// All lists that are asked.
pub(crate) struct Breached(Vec<List>);

/// The beginning of a SHA-1, as a number.
fn beginning(digest: &[u8]) -> u64 {
    let mut eight = [0; 8];
    for (to, from) in eight.iter_mut().zip(digest) {
        *to = *from;
    }
    u64::from_be_bytes(eight)
}

/// Bucket and stored part of a beginning.
fn split(beginning: u64, bits: u32) -> (u64, u32) {
    let bucket = beginning.checked_shr(64 - bits).unwrap_or(0);
    let stored = beginning << bits >> 40;
    (bucket, stored as u32)
}

fn bits_for(entries: u64) -> u32 {
    let buckets = (entries / IN_BUCKET).max(1).next_power_of_two();
    buckets.trailing_zeros().clamp(1, 32)
}

impl List {
    fn open(bytes: Bytes) -> std::io::Result<List> {
        let mut head = [0; HEAD as usize];
        bytes.read(0, &mut head)?;
        let number = |at: usize| beginning(&head[at..at + 8]);
        let (bits, entries) = (number(8), number(16));
        if &head[..8] != MAGIC || !(1..=32).contains(&bits) {
            let cause = "no list made by `jicheng passwords import`";
            return Err(std::io::Error::other(cause));
        }
        let bits = bits as u32;
        Ok(List {
            bytes,
            bits,
            entries,
        })
    }

    fn holds(&self, digest: &[u8]) -> std::io::Result<bool> {
        let (bucket, stored) = split(beginning(digest), self.bits);
        let mut places = [0; 2 * PLACE as usize];
        self.bytes.read(HEAD + bucket * PLACE, &mut places)?;
        let (from, to) = (beginning(&places[..8]), beginning(&places[8..]));
        // A bucket of a sound list is small; a damaged one is not believed.
        if from > to || to > self.entries || to - from > 1 << 16 {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let mut bucket = vec![0; ((to - from) * ENTRY) as usize];
        let table = HEAD + ((1_u64 << self.bits) + 1) * PLACE;
        self.bytes.read(table + from * ENTRY, &mut bucket)?;
        let wanted = &stored.to_be_bytes()[1..];
        Ok(bucket
            .chunks_exact(ENTRY as usize)
            .any(|entry| entry == wanted))
    }
}

impl Breached {
    /// The built-in list and, when there is one, the operator's.
    pub(crate) fn open(file: Option<&Path>) -> Result<Breached, Fault> {
        let doing = "opening the list of leaked passwords";
        let built_in = List::open(Bytes::Here(BUILT_IN)).map_err(|e| Fault::internal(doing, e))?;
        let mut lists = vec![built_in];
        if let Some(path) = file {
            let list = File::open(path).and_then(|file| List::open(Bytes::File(file)));
            let cause = |e| Fault::internal(doing, format!("{}: {e}", path.display()));
            lists.push(list.map_err(cause)?);
        }
        Ok(Breached(lists))
    }

    /// Was this password, or the same in small letters, leaked? A list that cannot be read says no.
    pub(crate) fn holds(&self, password: &str) -> bool {
        let mut forms = vec![password.to_string(), password.to_lowercase()];
        forms.dedup();
        forms.iter().any(|form| {
            let digest = Sha1::digest(form.as_bytes());
            self.0
                .iter()
                .any(|list| list.holds(&digest).unwrap_or(false))
        })
    }
}

/// What a line of a list says: a SHA-1 in hexadecimal (`HASH` or `HASH:COUNT`, the format of Have
/// I Been Pwned), or else a password.
fn read_line(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() || line.len() > LINE_LIMIT {
        return None;
    }
    let (hash, count) = line.split_at(line.len().min(40));
    let counted = count.is_empty()
        || (count[0] == b':' && count.len() > 1 && count[1..].iter().all(u8::is_ascii_digit));
    if hash.len() == 40 && counted && hash.iter().all(u8::is_ascii_hexdigit) {
        let digit = |b: u8| char::from(b).to_digit(16).map(u64::from);
        return hash[..16]
            .iter()
            .try_fold(0, |number, b| Some(number << 4 | digit(*b)?));
    }
    Some(beginning(&Sha1::digest(line)))
}

fn each(source: &Path, mut work: impl FnMut(u64)) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(source)?);
    let mut line = vec![];
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if let Some(entry) = read_line(&line) {
            work(entry);
        }
    }
}

/// Makes a list at `target` from a text file of passwords or of SHA-1 hashes, one a line. Hashes
/// in order are never held in memory; anything else is sorted there. Says how many there were.
pub fn import(source: &Path, target: &Path) -> Result<u64, Fault> {
    let wrong = |at: &Path, e: std::io::Error| {
        Fault::invalid_at(
            at.display().to_string(),
            format!("无法导入泄露口令名单：{e}"),
            format!("the list of leaked passwords cannot be imported: {e}"),
        )
    };
    let (mut entries, mut last, mut ordered) = (0_u64, None, true);
    let survey = each(source, |entry| {
        ordered &= last <= Some(entry);
        entries += u64::from(last != Some(entry));
        last = Some(entry);
    });
    survey.map_err(|e| wrong(source, e))?;
    if entries == 0 {
        return Err(wrong(source, std::io::Error::other("0 lines")));
    }
    let mut sorted = vec![];
    if !ordered {
        if entries > UNSORTED_LIMIT as u64 {
            let cause = "more than 200,000,000 lines must be sorted by SHA-1";
            return Err(wrong(source, std::io::Error::other(cause)));
        }
        each(source, |entry| sorted.push(entry)).map_err(|e| wrong(source, e))?;
        sorted.sort_unstable();
        sorted.dedup();
        entries = sorted.len() as u64;
    }
    let all = |work: &mut dyn FnMut(u64)| -> std::io::Result<()> {
        if !ordered {
            sorted.iter().for_each(|entry| work(*entry));
            return Ok(());
        }
        let mut last = None;
        each(source, |entry| {
            if last != Some(entry) {
                work(entry);
            }
            last = Some(entry);
        })
    };
    // Beside the target and then moved, so that a running city never sees half a list.
    let half = target.with_extension("part");
    write(&half, entries, all)
        .and_then(|()| std::fs::rename(&half, target))
        .map_err(|e| wrong(target, e))?;
    Ok(entries)
}

fn write(
    path: &Path,
    entries: u64,
    all: impl Fn(&mut dyn FnMut(u64)) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let bits = bits_for(entries);
    let mut places = vec![0_u64; (1_usize << bits) + 1];
    all(&mut |entry| places[split(entry, bits).0 as usize + 1] += 1)?;
    for bucket in 1..places.len() {
        places[bucket] += places[bucket - 1];
    }
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(MAGIC)?;
    file.write_all(&u64::from(bits).to_be_bytes())?;
    file.write_all(&entries.to_be_bytes())?;
    for place in &places {
        file.write_all(&place.to_be_bytes())?;
    }
    let mut written = Ok(());
    all(&mut |entry| {
        if written.is_ok() {
            written = file.write_all(&split(entry, bits).1.to_be_bytes()[1..]);
        }
    })?;
    written?;
    file.into_inner()?.sync_all()
}

/// The problem of a leaked password; `at` is the field it came in.
pub(crate) fn problem(at: &str) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(
            "这个密码太常见或已在网上泄露，容易被猜到",
            "this password is common or was leaked; it is easily guessed",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn the_built_in_list_knows_what_people_choose() {
        let list = Breached::open(None).unwrap();
        assert!(list.0[0].entries > 40_000, "{}", list.0[0].entries);
        for known in [
            "password",
            "PassWord",
            "iloveyou",
            "woaini1314",
            "1qaz2wsx",
            "football",
        ] {
            assert!(list.holds(known), "{known}");
        }
        for unknown in ["correct horse", "密码要长一些才好", "kX9-tree-lamp-42"] {
            assert!(!list.holds(unknown), "{unknown}");
        }
    }

    #[test]
    fn any_list_is_imported_and_errs_rarely() {
        let folder = std::env::temp_dir().join(format!("breach-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (plain, hashed) = (folder.join("plain.txt"), folder.join("hashed.txt"));
        let name = |n: u32| format!("leaked-{n}-pass");
        let mut text = String::from("\r\n\n");
        let mut hashes = vec![];
        for n in 0..20_000 {
            write!(text, "{}\r\n", name(n)).unwrap();
            let digest = Sha1::digest(name(n).as_bytes());
            hashes.push(crate::secrets::hex(&digest).to_uppercase() + ":7");
        }
        hashes.sort();
        std::fs::write(&plain, &text).unwrap();
        std::fs::write(&hashed, hashes.join("\n")).unwrap();
        let mut files = vec![];
        for source in [&plain, &hashed] {
            let target = source.with_extension("bin");
            assert_eq!(import(source, &target).unwrap(), 20_000);
            let list = Breached::open(Some(&target)).unwrap();
            assert!((0..20_000).all(|n| list.holds(&name(n))), "none is missed");
            let wrong = (20_000..220_000).filter(|n| list.holds(&name(*n))).count();
            assert!(wrong <= 8, "{wrong} of 200,000 are wrongly named");
            files.push(std::fs::read(&target).unwrap());
        }
        assert!(
            files[0] == files[1],
            "the same passwords make the same list"
        );
        for broken in [
            &b"nothing"[..],
            &files[0][..40],
            &files[0][..files[0].len() / 2],
        ] {
            let path = folder.join("broken.bin");
            std::fs::write(&path, broken).unwrap();
            if let Ok(list) = Breached::open(Some(&path)) {
                list.holds("leaked-1-pass");
            }
        }
        assert!(import(&folder.join("missing"), &plain).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
