//! The register of providers in front of this city. Our secret there is sealed in the store.

use crate::{Deed, Engine, record, uris};
use kernel::access::Actor;
use kernel::crypto::Ring;
use kernel::{Fault, Problem, Words};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use store::openid::{self as table, LinkRow, UpstreamRow};

/// Providers, at most.
const UPSTREAMS_LIMIT: usize = 20;

/// How a provider is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamSpec {
    /// Words of the button on the sign-in page.
    pub name: Words,
    /// Its name, byte for byte as it says itself.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret goes into the body instead of the header.
    #[serde(default)]
    pub secret_in_body: bool,
    /// What is asked for besides `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Claim that holds roles; `a.b` reaches into objects (Keycloak: `realm_access.roles`).
    #[serde(default)]
    pub roles_claim: Option<String>,
    /// Its word → roles here. What is not in it gives nothing.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<String>>,
    /// Claim that names the organisation.
    #[serde(default)]
    pub organisation_claim: Option<String>,
    /// Its word → organisation here.
    #[serde(default)]
    pub organisations: BTreeMap<String, String>,
    /// An account is made for somebody new; otherwise they must link one they have.
    #[serde(default)]
    pub makes_accounts: bool,
}

/// A provider as the engine works with it.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Short name, part of addresses.
    pub id: String,
    /// How it is used.
    pub spec: UpstreamSpec,
    pub(crate) row: UpstreamRow,
}

/// A provider as it may be shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UpstreamInfo {
    /// Short name, part of addresses.
    pub id: String,
    /// How it is used.
    #[serde(flatten)]
    pub spec: UpstreamSpec,
    /// A secret is kept.
    pub has_secret: bool,
    /// Not offered.
    pub disabled: bool,
    /// Address to register there.
    pub callback: String,
    /// Number of changes, from 1; the ETag.
    pub version: i64,
}

impl UpstreamSpec {
    fn problems(&self, id: &str) -> Vec<Problem> {
        let mut problems = vec![];
        let mut add = |at: &str, zh: &str, en: &str| {
            problems.push(Problem {
                at: at.into(),
                words: Words::new(zh, en),
            });
        };
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(2..=32).contains(&id.len()) || !id.bytes().all(plain) {
            add(
                "id",
                "2 至 32 个小写字母、数字或 -",
                "2 to 32 small letters, digits or -",
            );
        }
        if self.name.zh.trim().is_empty() || self.name.en.trim().is_empty() {
            add(
                "name",
                "须有中英文名称",
                "a name in both languages is needed",
            );
        }
        let fault = uris::fault_of_call(&self.issuer);
        if let Some((zh, en)) = fault {
            add("issuer", zh, en);
        }
        if self.issuer.contains('?') {
            add("issuer", "不能含查询串", "an issuer has no query");
        }
        if self.client_id.is_empty() || self.client_id.len() > 200 {
            add("client_id", "1 至 200 个字符", "1 to 200 characters");
        }
        if self.scopes.len() > 20 || self.scopes.iter().any(|s| s.contains(' ') || s.len() > 100) {
            add(
                "scopes",
                "最多 20 个，不含空格",
                "20 at most, without blanks",
            );
        }
        if self.roles.len() > 200 || self.organisations.len() > 500 {
            add("roles", "对应关系过多", "too many mappings");
        }
        problems
    }
}

impl Upstream {
    fn of(row: UpstreamRow) -> Result<Upstream, Fault> {
        let spec = serde_json::from_str(&row.spec)
            .map_err(|e| Fault::internal("reading a provider", e))?;
        Ok(Upstream {
            id: row.id.clone(),
            spec,
            row,
        })
    }
}

fn context(id: &str) -> Vec<u8> {
    format!("openid.upstream {id}").into_bytes()
}

impl Engine {
    fn shown(&self, upstream: &Upstream) -> UpstreamInfo {
        UpstreamInfo {
            id: upstream.id.clone(),
            spec: upstream.spec.clone(),
            has_secret: upstream.row.secret.is_some(),
            disabled: upstream.row.disabled,
            callback: self.callback(&upstream.id),
            version: upstream.row.version,
        }
    }

