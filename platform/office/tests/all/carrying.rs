//! Carrying: retries with growing waits, what is given up, what is not known, what the operator
//! sees and does, and that nothing personal is told.

use crate::fakes::Does::*;
use crate::*;

#[tokio::test]
async fn a_failure_is_tried_again_after_a_growing_wait_and_given_up_in_the_end() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        house.sms.will(&[Fails, Fails, Fails, Fails, Fails, Fails]);
        let id = house.send(sms("k")).await.id;
        let mut waits = vec![];
        for attempt in 1..=6 {
            let carried = house.centre.carry().await.unwrap();
            assert_eq!(carried.sent, 0);
            let row = house.row(&id).await;
            assert_eq!(row.attempts, attempt);
            if let Some(next) = row.next_at {
                assert_eq!(row.state, MessageState::Failed);
                // Not before its time.
                house.centre.carry().await.unwrap();
                assert_eq!(house.row(&id).await.attempts, attempt);
                waits.push(next.since(house.clock.now_()).as_seconds() as i64);
                house.clock.set(next);
            }
        }
        assert_eq!(waits, [30, 120, 480, 1920, 7680]);
        let row = house.row(&id).await;
        assert_eq!(row.state, MessageState::GivenUp);
        assert!(!row.maybe_repeated);
        let reason = row.reason.unwrap();
        // A carrier that repeats the number does not get it shown.
        assert_eq!(reason.zh, "不收 138****0001");
        // The operator tries it again.
        let row = house.centre.retry(&operator(), &id).await.unwrap();
        assert_eq!(row.state, MessageState::Queued);
        assert_eq!(house.centre.carry().await.unwrap().sent, 1);
        assert_eq!(house.row(&id).await.state, MessageState::Sent);
        assert_eq!(
            code(house.centre.retry(&operator(), &id).await),
            "input.conflict"
        );
    })
    .await;
}

trait Now {
    fn now_(&self) -> Time;
}
impl Now for ManualClock {
    fn now_(&self) -> Time {
        kernel::Clock::now(self)
    }
}

#[tokio::test]
async fn what_will_never_be_taken_is_given_up_at_once() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        house.sms.will(&[Refuses]);
        let refused = house.send(sms("refused")).await.id;
        house.centre.carry().await.unwrap();
        let account =
            |name: &str, channel, key: &str| message(Recipient::Account(name.into()), channel, key);
        let unknown = house
            .send(account("nobody", Channel::Sms, "unknown"))
            .await
            .id;
        let no_number = house.send(account("none", Channel::Sms, "none")).await.id;
        let no_mail = house
            .send(account("none", Channel::Email, "none2"))
            .await
            .id;
        let mut late = sms("late");
        late.until = Some(at("2026-11-25T10:30:00+08:00"));
        late.not_before = Some(at("2026-11-25T10:20:00+08:00"));
        let late = house.send(late).await.id;
        house.clock.set(at("2026-11-25T10:30:00+08:00"));
        let carried = house.centre.carry().await.unwrap();
        assert_eq!((carried.sent, carried.given_up), (0, 4));
        for id in [refused, unknown, no_number, no_mail, late] {
            let row = house.row(&id).await;
            assert_eq!(row.state, MessageState::GivenUp, "{row:?}");
            assert!(row.reason.is_some() && row.done_at.is_some());
        }
        assert_eq!(house.sms.count(), 0);
        let counts = house.centre.counts(&operator()).await.unwrap();
        assert_eq!(counts.states["given_up"], 5);
        assert!(counts.sms_ready && counts.email_ready);
    })
    .await;
}

