//! What publishing asks beyond what the machine needs to run: that nothing written in the file would
//! be passed over. Elements within tasks, attributes of ours, quantities, languages, expressions and
//! times. Drawings that are in the store already were taken by an older program and are not asked.

use super::elements::{Fate, fate};
use super::model::{EventWhat, Moment, Node, NodeKind, Process};
use super::read::{BPMN, OURS, Reader, bare};
use crate::machine::timer;
use kernel::Time;
use kernel::cases::{Expressions, Limit};
use roxmltree::Node as Xml;
use std::collections::BTreeSet;

/// Variables of several words that the expressions of a file may use, at most.
const NAMES: usize = 200;
/// Expressions of a file, at most.
const EXPRESSION_LIMIT: usize = 5_000;

/// Timers that begin one process, at most.
pub(crate) const START_TIMERS: usize = 20;

/// How a file is read.
#[derive(Clone, Copy)]
pub(super) enum Strictness<'e> {
    /// It was published once.
    Stored,
    /// It is looked through whole, but for its expressions.
    Whole,
    /// Its expressions too.
    Expressions(&'e dyn Expressions),
}

/// What an attribute of ours holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Name,
    Feel,
    /// `5 working days`, `PT4H`, a moment, or FEEL for one of them.
    Due,
}

/// Attributes, each with what it holds.
type Attributes = &'static [(&'static str, Holds)];

/// Attributes of ours by element.
const OWN: &[(&[&str], Attributes)] = &[
    (
        &["userTask", "manualTask"],
        &[
            ("assignee", Holds::Feel),
            ("roles", Holds::Name),
            ("organisation", Holds::Feel),
            ("form", Holds::Name),
            ("due", Holds::Due),
        ],
    ),
    (&["serviceTask"], &[("function", Holds::Name)]),
    (&["scriptTask"], &[("result", Holds::Name)]),
    (
        &["businessRuleTask"],
        &[("decision", Holds::Name), ("result", Holds::Name)],
    ),
    (
        &["multiInstanceLoopCharacteristics"],
        &[
            ("collection", Holds::Feel),
            ("item", Holds::Name),
            ("result", Holds::Feel),
            ("results", Holds::Name),
        ],
    ),
    (&["message"], &[("correlation", Holds::Feel)]),
];

const TASKS: &[&str] = &[
    "task",
    "userTask",
    "manualTask",
    "serviceTask",
    "scriptTask",
    "businessRuleTask",
    "sendTask",
    "receiveTask",
    "callActivity",
];
const LOOPS: &[&str] = &[
    "standardLoopCharacteristics",
    "multiInstanceLoopCharacteristics",
];
/// Elements that hold an expression.
const EXPRESSIONS: &[&str] = &[
    "conditionExpression",
    "condition",
    "loopCondition",
    "loopCardinality",
    "completionCondition",
    "script",
];
/// Elements that hold a time, or an expression for one.
const TIMES: &[&str] = &["timeDate", "timeDuration", "timeCycle"];
/// Elements whose children are looked at where they are read.
const ELSEWHERE: &[&str] = &["definitions", "process", "subProcess"];
/// Attributes of the standard that may say this only.
const ONLY: &[(&str, &str)] = &[
    ("startQuantity", "1"),
    ("completionQuantity", "1"),
    ("behavior", "All"),
    ("waitForCompletion", "true"),
];
/// Attributes of the standard outside the subset.
const OUTSIDE: &[&str] = &[
    "operationRef",
    "oneBehaviorEventRef",
    "noneBehaviorEventRef",
];
/// What the schema says when a file says no language; modellers write it without meaning it.
const XPATH: &str = "http://www.w3.org/1999/XPath";

/// Elements of the subset that may stand within another one.
fn within(parent: &str) -> &'static [&'static str] {
    match parent {
        "scriptTask" => &[
            "script",
            "standardLoopCharacteristics",
            "multiInstanceLoopCharacteristics",
        ],
        parent if TASKS.contains(&parent) => LOOPS,
        "sequenceFlow" => &["conditionExpression"],
        "standardLoopCharacteristics" => &["loopCondition"],
        "multiInstanceLoopCharacteristics" => &["loopCardinality", "completionCondition"],
        "conditionalEventDefinition" => &["condition"],
        "timerEventDefinition" => TIMES,
        _ => &[],
    }
}

fn is_feel(language: &str) -> bool {
    let language = language.trim().trim_end_matches('/').to_lowercase();
    language == "feel" || language.ends_with("/feel")
}

/// Does a throw of compensation see this activity? One that does not exist is said elsewhere.
fn is_seen(process: &Process, node: &Node, activity: &str) -> bool {
    let Some(target) = process.find(activity).map(|at| &process.nodes[at]) else {
        return true;
    };
    let is_activity = matches!(
        target.kind,
        NodeKind::Task(_) | NodeKind::Call { .. } | NodeKind::SubProcess { by_event: false }
    );
    let mut scope = node.parent;
    while scope != target.parent {
        match scope.map(|at| &process.nodes[at]) {
            Some(around) if matches!(around.kind, NodeKind::SubProcess { by_event: true }) => {
                scope = around.parent;
            }
            _ => return false,
        }
    }
    is_activity
}

