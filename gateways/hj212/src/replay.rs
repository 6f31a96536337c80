//! Replay: captured traffic sent again over real connections, line by line as it was captured,
//! garbage included; as fast as the receiver takes it or at a multiple of the original pace; once
//! or as many copies under other names for measuring.
//!
//! Frames of one device stay on one connection and in order. The gateway closes a connection only
//! after all it sent has been committed and answered, so when [`send`] returns, everything is on
//! disk, and the gateway's counters can be read.

use crate::codec::{Check, Envelope, Piece, Splitter, enclose, parse_time};
use flate2::read::MultiGzDecoder;
use kernel::{Fault, Span, Time};
use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::hash::Hasher;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Bytes handed to a connection at once.
const CHUNK: usize = 64 * 1024;
/// A line longer than this is passed on in parts.
const LONGEST_LINE: u64 = 64 * 1024;
/// The original pace follows steps of the devices' times up to this; larger ones are wrong clocks.
const STEP: Span = Span::minutes(10);
/// So many readings beyond [`STEP`] in a row are believed.
const BELIEVED: u32 = 50;

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Speed {
    /// As fast as the receiver takes it.
    Max,
    /// So many times the original pace, taken from DataTime of real-time frames.
    Times(f64),
}

/// What to send and whereto.
#[derive(Clone, Debug)]
pub struct Options {
    /// The gateway.
    pub to: SocketAddr,
    /// Connections to spread the devices over; at least one.
    pub connections: usize,
    /// How fast.
    pub speed: Speed,
    /// Sends every right frame so many times, each copy under a device name of its own
    /// (`<MN>K1`, `<MN>K2` …) with the check value made anew. 1 sends the capture as it is.
    pub copies: u32,
}

/// What was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Lines read from the files (empty ones left out), copies not counted.
    pub lines: u64,
    /// Frames and lines sent, copies counted.
    pub sent: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// Answers received (9011 to 9014, and commands such as 1012).
    pub answers: u64,
    /// From the first byte to the last connection closed by the receiver.
    pub elapsed_s: f64,
}

/// Where a replay stands; may be read while it runs.
#[derive(Default)]
pub struct Progress {
    lines: AtomicU64,
    sent: AtomicU64,
    bytes: AtomicU64,
    answers: AtomicU64,
    /// Bytes of the files read so far (compressed ones as compressed).
    read: Arc<AtomicU64>,
}

impl Progress {
    /// Bytes of the files read so far, as they lie on disk.
    pub fn read_bytes(&self) -> u64 {
        self.read.load(Relaxed)
    }
    /// Frames and lines sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }
}

/// Sends the files, plain or gzip, in the order given. Fails when a file cannot be read or the
/// receiver cannot be reached or breaks the connection.
pub async fn send(
    files: &[PathBuf],
    options: &Options,
    progress: Arc<Progress>,
) -> Result<Report, Fault> {
    let begun = Instant::now();
    let mut senders = vec![];
    let mut tasks = vec![];
    for _ in 0..options.connections.max(1) {
        let doing = format!("connecting to {} for the replay", options.to);
        let stream = TcpStream::connect(options.to).await;
        let stream = stream.map_err(|e| Fault::internal(&doing, e))?;
        let (to, chunks) = mpsc::channel(4);
        senders.push(to);
        tasks.push(tokio::spawn(carry(stream, chunks, progress.clone())));
    }
    let reading = Reading {
        outlets: senders.into_iter().map(Outlet::new).collect(),
        copies: options.copies.max(1),
        pace: Pace::new(options.speed),
        progress: progress.clone(),
    };
    let files = files.to_vec();
    let read = tokio::task::spawn_blocking(move || reading.run(&files)).await;
    let mut result = read.unwrap_or_else(|e| Err(Fault::internal("replaying", e)));
    for task in tasks {
        let carried = task
            .await
            .unwrap_or_else(|e| Err(Fault::internal("replaying", e)));
        result = result.and(carried);
    }
    result?;
    Ok(Report {
        lines: progress.lines.load(Relaxed),
        sent: progress.sent.load(Relaxed),
        bytes: progress.bytes.load(Relaxed),
        answers: progress.answers.load(Relaxed),
        elapsed_s: begun.elapsed().as_secs_f64(),
    })
}

/// Carries chunks to the receiver and counts what comes back, until the receiver closes.
async fn carry(
    stream: TcpStream,
    mut chunks: mpsc::Receiver<Vec<u8>>,
    progress: Arc<Progress>,
) -> Result<(), Fault> {
    let broke = |e| Fault::internal("sending captured frames", e);
    let (mut incoming, mut outgoing) = stream.into_split();
    let listening = async {
        let mut splitter = Splitter::new(4096);
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let count = incoming.read(&mut bytes).await.map_err(broke)?;
            if count == 0 {
                return Ok(());
            }
            splitter.feed(&bytes[..count]);
            while let Some(piece) = splitter.next_piece() {
                progress
                    .answers
                    .fetch_add(u64::from(matches!(piece, Piece::Frame(_))), Relaxed);
            }
        }
    };
    let sending = async {
        while let Some(chunk) = chunks.recv().await {
            outgoing.write_all(&chunk).await.map_err(broke)?;
            progress.bytes.fetch_add(chunk.len() as u64, Relaxed);
        }
        outgoing.shutdown().await.map_err(broke)
    };
    let (listened, sent) = tokio::join!(listening, sending);
    sent.and(listened)
}

/// One connection's share, gathered into chunks.
struct Outlet {
    to: mpsc::Sender<Vec<u8>>,
    chunk: Vec<u8>,
}

