//! Changes of where an item stands: publish, roll back, suspend, resume, cancel, discard. What is
//! checked before the transaction holds in it: if anything of the catalogue changed in between, it is
//! checked anew.

use crate::catalogue::{GONE, Listed, word};
use crate::copies::{conflict, named, newer, stale};
use crate::say::{brief, problem};
use crate::{Engine, check, digest, missing, told};
use kernel::access::Actor;
use kernel::items::{Item, ItemState, ItemVerb, Items};
use kernel::{Fault, Problem};
use serde_json::Value;
use store::Tx;
use store::items::{ItemRow, VersionRow};

/// How often a check is repeated because the catalogue changed meanwhile.
const ATTEMPTS: usize = 8;

/// A content ready to be published.
pub(crate) struct Ready {
    pub(crate) text: String,
    pub(crate) digest: String,
    pub(crate) line: String,
    pub(crate) note: String,
}

fn noted(note: &str) -> Option<Problem> {
    let length = note.trim().chars().count();
    (!(2..=500).contains(&length)).then(|| {
        problem(
            "/note",
            "请说明（2 至 500 个字）",
            "say why, in 2 to 500 characters",
        )
    })
}

fn refuse(problems: Vec<Problem>) -> Result<(), Fault> {
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Fault::invalid(problems)),
    }
}

fn is(row: &ItemRow, state: ItemState) -> bool {
    row.state == word(state)
}

impl Engine {
    pub(crate) async fn carry_out(
        &self,
        by: &Actor,
        item: &str,
        verb: ItemVerb,
    ) -> Result<Item, Fault> {
        named(item)?;
        match verb {
            ItemVerb::Publish { note } => self.publish(by, item, &note).await?,
            ItemVerb::RollBack { version, note } => {
                self.roll_back(by, item, version, &note).await?;
            }
            ItemVerb::Suspend { note } => {
                let (from, to) = (ItemState::InForce, ItemState::Suspended);
                self.turn(by, item, from, to, "suspend", &note).await?;
            }
            ItemVerb::Resume { note } => {
                let (from, to) = (ItemState::Suspended, ItemState::InForce);
                self.turn(by, item, from, to, "resume", &note).await?;
            }
            ItemVerb::Cancel { note, successors } => {
                self.cancel(by, item, &note, successors).await?;
            }
            ItemVerb::Discard => return self.discard(by, item).await,
        }
        self.item(item, None).await.map(|item| (*item).clone())
    }

    /// The row as the transaction sees it. Refused when the item was given up.
    async fn row(&self, tx: &mut Tx, item: &str) -> Result<ItemRow, Fault> {
        let row = store::items::get(tx, item).await?;
        row.filter(|row| row.state != GONE)
            .ok_or_else(|| missing(item))
    }

    /// Has anything of the catalogue changed after this revision?
    async fn moved(&self, tx: &mut Tx, revision: i64) -> Result<bool, Fault> {
        let changed = store::items::changed(tx, revision, 1).await?;
        Ok(!changed.is_empty())
    }

    async fn publish(&self, by: &Actor, item: &str, note: &str) -> Result<(), Fault> {
        refuse(noted(note).into_iter().collect())?;
        for _ in 0..ATTEMPTS {
            self.look().await?;
            let revision = self.state.read().revision;
            let copy = store::items::copy(&mut self.store.reader().await?, item).await?;
            let Some(copy) = copy else {
                self.entry(item)?;
                return Err(self.nothing_to_publish(item).await);
            };
            let content: Value = serde_json::from_str(&copy.content)
                .map_err(|why| Fault::internal("reading a working copy", why))?;
            refuse(check::check(&content, Some(item), self).await?)?;
            let ready = prepared(&content, note)?;
            let mut tx = self.store.begin().await?;
            if self.moved(&mut tx, revision).await? {
                continue;
            }
            let mut row = self.row(&mut tx, item).await?;
            let now = store::items::copy(&mut tx, item).await?;
            if now.is_none_or(|now| now.digest != copy.digest) {
                continue;
            }
            if is(&row, ItemState::Cancelled) {
                return Err(conflict("事项已取消", "the item was cancelled"));
            }
            let newest = store::items::at_version(&mut tx, item, row.version).await?;
            if let Some((newest, _)) = newest {
                if copy.from_version != newest.version {
                    return Err(newer(&newest.published_by, newest.version));
                }
                if newest.digest == ready.digest {
                    return Err(conflict(
                        "内容与在用版本相同，没有可发布的修改",
                        "nothing differs from the newest version",
                    ));
                }
            }
            store::items::drop_copy(&mut tx, item).await?;
            row.copied = false;
            self.add_version(&mut tx, by, row, &ready, "publish")
                .await?;
            tx.commit().await?;
            return self.look().await;
        }
        Err(Fault::overloaded("publishing an item", 1))
    }

