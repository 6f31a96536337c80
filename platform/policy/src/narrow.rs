//! Narrowing a list: what is left of the policies when everything about the person is known and
//! the record is not (type-aware partial evaluation) becomes a condition on the record's
//! attributes, which registers put into their query. What cannot be said as such a condition is
//! said to be so, and each record is asked about.

use crate::book::Book;
use crate::rule::{is_fields, is_resource, negated, sides};
use crate::schema::Kind;
use crate::who;
use cedar_policy::pst::{BinaryOp, Clause, Expr, Literal, Policy as PstPolicy};
use cedar_policy::{
    PartialEntities, PartialEntityUid, PartialRequest, Policy, RestrictedExpression,
};
use kernel::Time;
use kernel::access::{Actor, Verb};
use kernel::declare::FieldKind;
use kernel::facts::{Attribute, Filter, Narrowing, Scalar};
use serde_json::Value;

/// The value of a field as policies compare it: times as microseconds, numbers with a fraction
/// not at all.
pub(crate) fn scalar(kind: &FieldKind, value: &Value) -> Option<Scalar> {
    match (kind, Scalar::of(value)?) {
        (FieldKind::Time, Scalar::Text(text)) => Some(Scalar::Whole(Time::parse(&text)?.0)),
        (FieldKind::Integer | FieldKind::Time, whole @ Scalar::Whole(_)) => Some(whole),
        (FieldKind::Boolean, truth @ Scalar::Truth(_)) => Some(truth),
        (FieldKind::Integer | FieldKind::Boolean | FieldKind::Number | FieldKind::Time, _) => None,
        (_, text @ Scalar::Text(_)) => Some(text),
        _ => None,
    }
}

/// As a value of Cedar.
pub(crate) fn value(scalar: Scalar) -> RestrictedExpression {
    match scalar {
        Scalar::Text(text) => RestrictedExpression::new_string(text),
        Scalar::Whole(whole) => RestrictedExpression::new_long(whole),
        Scalar::Truth(truth) => RestrictedExpression::new_bool(truth),
    }
}

impl Book {
    /// To which records of the kind the person may do this.
    pub(crate) fn filter(&self, actor: &Actor, verb: Verb, object: &str, now: Time) -> Filter {
        let Some(number) = self.kinds.number(object) else {
            return Filter::Nothing;
        };
        let candidates = self.candidates(actor, verb, number);
        if candidates.permits.is_empty() {
            return Filter::Nothing;
        }
        let free = |n: &usize| !self.rules[*n].conditional;
        if candidates.forbids.is_empty() && candidates.permits.iter().any(free) {
            return Filter::Everything;
        }
        let kind = &self.kinds.all[number];
        if !kind.scoped {
            let allowed = self
                .answer(actor, verb, object, None, now)
                .decision
                .allowed();
            return if allowed {
                Filter::Everything
            } else {
                Filter::Nothing
            };
        }
        self.partial(actor, verb, kind, &candidates.whole, now)
            .unwrap_or(Filter::Ask)
    }

    /// Evaluates the policies with everything known but the record; `None` when what is left
    /// cannot be said as a condition.
    fn partial(
        &self,
        actor: &Actor,
        verb: Verb,
        kind: &Kind,
        set: &cedar_policy::PolicySet,
        now: Time,
    ) -> Option<Filter> {
        let schema = &self.kinds.schema;
        let principal = self.principals.of(actor, &kind.object);
        let request = PartialRequest::new(
            PartialEntityUid::from_concrete(principal.uid.clone()),
            self.kinds.action(verb),
            PartialEntityUid::new(kind.name.clone(), None),
            Some(who::context(actor, now)),
            schema,
        );
        let entities = PartialEntities::from_concrete(principal.alone.clone(), schema);
        let (request, entities) = (request.ok()?, entities.ok()?);
        let response = set.tpe(&request, &entities, schema).ok()?;
        if response.true_forbids().next().is_some() || response.error_forbids().next().is_some() {
            return Some(Filter::Nothing);
        }
        let (mut permitting, mut forbidding) = (vec![], vec![]);
        let all = response.true_permits().next().is_some();
        for left in response.residual_policies() {
            let condition = condition(kind, &left)?;
            match left.effect() {
                cedar_policy::Effect::Permit => permitting.push(condition),
                cedar_policy::Effect::Forbid => forbidding.push(condition),
            }
        }
        let permitted = match (all, permitting.len()) {
            (true, _) => None,
            (false, 0) => return Some(Filter::Nothing),
            (false, 1) => permitting.pop(),
            (false, _) => Some(Narrowing::Any(permitting)),
        };
        let mut parts: Vec<Narrowing> = permitted.into_iter().collect();
        for forbidden in forbidding {
            // Where what a prohibition asks about is absent it cannot be evaluated, and holds.
            parts.extend(required(kind, &forbidden));
            parts.push(Narrowing::Not(Box::new(forbidden)));
        }
        Some(match parts.len() {
            0 => Filter::Everything,
            1 => Filter::Where(parts.remove(0)),
            _ => Filter::Where(Narrowing::All(parts)),
        })
    }
}

