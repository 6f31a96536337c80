//! The tree: seeded from the files, changed by dated acts, asked about any moment.

use crate::*;
use kernel::Span;
use kernel::organisations::{OrganisationKind, Organisations};
use organisations::Found;
use testkit::each_store;

fn below(house: &House, code: &str, at: Option<Time>) -> Vec<String> {
    house.engine.below(code, at).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_seed_the_tree_and_are_kept_in_step() {
    each_store(|store| async move {
        let house = house(&store).await;
        assert_eq!(below(&house, "city", None), ["city", "bureau"]);
        let bureau = house.engine.get("bureau", None).unwrap();
        assert!(bureau.declared && bureau.kind == OrganisationKind::Department);
        // Seen long before the city was started, too.
        assert_eq!(below(&house, "city", Some(Time(1))), ["city", "bureau"]);
        let ended = house
            .act(
                None,
                Deed::Abolish {
                    code: "bureau".into(),
                },
            )
            .await;
        assert!(problems(ended.unwrap_err())[0].1.contains("declared"));

        house.clock.advance(Span::days(1));
        let renamed = "organisations:\n  city: {title: {zh: 市政府, en: City}, kind: city}\n  \
             bureau: {title: {zh: 数据和政务局, en: Bureau}, parent: city}\n  \
             other: {title: {zh: 新局, en: New}, parent: bureau}\n";
        house.engine.declare(&declared_with(renamed)).await.unwrap();
        let zh = |at| house.engine.get("bureau", at).unwrap().title.zh.clone();
        assert_eq!(
            (zh(None), zh(Some(START))),
            ("数据和政务局".into(), "数据局".into())
        );
        assert_eq!(below(&house, "city", None), ["city", "bureau", "other"]);
        let public = house.engine.get("public", None).unwrap();
        assert!(!public.declared, "no longer in the files, still there");
        let before = house.engine.one("city", None).unwrap().acts.len();
        house.engine.declare(&declared_with(renamed)).await.unwrap();
        assert_eq!(
            house.engine.one("city", None).unwrap().acts.len(),
            before,
            "nothing new"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_have_dates_and_keep_history() {
    each_store(|store| async move {
        let house = house(&store).await;
        house
            .found(&[("housing", "city"), ("land", "city"), ("land_1", "land")])
            .await;
        let next = START + Span::days(30);
        let later = START + Span::days(60);
        let merge = Deed::Merge {
            from: vec!["land".into()],
            into: "housing".into(),
        };
        house.act(Some(next), merge).await.unwrap();
        let split = Deed::Split {
            code: "housing".into(),
            into: vec![NewOrganisation {
                parent: None,
                ..new("forest", "city")
            }],
            children: [("land_1".to_string(), "forest".to_string())].into(),
            keep: true,
        };
        house.act(Some(later), split).await.unwrap();

        assert_eq!(
            below(&house, "city", None),
            ["city", "bureau", "housing", "land", "land_1"]
        );
        assert_eq!(
            below(&house, "city", Some(next)),
            ["city", "bureau", "housing", "land_1"]
        );
        assert_eq!(
            below(&house, "city", Some(later)),
            ["city", "bureau", "forest", "land_1", "housing"]
        );
        assert_eq!(
            house.engine.above("land_1", Some(later)),
            ["forest", "city"]
        );
        house.clock.advance(Span::days(61));
        assert_eq!(
            house.engine.above("land_1", None),
            ["forest", "city"],
            "time has come"
        );
        assert_eq!(house.engine.above("land_1", Some(START)), ["land", "city"]);
        let path = house.engine.path("land_1", None);
        assert_eq!(
            path.iter().map(|o| o.code.as_str()).collect::<Vec<_>>(),
            ["city", "forest", "land_1"]
        );
        let land = house.engine.one("land", None).unwrap();
        assert!(land.organisation.is_none());
        assert_eq!(
            land.acts
                .iter()
                .map(|a| a.what.as_str())
                .collect::<Vec<_>>(),
            ["merge", "found"]
        );
        let all = Found {
            text: Some("land".into()),
            at: Some(START),
            limit: 10,
            ..Found::default()
        };
        assert_eq!(house.engine.list(&all).total, 2);
        let audit = store.audit().verify().await.unwrap();
        assert!(audit.damage.is_none() && audit.checked >= 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_break_the_tree_is_refused_with_every_fault() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.found(&[("a", "city"), ("b", "a"), ("c", "b")]).await;
        let before = below(&house, "city", None);
        let circle = Deed::Change {
            code: "a".into(),
            parent: Some("c".into()),
            title: None,
            kind: None,
            credit_code: None,
            division: None,
            letter_word: None,
        };
        house.clock.advance(Span::days(1));
        let found = problems(house.act(None, circle).await.unwrap_err());
        assert!(
            found
                .iter()
                .any(|(at, en)| at == "a" && en.contains("above itself")),
            "{found:?}"
        );
        let orphan = house.act(None, Deed::Abolish { code: "a".into() }).await;
        let found = problems(orphan.unwrap_err());
        assert_eq!(found.len(), 1);
        assert!(
            found[0].0 == "b" && found[0].1.contains("orphan"),
            "{found:?}"
        );

        let wrong = Deed::Found {
            organisations: vec![
                new("a", "city"),
                new("坏", "city"),
                new("d", "nowhere"),
                NewOrganisation {
                    credit_code: Some("91350100M000100Y44".into()),
                    ..new("e", "city")
                },
                NewOrganisation {
                    division: Some("13".repeat(4)),
                    ..new("f", "city")
                },
                NewOrganisation {
                    title: Words::new(" ", ""),
                    ..new("g", "city")
                },
                NewOrganisation {
                    credit_code: Some("91350100M000100Y43".into()),
                    ..new("h", "city")
                },
                NewOrganisation {
                    credit_code: Some("91350100M000100Y43".into()),
                    ..new("i", "city")
                },
            ],
        };
        let new = NewAct {
            on: None,
            reason: " ".into(),
            act: wrong.clone(),
        };
        let reason = problems(house.engine.act(&boss(), &new).await.unwrap_err());
        assert_eq!(reason[0].0, "reason");
        let found = problems(house.act(None, wrong).await.unwrap_err());
        for (at, en) in [
            ("a", "two versions"),
            ("坏", "letters, digits"),
            ("d", "orphan"),
            ("e", "check character"),
            ("f", "division code"),
            ("g", "a name has"),
            ("i", "belongs to"),
        ] {
            assert!(
                found.iter().any(|(a, e)| a == at && e.contains(en)),
                "{at} {en}: {found:#?}"
            );
        }
        assert_eq!(below(&house, "city", None), before, "nothing was done");
        let dry = act(
            None,
            Deed::Found {
                organisations: vec![crate::new("z", "city")],
            },
        );
        house.engine.act_or_try(&boss(), &dry, true).await.unwrap();
        assert!(house.engine.get("z", None).is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_programs_on_one_store_agree() {
    each_store(|store| async move {
        let one = house(&store).await;
        let two = house(&store).await;
        one.found(&[("x", "city")]).await;
        // Before it has heard of it, the other decides on what the store says.
        let twice = two
            .act(
                None,
                Deed::Found {
                    organisations: vec![new("x", "city")],
                },
            )
            .await;
        assert!(twice.is_err());
        two.found(&[("y", "x")]).await;
        for _ in 0..100 {
            if one.engine.get("y", None).is_some() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(below(&one, "x", None), ["x", "y"]);
        assert_eq!(below(&two, "x", None), ["x", "y"]);
        // And one that starts later sees the same.
        assert_eq!(below(&house(&store).await, "x", None), ["x", "y"]);
    })
    .await;
}
