//! From XML to the model, in two passes: first every node with what it says of itself, then what
//! ties them (flows, attachments, undoing). All faults come at once.

use super::elements::{Fate, fate};
use super::events::{self, Words2};
use super::model::*;
use super::shape;
use super::strict::Strictness;
use kernel::cases::Expressions;
use kernel::lines::Lines;
use kernel::{Problem, Words};
use roxmltree::{Document, Node as Xml, ParsingOptions};
use std::collections::BTreeMap;

/// Namespace of BPMN 2.0 models.
pub(super) const BPMN: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
/// Namespace of what BPMN leaves to us: who does a task, which function, which form.
pub(super) const OURS: &str = "urn:jicheng:bpmn:1";
/// Bytes of a file, at most.
const FILE_LIMIT: usize = 2 << 20;
/// Nodes of the XML, at most; also bounds what entities can blow up to.
const XML_LIMIT: u32 = 200_000;
/// Nodes of one process, at most.
const NODE_LIMIT: usize = 2_000;
/// Sub-processes within each other, at most.
const DEPTH_LIMIT: usize = 16;
/// Faults named, at most.
const FAULT_LIMIT: usize = 200;

/// Reads a file; `name` stands in front of the lines in faults.
pub fn read(name: &str, xml: &str) -> Result<Model, Vec<Problem>> {
    read_as(name, xml, Strictness::Whole)
}

/// Reads a file that is to be published: its expressions too.
pub fn read_new(
    name: &str,
    xml: &str,
    expressions: &dyn Expressions,
) -> Result<Model, Vec<Problem>> {
    read_as(name, xml, Strictness::Expressions(expressions))
}

/// Reads a file that was published once. What an older program took and passed over is passed over
/// still, so that cases that run go on.
pub fn read_stored(name: &str, xml: &str) -> Result<Model, Vec<Problem>> {
    read_as(name, xml, Strictness::Stored)
}

fn read_as(name: &str, xml: &str, strictness: Strictness<'_>) -> Result<Model, Vec<Problem>> {
    let one = |line: usize, zh: String, en: String| {
        let at = format!("{name}:{line}");
        vec![Problem {
            at,
            words: Words::new(zh, en),
        }]
    };
    if xml.len() > FILE_LIMIT {
        let (zh, en) = (
            "流程文件过大（上限 2 MiB）",
            "the file is larger than 2 MiB",
        );
        return Err(one(1, zh.into(), en.into()));
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: XML_LIMIT,
        ..Default::default()
    };
    let document = Document::parse_with_options(xml, options).map_err(|e| {
        let line = e.pos().row as usize;
        one(
            line,
            format!("不是有效的 XML：{e}"),
            format!("not well-formed XML: {e}"),
        )
    })?;
    let mut reader = Reader {
        name,
        document: &document,
        lines: Lines::of(xml),
        faults: vec![],
        model: Model::default(),
        strictness,
        expressions: 0,
    };
    reader.definitions();
    if reader.faults.is_empty() {
        Ok(reader.model)
    } else {
        Err(reader.faults)
    }
}

/// Reads one document.
pub(super) struct Reader<'a> {
    name: &'a str,
    pub(super) document: &'a Document<'a>,
    lines: Lines,
    faults: Vec<Problem>,
    pub(super) model: Model,
    pub(super) strictness: Strictness<'a>,
    /// Expressions looked at.
    pub(super) expressions: usize,
}

/// What is known of a process while it is read.
#[derive(Default)]
pub(super) struct Draft<'a> {
    pub(super) process: Process,
    /// Identification → node.
    pub(super) by_id: BTreeMap<String, NodeIndex>,
    pub(super) flows: Vec<Xml<'a, 'a>>,
    pub(super) associations: Vec<Xml<'a, 'a>>,
    /// Boundary events with the identification of what they are attached to.
    pub(super) attached: Vec<(NodeIndex, String)>,
    pub(super) defaults: Vec<(NodeIndex, String)>,
    /// Activities done only to undo.
    pub(super) undoing: Vec<NodeIndex>,
}

impl<'a> Reader<'a> {
    pub(super) fn line(&self, xml: Xml<'a, 'a>) -> usize {
        self.lines.at(xml.range().start)
    }

    pub(super) fn fault(&mut self, line: usize, zh: impl Into<String>, en: impl Into<String>) {
        if self.faults.len() >= FAULT_LIMIT {
            return;
        }
        let at = format!("{}:{line}", self.name);
        self.faults.push(Problem {
            at,
            words: Words::new(zh, en),
        });
    }

    /// A fault about an element.
    pub(super) fn wrong(&mut self, xml: Xml<'a, 'a>, (zh, en): Words2<'_>) {
        let line = self.line(xml);
        let id = xml.attribute("id").unwrap_or("");
        let what = xml.tag_name().name();
        self.fault(
            line,
            format!("{what} {id}：{zh}"),
            format!("{what} {id}: {en}"),
        );
    }

