//! Reading: lists, and an application opened. What an office looks at is in the audit log, with
//! purpose, basis and whom it concerns.

use crate::access::{Access, subject};
use crate::change::Open;
use crate::faults::{problem, refuse};
use crate::views::{self, masked_value};
use crate::{Engine, OBJECT};
use kernel::access::Actor;
use kernel::applications::{
    Application, ApplicationFile, ApplicationFilter, ApplicationPage, ApplicationState,
};
use kernel::items::Source;
use kernel::licences::Papers;
use kernel::{Fault, Verb};
use serde_json::{Value, json};
use store::applications::lists::{self, ListQuestion};
use store::applications::read;
use store::applications::{Test, Write};
use store::audit::AuditEntry;

/// Rows of a page when nobody says how many.
const USUAL: usize = 50;

impl Engine {
    /// Whose licences, and of which types, answer what was asked for.
    pub(crate) async fn papers_of(&self, id: &str) -> Result<Option<Papers>, Fault> {
        let Some(open) = self.find(id).await? else {
            return Ok(None);
        };
        let row = &open.row;
        let item = self.version_of(&row.item, row.item_version).await?;
        let mut declared = item.content.materials.clone();
        for part in self.parts_of(&item).await? {
            declared.extend(part.content.materials.iter().cloned());
        }
        let asked = |name: &str| open.body.materials.iter().any(|m| m.name == name);
        let sources = declared.iter().filter(|material| asked(&material.name));
        let kinds = sources.flat_map(|material| &material.sources);
        let kinds = kinds.filter_map(|source| match source {
            Source::Licence { kind } => Some(kind.clone()),
            Source::Register { .. } => None,
        });
        Ok(Some(Papers {
            kinds: kinds.collect(),
            holder: open.body.applicant.holder,
        }))
    }

    pub(crate) async fn list(
        &self,
        by: &Actor,
        filter: &ApplicationFilter,
    ) -> Result<ApplicationPage, Fault> {
        let nothing = ApplicationPage {
            rows: vec![],
            next: None,
            count: 0,
        };
        let mut question = question(filter)?;
        let mut by = by.clone();
        if filter.mine {
            let Some(number) = subject(&by).filter(|_| !by.account.is_empty()) else {
                return Ok(nothing);
            };
            question.owner = Some(self.sealing.applicant(number));
            question.test = self.matters(&by).await?.map(Test::Matter);
        } else {
            if !crate::access::is_machine(&by) {
                by = self.means.policy.demand(&by, Verb::Read, OBJECT)?;
            }
            let Some(test) = self.narrowed(&by) else {
                return Ok(nothing);
            };
            question.test = Some(test);
        }
        let (rows, more, count) = {
            let mut reader = self.store.snapshot().await?;
            lists::page(&mut reader, &question).await?
        };
        let next = rows
            .last()
            .filter(|_| more)
            .map(|row| match question.pressing {
                true => format!("{}.{}", row.due_at, row.id),
                false => row.id.clone(),
            });
        let mut lines: Vec<Application> = vec![];
        let mut records: Vec<Value> = vec![];
        for row in rows {
            let open = self.opened(row)?;
            let clear = filter.mine || self.handles(&by, &open);
            let mut line = self.line(&open, clear).await?;
            // A list never shows a whole number.
            line.applicant.number = views::applicant_line(&open.body.applicant, false).number;
            if !filter.mine {
                let person = self.person_of(&open);
                records.push(json!({ "number": open.row.number, "person": person }));
            }
            lines.push(line);
        }
        if !records.is_empty() {
            self.note_look(&by, "", json!({ "what": "list", "records": records }))
                .await?;
        }
        Ok(ApplicationPage {
            rows: lines,
            next,
            count,
        })
    }

    /// May they handle this very application?
    fn handles(&self, by: &Actor, open: &Open) -> bool {
        let facts = kernel::Facts {
            key: open.row.number.clone(),
            owner: Some(open.row.organisation.clone()),
            ..kernel::Facts::default()
        };
        let policy = &self.means.policy;
        crate::access::is_machine(by) || policy.may_this(by, Verb::Handle, OBJECT, &facts).allowed()
    }

