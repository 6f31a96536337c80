//! A rule: a condition over series, and the alert it raises. One file `rules/<name>.yaml`.
//!
//! ```yaml
//! title: { zh: 排放超标, en: Emission above limit }
//! about: station                     # register whose key is the thing
//! only: { kind: [flue_gas] }         # optional: fields of that record
//! when:
//!   observation: [a21026, a21002]    # one or several: one alert each
//!   kind: minute.mean.converted
//!   above: { register: emission_limit, key: "{thing}:{property}", field: limit, or: 50 }
//!   for: 10 min
//!   hysteresis: 5 %
//!   while: { from: "22:00", to: "06:00" }
//! alert: { levels: { yellow: 1, orange: 1.5, red: 2 }, message: { zh: …, en: … } }
//! escalate: { after: 30 min, to: duty_officer }
//! ```
//!
//! Other conditions: `absent: 30 min` (nothing received), `constant: { for: 3 h, at_least: 12 }`
//! (the same non-zero value), `change: { over: 10 min, by: 50 % }`, and `all: [ … ]` of these.

use super::read::Reader;
use crate::alerts::Level;
use crate::fault::Words;
use crate::observations::Kind;
use crate::time::Span;

/// A declared rule.
#[derive(Clone, Debug)]
pub struct RuleDecl {
    /// System that declares it.
    pub system: String,
    /// Name: the file's stem.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Register whose key is the name of the thing; only things on record are judged.
    pub about: String,
    /// Only records whose field has one of these values.
    pub only: Vec<(String, Vec<String>)>,
    /// The condition.
    pub when: Condition,
    /// What to raise.
    pub alert: AlertDecl,
    /// After this long without anybody acknowledging, to this role.
    pub escalate: Option<(Span, String)>,
    /// The alert closes by itself when the condition ends (`close: automatic`).
    pub closes_itself: bool,
}

/// The alert of a rule.
#[derive(Clone, Debug)]
pub struct AlertDecl {
    /// Level by the ratio of value to limit (or of the wait to the allowed wait), lightest first.
    /// A single level has ratio 0.
    pub levels: Vec<(Level, f64)>,
    /// Message; `{value}`, `{limit}`, `{unit}`, `{thing}`, `{property}`, `{for}` are filled in.
    pub message: Words,
}

/// A comparison with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Value > limit.
    Above,
    /// Value < limit.
    Below,
}

/// Where a limit comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Limit {
    /// The same for all.
    Number(f64),
    /// A field of a record of a cached register; `or` when there is no such record (`None`: the
    /// thing is not judged).
    Record {
        /// Register.
        register: String,
        /// Key with `{thing}`, `{property}`, `{kind}` filled in.
        key: String,
        /// Field with the number.
        field: String,
        /// Otherwise.
        or: Option<f64>,
    },
    /// The city pack's threshold for the property and the thing's field (`threshold: kind`).
    Threshold {
        /// Field of the `about` record that names the class.
        class_field: String,
    },
}

/// A change, absolute or as a share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// In the unit of the property.
    Absolute(f64),
    /// As a share of the earlier value (0.5 = 50 %).
    Share(f64),
}

/// Hours of the day (Beijing), in minutes after midnight; `from` may be after `to` (over night).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// First minute.
    pub from: u16,
    /// First minute no longer in it.
    pub to: u16,
}

/// When a rule holds.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Value beyond a limit for a while.
    Threshold {
        /// Properties; each is judged and raised for itself.
        properties: Vec<String>,
        /// Kind of series.
        kind: Kind,
        /// Which side.
        comparison: Comparison,
        /// The limit.
        limit: Limit,
        /// Must hold this long (device time) before it is raised.
        hold: Span,
        /// Ends only when back by this share of the limit (0.05 = 5 %).
        hysteresis: f64,
        /// Only in these hours.
        schedule: Option<Schedule>,
    },
    /// Nothing received for this long.
    Absent {
        /// Allowed silence.
        hold: Span,
    },
    /// The same non-zero value again and again.
    Constant {
        /// Properties.
        properties: Vec<String>,
        /// Kind of series.
        kind: Kind,
        /// For at least this long.
        hold: Span,
        /// And at least so many observations.
        at_least: u32,
    },
    /// A jump.
    Change {
        /// Properties.
        properties: Vec<String>,
        /// Kind of series.
        kind: Kind,
        /// Within this long.
        over: Span,
        /// By at least this much, up or down.
        by: Amount,
    },
    /// Several at the same time (their latest values), for this long.
    All {
        /// The parts: thresholds only.
        parts: Vec<Condition>,
        /// Must hold together this long.
        hold: Span,
    },
}

impl Condition {
    /// All series (property, kind) the condition looks at.
    pub fn series(&self) -> Vec<(String, Kind)> {
        match self {
            Condition::Threshold {
                properties, kind, ..
            }
            | Condition::Constant {
                properties, kind, ..
            }
            | Condition::Change {
                properties, kind, ..
            } => properties.iter().map(|p| (p.clone(), *kind)).collect(),
            Condition::Absent { .. } => vec![],
            Condition::All { parts, .. } => parts.iter().flat_map(|p| p.series()).collect(),
        }
    }
}

impl RuleDecl {
    /// Reads one rule file; faults go to the reader.
    pub fn read(system: &str, name: &str, top: &mut Reader<'_>) -> RuleDecl {
        let title = top.words("title");
        let about = top.text("about");
        let mut only = vec![];
        top.each_opt("only", |field, values| {
            only.push((field.to_string(), values.own_texts()))
        });
        let when = top.part("when", |part| read_condition(part, true));
        let alert = top.part("alert", read_alert);
        let escalate = top.part_opt("escalate", |part| (part.span("after"), part.text("to")));
        let close = top.one_of_or("close", &["automatic", "manual"], "automatic");
        let closes_itself = close == "automatic";
        RuleDecl {
            system: system.into(),
            name: name.into(),
            title,
            about,
            only,
            when: when.unwrap_or(Condition::Absent {
                hold: Span::days(1),
            }),
            alert: alert.unwrap_or(AlertDecl {
                levels: vec![],
                message: Words::default(),
            }),
            escalate,
            closes_itself,
        }
    }
}

