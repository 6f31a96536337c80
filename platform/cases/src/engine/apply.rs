//! Which deed is done where.

use super::desk::{Deed, Reply};
use super::work::{Work, audit};
use kernel::Fault;
use serde_json::json;

impl Work<'_> {
    pub(super) async fn apply(&mut self, deed: &Deed) -> Result<Reply, Fault> {
        match deed {
            Deed::Start(by, new) => self.start(by, new).await,
            Deed::Act(by, task, seen, verb, judged) => {
                self.act(by, task, *seen, verb, *judged).await
            }
            Deed::Rule(by, case, seen, verb) => self.rule(by, case, *seen, verb).await,
            Deed::Message(by, message) => self.message(by, message).await,
            Deed::Signal(by, name, data) => self.signal(by, name, data),
            Deed::Fire(timer) => self.fire(timer).await,
            Deed::Job(job) => self.do_job(job).await,
            Deed::Reserve(job, until) => self.reserve(job, *until).await,
            Deed::Served(job, served) => self.served(job, served).await,
            Deed::JobFailed(job, error) => self.job_failed(job, error).await,
            Deed::TimerFailed(timer, error) => self.timer_failed(timer, error).await,
            Deed::TryAgain(by, id) => self.try_again(by, id).await,
            Deed::Told(task, told) => self.note_told(task, told).await,
            Deed::Looked(by, number) => {
                let entry = audit(self.now, by, "read", "cases", number, json!({}));
                self.writes.audits.push(entry);
                Ok(Reply::Nothing)
            }
        }
    }
}
