//! Numbers of the state: citizen number (GB 11643), residence permits of the same build, unified
//! social credit code (GB 32100), mobile number. Their check characters and dates are judged here
//! and nowhere else; what a list may show of them too.

use crate::fault::Words;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A date of the calendar, such as a birthday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day {
    year: i16,
    month: i8,
    day: i8,
}

impl Day {
    /// A day that exists, of the years 1850 to 2999.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Day> {
        let exists = jiff::civil::Date::new(year, month, day).is_ok();
        ((1850..=2999).contains(&year) && exists).then_some(Day { year, month, day })
    }

    /// Reads `2026-11-21`.
    pub fn parse(text: &str) -> Option<Day> {
        let sound = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| {
                matches!(i, 4 | 7) == (b == b'-') && (b == b'-' || b.is_ascii_digit())
            });
        if !sound {
            return None;
        }
        Day::new(
            text[..4].parse().ok()?,
            text[5..7].parse().ok()?,
            text[8..].parse().ok()?,
        )
    }

    /// The day of an instant in Beijing.
    pub fn of(time: Time) -> Day {
        let (year, month, day, ..) = time.beijing_fields();
        Day { year, month, day }
    }

    /// Beijing midnight at the beginning of the day.
    pub fn starts(self) -> Time {
        Time::from_beijing(self.year, self.month, self.day, 0, 0, 0, 0).unwrap_or(Time(i64::MAX))
    }

    /// The same day so many years later; without one (29 February) the last day of that month
    /// (Civil Code, article 202).
    pub fn years_later(self, years: i16) -> Day {
        let year = self.year.saturating_add(years);
        Day::new(year, self.month, self.day).unwrap_or(Day {
            year,
            month: self.month,
            day: 28,
        })
    }

    /// Full years of age of somebody born on this day, at an instant.
    pub fn age_at(self, now: Time) -> i16 {
        let today = Day::of(now);
        let mut years = today.year - self.year;
        if today < self.years_later(years) {
            years -= 1;
        }
        years
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Day, Self::Error> {
        Day::parse(&text).ok_or("expected a date such as 2026-11-21")
    }
}

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFault {
    /// Too short or too long.
    Length,
    /// A character that does not belong there.
    Character,
    /// The date of birth inside does not exist.
    Date,
    /// The check character does not fit: mistyped.
    Check,
}

impl NumberFault {
    /// What to tell whoever typed it.
    pub fn words(self) -> Words {
        let (zh, en) = match self {
            NumberFault::Length => ("号码位数不对", "the number is too short or too long"),
            NumberFault::Character => (
                "号码中有不允许的字符",
                "the number holds a character that does not belong there",
            ),
            NumberFault::Date => (
                "号码中的出生日期不存在",
                "the date of birth inside the number does not exist",
            ),
            NumberFault::Check => (
                "号码校验位不符，请核对是否输错",
                "the check character does not fit: please look for a slip",
            ),
        };
        Words::new(zh, en)
    }
}

/// Without blanks around it, letters large. At most 40 characters are looked at.
fn tidy(text: &str) -> String {
    let text = text.trim();
    text.chars()
        .take(40)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// The check character of the first 17 digits (GB 11643, ISO 7064 MOD 11-2); `None` unless there
/// are 17 digits.
pub fn citizen_check(first_17: &str) -> Option<char> {
    if first_17.len() != 17 || !first_17.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let sum = first_17
        .bytes()
        .fold(0u32, |sum, b| ((sum + u32::from(b - b'0')) * 2) % 11);
    // 2^17 · a1 + … + 2 · a17 + check ≡ 1 (mod 11)
    let check = (12 - sum) % 11;
    Some(if check == 10 {
        'X'
    } else {
        char::from_digit(check, 10)?
    })
}

/// A citizen number, or a residence permit of the same build: 18 characters, a date of birth, a
/// check character.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CitizenNumber {
    text: String,
    birth: Day,
}

// The number itself stays out of logs.
impl fmt::Debug for CitizenNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CitizenNumber({})", mask_number(&self.text))
    }
}