fn read_alert(part: &mut Reader<'_>) -> AlertDecl {
    let mut levels = vec![];
    if let Some(word) = part.optional_text("level") {
        match Level::parse(&word) {
            Some(level) => levels.push((level, 0.0)),
            None => part.fault(
                "level",
                "应为 blue、yellow、orange、red 之一",
                "expected blue, yellow, orange or red",
            ),
        }
    }
    part.each_opt("levels", |word, value| {
        match (Level::parse(word), value.own_number()) {
            (Some(level), Some(ratio)) => levels.push((level, ratio)),
            _ => value.fault("", "应为 级别: 倍数", "expected level: ratio"),
        }
    });
    if levels.is_empty() {
        part.fault(
            "level",
            "缺少 level 或 levels",
            "level or levels is missing",
        );
    }
    levels.sort_by(|a, b| a.1.total_cmp(&b.1));
    AlertDecl {
        levels,
        message: part.words("message"),
    }
}

fn read_condition(part: &mut Reader<'_>, outermost: bool) -> Condition {
    let hold = part.span_or("for", Span(0));
    if part.has("all") {
        let mut parts = vec![];
        part.list("all", |inner| parts.push(read_condition(inner, false)));
        if !outermost
            || parts
                .iter()
                .any(|p| !matches!(p, Condition::Threshold { .. }))
        {
            part.fault(
                "all",
                "all 只能组合阈值条件",
                "all combines thresholds only",
            );
        }
        return Condition::All { parts, hold };
    }
    if part.has("absent") {
        return Condition::Absent {
            hold: part.span("absent"),
        };
    }
    let properties = part.texts_or("observation", &[]);
    if properties.is_empty() {
        part.fault(
            "observation",
            "缺少 observation（或 absent、all）",
            "observation (or absent, all) is missing",
        );
    }
    let kind_text = part.text_or("kind", "real_time");
    let kind = Kind::parse(&kind_text).unwrap_or_else(|| {
        part.fault(
            "kind",
            format!("不认识的序列类型 {kind_text}"),
            format!("unknown kind {kind_text}"),
        );
        Kind::REAL_TIME
    });
    if part.has("constant") {
        let inner = part.part("constant", |c| {
            (c.span("for"), c.number_or("at_least", 3.0) as u32)
        });
        let (hold, at_least) = inner.unwrap_or((Span::hours(1), 3));
        return Condition::Constant {
            properties,
            kind,
            hold,
            at_least,
        };
    }
    if part.has("change") {
        let inner = part.part("change", |c| (c.span("over"), read_amount(c)));
        let (over, by) = inner.unwrap_or((Span::minutes(10), Amount::Share(1.0)));
        return Condition::Change {
            properties,
            kind,
            over,
            by,
        };
    }
    let (word, comparison) = match (part.has("above"), part.has("below")) {
        (true, false) => ("above", Comparison::Above),
        (false, true) => ("below", Comparison::Below),
        _ => {
            part.fault(
                "",
                "需要 above 或 below 之一",
                "exactly one of above, below is needed",
            );
            ("above", Comparison::Above)
        }
    };
    let limit = read_limit(part, word);
    let hysteresis = part.share_or("hysteresis", 0.0);
    let schedule = part.part_opt("while", read_schedule).flatten();
    Condition::Threshold {
        properties,
        kind,
        comparison,
        limit,
        hold,
        hysteresis,
        schedule,
    }
}

fn read_amount(part: &mut Reader<'_>) -> Amount {
    let text = part.text("by");
    let trimmed = text.trim();
    let (digits, share) = match trimmed.strip_suffix('%') {
        Some(digits) => (digits.trim(), true),
        None => (trimmed.split(' ').next().unwrap_or(""), false),
    };
    match digits.parse::<f64>() {
        Ok(number) if share => Amount::Share(number / 100.0),
        Ok(number) => Amount::Absolute(number),
        Err(_) => {
            part.fault(
                "by",
                "应为数值或百分比",
                "expected a number or a percentage",
            );
            Amount::Share(1.0)
        }
    }
}

fn read_limit(part: &mut Reader<'_>, word: &str) -> Limit {
    if !part.is_map(word) {
        return Limit::Number(part.quantity(word));
    }
    part.part(word, |inner| match inner.optional_text("threshold") {
        Some(class_field) => Limit::Threshold { class_field },
        None => Limit::Record {
            register: inner.text("register"),
            key: inner.text("key"),
            field: inner.text("field"),
            or: inner.optional_number("or"),
        },
    })
    .unwrap_or(Limit::Number(0.0))
}

fn read_schedule(part: &mut Reader<'_>) -> Option<Schedule> {
    let mut minute = |name: &str| {
        let text = part.text(name);
        let parsed = text.split_once(':').and_then(|(h, m)| {
            let (h, m) = (h.parse::<u16>().ok()?, m.parse::<u16>().ok()?);
            (h <= 24 && m < 60).then_some(h * 60 + m)
        });
        if parsed.is_none() {
            part.fault(
                name,
                "应为 \"22:00\" 这样的时刻",
                "expected a time of day such as \"22:00\"",
            );
        }
        parsed
    };
    Some(Schedule {
        from: minute("from")?,
        to: minute("to")?,
    })
}
