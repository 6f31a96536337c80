//! Run: one evaluation under its budget. The library evaluates in plain recursive calls and cannot
//! be stopped from outside; so what it evaluates is laced with calls back to us (see
//! [`crate::instrument`] and [`crate::native`]), and each of those may end the evaluation by
//! unwinding. A panic of the library itself ends in a fault the same way.

use crate::limits::{ROOM_LIMIT, STEPS_LIMIT, TIME_LIMIT};
use crate::trace::Trace;
use dsntk_feel::values::Value;
use kernel::{Fault, Time, fault::FaultKind};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

/// Why an evaluation was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Steps,
    Room,
    Time,
    Stack,
    Argument,
}

impl Stop {
    fn fault(self) -> Fault {
        let (zh, en) = match self {
            Stop::Steps => ("步数超出上限", "it takes too many steps"),
            Stop::Room => ("中间结果过大", "what it brings forth is too large"),
            Stop::Time => ("超时", "it takes too long"),
            Stop::Stack => ("递归过深", "its recursion is too deep"),
            Stop::Argument => (
                "replace 或 string join 的参数过长",
                "an argument of replace or string join is too long",
            ),
        };
        budget(zh, en)
    }
}

/// The fault for an evaluation that needs more than it is given.
pub(crate) fn budget(zh: &str, en: &str) -> Fault {
    Fault::new(
        FaultKind::Invalid,
        "decisions.budget",
        format!("表达式或决策已中止：{zh}"),
        format!("the expression or decision was stopped: {en}"),
    )
}

/// What one evaluation may still use, and what it notes down.
pub(crate) struct Run {
    steps_left: u64,
    room_left: u64,
    deadline: Instant,
    stack_base: usize,
    stack_limit: usize,
    /// The city's time, for `now()` and `today()`.
    pub(crate) now: Time,
    /// Combinations of the loop over several variables that is being opened.
    pub(crate) product: f64,
    /// Where its interval that is being opened begins.
    pub(crate) interval_start: f64,
    /// What is noted down of decisions and tables.
    pub(crate) trace: Trace,
}

impl Run {
    pub(crate) fn new(now: Time, stack_limit: usize) -> Run {
        Run {
            steps_left: STEPS_LIMIT,
            room_left: ROOM_LIMIT,
            deadline: Instant::now() + TIME_LIMIT,
            stack_base: 0,
            stack_limit,
            now,
            product: 1.0,
            interval_start: 0.0,
            trace: Trace::default(),
        }
    }
}

thread_local! {
    static RUN: RefCell<Option<Run>> = const { RefCell::new(None) };
}

/// Where the stack of this thread is at present; only its distance from another such place counts.
#[inline(never)]
fn stack_now() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)) as usize
}

/// Ends the evaluation of this thread.
pub(crate) fn stop(why: Stop) -> ! {
    resume_unwind(Box::new(why))
}

/// Does something with the run of this thread; nothing when none is under way.
pub(crate) fn with<T>(act: impl FnOnce(&mut Run) -> T) -> Option<T> {
    RUN.with_borrow_mut(|run| run.as_mut().map(act))
}

/// One step. Ends the evaluation when there are none left, or no time or stack.
pub(crate) fn step(steps: u64) {
    let here = stack_now();
    let outcome = with(|run| {
        if run.stack_base.abs_diff(here) > run.stack_limit {
            return Some(Stop::Stack);
        }
        if run.steps_left < steps {
            return Some(Stop::Steps);
        }
        run.steps_left -= steps;
        (Instant::now() > run.deadline).then_some(Stop::Time)
    });
    if let Some(Some(why)) = outcome {
        stop(why);
    }
}

/// Charges what a turn or call brought forth.
pub(crate) fn charge(value: &Value) {
    let outcome = with(|run| {
        let Some(size) = size(value) else {
            return true;
        };
        let enough = run.room_left >= size;
        run.room_left = run.room_left.saturating_sub(size);
        !enough
    });
    if outcome == Some(true) {
        stop(Stop::Room);
    }
}

/// Values and characters of a value; `None` when there are more than one turn may bring forth.
fn size(value: &Value) -> Option<u64> {
    use crate::limits::{CHARACTERS_LIMIT, VALUES_LIMIT};
    let (mut values, mut characters) = (0_usize, 0_usize);
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        values += 1;
        match value {
            Value::String(text) => characters += text.len(),
            Value::List(items) | Value::ExpressionList(items) => open.extend(items),
            Value::Context(context) => {
                for (name, value) in context.iter() {
                    characters += name.as_str().len();
                    open.push(value);
                }
            }
            Value::Null(Some(why)) => characters += why.len(),
            _ => {}
        }
        if values > VALUES_LIMIT || characters > CHARACTERS_LIMIT || open.len() > VALUES_LIMIT {
            return None;
        }
    }
    Some((values + characters) as u64)
}

/// Evaluates something under a budget, on this thread. A stop is `decisions.budget`, a panic of the
/// library `decisions.failed`.
pub(crate) fn under<T>(mut run: Run, act: impl FnOnce() -> T) -> Result<(T, Run), Fault> {
    run.stack_base = stack_now();
    let before = RUN.replace(Some(run));
    let outcome = catch_unwind(AssertUnwindSafe(act));
    let run = RUN.replace(before);
    match (outcome, run) {
        (Ok(value), Some(run)) => Ok((value, run)),
        (Err(cause), _) => Err(match cause.downcast_ref::<Stop>() {
            Some(stop) => stop.fault(),
            None => failed("the evaluator gave up"),
        }),
        (Ok(_), None) => Err(failed("the run was lost")),
    }
}

/// The fault for an evaluation that came to no end of its own.
pub(crate) fn failed(cause: &str) -> Fault {
    Fault::new(
        FaultKind::Internal,
        "decisions.failed",
        "决策引擎计算失败，没有结果",
        format!("the evaluation failed and has no result: {cause}"),
    )
}
