//! Registered applications: made, changed, given a new secret, disabled, by an operator; never
//! deleted, because the audit log refers to them. A secret is shown once and kept as its SHA-256.

use crate::claims::SCOPES;
use crate::{Deed, Engine, jose, record, secrets, uris};
use kernel::access::Actor;
use kernel::events::EventKind;
use kernel::fault::FaultKind;
use kernel::{Fault, Problem, Time, Words};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use store::openid::{self as table, ClientRow};
use store::{Tx, events};

/// An application is asked of the store again after so long, for changes by other processes.
const KNOWN_LIFE: i64 = 1_000_000;
/// Applications remembered, at most.
const KNOWN_LIMIT: usize = 10_000;
/// Addresses of one kind, at most.
const URIS_LIMIT: usize = 20;

/// How an application proves who it is at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// It cannot keep a secret: an application in a browser or on a telephone.
    None,
    /// Its secret as HTTP Basic.
    ClientSecretBasic,
    /// Its secret in the body.
    ClientSecretPost,
    /// A token signed with its own key (ES256).
    PrivateKeyJwt,
}

impl Method {
    /// The word in the protocol.
    pub fn word(self) -> &'static str {
        match self {
            Method::None => "none",
            Method::ClientSecretBasic => "client_secret_basic",
            Method::ClientSecretPost => "client_secret_post",
            Method::PrivateKeyJwt => "private_key_jwt",
        }
    }

    fn has_secret(self) -> bool {
        matches!(self, Method::ClientSecretBasic | Method::ClientSecretPost)
    }
}

/// Who a person is to an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// The same to every application: the account.
    Public,
    /// Another one to every sector, so that applications cannot compare notes.
    Pairwise,
}

fn pairwise() -> SubjectKind {
    SubjectKind::Pairwise
}

/// What an application is registered with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSpec {
    /// Name for people, Chinese and English.
    pub name: Words,
    /// For what it asks people to sign in, in words people see before they agree.
    pub purpose: Words,
    /// Organisation that answers for it.
    #[serde(default)]
    pub organisation: Option<String>,
    /// How it proves who it is.
    pub method: Method,
    /// Its public keys (JWKS), for `private_key_jwt`.
    #[serde(default)]
    pub jwks: Option<Value>,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<String>,
    /// Where people may be sent after signing out.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it hears that a session is over.
    #[serde(default)]
    pub backchannel_logout_uri: Option<String>,
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// Who people are to it.
    #[serde(default = "pairwise")]
    pub subject: SubjectKind,
    /// Host that names its sector, when its addresses are on several.
    #[serde(default)]
    pub sector: Option<String>,
    /// The city's own application: people are not asked, unless it asks for it.
    #[serde(default)]
    pub trusted: bool,
    /// May ask about tokens of others (a resource server).
    #[serde(default)]
    pub introspects: bool,
}

/// What is to change; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientChange {
    /// All of what it is registered with.
    #[serde(default)]
    pub spec: Option<ClientSpec>,
    /// May do nothing; everything it was given ends.
    #[serde(default)]
    pub disabled: Option<bool>,
}

/// An application as the engine works with it.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// What it is registered with.
    pub spec: ClientSpec,
    pub(crate) row: ClientRow,
}

/// An application as it may be shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientInfo {
    /// `client_id`.
    pub id: String,
    /// What it is registered with.
    #[serde(flatten)]
    pub spec: ClientSpec,
    /// May do nothing.
    pub disabled: bool,
    /// Who registered it.
    pub created_by: String,
    /// When.
    pub created_at: Time,
    /// Until when the secret before the present one counts.
    pub old_secret_until: Option<Time>,
    /// Number of changes, from 1; the ETag.
    pub version: i64,
}

/// A page of applications.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientPage {
    /// In the order they were registered.
    pub items: Vec<ClientInfo>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

