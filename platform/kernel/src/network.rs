//! Networks of addresses: what one household or office comes from, for whoever counts tries.

use std::net::IpAddr;

/// The network an IP address is in: itself for IPv4, also when it arrives mapped into IPv6; the first
/// 64 bits for IPv6, because one household or office has all of them. A text that is no address is
/// a network of its own.
pub fn network(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => format!("{:x?}", &v6.segments()[..4]),
        },
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, other: &str, same: bool) {
        assert_eq!(network(one) == network(other), same, "{one} {other}");
    }

    #[test]
    fn an_ipv4_address_is_a_network_and_so_are_64_bits_of_ipv6() {
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.1", "192.0.2.2", false);
        check("::ffff:192.0.2.1", "192.0.2.1", true);
        check("::ffff:c000:201", "::ffff:192.0.2.2", false);
        check("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true);
        check("2001:DB8:0:1::1", "2001:db8::1:0:0:0:9", true);
        check("2001:db8:0:1::1", "2001:db8:0:2::1", false);
        check("somewhere", "somewhere", true);
        check("somewhere", "", false);
    }
}
