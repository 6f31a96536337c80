//! Looks at what somebody brings: what it is by its content, whether its name says the same, and
//! everything that speaks against keeping it. Pure, and bounded in time and room for any bytes.

mod images;
mod ofd;
mod pdf;

use kernel::Problem;
use kernel::Words;
use kernel::documents::FileKind;

/// Characters of a name, at most.
const NAME_LIMIT: usize = 200;

/// What is accepted.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a file.
    pub bytes: usize,
    /// Pages of a PDF.
    pub pages: u32,
    /// Pixels of an image.
    pub pixels: u64,
    /// Kinds.
    pub kinds: Vec<FileKind>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bytes: 20 << 20,
            pages: 200,
            pixels: 100_000_000,
            kinds: FileKind::ALL.to_vec(),
        }
    }
}

/// What a file was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Kind, by content.
    pub kind: FileKind,
    /// Pages, where the kind has them.
    pub pages: Option<u32>,
    /// Its name, cleaned.
    pub name: String,
}

pub(crate) fn problem(at: &str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(zh, en),
    }
}

/// What these bytes are; never by a name.
pub fn kind_of(bytes: &[u8]) -> Option<FileKind> {
    if bytes.starts_with(b"%PDF-") {
        Some(FileKind::Pdf)
    } else if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        Some(FileKind::Jpeg)
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(FileKind::Png)
    } else if bytes.starts_with(b"PK\x03\x04") && ofd::is_ofd(bytes) {
        Some(FileKind::Ofd)
    } else {
        None
    }
}

/// The name without folders and without what does not belong into a name.
fn clean(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    // Marks that turn the direction of writing make an ending look like another.
    let turns = |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
    let kept = last.chars().filter(|c| !c.is_control() && !turns(*c));
    let kept: String = kept
        .map(|c| if "<>:\"|?*".contains(c) { '_' } else { c })
        .collect();
    kept.trim().trim_start_matches('.').to_owned()
}

/// Judges a file. Every problem is named, not only the first.
pub fn inspect(name: &str, bytes: &[u8], limits: &Limits) -> Result<Found, Vec<Problem>> {
    let mut problems = vec![];
    let name = clean(name);
    if name.chars().count() > NAME_LIMIT {
        problems.push(problem(
            "name",
            format!("文件名超过 {NAME_LIMIT} 个字"),
            format!("the name is longer than {NAME_LIMIT} characters"),
        ));
    }
    if bytes.is_empty() {
        problems.push(problem("content", "文件是空的", "the file is empty"));
        return Err(problems);
    }
    if bytes.len() > limits.bytes {
        problems.push(too_big(bytes.len(), limits.bytes));
        return Err(problems);
    }
    let accepted: Vec<&str> = limits.kinds.iter().map(|kind| kind.word()).collect();
    let listed = accepted.join(", ").to_uppercase();
    let accepted = accepted.join("、").to_uppercase();
    let Some(kind) = kind_of(bytes) else {
        problems.push(problem(
            "content",
            format!("文件的内容不是可接受的类型（{accepted}）"),
            format!("the content is of no kind that is accepted ({listed})"),
        ));
        return Err(problems);
    };
    if !limits.kinds.contains(&kind) {
        let word = kind.word().to_uppercase();
        problems.push(problem(
            "content",
            format!("此处不接受 {word}，可接受：{accepted}"),
            format!("{word} is not accepted here; accepted: {listed}"),
        ));
    }
    problems.extend(name_mismatch(&name, kind));
    let pages = match kind {
        FileKind::Pdf => pdf::inspect(bytes, limits.pages, &mut problems),
        FileKind::Jpeg => images::jpeg(bytes, limits.pixels, &mut problems),
        FileKind::Png => images::png(bytes, limits.pixels, &mut problems),
        FileKind::Ofd => {
            ofd::inspect(bytes, &mut problems);
            None
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let name = match name.is_empty() || name.starts_with('.') {
        true => format!("file.{}", kind.endings()[0]),
        false => name,
    };
    Ok(Found { kind, pages, name })
}

pub(crate) fn too_big(size: usize, limit: usize) -> Problem {
    let mb = |n: usize| n as f64 / f64::from(1 << 20);
    problem(
        "content",
        format!("文件 {:.1} MB，超过 {:.1} MB", mb(size), mb(limit)),
        format!(
            "the file has {:.1} MB; {:.1} MB are allowed",
            mb(size),
            mb(limit)
        ),
    )
}

fn name_mismatch(name: &str, kind: FileKind) -> Option<Problem> {
    let (_, ending) = name.rsplit_once('.').unwrap_or_default();
    let fits = kind.endings().contains(&ending.to_lowercase().as_str());
    (!fits && !name.is_empty()).then(|| {
        let word = kind.word().to_uppercase();
        problem(
            "name",
            format!("文件名“{name}”与内容（{word}）不符"),
            format!("the name \"{name}\" does not fit the content ({word})"),
        )
    })
}
