//! Signing in through a provider in front of this city: whoever calls this has verified that the
//! provider speaks for the account. The provider's proof counts as a factor of its own.

use crate::Engine;
use crate::accounts::find;
use crate::sessions::{Origin, SignedIn};
use kernel::Fault;
use kernel::fault::FaultKind;

impl Engine {
    /// Opens a session for an account that a provider spoke for; `access.denied` when it is
    /// disabled.
    pub async fn sign_in_federated(
        &self,
        account: &str,
        origin: &Origin,
    ) -> Result<SignedIn, Fault> {
        let mut tx = self.store.begin().await?;
        let mut row = find(&mut tx, account).await?;
        if row.disabled {
            return Err(Fault::new(
                FaultKind::Denied,
                "access.denied",
                "该账号已停用",
                "this account is disabled",
            ));
        }
        let opened = self
            .open_session(&mut tx, &mut row, &["federated"], origin)
            .await?;
        tx.commit().await?;
        Ok(opened)
    }
}
