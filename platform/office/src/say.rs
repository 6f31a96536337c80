//! What every file here needs: problems of an input, and the note of a deed in the audit log.

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

/// A control character that is not a line break or a tab.
pub(crate) fn unprintable(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

/// One line: `least` to `most` characters, no control characters.
pub(crate) fn line(at: &str, text: &str, least: usize, most: usize) -> Option<Problem> {
    let length = text.trim().chars().count();
    let sound = (least..=most).contains(&length) && !text.contains(char::is_control);
    (!sound).then(|| {
        problem(
            at,
            format!("须为 {least} 至 {most} 个字，不能换行"),
            format!("{least} to {most} characters on one line"),
        )
    })
}

/// A text: `least` to `most` characters, line breaks allowed.
pub(crate) fn body(at: &str, text: &str, least: usize, most: usize) -> Option<Problem> {
    let length = text.trim().chars().count();
    let sound = (least..=most).contains(&length) && !text.contains(unprintable);
    (!sound).then(|| {
        problem(
            at,
            format!("须为 {least} 至 {most} 个字"),
            format!("{least} to {most} characters"),
        )
    })
}

pub(crate) fn conflict(zh: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Conflict, "input.conflict", zh, en)
}

pub(crate) fn stale(version: i64) -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "input.stale",
        format!("内容已被他人更改（当前版本 {version}），请刷新后重试"),
        format!("it was changed meanwhile, its version is {version}"),
    )
}

/// A deed to write down.
pub(crate) struct Deed<'a> {
    pub(crate) verb: &'a str,
    pub(crate) object: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) what: &'a str,
    pub(crate) details: Value,
}

/// Writes a deed into the audit log, under the grant the actor acts under.
pub(crate) async fn record(
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
        object: deed.object.into(),
        subject: deed.subject.into(),
        purpose: actor.grant.purpose.clone(),
        basis: actor.grant.basis.clone(),
        details: actor.on_behalf(details),
        outcome: "done".into(),
    };
    audit::append(tx, &entry).await?;
    Ok(())
}

/// The same with an entry of the log of events.
pub(crate) async fn change(
    tx: &mut Tx,
    at: Time,
    actor: &Actor,
    deed: Deed<'_>,
) -> Result<(), Fault> {
    let subject = deed.subject.to_string();
    let said = json!({ "subject": subject, "by": actor.account, "what": deed.what }).to_string();
    record(tx, at, actor, deed).await?;
    events::append(tx, at, EventKind::Office, &subject, said.as_bytes()).await?;
    Ok(())
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|e| Fault::internal("writing JSON", e))
}

/// Reads what this crate wrote; the text of an error could hold what it read.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|_| Fault::internal("reading JSON of the store", "form"))
}
