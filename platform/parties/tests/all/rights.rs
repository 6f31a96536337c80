//! Rights over one's own data: export, correction, withdrawal of consent, erasure.

use crate::*;
use parties::{NewLegal, NewRequest};
use testkit::each_store;

fn ask(kind: &str) -> NewRequest {
    NewRequest {
        kind: kind.into(),
        text: "本人申请".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn masked_on_the_page_whole_in_the_export_sealed_in_the_store() {
    each_store(|store| async move {
        let house = house(&store).await;
        let account = house.resident(1).await;
        let (number, name) = parties::demo_person(1);
        let mine = serde_json::to_string(&house.engine.mine(&account).await.unwrap()).unwrap();
        assert!(!mine.contains(&number) && !mine.contains(&name) && !mine.contains(&phone_of(1)));
        let export = house.engine.export_mine(&actor(&account)).await.unwrap();
        let export = serde_json::to_string(&export).unwrap();
        assert!(
            export.contains(&number) && export.contains(&name) && export.contains(&phone_of(1))
        );
        house.engine.reveal_mine(&actor(&account)).await.unwrap();
        let log = house.audit().await;
        let read = log
            .iter()
            .find(|r| r.entry.details["what"] == "exported")
            .unwrap();
        assert!(read.entry.basis.contains("第四十五条"));

        let mut reader = store.reader().await.unwrap();
        let rows = store::parties::parties(&mut reader, None, "", 10)
            .await
            .unwrap();
        let text = format!("{rows:?}");
        assert!(!text.contains(&number) && !text.contains(&name));
        assert!(
            rows[0]
                .sealed
                .as_ref()
                .is_some_and(|s| !s.windows(18).any(|w| w == number.as_bytes()))
        );
        // Opened again with the same keys, the person is still found.
        let again = open(&store, house.clock.clone()).await;
        let found = again
            .engine
            .find(&clerk(), "citizen_number", &number, "核对")
            .await;
        assert!(found.unwrap().is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn correction_is_decided_by_an_official_with_a_reason() {
    each_store(|store| async move {
        let house = house(&store).await;
        let account = house.resident(1).await;
        let engine = &house.engine;
        assert_eq!(
            code(engine.request(&actor(&account), ask("magic")).await),
            "input.invalid"
        );
        let asked = engine
            .request(&actor(&account), ask("correction"))
            .await
            .unwrap();
        let waiting = engine.requests("", 10).await.unwrap();
        assert_eq!(
            (waiting.total, waiting.items[0].text.as_str()),
            (1, "本人申请")
        );
        assert_eq!(
            code(engine.decide(&clerk(), &asked.id, true, "").await),
            "input.invalid"
        );
        assert_eq!(
            code(engine.decide(&clerk(), "none", true, "已核对").await),
            "input.not_found"
        );
        engine
            .decide(&clerk(), &asked.id, true, "已核对")
            .await
            .unwrap();
        assert_eq!(
            code(engine.decide(&clerk(), &asked.id, true, "已核对").await),
            "input.conflict"
        );
        let mine = engine.my_requests(&account).await.unwrap();
        assert_eq!(
            (mine[0].state.as_str(), mine[0].reason.as_deref()),
            ("done", Some("已核对"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_withdrawn_leaves_a_bare_account() {
    each_store(|store| async move {
        let house = house(&store).await;
        let account = house.resident(1).await;
        house
            .engine
            .request(&actor(&account), ask("consent"))
            .await
            .unwrap();
        let standing = house.standing(&account, "s").await;
        assert_eq!((standing.proofing, standing.person), (0, None));
        assert_eq!(
            house.engine.login_name(&phone_of(1)).await.unwrap(),
            phone_of(1)
        );
        assert!(house.accounts.password(&account).is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_is_sealed_away_and_later_destroyed() {
    each_store(|store| async move {
        let house = house(&store).await;
        let account = house.resident(1).await;
        let engine = &house.engine;
        let first = "91130199MA0000001";
        let firm = NewLegal {
            code: format!("{first}{}", kernel::numbers::credit_check(first).unwrap()),
            name: "冀城演示有限公司".into(),
            representative: person(1),
            evidence: "营业执照".into(),
            purpose: "开通".into(),
        };
        engine.enter_legal(&clerk(), firm, None).await.unwrap();
        assert_eq!(
            code(engine.request(&actor(&account), ask("erasure")).await),
            "input.conflict"
        );
        let tie = engine.ties(&account).await.unwrap().remove(0);
        engine
            .end_at_counter(&clerk(), &tie.id, "企业注销")
            .await
            .unwrap();
        let entries = house.audit().await.len();
        engine
            .request(&actor(&account), ask("erasure"))
            .await
            .unwrap();
        assert_eq!(house.accounts.password(&account), None);
        assert!(
            engine
                .find(&clerk(), "citizen_number", &person(1).number, "核对")
                .await
                .unwrap()
                .is_none()
        );
        assert!(house.audit().await.len() > entries, "the audit log stays");
        assert_eq!(code(engine.mine(&account).await), "ok");
        // The person may come back, as somebody new.
        let again = house.register().await;
        house.wait(Span::minutes(2));
        house.phone(&again, &phone_of(1)).await;
        assert_eq!(
            engine
                .prove_online(&actor(&again), &person(1))
                .await
                .unwrap(),
            2
        );
        assert_eq!(engine.destroy_erased().await.unwrap(), 0);
        house.wait(Span::days(3 * 366 + 1));
        assert_eq!(engine.destroy_erased().await.unwrap(), 1);
        assert_eq!(engine.destroy_erased().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_retired_and_nobody_is_lost() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (one, two) = (house.resident(1).await, house.resident(2).await);
        let engine = &house.engine;
        let agent = parties::NewAgent {
            principal: None,
            identity: person(2),
            scope: vec!["data".into()],
            days: 9,
            evidence: "授权书".into(),
            guardian: false,
        };
        engine.invite_agent(&actor(&one), agent).await.unwrap();
        let asked = ask("correction");
        engine.request(&actor(&one), asked).await.unwrap();
        engine.request(&actor(&two), ask("erasure")).await.unwrap();
        assert_eq!(
            engine.reseal().await.unwrap(),
            0,
            "all is under the newest key"
        );
        house
            .crypto
            .newest
            .store(1, std::sync::atomic::Ordering::SeqCst);
        assert!(engine.reseal().await.unwrap() >= 7);
        assert_eq!(engine.reseal().await.unwrap(), 0);
        house
            .crypto
            .oldest
            .store(1, std::sync::atomic::Ordering::SeqCst);
        // Opened anew without the old key: everybody and everything is there.
        let again = open_with(&store, house.clock.clone(), house.crypto.clone()).await;
        let export = again.engine.export_mine(&actor(&one)).await.unwrap();
        let export = serde_json::to_string(&export).unwrap();
        assert!(export.contains(&person(1).number) && export.contains(&phone_of(1)));
        assert!(export.contains("本人申请"));
        let mut reader = store.reader().await.unwrap();
        for which in store::parties::SealedIn::ALL {
            let rows = store::parties::sealed(&mut reader, which, &(String::new(), 0), 100).await;
            assert!(
                rows.unwrap().iter().all(|row| row.bytes[0] == 1),
                "{which:?}"
            );
        }
    })
    .await;
}
