//! reqwest, without a network: the few items of that crate the FEEL evaluator names, none of which
//! sends anything. The evaluator calls them for external Java functions only, and models with such
//! functions are refused before; this is the second lock on the same door.

use std::fmt;

/// Why nothing was sent.
#[derive(Debug)]
pub struct Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("external functions are not carried out")
    }
}

impl std::error::Error for Error {}

/// The blocking client.
pub mod blocking {
    use super::Error;
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    /// A client that sends nothing.
    #[derive(Debug, Default)]
    pub struct Client;

    impl Client {
        /// A client.
        pub fn new() -> Client {
            Client
        }

        /// A request that will not be sent.
        pub fn post(&self, _url: &str) -> RequestBuilder {
            RequestBuilder
        }
    }

    /// A request that will not be sent.
    #[derive(Debug)]
    pub struct RequestBuilder;

    impl RequestBuilder {
        /// Takes a body, and drops it.
        pub fn json<T: Serialize + ?Sized>(self, _body: &T) -> RequestBuilder {
            self
        }

        /// Fails.
        pub fn send(self) -> Result<Response, Error> {
            Err(Error)
        }
    }

    /// An answer; there is none.
    #[derive(Debug)]
    pub enum Response {}

    impl Response {
        /// Reads the answer there is none of.
        pub fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
            match self {}
        }
    }
}
