//! Sessions: signing in and out, and recognising who shows a secret. A wrong password, an unknown
//! account and a disabled one get the same answer after the same time.

use crate::accounts::{find, shown};
use crate::{Deed, Engine, passwords, record, record_change, secrets};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::{Fault, Span, Time, new_id};
use serde::Serialize;
use serde_json::json;
use store::Tx;
use store::accounts::{self, AccountRow, SessionRow};

/// Characters kept of what a caller says about itself.
const AGENT_LIMIT: usize = 200;
/// Uses remembered until they are written, at most; more are simply not remembered.
const USED_LIMIT: usize = 100_000;
/// Uses closer together than this are one use.
const USE_STEP: Span = Span::minutes(1);

/// Where a caller is and what it says it is.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Network address, without port.
    pub address: String,
    /// Name of the program, such as the `User-Agent`.
    pub agent: String,
}

/// A session just opened.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub actor: Actor,
    /// The secret to show from now on; never shown again.
    pub token: String,
    /// Identification of the session.
    pub session: String,
    /// When it ends at the latest.
    pub expires_at: Time,
}

/// Whoever showed a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognised {
    /// Who.
    pub actor: Actor,
    /// Identification of the session; `None` for the token of a program.
    pub session: Option<String>,
    /// When it ends at the latest.
    pub expires_at: Time,
}

/// A session, as its holder may see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionInfo {
    /// Identification.
    pub id: String,
    /// Address it was opened from.
    pub address: String,
    /// Program it was opened with.
    pub agent: String,
    /// Opened at.
    pub created_at: Time,
    /// Last used at, to within a minute or so.
    pub last_used: Time,
    /// Ends at the latest.
    pub expires_at: Time,
}

fn wrong_password() -> Fault {
    Fault::new(
        FaultKind::SignIn,
        "access.wrong_password",
        "账号或密码不正确",
        "the account or the password is not right",
    )
}

fn locked(wait_s: u32) -> Fault {
    let mut fault = Fault::new(
        FaultKind::TooMany,
        "access.locked",
        format!("尝试次数过多，请 {wait_s} 秒后再试"),
        format!("too many attempts; try again in {wait_s} seconds"),
    );
    fault.retry_after_s = Some(wait_s);
    fault
}

