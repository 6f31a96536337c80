//! Rights over one's own data (Personal Information Protection Law, articles 44 to 50): correction
//! is asked of an official, consent is withdrawn and an account erased by oneself. What is erased
//! is sealed away from everybody for the years in which claims may still be raised, then destroyed;
//! the audit log stays.

use crate::limits;
use crate::{Deed, Engine, account_subject, change, problem, refuse, said, too_many};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::parties::Parties;
use kernel::{Fault, Span, Time, new_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Tx;
use store::parties::{self as rows, PortalAccountRow, RequestRow};

/// How long what was erased is kept under seal (Civil Code, article 188: three years).
const HELD: Span = Span::days(3 * 366);

/// A request about one's own data.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// `correction`, `consent` (withdraw it) or `erasure`.
    pub kind: String,
    /// What is wrong and what is right, or why.
    pub text: String,
}

/// A request, as its maker and the official see it.
#[derive(Clone, Debug, Serialize)]
pub struct RequestInfo {
    /// Identification.
    pub id: String,
    /// Account that asks.
    pub account: String,
    /// Party it is about.
    pub party: Option<String>,
    /// What kind.
    pub kind: String,
    /// What is asked.
    pub text: String,
    /// `open`, `done`, `refused`.
    pub state: String,
    /// Asked at.
    pub created_at: Time,
    /// Decided at.
    pub decided_at: Option<Time>,
    /// Why.
    pub reason: Option<String>,
}

/// A page of requests.
#[derive(Clone, Debug, Serialize)]
pub struct RequestPage {
    /// In order of asking.
    pub items: Vec<RequestInfo>,
    /// Continue after.
    pub next: Option<String>,
    /// How many there are in all.
    pub total: u64,
}

impl Engine {
    fn request_info(&self, row: &RequestRow) -> Result<RequestInfo, Fault> {
        let place = format!("party_requests/{}", row.id);
        let text = row
            .sealed
            .as_deref()
            .map(|sealed| self.sealing.open_value(&place, sealed));
        Ok(RequestInfo {
            id: row.id.clone(),
            account: row.account.clone(),
            party: row.party.clone(),
            kind: row.kind.clone(),
            text: text.transpose()?.unwrap_or_default(),
            state: row.state.clone(),
            created_at: Time(row.created_at),
            decided_at: row.decided_at.map(Time),
            reason: row.reason.clone(),
        })
    }

    /// Requests of an account, newest first.
    pub async fn my_requests(&self, account: &str) -> Result<Vec<RequestInfo>, Fault> {
        let mut reader = self.store.reader().await?;
        let found = rows::requests_of(&mut reader, account).await?;
        found.iter().map(|row| self.request_info(row)).collect()
    }

    /// Makes a request. Consent and erasure take effect at once; the caller has made sure that it
    /// is the holder. Says what became of it.
    pub async fn request(&self, actor: &Actor, new: NewRequest) -> Result<RequestInfo, Fault> {
        let now = self.clock.now();
        self.limits
            .count(limits::REQUESTS, &actor.account, now)
            .map_err(too_many)?;
        let mut problems: Vec<_> = said("text", &new.text, 1000).into_iter().collect();
        if !["correction", "consent", "erasure"].contains(&new.kind.as_str()) {
            let (zh, en) = ("应为更正、撤回同意或注销", "correction, consent or erasure");
            problems.push(problem("kind", zh, en));
        }
        refuse(problems)?;
        let acts_for = actor.standing.acts_for.as_ref();
        if acts_for.is_some() {
            if new.kind != "correction" {
                return Err(Fault::invalid_at(
                    "kind",
                    "撤回同意和注销只能为本人办理，请先切换回本人身份",
                    "only for oneself; switch back to yourself first",
                ));
            }
            self.demand_matter(actor, "registration").await?;
        }
        let mut tx = self.store.begin().await?;
        let account = self.ensure(&mut tx, &actor.account).await?;
        let party = match acts_for {
            Some(party) => rows::tie(&mut tx, &party.document)
                .await?
                .map(|tie| tie.principal),
            None => account.party.clone(),
        };
        let id = new_id(now);
        let done = new.kind != "correction";
        let row = RequestRow {
            account: actor.account.clone(),
            party,
            kind: new.kind,
            sealed: Some(
                self.sealing
                    .seal(&format!("party_requests/{id}"), &new.text.trim())?,
            ),
            state: if done { "done" } else { "open" }.into(),
            created_at: now.0,
            decided_at: done.then_some(now.0),
            decided_by: done.then(|| actor.account.clone()),
            reason: None,
            id,
        };
        match row.kind.as_str() {
            "consent" => self.withdraw_consent(&mut tx, actor, account).await?,
            "erasure" => self.erase(&mut tx, actor, account).await?,
            _ => {}
        }
        rows::put_request(&mut tx, &row).await?;
        let what = "request";
        let deed = Deed::own(
            &row.id,
            what,
            json!({ "kind": row.kind, "state": row.state }),
        )
        .under(
            "行使个人信息权利",
            "《中华人民共和国个人信息保护法》第四十四条至第五十条",
        );
        change(&mut tx, now, actor, 1, None, deed).await?;
        tx.commit().await?;
        if row.kind == "erasure" {
            self.accounts.close(&actor.account).await?;
        }
        self.request_info(&row)
    }

