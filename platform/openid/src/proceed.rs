//! From a sound request to a code: is somebody signed in, recently enough, the right one, and do
//! they agree? Every answer to the application carries our name (RFC 9207), so that it cannot be
//! told that a code of ours is somebody else's.

use crate::authorise::Pending;
use crate::claims::{SCOPES, acr_of, amr_of, has};
use crate::clients::Client;
use crate::oauth::OAuthError;
use crate::{Deed, Engine, record, secrets};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::time::SECOND;
use kernel::{Fault, new_id};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use store::openid::{self as table, CodeRow, ConsentRow, GrantRow};

/// Who sits before the browser.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Who.
    pub actor: Actor,
    /// Their session.
    pub session: String,
    /// When they signed in.
    pub auth_time: i64,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The person must sign in, perhaps once more though they are.
    SignIn {
        /// Though somebody is signed in.
        again: bool,
        /// Account to suggest.
        hint: Option<String>,
    },
    /// The person must be asked.
    Ask,
    /// The browser goes back to the application.
    Return(String),
}

/// What the person is asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Asked {
    /// Identification of the application.
    pub client: String,
    /// Its name.
    pub name: kernel::Words,
    /// For what.
    pub purpose: kernel::Words,
    /// Who answers for it.
    pub organisation: Option<String>,
    /// Where the person will be sent.
    pub host: Option<String>,
    /// What it gets: scope and words.
    pub scopes: Vec<(String, kernel::Words)>,
    /// Of these, scopes the person agreed to before.
    pub agreed: Vec<String>,
}

impl Engine {
    async fn client_of(&self, pending: &Pending) -> Result<Arc<Client>, Fault> {
        let client = self.client(&pending.client).await?;
        client.ok_or_else(|| {
            Fault::new(
                FaultKind::Denied,
                "openid.request",
                "该应用已停用",
                "this application is disabled",
            )
        })
    }

    fn refuse(&self, pending: &Pending, error: &'static str, why: &str) -> Step {
        Step::Return(pending.refused(&self.issuer(), &OAuthError::new(error, why)))
    }

    /// What comes next for a request, with whoever sits before the browser. Gives a code when
    /// nothing is left to ask.
    pub async fn proceed(
        &self,
        pending: &Pending,
        visitor: Option<&Visitor>,
    ) -> Result<Step, Fault> {
        let client = self.client_of(pending).await?;
        let sign_in = |again| Step::SignIn {
            again,
            hint: pending.login_hint.clone(),
        };
        let Some(visitor) = visitor else {
            return Ok(match pending.silent {
                true => self.refuse(pending, "login_required", "nobody is signed in"),
                false => sign_in(false),
            });
        };
        let now = self.clock.now().0;
        let stale = pending.again && visitor.auth_time < pending.at
            || pending.max_age.is_some_and(|age| {
                now - visitor.auth_time > age.saturating_mul(SECOND)
                    // Signed in for this very request: as recent as can be.
                    && visitor.auth_time < pending.at
            });
        let other = pending
            .subject
            .as_ref()
            .is_some_and(|subject| *subject != self.subject(&client, &visitor.actor.account));
        if stale || other {
            return Ok(match pending.silent {
                true => self.refuse(pending, "login_required", "the person must sign in anew"),
                false => sign_in(true),
            });
        }
        if self.must_ask(pending, &client, visitor).await? {
            return Ok(match pending.silent {
                true => self.refuse(pending, "consent_required", "the person must be asked"),
                false => Step::Ask,
            });
        }
        self.give(pending, &client, visitor, None).await
    }

    async fn must_ask(
        &self,
        pending: &Pending,
        client: &Client,
        visitor: &Visitor,
    ) -> Result<bool, Fault> {
        if pending.ask {
            return Ok(true);
        }
        if client.spec.trusted && !has(&pending.scopes, "offline_access") {
            return Ok(false);
        }
        let mut reader = self.store.reader().await?;
        let known = table::consent(&mut reader, &visitor.actor.account, &client.id).await?;
        let agreed = known.map_or(String::new(), |row| row.scopes);
        Ok(pending.scopes.split(' ').any(|scope| !has(&agreed, scope)))
    }

