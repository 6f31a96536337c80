//! One policy: a grant of a roles file or a statement of a Cedar file, as Cedar evaluates it,
//! with where it is written, for what purpose and on which basis.

use crate::schema::Kinds;
use cedar_policy::pst::{BinaryOp, Clause, Expr, PolicyID, ResourceConstraint as PstResource};
use cedar_policy::pst::{Policy as PstPolicy, StaticPolicy, Template, UnaryOp, Var};
use cedar_policy::{
    ActionConstraint, Effect, EntityUid, Policy, PolicySet, PrincipalConstraint, ResourceConstraint,
};
use kernel::access::{Missing, Verb};
use kernel::facts::Shown;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Where a policy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A grant of a roles file.
    Role,
    /// A statement of a Cedar file.
    File,
    /// A grant for some time.
    Temporary,
    /// Access opened by breaking the glass.
    BreakGlass,
}

/// A policy.
pub(crate) struct Rule {
    pub(crate) number: usize,
    pub(crate) permits: bool,
    pub(crate) role: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) verbs: Vec<Verb>,
    pub(crate) kinds: Vec<usize>,
    pub(crate) purpose: String,
    pub(crate) basis: String,
    pub(crate) source: Source,
    /// File and line, or the grant's identification.
    pub(crate) at: String,
    /// As written.
    pub(crate) text: String,
    /// How personal fields are shown under it; `None` when it does not say.
    pub(crate) shown: Option<BTreeMap<String, Shown>>,
    /// The policy.
    pub(crate) whole: Policy,
    /// The policy without what it demands of the record: may it ever hold for this person?
    /// A prohibition of some records is none of the kind.
    pub(crate) of_kind: Option<Policy>,
    pub(crate) conditional: bool,
    pub(crate) asks: Asks,
    /// Each condition alone, with what to call it when it does not hold.
    pub(crate) clauses: Vec<(Missing, PolicySet)>,
    /// The policy and nothing else.
    pub(crate) alone: PolicySet,
}

/// What conditions ask about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asks {
    pub(crate) record: bool,
    pub(crate) context: bool,
    /// Fields of the record.
    pub(crate) fields: BTreeSet<String>,
    /// The fields as a whole.
    pub(crate) all_fields: bool,
}

impl Asks {
    pub(crate) fn add(&mut self, other: &Asks) {
        self.record |= other.record;
        self.context |= other.context;
        self.all_fields |= other.all_fields;
        self.fields.extend(other.fields.iter().cloned());
    }

    fn of(clause: &Clause) -> Asks {
        let mut asks = Asks::default();
        match clause {
            Clause::When(expr) | Clause::Unless(expr) => asks.walk(expr),
        }
        asks
    }

    fn walk(&mut self, expr: &Expr) {
        match expr {
            Expr::Var(Var::Resource) => self.record = true,
            Expr::Var(Var::Context) => self.context = true,
            Expr::GetAttr { expr, attr } if is_fields(expr) => {
                self.record = true;
                self.fields.insert(attr.to_string());
            }
            Expr::HasAttr { expr, attrs } if is_fields(expr) => {
                self.record = true;
                self.fields.insert(attrs.head.to_string());
            }
            Expr::HasAttr { expr, attrs } if is_resource(expr) && attrs.head == "fields" => {
                self.record = true;
                self.fields
                    .extend(attrs.tail.first().map(|a| a.to_string()));
            }
            whole if is_fields(whole) => {
                self.record = true;
                self.all_fields = true;
            }
            Expr::GetAttr { expr, .. } | Expr::HasAttr { expr, .. } => self.walk(expr),
            Expr::UnaryOp { expr, .. } | Expr::Like { expr, .. } => self.walk(expr),
            Expr::Is { expr, in_expr, .. } => {
                self.walk(expr);
                in_expr.iter().for_each(|e| self.walk(e));
            }
            Expr::BinaryOp { left, right, .. } => {
                self.walk(left);
                self.walk(right);
            }
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => [cond, then_expr, else_expr]
                .iter()
                .for_each(|e| self.walk(e)),
            Expr::Set(items) => items.iter().for_each(|e| self.walk(e)),
            Expr::Record(items) => items.values().for_each(|e| self.walk(e)),
            Expr::Literal(_) | Expr::Var(_) => {}
            // What this edition does not know may ask anything.
            _ => {
                self.record = true;
                self.context = true;
                self.all_fields = true;
            }
        }
    }
}

pub(crate) fn is_resource(expr: &Expr) -> bool {
    matches!(expr, Expr::Var(Var::Resource))
}

/// `resource.fields`
pub(crate) fn is_fields(expr: &Expr) -> bool {
    matches!(expr, Expr::GetAttr { expr, attr } if attr == "fields" && is_resource(expr))
}

/// What a grant or a file says besides the policy itself.
pub(crate) struct Said {
    pub(crate) source: Source,
    pub(crate) at: String,
    pub(crate) text: String,
    pub(crate) shown: Option<BTreeMap<String, Shown>>,
    /// Names of the conditions, in order; those of a file are named by its line.
    pub(crate) missing: Vec<Missing>,
}

/// The policy of a number.
pub(crate) fn id_of(number: usize) -> PolicyID {
    PolicyID(format!("r{number}").into())
}

