//! Items: government service items (政务服务事项) as other engines and systems see them. An *item*
//! is what somebody can apply for: its implementation list (实施清单, GB/T 39554 and the state's
//! exchange fields), its form, its materials and where the city has them already, guidance, and
//! the process that decides. It is published in versions; whoever has begun with one goes on with
//! what they wrote.

use crate::access::Actor;
use crate::cases::Limit;
use crate::fault::{Fault, Problem, Words};
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Type of an item (TASK_TYPE). The word is the code of the state's exchange fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ItemType {
    /// 行政许可.
    #[serde(rename = "01")]
    Permit,
    /// 行政征收.
    #[serde(rename = "04")]
    Levy,
    /// 行政给付.
    #[serde(rename = "05")]
    Payment,
    /// 行政确认.
    #[serde(rename = "07")]
    Confirmation,
    /// 行政奖励.
    #[serde(rename = "08")]
    Reward,
    /// 行政裁决.
    #[serde(rename = "09")]
    Ruling,
    /// 其他行政权力.
    #[serde(rename = "10")]
    Other,
    /// 公共服务.
    #[serde(rename = "20")]
    Service,
}

/// Level at which an item is exercised (USE_LEVEL).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 国家级.
    State,
    /// 省级.
    Province,
    /// 市级.
    City,
    /// 县级.
    County,
    /// 镇（乡、街道）级.
    Town,
    /// 村（社区）级.
    Village,
}

/// Whom an item serves (SERVE_TYPE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Serves {
    /// 自然人.
    Natural,
    /// 法人和其他组织.
    Legal,
    /// Both.
    Either,
}

/// Ways to apply (办理渠道).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// 网上.
    Web,
    /// 手机.
    Phone,
    /// 窗口: a clerk at a counter.
    Counter,
    /// 自助终端.
    Terminal,
    /// 热线: a clerk of the hotline on somebody's behalf.
    Hotline,
}

/// How a result reaches the applicant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryWay {
    /// 窗口领取.
    Counter,
    /// 邮寄送达.
    Post,
    /// 电子证照、电子文书.
    Electronic,
}

/// A condition on answers: the field has one of these values. Conditions of a list hold together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Field of the form.
    pub field: String,
    /// Values; with `[true]` a yes-or-no field says yes.
    #[serde(rename = "in")]
    pub is: Vec<Value>,
}

/// Where a material comes from without the applicant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// A licence the applicant holds, in force.
    Licence {
        /// Type of licence.
        kind: String,
    },
    /// A record the city keeps.
    Register {
        /// Register.
        register: String,
        /// Whose key it has: `person.number`, `party.code` or `form.<field>`.
        key: String,
    },
}

/// A material of an item (申请材料).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// Name, unique in the item.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Must be there (必要); otherwise it may be (容缺 or not needed).
    #[serde(default = "yes")]
    pub required: bool,
    /// May follow within the limit after acceptance (容缺受理).
    #[serde(default)]
    pub may_follow: bool,
    /// Asked only under these conditions.
    #[serde(default)]
    pub when: Vec<When>,
    /// Where the city has it already; the first that answers is taken, and nothing is asked.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Kinds of files: `pdf`, `jpeg`, `png`, `ofd`; all four when empty.
    #[serde(default)]
    pub formats: Vec<String>,
    /// Files at most, 1 to 20; 5 when it is not said.
    #[serde(default)]
    pub most: Option<u32>,
    /// What it is and where to get it.
    #[serde(default)]
    pub note: Option<Words>,
}

fn yes() -> bool {
    true
}

/// A fee (收费).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// What for.
    pub title: Words,
    /// How much, in fen.
    pub fen: i64,
    /// Legal basis.
    pub basis: String,
    /// Only under these conditions.
    #[serde(default)]
    pub when: Vec<When>,
}

