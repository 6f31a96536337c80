//! Office: the tables of mails, notices, circulated documents and calendar entries. An item is one
//! of them; a person of an item is a recipient, reader or attendee with what they did.

use crate::migrations::{Migration, step};
use crate::sql::Run;
use crate::tables::{
    self, Row, index, many, maybe_number, maybe_text, number, one, rows, select, text,
};
use crate::{Backend, Statement, Tx};
use kernel::Fault;
use sea_query::{Cond, Expr, ExprTrait, Index, Order, Query, SelectStatement, Table};

/// Rows listed at once, at most.
pub const PAGE_LIMIT: u64 = 1000;

rows!(
    "office_items",
    /// A mail, notice, circulated document or calendar entry.
    pub struct ItemRow {
        /// Identification.
        pub id: String,
        /// `mail`, `notice`, `circulation`, `entry`.
        pub kind: String,
        /// Account it belongs to.
        pub owner: String,
        /// Made.
        pub at: i64,
        /// Where it stands.
        pub state: String,
        /// What lists are sorted by: the identification, for notices with `1` before it when pinned
        /// and `0` otherwise.
        pub sort: String,
        /// The first mail of the thread.
        pub thread: Option<String>,
        /// Shown from, begins.
        pub from_at: Option<i64>,
        /// Shown until, ends.
        pub to_at: Option<i64>,
        /// Reminder due.
        pub remind_at: Option<i64>,
        /// Ended, withdrawn, recalled, cancelled.
        pub ended_at: Option<i64>,
        /// JSON.
        pub body: String,
        /// Grows by one with every change.
        pub version: i64,
    }
);

rows!(
    "office_people",
    /// What somebody has to do with an item.
    pub struct PersonRow {
        /// Item.
        pub item: String,
        /// Account.
        pub account: String,
        /// Kind of the item.
        pub kind: String,
        /// Place in the order.
        pub place: i64,
        /// Where they stand.
        pub state: String,
        /// It came to them.
        pub came_at: Option<i64>,
        /// They opened it.
        pub read_at: Option<i64>,
        /// They were done, confirmed, answered.
        pub done_at: Option<i64>,
        /// They were urged last.
        pub urged_at: Option<i64>,
        /// JSON.
        pub body: String,
    }
);

fn first(_: Backend) -> Vec<Box<dyn Statement>> {
    let items = Table::create()
        .table("office_items")
        .col(text("id").primary_key())
        .col(text("kind"))
        .col(text("owner"))
        .col(number("at"))
        .col(text("state"))
        .col(text("sort"))
        .col(maybe_text("thread"))
        .col(maybe_number("from_at"))
        .col(maybe_number("to_at"))
        .col(maybe_number("remind_at"))
        .col(maybe_number("ended_at"))
        .col(text("body"))
        .col(number("version"))
        .to_owned();
    let people = Table::create()
        .table("office_people")
        .col(text("item"))
        .col(text("account"))
        .col(text("kind"))
        .col(number("place"))
        .col(text("state"))
        .col(maybe_number("came_at"))
        .col(maybe_number("read_at"))
        .col(maybe_number("done_at"))
        .col(maybe_number("urged_at"))
        .col(text("body"))
        .primary_key(Index::create().col("item").col("account"))
        .to_owned();
    let pairs = |table: &'static str, a: &'static str| {
        Table::create()
            .table(table)
            .col(text(a))
            .col(text("item"))
            .primary_key(Index::create().col(a).col("item"))
            .to_owned()
    };
    vec![
        step(items),
        step(people),
        step(pairs("office_scopes", "scope")),
        step(pairs("office_files", "file")),
        index(
            "office_items_by_owner",
            "office_items",
            &["kind", "owner", "sort"],
        ),
        index(
            "office_items_by_sort",
            "office_items",
            &["kind", "state", "sort"],
        ),
        index("office_items_by_thread", "office_items", &["thread", "id"]),
        index("office_items_by_time", "office_items", &["kind", "from_at"]),
        index("office_items_by_reminder", "office_items", &["remind_at"]),
        index(
            "office_people_by_account",
            "office_people",
            &["account", "kind", "state", "item"],
        ),
        index(
            "office_people_by_place",
            "office_people",
            &["item", "place"],
        ),
    ]
}

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "office_1",
        statements: first,
    }]
}

/// Adds an item with its people, the scopes it is for and the files attached to it.
pub async fn add(
    tx: &mut Tx,
    item: &ItemRow,
    people: &[PersonRow],
    scopes: &[String],
    files: &[String],
) -> Result<(), Fault> {
    tables::add(tx, std::slice::from_ref(item)).await?;
    tables::add(tx, people).await?;
    put_scopes(tx, &item.id, scopes).await?;
    for file in files {
        let statement = Query::insert()
            .into_table("office_files")
            .columns(["file", "item"])
            .values_panic([Expr::val(file.as_str()), Expr::val(item.id.as_str())])
            .to_owned();
        tx.execute(&statement).await?;
    }
    Ok(())
}

