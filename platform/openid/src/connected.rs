//! Connected applications: what a person let which applications have, and taking it back.

use crate::clients::Client;
use crate::{Deed, Engine, record};
use kernel::access::Actor;
use kernel::{Fault, Time, Words};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use store::openid as table;

/// An application a person is connected with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Connected {
    /// `client_id`.
    pub client: String,
    /// Name.
    pub name: Words,
    /// For what.
    pub purpose: Words,
    /// Who answers for it.
    pub organisation: Option<String>,
    /// Scopes it may use without asking again.
    pub remembered: Vec<String>,
    /// Scopes of authorisations in force.
    pub scopes: Vec<String>,
    /// Signed in with it last at.
    pub last_used: Option<Time>,
    /// It may go on while the person is away.
    pub offline: bool,
}

fn add(list: &mut Vec<String>, scopes: &str) {
    for scope in scopes.split(' ').filter(|scope| !scope.is_empty()) {
        if !list.iter().any(|held| held == scope) {
            list.push(scope.into());
        }
    }
}

impl Engine {
    /// The applications an account is connected with, in order of identification.
    pub async fn connected(&self, account: &str) -> Result<Vec<Connected>, Fault> {
        let now = self.clock.now().0;
        let mut reader = self.store.reader().await?;
        let consents = table::consents_of(&mut reader, account).await?;
        let grants = table::open_grants_of(&mut reader, account, now).await?;
        let mut found: BTreeMap<String, Connected> = BTreeMap::new();
        let ids = consents.iter().map(|row| &row.client);
        for id in ids.chain(grants.iter().map(|row| &row.client)) {
            if found.contains_key(id) {
                continue;
            }
            if let Some(row) = table::client(&mut reader, id).await? {
                let client = Client::of(row)?;
                let connected = Connected {
                    client: id.clone(),
                    name: client.spec.name,
                    purpose: client.spec.purpose,
                    organisation: client.spec.organisation,
                    remembered: vec![],
                    scopes: vec![],
                    last_used: None,
                    offline: false,
                };
                found.insert(id.clone(), connected);
            }
        }
        for row in &consents {
            if let Some(connected) = found.get_mut(&row.client) {
                add(&mut connected.remembered, &row.scopes);
            }
        }
        for row in &grants {
            if let Some(connected) = found.get_mut(&row.client) {
                add(&mut connected.scopes, &row.scopes);
                connected.offline |= crate::claims::has(&row.scopes, "offline_access");
                let at = Some(Time(row.created_at));
                connected.last_used = connected.last_used.max(at);
            }
        }
        Ok(found.into_values().collect())
    }

    /// Takes everything back from an application: consent is forgotten, its tokens end at once.
    pub async fn disconnect(&self, by: &Actor, client: &str) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let forgot = table::remove_consent(&mut tx, &by.account, client).await?;
        let ended = table::end_grants_of(
            &mut tx,
            client,
            Some(&by.account),
            now.0,
            "taken back by the person",
        )
        .await?;
        if !forgot && ended == 0 {
            return Err(Fault::missing("application"));
        }
        let deed = Deed {
            at: now,
            by,
            verb: "consent",
            subject: client,
            details: json!({ "what": "taken back", "ended": ended }),
            outcome: "done",
        };
        record(&mut tx, deed).await?;
        tx.commit().await
    }
}
