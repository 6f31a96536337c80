//! The wallet: what holders see of their licences and do with them. Whoever may act for a holder
//! sees that holder's; nobody learns of anybody else's, not even whether there is one.

use crate::consult::known_fields;
use crate::content::{Content, state_of, verdict};
use crate::sd_jwt::{self, DigestOf, TYP};
use crate::{Engine, jose};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::licences::{HOLDER_NAME, HOLDER_NUMBER, Holder, Licence, NUMBER, Verdict};
use kernel::{Fault, Span, Time};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::licences::{self as rows, By, LicenceRow, TokenRow, UseRow};

/// How long a code to be shown is good, unless its holder wants less or more.
const PRESENT_S: i64 = 60;
/// And at most.
const PRESENT_MOST_S: i64 = 120;
/// Codes of one licence that are good at once, at most.
const CODES: u64 = 10;
/// Licences of a page.
const PAGE: u64 = 50;

/// A licence as its holder sees it, with what is known of it. Personal: no `Debug`.
#[derive(Clone, Serialize)]
pub struct WalletPage {
    /// The licence.
    pub licence: Licence,
    /// Whether it counts now.
    pub verdict: Verdict,
    /// Its history, oldest first.
    pub steps: Vec<StepInfo>,
    /// Who used it, newest first; the first page.
    pub uses: Vec<UseInfo>,
}

/// A step in the history of a licence.
#[derive(Clone, Debug, Serialize)]
pub struct StepInfo {
    /// When.
    pub at: Time,
    /// `issue`, `reissue`, `replace`, `suspend`, `resume`, `revoke`, `expire`.
    pub what: String,
    /// State afterwards.
    pub state: String,
    /// Why.
    pub reason: String,
}

/// A use of a licence, as its holder sees it.
#[derive(Clone, Debug, Serialize)]
pub struct UseInfo {
    /// Identification; the next page is below it.
    pub id: String,
    /// When.
    pub at: Time,
    /// `token`, `identifier`, `document`, `wallet`, `office`, `material` (it stood for paper),
    /// `print`, `office_print`, `guesses` (too many wrong names).
    pub way: String,
    /// Who, as they said, or the organisation's code.
    pub verifier: String,
    /// For which purpose.
    pub purpose: String,
    /// On which basis.
    pub basis: String,
    /// Names of the fields shown.
    pub fields: Vec<String>,
    /// What they were told.
    pub verdict: String,
    /// The matter in hand, when one was named.
    pub matter: String,
}

/// What a holder wants to show.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPresentation {
    /// Names of fields; the minimum of the type when there are none.
    #[serde(default)]
    pub fields: Vec<String>,
    /// For how long, 10 to 120 seconds.
    #[serde(default)]
    pub seconds: Option<i64>,
}

/// A code to be shown. Whoever reads it can use it once: no `Debug`, never logged.
#[derive(Clone, Serialize)]
pub struct Presentation {
    /// The code.
    pub token: String,
    /// Address for the QR; the code stands behind `#`, so that no server on the way logs it.
    pub url: String,
    /// Good until.
    pub expires_at: Time,
    /// What it shows.
    pub fields: Vec<String>,
}

/// A secret of 256 bits.
pub(crate) fn secret() -> String {
    let bytes: [u8; 32] = rand::random();
    jose::encode(bytes)
}

/// A code people type: six digits.
pub(crate) fn six_digits() -> String {
    format!("{:06}", rand::rng().random_range(0..1_000_000))
}

impl Engine {
    /// Licences of the holder the actor is or acts for, newest first, below this identification;
    /// and the identification the next page goes on below.
    pub async fn wallet(
        &self,
        actor: &Actor,
        before: Option<&str>,
    ) -> Result<(Vec<Licence>, Option<String>), Fault> {
        let holder = self.sealing.holder(&self.holder_of(actor).await?);
        let mut reader = self.store.reader().await?;
        let found = rows::licences_of_holder(&mut reader, &holder, None, before, PAGE).await?;
        let full = found.len() as u64 == PAGE;
        let next = found.last().map(|row| row.id.clone()).filter(|_| full);
        let mut licences = vec![];
        for row in &found {
            // What was altered is not shown as if it were sound.
            if let Some(content) = self.content(row)? {
                licences.push(self.licence(row, content)?);
            }
        }
        Ok((licences, next))
    }

