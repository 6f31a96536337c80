//! Windows: calling the next number and what is done to it there. The database holds what a window
//! has in hand under a unique key, and a number changes only from the state it was seen in: two
//! windows that call at once get two numbers.

use crate::Engine;
use crate::book::{day_text, ticket, window_key};
use crate::order::next;
use crate::queue::waits;
use crate::say::{Deed, change, conflict};
use crate::today;
use kernel::access::{Actor, Verb};
use kernel::visits::{NewHall, Ticket, TicketAct, Window};
use kernel::{Fault, Time};
use serde_json::json;
use store::visits::{self as rows, TicketRow};
use store::{Run, Tx};

/// Calls looked back at for those preferred in a row.
const BACK: u64 = 20;

fn window<'a>(hall: &'a NewHall, code: &str) -> Result<&'a Window, Fault> {
    let found = hall.windows.iter().find(|window| window.code == code);
    found.ok_or_else(|| Fault::missing("window"))
}

impl Engine {
    pub(crate) async fn ticket_in_hand(
        &self,
        by: &Actor,
        hall: &str,
        code: &str,
    ) -> Result<Option<Ticket>, Fault> {
        let hall = self.one_hall(hall).await?.set;
        self.demand(by, Verb::Handle, &hall)?;
        window(&hall, code)?;
        let day = day_text(today(self.clock.now()));
        let key = window_key(&hall.code, &day, code);
        let found = rows::ticket_of_window(&mut self.store.reader().await?, &key).await?;
        found.as_ref().map(ticket).transpose()
    }

    pub(crate) async fn call(
        &self,
        by: &Actor,
        hall: &str,
        code: &str,
    ) -> Result<Option<Ticket>, Fault> {
        let hall = self.one_hall(hall).await?.set;
        let actor = self.demand(by, Verb::Handle, &hall)?;
        let window = window(&hall, code)?;
        let now = self.clock.now();
        let day = day_text(today(now));
        let mut tx = self.store.begin().await?;
        let key = free_window(&mut tx, &hall, &day, code).await?;
        let most = self.limits.waiting;
        let waiting = rows::tickets(&mut tx, &hall.code, &day, &["waiting"], most).await?;
        let mine = |row: &TicketRow| match &row.window_code {
            Some(handed) => *handed == window.code,
            None => window.matters.contains(&row.matter),
        };
        let mine: Vec<TicketRow> = waiting.into_iter().filter(mine).collect();
        let in_row = preferred_in_row(&mut tx, &hall, &day, window).await?;
        let seen: Vec<_> = mine.iter().map(|row| waits(row, Some(code))).collect();
        let Some(place) = next(&seen, in_row, self.limits.preferred, now) else {
            return Ok(None);
        };
        let row = TicketRow {
            state: "called".into(),
            window_code: Some(window.code.clone()),
            window_key: Some(key),
            calls: mine[place].calls + 1,
            called_at: Some(now.0),
            ..mine[place].clone()
        };
        put(&mut tx, &row, "waiting").await?;
        let details = json!({ "number": row.number, "window": code });
        let deed = Deed::new("handle", &row.id, "called").with(details);
        change(&mut tx, now, &actor, deed).await?;
        tx.commit().await?;
        ticket(&row).map(Some)
    }

