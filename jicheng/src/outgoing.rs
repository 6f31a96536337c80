//! Outgoing: the one door through which the program speaks HTTP to somebody else's machine, so
//! that an address given by a person (a webhook, an OpenID client's key page) cannot make the city
//! fetch what only the city can reach. Every address is resolved first and each answer looked at;
//! the connection then goes to the address that was looked at and to no other; nothing is followed;
//! time and size are limited.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use kernel::Fault;
use kernel::fault::FaultKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// An answer holds at most so many bytes unless the caller says otherwise.
pub const ANSWER_LIMIT: usize = 1 << 20;
/// Everything from the name to the last byte takes at most so long.
pub const TIME_OUT: Duration = Duration::from_secs(10);

/// The door.
#[derive(Clone)]
pub struct Outgoing {
    allowed: Arc<Vec<Allowed>>,
    tls: Arc<ClientConfig>,
}

/// An inner address that the operator opened.
#[derive(Clone, Debug, PartialEq)]
enum Allowed {
    /// A network, such as `10.20.0.0/16` or one address.
    Network(IpAddr, u8),
    /// A host by name, any port or this one.
    Host(String, Option<u16>),
}

impl Allowed {
    fn parse(text: &str) -> Option<Allowed> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
            None => (text, None),
        };
        if let Ok(address) = address.trim_matches(['[', ']']).parse::<IpAddr>() {
            let whole = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.unwrap_or(whole);
            return (bits <= whole).then_some(Allowed::Network(address, bits));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        (bits.is_none() && !host.is_empty() && host.chars().all(fits))
            .then(|| Allowed::Host(host.to_ascii_lowercase(), port))
    }

    fn opens(&self, host: &str, port: u16, address: IpAddr) -> bool {
        match self {
            Allowed::Host(name, only) => {
                name == host && only.is_none_or(|p| p == port) && !is_metadata(address)
            }
            Allowed::Network(network, bits) => within(*network, *bits, address),
        }
    }
}

fn within(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(n), IpAddr::V4(a)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            n.to_bits() & mask == a.to_bits() & mask
        }
        (IpAddr::V6(n), IpAddr::V6(a)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            n.to_bits() & mask == a.to_bits() & mask
        }
        _ => false,
    }
}

/// The addresses under which clouds tell a machine its own secrets: no name opens them.
fn is_metadata(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(a) => a.is_link_local() || a == Ipv4Addr::new(100, 100, 100, 200),
        IpAddr::V6(a) => a.is_unicast_link_local() || a.segments()[..2] == [0xfd00, 0x0ec2],
    }
}

/// Why an address is not a public one; `None` for a public address.
pub fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(a) => not_public_v4(a),
        IpAddr::V6(a) => not_public_v6(a),
    }
}

fn not_public_v4(a: Ipv4Addr) -> Option<&'static str> {
    let [first, second, third, _] = a.octets();
    Some(match (first, second, third) {
        (0, ..) => "unspecified",
        (127, ..) => "loopback",
        (10, ..) | (192, 168, _) => "private",
        (172, 16..=31, _) => "private",
        (169, 254, _) => "link-local",
        (100, 64..=127, _) => "shared",
        (192, 0, 0) | (192, 31, 196) | (192, 52, 193) | (192, 175, 48) => "special",
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => "documentation",
        (192, 88, 99) => "relay",
        (198, 18..=19, _) => "benchmark",
        (224..=239, ..) => "multicast",
        (240..=255, ..) => "reserved",
        _ => return None,
    })
}

fn not_public_v6(a: Ipv6Addr) -> Option<&'static str> {
    let s = a.segments();
    // Addresses of the other family in disguise are judged as what they are.
    let inner = |high: u16, low: u16| {
        let bits = u32::from(high) << 16 | u32::from(low);
        not_public_v4(Ipv4Addr::from_bits(bits))
    };
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("loopback"),
        [0, 0, 0, 0, 0, 0xffff, high, low] => inner(high, low),
        [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => Some("embedded"),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inner(high, low),
        [0x64, 0xff9b, ..] => Some("embedded"),
        [0x2002, high, low, ..] => inner(high, low),
        [0x2001, 0, ..] => Some("tunnel"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some("documentation"),
        [0x2001, 0x2 | 0x10..=0x2f, ..] => Some("special"),
        [0xfc00..=0xfdff, ..] => Some("private"),
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        [0xfec0..=0xfeff, ..] => Some("private"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("reserved"),
    }
}

/// An address, looked at.
#[derive(Debug)]
struct Target {
    host: String,
    address: SocketAddr,
    secure: bool,
}

fn refused(zh: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Invalid, "outgoing.refused", zh, en)
}

