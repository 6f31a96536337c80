//! Services outside that a city connects for its residents: a carrier of short messages and a
//! service that verifies identities, both spoken to in JSON over HTTP. Each has a time limit and a
//! fuse: after failures in a row it is left alone for a while, and says so at once.

use crate::outgoing::Outgoing;
use async_trait::async_trait;
use bytes::Bytes;
use hyper::{Request, header};
use kernel::fault::FaultKind;
use kernel::parties::{Identity, IdentityProver, Message, Messenger, Verdict};
use kernel::{Clock, Fault, Span, Time};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Failures in a row after which a service is left alone.
const FAILURES: u32 = 5;
/// For so long.
const REST: Span = Span::minutes(1);
/// An answer is waited for so long.
const WAIT: Duration = Duration::from_secs(8);

/// Sends JSON and reads JSON; the one thing these services need of a network.
#[async_trait]
pub trait Post: Send + Sync {
    /// The answer of a service, when it says that all went well.
    async fn post(&self, url: &str, token: &str, body: Value) -> Result<Value, Fault>;
}

#[async_trait]
impl Post for Outgoing {
    async fn post(&self, url: &str, token: &str, body: Value) -> Result<Value, Fault> {
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Bytes::from(body.to_string()))
            .map_err(|e| Fault::internal("asking a service outside", e))?;
        let answer = self.send(request).await?;
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            return Err(Fault::internal("asking a service outside", status));
        }
        // A carrier may answer nothing at all.
        Ok(serde_json::from_slice(answer.body()).unwrap_or(Value::Null))
    }
}

/// A service at an address.
pub struct Service {
    post: Arc<dyn Post>,
    clock: Arc<dyn Clock>,
    url: String,
    token: String,
    fuse: Mutex<(u32, Time)>,
}

fn not_reached() -> Fault {
    let mut fault = Fault::new(
        FaultKind::Overloaded,
        "parties.unavailable",
        "外部服务暂时无法连接，请稍后再试，或到政务服务窗口办理",
        "the service outside cannot be reached; try later, or come to a counter",
    );
    fault.retry_after_s = Some(60);
    fault
}

impl Service {
    /// A service that was configured.
    pub fn new(post: Arc<dyn Post>, clock: Arc<dyn Clock>, url: &str, token: &str) -> Service {
        Service {
            post,
            clock,
            url: url.into(),
            token: token.into(),
            fuse: Mutex::default(),
        }
    }

    async fn call(&self, body: Value) -> Result<Value, Fault> {
        let now = self.clock.now();
        if self.fuse.lock().1 > now {
            return Err(not_reached());
        }
        let call = self.post.post(&self.url, &self.token, body);
        let answer = tokio::time::timeout(WAIT, call).await;
        let mut fuse = self.fuse.lock();
        match answer {
            Ok(Ok(answer)) => {
                *fuse = (0, Time(0));
                Ok(answer)
            }
            failed => {
                // What was sent is personal and what came back may be: only the code is logged.
                let code = match failed {
                    Ok(Err(fault)) => fault.code,
                    _ => "timed out",
                };
                tracing::warn!(code, "a service outside failed");
                fuse.0 += 1;
                if fuse.0 >= FAILURES {
                    *fuse = (0, now + REST);
                }
                Err(not_reached())
            }
        }
    }
}

#[async_trait]
impl Messenger for Service {
    fn is_ready(&self) -> bool {
        true
    }
    async fn send(&self, message: Message) -> Result<(), Fault> {
        let body = json!({"to": message.to, "text": message.text});
        self.call(body).await.map(|_| ())
    }
}

fn verdict(answer: &Value) -> Result<Verdict, Fault> {
    match answer["match"].as_bool() {
        Some(true) => Ok(Verdict::Match),
        Some(false) => Ok(Verdict::NoMatch),
        None => Err(not_reached()),
    }
}

fn told(identity: &Identity) -> Value {
    json!({
        "document": identity.document, "number": identity.number, "name": identity.name,
        "birth": identity.birth,
    })
}

#[async_trait]
impl IdentityProver for Service {
    fn is_ready(&self) -> bool {
        true
    }
    fn is_demonstration(&self) -> bool {
        false
    }
    async fn prove(&self, claim: &Identity, mobile: &str) -> Result<Verdict, Fault> {
        let body = json!({"ask": "identity", "person": told(claim), "mobile": mobile});
        verdict(&self.call(body).await?)
    }
    async fn prove_guardian(&self, guardian: &Identity, ward: &Identity) -> Result<Verdict, Fault> {
        let body = json!({"ask": "guardianship", "guardian": told(guardian), "ward": told(ward)});
        verdict(&self.call(body).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ManualClock;
    use kernel::parties::{Claim, DocumentKind};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Answers what it is told to, and counts.
    struct Fake {
        answer: Option<Value>,
        asked: AtomicU32,
    }

    #[async_trait]
    impl Post for Fake {
        async fn post(&self, _: &str, token: &str, body: Value) -> Result<Value, Fault> {
            assert_eq!(token, "t0k");
            assert!(body["person"]["number"].is_string());
            self.asked.fetch_add(1, Ordering::SeqCst);
            let failed = || Fault::internal("asking", "down");
            self.answer.clone().ok_or_else(failed)
        }
    }

    async fn ask(service: &Service) -> Result<Verdict, Fault> {
        let (number, name) = parties::demo_person(1);
        let claim = Claim {
            document: DocumentKind::CitizenNumber,
            number,
            name,
            birth: None,
        };
        let claim = claim.check(Time(1_790_000_000_000_000));
        service
            .prove(&claim.unwrap_or_else(|p| panic!("{p:?}")), "13800000001")
            .await
    }

    fn service(answer: Option<Value>) -> (Arc<Fake>, Arc<ManualClock>, Service) {
        let fake = Arc::new(Fake {
            answer,
            asked: AtomicU32::new(0),
        });
        let clock = Arc::new(ManualClock::new(Time(0)));
        let service = Service::new(fake.clone(), clock.clone(), "http://x/", "t0k");
        (fake, clock, service)
    }

    #[tokio::test]
    async fn answers_are_read_strictly() {
        for (answer, expect) in [
            (json!({"match": true}), Ok(Verdict::Match)),
            (json!({"match": false}), Ok(Verdict::NoMatch)),
            (json!({"match": "true"}), Err("parties.unavailable")),
            (json!({}), Err("parties.unavailable")),
            (json!(true), Err("parties.unavailable")),
        ] {
            let (_, _, service) = service(Some(answer.clone()));
            let found = ask(&service).await.map_err(|fault| fault.code);
            assert_eq!(found, expect, "{answer}");
        }
    }

    #[tokio::test]
    async fn a_service_that_fails_is_left_alone_for_a_while() {
        let (fake, clock, service) = service(None);
        for _ in 0..12 {
            assert!(ask(&service).await.is_err());
        }
        assert_eq!(fake.asked.load(Ordering::SeqCst), FAILURES);
        clock.advance(REST);
        assert!(ask(&service).await.is_err());
        assert_eq!(fake.asked.load(Ordering::SeqCst), FAILURES + 1);
    }
}
