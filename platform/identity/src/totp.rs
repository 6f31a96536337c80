//! One-time codes by the clock (RFC 6238): six digits every thirty seconds from a secret that an
//! application on the phone shares with the city. One step of clock skew either way is forgiven,
//! and no step is accepted twice.

use fast_qr::QRBuilder;
use fast_qr::convert::svg::SvgBuilder;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Seconds of a step.
const STEP_S: i64 = 30;
/// Digits of a code.
const DIGITS: u32 = 6;
/// Bytes of a secret: as long as the digest (RFC 4226, 4).
const SECRET_BYTES: usize = 20;
/// Steps of skew forgiven, each way.
const SKEW: i64 = 1;

/// A new secret.
pub(crate) fn secret() -> Vec<u8> {
    let bytes: [u8; SECRET_BYTES] = rand::random();
    bytes.to_vec()
}

/// The code of a step (RFC 4226, 5.3).
fn code(secret: &[u8], step: i64, digits: u32) -> Option<u32> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest.last()? & 0x0f);
    let part: [u8; 4] = digest.get(offset..offset + 4)?.try_into().ok()?;
    Some((u32::from_be_bytes(part) & 0x7fff_ffff) % 10_u32.pow(digits))
}

/// The step this code belongs to at an instant (microseconds UTC), when it is later than the last
/// one that was used.
pub(crate) fn matching_step(secret: &[u8], typed: &str, now: i64, last_used: i64) -> Option<i64> {
    let typed = digits(typed)?;
    let current = now.div_euclid(1_000_000).div_euclid(STEP_S);
    let mut found = None;
    for step in (current - SKEW)..=(current + SKEW) {
        // Every step is computed, so that the time does not tell which one it was.
        if code(secret, step, DIGITS) == Some(typed) && step > last_used {
            found = Some(step);
        }
    }
    found
}

/// Six digits, with whatever blanks people put between them.
fn digits(typed: &str) -> Option<u32> {
    let plain: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let sound = plain.len() == DIGITS as usize && plain.bytes().all(|b| b.is_ascii_digit());
    sound.then(|| plain.parse().ok()).flatten()
}

/// The secret as people type it (RFC 4648 base 32 without padding).
pub(crate) fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(LETTERS[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(LETTERS[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// The address an application reads from the QR code.
pub(crate) fn uri(issuer: &str, account: &str, secret: &[u8]) -> String {
    let escape = |text: &str| -> String {
        url::form_urlencoded::byte_serialize(text.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}",
        issuer = escape(issuer),
        account = escape(account),
        secret = base32(secret),
    )
}

/// The QR code of an address as SVG, black on white whatever the page looks like.
pub(crate) fn qr_svg(address: &str) -> Option<String> {
    let code = QRBuilder::new(address).build().ok()?;
    let image = SvgBuilder::default().to_str(&code);
    Some(image.replacen("<svg ", r#"<svg width="220" height="220" "#, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &[u8] = b"12345678901234567890";

    #[test]
    fn the_vectors_of_rfc_6238_come_out() {
        // Appendix B, the rows of SHA-1: seconds and the code of eight digits.
        for (seconds, expect) in [
            (59_i64, 94_287_082_u32),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            assert_eq!(code(RFC, seconds / 30, 8), Some(expect), "{seconds}");
            let six = format!("{:06}", expect % 1_000_000);
            let step = matching_step(RFC, &six, seconds * 1_000_000, -1);
            assert_eq!(step, Some(seconds / 30));
        }
    }

    #[test]
    fn one_step_of_skew_and_no_step_twice() {
        let random = || rand::random_range(0..4_000_000_000_i64);
        for _ in 0..500 {
            let (secret, seconds) = (secret(), random());
            let step = seconds / 30;
            let now = seconds * 1_000_000;
            let text = |step: i64| format!("{:06}", code(&secret, step, DIGITS).unwrap());
            for near in [step - 1, step, step + 1] {
                let found = matching_step(&secret, &text(near), now, -1);
                assert!(found.is_some(), "{seconds} {near}");
                let found = found.unwrap();
                assert_eq!(matching_step(&secret, &text(near), now, step + 1), None);
                assert!(found <= step + 1 && found >= step - 1);
            }
            for far in [step - 3, step + 3] {
                // One in 333,333 agrees by chance with one of three steps.
                let chance = [step - 1, step, step + 1].map(text).contains(&text(far));
                assert!(chance || matching_step(&secret, &text(far), now, -1).is_none());
            }
        }
    }

    #[test]
    fn only_six_digits_are_a_code() {
        for wrong in [
            "",
            "12345",
            "1234567",
            "12345a",
            "-12345",
            "１２３４５６",
            "+12345",
        ] {
            assert_eq!(digits(wrong), None, "{wrong}");
        }
        assert_eq!(digits(" 012 345 "), Some(12_345));
    }

    #[test]
    fn secrets_are_written_for_applications() {
        // RFC 4648, 10.
        for (plain, expect) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), expect);
        }
        let address = uri("冀城 Jicheng", "liming", RFC);
        assert!(address.starts_with("otpauth://totp/%E5%86%80%E5%9F%8E%20Jicheng:liming?secret="));
        assert!(qr_svg(&address).unwrap().contains("<svg"));
    }
}