fn failed(host: &str, cause: impl std::fmt::Display) -> Fault {
    let mut fault = Fault::new(
        FaultKind::Overloaded,
        "outgoing.failed",
        format!("对方系统没有正常应答（{host}）"),
        format!("{host} did not answer properly: {cause}"),
    );
    fault.retry_after_s = Some(60);
    fault
}

/// The root certificates other machines are judged by: those of the operating system and those of
/// a file (a city's own authority). Empty path: only the system's.
pub fn roots(file: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if !file.is_empty() {
        let fault = |e: &dyn std::fmt::Display| {
            format!("trusted_roots {file}: 无法读取 / cannot be read: {e}")
        };
        for certificate in CertificateDer::pem_file_iter(file).map_err(|e| fault(&e))? {
            let certificate = certificate.map_err(|e| fault(&e))?;
            roots.add(certificate).map_err(|e| fault(&e))?;
        }
    }
    Ok(roots)
}

impl Outgoing {
    /// A door that also opens these inner addresses (`outgoing_allow`: networks, addresses, names,
    /// `name:port`, with commas between) and trusts the certificates of this file as well.
    pub fn new(allow: &str, trusted_roots: &str) -> Result<Outgoing, String> {
        let mut allowed = vec![];
        for text in allow.split(',').map(str::trim).filter(|t| !t.is_empty()) {
            let fault = || format!("outgoing_allow: 无法理解 / cannot be understood: {text}");
            allowed.push(Allowed::parse(text).ok_or_else(fault)?);
        }
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .with_root_certificates(roots(trusted_roots)?)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Outgoing {
            allowed: Arc::new(allowed),
            tls: Arc::new(tls),
        })
    }

    /// Would this address be spoken to? Asked when somebody enters one, so that the fault comes
    /// at once and not with the first message.
    pub async fn check(&self, address: &str) -> Result<(), Fault> {
        let uri = address
            .parse::<Uri>()
            .map_err(|_| refused("网址格式不正确", "this is not a web address"))?;
        self.look_at(&uri).await.map(drop)
    }

    /// Sends a request and returns the whole answer, whatever its status: a redirection is an
    /// answer like any other and is not followed.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Fault> {
        self.send_within(request, ANSWER_LIMIT, TIME_OUT).await
    }

    /// The same with other limits.
    pub async fn send_within(
        &self,
        request: Request<Bytes>,
        answer_limit: usize,
        time_out: Duration,
    ) -> Result<Response<Bytes>, Fault> {
        let host = request.uri().host().unwrap_or("").to_string();
        match tokio::time::timeout(time_out, self.exchange(request, answer_limit)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(failed(&host, format!("no answer within {time_out:?}"))),
        }
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        answer_limit: usize,
    ) -> Result<Response<Bytes>, Fault> {
        let target = self.look_at(request.uri()).await?;
        let stream = TcpStream::connect(target.address)
            .await
            .map_err(|e| failed(&target.host, e))?;
        if !target.secure {
            return speak(&target.host, stream, request, answer_limit).await;
        }
        let name = ServerName::try_from(target.host.trim_matches(['[', ']']).to_string())
            .map_err(|e| failed(&target.host, e))?;
        let stream = TlsConnector::from(self.tls.clone())
            .connect(name, stream)
            .await
            .map_err(|e| failed(&target.host, e))?;
        speak(&target.host, stream, request, answer_limit).await
    }

    /// Resolves the name and judges every address it has: one bad address condemns the name,
    /// because the next question might be answered with that one.
    async fn look_at(&self, uri: &Uri) -> Result<Target, Fault> {
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => {
                return Err(refused(
                    "只支持 https 网址",
                    "only web addresses (https) can be called",
                ));
            }
        };
        let authority = uri.authority().map_or("", |a| a.as_str());
        if authority.contains('@') {
            return Err(refused(
                "网址中不能含有账号或口令",
                "an address must not carry an account or password",
            ));
        }
        let host = uri.host().unwrap_or("").to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let found = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
        let found: Vec<SocketAddr> = found.map_err(|e| failed(&host, e))?.take(32).collect();
        let mut inner = false;
        for address in &found {
            let opened = self
                .allowed
                .iter()
                .any(|a| a.opens(&host, port, address.ip()));
            inner |= opened;
            if let Some(kind) = not_public(address.ip()).filter(|_| !opened) {
                return Err(refused(
                    format!("{host} 指向内部或保留地址，不允许访问"),
                    format!("{host} is at a {kind} address, which may not be called"),
                ));
            }
        }
        if !secure && !inner {
            return Err(refused(
                format!("{host} 须使用 https"),
                format!("{host} must be called by https"),
            ));
        }
        let address = found.into_iter().next();
        let address = address.ok_or_else(|| failed(&host, "the name has no address"))?;
        Ok(Target {
            host,
            address,
            secure,
        })
    }
}

