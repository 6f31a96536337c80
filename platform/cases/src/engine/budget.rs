//! How long the expressions of one step may take together. A step is taken while everybody else's
//! writing waits, so a drawing that calculates without end must not hold up the city: its token
//! sticks, and the others go on.

use kernel::Fault;
use kernel::cases::Expressions;
use kernel::decisions::Outcome;
use parking_lot::Mutex;
use serde_json::{Map, Value};
use std::time::{Duration, Instant};

/// Expressions of one step, together, at most. One that is under way is not broken off here; it has
/// a limit of its own.
const STEP: Duration = Duration::from_secs(1);

/// Expressions with what they have taken so far.
pub(super) struct Budget<'a> {
    inner: &'a dyn Expressions,
    spent: Mutex<Duration>,
}

impl<'a> Budget<'a> {
    pub(super) fn new(inner: &'a dyn Expressions) -> Budget<'a> {
        Budget {
            inner,
            spent: Mutex::default(),
        }
    }

    fn within<T>(&self, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        if *self.spent.lock() > STEP {
            let seconds = STEP.as_secs();
            return Err(Fault::invalid_at(
                "process",
                format!("一步之内的表达式计算超过 {seconds} 秒，已停下"),
                format!("the expressions of one step took more than {seconds} s; it was stopped"),
            ));
        }
        let begun = Instant::now();
        let outcome = work();
        *self.spent.lock() += begun.elapsed();
        outcome
    }
}

impl Expressions for Budget<'_> {
    fn evaluate(&self, expression: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        self.within(|| self.inner.evaluate(expression, variables))
    }

    fn decide(&self, decision: &str, variables: &Map<String, Value>) -> Result<Outcome, Fault> {
        self.within(|| self.inner.decide(decision, variables))
    }
}
