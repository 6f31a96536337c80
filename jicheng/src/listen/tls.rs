//! TLS of the web: rustls, TLS 1.2 and 1.3 only, a certificate from files or by ACME that is
//! changed without a restart, and, where an authority for clients is configured, their
//! certificates. National TLS (TLCP) is spoken by a gateway in front: see docs/operating.md.

use crate::config::Config;
use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use serde::Serialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// The protocol an authority speaks to prove that we hold a name (RFC 8737).
const PROOF: &[u8] = b"acme-tls/1";
/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// What is served now, for the health and posture pages.
#[derive(Clone, Debug, Serialize)]
pub struct Served {
    /// Where it came from: `files`, `acme`, `temporary`.
    pub source: &'static str,
    /// Names it is for.
    pub names: Vec<String>,
    /// When it ends, microseconds UTC.
    pub ends_at: i64,
    /// Why the last attempt to get a newer one failed.
    pub trouble: Option<String>,
}

/// TLS of the web.
pub struct Tls {
    web: Arc<ServerConfig>,
    proof: Arc<ServerConfig>,
    certificate: Arc<Certificate>,
    files: (PathBuf, PathBuf),
    served: Mutex<Served>,
}

/// What a connection came for.
pub enum Way<S> {
    /// The web, with the digest of the client's certificate if it showed one.
    Web(Box<TlsStream<S>>, Option<Arc<str>>),
    /// A proof for an authority; it has it.
    Proof,
}

/// The certificate in force, and those for proofs by name.
#[derive(Debug)]
struct Certificate {
    current: ArcSwap<CertifiedKey>,
    proofs: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let proof = hello
            .alpn()
            .is_some_and(|mut names| names.any(|n| n == PROOF));
        if proof {
            return self.proofs.lock().get(hello.server_name()?).cloned();
        }
        Some(self.current.load_full())
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn say(what: &str, cause: impl std::fmt::Display) -> String {
    format!("{what}: 无法使用 / cannot be used: {cause}")
}

/// A key with its chain, checked to belong together.
fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, String> {
    let key = CertifiedKey::from_der(chain, key, &provider());
    key.map_err(|e| say("TLS", e))
}

fn read_files(certificate: &Path, key: &Path) -> Result<CertifiedKey, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate)
        .map_err(|e| say(&certificate.display().to_string(), e))?
        .collect();
    let chain = chain.map_err(|e| say(&certificate.display().to_string(), e))?;
    if chain.is_empty() {
        let text = "没有证书 / holds no certificate";
        return Err(say(&certificate.display().to_string(), text));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| say(&key.display().to_string(), e))?;
    certified(chain, key)
}

/// Names and end of a certificate.
fn facts(key: &CertifiedKey) -> (Vec<String>, i64) {
    use x509_parser::extensions::GeneralName;
    let Some(leaf) = key.cert.first() else {
        return (vec![], 0);
    };
    let Ok((_, leaf)) = x509_parser::parse_x509_certificate(leaf) else {
        return (vec![], 0);
    };
    let alternatives = leaf.subject_alternative_name().ok().flatten();
    let names = alternatives.map(|a| {
        let names = a.value.general_names.iter();
        let name = |n: &GeneralName<'_>| match n {
            GeneralName::DNSName(name) => Some(name.to_string()),
            GeneralName::IPAddress([a, b, c, d]) => Some(format!("{a}.{b}.{c}.{d}")),
            _ => None,
        };
        names.filter_map(name).collect()
    });
    let ends_at = leaf.validity().not_after.timestamp() * 1_000_000;
    (names.unwrap_or_default(), ends_at)
}

fn temporary(names: &[String]) -> Result<CertifiedKey, String> {
    let made = rcgen::generate_simple_self_signed(names.to_vec()).map_err(|e| say("TLS", e))?;
    let key =
        PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(|e| say("TLS", e))?;
    certified(vec![made.cert.der().clone()], key)
}

fn server(
    certificate: Arc<Certificate>,
    clients: Option<RootCertStore>,
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, String> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| say("TLS", e))?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(roots) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
                .allow_unauthenticated()
                .build()
                .map_err(|e| say("tls_clients", e))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_cert_resolver(certificate);
    config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
    // Names and sessions of one certificate must not outlive it.
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

impl Tls {
    /// As configured; `None` when the web speaks plain HTTP.
    pub fn of(config: &Config) -> Result<Option<Arc<Tls>>, String> {
        let (certificate, key) = (config.text("tls_certificate"), config.text("tls_key"));
        let acme = config.text("tls_acme");
        if certificate.is_empty() && acme.is_empty() {
            return Ok(None);
        }
        let (files, source) = match acme.is_empty() {
            true => ((PathBuf::from(certificate), PathBuf::from(key)), "files"),
            false => {
                let folder = config.data().join("tls");
                (
                    (folder.join("certificate.pem"), folder.join("key.pem")),
                    "acme",
                )
            }
        };
        let (first, source) = match read_files(&files.0, &files.1) {
            Ok(key) => (key, source),
            Err(fault) if source == "files" => return Err(fault),
            // Until the authority has answered, so that it can be asked at all.
            Err(_) => (temporary(&config.web_names())?, "temporary"),
        };
        let clients = match config.text("tls_clients") {
            "" => None,
            file => {
                let mut roots = RootCertStore::empty();
                for one in CertificateDer::pem_file_iter(file).map_err(|e| say(file, e))? {
                    let one = one.map_err(|e| say(file, e))?;
                    roots.add(one).map_err(|e| say(file, e))?;
                }
                Some(roots)
            }
        };
        let served = Mutex::new(describe(&first, source));
        let certificate = Arc::new(Certificate {
            current: ArcSwap::from_pointee(first),
            proofs: Mutex::default(),
        });
        Ok(Some(Arc::new(Tls {
            web: server(certificate.clone(), clients, &[b"h2", b"http/1.1"])?,
            proof: server(certificate.clone(), None, &[PROOF])?,
            certificate,
            files,
            served,
        })))
    }

