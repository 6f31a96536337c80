//! Messages: the tables of outgoing messages and of inboxes. Recipients and texts arrive here
//! sealed.

use crate::migrations::{Migration, step};
use crate::sql::Run;
use crate::tables::{
    self, Row, bytes, index, many, maybe_number, maybe_text, number, one, rows, select, text,
};
use crate::{Backend, Statement, Tx};
use kernel::Fault;
use sea_query::{Cond, Expr, ExprTrait, Func, Order, Query, Table};

/// Rows listed at once, at most.
pub const PAGE_LIMIT: u64 = 1000;

rows!(
    "messages",
    /// An outgoing message.
    pub struct MessageRow {
        /// Identification.
        pub id: String,
        /// Key by which it is sent once.
        pub once: String,
        /// `sms`, `email`, `inbox`.
        pub channel: String,
        /// Account it goes to, when it goes to one.
        pub account: Option<String>,
        /// To whom, as the operator sees it.
        pub shown: String,
        /// Recipient and words, sealed.
        pub sealed: Vec<u8>,
        /// Template.
        pub template: String,
        /// What it is about.
        pub about: String,
        /// `queued`, `sending`, `sent`, `failed`, `given_up`.
        pub state: String,
        /// How often it was handed over.
        pub attempts: i64,
        /// How often it is not known whether the carrier took it.
        pub unsure: i64,
        /// Who carries it now.
        pub claim: Option<String>,
        /// Why the last attempt failed: JSON of words.
        pub reason: Option<String>,
        /// Taken.
        pub at: i64,
        /// Tried next; while it is being carried, when the claim ends.
        pub next_at: Option<i64>,
        /// Of no use after.
        pub until_at: Option<i64>,
        /// Sent or given up.
        pub done_at: Option<i64>,
        /// Who had it sent.
        pub by_account: String,
    }
);

rows!(
    "inbox",
    /// An entry of an inbox.
    pub struct InboxRow {
        /// Identification.
        pub id: String,
        /// Whose.
        pub account: String,
        /// When it came.
        pub at: i64,
        /// Heading and text, sealed.
        pub sealed: Vec<u8>,
        /// What it is about.
        pub about: String,
        /// When it was read.
        pub read_at: Option<i64>,
    }
);

fn first(_: Backend) -> Vec<Box<dyn Statement>> {
    let messages = Table::create()
        .table("messages")
        .col(text("id").primary_key())
        .col(text("once").unique_key())
        .col(text("channel"))
        .col(maybe_text("account"))
        .col(text("shown"))
        .col(bytes("sealed"))
        .col(text("template"))
        .col(text("about"))
        .col(text("state"))
        .col(number("attempts"))
        .col(number("unsure"))
        .col(maybe_text("claim"))
        .col(maybe_text("reason"))
        .col(number("at"))
        .col(maybe_number("next_at"))
        .col(maybe_number("until_at"))
        .col(maybe_number("done_at"))
        .col(text("by_account"))
        .to_owned();
    let inbox = Table::create()
        .table("inbox")
        .col(text("id").primary_key())
        .col(text("account"))
        .col(number("at"))
        .col(bytes("sealed"))
        .col(text("about"))
        .col(maybe_number("read_at"))
        .to_owned();
    vec![
        step(messages),
        step(inbox),
        index("messages_by_next", "messages", &["next_at"]),
        index("messages_by_state", "messages", &["state", "id"]),
        index("messages_by_about", "messages", &["about", "id"]),
        index("messages_by_done", "messages", &["done_at"]),
        index("inbox_by_account", "inbox", &["account", "id"]),
        index("inbox_by_read", "inbox", &["account", "read_at", "id"]),
        index("inbox_by_at", "inbox", &["at"]),
    ]
}

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "messages_1",
        statements: first,
    }]
}

/// Adds a message unless its key was used; says whether it was added.
pub async fn add(tx: &mut Tx, row: &MessageRow) -> Result<bool, Fault> {
    tables::add_unless(tx, row, &["once"]).await
}

/// A message.
pub async fn message(run: &mut impl Run, id: &str) -> Result<Option<MessageRow>, Fault> {
    tables::by_key(run, id).await
}

/// The message of a key.
pub async fn message_once(run: &mut impl Run, once: &str) -> Result<Option<MessageRow>, Fault> {
    let question = select::<MessageRow>()
        .and_where(Expr::col("once").eq(once))
        .to_owned();
    one(run, &question).await
}

/// Messages whose turn it is: due, or claimed by somebody whose time is over.
pub async fn due(run: &mut impl Run, now: i64, limit: u64) -> Result<Vec<MessageRow>, Fault> {
    let question = select::<MessageRow>()
        .and_where(Expr::col("next_at").lte(now))
        .order_by("next_at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question).await
}

/// Writes a message as it now is, when it is claimed as said; says whether it was.
pub async fn put(tx: &mut Tx, row: &MessageRow, claimed: Option<&str>) -> Result<bool, Fault> {
    let claim = match claimed {
        Some(claim) => Expr::col("claim").eq(claim),
        None => Expr::col("claim").is_null(),
    };
    let fits = Cond::all()
        .add(Expr::col("id").eq(row.id.as_str()))
        .add(claim);
    Ok(tables::put(tx, row, fits).await? == 1)
}

/// Which messages.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// In this state.
    pub state: Option<&'a str>,
    /// By this channel.
    pub channel: Option<&'a str>,
    /// About this.
    pub about: Option<&'a str>,
}

