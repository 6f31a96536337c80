//! Passkeys (WebAuthn): several to an account, each named, bound to the address of the city's
//! pages. One opens a session alone, because the device asks for a finger, a face or a PIN; after
//! a password it is the second factor.

use crate::factors::Used;
use crate::sessions::Origin;
use crate::tickets::{Purpose, Ticket};
use crate::{Challenge, Engine, Enrolled, factors};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use kernel::access::Actor;
use kernel::{Fault, new_id};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::Run;
use store::factors::FactorRow;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyAuthentication, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, Webauthn, WebauthnBuilder,
};

/// Kind of a passkey in the store.
pub(crate) const KIND: &str = "passkey";

/// The relying party for this address of the pages; `None` where a browser makes no passkeys: at
/// an address without a name. Empty means this machine.
pub(crate) fn relying_party(public_url: &str, name: &str) -> Result<Option<Webauthn>, Fault> {
    let own = "http://localhost";
    let text = if public_url.is_empty() {
        own
    } else {
        public_url
    };
    let doing = "configuring passkeys";
    let url = Url::parse(text).map_err(|e| Fault::internal(doing, format!("{text}: {e}")))?;
    let Some(domain) = url.domain() else {
        return Ok(None);
    };
    let builder = WebauthnBuilder::new(domain, &url).map_err(|e| Fault::internal(doing, e))?;
    let party = builder.rp_name(name).allow_any_port(public_url.is_empty());
    party
        .build()
        .map(Some)
        .map_err(|e| Fault::internal(doing, e))
}

fn to_json(what: &impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(what).map_err(|e| Fault::internal("writing a passkey", e))
}

fn from_json<T: DeserializeOwned>(what: Value) -> Result<T, Fault> {
    serde_json::from_value(what).map_err(|e| Fault::internal("reading a passkey", e))
}

/// What the browser sent; wrong input when it is nothing of the kind.
fn credential<T: DeserializeOwned>(sent: Value) -> Result<T, Fault> {
    serde_json::from_value(sent).map_err(|e| {
        Fault::invalid_at(
            "passkey",
            format!("不是浏览器给出的通行密钥：{e}"),
            format!("this is not what a browser answers with a passkey: {e}"),
        )
    })
}

/// Under which name a credential is found.
fn credential_name(id: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id)
}

impl Engine {
    fn party(&self) -> Result<&Webauthn, Fault> {
        self.party.as_ref().ok_or_else(|| {
            Fault::invalid_at(
                "passkey",
                "本系统的访问地址（public_url）不是域名，不能使用通行密钥",
                "the address of these pages (public_url) has no name; passkeys cannot be used",
            )
        })
    }

    /// Can passkeys be used at the address of these pages?
    pub fn has_passkeys(&self) -> bool {
        self.party.is_some()
    }

    fn stored(&self, row: &FactorRow) -> Result<Passkey, Fault> {
        let plain = self.unseal(&format!("factor {}", row.id), &row.sealed)?;
        serde_json::from_slice(&plain).map_err(|e| Fault::internal("reading a passkey", e))
    }

    fn sealed(&self, id: &str, passkey: &Passkey) -> Result<Vec<u8>, Fault> {
        let plain = serde_json::to_vec(passkey);
        let plain = plain.map_err(|e| Fault::internal("writing a passkey", e))?;
        self.seal(&format!("factor {id}"), &plain)
    }

    /// The question to the passkeys of an account after its password, and the state to check the
    /// answer by; `None` when it has none.
    pub(crate) fn ask_passkeys(&self, rows: &[FactorRow]) -> Result<Option<(Value, Value)>, Fault> {
        let (Some(party), true) = (&self.party, rows.iter().any(|row| row.kind == KIND)) else {
            return Ok(None);
        };
        let rows = rows.iter().filter(|row| row.kind == KIND);
        let passkeys: Vec<Passkey> = rows.map(|row| self.stored(row)).collect::<Result<_, _>>()?;
        let asked = party.start_passkey_authentication(&passkeys);
        let (question, state) = asked.map_err(|e| Fault::internal("asking for a passkey", e))?;
        Ok(Some((to_json(&question)?, to_json(&state)?)))
    }

    /// Begins a sign-in with a passkey alone, or a new proof within a session: the device knows
    /// the account.
    pub fn begin_passkey(&self) -> Result<Challenge, Fault> {
        let asked = self.party()?.start_discoverable_authentication();
        let (question, state) = asked.map_err(|e| Fault::internal("asking for a passkey", e))?;
        let mut question = to_json(&question)?;
        if let Some(parts) = question.as_object_mut() {
            // Asked by a button, not offered while typing.
            parts.remove("mediation");
        }
        let (ticket, expires_at) = self.new_ticket(Purpose::Passkey, "", "", to_json(&state)?)?;
        Ok(Challenge {
            ticket,
            methods: vec![KIND],
            passkey: Some(question),
            expires_at,
        })
    }

