//! The program as an operator runs it: its own process on a folder or a PostgreSQL database,
//! spoken to over HTTP and HJ 212 only. Killed when dropped.

use crate::city::{Answer, request};
use hj212::codec::{Check, enclose, format_time};
use kernel::Time;
use serde_json::Value;
use std::io::{BufRead, BufReader as StdBufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// How long anything that must happen may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Where a city lives: its folder, its settings, and a token for its API.
pub struct Place {
    data: PathBuf,
    settings: Vec<String>,
    token: String,
}

impl Place {
    /// A place with a token that may do what officers and operators may.
    pub fn new(data: &Path, settings: &[&str]) -> Place {
        let mut place = Place::bare(data, settings);
        let roles = "environment_officer,duty_officer,operator,feeder";
        let (done, token, said) = place.command(&["account", "token", "test", "--roles", roles]);
        assert!(done, "{said}");
        place.token = token.trim().to_string();
        place
    }

    /// A place where nothing is yet, for a restore.
    pub fn bare(data: &Path, settings: &[&str]) -> Place {
        Place {
            data: data.to_path_buf(),
            settings: settings.iter().map(|s| s.to_string()).collect(),
            token: String::new(),
        }
    }

    /// The same token, for a copy of the city.
    pub fn with_token_of(mut self, other: &Place) -> Place {
        self.token = other.token.clone();
        self
    }

    /// The master key, for a copy of the city.
    pub fn take_master_key_of(&self, other: &Place) {
        let file = |place: &Place| place.data.join("master.key");
        std::fs::copy(file(other), file(self)).expect("the master key");
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    fn arguments(&self) -> Vec<String> {
        let mut all = vec!["--data".into(), self.data.display().to_string()];
        let fixed = ["log=warn", "http=127.0.0.1:0", "hj212=127.0.0.1:0"].map(String::from);
        for setting in fixed.iter().chain(&self.settings) {
            all.extend(["--set".into(), setting.clone()]);
        }
        all
    }

    /// Runs another command of the program on this place: success, output, faults.
    pub fn command(&self, words: &[&str]) -> (bool, String, String) {
        let done = Command::new(env!("CARGO_BIN_EXE_jicheng"))
            .args(self.arguments())
            .args(words)
            .output()
            .expect("the program");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            done.status.success(),
            text(&done.stdout),
            text(&done.stderr),
        )
    }

    /// Starts the city, stops it as soon as it listens, and returns its log.
    pub async fn log_of_a_short_life(&self) -> String {
        let mut child = Command::new(env!("CARGO_BIN_EXE_jicheng"))
            .args(self.arguments())
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut line = String::new();
        let said = child.stdout.as_mut().expect("its output");
        StdBufReader::new(said)
            .read_line(&mut line)
            .expect("its first line");
        let asked = Command::new("kill").arg(child.id().to_string()).status();
        assert!(asked.is_ok_and(|s| s.success()));
        let output = child.wait_with_output().expect("its end");
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Starts the city and waits until it listens.
    pub async fn serve(&self) -> Program {
        // As many file handles as the machine allows: ulimit is a word of the shell.
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""])
            .arg(env!("CARGO_BIN_EXE_jicheng"))
            .args(self.arguments())
            .arg("serve")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut said = StdBufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        said.read_line(&mut line).expect("its first line");
        let http = line
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.trim().trim_end_matches('/').parse().ok())
            .unwrap_or_else(|| panic!("the program did not start: {line}"));
        let mut program = Program {
            child,
            http,
            gateway: http,
            token: self.token.clone(),
        };
        let health = program.get("/api/v1/operator/health").await;
        let address = health["gateways"][0]["address"].as_str();
        program.gateway = address.and_then(|a| a.parse().ok()).expect("the gateway");
        program
    }
}

/// A running program.
pub struct Program {
    child: Child,
    /// Where its web listens.
    pub http: SocketAddr,
    /// Where its gateway listens.
    pub gateway: SocketAddr,
    token: String,
}

