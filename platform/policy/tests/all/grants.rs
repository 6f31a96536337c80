//! Grants for some time and broken glass: in force at once, over at their time, by nobody to
//! themselves, written down, and reviewed.

use crate::{START, actor, declared, person};
use kernel::access::{Actor, Missing, Policy, Standing, Verb};
use kernel::facts::{Filter, Shown};
use kernel::{Clock, ManualClock, Span, Time};
use policy::{Break, Engine, NewGrant, Review};
use std::sync::Arc;
use store::Store;
use testkit::each_store;

async fn open(store: &Store) -> (Arc<Engine>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(START));
    let engine = Engine::open(store.clone(), clock.clone(), &declared(&[]))
        .await
        .unwrap();
    (engine, clock)
}

fn grant(account: Option<&str>, role: Option<&str>, object: &str, until: Time) -> NewGrant {
    NewGrant {
        account: account.map(String::from),
        role: role.map(String::from),
        verbs: vec![Verb::Read],
        object: object.into(),
        record: None,
        scope: None,
        fields: vec![],
        from: None,
        until,
        reason: "联合检查工作组".into(),
        basis: "市政府令第一号".into(),
    }
}

fn wish(object: &str) -> Break {
    Break {
        object: object.into(),
        record: Some("p1".into()),
        reason: "急诊抢救需要核对既往病史".into(),
        minutes: 30,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_in_force_from_its_beginning_to_its_end() {
    each_store(|store| async move {
        let (policy, clock) = open(&store).await;
        let (boss, guest) = (actor("boss", &["operator"]), actor("guest", &[]));
        let may = |policy: &Engine| policy.may(&guest, Verb::Read, "alerts").allowed();
        assert!(!may(&policy));
        let mut later = grant(Some("guest"), None, "alerts", START + Span::hours(3));
        later.from = Some(START + Span::hours(1));
        let given = policy.give(&boss, later).await.unwrap();
        assert!(!given.in_force && !may(&policy));
        clock.set(START + Span::hours(1));
        assert!(may(&policy));
        assert!(!policy.may(&guest, Verb::Handle, "alerts").allowed());
        assert!(
            !policy
                .may(&actor("other", &[]), Verb::Read, "alerts")
                .allowed()
        );
        // It survives a restart, and stops at its end without anybody doing anything.
        let again = Engine::open(store.clone(), clock.clone(), &declared(&[]))
            .await
            .unwrap();
        assert!(may(&again));
        clock.set(START + Span::hours(3));
        assert!(!may(&policy) && !may(&again));
        // Ended early, with a reason.
        let given = policy
            .give(
                &boss,
                grant(None, Some("citizen"), "alerts", clock.now() + Span::days(1)),
            )
            .await
            .unwrap();
        let citizen = actor("c", &["citizen"]);
        assert!(policy.may(&citizen, Verb::Read, "alerts").allowed());
        policy
            .end(&boss, &given.id, "任务已经提前完成")
            .await
            .unwrap();
        assert!(!policy.may(&citizen, Verb::Read, "alerts").allowed());
        assert_eq!(
            policy
                .end(&boss, &given.id, "任务已经提前完成")
                .await
                .unwrap_err()
                .code,
            "input.conflict"
        );
        let all = policy.grants(false, None, 10).await.unwrap();
        assert_eq!(all.len(), 2);
        let filter = store::audit::AuditFilter {
            object: Some("grants".into()),
            limit: 10,
            ..Default::default()
        };
        assert_eq!(store.audit().list(&filter).await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_makes_no_sense_is_refused_whole() {
    each_store(|store| async move {
        let (policy, _) = open(&store).await;
        let boss = actor("boss", &["operator"]);
        let check = async |change: &dyn Fn(&mut NewGrant), at: &str| {
            let mut new = grant(
                Some("guest"),
                None,
                "register.person",
                START + Span::days(1),
            );
            change(&mut new);
            let fault = policy.give(&boss, new).await.unwrap_err();
            assert_eq!(fault.code, "input.invalid");
            assert!(fault.problems.iter().any(|p| p.at == at), "{at}: {fault}");
        };
        check(&|g| g.account = Some("boss".into()), "account").await;
        check(&|g| g.account = None, "account").await;
        check(
            &|g| (g.account, g.role) = (None, Some("operator".into())),
            "role",
        )
        .await;
        check(
            &|g| (g.account, g.role) = (None, Some("emperor".into())),
            "role",
        )
        .await;
        check(&|g| g.verbs.clear(), "verbs").await;
        check(&|g| g.object = "moons".into(), "object").await;
        check(
            &|g| (g.object, g.scope) = ("metrics".into(), Some("own".into())),
            "scope",
        )
        .await;
        check(&|g| g.scope = Some("mine".into()), "scope").await;
        check(&|g| g.fields = vec!["area".into()], "fields").await;
        check(&|g| g.until = START, "until").await;
        check(&|g| g.until = START + Span::days(91), "until").await;
        check(&|g| g.reason = "急".into(), "reason").await;
        check(&|g| g.basis = String::new(), "basis").await;
        assert!(policy.grants(false, None, 10).await.unwrap().is_empty());
        // Text from outside stays text in the policy it becomes.
        let mut new = grant(
            Some("x\" , action, resource); permit (principal"),
            None,
            "alerts",
            START + Span::days(1),
        );
        new.reason = "\"); permit (principal, action, resource); //".into();
        policy.give(&boss, new).await.unwrap();
        assert!(
            !policy
                .may(&actor("guest", &[]), Verb::Read, "alerts")
                .allowed()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_glass_opens_at_once_closes_by_itself_and_is_reviewed() {
    each_store(|store| async move {
        let (policy, clock) = open(&store).await;
        let doctor = actor("yi", &["doctor"]);
        let read = |record: &str| {
            policy.may_this(&doctor, Verb::Read, "register.person", &person(record, "x"))
        };
        assert!(!read("p1").allowed());
        assert_eq!(policy.breakable(&doctor)[0].object, "register.person");
        let given = policy
            .break_glass(&doctor, wish("register.person"))
            .await
            .unwrap();
        assert!(read("p1").allowed() && !read("p2").allowed());
        let mask = policy.mask(
            &doctor,
            Verb::Read,
            "register.person",
            Some(&person("p1", "x")),
        );
        assert_eq!(mask.of("phone"), Shown::Clear);
        assert!(matches!(
            policy.filter(&doctor, Verb::Read, "register.person"),
            Filter::Where(_)
        ));
        assert_eq!(policy.open_glass(&doctor).await.unwrap().len(), 1);
        // Others do not get in through the same glass.
        let other = actor("er", &["doctor"]);
        assert!(
            !policy
                .may_this(&other, Verb::Read, "register.person", &person("p1", "x"))
                .allowed()
        );
        clock.set(START + Span::minutes(30));
        assert!(!read("p1").allowed());
        // It waits for its review, which is nobody's own.
        let waiting = policy.grants(true, None, 10).await.unwrap();
        assert_eq!(waiting.len(), 1);
        let review = |approve| Review {
            approve,
            remark: "情况属实".into(),
        };
        assert_eq!(
            policy
                .review(&doctor, &given.id, review(true))
                .await
                .unwrap_err()
                .code,
            "input.conflict"
        );
        let auditor = actor("auditor", &[]);
        let done = policy
            .review(&auditor, &given.id, review(true))
            .await
            .unwrap();
        assert_eq!(done.outcome.as_deref(), Some("approved"));
        assert!(policy.grants(true, None, 10).await.unwrap().is_empty());
        assert_eq!(
            policy
                .review(&auditor, &given.id, review(false))
                .await
                .unwrap_err()
                .code,
            "input.conflict"
        );
        // An objection closes what is open.
        let given = policy
            .break_glass(&doctor, wish("register.person"))
            .await
            .unwrap();
        assert!(read("p1").allowed());
        policy
            .review(&auditor, &given.id, review(false))
            .await
            .unwrap();
        assert!(!read("p1").allowed());
        let filter = store::audit::AuditFilter {
            verb: Some("break_glass".into()),
            limit: 10,
            ..Default::default()
        };
        assert_eq!(store.audit().list(&filter).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn glass_is_broken_only_by_whom_it_is_declared_for() {
    each_store(|store| async move {
        let (policy, _) = open(&store).await;
        let doctor = actor("yi", &["doctor"]);
        let refused = policy
            .break_glass(&actor("z", &["duty"]), wish("register.person"))
            .await
            .unwrap_err();
        assert_eq!(refused.code, "access.denied");
        for object in ["register.site", "accounts", "register.*", "moons"] {
            let refused = policy.break_glass(&doctor, wish(object)).await.unwrap_err();
            assert_eq!(refused.code, "access.denied", "{object}");
        }
        let check = async |change: &dyn Fn(&mut Break), at: &str| {
            let mut wish = wish("register.person");
            change(&mut wish);
            let fault = policy.break_glass(&doctor, wish).await.unwrap_err();
            assert!(fault.problems.iter().any(|p| p.at == at), "{at}: {fault}");
        };
        check(&|w| w.minutes = 61, "minutes").await;
        check(&|w| w.minutes = 0, "minutes").await;
        check(&|w| w.reason = "着急".into(), "reason").await;
        for _ in 0..policy::GLASS_A_DAY {
            policy
                .break_glass(&doctor, wish("register.person"))
                .await
                .unwrap();
        }
        let often = policy
            .break_glass(&doctor, wish("register.person"))
            .await
            .unwrap_err();
        assert_eq!(often.code, "input.too_many");
    })
    .await;
}

#[test]
fn an_answer_cites_its_policies() {
    let policy = crate::engine(&[]);
    let clerk = Actor {
        standing: Standing {
            proofing: 1,
            ..Standing::default()
        },
        ..actor("wang", &["clerk"])
    };
    let why = policy.explain(
        &clerk,
        Verb::Read,
        "register.person",
        Some(&person("p", "wang")),
    );
    assert!(why.decision.allowed());
    let at = "systems/s/access/roles.yaml:";
    assert!(why.determining[0].at.starts_with(at) && why.determining[0].purpose == "统计");
    assert!(why.determining[0].text.contains("permit ("));
    assert_eq!(why.others.len(), 1);
    assert_eq!(why.others[0].missing, [Missing::Level(2)]);
    let matrix = policy.matrix();
    let line = |role: &str, object: &str, verb| {
        let found = matrix
            .iter()
            .find(|l| l.role == role && l.object == object && l.verb == verb);
        found
            .unwrap_or_else(|| panic!("{role} {object}"))
            .marks
            .join(" ")
    };
    assert_eq!(line("duty", "alerts", Verb::Read), "");
    assert_eq!(line("inspector", "register.site", Verb::Write), "scope:own");
    assert_eq!(line("chief", "system", Verb::Operate), "second_factor");
    assert_eq!(
        line("clerk", "register.person", Verb::Read),
        "level:2 scope:handling clear:id,name masked:phone"
    );
    assert_eq!(line("doctor", "register.person", Verb::Read), "break_glass");
}
