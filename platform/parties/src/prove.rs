//! Proof of identity: on line against the register of persons, or at a counter by an official who
//! saw person and document. One person has one account; who tries to prove a second one learns no
//! more than that it did not work.

use crate::desk::CounterProof;
use crate::limits;
use crate::recover::no_phone;
use crate::{
    Deed, Engine, LEVEL_COUNTER, LEVEL_ONLINE, LEVEL_PHONE, account_subject, actor_of, change,
    level_too_low, problem, record, refuse, said, too_many,
};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::parties::{Claim, Identity, Verdict};
use kernel::{Fault, new_id};
use serde_json::json;
use store::Tx;
use store::parties::{self as rows, PartyRow, PortalAccountRow};

/// Below this age consent of a guardian is needed (Personal Information Protection Law, 31).
const CONSENT_AGE: i16 = 14;

/// The data do not belong together, or the person has an account: which of them is not told.
fn not_proven() -> Fault {
    Fault::new(
        FaultKind::Invalid,
        "parties.not_proven",
        "未能核验通过。可能是姓名、号码与手机号机主不一致，也可能您已有实名账号（可用“找回账号”登录）；仍有疑问请携证件到政务服务窗口办理",
        "the identity was not confirmed. Name, number and holder of the mobile number may not belong \
         together, or you may have a proven account already (recover it instead); a counter can help",
    )
}

fn proven_as_another() -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "input.conflict",
        "本账号已实名为另一证件，如需变更请携证件到政务服务窗口办理",
        "this account is proven by another document; to change it come to a counter",
    )
}

impl Engine {
    /// Proves the holder of an account on line, to level 2.
    pub async fn prove_online(&self, actor: &Actor, claim: &Claim) -> Result<i64, Fault> {
        let now = self.clock.now();
        let account = actor.account.as_str();
        if !self.prover.is_ready() {
            return Err(crate::codes::unavailable(
                "在线实名核验",
                "proving an identity on line",
            ));
        }
        let identity = claim.check(now).map_err(Fault::invalid)?;
        if identity.birth.age_at(now) < CONSENT_AGE {
            return Err(Fault::invalid_at(
                "number",
                "不满十四周岁的未成年人由监护人代为办理",
                "for a child under fourteen a guardian acts",
            ));
        }
        self.limits
            .count(limits::PROOFS, account, now)
            .map_err(too_many)?;
        let mut reader = self.store.reader().await?;
        let row = rows::account(&mut reader, account).await?;
        drop(reader);
        let row = row.filter(|row| row.closed_at.is_none() && row.level >= LEVEL_PHONE);
        let row = row.ok_or_else(|| level_too_low(LEVEL_PHONE))?;
        let mobile = self.phone_of(&row)?.ok_or_else(no_phone)?;
        let verdict = self.prover.prove(&identity, &mobile).await?;
        let mut tx = self.store.begin().await?;
        let row = self.open_account(&mut tx, account).await?;
        let subject = account_subject(account);
        let other = self.another_account(&mut tx, &identity, account).await?;
        if verdict == Verdict::NoMatch || other.is_some() {
            let details = json!({ "method": "online" });
            let deed = Deed::own(&subject, "proof", details).outcome("denied");
            record(&mut tx, now, actor, deed).await?;
            tx.commit().await?;
            if verdict == Verdict::Match
                && let Some(phone) = other.map(|row| self.phone_of(&row)).transpose()?.flatten()
            {
                self.post(&phone, "【冀城】有人正以您的身份信息办理实名核验，未予通过。如非本人操作，请检查您的账号。".into());
            }
            return Err(not_proven());
        }
        let party = self.proven_party(&mut tx, actor, &identity).await?;
        if row.party.as_ref().is_some_and(|known| *known != party.id) {
            return Err(proven_as_another());
        }
        let level = row.level.max(LEVEL_ONLINE);
        self.bind(&mut tx, actor, row, &party, level, "online")
            .await?;
        tx.commit().await?;
        Ok(level)
    }

