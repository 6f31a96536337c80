//! What the city does by itself: drafts that run out, applications nobody answered in time, cases
//! that ended or stand still, what a crash cut short, sealing anew.

use crate::change::{Change, Open};
use crate::drafts::forgotten;
use crate::sealing::{application_place, draft_place};
use crate::{Engine, TRIES};
use kernel::access::Actor;
use kernel::applications::ApplicationState;
use kernel::cases::{Pause, PauseKind};
use kernel::events::{Event, EventKind};
use kernel::{Fault, Time, Words};
use serde_json::{Value, json};
use store::applications::read::{self, By};
use store::applications::{JobRow, write};
use store::cursors;

/// Rows of one round.
const ROUND: u64 = 200;
/// Name of the cursor of the log.
const CURSOR: &str = "applications";
/// Bytes of events read at once.
const BYTES: usize = 1 << 20;
/// Events that may be read again after a restart when none of them concerned an application.
const BEHIND: i64 = 500;

impl Engine {
    /// Forgets drafts nobody has come back to for [`crate::DRAFT_DAYS`] days, and their files; says
    /// how many. A daily job.
    pub async fn tidy(&self) -> Result<u64, Fault> {
        let mut done = 0;
        loop {
            let now = self.clock.now();
            let rows = read::drafts_over(&mut self.store.reader().await?, now.0, ROUND).await?;
            if rows.is_empty() {
                return Ok(done);
            }
            for row in rows {
                // One saved at this very moment stays.
                if self.put(forgotten(&row, now)).await?.is_some() {
                    done += 1;
                }
            }
        }
    }

    /// Accepts what no clerk has said anything about within five working days, from the day it was
    /// received (行政许可法第三十二条); says how many. A job for every hour.
    pub async fn deem_accepted(&self) -> Result<u64, Fault> {
        let mut done = 0;
        loop {
            let now = self.clock.now();
            let state = ApplicationState::Submitted as i64;
            let rows = read::due(&mut self.store.reader().await?, state, now.0, ROUND).await?;
            if rows.is_empty() {
                return Ok(done);
            }
            for row in rows {
                let mut change = self.change(self.opened(row)?);
                let words = Words::new(
                    "逾期未告知，自收到之日起视为受理",
                    "not answered in time: accepted from the day it was received",
                );
                let from = change.open.body.received_at;
                self.accepted(&mut change, from, "deemed_accepted", words, None)
                    .await?;
                let by = Actor::system();
                change.last(&by);
                change.audit(&by, "handle", "deem_accepted", json!({}));
                let (write, _) = self.finish(change).await?;
                // A clerk who was quicker has decided.
                if self.put(write).await?.is_some() {
                    done += 1;
                }
            }
        }
    }

    /// Begins the cases of accepted applications that have none, whatever was lost, and brings
    /// bundles into agreement with their parts; says how many it took up again. A job for every hour, and at the start.
    pub async fn repair(&self) -> Result<u64, Fault> {
        let (mut done, mut after) = (self.align_bundles().await?, String::new());
        loop {
            let state = ApplicationState::Accepted as i64;
            let rows = {
                let mut reader = self.store.reader().await?;
                read::without_case(&mut reader, state, &after, ROUND).await?
            };
            let Some(last) = rows.last() else {
                self.work().await?;
                return Ok(done);
            };
            after = last.id.clone();
            for row in rows {
                let id = format!("{}/case/start", row.id);
                let jobs = read::jobs_of(&mut self.store.reader().await?, &row.id).await?;
                match jobs.into_iter().find(|job| job.id == id) {
                    Some(job) if job.aside == 0 => continue,
                    Some(job) => self.revive(job).await?,
                    None => {
                        self.add_job(start_job(&row.id, id, self.clock.now()))
                            .await?
                    }
                }
                done += 1;
            }
        }
    }

    /// Reads what happened to cases and does what it means; says how many events concerned an
    /// application.
    pub async fn follow(&self) -> Result<u64, Fault> {
        let from = self.store.cursors().get(CURSOR).await?.unwrap_or(0);
        let (mut seen, mut done) = (from, 0);
        loop {
            let events = self.store.events().read(seen, BYTES).await?;
            let Some(last) = events.last().map(|event| event.seq) else {
                break;
            };
            for event in events.iter().filter(|e| e.kind == EventKind::Case) {
                done += u64::from(self.case_event(event).await?);
            }
            seen = last;
            if seen - from > BEHIND {
                self.come_to(seen).await?;
            }
        }
        if done > 0 {
            self.come_to(seen).await?;
        }
        Ok(done)
    }

    /// In a new city the log is followed from now on: what was before concerned no application.
    pub(crate) async fn take_place(&self) -> Result<(), Fault> {
        match self.store.cursors().get(CURSOR).await? {
            Some(_) => Ok(()),
            None => self.come_to(self.store.events().last_seq()).await,
        }
    }

