//! Values of filter expressions and how they compare. A comparison between kinds that have
//! nothing to do with one another is false, never an error: properties are free JSON.

use super::{Op, geo::Shape};
use kernel::Time;
use serde_json::Value;
use std::cmp::Ordering;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    /// Nothing there.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number.
    Num(f64),
    /// A text.
    Text(String),
    /// An instant.
    Time(Time),
    /// From the first instant to the second.
    Interval(Time, Time),
    /// Microseconds.
    Span(i64),
    /// A geometry.
    Shape(Shape),
    /// Several, from a path to many entities: a condition holds when it holds for one of them.
    Many(Vec<Val>),
}

impl Val {
    /// From JSON; GeoJSON points become shapes, other arrays and objects nothing.
    pub fn from_json(value: &Value) -> Val {
        match value {
            Value::Bool(b) => Val::Bool(*b),
            Value::Number(n) => n.as_f64().map_or(Val::Null, Val::Num),
            Value::String(text) => Val::Text(text.clone()),
            Value::Object(_) => Shape::from_geojson(value).map_or(Val::Null, Val::Shape),
            Value::Null | Value::Array(_) => Val::Null,
        }
    }

    /// Holds as a condition.
    pub fn is_true(&self) -> bool {
        match self {
            Val::Bool(b) => *b,
            Val::Many(values) => values.iter().any(Val::is_true),
            _ => false,
        }
    }

    /// As a number, read from text if need be.
    pub fn number(&self) -> Option<f64> {
        match self {
            Val::Num(n) => Some(*n),
            Val::Text(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        }
    }

    /// First and last instant, read from text if need be.
    pub fn times(&self) -> Option<(Time, Time)> {
        match self {
            Val::Time(t) => Some((*t, *t)),
            Val::Interval(from, to) => Some((*from, *to)),
            Val::Text(text) => match text.split_once('/') {
                Some((from, to)) => Some((Time::parse(from)?, Time::parse(to)?)),
                None => Time::parse(text).map(|t| (t, t)),
            },
            _ => None,
        }
    }

    /// Whether `self op other` holds. An interval is before what begins after its end.
    pub fn compare(&self, op: Op, other: &Val) -> bool {
        use Val::{Interval, Null, Time};
        match (self, other) {
            (Null, Null) => op == Op::Eq,
            (Null, _) | (_, Null) => op == Op::Ne,
            (Time(_) | Interval(..), _) | (_, Time(_) | Interval(..)) => {
                let (Some(left), Some(right)) = (self.times(), other.times()) else {
                    return op == Op::Ne;
                };
                match op {
                    Op::Eq => left == right,
                    Op::Ne => left != right,
                    Op::Lt => left.1 < right.0,
                    Op::Le => left.1 <= right.0,
                    Op::Gt => left.0 > right.1,
                    _ => left.0 >= right.1,
                }
            }
            _ => match self.scalar_order(other) {
                None => op == Op::Ne,
                Some(order) => match op {
                    Op::Eq => order.is_eq(),
                    Op::Ne => order.is_ne(),
                    Op::Lt => order.is_lt(),
                    Op::Le => order.is_le(),
                    Op::Gt => order.is_gt(),
                    _ => order.is_ge(),
                },
            },
        }
    }

    fn scalar_order(&self, other: &Val) -> Option<Ordering> {
        match (self, other) {
            (Val::Text(a), Val::Text(b)) => Some(a.cmp(b)),
            (Val::Bool(a), Val::Bool(b)) => Some(a.cmp(b)),
            (Val::Span(a), Val::Span(b)) => Some(a.cmp(b)),
            (Val::Shape(a), Val::Shape(b)) => (a == b).then_some(Ordering::Equal),
            _ => self.number()?.partial_cmp(&other.number()?),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Val::Null => 0,
            Val::Bool(_) => 1,
            Val::Num(_) => 2,
            Val::Span(_) => 3,
            Val::Time(_) | Val::Interval(..) => 4,
            Val::Text(_) => 5,
            Val::Shape(_) => 6,
            Val::Many(_) => 7,
        }
    }

    /// A total order for `$orderby`: nothing first, then by kind, then by value.
    pub fn order(&self, other: &Val) -> Ordering {
        match (self, other) {
            (Val::Num(a), Val::Num(b)) => a.total_cmp(b),
            (Val::Text(a), Val::Text(b)) => a.cmp(b),
            (Val::Bool(a), Val::Bool(b)) => a.cmp(b),
            (Val::Span(a), Val::Span(b)) => a.cmp(b),
            (Val::Many(a), Val::Many(b)) => match (a.first(), b.first()) {
                (Some(a), Some(b)) => a.order(b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            },
            _ if self.rank() == 4 && other.rank() == 4 => self.times().cmp(&other.times()),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}
