//! The resident's side: who looked at my data, for which purpose and on which basis; a question or
//! an objection about it, and the answer (Personal Information Protection Law, articles 44 to 50).

use crate::engine::Engine;
use kernel::fault::{Fault, FaultKind};
use kernel::{Actor, Time, new_id};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::audit::{AuditEntry, AuditRow};
use store::questions::{self, QuestionRow};

/// Characters of a question or an answer, at most.
const TEXT_LIMIT: usize = 2_000;
/// Questions of one person that wait for an answer, at most.
const OPEN_LIMIT: u64 = 20;

/// What a resident wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An explanation.
    Ask,
    /// That it should not have happened.
    Object,
}

/// Where a question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for an answer.
    Open,
    /// Answered.
    Answered,
}

/// What was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// It was lawful, and is explained.
    Explained,
    /// The objection is right: it should not have happened, and is dealt with.
    Upheld,
    /// The objection is not right.
    Rejected,
}

impl State {
    fn word(self) -> &'static str {
        ["open", "answered"][self as usize]
    }
}

/// A person as the audit log knows them: their pseudonym, then their party if they have one.
#[derive(Clone, Debug)]
pub struct Subject {
    names: Vec<String>,
}

impl Subject {
    fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }
}

/// A question as shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Question {
    /// Identification.
    pub id: String,
    /// The entry it is about.
    pub seq: i64,
    /// `ask` or `object`.
    pub kind: String,
    /// What the resident says.
    pub text: String,
    /// `open` or `answered`.
    pub state: String,
    /// When it was asked.
    pub created_at: Time,
    /// The answer.
    pub answer: Option<String>,
    /// What was done: `explained`, `upheld`, `rejected`.
    pub measure: Option<String>,
    /// When it was answered.
    pub answered_at: Option<Time>,
    /// For a change: the version it is based on.
    pub version: i64,
}

/// The same for those who answer: with who asks, who answered, and the entry in question.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// The question.
    #[serde(flatten)]
    pub question: Question,
    /// Account it was asked from.
    pub account: String,
    /// Account that answered.
    pub answered_by: Option<String>,
    /// The entry.
    pub entry: Option<Access>,
}

/// One look at a person's data, as that person sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Access {
    /// Number of the entry in the audit log.
    pub seq: i64,
    /// When.
    pub at: Time,
    /// Name of who looked.
    pub display: String,
    /// Their organisation.
    pub organisation: Option<String>,
    /// `read`, `export`, `write`.
    pub verb: String,
    /// What kind of thing, such as `register.person`.
    pub object: String,
    /// Fields that were seen.
    pub fields: Vec<String>,
    /// Purpose.
    pub purpose: String,
    /// Legal basis.
    pub basis: String,
    /// The matter it was for.
    pub case: Option<String>,
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(|v| v.as_str().map(String::from)).collect()
}

fn access(row: &AuditRow) -> Access {
    let (entry, details) = (&row.entry, &row.entry.details);
    let text = |name: &str| details[name].as_str().map(String::from);
    Access {
        seq: row.seq,
        at: entry.at,
        display: text("display").unwrap_or_else(|| entry.account.clone()),
        organisation: text("organisation"),
        verb: entry.verb.clone(),
        object: entry.object.clone(),
        fields: texts(&details["fields"]),
        purpose: entry.purpose.clone(),
        basis: entry.basis.clone(),
        case: text("case"),
    }
}

fn shown(row: &QuestionRow) -> Question {
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    Question {
        id: row.id.clone(),
        seq: row.seq,
        kind: row.kind.clone(),
        text: row.text.clone(),
        state: row.state.clone(),
        created_at: Time(row.created_at),
        answer: given(&row.answer),
        measure: given(&row.measure),
        answered_at: row.answered_at.map(Time),
        version: row.version,
    }
}

fn sound<'a>(at: &str, text: &'a str) -> Result<&'a str, Fault> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > TEXT_LIMIT {
        return Err(Fault::invalid_at(
            at,
            format!("请填写，不超过 {TEXT_LIMIT} 字"),
            format!("expected 1 to {TEXT_LIMIT} characters"),
        ));
    }
    Ok(text)
}

fn deed(actor: &Actor, at: Time, verb: &str, subject: &str, details: Value) -> AuditEntry {
    AuditEntry {
        at,
        account: actor.account.clone(),
        verb: verb.into(),
        object: "data_questions".into(),
        subject: subject.into(),
        purpose: actor.grant.purpose.clone(),
        basis: actor.grant.basis.clone(),
        details,
        outcome: "done".into(),
    }
}

impl Engine {
    /// A person by their citizen number, and the party they are kept as.
    pub fn subject(&self, number: &str, party: Option<&str>) -> Option<Subject> {
        let mut names = vec![self.pseudonym(number)?];
        names.extend(party.map(|id| format!("party/{id}")));
        Some(Subject { names })
    }

