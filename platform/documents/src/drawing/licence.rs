//! The print of a licence (证照打印件; 加注件 of GB/T 36905 when it is passed on): title, number,
//! what it says, seal, code, and across a copy for whom and for what it is.

use super::Drawn;
use super::flow;
use super::letter::{PLAIN, Pen, Sealed, Style, closing};
use super::shape::Shape;
use super::sheet::{About, BLACK, GREY, HEIGHT, MM, Mark, PAGES, RED, WIDTH, one_line};
use crate::fonts::Fonts;
use kernel::Fault;
use kernel::documents::{LicencePrint, Watermark};

const LEFT: f32 = 28.0 * MM;
const ROOM: f32 = 156.0 * MM;
/// Where the names of fields end and what they say begins.
const NAMES: f32 = 54.0 * MM;
const SAID: f32 = 14.0;
const PITCH: f32 = 21.0;
const PAD: f32 = 6.0;
const BOTTOM: f32 = HEIGHT - 30.0 * MM;
/// Office, date and seal stand at the foot of the last sheet, however little is said above.
const CLOSING: f32 = 66.0 * MM;
/// Names of fields, and lines between them.
const BROWN: (u8, u8, u8) = (120, 60, 30);
const PALE: (u8, u8, u8) = (226, 200, 186);
/// How the words across a copy slant, degrees.
const TURNED: f32 = -30.0;

/// Places a licence.
fn compose<'a>(fonts: &'a Fonts, print: &LicencePrint) -> Result<(Pen<'a>, Sealed), Fault> {
    let mut pen = Pen::new(fonts, 38.0 * MM, BOTTOM);
    let title = Style {
        size: 32.0,
        pitch: 52.0,
        bold: true,
        centred: true,
        indent: 0.0,
    };
    pen.text(&print.title, &title);
    let small = Style {
        size: 12.0,
        pitch: 20.0,
        centred: true,
        indent: 0.0,
        ..PLAIN
    };
    pen.text(&format!("证照编号：{}", print.number), &small);
    let code = Style {
        size: 8.5,
        pitch: 15.0,
        ..small
    };
    pen.text(&format!("证照标识：{}", print.identifier), &code);
    pen.y += 16.0;
    rule(&mut pen, RED, 0.8);
    for (name, value) in &print.lines {
        field(&mut pen, name, value);
    }
    let foot = BOTTOM - CLOSING;
    if pen.y < foot {
        pen.y = foot;
    }
    let captions = [
        "扫码，输入持证主体名称，".to_owned(),
        "核验真伪和当前状态".to_owned(),
    ];
    let sealed = closing(
        &mut pen,
        &print.office,
        print.issued_at,
        &print.qr,
        &captions,
    )?;
    let pages = pen.sheets.pages.len();
    for page in 0..pages {
        frame(&mut pen, page);
        if pages > 1 {
            let said = format!("{} 第 {} 页，共 {pages} 页", print.number, page + 1);
            centred(&mut pen, page, &said, HEIGHT - 26.0 * MM, GREY);
        }
        if let Some(watermark) = &print.watermark {
            across(&mut pen, page, watermark);
        }
    }
    Ok((pen, sealed))
}

fn about(print: &LicencePrint) -> About<'_> {
    About {
        title: &print.title,
        author: &print.office.name,
        at: print.watermark.as_ref().map_or(print.issued_at, |w| w.at),
        elements: &print.elements,
    }
}

/// Draws a licence.
pub(crate) fn draw(fonts: &Fonts, print: &LicencePrint) -> Result<Drawn, Fault> {
    let (pen, (seal_page, seal_place)) = compose(fonts, print)?;
    Ok(Drawn {
        pdf: pen.sheets.pdf(fonts, &about(print))?,
        pages: pen.sheets.pages.len() as u32,
        seal_page,
        seal_place,
    })
}

/// Draws a licence as OFD.
pub(crate) fn ofd(fonts: &Fonts, print: &LicencePrint) -> Result<Vec<u8>, Fault> {
    let (pen, _) = compose(fonts, print)?;
    Ok(super::ofd::ofd(&pen.sheets, &about(print)))
}

/// A line across the sheet, below what was written.
fn rule(pen: &mut Pen<'_>, colour: (u8, u8, u8), height: f32) {
    let mut shape = Shape::default();
    shape.rectangle(LEFT, pen.y, ROOM, height);
    pen.mark(Mark::Area { shape, colour });
}