    /// Proves the holder of an account at a counter, to level 3. Who already has an account keeps
    /// one of the two: with `replace` this one.
    pub async fn prove_at_counter(
        &self,
        clerk: &Actor,
        proof: &CounterProof,
    ) -> Result<i64, Fault> {
        let now = self.clock.now();
        let mut problems: Vec<_> = said("purpose", &proof.purpose, 200).into_iter().collect();
        problems.extend(said("document_seen", &proof.document_seen, 200));
        let identity = match proof.identity.check(now) {
            Ok(identity) => Some(identity),
            Err(more) => {
                problems.extend(more);
                None
            }
        };
        let account = self.login_name(proof.account.trim()).await?;
        if account == clerk.account {
            problems.push(problem(
                "account",
                "不能为本人账号办理窗口核验",
                "nobody proves their own account",
            ));
        }
        refuse(problems)?;
        let Some(identity) = identity else {
            return Err(Fault::internal("checking a claim", "no identity"));
        };
        if !self.accounts.exists(&account).await? {
            return Err(Fault::missing("account"));
        }
        let mut tx = self.store.begin().await?;
        let row = self.ensure(&mut tx, &account).await?;
        let other = self.another_account(&mut tx, &identity, &account).await?;
        if other.is_some() && !proof.replace {
            return Err(Fault::new(
                FaultKind::Conflict,
                "parties.one_account",
                "此人已有实名账号；经本人确认后可选择“停用原账号”再办理",
                "this person has a proven account; with their consent choose to close it",
            ));
        }
        let party = self.proven_party(&mut tx, clerk, &identity).await?;
        if row.party.as_ref().is_some_and(|known| *known != party.id) && !proof.replace {
            return Err(proven_as_another());
        }
        let closed = match other {
            Some(other) => Some(
                self.close_row(&mut tx, clerk, other, &proof.purpose)
                    .await?,
            ),
            None => None,
        };
        let details = json!({
            "method": "counter", "document_seen": proof.document_seen, "stated_purpose": proof.purpose,
        });
        self.bind_with(&mut tx, clerk, row, &party, LEVEL_COUNTER, details)
            .await?;
        tx.commit().await?;
        if let Some(closed) = closed {
            self.accounts.close(&closed).await?;
        }
        Ok(LEVEL_COUNTER)
    }

    /// Lowers the level of an account, with a reason. Below 2 it belongs to nobody in particular.
    pub async fn withdraw(
        &self,
        by: &Actor,
        account: &str,
        level: i64,
        reason: &str,
    ) -> Result<i64, Fault> {
        let mut problems: Vec<_> = said("reason", reason, 200).into_iter().collect();
        let mut tx = self.store.begin().await?;
        let mut row = self.open_account(&mut tx, account).await?;
        if !(0..row.level).contains(&level) {
            problems.push(problem(
                "level",
                "只能降低核验等级",
                "the level can only be lowered",
            ));
        }
        refuse(problems)?;
        if level < LEVEL_PHONE {
            row = self.take_phone(&mut tx, row, reason).await?;
        }
        row.level = level;
        if level < LEVEL_ONLINE {
            row.party = None;
        }
        row.version += 1;
        rows::put_account(&mut tx, &row).await?;
        let subject = account_subject(account);
        let details = json!({ "level": level, "reason": reason });
        let deed = Deed::official(by, &subject, "proof_withdrawn", details);
        change(&mut tx, self.clock.now(), by, row.version, None, deed).await?;
        tx.commit().await?;
        Ok(level)
    }

    /// The open account of this person, if it is another one.
    async fn another_account(
        &self,
        tx: &mut Tx,
        identity: &Identity,
        account: &str,
    ) -> Result<Option<PortalAccountRow>, Fault> {
        let digest = self
            .sealing
            .person_digest(identity.document, &identity.number);
        let Some(party) = rows::party_by_digest(tx, &digest).await? else {
            return Ok(None);
        };
        let other = rows::account_of_party(tx, &party.id).await?;
        Ok(other.filter(|row| row.account != account))
    }

