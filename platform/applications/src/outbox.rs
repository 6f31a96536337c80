//! What is done after a change: cases begun and cancelled, letters written, messages sent, files
//! kept or forgotten. Each is written with the change, tried again after a growing wait until it
//! succeeds, and set aside after too many failures, where an operator sees it. Each is harmless
//! when done twice.

use crate::Engine;
use crate::change::Open;
use kernel::access::Actor;
use kernel::applications::ApplicationState;
use kernel::cases::{CaseVerb, Message, NewCase};
use kernel::fault::FaultKind;
use kernel::licences::InPlace;
use kernel::{Fault, Noted, Span, Time};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::applications::{JobRow, Write, read, write};
use tokio::task::JoinSet;

use crate::letter::letter_fields;
use crate::means::{NewLetter, Recipient};

/// Jobs looked at in one round, at most.
const ROUND: u64 = 64;
/// Jobs done at the same time, at most.
const AT_ONCE: usize = 8;
/// Failures before a job is set aside: about half a day.
const ATTEMPTS: i64 = 30;
/// Wait after the first failure; doubles with each further one.
const WAIT: Span = Span::seconds(2);
/// The wait does not grow beyond this.
const WAIT_LIMIT: Span = Span::minutes(30);
/// How often what is due is looked for.
const TICK: std::time::Duration = std::time::Duration::from_secs(1);

