//! Calendars: entries of one's own, shared with colleagues, with people invited, and reminders by
//! message. Times of whole days are Beijing days.

use crate::Engine;
use crate::desk::calendar_scope;
use crate::icalendar;
use crate::say::{Deed, body, change, conflict, from_json, line, problem, refuse, stale, to_json};
use kernel::access::{Actor, Verb};
use kernel::office::*;
use kernel::{Fault, Problem, Span, Time, new_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use store::office::{self as rows, ItemRow, PersonRow};
use store::{Run, Tx};

/// Kind of the item.
const ENTRY: &str = "entry";
/// People invited, at most.
const INVITED: usize = 200;
/// Reminders sent in one transaction.
const BATCH: u64 = 50;

#[derive(Serialize, Deserialize)]
struct Body {
    title: String,
    place: String,
    note: String,
    all_day: bool,
    shared: bool,
    remind_min: Option<u32>,
    owner_name: String,
    organisation: String,
}

fn attendee(person: &PersonRow, name: String) -> Attendee {
    Attendee {
        account: person.account.clone(),
        name,
        answer: match person.state.as_str() {
            "accepted" => Answer::Accepted,
            "declined" => Answer::Declined,
            _ => Answer::Asked,
        },
    }
}

fn problems(new: &NewEntry, now: Time) -> Vec<Problem> {
    let mut found = vec![];
    found.extend(line("title", &new.title, 1, TITLE_LIMIT));
    found.extend(line("place", &new.place, 0, 200));
    found.extend(body("note", &new.note, 0, BODY_LIMIT));
    let length = new.to.since(new.from);
    if length.0 <= 0 || length > Span::days(366) {
        found.push(problem(
            "to",
            "结束须在开始之后，最长一年",
            "it must end after it begins, a year later at most",
        ));
    }
    let far = Span::days(3660);
    if new.from < now - far || new.from > now + far {
        found.push(problem(
            "from",
            "须在前后十年之内",
            "within ten years from now",
        ));
    }
    let midnight = |time: Time| time.floor(Span::days(1)) == time;
    for (at, time) in [("from", new.from), ("to", new.to)] {
        if new.all_day && !midnight(time) {
            found.push(problem(
                at,
                "全天日程的起止须为北京时间零点",
                "whole days begin and end at Beijing midnight",
            ));
        }
    }
    if new.remind_min.is_some_and(|minutes| minutes > 40_320) {
        found.push(problem(
            "remind_min",
            "最多提前四周提醒",
            "four weeks before at most",
        ));
    }
    found
}

fn reminder(new: &NewEntry, now: Time) -> Option<i64> {
    let minutes = i64::from(new.remind_min?);
    let at = new.from - Span::minutes(minutes);
    (new.from > now).then_some(std::cmp::max(at, now).0)
}

fn when(item: &ItemRow, all_day: bool) -> String {
    let from = Time(item.from_at.unwrap_or_default()).for_people();
    let end = if all_day { 10 } else { 16 };
    from.chars().take(end).collect()
}

fn deed<'a>(subject: &'a str, what: &'a str) -> Deed<'a> {
    Deed {
        verb: "handle",
        object: "office",
        subject,
        what,
        details: json!({}),
    }
}

fn about(id: &str) -> String {
    format!("{ENTRY}/{id}")
}

impl Engine {
    fn attendee_problems(&self, owner: &str, attendees: &[String]) -> Vec<Problem> {
        if attendees.len() > INVITED {
            return vec![problem(
                "attendees",
                format!("最多邀请 {INVITED} 人"),
                format!("{INVITED} people at most"),
            )];
        }
        let mut seen = BTreeSet::new();
        let mut found = vec![];
        for (number, account) in attendees.iter().enumerate() {
            let at = format!("attendees/{number}");
            if account == owner || !seen.insert(account) {
                found.push(problem(
                    at,
                    "重复或是本人",
                    "named twice, or the owner themselves",
                ));
            } else if self.members.member(account).is_none() {
                found.push(problem(at, "没有这个人员", "there is no such member"));
            }
        }
        found
    }

    fn shown(&self, item: &ItemRow, people: &[PersonRow]) -> Result<Entry, Fault> {
        let body: Body = from_json(&item.body)?;
        let attendees = people
            .iter()
            .map(|person| attendee(person, self.name_of(&person.account)));
        Ok(Entry {
            id: item.id.clone(),
            owner: item.owner.clone(),
            owner_name: body.owner_name,
            organisation: body.shared.then_some(body.organisation),
            title: body.title,
            place: body.place,
            note: body.note,
            all_day: body.all_day,
            from: Time(item.from_at.unwrap_or_default()),
            to: Time(item.to_at.unwrap_or_default()),
            attendees: attendees.collect(),
            shared: body.shared,
            remind_min: body.remind_min,
            cancelled_at: item.ended_at.map(Time),
            version: item.version,
        })
    }

    async fn touching(
        &self,
        by: &Actor,
        from: Time,
        to: Time,
        shared: bool,
    ) -> Result<Vec<Entry>, Fault> {
        let (_, me) = self.member(by, Verb::Read)?;
        let length = to.since(from);
        if length.0 <= 0 || length > Span::days(CALENDAR_DAYS) {
            return Err(Fault::invalid_at(
                "to",
                format!("时间段应为 {CALENDAR_DAYS} 天以内"),
                format!("{CALENDAR_DAYS} days at most, to after from"),
            ));
        }
        let mut scopes = vec![];
        if shared {
            let mut codes = by.standing.organisations.clone();
            codes.push(me.organisation.clone());
            scopes = codes.iter().map(|code| calendar_scope(code)).collect();
        }
        let mut run = self.store.reader().await?;
        let found = rows::touching(&mut run, &me.account, &scopes, from.0, to.0).await?;
        let mut entries = vec![];
        for item in &found {
            let people = rows::people(&mut run, &item.id).await?;
            entries.push(self.shown(item, &people)?);
        }
        Ok(entries)
    }

    pub(crate) async fn list_entries(
        &self,
        by: &Actor,
        from: Time,
        to: Time,
    ) -> Result<Vec<Entry>, Fault> {
        let mut entries = self.touching(by, from, to, true).await?;
        entries.retain(|entry| entry.cancelled_at.is_none());
        Ok(entries)
    }

    pub(crate) async fn write_icalendar(
        &self,
        by: &Actor,
        from: Time,
        to: Time,
    ) -> Result<String, Fault> {
        let entries = self.touching(by, from, to, false).await?;
        Ok(icalendar::write(&entries, self.clock.now()))
    }

    fn entry_body(&self, new: &NewEntry, me: &Member) -> Body {
        Body {
            title: new.title.trim().into(),
            place: new.place.trim().into(),
            note: new.note.clone(),
            all_day: new.all_day,
            shared: new.shared,
            remind_min: new.remind_min,
            owner_name: me.name.clone(),
            organisation: me.organisation.clone(),
        }
    }

    async fn invite(
        &self,
        tx: &mut Tx,
        by: &Actor,
        item: &ItemRow,
        body: &Body,
        account: &str,
    ) -> Result<(), Fault> {
        let fields = [
            ("title", body.title.clone()),
            ("from", body.owner_name.clone()),
            ("time", when(item, body.all_day)),
            ("place", body.place.clone()),
        ];
        let once = format!("{ENTRY}/{}/{account}/invited/{}", item.id, item.version);
        let about = about(&item.id);
        self.tell(tx, by, account, ("office_invited", once), &about, &fields)
            .await
    }

    pub(crate) async fn make_entry(&self, by: &Actor, new: NewEntry) -> Result<Entry, Fault> {
        let (actor, me) = self.member(by, Verb::Handle)?;
        let now = self.clock.now();
        let mut wrong = problems(&new, now);
        wrong.extend(self.attendee_problems(&me.account, &new.attendees));
        refuse(wrong)?;
        let id = new_id(now);
        let kept = self.entry_body(&new, &me);
        let item = ItemRow {
            kind: ENTRY.into(),
            owner: me.account.clone(),
            at: now.0,
            state: "open".into(),
            sort: id.clone(),
            thread: None,
            from_at: Some(new.from.0),
            to_at: Some(new.to.0),
            remind_at: reminder(&new, now),
            ended_at: None,
            body: to_json(&kept)?,
            version: 1,
            id,
        };
        let people: Vec<PersonRow> = new
            .attendees
            .iter()
            .map(|account| invited(&item.id, account, now))
            .collect();
        let scopes: Vec<String> = new
            .shared
            .then(|| calendar_scope(&me.organisation))
            .into_iter()
            .collect();
        let mut tx = self.store.begin().await?;
        rows::add(&mut tx, &item, &people, &scopes, &[]).await?;
        for account in &new.attendees {
            self.invite(&mut tx, &actor, &item, &kept, account).await?;
        }
        change(&mut tx, now, &actor, deed(&item.id, "entry_made")).await?;
        tx.commit().await?;
        self.shown(&item, &people)
    }

    async fn own_entry(
        &self,
        run: &mut impl Run,
        id: &str,
        account: &str,
    ) -> Result<ItemRow, Fault> {
        let found = crate::desk::own_item(run, id, ENTRY, account).await?;
        if found.state != "open" {
            return Err(conflict("日程已取消", "it was cancelled already"));
        }
        Ok(found)
    }

    pub(crate) async fn move_entry(
        &self,
        by: &Actor,
        id: &str,
        new: NewEntry,
        version: i64,
    ) -> Result<Entry, Fault> {
        let (actor, me) = self.member(by, Verb::Handle)?;
        let now = self.clock.now();
        let mut wrong = problems(&new, now);
        wrong.extend(self.attendee_problems(&me.account, &new.attendees));
        refuse(wrong)?;
        let mut tx = self.store.begin().await?;
        let mut item = self.own_entry(&mut tx, id, &me.account).await?;
        if item.version != version {
            return Err(stale(item.version));
        }
        let moved = item.from_at != Some(new.from.0) || item.to_at != Some(new.to.0);
        let kept = self.entry_body(&new, &me);
        item.from_at = Some(new.from.0);
        item.to_at = Some(new.to.0);
        item.remind_at = reminder(&new, now);
        item.body = to_json(&kept)?;
        item.version += 1;
        let known = rows::people(&mut tx, id).await?;
        let gone: Vec<String> = known
            .iter()
            .filter(|person| !new.attendees.contains(&person.account))
            .map(|person| person.account.clone())
            .collect();
        rows::remove_people(&mut tx, id, &gone).await?;
        for account in &gone {
            self.tell_cancelled(&mut tx, &actor, &item, &kept, account)
                .await?;
        }
        for account in &new.attendees {
            let before = known.iter().find(|person| person.account == *account);
            match before {
                Some(person) if moved => {
                    // Another time: everybody is asked anew.
                    let asked = PersonRow {
                        done_at: None,
                        ..invited(id, account, now)
                    };
                    rows::put_person(&mut tx, &asked, &person.state).await?;
                }
                Some(_) => continue,
                None => {
                    rows::add_person(&mut tx, &invited(id, account, now)).await?;
                }
            }
            self.invite(&mut tx, &actor, &item, &kept, account).await?;
        }
        let scopes: Vec<String> = new
            .shared
            .then(|| calendar_scope(&me.organisation))
            .into_iter()
            .collect();
        rows::put_scopes(&mut tx, id, &scopes).await?;
        rows::put_item(&mut tx, &item).await?;
        change(&mut tx, now, &actor, deed(id, "entry_changed")).await?;
        let people = rows::people(&mut tx, id).await?;
        tx.commit().await?;
        self.shown(&item, &people)
    }

    async fn tell_cancelled(
        &self,
        tx: &mut Tx,
        by: &Actor,
        item: &ItemRow,
        body: &Body,
        account: &str,
    ) -> Result<(), Fault> {
        let fields = [
            ("title", body.title.clone()),
            ("from", body.owner_name.clone()),
            ("time", when(item, body.all_day)),
        ];
        let once = format!("{ENTRY}/{}/{account}/cancelled/{}", item.id, item.version);
        let about = about(&item.id);
        self.tell(tx, by, account, ("office_cancelled", once), &about, &fields)
            .await
    }

    pub(crate) async fn drop_entry(&self, by: &Actor, id: &str) -> Result<Entry, Fault> {
        let (actor, me) = self.member(by, Verb::Handle)?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut item = self.own_entry(&mut tx, id, &me.account).await?;
        item.state = "cancelled".into();
        item.ended_at = Some(now.0);
        item.remind_at = None;
        item.version += 1;
        rows::put_item(&mut tx, &item).await?;
        let kept: Body = from_json(&item.body)?;
        let people = rows::people(&mut tx, id).await?;
        for person in people.iter().filter(|p| p.state != "declined") {
            self.tell_cancelled(&mut tx, &actor, &item, &kept, &person.account)
                .await?;
        }
        change(&mut tx, now, &actor, deed(id, "entry_cancelled")).await?;
        tx.commit().await?;
        self.shown(&item, &people)
    }

    pub(crate) async fn answer_entry(
        &self,
        by: &Actor,
        id: &str,
        comes: bool,
    ) -> Result<Entry, Fault> {
        let (actor, me) = self.member(by, Verb::Handle)?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let found = rows::item(&mut tx, id).await?;
        let item = found.filter(|item| item.kind == ENTRY);
        let person = rows::person(&mut tx, id, &me.account).await?;
        let (Some(item), Some(person)) = (item, person) else {
            return Err(Fault::missing(ENTRY));
        };
        if item.state != "open" {
            return Err(conflict("日程已取消", "it was cancelled already"));
        }
        let stood = person.state.clone();
        let person = PersonRow {
            state: if comes { "accepted" } else { "declined" }.into(),
            done_at: Some(now.0),
            ..person
        };
        rows::put_person(&mut tx, &person, &stood).await?;
        change(&mut tx, now, &actor, deed(id, "entry_answered")).await?;
        let people = rows::people(&mut tx, id).await?;
        tx.commit().await?;
        self.shown(&item, &people)
    }

    /// Sends reminders of entries and urges readers of documents that are due soon; says how many
    /// things that were. A job: what was missed during a stop is made up for once, and entries that
    /// are over by then are not reminded of.
    pub async fn remind(&self) -> Result<u64, Fault> {
        let mut done = 0;
        loop {
            let now = self.clock.now();
            let mut tx = self.store.begin().await?;
            let due = rows::to_remind(&mut tx, now.0, BATCH).await?;
            let many = due.len() as u64;
            for item in due {
                rows::set_reminder(&mut tx, &item.id, None).await?;
                match item.kind.as_str() {
                    "circulation" if item.state == "running" => {
                        self.urge_all(&mut tx, &Actor::system(), &item).await?;
                    }
                    ENTRY if item.state == "open" && item.to_at > Some(now.0) => {
                        self.remind_entry(&mut tx, &item).await?;
                    }
                    _ => {}
                }
            }
            tx.commit().await?;
            done += many;
            if many < BATCH {
                return Ok(done);
            }
        }
    }

    async fn remind_entry(&self, tx: &mut Tx, item: &ItemRow) -> Result<(), Fault> {
        let body: Body = from_json(&item.body)?;
        let mut accounts = vec![item.owner.clone()];
        let people = rows::people(tx, &item.id).await?;
        let coming = people.into_iter().filter(|p| p.state != "declined");
        accounts.extend(coming.map(|person| person.account));
        for account in accounts {
            let fields = [
                ("title", body.title.clone()),
                ("time", when(item, body.all_day)),
                ("place", body.place.clone()),
            ];
            let once = format!("{ENTRY}/{}/{account}/reminder/{}", item.id, item.version);
            let (by, about) = (Actor::system(), about(&item.id));
            self.tell(
                tx,
                &by,
                &account,
                ("office_reminder", once),
                &about,
                &fields,
            )
            .await?;
        }
        Ok(())
    }
}

fn invited(item: &str, account: &str, now: Time) -> PersonRow {
    PersonRow {
        item: item.into(),
        account: account.into(),
        kind: ENTRY.into(),
        place: 0,
        state: "asked".into(),
        came_at: Some(now.0),
        read_at: None,
        done_at: None,
        urged_at: None,
        body: "{}".into(),
    }
}
