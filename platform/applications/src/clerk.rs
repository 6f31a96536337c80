//! What clerks do: accept, say once what is missing, refuse, pass on, hand over, take money, answer
//! a bad mark. Of two who do it at once one is first, and the other is told by whom.

use crate::body::Decision;
use crate::change::{Change, Open};
use crate::faults::{conflict, denied, not_found, problem, refuse, said, too_late};
use crate::missing::{once, point_problems, tell, untold};
use crate::{Engine, TRIES, settle};
use kernel::access::Actor;
use kernel::applications::{Application, ApplicationState, Clerk, Missing};
use kernel::fault::Problem;
use kernel::items::DeliveryWay;
use kernel::{Fault, Words};
use serde_json::json;
use store::applications::{Counts, NEVER};

impl Engine {
    pub(crate) async fn clerk_does(
        &self,
        by: &Actor,
        id: &str,
        seen: Option<i64>,
        verb: Clerk,
    ) -> Result<Application, Fault> {
        for _ in 0..TRIES {
            let (open, access) = self.seen(by, id).await?;
            let Some(by) = access.handle.clone() else {
                return Err(denied(
                    "您无权经办此办件",
                    "you may not handle this application",
                ));
            };
            if open.row.bundle == 1 && !matches!(verb, Clerk::Answer { .. }) {
                match self.clerk_does_whole(open, &by, seen, &verb).await? {
                    Some(whole) => return Ok(whole),
                    None => continue,
                }
            }
            let mut change = self.change(open);
            self.apply_clerk(&mut change, &by, seen, &verb).await?;
            let (write, open) = self.finish(change).await?;
            if self.put(write).await?.is_some() {
                if matches!(verb, Clerk::Accept { .. }) {
                    return self.with_case(open).await;
                }
                return self.line(&open, true).await;
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    /// An application just accepted: its case is begun at once when it can be; otherwise soon.
    async fn with_case(&self, open: Open) -> Result<Application, Fault> {
        let id = open.row.id.clone();
        self.case_now(&id).await;
        let open = self.find(&id).await?.ok_or_else(not_found)?;
        self.line(&open, true).await
    }

    pub(crate) async fn case_now(&self, id: &str) {
        if let Err(fault) = self.do_now(&format!("{id}/case/start")).await {
            tracing::warn!(%fault, application = id, "the case is begun later");
        }
    }

    async fn apply_clerk(
        &self,
        change: &mut Change,
        by: &Actor,
        seen: Option<i64>,
        verb: &Clerk,
    ) -> Result<(), Fault> {
        match verb {
            Clerk::Accept { note } => {
                self.accept(change, by, seen, note).await?;
            }
            Clerk::Correction { missing } => self.correction(change, by, seen, missing).await?,
            Clerk::NotAccept { reason, basis } => not_accept(change, by, seen, reason, basis)?,
            Clerk::Transfer {
                organisation,
                reason,
            } => self.transfer(change, by, seen, organisation, reason)?,
            Clerk::Deliver { tracking, taken_by } => {
                deliver(change, by, seen, tracking.as_deref(), taken_by.as_deref())?;
            }
            Clerk::Paid { bill, reference } => {
                refuse(said("reference", reference, 2, 60).into_iter().collect())?;
                change.demand_seen(seen)?;
                crate::paying::pay(change, bill, None, reference, "counter")?;
                change.last(by);
                change.audit(by, "handle", "paid", json!({ "bill": bill }));
            }
            Clerk::Answer { text, visited } => answer(change, by, seen, text, *visited)?,
        }
        Ok(())
    }

    async fn accept(
        &self,
        change: &mut Change,
        by: &Actor,
        seen: Option<i64>,
        note: &str,
    ) -> Result<(), Fault> {
        if !note.is_empty() {
            refuse(said("note", note, 1, 500).into_iter().collect())?;
        }
        change.demand(&[ApplicationState::Submitted])?;
        change.demand_seen(seen)?;
        change.open.body.note = note.into();
        let words = Words::new("已受理", "accepted");
        let now = change.now;
        self.accepted(change, now, "accepted", words, None).await?;
        change.last(by);
        change.audit(by, "handle", "accept", json!({}));
        Ok(())
    }

    async fn correction(
        &self,
        change: &mut Change,
        by: &Actor,
        seen: Option<i64>,
        missing: &[Missing],
    ) -> Result<(), Fault> {
        let row = &change.open.row;
        let item = self.version_of(&row.item, row.item_version).await?;
        let materials = &item.content.materials;
        refuse(point_problems(missing, |at| match at.split_once('/') {
            Some(("answers", field)) => settle::knows(&item, field),
            Some(("materials", name)) => materials.iter().any(|m| m.name == name),
            _ => false,
        }))?;
        change.demand(&[ApplicationState::Submitted])?;
        change.demand_seen(seen)?;
        let points: Vec<_> = missing.iter().enumerate().collect();
        once(untold(&change.open.body.rounds, &points))?;
        tell(change, by, missing.to_vec(), false);
        change.letter("correction");
        change.notice("application_correction");
        Ok(())
    }

    fn transfer(
        &self,
        change: &mut Change,
        by: &Actor,
        seen: Option<i64>,
        organisation: &str,
        reason: &str,
    ) -> Result<(), Fault> {
        let mut problems: Vec<Problem> = said("reason", reason, 2, 500).into_iter().collect();
        let known =
            organisation.len() <= 64 && self.means.offices.number_word(organisation).is_some();
        if !known {
            problems.push(problem(
                "organisation",
                "没有这个机构",
                "there is no such organisation",
            ));
        } else if organisation == change.open.row.organisation {
            problems.push(problem(
                "organisation",
                "办件已在该机构",
                "it is with this organisation already",
            ));
        }
        refuse(problems)?;
        change.demand(&[ApplicationState::Submitted, ApplicationState::Correction])?;
        change.demand_seen(seen)?;
        let from = change.open.row.organisation.clone();
        let words = Words::new(
            "转由另一机构办理",
            "passed on to the organisation in charge",
        );
        change.step("transferred", words, Some(reason), true);
        // The office it comes to has what is left of the limit: it runs since it was received.
        change.open.row.organisation = organisation.into();
        change.last(by);
        change.event("transferred");
        let details = json!({ "from": from, "to": organisation, "reason": reason });
        change.audit(by, "handle", "transfer", details);
        Ok(())
    }
}

fn not_accept(
    change: &mut Change,
    by: &Actor,
    seen: Option<i64>,
    reason: &str,
    basis: &str,
) -> Result<(), Fault> {
    let problems = [said("reason", reason, 2, 500), said("basis", basis, 2, 200)];
    refuse(problems.into_iter().flatten().collect())?;
    change.demand(&[ApplicationState::Submitted, ApplicationState::Correction])?;
    change.demand_seen(seen)?;
    change.becomes(ApplicationState::NotAccepted);
    change.open.body.decision = Some(Decision {
        approved: false,
        reason: reason.into(),
        basis: basis.into(),
        at: change.now,
    });
    let words = Words::new("不予受理", "not accepted");
    let note = format!("{reason}（{basis}）");
    change.step("not_accepted", words, Some(&note), true);
    change.letter("non_acceptance");
    change.notice("application_not_accepted");
    change.last(by);
    change.event("not_accepted");
    change.audit(by, "handle", "not_accept", json!({ "basis": basis }));
    Ok(())
}

fn deliver(
    change: &mut Change,
    by: &Actor,
    seen: Option<i64>,
    tracking: Option<&str>,
    taken_by: Option<&str>,
) -> Result<(), Fault> {
    let last = change.open.body.last.clone();
    let state = change.open.state();
    if change.open.row.undelivered != 1 {
        let delivered = change.open.body.delivery.as_ref();
        return Err(match delivered.filter(|d| d.state != "waiting") {
            Some(_) => too_late(state, last.as_ref()),
            None => conflict("没有待送达的结果", "there is no result to be delivered"),
        });
    }
    let Some(delivery) = &mut change.open.body.delivery else {
        return Err(conflict(
            "没有待送达的结果",
            "there is no result to be delivered",
        ));
    };
    let mut problems = vec![];
    let sound = |text: &str| {
        let length = (4..=40).contains(&text.len());
        length && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    match delivery.way {
        DeliveryWay::Post => {
            if !tracking.is_some_and(sound) {
                problems.push(problem(
                    "tracking",
                    "请填写邮件号（4 至 40 位字母、数字）",
                    "the number of the parcel is needed: 4 to 40 letters and digits",
                ));
            }
        }
        _ => problems.extend(said("taken_by", taken_by.unwrap_or(""), 2, 100)),
    }
    refuse(problems)?;
    let (what, words) = match delivery.way {
        DeliveryWay::Post => ("posted", Words::new("已寄出", "posted")),
        _ => ("handed_over", Words::new("已领取", "handed over")),
    };
    delivery.state = what.into();
    delivery.at = Some(change.now);
    delivery.tracking = tracking.map(String::from);
    change.demand_seen(seen)?;
    change.open.body.taken_by = taken_by.map(|by| by.trim().to_string());
    change.open.row.undelivered = 0;
    change.step(what, words, tracking, true);
    change.notice("application_delivered");
    change.last(by);
    change.event(what);
    change.audit(by, "handle", "deliver", json!({ "way": what }));
    Ok(())
}

fn answer(
    change: &mut Change,
    by: &Actor,
    seen: Option<i64>,
    text: &str,
    visited: bool,
) -> Result<(), Fault> {
    refuse(said("text", text, 2, 1_000).into_iter().collect())?;
    let now = change.now;
    let last = change.open.body.last.clone();
    let state = change.open.state();
    let Some(rating) = change.open.body.rating.as_mut().filter(|r| r.mark <= 2) else {
        return Err(conflict(
            "没有需要回应的差评",
            "there is no bad mark to be answered",
        ));
    };
    let first = rating.answer.is_none();
    if !first && (!visited || rating.visited) {
        return Err(too_late(state, last.as_ref()));
    }
    let due = rating.answer_due;
    let rated_at = rating.at;
    match &mut rating.answer {
        None => {
            rating.answer = Some(text.into());
            rating.answered_at = Some(now);
        }
        Some(answer) => {
            answer.push('\n');
            answer.push_str(text);
        }
    }
    rating.visited |= visited;
    change.demand_seen(seen)?;
    if first {
        change.open.row.unanswered = 0;
        change.open.row.due_at = NEVER;
        let in_time = due.is_none_or(|due| now <= due);
        let counts = Counts {
            answered: i64::from(in_time),
            ..Counts::default()
        };
        change.count(rated_at, counts);
        let words = Words::new("已回应评价", "the mark was answered");
        change.step("answered", words, Some(text), true);
        change.notice("rating_answered");
    } else {
        let words = Words::new("已回访", "the applicant was asked again");
        change.step("visited", words, Some(text), true);
    }
    change.last(by);
    change.event("answered");
    change.audit(by, "handle", "answer", json!({ "visited": visited }));
    Ok(())
}
