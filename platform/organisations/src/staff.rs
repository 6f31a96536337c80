//! The people's side of the engine: each call decides on a draft and writes it.

use crate::model::{
    Appointment, Delegation, HandOver, HandedItem, Leave, Member, NewAppointment, NewDelegation,
    NewLeave, NewPosition, Position,
};
use crate::people::{self, KnowsRole, MemberChange, PositionChange};
use crate::{Deeds, Engine, delegations};
use kernel::access::Actor;
use kernel::organisations::{OpenItem, OpenWork, Successor};
use kernel::{Fault, Time, new_id};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Open items of one hand-over, at most.
const ITEMS_LIMIT: usize = 5000;

/// How somebody's work is to be handed over.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHandOver {
    /// They leave the service; otherwise only these positions end.
    #[serde(default)]
    pub leaves_service: bool,
    /// Appointments that end, when they do not leave the service.
    #[serde(default)]
    pub appointments: Vec<String>,
    /// The day the positions end; now when absent. Work goes over at once.
    #[serde(default)]
    pub on: Option<Time>,
    /// Who takes what is not named in `items`.
    pub to: Successor,
    /// Who takes what, by `kind/identification`.
    #[serde(default)]
    pub items: BTreeMap<String, Successor>,
    /// The position they move to.
    #[serde(default)]
    pub next: Option<NewAppointment>,
    /// Why.
    pub reason: String,
}

fn deeds<'a>(object: &'a str, subject: &str, what: &str, row: impl serde::Serialize) -> Deeds<'a> {
    Deeds {
        verb: "operate",
        object,
        subject: subject.into(),
        details: json!({ "what": what, "row": row }),
    }
}

impl Engine {
    /// Makes a position.
    pub async fn make_position(
        &self,
        by: &Actor,
        new: NewPosition,
        knows: KnowsRole<'_>,
    ) -> Result<Position, Fault> {
        self.write(by, |draft| {
            let made = people::make_position(draft, new, knows)?;
            let deeds = deeds("organisations", &made.organisation, "position made", &made);
            Ok((made, deeds))
        })
        .await
    }

    /// Changes a position, or ends it.
    pub async fn change_position(
        &self,
        by: &Actor,
        id: &str,
        change: PositionChange,
        expect_version: Option<i64>,
        knows: KnowsRole<'_>,
    ) -> Result<Position, Fault> {
        self.write(by, |draft| {
            let made = people::change_position(draft, id, change, expect_version, knows)?;
            let deeds = deeds(
                "organisations",
                &made.organisation,
                "position changed",
                &made,
            );
            Ok((made, deeds))
        })
        .await
    }

    /// Gives a position to somebody.
    pub async fn appoint(
        &self,
        by: &Actor,
        new: NewAppointment,
        name: &str,
    ) -> Result<Appointment, Fault> {
        self.write(by, |draft| {
            let made = people::appoint(draft, &by.account, new, name)?;
            let deeds = deeds("organisations", &made.account, "appointed", &made);
            Ok((made, deeds))
        })
        .await
    }

    /// Ends an appointment.
    pub async fn end_appointment(
        &self,
        by: &Actor,
        id: &str,
        on: Option<Time>,
        reason: &str,
    ) -> Result<Appointment, Fault> {
        let mut found = vec![];
        crate::acts::reason_problem(reason, &mut found);
        people::refuse(found)?;
        self.write(by, |draft| {
            let ended = people::end_appointment(draft, id, on)?;
            let details = json!({ "appointment": ended, "reason": reason });
            let deeds = deeds(
                "organisations",
                &ended.account,
                "appointment ended",
                details,
            );
            Ok((ended, deeds))
        })
        .await
    }

    /// Writes a member's lines of the directory.
    pub async fn change_member(
        &self,
        by: &Actor,
        account: &str,
        change: MemberChange,
    ) -> Result<Member, Fault> {
        self.write(by, |draft| {
            let member = people::change_member(draft, account, change)?;
            let deeds = deeds("directory", account, "member changed", &member);
            Ok((member, deeds))
        })
        .await
    }

    /// Records leave.
    pub async fn take_leave(
        &self,
        by: &Actor,
        account: &str,
        new: NewLeave,
    ) -> Result<Leave, Fault> {
        self.write(by, |draft| {
            let leave = people::take_leave(draft, &by.account, account, new)?;
            let deeds = deeds("directory", account, "leave", &leave);
            Ok((leave, deeds))
        })
        .await
    }

    /// Gives leave up.
    pub async fn cancel_leave(&self, by: &Actor, id: &str) -> Result<Leave, Fault> {
        self.write(by, |draft| {
            let leave = people::cancel_leave(draft, &by.account, id)?;
            let subject = leave.account.clone();
            let deeds = deeds("directory", &subject, "leave given up", &leave);
            Ok((leave, deeds))
        })
        .await
    }

