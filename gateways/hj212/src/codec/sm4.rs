//! Encrypted CP of HJ 212-2025 (§6.4.2): SM4 in ECB over blocks of sixteen characters, a shorter
//! remainder stays plain, and the check value is that of the plain frame. On the wire the cipher
//! is seen as raw bytes or as the text form `{0xE4,0x3E,…}tail`; both are read.

use sm4::Sm4;
use sm4::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

/// A key of sixteen bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(pub [u8; 16]);

impl Key {
    /// Reads a key written as 32 hexadecimal digits or as 16 characters.
    pub fn parse(text: &str) -> Option<Key> {
        if let Ok(key) = <[u8; 16]>::try_from(text.as_bytes()) {
            return Some(Key(key));
        }
        if text.len() != 32 {
            return None;
        }
        let mut key = [0; 16];
        for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Key(key))
    }

    /// Decrypts whole blocks in place; the remainder stays.
    pub fn decrypt(&self, bytes: &mut [u8]) {
        let cipher = Sm4::new(&Array(self.0));
        for block in bytes.chunks_exact_mut(16) {
            if let Ok(block) = <&mut Array<u8, _>>::try_from(block) {
                cipher.decrypt_block(block);
            }
        }
    }

    /// Encrypts whole blocks in place; the remainder stays.
    pub fn encrypt(&self, bytes: &mut [u8]) {
        let cipher = Sm4::new(&Array(self.0));
        for block in bytes.chunks_exact_mut(16) {
            if let Ok(block) = <&mut Array<u8, _>>::try_from(block) {
                cipher.encrypt_block(block);
            }
        }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Whether the contents of CP look encrypted: the text form, or bytes that are no text.
pub fn looks_encrypted(contents: &[u8]) -> bool {
    contents.starts_with(b"{0x")
        || contents.starts_with(b"{0X")
        || contents
            .iter()
            .any(|b| *b < 0x20 && !matches!(b, b'\t' | b'\r' | b'\n'))
        || std::str::from_utf8(contents).is_err()
}

/// The plain contents of CP; `None` when the text form is malformed.
pub fn decrypt_contents(contents: &[u8], key: &Key) -> Option<Vec<u8>> {
    let mut bytes = match contents.strip_prefix(b"{") {
        Some(listed) if listed.starts_with(b"0x") || listed.starts_with(b"0X") => {
            from_text_form(listed)?
        }
        _ => contents.to_vec(),
    };
    key.decrypt(&mut bytes);
    Some(bytes)
}

/// The text form of encrypted contents, as the standard prints it.
pub fn to_text_form(cipher: &[u8]) -> Vec<u8> {
    let whole = cipher.len() / 16 * 16;
    let listed: Vec<String> = cipher[..whole]
        .iter()
        .map(|b| format!("0x{b:02X}"))
        .collect();
    let mut text = format!("{{{}}}", listed.join(",")).into_bytes();
    text.extend_from_slice(&cipher[whole..]);
    text
}

fn from_text_form(listed: &[u8]) -> Option<Vec<u8>> {
    let close = listed.iter().position(|b| *b == b'}')?;
    let list = std::str::from_utf8(&listed[..close]).ok()?;
    let mut bytes = Vec::with_capacity(close / 5 + 16);
    for item in list.split(',') {
        let item = item.trim();
        let digits = item
            .strip_prefix("0x")
            .or_else(|| item.strip_prefix("0X"))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    if bytes.len() % 16 != 0 {
        return None;
    }
    bytes.extend_from_slice(&listed[close + 1..]);
    Some(bytes)
}
