//! Applying changes: checked one by one and against what is believed, planned, and written in one
//! transaction with their audit entries and events. All or nothing, every fault at once.

use crate::Inner;
use crate::schema::{Register, without_nulls};
use crate::timeline::{Deed, Dispute, Timeline};
use kernel::access::Actor;
use kernel::events::EventKind;
use kernel::fault::FaultKind;
use kernel::records::{Record, RecordChange};
use kernel::{Fault, Problem, Time, Words};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use store::audit::{self, AuditEntry};
use store::records::{self, RecordRow};
use store::{Tx, events};

/// Changes of one call, at most.
pub const CHANGES_LIMIT: usize = 20_000;
/// Problems named, at most; the last one says how many more there are.
const PROBLEMS_LIMIT: usize = 200;
/// Characters of a reason, at most.
const REASON_LIMIT: usize = 2_000;
/// Years a record may be valid from: 1600 to 2999, in microseconds.
const VALID_FROM: std::ops::Range<i64> = -11_676_096_000_000_000..32_503_680_000_000_000;

type Key = (String, String);

/// The timelines of the records changed, and the next row number of each register.
#[derive(Default)]
struct Work {
    timelines: BTreeMap<Key, Timeline>,
    next_ids: BTreeMap<String, i64>,
}

/// A fault of a change: its problem, and whether it is about versions.
struct Trouble {
    problem: Problem,
    dispute: Option<Dispute>,
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Trouble {
        Trouble {
            problem,
            dispute: None,
        }
    }
}

/// What a change came to.
struct Outcome {
    record: Record,
    before: Option<RecordRow>,
}

impl Inner {
    /// Applies changes; the caller holds the engine's writing lock.
    pub(crate) async fn apply(
        &self,
        actor: &Actor,
        changes: Vec<RecordChange>,
    ) -> Result<Vec<Record>, Fault> {
        if changes.len() > CHANGES_LIMIT {
            let (zh, en) = (
                format!("一次最多提交 {CHANGES_LIMIT} 项更改"),
                format!("at most {CHANGES_LIMIT} changes at once"),
            );
            return Err(Fault::new(FaultKind::TooLarge, "input.too_large", zh, en));
        }
        if changes.is_empty() {
            return Ok(vec![]);
        }
        let changes: Vec<RecordChange> = changes
            .into_iter()
            .map(|change| RecordChange {
                fields: change.fields.map(without_nulls),
                ..change
            })
            .collect();
        for change in &changes {
            self.register(&change.register)?;
        }
        let now = self.clock.now();
        let mut troubles: Vec<Vec<Trouble>> = self.check_alone(&changes);
        let mut tx = self.store.begin().await?;
        self.check_references(&mut tx, &changes, now, &mut troubles)
            .await?;
        let mut work = self.read(&mut tx, &changes).await?;
        let mut outcomes = vec![];
        for (number, change) in changes.iter().enumerate() {
            match self.plan(&mut work, actor, change, now) {
                Ok(outcome) => outcomes.push(outcome),
                Err(dispute) => {
                    let at = format!("{}/{}", prefix(&changes, number), self.key_field(change));
                    let problem = Problem {
                        at,
                        words: dispute_words(dispute, &change.key),
                    };
                    troubles[number].push(Trouble {
                        problem,
                        dispute: Some(dispute),
                    });
                }
            }
        }
        refuse(troubles.into_iter().flatten().collect())?;
        self.write(&mut tx, &work).await?;
        self.tell(&mut tx, actor, (&changes, &outcomes), &work, now)
            .await?;
        tx.commit().await?;
        for ((register, key), timeline) in &work.timelines {
            self.cache.put(register, key, timeline.standing(), now)?;
        }
        Ok(outcomes.into_iter().map(|outcome| outcome.record).collect())
    }

    fn key_field(&self, change: &RecordChange) -> &str {
        let register = self.registers.get(&change.register);
        register.map_or("key", |r| r.decl.key.as_str())
    }

