//! What the engine refuses, said so that the person knows who and what.

use kernel::cases::TaskState;
use kernel::fault::{FaultKind, Problem};
use kernel::{Fault, Words};
use store::cases::TaskRow;

fn conflict(zh: String, en: String) -> Fault {
    Fault::new(FaultKind::Conflict, "input.conflict", zh, en)
}

/// Somebody else was first: by whom, when, and what they did.
pub(super) fn over(task: &TaskRow) -> Fault {
    let by = task.ended_by.as_deref().unwrap_or("system");
    let name = if task.ended_name.is_empty() {
        by
    } else {
        &task.ended_name
    };
    let (zh, en) = match task.state {
        TaskState::Done => ("办结", "done"),
        TaskState::SentBack => ("驳回", "sent back"),
        TaskState::Withdrawn => ("撤回", "taken back"),
        TaskState::Dropped | TaskState::Open => ("结束", "ended"),
    };
    let at = task.ended_at.unwrap_or_default();
    let at = at.for_people();
    let mut fault = conflict(
        format!("该任务已由 {name} 于 {at} {zh}"),
        format!("the task was {en} by {name} at {at}"),
    );
    fault.problems = vec![named("ended_by", by)];
    fault
}

/// Somebody else has it in hand.
pub(super) fn taken(task: &TaskRow) -> Fault {
    let by = task.assignee.as_deref().unwrap_or("");
    let mut fault = conflict(
        format!("该任务已由 {by} 签收"),
        format!("the task was taken by {by}"),
    );
    fault.problems = vec![named("assignee", by)];
    fault
}

fn named(at: &str, who: &str) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(who, who),
    }
}

/// It has changed since it was seen.
pub(super) fn stale(seen: i64, is: i64) -> Fault {
    conflict(
        format!("内容已被更新（您看到的是第 {seen} 版，现为第 {is} 版），请刷新后重试"),
        format!("it has changed since you saw it (revision {seen}, now {is}); look again"),
    )
}

/// The case does not go on at present.
pub(super) fn not_running(state: kernel::cases::CaseState) -> Fault {
    use kernel::cases::CaseState::*;
    let (zh, en) = match state {
        Running => ("正在办理", "is running"),
        Suspended => ("已中止，恢复后方可办理", "is suspended"),
        Completed => ("已办结", "has ended"),
        Failed => ("已因错误终止", "has failed"),
        Cancelled => ("已终止", "was cancelled"),
    };
    conflict(format!("该办件{zh}"), format!("the case {en}"))
}

/// Anything else that does not fit how things stand.
pub(super) fn unfit(zh: impl Into<String>, en: impl Into<String>) -> Fault {
    conflict(zh.into(), en.into())
}

/// It is somebody else's.
pub(super) fn not_yours(zh: &str, en: &str) -> Fault {
    Fault::new(FaultKind::Denied, "access.denied", zh, en)
}

/// A text that must be there and short.
pub(super) fn text(at: &str, text: &str, limit: usize) -> Result<(), Fault> {
    if text.trim().is_empty() || text.chars().count() > limit || text.contains('\0') {
        return Err(Fault::invalid_at(
            at,
            format!("不能为空，至多 {limit} 字"),
            format!("must not be empty, {limit} characters at most"),
        ));
    }
    Ok(())
}

/// A text that may be empty but must be short.
pub(super) fn note(at: &str, note: &str, limit: usize) -> Result<(), Fault> {
    if note.is_empty() {
        return Ok(());
    }
    text(at, note, limit)
}
