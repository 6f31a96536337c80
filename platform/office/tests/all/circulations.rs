//! Circulated documents: order, receipts, opinions, urging, the end.

use crate::*;

fn document(round: Round, readers: &[&str]) -> NewCirculation {
    NewCirculation {
        title: "关于供水的请示".into(),
        body: "请阅".into(),
        files: vec!["own/an".into()],
        round,
        readers: readers.iter().map(|r| r.to_string()).collect(),
        countersign: false,
        due: None,
    }
}

fn opinion(agrees: Option<bool>, text: &str) -> Opinion {
    Opinion {
        agrees,
        opinion: text.into(),
    }
}

impl House {
    async fn round(&self, new: NewCirculation) -> Circulation {
        self.wait(Span::seconds(1));
        self.office.circulate(&person("an"), new).await.unwrap()
    }
    async fn todo(&self, by: &str) -> u64 {
        let which = Circulations::Todo;
        let page = self
            .office
            .circulations(&person(by), which, &Part::default())
            .await
            .unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.total
    }
}

#[tokio::test]
async fn a_wrong_document_is_refused_with_every_fault() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut wrong = document(Round::Ordered, &["bo", "bo", "resident"]);
        wrong.title = " ".into();
        wrong.files = vec!["own/bo".into()];
        wrong.due = Some(at("2026-11-25T09:00:00+08:00"));
        let found = places(house.office.circulate(&person("an"), wrong).await);
        assert_eq!(found, ["title", "readers/1", "readers/2", "files/0", "due"]);
        let none = document(Round::Ordered, &[]);
        assert_eq!(
            places(house.office.circulate(&person("an"), none).await),
            ["readers"]
        );
    })
    .await;
}

