//! Applications: what residents and enterprises hand in for an item of service (办件), from the
//! first draft to the rating. The engine of that name keeps drafts, receives applications, lets
//! clerks accept them, has a case decide, delivers the result and takes the rating.

use crate::access::Actor;
use crate::cases::{Left, Served};
use crate::fault::{Fault, Noted, Problem, Words};
use crate::items::{Channel, DeliveryWay, Source};
use crate::licences::{Holder, Papers};
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A draft to be begun.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDraft {
    /// Item.
    pub item: String,
    /// Way; `web` unless a clerk or a terminal says otherwise.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// Whom a clerk writes it for (counter, terminal, hotline); needs `write` on
    /// `service_applications`.
    #[serde(default)]
    pub on_behalf: Option<Behalf>,
    /// Answers settled by guidance.
    #[serde(default)]
    pub answers: Map<String, Value>,
}

/// Somebody a clerk writes for. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behalf {
    /// Who.
    pub holder: Holder,
    /// Mobile number for messages.
    pub mobile: String,
    /// How the clerk made sure (证件查验): 2 to 100 characters.
    pub seen: String,
}

/// A change of a draft.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftChange {
    /// Answers that are set; `null` takes one back. Others stay.
    #[serde(default)]
    pub answers: Map<String, Value>,
    /// Step of the form the person is at.
    #[serde(default)]
    pub step: Option<String>,
    /// How the result is to come, and where.
    #[serde(default)]
    pub delivery: Option<WantedDelivery>,
    /// Required materials that follow after acceptance (容缺), by name; the person promises.
    #[serde(default)]
    pub following: Option<Vec<String>>,
}

/// How a result is to come.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedDelivery {
    /// Way.
    pub way: DeliveryWay,
    /// Name, mobile number and address for the post.
    #[serde(default)]
    pub address: Option<Address>,
}

/// Where a letter or parcel goes. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Name.
    pub name: String,
    /// Mobile number.
    pub mobile: String,
    /// Address.
    pub address: String,
}

/// A value the city knew already, and from where.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Prefilled {
    /// The value.
    pub value: Value,
    /// Where it comes from, for people: 人口信息库 …
    pub source: Words,
}

/// A material of a draft or application as it stands.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct MaterialState {
    /// Name.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Must it be there?
    pub required: bool,
    /// May it follow?
    pub may_follow: bool,
    /// It follows: the applicant promised.
    pub following: bool,
    /// What answers it without the applicant: source and what it is called.
    pub answered_by: Option<(Source, Words)>,
    /// Identifier of the licence that answers it, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Files handed in.
    pub files: Vec<FileLine>,
    /// Note to the applicant.
    pub note: Option<Words>,
}

/// A file as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileLine {
    /// Identification.
    pub id: String,
    /// Name.
    pub name: String,
    /// Media type.
    pub media: String,
    /// Bytes.
    pub bytes: i64,
    /// When it came.
    pub at: Time,
}

/// A draft with everything its page shows. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Identification (ULID).
    pub id: String,
    /// Item.
    pub item: String,
    /// Version of the item it follows now.
    pub item_version: i64,
    /// Title of the item.
    pub title: Words,
    /// Way.
    pub channel: Channel,
    /// For whom it is: name as documents carry it; the number masked.
    pub applicant: ApplicantLine,
    /// Answers.
    pub answers: Map<String, Value>,
    /// Values the city knew already, by field.
    pub prefilled: BTreeMap<String, Prefilled>,
    /// Answers to questions not asked any more.
    pub left_over: Map<String, Value>,
    /// What changed since it was last opened because the item has a new version.
    pub changes: Vec<Problem>,
    /// Fields asked now.
    pub asked: Vec<String>,
    /// Materials.
    pub materials: Vec<MaterialState>,
    /// How the result is to come.
    pub delivery: Option<WantedDelivery>,
    /// Step the person was at.
    pub step: Option<String>,
    /// What is still missing or wrong.
    pub problems: Vec<Problem>,
    /// Fees for these answers, fen.
    pub fees_fen: i64,
    /// Version of the draft; the ETag.
    pub version: i64,
    /// When it was saved.
    pub saved_at: Time,
    /// When it is forgotten unless somebody comes back to it.
    pub expires_at: Time,
    /// The application it was handed in as, if it was.
    pub submitted_as: Option<String>,
}

