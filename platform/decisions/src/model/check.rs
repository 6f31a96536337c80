//! Check: what a model may not have. Everything outside the published subset is refused by name and
//! line, and so is what would run for ever or call another machine.

use super::scan::Scan;
use super::types::{Book, Item, built_in};
use super::xml::{Xml, child, text};
use std::collections::{BTreeMap, BTreeSet};

/// Decisions and functions one decision may ask one after the other.
const CHAIN_LIMIT: usize = 200;
/// How often the decisions and functions below one may be asked, counted along every path: the
/// library asks each anew.
const ASKED_LIMIT: u64 = 20_000;

/// Elements of DMN that are carried out, or carry nothing out and may stand there.
const KNOWN: [&str; 74] = [
    "definitions",
    "description",
    "extensionElements",
    "itemDefinition",
    "itemComponent",
    "typeRef",
    "allowedValues",
    "typeConstraint",
    "functionItem",
    "parameters",
    "inputData",
    "variable",
    "decision",
    "question",
    "allowedAnswers",
    "informationRequirement",
    "requiredDecision",
    "requiredInput",
    "knowledgeRequirement",
    "requiredKnowledge",
    "authorityRequirement",
    "requiredAuthority",
    "businessKnowledgeModel",
    "encapsulatedLogic",
    "formalParameter",
    "decisionService",
    "outputDecision",
    "encapsulatedDecision",
    "inputDecision",
    "literalExpression",
    "text",
    "decisionTable",
    "input",
    "inputExpression",
    "inputValues",
    "output",
    "outputValues",
    "defaultOutputEntry",
    "annotation",
    "rule",
    "inputEntry",
    "outputEntry",
    "annotationEntry",
    "context",
    "contextEntry",
    "invocation",
    "binding",
    "parameter",
    "list",
    "relation",
    "column",
    "row",
    "functionDefinition",
    "conditional",
    "if",
    "then",
    "else",
    "filter",
    "in",
    "match",
    "for",
    "return",
    "some",
    "every",
    "satisfies",
    "knowledgeSource",
    "type",
    "textAnnotation",
    "association",
    "sourceRef",
    "targetRef",
    "group",
    "expression",
    "elementCollection",
];

/// Elements about the organisation around a decision; they say nothing of how it is made.
const AROUND: [&str; 12] = [
    "organizationUnit",
    "performanceIndicator",
    "impactedPerformanceIndicator",
    "impactingDecision",
    "decisionMaker",
    "decisionOwner",
    "decisionMade",
    "decisionOwned",
    "supportedObjective",
    "usingProcess",
    "usingTask",
    "owner",
];

/// Elements that are not carried out.
pub(super) fn elements(scan: &mut Scan, elements: &[Xml]) {
    for node in elements {
        let name = node.tag_name().name();
        let at = scan.line(node);
        if name == "import" {
            if !scan.imports {
                scan.wrong(
                    at,
                    "不支持引入（import）其他模型",
                    "importing another model (import) is not carried out",
                );
            }
        } else if !KNOWN.contains(&name) && !AROUND.contains(&name) {
            scan.wrong(
                at,
                format!("不支持元素 {name}"),
                format!("the element {name} is not carried out"),
            );
        }
        if let Some(language) = node.attribute("expressionLanguage")
            && !language.to_ascii_lowercase().contains("feel")
        {
            scan.wrong(
                at,
                format!("表达式语言只支持 FEEL，而不是“{language}”"),
                format!("only FEEL is carried out, not \"{language}\""),
            );
        }
        let kind = node.attribute("kind").unwrap_or("FEEL");
        if ["functionDefinition", "encapsulatedLogic"].contains(&name) && kind != "FEEL" {
            scan.wrong(
                at,
                format!("不允许外部函数（{kind}）：它会调用另一台机器"),
                format!("external functions ({kind}) are refused: they would call another machine"),
            );
        }
    }
}

/// What an element points at must be there, and nothing may ask itself.
pub(super) fn references(scan: &mut Scan, root: &Xml, elements: &[Xml]) {
    let ids: BTreeSet<&str> = elements.iter().filter_map(|n| n.attribute("id")).collect();
    let namespace = root.attribute("namespace").unwrap_or_default();
    let local = |href: &str| -> Option<String> {
        let (of, id) = href.rsplit_once('#')?;
        (of.is_empty() || of == namespace).then(|| id.to_owned())
    };
    let mut asks: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for node in root.children().filter(|n| n.is_element()) {
        let Some(id) = node.attribute("id") else {
            continue;
        };
        lines.insert(id, scan.line(&node));
        let asked = node.descendants().filter(|n| {
            [
                "requiredDecision",
                "requiredKnowledge",
                "outputDecision",
                "encapsulatedDecision",
                "inputDecision",
            ]
            .contains(&n.tag_name().name())
        });
        let asked = asked.filter_map(|n| local(n.attribute("href")?)).collect();
        asks.insert(id, asked);
    }
    for node in elements {
        if let Some(href) = node.attribute("href")
            && local(href).is_none_or(|id| !ids.contains(id.as_str()))
            && !scan.imports
        {
            scan.wrong(
                scan.line(node),
                format!("“{href}”指向的元素不存在"),
                format!("\"{href}\" points at nothing in this model"),
            );
        }
    }
    graph(scan, &asks, &lines);
    scan.unmeasured = called(root, elements, &asks, &local);
}

