//! What may be handed in at a task: judged by its form before the deed, outside of the transaction;
//! and variables no task sets, because they say what the case is about.

use super::access::may_do;
use super::work::{case_of, kept};
use super::{Engine, faults};
use crate::machine::ROOT;
use kernel::access::Actor;
use kernel::cases::{CaseState, HandedIn, TaskKind, TaskVerb};
use kernel::{Fault, Problem, Words};
use serde_json::{Map, Value};
use store::cases::{TaskRow, read};

/// What the case is about, and which case calls a function: no form has them either.
const ABOUT: [&str; 2] = ["application", "case"];
/// What functions bring; only a form may ask for something of that name.
const BROUGHT: [&str; 7] = [
    "applicant",
    "bill",
    "bills",
    "fees_fen",
    "item",
    "licence",
    "licence_identifier",
];

/// Was it judged by the form of the task?
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Judged {
    /// Not yet: there was nothing to be done, or nothing to be judged.
    No,
    /// There is no form of that name.
    Free,
    /// And nothing is wrong with it.
    Sound,
}

impl Engine {
    /// Judges what is handed in at a task that names a form. Whoever may not complete the task, or
    /// comes too late, is told so by the deed.
    pub(super) async fn judged(
        &self,
        by: &Actor,
        id: &str,
        seen: Option<i64>,
        verb: &TaskVerb,
    ) -> Result<Judged, Fault> {
        let TaskVerb::Complete { data } = verb else {
            return Ok(Judged::No);
        };
        let (form, case, variables) = {
            let mut reader = self.store.snapshot().await?;
            let task = read::tasks(&mut reader, &[id.to_string()]).await?.pop();
            let Some(task) = task else {
                return Ok(Judged::No);
            };
            let stale = seen.is_some_and(|seen| seen != task.revision);
            let waits = task.kind == TaskKind::Task && task.signers == 0;
            let Some(form) = task.form.clone().filter(|_| waits && !stale) else {
                return Ok(Judged::No);
            };
            if may_do(by, &task).is_err() {
                return Ok(Judged::No);
            }
            let case = case_of(id).unwrap_or_default().to_string();
            let row = read::cases(&mut reader, std::slice::from_ref(&case))
                .await?
                .pop();
            let Some(row) = row.filter(|row| row.state == CaseState::Running) else {
                return Ok(Judged::No);
            };
            let instance = kept(&row)?.instance;
            let wait = instance.waits.get(&(task.wait as u64));
            let variables = instance.variables(wait.map_or(ROOT, |wait| wait.scope));
            (form, case, variables)
        };
        let handed_in = HandedIn {
            form: &form,
            case: &case,
            variables: &variables,
            data,
        };
        match self.means.forms.judge(handed_in).await? {
            None => Ok(Judged::Free),
            Some(problems) if problems.is_empty() => Ok(Judged::Sound),
            Some(problems) => Err(Fault::invalid(problems)),
        }
    }
}

/// May the task set these variables?
pub(super) fn settable(
    task: &TaskRow,
    data: &Map<String, Value>,
    judged: Judged,
) -> Result<(), Fault> {
    if task.form.is_some() && judged == Judged::No {
        return Err(faults::unfit(
            "该任务刚刚有变化，请刷新后重试",
            "the task has changed just now; look again",
        ));
    }
    let free = judged != Judged::Sound;
    let kept =
        |name: &&String| ABOUT.contains(&name.as_str()) || free && BROUGHT.contains(&name.as_str());
    let problems: Vec<Problem> = data
        .keys()
        .filter(kept)
        .map(|name| Problem {
            at: format!("/answers/{name}"),
            words: Words::new(
                "办理任务时不能改写这一项",
                "completing a task does not set this",
            ),
        })
        .collect();
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Fault::invalid(problems)),
    }
}
