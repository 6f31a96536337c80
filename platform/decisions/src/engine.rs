//! Engine: published models and evaluations that were kept, in the store; models ready to decide, in
//! memory.

use crate::feel::FeelExpressions;
use crate::limits::{KEPT_LIMIT, MODELS_KEPT};
use crate::model::Model;
use crate::pool::Pool;
use crate::sight::Sight;
use async_trait::async_trait;
use kernel::access::Actor;
use kernel::decisions::{
    Decisions, Evaluation, EvaluationFilter, Keeping, ModelShape, ModelVersion, NewModel, Outcome,
    Question, ReadyModel,
};
use kernel::fault::{Fault, FaultKind, Problem, Words};
use kernel::{Clock, Time, new_id};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use store::audit::AuditEntry;
use store::decisions::{EvaluationRow, ModelRow};
use store::{Reader, Run, Store, Tx};

/// Rows of one page, at most.
pub const PAGE_LIMIT: u64 = 500;

/// The engine. Cheap to share; its threads end with it.
pub struct Engine {
    pub(crate) store: Store,
    clock: Arc<dyn Clock>,
    pool: Arc<Pool>,
    expressions: FeelExpressions,
    ready: Mutex<HashMap<(String, i64), Arc<Model>>>,
    pub(crate) sight: OnceLock<Arc<dyn Sight>>,
}

impl Engine {
    /// Opens the engine on a store. Starts its threads.
    pub fn open(store: Store, clock: Arc<dyn Clock>) -> Result<Arc<Engine>, Fault> {
        let pool = Arc::new(Pool::start()?);
        Ok(Arc::new(Engine {
            expressions: FeelExpressions::new(pool.clone(), clock.clone()),
            store,
            clock,
            pool,
            ready: Mutex::default(),
            sight: OnceLock::new(),
        }))
    }

    /// What reads and evaluates expressions.
    pub fn expressions(&self) -> FeelExpressions {
        self.expressions.clone()
    }

    /// Builds a model from its XML and those it imports, without a store: for the compatibility kit
    /// of the standard.
    #[doc(hidden)]
    pub fn build(&self, xmls: &[&str]) -> Result<Model, Fault> {
        Model::read(xmls, unpublished(), &self.pool, &self.clock)
    }

    /// Reads a model on a thread that may wait.
    async fn built(&self, xml: &str, version: ModelVersion) -> Result<Model, Fault> {
        let (xml, pool, clock) = (xml.to_owned(), self.pool.clone(), self.clock.clone());
        waiting(move || Model::read(&[&xml], version, &pool, &clock)).await
    }

    async fn ready_model(&self, code: &str, version: Option<i64>) -> Result<Arc<Model>, Fault> {
        let mut reader = self.store.reader().await?;
        let version = match version {
            Some(version) => version,
            None => {
                let newest = store::decisions::newest(&mut reader, code).await?;
                newest.ok_or_else(|| Fault::missing(code))?.version
            }
        };
        self.ready_version(&mut reader, code, version).await
    }

    async fn ready_version(
        &self,
        run: &mut impl Run,
        code: &str,
        version: i64,
    ) -> Result<Arc<Model>, Fault> {
        let key = (code.to_owned(), version);
        if let Some(model) = self.ready.lock().get(&key) {
            return Ok(model.clone());
        }
        let found = store::decisions::with_xml(run, code, Some(version)).await?;
        let (row, xml) = found.ok_or_else(|| Fault::missing(&format!("{code} {version}")))?;
        let model = Arc::new(self.built(&xml, version_of(row)).await?);
        let mut ready = self.ready.lock();
        if ready.len() >= MODELS_KEPT {
            ready.clear();
        }
        ready.insert(key, model.clone());
        Ok(model)
    }

    async fn in_force(
        &self,
        run: &mut impl Run,
        code: &str,
        at: Time,
    ) -> Result<Arc<Model>, Fault> {
        let version = store::decisions::in_force(run, code, at.0).await?;
        let version = version.ok_or_else(|| Fault::missing(code))?;
        self.ready_version(run, code, version).await
    }

