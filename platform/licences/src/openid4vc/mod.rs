//! OpenID for Verifiable Credentials: how wallets of others fetch licences (OpenID4VCI 1.0,
//! pre-authorised code flow) and show them (OpenID4VP 1.0, `direct_post`, DCQL). Protocol only:
//! handlers take parsed parameters and answer JSON; the program binds them to addresses:
//!
//! | address | handler |
//! |---|---|
//! | `GET /.well-known/openid-credential-issuer` | [`Engine::issuer_metadata`] |
//! | `GET /.well-known/oauth-authorization-server/openid4vci` | [`Engine::authorization_metadata`] |
//! | `GET /.well-known/jwt-vc-issuer` | [`Engine::jwt_vc_issuer`] |
//! | `GET <issuer>/licences/types/<name>` | [`Engine::type_metadata`] |
//! | `POST <issuer>/openid4vci/token` (form) | [`Engine::vci_token`] |
//! | `POST <issuer>/openid4vci/nonce` | [`Engine::vci_nonce`] |
//! | `POST <issuer>/openid4vci/credential` (JSON) | [`Engine::vci_credential`] |
//! | `POST <issuer>/openid4vp/response` (form) | [`Engine::vp_response`] |
//!
//! A refusal of the protocol is [`Stop::Refused`]: an OAuth error as JSON with its status; it
//! tells a wallet what to do, and a stranger nothing.

mod issuance;
mod offers;
mod presentation;
mod requests;

pub use offers::{Offer, OfferInfo, OfferState};
pub use presentation::{Ask, Asked};
pub use requests::{KEPT, RequestInfo, RequestOutcome, RequestState};

use crate::{Engine, jose};
use kernel::Fault;
use kernel::crypto::{Algorithm, Ring};
use kernel::licences::{HOLDER_NAME, HOLDER_NUMBER, NUMBER};
use serde_json::{Map, Value, json};

/// Why a handler answers with an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// The protocol says no.
    Refused(Refusal),
    /// We could not.
    Fault(Fault),
}

/// An OAuth error (RFC 6749, 5.2; OpenID4VCI 6.3 and 8.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status: 400, or 401 for an access token that does not count.
    pub status: u16,
    /// Its name.
    pub error: &'static str,
    /// For the developer of the wallet, English.
    pub description: &'static str,
}

impl Refusal {
    /// The body to send.
    pub fn json(&self) -> Value {
        json!({ "error": self.error, "error_description": self.description })
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

pub(crate) fn refused(error: &'static str, description: &'static str) -> Stop {
    Stop::Refused(Refusal {
        status: 400,
        error,
        description,
    })
}

impl Engine {
    /// Ring and algorithm of documents for wallets.
    fn wallet_ring(&self) -> Ring {
        self.document_ring(true)
    }

    /// What this issuer can issue (OpenID4VCI 12.2).
    pub fn issuer_metadata(&self) -> Value {
        let issuer = self.issuer();
        let mut configurations = Map::new();
        for kind in self.types() {
            let title = &kind.decl.title;
            let mut claims = vec![];
            let names = [HOLDER_NAME, HOLDER_NUMBER, NUMBER];
            let fields = kind.decl.fields.iter().map(|field| field.name.as_str());
            for name in names.into_iter().chain(fields) {
                let Some(words) = kind.decl.title_of(name) else {
                    continue;
                };
                claims.push(json!({
                    "path": [name],
                    "display": [
                        { "name": words.zh, "locale": "zh-CN" },
                        { "name": words.en, "locale": "en" },
                    ],
                }));
            }
            let configuration = json!({
                "format": crate::sd_jwt::TYP,
                "vct": self.vct(&kind.decl.name),
                "scope": kind.decl.name,
                "cryptographic_binding_methods_supported": ["jwk"],
                "credential_signing_alg_values_supported": ["ES256"],
                "proof_types_supported": {
                    "jwt": { "proof_signing_alg_values_supported": ["ES256", "EdDSA"] },
                },
                "credential_metadata": {
                    "display": [
                        { "name": title.zh, "locale": "zh-CN" },
                        { "name": title.en, "locale": "en" },
                    ],
                    "claims": claims,
                },
            });
            configurations.insert(kind.decl.name.clone(), configuration);
        }
        json!({
            "credential_issuer": issuer,
            "credential_endpoint": format!("{issuer}/openid4vci/credential"),
            "nonce_endpoint": format!("{issuer}/openid4vci/nonce"),
            "authorization_servers": [format!("{issuer}/openid4vci")],
            "display": [
                { "name": self.settings.name.zh, "locale": "zh-CN" },
                { "name": self.settings.name.en, "locale": "en" },
            ],
            "credential_configurations_supported": configurations,
        })
    }

    /// The authorisation server of the pre-authorised code flow (RFC 8414): one of its own beside
    /// the provider of sign-on, because codes of licences are good at no other token endpoint.
    pub fn authorization_metadata(&self) -> Value {
        let issuer = self.issuer();
        json!({
            "issuer": format!("{issuer}/openid4vci"),
            "token_endpoint": format!("{issuer}/openid4vci/token"),
            "response_types_supported": [],
            "grant_types_supported": [issuance::GRANT],
            "token_endpoint_auth_methods_supported": ["none"],
            "pre-authorized_grant_anonymous_access_supported": true,
        })
    }

    /// Public keys that documents are verified with (SD-JWT VC, 3.5).
    pub fn jwt_vc_issuer(&self) -> Result<Value, Fault> {
        let mut keys = vec![];
        let mut rings = vec![Ring::Seal];
        if self.wallet_ring() != Ring::Seal {
            rings.push(self.wallet_ring());
        }
        for ring in rings {
            keys.extend(self.crypto().public_keys(ring)?.iter().map(jose::jwk));
        }
        Ok(json!({ "issuer": self.issuer(), "jwks": { "keys": keys } }))
    }

    /// What a type of document is (SD-JWT VC, 4); `None` for one that is not declared.
    pub fn type_metadata(&self, kind: &str) -> Option<Value> {
        let (_, known) = self.current_type(kind)?;
        let title = &known.decl.title;
        let fields = known.decl.fields.iter().map(|field| {
            json!({
                "path": [field.name],
                "sd": "always",
                "display": [
                    { "locale": "zh-CN", "label": field.title.zh },
                    { "locale": "en", "label": field.title.en },
                ],
            })
        });
        Some(json!({
            "vct": self.vct(kind),
            "name": title.zh,
            "display": [
                { "locale": "zh-CN", "name": title.zh },
                { "locale": "en", "name": title.en },
            ],
            "claims": fields.collect::<Vec<Value>>(),
        }))
    }

    /// Documents for wallets must be signed so that anybody can verify them.
    fn demand_wallet_keys(&self) -> Result<(), Stop> {
        let keys = self.crypto().public_keys(self.wallet_ring())?;
        match keys.iter().find(|key| key.current).map(|key| key.algorithm) {
            Some(Algorithm::Es256 | Algorithm::EdDsa) => Ok(()),
            _ => Err(Stop::Fault(Fault::internal(
                "issuing to a wallet",
                "no key that wallets can verify",
            ))),
        }
    }
}
