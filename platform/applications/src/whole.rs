//! A bundle handled as one (一件事一次办): the front desk looks through all of it, says once what is
//! missing across its parts, and accepts them together; the applicant answers the shared form once.
//! Everything is one write: nothing half done, and what speaks against it is named part by part.

use crate::bundle::missing_of;
use crate::change::{Change, Open};
use crate::faults::{conflict, problem, refuse, said, too_late};
use crate::missing::{Opened, once, point_problems, still_missing, tell, untold};
use crate::uploads::put_file;
use crate::{Engine, settle};
use kernel::access::Actor;
use kernel::applications::{Application, ApplicationState, Clerk, FileLine, Missing};
use kernel::fault::Problem;
use kernel::items::Item;
use kernel::{Fault, Words};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use store::applications::Write;

/// A part of a bundle with its item, as it was handed in by.
struct Part {
    open: Open,
    item: Arc<Item>,
}

impl Part {
    /// Has it the field or material a point is about?
    fn knows(&self, at: &str) -> bool {
        match at.split_once('/') {
            Some(("answers", field)) => settle::knows(&self.item, field),
            Some(("materials", name)) => self.open.body.materials.iter().any(|m| m.name == name),
            _ => false,
        }
    }

    fn stands(&self, state: ApplicationState) -> bool {
        self.open.state() == state
    }
}

/// Adds faults, each place once.
fn add(all: &mut Vec<Problem>, more: Vec<Problem>) {
    for one in more {
        if !all.iter().any(|known| known.at == one.at) {
            all.push(one);
        }
    }
}

impl Engine {
    async fn parts_with_items(&self, whole: &Open) -> Result<Vec<Part>, Fault> {
        let mut parts = vec![];
        for open in self.opened_parts(&whole.row).await? {
            let item = self.version_of(&open.row.item, open.row.item_version);
            let item = item.await?;
            parts.push(Part { open, item });
        }
        Ok(parts)
    }

    /// What a clerk does at a bundle; `None` when something changed meanwhile.
    pub(crate) async fn clerk_does_whole(
        &self,
        open: Open,
        by: &Actor,
        seen: Option<i64>,
        verb: &Clerk,
    ) -> Result<Option<Application>, Fault> {
        let parts = self.parts_with_items(&open).await?;
        let mut whole = self.change(open);
        let changed = match verb {
            Clerk::Accept { note } => {
                self.accept_whole(&mut whole, by, seen, note, &parts)
                    .await?
            }
            Clerk::Correction { missing } => {
                self.correction_whole(&mut whole, by, seen, missing, &parts)
                    .await?
            }
            _ => {
                return Err(conflict(
                    "“一件事”可以整体受理、一次性告知补正；其他办理请打开相应的事项",
                    "a bundle is accepted and told what is missing as one; for anything else open the part",
                ));
            }
        };
        let begun: Vec<String> = match verb {
            Clerk::Accept { .. } => changed.iter().map(|c| c.open.row.id.clone()).collect(),
            _ => vec![],
        };
        let id = whole.open.row.id.clone();
        if !self.put_whole(whole, changed, parts).await? {
            return Ok(None);
        }
        for part in begun {
            self.case_now(&part).await;
        }
        self.whole_line(&id).await.map(Some)
    }

    async fn put_whole(
        &self,
        whole: Change,
        changed: Vec<Change>,
        parts: Vec<Part>,
    ) -> Result<bool, Fault> {
        let parts: Vec<Open> = parts.into_iter().map(|part| part.open).collect();
        let write = self.finish_whole(whole, changed, &parts)?;
        Ok(self.put(write).await?.is_some())
    }

    async fn whole_line(&self, id: &str) -> Result<Application, Fault> {
        let open = self.find(id).await?;
        let open = open.ok_or_else(crate::faults::not_found)?;
        self.line(&open, true).await
    }

