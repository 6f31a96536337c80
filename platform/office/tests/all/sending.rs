//! Handing a message over: what is refused, and that a key sends once.

use crate::*;
use kernel::Words;

#[tokio::test]
async fn a_wrong_message_is_refused_with_every_fault() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let send = |new| {
            let centre = house.centre.clone();
            async move { places(centre.send(&Actor::system(), new).await) }
        };
        let mut wrong = sms("k1");
        wrong.to = Recipient::Mobile("1380000".into());
        wrong.fields = fields(&[("title", "a\nb"), ("number", "\u{7}"), ("more", "x")]);
        wrong.until = Some(at("2026-11-25T09:00:00+08:00"));
        wrong.about = "x".repeat(201);
        let found = send(wrong).await;
        let want = ["until", "about", "to", "fields/number", "fields/progress"];
        for at in want.iter().chain(&["fields/title", "fields/more"]) {
            assert!(found.iter().any(|f| f == at), "{at} of {found:?}");
        }
        let mut wrong = sms("");
        wrong.template = "no_such".into();
        assert_eq!(send(wrong).await, ["once", "template"]);
        // What a number, an address or an account is sent by.
        let cases = [
            (Recipient::Mobile("13800000001".into()), Channel::Email),
            (Recipient::Mobile("13800000001".into()), Channel::Inbox),
            (Recipient::Email("a@example.cn".into()), Channel::Sms),
            (
                Recipient::Email("a@example.cn\r\nBcc: b@x.cn".into()),
                Channel::Email,
            ),
            (Recipient::Email("a@x.cn, b@x.cn".into()), Channel::Email),
            (Recipient::Account(String::new()), Channel::Inbox),
            (Recipient::Account("a\r\nb".into()), Channel::Email),
        ];
        for (to, channel) in cases {
            assert_eq!(send(message(to, channel, "k2")).await, ["to"]);
        }
        assert_eq!(house.rows().await, []);
    })
    .await;
}

#[tokio::test]
async fn a_line_break_never_reaches_a_subject() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        for value in ["x\r\nBcc: evil@example.cn", "x\nSubject: y", "x\ry"] {
            let to = Recipient::Email("zhang@example.cn".into());
            let mut new = message(to, Channel::Email, "k");
            new.fields.insert("title".into(), value.into());
            let found = places(house.centre.send(&Actor::system(), new).await);
            assert_eq!(found, ["fields/title"], "{value:?}");
        }
        // In the text it may stand.
        let to = Recipient::Email("zhang@example.cn".into());
        let mut new = message(to, Channel::Email, "k");
        new.fields.insert("progress".into(), "一\n二".into());
        house.send(new).await;
        house.centre.carry().await.unwrap();
        let mail = house.mail.arrived.lock()[0].clone();
        assert_eq!(mail.subject, "您的办件有新进展：出生一件事");
        assert!(mail.text.contains("一\n二"));
    })
    .await;
}

#[tokio::test]
async fn a_short_message_is_short() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut long = sms("k");
        for name in ["progress", "progress_en"] {
            long.fields.insert(name.into(), "长".repeat(500));
        }
        let found = places(house.centre.send(&Actor::system(), long).await);
        assert_eq!(found, ["text/zh", "text/en"]);
        let mut fits = sms("k");
        fits.fields.insert("progress".into(), "长".repeat(400));
        house.send(fits).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_sends_once_however_often_it_is_used() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let centre = house.centre.clone();
            tasks.spawn(async move { centre.send(&Actor::system(), sms("same")).await.unwrap() });
        }
        let (mut ids, mut fresh) = (std::collections::BTreeSet::new(), 0);
        while let Some(queued) = tasks.join_next().await {
            let queued = queued.unwrap();
            fresh += u32::from(queued.fresh);
            ids.insert(queued.id);
        }
        assert_eq!((ids.len(), fresh), (1, 1));
        house.centre.carry().await.unwrap();
        assert_eq!(house.sms.count(), 1);
        // Also after it was sent.
        assert!(!house.send(sms("same")).await.fresh);
        house.centre.carry().await.unwrap();
        assert_eq!(house.sms.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_message_is_taken_if_and_only_if_its_change_is() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut tx = store.begin().await.unwrap();
        let by = Actor::system();
        house
            .centre
            .send_within(&mut tx, &by, sms("k"))
            .await
            .unwrap();
        drop(tx);
        house.centre.carry().await.unwrap();
        assert_eq!((house.sms.count(), house.rows().await.len()), (0, 0));
        let mut tx = store.begin().await.unwrap();
        house
            .centre
            .send_within(&mut tx, &by, sms("k"))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        house.centre.carry().await.unwrap();
        assert_eq!(house.sms.count(), 1);
        let mut nothing = 5_u8;
        let outcome = house.centre.send_within(&mut nothing, &by, sms("k2")).await;
        assert_eq!(code(outcome), "system.internal");
    })
    .await;
}