impl Client {
    pub(crate) fn of(row: ClientRow) -> Result<Client, Fault> {
        let spec = serde_json::from_str(&row.spec)
            .map_err(|e| Fault::internal("reading an application", e))?;
        Ok(Client {
            id: row.id.clone(),
            spec,
            row,
        })
    }

    /// As it may be shown.
    pub fn info(&self) -> ClientInfo {
        ClientInfo {
            id: self.id.clone(),
            spec: self.spec.clone(),
            disabled: self.row.disabled,
            created_by: self.row.created_by.clone(),
            created_at: Time(self.row.created_at),
            old_secret_until: self.row.old_secret_until.map(Time),
            version: self.row.version,
        }
    }

    /// The sector its subjects are derived for.
    pub(crate) fn sector(&self) -> String {
        let own = self.spec.sector.clone();
        own.or_else(|| {
            self.spec
                .redirect_uris
                .first()
                .and_then(|uri| uris::host(uri))
        })
        .unwrap_or_else(|| self.id.clone())
    }
}

fn words_fault(words: &Words, limit: usize) -> bool {
    let wrong = |text: &str| text.trim().is_empty() || text.chars().count() > limit;
    wrong(&words.zh) || wrong(&words.en)
}

fn uri_problems(
    at: &str,
    list: &[String],
    check: fn(&str) -> Option<(&'static str, &'static str)>,
    add: &mut impl FnMut(String, &str, &str),
) {
    if list.len() > URIS_LIMIT {
        add(at.into(), "最多 20 个地址", "20 addresses at most");
    }
    for (n, uri) in list.iter().enumerate() {
        if let Some((zh, en)) = check(uri) {
            add(format!("{at}/{n}"), zh, en);
        }
    }
}

impl ClientSpec {
    /// Everything wrong with it.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = vec![];
        let mut add = |at: String, zh: &str, en: &str| {
            problems.push(Problem {
                at,
                words: Words::new(zh, en),
            });
        };
        if words_fault(&self.name, 60) {
            add(
                "name".into(),
                "中英文名称各 1 至 60 字",
                "a name of 1 to 60 characters in both languages",
            );
        }
        if words_fault(&self.purpose, 200) {
            add(
                "purpose".into(),
                "中英文用途各 1 至 200 字",
                "a purpose of 1 to 200 characters in both languages",
            );
        }
        if self.redirect_uris.is_empty() {
            add(
                "redirect_uris".into(),
                "至少一个回调地址",
                "at least one address to return to",
            );
        }
        uri_problems(
            "redirect_uris",
            &self.redirect_uris,
            uris::fault_of_redirect,
            &mut add,
        );
        uri_problems(
            "post_logout_redirect_uris",
            &self.post_logout_redirect_uris,
            uris::fault_of_redirect,
            &mut add,
        );
        if let Some(uri) = &self.backchannel_logout_uri {
            uri_problems(
                "backchannel_logout_uri",
                std::slice::from_ref(uri),
                uris::fault_of_call,
                &mut add,
            );
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            add(
                "scopes".into(),
                "必须包含 openid",
                "openid must be among them",
            );
        }
        for scope in &self.scopes {
            if !SCOPES.iter().any(|known| known.name == scope) {
                add(
                    "scopes".into(),
                    &format!("没有权限范围 {scope}"),
                    &format!("there is no scope {scope}"),
                );
            }
        }
        let keys = self.jwks.as_ref().map_or(0, |set| jose::keys_of(set).len());
        if self.method == Method::PrivateKeyJwt && keys == 0 {
            add(
                "jwks".into(),
                "须提供至少一个公钥（JWKS）",
                "at least one public key (JWKS) is needed",
            );
        }
        if self.method != Method::PrivateKeyJwt && self.jwks.is_some() {
            add(
                "jwks".into(),
                "仅 private_key_jwt 需要公钥",
                "keys are for private_key_jwt only",
            );
        }
        if self.method == Method::None && self.introspects {
            add(
                "introspects".into(),
                "公开客户端不能查询令牌",
                "a public application may not ask about tokens",
            );
        }
        if self.method == Method::None && self.trusted {
            add(
                "trusted".into(),
                "公开客户端不能免同意",
                "a public application cannot be trusted without asking",
            );
        }
        let hosts: std::collections::BTreeSet<Option<String>> = self
            .redirect_uris
            .iter()
            .map(|uri| uris::host(uri))
            .collect();
        if self.subject == SubjectKind::Pairwise && self.sector.is_none() && hosts.len() > 1 {
            add(
                "sector".into(),
                "回调地址在多个主机上时须填写 sector",
                "with addresses on several hosts a sector is needed",
            );
        }
        if self
            .sector
            .as_ref()
            .is_some_and(|s| s.is_empty() || s.len() > 200)
        {
            add("sector".into(), "应为主机名", "expected a host");
        }
        problems
    }
}

