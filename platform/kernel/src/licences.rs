//! Licences: electronic licences (电子证照) as other engines and systems see them. A licence is
//! issued to a holder, of a type declared in `licences/*.yaml`; anybody it is shown to can verify
//! it, and every use is written down and shown to its holder. The engine of that name keeps them.
//!
//! Elements follow GB/T 36903-2018 (metadata), the identifier GB/T 36904-2018.

use crate::access::Actor;
use crate::declare::{Declared, LicenceDecl};
use crate::fault::{Fault, Words};
use crate::numbers::Day;
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Name of the holder, as a field that can be shown.
pub const HOLDER_NAME: &str = "holder_name";
/// Number of the holder, as a field that can be shown.
pub const HOLDER_NUMBER: &str = "holder_number";
/// Number printed on the licence, as a field that can be shown.
pub const NUMBER: &str = "number";

/// How far a licence can be trusted (可信等级), by where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grade {
    /// Issued by the organisation's own decision here, signed at once.
    A,
    /// Made from the organisation's records of licences issued earlier, and signed by it.
    B,
    /// Scanned from paper and compared with it by a clerk.
    C,
    /// Given by the holder and compared by nobody.
    D,
}

impl Grade {
    /// The words of files, in order.
    pub const WORDS: [&str; 4] = ["A", "B", "C", "D"];
    /// The letter.
    pub fn word(self) -> &'static str {
        Grade::WORDS[self as usize]
    }
    /// From its letter.
    pub fn parse(word: &str) -> Option<Grade> {
        use Grade::{A, B, C, D};
        [A, B, C, D].into_iter().find(|grade| grade.word() == word)
    }
}

/// Kind of document that identifies a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderDocument {
    /// 居民身份证 (GB 11643).
    CitizenNumber,
    /// 港澳台居民居住证、外国人永久居留身份证.
    ResidencePermit,
    /// 护照.
    Passport,
    /// 统一社会信用代码 (GB 32100): the holder is a legal person.
    CreditCode,
}

/// To whom a licence is issued (持证主体). Personal: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// Kind of document.
    pub document: HolderDocument,
    /// Its number.
    pub number: String,
    /// Name as the document carries it.
    pub name: String,
}

impl Holder {
    /// Is the holder a natural person?
    pub fn is_natural(&self) -> bool {
        self.document != HolderDocument::CreditCode
    }
}

/// What a licence is issued from. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLicence {
    /// Name of the type.
    pub kind: String,
    /// What it is issued for, such as `case/01JD…/permit`: asked twice for one source, one licence
    /// is issued. 1 to 200 characters.
    pub source: String,
    /// To whom.
    pub holder: Holder,
    /// Fields of the type.
    #[serde(default)]
    pub fields: Map<String, Value>,
    /// Number printed on the licence (证照编号); the serial stands for it when there is none.
    #[serde(default)]
    pub number: Option<String>,
    /// Serial inside the identifier, 1 to 40 of 0–9 and A–Z; one is drawn when there is none.
    #[serde(default)]
    pub serial: Option<String>,
    /// Day it was issued (颁发日期), for licences taken over from earlier records; today when there
    /// is none.
    #[serde(default)]
    pub issued_on: Option<Day>,
    /// First day it is valid; the day it was issued when there is none.
    #[serde(default)]
    pub valid_from: Option<Day>,
    /// Last day it is valid; the type says when there is none.
    #[serde(default)]
    pub valid_to: Option<Day>,
    /// Trust grade, when it is lower than the type's: made from records (B), scanned from paper
    /// (C), given by the holder (D).
    #[serde(default)]
    pub grade: Option<Grade>,
}

/// Where a licence stands, apart from its dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// 有效.
    InForce,
    /// 暂停: for a while it counts no more.
    Suspended,
    /// 撤销: it should not have been issued.
    Withdrawn,
    /// 注销: its holder gave it up, or its reason is gone.
    Cancelled,
    /// 吊销: taken away as a penalty.
    Penalty,
    /// Another version was issued in its place.
    Replaced,
}

impl State {
    /// All states.
    pub const ALL: [State; 6] = [
        State::InForce,
        State::Suspended,
        State::Withdrawn,
        State::Cancelled,
        State::Penalty,
        State::Replaced,
    ];
    /// The word in the store and in answers.
    pub fn word(self) -> &'static str {
        [
            "in_force",
            "suspended",
            "withdrawn",
            "cancelled",
            "penalty",
            "replaced",
        ][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.word() == word)
    }
    /// Over for good.
    pub fn is_final(self) -> bool {
        !matches!(self, State::InForce | State::Suspended)
    }
    /// Its number in a Token Status List with two bits each: 0 valid, 1 invalid, 2 suspended.
    pub fn status(self) -> u8 {
        match self {
            State::InForce => 0,
            State::Suspended => 2,
            _ => 1,
        }
    }
}

