//! Acting for another: agents within their scope and period, guardians until eighteen, and the end
//! of a tie at the very next request.

use crate::*;
use parties::{NewAgent, NewGuardianship, NewLegal, NewWard};
use testkit::each_store;

const FIRM: &str = "91130199MA0000001";

fn firm() -> String {
    format!("{FIRM}{}", kernel::numbers::credit_check(FIRM).unwrap())
}

fn legal(serial: u32) -> NewLegal {
    NewLegal {
        code: firm(),
        name: "冀城演示有限公司".into(),
        representative: person(serial),
        evidence: "营业执照 130199000000001".into(),
        purpose: "企业账号开通".into(),
    }
}

fn agent(principal: Option<&str>, serial: u32) -> NewAgent {
    NewAgent {
        principal: principal.map(String::from),
        identity: person(serial),
        scope: vec!["environment".into(), "data".into()],
        days: 30,
        evidence: "授权书 2026-001".into(),
        guardian: false,
    }
}

/// What a request of this account in this session would look like.
async fn caller(house: &House, account: &str, session: &str) -> Actor {
    let standing = house.standing(account, session).await;
    let mut actor = actor(account);
    actor.standing.person = standing.person;
    actor.standing.acts_for = standing.acts_for;
    actor
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_acts_within_scope_and_period() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (boss, clerk_, other) = (
            house.resident(1).await,
            house.resident(2).await,
            house.resident(3).await,
        );
        let engine = &house.engine;
        let party = engine.enter_legal(&clerk(), legal(1), None).await.unwrap();
        // Only its representative authorises for it.
        let stranger = engine
            .invite_agent(&actor(&other), agent(Some(&party.id), 2))
            .await;
        assert_eq!(code(stranger), "input.not_found");
        let invited = engine
            .invite_agent(&actor(&boss), agent(Some(&party.id), 2))
            .await
            .unwrap();
        assert_eq!(invited.state, "invited");
        let again = engine
            .invite_agent(&actor(&boss), agent(Some(&party.id), 2))
            .await;
        assert_eq!(code(again), "input.conflict");
        // Not before it is accepted, and by nobody else.
        let early = engine
            .act_for(&actor(&clerk_), "s2", Some(&invited.id))
            .await;
        assert_eq!(code(early), "input.not_found");
        assert_eq!(
            code(engine.answer_tie(&actor(&other), &invited.id, true).await),
            "input.not_found"
        );
        engine
            .answer_tie(&actor(&clerk_), &invited.id, true)
            .await
            .unwrap();
        assert_eq!(
            code(
                engine
                    .act_for(&actor(&other), "s3", Some(&invited.id))
                    .await
            ),
            "input.not_found"
        );
        engine
            .act_for(&actor(&clerk_), "s2", Some(&invited.id))
            .await
            .unwrap();

        let agent = caller(&house, &clerk_, "s2").await;
        let acts_for = agent.standing.acts_for.clone().unwrap();
        assert_eq!(
            (acts_for.party, acts_for.document),
            (firm(), invited.id.clone())
        );
        engine.demand_matter(&agent, "environment").await.unwrap();
        assert_eq!(
            code(engine.demand_matter(&agent, "taxes").await),
            "parties.beyond_scope"
        );
        // The session of another account does not act by it.
        assert!(house.standing(&other, "s2").await.acts_for.is_none());

        // Over by time: at the next request.
        house.wait(Span::days(30));
        let standing = house.standing(&clerk_, "s2").await;
        assert!(standing.ended && standing.acts_for.is_none());
        assert_eq!(
            code(engine.demand_matter(&agent, "environment").await),
            "parties.tie_ended"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_ends_it_at_the_next_request() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (boss, clerk_) = (house.resident(1).await, house.resident(2).await);
        let engine = &house.engine;
        let party = engine.enter_legal(&clerk(), legal(1), None).await.unwrap();
        let tie = engine
            .invite_agent(&actor(&boss), agent(Some(&party.id), 2))
            .await
            .unwrap();
        engine
            .answer_tie(&actor(&clerk_), &tie.id, true)
            .await
            .unwrap();
        engine
            .act_for(&actor(&clerk_), "s2", Some(&tie.id))
            .await
            .unwrap();
        let before = caller(&house, &clerk_, "s2").await;
        assert!(before.standing.acts_for.is_some());
        assert_eq!(
            code(engine.revoke_tie(&actor(&boss), &tie.id, "").await),
            "input.invalid"
        );
        engine
            .revoke_tie(&actor(&boss), &tie.id, "离职")
            .await
            .unwrap();
        assert!(house.standing(&clerk_, "s2").await.ended);
        // Replayed: neither the old standing nor the old choice helps.
        assert_eq!(
            code(engine.demand_matter(&before, "environment").await),
            "parties.tie_ended"
        );
        assert_eq!(
            code(engine.act_for(&actor(&clerk_), "s2", Some(&tie.id)).await),
            "input.not_found"
        );
        assert_eq!(
            code(engine.answer_tie(&actor(&clerk_), &tie.id, true).await),
            "input.not_found"
        );
        engine.act_for(&actor(&clerk_), "s2", None).await.unwrap();
        assert!(!house.standing(&clerk_, "s2").await.ended);

        // A level that falls takes every tie with it.
        engine
            .act_for(
                &actor(&boss),
                "s1",
                Some(
                    &engine
                        .ties(&boss)
                        .await
                        .unwrap()
                        .iter()
                        .find(|t| t.tie == "representative")
                        .unwrap()
                        .id,
                ),
            )
            .await
            .unwrap();
        assert!(house.standing(&boss, "s1").await.acts_for.is_some());
        engine
            .withdraw(&clerk(), &boss, 1, "核验有误")
            .await
            .unwrap();
        assert!(house.standing(&boss, "s1").await.ended);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_representative_replaces_the_old_one() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (old, new) = (house.resident(1).await, house.resident(2).await);
        let engine = &house.engine;
        let party = engine.enter_legal(&clerk(), legal(1), None).await.unwrap();
        let wrong = engine
            .enter_legal(&clerk(), legal(2), Some("别的名称".into()))
            .await;
        assert_eq!(code(wrong), "input.invalid");
        engine
            .enter_legal(&clerk(), legal(2), Some("冀城演示有限公司".into()))
            .await
            .unwrap();
        let refused = engine
            .invite_agent(&actor(&old), agent(Some(&party.id), 3))
            .await;
        assert_eq!(code(refused), "input.not_found");
        engine
            .invite_agent(&actor(&new), agent(Some(&party.id), 3))
            .await
            .unwrap();
        // By law and register: not revoked by oneself.
        let tie = engine
            .ties(&new)
            .await
            .unwrap()
            .into_iter()
            .find(|t| t.tie == "representative")
            .unwrap();
        assert_eq!(
            code(engine.revoke_tie(&actor(&new), &tie.id, "不干了").await),
            "access.denied"
        );
        assert_eq!(
            code(
                engine
                    .enter_legal(
                        &clerk(),
                        NewLegal {
                            code: "x".into(),
                            evidence: "".into(),
                            ..legal(1)
                        },
                        None
                    )
                    .await
            ),
            "input.invalid"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mother_acts_for_her_child_until_eighteen() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (mother, stranger) = (house.resident(7).await, house.resident(8).await);
        let engine = &house.engine;
        let ward = |serial, year| NewWard {
            identity: claim(parties::demo_child(serial, year)),
            evidence: "出生医学证明 O130199001".into(),
        };
        let wrong = engine.add_ward(&actor(&stranger), ward(7, 2018)).await;
        assert_eq!(code(wrong), "parties.not_proven");
        assert_eq!(
            code(engine.add_ward(&actor(&mother), ward(7, 2008)).await),
            "input.invalid"
        );
        let tie = engine
            .add_ward(&actor(&mother), ward(7, 2018))
            .await
            .unwrap();
        assert_eq!(tie.to, Some(at("2036-06-01T00:00:00+08:00")));
        assert_eq!(
            code(engine.add_ward(&actor(&mother), ward(7, 2018)).await),
            "input.conflict"
        );
        engine
            .act_for(&actor(&mother), "s", Some(&tie.id))
            .await
            .unwrap();
        let child = parties::demo_child(7, 2018);
        let acts_for = house.standing(&mother, "s").await.acts_for.unwrap();
        assert_eq!((acts_for.party, acts_for.display), child);
        let me = caller(&house, &mother, "s").await;
        engine.demand_matter(&me, "social_insurance").await.unwrap();
        // What is done for the child says so in the audit log.
        let asked = parties::NewRequest {
            kind: "correction".into(),
            text: "更正户籍地址".into(),
        };
        engine.request(&me, asked).await.unwrap();
        let log = house.audit().await;
        let entry = log
            .iter()
            .find(|r| r.entry.details["what"] == "request")
            .unwrap();
        assert_eq!(entry.entry.details["acts_for"]["document"], tie.id.as_str());
        assert_eq!(entry.entry.account, mother);

        house.clock.set(at("2036-05-31T23:59:59+08:00"));
        assert!(house.standing(&mother, "s").await.acts_for.is_some());
        house.clock.set(at("2036-06-01T00:00:00+08:00"));
        assert!(house.standing(&mother, "s").await.ended);
        assert_eq!(
            code(engine.demand_matter(&me, "data").await),
            "parties.tie_ended"
        );
        assert!(
            engine
                .acting_for(&mother, Some("s"))
                .await
                .unwrap()
                .options
                .is_empty()
        );
        let shown = engine.ties(&mother).await.unwrap();
        assert_eq!(shown[0].state, "over");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_elder_is_represented_by_letter_of_proxy() {
    each_store(|store| async move {
        let house = house(&store).await;
        let son = house.resident(5).await;
        let first = "13019919500101006";
        let elder = claim((
            format!("{first}{}", kernel::numbers::citizen_check(first).unwrap()),
            "周老".into(),
        ));
        let new = |days| NewGuardianship {
            guardian: person(5),
            ward: Claim {
                number: elder.number.clone(),
                name: elder.name.clone(),
                ..person(1)
            },
            evidence: "委托书 冀城-2026-7".into(),
            days,
            purpose: "代办养老事项".into(),
        };
        assert_eq!(
            code(house.engine.enter_guardianship(&clerk(), new(None)).await),
            "input.invalid"
        );
        assert_eq!(
            code(
                house
                    .engine
                    .enter_guardianship(&clerk(), new(Some(5000)))
                    .await
            ),
            "input.invalid"
        );
        let tie = house
            .engine
            .enter_guardianship(&clerk(), new(Some(365)))
            .await
            .unwrap();
        assert_eq!(tie.tie, "guardian_elder");
        house
            .engine
            .act_for(&actor(&son), "s", Some(&tie.id))
            .await
            .unwrap();
        assert!(house.standing(&son, "s").await.acts_for.is_some());
        house
            .engine
            .end_at_counter(&clerk(), &tie.id, "老人撤回委托")
            .await
            .unwrap();
        assert!(house.standing(&son, "s").await.ended);
        let young = house
            .engine
            .invite_agent(
                &actor(&son),
                NewAgent {
                    guardian: true,
                    scope: vec![],
                    ..agent(None, 6)
                },
            )
            .await;
        assert_eq!(code(young), "input.invalid");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_invitations_and_invitations_under_another_name() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (me, you) = (house.resident(1).await, house.resident(2).await);
        let engine = &house.engine;
        let check = |change: fn(&mut NewAgent), expect: &'static str| {
            let (engine, me) = (engine, actor(&me));
            async move {
                let mut new = agent(None, 2);
                change(&mut new);
                let fault = engine.invite_agent(&me, new).await.err().unwrap();
                let at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
                assert!(at.contains(&expect), "{expect}: {at:?}");
            }
        };
        check(|new| new.days = 0, "days").await;
        check(|new| new.days = 4000, "days").await;
        check(|new| new.scope = vec![], "scope").await;
        check(|new| new.scope = vec!["everything".into()], "scope").await;
        check(
            |new| new.scope = vec!["data".into(), "data".into()],
            "scope",
        )
        .await;
        check(|new| new.evidence = "书\0".into(), "evidence").await;
        check(|new| new.evidence = "书".repeat(10_000), "evidence").await;
        check(|new| new.identity.number = "x".into(), "number").await;
        check(|new| new.identity = person(1), "number").await;
        check(
            |new| new.identity = claim(parties::demo_child(2, 2015)),
            "number",
        )
        .await;

        let mut other = agent(None, 2);
        other.identity.name = "诸葛无".into();
        let tie = engine.invite_agent(&actor(&me), other).await.unwrap();
        assert!(engine.ties(&you).await.unwrap().is_empty());
        assert_eq!(
            code(engine.answer_tie(&actor(&you), &tie.id, true).await),
            "input.not_found"
        );
        // Declined is declined.
        let tie = engine
            .invite_agent(&actor(&you), agent(None, 1))
            .await
            .unwrap();
        engine
            .answer_tie(&actor(&me), &tie.id, false)
            .await
            .unwrap();
        assert_eq!(
            code(engine.answer_tie(&actor(&me), &tie.id, true).await),
            "input.not_found"
        );
    })
    .await;
}
