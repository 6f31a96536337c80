//! Tasks as open work: what an officer has in hand when they move, and how it goes to a successor or
//! back to those it was offered to.

use super::work::{Change, Work, case_of};
use super::{Engine, faults};
use async_trait::async_trait;
use kernel::access::Actor;
use kernel::cases::TaskState;
use kernel::organisations::{OpenItem, OpenWork, Successor};
use kernel::{Fault, Words};
use serde_json::json;
use std::any::Any;
use store::Tx;
use store::cases::TaskRow;
use store::cases::lists::{self, InboxQuestion, PAGE};

#[async_trait]
impl OpenWork for Engine {
    fn kind(&self) -> &'static str {
        "case"
    }

    async fn of(&self, account: &str, limit: usize) -> Result<Vec<OpenItem>, Fault> {
        let mut question = InboxQuestion {
            holders: vec![format!("a:{account}")],
            limit: PAGE,
            now: self.clock.now(),
            ..InboxQuestion::default()
        };
        let mut items = vec![];
        let mut reader = self.store.snapshot().await?;
        loop {
            let (rows, more, _) = lists::inbox(&mut reader, &question).await?;
            question.after = rows.last().map(|row| (row.due_at, row.id.clone()));
            items.extend(rows.into_iter().map(item));
            if !more || items.len() >= limit {
                break;
            }
        }
        items.sort_by_key(|item| item.since);
        items.truncate(limit);
        Ok(items)
    }

    async fn hand_over(
        &self,
        transaction: &mut (dyn Any + Send),
        by: &Actor,
        id: &str,
        from: &str,
        to: &Successor,
    ) -> Result<bool, Fault> {
        let Some(tx) = transaction.downcast_mut::<Tx>() else {
            let cause = "not a transaction";
            return Err(Fault::internal("handing over a task", cause));
        };
        let mut work = Work::new(self, tx);
        let Some(mut task) = work.task(id).await? else {
            return Ok(false);
        };
        if task.assignee.as_deref() != Some(from) || task.state != TaskState::Open {
            return Ok(false);
        }
        let case = case_of(id).ok_or_else(|| Fault::missing(id))?;
        let open = work.case(case).await?;
        match to {
            Successor::Account(account) => task.assignee = Some(account.clone()),
            Successor::Queue => {
                if task.roles.is_empty() && task.organisation.is_none() {
                    // It was offered to nobody else: the organisation in charge takes it back.
                    let organisation = open.row.organisation.clone();
                    task.organisation = organisation.map(|code| self.heir(code));
                }
                if task.roles.is_empty() && task.organisation.is_none() {
                    return Err(faults::unfit(
                        format!("任务“{}”没有可退回的机构，请指定接办人", task.name),
                        format!(
                            "the task \"{}\" has no queue to go to; name a successor",
                            task.name
                        ),
                    ));
                }
                task.assignee = None;
            }
        }
        task.claimed_at = None;
        task.revision += 1;
        let mut change = Change::of(&open);
        let details = json!({ "from": from, "to": to });
        change.note(
            work.now,
            &by.account,
            "handed_over",
            Some(&task),
            details.clone(),
        );
        change.audit(
            work.now,
            by,
            "hand_over",
            json!({ "task": task.id, "hand_over": details }),
        );
        change.tasks.push(task);
        work.take(change)?;
        work.finish().await?;
        Ok(true)
    }
}

fn item(row: TaskRow) -> OpenItem {
    let title = format!("{}（{}）", row.name, row.title);
    OpenItem {
        kind: "case".into(),
        id: row.id,
        title: Words::new(title.clone(), title),
        since: row.opened_at,
    }
}
