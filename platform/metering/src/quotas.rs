//! Quotas: which limits apply to whom. Those of the city pack stand until somebody sets the same
//! name on the page; what is set there carries a reason and is audited.

use crate::Engine;
use kernel::access::Actor;
use kernel::fault::{Fault, Problem, Words};
use kernel::metering::{Meter, Payer, Quota, Window};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::audit::AuditEntry;
use store::documents;

/// Where quotas set on the page are kept.
pub(crate) const COLLECTION: &str = "quotas";
/// Quotas in force at once, at most.
const LIMIT: usize = 500;
/// Characters of a name, at most.
const NAME: usize = 40;

/// A quota in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuotaInfo {
    /// The quota.
    #[serde(flatten)]
    pub quota: Quota,
    /// `city` for the city pack, `page` for one set by a person.
    pub from: &'static str,
    /// Who set it, and why.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Version of what is set; 0 for the city pack.
    pub version: i64,
}

/// A quota set by a person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaChange {
    /// Code of an organisation, `*` for each, absent for all together.
    #[serde(default)]
    pub organisation: Option<String>,
    /// Name of an application, `*` for each, absent for all together.
    #[serde(default)]
    pub application: Option<String>,
    /// What is limited.
    pub meter: Meter,
    /// In which window.
    pub window: Window,
    /// How much.
    pub limit: u64,
    /// Why.
    pub reason: String,
}

/// Who shares a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Share {
    City,
    Organisation,
    Application,
    Pair,
}

pub(crate) fn share(quota: &Quota) -> Share {
    match (&quota.organisation, &quota.application) {
        (None, None) => Share::City,
        (Some(_), None) => Share::Organisation,
        (None, Some(_)) => Share::Application,
        (Some(_), Some(_)) => Share::Pair,
    }
}

fn names(text: &Option<String>, whom: &str) -> bool {
    text.as_ref().is_none_or(|t| t == "*" || t == whom)
}

/// How closely a quota names somebody: the closest of those alike is the one in force.
fn closeness(quota: &Quota) -> usize {
    let named = |t: &Option<String>| t.as_ref().is_some_and(|t| t != "*");
    usize::from(named(&quota.organisation)) + usize::from(named(&quota.application))
}

/// The quotas that apply to somebody.
pub(crate) fn applying(all: &[QuotaInfo], payer: Payer<'_>) -> Vec<Quota> {
    let mut found: Vec<&Quota> = vec![];
    for quota in all.iter().map(|i| &i.quota) {
        let fits = names(&quota.organisation, payer.organisation)
            && names(&quota.application, payer.application);
        if !fits {
            continue;
        }
        let alike = |other: &&mut &Quota| {
            share(other) == share(quota)
                && (other.meter, other.window) == (quota.meter, quota.window)
        };
        match found.iter_mut().find(alike) {
            Some(other) if closeness(quota) > closeness(other) => *other = quota,
            Some(_) => {}
            None => found.push(quota),
        }
    }
    found.into_iter().cloned().collect()
}

fn problems_of(name: &str, change: &QuotaChange, organisations: &[String]) -> Vec<Problem> {
    let mut problems = vec![];
    let mut add = |at: &str, zh: &str, en: &str| {
        problems.push(Problem {
            at: at.into(),
            words: Words::new(zh, en),
        });
    };
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.len() > NAME || !name.chars().all(fits) {
        add(
            "name",
            "名称须为 1 至 40 个小写字母、数字或下划线",
            "1 to 40 lower-case letters, digits or underscores",
        );
    }
    let named = change.organisation.iter().find(|o| *o != "*");
    if named.is_some_and(|o| !organisations.is_empty() && !organisations.contains(o)) {
        add(
            "organisation",
            "没有这个组织",
            "there is no such organisation",
        );
    }
    let blank = |text: &Option<String>| text.as_ref().is_some_and(|t| t.len() > 200);
    if blank(&change.organisation) || blank(&change.application) {
        add("application", "名称过长", "the name is too long");
    }
    if !(2..=500).contains(&change.reason.trim().chars().count()) {
        add(
            "reason",
            "请说明理由（2 至 500 字）",
            "give a reason of 2 to 500 characters",
        );
    }
    if change.limit > i64::MAX as u64 / 2 {
        add("limit", "数值过大", "the number is too large");
    }
    problems
}

