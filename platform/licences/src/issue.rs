//! Issuing: one licence, many at once, or one in place of another. Everything is judged and signed
//! first; then one transaction writes all of it, or nothing.

use crate::check::{Sound, check};
use crate::content::{Content, place, state_of};
use crate::reading::{self, Row};
use crate::{CAPACITY, Engine, canonical, problem, said};
use kernel::access::Actor;
use kernel::crypto::Ring;
use kernel::events::EventKind;
use kernel::fault::FaultKind;
use kernel::licences::{Licence, LicenceType, NewLicence, State};
use kernel::{Fault, Problem, Time};
use rand::RngExt;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::audit::{self, AuditEntry};
use store::licences::{self as rows, LicenceRow, StepRow};
use store::{Tx, events};

/// Licences issued in one transaction, at most.
pub const AT_ONCE: usize = 1000;
/// Characters of a drawn serial after its date: 62 bits, so that none leads to another.
const DRAWN: usize = 12;
const LETTERS: &[u8] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// A licence that is signed and not written yet.
struct Prepared {
    row: LicenceRow,
    content: Content,
}

fn conflict(zh: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Conflict, "input.conflict", zh, en)
}

fn serial_of(new: &NewLicence, now: Time) -> String {
    let (year, month, day, ..) = now.beijing_fields();
    new.serial.clone().unwrap_or_else(|| {
        let mut random = rand::rng();
        let draw = |_| char::from(LETTERS[random.random_range(0..LETTERS.len())]);
        let drawn: String = (0..DRAWN).map(draw).collect();
        format!("{year:04}{month:02}{day:02}{drawn}")
    })
}

/// May this actor issue and change licences of a type? The machine itself, and whoever works in
/// the organisation that issues them or above it.
pub(crate) fn demand_issuer(actor: &Actor, kind: &LicenceType) -> Result<(), Fault> {
    let issuer = &kind.decl.issuer;
    let standing = &actor.standing;
    let within = actor.account == "system"
        || actor.organisation.as_ref() == Some(issuer)
        || standing.organisations.contains(issuer)
        || standing.scope.contains(issuer);
    if within {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Denied,
        "access.denied",
        format!("“{}”只能由其颁发机构办理", kind.decl.title.zh),
        format!(
            "\"{}\" is handled by the organisation that issues it only",
            kind.decl.title.en
        ),
    ))
}

impl Engine {
    pub(crate) async fn issue_all(
        &self,
        actor: &Actor,
        new: &[NewLicence],
    ) -> Result<Vec<Licence>, Fault> {
        let read = new.iter().map(Row::whole).collect();
        self.issue_read(actor, read).await
    }

    /// As [`kernel::licences::Licences::issue`], from rows as they arrive: what cannot be read is
    /// named with everything else that is wrong.
    pub async fn issue_rows(&self, actor: &Actor, rows: &[Value]) -> Result<Vec<Licence>, Fault> {
        let most = rows.iter().take(AT_ONCE + 1);
        self.issue_read(actor, most.map(reading::row).collect())
            .await
    }

    async fn issue_read(&self, actor: &Actor, read: Vec<Row>) -> Result<Vec<Licence>, Fault> {
        if read.is_empty() || read.len() > AT_ONCE {
            let zh = format!("一次签发 1 至 {AT_ONCE} 件");
            return Err(Fault::invalid_at("", zh, format!("1 to {AT_ONCE} at once")));
        }
        let now = self.clock.now();
        let mut wrong = twice(&read);
        let mut prepared = vec![];
        let mut denied = vec![];
        for (n, row) in read.into_iter().enumerate() {
            let (kind, version) = match self.current_type(&row.new.kind) {
                Some((version, kind)) => (kind.clone(), *version),
                None => {
                    if !row.names("kind") {
                        wrong.push((n, no_such_type()));
                    }
                    wrong.extend(row.unread.into_iter().map(|problem| (n, problem)));
                    continue;
                }
            };
            let mine = demand_issuer(actor, &kind);
            let mine = mine.map_err(|fault| denied.push((n, at_kind(&fault))));
            match check(&kind, &row.new, now) {
                Ok(sound) if row.unread.is_empty() && mine.is_ok() => {
                    let serial = serial_of(&sound.new, now);
                    let made = self.prepare(now, &kind, version, sound, &serial, None)?;
                    prepared.push((n, made));
                }
                Ok(_) => {}
                Err(found) => {
                    let more = found.into_iter().filter(|p| !row.names(&p.at));
                    wrong.extend(more.map(|problem| (n, problem)));
                }
            }
            wrong.extend(row.unread.into_iter().map(|problem| (n, problem)));
        }
        if prepared.is_empty() {
            return Err(faults_of(wrong, denied, vec![]));
        }
        let mut tx = self.store.begin().await?;
        let (answers, fresh, clashes) = self.sort_out(&mut tx, prepared).await?;
        if !(wrong.is_empty() && denied.is_empty() && clashes.is_empty()) {
            return Err(faults_of(wrong, denied, clashes));
        }
        if !fresh.is_empty() {
            self.write_new(&mut tx, actor, now, fresh, "issue", "")
                .await?;
            tx.commit().await?;
        }
        answers
            .into_iter()
            .map(|each| self.licence(&each.row, each.content))
            .collect()
    }

