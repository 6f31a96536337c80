//! Tickets: what a sign-in carries from one step to the next. Sealed by the city's key, so that
//! nothing has to be kept for those who never come back; good for a few minutes and for one use.

use crate::{Engine, secrets};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use kernel::crypto::{Crypto, Ring};
use kernel::fault::FaultKind;
use kernel::{Fault, Span, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use store::Tx;

/// How long a ticket is good for.
const LIFE: Span = Span::minutes(5);
/// Bytes of a ticket, at most.
const LONGEST: usize = 64 * 1024;
const CONTEXT: &[u8] = b"identity ticket";

/// The keys that seal what identity keeps and hands out.
#[derive(Clone, Default)]
pub struct Keys(pub Option<Arc<dyn Crypto>>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "keys" } else { "no keys" })
    }
}

/// What a ticket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// The password was right, the second factor is missing.
    Factor,
    /// Signing in, or proving oneself again, with a passkey alone.
    Passkey,
    /// Making a passkey.
    Register,
}

/// A ticket, opened.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ticket {
    nonce: String,
    pub(crate) purpose: Purpose,
    /// Empty where the passkey will say it.
    pub(crate) account: String,
    /// Of the password, so that a change ends what was begun before it.
    pub(crate) mark: String,
    expires_at: i64,
    /// State of the ceremony of a passkey.
    pub(crate) state: Value,
}

/// What stands for a stored password in a ticket.
pub(crate) fn mark(password: &str) -> String {
    secrets::hash(password).chars().take(16).collect()
}

/// The ticket is over, was used, or never was one.
pub(crate) fn expired() -> Fault {
    Fault::new(
        FaultKind::SignIn,
        "access.sign_in_expired",
        "登录已超时或已被使用，请重新开始登录",
        "this sign-in took too long or was used; begin again",
    )
}

impl Engine {
    fn keys(&self) -> Result<&Arc<dyn Crypto>, Fault> {
        let keys = self.settings.keys.0.as_ref();
        keys.ok_or_else(|| Fault::internal("sealing a secret", "identity was given no keys"))
    }

    /// Seals a secret for the store; it opens under the same name only.
    pub(crate) fn seal(&self, name: &str, plain: &[u8]) -> Result<Vec<u8>, Fault> {
        self.keys()?.seal(Ring::Secrets, name.as_bytes(), plain)
    }

    /// Opens what [`Engine::seal`] sealed.
    pub(crate) fn unseal(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        self.keys()?.open(Ring::Secrets, name.as_bytes(), sealed)
    }

    /// A ticket and until when it is good.
    pub(crate) fn new_ticket(
        &self,
        purpose: Purpose,
        account: &str,
        password: &str,
        state: Value,
    ) -> Result<(String, Time), Fault> {
        let expires_at = self.clock.now() + LIFE;
        let ticket = Ticket {
            nonce: secrets::new(""),
            purpose,
            account: account.into(),
            mark: mark(password),
            expires_at: expires_at.0,
            state,
        };
        let plain = serde_json::to_vec(&ticket).map_err(|e| Fault::internal("a ticket", e))?;
        let sealed = self.keys()?.seal(Ring::Secrets, CONTEXT, &plain)?;
        Ok((BASE64_URL_SAFE_NO_PAD.encode(sealed), expires_at))
    }

    /// Opens a ticket for this purpose.
    pub(crate) fn open_ticket(&self, text: &str, purposes: &[Purpose]) -> Result<Ticket, Fault> {
        if text.len() > LONGEST {
            return Err(expired());
        }
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| expired())?;
        let plain = self.keys()?.open(Ring::Secrets, CONTEXT, &sealed);
        let plain = plain.map_err(|_| expired())?;
        let ticket: Ticket = serde_json::from_slice(&plain).map_err(|_| expired())?;
        let sound = purposes.contains(&ticket.purpose) && self.clock.now().0 < ticket.expires_at;
        if sound { Ok(ticket) } else { Err(expired()) }
    }

    /// Spends a ticket; it was spent before, or it is now and never again.
    pub(crate) async fn spend(&self, tx: &mut Tx, ticket: &Ticket) -> Result<(), Fault> {
        let hash = secrets::hash(&ticket.nonce);
        if store::factors::spend_ticket(tx, &hash, ticket.expires_at).await? {
            Ok(())
        } else {
            Err(expired())
        }
    }
}
