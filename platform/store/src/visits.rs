//! Visits: the tables of appointments and queue numbers. What must be there once only (a place of
//! a half hour, a person's appointment for a matter, a number of the day, what a window has in
//! hand) is a unique key of its own, so that the database itself refuses the second.

use crate::migrations::{Migration, step};
use crate::sql::Run;
use crate::tables::{
    self, Row, index, many, maybe_bytes, maybe_number, maybe_text, number, one, rows, select, text,
};
use crate::{Backend, Statement, Tx};
use kernel::Fault;
use sea_query::{Cond, Expr, ExprTrait, Func, Order, Query, Table};

/// Rows listed at once, at most.
pub const PAGE_LIMIT: u64 = 1000;

rows!(
    "visit_appointments",
    /// An appointment.
    pub struct AppointmentRow {
        /// Identification.
        pub id: String,
        /// What the visitor types in.
        pub code: String,
        /// Hall.
        pub hall: String,
        /// Matter.
        pub matter: String,
        /// Day, `2026-11-25`.
        pub day: String,
        /// Begins.
        pub from_at: i64,
        /// Ends.
        pub to_at: i64,
        /// Place in its half hour, from 0.
        pub seat: i64,
        /// `booked`, `checked_in`, `cancelled`, `no_show`.
        pub state: String,
        /// Who comes: an account, or the keyed digest of a mobile number.
        pub person: String,
        /// Account to remind, when it is one's own.
        pub account: Option<String>,
        /// Name and number of a visitor without an account, sealed.
        pub sealed: Option<Vec<u8>>,
        /// Who comes, masked.
        pub shown: String,
        /// Queue number.
        pub ticket: Option<String>,
        /// Reminder due.
        pub remind_at: Option<i64>,
        /// Booked.
        pub at: i64,
        /// By whom.
        pub by_account: String,
        /// Place in the half hour while it is active.
        pub seat_key: Option<String>,
        /// Person and matter while it is active.
        pub person_key: Option<String>,
        /// Hall, day and code.
        pub code_key: String,
    }
);

rows!(
    "visit_tickets",
    /// A queue number.
    pub struct TicketRow {
        /// Identification.
        pub id: String,
        /// The number people know.
        pub number: String,
        /// Hall.
        pub hall: String,
        /// Day.
        pub day: String,
        /// Letter of the queue.
        pub letter: String,
        /// Number within letter and day, from 1.
        pub seq: i64,
        /// Matter.
        pub matter: String,
        /// `ordinary`, `elder`, `disabled`, `soldier`.
        pub priority: String,
        /// Appointment it was made from.
        pub appointment: Option<String>,
        /// Begin of that.
        pub appointment_at: Option<i64>,
        /// `waiting`, `called`, `serving`, `finished`, `skipped`, `expired`.
        pub state: String,
        /// Window it is called or handed to.
        pub window_code: Option<String>,
        /// How often it was called.
        pub calls: i64,
        /// Taken.
        pub at: i64,
        /// Called last.
        pub called_at: Option<i64>,
        /// Service began.
        pub started_at: Option<i64>,
        /// Ended.
        pub ended_at: Option<i64>,
        /// Hall, day and number.
        pub number_key: String,
        /// Hall and person while it is active.
        pub person_key: Option<String>,
        /// Hall, day and window while it is in hand there.
        pub window_key: Option<String>,
    }
);

fn first(_: Backend) -> Vec<Box<dyn Statement>> {
    let appointments = Table::create()
        .table("visit_appointments")
        .col(text("id").primary_key())
        .col(text("code"))
        .col(text("hall"))
        .col(text("matter"))
        .col(text("day"))
        .col(number("from_at"))
        .col(number("to_at"))
        .col(number("seat"))
        .col(text("state"))
        .col(text("person"))
        .col(maybe_text("account"))
        .col(maybe_bytes("sealed"))
        .col(text("shown"))
        .col(maybe_text("ticket"))
        .col(maybe_number("remind_at"))
        .col(number("at"))
        .col(text("by_account"))
        .col(maybe_text("seat_key").unique_key())
        .col(maybe_text("person_key").unique_key())
        .col(text("code_key").unique_key())
        .to_owned();
    let tickets = Table::create()
        .table("visit_tickets")
        .col(text("id").primary_key())
        .col(text("number"))
        .col(text("hall"))
        .col(text("day"))
        .col(text("letter"))
        .col(number("seq"))
        .col(text("matter"))
        .col(text("priority"))
        .col(maybe_text("appointment"))
        .col(maybe_number("appointment_at"))
        .col(text("state"))
        .col(maybe_text("window_code"))
        .col(number("calls"))
        .col(number("at"))
        .col(maybe_number("called_at"))
        .col(maybe_number("started_at"))
        .col(maybe_number("ended_at"))
        .col(text("number_key").unique_key())
        .col(maybe_text("person_key").unique_key())
        .col(maybe_text("window_key").unique_key())
        .to_owned();
    let by = |name, columns: &[&'static str]| index(name, "visit_appointments", columns);
    let tickets_by = |name, columns: &[&'static str]| index(name, "visit_tickets", columns);
    vec![
        step(appointments),
        step(tickets),
        by("visit_appointments_by_day", &["hall", "day", "id"]),
        by("visit_appointments_by_slot", &["hall", "matter", "from_at"]),
        by("visit_appointments_by_person", &["person", "id"]),
        by("visit_appointments_by_end", &["state", "to_at"]),
        by("visit_appointments_by_reminder", &["remind_at"]),
        tickets_by(
            "visit_tickets_by_state",
            &["hall", "day", "state", "letter"],
        ),
        tickets_by("visit_tickets_by_letter", &["hall", "day", "letter", "seq"]),
        tickets_by("visit_tickets_by_end", &["state", "day"]),
        tickets_by("visit_tickets_by_called", &["hall", "day", "called_at"]),
    ]
}

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "visits_1",
        statements: first,
    }]
}

