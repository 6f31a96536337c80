//! Edit: changes to a text at places of the unchanged text, made all at once.

/// Changes that were asked for.
#[derive(Default)]
pub(crate) struct Edits(Vec<(usize, usize, i64, String)>);

impl Edits {
    /// Puts `before` in front of a part of the text and `after` behind it. Of parts within each
    /// other the outer must come first.
    pub(crate) fn wrap(&mut self, range: std::ops::Range<usize>, before: &str, after: &str) {
        let order = self.0.len() as i64 + 1;
        self.0
            .push((range.start, range.start, order, before.into()));
        self.0.push((range.end, range.end, -order, after.into()));
    }

    /// Puts something at a place.
    pub(crate) fn insert(&mut self, place: usize, text: &str) {
        let order = self.0.len() as i64 + 1;
        self.0.push((place, place, order, text.into()));
    }

    /// Replaces a part.
    pub(crate) fn replace(&mut self, range: std::ops::Range<usize>, text: &str) {
        let order = self.0.len() as i64 + 1;
        self.0.push((range.start, range.end, order, text.into()));
    }

    /// The text with all changes made.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(start, _, order, _)| (*start, *order));
        let mut edited = String::with_capacity(text.len() * 2);
        let mut at = 0;
        for (start, end, _, new) in self.0 {
            edited.push_str(text.get(at..start).unwrap_or_default());
            edited.push_str(&new);
            at = at.max(end);
        }
        edited.push_str(text.get(at..).unwrap_or_default());
        edited
    }
}
