//! Queue numbers (取号): taken at a terminal, by an officer or by a resident, or by checking an
//! appointment in; and how long they wait.

use crate::Engine;
use crate::appointments::short;
use crate::book::{code_key, day_text, person_of, ticket, ticket_key};
use crate::hours;
use crate::order::{Waits, sorted};
use crate::say::{Deed, booked, change, closed, conflict, problem};
use crate::today;
use kernel::access::{Actor, Verb};
use kernel::page::{Page, Part};
use kernel::visits::{
    EARLY_MIN, GRACE_MIN, HallMatter, NewHall, NewTicket, Priority, Ticket, Window,
};
use kernel::{Fault, Span, Time, new_id};
use serde_json::json;
use store::visits::{self as rows, AppointmentRow, TicketRow};
use store::{Run, Tx};

/// Numbers of a letter on a day, at most.
const NUMBERS: i64 = 9999;
/// Numbers of a hall on a day that are listed.
const LISTED: usize = 10_000;
/// Visits whose length an estimate is made from.
const RECENT: u64 = 100;
/// A window that called in this time is open.
const OPEN_WITHIN: Span = Span::minutes(30);

/// How a number waits, seen from a window.
pub(crate) fn waits(row: &TicketRow, window: Option<&str>) -> Waits {
    Waits {
        direct: window.is_some() && row.window_code.as_deref() == window,
        appointment_at: row.appointment_at,
        preferred: row.priority != Priority::Ordinary.word(),
        at: row.at,
        seq: row.seq,
    }
}

/// Windows that serve a matter.
pub(crate) fn windows<'a>(hall: &'a NewHall, matter: &str) -> Vec<&'a Window> {
    let serves = |window: &&Window| window.matters.iter().any(|m| m == matter);
    hall.windows.iter().filter(serves).collect()
}

impl Engine {
    pub(crate) async fn take_ticket(&self, by: &Actor, new: NewTicket) -> Result<Ticket, Fault> {
        let (hall, matter) = self.hall_and_matter(&new.hall, &new.matter).await?;
        let (actor, person) = match self.demand(by, Verb::Handle, &hall) {
            Ok(actor) => (actor, None),
            Err(_) => {
                let actor = self.demand(by, Verb::Write, &hall)?;
                if new.priority != Priority::Ordinary {
                    return Err(Fault::invalid(vec![problem(
                        "priority",
                        "优先号请凭证件在大厅领取",
                        "a preferred number is given out in the hall, against the document",
                    )]));
                }
                (actor, Some(person_of(by)?))
            }
        };
        let now = self.clock.now();
        if !hours::gives_numbers(&hall, now, self.days.as_ref()) {
            return Err(closed(
                "大厅此时不发号，请查看办公时间",
                "no numbers are given out now, please look at the opening hours",
            ));
        }
        let mut tx = self.store.begin().await?;
        let row = self
            .give_number(
                &mut tx,
                &hall,
                &matter,
                new.priority,
                person.as_deref(),
                None,
            )
            .await?;
        let details = json!({ "hall": row.hall, "number": row.number, "matter": row.matter });
        let deed = Deed::new("write", &row.id, "taken").with(details);
        change(&mut tx, now, &actor, deed).await?;
        tx.commit().await?;
        self.with_wait(&hall, &row).await
    }

    /// The next number of a letter, within a transaction.
    async fn give_number(
        &self,
        tx: &mut Tx,
        hall: &NewHall,
        matter: &HallMatter,
        priority: Priority,
        person: Option<&str>,
        appointment: Option<&AppointmentRow>,
    ) -> Result<TicketRow, Fault> {
        let now = self.clock.now();
        let day = day_text(today(now));
        let person_key = person.map(|person| ticket_key(person, &hall.code));
        if let Some(key) = &person_key
            && rows::ticket_of_person(tx, key).await?.is_some()
        {
            return Err(booked(
                "您在此大厅已有排队号",
                "you have a number in this hall already",
            ));
        }
        if rows::count_waiting(tx, &hall.code, &day).await? >= self.limits.waiting {
            return Err(Fault::overloaded("visits", 600));
        }
        let letter = matter.letter.to_string();
        let seq = rows::last_seq(tx, &hall.code, &day, &letter).await? + 1;
        if seq > NUMBERS {
            return Err(Fault::overloaded("visits", 600));
        }
        let number = format!("{letter}{seq:03}");
        let row = TicketRow {
            id: new_id(now),
            number_key: format!("{}|{day}|{number}", hall.code),
            number,
            hall: hall.code.clone(),
            day,
            letter,
            seq,
            matter: matter.code.clone(),
            priority: priority.word().into(),
            appointment: appointment.map(|row| row.id.clone()),
            appointment_at: appointment.map(|row| row.from_at),
            state: "waiting".into(),
            window_code: None,
            calls: 0,
            at: now.0,
            called_at: None,
            started_at: None,
            ended_at: None,
            person_key,
            window_key: None,
        };
        rows::add_ticket(tx, &row).await?;
        Ok(row)
    }