    /// Gives a delegation. Who acts under a delegation cannot; roles must be the giver's own.
    pub async fn delegate(&self, giver: &Actor, new: NewDelegation) -> Result<Delegation, Fault> {
        let mut found = vec![];
        if giver.standing.acts_for.is_some() {
            found.push(crate::check::problem(
                "receiver",
                "代他人行事时不能再委托",
                "who acts for another cannot delegate further",
            ));
        }
        for role in new.roles.iter().filter(|role| !giver.roles.contains(role)) {
            found.push(crate::check::problem(
                "roles",
                format!("您没有角色“{role}”"),
                format!("you do not hold the role \"{role}\""),
            ));
        }
        people::refuse(found)?;
        self.write(giver, |draft| {
            let made = delegations::make(draft, &giver.account, new, None)?;
            let deeds = deeds("delegations", &made.id, "given", &made);
            Ok((made, deeds))
        })
        .await
    }

    /// The receiver accepts or refuses.
    pub async fn answer_delegation(
        &self,
        receiver: &Actor,
        id: &str,
        accept: bool,
    ) -> Result<Delegation, Fault> {
        self.write(receiver, |draft| {
            let answered = delegations::answer(draft, &receiver.account, id, accept)?;
            let what = if accept { "accepted" } else { "refused" };
            let deeds = deeds("delegations", id, what, &answered);
            Ok((answered, deeds))
        })
        .await
    }

    /// Ends a delegation at once; `any` for those who keep the organisations.
    pub async fn end_delegation(
        &self,
        by: &Actor,
        id: &str,
        why: &str,
        any: bool,
    ) -> Result<Delegation, Fault> {
        self.write(by, |draft| {
            let ended = delegations::end(draft, &by.account, id, why, any)?;
            let deeds = deeds("delegations", id, "ended", &ended);
            Ok((ended, deeds))
        })
        .await
    }

    /// An account was disabled: its delegations end.
    pub async fn account_disabled(&self, by: &Actor, account: &str) -> Result<(), Fault> {
        self.write(by, |draft| {
            let why = "账号停用 account disabled";
            let ended = delegations::close_all(draft, &by.account, account, why);
            Ok(((), deeds("delegations", account, "account disabled", ended)))
        })
        .await
    }

    /// Everything somebody has in hand.
    pub async fn open_work(
        &self,
        work: &[Arc<dyn OpenWork>],
        account: &str,
    ) -> Result<Vec<OpenItem>, Fault> {
        let mut items = vec![];
        for kind in work {
            items.extend(kind.of(account, ITEMS_LIMIT - items.len()).await?);
            if items.len() >= ITEMS_LIMIT {
                break;
            }
        }
        Ok(items)
    }

    /// Hands over: work goes to its successors, positions and delegations end, the next position
    /// begins, and the list is signed off, all in one transaction. While it is open nobody else
    /// writes, so that nothing new can stay behind unseen.
    pub async fn hand_over(
        &self,
        work: &[Arc<dyn OpenWork>],
        by: &Actor,
        account: &str,
        new: NewHandOver,
    ) -> Result<HandOver, Fault> {
        let successors = new.items.values().chain([&new.to]);
        let to_self = Successor::Account(account.into());
        if successors.into_iter().any(|to| *to == to_self) {
            return Err(Fault::invalid_at(
                "to",
                "不能交接给本人",
                "work cannot be handed to the person who goes",
            ));
        }
        let mut tx = self.store.begin().await?;
        let items = self.open_work(work, account).await?;
        if items.len() >= ITEMS_LIMIT {
            return Err(Fault::invalid_at(
                "items",
                format!("未结事项超过 {ITEMS_LIMIT} 件，请先分批改派"),
                format!("more than {ITEMS_LIMIT} items are open; reassign some first"),
            ));
        }
        let known: Vec<String> = items
            .iter()
            .map(|i| format!("{}/{}", i.kind, i.id))
            .collect();
        let stray = new.items.keys().filter(|key| !known.contains(key));
        let stray: Vec<_> = stray
            .map(|key| {
                crate::check::problem(
                    &format!("items/{key}"),
                    "此人没有该未结事项",
                    "they have no such open item",
                )
            })
            .collect();
        people::refuse(stray)?;
        let handed: Vec<HandedItem> = items
            .into_iter()
            .zip(&known)
            .map(|(item, key)| HandedItem {
                item,
                to: new.items.get(key).unwrap_or(&new.to).clone(),
            })
            .collect();
        let (draft, record) = self
            .decide(&mut tx, |draft| {
                let record = hand_over(draft, by, account, &new, handed)?;
                let deeds = deeds("organisations", account, "handed over", &record);
                Ok((record, deeds))
            })
            .await?;
        for handed in &record.items {
            let kind = work.iter().find(|w| w.kind() == handed.item.kind);
            if let Some(kind) = kind {
                kind.hand_over(&mut tx, by, &handed.item.id, account, &handed.to)
                    .await?;
            }
        }
        if let Some((draft, deeds)) = draft {
            self.finish(tx, by, draft, deeds).await?;
        }
        Ok(record)
    }
}

