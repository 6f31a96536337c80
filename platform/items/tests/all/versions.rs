//! From a first draft to cancellation, on both stores: who may, who is first, what stays.

use crate::*;
use kernel::items::{ItemFilter, ItemVerb, Items};

fn publish() -> ItemVerb {
    ItemVerb::Publish {
        note: "调整条件".into(),
    }
}

fn titled(title: &str) -> Value {
    let mut content = value(CERTIFICATE);
    content["title"]["zh"] = json!(format!("证明{title}"));
    content
}

async fn published(engine: &Engine, title: &str) -> Item {
    let by = designer("zhang");
    engine
        .save(&by, "cert", None, &titled(title))
        .await
        .unwrap();
    engine.rule(&by, "cert", publish()).await.unwrap()
}

#[tokio::test]
async fn the_life_of_an_item() {
    testkit::each_store(|store| async move {
        let by = designer("zhang");
        let engine = engine(&store).await;
        let nobody = engine.item("cert", None).await.unwrap_err();
        assert_eq!(nobody.code, "input.not_found");
        let first = engine.save(&by, "cert", None, &titled("一")).await.unwrap();
        assert_eq!((first.from_version, first.problems.len()), (0, 0));
        // A draft is no item to the public, and one to its designer.
        assert_eq!(
            engine.item("cert", None).await.unwrap_err().code,
            "input.not_found"
        );
        assert_eq!(
            engine.item("cert", Some(0)).await.unwrap().content.title.zh,
            "证明一"
        );
        let all = ItemFilter {
            all: true,
            limit: 10,
            ..ItemFilter::default()
        };
        assert_eq!(engine.items(None, &all).await.unwrap().count, 0);
        let drafts = engine.items(Some(&by), &all).await.unwrap();
        assert_eq!(
            (drafts.count, drafts.rows[0].state, drafts.rows[0].changed),
            (1, ItemState::Drafted, true)
        );

        let one = engine.rule(&by, "cert", publish()).await.unwrap();
        assert_eq!((one.version, one.state), (1, ItemState::InForce));
        assert_eq!(one.published_by.as_deref(), Some("zhang"));
        let again = engine.rule(&by, "cert", publish()).await.unwrap_err();
        assert_eq!(again.code, "input.stale", "the copy was used up");
        engine.save(&by, "cert", None, &titled("一")).await.unwrap();
        let same = engine.rule(&by, "cert", publish()).await.unwrap_err();
        assert_eq!(same.code, "input.conflict", "nothing differs");
        let two = published(&engine, "二").await;
        assert_eq!(two.version, 2);
        let refused = ItemVerb::RollBack {
            version: 2,
            note: "回退".into(),
        };
        assert_eq!(
            engine.rule(&by, "cert", refused).await.unwrap_err().code,
            "input.invalid"
        );
        let back = ItemVerb::RollBack {
            version: 1,
            note: "回退".into(),
        };
        let three = engine.rule(&by, "cert", back).await.unwrap();
        assert_eq!(
            (three.version, three.content.title.zh.as_str()),
            (3, "证明一")
        );

        let suspend = || ItemVerb::Suspend {
            note: "系统升级".into(),
        };
        assert_eq!(
            engine.rule(&by, "cert", suspend()).await.unwrap().state,
            ItemState::Suspended
        );
        assert_eq!(
            engine.rule(&by, "cert", suspend()).await.unwrap_err().code,
            "input.conflict"
        );
        assert_eq!(
            engine
                .items(
                    None,
                    &ItemFilter {
                        limit: 10,
                        ..ItemFilter::default()
                    }
                )
                .await
                .unwrap()
                .count,
            0
        );
        assert_eq!(
            engine.item("cert", None).await.unwrap().state,
            ItemState::Suspended,
            "what has begun goes on"
        );
        let resume = ItemVerb::Resume {
            note: "完成".into(),
        };
        assert_eq!(
            engine.rule(&by, "cert", resume).await.unwrap().state,
            ItemState::InForce
        );

        // Split: it stands no more, others do.
        engine
            .save(&by, "other", None, &value(INSURANCE))
            .await
            .unwrap();
        engine.rule(&by, "other", publish()).await.unwrap();
        let cancel = |to: &str| ItemVerb::Cancel {
            note: "合并".into(),
            successors: vec![to.into()],
        };
        assert_eq!(
            places(
                &engine
                    .rule(&by, "cert", cancel("cert"))
                    .await
                    .unwrap_err()
                    .problems
            ),
            ["/successors/0"]
        );
        assert_eq!(
            places(
                &engine
                    .rule(&by, "cert", cancel("nothing"))
                    .await
                    .unwrap_err()
                    .problems
            ),
            ["/successors/0"]
        );
        let gone = engine.rule(&by, "cert", cancel("other")).await.unwrap();
        assert_eq!(
            (gone.state, gone.successors.as_slice()),
            (ItemState::Cancelled, ["other".to_string()].as_slice())
        );
        assert_eq!(
            engine
                .save(&by, "cert", None, &titled("四"))
                .await
                .unwrap_err()
                .code,
            "input.conflict"
        );
        for verb in [suspend(), publish()] {
            assert!(engine.rule(&by, "cert", verb).await.is_err());
        }

        // All of it is there after a restart.
        let again = crate::engine(&store).await;
        let versions = again.versions("cert").await.unwrap();
        let seen: Vec<(i64, &str)> = versions
            .iter()
            .map(|v| (v.version, v.content.title.zh.as_str()))
            .collect();
        assert_eq!(seen, [(3, "证明一"), (2, "证明二"), (1, "证明一")]);
        assert!(versions.iter().all(|v| v.state == ItemState::Cancelled));
        assert_eq!(
            *again.item("cert", Some(2)).await.unwrap(),
            *engine.item("cert", Some(2)).await.unwrap()
        );
        assert_eq!(
            again.item("cert", Some(4)).await.unwrap_err().code,
            "input.not_found"
        );
        assert_eq!(
            again.item("cert", Some(-1)).await.unwrap_err().code,
            "input.not_found"
        );
        // Every change was written down: saves, and seven changes with an event each.
        assert_eq!(store.audit().head().await.unwrap().seq, 4 + 7);
        assert_eq!(store.events().read(0, usize::MAX).await.unwrap().len(), 7);
    })
    .await;
}