/// One field: its name on the left, what it says beside it. A short one is not torn apart; a long
/// one goes on on the next sheet.
fn field(pen: &mut Pen<'_>, name: &str, value: &str) {
    let wrap = |text: &str, room: f32| -> Vec<flow::Line> {
        let parts = text.split('\n');
        let lines =
            parts.flat_map(|part| flow::lines(&pen.lookup, part.trim(), SAID, room, 0.0, false));
        lines.collect()
    };
    let names = wrap(name, NAMES - PAD);
    let values = wrap(value, ROOM - NAMES);
    let rows = names.len().max(values.len()).max(1);
    if rows < 12 {
        pen.need(rows as f32 * PITCH + 2.0 * PAD);
    }
    pen.y += PAD;
    let (mut names, mut values) = (names.into_iter(), values.into_iter());
    for _ in 0..rows {
        pen.need(PITCH + PAD);
        if pen.page >= PAGES {
            return;
        }
        let y = pen.y + PITCH * 0.72;
        let both = [
            (names.next(), LEFT, BROWN),
            (values.next(), LEFT + NAMES, BLACK),
        ];
        for (line, x, colour) in both {
            if let Some(line) = line {
                pen.mark(Mark::Text {
                    line,
                    at: (x, y),
                    size: SAID,
                    colour,
                    bold: false,
                });
            }
        }
        pen.y += PITCH;
    }
    pen.y += PAD;
    rule(pen, PALE, 0.5);
}

/// A frame of two lines with a square in each corner.
fn frame(pen: &mut Pen<'_>, page: usize) {
    let outline = |margin: f32, width: f32| {
        let mut shape = Shape::default();
        shape.rectangle(margin, margin, WIDTH - 2.0 * margin, HEIGHT - 2.0 * margin);
        Mark::Outline {
            shape,
            width,
            colour: RED,
        }
    };
    let (outer, inner) = (12.0 * MM, 15.0 * MM);
    let mut marks = vec![outline(outer, 2.4), outline(inner, 0.6)];
    let side = 5.0 * MM;
    for x in [outer, WIDTH - outer - side] {
        for y in [outer, HEIGHT - outer - side] {
            let mut shape = Shape::default();
            shape.rectangle(x, y, side, side);
            marks.push(Mark::Area { shape, colour: RED });
        }
    }
    let sheet = pen.sheets.page(page);
    // Below everything else.
    sheet.splice(0..0, marks);
}

/// A small line in the middle of a sheet, smaller still when it is long.
fn centred(pen: &mut Pen<'_>, page: usize, said: &str, y: f32, colour: (u8, u8, u8)) {
    let whole = one_line(&pen.lookup, said, 9.0);
    let size = 9.0_f32.min(9.0 * FOOT / whole.width.max(1.0));
    let line = one_line(&pen.lookup, said, size);
    centred_line(pen, page, line, y, size, colour);
}

fn centred_line(
    pen: &mut Pen<'_>,
    page: usize,
    line: flow::Line,
    y: f32,
    size: f32,
    colour: (u8, u8, u8),
) {
    pen.sheets.page(page).push(Mark::Text {
        at: ((WIDTH - line.width) / 2.0, y),
        line,
        size,
        colour,
        bold: false,
    });
}

/// Sizes of the words across, and the distance of their lines: the larger where there is room.
const ACROSS: [(f32, f32); 3] = [(19.0, 26.0), (16.0, 22.0), (14.0, 19.0)];
/// Lines across at the larger sizes, at most.
const ROWS: usize = 4;
/// Length of a line across.
const SLANT: f32 = 440.0;
/// The same at the foot: what is said stays readable and takes more lines when it is long.
const SMALL: [(f32, f32); 3] = [(9.0, 11.0), (8.0, 9.0), (7.0, 8.2)];
const FOOT: f32 = 168.0 * MM;