    /// What the person is to be asked.
    pub async fn asked(&self, pending: &Pending, account: &str) -> Result<Asked, Fault> {
        let client = self.client_of(pending).await?;
        let mut reader = self.store.reader().await?;
        let known = table::consent(&mut reader, account, &client.id).await?;
        let scopes = SCOPES.iter().filter(|s| has(&pending.scopes, s.name));
        Ok(Asked {
            client: client.id.clone(),
            name: client.spec.name.clone(),
            purpose: client.spec.purpose.clone(),
            organisation: client.spec.organisation.clone(),
            host: crate::uris::host(&pending.redirect_uri),
            scopes: scopes
                .map(|s| (s.name.to_string(), kernel::Words::new(s.zh, s.en)))
                .collect(),
            agreed: known
                .map(|row| row.scopes.split(' ').map(String::from).collect())
                .unwrap_or_default(),
        })
    }

    /// The person's answer. Everything [`Engine::proceed`] demands is demanded again.
    pub async fn decide(
        &self,
        pending: &Pending,
        visitor: &Visitor,
        agrees: bool,
        remember: bool,
    ) -> Result<Step, Fault> {
        let mut without = pending.clone();
        without.ask = true;
        match self.proceed(&without, Some(visitor)).await? {
            Step::Ask => {}
            other => return Ok(other),
        }
        let client = self.client_of(pending).await?;
        if agrees {
            return self.give(pending, &client, visitor, Some(remember)).await;
        }
        let mut tx = self.store.begin().await?;
        let deed = Deed {
            at: self.clock.now(),
            by: &visitor.actor,
            verb: "consent",
            subject: &client.id,
            details: json!({ "what": "refused", "scopes": pending.scopes }),
            outcome: "denied",
        };
        record(&mut tx, deed).await?;
        tx.commit().await?;
        Ok(self.refuse(pending, "access_denied", "the person did not agree"))
    }

    /// Gives a code; `consent` says that the person was asked, and whether to remember it.
    async fn give(
        &self,
        pending: &Pending,
        client: &Client,
        visitor: &Visitor,
        consent: Option<bool>,
    ) -> Result<Step, Fault> {
        let now = self.clock.now();
        let account = &visitor.actor.account;
        if let Err(wait_s) = self.limiter.act(account, now.0) {
            let mut fault = Fault::new(
                FaultKind::TooMany,
                "input.too_many",
                format!("登录应用过于频繁，请 {wait_s} 秒后再试"),
                format!("too many sign-ins to applications; try again in {wait_s} seconds"),
            );
            fault.retry_after_s = Some(wait_s);
            return Err(fault);
        }
        let factors = &visitor.actor.standing.factors;
        let grant = GrantRow {
            id: new_id(now),
            client: client.id.clone(),
            account: account.clone(),
            session: Some(visitor.session.clone()),
            subject: self.subject(client, account),
            scopes: pending.scopes.clone(),
            nonce: pending.nonce.clone(),
            auth_time: visitor.auth_time,
            acr: acr_of(factors).into(),
            amr: amr_of(factors),
            created_at: now.0,
            expires_at: (now + self.settings.grant_life).0,
            ended_at: None,
            ended: None,
        };
        let code = secrets::new(secrets::CODE);
        let row = CodeRow {
            hash: secrets::hash(&code),
            grant_id: grant.id.clone(),
            redirect_uri: pending.redirect_uri.clone(),
            challenge: pending.challenge.clone(),
            expires_at: (now + self.settings.code_life).0,
            used_at: None,
        };
        let mut tx = self.store.begin().await?;
        table::insert_grant(&mut tx, &grant).await?;
        table::insert_code(&mut tx, &row).await?;
        if consent == Some(true) {
            self.remember(&mut tx, pending, account, now.0).await?;
        }
        let deed = Deed {
            at: now,
            by: &visitor.actor,
            verb: "consent",
            subject: &client.id,
            details: json!({
                "what": "signed in to an application", "grant": grant.id, "scopes": grant.scopes,
                "asked": consent.is_some(), "remembered": consent == Some(true),
            }),
            outcome: "done",
        };
        record(&mut tx, deed).await?;
        tx.commit().await?;
        Ok(Step::Return(pending.granted(&self.issuer(), &code)))
    }

    /// Remembers consent: what was agreed to before stays agreed to.
    async fn remember(
        &self,
        tx: &mut store::Tx,
        pending: &Pending,
        account: &str,
        now: i64,
    ) -> Result<(), Fault> {
        let before = table::consent(tx, account, &pending.client).await?;
        let mut scopes = before.map_or(String::new(), |row| row.scopes);
        for scope in pending.scopes.split(' ') {
            if !has(&scopes, scope) {
                scopes = format!("{scopes} {scope}").trim().to_string();
            }
        }
        let row = ConsentRow {
            account: account.into(),
            client: pending.client.clone(),
            scopes,
            given_at: now,
        };
        table::put_consent(tx, &row).await
    }
}
