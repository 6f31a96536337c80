//! A letter of an office on A4, after GB/T 9704-2012: office and title in the middle, number, body
//! in size 3 with two characters of indent, office and date below on the right under the round
//! seal, page numbers at the foot; besides it a code anybody can verify with.

use super::Drawn;
use super::flow::{self, Line};
use super::seal::{DIAMETER, seal};
use super::shape::Shape;
use super::sheet::{About, BLACK, GREY, HEIGHT, MM, Mark, PAGES, Sheets, WIDTH, one_line, qr};
use crate::fonts::{Fonts, Lookup};
use crate::template::{Block, Piece, Template, printed};
use kernel::documents::Office;
use kernel::{Fault, Time};
use serde_json::{Map, Value};

const TOP: f32 = 37.0 * MM;
const LEFT: f32 = 28.0 * MM;
const ROOM: f32 = 156.0 * MM;
const BOTTOM: f32 = HEIGHT - 35.0 * MM;
/// Size 3 (三号).
const BODY: f32 = 16.0;
const PITCH: f32 = 28.0;
/// Size 2 (二号).
const TITLE: f32 = 22.0;
const CELL: f32 = 12.0;
const CELL_PITCH: f32 = 17.0;
const PAD: f32 = 4.0;
/// What office, date and seal need.
const CLOSING: f32 = 53.0 * MM;
const CODE: f32 = 26.0 * MM;

/// Page of a seal, from 0, and its place in points from the lower left.
pub(super) type Sealed = (usize, [f32; 4]);

/// What a letter says.
pub(crate) struct LetterText<'a> {
    pub(crate) template: &'a Template,
    pub(crate) office: &'a Office,
    pub(crate) number: &'a str,
    pub(crate) check: &'a str,
    pub(crate) at: Time,
    pub(crate) fields: &'a Map<String, Value>,
    /// What the QR code says.
    pub(crate) qr: &'a str,
}

/// A day as letters write it: 2026年11月25日.
pub(super) fn day(at: Time) -> String {
    let (y, m, d, ..) = at.beijing_fields();
    format!("{y}年{m}月{d}日")
}

impl LetterText<'_> {
    fn field(&self, name: &str) -> Option<String> {
        let built_in = match name {
            "office" => Some(self.office.name.clone()),
            "number" => Some(self.number.to_owned()),
            "check" => Some(self.check.to_owned()),
            "date" => Some(day(self.at)),
            _ => None,
        };
        let given = || self.fields.get(name).and_then(printed);
        built_in
            .or_else(given)
            .filter(|text| !text.trim().is_empty())
    }

    /// The text of a paragraph; `None` when a field of it is not there.
    fn fill(&self, pieces: &[Piece]) -> Option<String> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Words(words) => text.push_str(words),
                Piece::Field(name) => text.push_str(&self.field(name)?),
                Piece::Column(_) | Piece::Row => {}
            }
        }
        Some(text)
    }
}

/// Where the next line goes.
pub(super) struct Pen<'a> {
    pub(super) lookup: Lookup<'a>,
    pub(super) sheets: Sheets,
    pub(super) page: usize,
    pub(super) y: f32,
    bottom: f32,
    /// Points between lines of the body.
    pitch: f32,
}

/// A text of one size.
pub(super) struct Style {
    pub(super) size: f32,
    pub(super) pitch: f32,
    pub(super) bold: bool,
    pub(super) centred: bool,
    pub(super) indent: f32,
}

pub(super) const PLAIN: Style = Style {
    size: BODY,
    pitch: PITCH,
    bold: false,
    centred: false,
    indent: 2.0,
};

