//! Handing in: judged whole, numbered without gaps, with receipt and check code; a bundle becomes
//! one application with a part for each of its items. A draft handed in twice is one application.

use crate::access::is_machine;
use crate::body::{Body, DraftBody};
use crate::bundle::state_of;
use crate::change::{Change, Open};
use crate::drafts::FILES;
use crate::faults::{conflict, not_found, refuse};
use crate::settle::of_part;
use crate::sources::Whole;
use crate::views::channel_word;
use crate::{ACCEPTANCE, Engine, OBJECT, TRIES};
use kernel::access::Actor;
use kernel::applications::{ApplicationState, MaterialState, Receipt, WantedDelivery};
use kernel::items::{Channel, Item, ItemState};
use kernel::time::DAY;
use kernel::{Fault, Time, Verb, Words, new_id};
use serde_json::{Map, Value, json};
use store::applications::read::{self, By};
use store::applications::{ApplicationRow, Counts, DraftRow, NEVER, Put, Write};

/// The number people know an application by (办件编号): organisation in charge (see
/// [`crate::Offices::number_word`]), day in Beijing, running number of that organisation on that
/// day from 1 without gaps, five digits or more: `MB0000027-20261125-00001`. `day` is counted from
/// 1970-01-01.
pub fn numbered(organisation: &str, day: i64, last: i64) -> String {
    let noon = Time(day * DAY + DAY / 2 - kernel::time::BEIJING_OFFSET);
    let (year, month, day, ..) = noon.beijing_fields();
    format!("{organisation}-{year:04}{month:02}{day:02}-{last:05}")
}

/// A code of six digits.
fn check_code() -> String {
    format!("{:06}", rand::random::<u64>() % 1_000_000)
}

/// What a part, or the whole, is made of.
struct Made<'a> {
    item: &'a Item,
    answers: Map<String, Value>,
    materials: Vec<MaterialState>,
    parent: Option<String>,
}

