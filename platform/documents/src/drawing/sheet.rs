//! Sheets of A4 on which lines, rules, codes and seals are placed. Places are in points from the
//! upper left.

use super::flow::{self, Line};
use super::shape::Shape;
use crate::fonts::{Fonts, Lookup};
use kernel::{Fault, Time};
use krilla::color::rgb;
use krilla::geom::{Point, Transform};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::surface::Surface;
use krilla::text::KrillaGlyph;
use krilla::{Document, SerializeSettings};

/// Points of a millimetre.
pub(super) const MM: f32 = 72.0 / 25.4;
/// Width of A4.
pub(super) const WIDTH: f32 = 210.0 * MM;
/// Height of A4.
pub(super) const HEIGHT: f32 = 297.0 * MM;
/// Pages, at most.
pub(super) const PAGES: usize = 60;

pub(super) const BLACK: (u8, u8, u8) = (0, 0, 0);
pub(super) const RED: (u8, u8, u8) = (200, 16, 22);
pub(super) const GREY: (u8, u8, u8) = (96, 96, 96);

/// Something on a sheet.
pub(super) enum Mark {
    /// A line of text: place of its baseline, size, colour; bold by a thin stroke.
    Text {
        line: Line,
        at: (f32, f32),
        size: f32,
        colour: (u8, u8, u8),
        bold: bool,
    },
    /// A filled area.
    Area { shape: Shape, colour: (u8, u8, u8) },
    /// The outline of an area.
    Outline {
        shape: Shape,
        width: f32,
        colour: (u8, u8, u8),
    },
    /// A character as a shape, turned about its middle by degrees and scaled in width: it is not
    /// part of the text.
    Turned {
        line: Line,
        at: (f32, f32),
        turned: f32,
        size: f32,
        colour: (u8, u8, u8),
        /// 1 hides what is below.
        opacity: f32,
    },
}

/// All sheets of a document.
#[derive(Default)]
pub(super) struct Sheets {
    pub(super) pages: Vec<Vec<Mark>>,
}

/// What the document says of itself.
pub(super) struct About<'a> {
    pub(super) title: &'a str,
    pub(super) author: &'a str,
    pub(super) at: Time,
    /// Names and values for programs (OFD).
    pub(super) elements: &'a [(String, String)],
}

fn fill((r, g, b): (u8, u8, u8), opacity: f32) -> Fill {
    Fill {
        paint: rgb::Color::new(r, g, b).into(),
        opacity: NormalizedF32::new(opacity).unwrap_or(NormalizedF32::ONE),
        rule: FillRule::NonZero,
    }
}

fn stroke((r, g, b): (u8, u8, u8), width: f32) -> Stroke {
    Stroke {
        paint: rgb::Color::new(r, g, b).into(),
        width,
        ..Stroke::default()
    }
}

/// Draws a line of text; one run for each font in it.
fn draw_line(surface: &mut Surface<'_>, fonts: &Fonts, line: &Line, (x, y): (f32, f32), size: f32) {
    for run in line.placed.chunk_by(|a, b| a.glyph.face == b.glyph.face) {
        let text: String = run.iter().map(|placed| placed.c).collect();
        let mut place = 0;
        let mut glyphs = Vec::with_capacity(run.len());
        for (n, placed) in run.iter().enumerate() {
            let end = place + placed.c.len_utf8();
            let advance = run
                .get(n + 1)
                .map(|next| (next.x - placed.x) / size)
                // Nothing is moved for what only counting made.
                .filter(|advance| (advance - placed.glyph.advance).abs() > 1e-4)
                .unwrap_or(placed.glyph.advance);
            let range = place..end;
            glyphs.push(KrillaGlyph::new(
                placed.glyph.id,
                advance,
                0.0,
                0.0,
                0.0,
                range,
                None,
            ));
            place = end;
        }
        let font = fonts.font(run[0].glyph.face).clone();
        let start = Point::from_xy(x + run[0].x, y);
        surface.draw_glyphs(start, &glyphs, font, &text, size, false);
    }
}

/// Draws a line of text as shapes, its middle at a place and turned about it by degrees. The
/// outlines are written in whole units of their font, which takes half the bytes of points.
fn draw_turned(
    surface: &mut Surface<'_>,
    fonts: &Fonts,
    line: &Line,
    (x, y): (f32, f32),
    turned: f32,
    size: f32,
) {
    let (sin, cos) = turned.to_radians().sin_cos();
    for placed in &line.placed {
        let Some(outline) = fonts.outline(placed.glyph) else {
            continue;
        };
        let scale = size / fonts.units(placed.glyph.face);
        let along = placed.x - line.width / 2.0;
        let place = Transform::from_row(
            scale * cos,
            scale * sin,
            scale * sin,
            -scale * cos,
            x + along * cos,
            y + along * sin,
        );
        surface.push_transform(&place);
        surface.draw_path(&outline);
        surface.pop();
    }
}

