//! OFD (GB/T 33190-2016): the same sheets as a ZIP of XML, lengths in millimetres. Characters are
//! text, drawn by the reader with the machine's Song font; nothing is embedded and nothing sealed:
//! the signed form of a letter is its PDF.

use super::flow::Line;
use super::sheet::{About, MM, Mark, Sheets};
use flate2::Crc;
use sha2::{Digest, Sha256};
use std::fmt::Write;

const NAMESPACE: &str = "xmlns:ofd=\"http://www.ofdspec.org/2016\"";
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
/// Identification of the one font.
const FONT: u32 = 1;

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Writes one page; identifications go on from page to page.
struct Page<'a> {
    out: String,
    next: &'a mut u32,
}

impl Page<'_> {
    fn id(&mut self) -> u32 {
        *self.next += 1;
        *self.next
    }

    /// A line whose beginning is moved by the matrix to its place on the page (9.1, CTM).
    fn text(
        &mut self,
        line: &Line,
        matrix: [f32; 6],
        size: f32,
        (r, g, b): (u8, u8, u8),
        bold: bool,
        opacity: f32,
    ) {
        let Some(first) = line.placed.first() else {
            return;
        };
        let id = self.id();
        let [a, bb, c, d, e, f] = matrix;
        let (x, size) = (first.x / MM, size / MM);
        let weight = if bold { " Weight=\"700\"" } else { "" };
        let alpha = (opacity * 255.0) as u8;
        let steps: Vec<String> = line
            .placed
            .windows(2)
            .map(|pair| format!("{:.3}", (pair[1].x - pair[0].x) / MM))
            .collect();
        let steps = match steps.is_empty() {
            true => String::new(),
            false => format!(" DeltaX=\"{}\"", steps.join(" ")),
        };
        let text: String = line.placed.iter().map(|placed| placed.c).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            self.out,
            "<ofd:TextObject ID=\"{id}\" Boundary=\"0 0 210 297\" CTM=\"{a:.5} {bb:.5} {c:.5} {d:.5} {:.3} {:.3}\" Font=\"{FONT}\" Size=\"{size:.3}\"{weight} Alpha=\"{alpha}\"><ofd:FillColor Value=\"{r} {g} {b}\"/><ofd:TextCode X=\"{x:.3}\" Y=\"0\"{steps}>{}</ofd:TextCode></ofd:TextObject>",
            e / MM,
            f / MM,
            escaped(&text),
        );
    }

    fn path(&mut self, data: &str, width: Option<f32>, (r, g, b): (u8, u8, u8)) {
        let id = self.id();
        let (how, colour) = match width {
            Some(width) => (
                format!(
                    "LineWidth=\"{:.3}\" Stroke=\"true\" Fill=\"false\"",
                    width / MM
                ),
                "StrokeColor",
            ),
            None => ("Stroke=\"false\" Fill=\"true\"".into(), "FillColor"),
        };
        let _ = writeln!(
            self.out,
            "<ofd:PathObject ID=\"{id}\" Boundary=\"0 0 210 297\" {how}><ofd:{colour} Value=\"{r} {g} {b}\"/><ofd:AbbreviatedData>{data}</ofd:AbbreviatedData></ofd:PathObject>",
        );
    }

    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Text {
                line,
                at,
                size,
                colour,
                bold,
            } => {
                let matrix = [1.0, 0.0, 0.0, 1.0, at.0, at.1];
                self.text(line, matrix, *size, *colour, *bold, 1.0);
            }
            Mark::Area { shape, colour } => self.path(&shape.abbreviated(MM), None, *colour),
            Mark::Outline {
                shape,
                width,
                colour,
            } => self.path(&shape.abbreviated(MM), Some(*width), *colour),
            Mark::Turned {
                line,
                at,
                turned,
                size,
                colour,
                opacity,
            } => {
                let (sin, cos) = turned.to_radians().sin_cos();
                // The middle of the line stands at the place.
                let half = line.width / 2.0;
                let (x, y) = (at.0 - half * cos, at.1 - half * sin);
                let matrix = [cos, sin, -sin, cos, x, y];
                self.text(line, matrix, *size, *colour, false, *opacity);
            }
        }
    }
}