    async fn come_to(&self, seq: i64) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        cursors::set(&mut tx, CURSOR, seq).await?;
        tx.commit().await
    }

    /// What one event of a case means; `false` when nothing.
    async fn case_event(&self, event: &Event) -> Result<bool, Fault> {
        let body: Value = serde_json::from_slice(&event.body).unwrap_or_default();
        let what = body["what"].as_str().unwrap_or("");
        if !["ended", "paused", "unpaused"].contains(&what) {
            return Ok(false);
        }
        let number = body["number"].as_str().unwrap_or("");
        let case = body["case"].as_str().unwrap_or(&event.about);
        match what {
            "ended" => self.ended(case, number).await,
            _ => self.clock_of(case, number, what == "paused").await,
        }
    }

    /// The application of a case; by its number when the case was over before it was noted here.
    async fn of_case(&self, case: &str, number: &str) -> Result<Option<Open>, Fault> {
        let mut reader = self.store.reader().await?;
        let row = match read::application(&mut reader, By::Case, case).await? {
            Some(row) => Some(row),
            None if number.is_empty() => None,
            None => read::application(&mut reader, By::Number, number).await?,
        };
        drop(reader);
        let mine = row.filter(|row| row.case_id.as_deref().is_none_or(|id| id == case));
        mine.map(|row| self.opened(row)).transpose()
    }

    /// A case came to its end: an application it has not decided ends with it. Called by whoever
    /// hears of it first; twice is harmless.
    pub async fn case_ended(&self, case: &str) -> Result<(), Fault> {
        self.ended(case, "").await.map(drop)
    }

    async fn ended(&self, case: &str, number: &str) -> Result<bool, Fault> {
        for _ in 0..TRIES {
            let Some(open) = self.of_case(case, number).await? else {
                return Ok(false);
            };
            if open.state() != ApplicationState::Accepted || open.row.bundle == 1 {
                return Ok(false);
            }
            let mut change = self.change(open);
            change.becomes(ApplicationState::Terminated);
            change.open.row.case_id = Some(case.into());
            change.open.body.paused = false;
            let words = Words::new("办理已终止，未作出决定", "ended without a decision");
            change.step("terminated", words, None, true);
            change.notice("application_terminated");
            change.event("terminated");
            change.audit(&Actor::system(), "write", "case_ended", json!({}));
            let (write, _) = self.finish(change).await?;
            if self.put(write).await?.is_some() {
                return Ok(true);
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    /// The clocks of a case were stopped or go on.
    async fn clock_of(&self, case: &str, number: &str, paused: bool) -> Result<bool, Fault> {
        for _ in 0..TRIES {
            let Some(open) = self.of_case(case, number).await? else {
                return Ok(false);
            };
            if open.state() != ApplicationState::Accepted || open.body.paused == paused {
                return Ok(false);
            }
            let file = self.cases()?.case(&Actor::system(), case).await?;
            let mut change = self.change(open);
            change.open.body.paused = paused;
            if let Some(left) = file.case.promised.or(file.case.statutory) {
                change.open.row.due_at = left.due.0;
            }
            let pause = match paused {
                true => file.pauses.iter().rev().find(|pause| pause.to.is_none()),
                false => file.pauses.last(),
            };
            tell_pause(&mut change, pause, paused);
            let (write, _) = self.finish(change).await?;
            if self.put(write).await?.is_some() {
                return Ok(true);
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    /// Seals everything anew that is not under the newest key; says how much. A job, and done
    /// before an old key is retired; the key of the digests comes last.
    pub async fn reseal(&self) -> Result<u64, Fault> {
        let (mut done, mut after) = (0, String::new());
        loop {
            let mut tx = self.store.begin().await?;
            let rows = read::drafts_after(&mut tx, &after, ROUND).await?;
            let Some(last) = rows.last() else { break };
            after = last.id.clone();
            for row in rows
                .iter()
                .filter(|row| !self.sealing.is_current(&row.body))
            {
                let body = self.sealing.anew(&draft_place(&row.id), &row.body)?;
                write::reseal_draft(&mut tx, &row.id, body).await?;
                done += 1;
            }
            tx.commit().await?;
        }
        after.clear();
        loop {
            let mut tx = self.store.begin().await?;
            let rows = read::applications_after(&mut tx, &after, ROUND).await?;
            let Some(last) = rows.last() else { break };
            after = last.id.clone();
            for row in rows
                .iter()
                .filter(|row| !self.sealing.is_current(&row.body))
            {
                let body = self.sealing.anew(&application_place(&row.id), &row.body)?;
                write::reseal_application(&mut tx, &row.id, body).await?;
                done += 1;
            }
            tx.commit().await?;
        }
        self.sealing.finish(&self.store).await?;
        Ok(done)
    }
}

fn start_job(application: &str, id: String, now: Time) -> JobRow {
    JobRow {
        id,
        application: application.into(),
        kind: "case".into(),
        name: "start".into(),
        at: now.0,
        next_at: now.0,
        attempts: 0,
        aside: 0,
        error: String::new(),
    }
}

fn pause_words(kind: PauseKind) -> (&'static str, &'static str) {
    match kind {
        PauseKind::Supplement => ("补正", "a supplement"),
        PauseKind::Display => ("公示", "public display"),
        PauseKind::Hearing => ("听证", "a hearing"),
        PauseKind::Tender => ("招标、拍卖", "a tender"),
        PauseKind::Inspection => ("检验检测", "an inspection"),
        PauseKind::Appraisal => ("鉴定", "an appraisal"),
        PauseKind::ExpertReview => ("专家评审", "a review by experts"),
        PauseKind::ForceMajeure => ("不可抗力", "force majeure"),
    }
}

fn tell_pause(change: &mut Change, pause: Option<&Pause>, paused: bool) {
    let (zh, en) = pause.map_or(("", ""), |pause| pause_words(pause.kind));
    let basis = pause.map_or("", |pause| &pause.basis);
    let (what, words) = match paused {
        true => (
            "paused",
            Words::new(
                format!("暂停计时：{zh}（{basis}）"),
                format!("the clock stands still for {en} ({basis})"),
            ),
        ),
        false => ("resumed", Words::new("恢复计时", "the clock goes on")),
    };
    change.step(what, words, None, true);
    change.event(what);
}
