//! Damage of every kind to a sealed file: named, with file and place.

use crate::fake::{City, FakeKeys, keys, slow};
use backup::repository::Kind;
use backup::{Moment, Repository, restore};
use kernel::crypto::Suite;
use std::path::{Path, PathBuf};

/// A repository with a base of several chunks and two segments.
async fn repository(dir: &Path) -> (PathBuf, PathBuf) {
    let city = City::start(dir, slow()).await;
    // Does not compress: the store's bodies are made of this.
    for n in 0..5 {
        city.write(1_500_000 + n).await;
    }
    city.shipper.base().await.unwrap();
    city.write(10_000).await;
    city.shipper.look().await.unwrap();
    city.write(10_000).await;
    city.stop().await;
    let repository = Repository::open(&dir.join("backup")).unwrap();
    let segment = *repository.numbers(Kind::Segment).unwrap().last().unwrap();
    (
        repository.path(
            Kind::Base,
            *repository.numbers(Kind::Base).unwrap().last().unwrap(),
        ),
        repository.path(Kind::Segment, segment),
    )
}

/// Restores the latest; says whether something is missing.
async fn attempt(dir: &Path) -> Result<bool, kernel::Fault> {
    let repository = Repository::open(&dir.join("backup"))?;
    let into = tempfile::tempdir().unwrap();
    let keys = keys();
    restore(&repository, &*keys, Moment::Latest, into.path(), |_| {})
        .await
        .map(|done| done.short)
}

