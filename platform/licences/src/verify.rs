//! Verifying: by the short-lived code of a QR, by identifier and name, or as a signed document.
//! The answer says what was found as of a time; what was found is shown only when it counts, and
//! only after the use is on the disk.

use crate::content::{state_of, verdict};
use crate::opening::Key;
use crate::sd_jwt::{Document, TYP};
use crate::uses::Entry;
use crate::{Engine, refuse, said};
use kernel::access::Actor;
use kernel::crypto::Ring;
use kernel::licences::{Grade, Shown, ShownField, State, Use, Verdict, Verification};
use kernel::{Fault, Problem, Time, Words};
use serde_json::{Map, Value, json};
use store::licences::{LicenceRow, TokenRow, UseRow};

/// How old the signature of a holder may be, and how far ahead its clock, in seconds.
const BINDING_AGE_S: i64 = 300;

/// What was found, before anything is answered.
pub(crate) struct Found {
    pub(crate) row: LicenceRow,
    /// `None` when it is not what was signed.
    pub(crate) facts: Option<Facts>,
    pub(crate) verdict: Verdict,
    pub(crate) way: &'static str,
    pub(crate) uses_up: Vec<String>,
    pub(crate) becomes: Option<TokenRow>,
}

/// What an answer says of a licence.
pub(crate) struct Facts {
    title: Words,
    issuer: Words,
    grade: Grade,
    valid_from: Time,
    valid_to: Option<Time>,
    /// Shown only while it counts.
    pub(crate) fields: Vec<ShownField>,
}

/// Who uses it and why, as it is written down.
pub(crate) struct User<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) verifier: &'a str,
    pub(crate) purpose: &'a str,
    pub(crate) basis: &'a str,
}

/// What is wrong with the words of a use.
pub(crate) fn problems_of_use(why: &Use) -> Vec<Problem> {
    let mut problems = vec![];
    problems.extend(said("verifier", &why.verifier, 100));
    problems.extend(said("purpose", &why.purpose, 100));
    if !why.basis.is_empty() {
        problems.extend(said("basis", &why.basis, 200));
    }
    problems
}

fn watermark(user: &User<'_>, now: Time) -> Words {
    let (verifier, purpose) = (user.verifier.trim(), user.purpose.trim());
    let at = now.for_people();
    Words::new(
        format!("仅供{verifier}用于“{purpose}”，{at} 核验，他用无效"),
        format!("For {verifier}, \"{purpose}\" only; verified {at} (Beijing time)"),
    )
}

/// What somebody typed, and from where.
struct Guess<'a> {
    identifier: &'a str,
    name: &'a str,
    address: &'a str,
}

/// The document as shown, with what its holder must have signed.
pub(crate) struct ShownDocument<'a> {
    pub(crate) text: &'a str,
    pub(crate) audience: Option<&'a str>,
    pub(crate) nonce: Option<&'a str>,
    /// A document that names no key of its holder does not count.
    pub(crate) bound_only: bool,
}

impl Engine {
    /// As [`kernel::licences::Licences::verify`], for somebody at this network address: who guesses
    /// at names from there waits.
    pub async fn verify_from(
        &self,
        actor: &Actor,
        shown: &Shown,
        why: &Use,
        address: &str,
    ) -> Result<Verification, Fault> {
        self.verify_shown(actor, shown, why, address).await
    }

    pub(crate) async fn verify_shown(
        &self,
        actor: &Actor,
        shown: &Shown,
        why: &Use,
        address: &str,
    ) -> Result<Verification, Fault> {
        refuse(problems_of_use(why))?;
        let now = self.clock.now();
        let user = User {
            actor,
            verifier: &why.verifier,
            purpose: &why.purpose,
            basis: &why.basis,
        };
        let found = match shown {
            Shown::Token { token } => self.find_by_token(token, now).await?,
            Shown::Identifier { identifier, name } => {
                let guess = Guess {
                    identifier,
                    name,
                    address,
                };
                self.find_by_identifier(&guess, &user, now).await?
            }
            Shown::Document {
                document,
                audience,
                nonce,
            } => {
                let shown = ShownDocument {
                    text: document,
                    audience: audience.as_deref(),
                    nonce: nonce.as_deref(),
                    bound_only: false,
                };
                self.find_by_document(&shown, now).await?
            }
        };
        match found {
            Ok(found) => self.use_it(found, &user, now).await,
            Err(verdict) => Ok(nothing(verdict, &user, now)),
        }
    }

    /// Writes the use down, then answers.
    pub(crate) async fn use_it(
        &self,
        found: Found,
        user: &User<'_>,
        now: Time,
    ) -> Result<Verification, Fault> {
        let answer = answer(&found, user, now);
        let entry = self.entry(found, user, &answer, now);
        match self.uses.write(entry).await? {
            true => Ok(answer),
            // Somebody was faster with the same code.
            false => Ok(nothing(Verdict::Unknown, user, now)),
        }
    }

    pub(crate) fn entry(
        &self,
        found: Found,
        user: &User<'_>,
        answer: &Verification,
        now: Time,
    ) -> Entry {
        let names: Vec<String> = answer.fields.iter().map(|f| f.name.clone()).collect();
        self.entry_of(found, user, answer.verdict, &names, now)
    }

