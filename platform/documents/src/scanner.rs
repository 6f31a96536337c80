//! Virus scanners: what looks through a file before it is kept, and a client of ClamAV's `clamd`
//! that sends the bytes over TCP (INSTREAM). When a scanner is configured and cannot answer,
//! nothing is accepted.

use async_trait::async_trait;
use kernel::Fault;
use kernel::fault::FaultKind;
use parking_lot::Mutex;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// What a scanner says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// This was found.
    Infected(String),
}

/// Looks through files.
#[async_trait]
pub trait Scanner: Send + Sync {
    /// Its name, kept with the file.
    fn name(&self) -> String;
    /// Looks through a file; a fault when there is no answer.
    async fn scan(&self, bytes: &[u8]) -> Result<Verdict, Fault>;
}

/// A scanner is configured and gives no answer.
pub(crate) fn not_scanned(cause: &str) -> Fault {
    tracing::warn!(cause, "the virus scanner gives no answer");
    let mut fault = Fault::new(
        FaultKind::Overloaded,
        "documents.not_scanned",
        "病毒扫描服务暂时无法使用，文件未保存，请稍后重试",
        "the virus scanner cannot be reached; the file was not kept, try again later",
    );
    fault.retry_after_s = Some(30);
    fault
}

/// The file is infected.
pub(crate) fn infected(what: &str) -> Fault {
    Fault::new(
        FaultKind::Invalid,
        "documents.infected",
        format!("文件含有病毒（{what}），未保存"),
        format!("the file is infected ({what}); it was not kept"),
    )
}

/// The words of clamd's protocol (clamd(8), INSTREAM), without a socket.
pub mod codec {
    use super::Verdict;

    /// Begins a session.
    pub const BEGIN: &[u8] = b"zINSTREAM\0";
    /// Ends it.
    pub const END: [u8; 4] = [0; 4];
    /// Bytes of an answer, at most.
    pub const ANSWER_LIMIT: usize = 4096;
    /// Bytes of one chunk.
    pub const CHUNK: usize = 64 << 10;

    /// Length before a chunk, big-endian.
    pub fn head(chunk: &[u8]) -> [u8; 4] {
        u32::try_from(chunk.len()).unwrap_or(u32::MAX).to_be_bytes()
    }

    /// Understands an answer; the error is what clamd said instead.
    pub fn answer(bytes: &[u8]) -> Result<Verdict, String> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches(['\0', '\n', '\r']).trim();
        let said = text.strip_prefix("stream:").map(str::trim);
        match said {
            Some("OK") => Ok(Verdict::Clean),
            Some(said) => match said.strip_suffix("FOUND") {
                Some(name) => Ok(Verdict::Infected(name.trim().chars().take(100).collect())),
                None => Err(text.chars().take(200).collect()),
            },
            None => Err(text.chars().take(200).collect()),
        }
    }
}

/// How long, and how often, to try.
#[derive(Clone, Debug)]
pub struct Patience {
    /// To connect.
    pub connect: Duration,
    /// For the whole session.
    pub session: Duration,
    /// Failures in a row after which it is left alone …
    pub failures: u32,
    /// … for so long.
    pub rest: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            connect: Duration::from_secs(3),
            session: Duration::from_secs(60),
            failures: 5,
            rest: Duration::from_secs(15),
        }
    }
}

#[derive(Default)]
struct Fuse {
    failures: u32,
    until: Option<Instant>,
}

/// A client of clamd.
pub struct Clamd {
    address: String,
    patience: Patience,
    fuse: Mutex<Fuse>,
}

impl Clamd {
    /// For the clamd at this address, `host:port`.
    pub fn new(address: impl Into<String>, patience: Patience) -> Clamd {
        Clamd {
            address: address.into(),
            patience,
            fuse: Mutex::default(),
        }
    }

    /// May it be tried now? After a rest one is let through, and the rest begins anew for others.
    fn admit(&self) -> bool {
        let mut fuse = self.fuse.lock();
        match fuse.until {
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                fuse.until = Some(Instant::now() + self.patience.rest);
                true
            }
            None => true,
        }
    }

    fn note(&self, well: bool) {
        let mut fuse = self.fuse.lock();
        if well {
            *fuse = Fuse::default();
            return;
        }
        fuse.failures = fuse.failures.saturating_add(1);
        if fuse.failures >= self.patience.failures {
            fuse.until = Some(Instant::now() + self.patience.rest);
        }
    }

    async fn session(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let connected = timeout(self.patience.connect, TcpStream::connect(&self.address)).await;
        let connected = connected.map_err(|_| "connecting took too long".to_owned())?;
        let stream = connected.map_err(|e| e.to_string())?;
        let (mut from, mut to) = stream.into_split();
        let send = async {
            to.write_all(codec::BEGIN).await?;
            for chunk in bytes.chunks(codec::CHUNK) {
                to.write_all(&codec::head(chunk)).await?;
                to.write_all(chunk).await?;
            }
            to.write_all(&codec::END).await?;
            to.flush().await
        };
        let read = async {
            let mut answer = vec![];
            let mut limited = (&mut from).take(codec::ANSWER_LIMIT as u64);
            let mut part = [0; 512];
            while !answer.contains(&0) {
                match limited.read(&mut part).await? {
                    0 => break,
                    n => answer.extend(&part[..n]),
                }
            }
            Ok::<_, std::io::Error>(answer)
        };
        // clamd may answer, and close, before it has read everything (a limit of its own): what it
        // says counts then, not that sending failed.
        let (sent, answer) = tokio::join!(send, read);
        match answer {
            Ok(answer) if !answer.is_empty() => Ok(answer),
            Ok(_) => Err(sent.map_or_else(|e| e.to_string(), |()| "no answer".into())),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[async_trait]
impl Scanner for Clamd {
    fn name(&self) -> String {
        "clamd".into()
    }

    async fn scan(&self, bytes: &[u8]) -> Result<Verdict, Fault> {
        if !self.admit() {
            return Err(not_scanned("it failed several times just now"));
        }
        let answer = timeout(self.patience.session, self.session(bytes)).await;
        let answer = answer.unwrap_or_else(|_| Err("it took too long".into()));
        let verdict = answer.and_then(|answer| codec::answer(&answer));
        self.note(verdict.is_ok());
        verdict.map_err(|cause| not_scanned(&cause))
    }
}
