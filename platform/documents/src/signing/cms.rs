//! The CMS signature (RFC 5652) that stands in a PDF: made, and taken apart.

use super::der::{
    self, CONTENT_TYPE, DATA, INTEGER, MESSAGE_DIGEST, OCTETS, OID, Read, SEQUENCE, SET, SHA256,
    SHA384, SHA512, SIGNED_DATA, SIGNING_CERTIFICATE, algorithm, value,
};
use ring::digest;
use ring::signature as ring_signature;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What is signed: the attributes with the digest of the content (RFC 5652, 5.4), with the
/// certificate named (RFC 5035) so that another cannot be slipped under.
pub(super) fn attributes(content: &[u8; 32], certificate: &[u8]) -> Vec<u8> {
    let attribute = |oid: &[u8], of: &[u8]| {
        let values = value(SET, &[of]);
        value(SEQUENCE, &[&value(OID, &[oid]), &values])
    };
    let hash = digest::digest(&digest::SHA256, certificate);
    // The default algorithm of ESSCertIDv2 is SHA-256 and is left out.
    let id = value(SEQUENCE, &[&value(OCTETS, &[hash.as_ref()])]);
    let named = value(SEQUENCE, &[&value(SEQUENCE, &[&id])]);
    let mut all = [
        attribute(CONTENT_TYPE, &value(OID, &[DATA])),
        attribute(MESSAGE_DIGEST, &value(OCTETS, &[content])),
        attribute(SIGNING_CERTIFICATE, &named),
    ];
    // A SET OF in DER is in the order of its bytes.
    all.sort();
    let parts: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    value(SET, &parts)
}

/// r ‖ s as DER.
fn signature_der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    value(SEQUENCE, &[&der::integer(r), &der::integer(s)])
}

/// The signature with its certificates; `attributes` as they were signed, `signature` r ‖ s of
/// ECDSA with P-256 and SHA-256. `None` when the certificate cannot be read.
pub(super) fn signed_data(
    attributes: &[u8],
    signature: &[u8],
    certificate: &[u8],
    authority: &[u8],
) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let one = value(INTEGER, &[&[1]]);
    let serial = value(INTEGER, &[parsed.raw_serial()]);
    let signer = value(SEQUENCE, &[parsed.issuer().as_raw(), &serial]);
    let mut implicit = attributes.to_vec();
    *implicit.first_mut()? = 0xA0;
    let info = value(
        SEQUENCE,
        &[
            &one,
            &signer,
            &algorithm(SHA256),
            &implicit,
            &algorithm(der::ECDSA_SHA256),
            &value(OCTETS, &[&signature_der(signature)]),
        ],
    );
    let content = value(SEQUENCE, &[&value(OID, &[DATA])]);
    let data = value(
        SEQUENCE,
        &[
            &one,
            &value(SET, &[&algorithm(SHA256)]),
            &content,
            &value(0xA0, &[certificate, authority]),
            &value(SET, &[&info]),
        ],
    );
    let explicit = value(0xA0, &[&data]);
    Some(value(SEQUENCE, &[&value(OID, &[SIGNED_DATA]), &explicit]))
}

/// A signature taken apart.
pub(super) struct Parts<'a> {
    digest: &'a [u8],
    /// Signed attributes as they are signed: with the tag of a SET.
    attributes: Vec<u8>,
    algorithm: &'a [u8],
    signature: &'a [u8],
    /// The signer's certificate, DER.
    pub(super) certificate: &'a [u8],
}

/// What a look at the signature itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Good,
    Bad,
    Unknown,
}

/// Takes a signature apart; `None` when it is not of the form that is known: one signer, signed
/// attributes, the certificate inside.
pub(super) fn parts(mut bytes: &[u8]) -> Option<Parts<'_>> {
    let mut outer = der::expect(&mut bytes, SEQUENCE)?.content;
    // Behind it lies only what fills its place.
    if bytes.iter().any(|byte| *byte != 0) {
        return None;
    }
    if der::expect(&mut outer, OID)?.content != SIGNED_DATA {
        return None;
    }
    let mut explicit = der::expect(&mut outer, 0xA0)?.content;
    let mut data = der::expect(&mut explicit, SEQUENCE)?.content;
    der::expect(&mut data, INTEGER)?;
    der::expect(&mut data, SET)?;
    der::expect(&mut data, SEQUENCE)?;
    let mut next = der::next(&mut data)?;
    let mut certificates: &[u8] = &[];
    if next.tag == 0xA0 {
        certificates = next.content;
        next = der::next(&mut data)?;
    }
    if next.tag == 0xA1 {
        next = der::next(&mut data)?;
    }
    if next.tag != SET {
        return None;
    }
    let mut signers = next.content;
    let mut info = der::expect(&mut signers, SEQUENCE)?.content;
    if !signers.is_empty() {
        return None;
    }
    der::expect(&mut info, INTEGER)?;
    let signer = der::expect(&mut info, SEQUENCE)?;
    let mut digest = der::expect(&mut info, SEQUENCE)?.content;
    let attributes = der::expect(&mut info, 0xA0)?;
    let mut algorithm = der::expect(&mut info, SEQUENCE)?.content;
    let signature = der::expect(&mut info, OCTETS)?.content;
    let mut signed = attributes.whole.to_vec();
    *signed.first_mut()? = SET;
    Some(Parts {
        digest: der::expect(&mut digest, OID)?.content,
        attributes: signed,
        algorithm: der::expect(&mut algorithm, OID)?.content,
        signature,
        certificate: certificate_of(certificates, signer)?,
    })
}