#[tokio::test]
async fn who_may_not_is_refused() {
    testkit::each_store(|store| async move {
        let engine = engine(&store).await;
        let by = Actor {
            account: "clerk".into(),
            ..Actor::default()
        };
        let code = |outcome: Result<(), Fault>| outcome.unwrap_err().code;
        assert_eq!(
            code(
                engine
                    .save(&by, "cert", None, &titled("一"))
                    .await
                    .map(drop)
            ),
            "access.denied"
        );
        assert_eq!(
            code(engine.working_copy(&by, "cert").await.map(drop)),
            "access.denied"
        );
        assert_eq!(
            code(engine.rule(&by, "cert", publish()).await.map(drop)),
            "access.denied"
        );
        assert_eq!(store.audit().head().await.unwrap().seq, 0);
        let all = ItemFilter {
            all: true,
            limit: 10,
            ..ItemFilter::default()
        };
        engine
            .save(&designer("zhang"), "cert", None, &titled("一"))
            .await
            .unwrap();
        assert_eq!(engine.items(Some(&by), &all).await.unwrap().count, 0);
        let wrong = ItemVerb::Publish { note: " ".into() };
        let refused = engine
            .rule(&designer("zhang"), "cert", wrong)
            .await
            .unwrap_err();
        assert_eq!(places(&refused.problems), ["/note"]);
        engine
            .save(&designer("zhang"), "cert", None, &json!({}))
            .await
            .unwrap();
        let refused = engine
            .rule(&designer("zhang"), "cert", publish())
            .await
            .unwrap_err();
        assert!(
            refused.problems.len() > 10,
            "a copy with faults is refused whole"
        );
        assert_eq!(
            engine.item("cert", None).await.unwrap_err().code,
            "input.not_found"
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_overwrites_what_they_have_not_seen() {
    testkit::each_store(|store| async move {
        let engine = engine(&store).await;
        let (zhang, li) = (designer("zhang"), designer("li"));
        published(&engine, "一").await;
        let seen = engine.working_copy(&li, "cert").await.unwrap();
        assert_eq!((seen.saved_at, seen.from_version), (None, 1));
        let first = engine
            .save(&zhang, "cert", Some(&seen.digest), &titled("张"))
            .await
            .unwrap();
        let late = engine
            .save(&li, "cert", Some(&seen.digest), &titled("李"))
            .await
            .unwrap_err();
        assert_eq!(late.code, "input.stale");
        assert!(late.words.zh.contains("zhang"));
        assert_eq!(
            engine
                .save(&li, "cert", None, &titled("李"))
                .await
                .unwrap_err()
                .code,
            "input.stale"
        );
        let second = engine
            .save(&li, "cert", Some(&first.digest), &titled("李"))
            .await
            .unwrap();
        assert_ne!(first.digest, second.digest);
        assert_eq!(
            engine.working_copy(&zhang, "cert").await.unwrap().content,
            titled("李")
        );
        // A version published meanwhile by another way: the copy can only be given up.
        published_behind(&engine, &store).await;
        let refused = engine.rule(&li, "cert", publish()).await.unwrap_err();
        assert_eq!(refused.code, "input.stale");
        engine.rule(&li, "cert", ItemVerb::Discard).await.unwrap();
        assert_eq!(
            engine
                .rule(&li, "cert", ItemVerb::Discard)
                .await
                .unwrap_err()
                .code,
            "input.conflict"
        );
        let stale = engine
            .save(&li, "cert", Some(&second.digest), &titled("李"))
            .await
            .unwrap_err();
        assert_eq!(stale.code, "input.stale", "that copy was given up");
        let fresh = engine.working_copy(&li, "cert").await.unwrap();
        engine
            .save(&li, "cert", Some(&fresh.digest), &titled("李"))
            .await
            .unwrap();
        assert_eq!(
            engine.rule(&li, "cert", publish()).await.unwrap().version,
            4
        );
        // A draft nobody published goes with its copy, and can be begun again.
        engine
            .save(&li, "draft", None, &titled("稿"))
            .await
            .unwrap();
        engine.rule(&li, "draft", ItemVerb::Discard).await.unwrap();
        assert_eq!(
            engine.working_copy(&li, "draft").await.unwrap_err().code,
            "input.not_found"
        );
        assert!(engine.rule(&li, "draft", publish()).await.is_err());
        engine
            .save(&li, "draft", None, &titled("稿"))
            .await
            .unwrap();
        assert_eq!(
            engine.rule(&li, "draft", publish()).await.unwrap().version,
            1
        );
    })
    .await;
}

/// Two more versions, the second a return to the first, while a copy exists.
async fn published_behind(engine: &Engine, store: &Store) {
    let before = store::items::copy(&mut store.reader().await.unwrap(), "cert")
        .await
        .unwrap()
        .unwrap();
    engine
        .rule(&designer("wang"), "cert", publish())
        .await
        .unwrap();
    let back = ItemVerb::RollBack {
        version: 1,
        note: "回退".into(),
    };
    engine.rule(&designer("wang"), "cert", back).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    store::items::put_copy(&mut tx, &before).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn of_two_who_publish_at_once_one_wins() {
    testkit::each_store(|store| async move {
        let (here, there) = (engine(&store).await, engine(&store).await);
        let (zhang, li) = (designer("zhang"), designer("li"));
        for round in 1..=12 {
            here.save(&zhang, "cert", None, &titled(&format!("第 {round} 次")))
                .await
                .unwrap();
            let (one, two) = tokio::join!(
                here.rule(&zhang, "cert", publish()),
                there.rule(&li, "cert", publish())
            );
            let winners = [&one, &two]
                .iter()
                .filter(|outcome| outcome.is_ok())
                .count();
            assert_eq!(winners, 1, "{one:?} {two:?}");
            let lost = one.as_ref().err().or(two.as_ref().err()).unwrap();
            assert_eq!(lost.code, "input.stale");
            // Whoever lost sees the newest version, in the other process too.
            for engine in [&here, &there] {
                assert_eq!(engine.item("cert", None).await.unwrap().version, round);
            }
        }
        // Suspended here, known there.
        here.rule(
            &zhang,
            "cert",
            ItemVerb::Suspend {
                note: "暂停".into(),
            },
        )
        .await
        .unwrap();
        assert_eq!(
            there.item("cert", Some(3)).await.unwrap().state,
            ItemState::Suspended
        );
        assert_eq!(
            there
                .items(
                    None,
                    &ItemFilter {
                        limit: 1,
                        ..ItemFilter::default()
                    }
                )
                .await
                .unwrap()
                .count,
            0
        );
    })
    .await;
}
