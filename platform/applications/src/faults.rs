//! What the engine refuses, said so that the person knows who, what and why.

use crate::body::Last;
use kernel::applications::ApplicationState;
use kernel::fault::{Fault, FaultKind, Problem, Words};

pub(crate) fn problem(
    at: impl Into<String>,
    zh: impl Into<String>,
    en: impl Into<String>,
) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(zh, en),
    }
}

pub(crate) fn refuse(problems: Vec<Problem>) -> Result<(), Fault> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Fault::invalid(problems))
    }
}

pub(crate) fn conflict(zh: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Conflict, "input.conflict", zh, en)
}

/// Nobody learns whether it is somebody else's or not there at all.
pub(crate) fn not_found() -> Fault {
    Fault::missing("application")
}

/// Changed since it was seen.
pub(crate) fn stale(seen: i64, is: i64, last: Option<&Last>) -> Fault {
    let (mut zh, mut en) = (
        format!("内容已被更新（您看到的是第 {seen} 版，现为第 {is} 版），请刷新后重试"),
        format!("it has changed since you saw it (version {seen}, now {is}); look again"),
    );
    if let Some(last) = last {
        zh.push_str(&format!(
            "；最后由 {} 于 {} 办理",
            last.display,
            last.at.for_people()
        ));
        en.push_str(&format!(
            "; last by {} at {}",
            last.display,
            last.at.for_people()
        ));
    }
    Fault::new(FaultKind::Conflict, "input.stale", zh, en)
}

/// What a state is called.
pub(crate) fn state_words(state: ApplicationState) -> Words {
    use ApplicationState::*;
    let (zh, en) = match state {
        Submitted => ("待受理", "waiting to be accepted"),
        Correction => ("待补正", "waiting for what is missing"),
        NotAccepted => ("不予受理", "not accepted"),
        Accepted => ("办理中", "in hand"),
        Approved => ("准予（办结）", "approved"),
        Refused => ("不予批准", "refused"),
        Withdrawn => ("已撤回", "withdrawn"),
        Terminated => ("已终止", "ended without a decision"),
    };
    Words::new(zh, en)
}

/// Somebody was first: by whom, when, and where it stands now.
pub(crate) fn too_late(state: ApplicationState, last: Option<&Last>) -> Fault {
    let words = state_words(state);
    let Some(last) = last else {
        return conflict(
            format!("该办件{}，不能这样办理", words.zh),
            format!("the application is {}; this cannot be done", words.en),
        );
    };
    let at = last.at.for_people();
    let mut fault = conflict(
        format!("该办件{}，已由 {} 于 {at} 办理", words.zh, last.display),
        format!(
            "the application is {}: {} was first at {at}",
            words.en, last.display
        ),
    );
    fault.problems = vec![problem("by", &last.account, &last.account)];
    fault
}

/// Too many guesses.
pub(crate) fn too_many(wait_s: u32) -> Fault {
    let mut fault = Fault::new(
        FaultKind::TooMany,
        "input.too_many",
        "查询次数过多，请稍后再试",
        "too many attempts; please try again later",
    );
    fault.retry_after_s = Some(wait_s);
    fault
}

/// The identity is not proven well enough.
pub(crate) fn level(needed: u8) -> Fault {
    Fault::new(
        FaultKind::Denied,
        "parties.level",
        format!("办理此事项需要实名核验达到 {needed} 级，请先在“我的身份”中提升"),
        format!("this needs an identity proven to level {needed}; raise it under \"my identity\""),
    )
}

pub(crate) fn denied(zh: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Denied, "access.denied", zh, en)
}

/// Characters that steer the text around them instead of standing in it.
fn is_invisible(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A text of so many characters that can be printed.
pub(crate) fn said(at: &str, text: &str, least: usize, most: usize) -> Option<Problem> {
    let length = text.trim().chars().count();
    let sound = (least..=most).contains(&length) && !text.contains(is_invisible);
    (!sound).then(|| {
        problem(
            at,
            format!("须为 {least} 至 {most} 个字，不含不可见字符"),
            format!("{least} to {most} characters that can be seen"),
        )
    })
}
