//! Lines of a text by byte: found once, so that naming the line of every fault of a large hostile
//! file costs next to nothing.

/// Where the lines of a text begin.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// Bytes after each line feed, in order.
    starts: Vec<usize>,
}

impl Lines {
    /// Finds the lines.
    pub fn of(text: &str) -> Lines {
        let feeds = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Lines {
            starts: feeds.map(|(at, _)| at + 1).collect(),
        }
    }

    /// The line a byte stands in, from 1.
    pub fn at(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_begins_after_its_feed() {
        let lines = Lines::of("a\n市\n\nb");
        let found: Vec<usize> = (0..8).map(|byte| lines.at(byte)).collect();
        assert_eq!(found, [1, 1, 2, 2, 2, 2, 3, 4]);
        assert_eq!(Lines::of("").at(9), 1);
    }
}
