//! The shape of a whole process: what the machine may rely on. A process that is taken here can
//! neither get a token nowhere to go nor a choice without an answer by the drawing's fault.

use super::model::*;
use super::read::{Draft, Reader};

/// Checks a process whose nodes and flows are read.
pub(super) fn check(reader: &mut Reader<'_>, draft: &Draft<'_>) {
    let process = &draft.process;
    for (at, node) in process.nodes.iter().enumerate() {
        for (zh, en) in faults(process, draft, at, node) {
            let id = &node.id;
            reader.fault(node.line, format!("{id}：{zh}"), format!("{id}: {en}"));
        }
    }
    let scopes = std::iter::once(None).chain(
        process
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, n)| matches!(n.kind, NodeKind::SubProcess { .. }))
            .map(|(at, _)| Some(at)),
    );
    for scope in scopes {
        check_scope(reader, draft, scope);
    }
}

type Found = Vec<(&'static str, &'static str)>;

fn faults(process: &Process, draft: &Draft<'_>, at: NodeIndex, node: &Node) -> Found {
    let mut found: Found = vec![];
    let undoing = draft.undoing.contains(&at);
    let by_event = matches!(node.kind, NodeKind::SubProcess { by_event: true });
    if (undoing || by_event) && !(node.incoming.is_empty() && node.outgoing.is_empty()) {
        found.push(("不能有顺序流", "may not be tied by sequence flows"));
    }
    if undoing && !process.is_compensation(at) {
        found.push((
            "补偿处理活动没有与补偿边界事件关联",
            "no boundary event of compensation leads to it",
        ));
    }
    match &node.kind {
        NodeKind::Event { moment, what } => event(process, node, *moment, what, &mut found),
        NodeKind::Exclusive | NodeKind::Inclusive => choice(process, node, &mut found),
        NodeKind::Parallel => {
            if node
                .outgoing
                .iter()
                .any(|flow| process.flows[*flow].condition.is_some())
            {
                found.push((
                    "并行网关的出口不能带条件",
                    "a flow out of a parallel gateway has no condition",
                ));
            }
        }
        NodeKind::EventBased => event_based(process, node, &mut found),
        NodeKind::Task(_) | NodeKind::SubProcess { .. } | NodeKind::Call { .. } => {
            let conditional = |flow: &&FlowIndex| process.flows[**flow].condition.is_some();
            if node.default.is_some() && !node.outgoing.iter().any(|flow| conditional(&flow)) {
                found.push((
                    "默认流须与条件流同时出现",
                    "a default flow needs conditional ones beside it",
                ));
            }
        }
    }
    let gateway = matches!(
        node.kind,
        NodeKind::Exclusive | NodeKind::Parallel | NodeKind::Inclusive | NodeKind::EventBased
    );
    if gateway && node.outgoing.is_empty() {
        found.push(("网关没有出口", "a gateway needs a way out"));
    }
    found
}

fn event(process: &Process, node: &Node, moment: Moment, what: &EventWhat, found: &mut Found) {
    let (none_in, none_out) = (node.incoming.is_empty(), node.outgoing.is_empty());
    match moment {
        Moment::Start { interrupting } => {
            if !none_in {
                found.push(("开始事件不能有入口", "a start event has no way in"));
            }
            let by_event = node.parent.is_some_and(|p| {
                matches!(
                    process.nodes[p].kind,
                    NodeKind::SubProcess { by_event: true }
                )
            });
            let triggered = *what != EventWhat::None;
            if by_event && !triggered {
                found.push((
                    "事件子流程的开始事件须有触发",
                    "the start event of an event sub-process needs a trigger",
                ));
            }
            if !by_event && node.parent.is_some() && triggered {
                found.push((
                    "嵌入子流程的开始事件不能有触发",
                    "the start event of a sub-process has no trigger",
                ));
            }
            if !by_event && matches!(what, EventWhat::Error(_) | EventWhat::Escalation(_)) {
                found.push((
                    "流程不能由错误或升级启动",
                    "a process is not started by an error or an escalation",
                ));
            }
            if !by_event && !interrupting {
                found.push((
                    "只有事件子流程可以不中断",
                    "only an event sub-process may not interrupt",
                ));
            }
            if matches!(what, EventWhat::Error(_)) && !interrupting {
                found.push(("错误总是中断", "an error always interrupts"));
            }
            if let EventWhat::Compensation(activity) = what {
                undoing_start(process, node, by_event, interrupting, found);
                if activity.is_some() {
                    found.push((
                        "补偿开始事件不带 activityRef：它补偿所在的子流程",
                        "a compensation start event has no activityRef: it is for the sub-process around it",
                    ));
                }
            }
        }
        Moment::End if !none_out => {
            found.push(("结束事件不能有出口", "an end event has no way out"))
        }
        Moment::End => {}
        Moment::Boundary { attached, .. } => {
            if !none_in {
                found.push(("边界事件不能有入口", "a boundary event has no way in"));
            }
            if matches!(what, EventWhat::Compensation(_)) {
                if !none_out {
                    found.push((
                        "补偿边界事件用关联而不是顺序流",
                        "a boundary event of compensation is tied by an association",
                    ));
                }
                if process.nodes[attached].compensation.is_none() {
                    found.push((
                        "补偿边界事件没有处理活动",
                        "nothing undoes the activity of this event",
                    ));
                }
            }
        }
        Moment::Catch | Moment::Throw => {}
    }
    if let EventWhat::Compensation(Some(activity)) = what
        && !process.nodes.iter().any(|n| n.id == *activity)
    {
        found.push((
            "activityRef 指向的活动不存在",
            "activityRef names no activity",
        ));
    }
}

