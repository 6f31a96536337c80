//! Text into lines as Chinese is set: a line may end behind any character, but does not begin with
//! a closing mark nor end with an opening one; words of Latin letters and numbers stay whole when
//! they fit; lines are stretched to the full width, the last of a paragraph is not.

use crate::fonts::{Glyph, Lookup};

/// A character placed on a line.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) c: char,
    pub(crate) glyph: Glyph,
    /// From the beginning of the line, points.
    pub(crate) x: f32,
}

/// A line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) placed: Vec<Placed>,
    /// Points.
    pub(crate) width: f32,
}

fn never_first(c: char) -> bool {
    "，。、；：！？）】」』”’》〉…—·〕］｝,.;:!?)]}%％℃".contains(c)
}

fn never_last(c: char) -> bool {
    "（【「『“‘《〈〔［｛([{".contains(c)
}

fn of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./@#&+=:".contains(c)
}

/// May a line end between these two?
fn may_break(before: char, after: char) -> bool {
    if after == ' ' || never_first(after) || never_last(before) {
        return false;
    }
    !(of_word(before) && of_word(after))
}

struct Glyphs {
    all: Vec<(char, Glyph)>,
    size: f32,
}

impl Glyphs {
    fn width(&self, from: usize, to: usize) -> f32 {
        let some = &self.all[from..to];
        some.iter()
            .map(|(_, glyph)| glyph.advance * self.size)
            .sum()
    }

    /// Where the line that begins at `from` ends, within `room`.
    fn line_end(&self, from: usize, room: f32) -> usize {
        let mut width = 0.0;
        let mut end = from;
        while end < self.all.len() {
            width += self.all[end].1.advance * self.size;
            // A hair more is not worth a line.
            if width > room + 0.01 {
                break;
            }
            end += 1;
        }
        if end == self.all.len() {
            return end;
        }
        // At least one character, however narrow the room.
        let end = end.max(from + 1);
        let possible = (from + 1..=end).rev();
        let good = possible
            .take(60)
            .find(|n| may_break(self.all[n - 1].0, self.all[*n].0));
        good.unwrap_or(end)
    }
}

/// Breaks a paragraph (without line ends inside) into lines. `indent` is the beginning of the
/// first line in characters. Characters no font has were refused before and are left out.
pub(crate) fn lines(
    lookup: &Lookup<'_>,
    text: &str,
    size: f32,
    room: f32,
    indent: f32,
    stretch: bool,
) -> Vec<Line> {
    let known = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c });
    let known = known.filter_map(|c| lookup.glyph(c).map(|glyph| (c, glyph)));
    let glyphs = Glyphs {
        all: known.collect(),
        size,
    };
    let mut lines = vec![];
    let mut from = 0;
    while from < glyphs.all.len() {
        let start = if lines.is_empty() { indent * size } else { 0.0 };
        let end = glyphs.line_end(from, (room - start).max(size));
        let last = end == glyphs.all.len();
        let mut shown = end;
        while shown > from && glyphs.all[shown - 1].0 == ' ' {
            shown -= 1;
        }
        let width = glyphs.width(from, shown);
        let gaps = shown.saturating_sub(from + 1);
        let spare = (room - start - width).max(0.0);
        // A line that lacks much was broken before a long word; it is not torn apart.
        let torn = spare > size * 3.0;
        let gap = match stretch && !last && gaps > 0 && !torn {
            true => spare / gaps as f32,
            false => 0.0,
        };
        let mut line = Line::default();
        let mut x = start;
        for (c, glyph) in &glyphs.all[from..shown] {
            line.placed.push(Placed {
                c: *c,
                glyph: *glyph,
                x,
            });
            x += glyph.advance * size + gap;
        }
        line.width = (x - gap).max(0.0);
        lines.push(line);
        from = end;
        while from < glyphs.all.len() && glyphs.all[from].0 == ' ' {
            from += 1;
        }
    }
    lines
}
