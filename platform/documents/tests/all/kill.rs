//! Killed at any moment: what was acknowledged is whole afterwards, numbers have no gaps, and what
//! broke off is finished or swept away.

use super::*;
use kernel::documents::{Documents, PdfVerdict};
use kernel::{Clock, Span};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use testkit::each_address;

const ADDRESS: &str = "DOCUMENTS_TEST_ADDRESS";
const FIRST: &str = "DOCUMENTS_TEST_FIRST";

fn keys() -> Arc<dyn Crypto> {
    Arc::new(testkit::FakeCrypto::default())
}

fn bytes(n: usize) -> Vec<u8> {
    pdf(1, &format!("% {n} {}\n", "z".repeat(n % 3 * 600_000)))
}

/// Puts files and writes letters until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below"]
async fn child_works_until_killed() {
    let Ok(address) = std::env::var(ADDRESS) else {
        return;
    };
    let first: usize = std::env::var(FIRST).unwrap().parse().unwrap();
    let store = Store::open(&address).await.unwrap();
    let house = house_with(&store, clock(), keys(), None, settings()).await;
    let said = |line: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}").unwrap();
        out.flush().unwrap();
    };
    let engine = house.engine.clone();
    let files = tokio::spawn(async move {
        for n in first.. {
            let new = file("draft/1", "deed", "a.pdf", bytes(n));
            let info = engine.put(&clerk(), new).await.unwrap();
            said(format!("file {n} {}", info.id));
        }
    });
    for n in first.. {
        let letter = house
            .engine
            .letter(&clerk(), &acceptance(&n.to_string()))
            .await
            .unwrap();
        said(format!("letter {n} {}", letter.id));
    }
    files.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_whole() {
    each_address(|address| async move {
        let (mut files, mut letters) = (vec![], vec![]);
        for round in 0..3_u64 {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "kill::child_works_until_killed",
                    "--ignored",
                    "--nocapture",
                ])
                .env(ADDRESS, &address)
                .env(FIRST, (round * 1000).to_string())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let lines = BufReader::new(child.stdout.take().unwrap());
            let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
            let counted = counts.clone();
            let reader = std::thread::spawn(move || {
                let lines = lines.lines().map_while(Result::ok);
                let lines = lines.filter(|line| line.split(' ').count() == 3);
                let counting = lines.inspect(|line| {
                    let kind = usize::from(line.starts_with("letter"));
                    counted[kind].fetch_add(1, Ordering::SeqCst);
                });
                counting.collect::<Vec<String>>()
            });
            // After a few letters and files, at another moment each time, without chance in it.
            let begun = Instant::now();
            let few = || {
                let [files, letters] = &*counts;
                files.load(Ordering::SeqCst) < 2 || letters.load(Ordering::SeqCst) < 4
            };
            while few() && begun.elapsed() < Duration::from_secs(120) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(Duration::from_millis(round * 37)).await;
            child.kill().unwrap();
            child.wait().unwrap();
            for line in reader.join().unwrap() {
                let parts: Vec<&str> = line.split(' ').collect();
                // A last line may be torn.
                let Ok(n) = parts[1].parse::<usize>() else {
                    continue;
                };
                match parts[0] {
                    "file" if parts[2].len() == 26 => files.push((n, parts[2].to_owned())),
                    "letter" if parts[2].len() == 26 => letters.push((n, parts[2].to_owned())),
                    _ => {}
                }
            }
        }
        assert!(
            files.len() > 3 && letters.len() > 3,
            "{} {}",
            files.len(),
            letters.len()
        );
        let store = Store::open(&address).await.unwrap();
        let house = house_with(&store, clock(), keys(), None, settings()).await;
        for (n, id) in &files {
            let found = house.engine.get(&clerk(), id).await.unwrap();
            assert!(found.bytes == bytes(*n));
        }
        for (n, id) in &letters {
            let letter = house
                .engine
                .letter(&clerk(), &acceptance(&n.to_string()))
                .await
                .unwrap();
            assert_eq!(letter.id, *id);
        }
        house.clock.advance(Span::hours(2));
        house.engine.tidy().await.unwrap();
        let all = house.engine.letters("application/1").await.unwrap();
        let numbers: BTreeSet<String> = all.iter().map(|l| l.number.clone()).collect();
        let expect = (1..=all.len()).map(|n| format!("冀城审受字〔2026〕第{n:06}号"));
        assert_eq!(numbers, expect.collect());
        for letter in all {
            let file = house.engine.get(&clerk(), &letter.file).await.unwrap();
            let checked = house.engine.verify_pdf(file.bytes).await.unwrap();
            assert_eq!(checked.verdict, PdfVerdict::Valid);
        }
        for info in house.engine.list("draft/1").await.unwrap() {
            house.engine.get(&clerk(), &info.id).await.unwrap();
        }
        assert!(house.clock.now().0 > 0);
        store.close().await;
    })
    .await;
}
