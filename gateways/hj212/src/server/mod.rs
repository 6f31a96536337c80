//! The server: thousands of stations over TCP. `connection` serves one of them, `ingest` turns
//! pieces into rows, `book` remembers the devices, `dialogue` gives them commands.

mod book;
mod commands;
mod config;
mod connection;
mod counters;
mod dialogue;
mod ingest;

pub use config::Config;
pub use counters::GatewayCounters;

use crate::codec::{Key, format_millis};
use async_trait::async_trait;
use connection::{BATCH_KIB, Link};
use kernel::devices::{Command, CommandKind, Connection, Gateway};
use kernel::time::SECOND;
use kernel::{City, Fault, Time};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// What all parts of the gateway share.
struct Shared {
    city: City,
    config: Config,
    keys: BTreeMap<String, Key>,
    counters: counters::Counters,
    book: book::Book,
    columns: ingest::Columns,
    dialogues: dialogue::Dialogues,
    links: Mutex<Links>,
    /// Memory for batches under way, in KiB.
    memory: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
    frame_seq: AtomicU64,
    last_request_ms: AtomicI64,
    started: Time,
}

#[derive(Default)]
struct Links {
    open: HashMap<u64, Arc<Link>>,
    by_address: HashMap<IpAddr, usize>,
    next_id: u64,
}

/// The gateway, listening.
pub struct Server {
    shared: Arc<Shared>,
    local_addr: SocketAddr,
}

impl Server {
    /// Binds the address and begins to serve. Fails when a key is malformed or the address is
    /// taken.
    pub async fn start(city: City, config: Config) -> Result<Arc<Server>, Fault> {
        let keys = config.parsed_keys().map_err(|mn| {
            Fault::invalid_at(
                format!("keys.{mn}"),
                "应为 16 个字符或 32 位十六进制数",
                "must be 16 characters or 32 hexadecimal digits",
            )
        })?;
        let doing = format!("listening for HJ 212 on {}", config.listen);
        let listener = TcpListener::bind(&config.listen).await;
        let listener = listener.map_err(|e| Fault::internal(&doing, e))?;
        let local_addr = listener
            .local_addr()
            .map_err(|e| Fault::internal(&doing, e))?;
        let started = city.clock.now();
        let memory_kib = (config.in_flight_mib * 1024).max(BATCH_KIB as usize * 2);
        let shared = Arc::new(Shared {
            city,
            keys,
            counters: Default::default(),
            book: Default::default(),
            columns: Default::default(),
            dialogues: Default::default(),
            links: Default::default(),
            memory: Arc::new(Semaphore::new(memory_kib.min(Semaphore::MAX_PERMITS))),
            stopping: watch::channel(false).0,
            frame_seq: AtomicU64::new(1),
            last_request_ms: AtomicI64::new(0),
            started,
            config,
        });
        tokio::spawn(accept(shared.clone(), listener));
        tokio::spawn(keep_book(shared.clone()));
        tracing::info!(%local_addr, "HJ 212 gateway is listening");
        Ok(Arc::new(Server { shared, local_addr }))
    }

    /// The address it listens on, with the port it was given.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What it has seen since it started.
    pub fn counters(&self) -> GatewayCounters {
        self.shared.counters.snapshot()
    }

    /// When it started.
    pub fn started(&self) -> Time {
        self.shared.started
    }

    /// Number of open connections.
    pub fn open_connections(&self) -> usize {
        self.shared.links.lock().open.len()
    }

    /// Stops listening and reading, lets what is under way be committed and answered, closes all
    /// connections and hands over the book. Takes at most the overload patience and the write
    /// time-out together.
    pub async fn stop(&self) {
        self.shared.stopping.send_replace(true);
        let config = &self.shared.config;
        let patience = Duration::from_secs(config.overload_patience_s + config.write_time_out_s);
        let begun = tokio::time::Instant::now();
        while self.open_connections() > 0 && begun.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.shared.book.hand_over(&self.shared.city);
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let mut stopping = shared.stopping.subscribe();
    loop {
        let taken = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            taken = listener.accept() => taken,
        };
        match taken {
            Ok((stream, peer)) => admit(&shared, stream, peer),
            Err(error) => {
                // Out of file handles, most likely: wait for some to come back.
                tracing::warn!(%error, "no connection could be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn admit(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr) {
    let config = &shared.config;
    let mut links = shared.links.lock();
    let of_address = links.by_address.get(&peer.ip()).copied().unwrap_or(0);
    let per_address = config.max_connections_per_address;
    if links.open.len() >= config.max_connections || (per_address > 0 && of_address >= per_address)
    {
        shared.counters.connections_refused.fetch_add(1, Relaxed);
        return;
    }
    shared.counters.connections.fetch_add(1, Relaxed);
    let _ = stream.set_nodelay(true);
    let id = links.next_id;
    links.next_id += 1;
    *links.by_address.entry(peer.ip()).or_default() += 1;
    let link = Arc::new(Link::new(id, peer.to_string(), shared.city.clock.now()));
    links.open.insert(id, link.clone());
    drop(links);
    let shared = shared.clone();
    tokio::spawn(async move {
        connection::serve(shared.clone(), stream, link).await;
        shared.dismiss(id, peer.ip());
    });
}

/// Hands changed devices to the city's book about once a second.
async fn keep_book(shared: Arc<Shared>) {
    let mut stopping = shared.stopping.subscribe();
    let second = Duration::from_secs(1);
    while tokio::time::timeout(second, stopping.wait_for(|stop| *stop))
        .await
        .is_err()
    {
        shared.book.hand_over(&shared.city);
    }
}

impl Shared {
    fn dismiss(&self, id: u64, address: IpAddr) {
        let mut links = self.links.lock();
        links.open.remove(&id);
        if let Some(count) = links.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                links.by_address.remove(&address);
            }
        }
    }

    /// A request number (QN): the time in milliseconds, never the same twice.
    fn next_request(&self) -> String {
        let now_ms = self.city.clock.now().0 / 1000;
        let update = |last: i64| Some(now_ms.max(last + 1));
        let last = self.last_request_ms.fetch_update(Relaxed, Relaxed, update);
        let ms = now_ms.max(last.unwrap_or(0) + 1);
        format_millis(Time(ms * (SECOND / 1000)))
    }
}

#[async_trait]
impl Gateway for Server {
    fn name(&self) -> &'static str {
        "hj212"
    }

    fn command_kinds(&self) -> Vec<CommandKind> {
        commands::kinds()
    }

    async fn send(&self, command: Command) -> Result<(), Fault> {
        dialogue::start(&self.shared, command).await
    }

    fn connections(&self) -> Vec<Connection> {
        let links: Vec<Arc<Link>> = self.shared.links.lock().open.values().cloned().collect();
        let mut open: Vec<(u64, Connection)> = links
            .iter()
            .map(|link| {
                let connection = Connection {
                    gateway: "hj212",
                    peer: link.peer.clone(),
                    thing: link.thing(),
                    since: link.since,
                    frames: link.frames.load(Relaxed),
                    bytes: link.bytes.load(Relaxed),
                };
                (link.id, connection)
            })
            .collect();
        open.sort_by_key(|(id, _)| *id);
        open.into_iter().map(|(_, connection)| connection).collect()
    }
}