impl CitizenNumber {
    /// Reads a number as people type it: blanks around it and a small x are forgiven.
    pub fn parse(text: &str) -> Result<CitizenNumber, NumberFault> {
        let text = tidy(text);
        if text.chars().count() != 18 {
            return Err(NumberFault::Length);
        }
        let digits = text.bytes().take(17).all(|b| b.is_ascii_digit());
        let last = text.chars().next_back();
        let ends = last.is_some_and(|c| c.is_ascii_digit() || c == 'X');
        if text.len() != 18 || !digits || !ends || text.starts_with('0') {
            return Err(NumberFault::Character);
        }
        let number = |range: std::ops::Range<usize>| text[range].parse::<i16>().unwrap_or(0);
        let (year, month, day) = (number(6..10), number(10..12), number(12..14));
        let birth = Day::new(year, month as i8, day as i8).ok_or(NumberFault::Date)?;
        if citizen_check(&text[..17]) != last {
            return Err(NumberFault::Check);
        }
        Ok(CitizenNumber { text, birth })
    }

    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// Day of birth.
    pub fn birth(&self) -> Day {
        self.birth
    }
    /// Is it a residence permit: of Hong Kong, Macao or Taiwan (8) or of a foreigner (9)?
    pub fn is_residence_permit(&self) -> bool {
        self.text.starts_with(['8', '9'])
    }
}

const CREDIT_CODE: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// The check character of the first 17 characters of a unified social credit code (GB 32100,
/// ISO 7064 MOD 31); `None` unless all 17 are of its alphabet.
pub fn credit_check(first_17: &str) -> Option<char> {
    if first_17.len() != 17 {
        return None;
    }
    let mut sum = 0;
    let mut weight = 1;
    for byte in first_17.bytes() {
        sum += CREDIT_CODE.iter().position(|c| *c == byte)? * weight;
        weight = weight * 3 % 31;
    }
    Some(char::from(CREDIT_CODE[(31 - sum % 31) % 31]))
}

/// A unified social credit code: public, so it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreditCode(String);