    /// One licence of theirs, with its history and who used it.
    pub async fn wallet_page(&self, actor: &Actor, identifier: &str) -> Result<WalletPage, Fault> {
        let (row, content) = self.own(actor, identifier).await?;
        let mut reader = self.store.reader().await?;
        let steps = rows::steps(&mut reader, &row.id).await?;
        let uses = rows::uses(&mut reader, &row.id, None, PAGE).await?;
        let now = self.clock.now();
        let found = verdict(state_of(&row)?, content.valid_from, content.valid_to, now);
        Ok(WalletPage {
            licence: self.licence(&row, content)?,
            verdict: found,
            steps: steps.into_iter().map(step_info).collect(),
            uses: uses.into_iter().map(use_info).collect(),
        })
    }

    /// Who used a licence of theirs, newest first, below this identification.
    pub async fn wallet_uses(
        &self,
        actor: &Actor,
        identifier: &str,
        before: Option<&str>,
    ) -> Result<Vec<UseInfo>, Fault> {
        let (row, _) = self.own(actor, identifier).await?;
        let mut reader = self.store.reader().await?;
        let uses = rows::uses(&mut reader, &row.id, before, PAGE).await?;
        Ok(uses.into_iter().map(use_info).collect())
    }

    /// Makes a code to be shown: good once, for two minutes at most, for these fields only.
    pub async fn present(
        &self,
        actor: &Actor,
        identifier: &str,
        new: &NewPresentation,
    ) -> Result<Presentation, Fault> {
        let (row, _) = self.own(actor, identifier).await?;
        let kind = self.type_of(&row)?;
        let fields = match new.fields.as_slice() {
            [] => kind.decl.minimum.clone(),
            names => known_fields(&kind, names)?,
        };
        let seconds = new.seconds.unwrap_or(PRESENT_S);
        if !(10..=PRESENT_MOST_S).contains(&seconds) {
            return Err(Fault::invalid_at(
                "seconds",
                format!("应为 10 至 {PRESENT_MOST_S} 秒"),
                format!("expected 10 to {PRESENT_MOST_S} seconds"),
            ));
        }
        let now = self.clock.now();
        let expires_at = now + Span::seconds(seconds);
        let token = secret();
        let made = TokenRow {
            digest: self.sealing.digest("token", &token),
            kind: "present".into(),
            licence: row.id,
            body: json!({ "fields": fields }).to_string(),
            sealed: None,
            created_at: now.0,
            expires_at: expires_at.0,
            used_at: None,
        };
        self.keep_token(&made, CODES).await?;
        Ok(Presentation {
            url: format!("{}/verify#{token}", self.issuer()),
            token,
            expires_at,
            fields,
        })
    }