/// What comes out of it (办理结果).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Name of the result document.
    pub title: Words,
    /// Type of licence issued; `None` when the letter of decision is all there is.
    #[serde(default)]
    pub licence: Option<String>,
    /// Fields of the licence: name, and where the value is: `form.<field>`, `applicant.name`,
    /// `applicant.number`, `number`, or a constant after `=`.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Number of the parent's or ward's document when the holder is not the applicant:
    /// `form.<field>`.
    #[serde(default)]
    pub holder: Option<HolderPaths>,
}

/// Where the holder of a result is found when it is not the applicant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderPaths {
    /// Field with the number (a citizen number or credit code).
    pub number: String,
    /// Field with the name.
    pub name: String,
}

/// A step of guidance (情形引导): a question with its options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Name, unique in the tree; the first of the list is the root.
    pub name: String,
    /// The question.
    pub ask: Words,
    /// What can be answered, 2 to 12.
    pub options: Vec<Choice>,
}

/// An option of a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What it says.
    pub title: Words,
    /// The next question.
    #[serde(default)]
    pub next: Option<String>,
    /// Answers of the form this settles.
    #[serde(default)]
    pub sets: Map<String, Value>,
    /// Another item is the right one.
    #[serde(default)]
    pub item: Option<String>,
    /// It ends here: why one cannot apply, or what else to do.
    #[serde(default)]
    pub stop: Option<Words>,
}

/// What an item is: the content of one version. The form is a JSON Schema 2020-12 object with
/// `x-` keywords; see `docs/items.md`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemContent {
    /// Name (TASK_NAME).
    pub title: Words,
    /// One sentence for the applicant.
    #[serde(default)]
    pub summary: Words,
    /// Code in the base catalogue (CATALOG_CODE), 12 characters [M].
    pub catalogue_code: String,
    /// Code of the implementation list (TASK_CODE), 31 characters: credit code of the body,
    /// type, number [M].
    pub task_code: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: ItemType,
    /// Level.
    pub level: Level,
    /// Organisation in charge.
    pub organisation: String,
    /// Whom it serves.
    pub serves: Serves,
    /// Words people search by: 开饭店, 生孩子.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Subjects (主题分类), such as 出生, 开办企业.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// Laws it stands on.
    pub basis: Vec<String>,
    /// Conditions of acceptance (受理条件).
    #[serde(default)]
    pub conditions: Vec<Words>,
    /// 即办件: decided at once.
    #[serde(default)]
    pub instant: bool,
    /// What the law gives (法定办结时限).
    pub statutory: Limit,
    /// What the office promises (承诺办结时限).
    pub promised: Limit,
    /// Ways to apply.
    pub channels: Vec<Channel>,
    /// Times somebody must come (LIMIT_SCENE_NUM).
    #[serde(default)]
    pub visits: u32,
    /// Ways to receive the result.
    #[serde(default)]
    pub delivery: Vec<DeliveryWay>,
    /// Fees.
    #[serde(default)]
    pub fees: Vec<Fee>,
    /// Where and when (HANDLE_PLACE, HANDLE_TIME).
    #[serde(default)]
    pub place: Words,
    /// Telephone for questions (LINK_WAY) and for complaints (SUPERVISE_WAY).
    #[serde(default)]
    pub contact: Words,
    /// Kind of matter an agent must be authorised for ([`crate::parties::MATTERS`]).
    pub matter: String,
    /// Proof of identity the applicant needs on line, 1 to 3.
    #[serde(default = "level_two")]
    pub proofing: u8,
    /// Process that decides; `None` for a bundle.
    #[serde(default)]
    pub process: Option<String>,
    /// Items handled together by one form (一件事一次办); each gets the answers its form asks for.
    #[serde(default)]
    pub bundle: Vec<String>,
    /// The form.
    pub form: Value,
    /// Forms of the desk by the name tasks of the process give (`jicheng:form`), JSON Schemas too.
    #[serde(default)]
    pub desk_forms: BTreeMap<String, Value>,
    /// Materials.
    #[serde(default)]
    pub materials: Vec<Material>,
    /// Guidance; empty for none.
    #[serde(default)]
    pub guidance: Vec<Question>,
    /// Result.
    pub outcome: Outcome,
    /// Texts of letters that differ from the city's, by kind of letter.
    #[serde(default)]
    pub letters: BTreeMap<String, String>,
    /// Frequent questions.
    #[serde(default)]
    pub questions: Vec<Answered>,
}