/// Is it written as a time, and not as an expression for one?
fn is_literal(text: &str) -> bool {
    let mut signs = text.chars();
    let (first, second) = (signs.next(), signs.next());
    let digit = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_digit());
    match first {
        Some('P') => digit(second) || second == Some('T'),
        Some('R') => digit(second) || second == Some('/'),
        first => digit(first),
    }
}

/// The text within quotes, when nothing else is said.
fn quoted(text: &str) -> Option<&str> {
    let text = text.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('"')).then_some(text)
}

fn reads_due(text: &str) -> bool {
    Limit::parse(text).is_some() || timer::duration(text).is_some() || Time::parse(text).is_some()
}

impl<'a> Reader<'a> {
    /// Looks through the whole file.
    pub(super) fn look_through(&mut self) {
        if matches!(self.strictness, Strictness::Stored) {
            return;
        }
        let root = self.document.root_element();
        let language = root.attribute("expressionLanguage").unwrap_or(XPATH);
        if language != XPATH && !is_feel(language) {
            self.not_feel(root, "expressionLanguage");
        }
        // Single words are known anyway.
        let several = |name: &&str| !name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let names: BTreeSet<&str> = root
            .descendants()
            .flat_map(|xml| ["result", "results", "item"].map(|name| xml.attribute((OURS, name))))
            .flatten()
            .filter(several)
            .take(NAMES)
            .collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut next = vec![root];
        while let Some(xml) = next.pop() {
            self.own(xml, &names);
            let ours = xml.tag_name().namespace() == Some(BPMN);
            if ours && fate(xml.tag_name().name()) == Some(Fate::Read) {
                self.standard(xml, &names);
            } else {
                // Part of the drawing, or of another maker: only what is ours is looked at.
                for inner in xml.descendants().skip(1).filter(Xml::is_element) {
                    self.own(inner, &names);
                }
                continue;
            }
            let inner: Vec<_> = xml.children().filter(Xml::is_element).collect();
            next.extend(inner.into_iter().rev());
        }
    }

    /// Events that would never do anything.
    pub(super) fn look_at_events(&mut self, process: &Process) {
        if matches!(self.strictness, Strictness::Stored) {
            return;
        }
        if let Some((_, node, _)) = process.begun_by_timers().nth(START_TIMERS) {
            let id = &node.id;
            self.fault(
                node.line,
                format!("{id}：一个流程至多由 {START_TIMERS} 个定时启动"),
                format!("{id}: a process is begun by {START_TIMERS} timers at most"),
            );
        }
        for node in &process.nodes {
            let NodeKind::Event { moment, what } = &node.kind else {
                continue;
            };
            let begins = matches!(moment, Moment::Start { .. }) && node.parent.is_none();
            let (zh, en): (String, String) = match what {
                EventWhat::Timer(trigger) if begins => match timer::begins_too_fast(trigger) {
                    Some(words) => (words.zh, words.en),
                    None => continue,
                },
                EventWhat::Conditional(_) if begins => (
                    "流程不能由条件启动：办件开始之前没有可供判断的数据。请由规则发出消息或信号来启动；事件子流程可由条件启动"
                        .into(),
                    "a process is not begun by a condition: before a case there are no data it could be about. Begin it by a message or a signal; an event sub-process may begin by a condition"
                        .into(),
                ),
                EventWhat::Compensation(Some(activity)) if !is_seen(process, node, activity) => (
                    "activityRef 指向的活动从此处不可见（须在同一层，或在事件子流程所在的一层）".into(),
                    "activityRef names an activity that is not seen from here: it is neither of this scope nor of the one around its event sub-process".into(),
                ),
                _ => continue,
            };
            let id = &node.id;
            self.fault(node.line, format!("{id}：{zh}"), format!("{id}: {en}"));
        }
    }

    /// An element of the standard that is read.
    fn standard(&mut self, xml: Xml<'a, 'a>, names: &[&str]) {
        let name = xml.tag_name().name();
        for (attribute, only) in ONLY {
            if xml.attribute(*attribute).is_some_and(|said| said != *only) {
                let (zh, en) = (
                    format!("{attribute} 只支持 {only}"),
                    format!("{attribute} may only be {only}"),
                );
                self.wrong(xml, (&zh, &en));
            }
        }
        for attribute in OUTSIDE.iter().filter(|name| xml.has_attribute(**name)) {
            let (zh, en) = (
                format!("{attribute} 不在支持的 BPMN 子集内"),
                format!("{attribute} is outside the subset"),
            );
            self.wrong(xml, (&zh, &en));
        }
        // Children of events are looked at where events are read.
        if !ELSEWHERE.contains(&name) && !name.ends_with("Event") {
            let allowed = within(name);
            for child in self.children(xml) {
                if !allowed.contains(&child.tag_name().name()) {
                    self.wrong(child, ("不应出现在此处", "does not belong here"));
                }
            }
        }
        let (expression, time) = (EXPRESSIONS.contains(&name), TIMES.contains(&name));
        if !(expression || time) {
            return;
        }
        if xml.attribute("language").is_some_and(|said| !is_feel(said)) {
            return self.not_feel(xml, "language");
        }
        // What is missing is said where it is read.
        let Some(text) = bare(xml) else { return };
        if time {
            self.time(xml, name, &text, names, |text| timer::is_time(name, text));
        } else {
            self.expression(xml, name, &text, names);
        }
    }

