//! The tables of grants: what a person let an application have, the codes and tokens that came of
//! it, and the consent that is remembered.

use super::{PAGE_LIMIT, many, one};
use crate::Tx;
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{Expr, ExprTrait, Func, OnConflict, Order, Query, SelectStatement};

const GRANT: [&str; 14] = [
    "id",
    "client",
    "account",
    "session",
    "subject",
    "scopes",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "created_at",
    "expires_at",
    "ended_at",
    "ended",
];
const CODE: [&str; 6] = [
    "hash",
    "grant_id",
    "redirect_uri",
    "challenge",
    "expires_at",
    "used_at",
];
const TOKEN: [&str; 7] = [
    "hash",
    "grant_id",
    "kind",
    "scopes",
    "issued_at",
    "expires_at",
    "used_at",
];

/// What one authorisation gave: everything issued under it ends with it.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantRow {
    /// Identification.
    pub id: String,
    /// To which application.
    pub client: String,
    /// By whom.
    pub account: String,
    /// Session it was given in; what is not for off line ends with it.
    pub session: Option<String>,
    /// `sub` this application knows the person by.
    pub subject: String,
    /// Scopes, separated by blanks.
    pub scopes: String,
    /// Echoed in the ID token.
    pub nonce: Option<String>,
    /// When the person signed in.
    pub auth_time: i64,
    /// How well.
    pub acr: String,
    /// By which means, separated by blanks.
    pub amr: String,
    /// Given at.
    pub created_at: i64,
    /// Ends at the latest.
    pub expires_at: i64,
    /// Ended before that.
    pub ended_at: Option<i64>,
    /// Why.
    pub ended: Option<String>,
}

/// An authorisation code.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeRow {
    /// SHA-256 of the code, hexadecimal.
    pub hash: String,
    /// Its grant.
    pub grant_id: String,
    /// Where it was sent; must be repeated.
    pub redirect_uri: String,
    /// PKCE challenge (S256).
    pub challenge: String,
    /// Ends at.
    pub expires_at: i64,
    /// Exchanged at.
    pub used_at: Option<i64>,
}

/// An access or refresh token.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuedRow {
    /// SHA-256 of the token, hexadecimal.
    pub hash: String,
    /// Its grant.
    pub grant_id: String,
    /// `access` or `refresh`.
    pub kind: String,
    /// Scopes, separated by blanks.
    pub scopes: String,
    /// Issued at.
    pub issued_at: i64,
    /// Ends at.
    pub expires_at: i64,
    /// Refresh tokens: exchanged for the next one at.
    pub used_at: Option<i64>,
}

/// Consent that is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsentRow {
    /// Whose.
    pub account: String,
    /// For which application.
    pub client: String,
    /// Scopes, separated by blanks.
    pub scopes: String,
    /// Given at.
    pub given_at: i64,
}

fn read_grant(row: &SqlRow) -> Result<GrantRow, Fault> {
    Ok(GrantRow {
        id: row.text("id")?,
        client: row.text("client")?,
        account: row.text("account")?,
        session: row.opt_text("session")?,
        subject: row.text("subject")?,
        scopes: row.text("scopes")?,
        nonce: row.opt_text("nonce")?,
        auth_time: row.i64("auth_time")?,
        acr: row.text("acr")?,
        amr: row.text("amr")?,
        created_at: row.i64("created_at")?,
        expires_at: row.i64("expires_at")?,
        ended_at: row.opt_i64("ended_at")?,
        ended: row.opt_text("ended")?,
    })
}

fn read_code(row: &SqlRow) -> Result<CodeRow, Fault> {
    Ok(CodeRow {
        hash: row.text("hash")?,
        grant_id: row.text("grant_id")?,
        redirect_uri: row.text("redirect_uri")?,
        challenge: row.text("challenge")?,
        expires_at: row.i64("expires_at")?,
        used_at: row.opt_i64("used_at")?,
    })
}

fn read_issued(row: &SqlRow) -> Result<IssuedRow, Fault> {
    Ok(IssuedRow {
        hash: row.text("hash")?,
        grant_id: row.text("grant_id")?,
        kind: row.text("kind")?,
        scopes: row.text("scopes")?,
        issued_at: row.i64("issued_at")?,
        expires_at: row.i64("expires_at")?,
        used_at: row.opt_i64("used_at")?,
    })
}

fn read_consent(row: &SqlRow) -> Result<ConsentRow, Fault> {
    Ok(ConsentRow {
        account: row.text("account")?,
        client: row.text("client")?,
        scopes: row.text("scopes")?,
        given_at: row.i64("given_at")?,
    })
}

