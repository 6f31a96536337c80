//! Metering: who used how much of what, by organisation and application, and how much they may.
//! Whoever does work for somebody counts it here; whoever admits work asks here first. Answers
//! come from counters in memory, never from counting rows.

use crate::access::Actor;
use crate::fault::Fault;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meter {
    /// Requests to the API.
    Requests,
    /// Bytes of requests, unpacked.
    BytesIn,
    /// Bytes of answers, before they are packed.
    BytesOut,
    /// Bytes given to the store to keep, before they are packed.
    StorageBytes,
    /// Observations stored.
    Observations,
    /// Cases begun.
    Cases,
    /// Messages sent to people.
    Messages,
}

impl Meter {
    /// All meters.
    pub const ALL: [Meter; 7] = [
        Meter::Requests,
        Meter::BytesIn,
        Meter::BytesOut,
        Meter::StorageBytes,
        Meter::Observations,
        Meter::Cases,
        Meter::Messages,
    ];
    /// The word in files and tables.
    pub fn word(self) -> &'static str {
        [
            "requests",
            "bytes_in",
            "bytes_out",
            "storage_bytes",
            "observations",
            "cases",
            "messages",
        ][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<Meter> {
        Meter::ALL.into_iter().find(|m| m.word() == word)
    }
}

/// Over which time something is counted. Days and months are those of Beijing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
    /// Since the beginning: for what is kept.
    Ever,
}

impl Window {
    /// All windows.
    pub const ALL: [Window; 5] = [
        Window::Minute,
        Window::Hour,
        Window::Day,
        Window::Month,
        Window::Ever,
    ];
    /// The word in files and tables.
    pub fn word(self) -> &'static str {
        ["minute", "hour", "day", "month", "ever"][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<Window> {
        Window::ALL.into_iter().find(|w| w.word() == word)
    }
    /// When the window that holds `now` began.
    pub fn start(self, now: Time) -> Time {
        let (year, month, day, hour, minute, _) = now.beijing_fields();
        let at = match self {
            Window::Minute => (year, month, day, hour, minute),
            Window::Hour => (year, month, day, hour, 0),
            Window::Day => (year, month, day, 0, 0),
            Window::Month => (year, month, 1, 0, 0),
            Window::Ever => return Time(0),
        };
        Time::from_beijing(at.0, at.1, at.2, at.3, at.4, 0, 0).unwrap_or(now)
    }
    /// When it ends; `None` for never.
    pub fn end(self, now: Time) -> Option<Time> {
        use crate::time::Span;
        let start = self.start(now);
        Some(match self {
            Window::Minute => start + Span::minutes(1),
            Window::Hour => start + Span::hours(1),
            Window::Day => start + Span::days(1),
            // No month has more than 31 days, and its first comes within the next 32.
            Window::Month => Window::Month.start(start + Span::days(32)),
            Window::Ever => return None,
        })
    }
}

/// On whose account something is counted. Empty words: nobody's organisation, our own pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Payer<'a> {
    /// Code of the organisation.
    pub organisation: &'a str,
    /// Name of the program's token or of the OpenID client; `pages` for our own pages.
    pub application: &'a str,
}

/// The application of our own pages.
pub const PAGES: &str = "pages";

impl<'a> Payer<'a> {
    /// Who pays for what this person or program does.
    pub fn of(actor: Option<&'a Actor>) -> Payer<'a> {
        let Some(actor) = actor else {
            return Payer {
                organisation: "",
                application: PAGES,
            };
        };
        let first = actor.standing.organisations.first();
        let organisation = actor.organisation.as_ref().or(first);
        let program = actor.account.strip_prefix("token:");
        let application = actor.standing.application.as_deref().or(program);
        Payer {
            organisation: organisation.map_or("", String::as_str),
            application: application.unwrap_or(PAGES),
        }
    }
}

/// A limit: so much of a meter in each window. `*` means each one for itself; absent means that
/// all share the limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Its name, shown in the headers of answers: lower-case letters, digits, `_`.
    pub name: String,
    /// Code of an organisation, or `*`.
    #[serde(default)]
    pub organisation: Option<String>,
    /// Name of an application, or `*`.
    #[serde(default)]
    pub application: Option<String>,
    /// What is limited.
    pub meter: Meter,
    /// In which window.
    pub window: Window,
    /// How much.
    pub limit: u64,
}

/// How a limit stands for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Name of the quota.
    pub quota: String,
    /// What is limited.
    pub meter: Meter,
    /// In which window.
    pub window: Window,
    /// The limit.
    pub limit: u64,
    /// Used of it in this window.
    pub used: u64,
    /// When the window ends; `None` for never.
    pub resets_at: Option<Time>,
}

impl Left {
    /// What is left.
    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// Counts, and says what is left.
pub trait Meters: Send + Sync {
    /// Counts what was done for somebody. Takes no lock.
    fn count(&self, payer: Payer<'_>, meter: Meter, amount: u64);

    /// Counts `amount` if no limit forbids it; otherwise counts nothing and refuses with
    /// `metering.quota`.
    fn admit(&self, payer: Payer<'_>, meter: Meter, amount: u64) -> Result<(), Fault>;

    /// How every limit that applies to somebody stands.
    fn left(&self, payer: Payer<'_>) -> Vec<Left>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_of_beijing() {
        let at = |t: &str| Time::parse(t).expect("a time");
        let now = at("2026-11-30T16:05:59.5Z");
        let cases = [
            (
                Window::Minute,
                "2026-12-01T00:05:00+08:00",
                "2026-12-01T00:06:00+08:00",
            ),
            (
                Window::Hour,
                "2026-12-01T00:00:00+08:00",
                "2026-12-01T01:00:00+08:00",
            ),
            (
                Window::Day,
                "2026-12-01T00:00:00+08:00",
                "2026-12-02T00:00:00+08:00",
            ),
            (
                Window::Month,
                "2026-12-01T00:00:00+08:00",
                "2027-01-01T00:00:00+08:00",
            ),
        ];
        for (window, start, end) in cases {
            assert_eq!(window.start(now), at(start), "{window:?}");
            assert_eq!(window.end(now), Some(at(end)), "{window:?}");
        }
        assert_eq!(Window::Ever.end(now), None);
    }
}