fn at_slot(hall: &str, matter: &str, from: i64) -> Cond {
    Cond::all()
        .add(Expr::col("hall").eq(hall))
        .add(Expr::col("matter").eq(matter))
        .add(Expr::col("from_at").eq(from))
        .add(Expr::col("seat_key").is_not_null())
}

/// Adds an appointment.
pub async fn add_appointment(tx: &mut Tx, row: &AppointmentRow) -> Result<(), Fault> {
    tables::add(tx, std::slice::from_ref(row)).await
}

/// Writes an appointment as it now is.
pub async fn put_appointment(tx: &mut Tx, row: &AppointmentRow) -> Result<bool, Fault> {
    tables::put_by_key(tx, row).await
}

/// An appointment.
pub async fn appointment(run: &mut impl Run, id: &str) -> Result<Option<AppointmentRow>, Fault> {
    tables::by_key(run, id).await
}

async fn by_unique<R: Row>(
    run: &mut impl Run,
    column: &'static str,
    key: &str,
) -> Result<Option<R>, Fault> {
    let question = select::<R>()
        .and_where(Expr::col(column).eq(key))
        .to_owned();
    one(run, &question).await
}

/// The appointment of a hall, day and code.
pub async fn appointment_of_code(
    run: &mut impl Run,
    key: &str,
) -> Result<Option<AppointmentRow>, Fault> {
    by_unique(run, "code_key", key).await
}

/// The active appointment of a person for a matter.
pub async fn appointment_of_person(
    run: &mut impl Run,
    key: &str,
) -> Result<Option<AppointmentRow>, Fault> {
    by_unique(run, "person_key", key).await
}

/// How many places of a half hour are taken.
pub async fn taken(run: &mut impl Run, hall: &str, matter: &str, from: i64) -> Result<u64, Fault> {
    tables::count(run, AppointmentRow::TABLE, at_slot(hall, matter, from)).await
}

