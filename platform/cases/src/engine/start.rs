//! Cases begin: by a person, by a message, by another case.

use super::brought;
use super::budget::Budget;
use super::clocks;
use super::desk::Reply;
use super::faults;
use super::follow::Cause;
use super::views;
use super::work::{Change, Kept, Open, Work};
use crate::bpmn::{Model, NodeIndex};
use crate::clock::Counted;
use crate::machine::{Instance, Standing, begin};
use kernel::access::Actor;
use kernel::cases::{CaseState, Expressions, NewCase};
use kernel::fault::{FaultKind, Problem};
use kernel::{Fault, Span, Time, Verb, Words, new_id};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::cases::{CaseRow, KeyRow, pack, read};

/// Cases that call each other, one within the other, at most: beyond it they are a circle.
pub(super) const DEPTH: i64 = 16;
/// Bytes of what a case begins with, at most.
const DATA: usize = 256 << 10;

/// Where a case comes from.
#[derive(Default)]
pub(super) struct Origin {
    /// Start event, when it was not begun by nothing.
    pub(super) node: Option<NodeIndex>,
    /// Case and wait that called it.
    pub(super) parent: Option<(String, u64)>,
    /// Cases above it.
    pub(super) depth: i64,
    /// When the timer was due that begins it.
    pub(super) due: Option<Time>,
}

impl Work<'_> {
    pub(super) async fn start(&mut self, by: &Actor, new: &NewCase) -> Result<Reply, Fault> {
        let by = self.engine.demand(by, Verb::Write, "cases")?;
        check(new, self.now)?;
        // When the limits began is no part of what is asked: older programs did not say it.
        let since = None;
        let said = digest(&NewCase {
            since,
            ..new.clone()
        })?;
        let key = match &new.once {
            Some(once) => match self.used(&by, once, &said).await? {
                Ok(case) => {
                    let open = self.case(&case).await?;
                    return Ok(Reply::Case(Box::new(self.view(&open))));
                }
                Err(key) => Some(key),
            },
            None => None,
        };
        let open = self.begin(&by, new, Origin::default(), key).await?;
        Ok(Reply::Case(Box::new(self.view(&open))))
    }

    pub(super) fn view(&self, open: &Open) -> kernel::cases::Case {
        views::case(
            self.engine,
            &open.row,
            &open.kept,
            &self.engine.days(),
            self.now,
        )
    }

    /// The case an idempotency key led to; else the row that notes it. The same key for something
    /// else is refused.
    pub(super) async fn used(
        &mut self,
        by: &Actor,
        once: &str,
        said: &str,
    ) -> Result<Result<String, KeyRow>, Fault> {
        faults::text("once", once, 200)?;
        let key = format!("{}\n{once}", by.account);
        if !self.writes.keys.is_empty() {
            self.flush().await?;
        }
        let Some(found) = read::key(self.tx, &key).await? else {
            return Ok(Err(KeyRow {
                key,
                case_id: String::new(),
                said: said.into(),
                at: self.now,
            }));
        };
        if found.said != said {
            return Err(faults::unfit(
                "该幂等键已用于另一份内容",
                "this idempotency key was used for something else",
            ));
        }
        Ok(Ok(found.case_id))
    }

    /// Begins a case.
    pub(super) async fn begin(
        &mut self,
        by: &Actor,
        new: &NewCase,
        origin: Origin,
        key: Option<KeyRow>,
    ) -> Result<Arc<Open>, Fault> {
        let process = &new.process;
        let newest = self.engine.shelf.newest(process);
        let version = new.version.or(newest);
        let version = version.ok_or_else(|| Fault::missing(process))?;
        let model = self.engine.model(self.tx, process, version).await?;
        let drawing = model.processes.get(process);
        if origin.node.is_none() && drawing.is_some_and(|drawing| drawing.entries(None).is_empty())
        {
            return Err(Fault::invalid_at(
                "process",
                "该流程只由消息、信号或定时启动",
                "this process begins by a message, a signal or a timer only",
            ));
        }
        let id = new_id(self.now);
        let number = new.number.clone().unwrap_or_else(|| id.clone());
        if new.number.is_some() {
            self.number_free(&number).await?;
        }
        let deciding = self.engine.deciding(self.tx, &model, process, self.now);
        let deciding = deciding.await?;
        let named = (id, number, version);
        let open = blank(self, by, new, named, (&model, &deciding), &origin)?;
        let step = {
            let calendar = self.engine.days();
            let budget = Budget::new(&*deciding);
            let expressions = Counted {
                expressions: &budget,
                calendar: &calendar,
            };
            let data = new.data.clone();
            begin(&model, process, origin.node, data, &expressions, self.now)?
        };
        let mut cause = Cause::of(by, "started", None)
            .with("version", version)
            .with("parent", open.row.parent.clone())
            .with(brought::BROUGHT, brought::beginning(&new.data));
        if let Some(due) = origin.due {
            cause = cause.with("due", due.rfc3339());
        }
        let mut change: Change = self.follow(&open, step, cause).await?;
        change.begun = true;
        let calendar = self.engine.days();
        let timers = clocks::case_timers(&change.case, &calendar, self.now);
        change
            .timers
            .extend(timers.into_iter().filter(|(_, row)| row.is_some()));
        let mut details = json!({ "process": process, "version": version });
        if let Some(due) = origin.due {
            details["timer"] = json!(due.rfc3339());
        }
        change.audit(self.now, by, "start", details);
        if let Some(key) = key {
            let case_id = change.case.row.id.clone();
            change.key = Some(KeyRow { case_id, ..key });
        }
        self.take(change)
    }

    async fn number_free(&mut self, number: &str) -> Result<(), Fault> {
        self.flush().await?;
        if read::case_of_number(self.tx, number).await?.is_some() {
            return Err(faults::unfit(
                format!("编号 {number} 已被使用"),
                format!("the number {number} is in use"),
            ));
        }
        Ok(())
    }
}