fn draw(surface: &mut Surface<'_>, fonts: &Fonts, mark: &Mark) {
    match mark {
        Mark::Text {
            line,
            at,
            size,
            colour,
            bold,
        } => {
            surface.set_fill(Some(fill(*colour, 1.0)));
            surface.set_stroke(bold.then(|| stroke(*colour, size * 0.025)));
            draw_line(surface, fonts, line, *at, *size);
        }
        Mark::Area { shape, colour } => {
            surface.set_stroke(None);
            surface.set_fill(Some(fill(*colour, 1.0)));
            if let Some(path) = shape.path() {
                surface.draw_path(&path);
            }
        }
        Mark::Outline {
            shape,
            width,
            colour,
        } => {
            surface.set_fill(None);
            surface.set_stroke(Some(stroke(*colour, *width)));
            if let Some(path) = shape.path() {
                surface.draw_path(&path);
            }
        }
        Mark::Turned {
            line,
            at,
            turned,
            size,
            colour,
            opacity,
        } => {
            surface.set_stroke(None);
            surface.set_fill(Some(fill(*colour, *opacity)));
            draw_turned(surface, fonts, line, *at, *turned, *size);
        }
    }
}

impl Sheets {
    /// The sheet of this number, made when it is not there.
    pub(super) fn page(&mut self, n: usize) -> &mut Vec<Mark> {
        while self.pages.len() <= n {
            self.pages.push(vec![]);
        }
        &mut self.pages[n]
    }

    /// The PDF.
    pub(super) fn pdf(&self, fonts: &Fonts, about: &About<'_>) -> Result<Vec<u8>, Fault> {
        let failed = |cause: String| Fault::internal("drawing a PDF", cause);
        if self.pages.len() > PAGES {
            return Err(failed(format!("more than {PAGES} pages")));
        }
        let settings = SerializeSettings {
            xmp_metadata: false,
            ..SerializeSettings::default()
        };
        let mut document = Document::new_with(settings);
        for marks in &self.pages {
            let size = PageSettings::from_wh(WIDTH, HEIGHT);
            let size = size.ok_or_else(|| failed("the size of a page".into()))?;
            let mut page = document.start_page_with(size);
            let mut surface = page.surface();
            for mark in marks {
                draw(&mut surface, fonts, mark);
            }
            surface.finish();
            page.finish();
        }
        let (y, mo, d, h, mi, s) = about.at.beijing_fields();
        let date = DateTime::new(y.unsigned_abs())
            .month(mo.unsigned_abs())
            .day(d.unsigned_abs())
            .hour(h.unsigned_abs())
            .minute(mi.unsigned_abs())
            .second(s.unsigned_abs())
            .utc_offset_hour(8);
        let metadata = Metadata::new()
            .title(about.title.into())
            .authors(vec![about.author.into()])
            .creator("Jicheng 冀城".into())
            .language("zh-CN".into())
            .creation_date(date);
        document.set_metadata(metadata);
        document.finish().map_err(|e| failed(format!("{e:?}")))
    }
}

/// One line of text that is short enough not to be broken, centred about `x` when asked.
pub(super) fn one_line(lookup: &Lookup<'_>, text: &str, size: f32) -> Line {
    let mut lines = flow::lines(lookup, text, size, f32::MAX, 0.0, false);
    match lines.is_empty() {
        true => Line::default(),
        false => lines.remove(0),
    }
}

/// A QR code whose upper left is at `at` (ISO/IEC 18004); `None` when the text is too long. Dark
/// modules side by side are one thick line: a rectangle of each took most of a page's bytes.
pub(super) fn qr(text: &str, at: (f32, f32), side: f32) -> Option<Mark> {
    let code = fast_qr::QRBuilder::new(text)
        .ecl(fast_qr::ECL::M)
        .build()
        .ok()?;
    let module = side / code.size as f32;
    // A hundredth of a point is far below what a printer shows.
    let place = |from: f32, modules: f32| ((from + modules * module) * 100.0).round() / 100.0;
    let mut shape = Shape::default();
    for row in 0..code.size {
        let mut column = 0;
        let y = place(at.1, row as f32 + 0.5);
        for run in code[row].chunk_by(|one, next| one.value() == next.value()) {
            let end = column + run.len();
            if run[0].value() {
                shape.move_to(place(at.0, column as f32), y);
                shape.line_to(place(at.0, end as f32), y);
            }
            column = end;
        }
    }
    Some(Mark::Outline {
        shape,
        // Touching neighbours without a hair between them.
        width: module * 1.02,
        colour: BLACK,
    })
}
