//! Sight: an evaluation that belongs to a case is shown to whoever may see the case, one that belongs
//! to none to whoever made it, and to nobody else but those who administer decisions or read the
//! audit log.

use crate::engine::{Engine, PAGE_LIMIT, concerned, evaluation};
use async_trait::async_trait;
use kernel::Fault;
use kernel::access::Actor;
use kernel::decisions::{Evaluation, EvaluationFilter, Keeping};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::decisions::{EvaluationRow, Which};

/// Pages looked through for those the asker may see, at most.
const PAGES: usize = 20;

/// Who may see what evaluations belong to. The program hands it over.
#[async_trait]
pub trait Sight: Send + Sync {
    /// Of these cases, by identification or number, those the asker may see: under each name its
    /// identification.
    async fn cases(&self, by: &Actor, names: &[String]) -> Result<BTreeMap<String, String>, Fault>;
    /// May they see every evaluation, whatever case it belongs to?
    fn every(&self, by: &Actor) -> bool;
}

/// Is it the machine itself?
fn is_machine(by: &Actor) -> bool {
    by.account == "system" && by.standing.session.is_none()
}

impl Engine {
    /// Hands over who may see which case. Before, only the machine sees what belongs to one.
    pub fn know_cases(&self, sight: Arc<dyn Sight>) {
        // The first one stays.
        let _ = self.sight.set(sight);
    }

    async fn seen(
        &self,
        by: &Actor,
        names: BTreeSet<&str>,
    ) -> Result<BTreeMap<String, String>, Fault> {
        match self.sight.get() {
            Some(sight) if !names.is_empty() => {
                let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
                sight.cases(by, &names).await
            }
            _ => Ok(BTreeMap::new()),
        }
    }

    /// The identification of a case the asker may see.
    pub(crate) async fn case_of(&self, by: &Actor, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.seen(by, [name].into()).await?.remove(name))
    }

    /// Those the asker may see.
    pub(crate) async fn visible(
        &self,
        by: &Actor,
        mut rows: Vec<EvaluationRow>,
    ) -> Result<Vec<EvaluationRow>, Fault> {
        if is_machine(by) || self.sight.get().is_some_and(|sight| sight.every(by)) {
            return Ok(rows);
        }
        let cases = rows.iter().map(|row| row.case.as_str());
        let seen = self.seen(by, cases.filter(|case| !case.is_empty()).collect());
        let seen = seen.await?;
        rows.retain(|row| match row.case.as_str() {
            "" => !by.account.is_empty() && row.account == by.account,
            case => seen.contains_key(case),
        });
        Ok(rows)
    }

    /// What is kept under a case is kept under its identification, and by who may see it.
    pub(crate) async fn placed(&self, by: &Actor, keeping: &Keeping) -> Result<Keeping, Fault> {
        let mut keeping = keeping.clone();
        keeping.case = keeping.case.filter(|case| !case.is_empty());
        if let Some(case) = &mut keeping.case
            && !is_machine(by)
        {
            let found = self.case_of(by, case).await?;
            *case = found.ok_or_else(|| Fault::missing(case))?;
        }
        Ok(keeping)
    }

    /// A page of the evaluations the asker may see, newest first, without inputs and explanations;
    /// and before which the next one begins. The reading is audited.
    pub async fn page(
        &self,
        by: &Actor,
        filter: &EvaluationFilter,
        limit: u64,
    ) -> Result<(Vec<Evaluation>, Option<String>), Fault> {
        let named = [&filter.model, &filter.case, &filter.person];
        if named.iter().all(|part| part.is_none()) {
            return Err(Fault::invalid_at(
                "/",
                "须指明模型、案件或人员之一",
                "a model, a case or a person must be named",
            ));
        }
        let (rows, next) = self.seen_rows(by, filter, limit.min(PAGE_LIMIT)).await?;
        let persons: BTreeSet<&str> = rows.iter().map(|row| row.person.as_str()).collect();
        let details = json!({"what": "evaluations", "filter": filter, "rows": rows.len(), "records": concerned(persons)});
        let entry = self.entry(by, "read", "", details);
        let mut tx = self.store.begin().await?;
        store::audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        let rows = rows.into_iter().map(|row| evaluation(row, None));
        Ok((rows.collect(), next))
    }

    async fn seen_rows(
        &self,
        by: &Actor,
        filter: &EvaluationFilter,
        limit: u64,
    ) -> Result<(Vec<EvaluationRow>, Option<String>), Fault> {
        // People know a case by its number; what it decided is kept under its identification.
        let case = match &filter.case {
            Some(name) => Some(self.case_of(by, name).await?.unwrap_or(name.clone())),
            None => None,
        };
        let (mut rows, mut next) = (vec![], filter.before.clone());
        for _ in 0..PAGES {
            let which = Which {
                model: filter.model.as_deref(),
                case: case.as_deref(),
                person: filter.person.as_deref(),
                before: next.as_deref(),
            };
            let page = {
                let mut reader = self.store.reader().await?;
                store::decisions::list(&mut reader, &which, limit).await?
            };
            let full = page.len() as u64 == limit;
            next = page.last().map(|row| row.id.clone()).filter(|_| full);
            let seen = self.visible(by, page).await?;
            let room = limit as usize - rows.len();
            let more = seen.len() > room;
            rows.extend(seen.into_iter().take(room));
            if more {
                next = rows.last().map(|row: &EvaluationRow| row.id.clone());
            }
            if next.is_none() || rows.len() as u64 == limit {
                break;
            }
        }
        Ok((rows, next))
    }
}
