//! What is asked about access tokens and how they end: userinfo, the API's bearer tokens,
//! revocation (RFC 7009), introspection (RFC 7662).

use crate::authenticate::Proof;
use crate::claims::{Person, has};
use crate::oauth::OAuthError;
use crate::params::Params;
use crate::{Deed, Engine, record, secrets};
use kernel::Fault;
use kernel::access::Actor;
use kernel::time::SECOND;
use serde_json::{Value, json};
use store::openid::{self as table, GrantRow, IssuedRow};

/// What an access token stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Bearer {
    /// The person, as they are now.
    pub person: Person,
    /// The application.
    pub client: String,
    /// What it may, separated by blanks.
    pub scopes: String,
    /// How the person signed in.
    pub factors: Vec<String>,
}

impl Bearer {
    /// May it do this?
    pub fn may(&self, scope: &str) -> bool {
        has(&self.scopes, scope)
    }
}

impl Engine {
    /// A token and its grant, both in force.
    async fn in_force(&self, token: &str) -> Result<Option<(IssuedRow, GrantRow)>, Fault> {
        let ours =
            secrets::is_one(secrets::ACCESS, token) || secrets::is_one(secrets::REFRESH, token);
        if !ours {
            return Ok(None);
        }
        let now = self.clock.now().0;
        let mut reader = self.store.reader().await?;
        let rows = table::issued(&mut reader, &[secrets::hash(token)]).await?;
        let row = rows.into_iter().next();
        let Some(row) = row.filter(|row| now < row.expires_at && row.used_at.is_none()) else {
            return Ok(None);
        };
        let grants = table::grants(&mut reader, std::slice::from_ref(&row.grant_id)).await?;
        drop(reader);
        let grant = grants.into_iter().next();
        let Some(grant) = grant.filter(|g| g.ended_at.is_none() && now < g.expires_at) else {
            return Ok(None);
        };
        match self.client(&grant.client).await? {
            Some(_) => Ok(Some((row, grant))),
            None => Ok(None),
        }
    }

    /// Could this be an access token of ours? Says nothing about whether it counts.
    pub fn is_access_token(text: &str) -> bool {
        secrets::is_one(secrets::ACCESS, text)
    }

    /// What an access token stands for, if it counts: a revoked one, an ended authorisation or a
    /// disabled account count no more, at once.
    pub async fn recognise(&self, token: &str) -> Result<Option<Bearer>, Fault> {
        let Some((row, grant)) = self.in_force(token).await? else {
            return Ok(None);
        };
        if row.kind != "access" {
            return Ok(None);
        }
        let person = self.people.person(&grant.account).await?;
        Ok(person.map(|person| Bearer {
            person,
            client: grant.client,
            scopes: row.scopes,
            factors: grant.amr.split(' ').map(String::from).collect(),
        }))
    }

    /// Answers a userinfo request.
    pub async fn userinfo(&self, token: &str) -> Result<Value, OAuthError> {
        let found = self.in_force(token).await?;
        let (row, grant) = found
            .filter(|(row, _)| row.kind == "access")
            .ok_or_else(OAuthError::token)?;
        let person = self.people.person(&grant.account).await?;
        let person = person.ok_or_else(OAuthError::token)?;
        Ok(Engine::info(&grant.subject, &row.scopes, &person))
    }

    /// Revokes a token of the application that asks. A refresh token takes everything of its
    /// authorisation with it. An unknown token is as good as revoked.
    pub async fn revoke_token(&self, params: &Params, proof: &Proof) -> Result<(), OAuthError> {
        let proven = self.authenticate(params, proof).await?;
        self.first_use(&proven).await?;
        let Some((row, grant)) = self.in_force(params.need("token")?).await? else {
            return Ok(());
        };
        if grant.client != proven.client.id {
            return Ok(());
        }
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        if row.kind == "refresh" {
            table::end_grants(
                &mut tx,
                std::slice::from_ref(&grant.id),
                now.0,
                "revoked by the application",
            )
            .await?;
            let by = Actor::system();
            let deed = Deed {
                at: now,
                by: &by,
                verb: "token",
                subject: &grant.client,
                details: json!({
                    "what": "revoked by the application", "grant": grant.id, "account": grant.account,
                }),
                outcome: "done",
            };
            record(&mut tx, deed).await?;
        } else {
            table::remove_issued(&mut tx, &row.hash).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Says whether a token counts: about its own to every application that can prove who it is,
    /// about others' to those that may ask.
    pub async fn introspect(&self, params: &Params, proof: &Proof) -> Result<Value, OAuthError> {
        let proven = self.authenticate(params, proof).await?;
        if proven.client.spec.method == crate::Method::None {
            return Err(OAuthError::client("a public application may not ask"));
        }
        self.first_use(&proven).await?;
        let nothing = json!({ "active": false });
        let Some((row, grant)) = self.in_force(params.need("token")?).await? else {
            return Ok(nothing);
        };
        let may = grant.client == proven.client.id || proven.client.spec.introspects;
        let Some(person) = self.people.person(&grant.account).await?.filter(|_| may) else {
            return Ok(nothing);
        };
        let mut answer = json!({
            "active": true, "client_id": grant.client, "sub": grant.subject, "scope": row.scopes,
            "iss": *self.issuer(), "iat": row.issued_at / SECOND, "exp": row.expires_at / SECOND,
        });
        if row.kind == "access" {
            answer["token_type"] = json!("Bearer");
        }
        if has(&row.scopes, "profile") {
            answer["username"] = json!(person.account);
        }
        Ok(answer)
    }
}
