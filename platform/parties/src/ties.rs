//! Ties: an enterprise's or a person's agent, a guardian. Made by whoever they bind, accepted by
//! whoever will act, revoked by either where the law lets them; each with its document, its
//! period, and a history. A tie that is not one's own does not exist.

use crate::limits;
use crate::{Deed, Engine, LEVEL_ONLINE, change, level_too_low, problem, refuse, said, too_many};
use kernel::access::{Actor, Tie};
use kernel::fault::FaultKind;
use kernel::parties::{Claim, Identity, Verdict, is_matter};
use kernel::{Fault, Problem, Span, Time, new_id, numbers};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::parties::{self as rows, PartyRow, TieRow};
use store::{Run, Tx};

/// Agents one party may have at a time.
const AGENTS: usize = 200;
/// Days an authority may last, at most.
const LONGEST_DAYS: u32 = 1095;
/// Age from which somebody may hand their affairs over by a letter of proxy as an elder (Law on
/// the Protection of the Rights of the Elderly, article 2).
const ELDER_AGE: i16 = 60;

/// An agent to be authorised, or a guardian chosen by an elder.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAgent {
    /// Party acted for: an enterprise one represents; absent for oneself.
    #[serde(default)]
    pub principal: Option<String>,
    /// Who is to act: document, number and name.
    pub identity: Claim,
    /// Kinds of matters of [`kernel::parties::MATTERS`].
    #[serde(default)]
    pub scope: Vec<String>,
    /// Days it lasts, 1 to 1095.
    pub days: u32,
    /// Identification of the letter of authority.
    pub evidence: String,
    /// An elder chooses a guardian for all matters, instead of an agent for some.
    #[serde(default)]
    pub guardian: bool,
}

/// A minor somebody is the guardian of.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWard {
    /// The minor.
    pub identity: Claim,
    /// Identification of the document: birth certificate, household register, appointment.
    pub evidence: String,
}

/// A tie as one of its two sides may see it.
#[derive(Clone, Debug, Serialize)]
pub struct TieInfo {
    /// Identification.
    pub id: String,
    /// `representative`, `agent`, `guardian_minor`, `guardian_elder`.
    pub tie: String,
    /// `holder` for who acts, `principal` for who is acted for.
    pub side: &'static str,
    /// The other side: a legal person's name, or a masked name.
    pub other: String,
    /// Its code or masked number.
    pub number: String,
    /// Party acted for.
    pub principal: String,
    /// Kinds of matters; empty for all.
    pub scope: Vec<String>,
    /// `invited`, `active`, `over`, `declined`, `revoked`.
    pub state: &'static str,
    /// From.
    pub from: Time,
    /// To (exclusive).
    pub to: Option<Time>,
    /// Identification of its document.
    pub evidence: String,
    /// Made at.
    pub created_at: Time,
    /// Ended at.
    pub ended_at: Option<Time>,
    /// Why it was ended.
    pub reason: Option<String>,
    /// Number of changes, from 1.
    pub version: i64,
}

/// The kernel's word for a kind of tie.
pub(crate) fn tie_of(word: &str) -> Tie {
    match word {
        "representative" => Tie::Representative,
        "agent" => Tie::Agent,
        _ => Tie::Guardian,
    }
}

/// Kinds of matters of a tie.
pub(crate) fn scope_of(tie: &TieRow) -> Result<Vec<String>, Fault> {
    serde_json::from_str(&tie.scope).map_err(|e| Fault::internal("reading a scope", e))
}

fn missing() -> Fault {
    Fault::missing("tie")
}

fn denied(zh: &str, en: &str) -> Fault {
    Fault::new(FaultKind::Denied, "access.denied", zh, en)
}

fn exists() -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "input.conflict",
        "已有相同的关系，无需重复办理",
        "there is such a tie already",
    )
}

/// A tie before it is written.
pub(crate) struct Draft<'a> {
    pub(crate) tie: &'static str,
    pub(crate) holder: &'a str,
    pub(crate) principal: &'a str,
    pub(crate) scope: Vec<String>,
    pub(crate) name: Option<&'a str>,
    pub(crate) evidence: &'a str,
    pub(crate) days: Option<u32>,
    pub(crate) active: bool,
}

