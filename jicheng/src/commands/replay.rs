//! `jicheng replay`: recorded frames through a real TCP connection. With `--to` into a running
//! city; without it into a private embedded one in a temporary folder, whose clock follows the
//! recording, so that rules about silence and duration see the day as it was.

use super::{declared, say};
use crate::config::Config;
use crate::run::{Parts, Running};
use hj212::GatewayCounters;
use indicatif::{ProgressBar, ProgressStyle};
use kernel::alerts::AlertFilter;
use kernel::records::RecordChange;
use kernel::{Actor, Clock, Fault, ManualClock, Span, Time};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The private clock follows steps of the devices' times up to this; larger ones are wrong clocks.
const STEP: Span = Span::minutes(15);
/// So many lines further ahead, one after the other, are believed all the same.
const BELIEVED: usize = 100;
/// Lines are sent in slices of this much recorded time, each judged before the next.
const SLICE: Span = Span::minutes(1);

/// What to replay.
#[derive(clap::Args)]
pub struct Arguments {
    /// The protocol: hj212.
    #[arg(value_parser = ["hj212"])]
    protocol: String,
    /// Files of frames, one a line; may be gzip.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A gateway of a running city.
    #[arg(long)]
    to: Option<SocketAddr>,
    /// `max`, or so many times the recorded pace.
    #[arg(long, default_value = "max")]
    speed: String,
    /// Write the figures as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Send every frame so many times under other device names (with --to).
    #[arg(long, default_value_t = 1)]
    copies: u32,
    /// Connections to spread the devices over (with --to).
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Leave the stations of the private city unclaimed (no rule judges them then).
    #[arg(long)]
    unclaimed: bool,
}

/// Replays and prints a table.
pub async fn run(config: Config, arguments: Arguments) -> Result<(), String> {
    let speed = match arguments.speed.as_str() {
        "max" => None,
        text => Some(
            text.parse::<f64>()
                .ok()
                .filter(|n| *n > 0.0)
                .ok_or("--speed: max 或正数 / max or a positive number")?,
        ),
    };
    let report = match arguments.to {
        Some(to) => into_running(&arguments, to, speed).await?,
        None => into_private(&config, &arguments, speed).await?,
    };
    print(&report);
    if let Some(path) = &arguments.report {
        let text = serde_json::to_string_pretty(&report).unwrap_or_default();
        std::fs::write(path, text + "\n").map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

async fn into_running(
    arguments: &Arguments,
    to: SocketAddr,
    speed: Option<f64>,
) -> Result<Value, String> {
    let options = hj212::replay::Options {
        to,
        connections: arguments.connections.max(1),
        speed: speed.map_or(hj212::replay::Speed::Max, hj212::replay::Speed::Times),
        copies: arguments.copies.max(1),
    };
    let progress = Arc::new(hj212::replay::Progress::default());
    let bar = bar(total_bytes(&arguments.files));
    let watch = {
        let (bar, progress) = (bar.clone(), progress.clone());
        tokio::spawn(async move {
            loop {
                bar.set_position(progress.read_bytes());
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        })
    };
    let sent = hj212::replay::send(&arguments.files, &options, progress)
        .await
        .map_err(say);
    watch.abort();
    bar.finish_and_clear();
    Ok(json!(sent?))
}

fn total_bytes(files: &[PathBuf]) -> u64 {
    files
        .iter()
        .filter_map(|f| std::fs::metadata(f).ok())
        .map(|m| m.len())
        .sum()
}

fn bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed_precise}  {msg}");
    let bar = ProgressBar::new(length);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// A recorded line with the device's time, when it has one.
struct Line {
    bytes: Vec<u8>,
    time: Option<Time>,
}

fn read(files: &[PathBuf]) -> Result<Vec<Line>, String> {
    let mut lines = vec![];
    for path in files {
        let fault = |e: std::io::Error| format!("{}: {e}", path.display());
        let mut reader = open(path).map_err(fault)?;
        loop {
            let mut bytes = vec![];
            if reader.read_until(b'\n', &mut bytes).map_err(fault)? == 0 {
                break;
            }
            let time = data_time(&bytes);
            lines.push(Line { bytes, time });
        }
    }
    Ok(lines)
}

fn open(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let mut reader = BufReader::new(std::fs::File::open(path)?);
    let gzip = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if gzip {
        Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(reader)))
    } else {
        Box::new(reader)
    })
}

