//! Public keys of SM2 made ready for many signatures. A city's licences are signed by a handful of
//! keys and verified by the thousand a second: multiples of a key are worked out once, as the
//! library does for the curve's own base point, which leaves 130 additions and eight doublings of
//! the 256 doublings and 130 additions of one verification. The points and their arithmetic are
//! the library's. Everything here is public, so time may tell what was verified.

use parking_lot::Mutex;
use primeorder::{
    LookupTable, PrimeCurveParams, PrimeField, Radix16Decomposition, Radix16Digits,
    elliptic_curve::{
        Group,
        ops::{MulByGeneratorVartime, Reduce},
        point::AffineCoordinates,
    },
};
use sm2::dsa::Signature;
use sm2::{ProjectivePoint, PublicKey, Scalar, Sm2};
use sm3::{Digest, Sm3};
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

/// The identification SM2 signatures carry when nothing else was agreed (GM/T 0009).
pub(crate) const IDENTIFICATION: &str = "1234567812345678";

/// Keys kept ready, at most; each takes 26 kB.
const KEYS: usize = 32;

/// Bytes of a scalar; two windows of four bits each.
const BYTES: usize = 32;

type Digits = Radix16Decomposition<Radix16Digits<Sm2>>;

/// A public key with what every verification by it needs.
pub(crate) struct Ready {
    /// x ‖ y.
    public: [u8; 2 * BYTES],
    /// Z of GB/T 32918.2, 5.5: digest of the identification, the curve and the key.
    z: [u8; 32],
    /// Multiples 1 to 8 of the key times 256^i.
    tables: Vec<LookupTable<ProjectivePoint>>,
}

impl Ready {
    fn new(public: &[u8]) -> Option<Ready> {
        let public: [u8; 2 * BYTES] = public.try_into().ok()?;
        let point = PublicKey::from_sec1_bytes(&[&[4], &public[..]].concat()).ok()?;
        let mut multiple = point.to_projective();
        let mut tables = Vec::with_capacity(BYTES + 1);
        for _ in 0..=BYTES {
            tables.push(LookupTable::new(multiple));
            for _ in 0..8 {
                multiple = multiple.double();
            }
        }
        Some(Ready {
            public,
            z: identity(&public),
            tables,
        })
    }

    /// `k` times the key.
    fn times(&self, k: &Scalar) -> ProjectivePoint {
        let digits = Digits::new(k);
        let mut even = self.tables[BYTES].select_vartime(digits[2 * BYTES]);
        let mut odd = ProjectivePoint::IDENTITY;
        for (i, table) in self.tables[..BYTES].iter().enumerate() {
            odd += table.select_vartime(digits[2 * i + 1]);
            even += table.select_vartime(digits[2 * i]);
        }
        // Tables stand eight bits apart, digits four.
        for _ in 0..4 {
            odd = odd.double();
        }
        even + odd
    }

    /// Is this (r ‖ s) a signature of the message by this key? GB/T 32918.2, 7.1.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        // B1, B2: neither part is zero or beyond the order.
        let Ok(signature) = Signature::from_slice(signature) else {
            return false;
        };
        let (r, s) = (*signature.r(), *signature.s());
        // B3, B4.
        let e = Sm3::new().chain_update(self.z).chain_update(message);
        let e = Scalar::reduce(&e.finalize());
        // B5.
        let t = r + s;
        if bool::from(t.is_zero()) {
            return false;
        }
        // B6; the point at infinity has no x.
        let point = ProjectivePoint::mul_by_generator_vartime(&s) + self.times(&t);
        if bool::from(point.is_identity()) {
            return false;
        }
        // B7.
        r == e + Scalar::reduce(&point.to_affine().x())
    }
}

/// Z: ENTL ‖ ID ‖ a ‖ b ‖ x and y of the base point ‖ x and y of the key.
fn identity(public: &[u8; 2 * BYTES]) -> [u8; 32] {
    let (x, y) = Sm2::GENERATOR;
    let bits = 8 * IDENTIFICATION.len() as u16;
    Sm3::new()
        .chain_update(bits.to_be_bytes())
        .chain_update(IDENTIFICATION)
        .chain_update(Sm2::EQUATION_A.to_repr())
        .chain_update(Sm2::EQUATION_B.to_repr())
        .chain_update(x.to_repr())
        .chain_update(y.to_repr())
        .chain_update(public)
        .finalize()
        .into()
}

/// The keys used last, the latest first.
static LAST: LazyLock<Mutex<VecDeque<Arc<Ready>>>> = LazyLock::new(Mutex::default);

