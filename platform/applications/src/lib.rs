//! applications: what residents and enterprises hand in (办件), from the first draft to the rating.
//!
//! Drafts are on the disk at every save and follow their item to its next version. A draft handed
//! in becomes one application, or one with a part for each item of a bundle, with numbers that have
//! no gaps. Clerks accept it or say once what is missing; silence for five working days accepts it
//! (行政许可法第三十二条). Then its case decides, and calls back ([`Applications::serve`]).
//!
//! Everything is decided first and written after: a decision names the versions it was made upon,
//! decisions that arrive together share one transaction ([`desk`]), and one whose ground has moved
//! is made again. What must happen elsewhere because of it (a case, a letter, a message) is written
//! with it and done afterwards ([`outbox`]), again until it succeeds.
//!
//! What is personal lies sealed; people are found by keyed digests. Every look of an office at
//! somebody's answers is in the audit log with purpose and basis.

mod access;
mod applicant;
mod aside;
mod body;
mod bundle;
mod calling;
mod change;
mod clerk;
mod desk;
mod drafts;
mod faults;
mod figures;
mod jobs;
mod letter;
mod means;
mod missing;
mod outbox;
mod own;
mod paying;
mod progress;
mod reading;
mod sealing;
mod serve;
mod settle;
mod sources;
mod submit;
mod uploads;
mod views;
mod whole;

pub use means::{
    Files, Letters, Means, NewLetter, Notices, Offices, People, Person, Pseudonym, Recipient,
    WorkingDays,
};
pub use submit::numbered;

use async_trait::async_trait;
use kernel::access::Actor;
use kernel::applications::*;
use kernel::cases::{Cases, Count, Limit, Served};
use kernel::licences::Papers;
use kernel::{Clock, Fault, Time};
use serde_json::{Map, Value};
use std::sync::{Arc, OnceLock, Weak};
use store::Store;
use tokio::sync::Notify;

/// Days a draft is kept after its last save.
pub const DRAFT_DAYS: i64 = 90;
/// Open drafts of one person, at most.
pub const DRAFTS: usize = 50;
/// Within which a clerk must say something; after it the application is accepted from the day it
/// was received (行政许可法第三十二条).
pub const ACCEPTANCE: Limit = Limit {
    days: 5,
    count: Count::WorkingDays,
};
/// Within which a bad mark must be answered (政务服务“好差评”: 差评整改).
pub const ANSWER: Limit = Limit {
    days: 15,
    count: Count::WorkingDays,
};
/// Object of the policy.
const OBJECT: &str = "service_applications";
/// Times a decision is made anew when its ground has moved.
const TRIES: usize = 100;

/// The engine of applications of a city.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    means: Means,
    sealing: sealing::Sealing,
    cases: OnceLock<Arc<dyn Cases>>,
    desk: Arc<desk::Desk>,
    guesses: progress::Guesses,
    /// Wakes who does what is due.
    wake: Notify,
    myself: Weak<Engine>,
}

impl Engine {
    /// Opens it on a store.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        means: Means,
    ) -> Result<Arc<Engine>, Fault> {
        let sealing = sealing::Sealing::open(&store, means.crypto.clone()).await?;
        let engine = Arc::new_cyclic(|myself| Engine {
            store,
            clock,
            means,
            sealing,
            cases: OnceLock::new(),
            desk: desk::desk(),
            guesses: progress::Guesses::default(),
            wake: Notify::new(),
            myself: myself.clone(),
        });
        engine.take_place().await?;
        Ok(engine)
    }

    /// Hands over the engine of cases, which calls back into this one and so is made after it.
    /// Until then accepted applications wait. The second call does nothing.
    pub fn set_cases(&self, cases: Arc<dyn Cases>) {
        // Handing it over twice is harmless.
        let _ = self.cases.set(cases);
        self.wake.notify_one();
    }

    fn cases(&self) -> Result<&Arc<dyn Cases>, Fault> {
        let waiting = || Fault::overloaded("cases", 5);
        self.cases.get().ok_or_else(waiting)
    }
}

#[async_trait]
impl Applications for Engine {
    async fn begin(&self, by: &Actor, new: NewDraft) -> Result<Draft, Fault> {
        self.begin_draft(by, new).await
    }
    async fn draft(&self, by: &Actor, id: &str) -> Result<Draft, Fault> {
        self.open_draft(by, id).await
    }
    async fn drafts(&self, by: &Actor) -> Result<Vec<DraftLine>, Fault> {
        self.own_drafts(by).await
    }
    async fn save(
        &self,
        by: &Actor,
        id: &str,
        seen: Option<i64>,
        change: DraftChange,
    ) -> Result<Draft, Fault> {
        self.save_draft(by, id, seen, change).await
    }
    async fn discard(&self, by: &Actor, id: &str) -> Result<(), Fault> {
        self.discard_draft(by, id).await
    }
    async fn submit(&self, by: &Actor, draft: &str) -> Result<Receipt, Fault> {
        self.hand_in(by, draft).await
    }
    async fn may_upload(
        &self,
        by: &Actor,
        about: &str,
        material: &str,
    ) -> Result<UploadRule, Fault> {
        self.upload_rule(by, about, material).await
    }
    async fn note_file(
        &self,
        by: &Actor,
        about: &str,
        material: &str,
        file: FileLine,
        removed: bool,
    ) -> Result<(), Fault> {
        self.file_noted(by, about, material, file, removed).await
    }
    async fn may_read_file(&self, by: &Actor, about: &str, file: &str) -> Result<(), Fault> {
        self.file_read(by, about, file).await
    }
    async fn applications(
        &self,
        by: &Actor,
        filter: &ApplicationFilter,
    ) -> Result<ApplicationPage, Fault> {
        self.list(by, filter).await
    }
    async fn application(&self, by: &Actor, id: &str) -> Result<ApplicationFile, Fault> {
        self.file(by, id).await
    }
    async fn papers(&self, id: &str) -> Result<Option<Papers>, Fault> {
        self.papers_of(id).await
    }
    async fn handle(
        &self,
        by: &Actor,
        id: &str,
        seen: Option<i64>,
        verb: Clerk,
    ) -> Result<Application, Fault> {
        self.clerk_does(by, id, seen, verb).await
    }
    async fn own(
        &self,
        by: &Actor,
        id: &str,
        seen: Option<i64>,
        verb: Own,
    ) -> Result<Application, Fault> {
        self.applicant_does(by, id, seen, verb).await
    }
    async fn progress(&self, number: &str, check: &str) -> Result<Progress, Fault> {
        self.progress_of(number, check).await
    }
    async fn serve(
        &self,
        function: &str,
        key: &str,
        input: &Map<String, Value>,
    ) -> Result<Served, Fault> {
        self.served(function, key, input).await
    }
    async fn paid(&self, bill: &str, fen: i64, reference: &str) -> Result<(), Fault> {
        self.paid_by_service(bill, fen, reference).await
    }
    async fn figures(
        &self,
        by: &Actor,
        from: Time,
        to: Time,
    ) -> Result<Vec<ServiceFigures>, Fault> {
        self.figures_of(by, from, to).await
    }
}