/// A case before its first step.
fn blank(
    work: &Work<'_>,
    by: &Actor,
    new: &NewCase,
    (id, number, version): (String, String, i64),
    (model, expressions): (&Arc<Model>, &Arc<dyn Expressions>),
    origin: &Origin,
) -> Result<Open, Fault> {
    let drawing = model.processes.get(&new.process);
    let drawing = drawing.ok_or_else(|| Fault::missing(&new.process))?;
    let title = if new.title.is_empty() {
        drawing.name.clone()
    } else {
        new.title.clone()
    };
    let instance = Instance {
        process: new.process.clone(),
        state: Standing::Running,
        scopes: BTreeMap::new(),
        tokens: BTreeMap::new(),
        waits: BTreeMap::new(),
        next: 0,
    };
    let kept = Kept {
        instance,
        statutory: new.statutory,
        promised: new.promised,
        since: new.since,
        pauses: vec![],
    };
    let clocked = new.statutory.is_some() || new.promised.is_some();
    let parent = origin.parent.as_ref();
    let row = CaseRow {
        id,
        number,
        process: new.process.clone(),
        version,
        title,
        organisation: new.organisation.clone().map(|code| work.engine.heir(code)),
        state: CaseState::Running,
        error: None,
        started_by: by.account.clone(),
        started_at: work.now,
        ended_at: None,
        parent: parent.map(|(case, _)| case.clone()),
        parent_wait: parent.map_or(0, |(_, wait)| *wait as i64),
        depth: origin.depth,
        stuck: 0,
        clocked: i64::from(clocked),
        revision: 0,
        entries: 0,
        body: pack(b"{}")?,
    };
    Ok(Open {
        row,
        kept,
        model: model.clone(),
        expressions: expressions.clone(),
    })
}

/// Everything that is wrong with what is to begin, at once.
fn check(new: &NewCase, now: Time) -> Result<(), Fault> {
    let mut problems = vec![];
    let mut say = |at: &str, zh: &str, en: &str| {
        problems.push(Problem {
            at: at.into(),
            words: Words::new(zh, en),
        });
    };
    let long = |text: &str, limit| text.chars().count() > limit || text.contains('\0');
    if new.process.is_empty() || long(&new.process, 200) {
        say("process", "缺少流程", "the process is missing");
    }
    if long(&new.title, 200) {
        say("title", "至多 200 字", "200 characters at most");
    }
    if let Some(number) = &new.number
        && (number.trim().is_empty() || long(number, 64))
    {
        say("number", "1 至 64 字", "1 to 64 characters");
    }
    if new
        .organisation
        .as_deref()
        .is_some_and(|o| o.is_empty() || long(o, 64))
    {
        say("organisation", "1 至 64 字", "1 to 64 characters");
    }
    let limits = [("statutory", &new.statutory), ("promised", &new.promised)];
    for (at, limit) in limits {
        if limit.is_some_and(|limit| limit.days == 0 || limit.days > 3660) {
            say(at, "应为 1 至 3660 天", "should be 1 to 3,660 days");
        }
    }
    if let (Some(statutory), Some(promised)) = (new.statutory, new.promised)
        && statutory.count == promised.count
        && promised.days > statutory.days
    {
        let (zh, en) = (
            "承诺时限不得长于法定时限",
            "the promised limit must not be longer than the statutory one",
        );
        say("promised", zh, en);
    }
    // Days are counted one by one: no further back than a limit may be long.
    let earliest = Time(now.0 - Span::days(3660).0);
    if new
        .since
        .is_some_and(|since| since > now || since < earliest)
    {
        let (zh, en) = (
            "不得晚于现在，也不得早于 3660 天前",
            "must not be later than now, nor more than 3,660 days ago",
        );
        say("since", zh, en);
    }
    if problems.is_empty() {
        size("data", &new.data)
    } else {
        Err(Fault::invalid(problems))
    }
}

/// Data that are not too many.
pub(super) fn size(at: &str, data: &Map<String, Value>) -> Result<(), Fault> {
    let bytes = serde_json::to_vec(data).map_or(usize::MAX, |json| json.len());
    if bytes > DATA {
        return Err(Fault::new(
            FaultKind::TooLarge,
            "input.too_large",
            format!("{at} 过大（上限 {DATA} 字节）"),
            format!("{at} is larger than {DATA} bytes"),
        ));
    }
    Ok(())
}

/// What was asked, as the idempotency key remembers it.
pub(super) fn digest(asked: &impl serde::Serialize) -> Result<String, Fault> {
    let json = serde_json::to_vec(asked).map_err(|e| Fault::internal("reading a request", e))?;
    let hash = Sha256::digest(&json);
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}
