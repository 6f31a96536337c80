//! Histories: they only grow; a re-issue names the former; the end of days is written once.

use crate::*;
use kernel::licences::Verdict;
use testkit::each_store;

async fn steps(house: &House, serial: u32, licence: &Licence) -> Vec<String> {
    let me = resident(&citizen(serial));
    let page = house
        .engine
        .wallet_page(&me, &licence.identifier)
        .await
        .unwrap();
    page.steps.into_iter().map(|s| s.what).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_resumed_revoked_and_no_way_back() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let held = house.change(&licence, State::Suspended).await.unwrap();
        assert_eq!(
            (held.state, held.state_code.as_str(), held.version),
            (State::Suspended, "02", 2)
        );
        assert_eq!(held.reason.as_deref(), Some("依法处理"));
        assert_eq!(
            code(house.change(&licence, State::Suspended).await),
            "input.conflict"
        );
        house.change(&licence, State::InForce).await.unwrap();
        let taken = house.change(&licence, State::Penalty).await.unwrap();
        assert_eq!(taken.state_code, "07");
        for to in State::ALL {
            assert_eq!(code(house.change(&licence, to).await), "input.conflict");
        }
        assert_eq!(
            steps(&house, 1, &licence).await,
            ["issue", "suspend", "resume", "revoke"]
        );
        // A reason, a version that was looked at, an identifier that exists.
        let other = house.issue(driver(2)).await;
        let change = |reason: &str, version, identifier: &str| {
            let change = Change {
                to: State::Suspended,
                reason: reason.into(),
                version,
            };
            let (engine, identifier) = (house.engine.clone(), identifier.to_string());
            async move {
                engine
                    .change(&officer("transport"), &identifier, &change)
                    .await
            }
        };
        assert_eq!(
            places(change("", None, &other.identifier).await),
            ["reason"]
        );
        assert_eq!(
            code(change("核查", Some(9), &other.identifier).await),
            "input.stale"
        );
        assert_eq!(
            places(change("核查", None, "nonsense").await),
            ["identifier"]
        );
        let replaced = Change {
            to: State::Replaced,
            reason: "核查".into(),
            version: None,
        };
        let refused = house
            .engine
            .change(&officer("transport"), &other.identifier, &replaced)
            .await;
        assert_eq!(code(refused), "input.conflict");
        assert_eq!(code(change("核查", Some(1), &other.identifier).await), "ok");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_officers_at_once_one_winner() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let tries = (0..10).map(|_| {
            let (engine, id) = (house.engine.clone(), licence.identifier.clone());
            tokio::spawn(async move {
                let change = Change {
                    to: State::Penalty,
                    reason: "核查".into(),
                    version: Some(1),
                };
                engine
                    .change(&officer("transport"), &id, &change)
                    .await
                    .is_ok()
            })
        });
        let mut won = 0;
        for each in tries.collect::<Vec<_>>() {
            won += u32::from(each.await.unwrap());
        }
        assert_eq!(won, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reissue_names_the_former() {
    each_store(|store| async move {
        let house = house(&store).await;
        let old = house.issue(driver(1)).await;
        let old_code = house.present(1, &old).await;
        let mut new = driver(1);
        new.source = "case/9/change".into();
        house.wait(Span::seconds(1));
        new.fields = fields(json!({ "vehicle_class": "B2" }));
        let actor = officer("transport");
        let made = house
            .engine
            .reissue(&actor, &old.identifier, &new)
            .await
            .unwrap();
        assert_eq!(made.replaces.as_deref(), Some(old.identifier.as_str()));
        let rules = licences::identifier::Rules::default();
        let (a, b) = (
            rules.parse(&old.identifier).unwrap(),
            rules.parse(&made.identifier).unwrap(),
        );
        assert_eq!((&a.serial, a.version(), b.version()), (&b.serial, 1, 2));
        // Asked twice, answered alike; asked otherwise, refused.
        let again = house
            .engine
            .reissue(&actor, &old.identifier, &new)
            .await
            .unwrap();
        assert_eq!(again.identifier, made.identifier);
        let third = NewLicence {
            source: "case/10/change".into(),
            ..new.clone()
        };
        let refused = house.engine.reissue(&actor, &old.identifier, &third).await;
        assert_eq!(code(refused), "input.conflict");
        let mine = house
            .engine
            .wallet(&resident(&citizen(1)), None)
            .await
            .unwrap()
            .0;
        assert_eq!(mine.len(), 2);
        assert_eq!(
            mine[1].replaced_by.as_deref(),
            Some(made.identifier.as_str())
        );
        assert_eq!(mine[1].state, State::Replaced);
        assert_eq!(
            house.verify_token(&old_code.token).await.verdict,
            Verdict::Revoked
        );
        // The next goes on from the newest; it stays with its holder and its type.
        let next = house
            .engine
            .reissue(&actor, &made.identifier, &third)
            .await
            .unwrap();
        assert_eq!(rules.parse(&next.identifier).unwrap().version(), 3);
        let stranger = NewLicence {
            source: "case/11/x".into(),
            ..driver(2)
        };
        let refused = house
            .engine
            .reissue(&actor, &next.identifier, &stranger)
            .await;
        assert_eq!(places(refused), ["holder/number"]);
        let refused = house
            .engine
            .reissue(&officer("market"), &next.identifier, &food(1))
            .await;
        assert_eq!(places(refused), ["serial"]);
        // What is suspended or over is not renewed by a back door.
        let held = house.issue(driver(3)).await;
        house.change(&held, State::Suspended).await.unwrap();
        let back = NewLicence {
            source: "case/12/x".into(),
            ..driver(3)
        };
        for to in [State::Suspended, State::Penalty] {
            if to == State::Penalty {
                house.change(&held, to).await.unwrap();
            }
            let refused = house.engine.reissue(&actor, &held.identifier, &back).await;
            assert_eq!(code(refused), "input.conflict");
        }
        assert_eq!(steps(&house, 1, &old).await, ["issue", "replace"]);
        assert_eq!(steps(&house, 1, &made).await, ["reissue", "replace"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_written_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let many: Vec<NewLicence> = (1..=250).map(driver).collect();
        let issued = house
            .engine
            .issue(&officer("transport"), &many)
            .await
            .unwrap();
        assert_eq!(house.engine.tidy().await.unwrap(), 0);
        house.clock.set(at("2026-12-25T00:00:00+08:00"));
        assert_eq!(house.engine.tidy().await.unwrap(), 250);
        assert_eq!(house.engine.tidy().await.unwrap(), 0);
        assert_eq!(steps(&house, 1, &issued[0]).await, ["issue", "expire"]);
        let mine = house
            .engine
            .wallet(&resident(&citizen(1)), None)
            .await
            .unwrap()
            .0;
        assert_eq!(mine[0].state_code, "05");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_declared_otherwise_gets_a_version_and_licences_keep_theirs() {
    each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
        let keys = Keys::in_memory(Suite::International, clock.clone()).unwrap();
        let before = house_of(&store, clock.clone(), keys.clone(), &files()).await;
        let old = before.issue(driver(1)).await;
        let mut changed = files();
        let text = DRIVER.replace("准驾车型", "车型").replace(
            "minimum: [holder_name, vehicle_class]",
            "minimum: [vehicle_class]",
        );
        changed.insert("cities/c/licences/driver_permit.yaml".into(), text);
        let after = house_of(&store, clock, keys, &changed).await;
        let new = after.issue(driver(2)).await;
        let title = |found: &Verification| found.fields.last().unwrap().title.zh.clone();
        let found = after
            .verify_token(&after.present(1, &old).await.token)
            .await;
        assert_eq!((found.fields.len(), title(&found)), (2, "准驾车型".into()));
        let found = after
            .verify_token(&after.present(2, &new).await.token)
            .await;
        assert_eq!((found.fields.len(), title(&found)), (1, "车型".into()));
    })
    .await;
}
