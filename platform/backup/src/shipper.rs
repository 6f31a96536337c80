//! The shipper: follows the log of a running city and brings what is committed into the
//! repository. It looks every few seconds; copying happens beside the writers and needs no lock,
//! because only the shipper folds the log. Folding itself takes what SQLite's own folding takes.
//!
//! A chain is a run of segments without a gap. Whether the log still goes on where the last segment
//! ended is proven by its running checksum; where it cannot be proven (another program folded the
//! log, a restored disk) a new chain begins with a new base, and what is in the repository stays
//! as it is. When the repository cannot be written, the city goes on: the log grows up to a limit,
//! then it is folded unshipped and a new chain begins later.

use crate::faults::io_fault;
use crate::repository::{BaseFacts, Contents, Kind, PlainFile, Repository, SegmentFacts};
use crate::sealed::{Writer, hex};
use crate::segments::{self, SEGMENT_BYTES};
use kernel::crypto::{Crypto, Ring};
use kernel::{Clock, Fault, Span, Time};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::Store;
use store::backup::Keyring;
use store::wal::{Pause, Place, Stamp, Wal, WalHeader, copy_after, goes_through};
use tokio::sync::{mpsc, oneshot};

/// How often and how much.
#[derive(Clone, Debug)]
pub struct Options {
    /// Between two looks at the log.
    pub interval: Duration,
    /// A new base is made when the last is older.
    pub base_every: Span,
    /// Or when the segments since are this much larger than it was.
    pub base_ratio: u64,
    /// Bytes of the log after which it is folded.
    pub fold_bytes: u64,
    /// Bytes of the log after which it is folded although it could not be shipped.
    pub log_limit_bytes: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            interval: Duration::from_secs(10),
            base_every: Span::days(1),
            base_ratio: 4,
            fold_bytes: 32 << 20,
            log_limit_bytes: 2 << 30,
        }
    }
}

/// Where shipping stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct State {
    /// Everything committed until then is in the repository.
    pub covered: Option<Time>,
    /// The moment the newest base holds.
    pub base_at: Option<Time>,
    /// A base is being made: bytes done and bytes in all.
    pub base_progress: Option<(u64, u64)>,
    /// The chain that grows.
    pub chain: String,
    /// Segments shipped since the start.
    pub segments: u64,
    /// Bytes shipped since the start, as they are in the repository.
    pub bytes: u64,
    /// Chains begun since the start because the one before could not be continued.
    pub broken: u64,
    /// Why the last look failed.
    pub trouble: Option<Trouble>,
}

/// A fault as the state shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trouble {
    /// Code.
    pub code: &'static str,
    /// Words.
    pub words: kernel::Words,
}

/// What `covered.json` says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Covered {
    /// Everything committed until then is in the repository.
    pub until: Time,
    /// In segments up to this one.
    pub segment: u64,
}

/// The database file after the city stopped in order, to know it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Closed {
    chain: String,
    segment: u64,
    size: u64,
    modified_ns: (i64, i64),
    changed_ns: (i64, i64),
    inode: u64,
}

impl Closed {
    fn of(file: &Path, chain: &str, segment: u64) -> Result<Closed, Fault> {
        let seen = std::fs::metadata(file).map_err(|e| io_fault(file, e))?;
        Ok(Closed {
            chain: chain.into(),
            segment,
            size: seen.size(),
            modified_ns: (seen.mtime(), seen.mtime_nsec()),
            changed_ns: (seen.ctime(), seen.ctime_nsec()),
            inode: seen.ino(),
        })
    }
}

/// The chain that grows: where its last segment ended.
#[derive(Clone, Debug)]
struct Chain {
    id: String,
    /// Number of the next segment, and whether there is one before it in this chain.
    next: u64,
    previous: String,
    until: Time,
    generation: u64,
    /// `None` when any log that begins now continues the chain.
    log: Option<(WalHeader, Place)>,
    /// The first segment of the generation.
    begun: u64,
    /// Everything shipped is in the file: the log may begin again.
    folded: bool,
}

enum Order {
    Base(oneshot::Sender<Result<(), Fault>>),
    Look(oneshot::Sender<Result<(), Fault>>),
    Stop(oneshot::Sender<Result<Pause, Fault>>),
}

/// A shipper at work.
pub struct Shipper {
    orders: mpsc::Sender<Order>,
    state: Arc<Mutex<State>>,
    repository: Arc<Repository>,
    database: PathBuf,
    chain: Arc<Mutex<(String, u64)>>,
}

