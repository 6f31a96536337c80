//! Certificates: the city's authority for letters, made once and kept with its key sealed, and one
//! certificate for each office under the key that signs. A certificate near its end, and one of
//! an office under a newer name or key, is followed by another; the earlier stay in what they
//! signed.

use kernel::crypto::{Crypto, PublicKey, Ring};
use kernel::documents::Office;
use kernel::fault::FaultKind;
use kernel::{Clock, Fault, Time};
use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SerialNumber, SignatureAlgorithm,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use store::audit::{self, AuditEntry};
use store::{Store, documents};

const COLLECTION: &str = "letter_certificates";
const CONTEXT: &[u8] = b"documents/authority-key";
/// Years the authority's certificate is valid.
const AUTHORITY_YEARS: i32 = 30;
/// Years an office's certificate is valid …
const OFFICE_YEARS: i32 = 5;
/// … and years before its end when another takes its place.
const SPARE_YEARS: i32 = 1;
/// Certificates kept in memory, at most.
const KNOWN: usize = 10_000;

/// Under what an office signs.
#[derive(Clone)]
pub(crate) struct Identity {
    /// The office's certificate, DER.
    pub(crate) certificate: Vec<u8>,
    /// The authority's, DER.
    pub(crate) authority: Vec<u8>,
    /// Identification of the key.
    pub(crate) key: String,
    /// Last year it is used in.
    last_year: i32,
}

/// The city's authority for letters.
pub(crate) struct Authority {
    store: Store,
    clock: Arc<dyn Clock>,
    crypto: Arc<dyn Crypto>,
    /// Its certificate, DER.
    pub(crate) certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
    known: Mutex<HashMap<String, Identity>>,
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| (b as char).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some((digit(*high)? * 16 + digit(*low)?) as u8),
            _ => None,
        })
        .collect()
}

fn failed(cause: impl std::fmt::Display) -> Fault {
    Fault::internal("making a certificate", cause)
}

fn name(common: &str, organisation: &str, code: Option<&str>) -> Result<DistinguishedName, Fault> {
    let mut name = DistinguishedName::new();
    let country = "CN".try_into().map_err(failed)?;
    name.push(DnType::CountryName, DnValue::PrintableString(country));
    name.push(DnType::OrganizationName, organisation);
    if let Some(code) = code {
        // organizationIdentifier (ETSI EN 319 412-1, 5.1.4): the unified social credit code.
        let identifier = DnType::CustomDnType(vec![2, 5, 4, 97]);
        name.push(identifier, format!("NTRCN-{code}"));
    }
    name.push(DnType::CommonName, common);
    Ok(name)
}

