//! Instrument: laces what the library's parser read with calls to [`crate::native`], so that every
//! turn of a loop and every call of a function is a step that can end the evaluation, and what it
//! brings forth is measured. The value stays what it was.
//!
//! What is laced: bodies of `for`, `some`, `every`, filters and functions; entries of contexts;
//! sources of loops over several variables; arguments of `replace` and the delimiter of
//! `string join`. Quantifiers over several variables become nested ones, because the library goes
//! through all combinations even after the answer is known.

use crate::native::{BOUND, CAP, NOW, SOURCE, TODAY, TURN, VALUE};
use crate::tree::{children, every, rebuild};
use dsntk_feel_parser::AstNode as N;
use std::collections::BTreeSet;

/// Built-in functions whose cost grows faster than their input.
const COSTLY: [&str; 9] = [
    "distinct values",
    "union",
    "mode",
    "sort",
    "list replace",
    "replace",
    "string join",
    "split",
    "matches",
];

fn call(name: &str, arguments: Vec<N>) -> N {
    N::FunctionInvocation(
        Box::new(N::Name(name.into())),
        Box::new(N::PositionalParameters(arguments)),
    )
}

fn text(text: &str) -> N {
    N::String(text.to_owned())
}

/// A step first, then the value, measured.
fn laced(body: N) -> N {
    N::If(
        Box::new(call(TURN, vec![])),
        Box::new(call(VALUE, vec![body])),
        Box::new(N::Null),
    )
}

/// Laces a whole expression.
pub(crate) fn instrument(node: N) -> N {
    let node = match node {
        N::Some(contexts, satisfies) => nest(*contexts, *satisfies, &N::Some),
        N::Every(contexts, satisfies) => nest(*contexts, *satisfies, &N::Every),
        other => other,
    };
    match rebuild(node, &mut instrument) {
        N::EvaluatedExpression(body) => N::EvaluatedExpression(Box::new(laced(*body))),
        N::Satisfies(body) => N::Satisfies(Box::new(laced(*body))),
        N::FunctionBody(body, false) => N::FunctionBody(Box::new(laced(*body)), false),
        N::Filter(list, condition) => N::Filter(list, Box::new(laced(*condition))),
        N::ContextEntry(key, value) => N::ContextEntry(key, Box::new(call(VALUE, vec![*value]))),
        N::For(contexts, body) => N::For(Box::new(sources(*contexts)), body),
        N::FunctionInvocation(function, arguments) => {
            let arguments = Box::new(capped(&function, *arguments));
            N::FunctionInvocation(Box::new(of_the_clock(*function)), arguments)
        }
        other => other,
    }
}

/// `now()` and `today()` ask the city's clock, not the machine's.
fn of_the_clock(function: N) -> N {
    match &function {
        N::Name(name) if name.as_str() == "now" => N::Name(NOW.into()),
        N::Name(name) if name.as_str() == "today" => N::Name(TODAY.into()),
        _ => function,
    }
}

/// `some x in a, y in b satisfies c` as `some x in a satisfies some y in b satisfies c`.
fn nest(contexts: N, satisfies: N, quantifier: &dyn Fn(Box<N>, Box<N>) -> N) -> N {
    let N::QuantifiedContexts(mut contexts) = contexts else {
        return quantifier(Box::new(contexts), Box::new(satisfies));
    };
    let mut body = satisfies;
    while contexts.len() > 1
        && let Some(last) = contexts.pop()
    {
        let inner = quantifier(Box::new(N::QuantifiedContexts(vec![last])), Box::new(body));
        body = N::Satisfies(Box::new(inner));
    }
    quantifier(Box::new(N::QuantifiedContexts(contexts)), Box::new(body))
}

