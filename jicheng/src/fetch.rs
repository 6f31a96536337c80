//! The OpenID engine's calls to other machines, through the program's one door to them.

use crate::outgoing::Outgoing;
use bytes::Bytes;
use openid::{Fetch, Incoming, Outgoing as Call};
use std::time::Duration;

/// Bytes of an answer, at most.
const ANSWER_LIMIT: usize = 256 * 1024;
/// A call takes so long at most, all of it.
const TIME_OUT: Duration = Duration::from_secs(10);
/// Calls under way at once, at most.
const AT_ONCE: usize = 32;

/// Makes the calls.
pub struct Caller {
    door: Outgoing,
    room: tokio::sync::Semaphore,
}

impl Caller {
    /// Through this door.
    pub fn new(door: Outgoing) -> Caller {
        Caller {
            door,
            room: tokio::sync::Semaphore::new(AT_ONCE),
        }
    }
}

#[async_trait::async_trait]
impl Fetch for Caller {
    async fn fetch(&self, call: Call) -> Result<Incoming, String> {
        let Ok(_place) = self.room.try_acquire() else {
            return Err("too many calls are under way".into());
        };
        let mut request = hyper::Request::builder()
            .method(call.method)
            .uri(&call.url)
            .header("accept", "application/json");
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let request = request
            .body(Bytes::from(call.body))
            .map_err(|e| e.to_string())?;
        let answer = self
            .door
            .send_within(request, ANSWER_LIMIT, TIME_OUT)
            .await
            .map_err(|fault| fault.words.en)?;
        Ok(Incoming {
            status: answer.status().as_u16(),
            body: answer.into_body().to_vec(),
        })
    }
}