impl<'a> Pen<'a> {
    pub(super) fn new(fonts: &'a Fonts, top: f32, bottom: f32) -> Pen<'a> {
        Pen {
            lookup: fonts.lookup(),
            sheets: Sheets::default(),
            page: 0,
            y: top,
            bottom,
            pitch: PITCH,
        }
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        let page = self.page;
        self.sheets.page(page).push(mark);
    }

    fn turn(&mut self) {
        self.page += 1;
        self.y = TOP;
    }

    /// Turns the page when so much does not fit.
    pub(super) fn need(&mut self, height: f32) {
        if self.y + height > self.bottom && self.y > TOP {
            self.turn();
        }
    }

    pub(super) fn text(&mut self, text: &str, style: &Style) {
        for part in text.split('\n').filter(|part| !part.trim().is_empty()) {
            let indent = style.indent;
            let stretch = !style.centred;
            let lines = flow::lines(&self.lookup, part.trim(), style.size, ROOM, indent, stretch);
            for line in lines {
                self.need(style.pitch);
                let x = match style.centred {
                    true => LEFT + (ROOM - line.width) / 2.0,
                    false => LEFT,
                };
                let y = self.y + style.pitch * 0.72;
                self.y += style.pitch;
                self.mark(Mark::Text {
                    line,
                    at: (x, y),
                    size: style.size,
                    colour: BLACK,
                    bold: style.bold,
                });
                if self.page >= PAGES {
                    return;
                }
            }
        }
    }

    fn cell_lines(&self, text: &str, width: f32) -> Vec<Line> {
        let room = width - 2.0 * PAD;
        let parts = text.split('\n');
        parts
            .flat_map(|part| flow::lines(&self.lookup, part.trim(), CELL, room, 0.0, false))
            .collect()
    }

    /// A row of a table; one that is higher than a page goes on on the next.
    pub(super) fn row(&mut self, cells: &[(&str, f32)], bold: bool) {
        let mut rest: Vec<(std::vec::IntoIter<Line>, f32)> = cells
            .iter()
            .map(|(text, width)| (self.cell_lines(text, *width).into_iter(), *width))
            .collect();
        let longest = |rest: &[(std::vec::IntoIter<Line>, f32)]| {
            rest.iter().map(|(lines, _)| lines.len()).max().unwrap_or(0)
        };
        let mut left = longest(&rest).max(1);
        while left > 0 && self.page < PAGES {
            self.need(CELL_PITCH + 2.0 * PAD);
            let fit = ((self.bottom - self.y - 2.0 * PAD) / CELL_PITCH).floor();
            let taken = left.min(fit.max(1.0) as usize);
            // A short row is not torn apart.
            if taken < left && left < 12 {
                self.turn();
                continue;
            }
            let height = taken as f32 * CELL_PITCH + 2.0 * PAD;
            let mut x = LEFT;
            for (lines, width) in &mut rest {
                self.frame(x, *width, height);
                let lines: Vec<Line> = lines.by_ref().take(taken).collect();
                for (row, line) in lines.into_iter().enumerate() {
                    let y = self.y + PAD + CELL_PITCH * (row as f32 + 0.75);
                    self.mark(Mark::Text {
                        line,
                        at: (x + PAD, y),
                        size: CELL,
                        colour: BLACK,
                        bold,
                    });
                }
                x += *width;
            }
            self.y += height;
            left = longest(&rest);
        }
    }

    fn frame(&mut self, x: f32, width: f32, height: f32) {
        let mut shape = Shape::default();
        shape.rectangle(x, self.y, width, height);
        self.mark(Mark::Outline {
            shape,
            width: 0.6,
            colour: BLACK,
        });
    }

    /// Numbers of pages at the foot: — 1 —.
    fn foot(&mut self) {
        let pages = self.sheets.pages.len();
        if pages < 2 {
            return;
        }
        for page in 0..pages {
            let line = one_line(&self.lookup, &format!("— {} —", page + 1), CELL);
            let x = (WIDTH - line.width) / 2.0;
            self.sheets.page(page).push(Mark::Text {
                line,
                at: (x, HEIGHT - 25.0 * MM),
                size: CELL,
                colour: BLACK,
                bold: false,
            });
        }
    }
}

fn body(pen: &mut Pen<'_>, letter: &LetterText<'_>) {
    let blocks = &letter.template.blocks;
    let mut before_table = false;
    for block in blocks {
        let is_table = matches!(block, Block::Pair { .. } | Block::Table { .. });
        if is_table != before_table {
            pen.y += PAD;
        }
        before_table = is_table;
        match block {
            Block::Paragraph { pieces, indent } => {
                if let Some(text) = letter.fill(pieces) {
                    let indent = if *indent { 2.0 } else { 0.0 };
                    let pitch = pen.pitch;
                    pen.text(
                        &text,
                        &Style {
                            indent,
                            pitch,
                            ..PLAIN
                        },
                    );
                }
            }
            Block::Heading(pieces) => {
                if let Some(text) = letter.fill(pieces) {
                    pen.need(PITCH * 2.0);
                    pen.text(
                        &text,
                        &Style {
                            bold: true,
                            ..PLAIN
                        },
                    );
                }
            }
            Block::Pair { title, pieces } => {
                if let Some(text) = letter.fill(pieces) {
                    pen.row(&[(title, ROOM * 0.3), (&text, ROOM * 0.7)], false);
                }
            }
            Block::Items(name) => {
                let items = letter.fields.get(name).and_then(Value::as_array);
                for (n, item) in items.into_iter().flatten().enumerate() {
                    let text = printed(item).unwrap_or_default();
                    pen.text(&format!("（{}）{text}", n + 1), &PLAIN);
                }
            }
            Block::Table {
                field,
                titles,
                cells,
            } => table(pen, letter, field, titles, cells),
        }
    }
}

fn table(
    pen: &mut Pen<'_>,
    letter: &LetterText<'_>,
    field: &str,
    titles: &[(String, f32)],
    cells: &[Vec<Piece>],
) {
    let rows = letter.fields.get(field).and_then(Value::as_array);
    let rows = rows.map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return;
    }
    let whole: f32 = titles.iter().map(|(_, share)| share).sum();
    let widths: Vec<f32> = titles
        .iter()
        .map(|(_, share)| ROOM * share / whole)
        .collect();
    let head: Vec<(&str, f32)> = titles
        .iter()
        .zip(&widths)
        .map(|((title, _), width)| (title.as_str(), *width))
        .collect();
    pen.need(3.0 * (CELL_PITCH + 2.0 * PAD));
    pen.row(&head, true);
    for (n, row) in rows.iter().enumerate() {
        let texts: Vec<String> = cells
            .iter()
            .map(|pieces| {
                let each = pieces.iter().map(|piece| match piece {
                    Piece::Words(words) => words.clone(),
                    Piece::Row => (n + 1).to_string(),
                    Piece::Column(name) => row.get(name).and_then(printed).unwrap_or_default(),
                    Piece::Field(name) => letter.field(name).unwrap_or_default(),
                });
                each.collect()
            })
            .collect();
        let filled: Vec<(&str, f32)> = texts
            .iter()
            .zip(&widths)
            .map(|(text, width)| (text.as_str(), *width))
            .collect();
        pen.row(&filled, false);
    }
}