/// The number in an identification.
pub(crate) fn number_of(id: &cedar_policy::PolicyId) -> Option<usize> {
    let id: &str = id.as_ref();
    id.strip_prefix('r')?.parse().ok()
}

fn with_clauses(template: &Template, clauses: Vec<Clause>) -> Option<Policy> {
    let template = template.clone().try_with_clauses(clauses).ok()?;
    let fixed = StaticPolicy::try_from(template).ok()?;
    Policy::from_pst(PstPolicy::Static(fixed)).ok()
}

/// A set of one, made once: making one costs more than asking it.
fn set_of(policy: &Policy) -> Option<PolicySet> {
    PolicySet::from_policies([policy.clone()]).ok()
}

impl Rule {
    /// Prepares a policy; `None` for a template.
    pub(crate) fn of(kinds: &Kinds, number: usize, policy: &Policy, said: Said) -> Option<Rule> {
        let PstPolicy::Static(body) = policy.to_pst().ok()? else {
            return None;
        };
        let template = body.body().clone().with_id(id_of(number));
        let whole = with_clauses(&template, template.clauses().clone())?;
        let one_record = !matches!(
            policy.resource_constraint(),
            ResourceConstraint::Any | ResourceConstraint::Is(_)
        );
        let (clauses, mut asks) = (template.clauses().clone(), Asks::default());
        let (mut kept, mut alone) = (vec![], vec![]);
        let mut free = template.clone();
        free.resource = PstResource::Any;
        for (position, clause) in clauses.into_iter().enumerate() {
            let asked = Asks::of(&clause);
            if !asked.record {
                kept.push(clause.clone());
            }
            asks.add(&asked);
            let named = said.missing.get(position).cloned();
            let named = named.unwrap_or_else(|| Missing::Condition(said.at.clone()));
            alone.push((named, set_of(&with_clauses(&free, vec![clause])?)?));
        }
        asks.record |= one_record;
        let permits = policy.effect() == Effect::Permit;
        let of_kind = if permits || !asks.record {
            Some(with_clauses(&free, kept)?)
        } else {
            None
        };
        let annotation = |name: &str| policy.annotation(name).unwrap_or_default().to_string();
        let (role, account) = holder(&policy.principal_constraint());
        Some(Rule {
            number,
            permits,
            role,
            account,
            verbs: verbs(&policy.action_constraint()),
            kinds: kinds_of(kinds, &policy.resource_constraint()),
            purpose: annotation("purpose"),
            basis: annotation("basis"),
            source: said.source,
            at: said.at,
            text: said.text,
            shown: said.shown,
            conditional: policy.has_non_scope_constraint() || one_record,
            asks,
            alone: set_of(&whole)?,
            whole,
            of_kind,
            clauses: alone,
        })
    }

    /// How a personal field is shown under this policy.
    pub(crate) fn shows(&self, field: &str) -> Shown {
        let Some(shown) = &self.shown else {
            return Shown::Masked;
        };
        let named = shown.get(field).or_else(|| shown.get("*"));
        named.copied().unwrap_or_default()
    }

    /// Does it speak of somebody with these roles?
    pub(crate) fn speaks_of(&self, account: &str, roles: &[String]) -> bool {
        self.role.as_ref().is_none_or(|role| roles.contains(role))
            && self.account.as_deref().is_none_or(|name| name == account)
    }
}

fn holder(constraint: &PrincipalConstraint) -> (Option<String>, Option<String>) {
    let name = |uid: &EntityUid| {
        let id: &str = uid.id().as_ref();
        id.to_string()
    };
    match constraint {
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => (None, None),
        PrincipalConstraint::In(uid) | PrincipalConstraint::IsIn(_, uid)
            if uid.type_name().basename() == "Role" =>
        {
            (Some(name(uid)), None)
        }
        PrincipalConstraint::In(uid)
        | PrincipalConstraint::IsIn(_, uid)
        | PrincipalConstraint::Eq(uid) => (None, Some(name(uid))),
    }
}

fn verbs(constraint: &ActionConstraint) -> Vec<Verb> {
    let verb = |uid: &EntityUid| {
        let id: &str = uid.id().as_ref();
        Verb::parse(id)
    };
    match constraint {
        ActionConstraint::Any => Verb::ALL.to_vec(),
        ActionConstraint::In(list) => list.iter().filter_map(verb).collect(),
        ActionConstraint::Eq(one) => verb(one).into_iter().collect(),
    }
}

fn kinds_of(kinds: &Kinds, constraint: &ResourceConstraint) -> Vec<usize> {
    match constraint {
        ResourceConstraint::Any => (0..kinds.all.len()).collect(),
        ResourceConstraint::Is(name) | ResourceConstraint::IsIn(name, _) => {
            kinds.named(name).into_iter().collect()
        }
        ResourceConstraint::In(uid) | ResourceConstraint::Eq(uid) => {
            kinds.named(uid.type_name()).into_iter().collect()
        }
    }
}

/// `!expr`, as conditions left over are negated.
pub(crate) fn negated(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::UnaryOp {
            op: UnaryOp::Not,
            expr,
        } => Some(expr),
        _ => None,
    }
}

/// The two sides of an operator.
pub(crate) fn sides(expr: &Expr) -> Option<(BinaryOp, &Expr, &Expr)> {
    match expr {
        Expr::BinaryOp { op, left, right } => Some((*op, left, right)),
        _ => None,
    }
}
