//! Repeated activities: for each item, one after the other or all at once; or while a condition
//! holds. The token of the activity stays at it; each turn is a token of its own in a scope of its
//! own.

use super::run::Run;
use super::state::{Id, Place, Repeats, Scope};
use crate::bpmn::Loop;
use kernel::Words;
use serde_json::{Map, Value, json};

/// Turns of one activity, at most.
pub(super) const TURN_LIMIT: usize = 10_000;

impl Run<'_> {
    /// A token begins to repeat its activity.
    pub(super) fn begin_repeats(&mut self, id: Id) {
        let (node, around) = (self.node_of(id), self.scope_of(id));
        let Some(looped) = self.node(node).repeats.clone() else {
            return;
        };
        let items = match self.turns(&looped, around) {
            Ok(Some(items)) => items,
            Ok(None) => return self.activity_done(id),
            Err(words) => {
                self.close_waits_of(id);
                return self.stick(id, words);
            }
        };
        let scope = self.instance.number();
        let sequential = !matches!(
            looped,
            Loop::Instances {
                sequential: false,
                ..
            }
        );
        let at_once = if sequential { 1 } else { items.len() };
        let opened = Scope {
            parent: Some(around),
            host: Some(id),
            repeats: Some(Repeats {
                items,
                ..Repeats::default()
            }),
            ..Scope::default()
        };
        self.instance.scopes.insert(scope, opened);
        self.place(id, Place::Inside);
        for _ in 0..at_once {
            self.begin_next(scope);
        }
    }

    /// The items to do, one a turn; `None` when there is nothing to do. A standard loop does not
    /// know how many: it has none.
    fn turns(&self, looped: &Loop, scope: Id) -> Result<Option<Vec<Value>>, Words> {
        let items = match looped {
            Loop::Standard {
                test_before,
                condition,
                maximum,
            } => {
                let first = match condition {
                    Some(condition) if *test_before => {
                        self.holds(condition, &self.instance.variables(scope))?
                    }
                    _ => true,
                };
                return Ok((first && *maximum != Some(0)).then(Vec::new));
            }
            Loop::Instances {
                collection: Some(collection),
                ..
            } => self.list(collection, scope)?,
            Loop::Instances { number, .. } => {
                let expression = number.as_deref().unwrap_or("0");
                let value = self.evaluate(expression, &self.instance.variables(scope))?;
                let number = value.as_u64().or_else(|| {
                    value
                        .as_f64()
                        .filter(|n| n.fract() == 0.0 && *n >= 0.0)
                        .map(|n| n as u64)
                });
                let number = number
                    .filter(|number| *number <= TURN_LIMIT as u64)
                    .ok_or_else(|| wrong_number(expression, &value))?;
                vec![Value::Null; number as usize]
            }
        };
        if items.len() > TURN_LIMIT {
            return Err(wrong_number("collection", &json!(items.len())));
        }
        Ok((!items.is_empty()).then_some(items))
    }

    /// Begins the next turn.
    fn begin_next(&mut self, count: Id) {
        let scope = self.instance.scopes.get_mut(&count);
        let Some(repeats) = scope.and_then(|scope| scope.repeats.as_mut()) else {
            return;
        };
        let number = match &mut repeats.pending {
            Some(pending) if !pending.is_empty() => pending.remove(0),
            _ => repeats.begun,
        };
        repeats.begun += 1;
        self.begin_turn(count, number);
    }

    /// Begins the turn of a number, which is counted as begun.
    pub(super) fn begin_turn(&mut self, count: Id, number: u32) {
        let Some(scope) = self.instance.scopes.get(&count) else {
            return;
        };
        let (Some(repeats), Some(host)) = (&scope.repeats, scope.host) else {
            return;
        };
        let item = repeats.items.get(number as usize).cloned();
        let node = self.node_of(host);
        let mut variables = Map::from_iter([("loopCounter".to_string(), json!(number + 1))]);
        let mut keeps = false;
        if let Some(Loop::Instances { item: name, .. }) = &self.node(node).repeats {
            keeps = true;
            if let (Some(name), Some(item)) = (name, item) {
                variables.insert(name.clone(), item);
            }
        }
        let turn = self.instance.number();
        let opened = Scope {
            parent: Some(count),
            turn: Some(number),
            keeps,
            variables,
            ..Scope::default()
        };
        self.instance.scopes.insert(turn, opened);
        self.put(node, turn);
    }

    /// One turn is done.
    pub(super) fn turn_done(&mut self, id: Id) {
        let (node, turn) = (self.node_of(id), self.scope_of(id));
        let Some((count, number)) = self
            .instance
            .scopes
            .get(&turn)
            .and_then(|s| Some((s.parent?, s.turn?)))
        else {
            return;
        };
        let Some(looped) = self.node(node).repeats.clone() else {
            return;
        };
        let result = match &looped {
            Loop::Instances {
                result: Some(expression),
                ..
            } => match self.evaluate(expression, &self.instance.variables(turn)) {
                Ok(value) => Some(value),
                Err(words) => return self.stick(id, words),
            },
            _ => None,
        };
        self.effects.push(super::Effect::Left { node, token: id });
        self.instance.tokens.remove(&id);
        self.instance.scopes.remove(&turn);
        let Some(scope) = self.instance.scopes.get_mut(&count) else {
            return;
        };
        if let Some(repeats) = &mut scope.repeats {
            repeats.done += 1;
            if let Some(result) = result {
                repeats.results.insert(number, result);
            }
        }
        self.after_turn(&looped, count);
    }

    /// A turn is over: the next one, the end of all, or the others are still under way.
    pub(super) fn after_turn(&mut self, looped: &Loop, count: Id) {
        match self.goes_on(looped, count) {
            Ok(true) => self.begin_next(count),
            Ok(false)
                if self
                    .instance
                    .scopes
                    .values()
                    .any(|s| s.parent == Some(count))
                    && !self.enough(looped, count) => {}
            Ok(false) => self.end_repeats(looped, count),
            Err(words) => {
                if let Some(host) = self.instance.scopes.get(&count).and_then(|s| s.host) {
                    self.stick(host, words);
                }
            }
        }
    }

    /// Counters of the standard, for conditions.
    fn counted(&self, count: Id) -> Map<String, Value> {
        let mut variables = self.instance.variables(count);
        if let Some(repeats) = self
            .instance
            .scopes
            .get(&count)
            .and_then(|s| s.repeats.as_ref())
        {
            variables.insert("numberOfInstances".into(), json!(repeats.instances()));
            variables.insert(
                "numberOfActiveInstances".into(),
                json!(repeats.begun - repeats.done),
            );
            variables.insert("numberOfCompletedInstances".into(), json!(repeats.done));
            variables.insert(
                "results".into(),
                json!(repeats.results.values().collect::<Vec<_>>()),
            );
        }
        variables
    }

    pub(super) fn enough(&self, looped: &Loop, count: Id) -> bool {
        match looped {
            Loop::Instances {
                until: Some(until), ..
            } => self.holds(until, &self.counted(count)).unwrap_or(false),
            _ => false,
        }
    }

    /// Is another turn to begin now?
    fn goes_on(&self, looped: &Loop, count: Id) -> Result<bool, Words> {
        let Some(repeats) = self
            .instance
            .scopes
            .get(&count)
            .and_then(|s| s.repeats.as_ref())
        else {
            return Ok(false);
        };
        match looped {
            Loop::Standard {
                maximum, condition, ..
            } => {
                let most = maximum.unwrap_or(TURN_LIMIT as u32);
                if repeats.done >= most {
                    return Ok(false);
                }
                match condition {
                    Some(condition) => self.holds(condition, &self.counted(count)),
                    None => Ok(true),
                }
            }
            Loop::Instances {
                sequential, until, ..
            } => {
                if let Some(until) = until
                    && self.holds(until, &self.counted(count))?
                {
                    return Ok(false);
                }
                Ok(*sequential && !repeats.to_come().is_empty())
            }
        }
    }

    /// All turns that were to be are done; those still under way are not needed any more.
    fn end_repeats(&mut self, looped: &Loop, count: Id) {
        self.empty_scope(count);
        let Some(scope) = self.instance.scopes.remove(&count) else {
            return;
        };
        let (Some(host), Some(repeats)) = (scope.host, scope.repeats) else {
            return;
        };
        if let Loop::Instances {
            results: Some(name),
            ..
        } = looped
        {
            let list: Vec<Value> = repeats.results.into_values().collect();
            let around = self.scope_of(host);
            self.instance.set(around, name, json!(list));
        }
        self.close_waits_of(host);
        self.leave(host);
    }

    /// The token of the whole repeated activity that a turn belongs to, with its scope; any other
    /// token is itself.
    pub(super) fn outermost_turn(&self, token: Id, scope: Id) -> (Id, Id) {
        let count = self
            .instance
            .scopes
            .get(&scope)
            .filter(|s| s.turn.is_some())
            .and_then(|s| s.parent);
        let host = count
            .and_then(|count| self.instance.scopes.get(&count))
            .and_then(|s| s.host);
        host.map_or((token, scope), |host| (host, self.scope_of(host)))
    }
}

fn wrong_number(expression: &str, value: &Value) -> Words {
    Words::new(
        format!("“{expression}”应为 0 到 {TURN_LIMIT} 的整数，得到 {value}"),
        format!("\"{expression}\" should be a whole number from 0 to {TURN_LIMIT}, it is {value}"),
    )
}
