//! Timers: when they fire. The drawing says an ISO 8601 text, a limit of days that the calendar
//! counts (`5 working days`), or an expression that gives one.

use super::state::{Awaited, Days};
use crate::bpmn::Trigger;
use kernel::cases::{Expressions, Limit};
use kernel::{Span, Time, Words};
use serde_json::{Map, Value};

/// Cases begun by one timer are this far apart at least.
const APART: Span = Span::minutes(1);

/// What a timer waits for, from now.
pub(super) fn awaited(
    trigger: &Trigger,
    variables: &Map<String, Value>,
    expressions: &dyn Expressions,
    now: Time,
) -> Result<Awaited, Words> {
    let text = said(trigger, variables, expressions, now)?;
    let days = |limit| expressions.after(now, limit);
    reads(trigger, &text, now, &days).ok_or_else(|| {
        Words::new(
            format!("“{text}”的各次时间均已过去"),
            format!("all moments of \"{text}\" are past"),
        )
    })
}

/// The time of a timer as it is written, or as its expression gives it.
fn said(
    trigger: &Trigger,
    variables: &Map<String, Value>,
    expressions: &dyn Expressions,
    now: Time,
) -> Result<String, Words> {
    let days = |limit| expressions.after(now, limit);
    // Whether it is past is said elsewhere.
    let is_time = |text: &str| reads(trigger, text, Time(0), &days).is_some();
    let (Trigger::Date(written) | Trigger::Duration(written) | Trigger::Cycle(written)) = trigger;
    if is_time(written) {
        return Ok(written.clone());
    }
    let value = expressions.evaluate(written, variables);
    let text = match value.map_err(|fault| fault.words)? {
        Value::String(text) => text,
        other => other.to_string(),
    };
    if is_time(&text) {
        return Ok(text);
    }
    Err(Words::new(
        format!(
            "“{text}”不是 ISO 8601 时间（如 2026-11-25T10:00:00+08:00、P3DT4H、R3/PT10M、R/2026-12-01T08:00:00+08:00/P1D），也不是“5个工作日”这样的期限"
        ),
        format!(
            "\"{text}\" is no ISO 8601 text such as 2026-11-25T10:00:00+08:00, P3DT4H, R3/PT10M, R/2026-12-01T08:00:00+08:00/P1D, nor a limit such as 5 working days"
        ),
    ))
}

/// When a timer at the start of a process begins its first case, counted from now: there are no
/// variables yet. `None` when all its moments are past. Refused when cases would follow each other too
/// fast.
pub(crate) fn begins(
    trigger: &Trigger,
    expressions: &dyn Expressions,
    now: Time,
) -> Result<Option<Awaited>, Words> {
    let text = said(trigger, &Map::new(), expressions, now)?;
    let found = reads(trigger, &text, now, &|limit| expressions.after(now, limit));
    if found.as_ref().is_some_and(is_too_fast) {
        return Err(too_fast());
    }
    let later = |timer: &Awaited| matches!(timer, Awaited::Timer { due, .. } if *due > now);
    Ok(found.filter(later))
}

/// Is this a cycle, written out, that would begin cases too fast?
pub(crate) fn begins_too_fast(trigger: &Trigger) -> Option<Words> {
    let (Trigger::Date(text) | Trigger::Duration(text) | Trigger::Cycle(text)) = trigger;
    let found = reads(trigger, text, Time(0), &|_| Some(Time(0)))?;
    is_too_fast(&found).then(too_fast)
}

fn is_too_fast(timer: &Awaited) -> bool {
    matches!(timer, Awaited::Timer { every_us: Some(every), .. } if *every < APART.0)
}

fn too_fast() -> Words {
    Words::new(
        "启动流程的周期不得短于一分钟（PT1M）",
        "a cycle that begins a process is a minute (PT1M) at least",
    )
}

/// Is this text a time as an element of the standard (`timeDate`, `timeDuration`, `timeCycle`) has it?
pub(crate) fn is_time(element: &str, text: &str) -> bool {
    let trigger = match element {
        "timeDate" => Trigger::Date,
        "timeDuration" => Trigger::Duration,
        _ => Trigger::Cycle,
    };
    let days = |_| Some(Time(0));
    reads(&trigger(String::new()), text, Time(0), &days).is_some()
}

/// `days` says when a limit of days is over.
fn reads(
    trigger: &Trigger,
    text: &str,
    now: Time,
    days: &dyn Fn(Limit) -> Option<Time>,
) -> Option<Awaited> {
    let once = |due, days| Awaited::Timer {
        due,
        every_us: None,
        left: None,
        anchored: false,
        days,
    };
    match trigger {
        Trigger::Date(_) => Time::parse(text).map(|due| once(due, None)),
        Trigger::Duration(_) => match Limit::parse(text) {
            Some(limit) => days(limit).map(|due| once(due, Some(Days { since: now, limit }))),
            None => duration(text).map(|span| once(now + span, None)),
        },
        Trigger::Cycle(_) => cycle(text, now),
    }
}