    /// Everything that waits is accepted, each part by its office's letter.
    async fn accept_whole(
        &self,
        whole: &mut Change,
        by: &Actor,
        seen: Option<i64>,
        note: &str,
        parts: &[Part],
    ) -> Result<Vec<Change>, Fault> {
        if !note.is_empty() {
            refuse(said("note", note, 1, 500).into_iter().collect())?;
        }
        let waiting = parts
            .iter()
            .filter(|part| part.stands(ApplicationState::Correction));
        let waiting: Vec<Problem> = waiting.map(waits_for_applicant).collect();
        if !waiting.is_empty() {
            let mut fault = conflict(
                "其中有事项正在等申请人补正，补正后再整体受理；也可以打开其他事项分别受理",
                "parts of it wait for the applicant; accept the whole once they are supplied, or open the other parts",
            );
            fault.problems = waiting;
            return Err(fault);
        }
        let open = parts
            .iter()
            .filter(|part| part.stands(ApplicationState::Submitted));
        let mut changed = vec![];
        for part in open {
            let mut change = self.change(part.open.clone());
            change.now = whole.now;
            change.open.body.note = note.into();
            let (now, words) = (whole.now, Words::new("已受理", "accepted"));
            self.accepted(&mut change, now, "accepted", words, None)
                .await?;
            // Told once, for the whole.
            change.write.jobs.retain(|job| job.kind != "notice");
            change.last(by);
            let details = json!({ "bundle": whole.open.row.number });
            change.audit(by, "handle", "accept", details);
            changed.push(change);
        }
        if changed.is_empty() {
            return Err(too_late(whole.open.state(), whole.open.body.last.as_ref()));
        }
        whole.demand_seen(seen)?;
        let words = Words::new(
            format!("已整体受理（{} 项）", changed.len()),
            format!("accepted as a whole ({} parts)", changed.len()),
        );
        whole.step("accepted", words, None, true);
        whole.notice("application_accepted");
        whole.last(by);
        whole.event("accepted");
        let details = json!({ "parts": changed.len() });
        whole.audit(by, "handle", "accept", details);
        Ok(changed)
    }

    /// One notice of everything that is missing; each part it concerns waits for the applicant.
    async fn correction_whole(
        &self,
        whole: &mut Change,
        by: &Actor,
        seen: Option<i64>,
        missing: &[Missing],
        parts: &[Part],
    ) -> Result<Vec<Change>, Fault> {
        let row = &whole.open.row;
        let item = self.version_of(&row.item, row.item_version).await?;
        let own = |at: &str| match at.split_once('/') {
            Some(("answers", field)) => settle::knows(&item, field),
            Some(("materials", name)) => {
                let mut all = whole.open.body.materials.iter();
                all.any(|m| m.name == name)
            }
            _ => false,
        };
        let known = |at: &str| parts.iter().any(|part| part.knows(at));
        refuse(point_problems(missing, |at| own(at) || known(at)))?;
        let open = parts
            .iter()
            .filter(|part| part.stands(ApplicationState::Submitted));
        let open: Vec<&Part> = open.collect();
        if open.is_empty() {
            return Err(too_late(whole.open.state(), whole.open.body.last.as_ref()));
        }
        whole.demand_seen(seen)?;
        // What no part has of its own concerns all of them.
        let concerns = |part: &Part, at: &str| !known(at) || part.knows(at);
        let nobody = missing.iter().enumerate();
        let nobody = nobody.filter(|(_, m)| !open.iter().any(|part| concerns(part, &m.at)));
        let nobody: Vec<Problem> = nobody.map(|(n, _)| handled_already(n)).collect();
        if !nobody.is_empty() {
            let mut fault = conflict(
                "所列内容涉及的事项已受理、已告知补正或已办结，不能再告知",
                "the parts these points are about were accepted, told or ended already",
            );
            fault.problems = nobody;
            return Err(fault);
        }
        let (mut changed, mut told) = (vec![], vec![]);
        for part in open {
            let points = missing.iter().enumerate();
            let points: Vec<_> = points.filter(|(_, m)| concerns(part, &m.at)).collect();
            if points.is_empty() {
                continue;
            }
            add(&mut told, untold(&part.open.body.rounds, &points));
            let mut change = self.change(part.open.clone());
            change.now = whole.now;
            let points = points.into_iter().map(|(_, m)| m.clone()).collect();
            tell(&mut change, by, points, true);
            changed.push(change);
        }
        once(told)?;
        tell(whole, by, missing.to_vec(), false);
        whole.letter("correction");
        whole.notice("application_correction");
        Ok(changed)
    }

