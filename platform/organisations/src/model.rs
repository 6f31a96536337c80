//! What is kept: acts on the tree, positions and who holds them, members, leave, delegations,
//! hand-overs. Each is one row of the store.

use kernel::Time;
use kernel::fault::Words;
use kernel::organisations::{OpenItem, OrganisationKind, Successor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An organisation to be founded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrganisation {
    /// Short code, or the division code of a place.
    pub code: String,
    /// What kind it is.
    #[serde(default)]
    pub kind: OrganisationKind,
    /// Its names; the English one may be empty.
    pub title: Words,
    /// The organisation above it.
    #[serde(default)]
    pub parent: Option<String>,
    /// Unified social credit code (GB 32100).
    #[serde(default)]
    pub credit_code: Option<String>,
    /// Division code.
    #[serde(default)]
    pub division: Option<String>,
    /// Word in the numbers of its letters (机关代字).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter_word: Option<String>,
    /// Valid from; the day of the act when absent. Only files say it.
    #[serde(default)]
    pub valid_from: Option<Time>,
    /// Valid to. Only files say it.
    #[serde(default)]
    pub valid_to: Option<Time>,
}

/// What is done to the tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    /// Organisations come to be.
    Found {
        /// Which; parents may be among them, in any order.
        organisations: Vec<NewOrganisation>,
    },
    /// One gets another name, kind, place or parent; what is absent stays, an empty text is none.
    Change {
        /// Which.
        code: String,
        /// Names.
        #[serde(default)]
        title: Option<Words>,
        /// Kind.
        #[serde(default)]
        kind: Option<OrganisationKind>,
        /// The organisation above it; empty for the top.
        #[serde(default)]
        parent: Option<String>,
        /// Unified social credit code; empty for none.
        #[serde(default)]
        credit_code: Option<String>,
        /// Division code; empty for none.
        #[serde(default)]
        division: Option<String>,
        /// Word in the numbers of its letters (机关代字); empty for that of its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        letter_word: Option<String>,
    },
    /// Some end and become part of another: what is below them and their people go over.
    Merge {
        /// Those that end.
        from: Vec<String>,
        /// The one that goes on.
        into: String,
    },
    /// New ones come out of one.
    Split {
        /// The one that is split.
        code: String,
        /// The new ones; their parent is that of the old one unless they say another.
        into: Vec<NewOrganisation>,
        /// What is below the old one and goes to a new one: code → code of the new one.
        #[serde(default)]
        children: std::collections::BTreeMap<String, String>,
        /// The old one goes on beside the new ones.
        #[serde(default)]
        keep: bool,
    },
    /// One ends. Nothing may be below it and nobody in it.
    Abolish {
        /// Which.
        code: String,
    },
}

impl Deed {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Deed::Found { .. } => "found",
            Deed::Change { .. } => "change",
            Deed::Merge { .. } => "merge",
            Deed::Split { .. } => "split",
            Deed::Abolish { .. } => "abolish",
        }
    }
}

/// An act to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAct {
    /// Takes effect on; now when absent.
    #[serde(default)]
    pub on: Option<Time>,
    /// Why: the document that orders it.
    pub reason: String,
    /// What.
    pub act: Deed,
}

/// An act that was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// Identification.
    pub id: String,
    /// `found`, `change`, `merge`, `split`, `abolish`, `import` or `declared`.
    pub what: String,
    /// Took effect on.
    pub on: Time,
    /// Recorded at.
    pub at: Time,
    /// Who recorded it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Codes it concerns.
    pub codes: Vec<String>,
    /// The deed as it was asked for; large imports keep only their size.
    pub details: Value,
}

/// The place of a position in its organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// 正职: the head.
    Head,
    /// 副职: a deputy.
    Deputy,
    /// 工作人员: staff.
    #[default]
    Staff,
}

/// A position (岗位): a title in an organisation, with the roles it carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Identification.
    pub id: String,
    /// Organisation it belongs to.
    pub organisation: String,
    /// Title.
    pub title: Words,
    /// Declared roles it carries.
    pub roles: Vec<String>,
    /// Head, deputy or staff.
    pub rank: Rank,
    /// Exists from.
    pub valid_from: Time,
    /// Exists to.
    pub valid_to: Option<Time>,
    /// Number of changes, from 1.
    pub version: i64,
}

