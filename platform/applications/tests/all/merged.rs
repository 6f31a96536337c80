//! What becomes of the items and applications of an office that went into another.

use crate::stage::*;
use kernel::Actor;
use kernel::applications::*;
use store::applications::{ApplicationRow, Counts, DayRow, Put, Write, read, write};
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn the_office_that_has_the_work_is_named_found_and_counted() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        // An item still says the office that is gone; what is handed in comes to its heir.
        let mut content = food();
        content.organisation = "old".into();
        house.items.publish("food", content);
        let new = house.food(1).await.application;
        assert_eq!(new.organisation, "market");
        assert_eq!(new.number, "market-20261125-00001");
        // One that came to the office while it stood.
        let was = house.food(2).await.application;
        let mut reader = store.reader().await.unwrap();
        let row = read::application(&mut reader, read::By::Id, &was.id);
        let row = row.await.unwrap().unwrap();
        drop(reader);
        let version = row.version;
        let mut before = Write {
            applications: vec![Put {
                row: ApplicationRow {
                    organisation: "old".into(),
                    version: version + 1,
                    ..row
                },
                was: version,
            }],
            ..Write::default()
        };
        let mut tx = store.begin().await.unwrap();
        write::apply(&mut tx, &mut before, &|_, _| {})
            .await
            .unwrap();
        let day = DayRow {
            organisation: "old".into(),
            day: at("2026-11-25").0.div_euclid(kernel::time::DAY) + 1,
            counts: Counts {
                submitted: 5,
                ..Counts::default()
            },
        };
        write::add_days(&mut tx, &[day]).await.unwrap();
        tx.commit().await.unwrap();

        let asked = |code: &str| ApplicationFilter {
            organisation: Some(code.into()),
            ..ApplicationFilter::default()
        };
        let page = engine
            .applications(&Actor::system(), &asked("market"))
            .await;
        let page = page.unwrap();
        let shown: Vec<&str> = page.rows.iter().map(|a| a.organisation.as_str()).collect();
        assert_eq!(shown, ["market", "market"], "both are the heir's");
        let civil = engine.applications(&Actor::system(), &asked("civil")).await;
        assert_eq!(civil.unwrap().count, 0);
        let by = resident(1);
        let figures = engine.figures(&by, at("2026-11-25"), at("2026-11-27"));
        let figures = figures.await.unwrap();
        assert!(figures.iter().all(|of| of.organisation != "old"));
        let market = figures
            .iter()
            .find(|of| of.organisation == "market")
            .unwrap();
        assert_eq!((market.submitted, market.title.zh.as_str()), (7, "market"));
        assert_eq!(market.items, 1, "the item counts for the heir");
    })
    .await;
}