/// For whom an item is, instead of what was before.
pub async fn put_scopes(tx: &mut Tx, item: &str, scopes: &[String]) -> Result<(), Fault> {
    let old = Query::delete()
        .from_table("office_scopes")
        .and_where(Expr::col("item").eq(item))
        .to_owned();
    tx.execute(&old).await?;
    for scope in scopes {
        let statement = Query::insert()
            .into_table("office_scopes")
            .columns(["scope", "item"])
            .values_panic([Expr::val(scope.as_str()), Expr::val(item)])
            .to_owned();
        tx.execute(&statement).await?;
    }
    Ok(())
}

/// An item.
pub async fn item(run: &mut impl Run, id: &str) -> Result<Option<ItemRow>, Fault> {
    tables::by_key(run, id).await
}

/// Items among these, in no order.
pub async fn items(run: &mut impl Run, ids: &[String]) -> Result<Vec<ItemRow>, Fault> {
    let question = select::<ItemRow>()
        .and_where(Expr::col("id").is_in(ids.iter().take(1000).map(String::as_str)))
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question).await
}

/// Writes an item as it now is, when it stands at the version before; says whether it does.
pub async fn put_item(tx: &mut Tx, row: &ItemRow) -> Result<bool, Fault> {
    let fits = Cond::all()
        .add(Expr::col("id").eq(row.id.as_str()))
        .add(Expr::col("version").eq(row.version - 1));
    Ok(tables::put(tx, row, fits).await? == 1)
}

/// Which items.
#[derive(Clone, Debug)]
pub enum Items<'a> {
    /// Of an owner.
    Of(&'a str),
    /// Standing (`state` is `open`) and shown at this moment, for any of these scopes.
    Shown {
        /// The moment.
        now: i64,
        /// Scopes.
        scopes: &'a [String],
        /// Only those this account has not read, or not confirmed though they must be.
        unread_by: Option<&'a str>,
    },
}

fn of_person(account: &str) -> SelectStatement {
    Query::select()
        .column("item")
        .from("office_people")
        .and_where(Expr::col("account").eq(account))
        .to_owned()
}

impl Items<'_> {
    fn fits(&self, kind: &str) -> Cond {
        let fits = Cond::all().add(Expr::col("kind").eq(kind));
        match self {
            Items::Of(owner) => fits.add(Expr::col("owner").eq(*owner)),
            Items::Shown {
                now,
                scopes,
                unread_by,
            } => {
                let inside = Query::select()
                    .column("item")
                    .from("office_scopes")
                    .and_where(Expr::col("scope").is_in(scopes.iter().map(String::as_str)))
                    .to_owned();
                let read = unread_by.map(|account| {
                    let done = of_person(account)
                        .and_where(Expr::col("kind").eq(kind))
                        .and_where(Expr::col("state").eq("done"))
                        .to_owned();
                    Expr::col("id").not_in_subquery(done)
                });
                let open_end = Cond::any()
                    .add(Expr::col("to_at").is_null())
                    .add(Expr::col("to_at").gt(*now));
                fits.add(Expr::col("state").eq("open"))
                    .add(Expr::col("from_at").lte(*now))
                    .add(open_end)
                    .add(Expr::col("id").in_subquery(inside))
                    .add_option(read)
            }
        }
    }
}

/// Items of a kind, by `sort`, the largest first, and how many fit.
pub async fn list(
    run: &mut impl Run,
    kind: &str,
    which: &Items<'_>,
    after: Option<&str>,
    limit: u64,
) -> Result<(Vec<ItemRow>, u64), Fault> {
    let total = tables::count(run, ItemRow::TABLE, which.fits(kind)).await?;
    let rows = tables::page(run, which.fits(kind), "sort", Order::Desc, after, limit).await?;
    Ok((rows, total))
}

