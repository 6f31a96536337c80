//! Disaster: the city is killed with -9 under load and its data folder removed; from the backup it
//! is restored to a moment before, and to the newest. What was acknowledged before the moment is
//! there, what was sent after it is not.

use crate::program::{Place, Station, device};
use kernel::time::SECOND;
use kernel::{Clock, Span, SystemClock, Time};
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A frame: when it was sent and when its acknowledgement came.
#[derive(Clone, Copy)]
struct Frame {
    sent: Time,
    acknowledged: Time,
}

struct Load {
    frames: Arc<Mutex<Vec<Frame>>>,
    task: tokio::task::JoinHandle<()>,
}

/// One station that reports as fast as it is answered; its n-th frame carries the n-th second.
async fn load(gateway: std::net::SocketAddr, mn: &str, begin: Time) -> Load {
    let mut station = Station::connect(gateway, "31", mn).await;
    let frames: Arc<Mutex<Vec<Frame>>> = Arc::default();
    let noted = frames.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let task = tokio::spawn(async move {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            let sent = SystemClock.now();
            let fields = format!("a21026-Rtd={number}.5,a21026-Flag=N");
            station.report(begin + Span::seconds(number), &fields).await;
            let acknowledged = SystemClock.now();
            noted
                .lock()
                .expect("frames")
                .push(Frame { sent, acknowledged });
            number += 1;
        }
    });
    Load { frames, task }
}

/// Numbers of the frames a city has.
async fn numbers(place: &Place, mn: &str, begin: Time, count: usize) -> Vec<usize> {
    let program = place.serve().await;
    let end = begin + Span::seconds(count as i64 + 10);
    let values = program.values(mn, "a21026", begin, end).await;
    values
        .iter()
        .map(|(time, _)| ((time.0 - begin.0) / SECOND) as usize)
        .collect()
}

fn check(had: &[usize], frames: &[Frame], moment: Time, what: &str) {
    let expected = frames.iter().filter(|f| f.acknowledged <= moment).count();
    assert!(
        had.len() >= expected && had[..expected].iter().copied().eq(0..expected),
        "{what}: {} of {expected} acknowledged before the moment are there",
        had.len()
    );
    let allowed = frames.iter().filter(|f| f.sent <= moment).count();
    assert!(
        had.len() <= allowed,
        "{what}: {} frames, but only {allowed} were sent by then",
        had.len()
    );
    println!(
        "{what}: {expected} acknowledged before, {} restored",
        had.len()
    );
}

fn restore(folder: &Path, name: &str, how: &[&str], key: &Path) -> Place {
    let into = folder.join(name);
    std::fs::create_dir_all(&into).expect("a folder");
    // What its keepers brought along.
    std::fs::copy(key, into.join("master.key")).expect("the master key");
    let place = Place::bare(&into, &[]);
    let repository = folder.join("repository").display().to_string();
    let mut words = vec!["restore", "--from", &repository];
    words.extend(how);
    let begun = Instant::now();
    let (done, said, fault) = place.command(&words);
    assert!(done, "{said}{fault}");
    println!("restore {how:?} took {:?}\n{said}", begun.elapsed());
    let (again, _, fault) = place.command(&words);
    assert!(!again && fault.contains("input.conflict"), "{fault}");
    place
}

