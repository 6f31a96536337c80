//! Simulated stations against the real server.

use crate::fakes::{FakeObservations, Town, town};
use hj212::codec::Edition;
use hj212::simulator::{Options, Scenario, SimProperty, SimStation, StationKind, Stats, run};
use hj212::{Config, Server};
use kernel::devices::{Command, CommandState, Gateway};
use kernel::{Clock, Span, SystemClock, Time};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

fn station(mn: &str, edition: Edition, kind: StationKind, scenario: Scenario) -> SimStation {
    let (st, codes): (&str, &[(&str, f64)]) = match kind {
        StationKind::Air => (
            "22",
            &[("a34004", 60.0), ("a05024", 80.0), ("a21004", 40.0)],
        ),
        StationKind::FlueGas => ("31", &[("a21026", 25.0), ("a19001", 8.0), ("a00000", 60.0)]),
        StationKind::WasteWater => ("32", &[("w01018", 40.0), ("w00000", 20.0)]),
        StationKind::Noise => ("23", &[("LA", 55.0)]),
        StationKind::Energy => (
            "44",
            &[("e_power_production", 90.0), ("e_power_treatment", 0.5)],
        ),
    };
    let property = |(code, base): &(&str, f64)| SimProperty {
        code: (*code).into(),
        base: *base,
        amplitude: base * 0.3,
        noise: base * 0.02,
    };
    SimStation {
        mn: mn.into(),
        st: st.into(),
        edition,
        kind,
        properties: codes.iter().map(property).collect(),
        scenario,
    }
}

struct Running {
    town: Town,
    server: Arc<Server>,
    stats: Arc<Stats>,
    stop: watch::Sender<bool>,
}

async fn begin(stations: Vec<SimStation>, interval: Duration, backfill_hours: u32) -> Running {
    let town = town();
    let config = Config {
        listen: "127.0.0.1:0".into(),
        ..Config::default()
    };
    let server = Server::start(town.city.clone(), config).await.unwrap();
    let options = Options {
        to: server.local_addr(),
        stations,
        interval,
        minute_interval_min: 10,
        backfill_hours,
        seed: 7,
        connects_per_s: 2_000,
    };
    let stats = Arc::new(Stats::default());
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(run(Arc::new(SystemClock), options, stats.clone(), stopped));
    Running {
        town,
        server,
        stats,
        stop,
    }
}