    /// What is served now.
    pub fn served(&self) -> Served {
        self.served.lock().clone()
    }

    /// The greeting: which of both ways, and who.
    pub async fn greet<S>(&self, stream: S) -> std::io::Result<Way<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        let hello = start.client_hello();
        let proof = hello
            .alpn()
            .is_some_and(|mut names| names.any(|n| n == PROOF));
        if proof {
            let mut stream = start.into_stream(self.proof.clone()).await?;
            tokio::io::AsyncWriteExt::shutdown(&mut stream).await?;
            return Ok(Way::Proof);
        }
        let stream = start.into_stream(self.web.clone()).await?;
        let shown = stream.get_ref().1.peer_certificates();
        let leaf = shown.and_then(|chain| chain.first());
        let digest = leaf.map(|leaf| Arc::from(hexadecimal_digest(leaf)));
        Ok(Way::Web(Box::new(stream), digest))
    }

    /// Serves this key from now on.
    fn put(&self, key: CertifiedKey, source: &'static str) {
        *self.served.lock() = describe(&key, source);
        self.certificate.current.store(Arc::new(key));
    }

    /// Says why there is no newer certificate.
    pub fn note_trouble(&self, trouble: &str) {
        tracing::error!(trouble, "the certificate could not be renewed");
        self.served.lock().trouble = Some(trouble.into());
    }

    /// A proof that we hold `name`, for the time of an order.
    pub fn prove(&self, name: &str, digest: &[u8]) -> Result<(), String> {
        let mut parameters =
            rcgen::CertificateParams::new(vec![name.to_string()]).map_err(|e| say("acme", e))?;
        parameters.custom_extensions = vec![rcgen::CustomExtension::new_acme_identifier(digest)];
        let key = rcgen::KeyPair::generate().map_err(|e| say("acme", e))?;
        let made = parameters.self_signed(&key).map_err(|e| say("acme", e))?;
        let der = PrivateKeyDer::try_from(key.serialize_der()).map_err(|e| say("acme", e))?;
        // Not checked against each other: the mark of a proof is unknown to the checker.
        let signer = provider().key_provider.load_private_key(der);
        let signer = signer.map_err(|e| say("acme", e))?;
        let key = CertifiedKey::new(vec![made.der().clone()], signer);
        let mut proofs = self.certificate.proofs.lock();
        proofs.insert(name.into(), Arc::new(key));
        Ok(())
    }

    /// The order is over.
    pub fn forget_proofs(&self) {
        self.certificate.proofs.lock().clear();
    }

    /// Reads the files again; what cannot be used changes nothing.
    pub fn reload(&self) -> Result<(), String> {
        let (certificate, key) = &self.files;
        let source = match self.served().source {
            "files" => "files",
            _ => "acme",
        };
        let key = read_files(certificate, key)?;
        self.put(key, source);
        tracing::info!(names = ?self.served().names, "the certificate was changed");
        Ok(())
    }

    fn changed_at(&self) -> Option<[SystemTime; 2]> {
        let (certificate, key) = &self.files;
        let time = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
        Some([time(certificate)?, time(key)?])
    }

    /// Looks at the files until the city stops: changed ones, or SIGHUP, are read at once.
    pub async fn watch(self: Arc<Tls>, mut stopping: tokio::sync::watch::Receiver<bool>) {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut known = self.changed_at();
        loop {
            let asked = async {
                match &mut hangup {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            let forced = tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                _ = asked => true,
                _ = tokio::time::sleep(LOOK) => false,
            };
            let now = self.changed_at();
            if !forced && now == known {
                continue;
            }
            // Two files are written one after the other: what does not fit yet is tried again.
            match self.reload() {
                Ok(()) => known = now,
                Err(trouble) => {
                    if now.is_some() {
                        self.note_trouble(&trouble);
                    }
                    if forced {
                        known = now;
                    }
                }
            }
        }
    }
}

fn describe(key: &CertifiedKey, source: &'static str) -> Served {
    let (names, ends_at) = facts(key);
    Served {
        source,
        names,
        ends_at,
        trouble: None,
    }
}

fn hexadecimal_digest(bytes: &[u8]) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

/// Questions of authorities over plain HTTP (RFC 8555, 8.3): token → answer, for the time of an
/// order.
#[derive(Default)]
pub struct Questions(ArcSwapOption<HashMap<String, String>>);

impl Questions {
    /// The answer for a token.
    pub fn answer(&self, token: &str) -> Option<String> {
        self.0.load().as_ref()?.get(token).cloned()
    }

    /// Answers these from now on.
    pub fn set(&self, answers: HashMap<String, String>) {
        self.0
            .store((!answers.is_empty()).then(|| Arc::new(answers)));
    }
}