    /// What can be said about each change without looking at the store.
    fn check_alone(&self, changes: &[RecordChange]) -> Vec<Vec<Trouble>> {
        let one = |(number, change): (usize, &RecordChange)| {
            let at = prefix(changes, number);
            let mut found = vec![];
            if let Some(register) = self.registers.get(&change.register) {
                found.extend(register.check_key(&change.key, change.fields.as_ref(), &at));
                if let Some(fields) = &change.fields {
                    found.extend(register.check(fields, &at));
                }
            }
            if change
                .valid_from
                .is_some_and(|t| !VALID_FROM.contains(&t.0))
            {
                found.push(Problem {
                    at: format!("{at}/valid_from"),
                    words: Words::new(
                        "生效时间须在 1600 年至 2999 年之间",
                        "valid_from must lie between the years 1600 and 2999",
                    ),
                });
            }
            let reason = change.reason.as_deref().unwrap_or("");
            if reason.chars().count() > REASON_LIMIT {
                found.push(Problem {
                    at: format!("{at}/reason"),
                    words: Words::new("理由过长", "the reason is too long"),
                });
            }
            found.into_iter().map(Trouble::from).collect()
        };
        changes.iter().enumerate().map(one).collect()
    }

    /// Every reference must lead to a record that stands, or is written by the same call.
    async fn check_references(
        &self,
        tx: &mut Tx,
        changes: &[RecordChange],
        now: Time,
        troubles: &mut [Vec<Trouble>],
    ) -> Result<(), Fault> {
        let written: BTreeSet<(&str, &str)> = changes
            .iter()
            .filter(|c| c.fields.is_some())
            .map(|c| (c.register.as_str(), c.key.as_str()))
            .collect();
        let mut wanted: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let mut references = vec![];
        for (number, change) in changes.iter().enumerate() {
            let Some(fields) = &change.fields else {
                continue;
            };
            for (field, target, key) in self.register(&change.register)?.references(fields) {
                if !written.contains(&(target, key.as_str())) {
                    wanted.entry(target).or_default().insert(key.clone());
                    references.push((number, field, target, key));
                }
            }
        }
        let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (target, keys) in wanted {
            let keys: Vec<String> = keys.into_iter().collect();
            let shape = &self.register(target)?.shape;
            found.insert(target, records::existing(tx, shape, &keys, now.0).await?);
        }
        for (number, field, target, key) in references {
            if found.get(target).is_some_and(|keys| keys.contains(&key)) {
                continue;
            }
            let title = &self.register(target)?.decl.title;
            let problem = Problem {
                at: format!("{}/{field}", prefix(changes, number)),
                words: Words::new(
                    format!("登记簿“{}”中没有“{key}”", title.zh),
                    format!("there is no \"{key}\" in {}", title.en),
                ),
            };
            troubles[number].push(problem.into());
        }
        Ok(())
    }

    async fn read(&self, tx: &mut Tx, changes: &[RecordChange]) -> Result<Work, Fault> {
        let mut keys: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for change in changes {
            keys.entry(&change.register)
                .or_default()
                .insert(change.key.clone());
        }
        let mut work = Work::default();
        for (name, keys) in keys {
            let shape = &self.register(name)?.shape;
            let keys: Vec<String> = keys.into_iter().collect();
            let held = records::held(tx, shape, &keys).await?;
            let mut standing: BTreeMap<String, Vec<RecordRow>> = BTreeMap::new();
            for row in held.standing {
                standing.entry(row.key.clone()).or_default().push(row);
            }
            for key in keys {
                let rows = standing.remove(&key).unwrap_or_default();
                let timeline = Timeline::new(&key, rows, held.latest.get(&key).copied());
                work.timelines.insert((name.into(), key), timeline);
            }
            let next = records::last_id(tx, shape).await? + 1;
            work.next_ids.insert(name.into(), next);
        }
        Ok(work)
    }