    /// Elements of the standard directly below, those outside the subset refused.
    pub(super) fn children(&mut self, xml: Xml<'a, 'a>) -> Vec<Xml<'a, 'a>> {
        let mut known = vec![];
        for child in xml.children().filter(Xml::is_element) {
            if child.tag_name().namespace() != Some(BPMN) {
                continue;
            }
            match fate(child.tag_name().name()) {
                Some(Fate::Read) => known.push(child),
                Some(Fate::Drawn) => {}
                None => self.wrong(child, ("不在支持的 BPMN 子集内", "is outside the subset")),
            }
        }
        known
    }

    fn definitions(&mut self) {
        let root = self.document.root_element();
        if root.tag_name().namespace() != Some(BPMN) || root.tag_name().name() != "definitions" {
            self.fault(1, "不是 BPMN 2.0 文件", "this is no BPMN 2.0 file");
            return;
        }
        let children = self.children(root);
        self.look_through();
        for child in &children {
            self.named(*child);
        }
        for child in children.iter().filter(|c| c.tag_name().name() == "process") {
            let process = self.process(*child);
            if self
                .model
                .processes
                .insert(process.id.clone(), process)
                .is_some()
            {
                self.wrong(
                    *child,
                    ("流程标识重复", "there is another process of this id"),
                );
            }
        }
        if self.model.processes.is_empty() && self.faults.is_empty() {
            self.fault(1, "文件中没有流程", "there is no process in the file");
        }
    }

    /// Messages, signals, errors and escalations.
    fn named(&mut self, xml: Xml<'a, 'a>) {
        let (attribute, kind) = match xml.tag_name().name() {
            "message" | "signal" => ("name", xml.tag_name().name()),
            "error" => ("errorCode", "error"),
            "escalation" => ("escalationCode", "escalation"),
            "process" => return,
            _ => return self.wrong(xml, ("不应出现在此处", "does not belong here")),
        };
        let id = self.id(xml);
        let Some(name) = xml.attribute(attribute).filter(|name| !name.is_empty()) else {
            let (zh, en) = (
                format!("缺少 {attribute}"),
                format!("{attribute} is missing"),
            );
            return self.wrong(xml, (&zh, &en));
        };
        let named = Named {
            name: name.into(),
            correlation: xml.attribute((OURS, "correlation")).map(String::from),
        };
        let of_kind = match kind {
            "message" => &mut self.model.messages,
            "signal" => &mut self.model.signals,
            "error" => &mut self.model.errors,
            _ => &mut self.model.escalations,
        };
        of_kind.insert(id, named);
    }

    pub(super) fn id(&mut self, xml: Xml<'a, 'a>) -> String {
        match xml.attribute("id") {
            Some(id) if !id.is_empty() && id.len() <= 200 => id.into(),
            _ => {
                self.wrong(
                    xml,
                    ("缺少 id（或超过 200 个字符）", "id is missing or too long"),
                );
                String::new()
            }
        }
    }

    fn process(&mut self, xml: Xml<'a, 'a>) -> Process {
        let mut draft = Draft::default();
        draft.process.id = self.id(xml);
        draft.process.name = xml.attribute("name").unwrap_or("").into();
        self.scope(xml, None, 0, &mut draft);
        self.tie(&mut draft);
        shape::check(self, &draft);
        self.look_at_events(&draft.process);
        draft.process
    }

    fn scope(
        &mut self,
        xml: Xml<'a, 'a>,
        parent: Option<NodeIndex>,
        depth: usize,
        draft: &mut Draft<'a>,
    ) {
        if depth > DEPTH_LIMIT {
            return self.wrong(
                xml,
                ("子流程嵌套过深", "sub-processes are nested too deeply"),
            );
        }
        for child in self.children(xml) {
            match child.tag_name().name() {
                "sequenceFlow" => draft.flows.push(child),
                "association" => draft.associations.push(child),
                name if is_node(name) => self.node(child, parent, depth, draft),
                // What belongs to the sub-process as an activity is read with its node.
                "standardLoopCharacteristics" | "multiInstanceLoopCharacteristics"
                    if parent.is_some() => {}
                _ => self.wrong(child, ("不应出现在此处", "does not belong here")),
            }
        }
    }

    fn node(
        &mut self,
        xml: Xml<'a, 'a>,
        parent: Option<NodeIndex>,
        depth: usize,
        draft: &mut Draft<'a>,
    ) {
        let at = draft.process.nodes.len();
        if at == NODE_LIMIT {
            self.wrong(
                xml,
                (
                    "流程节点过多（上限 2000）",
                    "a process has at most 2,000 nodes",
                ),
            );
        }
        if at >= NODE_LIMIT {
            return;
        }
        let id = self.id(xml);
        let Some(kind) = self.kind(xml, at, draft) else {
            return;
        };
        let is_scope = matches!(kind, NodeKind::SubProcess { .. });
        draft.process.nodes.push(Node {
            id: id.clone(),
            name: xml.attribute("name").unwrap_or("").into(),
            line: self.line(xml),
            kind,
            parent,
            incoming: vec![],
            outgoing: vec![],
            default: None,
            repeats: self.repeats(xml),
            boundary: vec![],
            compensation: None,
        });
        if draft.by_id.insert(id, at).is_some() {
            self.wrong(xml, ("id 重复", "there is another node of this id"));
        }
        if let Some(flow) = xml.attribute("default") {
            draft.defaults.push((at, flow.into()));
        }
        if xml.attribute("isForCompensation") == Some("true") {
            draft.undoing.push(at);
        }
        if is_scope {
            self.scope(xml, Some(at), depth + 1, draft);
        }
    }