/// An applicant as pages show them. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ApplicantLine {
    /// Name.
    pub name: String,
    /// Number, masked unless the reader may see it whole.
    pub number: String,
    /// Natural person?
    pub natural: bool,
    /// Name of the agent who handles it for them.
    pub agent: Option<String>,
}

/// Where an application stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationState {
    /// 待受理: handed in; a clerk looks at it.
    Submitted,
    /// 待补正: something is missing, said once and whole (行政许可法第三十二条).
    Correction,
    /// 不予受理.
    NotAccepted,
    /// 办理中: accepted; its case decides.
    Accepted,
    /// 准予 (or done, for what is no permit).
    Approved,
    /// 不予许可.
    Refused,
    /// 已撤回: the applicant took it back.
    Withdrawn,
    /// 已终止: the case ended without a decision.
    Terminated,
}

impl ApplicationState {
    /// All of them.
    pub const ALL: [ApplicationState; 8] = [
        ApplicationState::Submitted,
        ApplicationState::Correction,
        ApplicationState::NotAccepted,
        ApplicationState::Accepted,
        ApplicationState::Approved,
        ApplicationState::Refused,
        ApplicationState::Withdrawn,
        ApplicationState::Terminated,
    ];
    /// The word in the store and the API.
    pub fn word(self) -> &'static str {
        [
            "submitted",
            "correction",
            "not_accepted",
            "accepted",
            "approved",
            "refused",
            "withdrawn",
            "terminated",
        ][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<ApplicationState> {
        ApplicationState::ALL
            .into_iter()
            .find(|state| state.word() == word)
    }
    /// Is nothing more decided about it?
    pub fn ended(self) -> bool {
        use ApplicationState::{Accepted, Correction, Submitted};
        !matches!(self, Submitted | Correction | Accepted)
    }
}

/// An application as lists show it. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// Identification (ULID).
    pub id: String,
    /// Number people know it by (办件编号).
    pub number: String,
    /// Item.
    pub item: String,
    /// Version of the item.
    pub item_version: i64,
    /// Title.
    pub title: Words,
    /// Organisation in charge.
    pub organisation: String,
    /// Way it came.
    pub channel: Channel,
    /// Whose it is.
    pub applicant: ApplicantLine,
    /// Where it stands.
    pub state: ApplicationState,
    /// The bundle it is part of, by number.
    pub part_of: Option<String>,
    /// Its case, once accepted.
    pub case: Option<String>,
    /// When it was handed in.
    pub submitted_at: Time,
    /// When it was accepted.
    pub accepted_at: Option<Time>,
    /// When it was decided.
    pub decided_at: Option<Time>,
    /// Until when the clerk must answer, or the case must end.
    pub due: Option<Left>,
    /// Delivery.
    pub delivery: Option<Delivery>,
    /// Mark of the applicant, 1 to 5.
    pub rating: Option<u8>,
    /// Version; the ETag.
    pub version: i64,
}

/// An application opened. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ApplicationFile {
    /// The application.
    pub application: Application,
    /// Answers, masked where the reader may not see them.
    pub answers: Map<String, Value>,
    /// Fields that were masked.
    pub masked: Vec<String>,
    /// Materials.
    pub materials: Vec<MaterialState>,
    /// What must be supplied, while it stands at `correction`.
    pub missing: Vec<Missing>,
    /// Letters of the office.
    pub letters: Vec<LetterLine>,
    /// Parts of a bundle.
    pub parts: Vec<Application>,
    /// Bills.
    pub bills: Vec<Bill>,
    /// Licences issued, by identifier.
    pub licences: Vec<String>,
    /// Rating and what followed.
    pub rating: Option<Rating>,
    /// What happened, the oldest first.
    pub steps: Vec<Step>,
}