impl Engine {
    /// The party behind an account proven to level 2 or 3.
    pub(crate) async fn proven(
        &self,
        run: &mut impl Run,
        account: &str,
    ) -> Result<PartyRow, Fault> {
        let row = rows::account(run, account).await?;
        let open = row.filter(|row| row.closed_at.is_none() && row.level >= LEVEL_ONLINE);
        let id = open.and_then(|row| row.party);
        let id = id.ok_or_else(|| level_too_low(LEVEL_ONLINE))?;
        rows::party(run, &id)
            .await?
            .ok_or_else(|| level_too_low(LEVEL_ONLINE))
    }

    fn identity_of(&self, party: &PartyRow) -> Result<Identity, Fault> {
        let sealed = party.sealed.as_deref().ok_or_else(missing)?;
        self.sealing.identity(&party.id, sealed)
    }

    /// Writes a new tie with its history.
    pub(crate) async fn tie_up(
        &self,
        tx: &mut Tx,
        by: &Actor,
        draft: Draft<'_>,
    ) -> Result<TieRow, Fault> {
        let now = self.clock.now();
        let standing = rows::ties_for(tx, draft.principal, draft.tie).await?;
        let alive = |tie: &&TieRow| tie.to_at.is_none_or(|to| now.0 < to);
        let standing: Vec<&TieRow> = standing.iter().filter(alive).collect();
        if standing.iter().any(|tie| tie.holder == draft.holder) {
            return Err(exists());
        }
        if standing.len() >= AGENTS {
            return Err(Fault::invalid_at(
                "identity",
                format!("同时有效的授权最多 {AGENTS} 项"),
                format!("at most {AGENTS} at a time"),
            ));
        }
        let id = new_id(now);
        let note = draft
            .name
            .map(|name| self.sealing.seal(&format!("party_ties/{id}"), &name));
        let row = TieRow {
            tie: draft.tie.into(),
            holder: draft.holder.into(),
            principal: draft.principal.into(),
            scope: json!(draft.scope).to_string(),
            note: note.transpose()?,
            evidence: draft.evidence.trim().into(),
            by_account: by.account.clone(),
            from_at: now.0,
            to_at: draft.days.map(|days| (now + Span::days(i64::from(days))).0),
            state: if draft.active { "active" } else { "invited" }.into(),
            created_at: now.0,
            accepted_at: draft.active.then_some(now.0),
            ended_at: None,
            ended_by: None,
            reason: None,
            version: 1,
            id,
        };
        rows::put_tie(tx, &row).await?;
        self.step(tx, by, &row, "tie_made").await?;
        Ok(row)
    }

    /// A step in the history of a tie.
    async fn step(&self, tx: &mut Tx, by: &Actor, row: &TieRow, what: &str) -> Result<(), Fault> {
        let details = json!({
            "tie": row.tie, "holder": row.holder, "principal": row.principal, "state": row.state,
            "scope": row.scope, "evidence": row.evidence, "to": row.to_at.map(Time), "reason": row.reason,
        });
        let deed = match by.grant.purpose.is_empty() {
            true => Deed::own(&row.id, what, details),
            false => Deed::official(by, &row.id, what, details),
        };
        change(tx, self.clock.now(), by, row.version, None, deed).await
    }

