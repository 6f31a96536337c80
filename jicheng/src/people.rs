//! What applications may be told of the people of this city, from the engines that know it.

use kernel::Fault;
use kernel::declare::Declared;
use kernel::fault::FaultKind;
use openid::{People, Person};
use std::sync::Arc;

/// The people of the city, for the OpenID engine.
pub struct CityPeople {
    /// Accounts.
    pub identity: Arc<identity::Engine>,
    /// Declarations, for names of organisations.
    pub declared: Arc<Declared>,
}

#[async_trait::async_trait]
impl People for CityPeople {
    async fn person(&self, account: &str) -> Result<Option<Person>, Fault> {
        let found = match self.identity.account(account).await {
            Ok(found) => found,
            Err(fault) if fault.kind == FaultKind::Missing => return Ok(None),
            Err(fault) => return Err(fault),
        };
        if found.disabled {
            return Ok(None);
        }
        let organisation = found.organisation.map(|code| {
            let known = self
                .declared
                .city
                .organisations
                .iter()
                .find(|o| o.code == code);
            let name = known.map_or(code.clone(), |known| known.title.zh.clone());
            (code, name)
        });
        Ok(Some(Person {
            account: found.name,
            display: found.display,
            // Nothing keeps verified addresses yet; what is not known is not told.
            email: None,
            phone: None,
            organisation,
            roles: found.roles,
        }))
    }
}