    pub(crate) fn entry(
        &self,
        by: &Actor,
        verb: &str,
        subject: &str,
        details: Value,
    ) -> AuditEntry {
        AuditEntry {
            at: self.clock.now(),
            account: by.account.clone(),
            verb: verb.into(),
            object: "decisions".into(),
            subject: subject.into(),
            purpose: by.grant.purpose.clone(),
            basis: by.grant.basis.clone(),
            details: by.on_behalf(details),
            outcome: "done".into(),
        }
    }

    /// Removes an evaluation that was kept: it expired, or the person it is about may ask for it.
    /// Fails with `input.not_found` when there is none.
    pub async fn forget(&self, by: &Actor, id: &str) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        if !store::decisions::forget(&mut tx, id).await? {
            return Err(Fault::missing(id));
        }
        let entry = self.entry(by, "delete", id, json!({}));
        store::audit::append(&mut tx, &entry).await?;
        tx.commit().await
    }

    async fn kept(
        &self,
        tx: &mut Tx,
        by: &Actor,
        outcome: &Outcome,
        keeping: &Keeping,
    ) -> Result<String, Fault> {
        let now = self.clock.now();
        let (row, body) = self.row(now, by, outcome, keeping)?;
        store::decisions::keep(tx, &row, &body).await?;
        let mut entry = self.entry(
            by,
            "write",
            &row.id,
            json!({"what": "keep", "model": row.model, "version": row.version, "decision": row.decision, "case": row.case, "person": row.person}),
        );
        entry.purpose.clone_from(&row.purpose);
        entry.basis.clone_from(&row.basis);
        store::audit::append(tx, &entry).await?;
        Ok(row.id)
    }

    fn row(
        &self,
        now: Time,
        by: &Actor,
        outcome: &Outcome,
        keeping: &Keeping,
    ) -> Result<(EvaluationRow, String), Fault> {
        let mut problems = vec![];
        let mut wrong = |at: &str, zh: &str, en: &str| {
            problems.push(Problem {
                at: at.into(),
                words: Words::new(zh, en),
            });
        };
        if keeping.purpose.trim().is_empty() {
            wrong("/purpose", "须说明用途", "the purpose must be named");
        }
        if outcome.version < 1 {
            wrong(
                "/version",
                "只保存已发布模型的决策",
                "only decisions of published models are kept",
            );
        }
        let texts = [
            ("/purpose", &keeping.purpose),
            ("/basis", &keeping.basis),
            ("/case", keeping.case.as_ref().unwrap_or(&keeping.basis)),
            ("/person", keeping.person.as_ref().unwrap_or(&keeping.basis)),
        ];
        for (at, text) in texts {
            if text.chars().count() > 500 {
                wrong(at, "最多 500 个字符", "at most 500 characters");
            }
        }
        let body = serde_json::to_string(outcome);
        let body = body.map_err(|e| Fault::internal("writing an evaluation", e))?;
        if body.len() > KEPT_LIMIT {
            wrong(
                "/outcome",
                "决策及其说明过大，不能保存",
                "the decision and its explanation are too large to keep",
            );
        }
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        let row = EvaluationRow {
            id: new_id(now),
            at: now.0,
            account: by.account.clone(),
            model: outcome.model.clone(),
            version: outcome.version,
            decision: outcome.decision.clone(),
            case: keeping.case.clone().unwrap_or_default(),
            person: keeping.person.clone().unwrap_or_default(),
            purpose: keeping.purpose.clone(),
            basis: keeping.basis.clone(),
            result: outcome.result.to_string(),
        };
        Ok((row, body))
    }
}

/// What a model is before it is published.
fn unpublished() -> ModelVersion {
    ModelVersion {
        model: String::new(),
        version: 0,
        title: String::new(),
        digest: String::new(),
        note: String::new(),
        published_at: Time(0),
        published_by: String::new(),
    }
}

fn version_of(row: ModelRow) -> ModelVersion {
    ModelVersion {
        model: row.model,
        version: row.version,
        title: row.title,
        digest: row.digest,
        note: row.note,
        published_at: Time(row.published_at),
        published_by: row.published_by,
    }
}

pub(crate) fn evaluation(row: EvaluationRow, outcome: Option<Outcome>) -> Evaluation {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let outcome = outcome.unwrap_or_else(|| Outcome {
        model: row.model,
        version: row.version,
        decision: row.decision,
        input: Map::new(),
        result: serde_json::from_str(&row.result).unwrap_or(Value::Null),
        why_null: None,
        explanation: vec![],
    });
    Evaluation {
        id: row.id,
        at: Time(row.at),
        account: row.account,
        keeping: Keeping {
            purpose: row.purpose,
            basis: row.basis,
            case: some(row.case),
            person: some(row.person),
        },
        outcome,
    }
}