/// The fields that every record must have, of those a condition asks about.
fn required(kind: &Kind, condition: &Narrowing) -> Vec<Narrowing> {
    let mut attributes = vec![];
    gather(condition, &mut attributes);
    attributes.sort();
    attributes.dedup();
    let needed = |attribute: &Attribute| match attribute {
        Attribute::Field(name) => {
            let register = kind.register.as_ref();
            register
                .and_then(|r| r.field(name))
                .is_some_and(|f| f.required)
        }
        _ => false,
    };
    attributes
        .into_iter()
        .filter(needed)
        .map(Narrowing::Has)
        .collect()
}

fn gather(condition: &Narrowing, found: &mut Vec<Attribute>) {
    match condition {
        Narrowing::All(parts) | Narrowing::Any(parts) => {
            parts.iter().for_each(|p| gather(p, found))
        }
        Narrowing::Not(part) => gather(part, found),
        Narrowing::Has(attribute)
        | Narrowing::OneOf(attribute, _)
        | Narrowing::Below(attribute, _)
        | Narrowing::AtMost(attribute, _) => found.push(attribute.clone()),
    }
}

/// What is left of a policy, as a condition.
fn condition(kind: &Kind, policy: &Policy) -> Option<Narrowing> {
    let PstPolicy::Static(body) = policy.to_pst().ok()? else {
        return None;
    };
    let mut parts = vec![];
    for clause in body.body().clauses() {
        parts.push(match clause {
            Clause::When(expr) => read(kind, expr)?,
            Clause::Unless(expr) => Narrowing::Not(Box::new(read(kind, expr)?)),
        });
    }
    Some(if parts.len() == 1 {
        parts.remove(0)
    } else {
        Narrowing::All(parts)
    })
}

fn read(kind: &Kind, expr: &Expr) -> Option<Narrowing> {
    if let Some(inner) = negated(expr) {
        return Some(Narrowing::Not(Box::new(read(kind, inner)?)));
    }
    match expr {
        Expr::Literal(Literal::Bool(true)) => Some(Narrowing::All(vec![])),
        Expr::Literal(Literal::Bool(false)) => Some(Narrowing::Any(vec![])),
        Expr::GetAttr { .. } => Some(Narrowing::OneOf(
            attribute(expr)?,
            vec![Scalar::Truth(true)],
        )),
        Expr::HasAttr { expr, attrs } => {
            has(expr, &attrs.iter().map(|a| a.as_str()).collect::<Vec<_>>())
        }
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => {
            let test = read(kind, cond)?;
            let no = Narrowing::Not(Box::new(test.clone()));
            let then = Narrowing::All(vec![test, read(kind, then_expr)?]);
            let otherwise = Narrowing::All(vec![no, read(kind, else_expr)?]);
            Some(Narrowing::Any(vec![then, otherwise]))
        }
        _ => {
            let (op, left, right) = sides(expr)?;
            operator(kind, op, left, right)
        }
    }
}

