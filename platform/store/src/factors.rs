//! Factors: what proves a person besides the password. Second factors with their secrets sealed,
//! hashes of recovery codes, passwords used before, devices an account was used on, and the
//! tickets of sign-ins that were spent.

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{
    ColumnDef, Expr, ExprTrait, Func, Index, OnConflict, Order, Query, SelectStatement, Table,
};

/// Rows of one account read at once, at most.
const LIMIT: u64 = 1000;

const FACTOR: [&str; 10] = [
    "id",
    "account",
    "kind",
    "name",
    "credential",
    "handle",
    "sealed",
    "counter",
    "created_at",
    "last_used",
];

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "factors_1",
        statements: |_| {
            let mut steps = vec![];
            let number = |name: &'static str| {
                let mut column = ColumnDef::new(name).big_integer().not_null().to_owned();
                column.default(0).to_owned()
            };
            // One column a statement: SQLite adds no more at a time.
            for column in [
                number("password_at"),
                number("must_change"),
                number("second_factors"),
                number("proofing"),
                ColumnDef::new("person").text().to_owned(),
                number("unlocked_at"),
            ] {
                let accounts = Table::alter()
                    .table("accounts")
                    .add_column(column)
                    .to_owned();
                steps.push(step(accounts));
            }
            let mut factors = ColumnDef::new("factors").text().not_null().to_owned();
            for column in [
                factors.default(r#"["pwd"]"#).to_owned(),
                number("auth_time"),
                number("new_device"),
            ] {
                let sessions = Table::alter()
                    .table("sessions")
                    .add_column(column)
                    .to_owned();
                steps.push(step(sessions));
            }
            steps.extend(tables());
            steps
        },
    }]
}

fn tables() -> Vec<Box<dyn crate::sql::Statement>> {
    let text = |name: &'static str| ColumnDef::new(name).text().not_null().to_owned();
    let number = |name: &'static str| ColumnDef::new(name).big_integer().not_null().to_owned();
    let factors = Table::create()
        .table("factors")
        .col(text("id").primary_key())
        .col(text("account"))
        .col(text("kind"))
        .col(text("name"))
        .col(ColumnDef::new("credential").text().unique_key())
        .col(ColumnDef::new("handle").text())
        .col(ColumnDef::new("sealed").blob().not_null())
        .col(number("counter"))
        .col(number("created_at"))
        .col(ColumnDef::new("last_used").big_integer())
        .to_owned();
    let recovery = Table::create()
        .table("recovery_codes")
        .col(text("hash").primary_key())
        .col(text("account"))
        .col(number("created_at"))
        .col(ColumnDef::new("used_at").big_integer())
        .to_owned();
    let passwords = Table::create()
        .table("password_history")
        .col(text("account"))
        .col(number("at"))
        .col(text("hash"))
        .primary_key(Index::create().col("account").col("at"))
        .to_owned();
    let devices = Table::create()
        .table("known_devices")
        .col(text("hash").primary_key())
        .col(text("account"))
        .col(text("agent"))
        .col(number("first_seen"))
        .col(number("last_seen"))
        .to_owned();
    let tickets = Table::create()
        .table("spent_tickets")
        .col(text("hash").primary_key())
        .col(number("expires_at"))
        .to_owned();
    let by = |name: &'static str, table: &'static str| {
        let index = Index::create()
            .name(name)
            .table(table)
            .col("account")
            .to_owned();
        step(index)
    };
    vec![
        step(factors),
        step(recovery),
        step(passwords),
        step(devices),
        step(tickets),
        by("factors_by_account", "factors"),
        by("recovery_codes_by_account", "recovery_codes"),
        by("known_devices_by_account", "known_devices"),
    ]
}

/// A second factor. Times are microseconds UTC.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FactorRow {
    /// Identification.
    pub id: String,
    /// Whose.
    pub account: String,
    /// `totp` or `passkey`; `totp_new` until its first code was shown.
    pub kind: String,
    /// Name its holder gave it.
    pub name: String,
    /// Passkeys: identification of the credential, by which it is found.
    pub credential: Option<String>,
    /// Passkeys: the handle under which the authenticator knows the account.
    pub handle: Option<String>,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// TOTP: the newest step that was used. Passkeys: the newest counter that was seen.
    pub counter: i64,
    /// Made at.
    pub created_at: i64,
    /// Last used at.
    pub last_used: Option<i64>,
}

/// A recovery code.
#[derive(Clone, Debug, PartialEq)]
pub struct RecoveryRow {
    /// SHA-256 of account and code, hexadecimal.
    pub hash: String,
    /// Whose.
    pub account: String,
    /// Made at.
    pub created_at: i64,
    /// Used at.
    pub used_at: Option<i64>,
}

/// A device an account was used on.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceRow {
    /// SHA-256 of account and the device's secret, hexadecimal.
    pub hash: String,
    /// Which account.
    pub account: String,
    /// Program, as it names itself.
    pub agent: String,
    /// First seen at.
    pub first_seen: i64,
    /// Last signed in at.
    pub last_seen: i64,
}

