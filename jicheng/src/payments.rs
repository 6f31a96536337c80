//! Payments: what a payment service signs its notices with. The service itself is the city's; a
//! notice counts only with the right signature over everything it says.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Is `signature` (hexadecimal) the HMAC-SHA256 of the text under the secret?
pub fn is_signed(secret: &str, text: &str, signature: &str) -> bool {
    let Some(given) = bytes(signature) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(text.as_bytes());
    mac.verify_slice(&given).is_ok()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    let read = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|t| t.len() == 2)?;
        u8::from_str_radix(text, 16).ok()
    };
    pairs.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::is_signed;

    #[test]
    fn only_the_right_signature_counts() {
        // RFC 4231, test case 2.
        let right = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let text = "what do ya want for nothing?";
        assert!(is_signed("Jefe", text, right));
        for wrong in ["", "5b", "zz", &right[..62], &right.replace('5', "6")] {
            assert!(!is_signed("Jefe", text, wrong), "{wrong}");
        }
        assert!(!is_signed("Jefe", "what do ya want", right));
    }
}
