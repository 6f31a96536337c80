//! Frames: SQLite's write-ahead log as bytes (<https://sqlite.org/walformat.html>). A header of 32
//! bytes with two salts, then frames of 24 bytes and a page. Each frame carries a checksum over
//! everything before it, so that a frame at a known place proves the whole log up to there; that
//! is what lets a backup go on after a crash without guessing. Reading only.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes of the header of the log.
pub const HEADER_BYTES: usize = 32;
/// Bytes of the header of a frame.
pub const FRAME_HEADER_BYTES: usize = 24;
/// Bytes of frames read at once.
const BLOCK_BYTES: usize = 1 << 20;

/// The header of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalHeader {
    /// As it is on the disk.
    pub bytes: [u8; HEADER_BYTES],
    /// Bytes of a page.
    pub page_size: u32,
    /// How often the log was begun again since it was made.
    pub restarts: u32,
    /// What marks the frames of this generation; the first counts up by one with every restart.
    pub salts: [u32; 2],
    checksum: [u32; 2],
}

impl WalHeader {
    /// Reads a header; `None` when it is not one (an empty log, or one about to be written).
    pub fn parse(bytes: [u8; HEADER_BYTES]) -> Option<WalHeader> {
        let word = |at: usize| be(&bytes, at);
        let magic = word(0);
        let page_size = word(8);
        let checksum = [word(24), word(28)];
        let known = magic & 0xffff_fffe == 0x377f_0682 && word(4) == 3_007_000;
        let sized = page_size.is_power_of_two() && (512..=65_536).contains(&page_size);
        if !known || !sized || sum([0, 0], &bytes[..24], magic & 1 == 1) != checksum {
            return None;
        }
        Some(WalHeader {
            bytes,
            page_size,
            restarts: word(12),
            salts: [word(16), word(20)],
            checksum,
        })
    }

    /// Reads the header of the log in this file.
    pub fn read(file: &File) -> io::Result<Option<WalHeader>> {
        let mut bytes = [0; HEADER_BYTES];
        match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => Ok(WalHeader::parse(bytes)),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Is this the generation that follows `before` when its log is begun again once?
    pub fn follows(&self, before: &WalHeader) -> bool {
        self.page_size == before.page_size
            && self.restarts == before.restarts.wrapping_add(1)
            && self.salts[0] == before.salts[0].wrapping_add(1)
    }

    /// The place before the first frame.
    pub fn start(&self) -> Place {
        Place {
            frame: 0,
            checksum: self.checksum,
        }
    }

    /// Bytes of a frame with its page.
    pub fn frame_bytes(&self) -> usize {
        FRAME_HEADER_BYTES + self.page_size as usize
    }

    fn big_endian(&self) -> bool {
        self.bytes[3] & 1 == 1
    }

    /// The place after this frame when it follows `place`, and whether it ends a transaction.
    fn accept(&self, place: Place, frame: &[u8]) -> Option<(Place, bool)> {
        let salts = [be(frame, 8), be(frame, 12)];
        let stated = [be(frame, 16), be(frame, 20)];
        if salts != self.salts || be(frame, 0) == 0 {
            return None;
        }
        let checksum = sum(place.checksum, &frame[..8], self.big_endian());
        let checksum = sum(checksum, &frame[FRAME_HEADER_BYTES..], self.big_endian());
        let next = Place {
            frame: place.frame + 1,
            checksum,
        };
        (checksum == stated).then_some((next, be(frame, 4) != 0))
    }
}

/// A place in a log: after so many frames, whose running checksum is this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Frames before this place.
    pub frame: u32,
    /// Checksum over everything before it.
    pub checksum: [u32; 2],
}

/// Whole transactions copied out of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// The frames as they are on the disk.
    pub bytes: Vec<u8>,
    /// Numbers of frames that end a transaction, ascending.
    pub commits: Vec<u32>,
}

/// Copies the whole transactions after `place`, and says where they end. Stops before a
/// transaction that would begin beyond `limit_bytes`; one larger than that is copied whole.
pub fn copy_after(
    file: &File,
    header: &WalHeader,
    place: Place,
    limit_bytes: usize,
) -> io::Result<(Frames, Place)> {
    let frame_bytes = header.frame_bytes();
    let block = std::cmp::max(1, BLOCK_BYTES / frame_bytes) * frame_bytes;
    let mut frames = Frames::default();
    let (mut end, mut whole) = (place, 0);
    let mut reading = place;
    'blocks: loop {
        let at = HEADER_BYTES as u64 + u64::from(reading.frame) * frame_bytes as u64;
        let begun = frames.bytes.len();
        frames.bytes.resize(begun + block, 0);
        let read = read_up_to(file, &mut frames.bytes[begun..], at)?;
        frames
            .bytes
            .truncate(begun + read / frame_bytes * frame_bytes);
        if frames.bytes.len() == begun {
            break;
        }
        for number in 0..(frames.bytes.len() - begun) / frame_bytes {
            let at = begun + number * frame_bytes;
            let Some((next, commit)) = header.accept(reading, &frames.bytes[at..at + frame_bytes])
            else {
                break 'blocks;
            };
            reading = next;
            if commit {
                (end, whole) = (next, at + frame_bytes);
                frames.commits.push(next.frame);
                if whole >= limit_bytes {
                    break 'blocks;
                }
            }
        }
    }
    frames.bytes.truncate(whole);
    Ok((frames, end))
}

/// Does the log still go through `place`? True for the place before the first frame.
pub fn goes_through(file: &File, header: &WalHeader, place: Place) -> io::Result<bool> {
    if place.frame == 0 {
        return Ok(place == header.start());
    }
    let at = HEADER_BYTES as u64 + u64::from(place.frame - 1) * header.frame_bytes() as u64;
    let mut bytes = [0; FRAME_HEADER_BYTES];
    if read_up_to(file, &mut bytes, at)? < FRAME_HEADER_BYTES {
        return Ok(false);
    }
    let salts = [be(&bytes, 8), be(&bytes, 12)];
    Ok(salts == header.salts && [be(&bytes, 16), be(&bytes, 20)] == place.checksum)
}

fn read_up_to(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < into.len() {
        match file.read_at(&mut into[done..], at + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

fn be(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The checksum of the log over pairs of words.
fn sum([mut one, mut two]: [u32; 2], bytes: &[u8], big_endian: bool) -> [u32; 2] {
    for pair in bytes.chunks_exact(8) {
        let word = |at: usize| {
            let word = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
            match big_endian {
                true => u32::from_be_bytes(word),
                false => u32::from_le_bytes(word),
            }
        };
        one = one.wrapping_add(word(0)).wrapping_add(two);
        two = two.wrapping_add(word(4)).wrapping_add(one);
    }
    [one, two]
}