    fn kind(&mut self, xml: Xml<'a, 'a>, at: NodeIndex, draft: &mut Draft<'a>) -> Option<NodeKind> {
        let kind = match xml.tag_name().name() {
            "exclusiveGateway" => NodeKind::Exclusive,
            "parallelGateway" => NodeKind::Parallel,
            "inclusiveGateway" => NodeKind::Inclusive,
            "eventBasedGateway" => {
                if xml.attribute("instantiate") == Some("true") {
                    self.wrong(
                        xml,
                        ("不支持 instantiate", "instantiate is outside the subset"),
                    );
                }
                NodeKind::EventBased
            }
            "subProcess" => NodeKind::SubProcess {
                by_event: xml.attribute("triggeredByEvent") == Some("true"),
            },
            "callActivity" => match xml
                .attribute("calledElement")
                .filter(|called| !called.is_empty())
            {
                // A prefixed name means the same process.
                Some(called) => NodeKind::Call {
                    process: called.rsplit(':').next().unwrap_or(called).into(),
                },
                None => {
                    self.wrong(xml, ("缺少 calledElement", "calledElement is missing"));
                    return None;
                }
            },
            name if name.ends_with("ask") => NodeKind::Task(self.task(xml)?),
            _ => {
                let (moment, attached) = self.moment(xml);
                if let Some(attached) = attached {
                    draft.attached.push((at, attached));
                }
                let what = events::what(self, xml, moment)?;
                NodeKind::Event { moment, what }
            }
        };
        Some(kind)
    }

    fn moment(&mut self, xml: Xml<'a, 'a>) -> (Moment, Option<String>) {
        let moment = match xml.tag_name().name() {
            "startEvent" => Moment::Start {
                interrupting: xml.attribute("isInterrupting") != Some("false"),
            },
            "intermediateCatchEvent" => Moment::Catch,
            "intermediateThrowEvent" => Moment::Throw,
            "endEvent" => Moment::End,
            _ => {
                let attached = xml.attribute("attachedToRef").unwrap_or("").to_string();
                let interrupting = xml.attribute("cancelActivity") != Some("false");
                return (
                    Moment::Boundary {
                        attached: 0,
                        interrupting,
                    },
                    Some(attached),
                );
            }
        };
        (moment, None)
    }

    /// An attribute that must be there.
    pub(super) fn needs(
        &mut self,
        xml: Xml<'a, 'a>,
        name: &str,
        value: Option<&str>,
    ) -> Option<String> {
        let value = value.map(str::trim).filter(|value| !value.is_empty());
        if value.is_none() {
            let (zh, en) = (format!("缺少 {name}"), format!("{name} is missing"));
            self.wrong(xml, (&zh, &en));
        }
        value.map(String::from)
    }

    /// A reference to a message, signal, error or escalation that must exist.
    pub(super) fn reference(&mut self, xml: Xml<'a, 'a>, attribute: &str) -> Option<String> {
        let found = self.needs(xml, attribute, xml.attribute(attribute))?;
        let id = found.rsplit(':').next().unwrap_or(&found).to_string();
        let of_kind = match attribute {
            "messageRef" => &self.model.messages,
            "signalRef" => &self.model.signals,
            "errorRef" => &self.model.errors,
            _ => &self.model.escalations,
        };
        if !of_kind.contains_key(&id) {
            let (zh, en) = (
                format!("{attribute} 指向的“{id}”不存在"),
                format!("{attribute}: there is no \"{id}\""),
            );
            self.wrong(xml, (&zh, &en));
        }
        Some(id)
    }

    /// The text of an element directly below.
    pub(super) fn child_text(&mut self, xml: Xml<'a, 'a>, name: &str) -> Option<String> {
        let child = xml
            .children()
            .find(|c| c.tag_name().namespace() == Some(BPMN) && c.tag_name().name() == name)?;
        bare(child)
    }
}

/// The text of an element, if there is any.
pub(super) fn bare(xml: Xml<'_, '_>) -> Option<String> {
    let text: String = xml
        .descendants()
        .filter(Xml::is_text)
        .filter_map(|t| t.text())
        .collect();
    let text = text.trim();
    // Modellers mark a FEEL expression with a leading equals sign.
    let text = text.strip_prefix('=').unwrap_or(text).trim();
    (!text.is_empty()).then(|| text.to_string())
}

fn is_node(name: &str) -> bool {
    let ends = ["ask", "Gateway", "Event"];
    ends.iter().any(|end| name.ends_with(end)) || ["subProcess", "callActivity"].contains(&name)
}