/// Entries of calendars that touch a time: of this account, with it among the people, or shared
/// with any of these scopes; by beginning.
pub async fn touching(
    run: &mut impl Run,
    account: &str,
    scopes: &[String],
    from: i64,
    to: i64,
) -> Result<Vec<ItemRow>, Fault> {
    let shared = Query::select()
        .column("item")
        .from("office_scopes")
        .and_where(Expr::col("scope").is_in(scopes.iter().map(String::as_str)))
        .to_owned();
    let concerns = Cond::any()
        .add(Expr::col("owner").eq(account))
        .add(Expr::col("id").in_subquery(of_person(account)))
        .add(Expr::col("id").in_subquery(shared));
    let question = select::<ItemRow>()
        .and_where(Expr::col("kind").eq("entry"))
        .and_where(Expr::col("from_at").lt(to))
        .and_where(Expr::col("to_at").gt(from))
        .cond_where(concerns)
        .order_by("from_at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question).await
}

/// Items whose reminder is due.
pub async fn to_remind(run: &mut impl Run, now: i64, limit: u64) -> Result<Vec<ItemRow>, Fault> {
    let question = select::<ItemRow>()
        .and_where(Expr::col("remind_at").lte(now))
        .order_by("remind_at", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question).await
}

/// Items of a thread, oldest first.
pub async fn thread(run: &mut impl Run, thread: &str) -> Result<Vec<ItemRow>, Fault> {
    let question = select::<ItemRow>()
        .and_where(Expr::col("thread").eq(thread))
        .order_by("id", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question).await
}

/// Items a file is attached to, newest first.
pub async fn items_with_file(run: &mut impl Run, file: &str) -> Result<Vec<ItemRow>, Fault> {
    let with = Query::select()
        .column("item")
        .from("office_files")
        .and_where(Expr::col("file").eq(file))
        .to_owned();
    let question = select::<ItemRow>()
        .and_where(Expr::col("id").in_subquery(with))
        .order_by("id", Order::Desc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question).await
}

/// What somebody has to do with an item.
pub async fn person(
    run: &mut impl Run,
    item: &str,
    account: &str,
) -> Result<Option<PersonRow>, Fault> {
    let question = select::<PersonRow>()
        .and_where(Expr::col("item").eq(item))
        .and_where(Expr::col("account").eq(account))
        .to_owned();
    one(run, &question).await
}

/// People of an item by place, up to [`PAGE_LIMIT`].
pub async fn people(run: &mut impl Run, item: &str) -> Result<Vec<PersonRow>, Fault> {
    let question = select::<PersonRow>()
        .and_where(Expr::col("item").eq(item))
        .order_by("place", Order::Asc)
        .order_by("account", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question).await
}

/// People of an item in one of these states by account, after one, and how many there are.
pub async fn people_by_account(
    run: &mut impl Run,
    item: &str,
    states: &[&str],
    after: Option<&str>,
    limit: u64,
) -> Result<(Vec<PersonRow>, u64), Fault> {
    let fits = || {
        Cond::all()
            .add(Expr::col("item").eq(item))
            .add(Expr::col("state").is_in(states.iter().copied()))
    };
    let total = tables::count(run, PersonRow::TABLE, fits()).await?;
    let rows = tables::page(run, fits(), "account", Order::Asc, after, limit).await?;
    Ok((rows, total))
}

/// How many people of an item are in this state.
pub async fn count_people(run: &mut impl Run, item: &str, state: &str) -> Result<u64, Fault> {
    let fits = Cond::all()
        .add(Expr::col("item").eq(item))
        .add(Expr::col("state").eq(state));
    tables::count(run, PersonRow::TABLE, fits).await
}

/// Items of a kind somebody has to do with in one of these states, newest first, and how many.
pub async fn of_account(
    run: &mut impl Run,
    account: &str,
    kind: &str,
    states: &[&str],
    after: Option<&str>,
    limit: u64,
) -> Result<(Vec<PersonRow>, u64), Fault> {
    let fits = || {
        Cond::all()
            .add(Expr::col("account").eq(account))
            .add(Expr::col("kind").eq(kind))
            .add(Expr::col("state").is_in(states.iter().copied()))
    };
    let total = tables::count(run, PersonRow::TABLE, fits()).await?;
    let rows = tables::page(run, fits(), "item", Order::Desc, after, limit).await?;
    Ok((rows, total))
}

/// Adds a person to an item unless they are there; says whether they were added.
pub async fn add_person(tx: &mut Tx, row: &PersonRow) -> Result<bool, Fault> {
    tables::add_unless(tx, row, &["item", "account"]).await
}

/// Writes what somebody has to do with an item as it now is, when they stand where said.
pub async fn put_person(tx: &mut Tx, row: &PersonRow, stood: &str) -> Result<bool, Fault> {
    let fits = Cond::all()
        .add(Expr::col("item").eq(row.item.as_str()))
        .add(Expr::col("account").eq(row.account.as_str()))
        .add(Expr::col("state").eq(stood));
    Ok(tables::put(tx, row, fits).await? == 1)
}

/// Everybody of an item in one state stands in another from now on; says how many.
pub async fn move_people(tx: &mut Tx, item: &str, from: &str, to: &str) -> Result<u64, Fault> {
    let statement = Query::update()
        .table("office_people")
        .value("state", to)
        .and_where(Expr::col("item").eq(item))
        .and_where(Expr::col("state").eq(from))
        .to_owned();
    tx.execute(&statement).await
}

/// Takes people out of an item.
pub async fn remove_people(tx: &mut Tx, item: &str, accounts: &[String]) -> Result<(), Fault> {
    let statement = Query::delete()
        .from_table("office_people")
        .and_where(Expr::col("item").eq(item))
        .and_where(Expr::col("account").is_in(accounts.iter().map(String::as_str)))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// Notes when an item reminds next.
pub async fn set_reminder(tx: &mut Tx, item: &str, at: Option<i64>) -> Result<(), Fault> {
    let statement = Query::update()
        .table("office_items")
        .value("remind_at", at)
        .and_where(Expr::col("id").eq(item))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}
