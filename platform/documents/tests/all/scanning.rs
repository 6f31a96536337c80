//! Virus scanning: a server that speaks clamd's protocol finds what is infected; when it cannot be
//! asked, nothing is accepted.

use super::*;
use documents::scanner::{Clamd, Patience, Verdict, codec};
use kernel::documents::Documents;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use testkit::each_store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The test string of EICAR, in two parts so that this file is not taken for it.
fn eicar() -> String {
    format!(
        "{}{}",
        "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EI", "CAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    )
}

#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Well,
    Silent,
    HangsUp,
    TooSmall,
    Talks,
}

/// A clamd: reads INSTREAM as its manual says, answers by what is in it.
async fn clamd(mood: Mood) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream, mood));
        }
    });
    (address, asked)
}

async fn serve(mut stream: TcpStream, mood: Mood) -> Option<()> {
    if mood == Mood::HangsUp {
        return None;
    }
    let mut command = [0; 10];
    stream.read_exact(&mut command).await.ok()?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut content = vec![];
    loop {
        let length = stream.read_u32().await.ok()? as usize;
        if length == 0 {
            break;
        }
        let mut chunk = vec![0; length];
        stream.read_exact(&mut chunk).await.ok()?;
        content.extend(chunk);
        if mood == Mood::TooSmall && content.len() > 100_000 {
            let _ = stream
                .write_all(b"INSTREAM size limit exceeded. ERROR\0")
                .await;
            return None;
        }
    }
    let eicar = eicar();
    let found = content.windows(eicar.len()).any(|w| w == eicar.as_bytes());
    let answer: &[u8] = match (mood, found) {
        (Mood::Silent, _) => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            b""
        }
        (Mood::Talks, _) => &[b'x'; 100_000],
        (_, true) => b"stream: Eicar-Signature FOUND\0",
        (_, false) => b"stream: OK\0",
    };
    // In two parts, as a network may deliver it.
    let (first, second) = answer.split_at(answer.len() / 2);
    stream.write_all(first).await.ok()?;
    stream.flush().await.ok()?;
    tokio::time::sleep(Duration::from_millis(20)).await;
    stream.write_all(second).await.ok()
}

fn patience() -> Patience {
    Patience {
        connect: Duration::from_millis(500),
        session: Duration::from_millis(1500),
        failures: 3,
        rest: Duration::from_millis(400),
    }
}

async fn scanned(store: &Store, address: &str) -> House {
    let keys: Arc<dyn Crypto> = Arc::new(testkit::FakeCrypto::default());
    let scanner = Arc::new(Clamd::new(address, patience()));
    house_with(store, clock(), keys, Some(scanner), settings()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_infected_is_refused_and_noted() {
    each_store(|store| async move {
        let (address, _) = clamd(Mood::Well).await;
        let house = scanned(&store, &address).await;
        // Small, and larger than a chunk of the protocol.
        for more in [0, 200_000] {
            let filling = format!("% {}\n", "x".repeat(more));
            let clean = file("draft/1", "deed", "a.pdf", pdf(1, &filling));
            let info = house.engine.put(&clerk(), clean).await.unwrap();
            assert_eq!(info.scanned_by.as_deref(), Some("clamd"));
            let bytes = pdf(1, &format!("{filling}% {}\n", eicar()));
            let bad = file("draft/2", "deed", "a.pdf", bytes);
            let fault = house.engine.put(&clerk(), bad).await.err().unwrap();
            assert_eq!(fault.code, "documents.infected");
            assert!(fault.words.zh.contains("Eicar-Signature"));
        }
        assert!(house.engine.list("draft/2").await.unwrap().is_empty());
        let entries = audit(&store, "files").await;
        let denied = entries.iter().filter(|e| e.entry.outcome == "denied");
        assert_eq!(denied.count(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_answer_nothing_is_accepted() {
    each_store(|store| async move {
        for mood in [Mood::Silent, Mood::HangsUp, Mood::TooSmall, Mood::Talks] {
            let (address, _) = clamd(mood).await;
            let house = scanned(&store, &address).await;
            let filling = format!("% {}\n", "x".repeat(200_000));
            let new = file("draft/1", "deed", "a.pdf", pdf(1, &filling));
            let begun = Instant::now();
            let fault = house.engine.put(&clerk(), new).await.err().unwrap();
            assert_eq!((fault.code, fault.status()), ("documents.not_scanned", 503));
            assert!(fault.retry_after_s.is_some());
            assert!(begun.elapsed() < Duration::from_secs(10));
        }
        let house = scanned(&store, "127.0.0.1:1").await;
        let new = file("draft/1", "deed", "a.pdf", pdf(1, ""));
        let fault = house.engine.put(&clerk(), new).await.err().unwrap();
        assert_eq!(fault.code, "documents.not_scanned");
        assert!(house.engine.list("draft/1").await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_again_and_again_is_left_alone_for_a_while() {
    each_store(|store| async move {
        let (address, asked) = clamd(Mood::HangsUp).await;
        let house = scanned(&store, &address).await;
        for _ in 0..10 {
            let new = file("draft/1", "deed", "a.pdf", pdf(1, ""));
            assert!(house.engine.put(&clerk(), new).await.is_err());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 3, "then it rests");
        tokio::time::sleep(Duration::from_millis(600)).await;
        let new = file("draft/1", "deed", "a.pdf", pdf(1, ""));
        assert!(house.engine.put(&clerk(), new).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 4, "one is let through");
    })
    .await;
}

#[test]
fn answers_are_understood() {
    assert_eq!(codec::answer(b"stream: OK\0"), Ok(Verdict::Clean));
    let found = Verdict::Infected("Win.Test.EICAR_HDB-1".into());
    assert_eq!(
        codec::answer(b"stream: Win.Test.EICAR_HDB-1 FOUND\n"),
        Ok(found)
    );
    for other in [
        &b""[..],
        b"OK",
        b"stream: ",
        b"stream: lstat() failed ERROR\0",
        b"\xFF\xFE",
        b"UNKNOWN COMMAND\0",
    ] {
        assert!(codec::answer(other).is_err(), "{other:?}");
    }
    assert_eq!(codec::head(&[0; 300]), [0, 0, 1, 44]);
}