/// A change of where a licence stands. A replacement is made by [`Licences::reissue`] only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Where it stands afterwards.
    pub to: State,
    /// Why, 2 to 200 characters.
    pub reason: String,
    /// Version of the licence that was looked at; `input.stale` when it is another by now.
    #[serde(default)]
    pub version: Option<i64>,
}

/// A licence. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Licence {
    /// Identifier (证照标识, GB/T 36904).
    pub identifier: String,
    /// Name of its type.
    pub kind: String,
    /// Title of the type.
    pub title: Words,
    /// Number printed on it (证照编号).
    pub number: String,
    /// To whom it was issued.
    pub holder: Holder,
    /// Its fields.
    pub fields: Map<String, Value>,
    /// Organisation that issued it (颁发机构), name and unified social credit code.
    pub issuer: Words,
    /// Its code.
    pub issuer_code: String,
    /// When it was issued.
    pub issued_at: Time,
    /// Valid from.
    pub valid_from: Time,
    /// Valid to, exclusive; `None` for ever (长期).
    pub valid_to: Option<Time>,
    /// Trust grade.
    pub grade: Grade,
    /// Where it stands.
    pub state: State,
    /// Its state as GB/T 36903 lists them: `01` valid, `02` held, `03` withdrawn, `04` cancelled,
    /// `05` expired, `07` penalty, `99` other. Configuration may say other codes.
    pub state_code: String,
    /// Why it stands so, when somebody said.
    pub reason: Option<String>,
    /// Identifier of the licence it replaces (关联证照标识).
    pub replaces: Option<String>,
    /// Identifier of the licence that replaces it.
    pub replaced_by: Option<String>,
    /// Number of changes, from 1.
    pub version: i64,
}

/// What verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It counts.
    Valid,
    /// Its first day is yet to come.
    NotYetValid,
    /// Its last day has passed.
    Expired,
    /// It counts no more for a while.
    Suspended,
    /// It counts no more.
    Revoked,
    /// There is none, or what was shown does not lead to one.
    Unknown,
    /// What is shown, or what is kept, is not what was signed.
    Altered,
    /// It counts, but what was asked for was not all shown.
    Incomplete,
}

impl Verdict {
    /// The word in answers.
    pub fn word(self) -> &'static str {
        [
            "valid",
            "not_yet_valid",
            "expired",
            "suspended",
            "revoked",
            "unknown",
            "altered",
            "incomplete",
        ][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<Verdict> {
        use Verdict::*;
        let all = [
            Valid,
            NotYetValid,
            Expired,
            Suspended,
            Revoked,
            Unknown,
            Altered,
            Incomplete,
        ];
        all.into_iter().find(|verdict| verdict.word() == word)
    }
    /// For people.
    pub fn words(self) -> Words {
        let (zh, en) = match self {
            Verdict::Valid => ("有效", "valid"),
            Verdict::NotYetValid => ("尚未生效", "not yet valid"),
            Verdict::Expired => ("已过有效期", "expired"),
            Verdict::Suspended => ("已暂停使用", "suspended"),
            Verdict::Revoked => ("已失效（撤销、注销、吊销或换发）", "revoked"),
            Verdict::Unknown => (
                "查无此证，或出示凭据无效、已用过或已超时",
                "unknown, or the code was used or is over",
            ),
            Verdict::Altered => ("内容与签发时不符", "altered since it was issued"),
            Verdict::Incomplete => (
                "出示的内容不全，不能作为核验结果",
                "not everything that was asked for was shown: this verifies nothing",
            ),
        };
        Words::new(zh, en)
    }
}

/// Why somebody looks at a licence of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// Who looks, for people: an organisation or a shop. 2 to 100 characters.
    pub verifier: String,
    /// For which purpose; stands in the watermark. 2 to 100 characters.
    pub purpose: String,
    /// On which legal basis; empty when the holder shows it of their own will.
    #[serde(default)]
    pub basis: String,
}

/// A matter in which a licence answers a material in place of paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InPlace {
    /// Code of the office that handles the matter.
    pub organisation: String,
    /// Number of the matter.
    pub matter: String,
    /// What it is used for, as its holder reads it.
    pub purpose: String,
    /// On which basis.
    pub basis: String,
}

/// Whose licences, and of which types, stand for paper in a matter. Personal: no `Debug`.
#[derive(Clone)]
pub struct Papers {
    /// The applicant.
    pub holder: Holder,
    /// Types that the materials asked for name as a source.
    pub kinds: BTreeSet<String>,
}

