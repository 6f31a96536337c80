//! Recovery of a resident's account: by a code to its proven number, and, once the person is
//! proven, number and name of their document. Whatever is wrong gets one answer.

use crate::codes::{Sent, Wanted, wrong_code};
use crate::{
    Deed, Engine, LEVEL_COUNTER, LEVEL_ONLINE, account_subject, actor_of, change, problem,
};
use kernel::parties::{Claim, NewResident};
use kernel::{Fault, numbers};
use serde::Deserialize;
use serde_json::json;
use store::parties::{self as rows, PortalAccountRow};

/// A new password for an account.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// The challenge answered.
    pub challenge: String,
    /// The code received.
    pub code: String,
    /// New password.
    pub password: String,
    /// The holder's document, where the account is proven to level 2 or 3.
    #[serde(default)]
    pub identity: Option<Claim>,
}

fn wrong_mobile(at: &str) -> Fault {
    Fault::invalid_at(
        at,
        "请填写 11 位手机号",
        "a mobile number of 11 digits is needed",
    )
}

/// A mobile number as typed, or what is wrong with it.
pub(crate) fn mobile(text: &str) -> Result<String, Fault> {
    numbers::mobile(text).ok_or_else(|| wrong_mobile("phone"))
}

impl Engine {
    /// Sends a code to a number that is proven for an account. The answer is the same when it is
    /// not.
    pub async fn begin_recovery(&self, phone: &str, address: &str) -> Result<Sent, Fault> {
        let mobile = mobile(phone)?;
        let digest = self.sealing.phone_digest(&mobile);
        let mut reader = self.store.reader().await?;
        let found = rows::account_by_phone(&mut reader, &digest).await?;
        drop(reader);
        self.send_code(Wanted {
            purpose: "recovery",
            account: found.as_ref().map(|row| row.account.as_str()),
            mobile: &mobile,
            address,
            send: found.is_some(),
        })
        .await
    }

    /// Sets a new password, ends every session, and answers the account's name. An account proven
    /// at a counter falls to level 2: whoever recovered it was not seen.
    pub async fn recover(&self, input: Recovery, address: &str) -> Result<String, Fault> {
        let candidate = NewResident {
            name: String::new(),
            display: String::new(),
            password: input.password.clone(),
        };
        let mut problems = self.accounts.problems(&candidate);
        problems.retain(|p| p.at == "password");
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        let (code, _) = self
            .answered("recovery", None, &input.challenge, &input.code, address)
            .await?;
        let account = code.account.as_deref().ok_or_else(wrong_code)?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let found = rows::account(&mut tx, account).await?;
        let open = found.filter(|row| {
            // The number may have been proven for somebody else meanwhile.
            row.closed_at.is_none() && row.phone_digest.as_ref() == Some(&code.phone_digest)
        });
        let mut row = open.ok_or_else(wrong_code)?;
        if row.level >= LEVEL_ONLINE && !self.is_holder(&mut tx, &row, &input).await? {
            let subject = account_subject(account);
            let deed = Deed::own(&subject, "recovery", json!({})).outcome("denied");
            crate::record(&mut tx, now, &actor_of(account), deed).await?;
            tx.commit().await?;
            return Err(wrong_code());
        }
        self.use_code(&mut tx, &code.id).await?;
        let fell = row.level == LEVEL_COUNTER;
        row.level = row.level.min(LEVEL_ONLINE);
        row.version += 1;
        rows::put_account(&mut tx, &row).await?;
        let subject = account_subject(account);
        let deed = Deed::own(
            &subject,
            "recovered",
            json!({ "level": row.level, "fell": fell }),
        );
        change(&mut tx, now, &actor_of(account), row.version, None, deed).await?;
        tx.commit().await?;
        self.accounts.set_password(account, &input.password).await?;
        Ok(account.into())
    }

