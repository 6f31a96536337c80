//! Attacks on HTTP itself and on every route: heads that are too large, senders that are too slow,
//! too many connections, streams that are reset, bodies that explode, two lengths in one request,
//! hosts that are not ours, names that climb out of their folder, cells that a spreadsheet runs.

use crate::city::{PASSWORD, TestCity, parse};
use flate2::Compression;
use flate2::write::GzEncoder;
use kernel::Access;
use serde_json::json;
use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SOON: Duration = Duration::from_secs(12);

/// Sends bytes and returns everything that comes until the other side closes or `wait` is over.
async fn exchange(address: SocketAddr, bytes: &[u8], wait: Duration) -> (String, bool) {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    let _ = stream.write_all(bytes).await;
    let mut answer = vec![];
    let closed = tokio::time::timeout(wait, stream.read_to_end(&mut answer)).await;
    (
        String::from_utf8_lossy(&answer).into_owned(),
        closed.is_ok(),
    )
}

async fn alive(city: &TestCity) {
    let begun = Instant::now();
    let answer = city.call("GET", "/health", None, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

/// A token of an account with every role there is.
async fn almighty(city: &TestCity) -> String {
    let app = &city.running.app;
    let new = identity::NewAccount {
        name: "almighty".into(),
        display: "almighty".into(),
        password: PASSWORD.into(),
        roles: app
            .city
            .declared
            .roles()
            .iter()
            .map(|r| r.name.clone())
            .collect(),
        organisation: None,
    };
    let made = app.identity.create(&kernel::Actor::system(), new).await;
    made.expect("an account");
    city.token("almighty").await
}

fn memory_kib() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").expect("status");
    let line = text
        .lines()
        .find(|l| l.starts_with("VmRSS:"))
        .expect("VmRSS");
    line.split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_too_large_are_refused() {
    let city = TestCity::start().await;
    let address = city.running.http.expect("http");
    let many = |n: usize| (0..n).map(|i| format!("x-{i}: 1\r\n")).collect::<String>();
    let head = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    let cases = [
        (
            "a few headers",
            format!("{head}{}\r\n", many(50)),
            &[200][..],
        ),
        (
            "too many headers",
            format!("{head}{}\r\n", many(150)),
            &[431],
        ),
        (
            "ten thousand headers",
            format!("{head}{}\r\n", many(10_000)),
            &[431],
        ),
        (
            "one long header",
            format!("{head}x: {}\r\n\r\n", "a".repeat(100_000)),
            &[431],
        ),
        (
            "a long cookie",
            format!("{head}cookie: {}\r\n\r\n", "a=b;".repeat(40_000)),
            &[431],
        ),
        (
            "a long name",
            format!("{head}{}: 1\r\n\r\n", "n".repeat(90_000)),
            &[431, 400],
        ),
        (
            "a long address",
            format!(
                "GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
                "a".repeat(100_000)
            ),
            &[414, 431],
        ),
        (
            "a head without an end",
            format!("{head}x: {}", "a".repeat(200_000)),
            &[431],
        ),
        (
            "no HTTP at all",
            "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\r\n\r\n".into(),
            &[400],
        ),
        ("a NUL in a name", format!("{head}x\0y: 1\r\n\r\n"), &[400]),
        (
            "a folded line",
            format!("{head}x: 1\r\n y: 2\r\n\r\n"),
            &[400],
        ),
        (
            "a blank before the colon",
            format!("{head}x : 1\r\n\r\n"),
            &[400],
        ),
    ];
    for (name, bytes, expected) in cases {
        let (text, _) = exchange(address, bytes.as_bytes(), SOON).await;
        let status = parse(&text).status;
        // A client that is still sending when it is refused may find the line cut.
        let cut = text.is_empty() && bytes.len() > 65_536;
        assert!(cut || expected.contains(&status), "{name}: {status} {text}");
    }
    alive(&city).await;
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_half_open_clients_are_closed() {
    let city = TestCity::start_with(&[("http_header_s", "1")]).await;
    let address = city.running.http.expect("http");
    let parts: [(&str, &[u8]); 6] = [
        ("nothing", b""),
        ("one letter", b"G"),
        ("half a line", b"GET /hea"),
        (
            "half a head",
            b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-",
        ),
        ("half a greeting of HTTP/2", b"PRI * HTTP/2.0\r\n"),
        (
            "a request and then nothing",
            b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n",
        ),
    ];
    let mut waiting = vec![];
    for (name, bytes) in parts {
        waiting.push((name, tokio::spawn(exchange(address, bytes, SOON))));
    }
    // One letter at a time, for ever.
    let dripping = tokio::spawn(async move {
        let mut stream = TcpStream::connect(address).await.expect("connect");
        let begun = Instant::now();
        let head = b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-slow: ";
        let endless = head.iter().chain(std::iter::repeat(&b'a'));
        for byte in endless {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let mut answer = [0; 512];
            if stream.write_all(&[*byte]).await.is_err()
                || stream.try_read(&mut answer).is_ok()
                || begun.elapsed() > SOON
            {
                return begun.elapsed();
            }
        }
        begun.elapsed()
    });
    alive(&city).await;
    for (name, outcome) in waiting {
        let (_, closed) = outcome.await.expect("a client");
        assert!(closed, "{name}: the connection stays open");
    }
    let took = dripping.await.expect("a client");
    assert!(took < SOON, "one letter at a time: open for {took:?}");
    // Half-open: the client closes its side in the middle of a head.
    for _ in 0..50 {
        let mut stream = TcpStream::connect(address).await.expect("connect");
        stream
            .write_all(b"POST /api/v1/session HT")
            .await
            .expect("write");
        stream.shutdown().await.expect("close");
        let mut rest = vec![];
        let closed = tokio::time::timeout(SOON, stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok());
    }
    let door = &city.running.app.door;
    let begun = Instant::now();
    while door.open() > 0 && begun.elapsed() < SOON {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(door.open(), 0, "places are given back");
    assert_eq!(door.addresses(), 0);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_connections_are_closed_and_the_others_are_served() {
    let limits = [
        ("http_max_connections", "12"),
        ("http_max_per_address", "10"),
    ];
    let city = TestCity::start_with(&limits).await;
    let address = city.running.http.expect("http");
    let mut held = vec![];
    for _ in 0..10 {
        let mut stream = TcpStream::connect(address).await.expect("connect");
        stream
            .write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .expect("write");
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer[..], b"HTTP/1.1 200 OK");
        held.push(stream);
    }
    for _ in 0..5 {
        let (text, closed) = exchange(address, b"GET /health HTTP/1.1\r\n\r\n", SOON).await;
        assert!(closed && text.is_empty(), "{text}");
    }
    let door = city.running.app.door.clone();
    let refused = door
        .refused_address
        .load(std::sync::atomic::Ordering::Relaxed);
    assert!(refused >= 5, "{refused}");
    // Those that were admitted go on.
    let first = &mut held[0];
    first
        .write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .expect("write");
    drop(held);
    let begun = Instant::now();
    while door.open() > 0 && begun.elapsed() < SOON {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    alive(&city).await;
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_reset_at_once_end_their_connection() {
    let city = TestCity::start().await;
    let address = city.running.http.expect("http");
    let stream = TcpStream::connect(address).await.expect("connect");
    let (sender, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let mut sender = sender;
    let mut sent = 0;
    for _ in 0..20_000 {
        let Ok(ready) = tokio::time::timeout(SOON, sender.clone().ready()).await else {
            break;
        };
        let Ok(ready) = ready else { break };
        sender = ready;
        let request = http::Request::get("http://localhost/health")
            .body(())
            .expect("a request");
        let Ok((_, mut stream)) = sender.send_request(request, false) else {
            break;
        };
        stream.send_reset(h2::Reason::CANCEL);
        sent += 1;
        if sent % 50 == 0 {
            tokio::task::yield_now().await;
        }
        if connection.is_finished() {
            break;
        }
    }
    drop(sender);
    let outcome = tokio::time::timeout(SOON, connection)
        .await
        .expect("an end");
    let error = outcome
        .expect("the task")
        .expect_err("the connection is ended by the city");
    // The reason, or the closed connection when it is found closed before the reason is read.
    let told = error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM);
    assert!(
        sent < 20_000 && (told || error.is_io()),
        "after {sent}: {error}"
    );
    alive(&city).await;
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_explode_are_refused_on_every_route() {
    let city = TestCity::start().await;
    let address = city.running.http.expect("http");
    let token = almighty(&city).await;
    // 96 MiB of blanks in about 100 kB: more than the largest body there may be.
    let mut packer = GzEncoder::new(vec![], Compression::fast());
    for _ in 0..96 {
        packer.write_all(&vec![b' '; 1 << 20]).expect("pack");
    }
    let bomb = packer.finish().expect("pack");
    let (_, routes) = jicheng::http::table(&city.running.app);
    let before = memory_kib();
    let mut tried = 0;
    for route in routes
        .iter()
        .filter(|r| ["POST", "PUT", "PATCH"].contains(&r.method))
    {
        let path = crate::access::concrete(&route.path);
        let head = format!(
            "{} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            route.method,
            bomb.len()
        );
        let (text, _) = exchange(
            address,
            &[head.as_bytes(), &bomb].concat(),
            Duration::from_secs(60),
        )
        .await;
        let status = parse(&text).status;
        // A route without a body does not look at it.
        let ok = (400..500).contains(&status) || (route.takes.is_empty() && status < 300);
        assert!(ok, "{} {path}: {status} {text}", route.method);
        if !route.takes.is_empty() && !route.large {
            let small = [413, 404, 422, 409, 428].contains(&status);
            assert!(small, "{} {path}: {status} {text}", route.method);
        }
        tried += 1;
    }
    let after = memory_kib();
    println!("{tried} routes; memory {before} → {after} KiB");
    assert!(tried >= 10);
    assert!(after < before + 400 * 1024, "{before} → {after} KiB");
    alive(&city).await;
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lengths_smuggle_no_second_request() {
    let city = TestCity::start().await;
    let address = city.running.http.expect("http");
    let inner = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let post =
        "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let cases = [
        (
            "CL.TE",
            format!(
                "{post}content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
            ),
        ),
        (
            "TE.CL",
            format!(
                "{post}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n{inner}"
            ),
        ),
        (
            "two CL",
            format!("{post}content-length: 2\r\ncontent-length: 50\r\n\r\n{{}}{inner}"),
        ),
        (
            "CL with sign",
            format!("{post}content-length: +2\r\n\r\n{{}}{inner}"),
        ),
        (
            "CL list",
            format!("{post}content-length: 2, 50\r\n\r\n{{}}{inner}"),
        ),
        (
            "TE not last",
            format!("{post}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{inner}"),
        ),
        (
            "TE unknown",
            format!("{post}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n{inner}"),
        ),
        (
            "chunk size overflow",
            format!("{post}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{inner}"),
        ),
        (
            "chunk with sign",
            format!("{post}transfer-encoding: chunked\r\n\r\n-1\r\n{inner}"),
        ),
        (
            "HTTP/1.0 with TE",
            format!(
                "POST /api/v1/session HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
            ),
        ),
    ];
    for (name, bytes) in cases {
        let (text, closed) = exchange(address, bytes.as_bytes(), SOON).await;
        let answers = text.matches("HTTP/1.").count();
        assert!(closed, "{name}: the connection stays open: {text}");
        assert!(answers <= 1, "{name}: {answers} answers: {text}");
        assert!(!text.contains(" 200 "), "{name}: {text}");
    }
    alive(&city).await;
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_are_not_ours_are_turned_away() {
    let settings = [
        ("public_url", "https://city.example.cn"),
        ("also_hosts", "inner.example.cn:8080"),
    ];
    let city = TestCity::start_with(&settings).await;
    let address = city.running.http.expect("http");
    let cases = [
        ("city.example.cn", "/api/v1/city", 200),
        ("CITY.example.cn", "/api/v1/city", 200),
        ("inner.example.cn:8080", "/api/v1/city", 200),
        ("127.0.0.1", "/health", 200),
        ("127.0.0.1", "/api/v1/city", 421),
        ("evil.example", "/api/v1/city", 421),
        ("city.example.cn.evil.example", "/", 421),
        ("city.example.cn:444", "/", 421),
        ("city.example.cn@evil.example", "/", 421),
        ("city.example.cn\r\nhost: evil.example", "/", 421),
    ];
    for (host, path, expected) in cases {
        let bytes = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let (text, _) = exchange(address, bytes.as_bytes(), SOON).await;
        let answer = parse(&text);
        let refused = expected == 421 && [400, 421].contains(&answer.status);
        assert!(
            refused || answer.status == expected,
            "{host:?} {path}: {text}"
        );
        assert!(!text.contains("evil.example"), "{text}");
    }
    // The line of the request names a host as well.
    let bytes = b"GET http://evil.example/api/v1/city HTTP/1.1\r\nhost: city.example.cn\r\nconnection: close\r\n\r\n";
    let (text, _) = exchange(address, bytes, SOON).await;
    assert_eq!(parse(&text).status, 421, "{text}");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_proxies_poison_nothing() {
    let city = TestCity::start().await;
    let token = city.token("operator").await;
    let poison = [
        ("x-forwarded-host", "evil.example"),
        ("x-host", "evil.example"),
        ("x-original-url", "/api/v1/operator/health"),
        ("x-rewrite-url", "/api/v1/operator/health"),
        ("x-forwarded-scheme", "nothttps"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-http-method-override", "DELETE"),
        ("forwarded", "for=127.0.0.1;host=evil.example"),
    ];
    for path in [
        "/api/v1/city",
        "/api/v1/session",
        "/sta/v1.1",
        "/",
        "/health",
        "/none",
    ] {
        let clean = city.call("GET", path, Some(&token), None).await;
        let dirty = city.raw("GET", path, Some(&token), &poison, None).await;
        assert_eq!(clean.status, dirty.status, "{path}");
        assert!(
            !dirty.text.contains("evil.example"),
            "{path}: {}",
            dirty.text
        );
        for (name, value) in &dirty.headers {
            assert!(!value.contains("evil.example"), "{path}: {name}: {value}");
        }
    }
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_headers_that_protect_browsers() {
    let city = TestCity::start().await;
    let token = city.token("operator").await;
    let (_, routes) = jicheng::http::table(&city.running.app);
    let mut tried = 0;
    let mut paths: Vec<(String, bool)> = routes
        .iter()
        .filter(|r| r.method == "GET" && r.path != "/api/v1/live")
        .map(|r| (crate::access::concrete(&r.path), r.access != Access::Public))
        .collect();
    paths.extend([
        ("/".into(), false),
        ("/none/at/all".into(), false),
        ("/api/none".into(), false),
    ]);
    for (path, personal) in paths {
        let answer = city.call("GET", &path, Some(&token), None).await;
        let header = |name: &str| answer.header(name).unwrap_or("").to_string();
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(
            header("cross-origin-opener-policy"),
            "same-origin",
            "{path}"
        );
        assert!(header("permissions-policy").contains("camera=()"), "{path}");
        let policy = header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        let scripts = policy
            .split(';')
            .find(|p| p.trim().starts_with("script-src"));
        let scripts = scripts.unwrap_or(policy.split(';').next().unwrap_or(""));
        assert!(!scripts.contains("unsafe"), "{path}: {policy}");
        if personal {
            assert!(header("cache-control").contains("no-store"), "{path}");
        }
        tried += 1;
    }
    println!("{tried} answers");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_do_not_climb_out_of_their_folder() {
    let city = TestCity::start().await;
    let token = almighty(&city).await;
    let climbing = [
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%5c..%5cwindows%5cwin.ini",
        "%252e%252e%252fetc%252fpasswd",
        "....%2f%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "file:%2f%2f%2fetc%2fpasswd",
        "passwd%00.md",
        "%c0%ae%c0%ae%2fetc%2fpasswd",
    ];
    let (_, routes) = jicheng::http::table(&city.running.app);
    let mut tried = 0;
    for route in routes.iter().filter(|r| r.path.contains('{')) {
        for name in climbing {
            let fill = |part: &str| match part {
                p if p.starts_with('{') => name.to_string(),
                p => p.to_string(),
            };
            let path: Vec<String> = route.path.split('/').map(fill).collect();
            let path = path.join("/");
            let body = ["POST", "PUT", "PATCH"]
                .contains(&route.method)
                .then(|| json!({}));
            let answer = city.call(route.method, &path, Some(&token), body).await;
            assert!(
                (400..500).contains(&answer.status)
                    || answer.json()["total"] == 0
                    || route.method != "GET",
                "{} {path}: {} {}",
                route.method,
                answer.status,
                answer.text
            );
            assert_ne!(answer.status, 500, "{path}: {}", answer.text);
            assert!(!answer.text.contains("root:"), "{path}: {}", answer.text);
            tried += 1;
        }
    }
    // Files of the pages, by the raw line of the request.
    let address = city.running.http.expect("http");
    for path in [
        "/../../../../etc/passwd",
        "/assets/../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "//etc/passwd",
        "/assets/..%5c..%5cx",
        "/docs/errors/../../../etc/passwd",
    ] {
        let bytes = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let (text, _) = exchange(address, bytes.as_bytes(), SOON).await;
        assert!(!text.contains("root:"), "{path}: {text}");
        tried += 1;
    }
    // Queries that name files to be exported.
    for path in [
        "/api/v1/series/export?thing=x&from=0&to=1&format=..%2f..%2fetc",
        "/api/v1/registers/station?format=..%2f..%2fetc%2fpasswd",
    ] {
        let answer = city.call("GET", path, Some(&token), None).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text);
        tried += 1;
    }
    println!("{tried} names");
    city.stop().await;
}

/// Documents that expand, read files or call out, around the body of a process or a model.
fn xml_attacks() -> Vec<(&'static str, String)> {
    let bomb: String = (1..30).fold(String::from("<!ENTITY a0 \"ha\">"), |all, n| {
        format!("{all}<!ENTITY a{n} \"&a{0};&a{0};&a{0};&a{0};\">", n - 1)
    });
    let around = |inner: &str, within: &str| {
        format!(
            r#"<?xml version="1.0"?><!DOCTYPE definitions [{inner}]>
            <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p">{within}</process></definitions>"#
        )
    };
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    vec![
        ("a bomb of entities", around(&bomb, "&a29;")),
        (
            "a quadratic bomb",
            around(
                &format!("<!ENTITY b \"{}\">", "x".repeat(50_000)),
                &"&b;".repeat(5_000),
            ),
        ),
        (
            "a file",
            around("<!ENTITY x SYSTEM \"file:///etc/passwd\">", "&x;"),
        ),
        (
            "another machine",
            around("<!ENTITY x SYSTEM \"http://127.0.0.1:9/x\">", "&x;"),
        ),
        (
            "a parameter entity",
            around("<!ENTITY % p SYSTEM \"file:///etc/passwd\"> %p;", ""),
        ),
        ("a document type", around("<!ELEMENT process ANY>", "")),
        ("depth", deep),
        ("no XML", "\u{0}\u{1}\u{2}<".into()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn xml_expands_nothing_and_calls_nobody() {
    let city = TestCity::start().await;
    let token = almighty(&city).await;
    for (what, xml) in xml_attacks() {
        let bodies = [
            ("/api/v1/processes", json!({"name": "x", "xml": xml})),
            ("/api/v1/decisions", json!({"model": "x", "xml": xml})),
            ("/api/v1/decisions/check", json!({"xml": xml})),
            (
                "/api/v1/decisions/try",
                json!({"xml": xml, "decision": "d"}),
            ),
        ];
        for (path, body) in bodies {
            let before = memory_kib();
            let begun = Instant::now();
            let answer = city.call("POST", path, Some(&token), Some(body)).await;
            assert!(
                (400..500).contains(&answer.status),
                "{what} {path}: {} {}",
                answer.status,
                answer.text
            );
            assert!(
                !answer.text.contains("root:"),
                "{what} {path}: {}",
                answer.text
            );
            assert!(
                begun.elapsed() < SOON,
                "{what} {path}: {:?}",
                begun.elapsed()
            );
            assert!(
                memory_kib() < before + 300_000,
                "{what} {path}: memory grew"
            );
        }
    }
    alive(&city).await;
}
