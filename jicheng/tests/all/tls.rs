//! TLS of the web: versions, a certificate changed while the city runs, programs that show one of
//! their own, the plain listener beside it, and a certificate by ACME from a real server (Pebble,
//! Let's Encrypt's own for tests).

use crate::city::{PASSWORD, TestCity, parse};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::free_port;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const NAME: &str = "city.example.cn";

/// An authority of our own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = CertificateParams::new(vec![]).expect("parameters");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let made = parameters.self_signed(&key).expect("a certificate");
        Authority {
            certificate: made.der().clone(),
            pem: made.pem(),
            issuer: Issuer::new(parameters, key),
        }
    }

    /// A certificate and its key, as PEM.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new(vec![name.to_string()]).expect("parameters");
        let made = parameters
            .signed_by(&key, &self.issuer)
            .expect("a certificate");
        (made.pem(), key.serialize_pem())
    }

    fn client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        own: Option<(String, String)>,
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots);
        match own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = CertificateDer::pem_slice_iter(certificate.as_bytes());
                let chain = chain.collect::<Result<Vec<_>, _>>().expect("a chain");
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
                builder.with_client_auth_cert(chain, key).expect("a client")
            }
        }
    }
}

/// One request over TLS: the answer and the certificate that was shown.
async fn ask(
    address: SocketAddr,
    client: ClientConfig,
    request: &str,
) -> std::io::Result<(crate::city::Answer, Vec<u8>)> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(NAME).expect("a name");
    let mut stream = TlsConnector::from(Arc::new(client))
        .connect(name, stream)
        .await?;
    let shown = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|c| c.first());
    let shown = shown.map(|c| c.to_vec()).unwrap_or_default();
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = vec![];
    stream.read_to_end(&mut bytes).await?;
    Ok((parse(&String::from_utf8_lossy(&bytes)), shown))
}

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {NAME}\r\nconnection: close\r\n{more}\r\n")
}

fn put(folder: &Path, (certificate, key): &(String, String)) -> [String; 2] {
    let files = ["certificate.pem", "key.pem"].map(|n| folder.join(n));
    std::fs::write(&files[0], certificate).expect("write");
    std::fs::write(&files[1], key).expect("write");
    files.map(|f| f.display().to_string())
}

const BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

