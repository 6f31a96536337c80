//! SD-JWT (RFC 9901) as verifiable credentials (SD-JWT VC, `dc+sd-jwt`): a signed document whose
//! holder chooses which of its claims to disclose. Ours are flat: every field is a claim of its
//! own. Written here on the city's signer, because existing crates know no SM2; existing libraries
//! verify what it makes in the tests.

use crate::jose::{self, Token};
use kernel::crypto::Suite;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Type of the signed part.
pub const TYP: &str = "dc+sd-jwt";
/// Type of the part a holder signs.
pub const KEY_BINDING: &str = "kb+jwt";
/// Bytes of a document we look at, at most.
pub const LIMIT: usize = 64 * 1024;
/// Disclosures of one document, at most.
const DISCLOSURES: usize = 200;

/// Digests of disclosures, by the name in `_sd_alg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestOf {
    /// SHA-256.
    Sha256,
    /// SM3 (GB/T 32905); no registry names it yet.
    Sm3,
}

impl DigestOf {
    /// That of a suite.
    pub fn suite(suite: Suite) -> DigestOf {
        match suite {
            Suite::International => DigestOf::Sha256,
            Suite::National => DigestOf::Sm3,
        }
    }
    /// The name in documents.
    pub fn word(self) -> &'static str {
        match self {
            DigestOf::Sha256 => "sha-256",
            DigestOf::Sm3 => "sm3",
        }
    }
    fn parse(word: &str) -> Option<DigestOf> {
        [DigestOf::Sha256, DigestOf::Sm3]
            .into_iter()
            .find(|digest| digest.word() == word)
    }
    /// The digest of a text, as it stands in documents.
    pub fn of(self, text: &str) -> String {
        match self {
            DigestOf::Sha256 => jose::encode(Sha256::digest(text)),
            DigestOf::Sm3 => jose::encode(<sm3::Sm3 as sm3::Digest>::digest(text)),
        }
    }
}

/// Puts digests of the claims to be disclosed into the claims that are signed; answers the
/// disclosures by name. Their order in the document tells nothing.
pub fn conceal(
    claims: &mut Map<String, Value>,
    hidden: Vec<(String, Value)>,
    digest: DigestOf,
) -> Vec<(String, String)> {
    let mut digests = vec![];
    let mut disclosures = vec![];
    for (name, value) in hidden {
        let salt: [u8; 16] = rand::random();
        let text = jose::encode(json!([jose::encode(salt), name, value]).to_string());
        digests.push(digest.of(&text));
        disclosures.push((name, text));
    }
    digests.sort();
    claims.insert("_sd_alg".into(), digest.word().into());
    claims.insert("_sd".into(), digests.into());
    disclosures
}

/// A document in its parts, nothing of it believed yet.
pub struct Document<'a> {
    /// The part the issuer signed.
    pub(crate) issued: Token<'a>,
    disclosures: Vec<&'a str>,
    /// The part the holder signed, when there is one.
    pub(crate) binding: Option<Token<'a>>,
    /// Everything before that part: what its `sd_hash` is of.
    before_binding: &'a str,
}

/// Why the disclosures of a document do not fit what was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// A digest algorithm we do not know.
    Algorithm,
    /// A disclosure is none, or its digest is not in the document.
    Disclosure,
    /// Two disclosures of one claim, or of one that stands in the open.
    Twice,
}

impl<'a> Document<'a> {
    /// Reads a document; `None` for anything that is none.
    pub fn parse(text: &'a str) -> Option<Document<'a>> {
        let text = text.trim();
        if text.len() > LIMIT {
            return None;
        }
        let (before, last) = text.rsplit_once('~')?;
        let mut parts = before.split('~');
        let issued = Token::parse(parts.next()?)?;
        let disclosures: Vec<&str> = parts.collect();
        if disclosures.len() > DISCLOSURES {
            return None;
        }
        let binding = match last {
            "" => None,
            token => Some(Token::parse(token)?),
        };
        Some(Document {
            issued,
            disclosures,
            binding,
            before_binding: &text[..before.len() + 1],
        })
    }

    /// The claims as disclosed, `_sd` and `_sd_alg` taken away.
    pub fn claims(&self) -> Result<Map<String, Value>, Misfit> {
        let mut claims = self.issued.claims.as_object().cloned().unwrap_or_default();
        let digest = self.digest().ok_or(Misfit::Algorithm)?;
        let digests = claims.remove("_sd").unwrap_or_default();
        claims.remove("_sd_alg");
        let mut signed: BTreeMap<&str, bool> = BTreeMap::new();
        for each in digests.as_array().into_iter().flatten() {
            let text = each.as_str().ok_or(Misfit::Disclosure)?;
            if signed.insert(text, false).is_some() {
                return Err(Misfit::Twice);
            }
        }
        for text in &self.disclosures {
            let of = digest.of(text);
            match signed.get_mut(of.as_str()) {
                Some(seen) if !*seen => *seen = true,
                Some(_) => return Err(Misfit::Twice),
                None => return Err(Misfit::Disclosure),
            }
            let (name, value) = read_disclosure(text).ok_or(Misfit::Disclosure)?;
            if name.starts_with('_') || name == "..." || claims.contains_key(&name) {
                return Err(Misfit::Twice);
            }
            claims.insert(name, value);
        }
        Ok(claims)
    }

    fn digest(&self) -> Option<DigestOf> {
        match &self.issued.claims["_sd_alg"] {
            Value::Null => Some(DigestOf::Sha256),
            word => DigestOf::parse(word.as_str()?),
        }
    }

    /// Was it signed by the holder the document names, for this audience and nonce, and when?
    /// Seconds since 1970; `None` when it was not.
    pub(crate) fn bound(&self, audience: &str, nonce: &str) -> Option<i64> {
        let jwk = self.issued.claims.get("cnf")?.get("jwk")?;
        let binding = self.binding.as_ref()?;
        let hash = self.digest()?.of(self.before_binding);
        let fits = binding.typ() == KEY_BINDING
            && binding.text("aud") == audience
            && binding.text("nonce") == nonce
            && binding.text("sd_hash") == hash
            && binding.is_signed_by(jwk);
        binding.claims["iat"].as_i64().filter(|_| fits)
    }
}

fn read_disclosure(text: &str) -> Option<(String, Value)> {
    let bytes = jose::decode(text)?;
    let parts: Vec<Value> = serde_json::from_slice(&bytes).ok()?;
    match <[Value; 3]>::try_from(parts) {
        Ok([Value::String(_), Value::String(name), value]) => Some((name, value)),
        _ => None,
    }
}

/// A document with some of its disclosures, without a holder's signature.
pub fn compose<'a>(issued: &str, disclosures: impl Iterator<Item = &'a str>) -> String {
    let mut text = format!("{issued}~");
    for disclosure in disclosures {
        text.push_str(disclosure);
        text.push('~');
    }
    text
}
