//! 加签、减签、传阅: colleagues give an opinion before a task is done, or read along.

use super::access::may_do;
use super::desk::Reply;
use super::faults;
use super::follow::blank_task;
use super::work::{Change, Open, Work};
use kernel::Fault;
use kernel::access::Actor;
use kernel::cases::{TaskKind, TaskState};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::cases::TaskRow;

/// Opinions one task waits for, at most.
pub(super) const SIGNERS: i64 = 50;
/// Readers of one circulation, at most.
const READERS: usize = 100;

impl Work<'_> {
    pub(super) async fn add_signer(
        &mut self,
        by: &Actor,
        open: &Open,
        mut task: TaskRow,
        to: &str,
        reason: &str,
    ) -> Result<Reply, Fault> {
        faults::text("to", to, 64)?;
        faults::note("reason", reason, 500)?;
        plain(&task)?;
        if task.signers >= SIGNERS {
            return Err(Fault::invalid_at(
                "to",
                format!("加签至多 {SIGNERS} 人"),
                format!("{SIGNERS} signers at most"),
            ));
        }
        if task.assignee.as_deref() == Some(to) {
            return Err(Fault::invalid_at(
                "to",
                "不能加签办理人本人",
                "that is who has the task already",
            ));
        }
        for other in self
            .tasks_of(&open.row.id, TaskState::Open, Some(&task.node))
            .await?
        {
            let same = other.parent.as_ref() == Some(&task.id) && other.kind == TaskKind::Signer;
            if same && other.assignee.as_deref() == Some(to) {
                return Err(faults::unfit(
                    format!("{to} 已在加签人之中"),
                    format!("{to} is asked already"),
                ));
            }
        }
        self.official("to", to).await?;
        let mut change = Change::of(open);
        let signer = self.beside(&change.case, &task, TaskKind::Signer, to, 0);
        task.signers += 1;
        task.revision += 1;
        let details = json!({ "to": to, "reason": reason, "signer": signer.id });
        change.note(self.now, &by.account, "signer_added", Some(&task), details);
        change.audit(
            self.now,
            by,
            "add_signer",
            json!({ "task": task.id, "to": to }),
        );
        change.opened.push(signer.id.clone());
        let id = task.id.clone();
        change.tasks.extend([task, signer]);
        self.hand_in(change, &id)
    }

    /// A task beside another, for one person.
    fn beside(
        &self,
        case: &Open,
        task: &TaskRow,
        kind: TaskKind,
        to: &str,
        number: usize,
    ) -> TaskRow {
        let letter = if kind == TaskKind::Signer { 's' } else { 'r' };
        TaskRow {
            id: format!("{}-{letter}{}.{number}", task.id, case.row.revision),
            wait: task.wait,
            node: task.node.clone(),
            name: task.name.clone(),
            kind,
            assignee: Some(to.into()),
            parent: Some(task.id.clone()),
            form: task.form.clone(),
            ..blank_task(case, self.now)
        }
    }

    /// A signer's opinion.
    pub(super) async fn sign(
        &mut self,
        by: &Actor,
        open: &Open,
        mut signer: TaskRow,
        data: &Map<String, Value>,
    ) -> Result<Reply, Fault> {
        let parent = signer.parent.clone().unwrap_or_default();
        let parent = self.task(&parent).await?;
        let mut parent = parent.ok_or_else(|| Fault::missing(&signer.id))?;
        let mut change = Change::of(open);
        signer.state = TaskState::Done;
        signer.ended_at = Some(self.now);
        signer.ended_in = change.case.row.revision;
        signer.ended_by = Some(by.account.clone());
        signer.ended_name = by.display.clone();
        signer.revision += 1;
        parent.signers -= 1;
        parent.revision += 1;
        let details = json!({ "opinion": data });
        change.note(self.now, &by.account, "signed", Some(&signer), details);
        change.audit(self.now, by, "sign", json!({ "task": signer.id }));
        let id = signer.id.clone();
        change.tasks.extend([signer, parent]);
        self.hand_in(change, &id)
    }

    pub(super) async fn remove_signer(
        &mut self,
        by: &Actor,
        open: &Arc<Open>,
        mut task: TaskRow,
        (signer, reason): (&str, &str),
    ) -> Result<Reply, Fault> {
        let found = self.task(signer).await?;
        let found = found.filter(|s| s.parent.as_ref() == Some(&task.id));
        let Some(mut found) = found.filter(|s| s.kind == TaskKind::Signer) else {
            return self
                .remove_countersigner(by, open, task, (signer, reason))
                .await;
        };
        // An opinion is asked for by who has the task, and given up by nobody else.
        may_do(by, &task)?;
        faults::note("reason", reason, 500)?;
        if found.state != TaskState::Open {
            return Err(faults::over(&found));
        }
        let mut change = Change::of(open);
        found.state = TaskState::Dropped;
        found.ended_at = Some(self.now);
        found.ended_in = change.case.row.revision;
        found.ended_by = Some(by.account.clone());
        found.ended_name = by.display.clone();
        found.revision += 1;
        task.signers -= 1;
        task.revision += 1;
        let details = json!({ "signer": signer, "to": found.assignee, "reason": reason });
        change.note(
            self.now,
            &by.account,
            "signer_removed",
            Some(&task),
            details.clone(),
        );
        change.audit(self.now, by, "remove_signer", details);
        let id = task.id.clone();
        change.tasks.extend([task, found]);
        self.hand_in(change, &id)
    }

    pub(super) async fn circulate(
        &mut self,
        by: &Actor,
        open: &Open,
        mut task: TaskRow,
        to: &[String],
        reason: &str,
    ) -> Result<Reply, Fault> {
        faults::note("reason", reason, 500)?;
        let to: BTreeSet<&String> = to.iter().collect();
        if to.is_empty() || to.len() > READERS {
            return Err(Fault::invalid_at(
                "to",
                format!("传阅应为 1 至 {READERS} 人"),
                format!("1 to {READERS} readers"),
            ));
        }
        for reader in &to {
            faults::text("to", reader, 64)?;
        }
        self.officials("to", to.iter().map(|reader| reader.as_str()))
            .await?;
        let mut change = Change::of(open);
        task.revision += 1;
        for (number, reader) in to.iter().enumerate() {
            let reading = self.beside(&change.case, &task, TaskKind::Reading, reader, number);
            change.opened.push(reading.id.clone());
            change.tasks.push(reading);
        }
        let details = json!({ "to": to, "reason": reason });
        change.note(
            self.now,
            &by.account,
            "circulated",
            Some(&task),
            details.clone(),
        );
        change.audit(self.now, by, "circulate", details);
        let id = task.id.clone();
        change.tasks.push(task);
        self.hand_in(change, &id)
    }
}

/// Only a task drawn in the process can be handed about.
pub(super) fn plain(task: &TaskRow) -> Result<(), Fault> {
    if task.kind != TaskKind::Task {
        return Err(faults::unfit(
            "加签、传阅任务不能进行此操作",
            "that cannot be done with an opinion or a reading",
        ));
    }
    Ok(())
}
