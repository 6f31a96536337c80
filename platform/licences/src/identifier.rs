//! Identifiers of licences (证照标识, GB/T 36904-2018): the root of the standard, the code of the
//! type, the code of the issuer, a serial, a version and a check character by ISO 7064
//! MOD 37,36 over type, issuer, serial and version without the dots between them.

use kernel::fault::{Problem, Words};
use kernel::numbers::CreditCode;
use std::fmt;

/// Characters of a serial, at most.
pub const SERIAL: usize = 40;
/// Characters of an identifier we look at, at most.
const LIMIT: usize = 200;

/// What of the standard is not sure enough to be written into the program. The defaults are those
/// that published identifiers verify with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Root of the object identifiers.
    pub root: String,
    /// Digits of the version.
    pub version_digits: usize,
    /// The issuer is a unified social credit code; old data carry a division code.
    pub issuer_is_credit_code: bool,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            root: "1.2.156.3005.2".into(),
            version_digits: 3,
            issuer_is_credit_code: false,
        }
    }
}

/// An identifier in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// Root.
    root: String,
    /// Code of the type: 18 characters and 3 digits.
    pub kind: String,
    /// Code of the issuer.
    pub issuer: String,
    /// Serial.
    pub serial: String,
    /// Version, as many digits as the rules say.
    version: String,
    check: char,
}

/// The check character of ISO 7064 MOD 37,36; `None` when a character is not of its alphabet.
pub fn check_character(text: &str) -> Option<char> {
    let mut state = 36;
    for c in text.chars() {
        let value = match c {
            '0'..='9' | 'A'..='Z' => c.to_digit(36)?,
            _ => return None,
        };
        state = (state + value) % 36;
        let sum = if state == 0 { 36 } else { state };
        state = sum * 2 % 37;
    }
    char::from_digit((37 - state) % 36, 36).map(|c| c.to_ascii_uppercase())
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// Is this a serial: 1 to 40 of 0–9 and A–Z?
pub fn is_serial(text: &str) -> bool {
    is_plain(text) && text.len() <= SERIAL
}

impl Rules {
    /// An identifier of these parts; `None` when one of them does not fit.
    pub fn make(&self, kind: &str, issuer: &str, serial: &str, version: u32) -> Option<Identifier> {
        let version = format!("{version:0width$}", width = self.version_digits);
        let sound = kind.len() == 21
            && is_plain(kind)
            && is_plain(issuer)
            && is_serial(serial)
            && version.len() == self.version_digits;
        if !sound {
            return None;
        }
        let check = check_character(&[kind, issuer, serial, &version].concat())?;
        Some(Identifier {
            root: self.root.clone(),
            kind: kind.into(),
            issuer: issuer.into(),
            serial: serial.into(),
            version,
            check,
        })
    }

    /// Reads an identifier; blanks around it and small letters are forgiven.
    pub fn parse(&self, text: &str) -> Result<Identifier, Problem> {
        let problem = |zh: &str, en: &str| Problem {
            at: "identifier".into(),
            words: Words::new(zh, en),
        };
        let form = || {
            problem(
                "证照标识的格式不对（GB/T 36904）",
                "this is no identifier of a licence (GB/T 36904)",
            )
        };
        if text.len() > LIMIT {
            return Err(form());
        }
        let text = text.trim().to_ascii_uppercase();
        let rest = text.strip_prefix(&self.root).ok_or_else(form)?;
        let parts: Vec<&str> = rest.split('.').collect();
        let ["", kind, issuer, serial, version, check] = parts.as_slice() else {
            return Err(form());
        };
        let number: u32 = version.parse().map_err(|_| form())?;
        let made = self.make(kind, issuer, serial, number).ok_or_else(form)?;
        if made.version != *version || self.issuer_is_credit_code && !is_credit_code(issuer) {
            return Err(form());
        }
        let mut given = check.chars();
        if given.next() != Some(made.check) || given.next().is_some() {
            return Err(problem(
                "证照标识的校验位不符，请核对是否输错",
                "the check character does not fit: please look for a slip",
            ));
        }
        Ok(made)
    }
}

fn is_credit_code(text: &str) -> bool {
    CreditCode::parse(text).is_ok()
}

impl Identifier {
    /// Version, from 1.
    pub fn version(&self) -> u32 {
        self.version.parse().unwrap_or(0)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}.{}.{}.{}",
            self.root, self.kind, self.issuer, self.serial, self.version, self.check
        )
    }
}
