//! Signing in, step by step: the password, then the second factor where the account has one, or a
//! passkey alone; and proving oneself again before a dangerous act. A wrong password, an unknown
//! account and a disabled one get the same answer after the same time.

use crate::accounts::find;
use crate::factors::Used;
use crate::limiter::{Attempt, Limiter, Who};
use crate::sessions::{Origin, SignedIn, short};
use crate::tickets::{self, Purpose, expired};
use crate::{Deed, Engine, passkeys, passwords, record, record_change, recovery};
use kernel::fault::FaultKind;
use kernel::{Fault, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::accounts::{self, AccountRow};
use store::factors;

/// How a step of a sign-in ended.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// A session is open.
    Done(Box<SignedIn>),
    /// Something more must be shown.
    Next(Challenge),
}

/// What must be shown next.
#[derive(Clone, Debug, Serialize)]
pub struct Challenge {
    /// To be sent along with the answer.
    pub ticket: String,
    /// What may be shown: `totp`, `passkey`, `recovery`.
    pub methods: Vec<&'static str>,
    /// What the browser asks of a passkey, when that is one of them.
    pub passkey: Option<Value>,
    /// Until when the answer is waited for.
    pub expires_at: Time,
}

/// What somebody shows as a second factor, or instead of a password.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Proof {
    /// A one-time code.
    Code(String),
    /// A recovery code.
    Recovery(String),
    /// What the browser answers with a passkey.
    Passkey(Value),
}

/// What somebody shows to prove themselves again.
#[derive(Clone, Debug)]
pub enum Again {
    /// The password.
    Password(String),
    /// A one-time code.
    Code(String),
    /// The ticket of [`Engine::begin_passkey`] and what the browser answered.
    Passkey(String, Value),
}

fn wrong_password() -> Fault {
    Fault::new(
        FaultKind::SignIn,
        "access.wrong_password",
        "账号或密码不正确",
        "the account or the password is not right",
    )
}

