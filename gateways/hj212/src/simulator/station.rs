//! One simulated station: its connection, its timetable and its answers to the platform.

use super::pattern::{self, Summary, is_pollutant, round};
use super::{Options, Scenario, SimProperty, SimStation, StationKind, Stats};
use crate::codec::{
    Check, Edition, Frame, Outgoing, Piece, Splitter, decode, format_millis, format_time,
    parse_time,
};
use crate::vocabulary;
use kernel::{Clock, Span, Time};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};

/// Frames whose answer may be outstanding; beyond, the oldest is forgotten (and so not counted).
const OUTSTANDING: usize = 4096;
/// Frames one extraction may bring.
const EXTRACTED: usize = 1000;

pub(super) struct Station {
    clock: Arc<dyn Clock>,
    options: Arc<Options>,
    number: usize,
    stats: Arc<Stats>,
    /// The station's clock minus the city's.
    clock_error: Span,
    interval: Duration,
    minute: Span,
    sends_realtime: bool,
    last_request_ms: i64,
    outstanding: VecDeque<(String, Instant)>,
    /// End of the last minute and hour reported.
    reported: Option<(Time, Time)>,
}

/// Length of the history every station begins with, in minutes of minute data.
const MINUTE_HISTORY: Span = Span::hours(2);

impl Station {
    pub fn new(
        clock: Arc<dyn Clock>,
        options: Arc<Options>,
        number: usize,
        stats: Arc<Stats>,
    ) -> Station {
        let now = clock.now();
        let millennium = parse_time(b"20000202000000").unwrap_or_default();
        let clock_error = match options.stations[number].scenario {
            Scenario::WrongClock => millennium.since(now),
            _ => Span(0),
        };
        Station {
            clock,
            interval: options.interval,
            minute: Span::minutes(i64::from(options.minute_interval_min.clamp(1, 30))),
            options,
            number,
            stats,
            clock_error,
            sends_realtime: true,
            last_request_ms: 0,
            outstanding: VecDeque::new(),
            reported: None,
        }
    }

    fn about(&self) -> &SimStation {
        &self.options.stations[self.number]
    }

