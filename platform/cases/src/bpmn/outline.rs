//! The outline of a drawing, for everybody: its figure and its names, without what an office keeps to
//! itself: who does a task, which function and form, conditions, scripts and times.

use super::read::{BPMN, OURS};
use roxmltree::{Document, Node as Xml};
use std::ops::Range;

/// Elements of BPMN that say how something is decided, not what is drawn.
const INNER: [&str; 11] = [
    "extensionElements",
    "documentation",
    "conditionExpression",
    "condition",
    "script",
    "loopCondition",
    "loopCardinality",
    "completionCondition",
    "timeDate",
    "timeDuration",
    "timeCycle",
];

/// A drawing that was published, without its inner things; `None` when it is not XML.
pub fn outline(xml: &str) -> Option<String> {
    let read = Document::parse(xml).ok()?;
    let mut cuts = vec![];
    collect(read.root_element(), &mut cuts);
    cuts.sort_by_key(|cut| cut.start);
    let (mut text, mut at) = (String::with_capacity(xml.len()), 0);
    for cut in cuts {
        text.push_str(&xml[at..cut.start]);
        at = cut.end;
    }
    text.push_str(&xml[at..]);
    Some(text)
}

/// What is cut out, none within another.
fn collect(node: Xml<'_, '_>, cuts: &mut Vec<Range<usize>>) {
    for child in node.children() {
        let name = child.tag_name();
        let inner = match name.namespace() {
            Some(BPMN) => INNER.contains(&name.name()),
            Some(OURS) => true,
            _ => child.is_comment() || child.is_pi(),
        };
        if inner {
            cuts.push(child.range());
        } else {
            collect(child, cuts);
        }
    }
    let ours = node.attributes().filter(|a| a.namespace() == Some(OURS));
    cuts.extend(ours.map(|attribute| attribute.range()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_and_inner_things_go() {
        let drawing = r#"<?xml version="1.0"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:jicheng="urn:jicheng:bpmn:1">
  <!-- of the office -->
  <process id="p" isExecutable="true" name="审批">
    <userTask id="look" name="审查" jicheng:roles="secret_role" jicheng:form="secret_form"/>
    <exclusiveGateway id="fits" name="合格吗"><extensionElements><x>secret</x></extensionElements></exclusiveGateway>
    <sequenceFlow id="f" name="是" sourceRef="fits" targetRef="look">
      <conditionExpression>secret &gt; 3</conditionExpression>
    </sequenceFlow>
    <scriptTask id="s" name="计算" jicheng:result="secret"><script>secret + 1</script></scriptTask>
  </process>
</definitions>"#;
        let outlined = outline(drawing).unwrap();
        assert!(!outlined.contains("secret"), "{outlined}");
        assert!(!outlined.contains("of the office"), "{outlined}");
        for name in ["审批", "审查", "合格吗", "是", "计算"] {
            assert!(outlined.contains(name), "{name}: {outlined}");
        }
        let read = Document::parse(&outlined).unwrap();
        let nodes = |d: &Document<'_>| d.descendants().filter(|n| n.has_attribute("id")).count();
        assert_eq!(nodes(&read), 5);
        assert_eq!(outline("no XML"), None);
    }
}