/// The time in `DataTime=` of a line.
fn data_time(line: &[u8]) -> Option<Time> {
    let mark = b"DataTime=";
    let at = line.windows(mark.len()).position(|w| w == mark)? + mark.len();
    let digits = std::str::from_utf8(line.get(at..at + 14)?).ok()?;
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    let small = |from: usize, to: usize| digits.get(from..to)?.parse::<i8>().ok();
    Time::from_beijing(
        number(0, 4)?,
        small(4, 6)?,
        small(6, 8)?,
        small(8, 10)?,
        small(10, 12)?,
        small(12, 14)?,
        0,
    )
}

async fn into_private(
    config: &Config,
    arguments: &Arguments,
    speed: Option<f64>,
) -> Result<Value, String> {
    let lines = read(&arguments.files)?;
    let mut early: Vec<Time> = lines.iter().take(1000).filter_map(|l| l.time).collect();
    early.sort();
    let start = early
        .get(early.len() / 2)
        .copied()
        .ok_or("文件中没有带时间的报文 / no frame with a time in the files")?;
    let clock = Arc::new(ManualClock::new(start));
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let flags = [
        (
            "data".to_string(),
            folder.path().join("data").display().to_string(),
        ),
        ("hj212".to_string(), "127.0.0.1:0".to_string()),
        ("hj212_frames_per_s".to_string(), "0".to_string()),
        (
            "declarations".to_string(),
            config.text("declarations").to_string(),
        ),
    ];
    let private = Config::load(None, std::iter::empty(), &flags).map_err(|f| f.join("\n"))?;
    let parts = Parts {
        http: false,
        gateways: true,
        simulated: false,
        replaying: true,
    };
    let running = Running::start(private, declared(config)?, clock.clone(), parts)
        .await
        .map_err(say)?;
    let done = replay(&running, &clock, &lines, arguments, speed).await;
    running.stop().await;
    done.map_err(say)
}

async fn replay(
    running: &Running,
    clock: &Arc<ManualClock>,
    lines: &[Line],
    arguments: &Arguments,
    speed: Option<f64>,
) -> Result<Value, Fault> {
    if !arguments.unclaimed {
        claim(running, lines).await?;
    }
    let start = clock.now();
    let server = running
        .app
        .hj212
        .get()
        .ok_or_else(|| Fault::internal("replaying", "no gateway"))?;
    let begun = Instant::now();
    let mut sending = Sending::open(server.local_addr()).await?;
    let bar = bar(lines.len() as u64);
    let mut slice_ends = start + SLICE;
    let mut ahead: Vec<Time> = vec![];
    for line in lines {
        if let Some(time) = next_slice(line.time, slice_ends, &mut ahead) {
            sending.flush(server).await?;
            running.rules_caught_up().await?;
            clock.set(time);
            bar.set_position(sending.lines);
            bar.set_message(time.for_people());
            if let Some(times) = speed {
                let recorded = time.since(slice_ends - SLICE).0.min(STEP.0);
                tokio::time::sleep(Duration::from_secs_f64(Span(recorded).as_seconds() / times))
                    .await;
            }
            slice_ends = time + SLICE;
        }
        sending.put(&line.bytes).await?;
    }
    sending.flush(server).await?;
    sending.close().await?;
    running.rules_caught_up().await?;
    bar.finish_and_clear();
    let elapsed = begun.elapsed().as_secs_f64();
    let counters = server.counters();
    let mut report = figures(&counters, elapsed);
    report["alerts"] = alerts(running).await?;
    report["clock"] = json!({"from": start, "to": clock.now()});
    report["findings"] = findings(running, start, clock.now()).await?;
    Ok(report)
}

