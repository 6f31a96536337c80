//! Queue numbers: taking, checking in, calling in a fair order, what happens at a window, board
//! and figures.

use crate::*;
use kernel::page::Part;

#[tokio::test]
async fn numbers_run_by_letter_and_day() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut numbers = vec![];
        for matter in ["birth", "tax", "birth"] {
            numbers.push(house.take(matter, Priority::Ordinary).await.number);
        }
        assert_eq!(numbers, ["A001", "B001", "A002"]);
        house.clock.set(at("2026-11-26T08:40:00+08:00"));
        assert_eq!(house.take("birth", Priority::Ordinary).await.number, "A001");
        // Before half an hour before it opens, and after it closed, no numbers.
        for closed in ["2026-11-27T08:00:00+08:00", "2026-11-27T17:00:00+08:00"] {
            house.clock.set(at(closed));
            let new = NewTicket {
                hall: "h".into(),
                matter: "birth".into(),
                priority: Priority::Ordinary,
            };
            let outcome = house.engine.take(&officer(), new).await;
            assert_eq!(code(outcome), "visits.closed", "{closed}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_resident_has_one_number_and_no_priority_by_saying_so() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let take = |priority| {
            let new = NewTicket {
                hall: "h".into(),
                matter: "birth".into(),
                priority,
            };
            let engine = house.engine.clone();
            async move { engine.take(&resident("li"), new).await }
        };
        assert_eq!(places(take(Priority::Elder).await), ["priority"]);
        let ticket = take(Priority::Ordinary).await.unwrap();
        assert_eq!(code(take(Priority::Ordinary).await), "visits.booked");
        house.serve("1", 5).await.unwrap();
        assert_eq!(
            house.engine.ticket(&ticket.id).await.unwrap().state,
            TicketState::Finished
        );
        take(Priority::Ordinary).await.unwrap();
        assert_eq!(code(house.engine.ticket("01NONE").await), "input.not_found");
    })
    .await;
}

#[tokio::test]
async fn appointments_at_their_time_then_the_preferred_then_in_order() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let slot = "2026-11-25T10:30:00+08:00";
        let made = engine
            .book(&resident("li"), booking("birth", slot))
            .await
            .unwrap();
        // A stranger with the code finds nothing; early by more than an hour is refused.
        let stranger = engine.check_in(&resident("wang"), "h", &made.code).await;
        assert_eq!(code(stranger), "input.not_found");
        let first = house.take("birth", Priority::Ordinary).await;
        let second = house.take("birth", Priority::Ordinary).await;
        let elder = house.take("birth", Priority::Elder).await;
        let appointment = engine
            .check_in(&resident("li"), "h", &made.id)
            .await
            .unwrap();
        assert_eq!(appointment.appointment_at, Some(at(slot)));
        let again = engine.check_in(&officer(), "h", &made.code).await;
        assert_eq!(code(again), "input.conflict");
        // Not its time yet: the elder, then the first.
        assert_eq!(house.serve("1", 3).await.unwrap(), elder.number);
        assert_eq!(house.serve("1", 3).await.unwrap(), first.number);
        house.clock.set(at(slot));
        assert_eq!(house.serve("1", 3).await.unwrap(), appointment.number);
        assert_eq!(house.serve("1", 3).await.unwrap(), second.number);
        assert_eq!(house.serve("1", 3).await, None);
        let mine = engine
            .mine(&resident("li"), &Part::default())
            .await
            .unwrap();
        assert_eq!(mine.items[0].state, AppointmentState::CheckedIn);
        assert_eq!(
            mine.items[0].ticket.as_deref(),
            Some(appointment.id.as_str())
        );
    })
    .await;
}

#[tokio::test]
async fn a_window_does_one_thing_after_the_other() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let by = officer();
        let first = house.take("birth", Priority::Ordinary).await;
        let second = house.take("birth", Priority::Ordinary).await;
        house.call("1").await.unwrap();
        let busy = engine.call_next(&by, "h", "1").await.unwrap_err();
        assert_eq!(busy.code, "input.conflict");
        assert!(busy.words.zh.contains("A001"), "{busy}");
        let held = engine.in_hand(&by, "h", "1").await.unwrap().unwrap();
        assert_eq!(held.id, first.id);
        // What does not fit its state, or is at another window.
        let wrong = [
            ("1", &first.id, TicketAct::Finish, "input.conflict"),
            ("2", &first.id, TicketAct::Start, "input.conflict"),
            ("1", &second.id, TicketAct::Start, "input.conflict"),
            ("9", &first.id, TicketAct::Start, "input.not_found"),
        ];
        for (window, id, act, want) in wrong {
            assert_eq!(
                code(engine.act(&by, window, id, act).await),
                want,
                "{window}"
            );
        }
        let li = resident("li");
        let denied = engine.act(&li, "1", &first.id, TicketAct::Start).await;
        assert_eq!(code(denied), "access.denied");
        // Called again, skipped, the next one, and the skipped one called again.
        assert_eq!(house.act("1", &first.id, TicketAct::Recall).await.calls, 2);
        house.act("1", &first.id, TicketAct::Skip).await;
        assert_eq!(house.call("1").await.unwrap().id, second.id);
        let busy = engine.act(&by, "1", &first.id, TicketAct::Recall).await;
        assert_eq!(code(busy), "input.conflict");
        house.act("1", &second.id, TicketAct::Start).await;
        house.act("1", &second.id, TicketAct::Finish).await;
        let back = house.act("1", &first.id, TicketAct::Recall).await;
        assert_eq!((back.state, back.calls), (TicketState::Called, 3));
        // Handed over: next at that window, before who waits, and at no other.
        house.take("tax", Priority::Soldier).await;
        let to = |window: &str| TicketAct::Transfer {
            window: window.into(),
        };
        assert_eq!(
            code(engine.act(&by, "1", &first.id, to("1")).await),
            "input.conflict"
        );
        assert_eq!(
            code(engine.act(&by, "1", &first.id, to("8")).await),
            "input.not_found"
        );
        house.act("1", &first.id, to("3")).await;
        assert_eq!(house.call("1").await.unwrap().number, "B001");
        assert_eq!(house.call("3").await.unwrap().id, first.id);
        // A restart forgets nothing.
        let engine = open(&house.store, house.clock.clone(), Limits::default())
            .await
            .engine;
        let held = engine.in_hand(&by, "h", "3").await.unwrap().unwrap();
        assert_eq!((held.id, held.state), (first.id, TicketState::Called));
    })
    .await;
}

