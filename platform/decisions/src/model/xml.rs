//! Xml: reading the tree of a model, and the pieces of XML that are put into it.

use crate::native::PREFIX;
use roxmltree::Node;

/// Elements that are the logic of something (clause 7.3 and 10.5).
pub(crate) const LOGIC: [&str; 12] = [
    "literalExpression",
    "decisionTable",
    "context",
    "invocation",
    "list",
    "relation",
    "functionDefinition",
    "conditional",
    "filter",
    "for",
    "some",
    "every",
];

/// A node of the XML.
pub(crate) type Xml<'a> = Node<'a, 'a>;

/// Elements of DMN, without what stands in elements of others.
pub(crate) fn dmn<'a>(root: &Xml<'a>, namespace: &str) -> Vec<Xml<'a>> {
    let mut found = vec![];
    let mut open = vec![*root];
    while let Some(node) = open.pop() {
        if node.is_element() && node.tag_name().namespace() == Some(namespace) {
            found.push(node);
            if node.tag_name().name() != "extensionElements" {
                open.extend(node.children().rev());
            }
        }
    }
    found
}

/// The logic of a decision or function.
pub(crate) fn logic_of<'a>(node: &Xml<'a>) -> Option<Xml<'a>> {
    node.children()
        .find(|n| LOGIC.contains(&n.tag_name().name()))
}

/// A child by its name.
pub(crate) fn child<'a>(node: &Xml<'a>, name: &str) -> Option<Xml<'a>> {
    node.children().find(|n| n.tag_name().name() == name)
}

/// All text directly in a node.
pub(crate) fn text(node: &Xml) -> String {
    node.children()
        .filter(Node::is_text)
        .filter_map(|n| n.text())
        .collect()
}

/// The text of the `text` in a node.
pub(crate) fn inner(node: &Xml) -> String {
    child(node, "text").map(|n| text(&n)).unwrap_or_default()
}

/// The prefix of a node's name as it is written, with its colon.
pub(crate) fn prefix(xml: &str, node: &Xml) -> String {
    let written = xml.get(node.range().start + 1..).unwrap_or_default();
    let name = written
        .split(|c: char| c.is_whitespace() || c == '/' || c == '>')
        .next()
        .unwrap_or_default();
    name.split_once(':')
        .map_or(String::new(), |(p, _)| format!("{p}:"))
}

/// Where the closing tag of a node begins.
pub(crate) fn end_of(xml: &str, node: &Xml) -> usize {
    let range = node.range();
    let place = xml
        .get(range.clone())
        .and_then(|written| written.rfind("</"));
    place.map_or(range.end, |place| range.start + place)
}

pub(crate) fn literal(p: &str, act: &str, place: usize) -> String {
    format!(
        "<{p}literalExpression><{p}text>{PREFIX}(\"{act}\", {place})</{p}text></{p}literalExpression>"
    )
}

/// The function the model calls; of no effect unless ours stands in its place.
pub(crate) fn dispatcher(p: &str) -> String {
    format!(
        "<{p}businessKnowledgeModel id=\"{PREFIX}\" name=\"{PREFIX}\"><{p}variable name=\"{PREFIX}\"/><{p}encapsulatedLogic><{p}formalParameter name=\"{PREFIX}_act\"/><{p}formalParameter name=\"{PREFIX}_place\"/><{p}literalExpression><{p}text>false</{p}text></{p}literalExpression></{p}encapsulatedLogic></{p}businessKnowledgeModel>"
    )
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

pub(crate) fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
