//! Drafts: begun, opened, saved, given up. Acknowledged means on the disk; a draft knows no
//! session, and follows its item to the next version.

use crate::applicant::{channel, in_force};
use crate::body::{Applicant, DraftBody};
use crate::faults::{conflict, problem, refuse, said, stale};
use crate::sealing::draft_place;
use crate::settle::{self, settle};
use crate::views::applicant_line;
use crate::{DRAFT_DAYS, DRAFTS, Engine, OBJECT, TRIES};
use kernel::access::Actor;
use kernel::applications::{Draft, DraftChange, DraftLine, NewDraft};
use kernel::items::{Channel, Item};
use kernel::{Fault, Span, Time, Verb, new_id};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::applications::{DraftRow, JobRow, Put, Write, read};
use store::audit::AuditEntry;

/// Characters of the name of a step of a form.
const STEP: usize = 60;
/// Files of one draft, at most.
pub(crate) const FILES: usize = 100;

impl Engine {
    pub(crate) fn draft_body(&self, row: &DraftRow) -> Result<DraftBody, Fault> {
        self.sealing.open_value(&draft_place(&row.id), &row.body)
    }

    pub(crate) fn draft_row(&self, mut row: DraftRow, body: &DraftBody) -> Result<DraftRow, Fault> {
        row.body = self.sealing.seal(&draft_place(&row.id), body)?;
        Ok(row)
    }

    pub(crate) fn draft_audit(&self, by: &Actor, row: &DraftRow, what: &str) -> AuditEntry {
        AuditEntry {
            at: self.clock.now(),
            account: by.account.clone(),
            verb: "write".into(),
            object: OBJECT.into(),
            subject: row.id.clone(),
            purpose: by.grant.purpose.clone(),
            basis: by.grant.basis.clone(),
            details: by.on_behalf(json!({ "what": what, "item": row.item })),
            outcome: "done".into(),
        }
    }

    /// A draft of the asker that has not run out, with its item's newest version.
    pub(crate) async fn own_draft(
        &self,
        by: &Actor,
        id: &str,
    ) -> Result<(DraftRow, DraftBody, Arc<Item>), Fault> {
        if id.is_empty() || id.len() > 100 || id.contains('\0') {
            return Err(Fault::missing("draft"));
        }
        let row = read::draft(&mut self.store.reader().await?, id).await?;
        let owners = self.draft_owners(by);
        let now = self.clock.now();
        let mine = |row: &DraftRow| owners.contains(&row.owner) && row.expires_at > now.0;
        let row = row.filter(mine).ok_or_else(|| Fault::missing("draft"))?;
        let item = self.means.items.item(&row.item, None).await?;
        let clerk = self.sealing.clerk(&by.account) == row.owner;
        if !clerk && !self.owns(by, &row.owner, &item.content.matter).await? {
            return Err(Fault::missing("draft"));
        }
        let body = self.draft_body(&row)?;
        Ok((row, body, item))
    }