    /// Keeps a secret; so many of its kind for one licence at once, no more.
    pub(crate) async fn keep_token(&self, made: &TokenRow, most: u64) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        let open = rows::open_tokens(&mut tx, &made.licence, &made.kind, made.created_at).await?;
        if open >= most {
            let mut fault = Fault::new(
                FaultKind::TooMany,
                "input.too_many",
                "同时有效的出示码过多，请稍后再试",
                "too many codes are good at once; please try again later",
            );
            fault.retry_after_s = Some(60);
            return Err(fault);
        }
        rows::add_token(&mut tx, made).await?;
        tx.commit().await
    }

    /// A licence as a signed document its holder keeps or hands on: everything of it can be
    /// verified without asking us, but for where it stands. Only these fields are disclosed; all
    /// when none are named.
    pub async fn document(
        &self,
        actor: &Actor,
        identifier: &str,
        fields: &[String],
    ) -> Result<String, Fault> {
        let (row, content) = self.own(actor, identifier).await?;
        let kind = self.type_of(&row)?;
        let names = known_fields(&kind, fields)?;
        let (issued, disclosures) = self.signed_document(&row, &content, false, None)?;
        let chosen = disclosures
            .iter()
            .filter(|(name, _)| names.is_empty() || names.contains(name));
        Ok(sd_jwt::compose(
            &issued,
            chosen.map(|(_, text)| text.as_str()),
        ))
    }

    /// A licence as SD-JWT VC: the signed part, and its disclosures by name.
    pub(crate) fn signed_document(
        &self,
        row: &LicenceRow,
        content: &Content,
        for_wallet: bool,
        key: Option<&Value>,
    ) -> Result<(String, Vec<(String, String)>), Fault> {
        let seconds = |time: Time| time.0.div_euclid(1_000_000);
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.into(), value);
        put("iss", self.issuer().into());
        put("vct", self.vct(&row.kind).into());
        put("iat", seconds(content.issued_at).into());
        put("nbf", seconds(content.valid_from).into());
        if let Some(to) = content.valid_to {
            put("exp", seconds(to).into());
        }
        let uri = self.status_uri(row.status_list, for_wallet);
        put(
            "status",
            json!({ "status_list": { "idx": row.status_index, "uri": uri } }),
        );
        if let Some(key) = key {
            put("cnf", json!({ "jwk": key }));
        }
        put("identifier", content.identifier.clone().into());
        put("licence_type", content.licence_type.clone().into());
        put(
            "issuing_authority",
            content.issuing_authority.zh.clone().into(),
        );
        put(
            "issuing_authority_code",
            content.issuing_authority_code.clone().into(),
        );
        put("grade", content.grade.word().into());
        let mut hidden: Vec<(String, Value)> = vec![];
        for name in [HOLDER_NAME, HOLDER_NUMBER, NUMBER] {
            hidden.extend(content.value(name).map(|value| (name.into(), value)));
        }
        let fields = content.fields.iter();
        hidden.extend(fields.map(|(name, value)| (name.clone(), value.clone())));
        let digest = match for_wallet {
            true => DigestOf::Sha256,
            false => DigestOf::suite(self.crypto().suite()),
        };
        let disclosures = sd_jwt::conceal(&mut claims, hidden, digest);
        let ring = self.document_ring(for_wallet);
        let issued = jose::sign(self.crypto(), ring, TYP, &Value::Object(claims))?;
        Ok((issued, disclosures))
    }

    /// Type of a document (`vct`).
    pub(crate) fn vct(&self, kind: &str) -> String {
        format!("{}/licences/types/{kind}", self.issuer())
    }

    /// A licence of whom the actor is or acts for; anybody else's is not there.
    pub(crate) async fn own(
        &self,
        actor: &Actor,
        identifier: &str,
    ) -> Result<(LicenceRow, Content), Fault> {
        let holder = self.sealing.holder(&self.holder_of(actor).await?);
        let mut reader = self.store.reader().await?;
        let row = self.row_of(&mut reader, identifier).await?;
        if row.holder != holder {
            return Err(Fault::missing("licence"));
        }
        let content = self.sound_content(&row)?;
        Ok((row, content))
    }

    pub(crate) async fn held_by(&self, holder: &Holder, kind: &str) -> Result<Vec<String>, Fault> {
        let now = self.clock.now();
        let digest = self.sealing.holder(&holder.number);
        let mut reader = self.store.reader().await?;
        let found =
            rows::licences_of_holder(&mut reader, &digest, Some(kind), None, rows::PAGE_LIMIT)
                .await?;
        let mut held = vec![];
        for row in found {
            if let Some(content) = self.content(&row)?
                && content.holder.document == holder.document
                && verdict(state_of(&row)?, content.valid_from, content.valid_to, now)
                    == Verdict::Valid
            {
                held.push(row.identifier);
            }
        }
        Ok(held)
    }

    /// The licence of a secret.
    pub(crate) async fn licence_of_token(
        &self,
        row: &TokenRow,
    ) -> Result<Option<LicenceRow>, Fault> {
        let mut reader = self.store.reader().await?;
        rows::licence(&mut reader, By::Id, &row.licence).await
    }
}

pub(crate) fn step_info(row: rows::StepRow) -> StepInfo {
    StepInfo {
        at: Time(row.at),
        what: row.what,
        state: row.state,
        reason: row.reason,
    }
}

pub(crate) fn use_info(row: UseRow) -> UseInfo {
    UseInfo {
        id: row.id,
        at: Time(row.at),
        way: row.way,
        verifier: row.verifier,
        purpose: row.purpose,
        basis: row.basis,
        fields: serde_json::from_str(&row.fields).unwrap_or_default(),
        verdict: row.verdict,
        matter: row.matter,
    }
}
