//! SMTP: carries e-mail to the city's mail server (RFC 5321), under TLS from the start or by
//! STARTTLS, with sign-in. A password never travels in the clear. What the server says is reduced
//! to its code: its words may name the recipient.

use crate::address::email;
use crate::say::{problem, refuse};
use async_trait::async_trait;
use kernel::Fault;
use kernel::fault::FaultKind;
use kernel::messages::{Mail, MailCarrier};
use lettre::Address;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use std::time::Duration;

/// How the connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all: only to a server on this machine, and never with a password.
    None,
    /// STARTTLS (RFC 3207), demanded: without it nothing is sent. Port 587.
    StartTls,
    /// TLS from the first byte (RFC 8314). Port 465.
    Tls,
}

/// A mail server. Holds a password: no `Debug`.
#[derive(Clone)]
pub struct Smtp {
    /// Name of the server, as its certificate has it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// Name and password to sign in with.
    pub sign_in: Option<(String, String)>,
    /// Address the mail comes from.
    pub from: String,
    /// Name the mail comes from.
    pub from_name: String,
    /// Certificates (PEM) trusted besides those of the machine: a mail server with a certificate
    /// of the city's own.
    pub roots: Option<Vec<u8>>,
    /// How long getting connected, and then handing a mail over, may take, each.
    pub time_out: Duration,
}

/// Carries e-mail by SMTP, each mail on a connection of its own.
pub struct SmtpCarrier {
    server: (String, u16),
    tls: Option<TlsParameters>,
    security: Security,
    sign_in: Option<Credentials>,
    time_out: Duration,
    from: Mailbox,
    domain: String,
}

/// No mail server is configured.
pub struct NoMail;

#[async_trait]
impl MailCarrier for NoMail {
    fn is_ready(&self) -> bool {
        false
    }
    async fn send(&self, _: Mail) -> Result<(), Fault> {
        Err(failed("not configured"))
    }
}

fn failed(cause: &str) -> Fault {
    let mut fault = Fault::new(
        FaultKind::Overloaded,
        "outgoing.failed",
        format!("邮件服务器没有收下邮件（{cause}）"),
        format!("the mail server did not take the mail ({cause})"),
    );
    fault.retry_after_s = Some(60);
    fault
}

fn never(cause: &str) -> Fault {
    Fault::new(
        FaultKind::Invalid,
        "outgoing.refused",
        format!("邮件服务器拒收此邮件（{cause}）"),
        format!("the mail server refuses this mail ({cause})"),
    )
}

/// What an error before the mail was handed over means, without the words of the server: the mail
/// is not to blame, and was not taken.
fn not_ready(error: &Error) -> Fault {
    match error.status() {
        Some(code) => failed(&format!("SMTP {}", u16::from(code))),
        None if error.is_tls() => failed("TLS"),
        None => failed("connection"),
    }
}

/// What an error while handing the mail over means, without the words of the server.
fn not_taken(error: &Error) -> Fault {
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() => never(&format!("SMTP {code}")),
        Some(code) => failed(&format!("SMTP {code}")),
        None => nobody_knows(),
    }
}

fn nobody_knows() -> Fault {
    Fault::internal("handing a mail over", "the connection broke off")
}