    /// Authorises an agent; the agent then accepts or declines. Whether the agent has an account
    /// is not told.
    pub async fn invite_agent(&self, actor: &Actor, new: NewAgent) -> Result<TieInfo, Fault> {
        let now = self.clock.now();
        self.limits
            .count(limits::TIES, &actor.account, now)
            .map_err(too_many)?;
        let mut problems = agent_problems(&new);
        let identity = match new.identity.check(now) {
            Ok(identity) => {
                if identity.birth.age_at(now) < 18 {
                    problems.push(problem("number", "须年满十八周岁", "must be of age"));
                }
                Some(identity)
            }
            Err(more) => {
                problems.extend(more);
                None
            }
        };
        refuse(problems)?;
        let Some(identity) = identity else {
            return Err(Fault::internal("checking a claim", "no identity"));
        };
        let mut tx = self.store.begin().await?;
        let me = self.proven(&mut tx, &actor.account).await?;
        let principal = match new.principal.as_deref() {
            None => me.clone(),
            Some(id) => self.represented(&mut tx, &me, id).await?,
        };
        if new.guardian {
            self.demand_elder(&principal, now)?;
        }
        let (holder, _) = self.party_of(&mut tx, &identity).await?;
        if holder.id == me.id {
            return Err(Fault::invalid_at(
                "number",
                "不能授权本人",
                "nobody authorises themselves",
            ));
        }
        let draft = Draft {
            tie: if new.guardian {
                "guardian_elder"
            } else {
                "agent"
            },
            holder: &holder.id,
            principal: &principal.id,
            scope: new.scope,
            name: Some(&identity.name),
            evidence: &new.evidence,
            days: Some(new.days),
            active: false,
        };
        let row = self.tie_up(&mut tx, actor, draft).await?;
        tx.commit().await?;
        self.tie_info(&row, "principal", &holder)
    }

    fn demand_elder(&self, principal: &PartyRow, now: Time) -> Result<(), Fault> {
        let elder =
            principal.code.is_none() && self.identity_of(principal)?.birth.age_at(now) >= ELDER_AGE;
        if elder {
            return Ok(());
        }
        Err(Fault::invalid_at(
            "guardian",
            "年满六十周岁的老年人方可为本人选定代办监护人",
            "only somebody of sixty or more chooses a guardian for themselves",
        ))
    }

    /// The legal person of this identification, if this person represents it now.
    async fn represented(
        &self,
        run: &mut impl Run,
        me: &PartyRow,
        id: &str,
    ) -> Result<PartyRow, Fault> {
        let missing = || Fault::missing("party");
        let party = rows::party(run, id).await?.ok_or_else(missing)?;
        let now = self.clock.now();
        for tie in rows::ties_for(run, id, "representative").await? {
            if tie.holder == me.id && self.stands(&tie, &party, now)? {
                return Ok(party);
            }
        }
        Err(missing())
    }

    /// Enters a minor as one's ward, verified with the register of persons.
    pub async fn add_ward(&self, actor: &Actor, new: NewWard) -> Result<TieInfo, Fault> {
        let now = self.clock.now();
        if !self.prover.is_ready() {
            return Err(crate::codes::unavailable(
                "在线核验",
                "proving a guardianship on line",
            ));
        }
        self.limits
            .count(limits::TIES, &actor.account, now)
            .map_err(too_many)?;
        let mut problems: Vec<Problem> = said("evidence", &new.evidence, 100).into_iter().collect();
        let ward = new
            .identity
            .check(now)
            .map_err(|more| problems.extend(more));
        if let Ok(ward) = &ward
            && ward.birth.age_at(now) >= 18
        {
            problems.push(problem(
                "number",
                "被监护人已满十八周岁",
                "the ward is of age",
            ));
        }
        refuse(problems)?;
        let ward = ward.map_err(|()| Fault::internal("checking a claim", "no identity"))?;
        let mut reader = self.store.reader().await?;
        let me = self.proven(&mut reader, &actor.account).await?;
        drop(reader);
        let guardian = self.identity_of(&me)?;
        let of_age = guardian.birth.age_at(now) >= 18;
        if !of_age || self.prover.prove_guardian(&guardian, &ward).await? == Verdict::NoMatch {
            return Err(Fault::new(
                FaultKind::Invalid,
                "parties.not_proven",
                "未能核验监护关系，请核对，或携户口簿、出生医学证明到政务服务窗口办理",
                "the guardianship was not confirmed; check it, or bring the documents to a counter",
            ));
        }
        let mut tx = self.store.begin().await?;
        let me = self.proven(&mut tx, &actor.account).await?;
        let party = self.proven_party(&mut tx, actor, &ward).await?;
        let draft = Draft {
            tie: "guardian_minor",
            holder: &me.id,
            principal: &party.id,
            scope: vec![],
            name: None,
            evidence: &new.evidence,
            days: None,
            active: true,
        };
        let row = self.tie_up(&mut tx, actor, draft).await?;
        tx.commit().await?;
        self.tie_info(&row, "holder", &party)
    }