async fn until(what: &str, test: impl Fn() -> bool) {
    for _ in 0..1000 {
        if test() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain: {what}");
}

/// The stored real-time values of a thing and property, in order of time.
fn course(observations: &FakeObservations, thing: &str, property: &str) -> Vec<(Time, f64)> {
    use kernel::observations::Observations;
    let Some(id) = observations.find_thing(thing) else {
        return vec![];
    };
    let values = observations.values.lock();
    let of_property = |column: u32| {
        let meaning = observations
            .column_meaning(kernel::observations::ColumnId(column))
            .unwrap();
        &*meaning.property == property
    };
    let mut course: Vec<(Time, f64)> = values
        .iter()
        .filter(|((t, period, _, column), _)| *t == id.0 && *period == 0 && of_property(*column))
        .map(|((_, _, time, _), value)| (Time(*time), *value))
        .collect();
    course.sort_by_key(|(time, _)| *time);
    course
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_edition_and_scenario_is_understood() {
    use {Edition::*, Scenario::*, StationKind::*};
    let stations = vec![
        station("KNOWN_AIR", E2017, Air, Normal),
        station("COPY", E2017, Air, CopyOf("KNOWN_AIR".into())),
        station("FLUE2005", E2005, FlueGas, Exceeding),
        station("FLUE2025", E2025, FlueGas, TreatmentOff),
        station("WATER2005", E2005, WasteWater, Constant),
        station("NOISE", E2017, Noise, Normal),
        station("ENERGY", E2025, Energy, Normal),
        station("GONE", E2017, WasteWater, Offline),
        station("CLOCK", E2017, WasteWater, WrongClock),
    ];
    let running = begin(stations, Duration::from_millis(1100), 5).await;
    let observations = &running.town.observations;
    until("three readings", || {
        ["KNOWN_AIR", "COPY"]
            .iter()
            .all(|mn| course(observations, mn, "a34004").len() >= 3)
    })
    .await;
    let stats = || running.stats.snapshot();
    // A frame sent in this very moment may not have its answer yet.
    until("every frame answered", || {
        stats().acknowledged == stats().frames_sent
    })
    .await;
    let (stats, counters) = (stats(), running.server.counters());
    assert_eq!((stats.connected, stats.connects, stats.failures), (8, 9, 0));
    assert_eq!(
        (
            counters.rejected.len(),
            counters.not_frames,
            counters.non_numeric
        ),
        (0, 0, 0)
    );
    assert!(
        stats.p50_ms > 0.0
            && stats.p50_ms <= stats.p99_ms
            && stats.p99_ms <= stats.longest_ms * 1.2
    );
    let hour = SystemClock.now().floor(Span::hours(1));
    let hourly = |mn: &str, kind: &str, property: &str, n: i64| {
        let time = (hour - Span::hours(n)).rfc3339();
        observations.value(mn, kind, property, &time)
    };
    for mn in ["KNOWN_AIR", "COPY"] {
        assert!(hourly(mn, "hour.mean", "a34004", 5).is_some(), "{mn}");
        assert_eq!(hourly(mn, "hour.mean", "a34004", 6), None);
    }
    assert_eq!(
        hourly("KNOWN_AIR", "hour.max", "a05024", 2),
        hourly("COPY", "hour.max", "a05024", 2)
    );
    assert!(
        hourly("FLUE2005", "hour.mean.converted", "a21026", 1).unwrap() > 40.0,
        "too high"
    );
    assert!(hourly("FLUE2025", "hour.total", "a00000", 1).unwrap() > 100_000.0);
    assert!(hourly("GONE", "hour.mean", "w01018", 3).is_some());
    assert_eq!(hourly("GONE", "hour.mean", "w01018", 1), None);
    assert_eq!(course(observations, "GONE", "w01018"), []);
    let still = course(observations, "WATER2005", "w01018");
    assert!(still.len() >= 2 && still.iter().all(|(_, value)| *value == still[0].1));
    let (a, b) = (
        course(observations, "KNOWN_AIR", "a34004"),
        course(observations, "COPY", "a34004"),
    );
    assert!(a[0].1 != a[1].1 || a[1].1 != a[2].1, "values move");
    for (time, value) in &a {
        let same = b.iter().find(|(other, _)| other == time);
        assert!(
            same.is_none_or(|(_, copied)| copied == value),
            "copied at {time}"
        );
    }
    assert!(course(observations, "CLOCK", "w01018")[0].0 < Time::parse("2000-02-03").unwrap());
    let power = hourly("ENERGY", "hour.mean", "e_power_treatment", 1).unwrap();
    assert!(
        (0.2..0.9).contains(&power) && power != power.round(),
        "{power}"
    );
    running.stop.send(true).unwrap();
    running.server.stop().await;
    let devices = running.town.devices.devices.lock();
    assert_eq!(devices["FLUE2005"].edition, "2005");
    assert_eq!(devices["FLUE2025"].edition, "2025");
    assert_eq!(devices["CLOCK"].notes["clock_wrong"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stations_obey_commands() {
    let stations = vec![
        station(
            "A",
            Edition::E2017,
            StationKind::WasteWater,
            Scenario::WrongClock,
        ),
        station(
            "B",
            Edition::E2005,
            StationKind::FlueGas,
            Scenario::TreatmentOff,
        ),
    ];
    let running = begin(stations, Duration::from_secs(1), 0).await;
    until("both known", || running.server.counters().devices == 2).await;
    let now = SystemClock.now();
    let period = serde_json::json!({
        "from": (now - Span::hours(4)).rfc3339(), "to": (now - Span::hours(1)).rfc3339(),
    });
    let none = serde_json::json!({});
    let orders = [
        ("A", "set_time", none.clone(), CommandState::Done),
        ("A", "read_time", none.clone(), CommandState::Done),
        ("A", "extract_hour", period.clone(), CommandState::Done),
        ("B", "extract_minute", period.clone(), CommandState::Done),
        (
            "A",
            "set_minute_interval",
            serde_json::json!({"interval_min": 5}),
            CommandState::Done,
        ),
        (
            "B",
            "set_realtime_interval",
            serde_json::json!({"interval_s": 30}),
            CommandState::Done,
        ),
        ("B", "device_states", none.clone(), CommandState::Done),
        ("B", "start_realtime", none.clone(), CommandState::Done),
        ("B", "stop_realtime", none.clone(), CommandState::Done),
        ("A", "extract_running_time", period, CommandState::Failed),
        (
            "A",
            "sample_now",
            serde_json::json!({"factor": "w01018"}),
            CommandState::Done,
        ),
    ];
    for (thing, name, parameters, expect) in orders {
        let id = format!("{thing}{name}");
        let command = Command {
            id: id.clone(),
            thing: thing.into(),
            name: name.into(),
            parameters: parameters.as_object().unwrap().clone(),
            ..Command::default()
        };
        running.server.send(command).await.unwrap();
        let state = || running.town.devices.command(&id).map(|c| c.state);
        until(name, || {
            matches!(state(), Some(CommandState::Done | CommandState::Failed))
        })
        .await;
        assert_eq!(state(), Some(expect), "{name}");
    }
    let observations = &running.town.observations;
    let time = (now - Span::hours(2)).floor(Span::hours(1)).rfc3339();
    assert!(
        observations
            .value("A", "hour.mean", "w01018", &time)
            .is_some()
    );
    assert!(
        observations
            .value("B", "minute.mean", "a21026", &time)
            .is_some()
    );
    assert_eq!(
        course(observations, "B", "SB2").last().map(|p| p.1),
        Some(0.0)
    );
    assert_eq!(
        course(observations, "B", "SB1").last().map(|p| p.1),
        Some(1.0)
    );
}

async fn crowd(count: usize, seconds: u64, interval: Duration) {
    let station = |n| {
        station(
            &format!("S{n:05}"),
            Edition::E2017,
            StationKind::Air,
            Scenario::Normal,
        )
    };
    let running = begin((0..count).map(station).collect(), interval, 0).await;
    until("all are there", || {
        running.stats.snapshot().connected == count as u64
    })
    .await;
    running.stats.restart_latency();
    sleep(Duration::from_secs(seconds)).await;
    let stats = running.stats.snapshot();
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = memory
        .lines()
        .find(|l| l.starts_with("VmRSS"))
        .unwrap_or_default();
    println!("{count} stations: {stats:?} {memory}");
    assert_eq!(stats.failures, 0);
    until("every frame answered", || {
        let stats = running.stats.snapshot();
        stats.frames_sent.abs_diff(stats.acknowledged) < count as u64 / 10
    })
    .await;
    running.stop.send(true).unwrap();
    running.server.stop().await;
    assert_eq!(running.server.open_connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_at_once() {
    crowd(500, 2, Duration::from_secs(1)).await;
}

/// For measuring: `cargo test --release -p hj212 five_thousand -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes half a minute and ten thousand file handles"]
async fn five_thousand_at_once() {
    crowd(5000, 35, Duration::from_secs(30)).await;
}
