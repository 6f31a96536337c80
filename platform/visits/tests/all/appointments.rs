//! Appointments: half hours, one for a person and matter, cancelling, reminders, no-shows.

use crate::*;
use kernel::page::Part;

const NOON: &str = "2026-11-26T11:30:00+08:00";

#[tokio::test]
async fn half_hours_show_what_is_left() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let slots = engine.slots("h", "birth", day("2026-11-26")).await.unwrap();
        assert_eq!(slots.len(), 14);
        assert_eq!(slots[0].from, at("2026-11-26T09:00:00+08:00"));
        assert_eq!(slots[5].to, at("2026-11-26T12:00:00+08:00"));
        assert!(
            slots
                .iter()
                .all(|slot| (slot.capacity, slot.free) == (2, 2))
        );
        engine
            .book(&resident("li"), booking("birth", NOON))
            .await
            .unwrap();
        let slots = engine.slots("h", "birth", day("2026-11-26")).await.unwrap();
        let free: u32 = slots.iter().map(|slot| slot.free).sum();
        assert_eq!((slots[5].free, free), (1, 27));
        // Today from the next half hour on; a weekend, the past and too far ahead: nothing.
        assert_eq!(
            engine
                .slots("h", "birth", day("2026-11-25"))
                .await
                .unwrap()
                .len(),
            11
        );
        for closed in ["2026-11-28", "2026-11-24", "2026-12-26"] {
            assert_eq!(engine.slots("h", "birth", day(closed)).await.unwrap(), []);
        }
        assert_eq!(
            code(engine.slots("h", "no", day(closed_day())).await),
            "input.not_found"
        );
    })
    .await;
}

fn closed_day() -> &'static str {
    "2026-11-28"
}

#[tokio::test]
async fn what_cannot_be_booked_is_refused() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let li = resident("li");
        for from in [
            "2026-11-26T11:45:00+08:00",
            "2026-11-26T12:00:00+08:00",
            "2026-11-28T10:00:00+08:00",
            "2026-11-25T10:00:00+08:00",
            "2020-11-25T10:00:00+08:00",
            "2027-11-25T10:00:00+08:00",
        ] {
            let outcome = engine.book(&li, booking("birth", from)).await;
            assert_eq!(code(outcome), "visits.closed", "{from}");
        }
        assert_eq!(
            code(engine.book(&li, booking("no", NOON)).await),
            "input.not_found"
        );
        let nobody = engine.book(&Actor::default(), booking("birth", NOON)).await;
        assert_eq!(code(nobody), "access.denied");
        // For somebody else: officers only.
        let mut visitor = booking("birth", NOON);
        visitor.visitor = Some(Visitor {
            name: "李明".into(),
            mobile: "13800000001".into(),
        });
        assert_eq!(
            code(engine.book(&li, visitor.clone()).await),
            "access.denied"
        );
        visitor.visitor = Some(Visitor {
            name: "李明; drop".into(),
            mobile: "1380000".into(),
        });
        let found = places(engine.book(&officer(), visitor).await);
        assert_eq!(found, ["visitor/name", "visitor/mobile"]);
    })
    .await;
}