/// The document.
pub(super) fn ofd(sheets: &Sheets, about: &About<'_>) -> Vec<u8> {
    let (y, mo, d, ..) = about.at.beijing_fields();
    let named = format!("{}\n{}\n{}", about.title, about.author, about.at.0);
    let digest = Sha256::digest(named);
    let id: String = digest[..16].iter().map(|b| format!("{b:02x}")).collect();
    let mut next = FONT;
    let mut files: Vec<(String, String)> = vec![];
    let mut pages = String::new();
    for (n, marks) in sheets.pages.iter().enumerate() {
        let mut page = Page {
            out: String::new(),
            next: &mut next,
        };
        let (page_id, layer) = (page.id(), page.id());
        marks.iter().for_each(|mark| page.mark(mark));
        let content = format!(
            "{HEAD}<ofd:Page {NAMESPACE}><ofd:Area><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:Area><ofd:Content><ofd:Layer ID=\"{layer}\" Type=\"Body\">\n{}</ofd:Layer></ofd:Content></ofd:Page>\n",
            page.out
        );
        files.push((format!("Doc_0/Pages/Page_{n}/Content.xml"), content));
        let _ = write!(
            pages,
            "<ofd:Page ID=\"{page_id}\" BaseLoc=\"Pages/Page_{n}/Content.xml\"/>"
        );
    }
    // GB/T 33190, 7.4: names and values of whoever writes the document, after everything else.
    let mut custom = String::new();
    for (name, value) in about.elements {
        let (name, value) = (escaped(name), escaped(value));
        let _ = write!(
            custom,
            "<ofd:CustomData Name=\"{name}\">{value}</ofd:CustomData>"
        );
    }
    if !custom.is_empty() {
        custom = format!("<ofd:CustomDatas>{custom}</ofd:CustomDatas>");
    }
    let first = [
        (
            "OFD.xml",
            format!(
                "{HEAD}<ofd:OFD {NAMESPACE} Version=\"1.0\" DocType=\"OFD\"><ofd:DocBody><ofd:DocInfo><ofd:DocID>{id}</ofd:DocID><ofd:Title>{}</ofd:Title><ofd:Author>{}</ofd:Author><ofd:CreationDate>{y:04}-{mo:02}-{d:02}</ofd:CreationDate><ofd:Creator>Jicheng</ofd:Creator>{custom}</ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>\n",
                escaped(about.title),
                escaped(about.author)
            ),
        ),
        (
            "Doc_0/Document.xml",
            format!(
                "{HEAD}<ofd:Document {NAMESPACE}><ofd:CommonData><ofd:MaxUnitID>{next}</ofd:MaxUnitID><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea><ofd:PublicRes>PublicRes.xml</ofd:PublicRes></ofd:CommonData><ofd:Pages>{pages}</ofd:Pages></ofd:Document>\n"
            ),
        ),
        (
            "Doc_0/PublicRes.xml",
            format!(
                "{HEAD}<ofd:Res {NAMESPACE} BaseLoc=\"Res\"><ofd:Fonts><ofd:Font ID=\"{FONT}\" FontName=\"宋体\" FamilyName=\"宋体\"/></ofd:Fonts></ofd:Res>\n"
            ),
        ),
    ];
    let first = first.map(|(name, text)| (name.to_owned(), text));
    zip(first.into_iter().chain(files))
}

/// A ZIP whose entries are stored as they are (APPNOTE 4.3), with a day that never changes.
fn zip(files: impl Iterator<Item = (String, String)>) -> Vec<u8> {
    let (mut out, mut directory, mut count) = (vec![], vec![], 0_u16);
    for (name, text) in files {
        let mut crc = Crc::new();
        crc.update(text.as_bytes());
        let offset = out.len() as u32;
        let mut common = vec![];
        // Version 2.0, names in UTF-8, stored, 1980-01-01.
        for number in [20_u16, 1 << 11, 0, 0, 0x21] {
            common.extend(number.to_le_bytes());
        }
        let size = text.len() as u32;
        for number in [crc.sum(), size, size] {
            common.extend(number.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(text.as_bytes());
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
        count += 1;
    }
    let (at, size) = (out.len() as u32, directory.len() as u32);
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    out
}
