//! OFD (GB/T 33190) by the directory of its ZIP: nothing is unpacked.

use super::problem;
use kernel::Problem;

/// Entries, at most.
const ENTRIES: usize = 20_000;
/// Bytes all entries say they unpack to, at most.
const UNPACKED: u64 = 300 << 20;
/// Bytes of a comment behind the end, at most (the length has 16 bits).
const COMMENT: usize = 65_535 + 22;

struct Entry<'a> {
    name: &'a [u8],
    encrypted: bool,
    size: u64,
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(length)?)?;
    Some(
        part.iter()
            .rev()
            .fold(0, |sum, b| sum * 256 + u64::from(*b)),
    )
}

/// The directory (APPNOTE 4.3.12, 4.3.16).
fn directory(bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
    let from = bytes.len().saturating_sub(COMMENT);
    let ends = bytes[from..].windows(4).rposition(|w| w == b"PK\x05\x06")?;
    let end = from + ends;
    let count = number(bytes, end + 10, 2)? as usize;
    let mut at = number(bytes, end + 16, 4)? as usize;
    if count > ENTRIES {
        return None;
    }
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        if bytes.get(at..at.checked_add(4)?)? != b"PK\x01\x02" {
            return None;
        }
        let length = |place: usize| number(bytes, place, 2).map(|n| n as usize);
        let name = length(at + 28)?;
        let more = length(at + 30)? + length(at + 32)?;
        entries.push(Entry {
            name: bytes.get(at + 46..at + 46 + name)?,
            encrypted: number(bytes, at + 8, 2)? & 1 == 1,
            size: number(bytes, at + 24, 4)?,
        });
        at = at + 46 + name + more;
    }
    Some(entries)
}

/// Is this ZIP an OFD? `OFD.xml` stands at its top.
pub(super) fn is_ofd(bytes: &[u8]) -> bool {
    let entries = directory(bytes).unwrap_or_default();
    entries.iter().any(|entry| entry.name == b"OFD.xml")
}

pub(super) fn inspect(bytes: &[u8], problems: &mut Vec<Problem>) {
    let Some(entries) = directory(bytes) else {
        let (zh, en) = ("OFD 文件已损坏", "the OFD is damaged");
        problems.push(problem("content", zh, en));
        return;
    };
    if entries.iter().any(|entry| entry.encrypted) {
        problems.push(problem(
            "content",
            "文件已加密，请去除密码后再上传",
            "the file is encrypted; remove the password",
        ));
    }
    let size: u64 = entries.iter().map(|entry| entry.size).sum();
    if size > UNPACKED {
        let (zh, en) = ("OFD 解压后过大", "the OFD unpacks to too much");
        problems.push(problem("content", zh, en));
    }
    let leads_out = |entry: &Entry<'_>| {
        entry.name.starts_with(b"/")
            || entry.name.contains(&b'\\')
            || entry.name.split(|b| *b == b'/').any(|part| part == b"..")
    };
    if entries.iter().any(leads_out) {
        problems.push(problem(
            "content",
            "OFD 中有指向外部的路径",
            "the OFD has paths that lead out of it",
        ));
    }
}