impl Engine {
    /// Verifies a password within the limits of attempts; the account is returned only when it is
    /// right and the account may sign in.
    pub(crate) async fn verified(
        &self,
        account: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<AccountRow, Fault> {
        let now = self.clock.now();
        // Longer than any account or password can be: refused the same way, without hashing.
        if account.len() > 64 || password.len() > passwords::LONGEST_BYTES {
            return Err(wrong_password());
        }
        let attempt = self
            .limiter
            .begin(account, &origin.address, now.0)
            .map_err(locked)?;
        let mut reader = self.store.reader().await?;
        let found = accounts::account(&mut reader, account).await?;
        drop(reader);
        let hash = found.as_ref().map(|row| row.password.as_str());
        let right = match self.hasher.verify(password, hash).await {
            Ok(right) => right,
            Err(fault) => {
                attempt.not_tried();
                return Err(fault);
            }
        };
        match found {
            Some(row) if right && !row.disabled => {
                attempt.succeeded();
                Ok(row)
            }
            found => {
                // A name nobody has may be a password typed into the wrong field: not kept.
                let subject = found.map_or(String::new(), |row| row.name);
                let mut tx = self.store.begin().await?;
                let deed = Deed {
                    at: now,
                    by: &subject,
                    verb: "sign_in",
                    subject: &subject,
                    details: json!({ "address": short(&origin.address) }),
                    outcome: "denied",
                };
                record(&mut tx, deed).await?;
                tx.commit().await?;
                Err(wrong_password())
            }
        }
    }

    /// Opens a session. `access.wrong_password` whatever is wrong with account or password;
    /// `access.locked` after too many attempts at this account from this address.
    pub async fn sign_in(
        &self,
        account: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<SignedIn, Fault> {
        let verified = self.verified(account, password, origin).await?;
        let renewed = if self.hasher.is_outdated(&verified.password) {
            Some(self.hasher.hash(password).await?)
        } else {
            None
        };
        let now = self.clock.now();
        let token = secrets::new(secrets::SESSION);
        let session = SessionRow {
            hash: secrets::hash(&token),
            id: new_id(now),
            account: verified.name.clone(),
            address: short(&origin.address),
            agent: short(&origin.agent),
            created_at: now.0,
            last_used: now.0,
            expires_at: (now + self.settings.longest).0,
        };
        let mut tx = self.store.begin().await?;
        let mut row = find(&mut tx, &verified.name).await?;
        // Changed between looking and writing: the password may no longer be the right one.
        if row.password != verified.password || row.disabled {
            return Err(wrong_password());
        }
        row.last_sign_in = Some(now.0);
        row.password = renewed.unwrap_or(row.password);
        accounts::update_account(&mut tx, &row).await?;
        let older = accounts::sessions_of(&mut tx, &row.name).await?;
        let keep = self.settings.sessions_per_account.saturating_sub(1);
        let too_many: Vec<String> = older.into_iter().skip(keep).map(|s| s.hash).collect();
        accounts::end_sessions(&mut tx, &too_many).await?;
        accounts::insert_session(&mut tx, &session).await?;
        let deed = Deed {
            at: now,
            by: &row.name,
            verb: "sign_in",
            subject: &row.name,
            details: json!({ "session": session.id, "address": session.address }),
            outcome: "done",
        };
        record(&mut tx, deed).await?;
        tx.commit().await?;
        Ok(SignedIn {
            actor: shown(&row)?.actor(),
            token,
            session: session.id,
            expires_at: Time(session.expires_at),
        })
    }

    /// Who shows this secret of a session or token, if anybody still valid: a change of roles or a
    /// disabled account counts at once.
    pub async fn recognise(&self, token: &str) -> Result<Option<Recognised>, Fault> {
        if !secrets::is_one(token) {
            return Ok(None);
        }
        let hash = secrets::hash(token);
        let now = self.clock.now();
        if token.starts_with(secrets::TOKEN) {
            return self.recognise_token(&hash, now).await;
        }
        let mut reader = self.store.reader().await?;
        let Some(session) = accounts::session(&mut reader, &hash).await? else {
            return Ok(None);
        };
        let used = self.used.lock().get(&hash).copied();
        let last_used = used.unwrap_or(0).max(session.last_used);
        if now.0 >= session.expires_at || now.0 >= last_used + self.settings.idle.0 {
            return Ok(None);
        }
        let account = accounts::account(&mut reader, &session.account).await?;
        let Some(account) = account.filter(|row| !row.disabled) else {
            return Ok(None);
        };
        self.note_use(hash, last_used, now);
        Ok(Some(Recognised {
            actor: shown(&account)?.actor(),
            session: Some(session.id),
            expires_at: Time(session.expires_at),
        }))
    }

    /// Remembers a use, to be written by [`Engine::tidy`].
    pub(crate) fn note_use(&self, hash: String, last_used: i64, now: Time) {
        let mut used = self.used.lock();
        if now.0 >= last_used + USE_STEP.0 && used.len() < USED_LIMIT {
            used.insert(hash, now.0);
        }
    }

    /// Ends the session of this secret, if there is one.
    pub async fn sign_out(&self, token: &str) -> Result<(), Fault> {
        let hash = secrets::hash(token);
        let mut tx = self.store.begin().await?;
        let Some(session) = accounts::session(&mut tx, &hash).await? else {
            return Ok(());
        };
        accounts::end_sessions(&mut tx, &[hash]).await?;
        let deed = Deed {
            at: self.clock.now(),
            by: &session.account,
            verb: "sign_out",
            subject: &session.account,
            details: json!({ "session": session.id }),
            outcome: "done",
        };
        record(&mut tx, deed).await?;
        tx.commit().await
    }

    /// The sessions of an account that are still open, newest first.
    pub async fn sessions(&self, account: &str) -> Result<Vec<SessionInfo>, Fault> {
        let now = self.clock.now().0;
        let mut reader = self.store.reader().await?;
        let rows = accounts::sessions_of(&mut reader, account).await?;
        let used = self.used.lock();
        let last_used = |row: &SessionRow| {
            let noted = used.get(&row.hash).copied().unwrap_or(0);
            noted.max(row.last_used)
        };
        let open = rows
            .iter()
            .filter(|row| now < row.expires_at && now < last_used(row) + self.settings.idle.0);
        Ok(open
            .map(|row| SessionInfo {
                id: row.id.clone(),
                address: row.address.clone(),
                agent: row.agent.clone(),
                created_at: Time(row.created_at),
                last_used: Time(last_used(row)),
                expires_at: Time(row.expires_at),
            })
            .collect())
    }

    /// Ends one session of an account; `input.not_found` when it has none of this identification.
    pub async fn revoke(&self, by: &Actor, account: &str, session: &str) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        let rows = accounts::sessions_of(&mut tx, account).await?;
        let Some(row) = rows.into_iter().find(|row| row.id == session) else {
            return Err(Fault::missing(&format!("session {}", short(session))));
        };
        accounts::end_sessions(&mut tx, &[row.hash]).await?;
        let deed = Deed {
            at: self.clock.now(),
            by: &by.account,
            verb: "operate",
            subject: account,
            details: json!({ "what": "session revoked", "session": row.id }),
            outcome: "done",
        };
        record(&mut tx, deed).await?;
        tx.commit().await
    }

    /// Changes one's own password; the old one must be right (`access.wrong_password`, limited
    /// like signing in). Every other session ends; `session` is the one to keep.
    pub async fn change_password(
        &self,
        account: &str,
        old: &str,
        new: &str,
        session: Option<&str>,
        origin: &Origin,
    ) -> Result<(), Fault> {
        let problems = passwords::problems(account, new, "new");
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        let verified = self
            .verified(account, old, origin)
            .await
            .map_err(|mut fault| {
                // The session itself is sound: nobody has to sign in again.
                if fault.kind == FaultKind::SignIn {
                    fault.kind = FaultKind::Invalid;
                }
                fault
            })?;
        let password = self.hasher.hash(new).await?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut row = find(&mut tx, account).await?;
        if row.password != verified.password {
            return Err(wrong_password());
        }
        row.password = password;
        row.version += 1;
        accounts::update_account(&mut tx, &row).await?;
        self.end_all_but(&mut tx, account, session).await?;
        let details = json!({ "what": "password changed" });
        record_change(&mut tx, now, account, account, details).await?;
        tx.commit().await
    }

    /// Ends every session of an account but this one.
    pub(crate) async fn end_all_but(
        &self,
        tx: &mut Tx,
        account: &str,
        keep: Option<&str>,
    ) -> Result<(), Fault> {
        let rows = accounts::sessions_of(tx, account).await?;
        let others = rows.into_iter().filter(|row| Some(row.id.as_str()) != keep);
        let hashes: Vec<String> = others.map(|row| row.hash).collect();
        accounts::end_sessions(tx, &hashes).await?;
        Ok(())
    }
}

/// What a caller says about itself, as far as it is kept.
fn short(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(AGENT_LIMIT).collect()
}
