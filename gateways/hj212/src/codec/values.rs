//! From the contents of CP to numbers: `<code>-<suffix>=<number>` with the flag of its group.

use super::frame::{Frame, attributes};

/// What stands after the `-` of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suffix {
    /// Reading of the moment.
    Rtd,
    /// Mean of the period.
    Avg,
    /// Smallest of the period.
    Min,
    /// Largest of the period.
    Max,
    /// Cumulative amount of the period.
    Cou,
    /// Reading converted to reference conditions.
    ZsRtd,
    /// Converted mean.
    ZsAvg,
    /// Converted minimum.
    ZsMin,
    /// Converted maximum.
    ZsMax,
    /// Noise level.
    Data,
    /// Noise level by day.
    DayData,
    /// Noise level by night.
    NightData,
    /// State of a treatment or production device.
    State,
    /// Hours a device ran.
    RunTime,
}

impl Suffix {
    const NAMES: [(&'static str, Suffix); 14] = [
        ("Rtd", Suffix::Rtd),
        ("Avg", Suffix::Avg),
        ("Min", Suffix::Min),
        ("Max", Suffix::Max),
        ("Cou", Suffix::Cou),
        ("ZsRtd", Suffix::ZsRtd),
        ("ZsAvg", Suffix::ZsAvg),
        ("ZsMin", Suffix::ZsMin),
        ("ZsMax", Suffix::ZsMax),
        ("Data", Suffix::Data),
        ("DayData", Suffix::DayData),
        ("NightData", Suffix::NightData),
        ("RS", Suffix::State),
        ("RT", Suffix::RunTime),
    ];

    /// From its text, in either letter case.
    pub fn parse(text: &[u8]) -> Option<Suffix> {
        let fits = |(name, _): &&(&str, Suffix)| name.as_bytes().eq_ignore_ascii_case(text);
        Self::NAMES.iter().find(fits).map(|(_, suffix)| *suffix)
    }

    /// Its text.
    pub fn word(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// A state or running time and no measured value.
    pub fn is_state(self) -> bool {
        matches!(self, Suffix::State | Suffix::RunTime)
    }

    fn is_converted(self) -> bool {
        use Suffix::{ZsAvg, ZsMax, ZsMin, ZsRtd};
        matches!(self, ZsRtd | ZsAvg | ZsMin | ZsMax)
    }
}

/// One number of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement<'a> {
    /// Factor code as sent.
    pub code: &'a str,
    /// What it says about the factor.
    pub suffix: Suffix,
    /// The number; finite.
    pub value: f64,
    /// Quality letter in upper case, 0 when none was given.
    pub flag: u8,
}

/// What else a frame held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Measurements whose value is no finite number; left out, the rest of the frame is kept.
    pub non_numeric: u64,
    /// Attributes with a suffix that no edition has, such as `ZsCou`; left out.
    pub other: u64,
}

/// At most so many flags are remembered in one group.
const FLAGS: usize = 8;

struct Flags<'a> {
    group: usize,
    from: usize,
    count: usize,
    of: [(&'a [u8], bool, u8); FLAGS],
}

impl<'a> Flags<'a> {
    fn note(&mut self, code: &'a [u8], converted: bool, letter: u8) {
        if self.count < FLAGS {
            self.of[self.count] = (code, converted, letter);
            self.count += 1;
        }
    }

    /// Gives the flags of the group to its measurements; a `ZsFlag` outdoes a `Flag` for the
    /// converted ones.
    fn apply(&mut self, to: &mut [Measurement<'_>]) {
        for measurement in &mut to[self.from..] {
            let converted = measurement.suffix.is_converted();
            for (code, for_converted, letter) in &self.of[..self.count] {
                if *code != measurement.code.as_bytes() || (*for_converted && !converted) {
                    continue;
                }
                if *for_converted || measurement.flag == 0 {
                    measurement.flag = *letter;
                }
            }
        }
        self.from = to.len();
        self.count = 0;
    }
}

impl<'a> Frame<'a> {
    /// Appends the numbers of this frame in order, repeats included.
    pub fn measurements(&self, to: &mut Vec<Measurement<'a>>) -> Tally {
        let mut tally = Tally::default();
        let mut flags = Flags {
            group: 0,
            from: to.len(),
            count: 0,
            of: [(b"", false, 0); FLAGS],
        };
        for attribute in attributes(self.cp) {
            if attribute.group != flags.group {
                flags.apply(to);
                flags.group = attribute.group;
            }
            let Some(dash) = attribute.name.iter().position(|b| *b == b'-') else {
                continue;
            };
            let (code, suffix) = (&attribute.name[..dash], &attribute.name[dash + 1..]);
            if let Some(suffix) = Suffix::parse(suffix) {
                let number = parse_number(attribute.value);
                match (usable_code(code), number) {
                    (Some(code), Some(value)) => to.push(Measurement {
                        code,
                        suffix,
                        value,
                        flag: 0,
                    }),
                    (None, _) => tally.other += 1,
                    (_, None) => tally.non_numeric += 1,
                }
            } else if suffix == b"Flag" {
                flags.note(code, false, letter(attribute.value));
            } else if suffix == b"ZsFlag" {
                flags.note(code, true, letter(attribute.value));
            } else {
                tally.other += 1;
            }
        }
        flags.apply(to);
        tally
    }
}

/// A factor code: 1 to 32 letters, digits, `_` or `.`.
fn usable_code(code: &[u8]) -> Option<&str> {
    let usable = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
    let fits = (1..=32).contains(&code.len()) && code.iter().all(usable);
    std::str::from_utf8(code).ok().filter(|_| fits)
}

/// The quality letter. Air stations of 2005 send digits: 0 calibrating, 1 weather, 2 abnormal,
/// 3 normal.
fn letter(value: &[u8]) -> u8 {
    match value.first() {
        Some(b'0') => b'C',
        Some(b'1' | b'3') => b'N',
        Some(b'2') => b'D',
        Some(letter) if letter.is_ascii_alphabetic() => letter.to_ascii_uppercase(),
        _ => 0,
    }
}

/// A finite decimal number, exactly as Rust's own parser reads it, but faster for short ones.
pub fn parse_number(text: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] = [
        1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ];
    let text = text.trim_ascii();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    // Fifteen digits fit a double exactly, so that one division rounds once.
    if (1..=15).contains(&digits.len()) {
        let mut mantissa = 0u64;
        let mut point = None;
        let plain = digits.iter().enumerate().all(|(i, byte)| match byte {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                true
            }
            b'.' if point.is_none() => {
                point = Some(i);
                true
            }
            _ => false,
        });
        if plain && digits != b"." {
            let places = point.map_or(0, |at| digits.len() - 1 - at);
            let value = mantissa as f64 / POWERS[places];
            return Some(if negative { -value } else { value });
        }
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}
