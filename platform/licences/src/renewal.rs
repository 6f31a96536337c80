//! Re-issue at the desk of the issuing organisation (换发、补发、变更、延续): what a licence says
//! stays but for what is corrected, the former is replaced in the same transaction.

use crate::content::state_of;
use crate::issue::{conflict, demand_issuer, reason_problem};
use crate::written::stale;
use crate::{Engine, problem, refuse};
use kernel::access::Actor;
use kernel::licences::{Licence, NewLicence, State};
use kernel::numbers::Day;
use kernel::{Fault, Span};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::licences::{self as rows, By};

/// What is to be otherwise in the new one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reissue {
    /// Why, 2 to 200 characters.
    pub reason: String,
    /// Fields to correct; one that is `null` is left out. The others stay.
    #[serde(default)]
    pub fields: Map<String, Value>,
    /// Name of the holder, where it changed.
    #[serde(default)]
    pub holder_name: Option<String>,
    /// First day; that of the former when there is none.
    #[serde(default)]
    pub valid_from: Option<Day>,
    /// Last day; that of the former when there is none.
    #[serde(default)]
    pub valid_to: Option<Day>,
    /// Version of the former that was looked at; `input.stale` when it is another by now.
    #[serde(default)]
    pub version: Option<i64>,
}

impl Engine {
    /// Issues a licence in place of this one, for its issuer. Asked again with the same content it
    /// answers the same licence.
    pub async fn reissue_as_office(
        &self,
        actor: &Actor,
        identifier: &str,
        asked: &Reissue,
    ) -> Result<Licence, Fault> {
        let now = self.clock.now();
        let mut reader = self.store.reader().await?;
        let row = self.row_of(&mut reader, identifier).await?;
        drop(reader);
        demand_issuer(actor, self.type_of(&row)?.as_ref())?;
        let replaced = row.replaced_by.is_some();
        if asked.version.is_some_and(|seen| seen != row.version) && !replaced {
            return Err(stale());
        }
        let former = self.sound_content(&row)?;
        let mut fields = former.fields.clone();
        for (name, value) in &asked.fields {
            match value {
                Value::Null => fields.remove(name),
                value => fields.insert(name.clone(), value.clone()),
            };
        }
        let mut holder = former.holder.clone();
        if let Some(name) = &asked.holder_name {
            holder.name = name.clone();
        }
        let last = former.valid_to.map(|end| Day::of(end - Span::days(1)));
        let valid_to = asked.valid_to.or(last);
        let mut problems: Vec<_> = reason_problem(&asked.reason).into_iter().collect();
        if valid_to.is_some_and(|last| last < Day::of(now)) && !replaced {
            problems.push(problem(
                "valid_to",
                "有效期已过，换发须写明新的有效期止",
                "its days are over: say until when the new one is valid",
            ));
        }
        refuse(problems)?;
        let new = NewLicence {
            kind: row.kind.clone(),
            source: format!("reissue/{}", row.identifier),
            holder,
            fields,
            number: Some(former.number),
            serial: None,
            issued_on: None,
            valid_from: asked.valid_from.or(Some(Day::of(former.valid_from))),
            valid_to,
            grade: Some(former.grade),
        };
        self.issue_in_place(actor, &row.identifier, &new, asked.reason.trim())
            .await
    }

    /// One licence in place of another: both are written, or neither.
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
        if let Some(known) = rows::licence(&mut tx, By::Source, &made.row.source).await? {
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
}