    pub(crate) async fn begin_draft(&self, by: &Actor, new: NewDraft) -> Result<Draft, Fault> {
        let item = self.means.items.item(&new.item, None).await?;
        in_force(&item)?;
        let by = &match &new.on_behalf {
            Some(_) => self.means.policy.demand(by, Verb::Write, OBJECT)?,
            None => by.clone(),
        };
        let channel = channel(&item, &new)?;
        let applicant = self.applicant(by, &item, &new).await?;
        let owner = match &new.on_behalf {
            Some(_) => self.sealing.clerk(&by.account),
            None => self.sealing.applicant(&applicant.holder.number),
        };
        refuse(settle::unknown(&item, None, &new.answers))?;
        settle::size(&new.answers)?;
        let new = NewDraft {
            answers: self.means.items.tidy(&item, &new.answers),
            ..new
        };
        let key = self
            .sealing
            .open_key(&owner, &applicant.holder.number, &item.item);
        for _ in 0..TRIES {
            let now = self.clock.now();
            let open = read::open_draft(&mut self.store.reader().await?, &key).await?;
            if let Some(row) = open {
                if row.expires_at > now.0 {
                    let chosen = new.channel.map(|_| channel);
                    self.written_anew(by, &item, row.clone(), &applicant, chosen)
                        .await?;
                    return self.open_draft(by, &row.id).await;
                }
                self.put(forgotten(&row, now)).await?;
                continue;
            }
            let body = DraftBody {
                item_version: item.version,
                channel,
                applicant: applicant.clone(),
                answers: new.answers.clone(),
                prefilled: BTreeMap::new(),
                cleared: BTreeSet::new(),
                left_over: Default::default(),
                changes: vec![],
                delivery: None,
                step: None,
                following: BTreeSet::new(),
                files: BTreeMap::new(),
            };
            let row = DraftRow {
                id: new_id(now),
                open_key: Some(key.clone()),
                owner: owner.clone(),
                item: item.item.clone(),
                saved_at: now.0,
                expires_at: (now + Span::days(DRAFT_DAYS)).0,
                submitted_as: None,
                version: 1,
                body: vec![],
            };
            if let Some(draft) = self.begun(by, &item, row, body).await? {
                return Ok(draft);
            }
            let most = DRAFTS as u64;
            let mut reader = self.store.reader().await?;
            if read::drafts_of(&mut reader, &owner, now.0, most)
                .await?
                .len()
                >= DRAFTS
            {
                return Err(conflict(
                    format!("草稿已达上限（{DRAFTS} 份），请先提交或删除不用的草稿"),
                    format!("there are {DRAFTS} drafts already; hand in or delete one first"),
                ));
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    /// A draft that is there is begun again: by another way, or the clerk writes name, mobile number
    /// or how they made sure otherwise. What came from them is filled in anew.
    async fn written_anew(
        &self,
        by: &Actor,
        item: &Arc<Item>,
        mut row: DraftRow,
        applicant: &Applicant,
        channel: Option<Channel>,
    ) -> Result<(), Fault> {
        for _ in 0..TRIES {
            let mut body = self.draft_body(&row)?;
            let channel = channel.unwrap_or(body.channel);
            let clerk = applicant.seen.is_some();
            let same = body.channel == channel && (!clerk || body.applicant == *applicant);
            if same || row.submitted_as.is_some() {
                return Ok(());
            }
            body.channel = channel;
            let mut used = None;
            if clerk {
                let said = std::mem::take(&mut body.prefilled);
                let of_them = |field: &String, value: &Value| {
                    said.get(field).is_some_and(|known| known.value == *value)
                };
                body.answers.retain(|field, value| !of_them(field, value));
                body.applicant = applicant.clone();
                // Of another version it is filled in when it is taken over.
                if item.version == body.item_version {
                    used = self.fill(by, item, &mut body).await?;
                }
            }
            let was = row.version;
            let mut changed = self.draft_row(row.clone(), &body)?;
            changed.version = was + 1;
            let mut write = Write::default();
            write
                .audits
                .push(self.draft_audit(by, &changed, "begin_again"));
            write.audits.extend(used);
            write.drafts.push(Put { row: changed, was });
            if self.put(write).await?.is_some() {
                return Ok(());
            }
            let found = read::draft(&mut self.store.reader().await?, &row.id).await?;
            row = found.ok_or_else(|| Fault::missing("draft"))?;
        }
        Err(Fault::overloaded("applications", 1))
    }

    /// Fills a new draft with what the city knows, and writes it.
    async fn begun(
        &self,
        by: &Actor,
        item: &Arc<Item>,
        row: DraftRow,
        mut body: DraftBody,
    ) -> Result<Option<Draft>, Fault> {
        let used = self.fill(by, item, &mut body).await?;
        let row = self.draft_row(row, &body)?;
        let mut write = Write {
            most_open: Some((row.owner.clone(), DRAFTS as i64, row.saved_at)),
            ..Write::default()
        };
        write.audits.push(self.draft_audit(by, &row, "begin"));
        write.audits.extend(used);
        write.drafts.push(Put {
            row: row.clone(),
            was: 0,
        });
        match self.put(write).await? {
            Some(_) => Ok(Some(self.view_draft(&row, body, item.clone()).await?)),
            None => Ok(None),
        }
    }

    /// Fills in what the city knows and the draft does not; values the form does not take are left
    /// out.
    async fn fill(
        &self,
        by: &Actor,
        item: &Item,
        body: &mut DraftBody,
    ) -> Result<Option<AuditEntry>, Fault> {
        let (found, used) = self.prefill(by, item, &body.applicant).await?;
        let items = &*self.means.items;
        for (field, known) in found {
            let mut alone = serde_json::Map::new();
            alone.insert(field.clone(), known.value.clone());
            let at = format!("/answers/{field}");
            let wrong = items.judge(item, &alone, false);
            let asked = items.asked(item, &alone).contains(&field);
            if asked && wrong.iter().any(|problem| problem.at == at) {
                continue;
            }
            body.prefilled.entry(field).or_insert(known);
        }
        settle(items, item, body);
        Ok(used)
    }

    pub(crate) async fn open_draft(&self, by: &Actor, id: &str) -> Result<Draft, Fault> {
        for _ in 0..TRIES {
            let (row, mut body, item) = self.own_draft(by, id).await?;
            if row.submitted_as.is_some() || item.version == body.item_version {
                let item = match row.submitted_as {
                    Some(_) => self.version_of(&row.item, body.item_version).await?,
                    None => item,
                };
                return self.view_draft(&row, body, item).await;
            }
            let used = self.carry_over(by, &item, &mut body).await?;
            let was = row.version;
            let mut row = self.draft_row(row, &body)?;
            row.version = was + 1;
            let mut write = Write::default();
            write.audits.push(self.draft_audit(by, &row, "carry_over"));
            write.audits.extend(used);
            write.drafts.push(Put {
                row: row.clone(),
                was,
            });
            if self.put(write).await?.is_some() {
                return self.view_draft(&row, body, item).await;
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    pub(crate) async fn version_of(&self, item: &str, version: i64) -> Result<Arc<Item>, Fault> {
        self.means.items.item(item, Some(version)).await
    }

    /// Takes a draft over to the newest version of its item.
    async fn carry_over(
        &self,
        by: &Actor,
        item: &Arc<Item>,
        body: &mut DraftBody,
    ) -> Result<Option<AuditEntry>, Fault> {
        let from = self.version_of(&item.item, body.item_version).await?;
        let carried = self.means.items.carry_over(&from, item, &body.answers);
        body.answers = carried.answers;
        body.left_over.extend(carried.left_over);
        body.changes.extend(carried.changes);
        body.prefilled.retain(|field, _| settle::knows(item, field));
        body.item_version = item.version;
        self.fill(by, item, body).await
    }

    pub(crate) async fn own_drafts(&self, by: &Actor) -> Result<Vec<DraftLine>, Fault> {
        let now = self.clock.now();
        let mut lines = vec![];
        for owner in self.draft_owners(by) {
            let rows = {
                let mut reader = self.store.reader().await?;
                read::drafts_of(&mut reader, &owner, now.0, DRAFTS as u64).await?
            };
            for row in rows {
                let item = self.means.items.item(&row.item, None).await?;
                let clerk = owner == self.sealing.clerk(&by.account);
                if !clerk && !self.owns(by, &owner, &item.content.matter).await? {
                    continue;
                }
                lines.push(DraftLine {
                    id: row.id,
                    item: row.item,
                    title: item.content.title.clone(),
                    saved_at: Time(row.saved_at),
                    expires_at: Time(row.expires_at),
                });
            }
        }
        lines.sort_by(|a, b| (b.saved_at, &b.id).cmp(&(a.saved_at, &a.id)));
        Ok(lines)
    }

    pub(crate) async fn save_draft(
        &self,
        by: &Actor,
        id: &str,
        seen: Option<i64>,
        change: DraftChange,
    ) -> Result<Draft, Fault> {
        for _ in 0..TRIES {
            let (row, mut body, item) = self.own_draft(by, id).await?;
            if row.submitted_as.is_some() {
                return Err(handed_in());
            }
            if let Some(seen) = seen
                && seen != row.version
            {
                return Err(stale(seen, row.version, None));
            }
            let mut used = None;
            let mut before = None;
            if item.version == body.item_version {
                // Whoever saves has seen what changed.
                body.changes.clear();
            } else {
                before = Some(self.version_of(&row.item, body.item_version).await?);
                used = self.carry_over(by, &item, &mut body).await?;
            }
            self.apply(&item, before.as_deref(), &mut body, &change)?;
            let was = row.version;
            let now = self.clock.now();
            let mut row = self.draft_row(row, &body)?;
            row.version = was + 1;
            row.saved_at = now.0;
            row.expires_at = (now + Span::days(DRAFT_DAYS)).0;
            let mut write = Write::default();
            write.audits.push(self.draft_audit(by, &row, "save"));
            write.audits.extend(used);
            write.drafts.push(Put {
                row: row.clone(),
                was,
            });
            if self.put(write).await?.is_some() {
                return self.view_draft(&row, body, item).await;
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    /// Applies a change to what a draft holds; refused whole with everything wrong with it.
    fn apply(
        &self,
        item: &Item,
        before: Option<&Item>,
        body: &mut DraftBody,
        change: &DraftChange,
    ) -> Result<(), Fault> {
        let mut problems = settle::unknown(item, before, &change.answers);
        if let Some(step) = &change.step {
            problems.extend(said("/step", step, 1, STEP));
        }
        if let Some(following) = &change.following {
            let may = |name: &String| {
                let materials = &item.content.materials;
                materials.iter().any(|m| m.name == *name && m.may_follow)
            };
            // Materials of the parts of a bundle are judged with the whole.
            let bundle = !item.content.bundle.is_empty();
            let wrong = following.iter().filter(|name| !bundle && !may(name));
            problems.extend(wrong.take(20).map(|name| {
                let name: String = name.chars().take(60).collect();
                problem(
                    format!("/following/{name}"),
                    "该材料不能容缺后补",
                    "this material may not follow later",
                )
            }));
            if following.len() > FILES {
                problems.push(problem("/following", "材料过多", "too many materials"));
            }
        }
        refuse(problems)?;
        let tidied = self.means.items.tidy(item, &given(&change.answers));
        for (field, value) in &change.answers {
            body.left_over.remove(field);
            if value.is_null() {
                body.answers.remove(field);
                body.cleared.insert(field.clone());
            } else if settle::knows(item, field) {
                body.cleared.remove(field);
                match tidied.get(field) {
                    Some(value) => body.answers.insert(field.clone(), value.clone()),
                    // Nothing but blanks is no answer.
                    None => body.answers.remove(field),
                };
            } else {
                body.left_over.insert(field.clone(), value.clone());
            }
        }
        settle(&*self.means.items, item, body);
        settle::size(&body.answers)?;
        settle::size(&body.left_over)?;
        if let Some(step) = &change.step {
            body.step = Some(step.clone());
        }
        if let Some(delivery) = &change.delivery {
            body.delivery = Some(delivery.clone());
        }
        if let Some(following) = &change.following {
            body.following = following.iter().cloned().collect();
        }
        Ok(())
    }

    pub(crate) async fn discard_draft(&self, by: &Actor, id: &str) -> Result<(), Fault> {
        for _ in 0..TRIES {
            let (row, ..) = self.own_draft(by, id).await?;
            if row.submitted_as.is_some() {
                return Err(handed_in());
            }
            let mut write = forgotten(&row, self.clock.now());
            write.audits.push(self.draft_audit(by, &row, "discard"));
            if self.put(write).await?.is_some() {
                return Ok(());
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    /// A draft with everything its page shows.
    pub(crate) async fn view_draft(
        &self,
        row: &DraftRow,
        body: DraftBody,
        item: Arc<Item>,
    ) -> Result<Draft, Fault> {
        let asked = self.means.items.asked(&item, &body.answers);
        let whole = self.whole(item, &body).await?;
        Ok(Draft {
            id: row.id.clone(),
            item: row.item.clone(),
            item_version: body.item_version,
            title: whole.item.content.title.clone(),
            channel: body.channel,
            applicant: applicant_line(&body.applicant, false),
            answers: body.answers,
            prefilled: body.prefilled,
            left_over: body.left_over,
            changes: body.changes,
            asked,
            materials: whole.materials,
            delivery: body.delivery,
            step: body.step,
            problems: whole.problems,
            fees_fen: whole.fees_fen,
            version: row.version,
            saved_at: Time(row.saved_at),
            expires_at: Time(row.expires_at),
            submitted_as: row.submitted_as.clone(),
        })
    }
}

/// A draft that goes, with its files.
pub(crate) fn forgotten(row: &DraftRow, now: Time) -> Write {
    let mut write = Write::default();
    write.forget.push((row.id.clone(), row.version));
    if row.submitted_as.is_none() {
        write.jobs.push(JobRow {
            id: format!("{}/files/forget", row.id),
            application: row.id.clone(),
            kind: "files".into(),
            name: "forget".into(),
            at: now.0,
            next_at: now.0,
            attempts: 0,
            aside: 0,
            error: String::new(),
        });
    }
    write
}

fn handed_in() -> Fault {
    conflict(
        "该草稿已提交，不能再改；如需更改请在办件中补正或撤回",
        "this draft was handed in and cannot be changed",
    )
}

/// The answers that are given, not taken back.
pub(crate) fn given(answers: &Map<String, Value>) -> Map<String, Value> {
    let kept = answers.iter().filter(|(_, value)| !value.is_null());
    kept.map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}