fn level_two() -> u8 {
    2
}

/// A frequent question and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// Question.
    pub question: Words,
    /// Answer.
    pub answer: Words,
}

/// Where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// Being written; nobody has published it yet.
    Drafted,
    /// 在用.
    InForce,
    /// 暂停: nobody can begin; what has begun goes on.
    Suspended,
    /// 取消, or merged into or split up into others.
    Cancelled,
}

/// An item in a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Name: the file's stem, or what the designer chose (`a-z0-9_`, 2 to 60).
    pub item: String,
    /// Version, from 1; 0 for the working copy of a designer.
    pub version: i64,
    /// Where the item stands.
    pub state: ItemState,
    /// When this version was published.
    pub published_at: Option<Time>,
    /// By whom.
    pub published_by: Option<String>,
    /// What changed, in words.
    pub note: String,
    /// Items that stand in its place (split, merged), once cancelled.
    #[serde(default)]
    pub successors: Vec<String>,
    /// What it is.
    pub content: ItemContent,
}

/// A line of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemLine {
    /// Name.
    pub item: String,
    /// Version.
    pub version: i64,
    /// Where it stands.
    pub state: ItemState,
    /// Title.
    pub title: Words,
    /// One sentence.
    pub summary: Words,
    /// Type.
    #[serde(rename = "type")]
    pub kind: ItemType,
    /// Organisation.
    pub organisation: String,
    /// Whom it serves.
    pub serves: Serves,
    /// Subjects.
    pub subjects: Vec<String>,
    /// Ways to apply.
    pub channels: Vec<Channel>,
    /// Promise.
    pub promised: Limit,
    /// Times somebody must come.
    pub visits: u32,
    /// Is it decided at once?
    pub instant: bool,
    /// Items it bundles.
    pub bundle: Vec<String>,
    /// A working copy newer than the version in force exists (designers only).
    pub changed: bool,
}

/// Which items are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemFilter {
    /// Words of title, summary, keywords; each must occur. Initials of pinyin need not be read.
    pub text: Option<String>,
    /// Of this organisation.
    pub organisation: Option<String>,
    /// For these people.
    pub serves: Option<Serves>,
    /// Of this subject.
    pub subject: Option<String>,
    /// Designers also see what is drafted, suspended or cancelled.
    pub all: bool,
    /// Cursor.
    pub after: Option<String>,
    /// Rows at most, 1 to 200.
    pub limit: usize,
}

/// A page of the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemPage {
    /// Lines.
    pub rows: Vec<ItemLine>,
    /// Cursor of the next page.
    pub next: Option<String>,
    /// How many match.
    pub count: i64,
}

/// What a new version of the form means for answers written under an old one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CarriedOver {
    /// The answers that still fit.
    pub answers: Map<String, Value>,
    /// Answers to questions that are not asked any more, kept apart: field, value.
    pub left_over: Map<String, Value>,
    /// What changed for the applicant, in words, with the field in `at`.
    pub changes: Vec<Problem>,
}

/// A change of where an item stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum ItemVerb {
    /// Publishes the working copy as the next version.
    Publish {
        /// What changed.
        note: String,
    },
    /// Publishes an earlier version again, as the next one.
    RollBack {
        /// Which.
        version: i64,
        /// Why.
        note: String,
    },
    /// 暂停.
    Suspend {
        /// Why.
        note: String,
    },
    /// 恢复.
    Resume {
        /// Why.
        note: String,
    },
    /// 取消; with successors it was split or merged.
    Cancel {
        /// Why.
        note: String,
        /// Items in its place.
        #[serde(default)]
        successors: Vec<String>,
    },
    /// Gives the working copy up.
    Discard,
}

