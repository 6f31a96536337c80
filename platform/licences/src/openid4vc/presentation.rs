//! Presentation (OpenID4VP 1.0): a verifier asks for fields of a licence and says why; any wallet
//! that holds it answers to us (`direct_post`), signed for this one request; the verifier fetches
//! what was found. The request is unsigned and names its response address as its client
//! (`redirect_uri:`), which the protocol allows for exactly this.

use super::issuance::percent;
use super::requests::{asked_by, request_place};
use super::{Stop, refused};
use crate::consult::known_fields;
use crate::verify::{ShownDocument, User, answer, nothing, problems_of_use};
use crate::wallet::secret;
use crate::{Engine, problem, refuse, sd_jwt};
use kernel::access::Actor;
use kernel::licences::{LicenceType, Papers, Use, Verdict, Verification};
use kernel::{Fault, Span, Time, Words};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::licences::{self as rows, TokenRow};

/// How long a request is good.
const REQUEST: Span = Span::minutes(5);
/// Requests of one account that are good at once, at most.
const REQUESTS: u64 = 100;
/// Name of the one credential asked for.
const QUERY: &str = "licence";

/// What a verifier asks for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Type of licence.
    pub kind: String,
    /// Names of fields; the minimum of the type when there are none.
    pub fields: Vec<String>,
    /// Who asks and why.
    pub why: Use,
}

/// A request for a presentation. Its state is a secret of the verifier: no `Debug`.
#[derive(Clone, Serialize)]
pub struct Asked {
    /// Identification in the list of requests; no secret.
    pub id: String,
    /// The verifier fetches what was found with it.
    pub state: String,
    /// For a QR or a link: `openid4vp://?…`, the whole request in it.
    pub url: String,
    /// The request itself (an authorisation request as JSON).
    pub request: Value,
    /// Good until.
    pub expires_at: Time,
}

/// What is kept of a request.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) kind: String,
    pub(super) fields: Vec<String>,
    pub(super) why: Use,
    nonce: String,
    pub(super) actor: Actor,
    /// Digest of the applicant of the matter it is for.
    #[serde(default)]
    applicant: Option<String>,
}

impl Engine {
    fn response_uri(&self) -> String {
        format!("{}/openid4vp/response", self.issuer())
    }

    fn client_id(&self) -> String {
        format!("redirect_uri:{}", self.response_uri())
    }

    /// Asks for a presentation; for an application (`standing.case` of the actor) with its papers,
    /// so that it is said whether the licence shown is the applicant's.
    pub async fn vp_ask(
        &self,
        actor: &Actor,
        ask: &Ask,
        papers: Option<&Papers>,
    ) -> Result<Asked, Fault> {
        let mut problems = problems_of_use(&ask.why);
        let mut fields = vec![];
        match (self.current_type(&ask.kind), ask.fields.as_slice()) {
            (None, _) => problems.push(problem(
                "kind",
                "没有这种证照",
                "there is no such type of licence",
            )),
            (Some((_, kind)), []) => fields.clone_from(&kind.decl.minimum),
            (Some((_, kind)), names) => match known_fields(kind, names) {
                Ok(known) => fields = known,
                Err(fault) => problems.extend(fault.problems),
            },
        }
        refuse(problems)?;
        let now = self.clock.now();
        let expires_at = now + REQUEST;
        let kept = Kept {
            kind: ask.kind.clone(),
            fields,
            why: ask.why.clone(),
            nonce: secret(),
            actor: actor.clone(),
            applicant: papers.map(|papers| self.sealing.holder(&papers.holder.number)),
        };
        let state = secret();
        let digest = self.sealing.digest("request", &state);
        let plain = serde_json::to_vec(&kept).map_err(|e| Fault::internal("asking", e))?;
        let made = TokenRow {
            sealed: Some(self.sealing.seal(&request_place(&digest), &plain)?),
            kind: "request".into(),
            // Not of a licence: counted by who asks.
            licence: asked_by(&actor.account),
            body: "{}".into(),
            created_at: now.0,
            expires_at: expires_at.0,
            used_at: None,
            digest,
        };
        self.keep_token(&made, REQUESTS).await?;
        let request = self.request_json(&kept, &state);
        Ok(Asked {
            id: made.digest,
            url: request_url(&request),
            request,
            expires_at,
            state,
        })
    }

    fn request_json(&self, kept: &Kept, state: &str) -> Value {
        let claims: Vec<Value> = kept.fields.iter().map(|f| json!({ "path": [f] })).collect();
        json!({
            "client_id": self.client_id(),
            "response_type": "vp_token",
            "response_mode": "direct_post",
            "response_uri": self.response_uri(),
            "nonce": kept.nonce,
            "state": state,
            "dcql_query": { "credentials": [{
                "id": QUERY,
                "format": sd_jwt::TYP,
                "meta": { "vct_values": [self.vct(&kept.kind)] },
                "claims": claims,
            }] },
            "client_metadata": {
                "client_name": kept.why.verifier,
                "vp_formats_supported": { sd_jwt::TYP: {
                    "sd-jwt_alg_values": ["ES256"],
                    "kb-jwt_alg_values": ["ES256", "EdDSA"],
                } },
            },
        })
    }

    async fn open_request(&self, state: &str) -> Result<(TokenRow, Kept), Stop> {
        if state.len() > 200 {
            return Err(unknown());
        }
        let digest = self.sealing.digest("request", state);
        let row = self.request_row(&digest).await?.ok_or_else(unknown)?;
        let kept = self.kept(&row)?;
        Ok((row, kept))
    }