fn serial() -> SerialNumber {
    let mut bytes: [u8; 16] = rand::random();
    // Positive, and never shorter.
    bytes[0] = bytes[0] & 0x7F | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn authority_params(common: &str, organisation: &str) -> Result<CertificateParams, Fault> {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(common, organisation, None)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// The public half of the key that signs letters, as a certificate carries it.
struct Holder {
    point: Vec<u8>,
}

impl PublicKeyData for Holder {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }
    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

/// What is kept of the authority.
struct Kept {
    common: String,
    organisation: String,
    certificate: Vec<u8>,
    key: KeyPair,
}

impl Authority {
    /// Opens the authority, making it on the first start: `city` is its name for people.
    pub(crate) async fn open(
        store: &Store,
        clock: &Arc<dyn Clock>,
        crypto: &Arc<dyn Crypto>,
        city: &str,
    ) -> Result<Authority, Fault> {
        // Two processes may start at once: whoever comes second reads what the first one made.
        for _ in 0..2 {
            if let Some(kept) = read(store, crypto.as_ref()).await? {
                let params = authority_params(&kept.common, &kept.organisation)?;
                return Ok(Authority {
                    store: store.clone(),
                    clock: clock.clone(),
                    crypto: crypto.clone(),
                    certificate: kept.certificate,
                    issuer: Issuer::new(params, kept.key),
                    known: Mutex::default(),
                });
            }
            make(store, clock.now(), crypto.as_ref(), city).await?;
        }
        Err(failed("written twice"))
    }

    /// Under what an office signs now.
    pub(crate) async fn identity(&self, office: &Office) -> Result<Identity, Fault> {
        let keys = self.crypto.public_keys(Ring::Letters)?;
        let key = keys.into_iter().find(|key| key.current);
        let key = key.ok_or_else(|| failed("the ring has no key"))?;
        let now = self.clock.now();
        let year = i32::from(now.beijing_fields().0);
        let asked = json!([office.code, office.name, office.credit_code, key.key]).to_string();
        let place = hex(&Sha256::digest(asked));
        if let Some(known) = self.known.lock().get(&place)
            && known.last_year >= year
        {
            return Ok(known.clone());
        }
        let identity = self.kept_or_made(office, &key, now, year, &place).await?;
        let mut known = self.known.lock();
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(place, identity.clone());
        Ok(identity)
    }

    async fn kept_or_made(
        &self,
        office: &Office,
        key: &PublicKey,
        now: Time,
        year: i32,
        place: &str,
    ) -> Result<Identity, Fault> {
        let identity = |certificate: Vec<u8>, last_year: i32| Identity {
            certificate,
            authority: self.certificate.clone(),
            key: key.key.clone(),
            last_year,
        };
        for _ in 0..2 {
            let kept = self.store.documents().get(COLLECTION, place).await?;
            let version = kept.as_ref().map_or(0, |kept| kept.version);
            if let Some(kept) = kept {
                let last = kept.json["last_year"].as_i64().unwrap_or(0);
                let certificate = kept.json["certificate"].as_str().and_then(unhex);
                if let (Some(certificate), true) = (certificate, last >= i64::from(year)) {
                    return Ok(identity(certificate, last as i32));
                }
            }
            let certificate = self.certify(office, key, now, year)?;
            let last_year = year + OFFICE_YEARS - SPARE_YEARS;
            let document = json!({
                "office": office,
                "key": key.key,
                "certificate": hex(&certificate),
                "last_year": last_year,
            });
            let mut tx = self.store.begin().await?;
            let put = documents::put(&mut tx, COLLECTION, place, &document, Some(version)).await;
            match put {
                Ok(_) => {
                    let details =
                        json!({"what": "certificate", "office": office.code, "key": key.key});
                    audit::append(&mut tx, &entry(now, &office.code, details)).await?;
                    tx.commit().await?;
                    return Ok(identity(certificate, last_year));
                }
                Err(fault) if fault.kind == FaultKind::Conflict => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(failed("written twice"))
    }

    fn certify(
        &self,
        office: &Office,
        key: &PublicKey,
        now: Time,
        year: i32,
    ) -> Result<Vec<u8>, Fault> {
        let mut params = CertificateParams::default();
        let code = office.credit_code.as_deref();
        params.distinguished_name = name(&office.name, &office.name, code)?;
        params.serial_number = Some(serial());
        // From the 28th of the month before, so that no difference of zones or
        // clocks makes it too young.
        let (from, month) = match now.beijing_fields().1 {
            1 => (year - 1, 12),
            month => (year, month.unsigned_abs() - 1),
        };
        params.not_before = rcgen::date_time_ymd(from, month, 28);
        params.not_after = rcgen::date_time_ymd(from + OFFICE_YEARS, month, 28);
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::ContentCommitment,
        ];
        let point = [&[4], key.bytes.as_slice()].concat();
        let made = params.signed_by(&Holder { point }, &self.issuer);
        Ok(made.map_err(failed)?.der().to_vec())
    }

    /// Puts the authority's key under the newest key of the city; part of sealing anew.
    pub(crate) async fn reseal(&self) -> Result<(), Fault> {
        let Some(mut kept) = self.store.documents().get(COLLECTION, "authority").await? else {
            return Ok(());
        };
        let sealed = kept.json["sealed_key"].as_str().and_then(unhex);
        if sealed.is_some_and(|sealed| self.crypto.is_current(Ring::Secrets, &sealed)) {
            return Ok(());
        }
        let key = self.issuer.key().serialized_der();
        let sealed = self.crypto.seal(Ring::Secrets, CONTEXT, key)?;
        kept.json["sealed_key"] = hex(&sealed).into();
        let mut tx = self.store.begin().await?;
        let version = Some(kept.version);
        documents::put(&mut tx, COLLECTION, "authority", &kept.json, version).await?;
        tx.commit().await
    }
}

fn entry(at: Time, subject: &str, details: serde_json::Value) -> AuditEntry {
    AuditEntry {
        at,
        account: "system".into(),
        verb: "write".into(),
        object: "documents".into(),
        subject: subject.into(),
        purpose: String::new(),
        basis: String::new(),
        details,
        outcome: "done".into(),
    }
}

async fn read(store: &Store, crypto: &dyn Crypto) -> Result<Option<Kept>, Fault> {
    let Some(kept) = store.documents().get(COLLECTION, "authority").await? else {
        return Ok(None);
    };
    let form = || failed("what is kept has another form");
    let bytes = |field: &str| kept.json[field].as_str().and_then(unhex).ok_or_else(form);
    let words = |field: &str| kept.json[field].as_str().map(String::from).ok_or_else(form);
    let key = crypto.open(Ring::Secrets, CONTEXT, &bytes("sealed_key")?)?;
    Ok(Some(Kept {
        common: words("common")?,
        organisation: words("organisation")?,
        certificate: bytes("certificate")?,
        key: KeyPair::try_from(key.as_slice()).map_err(failed)?,
    }))
}

async fn make(store: &Store, now: Time, crypto: &dyn Crypto, city: &str) -> Result<(), Fault> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let common = format!("{city}电子公文签章根证书");
    let mut params = authority_params(&common, city)?;
    params.serial_number = Some(serial());
    let year = i32::from(now.beijing_fields().0);
    params.not_before = rcgen::date_time_ymd(year - 1, 12, 1);
    params.not_after = rcgen::date_time_ymd(year + AUTHORITY_YEARS, 12, 31);
    let certificate = params.self_signed(&key).map_err(failed)?;
    let document = json!({
        "common": common,
        "organisation": city,
        "certificate": hex(certificate.der()),
        "sealed_key": hex(&crypto.seal(Ring::Secrets, CONTEXT, key.serialized_der())?),
    });
    let mut tx = store.begin().await?;
    match documents::put(&mut tx, COLLECTION, "authority", &document, Some(0)).await {
        Ok(_) => {
            audit::append(
                &mut tx,
                &entry(now, "authority", json!({"what": "authority"})),
            )
            .await?;
            tx.commit().await
        }
        Err(fault) if fault.kind == FaultKind::Conflict => Ok(()),
        Err(fault) => Err(fault),
    }
}
