//! Grants for some time: temporary ones that somebody gives to another, and the glass a person
//! breaks in an emergency. Both become policies at once and end by themselves; who opened what, why
//! and for how long is in the audit log, and broken glass waits for its review.

use crate::Engine;
use crate::book::Book;
use crate::compile::{Extra, of_grant, quoted};
use crate::rule::{Rule, Source};
use kernel::access::{Actor, Missing, Verb};
use kernel::declare::{GrantDecl, Scope};
use kernel::events::EventKind;
use kernel::fault::FaultKind;
use kernel::{Fault, Problem, Span, Time, Words, new_id};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use store::audit::{self, AuditEntry};
use store::grants::{self, GrantRow};
use store::{Store, Tx, events};

/// A temporary grant lasts so long, at most.
pub const LONGEST: Span = Span::days(90);
/// Broken glass stays open so many minutes, at most.
pub const GLASS_MINUTES: u32 = 60;
/// How often one person may break the glass in a day.
pub const GLASS_A_DAY: u64 = 10;

/// A grant, as people see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GivenGrant {
    /// Identification.
    pub id: String,
    /// Temporary, or broken glass.
    pub kind: Source,
    /// To this account …
    pub account: Option<String>,
    /// … or to everybody in this role.
    pub role: Option<String>,
    /// What may be done.
    pub verbs: Vec<Verb>,
    /// To what.
    pub object: String,
    /// Only this record of it.
    pub record: Option<String>,
    /// Which of its records.
    pub scope: Scope,
    /// Personal fields shown as they are.
    pub fields: Vec<String>,
    /// Why.
    pub reason: String,
    /// On which legal basis.
    pub basis: String,
    /// Who granted it.
    pub granted_by: String,
    /// When.
    pub granted_at: Time,
    /// In force from.
    pub from: Time,
    /// In force until.
    pub until: Time,
    /// In force now.
    pub in_force: bool,
    /// Who reviewed it.
    pub reviewed_by: Option<String>,
    /// When.
    pub reviewed_at: Option<Time>,
    /// `approved` or `objected`.
    pub outcome: Option<String>,
    /// What the reviewer said, or why it was ended early.
    pub remark: Option<String>,
}

/// A grant somebody wants to give.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// To this account …
    #[serde(default)]
    pub account: Option<String>,
    /// … or to everybody in this role.
    #[serde(default)]
    pub role: Option<String>,
    /// Verbs.
    pub verbs: Vec<Verb>,
    /// Object of access.
    pub object: String,
    /// Only this record of it.
    #[serde(default)]
    pub record: Option<String>,
    /// Which of its records: `all`, `own`, `subordinate`, `handling`, `own_person`.
    #[serde(default)]
    pub scope: Option<String>,
    /// Personal fields shown as they are.
    #[serde(default)]
    pub fields: Vec<String>,
    /// From; `None` for now.
    #[serde(default)]
    pub from: Option<Time>,
    /// Until.
    pub until: Time,
    /// Why.
    pub reason: String,
    /// On which legal basis.
    pub basis: String,
}

/// Glass somebody breaks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Break {
    /// Object of access.
    pub object: String,
    /// Only this record of it.
    #[serde(default)]
    pub record: Option<String>,
    /// Why, at least ten characters.
    pub reason: String,
    /// For so many minutes, 1 to 60.
    pub minutes: u32,
}

/// A review of broken glass.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// Was it right?
    pub approve: bool,
    /// What is to be said about it.
    pub remark: String,
}

/// Glass a person could break.
#[derive(Clone, Debug, Serialize)]
pub struct Breakable {
    /// Object of access.
    pub object: String,
    /// What may then be done.
    pub verbs: Vec<Verb>,
    /// For which purpose.
    pub purpose: String,
    /// On which legal basis.
    pub basis: String,
}

fn problem(at: &str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(zh, en),
    }
}

fn length(at: &str, text: &str, least: usize, most: usize) -> Option<Problem> {
    let found = text.trim().chars().count();
    let wrong = !(least..=most).contains(&found) || text.chars().any(char::is_control);
    wrong.then(|| {
        problem(
            at,
            format!("应为 {least} 到 {most} 字"),
            format!("expected {least} to {most} characters"),
        )
    })
}