    /// What a wallet posts (`direct_post`): form parameters `vp_token` and `state`. The wallet
    /// learns only whether it was taken; what was found is for the verifier.
    pub async fn vp_response(&self, form: &BTreeMap<String, String>) -> Result<Value, Stop> {
        let state = form.get("state").map(String::as_str).unwrap_or_default();
        let (row, kept) = self.open_request(state).await?;
        let now = self.clock.now();
        if row.used_at.is_some() || row.expires_at <= now.0 {
            return Err(unknown());
        }
        let user = User {
            actor: &kept.actor,
            verifier: &kept.why.verifier,
            purpose: &kept.why.purpose,
            basis: &kept.why.basis,
        };
        if let Some(error) = form.get("error") {
            // The holder said no, or has no such licence.
            let error: String = error.chars().take(60).collect();
            let body = json!({ "error": error }).to_string();
            self.finish_request(TokenRow { body, ..row }, None, now)
                .await?;
            return Ok(json!({}));
        }
        let document = presented(form.get("vp_token"))?;
        let shown = ShownDocument {
            text: &document,
            audience: Some(&self.client_id()),
            nonce: Some(&kept.nonce),
            bound_only: true,
        };
        let mut found = match self.find_by_document(&shown, now).await? {
            Ok(found) if found.row.kind == kept.kind => found,
            Ok(_) => {
                return Err(refused(
                    "invalid_request",
                    "this is no licence of the type asked for",
                ));
            }
            Err(verdict) => {
                let found = nothing(verdict, &user, now);
                let shown = self.answer_row(&row, &found, now)?;
                let row = with_outcome(row, &found, None);
                self.finish_request(row, Some(shown), now).await?;
                return Ok(json!({}));
            }
        };
        // A wallet that discloses more than was asked for does not widen the purpose.
        if let Some(facts) = &mut found.facts {
            facts
                .fields
                .retain(|field| kept.fields.contains(&field.name));
        }
        let mut answer = answer(&found, &user, now);
        withhold(&mut answer, &kept.fields, &*self.type_of(&found.row)?);
        let digest = row.digest.clone();
        let shown = self.answer_row(&row, &answer, now)?;
        let of_applicant = kept.applicant.map(|holder| holder == found.row.holder);
        let mut row = with_outcome(row, &answer, of_applicant);
        row.used_at = Some(now.0);
        (found.uses_up, found.becomes) = (vec![digest], Some(row));
        let mut entry = self.entry(found, &user, &answer, now);
        entry.spends = Some(shown);
        if !self.uses.write(entry).await? {
            return Err(unknown());
        }
        Ok(json!({}))
    }

    /// Ends a request that led to no licence.
    async fn finish_request(
        &self,
        mut row: TokenRow,
        shown: Option<TokenRow>,
        now: Time,
    ) -> Result<(), Stop> {
        let mut tx = self.store.begin().await?;
        if !rows::use_token(&mut tx, &row.digest, now.0).await? {
            return Err(unknown());
        }
        row.used_at = Some(now.0);
        rows::put_token(&mut tx, &row).await?;
        if let Some(shown) = &shown {
            rows::add_token(&mut tx, shown).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// What the list of requests says of an answer: nothing of what was shown.
fn with_outcome(row: TokenRow, found: &Verification, of_applicant: Option<bool>) -> TokenRow {
    let body = json!({ "verdict": found.verdict, "of_applicant": of_applicant });
    TokenRow {
        body: body.to_string(),
        ..row
    }
}

/// A query is answered whole or not at all (DCQL, 6.4.1): a licence of which something asked for
/// was kept back does not count for it, and what is missing is named.
fn withhold(answer: &mut Verification, asked: &[String], kind: &LicenceType) {
    let shown = |name: &String| answer.fields.iter().any(|field| &field.name == name);
    let missing: Vec<String> = asked.iter().filter(|name| !shown(name)).cloned().collect();
    if answer.verdict != Verdict::Valid || missing.is_empty() {
        return;
    }
    let titles = || missing.iter().filter_map(|name| kind.decl.title_of(name));
    let zh: Vec<String> = titles().map(|title| title.zh).collect();
    let en: Vec<String> = titles().map(|title| title.en).collect();
    answer.verdict = Verdict::Incomplete;
    answer.words = Words::new(
        format!("{}；缺少：{}", answer.verdict.words().zh, zh.join("、")),
        format!("{}; missing: {}", answer.verdict.words().en, en.join(", ")),
    );
    answer.fields.clear();
    answer.missing = missing;
}

/// The request as an address: its parameters stand in it, because one that is fetched by
/// reference would have to be signed.
fn request_url(request: &Value) -> String {
    let parameters = request.as_object().into_iter().flatten();
    let pairs = parameters.map(|(name, value)| {
        let text = value.as_str().map(String::from);
        format!(
            "{name}={}",
            percent(&text.unwrap_or_else(|| value.to_string()))
        )
    });
    format!("openid4vp://?{}", pairs.collect::<Vec<String>>().join("&"))
}

fn unknown() -> Stop {
    refused(
        "invalid_request",
        "the request is unknown, answered or over",
    )
}

/// The one document of a `vp_token`: `{"licence": ["…"]}`.
fn presented(token: Option<&String>) -> Result<String, Stop> {
    let wrong = || refused("invalid_request", "vp_token is no object with one licence");
    let token = token
        .filter(|token| token.len() <= sd_jwt::LIMIT)
        .ok_or_else(wrong)?;
    let token: Value = serde_json::from_str(token).map_err(|_| wrong())?;
    match &token[QUERY] {
        Value::Array(all) => match all.as_slice() {
            [Value::String(one)] => Ok(one.clone()),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}
