//! Offers: a holder puts a licence of theirs into a wallet of another maker. An offer is good once and
//! for ten minutes, with six digits beside it that a QR seen by others does not show; until the
//! wallet has the licence, its holder takes it back.

use super::issuance::{GRANT, blank, percent};
use crate::Engine;
use crate::wallet::{secret, six_digits};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::{Fault, Span, Time};
use serde::Serialize;
use serde_json::{Value, json};
use store::licences::{self as rows, TokenRow};

/// How long an offer is good.
const OFFER: Span = Span::minutes(10);
/// Offers of one licence that are good at once, at most.
const OFFERS: u64 = 5;
/// Wrong transaction codes before an offer is over.
pub(super) const GUESSES: i64 = 3;
/// Offers that are listed, the newest.
const LISTED: u64 = 20;
/// Accesses of a licence that are looked through for those of an offer.
const ACCESSES: u64 = 200;

/// An offer for a wallet. Personal until it is redeemed: no `Debug`.
#[derive(Clone, Serialize)]
pub struct Offer {
    /// Identification in the list of offers; no secret.
    pub id: String,
    /// The credential offer.
    pub offer: Value,
    /// The same as an address for a QR or a link: `openid-credential-offer://?credential_offer=…`.
    pub url: String,
    /// Six digits the holder types into the wallet, so that a QR seen by others is of no use.
    pub code: String,
    /// Good until.
    pub expires_at: Time,
}

/// How an offer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferState {
    /// No wallet has come.
    Open,
    /// A wallet typed the right digits and has not fetched the licence yet.
    Redeemed,
    /// A wallet has the licence.
    Fetched,
    /// Its holder took it back.
    TakenBack,
    /// Wrong digits were typed too often.
    Guessed,
    /// Nobody came in time.
    Over,
}

/// An offer as its holder sees it.
#[derive(Clone, Debug, Serialize)]
pub struct OfferInfo {
    /// Identification.
    pub id: String,
    /// How it stands.
    pub state: OfferState,
    /// When it was made.
    pub created_at: Time,
    /// Good until.
    pub expires_at: Time,
}

impl Engine {
    /// Offers a licence of the holder the actor is or acts for to their wallet.
    pub async fn vci_offer(&self, actor: &Actor, identifier: &str) -> Result<Offer, Fault> {
        let (row, _) = self.own(actor, identifier).await?;
        let now = self.clock.now();
        let (code, typed) = (secret(), six_digits());
        let digest = self.sealing.digest("offer", &code);
        let mut made = blank("offer", digest, &row.id, now, OFFER);
        let typed_digest = self.sealing.digest("tx_code", &format!("{code}/{typed}"));
        made.body = json!({ "tx_code": typed_digest, "guesses": 0 }).to_string();
        self.keep_token(&made, OFFERS).await?;
        let offer = json!({
            "credential_issuer": self.issuer(),
            "credential_configuration_ids": [row.kind],
            "grants": { GRANT: {
                "pre-authorized_code": code,
                "tx_code": { "input_mode": "numeric", "length": 6 },
            } },
        });
        let url = format!(
            "openid-credential-offer://?credential_offer={}",
            percent(&offer.to_string())
        );
        Ok(Offer {
            id: made.digest,
            offer,
            url,
            code: typed,
            expires_at: now + OFFER,
        })
    }

    /// Offers of a licence of theirs in the last day, newest first.
    pub async fn vci_offers(
        &self,
        actor: &Actor,
        identifier: &str,
    ) -> Result<Vec<OfferInfo>, Fault> {
        let (row, _) = self.own(actor, identifier).await?;
        let now = self.clock.now();
        let mut reader = self.store.reader().await?;
        let offers = rows::tokens_of(&mut reader, &row.id, "offer", None, LISTED).await?;
        let given = rows::tokens_of(&mut reader, &row.id, "access", None, ACCESSES).await?;
        let info = |row: &TokenRow| OfferInfo {
            id: row.digest.clone(),
            state: state_of(row, &given, now),
            created_at: Time(row.created_at),
            expires_at: Time(row.expires_at),
        };
        Ok(offers.iter().map(info).collect())
    }

    /// Takes an offer back, with the access a wallet got by it. One whose licence is fetched, or
    /// that is over already, is `input.conflict`.
    pub async fn vci_take_back(
        &self,
        actor: &Actor,
        identifier: &str,
        offer: &str,
    ) -> Result<OfferInfo, Fault> {
        let (licence, _) = self.own(actor, identifier).await?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let known = rows::token(&mut tx, offer).await?;
        let known = known.filter(|row| row.kind == "offer" && row.licence == licence.id);
        let mut row = known.ok_or_else(|| Fault::missing("offer"))?;
        let given = rows::tokens_of(&mut tx, &licence.id, "access", None, ACCESSES).await?;
        // Of a wallet and its holder who come at once, one is first.
        let first = match state_of(&row, &given, now) {
            OfferState::Open => rows::use_token(&mut tx, &row.digest, now.0).await?,
            OfferState::Redeemed => {
                let mut first = true;
                for access in given.iter().filter(|given| is_of(given, &row)) {
                    first &= rows::use_token(&mut tx, &access.digest, now.0).await?;
                }
                first
            }
            OfferState::Fetched => false,
            OfferState::TakenBack | OfferState::Guessed | OfferState::Over => {
                return Err(conflict(
                    "这次领取已失效或已收回",
                    "this offer is over or was taken back already",
                ));
            }
        };
        if !first {
            return Err(conflict(
                "钱包已领取这份证照，不能收回；可在钱包中删除",
                "a wallet has fetched the licence already; delete it there",
            ));
        }
        row.body = json!({ "taken_back": true }).to_string();
        row.used_at = Some(now.0);
        rows::put_token(&mut tx, &row).await?;
        tx.commit().await?;
        Ok(OfferInfo {
            state: OfferState::TakenBack,
            created_at: Time(row.created_at),
            expires_at: Time(row.expires_at),
            id: row.digest,
        })
    }
}

fn conflict(zh: &str, en: &str) -> Fault {
    Fault::new(FaultKind::Conflict, "input.conflict", zh, en)
}

/// Is this an access that was given for the offer?
fn is_of(given: &TokenRow, offer: &TokenRow) -> bool {
    let body: Value = serde_json::from_str(&given.body).unwrap_or_default();
    body["offer"].as_str() == Some(offer.digest.as_str())
}

fn state_of(offer: &TokenRow, given: &[TokenRow], now: Time) -> OfferState {
    let body: Value = serde_json::from_str(&offer.body).unwrap_or_default();
    if body["taken_back"] == true {
        return OfferState::TakenBack;
    }
    let guessed = body["guesses"].as_i64().unwrap_or(0) >= GUESSES;
    let access = given.iter().find(|given| is_of(given, offer));
    match (offer.used_at, access) {
        (Some(_), _) if guessed => OfferState::Guessed,
        (Some(_), Some(access)) if access.used_at.is_some() => OfferState::Fetched,
        (Some(_), Some(access)) if access.expires_at > now.0 => OfferState::Redeemed,
        (None, _) if offer.expires_at > now.0 => OfferState::Open,
        _ => OfferState::Over,
    }
}
