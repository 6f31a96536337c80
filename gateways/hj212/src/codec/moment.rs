//! Times as HJ 212 writes them: 14 digits `YYYYMMDDhhmmss` or 17 with milliseconds, Beijing time.

use kernel::Time;
use kernel::time::{BEIJING_OFFSET, DAY, HOUR, MINUTE, SECOND};

/// Reads 14 or 17 digits; `None` when it is no date between the years 2000 and 2099.
pub fn parse_time(text: &[u8]) -> Option<Time> {
    if !matches!(text.len(), 14 | 17) || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = text[from..to].iter();
        digits.fold(0i64, |n, digit| n * 10 + i64::from(digit - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(4, 6), number(6, 8));
    let (hour, minute, second) = (number(8, 10), number(10, 12), number(12, 14));
    let in_range = (2000..2100).contains(&year)
        && (1..=12).contains(&month)
        && day >= 1
        && day <= days_in_month(year, month)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    let micros = if text.len() == 17 {
        number(14, 17) * 1000
    } else {
        0
    };
    let of_day = hour * HOUR + minute * MINUTE + second * SECOND + micros;
    Some(Time(
        days_from_civil(year, month, day) * DAY + of_day - BEIJING_OFFSET,
    ))
}

/// Fourteen digits, Beijing time.
pub fn format_time(time: Time) -> String {
    let (y, mo, d, h, mi, s) = time.beijing_fields();
    format!("{y:04}{mo:02}{d:02}{h:02}{mi:02}{s:02}")
}

/// Seventeen digits, Beijing time: the form of QN.
pub fn format_millis(time: Time) -> String {
    let millis = time.0.rem_euclid(SECOND) / 1000;
    format!("{}{millis:03}", format_time(time))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}