/// When the next slice begins, if this line's time says so. A single time far ahead is a wrong
/// clock; a hundred in a row are a gap in the recording.
fn next_slice(time: Option<Time>, slice_ends: Time, ahead: &mut Vec<Time>) -> Option<Time> {
    let time = time?;
    if time <= slice_ends {
        ahead.clear();
        return None;
    }
    if time.since(slice_ends) < STEP {
        ahead.clear();
        return Some(time);
    }
    ahead.push(time);
    if ahead.len() < BELIEVED {
        return None;
    }
    ahead.sort();
    let middle = ahead[ahead.len() / 2];
    ahead.clear();
    Some(middle)
}

fn figures(counters: &GatewayCounters, elapsed: f64) -> Value {
    json!({
        "frames_read": counters.frames_read,
        "not_frames": counters.not_frames,
        "accepted": counters.accepted,
        "rejected": counters.rejected,
        "devices": counters.devices,
        "values_received": counters.values_received,
        "values_stored": counters.values_stored,
        "duplicates": counters.duplicates,
        "corrected": counters.corrected,
        "states_received": counters.states_received,
        "non_numeric": counters.non_numeric,
        "heartbeats": counters.heartbeats,
        "elapsed_s": (elapsed * 1000.0).round() / 1000.0,
        "values_per_s": (counters.values_received as f64 / elapsed).round(),
    })
}

/// One connection that sends lines and knows how many the gateway must have read.
struct Sending {
    stream: TcpStream,
    buffer: Vec<u8>,
    lines: u64,
}

impl Sending {
    async fn open(to: SocketAddr) -> Result<Sending, Fault> {
        let stream = TcpStream::connect(to)
            .await
            .map_err(|e| Fault::internal("connecting to the gateway", e))?;
        Ok(Sending {
            stream,
            buffer: Vec::with_capacity(1 << 16),
            lines: 0,
        })
    }

    async fn put(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.buffer.extend_from_slice(line);
        self.lines += 1;
        if self.buffer.len() > 60 * 1024 {
            self.send().await
        } else {
            Ok(())
        }
    }

    async fn send(&mut self) -> Result<(), Fault> {
        let sent = self.stream.write_all(&self.buffer).await;
        self.buffer.clear();
        sent.map_err(|e| Fault::internal("sending frames", e))?;
        let mut answers = [0; 4096];
        // Answers are not needed here, but must not pile up.
        while matches!(self.stream.try_read(&mut answers), Ok(n) if n > 0) {}
        Ok(())
    }