async fn speak(
    host: &str,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Bytes>,
    answer_limit: usize,
) -> Result<Response<Bytes>, Fault> {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().map(|a| a.as_str().to_string());
    let path = head.uri.path_and_query().map_or("/", |p| p.as_str());
    head.uri = path.parse().map_err(|e| failed(host, e))?;
    if let Some(value) = authority.and_then(|a| a.parse().ok()) {
        head.headers.insert(hyper::header::HOST, value);
    }
    head.headers
        .entry(hyper::header::USER_AGENT)
        .or_insert_with(|| hyper::header::HeaderValue::from_static("jicheng"));
    let request = Request::from_parts(head, Full::new(body));
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_headers(64)
        .max_buf_size(64 * 1024)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|e| failed(host, e))?;
    let connection = tokio::spawn(connection);
    let outcome = async {
        let answer = sender
            .send_request(request)
            .await
            .map_err(|e| failed(host, e))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, answer_limit).collect().await;
        let body = body.map_err(|e| failed(host, e))?.to_bytes();
        Ok(Response::from_parts(head, body))
    };
    let outcome = outcome.await;
    connection.abort();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses_are_known_in_every_disguise() {
        let inner = [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ];
        for text in inner {
            assert!(not_public(text.parse().unwrap()).is_some(), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.1.1",
            "2400:3200::1",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(not_public(text.parse().unwrap()), None, "{text}");
        }
    }

    #[tokio::test]
    async fn addresses_that_reach_inside_are_refused() {
        let door = Outgoing::new("", "").unwrap();
        let cases = [
            "https://127.0.0.1/",
            "https://localhost/",
            "https://[::1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::ffff:127.0.0.1]/",
            "https://10.0.0.1:9212/",
            "http://1.1.1.1/",
            "ftp://1.1.1.1/",
            "file:///etc/passwd",
            "https://user@1.1.1.1/",
            "gopher://127.0.0.1/",
            "https://1.1.1.1@127.0.0.1/",
            "//127.0.0.1/",
            "127.0.0.1:80",
            "",
            "javascript:alert(1)",
        ];
        for case in cases {
            let fault = door.check(case).await.expect_err(case);
            assert!(
                ["outgoing.refused", "outgoing.failed"].contains(&fault.code),
                "{case}: {fault}"
            );
        }
        assert!(door.check("https://1.1.1.1/").await.is_ok());
    }

    #[tokio::test]
    async fn the_operator_opens_single_networks_and_names() {
        let door = Outgoing::new("127.0.0.0/8, localhost:7", "").unwrap();
        assert!(door.check("http://127.0.0.1:1/").await.is_ok());
        assert!(door.check("https://10.0.0.1/").await.is_err());
        let named = Outgoing::new("localhost:7", "").unwrap();
        assert!(named.check("http://localhost:7/").await.is_ok());
        assert!(named.check("http://localhost:8/").await.is_err());
        for wrong in ["10.0.0.0/33", "a b", "x/8", ":80"] {
            assert!(Outgoing::new(wrong, "").is_err(), "{wrong}");
        }
        // A name never opens the secrets of the machine.
        assert!(!Allowed::parse("inside").unwrap().opens(
            "inside",
            80,
            "169.254.169.254".parse().unwrap()
        ));
    }

    async fn answering(text: String) -> SocketAddr {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(text.as_bytes()).await;
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        });
        address
    }

    fn get(address: SocketAddr) -> Request<Bytes> {
        Request::get(format!("http://{address}/"))
            .body(Bytes::new())
            .unwrap()
    }

    #[tokio::test]
    async fn redirections_are_not_followed_and_answers_are_bounded() {
        let door = Outgoing::new("127.0.0.1", "").unwrap();
        let moved =
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
        let answer = door.send(get(answering(moved.into()).await)).await.unwrap();
        assert_eq!(answer.status(), 302);

        let large = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{}",
            "x".repeat(5000)
        );
        let from = answering(large).await;
        assert!(door.send(get(from)).await.is_ok());
        let fault = door
            .send_within(get(from), 4999, TIME_OUT)
            .await
            .unwrap_err();
        assert_eq!(fault.code, "outgoing.failed");

        let silent = answering("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".into()).await;
        let begun = std::time::Instant::now();
        let fault = door
            .send_within(get(silent), 100, Duration::from_millis(300))
            .await
            .unwrap_err();
        assert_eq!(fault.code, "outgoing.failed");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}