    pub(crate) async fn check_appointment_in(
        &self,
        by: &Actor,
        hall: &str,
        code: &str,
    ) -> Result<Ticket, Fault> {
        short("code", code, 26)?;
        let hall = self.one_hall(hall).await?.set;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let (mut row, actor) = self.arriving(&mut tx, by, &hall, code).await?;
        if row.state != "booked" {
            return Err(conflict(
                "预约已办理、取消或过期",
                "it was used, cancelled or is over",
            ));
        }
        let earliest = Time(row.from_at) - Span::minutes(EARLY_MIN);
        let latest = Time(row.to_at) + Span::minutes(GRACE_MIN);
        if now < earliest || latest < now {
            return Err(closed(
                "不在签到时间内（预约时段开始前 60 分钟至结束后 15 分钟）",
                "check in from 60 minutes before it begins until 15 minutes after it ends",
            ));
        }
        let matter = hall.matters.iter().find(|m| m.code == row.matter);
        let matter = matter.ok_or_else(|| Fault::missing("matter of the hall"))?;
        let person = row.person.clone();
        let given = self
            .give_number(
                &mut tx,
                &hall,
                matter,
                Priority::Ordinary,
                Some(&person),
                Some(&row),
            )
            .await?;
        row.state = "checked_in".into();
        row.ticket = Some(given.id.clone());
        // The place stays taken; the person may book for another time.
        row.person_key = None;
        row.remind_at = None;
        rows::put_appointment(&mut tx, &row).await?;
        let details = json!({ "ticket": given.id, "number": given.number });
        let deed = Deed::new("write", &row.id, "checked_in").with(details);
        change(&mut tx, now, &actor, deed).await?;
        tx.commit().await?;
        self.with_wait(&hall, &given).await
    }

    /// The appointment somebody comes with: by its code at a terminal or counter, by its
    /// identification their own. A code guessed by somebody else finds nothing.
    async fn arriving(
        &self,
        tx: &mut Tx,
        by: &Actor,
        hall: &NewHall,
        code: &str,
    ) -> Result<(AppointmentRow, Actor), Fault> {
        let missing = || Fault::missing("appointment");
        let day = day_text(today(self.clock.now()));
        let found = match rows::appointment(tx, code).await? {
            Some(row) => Some(row),
            None => {
                let key = code_key(&hall.code, &day, code);
                rows::appointment_of_code(tx, &key).await?
            }
        };
        let row = found
            .filter(|row| row.hall == hall.code)
            .ok_or_else(missing)?;
        if let Ok(actor) = self.demand(by, Verb::Handle, hall) {
            return Ok((row, actor));
        }
        let actor = self.demand(by, Verb::Write, hall)?;
        if person_of(by)? != row.person {
            return Err(missing());
        }
        Ok((row, actor))
    }

    pub(crate) async fn one_ticket(&self, id: &str) -> Result<Ticket, Fault> {
        let found = rows::ticket(&mut self.store.reader().await?, id).await?;
        let row = found.ok_or_else(|| Fault::missing("queue number"))?;
        match self.one_hall(&row.hall).await {
            Ok(hall) => self.with_wait(&hall.set, &row).await,
            Err(_) => ticket(&row),
        }
    }

