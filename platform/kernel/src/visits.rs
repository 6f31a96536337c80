//! Visits: counters of a service hall (政务服务大厅). Halls with windows, appointments (预约), queue
//! numbers (取号、叫号) and figures of them. The engine of that name keeps them. On the object
//! `visits` a policy grants `read` (figures), `write` (a resident for themselves: book, take a
//! number), `handle` (officers and the terminals of a hall: for anybody, and the windows) and
//! `operate` (settings of halls). The board and the list of halls are public and name nobody.

use crate::access::Actor;
use crate::fault::{Fault, Words};
use crate::numbers::Day;
use crate::page::{Page, Part};
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Minutes of one place for appointments.
pub const SLOT_MIN: i64 = 30;
/// Minutes after its end an appointment may still be checked in.
pub const GRACE_MIN: i64 = 15;
/// Minutes before its begin an appointment may be checked in.
pub const EARLY_MIN: i64 = 60;

/// Tells the days worked (working days of China with make-up days).
pub trait WorkingDays: Send + Sync {
    /// Is it a working day?
    fn is_working(&self, day: Day) -> bool;
}

impl<F: Fn(Day) -> bool + Send + Sync> WorkingDays for F {
    fn is_working(&self, day: Day) -> bool {
        self(day)
    }
}

/// Opening hours: from and to, `09:00` style, at full or half hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Opens.
    pub from: String,
    /// Closes.
    pub to: String,
}

/// A matter (or group of matters) handled in a hall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HallMatter {
    /// Its code, 1 to 60 of a–z, 0–9, `_`, `-`, `.`.
    pub code: String,
    /// Its name.
    pub title: Words,
    /// The letter its queue numbers begin with: matters with one letter stand in one queue.
    pub letter: char,
    /// Minutes one visit takes, until the hall has figures of its own; 1 to 480.
    pub minutes: u32,
    /// Appointments for each half hour, 0 (none) to 1,000.
    pub capacity: u32,
}

/// A window of a hall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Its code, such as `12`.
    pub code: String,
    /// What stands above it.
    pub title: Words,
    /// Codes of the matters it serves.
    pub matters: Vec<String>,
}

/// A hall as it is set. Changed as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHall {
    /// Its code, 1 to 60 of a–z, 0–9, `_`, `-`.
    pub code: String,
    /// Its name.
    pub title: Words,
    /// Organisation it belongs to.
    pub organisation: String,
    /// Where it is.
    pub address: Words,
    /// Matters handled, 1 to 500.
    pub matters: Vec<HallMatter>,
    /// Windows, 1 to 500.
    pub windows: Vec<Window>,
    /// Opening hours, Monday first, seven lists of at most four. On a working day at a weekend
    /// without hours those of Monday hold; a weekday that is no working day is closed.
    pub hours: Vec<Vec<Hours>>,
    /// Days it is closed besides, 366 at most.
    #[serde(default)]
    pub closed: Vec<Day>,
    /// Days ahead appointments can be booked, 1 to 90.
    pub days_ahead: u32,
}

/// A hall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hall {
    /// As it is set.
    #[serde(flatten)]
    pub set: NewHall,
    /// Grows by one with every change.
    pub version: i64,
    /// Open now.
    pub open: bool,
}

/// A half hour appointments can be booked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Begins.
    pub from: Time,
    /// Ends.
    pub to: Time,
    /// Places.
    pub capacity: u32,
    /// Places left.
    pub free: u32,
}

/// Somebody who comes without an account. Personal: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visitor {
    /// Name.
    pub name: String,
    /// Mobile number.
    pub mobile: String,
}

/// An appointment to be booked. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAppointment {
    /// Hall.
    pub hall: String,
    /// Matter.
    pub matter: String,
    /// Begin of the half hour.
    pub from: Time,
    /// For whom, when an officer books for somebody; for oneself when there is none.
    #[serde(default)]
    pub visitor: Option<Visitor>,
}

/// Where an appointment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentState {
    /// Booked.
    Booked,
    /// Came, and has a queue number.
    CheckedIn,
    /// Cancelled.
    Cancelled,
    /// Did not come (爽约).
    NoShow,
}