/// What is shown to be verified.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Shown {
    /// The short-lived code of a holder's QR.
    Token {
        /// As scanned.
        token: String,
    },
    /// Identifier and name as printed.
    Identifier {
        /// Identifier, with its check character.
        identifier: String,
        /// Name of the holder.
        name: String,
    },
    /// A signed document: SD-JWT VC with the disclosures its holder chose.
    Document {
        /// As received.
        document: String,
        /// For whom the holder signed it: demanded when the document names its holder's key.
        #[serde(default)]
        audience: Option<String>,
        /// What the verifier asked the holder to sign.
        #[serde(default)]
        nonce: Option<String>,
    },
}

/// One field as a verifier sees it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownField {
    /// Name.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Value.
    pub value: Value,
}

/// The answer of a verification. Fields are there only when the licence counts. Personal: no
/// `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// What was found.
    pub verdict: Verdict,
    /// The same for people.
    pub words: Words,
    /// As of when.
    pub as_of: Time,
    /// Identifier; `None` when nothing was found.
    pub identifier: Option<String>,
    /// Title of the type.
    pub title: Option<Words>,
    /// Organisation that issued it.
    pub issuer: Option<Words>,
    /// Trust grade.
    pub grade: Option<Grade>,
    /// Valid from.
    pub valid_from: Option<Time>,
    /// Valid to, exclusive.
    pub valid_to: Option<Time>,
    /// The minimum that serves the purpose.
    pub fields: Vec<ShownField>,
    /// Names of what was asked for and not shown (`incomplete`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// To be written across what is shown.
    pub watermark: Words,
}

/// A type with what the engine needs of its organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LicenceType {
    /// What was declared.
    #[serde(flatten)]
    pub decl: LicenceDecl,
    /// Name of the issuing organisation (颁发机构).
    pub authority: Words,
    /// Its unified social credit code, or division code for old data.
    pub authority_code: String,
}

/// The types declared by the systems and the city, by name.
pub fn types(declared: &Declared) -> BTreeMap<String, LicenceType> {
    let resolve = |decl: &LicenceDecl| {
        let organisations = &declared.city.organisations;
        let issuer = organisations.iter().find(|o| o.code == decl.issuer);
        let code = issuer.and_then(|o| o.credit_code.clone());
        let known = LicenceType {
            authority: issuer.map(|o| o.title.clone()).unwrap_or_default(),
            authority_code: decl.issuer_code.clone().or(code).unwrap_or_default(),
            decl: decl.clone(),
        };
        (decl.name.clone(), known)
    };
    declared.licences().map(resolve).collect()
}

/// The licences engine as others see it.
#[async_trait]
pub trait Licences: Send + Sync {
    /// Issues licences, all or none, in one transaction; every fault of every one is named
    /// (`input.invalid`, at `rows/<number>/<field>`). A source that has its licence gets that one again;
    /// with another content it is `input.conflict`.
    async fn issue(&self, actor: &Actor, new: &[NewLicence]) -> Result<Vec<Licence>, Fault>;
    /// Issues a licence in place of another: the same serial, the next version, each naming the
    /// other. The former is replaced in the same transaction.
    async fn reissue(
        &self,
        actor: &Actor,
        former: &str,
        new: &NewLicence,
    ) -> Result<Licence, Fault>;
    /// Suspends, resumes, revokes.
    async fn change(
        &self,
        actor: &Actor,
        identifier: &str,
        change: &Change,
    ) -> Result<Licence, Fault>;
    /// Identifiers of the licences of one type a holder has that count now: "is there a licence
    /// that answers this material?" Nothing of them is shown; no use is written down.
    async fn held(&self, holder: &Holder, kind: &str) -> Result<Vec<String>, Fault>;
    /// A licence answered a material of a matter in place of paper: the use is written down, once
    /// for a matter however often it is said, and shown to the holder.
    async fn note_in_place(&self, identifier: &str, used: &InPlace) -> Result<(), Fault>;
    /// Uses a licence of an applicant for their application: the fields named, under the purpose and
    /// basis of the actor's grant, written down and shown to the holder.
    async fn consult(
        &self,
        actor: &Actor,
        identifier: &str,
        fields: &[String],
    ) -> Result<Verification, Fault>;
    /// Verifies what was shown, whoever asks (`Actor::default()` for somebody not signed in). A
    /// verdict is an answer, not a fault; the use is on the disk before it.
    async fn verify(&self, actor: &Actor, shown: &Shown, why: &Use) -> Result<Verification, Fault>;
}
