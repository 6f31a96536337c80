//! Reading: a case opened, its history, lists, the inbox. All of it from the store as committed, so
//! that everybody reads what they have written.

use super::access::{holders, may_do};
use super::desk::Deed;
use super::work::{Kept, Open, case_of, kept};
use super::{Engine, faults, views};
use crate::machine::{Place, ROOT};
use kernel::access::Actor;
use kernel::cases::{
    CaseFile, CaseFilter, CasePage, Entry, Inbox, InboxFilter, Mark, SetAside, TaskFile, TaskState,
    Whose,
};
use kernel::{Fault, Filter, Noted, Time, Verb, Words};
use std::collections::{BTreeMap, HashMap};
use store::Run;
use store::cases::lists::{self, InboxQuestion, PAGE, Sight};
use store::cases::{CaseRow, outbox, read};

/// Rows of a page when nobody says how many.
const USUAL: usize = 50;
/// Tasks shown with a case, at most.
const SHOWN: u64 = 500;

impl Engine {
    /// A case the asker may see.
    async fn seen(&self, run: &mut impl Run, by: &Actor, case: &str) -> Result<Open, Fault> {
        let found = read::cases(run, &[case.to_string()]).await?.pop();
        let row = match found {
            Some(row) => Some(row),
            None => read::case_of_number(run, case).await?,
        };
        let row = row.ok_or_else(|| Fault::missing(case))?;
        let model = self.model(run, &row.process, row.version).await?;
        let open = Open {
            kept: kept(&row)?,
            row,
            model,
            expressions: self.means.expressions.clone(),
        };
        if !self.may_see(run, by, &open).await? {
            return Err(Fault::missing(case));
        }
        Ok(open)
    }

    /// Of these cases, by identification or number, those the asker may see: under each name its
    /// identification. Nothing of them is told, so nothing is logged.
    pub async fn known(
        &self,
        by: &Actor,
        names: &[String],
    ) -> Result<BTreeMap<String, String>, Fault> {
        let mut reader = self.store.snapshot().await?;
        let mut known = BTreeMap::new();
        for name in names {
            match self.seen(&mut reader, by, name).await {
                Ok(open) => known.insert(name.clone(), open.row.id),
                Err(fault) if fault.code == "input.not_found" => None,
                Err(fault) => return Err(fault),
            };
        }
        Ok(known)
    }

    pub(super) async fn opened(&self, by: &Actor, case: &str) -> Result<CaseFile, Fault> {
        let file = {
            let mut reader = self.store.snapshot().await?;
            let open = self.seen(&mut reader, by, case).await?;
            let id = &open.row.id;
            let tasks = read::tasks_of(&mut reader, id, TaskState::Open, None, SHOWN).await?;
            let passed = read::passed(&mut reader, id).await?;
            let (now, calendar) = (self.clock.now(), self.days());
            let view = |task| views::task(self, task, &open.kept.pauses, &calendar, now);
            let root = open.kept.instance.scopes.get(&ROOT);
            CaseFile {
                case: views::case(self, &open.row, &open.kept, &calendar, now),
                data: root.map(|root| root.variables.clone()).unwrap_or_default(),
                marks: marks(&open)?,
                passed,
                tasks: tasks.iter().map(view).collect(),
                pauses: open.kept.pauses.clone(),
            }
        };
        let by = self.under(by);
        let number = file.case.number.clone();
        self.submit(Deed::Looked(by, number)).await?;
        Ok(file)
    }

    /// The reader under the grant of the policy, if there is one: for the purpose in the log.
    fn under(&self, by: &Actor) -> Actor {
        let decision = self.means.policy.may(by, Verb::Read, "cases");
        if decision.allowed() {
            by.under(&decision)
        } else {
            by.clone()
        }
    }