/// Decisions and functions within decision services that an expression may call: the library
/// carries them out without us (see [`super`]).
fn called(
    root: &Xml,
    elements: &[Xml],
    asks: &BTreeMap<&str, Vec<String>>,
    local: &dyn Fn(&str) -> Option<String>,
) -> BTreeSet<String> {
    let services: BTreeSet<&str> = root
        .children()
        .filter(|n| n.tag_name().name() == "decisionService")
        .filter_map(|n| n.attribute("id"))
        .collect();
    let required = elements
        .iter()
        .filter(|n| n.tag_name().name() == "requiredKnowledge");
    let mut open: Vec<String> = required
        .filter_map(|n| local(n.attribute("href")?))
        .filter(|id| services.contains(id.as_str()))
        .collect();
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        open.extend(asks.get(id.as_str()).into_iter().flatten().cloned());
        if !found.insert(id) {
            // Cycles are refused elsewhere; here they must only end.
            open.retain(|id| !found.contains(id));
        }
    }
    found
}

/// No decision or function may ask itself, ask too many one after the other, or be asked too often.
fn graph(scan: &mut Scan, asks: &BTreeMap<&str, Vec<String>>, lines: &BTreeMap<&str, usize>) {
    // By name: longest chain and number of askings; `None` while it is being found out.
    let mut known: BTreeMap<&str, Option<(usize, u64)>> = BTreeMap::new();
    for start in asks.keys() {
        let mut open = vec![(*start, false)];
        while let Some((id, below_done)) = open.pop() {
            let below = asks.get(id).map_or(&[][..], Vec::as_slice);
            if below_done {
                let found = below
                    .iter()
                    .filter_map(|b| known.get(b.as_str()).copied().flatten());
                let (chain, asked) = found.fold((0, 1_u64), |(chain, asked), (c, a)| {
                    (chain.max(c), asked.saturating_add(a))
                });
                known.insert(id, Some((chain + 1, asked)));
                continue;
            }
            if known.contains_key(id) {
                continue;
            }
            known.insert(id, None);
            open.push((id, true));
            for next in below {
                match known.get_key_value(next.as_str()) {
                    Some((next, None)) if open.iter().any(|(o, done)| o == next && *done) => {
                        scan.wrong(
                            lines.get(id).copied().unwrap_or(1),
                            format!("“{id}”经由“{next}”又要求自身，形成循环"),
                            format!("\"{id}\" asks \"{next}\", which asks \"{id}\" again: a cycle"),
                        );
                    }
                    Some(_) => {}
                    None => {
                        if let Some((next, _)) = asks.get_key_value(next.as_str()) {
                            open.push((next, false));
                        }
                    }
                }
            }
        }
        if let Some(Some((chain, asked))) = known.get(start)
            && (*chain > CHAIN_LIMIT || *asked > ASKED_LIMIT)
        {
            scan.wrong(
                lines.get(start).copied().unwrap_or(1),
                format!("“{start}”牵涉过多决策：最长 {CHAIN_LIMIT} 级、共 {ASKED_LIMIT} 次"),
                format!("\"{start}\" asks too many decisions: at most {CHAIN_LIMIT} in a row and {ASKED_LIMIT} in all"),
            );
        }
    }
}

/// Types that are named must be there, and may not be made of themselves.
pub(super) fn types(scan: &mut Scan, book: &Book, elements: &[Xml]) {
    if !scan.imports {
        for node in elements {
            let name = node.tag_name().name();
            let written = match name {
                "typeRef" => Some(text(node)),
                _ => node.attribute("typeRef").map(str::to_owned),
            };
            if let Some(type_name) = written
                && !book.knows(type_name.trim())
            {
                scan.wrong(
                    scan.line(node),
                    format!("类型“{}”不存在", type_name.trim()),
                    format!("the type \"{}\" does not exist", type_name.trim()),
                );
            }
        }
    }
    for (name, item) in &book.0 {
        let mut seen = BTreeSet::from([name.as_str()]);
        let mut open: Vec<&str> = bases(item);
        while let Some(base) = open.pop() {
            if base == name && built_in(base).is_none() {
                scan.wrong(
                    item.line,
                    format!("类型“{name}”由自身组成"),
                    format!("the type \"{name}\" is made of itself"),
                );
                break;
            }
            if seen.insert(base)
                && let Some(item) = book.0.get(base)
            {
                open.extend(bases(item));
            }
        }
    }
    for node in elements
        .iter()
        .filter(|n| n.tag_name().name() == "literalExpression")
    {
        if child(node, "importedValues").is_some() {
            scan.wrong(
                scan.line(node),
                "不支持引入的值（importedValues）",
                "imported values (importedValues) are not carried out",
            );
        }
    }
}

/// Types an item is made of.
fn bases(item: &Item) -> Vec<&str> {
    let mut found: Vec<&str> = item.base.iter().map(String::as_str).collect();
    for (_, component) in &item.components {
        found.extend(bases(component));
    }
    found
}
