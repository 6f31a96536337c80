//! Acting for another: which tie a session acts under, and what stands at this moment. Nothing is
//! remembered between requests: a tie revoked or over is over at the next one.

use crate::ties::tie_of;
use crate::{Deed, Engine, LEVEL_ONLINE, account_subject, level_too_low, record};
use kernel::access::{Actor, Party, Tie};
use kernel::fault::FaultKind;
use kernel::parties::{Standing, is_matter};
use kernel::{Fault, Time, numbers};
use serde::Serialize;
use serde_json::json;
use store::Run;
use store::parties::{self as rows, PartyRow, PortalAccountRow, TieRow};

/// Somebody a person may act for.
#[derive(Clone, Debug, Serialize)]
pub struct ActingOption {
    /// Identification of the tie.
    pub id: String,
    /// What ties the two.
    pub tie: String,
    /// Name for people.
    pub display: String,
    /// Unified social credit code, or a masked number.
    pub number: String,
    /// Kinds of matters; empty for all.
    pub scope: Vec<String>,
    /// To (exclusive).
    pub to: Option<Time>,
}

/// What a session acts for, and what it could.
#[derive(Clone, Debug, Serialize)]
pub struct ActingFor {
    /// The tie in use.
    pub now: Option<ActingOption>,
    /// The tie in use is over: choose anew.
    pub ended: bool,
    /// Everybody the person may act for.
    pub options: Vec<ActingOption>,
}

/// The tie the session was under no longer stands.
fn ended() -> Fault {
    Fault::new(
        FaultKind::Denied,
        "parties.tie_ended",
        "代办关系已失效或被撤销，未做任何更改；请重新选择办理身份",
        "the authority to act is over or was revoked; nothing was changed. Choose for whom you act",
    )
}

fn beyond_scope(matter: &str) -> Fault {
    Fault::new(
        FaultKind::Denied,
        "parties.beyond_scope",
        format!("授权范围不包括此类事项（{matter}），请联系授权单位"),
        format!(
            "the authority does not cover matters of this kind ({matter}); ask whom you act for"
        ),
    )
}

impl Engine {
    /// Does a tie stand at this moment, as far as tie and principal go?
    pub(crate) fn stands(
        &self,
        tie: &TieRow,
        principal: &PartyRow,
        now: Time,
    ) -> Result<bool, Fault> {
        let lasts = tie.state == "active"
            && tie.from_at <= now.0
            && tie.to_at.is_none_or(|to| now.0 < to)
            && principal.erased_at.is_none();
        if !lasts || tie.tie != "guardian_minor" {
            return Ok(lasts);
        }
        let sealed = principal.sealed.as_deref();
        let ward = sealed.map(|sealed| self.sealing.identity(&principal.id, sealed));
        Ok(ward
            .transpose()?
            .is_some_and(|ward| ward.birth.age_at(now) < 18))
    }

    /// The principal of a tie, if the holder of this account may act under it now.
    async fn principal_of(
        &self,
        run: &mut impl Run,
        row: &PortalAccountRow,
        tie: &TieRow,
    ) -> Result<Option<PartyRow>, Fault> {
        let holds = row.level >= LEVEL_ONLINE
            && row.closed_at.is_none()
            && row.party.as_ref() == Some(&tie.holder);
        if !holds {
            return Ok(None);
        }
        let Some(principal) = rows::party(run, &tie.principal).await? else {
            return Ok(None);
        };
        let stands = self.stands(tie, &principal, self.clock.now())?;
        Ok(Some(principal).filter(|_| stands))
    }

    fn party_acted_for(&self, tie: &TieRow, principal: &PartyRow) -> Result<Party, Fault> {
        let (party, display) = match (&principal.code, &principal.sealed) {
            (Some(code), _) => (code.clone(), principal.name.clone().unwrap_or_default()),
            (None, Some(sealed)) => {
                let ward = self.sealing.identity(&principal.id, sealed)?;
                (ward.number, ward.name)
            }
            (None, None) => (String::new(), String::new()),
        };
        Ok(Party {
            tie: tie_of(&tie.tie),
            party,
            display,
            document: tie.id.clone(),
        })
    }