    /// Is the document given the one this account was proven by?
    async fn is_holder(
        &self,
        tx: &mut store::Tx,
        row: &PortalAccountRow,
        input: &Recovery,
    ) -> Result<bool, Fault> {
        let Some(claim) = &input.identity else {
            return Ok(false);
        };
        let Ok(identity) = claim.check(self.clock.now()) else {
            return Ok(false);
        };
        let Some(id) = &row.party else {
            return Ok(false);
        };
        let party = rows::party(tx, id).await?;
        let known = party.and_then(|party| party.sealed);
        let known = known
            .map(|sealed| self.sealing.identity(id, &sealed))
            .transpose()?;
        Ok(known.is_some_and(|known| {
            (known.document, &known.number, &known.name)
                == (identity.document, &identity.number, &identity.name)
        }))
    }

    /// Sends a code to the number the holder of an account wants proven.
    pub async fn begin_phone(
        &self,
        account: &str,
        phone: &str,
        address: &str,
    ) -> Result<Sent, Fault> {
        let mobile = mobile(phone)?;
        self.send_code(Wanted {
            purpose: "phone",
            account: Some(account),
            mobile: &mobile,
            address,
            send: true,
        })
        .await
    }

    /// Proves a number by the code sent to it, and raises the account to level 1. A number proves
    /// one account: it leaves the account it was proven for before, because mobile numbers are
    /// given out again.
    pub async fn prove_phone(
        &self,
        account: &str,
        challenge: &str,
        code: &str,
        address: &str,
    ) -> Result<i64, Fault> {
        let (sent, mobile) = self
            .answered("phone", Some(account), challenge, code, address)
            .await?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut row = self.ensure(&mut tx, account).await?;
        if let Some(other) = rows::account_by_phone(&mut tx, &sent.phone_digest).await?
            && other.account != account
        {
            let why = "the number was proven for another account";
            self.take_phone(&mut tx, other, why).await?;
        }
        self.use_code(&mut tx, &sent.id).await?;
        row.phone = Some(
            self.sealing
                .seal(&format!("portal_accounts/{account}"), &mobile)?,
        );
        row.phone_digest = Some(sent.phone_digest);
        row.phone_at = Some(now.0);
        row.level = row.level.max(crate::LEVEL_PHONE);
        row.version += 1;
        rows::put_account(&mut tx, &row).await?;
        let subject = account_subject(account);
        let deed = Deed::own(&subject, "phone_proven", json!({ "level": row.level }));
        change(&mut tx, now, &actor_of(account), row.version, None, deed).await?;
        tx.commit().await?;
        Ok(row.level)
    }

    /// Takes a number away from an account; level 1 rests on it and falls.
    pub(crate) async fn take_phone(
        &self,
        tx: &mut store::Tx,
        mut row: PortalAccountRow,
        why: &str,
    ) -> Result<PortalAccountRow, Fault> {
        let before = row.phone.take();
        row.phone_digest = None;
        row.phone_at = None;
        if row.level == crate::LEVEL_PHONE {
            row.level = 0;
        }
        row.version += 1;
        rows::put_account(tx, &row).await?;
        let subject = account_subject(&row.account);
        let details = json!({ "level": row.level, "reason": why });
        let deed = Deed::own(&subject, "phone_removed", details);
        let by = actor_of(&row.account);
        change(tx, self.clock.now(), &by, row.version, before, deed).await?;
        Ok(row)
    }

    /// The proven mobile number of an account.
    pub(crate) fn phone_of(&self, row: &PortalAccountRow) -> Result<Option<String>, Fault> {
        let place = format!("portal_accounts/{}", row.account);
        let phone = row.phone.as_deref();
        phone
            .map(|sealed| self.sealing.open_value(&place, sealed))
            .transpose()
    }
}

/// Level 2 needs a mobile number that is the holder's.
pub(crate) fn no_phone() -> Fault {
    Fault::invalid(vec![problem(
        "phone",
        "请先验证本人手机号",
        "please prove your mobile number first",
    )])
}
