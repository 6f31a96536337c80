//! Mail between members.

use crate::*;

fn to(account: &str) -> Addressee {
    Addressee::Account(account.into())
}

fn mail(addressees: &[Addressee], subject: &str) -> NewMail {
    NewMail {
        to: addressees.to_vec(),
        subject: subject.into(),
        body: "内容".into(),
        files: vec![],
        reply_to: None,
        forward_of: None,
    }
}

impl House {
    async fn post(&self, by: &str, new: NewMail) -> OfficeMail {
        self.wait(Span::seconds(1));
        self.office.send_mail(&person(by), new).await.unwrap()
    }
    async fn folder(&self, by: &str, folder: Folder) -> Vec<String> {
        let page = self
            .office
            .mails(&person(by), folder, &Part::default())
            .await
            .unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.items.into_iter().map(|mail| mail.subject).collect()
    }
}

#[tokio::test]
async fn a_wrong_mail_is_refused_with_every_fault() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut wrong = mail(
            &[
                to("nobody"),
                Addressee::Position("none".into()),
                Addressee::Organisation("moon".into()),
                to("bo"),
            ],
            "一\n二",
        );
        wrong.files = vec!["own/bo".into(), "f1".into(), "f1".into(), "x\n".into()];
        wrong.reply_to = Some("01NONE".into());
        wrong.body = "长".repeat(20_001);
        let found = places(house.office.send_mail(&person("an"), wrong).await);
        let want = [
            "to/0", "to/1", "to/2", "subject", "body", "files/0", "files/2", "files/3", "reply_to",
        ];
        assert_eq!(found, want);
        let empty = mail(&[Addressee::Position("vacant".into())], "题");
        assert_eq!(
            places(house.office.send_mail(&person("an"), empty).await),
            ["to"]
        );
        assert_eq!(
            places(house.office.send_mail(&person("an"), mail(&[], "题")).await),
            ["to"]
        );
    })
    .await;
}

#[tokio::test]
async fn who_works_nowhere_has_no_desk_whatever_the_policy_says() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut ghost = person("resident");
        ghost.roles = vec!["ghost".into()];
        for by in [person("resident"), Actor::default(), ghost] {
            let office = &house.office;
            let part = Part::default();
            let sent = office.send_mail(&by, mail(&[to("bo")], "题")).await;
            assert_eq!(code(sent), "access.denied");
            assert_eq!(
                code(office.mails(&by, Folder::Inbox, &part).await),
                "access.denied"
            );
            assert_eq!(code(office.waiting(&by).await), "access.denied");
            assert_eq!(
                code(office.directory(&by, "", None, &part).await),
                "access.denied"
            );
            let notices = office.notices(&by, Notices::Mine, &part).await;
            assert_eq!(code(notices), "access.denied");
            let entries = office.entries(&by, Time(0), Time(1)).await;
            assert_eq!(code(entries), "access.denied");
        }
    })
    .await;
}

#[tokio::test]
async fn a_mail_reaches_people_positions_and_organisations_once_each() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let all = [
            to("bo"),
            Addressee::Position("head_of_civil".into()),
            Addressee::Organisation("civil".into()),
        ];
        let sent = house.post("tao", mail(&all, "开会")).await;
        assert_eq!((sent.sent_to, sent.read_by), (4, 0));
        assert_eq!(sent.to_names, ["bo 同志", "head_of_civil", "civil"]);
        for account in ["an", "bo", "cui", "head"] {
            assert_eq!(house.folder(account, Folder::Unread).await, ["开会"]);
        }
        assert_eq!(house.folder("wei", Folder::Inbox).await.len(), 0);
        assert_eq!(house.folder("tao", Folder::Sent).await, ["开会"]);
        assert_eq!(house.office.waiting(&person("bo")).await.unwrap().mails, 1);
        // Somebody it did not go to finds none, also among receipts.
        for account in ["wei", "chief"] {
            let by = person(account);
            assert_eq!(
                code(house.office.mail(&by, &sent.id).await),
                "input.not_found"
            );
            let receipts = house.office.receipts(&by, &sent.id, &Part::default()).await;
            assert_eq!(code(receipts), "input.not_found");
            assert_eq!(
                code(house.office.recall(&by, &sent.id).await),
                "input.not_found"
            );
        }
        let opened = house.office.mail(&person("bo"), &sent.id).await.unwrap();
        assert_eq!((opened.body.as_str(), opened.sent_to), ("内容", 0));
        assert!(opened.read_at.is_some());
        assert_eq!(house.folder("bo", Folder::Unread).await.len(), 0);
        assert_eq!(house.folder("bo", Folder::Inbox).await.len(), 1);
        let seen = house.office.mail(&person("tao"), &sent.id).await.unwrap();
        assert_eq!((seen.sent_to, seen.read_by), (4, 1));
        let receipts = house
            .office
            .receipts(&person("tao"), &sent.id, &part(None, 2))
            .await
            .unwrap();
        assert_eq!((receipts.total, receipts.items.len()), (4, 2));
        assert!(receipts.items[1].read_at.is_some(), "{receipts:?}");
        // A recipient is not told who else read it.
        let receipts = house
            .office
            .receipts(&person("bo"), &sent.id, &Part::default())
            .await;
        assert_eq!(code(receipts), "input.not_found");
    })
    .await;
}

