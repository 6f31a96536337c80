//! The splitter: a byte stream in, pieces out. It holds only bytes that do not yet make a piece,
//! never more than its limit plus what was fed last, and finds its feet again after garbage.
//!
//! Every decision depends on the bytes of the stream alone and never on where a packet ended, so
//! any cutting of the stream gives the same pieces. The rules, in order:
//!
//! 1. Line breaks between pieces are skipped.
//! 2. `##` and four digits open a frame of that length when `&&` and four hexadecimal digits stand
//!    where they must; no line break is needed after it.
//! 3. Otherwise the piece reaches to the next line break or the next `##` with four digits.
//! 4. A line break inside the stated length ends a frame of plain text at once (it was torn), but
//!    not one with control or non-ASCII bytes (it may be encrypted or hold text).

const HEAD: usize = 6;
const TAIL: usize = 4;

/// Something cut from the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// `##`, four digits, a data segment, four hexadecimal digits.
    Frame(Envelope<'a>),
    /// It ends like a frame (`&&` and four hexadecimal digits) or begins like one, but the other
    /// end is lost.
    Torn(&'a [u8]),
    /// A line that neither begins nor ends like a frame.
    NotAFrame(&'a [u8]),
    /// Longer than the limit; these are its first bytes, the rest is skipped.
    TooLong(&'a [u8]),
}

/// The envelope of a frame, not yet checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// All of it as received, without the line break.
    pub whole: &'a [u8],
    /// Length stated in the head, in bytes.
    pub stated: usize,
    /// The data segment.
    pub data: &'a [u8],
    /// The check value sent.
    pub check: u16,
}

/// Cuts a stream into pieces.
#[derive(Debug)]
pub struct Splitter {
    buffer: Vec<u8>,
    start: usize,
    limit: usize,
    skipping: bool,
}

enum Cut {
    More,
    Piece { end: usize, class: Class },
}

enum Class {
    Frame,
    Line,
    TooLong,
}

impl Splitter {
    /// A splitter that refuses pieces longer than `limit` bytes (at least 64).
    pub fn new(limit: usize) -> Splitter {
        Splitter {
            buffer: Vec::new(),
            start: 0,
            limit: limit.max(64),
            skipping: false,
        }
    }

    /// Adds bytes. Take all pieces with [`Splitter::next_piece`] before feeding again, or the
    /// buffer grows.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes held that do not yet make a piece.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Bytes of memory held.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Gives memory back when much more is held than is needed: call when the stream pauses.
    pub fn rest(&mut self) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        if self.buffer.capacity() > 2048 && self.buffer.len() < 1024 {
            self.buffer.shrink_to(self.buffer.len());
        }
    }

    /// The next piece, or `None` until more bytes are fed.
    pub fn next_piece(&mut self) -> Option<Piece<'_>> {
        self.skip_breaks();
        if self.skipping && !self.skip_oversized() {
            return None;
        }
        let bytes = &self.buffer[self.start..];
        if bytes.is_empty() {
            return None;
        }
        let Cut::Piece { end, class } = cut(bytes, self.limit) else {
            return None;
        };
        let from = self.start;
        self.start += end;
        self.skipping = matches!(class, Class::TooLong);
        Some(classify(&self.buffer[from..from + end], class))
    }

    /// The stream has ended: what is left, as one last piece.
    pub fn finish(&mut self) -> Option<Piece<'_>> {
        self.skip_breaks();
        let from = self.start;
        self.start = self.buffer.len();
        if self.skipping || from == self.start {
            return None;
        }
        Some(classify(&self.buffer[from..], Class::Line))
    }

    fn skip_breaks(&mut self) {
        if self.skipping {
            return;
        }
        let rest = &self.buffer[self.start..];
        let breaks = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        self.start += breaks.count();
    }

    /// Passes over an oversized piece; true when its end has been reached.
    fn skip_oversized(&mut self) -> bool {
        let bytes = &self.buffer[self.start..];
        if let Some(end) = line_end(bytes) {
            self.start += end;
            self.skipping = false;
            self.skip_breaks();
            return true;
        }
        // What might be the beginning of a head stays.
        self.start += bytes.len().saturating_sub(HEAD - 1);
        false
    }
}

/// Where the first piece of `bytes` ends.
fn cut(bytes: &[u8], limit: usize) -> Cut {
    if let Some(stated) = head(bytes) {
        let total = HEAD + stated + TAIL;
        if total <= limit {
            let within = &bytes[..total.min(bytes.len())];
            let torn = match within.iter().position(|b| *b == b'\n') {
                Some(end) => {
                    let line = &within[..end];
                    let line = line.strip_suffix(b"\r").unwrap_or(line);
                    tail(line).is_some() || line.iter().all(|b| (0x20..0x7F).contains(b))
                }
                None => false,
            };
            if !torn {
                if bytes.len() < total {
                    return Cut::More;
                }
                if tail(within).is_some() {
                    return Cut::Piece {
                        end: total,
                        class: Class::Frame,
                    };
                }
            }
        }
    } else if bytes.len() < HEAD && may_be_head(bytes) {
        return Cut::More;
    }
    let seen = &bytes[..bytes.len().min(limit + HEAD)];
    // From the second byte on, so that the piece's own head does not end it.
    match line_end(&seen[1..]).map(|end| end + 1) {
        Some(end) if end < limit => Cut::Piece {
            end,
            class: Class::Line,
        },
        None if bytes.len() < limit + HEAD => Cut::More,
        _ => Cut::Piece {
            end: limit,
            class: Class::TooLong,
        },
    }
}

fn classify(piece: &[u8], class: Class) -> Piece<'_> {
    let mut whole = piece;
    if let Class::TooLong = class {
        return Piece::TooLong(whole);
    }
    if let Class::Line = class {
        while let [rest @ .., b'\r'] = whole {
            whole = rest;
        }
    }
    let check = tail(whole);
    match (head(whole), check) {
        (Some(stated), Some(check)) if whole.len() >= HEAD + TAIL => Piece::Frame(Envelope {
            whole,
            stated,
            data: &whole[HEAD..whole.len() - TAIL],
            check,
        }),
        (None, None) => Piece::NotAFrame(whole),
        _ => Piece::Torn(whole),
    }
}

/// The stated length when `bytes` begin with `##` and four digits.
fn head(bytes: &[u8]) -> Option<usize> {
    let [b'#', b'#', digits @ ..] = bytes else {
        return None;
    };
    let digits = digits.get(..4)?;
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + usize::from(digit - b'0'))
    })
}

fn may_be_head(bytes: &[u8]) -> bool {
    let mut pattern = bytes.iter().enumerate();
    pattern.all(|(i, b)| {
        if i < 2 {
            *b == b'#'
        } else {
            b.is_ascii_digit()
        }
    })
}

/// The check value when `bytes` end with `&&` and four hexadecimal digits.
fn tail(bytes: &[u8]) -> Option<u16> {
    let [.., b'&', b'&', a, b, c, d] = bytes else {
        return None;
    };
    super::crc::parse_hex4(&[*a, *b, *c, *d])
}

/// Position of the first line break or head.
fn line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().enumerate().position(|(i, byte)| match byte {
        b'\n' => true,
        b'#' => head(&bytes[i..]).is_some(),
        _ => false,
    })
}
