//! People: positions and who holds them, what the directory says of a member, leave. Pure
//! decisions on a draft; every fault is named.

use crate::acts::reason_problem;
use crate::book::Draft;
use crate::check::problem;
use crate::delegations;
use crate::model::{
    Appointment, Leave, Member, NewAppointment, NewDelegation, NewLeave, NewPosition, Position,
    Rank,
};
use kernel::fault::FaultKind;
use kernel::{Fault, Problem, Span, Time, Words, new_id};
use serde::Deserialize;

/// Letters of a title or name, at most.
const TITLE_LIMIT: usize = 60;
/// Roles of one position, at most.
const ROLES_LIMIT: usize = 50;
/// Positions one account holds at a time, at most.
const HELD_LIMIT: usize = 20;
/// Longest leave.
const LONGEST_LEAVE: Span = Span::days(400);

/// Answers whether a role is declared.
pub type KnowsRole<'a> = &'a (dyn Fn(&str) -> bool + Sync);

/// What changes in a position; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionChange {
    /// Title.
    #[serde(default)]
    pub title: Option<Words>,
    /// Roles, all of them.
    #[serde(default)]
    pub roles: Option<Vec<String>>,
    /// Head, deputy or staff.
    #[serde(default)]
    pub rank: Option<Rank>,
    /// It ends at; refused while somebody holds it beyond.
    #[serde(default)]
    pub valid_to: Option<Time>,
}

/// What the directory is to say.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Office telephone.
    #[serde(default)]
    pub phone: Option<String>,
    /// Room.
    #[serde(default)]
    pub room: Option<String>,
}

pub(crate) fn refuse(found: Vec<Problem>) -> Result<(), Fault> {
    if found.is_empty() {
        Ok(())
    } else {
        Err(Fault::invalid(found))
    }
}

fn title_problems(title: &Words, found: &mut Vec<Problem>) {
    for (text, needed) in [(&title.zh, true), (&title.en, false)] {
        let length = text.chars().count();
        let empty = needed && text.trim().is_empty();
        if empty || length > TITLE_LIMIT || text.contains(char::is_control) {
            found.push(problem(
                "title",
                format!("岗位名称须为 1 至 {TITLE_LIMIT} 个字"),
                format!("a title has 1 to {TITLE_LIMIT} letters"),
            ));
        }
    }
}

fn role_problems(roles: &[String], knows: KnowsRole<'_>, found: &mut Vec<Problem>) {
    if roles.len() > ROLES_LIMIT {
        found.push(problem(
            "roles",
            format!("至多 {ROLES_LIMIT} 个角色"),
            format!("at most {ROLES_LIMIT} roles"),
        ));
    }
    for role in roles.iter().filter(|role| !knows(role)) {
        found.push(problem(
            "roles",
            format!("没有角色“{role}”"),
            format!("there is no role \"{role}\""),
        ));
    }
}

fn lasts(end: Option<Time>, at: Time) -> bool {
    end.is_none_or(|end| end > at)
}

/// Makes a position.
pub(crate) fn make_position(
    draft: &mut Draft,
    new: NewPosition,
    knows: KnowsRole<'_>,
) -> Result<Position, Fault> {
    let from = new.valid_from.unwrap_or(draft.now);
    let mut found = vec![];
    title_problems(&new.title, &mut found);
    role_problems(&new.roles, knows, &mut found);
    if draft.book.organisation(&new.organisation, from).is_none() {
        found.push(problem(
            "organisation",
            format!("机构“{}”当时不存在", new.organisation),
            format!("there is no organisation \"{}\" then", new.organisation),
        ));
    }
    let twin = draft.book.positions.values().any(|p| {
        p.organisation == new.organisation
            && p.title.zh == new.title.zh.trim()
            && lasts(p.valid_to, from)
    });
    if twin {
        found.push(problem(
            "title",
            format!("该机构已有岗位“{}”", new.title.zh),
            format!("the organisation has a position \"{}\"", new.title.zh),
        ));
    }
    refuse(found)?;
    let position = Position {
        id: new_id(draft.now),
        organisation: new.organisation,
        title: Words::new(new.title.zh.trim(), new.title.en.trim()),
        roles: new.roles,
        rank: new.rank,
        valid_from: from,
        valid_to: None,
        version: 1,
    };
    draft.put_position(position.clone());
    Ok(position)
}

