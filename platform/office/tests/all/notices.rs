//! Notices: for whom, until when, and who has read them.

use crate::*;
use kernel::office::Audience::{self, Organisations};

fn notice(title: &str, audience: Audience) -> NewNotice {
    NewNotice {
        title: title.into(),
        body: "正文".into(),
        files: vec![],
        audience,
        from: None,
        to: None,
        pinned: false,
        confirm: false,
    }
}

fn civil() -> Audience {
    Organisations(vec!["civil".into()])
}

impl House {
    async fn publish(&self, by: &str, new: NewNotice) -> Notice {
        self.wait(Span::seconds(1));
        self.office.publish(&person(by), new).await.unwrap()
    }
    async fn titles(&self, by: &str, which: Notices) -> Vec<String> {
        let page = self
            .office
            .notices(&person(by), which, &Part::default())
            .await
            .unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.items.into_iter().map(|notice| notice.title).collect()
    }
}

#[tokio::test]
async fn who_may_publish_to_whom() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let tax = || Organisations(vec!["tax".into()]);
        let births = || Organisations(vec!["civil/births".into()]);
        for (by, audience, want) in [
            ("an", civil(), "access.denied"),
            ("resident", civil(), "access.denied"),
            ("head", civil(), "ok"),
            ("head", births(), "ok"),
            ("head", tax(), "access.denied"),
            ("head", Audience::Members, "access.denied"),
            ("head", Audience::Public, "access.denied"),
            ("chief", tax(), "ok"),
            ("chief", Audience::Members, "ok"),
            ("chief", Audience::Public, "ok"),
        ] {
            let outcome = house
                .office
                .publish(&person(by), notice("题", audience.clone()))
                .await;
            assert_eq!(code(outcome), want, "{by} {audience:?}");
        }
        let mut wrong = notice("", Organisations(vec!["civil".into(), "moon".into()]));
        wrong.body.clear();
        wrong.to = Some(at("2026-11-25T09:00:00+08:00"));
        wrong.from = Some(at("2028-11-25T09:00:00+08:00"));
        wrong.files = vec!["own/an".into()];
        let found = places(house.office.publish(&person("chief"), wrong).await);
        let want = [
            "to",
            "from",
            "title",
            "body",
            "audience/organisations/1",
            "files/0",
        ];
        assert_eq!(found, want);
        let mut public = notice("题", Audience::Public);
        public.confirm = true;
        assert_eq!(
            places(house.office.publish(&person("chief"), public).await),
            ["confirm"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_notice_is_shown_to_whom_it_is_for_while_it_holds() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        house
            .publish("chief", notice("市民", Audience::Public))
            .await;
        house
            .publish("chief", notice("全体", Audience::Members))
            .await;
        let mut pinned = notice("民政", civil());
        pinned.pinned = true;
        let civil = house.publish("head", pinned).await;
        let mut later = notice("以后", Audience::Members);
        later.from = Some(at("2026-11-26T00:00:00+08:00"));
        later.to = Some(at("2026-11-27T00:00:00+08:00"));
        house.publish("chief", later).await;
        // cui works below civil; pinned first, then newest first.
        assert_eq!(
            house.titles("cui", Notices::Mine).await,
            ["民政", "全体", "市民"]
        );
        assert_eq!(house.titles("tao", Notices::Mine).await, ["全体", "市民"]);
        let (mut after, mut paged) = (None, vec![]);
        loop {
            let part = part(after, 1);
            let page = house
                .office
                .notices(&person("cui"), Notices::Mine, &part)
                .await
                .unwrap();
            paged.extend(page.items.into_iter().map(|n| n.title));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paged, ["民政", "全体", "市民"]);
        let public = house.office.public_notices(&Part::default()).await.unwrap();
        assert_eq!(public.items.len(), 1);
        assert_eq!(
            (public.items[0].title.as_str(), public.items[0].by.as_ref()),
            ("市民", None)
        );
        let id = &public.items[0].id;
        assert_eq!(house.office.public_notice(id).await.unwrap().body, "正文");
        assert_eq!(
            code(house.office.public_notice(&civil.id).await),
            "input.not_found"
        );
        assert_eq!(
            code(house.office.notice(&person("tao"), &civil.id).await),
            "input.not_found"
        );
        house.clock.set(at("2026-11-26T00:00:00+08:00"));
        assert_eq!(
            house.titles("tao", Notices::Mine).await,
            ["以后", "全体", "市民"]
        );
        house.clock.set(at("2026-11-27T00:00:00+08:00"));
        assert_eq!(house.titles("tao", Notices::Mine).await, ["全体", "市民"]);
        assert_eq!(house.titles("chief", Notices::Published).await.len(), 3);
        // Withdrawn by whoever published it, with a reason.
        let by = person("head");
        assert_eq!(
            places(house.office.withdraw_notice(&by, &civil.id, "").await),
            ["reason"]
        );
        let other = house
            .office
            .withdraw_notice(&person("chief"), &civil.id, "过时")
            .await;
        assert_eq!(code(other), "input.not_found");
        house
            .office
            .withdraw_notice(&by, &civil.id, "过时")
            .await
            .unwrap();
        assert_eq!(house.titles("cui", Notices::Mine).await, ["全体", "市民"]);
        let again = house.office.withdraw_notice(&by, &civil.id, "过时").await;
        assert_eq!(code(again), "input.conflict");
    })
    .await;
}