    /// Who looked at a person's data, newest first; and how many looks there are in all.
    pub async fn accesses(
        &self,
        person: &Subject,
        before: Option<i64>,
        limit: u64,
    ) -> Result<(Vec<Access>, u64), Fault> {
        let log = self.shared.store.audit();
        let (rows, total) = log.about(&person.names, before, limit).await?;
        Ok((rows.iter().map(access).collect(), total))
    }

    /// A resident asks about, or objects to, a look at their own data.
    pub async fn ask(
        &self,
        actor: &Actor,
        person: &Subject,
        seq: i64,
        kind: Kind,
        text: &str,
    ) -> Result<Question, Fault> {
        let text = sound("text", text)?;
        let above = seq.checked_add(1);
        let (rows, _) = self.accesses(person, above, 1).await?;
        // Entries about others are as if they did not exist.
        if rows.first().is_none_or(|row| row.seq != seq) {
            return Err(Fault::missing(&seq.to_string()));
        }
        let mut tx = self.shared.store.begin().await?;
        let open = Some(State::Open.word());
        let (_, waiting) = questions::list(&mut tx, Some(person.name()), open, None, 1).await?;
        if waiting >= OPEN_LIMIT {
            return Err(Fault::new(
                FaultKind::TooMany,
                "input.too_many",
                format!("您已有 {waiting} 个问题在等待答复"),
                format!("{waiting} of your questions wait for an answer already"),
            ));
        }
        let now = self.shared.clock.now();
        let row = QuestionRow {
            id: new_id(now),
            person: person.name().into(),
            party: person.names.get(1).cloned().unwrap_or_default(),
            account: actor.account.clone(),
            seq,
            kind: match kind {
                Kind::Ask => "ask".into(),
                Kind::Object => "object".into(),
            },
            text: text.into(),
            state: State::Open.word().into(),
            created_at: now.0,
            answer: String::new(),
            measure: String::new(),
            answered_by: None,
            answered_at: None,
            version: 1,
        };
        questions::add(&mut tx, &row).await?;
        let details = json!({"seq": seq, "kind": kind});
        let entry = deed(actor, now, "write", &row.id, details);
        store::audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(shown(&row))
    }

    /// What a resident asked, newest first.
    pub async fn asked(
        &self,
        person: &Subject,
        before: Option<&str>,
        limit: u64,
    ) -> Result<(Vec<Question>, u64), Fault> {
        let mut reader = self.shared.store.reader().await?;
        let (rows, total) =
            questions::list(&mut reader, Some(person.name()), None, before, limit).await?;
        Ok((rows.iter().map(shown).collect(), total))
    }

    /// What waits for an answer, or all, for those who answer.
    pub async fn cases(
        &self,
        state: Option<State>,
        before: Option<&str>,
        limit: u64,
    ) -> Result<(Vec<Case>, u64), Fault> {
        let mut reader = self.shared.store.reader().await?;
        let state = state.map(State::word);
        let (rows, total) = questions::list(&mut reader, None, state, before, limit).await?;
        drop(reader);
        let mut cases = vec![];
        for row in &rows {
            cases.push(self.case(row).await?);
        }
        Ok((cases, total))
    }

    async fn case(&self, row: &QuestionRow) -> Result<Case, Fault> {
        let names = [&row.person, &row.party].map(String::clone).to_vec();
        let person = Subject { names };
        let (entries, _) = self.accesses(&person, row.seq.checked_add(1), 1).await?;
        Ok(Case {
            question: shown(row),
            account: row.account.clone(),
            answered_by: row.answered_by.clone(),
            entry: entries.into_iter().find(|entry| entry.seq == row.seq),
        })
    }

    /// Answers a question; the resident sees it. Once answered it stays.
    pub async fn answer(
        &self,
        actor: &Actor,
        id: &str,
        measure: Measure,
        answer: &str,
        expect_version: Option<i64>,
    ) -> Result<Case, Fault> {
        let answer = sound("answer", answer)?;
        let mut tx = self.shared.store.begin().await?;
        let found = questions::get(&mut tx, id).await?;
        let mut row = found.ok_or_else(|| Fault::missing(id))?;
        let stale = expect_version.is_some_and(|version| version != row.version);
        if stale || row.state != State::Open.word() {
            return Err(Fault::new(
                FaultKind::Conflict,
                "input.stale",
                "该问题已经答复，请刷新",
                "this question was answered already; read it anew",
            ));
        }
        let now = self.shared.clock.now();
        row.state = State::Answered.word().into();
        row.answer = answer.into();
        row.measure = match measure {
            Measure::Explained => "explained".into(),
            Measure::Upheld => "upheld".into(),
            Measure::Rejected => "rejected".into(),
        };
        row.answered_by = Some(actor.account.clone());
        row.answered_at = Some(now.0);
        row.version += 1;
        questions::answer(&mut tx, &row).await?;
        let details = json!({"seq": row.seq, "measure": measure});
        let entry = deed(actor, now, "handle", id, details);
        store::audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        self.case(&row).await
    }
}
