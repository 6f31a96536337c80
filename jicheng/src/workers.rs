//! Who works for the city, for the engine of cases: accounts with a position or with roles beyond
//! those of residents; and which organisation has the work of one that stands no longer.

use crate::persons::RESIDENT;
use async_trait::async_trait;
use kernel::Fault;
use kernel::cases::{People, Worker};
use kernel::fault::FaultKind;
use kernel::organisations::Organisations;
use std::sync::Arc;

/// Officials of the city.
pub struct Workers {
    /// Accounts.
    pub identity: Arc<identity::Engine>,
    /// The tree, and who holds which position.
    pub organisations: Arc<organisations::Engine>,
}

#[async_trait]
impl People for Workers {
    async fn worker(&self, account: &str) -> Result<Worker, Fault> {
        let found = match self.identity.account(account).await {
            Ok(found) => found,
            Err(fault) if fault.kind == FaultKind::Missing => return Ok(Worker::Unknown),
            Err(fault) => return Err(fault),
        };
        if found.disabled {
            return Ok(Worker::Disabled);
        }
        let mut actor = found.actor();
        self.organisations.dress(&mut actor);
        let official = actor.roles.iter().any(|role| role != RESIDENT);
        Ok(if official {
            Worker::Official
        } else {
            Worker::Resident
        })
    }

    fn successor(&self, organisation: &str) -> Option<String> {
        self.organisations.successor(organisation)
    }

    fn predecessors(&self, organisation: &str) -> Vec<String> {
        self.organisations.predecessors(organisation)
    }
}
