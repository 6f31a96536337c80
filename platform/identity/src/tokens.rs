//! Tokens: how programs of other organisations sign in. Named, with roles of their own and an end;
//! shown once, kept as SHA-256.

use crate::accounts::roles_of;
use crate::sessions::Recognised;
use crate::{Engine, record_change, secrets};
use kernel::access::Actor;
use kernel::{Fault, Problem, Span, Time, Words, new_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::accounts::{self, TokenRow};

/// Days a token may live, at most.
const LONGEST_DAYS: u32 = 400;
/// Characters of a name, at most.
const NAME_LIMIT: usize = 64;

/// What a token is made from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Name of the program, not used by another token.
    pub name: String,
    /// Declared roles.
    pub roles: Vec<String>,
    /// Organisation it works for.
    #[serde(default)]
    pub organisation: Option<String>,
    /// Days until it ends, 1 to 400.
    pub days: u32,
}

/// A token, as it may be shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TokenInfo {
    /// Identification.
    pub id: String,
    /// Name of the program.
    pub name: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Organisation.
    pub organisation: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Time,
    /// Last used at, to within a minute or so.
    pub last_used: Option<Time>,
    /// Ends at.
    pub expires_at: Time,
}

fn shown(row: &TokenRow) -> Result<TokenInfo, Fault> {
    Ok(TokenInfo {
        id: row.id.clone(),
        name: row.name.clone(),
        roles: roles_of(&row.roles)?,
        organisation: row.organisation.clone(),
        created_by: row.created_by.clone(),
        created_at: Time(row.created_at),
        last_used: row.last_used.map(Time),
        expires_at: Time(row.expires_at),
    })
}

/// Tokens act under a name no account can have.
fn account_of(name: &str) -> String {
    format!("token:{name}")
}

impl Engine {
    /// Makes a token and returns it with its secret, which is never shown again.
    /// `input.conflict` when the name is taken.
    pub async fn create_token(
        &self,
        by: &Actor,
        new: NewToken,
    ) -> Result<(TokenInfo, String), Fault> {
        let mut problems = self.role_problems(&new.roles);
        let mut add = |at: &str, zh: &str, en: &str| {
            problems.push(Problem {
                at: at.into(),
                words: Words::new(zh, en),
            });
        };
        let length = new.name.chars().count();
        if new.name.trim() != new.name
            || !(1..=NAME_LIMIT).contains(&length)
            || new.name.contains(char::is_control)
        {
            add(
                "name",
                "名称须为 1 至 64 个字，首尾不能有空格",
                "a name has 1 to 64 characters and no blanks around it",
            );
        }
        if !(1..=LONGEST_DAYS).contains(&new.days) {
            add("days", "有效期须为 1 至 400 天", "1 to 400 days");
        }
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        let now = self.clock.now();
        let secret = secrets::new(secrets::TOKEN);
        let row = TokenRow {
            hash: secrets::hash(&secret),
            id: new_id(now),
            name: new.name,
            roles: json!(new.roles).to_string(),
            organisation: new.organisation.filter(|code| !code.is_empty()),
            created_by: by.account.clone(),
            created_at: now.0,
            last_used: None,
            expires_at: (now + Span::days(i64::from(new.days))).0,
        };
        let mut tx = self.store.begin().await?;
        accounts::insert_token(&mut tx, &row).await?;
        let details = json!({
            "what": "token made", "id": row.id, "roles": new.roles, "expires_at": Time(row.expires_at),
        });
        record_change(&mut tx, now, &by.account, &account_of(&row.name), details).await?;
        tx.commit().await?;
        Ok((shown(&row)?, secret))
    }

    /// The tokens in order of name, 1,000 at most.
    pub async fn tokens(&self) -> Result<Vec<TokenInfo>, Fault> {
        let mut reader = self.store.reader().await?;
        let rows = accounts::tokens(&mut reader).await?;
        rows.iter().map(shown).collect()
    }

    /// Revokes a token by its identification; `input.not_found` when there is none.
    pub async fn revoke_token(&self, by: &Actor, id: &str) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        let rows = accounts::tokens(&mut tx).await?;
        let Some(row) = rows.into_iter().find(|row| row.id == id) else {
            return Err(Fault::missing("token"));
        };
        accounts::end_token(&mut tx, id).await?;
        let details = json!({ "what": "token revoked", "id": id });
        let subject = account_of(&row.name);
        record_change(&mut tx, self.clock.now(), &by.account, &subject, details).await?;
        tx.commit().await
    }

    pub(crate) async fn recognise_token(
        &self,
        hash: &str,
        now: Time,
    ) -> Result<Option<Recognised>, Fault> {
        let mut reader = self.store.reader().await?;
        let row = accounts::token(&mut reader, hash).await?;
        let Some(row) = row.filter(|row| now.0 < row.expires_at) else {
            return Ok(None);
        };
        self.note_use(hash.into(), row.last_used.unwrap_or(0), now);
        Ok(Some(Recognised {
            actor: Actor {
                account: account_of(&row.name),
                display: row.name.clone(),
                roles: roles_of(&row.roles)?,
                organisation: row.organisation,
                ..Actor::default()
            },
            session: None,
            expires_at: Time(row.expires_at),
            must: None,
        }))
    }
}