/// The certificate whose issuer and serial these are.
fn certificate_of<'a>(mut certificates: &'a [u8], signer: Read<'_>) -> Option<&'a [u8]> {
    let mut signer = signer.content;
    let issuer = der::expect(&mut signer, SEQUENCE)?.whole;
    let serial = der::expect(&mut signer, INTEGER)?.content;
    while let Some(each) = der::next(&mut certificates) {
        let Ok((_, parsed)) = X509Certificate::from_der(each.whole) else {
            continue;
        };
        if parsed.issuer().as_raw() == issuer && parsed.raw_serial() == serial {
            return Some(each.whole);
        }
    }
    None
}

impl Parts<'_> {
    /// Is this the signature of the certificate's holder over this content? Given in two parts, as
    /// it surrounds the signature.
    pub(super) fn check(&self, content: [&[u8]; 2]) -> Outcome {
        let algorithm = match self.digest {
            SHA256 => &digest::SHA256,
            SHA384 => &digest::SHA384,
            SHA512 => &digest::SHA512,
            _ => return Outcome::Unknown,
        };
        let mut digest = digest::Context::new(algorithm);
        content.iter().for_each(|part| digest.update(part));
        let digest = digest.finish();
        if self.attribute(MESSAGE_DIGEST, OCTETS) != Some(digest.as_ref())
            || self.attribute(CONTENT_TYPE, OID) != Some(DATA)
            || !self.names_certificate()
        {
            return Outcome::Bad;
        }
        self.signature_holds()
    }

    /// The content of the one value of a signed attribute.
    fn attribute(&self, oid: &[u8], tag: u8) -> Option<&[u8]> {
        let mut attributes = self.attributes.as_slice();
        let mut attributes = der::expect(&mut attributes, SET)?.content;
        while let Some(each) = der::next(&mut attributes) {
            let mut each = each.content;
            if der::expect(&mut each, OID)?.content == oid {
                let mut values = der::expect(&mut each, SET)?.content;
                let found = der::expect(&mut values, tag)?.content;
                return values.is_empty().then_some(found);
            }
        }
        None
    }

    /// Does the signed name of the certificate, when there is one, name the one inside?
    fn names_certificate(&self) -> bool {
        let Some(mut named) = self.attribute(SIGNING_CERTIFICATE, SEQUENCE) else {
            return true;
        };
        let first = || -> Option<bool> {
            let mut ids = der::expect(&mut named, SEQUENCE)?.content;
            let mut id = der::expect(&mut ids, SEQUENCE)?.content;
            let mut first = der::next(&mut id)?;
            let mut algorithm = &digest::SHA256;
            if first.tag == SEQUENCE {
                let mut oid = first.content;
                algorithm = match der::expect(&mut oid, OID)?.content {
                    SHA256 => &digest::SHA256,
                    SHA384 => &digest::SHA384,
                    SHA512 => &digest::SHA512,
                    _ => return None,
                };
                first = der::next(&mut id)?;
            }
            let hash = digest::digest(algorithm, self.certificate);
            Some(first.tag == OCTETS && first.content == hash.as_ref())
        }();
        first.unwrap_or(false)
    }

    fn signature_holds(&self) -> Outcome {
        let Ok((_, certificate)) = X509Certificate::from_der(self.certificate) else {
            return Outcome::Unknown;
        };
        let key = certificate.public_key();
        // Words as in RFC 5754 and RFC 5758; RSA may be named alone, with the digest beside it.
        let rsa = key.algorithm.algorithm.to_id_string() == "1.2.840.113549.1.1.1";
        let point = key.subject_public_key.data.len();
        let verify: &dyn ring_signature::VerificationAlgorithm = match (rsa, self.digest, point) {
            (true, SHA256, _) => &ring_signature::RSA_PKCS1_2048_8192_SHA256,
            (true, SHA384, _) => &ring_signature::RSA_PKCS1_2048_8192_SHA384,
            (true, SHA512, _) => &ring_signature::RSA_PKCS1_2048_8192_SHA512,
            (false, SHA256, 65) => &ring_signature::ECDSA_P256_SHA256_ASN1,
            (false, SHA384, 65) => &ring_signature::ECDSA_P256_SHA384_ASN1,
            (false, SHA256, 97) => &ring_signature::ECDSA_P384_SHA256_ASN1,
            (false, SHA384, 97) => &ring_signature::ECDSA_P384_SHA384_ASN1,
            _ => return Outcome::Unknown,
        };
        // 1.2.840.113549.1.1.10 (PSS) signs otherwise.
        let pss = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A];
        if self.algorithm == pss {
            return Outcome::Unknown;
        }
        let public = ring_signature::UnparsedPublicKey::new(verify, &key.subject_public_key.data);
        match public.verify(&self.attributes, self.signature) {
            Ok(()) => Outcome::Good,
            Err(_) => Outcome::Bad,
        }
    }
}