fn select_grants() -> SelectStatement {
    Query::select()
        .columns(GRANT)
        .from("openid_grants")
        .to_owned()
}

/// Writes a grant.
pub async fn insert_grant(tx: &mut Tx, row: &GrantRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("openid_grants")
        .columns(GRANT)
        .values_panic([
            Expr::val(row.id.as_str()),
            Expr::val(row.client.as_str()),
            Expr::val(row.account.as_str()),
            Expr::val(row.session.clone()),
            Expr::val(row.subject.as_str()),
            Expr::val(row.scopes.as_str()),
            Expr::val(row.nonce.clone()),
            Expr::val(row.auth_time),
            Expr::val(row.acr.as_str()),
            Expr::val(row.amr.as_str()),
            Expr::val(row.created_at),
            Expr::val(row.expires_at),
            Expr::val(row.ended_at),
            Expr::val(row.ended.clone()),
        ])
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// Writes a code.
pub async fn insert_code(tx: &mut Tx, row: &CodeRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("openid_codes")
        .columns(CODE)
        .values_panic([
            Expr::val(row.hash.as_str()),
            Expr::val(row.grant_id.as_str()),
            Expr::val(row.redirect_uri.as_str()),
            Expr::val(row.challenge.as_str()),
            Expr::val(row.expires_at),
            Expr::val(row.used_at),
        ])
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// Writes tokens, all in one statement.
pub async fn insert_issued(tx: &mut Tx, rows: &[IssuedRow]) -> Result<(), Fault> {
    for part in rows.chunks(PAGE_LIMIT as usize) {
        let mut insert = Query::insert();
        insert.into_table("openid_tokens").columns(TOKEN);
        for row in part {
            insert.values_panic([
                Expr::val(row.hash.as_str()),
                Expr::val(row.grant_id.as_str()),
                Expr::val(row.kind.as_str()),
                Expr::val(row.scopes.as_str()),
                Expr::val(row.issued_at),
                Expr::val(row.expires_at),
                Expr::val(row.used_at),
            ]);
        }
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Codes by their hashes, [`PAGE_LIMIT`] at most.
pub async fn codes(run: &mut impl Run, hashes: &[String]) -> Result<Vec<CodeRow>, Fault> {
    if hashes.is_empty() {
        return Ok(vec![]);
    }
    let question = Query::select()
        .columns(CODE)
        .from("openid_codes")
        .and_where(Expr::col("hash").is_in(hashes.iter().map(String::as_str)))
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_code).await
}

/// Tokens by their hashes, [`PAGE_LIMIT`] at most.
pub async fn issued(run: &mut impl Run, hashes: &[String]) -> Result<Vec<IssuedRow>, Fault> {
    if hashes.is_empty() {
        return Ok(vec![]);
    }
    let question = Query::select()
        .columns(TOKEN)
        .from("openid_tokens")
        .and_where(Expr::col("hash").is_in(hashes.iter().map(String::as_str)))
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_issued).await
}

/// Grants by their identifications, [`PAGE_LIMIT`] at most.
pub async fn grants(run: &mut impl Run, ids: &[String]) -> Result<Vec<GrantRow>, Fault> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let question = select_grants()
        .and_where(Expr::col("id").is_in(ids.iter().map(String::as_str)))
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_grant).await
}

/// Grants of an account that have not ended, newest first, [`PAGE_LIMIT`] at most.
pub async fn open_grants_of(
    run: &mut impl Run,
    account: &str,
    now: i64,
) -> Result<Vec<GrantRow>, Fault> {
    let question = select_grants()
        .and_where(Expr::col("account").eq(account))
        .and_where(Expr::col("ended_at").is_null())
        .and_where(Expr::col("expires_at").gt(now))
        .order_by("id", Order::Desc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_grant).await
}

/// Grants given in a session that it still holds, [`PAGE_LIMIT`] at most.
pub async fn grants_of_session(run: &mut impl Run, session: &str) -> Result<Vec<GrantRow>, Fault> {
    let question = select_grants()
        .and_where(Expr::col("session").eq(session))
        .order_by("id", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_grant).await
}

/// Sessions after one of them that grants hold on to, in order, [`PAGE_LIMIT`] at most.
pub async fn sessions_with_grants(run: &mut impl Run, after: &str) -> Result<Vec<String>, Fault> {
    let question = Query::select()
        .distinct()
        .column("session")
        .from("openid_grants")
        .and_where(Expr::col("session").gt(after))
        .order_by("session", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, |row| row.text("session")).await
}