impl Engine {
    pub(crate) async fn hand_in(&self, by: &Actor, id: &str) -> Result<Receipt, Fault> {
        for _ in 0..TRIES {
            let (row, body, item) = self.own_draft(by, id).await?;
            if let Some(application) = &row.submitted_as {
                return self.receipt(application).await;
            }
            if item.version != body.item_version {
                // What the new version changes for the applicant is shown before anything is sent.
                let draft = self.open_draft(by, id).await?;
                refuse(draft.changes)?;
                continue;
            }
            let by = self.may_hand_in(by, &body, &item).await?;
            let whole = self.whole(item, &body).await?;
            whole
                .parts
                .iter()
                .try_for_each(|part| not_suspended(part))?;
            refuse(whole.problems.clone())?;
            let (write, id) = self.handed_in(&by, &row, &body, &whole).await?;
            let made: Vec<ApplicationRow> = write
                .applications
                .iter()
                .map(|put| put.row.clone())
                .collect();
            if let Some(numbers) = self.put(write).await? {
                return self.receipt_of(&id, made, numbers).await;
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    /// May they still, at this moment?
    async fn may_hand_in(&self, by: &Actor, body: &DraftBody, item: &Item) -> Result<Actor, Fault> {
        not_suspended(item)?;
        if item.state == ItemState::Cancelled {
            let next = item.successors.join("、");
            return Err(conflict(
                format!("该事项已取消，不能再提交。{next}"),
                format!("the item is no longer offered. {next}"),
            ));
        }
        if body.applicant.seen.is_some() && !is_machine(by) {
            return self.means.policy.demand(by, Verb::Write, OBJECT);
        }
        self.means
            .parties
            .demand_matter(by, &item.content.matter)
            .await?;
        self.demand_level(by, item)?;
        Ok(by.clone())
    }

    /// The receipt of an application that was handed in.
    async fn receipt(&self, id: &str) -> Result<Receipt, Fault> {
        let (row, parts) = {
            let mut reader = self.store.snapshot().await?;
            let row = read::application(&mut reader, By::Id, id).await?;
            let row = row.ok_or_else(not_found)?;
            let parts = match row.bundle {
                1 => read::parts(&mut reader, id).await?,
                _ => vec![],
            };
            (row, parts)
        };
        self.receipt_with(row, parts).await
    }

    /// The receipt of what was written just now, with the numbers it was given.
    async fn receipt_of(
        &self,
        id: &str,
        made: Vec<ApplicationRow>,
        numbers: Vec<String>,
    ) -> Result<Receipt, Fault> {
        let rows = made.into_iter().zip(numbers);
        let rows = rows.map(|(row, number)| ApplicationRow { number, ..row });
        let (main, parts): (Vec<_>, Vec<_>) = rows.partition(|row| row.id == id);
        match main.into_iter().next() {
            // Parts name the number of their whole, which is read for each.
            Some(row) if parts.is_empty() => self.receipt_with(row, parts).await,
            _ => self.receipt(id).await,
        }
    }

    async fn receipt_with(
        &self,
        row: ApplicationRow,
        parts: Vec<ApplicationRow>,
    ) -> Result<Receipt, Fault> {
        let open = self.opened(row)?;
        let mut lines = vec![];
        for part in parts {
            lines.push(self.line(&self.opened(part)?, false).await?);
        }
        let mut application = self.line(&open, false).await?;
        application.applicant.name = open.body.applicant.holder.name.clone();
        Ok(Receipt {
            application,
            check: open.body.check,
            parts: lines,
        })
    }

    /// Everything that is written when a draft is handed in.
    async fn handed_in(
        &self,
        by: &Actor,
        draft: &DraftRow,
        body: &DraftBody,
        whole: &Whole,
    ) -> Result<(Write, String), Fault> {
        let now = self.clock.now();
        let check = check_code();
        let due = self.means.days.add(now, ACCEPTANCE).await?.due;
        let made = Made {
            item: &whole.item,
            answers: body.answers.clone(),
            materials: whole.materials.clone(),
            parent: None,
        };
        let mut main = self.new_application(draft, body, made, &check, now);
        let id = main.open.row.id.clone();
        let mut parts = vec![];
        for part in &whole.parts {
            let answers = of_part(&*self.means.items, part, &body.answers);
            let asked = self.means.items.materials(part, &answers);
            let mine = |m: &&MaterialState| asked.iter().any(|asked| asked.name == m.name);
            let made = Made {
                item: part,
                answers,
                materials: whole.materials.iter().filter(mine).cloned().collect(),
                parent: Some(id.clone()),
            };
            let mut change = self.new_application(draft, body, made, &check, now);
            self.received(&mut change, by, part, due).await?;
            parts.push(change);
        }
        if parts.is_empty() {
            self.received(&mut main, by, &whole.item, due).await?;
        } else {
            main.open.row.bundle = 1;
            let states: Vec<ApplicationState> = parts.iter().map(|p| p.open.state()).collect();
            main.step("submitted", submitted_words(), None, false);
            main.becomes(state_of(&states));
            if main.open.state() == ApplicationState::Accepted {
                main.open.row.accepted_at = Some(now.0);
            }
            main.open.take_clock(parts.iter().map(|p| p.open.clock()));
            main.audit(by, "write", "submit", json!({ "parts": parts.len() }));
            main.event("submitted");
        }
        main.letter("receipt");
        main.notice("application_submitted");
        let files = whole.materials.iter().any(|m| !m.files.is_empty());
        if files {
            main.job("files", "hand_in");
        }
        let mut write = Write {
            day: crate::desk::one_day(now.0),
            ..Write::default()
        };
        for change in std::iter::once(main).chain(parts) {
            self.added(change, &mut write)?;
        }
        let mut row = draft.clone();
        row.open_key = None;
        row.submitted_as = Some(id.clone());
        row.version += 1;
        write.drafts.push(Put {
            row,
            was: draft.version,
        });
        Ok((write, id))
    }

    /// An application that has just been made: nothing is known of it but what was handed in.
    fn new_application(
        &self,
        draft: &DraftRow,
        body: &DraftBody,
        made: Made<'_>,
        check: &str,
        now: Time,
    ) -> Change {
        let content = &made.item.content;
        let source = match made.parent {
            Some(_) => format!("{}/{}", draft.id, made.item.item),
            None => draft.id.clone(),
        };
        let row = ApplicationRow {
            id: new_id(now),
            number: String::new(),
            item: made.item.item.clone(),
            item_version: made.item.version,
            organisation: self.office(&content.organisation),
            channel: channel_word(body.channel).into(),
            matter: content.matter.clone(),
            owner: self.sealing.applicant(&body.applicant.holder.number),
            source,
            parent: made.parent,
            bundle: 0,
            case_id: None,
            state: ApplicationState::Submitted as i64,
            submitted_at: now.0,
            accepted_at: None,
            decided_at: None,
            due_at: NEVER,
            title_zh: content.title.zh.clone(),
            title_en: content.title.en.clone(),
            check_digest: check.into(),
            undelivered: 0,
            rating: None,
            unanswered: 0,
            version: 0,
            body: vec![],
        };
        let one_way = || match content.delivery.as_slice() {
            [way] => Some(WantedDelivery {
                way: *way,
                address: None,
            }),
            _ => None,
        };
        let mut materials = made.materials;
        materials.truncate(FILES);
        let known = body.prefilled.iter();
        let known = known.filter(|(field, _)| made.answers.contains_key(*field));
        let known = known.map(|(field, said)| (field.clone(), said.value.clone()));
        let body = Body {
            applicant: body.applicant.clone(),
            known: known.collect(),
            answers: made.answers,
            materials,
            wanted: body.delivery.clone().or_else(one_way),
            delivery: None,
            taken_by: None,
            check: check.into(),
            steps: vec![],
            received_at: now,
            rounds: vec![],
            letters: vec![],
            bills: vec![],
            licences: vec![],
            rating: None,
            decision: None,
            last: None,
            touched: 1,
            promised: content.promised,
            paused: false,
            note: String::new(),
        };
        let mut change = self.change(Open { row, body });
        change.now = now;
        change
    }

    /// An office has received it: it waits for a clerk, or is accepted at once.
    async fn received(
        &self,
        change: &mut Change,
        by: &Actor,
        item: &Item,
        due: Time,
    ) -> Result<(), Fault> {
        let online = matches!(
            crate::views::channel_of(&change.open.row.channel),
            Channel::Web | Channel::Phone
        );
        change.open.row.due_at = due.0;
        change.step("submitted", submitted_words(), None, false);
        let counts = Counts {
            submitted: 1,
            online: i64::from(online),
            ..Counts::default()
        };
        change.count(change.now, counts);
        let on_behalf = change.open.body.applicant.seen.is_some();
        let details = json!({
            "channel": change.open.row.channel, "on_behalf": on_behalf,
            "organisation": change.open.row.organisation,
        });
        change.audit(by, "write", "submit", details);
        change.event("submitted");
        // Its holder sees by whom and for what a licence stood for paper.
        let materials = &change.open.body.materials;
        if materials.iter().any(|material| material.licence.is_some()) {
            change.job("licences", "hand_in");
        }
        let follows = change.open.body.materials.iter().any(|m| m.following);
        if item.content.instant && !follows {
            let words = Words::new("即时受理", "accepted at once");
            let at = change.now;
            self.accepted(change, at, "accepted", words, None).await?;
        }
        Ok(())
    }

    /// It is accepted, from a moment on: its case begins.
    pub(crate) async fn accepted(
        &self,
        change: &mut Change,
        at: Time,
        what: &str,
        words: Words,
        note: Option<&str>,
    ) -> Result<(), Fault> {
        change.becomes(ApplicationState::Accepted);
        change.open.row.accepted_at = Some(at.0);
        let promised = change.open.body.promised;
        change.open.row.due_at = self.means.days.add(at, promised).await?.due.0;
        change.step(what, words, note, true);
        change.letter("acceptance");
        change.notice("application_accepted");
        change.job("case", "start");
        change.event(what);
        Ok(())
    }

    /// Adds a new application to a write.
    fn added(&self, change: Change, write: &mut Write) -> Result<(), Fault> {
        let Change {
            mut open,
            write: more,
            ..
        } = change;
        open.row.version = 1;
        let row = self.closed(open)?;
        write.applications.push(Put { row, was: 0 });
        write.jobs.extend(more.jobs);
        write.audits.extend(more.audits);
        write.events.extend(more.events);
        write.days.extend(more.days);
        Ok(())
    }
}

/// Nothing is handed in while an item is suspended; the draft stays for when it is offered again.
fn not_suspended(item: &Item) -> Result<(), Fault> {
    if item.state != ItemState::Suspended {
        return Ok(());
    }
    let title = &item.content.title;
    Err(conflict(
        format!(
            "“{}”暂停办理，暂不能提交；草稿已保留，恢复办理后可继续提交",
            title.zh
        ),
        format!(
            "\"{}\" is suspended at present and cannot be handed in; the draft stays and can be handed in once it is offered again",
            title.en
        ),
    ))
}

fn submitted_words() -> Words {
    Words::new("已提交申请", "handed in")
}
