//! The book: rows of the store as others see them, and the keys that make things happen once.

use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::numbers::Day;
use kernel::visits::{Appointment, AppointmentState, Priority, Ticket, TicketState};
use kernel::{Fault, Time};
use store::visits::{AppointmentRow, TicketRow};

/// `2026-11-25`.
pub(crate) fn day_text(day: Day) -> String {
    day.into()
}

fn form(what: &str) -> Fault {
    Fault::internal("reading a visit", format!("{what} of the store"))
}

/// Who somebody is for appointments and numbers: their account, or whom they act for.
pub(crate) fn person_of(by: &Actor) -> Result<String, Fault> {
    if by.account.is_empty() {
        return Err(Fault::new(
            FaultKind::SignIn,
            "access.sign_in",
            "请先登录",
            "please sign in",
        ));
    }
    Ok(match &by.standing.acts_for {
        Some(party) if !party.document.is_empty() => format!("tie:{}", party.document),
        _ => format!("account:{}", by.account),
    })
}

/// One active appointment for a person and matter.
pub(crate) fn appointment_key(person: &str, matter: &str) -> String {
    format!("{person}|{matter}")
}
/// One place of a half hour.
pub(crate) fn seat_key(hall: &str, matter: &str, from: Time, seat: i64) -> String {
    format!("{hall}|{matter}|{}|{seat}", from.0)
}
/// One code on a day.
pub(crate) fn code_key(hall: &str, day: &str, code: &str) -> String {
    format!("{hall}|{day}|{code}")
}
/// One active number for a person in a hall.
pub(crate) fn ticket_key(person: &str, hall: &str) -> String {
    format!("{person}|{hall}")
}
/// One number in hand at a window.
pub(crate) fn window_key(hall: &str, day: &str, window: &str) -> String {
    format!("{hall}|{day}|{window}")
}

/// An appointment as it is shown.
pub(crate) fn appointment(row: &AppointmentRow) -> Result<Appointment, Fault> {
    Ok(Appointment {
        id: row.id.clone(),
        code: row.code.clone(),
        hall: row.hall.clone(),
        matter: row.matter.clone(),
        from: Time(row.from_at),
        to: Time(row.to_at),
        state: AppointmentState::parse(&row.state).ok_or_else(|| form("state"))?,
        visitor: row.shown.clone(),
        ticket: row.ticket.clone(),
        at: Time(row.at),
    })
}

/// A number as it is shown, without how long it waits.
pub(crate) fn ticket(row: &TicketRow) -> Result<Ticket, Fault> {
    Ok(Ticket {
        id: row.id.clone(),
        number: row.number.clone(),
        hall: row.hall.clone(),
        day: Day::parse(&row.day).ok_or_else(|| form("day"))?,
        matter: row.matter.clone(),
        priority: Priority::parse(&row.priority).ok_or_else(|| form("priority"))?,
        appointment_at: row.appointment_at.map(Time),
        state: TicketState::parse(&row.state).ok_or_else(|| form("state"))?,
        window: row.window_code.clone(),
        calls: u32::try_from(row.calls).unwrap_or(u32::MAX),
        at: Time(row.at),
        called_at: row.called_at.map(Time),
        started_at: row.started_at.map(Time),
        ended_at: row.ended_at.map(Time),
        before: None,
        wait_min: None,
    })
}
