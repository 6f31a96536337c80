//! The parameters of a report: read with their limits, every fault named at once.

use crate::fault::{Fault, Problem, Words};
use crate::{Span, Time};
use std::collections::BTreeMap;

/// A report covers at most so many days.
pub const DAYS_LIMIT: i64 = 400;

/// Reads parameters; what nobody asked for is a fault.
pub struct Ask {
    given: BTreeMap<String, String>,
    problems: Vec<Problem>,
    now: Time,
}

impl Ask {
    /// Starts on the parameters of one request.
    pub fn new(given: BTreeMap<String, String>, now: Time) -> Ask {
        Ask {
            given,
            problems: vec![],
            now,
        }
    }

    fn problem(&mut self, at: &str, zh: impl Into<String>, en: impl Into<String>) {
        self.problems.push(Problem {
            at: at.into(),
            words: Words::new(zh, en),
        });
    }

    /// A text that may be there.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.given.remove(name).filter(|text| !text.is_empty())
    }

    /// A text that must be there.
    pub fn demand(&mut self, name: &str) -> String {
        let text = self.text(name);
        if text.is_none() {
            let zh = format!("缺少参数 {name}");
            self.problem(name, zh, format!("parameter {name} is missing"));
        }
        text.unwrap_or_default()
    }

    /// One of these words; the first when it is not given.
    pub fn choice(&mut self, name: &str, words: &[&'static str]) -> &'static str {
        let Some(text) = self.text(name) else {
            return words[0];
        };
        match words.iter().find(|word| **word == text) {
            Some(word) => word,
            None => {
                let zh = format!("应为 {} 之一", words.join("、"));
                self.problem(name, zh, format!("should be one of {}", words.join(", ")));
                words[0]
            }
        }
    }

    /// A whole number between 1 and `most`.
    pub fn count(&mut self, name: &str, otherwise: i64, most: i64) -> i64 {
        let Some(text) = self.text(name) else {
            return otherwise;
        };
        match text.parse() {
            Ok(number) if (1..=most).contains(&number) => number,
            _ => {
                let zh = format!("应为 1 到 {most} 的整数");
                self.problem(
                    name,
                    zh,
                    format!("should be a whole number from 1 to {most}"),
                );
                otherwise
            }
        }
    }

    /// An instant, when given.
    pub fn time(&mut self, name: &str) -> Option<Time> {
        let text = self.text(name)?;
        // A plus sign in an address that was not escaped arrives as a blank.
        let time = Time::parse(&text.replace(' ', "+"));
        // 1990 to 2100: outside, arithmetic on days makes no sense.
        let sound = time.filter(|t| (631_152_000_000_000..4_102_444_800_000_000).contains(&t.0));
        if sound.is_none() {
            self.problem(
                name,
                "应为日期或时刻，如 2026-11-21T10:00:00+08:00",
                "should be a date or a time such as 2026-11-21T10:00:00+08:00",
            );
        }
        sound
    }

    /// A time range `from`..`to` (exclusive) of at most `days` days; otherwise the last `usual`.
    pub fn range(&mut self, usual: Span, days: i64) -> (Time, Time) {
        let to = self.time("to");
        let from = self.time("from");
        let to = to.unwrap_or_else(|| from.map_or(self.now, |from| (from + usual).min(self.now)));
        let from = from.unwrap_or(to - usual);
        let days = days.min(DAYS_LIMIT);
        if from >= to {
            self.problem("from", "起始时间应早于截止时间", "should be before \"to\"");
        } else if to.since(from) > Span::days(days) {
            let zh = format!("时间范围不能超过 {days} 天");
            self.problem("from", zh, format!("the range is limited to {days} days"));
        } else {
            return (from, to);
        }
        (to - usual, to)
    }

    /// A day: its beginning; otherwise the day of `otherwise`.
    pub fn date(&mut self, name: &str, otherwise: Time) -> Time {
        let time = self.time(name).unwrap_or(otherwise);
        time.floor(Span::days(1))
    }

    /// Ends the reading: every fault at once, parameters nobody asked for among them.
    pub fn finish(mut self) -> Result<(), Fault> {
        for name in std::mem::take(&mut self.given).into_keys() {
            let zh = format!("不认识的参数 {name}");
            let en = format!("unknown parameter {name}");
            self.problem(&name, zh, en);
        }
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Fault::invalid(self.problems))
        }
    }
}