    /// Connects, talks, connects again, until the task is ended from outside.
    pub async fn live(mut self) {
        let mut pause = Duration::from_secs(1);
        loop {
            if let Ok(stream) = TcpStream::connect(self.options.to).await {
                let _ = stream.set_nodelay(true);
                self.stats.connects.fetch_add(1, Relaxed);
                let present = Present::new(self.stats.clone());
                let talked = Instant::now();
                let gone = self.talk(stream).await;
                drop(present);
                if gone.is_ok() {
                    return;
                }
                if talked.elapsed() > Duration::from_secs(60) {
                    pause = Duration::from_secs(1);
                }
            }
            self.stats.failures.fetch_add(1, Relaxed);
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(30));
        }
    }

    /// Speaks until the connection breaks; `Ok` when the station falls silent for good.
    async fn talk(&mut self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut splitter = Splitter::new(4096);
        self.outstanding.clear();
        let history = self.history();
        for frame in history {
            self.hear(&stream, &mut splitter, &mut Vec::new())?;
            stream.write_all(&frame).await?;
        }
        if self.about().scenario == Scenario::Offline {
            stream.shutdown().await?;
            // The platform closes when it has answered everything.
            while stream.readable().await.is_ok() {
                if self.hear(&stream, &mut splitter, &mut Vec::new()).is_err() {
                    break;
                }
            }
            return Ok(());
        }
        // Spread over the interval, so that thousands do not speak at the same instant.
        let spread = pattern::mix(pattern::text(&self.about().mn)) % 1000;
        let mut next = Instant::now() + self.interval.mul_f64(spread as f64 / 1000.0);
        loop {
            let mut answers = vec![];
            tokio::select! {
                () = sleep_until(next) => {
                    answers = self.timetable();
                    next = (next + self.interval).max(Instant::now());
                }
                readable = stream.readable() => {
                    readable?;
                    self.hear(&stream, &mut splitter, &mut answers)?;
                }
            }
            for frame in answers {
                stream.write_all(&frame).await?;
            }
        }
    }

    /// Reads what has come and gathers the answers to it.
    fn hear(
        &mut self,
        stream: &TcpStream,
        splitter: &mut Splitter,
        answers: &mut Vec<Vec<u8>>,
    ) -> std::io::Result<()> {
        let mut bytes = [0; 2048];
        match stream.try_read(&mut bytes) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => splitter.feed(&bytes[..count]),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e),
        }
        while let Some(piece) = splitter.next_piece() {
            if let Piece::Frame(envelope) = piece
                && let Ok(frame) = decode(envelope, |_| None, &mut vec![])
            {
                self.heard(&frame, answers);
            }
        }
        splitter.rest();
        Ok(())
    }

    fn heard(&mut self, frame: &Frame<'_>, answers: &mut Vec<Vec<u8>>) {
        let request = frame.request().unwrap_or_default();
        if matches!(frame.cn, 9013 | 9014) {
            let found = self.outstanding.iter().position(|(qn, _)| qn == request);
            if let Some((_, sent)) = found.and_then(|at| self.outstanding.remove(at)) {
                self.stats.acknowledged(sent.elapsed());
            }
        } else if !frame.is_answer() {
            self.stats.commands.fetch_add(1, Relaxed);
            self.obey(frame, request, answers);
        }
    }

    /// Carries out a command of the platform: 9011, data, 9012; 9013 to a notice.
    fn obey(&mut self, frame: &Frame<'_>, request: &str, answers: &mut Vec<Vec<u8>>) {
        if matches!(frame.cn, 2012 | 2022) {
            self.sends_realtime &= frame.cn != 2012;
            answers.push(self.answer(9013, request, ""));
            return;
        }
        let data: Option<Vec<Vec<u8>>> = match frame.cn {
            1011 => {
                let time = format!("SystemTime={}", format_time(self.now()));
                Some(vec![self.message(1011, &time, Some(request), false)])
            }
            1012 => {
                let told = frame
                    .field("SystemTime")
                    .and_then(|t| parse_time(t.as_bytes()));
                let now = self.clock.now();
                told.map(|told| {
                    self.clock_error = told.since(now);
                    vec![]
                })
            }
            1061 => {
                let interval = format!("RtdInterval={}", self.interval.as_secs());
                Some(vec![self.message(1061, &interval, Some(request), false)])
            }
            1062 => number(frame, "RtdInterval", 30..=3600).map(|seconds| {
                self.interval = Duration::from_secs(seconds);
                vec![]
            }),
            1063 => {
                let interval = format!("MinInterval={}", self.minute.as_seconds() / 60.0);
                Some(vec![self.message(1063, &interval, Some(request), false)])
            }
            1064 => number(frame, "MinInterval", 1..=30).map(|minutes| {
                self.minute = Span::minutes(minutes as i64);
                vec![]
            }),
            2011 => {
                self.sends_realtime = true;
                Some(vec![self.realtime(Some(request))])
            }
            2021 => Some(self.states(Some(request)).into_iter().collect()),
            2031 | 2051 | 2061 => self.extract(frame, request),
            2041 | 3011..=3021 => Some(vec![]),
            _ => None,
        };
        let Some(data) = data else {
            answers.push(self.answer(9011, request, "QnRtn=2"));
            return;
        };
        let nothing = matches!(frame.cn, 2031 | 2041 | 2051 | 2061) && data.is_empty();
        answers.push(self.answer(9011, request, "QnRtn=1"));
        answers.extend(data);
        let result = if nothing { "ExeRtn=100" } else { "ExeRtn=1" };
        answers.push(self.answer(9012, request, result));
    }

    /// History between BeginTime and EndTime; `None` when they are missing.
    fn extract(&mut self, frame: &Frame<'_>, request: &str) -> Option<Vec<Vec<u8>>> {
        let moment = |name| {
            frame
                .field(name)
                .and_then(|t: &str| parse_time(t.as_bytes()))
        };
        let (from, to) = (moment("BeginTime")?, moment("EndTime")?);
        let length = match frame.cn {
            2031 => Span::days(1),
            2061 => Span::hours(1),
            _ => self.minute,
        };
        let to = to.min(self.now());
        let mut at = from.floor(length);
        if at < from {
            at = at + length;
        }
        let mut frames = vec![];
        while at + length <= to && frames.len() < EXTRACTED {
            frames.push(self.period(frame.cn, at, length, Some(request), false));
            at = at + length;
        }
        Some(frames)
    }

    /// What the station sends on its first connection.
    fn history(&mut self) -> Vec<Vec<u8>> {
        if self.reported.is_some() {
            return vec![];
        }
        let mut now = self.now();
        if self.about().scenario == Scenario::Offline {
            now = now - Span::hours(2);
        }
        let hour = Span::hours(1);
        let (last_minute, last_hour) = (now.floor(self.minute), now.floor(hour));
        let mut frames = vec![];
        let hours = i64::from(self.options.backfill_hours);
        for n in (1..=hours).rev() {
            frames.push(self.period(2061, last_hour - Span::hours(n), hour, None, true));
        }
        let mut at = (now - MINUTE_HISTORY).floor(self.minute);
        while hours > 0 && at < last_minute {
            frames.push(self.period(2051, at, self.minute, None, true));
            at = at + self.minute;
        }
        self.reported = Some((last_minute, last_hour));
        frames
    }

    /// What is due now.
    fn timetable(&mut self) -> Vec<Vec<u8>> {
        let mut frames = vec![];
        if self.sends_realtime {
            frames.push(self.realtime(None));
        }
        let now = self.now();
        let (minute_end, hour_end) = (now.floor(self.minute), now.floor(Span::hours(1)));
        let (last_minute, last_hour) = self.reported.unwrap_or((minute_end, hour_end));
        if minute_end > last_minute {
            frames.push(self.period(2051, minute_end - self.minute, self.minute, None, false));
            frames.extend(self.states(None));
            if self.about().edition == Edition::E2025 {
                frames.push(self.message(9015, "", None, false));
            }
        }
        if hour_end > last_hour {
            let hour = Span::hours(1);
            frames.push(self.period(2061, hour_end - hour, hour, None, false));
            if hour_end == hour_end.floor(Span::days(1)) {
                let day = Span::days(1);
                frames.push(self.period(2031, hour_end - day, day, None, false));
            }
        }
        // Also after the clock was set back.
        self.reported = Some((minute_end, hour_end));
        frames
    }

    /// The station's own time.
    fn now(&self) -> Time {
        self.clock.now() + self.clock_error
    }

    fn realtime(&mut self, request: Option<&str>) -> Vec<u8> {
        // To the second, as DataTime says it: copies agree to the last digit.
        let at = self.now().floor(Span::seconds(1));
        let station = self.about();
        let value = |p: &SimProperty| pattern::reading(self.options.seed, station, p, at);
        let oxygen = station
            .properties
            .iter()
            .find(|p| p.code == "a19001")
            .map(value);
        let mut cp = format!("DataTime={}", format_time(at));
        for property in &station.properties {
            let (code, value) = (code(station, property), value(property));
            cp += &format!(";{code}-Rtd={value}");
            if let Some(oxygen) = converts(station, property, oxygen) {
                cp += &format!(",{code}-ZsRtd={}", converted(value, oxygen, property));
            }
            cp += &format!(",{code}-Flag=N");
        }
        self.message(2011, &cp, request, false)
    }

    fn period(
        &mut self,
        cn: u16,
        from: Time,
        length: Span,
        request: Option<&str>,
        back_filled: bool,
    ) -> Vec<u8> {
        let station = self.about();
        let seed = self.options.seed;
        let of = |p: &SimProperty| pattern::summary(seed, station, p, from, length);
        let find = |code: &str| station.properties.iter().find(|p| p.code == code).map(of);
        let oxygen = find("a19001").map(|s| s.mean);
        // Cubic metres that flowed in the period: litres per second of water, cubic metres per
        // second of gas.
        let seconds = length.as_seconds();
        let water = find("w00000").map(|s| s.mean * seconds / 1000.0);
        let gas = find("a00000").map(|s| s.mean * seconds);
        let mut cp = format!("DataTime={}", format_time(from));
        for property in &station.properties {
            let code = code(station, property);
            let Summary { min, mean, max } = of(property);
            cp += ";";
            let total = match property.code.as_str() {
                "w00000" => water,
                "a00000" => gas,
                other if !is_pollutant(other) => None,
                other if other.starts_with('w') => water.map(|m3| mean * m3 / 1e3),
                _ => gas.map(|m3| mean * m3 / 1e6),
            };
            if let Some(total) = total {
                cp += &format!("{code}-Cou={},", round(total, 4));
            }
            cp += &format!("{code}-Min={min},{code}-Avg={mean},{code}-Max={max}");
            if let Some(oxygen) = converts(station, property, oxygen) {
                for (name, value) in [("ZsMin", min), ("ZsAvg", mean), ("ZsMax", max)] {
                    cp += &format!(",{code}-{name}={}", converted(value, oxygen, property));
                }
            }
            cp += &format!(",{code}-Flag=N");
        }
        self.message(cn, &cp, request, back_filled)
    }

    /// States of production (SB1) and treatment (SB2), from stations that watch works.
    fn states(&mut self, request: Option<&str>) -> Option<Vec<u8>> {
        let station = self.about();
        if !matches!(station.kind, StationKind::FlueGas | StationKind::WasteWater) {
            return None;
        }
        let treatment = u8::from(station.scenario != Scenario::TreatmentOff);
        let time = format_time(self.now());
        let cp = format!("DataTime={time};SB1-RS=1;SB2-RS={treatment}");
        Some(self.message(2021, &cp, request, false))
    }

    /// A frame that asks for an answer; its request number is remembered until it comes.
    fn message(&mut self, cn: u16, cp: &str, request: Option<&str>, back_filled: bool) -> Vec<u8> {
        let own = match request {
            Some(request) => request.to_owned(),
            None => self.next_request(),
        };
        let station = self.about();
        let frame = Outgoing {
            qn: &own,
            st: &station.st,
            cn,
            pw: "123456",
            mn: &station.mn,
            edition: station.edition,
            answer: true,
            back_filled,
            cp,
            check: Check::Standard,
        }
        .bytes();
        self.stats.frames_sent.fetch_add(1, Relaxed);
        if self.outstanding.len() >= OUTSTANDING {
            self.outstanding.pop_front();
        }
        self.outstanding.push_back((own, Instant::now()));
        frame
    }

    fn answer(&self, cn: u16, request: &str, result: &str) -> Vec<u8> {
        let station = self.about();
        let old = station.edition == Edition::E2005;
        let cp = match (old, result.is_empty()) {
            (true, true) => format!("QN={request}"),
            (true, false) => format!("QN={request};{result}"),
            (false, _) => result.to_owned(),
        };
        Outgoing {
            qn: request,
            st: "91",
            cn,
            pw: "123456",
            mn: &station.mn,
            edition: station.edition,
            answer: false,
            back_filled: false,
            cp: &cp,
            check: Check::Standard,
        }
        .bytes()
    }

    fn next_request(&mut self) -> String {
        self.last_request_ms = (self.now().0 / 1000).max(self.last_request_ms + 1);
        format_millis(Time(self.last_request_ms * 1000))
    }
}

