//! Timers: when they fire. The drawing says an ISO 8601 text, a limit of days that the calendar
//! counts (`5 working days`), or an expression that gives one.

use super::run::Run;
use super::state::Awaited;
use crate::bpmn::Trigger;
use kernel::cases::Limit;
use kernel::{Span, Time, Words};
use serde_json::{Map, Value};

/// What a timer waits for, from now.
pub(super) fn awaited(
    run: &Run<'_>,
    trigger: &Trigger,
    variables: &Map<String, Value>,
) -> Result<Awaited, Words> {
    let days = |limit| run.expressions.after(run.now, limit);
    let text = |written: &str| match reads(trigger, written, run.now, &days) {
        Some(_) => Ok(written.to_string()),
        None => match run.evaluate(written, variables)? {
            Value::String(text) => Ok(text),
            other => Ok(other.to_string()),
        },
    };
    let (Trigger::Date(written) | Trigger::Duration(written) | Trigger::Cycle(written)) = trigger;
    let text = text(written)?;
    reads(trigger, &text, run.now, &days).ok_or_else(|| {
        Words::new(
            format!(
                "“{text}”不是 ISO 8601 时间（如 2026-11-25T10:00:00+08:00、P3DT4H、R3/PT10M），也不是“5个工作日”这样的期限"
            ),
            format!(
                "\"{text}\" is no ISO 8601 text such as 2026-11-25T10:00:00+08:00, P3DT4H, R3/PT10M, nor a limit such as 5 working days"
            ),
        )
    })
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
    let once = |due| Awaited::Timer {
        due,
        every_us: None,
        left: None,
    };
    match trigger {
        Trigger::Date(_) => Time::parse(text).map(once),
        Trigger::Duration(_) => match Limit::parse(text) {
            Some(limit) => days(limit).map(once),
            None => duration(text).map(|span| once(now + span)),
        },
        Trigger::Cycle(_) => {
            let (times, every) = text.strip_prefix('R')?.split_once('/')?;
            let every = duration(every).filter(|every| *every >= Span::seconds(1))?;
            let left = match times {
                "" => None,
                times => Some(times.parse::<u32>().ok()?.checked_sub(1)?),
            };
            Some(Awaited::Timer {
                due: now + every,
                every_us: Some(every.0),
                left,
            })
        }
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
