//! Appointments (预约): booked for a half hour that is never oversold, one active for a person and
//! matter, cancelled, reminded of, and noted when nobody came.

use crate::Engine;
use crate::book::{appointment, appointment_key, code_key, day_text, person_of, seat_key};
use crate::hours;
use crate::say::{Deed, booked, change, closed, conflict, full, problem, refuse};
use kernel::access::{Actor, Verb};
use kernel::messages::{Channel, NewMessage, Recipient};
use kernel::numbers::{Day, mask_mobile, mask_name, mobile, person_name};
use kernel::page::{Page, Part};
use kernel::visits::{Appointment, GRACE_MIN, HallMatter, NewAppointment, NewHall, Visitor};
use kernel::{Fault, Span, Time, Words, new_id};
use serde_json::json;
use std::collections::BTreeMap;
use store::visits::{self as rows, AppointmentRow};
use store::{Run, Tx};

/// Rows of one transaction of a job.
const BATCH: u64 = 100;
/// Codes drawn before giving up: of a hundred million a day one is free.
const DRAWS: usize = 20;

/// Who comes.
struct Comes {
    person: String,
    account: Option<String>,
    visitor: Option<Visitor>,
    shown: String,
}

impl Engine {
    fn comes(&self, by: &Actor, visitor: Option<Visitor>) -> Result<Comes, Fault> {
        let Some(visitor) = visitor else {
            return Ok(Comes {
                person: person_of(by)?,
                account: Some(by.account.clone()),
                visitor: None,
                shown: String::new(),
            });
        };
        let mut problems = vec![];
        let name = person_name(&visitor.name);
        if name.is_none() {
            problems.push(problem("visitor/name", "姓名不对", "the name is wrong"));
        }
        let number = mobile(&visitor.mobile);
        if number.is_none() {
            problems.push(problem(
                "visitor/mobile",
                "不是手机号码",
                "not a mobile number",
            ));
        }
        match (name, number) {
            (Some(name), Some(mobile)) => Ok(Comes {
                person: format!("mobile:{}", self.sealing.digest(&mobile)),
                account: None,
                shown: format!("{} {}", mask_name(&name), mask_mobile(&mobile)),
                visitor: Some(Visitor { name, mobile }),
            }),
            _ => Err(Fault::invalid(problems)),
        }
    }

    pub(crate) async fn make_appointment(
        &self,
        by: &Actor,
        new: NewAppointment,
    ) -> Result<Appointment, Fault> {
        let (hall, matter) = self.hall_and_matter(&new.hall, &new.matter).await?;
        let verb = match new.visitor {
            Some(_) => Verb::Handle,
            None => Verb::Write,
        };
        let actor = self.demand(by, verb, &hall)?;
        let comes = self.comes(by, new.visitor)?;
        let now = self.clock.now();
        let day = Day::of(new.from);
        let slots = hours::slots(&hall, day, now, self.days.as_ref());
        let slot = slots.into_iter().find(|(from, _)| *from == new.from);
        let Some((from, to)) = slot.filter(|_| matter.capacity > 0) else {
            return Err(closed(
                "此时间不能预约，请查看可预约的时段",
                "this time cannot be booked, please look at the half hours on offer",
            ));
        };
        // Most of a crowd is turned away here, without waiting for one another.
        let capacity = i64::from(matter.capacity);
        let mut reader = self.store.reader().await?;
        let taken = rows::taken(&mut reader, &hall.code, &matter.code, from.0).await?;
        let key = appointment_key(&comes.person, &matter.code);
        let known = rows::appointment_of_person(&mut reader, &key).await?;
        drop(reader);
        if known.is_none() && taken as i64 >= capacity {
            return Err(full());
        }
        let mut tx = self.store.begin().await?;
        if rows::appointment_of_person(&mut tx, &key).await?.is_some() {
            return Err(booked(
                "您已有此事项的预约",
                "there is an appointment for this matter already",
            ));
        }
        let seats = rows::seats(&mut tx, &hall.code, &matter.code, from.0).await?;
        let seat = (0..capacity).find(|seat| seats.binary_search(seat).is_err());
        let seat = seat.ok_or_else(full)?;
        let day = day_text(day);
        let code = self.draw_code(&mut tx, &hall.code, &day).await?;
        let id = new_id(now);
        let remind_at = from - self.limits.remind;
        let row = AppointmentRow {
            hall: hall.code.clone(),
            matter: matter.code.clone(),
            from_at: from.0,
            to_at: to.0,
            seat,
            state: "booked".into(),
            sealed: match &comes.visitor {
                Some(visitor) => Some(self.sealing.seal(&id, visitor)?),
                None => None,
            },
            person: comes.person,
            account: comes.account,
            shown: comes.shown,
            ticket: None,
            remind_at: (remind_at > now).then_some(remind_at.0),
            at: now.0,
            by_account: by.account.clone(),
            seat_key: Some(seat_key(&hall.code, &matter.code, from, seat)),
            person_key: Some(key),
            code_key: code_key(&hall.code, &day, &code),
            code,
            day,
            id,
        };
        rows::add_appointment(&mut tx, &row).await?;
        self.tell(&mut tx, &actor, &row, &hall, &matter, "visit_booked")
            .await?;
        let details = json!({ "hall": row.hall, "matter": row.matter, "from": from });
        let deed = Deed::new(verb.word(), &row.id, "booked").with(details);
        change(&mut tx, now, &actor, deed).await?;
        tx.commit().await?;
        appointment(&row)
    }

