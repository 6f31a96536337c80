//! Starting a city: store, engines, gateways, web, jobs, in this order; stopping it in the
//! reverse one, so that nothing acknowledged is lost and nobody is cut off in mid-sentence.

use crate::app::{App, Turns};
use crate::backups::Backups;
use crate::config::Config;
use crate::listen::{self, tls::Tls};
use crate::metered::{self, Metered};
use crate::outgoing::Outgoing;
use crate::posture;
use crate::{embed, systems};
use kernel::city::{Bindings, Report};
use kernel::declare::Declared;
use kernel::organisations::Organisations;
use kernel::{City, Clock, Fault};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use store::Store;
use tokio::sync::{Semaphore, watch};

/// How long those are waited for who hold on to a connection when the city stops.
const GRACE: std::time::Duration = std::time::Duration::from_secs(6);

/// A running city.
pub struct Running {
    /// What the handlers see.
    pub app: Arc<App>,
    /// Where the web listens; `None` when it was not asked for.
    pub http: Option<SocketAddr>,
    /// Where the plain listener beside TLS listens, if it was asked for.
    pub redirect: Option<SocketAddr>,
    rules: Arc<rules::Engine>,
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// What to start besides the engines.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// The web and API.
    pub http: bool,
    /// The gateways.
    pub gateways: bool,
    /// Data come from the simulator.
    pub simulated: bool,
    /// Data are a replay.
    pub replaying: bool,
}

/// Reads and checks all declarations; faults are printed with file and line.
pub fn declared(config: &Config) -> Result<Declared, Vec<kernel::Problem>> {
    let files =
        embed::declarations(config.text("declarations"), config.text("city")).map_err(|e| {
            let words = kernel::Words::new(
                format!("无法读取声明目录：{e}"),
                format!("cannot read the declarations: {e}"),
            );
            vec![kernel::Problem {
                at: config.text("declarations").into(),
                words,
            }]
        })?;
    let (declared, mut faults) = kernel::declare::check::load_all(&files);
    faults.extend(policy::check(&declared));
    faults.extend(crate::window::check_items(&declared));
    if faults.is_empty() {
        faults = crate::bindings::compare(&declared, &systems::all());
    }
    if faults.is_empty() {
        Ok(declared)
    } else {
        Err(faults)
    }
}

/// Reports bound by the systems.
pub fn reports() -> BTreeMap<(String, String), Report> {
    let mut all = BTreeMap::new();
    for system in systems::all() {
        let mut names = Bindings::default();
        system.bind(&mut names);
        for (name, report) in names.reports {
            all.insert((system.folder().to_string(), name.to_string()), report);
        }
    }
    all
}

