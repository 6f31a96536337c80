//! Scenarios: `systems/*/scenarios/*.yaml` run against the evaluator in memory, in no time.
//!
//! ```yaml
//! title: { zh: 灭灯, en: A lamp goes dark }          # for people
//! given:
//!   clock: 2026-01-10T22:00+08:00
//!   records: [{ lamp: L-000142, place: [114.51, 38.04] }]   # register: key, then fields
//! steps:
//!   - observe: { lamp_power: 0 W, lamp: L-000142 }   # also kind, flag, late: 5 min
//!     times: 3                                       # again and again,
//!     every: 1 min                                   # this far apart
//!   - wait: 11 min
//!   - record: { lamp: L-000142, state: off }         # a new version
//!   - end: { lamp: L-000143 }                        # ends the record
//!   - expect: [ … ]                                  # in the middle
//! expect:
//!   - alert: { dark_lamp: L-000142, level: yellow }  # also state, active, property, value, limit
//!   - no_alert: { dark_lamp: L-000143 }
//!   - alerts: 1                                      # and no others
//! ```

use crate::alert;
use crate::evaluator::Evaluator;
use crate::facts::Facts;
use kernel::alerts::Alert;
use kernel::declare::Declared;
use kernel::declare::yaml::{self, Data, Node};
use kernel::fault::{Problem, Words};
use kernel::observations::{
    Basis, Cell, Column, ColumnId, Flag, Kind, Period, Row, Statistic, ThingId,
};
use kernel::records::Record;
use kernel::{Span, Time};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Observations of one step, at most.
const TIMES_LIMIT: f64 = 100_000.0;

/// Runs a scenario; answers the alerts it raised, or everything that is wrong with it: what it
/// says and what it expects in vain, with file and line.
pub fn run(declared: &Declared, file: &str, text: &str) -> Result<Vec<Alert>, Vec<Problem>> {
    let node = match yaml::parse(text) {
        Ok(node) => node,
        Err((line, why)) => {
            let words = Words::new(format!("无法读取：{why}"), format!("cannot be read: {why}"));
            let at = format!("{file}:{line}");
            return Err(vec![Problem { at, words }]);
        }
    };
    let names = Arc::new(Names::default());
    let mut stage = Stage {
        declared,
        file,
        evaluator: Evaluator::new(declared, names.clone()),
        names,
        now: Time(0),
        versions: BTreeMap::new(),
        alerts: BTreeMap::new(),
        problems: vec![],
    };
    stage.play(&node);
    match stage.problems.is_empty() {
        true => Ok(stage.alerts.into_values().collect()),
        false => Err(stage.problems),
    }
}

/// Numbers of things and columns, as the observations engine would give them.
#[derive(Default)]
struct Names {
    things: Mutex<Vec<Arc<str>>>,
    columns: Mutex<Vec<Arc<Column>>>,
}

impl Names {
    fn thing(&self, name: &str) -> ThingId {
        let mut things = self.things.lock();
        let found = things.iter().position(|known| **known == *name);
        let number = found.unwrap_or_else(|| {
            things.push(name.into());
            things.len() - 1
        });
        ThingId(number as u32)
    }

    fn column(&self, property: &str, statistic: Statistic, basis: Basis) -> ColumnId {
        let column = Column {
            property: property.into(),
            statistic,
            basis,
        };
        let mut columns = self.columns.lock();
        let found = columns.iter().position(|known| **known == column);
        let number = found.unwrap_or_else(|| {
            columns.push(Arc::new(column));
            columns.len() - 1
        });
        ColumnId(number as u32)
    }
}

impl Facts for Names {
    fn thing_name(&self, id: ThingId) -> Option<Arc<str>> {
        self.things.lock().get(id.0 as usize).cloned()
    }
    fn find_thing(&self, name: &str) -> Option<ThingId> {
        let things = self.things.lock();
        let number = things.iter().position(|known| **known == *name)?;
        Some(ThingId(number as u32))
    }
    fn column_meaning(&self, id: ColumnId) -> Option<Arc<Column>> {
        self.columns.lock().get(id.0 as usize).cloned()
    }
}

