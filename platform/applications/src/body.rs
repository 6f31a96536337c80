//! What drafts and applications hold, sealed: everything that says something about a person.

use kernel::Time;
use kernel::applications::{
    Bill, Delivery, FileLine, LetterLine, MaterialState, Missing, Prefilled, Rating, WantedDelivery,
};
use kernel::cases::Limit;
use kernel::fault::{Problem, Words};
use kernel::items::Channel;
use kernel::licences::Holder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Whose matter it is, and who handles it. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Applicant {
    /// The applicant.
    pub(crate) holder: Holder,
    /// Mobile number for messages.
    pub(crate) mobile: String,
    /// Name of whoever acts for them.
    pub(crate) agent: Option<String>,
    /// Account it is handled under.
    pub(crate) account: String,
    /// How a clerk made sure; `None` when no clerk wrote it.
    pub(crate) seen: Option<String>,
    /// What a clerk wrote agrees with what the city knows of the number.
    #[serde(default)]
    pub(crate) known: bool,
}

/// What a draft holds.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DraftBody {
    pub(crate) item_version: i64,
    pub(crate) channel: Channel,
    pub(crate) applicant: Applicant,
    pub(crate) answers: Map<String, Value>,
    pub(crate) prefilled: BTreeMap<String, Prefilled>,
    /// Prefilled fields the person took back: they are not filled again.
    pub(crate) cleared: BTreeSet<String>,
    pub(crate) left_over: Map<String, Value>,
    pub(crate) changes: Vec<Problem>,
    pub(crate) delivery: Option<WantedDelivery>,
    pub(crate) step: Option<String>,
    pub(crate) following: BTreeSet<String>,
    pub(crate) files: BTreeMap<String, Vec<FileLine>>,
}

/// A step with what only those see who may see the answers.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StepBody {
    pub(crate) at: Time,
    pub(crate) what: String,
    pub(crate) words: Words,
    /// Reason or note; may name persons.
    pub(crate) note: Option<String>,
    pub(crate) office: Option<String>,
}

/// A letter, and under which key it was asked for.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LetterBody {
    pub(crate) key: String,
    pub(crate) line: LetterLine,
}

/// A round of correction.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Round {
    pub(crate) at: Time,
    pub(crate) missing: Vec<Missing>,
    /// Files that were there already: they supply nothing, and stay.
    pub(crate) had: BTreeSet<String>,
    /// Told in the notice of the bundle: there is no letter of the part itself.
    #[serde(default)]
    pub(crate) of_bundle: bool,
}

/// Who did the last thing that counts, to tell whoever comes too late.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Last {
    pub(crate) account: String,
    pub(crate) display: String,
    pub(crate) at: Time,
}

/// What was decided, or why it was not accepted.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) approved: bool,
    pub(crate) reason: String,
    pub(crate) basis: String,
    pub(crate) at: Time,
}

/// What an application holds.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) applicant: Applicant,
    pub(crate) answers: Map<String, Value>,
    /// What registers and licences said of fields of the form when it was handed in.
    #[serde(default)]
    pub(crate) known: BTreeMap<String, Value>,
    pub(crate) materials: Vec<MaterialState>,
    pub(crate) wanted: Option<WantedDelivery>,
    pub(crate) delivery: Option<Delivery>,
    /// Who took the result, and how they proved who they are.
    #[serde(default)]
    pub(crate) taken_by: Option<String>,
    pub(crate) check: String,
    pub(crate) steps: Vec<StepBody>,
    /// When it was received whole, or corrected: the clerk's clock runs from here.
    pub(crate) received_at: Time,
    pub(crate) rounds: Vec<Round>,
    pub(crate) letters: Vec<LetterBody>,
    pub(crate) bills: Vec<Bill>,
    pub(crate) licences: Vec<String>,
    pub(crate) rating: Option<Rating>,
    pub(crate) decision: Option<Decision>,
    pub(crate) last: Option<Last>,
    /// Version of the last change that somebody could see; later ones only noted what was done
    /// afterwards (a letter was written, the case has begun).
    #[serde(default)]
    pub(crate) touched: i64,
    /// What the office promised.
    pub(crate) promised: Limit,
    /// The clocks of its case stand still.
    #[serde(default)]
    pub(crate) paused: bool,
    /// Note of the clerk for the back office.
    #[serde(default)]
    pub(crate) note: String,
}

impl Body {
    /// Fields whose answer is still what a register or licence said, in order of their names.
    pub(crate) fn unchanged(&self) -> Vec<&str> {
        let same = |(field, said): &(&String, &Value)| {
            let answer = self.answers.get(*field);
            answer.is_some_and(|answer| is_same(answer, said))
        };
        let fields = self.known.iter().filter(same);
        fields.map(|(field, _)| field.as_str()).collect()
    }

    /// What is to be supplied now.
    pub(crate) fn missing(&self) -> &[Missing] {
        self.rounds.last().map_or(&[], |round| &round.missing)
    }
}

/// The same value; 1 and 1.0 are.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}
