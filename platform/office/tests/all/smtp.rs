//! The SMTP carrier against a server of ours.

use crate::catcher::{Caught, Manner, start};
use kernel::Fault;
use kernel::fault::FaultKind;
use kernel::messages::{Mail, MailCarrier};
use office::{Security, Smtp, SmtpCarrier};
use std::time::Duration;

fn settings(port: u16, security: Security) -> Smtp {
    Smtp {
        host: "localhost".into(),
        port,
        security,
        sign_in: None,
        from: "noreply@city.example".into(),
        from_name: "政务服务".into(),
        roots: None,
        time_out: Duration::from_millis(700),
    }
}

fn mail() -> Mail {
    Mail {
        id: "01ABC".into(),
        to: "zhang@example.cn".into(),
        subject: "您的办件有新进展".into(),
        text: "第一行\n.\nBcc: x@y.cn\n最后一行".into(),
    }
}

fn kind(outcome: Result<(), Fault>) -> FaultKind {
    outcome.unwrap_err().kind
}

fn header<'a>(caught: &'a Caught, name: &str) -> Vec<&'a String> {
    let head = caught.lines.iter().take_while(|line| !line.is_empty());
    head.filter(|line| line.to_lowercase().starts_with(&format!("{name}:")))
        .collect()
}

#[tokio::test]
async fn a_mail_arrives_whole() {
    let catcher = start(Manner::default()).await;
    let carrier = SmtpCarrier::new(&settings(catcher.port, Security::None)).unwrap();
    carrier.send(mail()).await.unwrap();
    let caught = catcher.caught.lock()[0].clone();
    assert!(caught.from.contains("<noreply@city.example>"));
    assert_eq!(caught.to.len(), 1);
    assert!(caught.to[0].contains("<zhang@example.cn>"));
    assert_eq!(
        header(&caught, "message-id"),
        [&"Message-ID: <01ABC@city.example>".to_string()]
    );
    assert_eq!(header(&caught, "bcc").len(), 0);
    assert_eq!(header(&caught, "date").len(), 1);
    // Chinese in headers is encoded (RFC 2047), never raw.
    let head = caught.lines.iter().take_while(|line| !line.is_empty());
    assert!(head.into_iter().all(|line| line.is_ascii()), "{caught:?}");
    assert!(header(&caught, "subject")[0].contains("=?utf-8?"));
}

#[tokio::test]
async fn nothing_that_ends_a_header_is_carried() {
    let catcher = start(Manner::default()).await;
    let carrier = SmtpCarrier::new(&settings(catcher.port, Security::None)).unwrap();
    for (subject, to, id) in [
        ("x\r\nBcc: evil@x.cn", "a@b.cn", "01ABC"),
        ("x\nBcc: evil@x.cn", "a@b.cn", "01ABC"),
        ("x", "a@b.cn\r\nRCPT TO:<evil@x.cn>", "01ABC"),
        ("x", "a@b.cn, evil@x.cn", "01ABC"),
        ("x", "a@b.cn", "1>\r\nBcc: evil@x.cn"),
    ] {
        let mail = Mail {
            id: id.into(),
            to: to.into(),
            subject: subject.into(),
            text: "x".into(),
        };
        assert_eq!(
            kind(carrier.send(mail).await),
            FaultKind::Invalid,
            "{subject:?} {to:?}"
        );
    }
    assert_eq!(catcher.caught.lock().len(), 0);
}

