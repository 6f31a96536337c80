//! The engine: finds the tallies of a payer without a lock, counts, asks the limits, and writes
//! everything down once a second in one transaction.

use crate::quotas::{QuotaInfo, Share, applying, share};
use crate::tally::{Starts, Tally};
use arc_swap::ArcSwap;
use kernel::events::EventKind;
use kernel::fault::{Fault, FaultKind};
use kernel::metering::{Left, Meter, Meters, Payer, Quota, Window};
use kernel::{Clock, Span, Time, new_id};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::metering::{self as rows, CounterFilter, CounterRow};
use store::{Store, Tx};

/// Payers counted apart, at most; what more there are is counted together.
const PAYERS: usize = 4_096;
/// The application under which those more are counted.
const OTHERS: &str = "(others)";
/// What others' processes wrote is read again after so long.
const REREAD: Span = Span::seconds(10);
/// A warning is given when so many hundredths of a limit are used.
const WARN_AT: u64 = 80;

/// How long counters of each window are kept.
const KEEP: [(Window, Span); 3] = [
    (Window::Minute, Span::days(3)),
    (Window::Hour, Span::days(100)),
    (Window::Day, Span::days(1_100)),
];

/// One payer with its tallies and the limits that apply to it.
struct Account {
    organisation: Arc<str>,
    application: Arc<str>,
    /// Its own, its organisation's, its application's, the city's.
    tallies: [Arc<Tally>; 4],
    limits: ArcSwap<Vec<(Quota, Arc<Tally>)>>,
}

impl Account {
    fn payer(&self) -> Payer<'_> {
        Payer {
            organisation: &self.organisation,
            application: &self.application,
        }
    }

    fn tally(&self, share: Share) -> &Arc<Tally> {
        &self.tallies[match share {
            Share::Pair => 0,
            Share::Organisation => 1,
            Share::Application => 2,
            Share::City => 3,
        }]
    }

    fn limit_by(&self, plan: &[QuotaInfo]) {
        let quotas = applying(plan, self.payer()).into_iter();
        let limits = quotas.map(|q| {
            let tally = self.tally(share(&q)).clone();
            (q, tally)
        });
        self.limits.store(Arc::new(limits.collect()));
    }
}

#[derive(Clone, Default)]
struct Book {
    /// Organisation → application → account.
    accounts: FxHashMap<Arc<str>, FxHashMap<Arc<str>, Arc<Account>>>,
    organisations: FxHashMap<Arc<str>, Arc<Tally>>,
    applications: FxHashMap<Arc<str>, Arc<Tally>>,
    city: Arc<Tally>,
    size: usize,
}

impl Book {
    fn find(&self, payer: Payer<'_>) -> Option<&Arc<Account>> {
        self.accounts
            .get(payer.organisation)?
            .get(payer.application)
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.values().flat_map(|apps| apps.values())
    }

    fn shared(&self) -> impl Iterator<Item = &Arc<Tally>> {
        let both = self
            .organisations
            .values()
            .chain(self.applications.values());
        both.chain(std::iter::once(&self.city))
    }
}

/// What was taken from the counters and is not known to be on disk.
struct Batch {
    seq: i64,
    rows: Vec<CounterRow>,
}

/// State of the one who flushes.
struct Flusher {
    process: String,
    seq: i64,
    unsent: Option<Batch>,
    read_at: Time,
}

/// What was used, for the operator's page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Usage {
    /// Start of the window.
    pub start: Time,
    /// Organisation; empty for nobody's.
    pub organisation: String,
    /// Application.
    pub application: String,
    /// Meter.
    pub meter: Meter,
    /// How much.
    pub amount: i64,
}

/// Which usage to show.
#[derive(Clone, Debug)]
pub struct UsageQuestion {
    /// Window.
    pub window: Window,
    /// From.
    pub from: Time,
    /// Until.
    pub to: Time,
    /// Only this meter.
    pub meter: Option<Meter>,
    /// Only this organisation.
    pub organisation: Option<String>,
    /// Only this application.
    pub application: Option<String>,
    /// Rows, at most.
    pub limit: usize,
}

