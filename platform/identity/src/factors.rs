//! Second factors: which an account has, who must have one, and how one is added, named and
//! removed. Every change is in the audit log, and whoever adds one gets a new secret for the
//! session.

use crate::accounts::{find, roles_of};
use crate::sessions::{Origin, SignedIn};
use crate::tickets::{self, Ticket};
use crate::{Engine, passkeys, record_change, recovery, totp};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::{Fault, Time, new_id};
use serde::Serialize;
use serde_json::json;
use store::accounts::{self, AccountRow};
use store::factors::{self, FactorRow};
use store::{Run, Tx};

/// Factors of an account, at most.
const MOST: usize = 20;
/// Characters of a name, at most.
const NAME_LIMIT: usize = 64;
/// Kind of a one-time code in the store.
pub(crate) const TOTP: &str = "totp";
/// The same before its first code was shown.
const TOTP_NEW: &str = "totp_new";
/// Who issues the codes, as the application on the phone shows it.
const ISSUER: &str = "Jicheng";

/// What keeps a session from doing anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Restriction {
    /// The password was set by somebody else, or is too old: it must be changed first.
    ChangePassword,
    /// A role demands a second factor and the session has none.
    SecondFactor,
}

impl Restriction {
    /// The fault of whatever else is asked for.
    pub fn fault(self) -> Fault {
        match self {
            Restriction::ChangePassword => Fault::new(
                FaultKind::Denied,
                "access.password_change_required",
                "请先修改密码（当前密码由他人设置或已过期）",
                "change your password first: it was set by somebody else, or is too old",
            ),
            Restriction::SecondFactor => Fault::new(
                FaultKind::Denied,
                "access.factor_required",
                "您的角色须使用第二重验证，请先设置或验证",
                "your role demands a second factor; set one up or show it first",
            ),
        }
    }
}

/// A second factor, as its holder may see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FactorInfo {
    /// Identification.
    pub id: String,
    /// `totp` or `passkey`.
    pub kind: String,
    /// Name its holder gave it.
    pub name: String,
    /// Made at.
    pub created_at: Time,
    /// Last used at.
    pub last_used: Option<Time>,
}

/// How an account is protected, for its holder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Security {
    /// Active second factors, oldest first.
    pub factors: Vec<FactorInfo>,
    /// Recovery codes not yet used.
    pub recovery_left: u64,
    /// A role of the account, or the city, demands a second factor.
    pub required: bool,
    /// Passkeys can be used at the address of these pages.
    pub passkeys: bool,
    /// When the password was set, if that is known.
    pub password_at: Option<Time>,
}

/// A one-time code being set up.
#[derive(Clone, Debug, Serialize)]
pub struct NewTotp {
    /// Identification, to confirm it.
    pub id: String,
    /// The secret in base 32, for those who type.
    pub secret: String,
    /// The address in the QR code.
    pub uri: String,
    /// The QR code, SVG.
    pub qr: String,
}

/// A factor just added.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// The factor.
    pub factor: FactorInfo,
    /// The recovery codes that came with the first one; shown once.
    pub recovery_codes: Vec<String>,
    /// The session with its new secret.
    pub session: SignedIn,
}

/// What was shown and is to be noted as used.
pub(crate) enum Used {
    /// A factor with its new counter, and its word for the session.
    Factor(FactorRow, &'static str),
    /// The hash of a recovery code.
    Recovery(String),
}

impl Used {
    /// The word in the session's list of factors.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Used::Factor(_, word) => word,
            Used::Recovery(_) => "recovery",
        }
    }

    /// Notes the use; false when somebody was first.
    pub(crate) async fn note(&self, tx: &mut Tx, account: &str, now: Time) -> Result<bool, Fault> {
        match self {
            Used::Factor(row, _) => factors::use_factor(tx, row, now.0).await,
            Used::Recovery(hash) => factors::use_recovery(tx, account, hash, now.0).await,
        }
    }
}

fn is_active(row: &FactorRow) -> bool {
    row.kind == TOTP || row.kind == passkeys::KIND
}