#[tokio::test]
async fn under_starttls_it_signs_in_and_without_it_says_nothing() {
    let catcher = start(Manner {
        tls: true,
        ..Manner::default()
    })
    .await;
    let mut smtp = settings(catcher.port, Security::StartTls);
    smtp.sign_in = Some(("city".into(), "secret".into()));
    smtp.roots = Some(catcher.certificate.clone());
    let carrier = SmtpCarrier::new(&smtp).unwrap();
    carrier.send(mail()).await.unwrap();
    let caught = catcher.caught.lock()[0].clone();
    assert!(caught.secure);
    assert_eq!(caught.sign_in.as_deref(), Some("AGNpdHkAc2VjcmV0"));
    // A certificate nobody trusts: temporary, nothing is handed over.
    smtp.roots = None;
    let carrier = SmtpCarrier::new(&smtp).unwrap();
    assert_eq!(kind(carrier.send(mail()).await), FaultKind::Overloaded);
    // A server (or somebody between) that offers no STARTTLS gets neither password nor mail.
    let open = start(Manner::default()).await;
    smtp.port = open.port;
    smtp.roots = Some(open.certificate.clone());
    let carrier = SmtpCarrier::new(&smtp).unwrap();
    assert_eq!(kind(carrier.send(mail()).await), FaultKind::Overloaded);
    assert_eq!(
        (catcher.caught.lock().len(), open.caught.lock().len()),
        (1, 0)
    );
}

#[tokio::test]
async fn what_the_server_says_decides_whether_it_is_tried_again() {
    for (manner, want) in [
        // No such mailbox.
        (
            recipient("550 no zhang@example.cn here"),
            FaultKind::Invalid,
        ),
        (recipient("553 not allowed"), FaultKind::Invalid),
        // Full, busy, greylisted.
        (recipient("452 full"), FaultKind::Overloaded),
        (recipient("421 later"), FaultKind::Overloaded),
        // Taken perhaps.
        (
            Manner {
                drops_the_answer: true,
                ..Manner::default()
            },
            FaultKind::Internal,
        ),
    ] {
        let catcher = start(manner).await;
        let carrier = SmtpCarrier::new(&settings(catcher.port, Security::None)).unwrap();
        let fault = carrier.send(mail()).await.unwrap_err();
        assert_eq!(fault.kind, want, "{fault}");
        assert!(!fault.to_string().contains("zhang"), "{fault}");
    }
    // Our own password is wrong: the mail is not to blame.
    let catcher = start(Manner {
        tls: true,
        sign_in: Some("535 who?"),
        ..Manner::default()
    })
    .await;
    let mut smtp = settings(catcher.port, Security::StartTls);
    smtp.sign_in = Some(("city".into(), "wrong".into()));
    smtp.roots = Some(catcher.certificate.clone());
    let carrier = SmtpCarrier::new(&smtp).unwrap();
    assert_eq!(kind(carrier.send(mail()).await), FaultKind::Overloaded);
}

fn recipient(answer: &'static str) -> Manner {
    Manner {
        recipient: Some(answer),
        ..Manner::default()
    }
}

#[tokio::test]
async fn a_server_that_is_silent_or_not_there_does_not_hold_us_up() {
    let catcher = start(Manner {
        silent: true,
        ..Manner::default()
    })
    .await;
    let carrier = SmtpCarrier::new(&settings(catcher.port, Security::None)).unwrap();
    let begun = std::time::Instant::now();
    assert!(carrier.send(mail()).await.is_err());
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    // Nobody listens there: surely not taken.
    let carrier = SmtpCarrier::new(&settings(testkit::free_port(), Security::None)).unwrap();
    assert_eq!(kind(carrier.send(mail()).await), FaultKind::Overloaded);
}

#[test]
fn settings_that_would_show_a_password_or_send_in_the_open_are_refused() {
    let faults = |smtp: Smtp| match SmtpCarrier::new(&smtp) {
        Ok(_) => vec![],
        Err(fault) => fault.problems.into_iter().map(|p| p.at).collect::<Vec<_>>(),
    };
    let good = || settings(25, Security::None);
    assert_eq!(faults(good()).len(), 0);
    let mut password = good();
    password.sign_in = Some(("a".into(), "b".into()));
    assert_eq!(faults(password), ["security"]);
    let mut far = good();
    far.host = "mail.example.cn".into();
    assert_eq!(faults(far), ["security"]);
    let mut all = good();
    all.host.clear();
    all.from = "nobody".into();
    all.from_name = "a\r\nb".into();
    all.time_out = Duration::from_secs(600);
    assert_eq!(
        faults(all),
        ["host", "security", "from", "from_name", "time_out"]
    );
    let mut roots = settings(25, Security::Tls);
    roots.roots = Some(b"-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n".to_vec());
    assert_eq!(faults(roots), ["roots"]);
}
