//! What applicants do at their application: supply what was missing, take it back, rate it.

use crate::body::Body;
use crate::change::Change;
use crate::faults::{conflict, denied, problem, refuse, said, too_late};
use crate::missing::{Opened, still_missing};
use crate::{ACCEPTANCE, ANSWER, Engine, TRIES, settle};
use kernel::access::Actor;
use kernel::applications::{Application, ApplicationState, Own, Rating};
use kernel::fault::Problem;
use kernel::items::Item;
use kernel::{Fault, Words};
use serde_json::{Map, Value, json};
use store::applications::Counts;
use store::applications::read;

/// Things that stood out, at most.
const ABOUT: usize = 10;

impl Engine {
    pub(crate) async fn applicant_does(
        &self,
        by: &Actor,
        id: &str,
        seen: Option<i64>,
        verb: Own,
    ) -> Result<Application, Fault> {
        for _ in 0..TRIES {
            let (open, access) = self.seen(by, id).await?;
            let may = access.own || (access.behalf && !matches!(verb, Own::Rate { .. }));
            if !may {
                return Err(denied(
                    "只有申请人可以这样做",
                    "only the applicant may do this",
                ));
            }
            if open.row.bundle == 1
                && let Own::Correct { answers, note } = &verb
            {
                match self.correct_whole(open, by, seen, answers, note).await? {
                    Some(whole) => return Ok(whole),
                    None => continue,
                }
            }
            if open.row.bundle == 1
                && let Own::Withdraw { reason } = &verb
            {
                return self.withdraw_parts(by, &open.row.id, reason).await;
            }
            let mut change = self.change(open);
            match &verb {
                Own::Correct { answers, note } => {
                    self.correct(&mut change, by, seen, answers, note).await?;
                }
                Own::Withdraw { reason } => withdraw(&mut change, by, seen, reason)?,
                Own::Rate { mark, about, text } => {
                    let due = self.means.days.add(change.now, ANSWER).await?.due;
                    rate(&mut change, by, seen, (*mark, about, text), due)?;
                }
            }
            let (write, open) = self.finish(change).await?;
            if self.put(write).await?.is_some() {
                return self.line(&open, true).await;
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    /// Takes back every part of a bundle that has not ended; the bundle follows.
    async fn withdraw_parts(
        &self,
        by: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<Application, Fault> {
        refuse(said("reason", reason, 2, 200).into_iter().collect())?;
        let parts = read::parts(&mut self.store.reader().await?, id).await?;
        let mut done = 0;
        for part in parts {
            let open = self.opened(part)?;
            if open.state().ended() {
                continue;
            }
            let verb = Own::Withdraw {
                reason: reason.into(),
            };
            // A part decided at this very moment stays as it is.
            match Box::pin(self.applicant_does(by, &open.row.id, None, verb)).await {
                Ok(_) => done += 1,
                Err(fault) if fault.code == "input.conflict" => {}
                Err(fault) => return Err(fault),
            }
        }
        let (open, _) = self.seen(by, id).await?;
        if done == 0 {
            return Err(too_late(open.state(), open.body.last.as_ref()));
        }
        self.line(&open, true).await
    }

    async fn correct(
        &self,
        change: &mut Change,
        by: &Actor,
        seen: Option<i64>,
        answers: &Map<String, Value>,
        note: &str,
    ) -> Result<(), Fault> {
        change.demand(&[ApplicationState::Correction])?;
        change.demand_seen(seen)?;
        let row = &change.open.row;
        let item = self.version_of(&row.item, row.item_version).await?;
        let mut problems = settle::unknown(&item, None, answers);
        if !note.is_empty() {
            problems.extend(said("note", note, 1, 500));
        }
        let opened = Opened::of(change.open.body.missing());
        let supplied = self.supplied(&change.open, &item, answers, &opened);
        problems.extend(supplied.problems);
        problems.extend(still_missing(&change.open, &supplied.asked, answers));
        problems.extend(self.judged(&item, &supplied.answers, &change.open.body));
        refuse(problems)?;
        settle::size(&supplied.answers)?;
        change.open.body.answers = supplied.answers;
        self.resubmitted(change, by, note).await
    }

    /// Everything wrong with answers of an application.
    pub(crate) fn judged(
        &self,
        item: &Item,
        answers: &Map<String, Value>,
        body: &Body,
    ) -> Vec<Problem> {
        let items = &*self.means.items;
        let mut problems = items.judge(item, answers, true);
        problems.extend(items.judge_applicant(item, answers, &body.applicant.holder.number));
        problems
    }

    pub(crate) async fn resubmitted(
        &self,
        change: &mut Change,
        by: &Actor,
        note: &str,
    ) -> Result<(), Fault> {
        change.becomes(ApplicationState::Submitted);
        let now = change.now;
        change.open.body.received_at = now;
        change.open.row.due_at = self.means.days.add(now, ACCEPTANCE).await?.due.0;
        let words = Words::new("已补正", "what was missing is supplied");
        change.step("corrected", words, Some(note), false);
        let round = change.open.body.rounds.len();
        change.job("files", &format!("hand_in-round-{round}"));
        change.last(by);
        change.event("corrected");
        change.audit(by, "write", "correct", json!({}));
        Ok(())
    }
}

fn withdraw(change: &mut Change, by: &Actor, seen: Option<i64>, reason: &str) -> Result<(), Fault> {
    refuse(said("reason", reason, 2, 200).into_iter().collect())?;
    use ApplicationState::*;
    change.demand(&[Submitted, Correction, Accepted])?;
    change.demand_seen(seen)?;
    change.becomes(Withdrawn);
    let words = Words::new("申请人撤回", "taken back by the applicant");
    change.step("withdrawn", words, Some(reason), false);
    change.job("case", "cancel");
    change.last(by);
    change.event("withdrawn");
    change.audit(by, "write", "withdraw", json!({}));
    Ok(())
}

fn rate(
    change: &mut Change,
    by: &Actor,
    seen: Option<i64>,
    (mark, about, text): (u8, &[String], &str),
    due: kernel::Time,
) -> Result<(), Fault> {
    let mut problems = vec![];
    if !(1..=5).contains(&mark) {
        problems.push(problem(
            "mark",
            "评价为 1（非常不满意）至 5（非常满意）",
            "the mark is 1 to 5",
        ));
    }
    if about.len() > ABOUT {
        problems.push(problem("about", "至多 10 项", "10 at most"));
    }
    for (n, one) in about.iter().take(ABOUT).enumerate() {
        problems.extend(said(&format!("about/{n}"), one, 1, 40));
    }
    if !text.is_empty() {
        problems.extend(said("text", text, 1, 500));
    }
    refuse(problems)?;
    if !change.open.state().ended() {
        return Err(conflict(
            "办件办结后方可评价",
            "it can be rated once it has ended",
        ));
    }
    if change.open.body.rating.is_some() {
        return Err(conflict("该办件已评价过", "it has been rated already"));
    }
    change.demand_seen(seen)?;
    let bad = mark <= 2;
    change.open.body.rating = Some(Rating {
        mark,
        about: about.to_vec(),
        text: text.into(),
        at: change.now,
        answer_due: bad.then_some(due),
        answer: None,
        answered_at: None,
        visited: false,
    });
    change.open.row.rating = Some(i64::from(mark));
    change.open.row.unanswered = i64::from(bad);
    let counts = Counts {
        rated: 1,
        good: i64::from(mark >= 3),
        bad: i64::from(bad),
        ..Counts::default()
    };
    change.count(change.now, counts);
    change.step("rated", Words::new("已评价", "rated"), None, false);
    change.event("rated");
    change.audit(by, "write", "rate", json!({ "mark": mark }));
    Ok(())
}
