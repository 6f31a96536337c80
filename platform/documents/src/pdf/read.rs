//! Reads objects from bytes that may be anything: depth and number of objects are limited, and
//! nothing is believed about lengths.

use super::{Dictionary, Object};

/// Objects inside one another, at most.
const DEPTH: usize = 64;
/// Bytes of text or comment that count as much as a value: a text that never ends, begun a million
/// times, is not read a million times.
const BYTES: usize = 16;

/// Reads from a place in a file.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pub(crate) at: usize,
    /// Work that may still be done: one for a value, one for [`BYTES`] of a text or a comment.
    pub(crate) budget: usize,
    bytes_read: usize,
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

fn is_delimiter(byte: u8) -> bool {
    b"()<>[]{}/%".contains(&byte)
}

fn digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|d| d as u8)
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize, budget: usize) -> Reader<'a> {
        Reader {
            bytes,
            at,
            budget,
            bytes_read: 0,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Spaces and comments.
    pub(crate) fn skip(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                while self.peek().is_some_and(|b| b != b'\n' && b != b'\r') {
                    if self.count_byte().is_none() {
                        return;
                    }
                    self.at += 1;
                }
            } else if is_space(byte) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn count_byte(&mut self) -> Option<()> {
        self.bytes_read += 1;
        if self.bytes_read.is_multiple_of(BYTES) {
            self.budget = self.budget.checked_sub(1)?;
        }
        Some(())
    }

    /// Goes behind a word, when it stands here.
    pub(crate) fn word(&mut self, word: &str) -> bool {
        self.skip();
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let there = rest.starts_with(word.as_bytes());
        if there {
            self.at += word.len();
        }
        there
    }

    /// The object that stands here; `None` when none does, or one of the limits is reached.
    pub(crate) fn object(&mut self) -> Option<Object> {
        self.nested(0)
    }

    fn nested(&mut self, depth: usize) -> Option<Object> {
        if depth > DEPTH {
            return None;
        }
        self.budget = self.budget.checked_sub(1)?;
        self.skip();
        match self.peek()? {
            b'/' => self.name().map(Object::Name),
            b'(' => self.literal(),
            b'<' if self.bytes.get(self.at + 1) == Some(&b'<') => {
                self.at += 2;
                self.dictionary(depth)
            }
            b'<' => self.hexadecimal(),
            b'[' => {
                self.at += 1;
                self.array(depth)
            }
            b'+' | b'-' | b'.' | b'0'..=b'9' => self.number(),
            _ => self.keyword(),
        }
    }

    fn keyword(&mut self) -> Option<Object> {
        for (word, object) in [
            ("true", Object::Bool(true)),
            ("false", Object::Bool(false)),
            ("null", Object::Null),
        ] {
            if self.word(word) {
                return Some(object);
            }
        }
        None
    }

    fn name(&mut self) -> Option<Vec<u8>> {
        self.at += 1;
        let mut name = vec![];
        while let Some(byte) = self.peek() {
            if is_space(byte) || is_delimiter(byte) {
                break;
            }
            self.at += 1;
            let pair = (self.bytes.get(self.at), self.bytes.get(self.at + 1));
            match (byte, pair) {
                (b'#', (Some(&high), Some(&low))) => match (digit(high), digit(low)) {
                    (Some(high), Some(low)) => {
                        name.push(high * 16 + low);
                        self.at += 2;
                    }
                    _ => name.push(byte),
                },
                _ => name.push(byte),
            }
        }
        Some(name)
    }

    fn literal(&mut self) -> Option<Object> {
        self.at += 1;
        let mut text = vec![];
        let mut open = 1;
        loop {
            self.count_byte()?;
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        return Some(Object::Text(text));
                    }
                }
                b'\\' => {
                    self.escape(&mut text)?;
                    continue;
                }
                _ => {}
            }
            text.push(byte);
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.at += 1;
                }
            }
            b'\n' => {}
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    match self.peek() {
                        Some(next @ b'0'..=b'7') => {
                            value = value * 8 + u32::from(next - b'0');
                            self.at += 1;
                        }
                        _ => break,
                    }
                }
                text.push(value as u8);
            }
            other => text.push(other),
        }
        Some(())
    }

    fn hexadecimal(&mut self) -> Option<Object> {
        self.at += 1;
        let mut digits = vec![];
        loop {
            self.count_byte()?;
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'>' => break,
                byte if is_space(byte) => {}
                byte => digits.push(digit(byte)?),
            }
        }
        let text = digits
            .chunks(2)
            .map(|pair| pair[0] * 16 + pair.get(1).copied().unwrap_or(0));
        Some(Object::Text(text.collect()))
    }

    fn array(&mut self, depth: usize) -> Option<Object> {
        let mut items = vec![];
        loop {
            self.skip();
            if self.peek()? == b']' {
                self.at += 1;
                return Some(Object::Array(items));
            }
            items.push(self.nested(depth + 1)?);
        }
    }

    fn dictionary(&mut self, depth: usize) -> Option<Object> {
        let mut entries = vec![];
        loop {
            self.skip();
            match self.peek()? {
                b'>' if self.bytes.get(self.at + 1) == Some(&b'>') => {
                    self.at += 2;
                    return Some(Object::Dictionary(Dictionary(entries)));
                }
                b'/' => {
                    let key = self.name()?;
                    entries.push((key, self.nested(depth + 1)?));
                }
                _ => return None,
            }
        }
    }

    /// A number, or a reference when a second number and `R` follow.
    fn number(&mut self) -> Option<Object> {
        let number = self.plain_number()?;
        if let Object::Integer(n) = number
            && let Ok(n) = u32::try_from(n)
        {
            let back = self.at;
            if let Some(Object::Integer(0..=65535)) = self.following_number()
                && self.word("R")
                && self.peek().is_none_or(|b| is_space(b) || is_delimiter(b))
            {
                return Some(Object::Reference(n));
            }
            self.at = back;
        }
        Some(number)
    }

    fn following_number(&mut self) -> Option<Object> {
        self.skip();
        self.peek()?.is_ascii_digit().then_some(())?;
        self.plain_number()
    }

    fn plain_number(&mut self) -> Option<Object> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|b| b.is_ascii_digit() || b"+-.".contains(&b))
        {
            self.at += 1;
        }
        let text = std::str::from_utf8(self.bytes.get(start..self.at)?).ok()?;
        if let Ok(n) = text.parse::<i64>() {
            return Some(Object::Integer(n));
        }
        // Writers exist that put out `--5` or `1.2.3`; readers take what they can.
        Some(Object::Real(text.parse().unwrap_or(0.0)))
    }
}
