//! Public keys of SM2 made ready for many signatures. A city's licences are signed by a handful of
//! keys and verified by the thousand a second: once a key comes back, its multiples are worked out,
//! as those of the curve's base point are at the first signature, which leaves 65 additions of the
//! 256 doublings and 130 additions of one verification. The points and their arithmetic are the
//! library's. Everything here is public, so time may tell what was verified.

use parking_lot::Mutex;
use primeorder::{
    PrimeCurveParams, PrimeField,
    elliptic_curve::{CurveGroup, Group, ops::Reduce, point::AffineCoordinates},
};
use sm2::dsa::Signature;
use sm2::{AffinePoint, ProjectivePoint, PublicKey, Scalar, Sm2};
use sm3::{Digest, Sm3};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

/// The identification SM2 signatures carry when nothing else was agreed (GM/T 0009).
pub(crate) const IDENTIFICATION: &str = "1234567812345678";

/// Keys kept, at most; each takes 0.3 MB once its multiples are worked out.
const KEYS: usize = 32;

/// Signatures after which the multiples of a key are worked out, which takes 5 ms, as long as twenty
/// signatures without them: a stranger's key that comes once is not worth it.
const WORTH: u32 = 100;

/// Bytes of a scalar.
const BYTES: usize = 32;

/// Multiples of one power of 256; digits go from -127 to 128.
const HALF: usize = 128;

/// Multiples of a point: 1 to 128 times 256^i times it, for each digit of a scalar and the carry.
struct Multiples(Vec<AffinePoint>);

impl Multiples {
    fn new(point: ProjectivePoint) -> Multiples {
        let mut first = point;
        let mut points = Vec::with_capacity((BYTES + 1) * HALF);
        for _ in 0..=BYTES {
            let mut multiple = first;
            for _ in 0..HALF {
                points.push(multiple);
                multiple += first;
            }
            // 128 times, doubled.
            first = (multiple - first).double();
        }
        let mut affine = vec![AffinePoint::IDENTITY; points.len()];
        ProjectivePoint::batch_normalize(&points, &mut affine);
        Multiples(affine)
    }

    /// The sum and `k` times the point.
    fn add_times(&self, mut sum: ProjectivePoint, k: &Scalar) -> ProjectivePoint {
        let mut carry = 0;
        let digits = k.to_repr();
        let lowest_first = digits.iter().rev().copied().chain([0]);
        for (digit, multiples) in lowest_first.zip(self.0.chunks(HALF)) {
            let digit = usize::from(digit) + carry;
            carry = usize::from(digit > HALF);
            // 256 less is one more of the next.
            let (n, less) = match carry {
                1 => (2 * HALF - digit, true),
                _ => (digit, false),
            };
            let multiple = n.checked_sub(1).and_then(|at| multiples.get(at));
            match multiple {
                Some(multiple) if less => sum -= multiple,
                Some(multiple) => sum += multiple,
                None => {}
            }
        }
        sum
    }
}

/// Multiples of the base point.
static BASE: LazyLock<Multiples> = LazyLock::new(|| Multiples::new(ProjectivePoint::GENERATOR));

/// A public key with what every verification by it needs.
pub(crate) struct Ready {
    /// x ‖ y.
    public: [u8; 2 * BYTES],
    point: ProjectivePoint,
    /// Z of GB/T 32918.2, 5.5: digest of the identification, the curve and the key.
    z: [u8; 32],
    /// Signatures verified.
    verified: AtomicU32,
    multiples: OnceLock<Multiples>,
}

impl Ready {
    fn new(public: &[u8]) -> Option<Ready> {
        let public: [u8; 2 * BYTES] = public.try_into().ok()?;
        let point = PublicKey::from_sec1_bytes(&[&[4], &public[..]].concat()).ok()?;
        Some(Ready {
            public,
            point: point.to_projective(),
            z: identity(&public),
            verified: AtomicU32::new(0),
            multiples: OnceLock::new(),
        })
    }

    /// `s` times the base point and `t` times the key.
    fn sum(&self, s: &Scalar, t: &Scalar) -> ProjectivePoint {
        let sum = BASE.add_times(ProjectivePoint::IDENTITY, s);
        if let Some(multiples) = self.multiples.get() {
            return multiples.add_times(sum, t);
        }
        if self.verified.fetch_add(1, Ordering::Relaxed) >= WORTH {
            let multiples = self.multiples.get_or_init(|| Multiples::new(self.point));
            return multiples.add_times(sum, t);
        }
        sum + self.point.mul_vartime(t)
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
        let point = self.sum(&s, &t);
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
            let point = PublicKey::from_sec1_bytes(&[&[4], &public[..]].concat()).unwrap();
            let point = point.to_projective();
            let multiples = Multiples::new(point);
            let random = <Scalar as Reduce<_>>::reduce(&sm2::FieldBytes::from(wide));
            let edges = [0x7f_u64, 0x80, 0x81, 0xff, 0x100, 0x8080].map(Scalar::from);
            for k in [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, random].iter().chain(&edges) {
                let times = multiples.add_times(ProjectivePoint::IDENTITY, k);
                prop_assert_eq!(times, point * k);
                let base = BASE.add_times(point, k);
                prop_assert_eq!(base, ProjectivePoint::GENERATOR * k + point);
            }
        }
    }

    /// Both ways of a key say the same, a wrong signature is wrong in both.
    #[test]
    fn a_key_that_comes_back_says_the_same() {
        let (key, public) = key(&[5; 32]).unwrap();
        let ready = Ready::new(&public).unwrap();
        for n in 0..WORTH + 50 {
            let message = n.to_be_bytes();
            let signature: Signature = key.try_sign(&message).unwrap();
            let signature = signature.to_bytes();
            assert_eq!(ready.multiples.get().is_some(), n > WORTH / 2, "{n}");
            assert!(ready.verifies(&message, &signature));
            assert!(!ready.verifies(&[message, [0; 4]].concat(), &signature));
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
