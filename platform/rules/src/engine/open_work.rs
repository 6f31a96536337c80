//! Alerts as open work: what an officer has in hand when they move, and how it goes to a
//! successor or back into the queue.

use super::*;
use kernel::fault::Words;
use kernel::organisations::{OpenItem, OpenWork, Successor};
use std::any::Any;
use store::Tx;

#[async_trait]
impl OpenWork for Engine {
    fn kind(&self) -> &'static str {
        "alert"
    }

    async fn of(&self, account: &str, limit: usize) -> Result<Vec<OpenItem>, Fault> {
        let mut filter = AlertFilter {
            states: vec![
                AlertState::Open,
                AlertState::Acknowledged,
                AlertState::Assigned,
            ],
            assignee: Some(account.into()),
            limit: 1000,
            ..AlertFilter::default()
        };
        let mut items = vec![];
        loop {
            let (alerts, next, _) = self.list(&filter).await?;
            items.extend(alerts.into_iter().map(|alert| OpenItem {
                kind: "alert".into(),
                id: alert.id,
                title: Words::new(
                    format!("{}（{}）", alert.title.zh, alert.thing),
                    format!("{} ({})", alert.title.en, alert.thing),
                ),
                since: alert.raised_at,
            }));
            filter.after = next;
            if filter.after.is_none() || items.len() >= limit {
                break;
            }
        }
        items.sort_by_key(|item| item.since);
        items.truncate(limit);
        Ok(items)
    }

    async fn hand_over(
        &self,
        transaction: &mut (dyn Any + Send),
        by: &Actor,
        id: &str,
        from: &str,
        to: &Successor,
    ) -> Result<bool, Fault> {
        let Some(tx) = transaction.downcast_mut::<Tx>() else {
            return Err(Fault::internal(
                "handing over an alert",
                "not a transaction",
            ));
        };
        let now = self.clock.now();
        let Some(mut row) = table::get(tx, id).await? else {
            return Ok(false);
        };
        let theirs = row.alert.assignee.as_deref() == Some(from);
        if !theirs || row.alert.state == AlertState::Closed {
            return Ok(false);
        }
        match to {
            Successor::Account(name) => {
                let verb = AlertVerb::Assign { to: name.clone() };
                officer::act(&mut row.alert, by, &verb, None, now)?;
            }
            Successor::Queue => officer::give_back(&mut row.alert, by, now),
        }
        let entry = AuditEntry {
            at: now,
            account: by.account.clone(),
            verb: "assign".into(),
            object: "alerts".into(),
            subject: id.into(),
            purpose: by.grant.purpose.clone(),
            basis: by.grant.basis.clone(),
            details: serde_json::json!({ "hand_over": { "from": from, "to": to } }),
            outcome: "done".into(),
        };
        writer::put(tx, &row, now).await?;
        store::audit::append(tx, &entry).await?;
        Ok(true)
    }
}
