//! Levels of proof: they rise by proof, fall by withdrawal, and one person has one account.

use crate::*;
use parties::CounterProof;
use testkit::each_store;

fn seen(account: &str, identity: Claim, replace: bool) -> CounterProof {
    CounterProof {
        account: account.into(),
        identity,
        document_seen: "居民身份证原件".into(),
        purpose: "社保卡申领".into(),
        replace,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_rise_by_proof_and_fall_by_withdrawal() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, account) = (&house.engine, house.register().await);
        let me = actor(&account);
        assert_eq!(
            code(engine.prove_online(&me, &person(1)).await),
            "parties.level"
        );
        house.phone(&account, &phone_of(1)).await;
        let mut wrong = person(1);
        wrong.name = "赵明".into();
        assert_eq!(
            code(engine.prove_online(&me, &wrong).await),
            "parties.not_proven"
        );
        assert_eq!(engine.prove_online(&me, &person(1)).await.unwrap(), 2);
        let standing = house.standing(&account, "s").await;
        assert_eq!(standing.person, Some(person(1).number));
        assert_eq!(
            code(engine.prove_online(&me, &person(2)).await),
            "input.conflict"
        );

        assert_eq!(
            engine
                .prove_at_counter(&clerk(), &seen(&account, person(1), false))
                .await
                .unwrap(),
            3
        );
        // A second proof of a lower kind does not lower it.
        assert_eq!(engine.prove_online(&me, &person(1)).await.unwrap(), 3);
        assert_eq!(
            code(engine.withdraw(&clerk(), &account, 3, "证件被盗用").await),
            "input.invalid"
        );
        assert_eq!(
            code(engine.withdraw(&clerk(), &account, 1, "").await),
            "input.invalid"
        );
        assert_eq!(
            engine
                .withdraw(&clerk(), &account, 1, "证件被盗用")
                .await
                .unwrap(),
            1
        );
        assert_eq!(house.standing(&account, "s").await.person, None);

        let history = engine.mine(&account).await.unwrap().history;
        let what: Vec<&str> = history.iter().map(|s| s.what.as_str()).collect();
        assert_eq!(
            what,
            [
                "registered",
                "phone_proven",
                "proven",
                "proven",
                "proven",
                "proof_withdrawn"
            ]
        );
        // Numbers and names are in no text of the audit log.
        let log = format!("{:?}", house.audit().await);
        assert!(
            !log.contains(&person(1).number) && !log.contains(&person(1).name),
            "{log}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_has_one_account_and_a_stranger_learns_nothing() {
    each_store(|store| async move {
        let house = house(&store).await;
        let first = house.resident(1).await;
        let second = house.register().await;
        house.phone(&second, &phone_of(2)).await;
        let known = house
            .engine
            .prove_online(&actor(&second), &person(1))
            .await
            .err()
            .unwrap();
        let mut nobody = person(3);
        nobody.name = "李四".into();
        let unknown = house
            .engine
            .prove_online(&actor(&second), &nobody)
            .await
            .err()
            .unwrap();
        assert_eq!(known, unknown, "taken and wrong look the same");
        assert_eq!(house.standing(&second, "s").await.proofing, 1);

        let refused = house
            .engine
            .prove_at_counter(&clerk(), &seen(&second, person(1), false))
            .await;
        assert_eq!(code(refused), "parties.one_account");
        let replaced = house
            .engine
            .prove_at_counter(&clerk(), &seen(&second, person(1), true))
            .await;
        assert_eq!(replaced.unwrap(), 3);
        assert_eq!(
            house.accounts.password(&first),
            None,
            "the first one is closed"
        );
        assert_eq!(house.standing(&first, "s").await.proofing, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_proofs_are_refused_whole() {
    each_store(|store| async move {
        let house = house(&store).await;
        let account = house.register().await;
        house.phone(&account, &phone_of(1)).await;
        let me = actor(&account);
        let check = |number: &str, name: &str, expect: &'static [&'static str]| {
            let claim = claim((number.to_string(), name.to_string()));
            let (engine, me) = (&house.engine, &me);
            async move {
                let fault = engine.prove_online(me, &claim).await.err().unwrap();
                let at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
                assert_eq!(at, expect, "{fault}");
            }
        };
        let (number, name) = parties::demo_person(1);
        check("130199199001010010", "李", &["name", "number"]).await;
        check(&number, "李\0明", &["name"]).await;
        check(&number, &"李".repeat(10_000), &["name"]).await;
        check(&"1".repeat(10_000), &name, &["number"]).await;
        let (child, name) = parties::demo_child(1, 2018);
        check(&child, &name, &["number"]).await;
        let (future, name) = parties::demo_child(1, 2030);
        check(&future, &name, &["number"]).await;
        // Nobody proves their own account at the counter, or one that is not there.
        let own = house
            .engine
            .prove_at_counter(&clerk(), &seen("clerk", person(1), false))
            .await;
        assert_eq!(code(own), "input.invalid");
        let none = house
            .engine
            .prove_at_counter(&clerk(), &seen("nobody", person(1), false))
            .await;
        assert_eq!(code(none), "input.not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_are_tried_a_few_times_an_hour() {
    each_store(|store| async move {
        let house = house(&store).await;
        let account = house.register().await;
        house.phone(&account, &phone_of(1)).await;
        for serial in 10..15 {
            let mut wrong = person(serial);
            wrong.name = "诸葛无".into();
            let refused = house.engine.prove_online(&actor(&account), &wrong).await;
            assert_eq!(code(refused), "parties.not_proven");
        }
        let more = house
            .engine
            .prove_online(&actor(&account), &person(1))
            .await;
        assert_eq!(code(more), "input.too_many");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_of_the_counter_are_written_down_and_lists_masked() {
    each_store(|store| async move {
        let house = house(&store).await;
        let account = house.resident(1).await;
        let (engine, clerk) = (&house.engine, clerk());
        let page = engine.list(&clerk, None, "", 10).await.unwrap();
        assert_eq!(page.total, 1);
        let shown = format!("{page:?}");
        assert!(!shown.contains(&person(1).number) && !shown.contains(&person(1).name));
        let number = person(1).number;
        assert_eq!(
            code(engine.find(&clerk, "citizen_number", &number, "").await),
            "input.invalid"
        );
        let found = engine
            .find(&clerk, "citizen_number", &number, "窗口核验")
            .await
            .unwrap()
            .unwrap();
        let other = engine
            .find(&clerk, "citizen_number", &person(2).number, "窗口核验")
            .await;
        assert!(other.unwrap().is_none());
        assert_eq!(
            code(engine.find(&clerk, "cat", &number, "窗口核验").await),
            "input.invalid"
        );
        let revealed = engine.reveal(&clerk, &found.id, "窗口核验").await.unwrap();
        assert_eq!(revealed.identity.unwrap().number, number);
        assert_eq!(revealed.account, Some(account));
        assert_eq!(
            code(engine.reveal(&clerk, &found.id, " ").await),
            "input.invalid"
        );
        let reads: Vec<_> = house
            .audit()
            .await
            .into_iter()
            .filter(|r| r.entry.verb == "read")
            .collect();
        assert_eq!(reads.len(), 4);
        assert!(
            reads
                .iter()
                .all(|r| !r.entry.purpose.is_empty() && !r.entry.basis.is_empty())
        );
    })
    .await;
}