    /// Judges one request: a type that is known, whose issuer the actor is, and sound content.
    #[allow(clippy::type_complexity)]
    fn judge(
        &self,
        actor: &Actor,
        new: &NewLicence,
        now: Time,
    ) -> Result<Result<(Arc<LicenceType>, i64, Sound), Vec<Problem>>, Fault> {
        let Some((version, kind)) = self.current_type(&new.kind) else {
            return Ok(Err(vec![no_such_type()]));
        };
        demand_issuer(actor, kind)?;
        Ok(check(kind, new, now).map(|sound| (kind.clone(), *version, sound)))
    }

    /// Signs and seals a licence. Its number among all is given when it is written.
    fn prepare(
        &self,
        now: Time,
        kind: &LicenceType,
        kind_version: i64,
        sound: Sound,
        serial: &str,
        former: Option<(&str, u32)>,
    ) -> Result<Prepared, Fault> {
        let new = sound.new;
        let asked = serde_json::to_value(&new).map_err(|e| Fault::internal("issuing", e))?;
        let version = former.map_or(1, |(_, version)| version + 1);
        let rules = &self.settings.identifiers;
        let made = rules.make(&kind.decl.code, &kind.authority_code, serial, version);
        let made = made.ok_or_else(|| Fault::internal("making an identifier", "its parts"))?;
        let identifier = made.to_string();
        let content = Content {
            licence_type: kind.decl.code.clone(),
            title: kind.decl.title.clone(),
            number: new.number.clone().unwrap_or_else(|| serial.into()),
            fields: new.fields,
            issuing_authority: kind.authority.clone(),
            issuing_authority_code: kind.authority_code.clone(),
            issued_at: new
                .issued_on
                .map_or(now, |day| std::cmp::min(day.starts(), now)),
            valid_from: sound.valid_from,
            valid_to: sound.valid_to,
            grade: new.grade.unwrap_or(kind.decl.grade),
            replaces: former.map(|(identifier, _)| identifier.into()),
            identifier: identifier.clone(),
            holder: new.holder,
        };
        let bytes = content.canonical()?;
        let signature = self.crypto().sign(Ring::Seal, &bytes)?;
        let id = kernel::new_id(now);
        let digest = |kind: &str, value: &str| self.sealing.digest(kind, value);
        let row = LicenceRow {
            sealed: self.sealing.seal(&place(&id), &bytes)?,
            kind: kind.decl.name.clone(),
            kind_version,
            holder: self.sealing.holder(&content.holder.number),
            person: match content.holder.is_natural() {
                true => (self.pseudonym)(&content.holder.number),
                false => None,
            },
            name: self.sealing.name(&identifier, &content.holder.name),
            source: digest("source", &new.source),
            request: digest("request", &canonical::canonical(&asked)),
            signed_by: signature.key,
            algorithm: signature.algorithm.word().into(),
            signature: signature.bytes,
            state: State::InForce.word().into(),
            reason: None,
            status: 0,
            status_list: 0,
            status_index: 0,
            valid_from: content.valid_from.0,
            valid_to: content.valid_to.map(|to| to.0),
            issued_at: now.0,
            expired_at: None,
            replaces: content.replaces.clone(),
            replaced_by: None,
            seq: 0,
            version: 1,
            identifier,
            id,
        };
        Ok(Prepared { row, content })
    }