    /// What is of our namespace, on any element.
    fn own(&mut self, xml: Xml<'a, 'a>, names: &[&str]) {
        if xml.tag_name().namespace() == Some(OURS) {
            let words = (
                "urn:jicheng:bpmn:1 中没有元素，只有属性",
                "there are attributes in urn:jicheng:bpmn:1, no elements",
            );
            return self.wrong(xml, words);
        }
        let name = match xml.tag_name().namespace() {
            Some(BPMN) => xml.tag_name().name(),
            _ => "",
        };
        let known = OWN.iter().find(|(elements, _)| elements.contains(&name));
        let known = known.map_or(&[][..], |(_, attributes)| *attributes);
        let said = xml.attributes().filter(|a| a.namespace() == Some(OURS));
        for attribute in said {
            let (own, text) = (attribute.name(), attribute.value().trim());
            let found = known.iter().find(|(name, _)| *name == own);
            let Some((_, holds)) = found else {
                self.not_ours(xml, own, known);
                continue;
            };
            if text.is_empty() && !["message", LOOPS[1]].contains(&name) {
                continue; // nobody is named
            }
            let own = format!("jicheng:{own}");
            match holds {
                Holds::Name => {}
                Holds::Feel => self.expression(xml, &own, text, names),
                Holds::Due => self.time(xml, &own, text, names, reads_due),
            }
        }
    }

    fn not_ours(&mut self, xml: Xml<'a, 'a>, attribute: &str, known: &[(&str, Holds)]) {
        let known: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let (zh, en) = if known.is_empty() {
            (
                format!("此处没有属性 jicheng:{attribute}"),
                format!("there is no attribute jicheng:{attribute} here"),
            )
        } else {
            let known = known.join(", ");
            (
                format!("此处没有属性 jicheng:{attribute}（有 {known}）"),
                format!("there is no attribute jicheng:{attribute} here, but {known}"),
            )
        };
        self.wrong(xml, (&zh, &en));
    }

    fn not_feel(&mut self, xml: Xml<'a, 'a>, attribute: &str) {
        let (zh, en) = (
            format!("{attribute}：表达式只支持 FEEL"),
            format!("{attribute}: only FEEL expressions are evaluated"),
        );
        self.wrong(xml, (&zh, &en));
    }

    fn expression(&mut self, xml: Xml<'a, 'a>, at: &str, text: &str, names: &[&str]) {
        let Strictness::Expressions(expressions) = self.strictness else {
            return;
        };
        self.expressions += 1;
        if self.expressions == EXPRESSION_LIMIT {
            let (zh, en) = (
                format!("表达式过多（上限 {EXPRESSION_LIMIT}）"),
                format!("a file has at most {EXPRESSION_LIMIT} expressions"),
            );
            self.wrong(xml, (&zh, &en));
        }
        if self.expressions >= EXPRESSION_LIMIT {
            return;
        }
        let Err(fault) = expressions.check(text, names) else {
            return;
        };
        let words = fault.problems.into_iter().next().map(|p| p.words);
        let words = words.unwrap_or(fault.words);
        let (zh, en) = (
            format!("{at} “{text}”不是 FEEL 表达式：{}", words.zh),
            format!("{at} \"{text}\" is no FEEL expression: {}", words.en),
        );
        self.wrong_text(xml, &zh, &en);
    }

    /// A time as it is written, or an expression for one.
    fn time(
        &mut self,
        xml: Xml<'a, 'a>,
        at: &str,
        text: &str,
        names: &[&str],
        reads: impl Fn(&str) -> bool,
    ) {
        if reads(text) {
            return;
        }
        let wrong = match quoted(text) {
            Some(within) => !reads(within),
            None => is_literal(text),
        };
        if !wrong {
            return self.expression(xml, at, text, names);
        }
        let (zh, en) = (
            format!("{at} “{text}”不是可用的时间"),
            format!("{at} \"{text}\" is no time that can be read"),
        );
        self.wrong_text(xml, &zh, &en);
    }

    /// A fault about a text, said of the nearest element around it that has a name.
    fn wrong_text(&mut self, xml: Xml<'a, 'a>, zh: &str, en: &str) {
        let named = xml.ancestors().find(|xml| xml.has_attribute("id"));
        let named = named.unwrap_or(xml);
        let (what, id) = (
            named.tag_name().name(),
            named.attribute("id").unwrap_or_default(),
        );
        let line = self.line(xml);
        self.fault(
            line,
            format!("{what} {id}：{zh}"),
            format!("{what} {id}: {en}"),
        );
    }
}
