//! Certificates by ACME (RFC 8555): an order when there is none or the one in force ends soon, the
//! authority's question answered over plain HTTP (http-01) or in the TLS greeting (tls-alpn-01),
//! the certificate kept in the data folder and served at once.

use super::tls::Tls;
use crate::app::App;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount,
    NewOrder, OrderStatus, RetryPolicy,
};
use kernel::{Span, Time};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A certificate that ends within so long is renewed.
const RENEW: Span = Span::days(30);
/// How often the end is looked at.
const LOOK: Duration = Duration::from_secs(6 * 3600);
/// After a failed order the next one waits at least and at most so long: authorities limit the
/// number of failures.
const WAITS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(4 * 3600)];
/// So often an order is begun at once when the authority refused a nonce (RFC 8555, 6.5): the
/// library asks three times by itself, and none of it counts as a failure at the authority.
const BEGINNINGS: usize = 5;

/// Why there is no certificate.
struct Trouble {
    text: String,
    /// The authority refused a nonce, nothing else.
    nonce: bool,
}

impl From<String> for Trouble {
    fn from(text: String) -> Self {
        Trouble { text, nonce: false }
    }
}

/// Keeps the certificate young until the city stops.
pub async fn run(app: Arc<App>, tls: Arc<Tls>) {
    let mut stopping = app.stopping.clone();
    let mut wait = WAITS[0];
    loop {
        let pause = if young(&tls, app.city.clock.now()) {
            wait = WAITS[0];
            LOOK
        } else {
            match order_again(&app, &tls).await {
                Ok(()) => {
                    tracing::info!(names = ?tls.served().names, "a certificate was issued");
                    LOOK
                }
                Err(trouble) => {
                    tls.note_trouble(&trouble);
                    wait = (wait * 2).min(WAITS[1]);
                    wait / 2
                }
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            _ = tokio::time::sleep(pause) => {}
        }
    }
}

fn young(tls: &Tls, now: Time) -> bool {
    let served = tls.served();
    served.source == "acme" && Time(served.ends_at).since(now) > RENEW
}

fn say(doing: &str) -> impl Fn(instant_acme::Error) -> Trouble {
    const NONCE: &str = "urn:ietf:params:acme:error:badNonce";
    move |e| Trouble {
        nonce: matches!(&e, instant_acme::Error::Api(p) if p.r#type.as_deref() == Some(NONCE)),
        text: format!("ACME, {doing}: {e}"),
    }
}

async fn order_again(app: &App, tls: &Tls) -> Result<(), String> {
    let mut begun = 1;
    loop {
        match order(app, tls).await {
            Err(trouble) if trouble.nonce && begun < BEGINNINGS => begun += 1,
            outcome => return outcome.map_err(|trouble| trouble.text),
        }
    }
}

/// Writes a file only its owner may read, whole or not at all.
fn write_secret(path: &Path, text: &str) -> Result<(), String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let fault = |e: std::io::Error| format!("{}: {e}", path.display());
    let new = path.with_extension("new");
    let _ = std::fs::remove_file(&new);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .map_err(fault)?;
    file.write_all(text.as_bytes()).map_err(fault)?;
    file.sync_all().map_err(fault)?;
    std::fs::rename(&new, path).map_err(fault)
}

async fn account(app: &App, folder: &Path) -> Result<Account, Trouble> {
    let builder = match app.config.text("trusted_roots") {
        "" => Account::builder(),
        file => Account::builder_with_root(file),
    };
    let builder = builder.map_err(say("preparing"))?;
    let kept = folder.join("account.json");
    if let Ok(text) = std::fs::read_to_string(&kept)
        && let Ok(credentials) = serde_json::from_str::<AccountCredentials>(&text)
    {
        return builder
            .from_credentials(credentials)
            .await
            .map_err(say("finding our account"));
    }
    let contact = match app.config.text("tls_acme_contact") {
        "" => vec![],
        address => vec![format!("mailto:{address}")],
    };
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let directory = app.config.text("tls_acme").to_string();
    let made = builder.create(&new, directory, None).await;
    let (account, credentials) = made.map_err(say("making an account"))?;
    let text = serde_json::to_string(&credentials).map_err(|e| e.to_string())?;
    write_secret(&kept, &text)?;
    Ok(account)
}

/// One order from beginning to end.
async fn order(app: &App, tls: &Tls) -> Result<(), Trouble> {
    let folder = app.config.data().join("tls");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let account = account(app, &folder).await?;
    let names = app.config.web_names().into_iter().map(Identifier::Dns);
    let names: Vec<Identifier> = names.collect();
    let outcome = fulfil(app, tls, &account, &names).await;
    app.questions.set(HashMap::new());
    tls.forget_proofs();
    let (key, chain) = outcome?;
    write_secret(&folder.join("key.pem"), &key)?;
    write_secret(&folder.join("certificate.pem"), &chain)?;
    Ok(tls.reload()?)
}

async fn fulfil(
    app: &App,
    tls: &Tls,
    account: &Account,
    names: &[Identifier],
) -> Result<(String, String), Trouble> {
    let mut order = account
        .new_order(&NewOrder::new(names))
        .await
        .map_err(say("ordering"))?;
    let in_greeting = app.config.text("tls_acme_challenge") == "tls-alpn-01";
    let kind = if in_greeting {
        ChallengeType::TlsAlpn01
    } else {
        ChallengeType::Http01
    };
    let mut answers = HashMap::new();
    let mut authorizations = order.authorizations();
    while let Some(one) = authorizations.next().await {
        let mut one = one.map_err(say("reading what is to be proven"))?;
        if one.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = one.identifier().to_string();
        let Some(mut question) = one.challenge(kind.clone()) else {
            let text = format!("ACME: the authority does not offer {kind:?} for {name}");
            return Err(text.into());
        };
        let proof = question.key_authorization();
        if in_greeting {
            tls.prove(&name, proof.digest().as_ref())?;
        } else {
            answers.insert(question.token.clone(), proof.as_str().to_string());
            app.questions.set(answers.clone());
        }
        question.set_ready().await.map_err(say("answering"))?;
    }
    let patience = RetryPolicy::default();
    let status = order.poll_ready(&patience).await.map_err(say("waiting"))?;
    if status != OrderStatus::Ready {
        let text = format!("ACME: the order is {status:?}: the authority could not reach us");
        return Err(text.into());
    }
    let key = order.finalize().await.map_err(say("finalising"))?;
    let chain = order.poll_certificate(&patience).await;
    Ok((key, chain.map_err(say("fetching the certificate"))?))
}