    /// What is answered, what of it is to be written, and which clash: a source that has its licence
    /// gets that one; a source or serial that is taken otherwise is a clash.
    async fn sort_out(
        &self,
        tx: &mut Tx,
        prepared: Vec<(usize, Prepared)>,
    ) -> Result<Sorted, Fault> {
        let column = |of: fn(&LicenceRow) -> &String| -> Vec<String> {
            let rows = prepared.iter().map(|(_, each)| &each.row);
            rows.map(|row| of(row).clone()).collect()
        };
        let sources = column(|row| &row.source);
        let known = rows::licences_of_sources(tx, &sources).await?;
        let mut by_source: BTreeMap<String, LicenceRow> = known
            .into_iter()
            .map(|row| (row.source.clone(), row))
            .collect();
        let taken = rows::taken_identifiers(tx, &column(|row| &row.identifier)).await?;
        let mut taken: BTreeSet<String> = taken.into_iter().collect();
        let (mut answers, mut fresh, mut clashes) = (vec![], vec![], vec![]);
        for (n, each) in prepared {
            match by_source.get(&each.row.source) {
                Some(row) if row.request == each.row.request => {
                    let content = match row.id == each.row.id {
                        true => each.content,
                        false => self.content_of_known(row, &answers)?,
                    };
                    let row = row.clone();
                    answers.push(Prepared { row, content });
                }
                Some(_) => clashes.push((
                    n,
                    problem(
                        "source",
                        "这个来源已签发过内容不同的证照",
                        "another licence was issued for this source already",
                    ),
                )),
                None if !taken.insert(each.row.identifier.clone()) => clashes.push((
                    n,
                    problem("serial", "这个流水号已经用过", "this serial is taken"),
                )),
                None => {
                    by_source.insert(each.row.source.clone(), each.row.clone());
                    fresh.push(each.row.clone());
                    answers.push(each);
                }
            }
        }
        Ok((answers, fresh, clashes))
    }

    /// Content of a licence issued before, or a moment ago in the same request.
    fn content_of_known(&self, row: &LicenceRow, answers: &[Prepared]) -> Result<Content, Fault> {
        match answers.iter().find(|each| each.row.id == row.id) {
            Some(each) => Ok(each.content.clone()),
            None => self.sound_content(row),
        }
    }

    async fn write_new(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        now: Time,
        mut fresh: Vec<LicenceRow>,
        what: &str,
        why: &str,
    ) -> Result<(), Fault> {
        let first = rows::next_seq(tx).await?;
        for (n, row) in (first..).zip(fresh.iter_mut()) {
            row.seq = n;
            (row.status_list, row.status_index) = self.sealing.status_place(n, CAPACITY);
        }
        rows::add_licences(tx, &fresh).await?;
        let step = |row: &LicenceRow| step_of(row, now, actor, what, why, &Value::Null);
        rows::add_steps(tx, &fresh.iter().map(step).collect::<Vec<_>>()).await?;
        let entries: Vec<AuditEntry> = fresh
            .iter()
            .map(|row| entry_of(row, now, actor, what, why, json!({})))
            .collect();
        audit::append_many(tx, &entries).await?;
        for row in &fresh {
            tell(tx, row, now, actor, what).await?;
        }
        Ok(())
    }