#[tokio::test]
async fn too_many_waiting_are_refused() {
    testkit::each_store(|store| async move {
        let limits = Limits {
            waiting: 3,
            ..Limits::default()
        };
        let house = house_with(&store, limits).await;
        for key in ["a", "b", "c"] {
            house.send(sms(key)).await;
        }
        let full = house.centre.send(&Actor::system(), sms("d")).await;
        assert_eq!(code(full), "system.overloaded");
        house.centre.carry().await.unwrap();
        house.send(sms("d")).await;
    })
    .await;
}

fn template(name: &str) -> NewTemplate {
    NewTemplate {
        name: name.into(),
        title: Words::new("停水", "Water"),
        subject: Words::new("停水通知", "No water"),
        text: Words::new("{{place}}停水", "No water at {{place}}"),
        sms: Words::new("{{place}}停水", "No water at {{place}}"),
    }
}

#[tokio::test]
async fn templates_are_checked_versioned_and_the_operators() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let centre = &house.centre;
        let mut wrong = template("Water");
        wrong.subject.zh = "一\n二".into();
        wrong.text.en = "{{place".into();
        wrong.sms.zh = "长".repeat(501);
        wrong.title.en.clear();
        let found = places(centre.put_template(&operator(), wrong, 0).await);
        assert_eq!(
            found,
            ["name", "title/en", "subject/zh", "text/en", "sms/zh"]
        );
        let made = centre
            .put_template(&operator(), template("water"), 0)
            .await
            .unwrap();
        assert_eq!((made.version, made.fields), (1, vec!["place".to_string()]));
        let stale = centre.put_template(&operator(), template("water"), 0).await;
        assert_eq!(code(stale), "input.stale");
        for by in [person("an"), person("resident"), Actor::default()] {
            let outcome = centre.put_template(&by, template("water"), 1).await;
            assert_eq!(code(outcome), "access.denied");
            assert_eq!(
                code(centre.templates(&by, &Part::default()).await),
                "access.denied"
            );
        }
        // Without a short text no short message; words changed by the operator stay.
        let mut no_sms = template("case_progress");
        no_sms.sms = Words::default();
        // What the program does not fill in, no message of it could say.
        let unfilled = centre.put_template(&operator(), no_sms.clone(), 1).await;
        assert_eq!(places(unfilled), ["text/zh", "text/en"]);
        // What it fills in may be left out.
        no_sms.text = Words::new("{{number}}有进展", "News of {{number}}");
        centre.put_template(&operator(), no_sms, 1).await.unwrap();
        let refused = centre.send(&Actor::system(), sms("k")).await;
        assert_eq!(places(refused), ["channel"]);
        let account = Recipient::Account("an".into());
        let told = message(account, Channel::Inbox, "told");
        centre.send(&Actor::system(), told.clone()).await.unwrap();
        let mut misspelt = told;
        misspelt.once = "misspelt".into();
        misspelt.fields.insert("nummer".into(), "1".into());
        let refused = centre.send(&Actor::system(), misspelt).await;
        assert_eq!(places(refused), ["fields/nummer"]);
        let again = house_with(&store, Limits::default()).await.centre;
        let mut page = again.templates(&operator(), &part(None, 2)).await.unwrap();
        assert_eq!(page.total, 14);
        let mut names = vec![];
        loop {
            names.extend(page.items.iter().map(|t| (t.words.name.clone(), t.version)));
            let Some(next) = page.next else { break };
            page = again
                .templates(&operator(), &part(Some(next), 2))
                .await
                .unwrap();
        }
        assert_eq!(names.len(), 14);
        assert_eq!(names[3], ("case_progress".into(), 2));
    })
    .await;
}
