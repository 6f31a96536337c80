//! The desk where codes and refresh tokens are exchanged: everybody who waits is served in one
//! transaction, so that one fsync is shared by many. What is loaded is decided over in memory,
//! one after the other, and only then written; an exchange is acknowledged when it is on disk.

use crate::claims::has;
use crate::oauth::OAuthError;
use crate::{Settings, secrets};
use kernel::access::Actor;
use kernel::time::Time;
use kernel::{Clock, Fault};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use store::Store;
use store::openid::{self as table, CodeRow, GrantRow, IssuedRow};
use tokio::sync::{mpsc, oneshot};

/// Exchanges of one transaction, at most.
const BATCH: usize = 256;
/// Exchanges that may wait.
const WAITING: usize = 4096;

/// What somebody wants exchanged.
pub(crate) enum What {
    /// An authorisation code.
    Code {
        hash: String,
        redirect_uri: String,
        challenge: String,
    },
    /// A refresh token, perhaps for fewer scopes.
    Refresh {
        hash: String,
        scopes: Option<String>,
    },
}

/// An exchange to be made.
pub(crate) struct Exchange {
    /// Application that asks, proven.
    pub(crate) client: String,
    /// Its assertion, to be used once.
    pub(crate) assertion: Option<(String, i64)>,
    pub(crate) what: What,
}

/// What an exchange gave.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Given {
    pub(crate) grant: GrantRow,
    pub(crate) scopes: String,
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

struct Ask {
    exchange: Exchange,
    reply: oneshot::Sender<Result<Given, OAuthError>>,
}

/// The desk; cheap to ask from many tasks.
pub(crate) struct Desk(mpsc::Sender<Ask>);

impl Desk {
    /// Starts the task behind the desk; it ends with the engine.
    pub(crate) fn start(store: Store, clock: Arc<dyn Clock>, settings: Settings) -> Desk {
        let (asks, queue) = mpsc::channel(WAITING);
        tokio::spawn(serve(queue, store, clock, settings));
        Desk(asks)
    }

    /// Makes an exchange, and waits until it is on disk.
    pub(crate) async fn exchange(&self, exchange: Exchange) -> Result<Given, OAuthError> {
        let (reply, answer) = oneshot::channel();
        if self.0.try_send(Ask { exchange, reply }).is_err() {
            return Err(Fault::overloaded("openid", 1).into());
        }
        let gone = |_| Fault::internal("exchanging a token", "the desk is gone");
        answer.await.map_err(gone)?
    }
}

async fn serve(
    mut queue: mpsc::Receiver<Ask>,
    store: Store,
    clock: Arc<dyn Clock>,
    settings: Settings,
) {
    let mut asks: Vec<Ask> = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut asks, BATCH).await > 0 {
        let (exchanges, replies): (Vec<Exchange>, Vec<_>) =
            asks.drain(..).map(|ask| (ask.exchange, ask.reply)).unzip();
        match work(&store, clock.now(), &settings, &exchanges).await {
            Ok(outcomes) => {
                for (reply, outcome) in replies.into_iter().zip(outcomes) {
                    // Whoever no longer waits finds out by trying again.
                    let _ = reply.send(outcome);
                }
            }
            Err(fault) => {
                for reply in replies {
                    let _ = reply.send(Err(fault.clone().into()));
                }
            }
        }
    }
}

/// Serves everybody of one round in one transaction.
async fn work(
    store: &Store,
    now: Time,
    settings: &Settings,
    exchanges: &[Exchange],
) -> Result<Vec<Result<Given, OAuthError>>, Fault> {
    let mut tx = store.begin().await?;
    let mut round = Round::load(&mut tx, exchanges).await?;
    let outcomes = exchanges
        .iter()
        .map(|exchange| round.decide(exchange, now, settings))
        .collect();
    round.write(&mut tx, now).await?;
    tx.commit().await?;
    Ok(outcomes)
}

/// Something that must be in the audit log.
struct Incident {
    client: String,
    grant: String,
    account: String,
    what: &'static str,
}

