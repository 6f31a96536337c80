//! `$filter` and `$orderby` (clause 9.3.3): an expression, the values it works on, how text is
//! read into it and how it is judged for an entity.

mod eval;
mod functions;
mod geo;
mod parse;
mod value;

pub use parse::parse;
pub use value::Val;

use crate::Refusal;
use crate::model::Set;

/// Deepest nesting of parentheses, functions and signs.
pub const MAX_DEPTH: usize = 64;

/// A comparison or an arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A literal.
    Literal(Val),
    /// A property path.
    Path(Vec<String>),
    /// All of these.
    And(Vec<Expr>),
    /// Any of these.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// Minus this.
    Minus(Box<Expr>),
    /// Two sides and what is between them.
    Pair(Op, Box<Expr>, Box<Expr>),
    /// A function of the list in `functions`.
    Call(String, Vec<Expr>),
}

impl Expr {
    /// Refuses paths that lead nowhere from `set`.
    pub fn check(&self, set: Set) -> Result<(), Refusal> {
        match self {
            Expr::Literal(_) => Ok(()),
            Expr::Path(path) => set.check_path(path),
            Expr::And(parts) | Expr::Or(parts) | Expr::Call(_, parts) => {
                parts.iter().try_for_each(|p| p.check(set))
            }
            Expr::Not(inner) | Expr::Minus(inner) => inner.check(set),
            Expr::Pair(_, left, right) => left.check(set).and(right.check(set)),
        }
    }

    /// Whether it has a path in it, that is, depends on the entity.
    pub fn is_constant(&self) -> bool {
        match self {
            Expr::Literal(_) => true,
            Expr::Path(_) => false,
            Expr::And(parts) | Expr::Or(parts) | Expr::Call(_, parts) => {
                parts.iter().all(Expr::is_constant)
            }
            Expr::Not(inner) | Expr::Minus(inner) => inner.is_constant(),
            Expr::Pair(_, left, right) => left.is_constant() && right.is_constant(),
        }
    }
}