impl Wanted<'_> {
    fn fits(&self) -> Cond {
        let same = |name, value: Option<&str>| value.map(|value| Expr::col(name).eq(value));
        Cond::all()
            .add_option(same("state", self.state))
            .add_option(same("channel", self.channel))
            .add_option(same("about", self.about))
    }
}

/// Messages, newest first, and how many fit.
pub async fn list(
    run: &mut impl Run,
    wanted: &Wanted<'_>,
    after: Option<&str>,
    limit: u64,
) -> Result<(Vec<MessageRow>, u64), Fault> {
    let total = tables::count(run, MessageRow::TABLE, wanted.fits()).await?;
    let rows = tables::page(run, wanted.fits(), "id", Order::Desc, after, limit).await?;
    Ok((rows, total))
}

/// How many messages stand where.
pub async fn counts(run: &mut impl Run) -> Result<Vec<(String, u64)>, Fault> {
    let question = Query::select()
        .column("state")
        .expr_as(Func::count(Expr::col(sea_query::Asterisk)), "n")
        .from("messages")
        .add_group_by([Expr::col("state")])
        .limit(PAGE_LIMIT)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter()
        .map(|row| Ok((row.text("state")?, row.i64("n")?.unsigned_abs())))
        .collect()
}

/// How many are not done.
pub async fn waiting(run: &mut impl Run) -> Result<u64, Fault> {
    let fits = Cond::all().add(Expr::col("next_at").is_not_null());
    tables::count(run, MessageRow::TABLE, fits).await
}

/// Adds an entry to an inbox.
pub async fn add_inbox(tx: &mut Tx, row: &InboxRow) -> Result<(), Fault> {
    tables::add(tx, std::slice::from_ref(row)).await
}

fn mine(account: &str, unread: bool) -> Cond {
    let unread = unread.then(|| Expr::col("read_at").is_null());
    Cond::all()
        .add(Expr::col("account").eq(account))
        .add_option(unread)
}

/// Entries of an inbox, newest first, and how many there are.
pub async fn inbox(
    run: &mut impl Run,
    account: &str,
    unread: bool,
    after: Option<&str>,
    limit: u64,
) -> Result<(Vec<InboxRow>, u64), Fault> {
    let total = tables::count(run, InboxRow::TABLE, mine(account, unread)).await?;
    let rows = tables::page(run, mine(account, unread), "id", Order::Desc, after, limit).await?;
    Ok((rows, total))
}

/// How many entries of an inbox are unread.
pub async fn unread(run: &mut impl Run, account: &str) -> Result<u64, Fault> {
    tables::count(run, InboxRow::TABLE, mine(account, true)).await
}

/// Marks unread entries of an inbox as read, these or all; says how many.
pub async fn mark_read(
    tx: &mut Tx,
    account: &str,
    ids: Option<&[String]>,
    at: i64,
) -> Result<u64, Fault> {
    let these = ids.map(|ids| Expr::col("id").is_in(ids.iter().map(String::as_str)));
    let statement = Query::update()
        .table("inbox")
        .value("read_at", at)
        .cond_where(mine(account, true).add_option(these))
        .to_owned();
    tx.execute(&statement).await
}

/// Forgets messages done and entries that came before a moment, some at a time; says how many.
pub async fn sweep(tx: &mut Tx, before: i64) -> Result<u64, Fault> {
    let mut gone = 0;
    for (table, column) in [("messages", "done_at"), ("inbox", "at")] {
        let some = Query::select()
            .column("id")
            .from(table)
            .and_where(Expr::col(column).lt(before))
            .limit(PAGE_LIMIT)
            .to_owned();
        let statement = Query::delete()
            .from_table(table)
            .and_where(Expr::col("id").in_subquery(some))
            .to_owned();
        gone += tx.execute(&statement).await?;
    }
    Ok(gone)
}

/// Messages by identification after one, for sealing anew.
pub async fn messages_after(run: &mut impl Run, after: &str) -> Result<Vec<MessageRow>, Fault> {
    let all = Cond::all();
    tables::page(run, all, "id", Order::Asc, Some(after), PAGE_LIMIT).await
}

/// Entries by identification after one, for sealing anew.
pub async fn inbox_after(run: &mut impl Run, after: &str) -> Result<Vec<InboxRow>, Fault> {
    let all = Cond::all();
    tables::page(run, all, "id", Order::Asc, Some(after), PAGE_LIMIT).await
}

/// Writes what is sealed in a message anew.
pub async fn put_sealed(tx: &mut Tx, id: &str, sealed: &[u8], inbox: bool) -> Result<(), Fault> {
    let statement = Query::update()
        .table(if inbox { "inbox" } else { "messages" })
        .value("sealed", sealed.to_vec())
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}