    pub(crate) async fn issue_in_place(
        &self,
        actor: &Actor,
        former: &str,
        new: &NewLicence,
        why: &str,
    ) -> Result<Licence, Fault> {
        let now = self.clock.now();
        let (kind, kind_version, sound) = match self.judge(actor, new, now)? {
            Ok(found) => found,
            Err(problems) => return Err(Fault::invalid(problems)),
        };
        let parsed = self.settings.identifiers.parse(former);
        let parsed = parsed.map_err(|problem| Fault::invalid(vec![problem]))?;
        let former = parsed.to_string();
        if parsed.kind != kind.decl.code || new.serial.is_some() {
            return Err(Fault::invalid_at(
                "serial",
                "换发沿用原证照的类型和流水号",
                "a re-issue keeps type and serial of the former",
            ));
        }
        let link = Some((former.as_str(), parsed.version()));
        let made = self.prepare(now, &kind, kind_version, sound, &parsed.serial, link)?;
        let mut tx = self.store.begin().await?;
        let mut old = self.row_of(&mut tx, &former).await?;
        // The same re-issue asked for twice answers the same licence.
        let sources = [made.row.source.clone()];
        if let Some(known) = rows::licences_of_sources(&mut tx, &sources).await?.pop() {
            let same = known.request == made.row.request && known.replaces == made.row.replaces;
            if !same {
                return Err(conflict(
                    "这个来源已签发过内容不同的证照",
                    "another licence was issued for this source already",
                ));
            }
            let content = self.sound_content(&known)?;
            self.note_seen(&mut tx, actor, &known, &content, now)
                .await?;
            tx.commit().await?;
            return self.licence(&known, content);
        }
        let before = self.sound_content(&old)?;
        if state_of(&old)? != State::InForce {
            return Err(conflict(
                "原证照已换发、暂停或失效，不能换发",
                "the former was replaced, is suspended or over, and cannot be re-issued",
            ));
        }
        if before.holder.number != made.content.holder.number {
            return Err(Fault::invalid_at(
                "holder/number",
                "换发不能换给别的持证主体",
                "a re-issue stays with its holder",
            ));
        }
        (old.state, old.status) = (State::Replaced.word().into(), 1);
        old.replaced_by = Some(made.row.identifier.clone());
        let next = &made.row.identifier;
        let reason = match why {
            "" => format!("换发 re-issued as {next}"),
            why => format!("{why}（换发 re-issued as {next}）"),
        };
        self.write_change(&mut tx, actor, now, &mut old, "replace", &reason)
            .await?;
        let row = made.row.clone();
        self.write_new(&mut tx, actor, now, vec![row.clone()], "reissue", why)
            .await?;
        self.note_seen(&mut tx, actor, &row, &made.content, now)
            .await?;
        tx.commit().await?;
        self.lists.changed();
        self.licence(&row, made.content)
    }

    /// Writes a licence that stands otherwise now, with its step, audit and event.
    pub(crate) async fn write_change(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        now: Time,
        row: &mut LicenceRow,
        what: &str,
        reason: &str,
    ) -> Result<(), Fault> {
        row.version += 1;
        row.reason = Some(reason.to_string()).filter(|reason| !reason.is_empty());
        if !rows::put_licence(tx, row).await? {
            return Err(stale());
        }
        let step = step_of(row, now, actor, what, reason, &Value::Null);
        rows::add_steps(tx, &[step]).await?;
        let details = json!({ "state": row.state });
        audit::append(tx, &entry_of(row, now, actor, what, reason, details)).await?;
        tell(tx, row, now, actor, what).await
    }
}

/// What is answered, what is to be written, and what clashes with licences issued before.
type Sorted = (Vec<Prepared>, Vec<LicenceRow>, Vec<(usize, Problem)>);

fn no_such_type() -> Problem {
    problem("kind", "没有这种证照", "there is no such type of licence")
}

fn at_kind(fault: &Fault) -> Problem {
    Problem {
        at: "kind".into(),
        words: fault.words.clone(),
    }
}

/// Rows that cannot stand beside an earlier one: its serial for another source, or its source for
/// another content.
fn twice(read: &[Row]) -> Vec<(usize, Problem)> {
    let mut serials: BTreeMap<(&str, &str), (usize, &str)> = BTreeMap::new();
    let mut sources: BTreeMap<&str, (usize, &NewLicence)> = BTreeMap::new();
    let mut found = vec![];
    let same = |at: &str, zh: &str, en: &str, earlier: usize| {
        problem(
            at,
            format!("{zh}与第 {} 行相同", earlier + 1),
            format!("{en} of row {}", earlier + 1),
        )
    };
    for (n, row) in read.iter().enumerate() {
        let new = &row.new;
        if !new.source.is_empty() {
            let (earlier, first) = *sources.entry(&new.source).or_insert((n, new));
            if earlier != n && *first != *new {
                let (zh, en) = ("内容不同而来源", "another content for the source");
                found.push((n, same("source", zh, en, earlier)));
                continue;
            }
        }
        if let Some(serial) = &new.serial {
            let key = (new.kind.as_str(), serial.as_str());
            let (earlier, source) = *serials.entry(key).or_insert((n, &new.source));
            if earlier != n && source != new.source {
                found.push((n, same("serial", "流水号", "the serial", earlier)));
            }
        }
    }
    found
}