#[tokio::test(flavor = "multi_thread")]
async fn the_web_speaks_tls_and_changes_its_certificate_without_a_restart() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().expect("a folder");
    let first = authority.issue(NAME);
    let [certificate, key] = put(folder.path(), &first);
    let city = TestCity::start_with(&[
        ("tls_certificate", &certificate),
        ("tls_key", &key),
        ("public_url", "https://city.example.cn"),
        ("http_redirect", "127.0.0.1:0"),
    ])
    .await;
    let address = city.running.http.expect("http");
    for versions in [&BOTH[..1], &BOTH[1..]] {
        let client = authority.client(versions, None);
        let (answer, _) = ask(address, client, &get("/api/v1/city", ""))
            .await
            .expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text);
        let strict = answer.header("strict-transport-security").unwrap_or("");
        assert!(strict.starts_with("max-age=31536000"), "{strict}");
    }
    // Nothing older than TLS 1.2, and no plain HTTP.
    for arguments in [&["-tls1"][..], &["-tls1_1"]] {
        let done = std::process::Command::new("openssl")
            .args([
                "s_client",
                "-connect",
                &address.to_string(),
                "-cipher",
                "ALL:@SECLEVEL=0",
            ])
            .args(arguments)
            .stdin(std::process::Stdio::null())
            .output()
            .expect("openssl");
        assert!(!done.status.success(), "{arguments:?} was accepted");
    }
    let mut plain = TcpStream::connect(address).await.expect("connect");
    plain
        .write_all(get("/health", "").as_bytes())
        .await
        .expect("write");
    let mut bytes = vec![];
    let _ = plain.read_to_end(&mut bytes).await;
    assert!(!String::from_utf8_lossy(&bytes).contains("200 OK"));
    // HTTP/2 by ALPN.
    let mut client = authority.client(&BOTH, None);
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(address).await.expect("connect");
    let name = ServerName::try_from(NAME).expect("a name");
    let stream = TlsConnector::from(Arc::new(client))
        .connect(name, stream)
        .await
        .expect("TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    drop(stream);
    // The plain listener sends everybody to the public address, whatever host they name.
    let redirect = city.running.redirect.expect("redirect");
    let answer = crate::city::request(redirect, "GET", "/desk?a=1", None, &[], None).await;
    assert_eq!(answer.status, 308);
    assert_eq!(
        answer.header("location"),
        Some("https://city.example.cn/desk?a=1")
    );

    // What does not fit changes nothing; what fits is served without a restart.
    let client = || authority.client(&BOTH, None);
    let (_, before) = ask(address, client(), &get("/health", ""))
        .await
        .expect("an answer");
    let tls = city.running.app.tls.get().expect("TLS").clone();
    std::fs::write(&key, "nonsense").expect("write");
    assert!(tls.reload().is_err());
    let (_, still) = ask(address, client(), &get("/health", ""))
        .await
        .expect("an answer");
    assert_eq!(before, still);
    put(folder.path(), &authority.issue(NAME));
    let begun = Instant::now();
    loop {
        let (_, now) = ask(address, client(), &get("/health", ""))
            .await
            .expect("an answer");
        if now != before {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the old certificate is still served"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!(
        "a changed certificate was served after {:.1?}",
        begun.elapsed()
    );
    assert_eq!(tls.served().names, [NAME]);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_show_a_certificate_beside_their_token() {
    let (authority, other) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().expect("a folder");
    let [certificate, key] = put(folder.path(), &authority.issue(NAME));
    let clients = folder.path().join("clients.pem").display().to_string();
    std::fs::write(&clients, &authority.pem).expect("write");
    let city = TestCity::start_with(&[
        ("tls_certificate", &certificate),
        ("tls_key", &key),
        ("tls_clients", &clients),
    ])
    .await;
    let address = city.running.http.expect("http");
    let new = serde_json::from_value(json!({"name": "feeder", "roles": ["feeder"], "days": 1}));
    let (identity, by) = (&city.running.app.identity, kernel::Actor::system());
    let made = identity.create_token(&by, new.expect("a token"));
    let (_, secret) = made.await.expect("a token");
    let request = get(
        "/api/v1/series",
        &format!("authorization: Bearer {secret}\r\n"),
    );

    let without = ask(address, authority.client(&BOTH, None), &request)
        .await
        .expect("an answer")
        .0;
    assert_eq!(
        (without.status, &without.json()["code"]),
        (403, &json!("access.certificate"))
    );
    let own = authority.issue("feeder");
    let with = ask(address, authority.client(&BOTH, Some(own)), &request)
        .await
        .expect("an answer")
        .0;
    assert_eq!(with.status, 200, "{}", with.text);
    // One of an unknown authority is no certificate at all.
    let foreign = other.issue("feeder");
    let refused = ask(address, authority.client(&BOTH, Some(foreign)), &request).await;
    assert!(refused.is_err(), "{refused:?}");
    // People need none.
    let body = json!({"account": "operator", "password": PASSWORD}).to_string();
    let sign_in = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: {NAME}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let person = ask(address, authority.client(&BOTH, None), &sign_in)
        .await
        .expect("an answer")
        .0;
    assert_eq!(person.status, 200, "{}", person.text);
    city.stop().await;
}

/// Ends the server with the test.
struct Server(std::process::Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An ACME server that asks the city's two ports and takes every name for this machine.
async fn pebble(folder: &Path, web: u16, plain: u16) -> Option<([Server; 2], String, String)> {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("localhost");
    let [certificate, key] = put(folder, &(certificate, key));
    let root = folder.join("root.pem").display().to_string();
    std::fs::write(&root, &authority.pem).expect("write");
    let (directory, management) = (free_port(), free_port());
    let config = json!({"pebble": {
        "listenAddress": format!("127.0.0.1:{directory}"),
        "managementListenAddress": format!("127.0.0.1:{management}"),
        "certificate": certificate, "privateKey": key,
        "httpPort": plain, "tlsPort": web, "ocspResponderURL": "", "externalAccountBindingRequired": false,
    }});
    let file = folder.join("pebble.json");
    std::fs::write(&file, config.to_string()).expect("write");
    let dns = free_port();
    let names = std::process::Command::new("pebble-challtestsrv")
        .args(["-defaultIPv6", "", "-defaultIPv4", "127.0.0.1"])
        .args(["-dns01", &format!("127.0.0.1:{dns}")])
        .args(["-management", &format!("127.0.0.1:{}", free_port())])
        .args(["-http01", "", "-https01", "", "-tlsalpn01", ""])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    let server = std::process::Command::new("pebble")
        .args([
            "-config",
            &file.display().to_string(),
            "-dnsserver",
            &format!("127.0.0.1:{dns}"),
        ])
        .env("PEBBLE_VA_NOSLEEP", "1")
        .env("PEBBLE_WFE_NONCEREJECT", "20")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    let (names, server) = (names.map(Server).ok()?, server.map(Server).ok()?);
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", directory)).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Some((
        [server, names],
        format!("https://localhost:{directory}/dir"),
        root,
    ))
}

async fn by_acme(challenge: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (web, plain) = (free_port(), free_port());
    let Some((_server, directory, root)) = pebble(folder.path(), web, plain).await else {
        // bin/test installs it; a developer without it still sees why nothing was tried.
        eprintln!("skipped: no pebble here (apt-get install pebble)");
        return;
    };
    let city = TestCity::start_with(&[
        ("http", &format!("127.0.0.1:{web}")),
        ("http_redirect", &format!("127.0.0.1:{plain}")),
        ("public_url", "https://city.example.cn"),
        ("tls_acme", &directory),
        ("tls_acme_challenge", challenge),
        ("tls_acme_contact", "operator@city.example.cn"),
        ("trusted_roots", &root),
    ])
    .await;
    let tls = city.running.app.tls.get().expect("TLS").clone();
    let begun = Instant::now();
    while tls.served().source != "acme" {
        let served = tls.served();
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(50), "{served:?}");
        // A fault does not mend itself within the time of this test.
        assert!(served.trouble.is_none(), "after {waited:?}: {served:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("{challenge}: a certificate after {:.1?}", begun.elapsed());
    assert_eq!(tls.served().names, [NAME]);
    // Nothing is answered once the order is over.
    let token = crate::city::request(
        SocketAddr::from(([127, 0, 0, 1], plain)),
        "GET",
        "/.well-known/acme-challenge/none",
        None,
        &[],
        None,
    );
    assert_eq!(token.await.status, 404);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_comes_from_an_authority_by_http() {
    by_acme("http-01").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_comes_from_an_authority_in_the_greeting() {
    by_acme("tls-alpn-01").await;
}
