//! What the parties engine needs of the rest of the house and of services outside: accounts of
//! residents, short messages, verification of identities. A demonstration brings its own.

use crate::config::Config;
use crate::outgoing::Outgoing;
use crate::services::Service;
use async_trait::async_trait;
use kernel::access::Actor;
use kernel::crypto::Crypto;
use kernel::declare::Declared;
use kernel::fault::FaultKind;
use kernel::parties::{
    Identity, IdentityProver, Message, Messenger, NewResident, ResidentAccounts, Verdict,
};
use kernel::{Clock, Fault, Problem};
use parties::{Catcher, DemoProver, Means};
use std::sync::Arc;

/// Role of everybody who registered on the portal.
pub(crate) const RESIDENT: &str = "resident";

/// Accounts of residents, kept by the identity engine.
struct Residents {
    identity: Arc<identity::Engine>,
    /// Roles of a new account.
    roles: Vec<String>,
}

/// Residents act on their own accounts.
fn themselves(account: &str) -> Actor {
    Actor {
        account: account.into(),
        ..Actor::default()
    }
}

#[async_trait]
impl ResidentAccounts for Residents {
    async fn create(&self, new: NewResident) -> Result<(), Fault> {
        let by = themselves(&new.name);
        let new = identity::NewAccount {
            name: new.name,
            display: new.display,
            password: new.password,
            roles: self.roles.clone(),
            organisation: None,
        };
        self.identity.create(&by, new).await.map(|_| ())
    }

    fn problems(&self, new: &NewResident) -> Vec<Problem> {
        self.identity
            .password_problems(&new.name, &new.password, "password")
    }

    async fn exists(&self, account: &str) -> Result<bool, Fault> {
        match self.identity.account(account).await {
            Ok(found) => Ok(!found.disabled),
            Err(fault) if fault.kind == FaultKind::Missing => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    async fn set_password(&self, account: &str, password: &str) -> Result<(), Fault> {
        let change = identity::AccountChange {
            password: Some(password.into()),
            ..identity::AccountChange::default()
        };
        let by = themselves(account);
        self.identity
            .change(&by, account, change, None)
            .await
            .map(|_| ())
    }

    async fn close(&self, account: &str) -> Result<(), Fault> {
        let change = identity::AccountChange {
            disabled: Some(true),
            ..identity::AccountChange::default()
        };
        let by = themselves(account);
        self.identity
            .change(&by, account, change, None)
            .await
            .map(|_| ())
    }
}

/// A city that has connected no service.
struct Nothing;

#[async_trait]
impl Messenger for Nothing {
    fn is_ready(&self) -> bool {
        false
    }
    async fn send(&self, _: Message) -> Result<(), Fault> {
        Err(Fault::overloaded("messages", 60))
    }
}

#[async_trait]
impl IdentityProver for Nothing {
    fn is_ready(&self) -> bool {
        false
    }
    fn is_demonstration(&self) -> bool {
        false
    }
    async fn prove(&self, _: &Identity, _: &str) -> Result<Verdict, Fault> {
        Err(Fault::overloaded("verification", 60))
    }
    async fn prove_guardian(&self, _: &Identity, _: &Identity) -> Result<Verdict, Fault> {
        Err(Fault::overloaded("verification", 60))
    }
}

/// What the engine works with: the city's own services where they are configured; in a
/// demonstration synthetic persons and a catcher of messages. The catcher is answered as well.
pub fn means(
    config: &Config,
    outgoing: &Outgoing,
    demonstration: bool,
    identity: Arc<identity::Engine>,
    declared: &Declared,
    crypto: Arc<dyn Crypto>,
    clock: Arc<dyn Clock>,
) -> (Means, Option<Arc<Catcher>>) {
    let service = |name: &str| {
        let (url, token) = (
            config.text(&format!("{name}_url")),
            config.text(&format!("{name}_token")),
        );
        let there = || Service::new(Arc::new(outgoing.clone()), clock.clone(), url, token);
        (!url.is_empty()).then(there).map(Arc::new)
    };
    let carrier = service("sms");
    let catcher =
        (demonstration && carrier.is_none()).then(|| Arc::new(Catcher::new(clock.clone())));
    let messenger: Arc<dyn Messenger> = match (carrier, &catcher) {
        (Some(carrier), _) => carrier,
        (None, Some(catcher)) => catcher.clone(),
        (None, None) => Arc::new(Nothing),
    };
    let prover: Arc<dyn IdentityProver> = match (demonstration, service("prover")) {
        // Synthetic persons are known to nobody else.
        (true, _) => Arc::new(DemoProver),
        (false, Some(prover)) => prover,
        (false, None) => Arc::new(Nothing),
    };
    let declared = declared.roles().into_iter().map(|role| role.name);
    let roles = declared.filter(|name| name == RESIDENT).collect();
    let means = Means {
        crypto,
        messenger,
        prover,
        accounts: Arc::new(Residents { identity, roles }),
    };
    (means, catcher)
}
