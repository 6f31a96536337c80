//! A mail server that speaks enough SMTP (RFC 5321) to be sent to, with STARTTLS and sign-in, and
//! does what a test tells it.

use parking_lot::Mutex;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// What the server does.
#[derive(Clone, Default)]
pub(crate) struct Manner {
    /// Offers STARTTLS, and sign-in only behind it.
    pub(crate) tls: bool,
    /// Answers to RCPT with this instead of 250.
    pub(crate) recipient: Option<&'static str>,
    /// Answers to AUTH with this instead of 235.
    pub(crate) sign_in: Option<&'static str>,
    /// Takes the mail and closes the connection without an answer.
    pub(crate) drops_the_answer: bool,
    /// Accepts connections and says nothing.
    pub(crate) silent: bool,
}

/// A mail that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Caught {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) lines: Vec<String>,
    pub(crate) secure: bool,
    /// What AUTH said, in Base64.
    pub(crate) sign_in: Option<String>,
}

pub(crate) struct Catcher {
    pub(crate) port: u16,
    pub(crate) caught: Arc<Mutex<Vec<Caught>>>,
    /// The server's certificate, PEM.
    pub(crate) certificate: Vec<u8>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(crate) async fn start(manner: Manner) -> Catcher {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(
        tokio_rustls::rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![made.cert.der().clone()], key.into())
    .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let caught = Arc::new(Mutex::new(vec![]));
    let into = caught.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (manner, acceptor, into) = (manner.clone(), acceptor.clone(), into.clone());
            tokio::spawn(async move {
                let _ = serve(stream, manner, acceptor, into).await;
            });
        }
    });
    Catcher {
        port,
        caught,
        certificate: made.cert.pem().into_bytes(),
    }
}

async fn serve(
    stream: TcpStream,
    manner: Manner,
    acceptor: TlsAcceptor,
    into: Arc<Mutex<Vec<Caught>>>,
) -> std::io::Result<()> {
    if manner.silent {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        return Ok(());
    }
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 catcher\r\n").await?;
    if talk(&mut stream, &manner, false, &into).await? {
        let mut secure = BufReader::new(acceptor.accept(stream.into_inner()).await?);
        talk(&mut secure, &manner, true, &into).await?;
    }
    Ok(())
}

/// Speaks until the end, or until TLS is to begin (`true`).
async fn talk<S: Stream>(
    stream: &mut BufReader<S>,
    manner: &Manner,
    secure: bool,
    into: &Arc<Mutex<Vec<Caught>>>,
) -> std::io::Result<bool> {
    let mut mail = Caught {
        from: String::new(),
        to: vec![],
        lines: vec![],
        secure,
        sign_in: None,
    };
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let line = line.trim_end().to_string();
        let word = line
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let answer = match word.as_str() {
            "EHLO" if manner.tls && !secure => "250-catcher\r\n250 STARTTLS",
            "EHLO" => "250-catcher\r\n250 AUTH PLAIN LOGIN",
            "STARTTLS" if manner.tls && !secure => {
                stream.write_all(b"220 begin\r\n").await?;
                return Ok(true);
            }
            "AUTH" => {
                mail.sign_in = line.split(' ').nth(2).map(String::from);
                manner.sign_in.unwrap_or("235 welcome")
            }
            "MAIL" => {
                mail.from = line.clone();
                "250 ok"
            }
            "RCPT" => {
                mail.to.push(line.clone());
                manner.recipient.unwrap_or("250 ok")
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).await?;
                    if line == ".\r\n" {
                        break;
                    }
                    mail.lines.push(line.trim_end().into());
                }
                into.lock().push(mail.clone());
                if manner.drops_the_answer {
                    return Ok(false);
                }
                "250 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(false);
            }
            "NOOP" | "RSET" => "250 ok",
            _ => "500 what?",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}
