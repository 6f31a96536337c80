//! A station at the other end of a real connection, and a server over a city in memory.

use crate::fakes::{Town, town};
use hj212::codec::{Check, Piece, Splitter, decode, enclose, format_time};
use hj212::{Config, Server};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

pub(crate) fn config() -> Config {
    Config {
        listen: "127.0.0.1:0".into(),
        command_time_out_s: 1,
        command_retries: 2,
        execution_time_out_s: 2,
        ..Config::default()
    }
}

pub(crate) async fn begin(config: Config) -> (Town, Arc<Server>) {
    let town = town();
    let server = Server::start(town.city.clone(), config).await.unwrap();
    (town, server)
}

/// A station at the other end of a real connection.
pub(crate) struct Station {
    pub(crate) stream: TcpStream,
    pub(crate) splitter: Splitter,
}

impl Station {
    pub(crate) async fn connect(server: &Server) -> Station {
        let stream = TcpStream::connect(server.local_addr()).await.unwrap();
        Station {
            stream,
            splitter: Splitter::new(4096),
        }
    }
    pub(crate) async fn send(&mut self, data: &str) {
        self.raw(&enclose(data.as_bytes(), Check::Standard)).await;
    }
    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }
    /// Data segment of the next frame from the platform; `None` after `wait`, or `closed`.
    pub(crate) async fn hear(&mut self, wait: Duration) -> Option<String> {
        let hearing = async {
            loop {
                if let Some(piece) = self.splitter.next_piece() {
                    let Piece::Frame(envelope) = piece else {
                        panic!("{piece:?}")
                    };
                    decode(envelope, |_| None, &mut vec![]).unwrap();
                    return String::from_utf8(envelope.data.to_vec()).unwrap();
                }
                let mut bytes = [0; 4096];
                match self.stream.read(&mut bytes).await {
                    Ok(0) | Err(_) => return "closed".into(),
                    Ok(n) => self.splitter.feed(&bytes[..n]),
                }
            }
        };
        timeout(wait, hearing).await.ok()
    }
    pub(crate) async fn expect(&mut self, data: &str) {
        assert_eq!(
            self.hear(Duration::from_secs(5)).await.as_deref(),
            Some(data)
        );
    }
}

pub(crate) const QUIET: Duration = Duration::from_millis(150);

pub(crate) fn now_text() -> String {
    format_time(kernel::Clock::now(&kernel::SystemClock))
}

pub(crate) async fn until(what: &str, test: impl Fn() -> bool) {
    for _ in 0..500 {
        if test() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain: {what}");
}