/// Of these sessions, those that are still there.
pub async fn sessions_there(run: &mut impl Run, sessions: &[String]) -> Result<Vec<String>, Fault> {
    if sessions.is_empty() {
        return Ok(vec![]);
    }
    let question = Query::select()
        .column("id")
        .from("sessions")
        .and_where(Expr::col("id").is_in(sessions.iter().map(String::as_str)))
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, |row| row.text("id")).await
}

/// Lets go of a session that is over: its grants no longer refer to it.
pub async fn forget_session(tx: &mut Tx, session: &str) -> Result<(), Fault> {
    let update = Query::update()
        .table("openid_grants")
        .value("session", Option::<String>::None)
        .and_where(Expr::col("session").eq(session))
        .to_owned();
    tx.execute(&update).await?;
    Ok(())
}

/// Ends these grants, those already ended excepted; says how many it ended.
pub async fn end_grants(tx: &mut Tx, ids: &[String], at: i64, why: &str) -> Result<u64, Fault> {
    let mut ended = 0;
    for part in ids.chunks(PAGE_LIMIT as usize) {
        let update = Query::update()
            .table("openid_grants")
            .value("ended_at", at)
            .value("ended", why)
            .and_where(Expr::col("id").is_in(part.iter().map(String::as_str)))
            .and_where(Expr::col("ended_at").is_null())
            .to_owned();
        ended += tx.execute(&update).await?;
    }
    Ok(ended)
}

/// Ends every grant of an application, or of an account to an application.
pub async fn end_grants_of(
    tx: &mut Tx,
    client: &str,
    account: Option<&str>,
    at: i64,
    why: &str,
) -> Result<u64, Fault> {
    let mut update = Query::update();
    update
        .table("openid_grants")
        .value("ended_at", at)
        .value("ended", why)
        .and_where(Expr::col("client").eq(client))
        .and_where(Expr::col("ended_at").is_null());
    if let Some(account) = account {
        update.and_where(Expr::col("account").eq(account));
    }
    tx.execute(&update).await
}

/// Marks codes as exchanged.
pub async fn use_codes(tx: &mut Tx, hashes: &[String], at: i64) -> Result<(), Fault> {
    mark_used(tx, "openid_codes", hashes, at).await
}

/// Marks refresh tokens as exchanged.
pub async fn use_issued(tx: &mut Tx, hashes: &[String], at: i64) -> Result<(), Fault> {
    mark_used(tx, "openid_tokens", hashes, at).await
}

async fn mark_used(
    tx: &mut Tx,
    table: &'static str,
    hashes: &[String],
    at: i64,
) -> Result<(), Fault> {
    for part in hashes.chunks(PAGE_LIMIT as usize) {
        let update = Query::update()
            .table(table)
            .value("used_at", at)
            .and_where(Expr::col("hash").is_in(part.iter().map(String::as_str)))
            .to_owned();
        tx.execute(&update).await?;
    }
    Ok(())
}

/// Removes one token, an access token that was revoked.
pub async fn remove_issued(tx: &mut Tx, hash: &str) -> Result<(), Fault> {
    let delete = Query::delete()
        .from_table("openid_tokens")
        .and_where(Expr::col("hash").eq(hash))
        .to_owned();
    tx.execute(&delete).await?;
    Ok(())
}

/// The consent of an account for an application.
pub async fn consent(
    run: &mut impl Run,
    account: &str,
    client: &str,
) -> Result<Option<ConsentRow>, Fault> {
    let question = Query::select()
        .columns(["account", "client", "scopes", "given_at"])
        .from("openid_consents")
        .and_where(Expr::col("account").eq(account))
        .and_where(Expr::col("client").eq(client))
        .to_owned();
    one(run, &question, read_consent).await
}

/// Every consent of an account, [`PAGE_LIMIT`] at most.
pub async fn consents_of(run: &mut impl Run, account: &str) -> Result<Vec<ConsentRow>, Fault> {
    let question = Query::select()
        .columns(["account", "client", "scopes", "given_at"])
        .from("openid_consents")
        .and_where(Expr::col("account").eq(account))
        .order_by("client", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_consent).await
}