    async fn draw_code(&self, tx: &mut Tx, hall: &str, day: &str) -> Result<String, Fault> {
        for _ in 0..DRAWS {
            let number: u32 = rand::random();
            let code = format!("{:08}", number % 100_000_000);
            let key = code_key(hall, day, &code);
            if rows::appointment_of_code(tx, &key).await?.is_none() {
                return Ok(code);
            }
        }
        Err(Fault::overloaded("visits", 60))
    }

    /// Says something about an appointment to who comes: by every channel to an account, by short
    /// message to a visitor without one.
    async fn tell(
        &self,
        tx: &mut Tx,
        by: &Actor,
        row: &AppointmentRow,
        hall: &NewHall,
        matter: &HallMatter,
        template: &str,
    ) -> Result<(), Fault> {
        let time: String = Time(row.from_at).for_people().chars().take(16).collect();
        let fields = BTreeMap::from([
            ("time".to_string(), time),
            ("hall".to_string(), hall.title.zh.clone()),
            ("hall_en".to_string(), english(&hall.title)),
            ("matter".to_string(), matter.title.zh.clone()),
            ("matter_en".to_string(), english(&matter.title)),
            ("code".to_string(), row.code.clone()),
        ]);
        let mut ways = vec![];
        if let Some(account) = &row.account {
            let to = Recipient::Account(account.clone());
            let channels: &[Channel] = match template {
                "visit_booked" => &[Channel::Inbox],
                _ => &self.remind_by,
            };
            ways.extend(channels.iter().map(|channel| (to.clone(), *channel)));
        } else if let Some(sealed) = &row.sealed {
            let visitor = self.sealing.visitor(&row.id, sealed)?;
            ways.push((Recipient::Mobile(visitor.mobile), Channel::Sms));
        }
        for (to, channel) in ways {
            let new = NewMessage {
                to,
                channel,
                template: template.into(),
                fields: fields.clone(),
                once: format!("visit/{}/{template}/{}", row.id, channel.word()),
                about: format!("visit/{}", row.id),
                not_before: None,
                until: Some(Time(row.to_at)),
            };
            self.outbox.send_within(tx, by, new).await?;
        }
        Ok(())
    }

