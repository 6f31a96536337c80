//! PDF: pages counted by walking the tree within limits, and everything refused that acts or
//! hides: encryption, scripts, programs, files inside.

use super::problem;
use crate::pdf::scan::{Scan, scan};
use crate::pdf::{Dictionary, Object};
use kernel::Problem;
use std::collections::BTreeSet;

/// Levels of a page tree, at most; real ones have a handful.
const LEVELS: usize = 60;
/// Nodes visited, at most.
const NODES: usize = 200_000;
/// Bytes of an unreadable object that are looked through for suspicious names.
const SUSPECT: usize = 16 << 10;

/// What must not be inside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Danger {
    Script,
    Program,
    Files,
    Media,
}

impl Danger {
    fn problem(self) -> Problem {
        let (zh, en) = match self {
            Danger::Script => (
                "PDF 中含有脚本（JavaScript 或 XFA）",
                "the PDF contains scripts (JavaScript or XFA)",
            ),
            Danger::Program => (
                "PDF 中含有启动程序或提交数据的动作",
                "the PDF contains actions that start programs or send data",
            ),
            Danger::Files => ("PDF 中嵌有其他文件", "the PDF has other files inside"),
            Danger::Media => (
                "PDF 中嵌有多媒体内容",
                "the PDF has multimedia content inside",
            ),
        };
        problem("content", zh, en)
    }

    /// What a name means where it stands as a key.
    fn of_key(name: &[u8]) -> Option<Danger> {
        Some(match name {
            b"JS" | b"JavaScript" | b"XFA" => Danger::Script,
            b"EmbeddedFiles" | b"EF" => Danger::Files,
            b"RichMediaContent" | b"RichMediaSettings" => Danger::Media,
            _ => return None,
        })
    }

    /// What a name means as the kind of an action, an annotation or a stream.
    fn of_kind(name: &[u8]) -> Option<Danger> {
        Some(match name {
            b"JavaScript" => Danger::Script,
            b"Launch" | b"SubmitForm" | b"ImportData" => Danger::Program,
            b"EmbeddedFile" | b"FileAttachment" => Danger::Files,
            b"RichMedia" | b"Rendition" | b"Movie" | b"Sound" | b"3D" => Danger::Media,
            _ => return None,
        })
    }
}

/// Judges a PDF and says how many pages it has.
pub(super) fn inspect(bytes: &[u8], most: u32, problems: &mut Vec<Problem>) -> Option<u32> {
    let end = bytes.len().saturating_sub(4096);
    if !bytes[end..].windows(5).any(|w| w == b"%%EOF") {
        problems.push(problem(
            "content",
            "PDF 不完整（没有结束标记）",
            "the PDF is cut off (its end is missing)",
        ));
    }
    let found = scan(bytes);
    if found.trailers.iter().any(|t| t.get("Encrypt").is_some()) {
        problems.push(problem(
            "content",
            "PDF 已加密，请去除密码后再上传",
            "the PDF is encrypted; remove the password",
        ));
        return None;
    }
    if found.beyond {
        problems.push(problem(
            "content",
            "PDF 的对象过多或解压后过大",
            "the PDF has too many objects, or unpacks to too much",
        ));
        return None;
    }
    if found.odd_packing {
        problems.push(problem(
            "content",
            "PDF 的部分内容以少见的方式压缩，无法检查；请重新另存为 PDF",
            "parts of the PDF are packed in an unusual way and cannot be examined; save it anew",
        ));
    }
    problems.extend(dangers(bytes, &found).into_iter().map(Danger::problem));
    let pages = count(&found, most);
    match pages {
        None => problems.push(problem(
            "content",
            "PDF 已损坏：找不到它的页面",
            "the PDF is damaged: its pages cannot be found",
        )),
        Some(pages) if pages > most => problems.push(problem(
            "content",
            format!("PDF 超过 {most} 页"),
            format!("the PDF has more than {most} pages"),
        )),
        Some(_) => {}
    }
    pages
}

fn dangers(bytes: &[u8], found: &Scan) -> BTreeSet<Danger> {
    let mut dangers = BTreeSet::new();
    for object in &found.all {
        look(object, &mut dangers);
    }
    for &at in &found.unreadable {
        suspect(&bytes[at..bytes.len().min(at + SUSPECT)], &mut dangers);
    }
    dangers
}

fn look(object: &Object, dangers: &mut BTreeSet<Danger>) {
    match object {
        Object::Array(items) => items.iter().for_each(|item| look(item, dangers)),
        Object::Dictionary(dictionary) => {
            for (key, value) in &dictionary.0 {
                dangers.extend(Danger::of_key(key));
                let kind = [&b"S"[..], b"Type", b"Subtype"].contains(&key.as_slice());
                if let (true, Object::Name(name)) = (kind, value) {
                    dangers.extend(Danger::of_kind(name));
                }
                look(value, dangers);
            }
        }
        _ => {}
    }
}

/// An object that cannot be read here, and perhaps elsewhere: refused when names in it mean danger.
fn suspect(bytes: &[u8], dangers: &mut BTreeSet<Danger>) {
    let end = bytes.windows(6).position(|w| w == b"endobj");
    let bytes = &bytes[..end.unwrap_or(bytes.len())];
    let starts = bytes.iter().enumerate().filter(|(_, b)| **b == b'/');
    for (at, _) in starts {
        // A name is short; one value is enough.
        let near = &bytes[at..bytes.len().min(at + 80)];
        let mut reader = crate::pdf::read::Reader::new(near, 0, 1);
        if let Some(Object::Name(name)) = reader.object() {
            dangers.extend(Danger::of_key(&name));
            dangers.extend(Danger::of_kind(&name));
        }
    }
}

/// Pages, counted no further than one beyond what is allowed. `None` when there is no tree.
fn count(found: &Scan, most: u32) -> Option<u32> {
    let root = found.root()?;
    let top = found.entry(root, "Pages").dictionary()?;
    let mut open: Vec<(&Dictionary, usize)> = vec![(top, 0)];
    let (mut pages, mut nodes) = (0_u32, 0);
    while let Some((node, level)) = open.pop() {
        nodes += 1;
        if pages > most || nodes > NODES || level > LEVELS {
            // A tree that turns in a circle, or grows by pointing at itself: more than allowed.
            return Some(most.saturating_add(1));
        }
        match found.entry(node, "Kids").array() {
            Some(kids) => {
                let room = NODES.saturating_sub(open.len());
                let kids = kids.iter().take(room);
                let kids = kids.filter_map(|kid| found.resolve(kid).dictionary());
                open.extend(kids.map(|kid| (kid, level + 1)));
            }
            None => pages += 1,
        }
    }
    (pages > 0).then_some(pages)
}
