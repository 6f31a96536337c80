//! Accounts: the tables of accounts, their sessions, and the tokens of programs. Of a password
//! only its hash is here, of a session or token only the SHA-256 of what its holder shows.

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{ColumnDef, Expr, ExprTrait, Func, Index, Order, Query, SelectStatement, Table};

/// Accounts, sessions or tokens listed at once, at most.
pub const PAGE_LIMIT: u64 = 1000;

const ACCOUNT: [&str; 15] = [
    "name",
    "display",
    "password",
    "roles",
    "organisation",
    "disabled",
    "created_at",
    "last_sign_in",
    "version",
    "password_at",
    "must_change",
    "second_factors",
    "proofing",
    "person",
    "unlocked_at",
];
const SESSION: [&str; 11] = [
    "hash",
    "id",
    "account",
    "address",
    "agent",
    "created_at",
    "last_used",
    "expires_at",
    "factors",
    "auth_time",
    "new_device",
];
const TOKEN: [&str; 9] = [
    "hash",
    "id",
    "name",
    "roles",
    "organisation",
    "created_by",
    "created_at",
    "last_used",
    "expires_at",
];

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "accounts_1",
        statements: |_| {
            let text = |name: &'static str| ColumnDef::new(name).text().not_null().to_owned();
            let number =
                |name: &'static str| ColumnDef::new(name).big_integer().not_null().to_owned();
            let accounts = Table::create()
                .table("accounts")
                .col(text("name").primary_key())
                .col(text("display"))
                .col(text("password"))
                .col(text("roles"))
                .col(ColumnDef::new("organisation").text())
                .col(number("disabled"))
                .col(number("created_at"))
                .col(ColumnDef::new("last_sign_in").big_integer())
                .col(number("version"))
                .to_owned();
            let sessions = Table::create()
                .table("sessions")
                .col(text("hash").primary_key())
                .col(text("id"))
                .col(text("account"))
                .col(text("address"))
                .col(text("agent"))
                .col(number("created_at"))
                .col(number("last_used"))
                .col(number("expires_at"))
                .to_owned();
            let tokens = Table::create()
                .table("tokens")
                .col(text("hash").primary_key())
                .col(text("id"))
                .col(text("name").unique_key())
                .col(text("roles"))
                .col(ColumnDef::new("organisation").text())
                .col(text("created_by"))
                .col(number("created_at"))
                .col(ColumnDef::new("last_used").big_integer())
                .col(number("expires_at"))
                .to_owned();
            let by_account = Index::create()
                .name("sessions_by_account")
                .table("sessions")
                .col("account")
                .col("created_at")
                .to_owned();
            vec![
                step(accounts),
                step(sessions),
                step(tokens),
                step(by_account),
            ]
        },
    }]
}

/// An account. Times are microseconds UTC.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountRow {
    /// Name, the key.
    pub name: String,
    /// Name for people.
    pub display: String,
    /// Hash of the password in the PHC string format.
    pub password: String,
    /// Roles, a JSON list of names.
    pub roles: String,
    /// Organisation.
    pub organisation: Option<String>,
    /// May not sign in.
    pub disabled: bool,
    /// When it was made.
    pub created_at: i64,
    /// When its holder last signed in.
    pub last_sign_in: Option<i64>,
    /// Number of changes, from 1.
    pub version: i64,
    /// When the password was set; 0 when that is not known.
    pub password_at: i64,
    /// The password is another's choice and must be changed first.
    pub must_change: bool,
    /// Second factors that are active.
    pub second_factors: i64,
    /// How well the identity was proven, 0 to 3; see `kernel::access::Standing`.
    pub proofing: i64,
    /// Citizen number of the person behind the account, once proven.
    pub person: Option<String>,
    /// Failed attempts before this instant no longer count.
    pub unlocked_at: i64,
}

