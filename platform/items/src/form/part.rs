//! A part of a form: one JSON object whose keys are asked for one by one. A key nobody asked for is a
//! fault; so is a value of another type.

use crate::say::{brief, escape, problem};
use kernel::{Problem, Words};
use serde_json::{Map, Value};
use std::cell::RefCell;

/// Where faults are gathered.
pub(super) type Faults = RefCell<Vec<Problem>>;

/// One object.
pub(super) struct Part<'a> {
    pub(super) at: String,
    map: &'a Map<String, Value>,
    used: Vec<&'static str>,
    faults: &'a Faults,
}

impl<'a> Part<'a> {
    /// The object at this place; anything else is a fault.
    pub(super) fn of(value: &'a Value, at: String, faults: &'a Faults) -> Option<Part<'a>> {
        let Some(map) = value.as_object() else {
            let fault = problem(at, "应为键值结构", "expected an object");
            faults.borrow_mut().push(fault);
            return None;
        };
        Some(Part {
            at,
            map,
            used: vec![],
            faults,
        })
    }

    /// A fault at a key, or at the object itself when the key is empty.
    pub(super) fn fault(&self, key: &str, zh: impl Into<String>, en: impl Into<String>) {
        match key {
            "" => {
                let fault = problem(self.at.clone(), zh, en);
                self.faults.borrow_mut().push(fault);
            }
            key => self.fault_at(&escape(key), zh, en),
        }
    }

    /// A fault at a path below the object.
    pub(super) fn fault_at(&self, path: &str, zh: impl Into<String>, en: impl Into<String>) {
        let at = format!("{}/{path}", self.at);
        self.faults.borrow_mut().push(problem(at, zh, en));
    }

    pub(super) fn get(&mut self, key: &'static str) -> Option<&'a Value> {
        self.used.push(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(|value| !value.is_null())
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        take: impl Fn(&'a Value) -> Option<T>,
        zh: &str,
        en: &str,
    ) -> Option<T> {
        let value = self.get(key)?;
        let taken = take(value);
        if taken.is_none() {
            self.fault(key, zh, en);
        }
        taken
    }

    /// A text of 1 to `most` characters that may be there.
    pub(super) fn text(&mut self, key: &'static str, most: usize) -> Option<&'a str> {
        let take = |value: &'a Value| {
            let text = value.as_str().filter(|text| !text.trim().is_empty())?;
            (text.chars().count() <= most).then_some(text)
        };
        let (zh, en) = (
            format!("应为 1 至 {most} 个字"),
            format!("expected 1 to {most} characters"),
        );
        self.typed(key, take, &zh, &en)
    }

    /// A text that must be there.
    pub(super) fn demand(&mut self, key: &'static str, most: usize) -> String {
        if !self.has(key) {
            self.used.push(key);
            self.fault("", format!("缺少“{key}”"), format!("\"{key}\" is missing"));
            return String::new();
        }
        self.text(key, most).unwrap_or_default().to_owned()
    }

    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        let (zh, en) = ("应为 true 或 false", "expected true or false");
        self.typed(key, Value::as_bool, zh, en).unwrap_or(false)
    }

    /// A whole number between these that may be there.
    pub(super) fn count(&mut self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        let take = |value: &Value| value.as_u64().filter(|n| (least..=most).contains(n));
        let (zh, en) = (
            format!("应为 {least} 至 {most} 的整数"),
            format!("expected a whole number of {least} to {most}"),
        );
        self.typed(key, take, &zh, &en)
    }

    /// A number that may be there, as it is written.
    pub(super) fn number(&mut self, key: &'static str) -> Option<&'a Value> {
        let limit = super::value::WHOLE as f64;
        let take = |value: &'a Value| {
            let sound = value.as_f64().is_some_and(|n| n.abs() <= limit);
            sound.then_some(value)
        };
        self.typed(key, take, "应为数值", "expected a number")
    }

    pub(super) fn list(&mut self, key: &'static str) -> Option<&'a Vec<Value>> {
        self.typed(key, Value::as_array, "应为列表", "expected a list")
    }

    pub(super) fn object(&mut self, key: &'static str) -> Option<&'a Map<String, Value>> {
        self.typed(key, Value::as_object, "应为键值结构", "expected an object")
    }

    /// Chinese under one key and English under another; both or neither.
    pub(super) fn pair(
        &mut self,
        zh: &'static str,
        en: &'static str,
        most: usize,
    ) -> Option<Words> {
        if !self.has(zh) && !self.has(en) {
            self.used.extend([zh, en]);
            return None;
        }
        Some(Words::new(self.demand(zh, most), self.demand(en, most * 3)))
    }

    /// Keys for whoever reads the file.
    pub(super) fn ignore(&mut self, keys: &[&'static str]) {
        self.used.extend(keys);
    }

    /// Names the keys nobody asked for.
    pub(super) fn finish(self) {
        for key in self.map.keys() {
            if !self.used.iter().any(|used| used == key) {
                let name = brief(key);
                self.fault(
                    key,
                    format!("不认识的关键字“{name}”"),
                    format!("unknown keyword \"{name}\""),
                );
            }
        }
    }
}
