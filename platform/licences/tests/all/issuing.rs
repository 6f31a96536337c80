//! Issuing: whole or not at all, every fault named, once for one source, signed and sealed.

use crate::*;
use store::licences as rows;
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn a_licence_carries_its_elements() {
    each_store(|store| async move {
        let house = house(&store).await;
        let issued = house.issue(food(1)).await;
        assert!(
            issued
                .identifier
                .starts_with("1.2.156.3005.2.11130199000000019E001.11130199000000019E.20261125")
        );
        let read = licences::identifier::Rules::default().parse(&issued.identifier);
        assert_eq!(read.unwrap().version(), 1);
        assert_eq!(issued.number, "JY21301990000001");
        assert_eq!(issued.issuer.zh, "市场监督管理局");
        assert_eq!(issued.issuer_code, "11130199000000019E");
        assert_eq!(issued.valid_from, at("2026-11-25"));
        assert_eq!(issued.valid_to, Some(at("2031-11-25")));
        assert_eq!(issued.state, State::InForce);
        assert_eq!(issued.state_code, "01");
        let driver = house.issue(driver(2)).await;
        assert_eq!(driver.valid_to, Some(at("2026-12-25")));
        assert_eq!(driver.issuer_code, "11130199000000019E");
        assert!(
            driver.identifier.contains(&driver.number),
            "the serial stands for it"
        );
        // A lower trust grade may be said, a higher one not.
        let scanned = NewLicence {
            grade: Some(kernel::licences::Grade::C),
            issued_on: kernel::numbers::Day::parse("2024-02-29"),
            ..food(3)
        };
        let scanned = house.issue(scanned).await;
        assert_eq!(scanned.grade, kernel::licences::Grade::C);
        assert_eq!(scanned.issued_at, at("2024-02-29"));
        assert_eq!(scanned.valid_to, Some(at("2029-02-28")));
        // A change of the type makes a version; nothing personal is in the log of events or audit.
        let audit = house.audit().await;
        let entry = audit
            .iter()
            .find(|e| e.entry.subject == driver.identifier)
            .unwrap();
        assert_eq!(entry.entry.object, "licences");
        assert_eq!(entry.entry.purpose, "核发许可");
        let log = format!("{audit:?}");
        assert!(!log.contains("李明") && !log.contains(&citizen(2)), "{log}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_is_refused_whole_with_every_fault() {
    each_store(|store| async move {
        let house = house(&store).await;
        let mut wrong = food(2);
        wrong.holder.number = "91130199000000002X".into();
        wrong.holder.name = "\u{202e}".into();
        wrong.number = Some("x".repeat(10_000));
        wrong.serial = Some("a-b".into());
        wrong.issued_on = kernel::numbers::Day::parse("2026-11-26");
        wrong.valid_from = kernel::numbers::Day::parse("2026-11-25");
        wrong.valid_to = kernel::numbers::Day::parse("2026-11-24");
        wrong.fields = fields(json!({
            "category": "bank", "area": "big", "seats": 1.5, "manager": null, "colour": "red",
        }));
        let person = NewLicence {
            holder: driver(3).holder,
            ..food(3)
        };
        let unknown = NewLicence {
            kind: "dog_licence".into(),
            ..food(4)
        };
        let all = [food(1), wrong, person, unknown];
        let found = places(house.engine.issue(&officer("market"), &all).await);
        assert_eq!(
            found,
            [
                "rows/1/holder/number",
                "rows/1/holder/name",
                "rows/1/number",
                "rows/1/serial",
                "rows/1/issued_on",
                "rows/1/fields/colour",
                "rows/1/fields/address",
                "rows/1/fields/category",
                "rows/1/fields/area",
                "rows/1/fields/seats",
                "rows/1/fields/manager",
                "rows/1/valid_to",
                "rows/2/holder/document",
                "rows/3/kind",
            ]
        );
        // Nothing was issued, not even the sound one; and nothing at all is nothing.
        let mut reader = house.store.reader().await.unwrap();
        assert_eq!(rows::next_seq(&mut reader).await.unwrap(), 0);
        drop(reader);
        assert_eq!(
            code(house.engine.issue(&officer("market"), &[]).await),
            "input.invalid"
        );
        let many: Vec<NewLicence> = (0..1001).map(food).collect();
        assert_eq!(
            code(house.engine.issue(&officer("market"), &many).await),
            "input.invalid"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_issuer_issues() {
    each_store(|store| async move {
        let house = house(&store).await;
        for actor in [
            officer("transport"),
            Actor::default(),
            resident(&citizen(1)),
        ] {
            assert_eq!(
                code(house.engine.issue(&actor, &[food(1)]).await),
                "access.denied"
            );
        }
        let mut above = officer("government");
        above.standing.scope = ["government".to_string(), "market".into()].into();
        assert_eq!(code(house.engine.issue(&above, &[food(1)]).await), "ok");
        let licence = house.issue(food(2)).await;
        let change = Change {
            to: State::Suspended,
            reason: "不相干".into(),
            version: None,
        };
        let other = officer("transport");
        let refused = house
            .engine
            .change(&other, &licence.identifier, &change)
            .await;
        assert_eq!(code(refused), "access.denied");
    })
    .await;
}

/// A table as it arrives: what cannot be read, another bureau's type, a serial twice and what was
/// issued before are named at once, each at its row.
#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_every_row_is_named_at_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let serial = |n: u32, serial: &str| NewLicence {
            serial: Some(serial.into()),
            ..food(n)
        };
        house.issue(serial(1, "TAKEN1")).await;
        let row = |new: NewLicence| serde_json::to_value(new).unwrap();
        let mut dates = row(food(3));
        dates["valid_to"] = "2026/12/31".into();
        dates["issued_on"] = 20261231.into();
        dates["grade"] = "E".into();
        dates["colour"] = "red".into();
        dates["fields"]["area"] = "big".into();
        let mut nobody = row(food(4));
        nobody["holder"] = json!({"document": "dog_tag", "name": 7});
        let mut bare = row(food(5));
        bare.as_object_mut().unwrap().remove("kind");
        let rows = [
            row(serial(2, "SAME1")),
            row(driver(2)),
            dates,
            nobody,
            bare,
            row(serial(6, "SAME1")),
            row(serial(7, "TAKEN1")),
            json!("no row"),
        ];
        let refused = house.engine.issue_rows(&officer("market"), &rows).await;
        let fault = refused.err().unwrap();
        assert_eq!(fault.code, "input.invalid");
        let mut found: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "rows/1/kind",
                "rows/2/colour",
                "rows/2/fields/area",
                "rows/2/grade",
                "rows/2/issued_on",
                "rows/2/valid_to",
                "rows/3/holder/document",
                "rows/3/holder/name",
                "rows/3/holder/number",
                "rows/4/kind",
                "rows/5/serial",
                "rows/6/serial",
                "rows/7/holder",
                "rows/7/kind",
                "rows/7/source",
            ]
        );
        let rows_of: Vec<&str> = fault.problems.iter().map(|p| &p.at[..6]).collect();
        assert!(rows_of.is_sorted(), "in order of the table: {rows_of:?}");
        // Only another bureau's: denied, and which rows they are.
        let rows = [row(food(8)), row(driver(8))];
        let refused = house.engine.issue_rows(&officer("market"), &rows).await;
        let fault = refused.err().unwrap();
        assert_eq!(fault.code, "access.denied");
        assert_eq!(fault.problems[0].at, "rows/1/kind");
        // Nothing half done.
        let mut reader = house.store.reader().await.unwrap();
        assert_eq!(rows::next_seq(&mut reader).await.unwrap(), 1);
        drop(reader);
        let rows = [row(food(8)), row(food(9))];
        let issued = house.engine.issue_rows(&officer("market"), &rows).await;
        assert_eq!(issued.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_source_has_one_licence() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, actor) = (&house.engine, officer("market"));
        let first = house.issue(food(1)).await;
        house.wait(Span::days(1));
        let again = engine
            .issue(&actor, &[food(2), food(1), food(2)])
            .await
            .unwrap();
        assert_eq!(again[1].identifier, first.identifier);
        assert_eq!(again[1].issued_at, first.issued_at);
        assert_eq!(
            again[0].identifier, again[2].identifier,
            "one source twice in one request"
        );
        let other = NewLicence {
            number: Some("JY9".into()),
            ..food(1)
        };
        let refused = engine.issue(&actor, &[food(3), other]).await;
        let fault = refused.err().unwrap();
        assert_eq!(fault.code, "input.conflict");
        assert_eq!(fault.problems[0].at, "rows/1/source");
        // The serial of another.
        let serial = Some("2026000001".to_string());
        let one = NewLicence {
            serial: serial.clone(),
            ..food(4)
        };
        house.issue(one).await;
        let two = NewLicence { serial, ..food(5) };
        let refused = engine.issue(&actor, &[two]).await.err().unwrap();
        assert_eq!(refused.problems[0].at, "rows/0/serial");
        let mut reader = house.store.reader().await.unwrap();
        assert_eq!(
            rows::next_seq(&mut reader).await.unwrap(),
            3,
            "food 1, 2 and 4"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_one_transaction() {
    each_store(|store| async move {
        let house = house(&store).await;
        let before = house.store.events().last_seq();
        let many: Vec<NewLicence> = (0..300).map(food).collect();
        let issued = house.engine.issue(&officer("market"), &many).await.unwrap();
        assert_eq!(issued.len(), 300);
        let mut all: Vec<&String> = issued.iter().map(|l| &l.identifier).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 300);
        // Every licence has its step, its audit entry and its event, or none of them: a
        // transaction that fails in its middle leaves nothing.
        let mut reader = house.store.reader().await.unwrap();
        assert_eq!(rows::next_seq(&mut reader).await.unwrap(), 300);
        drop(reader);
        let after = house.store.events().last_seq();
        assert_eq!(after - before, 300);
        let clash = NewLicence {
            serial: Some("7".into()),
            ..food(301)
        };
        let mut many: Vec<NewLicence> = (400..420).map(food).collect();
        many.push(clash.clone());
        many.push(NewLicence {
            serial: Some("7".into()),
            ..food(302)
        });
        assert_eq!(
            code(house.engine.issue(&officer("market"), &many).await),
            "input.invalid"
        );
        let mut reader = house.store.reader().await.unwrap();
        assert_eq!(rows::next_seq(&mut reader).await.unwrap(), 300);
        assert_eq!(house.store.events().last_seq(), after);
        let verdict = house.store.audit().verify().await.unwrap();
        assert_eq!(verdict.damage, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_issue_many_times_at_once_is_one() {
    each_store(|store| async move {
        let house = house(&store).await;
        let tries = (0..20).map(|_| {
            let engine = house.engine.clone();
            tokio::spawn(async move { engine.issue(&officer("market"), &[food(1)]).await })
        });
        let mut found = vec![];
        for each in tries.collect::<Vec<_>>() {
            found.push(each.await.unwrap().unwrap().pop().unwrap().identifier);
        }
        found.dedup();
        assert_eq!(found.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_lies_open_in_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("licences.db");
    let store = Store::open(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let house = house(&store).await;
    let issued = house.issue(driver(7)).await;
    house.present(7, &issued).await;
    house.store.close().await;
    let bytes = std::fs::read(&path).unwrap();
    let found = |text: &str| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(found(&issued.identifier), "the file is read as it is");
    for personal in ["李明", &citizen(7), "case/7/driver"] {
        assert!(!found(personal), "{personal} lies open");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_cut_short_is_whole_or_not_there() {
    each_store(|store| async move {
        let house = house(&store).await;
        let before = house.store.events().last_seq();
        // Twelve requests of fifty, each abandoned a little later than the one before.
        for n in 0_u32..12 {
            let engine = house.engine.clone();
            let many: Vec<NewLicence> = (n * 50..n * 50 + 50).map(food).collect();
            let task = tokio::spawn(async move { engine.issue(&officer("market"), &many).await });
            let patience = std::time::Duration::from_millis(u64::from(n) * 25);
            tokio::time::sleep(patience).await;
            task.abort();
            let _ = task.await;
        }
        // What was abandoned last may still be rolling back: the next writer waits for it.
        house.store.begin().await.unwrap().commit().await.unwrap();
        let mut reader = house.store.reader().await.unwrap();
        let all = rows::licences_after(&mut reader, "", 1000).await.unwrap();
        assert_eq!(
            all.len() % 50,
            0,
            "half a request was issued: {}",
            all.len()
        );
        for row in &all {
            assert_eq!(rows::steps(&mut reader, &row.id).await.unwrap().len(), 1);
        }
        drop(reader);
        let count = all.len() as i64;
        assert_eq!(house.store.events().last_seq() - before, count);
        let audit = house.audit().await;
        let issued = audit.iter().filter(|e| e.entry.details["what"] == "issue");
        assert_eq!(issued.count() as i64, count);
        assert_eq!(house.store.audit().verify().await.unwrap().damage, None);
    })
    .await;
}
