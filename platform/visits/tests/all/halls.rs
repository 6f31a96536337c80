//! Halls: set whole or not at all, by whom they may be.

use crate::*;
use kernel::page::Part;

#[tokio::test]
async fn a_wrong_hall_is_refused_with_every_fault() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut wrong = hall("A B");
        wrong.title.en.clear();
        wrong.organisation.clear();
        wrong.matters[0].letter = 'a';
        wrong.matters[0].minutes = 0;
        wrong.matters[1].code = "birth".into();
        wrong.matters[1].capacity = 1001;
        wrong.windows[1].code = "1".into();
        wrong.windows[2].matters.push("nothing".into());
        wrong.hours[0][1].from = "11:00".into();
        wrong.hours[1][0].to = "09:07".into();
        wrong.days_ahead = 0;
        let found = places(house.engine.set_hall(&operator(), wrong, 0).await);
        for at in [
            "code",
            "title/en",
            "organisation",
            "matters/0/letter",
            "matters/0/minutes",
            "matters/1/code",
            "matters/1/capacity",
            "windows/1/code",
            "windows/2/matters/1",
            "hours/0/1",
            "hours/1/0",
            "days_ahead",
        ] {
            assert!(found.iter().any(|f| f == at), "{at} of {found:?}");
        }
        let mut idle = hall("idle");
        idle.matters.push(matter("alone", 'C', 0));
        let found = places(house.engine.set_hall(&operator(), idle, 0).await);
        assert_eq!(found, ["matters/2"]);
        assert_eq!(house.engine.halls(&Part::default()).await.unwrap().total, 1);
    })
    .await;
}

#[tokio::test]
async fn a_hall_changes_by_version_and_only_by_operators() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        for by in [resident("li"), officer(), Actor::default()] {
            let outcome = engine.set_hall(&by, hall("h2"), 0).await;
            assert_eq!(code(outcome), "access.denied");
        }
        assert_eq!(
            code(engine.set_hall(&operator(), hall("h"), 0).await),
            "input.stale"
        );
        let mut other = hall("h");
        other.days_ahead = 5;
        assert_eq!(
            engine
                .set_hall(&operator(), other, 1)
                .await
                .unwrap()
                .version,
            2
        );
        let kept = engine.hall("h").await.unwrap();
        assert_eq!((kept.set.days_ahead, kept.version, kept.open), (5, 2, true));
        assert_eq!(code(engine.hall("nowhere").await), "input.not_found");
        assert_eq!(code(engine.hall("../h").await), "input.not_found");
        house.clock.set(at("2026-11-25T12:30:00+08:00"));
        assert!(!engine.hall("h").await.unwrap().open);
        // A hall that is another organisation's: its windows are not ours to run.
        let mut far = hall("far");
        far.organisation = "far".into();
        engine.set_hall(&operator(), far, 0).await.unwrap();
        house.clock.set(at("2026-11-25T14:00:00+08:00"));
        let new = NewTicket {
            hall: "far".into(),
            matter: "tax".into(),
            priority: Priority::Ordinary,
        };
        engine.take(&resident("li"), new).await.unwrap();
        let called = engine.call_next(&officer(), "far", "3").await;
        assert_eq!(code(called), "access.denied");
        let said: Vec<String> = house
            .audit()
            .await
            .into_iter()
            .map(|row| row.entry.details["what"].to_string())
            .collect();
        assert!(said.contains(&"\"hall_set\"".to_string()), "{said:?}");
        let pages = engine
            .halls(&Part {
                after: None,
                limit: Some(1),
            })
            .await
            .unwrap();
        assert_eq!((pages.items.len(), pages.total), (1, 2));
        let next = Part {
            after: pages.next,
            limit: Some(1),
        };
        let second = engine.halls(&next).await.unwrap();
        assert_eq!(
            (second.items[0].set.code.as_str(), second.next),
            ("h", None)
        );
    })
    .await;
}