    /// The entry of a use in which these fields were seen, whatever the verdict was.
    pub(crate) fn entry_of(
        &self,
        found: Found,
        user: &User<'_>,
        verdict: Verdict,
        names: &[String],
        now: Time,
    ) -> Entry {
        let standing = &user.actor.standing;
        let matter = standing.case.clone().unwrap_or_default();
        let mut details = json!({});
        if let (Some(person), false) = (&found.row.person, names.is_empty()) {
            let record = json!({ "key": found.row.identifier, "person": person });
            details["records"] = json!([record]);
        }
        if let Some(organisation) = &user.actor.organisation {
            details["organisation"] = organisation.clone().into();
        }
        if !matter.is_empty() {
            details["case"] = matter.clone().into();
        }
        let row = UseRow {
            id: kernel::new_id(now),
            licence: found.row.id,
            at: now.0,
            way: found.way.into(),
            by_account: user.actor.account.clone(),
            organisation: user.actor.organisation.clone().unwrap_or_default(),
            verifier: user.verifier.trim().into(),
            purpose: user.purpose.trim().into(),
            basis: user.basis.trim().into(),
            fields: json!(names).to_string(),
            verdict: verdict.word().into(),
            matter,
        };
        Entry {
            row,
            identifier: found.row.identifier,
            uses_up: found.uses_up,
            spends: None,
            becomes: found.becomes,
            details: user.actor.on_behalf(details),
        }
    }

    /// Where a licence stands now.
    pub(crate) fn found(
        &self,
        row: LicenceRow,
        fields: &[String],
        way: &'static str,
        now: Time,
    ) -> Result<Found, Fault> {
        let kind = self.type_of(&row)?;
        let facts = self.content(&row)?.map(|content| Facts {
            fields: content.shown(&kind, fields),
            title: content.title,
            issuer: content.issuing_authority,
            grade: content.grade,
            valid_from: content.valid_from,
            valid_to: content.valid_to,
        });
        found_so(row, facts, way, now)
    }

    /// What a document says that was found to be signed by us; only where it stands is asked of
    /// the row.
    fn found_in(
        &self,
        row: LicenceRow,
        claims: &Map<String, Value>,
        now: Time,
    ) -> Result<Found, Fault> {
        let kind = self.type_of(&row)?;
        let time = |name: &str| {
            let seconds = claims.get(name).and_then(Value::as_i64);
            seconds.and_then(|at| at.checked_mul(1_000_000)).map(Time)
        };
        let grade = claims.get("grade").and_then(Value::as_str);
        let show = |(name, value): (&String, &Value)| {
            Some(ShownField {
                name: name.clone(),
                title: kind.decl.title_of(name)?,
                value: value.clone(),
            })
        };
        let facts = Facts {
            title: kind.decl.title.clone(),
            issuer: kind.authority.clone(),
            grade: grade.and_then(Grade::parse).unwrap_or(kind.decl.grade),
            valid_from: time("nbf").unwrap_or_default(),
            valid_to: time("exp"),
            fields: claims.iter().filter_map(show).collect(),
        };
        found_so(row, Some(facts), "document", now)
    }
}

fn found_so(
    row: LicenceRow,
    facts: Option<Facts>,
    way: &'static str,
    now: Time,
) -> Result<Found, Fault> {
    let state = state_of(&row)?;
    let verdict = match &facts {
        Some(facts) => verdict(state, facts.valid_from, facts.valid_to, now),
        None => Verdict::Altered,
    };
    Ok(Found {
        row,
        facts,
        verdict,
        way,
        uses_up: vec![],
        becomes: None,
    })
}

impl Engine {
    async fn find_by_token(&self, token: &str, now: Time) -> Result<Result<Found, Verdict>, Fault> {
        if token.len() > 200 {
            return Ok(Err(Verdict::Unknown));
        }
        let digest = self.sealing.digest("token", token);
        let found = self.opening.open(Key::Secret(digest.clone())).await?;
        let open = found
            .secret
            .filter(|row| row.kind == "present" && row.used_at.is_none() && row.expires_at > now.0);
        let (Some(open), Some(row)) = (open, found.licence) else {
            return Ok(Err(Verdict::Unknown));
        };
        let body: Value = serde_json::from_str(&open.body).unwrap_or_default();
        let names = body["fields"].as_array().into_iter().flatten();
        let names: Vec<String> = names.filter_map(Value::as_str).map(String::from).collect();
        let mut found = self.found(row, &names, "token", now)?;
        found.uses_up.push(digest);
        Ok(Ok(found))
    }