/// Everything that is wrong with a table, at `rows/<number>/…` in order of its rows. What only
/// clashes with licences issued before is a conflict; what only others may issue is denied.
fn faults_of(
    wrong: Vec<(usize, Problem)>,
    denied: Vec<(usize, Problem)>,
    clashes: Vec<(usize, Problem)>,
) -> Fault {
    let count = clashes.len();
    let kinds = (wrong.is_empty(), denied.is_empty());
    let mut all: Vec<(usize, Problem)> = wrong;
    let known = |all: &[(usize, Problem)], n: usize, at: &str| {
        all.iter().any(|(m, problem)| *m == n && problem.at == at)
    };
    for (n, problem) in denied.into_iter().chain(clashes) {
        if !known(&all, n, &problem.at) {
            all.push((n, problem));
        }
    }
    all.sort_by_key(|(n, _)| *n);
    let place = |(n, problem): (usize, Problem)| Problem {
        at: format!("rows/{n}/{}", problem.at),
        words: problem.words,
    };
    let problems: Vec<Problem> = all.into_iter().map(place).collect();
    let mut fault = match kinds {
        (true, true) => conflict(
            format!("有 {count} 件与已签发的证照冲突，未签发任何证照"),
            format!("{count} of them conflict with licences issued before; none was issued"),
        ),
        (true, false) if count == 0 => Fault::new(
            FaultKind::Denied,
            "access.denied",
            "有的证照只能由其颁发机构签发，未签发任何证照",
            "some of them are issued by another organisation only; none was issued",
        ),
        _ => return Fault::invalid(problems),
    };
    fault.problems = problems;
    fault
}

pub(crate) fn stale() -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "input.stale",
        "证照已被他人更改，请刷新后再试",
        "the licence was changed by somebody else; please look again",
    )
}

/// What is wrong with a reason.
pub(crate) fn reason_problem(reason: &str) -> Option<Problem> {
    said("reason", reason, 200)
}

fn step_of(
    row: &LicenceRow,
    now: Time,
    actor: &Actor,
    what: &str,
    reason: &str,
    details: &Value,
) -> StepRow {
    StepRow {
        licence: row.id.clone(),
        version: row.version,
        at: now.0,
        by_account: actor.account.clone(),
        what: what.into(),
        state: row.state.clone(),
        reason: reason.into(),
        details: details.to_string(),
    }
}

/// The entry of the audit log for a change of a licence; nothing personal in it.
fn entry_of(
    row: &LicenceRow,
    now: Time,
    actor: &Actor,
    what: &str,
    reason: &str,
    mut details: Value,
) -> AuditEntry {
    details["what"] = what.into();
    details["kind"] = row.kind.clone().into();
    if !reason.is_empty() {
        details["reason"] = reason.into();
    }
    AuditEntry {
        at: now,
        account: actor.account.clone(),
        verb: "write".into(),
        object: "licences".into(),
        subject: row.identifier.clone(),
        purpose: actor.grant.purpose.clone(),
        basis: actor.grant.basis.clone(),
        details: actor.on_behalf(details),
        outcome: "done".into(),
    }
}

/// The event that tells others.
async fn tell(
    tx: &mut Tx,
    row: &LicenceRow,
    now: Time,
    actor: &Actor,
    what: &str,
) -> Result<(), Fault> {
    let body = json!({
        "identifier": row.identifier,
        "kind": row.kind,
        "what": what,
        "state": row.state,
        "by": actor.account,
    });
    let body = body.to_string();
    events::append(
        tx,
        now,
        EventKind::Licence,
        &row.identifier,
        body.as_bytes(),
    )
    .await?;
    Ok(())
}