#[tokio::test]
async fn a_mail_is_taken_back_from_those_who_have_not_read_it() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let sent = house
            .post("an", mail(&[to("bo"), to("tao"), to("wei")], "误发"))
            .await;
        house.office.mail(&person("tao"), &sent.id).await.unwrap();
        let recalled = house.office.recall(&person("an"), &sent.id).await.unwrap();
        assert_eq!(
            recalled,
            Recalled {
                taken_back: 2,
                kept_by: vec!["tao".into()]
            }
        );
        for account in ["bo", "wei"] {
            assert_eq!(house.folder(account, Folder::Inbox).await.len(), 0);
            let gone = house.office.mail(&person(account), &sent.id).await;
            assert_eq!(code(gone), "input.not_found");
        }
        assert_eq!(house.folder("tao", Folder::Inbox).await.len(), 1);
        assert_eq!(
            code(house.office.recall(&person("an"), &sent.id).await),
            "input.conflict"
        );
        let seen = house.office.mail(&person("an"), &sent.id).await.unwrap();
        assert!(seen.recalled_at.is_some());
        assert_eq!((seen.sent_to, seen.read_by), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn answers_and_passed_on_mails_are_one_thread() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut first = mail(&[to("bo")], "请示");
        first.files = vec!["own/an".into()];
        let first = house.post("an", first).await;
        house.office.mail(&person("bo"), &first.id).await.unwrap();
        let mut answer = mail(&[to("an")], "回复");
        answer.reply_to = Some(first.id.clone());
        let answer = house.post("bo", answer).await;
        let mut passed = mail(&[to("tao")], "转发");
        passed.forward_of = Some(first.id.clone());
        // The file came with a mail bo may see, so bo may pass it on.
        passed.files = vec!["own/an".into()];
        let passed = house.post("bo", passed).await;
        assert_eq!((&answer.thread, &passed.thread), (&first.id, &first.id));
        let thread = |account: &'static str, id: String| {
            let office = house.office.clone();
            async move {
                let mails = office.thread(&person(account), &id).await.unwrap();
                mails.into_iter().map(|m| m.subject).collect::<Vec<_>>()
            }
        };
        assert_eq!(
            thread("bo", answer.id.clone()).await,
            ["请示", "回复", "转发"]
        );
        assert_eq!(thread("an", first.id.clone()).await, ["请示", "回复"]);
        assert_eq!(thread("tao", passed.id.clone()).await, ["转发"]);
        // In a thread what was not opened keeps its body: opening is the receipt.
        let seen = house.office.thread(&person("an"), &first.id).await.unwrap();
        assert_eq!((seen[1].body.as_str(), seen[1].read_at), ("", None));
        for (account, sees) in [("an", true), ("bo", true), ("tao", true), ("wei", false)] {
            let answer = house
                .office
                .sees_file(&person(account), "own/an")
                .await
                .unwrap();
            assert_eq!(answer, sees, "{account}");
        }
        let stranger = NewMail {
            reply_to: Some(first.id),
            ..mail(&[to("an")], "插话")
        };
        let outcome = house.office.send_mail(&person("wei"), stranger).await;
        assert_eq!(places(outcome), ["reply_to"]);
    })
    .await;
}

#[tokio::test]
async fn the_directory_shows_telephones_as_the_policy_says() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let phone = |by: &'static str| {
            let office = house.office.clone();
            async move {
                let page = office
                    .directory(&person(by), "bo", None, &Part::default())
                    .await;
                page.unwrap().items[0].phone.clone()
            }
        };
        assert_eq!(phone("head").await.as_deref(), Some("13800000009"));
        assert_eq!(phone("an").await.as_deref(), Some("138****0009"));
        assert_eq!(phone("tao").await, None);
        let long = "x".repeat(101);
        let outcome = house
            .office
            .directory(&person("an"), &long, None, &Part::default())
            .await;
        assert_eq!(places(outcome), ["words"]);
    })
    .await;
}