    /// Binds an account to the person it is proven to belong to.
    async fn bind(
        &self,
        tx: &mut Tx,
        by: &Actor,
        row: PortalAccountRow,
        party: &PartyRow,
        level: i64,
        method: &str,
    ) -> Result<(), Fault> {
        let details = json!({ "method": method, "demonstration": self.prover.is_demonstration() });
        self.bind_with(tx, by, row, party, level, details).await
    }

    async fn bind_with(
        &self,
        tx: &mut Tx,
        by: &Actor,
        mut row: PortalAccountRow,
        party: &PartyRow,
        level: i64,
        mut details: serde_json::Value,
    ) -> Result<(), Fault> {
        row.party = Some(party.id.clone());
        row.level = level;
        row.version += 1;
        rows::put_account(tx, &row).await?;
        details["level"] = level.into();
        details["party"] = party.id.as_str().into();
        let subject = account_subject(&row.account);
        let deed = match by.account == row.account {
            true => Deed::own(&subject, "proven", details),
            false => Deed::official(by, &subject, "proven", details),
        };
        change(tx, self.clock.now(), by, row.version, None, deed).await
    }

    /// The party of a verified identity: made, or corrected by what was verified.
    pub(crate) async fn proven_party(
        &self,
        tx: &mut Tx,
        by: &Actor,
        identity: &Identity,
    ) -> Result<PartyRow, Fault> {
        let (mut row, made) = self.party_of(tx, identity).await?;
        let known = row
            .sealed
            .as_deref()
            .map(|sealed| self.sealing.identity(&row.id, sealed));
        let same = known.transpose()?.is_some_and(|known| known == *identity);
        if row.proven && same {
            return Ok(row);
        }
        let before = row.sealed.take().filter(|_| !made);
        row.sealed = Some(self.sealing.seal_identity(&row.id, identity)?);
        row.proven = true;
        row.version += 1;
        rows::put_party(tx, &row).await?;
        let deed = Deed::own(&row.id, "party_proven", json!({ "made": made }));
        change(tx, self.clock.now(), by, row.version, before, deed).await?;
        Ok(row)
    }

    /// The party of an identity, made when it is not known; says whether it was made.
    pub(crate) async fn party_of(
        &self,
        tx: &mut Tx,
        identity: &Identity,
    ) -> Result<(PartyRow, bool), Fault> {
        let digest = self
            .sealing
            .person_digest(identity.document, &identity.number);
        if let Some(row) = rows::party_by_digest(tx, &digest).await? {
            return Ok((row, false));
        }
        let now = self.clock.now();
        let id = new_id(now);
        let row = PartyRow {
            kind: "natural".into(),
            document: identity.document.word().into(),
            digest: Some(digest),
            code: None,
            name: None,
            sealed: Some(self.sealing.seal_identity(&id, identity)?),
            proven: false,
            created_at: now.0,
            erased_at: None,
            version: 1,
            id,
        };
        rows::put_party(tx, &row).await?;
        Ok((row, true))
    }

    /// Closes an account in the tables of this engine; its name is answered, to be closed with
    /// identity too.
    pub(crate) async fn close_row(
        &self,
        tx: &mut Tx,
        by: &Actor,
        mut row: PortalAccountRow,
        reason: &str,
    ) -> Result<String, Fault> {
        let now = self.clock.now();
        let before = row.phone.take();
        row.phone_digest = None;
        row.closed_at = Some(now.0);
        row.level = 0;
        row.version += 1;
        rows::put_account(tx, &row).await?;
        let subject = account_subject(&row.account);
        let deed = Deed::official(by, &subject, "closed", json!({ "reason": reason }));
        let by = if by.account.is_empty() {
            &actor_of(&row.account)
        } else {
            by
        };
        change(tx, now, by, row.version, before, deed).await?;
        Ok(row.account)
    }
}
