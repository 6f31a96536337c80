//! Dispatch: the function of ours that a model calls (see [`super`]). `begin`: a decision begins.
//! `on`: can this text be evaluated by us? `text`: its value. `cells`: can this table be read by us?
//! `table`: its result.

use super::Program;
use crate::feel::{Grammar, read, scope_of};
use crate::instrument::instrument;
use crate::native::{PREFIX, argument, context, function};
use crate::run;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value;
use dsntk_feel::{FeelScope, Name, value_null};
use std::sync::Arc;

/// The function, for a program; handed to the library with every input under [`PREFIX`].
pub(crate) fn dispatcher(program: Arc<Program>) -> Value {
    let act: Name = format!("{PREFIX}_act").into();
    let place: Name = format!("{PREFIX}_place").into();
    function(&["__jc_act", "__jc_place"], move |scope| {
        let (asked, number) = (argument(scope, &act), argument(scope, &place));
        let (Value::String(asked), Value::Number(number)) = (asked, number) else {
            return value_null!("no such act");
        };
        let Ok(number) = usize::try_from(number) else {
            return value_null!("no such place");
        };
        // What the library pushed for this call: parameters and closure. They must not hide what
        // the author's expression speaks of.
        let parameters = scope.pop();
        let closure = scope.pop();
        let value = program.carry_out(&asked, number, scope);
        scope.push(closure.unwrap_or_default());
        scope.push(parameters.unwrap_or_default());
        value
    })
}

impl Program {
    fn carry_out(&self, act: &str, place: usize, scope: &FeelScope) -> Value {
        match act {
            "begin" => self.begin(place, scope),
            "on" => Value::Boolean(self.ready_text(place, scope)),
            "text" => self.text(place, scope),
            "cells" => Value::Boolean(self.ready_table(place, scope)),
            "table" => self.table(place, scope),
            _ => value_null!("no such act"),
        }
    }

    /// A decision begins: what it asked has been decided, and stands in its scope.
    fn begin(&self, place: usize, scope: &FeelScope) -> Value {
        run::step(1);
        let Some(decision) = self.decisions.get(place) else {
            return value_null!("no such decision");
        };
        run::with(|run| run.trace.begin(place));
        for asked in &decision.asks {
            let name: Name = crate::values::name(&self.decisions[*asked].variable);
            if let Some(value) = scope.get_value(&name) {
                run::charge(&value);
                run::with(|run| run.trace.saw(*asked, value));
            }
        }
        Value::Boolean(true)
    }

    /// The scope as it is, and the names of the model beneath it.
    fn names_over(&self, scope: &FeelScope) -> FeelScope {
        let known = scope_of(self.names.iter().map(String::as_str));
        for context in scope.contexts() {
            known.push(context);
        }
        known
    }

    fn ready_text(&self, place: usize, scope: &FeelScope) -> bool {
        run::step(1);
        let Some(laced) = self.texts.get(place) else {
            return false;
        };
        let evaluator = laced.evaluator.get_or_init(|| {
            let node = read(Grammar::Expression, &self.names_over(scope), &laced.text).ok()?;
            Some(dsntk_feel_evaluator::prepare(&instrument(node)))
        });
        evaluator.is_some()
    }

    fn text(&self, place: usize, scope: &FeelScope) -> Value {
        let evaluator = self.texts.get(place).and_then(|t| t.evaluator.get());
        let Some(Some(evaluator)) = evaluator else {
            return value_null!("no such expression");
        };
        scope.push(context());
        scope.push(FeelContext::default());
        let value = evaluator(scope);
        scope.pop();
        scope.pop();
        run::charge(&value);
        value
    }

    fn ready_table(&self, place: usize, scope: &FeelScope) -> bool {
        let Some(cells) = self.tables.get(place) else {
            return false;
        };
        let prepared = cells
            .prepared
            .get_or_init(|| cells.table.prepare(&self.names_over(scope)));
        prepared.is_some()
    }

    fn table(&self, place: usize, scope: &FeelScope) -> Value {
        let Some(cells) = self.tables.get(place) else {
            return value_null!("no such table");
        };
        let Some(Some(prepared)) = cells.prepared.get() else {
            return value_null!("no such table");
        };
        scope.push(context());
        let (value, read) = prepared.evaluate(&cells.table, place, scope);
        scope.pop();
        run::charge(&value);
        run::with(|run| run.trace.read(read));
        value
    }
}
