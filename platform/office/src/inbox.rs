//! The inbox: what came to an account, for members and residents alike. Everybody sees their own
//! and nobody else's, so no policy is asked; who is not signed in has none.

use crate::Centre;
use crate::queue::{Entry, inbox_place};
use crate::say::{Deed, problem, record};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::messages::{InboxEntry, InboxFilter, Which};
use kernel::page::{PAGE_LIMIT, Page, Part};
use kernel::{Fault, Time};
use serde_json::json;
use store::messages as rows;

fn own(by: &Actor) -> Result<&str, Fault> {
    if by.account.is_empty() {
        return Err(Fault::new(
            FaultKind::SignIn,
            "access.sign_in",
            "请先登录",
            "please sign in",
        ));
    }
    Ok(&by.account)
}

impl Centre {
    pub(crate) async fn entries(
        &self,
        by: &Actor,
        filter: &InboxFilter,
    ) -> Result<Page<InboxEntry>, Fault> {
        let account = own(by)?;
        let part = Part {
            after: filter.after.clone(),
            limit: filter.limit,
        };
        let mut reader = self.store.reader().await?;
        let after = part.after.as_deref();
        let size = part.size();
        let (found, total) =
            rows::inbox(&mut reader, account, filter.unread, after, size + 1).await?;
        let mut items = vec![];
        for row in found.iter().take(size as usize) {
            let entry: Entry = self.sealing.open(&inbox_place(&row.id), &row.sealed)?;
            items.push(InboxEntry {
                id: row.id.clone(),
                at: Time(row.at),
                subject: entry.subject,
                text: entry.text,
                about: row.about.clone(),
                read_at: row.read_at.map(Time),
            });
        }
        let more = found.len() as u64 > size;
        let next = more.then(|| items.last().map(|e| e.id.clone())).flatten();
        Ok(Page { items, next, total })
    }

    pub(crate) async fn count_unread(&self, by: &Actor) -> Result<u64, Fault> {
        let account = own(by)?;
        rows::unread(&mut self.store.reader().await?, account).await
    }

    pub(crate) async fn mark(&self, by: &Actor, which: &Which) -> Result<u64, Fault> {
        let account = own(by)?;
        let ids = match which {
            Which::All => None,
            Which::Ids(ids) if ids.len() as u64 > PAGE_LIMIT || ids.is_empty() => {
                let (zh, en) = ("一次 1 至 200 条", "1 to 200 at once");
                return Err(Fault::invalid(vec![problem("ids", zh, en)]));
            }
            Which::Ids(ids) => Some(ids.as_slice()),
        };
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let marked = rows::mark_read(&mut tx, account, ids, now.0).await?;
        if marked > 0 {
            let deed = Deed {
                verb: "write",
                object: "inbox",
                subject: account,
                what: "read",
                details: json!({ "count": marked }),
            };
            record(&mut tx, now, by, deed).await?;
        }
        tx.commit().await?;
        Ok(marked)
    }
}
