//! Running cases are moved to another version of their process: each that fits, and of the others
//! everything that does not. A dry run asks the same and changes nothing.

use super::work::{Change, Open, Work, audit};
use super::{Engine, faults};
use crate::bpmn::Process;
use crate::machine::migrate;
use kernel::access::Actor;
use kernel::cases::{Migrated, Migration, TaskState};
use kernel::{Fault, Problem, Verb, Words};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::cases::read;

/// Cases moved in one transaction, at most.
const PAGE: u64 = 50;
/// Cases named in the answer, at most; all that fit are moved.
const NAMED: usize = 10_000;
/// Cases that are asked for by name, at most.
const LISTED: usize = 1_000;

impl Engine {
    pub(super) async fn migrate_cases(
        &self,
        by: &Actor,
        migration: &Migration,
    ) -> Result<Vec<Migrated>, Fault> {
        let by = self.demand(by, Verb::Operate, "processes")?;
        let Migration {
            process, from, to, ..
        } = migration;
        if from == to {
            return Err(Fault::invalid_at(
                "to",
                "应为另一版本",
                "should be another version",
            ));
        }
        let mut listed: BTreeSet<&str> = migration.cases.iter().map(String::as_str).collect();
        let all = listed.is_empty();
        if listed.len() > LISTED {
            return Err(Fault::invalid_at(
                "cases",
                format!("至多 {LISTED} 件"),
                format!("{LISTED} cases at most"),
            ));
        }
        let mut moved_count = 0;
        let new = {
            let mut reader = self.store.reader().await?;
            self.model(&mut reader, process, *from).await?;
            self.model(&mut reader, process, *to).await?
        };
        let drawing = new.processes.get(process);
        let drawing = drawing.ok_or_else(|| Fault::missing(process))?;
        self.mapping_fits(migration, drawing)?;
        let mut answer = vec![];
        let mut last = String::new();
        loop {
            let mut tx = self.store.begin().await?;
            let mut work = Work::new(self, &mut tx);
            let rows = read::open_of(work.tx, process, *from, &last, PAGE).await?;
            let Some(end) = rows.last().map(|row| row.id.clone()) else {
                break;
            };
            last = end;
            for row in rows {
                // Both names of a case are struck off the list.
                let by_id = listed.remove(row.id.as_str());
                let by_number = listed.remove(row.number.as_str());
                if !(all || by_id || by_number) {
                    continue;
                }
                let open = work.case(&row.id).await?;
                let carried = migrate(
                    &open.kept.instance,
                    open.drawing()?,
                    drawing,
                    &migration.mapping,
                );
                let problems = match carried {
                    Err(problems) => problems,
                    Ok(instance) => {
                        if !migration.dry {
                            let mut moved: Open = (*open).clone();
                            moved.kept.instance = instance;
                            moved.row.version = *to;
                            moved.model = new.clone();
                            moved.expressions = self
                                .deciding(work.tx, &new, process, open.row.started_at)
                                .await?;
                            work.moved(&by, &open, moved).await?;
                        }
                        vec![]
                    }
                };
                moved_count += usize::from(problems.is_empty());
                if answer.len() < NAMED {
                    answer.push(Migrated {
                        case: row.id,
                        number: row.number,
                        nodes: open.nodes()?,
                        problems,
                    });
                }
            }
            if work.finish().await?.wrote {
                tx.commit().await?;
            }
        }
        answer.extend(listed.into_iter().map(|name| no_such_case(name, *from)));
        if !migration.dry {
            let details = json!({ "from": from, "to": to, "moved": moved_count });
            let mut tx = self.store.begin().await?;
            let entry = audit(
                self.clock.now(),
                &by,
                "migrate",
                "processes",
                process,
                details,
            );
            store::audit::append(&mut tx, &entry).await?;
            tx.commit().await?;
        }
        Ok(answer)
    }

    /// Nodes the mapping names must be there.
    fn mapping_fits(&self, migration: &Migration, drawing: &Process) -> Result<(), Fault> {
        if migration.mapping.len() > 2_000 {
            return Err(faults::unfit("对应关系过多", "the mapping is too long"));
        }
        for (old, new) in &migration.mapping {
            if drawing.find(new).is_none() {
                return Err(Fault::invalid_at(
                    format!("/mapping/{old}"),
                    format!("新版中没有节点“{new}”"),
                    format!("the new version has no node \"{new}\""),
                ));
            }
        }
        Ok(())
    }
}

impl Open {
    /// Nodes its tokens are at, each once.
    fn nodes(&self) -> Result<Vec<String>, Fault> {
        let drawing = self.drawing()?;
        let tokens = self.kept.instance.tokens.values();
        let nodes = tokens.filter_map(|token| drawing.nodes.get(token.node));
        let nodes: BTreeSet<String> = nodes.map(|node| node.id.clone()).collect();
        Ok(nodes.into_iter().collect())
    }
}

/// What is said of a case that was named and does not run on that version.
fn no_such_case(name: &str, version: i64) -> Migrated {
    Migrated {
        case: name.into(),
        number: name.into(),
        nodes: vec![],
        problems: vec![Problem {
            at: "case".into(),
            words: Words::new(
                format!("没有编号为“{name}”且按第 {version} 版办理的在办件"),
                format!("no case \"{name}\" runs on version {version}"),
            ),
        }],
    }
}

impl Work<'_> {
    /// A case that was carried over, with its open tasks.
    async fn moved(&mut self, by: &Actor, before: &Arc<Open>, moved: Open) -> Result<(), Fault> {
        let mut change = Change::of(&moved);
        for mut task in self.tasks_of(&moved.row.id, TaskState::Open, None).await? {
            let wait = moved.kept.instance.waits.get(&(task.wait as u64));
            let Some(node) = wait.and_then(|wait| moved.drawing().ok()?.nodes.get(wait.node))
            else {
                continue;
            };
            if task.node != node.id || task.name != node.name {
                (task.node, task.name) = (node.id.clone(), node.name.clone());
                task.revision += 1;
                change.tasks.push(task);
            }
        }
        let details = json!({ "from": before.row.version, "to": moved.row.version });
        change.note(self.now, &by.account, "migrated", None, details);
        self.take(change)?;
        Ok(())
    }
}
