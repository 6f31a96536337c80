//! Tests of the OpenID engine, each on both databases. `conformance.rs` follows the certification
//! plans of the OpenID Foundation (see docs/openid-conformance.md), `attacks.rs` the attackers.
#![allow(clippy::unwrap_used)]

mod attacks;
mod conformance;
mod crypto;
mod lifecycle;
mod logout;
mod upstream;

pub(crate) use crypto::TestCrypto;
use kernel::access::{Actor, Standing};
use kernel::{Fault, ManualClock, Span, Time, Words};
use openid::{
    ClientSpec, Engine, Method, NotAuthorised, OAuthError, Params, Pending, People, Person, Proof,
    Settings, Step, SubjectKind, Visitor,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use store::Store;
use store::accounts::AccountRow;

pub(crate) const START: Time = Time(1_700_000_000_000_000);
pub(crate) const ISSUER: &str = "https://city.example";
pub(crate) const RETURN: &str = "https://app.example/callback";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub(crate) struct Folk;

#[async_trait::async_trait]
impl People for Folk {
    async fn person(&self, account: &str) -> Result<Option<Person>, Fault> {
        let known = ["li", "wang"].contains(&account);
        Ok(known.then(|| Person {
            account: account.into(),
            display: "李测试".into(),
            email: Some(("li@city.example".into(), true)),
            phone: Some(("+8613000000000".into(), false)),
            organisation: Some(("o1".into(), "环保局".into())),
            roles: vec!["duty".into()],
        }))
    }
}

/// A provider on an empty store, and one who sits before the browser.
pub(crate) struct House {
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) crypto: Arc<TestCrypto>,
}

pub(crate) fn operator() -> Actor {
    Actor {
        account: "yunwei".into(),
        ..Actor::default()
    }
}

pub(crate) fn b64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn challenge(verifier: &str) -> String {
    b64(&Sha256::digest(verifier.as_bytes()))
}

pub(crate) fn spec() -> ClientSpec {
    ClientSpec {
        name: Words::new("文化馆", "Culture house"),
        purpose: Words::new("预约讲座", "book lectures"),
        organisation: Some("o1".into()),
        method: Method::ClientSecretBasic,
        jwks: None,
        redirect_uris: vec![RETURN.into(), "https://app.example/other?tenant=1".into()],
        post_logout_redirect_uris: vec!["https://app.example/bye".into()],
        backchannel_logout_uri: Some("https://app.example/hear".into()),
        scopes: [
            "openid",
            "profile",
            "email",
            "phone",
            "organisation",
            "roles",
            "offline_access",
        ]
        .map(String::from)
        .to_vec(),
        subject: SubjectKind::Public,
        sector: None,
        trusted: false,
        introspects: false,
    }
}

/// An application with what it needs to prove who it is.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
}

impl App {
    pub(crate) fn proof(&self) -> Proof {
        use base64::Engine as _;
        let basic = self.secret.as_ref().map(|secret| {
            let pair = format!("{}:{secret}", self.id);
            format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
        });
        Proof {
            authorization: basic,
            address: "192.0.2.1".into(),
        }
    }
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> Params {
    let text = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    Params::read(&text)
}

/// The parameters of an address the browser is sent to.
pub(crate) fn query(address: &str) -> std::collections::BTreeMap<String, String> {
    let url = url::Url::parse(address).unwrap();
    url.query_pairs().into_owned().collect()
}

/// The claims of a token, believed as they are.
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).unwrap();
    let bytes = base64::prelude::BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

impl House {
    pub(crate) async fn on(store: Store) -> House {
        let clock = Arc::new(ManualClock::new(START));
        let crypto = Arc::new(TestCrypto::default());
        let settings = Settings {
            issuer: ISSUER.into(),
            ..Settings::default()
        };
        let engine = Engine::open(
            store.clone(),
            clock.clone(),
            crypto.clone(),
            Arc::new(Folk),
            settings,
        )
        .await
        .unwrap();
        let house = House {
            engine,
            store,
            clock,
            crypto,
        };
        for name in ["li", "wang"] {
            house.account(name).await;
        }
        house
    }