/// The metering engine.
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) declared: Vec<Quota>,
    /// Codes of the organisations of the city pack; a quota for another is a slip.
    pub(crate) organisations: Vec<String>,
    pub(crate) plan: ArcSwap<Vec<QuotaInfo>>,
    book: ArcSwap<Book>,
    /// Held while a payer is added or the plan changes.
    writing: Mutex<()>,
    starts: [AtomicI64; Window::ALL.len()],
    flusher: tokio::sync::Mutex<Flusher>,
    flushed_at: AtomicI64,
}

impl Engine {
    /// Opens the counters where they were left. `declared` are the quotas of the city pack.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        declared: Vec<Quota>,
        organisations: Vec<String>,
    ) -> Result<Arc<Engine>, Fault> {
        let now = clock.now();
        let engine = Engine {
            store,
            clock,
            declared,
            organisations,
            plan: ArcSwap::default(),
            book: ArcSwap::default(),
            writing: Mutex::default(),
            starts: Default::default(),
            flusher: tokio::sync::Mutex::new(Flusher {
                process: new_id(now),
                seq: 0,
                unsent: None,
                read_at: now,
            }),
            flushed_at: AtomicI64::new(now.0),
        };
        engine.turn(now);
        engine.read_quotas().await?;
        let mut reader = engine.store.reader().await?;
        let known = rows::current(&mut reader, &engine.windows()).await?;
        engine.load(&known);
        Ok(Arc::new(engine))
    }

    /// Notes which windows hold now.
    fn turn(&self, now: Time) -> Starts {
        let starts = Window::ALL.map(|window| window.start(now).0);
        for (cell, start) in self.starts.iter().zip(starts) {
            cell.store(start, Ordering::Release);
        }
        starts
    }

    fn now_starts(&self) -> Starts {
        std::array::from_fn(|i| self.starts[i].load(Ordering::Acquire))
    }

    fn windows(&self) -> Vec<(Window, i64)> {
        Window::ALL.into_iter().zip(self.now_starts()).collect()
    }

    /// Takes over what the store says of the windows that hold now.
    fn load(&self, known: &[CounterRow]) {
        for row in known {
            self.account(Payer {
                organisation: &row.organisation,
                application: &row.application,
            });
        }
        let book = self.book.load_full();
        let mut sums: FxHashMap<(*const Tally, Meter, Window), i64> = FxHashMap::default();
        for row in known {
            let payer = Payer {
                organisation: &row.organisation,
                application: &row.application,
            };
            let tallies = match book.find(payer) {
                Some(account) => account.tallies.clone(),
                // More payers than are counted apart.
                None => self.account(payer).tallies.clone(),
            };
            for tally in &tallies {
                let key = (Arc::as_ptr(tally), row.meter, row.window);
                *sums.entry(key).or_default() += row.amount;
            }
        }
        let own = book.all().map(|a| &a.tallies[0]);
        for tally in own.chain(book.shared()) {
            for meter in Meter::ALL {
                for (window, start) in self.windows() {
                    let sum = sums.get(&(Arc::as_ptr(tally), meter, window));
                    tally.load(meter, window, start, sum.copied().unwrap_or(0));
                }
            }
        }
    }

    pub(crate) fn put_plan(&self, plan: Vec<QuotaInfo>) {
        let _turn = self.writing.lock();
        for account in self.book.load().all() {
            account.limit_by(&plan);
        }
        self.plan.store(Arc::new(plan));
    }

    /// The account of a payer; made when new.
    fn account(&self, payer: Payer<'_>) -> Arc<Account> {
        if let Some(found) = self.book.load().find(payer) {
            return found.clone();
        }
        let _turn = self.writing.lock();
        let mut book = self.book.load().as_ref().clone();
        let payer = match book.size >= PAYERS {
            true => Payer {
                organisation: "",
                application: OTHERS,
            },
            false => payer,
        };
        if let Some(found) = book.find(payer) {
            return found.clone();
        }
        let organisation: Arc<str> = payer.organisation.into();
        let application: Arc<str> = payer.application.into();
        let of = |map: &mut FxHashMap<Arc<str>, Arc<Tally>>, key: &Arc<str>| {
            map.entry(key.clone()).or_default().clone()
        };
        let account = Arc::new(Account {
            tallies: [
                Arc::default(),
                of(&mut book.organisations, &organisation),
                of(&mut book.applications, &application),
                book.city.clone(),
            ],
            organisation: organisation.clone(),
            application: application.clone(),
            limits: ArcSwap::default(),
        });
        account.limit_by(&self.plan.load());
        book.accounts
            .entry(organisation)
            .or_default()
            .insert(application, account.clone());
        book.size += 1;
        self.book.store(Arc::new(book));
        account
    }

    /// Writes down what was counted since the last time; a task does so every second, and the
    /// program once more before it ends.
    pub async fn flush(&self) -> Result<(), Fault> {
        let mut flusher = self.flusher.lock().await;
        let now = self.clock.now();
        // What was counted until now belongs to the windows that are just ending.
        let starts = self.turn(now);
        if let Some(batch) = flusher.unsent.take() {
            self.send(&mut flusher, batch, now).await?;
        }
        let taken = self.take(&starts);
        if !taken.is_empty() {
            flusher.seq += 1;
            let batch = Batch {
                seq: flusher.seq,
                rows: taken,
            };
            self.send(&mut flusher, batch, now).await?;
        }
        self.flushed_at.store(now.0, Ordering::Relaxed);
        if now.since(flusher.read_at) >= REREAD {
            flusher.read_at = now;
            self.reread().await?;
        }
        Ok(())
    }

    fn take(&self, starts: &Starts) -> Vec<CounterRow> {
        let book = self.book.load();
        let mut taken = vec![];
        for account in book.all() {
            for (meter, amount) in account.tallies[0].take(starts) {
                for (window, start) in Window::ALL.into_iter().zip(*starts) {
                    taken.push(CounterRow {
                        organisation: account.organisation.to_string(),
                        application: account.application.to_string(),
                        meter,
                        window,
                        start,
                        amount,
                    });
                }
            }
        }
        for tally in book.shared() {
            tally.take(starts);
        }
        taken
    }

    /// Commits a batch exactly once: one whose commit was in doubt is looked for first.
    async fn send(&self, flusher: &mut Flusher, batch: Batch, now: Time) -> Result<(), Fault> {
        let outcome = self.commit(&flusher.process, &batch, now).await;
        if outcome.is_err() {
            flusher.unsent = Some(batch);
        }
        outcome
    }

    async fn commit(&self, process: &str, batch: &Batch, now: Time) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        if rows::last_flush(&mut tx, process).await? >= batch.seq {
            return Ok(());
        }
        rows::add(&mut tx, &batch.rows).await?;
        rows::note_flush(&mut tx, process, batch.seq, now.0).await?;
        self.warn(&mut tx, now).await?;
        tx.commit().await
    }

    /// One event for each limit of which most is used, once in its window.
    async fn warn(&self, tx: &mut Tx, now: Time) -> Result<(), Fault> {
        let starts = self.now_starts();
        let book = self.book.load_full();
        for account in book.all() {
            for (quota, tally) in account.limits.load().iter() {
                let used = tally.used(quota.meter, quota.window, &starts);
                if used.saturating_mul(100) < quota.limit.saturating_mul(WARN_AT) {
                    continue;
                }
                let subject = match share(quota) {
                    Share::City => "*".to_string(),
                    Share::Organisation => account.organisation.to_string(),
                    Share::Application => format!("*/{}", account.application),
                    Share::Pair => format!("{}/{}", account.organisation, account.application),
                };
                let start = starts[quota.window as usize];
                if !rows::note_warning(tx, &quota.name, &subject, start).await? {
                    continue;
                }
                let body = json!({
                    "what": "quota nearly used", "quota": quota.name, "subject": subject,
                    "meter": quota.meter, "window": quota.window, "limit": quota.limit, "used": used,
                });
                let body = body.to_string();
                let kind = EventKind::Metering;
                store::events::append(tx, now, kind, &quota.name, body.as_bytes()).await?;
                tracing::warn!(quota = quota.name, subject, used, "most of a quota is used");
            }
        }
        Ok(())
    }

    /// Reads what is on disk, which other processes of the city write as well.
    async fn reread(&self) -> Result<(), Fault> {
        let mut reader = self.store.reader().await?;
        let known = rows::current(&mut reader, &self.windows()).await?;
        self.load(&known);
        Ok(())
    }

    /// Removes counters that are too old; a job.
    pub async fn prune(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        for (window, keep) in KEEP {
            let mut tx = self.store.begin().await?;
            rows::prune(&mut tx, window, (now - keep).0).await?;
            tx.commit().await?;
        }
        let mut tx = self.store.begin().await?;
        rows::prune_notes(&mut tx, (now - Span::days(100)).0).await?;
        tx.commit().await
    }

    /// What was used, as flushed; in order of time.
    pub async fn usage(&self, question: &UsageQuestion) -> Result<Vec<Usage>, Fault> {
        let filter = CounterFilter {
            window: question.window,
            from: question.from.0,
            to: question.to.0,
            meter: question.meter,
            organisation: question.organisation.clone(),
            application: question.application.clone(),
            limit: question.limit as u64,
        };
        let found = rows::list(&mut self.store.reader().await?, &filter).await?;
        let usage = found.into_iter().map(|row| Usage {
            start: Time(row.start),
            organisation: row.organisation,
            application: row.application,
            meter: row.meter,
            amount: row.amount,
        });
        Ok(usage.collect())
    }

    /// Used by everybody together since the beginning, by meter; for `/metrics`.
    pub fn totals(&self) -> [(Meter, u64); Meter::ALL.len()] {
        let (book, starts) = (self.book.load(), self.now_starts());
        Meter::ALL.map(|meter| (meter, book.city.used(meter, Window::Ever, &starts)))
    }

    /// Payers that are counted apart.
    pub fn payers(&self) -> usize {
        self.book.load().size
    }

    /// When counters were last written down.
    pub fn flushed_at(&self) -> Time {
        Time(self.flushed_at.load(Ordering::Relaxed))
    }

    /// How every limit stands for everybody who is counted.
    pub fn standings(&self) -> Vec<(String, String, Vec<Left>)> {
        let book = self.book.load();
        let mut all: Vec<_> = book
            .all()
            .map(|a| {
                let left = self.left(a.payer());
                (a.organisation.to_string(), a.application.to_string(), left)
            })
            .collect();
        all.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        all
    }

    fn refusal(&self, quota: &Quota) -> Fault {
        let now = self.clock.now();
        let mut fault = Fault::new(
            FaultKind::TooMany,
            "metering.quota",
            format!(
                "已达到限额“{}”（每{}上限 {}）",
                quota.name,
                zh(quota.window),
                quota.limit
            ),
            format!(
                "the limit {} is reached: {} {} a {}",
                quota.name,
                quota.limit,
                quota.meter.word(),
                quota.window.word()
            ),
        );
        let wait = quota
            .window
            .end(now)
            .map_or(Span::days(1), |end| end.since(now));
        let seconds = (wait.0.max(0) as u64).div_ceil(1_000_000).max(1);
        fault.retry_after_s = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        fault
    }
}