    /// A number with how many are before it and about how long it waits.
    pub(crate) async fn with_wait(&self, hall: &NewHall, row: &TicketRow) -> Result<Ticket, Fault> {
        let mut shown = ticket(row)?;
        if row.state != "waiting" {
            return Ok(shown);
        }
        let now = self.clock.now();
        let mut reader = self.store.reader().await?;
        let waiting = rows::tickets(
            &mut reader,
            &hall.code,
            &row.day,
            &["waiting"],
            self.limits.waiting,
        )
        .await?;
        let mine = windows(hall, &row.matter);
        // Those who can be called in this one's place: some window serves both.
        let rivals = |other: &&TicketRow| match &row.window_code {
            Some(window) => other.window_code.as_deref() == Some(window) || other.id == row.id,
            None => {
                let shared = |w: &&Window| w.matters.contains(&other.matter);
                other.window_code.is_none() && mine.iter().any(shared)
            }
        };
        let rivals: Vec<&TicketRow> = waiting.iter().filter(rivals).collect();
        let order = sorted(
            &rivals.iter().map(|r| waits(r, None)).collect::<Vec<_>>(),
            now,
        );
        let before = order.iter().position(|place| rivals[*place].id == row.id);
        let before = u32::try_from(before.unwrap_or(0)).unwrap_or(u32::MAX);
        let pace = self.pace(&mut reader, hall, &row.day, &row.matter).await?;
        shown.before = Some(before);
        shown.wait_min = Some(pace.minutes(before));
        Ok(shown)
    }

    /// How fast visits for a matter go now.
    pub(crate) async fn pace(
        &self,
        run: &mut impl Run,
        hall: &NewHall,
        day: &str,
        matter: &str,
    ) -> Result<Pace, Fault> {
        let now = self.clock.now();
        let recent = rows::called_last(run, &hall.code, day, RECENT).await?;
        let known = hall.matters.iter().find(|m| m.code == matter);
        let letter = known.map(|m| m.letter.to_string()).unwrap_or_default();
        let lengths: Vec<i64> = recent
            .iter()
            .filter(|row| row.letter == letter && row.state == "finished")
            .filter_map(|row| Some(row.ended_at? - row.started_at?))
            .take(20)
            .collect();
        let mean = match lengths.len() {
            // Too few to say anything: as the hall was set.
            0..3 => i64::from(known.map_or(10, |m| m.minutes)) * kernel::time::MINUTE,
            many => lengths.iter().sum::<i64>() / many as i64,
        };
        let serves = windows(hall, matter);
        let open = serves.iter().filter(|window| {
            recent.iter().any(|row| {
                row.window_code.as_ref() == Some(&window.code)
                    && row.called_at.is_some_and(|at| at >= (now - OPEN_WITHIN).0)
            })
        });
        let open = std::cmp::max(open.count(), 1) as i64;
        Ok(Pace { mean, open })
    }

    pub(crate) async fn list_tickets(
        &self,
        by: &Actor,
        hall: &str,
        part: &Part,
    ) -> Result<Page<Ticket>, Fault> {
        let hall = self.one_hall(hall).await?.set;
        self.demand(by, Verb::Handle, &hall)?;
        let wrong = || Fault::invalid_at("after", "游标不对", "not a cursor of this list");
        let from: usize = match &part.after {
            Some(after) => after.parse().map_err(|_| wrong())?,
            None => 0,
        };
        let now = self.clock.now();
        let day = day_text(today(now));
        let mut reader = self.store.reader().await?;
        let mut all: Vec<TicketRow> = vec![];
        let mut total = 0;
        while all.len() < LISTED {
            let after = all.last().map(|row| row.id.clone());
            let (page, count) = rows::tickets_on(
                &mut reader,
                &hall.code,
                &day,
                after.as_deref(),
                rows::PAGE_LIMIT,
            )
            .await?;
            total = count;
            let full = page.len() as u64 == rows::PAGE_LIMIT;
            all.extend(page);
            if !full {
                break;
            }
        }
        let (waiting, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|row| row.state == "waiting");
        let order = sorted(
            &waiting.iter().map(|r| waits(r, None)).collect::<Vec<_>>(),
            now,
        );
        let listed = order.iter().map(|place| &waiting[*place]).chain(&others);
        let size = part.size() as usize;
        let items: Vec<Ticket> = listed
            .skip(from)
            .take(size)
            .map(ticket)
            .collect::<Result<_, _>>()?;
        let end = from.saturating_add(items.len());
        let more = end < waiting.len() + others.len() && !items.is_empty();
        Ok(Page {
            items,
            next: more.then(|| end.to_string()),
            total,
        })
    }
}

/// How fast visits go: microseconds of one, and windows that serve it.
pub(crate) struct Pace {
    mean: i64,
    open: i64,
}

impl Pace {
    /// Minutes until so many are through, rounded up.
    pub(crate) fn minutes(&self, before: u32) -> u32 {
        let span = self.mean.saturating_mul(i64::from(before)) / self.open;
        let minutes = (span + kernel::time::MINUTE - 1) / kernel::time::MINUTE;
        u32::try_from(minutes).unwrap_or(u32::MAX)
    }
}
