//! The token endpoint: a code or a refresh token for an access token (RFC 6749 4.1.3, 6; OpenID
//! Connect Core 3.1.3).

use crate::authenticate::Proof;
use crate::desk::{Exchange, What};
use crate::oauth::OAuthError;
use crate::params::Params;
use crate::{Engine, secrets};
use kernel::time::SECOND;
use serde_json::{Value, json};

/// RFC 7636: 43 to 128 unreserved characters.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

/// Hash of a secret of this kind; anything else is unknown without looking.
fn hash_of(kind: &str, text: &str, what: &str) -> Result<String, OAuthError> {
    match secrets::is_one(kind, text) {
        true => Ok(secrets::hash(text)),
        false => Err(OAuthError::new(
            "invalid_grant",
            format!("the {what} is unknown or over"),
        )),
    }
}

impl Engine {
    /// Answers a token request.
    pub async fn token(&self, params: &Params, proof: &Proof) -> Result<Value, OAuthError> {
        let proven = self.authenticate(params, proof).await?;
        let what = match params.need("grant_type")? {
            "authorization_code" => {
                let verifier = params.need("code_verifier")?;
                if !is_verifier(verifier) {
                    return Err(OAuthError::new(
                        "invalid_grant",
                        "code_verifier is not of its form",
                    ));
                }
                What::Code {
                    hash: hash_of(secrets::CODE, params.need("code")?, "code")?,
                    redirect_uri: params.need("redirect_uri")?.into(),
                    challenge: secrets::challenge(verifier),
                }
            }
            "refresh_token" => What::Refresh {
                hash: hash_of(
                    secrets::REFRESH,
                    params.need("refresh_token")?,
                    "refresh token",
                )?,
                scopes: params.get("scope").map(String::from),
            },
            _ => {
                return Err(OAuthError::new(
                    "unsupported_grant_type",
                    "only authorization_code and refresh_token are supported",
                ));
            }
        };
        let exchange = Exchange {
            client: proven.client.id.clone(),
            assertion: proven.assertion,
            what,
        };
        let given = self.desk.exchange(exchange).await?;
        let mut answer = json!({
            "access_token": given.access, "token_type": "Bearer",
            "expires_in": self.settings.access_life.0 / SECOND, "scope": given.scopes,
            "id_token": self.id_token(&given.grant, &given.access)?,
        });
        if let Some(refresh) = given.refresh {
            answer["refresh_token"] = json!(refresh);
        }
        Ok(answer)
    }
}