/// Changes a position, or ends it.
pub(crate) fn change_position(
    draft: &mut Draft,
    id: &str,
    change: PositionChange,
    expect_version: Option<i64>,
    knows: KnowsRole<'_>,
) -> Result<Position, Fault> {
    let old = draft.book.positions.get(id).cloned();
    let old = old.ok_or_else(|| Fault::missing(&format!("position {id}")))?;
    if expect_version.is_some_and(|expected| expected != old.version) {
        return Err(Fault::new(
            FaultKind::Conflict,
            "input.stale",
            "岗位已被他人更改，请重新查看后再提交",
            "the position was changed by somebody else; look again",
        ));
    }
    let mut new = Position {
        version: old.version + 1,
        ..(*old).clone()
    };
    let mut found = vec![];
    if let Some(title) = change.title {
        title_problems(&title, &mut found);
        new.title = title;
    }
    if let Some(roles) = change.roles {
        role_problems(&roles, knows, &mut found);
        new.roles = roles;
    }
    new.rank = change.rank.unwrap_or(new.rank);
    if let Some(end) = change.valid_to {
        if end <= new.valid_from {
            found.push(problem(
                "valid_to",
                "止期须晚于起期",
                "it must end after it begins",
            ));
        }
        for appointment in draft.book.appointments.values() {
            if appointment.position == id && lasts(appointment.valid_to, end) {
                found.push(problem(
                    &appointment.account,
                    format!("{} 届时仍任此岗", appointment.account),
                    format!("{} still holds it then", appointment.account),
                ));
            }
        }
        new.valid_to = Some(end);
    }
    refuse(found)?;
    draft.put_position(new.clone());
    Ok(new)
}

/// Writes a member's lines of the directory.
pub(crate) fn change_member(
    draft: &mut Draft,
    account: &str,
    change: MemberChange,
) -> Result<Member, Fault> {
    let mut member = match draft.book.members.get(account) {
        Some(known) => (**known).clone(),
        None => Member {
            account: account.into(),
            ..Member::default()
        },
    };
    let mut found = vec![];
    let mut set = |at: &str, field: &mut String, value: Option<String>, most: usize| {
        let Some(value) = value else {
            return;
        };
        if value.chars().count() > most || value.contains(char::is_control) {
            found.push(problem(
                at,
                format!("至多 {most} 个字"),
                format!("at most {most} letters"),
            ));
        }
        *field = value.trim().into();
    };
    set("name", &mut member.name, change.name, 100);
    set("phone", &mut member.phone, change.phone, 40);
    set("room", &mut member.room, change.room, 60);
    refuse(found)?;
    draft.put_member(member.clone());
    Ok(member)
}

/// Gives a position to somebody; `name` is what the directory calls a new member.
pub(crate) fn appoint(
    draft: &mut Draft,
    by: &str,
    new: NewAppointment,
    name: &str,
) -> Result<Appointment, Fault> {
    let from = new.valid_from.unwrap_or(draft.now);
    let mut found = vec![];
    let position = draft.book.positions.get(&new.position).cloned();
    match &position {
        None => found.push(problem(
            "position",
            format!("没有岗位“{}”", new.position),
            format!("there is no position \"{}\"", new.position),
        )),
        Some(position) => {
            let stands = position.valid_from <= from && lasts(position.valid_to, from);
            let home = draft.book.organisation(&position.organisation, from);
            if !stands || home.is_none() {
                found.push(problem(
                    "valid_from",
                    "岗位或其机构届时不存在",
                    "the position or its organisation does not exist then",
                ));
            }
        }
    }
    if new.valid_to.is_some_and(|to| to <= from) {
        found.push(problem(
            "valid_to",
            "止期须晚于起期",
            "it must end after it begins",
        ));
    }
    if new.reason.chars().count() > crate::acts::REASON_LIMIT {
        found.push(problem("reason", "理由过长", "the reason is too long"));
    }
    let others: Vec<&Appointment> = draft
        .book
        .appointments
        .values()
        .map(|a| &**a)
        .filter(|a| a.account == new.account)
        .filter(|a| lasts(a.valid_to, from) && new.valid_to.is_none_or(|to| a.valid_from < to))
        .collect();
    if others.iter().any(|a| a.position == new.position) {
        found.push(problem(
            "position",
            "此人同期已任该岗",
            "they hold that position in that time already",
        ));
    } else if new.main && others.iter().any(|a| a.main) {
        found.push(problem(
            "main",
            "此人同期已有主职，请改为兼职或先结束原职",
            "they have a main position in that time; make this a concurrent one or end the other",
        ));
    }
    if others.len() >= HELD_LIMIT {
        found.push(problem(
            "account",
            format!("一人至多任 {HELD_LIMIT} 岗"),
            format!("one person holds at most {HELD_LIMIT} positions"),
        ));
    }
    refuse(found)?;
    let appointment = Appointment {
        id: new_id(draft.now),
        account: new.account.clone(),
        position: new.position,
        main: new.main,
        valid_from: from,
        valid_to: new.valid_to,
        reason: new.reason,
        by: by.into(),
    };
    draft.put_appointment(appointment.clone());
    let known = draft.book.members.get(&new.account);
    if known.is_none_or(|m| m.left_at.is_some() || m.name.is_empty()) {
        let member = Member {
            account: new.account.clone(),
            name: name.into(),
            left_at: None,
            ..known.map(|m| (**m).clone()).unwrap_or_default()
        };
        draft.put_member(member);
    }
    Ok(appointment)
}

