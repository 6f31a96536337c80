//! Sessions: opened by the steps of a sign-in, recognised by a secret, strengthened, listed and
//! ended. A secret is never one the caller brought along, and changes with every new proof.

use crate::accounts::{find, shown};
use crate::factors::Restriction;
use crate::{Deed, Engine, record, secrets};
use kernel::access::Actor;
use kernel::{Fault, Span, Time, new_id};
use serde::Serialize;
use serde_json::json;
use store::accounts::{self, AccountRow, SessionRow};
use store::factors::{self, DeviceRow};
use store::{Run, Tx};

/// Characters kept of what a caller says about itself.
const AGENT_LIMIT: usize = 200;
/// Uses remembered until they are written, at most; more are simply not remembered.
const USED_LIMIT: usize = 100_000;
/// Devices an account remembers, at most.
const DEVICES: u64 = 50;
/// Uses closer together than this are one use.
const USE_STEP: Span = Span::minutes(1);

/// Where a caller is and what it says it is.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Network address, without port.
    pub address: String,
    /// Name of the program, such as the `User-Agent`.
    pub agent: String,
    /// The secret by which the device is known, as it was handed out at an earlier sign-in.
    pub device: Option<String>,
    /// The session the device had until now; signing in ends it.
    pub session: Option<String>,
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
    /// The secret by which the device is known from now on; empty when it stays as it is.
    pub device: String,
    /// What must be done before anything else.
    pub must: Option<Restriction>,
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
    /// What must be done before anything else.
    pub must: Option<Restriction>,
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
    /// Factors it was opened or strengthened with.
    pub factors: Vec<String>,
    /// When the person last proved who they are.
    pub auth_time: Time,
    /// Opened on a device the account had not been used on before.
    pub new_device: bool,
}

/// Reads a stored list of factors.
pub(crate) fn words_of(text: &str) -> Result<Vec<String>, Fault> {
    serde_json::from_str(text).map_err(|e| Fault::internal("reading the factors of a session", e))
}

/// What is kept of a device's secret, for one account.
fn device_hash(account: &str, secret: &str) -> String {
    secrets::hash(&format!("device\0{account}\0{secret}"))
}

impl Engine {
    /// The device of a caller, when the account was used on it before.
    pub(crate) async fn known_device(
        &self,
        run: &mut impl Run,
        account: &str,
        origin: &Origin,
    ) -> Result<Option<String>, Fault> {
        let shown = origin.device.as_deref();
        let Some(secret) = shown.filter(|secret| secrets::is_of(secrets::DEVICE, secret)) else {
            return Ok(None);
        };
        let hash = device_hash(account, secret);
        let known = factors::is_known_device(run, account, &hash).await?;
        Ok(known.then_some(hash))
    }

    /// Opens a session for an account that proved itself with these factors. The secret is new,
    /// whatever the caller showed before; what it showed is ended.
    pub(crate) async fn open_session(
        &self,
        tx: &mut Tx,
        row: &mut AccountRow,
        used: &[&str],
        origin: &Origin,
    ) -> Result<SignedIn, Fault> {
        let now = self.clock.now();
        let known = self.known_device(tx, &row.name, origin).await?;
        let new_device = known.is_none();
        let shown_device = origin.device.clone();
        let device = shown_device.filter(|secret| secrets::is_of(secrets::DEVICE, secret));
        let device = device.unwrap_or_else(|| secrets::new(secrets::DEVICE));
        let note = DeviceRow {
            hash: device_hash(&row.name, &device),
            account: row.name.clone(),
            agent: short(&origin.agent),
            first_seen: now.0,
            last_seen: now.0,
        };
        factors::note_device(tx, &note, DEVICES).await?;
        if let Some(before) = &origin.session {
            accounts::end_sessions(tx, &[secrets::hash(before)]).await?;
        }
        let token = secrets::new(secrets::SESSION);
        let session = SessionRow {
            hash: secrets::hash(&token),
            id: new_id(now),
            account: row.name.clone(),
            address: short(&origin.address),
            agent: short(&origin.agent),
            created_at: now.0,
            last_used: now.0,
            expires_at: (now + self.settings.longest).0,
            factors: json!(used).to_string(),
            auth_time: now.0,
            // The first sign-in of all is nothing to wonder at.
            new_device: new_device && row.last_sign_in.is_some(),
        };
        row.last_sign_in = Some(now.0);
        accounts::update_account(tx, row).await?;
        let older = accounts::sessions_of(tx, &row.name).await?;
        let keep = self.settings.sessions_per_account.saturating_sub(1);
        let too_many: Vec<String> = older.into_iter().skip(keep).map(|s| s.hash).collect();
        accounts::end_sessions(tx, &too_many).await?;
        accounts::insert_session(tx, &session).await?;
        let deed = Deed {
            at: now,
            by: &row.name,
            verb: "sign_in",
            subject: &row.name,
            details: json!({
                "session": session.id, "address": session.address, "factors": used,
                "device": if new_device { "new" } else { "known" },
            }),
            outcome: "done",
        };
        record(tx, deed).await?;
        self.signed_in(row, session, token, device)
    }