/// Remembers a consent in place of the one before.
pub async fn put_consent(tx: &mut Tx, row: &ConsentRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("openid_consents")
        .columns(["account", "client", "scopes", "given_at"])
        .values_panic([
            Expr::val(row.account.as_str()),
            Expr::val(row.client.as_str()),
            Expr::val(row.scopes.as_str()),
            Expr::val(row.given_at),
        ])
        .on_conflict(
            OnConflict::columns(["account", "client"])
                .update_columns(["scopes", "given_at"])
                .to_owned(),
        )
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// Forgets a consent; says whether there was one.
pub async fn remove_consent(tx: &mut Tx, account: &str, client: &str) -> Result<bool, Fault> {
    let delete = Query::delete()
        .from_table("openid_consents")
        .and_where(Expr::col("account").eq(account))
        .and_where(Expr::col("client").eq(client))
        .to_owned();
    Ok(tx.execute(&delete).await? > 0)
}

/// What an application's use amounts to: grants that have not ended, people behind them, and when
/// the newest was given.
pub async fn usage(
    run: &mut impl Run,
    client: &str,
    now: i64,
) -> Result<(u64, u64, Option<i64>), Fault> {
    let question = Query::select()
        .expr_as(Func::count(Expr::col("id")), "grants")
        .expr_as(Func::count_distinct(Expr::col("account")), "people")
        .expr_as(Func::max(Expr::col("created_at")), "newest")
        .from("openid_grants")
        .and_where(Expr::col("client").eq(client))
        .and_where(Expr::col("ended_at").is_null())
        .and_where(Expr::col("expires_at").gt(now))
        .to_owned();
    let Some(row) = run.fetch_optional(&question).await? else {
        return Ok((0, 0, None));
    };
    Ok((
        row.i64("grants")? as u64,
        row.i64("people")? as u64,
        row.opt_i64("newest")?,
    ))
}

/// Of these assertions (hash and end), those not seen before; they are remembered now.
pub async fn new_assertions(
    tx: &mut Tx,
    assertions: &[(String, i64)],
) -> Result<Vec<String>, Fault> {
    let mut fresh = vec![];
    for (hash, expires_at) in assertions {
        let insert = Query::insert()
            .into_table("openid_assertions")
            .columns(["hash", "expires_at"])
            .values_panic([Expr::val(hash.as_str()), Expr::val(*expires_at)])
            .on_conflict(OnConflict::column("hash").do_nothing().to_owned())
            .to_owned();
        if tx.execute(&insert).await? > 0 {
            fresh.push(hash.clone());
        }
    }
    Ok(fresh)
}

/// Removes what is over: codes, tokens and assertions that ended before `now`, grants that ended
/// before `grants_before`. A used refresh token stays as long as its grant, so that its replay is
/// recognised. Says how many rows.
pub async fn sweep(tx: &mut Tx, now: i64, grants_before: i64) -> Result<u64, Fault> {
    let mut removed = 0;
    for table in ["openid_codes", "openid_assertions", "openid_tokens"] {
        // Codes are kept a day longer: a replay still ends what they gave.
        let before = if table == "openid_codes" {
            grants_before
        } else {
            now
        };
        let delete = Query::delete()
            .from_table(table)
            .and_where(Expr::col("expires_at").lte(before))
            .to_owned();
        removed += tx.execute(&delete).await?;
    }
    let over = Expr::col("expires_at")
        .lte(grants_before)
        .or(Expr::col("ended_at").lte(grants_before));
    let delete = Query::delete()
        .from_table("openid_grants")
        .and_where(over)
        .and_where(Expr::col("session").is_null())
        .to_owned();
    removed += tx.execute(&delete).await?;
    Ok(removed)
}

/// Of these accounts, those that are disabled or not there.
pub async fn not_enabled(run: &mut impl Run, accounts: &[String]) -> Result<Vec<String>, Fault> {
    if accounts.is_empty() {
        return Ok(vec![]);
    }
    let question = Query::select()
        .column("name")
        .from("accounts")
        .and_where(Expr::col("name").is_in(accounts.iter().map(String::as_str)))
        .and_where(Expr::col("disabled").eq(0))
        .limit(PAGE_LIMIT)
        .to_owned();
    let enabled = many(run, &question, |row| row.text("name")).await?;
    let gone = accounts.iter().filter(|name| !enabled.contains(name));
    Ok(gone.cloned().collect())
}

/// Grants of a person to an application by the subject it knows, those with a session only,
/// [`PAGE_LIMIT`] at most.
pub async fn grants_of_subject(
    run: &mut impl Run,
    client: &str,
    subject: &str,
) -> Result<Vec<GrantRow>, Fault> {
    let question = select_grants()
        .and_where(Expr::col("client").eq(client))
        .and_where(Expr::col("subject").eq(subject))
        .and_where(Expr::col("session").is_not_null())
        .order_by("id", Order::Desc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_grant).await
}