/// Office and date on the right with the seal over them, the code on the left. Answers the place
/// of the seal.
pub(super) fn closing(
    pen: &mut Pen<'_>,
    office: &Office,
    at: Time,
    code: &str,
    captions: &[String],
) -> Result<Sealed, Fault> {
    pen.need(CLOSING);
    pen.y += PITCH;
    let top = pen.y;
    let name = one_line(&pen.lookup, &office.name, BODY);
    let size = BODY.min(BODY * ROOM * 0.6 / name.width.max(1.0));
    let name = one_line(&pen.lookup, &office.name, size);
    let date = one_line(&pen.lookup, &day(at), BODY);
    // Four characters free on the right; the shorter is set to the middle of the longer.
    let middle = LEFT + ROOM - 4.0 * BODY - (name.width.max(date.width)).max(DIAMETER) / 2.0 + BODY;
    let centre = (middle, top + DIAMETER / 2.0);
    let mut marks = seal(&pen.lookup, &office.name, centre);
    for (line, y, size) in [
        (name, top + DIAMETER * 0.40, size),
        (date, top + DIAMETER * 0.40 + PITCH, BODY),
    ] {
        marks.push(Mark::Text {
            at: (middle - line.width / 2.0, y),
            line,
            size,
            colour: BLACK,
            bold: false,
        });
    }
    marks.into_iter().for_each(|mark| pen.mark(mark));
    let drawn = qr(code, (LEFT, top), CODE);
    let drawn = drawn.ok_or_else(|| Fault::internal("drawing a code", "its text is too long"))?;
    pen.mark(drawn);
    for (n, caption) in captions.iter().enumerate() {
        let line = one_line(&pen.lookup, caption, 9.0);
        pen.mark(Mark::Text {
            line,
            at: (LEFT, top + CODE + 13.0 * (n as f32 + 1.0)),
            size: 9.0,
            colour: GREY,
            bold: false,
        });
    }
    pen.y = top + DIAMETER;
    let (left, upper) = (centre.0 - DIAMETER / 2.0, centre.1 - DIAMETER / 2.0);
    let place = [
        left,
        HEIGHT - upper - DIAMETER,
        left + DIAMETER,
        HEIGHT - upper,
    ];
    Ok((pen.page, place))
}

/// A letter on sheets.
struct Placed<'a> {
    pen: Pen<'a>,
    sealed: Sealed,
    /// Text stands on the sheet of the seal.
    together: bool,
    /// Where the text ended.
    end: f32,
}

