//! Signatures: a foreign reader (poppler's pdfsig, on NSS) says they are valid and trusted once it
//! knows the city's authority; what was altered, added, or signed by another is told apart.

use super::*;
use kernel::documents::{Documents, PdfVerdict};
use kernel::{Clock, Span};
use std::path::Path;
use std::process::Command;
use testkit::each_store;

/// Runs a foreign program; `None` when it is not installed and this is not CI.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            let out = String::from_utf8_lossy(&output.stdout).into_owned();
            Some(out + &String::from_utf8_lossy(&output.stderr))
        }
        Err(_) if std::env::var_os("CI").is_some() => panic!("{program} is not installed"),
        Err(_) => {
            eprintln!("skipped: {program} (poppler-utils, libnss3-tools) is not installed");
            None
        }
    }
}

fn pdfsig(dir: &Path, bytes: &[u8]) -> Option<String> {
    let path = dir.join("checked.pdf");
    std::fs::write(&path, bytes).unwrap();
    run(
        "pdfsig",
        &["-nssdir", dir.to_str().unwrap(), path.to_str().unwrap()],
    )
}

/// A database of certificates with this authority in it.
fn trust(dir: &Path, authority: &str) -> Option<()> {
    let pem = dir.join("authority.pem");
    std::fs::write(&pem, authority).unwrap();
    let database = format!("sql:{}", dir.display());
    run("certutil", &["-N", "-d", &database, "--empty-password"])?;
    let pem = pem.to_str().unwrap();
    let said = run(
        "certutil",
        &[
            "-A", "-d", &database, "-n", "city", "-t", "CT,CT,CT", "-i", pem,
        ],
    )?;
    assert_eq!(said.trim(), "");
    Some(())
}

async fn letter(house: &House, key: &str) -> Vec<u8> {
    let letter = house
        .engine
        .letter(&clerk(), &acceptance(key))
        .await
        .unwrap();
    house
        .engine
        .get(&clerk(), &letter.file)
        .await
        .unwrap()
        .bytes
}

/// The real clock, because the foreign reader has no other.
fn today() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(kernel::SystemClock.now()))
}

#[tokio::test(flavor = "multi_thread")]
async fn pdfsig_says_valid_and_trusted() {
    each_store(|store| async move {
        for suite in [Suite::International, Suite::National] {
            let clock = today();
            let keys = Keys::in_memory(suite, clock.clone()).unwrap();
            // The authority of one city; the second suite finds it made.
            let keys: Arc<dyn Crypto> = match suite {
                Suite::International => Arc::new(testkit::FakeCrypto::default()),
                Suite::National => keys,
            };
            let fresh = tempfile::tempdir().unwrap();
            let own = Store::in_folder(fresh.path());
            let place = match suite {
                Suite::International => store.clone(),
                Suite::National => own.await.unwrap(),
            };
            let house = house_with(&place, clock, keys, None, settings()).await;
            let bytes = letter(&house, "a").await;
            let dir = tempfile::tempdir().unwrap();
            let Some(()) = trust(dir.path(), &house.engine.authority().await.unwrap()) else {
                return;
            };
            let said = pdfsig(dir.path(), &bytes).unwrap();
            assert!(said.contains("Signature is Valid."), "{said}");
            assert!(said.contains("Certificate is Trusted."), "{said}");
            assert!(said.contains("Total document signed"), "{said}");
            assert!(said.contains("冀城市行政审批局"), "{said}");
            // Without the authority it is not trusted; so the sentence above says something.
            let bare = tempfile::tempdir().unwrap();
            let database = format!("sql:{}", bare.path().display());
            run("certutil", &["-N", "-d", &database, "--empty-password"]);
            let said = pdfsig(bare.path(), &bytes).unwrap();
            assert!(said.contains("Signature is Valid."), "{said}");
            assert!(!said.contains("Certificate is Trusted."), "{said}");
        }
    })
    .await;
}