    fn plan(
        &self,
        work: &mut Work,
        actor: &Actor,
        change: &RecordChange,
        now: Time,
    ) -> Result<Outcome, Dispute> {
        let at = change.valid_from.unwrap_or(now).0;
        let key = (change.register.clone(), change.key.clone());
        let next_id = work.next_ids.entry(key.0.clone()).or_insert(1);
        let timeline = work
            .timelines
            .entry(key)
            .or_insert_with(|| Timeline::new(&change.key, vec![], None));
        timeline.check(change.expect_version, at)?;
        let deed = Deed {
            at,
            now: now.0,
            by: actor.account.clone(),
            reason: change.reason.clone().filter(|r| !r.trim().is_empty()),
        };
        let before = timeline.at(at).cloned();
        let (row, fields) = match &change.fields {
            Some(fields) => {
                let body = Value::Object(fields.clone()).to_string();
                (timeline.put(&deed, body, next_id), fields.clone())
            }
            None => {
                let row = timeline.end(&deed, next_id)?;
                let fields = fields_of(&row.body).unwrap_or_default();
                (row, fields)
            }
        };
        let mut record = record(&change.register, &row, fields);
        record.version = row.version;
        Ok(Outcome { record, before })
    }

    async fn write(&self, tx: &mut Tx, work: &Work) -> Result<(), Fault> {
        let mut rows: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for ((name, _), timeline) in &work.timelines {
            let register = self.register(name)?;
            let (gone, at) = timeline.gone();
            records::supersede(tx, &register.shape, gone, at).await?;
            for row in timeline.written() {
                let cells = register.cells(register.shape.columns(), &fields_of(&row.body)?);
                rows.entry(name).or_default().push((row.clone(), cells));
            }
        }
        for (name, rows) in rows {
            records::insert(tx, &self.register(name)?.shape, &rows).await?;
        }
        for ((name, key), timeline) in &work.timelines {
            if let Some(revision) = timeline.revision_for_others() {
                let shape = &self.register(name)?.shape;
                records::set_revision(tx, shape, key, revision).await?;
            }
        }
        Ok(())
    }

    /// One audit entry and one event for every record. The audit log names the fields that
    /// changed, never their values: it is kept longer than personal data may be. The event carries
    /// the record as it now stands, so that a correction of the past is not taken for the present;
    /// when nothing stands now, it carries what has ended or is yet to begin.
    async fn tell(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        (changes, outcomes): (&[RecordChange], &[Outcome]),
        work: &Work,
        now: Time,
    ) -> Result<(), Fault> {
        for (change, outcome) in changes.iter().zip(outcomes) {
            let record = &outcome.record;
            let before = match &outcome.before {
                Some(row) => fields_of(&row.body)?,
                None => Map::new(),
            };
            let what = match (&change.fields, &outcome.before) {
                (None, _) => "end",
                (Some(_), None) => "create",
                (Some(_), Some(_)) => "change",
            };
            let entry = AuditEntry {
                at: now,
                account: actor.account.clone(),
                verb: "write".into(),
                object: format!("register.{}", change.register),
                subject: change.key.clone(),
                purpose: actor.grant.purpose.clone(),
                basis: actor.grant.basis.clone(),
                details: actor.on_behalf(json!({
                    "what": what,
                    "version": record.version,
                    "valid_from": record.valid_from,
                    "fields": changed(&before, &record.fields),
                    "reason": record.reason,
                })),
                outcome: "done".into(),
            };
            audit::append(tx, &entry).await?;
            let key = (change.register.clone(), change.key.clone());
            let stands = work.timelines.get(&key).and_then(|t| t.at(now.0));
            let told = match stands {
                Some(row) => stored(&change.register, row)?,
                None => record.clone(),
            };
            let body = serde_json::to_vec(&told)
                .map_err(|e| Fault::internal("writing the event of a record", e))?;
            let about = format!("{}/{}", change.register, change.key);
            events::append(tx, now, EventKind::Record, &about, &body).await?;
        }
        Ok(())
    }

