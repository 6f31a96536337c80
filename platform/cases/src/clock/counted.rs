//! What the machine asks in a step: expressions of the program, days of the calendar.

use super::{Calendar, Clock};
use kernel::cases::{Expressions, Limit};
use kernel::{Fault, Time};
use serde_json::{Map, Value};

/// Expressions beside the calendar as it is now.
pub struct Counted<'a> {
    /// FEEL and decisions.
    pub expressions: &'a dyn Expressions,
    /// Which days are worked.
    pub calendar: &'a Calendar,
}

impl Expressions for Counted<'_> {
    fn evaluate(&self, expression: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        self.expressions.evaluate(expression, variables)
    }
    fn check(&self, expression: &str, names: &[&str]) -> Result<(), Fault> {
        self.expressions.check(expression, names)
    }
    fn after(&self, from: Time, limit: Limit) -> Option<Time> {
        Some(Clock::start(from, limit).left(self.calendar, from).due)
    }
    fn check_decision(&self, decision: &str) -> Result<(), Fault> {
        self.expressions.check_decision(decision)
    }
    fn decide(&self, decision: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        self.expressions.decide(decision, variables)
    }
}