/// The engine of items. Reading what is in force is everybody's; writing needs `operate` on
/// `items`.
#[async_trait]
pub trait Items: Send + Sync {
    /// Items, those in force first, in order of their names.
    async fn items(&self, by: Option<&Actor>, filter: &ItemFilter) -> Result<ItemPage, Fault>;
    /// A version of an item: the newest published when `None`, the working copy when `Some(0)`
    /// (designers). `input.not_found` otherwise.
    async fn item(&self, item: &str, version: Option<i64>) -> Result<Arc<Item>, Fault>;
    /// Every version, the newest first.
    async fn versions(&self, item: &str) -> Result<Vec<Item>, Fault>;
    /// What is wrong with a content: everything, with a JSON pointer each.
    async fn check(&self, content: &ItemContent) -> Vec<Problem>;
    /// Writes the working copy of an item (a new one is made). It may be incomplete: the answer
    /// says what a publication would refuse. `seen` is the digest of the copy last seen.
    async fn save(
        &self,
        by: &Actor,
        item: &str,
        seen: Option<&str>,
        content: &Value,
    ) -> Result<WorkingCopy, Fault>;
    /// The working copy as it was saved; made from the newest version when there is none.
    async fn working_copy(&self, by: &Actor, item: &str) -> Result<WorkingCopy, Fault>;
    /// Changes where an item stands.
    async fn rule(&self, by: &Actor, item: &str, verb: ItemVerb) -> Result<Item, Fault>;

    /// Answers as they are kept: numbers of persons and enterprises with capitals and without
    /// blanks, mobile numbers as 11 digits, texts without blanks around them. What is wrong stays as
    /// it is, for [`Items::judge`] to name. Whoever takes answers in calls it first.
    fn tidy(&self, item: &Item, answers: &Map<String, Value>) -> Map<String, Value> {
        let _ = item;
        answers.clone()
    }
    /// Names of the fields that are asked for these answers, in order of the form.
    fn asked(&self, item: &Item, answers: &Map<String, Value>) -> Vec<String>;
    /// What is wrong with answers; with `whole` also what is missing. `at` is `/answers/<field>`.
    /// Answers to questions that are not asked are faults.
    fn judge(&self, item: &Item, answers: &Map<String, Value>, whole: bool) -> Vec<Problem>;
    /// The same for a form of the desk.
    fn judge_desk(&self, item: &Item, form: &str, answers: &Map<String, Value>) -> Vec<Problem>;
    /// What speaks against an applicant of this number: who applies for themselves gives their own,
    /// who applies for somebody else gives that person's.
    fn judge_applicant(
        &self,
        item: &Item,
        answers: &Map<String, Value>,
        applicant: &str,
    ) -> Vec<Problem> {
        let _ = (item, answers, applicant);
        vec![]
    }
    /// Materials that are asked for these answers.
    fn materials(&self, item: &Item, answers: &Map<String, Value>) -> Vec<Material>;
    /// Fees for these answers.
    fn fees(&self, item: &Item, answers: &Map<String, Value>) -> Vec<Fee>;
    /// Where fields are filled from: field, path (`person.name`, `person.number`, `person.birth`,
    /// `person.mobile`, `party.name`, `party.code`, `register.<register>.<field>`,
    /// `licence.<kind>.<field>`).
    fn prefills(&self, item: &Item) -> Vec<(String, String)>;
    /// Fields with personal data (`x-personal`).
    fn personal(&self, item: &Item) -> Vec<String>;
    /// Takes answers written under an earlier version over to this one.
    fn carry_over(&self, from: &Item, to: &Item, answers: &Map<String, Value>) -> CarriedOver;
}

/// The working copy of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkingCopy {
    /// Item.
    pub item: String,
    /// Its content as it was written, complete or not.
    pub content: Value,
    /// SHA-256 of it, hexadecimal: the ETag.
    pub digest: String,
    /// When it was saved; `None` when it is the published version.
    pub saved_at: Option<Time>,
    /// By whom.
    pub saved_by: Option<String>,
    /// Version it was begun from; 0 for a new item.
    pub from_version: i64,
    /// What a publication would refuse.
    pub problems: Vec<Problem>,
}
