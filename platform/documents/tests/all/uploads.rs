//! Uploads: kept whole or not at all, sealed, found by owner, handed in for good.

use super::*;
use documents::inspect::Limits;
use kernel::documents::{Documents, FileKind};
use kernel::fault::FaultKind;
use kernel::{Clock, Span};
use store::files as rows;
use testkit::each_store;

/// Content that is not all alike, of this length.
fn long_pdf(length: usize) -> Vec<u8> {
    let mut bytes = pdf(2, "");
    let end = bytes.split_off(bytes.len() - 60);
    let mut n: u32 = 7;
    while bytes.len() + end.len() < length {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push(b'%');
        bytes.extend(format!("{n:08x}\n").as_bytes());
    }
    bytes.extend(end);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_back_as_it_came_and_the_read_is_on_record() {
    each_store(|store| async move {
        let house = house(&store).await;
        for length in [1000, 256 << 10, (256 << 10) + 1, 3 << 20] {
            let bytes = long_pdf(length);
            let new = file("draft/1", "deed", "租赁合同.pdf", bytes.clone());
            let info = house.engine.put(&clerk(), new).await.unwrap();
            assert_eq!((info.kind, info.pages), (FileKind::Pdf, Some(2)));
            assert_eq!(info.size, bytes.len() as u64);
            assert_eq!(info.name, "租赁合同.pdf");
            let found = house.engine.get(&clerk(), &info.id).await.unwrap();
            assert!(found.bytes == bytes, "{length}");
            assert_eq!(found.info, info);
            assert_eq!(house.engine.info(&info.id).await.unwrap(), info);
        }
        assert_eq!(house.engine.list("draft/1").await.unwrap().len(), 4);
        assert!(house.engine.list("draft/2").await.unwrap().is_empty());
        let entries = audit(&store, "files").await;
        let read = entries.iter().find(|e| e.entry.verb == "read").unwrap();
        assert_eq!(read.entry.purpose, "办理许可");
        assert_eq!(read.entry.basis, "《行政许可法》第三十四条");
        assert_eq!(read.entry.details["records"][0]["person"], "person-7");
        assert_eq!(entries.iter().filter(|e| e.entry.verb == "read").count(), 4);
        let missing = house.engine.get(&clerk(), "01JDX").await;
        assert_eq!(missing.err().unwrap().kind, FaultKind::Missing);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_readable_lies_in_the_store() {
    each_store(|store| async move {
        let house = house(&store).await;
        let bytes = pdf(1, "% 张三丰的材料\n");
        let new = file("draft/1", "deed", "张三丰.pdf", bytes);
        let info = house.engine.put(&clerk(), new).await.unwrap();
        let mut reader = store.reader().await.unwrap();
        let row = rows::file(&mut reader, &info.id).await.unwrap().unwrap();
        let chunk = rows::chunk(&mut reader, &info.id, 0)
            .await
            .unwrap()
            .unwrap();
        for place in [row.sealed_name, chunk] {
            for secret in ["张三丰", "%PDF"] {
                let secret = secret.as_bytes();
                assert!(!place.windows(secret.len()).any(|w| w == secret));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_altered_moved_or_lost_in_the_store_is_a_fault() {
    each_store(|store| async move {
        let house = house(&store).await;
        let put = |name: &'static str, length| {
            let engine = house.engine.clone();
            async move {
                let new = file("draft/1", name, &format!("{name}.pdf"), long_pdf(length));
                engine.put(&clerk(), new).await.unwrap().id
            }
        };
        let (one, two) = (put("one", 600 << 10).await, put("two", 600 << 10).await);
        let chunk = |id: String, n: i64| {
            let store = store.clone();
            async move {
                let mut reader = store.reader().await.unwrap();
                rows::chunk(&mut reader, &id, n).await.unwrap().unwrap()
            }
        };
        let original = chunk(one.clone(), 1).await;
        let mut flipped = original.clone();
        flipped[100] ^= 1;
        let of_other = chunk(two.clone(), 1).await;
        let of_first = chunk(one.clone(), 0).await;
        for wrong in [flipped, of_other, of_first, vec![]] {
            let mut tx = store.begin().await.unwrap();
            rows::put_chunk(&mut tx, &one, 1, wrong).await.unwrap();
            tx.commit().await.unwrap();
            let fault = house.engine.get(&clerk(), &one).await.err().unwrap();
            assert_eq!(fault.code, "documents.altered");
            assert!(fault.to_string().contains("part 1"), "{fault}");
        }
        let mut tx = store.begin().await.unwrap();
        rows::put_chunk(&mut tx, &one, 1, original).await.unwrap();
        tx.commit().await.unwrap();
        house.engine.get(&clerk(), &one).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_in_stays() {
    each_store(|store| async move {
        let house = house(&store).await;
        let put = |slot: &'static str| {
            let engine = house.engine.clone();
            async move {
                let new = file("draft/1", slot, "a.png", png(10, 10));
                engine.put(&clerk(), new).await.unwrap().id
            }
        };
        let (kept, removed) = (put("one").await, put("two").await);
        house.engine.remove(&clerk(), &removed).await.unwrap();
        let gone = house.engine.get(&clerk(), &removed).await.err().unwrap();
        assert_eq!(gone.kind, FaultKind::Missing);
        let chunk = rows::chunk(&mut store.reader().await.unwrap(), &removed, 0).await;
        assert!(chunk.unwrap().is_none());

        let attached = house
            .engine
            .attach(&clerk(), "draft/1", "application/9")
            .await
            .unwrap();
        assert_eq!(attached.len(), 1);
        assert!(attached[0].handed_in && attached[0].id == kept);
        // Asked again after a crash it answers the same, and writes nothing.
        let entries = audit(&store, "files").await.len();
        let again = house
            .engine
            .attach(&clerk(), "draft/1", "application/9")
            .await
            .unwrap();
        assert_eq!(again, attached);
        assert_eq!(audit(&store, "files").await.len(), entries);
        assert!(house.engine.list("draft/1").await.unwrap().is_empty());
        let refused = house.engine.remove(&clerk(), &kept).await.err().unwrap();
        assert_eq!(refused.code, "input.conflict");
        house.engine.get(&clerk(), &kept).await.unwrap();
        said(house.engine.attach(&clerk(), "draft/1", "letter/1").await);
        // What comes later is handed in where it is.
        let later = file("application/9", "deed", "b.png", png(9, 9));
        let later = house.engine.put(&clerk(), later).await.unwrap();
        assert!(!later.handed_in);
        let all = house
            .engine
            .attach(&clerk(), "application/9", "application/9")
            .await;
        assert!(all.unwrap().iter().all(|info| info.handed_in));
        assert!(house.engine.remove(&clerk(), &later.id).await.is_err());
        for owner in ["letter/1", "../x", "a", "/draft/1", "draft 1", ""] {
            let new = file(owner, "deed", "a.png", png(10, 10));
            assert!(said(house.engine.put(&clerk(), new).await).contains("owner"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_has_a_limit_in_files_and_bytes() {
    each_store(|store| async move {
        let keys: Arc<dyn Crypto> = Arc::new(testkit::FakeCrypto::default());
        let few = Settings {
            files_per_owner: 3,
            bytes_per_owner: 2 << 20,
            limits: Limits {
                bytes: 3 << 20,
                ..Limits::default()
            },
            ..settings()
        };
        let house = house_with(&store, clock(), keys, None, few).await;
        let put = |owner: &'static str, length: usize| {
            let engine = house.engine.clone();
            async move {
                let new = file(owner, "deed", "a.pdf", long_pdf(length));
                engine.put(&clerk(), new).await
            }
        };
        // Many at once: no more than three come through.
        let many: Vec<_> = (0..8).map(|_| tokio::spawn(put("draft/1", 1000))).collect();
        let mut kept = 0;
        for each in many {
            kept += usize::from(each.await.unwrap().is_ok());
        }
        assert_eq!(kept, 3);
        assert!(said(put("draft/1", 1000).await).contains("more than 3 files"));
        put("draft/2", 1500 << 10).await.unwrap();
        assert!(said(put("draft/2", 1500 << 10).await).contains("2 MB together"));
        let large = put("draft/3", 4 << 20).await.err().unwrap();
        assert_eq!((large.code, large.status()), ("input.too_large", 413));
        assert!(house.engine.list("draft/3").await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_broke_off_is_not_there_and_is_swept_away() {
    each_store(|store| async move {
        let house = house(&store).await;
        // As a process leaves it that ends between the first and the last transaction.
        let row = rows::FileRow {
            id: kernel::new_id(house.clock.now()),
            owner: "draft/1".into(),
            slot: "deed".into(),
            sealed_name: vec![1],
            kind: "pdf".into(),
            size: 3 << 20,
            pages: Some(1),
            sha256: "00".into(),
            sm3: "00".into(),
            chunks: 12,
            person: None,
            created_at: house.clock.now().0,
            created_by: "clerk".into(),
            handed_in: 0,
            scanned_by: None,
            whole: 0,
        };
        let mut tx = store.begin().await.unwrap();
        rows::add_file(&mut tx, &row).await.unwrap();
        rows::add_chunk(&mut tx, &row.id, 0, vec![1, 2, 3])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert!(house.engine.list("draft/1").await.unwrap().is_empty());
        assert!(house.engine.get(&clerk(), &row.id).await.is_err());
        assert_eq!(
            house.engine.tidy().await.unwrap(),
            (0, 0),
            "it may still be coming"
        );
        house.clock.advance(Span::hours(2));
        assert_eq!(house.engine.tidy().await.unwrap(), (1, 0));
        let chunk = rows::chunk(&mut store.reader().await.unwrap(), &row.id, 0).await;
        assert!(chunk.unwrap().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_outlive_the_key_they_came_under() {
    each_store(|store| async move {
        let keys = Arc::new(testkit::FakeCrypto::default());
        let house = house_with(&store, clock(), keys.clone(), None, settings()).await;
        let bytes = long_pdf(600 << 10);
        let new = file("draft/1", "deed", "a.pdf", bytes.clone());
        let info = house.engine.put(&clerk(), new).await.unwrap();
        let letter = house
            .engine
            .letter(&clerk(), &acceptance("a"))
            .await
            .unwrap();
        keys.rotate(kernel::crypto::Ring::Secrets);
        assert_eq!(
            house.engine.reseal().await.unwrap(),
            3,
            "two files, one letter"
        );
        assert_eq!(house.engine.reseal().await.unwrap(), 0);
        keys.retire(kernel::crypto::Ring::Secrets);
        // A process started after that reads everything, and writes letters.
        let again = house_with(&store, clock(), keys, None, settings()).await;
        assert!(again.engine.get(&clerk(), &info.id).await.unwrap().bytes == bytes);
        again.engine.get(&clerk(), &letter.file).await.unwrap();
        assert_eq!(
            again
                .engine
                .letter(&clerk(), &acceptance("a"))
                .await
                .unwrap(),
            letter
        );
        again
            .engine
            .letter(&clerk(), &acceptance("b"))
            .await
            .unwrap();
    })
    .await;
}