    /// The applicant supplies what the parts of a bundle wait for, all of it; `None` when something
    /// changed meanwhile. Answers the parts share are changed in each that is not accepted yet.
    pub(crate) async fn correct_whole(
        &self,
        open: Open,
        by: &Actor,
        seen: Option<i64>,
        answers: &Map<String, Value>,
        note: &str,
    ) -> Result<Option<Application>, Fault> {
        let parts = self.parts_with_items(&open).await?;
        let mut whole = self.change(open);
        whole.demand(&[ApplicationState::Correction])?;
        whole.demand_seen(seen)?;
        let row = &whole.open.row;
        let item = self.version_of(&row.item, row.item_version).await?;
        let waiting = parts
            .iter()
            .filter(|part| part.stands(ApplicationState::Correction));
        let points: Vec<Missing> =
            missing_of(&waiting.map(|part| part.open.clone()).collect::<Vec<_>>());
        let opened = Opened::of(&points);
        let mut problems = settle::unknown(&item, None, answers);
        if !note.is_empty() {
            problems.extend(said("note", note, 1, 500));
        }
        let supplied = self.supplied(&whole.open, &item, answers, &opened);
        add(&mut problems, supplied.problems);
        let mut changed = vec![];
        for part in &parts {
            let waits = part.stands(ApplicationState::Correction);
            if !waits && !part.stands(ApplicationState::Submitted) {
                continue;
            }
            let own = answers.iter();
            let own = own.filter(|(field, _)| settle::knows(&part.item, field));
            let own = own.map(|(field, value)| (field.clone(), value.clone()));
            let own: Map<String, Value> = own.collect();
            let mine = self.supplied(&part.open, &part.item, &own, &opened);
            if !waits && mine.answers == part.open.body.answers {
                continue;
            }
            if waits {
                add(
                    &mut problems,
                    still_missing(&part.open, &mine.asked, answers),
                );
            }
            let judged = self.judged(&part.item, &mine.answers, &part.open.body);
            add(&mut problems, judged);
            settle::size(&mine.answers)?;
            let mut change = self.change(part.open.clone());
            change.now = whole.now;
            change.open.body.answers = mine.answers;
            if waits {
                self.resubmitted(&mut change, by, note).await?;
            } else {
                let words = Words::new("共用的填报内容已更正", "shared answers were corrected");
                change.step("corrected", words, None, false);
                change.event("corrected");
                change.audit(by, "write", "correct", json!({ "shared": true }));
            }
            changed.push(change);
        }
        let judged = self.judged(&item, &supplied.answers, &whole.open.body);
        add(&mut problems, judged);
        refuse(problems)?;
        settle::size(&supplied.answers)?;
        whole.open.body.answers = supplied.answers;
        let words = Words::new("已补正", "what was missing is supplied");
        whole.step("corrected", words, Some(note), false);
        whole.last(by);
        whole.event("corrected");
        whole.audit(by, "write", "correct", json!({ "parts": changed.len() }));
        let id = whole.open.row.id.clone();
        match self.put_whole(whole, changed, parts).await? {
            true => self.whole_line(&id).await.map(Some),
            false => Ok(None),
        }
    }

    /// A file is put at, or taken from, a material of a bundle: in each part that wants it; `None`
    /// when there is none.
    pub(crate) async fn file_of_whole(
        &self,
        open: Open,
        by: &Actor,
        material: &str,
        file: &FileLine,
        removed: bool,
    ) -> Result<Option<Write>, Fault> {
        let parts = self.opened_parts(&open.row).await?;
        let mut changed = vec![];
        for part in &parts {
            let mut change = self.change(part.clone());
            if put_file(&mut change, material, file, removed)? {
                let details = json!({ "material": material, "file": file.id, "removed": removed });
                change.audit(by, "write", "file", details);
                changed.push(change);
            }
        }
        if changed.is_empty() {
            return Ok(None);
        }
        let mut whole = self.change(open);
        // The parts say what happened to them; who looks at the bundle may still act.
        whole.quiet = true;
        self.finish_whole(whole, changed, &parts).map(Some)
    }
}

fn waits_for_applicant(part: &Part) -> Problem {
    let (title, number) = (part.open.title(), &part.open.row.number);
    problem(
        format!("parts/{number}"),
        format!("“{}”正在等申请人补正", title.zh),
        format!("\"{}\" waits for the applicant", title.en),
    )
}

fn handled_already(n: usize) -> Problem {
    problem(
        format!("missing/{n}"),
        "涉及的事项已不在待受理",
        "no part this is about waits to be accepted",
    )
}
