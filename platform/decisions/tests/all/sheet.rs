//! Sheet: DMN XML for tests, from a few words.

/// Wraps elements into a model named `fees` with these inputs (name, type).
pub(crate) fn model(inputs: &[(&str, &str)], elements: &str) -> String {
    let inputs: String = inputs
        .iter()
        .map(|(name, kind)| {
            let id = id(name);
            format!("<inputData id=\"in_{id}\" name=\"{name}\"><variable name=\"{name}\" typeRef=\"{kind}\"/></inputData>\n")
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" id=\"fees\" name=\"fees\" namespace=\"https://example.org/fees\">\n{inputs}{elements}\n</definitions>\n"
    )
}

fn id(name: &str) -> String {
    name.replace(' ', "_")
}

/// A decision that asks these inputs and decisions.
pub(crate) fn decision(
    name: &str,
    kind: &str,
    inputs: &[&str],
    decisions: &[&str],
    logic: &str,
) -> String {
    let asked = |kind: &str, prefix: &str, names: &[&str]| -> String {
        let one = |name: &&str| {
            let id = id(name);
            format!(
                "<informationRequirement><{kind} href=\"#{prefix}_{id}\"/></informationRequirement>"
            )
        };
        names.iter().map(one).collect()
    };
    let (inputs, decisions) = (
        asked("requiredInput", "in", inputs),
        asked("requiredDecision", "d", decisions),
    );
    let id = id(name);
    let kind = if kind.is_empty() {
        String::new()
    } else {
        format!(" typeRef=\"{kind}\"")
    };
    format!(
        "<decision id=\"d_{id}\" name=\"{name}\"><variable name=\"{name}\"{kind}/>{inputs}{decisions}\n{logic}\n</decision>\n"
    )
}

/// A literal expression.
pub(crate) fn literal(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<literalExpression><text>{text}</text></literalExpression>")
}

/// A table: hit policy and aggregation, input expressions, outputs (name, allowed values), rules
/// as `cells | outputs | annotation`.
pub(crate) fn table(
    policy: &str,
    inputs: &[&str],
    outputs: &[(&str, &str)],
    rules: &[&str],
) -> String {
    let escape = |text: &str| text.trim().replace('&', "&amp;").replace('<', "&lt;");
    let inputs: String = inputs
        .iter()
        .map(|text| {
            format!(
                "<input><inputExpression><text>{}</text></inputExpression></input>",
                escape(text)
            )
        })
        .collect();
    let outputs: String = outputs
        .iter()
        .map(|(name, allowed)| {
            let name = if name.is_empty() {
                String::new()
            } else {
                format!(" name=\"{name}\"")
            };
            let allowed = match allowed.is_empty() {
                true => String::new(),
                false => format!("<outputValues><text>{allowed}</text></outputValues>"),
            };
            format!("<output{name}>{allowed}</output>")
        })
        .collect();
    let rules: String = rules
        .iter()
        .enumerate()
        .map(|(n, rule)| {
            let mut parts = rule.split(" | ");
            let mut cells = |element: &str| -> String {
                let part = parts.next().unwrap_or_default();
                let cells = part.split(';').filter(|c| !c.trim().is_empty());
                cells
                    .map(|c| format!("<{element}><text>{}</text></{element}>", escape(c)))
                    .collect()
            };
            let (inputs, outputs, notes) = (
                cells("inputEntry"),
                cells("outputEntry"),
                cells("annotationEntry"),
            );
            format!("<rule id=\"r{}\">{inputs}{outputs}{notes}</rule>\n", n + 1)
        })
        .collect();
    format!(
        "<decisionTable {policy}>{inputs}{outputs}<annotation name=\"依据\"/>\n{rules}</decisionTable>"
    )
}