fn hand_over(
    draft: &mut crate::book::Draft,
    by: &Actor,
    account: &str,
    new: &NewHandOver,
    items: Vec<HandedItem>,
) -> Result<HandOver, Fault> {
    let mut found = vec![];
    crate::acts::reason_problem(&new.reason, &mut found);
    let on = new.on.unwrap_or(draft.now).max(draft.now);
    let holds: Vec<String> = draft
        .book
        .appointments
        .values()
        .filter(|a| a.account == account && a.valid_to.is_none_or(|to| to > on))
        .map(|a| a.id.clone())
        .collect();
    let ends: Vec<String> = if new.leaves_service {
        holds.clone()
    } else {
        new.appointments.clone()
    };
    for id in ends.iter().filter(|id| !holds.contains(id)) {
        found.push(crate::check::problem(
            "appointments",
            format!("此人没有任职“{id}”"),
            format!("they do not hold the appointment \"{id}\""),
        ));
    }
    if new.leaves_service && new.next.is_some() {
        found.push(crate::check::problem(
            "next",
            "离职者没有新岗位",
            "who leaves the service takes no other position",
        ));
    }
    people::refuse(found)?;
    for id in &ends {
        people::end_appointment(draft, id, Some(on))?;
    }
    let mut ended = vec![];
    if new.leaves_service {
        ended = delegations::close_all(draft, &by.account, account, "离职 left the service");
        if let Some(member) = draft.book.members.get(account).cloned() {
            let mut member = (*member).clone();
            member.left_at = Some(on);
            draft.put_member(member);
        }
    }
    if let Some(next) = &new.next {
        let next = NewAppointment {
            account: account.into(),
            valid_from: next.valid_from.or(Some(on)),
            ..next.clone()
        };
        let name = draft.book.members.get(account);
        let name = name.map(|m| m.name.clone()).unwrap_or_default();
        people::appoint(draft, &by.account, next, &name)?;
    }
    let record = HandOver {
        id: new_id(draft.now),
        account: account.into(),
        at: draft.now,
        by: by.account.clone(),
        reason: new.reason.trim().into(),
        items,
        appointments: ends,
        delegations: ended,
        leaves_service: new.leaves_service,
    };
    draft.put_hand_over(record.clone());
    Ok(record)
}

/// What is shown of a person: positions now and before, leave, delegations, hand-overs.
impl Engine {
    /// One member as their page shows them. `input.not_found` for somebody unknown here.
    pub fn member(&self, account: &str) -> Result<Value, Fault> {
        let now = self.now();
        let book = &now.book;
        let appointments: Vec<Value> = book
            .appointments
            .values()
            .rev()
            .filter(|a| a.account == account)
            .map(|a| {
                let position = book.positions.get(&a.position);
                let code = position.map(|p| p.organisation.as_str()).unwrap_or("");
                let title = book.versions(code).last().map(|o| o.title.clone());
                json!({ "appointment": a, "position": position, "organisation": title })
            })
            .collect();
        let member = book.members.get(account);
        if member.is_none() && appointments.is_empty() {
            return Err(Fault::missing(&format!("member {account}")));
        }
        let leaves = book.leaves.values().rev();
        let leaves: Vec<_> = leaves.filter(|l| l.account == account).take(100).collect();
        let hand_overs = book.hand_overs.values().rev();
        let hand_overs: Vec<_> = hand_overs.filter(|h| h.account == account).collect();
        Ok(json!({
            "account": account, "member": member, "appointments": appointments,
            "leaves": leaves, "delegations": self.delegations(account), "hand_overs": hand_overs,
        }))
    }

    /// Delegations given and received, newest first, 200 at most.
    pub fn delegations(&self, account: &str) -> Vec<Delegation> {
        let book = self.now().book.clone();
        let all = book.delegations.values().rev();
        all.filter(|d| d.giver == account || d.receiver == account)
            .take(200)
            .map(|d| (**d).clone())
            .collect()
    }

    /// The delegation, if this account may use it now.
    pub fn delegation_in_force(&self, receiver: &str, id: &str) -> Option<Delegation> {
        let now = self.now();
        delegations::in_force(&now.book, receiver, id, self.clock.now())
    }

    /// Have they left the service?
    pub fn has_left(&self, account: &str) -> bool {
        let now = self.clock.now();
        let book = self.now().book.clone();
        let member = book.members.get(account);
        member.is_some_and(|m| m.left_at.is_some_and(|at| at <= now))
    }

    /// A position by its identification.
    pub fn position(&self, id: &str) -> Option<Arc<Position>> {
        self.now().book.positions.get(id).cloned()
    }

    /// An appointment by its identification.
    pub fn appointment(&self, id: &str) -> Option<Arc<Appointment>> {
        self.now().book.appointments.get(id).cloned()
    }

    /// Leave by its identification.
    pub fn leave(&self, id: &str) -> Option<Arc<Leave>> {
        self.now().book.leaves.get(id).cloned()
    }

    /// Organisations somebody has, had or will have a position in.
    pub fn homes(&self, account: &str) -> Vec<String> {
        let book = self.now().book.clone();
        let held = book.appointments.values().filter(|a| a.account == account);
        let homes =
            held.filter_map(|a| Some(book.positions.get(&a.position)?.organisation.clone()));
        homes.collect()
    }
}