impl Outlet {
    fn new(to: mpsc::Sender<Vec<u8>>) -> Outlet {
        Outlet {
            to,
            chunk: Vec::with_capacity(CHUNK),
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.chunk.len() + bytes.len() > CHUNK {
            self.flush()?;
        }
        self.chunk.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Fault> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        let sent = self.to.blocking_send(chunk);
        sent.map_err(|_| Fault::internal("sending captured frames", "the receiver is gone"))
    }
}

struct Reading {
    outlets: Vec<Outlet>,
    copies: u32,
    pace: Pace,
    progress: Arc<Progress>,
}

impl Reading {
    fn run(mut self, files: &[PathBuf]) -> Result<(), Fault> {
        for path in files {
            let doing = format!("reading {}", path.display());
            let fault = |e| Fault::internal(&doing, e);
            let mut lines = open(path, self.progress.read.clone()).map_err(fault)?;
            let mut line = vec![];
            loop {
                line.clear();
                let part = (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line);
                if part.map_err(fault)? == 0 {
                    break;
                }
                self.line(&line)?;
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.outlets.iter_mut().try_for_each(Outlet::flush)
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        self.progress.lines.fetch_add(1, Relaxed);
        if let Some(wait) = self.pace.wait(line) {
            self.flush()?;
            std::thread::sleep(wait);
        }
        let mn = field(line, b"MN=");
        self.push(mn.unwrap_or_default(), line)?;
        if self.copies > 1 {
            self.copy(line)?;
        }
        Ok(())
    }

    /// Further copies of a right frame.
    fn copy(&mut self, line: &[u8]) -> Result<(), Fault> {
        let mut splitter = Splitter::new(LONGEST_LINE as usize);
        splitter.feed(line);
        let Some(Piece::Frame(Envelope {
            data,
            stated,
            check,
            ..
        })) = splitter.next_piece()
        else {
            return Ok(());
        };
        let Some(variant) = Check::recognise(data, check).filter(|_| stated == data.len()) else {
            return Ok(());
        };
        let Some(mn) = field(data, b"MN=") else {
            return Ok(());
        };
        // Both lie in `data`, so the difference of their addresses is the place of the name.
        let at = mn.as_ptr() as usize - data.as_ptr() as usize;
        for n in 1..self.copies {
            let name = [mn, b"K", n.to_string().as_bytes()].concat();
            let copy = [&data[..at], &name, &data[at + mn.len()..]].concat();
            self.push(&name, &enclose(&copy, variant))?;
        }
        Ok(())
    }

    fn push(&mut self, mn: &[u8], bytes: &[u8]) -> Result<(), Fault> {
        let mut hasher = FxHasher::default();
        hasher.write(mn);
        let outlet = match mn.is_empty() {
            true => 0,
            // The upper bits of this hash are the good ones.
            false => (hasher.finish() >> 32) as usize % self.outlets.len(),
        };
        self.progress.sent.fetch_add(1, Relaxed);
        self.outlets[outlet].push(bytes)
    }
}

/// Value of a field of the head, such as `MN=`.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = line.windows(name.len()).position(|w| w == name)? + name.len();
    let rest = &line[at..];
    let end = rest
        .iter()
        .position(|b| matches!(b, b';' | b',' | b'&' | b'\r' | b'\n'));
    Some(&rest[..end.unwrap_or(rest.len())])
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(to)?;
        self.read.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}

/// A file, decompressed when its first bytes say so.
fn open(path: &Path, read: Arc<AtomicU64>) -> std::io::Result<Box<dyn BufRead>> {
    let inner = File::open(path)?;
    let mut plain = BufReader::with_capacity(CHUNK, Counted { inner, read });
    if plain.fill_buf()?.starts_with(&[0x1F, 0x8B]) {
        let decoder = MultiGzDecoder::new(plain);
        return Ok(Box::new(BufReader::with_capacity(CHUNK, decoder)));
    }
    Ok(Box::new(plain))
}

/// Follows the time of the capture, which is that of most devices: single wrong clocks are
/// passed over.
struct Pace {
    times: Option<f64>,
    began: Option<(Instant, Time)>,
    now: Time,
    beyond: u32,
}

impl Pace {
    fn new(speed: Speed) -> Pace {
        let times = match speed {
            Speed::Times(times) if times > 0.0 && times.is_finite() => Some(times),
            _ => None,
        };
        Pace {
            times,
            began: None,
            now: Time(0),
            beyond: 0,
        }
    }

    /// How long to wait before this line goes out.
    fn wait(&mut self, line: &[u8]) -> Option<Duration> {
        let times = self.times?;
        if field(line, b"CN=") != Some(b"2011") {
            return None;
        }
        let told = parse_time(field(line, b"DataTime=")?)?;
        let Some((began, first)) = self.began else {
            self.began = Some((Instant::now(), told));
            self.now = told;
            return None;
        };
        let step = told.since(self.now);
        if step.0.abs() > STEP.0 {
            self.beyond += 1;
            if self.beyond > BELIEVED {
                self.began = Some((Instant::now(), told));
                self.now = told;
                self.beyond = 0;
            }
            return None;
        }
        self.beyond = 0;
        self.now = self.now.max(told);
        let due = self.now.since(first).as_seconds() / times;
        let due = began + Duration::try_from_secs_f64(due).ok()?;
        let wait = due.saturating_duration_since(Instant::now());
        (wait > Duration::from_millis(2)).then_some(wait)
    }
}
