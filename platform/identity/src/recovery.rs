//! Recovery codes: ten, shown once and kept as hashes, each good for one sign-in when the phone
//! or the key is lost.

use crate::secrets;

/// Codes made at a time.
const CODES: usize = 10;
/// Letters of a code: 80 bits.
const LETTERS: usize = 16;
/// Crockford's base 32: nothing that is mistaken for something else.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// New codes, as they are shown.
pub(crate) fn new_codes() -> Vec<String> {
    (0..CODES).map(|_| new_code()).collect()
}

fn new_code() -> String {
    let bits: [u8; LETTERS] = rand::random();
    let letters: Vec<u8> = bits.iter().map(|b| ALPHABET[usize::from(b & 31)]).collect();
    let groups = letters.chunks(4).map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join("-")
}

/// What is kept of a code; `None` when it cannot be one.
pub(crate) fn hash(account: &str, typed: &str) -> Option<String> {
    if typed.len() > 64 {
        return None;
    }
    let mut plain = String::new();
    for letter in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        plain.push(match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        });
    }
    let sound = plain.len() == LETTERS && plain.bytes().all(|b| ALPHABET.contains(&b));
    sound.then(|| secrets::hash(&format!("recovery\0{account}\0{plain}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = new_code();
        assert_eq!(code.len(), LETTERS + 3);
        let expect = hash("liming", &code);
        assert!(expect.is_some());
        assert_eq!(
            hash("liming", &code.to_lowercase().replace('-', " ")),
            expect
        );
        assert_eq!(
            hash("liming", &code.replace('0', "o").replace('1', "l")),
            expect
        );
        assert_ne!(hash("wang", &code), expect);
        for wrong in ["", "ABCD", "UUUU-UUUU-UUUU-UUUU", &"A".repeat(70)] {
            assert_eq!(hash("liming", wrong), None, "{wrong}");
        }
        let mut codes = new_codes();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), CODES);
    }
}
