//! What the program hands over: other engines behind the kernel's traits, and small traits of this
//! engine for what it only asks to be done: letters, messages, files, working days.

use async_trait::async_trait;
use kernel::applications::LetterLine;
use kernel::cases::{Count, Left, Light, Limit};
use kernel::crypto::Crypto;
use kernel::items::Items;
use kernel::licences::{Holder, Licences};
use kernel::parties::{Identity, Parties};
use kernel::records::Registers;
use kernel::time::{BEIJING_OFFSET, DAY};
use kernel::{Fault, Policy, Time, Words};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Days counted at most.
const FARTHEST: i64 = 4_000;

/// From the number of a natural person to the name the audit log knows them by.
pub type Pseudonym = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// From the name of a register to how people call it; `None` for one nobody declares.
pub type RegisterTitle = Arc<dyn Fn(&str) -> Option<Words> + Send + Sync>;

/// What is asked of organisations, by their codes.
pub trait Offices: Send + Sync {
    /// What the numbers of its applications begin with, if there is one of this code now: the nine
    /// characters that tell it in its unified social credit code (GB 32100), or its own code while
    /// it has none.
    fn number_word(&self, code: &str) -> Option<String>;
    /// Its name now.
    fn title(&self, code: &str) -> Option<Words>;
    /// Whoever has the work of one that stands no longer; `None` for one that stands.
    fn successor(&self, code: &str) -> Option<String>;
    /// Those that stand no longer and whose work is with this one.
    fn predecessors(&self, code: &str) -> Vec<String>;
}

/// What the engine works with besides the store.
pub struct Means {
    /// Keys: what is personal is sealed with [`kernel::crypto::Ring::Secrets`].
    pub crypto: Arc<dyn Crypto>,
    /// Says whether an agent may handle a matter.
    pub parties: Arc<dyn Parties>,
    /// Who a resident is.
    pub people: Arc<dyn People>,
    /// Who of the offices may do what.
    pub policy: Arc<dyn Policy>,
    /// Items.
    pub items: Arc<dyn Items>,
    /// Registers: values and materials the city has already.
    pub registers: Arc<dyn Registers>,
    /// Licences: the same, and results.
    pub licences: Arc<dyn Licences>,
    /// Writes letters.
    pub letters: Arc<dyn Letters>,
    /// Sends messages.
    pub notices: Arc<dyn Notices>,
    /// Keeps files.
    pub files: Arc<dyn Files>,
    /// Counts working days.
    pub days: Arc<dyn WorkingDays>,
    /// How the audit log knows a natural person: looks then stand under "who saw my data".
    pub pseudonym: Pseudonym,
    /// How people call a register, by its name.
    pub register_title: RegisterTitle,
    /// Organisations of the city.
    pub offices: Arc<dyn Offices>,
}

/// The natural person behind an account, as proven. Personal: no `Debug`.
#[derive(Clone)]
pub struct Person {
    /// Document, number, name, birth.
    pub identity: Identity,
    /// Mobile number, empty when there is none.
    pub mobile: String,
}

/// Knows residents.
#[async_trait]
pub trait People: Send + Sync {
    /// The person behind an account; `None` when nobody was proven.
    async fn person(&self, account: &str) -> Result<Option<Person>, Fault>;
    /// Does the city know who has this number, and under this name? `None` when it does not know
    /// the number.
    async fn is_named(&self, holder: &Holder) -> Result<Option<bool>, Fault>;
}

/// A letter to be written. Personal: no `Debug`.
#[derive(Clone, PartialEq)]
pub struct NewLetter {
    /// Kind: `receipt`, `acceptance`, `correction`, `non_acceptance`, `approval`, `refusal`.
    pub kind: String,
    /// Asked twice under one key, it is the same letter.
    pub key: String,
    /// Organisation that writes.
    pub organisation: String,
    /// What it is about: `application/<id>`.
    pub about: String,
    /// Fields: `number`, `title`, `applicant`, `applicant_number`, `at` (RFC 3339), `check`
    /// (receipt), `materials` (each `name`, `form`, `copies`), `missing` (each `name`, `problem`),
    /// `reason`, `basis`, `due`, `deemed`, `refusing` ([`kernel::refusing::Refusing`]).
    pub fields: Map<String, Value>,
    /// Text of the item in place of the city's.
    pub template: Option<String>,
    /// Whom it concerns, as the audit log knows them.
    pub person: Option<String>,
}

/// Writes the letters of offices.
#[async_trait]
pub trait Letters: Send + Sync {
    /// Writes a letter, numbered and sealed; once for a key. A fault means "not now".
    async fn make(&self, letter: &NewLetter) -> Result<LetterLine, Fault>;
}

/// Whom a message is for. Personal: no `Debug`.
#[derive(Clone, PartialEq)]
pub struct Recipient {
    /// Account, when it was handed in on line.
    pub account: Option<String>,
    /// Mobile number.
    pub mobile: String,
}

/// Sends messages.
#[async_trait]
pub trait Notices: Send + Sync {
    /// Tells somebody that something happened: `application_submitted`, `application_correction`,
    /// `application_accepted`, `application_not_accepted`, `application_approved`,
    /// `application_refused`, `application_terminated`, `application_billed`,
    /// `application_delivered`, `rating_answered`. Fields: `number`, `title`, `title_en`, `due`,
    /// `refusal` and `refusal_en` (what the refusal is called), `tracking` (of a parcel). Once for
    /// `once`. A fault means "not now".
    async fn tell(
        &self,
        to: &Recipient,
        what: &str,
        fields: &Map<String, Value>,
        once: &str,
    ) -> Result<(), Fault>;
}

/// Keeps files.
#[async_trait]
pub trait Files: Send + Sync {
    /// These files were handed in: they can no longer be removed. Repeated, it does nothing.
    async fn hand_in(&self, files: &[String]) -> Result<(), Fault>;
    /// Forgets everything kept under this draft. Repeated, it does nothing.
    async fn forget(&self, about: &str) -> Result<(), Fault>;
}

/// Counts days by the calendar of the city.
#[async_trait]
pub trait WorkingDays: Send + Sync {
    /// Where a clock stands now that started then, without pauses.
    async fn add(&self, from: Time, limit: Limit) -> Result<Left, Fault>;
    /// Is the day of this moment worked?
    fn is_worked(&self, at: Time) -> bool;
    /// Where a clock stands now whose end is known, in days of the limit.
    async fn until(&self, due: Time, limit: Limit, now: Time) -> Result<Left, Fault> {
        let day = |at: i64| (at + BEIJING_OFFSET).div_euclid(DAY);
        let counts = |day: i64| {
            limit.count == Count::CalendarDays || self.is_worked(Time(day * DAY - BEIJING_OFFSET))
        };
        // The end of a day belongs to it.
        let (today, last) = (day(now.0), day(due.0 - 1));
        let (from, to) = (
            today.min(last),
            today.max(last).min(today.min(last) + FARTHEST),
        );
        let between = (from + 1..=to).filter(|day| counts(*day)).count() as i64;
        let days = if last >= today { between } else { -between };
        let light = if now >= due {
            Light::Red
        } else if days <= i64::from(limit.days / 5).max(1) && limit.days > 1 {
            Light::Yellow
        } else {
            Light::Green
        };
        Ok(Left {
            due,
            days,
            light,
            provisional: false,
        })
    }
}