    /// The account whose passkey answered a ticket's question, with the use to be noted; `None`
    /// when the answer is wrong in any way.
    pub(crate) async fn check_passkey(
        &self,
        run: &mut impl Run,
        ticket: &Ticket,
        sent: Value,
    ) -> Result<Option<(String, Used)>, Fault> {
        let party = self.party()?;
        let answer: PublicKeyCredential = credential(sent)?;
        let name = credential_name(answer.get_credential_id());
        let Some(mut row) = store::factors::by_credential(run, &name).await? else {
            return Ok(None);
        };
        let mut passkey = self.stored(&row)?;
        let checked = match ticket.purpose {
            Purpose::Factor if row.account == ticket.account && !ticket.state.is_null() => {
                let state: PasskeyAuthentication = from_json(ticket.state.clone())?;
                party.finish_passkey_authentication(&answer, &state)
            }
            Purpose::Passkey => {
                let state: DiscoverableAuthentication = from_json(ticket.state.clone())?;
                let known = party.identify_discoverable_authentication(&answer);
                let handle = known.ok().map(|(handle, _)| handle.to_string());
                if handle != row.handle {
                    return Ok(None);
                }
                party.finish_discoverable_authentication_v2(&answer, state, &passkey)
            }
            _ => return Ok(None),
        };
        let Ok(result) = checked else {
            return Ok(None);
        };
        // A copy of the key would show an old counter; the state of a ticket may be older than
        // the newest use.
        let counter = i64::from(result.counter());
        if !result.user_verified() || (counter <= row.counter && (counter > 0 || row.counter > 0)) {
            return Ok(None);
        }
        passkey.update_credential(&result);
        row.counter = counter;
        row.sealed = self.sealed(&row.id, &passkey)?;
        Ok(Some((row.account.clone(), Used::Factor(row, KIND))))
    }

    /// Begins making a passkey for whoever has this session.
    pub async fn begin_passkey_registration(&self, actor: &Actor) -> Result<Challenge, Fault> {
        let party = self.party()?;
        let mut reader = self.store.reader().await?;
        let account = crate::accounts::find(&mut reader, &actor.account).await?;
        let rows = store::factors::factors_of(&mut reader, &account.name).await?;
        factors::demand_room(&rows)?;
        let known: Vec<&FactorRow> = rows.iter().filter(|row| row.kind == KIND).collect();
        // One handle for all passkeys of an account, and nothing in it that says whose.
        let handle = known
            .iter()
            .find_map(|row| row.handle.as_deref()?.parse().ok());
        let handle: Uuid = handle.unwrap_or_else(|| Uuid::from_bytes(rand::random()));
        let exclude: Vec<_> = known
            .iter()
            .map(|row| self.stored(row).map(|p| p.cred_id().clone()))
            .collect::<Result<_, _>>()?;
        let begun = party.start_passkey_registration(
            handle,
            &account.name,
            &account.display,
            Some(exclude),
        );
        let (question, state) = begun.map_err(|e| Fault::internal("making a passkey", e))?;
        let mut question = to_json(&question)?;
        // A passkey the device can find by itself signs in without a name.
        question["publicKey"]["authenticatorSelection"]["residentKey"] = json!("preferred");
        let state = json!({ "handle": handle.to_string(), "registration": to_json(&state)? });
        let (ticket, expires_at) =
            self.new_ticket(Purpose::Register, &account.name, &account.password, state)?;
        Ok(Challenge {
            ticket,
            methods: vec![KIND],
            passkey: Some(question),
            expires_at,
        })
    }

    /// Keeps the passkey the browser made. The session is strengthened by it and shows a new
    /// secret from now on; the first factor of an account brings its recovery codes.
    pub async fn finish_passkey_registration(
        &self,
        token: &str,
        ticket: &str,
        name: &str,
        sent: Value,
        origin: &Origin,
    ) -> Result<Enrolled, Fault> {
        let name = factors::name(name)?;
        let party = self.party()?;
        let mut ticket = self.open_ticket(ticket, &[Purpose::Register])?;
        let answer: RegisterPublicKeyCredential = credential(sent)?;
        let state: PasskeyRegistration = from_json(ticket.state["registration"].take())?;
        let made = party.finish_passkey_registration(&answer, &state);
        let passkey = made.map_err(|e| {
            Fault::invalid_at(
                "passkey",
                format!("通行密钥未通过核验：{e}"),
                format!("the passkey does not hold: {e}"),
            )
        })?;
        let now = self.clock.now();
        let id = new_id(now);
        let row = FactorRow {
            sealed: self.sealed(&id, &passkey)?,
            id,
            account: ticket.account.clone(),
            kind: KIND.into(),
            name,
            credential: Some(credential_name(passkey.cred_id())),
            handle: ticket.state["handle"].as_str().map(String::from),
            counter: 0,
            created_at: now.0,
            last_used: Some(now.0),
        };
        self.enrol(token, row, Some(&ticket), origin).await
    }
}
