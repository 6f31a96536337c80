//! InfluxDB line protocol, the batch form VictoriaMetrics takes at `/write` as well:
//!
//! ```text
//! LD130133000015,period=real_time a21026=0.02,a34013.mean=3.1,a34013.flag="M" 1472000000000
//! ```
//!
//! The measurement is the thing, the tag `period` the period (`real_time` when absent), a field is
//! `property[.statistic][.converted]`, the time stands in the precision asked for (milliseconds
//! unless told). `<property>.flag="X"` gives the flag of all cells of the property in the line.
//! A batch is refused whole, with every faulty line named (at most 100).

use crate::number::number;
use crate::parsed::{
    Field, MAX_THING_BYTES, Parsed, ParsedCell, ParsedRow, Problems, field, valid_name,
};
use kernel::observations::{Flag, Period};
use kernel::{Problem, Time};
use std::borrow::Cow;
use std::collections::HashMap;

/// Unit of the time at the end of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Seconds, `s`.
    Seconds,
    /// Milliseconds, `ms`.
    #[default]
    Milliseconds,
    /// Microseconds, `us` or `u`.
    Microseconds,
    /// Nanoseconds, `ns` or `n`; cut to microseconds.
    Nanoseconds,
}

impl Precision {
    /// From the query parameter `precision`.
    pub fn parse(word: &str) -> Option<Precision> {
        Some(match word {
            "s" => Precision::Seconds,
            "ms" => Precision::Milliseconds,
            "us" | "u" | "µs" => Precision::Microseconds,
            "ns" | "n" => Precision::Nanoseconds,
            _ => return None,
        })
    }

    fn micros(self, n: i64) -> Option<i64> {
        match self {
            Precision::Seconds => n.checked_mul(1_000_000),
            Precision::Milliseconds => n.checked_mul(1_000),
            Precision::Microseconds => Some(n),
            Precision::Nanoseconds => Some(n.div_euclid(1_000)),
        }
    }
}

/// Reads a batch; lines without a time get `now`.
pub fn parse(bytes: &[u8], precision: Precision, now: Time) -> Result<Parsed<'_>, Vec<Problem>> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()]
                .iter()
                .filter(|&&b| b == b'\n')
                .count();
            let mut problems = Problems::default();
            problems.add(line, "不是 UTF-8 编码", "not UTF-8");
            return Err(problems.0);
        }
    };
    let mut reader = Reader {
        precision,
        now,
        parsed: Parsed::default(),
        numbers: HashMap::new(),
        spelled: Vec::new(),
        flags: Vec::new(),
    };
    let mut problems = Problems::default();
    for (at, line) in text.split('\n').enumerate() {
        let line = line.trim_matches(['\r', ' ', '\t']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Err((zh, en)) = reader.line(line) {
            problems.add(at + 1, zh, en);
            if problems.full() {
                break;
            }
        }
    }
    if problems.0.is_empty() {
        Ok(reader.parsed)
    } else {
        Err(problems.0)
    }
}

type Wrong = (String, String);

fn wrong(zh: impl Into<String>, en: impl Into<String>) -> Wrong {
    (zh.into(), en.into())
}

struct Reader<'a> {
    precision: Precision,
    now: Time,
    parsed: Parsed<'a>,
    /// Index of a field by its spelling.
    numbers: HashMap<&'a str, u32>,
    /// Spellings in order of index: lines repeat their fields in the same order, so the next one
    /// is nearly always the one after the last, found by one comparison.
    spelled: Vec<&'a str>,
    /// Flags of the line, by property.
    flags: Vec<(&'a str, Flag)>,
}

