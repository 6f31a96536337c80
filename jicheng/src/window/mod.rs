//! window: how the engines of the one window (一窗通办) hang together. Items, applications,
//! documents, messages, the office and service halls know nothing of one another; here they are
//! handed what they ask for, over the traits each of them names.

mod forms;
pub mod letters;
mod notices;
mod people;
mod reminders;
mod serving;
mod superiors;

pub use forms::TaskForms;
pub use notices::CityNotices;
pub use people::Staff;
pub use reminders::Reminders;
pub use serving::{FUNCTIONS, Serving, refused};

use crate::app::App;
use crate::config::Config;
use async_trait::async_trait;
use kernel::cases::{Cases, Left, Limit};
use kernel::crypto::Crypto;
use kernel::declare::{Declared, LicenceDecl, RegisterDecl};
use kernel::messages::{Channel, MailCarrier};
use kernel::numbers::Day;
use kernel::organisations::Organisations;
use kernel::parties::Messenger;
use kernel::refusing::Refusing;
use kernel::{Clock, Fault, Problem, Time, Words};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use store::Store;

/// Engines that are made later than those that ask them.
pub type Late<T> = Arc<OnceLock<Arc<T>>>;

/// One of them; `system.overloaded` while it is not there.
pub fn there<T>(late: &Late<T>, name: &str) -> Result<Arc<T>, Fault> {
    late.get()
        .cloned()
        .ok_or_else(|| Fault::overloaded(name, 5))
}

/// The engines of the one window.
pub struct Window {
    /// Items of service.
    pub items: Arc<items::Engine>,
    /// Applications.
    pub applications: Arc<applications::Engine>,
    /// Files and letters.
    pub documents: Arc<documents::Engine>,
    /// Messages.
    pub messages: Arc<office::Centre>,
    /// The office platform.
    pub office: Arc<office::Engine>,
    /// Service halls.
    pub visits: Arc<visits::Engine>,
    /// Who works where, for the office.
    pub staff: Arc<Staff>,
}

/// What the window is made of.
pub struct Parts<'a> {
    /// Configuration.
    pub config: &'a Config,
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Declarations.
    pub declared: Arc<Declared>,
    /// Keys.
    pub crypto: Arc<dyn Crypto>,
    /// Policy.
    pub policy: Arc<policy::Engine>,
    /// Organisations.
    pub organisations: Arc<organisations::Engine>,
    /// Accounts.
    pub identity: Arc<identity::Engine>,
    /// Parties.
    pub parties: Arc<parties::Engine>,
    /// Registers.
    pub registers: Arc<registers::Engine>,
    /// Licences.
    pub licences: Arc<licences::Engine>,
    /// The audit log.
    pub log: Arc<audit::Engine>,
    /// Carries short messages.
    pub sms: Arc<dyn Messenger>,
    /// The engine of cases, once it is there.
    pub cases: Late<cases::Engine>,
}

impl Window {
    /// Opens the engines.
    pub async fn open(parts: Parts<'_>) -> Result<Window, Fault> {
        let (store, clock) = (parts.store.clone(), parts.clock.clone());
        let documents = open_documents(&parts).await?;
        let staff = Staff::new(parts.organisations.clone(), parts.identity.clone());
        staff.refresh().await?;
        let messages = open_messages(&parts).await?;
        let office = office::Engine::open(
            store.clone(),
            clock.clone(),
            office::OfficeMeans {
                policy: parts.policy.clone(),
                members: staff.clone(),
                files: Arc::new(people::OfficeFiles {
                    documents: documents.clone(),
                    clock: clock.clone(),
                }),
                outbox: messages.clone(),
            },
        );
        let visits = open_visits(&parts, messages.clone()).await?;
        let items = items::Engine::open(
            store.clone(),
            clock.clone(),
            parts.policy.clone(),
            Arc::new(Around {
                declared: parts.declared.clone(),
                documents: documents.clone(),
                organisations: parts.organisations.clone(),
                cases: parts.cases.clone(),
            }),
        )
        .await?;
        let applications =
            open_applications(&parts, items.clone(), documents.clone(), messages.clone()).await?;
        Ok(Window {
            items,
            applications,
            documents,
            messages,
            office,
            visits,
            staff,
        })
    }

    /// Publishes the items and halls that are declared, once the processes they name are there.
    pub async fn publish_declared(&self, declared: &Declared) -> Result<(), Fault> {
        let files: Vec<_> = declared.items().cloned().collect();
        self.items.publish_declared(&files).await?;
        people::publish_halls(&self.visits, declared).await
    }
}