fn operator(kind: &Kind, op: BinaryOp, left: &Expr, right: &Expr) -> Option<Narrowing> {
    let not = |part: Narrowing| Narrowing::Not(Box::new(part));
    match op {
        BinaryOp::And => Some(Narrowing::All(vec![read(kind, left)?, read(kind, right)?])),
        BinaryOp::Or => Some(Narrowing::Any(vec![read(kind, left)?, read(kind, right)?])),
        BinaryOp::Eq => equal(kind, left, right),
        BinaryOp::NotEq => Some(not(equal(kind, left, right)?)),
        BinaryOp::In if is_resource(left) => equal(kind, left, right),
        BinaryOp::Contains => {
            let Expr::Set(items) = left else { return None };
            let items: Option<Vec<Scalar>> = items.iter().map(|item| literal(item)).collect();
            Some(Narrowing::OneOf(attribute(right)?, items?))
        }
        BinaryOp::Less => below(left, right, false),
        BinaryOp::LessEq => below(left, right, true),
        BinaryOp::Greater => below(right, left, false),
        BinaryOp::GreaterEq => below(right, left, true),
        _ => None,
    }
}

/// `left < right`, or `left <= right`.
fn below(left: &Expr, right: &Expr, or_equal: bool) -> Option<Narrowing> {
    if let (Some(attribute), Some(Scalar::Whole(than))) = (attribute(left), literal(right)) {
        return Some(match or_equal {
            true => Narrowing::AtMost(attribute, than),
            false => Narrowing::Below(attribute, than),
        });
    }
    // than < attribute: it is there and not at most that.
    let (Scalar::Whole(than), attribute) = (literal(left)?, attribute(right)?) else {
        return None;
    };
    let not = match or_equal {
        true => Narrowing::Below(attribute.clone(), than),
        false => Narrowing::AtMost(attribute.clone(), than),
    };
    Some(Narrowing::All(vec![
        Narrowing::Has(attribute),
        Narrowing::Not(Box::new(not)),
    ]))
}

fn equal(kind: &Kind, left: &Expr, right: &Expr) -> Option<Narrowing> {
    for (one, other) in [(left, right), (right, left)] {
        if let (true, Expr::Literal(Literal::EntityUID(uid))) = (is_resource(one), other) {
            let same = uid.ty.to_string() == kind.name.to_string();
            let keys = if same {
                vec![Scalar::Text(uid.eid.to_string())]
            } else {
                vec![]
            };
            return Some(Narrowing::OneOf(Attribute::Key, keys));
        }
        if let (Some(attribute), Some(value)) = (attribute(one), literal(other)) {
            return Some(Narrowing::OneOf(attribute, vec![value]));
        }
    }
    None
}

fn literal(expr: &Expr) -> Option<Scalar> {
    match expr {
        Expr::Literal(Literal::Bool(truth)) => Some(Scalar::Truth(*truth)),
        Expr::Literal(Literal::Long(whole)) => Some(Scalar::Whole(*whole)),
        Expr::Literal(Literal::String(text)) => Some(Scalar::Text(text.to_string())),
        _ => None,
    }
}

/// `resource.owner`, `resource.fields.district`, …
fn attribute(expr: &Expr) -> Option<Attribute> {
    let Expr::GetAttr { expr, attr } = expr else {
        return None;
    };
    if is_fields(expr) {
        return Some(Attribute::Field(attr.to_string()));
    }
    if is_resource(expr) { known(attr) } else { None }
}

fn known(name: &str) -> Option<Attribute> {
    match name {
        "key" => Some(Attribute::Key),
        "owner" => Some(Attribute::Owner),
        "district" => Some(Attribute::District),
        "person" => Some(Attribute::Person),
        "handler" => Some(Attribute::Handler),
        _ => None,
    }
}

fn has(expr: &Expr, attrs: &[&str]) -> Option<Narrowing> {
    match attrs {
        [name] if is_fields(expr) => Some(Narrowing::Has(Attribute::Field(name.to_string()))),
        ["fields"] if is_resource(expr) => Some(Narrowing::All(vec![])),
        ["fields", name] if is_resource(expr) => {
            Some(Narrowing::Has(Attribute::Field(name.to_string())))
        }
        [name] if is_resource(expr) => Some(Narrowing::Has(known(name)?)),
        _ => None,
    }
}
