//! Everything is bounded: thousands of connections, senders that are silent or slow, floods of
//! garbage, more requests than there is room for, a full disk. What cannot be taken is refused
//! aloud; what was acknowledged is kept.

use crate::program::{PATIENCE, Place, Program, Station, device, real_time, until};
use kernel::time::SECOND;
use kernel::{Clock, Span, SystemClock, Time};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

fn now() -> Time {
    Time(SystemClock.now().0 / SECOND * SECOND)
}

/// Files this process may open.
fn handles() -> usize {
    let text = std::fs::read_to_string("/proc/self/limits").expect("limits");
    let line = text.lines().find(|l| l.starts_with("Max open files"));
    let soft = line.and_then(|l| l.split_whitespace().nth(3));
    soft.and_then(|n| n.parse().ok()).unwrap_or(1024)
}

/// Runs this test again in a process that may open as many files as the machine allows; true when
/// that was done.
fn ran_with_more_handles(test: &str, wanted: usize) -> bool {
    const MARK: &str = "TEST_WITH_MORE_HANDLES";
    if handles() >= wanted || std::env::var_os(MARK).is_some() {
        return false;
    }
    let done = Command::new("sh")
        .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().expect("this program"))
        .args([test, "--exact", "--nocapture"])
        .env(MARK, "1")
        .status();
    assert!(
        done.is_ok_and(|s| s.success()),
        "{test} failed in its own process"
    );
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_at_once_are_all_answered() {
    let test = "limits::ten_thousand_connections_at_once_are_all_answered";
    if ran_with_more_handles(test, 10_300) {
        return;
    }
    let wanted = 10_000.min(handles() - 300);
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new(folder.path(), &[&format!("hj212_max_connections={wanted}")]);
    let program = place.serve().await;
    let (before, begun, time) = (program.memory_kib(), Instant::now(), now());
    // Not more than the queue of the listening socket holds come at the same instant.
    let door = Arc::new(Semaphore::new(256));
    let gateway = program.gateway;
    let stations: Vec<_> = (0..wanted)
        .map(|number| {
            let door = door.clone();
            tokio::spawn(async move {
                let turn = door.acquire().await.expect("a turn");
                let mut station = Station::connect(gateway, "31", &device("31", number)).await;
                let fields = format!("a21026-Rtd={number},a21026-Flag=N");
                station.report(time, &fields).await;
                drop(turn);
                station
            })
        })
        .collect();
    let mut open = vec![];
    for station in stations {
        open.push(station.await.expect("an acknowledgement"));
    }
    let came = begun.elapsed();
    // One more is turned away and counted, and nobody else notices.
    let mut late = TcpStream::connect(gateway).await.expect("the gateway");
    let mut nothing = [0; 1];
    let end = tokio::time::timeout(PATIENCE, late.read(&mut nothing)).await;
    assert!(matches!(end, Ok(Ok(0) | Err(_))), "{end:?}");
    assert_eq!(program.counter("/connections_refused").await, 1);
    // All speak a second time, at the same time.
    let (begun, time) = (Instant::now(), time + Span::seconds(30));
    for station in &mut open {
        let frame = station.frame(time, "a21026-Rtd=1,a21026-Flag=N");
        station.send(&frame).await;
    }
    for station in &mut open {
        station.acknowledged(time).await;
    }
    let spoke = begun.elapsed();
    let page = program.get("/api/v1/operator/connections").await;
    assert_eq!(page["total"], wanted);
    assert_eq!(program.counter("/values_stored").await, 2 * wanted as u64);
    let memory = program.memory_kib();
    println!(
        "{wanted} connections: all answered after {came:.1?}, again after {spoke:.1?}; \
         memory {before} → {memory} KiB"
    );
    assert!(memory < 300 * 1024, "{memory} KiB for {wanted} connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_and_slow_senders_harm_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new(folder.path(), &["hj212_idle_s=2"]);
    let program = place.serve().await;
    let mut silent = vec![];
    for number in 0..100 {
        let mut stream = TcpStream::connect(program.gateway)
            .await
            .expect("the gateway");
        // Half of them stop in the middle of a frame.
        if number % 2 == 0 {
            stream
                .write_all(b"##0123QN=2025")
                .await
                .expect("the connection");
        }
        silent.push(stream);
    }
    let mut slow = Station::connect(program.gateway, "31", &device("31", 1)).await;
    let time = now();
    let frame = slow.frame(time, "a21026-Rtd=1.5,a21026-Flag=N");
    let begun = Instant::now();
    for (number, byte) in frame.iter().enumerate() {
        slow.send(&[*byte]).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        if number == frame.len() / 2 {
            let mut quick = Station::connect(program.gateway, "31", &device("31", 2)).await;
            let begun = Instant::now();
            quick.report(time, "a21026-Rtd=2.5,a21026-Flag=N").await;
            println!(
                "beside 100 silent ones, answered after {:?}",
                begun.elapsed()
            );
        }
    }
    slow.acknowledged(time).await;
    assert!(
        begun.elapsed() > Duration::from_secs(2),
        "slower than the idle time"
    );
    for (number, mut stream) in silent.into_iter().enumerate() {
        let mut rest = vec![];
        let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "silent connection {number} stays open");
        assert!(rest.is_empty());
    }
    until("the silent ones are counted", PATIENCE, async || {
        (program.counter("/closed/idle").await >= 100).then_some(())
    })
    .await;
    let (from, to) = (time - Span::seconds(1), time + Span::seconds(1));
    let values = program.values(&device("31", 1), "a21026", from, to).await;
    assert_eq!(values, [(time, 1.5)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_do_not_grow_the_memory() {
    const MEGABYTES: usize = 8;
    let folder = tempfile::tempdir().expect("a folder");
    let program = Place::new(folder.path(), &["hj212_frames_per_s=0"])
        .serve()
        .await;
    let before = program.memory_kib();
    let begun = Instant::now();
    // One line without an end, lines that are no frames, frames with a wrong check value, and
    // right frames whose answers nobody reads.
    let time = now();
    let endless = vec![b'#'; 1 << 20];
    let lines = [&[b'x'; 200][..], b"\r\n"].concat().repeat((1 << 20) / 202);
    let mut bad = real_time("31", &device("31", 1), time, "a21026-Rtd=1,a21026-Flag=N");
    let check = bad.len() - 4;
    bad[check] = if bad[check] == b'0' { b'1' } else { b'0' };
    let bad = bad.repeat((1 << 20) / bad.len());
    let good = real_time("31", &device("31", 2), time, "a21026-Rtd=1,a21026-Flag=N");
    let good = good.repeat((1 << 20) / good.len());
    let floods = [endless, lines, bad, good].map(|flood| {
        let gateway = program.gateway;
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(gateway).await.expect("the gateway");
            for _ in 0..MEGABYTES {
                // A reader of answers that does not read is paused, then cut off.
                let sent = tokio::time::timeout(PATIENCE, stream.write_all(&flood)).await;
                if !matches!(sent, Ok(Ok(()))) {
                    break;
                }
            }
            stream
        })
    });
    let mut highest = before;
    while !floods.iter().all(|f| f.is_finished()) {
        highest = highest.max(program.memory_kib());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut station = Station::connect(program.gateway, "31", &device("31", 3)).await;
    station.report(time, "a21026-Rtd=3,a21026-Flag=N").await;
    highest = highest.max(program.memory_kib());
    println!(
        "floods of {MEGABYTES} MiB ×4 in {:.1?}: memory {before} → at most {highest} KiB",
        begun.elapsed()
    );
    assert!(
        highest < before + 128 * 1024,
        "memory grew from {before} to {highest} KiB"
    );
    assert!(program.counter("/rejected/too_long").await >= 1);
    assert!(program.counter("/not_frames").await > 10_000);
    assert!(program.counter("/rejected/crc").await > 10_000);
    let kept = program.get("/api/v1/frames/rejected?limit=1000").await;
    assert_eq!(kept["items"].as_array().map(Vec::len), Some(1000));
}

/// A batch whose body does not come to its end: it holds its room among the requests in work.
async fn hesitating(program: &Program, line: &str) -> TcpStream {
    let mut stream = TcpStream::connect(program.http).await.expect("the web");
    let head = format!(
        "POST /api/v1/observations HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         authorization: Bearer {}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n",
        program.token(),
        line.len()
    );
    stream.write_all(head.as_bytes()).await.expect("write");
    stream
        .write_all(&line.as_bytes()[..5])
        .await
        .expect("write");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn more_requests_than_room_are_refused_and_those_taken_are_answered() {
    const ROOM: usize = 4;
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new(folder.path(), &[&format!("max_requests={ROOM}")]);
    let program = place.serve().await;
    let begin = Time(1_764_000_000 * SECOND);
    let line = |n: usize| format!("T{n:03},period=real_time a21026={n} {}\n", begin.0 / 1000);
    // One after the other, because a question of ours may take the room of one of them.
    let mut waiting = vec![];
    let refused = until("the program is full", PATIENCE, async || {
        waiting.push(hesitating(&program, &line(waiting.len())).await);
        let answer = program.post_lines(&line(100)).await;
        (answer.status != 200).then_some(answer)
    });
    let refused = refused.await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(refused.json()["code"], "system.overloaded");
    assert!(
        refused
            .header("retry-after")
            .is_some_and(|s| s.parse::<u32>().is_ok())
    );
    for number in 200..230 {
        assert_eq!(program.post_lines(&line(number)).await.status, 503);
    }
    let (to, mut taken) = (begin + Span::seconds(1), 0);
    for (number, stream) in waiting.iter_mut().enumerate() {
        // One that was refused may have lost its connection.
        let _ = stream.write_all(&line(number).as_bytes()[5..]).await;
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        let values = program
            .values(&format!("T{number:03}"), "a21026", begin, to)
            .await;
        if answer.starts_with("HTTP/1.1 200") {
            assert!(answer.contains("\"stored\":1"), "{answer}");
            assert_eq!(values, [(begin, number as f64)]);
            taken += 1;
        } else {
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 503"),
                "{answer}"
            );
            assert!(values.is_empty(), "a refused batch was stored");
        }
    }
    assert_eq!(taken, ROOM);
    for number in 200..230 {
        let values = program
            .values(&format!("T{number:03}"), "a21026", begin, to)
            .await;
        assert!(values.is_empty(), "a refused batch was stored");
    }
}

/// A small disk of our own.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, megabytes: usize) -> Option<Disk> {
        let size = format!("size={megabytes}m");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(at)
            .output();
        done.is_ok_and(|o| o.status.success())
            .then(|| Disk(at.to_path_buf()))
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.0.join("ballast")).expect("ballast");
        for size in [1 << 20, 4096, 512] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).expect("ballast");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Sends frames for these seconds one by one; how many were acknowledged before `limit` of silence.
