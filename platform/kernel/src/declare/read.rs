//! A reader of one mapping that remembers which keys were asked for: what was never asked for is
//! an unknown key and a fault. Faults are gathered, never thrown, so that all come at once.

use super::shape::{Shape, Take};
use super::yaml::{Data, Node};
use crate::access::Verb;
use crate::fault::{Problem, Words};
use crate::time::Span;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Where faults are gathered.
pub type Faults = RefCell<Vec<Problem>>;

/// Reads a node of a file.
pub struct Reader<'a> {
    file: &'a str,
    node: &'a Node,
    faults: &'a Faults,
    used: BTreeSet<String>,
    /// Where what is asked of the node is written down.
    shape: Option<Rc<Shape>>,
}

impl<'a> Reader<'a> {
    /// Reads `node` of `file` through `read`, then reports keys nobody asked for; writes what was
    /// asked into `shape` if there is one.
    pub fn whole<T>(
        file: &'a str,
        node: &'a Node,
        faults: &'a Faults,
        shape: Option<Rc<Shape>>,
        read: impl FnOnce(&mut Reader<'a>) -> T,
    ) -> T {
        let mut reader = Reader::new(file, node, faults, shape);
        if matches!(node.data, Data::Null) {
            reader.fault("", "文件是空的", "the file is empty");
        }
        let result = read(&mut reader);
        reader.finish();
        result
    }

    fn new(
        file: &'a str,
        node: &'a Node,
        faults: &'a Faults,
        shape: Option<Rc<Shape>>,
    ) -> Reader<'a> {
        if let (Some(shape), Data::Map(_)) = (&shape, &node.data) {
            shape.visit();
        }
        Reader {
            file,
            node,
            faults,
            used: BTreeSet::new(),
            shape,
        }
    }

    /// Writes down that `key` was asked for and taken for this.
    fn note(&self, key: &str, demanded: bool, take: Option<Take>) -> Option<Rc<Shape>> {
        let shape = self.shape.as_ref()?.asked(key, demanded);
        if let Some(take) = take {
            shape.take(take);
        }
        Some(shape)
    }

    fn note_own(&self, take: Take) {
        if let Some(shape) = &self.shape {
            shape.take(take);
        }
    }

    fn child<T>(
        &self,
        node: &'a Node,
        shape: Option<Rc<Shape>>,
        read: impl FnOnce(&mut Reader<'a>) -> T,
    ) -> T {
        let mut reader = Reader::new(self.file, node, self.faults, shape);
        let result = read(&mut reader);
        reader.finish();
        result
    }

    fn finish(&self) {
        let Data::Map(entries) = &self.node.data else {
            return;
        };
        for (key, line, _) in entries {
            // A reader that asked for nothing took the node as a whole.
            if !self.used.is_empty() && !self.used.contains(key) {
                self.report(
                    *line,
                    format!("不认识的键“{key}”"),
                    format!("unknown key \"{key}\""),
                );
            }
        }
    }

    fn report(&self, line: usize, zh: String, en: String) {
        let at = format!("{}:{}", self.file, line);
        self.faults.borrow_mut().push(Problem {
            at,
            words: Words::new(zh, en),
        });
    }

    /// Reports a fault at a key (or at the node itself when `key` is empty).
    pub fn fault(&self, key: &str, zh: impl Into<String>, en: impl Into<String>) {
        let line = self.node.get(key).map_or(self.node.line, |n| n.line);
        let (zh, en) = (zh.into(), en.into());
        if key.is_empty() {
            self.report(line, zh, en);
        } else {
            self.report(line, format!("{key}：{zh}"), format!("{key}: {en}"));
        }
    }

    fn find(&mut self, key: &str) -> Option<&'a Node> {
        self.used.insert(key.into());
        self.node.get(key).filter(|n| n.data != Data::Null)
    }

