//! What clients find out by themselves: the discovery document and the keys.

use crate::claims::{ACR_MULTI, ACR_SINGLE, SCOPES};
use crate::{Engine, jose};
use kernel::Fault;
use kernel::crypto::Ring;
use serde_json::{Value, json};

impl Engine {
    /// `/.well-known/openid-configuration` (OpenID Connect Discovery 3, RFC 8414).
    pub fn discovery(&self) -> Value {
        let issuer = self.issuer();
        let at = |path: &str| format!("{issuer}/oauth2/{path}");
        let scopes: Vec<&str> = SCOPES.iter().map(|scope| scope.name).collect();
        let methods = [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "none",
        ];
        json!({
            "issuer": *issuer,
            "authorization_endpoint": at("authorize"),
            "token_endpoint": at("token"),
            "userinfo_endpoint": at("userinfo"),
            "jwks_uri": at("jwks"),
            "end_session_endpoint": at("logout"),
            "revocation_endpoint": at("revoke"),
            "introspection_endpoint": at("introspect"),
            "scopes_supported": scopes,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "acr_values_supported": [ACR_SINGLE, ACR_MULTI],
            "subject_types_supported": ["public", "pairwise"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "introspection_endpoint_auth_methods_supported": &methods[..3],
            "introspection_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "claim_types_supported": ["normal"],
            "claims_supported": [
                "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid",
                "name", "preferred_username", "zoneinfo", "locale", "email", "email_verified",
                "phone_number", "phone_number_verified", "organisation", "organisation_name", "roles",
            ],
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "ui_locales_supported": ["zh-CN", "en"],
            "claims_parameter_supported": false,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "authorization_response_iss_parameter_supported": true,
            "backchannel_logout_supported": true,
            "backchannel_logout_session_supported": true,
            "frontchannel_logout_supported": false,
        })
    }

    /// The keys that tokens of ours are verified with: the one that signs first, those before it
    /// until they are retired.
    pub fn jwks(&self) -> Result<Value, Fault> {
        let keys = self.crypto.public_keys(Ring::OpenId)?;
        let keys: Vec<Value> = keys.iter().filter_map(jose::jwk).collect();
        Ok(json!({ "keys": keys }))
    }
}
