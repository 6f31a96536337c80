//! Providers in front of this city: a city that has one already (Keycloak, the provincial one)
//! signs its people in there. The operator says which, how its claims become roles and an
//! organisation, and whether an account may be made for somebody new.

mod flow;
mod metadata;
mod registry;

pub use flow::{Arrival, Begun};
pub use registry::{Upstream, UpstreamInfo, UpstreamSpec};

use metadata::Metadata;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// What is remembered of providers. Bounded by their number.
#[derive(Default)]
pub(crate) struct Remembered {
    metadata: Mutex<HashMap<String, Arc<Metadata>>>,
}