/// `R3/PT10M`, or with the first moment of all `R3/2026-12-01T08:00:00+08:00/P1D`: moments of it that
/// are past count among its times. `None` when all are past.
fn cycle(text: &str, now: Time) -> Option<Awaited> {
    let (times, rest) = text.strip_prefix('R')?.split_once('/')?;
    let (first, every) = match rest.split_once('/') {
        Some((first, every)) => (Some(Time::parse(first)?), every),
        None => (None, rest),
    };
    let every = duration(every).filter(|every| *every >= Span::seconds(1))?;
    let left = match times {
        "" => None,
        times => Some(times.parse::<u32>().ok()?.checked_sub(1)?),
    };
    let (due, past) = match first {
        Some(first) if first <= now => {
            let past = now.since(first).0.checked_div(every.0)?.checked_add(1)?;
            (Time(first.0.checked_add(past.checked_mul(every.0)?)?), past)
        }
        Some(first) => (first, 0),
        None => (now + every, 0),
    };
    let left = match left {
        Some(left) => Some(left.checked_sub(u32::try_from(past).ok()?)?),
        None => None,
    };
    Some(Awaited::Timer {
        due,
        every_us: Some(every.0),
        left,
        anchored: first.is_some(),
        days: None,
    })
}

impl Awaited {
    /// A timer that has just fired: what it waits for next; `None` when that was the last time.
    /// Counted from when it was due, so that lateness does not add up. What was missed in a long stop
    /// is not made up for: a cycle that said when it begins keeps to its moments, another goes on from
    /// now.
    pub(crate) fn again(&self, now: Time) -> Option<Awaited> {
        let Awaited::Timer {
            due,
            every_us: Some(every_us),
            left,
            anchored,
            ..
        } = self
        else {
            return None;
        };
        let left = match left {
            Some(left) => Some(left.checked_sub(1)?),
            None => None,
        };
        let mut next = *due + Span(*every_us);
        if next <= now {
            next = match anchored {
                true => Time(now.0 + every_us - now.since(*due).0.rem_euclid(*every_us)),
                false => now + Span(*every_us),
            };
        }
        Some(Awaited::Timer {
            due: next,
            every_us: Some(*every_us),
            left,
            anchored: *anchored,
            days: None,
        })
    }

    /// The same timer with its working days counted by the calendar as it is now; `None` when it counts
    /// none, or when nothing moves.
    pub(crate) fn recounted(&self, days: impl Fn(Time, Limit) -> Time) -> Option<Awaited> {
        let Awaited::Timer {
            due,
            days: Some(counted),
            ..
        } = self
        else {
            return None;
        };
        let is = days(counted.since, counted.limit);
        (is != *due).then(|| Awaited::Timer {
            due: is,
            every_us: None,
            left: None,
            anchored: false,
            days: Some(*counted),
        })
    }
}

/// An ISO 8601 duration of weeks, days, hours, minutes and seconds. Years and months have no fixed
/// length and are refused.
pub(crate) fn duration(text: &str) -> Option<Span> {
    let (date, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (text.strip_prefix('P')?, ""),
    };
    let mut total: i64 = 0;
    let mut any = false;
    for (part, units) in [
        (date, &[('W', 7 * 86_400), ('D', 86_400)][..]),
        (time, &[('H', 3_600), ('M', 60), ('S', 1)]),
    ] {
        let mut rest = part;
        for (unit, seconds) in units {
            let Some((number, after)) = rest.split_once(*unit) else {
                continue;
            };
            let whole: i64 = number.parse().ok().filter(|n| *n >= 0)?;
            total = total.checked_add(whole.checked_mul(*seconds)?)?;
            (rest, any) = (after, true);
        }
        if !rest.is_empty() {
            return None;
        }
    }
    (any && total <= 200 * 366 * 86_400).then(|| Span(total * 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_fixed_length_are_read() {
        let check = |text: &str, seconds: Option<i64>| {
            assert_eq!(
                duration(text),
                seconds.map(|s| Span(s * 1_000_000)),
                "{text}"
            );
        };
        check("PT10M", Some(600));
        check("P3DT4H", Some(3 * 86_400 + 4 * 3_600));
        check("P1W", Some(7 * 86_400));
        check("PT0S", Some(0));
        check("PT1H30M5S", Some(5_405));
        for wrong in [
            "",
            "P",
            "PT",
            "P1Y",
            "P1M",
            "10 min",
            "PT-5M",
            "PT5",
            "P1D1H",
            "PT99999999999999999S",
        ] {
            check(wrong, None);
        }
    }
}
