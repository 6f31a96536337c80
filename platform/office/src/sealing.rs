//! Sealing: recipients and texts under the city's keys, each bound to its place.

use kernel::Fault;
use kernel::crypto::{Crypto, Ring};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The city's keys as the message centre uses them.
pub(crate) struct Sealing(pub(crate) Arc<dyn Crypto>);

impl Sealing {
    /// Seals a value for one place.
    pub(crate) fn seal<T: Serialize>(&self, place: &str, value: &T) -> Result<Vec<u8>, Fault> {
        let plain = serde_json::to_vec(value).map_err(|e| Fault::internal("sealing", e))?;
        self.0.seal(Ring::Secrets, place.as_bytes(), &plain)
    }

    /// Opens what was sealed for this place.
    pub(crate) fn open<T: DeserializeOwned>(&self, place: &str, sealed: &[u8]) -> Result<T, Fault> {
        let plain = self.0.open(Ring::Secrets, place.as_bytes(), sealed)?;
        // The text of the error could hold what was sealed.
        serde_json::from_slice(&plain)
            .map_err(|_| Fault::internal("opening a sealed value", "form"))
    }

    /// The same value under the newest key; `None` when it is.
    pub(crate) fn anew(&self, place: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        if self.0.is_current(Ring::Secrets, sealed) {
            return Ok(None);
        }
        let plain = self.0.open(Ring::Secrets, place.as_bytes(), sealed)?;
        self.0
            .seal(Ring::Secrets, place.as_bytes(), &plain)
            .map(Some)
    }
}