/// What is left to do after the store is closed; nobody of this process writes meanwhile.
pub struct Parting {
    _pause: Pause,
    repository: Arc<Repository>,
    database: PathBuf,
    chain: (String, u64),
}

impl Parting {
    /// Notes the database file, after the store was closed, so that the chain can go on.
    pub fn note(self) -> Result<(), Fault> {
        // So that the clock of the file system moves on before anybody else can write.
        std::thread::sleep(Duration::from_millis(20));
        let closed = Closed::of(&self.database, &self.chain.0, self.chain.1)?;
        self.repository.put_plain(PlainFile::Closed, &closed, true)
    }
}

impl Shipper {
    /// Starts shipping the log of an open SQLite store. `keys` are the city's keys, wrapped, as
    /// they are to be kept in the repository.
    pub async fn start(
        store: &Store,
        repository: Repository,
        crypto: Arc<dyn Crypto>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Shipper, Fault> {
        let wal = store.own_wal(clock.clone()).await?;
        let repository = Arc::new(repository);
        let contents = {
            let repository = repository.clone();
            blocking(move || repository.contents()).await?
        };
        let state = Arc::new(Mutex::new(State {
            covered: repository
                .plain::<Covered>(PlainFile::Covered)?
                .map(|covered| covered.until),
            base_at: contents.bases.last().map(|base| base.facts.at),
            base_progress: None,
            chain: String::new(),
            segments: 0,
            bytes: 0,
            broken: 0,
            trouble: None,
        }));
        let (orders, inbox) = mpsc::channel(8);
        let shared_chain = Arc::new(Mutex::new((String::new(), 0)));
        let database = wal.database().to_owned();
        let work = Work {
            wal,
            repository: repository.clone(),
            crypto,
            clock,
            options,
            chain: None,
            state: state.clone(),
            shared_chain: shared_chain.clone(),
            base: None,
            base_asked: vec![],
            base_stop: Arc::default(),
            stamps: vec![],
            kept_keys: None,
            contents,
        };
        tokio::spawn(work.run(inbox));
        Ok(Shipper {
            orders,
            state,
            repository,
            database,
            chain: shared_chain,
        })
    }

    /// Where shipping stands.
    pub fn state(&self) -> State {
        self.state.lock().clone()
    }

    /// The repository it writes.
    pub fn repository(&self) -> &Arc<Repository> {
        &self.repository
    }

    /// Ships what is committed now.
    pub async fn look(&self) -> Result<(), Fault> {
        let (answer, answered) = oneshot::channel();
        self.order(Order::Look(answer)).await?;
        answered.await.map_err(|_| gone())?
    }

    /// Makes a base now, or waits for the one being made.
    pub async fn base(&self) -> Result<(), Fault> {
        let (answer, answered) = oneshot::channel();
        self.order(Order::Base(answer)).await?;
        answered.await.map_err(|_| gone())?
    }

    /// Ships what is committed and stops. From then on nobody of this process can write; close the
    /// store and then call [`Parting::note`].
    pub async fn stop(&self) -> Result<Parting, Fault> {
        let (answer, answered) = oneshot::channel();
        self.order(Order::Stop(answer)).await?;
        let pause = answered.await.map_err(|_| gone())??;
        Ok(Parting {
            _pause: pause,
            repository: self.repository.clone(),
            database: self.database.clone(),
            chain: self.chain.lock().clone(),
        })
    }

    async fn order(&self, order: Order) -> Result<(), Fault> {
        self.orders.send(order).await.map_err(|_| gone())
    }
}

fn gone() -> Fault {
    Fault::internal("asking the shipper", "it has stopped")
}

/// Runs file work beside the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Fault::internal("backing up", e)))
}

/// The task of a shipper.
struct Work {
    wal: Wal,
    repository: Arc<Repository>,
    crypto: Arc<dyn Crypto>,
    clock: Arc<dyn Clock>,
    options: Options,
    chain: Option<Chain>,
    state: Arc<Mutex<State>>,
    shared_chain: Arc<Mutex<(String, u64)>>,
    base: Option<tokio::task::JoinHandle<Result<BaseFacts, Fault>>>,
    base_asked: Vec<oneshot::Sender<Result<(), Fault>>>,
    /// An image being made is no longer wanted.
    base_stop: Arc<AtomicBool>,
    /// Of frames not in a segment yet.
    stamps: Vec<Stamp>,
    /// Keys for backups that are known to be in the repository.
    kept_keys: Option<Vec<String>>,
    contents: Contents,
}

