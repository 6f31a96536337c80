//! Parties: the tables of natural and legal persons, of residents' accounts, of what ties persons
//! to one another, and of the codes and requests that go with them. What is personal arrives here
//! sealed; what is searched by is a keyed digest.

mod rows;
mod sealed;

pub use rows::{CodeRow, PartyRow, PortalAccountRow, RequestRow, StepRow, TieRow};
pub use sealed::{SealedIn, SealedRow, put_sealed, sealed};

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{
    ColumnDef, Cond, Expr, ExprTrait, Func, Index, IndexCreateStatement, OnConflict, Order, Query,
    SelectStatement, Table, Value,
};

use rows::*;

/// Rows listed at once, at most.
pub const PAGE_LIMIT: u64 = 1000;

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().to_owned()
}
fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().to_owned()
}
fn maybe_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().to_owned()
}
fn maybe_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().to_owned()
}
fn maybe_bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().to_owned()
}

fn index(
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "parties_1",
        statements: |_| {
            let parties = Table::create()
                .table("parties")
                .col(text("id").primary_key())
                .col(text("kind"))
                .col(text("document"))
                .col(maybe_text("digest").unique_key())
                .col(maybe_text("code"))
                .col(maybe_text("name"))
                .col(maybe_bytes("sealed"))
                .col(number("proven"))
                .col(number("created_at"))
                .col(maybe_number("erased_at"))
                .col(number("version"))
                .to_owned();
            let accounts = Table::create()
                .table("portal_accounts")
                .col(text("account").primary_key())
                .col(maybe_text("party"))
                .col(number("level"))
                .col(maybe_text("phone_digest").unique_key())
                .col(maybe_bytes("phone"))
                .col(maybe_number("phone_at"))
                .col(number("created_at"))
                .col(maybe_number("closed_at"))
                .col(number("version"))
                .to_owned();
            let ties = Table::create()
                .table("party_ties")
                .col(text("id").primary_key())
                .col(text("tie"))
                .col(text("holder"))
                .col(text("principal"))
                .col(text("scope"))
                .col(maybe_bytes("note"))
                .col(text("evidence"))
                .col(text("by_account"))
                .col(number("from_at"))
                .col(maybe_number("to_at"))
                .col(text("state"))
                .col(number("created_at"))
                .col(maybe_number("accepted_at"))
                .col(maybe_number("ended_at"))
                .col(maybe_text("ended_by"))
                .col(maybe_text("reason"))
                .col(number("version"))
                .to_owned();
            let steps = Table::create()
                .table("party_steps")
                .col(text("subject"))
                .col(number("version"))
                .col(number("at"))
                .col(text("by_account"))
                .col(text("what"))
                .col(text("details"))
                .col(maybe_bytes("sealed"))
                .primary_key(Index::create().col("subject").col("version"))
                .to_owned();
            let codes = Table::create()
                .table("party_codes")
                .col(text("id").primary_key())
                .col(text("purpose"))
                .col(maybe_text("account"))
                .col(text("phone_digest"))
                .col(maybe_bytes("phone"))
                .col(text("address"))
                .col(text("digest"))
                .col(number("attempts"))
                .col(number("sent_at"))
                .col(number("expires_at"))
                .col(maybe_number("used_at"))
                .to_owned();
            let acting = Table::create()
                .table("party_acting")
                .col(text("session").primary_key())
                .col(text("account"))
                .col(text("tie"))
                .col(number("since"))
                .to_owned();
            let requests = Table::create()
                .table("party_requests")
                .col(text("id").primary_key())
                .col(text("account"))
                .col(maybe_text("party"))
                .col(text("kind"))
                .col(maybe_bytes("sealed"))
                .col(text("state"))
                .col(number("created_at"))
                .col(maybe_number("decided_at"))
                .col(maybe_text("decided_by"))
                .col(maybe_text("reason"))
                .to_owned();
            vec![
                step(parties),
                step(accounts),
                step(ties),
                step(steps),
                step(codes),
                step(acting),
                step(requests),
                step(index("parties_by_code", "parties", &["code"])),
                step(index(
                    "portal_accounts_by_party",
                    "portal_accounts",
                    &["party"],
                )),
                step(index(
                    "party_ties_by_holder",
                    "party_ties",
                    &["holder", "id"],
                )),
                step(index(
                    "party_ties_by_principal",
                    "party_ties",
                    &["principal", "id"],
                )),
                step(index(
                    "party_codes_by_phone",
                    "party_codes",
                    &["phone_digest", "sent_at"],
                )),
                step(index("party_codes_by_end", "party_codes", &["expires_at"])),
                step(index(
                    "party_requests_by_account",
                    "party_requests",
                    &["account", "id"],
                )),
                step(index(
                    "party_requests_by_state",
                    "party_requests",
                    &["state", "id"],
                )),
            ]
        },
    }]
}