/// What is known of the codes, tokens and grants of one round, and what is to be written.
#[derive(Default)]
struct Round {
    codes: HashMap<String, CodeRow>,
    issued: HashMap<String, IssuedRow>,
    grants: HashMap<String, GrantRow>,
    disabled: HashSet<String>,
    fresh: HashSet<String>,
    used_codes: Vec<String>,
    used_tokens: Vec<String>,
    new_tokens: Vec<IssuedRow>,
    ended: Vec<(String, &'static str)>,
    incidents: Vec<Incident>,
}

fn refused(what: &str) -> OAuthError {
    OAuthError::new("invalid_grant", what)
}

impl Round {
    async fn load(tx: &mut store::Tx, exchanges: &[Exchange]) -> Result<Round, Fault> {
        let (mut codes, mut tokens, mut assertions) = (vec![], vec![], vec![]);
        for exchange in exchanges {
            match &exchange.what {
                What::Code { hash, .. } => codes.push(hash.clone()),
                What::Refresh { hash, .. } => tokens.push(hash.clone()),
            }
            assertions.extend(exchange.assertion.clone());
        }
        let codes = table::codes(tx, &codes).await?;
        let issued = table::issued(tx, &tokens).await?;
        let mut ids: Vec<String> = codes.iter().map(|row| row.grant_id.clone()).collect();
        ids.extend(issued.iter().map(|row| row.grant_id.clone()));
        ids.sort();
        ids.dedup();
        let grants = table::grants(tx, &ids).await?;
        let mut accounts: Vec<String> = grants.iter().map(|row| row.account.clone()).collect();
        accounts.sort();
        accounts.dedup();
        let disabled = table::not_enabled(tx, &accounts).await?;
        let fresh = table::new_assertions(tx, &assertions).await?;
        Ok(Round {
            codes: codes
                .into_iter()
                .map(|row| (row.hash.clone(), row))
                .collect(),
            issued: issued
                .into_iter()
                .map(|row| (row.hash.clone(), row))
                .collect(),
            grants: grants
                .into_iter()
                .map(|row| (row.id.clone(), row))
                .collect(),
            disabled: disabled.into_iter().collect(),
            fresh: fresh.into_iter().collect(),
            ..Round::default()
        })
    }

    fn decide(
        &mut self,
        exchange: &Exchange,
        now: Time,
        settings: &Settings,
    ) -> Result<Given, OAuthError> {
        if let Some((hash, _)) = &exchange.assertion
            && !self.fresh.remove(hash)
        {
            return Err(OAuthError::client("this assertion was used before"));
        }
        let scopes = match &exchange.what {
            What::Code {
                hash,
                redirect_uri,
                challenge,
            } => self.code(exchange, hash, redirect_uri, challenge, now)?,
            What::Refresh { hash, scopes } => {
                self.refresh(exchange, hash, scopes.as_deref(), now)?
            }
        };
        self.give(scopes, now, settings)
    }

    /// The grant behind a secret of this application, still in force.
    fn grant_for(
        &mut self,
        exchange: &Exchange,
        id: &str,
        used: bool,
        what: &'static str,
    ) -> Result<GrantRow, OAuthError> {
        let grant = self.grants.get(id).cloned();
        let grant = grant.ok_or_else(|| refused("it is unknown or over"))?;
        if grant.client != exchange.client {
            self.incident(exchange, &grant, "secret of another application shown");
            return Err(refused("it is unknown or over"));
        }
        if used {
            // Whoever came first may have been the thief: everything it gave ends.
            self.end(&grant, what);
            self.incident(exchange, &grant, what);
            return Err(refused("it was used before; everything it gave has ended"));
        }
        if grant.ended_at.is_some() {
            return Err(refused("the authorisation has ended"));
        }
        if self.disabled.contains(&grant.account) {
            self.end(&grant, "account disabled");
            return Err(refused("the authorisation has ended"));
        }
        Ok(grant)
    }

    fn code(
        &mut self,
        exchange: &Exchange,
        hash: &str,
        redirect_uri: &str,
        challenge: &str,
        now: Time,
    ) -> Result<(GrantRow, String), OAuthError> {
        let code = self.codes.get(hash).cloned();
        let code = code.ok_or_else(|| refused("the code is unknown or over"))?;
        let used = code.used_at.is_some();
        let grant = self.grant_for(exchange, &code.grant_id, used, "code replayed")?;
        if now.0 >= code.expires_at {
            return Err(refused("the code is unknown or over"));
        }
        if code.redirect_uri != redirect_uri {
            return Err(refused("redirect_uri is not the one the code was sent to"));
        }
        if !secrets::same(&code.challenge, challenge) {
            self.incident(exchange, &grant, "code with a wrong verifier");
            return Err(refused("code_verifier does not fit the challenge"));
        }
        self.used_codes.push(hash.into());
        if let Some(code) = self.codes.get_mut(hash) {
            code.used_at = Some(now.0);
        }
        let scopes = grant.scopes.clone();
        Ok((grant, scopes))
    }