/// The places of a half hour that are taken, in order.
pub async fn seats(
    run: &mut impl Run,
    hall: &str,
    matter: &str,
    from: i64,
) -> Result<Vec<i64>, Fault> {
    let question = Query::select()
        .column("seat")
        .from("visit_appointments")
        .cond_where(at_slot(hall, matter, from))
        .order_by("seat", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(|row| row.i64("seat")).collect()
}

/// How many places are taken for each half hour of a time.
pub async fn taken_between(
    run: &mut impl Run,
    hall: &str,
    matter: &str,
    from: i64,
    to: i64,
) -> Result<Vec<(i64, u64)>, Fault> {
    let question = Query::select()
        .column("from_at")
        .expr_as(Func::count(Expr::col(sea_query::Asterisk)), "n")
        .from("visit_appointments")
        .and_where(Expr::col("hall").eq(hall))
        .and_where(Expr::col("matter").eq(matter))
        .and_where(Expr::col("from_at").gte(from))
        .and_where(Expr::col("from_at").lt(to))
        .and_where(Expr::col("seat_key").is_not_null())
        .add_group_by([Expr::col("from_at")])
        .limit(PAGE_LIMIT)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter()
        .map(|row| Ok((row.i64("from_at")?, row.i64("n")?.unsigned_abs())))
        .collect()
}

/// Appointments of a person, newest first, and how many.
pub async fn appointments_of(
    run: &mut impl Run,
    person: &str,
    after: Option<&str>,
    limit: u64,
) -> Result<(Vec<AppointmentRow>, u64), Fault> {
    let fits = || Cond::all().add(Expr::col("person").eq(person));
    let total = tables::count(run, AppointmentRow::TABLE, fits()).await?;
    let rows = tables::page(run, fits(), "id", Order::Desc, after, limit).await?;
    Ok((rows, total))
}

/// Appointments of a hall on a day in the order of time and identification, after those, and how
/// many.
pub async fn appointments_on(
    run: &mut impl Run,
    hall: &str,
    day: &str,
    after: Option<(i64, &str)>,
    limit: u64,
) -> Result<(Vec<AppointmentRow>, u64), Fault> {
    let fits = || {
        Cond::all()
            .add(Expr::col("hall").eq(hall))
            .add(Expr::col("day").eq(day))
    };
    let total = tables::count(run, AppointmentRow::TABLE, fits()).await?;
    let beyond = after.map(|(from, id)| {
        Cond::any().add(Expr::col("from_at").gt(from)).add(
            Cond::all()
                .add(Expr::col("from_at").eq(from))
                .add(Expr::col("id").gt(id)),
        )
    });
    let question = select::<AppointmentRow>()
        .cond_where(fits().add_option(beyond))
        .order_by("from_at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    Ok((many(run, &question).await?, total))
}

/// Booked appointments that ended before a moment.
pub async fn overdue(
    run: &mut impl Run,
    before: i64,
    limit: u64,
) -> Result<Vec<AppointmentRow>, Fault> {
    let question = select::<AppointmentRow>()
        .and_where(Expr::col("state").eq("booked"))
        .and_where(Expr::col("to_at").lt(before))
        .order_by("to_at", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question).await
}

/// Appointments whose reminder is due.
pub async fn to_remind(
    run: &mut impl Run,
    now: i64,
    limit: u64,
) -> Result<Vec<AppointmentRow>, Fault> {
    let question = select::<AppointmentRow>()
        .and_where(Expr::col("remind_at").lte(now))
        .order_by("remind_at", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question).await
}

/// Appointments with something sealed, by identification after one, for sealing anew.
pub async fn sealed_after(run: &mut impl Run, after: &str) -> Result<Vec<AppointmentRow>, Fault> {
    let fits = Cond::all().add(Expr::col("sealed").is_not_null());
    tables::page(run, fits, "id", Order::Asc, Some(after), PAGE_LIMIT).await
}

/// Takes name and number out of appointments that ended before a moment; says how many.
pub async fn forget(tx: &mut Tx, before: i64) -> Result<u64, Fault> {
    let statement = Query::update()
        .table("visit_appointments")
        .value("sealed", Option::<Vec<u8>>::None)
        .value("shown", "")
        .and_where(Expr::col("to_at").lt(before))
        .and_where(Expr::col("sealed").is_not_null())
        .to_owned();
    tx.execute(&statement).await
}

/// The last number given out for a letter on a day; 0 when none was.
pub async fn last_seq(
    run: &mut impl Run,
    hall: &str,
    day: &str,
    letter: &str,
) -> Result<i64, Fault> {
    let question = Query::select()
        .expr_as(Func::max(Expr::col("seq")), "last")
        .from("visit_tickets")
        .and_where(Expr::col("hall").eq(hall))
        .and_where(Expr::col("day").eq(day))
        .and_where(Expr::col("letter").eq(letter))
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    Ok(row
        .map_or(Ok(None), |row| row.opt_i64("last"))?
        .unwrap_or(0))
}

/// Adds a queue number.
pub async fn add_ticket(tx: &mut Tx, row: &TicketRow) -> Result<(), Fault> {
    tables::add(tx, std::slice::from_ref(row)).await
}

/// Writes a queue number as it now is, when it stood where said; says whether it did.
pub async fn put_ticket(tx: &mut Tx, row: &TicketRow, stood: &str) -> Result<bool, Fault> {
    let fits = Cond::all()
        .add(Expr::col("id").eq(row.id.as_str()))
        .add(Expr::col("state").eq(stood));
    Ok(tables::put(tx, row, fits).await? == 1)
}

/// A queue number.
pub async fn ticket(run: &mut impl Run, id: &str) -> Result<Option<TicketRow>, Fault> {
    tables::by_key(run, id).await
}

/// The active queue number of a person in a hall.
pub async fn ticket_of_person(run: &mut impl Run, key: &str) -> Result<Option<TicketRow>, Fault> {
    by_unique(run, "person_key", key).await
}

/// What a window has in hand.
pub async fn ticket_of_window(run: &mut impl Run, key: &str) -> Result<Option<TicketRow>, Fault> {
    by_unique(run, "window_key", key).await
}

/// How many numbers wait in a hall on a day.
pub async fn count_waiting(run: &mut impl Run, hall: &str, day: &str) -> Result<u64, Fault> {
    tables::count(run, TicketRow::TABLE, in_state(hall, day, &["waiting"])).await
}

fn in_state(hall: &str, day: &str, states: &[&str]) -> Cond {
    Cond::all()
        .add(Expr::col("hall").eq(hall))
        .add(Expr::col("day").eq(day))
        .add(Expr::col("state").is_in(states.iter().copied()))
}

/// Numbers of a hall on a day in these states, oldest first, `limit` at most.
pub async fn tickets(
    run: &mut impl Run,
    hall: &str,
    day: &str,
    states: &[&str],
    limit: u64,
) -> Result<Vec<TicketRow>, Fault> {
    let fits = in_state(hall, day, states);
    tables::page(run, fits, "id", Order::Asc, None, limit).await
}

/// Numbers of a hall on a day, newest first after one, and how many.
pub async fn tickets_on(
    run: &mut impl Run,
    hall: &str,
    day: &str,
    after: Option<&str>,
    limit: u64,
) -> Result<(Vec<TicketRow>, u64), Fault> {
    let fits = || {
        Cond::all()
            .add(Expr::col("hall").eq(hall))
            .add(Expr::col("day").eq(day))
    };
    let total = tables::count(run, TicketRow::TABLE, fits()).await?;
    let rows = tables::page(run, fits(), "id", Order::Desc, after, limit).await?;
    Ok((rows, total))
}

/// Numbers called last in a hall on a day, the newest call first.
pub async fn called_last(
    run: &mut impl Run,
    hall: &str,
    day: &str,
    limit: u64,
) -> Result<Vec<TicketRow>, Fault> {
    let question = select::<TicketRow>()
        .and_where(Expr::col("hall").eq(hall))
        .and_where(Expr::col("day").eq(day))
        .and_where(Expr::col("called_at").is_not_null())
        .order_by("called_at", Order::Desc)
        .order_by("id", Order::Desc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question).await
}

/// Numbers of days before this that still stand open.
pub async fn left_over(run: &mut impl Run, day: &str, limit: u64) -> Result<Vec<TicketRow>, Fault> {
    let open = ["waiting", "called", "serving"];
    let question = select::<TicketRow>()
        .and_where(Expr::col("state").is_in(open))
        .and_where(Expr::col("day").lt(day))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question).await
}

/// Numbers of one window, day and state: how many, and sums of waits and of service.
pub struct FiguresRow {
    /// Day.
    pub day: String,
    /// Window.
    pub window_code: Option<String>,
    /// State.
    pub state: String,
    /// How many.
    pub count: i64,
    /// How many of them were called.
    pub called: i64,
    /// Sum of their waits, microseconds.
    pub waited: i64,
    /// How many of them were served to the end.
    pub served: i64,
    /// Sum of their service, microseconds.
    pub service: i64,
}

/// Figures of a hall from a day to a day inclusive, by day, window and state.
pub async fn figures(
    run: &mut impl Run,
    hall: &str,
    from: &str,
    to: &str,
) -> Result<Vec<FiguresRow>, Fault> {
    let sum = |later: &'static str, earlier: &'static str| {
        let span = Expr::col(later).sub(Expr::col(earlier));
        Expr::from(Func::sum(span)).cast_as("bigint")
    };
    let question = Query::select()
        .columns(["day", "window_code", "state"])
        .expr_as(Func::count(Expr::col(sea_query::Asterisk)), "n")
        .expr_as(Func::count(Expr::col("called_at")), "called")
        .expr_as(sum("called_at", "at"), "waited")
        .expr_as(Func::count(Expr::col("started_at")), "started")
        .expr_as(sum("ended_at", "started_at"), "service")
        .from("visit_tickets")
        .and_where(Expr::col("hall").eq(hall))
        .and_where(Expr::col("day").gte(from))
        .and_where(Expr::col("day").lte(to))
        .add_group_by(["day", "window_code", "state"].map(Expr::col))
        .order_by("day", Order::Asc)
        .order_by("window_code", Order::Asc)
        .limit(200_000)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter()
        .map(|row| {
            Ok(FiguresRow {
                day: row.text("day")?,
                window_code: row.opt_text("window_code")?,
                state: row.text("state")?,
                count: row.i64("n")?,
                called: row.i64("called")?,
                waited: row.opt_i64("waited")?.unwrap_or(0),
                served: row.i64("started")?,
                service: row.opt_i64("service")?.unwrap_or(0),
            })
        })
        .collect()
}