/// The key made ready, from the last ones used when it is among them; `None` when it is no point of
/// the curve.
pub(crate) fn ready(public: &[u8]) -> Option<Arc<Ready>> {
    {
        let mut last = LAST.lock();
        if let Some(at) = last.iter().position(|key| key.public == public) {
            let key = last.remove(at)?;
            last.push_front(key.clone());
            return Some(key);
        }
    }
    let key = Arc::new(Ready::new(public)?);
    let mut last = LAST.lock();
    last.push_front(key.clone());
    last.truncate(KEYS);
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sm2::dsa::signature::{Signer, Verifier};
    use sm2::dsa::{SigningKey, VerifyingKey};

    /// What the library says of it.
    fn by_library(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let point = [&[4], public].concat();
        let key = VerifyingKey::from_sec1_bytes(IDENTIFICATION, &point);
        let signature = Signature::from_slice(signature);
        matches!((key, signature), (Ok(key), Ok(s)) if key.verify(message, &s).is_ok())
    }

    fn check(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let ours = ready(public).is_some_and(|key| key.verifies(message, signature));
        assert_eq!(ours, by_library(public, message, signature));
        ours
    }

    fn key(secret: &[u8; 32]) -> Option<(SigningKey, Vec<u8>)> {
        let key = SigningKey::from_slice(IDENTIFICATION, secret).ok()?;
        let public = key.verifying_key().to_sec1_bytes()[1..].to_vec();
        Some((key, public))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn it_says_what_the_library_says(
            secret: [u8; 32], other: [u8; 32], message: Vec<u8>, at in 0_usize..64, bit in 0_u8..8,
        ) {
            let (Some((key, public)), Some((_, another))) = (key(&secret), key(&other)) else {
                return Ok(());
            };
            let signature: Signature = key.try_sign(&message).unwrap();
            let mut signature = signature.to_bytes().to_vec();
            prop_assert!(check(&public, &message, &signature));
            prop_assert!(!check(&another, &message, &signature));
            prop_assert!(!check(&public, &[&message[..], &[0]].concat(), &signature));
            let mut off = public.clone();
            off[at] ^= 1 << bit;
            prop_assert!(!check(&off, &message, &signature));
            signature[at] ^= 1 << bit;
            prop_assert!(!check(&public, &message, &signature));
        }

        #[test]
        fn multiples_are_those_of_the_library(secret: [u8; 32], wide: [u8; 32]) {
            let Some((_, public)) = key(&secret) else { return Ok(()) };
            let ready = ready(&public).unwrap();
            let point = PublicKey::from_sec1_bytes(&[&[4], &public[..]].concat()).unwrap();
            let random = <Scalar as Reduce<_>>::reduce(&sm2::FieldBytes::from(wide));
            for k in [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(0x88_u64), random] {
                prop_assert_eq!(ready.times(&k), point.to_projective() * k);
            }
        }
    }

    #[test]
    fn odd_signatures_are_none() {
        let (key, public) = key(&[7; 32]).unwrap();
        let signature: Signature = key.try_sign(b"m").unwrap();
        let (r, s) = (*signature.r(), *signature.s());
        let order = (-Scalar::ONE).to_repr();
        let joined = |r: &[u8], s: &[u8]| [r, s].concat();
        let [r_bytes, s_bytes] = [r.to_repr(), s.to_repr()];
        for bytes in [
            joined(&r_bytes, &[0; 32]),
            joined(&[0; 32], &s_bytes),
            joined(&r_bytes, &[255; 32]),
            joined(&[255; 32], &s_bytes),
            // t is zero.
            joined(&r_bytes, &(-r).to_repr()),
            joined(&(-s).to_repr(), &s_bytes),
            joined(&order, &order),
            joined(&r_bytes, &s_bytes[..31]),
            [&r_bytes[..], &s_bytes, &[0]].concat(),
            vec![],
        ] {
            assert!(!check(&public, b"m", &bytes), "{bytes:?}");
        }
        assert!(check(&public, b"m", &joined(&r_bytes, &s_bytes)));
        // Another key made of the signature so that the sum is the point at infinity: -s/t times
        // the base point.
        let t = r + s;
        let secret = -(s * t.invert().unwrap());
        let point = (ProjectivePoint::GENERATOR * secret).to_affine();
        let public = PublicKey::from_affine(point).unwrap().to_sec1_bytes()[1..].to_vec();
        assert!(!check(&public, b"m", &joined(&r_bytes, &s_bytes)));
    }

    #[test]
    fn no_more_keys_are_kept_than_said() {
        for n in 1..=100_u8 {
            let (key, public) = key(&[n; 32]).unwrap();
            let signature: Signature = key.try_sign(b"m").unwrap();
            assert!(
                ready(&public)
                    .unwrap()
                    .verifies(b"m", &signature.to_bytes())
            );
            assert!(LAST.lock().len() <= KEYS);
        }
    }
}