    /// Writes a look of an office down; on the disk before the answer leaves.
    pub(crate) async fn note_look(
        &self,
        by: &Actor,
        subject: &str,
        details: Value,
    ) -> Result<(), Fault> {
        let mut write = Write::default();
        write.audits.push(AuditEntry {
            at: self.clock.now(),
            account: by.account.clone(),
            verb: "read".into(),
            object: OBJECT.into(),
            subject: subject.into(),
            purpose: by.grant.purpose.clone(),
            basis: by.grant.basis.clone(),
            details: by.on_behalf(details),
            outcome: "done".into(),
        });
        self.put(write).await.map(drop)
    }

    /// The same for one application.
    pub(crate) async fn note_opened(
        &self,
        by: &Actor,
        open: &Open,
        what: &str,
        more: &str,
    ) -> Result<(), Fault> {
        let person = self.person_of(open);
        let details = json!({
            "what": what, "of": more, "number": open.row.number,
            "records": [{ "number": open.row.number, "person": person }],
        });
        self.note_look(by, &open.row.id, details).await
    }

    pub(crate) async fn file(&self, by: &Actor, id: &str) -> Result<ApplicationFile, Fault> {
        let (open, access) = self.seen(by, id).await?;
        let file = self.shown(&open, &access).await?;
        if access.is_office() {
            self.note_opened(&access.under(), &open, "open", "").await?;
        }
        Ok(file)
    }

    async fn shown(&self, open: &Open, access: &Access) -> Result<ApplicationFile, Fault> {
        let clear = access.clear();
        let (row, body) = (&open.row, &open.body);
        let mut answers = body.answers.clone();
        let mut masked = vec![];
        if !clear {
            let item = self.version_of(&row.item, row.item_version).await?;
            for field in self.means.items.personal(&item) {
                if let Some(value) = answers.get_mut(&field) {
                    *value = masked_value(value, 0);
                    masked.push(field);
                }
            }
        }
        let mut parts = vec![];
        if row.bundle == 1 {
            let rows = read::parts(&mut self.store.reader().await?, &row.id).await?;
            for part in rows {
                parts.push(self.line(&self.opened(part)?, clear).await?);
            }
        }
        let missing = match open.state() {
            ApplicationState::Correction => body.missing().to_vec(),
            _ => vec![],
        };
        Ok(ApplicationFile {
            application: self.line(open, clear).await?,
            answers,
            masked,
            materials: body.materials.clone(),
            missing: if clear { missing } else { vec![] },
            letters: body.letters.iter().map(|l| l.line.clone()).collect(),
            parts,
            bills: body.bills.clone(),
            licences: body.licences.clone(),
            rating: body.rating.clone(),
            steps: body.steps.iter().map(|s| views::step(s, clear)).collect(),
        })
    }
}

fn question(filter: &ApplicationFilter) -> Result<ListQuestion, Fault> {
    let mut problems = vec![];
    if let Some(text) = &filter.text {
        problems.extend(crate::faults::said("text", text, 1, 100));
    }
    let pressing = !filter.mine && filter.states == [ApplicationState::Submitted];
    let after = filter.after.as_deref().map(|after| match pressing {
        true => {
            let read = after.split_once('.');
            read.and_then(|(due, id)| Some((due.parse().ok()?, id.to_string())))
        }
        false => Some((0, after.to_string())),
    });
    let sound = |after: &(i64, String)| !after.1.is_empty() && after.1.len() <= 100;
    let after = match after {
        None => None,
        Some(Some(after)) if sound(&after) => Some(after),
        Some(_) => {
            problems.push(problem(
                "after",
                "不是有效的翻页标记",
                "this is no cursor of a page",
            ));
            None
        }
    };
    refuse(problems)?;
    Ok(ListQuestion {
        owner: None,
        test: None,
        states: filter.states.iter().map(|state| *state as i64).collect(),
        item: filter.item.clone(),
        organisation: filter.organisation.clone(),
        channel: filter.channel.map(|c| views::channel_word(c).to_string()),
        text: filter.text.clone(),
        undelivered: filter.undelivered,
        unanswered: filter.unanswered,
        pressing,
        after,
        limit: match filter.limit {
            0 => USUAL,
            limit => limit.min(lists::PAGE),
        },
    })
}