#[tokio::test]
async fn one_after_the_other_reads_when_it_is_their_turn() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let office = &house.office;
        let made = house
            .round(document(Round::Ordered, &["bo", "tao", "wei"]))
            .await;
        assert_eq!((made.done, made.of), (0, 3));
        assert_eq!((house.todo("bo").await, house.todo("tao").await), (1, 0));
        assert_eq!(house.headings("bo").await, ["待阅公文：关于供水的请示"]);
        assert_eq!(house.headings("tao").await.len(), 0);
        // Not before one's turn, and not by others.
        for account in ["tao", "head"] {
            let by = person(account);
            assert_eq!(
                code(office.circulation(&by, &made.id).await),
                "input.not_found"
            );
            let signed = office.sign(&by, &made.id, Opinion::default()).await;
            assert_eq!(code(signed), "input.not_found");
            assert!(!office.sees_file(&by, "own/an").await.unwrap());
        }
        // Looking at it is the receipt; the sender sees it.
        office.circulation(&person("bo"), &made.id).await.unwrap();
        let seen = office.circulation(&person("an"), &made.id).await.unwrap();
        let states: Vec<ReaderState> = seen.readers.iter().map(|r| r.state).collect();
        use ReaderState::*;
        assert_eq!(states, [Received, Waiting, Waiting]);
        assert!(seen.readers[0].received_at.is_some());
        let asked = office
            .sign(&person("bo"), &made.id, opinion(Some(true), ""))
            .await;
        assert_eq!(places(asked), ["agrees"]);
        office
            .sign(&person("bo"), &made.id, opinion(None, "已阅"))
            .await
            .unwrap();
        let again = office
            .sign(&person("bo"), &made.id, opinion(None, "再阅"))
            .await;
        assert_eq!(code(again), "input.conflict");
        assert_eq!((house.todo("bo").await, house.todo("tao").await), (0, 1));
        // The next sees what was said before, not who waits behind.
        let seen = office.circulation(&person("tao"), &made.id).await.unwrap();
        let names: Vec<&str> = seen.readers.iter().map(|r| r.account.as_str()).collect();
        assert_eq!(names, ["bo", "tao"]);
        assert_eq!(seen.readers[0].opinion, "已阅");
        assert!(office.sees_file(&person("tao"), "own/an").await.unwrap());
        office
            .sign(&person("tao"), &made.id, Opinion::default())
            .await
            .unwrap();
        let last = office
            .sign(&person("wei"), &made.id, Opinion::default())
            .await
            .unwrap();
        assert_eq!(last.state, CirculationState::Finished);
        assert_eq!((last.done, last.of), (3, 3));
        assert_eq!(house.headings("an").await, ["传阅结束：关于供水的请示"]);
        let which = Circulations::Done;
        let done = office
            .circulations(&person("bo"), which, &Part::default())
            .await
            .unwrap();
        assert_eq!(done.items[0].id, made.id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_at_once_sign_at_once_and_the_last_ends_it() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut new = document(Round::Parallel, &["bo", "tao", "wei", "xu", "cui"]);
        new.countersign = true;
        let made = house.round(new).await;
        let office = &house.office;
        for wrong in [opinion(None, "好"), opinion(Some(false), " ")] {
            let outcome = office.sign(&person("bo"), &made.id, wrong).await;
            assert_eq!(places(outcome).len(), 1);
        }
        let mut tasks = tokio::task::JoinSet::new();
        for account in ["bo", "tao", "wei", "xu", "cui"].repeat(4) {
            let (office, id) = (house.office.clone(), made.id.clone());
            tasks.spawn(async move {
                let agrees = account != "wei";
                let said = opinion(Some(agrees), "理由");
                code(office.sign(&person(account), &id, said).await)
            });
        }
        let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
        while let Some(outcome) = tasks.join_next().await {
            *outcomes.entry(outcome.unwrap()).or_default() += 1;
        }
        assert_eq!(
            outcomes,
            BTreeMap::from([("ok", 5), ("input.conflict", 15)])
        );
        let seen = office.circulation(&person("an"), &made.id).await.unwrap();
        assert_eq!(seen.state, CirculationState::Finished);
        let against: Vec<&str> = seen
            .readers
            .iter()
            .filter(|r| r.agrees == Some(false))
            .map(|r| r.account.as_str())
            .collect();
        assert_eq!(against, ["wei"]);
        assert_eq!(house.headings("an").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_slow_are_urged_once_an_hour_and_before_it_is_due() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let office = &house.office;
        let mut new = document(Round::Parallel, &["bo", "tao"]);
        new.due = Some(at("2026-11-28T10:00:00+08:00"));
        let made = house.round(new).await;
        office
            .sign(&person("tao"), &made.id, Opinion::default())
            .await
            .unwrap();
        let by = person("an");
        assert_eq!(
            code(office.urge(&person("bo"), &made.id).await),
            "input.not_found"
        );
        assert_eq!(office.urge(&by, &made.id).await.unwrap(), 1);
        assert_eq!(code(office.urge(&by, &made.id).await), "input.conflict");
        house.wait(Span::hours(1));
        assert_eq!(office.urge(&by, &made.id).await.unwrap(), 1);
        let urged =
            |headings: Vec<String>| headings.iter().filter(|h| h.starts_with("催办")).count();
        assert_eq!(urged(house.headings("bo").await), 2);
        assert_eq!(urged(house.headings("tao").await), 0);
        // By itself a day before it is due, once.
        assert_eq!(office.remind().await.unwrap(), 0);
        house.clock.set(at("2026-11-27T10:00:00+08:00"));
        assert_eq!(office.remind().await.unwrap(), 1);
        assert_eq!(office.remind().await.unwrap(), 0);
        assert_eq!(urged(house.headings("bo").await), 3);
        // Ended by the sender: nobody's task any more.
        assert_eq!(
            places(office.withdraw_circulation(&by, &made.id, "").await),
            ["reason"]
        );
        let ended = office
            .withdraw_circulation(&by, &made.id, "重拟")
            .await
            .unwrap();
        assert_eq!(
            (ended.state, ended.done, ended.of),
            (CirculationState::Withdrawn, 1, 2)
        );
        assert_eq!(house.todo("bo").await, 0);
        assert_eq!(
            code(office.circulation(&person("bo"), &made.id).await),
            "input.not_found"
        );
        office.circulation(&person("tao"), &made.id).await.unwrap();
        let seen = office.circulation(&by, &made.id).await.unwrap();
        assert_eq!(seen.readers.len(), 2);
        let late = office
            .sign(&person("bo"), &made.id, Opinion::default())
            .await;
        assert_eq!(code(late), "input.not_found");
    })
    .await;
}