/// One thing that must be supplied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// Field or material: `answers/<field>`, `materials/<name>`; empty for something else.
    #[serde(default)]
    pub at: String,
    /// What is wrong with it and what is wanted, 2 to 500 characters.
    pub what: String,
}

/// A letter as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LetterLine {
    /// Kind: `receipt`, `acceptance`, `correction`, `non_acceptance`, `approval`, `refusal`.
    pub kind: String,
    /// Its number.
    pub number: String,
    /// File; `None` until it is made.
    pub file: Option<String>,
    /// When.
    pub at: Time,
}

/// A step the applicant sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub at: Time,
    /// What: `submitted`, `correction`, `corrected`, `accepted`, `deemed_accepted`, `paused`,
    /// `resumed`, `approved`, `refused`, `not_accepted`, `withdrawn`, `billed`, `paid`, `posted`,
    /// `handed_over`, `rated`, `answered` …
    pub what: String,
    /// In words.
    pub words: Words,
    /// Office that did it; `None` for the applicant.
    pub office: Option<String>,
}

/// A bill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// Identification; what a payment service names.
    pub id: String,
    /// What for.
    pub title: Words,
    /// Fen.
    pub fen: i64,
    /// `open`, `paid`, `refunded`, `void`.
    pub state: String,
    /// When it was paid.
    pub paid_at: Option<Time>,
    /// How: `service`, `counter`.
    pub paid_by: Option<String>,
    /// Number of the payment or of the receipt.
    pub reference: Option<String>,
}

/// How a result came to its holder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Way.
    pub way: DeliveryWay,
    /// `waiting`, `posted`, `handed_over`, `electronic`.
    pub state: String,
    /// Number of the parcel.
    pub tracking: Option<String>,
    /// When it left or was handed over.
    pub at: Option<Time>,
}

/// What a clerk does at an application.
#[derive(Clone, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Clerk {
    /// 受理: its case begins, and the clocks with it.
    Accept {
        /// Note for the back office.
        #[serde(default)]
        note: String,
    },
    /// 一次性告知补正: everything that is missing, at once.
    Correction {
        /// What.
        missing: Vec<Missing>,
    },
    /// 不予受理.
    NotAccept {
        /// Why.
        reason: String,
        /// Law and article.
        basis: String,
    },
    /// Another organisation is in charge.
    Transfer {
        /// Which.
        organisation: String,
        /// Why.
        reason: String,
    },
    /// The result was handed over at the counter, or posted.
    Deliver {
        /// Number of the parcel, for the post.
        #[serde(default)]
        tracking: Option<String>,
        /// Who took it and how they proved who they are, at a counter.
        #[serde(default)]
        taken_by: Option<String>,
    },
    /// Paid at the counter.
    Paid {
        /// Bill.
        bill: String,
        /// Number of the receipt.
        reference: String,
    },
    /// Answers a bad mark (差评整改), or notes the visit after it (回访).
    Answer {
        /// What was done.
        text: String,
        /// The applicant was called or visited.
        #[serde(default)]
        visited: bool,
    },
}

/// What an applicant does at their application.
#[derive(Clone, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Own {
    /// Supplies what was missing; files were uploaded to the application before.
    Correct {
        /// Answers that change.
        #[serde(default)]
        answers: Map<String, Value>,
        /// A word to the clerk.
        #[serde(default)]
        note: String,
    },
    /// Takes it back before it is decided.
    Withdraw {
        /// Why.
        reason: String,
    },
    /// 好差评: 1 非常不满意 to 5 非常满意, once, after an end.
    Rate {
        /// Mark.
        mark: u8,
        /// What stood out, of a list.
        #[serde(default)]
        about: Vec<String>,
        /// In words.
        #[serde(default)]
        text: String,
    },
}

/// A rating and what followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// Mark, 1 to 5.
    pub mark: u8,
    /// What stood out.
    pub about: Vec<String>,
    /// In words.
    pub text: String,
    /// When.
    pub at: Time,
    /// Until when a bad one (1 or 2) must be answered.
    pub answer_due: Option<Time>,
    /// The office's answer.
    pub answer: Option<String>,
    /// When.
    pub answered_at: Option<Time>,
    /// The applicant was asked again.
    pub visited: bool,
}