    async fn account(&self, name: &str) {
        let row = AccountRow {
            name: name.into(),
            display: name.into(),
            password: "x".into(),
            roles: "[]".into(),
            created_at: 0,
            version: 1,
            ..AccountRow::default()
        };
        let mut tx = self.store.begin().await.unwrap();
        store::accounts::insert_account(&mut tx, &row)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn register(&self, spec: ClientSpec) -> App {
        let (info, secret) = self.engine.register(&operator(), spec).await.unwrap();
        App {
            id: info.id,
            secret,
        }
    }

    pub(crate) fn visitor(&self, account: &str) -> Visitor {
        let standing = Standing {
            factors: vec!["pwd".into()],
            session: Some(format!("session-{account}")),
            ..Standing::default()
        };
        Visitor {
            actor: Actor {
                account: account.into(),
                standing,
                ..Actor::default()
            },
            session: format!("session-{account}"),
            auth_time: START.0,
        }
    }

    /// The parameters of a usual request, changed: an empty value takes one away.
    pub(crate) fn asking(&self, app: &App, change: &[(&str, &str)]) -> Params {
        let challenge = challenge(VERIFIER);
        let mut pairs = vec![
            ("client_id", app.id.as_str()),
            ("redirect_uri", RETURN),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("state", "s t&ate"),
            ("nonce", "n-0S6_WzA2Mj"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in change {
            pairs.retain(|(known, _)| known != name);
            pairs.push((name, value));
        }
        form(&pairs)
    }

    pub(crate) async fn ask(
        &self,
        app: &App,
        change: &[(&str, &str)],
    ) -> Result<Pending, NotAuthorised> {
        self.engine.authorise(&self.asking(app, change)).await
    }

    /// The error a request is answered with, at the application's own address.
    pub(crate) async fn error(&self, app: &App, change: &[(&str, &str)]) -> String {
        let address = match self.ask(app, change).await {
            Err(NotAuthorised::Return(address)) => address,
            Ok(pending) => {
                let visitor = self.visitor("li");
                match self.engine.proceed(&pending, Some(&visitor)).await.unwrap() {
                    Step::Return(address) => address,
                    other => return format!("{other:?}"),
                }
            }
            Err(NotAuthorised::Show(_)) => return "shown".into(),
        };
        let found = query(&address);
        assert_eq!(found["iss"], ISSUER, "RFC 9207");
        found.get("error").cloned().unwrap_or_default()
    }

    /// A code for somebody who agrees.
    pub(crate) async fn code_for(&self, app: &App, who: &str, change: &[(&str, &str)]) -> String {
        let pending = self.ask(app, change).await.unwrap();
        let visitor = self.visitor(who);
        let mut step = self.engine.proceed(&pending, Some(&visitor)).await.unwrap();
        if step == Step::Ask {
            step = self
                .engine
                .decide(&pending, &visitor, true, false)
                .await
                .unwrap();
        }
        let Step::Return(address) = step else {
            panic!("{step:?}");
        };
        query(&address)["code"].clone()
    }

    pub(crate) async fn exchange(
        &self,
        app: &App,
        code: &str,
        change: &[(&str, &str)],
    ) -> Result<Value, OAuthError> {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", RETURN),
            ("code_verifier", VERIFIER),
        ];
        if app.secret.is_none() {
            pairs.push(("client_id", &app.id));
        }
        for (name, value) in change {
            pairs.retain(|(known, _)| known != name);
            pairs.push((name, value));
        }
        self.engine.token(&form(&pairs), &app.proof()).await
    }

    pub(crate) async fn refresh(&self, app: &App, token: &str) -> Result<Value, OAuthError> {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.engine.token(&form(&pairs), &app.proof()).await
    }

    /// Tokens for somebody who agrees.
    pub(crate) async fn tokens(&self, app: &App, who: &str, scope: &str) -> Value {
        let code = self.code_for(app, who, &[("scope", scope)]).await;
        self.exchange(app, &code, &[]).await.unwrap()
    }

    /// What the audit log holds about an application, the newest first.
    pub(crate) async fn deeds(&self, app: &App) -> Vec<String> {
        let filter = store::audit::AuditFilter {
            subject: Some(app.id.clone()),
            limit: 100,
            ..Default::default()
        };
        let rows = self.store.audit().list(&filter).await.unwrap();
        rows.into_iter()
            .map(|row| row.entry.details["what"].as_str().unwrap_or("").to_string())
            .collect()
    }

    /// Opens a session in the store, as identity does.
    pub(crate) async fn open_session(&self, account: &str) {
        let row = store::accounts::SessionRow {
            hash: format!("hash-{account}"),
            id: format!("session-{account}"),
            account: account.into(),
            created_at: START.0,
            last_used: START.0,
            expires_at: (START + Span::hours(12)).0,
            ..store::accounts::SessionRow::default()
        };
        let mut tx = self.store.begin().await.unwrap();
        store::accounts::insert_session(&mut tx, &row)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn end_session(&self, account: &str) {
        let mut tx = self.store.begin().await.unwrap();
        store::accounts::end_sessions(&mut tx, &[format!("hash-{account}")])
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

/// An `error` word and nothing else.
pub(crate) fn word(outcome: Result<Value, OAuthError>) -> &'static str {
    outcome.err().map_or("", |error| error.error)
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {value}"))
        .to_string()
}

pub(crate) fn keys(house: &House) -> Vec<openid::ForeignKey> {
    openid::keys_of(&house.engine.jwks().unwrap())
}

/// A JWS made by hand.
pub(crate) fn forged(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!(
        "{}.{}",
        b64(header.to_string().as_bytes()),
        b64(claims.to_string().as_bytes())
    );
    let signature = sign(message.as_bytes());
    format!("{message}.{}", b64(&signature))
}

pub(crate) fn assertion(key: &crypto::TestKey, claims: &Value) -> String {
    forged(
        &json!({ "alg": "ES256", "kid": key.kid }),
        claims,
        |message| key.sign(message),
    )
}