fn conflict(zh: &str, en: &str) -> Fault {
    Fault::new(FaultKind::Conflict, "input.conflict", zh, en)
}

fn list<T: serde::de::DeserializeOwned>(text: &str) -> Result<Vec<T>, Fault> {
    serde_json::from_str(text).map_err(|e| Fault::internal("reading a grant", e))
}

fn shown(row: &GrantRow, now: Time) -> Result<GivenGrant, Fault> {
    let kind = if row.kind == "break_glass" {
        Source::BreakGlass
    } else {
        Source::Temporary
    };
    Ok(GivenGrant {
        id: row.id.clone(),
        kind,
        account: row.account.clone(),
        role: row.role.clone(),
        verbs: list(&row.verbs)?,
        object: row.object.clone(),
        record: row.record.clone(),
        scope: Scope::parse(&row.scope).unwrap_or(Scope::OwnPerson),
        fields: list(&row.fields)?,
        reason: row.reason.clone(),
        basis: row.basis.clone(),
        granted_by: row.granted_by.clone(),
        granted_at: Time(row.granted_at),
        from: Time(row.begins_at),
        until: Time(row.ends_at),
        in_force: row.begins_at <= now.0 && now.0 < row.ends_at,
        reviewed_by: row.reviewed_by.clone(),
        reviewed_at: row.reviewed_at.map(Time),
        outcome: row.outcome.clone(),
        remark: row.remark.clone(),
    })
}

/// The policies of a grant: one for each kind its object covers.
pub(crate) fn rules(book: &Book, first: usize, given: &GivenGrant) -> Result<Vec<Rule>, Fault> {
    let holder = match (&given.account, &given.role) {
        (Some(account), _) => format!("principal == Account::{}", quoted(account)),
        (None, role) => format!(
            "principal in Role::{}",
            quoted(role.as_deref().unwrap_or(""))
        ),
    };
    let purpose = match given.kind {
        Source::BreakGlass => format!("紧急访问：{}", given.reason),
        _ => given.reason.clone(),
    };
    let grant = GrantDecl {
        verbs: given.verbs.clone(),
        objects: vec![given.object.clone()],
        purpose,
        basis: given.basis.clone(),
        scope: given.scope,
        fields: (!given.fields.is_empty()).then(|| given.fields.clone()),
        at: format!("grant:{}", given.id),
        ..GrantDecl::default()
    };
    let mut rules = vec![];
    for kind in book.kinds.granted(&given.object) {
        let (from, until) = (given.from.0, given.until.0);
        let when = format!("context.at >= {from} && context.at < {until}");
        let mut extra: Vec<Extra> = vec![(when, Missing::Condition(grant.at.clone()))];
        if let Some(record) = &given.record {
            let member = format!("{}::{}", book.kinds.all[kind].name, quoted(record));
            extra.push((
                format!("resource == {member}"),
                Missing::Scope("record".into()),
            ));
        }
        let number = first + rules.len();
        let rule = of_grant(
            &book.kinds,
            number,
            &holder,
            &grant,
            kind,
            given.kind,
            extra,
        );
        rules.push(rule.map_err(|words| Fault::internal("compiling a grant", words.en))?);
    }
    Ok(rules)
}

struct Deed<'a> {
    actor: &'a Actor,
    now: Time,
    verb: &'a str,
    row: &'a GrantRow,
    what: &'a str,
}

async fn record(tx: &mut Tx, deed: Deed<'_>) -> Result<(), Fault> {
    let row = deed.row;
    let details = json!({
        "what": deed.what, "kind": row.kind, "account": row.account, "role": row.role,
        "verbs": serde_json::from_str::<Value>(&row.verbs).unwrap_or_default(), "object": row.object,
        "record": row.record, "until": Time(row.ends_at), "reason": row.reason, "outcome": row.outcome,
        "remark": row.remark,
    });
    let entry = AuditEntry {
        at: deed.now,
        account: deed.actor.account.clone(),
        verb: deed.verb.into(),
        object: "grants".into(),
        subject: row.id.clone(),
        purpose: deed.actor.grant.purpose.clone(),
        basis: deed.actor.grant.basis.clone(),
        details: details.clone(),
        outcome: "done".into(),
    };
    audit::append(tx, &entry).await?;
    events::append(
        tx,
        deed.now,
        EventKind::Identity,
        &row.id,
        details.to_string().as_bytes(),
    )
    .await?;
    Ok(())
}