impl Running {
    /// Starts a city on `clock`. Fails whole: no half a city.
    pub async fn start(
        config: Config,
        declared: Declared,
        clock: Arc<dyn Clock>,
        parts: Parts,
    ) -> Result<Running, Fault> {
        std::fs::create_dir_all(config.data())
            .map_err(|e| Fault::internal("making the data folder", e))?;
        let outgoing = Outgoing::new(config.text("outgoing_allow"), config.text("trusted_roots"))
            .map_err(|e| Fault::internal("opening the door to other machines", e))?;
        let store = match config.backup_folder() {
            Some(_) => Store::open_shipped(&config.store_url()).await?,
            None => Store::open(&config.store_url()).await?,
        };
        let declared = Arc::new(declared);
        let key_rings =
            crypto::Engine::open(store.clone(), clock.clone(), config.crypto_options()).await?;
        let log = audit::Engine::open(
            store.clone(),
            clock.clone(),
            key_rings.clone(),
            config.audit_options(),
        )
        .await?;
        let backups = Backups::start(&config, &store, key_rings.clone(), clock.clone()).await?;
        let holds = retention::Engine::open(store.clone(), clock.clone()).await?;
        let options = observations::Options {
            retention: keep_times(&declared),
            holds: Some(holds.clone()),
            ..observations::Options::default()
        };
        let observations =
            observations::Engine::open(store.clone(), clock.clone(), options).await?;
        let registers =
            registers::Engine::open(store.clone(), clock.clone(), declared.clone()).await?;
        let identity = identity::Engine::open_with(
            store.clone(),
            clock.clone(),
            declared.clone(),
            crate::signon::settings(&config, Some(key_rings.clone())),
        )
        .await?;
        let organisations =
            organisations::Engine::open(store.clone(), clock.clone(), declared.clone()).await?;
        identity.know_organisations(organisations.clone());
        let policy = policy::Engine::open(store.clone(), clock.clone(), &declared).await?;
        let metering = metering::Engine::open(
            store.clone(),
            clock.clone(),
            declared.city.quotas.clone(),
            declared
                .city
                .organisations
                .iter()
                .map(|o| o.code.clone())
                .collect(),
        )
        .await?;
        let people = crate::people::CityPeople {
            identity: identity.clone(),
            declared: declared.clone(),
        };
        let openid = openid::Engine::open(
            store.clone(),
            clock.clone(),
            key_rings.clone(),
            Arc::new(people),
            openid_settings(&config),
        )
        .await?;
        let rules = rules::Engine::open(
            store.clone(),
            clock.clone(),
            declared.clone(),
            observations.clone(),
            registers.clone(),
        )
        .await?;
        let (means, catcher) = crate::persons::means(
            &config,
            &outgoing,
            parts.simulated,
            identity.clone(),
            &declared,
            key_rings.clone(),
            clock.clone(),
        );
        let sms = means.messenger.clone();
        let parties = parties::Engine::open(store.clone(), clock.clone(), means).await?;
        let decisions = decisions::Engine::open(store.clone(), clock.clone())?;
        let licences = licences::Engine::open(
            store.clone(),
            clock.clone(),
            licences::Means {
                crypto: key_rings.clone(),
                parties: parties.clone(),
                pseudonym: {
                    let log = log.clone();
                    Arc::new(move |person: &str| log.pseudonym(person))
                },
                offices: {
                    let organisations = organisations.clone();
                    Arc::new(move |code: &str| {
                        let known = organisations.get(code, None);
                        known.map(|known| known.title.zh.clone())
                    })
                },
                types: kernel::licences::types(&declared),
                settings: crate::matters::licence_settings(&config, &declared),
            },
        )
        .await?;
        let late = crate::window::Late::default();
        let window = crate::window::Window::open(crate::window::Parts {
            config: &config,
            store: store.clone(),
            clock: clock.clone(),
            declared: declared.clone(),
            crypto: key_rings.clone(),
            policy: policy.clone(),
            organisations: organisations.clone(),
            identity: identity.clone(),
            parties: parties.clone(),
            registers: registers.clone(),
            licences: licences.clone(),
            log: log.clone(),
            sms,
            cases: late.clone(),
        })
        .await?;
        let city = City {
            clock: clock.clone(),
            observations: Arc::new(Metered::new(
                observations.clone(),
                registers.clone(),
                metering.clone(),
                &declared,
            )),
            registers: registers.clone(),
            alerts: rules.clone(),
            devices: observations.clone(),
            policy: policy.clone(),
            declared: declared.clone(),
            applications: Some(window.applications.clone()),
            gateways: vec![],
        };
        let reports = reports();
        let serving = crate::window::Serving {
            applications: window.applications.clone(),
            cases: late.clone(),
        };
        let matters = crate::matters::Matters::new(decisions.clone(), licences.clone(), serving);
        let cases = cases::Engine::open(
            store.clone(),
            clock.clone(),
            cases::Means {
                expressions: matters.clone(),
                services: matters.clone(),
                forms: Arc::new(crate::window::TaskForms {
                    items: window.items.clone(),
                    applications: window.applications.clone(),
                }),
                policy: policy.clone(),
                people: Arc::new(crate::workers::Workers {
                    identity: identity.clone(),
                    organisations: organisations.clone(),
                }),
            },
            cases::Tuning::default(),
        )
        .await?;
        // Nobody else sets it.
        let _ = late.set(cases.clone());
        decisions.know_cases(Arc::new(crate::matters::Sight {
            cases: cases.clone(),
            policy: policy.clone(),
        }));
        window.applications.set_cases(cases.clone());
        matters
            .publish_declared(&city.declared, cases.as_ref())
            .await?;
        window.publish_declared(&city.declared).await?;
        // After what is declared stands: their first numbers are of the whole.
        let indicators = indicators::Engine::open(
            store.clone(),
            clock.clone(),
            city.declared.clone(),
            reports.clone(),
            city.clone(),
        )
        .await?;
        let (stop, stopping) = watch::channel(false);
        let app = Arc::new(App {
            room: Arc::new(Semaphore::new(config.number("max_requests") as usize)),
            live_room: Arc::new(Semaphore::new(config.number("max_live") as usize)),
            started_at: clock.now(),
            city,
            store,
            identity,
            holds,
            backups: Arc::new(backups),
            organisations,
            open_work: vec![rules.clone(), cases.clone()],
            cases,
            decisions,
            matters,
            licences,
            items: window.items,
            applications: window.applications,
            documents: window.documents,
            messages: window.messages,
            office: window.office,
            visits: window.visits,
            staff: window.staff,
            crypto: key_rings.clone(),
            key_rings,
            log,
            policy,
            parties,
            catcher,
            metering,
            rates: Default::default(),
            evidence: Default::default(),
            openid,
            caller: Arc::new(crate::fetch::Caller::new(outgoing.clone())),
            registers,
            observations,
            indicators,
            reports,
            config,
            hj212: OnceLock::new(),
            simulated: parts.simulated,
            replaying: parts.replaying,
            requests_total: AtomicU64::new(0),
            keys: Turns::default(),
            stopping,
            door: Arc::default(),
            tls: OnceLock::new(),
            questions: Default::default(),
            outgoing,
            jobs: OnceLock::new(),
        });
        posture::join(&app);
        let mut running = Running {
            app,
            http: None,
            redirect: None,
            rules,
            stop,
            tasks: vec![],
        };
        if parts.gateways {
            running.start_gateways().await?;
        }
        running.start_jobs().await?;
        if parts.http {
            running.start_http().await?;
        }
        Ok(running)
    }

