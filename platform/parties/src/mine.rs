//! My identity: what is held about the holder of an account, masked; in full to themselves after
//! they showed their password again; and all of it as a file (Personal Information Protection Law,
//! articles 44 and 45).

use crate::desk::Revealed;
use crate::ties::TieInfo;
use crate::{Deed, Engine, RequestInfo, account_subject, record};
use kernel::access::Actor;
use kernel::{Fault, Time, numbers};
use serde::Serialize;
use serde_json::{Value, json};
use store::Run;
use store::parties::{self as rows, PortalAccountRow, StepRow};

const PURPOSE: &str = "本人查阅、复制个人信息";
const BASIS: &str = "《中华人民共和国个人信息保护法》第四十五条";

/// A step of a history, as it may be shown.
#[derive(Clone, Debug, Serialize)]
pub struct StepInfo {
    /// When.
    pub at: Time,
    /// What was done.
    pub what: String,
    /// By whom.
    pub by: String,
    /// Particulars.
    pub details: Value,
}

/// Natural person behind an account, masked.
#[derive(Clone, Debug, Serialize)]
pub struct MinePerson {
    /// Identification of the party.
    pub id: String,
    /// Kind of document.
    pub document: String,
    /// Masked number.
    pub number: String,
    /// Masked name.
    pub name: String,
}

/// What the holder of an account sees of it.
#[derive(Clone, Debug, Serialize)]
pub struct Mine {
    /// Account name.
    pub account: String,
    /// Level of proof.
    pub level: i64,
    /// Masked mobile number.
    pub phone: Option<String>,
    /// Proven at.
    pub phone_at: Option<Time>,
    /// The person, once proven.
    pub person: Option<MinePerson>,
    /// What this city can do at present.
    pub means: Value,
    /// How the account came to its level.
    pub history: Vec<StepInfo>,
}

/// Everything held about a person, for themselves.
#[derive(Serialize)]
pub struct Export {
    /// When it was put together.
    pub at: Time,
    /// Account name.
    pub account: String,
    /// Level of proof.
    pub level: i64,
    /// The data in full.
    pub data: Revealed,
    /// Every tie.
    pub ties: Vec<TieInfo>,
    /// Every request made.
    pub requests: Vec<RequestInfo>,
    /// Every step.
    pub history: Vec<StepInfo>,
}

pub(crate) fn steps_shown(steps: Vec<StepRow>) -> Vec<StepInfo> {
    let shown = |step: StepRow| StepInfo {
        at: Time(step.at),
        what: step.what,
        by: step.by_account,
        details: serde_json::from_str(&step.details).unwrap_or(Value::Null),
    };
    steps.into_iter().map(shown).collect()
}

impl Engine {
    async fn account_row(
        &self,
        run: &mut impl Run,
        account: &str,
    ) -> Result<PortalAccountRow, Fault> {
        let row = rows::account(run, account).await?;
        let blank = || crate::register::blank(account, self.clock.now());
        Ok(row.unwrap_or_else(blank))
    }

    /// What is held about the holder of this account, masked.
    pub async fn mine(&self, account: &str) -> Result<Mine, Fault> {
        let mut reader = self.store.reader().await?;
        let row = self.account_row(&mut reader, account).await?;
        let person = match &row.party {
            Some(id) => rows::party(&mut reader, id).await?,
            None => None,
        };
        let person = person.filter(|party| party.erased_at.is_none());
        let person = match person {
            Some(party) => match &party.sealed {
                Some(sealed) => {
                    let identity = self.sealing.identity(&party.id, sealed)?;
                    Some(MinePerson {
                        number: numbers::mask_number(&identity.number),
                        name: numbers::mask_name(&identity.name),
                        document: party.document,
                        id: party.id,
                    })
                }
                None => None,
            },
            None => None,
        };
        let steps = rows::steps(&mut reader, &account_subject(account)).await?;
        Ok(Mine {
            account: account.into(),
            level: row.level,
            phone: self
                .phone_of(&row)?
                .map(|phone| numbers::mask_mobile(&phone)),
            phone_at: row.phone_at.map(Time),
            person,
            means: self.means(),
            history: steps_shown(steps),
        })
    }

    /// The data of an account in full.
    async fn in_full(&self, run: &mut impl Run, row: &PortalAccountRow) -> Result<Revealed, Fault> {
        let party = match &row.party {
            Some(id) => rows::party(run, id).await?,
            None => None,
        };
        let party = party.filter(|party| party.erased_at.is_none());
        let identity = match party {
            Some(party) => match &party.sealed {
                Some(sealed) => Some(self.sealing.identity(&party.id, sealed)?),
                None => None,
            },
            None => None,
        };
        Ok(Revealed {
            identity,
            phone: self.phone_of(row)?,
            account: Some(row.account.clone()),
            level: row.level,
        })
    }

    /// The data of an account in full, for engines that handle its matters and write down
    /// themselves what they used. Nothing is logged here, so no route may answer with it.
    pub async fn person_of(&self, account: &str) -> Result<Revealed, Fault> {
        let mut reader = self.store.reader().await?;
        let row = self.account_row(&mut reader, account).await?;
        self.in_full(&mut reader, &row).await
    }

    /// One's own data in full; the caller has made sure that it is them. Written down.
    pub async fn reveal_mine(&self, actor: &Actor) -> Result<Revealed, Fault> {
        let mut tx = self.store.begin().await?;
        let row = self.account_row(&mut tx, &actor.account).await?;
        let revealed = self.in_full(&mut tx, &row).await?;
        let subject = account_subject(&actor.account);
        let details = json!({ "fields": ["number", "name", "birth", "phone"] });
        let deed = Deed::own(&subject, "revealed", details)
            .verb("read")
            .under(PURPOSE, BASIS);
        record(&mut tx, self.clock.now(), actor, deed).await?;
        tx.commit().await?;
        Ok(revealed)
    }

    /// Everything held about the holder of an account. Written down.
    pub async fn export_mine(&self, actor: &Actor) -> Result<Export, Fault> {
        let now = self.clock.now();
        let ties = self.ties(&actor.account).await?;
        let requests = self.my_requests(&actor.account).await?;
        let mut tx = self.store.begin().await?;
        let row = self.account_row(&mut tx, &actor.account).await?;
        let data = self.in_full(&mut tx, &row).await?;
        let subject = account_subject(&actor.account);
        let steps = rows::steps(&mut tx, &subject).await?;
        let details = json!({ "fields": ["number", "name", "birth", "phone", "ties", "requests", "history"] });
        let deed = Deed::own(&subject, "exported", details)
            .verb("export")
            .under(PURPOSE, BASIS);
        record(&mut tx, now, actor, deed).await?;
        tx.commit().await?;
        Ok(Export {
            at: now,
            account: row.account,
            level: row.level,
            data,
            ties,
            requests,
            history: steps_shown(steps),
        })
    }
}
