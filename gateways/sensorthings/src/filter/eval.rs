//! Judges an expression for an entity.

use super::{Expr, Op, Val, functions};
use crate::fields;
use crate::list;
use crate::model::{Entity, Source};
use crate::view::View;
use kernel::Time;

impl Expr {
    /// Whether the condition holds for the entity.
    pub fn holds(&self, view: &View<'_>, entity: &Entity) -> bool {
        self.value(view, Some(entity)).is_true()
    }

    /// The value for an entity; without one, paths give nothing.
    pub fn value(&self, view: &View<'_>, entity: Option<&Entity>) -> Val {
        match self {
            Expr::Literal(value) => value.clone(),
            Expr::Path(path) => entity.map_or(Val::Null, |e| walk(view, e, path)),
            Expr::And(parts) => Val::Bool(parts.iter().all(|p| p.value(view, entity).is_true())),
            Expr::Or(parts) => Val::Bool(parts.iter().any(|p| p.value(view, entity).is_true())),
            Expr::Not(inner) => Val::Bool(!inner.value(view, entity).is_true()),
            Expr::Minus(inner) => each(&inner.value(view, entity), &|v| match v {
                Val::Span(micros) => Val::Span(-micros),
                other => other.number().map_or(Val::Null, |n| Val::Num(-n)),
            }),
            Expr::Pair(op, left, right) => {
                let (left, right) = (left.value(view, entity), right.value(view, entity));
                each(&left, &|l| each(&right, &|r| pair(*op, l, r)))
            }
            Expr::Call(name, arguments) => {
                let mut values: Vec<Val> =
                    arguments.iter().map(|a| a.value(view, entity)).collect();
                let now = view.city.clock.now();
                // At most one argument is ever many: the path; the others are literals.
                let Some(many) = values.iter().position(|v| matches!(v, Val::Many(_))) else {
                    return functions::call(name, &values, now);
                };
                let several = std::mem::replace(&mut values[many], Val::Null);
                each(&several, &|one| {
                    let mut values = values.clone();
                    values[many] = one.clone();
                    functions::call(name, &values, now)
                })
            }
        }
    }
}

/// Applies `f` to a value, or to each of several.
fn each(value: &Val, f: &dyn Fn(&Val) -> Val) -> Val {
    match value {
        Val::Many(values) => Val::Many(values.iter().map(|v| each(v, f)).collect()),
        one => f(one),
    }
}

fn pair(op: Op, left: &Val, right: &Val) -> Val {
    match op {
        Op::Eq | Op::Ne | Op::Gt | Op::Ge | Op::Lt | Op::Le => Val::Bool(left.compare(op, right)),
        Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Mod => arithmetic(op, left, right),
    }
}

fn arithmetic(op: Op, left: &Val, right: &Val) -> Val {
    match (op, left, right) {
        (Op::Add, Val::Time(t), Val::Span(s)) | (Op::Add, Val::Span(s), Val::Time(t)) => {
            Val::Time(Time(t.0.saturating_add(*s)))
        }
        (Op::Sub, Val::Time(t), Val::Span(s)) => Val::Time(Time(t.0.saturating_sub(*s))),
        (Op::Sub, Val::Time(a), Val::Time(b)) => Val::Span(a.0.saturating_sub(b.0)),
        (Op::Add, Val::Span(a), Val::Span(b)) => Val::Span(a.saturating_add(*b)),
        (Op::Sub, Val::Span(a), Val::Span(b)) => Val::Span(a.saturating_sub(*b)),
        _ => {
            let (Some(a), Some(b)) = (left.number(), right.number()) else {
                return Val::Null;
            };
            let number = match op {
                Op::Add => a + b,
                Op::Sub => a - b,
                Op::Mul => a * b,
                Op::Div => a / b,
                _ => a % b,
            };
            if number.is_finite() {
                Val::Num(number)
            } else {
                Val::Null
            }
        }
    }
}

fn walk(view: &View<'_>, entity: &Entity, path: &[String]) -> Val {
    let Some((head, rest)) = path.split_first() else {
        return Val::Null;
    };
    if let Some(link) = entity.set().link(head) {
        let source = Source::linked(entity, link);
        let related = list::entities(view, &source, None);
        let mut values: Vec<Val> = related.map(|e| walk(view, &e, rest)).collect();
        return match (link.one, values.pop()) {
            (true, Some(value)) => value,
            (true, None) => Val::Null,
            (false, last) => {
                values.extend(last);
                Val::Many(values)
            }
        };
    }
    // The hot ones: millions of observations are judged by time and result.
    match (entity, head.as_str()) {
        (Entity::Observation(_, point), "result") => return Val::Num(point.value),
        (Entity::Observation(_, point), "phenomenonTime" | "resultTime") => {
            return Val::Time(point.time);
        }
        (Entity::Datastream(series), "phenomenonTime" | "resultTime") => {
            let (from, to) = fields::extent(series);
            return Val::Interval(from, to);
        }
        _ => {}
    }
    let value = view.value(entity, head);
    let inner = rest
        .iter()
        .try_fold(&value, |value, key| match key.parse::<usize>() {
            Ok(index) if value.is_array() => value.get(index),
            _ => value.get(key),
        });
    inner.map_or(Val::Null, Val::from_json)
}
