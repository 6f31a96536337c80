//! Ports for servers a test starts under an address it must know beforehand. The system hands out
//! the upper ones to whoever connects or asks for any port, so that one found free there may be
//! taken a moment later; the ones here lie below, where nobody is sent unasked.

use std::net::TcpListener;
use std::ops::Range;

/// Below Linux's own range (`net.ipv4.ip_local_port_range`, 32768 and up).
const PORTS: Range<u16> = 15_000..32_000;

/// A port of this machine's loopback that is free now, and that nobody else is given by chance but
/// another test with one chance in thousands.
pub fn free_port() -> u16 {
    loop {
        let port = rand::random_range(PORTS);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