struct Stage<'a> {
    declared: &'a Declared,
    file: &'a str,
    evaluator: Evaluator,
    names: Arc<Names>,
    now: Time,
    versions: BTreeMap<(String, String), i64>,
    alerts: BTreeMap<String, Alert>,
    problems: Vec<Problem>,
}

impl Stage<'_> {
    fn problem(&mut self, line: usize, zh: impl Into<String>, en: impl Into<String>) {
        self.problems.push(Problem {
            at: format!("{}:{line}", self.file),
            words: Words::new(zh, en),
        });
    }

    fn play(&mut self, node: &Node) {
        let known = ["given", "steps", "expect"];
        for (key, line, part) in entries(node) {
            match key {
                "given" => self.given(part),
                "steps" => items(part).iter().for_each(|step| self.step(step)),
                "expect" => items(part).iter().for_each(|wish| self.expect(wish)),
                "title" => {}
                _ => self.unknown(line, key, &known),
            }
        }
        for key in known {
            if node.get(key).is_none() {
                let en = format!("\"{key}\" is missing");
                self.problem(node.line, format!("缺少“{key}”"), en);
            }
        }
    }

    fn unknown(&mut self, line: usize, key: &str, known: &[&str]) {
        let known = known.join(", ");
        let zh = format!("不认识的键“{key}”，应为 {known}");
        self.problem(line, zh, format!("unknown key \"{key}\": expected {known}"));
    }

    fn given(&mut self, node: &Node) {
        for (key, line, part) in entries(node) {
            match key {
                "clock" => match part.scalar().and_then(|text| Time::parse(&text)) {
                    Some(now) => self.pass_to(now),
                    None => self.problem(line, "不是时刻", "this is no instant"),
                },
                "records" => items(part).iter().for_each(|record| self.record(record)),
                _ => self.unknown(line, key, &["clock", "records"]),
            }
        }
    }

    fn step(&mut self, node: &Node) {
        let all = entries(node);
        let Some((verb, line, part)) = all.first().copied() else {
            return self.problem(node.line, "空的步骤", "an empty step");
        };
        match verb {
            "observe" => return self.observe_times(node, part),
            "wait" => match span(part) {
                Some(span) => self.pass_to(self.now + span),
                None => self.problem(
                    line,
                    "应为 10 min 这样的时长",
                    "expected a span such as 10 min",
                ),
            },
            "record" => self.record(part),
            "end" => self.end(part),
            "expect" => items(part).iter().for_each(|wish| self.expect(wish)),
            _ => self.unknown(line, verb, &["observe", "wait", "record", "end", "expect"]),
        }
        for (key, line, _) in &all[1..] {
            self.unknown(*line, key, &["nothing else"]);
        }
    }

    fn pass_to(&mut self, now: Time) {
        let mut out = vec![];
        self.evaluator.tick(now, &mut out);
        self.now = now;
        self.take(&out);
    }

    fn take(&mut self, out: &[crate::Outcome]) {
        for outcome in out {
            let rule = self.evaluator.rule(outcome.rule);
            let closes = rule.closes_itself;
            let id = outcome.alert_id(&rule.name);
            match self.alerts.get_mut(&id) {
                Some(found) => {
                    alert::apply(found, &outcome.change, outcome.at, closes, true);
                }
                None => {
                    if let Some(begun) = alert::begin(&self.evaluator, outcome) {
                        self.alerts.insert(id, begun);
                    }
                }
            }
        }
        for alert in self.alerts.values_mut() {
            let mut rules = self.declared.rules();
            let rule = rules.find(|rule| rule.name == alert.rule);
            if let Some((after, role)) = rule.and_then(|rule| rule.escalate.as_ref())
                && alert.raised_at + *after <= self.now
            {
                alert::escalate(alert, role, alert.raised_at + *after);
            }
        }
    }

    fn record(&mut self, node: &Node) {
        let all = entries(node);
        let Some((register, line, key)) = all.first().copied() else {
            return self.problem(node.line, "空的记录", "an empty record");
        };
        let Some(decl) = self.declared.register(register) else {
            let en = format!("there is no register \"{register}\"");
            return self.problem(line, format!("没有名为“{register}”的登记簿"), en);
        };
        let key = key.scalar().unwrap_or_default();
        let mut fields = Map::new();
        fields.insert(decl.key.clone(), Value::String(key.clone()));
        for (name, line, value) in &all[1..] {
            match (&decl.place, value.json()) {
                (Some((lon, lat)), Value::Array(pair)) if *name == "place" && pair.len() == 2 => {
                    fields.insert(lon.clone(), pair[0].clone());
                    fields.insert(lat.clone(), pair[1].clone());
                }
                (_, value) if decl.field(name).is_some() => {
                    fields.insert((*name).into(), value);
                }
                _ => {
                    let en = format!("register {register} has no field \"{name}\"");
                    self.problem(*line, format!("登记簿 {register} 没有字段“{name}”"), en);
                }
            }
        }
        let name = (register.to_string(), key.clone());
        let version = self.versions.entry(name).or_insert(0);
        *version += 1;
        let record = Record {
            register: register.into(),
            key: key.clone(),
            fields,
            valid_from: self.now,
            valid_to: None,
            recorded_at: self.now,
            superseded_at: None,
            version: *version,
            by: "scenario".into(),
            reason: None,
        };
        let mut out = vec![];
        let evaluator = &mut self.evaluator;
        evaluator.record(register, &key, Some(&record), self.now, &mut out);
        self.take(&out);
    }

    fn end(&mut self, node: &Node) {
        for (register, _, key) in entries(node) {
            let key = key.scalar().unwrap_or_default();
            let mut out = vec![];
            self.evaluator
                .record(register, &key, None, self.now, &mut out);
            self.take(&out);
        }
    }

    fn observe_times(&mut self, step: &Node, node: &Node) {
        let (mut times, mut every) = (1.0, Span(0));
        for (key, line, part) in &entries(step)[1..] {
            match (*key, number(part), span(part)) {
                ("times", Some(n), _) if (1.0..=TIMES_LIMIT).contains(&n) => times = n,
                ("every", _, Some(span)) => every = span,
                _ => self.unknown(*line, key, &["times: 12", "every: 1 min"]),
            }
        }
        for _ in 0..times as u32 {
            self.observe(node);
            self.pass_to(self.now + every);
        }
    }

    fn observe(&mut self, node: &Node) {
        let (mut thing, mut kind, mut flag, mut time) =
            (None, Kind::REAL_TIME, Flag::UNSTATED, self.now);
        let mut values = vec![];
        for (key, line, part) in entries(node) {
            let text = part.scalar().unwrap_or_default();
            let understood = match key {
                "kind" => Kind::parse(&text).map(|k| kind = k),
                "flag" => text.bytes().next().map(|letter| flag = Flag(letter)),
                "late" => span(part).map(|late| time = self.now - late),
                "early" => span(part).map(|early| time = self.now + early),
                _ if self.declared.register(key).is_some() => {
                    thing = Some(text.clone());
                    Some(())
                }
                _ if self.declared.property(key).is_some() => {
                    number(part).map(|value| values.push((key.to_string(), value)))
                }
                _ => {
                    let en = format!("there is no property or register \"{key}\"");
                    self.problem(line, format!("没有名为“{key}”的监测项目或登记簿"), en);
                    Some(())
                }
            };
            if understood.is_none() {
                let en = format!("{key}: \"{text}\" is not understood");
                self.problem(line, format!("{key}：看不懂“{text}”"), en);
            }
        }
        let Some(thing) = thing else {
            return self.problem(node.line, "没有说明是谁", "of which thing is not said");
        };
        self.feed(&thing, kind.period, time, |names| {
            let cell = |(property, value): &(String, f64)| Cell {
                column: names.column(property, kind.statistic, kind.basis),
                value: *value,
                flag,
            };
            values.iter().map(cell).collect()
        });
    }

    fn feed(
        &mut self,
        thing: &str,
        period: Period,
        time: Time,
        cells: impl FnOnce(&Names) -> Vec<Cell>,
    ) {
        let row = Row {
            thing: self.names.thing(thing),
            period,
            time,
            cells: cells(&self.names),
        };
        let mut out = vec![];
        self.evaluator.feed(self.now, &row, &mut out);
        self.take(&out);
    }

    fn expect(&mut self, node: &Node) {
        let known = ["alert", "no_alert", "alerts"];
        for (key, line, part) in entries(node) {
            match key {
                "alert" => self.expect_alert(part, line, true),
                "no_alert" => self.expect_alert(part, line, false),
                "alerts" if number(part) == Some(self.alerts.len() as f64) => {}
                "alerts" => {
                    let (n, found) = (self.alerts.len(), self.found());
                    let en = format!("there are {n} alerts: {found}");
                    self.problem(line, format!("共有 {n} 条告警：{found}"), en);
                }
                _ => self.unknown(line, key, &known),
            }
        }
    }

    fn expect_alert(&mut self, node: &Node, line: usize, wanted: bool) {
        let wishes = entries(node);
        for (key, line, _) in &wishes {
            let field = FIELDS.contains(key);
            if !field && !self.declared.rules().any(|rule| rule.name == *key) {
                let en = format!("there is no rule \"{key}\"");
                self.problem(*line, format!("没有名为“{key}”的规则"), en);
                return;
            }
        }
        let fits = |alert: &Alert| wishes.iter().all(|(key, _, value)| fits(alert, key, value));
        if self.alerts.values().any(fits) != wanted {
            let found = self.found();
            let (zh, en) = match wanted {
                true => ("没有这样的告警，现有", "there is no such alert; there are"),
                false => (
                    "不应有这样的告警，现有",
                    "there is such an alert; there are",
                ),
            };
            self.problem(line, format!("{zh}：{found}"), format!("{en}: {found}"));
        }
    }

    fn found(&self) -> String {
        let show = |alert: &Alert| {
            format!(
                "{}: {} ({}, {}, {}, value {:?}, limit {:?})",
                alert.rule,
                alert.thing,
                alert.property.as_deref().unwrap_or("-"),
                alert.level.word(),
                alert.state.word(),
                alert.value,
                alert.limit
            )
        };
        let all: Vec<String> = self.alerts.values().map(show).collect();
        all.join("; ")
    }
}

