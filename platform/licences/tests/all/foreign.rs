//! Existing libraries, not ours, as wallet and verifier: `@openid4vc` fetches a licence by
//! OpenID4VCI and shows it by OpenID4VP, `@sd-jwt` verifies it with its status list
//! (`tests/clients/wallet.mjs`). They are installed by npm into a folder of the user's cache;
//! without npm, or without a registry, the test says so and does nothing.

use crate::*;
use kernel::clock::{Clock, SystemClock};
use kernel::licences::Verdict;
use licences::openid4vc::{Ask, Stop};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// The folder with the client and its packages; `None`, with a reason said, when there is none.
fn client() -> Option<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let home = std::env::var_os("HOME").map(PathBuf::from)?;
    let folder = home.join(".cache/jicheng-tests/licences-wallet");
    std::fs::create_dir_all(&folder).ok()?;
    let wanted = std::fs::read_to_string(sources.join("package.json")).unwrap();
    let installed = std::fs::read_to_string(folder.join("installed.json")).unwrap_or_default();
    std::fs::copy(sources.join("wallet.mjs"), folder.join("wallet.mjs")).unwrap();
    if installed == wanted {
        return Some(folder);
    }
    std::fs::write(folder.join("package.json"), &wanted).unwrap();
    let install = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .args(["--fetch-retries", "1", "--fetch-timeout", "30000"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output();
    match install {
        Ok(output) if output.status.success() => {
            std::fs::write(folder.join("installed.json"), wanted).unwrap();
            Some(folder)
        }
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            eprintln!("skipped: npm could not install the foreign wallet:\n{text}");
            None
        }
        Err(error) => {
            eprintln!("skipped: npm is not here ({error})");
            None
        }
    }
}

/// A running client; killed when the test ends, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended by itself when all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Parameters of a form.
fn form(body: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let mut bytes = vec![];
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            match byte {
                b'+' => bytes.push(b' '),
                b'%' => {
                    let hex = [rest.next().unwrap(), rest.next().unwrap()];
                    let hex = std::str::from_utf8(&hex).unwrap();
                    bytes.push(u8::from_str_radix(hex, 16).unwrap());
                }
                _ => bytes.push(byte),
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(k, v)| (decode(k), decode(v))).collect()
}

/// What the program will do over HTTP.
async fn serve(house: &House, licence: &Licence, call: &Value) -> Value {
    let text = |name: &str| call[name].as_str().unwrap_or_default();
    let engine = &house.engine;
    let body = text("body");
    let json = |value: Value| (200, value.to_string(), "application/json");
    let stop = |outcome: Result<Value, Stop>| match outcome {
        Ok(value) => (200, value.to_string(), "application/json"),
        Err(Stop::Refused(refusal)) => (
            refusal.status,
            refusal.json().to_string(),
            "application/json",
        ),
        Err(Stop::Fault(fault)) => panic!("{fault}"),
    };
    let path = text("url").strip_prefix(ISSUER).unwrap_or(text("url"));
    let (status, body, kind) = match (text("method"), path) {
        ("GET", "/.well-known/openid-credential-issuer") => json(engine.issuer_metadata()),
        ("GET", "/.well-known/oauth-authorization-server/openid4vci") => {
            json(engine.authorization_metadata())
        }
        ("GET", "/.well-known/jwt-vc-issuer") => json(engine.jwt_vc_issuer().unwrap()),
        ("POST", "/openid4vci/token") => stop(engine.vci_token(&form(body)).await),
        ("POST", "/openid4vci/nonce") => stop(engine.vci_nonce().await),
        ("POST", "/openid4vci/credential") => {
            let access = call["headers"]["authorization"]
                .as_str()
                .unwrap_or_default();
            let access = access.strip_prefix("Bearer ").unwrap_or_default();
            let request = serde_json::from_str(body).unwrap();
            stop(engine.vci_credential(access, &request).await)
        }
        ("POST", "/openid4vp/response") => stop(engine.vp_response(&form(body)).await),
        ("GET", "/licences/status/0") => {
            let list = engine.status_list(0, false).await.unwrap();
            (200, list, "application/statuslist+jwt")
        }
        ("GET", "/licences/status/0/es256") => {
            let list = engine.status_list(0, true).await.unwrap();
            (200, list, "application/statuslist+jwt")
        }
        ("DO", state) => {
            house
                .change(licence, State::parse(state).unwrap())
                .await
                .unwrap();
            json(json!({}))
        }
        (method, path) => {
            eprintln!("not bound: {method} {path}");
            (404, "{}".into(), "application/json")
        }
    };
    json!({ "status": status, "body": body, "type": kind })
}

fn tell(to: &mut ChildStdin, message: &Value) {
    writeln!(to, "{message}").unwrap();
    to.flush().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn existing_libraries_fetch_verify_and_show_a_licence() {
    let Some(folder) = client() else {
        return;
    };
    for suite in [Suite::International, Suite::National] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::in_folder(dir.path()).await.unwrap();
        // The libraries know the time of the machine only.
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let keys = Keys::in_memory(suite, clock.clone()).unwrap();
        let house = house_of(&store, clock, keys, &files()).await;
        let licence = house.issue(driver(1)).await;
        let me = resident(&citizen(1));
        let offer = house
            .engine
            .vci_offer(&me, &licence.identifier)
            .await
            .unwrap();
        let clerk = officer("market");
        let ask = Ask {
            kind: "driver_permit".into(),
            fields: vec!["vehicle_class".into()],
            why: why(),
        };
        let asked = house.engine.vp_ask(&clerk, &ask, None).await.unwrap();
        let child = Command::new("node")
            .arg("wallet.mjs")
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut running = Running(child.unwrap());
        let mut to = running.0.stdin.take().unwrap();
        let from = BufReader::new(running.0.stdout.take().unwrap());
        let task = json!({
            "offer": offer.url, "code": offer.code, "request": asked.url,
            "claims": {"holder_name": "李明", "vehicle_class": "C1"},
        });
        tell(&mut to, &task);
        let (mut held, mut done) = (0, false);
        for line in from.lines() {
            let line = line.unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            if message.get("call").is_some() {
                let answer = serve(&house, &licence, &message["call"]).await;
                tell(&mut to, &answer);
            } else if message.get("ok").is_some() {
                eprintln!("ok {}", message["ok"]);
                held += 1;
            } else {
                assert_eq!(message, json!({ "done": true }));
                done = true;
            }
        }
        assert!(
            done && held >= 18,
            "the foreign wallet stopped after {held} checks"
        );
        let found = crate::openid4vc::found_of(&house.engine, &clerk, &asked.state)
            .await
            .unwrap();
        let found = found.unwrap().unwrap();
        assert_eq!(found.verdict, Verdict::Valid);
        assert_eq!(shown(&found), [("vehicle_class", &json!("C1"))]);
    }
}