    fn signed_in(
        &self,
        row: &AccountRow,
        session: SessionRow,
        token: String,
        device: String,
    ) -> Result<SignedIn, Fault> {
        let now = self.clock.now();
        let used = words_of(&session.factors)?;
        let must = self.restriction(row, &used, now)?;
        Ok(SignedIn {
            actor: self.actor(row, &session)?,
            token,
            expires_at: Time(session.expires_at),
            session: session.id,
            device,
            must,
        })
    }

    /// The person behind a session, with what is known of them.
    fn actor(&self, row: &AccountRow, session: &SessionRow) -> Result<Actor, Fault> {
        let mut actor = shown(row)?.actor();
        actor.standing.factors = words_of(&session.factors)?;
        actor.standing.session = Some(session.id.clone());
        actor.standing.auth_time = session.auth_time;
        actor.standing.proofing = row.proofing.clamp(0, 3) as u8;
        actor.standing.person = row.person.clone();
        Ok(actor)
    }

    /// The open session of a secret; `access.sign_in` when there is none.
    pub(crate) async fn session_in(
        &self,
        run: &mut impl Run,
        token: &str,
    ) -> Result<SessionRow, Fault> {
        let found = match secrets::is_of(secrets::SESSION, token) {
            true => accounts::session(run, &secrets::hash(token)).await?,
            false => None,
        };
        found.ok_or_else(|| {
            Fault::new(
                kernel::fault::FaultKind::SignIn,
                "access.sign_in",
                "请先以本人账号登录",
                "sign in as a person first",
            )
        })
    }

    /// The same from a connection of its own.
    pub(crate) async fn session_row(&self, token: &str) -> Result<SessionRow, Fault> {
        let mut reader = self.store.reader().await?;
        self.session_in(&mut reader, token).await
    }

    /// Gives a session a new secret, further factors, and the present as the time of its proof.
    pub(crate) async fn strengthen(
        &self,
        tx: &mut Tx,
        mut session: SessionRow,
        row: &AccountRow,
        more: &[&str],
        now: Time,
    ) -> Result<SignedIn, Fault> {
        let mut used = words_of(&session.factors)?;
        for word in more {
            if !used.iter().any(|known| known == word) {
                used.push((*word).into());
            }
        }
        let token = secrets::new(secrets::SESSION);
        let before = std::mem::replace(&mut session.hash, secrets::hash(&token));
        self.used.lock().remove(&before);
        accounts::end_sessions(tx, &[before]).await?;
        session.factors = json!(used).to_string();
        session.auth_time = now.0;
        session.last_used = now.0;
        accounts::insert_session(tx, &session).await?;
        self.signed_in(row, session, token, String::new())
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
        let known = accounts::session_and_account(&mut reader, &hash).await?;
        drop(reader);
        let Some(accounts::Known {
            session,
            account,
            registered,
        }) = known
        else {
            return Ok(None);
        };
        let used = self.used.lock().get(&hash).copied();
        let last_used = used.unwrap_or(0).max(session.last_used);
        if now.0 >= session.expires_at || now.0 >= last_used + self.settings.idle.0 {
            return Ok(None);
        }
        if account.disabled {
            return Ok(None);
        }
        self.note_use(hash, last_used, now);
        let mut actor = self.actor(&account, &session)?;
        actor.standing.registered = Some(registered);
        let must = self.restriction(&account, &actor.standing.factors, now)?;
        Ok(Some(Recognised {
            actor,
            session: Some(session.id),
            expires_at: Time(session.expires_at),
            must,
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
        open.map(|row| {
            Ok(SessionInfo {
                id: row.id.clone(),
                address: row.address.clone(),
                agent: row.agent.clone(),
                created_at: Time(row.created_at),
                last_used: Time(last_used(row)),
                expires_at: Time(row.expires_at),
                factors: words_of(&row.factors)?,
                auth_time: Time(row.auth_time),
                new_device: row.new_device,
            })
        })
        .collect()
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

    /// Ends every session of an account but this one; says how many.
    pub async fn revoke_all(
        &self,
        by: &Actor,
        account: &str,
        keep: Option<&str>,
    ) -> Result<u64, Fault> {
        let mut tx = self.store.begin().await?;
        find(&mut tx, account).await?;
        let ended = self.end_all_but(&mut tx, account, keep).await?;
        if keep.is_none() {
            factors::forget_devices(&mut tx, account).await?;
        }
        let deed = Deed {
            at: self.clock.now(),
            by: &by.account,
            verb: "operate",
            subject: account,
            details: json!({ "what": "sessions revoked", "ended": ended }),
            outcome: "done",
        };
        record(&mut tx, deed).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Ends every session of an account but this one.
    pub(crate) async fn end_all_but(
        &self,
        tx: &mut Tx,
        account: &str,
        keep: Option<&str>,
    ) -> Result<u64, Fault> {
        let rows = accounts::sessions_of(tx, account).await?;
        let others = rows.into_iter().filter(|row| Some(row.id.as_str()) != keep);
        let hashes: Vec<String> = others.map(|row| row.hash).collect();
        accounts::end_sessions(tx, &hashes).await
    }
}

/// What a caller says about itself, as far as it is kept.
pub(crate) fn short(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(AGENT_LIMIT).collect()
}