impl AppointmentState {
    /// All states.
    pub const ALL: [AppointmentState; 4] = [
        AppointmentState::Booked,
        AppointmentState::CheckedIn,
        AppointmentState::Cancelled,
        AppointmentState::NoShow,
    ];
    /// The word in the API and the store.
    pub fn word(self) -> &'static str {
        ["booked", "checked_in", "cancelled", "no_show"][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<AppointmentState> {
        AppointmentState::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// An appointment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Appointment {
    /// Identification.
    pub id: String,
    /// What the visitor types in at the terminal: eight digits, unique in hall and day.
    pub code: String,
    /// Hall.
    pub hall: String,
    /// Matter.
    pub matter: String,
    /// Begins.
    pub from: Time,
    /// Ends.
    pub to: Time,
    /// Where it stands.
    pub state: AppointmentState,
    /// Who comes, masked; empty when it is the account itself.
    pub visitor: String,
    /// The queue number, once checked in.
    pub ticket: Option<String>,
    /// When it was booked.
    pub at: Time,
}

/// Who comes first (优先).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Nobody in particular.
    #[default]
    Ordinary,
    /// 老年人.
    Elder,
    /// 残疾人.
    Disabled,
    /// 军人.
    Soldier,
}

impl Priority {
    /// All classes.
    pub const ALL: [Priority; 4] = [
        Priority::Ordinary,
        Priority::Elder,
        Priority::Disabled,
        Priority::Soldier,
    ];
    /// The word in the API and the store.
    pub fn word(self) -> &'static str {
        ["ordinary", "elder", "disabled", "soldier"][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<Priority> {
        Priority::ALL.into_iter().find(|p| p.word() == word)
    }
}

/// A queue number to be taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// Hall.
    pub hall: String,
    /// Matter.
    pub matter: String,
    /// Who comes first.
    #[serde(default)]
    pub priority: Priority,
}

/// Where a queue number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Waits.
    Waiting,
    /// Is called to a window.
    Called,
    /// Is served there.
    Serving,
    /// Done.
    Finished,
    /// Called and did not come (过号).
    Skipped,
    /// The day ended before it was called.
    Expired,
}

impl TicketState {
    /// All states.
    pub const ALL: [TicketState; 6] = [
        TicketState::Waiting,
        TicketState::Called,
        TicketState::Serving,
        TicketState::Finished,
        TicketState::Skipped,
        TicketState::Expired,
    ];
    /// The word in the API and the store.
    pub fn word(self) -> &'static str {
        [
            "waiting", "called", "serving", "finished", "skipped", "expired",
        ][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<TicketState> {
        TicketState::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// A queue number. Names nobody: whoever knows its identification may look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// Identification.
    pub id: String,
    /// The number people know, such as `A001`; begins anew every day.
    pub number: String,
    /// Hall.
    pub hall: String,
    /// Day.
    pub day: Day,
    /// Matter.
    pub matter: String,
    /// Who comes first.
    pub priority: Priority,
    /// Begin of the appointment it was made from.
    pub appointment_at: Option<Time>,
    /// Where it stands.
    pub state: TicketState,
    /// The window it is called to, or handed to.
    pub window: Option<String>,
    /// How often it was called.
    pub calls: u32,
    /// Taken.
    pub at: Time,
    /// Called last.
    pub called_at: Option<Time>,
    /// Service began.
    pub started_at: Option<Time>,
    /// Ended.
    pub ended_at: Option<Time>,
    /// How many are before it; `None` unless it waits.
    pub before: Option<u32>,
    /// About how long it still waits, in minutes, from how long visits took of late; `None` unless
    /// it waits.
    pub wait_min: Option<u32>,
}

/// What is done to a queue number at a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum TicketAct {
    /// Call it once more; also one that was skipped.
    Recall,
    /// It did not come.
    Skip,
    /// Service begins.
    Start,
    /// Service ends.
    Finish,
    /// Hand it to another window, where it is next.
    Transfer {
        /// That window.
        window: String,
    },
}

/// A number on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// The number.
    pub number: String,
    /// The window it is called to.
    pub window: String,
    /// Being served already.
    pub serving: bool,
    /// When it was called.
    pub at: Time,
}

/// How many wait in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueLength {
    /// Letter of the queue.
    pub letter: char,
    /// How many wait.
    pub waiting: u32,
    /// About how long who comes now waits, in minutes.
    pub wait_min: u32,
}

