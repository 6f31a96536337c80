//! The engine as others know it.

use super::Engine;
use super::desk::{Deed, Reply};
use async_trait::async_trait;
use kernel::Fault;
use kernel::access::Actor;
use kernel::cases::{
    Acted, CalendarDay, Case, CaseFile, CaseFilter, CasePage, CaseVerb, Cases, Correlated, Entry,
    Inbox, InboxFilter, Message, Migrated, Migration, Moved, NewCase, Process, SetAside, Simulated,
    Simulation, TaskFile, TaskVerb,
};
use serde_json::{Map, Value};
use store::cases::processes;

fn unexpected() -> Fault {
    Fault::internal("working at a case", "an answer to something else")
}

#[async_trait]
impl Cases for Engine {
    async fn publish(&self, by: &Actor, name: &str, xml: &str) -> Result<Vec<Process>, Fault> {
        self.publish_file(by, name, xml).await
    }

    async fn processes(&self) -> Result<Vec<Process>, Fault> {
        processes::newest(&mut self.store.reader().await?).await
    }

    async fn versions(&self, process: &str) -> Result<Vec<Process>, Fault> {
        let versions = processes::versions(&mut self.store.reader().await?, process).await?;
        if versions.is_empty() {
            return Err(Fault::missing(process));
        }
        Ok(versions)
    }

    async fn drawing(&self, process: &str, version: Option<i64>) -> Result<String, Fault> {
        let mut reader = self.store.reader().await?;
        let version = match version {
            Some(version) => Some(version),
            None => processes::last(&mut reader, process).await?.map(|(v, _)| v),
        };
        let version = version.ok_or_else(|| Fault::missing(process))?;
        let file = processes::file(&mut reader, process, version).await?;
        file.ok_or_else(|| Fault::missing(&format!("{process} v{version}")))
    }

    async fn migrate(&self, by: &Actor, migration: &Migration) -> Result<Vec<Migrated>, Fault> {
        self.migrate_cases(by, migration).await
    }

    async fn simulate(&self, by: &Actor, what: &Simulation) -> Result<Simulated, Fault> {
        self.replay(by, what).await
    }

    async fn start(&self, by: &Actor, new: NewCase) -> Result<Case, Fault> {
        match self.submit(Deed::Start(by.clone(), new)).await? {
            Reply::Case(case) => Ok(*case),
            _ => Err(unexpected()),
        }
    }

    async fn case(&self, by: &Actor, case: &str) -> Result<CaseFile, Fault> {
        self.opened(by, case).await
    }

    async fn history(
        &self,
        by: &Actor,
        case: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Entry>, Fault> {
        self.entries(by, case, after, limit).await
    }

    async fn cases(&self, by: &Actor, filter: &CaseFilter) -> Result<CasePage, Fault> {
        self.list(by, filter).await
    }

    async fn rule(
        &self,
        by: &Actor,
        case: &str,
        seen: Option<i64>,
        verb: CaseVerb,
    ) -> Result<Case, Fault> {
        let deed = Deed::Rule(by.clone(), case.into(), seen, verb);
        match self.submit(deed).await? {
            Reply::Case(case) => Ok(*case),
            _ => Err(unexpected()),
        }
    }

    async fn inbox(&self, by: &Actor, filter: &InboxFilter) -> Result<Inbox, Fault> {
        self.tray(by, filter).await
    }

    async fn task(&self, by: &Actor, task: &str) -> Result<TaskFile, Fault> {
        self.one_task(by, task).await
    }

    async fn act(
        &self,
        by: &Actor,
        task: &str,
        seen: Option<i64>,
        verb: TaskVerb,
    ) -> Result<Acted, Fault> {
        let judged = self.judged(by, task, seen, &verb).await?;
        let deed = Deed::Act(by.clone(), task.into(), seen, verb, judged);
        match self.submit(deed).await? {
            Reply::Acted(acted) => Ok(*acted),
            _ => Err(unexpected()),
        }
    }

    async fn message(&self, by: &Actor, message: Message) -> Result<Correlated, Fault> {
        match self.submit(Deed::Message(by.clone(), message)).await? {
            Reply::Correlated(correlated) => Ok(correlated),
            _ => Err(unexpected()),
        }
    }

    async fn signal(&self, by: &Actor, name: &str, data: Map<String, Value>) -> Result<(), Fault> {
        let deed = Deed::Signal(by.clone(), name.into(), data);
        self.submit(deed).await.map(drop)
    }

    async fn set_aside(&self, by: &Actor, limit: usize) -> Result<Vec<SetAside>, Fault> {
        self.aside(by, limit).await
    }

    async fn try_again(&self, by: &Actor, id: &str) -> Result<(), Fault> {
        let deed = Deed::TryAgain(by.clone(), id.into());
        self.submit(deed).await.map(drop)
    }

    async fn calendar(&self, year: i16) -> Result<Vec<CalendarDay>, Fault> {
        self.year(year).await
    }

    async fn set_calendar(
        &self,
        by: &Actor,
        year: i16,
        days: Vec<CalendarDay>,
        dry: bool,
    ) -> Result<Vec<Moved>, Fault> {
        self.set_year(by, year, days, dry).await
    }
}