/// A session of a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionRow {
    /// SHA-256 of the session's secret, hexadecimal.
    pub hash: String,
    /// Identification that may be shown.
    pub id: String,
    /// Whose.
    pub account: String,
    /// Network address it was opened from.
    pub address: String,
    /// Program it was opened with, as that names itself.
    pub agent: String,
    /// Opened at.
    pub created_at: i64,
    /// Last used at, to within a minute or so.
    pub last_used: i64,
    /// Ends at the latest.
    pub expires_at: i64,
    /// Factors it was opened or strengthened with, a JSON list.
    pub factors: String,
    /// When the person last proved who they are.
    pub auth_time: i64,
    /// Opened from a device the account had not been used on before.
    pub new_device: bool,
}

/// A token of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRow {
    /// SHA-256 of the token, hexadecimal.
    pub hash: String,
    /// Identification that may be shown.
    pub id: String,
    /// Name of the program.
    pub name: String,
    /// Roles, a JSON list of names.
    pub roles: String,
    /// Organisation it works for.
    pub organisation: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// Made at.
    pub created_at: i64,
    /// Last used at, to within a minute or so.
    pub last_used: Option<i64>,
    /// Ends at.
    pub expires_at: i64,
}

fn read_account(row: &SqlRow) -> Result<AccountRow, Fault> {
    read_account_as(row, "created_at")
}

/// The same where another table has a column `created_at` too.
fn read_account_as(row: &SqlRow, created_at: &str) -> Result<AccountRow, Fault> {
    Ok(AccountRow {
        name: row.text("name")?,
        display: row.text("display")?,
        password: row.text("password")?,
        roles: row.text("roles")?,
        organisation: row.opt_text("organisation")?,
        disabled: row.i64("disabled")? != 0,
        created_at: row.i64(created_at)?,
        last_sign_in: row.opt_i64("last_sign_in")?,
        version: row.i64("version")?,
        password_at: row.i64("password_at")?,
        must_change: row.i64("must_change")? != 0,
        second_factors: row.i64("second_factors")?,
        proofing: row.i64("proofing")?,
        person: row.opt_text("person")?,
        unlocked_at: row.i64("unlocked_at")?,
    })
}

fn read_session(row: &SqlRow) -> Result<SessionRow, Fault> {
    Ok(SessionRow {
        hash: row.text("hash")?,
        id: row.text("id")?,
        account: row.text("account")?,
        address: row.text("address")?,
        agent: row.text("agent")?,
        created_at: row.i64("created_at")?,
        last_used: row.i64("last_used")?,
        expires_at: row.i64("expires_at")?,
        factors: row.text("factors")?,
        auth_time: row.i64("auth_time")?,
        new_device: row.i64("new_device")? != 0,
    })
}

fn read_token(row: &SqlRow) -> Result<TokenRow, Fault> {
    Ok(TokenRow {
        hash: row.text("hash")?,
        id: row.text("id")?,
        name: row.text("name")?,
        roles: row.text("roles")?,
        organisation: row.opt_text("organisation")?,
        created_by: row.text("created_by")?,
        created_at: row.i64("created_at")?,
        last_used: row.opt_i64("last_used")?,
        expires_at: row.i64("expires_at")?,
    })
}

