//! Sealing and signing anew: what lies under an older key is opened and sealed with the newest,
//! and what an older key signed is verified and signed with the newest, a few rows at a time, so
//! that the older keys can be retired without losing or doubting a licence.

use crate::Engine;
use crate::content::place;
use kernel::Fault;
use kernel::crypto::{Algorithm, Ring, Signature};
use store::licences::{self as rows, LicenceRow};

/// Rows of one transaction.
const BATCH: u64 = 200;

impl Engine {
    /// Seals and signs everything anew that is not under the newest keys; says how many licences.
    /// A job, and done before an old key is retired. What is not what was signed is left as it is,
    /// so that its verification goes on saying so.
    pub async fn reseal(&self) -> Result<u64, Fault> {
        let keys = self.crypto().public_keys(Ring::Seal)?;
        let newest = keys.into_iter().find(|key| key.current);
        let newest = newest.map(|key| key.key).unwrap_or_default();
        let mut done = 0;
        let mut after = String::new();
        loop {
            let mut tx = self.store.begin().await?;
            let page = rows::licences_after(&mut tx, &after, BATCH).await?;
            let Some(last) = page.last() else { break };
            after = last.id.clone();
            for row in page {
                let sealed = self.crypto().is_current(Ring::Secrets, &row.sealed);
                if sealed && row.signed_by == newest {
                    continue;
                }
                if let Some(row) = self.anew(row)? {
                    rows::put_signed(&mut tx, &row).await?;
                    done += 1;
                }
            }
            tx.commit().await?;
        }
        if !self.sealing.is_done(&self.store).await? {
            self.sealing.finish(&self.store).await?;
        }
        Ok(done)
    }

    fn anew(&self, mut row: LicenceRow) -> Result<Option<LicenceRow>, Fault> {
        let place = place(&row.id);
        let Ok(bytes) = self.sealing.open_bytes(&place, &row.sealed) else {
            return Ok(None);
        };
        let Some(algorithm) = Algorithm::parse(&row.algorithm) else {
            return Ok(None);
        };
        let old = Signature {
            key: row.signed_by.clone(),
            algorithm,
            bytes: row.signature.clone(),
        };
        if !self.crypto().verify(Ring::Seal, &bytes, &old)? {
            return Ok(None);
        }
        let signature = self.crypto().sign(Ring::Seal, &bytes)?;
        row.sealed = self.sealing.seal(&place, &bytes)?;
        row.signed_by = signature.key;
        row.algorithm = signature.algorithm.word().into();
        row.signature = signature.bytes;
        Ok(Some(row))
    }
}
