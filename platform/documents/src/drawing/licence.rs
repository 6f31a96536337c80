//! The print of a licence (证照打印件; 加注件 of GB/T 36905 when it is passed on): title, number,
//! what it says, seal, code, and across a copy for whom and for what it is.

use super::Drawn;
use super::letter::{PLAIN, Pen, Sealed, Style, closing, day};
use super::shape::Shape;
use super::sheet::{About, BLACK, GREY, HEIGHT, MM, Mark, RED, WIDTH, one_line};
use crate::fonts::Fonts;
use kernel::Fault;
use kernel::documents::{LicencePrint, Watermark};

const ROOM: f32 = 156.0 * MM;

/// Places a licence.
fn compose<'a>(fonts: &'a Fonts, print: &LicencePrint) -> Result<(Pen<'a>, Sealed), Fault> {
    let mut pen = Pen::new(fonts, 45.0 * MM, HEIGHT - 30.0 * MM);
    let title = Style {
        size: 26.0,
        pitch: 44.0,
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
    pen.text(&format!("证照标识：{}", print.identifier), &small);
    pen.y += 12.0;
    for (name, value) in &print.lines {
        pen.row(&[(name, ROOM * 0.3), (value, ROOM * 0.7)], false);
    }
    let captions = [
        "扫码核验证照真伪和状态".to_owned(),
        format!("颁发日期：{}", day(print.issued_at)),
    ];
    let sealed = closing(
        &mut pen,
        &print.office,
        print.issued_at,
        &print.qr,
        &captions,
    )?;
    for page in 0..pen.sheets.pages.len() {
        frame(&mut pen, page);
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

/// A double frame.
fn frame(pen: &mut Pen<'_>, page: usize) {
    for (margin, width) in [(15.0 * MM, 1.6), (17.0 * MM, 0.5)] {
        let mut shape = Shape::default();
        shape.rectangle(margin, margin, WIDTH - 2.0 * margin, HEIGHT - 2.0 * margin);
        pen.sheets.page(page).push(Mark::Outline {
            shape,
            width,
            colour: RED,
        });
    }
}

/// For whom and for what, slanting over the whole page, and once as text at its foot.
fn across(pen: &mut Pen<'_>, page: usize, watermark: &Watermark) {
    let Watermark {
        requester,
        purpose,
        at,
    } = watermark;
    let words = format!("仅供{requester}用于{purpose}，他用无效");
    let size = 18.0_f32.min(18.0 * 420.0 / (words.chars().count() as f32 * 18.0));
    for n in 0..5_u8 {
        let y = HEIGHT * (0.15 + 0.18 * f32::from(n));
        let line = one_line(&pen.lookup, &words, size);
        pen.sheets.page(page).push(Mark::Turned {
            line,
            at: (WIDTH / 2.0, y),
            turned: -30.0,
            size,
            colour: GREY,
            opacity: 0.22,
        });
    }
    let said = format!("加注件：{words}（{}）", at.for_people());
    let whole = one_line(&pen.lookup, &said, 9.0);
    let size = 9.0_f32.min(9.0 * 170.0 * MM / whole.width.max(1.0));
    let line = one_line(&pen.lookup, &said, size);
    pen.sheets.page(page).push(Mark::Text {
        at: ((WIDTH - line.width) / 2.0, HEIGHT - 20.0 * MM),
        line,
        size,
        colour: BLACK,
        bold: false,
    });
}
