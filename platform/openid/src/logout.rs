//! Signing out in both directions: an application sends the person to us to sign out (OpenID
//! RP-Initiated Logout), and when a session is over, however it ended, we tell the applications it
//! was used with (OpenID Back-Channel Logout). Messages are written in the transaction that ends
//! the grants and delivered by a job, again and again with growing waits.

use crate::fetch::{Fetch, Outgoing};
use crate::oauth::OAuthError;
use crate::params::Params;
use crate::{Engine, claims, jose, uris};
use kernel::fault::FaultKind;
use kernel::time::SECOND;
use kernel::{Fault, Span, new_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Tx;
use store::openid::{self as table, LogoutRow};

const CONTEXT: &str = "openid.logout";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How long a person may take to confirm.
const ASK_LIFE: Span = Span::minutes(20);
/// Deliveries of one message before it is given up.
const ATTEMPTS: i64 = 12;
/// Wait after the first failure; doubles up to an hour.
const FIRST_WAIT: Span = Span::seconds(10);
/// Messages delivered in one run of the job.
const AT_ONCE: u64 = 50;

/// A wish to sign out, while the person confirms it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogoutAsk {
    /// The application, when it is known.
    pub client: Option<String>,
    /// Where to go afterwards: registered, with `state`.
    pub to: Option<String>,
    /// When it was asked.
    pub at: i64,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq)]
pub enum LogoutStep {
    /// The token named the session: it is to end without asking, and the browser to go there.
    End {
        /// Session.
        session: String,
        /// Whose.
        account: String,
        /// Where to go afterwards.
        to: Option<String>,
    },
    /// The person is asked.
    Ask(LogoutAsk),
}

fn refused(zh: &str, en: impl Into<String>) -> Fault {
    Fault::new(
        FaultKind::Invalid,
        "openid.request",
        format!("应用发来的退出请求有误：{zh}"),
        en,
    )
}

impl Engine {
    /// Reads a logout request. The address to go to afterwards must be one the application
    /// registered; otherwise nobody is sent anywhere.
    pub async fn logout(&self, params: &Params) -> Result<LogoutStep, Fault> {
        let said = |error: OAuthError| refused("参数有误", error.description);
        params.sound().map_err(said)?;
        let hint = match params.get("id_token_hint") {
            None => None,
            Some(token) => {
                let claims = self.hinted(token)?;
                Some(claims.ok_or_else(|| {
                    refused("id_token_hint 无效", "id_token_hint is no ID token of ours")
                })?)
            }
        };
        let aud = hint.as_ref().and_then(|claims| claims["aud"].as_str());
        let named = params.get("client_id");
        if let (Some(aud), Some(named)) = (aud, named)
            && aud != named
        {
            return Err(refused(
                "client_id 不符",
                "client_id is not that of the ID token",
            ));
        }
        let client = match aud.or(named) {
            Some(id) => self.client(id).await?,
            None => None,
        };
        let to = match (params.get("post_logout_redirect_uri"), &client) {
            (None, _) => None,
            (Some(uri), Some(client))
                if client
                    .spec
                    .post_logout_redirect_uris
                    .iter()
                    .any(|known| known == uri) =>
            {
                let state = params.get("state");
                Some(state.map_or(uri.to_string(), |state| {
                    uris::with(uri, &[("state", state)])
                }))
            }
            (Some(_), _) => {
                return Err(refused(
                    "退出后的地址未登记",
                    "post_logout_redirect_uri is not one this application registered",
                ));
            }
        };
        if let (Some(claims), Some(client)) = (&hint, &client)
            && let (Some(sub), Some(sid)) = (claims["sub"].as_str(), claims["sid"].as_str())
        {
            let mut reader = self.store.reader().await?;
            let grants = table::grants_of_subject(&mut reader, &client.id, sub).await?;
            let found = grants.into_iter().find_map(|grant| {
                let session = grant.session?;
                (self.sid(&client.id, &session) == sid).then_some((session, grant.account))
            });
            if let Some((session, account)) = found {
                return Ok(LogoutStep::End {
                    session,
                    account,
                    to,
                });
            }
        }
        Ok(LogoutStep::Ask(LogoutAsk {
            client: client.map(|client| client.id.clone()),
            to,
            at: self.clock.now().0,
        }))
    }

    /// Seals a wish to sign out for the way through the person's browser.
    pub fn seal_logout(&self, ask: &LogoutAsk) -> Result<String, Fault> {
        self.seal(CONTEXT, &json!(ask))
    }

    /// Opens a sealed wish.
    pub fn open_logout(&self, text: &str) -> Result<LogoutAsk, Fault> {
        let ask = self
            .unseal(CONTEXT, text)
            .and_then(|value| serde_json::from_value::<LogoutAsk>(value).ok());
        let now = self.clock.now().0;
        ask.filter(|ask| now - ask.at <= ASK_LIFE.0).ok_or_else(|| {
            refused(
                "请求无效或已过期",
                "this request to sign out is not valid or is over",
            )
        })
    }

