//! visits: counters of a service hall. Halls with their windows and hours, appointments for half
//! hours that are never oversold, queue numbers that are called in a fair order, the board in the
//! hall and the figures of its windows. Everything is in the store: a restart forgets nothing, and
//! two windows that call at once never call one number.

mod appointments;
mod board;
mod book;
mod halls;
mod hours;
mod order;
mod queue;
mod say;
mod sealing;
mod windows;

use async_trait::async_trait;
use kernel::access::{Actor, Verb};
use kernel::crypto::Crypto;
use kernel::facts::Facts;
use kernel::messages::{Channel, Outbox};
use kernel::numbers::Day;
use kernel::page::{Page, Part};
use kernel::visits::*;
use kernel::{Clock, Fault, Policy, Span, Time};
use sealing::Sealing;
use std::sync::Arc;
use store::Store;

/// What the engine works with besides the store.
pub struct Means {
    /// Who may do what.
    pub policy: Arc<dyn Policy>,
    /// Keys: name and number of visitors without an account are sealed with them.
    pub crypto: Arc<dyn Crypto>,
    /// Days worked.
    pub days: Arc<dyn WorkingDays>,
    /// Takes confirmations and reminders.
    pub outbox: Arc<dyn Outbox>,
    /// Channels an account is reminded by.
    pub remind_by: Vec<Channel>,
}

/// Limits of the engine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Numbers that may wait in a hall; more are refused with `system.overloaded`.
    pub waiting: u64,
    /// Preferred numbers called in a row while somebody else waits.
    pub preferred: usize,
    /// How long before it an appointment is reminded of.
    pub remind: Span,
    /// How long name and number of a visitor are kept after the appointment.
    pub keep: Span,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            waiting: 1000,
            preferred: 3,
            remind: Span::days(1),
            keep: Span::days(90),
        }
    }
}

/// The engine of visits.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    policy: Arc<dyn Policy>,
    sealing: Sealing,
    days: Arc<dyn WorkingDays>,
    outbox: Arc<dyn Outbox>,
    remind_by: Vec<Channel>,
    limits: Limits,
}

impl Engine {
    /// Opens the engine; makes the key of its digests at the first start.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        means: Means,
        limits: Limits,
    ) -> Result<Arc<Engine>, Fault> {
        let sealing = Sealing::open(&store, means.crypto).await?;
        Ok(Arc::new(Engine {
            store,
            clock,
            policy: means.policy,
            sealing,
            days: means.days,
            outbox: means.outbox,
            remind_by: means.remind_by,
            limits,
        }))
    }

    /// The actor, when the policy lets them do this in this hall.
    fn demand(&self, by: &Actor, verb: Verb, hall: &NewHall) -> Result<Actor, Fault> {
        // The machine itself sets the halls the city declares.
        if by.account == "system" && by.standing.session.is_none() {
            return Ok(by.clone());
        }
        let facts = Facts {
            key: hall.code.clone(),
            owner: Some(hall.organisation.clone()),
            ..Facts::default()
        };
        self.policy.demand_this(by, verb, "visits", &facts)
    }
}

/// Today in Beijing.
fn today(now: Time) -> Day {
    Day::of(now)
}

#[async_trait]
impl Visits for Engine {
    async fn halls(&self, part: &Part) -> Result<Page<Hall>, Fault> {
        self.list_halls(part).await
    }
    async fn hall(&self, code: &str) -> Result<Hall, Fault> {
        self.one_hall(code).await
    }
    async fn set_hall(&self, by: &Actor, new: NewHall, version: i64) -> Result<Hall, Fault> {
        self.keep_hall(by, new, version).await
    }
    async fn slots(&self, hall: &str, matter: &str, day: Day) -> Result<Vec<Slot>, Fault> {
        self.list_slots(hall, matter, day).await
    }
    async fn book(&self, by: &Actor, new: NewAppointment) -> Result<Appointment, Fault> {
        self.make_appointment(by, new).await
    }
    async fn cancel(&self, by: &Actor, id: &str) -> Result<Appointment, Fault> {
        self.cancel_appointment(by, id).await
    }
    async fn mine(&self, by: &Actor, part: &Part) -> Result<Page<Appointment>, Fault> {
        self.own_appointments(by, part).await
    }
    async fn appointments(
        &self,
        by: &Actor,
        hall: &str,
        day: Day,
        part: &Part,
    ) -> Result<Page<Appointment>, Fault> {
        self.appointments_on(by, hall, day, part).await
    }
    async fn no_show(&self, by: &Actor, id: &str) -> Result<Appointment, Fault> {
        self.did_not_come(by, id).await
    }
    async fn take(&self, by: &Actor, new: NewTicket) -> Result<Ticket, Fault> {
        self.take_ticket(by, new).await
    }
    async fn check_in(&self, by: &Actor, hall: &str, code: &str) -> Result<Ticket, Fault> {
        self.check_appointment_in(by, hall, code).await
    }
    async fn ticket(&self, id: &str) -> Result<Ticket, Fault> {
        self.one_ticket(id).await
    }
    async fn call_next(
        &self,
        by: &Actor,
        hall: &str,
        window: &str,
    ) -> Result<Option<Ticket>, Fault> {
        self.call(by, hall, window).await
    }
    async fn in_hand(&self, by: &Actor, hall: &str, window: &str) -> Result<Option<Ticket>, Fault> {
        self.ticket_in_hand(by, hall, window).await
    }
    async fn act(
        &self,
        by: &Actor,
        window: &str,
        id: &str,
        act: TicketAct,
    ) -> Result<Ticket, Fault> {
        self.act_on(by, window, id, act).await
    }
    async fn queue(&self, by: &Actor, hall: &str, part: &Part) -> Result<Page<Ticket>, Fault> {
        self.list_tickets(by, hall, part).await
    }
    async fn board(&self, hall: &str) -> Result<Board, Fault> {
        self.show_board(hall).await
    }
    async fn figures(
        &self,
        by: &Actor,
        hall: &str,
        from: Day,
        to: Day,
    ) -> Result<Vec<WindowFigures>, Fault> {
        self.count_figures(by, hall, from, to).await
    }
}
