//! Native: functions of ours under names of FEEL. They are ordinary entries of the scope an
//! expression is evaluated in; their names cannot be written by an author, because a text with
//! [`PREFIX`] in it is refused.

use crate::limits::{DELIMITER_LIMIT, REPLACE_LIMIT, STEPS_LIMIT};
use crate::run::{self, Stop};
use dsntk_feel::closure::Closure;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value;
use dsntk_feel::{Evaluator, FeelScope, FeelType, FunctionBody, Name, value_null};
use kernel::Time;
use std::sync::{Arc, LazyLock};

/// What all names of ours begin with.
pub(crate) const PREFIX: &str = "__jc";
/// `()`: one step.
pub(crate) const TURN: &str = "__jc_turn";
/// `(value)`: measures a value and gives it back.
pub(crate) const VALUE: &str = "__jc_value";
/// `(value)`: refuses a text too long for `replace`.
pub(crate) const CAP: &str = "__jc_cap";
/// `(value)`: refuses a text too long for a delimiter.
pub(crate) const BOUND: &str = "__jc_bound";
/// `(mode, place, value)`: counts the combinations of a loop.
pub(crate) const SOURCE: &str = "__jc_source";

/// `()`: what `now()` asks.
pub(crate) const NOW: &str = "__jc_now";
/// `()`: what `today()` asks.
pub(crate) const TODAY: &str = "__jc_today";

/// A function of ours with these parameters.
pub(crate) fn function(
    parameters: &[&str],
    body: impl Fn(&FeelScope) -> Value + Send + Sync + 'static,
) -> Value {
    let body: Evaluator = Box::new(body);
    Value::FunctionDefinition(
        parameters
            .iter()
            .map(|name| ((*name).into(), FeelType::Any))
            .collect(),
        FunctionBody::LiteralExpression(Arc::new(body)),
        false,
        Closure::default(),
        FeelContext::default(),
        FeelType::Any,
    )
}

/// An argument of the function that is being carried out.
pub(crate) fn argument(scope: &FeelScope, name: &Name) -> Value {
    scope
        .get_value(name)
        .unwrap_or_else(|| value_null!("no argument"))
}

fn one(act: impl Fn(&Value) + Send + Sync + 'static) -> Value {
    let name: Name = "__jc_1".into();
    function(&["__jc_1"], move |scope| {
        let value = argument(scope, &name);
        act(&value);
        value
    })
}

fn refuse_longer(limit: usize) -> Value {
    one(move |value| {
        if matches!(value, Value::String(text) if text.len() > limit) {
            run::stop(Stop::Argument);
        }
    })
}

/// A number that grows by one from turn to turn between the ends of an interval.
fn position(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::Date(date) => {
            let (year, month, day) = date.as_tuple();
            Some(f64::from(year) * 366.0 + f64::from(month) * 31.0 + f64::from(day))
        }
        _ => None,
    }
}

/// Multiplies the turns of the sources of a loop; more than there are steps end the evaluation.
fn source() -> Value {
    let names: [Name; 3] = ["__jc_1".into(), "__jc_2".into(), "__jc_3".into()];
    function(&["__jc_1", "__jc_2", "__jc_3"], move |scope| {
        let [mode, place, value] = names.each_ref().map(|name| argument(scope, name));
        let Value::String(mode) = mode else {
            return value;
        };
        let first = matches!(place, Value::String(place) if place == "first");
        let turns = match (mode.as_str(), &value) {
            ("list", Value::List(items)) => items.len().max(1) as f64,
            ("start", value) => {
                let at = position(value).unwrap_or(0.0);
                run::with(|run| run.interval_start = at);
                return value.clone();
            }
            ("end", value) => {
                let begun = run::with(|run| run.interval_start).unwrap_or(0.0);
                position(value).map_or(1.0, |end| (end - begun).abs() + 1.0)
            }
            _ => 1.0,
        };
        let product = run::with(|run| {
            run.product = if first { turns } else { run.product * turns };
            run.product
        });
        if product.is_some_and(|product| product > STEPS_LIMIT as f64) {
            run::stop(Stop::Steps);
        }
        value
    })
}

/// The date and time of the city's clock, in Beijing time.
fn now(time: Time) -> Value {
    Value::try_from_xsd_date_time(&time.rfc3339()).unwrap_or_else(|_| value_null!("no time"))
}

fn today(time: Time) -> Value {
    let text = time.rfc3339();
    let date = text.split('T').next().unwrap_or_default();
    Value::try_from_xsd_date(date).unwrap_or_else(|_| value_null!("no date"))
}

/// Everything of ours an expression may meet.
pub(crate) fn context() -> FeelContext {
    static NATIVES: LazyLock<Vec<(Name, Value)>> = LazyLock::new(|| {
        let clock = |read: fn(Time) -> Value| {
            function(&[], move |_| {
                run::with(|run| run.now).map_or_else(|| value_null!("no clock"), read)
            })
        };
        let turn = function(&[], |_| {
            run::step(1);
            Value::Boolean(true)
        });
        vec![
            (TURN.into(), turn),
            (VALUE.into(), one(run::charge)),
            (CAP.into(), refuse_longer(REPLACE_LIMIT)),
            (BOUND.into(), refuse_longer(DELIMITER_LIMIT)),
            (SOURCE.into(), source()),
            (NOW.into(), clock(now)),
            (TODAY.into(), clock(today)),
        ]
    });
    let mut context = FeelContext::default();
    for (name, value) in NATIVES.iter() {
        context.set_entry(name, value.clone());
    }
    context
}