#[tokio::test]
async fn the_wait_is_estimated_from_how_long_visits_took() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        for _ in 0..5 {
            house.take("birth", Priority::Ordinary).await;
        }
        let last = house.take("birth", Priority::Ordinary).await;
        // Nobody called yet: as the hall was set, ten minutes at one window.
        assert_eq!((last.before, last.wait_min), (Some(5), Some(50)));
        for _ in 0..3 {
            house.serve("1", 4).await;
        }
        let now = house.engine.ticket(&last.id).await.unwrap();
        assert_eq!((now.before, now.wait_min), (Some(2), Some(8)));
        // A second window opens: half as long.
        house.call("2").await.unwrap();
        let now = house.engine.ticket(&last.id).await.unwrap();
        assert_eq!((now.before, now.wait_min), (Some(1), Some(2)));
        // Somebody preferred comes before.
        house.take("birth", Priority::Disabled).await;
        let now = house.engine.ticket(&last.id).await.unwrap();
        assert_eq!(now.before, Some(2));
    })
    .await;
}

#[tokio::test]
async fn the_board_names_nobody_and_figures_count_everybody() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        for _ in 0..4 {
            house.take("birth", Priority::Ordinary).await;
        }
        house.take("tax", Priority::Ordinary).await;
        house.clock.set(at("2026-11-25T10:10:00+08:00"));
        house.serve("1", 6).await.unwrap();
        let skipped = house.call("2").await.unwrap();
        house.act("2", &skipped.id, TicketAct::Skip).await;
        let held = house.call("2").await.unwrap();
        let board = engine.board("h").await.unwrap();
        assert!(board.open);
        let called: Vec<(&str, &str)> = board
            .called
            .iter()
            .map(|c| (c.number.as_str(), c.window.as_str()))
            .collect();
        assert_eq!(called, [(held.number.as_str(), "2")]);
        let waiting: Vec<(char, u32)> =
            board.queues.iter().map(|q| (q.letter, q.waiting)).collect();
        assert_eq!(waiting, [('A', 1), ('B', 1)]);
        let today = day("2026-11-25");
        let figures = engine.figures(&officer(), "h", today, today).await.unwrap();
        let of = |window: Option<&str>| {
            let same = |f: &&WindowFigures| f.window.as_deref() == window;
            figures.iter().find(same).unwrap().clone()
        };
        let one = of(Some("1"));
        assert_eq!((one.served, one.skipped, one.waiting), (1, 0, 0));
        assert_eq!(one.mean_service_min, Some(6.0));
        assert!((9.9..10.1).contains(&one.mean_wait_min.unwrap()), "{one:?}");
        assert_eq!((of(Some("2")).served, of(Some("2")).skipped), (0, 1));
        assert_eq!(of(None).waiting, 2);
        assert_eq!(of(None).mean_wait_min, None);
        let denied = engine.figures(&resident("li"), "h", today, today).await;
        assert_eq!(code(denied), "access.denied");
        let long = engine
            .figures(&officer(), "h", today, day("2027-11-25"))
            .await;
        assert_eq!(places(long), ["to"]);
        let list = engine
            .queue(&officer(), "h", &Part::default())
            .await
            .unwrap();
        assert_eq!(list.total, 5);
        assert_eq!(list.items[0].state, TicketState::Waiting);
        let part = Part {
            after: Some("4".into()),
            limit: None,
        };
        assert_eq!(
            engine
                .queue(&officer(), "h", &part)
                .await
                .unwrap()
                .items
                .len(),
            1
        );
        // The next day what was left is over, and the window is free.
        house.clock.set(at("2026-11-26T09:00:00+08:00"));
        assert_eq!(engine.tidy().await.unwrap(), 3);
        let left = engine.ticket(&held.id).await.unwrap();
        assert_eq!(left.state, TicketState::Expired);
        assert_eq!(engine.board("h").await.unwrap().called, []);
    })
    .await;
}