fn shown(row: &FactorRow) -> FactorInfo {
    FactorInfo {
        id: row.id.clone(),
        kind: row.kind.clone(),
        name: row.name.clone(),
        created_at: Time(row.created_at),
        last_used: row.last_used.map(Time),
    }
}

/// A name for a factor, or what is wrong with it.
pub(crate) fn name(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    let length = name.chars().count();
    if (1..=NAME_LIMIT).contains(&length) && !name.contains(char::is_control) {
        return Ok(name.into());
    }
    Err(Fault::invalid_at(
        "name",
        "名称须为 1 至 64 个字",
        "a name has 1 to 64 characters",
    ))
}

/// Is there room for one more?
pub(crate) fn demand_room(rows: &[FactorRow]) -> Result<(), Fault> {
    if rows.len() < MOST {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Conflict,
        "input.conflict",
        format!("每个账号最多 {MOST} 个验证方式，请先删除不用的"),
        format!("an account has {MOST} factors at most; remove one first"),
    ))
}

impl Engine {
    /// Do these roles, or the city, demand a second factor?
    pub fn demands_second_factor(&self, roles: &[String]) -> bool {
        self.settings.second_factor_for_all || roles.iter().any(|r| self.demanding.contains(r))
    }

    /// What keeps a session of this account, opened with these factors, from anything else.
    pub(crate) fn restriction(
        &self,
        row: &AccountRow,
        used: &[String],
        now: Time,
    ) -> Result<Option<Restriction>, Fault> {
        let longest = self.settings.password_life;
        let too_old = longest.0 > 0 && row.password_at > 0 && now.0 > row.password_at + longest.0;
        let by_password = used.iter().any(|factor| factor == "pwd");
        if by_password && (row.must_change || too_old) {
            return Ok(Some(Restriction::ChangePassword));
        }
        let second = ["otp", "passkey", "recovery", "federated"];
        let has = used.iter().any(|factor| second.contains(&factor.as_str()));
        if !has && self.demands_second_factor(&roles_of(&row.roles)?) {
            return Ok(Some(Restriction::SecondFactor));
        }
        Ok(None)
    }

    /// How an account is protected.
    pub async fn security(&self, account: &str) -> Result<Security, Fault> {
        let mut reader = self.store.reader().await?;
        let row = find(&mut reader, account).await?;
        let rows = factors::factors_of(&mut reader, account).await?;
        Ok(Security {
            factors: rows.iter().filter(|r| is_active(r)).map(shown).collect(),
            recovery_left: factors::recovery_left(&mut reader, account).await?,
            required: self.demands_second_factor(&roles_of(&row.roles)?),
            passkeys: self.has_passkeys(),
            password_at: Some(row.password_at).filter(|at| *at > 0).map(Time),
        })
    }

    /// Begins a one-time code: nothing is active until its first code was shown.
    pub async fn begin_totp(&self, account: &str, given: &str) -> Result<NewTotp, Fault> {
        let given = name(given)?;
        let now = self.clock.now();
        let (id, secret) = (new_id(now), totp::secret());
        let mut tx = self.store.begin().await?;
        let row = find(&mut tx, account).await?;
        let rows = factors::factors_of(&mut tx, &row.name).await?;
        let begun = rows.iter().filter(|r| r.kind == TOTP_NEW);
        let begun: Vec<String> = begun.map(|r| r.id.clone()).collect();
        factors::remove_factors(&mut tx, &begun).await?;
        let active: Vec<FactorRow> = rows.into_iter().filter(is_active).collect();
        demand_room(&active)?;
        let factor = FactorRow {
            sealed: self.seal(&format!("factor {id}"), &secret)?,
            id: id.clone(),
            account: row.name.clone(),
            kind: TOTP_NEW.into(),
            name: given,
            created_at: now.0,
            ..FactorRow::default()
        };
        factors::insert_factor(&mut tx, &factor).await?;
        tx.commit().await?;
        let uri = totp::uri(ISSUER, &row.name, &secret);
        Ok(NewTotp {
            id,
            secret: totp::base32(&secret),
            qr: totp::qr_svg(&uri).unwrap_or_default(),
            uri,
        })
    }