impl Engine {
    /// Registers an application; answers it and its secret, which is never shown again.
    pub async fn register(
        &self,
        by: &Actor,
        spec: ClientSpec,
    ) -> Result<(ClientInfo, Option<String>), Fault> {
        let problems = spec.problems();
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        let now = self.clock.now();
        let secret = spec
            .method
            .has_secret()
            .then(|| secrets::new(secrets::CLIENT));
        let row = ClientRow {
            id: kernel::new_id(now).to_ascii_lowercase(),
            spec: json!(spec).to_string(),
            secret: secret.as_deref().map(secrets::hash),
            old_secret: None,
            old_secret_until: None,
            disabled: false,
            created_by: by.account.clone(),
            created_at: now.0,
            version: 1,
        };
        let mut tx = self.store.begin().await?;
        table::insert_client(&mut tx, &row).await?;
        let details = json!({ "what": "application registered", "name": spec.name.zh, "scopes": spec.scopes });
        self.record_client(&mut tx, by, &row.id, details).await?;
        tx.commit().await?;
        Ok((Client::of(row)?.info(), secret))
    }

    async fn record_client(
        &self,
        tx: &mut Tx,
        by: &Actor,
        id: &str,
        details: Value,
    ) -> Result<(), Fault> {
        let at = self.clock.now();
        let body = json!({ "application": id, "by": by.account, "change": details }).to_string();
        let deed = Deed {
            at,
            by,
            verb: "operate",
            subject: id,
            details,
            outcome: "done",
        };
        record(tx, deed).await?;
        events::append(tx, at, EventKind::Identity, id, body.as_bytes()).await?;
        Ok(())
    }

