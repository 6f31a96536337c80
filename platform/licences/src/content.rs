//! Content: the elements of a licence as they are signed (GB/T 36903), and what is made of them.

use crate::Engine;
use crate::canonical::canonical;
use kernel::crypto::{Algorithm, Ring, Signature};
use kernel::licences::{
    Grade, HOLDER_NAME, HOLDER_NUMBER, Holder, Licence, LicenceType, NUMBER, ShownField, State,
    Verdict,
};
use kernel::{Fault, Time, Words};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::licences::LicenceRow;

/// What is signed. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) identifier: String,
    pub(crate) licence_type: String,
    pub(crate) title: Words,
    pub(crate) number: String,
    pub(crate) holder: Holder,
    pub(crate) fields: Map<String, Value>,
    pub(crate) issuing_authority: Words,
    pub(crate) issuing_authority_code: String,
    pub(crate) issued_at: Time,
    pub(crate) valid_from: Time,
    pub(crate) valid_to: Option<Time>,
    pub(crate) grade: Grade,
    pub(crate) replaces: Option<String>,
}

impl Content {
    /// The bytes that are signed.
    pub(crate) fn canonical(&self) -> Result<Vec<u8>, Fault> {
        let value = serde_json::to_value(self);
        let value = value.map_err(|e| Fault::internal("writing a licence", e))?;
        Ok(canonical(&value).into_bytes())
    }

    /// Value of a field, or of an element every licence has.
    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        match name {
            HOLDER_NAME => Some(self.holder.name.clone().into()),
            HOLDER_NUMBER => Some(self.holder.number.clone().into()),
            NUMBER => Some(self.number.clone().into()),
            _ => self.fields.get(name).cloned(),
        }
    }

    /// These fields as a verifier sees them; those without a value are left out.
    pub(crate) fn shown(&self, kind: &LicenceType, names: &[String]) -> Vec<ShownField> {
        let show = |name: &String| {
            Some(ShownField {
                name: name.clone(),
                title: kind.decl.title_of(name)?,
                value: self.value(name)?,
            })
        };
        names.iter().filter_map(show).collect()
    }
}

/// Place a content is sealed for.
pub(crate) fn place(id: &str) -> String {
    format!("licences/{id}")
}

/// Where a licence stands at an instant. What is over for good is said first, then its dates.
pub(crate) fn verdict(state: State, from: Time, to: Option<Time>, now: Time) -> Verdict {
    if state.is_final() {
        Verdict::Revoked
    } else if to.is_some_and(|to| now >= to) {
        Verdict::Expired
    } else if state == State::Suspended {
        Verdict::Suspended
    } else if now < from {
        Verdict::NotYetValid
    } else {
        Verdict::Valid
    }
}

/// The state of a row.
pub(crate) fn state_of(row: &LicenceRow) -> Result<State, Fault> {
    State::parse(&row.state).ok_or_else(|| Fault::internal("reading a licence", "its state"))
}

impl Engine {
    /// The signed bytes of a licence, `None` when they cannot be opened any more or are not what
    /// was signed: somebody altered the row.
    pub(crate) fn content(&self, row: &LicenceRow) -> Result<Option<Content>, Fault> {
        let opened = self.sealing.open_bytes(&place(&row.id), &row.sealed);
        let bytes = match opened {
            Ok(bytes) => bytes,
            Err(fault) if fault.code == "crypto.not_opened" => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let Some(algorithm) = Algorithm::parse(&row.algorithm) else {
            return Ok(None);
        };
        let signature = Signature {
            key: row.signed_by.clone(),
            algorithm,
            bytes: row.signature.clone(),
        };
        if !self.crypto().verify(Ring::Seal, &bytes, &signature)? {
            return Ok(None);
        }
        let content: Option<Content> = serde_json::from_slice(&bytes).ok();
        // The columns must say what was signed; they decide nothing themselves.
        Ok(content.filter(|content| {
            content.identifier == row.identifier
                && content.valid_from.0 == row.valid_from
                && content.valid_to.map(|to| to.0) == row.valid_to
                && content.replaces == row.replaces
        }))
    }

    /// The content of a licence that must be sound.
    pub(crate) fn sound_content(&self, row: &LicenceRow) -> Result<Content, Fault> {
        let altered = || Fault::internal("reading a licence", "it is not what was signed");
        self.content(row)?.ok_or_else(altered)
    }

    /// A licence as others see it.
    pub(crate) fn licence(&self, row: &LicenceRow, content: Content) -> Result<Licence, Fault> {
        let state = state_of(row)?;
        let now = self.clock.now();
        let codes = &self.settings.state_codes;
        let over = verdict(state, content.valid_from, content.valid_to, now) == Verdict::Expired;
        let code = if over {
            Some(&codes.expired)
        } else {
            codes.of.get(state.word())
        };
        Ok(Licence {
            identifier: content.identifier,
            kind: row.kind.clone(),
            title: content.title,
            number: content.number,
            holder: content.holder,
            fields: content.fields,
            issuer: content.issuing_authority,
            issuer_code: content.issuing_authority_code,
            issued_at: content.issued_at,
            valid_from: content.valid_from,
            valid_to: content.valid_to,
            grade: content.grade,
            state,
            state_code: code.cloned().unwrap_or_default(),
            reason: row.reason.clone(),
            replaces: content.replaces,
            replaced_by: row.replaced_by.clone(),
            version: row.version,
        })
    }
}