async fn open_documents(parts: &Parts<'_>) -> Result<Arc<documents::Engine>, Fault> {
    let config = parts.config;
    let mut folders = documents::Settings::default().font_folders;
    folders.extend(config.list("fonts").map(Into::into));
    let scanner = config.text("clamav");
    let scanner: Option<Arc<dyn documents::scanner::Scanner>> = match scanner {
        "" => None,
        address => Some(Arc::new(documents::scanner::Clamd::new(
            address,
            documents::scanner::Patience::default(),
        ))),
    };
    let base = config.text("public_url").trim_end_matches('/');
    documents::Engine::open(
        parts.store.clone(),
        parts.clock.clone(),
        documents::Means {
            crypto: parts.crypto.clone(),
            scanner,
            settings: documents::Settings {
                city: parts.declared.city.title.zh.clone(),
                font_folders: folders,
                verify_at: format!("{base}/verify-letter"),
                templates: letters::templates(),
                ..documents::Settings::default()
            },
        },
    )
    .await
}

async fn open_messages(parts: &Parts<'_>) -> Result<Arc<office::Centre>, Fault> {
    office::Centre::open(
        parts.store.clone(),
        parts.clock.clone(),
        office::CentreMeans {
            crypto: parts.crypto.clone(),
            policy: parts.policy.clone(),
            sms: parts.sms.clone(),
            mail: mail(parts.config)?,
            addresses: Arc::new(people::Addresses {
                parties: parts.parties.clone(),
            }),
        },
        office::Limits::default(),
    )
    .await
}

/// The mail server of the configuration.
fn mail(config: &Config) -> Result<Arc<dyn MailCarrier>, Fault> {
    let host = config.text("smtp_host");
    if host.is_empty() {
        return Ok(Arc::new(office::NoMail));
    }
    let account = config.text("smtp_account");
    let security = match config.text("smtp_security") {
        "none" => office::Security::None,
        "tls" => office::Security::Tls,
        _ => office::Security::StartTls,
    };
    let carrier = office::SmtpCarrier::new(&office::Smtp {
        host: host.into(),
        port: u16::try_from(config.number("smtp_port")).unwrap_or(587),
        security,
        sign_in: (!account.is_empty()).then(|| {
            (
                account.to_string(),
                config.text("smtp_password").to_string(),
            )
        }),
        from: config.text("smtp_from").into(),
        from_name: config.text("smtp_from_name").into(),
        roots: None,
        time_out: Duration::from_secs(30),
    })?;
    Ok(Arc::new(carrier))
}

async fn open_visits(
    parts: &Parts<'_>,
    outbox: Arc<office::Centre>,
) -> Result<Arc<visits::Engine>, Fault> {
    let cases = parts.cases.clone();
    let worked = move |day: Day| match cases.get() {
        Some(cases) => cases.is_worked(day.starts()),
        None => true,
    };
    visits::Engine::open(
        parts.store.clone(),
        parts.clock.clone(),
        visits::Means {
            policy: parts.policy.clone(),
            crypto: parts.crypto.clone(),
            days: Arc::new(worked),
            outbox,
            remind_by: match parts.sms.is_ready() {
                true => vec![Channel::Inbox, Channel::Sms],
                false => vec![Channel::Inbox],
            },
        },
        visits::Limits::default(),
    )
    .await
}

async fn open_applications(
    parts: &Parts<'_>,
    items: Arc<items::Engine>,
    documents: Arc<documents::Engine>,
    messages: Arc<office::Centre>,
) -> Result<Arc<applications::Engine>, Fault> {
    let log = parts.log.clone();
    let organisations = parts.organisations.clone();
    let declared = parts.declared.clone();
    let days = Arc::new(Days {
        cases: parts.cases.clone(),
    });
    let means = applications::Means {
        crypto: parts.crypto.clone(),
        parties: parts.parties.clone(),
        people: Arc::new(people::Residents {
            parties: parts.parties.clone(),
            registers: parts.registers.clone(),
            declared: parts.declared.clone(),
        }),
        policy: parts.policy.clone(),
        items,
        registers: parts.registers.clone(),
        licences: parts.licences.clone(),
        letters: Arc::new(letters::CityLetters::new(
            documents.clone(),
            organisations,
            days.clone(),
            parts.declared.clone(),
        )),
        notices: Arc::new(notices::CityNotices {
            outbox: messages,
            sms: parts.sms.is_ready(),
        }),
        files: Arc::new(people::HandedIn { documents }),
        days,
        pseudonym: Arc::new(move |person: &str| log.pseudonym(person)),
        register_title: Arc::new(move |name: &str| Some(declared.register(name)?.title.clone())),
        offices: Arc::new(Offices(parts.organisations.clone())),
    };
    applications::Engine::open(parts.store.clone(), parts.clock.clone(), means).await
}

