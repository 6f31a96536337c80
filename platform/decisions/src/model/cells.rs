//! Cells: decision tables and item definitions as they stand in the XML.

use super::edit::Edits;
use super::scan::Scan;
use super::types::{Allowed, Book, Item};
use super::xml::{Xml, child, escape, inner, literal, prefix, text};
use super::{Cells, Source};
use crate::limits::RULES_LIMIT;
use crate::table::{HitPolicy, Input, Output, Rule, Table};
use kernel::lines::Lines;
use std::sync::OnceLock;

impl Scan {
    /// A decision table: read by us, with the author's own behind it.
    pub(super) fn table(&mut self, xml: &str, node: &Xml, source: &Source, edits: &mut Edits) {
        let p = prefix(xml, node);
        let Some(mut table) = self.read_table(node) else {
            return;
        };
        let of = node
            .ancestors()
            .find(|a| ["decision", "businessKnowledgeModel"].contains(&a.tag_name().name()));
        table.of = of
            .and_then(|a| a.attribute("name"))
            .unwrap_or(&source.title)
            .to_owned();
        let place = self.program.tables.len();
        self.program.tables.push(Cells {
            table,
            prepared: OnceLock::new(),
        });
        let type_name = node.attribute("typeRef").map(|name| {
            let name = spelt(name, &source.book).unwrap_or(name);
            format!(" typeRef=\"{}\"", escape(name))
        });
        let before = format!(
            "<{p}context><{p}contextEntry><{p}conditional{}><{p}if>{}</{p}if><{p}then>{}</{p}then><{p}else>",
            type_name.unwrap_or_default(),
            literal(&p, "cells", place),
            literal(&p, "table", place),
        );
        edits.wrap(
            node.range(),
            &before,
            &format!("</{p}else></{p}conditional></{p}contextEntry></{p}context>"),
        );
    }

    fn read_table(&mut self, node: &Xml) -> Option<Table> {
        let policy = node.attribute("hitPolicy").unwrap_or("UNIQUE");
        let Some(policy) = HitPolicy::parse(policy, node.attribute("aggregation")) else {
            self.wrong(
                self.line(node),
                format!("未知的命中策略“{policy}”"),
                format!("the hit policy \"{policy}\" is not known"),
            );
            return None;
        };
        let of = |name: &'static str| node.children().filter(move |n| n.tag_name().name() == name);
        let cell = |node: &Xml, name: &str| child(node, name).map(|n| inner(&n));
        let inputs: Vec<Input> = of("input")
            .map(|input| {
                let expression = cell(&input, "inputExpression").unwrap_or_default();
                Input {
                    label: input
                        .attribute("label")
                        .unwrap_or(expression.trim())
                        .to_owned(),
                    allowed: cell(&input, "inputValues").filter(|t| !t.trim().is_empty()),
                    expression,
                }
            })
            .collect();
        let outputs: Vec<Output> = of("output")
            .map(|output| Output {
                name: output.attribute("name").unwrap_or_default().to_owned(),
                allowed: cell(&output, "outputValues").filter(|t| !t.trim().is_empty()),
                default: cell(&output, "defaultOutputEntry").filter(|t| !t.trim().is_empty()),
            })
            .collect();
        let headings: Vec<&str> = of("annotation")
            .map(|a| a.attribute("name").unwrap_or_default())
            .collect();
        let mut rules = vec![];
        for (row, rule) in of("rule").enumerate() {
            let cells = |name: &'static str| {
                let cells = rule.children().filter(move |n| n.tag_name().name() == name);
                cells.map(|n| inner(&n)).collect::<Vec<_>>()
            };
            let read = Rule {
                id: rule.attribute("id").unwrap_or_default().to_owned(),
                inputs: filled(cells("inputEntry"), "-"),
                outputs: filled(cells("outputEntry"), "null"),
                annotations: cells("annotationEntry")
                    .into_iter()
                    .enumerate()
                    .map(|(n, text)| {
                        let heading = headings.get(n).copied().unwrap_or_default();
                        (heading.to_owned(), text.trim().to_owned())
                    })
                    .collect(),
            };
            if read.inputs.len() != inputs.len() || read.outputs.len() != outputs.len() {
                self.wrong(
                    self.line(&rule),
                    format!("第 {} 行的单元格数与列数不符", row + 1),
                    format!("row {} does not have one cell for each column", row + 1),
                );
            }
            rules.push(read);
        }
        let named = outputs.len() == 1 || outputs.iter().all(|o| !o.name.is_empty());
        if rules.len() > RULES_LIMIT || outputs.is_empty() || !named {
            self.wrong(
                self.line(node),
                format!("决策表应有输出列，多个输出列都应有名称，且最多 {RULES_LIMIT} 行"),
                format!(
                    "a table needs an output, names for several, and at most {RULES_LIMIT} rows"
                ),
            );
        }
        Some(Table {
            of: String::new(),
            policy,
            inputs,
            outputs,
            rules,
        })
    }
}

/// A type by the name FEEL has for it in the spelling of DMN, the only one the library knows.
fn spelt(name: &str, book: &Book) -> Option<&'static str> {
    let known = match name.trim() {
        "date and time" => "dateTime",
        "days and time duration" => "dayTimeDuration",
        "years and months duration" => "yearMonthDuration",
        _ => return None,
    };
    (!book.0.contains_key(name.trim())).then_some(known)
}

/// Spells the types an element names.
pub(super) fn spell_types(node: &Xml, book: &Book, edits: &mut Edits) {
    if node.tag_name().name() == "typeRef"
        && let Some(new) = spelt(&text(node), book)
        && let Some(written) = node.first_child()
    {
        edits.replace(written.range(), new);
    }
    if let Some(attribute) = node.attribute_node("typeRef")
        && let Some(new) = spelt(attribute.value(), book)
    {
        edits.replace(attribute.range_value(), new);
    }
}

/// Cells, the empty ones filled with what modellers mean by them.
fn filled(cells: Vec<String>, nothing: &str) -> Vec<String> {
    let fill = |cell: String| match cell.trim().is_empty() {
        true => nothing.to_owned(),
        false => cell,
    };
    cells.into_iter().map(fill).collect()
}

/// An item definition or component.
pub(super) fn item(node: &Xml, lines: &Lines) -> Item {
    let components = node
        .children()
        .filter(|n| n.tag_name().name() == "itemComponent");
    let allowed = child(node, "allowedValues").map(|n| inner(&n));
    Item {
        base: child(node, "typeRef").map(|n| text(&n).trim().to_owned()),
        collection: node.attribute("isCollection") == Some("true"),
        components: components
            .map(|n| {
                let name = n.attribute("name").unwrap_or_default();
                (name.to_owned(), item(&n, lines))
            })
            .collect(),
        allowed: allowed
            .filter(|t| !t.trim().is_empty())
            .map(|text| Allowed {
                text,
                test: OnceLock::new(),
            }),
        line: lines.at(node.range().start),
    }
}
