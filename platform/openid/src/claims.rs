//! What applications are told of a person: scopes, subjects, ID tokens, userinfo. Claims about a
//! person are given at the userinfo endpoint only; the ID token says who signed in, when and how.

use crate::clients::{Client, SubjectKind};
use crate::secrets::{half, hex};
use crate::{Engine, jose};
use kernel::Fault;
use kernel::time::SECOND;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use store::openid::GrantRow;

/// Signed in with one factor.
pub const ACR_SINGLE: &str = "urn:jicheng:acr:single";
/// Signed in with two factors, or with a passkey, which is two in one.
pub const ACR_MULTI: &str = "urn:jicheng:acr:multi";

/// What an application may ask for.
pub struct Scope {
    /// Its word.
    pub name: &'static str,
    /// What it gives, in words people see before they agree.
    pub zh: &'static str,
    /// The same in English.
    pub en: &'static str,
}

/// Every scope there is.
pub const SCOPES: &[Scope] = &[
    Scope {
        name: "openid",
        zh: "确认您是谁",
        en: "know that it is you",
    },
    Scope {
        name: "profile",
        zh: "您的姓名和账号名",
        en: "your name and account name",
    },
    Scope {
        name: "email",
        zh: "您的电子邮箱",
        en: "your e-mail address",
    },
    Scope {
        name: "phone",
        zh: "您的手机号码",
        en: "your telephone number",
    },
    Scope {
        name: "organisation",
        zh: "您所在的单位",
        en: "the organisation you work for",
    },
    Scope {
        name: "roles",
        zh: "您的角色",
        en: "your roles",
    },
    Scope {
        name: "offline_access",
        zh: "在您离开后继续使用上述权限",
        en: "go on using this while you are away",
    },
    Scope {
        name: "city.read",
        zh: "以您的身份查看城市数据（仅限您有权查看的）",
        en: "look at the city's data as you may",
    },
    Scope {
        name: "city.write",
        zh: "以您的身份办理和修改（仅限您有权办理的）",
        en: "act and change things as you may",
    },
];

/// What is known of a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// Account.
    pub account: String,
    /// Name for people.
    pub display: String,
    /// E-mail and whether it was verified.
    pub email: Option<(String, bool)>,
    /// Telephone and whether it was verified.
    pub phone: Option<(String, bool)>,
    /// Organisation: code and name.
    pub organisation: Option<(String, String)>,
    /// Roles.
    pub roles: Vec<String>,
}

/// Does a list of scopes hold this one?
pub(crate) fn has(scopes: &str, scope: &str) -> bool {
    scopes.split(' ').any(|word| word == scope)
}

/// `acr` of factors as sessions name them.
pub(crate) fn acr_of(factors: &[String]) -> &'static str {
    let strong = factors.iter().any(|factor| factor == "passkey");
    if strong || factors.len() > 1 {
        ACR_MULTI
    } else {
        ACR_SINGLE
    }
}

/// `amr` (RFC 8176) of factors as sessions name them.
pub(crate) fn amr_of(factors: &[String]) -> String {
    let words = factors.iter().map(|factor| match factor.as_str() {
        "passkey" => "hwk",
        "recovery" => "kba",
        "federated" => "fed",
        other => other,
    });
    let mut words: Vec<&str> = words.collect();
    if factors.len() > 1 {
        words.push("mfa");
    }
    if words.is_empty() {
        words.push("pwd");
    }
    words.join(" ")
}

impl Engine {
    fn derived(&self, kind: &str, sector: &str, of: &str) -> String {
        let mut digest = Sha256::new();
        for part in [
            kind.as_bytes(),
            &self.salt,
            sector.as_bytes(),
            of.as_bytes(),
        ] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        hex(&digest.finalize())
    }

    /// `sub` of an account for an application.
    pub fn subject(&self, client: &Client, account: &str) -> String {
        match client.spec.subject {
            SubjectKind::Public => account.into(),
            SubjectKind::Pairwise => self.derived("sub", &client.sector(), account),
        }
    }

    /// `sid` of a session for an application.
    pub(crate) fn sid(&self, client: &str, session: &str) -> String {
        let mut sid = self.derived("sid", client, session);
        sid.truncate(32);
        sid
    }

    /// The ID token of a grant, bound to an access token.
    pub(crate) fn id_token(&self, grant: &GrantRow, access: &str) -> Result<String, Fault> {
        let now = self.clock.now().0 / SECOND;
        let amr: Vec<&str> = grant.amr.split(' ').collect();
        let mut claims = json!({
            "iss": *self.issuer(), "sub": grant.subject, "aud": grant.client,
            "exp": now + self.settings.id_life.0 / SECOND, "iat": now,
            "auth_time": grant.auth_time / SECOND, "acr": grant.acr, "amr": amr,
            "at_hash": half(access),
        });
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = json!(nonce);
        }
        if let Some(session) = &grant.session {
            claims["sid"] = json!(self.sid(&grant.client, session));
        }
        jose::sign(&*self.crypto, "JWT", &claims)
    }

    /// What userinfo answers: what the scopes give, and of that what is known.
    pub(crate) fn info(subject: &str, scopes: &str, person: &Person) -> Value {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.into(), value);
        put("sub", json!(subject));
        if has(scopes, "profile") {
            put("name", json!(person.display));
            put("preferred_username", json!(person.account));
            put("zoneinfo", json!("Asia/Shanghai"));
            put("locale", json!("zh-CN"));
        }
        if has(scopes, "email")
            && let Some((email, verified)) = &person.email
        {
            put("email", json!(email));
            put("email_verified", json!(verified));
        }
        if has(scopes, "phone")
            && let Some((phone, verified)) = &person.phone
        {
            put("phone_number", json!(phone));
            put("phone_number_verified", json!(verified));
        }
        if has(scopes, "organisation")
            && let Some((code, name)) = &person.organisation
        {
            put("organisation", json!(code));
            put("organisation_name", json!(name));
        }
        if has(scopes, "roles") {
            put("roles", json!(person.roles));
        }
        Value::Object(claims)
    }
}