    pub(crate) async fn own_appointments(
        &self,
        by: &Actor,
        part: &Part,
    ) -> Result<Page<Appointment>, Fault> {
        self.policy.demand(by, Verb::Write, "visits")?;
        let person = person_of(by)?;
        let mut reader = self.store.reader().await?;
        let (size, after) = (part.size(), part.after.as_deref());
        let (mut found, total) =
            rows::appointments_of(&mut reader, &person, after, size + 1).await?;
        let more = found.len() as u64 > size;
        found.truncate(size as usize);
        let next = more.then(|| found.last().map(|row| row.id.clone()));
        let items = found.iter().map(appointment).collect::<Result<_, _>>()?;
        Ok(Page {
            items,
            next: next.flatten(),
            total,
        })
    }

    pub(crate) async fn appointments_on(
        &self,
        by: &Actor,
        hall: &str,
        day: Day,
        part: &Part,
    ) -> Result<Page<Appointment>, Fault> {
        let hall = self.one_hall(hall).await?.set;
        self.demand(by, Verb::Handle, &hall)?;
        let after = part.after.as_deref().and_then(|after| {
            let (from, id) = after.split_once('.')?;
            Some((from.parse::<i64>().ok()?, id))
        });
        if part.after.is_some() && after.is_none() {
            let (zh, en) = ("游标不对", "not a cursor of this list");
            return Err(Fault::invalid_at("after", zh, en));
        }
        let size = part.size();
        let day = day_text(day);
        let mut reader = self.store.reader().await?;
        let (mut found, total) =
            rows::appointments_on(&mut reader, &hall.code, &day, after, size + 1).await?;
        let more = found.len() as u64 > size;
        found.truncate(size as usize);
        let cursor = |row: &AppointmentRow| format!("{}.{}", row.from_at, row.id);
        let next = more.then(|| found.last().map(cursor)).flatten();
        let items = found.iter().map(appointment).collect::<Result<_, _>>()?;
        Ok(Page { items, next, total })
    }

    /// An appointment its person, or an officer of the hall, may change; others find none.
    async fn changeable(
        &self,
        run: &mut impl Run,
        by: &Actor,
        id: &str,
    ) -> Result<(AppointmentRow, Actor), Fault> {
        let missing = || Fault::missing("appointment");
        let row = rows::appointment(run, id).await?.ok_or_else(missing)?;
        let hall = self.one_hall(&row.hall).await?.set;
        if person_of(by)? == row.person {
            let actor = self.demand(by, Verb::Write, &hall)?;
            return Ok((row, actor));
        }
        let actor = self
            .demand(by, Verb::Handle, &hall)
            .map_err(|_| missing())?;
        Ok((row, actor))
    }