/// Which applications are asked for.
#[derive(Clone, Debug, Default)]
pub struct ApplicationFilter {
    /// The asker's own, or those of the party they act for; otherwise the office's.
    pub mine: bool,
    /// In one of these states.
    pub states: Vec<ApplicationState>,
    /// Of this item.
    pub item: Option<String>,
    /// Of this organisation.
    pub organisation: Option<String>,
    /// That came this way.
    pub channel: Option<Channel>,
    /// Number begins with this, or title contains it.
    pub text: Option<String>,
    /// Waiting for delivery.
    pub undelivered: bool,
    /// With a bad mark not answered.
    pub unanswered: bool,
    /// Cursor.
    pub after: Option<String>,
    /// Rows at most.
    pub limit: usize,
}

/// A page of applications.
#[derive(Clone)]
pub struct ApplicationPage {
    /// Rows, the newest first (what waits for a clerk: the most pressing first).
    pub rows: Vec<Application>,
    /// Cursor.
    pub next: Option<String>,
    /// How many match, exactly.
    pub count: i64,
}

/// What anybody with number and check code sees: nothing personal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Number.
    pub number: String,
    /// Title of the item.
    pub title: Words,
    /// Office.
    pub organisation: String,
    /// Where it stands.
    pub state: ApplicationState,
    /// What happened.
    pub steps: Vec<Step>,
    /// Until when the office must end.
    pub due: Option<Left>,
    /// What is missing, as far as it names no person.
    pub missing: Vec<Missing>,
}

/// Counts of one organisation (all of them together under an empty name), for the oversight of
/// the service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceFigures {
    /// Organisation.
    pub organisation: String,
    /// Items in force.
    pub items: i64,
    /// Of them, can be applied for on line.
    pub items_online: i64,
    /// Of them, one visit at most (最多跑一次).
    pub items_one_visit: i64,
    /// Applications handed in within the period.
    pub submitted: i64,
    /// Of them on line (web, phone).
    pub submitted_online: i64,
    /// Decided within the period.
    pub decided: i64,
    /// Of them within the promised limit.
    pub decided_on_time: i64,
    /// Ratings within the period.
    pub rated: i64,
    /// Of them 3 or better.
    pub rated_good: i64,
    /// Bad marks.
    pub bad: i64,
    /// Of them answered in time.
    pub bad_answered: i64,
}

/// Draft lines of "my drafts".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DraftLine {
    /// Identification.
    pub id: String,
    /// Item.
    pub item: String,
    /// Title.
    pub title: Words,
    /// When it was saved.
    pub saved_at: Time,
    /// When it is forgotten.
    pub expires_at: Time,
}

/// The receipt of a hand-in.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The application.
    pub application: Application,
    /// Code that together with the number shows the progress without sign-in, 6 digits.
    pub check: String,
    /// Parts of a bundle.
    pub parts: Vec<Application>,
}

/// Work after a change that was tried too often and set aside, so that it holds nothing up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Identification.
    pub id: String,
    /// Application it belongs to; for files of a draft, the draft.
    pub application: String,
    /// Number of the application; `None` for a draft, or one that is there no more.
    pub number: Option<String>,
    /// What it is: `case`, `message`, `letter`, `notice`, `files`, `licences`.
    pub kind: String,
    /// Which one of its kind.
    pub name: String,
    /// Times it was tried.
    pub attempts: i64,
    /// What the last failure was.
    pub error: Noted,
    /// When that was.
    pub at: Time,
}