/// Under load for this long; `JICHENG_DISASTER_S=90` for the long run.
fn load_time() -> Duration {
    let seconds = std::env::var("JICHENG_DISASTER_S").ok();
    let seconds = seconds.and_then(|s| s.parse().ok());
    Duration::from_secs(seconds.unwrap_or(8))
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_disaster_the_city_is_restored_to_a_moment_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = folder.path().join("repository").display().to_string();
    let settings = [
        format!("backup_folder={repository}"),
        "backup_interval_s=1".into(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let place = Place::new(&folder.path().join("city"), &settings);
    let program = place.serve().await;
    let key = folder.path().join("escrowed.key");
    std::fs::copy(place.data().join("master.key"), &key).expect("the master key");
    let (mn, begin) = (
        device("31", 1),
        Time(SystemClock.now().0 / SECOND * SECOND) - Span::hours(20),
    );
    let load = load(program.gateway, &mn, begin).await;
    tokio::time::sleep(load_time()).await;
    let backups = program.get("/api/v1/operator/backups").await;
    assert_eq!(backups["late"], false, "{backups}");
    assert!(
        backups["repository"]["base_count"].as_u64() >= Some(1),
        "{backups}"
    );

    // The disaster.
    drop(program);
    let disaster = SystemClock.now();
    std::fs::remove_dir_all(place.data()).expect("the data are gone");
    load.task.abort();
    let frames = load.frames.lock().expect("frames").clone();
    assert!(frames.len() > 100, "{} frames", frames.len());

    // To a moment before.
    let back = load_time().mul_f64(0.6).min(Duration::from_secs(60));
    let moment = Time(disaster.0 - back.as_micros() as i64);
    let at = moment.rfc3339();
    // Written to the second, so the moment is that second.
    let moment = Time::parse(&at).expect("a moment");
    let city = restore(folder.path(), "at", &["--at", &at], &key).with_token_of(&place);
    let had = numbers(&city, &mn, begin, frames.len()).await;
    check(&had, &frames, moment, "at the moment");
    let (whole, said, fault) = city.command(&["audit", "verify"]);
    assert!(whole, "{said}{fault}");
    let program = city.serve().await;
    let log = program.get("/api/v1/operator/audit?verb=restore").await;
    let entry = &log["items"][0];
    assert_eq!(entry["object"], "backups", "{log}");
    assert_eq!(entry["details"]["from"], Value::from(repository.as_str()));
    drop(program);

    // To the newest: what was acknowledged by when the repository was last complete.
    let city = restore(folder.path(), "latest", &["--latest"], &key).with_token_of(&place);
    let had = numbers(&city, &mn, begin, frames.len()).await;
    let lost = frames.len() - had.len();
    let last = had.last().map_or(disaster, |n| frames[*n].acknowledged);
    let rpo = disaster.since(last).as_seconds();
    println!(
        "latest: {} of {} acknowledged restored, {lost} lost, recovery point {rpo:.2} s",
        had.len(),
        frames.len()
    );
    check(&had, &frames, last, "the newest");
    assert!(
        rpo < 5.0,
        "the interval is one second, the recovery point {rpo} s"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_finds_a_sound_backup_sound_and_a_broken_one_broken() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = folder.path().join("repository");
    let setting = format!("backup_folder={}", repository.display());
    let place = Place::new(
        &folder.path().join("city"),
        &[&setting, "backup_interval_s=1"],
    );
    let program = place.serve().await;
    let answer = program
        .call("POST", "/api/v1/operator/jobs/backup_base/run", None)
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let begun = Instant::now();
    loop {
        let backups = program.get("/api/v1/operator/backups").await;
        if backups["repository"]["base_count"].as_u64() >= Some(1) && backups["doing"].is_null() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{backups}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (done, said, fault) = place.command(&["drill"]);
    assert!(done, "{said}{fault}");
    let outcome: Value = serde_json::from_str(&said).expect("the outcome");
    assert_eq!(outcome["ok"], true);
    assert!(outcome["tables"].as_u64() > Some(10), "{outcome}");
    let drills = program.get("/api/v1/operator/backups/drills").await;
    assert_eq!(drills["total"], 1, "{drills}");
    let (done, said, fault) = place.command(&["backup", "verify"]);
    assert!(done, "{said}{fault}");
    let second = folder.path().join("second").display().to_string();
    let (done, said, fault) = place.command(&["backup", "copy", "--to", &second]);
    assert!(done, "{said}{fault}");

    let base = repository.join("bases/00000001.base");
    let mut bytes = std::fs::read(&base).expect("the base");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&base, bytes).expect("the base");
    let (done, said, fault) = place.command(&["backup", "verify"]);
    assert!(!done && fault.contains("00000001.base"), "{said}{fault}");
    let (done, said, fault) = place.command(&["backup", "verify", "--from", &second]);
    assert!(done, "{said}{fault}");
    let answer = program.get("/api/v1/operator/health").await;
    assert_eq!(answer["backup"]["on"], true, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_sealed_and_opens_with_the_master_key_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new(&folder.path().join("city"), &[]);
    let file = folder.path().join("copy.jicheng");
    let name = file.display().to_string();
    let (done, said, fault) = place.command(&["backup", &name]);
    assert!(done, "{said}{fault}");
    let bytes = std::fs::read(&file).expect("the archive");
    assert!(bytes.starts_with(b"JCHBAK1\n"));
    let copy = Place::bare(&folder.path().join("copy"), &[]);
    let (done, _, fault) = copy.command(&["restore", &name]);
    assert!(!done && fault.contains("crypto.master_key"), "{fault}");
    assert!(!copy.data().join("jicheng.db").exists());
    copy.take_master_key_of(&place);
    let (done, said, fault) = copy.command(&["restore", &name]);
    assert!(done, "{said}{fault}");
    let (done, said, fault) = copy.command(&["audit", "verify"]);
    assert!(done, "{said}{fault}");
}
