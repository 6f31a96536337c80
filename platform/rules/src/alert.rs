//! From an outcome to an alert: how it begins, what changes it, and what it says. Pure; the engine
//! and the scenario runner both use it, so that a scenario tests what the city does.

use crate::evaluator::{Change, Ending, Evaluator, Outcome, PropertyWords};
use kernel::alerts::{Alert, AlertState, AlertStep, Level};
use kernel::declare::{Condition, RuleDecl};
use kernel::fault::Words;
use kernel::time::{DAY, HOUR, MINUTE, SECOND};
use kernel::{Span, Time};

/// Steps an alert keeps; when full, the oldest after the first give way.
pub const STEP_LIMIT: usize = 200;

/// Who acts when the rule does.
pub const RULE: &str = "rule";

/// Adds a step within the limit.
pub fn add_step(alert: &mut Alert, at: Time, by: &str, what: &str, text: impl Into<String>) {
    if alert.steps.len() >= STEP_LIMIT {
        alert.steps.remove(1);
    }
    alert.steps.push(AlertStep {
        at,
        by: by.into(),
        what: what.into(),
        text: text.into(),
    });
}

/// The alert an outcome begins; `None` when it is not the beginning of one.
pub fn begin(evaluator: &Evaluator, outcome: &Outcome) -> Option<Alert> {
    let Change::Raise {
        level,
        value,
        limit,
    } = outcome.change
    else {
        return None;
    };
    let rule = evaluator.rule(outcome.rule);
    let properties = words_of(evaluator, rule, outcome);
    let unit = properties.first().map(|p| p.unit.clone());
    let message = Message {
        rule,
        outcome,
        properties: &properties,
        value,
        limit,
    };
    let message = Words::new(
        message.fill(&rule.alert.message.zh, true),
        message.fill(&rule.alert.message.en, false),
    );
    let mut alert = Alert {
        id: outcome.alert_id(&rule.name),
        system: rule.system.clone(),
        rule: rule.name.clone(),
        title: rule.title.clone(),
        thing: outcome.thing.to_string(),
        property: outcome.property.as_deref().map(String::from),
        kind: outcome.kind.map(|kind| kind.to_string()),
        level,
        state: AlertState::Open,
        since: outcome.since,
        raised_at: outcome.at,
        ended_at: None,
        value,
        limit,
        unit: unit.unwrap_or_default(),
        message,
        assignee: None,
        escalated_to: None,
        steps: vec![],
        version: 1,
    };
    add_step(&mut alert, outcome.at, RULE, "raised", level.word());
    Some(alert)
}

/// Applies what a rule decided about an alert that exists; false when nothing changes, because it
/// was applied before, or an officer has closed the alert meanwhile. `news` is false when the log
/// is read again: a value it tells is then older than the one that stands.
pub fn apply(
    alert: &mut Alert,
    change: &Change,
    at: Time,
    closes_itself: bool,
    news: bool,
) -> bool {
    match *change {
        Change::Raise { .. } => return false,
        Change::Worsen { level, value } => {
            let graver = level > alert.level;
            let worse = news && value.is_some() && value != alert.value;
            let lasting = alert.ended_at.is_none() && alert.state != AlertState::Closed;
            if !lasting || !(graver || worse) {
                return false;
            }
            if graver {
                alert.level = level;
                add_step(alert, at, RULE, "level", level.word());
            }
            if news {
                alert.value = value.or(alert.value);
            }
        }
        Change::End {
            at: ended,
            value,
            why,
        } => {
            if alert.ended_at.is_some() {
                return false;
            }
            alert.ended_at = Some(ended);
            alert.value = value.or(alert.value);
            add_step(alert, at, RULE, "ended", ending(why));
            if closes_itself && alert.state != AlertState::Closed {
                alert.state = AlertState::Closed;
                add_step(alert, at, RULE, "closed", ending(why));
            }
        }
    }
    alert.version += 1;
    true
}

fn ending(why: Ending) -> &'static str {
    match why {
        Ending::Over => "条件已解除 condition over",
        Ending::OffRecord => "对象已不在登记范围 no longer on record",
        Ending::RuleGone => "规则已撤销或更改 rule withdrawn or changed",
    }
}