    fn refresh(
        &mut self,
        exchange: &Exchange,
        hash: &str,
        scopes: Option<&str>,
        now: Time,
    ) -> Result<(GrantRow, String), OAuthError> {
        let token = self
            .issued
            .get(hash)
            .filter(|row| row.kind == "refresh")
            .cloned();
        let token = token.ok_or_else(|| refused("the refresh token is unknown or over"))?;
        let used = token.used_at.is_some();
        let grant = self.grant_for(exchange, &token.grant_id, used, "refresh token replayed")?;
        if now.0 >= token.expires_at || now.0 >= grant.expires_at {
            return Err(refused("the refresh token is unknown or over"));
        }
        let wider = scopes
            .unwrap_or("")
            .split(' ')
            .any(|scope| !scope.is_empty() && !has(&grant.scopes, scope));
        if wider {
            return Err(OAuthError::new(
                "invalid_scope",
                "more than the person agreed to",
            ));
        }
        self.used_tokens.push(hash.into());
        if let Some(token) = self.issued.get_mut(hash) {
            token.used_at = Some(now.0);
        }
        let scopes = scopes.unwrap_or(&grant.scopes).to_string();
        Ok((grant, scopes))
    }

    fn give(
        &mut self,
        (grant, scopes): (GrantRow, String),
        now: Time,
        settings: &Settings,
    ) -> Result<Given, OAuthError> {
        let mut issue = |kind: &str, secret: &str, scopes: &str, expires_at: i64| {
            let row = IssuedRow {
                hash: secrets::hash(secret),
                grant_id: grant.id.clone(),
                kind: kind.into(),
                scopes: scopes.into(),
                issued_at: now.0,
                expires_at: expires_at.min(grant.expires_at),
                used_at: None,
            };
            self.new_tokens.push(row);
        };
        let access = secrets::new(secrets::ACCESS);
        issue("access", &access, &scopes, (now + settings.access_life).0);
        let refresh = has(&grant.scopes, "offline_access").then(|| {
            let refresh = secrets::new(secrets::REFRESH);
            // The next one again stands for all that was agreed to (RFC 6749 6).
            issue(
                "refresh",
                &refresh,
                &grant.scopes,
                (now + settings.refresh_idle).0,
            );
            refresh
        });
        Ok(Given {
            grant,
            scopes,
            access,
            refresh,
        })
    }

    fn end(&mut self, grant: &GrantRow, why: &'static str) {
        if grant.ended_at.is_none() {
            self.ended.push((grant.id.clone(), why));
        }
        if let Some(held) = self.grants.get_mut(&grant.id) {
            held.ended_at = Some(held.ended_at.unwrap_or(0));
        }
    }

    fn incident(&mut self, exchange: &Exchange, grant: &GrantRow, what: &'static str) {
        self.incidents.push(Incident {
            client: exchange.client.clone(),
            grant: grant.id.clone(),
            account: grant.account.clone(),
            what,
        });
    }

    async fn write(self, tx: &mut store::Tx, now: Time) -> Result<(), Fault> {
        table::use_codes(tx, &self.used_codes, now.0).await?;
        table::use_issued(tx, &self.used_tokens, now.0).await?;
        table::insert_issued(tx, &self.new_tokens).await?;
        for (grant, why) in self.ended {
            table::end_grants(tx, &[grant], now.0, why).await?;
        }
        for incident in self.incidents {
            let by = Actor::system();
            let deed = crate::Deed {
                at: now,
                by: &by,
                verb: "token",
                subject: &incident.client,
                details: json!({
                    "what": incident.what, "grant": incident.grant, "account": incident.account,
                }),
                outcome: "denied",
            };
            crate::record(tx, deed).await?;
        }
        Ok(())
    }
}