    /// A register by name.
    pub(crate) fn register(&self, name: &str) -> Result<&Register, Fault> {
        let found = self.registers.get(name);
        found.ok_or_else(|| Fault::missing(&format!("register {name}")))
    }
}

/// Where the problems of a change are: at its fields, after its number when there are several.
fn prefix(changes: &[RecordChange], number: usize) -> String {
    if changes.len() == 1 {
        String::new()
    } else {
        format!("/{number}")
    }
}

fn changed(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}

fn dispute_words(dispute: Dispute, key: &str) -> Words {
    match dispute {
        Dispute::Exists => Words::new(
            format!("“{key}”已经存在，未做任何更改"),
            format!("\"{key}\" exists already; nothing was changed"),
        ),
        Dispute::Stale(0) => Words::new(
            format!("“{key}”不存在"),
            format!("\"{key}\" does not exist"),
        ),
        Dispute::Stale(version) => Words::new(
            format!("“{key}”已被他人更改（现为第 {version} 版），请重新查看后再提交"),
            format!("\"{key}\" was changed by somebody else (now version {version}); look again"),
        ),
        Dispute::NotThere => Words::new(
            format!("“{key}”不存在或已经终止"),
            format!("\"{key}\" does not exist or has ended"),
        ),
    }
}

/// One fault that names every trouble, if there is any.
fn refuse(troubles: Vec<Trouble>) -> Result<(), Fault> {
    let Some(first) = troubles.first() else {
        return Ok(());
    };
    let disputes_only = troubles.iter().all(|t| t.dispute.is_some());
    let head = match first.dispute {
        Some(dispute) if disputes_only => {
            let words = first.problem.words.clone();
            let (kind, code) = match dispute {
                Dispute::Exists => (FaultKind::Conflict, "input.conflict"),
                Dispute::Stale(_) => (FaultKind::Conflict, "input.stale"),
                Dispute::NotThere => (FaultKind::Missing, "input.not_found"),
            };
            Some(Fault::new(kind, code, words.zh, words.en))
        }
        _ => None,
    };
    let all = troubles.into_iter().map(|t| t.problem).collect();
    Err(faulty(head, all))
}

/// A fault with these problems, of which only the first [`PROBLEMS_LIMIT`] are named.
pub(crate) fn faulty(head: Option<Fault>, mut problems: Vec<Problem>) -> Fault {
    let mut fault = head.unwrap_or_else(|| Fault::invalid(problems.clone()));
    if problems.len() > PROBLEMS_LIMIT {
        let more = problems.len() - PROBLEMS_LIMIT;
        problems.truncate(PROBLEMS_LIMIT);
        problems.push(Problem {
            at: String::new(),
            words: Words::new(
                format!("另有 {more} 处错误未列出"),
                format!("{more} more faults are not listed"),
            ),
        });
    }
    fault.problems = problems;
    fault
}

/// The fields of a stored record.
pub(crate) fn fields_of(body: &str) -> Result<Map<String, Value>, Fault> {
    serde_json::from_str(body).map_err(|e| Fault::internal("reading a stored record", e))
}

/// A record from its row, with the fields stored in it.
pub(crate) fn stored(register: &str, row: &RecordRow) -> Result<Record, Fault> {
    Ok(record(register, row, fields_of(&row.body)?))
}

/// A record from its row. Its version is that of its latest change, the one an editor must name.
pub(crate) fn record(register: &str, row: &RecordRow, fields: Map<String, Value>) -> Record {
    let open = |end: i64| (end != records::FOREVER).then_some(Time(end));
    Record {
        register: register.into(),
        key: row.key.clone(),
        fields,
        valid_from: Time(row.valid_from),
        valid_to: open(row.valid_to),
        recorded_at: Time(row.recorded_at),
        superseded_at: open(row.superseded_at),
        version: row.revision,
        by: row.by.clone(),
        reason: row.reason.clone(),
    }
}