    /// The ties of somebody, from either side, newest first: their own, and those of the legal
    /// persons they represent.
    pub async fn ties(&self, account: &str) -> Result<Vec<TieInfo>, Fault> {
        let mut reader = self.store.reader().await?;
        let row = rows::account(&mut reader, account).await?;
        let open = row.filter(|row| row.closed_at.is_none() && row.level >= LEVEL_ONLINE);
        let Some(me) = open.and_then(|row| row.party) else {
            return Ok(vec![]);
        };
        let now = self.clock.now();
        let mut all = rows::ties_of(&mut reader, &me).await?;
        let mut represented = vec![];
        for tie in all
            .iter()
            .filter(|t| t.holder == me && t.tie == "representative")
        {
            if let Some(party) = rows::party(&mut reader, &tie.principal).await?
                && self.stands(tie, &party, now)?
            {
                represented.push(party.id);
            }
        }
        for id in &represented {
            let theirs = rows::ties_of(&mut reader, id).await?;
            all.extend(
                theirs
                    .into_iter()
                    .filter(|t| t.principal == *id && t.holder != me),
            );
        }
        all.truncate(rows::PAGE_LIMIT as usize);
        let ids: Vec<String> = all
            .iter()
            .map(|t| {
                if t.holder == me {
                    &t.principal
                } else {
                    &t.holder
                }
            })
            .cloned()
            .collect();
        let others = rows::parties_of(&mut reader, &ids).await?;
        let mut shown = vec![];
        for tie in all {
            let (side, other) = match tie.holder == me {
                true => ("holder", &tie.principal),
                false => ("principal", &tie.holder),
            };
            // An invitation under another name is for somebody else.
            if side == "holder"
                && tie.state == "invited"
                && !self.is_named(&mut reader, &tie).await?
            {
                continue;
            }
            if let Some(other) = others.iter().find(|party| party.id == *other) {
                shown.push(self.tie_info(&tie, side, other)?);
            }
        }
        Ok(shown)
    }

    /// Is the holder of the name the principal gave?
    async fn is_named(&self, run: &mut impl Run, tie: &TieRow) -> Result<bool, Fault> {
        let Some(note) = &tie.note else {
            return Ok(true);
        };
        let name: String = self
            .sealing
            .open_value(&format!("party_ties/{}", tie.id), note)?;
        let holder = rows::party(run, &tie.holder).await?.ok_or_else(missing)?;
        Ok(holder.sealed.is_some() && self.identity_of(&holder)?.name == name)
    }

    /// When a tie ends by itself.
    pub(crate) fn ends_at(
        &self,
        tie: &TieRow,
        principal: &str,
        sealed: Option<&[u8]>,
    ) -> Result<Option<Time>, Fault> {
        match (tie.tie.as_str(), sealed) {
            ("guardian_minor", Some(sealed)) => {
                let ward = self.sealing.identity(principal, sealed)?;
                Ok(Some(ward.birth.years_later(18).starts()))
            }
            _ => Ok(tie.to_at.map(Time)),
        }
    }

    pub(crate) fn tie_info(
        &self,
        tie: &TieRow,
        side: &'static str,
        other: &PartyRow,
    ) -> Result<TieInfo, Fault> {
        let now = self.clock.now();
        let to = match side {
            "holder" => self.ends_at(tie, &other.id, other.sealed.as_deref())?,
            _ => tie.to_at.map(Time),
        };
        let (name, number) = match (&other.code, &other.sealed) {
            (Some(code), _) => (other.name.clone().unwrap_or_default(), code.clone()),
            (None, Some(sealed)) if other.erased_at.is_none() => {
                let person = self.sealing.identity(&other.id, sealed)?;
                let given: Option<String> = match (&tie.note, side) {
                    (Some(note), "principal") => Some(
                        self.sealing
                            .open_value(&format!("party_ties/{}", tie.id), note)?,
                    ),
                    _ => None,
                };
                let name = given.unwrap_or(person.name);
                (
                    numbers::mask_name(&name),
                    numbers::mask_number(&person.number),
                )
            }
            _ => ("—".into(), "—".into()),
        };
        let over = to.is_some_and(|to| to <= now);
        let state = match tie.state.as_str() {
            "declined" => "declined",
            "revoked" => "revoked",
            _ if over => "over",
            "invited" => "invited",
            _ => "active",
        };
        Ok(TieInfo {
            id: tie.id.clone(),
            tie: tie.tie.clone(),
            side,
            other: name,
            number,
            principal: tie.principal.clone(),
            scope: scope_of(tie)?,
            state,
            from: Time(tie.from_at),
            to,
            evidence: tie.evidence.clone(),
            created_at: Time(tie.created_at),
            ended_at: tie.ended_at.map(Time),
            reason: tie.reason.clone(),
            version: tie.version,
        })
    }