fn zh(window: Window) -> &'static str {
    ["分钟", "小时", "日", "月", "个账户累计"][window as usize]
}

impl Meters for Engine {
    fn count(&self, payer: Payer<'_>, meter: Meter, amount: u64) {
        if amount == 0 {
            return;
        }
        let amount = i64::try_from(amount).unwrap_or(i64::MAX / 4);
        let account = self.account(payer);
        for tally in &account.tallies {
            tally.add(meter, amount);
        }
    }

    fn admit(&self, payer: Payer<'_>, meter: Meter, amount: u64) -> Result<(), Fault> {
        let account = self.account(payer);
        let (starts, more) = (
            self.now_starts(),
            i64::try_from(amount).unwrap_or(i64::MAX / 4),
        );
        // Counted first and asked then, so that those who come at the same moment see each other.
        for tally in &account.tallies {
            tally.add(meter, more);
        }
        for (quota, tally) in account.limits.load().iter() {
            if quota.meter != meter {
                continue;
            }
            let used = tally.used(meter, quota.window, &starts);
            let over = used > quota.limit || (amount == 0 && used >= quota.limit);
            if over {
                for tally in &account.tallies {
                    tally.add(meter, -more);
                }
                return Err(self.refusal(quota));
            }
        }
        Ok(())
    }

    fn left(&self, payer: Payer<'_>) -> Vec<Left> {
        let account = self.account(payer);
        let (now, starts) = (self.clock.now(), self.now_starts());
        let limits = account.limits.load();
        let standing = limits.iter().map(|(quota, tally)| Left {
            quota: quota.name.clone(),
            meter: quota.meter,
            window: quota.window,
            limit: quota.limit,
            used: tally.used(quota.meter, quota.window, &starts),
            resets_at: quota.window.end(now),
        });
        standing.collect()
    }
}