/// Writes a row as it now is; the first column is the key.
async fn put(
    tx: &mut Tx,
    table: &'static str,
    columns: &[&'static str],
    values: Vec<Value>,
) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table(table)
        .columns(columns.iter().copied())
        .values_panic(values.into_iter().map(Expr::val))
        .on_conflict(
            OnConflict::column(columns[0])
                .update_columns(columns[1..].iter().copied())
                .to_owned(),
        )
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

fn select(table: &'static str, columns: &[&'static str]) -> SelectStatement {
    Query::select()
        .columns(columns.iter().copied())
        .from(table)
        .to_owned()
}

async fn one<T>(
    run: &mut impl Run,
    question: &SelectStatement,
    read: fn(&SqlRow) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let row = run.fetch_optional(question).await?;
    row.as_ref().map(read).transpose()
}

async fn many<T>(
    run: &mut impl Run,
    question: &SelectStatement,
    read: fn(&SqlRow) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    run.fetch_all(question).await?.iter().map(read).collect()
}

async fn count(run: &mut impl Run, question: &mut SelectStatement) -> Result<u64, Fault> {
    question.expr_as(Func::count(Expr::val(1)), "total");
    let row = run.fetch_optional(question).await?;
    Ok(row.map_or(Ok(0), |row| row.i64("total"))?.unsigned_abs())
}

/// Writes a party.
pub async fn put_party(tx: &mut Tx, row: &PartyRow) -> Result<(), Fault> {
    put(tx, "parties", &PARTY, values_of_party(row)).await
}

/// A party by identification.
pub async fn party(run: &mut impl Run, id: &str) -> Result<Option<PartyRow>, Fault> {
    let question = select("parties", &PARTY)
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    one(run, &question, read_party).await
}

/// Parties of these identifications, in no order; [`PAGE_LIMIT`] at most.
pub async fn parties_of(run: &mut impl Run, ids: &[String]) -> Result<Vec<PartyRow>, Fault> {
    let ids = ids.iter().take(PAGE_LIMIT as usize).map(String::as_str);
    let question = select("parties", &PARTY)
        .and_where(Expr::col("id").is_in(ids))
        .to_owned();
    many(run, &question, read_party).await
}

/// A party by the keyed digest of its number.
pub async fn party_by_digest(run: &mut impl Run, digest: &str) -> Result<Option<PartyRow>, Fault> {
    let question = select("parties", &PARTY)
        .and_where(Expr::col("digest").eq(digest))
        .to_owned();
    one(run, &question, read_party).await
}

/// Parties of a kind after this identification; those erased are left out.
pub async fn parties(
    run: &mut impl Run,
    kind: Option<&str>,
    after: &str,
    limit: u64,
) -> Result<Vec<PartyRow>, Fault> {
    let question = select("parties", &PARTY)
        .and_where(Expr::col("id").gt(after))
        .and_where(Expr::col("erased_at").is_null())
        .and_where_option(kind.map(|kind| Expr::col("kind").eq(kind)))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read_party).await
}

/// How many parties of a kind there are, those erased left out.
pub async fn count_parties(run: &mut impl Run, kind: Option<&str>) -> Result<u64, Fault> {
    let mut question = Query::select()
        .from("parties")
        .and_where(Expr::col("erased_at").is_null())
        .and_where_option(kind.map(|kind| Expr::col("kind").eq(kind)))
        .to_owned();
    count(run, &mut question).await
}