    /// Where a provider sends people back to: another address for each of them, so that the answer
    /// of one cannot be taken for that of another.
    pub(crate) fn callback(&self, id: &str) -> String {
        format!("{}/oauth2/upstream/{id}/callback", self.issuer())
    }

    /// Every provider.
    pub async fn upstreams(&self) -> Result<Vec<UpstreamInfo>, Fault> {
        let rows = table::upstreams(&mut self.store.reader().await?).await?;
        rows.into_iter()
            .map(|row| Ok(self.shown(&Upstream::of(row)?)))
            .collect()
    }

    /// A provider that is offered.
    pub async fn upstream(&self, id: &str) -> Result<Upstream, Fault> {
        let row = table::upstream(&mut self.store.reader().await?, id).await?;
        match row.filter(|row| !row.disabled) {
            Some(row) => Upstream::of(row),
            None => Err(Fault::missing("provider")),
        }
    }

    pub(crate) fn upstream_secret(&self, upstream: &Upstream) -> Result<Option<String>, Fault> {
        let Some(sealed) = &upstream.row.secret else {
            return Ok(None);
        };
        let plain = self
            .crypto
            .open(Ring::Secrets, &context(&upstream.id), sealed)?;
        let text = String::from_utf8(plain);
        text.map(Some)
            .map_err(|e| Fault::internal("reading a secret", e))
    }

    /// Sets up a provider or changes it. Without `secret` the one there is stays.
    pub async fn put_upstream(
        &self,
        by: &Actor,
        id: &str,
        spec: UpstreamSpec,
        secret: Option<String>,
        disabled: bool,
    ) -> Result<UpstreamInfo, Fault> {
        let problems = spec.problems(id);
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        let now = self.clock.now();
        let sealed = match secret.as_deref().filter(|secret| !secret.is_empty()) {
            Some(secret) => Some(self.crypto.seal(
                Ring::Secrets,
                &context(id),
                secret.as_bytes(),
            )?),
            None => None,
        };
        let mut tx = self.store.begin().await?;
        let before = table::upstream(&mut tx, id).await?;
        if before.is_none() && table::upstreams(&mut tx).await?.len() >= UPSTREAMS_LIMIT {
            return Err(Fault::invalid_at(
                "id",
                "最多 20 个",
                "20 providers at most",
            ));
        }
        let row = UpstreamRow {
            id: id.into(),
            spec: json!(spec).to_string(),
            secret: sealed.or_else(|| before.as_ref().and_then(|row| row.secret.clone())),
            disabled,
            created_by: before
                .as_ref()
                .map_or(by.account.clone(), |row| row.created_by.clone()),
            created_at: before.as_ref().map_or(now.0, |row| row.created_at),
            version: before.map_or(1, |row| row.version + 1),
        };
        table::put_upstream(&mut tx, &row).await?;
        let deed = Deed {
            at: now,
            by,
            verb: "operate",
            subject: id,
            details: json!({
                "what": "provider set up", "spec": spec, "disabled": disabled,
                "new_secret": secret.is_some(),
            }),
            outcome: "done",
        };
        record(&mut tx, deed).await?;
        tx.commit().await?;
        self.remembered.metadata.lock().remove(&spec.issuer);
        Ok(self.shown(&Upstream::of(row)?))
    }

    /// Links an account to a subject of a provider: from now on the one signs in as the other.
    /// `input.conflict` when the subject is somebody else's.
    pub async fn link(
        &self,
        by: &Actor,
        upstream: &str,
        subject: &str,
        account: &str,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let known = table::link(&mut tx, upstream, subject).await?;
        if known.is_some_and(|row| row.account != account) {
            return Err(Fault::new(
                kernel::fault::FaultKind::Conflict,
                "input.conflict",
                "该身份已关联到其他账号",
                "this identity is linked to another account",
            ));
        }
        let row = LinkRow {
            upstream: upstream.into(),
            subject: subject.into(),
            account: account.into(),
            linked_at: now.0,
            last_used: now.0,
        };
        table::put_link(&mut tx, &row).await?;
        let deed = Deed {
            at: now,
            by,
            verb: "operate",
            subject: upstream,
            details: json!({ "what": "account linked", "account": account, "sub": subject }),
            outcome: "done",
        };
        record(&mut tx, deed).await?;
        tx.commit().await
    }
}