/// The start event of what undoes the sub-process around it (table 10.93; 13.5.5).
fn undoing_start(
    process: &Process,
    node: &Node,
    by_event: bool,
    interrupting: bool,
    found: &mut Found,
) {
    if !by_event {
        return found.push((
            "补偿只能启动事件子流程",
            "compensation begins event sub-processes only",
        ));
    }
    if !interrupting {
        found.push((
            "补偿开始事件没有不中断的形式",
            "a compensation start event has no form that does not interrupt",
        ));
    }
    let handler = node.parent.map(|at| &process.nodes[at]);
    let Some(around) = handler.and_then(|handler| handler.parent) else {
        return found.push((
            "补偿事件子流程须在它所补偿的子流程之内",
            "a compensation event sub-process stands within the sub-process it undoes",
        ));
    };
    if process.undoing_start(around).is_some() {
        found.push((
            "补偿事件子流程之内不能再有补偿事件子流程",
            "what undoes is not undone itself: no compensation event sub-process within another",
        ));
    }
    let several = process
        .within(Some(around))
        .filter(|(at, _)| process.undoing_start(*at).is_some());
    if several.count() > 1 {
        found.push((
            "一个子流程至多有一个补偿事件子流程",
            "a sub-process has one compensation event sub-process at most",
        ));
    }
    if process.is_compensation(around) {
        found.push((
            "补偿处理活动本身不会被补偿，不能有补偿事件子流程",
            "what undoes is not undone itself: it has no compensation event sub-process",
        ));
    }
    if process.nodes[around].compensation.is_some() {
        found.push((
            "该子流程已有补偿边界事件，不能再有补偿事件子流程",
            "the sub-process is undone by its boundary event already; it has no compensation event sub-process beside it",
        ));
    }
}

fn choice(process: &Process, node: &Node, found: &mut Found) {
    if node.outgoing.len() < 2 {
        return;
    }
    let bare = |flow: &&FlowIndex| {
        process.flows[**flow].condition.is_none() && node.default != Some(**flow)
    };
    if node.outgoing.iter().any(|flow| bare(&flow)) {
        found.push((
            "每个出口须有条件或为默认流",
            "every way out has a condition or is the default",
        ));
    }
    if node
        .default
        .is_some_and(|flow| process.flows[flow].condition.is_some())
    {
        found.push(("默认流不能带条件", "the default flow has no condition"));
    }
}

fn event_based(process: &Process, node: &Node, found: &mut Found) {
    if node.outgoing.len() < 2 {
        found.push((
            "事件网关至少有两个出口",
            "an event-based gateway has two ways out at least",
        ));
    }
    let awaited = |flow: &FlowIndex| {
        let target = &process.nodes[process.flows[*flow].target];
        let waits = match &target.kind {
            NodeKind::Event {
                moment: Moment::Catch,
                ..
            } => true,
            NodeKind::Task(TaskKind::Receive(_)) => target.boundary.is_empty(),
            _ => false,
        };
        waits && target.incoming.len() == 1
    };
    if !node.outgoing.iter().all(awaited) {
        found.push((
            "事件网关之后须是只由它进入的捕获事件或接收任务",
            "behind an event-based gateway stand events or receive tasks that only it leads to",
        ));
    }
}

fn check_scope(reader: &mut Reader<'_>, draft: &Draft<'_>, scope: Option<NodeIndex>) {
    let process = &draft.process;
    let (line, id) = scope.map_or((1, process.id.as_str()), |at| {
        (process.nodes[at].line, process.nodes[at].id.as_str())
    });
    let starts: Vec<NodeIndex> = process
        .within(scope)
        .filter(|(_, n)| {
            matches!(
                n.kind,
                NodeKind::Event {
                    moment: Moment::Start { .. },
                    ..
                }
            )
        })
        .map(|(at, _)| at)
        .collect();
    let by_event = scope.is_some_and(|at| {
        matches!(
            process.nodes[at].kind,
            NodeKind::SubProcess { by_event: true }
        )
    });
    if by_event && starts.len() != 1 {
        reader.fault(
            line,
            format!("{id}：事件子流程须有且仅有一个开始事件"),
            format!("{id}: an event sub-process has one start event"),
        );
    }
    let plain = starts.iter().filter(|at| {
        matches!(
            process.nodes[**at].kind,
            NodeKind::Event {
                what: EventWhat::None,
                ..
            }
        )
    });
    if plain.count() > 1 {
        reader.fault(
            line,
            format!("{id}：只能有一个无触发的开始事件"),
            format!("{id}: there may be one start event without a trigger"),
        );
    }
    let mut entries = process.entries(scope);
    entries.extend(&starts);
    if entries.is_empty() {
        reader.fault(
            line,
            format!("{id}：没有可以开始的地方"),
            format!("{id}: there is nowhere to begin"),
        );
        return;
    }
    for at in unreached(process, scope, entries) {
        let node = &process.nodes[at];
        let id = &node.id;
        reader.fault(
            node.line,
            format!("{id}：永远不会到达"),
            format!("{id}: nothing ever leads to it"),
        );
    }
}

/// Nodes of a scope that no token can get to.
fn unreached(
    process: &Process,
    scope: Option<NodeIndex>,
    entries: Vec<NodeIndex>,
) -> Vec<NodeIndex> {
    let mut seen = vec![false; process.nodes.len()];
    let mut next = entries;
    while let Some(at) = next.pop() {
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        let node = &process.nodes[at];
        next.extend(node.outgoing.iter().map(|flow| process.flows[*flow].target));
        next.extend(&node.boundary);
        next.extend(node.compensation);
    }
    let stands_alone = |node: &Node| matches!(node.kind, NodeKind::SubProcess { by_event: true });
    process
        .within(scope)
        .filter(|(at, node)| !seen[*at] && !stands_alone(node))
        .map(|(at, _)| at)
        .collect()
}