impl SmtpCarrier {
    /// A carrier to this server; every fault of the settings is named. Connects only when there
    /// is something to carry.
    pub fn new(smtp: &Smtp) -> Result<SmtpCarrier, Fault> {
        let mut problems = vec![];
        let local = matches!(smtp.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if smtp.host.is_empty() || smtp.host.contains(|c: char| c.is_control() || c == ' ') {
            problems.push(problem("host", "缺少服务器名", "the server has no name"));
        }
        if smtp.security == Security::None && !(local && smtp.sign_in.is_none()) {
            problems.push(problem(
                "security",
                "不加密的连接只允许用于本机且不登录的服务器",
                "an open connection is for a server on this machine without sign-in only",
            ));
        }
        let from = email(&smtp.from).and_then(|from| from.parse::<Address>().ok());
        if from.is_none() {
            problems.push(problem(
                "from",
                "发件地址不对",
                "the address of the sender is wrong",
            ));
        }
        problems.extend(crate::say::line("from_name", &smtp.from_name, 0, 60));
        if !(Duration::from_millis(100)..=Duration::from_secs(60)).contains(&smtp.time_out) {
            problems.push(problem(
                "time_out",
                "应为 0.1 至 60 秒",
                "0.1 to 60 seconds",
            ));
        }
        let tls = tls(smtp).map_err(|found| problems.push(found));
        let (Some(address), Ok(tls)) = (from, tls) else {
            return Err(Fault::invalid(problems));
        };
        refuse(problems)?;
        let name = smtp.from_name.trim();
        Ok(SmtpCarrier {
            server: (smtp.host.clone(), smtp.port),
            tls,
            security: smtp.security,
            sign_in: smtp
                .sign_in
                .clone()
                .map(|(name, password)| Credentials::new(name, password)),
            time_out: smtp.time_out,
            domain: address.domain().to_string(),
            from: Mailbox::new((!name.is_empty()).then(|| name.to_string()), address),
        })
    }

    /// A connection that is secured and signed in: nothing of a mail was said on it.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Fault> {
        let hello = ClientId::default();
        let wrapped = self.tls.clone().filter(|_| self.security == Security::Tls);
        let server = (self.server.0.as_str(), self.server.1);
        let connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.time_out), &hello, wrapped, None);
        let mut connection = connection.await.map_err(|e| not_ready(&e))?;
        if let (Security::StartTls, Some(tls)) = (self.security, self.tls.clone()) {
            if !connection.can_starttls() {
                return Err(failed("no STARTTLS"));
            }
            let begun = connection.starttls(tls, &hello).await;
            begun.map_err(|e| not_ready(&e))?;
        }
        if let Some(credentials) = &self.sign_in {
            let signed_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            signed_in.map_err(|e| not_ready(&e))?;
        }
        Ok(connection)
    }

    fn message(&self, mail: &Mail) -> Result<Message, Fault> {
        let to = email(&mail.to).and_then(|to| to.parse::<Address>().ok());
        let to = to.ok_or_else(|| never("address"))?;
        if mail.subject.contains(char::is_control)
            || mail.id.contains(|c: char| !c.is_ascii_alphanumeric())
        {
            return Err(never("header"));
        }
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.clone())
            // The same at every attempt, so that a mail that came twice can be told.
            .message_id(Some(format!("<{}@{}>", mail.id, self.domain)))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(|_| never("form"))
    }
}

fn tls(smtp: &Smtp) -> Result<Option<TlsParameters>, kernel::Problem> {
    if smtp.security == Security::None {
        return Ok(None);
    }
    let wrong = || problem("roots", "证书不对", "the certificates are wrong");
    let mut builder = TlsParameters::builder(smtp.host.clone());
    if let Some(pem) = &smtp.roots {
        let root = Certificate::from_pem(pem).map_err(|_| wrong())?;
        builder = builder
            .certificate_store(CertificateStore::Default)
            .add_root_certificate(root);
    }
    builder.build_rustls().map(Some).map_err(|_| wrong())
}

#[async_trait]
impl MailCarrier for SmtpCarrier {
    fn is_ready(&self) -> bool {
        true
    }
    async fn send(&self, mail: Mail) -> Result<(), Fault> {
        let message = self.message(&mail)?;
        let ready = tokio::time::timeout(self.time_out, self.connect()).await;
        let mut connection = ready.map_err(|_| failed("time-out"))??;
        let bytes = message.formatted();
        let taken = connection.send(message.envelope(), &bytes);
        let taken = tokio::time::timeout(self.time_out, taken).await;
        let outcome = match taken {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(not_taken(&error)),
            Err(_) => Err(nobody_knows()),
        };
        // Manners; whatever comes of it, the answer to the mail stands.
        let _ = tokio::time::timeout(self.time_out, connection.abort()).await;
        outcome
    }
}
