//! Activities: what a task does and who may do it, and how an activity is repeated.

use super::model::{Assignment, Loop, TaskKind};
use super::read::{OURS, Reader};
use roxmltree::Node as Xml;

impl<'a> Reader<'a> {
    /// What a task does; `None` when something that must be said is missing.
    pub(super) fn task(&mut self, xml: Xml<'a, 'a>) -> Option<TaskKind> {
        let ours = |name: &str| xml.attribute((OURS, name));
        Some(match xml.tag_name().name() {
            "userTask" => TaskKind::User(assignment(xml)),
            "manualTask" => TaskKind::Manual(assignment(xml)),
            "serviceTask" => {
                TaskKind::Service(self.needs(xml, "jicheng:function", ours("function"))?)
            }
            "scriptTask" => {
                let format = xml.attribute("scriptFormat").unwrap_or("feel");
                if !["feel", "application/feel", "text/feel"].contains(&format) {
                    self.wrong(
                        xml,
                        ("脚本只支持 FEEL", "only FEEL scripts are carried out"),
                    );
                }
                let script = self.child_text(xml, "script");
                TaskKind::Script {
                    expression: self.needs(xml, "script", script.as_deref())?,
                    result: self.needs(xml, "jicheng:result", ours("result"))?,
                }
            }
            "businessRuleTask" => TaskKind::Rule {
                decision: self.needs(xml, "jicheng:decision", ours("decision"))?,
                result: self.needs(xml, "jicheng:result", ours("result"))?,
            },
            "sendTask" => TaskKind::Send(self.reference(xml, "messageRef")?),
            "receiveTask" => {
                if xml.attribute("instantiate") == Some("true") {
                    self.wrong(
                        xml,
                        ("不支持 instantiate", "instantiate is outside the subset"),
                    );
                }
                TaskKind::Receive(self.reference(xml, "messageRef")?)
            }
            _ => TaskKind::Abstract,
        })
    }

    /// How an activity is repeated; `None` when it is done once.
    pub(super) fn repeats(&mut self, xml: Xml<'a, 'a>) -> Option<Loop> {
        let of = |name: &str| xml.children().find(|c| c.tag_name().name() == name);
        if let Some(looped) = of("standardLoopCharacteristics") {
            let maximum = looped.attribute("loopMaximum");
            let number = maximum.and_then(|m| m.parse().ok());
            if maximum.is_some() && number.is_none() {
                self.wrong(
                    looped,
                    (
                        "loopMaximum 应为整数",
                        "loopMaximum should be a whole number",
                    ),
                );
            }
            let condition = self.child_text(looped, "loopCondition");
            if condition.is_none() && number.is_none() {
                self.wrong(
                    looped,
                    (
                        "缺少 loopCondition 或 loopMaximum",
                        "neither loopCondition nor loopMaximum is said",
                    ),
                );
            }
            return Some(Loop::Standard {
                test_before: looped.attribute("testBefore") == Some("true"),
                maximum: number,
                condition,
            });
        }
        let looped = of("multiInstanceLoopCharacteristics")?;
        let ours = |name: &str| looped.attribute((OURS, name)).map(String::from);
        let number = self.child_text(looped, "loopCardinality");
        let collection = ours("collection");
        if number.is_none() == collection.is_none() {
            let words = (
                "需要 loopCardinality 或 jicheng:collection 之一",
                "exactly one of loopCardinality, jicheng:collection is needed",
            );
            self.wrong(looped, words);
        }
        Some(Loop::Instances {
            sequential: looped.attribute("isSequential") == Some("true"),
            collection,
            item: ours("item"),
            number,
            result: ours("result"),
            results: ours("results"),
            until: self.child_text(looped, "completionCondition"),
        })
    }
}

fn assignment(xml: Xml<'_, '_>) -> Assignment {
    let ours = |name: &str| {
        xml.attribute((OURS, name))
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    Assignment {
        assignee: ours("assignee").map(String::from),
        roles: ours("roles").map_or(vec![], |roles| {
            roles.split(',').map(|r| r.trim().to_string()).collect()
        }),
        organisation: ours("organisation").map(String::from),
        form: ours("form").map(String::from),
        due: ours("due").map(String::from),
    }
}