impl Engine {
    /// Does what is due and follows the cases, until `stop` is ready.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            for outcome in [self.follow().await, self.work().await] {
                if let Err(fault) = outcome {
                    tracing::warn!(%fault, "looking for what is due");
                }
            }
            tokio::select! {
                () = &mut stop => break,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Does everything that is due now; says how much of it succeeded.
    pub async fn work(&self) -> Result<u64, Fault> {
        let mut done = 0;
        loop {
            let now = self.clock.now();
            let due = read::jobs_due(&mut self.store.reader().await?, now.0, ROUND).await?;
            if due.is_empty() {
                return Ok(done);
            }
            let mut running = JoinSet::new();
            let (mut over, mut trouble) = (vec![], None);
            let mut due = due.into_iter();
            loop {
                while running.len() < AT_ONCE
                    && let Some(job) = due.next()
                    && let Some(engine) = self.myself.upgrade()
                {
                    running.spawn(async move { engine.attempt_job(job).await });
                }
                match running.join_next().await {
                    Some(Ok(Ok(id))) => over.extend(id),
                    Some(Ok(Err(fault))) => trouble = Some(fault),
                    Some(Err(broken)) => tracing::error!(%broken, "a job broke"),
                    None => break,
                }
            }
            done += over.len() as u64;
            self.remove_jobs(&over).await?;
            if let Some(fault) = trouble {
                return Err(fault);
            }
        }
    }

    /// Those that succeeded, in one transaction: done again after a crash they do no harm.
    async fn remove_jobs(&self, over: &[String]) -> Result<(), Fault> {
        if over.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        write::remove_jobs(&mut tx, over).await?;
        tx.commit().await
    }

    /// Does one job now, if it still waits.
    pub(crate) async fn do_now(&self, id: &str) -> Result<bool, Fault> {
        let application = id.split('/').next().unwrap_or_default();
        let jobs = read::jobs_of(&mut self.store.reader().await?, application).await?;
        match jobs.into_iter().find(|job| job.id == id) {
            Some(job) => {
                let over: Vec<String> = self.attempt_job(job).await?.into_iter().collect();
                self.remove_jobs(&over).await?;
                Ok(!over.is_empty())
            }
            None => Ok(false),
        }
    }

    /// Does a job and answers its identification when it is to be removed. A failure is noted, and
    /// it is tried again later.
    async fn attempt_job(&self, job: JobRow) -> Result<Option<String>, Fault> {
        let Some(engine) = self.myself.upgrade() else {
            return Ok(None);
        };
        // In a task of its own: what breaks it is a failure like any other.
        let own = job.clone();
        let outcome = tokio::spawn(async move { engine.do_job(&own).await }).await;
        let outcome = outcome.unwrap_or_else(|e| Err(Fault::internal("doing a job", e)));
        let Err(fault) = outcome else {
            return Ok(Some(job.id));
        };
        tracing::info!(%fault, job = job.id, attempts = job.attempts, "tried again later");
        let doublings = job.attempts.clamp(0, 20) as u32;
        let wait = WAIT.0.saturating_mul(1 << doublings).min(WAIT_LIMIT.0);
        let attempts = job.attempts + 1;
        let aside = attempts >= ATTEMPTS;
        // Of what is set aside it says when it failed.
        let wait = if aside { 0 } else { wait };
        let row = JobRow {
            next_at: self.clock.now().0 + wait,
            attempts,
            aside: i64::from(aside),
            error: Noted::from(&fault).to_text(),
            ..job
        };
        let mut tx = self.store.begin().await?;
        write::put_job(&mut tx, &row).await?;
        tx.commit().await?;
        Ok(None)
    }

    async fn do_job(&self, job: &JobRow) -> Result<(), Fault> {
        match job.kind.as_str() {
            "files" => self.do_files(job).await,
            "licences" => self.note_licences(job).await,
            "case" if job.name == "start" => self.begin_case(job).await,
            "case" => self.cancel_case(job).await,
            "message" => self.send_paid(job).await,
            "letter" => self.write_letter(job).await,
            "notice" => self.send_notice(job).await,
            other => Err(Fault::internal("doing a job", other)),
        }
    }

    async fn do_files(&self, job: &JobRow) -> Result<(), Fault> {
        if job.name == "forget" {
            return self.means.files.forget(&job.application).await;
        }
        let Some(open) = self.find(&job.application).await? else {
            return Ok(());
        };
        let materials = open.body.materials.iter();
        let files: Vec<String> = materials
            .flat_map(|material| material.files.iter().map(|file| file.id.clone()))
            .collect();
        match files.is_empty() {
            true => Ok(()),
            false => self.means.files.hand_in(&files).await,
        }
    }

    /// Licences that answered its materials in place of paper: a use of each, which its holder sees.
    async fn note_licences(&self, job: &JobRow) -> Result<(), Fault> {
        let Some(open) = self.find(&job.application).await? else {
            return Ok(());
        };
        let item = self
            .version_of(&open.row.item, open.row.item_version)
            .await?;
        let mut papers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for material in &open.body.materials {
            if let Some(licence) = &material.licence {
                papers.entry(licence).or_default().push(&material.title.zh);
            }
        }
        for (licence, titles) in papers {
            let (title, titles) = (&open.row.title_zh, titles.join("、"));
            let used = InPlace {
                organisation: open.row.organisation.clone(),
                matter: open.row.number.clone(),
                purpose: format!("办理“{title}”，代替纸质材料：{titles}"),
                basis: item.content.basis.join("；"),
            };
            match self.means.licences.note_in_place(licence, &used).await {
                // It is there no more: nobody will use it.
                Err(fault) if fault.kind == FaultKind::Missing => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// The case of an accepted application begins: with what is not personal, and the clocks of the
    /// item. Under the same key it is the same case, whatever a crash cut short.
    async fn begin_case(&self, job: &JobRow) -> Result<(), Fault> {
        let Some(open) = self.find(&job.application).await? else {
            return Ok(());
        };
        let goes_on = open.state() == ApplicationState::Accepted;
        if !goes_on || open.row.case_id.is_some() || open.row.bundle == 1 {
            return Ok(());
        }
        let item = self
            .version_of(&open.row.item, open.row.item_version)
            .await?;
        let Some(process) = &item.content.process else {
            tracing::warn!(item = item.item, "no process decides this item");
            return Ok(());
        };
        let personal: BTreeSet<String> = self.means.items.personal(&item).into_iter().collect();
        let cases = self.cases()?;
        let new = NewCase {
            process: process.clone(),
            version: None,
            number: Some(open.row.number.clone()),
            title: open.row.title_zh.chars().take(200).collect(),
            organisation: Some(open.row.organisation.clone()),
            data: case_data(&open, &personal),
            once: Some(open.row.id.clone()),
            statutory: Some(item.content.statutory),
            promised: Some(item.content.promised),
            // By silence, or when the case could not begin at once, that was before now.
            since: open.row.accepted_at.map(Time),
        };
        let case = cases.start(&Actor::system(), new).await?;
        let due = case.promised.or(case.statutory).map(|left| left.due);
        for _ in 0..crate::TRIES {
            let Some(open) = self.find(&job.application).await? else {
                return Ok(());
            };
            if open.row.case_id.is_some() {
                return Ok(());
            }
            let state = open.state();
            let mut change = self.change(open);
            change.quiet = true;
            change.open.row.case_id = Some(case.id.clone());
            if state == ApplicationState::Accepted {
                if let Some(due) = due {
                    change.open.row.due_at = due.0;
                }
            } else {
                // Taken back meanwhile.
                cancel(&**cases, &case.id).await?;
            }
            let (write, _) = self.finish(change).await?;
            if self.put(write).await?.is_some() {
                return Ok(());
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    async fn cancel_case(&self, job: &JobRow) -> Result<(), Fault> {
        let open = self.find(&job.application).await?;
        match open.and_then(|open| open.row.case_id) {
            Some(case) => cancel(&**self.cases()?, &case).await,
            // If it begins at this moment, whoever begins it sees that it was taken back.
            None => Ok(()),
        }
    }

    /// Tells the case that everything is paid.
    async fn send_paid(&self, job: &JobRow) -> Result<(), Fault> {
        let Some(open) = self.find(&job.application).await? else {
            return Ok(());
        };
        if open.state().ended() {
            return Ok(());
        }
        let mut data = Map::new();
        data.insert("paid".into(), true.into());
        let message = Message {
            name: "paid".into(),
            key: open.row.id.clone().into(),
            case: None,
            data,
            once: Some(job.id.clone()),
        };
        match self.cases()?.message(&Actor::system(), message).await {
            Ok(_) => Ok(()),
            Err(fault) if fault.kind == FaultKind::Conflict => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    async fn write_letter(&self, job: &JobRow) -> Result<(), Fault> {
        let Some(open) = self.find(&job.application).await? else {
            return Ok(());
        };
        let letter = open.body.letters.iter().find(|l| l.key == job.name);
        let Some(letter) = letter.filter(|letter| letter.line.file.is_none()) else {
            return Ok(());
        };
        let item = self
            .version_of(&open.row.item, open.row.item_version)
            .await?;
        let kind = letter.line.kind.clone();
        let number = job.name.rsplit_once('-').and_then(|(_, n)| n.parse().ok());
        let mut fields = letter_fields(&open, &item, &kind, number.unwrap_or(1));
        let content = &item.content;
        fields.insert("refusing".into(), content.refusing().word().into());
        fields.insert("contact".into(), content.contact.zh.clone().into());
        fields.insert("item_basis".into(), content.basis.join("；").into());
        fields.insert("channel".into(), open.row.channel.clone().into());
        if content.outcome.licence.is_some() {
            fields.insert("licence".into(), content.outcome.title.zh.clone().into());
        }
        if let Some(at) = open.row.accepted_at {
            fields.insert("accepted_at".into(), kernel::Time(at).rfc3339().into());
        }
        let new = NewLetter {
            template: content.letters.get(&kind).cloned(),
            key: job.id.clone(),
            organisation: open.row.organisation.clone(),
            about: format!("application/{}", open.row.id),
            fields,
            person: self.person_of(&open),
            kind,
        };
        let made = self.means.letters.make(&new).await?;
        let mut known = Some(open);
        for _ in 0..crate::TRIES {
            // Nothing else may have happened to it meanwhile.
            let open = match known.take() {
                Some(open) => Some(open),
                None => self.find(&job.application).await?,
            };
            let Some(open) = open else {
                return Ok(());
            };
            let mut change = self.change(open);
            change.quiet = true;
            let letters = &mut change.open.body.letters;
            if let Some(kept) = letters.iter_mut().find(|l| l.key == job.name) {
                kept.line.number = made.number.clone();
                kept.line.file = made.file.clone();
                kept.line.at = made.at;
            }
            let (write, _) = self.finish(change).await?;
            if self.put(write).await?.is_some() {
                return Ok(());
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    async fn send_notice(&self, job: &JobRow) -> Result<(), Fault> {
        let Some(open) = self.find(&job.application).await? else {
            return Ok(());
        };
        let applicant = &open.body.applicant;
        let to = Recipient {
            account: applicant.seen.is_none().then(|| applicant.account.clone()),
            mobile: applicant.mobile.clone(),
        };
        let (what, _) = job.name.rsplit_once('-').unwrap_or((&job.name, ""));
        let mut fields = Map::new();
        fields.insert("number".into(), open.row.number.clone().into());
        fields.insert("title".into(), open.row.title_zh.clone().into());
        fields.insert("title_en".into(), open.row.title_en.clone().into());
        if let Some(left) = self.due(&open).await? {
            fields.insert("due".into(), left.due.rfc3339().into());
        }
        if let Some(refusal) = self.refusal(&open).await? {
            fields.insert("refusal".into(), refusal.zh.into());
            fields.insert("refusal_en".into(), refusal.en.into());
        }
        let delivery = open.body.delivery.as_ref();
        if let Some(tracking) = delivery.and_then(|delivery| delivery.tracking.clone()) {
            fields.insert("tracking".into(), tracking.into());
        }
        self.means.notices.tell(&to, what, &fields, &job.id).await
    }

    /// Something to be done that no change goes with.
    pub(crate) async fn add_job(&self, job: JobRow) -> Result<(), Fault> {
        let mut write = Write::default();
        write.jobs.push(job);
        self.put(write).await.map(drop)
    }
}

/// Cancels a case; one that has ended already stays as it is.
async fn cancel(cases: &dyn kernel::cases::Cases, case: &str) -> Result<(), Fault> {
    let verb = CaseVerb::Cancel {
        reason: "申请人撤回申请 taken back by the applicant".into(),
    };
    match cases.rule(&Actor::system(), case, None, verb).await {
        Ok(_) => Ok(()),
        Err(fault) if fault.kind == FaultKind::Conflict => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// What a case begins with: nothing personal.
fn case_data(open: &Open, personal: &BTreeSet<String>) -> Map<String, Value> {
    let form: Map<String, Value> = open
        .body
        .answers
        .iter()
        .filter(|(field, _)| !personal.contains(*field))
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect();
    let materials = open.body.materials.iter();
    let following: Vec<&str> = materials
        .filter(|material| material.following)
        .map(|material| material.name.as_str())
        .collect();
    let accepted = open.row.accepted_at.map(|at| kernel::Time(at).rfc3339());
    let about = json!({
        "id": open.row.id,
        "number": open.row.number,
        "item": open.row.item,
        "channel": open.row.channel,
        "natural": open.body.applicant.holder.is_natural(),
        "accepted_at": accepted,
        "following": following,
        "known": open.body.unchanged(),
        "form": form,
    });
    let mut data = Map::new();
    data.insert("application".into(), about);
    data
}