    /// Ends what was given in a session that is over, what is for off line excepted, and writes
    /// the messages to the applications that want to hear of it. May be repeated.
    pub async fn session_over(&self, session: &str) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let grants = table::grants_of_session(&mut tx, session).await?;
        if grants.is_empty() {
            return Ok(());
        }
        let ends = grants
            .iter()
            .filter(|grant| !claims::has(&grant.scopes, "offline_access"));
        let ends: Vec<String> = ends.map(|grant| grant.id.clone()).collect();
        table::end_grants(&mut tx, &ends, now.0, "session over").await?;
        let mut told: Vec<&str> = vec![];
        for grant in &grants {
            if told.contains(&grant.client.as_str()) {
                continue;
            }
            told.push(&grant.client);
            self.write_logout(&mut tx, &grant.client, &grant.subject, session)
                .await?;
        }
        table::forget_session(&mut tx, session).await?;
        tx.commit().await
    }

    async fn write_logout(
        &self,
        tx: &mut Tx,
        client: &str,
        subject: &str,
        session: &str,
    ) -> Result<(), Fault> {
        let known = match table::client(tx, client).await? {
            Some(row) if !row.disabled => crate::Client::of(row)?,
            _ => return Ok(()),
        };
        if known.spec.backchannel_logout_uri.is_none() {
            return Ok(());
        }
        let now = self.clock.now();
        let row = LogoutRow {
            id: new_id(now),
            client: client.into(),
            subject: subject.into(),
            session: self.sid(client, session),
            created_at: now.0,
            attempts: 0,
            next_at: Some(now.0),
            done_at: None,
            error: None,
        };
        table::insert_logout(tx, &row).await
    }

    /// Finds sessions that ended without anybody saying so here: revoked, disabled, over.
    pub async fn look_for_ended(&self) -> Result<(), Fault> {
        let mut after = String::new();
        loop {
            let mut reader = self.store.reader().await?;
            let sessions = table::sessions_with_grants(&mut reader, &after).await?;
            let Some(last) = sessions.last() else {
                return Ok(());
            };
            after = last.clone();
            let there = table::sessions_there(&mut reader, &sessions).await?;
            drop(reader);
            for session in sessions.iter().filter(|session| !there.contains(session)) {
                self.session_over(session).await?;
            }
        }
    }

    /// Delivers the messages that are due; says how many arrived. A failed one is tried again
    /// later, so a run does not fail because an application is down.
    pub async fn deliver(&self, fetch: &dyn Fetch) -> Result<u64, Fault> {
        let now = self.clock.now();
        let mut reader = self.store.reader().await?;
        let mut due = table::logouts_due(&mut reader, now.0, AT_ONCE).await?;
        drop(reader);
        let mut arrived = 0;
        for row in &mut due {
            row.attempts += 1;
            match self.deliver_one(fetch, row).await? {
                Ok(()) => {
                    arrived += 1;
                    (row.done_at, row.next_at, row.error) = (Some(now.0), None, None);
                }
                Err(why) => {
                    let wait = FIRST_WAIT.0.saturating_mul(1 << (row.attempts - 1).min(20));
                    let next = now + Span(wait.min(Span::hours(1).0));
                    row.next_at = (row.attempts < ATTEMPTS).then_some(next.0);
                    row.error = Some(why.chars().take(300).collect());
                }
            }
        }
        if !due.is_empty() {
            let mut tx = self.store.begin().await?;
            table::update_logouts(&mut tx, &due).await?;
            tx.commit().await?;
        }
        Ok(arrived)
    }

    async fn deliver_one(
        &self,
        fetch: &dyn Fetch,
        row: &LogoutRow,
    ) -> Result<Result<(), String>, Fault> {
        let client = self.client(&row.client).await?;
        let Some(uri) = client.and_then(|c| c.spec.backchannel_logout_uri.clone()) else {
            return Ok(Err("the application no longer wants to hear of it".into()));
        };
        let now = self.clock.now().0 / SECOND;
        let claims = json!({
            "iss": *self.issuer(), "aud": row.client, "iat": now, "exp": now + 120, "jti": row.id,
            "sub": row.subject, "sid": row.session, "events": { EVENT: {} },
        });
        let token = jose::sign(&*self.crypto, "logout+jwt", &claims)?;
        let body = format!("logout_token={token}");
        let call = Outgoing {
            method: "POST",
            url: uri,
            headers: vec![("content-type", "application/x-www-form-urlencoded".into())],
            body: body.into_bytes(),
        };
        Ok(match fetch.fetch(call).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(format!("the application answered {}", answer.status)),
            Err(why) => Err(why),
        })
    }
}
