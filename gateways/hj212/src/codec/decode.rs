//! From an envelope to a frame, or to the reason why not.
//!
//! A frame with a right check value but a wrong stated length is refused as `length`: the sender
//! contradicts itself, and in the field such frames have lost characters inside.

use super::crc::Check;
use super::frame::Frame;
use super::sm4::{Key, decrypt_contents, looks_encrypted};
use super::split::Envelope;

/// Why something received was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A line that is no frame at all.
    NotAFrame,
    /// The stated length differs, though the check value is right.
    Length,
    /// The check value is wrong by the standard and as Modbus, or the frame is torn.
    Crc,
    /// No usable MN.
    NoDevice,
    /// Values without a usable DataTime.
    BadTime,
    /// Encrypted, and no key (or not this key) is configured for the device.
    Encrypted,
    /// Longer than the limit.
    TooLong,
    /// The engine takes no more things.
    TooManyDevices,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Reason; 8] = [
        Reason::NotAFrame,
        Reason::Length,
        Reason::Crc,
        Reason::NoDevice,
        Reason::BadTime,
        Reason::Encrypted,
        Reason::TooLong,
        Reason::TooManyDevices,
    ];

    /// The word in counters and kept frames.
    pub fn word(self) -> &'static str {
        match self {
            Reason::NotAFrame => "not_a_frame",
            Reason::Length => "length",
            Reason::Crc => "crc",
            Reason::NoDevice => "no_device",
            Reason::BadTime => "bad_time",
            Reason::Encrypted => "encrypted",
            Reason::TooLong => "too_long",
            Reason::TooManyDevices => "too_many_devices",
        }
    }
}

/// A refusal, with the device as far as the frame said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// Why.
    pub reason: Reason,
    /// MN as sent, unchecked.
    pub mn: Option<&'a str>,
}

struct Head<'a> {
    frame: Frame<'a>,
    /// Where the contents of CP begin and end in the data segment.
    contents: (usize, usize),
}

/// Checks and reads a frame. `key_of` gives the SM4 key of a device when one is configured;
/// `plain` holds the decrypted data segment when one is needed.
pub fn decode<'a>(
    envelope: Envelope<'a>,
    key_of: impl Fn(&str) -> Option<Key>,
    plain: &'a mut Vec<u8>,
) -> Result<Frame<'a>, Refusal<'a>> {
    let head = read(envelope.data);
    let mn = Some(head.frame.mn).filter(|mn| !mn.is_empty());
    let refuse = |reason| Err(Refusal { reason, mn });
    let mut check = Check::recognise(envelope.data, envelope.check);
    let mut length_right = envelope.stated == envelope.data.len();
    let mut frame = head.frame;
    if may_be_encrypted(&frame, check) {
        let Some(key) = key_of(frame.mn) else {
            return refuse(Reason::Encrypted);
        };
        let Some(contents) = decrypt_contents(frame.cp, &key) else {
            return refuse(Reason::Encrypted);
        };
        plain.clear();
        plain.extend_from_slice(&envelope.data[..head.contents.0]);
        plain.extend_from_slice(&contents);
        plain.extend_from_slice(&envelope.data[head.contents.1..]);
        check = Check::recognise(plain, envelope.check).or(check);
        length_right |= envelope.stated == plain.len();
        if check.is_none() || looks_encrypted(&contents) {
            return refuse(Reason::Encrypted);
        }
        frame = read(plain).frame;
    }
    let Some(check) = check else {
        return refuse(Reason::Crc);
    };
    if !length_right {
        return refuse(Reason::Length);
    }
    if !usable_name(frame.mn) {
        return refuse(Reason::NoDevice);
    }
    frame.check = check;
    Ok(frame)
}

/// 2025 §6.4.2 encrypts the commands 2000 to 2999, 1014 and 3020. The check value on the wire is
/// that of the plain frame, so one that fits says that the contents are plain, but for the
/// unmistakable text form.
fn may_be_encrypted(frame: &Frame<'_>, check: Option<Check>) -> bool {
    let command = matches!(frame.cn, 2000..=2999 | 1014 | 3020);
    let form = match check {
        Some(_) => frame.cp.starts_with(b"{0x") || frame.cp.starts_with(b"{0X"),
        None => looks_encrypted(frame.cp),
    };
    command && form
}

/// A device's name: 1 to 32 letters, digits, `-` or `_`.
fn usable_name(mn: &str) -> bool {
    let usable = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=32).contains(&mn.len()) && mn.bytes().all(usable)
}

fn read(data: &[u8]) -> Head<'_> {
    let (head, contents) = contents_of(data);
    let mut frame = Frame {
        qn: None,
        st: "",
        cn: 0,
        pw: "",
        mn: "",
        flag: None,
        pnum: None,
        pno: None,
        back_filled: false,
        cp: &data[contents.0..contents.1],
        check: Check::Standard,
    };
    for part in data[..head].split(|b| *b == b';') {
        let Some(equals) = part.iter().position(|b| *b == b'=') else {
            continue;
        };
        let Ok(value) = std::str::from_utf8(&part[equals + 1..]) else {
            continue;
        };
        match &part[..equals] {
            b"QN" => frame.qn = Some(value),
            b"ST" => frame.st = value,
            b"CN" => frame.cn = value.parse().unwrap_or(0),
            b"PW" => frame.pw = value,
            b"MN" => frame.mn = value,
            b"Flag" => frame.flag = value.parse().ok(),
            b"PNUM" => frame.pnum = value.parse().ok(),
            b"PNO" => frame.pno = value.parse().ok(),
            b"RF" => frame.back_filled = value == "1",
            _ => {}
        }
    }
    Head { frame, contents }
}

/// Length of the head, and where the contents of CP begin and end.
fn contents_of(data: &[u8]) -> (usize, (usize, usize)) {
    let Some(at) = data.windows(5).position(|w| w == b"CP=&&") else {
        return (data.len(), (data.len(), data.len()));
    };
    let from = at + 5;
    let to = match data.ends_with(b"&&") {
        true => (data.len() - 2).max(from),
        false => data.len(),
    };
    (at, (from, to))
}