const FIELDS: [&str; 8] = [
    "level",
    "state",
    "active",
    "property",
    "value",
    "limit",
    "since",
    "escalated_to",
];

fn fits(alert: &Alert, key: &str, wish: &Node) -> bool {
    let text = wish.scalar().unwrap_or_default();
    match key {
        "level" => alert.level.word() == text,
        "state" => alert.state.word() == text,
        "active" => alert.ended_at.is_none().to_string() == text,
        "property" => alert.property.as_deref() == Some(text.as_str()),
        "value" => alert.value == number(wish),
        "limit" => alert.limit == number(wish),
        "since" => Time::parse(&text) == Some(alert.since),
        "escalated_to" => alert.escalated_to.as_deref() == Some(text.as_str()),
        rule => alert.rule == rule && alert.thing == text,
    }
}

fn entries(node: &Node) -> Vec<(&str, usize, &Node)> {
    match &node.data {
        Data::Map(entries) => {
            let all = entries.iter();
            all.map(|(key, line, node)| (key.as_str(), *line, node))
                .collect()
        }
        _ => vec![],
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.data {
        Data::List(items) => items,
        _ => &[],
    }
}

fn span(node: &Node) -> Option<Span> {
    Span::parse(&node.scalar()?)
}

/// A number, with or without its unit.
fn number(node: &Node) -> Option<f64> {
    let text = node.scalar()?;
    text.split_whitespace().next()?.parse().ok()
}