    async fn start_gateways(&mut self) -> Result<(), Fault> {
        let config = &self.app.config;
        let settings = hj212::Config {
            listen: config.text("hj212").into(),
            max_connections: config.number("hj212_max_connections") as usize,
            idle_time_out_s: u64::from(config.number("hj212_idle_s")),
            frames_per_s: config.number("hj212_frames_per_s"),
            answer_wrong_check: config.text("hj212_answer_bad_crc") == "true",
            ..hj212::Config::default()
        };
        let server = hj212::Server::start(self.app.city.clone(), settings).await?;
        tracing::info!(address = %server.local_addr(), "hj212 gateway listens");
        let _ = self.app.hj212.set(server);
        Ok(())
    }

    async fn start_http(&mut self) -> Result<(), Fault> {
        let app = self.app.clone();
        let tls = Tls::of(&app.config).map_err(|e| Fault::internal("preparing TLS", e))?;
        let listener = listen::bind("http", app.config.text("http")).await?;
        let local = listener
            .local_addr()
            .map_err(|e| Fault::internal("opening the web's address", e))?;
        self.http = Some(local);
        if app.config.text("public_url").is_empty() {
            let scheme = if tls.is_some() { "https" } else { "http" };
            let issuer = format!("{scheme}://{local}");
            app.openid.set_issuer(&issuer);
            app.licences.set_issuer(&issuer);
        }
        let redirect = app.config.text("http_redirect");
        if !redirect.is_empty() {
            let listener = listen::bind("http_redirect", redirect).await?;
            self.redirect = listener.local_addr().ok();
            self.tasks
                .push(listen::serve_redirect(app.clone(), listener));
        }
        self.tasks
            .push(listen::serve(app.clone(), listener, tls.clone()));
        if let Some(tls) = tls {
            let _ = app.tls.set(tls.clone());
            let watching = tls.clone().watch(app.stopping.clone());
            self.tasks.push(tokio::spawn(watching));
            if !app.config.text("tls_acme").is_empty() {
                self.tasks.push(tokio::spawn(listen::acme::run(app, tls)));
            }
        }
        tracing::info!(address = %local, "web listens");
        Ok(())
    }

    async fn start_jobs(&mut self) -> Result<(), Fault> {
        if self.app.config.text("jobs") == "false" {
            return Ok(());
        }
        let log = self.app.log.start(self.app.stopping.clone());
        self.tasks.push(log);
        self.tasks.push(crate::jobs::start(self.app.clone()).await?);
        let mut stopping = self.app.stopping.clone();
        let cases = self.app.cases.clone();
        self.tasks.push(tokio::spawn(cases.run(async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        })));
        self.tasks.extend(crate::window::carry_on(&self.app));
        self.tasks
            .push(tokio::spawn(metered::write_down(self.app.clone())));
        Ok(())
    }

    /// Stops in order: no new frames, no new requests, then the engines write down what they hold.
    /// Those who hold on to a connection are waited for a while only.
    pub async fn stop(self) {
        let deadline = tokio::time::Instant::now() + GRACE;
        let _ = self.stop.send(true);
        if let Some(gateway) = self.app.hj212.get()
            && tokio::time::timeout_at(deadline, gateway.stop())
                .await
                .is_err()
        {
            tracing::warn!("stations were cut off while their frames waited for the store");
        }
        for mut task in self.tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                tracing::warn!("a task did not stop in time");
                task.abort();
            }
        }
        if let Err(fault) = self.app.metering.flush().await {
            tracing::warn!(%fault, "what was counted in the last second is lost");
        }
        self.app.organisations.shutdown();
        self.app.indicators.shutdown().await;
        self.rules.shutdown().await;
        self.app.observations.shutdown().await;
        // What is in blocks need not stay in the log.
        let tidied = async {
            self.app.store.events().prune(i64::MAX).await?;
            self.app.store.reclaim().await
        };
        if let Err(fault) = tidied.await {
            tracing::warn!(%fault, "the log was not pruned");
        }
        let parting = self.app.backups.stop().await;
        self.app.store.close().await;
        if let Some(Err(fault)) = parting.map(|parting| parting.note()) {
            tracing::warn!(%fault, "the backup begins a new chain at the next start");
        }
    }

    /// Waits until the rules have read everything that is in the log.
    pub async fn rules_caught_up(&self) -> Result<(), Fault> {
        self.rules
            .caught_up(self.app.store.events().last_seq())
            .await
    }
}

/// How long raw observations and rollups are kept, by property; what nobody declared is kept for
/// ever.
fn keep_times(declared: &Declared) -> observations::Retention {
    let properties = declared.systems.iter().flat_map(|s| &s.properties);
    properties
        .map(|p| (p.name.clone(), (p.keep_raw, p.keep_rollups)))
        .collect()
}

/// The provider's name is the city's public address.
fn openid_settings(config: &Config) -> openid::Settings {
    let settings = openid::Settings::default();
    match config.text("public_url").trim_end_matches('/') {
        "" => settings,
        url => openid::Settings {
            issuer: url.into(),
            ..settings
        },
    }
}