/// The code a station of its edition sends.
fn code<'a>(station: &SimStation, property: &'a SimProperty) -> &'a str {
    let old = (station.edition == Edition::E2005)
        .then(|| vocabulary::factor(&property.code))
        .flatten()
        .map(|factor| factor.old_code)
        .filter(|code| !code.is_empty());
    old.unwrap_or(&property.code)
}

/// Oxygen by which a flue gas concentration is converted, when it is one.
fn converts(station: &SimStation, property: &SimProperty, oxygen: Option<f64>) -> Option<f64> {
    let flue = station.kind == StationKind::FlueGas && is_pollutant(&property.code);
    oxygen.filter(|_| flue)
}

/// Concentration at 6 % oxygen (HJ 212-2017, appendix D).
fn converted(value: f64, oxygen: f64, property: &SimProperty) -> f64 {
    let factor = (21.0 - 6.0) / (21.0 - oxygen.min(20.0));
    round(value * factor, pattern::digits(property))
}

fn number(frame: &Frame<'_>, name: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
    let number = frame.field(name)?.parse().ok()?;
    range.contains(&number).then_some(number)
}

/// Counts a station as connected while it lives.
struct Present(Arc<Stats>);

impl Present {
    fn new(stats: Arc<Stats>) -> Present {
        stats.connected.fetch_add(1, Relaxed);
        Present(stats)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Relaxed);
    }
}