impl CreditCode {
    /// Reads a code as people type it.
    pub fn parse(text: &str) -> Result<CreditCode, NumberFault> {
        let text = tidy(text);
        if text.chars().count() != 18 {
            return Err(NumberFault::Length);
        }
        let sound = text.bytes().all(|b| CREDIT_CODE.contains(&b));
        let area = text
            .get(2..8)
            .is_some_and(|a| a.bytes().all(|b| b.is_ascii_digit()));
        if !sound || !area {
            return Err(NumberFault::Character);
        }
        if credit_check(&text[..17]) != text.chars().next_back() {
            return Err(NumberFault::Check);
        }
        Ok(CreditCode(text))
    }
    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A mobile number of the mainland: 11 digits beginning with 13 to 19; `+86`, blanks and hyphens
/// are forgiven.
pub fn mobile(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > 40 {
        return None;
    }
    let text = text
        .strip_prefix("+86")
        .or(text.strip_prefix("0086"))
        .unwrap_or(text);
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let bytes = digits.as_bytes();
    let sound = bytes.len() == 11
        && bytes.iter().all(u8::is_ascii_digit)
        && bytes[0] == b'1'
        && (b'3'..=b'9').contains(&bytes[1]);
    sound.then_some(digits)
}

/// A passport: 5 to 17 letters and digits.
pub fn passport(text: &str) -> Result<String, NumberFault> {
    let text = tidy(text);
    if !(5..=17).contains(&text.chars().count()) {
        return Err(NumberFault::Length);
    }
    if !text
        .bytes()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    {
        return Err(NumberFault::Character);
    }
    Ok(text)
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{20000}'..='\u{323af}')
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || (matches!(c, '\u{c0}'..='\u{24f}') && c.is_alphabetic())
}

/// Are these the same name? Blanks, the form of dots and brackets, and capitals make no difference.
pub fn same_name(one: &str, other: &str) -> bool {
    let plain = |name: &str| -> String {
        let like = |c: char| match c {
            '•' | '．' | '・' | '‧' => '·',
            '（' => '(',
            '）' => ')',
            c => c,
        };
        let kept = name.chars().filter(|c| !c.is_whitespace());
        kept.map(like).flat_map(char::to_lowercase).collect()
    };
    plain(one) == plain(other)
}

/// The name of a person as documents carry it: Chinese characters with the middle dot, or Latin
/// letters; never a mixture, so that no letter can pass for another. Blanks around it are removed
/// and the several dots of keyboards become one. `None` for anything else.
pub fn person_name(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > 400 {
        return None;
    }
    let dot = |c| {
        if matches!(c, '•' | '．' | '・' | '‧') {
            '·'
        } else {
            c
        }
    };
    let name: String = text.chars().map(dot).collect();
    let length = name.chars().count();
    let inner = |c: char, also: &str| also.contains(c);
    let han = (2..=30).contains(&length) && name.chars().all(|c| is_han(c) || c == '·');
    let latin = (2..=60).contains(&length)
        && name.chars().all(|c| is_latin(c) || inner(c, " '-.·"))
        && name.contains(is_latin);
    let letters = name
        .chars()
        .next()
        .is_some_and(|c| is_han(c) || is_latin(c));
    ((han || latin) && letters).then_some(name)
}

/// What a list shows of a number: the first three characters and the last two.
pub fn mask_number(number: &str) -> String {
    let length = number.chars().count();
    if length < 8 {
        return "*".repeat(length);
    }
    number
        .chars()
        .enumerate()
        .map(|(i, c)| if i < 3 || i + 2 >= length { c } else { '*' })
        .collect()
}

/// What a list shows of a name: the first character.
pub fn mask_name(name: &str) -> String {
    let mut chars = name.chars();
    let first: String = chars.next().into_iter().collect();
    first + &"*".repeat(chars.count().min(3))
}

/// What a list shows of a mobile number: `138****0013`.
pub fn mask_mobile(number: &str) -> String {
    match (number.get(..3), number.get(7..)) {
        (Some(head), Some(tail)) if number.len() == 11 => format!("{head}****{tail}"),
        _ => "*".repeat(number.chars().count().min(11)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_characters_of_published_vectors() {
        // The standard's own example of GB 11643, and one that ends in X.
        assert_eq!(citizen_check("11010519491231002"), Some('X'));
        assert_eq!(citizen_check("44052418800101001"), Some('4'));
        // Codes as printed on public licences of state bodies.
        assert_eq!(credit_check("91350100M000100Y4"), Some('3'));
        assert_eq!(credit_check("91110000600037341"), Some('L'));
        assert_eq!(citizen_check("1101051949123100"), None);
        assert_eq!(credit_check("9135010OM000100Y4"), None);
    }

    #[test]
    fn citizen_numbers() {
        let check = |text: &str, expect: Result<&str, NumberFault>| {
            let found = CitizenNumber::parse(text).map(|n| n.birth().to_string());
            assert_eq!(found, expect.map(String::from), "{text:?}");
        };
        check("11010519491231002x", Ok("1949-12-31"));
        check("  11010519491231002X ", Ok("1949-12-31"));
        check("110105194912310021", Err(NumberFault::Check));
        check("11010519491331002X", Err(NumberFault::Date));
        check("11010519490229002X", Err(NumberFault::Date));
        check("11010500001231002X", Err(NumberFault::Date));
        check("11010519491231002", Err(NumberFault::Length));
        check("1101051949123100２X", Err(NumberFault::Character));
        check(
            "１１０１０５１９４９１２３１００２X",
            Err(NumberFault::Character),
        );
        check("01010519491231002X", Err(NumberFault::Character));
        check("11010519491231002\0", Err(NumberFault::Character));
        check("", Err(NumberFault::Length));
        check(&"1".repeat(10_000), Err(NumberFault::Length));
    }

    #[test]
    fn a_slip_of_one_digit_or_two_swapped_is_always_found() {
        let right = "11010519491231002X";
        for i in 0..17 {
            for digit in '0'..='9' {
                let mut typed: Vec<char> = right.chars().collect();
                if typed[i] == digit {
                    continue;
                }
                typed[i] = digit;
                let typed: String = typed.into_iter().collect();
                assert!(CitizenNumber::parse(&typed).is_err(), "{typed}");
            }
        }
    }

    #[test]
    fn ages_at_birthdays() {
        let at = |text: &str| Time::parse(text).expect("a time");
        let born = Day::new(2008, 2, 29).expect("a day");
        assert_eq!(born.years_later(18).to_string(), "2026-02-28");
        assert_eq!(born.age_at(at("2026-02-27T23:59:59+08:00")), 17);
        assert_eq!(born.age_at(at("2026-02-28T00:00:00+08:00")), 18);
        let born = Day::new(2008, 11, 25).expect("a day");
        assert_eq!(born.age_at(at("2026-11-24T15:59:59Z")), 17);
        assert_eq!(born.age_at(at("2026-11-24T16:00:00Z")), 18);
    }

    #[test]
    fn names_and_what_is_shown_of_them() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(person_name(text).as_deref(), expect, "{text:?}");
        };
        check(" 李明 ", Some("李明"));
        check("阿依古丽•买买提", Some("阿依古丽·买买提"));
        check("José Núñez-O'Brien", Some("José Núñez-O'Brien"));
        check("李", None);
        check("李ming", None);
        check("Lі Ming", None); // a Cyrillic letter
        check("李明\u{202e}", None);
        check("李\0明", None);
        check("·李明", None);
        check(&"李".repeat(10_000), None);
        assert_eq!(mask_name("阿依古丽·买买提"), "阿***");
        assert_eq!(mask_number("130199199001010019"), "130*************19");
        assert_eq!(mask_mobile("13800000013"), "138****0013");
        assert_eq!(mobile("+86 138-0000-0013").as_deref(), Some("13800000013"));
        assert_eq!(mobile("12800000013"), None);
        assert_eq!(mobile("1380000001３"), None);
    }
}
