//! Listening: how the web's connections come in. Bounds how many there are, in all and from one
//! address; how long a client may take for its head; how much of a head there may be; how many
//! streams a connection carries; how long an answer may wait for a reader who does not read. TLS,
//! where it is configured, is in `tls`, certificates by ACME in `acme`.

pub mod acme;
mod patience;
pub mod tls;

use crate::app::App;
use crate::config::Config;
use crate::http;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use kernel::Fault;
use parking_lot::Mutex;
use patience::Patient;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tls::{Tls, Way};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tower::Service;

/// Header lines of one request, at most; more are answered 431.
const HEADER_LINES: usize = 100;
/// Bytes of a request's head, at most; more are answered 431.
const HEAD_BYTES: usize = 64 * 1024;
/// Requests one HTTP/2 connection works on at once.
const STREAMS: u32 = 100;
/// How long the TLS greeting may take.
const GREETING: Duration = Duration::from_secs(10);
/// How long a reader who does not read is waited for.
const STALLED: Duration = Duration::from_secs(60);

/// How many connections there may be, and how slow they may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub per_address: usize,
    /// How long a client may take for a request's head; also how long it may be idle.
    pub head: Duration,
}

impl Limits {
    /// As configured.
    pub fn of(config: &Config) -> Limits {
        Limits {
            connections: config.number("http_max_connections") as usize,
            per_address: config.number("http_max_per_address") as usize,
            head: Duration::from_secs(u64::from(config.number("http_header_s"))),
        }
    }
}

/// What the door has seen; shown on the health page and in `/metrics`.
#[derive(Default)]
pub struct Door {
    open: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    /// Connections taken since the start.
    pub accepted: AtomicU64,
    /// Connections refused because there were too many in all.
    pub refused_full: AtomicU64,
    /// Connections refused because there were too many from their address.
    pub refused_address: AtomicU64,
    /// TLS greetings that failed.
    pub tls_failed: AtomicU64,
    /// Connections that ended by a fault of the client: too slow, not HTTP, cut off.
    pub broken: AtomicU64,
}

impl Door {
    /// Connections open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Addresses that have connections open now.
    pub fn addresses(&self) -> usize {
        self.by_address.lock().len()
    }

    fn admit(self: &Arc<Door>, address: IpAddr, limits: &Limits) -> Option<Place> {
        if self.open() >= limits.connections {
            self.refused_full.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let mut by_address = self.by_address.lock();
        let count = by_address.entry(address).or_default();
        if *count >= limits.per_address {
            self.refused_address.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        *count += 1;
        self.open.fetch_add(1, Ordering::Relaxed);
        self.accepted.fetch_add(1, Ordering::Relaxed);
        Some(Place(self.clone(), address))
    }
}

/// One connection's place; given back when dropped.
struct Place(Arc<Door>, IpAddr);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        let mut by_address = self.0.by_address.lock();
        if let Some(count) = by_address.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.1);
            }
        }
    }
}

/// How a request came: the handlers find it among the request's extensions.
#[derive(Clone, Debug, Default)]
pub struct Arrived {
    /// Over our own TLS.
    pub tls: bool,
    /// SHA-256 of the certificate the client showed and our authorities signed, in hexadecimal.
    pub client_certificate: Option<Arc<str>>,
}

/// Opens an address.
pub async fn bind(name: &str, address: &str) -> Result<TcpListener, Fault> {
    TcpListener::bind(address).await.map_err(|e| {
        Fault::internal(
            "opening the web's address",
            format!("{name} {address}: {e}"),
        )
    })
}

/// Serves the city on `listener` until it stops, then lets every connection finish what it began.
pub fn serve(app: Arc<App>, listener: TcpListener, tls: Option<Arc<Tls>>) -> JoinHandle<()> {
    let router = http::service(app.clone());
    tokio::spawn(accept(app, listener, tls, router))
}

/// Serves plain HTTP beside TLS: ACME's questions are answered, everything else is sent to the
/// address people should use.
pub fn serve_redirect(app: Arc<App>, listener: TcpListener) -> JoinHandle<()> {
    let router = http::front::redirect(app.clone());
    tokio::spawn(accept(app, listener, None, router))
}

async fn accept(app: Arc<App>, listener: TcpListener, tls: Option<Arc<Tls>>, router: Router) {
    let limits = Limits::of(&app.config);
    let server = Arc::new(builder(&limits));
    let mut stopping = app.stopping.clone();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped(&mut stopping) => break,
        };
        // Ended ones are forgotten as we go.
        while connections.try_join_next().is_some() {}
        let (stream, peer) = match accepted {
            Ok(pair) => pair,
            Err(error) => {
                // No file handles left, most likely: the others go on, and so do we, soon.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(place) = app.door.admit(peer.ip(), &limits) else {
            continue;
        };
        let connection = Connection {
            server: server.clone(),
            router: router.clone(),
            door: app.door.clone(),
            peer,
            head: limits.head,
            stopping: stopping.clone(),
        };
        let tls = tls.clone();
        connections.spawn(async move {
            connection.run(stream, tls).await;
            drop(place);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(HEADER_LINES)
        .max_buf_size(HEAD_BYTES)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES as u32)
        // Streams opened and reset at once (CVE-2023-44487): the connection is ended.
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .max_send_buf_size(256 * 1024)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

struct Connection {
    server: Arc<Builder<TokioExecutor>>,
    router: Router,
    door: Arc<Door>,
    peer: SocketAddr,
    head: Duration,
    stopping: watch::Receiver<bool>,
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: Option<Arc<Tls>>) {
        let _ = stream.set_nodelay(true);
        let stream = Patient::new(stream, self.head, STALLED);
        let Some(tls) = tls else {
            return self.speak(stream, Arrived::default()).await;
        };
        match tokio::time::timeout(GREETING, tls.greet(stream)).await {
            Ok(Ok(Way::Web(stream, client_certificate))) => {
                let arrived = Arrived {
                    tls: true,
                    client_certificate,
                };
                self.speak(stream, arrived).await;
            }
            // An authority asked for its proof in the greeting and has it now.
            Ok(Ok(Way::Proof)) => {}
            Ok(Err(error)) => {
                tracing::debug!(peer = %self.peer, %error, "TLS greeting failed");
                self.door.tls_failed.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => {
                self.door.tls_failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    async fn speak(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        arrived: Arrived,
    ) {
        let (router, peer) = (self.router, self.peer);
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(arrived.clone());
            // A router is ready at any time and cannot fail.
            router.clone().call(request)
        });
        let connection = self.server.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            _ = stopped(&mut self.stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(%peer, %error, "a connection broke");
            self.door.broken.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}