/// For whom, for what and when, slanting over the whole page, and once as text at its foot. Long
/// words go on on the next line; they are not made so small that nobody reads them.
fn across(pen: &mut Pen<'_>, page: usize, watermark: &Watermark) {
    let Watermark {
        requester,
        purpose,
        at,
    } = watermark;
    let said = [
        format!("仅供用于“{purpose}”，他用无效"),
        format!("{requester} {}", at.for_people()),
    ];
    let wrapped = |size: f32| -> Vec<flow::Line> {
        let lines = said.iter();
        let lines =
            lines.flat_map(|words| flow::lines(&pen.lookup, words, size, SLANT, 0.0, false));
        lines.collect()
    };
    let mut sizes = ACROSS.into_iter().map(|size| (size, wrapped(size.0)));
    let fits = sizes.find(|(_, lines)| lines.len() <= ROWS);
    let smallest = ACROSS[ACROSS.len() - 1];
    let ((size, pitch), lines) = fits.unwrap_or_else(|| (smallest, wrapped(smallest.0)));
    for n in 0..4_u8 {
        let y = HEIGHT * (0.2 + 0.2 * f32::from(n));
        for (row, line) in lines.iter().enumerate() {
            // Each stands below the one before, along the slant.
            let down = row as f32 * pitch;
            let (sin, cos) = TURNED.to_radians().sin_cos();
            pen.sheets.page(page).push(Mark::Turned {
                line: line.clone(),
                at: (WIDTH / 2.0 - down * sin, y + down * cos),
                turned: TURNED,
                size,
                colour: GREY,
                opacity: 0.2,
            });
        }
    }
    let said = format!(
        "加注件：仅供{requester}用于{purpose}，他用无效（{}）",
        at.for_people()
    );
    at_foot(pen, page, &said);
}

/// For whom a copy is, as text between the last line and the frame.
fn at_foot(pen: &mut Pen<'_>, page: usize, said: &str) {
    let wrapped = |size: f32| flow::lines(&pen.lookup, said, size, FOOT, 0.0, false);
    let mut sizes = SMALL.into_iter().map(|size| (size, wrapped(size.0)));
    let fits = sizes.find(|((size, _), lines)| lines.len() <= if *size > 8.5 { 1 } else { 2 });
    let smallest = SMALL[SMALL.len() - 1];
    let ((size, pitch), lines) = fits.unwrap_or_else(|| (smallest, wrapped(smallest.0)));
    // Around the middle of the room there is, from above.
    let first = HEIGHT - 19.0 * MM - (lines.len() as f32 - 1.0) / 2.0 * pitch;
    for (row, line) in lines.into_iter().enumerate() {
        centred_line(pen, page, line, first + row as f32 * pitch, size, BLACK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Time;
    use kernel::documents::Office;

    /// Sizes of the words across a print for this purpose, and the widest of its lines.
    fn across_for(purpose: &str, requester: &str) -> (Vec<f32>, f32, usize) {
        let folders = ["/usr/share/fonts".into(), "/usr/local/share/fonts".into()];
        let fonts = Fonts::find(&folders).expect("fonts");
        let print = LicencePrint {
            title: "食品经营许可证".into(),
            number: "JY1".into(),
            identifier: "1.2.156".into(),
            office: Office {
                code: "market".into(),
                name: "市场监督管理局".into(),
                short: "市监".into(),
                credit_code: None,
            },
            lines: vec![],
            issued_at: Time(0),
            elements: vec![],
            qr: "https://city.example/verify#1".into(),
            watermark: Some(Watermark {
                requester: requester.into(),
                purpose: purpose.into(),
                at: Time(0),
            }),
        };
        let (pen, _) = compose(&fonts, &print).expect("a print");
        let (mut sizes, mut widest, mut count) = (vec![], 0.0_f32, 0);
        for mark in pen.sheets.pages.iter().flatten() {
            match mark {
                Mark::Turned {
                    line, size, turned, ..
                } if *turned == TURNED => {
                    sizes.push(*size);
                    widest = widest.max(line.width);
                    count += line.placed.len();
                }
                Mark::Text { size, .. } => assert!(*size >= 7.0, "{size}"),
                _ => {}
            }
        }
        (sizes, widest, count)
    }

    #[test]
    fn long_purposes_are_wrapped_and_stay_readable() {
        let long = "办理跨省通办的企业登记住所核验与银行对公账户开立及年度报告公示用".repeat(2);
        let long: String = long.chars().take(60).collect();
        for (purpose, requester) in [
            ("开户", "李明".to_string()),
            (&*long, "李明".to_string()),
            (&*long, "长".repeat(100)),
        ] {
            let (sizes, widest, count) = across_for(purpose, &requester);
            assert!(sizes.iter().all(|size| *size >= 14.0), "{sizes:?}");
            assert!(widest <= SLANT + 0.1, "{widest}");
            // Nothing of it is lost: four times purpose and who.
            let least = 4 * (purpose.chars().count() + requester.chars().count());
            assert!(count >= least, "{count} of {least}");
        }
    }
}
