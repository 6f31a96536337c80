//! Access: code asks, policy answers. "May this person do this to this kind of thing, and for
//! which purpose?" A handful of verbs; the rules live in the `access/` files of the systems.

use crate::facts::{Facts, Filter, Mask};
use crate::fault::{Fault, FaultKind, Problem, Words};
use crate::objects::object_words;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What may be done. A handful, for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Look at.
    Read,
    /// Take away as a file.
    Export,
    /// Create, change, end.
    Write,
    /// Handle what is in a queue: acknowledge, assign, close.
    Handle,
    /// Tell a device to do something.
    Command,
    /// Run the machine: jobs, backup, accounts, connections.
    Operate,
    /// Look at who did what.
    Audit,
}

impl Verb {
    /// All verbs.
    pub const ALL: [Verb; 7] = [
        Verb::Read,
        Verb::Export,
        Verb::Write,
        Verb::Handle,
        Verb::Command,
        Verb::Operate,
        Verb::Audit,
    ];
    /// The word in files.
    pub fn word(self) -> &'static str {
        [
            "read", "export", "write", "handle", "command", "operate", "audit",
        ][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<Verb> {
        Verb::ALL.into_iter().find(|v| v.word() == word)
    }
    /// As people say it.
    pub fn words(self) -> Words {
        let (zh, en) = match self {
            Verb::Read => ("查看", "see"),
            Verb::Export => ("导出", "export"),
            Verb::Write => ("登记或修改", "enter or change"),
            Verb::Handle => ("办理", "handle"),
            Verb::Command => ("下达指令给", "give orders to"),
            Verb::Operate => ("管理", "administer"),
            Verb::Audit => ("审计", "audit"),
        };
        Words::new(zh, en)
    }
}

/// Who acts: a signed-in person, or the machine itself. `Actor::default()` is nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Account name; `system` for the machine itself.
    pub account: String,
    /// Name for people.
    pub display: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Organisation.
    pub organisation: Option<String>,
    /// Purpose and legal basis of the grant that admitted this act; the audit log keeps them.
    /// Empty for the machine's own work.
    #[serde(default)]
    pub grant: Grant,
    /// What else is known of them: organisations, proof of identity, whom they act for.
    #[serde(default)]
    pub standing: Standing,
}

/// What is known of an actor beyond account and roles, as it stands now; the policy asks it.
/// Whoever recognises a session fills it in; all of it may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Organisations the actor holds a position in now, the main one first; then those that stand
    /// no longer and whose work is with these.
    #[serde(default)]
    pub organisations: Vec<String>,
    /// Those and every organisation below them: what "own and subordinate" means. Shared, because
    /// the top of a city has thousands below it and an actor is made for every request.
    #[serde(default)]
    pub scope: Arc<[String]>,
    /// The natural person behind the account: citizen number, once proven.
    #[serde(default)]
    pub person: Option<String>,
    /// How well the identity was proven: 0 not, 1 by claim and phone, 2 by document on line,
    /// 3 in person.
    #[serde(default)]
    pub proofing: u8,
    /// Whether the account is one of the portal, so that `crate::parties` knows who stands behind
    /// it; `None` when nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<bool>,
    /// Factors this session was opened with: `pwd`, `otp`, `passkey`, `recovery`, `federated`
    /// (RFC 8176 where a name exists). Empty for the token of a program.
    #[serde(default)]
    pub factors: Vec<String>,
    /// Identification of the session.
    #[serde(default)]
    pub session: Option<String>,
    /// When the person last proved who they are in this session, microseconds UTC (`auth_time` of
    /// OpenID Connect). 0 for the token of a program.
    #[serde(default)]
    pub auth_time: i64,
    /// The application (OpenID client or program) the request comes through; `None` for our own
    /// pages.
    #[serde(default)]
    pub application: Option<String>,
    /// What that application may do with the person's rights: `city.read`, `city.write`. Empty
    /// without an application.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// For whom the actor acts now: a delegation, an agency, a guardianship.
    #[serde(default)]
    pub acts_for: Option<Party>,
    /// What a delegation in use lends to the actor for this request.
    #[serde(default)]
    pub lent: Option<Lent>,
    /// The purpose the actor names for this act (`X-Purpose`). When several grants would do, those
    /// with this purpose are taken; personal data are refused when none has it.
    #[serde(default)]
    pub purpose: Option<String>,
    /// The matter in hand the actor names (`X-Case`): what the act is done for.
    #[serde(default)]
    pub case: Option<String>,
}

/// Roles lent by a delegation in use: those of the giver, as far as the delegation reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lent {
    /// Roles of the giver.
    pub roles: Vec<String>,
    /// Only for these objects; empty for all.
    pub objects: Vec<String>,
}

impl Lent {
    /// Does the delegation reach this object? `register.*` covers every register.
    pub fn reaches(&self, object: &str) -> bool {
        let covers = |granted: &String| match granted.strip_suffix(".*") {
            Some(kind) => object
                .strip_prefix(kind)
                .is_some_and(|rest| rest.len() > 1 && rest.starts_with('.')),
            None => granted == object,
        };
        self.objects.is_empty() || self.objects.iter().any(covers)
    }
}

