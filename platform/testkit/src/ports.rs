//! Ports for servers a test starts under an address it must know beforehand. A port found free by
//! trying may be handed to somebody else a moment later: by the system, to whoever connects or asks
//! for any port, or by another test. The ones here are set aside: a connection to the port was
//! opened and closed from its own side, and what is left of it (`TIME-WAIT`, a minute on Linux)
//! keeps the system from giving the port to anybody who does not ask for it by number.

use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// A port of this machine's loopback that only who asks for it by number gets within the next
/// minute, as servers do (`SO_REUSEADDR`).
pub fn free_port() -> u16 {
    set_aside().expect("a free port of the loopback")
}

fn set_aside() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let mut from = TcpStream::connect(address)?;
    let (here, _) = listener.accept()?;
    // Who closes first waits: it must be the port's own side.
    drop(here);
    from.read_to_end(&mut Vec::new())?;
    Ok(address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn nobody_is_given_a_port_set_aside() {
        let ports: HashSet<u16> = (0..500).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 500, "no port twice");
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = server.local_addr().unwrap();
        let mut open = vec![];
        for _ in 0..400 {
            let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            assert!(!ports.contains(&any.local_addr().unwrap().port()), "asked");
            let client = TcpStream::connect(address).unwrap();
            let of_client = client.local_addr().unwrap().port();
            assert!(!ports.contains(&of_client), "connected");
            open.push((any, client, server.accept().unwrap()));
        }
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("asked by its number");
        }
    }
}