/// Bounds the combinations of a loop over several variables before it begins.
fn sources(contexts: N) -> N {
    let N::IterationContexts(all) = contexts else {
        return contexts;
    };
    if all.len() < 2 {
        return N::IterationContexts(all);
    }
    let mut bound = BTreeSet::new();
    let all = all.into_iter().enumerate().map(|(place, context)| {
        let first = if place == 0 { "first" } else { "next" };
        let variable = |node: &N| match node {
            N::Name(name) => Some(name.to_string()),
            _ => None,
        };
        let source = |mode: &str, value: N| call(SOURCE, vec![text(mode), text(first), value]);
        match context {
            N::IterationContextInterval(name, start, end) => {
                bound.extend(variable(&name));
                let start = Box::new(source("start", *start));
                N::IterationContextInterval(name, start, Box::new(source("end", *end)))
            }
            N::IterationContextSingle(name, value) => {
                let of_another = variable(&value).is_some_and(|name| bound.contains(&name));
                bound.extend(variable(&name));
                let value = match *value {
                    value if of_another => value,
                    N::Range(start, end) => match (*start, *end) {
                        (N::IntervalStart(start, a), N::IntervalEnd(end, b)) => {
                            let start = Box::new(source("start", *start));
                            let end = Box::new(source("end", *end));
                            N::Range(
                                Box::new(N::IntervalStart(start, a)),
                                Box::new(N::IntervalEnd(end, b)),
                            )
                        }
                        (start, end) => N::Range(Box::new(start), Box::new(end)),
                    },
                    value => source("list", value),
                };
                N::IterationContextSingle(name, Box::new(value))
            }
            other => other,
        }
    });
    N::IterationContexts(all.collect())
}

/// Bounds the arguments of functions whose result grows with a product of them.
fn capped(function: &N, arguments: N) -> N {
    let name = match function {
        N::Name(name) => name.to_string(),
        _ => return arguments,
    };
    let bound = |place: usize, parameter: Option<&str>| match name.as_str() {
        "replace" => parameter.is_none_or(|p| p != "flags") && place < 3,
        "string join" => parameter.map_or(place > 0, |p| p != "list"),
        _ => false,
    };
    let wrap = |value: N| call(if name == "replace" { CAP } else { BOUND }, vec![value]);
    match arguments {
        N::PositionalParameters(all) => N::PositionalParameters(
            all.into_iter()
                .enumerate()
                .map(|(place, value)| match bound(place, None) {
                    true => wrap(value),
                    false => value,
                })
                .collect(),
        ),
        N::NamedParameters(all) => N::NamedParameters(
            all.into_iter()
                .map(|parameter| match parameter {
                    N::NamedParameter(key, value) => {
                        let wanted = match &*key {
                            N::ParameterName(p) => bound(0, Some(p.as_str())),
                            _ => false,
                        };
                        let value = if wanted { wrap(*value) } else { *value };
                        N::NamedParameter(key, Box::new(value))
                    }
                    other => other,
                })
                .collect(),
        ),
        other => other,
    }
}

/// Does it neither loop nor call anything but cheap built-in functions? Then its cost is bounded by
/// its length and it may be evaluated where it is asked for.
pub(crate) fn plain(node: &N) -> bool {
    every(node).all(|node| match node {
        N::For(..) | N::Some(..) | N::Every(..) | N::Filter(..) | N::FunctionDefinition(..) => {
            false
        }
        N::FunctionInvocation(function, _) => match &**function {
            N::Name(name) => {
                let name = name.as_str();
                let built_in = name.parse::<dsntk_feel::bif::Bif>().is_ok();
                built_in && !COSTLY.contains(&name)
            }
            _ => false,
        },
        _ => true,
    })
}

/// Must it be laced before it is evaluated inside a model? Not when it can neither loop, grow, call
/// nor ask for the time.
pub(crate) fn harmless(node: &N) -> bool {
    plain(node)
        && !every(node).any(|node| match node {
            N::Context(_) => true,
            N::FunctionInvocation(function, _) => {
                matches!(&**function, N::Name(n) if ["now", "today"].contains(&n.as_str()))
            }
            _ => false,
        })
}

/// Does it define a function that another machine would carry out?
pub(crate) fn calls_outside(node: &N) -> bool {
    every(node).any(|node| matches!(node, N::FunctionBody(_, true)))
}

/// Names it asks for, without those it binds itself being told apart.
pub(crate) fn names(node: &N) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match node {
            N::Name(name) => {
                found.insert(name.to_string());
            }
            N::QualifiedName(segments) => {
                if let Some(N::QualifiedNameSegment(name)) = segments.first() {
                    found.insert(name.to_string());
                }
            }
            _ => open.extend(children(node)),
        }
    }
    found
}
