//! Feel: expressions read once and evaluated often, and conditions.

use crate::limits::{
    DEPTH_LIMIT, EXPRESSIONS_KEPT, INLINE_DEPTH_LIMIT, INLINE_STACK_LIMIT, STACK_LIMIT, TEXT_LIMIT,
};
use crate::pool::Pool;
use crate::run::{self, Run};
use crate::values::{self, Reader};
use crate::{instrument, native, position, tree, words};
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as Feel;
use dsntk_feel::{Evaluator, FeelScope, Name};
use dsntk_feel_parser::AstNode;
use kernel::decisions::{Answer, Condition, Expression, Expressions};
use kernel::fault::{Fault, Problem, Words};
use kernel::{Clock, Time};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// How a text is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// Grammar rule 1: an expression.
    Expression,
    /// Grammar rule 15: unary tests, the cells of a table.
    Tests,
}

/// Why a text is not taken: where in it (line, column), in both languages.
pub(crate) struct Wrong {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) words: Words,
}

impl Wrong {
    pub(crate) fn at(
        (line, column): (usize, usize),
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Wrong {
        Wrong {
            line,
            column,
            words: Words::new(zh, en),
        }
    }
}

/// What is wrong with a text before it is read at all: too long, too deep, our own names, control
/// characters. Cheap, and safe for any text.
pub(crate) fn outward(text: &str) -> Result<(), Wrong> {
    if text.len() > TEXT_LIMIT {
        return Err(Wrong::at(
            (1, 1),
            format!("表达式过长：最多 {TEXT_LIMIT} 个字符"),
            format!("the expression is too long: at most {TEXT_LIMIT} characters"),
        ));
    }
    if let Some(place) = text.find(native::PREFIX) {
        return Err(Wrong::at(
            position::of(text, place),
            format!("名称不得以 {} 开头", native::PREFIX),
            format!("no name may begin with {}", native::PREFIX),
        ));
    }
    if let Some(place) = position::too_deep(text, DEPTH_LIMIT) {
        return Err(too_deep(position::of(text, place)));
    }
    Ok(())
}

fn too_deep(place: (usize, usize)) -> Wrong {
    Wrong::at(
        place,
        format!("表达式嵌套过深：最多 {DEPTH_LIMIT} 层"),
        format!("the expression nests too deep: at most {DEPTH_LIMIT} levels"),
    )
}

/// Reads a text as the library does. May panic where the library does: call it within
/// [`run::under`].
pub(crate) fn parse(grammar: Grammar, scope: &FeelScope, text: &str) -> Option<AstNode> {
    match grammar {
        Grammar::Expression => dsntk_feel_parser::parse_expression(scope, text, false).ok(),
        Grammar::Tests => dsntk_feel_parser::parse_unary_tests(scope, text, false).ok(),
    }
}

/// Reads a text and says what is wrong with it and where.
pub(crate) fn read(grammar: Grammar, scope: &FeelScope, text: &str) -> Result<AstNode, Wrong> {
    outward(text)?;
    let Some(node) = parse(grammar, scope, text) else {
        return Err(position::explain(grammar, scope, text));
    };
    if tree::depth(&node) > DEPTH_LIMIT {
        return Err(too_deep((1, 1)));
    }
    if instrument::calls_outside(&node) {
        let place = text.find("external").unwrap_or(0);
        return Err(Wrong::at(
            position::of(text, place),
            "不允许外部函数：它会调用另一台机器",
            "external functions are refused: they would call another machine",
        ));
    }
    Ok(node)
}

/// A scope in which these names are known.
pub(crate) fn scope_of<'a>(names: impl Iterator<Item = &'a str>) -> FeelScope {
    let mut context = FeelContext::default();
    for name in names {
        context.set_null(values::name(name));
    }
    context.into()
}

/// An expression that was read.
pub(crate) struct Compiled {
    text: String,
    evaluator: Evaluator,
    /// Names it asks for, and the keys of the context they may stand under.
    names: Vec<(Name, String)>,
    plain: bool,
    pool: Arc<Pool>,
    clock: Arc<dyn Clock>,
}

/// The part of an expression that evaluates; shared with the threads of the pool.
struct Shared(Arc<Compiled>);

