//! What every file here needs: problems of an input, refusals, and the note of a deed.

use kernel::access::Actor;
use kernel::events::EventKind;
use kernel::fault::FaultKind;
use kernel::{Fault, Problem, Time, Words};
use serde_json::{Value, json};
use store::audit::{self, AuditEntry};
use store::{Tx, events};

pub(crate) fn problem(
    at: impl Into<String>,
    zh: impl Into<String>,
    en: impl Into<String>,
) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(zh, en),
    }
}

/// Everything wrong at once, or nothing.
pub(crate) fn refuse(problems: Vec<Problem>) -> Result<(), Fault> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Fault::invalid(problems))
    }
}

fn clash(code: &'static str, zh: &str, en: &str) -> Fault {
    Fault::new(FaultKind::Conflict, code, zh, en)
}

pub(crate) fn conflict(zh: &str, en: &str) -> Fault {
    clash("input.conflict", zh, en)
}
pub(crate) fn closed(zh: &str, en: &str) -> Fault {
    clash("visits.closed", zh, en)
}
pub(crate) fn full() -> Fault {
    clash(
        "visits.full",
        "该时段已约满，请选择其他时段",
        "no place is left in this half hour, please choose another",
    )
}
pub(crate) fn booked(zh: &str, en: &str) -> Fault {
    clash("visits.booked", zh, en)
}

/// A deed to write down.
pub(crate) struct Deed<'a> {
    pub(crate) verb: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) what: &'a str,
    pub(crate) details: Value,
}

impl<'a> Deed<'a> {
    pub(crate) fn new(verb: &'a str, subject: &'a str, what: &'a str) -> Deed<'a> {
        Deed {
            verb,
            subject,
            what,
            details: json!({}),
        }
    }
    pub(crate) fn with(mut self, details: Value) -> Deed<'a> {
        self.details = details;
        self
    }
}

/// Writes a change: audit, under the grant the actor acts under, and the log of events.
pub(crate) async fn change(
    tx: &mut Tx,
    at: Time,
    actor: &Actor,
    deed: Deed<'_>,
) -> Result<(), Fault> {
    let mut details = deed.details;
    if let Some(object) = details.as_object_mut() {
        object.insert("what".into(), deed.what.into());
    }
    let entry = AuditEntry {
        at,
        account: actor.account.clone(),
        verb: deed.verb.into(),
        object: "visits".into(),
        subject: deed.subject.into(),
        purpose: actor.grant.purpose.clone(),
        basis: actor.grant.basis.clone(),
        details: actor.on_behalf(details),
        outcome: "done".into(),
    };
    audit::append(tx, &entry).await?;
    let body = json!({ "subject": deed.subject, "by": actor.account, "what": deed.what });
    let body = body.to_string();
    events::append(tx, at, EventKind::Visit, deed.subject, body.as_bytes()).await?;
    Ok(())
}
