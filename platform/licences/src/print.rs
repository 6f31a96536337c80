//! Prints: a licence its holder, or the office that issued it, has on a sheet. It is shown whole or
//! in part to whoever prints it, the documents engine draws it, and the use is written down before
//! the file leaves. Only a licence that counts is printed: a sheet of paper cannot say later that
//! it was suspended the day before.

use crate::consult::known_fields;
use crate::content::{state_of, verdict};
use crate::issue::demand_issuer;
use crate::verify::{User, words_of};
use crate::{Engine, refuse, said};
use kernel::access::{Actor, Tie};
use kernel::fault::FaultKind;
use kernel::licences::{HOLDER_NAME, HOLDER_NUMBER, Licence, LicenceType, NUMBER, Verdict};
use kernel::{Fault, Time, Words};
use serde::Serialize;
use std::sync::Arc;
use store::licences::{self as rows, By, LicenceRow};

/// Characters of a purpose, at most: it stands across the sheet.
const PURPOSE: usize = 60;
/// Characters of who prints, at most.
const REQUESTER: usize = 100;

/// What is asked of a print.
#[derive(Clone, Debug, Default)]
pub struct NewPrint {
    /// What for, 2 to 60 characters; stands across the sheet and in the uses.
    pub purpose: String,
    /// Names of the fields to print beside the holder's name and the days; all when there are none.
    pub fields: Vec<String>,
}

/// A licence that may be printed, with who prints it and what for. Personal: no `Debug`.
pub struct Printing {
    /// The licence.
    pub licence: Licence,
    /// The type it was issued under.
    pub kind: Arc<LicenceType>,
    /// Fields that were chosen; all when there are none.
    pub fields: Vec<String>,
    /// Who prints it, for people.
    pub requester: String,
    /// What for.
    pub purpose: String,
    /// When.
    pub at: Time,
    /// Where anybody verifies it: the identifier stands behind `#`, so that no server on the way
    /// logs it.
    pub address: String,
    basis: String,
    way: &'static str,
}

/// Where a licence stands now, for whoever holds a print of it. Nothing personal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PrintStanding {
    /// Identifier.
    pub identifier: String,
    /// Title of the type.
    pub title: Words,
    /// Organisation that issued it.
    pub issuer: Words,
    /// Whether it counts now.
    pub verdict: Verdict,
    /// The same for people.
    pub words: Words,
    /// Valid from.
    pub valid_from: Time,
    /// Valid to, exclusive.
    pub valid_to: Option<Time>,
}

/// It does not count now, and why.
fn not_in_force(verdict: Verdict, reason: Option<&str>) -> Fault {
    let words = verdict.words();
    let why = |open: &str, close: &str| match reason {
        Some(reason) if !reason.is_empty() => format!("{open}{reason}{close}"),
        _ => String::new(),
    };
    let (zh, en) = (why("，原因：", ""), why(" (", ")"));
    Fault::new(
        FaultKind::Conflict,
        "licences.not_in_force",
        format!("这份证照目前不是“有效”状态（{}{zh}），不能打印", words.zh),
        format!(
            "this licence does not count now: {}{en}; it is not printed",
            words.en
        ),
    )
}

impl Engine {
    /// A licence of whom the actor is or acts for, to be printed.
    pub async fn print_own(
        &self,
        actor: &Actor,
        identifier: &str,
        asked: &NewPrint,
    ) -> Result<Printing, Fault> {
        let (row, content) = self.own(actor, identifier).await?;
        let acting = actor.standing.acts_for.as_ref();
        let name = &content.holder.name;
        let requester = match acting.filter(|party| party.tie != Tie::Delegation) {
            Some(_) => format!("{name}（{}代办）", actor.display),
            None => name.clone(),
        };
        self.printing(&row, asked, requester, String::new(), "print")
    }

