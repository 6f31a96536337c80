//! The round seal of an organisation (《国务院关于国家行政机关和企业事业单位社会团体印章管理的规定》:
//! round, a star in the middle, the name around it from left to right), drawn as shapes. The
//! signature is what counts; the seal says "electronic seal" (电子印章).

use super::shape::Shape;
use super::sheet::{MM, Mark, RED, one_line};
use crate::fonts::Lookup;

/// Across, as seals of county organisations are.
pub(super) const DIAMETER: f32 = 42.0 * MM;
/// How much of the circle the name takes, degrees, at most.
const ARC: f32 = 250.0;

fn star((x, y): (f32, f32), r: f32) -> Shape {
    let mut shape = Shape::default();
    for n in 0..10_u8 {
        let angle = (f32::from(n) * 36.0 - 90.0).to_radians();
        let r = if n % 2 == 0 { r } else { r * 0.381_966 };
        let (px, py) = (x + r * angle.cos(), y + r * angle.sin());
        match n {
            0 => shape.move_to(px, py),
            _ => shape.line_to(px, py),
        }
    }
    shape.close();
    shape
}

/// The seal of an organisation about this middle.
pub(super) fn seal(lookup: &Lookup<'_>, name: &str, middle: (f32, f32)) -> Vec<Mark> {
    let radius = DIAMETER / 2.0;
    let mut marks = vec![
        Mark::Outline {
            shape: Shape::circle(middle, radius - 0.6 * MM),
            width: 1.2 * MM,
            colour: RED,
        },
        Mark::Area {
            shape: star(middle, radius * 0.31),
            colour: RED,
        },
    ];
    let characters: Vec<char> = name.chars().filter(|c| !c.is_whitespace()).collect();
    let count = characters.len().max(1) as f32;
    // Characters stand on an inner circle; long names are written smaller, and never upside down.
    let largest: f32 = 5.4 * MM;
    let outer = radius - 2.2 * MM;
    let around = (outer - largest * 0.5) * ARC.to_radians();
    let size = largest.min(around / count);
    let step = match characters.len() {
        0 | 1 => 0.0,
        _ => (ARC / count).min(30.0),
    };
    let baseline = outer - size * 0.88;
    for (n, c) in characters.iter().enumerate() {
        let turned = (n as f32 - (count - 1.0) / 2.0) * step;
        let angle = (turned - 90.0).to_radians();
        let at = (
            middle.0 + baseline * angle.cos(),
            middle.1 + baseline * angle.sin(),
        );
        marks.push(Mark::Turned {
            line: one_line(lookup, &c.to_string(), size),
            at,
            turned,
            size,
            colour: RED,
            opacity: 1.0,
        });
    }
    let size = 3.6 * MM;
    marks.push(Mark::Turned {
        line: one_line(lookup, "电子印章", size),
        at: (middle.0, middle.1 + radius * 0.66),
        turned: 0.0,
        size,
        colour: RED,
        opacity: 1.0,
    });
    marks
}
