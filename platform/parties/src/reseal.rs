//! Sealing anew: what lies sealed under an older key is opened and sealed with the newest, a few
//! rows at a time, so that the older key can be retired without losing anybody.

use crate::Engine;
use kernel::Fault;
use store::parties::{self as rows, SealedIn, SealedRow};

/// Rows of one transaction.
const BATCH: u64 = 500;

/// Where a value was sealed for: the first place it opens at is the right one.
fn places(which: SealedIn, key: &str) -> Vec<String> {
    let party = |id: &str| vec![format!("parties/{id}"), format!("parties/held/{id}")];
    match which {
        SealedIn::Parties => party(key),
        SealedIn::Accounts => vec![format!("portal_accounts/{key}")],
        SealedIn::Ties => vec![format!("party_ties/{key}")],
        SealedIn::Requests => vec![format!("party_requests/{key}")],
        SealedIn::Steps => match key.strip_prefix("account:") {
            Some(account) => vec![format!("portal_accounts/{account}")],
            None => party(key),
        },
    }
}

impl Engine {
    /// Seals everything anew that is not under the newest key; says how many values. A job, and
    /// done before an old key is retired; the key of the digests comes last, so that it also says
    /// whether anything is left to do.
    pub async fn reseal(&self) -> Result<u64, Fault> {
        if self.sealing.is_done(&self.store).await? {
            return Ok(0);
        }
        let mut done = 0;
        for which in SealedIn::ALL {
            let mut after = (String::new(), 0);
            loop {
                let mut tx = self.store.begin().await?;
                let page = rows::sealed(&mut tx, which, &after, BATCH).await?;
                let Some(last) = page.last() else { break };
                after = (last.key.clone(), last.version);
                for row in page {
                    if let Some(bytes) = self.anew(which, &row)? {
                        rows::put_sealed(&mut tx, which, &SealedRow { bytes, ..row }).await?;
                        done += 1;
                    }
                }
                tx.commit().await?;
            }
        }
        self.sealing.finish(&self.store).await?;
        Ok(done + 1)
    }

    fn anew(&self, which: SealedIn, row: &SealedRow) -> Result<Option<Vec<u8>>, Fault> {
        if self.sealing.is_current(&row.bytes) {
            return Ok(None);
        }
        let mut fault = None;
        for place in places(which, &row.key) {
            match self.sealing.anew(&place, &row.bytes) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(why) => fault = Some(why),
            }
        }
        fault.map_or(Ok(None), Err)
    }
}