impl Engine {
    /// The store, when this engine has one.
    fn store(&self) -> Result<&Store, Fault> {
        self.store
            .as_ref()
            .ok_or_else(|| Fault::internal("reading grants", "no store"))
    }

    /// Reads the grants in force and makes them policies. Done at the start, at every change and,
    /// for grants of other processes, every minute.
    pub async fn refresh(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        let rows = grants::in_force(&mut self.store()?.reader().await?, now.0).await?;
        if *self.given.lock() == rows {
            return Ok(());
        }
        let declared = self.declared.clone();
        let mut all: Vec<Arc<Rule>> = declared.rules.clone();
        for row in &rows {
            // A register that is no longer declared: the grant covers nothing.
            let more = rules(&declared, all.len(), &shown(row, now)?).unwrap_or_default();
            all.extend(more.into_iter().map(Arc::new));
        }
        *self.book.write() = Arc::new(declared.with(all));
        *self.given.lock() = rows;
        Ok(())
    }

    /// Grants newest first, before this identification; with `unreviewed`, broken glass that waits
    /// for its review.
    pub async fn grants(
        &self,
        unreviewed: bool,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<GivenGrant>, Fault> {
        let now = self.clock.now();
        let mut reader = self.store()?.reader().await?;
        let rows = grants::page(&mut reader, unreviewed, before, limit as u64).await?;
        rows.iter().map(|row| shown(row, now)).collect()
    }

    /// Gives a temporary grant to somebody else.
    pub async fn give(&self, by: &Actor, new: NewGrant) -> Result<GivenGrant, Fault> {
        let now = self.clock.now();
        let found = self.new_problems(by, &new, now);
        if !found.is_empty() {
            return Err(Fault::invalid(found));
        }
        let row = GrantRow {
            id: new_id(now),
            kind: "temporary".into(),
            account: new.account,
            role: new.role,
            verbs: json!(new.verbs).to_string(),
            object: new.object,
            record: new.record,
            scope: new.scope.unwrap_or_else(|| "all".into()),
            fields: json!(new.fields).to_string(),
            reason: new.reason.trim().into(),
            basis: new.basis.trim().into(),
            granted_by: by.account.clone(),
            granted_at: now.0,
            begins_at: new.from.unwrap_or(now).0,
            ends_at: new.until.0,
            reviewed_by: None,
            reviewed_at: None,
            outcome: None,
            remark: None,
        };
        self.write_new(by, row, "operate", "given", now).await
    }

    fn new_problems(&self, by: &Actor, new: &NewGrant, now: Time) -> Vec<Problem> {
        let book = self.book();
        let mut found = vec![];
        match (&new.account, &new.role) {
            (Some(account), None) if *account == by.account => {
                found.push(problem(
                    "account",
                    "不能给自己授权",
                    "nobody grants to themselves",
                ));
            }
            (Some(account), None) => found.extend(length("account", account, 1, 64)),
            (None, Some(role)) if !book.roles.iter().any(|r| r.name == *role) => {
                found.push(problem("role", "没有此角色", "there is no such role"));
            }
            (None, Some(role)) if by.roles.contains(role) => {
                found.push(problem(
                    "role",
                    "不能给自己的角色授权",
                    "nobody grants to a role of their own",
                ));
            }
            (None, Some(_)) => {}
            _ => found.push(problem(
                "account",
                "须指明账号或角色之一",
                "name either an account or a role",
            )),
        }
        if new.verbs.is_empty() || new.verbs.len() > Verb::ALL.len() {
            found.push(problem("verbs", "须指明动词", "name the verbs"));
        }
        let kinds = book.kinds.granted(&new.object);
        if kinds.is_empty() {
            found.push(problem(
                "object",
                "没有此访问对象",
                "there is no such object of access",
            ));
        }
        let scope = new.scope.as_deref().map_or(Some(Scope::All), Scope::parse);
        let single = kinds.iter().all(|n| book.kinds.all[*n].scoped);
        if scope.is_none() || (scope != Some(Scope::All) && !single) {
            found.push(problem(
                "scope",
                "此对象不能限定该范围",
                "this object cannot be narrowed so",
            ));
        }
        if let Some(record) = &new.record {
            found.extend(length("record", record, 1, 200));
            if !single {
                found.push(problem(
                    "record",
                    "此对象没有单条记录",
                    "this object has no single records",
                ));
            }
        }
        let known = |field: &String| {
            kinds
                .iter()
                .filter_map(|n| book.kinds.all[*n].register.as_ref())
                .any(|r| field == "*" || r.field(field).is_some_and(|f| f.personal))
        };
        if new.fields.len() > 200 || !new.fields.iter().all(known) {
            found.push(problem(
                "fields",
                "不是该登记簿的个人信息字段",
                "no personal fields of the register",
            ));
        }
        let from = new.from.unwrap_or(now);
        if new.until <= from.max(now) || new.until.0 - from.0 > LONGEST.0 {
            found.push(problem(
                "until",
                "期限应在开始之后，且不超过 90 天",
                "expected an end after the beginning, within 90 days",
            ));
        }
        found.extend(length("reason", &new.reason, 5, 500));
        found.extend(length("basis", &new.basis, 2, 200));
        found
    }

    async fn write_new(
        &self,
        by: &Actor,
        row: GrantRow,
        verb: &str,
        what: &str,
        now: Time,
    ) -> Result<GivenGrant, Fault> {
        let given = shown(&row, now)?;
        // What cannot be compiled is not written.
        rules(&self.declared, self.declared.rules.len(), &given)?;
        let mut tx = self.store()?.begin().await?;
        grants::insert(&mut tx, &row).await?;
        record(
            &mut tx,
            Deed {
                actor: by,
                now,
                verb,
                row: &row,
                what,
            },
        )
        .await?;
        tx.commit().await?;
        self.refresh().await?;
        Ok(given)
    }

    /// Ends a grant before its time.
    pub async fn end(&self, by: &Actor, id: &str, reason: &str) -> Result<GivenGrant, Fault> {
        let now = self.clock.now();
        if let Some(problem) = length("reason", reason, 5, 500) {
            return Err(Fault::invalid(vec![problem]));
        }
        let mut tx = self.store()?.begin().await?;
        let mut row = grants::find(&mut tx, id)
            .await?
            .ok_or_else(|| Fault::missing(id))?;
        if row.ends_at <= now.0 {
            return Err(conflict("该授权已经结束", "this grant is over"));
        }
        row.ends_at = now.0;
        row.remark = Some(reason.trim().into());
        grants::update(&mut tx, &row).await?;
        record(
            &mut tx,
            Deed {
                actor: by,
                now,
                verb: "operate",
                row: &row,
                what: "ended",
            },
        )
        .await?;
        tx.commit().await?;
        self.refresh().await?;
        shown(&row, now)
    }

    /// What glass a person could break.
    pub fn breakable(&self, actor: &Actor) -> Vec<Breakable> {
        let book = self.book();
        let mine = book
            .glass
            .iter()
            .filter(|glass| actor.roles.contains(&glass.role));
        mine.flat_map(|glass| {
            glass.grant.objects.iter().map(|object| Breakable {
                object: object.clone(),
                verbs: glass.grant.verbs.clone(),
                purpose: glass.grant.purpose.clone(),
                basis: glass.grant.basis.clone(),
            })
        })
        .collect()
    }

    /// Broken glass of a person that is open now.
    pub async fn open_glass(&self, actor: &Actor) -> Result<Vec<GivenGrant>, Fault> {
        let now = self.clock.now();
        let rows = grants::in_force(&mut self.store()?.reader().await?, now.0).await?;
        let mine = |row: &&GrantRow| {
            row.account.as_ref() == Some(&actor.account) && row.kind == "break_glass"
        };
        rows.iter()
            .filter(mine)
            .map(|row| shown(row, now))
            .collect()
    }

    /// Opens access in an emergency: at once, for an hour at most, with a reason, reviewed
    /// afterwards. Only what a role of the person declares as such.
    pub async fn break_glass(&self, actor: &Actor, wish: Break) -> Result<GivenGrant, Fault> {
        let now = self.clock.now();
        let book = self.book();
        let kinds = book.kinds.granted(&wish.object);
        let glass = book.glass.iter().find(|glass| {
            actor.roles.contains(&glass.role)
                && !kinds.is_empty()
                && kinds.iter().all(|kind| glass.kinds.contains(kind))
        });
        let Some(glass) = glass else {
            let what = kernel::objects::object_words(&wish.object);
            return Err(Fault::new(
                FaultKind::Denied,
                "access.denied",
                format!("您的角色不能对{}紧急访问", what.zh),
                format!("your roles may not break the glass of {}", what.en),
            ));
        };
        let mut found: Vec<Problem> = length("reason", &wish.reason, 10, 500)
            .into_iter()
            .collect();
        if !(1..=GLASS_MINUTES).contains(&wish.minutes) {
            found.push(problem(
                "minutes",
                "应为 1 到 60 分钟",
                "expected 1 to 60 minutes",
            ));
        }
        if let Some(record) = &wish.record {
            found.extend(length("record", record, 1, 200));
        }
        if !found.is_empty() {
            return Err(Fault::invalid(found));
        }
        let since = now.0 - Span::days(1).0;
        let mut reader = self.store()?.reader().await?;
        if grants::broken_since(&mut reader, &actor.account, since).await? >= GLASS_A_DAY {
            let mut fault = Fault::new(
                FaultKind::TooMany,
                "input.too_many",
                "一天内紧急访问次数过多，请联系管理人员",
                "the glass was broken too often today",
            );
            fault.retry_after_s = Some(3600);
            return Err(fault);
        }
        drop(reader);
        let row = GrantRow {
            id: new_id(now),
            kind: "break_glass".into(),
            account: Some(actor.account.clone()),
            role: None,
            verbs: json!(glass.grant.verbs).to_string(),
            object: wish.object,
            record: wish.record,
            scope: glass.grant.scope.word().into(),
            fields: json!(glass.grant.fields.clone().unwrap_or_default()).to_string(),
            reason: wish.reason.trim().into(),
            basis: glass.grant.basis.clone(),
            granted_by: actor.account.clone(),
            granted_at: now.0,
            begins_at: now.0,
            ends_at: now.0 + Span::minutes(i64::from(wish.minutes)).0,
            reviewed_by: None,
            reviewed_at: None,
            outcome: None,
            remark: None,
        };
        self.write_new(actor, row, "break_glass", "glass broken", now)
            .await
    }

    /// Reviews broken glass; an objection ends what is still open. Nobody reviews their own.
    pub async fn review(&self, by: &Actor, id: &str, review: Review) -> Result<GivenGrant, Fault> {
        let now = self.clock.now();
        if let Some(problem) = length("remark", &review.remark, 2, 500) {
            return Err(Fault::invalid(vec![problem]));
        }
        let mut tx = self.store()?.begin().await?;
        let mut row = grants::find(&mut tx, id)
            .await?
            .ok_or_else(|| Fault::missing(id))?;
        if row.kind != "break_glass" || row.outcome.is_some() {
            return Err(conflict(
                "该授权不需要或已经复核",
                "this grant needs no review, or had it",
            ));
        }
        if row.account.as_ref() == Some(&by.account) {
            return Err(conflict(
                "不能复核自己的紧急访问",
                "nobody reviews their own broken glass",
            ));
        }
        row.reviewed_by = Some(by.account.clone());
        row.reviewed_at = Some(now.0);
        row.outcome = Some(
            if review.approve {
                "approved"
            } else {
                "objected"
            }
            .into(),
        );
        row.remark = Some(review.remark.trim().into());
        if !review.approve {
            row.ends_at = row.ends_at.min(now.0);
        }
        grants::update(&mut tx, &row).await?;
        record(
            &mut tx,
            Deed {
                actor: by,
                now,
                verb: "handle",
                row: &row,
                what: "reviewed",
            },
        )
        .await?;
        tx.commit().await?;
        self.refresh().await?;
        shown(&row, now)
    }
}