/// Whom a reading concerns, under the name they find it by in the audit log.
pub(crate) fn concerned<'a>(persons: impl IntoIterator<Item = &'a str>) -> Value {
    let persons = persons.into_iter().filter(|person| !person.is_empty());
    persons
        .map(|person| json!({"person": format!("party/{person}")}))
        .collect()
}

/// Does something that blocks, away from the threads that serve requests.
async fn waiting<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let outcome = tokio::task::spawn_blocking(act).await;
    outcome.unwrap_or_else(|e| Err(Fault::internal("waiting for a decision", e)))
}

/// What is wrong with the code of a model, if anything.
fn code_fault(code: &str) -> Option<Problem> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let fine = (1..=64).contains(&code.len()) && code.chars().all(letters);
    (!fine).then(|| Problem {
        at: "/model".into(),
        words: Words::new(
            "模型代码应为 1 至 64 个小写字母、数字、“.”“_”“-”",
            "the code of a model must be 1 to 64 lower-case letters, digits, \".\", \"_\", \"-\"",
        ),
    })
}

fn stale(newest: i64) -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "input.stale",
        format!("此模型已有新版本 {newest}，请在其基础上修改"),
        format!("version {newest} of this model was published since; start from it"),
    )
}

#[async_trait]
impl Decisions for Engine {
    async fn check(&self, xml: &str) -> Result<ModelShape, Fault> {
        let model = self.built(xml, unpublished()).await?;
        Ok(model.shape().clone())
    }

    async fn try_out(
        &self,
        xml: &str,
        decision: &str,
        input: &Map<String, Value>,
    ) -> Result<Outcome, Fault> {
        let model = self.built(xml, unpublished()).await?;
        let (decision, input) = (decision.to_owned(), input.clone());
        waiting(move || model.decide(&decision, &input)).await
    }

    async fn publish(&self, by: &Actor, new: &NewModel) -> Result<ModelVersion, Fault> {
        let mut problems: Vec<Problem> = code_fault(&new.model).into_iter().collect();
        if new.note.chars().count() > 2_000 {
            problems.push(Problem {
                at: "/note".into(),
                words: Words::new("最多 2000 个字符", "at most 2,000 characters"),
            });
        }
        let built = self.built(&new.xml, unpublished()).await;
        match built {
            Err(fault) if fault.code == "input.invalid" => problems.extend(fault.problems),
            Err(fault) => return Err(fault),
            Ok(model) if problems.is_empty() => {
                return self.publish_checked(by, new, &model.version().title).await;
            }
            Ok(_) => {}
        }
        Err(Fault::invalid(problems))
    }

    async fn models(&self, after: Option<&str>, limit: u64) -> Result<Vec<ModelVersion>, Fault> {
        let mut reader = self.store.snapshot().await?;
        let rows = store::decisions::models(&mut reader, after, limit.min(PAGE_LIMIT)).await?;
        Ok(rows.into_iter().map(version_of).collect())
    }