/// A party somebody acts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// What ties the two.
    pub tie: Tie,
    /// Citizen number, unified social credit code, or account name (delegation).
    pub party: String,
    /// Name for people.
    pub display: String,
    /// Identification of the document that ties them (delegation, agency, guardianship).
    pub document: String,
}

/// What lets one act for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// 委托: an officer stands in for another, for a period and a scope.
    Delegation,
    /// 法定代表人: the legal representative of an enterprise.
    Representative,
    /// 经办人: an agent an enterprise has authorised.
    Agent,
    /// 监护: the guardian of a minor or of an elder.
    Guardian,
}

/// For which purpose, and on which legal basis, something may be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Purpose named in the role's grant.
    pub purpose: String,
    /// Legal basis named there.
    pub basis: String,
}

impl Actor {
    /// The machine itself: start-up loads, engines, jobs.
    pub fn system() -> Actor {
        Actor {
            account: "system".into(),
            display: "系统 system".into(),
            roles: vec![],
            ..Actor::default()
        }
    }

    /// The roles that count for an object: the actor's own, and those lent for it.
    pub fn roles_for<'a>(&'a self, object: &str) -> impl Iterator<Item = &'a str> {
        let lent = self.standing.lent.as_ref();
        let lent = lent.filter(|lent| lent.reaches(object));
        let lent = lent.into_iter().flat_map(|lent| &lent.roles);
        self.roles.iter().chain(lent).map(String::as_str)
    }

    /// Particulars of a deed with whom it was done for, as the audit log keeps it: what ties the
    /// two and its document, never a number.
    pub fn on_behalf(&self, mut details: serde_json::Value) -> serde_json::Value {
        if let (Some(party), Some(object)) = (&self.standing.acts_for, details.as_object_mut()) {
            let tie = serde_json::json!({ "tie": party.tie, "document": party.document });
            object.insert("acts_for".into(), tie);
        }
        details
    }

    /// The same person acting under what a decision allowed.
    pub fn under(&self, decision: &Decision) -> Actor {
        let mut actor = self.clone();
        if let Decision::Allowed { purpose, basis, .. } = decision {
            actor.grant = Grant {
                purpose: purpose.clone(),
                basis: basis.clone(),
            };
        }
        actor
    }
}

/// What a route demands of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, signed in or not: public information and the sign-in itself.
    Public,
    /// Anybody signed in: one's own session and account.
    SignedIn,
    /// Those whose roles allow this verb on this kind of thing.
    May(Verb, &'static str),
}

/// A policy's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Decision {
    /// Allowed, for this purpose on this legal basis, through this role.
    Allowed {
        /// Role that allows it.
        role: String,
        /// Purpose named in the grant.
        purpose: String,
        /// Legal basis named in the grant.
        basis: String,
    },
    /// Not allowed: no role of the person grants it; these roles would.
    Denied {
        /// Roles that would allow it: whom to ask.
        would: Vec<String>,
        /// What keeps the person's own grants from allowing it.
        missing: Vec<Missing>,
    },
}

impl Decision {
    /// Is it allowed?
    pub fn allowed(&self) -> bool {
        matches!(self, Decision::Allowed { .. })
    }

    /// Not allowed, and these roles would.
    pub fn denied(would: Vec<String>) -> Decision {
        Decision::Denied {
            would,
            missing: vec![],
        }
    }
}

/// What a grant of the person demands beyond the role, and is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "is", content = "what", rename_all = "snake_case")]
pub enum Missing {
    /// The identity must be proven at least so well.
    Level(u8),
    /// The session must be opened with a second factor.
    SecondFactor,
    /// The purpose named is that of no grant.
    Purpose,
    /// The record is outside what the grant covers: `own`, `subordinate`, `handling`,
    /// `own_person`.
    Scope(String),
    /// Access may be opened for an hour by breaking the glass, with a reason, reviewed afterwards.
    BreakGlass,
    /// Another condition, at this file and line.
    Condition(String),
}

impl Missing {
    /// Said to a person.
    pub fn words(&self) -> Words {
        match self {
            Missing::Level(level) => Words::new(
                format!("需要实名认证等级 {level} 以上"),
                format!("the identity must be proven to level {level}"),
            ),
            Missing::SecondFactor => Words::new(
                "需要用第二因素（动态口令或通行密钥）登录",
                "sign in with a second factor",
            ),
            Missing::Purpose => Words::new(
                "您所申明的目的不在授权之内",
                "the purpose named is not that of any of your grants",
            ),
            Missing::Scope(scope) => {
                let (zh, en) = match scope.as_str() {
                    "own" => ("仅限本机构的记录", "records of your own organisation only"),
                    "subordinate" => (
                        "仅限本机构及下级机构的记录",
                        "records of your organisation and those below it only",
                    ),
                    "handling" => ("仅限您经办的事项", "matters in your hand only"),
                    _ => (
                        "仅限本人或您依法代理的人的记录",
                        "records of yourself or of whom you act for only",
                    ),
                };
                Words::new(zh, en)
            }
            Missing::BreakGlass => Words::new(
                "紧急情况下可申请紧急访问（须说明理由，事后复核）",
                "in an emergency you may break the glass, with a reason and a review afterwards",
            ),
            Missing::Condition(at) => Words::new(
                format!("不满足 {at} 的条件"),
                format!("the condition at {at} does not hold"),
            ),
        }
    }

