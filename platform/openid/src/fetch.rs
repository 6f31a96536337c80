//! Calls to others: the program makes them, through its one door that judges every address
//! (server-side request forgery), follows nothing, and limits size and time.

use async_trait::async_trait;

/// A call to be made.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// What was answered.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// HTTP status.
    pub status: u16,
    /// Body, within the limit of the caller.
    pub body: Vec<u8>,
}

/// Makes calls.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Makes a call; an error says in English why it failed.
    async fn fetch(&self, call: Outgoing) -> Result<Incoming, String>;
}