impl Program {
    /// A request with the token.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|b| b.to_string());
        let body = body.as_deref().map(|text| ("application/json", text));
        request(self.http, method, path, Some(&self.token), &[], body).await
    }

    /// A batch in line protocol.
    pub async fn post_lines(&self, lines: &str) -> Answer {
        let body = Some(("text/plain", lines));
        let path = "/api/v1/observations";
        request(self.http, "POST", path, Some(&self.token), &[], body).await
    }

    /// What a GET answers; it must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// The token, for requests made by hand.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Opens the live stream and waits for its head.
    pub async fn live(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.http).await.expect("the web");
        let head = format!(
            "GET /api/v1/live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
            self.token
        );
        stream.write_all(head.as_bytes()).await.expect("write");
        let mut answer = vec![0; 1024];
        let count = stream.read(&mut answer).await.expect("an answer");
        let text = String::from_utf8_lossy(&answer[..count]);
        assert!(
            text.starts_with("HTTP/1.1 200") && text.contains("text/event-stream"),
            "{text}"
        );
        stream
    }

    /// A counter of the gateway, such as `/accepted` or `/closed/idle`.
    pub async fn counter(&self, pointer: &str) -> u64 {
        let health = self.get("/api/v1/operator/health").await;
        let counters = &health["gateways"][0]["counters"];
        counters
            .pointer(pointer)
            .and_then(Value::as_u64)
            .unwrap_or(0)
    }

    /// The real-time values of a series, as pairs of time and value in order of time.
    pub async fn values(
        &self,
        thing: &str,
        property: &str,
        from: Time,
        to: Time,
    ) -> Vec<(Time, f64)> {
        let (from, to) = (from.0 / 1000, to.0 / 1000);
        let path = format!(
            "/api/v1/series/range?thing={thing}&property={property}&from={from}&to={to}&step=raw"
        );
        let answer = self.get(&path).await;
        let points = answer["points"].as_array().expect("points").iter();
        let time = |p: &Value| Time(p[0].as_i64().expect("a time") * 1000);
        points
            .map(|p| (time(p), p[1].as_f64().expect("a value")))
            .collect()
    }

    /// Resident memory in KiB.
    pub fn memory_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(path).expect("the process");
        let line = text
            .lines()
            .find(|l| l.starts_with("VmRSS:"))
            .expect("VmRSS");
        let number = line.split_whitespace().nth(1).and_then(|n| n.parse().ok());
        number.expect("a number")
    }

    /// Kills it with -9.
    pub fn kill(mut self) {
        self.child.kill().expect("kill -9");
        self.child.wait().expect("the end");
    }

    /// Asks it to stop (SIGTERM); how long it took and how it ended.
    pub async fn terminate(mut self) -> (Duration, ExitStatus) {
        let begun = Instant::now();
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.is_ok_and(|s| s.success()));
        let end = until("the program ends", PATIENCE, async || {
            self.child.try_wait().expect("the process")
        });
        let status = end.await;
        (begun.elapsed(), status)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer.
pub async fn until<T>(what: &str, limit: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < limit, "waited {limit:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A station made by hand.
pub struct Station {
    /// Identification.
    pub mn: String,
    /// System code.
    pub st: &'static str,
    to: OwnedWriteHalf,
    lines: tokio::io::Lines<BufReader<OwnedReadHalf>>,
}

impl Station {
    /// Connects.
    pub async fn connect(gateway: SocketAddr, st: &'static str, mn: &str) -> Station {
        let stream = TcpStream::connect(gateway).await.expect("the gateway");
        let (from, to) = stream.into_split();
        let lines = BufReader::new(from).lines();
        let mn = mn.to_string();
        Station { mn, st, to, lines }
    }

    /// A real-time frame whose request number is its time.
    pub fn frame(&self, time: Time, fields: &str) -> Vec<u8> {
        real_time(self.st, &self.mn, time, fields)
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.to.write_all(bytes).await.expect("the connection");
    }

    /// The next line the gateway sends, `None` when it closes the connection or is silent for
    /// `limit`.
    pub async fn line(&mut self, limit: Duration) -> Option<String> {
        let line = tokio::time::timeout(limit, self.lines.next_line()).await;
        line.ok().and_then(Result::ok).flatten()
    }

    /// Sends a frame and waits until it is acknowledged.
    pub async fn report(&mut self, time: Time, fields: &str) {
        let frame = self.frame(time, fields);
        self.send(&frame).await;
        self.acknowledged(time).await;
    }

    /// Waits for the acknowledgement of the frame of a time.
    pub async fn acknowledged(&mut self, time: Time) {
        let line = self.line(PATIENCE).await.unwrap_or_default();
        let expected = format!("QN={}000;", format_time(time));
        assert!(
            line.contains("CN=9014") && line.contains(&expected),
            "{} expects an acknowledgement of {expected} and got {line:?}",
            self.mn
        );
    }
}

/// A real-time frame (CN 2011, 2017) that asks for an answer.
pub fn real_time(st: &str, mn: &str, time: Time, fields: &str) -> Vec<u8> {
    let stamp = format_time(time);
    message(&format!(
        "QN={stamp}000;ST={st};CN=2011;PW=123456;MN={mn};Flag=5;CP=&&DataTime={stamp};{fields}&&"
    ))
}

/// A data segment in its envelope.
pub fn message(data: &str) -> Vec<u8> {
    enclose(data.as_bytes(), Check::Standard)
}

/// The identification of a test station.
pub fn device(st: &str, number: usize) -> String {
    format!("130199{st}{number:016}")
}
