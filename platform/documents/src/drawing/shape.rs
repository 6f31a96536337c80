//! Shapes as they are drawn, before it is known whether PDF or OFD is written. Points from the
//! upper left.

use krilla::geom::{Path, PathBuilder};
use std::fmt::Write;

enum Step {
    Move(f32, f32),
    Line(f32, f32),
    Curve([f32; 6]),
    Close,
}

/// A shape.
#[derive(Default)]
pub(super) struct Shape(Vec<Step>);

impl Shape {
    pub(super) fn move_to(&mut self, x: f32, y: f32) {
        self.0.push(Step::Move(x, y));
    }
    pub(super) fn line_to(&mut self, x: f32, y: f32) {
        self.0.push(Step::Line(x, y));
    }
    pub(super) fn curve_to(&mut self, points: [f32; 6]) {
        self.0.push(Step::Curve(points));
    }
    pub(super) fn close(&mut self) {
        self.0.push(Step::Close);
    }

    pub(super) fn rectangle(&mut self, x: f32, y: f32, width: f32, height: f32) {
        self.move_to(x, y);
        self.line_to(x + width, y);
        self.line_to(x + width, y + height);
        self.line_to(x, y + height);
        self.close();
    }

    /// A circle of four curves.
    pub(super) fn circle((x, y): (f32, f32), r: f32) -> Shape {
        let k = r * 0.552_285;
        let mut shape = Shape::default();
        shape.move_to(x + r, y);
        shape.curve_to([x + r, y + k, x + k, y + r, x, y + r]);
        shape.curve_to([x - k, y + r, x - r, y + k, x - r, y]);
        shape.curve_to([x - r, y - k, x - k, y - r, x, y - r]);
        shape.curve_to([x + k, y - r, x + r, y - k, x + r, y]);
        shape.close();
        shape
    }

    /// For PDF; `None` when there is nothing to draw.
    pub(super) fn path(&self) -> Option<Path> {
        let mut path = PathBuilder::new();
        for step in &self.0 {
            match *step {
                Step::Move(x, y) => path.move_to(x, y),
                Step::Line(x, y) => path.line_to(x, y),
                Step::Curve([a, b, c, d, e, f]) => path.cubic_to(a, b, c, d, e, f),
                Step::Close => path.close(),
            }
        }
        path.finish()
    }

    /// For OFD (GB/T 33190, 9.2): abbreviated data in units of `unit` points.
    pub(super) fn abbreviated(&self, unit: f32) -> String {
        let mut text = String::new();
        for step in &self.0 {
            let (letter, numbers): (char, &[f32]) = match step {
                Step::Move(x, y) => ('M', &[*x, *y]),
                Step::Line(x, y) => ('L', &[*x, *y]),
                Step::Curve(points) => ('B', points),
                Step::Close => ('C', &[]),
            };
            if !text.is_empty() {
                text.push(' ');
            }
            text.push(letter);
            for number in numbers {
                // Writing to a String cannot fail.
                let _ = write!(text, " {:.3}", number / unit);
            }
        }
        text
    }
}