    pub(crate) async fn cancel_appointment(
        &self,
        by: &Actor,
        id: &str,
    ) -> Result<Appointment, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let (mut row, actor) = self.changeable(&mut tx, by, id).await?;
        if row.state != "booked" {
            return Err(conflict(
                "预约已办理、取消或过期",
                "it was used, cancelled or is over",
            ));
        }
        if row.from_at <= now.0 {
            return Err(closed(
                "预约时段已开始，不能取消",
                "it has begun and cannot be cancelled",
            ));
        }
        end(&mut row, "cancelled");
        rows::put_appointment(&mut tx, &row).await?;
        change(&mut tx, now, &actor, Deed::new("write", id, "cancelled")).await?;
        tx.commit().await?;
        appointment(&row)
    }

    pub(crate) async fn did_not_come(&self, by: &Actor, id: &str) -> Result<Appointment, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let found = rows::appointment(&mut tx, id).await?;
        let mut row = found.ok_or_else(|| Fault::missing("appointment"))?;
        let hall = self.one_hall(&row.hall).await?.set;
        let actor = self.demand(by, Verb::Handle, &hall)?;
        if row.state != "booked" || now.0 < row.from_at {
            return Err(conflict(
                "预约尚未开始，或者已办理、取消",
                "it has not begun, or was used or cancelled",
            ));
        }
        end(&mut row, "no_show");
        rows::put_appointment(&mut tx, &row).await?;
        change(&mut tx, now, &actor, Deed::new("handle", id, "no_show")).await?;
        tx.commit().await?;
        appointment(&row)
    }

    /// Notes who did not come, ends the numbers of days gone by, and forgets names and numbers of
    /// visitors long gone; says how many. A job.
    pub async fn tidy(&self) -> Result<u64, Fault> {
        let mut done = 0;
        loop {
            let now = self.clock.now();
            let before = now - Span::minutes(GRACE_MIN);
            let mut tx = self.store.begin().await?;
            let late = rows::overdue(&mut tx, before.0, BATCH).await?;
            for mut row in late.iter().cloned() {
                end(&mut row, "no_show");
                rows::put_appointment(&mut tx, &row).await?;
                let deed = Deed::new("handle", &row.id, "no_show");
                change(&mut tx, now, &Actor::system(), deed).await?;
            }
            let ended = self.end_tickets(&mut tx, now, BATCH).await?;
            let forgotten = rows::forget(&mut tx, (now - self.limits.keep).0).await?;
            if forgotten > 0 {
                let deed = Deed::new("write", "", "expired").with(json!({ "count": forgotten }));
                change(&mut tx, now, &Actor::system(), deed).await?;
            }
            tx.commit().await?;
            let some = late.len() as u64 + ended;
            done += some;
            if some == 0 {
                return Ok(done);
            }
        }
    }

    /// Sends the reminders that are due; says how many. A job.
    pub async fn remind(&self) -> Result<u64, Fault> {
        let mut done = 0;
        loop {
            let now = self.clock.now();
            let mut tx = self.store.begin().await?;
            let due = rows::to_remind(&mut tx, now.0, BATCH).await?;
            let many = due.len() as u64;
            for mut row in due {
                row.remind_at = None;
                rows::put_appointment(&mut tx, &row).await?;
                let known = self.hall_and_matter(&row.hall, &row.matter).await;
                // A matter that is handled here no more: the appointment stands, with nothing to
                // say about it. One that has begun needs no reminder.
                if let (Ok((hall, matter)), true) = (known, row.from_at > now.0) {
                    let by = Actor::system();
                    self.tell(&mut tx, &by, &row, &hall, &matter, "visit_reminder")
                        .await?;
                }
            }
            tx.commit().await?;
            done += many;
            if many < BATCH {
                return Ok(done);
            }
        }
    }

    /// Seals everything anew that is not under the newest key; says how many values. A job, and
    /// done before an old key is retired.
    pub async fn reseal(&self) -> Result<u64, Fault> {
        let mut done = 0;
        let mut after = String::new();
        loop {
            let mut tx = self.store.begin().await?;
            let page = rows::sealed_after(&mut tx, &after).await?;
            let Some(last) = page.last() else { break };
            after = last.id.clone();
            for mut row in page {
                let Some(sealed) = &row.sealed else { continue };
                if let Some(sealed) = self.sealing.anew(&row.id, sealed)? {
                    row.sealed = Some(sealed);
                    rows::put_appointment(&mut tx, &row).await?;
                    done += 1;
                }
            }
            tx.commit().await?;
        }
        self.sealing.finish(&self.store).await?;
        Ok(done)
    }
}

/// An appointment that is over gives its place and its person free.
fn end(row: &mut AppointmentRow, state: &str) {
    row.state = state.into();
    row.seat_key = None;
    row.person_key = None;
    row.remind_at = None;
}

/// Checks that a text is a short one on one line.
pub(crate) fn short(at: &str, text: &str, most: usize) -> Result<(), Fault> {
    let sound = (1..=most).contains(&text.len()) && !text.contains(char::is_control);
    let wrong = (!sound).then(|| problem(at, "格式不对", "of the wrong form"));
    refuse(wrong.into_iter().collect())
}

/// The English title; the Chinese one of who gave no other.
fn english(title: &Words) -> String {
    match title.en.trim() {
        "" => title.zh.clone(),
        title => title.into(),
    }
}
