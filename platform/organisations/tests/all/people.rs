//! People: positions carry roles for their time, leave and delegations, and nothing stays with
//! somebody who has left.

use crate::*;
use async_trait::async_trait;
use kernel::Span;
use kernel::organisations::{OpenItem, OpenWork, Organisations, Successor};
use organisations::*;
use parking_lot::Mutex;
use std::any::Any;
use testkit::each_store;

fn any(_: &str) -> bool {
    true
}

fn who(account: &str) -> Actor {
    Actor {
        account: account.into(),
        display: account.into(),
        ..Actor::default()
    }
}

impl House {
    fn dressed(&self, account: &str) -> Actor {
        let mut actor = who(account);
        self.engine.dress(&mut actor);
        actor
    }
    async fn position(&self, organisation: &str, title: &str, roles: &[&str]) -> String {
        let new = NewPosition {
            organisation: organisation.into(),
            title: Words::new(title, title),
            roles: roles.iter().map(|r| r.to_string()).collect(),
            rank: Rank::Staff,
            valid_from: None,
        };
        let made = self.engine.make_position(&boss(), new, &any).await;
        made.unwrap().id
    }
    async fn appoint(
        &self,
        account: &str,
        position: &str,
        main: bool,
    ) -> Result<Appointment, Fault> {
        let new = NewAppointment {
            account: account.into(),
            position: position.into(),
            main,
            valid_from: None,
            valid_to: None,
            reason: String::new(),
        };
        self.engine.appoint(&boss(), new, account).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_carry_roles_for_their_time() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.found(&[("a", "city"), ("b", "a")]).await;
        let head = house.position("a", "局长", &["lead"]).await;
        let clerk = house.position("b", "科员", &["read"]).await;
        assert!(house.dressed("li").roles.is_empty());
        let main = house.appoint("li", &head, true).await.unwrap();
        house.appoint("li", &clerk, false).await.unwrap();
        let actor = house.dressed("li");
        assert_eq!(actor.roles, ["staff", "lead", "read"]);
        assert_eq!(actor.standing.organisations, ["a", "b"]);
        assert_eq!(
            actor.standing.scope.to_vec(),
            ["a", "b"],
            "b is below a: once"
        );
        let again = house.appoint("li", &head, true).await;
        assert!(again.is_err());
        let second = house.position("city", "市长", &[]).await;
        let found = problems(house.appoint("li", &second, true).await.unwrap_err());
        assert_eq!(found[0].0, "main");

        house.clock.advance(Span::days(5));
        let end = house.clock_now() + Span::days(5);
        house
            .engine
            .end_appointment(&boss(), &main.id, Some(end), "调离")
            .await
            .unwrap();
        assert_eq!(
            house.dressed("li").roles,
            ["staff", "lead", "read"],
            "not yet"
        );
        house.clock.advance(Span::days(5));
        assert_eq!(house.dressed("li").roles, ["staff", "read"]);
        assert_eq!(house.dressed("li").standing.scope.to_vec(), ["b"]);
        let past =
            house
                .engine
                .directory(Some("a"), false, None, Some(START + Span::days(1)), 0, 10);
        assert_eq!(past.items[0].account, "li", "as it was");
        assert_eq!(
            house
                .engine
                .directory(Some("a"), false, None, None, 0, 10)
                .total,
            0
        );
        assert_eq!(
            house
                .engine
                .directory(None, false, Some("科员"), None, 0, 10)
                .total,
            1
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_position_has_the_scope_of_its_organisation() {
    each_store(|store| async move {
        let house = house(&store).await;
        let mut actor = Actor {
            organisation: Some("city".into()),
            ..who("zhang")
        };
        house.engine.dress(&mut actor);
        assert_eq!(actor.standing.scope.to_vec(), ["city", "bureau"]);
        assert_eq!(actor.roles, ["staff"]);
        let mut resident = Actor {
            organisation: Some("public".into()),
            ..who("resident")
        };
        house.engine.dress(&mut resident);
        assert!(resident.roles.is_empty(), "the public is no staff");
        let mut moved = Actor {
            organisation: Some("bureau".into()),
            ..who("zhang")
        };
        house.engine.dress(&mut moved);
        assert_eq!(
            moved.standing.scope.to_vec(),
            ["bureau"],
            "not what was remembered"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delegations_hold_within_their_period_and_end() {
    each_store(|store| async move {
        let house = house(&store).await;
        let giver = Actor {
            roles: vec!["lead".into()],
            ..who("li")
        };
        let new = |to: Time| NewDelegation {
            receiver: "zhao".into(),
            from: Some(START + Span::days(1)),
            to: Some(to),
            roles: vec!["lead".into()],
            reason: "出差".into(),
            must_accept: true,
            ..NewDelegation::default()
        };
        let end = START + Span::days(9);
        let wider = NewDelegation {
            roles: vec!["other".into()],
            ..new(end)
        };
        assert_eq!(
            problems(house.engine.delegate(&giver, wider).await.unwrap_err())[0].0,
            "roles"
        );
        let made = house.engine.delegate(&giver, new(end)).await.unwrap();
        let id = made.id.clone();
        let force = || house.engine.delegation_in_force("zhao", &id).is_some();
        house.clock.advance(Span::days(2));
        assert!(!force(), "not accepted yet");
        assert!(
            house
                .engine
                .answer_delegation(&who("other"), &id, true)
                .await
                .is_err()
        );
        house
            .engine
            .answer_delegation(&who("zhao"), &id, true)
            .await
            .unwrap();
        assert!(force());
        assert!(house.engine.delegation_in_force("other", &id).is_none());
        // Not further.
        let mut acting = Actor {
            roles: vec!["lead".into()],
            ..who("zhao")
        };
        let delegation = house.engine.delegation_in_force("zhao", &id).unwrap();
        let (party, lent) = lend(&delegation, &giver, "/x");
        acting.standing.acts_for = Some(party);
        acting.standing.lent = Some(lent);
        let further = NewDelegation {
            receiver: "qian".into(),
            ..new(end)
        };
        assert!(house.engine.delegate(&acting, further).await.is_err());
        assert_eq!(house.engine.delegations("li").len(), 1, "seen by both");
        assert_eq!(house.engine.delegations("zhao").len(), 1);
        assert!(
            house
                .engine
                .end_delegation(&who("other"), &id, "x", false)
                .await
                .is_err()
        );
        house
            .engine
            .end_delegation(&who("li"), &id, "回来了", false)
            .await
            .unwrap();
        assert!(!force(), "revoked at once");

        let second = NewDelegation {
            must_accept: false,
            ..new(end)
        };
        let id = house.engine.delegate(&giver, second).await.unwrap().id;
        assert!(house.engine.delegation_in_force("zhao", &id).is_some());
        house.engine.account_disabled(&boss(), "li").await.unwrap();
        assert!(house.engine.delegation_in_force("zhao", &id).is_none());
        let third = NewDelegation {
            must_accept: false,
            ..new(end)
        };
        let id = house.engine.delegate(&giver, third).await.unwrap().id;
        house.clock.advance(Span::days(7));
        assert!(
            house.engine.delegation_in_force("zhao", &id).is_none(),
            "over"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_has_a_substitute_until_it_is_given_up() {
    each_store(|store| async move {
        let house = house(&store).await;
        let new = NewLeave {
            from: START + Span::days(1),
            to: START + Span::days(8),
            substitute: Some("zhao".into()),
            reason: "年休假".into(),
        };
        let leave = house
            .engine
            .take_leave(&who("li"), "li", new.clone())
            .await
            .unwrap();
        let id = leave.delegation.unwrap();
        assert!(
            house
                .engine
                .take_leave(&who("li"), "li", new)
                .await
                .is_err(),
            "overlaps"
        );
        assert!(house.engine.delegation_in_force("zhao", &id).is_none());
        house.clock.advance(Span::days(2));
        assert!(house.engine.delegation_in_force("zhao", &id).is_some());
        house
            .engine
            .cancel_leave(&who("li"), &leave.id)
            .await
            .unwrap();
        assert!(house.engine.delegation_in_force("zhao", &id).is_none());
    })
    .await;
}

/// Work that lies with somebody, by identification.
struct Pile(Mutex<std::collections::BTreeMap<String, Option<String>>>);

#[async_trait]
impl OpenWork for Pile {
    fn kind(&self) -> &'static str {
        "case"
    }
    async fn of(&self, account: &str, limit: usize) -> Result<Vec<OpenItem>, Fault> {
        let pile = self.0.lock();
        let mine = pile
            .iter()
            .filter(|(_, who)| who.as_deref() == Some(account));
        let items = mine.map(|(id, _)| OpenItem {
            kind: "case".into(),
            id: id.clone(),
            title: Words::new(id, id),
            since: START,
        });
        Ok(items.take(limit).collect())
    }
    async fn hand_over(
        &self,
        transaction: &mut (dyn Any + Send),
        _: &Actor,
        id: &str,
        _: &str,
        to: &Successor,
    ) -> Result<bool, Fault> {
        assert!(transaction.downcast_mut::<store::Tx>().is_some());
        let to = match to {
            Successor::Account(name) => Some(name.clone()),
            Successor::Queue => None,
        };
        self.0.lock().insert(id.into(), to);
        Ok(true)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_with_somebody_who_left() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.found(&[("a", "city")]).await;
        let desk = house.position("a", "科员", &["work"]).await;
        house.appoint("li", &desk, true).await.unwrap();
        let giver = Actor {
            roles: vec!["work".into()],
            ..who("li")
        };
        let given = NewDelegation {
            receiver: "zhao".into(),
            to: Some(START + Span::days(9)),
            reason: "代班".into(),
            ..NewDelegation::default()
        };
        let delegation = house.engine.delegate(&giver, given).await.unwrap().id;
        let pile = ["1", "2", "3"].map(|id| (id.to_string(), Some("li".to_string())));
        let pile = Arc::new(Pile(Mutex::new(pile.into())));
        let work: Vec<Arc<dyn OpenWork>> = vec![pile.clone()];
        let new = |items: &[(&str, Successor)], to: Successor| NewHandOver {
            leaves_service: true,
            appointments: vec![],
            on: None,
            to,
            items: items
                .iter()
                .map(|(k, v)| (k.to_string(), v.clone()))
                .collect(),
            next: None,
            reason: "调离".into(),
        };
        let zhao = Successor::Account("zhao".into());
        let stray = new(&[("case/9", Successor::Queue)], zhao.clone());
        assert!(
            house
                .engine
                .hand_over(&work, &boss(), "li", stray)
                .await
                .is_err()
        );
        let to_self = new(&[], Successor::Account("li".into()));
        assert!(
            house
                .engine
                .hand_over(&work, &boss(), "li", to_self)
                .await
                .is_err()
        );
        assert_eq!(
            house.dressed("li").roles,
            ["staff", "work"],
            "nothing was done"
        );
        let sound = new(&[("case/2", Successor::Queue)], zhao);
        let record = house
            .engine
            .hand_over(&work, &boss(), "li", sound)
            .await
            .unwrap();
        assert_eq!((record.items.len(), record.by.as_str()), (3, "boss"));
        assert!(pile.of("li", 10).await.unwrap().is_empty());
        assert_eq!(pile.of("zhao", 10).await.unwrap().len(), 2);
        assert!(house.dressed("li").roles.is_empty());
        assert!(
            house
                .engine
                .delegation_in_force("zhao", &delegation)
                .is_none()
        );
        assert!(house.engine.has_left("li"));
        let page = house.engine.member("li").unwrap();
        assert_eq!(page["hand_overs"][0]["items"].as_array().unwrap().len(), 3);
        // And an office nobody holds can go.
        house.clock.advance(Span::days(1));
        house
            .act(None, Deed::Abolish { code: "a".into() })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_go_with_a_merged_organisation() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.found(&[("a", "city"), ("b", "city")]).await;
        let desk = house.position("a", "科员", &["work"]).await;
        house.appoint("li", &desk, true).await.unwrap();
        house.clock.advance(Span::days(1));
        let merge = Deed::Merge {
            from: vec!["a".into()],
            into: "b".into(),
        };
        house.act(None, merge).await.unwrap();
        let actor = house.dressed("li");
        assert_eq!(
            (actor.standing.organisations, actor.roles.len()),
            (vec!["b".to_string(), "a".to_string()], 2),
            "what was a's is b's now"
        );
        assert_eq!(actor.standing.scope.to_vec(), ["b", "a"]);
        let still = house.act(None, Deed::Abolish { code: "b".into() }).await;
        assert!(
            problems(still.unwrap_err())
                .iter()
                .any(|(at, _)| at == "li")
        );
    })
    .await;
}

/// Who has the work of whom, and whom the scope of those above covers.
#[tokio::test(flavor = "multi_thread")]
async fn work_of_an_organisation_that_ended_has_an_heir() {
    each_store(|store| async move {
        let house = house(&store).await;
        house
            .found(&[("a", "city"), ("b", "city"), ("c", "b"), ("d", "city")])
            .await;
        let desk = house.position("d", "科员", &["work"]).await;
        house.appoint("li", &desk, true).await.unwrap();
        let home = |account: &str, code: &str| {
            let mut actor = Actor {
                account: account.into(),
                organisation: Some(code.into()),
                ..Actor::default()
            };
            house.engine.dress(&mut actor);
            actor
        };
        assert_eq!(home("zhao", "a").standing.organisations, ["a"]);
        let later = house.clock_now() + Span::days(2);
        let merge = |from: &str, into: &str| Deed::Merge {
            from: vec![from.into()],
            into: into.into(),
        };
        house.act(Some(later), merge("a", "b")).await.unwrap();
        house.clock.advance(Span::days(1));
        assert_eq!(house.engine.successor("a"), None, "not yet");
        house.clock.advance(Span::days(1));
        assert_eq!(house.engine.successor("a").as_deref(), Some("b"));
        assert_eq!(house.engine.predecessors("b"), ["a"]);
        assert_eq!(
            home("zhao", "a").standing.organisations,
            ["b", "a"],
            "an account of the merged one goes along"
        );
        // 撤销: to the one above; nobody gets the rights of that for having been there.
        house.clock.advance(Span::days(1));
        house
            .act(None, Deed::Abolish { code: "c".into() })
            .await
            .unwrap();
        assert_eq!(house.engine.successor("c").as_deref(), Some("b"));
        assert!(home("qian", "c").standing.organisations.is_empty());
        // 拆分: to the first of the new ones, and on when that is merged.
        house.clock.advance(Span::days(1));
        let split = Deed::Split {
            code: "b".into(),
            into: vec![new("b1", "city"), new("b2", "city")],
            children: Default::default(),
            keep: false,
        };
        house.act(None, split).await.unwrap();
        for code in ["a", "b", "c"] {
            assert_eq!(
                house.engine.successor(code).as_deref(),
                Some("b1"),
                "{code}"
            );
        }
        house.clock.advance(Span::days(1));
        house.act(None, merge("b1", "d")).await.unwrap();
        assert_eq!(house.engine.predecessors("d"), ["a", "b", "b1", "c"]);
        assert_eq!(house.engine.successor("b2"), None);
        let clerk = house.dressed("li");
        assert_eq!(clerk.standing.organisations, ["d", "a", "b", "b1", "c"]);
        assert_eq!(clerk.standing.scope.to_vec(), ["d", "a", "b", "b1", "c"]);
        let above = home("mayor", "city");
        assert!(above.standing.scope.contains(&"a".to_string()));
        assert_eq!(above.standing.organisations, ["city"]);
        // Founded anew it is itself again.
        house.clock.advance(Span::days(1));
        house.found(&[("a", "city")]).await;
        assert_eq!(house.engine.successor("a"), None);
        assert_eq!(house.engine.predecessors("d"), ["b", "b1", "c"]);
    })
    .await;
}

impl House {
    fn clock_now(&self) -> Time {
        use kernel::Clock;
        self.clock.now()
    }
}