    /// The account stays, and knows nothing of its holder any more.
    async fn withdraw_consent(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        row: PortalAccountRow,
    ) -> Result<(), Fault> {
        let mut row = self.take_phone(tx, row, "consent withdrawn").await?;
        row.level = 0;
        row.party = None;
        row.version += 1;
        rows::put_account(tx, &row).await?;
        let subject = account_subject(&row.account);
        let deed = Deed::own(&subject, "consent_withdrawn", json!({ "level": 0 }));
        change(tx, self.clock.now(), actor, row.version, None, deed).await
    }

    /// Closes the account and seals the person away. Refused while others depend on the person.
    async fn erase(&self, tx: &mut Tx, actor: &Actor, row: PortalAccountRow) -> Result<(), Fault> {
        let now = self.clock.now();
        let party = match &row.party {
            Some(id) => rows::party(tx, id).await?,
            None => None,
        };
        if let Some(mut party) = party {
            let ties = rows::ties_of(tx, &party.id).await?;
            let alive = ties
                .into_iter()
                .filter(|t| ["invited", "active"].contains(&t.state.as_str()));
            for tie in alive {
                let principal = rows::party(tx, &tie.principal).await?;
                let depends = ["representative", "guardian_minor"].contains(&tie.tie.as_str())
                    && tie.holder == party.id;
                if depends
                    && let Some(principal) = principal
                    && self.stands(&tie, &principal, now)?
                {
                    return Err(Fault::new(
                        FaultKind::Conflict,
                        "input.conflict",
                        "您仍是法定代表人或未成年人的监护人，请先到政务服务窗口办理变更，再注销账号",
                        "you still represent an enterprise or are the guardian of a minor; change that first",
                    ));
                }
                self.end_tie(tx, actor, tie, "账号注销").await?;
            }
            if let Some(sealed) = party.sealed.take() {
                let identity = self.sealing.identity(&party.id, &sealed)?;
                // Another place: nothing that reads parties can open it any more.
                let place = format!("parties/held/{}", party.id);
                party.sealed = Some(self.sealing.seal(&place, &identity)?);
            }
            party.digest = None;
            party.erased_at = Some(now.0);
            party.version += 1;
            rows::put_party(tx, &party).await?;
            let deed = Deed::own(&party.id, "erased", json!({}));
            change(tx, now, actor, party.version, None, deed).await?;
        }
        self.close_row(tx, actor, row, "erasure").await.map(|_| ())
    }

    /// Destroys what was erased and kept under seal long enough, unless a legal hold says
    /// otherwise. A job; says how many.
    pub async fn destroy_erased(&self) -> Result<u64, Fault> {
        let before = (self.clock.now() - HELD).0;
        let mut tx = self.store.begin().await?;
        let destroyed = rows::destroy_erased(&mut tx, before).await?;
        tx.commit().await?;
        Ok(destroyed)
    }

    /// Requests that wait for an official, oldest first.
    pub async fn requests(&self, after: &str, limit: usize) -> Result<RequestPage, Fault> {
        let limit = limit.clamp(1, rows::PAGE_LIMIT as usize);
        let mut reader = self.store.reader().await?;
        let found = rows::requests(&mut reader, "open", after, limit as u64).await?;
        let total = rows::count_requests(&mut reader, "open").await?;
        let next = found
            .last()
            .filter(|_| found.len() == limit)
            .map(|row| row.id.clone());
        let items: Result<Vec<RequestInfo>, Fault> =
            found.iter().map(|row| self.request_info(row)).collect();
        Ok(RequestPage {
            items: items?,
            next,
            total,
        })
    }

    /// Decides a request, with a reason its maker reads.
    pub async fn decide(
        &self,
        clerk: &Actor,
        id: &str,
        done: bool,
        reason: &str,
    ) -> Result<RequestInfo, Fault> {
        refuse(said("reason", reason, 500).into_iter().collect())?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let found = rows::request(&mut tx, id).await?;
        let mut row = found.ok_or_else(|| Fault::missing("request"))?;
        if row.state != "open" {
            return Err(Fault::new(
                FaultKind::Conflict,
                "input.conflict",
                "该申请已经办结",
                "the request is decided already",
            ));
        }
        if row.account == clerk.account {
            return Err(Fault::invalid_at(
                "account",
                "不能办理本人的申请",
                "nobody decides their own request",
            ));
        }
        row.state = if done { "done" } else { "refused" }.into();
        row.decided_at = Some(now.0);
        row.decided_by = Some(clerk.account.clone());
        row.reason = Some(reason.trim().into());
        rows::put_request(&mut tx, &row).await?;
        let deed = Deed::official(clerk, &row.id, "decided", json!({ "state": row.state }));
        change(&mut tx, now, clerk, 2, None, deed).await?;
        tx.commit().await?;
        self.request_info(&row)
    }
}