    /// Somebody else published the copy, or there never was one.
    async fn nothing_to_publish(&self, item: &str) -> Fault {
        match self.item(item, None).await {
            Ok(newest) => {
                let who = brief(newest.published_by.as_deref().unwrap_or_default());
                let version = newest.version;
                stale(
                    format!("没有待发布的修改；第 {version} 版由 {who} 发布"),
                    format!("there is no change to publish; {who} published version {version}"),
                )
            }
            Err(fault) => fault,
        }
    }

    async fn roll_back(
        &self,
        by: &Actor,
        item: &str,
        version: i64,
        note: &str,
    ) -> Result<(), Fault> {
        refuse(noted(note).into_iter().collect())?;
        for _ in 0..ATTEMPTS {
            self.look().await?;
            let revision = self.state.read().revision;
            let entry = self.entry(item)?;
            if version < 1 || version >= entry.version {
                return Err(Fault::invalid_at(
                    "/version",
                    "应为较早的已发布版本",
                    "expected an earlier published version",
                ));
            }
            let mut reader = self.store.reader().await?;
            let found = store::items::at_version(&mut reader, item, version).await?;
            drop(reader);
            let (_, text) = found.ok_or_else(|| missing(item))?;
            let content: Value = serde_json::from_str(&text)
                .map_err(|why| Fault::internal("reading an item of service", why))?;
            refuse(check::check(&content, Some(item), self).await?)?;
            let ready = prepared(&content, note)?;
            let mut tx = self.store.begin().await?;
            if self.moved(&mut tx, revision).await? {
                continue;
            }
            let row = self.row(&mut tx, item).await?;
            if is(&row, ItemState::Cancelled) {
                return Err(conflict("事项已取消", "the item was cancelled"));
            }
            self.add_version(&mut tx, by, row, &ready, "roll_back")
                .await?;
            tx.commit().await?;
            return self.look().await;
        }
        Err(Fault::overloaded("publishing an item", 1))
    }

    /// Adds the next version in the transaction.
    pub(crate) async fn add_version(
        &self,
        tx: &mut Tx,
        by: &Actor,
        mut row: ItemRow,
        ready: &Ready,
        what: &str,
    ) -> Result<(), Fault> {
        row.version += 1;
        row.line.clone_from(&ready.line);
        if is(&row, ItemState::Drafted) {
            row.state = word(ItemState::InForce).into();
        }
        let version = VersionRow {
            item: row.item.clone(),
            version: row.version,
            digest: ready.digest.clone(),
            note: ready.note.clone(),
            published_at: self.clock.now().0,
            published_by: by.account.clone(),
        };
        store::items::publish(tx, &version, &ready.text).await?;
        store::items::put(tx, &row).await?;
        let mut body = told(what, &row, &ready.note);
        body["digest"] = Value::from(ready.digest.as_str());
        self.tell(tx, by, &row.item, body).await
    }

    /// From one state to another.
    async fn turn(
        &self,
        by: &Actor,
        item: &str,
        from: ItemState,
        to: ItemState,
        what: &str,
        note: &str,
    ) -> Result<(), Fault> {
        refuse(noted(note).into_iter().collect())?;
        let mut tx = self.store.begin().await?;
        let mut row = self.row(&mut tx, item).await?;
        if !is(&row, from) {
            return Err(match from {
                ItemState::InForce => conflict("事项不在用", "the item is not in force"),
                _ => conflict("事项没有暂停", "the item is not suspended"),
            });
        }
        row.state = word(to).into();
        store::items::put(&mut tx, &row).await?;
        self.tell(&mut tx, by, item, told(what, &row, note)).await?;
        tx.commit().await?;
        self.look().await
    }