    /// By what is printed: whoever does not know the name as well learns nothing, not even that
    /// there is such a licence; and whoever guesses is soon answered no more.
    async fn find_by_identifier(
        &self,
        guess: &Guess<'_>,
        user: &User<'_>,
        now: Time,
    ) -> Result<Result<Found, Verdict>, Fault> {
        let parsed = self.settings.identifiers.parse(guess.identifier);
        let parsed = parsed.map_err(|problem| Fault::invalid(vec![problem]))?;
        let identifier = parsed.to_string();
        self.guesses.demand(&identifier, guess.address, now)?;
        let key = Key::Identifier(identifier.clone());
        let row = self.opening.open(key).await?.licence;
        let name = guess.name;
        let natural = kernel::numbers::person_name(name);
        let typed = [natural, Some(name.trim().to_string())];
        let fits = |row: &LicenceRow| {
            let same = |name: &String| self.sealing.name(&identifier, name) == row.name;
            name.len() <= 1000 && typed.iter().flatten().any(same)
        };
        let Some(row) = row.as_ref().filter(|row| fits(row)) else {
            let count = self.guesses.note(&identifier, guess.address, now)?;
            if let (crate::guesses::LICENCE, Some(row)) = (count, row) {
                self.note_guesses(row, user, now).await?;
            }
            return Ok(Err(Verdict::Unknown));
        };
        // Those who guessed at the same time may have been answered meanwhile.
        self.guesses.demand(&identifier, guess.address, now)?;
        let public = self.type_of(row)?.decl.public.clone();
        self.found(row.clone(), &public, "identifier", now).map(Ok)
    }

    /// Somebody guesses at the name: the holder sees it, once for all guesses of a while.
    async fn note_guesses(&self, row: LicenceRow, user: &User<'_>, now: Time) -> Result<(), Fault> {
        let most = crate::guesses::LICENCE;
        let purpose = format!("持证主体名称连续输错 {most} 次 {most} wrong names of the holder");
        let user = User {
            purpose: &purpose,
            ..*user
        };
        let answer = nothing(Verdict::Unknown, &user, now);
        let mut found = self.found(row, &[], "guesses", now)?;
        found.facts = None;
        let entry = self.entry(found, &user, &answer, now);
        self.uses.write(entry).await.map(drop)
    }

    /// As a signed document: its signature, what was disclosed of it, the holder's own signature
    /// when it names their key, and where the licence stands now.
    pub(crate) async fn find_by_document(
        &self,
        shown: &ShownDocument<'_>,
        now: Time,
    ) -> Result<Result<Found, Verdict>, Fault> {
        let Some(document) = Document::parse(shown.text) else {
            return Ok(Err(Verdict::Unknown));
        };
        if document.issued.typ() != TYP {
            return Ok(Err(Verdict::Unknown));
        }
        let rings = [Ring::Seal, Ring::OpenId];
        match document.issued.is_ours(self.crypto(), &rings)? {
            None => return Ok(Err(Verdict::Unknown)),
            Some(false) => return Ok(Err(Verdict::Altered)),
            Some(true) => {}
        }
        let Ok(claims) = document.claims() else {
            return Ok(Err(Verdict::Altered));
        };
        if claims.contains_key("cnf") || document.binding.is_some() || shown.bound_only {
            let bound = shown.audience.zip(shown.nonce);
            let signed_at = bound.and_then(|(audience, nonce)| document.bound(audience, nonce));
            let age = signed_at.map(|at| now.0.div_euclid(1_000_000) - at);
            if !age.is_some_and(|age| (-60..=BINDING_AGE_S).contains(&age)) {
                return Ok(Err(Verdict::Unknown));
            }
        }
        let identifier = claims.get("identifier").and_then(Value::as_str);
        let key = Key::Identifier(identifier.unwrap_or_default().into());
        let Some(row) = self.opening.open(key).await?.licence else {
            return Ok(Err(Verdict::Unknown));
        };
        self.found_in(row, &claims, now).map(Ok)
    }
}

/// A verdict for people. That it was replaced is said, by which one is not: that is its holder's to
/// show.
pub(crate) fn words_of(verdict: Verdict, state: &str) -> Words {
    match verdict {
        Verdict::Revoked if state == State::Replaced.word() => Words::new(
            "已换发新证，本证失效",
            "replaced by a new one; this one counts no more",
        ),
        verdict => verdict.words(),
    }
}

/// The answer when nothing is shown.
pub(crate) fn nothing(verdict: Verdict, user: &User<'_>, now: Time) -> Verification {
    Verification {
        verdict,
        words: verdict.words(),
        as_of: now,
        identifier: None,
        title: None,
        issuer: None,
        grade: None,
        valid_from: None,
        valid_to: None,
        fields: vec![],
        missing: vec![],
        watermark: watermark(user, now),
    }
}

/// The answer. Dates, type and issuer for every licence that is sound; fields only while it counts.
pub(crate) fn answer(found: &Found, user: &User<'_>, now: Time) -> Verification {
    let mut answer = nothing(found.verdict, user, now);
    let Some(facts) = &found.facts else {
        return answer;
    };
    answer.words = words_of(found.verdict, &found.row.state);
    answer.identifier = Some(found.row.identifier.clone());
    answer.title = Some(facts.title.clone());
    answer.issuer = Some(facts.issuer.clone());
    answer.grade = Some(facts.grade);
    answer.valid_from = Some(facts.valid_from);
    answer.valid_to = facts.valid_to;
    if found.verdict == Verdict::Valid {
        answer.fields = facts.fields.clone();
    }
    answer
}
