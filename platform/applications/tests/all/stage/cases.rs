//! An engine of cases that remembers what it was asked.
#![allow(
    unused_imports,
    clippy::unwrap_used,
    reason = "helpers of tests and of the benchmark"
)]

use super::*;

/// Cases that remember.
#[derive(Default)]
pub struct FakeCases {
    pub started: Mutex<BTreeMap<String, (NewCase, String)>>,
    pub starts: Mutex<u32>,
    pub cancelled: Mutex<Vec<String>>,
    pub messages: Mutex<Vec<Message>>,
    pub pauses: Mutex<Vec<Pause>>,
    /// Account that has a task of a case.
    pub tasks: Mutex<Vec<(String, String)>>,
    pub broken: AtomicBool,
    pub due: Mutex<Option<Left>>,
}

impl FakeCases {
    fn case_of(&self, new: &NewCase, id: &str) -> Case {
        Case {
            id: id.into(),
            number: new.number.clone().unwrap_or_default(),
            process: new.process.clone(),
            version: 1,
            title: new.title.clone(),
            organisation: new.organisation.clone(),
            state: CaseState::Running,
            error: None,
            started_by: "system".into(),
            started_at: Time(0),
            ended_at: None,
            parent: None,
            stuck: 0,
            statutory: None,
            promised: *self.due.lock().unwrap(),
            revision: 1,
        }
    }
    pub fn data(&self, application: &str) -> Map<String, Value> {
        self.started.lock().unwrap()[application].0.data.clone()
    }
}

fn none<T>() -> Result<T, Fault> {
    Err(Fault::missing("case"))
}

#[async_trait]
impl Cases for FakeCases {
    async fn publish(&self, _: &Actor, _: &str, _: &str) -> Result<Vec<Process>, Fault> {
        none()
    }
    async fn processes(&self) -> Result<Vec<Process>, Fault> {
        none()
    }
    async fn versions(&self, _: &str) -> Result<Vec<Process>, Fault> {
        none()
    }
    async fn drawing(&self, _: &str, _: Option<i64>) -> Result<String, Fault> {
        none()
    }
    async fn migrate(&self, _: &Actor, _: &Migration) -> Result<Vec<Migrated>, Fault> {
        none()
    }
    async fn start(&self, by: &Actor, new: NewCase) -> Result<Case, Fault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Fault::overloaded("cases", 1));
        }
        assert_eq!(by.account, "system");
        *self.starts.lock().unwrap() += 1;
        let once = new.once.clone().unwrap();
        let mut started = self.started.lock().unwrap();
        let fresh = || (new.clone(), format!("case-{once}"));
        let (kept, id) = started.entry(once.clone()).or_insert_with(fresh).clone();
        assert_eq!(kept, new, "the same key for the same case");
        Ok(self.case_of(&new, &id))
    }
    async fn case(&self, _: &Actor, case: &str) -> Result<CaseFile, Fault> {
        let started = self.started.lock().unwrap();
        let found = started.values().find(|(_, id)| id == case);
        let (new, id) = found.ok_or_else(|| Fault::missing("case"))?;
        Ok(CaseFile {
            case: self.case_of(new, id),
            data: Map::new(),
            marks: vec![],
            passed: vec![],
            tasks: vec![],
            pauses: self.pauses.lock().unwrap().clone(),
        })
    }
    async fn history(&self, _: &Actor, _: &str, _: i64, _: usize) -> Result<Vec<Entry>, Fault> {
        none()
    }
    async fn cases(&self, _: &Actor, _: &CaseFilter) -> Result<CasePage, Fault> {
        none()
    }
    async fn rule(
        &self,
        _: &Actor,
        case: &str,
        _: Option<i64>,
        verb: CaseVerb,
    ) -> Result<Case, Fault> {
        assert!(matches!(verb, CaseVerb::Cancel { .. }));
        self.cancelled.lock().unwrap().push(case.into());
        Ok(self.case_of(&NewCase::default(), case))
    }
    async fn inbox(&self, by: &Actor, _: &InboxFilter) -> Result<Inbox, Fault> {
        let tasks = self.tasks.lock().unwrap();
        let mine = tasks.iter().filter(|(account, _)| *account == by.account);
        let rows: Vec<Task> = mine.map(|(account, case)| task(account, case)).collect();
        Ok(Inbox {
            count: rows.len() as i64,
            rows,
            next: None,
        })
    }
    async fn task(&self, _: &Actor, _: &str) -> Result<TaskFile, Fault> {
        none()
    }
    async fn act(&self, _: &Actor, _: &str, _: Option<i64>, _: TaskVerb) -> Result<Acted, Fault> {
        none()
    }
    async fn message(&self, _: &Actor, message: Message) -> Result<Correlated, Fault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Fault::missing("case"));
        }
        self.messages.lock().unwrap().push(message);
        Ok(Correlated {
            case: String::new(),
            began: false,
        })
    }
    async fn signal(&self, _: &Actor, _: &str, _: Map<String, Value>) -> Result<(), Fault> {
        none()
    }
    async fn set_aside(&self, _: &Actor, _: usize) -> Result<Vec<kernel::cases::SetAside>, Fault> {
        none()
    }
    async fn try_again(&self, _: &Actor, _: &str) -> Result<(), Fault> {
        none()
    }
    async fn calendar(&self, _: i16) -> Result<Vec<CalendarDay>, Fault> {
        none()
    }
    async fn simulate(
        &self,
        _: &Actor,
        _: &kernel::cases::Simulation,
    ) -> Result<kernel::cases::Simulated, Fault> {
        Err(Fault::missing("simulation"))
    }
    async fn set_calendar(
        &self,
        _: &Actor,
        _: i16,
        _: Vec<CalendarDay>,
        _: bool,
    ) -> Result<Vec<Moved>, Fault> {
        none()
    }
}

fn task(account: &str, case: &str) -> Task {
    Task {
        id: format!("{case}-1"),
        case: case.into(),
        number: String::new(),
        title: String::new(),
        process: "food".into(),
        node: "t".into(),
        name: "t".into(),
        kind: TaskKind::Task,
        state: TaskState::Open,
        assignee: Some(account.into()),
        owner: None,
        roles: vec![],
        organisation: None,
        parent: None,
        form: None,
        opened_at: Time(0),
        claimed_at: None,
        ended_at: None,
        ended_by: None,
        left: None,
        urged: 0,
        revision: 1,
    }
}