impl Compiled {
    /// Reads a text. `names` are keys of the contexts to come.
    pub(crate) fn read(
        text: &str,
        names: &[&str],
        pool: &Arc<Pool>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<Compiled>, Fault> {
        // Modellers mark a FEEL expression with a leading equals sign.
        let bare = text.trim_start();
        let bare = bare.strip_prefix('=').unwrap_or(bare);
        let skipped = text.len() - bare.len();
        let wrong = |wrong: Wrong| {
            let (line, column) = position::shift(text, skipped, (wrong.line, wrong.column));
            Fault::invalid(vec![Problem {
                at: format!("{line}:{column}"),
                words: wrong.words,
            }])
        };
        outward(bare).map_err(wrong)?;
        if bare.trim().is_empty() {
            let empty = Wrong::at((1, 1), "表达式是空的", "the expression is empty");
            return Err(wrong(empty));
        }
        let (owned, known) = (bare.to_owned(), names.iter().map(|n| (*n).to_owned()));
        let known: Vec<String> = known.chain(words::names(bare)).collect();
        let now = clock.now();
        let read_it = move || {
            let run = Run::new(now, STACK_LIMIT);
            let scope = scope_of(known.iter().map(String::as_str));
            let act = || {
                let node = read(Grammar::Expression, &scope, &owned)?;
                let depth = tree::depth(&node);
                let plain = instrument::plain(&node) && depth <= INLINE_DEPTH_LIMIT;
                let names = instrument::names(&node);
                let evaluator = dsntk_feel_evaluator::prepare(&instrument::instrument(node));
                Ok((evaluator, names, plain))
            };
            run::under(run, act).map(|(outcome, _)| outcome)
        };
        // A short flat text is read at once: its tree cannot be deep.
        let outcome = match bare.len() <= 200 {
            true => read_it()?,
            false => pool.run(read_it)?,
        };
        let (evaluator, asked, plain) = outcome.map_err(wrong)?;
        let keys: HashMap<String, &str> = names
            .iter()
            .map(|key| (values::name(key).to_string(), *key))
            .collect();
        let names = asked.into_iter().map(|name| {
            let key = keys
                .get(&name)
                .map_or(name.clone(), |key| (*key).to_owned());
            (name.as_str().into(), key)
        });
        Ok(Arc::new(Compiled {
            text: text.to_owned(),
            names: names.collect(),
            evaluator,
            plain,
            pool: pool.clone(),
            clock: clock.clone(),
        }))
    }

    fn value(self: &Arc<Self>, context: &Map<String, Value>) -> Result<Feel, Fault> {
        let mut reader = Reader::default();
        let mut scope = native::context();
        for (name, key) in &self.names {
            if let Some(value) = context.get(key) {
                let at = format!("/{}", values::pointer(key));
                let value = reader.value(&at, value, 0);
                scope.set_entry(name, value);
            }
        }
        reader.finish()?;
        let now = self.clock.now();
        if self.plain {
            return self.evaluate_here(scope, now, INLINE_STACK_LIMIT);
        }
        let shared = Shared(self.clone());
        self.pool
            .run(move || shared.0.evaluate_here(scope, now, STACK_LIMIT))
    }

    fn evaluate_here(&self, context: FeelContext, now: Time, stack: usize) -> Result<Feel, Fault> {
        let run = Run::new(now, stack);
        let (value, _) = run::under(run, || (self.evaluator)(&context.into()))?;
        Ok(value)
    }
}

/// What callers hold.
struct Handle(Arc<Compiled>);

impl Expression for Handle {
    fn text(&self) -> &str {
        &self.0.text
    }

    fn evaluate(&self, context: &Map<String, Value>) -> Result<Answer, Fault> {
        let value = self.0.value(context)?;
        Ok(Answer {
            value: values::to_json(&value)?,
            why_null: values::why_null(&value),
        })
    }

    fn condition(&self, context: &Map<String, Value>) -> Result<Condition, Fault> {
        let value = self.0.value(context)?;
        let reason = match &value {
            Feel::Boolean(_) => None,
            Feel::Null(why) => {
                let why = why.as_deref().unwrap_or("null");
                let why: String = why.chars().take(300).collect();
                Some(Words::new(
                    format!("条件的值为 null，按不成立处理：{why}"),
                    format!("the condition came to null and does not hold: {why}"),
                ))
            }
            other => {
                let what = other.type_of();
                Some(Words::new(
                    format!("条件的值是 {what}，不是真或假，按不成立处理"),
                    format!("the condition came to {what}, no truth value, and does not hold"),
                ))
            }
        };
        Ok(Condition {
            holds: value.is_true(),
            reason,
        })
    }
}

/// Texts with the names known when they were read, and what was read.
type Kept = HashMap<(String, BTreeSet<String>), Arc<Compiled>>;

/// Reads and evaluates FEEL. Cheap to clone.
#[derive(Clone)]
pub struct FeelExpressions {
    pool: Arc<Pool>,
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<Kept>>,
}

impl FeelExpressions {
    pub(crate) fn new(pool: Arc<Pool>, clock: Arc<dyn Clock>) -> FeelExpressions {
        FeelExpressions {
            pool,
            clock,
            kept: Arc::default(),
        }
    }

    fn kept(&self, text: &str, context: &Map<String, Value>) -> Result<Arc<Compiled>, Fault> {
        // Only names that may stand in the text change how it is read.
        let first = |key: &str| -> String {
            key.trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric())
                .collect()
        };
        let known: BTreeSet<String> = context
            .keys()
            .filter(|key| text.contains(&first(key)))
            .cloned()
            .collect();
        let key = (text.to_owned(), known);
        if let Some(compiled) = self.kept.lock().get(&key) {
            return Ok(compiled.clone());
        }
        let names: Vec<&str> = key.1.iter().map(String::as_str).collect();
        let compiled = Compiled::read(text, &names, &self.pool, &self.clock)?;
        let mut kept = self.kept.lock();
        if kept.len() >= EXPRESSIONS_KEPT {
            kept.clear();
        }
        kept.insert(key, compiled.clone());
        Ok(compiled)
    }
}

impl Expressions for FeelExpressions {
    fn compile(&self, text: &str, names: &[&str]) -> Result<Arc<dyn Expression>, Fault> {
        let compiled = Compiled::read(text, names, &self.pool, &self.clock)?;
        Ok(Arc::new(Handle(compiled)))
    }

    fn evaluate(&self, text: &str, context: &Map<String, Value>) -> Result<Answer, Fault> {
        Handle(self.kept(text, context)?).evaluate(context)
    }

    fn condition(&self, text: &str, context: &Map<String, Value>) -> Result<Condition, Fault> {
        Handle(self.kept(text, context)?).condition(context)
    }
}