impl Work {
    async fn run(mut self, mut inbox: mpsc::Receiver<Order>) {
        let mut tick = tokio::time::interval(self.options.interval);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(Order::Look(answer)) => {
                        let outcome = self.turn().await;
                        let _ = answer.send(outcome);
                    }
                    Some(Order::Base(answer)) => {
                        self.base_asked.push(answer);
                        let _ = self.turn().await;
                    }
                    Some(Order::Stop(answer)) => {
                        let _ = answer.send(self.leave().await);
                        return;
                    }
                    None => return,
                },
                _ = tick.tick() => { let _ = self.turn().await; }
                done = async {
                    match &mut self.base {
                        Some(task) => task.await,
                        None => std::future::pending().await,
                    }
                } => {
                    let outcome = done.unwrap_or_else(|e| Err(Fault::internal("making a base", e)));
                    self.base_done(outcome);
                }
            }
        }
    }

    /// One look: ship, fold when it is time, begin a base when it is time.
    async fn turn(&mut self) -> Result<(), Fault> {
        let outcome = self.look().await;
        let mut trouble = outcome.as_ref().err().cloned();
        if let Some(fault) = &trouble {
            tracing::warn!(%fault, "shipping the log");
            self.answer_base(Err(fault.clone()));
            if let Err(fault) = self.relieve().await {
                tracing::warn!(%fault, "folding the log that could not be shipped");
            }
        } else if let Err(fault) = self.care().await {
            tracing::warn!(%fault, "making a base");
            self.answer_base(Err(fault.clone()));
            trouble = Some(fault);
        }
        self.state.lock().trouble = trouble.map(|fault| Trouble {
            code: fault.code,
            words: fault.words,
        });
        outcome
    }

    async fn look(&mut self) -> Result<(), Fault> {
        if self.chain.is_none() {
            let chain = self.take_up().await?;
            self.chain = Some(chain);
        }
        self.ship().await
    }

    /// Continues the newest chain if that can be proven; else begins a new one.
    async fn take_up(&mut self) -> Result<Chain, Fault> {
        let log = self.wal.open_log()?;
        let header = WalHeader::read(&log).map_err(|e| io_fault(self.wal.database(), e))?;
        let last = self.contents.segments.last().map(|s| s.facts.clone());
        let chain_has_base = |id: &str| self.contents.bases.iter().any(|b| b.facts.chain == id);
        if let Some(last) = last.filter(|last| chain_has_base(&last.chain)) {
            let (repository, number) = (self.repository.clone(), last.number);
            let digest = blocking(move || {
                let (reader, _) = repository.read::<SegmentFacts>(Kind::Segment, number)?;
                reader.digest()
            })
            .await?;
            if let Some(log) = self.continues(&last, &log, header)? {
                let begun = self.contents.segments.iter().rev();
                let begun = begun
                    .take_while(|s| {
                        s.facts.chain == last.chain && s.facts.generation == last.generation
                    })
                    .last()
                    .map_or(last.number, |s| s.facts.number);
                tracing::info!(chain = last.chain, "the backup goes on");
                self.repository.remove_plain(PlainFile::Closed)?;
                return Ok(Chain {
                    id: last.chain,
                    next: last.number + 1,
                    previous: digest,
                    until: last.until,
                    generation: last.generation,
                    log,
                    begun,
                    folded: false,
                });
            }
            self.state.lock().broken += 1;
        }
        self.repository.remove_plain(PlainFile::Closed)?;
        Ok(self.new_chain(header))
    }

    /// Where the chain that ends with `last` goes on in this log. `Some(None)`: wherever the next
    /// log begins.
    fn continues(
        &self,
        last: &SegmentFacts,
        log: &File,
        header: Option<WalHeader>,
    ) -> Result<Option<Option<(WalHeader, Place)>>, Fault> {
        let failed = |e| io_fault(self.wal.database(), e);
        if let Some(header) = header {
            let place = Place {
                frame: last.last,
                checksum: last.checksum,
            };
            if hex(&header.bytes) == last.log
                && goes_through(log, &header, place).map_err(failed)?
            {
                return Ok(Some(Some((header, place))));
            }
        }
        let noted = self.repository.plain::<Closed>(PlainFile::Closed)?;
        let now = Closed::of(self.wal.database(), &last.chain, last.number)?;
        if noted == Some(now) {
            // Nobody folded anything since, so what is in the log now came after.
            return Ok(Some(None));
        }
        Ok(None)
    }

    fn new_chain(&self, header: Option<WalHeader>) -> Chain {
        let newest = self.contents.segments.last();
        let begun = newest.map_or(1, |s| s.facts.number + 1);
        Chain {
            id: ulid::Ulid::generate().to_string(),
            next: begun,
            previous: String::new(),
            until: self.clock.now(),
            generation: newest.map_or(0, |s| s.facts.generation + 1),
            log: header.map(|header| (header, header.start())),
            begun,
            folded: false,
        }
    }

    /// Ships everything that is committed now.
    async fn ship(&mut self) -> Result<(), Fault> {
        loop {
            // Before the look, so that nothing committed until then is missed.
            let until = self.clock.now();
            let Some(chain) = &mut self.chain else {
                return Ok(());
            };
            let until = std::cmp::max(until, chain.until);
            let log = self.wal.open_log()?;
            let header = WalHeader::read(&log).map_err(|e| io_fault(self.wal.database(), e))?;
            let (log_header, place) = match (header, &chain.log) {
                (None, None) => return self.covered(until),
                (None, Some(_)) if chain.folded => return self.covered(until),
                (Some(header), Some((same, place))) if header == *same => (header, *place),
                (Some(header), None) => (header, header.start()),
                (Some(header), Some((before, _))) if chain.folded && header.follows(before) => {
                    (header, header.start())
                }
                _ => return self.broken(),
            };
            let (log, frames, end) = blocking(move || {
                let copied = copy_after(&log, &log_header, place, SEGMENT_BYTES);
                let (frames, end) = copied.map_err(|e| Fault::internal("reading the log", e))?;
                Ok((log, frames, end))
            })
            .await?;
            drop(log);
            if frames.commits.is_empty() {
                return self.covered(until);
            }
            let more = frames.bytes.len() >= SEGMENT_BYTES;
            self.put(until, more, (log_header, place), frames.bytes, end)
                .await?;
            if !more {
                return self.covered(until);
            }
        }
    }

    /// Keeps the city's keys in the repository before anything is sealed with a new one.
    async fn keep_keys(&mut self) -> Result<(), Fault> {
        let keys = self.crypto.public_keys(Ring::Backup)?;
        let keys: Vec<String> = keys.into_iter().map(|key| key.key).collect();
        if self.kept_keys.as_ref() == Some(&keys) {
            return Ok(());
        }
        if let Some(keyring) = Keyring::read(self.wal.store()).await? {
            self.repository.put_plain(PlainFile::Keys, &keyring, true)?;
        }
        self.kept_keys = Some(keys);
        Ok(())
    }

    /// Writes a segment and moves the chain on.
    async fn put(
        &mut self,
        until: Time,
        more: bool,
        (log, place): (WalHeader, Place),
        frames: Vec<u8>,
        end: Place,
    ) -> Result<(), Fault> {
        self.keep_keys().await?;
        let Some(mut chain) = self.chain.clone() else {
            return Ok(());
        };
        if chain.log.is_none_or(|(before, _)| before != log) {
            chain.generation += 1;
            chain.begun = chain.next;
        }
        // Kept until the segment is there: a failed attempt must not make times coarser.
        let taken = self.wal.take_stamps(log.salts, end.frame);
        self.stamps.extend(taken);
        self.stamps
            .retain(|s| s.salts == log.salts && s.frame > place.frame);
        let stamps = self.stamps.clone();
        // What follows in the log may be older than this look: the last stamp is certain.
        let certain = stamps.last().map_or(chain.until, |stamp| stamp.at);
        let until = if more {
            certain.max(chain.until)
        } else {
            until
        };
        let facts = SegmentFacts {
            number: chain.next,
            chain: chain.id.clone(),
            previous: chain.previous.clone(),
            from: chain.until,
            until,
            generation: chain.generation,
            log: hex(&log.bytes),
            first: place.frame,
            last: end.frame,
            checksum: end.checksum,
        };
        let (repository, crypto) = (self.repository.clone(), self.crypto.clone());
        let (facts, digest, bytes) = blocking(move || {
            let (digest, bytes) = segments::write(&repository, &*crypto, &facts, &stamps, &frames)?;
            Ok((facts, digest, bytes))
        })
        .await?;
        self.stamps.clear();
        chain.next += 1;
        chain.previous = digest;
        chain.until = until;
        chain.log = Some((log, end));
        chain.folded = false;
        *self.shared_chain.lock() = (chain.id.clone(), facts.number);
        self.chain = Some(chain);
        self.contents
            .segments
            .push(crate::repository::Entry { facts, bytes });
        let mut state = self.state.lock();
        state.segments += 1;
        state.bytes += bytes;
        Ok(())
    }

    fn covered(&mut self, until: Time) -> Result<(), Fault> {
        let mut state = self.state.lock();
        if let Some(chain) = &self.chain {
            state.chain.clone_from(&chain.id);
        }
        // Until there is a base, nothing of the chain can be restored.
        if self.chain.as_ref().is_some_and(|chain| {
            let bases = self.contents.bases.iter();
            bases.map(|b| &b.facts.chain).any(|id| *id == chain.id)
        }) {
            state.covered = Some(until);
            drop(state);
            let segment = self.contents.segments.last();
            let covered = Covered {
                until,
                segment: segment.map_or(0, |s| s.facts.number),
            };
            self.repository
                .put_plain(PlainFile::Covered, &covered, false)?;
        }
        Ok(())
    }

    /// The log is not the one that was followed.
    fn broken(&mut self) -> Result<(), Fault> {
        tracing::warn!("the log was folded by somebody else: a new base is made");
        self.state.lock().broken += 1;
        let log = self.wal.open_log()?;
        let header = WalHeader::read(&log).map_err(|e| io_fault(self.wal.database(), e))?;
        self.base_stop.store(true, Ordering::Relaxed);
        self.base = None;
        self.answer_base(Err(gone()));
        self.chain = Some(self.new_chain(header));
        Ok(())
    }

    /// Ships the rest while writers pause, and folds.
    async fn fold(&mut self, pause: &Pause) -> Result<(), Fault> {
        self.ship().await?;
        let folded = self.wal.fold(pause).await?;
        // Another process may have committed in between: its frames are in the log still.
        self.ship().await?;
        if let Some(chain) = &mut self.chain {
            let shipped = chain.log.map_or(0, |(_, place)| place.frame);
            chain.folded = folded.whole() && folded.in_log <= shipped;
        }
        Ok(())
    }

    fn log_bytes(&self) -> u64 {
        self.chain
            .as_ref()
            .and_then(|chain| chain.log)
            .map_or(0, |(header, place)| {
                u64::from(place.frame) * header.frame_bytes() as u64
            })
    }

    /// Folds a log that has grown, begins a base when one is due.
    async fn care(&mut self) -> Result<(), Fault> {
        let already = self.chain.as_ref().is_some_and(|chain| chain.folded);
        if self.base.is_none() && !already && self.log_bytes() >= self.options.fold_bytes {
            let pause = self.wal.pause().await;
            self.fold(&pause).await?;
        }
        if self.base.is_none() && (self.base_due() || !self.base_asked.is_empty()) {
            self.begin_base().await?;
        }
        Ok(())
    }

    fn base_due(&self) -> bool {
        let Some(chain) = &self.chain else {
            return false;
        };
        let newest = self.contents.bases.iter().rev();
        let Some(base) = newest.into_iter().find(|b| b.facts.chain == chain.id) else {
            return true;
        };
        let since: u64 = self
            .contents
            .segments
            .iter()
            .rev()
            .take_while(|s| s.facts.until > base.facts.at)
            .map(|s| s.bytes)
            .sum();
        self.clock.now().since(base.facts.at) >= self.options.base_every
            || since > std::cmp::max(base.bytes, 64 << 20) * self.options.base_ratio
    }

    /// Begins an image: the file does not change until the log is folded again, and it is not
    /// before the image is done.
    async fn begin_base(&mut self) -> Result<(), Fault> {
        self.keep_keys().await?;
        let pause = self.wal.pause().await;
        self.fold(&pause).await?;
        let Some(chain) = self.chain.clone() else {
            return Ok(());
        };
        let at = std::cmp::max(self.clock.now(), chain.until);
        let mut snapshot = self.wal.snapshot(&pause).await?;
        drop(pause);
        let number = self.contents.bases.last().map_or(1, |b| b.facts.number + 1);
        let path = self.wal.database().to_owned();
        let file = File::open(&path).map_err(|e| io_fault(&path, e))?;
        let (repository, crypto) = (self.repository.clone(), self.crypto.clone());
        let state = self.state.clone();
        self.base_stop = Arc::default();
        let stop = self.base_stop.clone();
        self.base = Some(tokio::spawn(async move {
            let census = store::backup::Census::take(&mut snapshot).await?;
            drop(snapshot);
            let facts = BaseFacts {
                number,
                chain: chain.id,
                at,
                generation: chain.generation,
                frame: chain.log.map_or(0, |(_, place)| place.frame),
                folded: chain.folded,
                segment: chain.begun,
                tables: census.tables,
                audit: census.audit,
                edition: env!("CARGO_PKG_VERSION").into(),
            };
            let image = move || {
                let image = (file, path.as_path());
                copy_image(&repository, &*crypto, &facts, image, &state, &stop)?;
                Ok(facts)
            };
            blocking(image).await
        }));
        Ok(())
    }

    fn base_done(&mut self, outcome: Result<BaseFacts, Fault>) {
        self.base = None;
        self.state.lock().base_progress = None;
        let outcome = outcome.and_then(|facts| {
            self.state.lock().base_at = Some(facts.at);
            self.repository.refresh(&mut self.contents)
        });
        if let Err(fault) = &outcome {
            tracing::warn!(%fault, "making a base");
            self.state.lock().trouble = Some(Trouble {
                code: fault.code,
                words: fault.words.clone(),
            });
        }
        self.answer_base(outcome);
    }

    fn answer_base(&mut self, outcome: Result<(), Fault>) {
        for answer in self.base_asked.drain(..) {
            let _ = answer.send(outcome.clone());
        }
    }

    /// When the log cannot be shipped and is about to fill the disk of the city.
    async fn relieve(&mut self) -> Result<(), Fault> {
        let log = self.wal.open_log()?;
        let bytes = log
            .metadata()
            .map_err(|e| io_fault(self.wal.database(), e))?
            .len();
        if bytes < self.options.log_limit_bytes {
            return Ok(());
        }
        tracing::error!(bytes, "the log is folded without a backup of it");
        let pause = self.wal.pause().await;
        self.wal.fold(&pause).await?;
        if self.chain.take().is_some() {
            self.state.lock().broken += 1;
        }
        Ok(())
    }

    async fn leave(mut self) -> Result<Pause, Fault> {
        if let Some(base) = self.base.take() {
            // A base that is nearly done is worth a moment; another one is made later if not.
            let limit = Duration::from_secs(5);
            if let Ok(Ok(outcome)) = tokio::time::timeout(limit, base).await {
                self.base_done(outcome);
            }
        }
        self.answer_base(Err(gone()));
        self.base_stop.store(true, Ordering::Relaxed);
        let pause = self.wal.pause().await;
        self.look().await?;
        self.fold(&pause).await?;
        self.wal.release().await?;
        Ok(pause)
    }
}

