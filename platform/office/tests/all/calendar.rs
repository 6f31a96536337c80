//! Calendars: own, shared, with people invited, reminded of, and as iCalendar.

use crate::*;

fn entry(title: &str, from: &str, to: &str) -> NewEntry {
    NewEntry {
        title: title.into(),
        place: "301 室".into(),
        note: String::new(),
        all_day: false,
        from: at(from),
        to: at(to),
        attendees: vec![],
        shared: false,
        remind_min: None,
    }
}

const NINE: &str = "2026-11-26T09:00:00+08:00";
const TEN: &str = "2026-11-26T10:00:00+08:00";

impl House {
    async fn titles_of(&self, by: &str) -> Vec<String> {
        let (from, to) = (at("2026-11-26"), at("2026-11-27"));
        let entries = self.office.entries(&person(by), from, to).await.unwrap();
        entries.into_iter().map(|entry| entry.title).collect()
    }
}

#[tokio::test]
async fn a_wrong_entry_is_refused_with_every_fault() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut wrong = entry("", TEN, NINE);
        wrong.place = "一\n二".into();
        wrong.attendees = vec!["an".into(), "bo".into(), "bo".into(), "resident".into()];
        wrong.remind_min = Some(50_000);
        let found = places(house.office.add_entry(&person("an"), wrong).await);
        let want = ["title", "place", "to", "remind_min"];
        let rest = ["attendees/0", "attendees/2", "attendees/3"];
        assert_eq!(found, [want.as_slice(), &rest].concat());
        let mut day = entry("全天", NINE, TEN);
        day.all_day = true;
        assert_eq!(
            places(house.office.add_entry(&person("an"), day).await),
            ["from", "to"]
        );
        let far = entry("远", "2046-11-26", "2046-11-27");
        assert_eq!(
            places(house.office.add_entry(&person("an"), far).await),
            ["from"]
        );
        let long = house
            .office
            .entries(&person("an"), at("2026-01-01"), at("2028-01-01"))
            .await;
        assert_eq!(places(long), ["to"]);
    })
    .await;
}

#[tokio::test]
async fn own_shared_and_invited_entries_are_seen_by_whom_they_concern() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let office = &house.office;
        office
            .add_entry(&person("an"), entry("私事", NINE, TEN))
            .await
            .unwrap();
        let mut shared = entry("值班", "2026-11-26", "2026-11-27");
        shared.all_day = true;
        shared.shared = true;
        office.add_entry(&person("an"), shared).await.unwrap();
        let mut meeting = entry(
            "会商",
            "2026-11-26T23:00:00+08:00",
            "2026-11-27T01:00:00+08:00",
        );
        meeting.attendees = vec!["tao".into()];
        let meeting = office.add_entry(&person("an"), meeting).await.unwrap();
        assert_eq!(house.titles_of("an").await, ["值班", "私事", "会商"]);
        assert_eq!(house.titles_of("bo").await, ["值班"]);
        assert_eq!(house.titles_of("tao").await, ["会商"]);
        assert_eq!(house.titles_of("cui").await.len(), 0);
        assert_eq!(house.headings("tao").await, ["日程邀请：会商"]);
        // The invited answer; others find nothing.
        let answered = office
            .answer(&person("tao"), &meeting.id, true)
            .await
            .unwrap();
        assert_eq!(answered.attendees[0].answer, Answer::Accepted);
        for account in ["bo", "an"] {
            let outcome = office.answer(&person(account), &meeting.id, true).await;
            assert_eq!(code(outcome), "input.not_found");
        }
        let cancel = office.cancel_entry(&person("tao"), &meeting.id).await;
        assert_eq!(code(cancel), "input.not_found");
        // Moved: asked anew, told, and a second hand with the old version is refused.
        let mut moved = entry(
            "会商",
            "2026-11-26T14:00:00+08:00",
            "2026-11-26T15:00:00+08:00",
        );
        moved.attendees = vec!["tao".into(), "wei".into()];
        let by = person("an");
        let changed = office
            .change_entry(&by, &meeting.id, moved.clone(), 1)
            .await
            .unwrap();
        let answers: Vec<Answer> = changed.attendees.iter().map(|a| a.answer).collect();
        assert_eq!(answers, [Answer::Asked, Answer::Asked]);
        let stale = office
            .change_entry(&by, &meeting.id, moved.clone(), 1)
            .await;
        assert_eq!(code(stale), "input.stale");
        moved.attendees = vec!["wei".into()];
        office
            .change_entry(&by, &meeting.id, moved, 2)
            .await
            .unwrap();
        assert_eq!(house.titles_of("tao").await.len(), 0);
        let told = house.headings("tao").await;
        assert_eq!(told.len(), 3);
        assert!(told.contains(&"日程取消：会商".to_string()), "{told:?}");
        office.cancel_entry(&by, &meeting.id).await.unwrap();
        assert_eq!(house.titles_of("wei").await.len(), 0);
        assert_eq!(house.headings("wei").await.len(), 2);
        assert_eq!(
            code(office.cancel_entry(&by, &meeting.id).await),
            "input.conflict"
        );
    })
    .await;
}

