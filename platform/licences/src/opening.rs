//! Opening: the rows of what is shown. Those who verify at once are answered from the same few
//! statements; each sees everything that was on the disk when it was asked.

use kernel::Fault;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::Store;
use store::licences::{self as rows, By, LicenceRow, TokenRow};
use store::together::{Together, each};

/// What is opened with the same statements, at most.
const BATCH: usize = 128;
/// Who waits, at most; more are refused with `system.overloaded`.
const WAITING: usize = 10_000;

/// By what a licence is opened.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    /// Digest of a secret it is shown with.
    Secret(String),
    /// Its identifier.
    Identifier(String),
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened {
    pub(crate) secret: Option<TokenRow>,
    pub(crate) licence: Option<LicenceRow>,
}

/// Opens licences.
pub(crate) struct Opening {
    store: Store,
    queue: Arc<Together<Key, Opened>>,
}

impl Opening {
    pub(crate) fn new(store: Store) -> Arc<Opening> {
        Arc::new(Opening {
            store,
            queue: Together::new("licences", BATCH, WAITING),
        })
    }

    pub(crate) async fn open(self: &Arc<Opening>, key: Key) -> Result<Opened, Fault> {
        let opening = self.clone();
        let work = move |keys: Vec<Key>| {
            let opening = opening.clone();
            async move { each(keys.len(), opening.read(&keys).await) }
        };
        self.queue.ask(key, work).await
    }

    async fn read(&self, keys: &[Key]) -> Result<Vec<Opened>, Fault> {
        let (mut digests, mut identifiers) = (BTreeSet::new(), BTreeSet::new());
        for key in keys {
            match key {
                Key::Secret(digest) => digests.insert(digest.as_str()),
                Key::Identifier(identifier) => identifiers.insert(identifier.as_str()),
            };
        }
        let mut reader = self.store.reader().await?;
        let digests: Vec<&str> = digests.into_iter().collect();
        let secrets = rows::tokens(&mut reader, &digests).await?;
        let ids: BTreeSet<&str> = secrets.iter().map(|row| row.licence.as_str()).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let mut licences = rows::licences_by(&mut reader, By::Id, &ids).await?;
        let identifiers: Vec<&str> = identifiers.into_iter().collect();
        licences.extend(rows::licences_by(&mut reader, By::Identifier, &identifiers).await?);
        drop(reader);
        let secrets: BTreeMap<&str, &TokenRow> = secrets
            .iter()
            .map(|row| (row.digest.as_str(), row))
            .collect();
        let by_id: BTreeMap<&str, &LicenceRow> =
            licences.iter().map(|row| (row.id.as_str(), row)).collect();
        let by_identifier: BTreeMap<&str, &LicenceRow> = licences
            .iter()
            .map(|row| (row.identifier.as_str(), row))
            .collect();
        let opened = keys.iter().map(|key| match key {
            Key::Secret(digest) => {
                let secret = secrets.get(digest.as_str()).copied();
                let licence = secret.and_then(|row| by_id.get(row.licence.as_str()));
                Opened {
                    secret: secret.cloned(),
                    licence: licence.copied().cloned(),
                }
            }
            Key::Identifier(identifier) => Opened {
                secret: None,
                licence: by_identifier.get(identifier.as_str()).copied().cloned(),
            },
        });
        Ok(opened.collect())
    }
}
