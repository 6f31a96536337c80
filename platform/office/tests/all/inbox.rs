//! The inbox, for members and residents.

use crate::*;

#[tokio::test]
async fn everybody_has_an_inbox_and_sees_no_other() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        for number in 0..5 {
            let to = Recipient::Account("resident".into());
            let mut new = message(to, Channel::Inbox, &format!("k{number}"));
            new.fields.insert("title".into(), format!("件{number}"));
            house.send(new).await;
        }
        let by = person("resident");
        assert_eq!(house.centre.unread(&by).await.unwrap(), 5);
        let (mut after, mut seen) = (None, vec![]);
        loop {
            let filter = InboxFilter {
                after,
                limit: Some(2),
                unread: false,
            };
            let page = house.centre.inbox(&by, &filter).await.unwrap();
            assert_eq!(page.total, 5);
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let titles: Vec<&str> = seen
            .iter()
            .map(|e| e.subject.zh.rsplit('：').next().unwrap())
            .collect();
        assert_eq!(titles, ["件4", "件3", "件2", "件1", "件0"]);
        assert!(seen[0].text.en.contains("number 130199-0001"));
        assert_eq!(seen[0].about, "case/1");
        // Somebody else cannot mark them, whatever they name.
        let ids = Which::Ids(vec![seen[0].id.clone(), seen[1].id.clone()]);
        assert_eq!(
            house.centre.mark_read(&person("an"), &ids).await.unwrap(),
            0
        );
        assert_eq!(house.centre.mark_read(&by, &ids).await.unwrap(), 2);
        assert_eq!(house.centre.mark_read(&by, &ids).await.unwrap(), 0);
        assert_eq!(house.centre.unread(&by).await.unwrap(), 3);
        let filter = InboxFilter {
            unread: true,
            ..InboxFilter::default()
        };
        let unread = house.centre.inbox(&by, &filter).await.unwrap();
        assert_eq!((unread.total, unread.items.len()), (3, 3));
        assert_eq!(house.centre.mark_read(&by, &Which::All).await.unwrap(), 3);
        let all = house
            .centre
            .inbox(&by, &InboxFilter::default())
            .await
            .unwrap();
        assert!(all.items.iter().all(|entry| entry.read_at.is_some()));
        assert_eq!(
            house
                .centre
                .inbox(&person("an"), &filter)
                .await
                .unwrap()
                .total,
            0
        );
        let nobody = house.centre.inbox(&Actor::default(), &filter).await;
        assert_eq!(code(nobody), "access.sign_in");
        assert_eq!(
            places(house.centre.mark_read(&by, &Which::Ids(vec![])).await),
            ["ids"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_message_for_later_comes_later() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let to = Recipient::Account("zhang".into());
        let mut new = message(to, Channel::Inbox, "k");
        new.not_before = Some(at("2026-11-26T08:00:00+08:00"));
        let id = house.send(new).await.id;
        house.centre.carry().await.unwrap();
        assert_eq!(house.headings("zhang").await.len(), 0);
        house.clock.set(at("2026-11-26T08:00:00+08:00"));
        house.centre.carry().await.unwrap();
        house.centre.carry().await.unwrap();
        assert_eq!(house.headings("zhang").await.len(), 1);
        assert_eq!(house.row(&id).await.state, MessageState::Sent);
    })
    .await;
}