/// A position to be made.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPosition {
    /// Organisation.
    pub organisation: String,
    /// Title.
    pub title: Words,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Head, deputy or staff.
    #[serde(default)]
    pub rank: Rank,
    /// Exists from; now when absent.
    #[serde(default)]
    pub valid_from: Option<Time>,
}

/// Somebody holds a position (任职).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Appointment {
    /// Identification.
    pub id: String,
    /// Who.
    pub account: String,
    /// Which position.
    pub position: String,
    /// 主职 (true) or 兼职 (false).
    pub main: bool,
    /// From.
    pub valid_from: Time,
    /// To.
    pub valid_to: Option<Time>,
    /// Why it began.
    pub reason: String,
    /// Who recorded it.
    pub by: String,
}

/// An appointment to be made.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAppointment {
    /// Who.
    pub account: String,
    /// Which position.
    pub position: String,
    /// Main, or besides another.
    #[serde(default = "yes")]
    pub main: bool,
    /// From; now when absent.
    #[serde(default)]
    pub valid_from: Option<Time>,
    /// To.
    #[serde(default)]
    pub valid_to: Option<Time>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

fn yes() -> bool {
    true
}

/// What the directory says of a person who works here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Account.
    pub account: String,
    /// Name.
    pub name: String,
    /// Office telephone.
    pub phone: String,
    /// Room.
    pub room: String,
    /// Left the service at.
    #[serde(default)]
    pub left_at: Option<Time>,
}

/// Leave (请假).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leave {
    /// Identification.
    pub id: String,
    /// Who.
    pub account: String,
    /// From.
    pub from: Time,
    /// To.
    pub to: Time,
    /// Who stands in.
    pub substitute: Option<String>,
    /// Why.
    pub reason: String,
    /// The delegation made for it.
    pub delegation: Option<String>,
    /// Given up at.
    pub cancelled_at: Option<Time>,
    /// Who recorded it.
    pub by: String,
}

/// Leave to be recorded.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLeave {
    /// From.
    pub from: Time,
    /// To.
    pub to: Time,
    /// Who stands in; gets a delegation of everything for the time.
    #[serde(default)]
    pub substitute: Option<String>,
    /// Why.
    pub reason: String,
}

/// Where a delegation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DelegationState {
    /// Waits for the receiver to accept it.
    Offered,
    /// In force within its period.
    Agreed,
    /// The receiver did not want it.
    Refused,
    /// Ended before its time.
    Ended,
}

/// A delegation (委托): one lets another act for them, for a time and within a scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delegation {
    /// Identification.
    pub id: String,
    /// Who gives.
    pub giver: String,
    /// Who receives.
    pub receiver: String,
    /// From.
    pub from: Time,
    /// To.
    pub to: Time,
    /// Only these roles of the giver; empty for all.
    pub roles: Vec<String>,
    /// Only these objects; empty for all.
    pub objects: Vec<String>,
    /// Only this one matter: requests whose path names it.
    pub matter: Option<String>,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub state: DelegationState,
    /// Made at.
    pub made_at: Time,
    /// Ended or refused at.
    pub ended_at: Option<Time>,
    /// By whom.
    pub ended_by: Option<String>,
    /// Why.
    pub ended_why: Option<String>,
    /// The leave it was made for.
    pub leave: Option<String>,
}

/// A delegation to be made.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDelegation {
    /// Who receives.
    pub receiver: String,
    /// From; now when absent.
    #[serde(default)]
    pub from: Option<Time>,
    /// To.
    pub to: Option<Time>,
    /// Only these roles; empty for all.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Only these objects; empty for all.
    #[serde(default)]
    pub objects: Vec<String>,
    /// Only this one matter.
    #[serde(default)]
    pub matter: Option<String>,
    /// Why.
    pub reason: String,
    /// The receiver must accept it first.
    #[serde(default)]
    pub must_accept: bool,
}

/// One item of a hand-over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandedItem {
    /// What.
    pub item: OpenItem,
    /// To whom.
    pub to: Successor,
}

/// A hand-over (交接), signed off by who recorded it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandOver {
    /// Identification.
    pub id: String,
    /// Who goes.
    pub account: String,
    /// At.
    pub at: Time,
    /// Who signed it off.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What was handed over.
    pub items: Vec<HandedItem>,
    /// Appointments that ended.
    pub appointments: Vec<String>,
    /// Delegations that ended.
    pub delegations: Vec<String>,
    /// The person left the service, or moved within it.
    pub leaves_service: bool,
}
