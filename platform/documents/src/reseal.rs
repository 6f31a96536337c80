//! Sealing anew: what lies under an older key is opened and sealed with the newest, a few rows at
//! a time, so that the older key can be retired without losing a file. What cannot be opened is
//! left as it is, so that reading it goes on saying so.

use crate::Engine;
use crate::keeping::{name_place, place};
use kernel::Fault;
use kernel::crypto::Ring;
use store::files as rows;

/// Rows of one transaction.
const BATCH: u64 = 20;

/// Sealed with the newest key, when it is not already and can be opened.
fn anew(engine: &Engine, place: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    if engine.crypto.is_current(Ring::Secrets, sealed) {
        return Ok(None);
    }
    match engine.crypto.open(Ring::Secrets, place.as_bytes(), sealed) {
        Ok(plain) => Ok(Some(engine.crypto.seal(
            Ring::Secrets,
            place.as_bytes(),
            &plain,
        )?)),
        Err(_) => Ok(None),
    }
}

pub(crate) async fn reseal(engine: &Engine) -> Result<u64, Fault> {
    let mut done = files(engine).await?;
    done += letters(engine).await?;
    engine.authority.reseal().await?;
    Ok(done)
}

async fn files(engine: &Engine) -> Result<u64, Fault> {
    let (mut done, mut after) = (0, String::new());
    loop {
        let page = rows::files_after(&mut engine.store.reader().await?, &after, BATCH).await?;
        let Some(last) = page.last() else {
            return Ok(done);
        };
        after = last.id.clone();
        for row in page {
            let mut tx = engine.store.begin().await?;
            let mut changed = false;
            if let Some(sealed) = anew(engine, &name_place(&row.id), &row.sealed_name)? {
                rows::put_name(&mut tx, &row.id, sealed).await?;
                changed = true;
            }
            for n in 0..row.chunks {
                let Some(sealed) = rows::chunk(&mut tx, &row.id, n).await? else {
                    continue;
                };
                if let Some(sealed) = anew(engine, &place(&row.id, n, row.chunks), &sealed)? {
                    rows::put_chunk(&mut tx, &row.id, n, sealed).await?;
                    changed = true;
                }
            }
            if changed {
                tx.commit().await?;
                done += 1;
            }
        }
    }
}

async fn letters(engine: &Engine) -> Result<u64, Fault> {
    let (mut done, mut after) = (0, String::new());
    loop {
        let page = rows::letters_after(&mut engine.store.reader().await?, &after, BATCH).await?;
        let Some(last) = page.last() else {
            return Ok(done);
        };
        after = last.id.clone();
        let mut tx = engine.store.begin().await?;
        let before = done;
        for row in page {
            if let Some(sealed) = anew(engine, &format!("letters/{}", row.id), &row.sealed)? {
                rows::put_request(&mut tx, &row.id, sealed).await?;
                done += 1;
            }
        }
        if done > before {
            tx.commit().await?;
        }
    }
}