/// Hands an alert nobody has looked at to a role, one level graver; once.
pub fn escalate(alert: &mut Alert, role: &str, now: Time) -> bool {
    if alert.state != AlertState::Open || alert.escalated_to.is_some() {
        return false;
    }
    let graver = Level::ALL.into_iter().find(|level| *level > alert.level);
    alert.level = graver.unwrap_or(alert.level);
    alert.escalated_to = Some(role.into());
    add_step(alert, now, RULE, "escalated", role);
    alert.version += 1;
    true
}

fn words_of(evaluator: &Evaluator, rule: &RuleDecl, outcome: &Outcome) -> Vec<PropertyWords> {
    match &outcome.property {
        Some(property) => vec![evaluator.property(property)],
        None => {
            let series = rule.when.series();
            let words = |(property, _): &(String, _)| evaluator.property(property);
            series.iter().map(words).collect()
        }
    }
}

struct Message<'a> {
    rule: &'a RuleDecl,
    outcome: &'a Outcome,
    properties: &'a [PropertyWords],
    value: Option<f64>,
    limit: Option<f64>,
}

impl Message<'_> {
    fn fill(&self, text: &str, chinese: bool) -> String {
        let digits = self.properties.first().map_or(2, |p| p.digits);
        let number = |n: Option<f64>| n.map_or("—".into(), |n| show(n, digits));
        let unit = self.properties.first().map_or("", |p| &p.unit);
        let titles: Vec<&str> = self
            .properties
            .iter()
            .map(|p| if chinese { &*p.title.zh } else { &*p.title.en })
            .collect();
        text.replace("{value}", &number(self.value))
            .replace("{limit}", &number(self.limit))
            .replace("{unit}", unit)
            .replace(
                "{property}",
                &titles.join(if chinese { "、" } else { ", " }),
            )
            .replace("{for}", &show_span(held(&self.rule.when), chinese))
            // Last: what a device calls itself must not be filled in again.
            .replace("{thing}", &self.outcome.thing)
    }
}

/// The span a condition asks for.
fn held(condition: &Condition) -> Span {
    match condition {
        Condition::Threshold { hold, .. }
        | Condition::Absent { hold }
        | Condition::Constant { hold, .. }
        | Condition::All { hold, .. } => *hold,
        Condition::Change { over, .. } => *over,
    }
}

/// A number for people: with the property's digits, or three significant ones when it is small.
pub(crate) fn show(value: f64, digits: u8) -> String {
    let magnitude = value.abs();
    let digits = match magnitude < 1.0 && magnitude > 0.0 {
        true => (2 - magnitude.log10().floor() as i32).clamp(i32::from(digits), 12) as usize,
        false => usize::from(digits),
    };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').into(),
        false => text,
    }
}

fn show_span(span: Span, chinese: bool) -> String {
    let (number, zh, en) = match span.0 {
        n if n % DAY == 0 && n != 0 => (n / DAY, "天", "d"),
        n if n % HOUR == 0 && n != 0 => (n / HOUR, "小时", "h"),
        n if n % MINUTE == 0 && n != 0 => (n / MINUTE, "分钟", "min"),
        n => (n / SECOND, "秒", "s"),
    };
    format!("{number} {}", if chinese { zh } else { en })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        let check = |value, digits, expect: &str| assert_eq!(show(value, digits), expect);
        check(50.0, 2, "50");
        check(123.456, 1, "123.5");
        check(0.00347, 2, "0.00347");
        check(0.0, 2, "0");
        check(-4.25, 1, "-4.2");
        check(100.0, 0, "100");
    }

    #[test]
    fn spans_for_people() {
        let check = |span, zh: &str, en: &str| {
            assert_eq!(show_span(span, true), zh);
            assert_eq!(show_span(span, false), en);
        };
        check(Span::minutes(90), "90 分钟", "90 min");
        check(Span::hours(3), "3 小时", "3 h");
        check(Span(0), "0 秒", "0 s");
    }
}