    /// Makes a one-time code active by its first code; `access.wrong_factor` for another one.
    pub async fn confirm_totp(
        &self,
        token: &str,
        id: &str,
        code: &str,
        origin: &Origin,
    ) -> Result<Enrolled, Fault> {
        let now = self.clock.now();
        let session = self.session_row(token).await?;
        let mut reader = self.store.reader().await?;
        let rows = factors::factors_of(&mut reader, &session.account).await?;
        drop(reader);
        let row = rows.into_iter().find(|r| r.id == id && r.kind == TOTP_NEW);
        let mut row = row.ok_or_else(|| Fault::missing("factor"))?;
        let attempt = self.begin_factor_attempt(&session.account, origin).await?;
        let secret = self.unseal(&format!("factor {id}"), &row.sealed)?;
        let Some(step) = totp::matching_step(&secret, code, now.0, -1) else {
            let mut fault = crate::steps::wrong_factor();
            // The session itself is sound: nobody has to sign in again.
            fault.kind = FaultKind::Invalid;
            return Err(fault);
        };
        attempt.succeeded();
        row.kind = TOTP.into();
        row.counter = step;
        row.last_used = Some(now.0);
        self.enrol(token, row, None, origin).await
    }

    /// Adds a factor that proved itself to the account of a session.
    pub(crate) async fn enrol(
        &self,
        token: &str,
        row: FactorRow,
        ticket: Option<&Ticket>,
        origin: &Origin,
    ) -> Result<Enrolled, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let session = self.session_in(&mut tx, token).await?;
        let mut account = find(&mut tx, &session.account).await?;
        let rows = factors::factors_of(&mut tx, &account.name).await?;
        let begun = rows.iter().any(|r| r.id == row.id);
        if account.disabled || row.account != account.name {
            return Err(Fault::missing("factor"));
        }
        match ticket {
            Some(ticket) if ticket.mark == tickets::mark(&account.password) => {
                self.spend(&mut tx, ticket).await?;
                demand_room(&rows)?;
                factors::insert_factor(&mut tx, &row).await?;
            }
            // Begun in the store; gone or active already when it was confirmed twice.
            None if begun => factors::update_factor(&mut tx, &row).await?,
            _ => return Err(tickets::expired()),
        }
        let active = rows.iter().filter(|r| is_active(r)).count();
        account.second_factors = active as i64 + 1;
        accounts::update_account(&mut tx, &account).await?;
        let recovery_codes = match active {
            0 => self.renew_recovery(&mut tx, &account.name, now).await?,
            _ => vec![],
        };
        let word = if row.kind == TOTP {
            "otp"
        } else {
            passkeys::KIND
        };
        let session = self
            .strengthen(&mut tx, session, &account, &[word], now)
            .await?;
        let details = json!({
            "what": "second factor added", "kind": row.kind, "name": row.name, "id": row.id,
            "address": origin.address,
        });
        record_change(&mut tx, now, &account.name, &account.name, details).await?;
        tx.commit().await?;
        Ok(Enrolled {
            factor: shown(&row),
            recovery_codes,
            session,
        })
    }

    async fn renew_recovery(
        &self,
        tx: &mut Tx,
        account: &str,
        now: Time,
    ) -> Result<Vec<String>, Fault> {
        let codes = recovery::new_codes();
        let hashes: Vec<String> = codes
            .iter()
            .filter_map(|code| recovery::hash(account, code))
            .collect();
        factors::replace_recovery(tx, account, &hashes, now.0).await?;
        Ok(codes)
    }

    /// New recovery codes in place of the old ones; only for accounts with a second factor.
    pub async fn new_recovery_codes(&self, account: &str) -> Result<Vec<String>, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let row = find(&mut tx, account).await?;
        if row.second_factors == 0 {
            return Err(Fault::new(
                FaultKind::Conflict,
                "input.conflict",
                "尚未设置第二重验证，不需要恢复码",
                "there is no second factor yet, so there is nothing to recover",
            ));
        }
        let codes = self.renew_recovery(&mut tx, account, now).await?;
        let details = json!({ "what": "recovery codes renewed" });
        record_change(&mut tx, now, account, account, details).await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Gives a factor another name.
    pub async fn rename_factor(&self, account: &str, id: &str, given: &str) -> Result<(), Fault> {
        let given = name(given)?;
        let mut tx = self.store.begin().await?;
        let mut row = self.factor(&mut tx, account, id).await?;
        row.name = given;
        factors::update_factor(&mut tx, &row).await?;
        let details = json!({ "what": "second factor renamed", "id": id, "name": row.name });
        record_change(&mut tx, self.clock.now(), account, account, details).await?;
        tx.commit().await
    }

    async fn factor(
        &self,
        run: &mut impl Run,
        account: &str,
        id: &str,
    ) -> Result<FactorRow, Fault> {
        let rows = factors::factors_of(run, account).await?;
        let row = rows.into_iter().find(|row| row.id == id && is_active(row));
        row.ok_or_else(|| Fault::missing("factor"))
    }

    /// Removes a factor; the last one of an account that must have one stays (`input.conflict`).
    /// With the last one the recovery codes go too.
    pub async fn remove_factor(&self, account: &str, id: &str) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        let row = self.factor(&mut tx, account, id).await?;
        let mut holder = find(&mut tx, account).await?;
        let last = holder.second_factors <= 1;
        if last && self.demands_second_factor(&roles_of(&holder.roles)?) {
            return Err(Fault::new(
                FaultKind::Conflict,
                "input.conflict",
                "您的角色须使用第二重验证，请先添加另一个再删除这一个",
                "your role demands a second factor; add another before you remove this one",
            ));
        }
        factors::remove_factors(&mut tx, &[row.id]).await?;
        holder.second_factors = (holder.second_factors - 1).max(0);
        accounts::update_account(&mut tx, &holder).await?;
        if last {
            factors::replace_recovery(&mut tx, account, &[], 0).await?;
        }
        let details = json!({
            "what": "second factor removed", "kind": row.kind, "name": row.name, "id": id,
        });
        record_change(&mut tx, self.clock.now(), account, account, details).await?;
        tx.commit().await
    }

    /// Takes all second factors and recovery codes from an account whose holder lost them, and
    /// ends its sessions. An operator's act, with its reason.
    pub async fn reset_factors(
        &self,
        by: &Actor,
        account: &str,
        reason: &str,
    ) -> Result<u64, Fault> {
        let reason = crate::accounts::reason(reason)?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut row = find(&mut tx, account).await?;
        let rows = factors::factors_of(&mut tx, account).await?;
        let ids: Vec<String> = rows.into_iter().map(|r| r.id).collect();
        let removed = factors::remove_factors(&mut tx, &ids).await?;
        factors::replace_recovery(&mut tx, account, &[], 0).await?;
        factors::forget_devices(&mut tx, account).await?;
        row.second_factors = 0;
        row.version += 1;
        accounts::update_account(&mut tx, &row).await?;
        self.end_all_but(&mut tx, account, None).await?;
        let details = json!({
            "what": "second factors reset", "removed": removed, "reason": reason,
        });
        record_change(&mut tx, now, &by.account, account, details).await?;
        tx.commit().await?;
        Ok(removed)
    }

    /// What a typed one-time code would use, if it is right for any of these factors.
    pub(crate) fn check_code(
        &self,
        rows: &[FactorRow],
        code: &str,
        now: Time,
    ) -> Result<Option<Used>, Fault> {
        let mut used = None;
        for row in rows.iter().filter(|row| row.kind == TOTP) {
            let secret = self.unseal(&format!("factor {}", row.id), &row.sealed)?;
            if let Some(step) = totp::matching_step(&secret, code, now.0, row.counter) {
                let row = FactorRow {
                    counter: step,
                    ..row.clone()
                };
                used = Some(Used::Factor(row, "otp"));
            }
        }
        Ok(used)
    }
}
