//! A whole city in a temporary folder, with real TCP and HTTP, for the tests beside this file.

use jicheng::config::Config;
use jicheng::run::{Parts, Running, declared};
use kernel::{Clock, SystemClock};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A running city with accounts for every role; stopped by [`TestCity::stop`].
pub struct TestCity {
    /// The city.
    pub running: Running,
    // Lives as long as the city.
    _folder: tempfile::TempDir,
}

/// Password of every test account.
pub const PASSWORD: &str = "Test-9f3b-words";

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }
}

impl TestCity {
    /// Starts a city with HTTP and the gateway on free ports.
    pub async fn start() -> TestCity {
        TestCity::start_on(Arc::new(SystemClock)).await
    }

    /// The same on another clock.
    pub async fn start_on(clock: Arc<dyn Clock>) -> TestCity {
        TestCity::start_as(clock, &[], false).await
    }

    /// The same with settings.
    pub async fn start_with(settings: &[(&str, &str)]) -> TestCity {
        TestCity::start_as(Arc::new(SystemClock), settings, false).await
    }

    /// A demonstration: synthetic persons, messages caught. No simulated stations.
    pub async fn start_demonstration(clock: Arc<dyn Clock>) -> TestCity {
        TestCity::start_as(clock, &[], true).await
    }

    async fn start_as(
        clock: Arc<dyn Clock>,
        settings: &[(&str, &str)],
        simulated: bool,
    ) -> TestCity {
        let folder = tempfile::tempdir().expect("a folder");
        let running = open_as(folder.path(), clock, settings, simulated).await;
        for (name, roles) in [
            ("duty", "duty_officer"),
            ("officer", "environment_officer"),
            ("operator", "operator"),
            ("resident", "resident"),
            ("nobody", ""),
        ] {
            let new = identity::NewAccount {
                name: name.into(),
                display: name.into(),
                password: PASSWORD.into(),
                roles: roles
                    .split(',')
                    .filter(|r| !r.is_empty())
                    .map(String::from)
                    .collect(),
                organisation: None,
            };
            running
                .app
                .identity
                .create(&kernel::Actor::system(), new)
                .await
                .expect(name);
        }
        TestCity {
            running,
            _folder: folder,
        }
    }

    /// A city that a test started by itself.
    pub fn of(running: Running, folder: tempfile::TempDir) -> TestCity {
        TestCity {
            running,
            _folder: folder,
        }
    }

    /// A token of an account.
    pub async fn token(&self, account: &str) -> String {
        let body = json!({"account": account, "password": PASSWORD});
        let answer = self.call("POST", "/api/v1/session", None, Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["token"]
            .as_str()
            .expect("a token")
            .to_string()
    }

    /// One request over real HTTP.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let body = body.map(|b| ("application/json", b.to_string()));
        let body = body.as_ref().map(|(kind, text)| (*kind, text.as_str()));
        self.raw(method, path, token, &[], body).await
    }

    /// The same with headers and any body.
    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<(&str, &str)>,
    ) -> Answer {
        let address = self.running.http.expect("http");
        request(address, method, path, token, headers, body).await
    }

    /// One request with the bytes of a file as they are; status, head and bytes of the answer.
    pub async fn bytes(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        (kind, body): (&str, &[u8]),
    ) -> (Answer, Vec<u8>) {
        let address = self.running.http.expect("http");
        let bytes = exchange(address, method, path, token, &[], Some((kind, body))).await;
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
        let end = end.expect("a head") + 4;
        let answer = parse(&String::from_utf8_lossy(&bytes));
        (answer, bytes[end..].to_vec())
    }

    /// The same city after a stop.
    pub async fn again(self) -> TestCity {
        let TestCity { running, _folder } = self;
        running.stop().await;
        TestCity {
            running: open(_folder.path(), Arc::new(SystemClock)).await,
            _folder,
        }
    }

    /// Stops the city.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

/// One request over real HTTP to any address.
pub async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    headers: &[(&str, &str)],
    body: Option<(&str, &str)>,
) -> Answer {
    let body = body.map(|(kind, text)| (kind, text.as_bytes()));
    let bytes = exchange(address, method, path, token, headers, body).await;
    parse(&String::from_utf8_lossy(&bytes))
}

async fn exchange(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    headers: &[(&str, &str)],
    body: Option<(&str, &[u8])>,
) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    if let Some(token) = token {
        head.push_str(&format!("authorization: Bearer {token}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let (kind, content) = body.unwrap_or(("", b""));
    if body.is_some() {
        head.push_str(&format!("content-type: {kind}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", content.len()));
    let whole = [head.as_bytes(), content].concat();
    stream.write_all(&whole).await.expect("write");
    let mut bytes = vec![];
    stream.read_to_end(&mut bytes).await.expect("read");
    bytes
}

/// Opens a city in a folder.
pub async fn open(folder: &std::path::Path, clock: Arc<dyn Clock>) -> Running {
    open_with(folder, clock, &[]).await
}

/// The same with settings.
pub async fn open_with(
    folder: &std::path::Path,
    clock: Arc<dyn Clock>,
    settings: &[(&str, &str)],
) -> Running {
    open_as(folder, clock, settings, false).await
}

async fn open_as(
    folder: &std::path::Path,
    clock: Arc<dyn Clock>,
    settings: &[(&str, &str)],
    simulated: bool,
) -> Running {
    let mut flags = vec![
        (
            "data".to_string(),
            folder.join("data").display().to_string(),
        ),
        ("http".to_string(), "127.0.0.1:0".to_string()),
        ("hj212".to_string(), "127.0.0.1:0".to_string()),
    ];
    let more = settings.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    flags.extend(more);
    let config = Config::load(None, std::iter::empty(), &flags).expect("a configuration");
    let declared = declared(&config).unwrap_or_else(|f| panic!("{}", jicheng::commands::show(&f)));
    let parts = Parts {
        http: true,
        gateways: true,
        simulated,
        replaying: false,
    };
    Running::start(config, declared, clock, parts)
        .await
        .expect("a city")
}

/// Reads an answer as it came over the wire.
pub fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|l| l.split(' ').nth(1))
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    let headers: Vec<(String, String)> = lines
        .filter_map(|l| l.split_once(": "))
        .map(|(n, v)| (n.to_lowercase(), v.to_string()))
        .collect();
    let chunked = headers
        .iter()
        .any(|(n, v)| n == "transfer-encoding" && v == "chunked");
    let text = if chunked {
        unchunk(body)
    } else {
        body.to_string()
    };
    Answer {
        status,
        headers,
        text,
    }
}

fn unchunk(body: &str) -> String {
    let mut rest = body.as_bytes();
    let mut whole = vec![];
    while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
        let size =
            usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap_or("0").trim(), 16)
                .unwrap_or(0);
        let from = end + 2;
        if size == 0 || rest.len() < from + size {
            break;
        }
        whole.extend_from_slice(&rest[from..from + size]);
        rest = &rest[(from + size + 2).min(rest.len())..];
    }
    String::from_utf8_lossy(&whole).into_owned()
}