    async fn cancel(
        &self,
        by: &Actor,
        item: &str,
        note: &str,
        successors: Vec<String>,
    ) -> Result<(), Fault> {
        let mut problems: Vec<Problem> = noted(note).into_iter().collect();
        if successors.len() > 20 {
            problems.push(problem("/successors", "最多 20 个", "at most 20"));
        }
        refuse(problems)?;
        let mut tx = self.store.begin().await?;
        let mut row = self.row(&mut tx, item).await?;
        if !is(&row, ItemState::InForce) && !is(&row, ItemState::Suspended) {
            return Err(conflict(
                "只有已发布且未取消的事项可以取消",
                "only what is published and not cancelled can be cancelled",
            ));
        }
        let mut problems = vec![];
        for (n, name) in successors.iter().enumerate() {
            let other = store::items::get(&mut tx, name).await?;
            let fits = other.is_some_and(|other| is(&other, ItemState::InForce));
            if !fits || name == item || successors[..n].contains(name) {
                let name = brief(name);
                problems.push(problem(
                    format!("/successors/{n}"),
                    format!("“{name}”不是另一个在用的事项"),
                    format!("\"{name}\" is no other item in force"),
                ));
            }
        }
        refuse(problems)?;
        self.demand_unbundled(&mut tx, item).await?;
        row.state = word(ItemState::Cancelled).into();
        row.successors = Value::from(successors.clone()).to_string();
        row.copied = false;
        store::items::drop_copy(&mut tx, item).await?;
        store::items::put(&mut tx, &row).await?;
        let mut body = told("cancel", &row, note);
        body["successors"] = Value::from(successors);
        self.tell(&mut tx, by, item, body).await?;
        tx.commit().await?;
        self.look().await
    }

    /// Nobody bundles it. Read in the transaction, so that no bundle can come in between.
    async fn demand_unbundled(&self, tx: &mut Tx, item: &str) -> Result<(), Fault> {
        loop {
            let known = self.state.read().revision;
            let rows = store::items::changed(tx, known, crate::catalogue::PAGE).await?;
            if rows.is_empty() {
                break;
            }
            let mut state = self.state.write();
            for row in rows {
                state.note(row)?;
            }
        }
        let around = self.state.read().bundles_with(item);
        let Some(bundle) = around.first() else {
            return Ok(());
        };
        let name = &bundle.item;
        Err(conflict(
            &format!("一件事“{name}”包含此事项，请先改它"),
            &format!("the bundle \"{name}\" contains the item; change it first"),
        ))
    }

    /// Gives the working copy up; an item nobody has published goes with it.
    async fn discard(&self, by: &Actor, item: &str) -> Result<Item, Fault> {
        self.look().await?;
        let entry = self.entry(item)?;
        let before = match entry.version {
            0 => Some(self.copied(&entry).await?),
            _ => None,
        };
        let mut tx = self.store.begin().await?;
        let mut row = self.row(&mut tx, item).await?;
        if !store::items::drop_copy(&mut tx, item).await? {
            return Err(conflict("没有可放弃的修改", "there is no working copy"));
        }
        row.copied = false;
        if row.version == 0 {
            row.state = GONE.into();
        }
        store::items::put(&mut tx, &row).await?;
        self.tell(&mut tx, by, item, told("discard", &row, ""))
            .await?;
        tx.commit().await?;
        self.look().await?;
        match before {
            Some(gone) => Ok(gone),
            None => self.item(item, None).await.map(|item| (*item).clone()),
        }
    }
}

/// A checked content as it is published: in the order of the types, without what says nothing.
pub(crate) fn prepared(content: &Value, note: &str) -> Result<Ready, Fault> {
    let content = match check::read(content) {
        (Some(content), problems) if problems.is_empty() => content,
        (_, problems) => return Err(Fault::invalid(problems)),
    };
    let text = serde_json::to_string(&content)
        .map_err(|why| Fault::internal("writing an item of service", why))?;
    Ok(Ready {
        digest: digest(&text),
        line: Listed::of(&content).text()?,
        text,
        note: note.trim().to_owned(),
    })
}