/// Places a letter on sheets with so many points between lines, and text no lower than this.
fn place<'a>(
    fonts: &'a Fonts,
    letter: &LetterText<'_>,
    pitch: f32,
    bottom: f32,
) -> Result<Placed<'a>, Fault> {
    let mut pen = Pen::new(fonts, TOP, bottom);
    pen.pitch = pitch;
    let title = Style {
        size: TITLE,
        pitch: 36.0,
        bold: true,
        centred: true,
        indent: 0.0,
    };
    pen.text(&letter.office.name, &title);
    pen.text(&letter.template.title, &title);
    let number = Style {
        centred: true,
        indent: 0.0,
        ..PLAIN
    };
    pen.text(letter.number, &number);
    pen.y += PITCH * 0.5;
    body(&mut pen, letter);
    let (before, end) = (pen.page, pen.y);
    pen.bottom = BOTTOM;
    let captions = [
        "扫码核验，或凭文号和验证码核验".to_owned(),
        format!("验证码：{}", letter.check),
    ];
    let sealed = closing(&mut pen, letter.office, letter.at, letter.qr, &captions)?;
    pen.foot();
    Ok(Placed {
        together: pen.page == before,
        pen,
        sealed,
        end,
    })
}

/// Does a letter fit on the sheets it may have?
pub(crate) fn fits(fonts: &Fonts, letter: &LetterText<'_>) -> Result<bool, Fault> {
    Ok(compose(fonts, letter)?.pen.sheets.pages.len() <= PAGES)
}

/// Places a letter. The seal does not stand alone on a sheet (GB/T 9704, 7.3.5): lines move closer
/// for it, and when that does not do, the last of them go to its sheet.
fn compose<'a>(fonts: &'a Fonts, letter: &LetterText<'_>) -> Result<Placed<'a>, Fault> {
    let first = place(fonts, letter, PITCH, BOTTOM)?;
    if first.together {
        return Ok(first);
    }
    for pitch in [PITCH - 2.0, PITCH - 4.0] {
        let closer = place(fonts, letter, pitch, BOTTOM)?;
        if closer.together {
            return Ok(closer);
        }
    }
    let mut lower = first.end;
    for _ in 0..8 {
        lower -= PITCH * 0.5;
        let moved = place(fonts, letter, PITCH, lower)?;
        if moved.together {
            return Ok(moved);
        }
    }
    Ok(first)
}

/// Draws a letter.
pub(crate) fn draw(fonts: &Fonts, letter: &LetterText<'_>) -> Result<Drawn, Fault> {
    let Placed { pen, sealed, .. } = compose(fonts, letter)?;
    let (seal_page, seal_place) = sealed;
    let about = About {
        title: &format!("{} {}", letter.template.title, letter.number),
        author: &letter.office.name,
        at: letter.at,
        elements: &[],
    };
    Ok(Drawn {
        pdf: pen.sheets.pdf(fonts, &about)?,
        pages: pen.sheets.pages.len() as u32,
        seal_page,
        seal_place,
    })
}

/// Draws a letter as OFD.
pub(crate) fn ofd(fonts: &Fonts, letter: &LetterText<'_>) -> Result<Vec<u8>, Fault> {
    let Placed { pen, .. } = compose(fonts, letter)?;
    let about = About {
        title: &format!("{} {}", letter.template.title, letter.number),
        author: &letter.office.name,
        at: letter.at,
        elements: &[],
    };
    Ok(super::ofd::ofd(&pen.sheets, &about))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::PathBuf;

    #[test]
    fn the_seal_never_stands_alone() {
        let fonts = Fonts::find(&[PathBuf::from("/usr/share/fonts")]).unwrap();
        let standard = include_str!("../../templates/receipt.txt");
        let template = Template::parse("receipt", standard).unwrap();
        let office = Office {
            code: "approval".into(),
            name: "冀城市行政审批局".into(),
            short: "冀城审".into(),
            credit_code: None,
        };
        let material = json!({ "name": "章程", "form": "电子", "copies": 1 });
        // Rows of a table do not move closer.
        for rows in 0..100 {
            let fields = json!({
                "applicant": "甲", "item": "食品经营许可", "application": "SQ1",
                "received_on": "2026年11月27日", "channel": "窗口", "answer_by": "2026年12月4日",
                "contact": "0311-00000000", "materials": vec![material.clone(); rows],
            });
            let letter = LetterText {
                template: &template,
                office: &office,
                number: "冀城审〔2026〕第000001号",
                check: "T386B-93MA0",
                at: Time(0),
                fields: fields.as_object().unwrap(),
                qr: "https://city.example/verify",
            };
            let placed = compose(&fonts, &letter).unwrap();
            assert!(placed.together, "{rows} rows");
        }
    }
}
