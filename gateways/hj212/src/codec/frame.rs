//! A frame: the fields of the data segment, found by their names in whatever order they come.

use super::crc::Check;

/// Edition of HJ 212 a frame speaks, recognised from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Edition {
    /// HJ/T 212-2005.
    #[default]
    E2005,
    /// HJ 212-2017.
    E2017,
    /// HJ 212-2025.
    E2025,
}

impl Edition {
    /// The year as text.
    pub fn word(self) -> &'static str {
        match self {
            Edition::E2005 => "2005",
            Edition::E2017 => "2017",
            Edition::E2025 => "2025",
        }
    }

    /// Version bits of Flag, shifted to their place (table 2 of HJ 212-2017: bits 2 to 7).
    pub fn flag_bits(self) -> u8 {
        match self {
            Edition::E2005 => 0,
            Edition::E2017 => 4,
            Edition::E2025 => 8,
        }
    }
}

/// A checked frame. Texts borrow from the buffer it was received in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame<'a> {
    /// Request number, 17 digits; old devices leave it out or put it into CP.
    pub qn: Option<&'a str>,
    /// System code (ST), empty when not given or unreadable.
    pub st: &'a str,
    /// Command (CN), 0 when not given.
    pub cn: u16,
    /// Password (PW).
    pub pw: &'a str,
    /// Device identification (MN).
    pub mn: &'a str,
    /// Flag as sent; `None` when not given.
    pub flag: Option<u8>,
    /// Total number of packets (PNUM) when the message is split.
    pub pnum: Option<u32>,
    /// Number of this packet (PNO).
    pub pno: Option<u32>,
    /// A back-filled packet (RF=1, 2025).
    pub back_filled: bool,
    /// Contents of CP between its `&&`.
    pub cp: &'a [u8],
    /// Which check value it carried.
    pub check: Check,
}

/// One `name=value` of CP and the number of its group: `;` separates groups, `,` the attributes
/// of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Which group it stands in, from 0.
    pub group: usize,
    /// Before the `=`.
    pub name: &'a [u8],
    /// After the `=`; empty when there is none.
    pub value: &'a [u8],
}

struct Attributes<'a> {
    rest: &'a [u8],
    group: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let group = self.group;
            let mut equals = None;
            let mut end = self.rest.len();
            for (i, byte) in self.rest.iter().enumerate() {
                match byte {
                    b',' | b';' => {
                        end = i;
                        break;
                    }
                    b'=' if equals.is_none() => equals = Some(i),
                    _ => {}
                }
            }
            let text = &self.rest[..end];
            if self.rest.get(end) == Some(&b';') {
                self.group += 1;
            }
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if text.is_empty() {
                continue;
            }
            let (name, value) = match equals {
                Some(at) => (&text[..at], &text[at + 1..]),
                None => (text, &text[text.len()..]),
            };
            return Some(Attribute { group, name, value });
        }
    }
}

/// Attributes of the contents of CP, in order.
pub(super) fn attributes(cp: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    Attributes { rest: cp, group: 0 }
}

impl<'a> Frame<'a> {
    /// Attributes of CP, in order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        attributes(self.cp)
    }

    /// Value of a named attribute of CP, as text.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        let found = self.attributes().find(|a| a.name == name.as_bytes())?;
        std::str::from_utf8(found.value).ok()
    }

    /// The request number from the head or, in 2005 answers and notices, from CP.
    pub fn request(&self) -> Option<&'a str> {
        self.qn
            .or_else(|| self.field("QN"))
            .filter(|qn| !qn.is_empty())
    }

    /// The device wants an answer (bit 0 of Flag).
    pub fn wants_answer(&self) -> bool {
        self.flag.is_some_and(|flag| flag & 1 == 1)
    }

    /// A heartbeat: CN 9015, or the vendors' 8013.
    pub fn is_heartbeat(&self) -> bool {
        matches!(self.cn, 9015 | 8013)
    }

    /// A notice, answered by 9013 and not by 9014.
    pub fn is_notice(&self) -> bool {
        self.is_heartbeat() || matches!(self.cn, 1013 | 2072 | 2073)
    }

    /// Part of a dialogue (9011 to 9014); never answered.
    pub fn is_answer(&self) -> bool {
        matches!(self.cn, 9011..=9014)
    }

    /// Whether an edition of the standard or a vendor known to us uses this command upwards.
    pub fn is_known(&self) -> bool {
        matches!(
            self.cn,
            1000..=1002
                | 1011
                | 1013
                | 1014
                | 1061..=1064
                | 1072
                | 2011..=2013
                | 2021
                | 2022
                | 2031
                | 2041
                | 2051
                | 2052
                | 2061
                | 2062
                | 2071..=2073
                | 2081
                | 2111
                | 3011..=3021
                | 8013
                | 9011..=9015
        )
    }

    /// The edition it speaks: by the version bits of Flag, and where these say nothing by the
    /// form of MN and of the factor codes.
    pub fn edition(&self) -> Edition {
        match self.flag.map(|flag| flag >> 2) {
            Some(1) => Edition::E2017,
            Some(2..) => Edition::E2025,
            _ if self.back_filled => Edition::E2025,
            _ if self.mn.len() == 24 || self.has_new_codes() => Edition::E2017,
            _ => Edition::E2005,
        }
    }

    fn has_new_codes(&self) -> bool {
        let named = self.attributes().find(|a| a.name.contains(&b'-'));
        let Some((letter, digits)) = named.and_then(|a| a.name.split_first()) else {
            return false;
        };
        matches!(letter, b'a' | b'w' | b'e' | b'g' | b'i')
            && digits.len() > 5
            && digits[..3].iter().all(u8::is_ascii_digit)
    }
}