fn read_factor(row: &SqlRow) -> Result<FactorRow, Fault> {
    Ok(FactorRow {
        id: row.text("id")?,
        account: row.text("account")?,
        kind: row.text("kind")?,
        name: row.text("name")?,
        credential: row.opt_text("credential")?,
        handle: row.opt_text("handle")?,
        sealed: row.bytes("sealed")?,
        counter: row.i64("counter")?,
        created_at: row.i64("created_at")?,
        last_used: row.opt_i64("last_used")?,
    })
}

fn select_factors() -> SelectStatement {
    Query::select().columns(FACTOR).from("factors").to_owned()
}

/// The factors of an account, oldest first.
pub async fn factors_of(run: &mut impl Run, account: &str) -> Result<Vec<FactorRow>, Fault> {
    let question = select_factors()
        .and_where(Expr::col("account").eq(account))
        .order_by("created_at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(LIMIT)
        .to_owned();
    run.fetch_all(&question)
        .await?
        .iter()
        .map(read_factor)
        .collect()
}

/// The passkey with this credential.
pub async fn by_credential(
    run: &mut impl Run,
    credential: &str,
) -> Result<Option<FactorRow>, Fault> {
    let question = select_factors()
        .and_where(Expr::col("credential").eq(credential))
        .to_owned();
    run.fetch_optional(&question)
        .await?
        .as_ref()
        .map(read_factor)
        .transpose()
}

/// Adds a factor; `input.conflict` when the credential is known.
pub async fn insert_factor(tx: &mut Tx, row: &FactorRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("factors")
        .columns(FACTOR)
        .values_panic([
            Expr::val(row.id.as_str()),
            Expr::val(row.account.as_str()),
            Expr::val(row.kind.as_str()),
            Expr::val(row.name.as_str()),
            Expr::val(row.credential.clone()),
            Expr::val(row.handle.clone()),
            Expr::val(row.sealed.clone()),
            Expr::val(row.counter),
            Expr::val(row.created_at),
            Expr::val(row.last_used),
        ])
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// Writes a factor as it now is.
pub async fn update_factor(tx: &mut Tx, row: &FactorRow) -> Result<(), Fault> {
    let update = Query::update()
        .table("factors")
        .value("kind", row.kind.as_str())
        .value("name", row.name.as_str())
        .value("sealed", row.sealed.clone())
        .value("counter", row.counter)
        .value("last_used", row.last_used)
        .and_where(Expr::col("id").eq(row.id.as_str()))
        .to_owned();
    tx.execute(&update).await?;
    Ok(())
}

/// Removes factors by identification.
pub async fn remove_factors(tx: &mut Tx, ids: &[String]) -> Result<u64, Fault> {
    let delete = Query::delete()
        .from_table("factors")
        .and_where(Expr::col("id").is_in(ids.iter().map(String::as_str)))
        .to_owned();
    tx.execute(&delete).await
}

/// Replaces the recovery codes of an account by these hashes; none removes them.
pub async fn replace_recovery(
    tx: &mut Tx,
    account: &str,
    hashes: &[String],
    now: i64,
) -> Result<(), Fault> {
    let delete = Query::delete()
        .from_table("recovery_codes")
        .and_where(Expr::col("account").eq(account))
        .to_owned();
    tx.execute(&delete).await?;
    for hash in hashes {
        let insert = Query::insert()
            .into_table("recovery_codes")
            .columns(["hash", "account", "created_at"])
            .values_panic([Expr::val(hash.as_str()), Expr::val(account), Expr::val(now)])
            .to_owned();
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Uses a recovery code; says whether there was one that had not been used.
pub async fn use_recovery(tx: &mut Tx, account: &str, hash: &str, now: i64) -> Result<bool, Fault> {
    let update = Query::update()
        .table("recovery_codes")
        .value("used_at", now)
        .and_where(Expr::col("hash").eq(hash))
        .and_where(Expr::col("account").eq(account))
        .and_where(Expr::col("used_at").is_null())
        .to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// How many recovery codes an account has left.
pub async fn recovery_left(run: &mut impl Run, account: &str) -> Result<u64, Fault> {
    let question = Query::select()
        .expr_as(Func::count(Expr::col("hash")), "total")
        .from("recovery_codes")
        .and_where(Expr::col("account").eq(account))
        .and_where(Expr::col("used_at").is_null())
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    Ok(row.map_or(Ok(0), |row| row.i64("total"))? as u64)
}

/// Hashes of the last passwords of an account, newest first.
pub async fn passwords_before(
    run: &mut impl Run,
    account: &str,
    limit: u64,
) -> Result<Vec<String>, Fault> {
    let question = Query::select()
        .column("hash")
        .from("password_history")
        .and_where(Expr::col("account").eq(account))
        .order_by("at", Order::Desc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(|row| row.text("hash")).collect()
}

/// Keeps the hash of a password that was replaced, and forgets all but the newest.
pub async fn remember_password(
    tx: &mut Tx,
    account: &str,
    hash: &str,
    now: i64,
    keep: u64,
) -> Result<(), Fault> {
    if keep > 0 {
        let insert = Query::insert()
            .into_table("password_history")
            .columns(["account", "at", "hash"])
            .values_panic([Expr::val(account), Expr::val(now), Expr::val(hash)])
            .on_conflict(
                OnConflict::columns(["account", "at"])
                    .update_column("hash")
                    .to_owned(),
            )
            .to_owned();
        tx.execute(&insert).await?;
    }
    let kept = Query::select()
        .column("at")
        .from("password_history")
        .and_where(Expr::col("account").eq(account))
        .order_by("at", Order::Desc)
        .limit(if keep == 0 { 1 } else { keep })
        .to_owned();
    let oldest = match tx.fetch_all(&kept).await?.last() {
        Some(row) if keep > 0 => row.i64("at")?,
        _ => i64::MAX,
    };
    let delete = Query::delete()
        .from_table("password_history")
        .and_where(Expr::col("account").eq(account))
        .and_where(Expr::col("at").lt(oldest))
        .to_owned();
    tx.execute(&delete).await?;
    Ok(())
}

/// Is this device known to the account?
pub async fn is_known_device(run: &mut impl Run, account: &str, hash: &str) -> Result<bool, Fault> {
    let question = Query::select()
        .column("hash")
        .from("known_devices")
        .and_where(Expr::col("hash").eq(hash))
        .and_where(Expr::col("account").eq(account))
        .to_owned();
    Ok(run.fetch_optional(&question).await?.is_some())
}

/// Notes a device, new or seen again, and forgets all but the `keep` seen last.
pub async fn note_device(tx: &mut Tx, row: &DeviceRow, keep: u64) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("known_devices")
        .columns(["hash", "account", "agent", "first_seen", "last_seen"])
        .values_panic([
            Expr::val(row.hash.as_str()),
            Expr::val(row.account.as_str()),
            Expr::val(row.agent.as_str()),
            Expr::val(row.first_seen),
            Expr::val(row.last_seen),
        ])
        .on_conflict(
            OnConflict::column("hash")
                .update_columns(["last_seen", "agent"])
                .to_owned(),
        )
        .to_owned();
    tx.execute(&insert).await?;
    let known = Query::select()
        .column("hash")
        .from("known_devices")
        .and_where(Expr::col("account").eq(row.account.as_str()))
        .order_by("last_seen", Order::Desc)
        .limit(LIMIT)
        .to_owned();
    let rows = tx.fetch_all(&known).await?;
    for old in rows.iter().skip(keep as usize) {
        let delete = Query::delete()
            .from_table("known_devices")
            .and_where(Expr::col("hash").eq(old.text("hash")?))
            .to_owned();
        tx.execute(&delete).await?;
    }
    Ok(())
}

/// Forgets every device of an account.
pub async fn forget_devices(tx: &mut Tx, account: &str) -> Result<(), Fault> {
    let delete = Query::delete()
        .from_table("known_devices")
        .and_where(Expr::col("account").eq(account))
        .to_owned();
    tx.execute(&delete).await?;
    Ok(())
}

/// Spends a ticket; false when it was spent before.
pub async fn spend_ticket(tx: &mut Tx, hash: &str, expires_at: i64) -> Result<bool, Fault> {
    let insert = Query::insert()
        .into_table("spent_tickets")
        .columns(["hash", "expires_at"])
        .values_panic([Expr::val(hash), Expr::val(expires_at)])
        .on_conflict(OnConflict::column("hash").do_nothing().to_owned())
        .to_owned();
    Ok(tx.execute(&insert).await? == 1)
}

/// Removes what nobody asks for any more: spent tickets that are over, factors begun before
/// `begun` and never confirmed.
pub async fn sweep(tx: &mut Tx, now: i64, begun: i64) -> Result<(), Fault> {
    let tickets = Query::delete()
        .from_table("spent_tickets")
        .and_where(Expr::col("expires_at").lt(now))
        .to_owned();
    tx.execute(&tickets).await?;
    let abandoned = Query::delete()
        .from_table("factors")
        .and_where(Expr::col("kind").eq("totp_new"))
        .and_where(Expr::col("created_at").lt(begun))
        .to_owned();
    tx.execute(&abandoned).await?;
    Ok(())
}

/// Notes the use of a factor with its new counter and secret; false when the counter had been
/// reached already, so that nothing is used twice. Counters that stay 0 are no counters.
pub async fn use_factor(tx: &mut Tx, row: &FactorRow, now: i64) -> Result<bool, Fault> {
    let below = Expr::col("counter").lt(row.counter);
    let update = Query::update()
        .table("factors")
        .value("sealed", row.sealed.clone())
        .value("counter", row.counter)
        .value("last_used", now)
        .and_where(Expr::col("id").eq(row.id.as_str()))
        .and_where(match row.counter {
            0 => Expr::col("counter").eq(0),
            _ => below,
        })
        .to_owned();
    Ok(tx.execute(&update).await? == 1)
}