/// A print of a licence is signed as a letter is: the foreign reader says so, and finds a change.
#[tokio::test(flavor = "multi_thread")]
async fn pdfsig_says_a_print_of_a_licence_is_valid_and_trusted() {
    each_store(|store| async move {
        let keys: Arc<dyn Crypto> = Arc::new(testkit::FakeCrypto::default());
        let house = house_with(&store, today(), keys, None, settings()).await;
        let print = super::prints::print();
        let bytes = house.engine.licence_pdf(&print).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let Some(()) = trust(dir.path(), &house.engine.authority().await.unwrap()) else {
            return;
        };
        let said = pdfsig(dir.path(), &bytes).unwrap();
        assert!(said.contains("Signature is Valid."), "{said}");
        assert!(said.contains("Certificate is Trusted."), "{said}");
        assert!(said.contains("Total document signed"), "{said}");
        let page = bytes.windows(7).position(|w| w == b"/Parent").unwrap();
        let mut altered = bytes.clone();
        altered[page + 2] ^= 1;
        let said = pdfsig(dir.path(), &altered).unwrap();
        assert!(!said.contains("Signature is Valid."), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_altered_is_told_by_both() {
    each_store(|store| async move {
        let house = house(&store).await;
        let bytes = letter(&house, "a").await;
        let own = house.engine.verify_pdf(bytes.clone()).await.unwrap();
        assert_eq!(own.verdict, PdfVerdict::Valid);
        assert_eq!(own.signer.as_deref(), Some("冀城市行政审批局"));
        assert_eq!(own.signed_at, Some(house.clock.now()));
        assert_eq!(own.letter.unwrap().number, "冀城审受字〔2026〕第000001号");
        let dir = tempfile::tempdir().unwrap();
        if trust(dir.path(), &house.engine.authority().await.unwrap()).is_none() {
            return;
        }
        // A byte of a page, and another in what was appended for the signature.
        let page = bytes.windows(7).position(|w| w == b"/Parent").unwrap();
        let reason = bytes.windows(7).rposition(|w| w == b"/Reason").unwrap();
        for at in [page + 2, reason + 20] {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let own = house.engine.verify_pdf(altered.clone()).await.unwrap();
            assert_ne!(own.verdict, PdfVerdict::Valid);
            let said = pdfsig(dir.path(), &altered).unwrap();
            assert!(!said.contains("Signature is Valid."), "{said}");
        }
        // Something appended, as an editor saves it.
        let mut appended = bytes.clone();
        appended.extend(b"\n1 0 obj\n<</Type/Catalog>>\nendobj\nstartxref\n0\n%%EOF\n");
        let own = house.engine.verify_pdf(appended.clone()).await.unwrap();
        assert_eq!(own.verdict, PdfVerdict::Altered);
        let said = pdfsig(dir.path(), &appended).unwrap();
        assert!(!said.contains("Total document signed"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_city_is_another_city() {
    each_store(|store| async move {
        let house = house(&store).await;
        let dir = tempfile::tempdir().unwrap();
        let other = Store::in_folder(dir.path()).await.unwrap();
        let other = super::house(&other).await;
        let theirs = letter(&other, "a").await;
        let found = house.engine.verify_pdf(theirs).await.unwrap();
        assert_eq!(found.verdict, PdfVerdict::Foreign);
        assert_eq!(found.letter, None);
        let unsigned = house.engine.verify_pdf(pdf(1, "")).await.unwrap();
        assert_eq!(unsigned.verdict, PdfVerdict::Unsigned);
        for garbage in [&b""[..], b"%PDF-", b"hello", b"%PDF-1.4 trailer <<>>"] {
            let found = house.engine.verify_pdf(garbage.to_vec()).await.unwrap();
            assert!(matches!(
                found.verdict,
                PdfVerdict::Unreadable | PdfVerdict::Unsigned
            ));
        }
        let range = |range: &str| {
            pdf(
                1,
                &format!("9 0 obj\n<</Type/Sig/ByteRange[{range}]/Contents<3000>>>\nendobj\n"),
            )
        };
        for numbers in [
            "0 1 2 3",
            "0 0 0 0",
            "",
            "-1 5 9 9",
            "0 99999999999999999999 1 1",
            "1 2 3",
        ] {
            let found = house.engine.verify_pdf(range(numbers)).await.unwrap();
            assert_eq!(found.verdict, PdfVerdict::Altered, "{numbers}");
        }
        let large = house
            .engine
            .verify_pdf(vec![b'%'; 21 << 20])
            .await
            .err()
            .unwrap();
        assert_eq!(large.status(), 413);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_leaves_earlier_letters_valid() {
    each_store(|store| async move {
        let keys = Arc::new(testkit::FakeCrypto::default());
        let house = house_with(&store, clock(), keys.clone(), None, settings()).await;
        let before = letter(&house, "a").await;
        keys.rotate(kernel::crypto::Ring::Letters);
        let after = letter(&house, "b").await;
        keys.retire(kernel::crypto::Ring::Letters);
        // Years later another certificate follows, in another process.
        house.clock.advance(Span::days(365 * 6));
        let again = house_with(&store, house.clock.clone(), keys, None, settings()).await;
        let later = letter(&again, "c").await;
        for bytes in [before, after, later] {
            let found = again.engine.verify_pdf(bytes).await.unwrap();
            assert_eq!(found.verdict, PdfVerdict::Valid);
            assert!(found.letter.is_some());
        }
        // An office that got another name signs under it.
        let mut renamed = acceptance("d");
        renamed.office.name = "冀城市数据和政务服务局".into();
        let letter = again.engine.letter(&clerk(), &renamed).await.unwrap();
        let file = again.engine.get(&clerk(), &letter.file).await.unwrap();
        let found = again.engine.verify_pdf(file.bytes).await.unwrap();
        assert_eq!(found.signer.as_deref(), Some("冀城市数据和政务服务局"));
        assert_eq!(found.verdict, PdfVerdict::Valid);
        let made = audit(&store, "documents").await;
        let certificates = made
            .iter()
            .filter(|e| e.entry.details["what"] == "certificate");
        assert_eq!(certificates.count(), 4);
    })
    .await;
}