/// The board of a hall: what is called now. Names nobody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// Hall.
    pub hall: String,
    /// Its name.
    pub title: Words,
    /// Now.
    pub at: Time,
    /// Open now.
    pub open: bool,
    /// What is called or served, the newest call first.
    pub called: Vec<Called>,
    /// The queues.
    pub queues: Vec<QueueLength>,
}

/// Figures of a window on a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowFigures {
    /// Day.
    pub day: Day,
    /// Window; `None` for numbers no window called.
    pub window: Option<String>,
    /// Waiting still.
    pub waiting: u64,
    /// Served to the end.
    pub served: u64,
    /// Called and did not come.
    pub skipped: u64,
    /// Minutes from taking to the last call, mean over all called; `None` without any.
    pub mean_wait_min: Option<f64>,
    /// Minutes of service, mean over all served; `None` without any.
    pub mean_service_min: Option<f64>,
}

/// Counters of service halls as pages see them.
#[async_trait]
pub trait Visits: Send + Sync {
    /// Halls by code. Public.
    async fn halls(&self, part: &Part) -> Result<Page<Hall>, Fault>;
    /// A hall. Public.
    async fn hall(&self, code: &str) -> Result<Hall, Fault>;
    /// Makes (`version` 0) or changes a hall that stands at this version.
    async fn set_hall(&self, by: &Actor, new: NewHall, version: i64) -> Result<Hall, Fault>;
    /// Half hours of a day for a matter; empty when closed or not bookable. Public.
    async fn slots(&self, hall: &str, matter: &str, day: Day) -> Result<Vec<Slot>, Fault>;

    /// Books an appointment: `visits.full` when no place is left, `visits.booked` when the person
    /// has one for the matter already.
    async fn book(&self, by: &Actor, new: NewAppointment) -> Result<Appointment, Fault>;
    /// Cancels one of one's own, or any (`handle`), before it begins.
    async fn cancel(&self, by: &Actor, id: &str) -> Result<Appointment, Fault>;
    /// One's own appointments, newest first.
    async fn mine(&self, by: &Actor, part: &Part) -> Result<Page<Appointment>, Fault>;
    /// Appointments of a hall on a day, by their time (`handle`).
    async fn appointments(
        &self,
        by: &Actor,
        hall: &str,
        day: Day,
        part: &Part,
    ) -> Result<Page<Appointment>, Fault>;
    /// Notes that somebody did not come (`handle`), once the appointment began.
    async fn no_show(&self, by: &Actor, id: &str) -> Result<Appointment, Fault>;

    /// Takes a queue number: at a terminal or by an officer (`handle`), or a resident for
    /// themselves (`write`), who has one at a time in a hall.
    async fn take(&self, by: &Actor, new: NewTicket) -> Result<Ticket, Fault>;
    /// Checks an appointment in by its identification (one's own) or its code (`handle`).
    async fn check_in(&self, by: &Actor, hall: &str, code: &str) -> Result<Ticket, Fault>;
    /// A queue number. Public for who knows its identification.
    async fn ticket(&self, id: &str) -> Result<Ticket, Fault>;
    /// Calls the next number to a window; `None` when nobody waits for it. `input.conflict` while
    /// the window has a number in hand.
    async fn call_next(
        &self,
        by: &Actor,
        hall: &str,
        window: &str,
    ) -> Result<Option<Ticket>, Fault>;
    /// The number a window has in hand.
    async fn in_hand(&self, by: &Actor, hall: &str, window: &str) -> Result<Option<Ticket>, Fault>;
    /// Does something to a queue number that is at this window.
    async fn act(
        &self,
        by: &Actor,
        window: &str,
        id: &str,
        act: TicketAct,
    ) -> Result<Ticket, Fault>;
    /// Numbers of a hall today, those that wait first (`handle`).
    async fn queue(&self, by: &Actor, hall: &str, part: &Part) -> Result<Page<Ticket>, Fault>;
    /// The board. Public.
    async fn board(&self, hall: &str) -> Result<Board, Fault>;
    /// Figures of each window on each day from `from` to `to` inclusive, 92 days at most (`read`).
    async fn figures(
        &self,
        by: &Actor,
        hall: &str,
        from: Day,
        to: Day,
    ) -> Result<Vec<WindowFigures>, Fault>;
}