    fn demand(&mut self, key: &str) -> Option<&'a Node> {
        self.note(key, true, None);
        let found = self.find(key);
        if found.is_none() {
            self.fault("", format!("缺少“{key}”"), format!("\"{key}\" is missing"));
        }
        found
    }

    /// Keys that may be there and are nobody's business here.
    pub fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.note(key, false, Some(Take::Anything));
            self.used.insert(key.to_string());
        }
    }

    /// The key is there.
    pub fn has(&self, key: &str) -> bool {
        self.node.get(key).is_some()
    }

    /// The value of the key is a mapping.
    pub fn is_map(&self, key: &str) -> bool {
        self.node
            .get(key)
            .is_some_and(|n| matches!(n.data, Data::Map(_)))
    }

    /// File and line of the node.
    pub fn at(&self) -> String {
        format!("{}:{}", self.file, self.node.line)
    }

    /// The line of the node.
    pub fn line(&self) -> usize {
        self.node.line
    }

    /// The node as JSON.
    pub fn json(&self) -> serde_json::Value {
        self.node.json()
    }

    fn scalar_of(&self, key: &str, node: &Node) -> Option<String> {
        let scalar = node.scalar();
        if scalar.is_none() {
            self.fault(key, "应为单个值", "expected a single value");
        }
        scalar
    }

    /// A text that must be there.
    pub fn text(&mut self, key: &str) -> String {
        self.note(key, false, Some(Take::Text));
        let text = self.demand(key).and_then(|n| self.scalar_of(key, n));
        text.unwrap_or_default()
    }

    /// A text that may be there.
    pub fn optional_text(&mut self, key: &str) -> Option<String> {
        self.note(key, false, Some(Take::Text));
        self.find(key).and_then(|n| self.scalar_of(key, n))
    }

    /// A text, or this one.
    pub fn text_or(&mut self, key: &str, otherwise: &str) -> String {
        self.optional_text(key).unwrap_or_else(|| otherwise.into())
    }

    /// A list of texts (a single text counts as a list of one), or these.
    pub fn texts_or(&mut self, key: &str, otherwise: &[&str]) -> Vec<String> {
        let shape = self.note(key, false, Some(Take::Texts));
        match self.find(key) {
            None => otherwise.iter().map(|t| t.to_string()).collect(),
            Some(node) => self.child(node, shape, |inner| inner.own_texts()),
        }
    }

    /// The node itself as a list of texts.
    pub fn own_texts(&self) -> Vec<String> {
        self.note_own(Take::Texts);
        let items = match &self.node.data {
            Data::List(items) => items.iter().collect(),
            _ => vec![self.node],
        };
        let texts: Vec<String> = items.iter().filter_map(|n| n.scalar()).collect();
        if texts.len() != items.len() {
            self.fault("", "应为文字的列表", "expected a list of texts");
        }
        texts
    }

    /// The node itself as a number.
    pub fn own_number(&self) -> Option<f64> {
        self.note_own(Take::Number);
        match &self.node.data {
            Data::Number(number, _) => Some(*number),
            _ => None,
        }
    }

    /// One of these words; must be there.
    pub fn one_of(&mut self, key: &str, words: &[&str]) -> String {
        self.note_words(key, words);
        let Some(node) = self.demand(key) else {
            return words[0].into();
        };
        self.choose(key, node, words)
    }

    /// One of these words, or this one.
    pub fn one_of_or(&mut self, key: &str, words: &[&str], otherwise: &str) -> String {
        self.note_words(key, words);
        match self.find(key) {
            None => otherwise.into(),
            Some(node) => self.choose(key, node, words),
        }
    }

    fn note_words(&self, key: &str, words: &[&str]) {
        if let Some(shape) = self.note(key, false, None) {
            shape.choose(words);
        }
    }

    fn choose(&self, key: &str, node: &Node, words: &[&str]) -> String {
        let text = self.scalar_of(key, node).unwrap_or_default();
        if !words.contains(&text.as_str()) {
            let (zh, en) = (words.join("、"), words.join(", "));
            self.fault(
                key,
                format!("“{text}”应为 {zh} 之一"),
                format!("\"{text}\" should be one of {en}"),
            );
            return words[0].into();
        }
        text
    }

    /// `true`, `false`, or this.
    pub fn flag(&mut self, key: &str, otherwise: bool) -> bool {
        self.note(key, false, Some(Take::Flag));
        match self.find(key).map(|n| &n.data) {
            None => otherwise,
            Some(Data::Bool(flag)) => *flag,
            Some(_) => {
                self.fault(key, "应为 true 或 false", "expected true or false");
                otherwise
            }
        }
    }

    /// A number that may be there.
    pub fn optional_number(&mut self, key: &str) -> Option<f64> {
        self.note(key, false, Some(Take::Number));
        match self.find(key).map(|n| &n.data) {
            None => None,
            Some(Data::Number(number, _)) => Some(*number),
            Some(_) => {
                self.fault(key, "应为数值", "expected a number");
                None
            }
        }
    }

    /// A number, or this one.
    pub fn number_or(&mut self, key: &str, otherwise: f64) -> f64 {
        self.optional_number(key).unwrap_or(otherwise)
    }

    /// A number that may carry a unit after a blank (`5 W`); must be there. The unit is for the
    /// reader of the file; the number is in the unit of the property.
    pub fn quantity(&mut self, key: &str) -> f64 {
        let text = self.text(key);
        let number = text.split(' ').next().and_then(|n| n.parse::<f64>().ok());
        if number.is_none() && !text.is_empty() {
            self.fault(
                key,
                "应为数值（可带单位）",
                "expected a number (a unit may follow)",
            );
        }
        number.unwrap_or(0.0)
    }

    /// A share written `5 %` or `0.05`, or this one.
    pub fn share_or(&mut self, key: &str, otherwise: f64) -> f64 {
        let Some(text) = self.optional_text(key) else {
            return otherwise;
        };
        let share = match text.trim().strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().map(|n| n / 100.0),
            None => text.trim().parse::<f64>(),
        };
        share.unwrap_or_else(|_| {
            self.fault(key, "应为百分比", "expected a percentage");
            otherwise
        })
    }

    /// Numbers of a list that may be there.
    pub fn numbers_opt(&mut self, key: &str) -> Option<Vec<f64>> {
        self.note(key, false, Some(Take::Numbers));
        let node = self.find(key)?;
        let Data::List(items) = &node.data else {
            self.fault(key, "应为数值的列表", "expected a list of numbers");
            return None;
        };
        let numbers: Vec<f64> = items
            .iter()
            .filter_map(|n| {
                if let Data::Number(x, _) = n.data {
                    Some(x)
                } else {
                    None
                }
            })
            .collect();
        if numbers.len() != items.len() {
            self.fault(key, "应为数值的列表", "expected a list of numbers");
        }
        Some(numbers)
    }

    /// A span such as `10 min`; must be there.
    pub fn span(&mut self, key: &str) -> Span {
        if self.demand(key).is_none() {
            return Span(0);
        }
        self.span_or(key, Span(0))
    }

    /// A span such as `10 min`, or this one.
    pub fn span_or(&mut self, key: &str, otherwise: Span) -> Span {
        self.note(key, false, Some(Take::Span));
        let Some(text) = self.find(key).and_then(|n| self.scalar_of(key, n)) else {
            return otherwise;
        };
        Span::parse(&text).unwrap_or_else(|| {
            self.fault(
                key,
                format!("“{text}”不是时长（如 10 min）"),
                format!("\"{text}\" is no span (such as 10 min)"),
            );
            otherwise
        })
    }

    /// `{ zh: …, en: … }`; must be there.
    pub fn words(&mut self, key: &str) -> Words {
        self.part(key, |part| Words::new(part.text("zh"), part.text("en")))
            .unwrap_or_default()
    }

    /// A verb of access; must be there.
    pub fn verb(&mut self, key: &str) -> Verb {
        let words: Vec<&str> = Verb::ALL.iter().map(|v| v.word()).collect();
        Verb::parse(&self.one_of(key, &words)).unwrap_or(Verb::Read)
    }

    /// A mapping that must be there.
    pub fn part<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader<'a>) -> T) -> Option<T> {
        self.demand(key)?;
        self.part_opt(key, read)
    }

    /// A mapping that may be there.
    pub fn part_opt<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader<'a>) -> T) -> Option<T> {
        let shape = self.note(key, false, Some(Take::Mapping));
        let node = self.find(key)?;
        if !matches!(node.data, Data::Map(_)) {
            self.fault(key, "应为键值结构", "expected a mapping");
            return None;
        }
        Some(self.child(node, shape, read))
    }

    /// Each entry of a mapping that must be there.
    pub fn each(&mut self, key: &str, read: impl FnMut(&str, &mut Reader<'a>)) {
        if self.demand(key).is_some() {
            self.each_opt(key, read);
        }
    }

    /// Each entry of a mapping that may be there.
    pub fn each_opt(&mut self, key: &str, read: impl FnMut(&str, &mut Reader<'a>)) {
        let shape = self.note(key, false, Some(Take::Mapping));
        let shape = shape.map(|shape| shape.entries());
        if let Some(node) = self.find(key) {
            if matches!(node.data, Data::Map(_)) {
                self.entries_of(node, shape, read);
            } else {
                self.fault(key, "应为键值结构", "expected a mapping");
            }
        }
    }

    /// Each entry of the node itself.
    pub fn entries(&mut self, read: impl FnMut(&str, &mut Reader<'a>)) {
        let node = self.node;
        if let Data::Map(entries) = &node.data {
            self.used.extend(entries.iter().map(|(k, _, _)| k.clone()));
        }
        let shape = self.shape.as_ref().map(|shape| shape.entries());
        self.entries_of(node, shape, read);
    }

    fn entries_of(
        &self,
        node: &'a Node,
        shape: Option<Rc<Shape>>,
        mut read: impl FnMut(&str, &mut Reader<'a>),
    ) {
        if let Data::Map(entries) = &node.data {
            for (name, _, value) in entries {
                self.child(value, shape.clone(), |inner| read(name, inner));
            }
        }
    }

    /// Each item of a list that must be there.
    pub fn list(&mut self, key: &str, mut read: impl FnMut(&mut Reader<'a>)) {
        let shape = self.note(key, false, None).map(|shape| shape.items());
        let Some(node) = self.demand(key) else { return };
        match &node.data {
            Data::List(items) => items
                .iter()
                .for_each(|item| self.child(item, shape.clone(), &mut read)),
            _ => self.fault(key, "应为列表", "expected a list"),
        }
    }
}