    async fn versions(
        &self,
        model: &str,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<ModelVersion>, Fault> {
        let mut reader = self.store.reader().await?;
        let limit = limit.min(PAGE_LIMIT);
        let rows = store::decisions::versions(&mut reader, model, before, limit).await?;
        if rows.is_empty() && before.is_none() {
            return Err(Fault::missing(model));
        }
        Ok(rows.into_iter().map(version_of).collect())
    }

    async fn xml(
        &self,
        model: &str,
        version: Option<i64>,
    ) -> Result<(ModelVersion, String), Fault> {
        let mut reader = self.store.reader().await?;
        let found = store::decisions::with_xml(&mut reader, model, version).await?;
        let (row, xml) = found.ok_or_else(|| Fault::missing(model))?;
        Ok((version_of(row), xml))
    }

    async fn ready(&self, model: &str, version: Option<i64>) -> Result<Arc<dyn ReadyModel>, Fault> {
        let model: Arc<dyn ReadyModel> = self.ready_model(model, version).await?;
        Ok(model)
    }

    async fn ready_at(
        &self,
        run: &mut (dyn Any + Send),
        model: &str,
        at: Time,
    ) -> Result<Arc<dyn ReadyModel>, Fault> {
        if let Some(tx) = run.downcast_mut::<Tx>() {
            return Ok(self.in_force(tx, model, at).await?);
        }
        match run.downcast_mut::<Reader>() {
            Some(reader) => Ok(self.in_force(reader, model, at).await?),
            None => Err(Fault::internal("reading a model", "no store to read it in")),
        }
    }

    async fn decide(&self, question: &Question) -> Result<Outcome, Fault> {
        let model = self.ready_model(&question.model, question.version).await?;
        let (decision, input) = (question.decision.clone(), question.input.clone());
        waiting(move || model.decide(&decision, &input)).await
    }

    async fn keep(
        &self,
        by: &Actor,
        outcome: &Outcome,
        keeping: &Keeping,
    ) -> Result<String, Fault> {
        let keeping = self.placed(by, keeping).await?;
        let mut tx = self.store.begin().await?;
        let id = self.kept(&mut tx, by, outcome, &keeping).await?;
        tx.commit().await?;
        Ok(id)
    }

    async fn keep_in(
        &self,
        transaction: &mut (dyn Any + Send),
        by: &Actor,
        outcome: &Outcome,
        keeping: &Keeping,
    ) -> Result<String, Fault> {
        let Some(tx) = transaction.downcast_mut::<Tx>() else {
            return Err(Fault::internal("keeping a decision", "no transaction"));
        };
        self.kept(tx, by, outcome, keeping).await
    }

    async fn evaluation(&self, by: &Actor, id: &str) -> Result<Evaluation, Fault> {
        let found = {
            let mut reader = self.store.reader().await?;
            store::decisions::get(&mut reader, id).await?
        };
        let (row, body) = found.ok_or_else(|| Fault::missing(id))?;
        let seen = self.visible(by, vec![row]).await?.pop();
        let row = seen.ok_or_else(|| Fault::missing(id))?;
        let outcome = serde_json::from_str(&body);
        let outcome = outcome.map_err(|e| Fault::internal("reading an evaluation", e))?;
        let details = json!({"what": "evaluation", "case": row.case, "records": concerned([row.person.as_str()])});
        let entry = self.entry(by, "read", id, details);
        let mut tx = self.store.begin().await?;
        store::audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(evaluation(row, Some(outcome)))
    }

    async fn evaluations(
        &self,
        by: &Actor,
        filter: &EvaluationFilter,
        limit: u64,
    ) -> Result<Vec<Evaluation>, Fault> {
        Ok(self.page(by, filter, limit).await?.0)
    }

    async fn decide_again(&self, by: &Actor, id: &str) -> Result<(Evaluation, Outcome), Fault> {
        let then = self.evaluation(by, id).await?;
        let question = Question {
            model: then.outcome.model.clone(),
            version: Some(then.outcome.version),
            decision: then.outcome.decision.clone(),
            input: then.outcome.input.clone(),
        };
        let now = self.decide(&question).await?;
        Ok((then, now))
    }
}

impl Engine {
    async fn publish_checked(
        &self,
        by: &Actor,
        new: &NewModel,
        title: &str,
    ) -> Result<ModelVersion, Fault> {
        let digest = Sha256::digest(new.xml.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut tx = self.store.begin().await?;
        let newest = store::decisions::newest(&mut tx, &new.model).await?;
        if let Some(newest) = &newest
            && newest.digest == digest
        {
            return Ok(version_of(newest.clone()));
        }
        let last = newest.map_or(0, |row| row.version);
        if new.after_version.is_some_and(|after| after != last) {
            return Err(stale(last));
        }
        let row = ModelRow {
            model: new.model.clone(),
            version: last + 1,
            title: title.to_owned(),
            digest,
            note: new.note.clone(),
            published_at: self.clock.now().0,
            published_by: by.account.clone(),
        };
        store::decisions::publish(&mut tx, &row, &new.xml).await?;
        let details = json!({"what": "publish", "version": row.version, "digest": row.digest, "note": row.note});
        let entry = self.entry(by, "write", &row.model, details);
        store::audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(version_of(row))
    }
}