/// Writes the account of a resident.
pub async fn put_account(tx: &mut Tx, row: &PortalAccountRow) -> Result<(), Fault> {
    put(tx, "portal_accounts", &ACCOUNT, values_of_account(row)).await
}

/// The account of a resident by name.
pub async fn account(run: &mut impl Run, name: &str) -> Result<Option<PortalAccountRow>, Fault> {
    let question = select("portal_accounts", &ACCOUNT)
        .and_where(Expr::col("account").eq(name))
        .to_owned();
    one(run, &question, read_account).await
}

/// The account a mobile number is proven for.
pub async fn account_by_phone(
    run: &mut impl Run,
    digest: &str,
) -> Result<Option<PortalAccountRow>, Fault> {
    let question = select("portal_accounts", &ACCOUNT)
        .and_where(Expr::col("phone_digest").eq(digest))
        .and_where(Expr::col("closed_at").is_null())
        .to_owned();
    one(run, &question, read_account).await
}

/// The open account of a natural person.
pub async fn account_of_party(
    run: &mut impl Run,
    party: &str,
) -> Result<Option<PortalAccountRow>, Fault> {
    let question = select("portal_accounts", &ACCOUNT)
        .and_where(Expr::col("party").eq(party))
        .and_where(Expr::col("closed_at").is_null())
        .to_owned();
    one(run, &question, read_account).await
}

/// Writes a tie.
pub async fn put_tie(tx: &mut Tx, row: &TieRow) -> Result<(), Fault> {
    put(tx, "party_ties", &TIE, values_of_tie(row)).await
}

/// A tie by identification.
pub async fn tie(run: &mut impl Run, id: &str) -> Result<Option<TieRow>, Fault> {
    let question = select("party_ties", &TIE)
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    one(run, &question, read_tie).await
}

/// Ties of a party from either side, newest first, [`PAGE_LIMIT`] at most.
pub async fn ties_of(run: &mut impl Run, party: &str) -> Result<Vec<TieRow>, Fault> {
    let either = Cond::any()
        .add(Expr::col("holder").eq(party))
        .add(Expr::col("principal").eq(party));
    let question = select("party_ties", &TIE)
        .cond_where(either)
        .order_by("id", Order::Desc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_tie).await
}

/// Ties of one principal that stand or wait, of one kind.
pub async fn ties_for(
    run: &mut impl Run,
    principal: &str,
    tie: &str,
) -> Result<Vec<TieRow>, Fault> {
    let question = select("party_ties", &TIE)
        .and_where(Expr::col("principal").eq(principal))
        .and_where(Expr::col("tie").eq(tie))
        .and_where(Expr::col("state").is_in(["invited", "active"]))
        .order_by("id", Order::Desc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_tie).await
}

/// Writes a step of a history; its number must be free.
pub async fn add_step(tx: &mut Tx, row: &StepRow) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("party_steps")
        .columns(STEP)
        .values_panic([
            Expr::val(row.subject.as_str()),
            Expr::val(row.version),
            Expr::val(row.at),
            Expr::val(row.by_account.as_str()),
            Expr::val(row.what.as_str()),
            Expr::val(row.details.as_str()),
            Expr::val(row.sealed.clone()),
        ])
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// The history of a subject, oldest first, [`PAGE_LIMIT`] at most.
pub async fn steps(run: &mut impl Run, subject: &str) -> Result<Vec<StepRow>, Fault> {
    let question = select("party_steps", &STEP)
        .and_where(Expr::col("subject").eq(subject))
        .order_by("version", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_step).await
}

/// Writes a code.
pub async fn put_code(tx: &mut Tx, row: &CodeRow) -> Result<(), Fault> {
    put(tx, "party_codes", &CODE, values_of_code(row)).await
}

/// A code by identification.
pub async fn code(run: &mut impl Run, id: &str) -> Result<Option<CodeRow>, Fault> {
    let question = select("party_codes", &CODE)
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    one(run, &question, read_code).await
}

/// Codes sent to a mobile number since, newest first, `limit` at most.
pub async fn codes_to(
    run: &mut impl Run,
    phone_digest: &str,
    since: i64,
    limit: u64,
) -> Result<Vec<CodeRow>, Fault> {
    let question = select("party_codes", &CODE)
        .and_where(Expr::col("phone_digest").eq(phone_digest))
        .and_where(Expr::col("sent_at").gt(since))
        .order_by("sent_at", Order::Desc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read_code).await
}

