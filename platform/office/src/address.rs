//! Addresses of e-mail: which are taken, and what of them an operator sees.

/// An address as it is sent to: `local@domain`, 254 characters of ASCII at most, nothing that could
/// end a header or name a second recipient. Narrower than RFC 5321: no quoted local parts.
pub(crate) fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let in_local = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&b);
    let dots = |part: &str| part.starts_with('.') || part.ends_with('.') || part.contains("..");
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let sound = text.len() <= 254
        && (1..=64).contains(&local.len())
        && local.bytes().all(in_local)
        && !dots(local)
        && domain.contains('.')
        && domain.split('.').all(label);
    sound.then(|| format!("{local}@{}", domain.to_ascii_lowercase()))
}

/// `z***@example.cn`.
pub(crate) fn mask_email(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let first: String = local.chars().take(1).collect();
            format!("{first}***@{domain}")
        }
        None => "***".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_carry_a_second_header_or_recipient_is_no_address() {
        for (text, sound) in [
            ("zhang.san+a@example.cn", true),
            (" a@b.cn ", true),
            ("a@b.cn\r\nBcc: c@d.cn", false),
            ("a@b.cn,c@d.cn", false),
            ("a@b.cn c@d.cn", false),
            ("<a@b.cn>", false),
            ("\"a b\"@b.cn", false),
            ("张三@example.cn", false),
            ("a@b", false),
            ("a@-b.cn", false),
            (".a@b.cn", false),
            ("a..b@b.cn", false),
            ("@b.cn", false),
            ("a@", false),
            ("a\0@b.cn", false),
        ] {
            assert_eq!(email(text).is_some(), sound, "{text:?}");
        }
        assert_eq!(mask_email("zhang@example.cn"), "z***@example.cn");
    }
}
