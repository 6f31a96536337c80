//! The desk of the issuing organisation: its licences in a list without anything personal, and one
//! of them whole, which is written down as a use like every other.

use crate::content::{Content, state_of};
use crate::issue::demand_issuer;
use crate::uses::Entry;
use crate::verify::User;
use crate::wallet::{step_info, use_info};
use crate::{Engine, StepInfo, UseInfo};
use kernel::access::Actor;
use kernel::licences::{HOLDER_NAME, HOLDER_NUMBER, InPlace, Licence, NUMBER, State};
use kernel::{Fault, Time};
use serde::Serialize;
use store::Tx;
use store::licences::{self as rows, LicenceRow};

/// Licences of a page.
const PAGE: u64 = 50;

/// How a licence that stood for paper was used.
const MATERIAL: &str = "material";

/// A licence in a list.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// Identification; the next page is below it.
    pub id: String,
    /// Identifier.
    pub identifier: String,
    /// Where it stands.
    pub state: State,
    /// Why.
    pub reason: Option<String>,
    /// When it was issued.
    pub issued_at: Time,
    /// Valid from.
    pub valid_from: Time,
    /// Valid to, exclusive.
    pub valid_to: Option<Time>,
    /// Number of changes, from 1.
    pub version: i64,
}

/// A licence as its issuer sees it. Personal: no `Debug`.
#[derive(Clone, Serialize)]
pub struct Looked {
    /// The licence.
    pub licence: Licence,
    /// Its history, oldest first.
    pub steps: Vec<StepInfo>,
    /// Who used it, newest first.
    pub uses: Vec<UseInfo>,
}

impl Engine {
    /// Licences of a type, newest first, below this identification. For its issuer only.
    pub async fn list(
        &self,
        actor: &Actor,
        kind: &str,
        before: Option<&str>,
    ) -> Result<Vec<Listed>, Fault> {
        let known = self.current_type(kind);
        let (_, known) = known.ok_or_else(|| Fault::missing("type of licence"))?;
        demand_issuer(actor, known)?;
        let mut reader = self.store.reader().await?;
        let found = rows::licences_of_kind(&mut reader, kind, before, PAGE).await?;
        let list = |row: rows::LicenceRow| {
            Ok(Listed {
                state: state_of(&row)?,
                id: row.id,
                identifier: row.identifier,
                reason: row.reason,
                issued_at: Time(row.issued_at),
                valid_from: Time(row.valid_from),
                valid_to: row.valid_to.map(Time),
                version: row.version,
            })
        };
        found.into_iter().map(list).collect()
    }

    /// One licence whole, for its issuer; written down as a use under the actor's grant.
    pub async fn look(&self, actor: &Actor, identifier: &str) -> Result<Looked, Fault> {
        let now = self.clock.now();
        let mut reader = self.store.reader().await?;
        let row = self.row_of(&mut reader, identifier).await?;
        let kind = self.type_of(&row)?;
        demand_issuer(actor, &kind)?;
        let steps = rows::steps(&mut reader, &row.id).await?;
        let uses = rows::uses(&mut reader, &row.id, None, PAGE).await?;
        drop(reader);
        let content = self.sound_content(&row)?;
        let entry = self.seen_whole(actor, row.clone(), &content, now)?;
        self.uses.write(entry).await?;
        Ok(Looked {
            licence: self.licence(&row, content)?,
            steps: steps.into_iter().map(step_info).collect(),
            uses: uses.into_iter().map(use_info).collect(),
        })
    }

    /// The use of an officer who saw a licence whole, wherever it stands: every element that has a
    /// value was before their eyes.
    pub(crate) fn seen_whole(
        &self,
        actor: &Actor,
        row: LicenceRow,
        content: &Content,
        now: Time,
    ) -> Result<Entry, Fault> {
        let always = [HOLDER_NAME, HOLDER_NUMBER, NUMBER].map(String::from);
        let own = content.fields.keys().cloned();
        let names: Vec<String> = always.into_iter().chain(own).collect();
        let verifier = self.office_of(actor);
        let user = User {
            actor,
            verifier: &verifier,
            purpose: &actor.grant.purpose,
            basis: &actor.grant.basis,
        };
        let found = self.found(row, &[], "office", now)?;
        let verdict = found.verdict;
        Ok(self.entry_of(found, &user, verdict, &names, now))
    }

    /// What a change answers shows the licence whole: a use, written with the change.
    pub(crate) async fn note_seen(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        row: &LicenceRow,
        content: &Content,
        now: Time,
    ) -> Result<(), Fault> {
        // The machine shows it to nobody.
        if actor.account == "system" {
            return Ok(());
        }
        let entry = self.seen_whole(actor, row.clone(), content, now)?;
        crate::uses::write_with(tx, entry).await
    }

    /// A licence stood for paper in a matter: it was found by its holder's number, and counted.
    /// Written down once for a matter.
    pub(crate) async fn note_material(
        &self,
        identifier: &str,
        used: &InPlace,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut reader = self.store.reader().await?;
        let row = self.row_of(&mut reader, identifier).await?;
        let noted = rows::was_used(&mut reader, &row.id, MATERIAL, &used.matter).await?;
        drop(reader);
        if noted {
            return Ok(());
        }
        let mut actor = Actor::system();
        actor.organisation = Some(used.organisation.clone());
        actor.standing.case = Some(used.matter.clone());
        let verifier = self.office_of(&actor);
        let user = User {
            actor: &actor,
            verifier: &verifier,
            purpose: &used.purpose,
            basis: &used.basis,
        };
        let found = self.found(row, &[], MATERIAL, now)?;
        let verdict = found.verdict;
        let names = [HOLDER_NUMBER.to_string()];
        let entry = self.entry_of(found, &user, verdict, &names, now);
        self.uses.write(entry).await.map(drop)
    }
}