    /// The same for whoever was denied: where the condition is written down is for operators, who
    /// see it when they ask why.
    fn plain_words(&self) -> Words {
        match self {
            Missing::Condition(_) => Words::new(
                "不满足授权规定的条件",
                "a condition of the grant does not hold",
            ),
            other => other.words(),
        }
    }

    /// A word for programs: `level`, `second_factor`, `purpose`, `scope`, `break_glass`,
    /// `condition`.
    pub fn word(&self) -> &'static str {
        match self {
            Missing::Level(_) => "level",
            Missing::SecondFactor => "second_factor",
            Missing::Purpose => "purpose",
            Missing::Scope(_) => "scope",
            Missing::BreakGlass => "break_glass",
            Missing::Condition(_) => "condition",
        }
    }
}

/// Answers who may do what. Objects are kinds of things: `observations`, `alerts`, `devices`,
/// `frames`, `audit`, `jobs`, `accounts`, `register.<name>`, `metrics` …
pub trait Policy: Send + Sync {
    /// May this person do this?
    fn may(&self, actor: &Actor, verb: Verb, object: &str) -> Decision;

    /// May this person do this to this very record? [`Policy::may`] says whether to any of the
    /// kind.
    fn may_this(&self, actor: &Actor, verb: Verb, object: &str, facts: &Facts) -> Decision {
        let _ = facts;
        self.may(actor, verb, object)
    }

    /// To which records of the kind this person may do this: what a list is narrowed by.
    fn filter(&self, actor: &Actor, verb: Verb, object: &str) -> Filter {
        match self.may(actor, verb, object) {
            Decision::Allowed { .. } => Filter::Everything,
            Decision::Denied { .. } => Filter::Nothing,
        }
    }

    /// Which personal fields of a record (of any record of the kind when no facts are given) the
    /// person sees as they are, masked, or not at all.
    fn mask(&self, actor: &Actor, verb: Verb, object: &str, facts: Option<&Facts>) -> Mask {
        let _ = (actor, verb, object, facts);
        Mask::default()
    }

    /// The same as an error for `?`; answers the person acting under the grant that allows it.
    fn demand(&self, actor: &Actor, verb: Verb, object: &str) -> Result<Actor, Fault> {
        let decision = self.may(actor, verb, object);
        self.admitted(actor, verb, object, decision)
    }

    /// The same for one record.
    fn demand_this(
        &self,
        actor: &Actor,
        verb: Verb,
        object: &str,
        facts: &Facts,
    ) -> Result<Actor, Fault> {
        let decision = self.may_this(actor, verb, object, facts);
        self.admitted(actor, verb, object, decision)
    }

    /// What people call a role.
    fn role_title(&self, name: &str) -> Words {
        Words::new(name, name)
    }

    /// The person acting under what was decided, or why not, in words without names of programs.
    fn admitted(
        &self,
        actor: &Actor,
        verb: Verb,
        object: &str,
        decision: Decision,
    ) -> Result<Actor, Fault> {
        let (would, missing) = match &decision {
            Decision::Allowed { .. } => return Ok(actor.under(&decision)),
            Decision::Denied { would, missing } => (would, missing),
        };
        let (does, what) = (verb.words(), object_words(object));
        let mut zh = format!("您没有权限{}{}", does.zh, what.zh);
        let mut en = format!("you may not {} {}", does.en, what.en);
        for missing in missing {
            let words = missing.plain_words();
            zh.push_str(&format!("；{}", words.zh));
            en.push_str(&format!("; {}", words.en));
        }
        let titles = would.iter().take(ROLES_NAMED);
        let titles: Vec<Words> = titles.map(|role| self.role_title(role)).collect();
        if !titles.is_empty() {
            let zh_titles: Vec<&str> = titles.iter().map(|title| title.zh.as_str()).collect();
            let en_titles: Vec<&str> = titles.iter().map(|title| title.en.as_str()).collect();
            zh.push_str(&format!("；可联系：{}", zh_titles.join("、")));
            en.push_str(&format!("; who may: {}", en_titles.join(", ")));
            if would.len() > ROLES_NAMED {
                zh.push('等');
                en.push_str(" and others");
            }
        }
        let mut fault = Fault::new(FaultKind::Denied, "access.denied", zh, en);
        fault.problems = missing
            .iter()
            .map(|missing| Problem {
                at: missing.word().into(),
                words: missing.plain_words(),
            })
            .collect();
        Err(fault)
    }
}

/// Roles a denial names, at most.
const ROLES_NAMED: usize = 6;