async fn feed(
    station: &mut Station,
    begin: Time,
    numbers: std::ops::Range<i64>,
    limit: Duration,
) -> i64 {
    for number in numbers.clone() {
        let fields = format!(
            "a21026-Rtd={number},a21026-Flag=N;a34013-Rtd={}.5,a34013-Flag=N",
            number * 7919
        );
        let frame = station.frame(begin + Span::seconds(number), &fields);
        station.send(&frame).await;
        let Some(line) = station.line(limit).await else {
            return number - numbers.start;
        };
        assert!(line.contains("CN=9014"), "{line}");
    }
    numbers.end - numbers.start
}

/// Every frame up to `acknowledged` is there, once.
async fn check(program: &Program, mn: &str, begin: Time, acknowledged: i64) {
    let values = program
        .values(mn, "a21026", begin, begin + Span::hours(20))
        .await;
    let kept: std::collections::BTreeMap<i64, f64> = values
        .iter()
        .map(|(t, v)| ((t.0 - begin.0) / SECOND, *v))
        .collect();
    assert_eq!(kept.len(), values.len(), "doubled");
    for number in 0..acknowledged {
        assert_eq!(
            kept.get(&number),
            Some(&(number as f64)),
            "frame {number} was acknowledged"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_and_is_overcome() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    let Some(disk) = Disk::mount(&data, 24) else {
        eprintln!("skipped: no tmpfs may be mounted here");
        return;
    };
    let place = Place::new(&data, &[]);
    let program = place.serve().await;
    let (begin, mn) = (now() - Span::hours(20), device("31", 7));
    let mut station = Station::connect(program.gateway, "31", &mn).await;
    assert_eq!(feed(&mut station, begin, 0..200, PATIENCE).await, 200);

    disk.fill();
    // What fits into pages that are there already is still acknowledged; then there is silence.
    let silence = Duration::from_secs(1);
    let more = feed(&mut station, begin, 200..60_000, silence).await;
    let last = 200 + more;
    let line = format!("T1,period=real_time a21026=1 {}\n", begin.0 / 1000);
    let refused = program.post_lines(&line).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(
        refused.json()["code"],
        "store.disk_full",
        "{}",
        refused.text
    );
    assert!(refused.header("retry-after").is_some());
    assert_eq!(program.call("GET", "/health", None).await.status, 200);
    let ready = program.call("GET", "/ready", None).await;
    assert_eq!(
        (ready.status, &ready.json()["code"]),
        (503, &Value::from("store.disk_full"))
    );
    // Reading goes on.
    check(&program, &mn, begin, last).await;

    // With room again the frame that waited is acknowledged, and everything goes on by itself.
    disk.free();
    station.acknowledged(begin + Span::seconds(last)).await;
    assert_eq!(
        feed(&mut station, begin, last + 1..last + 100, PATIENCE).await,
        99
    );
    assert_eq!(program.call("GET", "/ready", None).await.status, 200);
    check(&program, &mn, begin, last + 100).await;

    // Full again and killed: after a restart with room, everything acknowledged is there.
    disk.fill();
    let again = last + 100;
    let more = feed(&mut station, begin, again..60_000, silence).await;
    program.kill();
    disk.free();
    let program = place.serve().await;
    check(&program, &mn, begin, again + more).await;
    let mut station = Station::connect(program.gateway, "31", &mn).await;
    assert_eq!(
        feed(&mut station, begin, 60_000..60_050, PATIENCE).await,
        50
    );
    println!(
        "disk full after {last} frames, again after {}",
        again + more
    );
    // Full, and asked to stop while a frame waits for room: it ends in time.
    disk.fill();
    feed(&mut station, begin, 60_050..71_000, silence).await;
    let (took, status) = program.terminate().await;
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(10), "it took {took:?} to stop");
    disk.free();
    let (done, said, fault) = place.command(&["audit", "verify"]);
    assert!(done, "{said}{fault}");
}
