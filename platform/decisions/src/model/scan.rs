//! Scan: reads the XML of a model, notes everything that is wrong with it with its line, and
//! prepares what the library is to be given. Document types are refused before anything of them is
//! read, so there are no entities; size, depth and number of nodes are bounded.

use super::cells::{item, spell_types};
use super::check;
use super::edit::Edits;
use super::types::Book;
use super::xml::{
    Xml, child, dispatcher, dmn, end_of, escape, literal, logic_of, prefix, snake, text,
};
use super::{Decision, Laced, NAMESPACES, Placed, Program, Service, Source};
use crate::feel::{Grammar, read, scope_of};
use crate::instrument::harmless;
use crate::limits::{MODEL_LIMIT, XML_DEPTH_LIMIT, XML_NODES_LIMIT};
use crate::native::PREFIX;
use crate::tree::every;
use dsntk_feel::FeelScope;
use dsntk_feel_parser::AstNode;
use kernel::decisions::DecisionShape;
use kernel::fault::{Problem, Words};
use kernel::lines::Lines;
use roxmltree::{Document, ParsingOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Logic whose parts are carried out again and again.
const REPEATING: [&str; 6] = [
    "functionDefinition",
    "encapsulatedLogic",
    "for",
    "some",
    "every",
    "filter",
];

/// Parts of logic that hold other logic.
const WITHIN: [&str; 7] = ["if", "then", "else", "in", "match", "return", "satisfies"];

/// What was found, of one model or of several that belong together.
#[derive(Default)]
pub(crate) struct Scan {
    pub(crate) problems: Vec<Problem>,
    pub(crate) program: Program,
    pub(crate) sources: Vec<Source>,
    /// Identifications of what the library carries out without us.
    pub(crate) unmeasured: BTreeSet<String>,
    /// May models import others? Only where all are at hand.
    pub(crate) imports: bool,
    /// Places of the decisions by namespace and identification.
    pub(crate) ids: BTreeMap<String, usize>,
    /// Lines of the model that is read.
    pub(crate) lines: Lines,
}

impl Scan {
    /// The line a node begins in.
    pub(crate) fn line(&self, node: &Xml) -> usize {
        self.lines.at(node.range().start)
    }

    /// Notes a fault at a line.
    pub(crate) fn wrong(&mut self, line: usize, zh: impl Into<String>, en: impl Into<String>) {
        if self.problems.len() < 200 {
            self.problems.push(Problem {
                at: format!("line {line}"),
                words: Words::new(zh, en),
            });
        }
    }

    /// Reads a model.
    pub(crate) fn add(&mut self, xml: &str) {
        if xml.len() > MODEL_LIMIT {
            return self.wrong(
                1,
                format!("模型过大：最多 {MODEL_LIMIT} 字节"),
                format!("the model is too large: at most {MODEL_LIMIT} bytes"),
            );
        }
        if let Some(place) = xml.find(PREFIX) {
            let line = xml[..place].matches('\n').count() + 1;
            return self.wrong(
                line,
                format!("名称不得含有 {PREFIX}"),
                format!("no name may contain {PREFIX}"),
            );
        }
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: XML_NODES_LIMIT,
            ..ParsingOptions::default()
        };
        match Document::parse_with_options(xml, options) {
            Ok(document) => self.document(xml, &document),
            Err(roxmltree::Error::DtdDetected) => self.wrong(
                1,
                "不接受文档类型声明（DTD）",
                "a document type declaration is not accepted",
            ),
            Err(error) => {
                let line = error.pos().row as usize;
                self.wrong(
                    line,
                    format!("不是有效的 XML：{error}"),
                    format!("this is no well-formed XML: {error}"),
                );
            }
        }
    }

    fn document(&mut self, xml: &str, document: &Document) {
        self.lines = Lines::of(xml);
        let root = document.root_element();
        let namespace = root.tag_name().namespace().unwrap_or_default();
        if root.tag_name().name() != "definitions" || !NAMESPACES.contains(&namespace) {
            return self.wrong(
                1,
                "根元素应为 DMN 1.3、1.4 或 1.5 的 definitions",
                "the root must be definitions of DMN 1.3, 1.4 or 1.5",
            );
        }
        let too_deep = root
            .descendants()
            .find(|node| node.is_element() && node.ancestors().nth(XML_DEPTH_LIMIT).is_some());
        if let Some(node) = too_deep {
            return self.wrong(
                self.line(&node),
                format!("元素嵌套过深：最多 {XML_DEPTH_LIMIT} 层"),
                format!("elements nest too deep: at most {XML_DEPTH_LIMIT} levels"),
            );
        }
        let elements: Vec<Xml> = dmn(&root, namespace);
        check::elements(self, &elements);
        check::references(self, &root, &elements);
        let mut source = Source {
            namespace: root.attribute("namespace").unwrap_or_default().to_owned(),
            title: root.attribute("name").unwrap_or_default().to_owned(),
            services: vec![],
            inputs: vec![],
            book: Book::default(),
            edited: String::new(),
            texts: vec![],
        };
        for node in &elements {
            for attribute in ["name", "iteratorVariable"] {
                if let Some(name) = node.attribute(attribute) {
                    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
                    self.program.names.insert(name);
                }
            }
        }
        for node in root
            .children()
            .filter(|n| n.has_tag_name((namespace, "itemDefinition")))
        {
            let name = node.attribute("name").unwrap_or_default().to_owned();
            source.book.0.insert(name, item(&node, &self.lines));
        }
        check::types(self, &source.book, &elements);
        self.decisions(&root, &source.namespace);
        let mut edits = Edits::default();
        let scope = scope_of(self.program.names.iter().map(String::as_str).chain(["?"]));
        for node in &elements {
            spell_types(node, &source.book, &mut edits);
            self.logic(xml, node, &scope, &mut source, &mut edits);
        }
        self.interface(&root, &mut source);
        edits.insert(end_of(xml, &root), &dispatcher(&prefix(xml, &root)));
        source.edited = edits.apply(xml);
        self.sources.push(source);
    }

    /// Decisions and what they ask.
    fn decisions(&mut self, root: &Xml, namespace: &str) {
        let first = self.program.decisions.len();
        let mut names = BTreeSet::new();
        for node in root
            .children()
            .filter(|n| n.tag_name().name() == "decision")
        {
            let name = node.attribute("name").unwrap_or_default().to_owned();
            if !names.insert(name.clone()) {
                self.wrong(
                    self.line(&node),
                    format!("决策“{name}”重复"),
                    format!("there are two decisions \"{name}\""),
                );
            }
            let variable = child(&node, "variable");
            let logic = logic_of(&node).map_or("", |logic| logic.tag_name().name());
            let place = self.program.decisions.len();
            let id = node.attribute("id").unwrap_or_default();
            self.ids.insert(format!("{namespace}#{id}"), place);
            self.program.decisions.push(Decision {
                variable: variable
                    .and_then(|v| v.attribute("name"))
                    .unwrap_or(&name)
                    .to_owned(),
                shape: DecisionShape {
                    question: child(&node, "question").map(|q| text(&q)),
                    type_name: variable
                        .and_then(|v| v.attribute("typeRef"))
                        .unwrap_or_default()
                        .to_owned(),
                    logic: snake(logic),
                    name,
                    ..DecisionShape::default()
                },
                asks: vec![],
            });
        }
        let inputs: BTreeMap<&str, &str> = root
            .children()
            .filter(|n| n.tag_name().name() == "inputData")
            .filter_map(|n| Some((n.attribute("id")?, n.attribute("name")?)))
            .collect();
        let decisions = root
            .children()
            .filter(|n| n.tag_name().name() == "decision");
        for (place, node) in decisions.enumerate() {
            for required in node.descendants() {
                let Some(href) = required.attribute("href") else {
                    continue;
                };
                let whole = match href.starts_with('#') {
                    true => format!("{namespace}{href}"),
                    false => href.to_owned(),
                };
                match required.tag_name().name() {
                    "requiredDecision" => {
                        if let Some(asked) = self.ids.get(&whole).copied() {
                            let name = self.program.decisions[asked].shape.name.clone();
                            let decision = &mut self.program.decisions[first + place];
                            decision.asks.push(asked);
                            decision.shape.asks.push(name);
                        }
                    }
                    "requiredInput" => {
                        let id = href.rsplit('#').next().unwrap_or_default();
                        if let Some(name) = inputs.get(id) {
                            let decision = &mut self.program.decisions[first + place];
                            decision.shape.inputs.push((*name).to_owned());
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Inputs and services.
    fn interface(&mut self, root: &Xml, source: &mut Source) {
        for node in root.children() {
            let name = node.attribute("name").unwrap_or_default().to_owned();
            match node.tag_name().name() {
                "inputData" => {
                    let variable = child(&node, "variable");
                    let of = |attribute| variable.and_then(|v| v.attribute(attribute));
                    let name = of("name").unwrap_or(&name).to_owned();
                    let type_name = of("typeRef").unwrap_or_default().to_owned();
                    source.inputs.push((name, type_name));
                }
                "decisionService" => {
                    let outputs = node
                        .children()
                        .filter(|n| n.tag_name().name() == "outputDecision");
                    let outputs = outputs.filter_map(|n| {
                        let href = n.attribute("href")?;
                        let whole = match href.starts_with('#') {
                            true => format!("{}{href}", source.namespace),
                            false => href.to_owned(),
                        };
                        self.ids.get(&whole).copied()
                    });
                    let outputs = outputs.collect();
                    source.services.push(Service { name, outputs });
                }
                _ => {}
            }
        }
    }

    /// What is to be changed at an element, and the texts in it.
    fn logic(
        &mut self,
        xml: &str,
        node: &Xml,
        scope: &FeelScope,
        source: &mut Source,
        edits: &mut Edits,
    ) {
        let p = prefix(xml, node);
        match node.tag_name().name() {
            "decision" => {
                let id = node.attribute("id").unwrap_or_default();
                let place = self.ids.get(&format!("{}#{id}", source.namespace)).copied();
                let (Some(logic), Some(place)) = (logic_of(node), place) else {
                    return;
                };
                let end = end_of(xml, node);
                if logic.tag_name().name() != "functionDefinition" {
                    let before = format!(
                        "<{p}context><{p}contextEntry><{p}variable name=\"{PREFIX}_begin\"/>{}</{p}contextEntry><{p}contextEntry>",
                        literal(&p, "begin", place),
                    );
                    edits.wrap(
                        logic.range(),
                        &before,
                        &format!("</{p}contextEntry></{p}context>"),
                    );
                }
                edits.insert(
                    end,
                    &format!("<{p}knowledgeRequirement><{p}requiredKnowledge href=\"#{PREFIX}\"/></{p}knowledgeRequirement>"),
                );
            }
            "decisionTable" => self.table(xml, node, source, edits),
            "literalExpression" => self.literal(node, scope, source, edits),
            "functionDefinition" => self.measured(node),
            "conditional" | "filter" | "for" | "some" | "every" => {
                if node.tag_name().name() != "conditional" {
                    self.measured(node);
                }
                // The library does not look for these within each other, but it does in a context.
                let parent = node.parent().map_or("", |p| p.tag_name().name());
                if WITHIN.contains(&parent) {
                    let before = format!("<{p}context><{p}contextEntry>");
                    edits.wrap(
                        node.range(),
                        &before,
                        &format!("</{p}contextEntry></{p}context>"),
                    );
                }
            }
            "text" => {
                let parent = node.parent().map_or("", |p| p.tag_name().name());
                let grammar = match parent {
                    "inputExpression" | "outputEntry" => Grammar::Expression,
                    "inputEntry" | "inputValues" | "outputValues" | "defaultOutputEntry"
                    | "allowedValues" => Grammar::Tests,
                    _ => return,
                };
                let written = text(node);
                let nothing = match parent {
                    "inputEntry" => "-",
                    "outputEntry" => "null",
                    _ => "",
                };
                if written.trim().is_empty() && !nothing.is_empty() {
                    edits.replace(node.range(), &format!("<{p}text>{nothing}</{p}text>"));
                    return;
                }
                let read = self.note(node, &written, grammar, scope, source);
                let asks = |n: &AstNode| matches!(n, AstNode::Name(name) if name.as_str() == "?");
                if parent == "inputEntry"
                    && read.as_ref().is_some_and(|tests| every(tests).any(asks))
                {
                    // The library knows no `?`; we read the table in its place.
                    self.measured(node);
                    edits.replace(node.range(), &format!("<{p}text>-</{p}text>"));
                }
                let loops = read.is_some_and(|tests| !crate::instrument::plain(&tests));
                if parent == "allowedValues" && loops {
                    self.wrong(
                        self.line(node),
                        "允许的值不得循环或调用函数",
                        "allowed values may neither loop nor call functions",
                    );
                }
            }
            _ => {}
        }
    }

    /// An expression: laced when it must be.
    fn literal(&mut self, node: &Xml, scope: &FeelScope, source: &mut Source, edits: &mut Edits) {
        let Some(text_node) = child(node, "text") else {
            return;
        };
        let written = text(&text_node);
        let Some(read) = self.note(&text_node, &written, Grammar::Expression, scope, source) else {
            return;
        };
        let parent = node.parent().map_or("", |p| p.tag_name().name());
        // The name of the function of an invocation is no expression of its own.
        if parent == "invocation" {
            return;
        }
        let again = node
            .ancestors()
            .any(|a| REPEATING.contains(&a.tag_name().name()));
        if !again && harmless(&read) {
            return;
        }
        let place = self.program.texts.len();
        self.program.texts.push(Laced {
            text: written.clone(),
            evaluator: OnceLock::new(),
        });
        let new = format!(
            "if {PREFIX}(\"on\", {place}) then {PREFIX}(\"text\", {place}) else ({written}\n)"
        );
        let inner = text_node.children().fold(None, |range, child| {
            let child = child.range();
            Some(range.map_or(child.clone(), |r: std::ops::Range<usize>| {
                r.start..child.end
            }))
        });
        if let Some(range) = inner {
            edits.replace(range, &escape(&new));
        }
    }

    /// Refuses what could run for long where nobody measures it.
    fn measured(&mut self, node: &Xml) {
        let owner = node
            .ancestors()
            .find(|a| ["decision", "businessKnowledgeModel"].contains(&a.tag_name().name()));
        let id = owner.and_then(|a| a.attribute("id")).unwrap_or_default();
        if self.unmeasured.contains(id) {
            self.wrong(
                self.line(node),
                "被表达式调用的决策服务，其中的决策不得循环、定义或调用函数、构造对象",
                "a decision in a service that an expression calls may neither loop nor define or call functions nor make contexts",
            );
        }
    }

    /// Reads a text, and notes what is wrong with it.
    fn note(
        &mut self,
        node: &Xml,
        written: &str,
        grammar: Grammar,
        scope: &FeelScope,
        source: &mut Source,
    ) -> Option<AstNode> {
        source.texts.push(Placed {
            text: written.to_owned(),
            line: self.line(node),
            grammar,
        });
        match read(grammar, scope, written) {
            Ok(read) => {
                if !harmless(&read) {
                    self.measured(node);
                }
                Some(read)
            }
            Err(wrong) => {
                let what = written.trim();
                self.wrong(
                    self.line(node) + wrong.line - 1,
                    format!("“{what}”：{}", wrong.words.zh),
                    format!("\"{what}\": {}", wrong.words.en),
                );
                None
            }
        }
    }
}