/// Where the first of `ends` stands outside a backslash and outside quotes; the length if nowhere.
#[inline]
fn until(bytes: &[u8], ends: impl Fn(u8) -> bool) -> usize {
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        if ends(b) {
            return at;
        }
        at += if b == b'\\' { 2 } else { 1 };
    }
    bytes.len()
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(&next)) if matches!(next, ',' | ' ' | '=' | '\\' | '"') => {
                plain.push(next);
                chars.next();
            }
            _ => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) -> Result<(), Wrong> {
        let bytes = line.as_bytes();
        let end = until(bytes, |b| b == b',' || b == b' ');
        let thing = unescape(&line[..end]);
        if !valid_name(&thing, MAX_THING_BYTES) {
            return Err(wrong(
                "设备标识为空、过长或含控制字符",
                "the thing (measurement) is empty, too long or holds control characters",
            ));
        }
        let mut at = end;
        let mut period = Period::RealTime;
        while bytes.get(at) == Some(&b',') {
            let length = until(&bytes[at + 1..], |b| b == b',' || b == b' ');
            let tag = &line[at + 1..at + 1 + length];
            at += 1 + length;
            period = tag
                .strip_prefix("period=")
                .and_then(Period::parse)
                .ok_or_else(|| {
                    wrong(
                        format!("标签“{tag}”无效：只接受 period=real_time、minute、hour、day"),
                        format!("tag '{tag}': only period=real_time, minute, hour or day is taken"),
                    )
                })?;
        }
        if bytes.get(at) != Some(&b' ') {
            return Err(wrong("没有字段", "no fields"));
        }
        at += 1 + bytes[at + 1..].iter().take_while(|&&b| b == b' ').count();
        let first = self.parsed.cells.len();
        match self.fields(line, at) {
            Ok(time) => {
                let cells = first..self.parsed.cells.len();
                if !self.flags.is_empty() {
                    self.spread_flags(first);
                }
                self.parsed.rows.push(ParsedRow {
                    thing,
                    period,
                    time,
                    cells,
                });
                Ok(())
            }
            Err(wrong) => {
                self.parsed.cells.truncate(first);
                self.flags.clear();
                Err(wrong)
            }
        }
    }

    /// Reads the fields from `at` and the time behind them.
    fn fields(&mut self, line: &'a str, mut at: usize) -> Result<Time, Wrong> {
        let bytes = line.as_bytes();
        let first = self.parsed.cells.len();
        let mut hint = 0;
        loop {
            let length = until(&bytes[at..], |b| b == b'=' || b == b',' || b == b' ');
            let name = &line[at..at + length];
            at += length;
            if bytes.get(at) != Some(&b'=') {
                return Err(wrong(
                    format!("字段“{name}”没有值"),
                    format!("field '{name}' has no value"),
                ));
            }
            at += 1;
            if bytes.get(at) == Some(&b'"') {
                at += self.text_field(&line[at..], name)?;
            } else {
                let length = bytes[at..]
                    .iter()
                    .take_while(|&&b| b != b',' && b != b' ')
                    .count();
                let text = &line[at..at + length];
                at += length;
                let value = number(text.as_bytes()).ok_or_else(|| {
                    wrong(
                        format!("字段“{name}”的值“{text}”不是数字"),
                        format!("field '{name}': '{text}' is not a finite number"),
                    )
                })?;
                let field = self.number(name, hint)?;
                hint = field as usize + 1;
                self.parsed.cells.push(ParsedCell {
                    field,
                    value,
                    flag: Flag::UNSTATED,
                });
            }
            match bytes.get(at) {
                Some(b',') => at += 1,
                _ => break,
            }
        }
        self.check_twice(first)?;
        let rest = line[at..].trim();
        if rest.is_empty() {
            return Ok(self.now);
        }
        rest.parse::<i64>()
            .ok()
            .and_then(|n| self.precision.micros(n))
            .map(Time)
            .ok_or_else(|| {
                wrong(
                    format!("时间“{rest}”无效"),
                    format!("'{rest}' is not a time in the precision asked for"),
                )
            })
    }

    fn check_twice(&self, first: usize) -> Result<(), Wrong> {
        let cells = &self.parsed.cells[first..];
        if cells.is_empty() {
            return Err(wrong("没有数值字段", "no field with a number"));
        }
        // Fields in rising order of number cannot repeat: the common case costs one pass.
        if cells.windows(2).all(|pair| pair[0].field < pair[1].field) {
            return Ok(());
        }
        let mut seen: Vec<u32> = cells.iter().map(|c| c.field).collect();
        seen.sort_unstable();
        match seen.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(()),
            Some(pair) => {
                let name = self.spelled[pair[0] as usize];
                Err(wrong(
                    format!("字段“{name}”重复"),
                    format!("field '{name}' stands twice"),
                ))
            }
        }
    }

    /// A quoted value: only flags have one. Returns how many bytes it takes with its quotes.
    fn text_field(&mut self, from: &'a str, name: &'a str) -> Result<usize, Wrong> {
        let length = until(&from.as_bytes()[1..], |b| b == b'"');
        let (Some(text), Some(property)) = (from.get(1..1 + length), name.strip_suffix(".flag"))
        else {
            return Err(wrong(
                format!("字段“{name}”不是数字"),
                format!("field '{name}' is not a number"),
            ));
        };
        match text.as_bytes() {
            [letter @ (b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9')] if from.len() > 1 + length => {
                self.flags.push((property, Flag(*letter)));
                Ok(length + 2)
            }
            _ => Err(wrong(
                format!("标记“{text}”应为一个字母"),
                format!("the flag '{text}' is not one letter"),
            )),
        }
    }

    /// Index of a field by its spelling, from memory where it has been seen.
    #[inline]
    fn number(&mut self, name: &'a str, hint: usize) -> Result<u32, Wrong> {
        if self.spelled.get(hint) == Some(&name) {
            return Ok(hint as u32);
        }
        if let Some(&known) = self.numbers.get(name) {
            return Ok(known);
        }
        let plain = unescape(name);
        let (property, statistic, basis) = field(&plain).ok_or_else(|| {
            wrong(
                format!("字段名“{name}”无效"),
                format!("'{name}' is not a property[.statistic][.converted]"),
            )
        })?;
        let property = match &plain {
            Cow::Borrowed(_) => Cow::Borrowed(&name[..property.len()]),
            Cow::Owned(_) => Cow::Owned(property.to_string()),
        };
        let made = Field {
            property,
            statistic,
            basis,
        };
        // Two spellings of one column (`a` and `a.value`) share its number.
        let found = self.parsed.fields.iter().position(|f| *f == made);
        let index = found.unwrap_or(self.parsed.fields.len()) as u32;
        if found.is_none() {
            self.parsed.fields.push(made);
            self.spelled.push(name);
        }
        self.numbers.insert(name, index);
        Ok(index)
    }

    fn spread_flags(&mut self, first: usize) {
        for (property, flag) in self.flags.drain(..) {
            let plain = unescape(property);
            for cell in &mut self.parsed.cells[first..] {
                if self.parsed.fields[cell.field as usize].property == plain {
                    cell.flag = flag;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expect: &str) {
        let now = Time(7);
        let got = match parse(input.as_bytes(), Precision::Milliseconds, now) {
            Ok(parsed) => parsed
                .rows
                .iter()
                .map(|row| {
                    let cells = parsed.cells[row.cells.clone()].iter().map(|c| {
                        let f = &parsed.fields[c.field as usize];
                        format!(
                            "{}.{}.{:?}={}{}",
                            f.property,
                            f.statistic.word(),
                            f.basis,
                            c.value,
                            c.flag.text()
                        )
                    });
                    format!(
                        "{} {} {} {}",
                        row.thing,
                        row.period.word(),
                        row.time.0,
                        cells.collect::<Vec<_>>().join(",")
                    )
                })
                .collect::<Vec<_>>()
                .join("|"),
            Err(problems) => problems
                .iter()
                .map(|p| format!("{} {}", p.at, p.words.en))
                .collect::<Vec<_>>()
                .join("|"),
        };
        assert_eq!(got, expect, "{input}");
    }

    #[test]
    fn right_lines() {
        check("S1 a=1 5", "S1 real_time 5000 a.value.Measured=1");
        check(
            "S1,period=hour a.mean=-1.50,b.max.converted=2e3 5",
            "S1 hour 5000 a.mean.Measured=-1.5,b.max.Converted=2000",
        );
        check("S1 a=1i", "S1 real_time 7 a.value.Measured=1");
        check(
            "a\\,b\\ c x=0.1 0",
            "a,b c real_time 0 x.value.Measured=0.1",
        );
        check(
            "S1 a=1,b=2,a.flag=\"D\" 1",
            "S1 real_time 1000 a.value.Measured=1D,b.value.Measured=2",
        );
        check(
            "# note\n\nS1 a=true 1\r\nS2 b=3,a=4 1\n",
            "S1 real_time 1000 a.value.Measured=1|S2 real_time 1000 b.value.Measured=3,a.value.Measured=4",
        );
        check("站1 a=1 1", "站1 real_time 1000 a.value.Measured=1");
    }

    #[test]
    fn wrong_lines_are_all_named() {
        check("S1", "line:1 no fields");
        check("S1 a 5", "line:1 field 'a' has no value");
        check(
            " ,period=day a=1",
            "line:1 the thing (measurement) is empty, too long or holds control characters",
        );
        check(
            "S1,period=week a=1",
            "line:1 tag 'period=week': only period=real_time, minute, hour or day is taken",
        );
        check(
            "S1 a=x 1\nS1 a=1 1\nS1 a=nan 1",
            "line:1 field 'a': 'x' is not a finite number|line:3 field 'a': 'nan' is not a finite number",
        );
        check("S1 a=1,a=2 1", "line:1 field 'a' stands twice");
        check("S1 a=1,a.value=2 1", "line:1 field 'a' stands twice");
        check(
            "S1 a=1 1.5",
            "line:1 '1.5' is not a time in the precision asked for",
        );
        check(
            "S1 a=1 99999999999999999",
            "line:1 '99999999999999999' is not a time in the precision asked for",
        );
        check("S1 a=\"text\" 1", "line:1 field 'a' is not a number");
        check(
            "S1 a=1,a.flag=\"NN\" 1",
            "line:1 the flag 'NN' is not one letter",
        );
        check("S1 a=1,a.flag=\"N", "line:1 the flag 'N' is not one letter");
        check(
            "S1 =1 1",
            "line:1 '' is not a property[.statistic][.converted]",
        );
        check("S1 a= 1", "line:1 field 'a': '' is not a finite number");
        let many = "S1 a=x\n".repeat(300);
        assert_eq!(
            parse(many.as_bytes(), Precision::Seconds, Time(0))
                .unwrap_err()
                .len(),
            100
        );
        assert_eq!(
            parse(b"S1 a=1\n\xff\xfe", Precision::Seconds, Time(0)).unwrap_err()[0].at,
            "line:2"
        );
    }
}