    /// A licence to be printed by the organisation that issued it, under the actor's grant. For
    /// anybody else there is no such licence.
    pub async fn print_as_issuer(
        &self,
        actor: &Actor,
        identifier: &str,
        asked: &NewPrint,
    ) -> Result<Printing, Fault> {
        let mut reader = self.store.reader().await?;
        let row = self.row_of(&mut reader, identifier).await?;
        drop(reader);
        let kind = self.type_of(&row)?;
        demand_issuer(actor, &kind).map_err(|_| Fault::missing("licence"))?;
        let office = self.office_of(actor);
        let requester = match office == actor.account {
            true => actor.display.clone(),
            false => format!("{office} {}", actor.display),
        };
        let basis = actor.grant.basis.clone();
        self.printing(&row, asked, requester, basis, "office_print")
    }

    fn printing(
        &self,
        row: &LicenceRow,
        asked: &NewPrint,
        requester: String,
        basis: String,
        way: &'static str,
    ) -> Result<Printing, Fault> {
        let at = self.clock.now();
        let content = self.sound_content(row)?;
        let found = verdict(state_of(row)?, content.valid_from, content.valid_to, at);
        if found != Verdict::Valid {
            return Err(not_in_force(found, row.reason.as_deref()));
        }
        let kind = self.type_of(row)?;
        let mut problems = vec![];
        problems.extend(said("purpose", &asked.purpose, PURPOSE));
        let fields = match known_fields(&kind, &asked.fields) {
            Ok(fields) => fields,
            Err(fault) => {
                problems.extend(fault.problems);
                vec![]
            }
        };
        refuse(problems)?;
        Ok(Printing {
            address: format!("{}/verify#{}", self.issuer(), row.identifier),
            licence: self.licence(row, content)?,
            kind,
            fields,
            requester: requester.chars().take(REQUESTER).collect(),
            purpose: asked.purpose.trim().into(),
            at,
            basis,
            way,
        })
    }

    /// Writes a print down as a use its holder sees, before the file leaves. Refused when the
    /// licence counts no more by now: then nothing may leave.
    pub async fn note_print(&self, actor: &Actor, print: &Printing) -> Result<(), Fault> {
        let mut reader = self.store.reader().await?;
        let row = self.row_of(&mut reader, &print.licence.identifier).await?;
        drop(reader);
        let always = [HOLDER_NAME, NUMBER].map(String::from).into_iter();
        let names: Vec<String> = match print.fields.as_slice() {
            [] => {
                let own = print
                    .kind
                    .decl
                    .fields
                    .iter()
                    .map(|field| field.name.clone());
                always.chain([HOLDER_NUMBER.into()]).chain(own).collect()
            }
            chosen => {
                let more = chosen
                    .iter()
                    .filter(|name| ![HOLDER_NAME, NUMBER].contains(&name.as_str()));
                always.chain(more.cloned()).collect()
            }
        };
        let reason = row.reason.clone();
        let found = self.found(row, &names, print.way, print.at)?;
        if found.verdict != Verdict::Valid {
            return Err(not_in_force(found.verdict, reason.as_deref()));
        }
        let user = User {
            actor,
            verifier: &print.requester,
            purpose: &print.purpose,
            basis: &print.basis,
        };
        self.use_it(found, &user, print.at).await?;
        Ok(())
    }

    /// Where a licence stands, for whoever holds a print of it that this city signed; `None` when
    /// there is none of this identifier. It says no more than the signed status list does, and is
    /// no use.
    pub async fn print_standing(&self, identifier: &str) -> Result<Option<PrintStanding>, Fault> {
        let mut reader = self.store.reader().await?;
        let Some(row) = rows::licence(&mut reader, By::Identifier, identifier).await? else {
            return Ok(None);
        };
        drop(reader);
        let kind = self.type_of(&row)?;
        let found = match self.content(&row)? {
            Some(content) => verdict(
                state_of(&row)?,
                content.valid_from,
                content.valid_to,
                self.clock.now(),
            ),
            None => Verdict::Altered,
        };
        Ok(Some(PrintStanding {
            title: kind.decl.title.clone(),
            issuer: kind.authority.clone(),
            verdict: found,
            words: words_of(found, &row.state),
            valid_from: Time(row.valid_from),
            valid_to: row.valid_to.map(Time),
            identifier: row.identifier,
        }))
    }
}
