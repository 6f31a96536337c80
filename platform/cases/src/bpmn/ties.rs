//! The second pass: what ties the nodes of a process. Flows, attachments, undoing.

use super::model::*;
use super::read::{Draft, Reader};
use roxmltree::Node as Xml;
use std::collections::BTreeMap;

impl<'a> Reader<'a> {
    /// The second pass: what ties nodes.
    pub(super) fn tie(&mut self, draft: &mut Draft<'a>) {
        let mut by_flow = BTreeMap::new();
        for xml in std::mem::take(&mut draft.flows) {
            let id = self.id(xml);
            let (source, target) = (
                self.end(xml, "sourceRef", draft),
                self.end(xml, "targetRef", draft),
            );
            let (Some(source), Some(target)) = (source, target) else {
                continue;
            };
            let nodes = &mut draft.process.nodes;
            if nodes[source].parent != nodes[target].parent {
                self.wrong(
                    xml,
                    (
                        "顺序流不能跨越子流程边界",
                        "a sequence flow may not cross the edge of a sub-process",
                    ),
                );
                continue;
            }
            let at = draft.process.flows.len();
            nodes[source].outgoing.push(at);
            nodes[target].incoming.push(at);
            let condition = self.child_text(xml, "conditionExpression");
            draft.process.flows.push(Flow {
                id: id.clone(),
                name: xml.attribute("name").unwrap_or("").into(),
                source,
                target,
                condition,
            });
            if by_flow.insert(id, at).is_some() {
                self.wrong(xml, ("id 重复", "there is another flow of this id"));
            }
        }
        for (at, flow) in std::mem::take(&mut draft.defaults) {
            let node = &mut draft.process.nodes[at];
            node.default = by_flow
                .get(&flow)
                .copied()
                .filter(|flow| node.outgoing.contains(flow));
            if node.default.is_none() {
                let (line, id) = (node.line, node.id.clone());
                self.fault(
                    line,
                    format!("{id}：默认流“{flow}”不是它的出口"),
                    format!("{id}: the default flow \"{flow}\" does not leave it"),
                );
            }
        }
        for (at, host) in std::mem::take(&mut draft.attached) {
            self.attach(at, &host, draft);
        }
        for xml in std::mem::take(&mut draft.associations) {
            self.undo(xml, draft);
        }
    }

    fn end(&mut self, xml: Xml<'a, 'a>, attribute: &str, draft: &Draft<'a>) -> Option<NodeIndex> {
        let id = xml.attribute(attribute).unwrap_or("");
        let found = draft.by_id.get(id).copied();
        if found.is_none() {
            let (zh, en) = (
                format!("{attribute} 指向的“{id}”不存在"),
                format!("{attribute}: there is no \"{id}\""),
            );
            self.wrong(xml, (&zh, &en));
        }
        found
    }

    fn attach(&mut self, at: NodeIndex, host: &str, draft: &mut Draft<'a>) {
        let found = draft.by_id.get(host).copied();
        let nodes = &mut draft.process.nodes;
        let is_activity = |host: &NodeIndex| {
            let host = &nodes[*host];
            let activity = matches!(
                host.kind,
                NodeKind::Task(_)
                    | NodeKind::Call { .. }
                    | NodeKind::SubProcess { by_event: false }
            );
            activity && host.parent == nodes[at].parent
        };
        let Some(found) = found.filter(is_activity) else {
            let (line, id) = (nodes[at].line, nodes[at].id.clone());
            return self.fault(
                line,
                format!("{id}：边界事件须附着于同一层的活动（“{host}”不是）"),
                format!("{id}: a boundary event is attached to an activity of its level (\"{host}\" is none)"),
            );
        };
        nodes[found].boundary.push(at);
        if let NodeKind::Event {
            moment: Moment::Boundary { attached, .. },
            ..
        } = &mut nodes[at].kind
        {
            *attached = found;
        }
    }

    /// An association from a boundary event of compensation to what undoes its activity; any other
    /// association is part of the drawing.
    fn undo(&mut self, xml: Xml<'a, 'a>, draft: &mut Draft<'a>) {
        let of = |name: &str| draft.by_id.get(xml.attribute(name).unwrap_or("")).copied();
        let (Some(event), Some(handler)) = (of("sourceRef"), of("targetRef")) else {
            return;
        };
        let nodes = &mut draft.process.nodes;
        let NodeKind::Event {
            moment: Moment::Boundary { attached, .. },
            what: EventWhat::Compensation(_),
        } = nodes[event].kind
        else {
            return;
        };
        if draft.undoing.contains(&handler) {
            nodes[attached].compensation = Some(handler);
        } else {
            self.wrong(
                xml,
                (
                    "补偿处理活动须标记 isForCompensation",
                    "what undoes must be marked isForCompensation",
                ),
            );
        }
    }
}