pub(crate) fn wrong_factor() -> Fault {
    Fault::new(
        FaultKind::SignIn,
        "access.wrong_factor",
        "验证码、恢复码或通行密钥不正确，或已使用过",
        "the code or passkey is not right, or was used before",
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

/// Whoever is signed in need not sign in again because of a wrong answer.
fn within_a_session(mut fault: Fault) -> Fault {
    if fault.kind == FaultKind::SignIn && fault.code != "access.sign_in" {
        fault.kind = FaultKind::Invalid;
    }
    fault
}

impl Engine {
    /// Begins an attempt; what failed before an operator unlocked the account does not count.
    async fn begin_attempt<'a>(
        &self,
        limiter: &'a Limiter,
        who: Who<'_>,
    ) -> Result<Attempt<'a>, Fault> {
        let now = self.clock.now();
        let wait = match limiter.begin(who, now.0) {
            Ok(attempt) => return Ok(attempt),
            Err(wait) => wait,
        };
        let mut reader = self.store.reader().await?;
        let row = accounts::account(&mut reader, who.account).await?;
        let unlocked_at = row.map_or(0, |row| row.unlocked_at);
        if unlocked_at > 0 && limiter.forgive(who, unlocked_at) {
            return limiter.begin(who, now.0).map_err(locked);
        }
        Err(locked(wait))
    }

    /// An attempt at a second factor. Whoever makes one knows the password, so that all unknown
    /// devices count together: no number of addresses guesses six digits.
    pub(crate) async fn begin_factor_attempt(
        &self,
        account: &str,
        origin: &Origin,
    ) -> Result<Attempt<'_>, Fault> {
        let mut reader = self.store.reader().await?;
        let device = self.known_device(&mut reader, account, origin).await?;
        drop(reader);
        let who = Who {
            account,
            address: "",
            device: Some(device.as_deref().unwrap_or("")),
        };
        self.begin_attempt(&self.factor_limiter, who).await
    }

    /// Verifies a password within the limits of attempts; the account is returned only when it is
    /// right and the account may sign in.
    pub(crate) async fn verified(
        &self,
        account: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<AccountRow, Fault> {
        // Longer than any account or password can be: refused the same way, without hashing.
        if account.is_empty() || account.len() > 64 || password.len() > passwords::LONGEST_BYTES {
            return Err(wrong_password());
        }
        let mut reader = self.store.reader().await?;
        let device = self.known_device(&mut reader, account, origin).await?;
        let who = Who {
            account,
            address: &origin.address,
            device: device.as_deref(),
        };
        drop(reader);
        let attempt = self.begin_attempt(&self.limiter, who).await?;
        let mut reader = self.store.reader().await?;
        let found = accounts::account(&mut reader, account).await?;
        drop(reader);
        let hash = found.as_ref().map(|row| row.password.as_str());
        let right = match self.hasher.verify(password, hash, device.is_some()).await {
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
                self.denied(&subject, "password", origin).await?;
                Err(wrong_password())
            }
        }
    }

    /// Writes down an attempt that failed.
    async fn denied(&self, subject: &str, what: &str, origin: &Origin) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        let deed = Deed {
            at: self.clock.now(),
            by: subject,
            verb: "sign_in",
            subject,
            details: json!({ "address": short(&origin.address), "wrong": what }),
            outcome: "denied",
        };
        record(&mut tx, deed).await?;
        tx.commit().await
    }

    /// The first step. `access.wrong_password` whatever is wrong with account or password;
    /// `access.locked` after too many attempts at this account from this address.
    pub async fn sign_in(
        &self,
        account: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<SignIn, Fault> {
        let mut verified = self.verified(account, password, origin).await?;
        if self.hasher.is_outdated(&verified.password) {
            let renewed = self.hasher.hash(password).await?;
            let mut tx = self.store.begin().await?;
            let mut row = find(&mut tx, &verified.name).await?;
            if row.password == verified.password {
                row.password = renewed;
                accounts::update_account(&mut tx, &row).await?;
                tx.commit().await?;
                verified = row;
            }
        }
        if verified.second_factors > 0 {
            return self.ask(&verified).await.map(SignIn::Next);
        }
        let mut tx = self.store.begin().await?;
        let mut row = find(&mut tx, &verified.name).await?;
        // Changed between looking and writing: the password may no longer be the right one.
        if row.password != verified.password || row.disabled || row.second_factors > 0 {
            return Err(wrong_password());
        }
        let done = self
            .open_session(&mut tx, &mut row, &["pwd"], origin)
            .await?;
        tx.commit().await?;
        Ok(SignIn::Done(Box::new(done)))
    }

    /// Asks for a second factor.
    async fn ask(&self, row: &AccountRow) -> Result<Challenge, Fault> {
        let mut reader = self.store.reader().await?;
        let rows = factors::factors_of(&mut reader, &row.name).await?;
        let recovery = factors::recovery_left(&mut reader, &row.name).await? > 0;
        drop(reader);
        let asked = self.ask_passkeys(&rows)?;
        let mut methods = vec![];
        if asked.is_some() {
            methods.push(passkeys::KIND);
        }
        if rows.iter().any(|row| row.kind == crate::factors::TOTP) {
            methods.push(crate::factors::TOTP);
        }
        if recovery {
            methods.push("recovery");
        }
        let (passkey, state) = match asked {
            Some((question, state)) => (Some(question), state),
            None => (None, Value::Null),
        };
        let (ticket, expires_at) =
            self.new_ticket(Purpose::Factor, &row.name, &row.password, state)?;
        Ok(Challenge {
            ticket,
            methods,
            passkey,
            expires_at,
        })
    }

    /// The second step, or a passkey alone. `access.wrong_factor` whatever is wrong with it;
    /// `access.sign_in_expired` when the ticket is over or was used.
    pub async fn second_step(
        &self,
        ticket: &str,
        proof: Proof,
        origin: &Origin,
    ) -> Result<SignedIn, Fault> {
        let ticket = self.open_ticket(ticket, &[Purpose::Factor, Purpose::Passkey])?;
        let attempt = match ticket.purpose {
            Purpose::Factor => self.begin_factor_attempt(&ticket.account, origin).await?,
            _ => {
                let who = Who {
                    account: "",
                    address: &origin.address,
                    device: None,
                };
                self.limiter
                    .begin(who, self.clock.now().0)
                    .map_err(locked)?
            }
        };
        let now = self.clock.now();
        let mut reader = self.store.reader().await?;
        let shown = match (ticket.purpose, proof) {
            (_, Proof::Passkey(sent)) => self.check_passkey(&mut reader, &ticket, sent).await?,
            (Purpose::Factor, proof) => {
                let used = match proof {
                    Proof::Code(code) => {
                        let rows = factors::factors_of(&mut reader, &ticket.account).await?;
                        self.check_code(&rows, &code, now)?
                    }
                    Proof::Recovery(code) => {
                        recovery::hash(&ticket.account, &code).map(Used::Recovery)
                    }
                    Proof::Passkey(_) => None,
                };
                used.map(|used| (ticket.account.clone(), used))
            }
            _ => None,
        };
        drop(reader);
        let Some((account, used)) = shown else {
            self.denied(&ticket.account, "factor", origin).await?;
            return Err(wrong_factor());
        };
        let mut tx = self.store.begin().await?;
        let mut row = find(&mut tx, &account).await?;
        let alone = ticket.purpose == Purpose::Passkey;
        if row.disabled || (!alone && tickets::mark(&row.password) != ticket.mark) {
            return Err(expired());
        }
        if !used.note(&mut tx, &account, now).await? {
            drop(tx);
            self.denied(&account, "factor", origin).await?;
            return Err(wrong_factor());
        }
        self.spend(&mut tx, &ticket).await?;
        let words = if alone {
            vec![used.word()]
        } else {
            vec!["pwd", used.word()]
        };
        let done = self.open_session(&mut tx, &mut row, &words, origin).await?;
        tx.commit().await?;
        attempt.succeeded();
        Ok(done)
    }

    /// Proves once more who holds this session; it gets a new secret. Wrong answers are limited
    /// like those of a sign-in and do not end the session.
    pub async fn step_up(
        &self,
        token: &str,
        again: Again,
        origin: &Origin,
    ) -> Result<SignedIn, Fault> {
        let session = self.session_row(token).await?;
        let now = self.clock.now();
        let (used, ticket, attempt) = match again {
            Again::Password(password) => {
                let verified = self.verified(&session.account, &password, origin).await;
                verified.map_err(within_a_session)?;
                (None, None, None)
            }
            Again::Code(code) => {
                let attempt = self.begin_factor_attempt(&session.account, origin).await?;
                let mut reader = self.store.reader().await?;
                let rows = factors::factors_of(&mut reader, &session.account).await?;
                (
                    Some(self.check_code(&rows, &code, now)?),
                    None,
                    Some(attempt),
                )
            }
            Again::Passkey(ticket, sent) => {
                let attempt = self.begin_factor_attempt(&session.account, origin).await?;
                let ticket = self.open_ticket(&ticket, &[Purpose::Passkey]);
                let ticket = ticket.map_err(within_a_session)?;
                let mut reader = self.store.reader().await?;
                let shown = self.check_passkey(&mut reader, &ticket, sent).await?;
                let own = shown.filter(|(account, _)| *account == session.account);
                (Some(own.map(|(_, used)| used)), Some(ticket), Some(attempt))
            }
        };
        let word = match &used {
            None => "pwd",
            Some(Some(used)) => used.word(),
            Some(None) => {
                self.denied(&session.account, "factor", origin).await?;
                return Err(within_a_session(wrong_factor()));
            }
        };
        let mut tx = self.store.begin().await?;
        let session = self.session_in(&mut tx, token).await?;
        let row = find(&mut tx, &session.account).await?;
        if let Some(Some(used)) = &used
            && !used.note(&mut tx, &row.name, now).await?
        {
            return Err(within_a_session(wrong_factor()));
        }
        if let Some(ticket) = &ticket {
            self.spend(&mut tx, ticket)
                .await
                .map_err(within_a_session)?;
        }
        let id = session.id.clone();
        let done = self
            .strengthen(&mut tx, session, &row, &[word], now)
            .await?;
        let deed = Deed {
            at: now,
            by: &row.name,
            verb: "sign_in",
            subject: &row.name,
            details: json!({
                "what": "step up", "session": id, "factors": [word],
                "address": short(&origin.address),
            }),
            outcome: "done",
        };
        record(&mut tx, deed).await?;
        tx.commit().await?;
        if let Some(attempt) = attempt {
            attempt.succeeded();
        }
        Ok(done)
    }

    /// Changes one's own password; the old one must be right (`access.wrong_password`, limited
    /// like signing in). Every other session ends, and this one gets a new secret: whoever had
    /// copied the old one is out.
    pub async fn change_password(
        &self,
        token: &str,
        old: &str,
        new: &str,
        origin: &Origin,
    ) -> Result<SignedIn, Fault> {
        let session = self.session_row(token).await?;
        let account = session.account;
        let problems = passwords::problems(&self.breached, &account, new, "new");
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        let verified = self.verified(&account, old, origin).await;
        let verified = verified.map_err(within_a_session)?;
        self.demand_unused(&verified, new).await?;
        let password = self.hasher.hash(new).await?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let session = self.session_in(&mut tx, token).await?;
        let mut row = find(&mut tx, &account).await?;
        if row.password != verified.password {
            return Err(within_a_session(wrong_password()));
        }
        self.remember_password(&mut tx, &row, now).await?;
        row.password = password;
        row.password_at = now.0;
        row.must_change = false;
        row.version += 1;
        accounts::update_account(&mut tx, &row).await?;
        self.end_all_but(&mut tx, &account, Some(&session.id))
            .await?;
        let done = self
            .strengthen(&mut tx, session, &row, &["pwd"], now)
            .await?;
        let details = json!({ "what": "password changed" });
        record_change(&mut tx, now, &account, &account, details).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Refuses the present password and those remembered from before.
    async fn demand_unused(&self, row: &AccountRow, new: &str) -> Result<(), Fault> {
        let keep = self.settings.passwords_remembered;
        let mut reader = self.store.reader().await?;
        let mut before = match keep {
            0 => vec![],
            _ => factors::passwords_before(&mut reader, &row.name, keep).await?,
        };
        drop(reader);
        before.push(row.password.clone());
        for hash in before {
            if self.hasher.verify(new, Some(&hash), true).await? {
                return Err(Fault::invalid_at(
                    "new",
                    "不能使用当前或最近用过的密码",
                    "this is the present password or one used lately",
                ));
            }
        }
        Ok(())
    }

    /// Keeps the hash of a password that is about to be replaced.
    pub(crate) async fn remember_password(
        &self,
        tx: &mut store::Tx,
        row: &AccountRow,
        now: Time,
    ) -> Result<(), Fault> {
        let keep = self.settings.passwords_remembered;
        factors::remember_password(tx, &row.name, &row.password, now.0, keep).await
    }
}