    /// Accepts an invitation, or declines it.
    pub async fn answer_tie(&self, actor: &Actor, id: &str, accept: bool) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let me = self.proven(&mut tx, &actor.account).await?;
        let found = rows::tie(&mut tx, id).await?;
        let found = found.filter(|tie| tie.holder == me.id && tie.state == "invited");
        let mut row = found.ok_or_else(missing)?;
        let over = row.to_at.is_some_and(|to| to <= now.0);
        if over || !self.is_named(&mut tx, &row).await? {
            return Err(missing());
        }
        row.version += 1;
        if accept {
            row.state = "active".into();
            row.accepted_at = Some(now.0);
        } else {
            row.state = "declined".into();
            row.ended_at = Some(now.0);
            row.ended_by = Some(actor.account.clone());
        }
        rows::put_tie(&mut tx, &row).await?;
        let what = if accept {
            "tie_accepted"
        } else {
            "tie_declined"
        };
        self.step(&mut tx, actor, &row, what).await?;
        tx.commit().await
    }

    /// Revokes a tie as one of its sides. What the law or a register says is ended at a counter.
    pub async fn revoke_tie(&self, actor: &Actor, id: &str, reason: &str) -> Result<(), Fault> {
        refuse(said("reason", reason, 200).into_iter().collect())?;
        let mut tx = self.store.begin().await?;
        let me = self.proven(&mut tx, &actor.account).await?;
        let row = rows::tie(&mut tx, id).await?.ok_or_else(missing)?;
        let mine = row.holder == me.id
            || row.principal == me.id
            || self.represented(&mut tx, &me, &row.principal).await.is_ok();
        if !mine || !["invited", "active"].contains(&row.state.as_str()) {
            return Err(missing());
        }
        if ["representative", "guardian_minor"].contains(&row.tie.as_str()) {
            return Err(denied(
                "法定代表人变更、未成年人监护的终止须到政务服务窗口办理",
                "a legal representative or the guardian of a minor is changed at a counter",
            ));
        }
        self.end_tie(&mut tx, actor, row, reason).await?;
        tx.commit().await
    }

    /// Ends a tie, at once for every session under it.
    pub(crate) async fn end_tie(
        &self,
        tx: &mut Tx,
        by: &Actor,
        mut row: TieRow,
        reason: &str,
    ) -> Result<(), Fault> {
        row.state = "revoked".into();
        row.ended_at = Some(self.clock.now().0);
        row.ended_by = Some(by.account.clone());
        row.reason = Some(reason.trim().into());
        row.version += 1;
        rows::put_tie(tx, &row).await?;
        self.step(tx, by, &row, "tie_revoked").await
    }
}

fn agent_problems(new: &NewAgent) -> Vec<Problem> {
    let mut problems: Vec<Problem> = said("evidence", &new.evidence, 100).into_iter().collect();
    if !(1..=LONGEST_DAYS).contains(&new.days) {
        problems.push(problem("days", "有效期须为 1 至 1095 天", "1 to 1095 days"));
    }
    let unknown = new.scope.iter().any(|matter| !is_matter(matter));
    let mut once = new.scope.clone();
    once.sort();
    once.dedup();
    if unknown || once.len() != new.scope.len() || new.scope.is_empty() != new.guardian {
        problems.push(problem(
            "scope",
            "请选择授权办理的事项类别（代办监护人不限事项）",
            "choose kinds of matters (a guardian has all)",
        ));
    }
    if new.guardian && new.principal.is_some() {
        problems.push(problem(
            "guardian",
            "单位不能选定监护人",
            "a legal person has no guardian",
        ));
    }
    problems
}
