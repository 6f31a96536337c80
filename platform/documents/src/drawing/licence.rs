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
            centred(&mut pen, page, &said, HEIGHT - 24.5 * MM, GREY);
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
    let size = 9.0_f32.min(9.0 * 168.0 * MM / whole.width.max(1.0));
    let line = one_line(&pen.lookup, said, size);
    pen.sheets.page(page).push(Mark::Text {
        at: ((WIDTH - line.width) / 2.0, y),
        line,
        size,
        colour,
        bold: false,
    });
}

/// For whom, for what and when, slanting over the whole page, and once as text at its foot.
fn across(pen: &mut Pen<'_>, page: usize, watermark: &Watermark) {
    let Watermark {
        requester,
        purpose,
        at,
    } = watermark;
    let lines = [
        format!("仅供用于“{purpose}”，他用无效"),
        format!("{requester} {}", at.for_people()),
    ];
    for n in 0..4_u8 {
        let y = HEIGHT * (0.2 + 0.2 * f32::from(n));
        for (row, words) in lines.iter().enumerate() {
            let whole = one_line(&pen.lookup, words, 19.0);
            let size = 19.0_f32.min(19.0 * 440.0 / whole.width.max(1.0));
            let line = one_line(&pen.lookup, words, size);
            // The second stands below the first, along the slant.
            let down = row as f32 * 26.0;
            let (sin, cos) = TURNED.to_radians().sin_cos();
            pen.sheets.page(page).push(Mark::Turned {
                line,
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
    centred(pen, page, &said, HEIGHT - 19.0 * MM, BLACK);
}
