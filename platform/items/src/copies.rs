//! Working copies: what a designer writes before it is published. One copy an item; who has not seen
//! it as it stands cannot overwrite it.

use crate::catalogue::{Entry, GONE, Listed, word};
use crate::say::brief;
use crate::{CONTENT_LIMIT, Engine, ITEMS, check, digest, missing};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::items::{Item, ItemState, WorkingCopy};
use kernel::{Fault, Time};
use serde_json::{Value, json};
use store::items::{CopyRow, ItemRow};

/// Is it `a-z0-9_`, 2 to 60?
fn is_item_name(name: &str) -> bool {
    (2..=60).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

pub(crate) fn named(item: &str) -> Result<(), Fault> {
    if is_item_name(item) {
        return Ok(());
    }
    Err(Fault::invalid_at(
        "/item",
        "事项名应为 2 至 60 个小写字母、数字或 _",
        "the name of an item is 2 to 60 of a-z 0-9 _",
    ))
}

pub(crate) fn stale(zh: String, en: String) -> Fault {
    Fault::new(FaultKind::Conflict, "input.stale", zh, en)
}

pub(crate) fn conflict(zh: &str, en: &str) -> Fault {
    Fault::new(FaultKind::Conflict, "input.conflict", zh, en)
}

fn saved_by_another(copy: &CopyRow) -> Fault {
    let who = brief(&copy.saved_by);
    stale(
        format!("{who} 已保存了修改，请重新打开后再改"),
        format!("{who} saved a change since; open it again and start from there"),
    )
}

impl Engine {
    pub(crate) async fn save_copy(
        &self,
        by: &Actor,
        item: &str,
        seen: Option<&str>,
        content: &Value,
    ) -> Result<WorkingCopy, Fault> {
        named(item)?;
        let text = content.to_string();
        if !content.is_object() || text.len() > CONTENT_LIMIT {
            return Err(Fault::invalid_at(
                "/content",
                format!("应为键值结构，最多 {CONTENT_LIMIT} 字节"),
                format!("expected an object of at most {CONTENT_LIMIT} bytes"),
            ));
        }
        self.look().await?;
        let problems = check::check(content, Some(item), self).await?;
        let mut tx = self.store.begin().await?;
        let row = store::items::get(&mut tx, item).await?;
        if row.is_none() && store::items::count(&mut tx).await? >= ITEMS {
            return Err(conflict("事项过多", "there are too many items"));
        }
        let row = row.filter(|row| row.state != GONE);
        if row
            .as_ref()
            .is_some_and(|row| row.state == word(ItemState::Cancelled))
        {
            return Err(conflict("事项已取消，不能再改", "the item was cancelled"));
        }
        let before = store::items::copy(&mut tx, item).await?;
        let newest = row.as_ref().map_or(0, |row| row.version);
        let from_version = match &before {
            Some(copy) => {
                let fits = match seen {
                    Some(seen) => seen == copy.digest,
                    None => copy.saved_by == by.account,
                };
                if !fits {
                    return Err(saved_by_another(copy));
                }
                copy.from_version
            }
            None => {
                if let Some(seen) = seen {
                    self.demand_seen(&mut tx, item, newest, seen).await?;
                }
                newest
            }
        };
        let copy = CopyRow {
            item: item.into(),
            digest: digest(&text),
            content: text,
            saved_at: self.clock.now().0,
            saved_by: by.account.clone(),
            from_version,
        };
        store::items::put_copy(&mut tx, &copy).await?;
        self.note_copy(&mut tx, item, row, content).await?;
        let details = json!({ "what": "save", "digest": copy.digest });
        store::audit::append(&mut tx, &self.audit(by, item, details)).await?;
        tx.commit().await?;
        self.look().await?;
        Ok(WorkingCopy {
            item: copy.item,
            content: content.clone(),
            digest: copy.digest,
            saved_at: Some(Time(copy.saved_at)),
            saved_by: Some(copy.saved_by),
            from_version,
            problems,
        })
    }

    /// Without a copy, what was seen must be the newest version.
    async fn demand_seen(
        &self,
        tx: &mut store::Tx,
        item: &str,
        newest: i64,
        seen: &str,
    ) -> Result<(), Fault> {
        let version = store::items::at_version(tx, item, newest).await?;
        match version {
            Some((row, _)) if row.digest == seen => Ok(()),
            Some((row, _)) => Err(newer(&row.published_by, newest)),
            None => Err(stale(
                "您看到的修改已被放弃，请重新打开".into(),
                "the copy you saw was given up; open the item again".into(),
            )),
        }
    }

    /// An item nobody has published shows what its copy says; of others only that there is a copy.
    async fn note_copy(
        &self,
        tx: &mut store::Tx,
        item: &str,
        row: Option<ItemRow>,
        content: &Value,
    ) -> Result<(), Fault> {
        let line = match check::read(content).0 {
            Some(content) => Listed::of(&content).text()?,
            None => return Err(Fault::internal("listing a draft", item)),
        };
        let row = match row {
            Some(row) if row.version > 0 && row.copied => return Ok(()),
            Some(row) if row.version > 0 => ItemRow {
                copied: true,
                ..row
            },
            Some(row) if row.copied && row.line == line => return Ok(()),
            _ => ItemRow {
                item: item.into(),
                state: word(ItemState::Drafted).into(),
                version: 0,
                revision: 0,
                successors: "[]".into(),
                line,
                copied: true,
            },
        };
        store::items::put(tx, &row).await?;
        Ok(())
    }

    pub(crate) async fn read_copy(&self, item: &str) -> Result<WorkingCopy, Fault> {
        self.look().await?;
        let entry = self.entry(item)?;
        let mut reader = self.store.reader().await?;
        let copy = store::items::copy(&mut reader, item).await?;
        let version = match &copy {
            Some(_) => None,
            None => store::items::at_version(&mut reader, item, entry.version).await?,
        };
        drop(reader);
        let reading = |why| Fault::internal("reading a working copy", why);
        let mut found = match (copy, version) {
            (Some(copy), _) => WorkingCopy {
                item: copy.item,
                content: serde_json::from_str(&copy.content).map_err(reading)?,
                digest: copy.digest,
                saved_at: Some(Time(copy.saved_at)),
                saved_by: Some(copy.saved_by),
                from_version: copy.from_version,
                problems: vec![],
            },
            (None, Some((row, content))) => WorkingCopy {
                item: row.item,
                content: serde_json::from_str(&content).map_err(reading)?,
                digest: row.digest,
                saved_at: None,
                saved_by: None,
                from_version: row.version,
                problems: vec![],
            },
            (None, None) => return Err(missing(item)),
        };
        found.problems = check::check(&found.content, Some(item), self).await?;
        Ok(found)
    }

    /// The working copy as an item to be tried out: what is missing in it has stand-ins.
    pub(crate) async fn copied(&self, entry: &Entry) -> Result<Item, Fault> {
        let copy = self.read_copy(&entry.item).await?;
        let (content, problems) = check::read(&copy.content);
        Ok(Item {
            item: entry.item.clone(),
            version: 0,
            state: entry.state,
            published_at: None,
            published_by: None,
            note: String::new(),
            successors: entry.successors.clone(),
            content: content.ok_or_else(|| Fault::invalid(problems))?,
        })
    }
}

/// Somebody published since.
pub(crate) fn newer(who: &str, version: i64) -> Fault {
    let who = brief(who);
    stale(
        format!("{who} 已发布第 {version} 版；请放弃修改，在新版本上重做"),
        format!("{who} published version {version} since; give the copy up and start from it"),
    )
}