    pub(super) async fn entries(
        &self,
        by: &Actor,
        case: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Entry>, Fault> {
        let mut reader = self.store.reader().await?;
        let open = self.seen(&mut reader, by, case).await?;
        let limit = if limit == 0 { 1000 } else { limit.min(1000) };
        let mut entries = read::history(&mut reader, &open.row.id, after, limit as u64).await?;
        for entry in &mut entries {
            if let Some(details) = entry.details.as_object_mut() {
                details.remove(super::brought::BROUGHT);
            }
        }
        Ok(entries)
    }

    pub(super) async fn list(&self, by: &Actor, filter: &CaseFilter) -> Result<CasePage, Fault> {
        let policy = self.means.policy.filter(by, Verb::Read, "cases");
        let mut organisations: Vec<String> = vec![];
        if !matches!(policy, Filter::Everything | Filter::Nothing) {
            organisations.extend(by.standing.scope.iter().cloned());
            organisations.extend(by.standing.organisations.iter().cloned());
            organisations.extend(by.organisation.clone());
        }
        let sight = Sight {
            all: matches!(policy, Filter::Everything) || super::access::is_machine(by),
            organisations,
            account: by.account.clone(),
            asked: filter.organisation.as_deref().map_or(vec![], |code| {
                let mut asked = self.means.people.predecessors(code);
                asked.push(code.into());
                asked
            }),
        };
        if let Some(text) = &filter.text {
            faults::text("text", text, 100)?;
        }
        let limit = if filter.limit == 0 {
            USUAL
        } else {
            filter.limit
        };
        let mut reader = self.store.snapshot().await?;
        let (rows, more, count) = lists::cases(&mut reader, filter, &sight, limit).await?;
        let (now, calendar) = (self.clock.now(), self.days());
        let next = rows.last().filter(|_| more).map(|row| row.id.clone());
        let view = |row: &CaseRow| Ok(views::case(self, row, &kept(row)?, &calendar, now));
        let rows: Result<Vec<_>, Fault> = rows.iter().map(view).collect();
        Ok(CasePage {
            rows: rows?,
            next,
            count,
        })
    }

    pub(super) async fn tray(&self, by: &Actor, filter: &InboxFilter) -> Result<Inbox, Fault> {
        if let Some(text) = &filter.text {
            faults::text("text", text, 100)?;
        }
        let own = filter.whose != Whose::Offered;
        let offered = filter.whose != Whose::Mine;
        let question = InboxQuestion {
            holders: holders(by, own, offered),
            process: filter.process.clone(),
            light: filter.light,
            text: filter.text.clone(),
            after: filter.after.as_deref().map(place).transpose()?,
            limit: if filter.limit == 0 {
                USUAL
            } else {
                filter.limit.min(PAGE)
            },
            now: self.clock.now(),
        };
        let mut reader = self.store.snapshot().await?;
        let (rows, more, count) = lists::inbox(&mut reader, &question).await?;
        let pauses = pauses_of(&mut reader, &rows).await?;
        let next = rows.last().filter(|_| more);
        let next = next.map(|row| format!("{}.{}", row.due_at, row.id));
        let calendar = self.days();
        let view = |row: &store::cases::TaskRow| {
            let kept = pauses.get(&row.case_id).map(|kept| kept.pauses.as_slice());
            views::task(self, row, kept.unwrap_or_default(), &calendar, question.now)
        };
        Ok(Inbox {
            rows: rows.iter().map(view).collect(),
            next,
            count,
        })
    }

    pub(super) async fn one_task(&self, by: &Actor, task: &str) -> Result<TaskFile, Fault> {
        let (file, number) = {
            let mut reader = self.store.snapshot().await?;
            let found = read::tasks(&mut reader, &[task.to_string()]).await?.pop();
            let row = found.ok_or_else(|| Fault::missing(task))?;
            let case = case_of(task).ok_or_else(|| Fault::missing(task))?;
            let open = self.read_case(&mut reader, case).await?;
            if may_do(by, &row).is_err() && !self.may_see(&mut reader, by, &open).await? {
                return Err(Fault::missing(task));
            }
            let wait = open.kept.instance.waits.get(&(row.wait as u64));
            let scope = wait.map_or(ROOT, |wait| wait.scope);
            let now = self.clock.now();
            let file = TaskFile {
                task: views::task(self, &row, &open.kept.pauses, &self.days(), now),
                data: open.kept.instance.variables(scope),
                countersign: self.countersign(&mut reader, by, &open, &row).await?,
                targets: self.targets(&mut reader, &open, &row).await?,
            };
            (file, open.row.number)
        };
        self.submit(Deed::Looked(self.under(by), number)).await?;
        Ok(file)
    }

    pub(super) async fn aside(&self, by: &Actor, limit: usize) -> Result<Vec<SetAside>, Fault> {
        self.demand(by, Verb::Operate, "cases")?;
        let limit = limit.clamp(1, 1000) as u64;
        let mut reader = self.store.reader().await?;
        let mut found = vec![];
        for job in outbox::jobs_aside(&mut reader, limit).await? {
            found.push(SetAside {
                id: job.id,
                case: job.case_id,
                number: None,
                kind: job.kind,
                name: job.name,
                attempts: job.attempts,
                error: Noted::from_text(&job.error),
                at: Time(job.at),
            });
        }
        for timer in outbox::timers_aside(&mut reader, limit).await? {
            found.push(SetAside {
                id: timer.id,
                case: timer.case_id,
                number: None,
                kind: "timer".into(),
                name: timer.kind,
                attempts: timer.attempts,
                error: Noted::from_text(&timer.error),
                // When it would have been tried next: not before it failed.
                at: std::cmp::min(Time(timer.due_at), self.clock.now()),
            });
        }
        found.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        found.truncate(limit as usize);
        let mut cases: Vec<String> = found.iter().map(|work| work.case.clone()).collect();
        cases.sort_unstable();
        cases.dedup();
        let numbers = outbox::numbers(&mut reader, &cases).await?;
        let numbers: HashMap<String, String> = numbers.into_iter().collect();
        for work in &mut found {
            work.number = numbers.get(&work.case).cloned();
        }
        Ok(found)
    }

    /// How much work is set aside: a number for who watches over the machine, of nobody's case.
    pub async fn count_aside(&self) -> Result<i64, Fault> {
        outbox::count_aside(&mut self.store.reader().await?).await
    }
}

/// What the cases of tasks with a clock keep: their pauses.
async fn pauses_of(
    run: &mut impl Run,
    rows: &[store::cases::TaskRow],
) -> Result<HashMap<String, Kept>, Fault> {
    let clocked = rows.iter().filter(|row| row.clock.is_some());
    let mut ids: Vec<String> = clocked.map(|row| row.case_id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::new();
    for row in read::cases(run, &ids).await? {
        let kept = kept(&row)?;
        found.insert(row.id, kept);
    }
    Ok(found)
}

/// Where the tokens of a case are.
fn marks(open: &Open) -> Result<Vec<Mark>, Fault> {
    let drawing = open.drawing()?;
    let tokens = open.kept.instance.tokens.iter();
    let mark = |(id, token): (&u64, &crate::machine::Token)| {
        let node = drawing.nodes.get(token.node)?;
        let stuck = match &token.place {
            Place::Stuck { zh, en } => Some(Words::new(zh, en)),
            _ => None,
        };
        Some(Mark {
            node: node.id.clone(),
            token: *id,
            stuck,
        })
    };
    Ok(tokens.filter_map(mark).collect())
}

/// Where a cursor of the inbox stands.
fn place(cursor: &str) -> Result<(i64, String), Fault> {
    let read = cursor.split_once('.');
    let read = read.and_then(|(due, id)| Some((due.parse().ok()?, id.to_string())));
    read.filter(|(_, id)| !id.is_empty() && id.len() <= 200)
        .ok_or_else(|| {
            Fault::invalid_at("after", "不是有效的翻页标记", "this is no cursor of a page")
        })
}