#[tokio::test]
async fn reminders_come_once_to_who_comes_and_not_after_the_end() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let office = &house.office;
        let mut meeting = entry("会商", NINE, TEN);
        meeting.attendees = vec!["tao".into(), "wei".into()];
        meeting.remind_min = Some(30);
        let made = office.add_entry(&person("an"), meeting).await.unwrap();
        office
            .answer(&person("wei"), &made.id, false)
            .await
            .unwrap();
        assert_eq!(office.remind().await.unwrap(), 0);
        let mut missed = entry(
            "早会",
            "2026-11-26T07:00:00+08:00",
            "2026-11-26T08:00:00+08:00",
        );
        missed.remind_min = Some(10);
        office.add_entry(&person("an"), missed).await.unwrap();
        // The city was down until half past eight.
        house.clock.set(at("2026-11-26T08:30:00+08:00"));
        office.remind().await.unwrap();
        office.remind().await.unwrap();
        assert_eq!(house.headings("an").await, ["日程提醒：会商"]);
        assert_eq!(house.headings("tao").await.len(), 2);
        assert_eq!(house.headings("wei").await, ["日程邀请：会商"]);
    })
    .await;
}

/// Lines of a calendar put together again (RFC 5545, 3.1).
fn unfold(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for line in text.strip_suffix("\r\n").unwrap().split("\r\n") {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
        assert!(!line.contains(['\r', '\n']));
        match line.strip_prefix(' ') {
            Some(more) => lines.last_mut().unwrap().push_str(more),
            None => lines.push(line.into()),
        }
    }
    lines
}

#[tokio::test]
async fn the_calendar_is_written_as_other_programs_read_it() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let office = &house.office;
        let mut meeting = entry(&"会商，".repeat(30), NINE, TEN);
        meeting.title.push_str(",;\\");
        meeting.note = "第一行\r\nBEGIN:VEVENT\n第三行".into();
        meeting.attendees = vec!["tao".into()];
        meeting.remind_min = Some(15);
        office
            .add_entry(&person("an"), meeting.clone())
            .await
            .unwrap();
        let mut day = entry("全天", "2026-11-27", "2026-11-29");
        day.all_day = true;
        let day = office.add_entry(&person("an"), day).await.unwrap();
        office.cancel_entry(&person("an"), &day.id).await.unwrap();
        let mut shared = entry("他人", NINE, TEN);
        shared.shared = true;
        office.add_entry(&person("bo"), shared).await.unwrap();
        let (from, to) = (at("2026-11-26"), at("2026-12-01"));
        let text = office.icalendar(&person("an"), from, to).await.unwrap();
        let lines = unfold(&text);
        assert_eq!(lines[0], "BEGIN:VCALENDAR");
        assert_eq!(lines.last().unwrap(), "END:VCALENDAR");
        let count = |line: &str| lines.iter().filter(|l| *l == line).count();
        // What colleagues share is theirs, not one's own calendar.
        assert_eq!((count("BEGIN:VEVENT"), count("END:VEVENT")), (2, 2));
        for line in [
            "VERSION:2.0",
            "DTSTART:20261126T010000Z",
            "DTEND:20261126T020000Z",
            "DTSTART;VALUE=DATE:20261127",
            "DTEND;VALUE=DATE:20261129",
            "STATUS:CONFIRMED",
            "STATUS:CANCELLED",
            "TRIGGER:-PT15M",
            "DESCRIPTION:第一行\\nBEGIN:VEVENT\\n第三行",
            "LOCATION:301 室",
            "ATTENDEE;CN=\"tao 同志\";PARTSTAT=NEEDS-ACTION:urn:jicheng:account:tao",
        ] {
            assert_eq!(
                count(line),
                if line.starts_with("LOCATION") { 2 } else { 1 },
                "{line}"
            );
        }
        let title = format!("SUMMARY:{}\\,\\;\\\\", "会商，".repeat(30));
        assert_eq!(count(&title), 1, "{lines:?}");
        if let Ok(path) = std::env::var("OFFICE_ICS") {
            std::fs::write(path, &text).unwrap();
        }
        let invited = office.icalendar(&person("tao"), from, to).await.unwrap();
        assert!(invited.contains("BEGIN:VEVENT"));
    })
    .await;
}