impl Engine {
    /// The quotas in force, in order of name.
    pub fn quotas(&self) -> Vec<QuotaInfo> {
        self.plan.load().as_ref().clone()
    }

    /// Reads what is set on the page, over what the city pack declares.
    pub(crate) async fn read_quotas(&self) -> Result<(), Fault> {
        let declared = self.declared.iter().cloned().map(|quota| QuotaInfo {
            quota,
            from: "city",
            by: None,
            reason: None,
            version: 0,
        });
        let mut all: Vec<QuotaInfo> = declared.collect();
        let page = self.store.documents();
        let set = page
            .list_by_prefix(COLLECTION, "", None, LIMIT as u64)
            .await?;
        for document in set {
            let json = &document.json;
            let Ok(quota) = serde_json::from_value::<Quota>(json["quota"].clone()) else {
                tracing::warn!(key = document.key, "a quota cannot be read");
                continue;
            };
            all.retain(|i| i.quota.name != quota.name);
            let text = |name: &str| json[name].as_str().map(String::from);
            all.push(QuotaInfo {
                quota,
                from: "page",
                by: text("by"),
                reason: text("reason"),
                version: document.version,
            });
        }
        all.sort_by(|a, b| a.quota.name.cmp(&b.quota.name));
        self.put_plan(all);
        Ok(())
    }

    /// Sets a quota; in force at once.
    pub async fn set_quota(
        &self,
        by: &Actor,
        name: &str,
        change: QuotaChange,
        expected: Option<i64>,
    ) -> Result<QuotaInfo, Fault> {
        let problems = problems_of(name, &change, &self.organisations);
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        let known = self.quotas();
        if known.len() >= LIMIT && !known.iter().any(|i| i.quota.name == name) {
            return Err(Fault::invalid_at("name", "限额过多", "too many quotas"));
        }
        let quota = Quota {
            name: name.into(),
            organisation: change.organisation,
            application: change.application,
            meter: change.meter,
            window: change.window,
            limit: change.limit,
        };
        let json = json!({"quota": quota, "by": by.account, "reason": change.reason});
        let mut tx = self.store.begin().await?;
        documents::put(&mut tx, COLLECTION, name, &json, expected).await?;
        self.audit(
            &mut tx,
            by,
            name,
            json!({"quota": quota, "reason": change.reason}),
        )
        .await?;
        tx.commit().await?;
        self.read_quotas().await?;
        let found = self.quotas().into_iter().find(|i| i.quota.name == name);
        found.ok_or_else(|| Fault::missing(name))
    }

    /// Takes back what was set; what the city pack declares under that name stands again.
    pub async fn unset_quota(&self, by: &Actor, name: &str, reason: &str) -> Result<(), Fault> {
        if !(2..=500).contains(&reason.trim().chars().count()) {
            return Err(Fault::invalid_at(
                "reason",
                "请说明理由（2 至 500 字）",
                "give a reason of 2 to 500 characters",
            ));
        }
        let mut tx = self.store.begin().await?;
        if !documents::delete(&mut tx, COLLECTION, name).await? {
            return Err(Fault::missing(name));
        }
        let details = json!({"quota": null, "reason": reason});
        self.audit(&mut tx, by, name, details).await?;
        tx.commit().await?;
        self.read_quotas().await
    }

    async fn audit(
        &self,
        tx: &mut store::Tx,
        by: &Actor,
        name: &str,
        details: serde_json::Value,
    ) -> Result<(), Fault> {
        let entry = AuditEntry {
            at: self.clock.now(),
            account: by.account.clone(),
            verb: "operate".into(),
            object: "meters".into(),
            subject: name.into(),
            purpose: by.grant.purpose.clone(),
            basis: by.grant.basis.clone(),
            details,
            outcome: "done".into(),
        };
        store::audit::append(tx, &entry).await.map(drop)
    }
}