/// Forgets codes that ended before; says how many.
pub async fn sweep_codes(tx: &mut Tx, before: i64) -> Result<u64, Fault> {
    let statement = Query::delete()
        .from_table("party_codes")
        .and_where(Expr::col("expires_at").lt(before))
        .to_owned();
    tx.execute(&statement).await
}

/// The tie a session acts under: session, account, tie, since.
pub async fn acting(run: &mut impl Run, session: &str) -> Result<Option<(String, String)>, Fault> {
    let question = select("party_acting", &["account", "tie"])
        .and_where(Expr::col("session").eq(session))
        .to_owned();
    one(run, &question, |row| {
        Ok((row.text("account")?, row.text("tie")?))
    })
    .await
}

/// Lets a session act under a tie, or for itself again.
pub async fn put_acting(
    tx: &mut Tx,
    session: &str,
    account: &str,
    tie: Option<&str>,
    now: i64,
) -> Result<(), Fault> {
    let Some(tie) = tie else {
        let statement = Query::delete()
            .from_table("party_acting")
            .and_where(Expr::col("session").eq(session))
            .to_owned();
        tx.execute(&statement).await?;
        return Ok(());
    };
    let columns = ["session", "account", "tie", "since"];
    let values = vec![session.into(), account.into(), tie.into(), now.into()];
    put(tx, "party_acting", &columns, values).await
}

/// Forgets what sessions chose before; says how many.
pub async fn sweep_acting(tx: &mut Tx, before: i64) -> Result<u64, Fault> {
    let statement = Query::delete()
        .from_table("party_acting")
        .and_where(Expr::col("since").lt(before))
        .to_owned();
    tx.execute(&statement).await
}

/// Writes a request.
pub async fn put_request(tx: &mut Tx, row: &RequestRow) -> Result<(), Fault> {
    put(tx, "party_requests", &REQUEST, values_of_request(row)).await
}

/// A request by identification.
pub async fn request(run: &mut impl Run, id: &str) -> Result<Option<RequestRow>, Fault> {
    let question = select("party_requests", &REQUEST)
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    one(run, &question, read_request).await
}

/// Requests of an account, newest first.
pub async fn requests_of(run: &mut impl Run, account: &str) -> Result<Vec<RequestRow>, Fault> {
    let question = select("party_requests", &REQUEST)
        .and_where(Expr::col("account").eq(account))
        .order_by("id", Order::Desc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_request).await
}

/// Requests in a state after this identification, oldest first.
pub async fn requests(
    run: &mut impl Run,
    state: &str,
    after: &str,
    limit: u64,
) -> Result<Vec<RequestRow>, Fault> {
    let question = select("party_requests", &REQUEST)
        .and_where(Expr::col("state").eq(state))
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read_request).await
}

/// How many requests are in a state.
pub async fn count_requests(run: &mut impl Run, state: &str) -> Result<u64, Fault> {
    let mut question = Query::select()
        .from("party_requests")
        .and_where(Expr::col("state").eq(state))
        .to_owned();
    count(run, &mut question).await
}

/// Destroys what is still sealed of parties erased before; says how many.
pub async fn destroy_erased(tx: &mut Tx, before: i64) -> Result<u64, Fault> {
    let old = Query::select()
        .column("id")
        .from("parties")
        .and_where(Expr::col("erased_at").lt(before))
        .and_where(Expr::col("sealed").is_not_null())
        .limit(PAGE_LIMIT)
        .to_owned();
    let ids = many(tx, &old, |row| row.text("id")).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let forget = Query::update()
        .table("parties")
        .value("sealed", Option::<Vec<u8>>::None)
        .and_where(Expr::col("id").is_in(ids.iter().map(String::as_str)))
        .to_owned();
    tx.execute(&forget).await?;
    let steps = Query::update()
        .table("party_steps")
        .value("sealed", Option::<Vec<u8>>::None)
        .and_where(Expr::col("subject").is_in(ids.iter().map(String::as_str)))
        .to_owned();
    tx.execute(&steps).await?;
    Ok(ids.len() as u64)
}