#[tokio::test]
async fn a_person_has_one_appointment_for_a_matter() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let li = resident("li");
        let first = engine.book(&li, booking("birth", NOON)).await.unwrap();
        assert_eq!(first.code.len(), 8);
        let again = engine
            .book(&li, booking("birth", "2026-11-27T09:00:00+08:00"))
            .await;
        assert_eq!(code(again), "visits.booked");
        engine.book(&li, booking("tax", NOON)).await.unwrap();
        // Somebody else's is not found, theirs can be cancelled and the place is free again.
        let other = engine.cancel(&resident("wang"), &first.id).await;
        assert_eq!(code(other), "input.not_found");
        let cancelled = engine.cancel(&li, &first.id).await.unwrap();
        assert_eq!(cancelled.state, AppointmentState::Cancelled);
        assert_eq!(code(engine.cancel(&li, &first.id).await), "input.conflict");
        for name in ["li", "wang"] {
            engine
                .book(&resident(name), booking("birth", NOON))
                .await
                .unwrap();
        }
        let third = engine.book(&resident("zhao"), booking("birth", NOON)).await;
        assert_eq!(code(third), "visits.full");
        let mine = engine.mine(&li, &Part::default()).await.unwrap();
        assert_eq!((mine.total, mine.items.len()), (3, 3));
        assert_eq!(
            engine
                .mine(&resident("nobody"), &Part::default())
                .await
                .unwrap()
                .total,
            0
        );
        // Acting for an enterprise is another person than oneself.
        let mut agent = li.clone();
        agent.standing.acts_for = Some(kernel::access::Party {
            tie: kernel::access::Tie::Agent,
            party: "91130199MA0TEST001".into(),
            display: "某公司".into(),
            document: "01TIE".into(),
        });
        engine
            .book(&agent, booking("birth", "2026-11-27T09:00:00+08:00"))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_visitor_without_account_is_sealed_masked_and_forgotten() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let mut new = booking("birth", NOON);
        new.visitor = Some(Visitor {
            name: "李小明".into(),
            mobile: "138 0000 0001".into(),
        });
        let made = engine.book(&officer(), new.clone()).await.unwrap();
        assert_eq!(made.visitor, "李** 138****0001");
        assert_eq!(code(engine.book(&officer(), new).await), "visits.booked");
        let said = house.said.0.lock().clone();
        assert_eq!(
            said,
            [("13800000001".into(), Channel::Sms, "visit_booked".into())]
        );
        let audit = serde_json_text(&house.audit().await);
        assert!(!audit.contains("13800000001") && !audit.contains("小明"));
        // A new key: everything is sealed anew before the old one goes.
        house.crypto.rotate(kernel::crypto::Ring::Secrets);
        engine.reseal().await.unwrap();
        house.crypto.retire(kernel::crypto::Ring::Secrets);
        house.clock.set(at("2026-11-25T11:30:00+08:00"));
        engine.remind().await.unwrap();
        assert_eq!(house.said.0.lock().len(), 2);
        let listed = engine
            .appointments(&officer(), "h", day("2026-11-26"), &Part::default())
            .await
            .unwrap();
        assert_eq!(listed.items[0].visitor, "李** 138****0001");
        let denied = engine
            .appointments(&resident("li"), "h", day("2026-11-26"), &Part::default())
            .await;
        assert_eq!(code(denied), "access.denied");
        house.clock.advance(Span::days(100));
        engine.tidy().await.unwrap();
        let listed = engine
            .appointments(&officer(), "h", day("2026-11-26"), &Part::default())
            .await
            .unwrap();
        assert_eq!(listed.items[0].visitor, "");
        assert_eq!(listed.items[0].state, AppointmentState::NoShow);
    })
    .await;
}

fn serde_json_text(rows: &[AuditRow]) -> String {
    let details = rows.iter().map(|row| row.entry.details.to_string());
    details.collect()
}

#[tokio::test]
async fn reminders_come_once_and_not_to_who_cancelled() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        engine
            .book(&resident("li"), booking("birth", NOON))
            .await
            .unwrap();
        let wang = engine
            .book(&resident("wang"), booking("birth", NOON))
            .await
            .unwrap();
        engine.cancel(&resident("wang"), &wang.id).await.unwrap();
        house.said.0.lock().clear();
        assert_eq!(engine.remind().await.unwrap(), 0);
        house.clock.set(at("2026-11-25T11:30:00+08:00"));
        assert_eq!(engine.remind().await.unwrap(), 1);
        assert_eq!(engine.remind().await.unwrap(), 0);
        let said = house.said.0.lock().clone();
        let reminder = |channel| ("li".to_string(), channel, "visit_reminder".to_string());
        assert_eq!(said, [reminder(Channel::Inbox), reminder(Channel::Sms)]);
    })
    .await;
}

#[tokio::test]
async fn who_does_not_come_gives_the_matter_free_again() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let li = resident("li");
        let made = engine.book(&li, booking("birth", NOON)).await.unwrap();
        assert_eq!(
            code(engine.no_show(&officer(), &made.id).await),
            "input.conflict"
        );
        assert_eq!(code(engine.no_show(&li, &made.id).await), "access.denied");
        house.clock.set(at("2026-11-26T12:16:00+08:00"));
        assert_eq!(
            code(engine.check_in(&officer(), "h", &made.code).await),
            "visits.closed"
        );
        assert_eq!(code(engine.cancel(&li, &made.id).await), "visits.closed");
        assert_eq!(engine.tidy().await.unwrap(), 1);
        let mine = engine.mine(&li, &Part::default()).await.unwrap();
        assert_eq!(mine.items[0].state, AppointmentState::NoShow);
        engine
            .book(&li, booking("birth", "2026-11-27T09:00:00+08:00"))
            .await
            .unwrap();
    })
    .await;
}
