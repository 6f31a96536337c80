//! Instants and spans. An instant is microseconds since 1970-01-01 UTC in an `i64`; a span is
//! microseconds. Calendar arithmetic is done in Beijing time (UTC+8, no summer time), the only
//! civil time the city uses; files and the API carry the offset.

use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Microseconds in one second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in one minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds in one hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds in one day.
pub const DAY: i64 = 24 * HOUR;
/// Beijing is eight hours ahead of UTC.
pub const BEIJING_OFFSET: i64 = 8 * HOUR;

/// An instant: microseconds since the Unix epoch, UTC. Serialised as RFC 3339 with `+08:00`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

/// A length of time in microseconds. Serialised as a number of seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Span(pub i64);

fn beijing() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

impl Time {
    /// The instant of a Beijing civil date and time; `None` when there is no such date.
    pub fn from_beijing(y: i16, mo: i8, d: i8, h: i8, mi: i8, s: i8, micros: i32) -> Option<Time> {
        let civil = jiff::civil::DateTime::new(y, mo, d, h, mi, s, micros * 1000).ok()?;
        let stamp = civil.to_zoned(beijing()).ok()?.timestamp();
        Some(Time(stamp.as_microsecond()))
    }

    /// Reads RFC 3339 (`2026-11-21T10:32:00+08:00`, `…Z`, minutes without seconds allowed), or a
    /// bare date or date-time, which is taken as Beijing time.
    pub fn parse(text: &str) -> Option<Time> {
        let text = text.trim();
        if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
            return Some(Time(stamp.as_microsecond()));
        }
        if let Ok(civil) = text.parse::<jiff::civil::DateTime>() {
            return Some(Time(
                civil.to_zoned(beijing()).ok()?.timestamp().as_microsecond(),
            ));
        }
        let date = text.parse::<jiff::civil::Date>().ok()?;
        Some(Time(
            date.to_zoned(beijing()).ok()?.timestamp().as_microsecond(),
        ))
    }

    /// Beijing civil fields: year, month, day, hour, minute, second.
    pub fn beijing_fields(self) -> (i16, i8, i8, i8, i8, i8) {
        let civil = self.civil();
        (
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second(),
        )
    }

    fn civil(self) -> jiff::civil::DateTime {
        let stamp =
            jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Offset::constant(8).to_datetime(stamp)
    }

    /// `2026-11-21T10:32:00+08:00`, with microseconds only when there are any.
    pub fn rfc3339(self) -> String {
        use fmt::Write;
        let mut text = String::with_capacity(32);
        let (y, mo, d, h, mi, s) = self.beijing_fields();
        let micros = self.0.rem_euclid(SECOND);
        // Writing to a String cannot fail.
        let _ = write!(text, "{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}");
        if micros != 0 {
            let _ = write!(text, ".{micros:06}");
            text.truncate(text.trim_end_matches('0').len());
        }
        text.push_str("+08:00");
        text
    }

    /// `2026-11-21 10:32:05` in Beijing time, for people.
    pub fn for_people(self) -> String {
        let (y, mo, d, h, mi, s) = self.beijing_fields();
        format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}")
    }

    /// The latest multiple of `span` at or before this instant, counted in Beijing time, so that
    /// a day starts at Beijing midnight.
    pub fn floor(self, span: Span) -> Time {
        let local = self.0 + BEIJING_OFFSET;
        Time(local.div_euclid(span.0) * span.0 - BEIJING_OFFSET)
    }

    /// The span from `earlier` to this instant (negative when `earlier` is later).
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0 - earlier.0)
    }
}

impl std::ops::Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl std::ops::Sub<Span> for Time {
    type Output = Time;
    fn sub(self, span: Span) -> Time {
        Time(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        let text = String::deserialize(from)?;
        Time::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("not a time: {text}")))
    }
}

impl Span {
    /// A span of whole seconds.
    pub const fn seconds(n: i64) -> Span {
        Span(n * SECOND)
    }
    /// A span of whole minutes.
    pub const fn minutes(n: i64) -> Span {
        Span(n * MINUTE)
    }
    /// A span of whole hours.
    pub const fn hours(n: i64) -> Span {
        Span(n * HOUR)
    }
    /// A span of whole days of 24 hours.
    pub const fn days(n: i64) -> Span {
        Span(n * DAY)
    }
    /// The span in seconds.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// Reads `90 s`, `10 min`, `3 h`, `20 d`, `1 y` (365 days), with or without the blank.
    pub fn parse(text: &str) -> Option<Span> {
        let text = text.trim();
        let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = text[..split].parse().ok()?;
        let unit = match text[split..].trim() {
            "ms" => 1_000,
            "s" => SECOND,
            "min" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            "y" => 365 * DAY,
            _ => return None,
        };
        Some(Span((number * unit as f64) as i64))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 {
            n if n % DAY == 0 && n != 0 => (n / DAY, "d"),
            n if n % HOUR == 0 && n != 0 => (n / HOUR, "h"),
            n if n % MINUTE == 0 && n != 0 => (n / MINUTE, "min"),
            n if n % SECOND == 0 => (n / SECOND, "s"),
            n => (n / 1000, "ms"),
        };
        write!(f, "{number} {unit}")
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.as_seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_date_is_beijing_midnight() {
        let time = Time::parse("2026-11-21").unwrap();
        assert_eq!(time.rfc3339(), "2026-11-21T00:00:00+08:00");
        assert_eq!(time.floor(Span::days(1)), time);
        assert_eq!(Time::parse("2026-11-21T00:00+08:00"), Some(time));
        assert_eq!(Time::parse("2026-11-20T16:00:00Z"), Some(time));
        assert_eq!(
            Time(time.0 + 1_500_000).rfc3339(),
            "2026-11-21T00:00:01.5+08:00"
        );
        assert_eq!(Time(-1).rfc3339(), "1970-01-01T07:59:59.999999+08:00");
    }

    #[test]
    fn spans_read_and_print_alike() {
        for text in ["90 s", "10 min", "3 h", "20 d", "250 ms"] {
            assert_eq!(Span::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Span::parse("ten"), None);
    }
}