async fn one<T>(
    run: &mut impl Run,
    question: &SelectStatement,
    read: fn(&SqlRow) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    run.fetch_optional(question)
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

async fn many<T>(
    run: &mut impl Run,
    question: &SelectStatement,
    read: fn(&SqlRow) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    run.fetch_all(question).await?.iter().map(read).collect()
}

/// An account by name.
pub async fn account(run: &mut impl Run, name: &str) -> Result<Option<AccountRow>, Fault> {
    let question = Query::select()
        .columns(ACCOUNT)
        .from("accounts")
        .and_where(Expr::col("name").eq(name))
        .to_owned();
    one(run, &question, read_account).await
}

/// Accounts after a name in order of name, [`PAGE_LIMIT`] at most.
pub async fn accounts(
    run: &mut impl Run,
    after: &str,
    limit: u64,
) -> Result<Vec<AccountRow>, Fault> {
    let question = Query::select()
        .columns(ACCOUNT)
        .from("accounts")
        .and_where(Expr::col("name").gt(after))
        .order_by("name", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read_account).await
}

/// How many accounts there are.
pub async fn count(run: &mut impl Run) -> Result<u64, Fault> {
    let question = Query::select()
        .expr_as(Func::count(Expr::col("name")), "total")
        .from("accounts")
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    Ok(row.map_or(Ok(0), |row| row.i64("total"))? as u64)
}

/// Makes an account; `input.conflict` when the name is taken.
pub async fn insert_account(tx: &mut Tx, row: &AccountRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("accounts")
        .columns(ACCOUNT)
        .values_panic([
            Expr::val(row.name.as_str()),
            Expr::val(row.display.as_str()),
            Expr::val(row.password.as_str()),
            Expr::val(row.roles.as_str()),
            Expr::val(row.organisation.clone()),
            Expr::val(i64::from(row.disabled)),
            Expr::val(row.created_at),
            Expr::val(row.last_sign_in),
            Expr::val(row.version),
            Expr::val(row.password_at),
            Expr::val(i64::from(row.must_change)),
            Expr::val(row.second_factors),
            Expr::val(row.proofing),
            Expr::val(row.person.clone()),
            Expr::val(row.unlocked_at),
        ])
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// Writes an account as it now is.
pub async fn update_account(tx: &mut Tx, row: &AccountRow) -> Result<(), Fault> {
    let update = Query::update()
        .table("accounts")
        .value("display", row.display.as_str())
        .value("password", row.password.as_str())
        .value("roles", row.roles.as_str())
        .value("organisation", row.organisation.clone())
        .value("disabled", i64::from(row.disabled))
        .value("last_sign_in", row.last_sign_in)
        .value("version", row.version)
        .value("password_at", row.password_at)
        .value("must_change", i64::from(row.must_change))
        .value("second_factors", row.second_factors)
        .value("proofing", row.proofing)
        .value("person", row.person.clone())
        .value("unlocked_at", row.unlocked_at)
        .and_where(Expr::col("name").eq(row.name.as_str()))
        .to_owned();
    tx.execute(&update).await?;
    Ok(())
}

fn select_sessions() -> SelectStatement {
    Query::select().columns(SESSION).from("sessions").to_owned()
}

/// A session by the hash of its secret.
pub async fn session(run: &mut impl Run, hash: &str) -> Result<Option<SessionRow>, Fault> {
    let question = select_sessions()
        .and_where(Expr::col("hash").eq(hash))
        .to_owned();
    one(run, &question, read_session).await
}

/// What is asked for at every request.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The session.
    pub session: SessionRow,
    /// Its account.
    pub account: AccountRow,
    /// The account is one of the portal too, open or closed (`crate::parties`).
    pub registered: bool,
}

/// A session by the hash of its secret, with its account.
pub async fn session_and_account(run: &mut impl Run, hash: &str) -> Result<Option<Known>, Fault> {
    const OPENED: &str = "account_created_at";
    const REGISTERED: &str = "registered";
    let mut question = Query::select();
    question
        .columns(SESSION.map(|name| ("sessions", name)))
        .expr_as(Expr::col(("portal_accounts", "account")), REGISTERED)
        .from("sessions")
        .inner_join(
            "accounts",
            Expr::col(("accounts", "name")).equals(("sessions", "account")),
        )
        .left_join(
            "portal_accounts",
            Expr::col(("portal_accounts", "account")).equals(("sessions", "account")),
        )
        .and_where(Expr::col("hash").eq(hash));
    for name in ACCOUNT {
        match name {
            "created_at" => question.expr_as(Expr::col(("accounts", name)), OPENED),
            _ => question.column(("accounts", name)),
        };
    }
    let row = run.fetch_optional(&question).await?;
    let known = |row: SqlRow| {
        Ok(Known {
            session: read_session(&row)?,
            account: read_account_as(&row, OPENED)?,
            registered: row.opt_text(REGISTERED)?.is_some(),
        })
    };
    row.map(known).transpose()
}

/// Sessions of an account, newest first, [`PAGE_LIMIT`] at most.
pub async fn sessions_of(run: &mut impl Run, account: &str) -> Result<Vec<SessionRow>, Fault> {
    let question = select_sessions()
        .and_where(Expr::col("account").eq(account))
        .order_by("created_at", Order::Desc)
        .order_by("id", Order::Desc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_session).await
}

/// Opens a session.
pub async fn insert_session(tx: &mut Tx, row: &SessionRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("sessions")
        .columns(SESSION)
        .values_panic([
            Expr::val(row.hash.as_str()),
            Expr::val(row.id.as_str()),
            Expr::val(row.account.as_str()),
            Expr::val(row.address.as_str()),
            Expr::val(row.agent.as_str()),
            Expr::val(row.created_at),
            Expr::val(row.last_used),
            Expr::val(row.expires_at),
            Expr::val(row.factors.as_str()),
            Expr::val(row.auth_time),
            Expr::val(i64::from(row.new_device)),
        ])
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// Notes when sessions and tokens were last used: hash and time.
pub async fn touch(tx: &mut Tx, used: &[(String, i64)]) -> Result<(), Fault> {
    for (hash, at) in used {
        for table in ["sessions", "tokens"] {
            let update = Query::update()
                .table(table)
                .value("last_used", *at)
                .and_where(Expr::col("hash").eq(hash.as_str()))
                .to_owned();
            tx.execute(&update).await?;
        }
    }
    Ok(())
}

/// Ends these sessions, by hash; says how many there were.
pub async fn end_sessions(tx: &mut Tx, hashes: &[String]) -> Result<u64, Fault> {
    let mut ended = 0;
    for part in hashes.chunks(PAGE_LIMIT as usize) {
        let delete = Query::delete()
            .from_table("sessions")
            .and_where(Expr::col("hash").is_in(part.iter().map(String::as_str)))
            .to_owned();
        ended += tx.execute(&delete).await?;
    }
    Ok(ended)
}

/// Removes sessions and tokens that ended before `now`, and sessions last used before
/// `idle_since`; says how many.
pub async fn sweep(tx: &mut Tx, now: i64, idle_since: i64) -> Result<u64, Fault> {
    let over = Expr::col("expires_at").lte(now);
    let sessions = Query::delete()
        .from_table("sessions")
        .and_where(over.clone().or(Expr::col("last_used").lte(idle_since)))
        .to_owned();
    let tokens = Query::delete()
        .from_table("tokens")
        .and_where(over)
        .to_owned();
    Ok(tx.execute(&sessions).await? + tx.execute(&tokens).await?)
}

fn select_tokens() -> SelectStatement {
    Query::select().columns(TOKEN).from("tokens").to_owned()
}

/// A token by its hash.
pub async fn token(run: &mut impl Run, hash: &str) -> Result<Option<TokenRow>, Fault> {
    let question = select_tokens()
        .and_where(Expr::col("hash").eq(hash))
        .to_owned();
    one(run, &question, read_token).await
}

/// Tokens in order of name, [`PAGE_LIMIT`] at most.
pub async fn tokens(run: &mut impl Run) -> Result<Vec<TokenRow>, Fault> {
    let question = select_tokens()
        .order_by("name", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_token).await
}

/// Makes a token; `input.conflict` when the name is taken.
pub async fn insert_token(tx: &mut Tx, row: &TokenRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("tokens")
        .columns(TOKEN)
        .values_panic([
            Expr::val(row.hash.as_str()),
            Expr::val(row.id.as_str()),
            Expr::val(row.name.as_str()),
            Expr::val(row.roles.as_str()),
            Expr::val(row.organisation.clone()),
            Expr::val(row.created_by.as_str()),
            Expr::val(row.created_at),
            Expr::val(row.last_used),
            Expr::val(row.expires_at),
        ])
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// Revokes a token by its identification; says whether there was one.
pub async fn end_token(tx: &mut Tx, id: &str) -> Result<bool, Fault> {
    let delete = Query::delete()
        .from_table("tokens")
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    Ok(tx.execute(&delete).await? > 0)
}
