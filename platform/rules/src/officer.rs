//! What officers do with alerts: the change itself, decided without a store.

use crate::alert::{STEP_LIMIT, add_step};
use kernel::access::Actor;
use kernel::alerts::{Alert, AlertState, AlertVerb};
use kernel::fault::FaultKind;
use kernel::{Fault, Time};

/// Letters of a comment, a reason or a name, at most.
const TEXT_LIMIT: usize = 2000;

/// Steps kept free of comments, so that handling and closing always leave their trace.
const RESERVED_STEPS: usize = 20;

/// Applies what an officer does; refuses without changing anything.
pub(crate) fn act(
    alert: &mut Alert,
    actor: &Actor,
    verb: &AlertVerb,
    expect_version: Option<i64>,
    now: Time,
) -> Result<(), Fault> {
    if alert.state == AlertState::Closed && !matches!(verb, AlertVerb::Comment { .. }) {
        return Err(Fault::new(
            FaultKind::Conflict,
            "alerts.closed",
            "该告警已经关闭",
            "this alert is closed already",
        ));
    }
    if let Some(expected) = expect_version.filter(|expected| *expected != alert.version) {
        return Err(Fault::new(
            FaultKind::Conflict,
            "input.stale",
            format!("告警已被更改（现为第 {} 版），请刷新后重试", alert.version),
            format!(
                "the alert was changed meanwhile: version {} was expected, it is {}",
                expected, alert.version
            ),
        ));
    }
    let (what, text) = match verb {
        AlertVerb::Acknowledge => ("acknowledged", String::new()),
        AlertVerb::Assign { to } => ("assigned", checked("to", to)?),
        AlertVerb::Comment { text } => ("comment", checked("text", text)?),
        AlertVerb::Close { reason } => ("closed", checked("reason", reason)?),
    };
    match verb {
        // Who has it has also seen it.
        AlertVerb::Acknowledge if alert.state == AlertState::Assigned => {}
        AlertVerb::Acknowledge => alert.state = AlertState::Acknowledged,
        AlertVerb::Assign { .. } => {
            alert.state = AlertState::Assigned;
            alert.assignee = Some(text.clone());
        }
        AlertVerb::Comment { .. } if alert.steps.len() >= STEP_LIMIT - RESERVED_STEPS => {
            return Err(Fault::new(
                FaultKind::TooMany,
                "input.too_many",
                "该告警的记录已满，不能再添加意见",
                "the alert holds no more comments",
            ));
        }
        AlertVerb::Comment { .. } => {}
        AlertVerb::Close { .. } => alert.state = AlertState::Closed,
    }
    add_step(alert, now, &actor.account, what, text);
    alert.version += 1;
    Ok(())
}

/// Back into the queue: nobody has it, somebody has seen it.
pub(crate) fn give_back(alert: &mut Alert, actor: &Actor, now: Time) {
    alert.state = AlertState::Acknowledged;
    alert.assignee = None;
    add_step(alert, now, &actor.account, "assigned", String::new());
    alert.version += 1;
}

/// The word of a verb in the audit log.
pub(crate) fn word(verb: &AlertVerb) -> &'static str {
    match verb {
        AlertVerb::Acknowledge => "acknowledge",
        AlertVerb::Assign { .. } => "assign",
        AlertVerb::Comment { .. } => "comment",
        AlertVerb::Close { .. } => "close",
    }
}

fn checked(field: &str, text: &str) -> Result<String, Fault> {
    let text = text.trim();
    let (zh, en) = match text.chars().count() {
        0 => ("不能为空".into(), "must not be empty".into()),
        n if n > TEXT_LIMIT => (
            format!("最多 {TEXT_LIMIT} 字"),
            format!("at most {TEXT_LIMIT} letters"),
        ),
        _ => return Ok(text.into()),
    };
    let (zh, en): (String, String) = (zh, en);
    Err(Fault::invalid_at(field, zh, en))
}