/// Organisations, for applications.
struct Offices(Arc<organisations::Engine>);

impl applications::Offices for Offices {
    fn number_word(&self, code: &str) -> Option<String> {
        let found = self.0.get(code, None)?;
        let credit = found.credit_code.as_deref().unwrap_or_default();
        Some(credit.get(8..17).unwrap_or(code).to_owned())
    }
    fn title(&self, code: &str) -> Option<Words> {
        Some(self.0.get(code, None)?.title.clone())
    }
    fn successor(&self, code: &str) -> Option<String> {
        self.0.successor(code)
    }
    fn predecessors(&self, code: &str) -> Vec<String> {
        self.0.predecessors(code)
    }
}

/// What goes on by itself: letters and messages of applications, cases that ended, messages that
/// wait for their carrier. Each task ends when the program stops.
pub fn carry_on(app: &Arc<App>) -> Vec<tokio::task::JoinHandle<()>> {
    let mut stopping = app.stopping.clone();
    let applications = app.applications.clone();
    let working = tokio::spawn(applications.run(async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    }));
    let mut stopping = app.stopping.clone();
    let messages = app.messages.clone();
    let carrying = tokio::spawn(async move {
        loop {
            let wait = messages.wait_for_news(CARRY);
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                () = wait => {}
            }
            if let Err(fault) = messages.carry().await {
                tracing::warn!(%fault, "messages wait");
                tokio::time::sleep(CARRY).await;
            }
        }
    });
    vec![working, carrying]
}

/// How long the carrier of messages sleeps when nothing new comes.
const CARRY: Duration = Duration::from_secs(5);

/// The JSON Schema of every kind of declaration: those the kernel reads, and items of service.
pub fn schemas(files: &BTreeMap<String, String>) -> BTreeMap<String, Value> {
    let mut all = kernel::declare::check::schemas(files);
    all.insert("item".into(), items::schema());
    all
}

/// What is wrong with the files of items, as far as a file says it without the city.
pub fn check_items(declared: &Declared) -> Vec<Problem> {
    let mut found = vec![];
    for file in declared.items() {
        if let Err(problems) = items::read_declared(&file.text) {
            found.extend(problems.into_iter().map(|mut problem| {
                problem.at = format!("{}:{}", file.file, problem.at);
                problem
            }));
        }
    }
    found
}

/// How a task of a drawing names its form.
const FORM: &str = "jicheng:form=\"";

/// What items are checked against.
struct Around {
    declared: Arc<Declared>,
    documents: Arc<documents::Engine>,
    organisations: Arc<organisations::Engine>,
    cases: Late<cases::Engine>,
}

#[async_trait]
impl items::Surroundings for Around {
    async fn organisation(&self, code: &str) -> Result<bool, Fault> {
        Ok(self.organisations.get(code, None).is_some())
    }
    fn successor(&self, code: &str) -> Option<String> {
        self.organisations.successor(code)
    }
    async fn process(&self, name: &str) -> Result<bool, Fault> {
        let known = there(&self.cases, "cases")?.processes().await?;
        Ok(known.iter().any(|process| process.process == name))
    }
    async fn process_forms(&self, name: &str) -> Result<Vec<String>, Fault> {
        let drawing = there(&self.cases, "cases")?.drawing(name, None).await?;
        let named = drawing.split(FORM).skip(1);
        let forms = named.filter_map(|rest| Some(rest.split_once('"')?.0.to_string()));
        Ok(forms.collect())
    }
    async fn letter(
        &self,
        kind: &str,
        refusing: Refusing,
        text: &str,
    ) -> Result<Vec<Problem>, Fault> {
        Ok(letters::problems(&self.documents, kind, refusing, text))
    }
    async fn licence(&self, name: &str) -> Result<Option<LicenceDecl>, Fault> {
        Ok(self.declared.licences().find(|l| l.name == name).cloned())
    }
    async fn register(&self, name: &str) -> Result<Option<RegisterDecl>, Fault> {
        Ok(self.declared.register(name).cloned())
    }
}

/// Working days by the calendar of cases.
pub struct Days {
    cases: Late<cases::Engine>,
}

#[async_trait]
impl applications::WorkingDays for Days {
    async fn add(&self, from: Time, limit: Limit) -> Result<Left, Fault> {
        Ok(there(&self.cases, "cases")?.left(from, limit))
    }
    fn is_worked(&self, at: Time) -> bool {
        self.cases.get().is_none_or(|cases| cases.is_worked(at))
    }
}