    pub(crate) async fn stand(
        &self,
        account: &str,
        session: Option<&str>,
    ) -> Result<Standing, Fault> {
        let mut standing = Standing::default();
        let mut reader = self.store.reader().await?;
        let Some(row) = rows::account(&mut reader, account).await? else {
            return Ok(standing);
        };
        if row.closed_at.is_some() {
            return Ok(standing);
        }
        standing.proofing = row.level.clamp(0, 3) as u8;
        if row.level >= LEVEL_ONLINE
            && let Some(id) = &row.party
            && let Some(party) = rows::party(&mut reader, id).await?
            && let Some(sealed) = &party.sealed
        {
            standing.person = Some(self.sealing.identity(id, sealed)?.number);
        }
        let Some(session) = session else {
            return Ok(standing);
        };
        let Some((by, tie)) = rows::acting(&mut reader, session).await? else {
            return Ok(standing);
        };
        standing.ended = true;
        if by == account
            && let Some(tie) = rows::tie(&mut reader, &tie).await?
            && let Some(principal) = self.principal_of(&mut reader, &row, &tie).await?
        {
            standing.acts_for = Some(self.party_acted_for(&tie, &principal)?);
            standing.ended = false;
        }
        Ok(standing)
    }

    pub(crate) async fn demand(&self, actor: &Actor, matter: &str) -> Result<(), Fault> {
        debug_assert!(is_matter(matter), "{matter} is no kind of matter");
        let Some(party) = &actor.standing.acts_for else {
            return Ok(());
        };
        // A delegation among officers is not of this engine; its scope is judged elsewhere.
        if party.tie == Tie::Delegation {
            return Ok(());
        }
        let mut reader = self.store.reader().await?;
        let row = rows::account(&mut reader, &actor.account).await?;
        let tie = rows::tie(&mut reader, &party.document).await?;
        let (Some(row), Some(tie)) = (row, tie) else {
            return Err(ended());
        };
        if self.principal_of(&mut reader, &row, &tie).await?.is_none() {
            return Err(ended());
        }
        let scope = crate::ties::scope_of(&tie)?;
        if tie.tie == "agent" && !scope.iter().any(|known| known == matter) {
            return Err(beyond_scope(matter));
        }
        Ok(())
    }

    /// For whom a session acts, and for whom it could.
    pub async fn acting_for(
        &self,
        account: &str,
        session: Option<&str>,
    ) -> Result<ActingFor, Fault> {
        let standing = self.stand(account, session).await?;
        let options = self.options(account).await?;
        let now = standing.acts_for.and_then(|party| {
            options
                .iter()
                .find(|option| option.id == party.document)
                .cloned()
        });
        Ok(ActingFor {
            now,
            ended: standing.ended,
            options,
        })
    }

    async fn options(&self, account: &str) -> Result<Vec<ActingOption>, Fault> {
        let mut reader = self.store.reader().await?;
        let row = rows::account(&mut reader, account).await?;
        let Some(row) = row.filter(|row| row.closed_at.is_none()) else {
            return Ok(vec![]);
        };
        let Some(me) = row.party.clone() else {
            return Ok(vec![]);
        };
        let mut options = vec![];
        for tie in rows::ties_of(&mut reader, &me).await? {
            if tie.holder != me {
                continue;
            }
            let Some(principal) = self.principal_of(&mut reader, &row, &tie).await? else {
                continue;
            };
            let party = self.party_acted_for(&tie, &principal)?;
            let number = match principal.code {
                Some(code) => code,
                None => numbers::mask_number(&party.party),
            };
            options.push(ActingOption {
                to: self.ends_at(&tie, &principal.id, principal.sealed.as_deref())?,
                scope: crate::ties::scope_of(&tie)?,
                display: party.display,
                number,
                tie: tie.tie,
                id: tie.id,
            });
        }
        Ok(options)
    }

    /// Lets a session act under a tie, or for the person themselves again.
    pub async fn act_for(
        &self,
        actor: &Actor,
        session: &str,
        tie: Option<&str>,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        if let Some(id) = tie {
            let row = self.ensure(&mut tx, &actor.account).await?;
            if row.level < LEVEL_ONLINE {
                return Err(level_too_low(LEVEL_ONLINE));
            }
            // Somebody else's tie and one that is over look like one that never was.
            let missing = || Fault::missing("tie");
            let found = rows::tie(&mut tx, id).await?.ok_or_else(missing)?;
            let principal = self.principal_of(&mut tx, &row, &found).await?;
            principal.ok_or_else(missing)?;
        }
        rows::put_acting(&mut tx, session, &actor.account, tie, now.0).await?;
        let subject = account_subject(&actor.account);
        let details = json!({ "session": session, "document": tie });
        let deed = Deed::own(&subject, "acting_for", details).verb("act_for");
        record(&mut tx, now, actor, deed).await?;
        tx.commit().await
    }

    /// The fault of a change under a tie that is over.
    pub fn refuse_ended() -> Fault {
        ended()
    }
}
