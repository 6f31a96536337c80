//! Waiting: what is waited for, from when it begins to be until it is over; conditions that begin to
//! hold.

use super::Effect;
use super::run::Run;
use super::state::{Awaited, Id, Wait};
use crate::bpmn::{EventWhat, NodeIndex};
use kernel::Words;
use serde_json::{Map, Value};

impl Run<'_> {
    /// A new wait.
    pub(super) fn open(&mut self, token: Option<Id>, scope: Id, node: NodeIndex, what: Awaited) {
        let wait = self.instance.number();
        let entry = Wait {
            token,
            scope,
            node,
            what,
        };
        self.instance.waits.insert(wait, entry);
        self.effects.push(Effect::Opened { wait });
    }

    pub(super) fn close(&mut self, wait: Id) {
        if self.instance.waits.remove(&wait).is_some() {
            self.effects.push(Effect::Closed { wait });
        }
    }

    /// Closes what a token waits for, its boundary events among them.
    pub(super) fn close_waits_of(&mut self, token: Id) {
        let waits = self.instance.waits.iter();
        let of: Vec<Id> = waits
            .filter(|(_, w)| w.token == Some(token))
            .map(|(id, _)| *id)
            .collect();
        for wait in of {
            self.close(wait);
        }
    }

    /// Looks for a condition that began to hold, and fires it. One at a time: what it sets off may
    /// change the others.
    pub(super) fn fire_condition(&mut self) -> bool {
        let waits: Vec<(Id, Wait)> = self
            .instance
            .waits
            .iter()
            .map(|(id, w)| (*id, w.clone()))
            .collect();
        for (id, wait) in waits {
            let Awaited::Condition { expression, held } = &wait.what else {
                continue;
            };
            let variables = self.instance.variables(wait.scope);
            let holds = self.holds(expression, &variables).unwrap_or(false);
            if holds == *held {
                continue;
            }
            if let Some(Wait {
                what: Awaited::Condition { held, .. },
                ..
            }) = self.instance.waits.get_mut(&id)
            {
                *held = holds;
            }
            if holds {
                self.came(id, &wait);
                return true;
            }
        }
        false
    }

    /// What a catching event of this node waits for.
    pub(super) fn awaited(&self, what: &EventWhat, scope: Id) -> Result<Awaited, Words> {
        let variables = || self.instance.variables(scope);
        Ok(match what {
            EventWhat::Message(id) => self.message(id, &variables())?,
            EventWhat::Signal(id) => Awaited::Signal {
                name: self.model.signals[id].name.clone(),
            },
            EventWhat::Timer(trigger) => {
                super::timer::awaited(trigger, &variables(), self.expressions, self.now)?
            }
            EventWhat::Conditional(expression) => Awaited::Condition {
                expression: expression.clone(),
                held: false,
            },
            _ => {
                let words = Words::new("该事件不能等待", "this event cannot be waited for");
                return Err(words);
            }
        })
    }

    /// A message to be waited for, with the key that is for this instance.
    pub(super) fn message(
        &self,
        id: &str,
        variables: &Map<String, Value>,
    ) -> Result<Awaited, Words> {
        let message = &self.model.messages[id];
        let key = match &message.correlation {
            Some(expression) => self.evaluate(expression, variables)?,
            None => Value::Null,
        };
        Ok(Awaited::Message {
            name: message.name.clone(),
            key,
        })
    }
}