/// Where the chunks of a sealed file begin.
fn chunks(bytes: &[u8]) -> Vec<usize> {
    let length = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let mut at = 12 + length(8);
    let mut all = vec![];
    while at < bytes.len() {
        all.push(at);
        at += 4 + length(at);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_refused_by_name_and_place() {
    let dir = tempfile::tempdir().unwrap();
    let (base, segment) = repository(dir.path()).await;
    assert_eq!(attempt(dir.path()).await, Ok(false));
    for file in [&base, &segment] {
        let whole = std::fs::read(file).unwrap();
        let begins = chunks(&whole);
        let expect = async |damaged: Vec<u8>, code: &str, words: &str| {
            std::fs::write(file, damaged).unwrap();
            let fault = attempt(dir.path()).await.unwrap_err();
            assert_eq!(fault.code, code, "{fault}");
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(fault.words.en.contains(words), "{words}: {fault}");
            assert!(fault.words.en.contains(name), "{name}: {fault}");
        };
        // A bit, in the middle of each chunk and in its length.
        for (number, at) in begins.iter().enumerate() {
            let mut flipped = whole.clone();
            flipped[at + 40] ^= 1;
            let words = format!("chunk {} ", number + 1);
            expect(flipped, "backup.damaged", &words).await;
        }
        let mut flipped = whole.clone();
        let last = flipped.len() - 1;
        flipped[last] ^= 0x80;
        expect(flipped, "backup.damaged", "was altered").await;
        // A length of four GiB.
        let mut bomb = whole.clone();
        bomb[begins[0]..begins[0] + 4].copy_from_slice(&[0xff; 4]);
        expect(bomb, "backup.damaged", "chunk 1 ").await;
        // Cut short: in a chunk, between chunks, in the header, to nothing.
        expect(
            whole[..whole.len() - 7].to_vec(),
            "backup.damaged",
            "cut short",
        )
        .await;
        if begins.len() > 1 {
            let last = *begins.last().unwrap();
            expect(whole[..last].to_vec(), "backup.damaged", "cut short").await;
            // Two chunks exchanged.
            let (one, two) = (begins[0], begins[1]);
            let three = begins.get(2).copied().unwrap_or(whole.len());
            let mut moved = whole[..one].to_vec();
            moved.extend_from_slice(&whole[two..three]);
            moved.extend_from_slice(&whole[one..two]);
            moved.extend_from_slice(&whole[three..]);
            expect(moved, "backup.damaged", "altered or moved").await;
        }
        expect(whole[..begins[0]].to_vec(), "backup.damaged", "cut short").await;
        expect(whole[..20].to_vec(), "backup.damaged", "cut short").await;
        expect(vec![], "backup.damaged", "cut short").await;
        // Something appended.
        let mut longer = whole.clone();
        longer.extend_from_slice(&[0, 0, 0, 1, 9]);
        expect(longer, "backup.damaged", "chunk").await;
        // The header says something else.
        let text = String::from_utf8_lossy(&whole).into_owned();
        assert!(text.contains("\"suite\""));
        let at = whole
            .windows(10)
            .position(|w| w == b"\"chain\":\"0")
            .unwrap()
            + 12;
        let mut renamed = whole.clone();
        renamed[at] = if renamed[at] == b'A' { b'B' } else { b'A' };
        std::fs::write(file, renamed).unwrap();
        // A base is refused; a segment that says it is of another chain is missed in this one.
        assert!(attempt(dir.path()).await != Ok(false), "{}", file.display());
        std::fs::write(file, &whole).unwrap();
    }
    attempt(dir.path()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_name_or_repository_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_, segment) = repository(dir.path()).await;
    let whole = std::fs::read(&segment).unwrap();
    let first = segment.with_file_name("00000001.segment");
    std::fs::write(&segment, std::fs::read(&first).unwrap()).unwrap();
    let fault = attempt(dir.path()).await.unwrap_err();
    assert!(
        fault.words.en.contains("it says it is segment/1"),
        "{fault}"
    );
    std::fs::write(&segment, &whole).unwrap();
    let other = tempfile::tempdir().unwrap();
    let (_, foreign) = repository(other.path()).await;
    std::fs::write(&segment, std::fs::read(&foreign).unwrap()).unwrap();
    let fault = attempt(dir.path()).await.unwrap_err();
    assert!(fault.words.en.contains("of repository"), "{fault}");
    // A segment taken away from the middle.
    std::fs::write(&segment, &whole).unwrap();
    let repository = Repository::open(&dir.path().join("backup")).unwrap();
    let numbers = repository.numbers(Kind::Segment).unwrap();
    let [.., middle, last] = numbers[..] else {
        panic!("{numbers:?}");
    };
    let taken = std::fs::read(repository.path(Kind::Segment, middle)).unwrap();
    std::fs::remove_file(repository.path(Kind::Segment, middle)).unwrap();
    let fault = attempt(dir.path()).await.unwrap_err();
    assert_eq!(fault.code, "backup.not_there", "{fault}");
    std::fs::write(repository.path(Kind::Segment, middle), taken).unwrap();
    // The city ships on while it is restored: what came after the look is not missing.
    let into = dir.path().join("meanwhile");
    let covered = dir.path().join("backup/covered.json");
    let before = std::fs::read_to_string(&covered).unwrap();
    let mut facts: serde_json::Value = serde_json::from_str(&before).unwrap();
    facts["segment"] = (last + 1).into();
    let ship_on = |_| std::fs::write(&covered, facts.to_string()).unwrap();
    let done = restore(&repository, &*keys(), Moment::Latest, &into, ship_on)
        .await
        .unwrap();
    assert_ne!(std::fs::read_to_string(&covered).unwrap(), before);
    assert!(!done.short, "{done:?}");
    std::fs::write(&covered, before).unwrap();
    // From the end: what is left is restored, and it is said that it is not all.
    std::fs::remove_file(repository.path(Kind::Segment, last)).unwrap();
    let into = dir.path().join("into");
    let done = restore(&repository, &*keys(), Moment::Latest, &into, |_| {})
        .await
        .unwrap();
    assert!(done.short, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_opens_nothing_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    repository(dir.path()).await;
    let repository = Repository::open(&dir.path().join("backup")).unwrap();
    let other = FakeKeys {
        suite: Suite::International,
        key: [8; 32],
    };
    let into = dir.path().join("into");
    let fault = restore(&repository, &other, Moment::Latest, &into, |_| {})
        .await
        .unwrap_err();
    assert_eq!(fault.code, "backup.wrong_key", "{fault}");
    assert!(
        std::fs::read_dir(&into).unwrap().next().is_none(),
        "nothing is left"
    );
}
