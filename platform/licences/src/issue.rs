//! Issuing: one licence, or many at once. Everything is judged and signed first; then one
//! transaction writes all of it, or nothing.

use crate::check::{Sound, check};
use crate::content::{Content, place};
use crate::reading::{self, Row};
use crate::table::{faults_of, twice};
use crate::{Engine, canonical, problem, said};
use kernel::access::Actor;
use kernel::crypto::Ring;
use kernel::fault::FaultKind;
use kernel::licences::{Licence, LicenceType, NewLicence, State};
use kernel::{Fault, Problem, Time};
use rand::RngExt;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::Tx;
use store::licences::{self as rows, By, LicenceRow};

/// Licences issued in one transaction, at most.
pub const AT_ONCE: usize = 1000;
/// Characters of a drawn serial after its date: 62 bits, so that none leads to another.
const DRAWN: usize = 12;
const LETTERS: &[u8] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// A licence that is signed and not written yet.
pub(crate) struct Prepared {
    pub(crate) row: LicenceRow,
    pub(crate) content: Content,
}

pub(crate) fn conflict(zh: impl Into<String>, en: impl Into<String>) -> Fault {
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
    pub(crate) fn judge(
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
    pub(crate) fn prepare(
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
        let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        let known = rows::licences_by(tx, By::Source, &sources).await?;
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

/// What is wrong with a reason.
pub(crate) fn reason_problem(reason: &str) -> Option<Problem> {
    said("reason", reason, 200)
}
