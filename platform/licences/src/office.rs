//! The desk of the issuing organisation: its licences in a list without anything personal, and one
//! of them whole, which is written down as a use like every other.

use crate::content::state_of;
use crate::issue::demand_issuer;
use crate::verify::User;
use crate::wallet::{step_info, use_info};
use crate::{Engine, StepInfo, UseInfo};
use kernel::access::Actor;
use kernel::licences::{Licence, State};
use kernel::{Fault, Time};
use serde::Serialize;
use store::licences as rows;

/// Licences of a page.
const PAGE: u64 = 50;

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
        let all = kind.decl.fields.iter().map(|field| field.name.clone());
        let all: Vec<String> = all.collect();
        let verifier = self.office_of(actor);
        let user = User {
            actor,
            verifier: &verifier,
            purpose: &actor.grant.purpose,
            basis: &actor.grant.basis,
        };
        let found = self.found(row.clone(), &all, "office", now)?;
        self.use_it(found, &user, now).await?;
        Ok(Looked {
            licence: self.licence(&row, content)?,
            steps: steps.into_iter().map(step_info).collect(),
            uses: uses.into_iter().map(use_info).collect(),
        })
    }
}