#[tokio::test]
async fn an_account_is_reached_where_it_is_when_it_is_carried_and_in_its_language() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        for (account, channel) in [
            ("zhang", Channel::Sms),
            ("li", Channel::Sms),
            ("li", Channel::Email),
        ] {
            let to = Recipient::Account(account.into());
            let key = format!("{account}/{channel:?}");
            house.send(message(to, channel, &key)).await;
        }
        house.centre.carry().await.unwrap();
        let arrived = house.sms.arrived.lock().clone();
        assert!(arrived.iter().any(|(to, text)| to == "13800000002"
            && text == "您申请的“出生一件事”（受理编号 130199-0001）：已受理"));
        assert!(
            arrived
                .iter()
                .any(|(_, text)| text.starts_with("Your application"))
        );
        let mail = house.mail.arrived.lock()[0].clone();
        assert_eq!(mail.to, "li@example.cn");
        assert!(mail.subject.starts_with("News"));
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_repeats_once_at_most_and_says_so() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        // The carrier takes it and says nothing in time.
        house.sms.will(&[TakesAndIsSilent]);
        let once = house.send(sms("once")).await.id;
        house.centre.carry().await.unwrap();
        let row = house.row(&once).await;
        assert_eq!(row.state, MessageState::Failed);
        house.wait(Span::minutes(1));
        house.centre.carry().await.unwrap();
        let row = house.row(&once).await;
        assert_eq!((row.state, row.maybe_repeated), (MessageState::Sent, true));
        assert_eq!(house.sms.count(), 2);
        // Twice without an answer: not a third time.
        house.sms.will(&[LosesTheAnswer, TakesAndIsSilent]);
        let twice = house.send(sms("twice")).await.id;
        for _ in 0..5 {
            house.centre.carry().await.unwrap();
            house.wait(Span::days(1));
        }
        let row = house.row(&twice).await;
        assert_eq!(
            (row.state, row.maybe_repeated),
            (MessageState::GivenUp, true)
        );
        assert_eq!(house.sms.count(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_who_carry_at_once_carry_each_message_once() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        for number in 0..120 {
            house.send(sms(&format!("k{number}"))).await;
        }
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let centre = house.centre.clone();
            tasks.spawn(async move { centre.carry().await.unwrap().sent });
        }
        let mut sent = 0;
        while let Some(some) = tasks.join_next().await {
            sent += some.unwrap();
        }
        assert_eq!((sent, house.sms.count()), (120, 120));
    })
    .await;
}

#[tokio::test]
async fn the_operator_sees_no_text_and_no_number_and_nobody_else_sees_anything() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let id = house.send(sms("k")).await.id;
        let to = Recipient::Email("zhang@example.cn".into());
        house.send(message(to, Channel::Email, "k2")).await;
        let rows = serde_json::to_string(&house.rows().await).unwrap();
        let audit: String = house
            .audit()
            .await
            .iter()
            .map(|row| format!("{:?}", row.entry))
            .collect();
        for secret in ["13800000001", "zhang@", "130199-0001", "已受理"] {
            assert!(!rows.contains(secret), "{secret}");
            assert!(!audit.contains(secret), "{secret}");
        }
        assert!(rows.contains("138****0001") && rows.contains("z***@example.cn"));
        for by in [person("an"), person("resident"), Actor::default()] {
            let filter = MessageFilter::default();
            assert_eq!(code(house.centre.list(&by, &filter).await), "access.denied");
            assert_eq!(code(house.centre.counts(&by).await), "access.denied");
            assert_eq!(code(house.centre.retry(&by, &id).await), "access.denied");
            assert_eq!(
                code(house.centre.give_up(&by, &id, "重复").await),
                "access.denied"
            );
        }
        let reason = house.centre.give_up(&operator(), &id, " ").await;
        assert_eq!(places(reason), ["reason"]);
        house
            .centre
            .give_up(&operator(), &id, "发错人")
            .await
            .unwrap();
        house.centre.carry().await.unwrap();
        assert_eq!(house.sms.count(), 0);
        let filter = MessageFilter {
            channel: Some(Channel::Sms),
            state: Some(MessageState::GivenUp),
            about: Some("case/1".into()),
            ..MessageFilter::default()
        };
        let page = house.centre.list(&operator(), &filter).await.unwrap();
        assert_eq!((page.total, page.items[0].id.as_str()), (1, id.as_str()));
        assert_eq!(
            code(house.centre.retry(&operator(), "01NONE").await),
            "input.not_found"
        );
    })
    .await;
}

#[tokio::test]
async fn keys_rotate_and_old_messages_are_forgotten() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let ring = kernel::crypto::Ring::Secrets;
        house.send(sms("k")).await;
        let to = Recipient::Account("zhang".into());
        house.send(message(to, Channel::Inbox, "i")).await;
        house.crypto.rotate(ring);
        assert_eq!(house.centre.reseal().await.unwrap(), 3);
        assert_eq!(house.centre.reseal().await.unwrap(), 0);
        house.crypto.retire(ring);
        assert_eq!(house.centre.carry().await.unwrap().sent, 1);
        assert_eq!(house.headings("zhang").await.len(), 1);
        assert_eq!(house.centre.tidy().await.unwrap(), 0);
        house.wait(Span::days(401));
        assert_eq!(house.centre.tidy().await.unwrap(), 3);
        assert_eq!(house.rows().await.len(), 0);
    })
    .await;
}