    /// Sends what is buffered and waits until the gateway has taken it all.
    async fn flush(&mut self, server: &hj212::Server) -> Result<(), Fault> {
        self.send().await?;
        let mut before = (0, Instant::now());
        loop {
            let counters = server.counters();
            let rejected: u64 = counters.rejected.values().sum();
            let settled = counters.accepted + rejected + counters.not_frames;
            if settled >= self.lines
                && counters.values_received == counters.values_stored + counters.duplicates
            {
                return Ok(());
            }
            // Several lines without a frame may count as one piece of garbage: wait for quiet.
            if settled + counters.values_stored + counters.duplicates != before.0 {
                before = (
                    settled + counters.values_stored + counters.duplicates,
                    Instant::now(),
                );
            } else if before.1.elapsed() > Duration::from_millis(60) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
    }

    async fn close(mut self) -> Result<(), Fault> {
        let _ = self.stream.shutdown().await;
        let mut rest = vec![];
        let wait = self.stream.read_to_end(&mut rest);
        let _ = tokio::time::timeout(Duration::from_secs(30), wait).await;
        Ok(())
    }
}

/// Puts every device of the recording on record, as an officer would: kind by its system code,
/// district by its number, limits of its class from the city pack.
async fn claim(running: &Running, lines: &[Line]) -> Result<(), Fault> {
    let mut stations: BTreeMap<String, String> = BTreeMap::new();
    for line in lines {
        let text = String::from_utf8_lossy(&line.bytes);
        let field = |name: &str| {
            let from = text.find(name)? + name.len();
            Some(
                text[from..]
                    .split([';', ',', '&', '\r', '\n'])
                    .next()
                    .unwrap_or("")
                    .to_string(),
            )
        };
        let (Some(device), Some(code)) = (field("MN="), field("ST=")) else {
            continue;
        };
        let plain = !device.is_empty()
            && device.len() <= 27
            && device.bytes().all(|b| b.is_ascii_alphanumeric());
        if plain && text.starts_with("##") {
            stations.entry(device).or_insert(code);
        }
    }
    let districts: BTreeSet<&str> = running
        .app
        .city
        .declared
        .city
        .districts
        .iter()
        .map(|d| d.code.as_str())
        .collect();
    let changes: Vec<RecordChange> = stations
        .iter()
        .map(|(device, code)| station(device, code, &districts))
        .collect();
    for part in changes.chunks(500) {
        running
            .app
            .city
            .registers
            .apply(&Actor::system(), part.to_vec())
            .await?;
    }
    Ok(())
}

fn station(device: &str, code: &str, districts: &BTreeSet<&str>) -> RecordChange {
    let (kind, class) = match code {
        "22" => ("air", "air"),
        "21" => ("surface_water", "surface_water_3"),
        "31" => ("flue_gas", "flue_gas"),
        "23" => ("noise", "noise_2"),
        _ => ("waste_water", "waste_water"),
    };
    let mut fields = Map::new();
    for (name, value) in [
        ("mn", device),
        ("name", device),
        ("kind", kind),
        ("class", class),
        ("limits_from", "class"),
        ("state", "running"),
    ] {
        fields.insert(name.into(), json!(value));
    }
    if code.len() == 2 && code.bytes().all(|b| b.is_ascii_digit()) {
        fields.insert("st".into(), json!(code));
    }
    let digits = device.trim_start_matches(|c: char| !c.is_ascii_digit());
    if let Some(district) = digits.get(..6).filter(|d| districts.contains(d)) {
        fields.insert("district".into(), json!(district));
    }
    RecordChange {
        register: "station".into(),
        fields: Some(fields),
        key: device.into(),
        valid_from: None,
        expect_version: None,
        reason: Some("replay".into()),
    }
}

/// Alerts by rule: how many, about how many stations.
async fn alerts(running: &Running) -> Result<Value, Fault> {
    let mut by_rule: BTreeMap<String, (u64, BTreeSet<String>)> = BTreeMap::new();
    let mut filter = AlertFilter {
        limit: 1000,
        ..AlertFilter::default()
    };
    let total = loop {
        let (page, next, total) = running.app.city.alerts.list(&filter).await?;
        for alert in page {
            let entry = by_rule.entry(alert.rule).or_default();
            entry.0 += 1;
            entry.1.insert(alert.thing);
        }
        filter.after = next;
        if filter.after.is_none() {
            break total;
        }
    };
    let rules: Map<String, Value> = by_rule
        .into_iter()
        .map(|(rule, (count, things))| (rule, json!({"alerts": count, "stations": things.len()})))
        .collect();
    Ok(json!({"total": total, "by_rule": rules}))
}

/// What the system's own reports say of the day.
async fn findings(running: &Running, from: Time, to: Time) -> Result<Value, Fault> {
    let mut found = Map::new();
    for name in ["exceedances", "suspects"] {
        let Some(report) = running
            .app
            .reports
            .get(&("environment".to_string(), name.to_string()))
        else {
            continue;
        };
        let range = [
            ("from".to_string(), from.rfc3339()),
            ("to".to_string(), to.rfc3339()),
        ];
        let answer = report(
            running.app.city_with_gateways(),
            range.into_iter().collect(),
        )
        .await?;
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        let stations: BTreeSet<&str> = items.iter().filter_map(|i| i["station"].as_str()).collect();
        found.insert(
            name.into(),
            json!({"items": items.len(), "stations": stations.len()}),
        );
    }
    Ok(Value::Object(found))
}

fn print(report: &Value) {
    let Value::Object(fields) = report else {
        return;
    };
    for (name, value) in fields {
        match value {
            Value::Object(inner) => {
                println!("{name}");
                for (name, value) in inner {
                    println!("    {name:28} {value}");
                }
            }
            value => println!("{name:32} {value}"),
        }
    }
}