#[tokio::test]
async fn who_has_read_and_confirmed_is_known() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let office = &house.office;
        let mut must = notice("须确认", civil());
        must.confirm = true;
        must.files = vec!["own/head".into()];
        let must = house.publish("head", must).await;
        let plain = house.publish("head", notice("须知", civil())).await;
        assert_eq!(office.waiting(&person("bo")).await.unwrap().notices, 2);
        office.notice(&person("bo"), &plain.id).await.unwrap();
        let seen = office.notice(&person("bo"), &must.id).await.unwrap();
        assert!(seen.read_at.is_some() && seen.confirmed_at.is_none());
        // Read is not confirmed.
        assert_eq!(house.titles("bo", Notices::Unread).await, ["须确认"]);
        let readers = |which, part| {
            let (office, id) = (office.clone(), must.id.clone());
            async move {
                let page = office
                    .readers(&person("head"), &id, which, &part)
                    .await
                    .unwrap();
                let names: Vec<String> = page.items.into_iter().map(|r| r.account).collect();
                (names, page.next, page.total)
            }
        };
        let (unread, ..) = readers(Readers::Unread, Part::default()).await;
        assert_eq!(unread, ["an", "bo", "cui", "head"]);
        house.wait(Span::seconds(5));
        let done = office.confirm(&person("bo"), &must.id).await.unwrap();
        assert!(done.confirmed_at > done.read_at);
        office.confirm(&person("bo"), &must.id).await.unwrap();
        assert_eq!(house.titles("bo", Notices::Unread).await.len(), 0);
        let (read, ..) = readers(Readers::Read, Part::default()).await;
        assert_eq!(read, ["bo"]);
        let (first, next, total) = readers(Readers::Unread, part(None, 2)).await;
        assert_eq!((first, total), (vec!["an".to_string(), "cui".into()], 3));
        let (second, next, _) = readers(Readers::Unread, part(next, 2)).await;
        assert_eq!((second, next), (vec!["head".to_string()], None));
        // Not asked, not theirs, or not the publisher's.
        assert_eq!(
            code(office.confirm(&person("bo"), &plain.id).await),
            "input.conflict"
        );
        assert_eq!(
            code(office.confirm(&person("tao"), &must.id).await),
            "input.not_found"
        );
        let spied = office
            .readers(&person("bo"), &must.id, Readers::Read, &Part::default())
            .await;
        assert_eq!(code(spied), "input.not_found");
        assert!(office.sees_file(&person("cui"), "own/head").await.unwrap());
        assert!(!office.sees_file(&person("tao"), "own/head").await.unwrap());
    })
    .await;
}
