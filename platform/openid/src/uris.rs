//! Addresses an application registers. What is registered is strict, because what is sent later is
//! compared byte for byte with it: no pattern, no prefix, no "same host".

use url::{Host, Url};

/// Bytes of an address, at most.
pub(crate) const URI_LIMIT: usize = 1000;

/// Is this host the machine itself, said as an address (RFC 8252 7.3) or by its name?
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Why an address cannot be registered as one a browser is sent to, in Chinese and English.
pub(crate) fn fault_of_redirect(text: &str) -> Option<(&'static str, &'static str)> {
    if text.len() > URI_LIMIT {
        return Some(("地址过长", "the address is too long"));
    }
    if !text.is_ascii() || text.contains(|c: char| c.is_ascii_whitespace() || c.is_control()) {
        return Some((
            "地址只能含 ASCII 可见字符",
            "an address has visible ASCII characters only",
        ));
    }
    if text.contains(['*', '\\', '#']) {
        return Some((
            "地址不能含通配符、反斜线或片段（#）",
            "an address has no wildcard, backslash or fragment",
        ));
    }
    let Ok(url) = Url::parse(text) else {
        return Some(("不是有效的地址", "this is not an address"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some(("地址不能含用户名", "an address names no user"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        // Applications on telephones: a scheme in reverse domain order (RFC 8252 7.1).
        scheme if scheme.contains('.') && url.host().is_none() => return None,
        _ => {
            return Some((
                "须为 https（本机调试可用 http）",
                "expected https (http only on the machine itself)",
            ));
        }
    }
    // What a parser would change (`..`, capital hosts, default ports) is ambiguous.
    let plain = url.as_str();
    let same = plain == text || plain == format!("{text}/");
    (!same).then_some((
        "地址须为规范写法（小写主机名，无 .. 与默认端口）",
        "write the address in its plain form (host in small letters, no .. and no default port)",
    ))
}

/// Why an address cannot be registered as one we call ourselves.
pub(crate) fn fault_of_call(text: &str) -> Option<(&'static str, &'static str)> {
    let fault = fault_of_redirect(text);
    let web = text.starts_with("https://") || text.starts_with("http://");
    if fault.is_none() && !web {
        return Some(("须为 https", "expected https"));
    }
    fault
}

/// Host of an address, for sectors.
pub(crate) fn host(text: &str) -> Option<String> {
    Url::parse(text).ok()?.host_str().map(String::from)
}

/// Parameters as a form.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// An address with parameters added.
pub(crate) fn with(address: &str, pairs: &[(&str, &str)]) -> String {
    let query = form(pairs);
    let sign = if address.contains('?') { '&' } else { '?' };
    format!("{address}{sign}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_can_be_registered() {
        let check = |text: &str, good: bool| {
            let fault = fault_of_redirect(text);
            assert_eq!(fault.is_none(), good, "{text}: {fault:?}");
        };
        check("https://app.example/callback", true);
        check("https://app.example/callback?tenant=1", true);
        check("https://app.example", true);
        check("https://app.example:8443/cb", true);
        check("http://127.0.0.1:4000/cb", true);
        check("http://[::1]:4000/cb", true);
        check("http://localhost:4000/cb", true);
        check("cn.gov.sjz.app:/callback", true);
        check("http://app.example/callback", false);
        check("http://localhost.evil.example/cb", false);
        check("http://127.0.0.1.evil.example/cb", false);
        check("https://app.example/callback#x", false);
        check("https://*.example/callback", false);
        check("https://user@app.example/callback", false);
        check("https://APP.example/callback", false);
        check("https://app.example:443/callback", false);
        check("https://app.example/a/../b", false);
        check("https://app.example\\@evil.example/", false);
        check("javascript:alert(1)", false);
        check("data:text/html,x", false);
        check("//app.example/cb", false);
        check("/cb", false);
        check("https://app.example/ cb", false);
        check("https://应用.example/cb", false);
    }
}
