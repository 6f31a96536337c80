//! Signed by whom, and untouched? The newest signature must cover the whole file but itself.

use super::cms::{self, Outcome};
use crate::pdf::scan::{Scan, scan};
use crate::pdf::{Dictionary, Object};
use kernel::Time;
use kernel::documents::PdfVerdict;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use x509_parser::prelude::{FromDer, X509Certificate};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) verdict: PdfVerdict,
    pub(crate) signer: Option<String>,
    pub(crate) signed_at: Option<Time>,
    /// Identifier of the licence it says it is a print of; believed only of a file that is valid.
    pub(crate) licence: Option<String>,
}

fn only(verdict: PdfVerdict) -> Checked {
    Checked {
        verdict,
        signer: None,
        signed_at: None,
        licence: None,
    }
}

/// Judges a PDF by the certificate of the city's authority.
pub(crate) fn check(bytes: &[u8], authority: &[u8]) -> Checked {
    if !bytes.starts_with(b"%PDF-") {
        return only(PdfVerdict::Unreadable);
    }
    let found = scan(bytes);
    if found.beyond || found.trailers.is_empty() {
        return only(PdfVerdict::Unreadable);
    }
    let Some((signature, range)) = newest(&found) else {
        return only(PdfVerdict::Unsigned);
    };
    let Some((content, made)) = parts_of(bytes, range) else {
        return only(PdfVerdict::Altered);
    };
    let Some(parts) = cms::parts(&made) else {
        return only(PdfVerdict::Uncheckable);
    };
    let signed_at = match signature.get("M") {
        Some(Object::Text(text)) => moment(text),
        _ => None,
    };
    let licence = match signature.get("XXLicence") {
        Some(Object::Text(text)) => String::from_utf8(text.clone()).ok(),
        _ => None,
    };
    let certificate = X509Certificate::from_der(parts.certificate).ok();
    let signer = certificate.as_ref().and_then(|(_, certificate)| {
        let mut names = certificate.subject().iter_common_name();
        let name = names.next().and_then(|name| name.as_str().ok());
        name.map(|name| name.chars().take(200).collect())
    });
    let verdict = match parts.check(content) {
        Outcome::Bad => PdfVerdict::Altered,
        Outcome::Unknown => PdfVerdict::Uncheckable,
        Outcome::Good => match certificate {
            Some((_, leaf)) if issued_by(&leaf, authority, signed_at) => PdfVerdict::Valid,
            _ => PdfVerdict::Foreign,
        },
    };
    Checked {
        verdict,
        signer,
        signed_at,
        licence,
    }
}

/// The signature whose range reaches furthest.
fn newest(found: &Scan) -> Option<(&Dictionary, [usize; 4])> {
    let dictionaries = found.all.iter().filter_map(Object::dictionary);
    let signatures = dictionaries.filter(|each| {
        each.get("Contents").is_some()
            && (each.get("Type").is_some_and(|kind| kind.is_name("Sig"))
                || each.get("SubFilter").is_some())
    });
    let ranged = signatures.map(|each| {
        let numbers = found.entry(each, "ByteRange").array().unwrap_or_default();
        let number = |n: usize| {
            let number = numbers.get(n).and_then(Object::integer);
            number.and_then(|n| usize::try_from(n).ok())
        };
        let whole = (numbers.len() == 4)
            .then(|| Some([number(0)?, number(1)?, number(2)?, number(3)?]))
            .flatten();
        // A range that cannot be read covers nothing, and is judged so.
        (each, whole.unwrap_or_default())
    });
    ranged.max_by_key(|(_, range)| range[2].saturating_add(range[3]))
}

/// What is signed, and the signature between its two parts. `None` when anything else lies there,
/// or the parts are not all of the file.
fn parts_of(
    bytes: &[u8],
    [from, length, second, rest]: [usize; 4],
) -> Option<([&[u8]; 2], Vec<u8>)> {
    if from != 0 || second < length || second.checked_add(rest)? != bytes.len() {
        return None;
    }
    let gap = bytes.get(length..second)?;
    let digits = gap.strip_prefix(b"<")?.strip_suffix(b">")?;
    let digit = |b: u8| (b as char).to_digit(16);
    let made: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| Some((digit(pair[0])? * 16 + digit(*pair.get(1)?)?) as u8))
        .collect();
    Some(([&bytes[..length], &bytes[second..]], made?))
}

/// Did the city's authority issue this certificate, and was it valid then?
fn issued_by(leaf: &X509Certificate<'_>, authority: &[u8], at: Option<Time>) -> bool {
    let Ok((_, authority)) = X509Certificate::from_der(authority) else {
        return false;
    };
    let key = &authority.public_key().subject_public_key.data;
    let holds = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key)
        .verify(leaf.tbs_certificate.as_ref(), &leaf.signature_value.data)
        .is_ok();
    let names = leaf.issuer().as_raw() == authority.subject().as_raw();
    let validity = leaf.validity();
    let then = at.map(|at| at.0.div_euclid(1_000_000));
    let valid = then.is_some_and(|then| {
        (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&then)
    });
    holds && names && valid
}

/// A moment as PDF writes it: `D:20261125100000+08'00'`.
fn moment(text: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(text).ok()?.strip_prefix("D:")?;
    let part = |from: usize, to: usize| text.get(from..to);
    let zone = text.get(14..).unwrap_or("Z").replace('\'', "");
    let zone = match zone.as_str() {
        "" | "Z" | "Z0000" => "Z".to_owned(),
        zone => format!("{}:{}", zone.get(..3)?, zone.get(3..5)?),
    };
    let written = format!(
        "{}-{}-{}T{}:{}:{}{zone}",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    Time::parse(&written)
}