/// Ends an appointment on a day; its roles end with it.
pub(crate) fn end_appointment(
    draft: &mut Draft,
    id: &str,
    on: Option<Time>,
) -> Result<Appointment, Fault> {
    let old = draft.book.appointments.get(id).cloned();
    let old = old.ok_or_else(|| Fault::missing(&format!("appointment {id}")))?;
    let on = on.unwrap_or(draft.now);
    if !lasts(old.valid_to, on) {
        return Err(Fault::new(
            FaultKind::Conflict,
            "input.conflict",
            "该任职在此之前已经结束",
            "the appointment has ended before that",
        ));
    }
    let new = Appointment {
        valid_to: Some(on.max(old.valid_from)),
        ..(*old).clone()
    };
    draft.put_appointment(new.clone());
    Ok(new)
}

/// Records leave. Whoever stands in gets a delegation of everything for the time.
pub(crate) fn take_leave(
    draft: &mut Draft,
    by: &str,
    account: &str,
    new: NewLeave,
) -> Result<Leave, Fault> {
    let mut found = vec![];
    reason_problem(&new.reason, &mut found);
    if new.to <= new.from || new.to <= draft.now || new.to - LONGEST_LEAVE > new.from {
        found.push(problem(
            "to",
            "假期须在未来结束，且不超过 400 天",
            "leave ends in the future and lasts at most 400 days",
        ));
    }
    let overlapping = draft.book.leaves.values().any(|l| {
        l.account == account && l.cancelled_at.is_none() && l.from < new.to && new.from < l.to
    });
    if overlapping {
        found.push(problem(
            "from",
            "与已登记的假期重叠",
            "it overlaps other leave",
        ));
    }
    if new.substitute.as_deref() == Some(account) {
        found.push(problem(
            "substitute",
            "不能由本人代班",
            "nobody stands in for themselves",
        ));
    }
    refuse(found)?;
    let mut leave = Leave {
        id: new_id(draft.now),
        account: account.into(),
        from: new.from,
        to: new.to,
        substitute: new.substitute.clone(),
        reason: new.reason.clone(),
        delegation: None,
        cancelled_at: None,
        by: by.into(),
    };
    if let Some(receiver) = new.substitute {
        let delegation = NewDelegation {
            receiver,
            from: Some(new.from.max(draft.now)),
            to: Some(new.to),
            reason: new.reason,
            ..NewDelegation::default()
        };
        let made = delegations::make(draft, account, delegation, Some(&leave.id))?;
        leave.delegation = Some(made.id);
    }
    draft.put_leave(leave.clone());
    Ok(leave)
}

/// Gives leave up; who stood in stands in no more.
pub(crate) fn cancel_leave(draft: &mut Draft, by: &str, id: &str) -> Result<Leave, Fault> {
    let old = draft.book.leaves.get(id).cloned();
    let old = old.ok_or_else(|| Fault::missing(&format!("leave {id}")))?;
    if old.cancelled_at.is_some() || old.to <= draft.now {
        return Err(Fault::new(
            FaultKind::Conflict,
            "input.conflict",
            "该假期已经结束或撤销",
            "the leave is over or was given up",
        ));
    }
    if let Some(delegation) = &old.delegation {
        delegations::close(draft, by, delegation, "销假 back from leave");
    }
    let leave = Leave {
        cancelled_at: Some(draft.now),
        ..(*old).clone()
    };
    draft.put_leave(leave.clone());
    Ok(leave)
}
