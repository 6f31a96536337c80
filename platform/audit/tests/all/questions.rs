//! The resident sees who looked, asks, and is answered; and sees nothing of others.

use crate::{engine, entry};
use audit::questions::{Kind, Measure, State};
use kernel::Actor;
use testkit::each_store;

fn actor(account: &str) -> Actor {
    Actor {
        account: account.into(),
        ..Actor::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_asks_about_a_look_at_their_own_data_only() {
    each_store(|store| async move {
        let engine = engine(&store, None).await;
        let mine = |n: i64| {
            let mut entry = entry(n);
            let name = engine.pseudonym(&format!("p{}", n % 7)).unwrap();
            entry.details["records"][0]["person"] = name.into();
            entry
        };
        engine.record((0..70).map(mine).collect()).await.unwrap();
        let who = |person: &str| engine.subject(person, None).unwrap();
        let (looks, total) = engine.accesses(&who("p3"), None, 4).await.unwrap();
        assert_eq!((looks.len(), total), (4, 10));
        assert_eq!(looks[0].seq, 67, "newest first; entry n has number n + 1");
        assert_eq!(
            (looks[0].fields.as_slice(), looks[0].purpose.as_str()),
            (["name".to_string()].as_slice(), "办理业务")
        );
        let (rest, _) = engine
            .accesses(&who("p3"), Some(looks[3].seq), 100)
            .await
            .unwrap();
        assert_eq!(rest.len(), 6);
        assert_eq!(engine.accesses(&who("p"), None, 100).await.unwrap().1, 0);

        let me = actor("resident");
        let seq = looks[0].seq;
        let question = engine
            .ask(&me, &who("p3"), seq, Kind::Object, "我没有办理此业务")
            .await
            .unwrap();
        for (person, seq, text) in [
            ("p4", seq, "?"),
            ("p3", seq + 1, "?"),
            ("p3", i64::MAX, "?"),
        ] {
            let refused = engine.ask(&me, &who(person), seq, Kind::Ask, text).await;
            assert_eq!(refused.unwrap_err().code, "input.not_found");
        }
        for text in ["", "   ", &"长".repeat(2001)] {
            let refused = engine.ask(&me, &who("p3"), seq, Kind::Ask, text).await;
            assert_eq!(refused.unwrap_err().code, "input.invalid");
        }
        let (open, _) = engine.cases(Some(State::Open), None, 10).await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].entry.as_ref().unwrap().seq, seq);

        let officer = actor("protection");
        let stale = engine
            .answer(&officer, &question.id, Measure::Upheld, "查实", Some(7))
            .await;
        assert_eq!(stale.unwrap_err().code, "input.stale");
        engine
            .answer(
                &officer,
                &question.id,
                Measure::Upheld,
                "查实，已处理",
                Some(1),
            )
            .await
            .unwrap();
        let twice = engine
            .answer(&officer, &question.id, Measure::Rejected, "不", None)
            .await;
        assert_eq!(twice.unwrap_err().code, "input.stale");
        let (asked, _) = engine.asked(&who("p3"), None, 10).await.unwrap();
        assert_eq!(asked[0].answer.as_deref(), Some("查实，已处理"));
        assert_eq!(asked[0].measure.as_deref(), Some("upheld"));
        assert_eq!(engine.asked(&who("p4"), None, 10).await.unwrap().1, 0);
        assert_eq!(
            engine.cases(Some(State::Open), None, 10).await.unwrap().1,
            0
        );

        for _ in 0..20 {
            engine
                .ask(&me, &who("p3"), seq, Kind::Ask, "为什么")
                .await
                .unwrap();
        }
        let many = engine.ask(&me, &who("p3"), seq, Kind::Ask, "为什么").await;
        assert_eq!(many.unwrap_err().code, "input.too_many");
        assert_eq!(engine.verify().await.unwrap().damage, None);
    })
    .await;
}