    pub(crate) async fn act_on(
        &self,
        by: &Actor,
        code: &str,
        id: &str,
        act: TicketAct,
    ) -> Result<Ticket, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let found = rows::ticket(&mut tx, id).await?;
        let found = found.ok_or_else(|| Fault::missing("queue number"))?;
        let hall = self.one_hall(&found.hall).await?.set;
        let actor = self.demand(by, Verb::Handle, &hall)?;
        window(&hall, code)?;
        if found.window_code.as_deref() != Some(code) {
            return Err(conflict(
                "此号不在本窗口",
                "this number is not at this window",
            ));
        }
        let (row, what) = self.acted(&mut tx, &hall, &found, code, &act, now).await?;
        put(&mut tx, &row, &found.state).await?;
        let details = json!({ "number": row.number, "window": code, "act": act });
        change(
            &mut tx,
            now,
            &actor,
            Deed::new("handle", id, what).with(details),
        )
        .await?;
        tx.commit().await?;
        self.with_wait(&hall, &row).await
    }

    /// How a number is after an act.
    async fn acted(
        &self,
        tx: &mut Tx,
        hall: &NewHall,
        found: &TicketRow,
        code: &str,
        act: &TicketAct,
        now: Time,
    ) -> Result<(TicketRow, &'static str), Fault> {
        let wrong = || {
            Err(conflict(
                "此号现在的状态不能这样办",
                "this cannot be done to the number as it stands",
            ))
        };
        let mut row = found.clone();
        let what = match (act, found.state.as_str()) {
            (TicketAct::Recall, "called") => {
                row.calls += 1;
                row.called_at = Some(now.0);
                "recalled"
            }
            (TicketAct::Recall, "skipped") if found.day == day_text(today(now)) => {
                let key = free_window(tx, hall, &found.day, code).await?;
                row.state = "called".into();
                row.window_key = Some(key);
                row.calls += 1;
                row.called_at = Some(now.0);
                row.ended_at = None;
                "recalled"
            }
            (TicketAct::Skip, "called") => {
                end(&mut row, "skipped", now);
                "skipped"
            }
            (TicketAct::Start, "called") => {
                row.state = "serving".into();
                row.started_at = Some(now.0);
                "started"
            }
            (TicketAct::Finish, "serving") => {
                end(&mut row, "finished", now);
                "finished"
            }
            (TicketAct::Transfer { window: to }, "called" | "serving") => {
                window(hall, to)?;
                if to == code {
                    return wrong();
                }
                row.state = "waiting".into();
                row.window_code = Some(to.clone());
                row.window_key = None;
                row.started_at = None;
                "transferred"
            }
            _ => return wrong(),
        };
        Ok((row, what))
    }

    /// Ends numbers of days gone by, some at a time; says how many.
    pub(crate) async fn end_tickets(
        &self,
        tx: &mut Tx,
        now: Time,
        some: u64,
    ) -> Result<u64, Fault> {
        let left = rows::left_over(tx, &day_text(today(now)), some).await?;
        let many = left.len() as u64;
        for mut row in left {
            let stood = row.state.clone();
            end(&mut row, "expired", now);
            put(tx, &row, &stood).await?;
            let deed = Deed::new("handle", &row.id, "expired");
            change(tx, now, &Actor::system(), deed).await?;
        }
        Ok(many)
    }
}

async fn put(tx: &mut Tx, row: &TicketRow, stood: &str) -> Result<(), Fault> {
    if rows::put_ticket(tx, row, stood).await? {
        return Ok(());
    }
    Err(conflict(
        "此号刚被其他窗口处理",
        "another window was first with this number",
    ))
}

/// The key of a window that has nothing in hand.
async fn free_window(
    run: &mut impl Run,
    hall: &NewHall,
    day: &str,
    code: &str,
) -> Result<String, Fault> {
    let key = window_key(&hall.code, day, code);
    match rows::ticket_of_window(run, &key).await? {
        None => Ok(key),
        Some(row) => {
            let mut fault = conflict("窗口还有未办结的号", "the window has a number in hand");
            fault.words.zh.push_str(&format!("：{}", row.number));
            fault.words.en.push_str(&format!(": {}", row.number));
            Err(fault)
        }
    }
}

/// How many preferred numbers were called last, one after the other, of what this window serves.
async fn preferred_in_row(
    run: &mut impl Run,
    hall: &NewHall,
    day: &str,
    window: &Window,
) -> Result<usize, Fault> {
    let last = rows::called_last(run, &hall.code, day, BACK).await?;
    let mine = last
        .iter()
        .filter(|row| window.matters.contains(&row.matter));
    let preferred = |row: &&TicketRow| row.appointment_at.is_some() || row.priority != "ordinary";
    Ok(mine.take_while(preferred).count())
}

/// A number that is over gives window and person free.
fn end(row: &mut TicketRow, state: &str, now: Time) {
    row.state = state.into();
    row.ended_at = Some(now.0);
    row.window_key = None;
    row.person_key = None;
}
