//! An office uses a licence for a matter in hand, in place of paper: only one of the applicant, of a
//! type that the matter asks for. Whatever else is asked for is refused, and the refusal logged.

use crate::verify::User;
use crate::{Engine, problem, refuse};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::licences::{LicenceType, Papers, Verification};
use kernel::{Fault, Problem};
use serde_json::json;
use store::audit::{self, AuditEntry};
use store::licences::LicenceRow;

impl Engine {
    /// Uses a licence for a matter (`standing.case` of the actor), whose papers these are. One of
    /// somebody else, or of a type no material of the matter names, is `licences.not_of_matter`
    /// with everything that is wrong.
    pub async fn consult_for(
        &self,
        actor: &Actor,
        identifier: &str,
        fields: &[String],
        papers: &Papers,
    ) -> Result<Verification, Fault> {
        let row = self.consulted(actor, identifier).await?;
        let kind = self.type_of(&row)?;
        let mut problems = vec![];
        if self.sealing.holder(&papers.holder.number) != row.holder {
            problems.push(problem(
                "identifier",
                "持证主体不是本办件的申请人",
                "its holder is not the applicant of this matter",
            ));
        }
        if !papers.kinds.contains(&row.kind) {
            let title = &kind.decl.title;
            problems.push(problem(
                "kind",
                format!("本办件的材料不要求“{}”", title.zh),
                format!("no material of this matter asks for a \"{}\"", title.en),
            ));
        }
        if !problems.is_empty() {
            self.note_refused(actor, &row, &problems).await?;
            let mut fault = Fault::new(
                FaultKind::Denied,
                "licences.not_of_matter",
                "这份证照与本办件无关，不能调用",
                "this licence has nothing to do with the matter and is not used for it",
            );
            fault.problems = problems;
            return Err(fault);
        }
        self.use_in_place(actor, row, fields).await
    }

    pub(crate) async fn consult_as_office(
        &self,
        actor: &Actor,
        identifier: &str,
        fields: &[String],
    ) -> Result<Verification, Fault> {
        let row = self.consulted(actor, identifier).await?;
        self.use_in_place(actor, row, fields).await
    }

    async fn consulted(&self, actor: &Actor, identifier: &str) -> Result<LicenceRow, Fault> {
        if actor.grant.purpose.is_empty() || actor.grant.basis.is_empty() {
            return Err(Fault::new(
                FaultKind::Denied,
                "access.denied",
                "调用他人证照须有目的和法律依据",
                "using somebody's licence needs a purpose and a legal basis",
            ));
        }
        let mut reader = self.store.reader().await?;
        self.row_of(&mut reader, identifier).await
    }

    async fn use_in_place(
        &self,
        actor: &Actor,
        row: LicenceRow,
        fields: &[String],
    ) -> Result<Verification, Fault> {
        let kind = self.type_of(&row)?;
        let names = match fields {
            [] => kind.decl.minimum.clone(),
            fields => known_fields(&kind, fields)?,
        };
        let verifier = self.office_of(actor);
        let user = User {
            actor,
            verifier: &verifier,
            purpose: &actor.grant.purpose,
            basis: &actor.grant.basis,
        };
        let now = self.clock.now();
        let found = self.found(row, &names, "office", now)?;
        self.use_it(found, &user, now).await
    }

    /// Nothing was shown; that somebody tried stands in the audit log.
    async fn note_refused(
        &self,
        actor: &Actor,
        row: &LicenceRow,
        problems: &[Problem],
    ) -> Result<(), Fault> {
        let wrong: Vec<&str> = problems.iter().map(|wrong| wrong.at.as_str()).collect();
        let details = json!({
            "what": "consult",
            "kind": row.kind,
            "case": actor.standing.case,
            "organisation": actor.organisation,
            "wrong": wrong,
        });
        let entry = AuditEntry {
            at: self.clock.now(),
            account: actor.account.clone(),
            verb: "read".into(),
            object: "licences".into(),
            subject: row.identifier.clone(),
            purpose: actor.grant.purpose.clone(),
            basis: actor.grant.basis.clone(),
            details: actor.on_behalf(details),
            outcome: "denied".into(),
        };
        let mut tx = self.store.begin().await?;
        audit::append(&mut tx, &entry).await?;
        tx.commit().await
    }
}

/// These names, each once; one that is no field of the type is a problem.
pub(crate) fn known_fields(kind: &LicenceType, names: &[String]) -> Result<Vec<String>, Fault> {
    let mut known: Vec<String> = vec![];
    let mut problems = vec![];
    for name in names.iter().take(100) {
        if kind.decl.title_of(name).is_none() {
            let name: String = name.chars().take(60).collect();
            problems.push(crate::problem(
                "fields",
                format!("没有名为“{name}”的字段"),
                format!("there is no field \"{name}\""),
            ));
        } else if !known.contains(name) {
            known.push(name.clone());
        }
    }
    refuse(problems)?;
    Ok(known)
}
