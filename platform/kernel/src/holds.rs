//! Legal holds: what must not expire nor be erased, because a case, an audit or an accident needs
//! it. Whoever removes anything asks first.

use crate::time::Time;
use serde::{Deserialize, Serialize};

/// What a hold covers: everything that matches every part that is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Records of this register.
    #[serde(default)]
    pub register: Option<String>,
    /// Of them the one with this key.
    #[serde(default)]
    pub key: Option<String>,
    /// What is kept about this person (identification of the party).
    #[serde(default)]
    pub person: Option<String>,
    /// What this account did.
    #[serde(default)]
    pub account: Option<String>,
    /// Observations of this thing.
    #[serde(default)]
    pub thing: Option<String>,
    /// Nothing before this time.
    #[serde(default)]
    pub from: Option<Time>,
    /// Nothing from this time on.
    #[serde(default)]
    pub to: Option<Time>,
}

/// What somebody is about to remove. What is not known stays `None` and does not exclude a hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Register of the record.
    pub register: Option<&'a str>,
    /// Key of the record.
    pub key: Option<&'a str>,
    /// Person it is about.
    pub person: Option<&'a str>,
    /// Account that did it.
    pub account: Option<&'a str>,
    /// Thing that was observed.
    pub thing: Option<&'a str>,
}

impl Scope {
    /// Does it name anything at all?
    pub fn names_something(&self) -> bool {
        let names = [
            &self.register,
            &self.key,
            &self.person,
            &self.account,
            &self.thing,
        ];
        names.iter().any(|name| name.is_some()) || self.from.is_some() && self.to.is_some()
    }

    /// Could it cover this, at some time? A part that the scope names and the subject lacks
    /// excludes it: a hold on a register says nothing about observations.
    pub fn covers(&self, subject: &Subject<'_>) -> bool {
        let part = |named: &Option<String>, given: Option<&str>| {
            named.as_deref().is_none_or(|name| given == Some(name))
        };
        part(&self.register, subject.register)
            && part(&self.key, subject.key)
            && part(&self.person, subject.person)
            && part(&self.account, subject.account)
            && part(&self.thing, subject.thing)
    }
}

/// The holds in force.
pub trait Holds: Send + Sync {
    /// From when on everything of the subject is held; `None` when nothing is. Before that time it
    /// may be removed. A hold that ends at some time keeps what comes after it too, until it is
    /// released: too much is kept, never too little.
    fn held_from(&self, subject: &Subject<'_>) -> Option<Time>;
}