fn copy_image(
    repository: &Repository,
    crypto: &dyn Crypto,
    facts: &BaseFacts,
    (mut file, path): (File, &Path),
    state: &Mutex<State>,
    stop: &AtomicBool,
) -> Result<(), Fault> {
    let failed = |e| io_fault(path, e);
    let seen = |file: &File| -> Result<(u64, i64, i64), Fault> {
        let seen = file.metadata().map_err(failed)?;
        Ok((seen.len(), seen.mtime(), seen.mtime_nsec()))
    };
    let before = seen(&file)?;
    let bytes = before.0;
    repository.make_folder(Kind::Base, facts.number)?;
    let header = repository.header(Kind::Base, facts.number, bytes, facts)?;
    let to = repository.path(Kind::Base, facts.number);
    let mut writer = Writer::create(crypto, &to, header)?;
    let mut block = vec![0; 1 << 20];
    let mut done = 0;
    while done < bytes {
        let room = std::cmp::min(block.len() as u64, bytes - done) as usize;
        let count = file.read(&mut block[..room]).map_err(failed)?;
        if count == 0 {
            return Err(Fault::internal("making a base", "the database file shrank"));
        }
        writer.write(&block[..count])?;
        done += count as u64;
        state.lock().base_progress = Some((done, bytes));
        if stop.load(Ordering::Relaxed) {
            return Err(gone());
        }
    }
    if seen(&file)? != before {
        let cause = "the database file was folded meanwhile by another program";
        return Err(Fault::internal("making a base", cause));
    }
    writer.finish().map(drop)
}