    /// Changes an application that is still at this version (`input.stale` otherwise).
    pub async fn change_client(
        &self,
        by: &Actor,
        id: &str,
        change: ClientChange,
        version: Option<i64>,
    ) -> Result<ClientInfo, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut row = table::client(&mut tx, id)
            .await?
            .ok_or_else(|| Fault::missing("application"))?;
        if version.is_some_and(|version| version != row.version) {
            return Err(Fault::new(
                FaultKind::Conflict,
                "input.stale",
                format!(
                    "内容已被他人更新（现为第 {} 版），请刷新后重试",
                    row.version
                ),
                format!(
                    "somebody changed it meanwhile (now version {})",
                    row.version
                ),
            ));
        }
        let before = Client::of(row.clone())?;
        let mut details = json!({ "what": "application changed" });
        if let Some(spec) = change.spec {
            let mut problems = spec.problems();
            if spec.method.has_secret() != before.spec.method.has_secret() {
                problems.push(Problem {
                    at: "method".into(),
                    words: Words::new(
                        "有无密钥不能更改，请另行登记",
                        "whether it has a secret cannot change; register another",
                    ),
                });
            }
            if !problems.is_empty() {
                return Err(Fault::invalid(problems));
            }
            row.spec = json!(spec).to_string();
            details["spec"] = json!(spec);
        }
        if let Some(disabled) = change.disabled {
            row.disabled = disabled;
            details["disabled"] = json!(disabled);
            if disabled {
                table::end_grants_of(&mut tx, id, None, now.0, "application disabled").await?;
            }
        }
        row.version += 1;
        table::update_client(&mut tx, &row).await?;
        self.record_client(&mut tx, by, id, details).await?;
        tx.commit().await?;
        self.known.lock().remove(id);
        Ok(Client::of(row)?.info())
    }

    /// Gives an application a new secret, shown once; the one before counts for a day more, or no
    /// longer when it leaked (`at_once`).
    pub async fn rotate_secret(
        &self,
        by: &Actor,
        id: &str,
        at_once: bool,
    ) -> Result<String, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut row = table::client(&mut tx, id)
            .await?
            .ok_or_else(|| Fault::missing("application"))?;
        if row.secret.is_none() {
            return Err(Fault::invalid_at(
                "method",
                "此应用没有密钥",
                "this application has no secret",
            ));
        }
        let secret = secrets::new(secrets::CLIENT);
        row.old_secret = row.secret.take().filter(|_| !at_once);
        row.old_secret_until = (!at_once).then_some((now + self.settings.secret_overlap).0);
        row.secret = Some(secrets::hash(&secret));
        row.version += 1;
        table::update_client(&mut tx, &row).await?;
        let details = json!({ "what": "secret rotated", "at_once": at_once });
        self.record_client(&mut tx, by, id, details).await?;
        tx.commit().await?;
        self.known.lock().remove(id);
        Ok(secret)
    }

    /// Applications in the order they were registered.
    pub async fn clients(&self, after: &str, limit: u64) -> Result<ClientPage, Fault> {
        let limit = limit.clamp(1, table::PAGE_LIMIT - 1);
        let mut reader = self.store.reader().await?;
        let mut rows = table::clients(&mut reader, after, limit + 1).await?;
        let more = rows.len() as u64 > limit;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| row.id.clone());
        let items: Result<Vec<_>, Fault> = rows
            .into_iter()
            .map(|row| Ok(Client::of(row)?.info()))
            .collect();
        Ok(ClientPage {
            items: items?,
            next,
        })
    }

    /// What an application's use amounts to, and how its last logout messages went.
    pub async fn usage(&self, id: &str) -> Result<Value, Fault> {
        let now = self.clock.now().0;
        let mut reader = self.store.reader().await?;
        table::client(&mut reader, id)
            .await?
            .ok_or_else(|| Fault::missing("application"))?;
        let (grants, people, newest) = table::usage(&mut reader, id, now).await?;
        let logouts = table::logouts_of(&mut reader, id, 20).await?;
        let logouts: Vec<Value> = logouts
            .into_iter()
            .map(|row| {
                json!({
                    "at": Time(row.created_at), "attempts": row.attempts, "next_at": row.next_at.map(Time),
                    "done_at": row.done_at.map(Time), "error": row.error,
                })
            })
            .collect();
        Ok(
            json!({ "grants": grants, "people": people, "newest": newest.map(Time), "logouts": logouts }),
        )
    }

    /// An application that may act; `None` when there is none or it is disabled.
    pub async fn client(&self, id: &str) -> Result<Option<Arc<Client>>, Fault> {
        let now = self.clock.now().0;
        if id.len() > 64 {
            return Ok(None);
        }
        let known = self.known.lock().get(id).cloned();
        if let Some((at, client)) = known
            && (0..KNOWN_LIFE).contains(&(now - at))
        {
            return Ok(Some(client));
        }
        let mut reader = self.store.reader().await?;
        let row = table::client(&mut reader, id).await?;
        let Some(row) = row.filter(|row| !row.disabled) else {
            self.known.lock().remove(id);
            return Ok(None);
        };
        let client = Arc::new(Client::of(row)?);
        let mut known = self.known.lock();
        if known.len() >= KNOWN_LIMIT {
            known.clear();
        }
        known.insert(id.into(), (now, client.clone()));
        Ok(Some(client))
    }
}
