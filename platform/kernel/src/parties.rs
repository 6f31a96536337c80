//! Parties: natural and legal persons as the portal knows them, how well their identity is proven,
//! and what ties one to another so that one may act for the other. The engine of that name keeps
//! them; whoever handles a matter asks [`Parties`] whether this agent may handle that kind.

use crate::access::{Actor, Party};
use crate::fault::{Fault, Problem, Words};
use crate::numbers::{self, CitizenNumber, Day};
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Kinds of matters an agent may be authorised for: name, Chinese, English.
pub const MATTERS: &[(&str, &str, &str)] = &[
    ("registration", "登记与变更", "Registration and changes"),
    ("licences", "许可与资质", "Licences and permits"),
    ("environment", "环境保护", "Environment"),
    ("taxes", "税费", "Taxes and fees"),
    (
        "social_insurance",
        "社会保险与公积金",
        "Social insurance and housing fund",
    ),
    ("construction", "工程建设", "Construction projects"),
    ("funds", "惠企资金与补贴", "Funds and subsidies"),
    ("data", "本单位数据查询", "Looking up the party's own data"),
];

/// Is there a kind of matter of this name?
pub fn is_matter(name: &str) -> bool {
    MATTERS.iter().any(|(known, ..)| *known == name)
}

/// Kind of document that identifies a natural person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// 居民身份证 (GB 11643).
    CitizenNumber,
    /// 港澳台居民居住证、外国人永久居留身份证: 18 characters of the same build.
    ResidencePermit,
    /// 护照.
    Passport,
}

impl DocumentKind {
    /// The word in files and answers.
    pub fn word(self) -> &'static str {
        match self {
            DocumentKind::CitizenNumber => "citizen_number",
            DocumentKind::ResidencePermit => "residence_permit",
            DocumentKind::Passport => "passport",
        }
    }
}

/// Who somebody says they are, as typed. [`Claim::check`] makes an [`Identity`] of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Kind of document.
    pub document: DocumentKind,
    /// Its number.
    pub number: String,
    /// Name as the document carries it.
    pub name: String,
    /// Day of birth: asked for with a passport only, otherwise the number says it.
    #[serde(default)]
    pub birth: Option<String>,
}

/// A sound claim: number and name in the form they are kept in. Personal: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Kind of document.
    pub document: DocumentKind,
    /// Number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Day of birth.
    pub birth: Day,
}

fn problem(at: &str, words: Words) -> Problem {
    Problem {
        at: at.into(),
        words,
    }
}

impl Claim {
    /// Judges a claim at an instant; every problem is named.
    pub fn check(&self, now: Time) -> Result<Identity, Vec<Problem>> {
        let mut problems = vec![];
        let name = numbers::person_name(&self.name);
        if name.is_none() {
            let words = Words::new(
                "姓名须与证件一致：汉字（可含间隔号）或拉丁字母，不能混用",
                "the name as in the document: Chinese characters or Latin letters, not both",
            );
            problems.push(problem("name", words));
        }
        let found = self.number_and_birth();
        let found = match found {
            Ok((_, birth)) if birth.starts() > now => {
                let words = Words::new("出生日期在将来", "the day of birth is in the future");
                problems.push(problem("number", words));
                None
            }
            Ok(found) => Some(found),
            Err(fault) => {
                problems.push(fault);
                None
            }
        };
        match (name, found) {
            (Some(name), Some((number, birth))) if problems.is_empty() => Ok(Identity {
                document: self.document,
                number,
                name,
                birth,
            }),
            _ => Err(problems),
        }
    }

    fn number_and_birth(&self) -> Result<(String, Day), Problem> {
        let at_number = |fault: numbers::NumberFault| problem("number", fault.words());
        if self.document == DocumentKind::Passport {
            let number = numbers::passport(&self.number).map_err(at_number)?;
            let birth = self.birth.as_deref().and_then(Day::parse);
            let words = Words::new(
                "请填写护照上的出生日期（如 1990-01-31）",
                "the day of birth in the passport is needed, such as 1990-01-31",
            );
            return Ok((number, birth.ok_or_else(|| problem("birth", words))?));
        }
        let number = CitizenNumber::parse(&self.number).map_err(at_number)?;
        if number.is_residence_permit() != (self.document == DocumentKind::ResidencePermit) {
            let words = Words::new(
                "号码与所选证件类型不符",
                "the number does not belong to this kind of document",
            );
            return Err(problem("document", words));
        }
        Ok((number.as_str().into(), number.birth()))
    }
}

/// What is known of a person by their account and session, as it stands now.
#[derive(Clone, Default)]
pub struct Standing {
    /// Number of the proven natural person.
    pub person: Option<String>,
    /// Level of proof, 0 to 3.
    pub proofing: u8,
    /// For whom the session acts.
    pub acts_for: Option<Party>,
    /// The session was acting for somebody, and may no longer: nothing is changed until the
    /// person has chosen anew.
    pub ended: bool,
}

/// The parties engine as others see it.
#[async_trait]
pub trait Parties: Send + Sync {
    /// What is known of whoever holds this account, in this session.
    async fn standing(&self, account: &str, session: Option<&str>) -> Result<Standing, Fault>;
    /// May this person handle a matter of this kind for whom they act now? Everybody may for
    /// themselves; an agent only within the scope of the authorisation
    /// (`parties.beyond_scope`), and only while it lasts.
    async fn demand_matter(&self, actor: &Actor, matter: &str) -> Result<(), Fault>;
}

/// A short message to one person. Its text may hold a code: no `Debug`, never logged.
pub struct Message {
    /// Mobile number.
    pub to: String,
    /// What it says.
    pub text: String,
}

/// Carries short messages. The message centre will take its place.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Can it carry anything at all?
    fn is_ready(&self) -> bool;
    /// Hands a message over; answers when the carrier has taken it.
    async fn send(&self, message: Message) -> Result<(), Fault>;
}

/// What a service of verification answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All given belongs together.
    Match,
    /// It does not, or there is no such person.
    NoMatch,
}

/// Verifies identities against the register of the police or a service entitled to ask it.
#[async_trait]
pub trait IdentityProver: Send + Sync {
    /// Can it be asked at all?
    fn is_ready(&self) -> bool;
    /// Are its persons synthetic? Pages then say so.
    fn is_demonstration(&self) -> bool;
    /// Do number, name and the holder of the mobile number belong together?
    async fn prove(&self, claim: &Identity, mobile: &str) -> Result<Verdict, Fault>;
    /// Is the one a parent or appointed guardian of the other?
    async fn prove_guardian(&self, guardian: &Identity, ward: &Identity) -> Result<Verdict, Fault>;
}

/// A new account of a resident.
pub struct NewResident {
    /// Account name.
    pub name: String,
    /// What the resident wants to be called.
    pub display: String,
    /// Password.
    pub password: String,
}

/// Accounts of residents, kept by identity.
#[async_trait]
pub trait ResidentAccounts: Send + Sync {
    /// Makes an account with the role of residents; `input.conflict` when the name is taken.
    async fn create(&self, new: NewResident) -> Result<(), Fault>;
    /// What is wrong with a name or password.
    fn problems(&self, new: &NewResident) -> Vec<Problem>;
    /// Is there an account of this name that may sign in?
    async fn exists(&self, account: &str) -> Result<bool, Fault>;
    /// Sets a password and ends every session.
    async fn set_password(&self, account: &str, password: &str) -> Result<(), Fault>;
    /// Disables an account and ends every session.
    async fn close(&self, account: &str) -> Result<(), Fault>;
}