/// The engine of applications. Applicants see their own (or those of whom they act for, within the
/// authorisation); officers what the policy gives them: `read`, `write` (on behalf), `handle`
/// (accept, correct, deliver) on `service_applications`, and the holders of a task of its case
/// while they hold it. Every read of personal answers is logged.
#[async_trait]
pub trait Applications: Send + Sync {
    /// Begins a draft, filled with what the city knows. One open draft per applicant and item:
    /// asked again it answers the one there is.
    async fn begin(&self, by: &Actor, new: NewDraft) -> Result<Draft, Fault>;
    /// A draft; taken over to the newest version of its item.
    async fn draft(&self, by: &Actor, id: &str) -> Result<Draft, Fault>;
    /// Open drafts of the asker, the newest first.
    async fn drafts(&self, by: &Actor) -> Result<Vec<DraftLine>, Fault>;
    /// Saves a change; on disk when it answers. `seen` is the version last seen
    /// (`input.stale` when it is another by now).
    async fn save(
        &self,
        by: &Actor,
        id: &str,
        seen: Option<i64>,
        change: DraftChange,
    ) -> Result<Draft, Fault>;
    /// Forgets a draft and its files.
    async fn discard(&self, by: &Actor, id: &str) -> Result<(), Fault>;
    /// Hands a draft in; refused whole with everything that is missing. A draft handed in twice is
    /// one application.
    async fn submit(&self, by: &Actor, draft: &str) -> Result<Receipt, Fault>;
    /// May this person put files at, or take them from, this draft or application? Names the
    /// material's kinds and number of files: an error says why not.
    async fn may_upload(
        &self,
        by: &Actor,
        about: &str,
        material: &str,
    ) -> Result<UploadRule, Fault>;
    /// Says that a file was put at a material (or removed); it becomes part of the draft.
    async fn note_file(
        &self,
        by: &Actor,
        about: &str,
        material: &str,
        file: FileLine,
        removed: bool,
    ) -> Result<(), Fault>;
    /// May this person read this file? The application and material it belongs to, for the log.
    async fn may_read_file(&self, by: &Actor, about: &str, file: &str) -> Result<(), Fault>;

    /// Applications.
    async fn applications(
        &self,
        by: &Actor,
        filter: &ApplicationFilter,
    ) -> Result<ApplicationPage, Fault>;
    /// One, by identification or number; `input.not_found` for one the asker may not know of.
    async fn application(&self, by: &Actor, id: &str) -> Result<ApplicationFile, Fault>;
    /// Whose licences, and of which types, stand for paper in an application, by identification or
    /// number; `None` for no application. For the program only: nobody's right is asked.
    async fn papers(&self, id: &str) -> Result<Option<Papers>, Fault>;
    /// What a clerk does. Of two who do it, one is first; the other is told by whom
    /// (`input.conflict`).
    async fn handle(
        &self,
        by: &Actor,
        id: &str,
        seen: Option<i64>,
        verb: Clerk,
    ) -> Result<Application, Fault>;
    /// What the applicant does.
    async fn own(
        &self,
        by: &Actor,
        id: &str,
        seen: Option<i64>,
        verb: Own,
    ) -> Result<Application, Fault>;
    /// Progress by number and check code; wrong guesses are slowed and then refused for a while.
    async fn progress(&self, number: &str, check: &str) -> Result<Progress, Fault>;
    /// What a process does to its application: functions of service tasks, `applications.decide`
    /// (`approved`, `reason`, `basis`), `applications.bill`, `applications.note`
    /// (`words`). `application.id` names it, and `case` which case calls: only the case of the
    /// application, or one that it called, acts on it. Idempotent by `key`.
    async fn serve(
        &self,
        function: &str,
        key: &str,
        input: &Map<String, Value>,
    ) -> Result<Served, Fault>;
    /// A bill was paid, says the payment service (already verified).
    async fn paid(&self, bill: &str, fen: i64, reference: &str) -> Result<(), Fault>;
    /// Figures of a period by organisation.
    async fn figures(&self, by: &Actor, from: Time, to: Time)
    -> Result<Vec<ServiceFigures>, Fault>;
}

/// What may be uploaded for a material.
#[derive(Clone, Debug, PartialEq)]
pub struct UploadRule {
    /// Identification of the draft or application, as files are kept under.
    pub about: String,
    /// Kinds: `pdf`, `jpeg`, `png`, `ofd`.
    pub formats: Vec<String>,
    /// Files that may still come.
    pub left: u32,
}
