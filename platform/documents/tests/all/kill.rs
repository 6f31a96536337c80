//! Killed at any moment: what was acknowledged is whole afterwards, numbers have no gaps, and what
//! broke off is finished or swept away.

use super::*;
use kernel::documents::{Documents, PdfVerdict};
use kernel::{Clock, Span};
use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;
use testkit::{each_address, killed};

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
            // After a few letters and files, at another moment each time, without chance in it.
            let [mut some_files, mut some_letters] = [0, 0];
            let enough = move |line: &str| {
                some_files += usize::from(line.starts_with("file "));
                some_letters += usize::from(line.starts_with("letter "));
                let enough = some_files >= 2 && some_letters >= 4;
                if enough {
                    std::thread::sleep(Duration::from_millis(round * 37));
                }
                enough
            };
            let first = (round * 1000).to_string();
            let environment = [(ADDRESS, address.as_str()), (FIRST, &first)];
            for line in killed("kill::child_works_until_killed", &environment, enough).await {
                let [kind, n, id] = line.split(' ').collect::<Vec<&str>>()[..] else {
                    continue;
                };
                let known = match kind {
                    "file" => &mut files,
                    "letter" => &mut letters,
                    _ => continue,
                };
                known.push((n.parse::<usize>().unwrap(), id.to_owned()));
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
