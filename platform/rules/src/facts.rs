//! What the evaluator must know besides the values: names of things and columns, and a small
//! projection of the registers that rules name. The projection follows the event log, not the
//! present state of the registers, so that reading a stretch of the log again judges by the
//! limits that stood then.

use kernel::Time;
use kernel::declare::{Condition, Declared, Limit, RuleDecl};
use kernel::observations::{Column, ColumnId, Observations, ThingId};
use kernel::records::Record;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names behind the numbers of rows.
pub trait Facts: Send + Sync {
    /// The name of a thing.
    fn thing_name(&self, id: ThingId) -> Option<Arc<str>>;
    /// The number of a thing that exists.
    fn find_thing(&self, name: &str) -> Option<ThingId>;
    /// The meaning of a column.
    fn column_meaning(&self, id: ColumnId) -> Option<Arc<Column>>;
}

impl Facts for Arc<dyn Observations> {
    fn thing_name(&self, id: ThingId) -> Option<Arc<str>> {
        self.as_ref().thing_name(id)
    }
    fn find_thing(&self, name: &str) -> Option<ThingId> {
        self.as_ref().find_thing(name)
    }
    fn column_meaning(&self, id: ColumnId) -> Option<Arc<Column>> {
        self.as_ref().column_meaning(id)
    }
}

/// The fields of one record that some rule asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// When the city first had the record: an unseen thing is silent since then.
    pub since: Time,
    /// Fields in use; missing ones are left out.
    pub fields: BTreeMap<String, Value>,
}

/// One register as far as rules need it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Watched {
    /// Fields in use.
    pub needs: BTreeSet<String>,
    /// Records by key.
    pub known: FxHashMap<String, Known>,
}

/// All registers that rules name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Records {
    registers: BTreeMap<String, Watched>,
}

impl Records {
    /// What the rules of `declared` need; no record known yet.
    pub fn needed_by(declared: &Declared) -> Records {
        let mut records = Records::default();
        for rule in declared.rules() {
            let about = records.registers.entry(rule.about.clone()).or_default();
            about
                .needs
                .extend(rule.only.iter().map(|(field, _)| field.clone()));
            records.need_limits(rule, &rule.when);
        }
        records
    }

    fn need_limits(&mut self, rule: &RuleDecl, condition: &Condition) {
        let (register, field) = match condition {
            Condition::Threshold {
                limit: Limit::Record {
                    register, field, ..
                },
                ..
            } => (register, field),
            Condition::Threshold {
                limit: Limit::Threshold { class_field },
                ..
            } => (&rule.about, class_field),
            Condition::All { parts, .. } => {
                parts.iter().for_each(|part| self.need_limits(rule, part));
                return;
            }
            _ => return,
        };
        let watched = self.registers.entry(register.clone()).or_default();
        watched.needs.insert(field.clone());
    }

    /// Names of the registers in use.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.registers.keys().map(String::as_str)
    }

    /// The projected record.
    pub fn get(&self, register: &str, key: &str) -> Option<&Known> {
        self.registers.get(register)?.known.get(key)
    }

    /// All projected records of a register.
    pub fn all(&self, register: &str) -> impl Iterator<Item = (&String, &Known)> {
        let found = self.registers.get(register);
        found.into_iter().flat_map(|watched| watched.known.iter())
    }

    /// Takes over a record (or its end); true when something a rule asks for has changed.
    pub fn put(&mut self, register: &str, key: &str, record: Option<&Record>) -> bool {
        let Some(watched) = self.registers.get_mut(register) else {
            return false;
        };
        let Some(record) = record else {
            return watched.known.remove(key).is_some();
        };
        let before = watched.known.get(key);
        let fields: BTreeMap<String, Value> = watched
            .needs
            .iter()
            .filter_map(|need| Some((need.clone(), record.fields.get(need)?.clone())))
            .collect();
        let since = before.map_or(record.recorded_at, |known| known.since);
        if before.is_some_and(|known| known.fields == fields) {
            return false;
        }
        watched.known.insert(key.into(), Known { since, fields });
        true
    }

    /// Takes over the registers of `other` that were kept for the same needs; answers the names of
    /// those that must be loaded anew.
    pub fn adopt(&mut self, mut other: Records) -> Vec<String> {
        let mut missing = vec![];
        for (name, watched) in &mut self.registers {
            match other.registers.remove(name) {
                Some(kept) if kept.needs == watched.needs => *watched = kept,
                _ => missing.push(name.clone()),
            }
        }
        missing
    }
}

/// A field as the text that `only` and classes compare with.
pub(crate) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
