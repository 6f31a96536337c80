//! OpenID: the tables of the provider and of the providers in front of it: registered
//! applications, grants with their codes and tokens, remembered consent, logout messages under
//! way, upstream providers and the accounts linked to them. Of a code, token or client secret
//! only its SHA-256 is here; secrets of upstream providers are sealed.

mod clients;
mod grants;
mod logouts;
mod upstreams;

pub use clients::*;
pub use grants::*;
pub use logouts::*;
pub use upstreams::*;

use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{ColumnDef, Index, SelectStatement, Table};

/// Rows listed at once, at most.
pub const PAGE_LIMIT: u64 = 1000;

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().to_owned()
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().to_owned()
}

fn opt_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().to_owned()
}

fn opt_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().to_owned()
}

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "openid_1",
        statements: |_| {
            let index = |name: &'static str, table: &'static str, columns: &[&'static str]| {
                let mut index = Index::create();
                index.name(name).table(table);
                for column in columns {
                    index.col(*column);
                }
                step(index)
            };
            let mut steps = vec![
                step(clients_table()),
                step(grants_table()),
                step(codes_table()),
                step(tokens_table()),
                step(consents_table()),
                step(assertions_table()),
                step(logouts_table()),
                step(upstreams_table()),
                step(links_table()),
            ];
            steps.extend([
                index(
                    "openid_grants_by_account",
                    "openid_grants",
                    &["account", "id"],
                ),
                index("openid_grants_by_session", "openid_grants", &["session"]),
                index(
                    "openid_grants_by_client",
                    "openid_grants",
                    &["client", "id"],
                ),
                index("openid_grants_by_end", "openid_grants", &["expires_at"]),
                index("openid_codes_by_end", "openid_codes", &["expires_at"]),
                index("openid_tokens_by_grant", "openid_tokens", &["grant_id"]),
                index("openid_tokens_by_end", "openid_tokens", &["expires_at"]),
                index(
                    "openid_assertions_by_end",
                    "openid_assertions",
                    &["expires_at"],
                ),
                index("openid_logouts_by_time", "openid_logouts", &["next_at"]),
                index("openid_links_by_account", "openid_links", &["account"]),
            ]);
            steps
        },
    }]
}

fn clients_table() -> sea_query::TableCreateStatement {
    Table::create()
        .table("openid_clients")
        .col(text("id").primary_key())
        .col(text("spec"))
        .col(opt_text("secret"))
        .col(opt_text("old_secret"))
        .col(opt_number("old_secret_until"))
        .col(number("disabled"))
        .col(text("created_by"))
        .col(number("created_at"))
        .col(number("version"))
        .to_owned()
}

fn grants_table() -> sea_query::TableCreateStatement {
    Table::create()
        .table("openid_grants")
        .col(text("id").primary_key())
        .col(text("client"))
        .col(text("account"))
        .col(opt_text("session"))
        .col(text("subject"))
        .col(text("scopes"))
        .col(opt_text("nonce"))
        .col(number("auth_time"))
        .col(text("acr"))
        .col(text("amr"))
        .col(number("created_at"))
        .col(number("expires_at"))
        .col(opt_number("ended_at"))
        .col(opt_text("ended"))
        .to_owned()
}

fn codes_table() -> sea_query::TableCreateStatement {
    Table::create()
        .table("openid_codes")
        .col(text("hash").primary_key())
        .col(text("grant_id"))
        .col(text("redirect_uri"))
        .col(text("challenge"))
        .col(number("expires_at"))
        .col(opt_number("used_at"))
        .to_owned()
}

fn tokens_table() -> sea_query::TableCreateStatement {
    Table::create()
        .table("openid_tokens")
        .col(text("hash").primary_key())
        .col(text("grant_id"))
        .col(text("kind"))
        .col(text("scopes"))
        .col(number("issued_at"))
        .col(number("expires_at"))
        .col(opt_number("used_at"))
        .to_owned()
}

fn consents_table() -> sea_query::TableCreateStatement {
    Table::create()
        .table("openid_consents")
        .col(text("account"))
        .col(text("client"))
        .col(text("scopes"))
        .col(number("given_at"))
        .primary_key(Index::create().col("account").col("client"))
        .to_owned()
}

fn assertions_table() -> sea_query::TableCreateStatement {
    Table::create()
        .table("openid_assertions")
        .col(text("hash").primary_key())
        .col(number("expires_at"))
        .to_owned()
}

fn logouts_table() -> sea_query::TableCreateStatement {
    Table::create()
        .table("openid_logouts")
        .col(text("id").primary_key())
        .col(text("client"))
        .col(text("subject"))
        .col(text("session"))
        .col(number("created_at"))
        .col(number("attempts"))
        .col(opt_number("next_at"))
        .col(opt_number("done_at"))
        .col(opt_text("error"))
        .to_owned()
}

fn upstreams_table() -> sea_query::TableCreateStatement {
    Table::create()
        .table("openid_upstreams")
        .col(text("id").primary_key())
        .col(text("spec"))
        .col(ColumnDef::new("secret").blob())
        .col(number("disabled"))
        .col(text("created_by"))
        .col(number("created_at"))
        .col(number("version"))
        .to_owned()
}

fn links_table() -> sea_query::TableCreateStatement {
    Table::create()
        .table("openid_links")
        .col(text("upstream"))
        .col(text("subject"))
        .col(text("account"))
        .col(number("linked_at"))
        .col(number("last_used"))
        .primary_key(Index::create().col("upstream").col("subject"))
        .to_owned()
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
