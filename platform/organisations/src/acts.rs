//! Acts on the tree: found, change, merge, split, abolish, each on a date and for a reason. They
//! end versions and begin new ones; nothing is overwritten but what begins on the same instant.

use crate::book::Draft;
use crate::check::problem;
use crate::model::{Act, Appointment, Deed, NewAct, NewOrganisation, Position};
use kernel::fault::Words;
use kernel::organisations::{Organisation, OrganisationKind};
use kernel::{Problem, Time, new_id};
use serde_json::{Value, json};

/// Letters of a reason, at most.
pub(crate) const REASON_LIMIT: usize = 500;
/// Organisations in one act, at most.
pub(crate) const ACT_LIMIT: usize = 20_000;
/// Deeds with more organisations than this keep only their number in the record of the act.
const KEPT: usize = 200;

/// A reason must be given.
pub(crate) fn reason_problem(reason: &str, found: &mut Vec<Problem>) {
    let length = reason.trim().chars().count();
    if !(1..=REASON_LIMIT).contains(&length) {
        found.push(problem(
            "reason",
            format!("须说明理由或文号，至多 {REASON_LIMIT} 字"),
            format!("give a reason of at most {REASON_LIMIT} letters"),
        ));
    }
}

/// Does an act on a draft, or says everything that forbids it. Answers the act.
pub(crate) fn act(draft: &mut Draft, by: &str, new: &NewAct) -> Result<Act, Vec<Problem>> {
    let on = new.on.unwrap_or(draft.now);
    let id = new_id(draft.now);
    let mut found = vec![];
    reason_problem(&new.reason, &mut found);
    let years = Time(0)..Time(4_102_444_800_000_000);
    if !years.contains(&on) {
        found.push(problem(
            "on",
            "生效日期须在 1970 至 2100 年之间",
            "the day must lie between 1970 and 2100",
        ));
    }
    let codes = match &new.act {
        Deed::Found { organisations } => found_all(draft, &id, on, organisations, &mut found),
        Deed::Change { code, .. } => {
            change(draft, &id, on, code, &mut found, |o| apply(o, &new.act));
            vec![code.clone()]
        }
        Deed::Merge { from, into } => merge(draft, &id, on, from, into, &mut found),
        Deed::Split { .. } => split(draft, &id, on, &new.act, &mut found),
        Deed::Abolish { code } => {
            abolish(draft, on, code, &mut found);
            vec![code.clone()]
        }
    };
    if !found.is_empty() {
        return Err(found);
    }
    let act = Act {
        id,
        what: new.act.word().into(),
        on,
        at: draft.now,
        by: by.into(),
        reason: new.reason.trim().into(),
        details: details(&new.act, codes.len()),
        codes,
    };
    draft.put_act(act.clone());
    Ok(act)
}

fn details(deed: &Deed, count: usize) -> Value {
    if count > KEPT {
        return json!({ "do": deed.word(), "count": count });
    }
    serde_json::to_value(deed).unwrap_or(Value::Null)
}

/// The first version of an organisation.
pub(crate) fn version_of(new: &NewOrganisation, on: Time, act: &str) -> Organisation {
    let some = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
    Organisation {
        code: new.code.clone(),
        kind: new.kind,
        title: Words::new(new.title.zh.trim(), new.title.en.trim()),
        parent: some(&new.parent),
        credit_code: some(&new.credit_code),
        division: some(&new.division),
        letter_word: some(&new.letter_word),
        valid_from: new.valid_from.unwrap_or(on),
        valid_to: new.valid_to,
        declared: false,
        act: act.into(),
    }
}

fn found_all(
    draft: &mut Draft,
    act: &str,
    on: Time,
    new: &[NewOrganisation],
    found: &mut Vec<Problem>,
) -> Vec<String> {
    if new.is_empty() || new.len() > ACT_LIMIT {
        found.push(problem(
            "organisations",
            format!("一次须设立 1 至 {ACT_LIMIT} 个机构"),
            format!("an act founds 1 to {ACT_LIMIT} organisations"),
        ));
        return vec![];
    }
    for one in new {
        // Overlaps are named by the check of the whole draft.
        let mut versions = draft.book.versions(&one.code).to_vec();
        versions.push(version_of(one, on, act));
        draft.put_versions(&one.code, versions);
    }
    new.iter().map(|o| o.code.clone()).collect()
}

fn apply(organisation: &mut Organisation, deed: &Deed) {
    let Deed::Change {
        title,
        kind,
        parent,
        credit_code,
        division,
        letter_word,
        ..
    } = deed
    else {
        return;
    };
    let set = |field: &mut Option<String>, value: &Option<String>| {
        if let Some(value) = value {
            *field = Some(value.clone()).filter(|v| !v.is_empty());
        }
    };
    if let Some(title) = title {
        organisation.title = Words::new(title.zh.trim(), title.en.trim());
    }
    organisation.kind = kind.unwrap_or(organisation.kind);
    set(&mut organisation.parent, parent);
    set(&mut organisation.credit_code, credit_code);
    set(&mut organisation.division, division);
    set(&mut organisation.letter_word, letter_word);
}

/// The place of the version that stands on a day, or a fault.
fn standing(
    draft: &Draft,
    code: &str,
    on: Time,
    at: &str,
    found: &mut Vec<Problem>,
) -> Option<usize> {
    let place = draft
        .book
        .versions(code)
        .iter()
        .position(|v| v.stands_at(on));
    if place.is_none() {
        found.push(problem(
            at,
            format!("机构“{code}”在 {} 不存在", on.for_people()),
            format!("there is no organisation \"{code}\" on {}", on.for_people()),
        ));
    }
    place
}

/// Begins a new version on a day; it lasts as long as the one that stood would have.
pub(crate) fn change(
    draft: &mut Draft,
    act: &str,
    on: Time,
    code: &str,
    found: &mut Vec<Problem>,
    alter: impl FnOnce(&mut Organisation),
) {
    let Some(place) = standing(draft, code, on, "code", found) else {
        return;
    };
    let mut versions = draft.book.versions(code).to_vec();
    let mut new = versions[place].clone();
    alter(&mut new);
    new.act = act.into();
    new.valid_from = on;
    if versions[place].valid_from == on {
        versions[place] = new;
    } else {
        versions[place].valid_to = Some(on);
        versions.push(new);
    }
    draft.put_versions(code, versions);
}

/// Ends an organisation on a day.
fn end(draft: &mut Draft, on: Time, code: &str, found: &mut Vec<Problem>) {
    let Some(place) = standing(draft, code, on, "code", found) else {
        return;
    };
    let mut versions = draft.book.versions(code).to_vec();
    if versions[place].declared {
        found.push(problem(
            code,
            format!("“{code}”由城市文件声明，须先从文件中移除"),
            format!("\"{code}\" is declared in the files of the city; take it out of them first"),
        ));
    }
    if place + 1 < versions.len() {
        found.push(problem(
            code,
            format!("“{code}”在该日之后另有变更，不能在此日终止"),
            format!("\"{code}\" has later changes; it cannot end on that day"),
        ));
    }
    if versions[place].valid_from == on {
        found.push(problem(
            code,
            format!("“{code}”当日才开始，不能当日终止"),
            format!("\"{code}\" begins on that day and cannot end on it"),
        ));
    }
    versions[place].valid_to = Some(on);
    draft.put_versions(code, versions);
}

/// Codes directly below on a day.
fn children(draft: &Draft, code: &str, on: Time) -> Vec<String> {
    let all = draft.book.organisations.iter();
    all.filter(|(_, versions)| {
        let mut standing = versions
            .iter()
            .filter(|v| v.valid_to.is_none_or(|to| to > on));
        standing.any(|v| v.parent.as_deref() == Some(code))
    })
    .map(|(code, _)| code.clone())
    .collect()
}

fn merge(
    draft: &mut Draft,
    act: &str,
    on: Time,
    from: &[String],
    into: &str,
    found: &mut Vec<Problem>,
) -> Vec<String> {
    let mut codes = vec![into.to_string()];
    if from.is_empty() || from.len() > 1000 || from.iter().any(|code| code == into) {
        found.push(problem(
            "from",
            "须列出 1 至 1000 个被并入的机构，且不含并入的机构本身",
            "name 1 to 1000 organisations that end, without the one that goes on",
        ));
        return codes;
    }
    standing(draft, into, on, "into", found);
    for code in from {
        for child in children(draft, code, on) {
            if !from.contains(&child) && child != into {
                rehome(draft, act, on, &child, code, into);
            }
        }
        if into_is_below(draft, into, code, on) {
            let parent = draft
                .book
                .organisation(code, on)
                .and_then(|o| o.parent.clone());
            change(draft, act, on, into, found, |o| o.parent = parent);
        }
        move_people(draft, act, on, code, into);
        end(draft, on, code, found);
        codes.push(code.clone());
    }
    codes
}

fn into_is_below(draft: &Draft, into: &str, code: &str, on: Time) -> bool {
    let one = draft.book.organisation(into, on);
    one.is_some_and(|o| o.parent.as_deref() == Some(code))
}

/// Gives a child another parent from a day on, in every version of that time.
fn rehome(draft: &mut Draft, act: &str, on: Time, child: &str, from: &str, to: &str) {
    let mut versions = vec![];
    for old in draft.book.versions(child) {
        let lasts = old.valid_to.is_none_or(|end| end > on);
        if !lasts || old.parent.as_deref() != Some(from) {
            versions.push(old.clone());
            continue;
        }
        if old.valid_from < on {
            versions.push(Organisation {
                valid_to: Some(on),
                ..old.clone()
            });
        }
        versions.push(Organisation {
            parent: Some(to.into()),
            valid_from: old.valid_from.max(on),
            act: act.into(),
            ..old.clone()
        });
    }
    draft.put_versions(child, versions);
}

/// Positions of one organisation end and stand anew in another, with those who hold them.
fn move_people(draft: &mut Draft, act: &str, on: Time, from: &str, to: &str) {
    let lasts = |end: Option<Time>| end.is_none_or(|end| end > on);
    let positions: Vec<Position> = draft
        .book
        .positions
        .values()
        .filter(|p| p.organisation == from && lasts(p.valid_to))
        .map(|p| (**p).clone())
        .collect();
    for old in positions {
        let new = Position {
            id: new_id(draft.now),
            organisation: to.into(),
            valid_from: old.valid_from.max(on),
            version: 1,
            ..old.clone()
        };
        let held: Vec<Appointment> = draft
            .book
            .appointments
            .values()
            .filter(|a| a.position == old.id && lasts(a.valid_to))
            .map(|a| (**a).clone())
            .collect();
        for appointment in held {
            draft.put_appointment(Appointment {
                id: new_id(draft.now),
                position: new.id.clone(),
                valid_from: appointment.valid_from.max(on),
                reason: format!("act {act}"),
                ..appointment.clone()
            });
            draft.put_appointment(Appointment {
                valid_to: Some(on.max(appointment.valid_from)),
                ..appointment
            });
        }
        draft.put_position(new);
        draft.put_position(Position {
            valid_to: Some(on.max(old.valid_from)),
            version: old.version + 1,
            ..old
        });
    }
}

fn split(
    draft: &mut Draft,
    act: &str,
    on: Time,
    deed: &Deed,
    found: &mut Vec<Problem>,
) -> Vec<String> {
    let Deed::Split {
        code,
        into,
        children: go,
        keep,
    } = deed
    else {
        return vec![];
    };
    let Some(place) = standing(draft, code, on, "code", found) else {
        return vec![];
    };
    let old = draft.book.versions(code)[place].clone();
    let new: Vec<NewOrganisation> = into
        .iter()
        .map(|one| NewOrganisation {
            parent: one.parent.clone().or_else(|| old.parent.clone()),
            ..one.clone()
        })
        .collect();
    let mut codes = vec![code.clone()];
    codes.extend(found_all(draft, act, on, &new, found));
    let below = children(draft, code, on);
    for (child, to) in go {
        if !below.contains(child) || !into.iter().any(|o| o.code == *to) {
            found.push(problem(
                &format!("children/{child}"),
                format!("“{child}”不是“{code}”的下级，或“{to}”不是新设机构"),
                format!("\"{child}\" is not below \"{code}\", or \"{to}\" is not a new one"),
            ));
            continue;
        }
        rehome(draft, act, on, child, code, to);
    }
    if !keep {
        abolish(draft, on, code, found);
    }
    codes
}

fn abolish(draft: &mut Draft, on: Time, code: &str, found: &mut Vec<Problem>) {
    let lasts = |end: Option<Time>| end.is_none_or(|end| end > on);
    for appointment in draft.book.appointments.values() {
        let position = draft.book.positions.get(&appointment.position);
        if position.is_some_and(|p| p.organisation == code) && lasts(appointment.valid_to) {
            found.push(problem(
                &appointment.account,
                format!("{} 仍在该机构任职，请先交接", appointment.account),
                format!("{} still holds a position there", appointment.account),
            ));
        }
    }
    let positions: Vec<Position> = draft
        .book
        .positions
        .values()
        .filter(|p| p.organisation == code && lasts(p.valid_to))
        .map(|p| (**p).clone())
        .collect();
    for position in positions {
        draft.put_position(Position {
            valid_to: Some(on.max(position.valid_from)),
            version: position.version + 1,
            ..position
        });
    }
    end(draft, on, code, found);
}

/// What the city's files say of one organisation.
pub(crate) struct Declaration<'a> {
    pub code: &'a str,
    pub kind: OrganisationKind,
    pub title: &'a Words,
    pub parent: Option<&'a str>,
    pub credit_code: Option<&'a str>,
    pub division: Option<&'a str>,
    /// Files that say none leave what pages have set.
    pub letter_word: Option<&'a str>,
}

/// Keeps the tree in step with the files: new ones come to be (from the beginning of the count of
/// time, since files know no dates), changed ones change today, those no longer declared stay and
/// may then be ended by page.
pub(crate) fn declare(draft: &mut Draft, declared: &[Declaration<'_>]) {
    let id = new_id(draft.now);
    let now = draft.now;
    let mut codes = vec![];
    let own = |text: Option<&str>| text.map(String::from);
    for one in declared {
        let wanted = |from: Time, to: Option<Time>| Organisation {
            code: one.code.into(),
            kind: one.kind,
            title: one.title.clone(),
            parent: own(one.parent),
            credit_code: own(one.credit_code),
            division: own(one.division),
            letter_word: own(one.letter_word),
            valid_from: from,
            valid_to: to,
            declared: true,
            act: id.clone(),
        };
        let mut versions = draft.book.versions(one.code).to_vec();
        match versions.iter().position(|v| v.stands_at(now)) {
            None => {
                let from = if versions.is_empty() { Time(0) } else { now };
                versions.push(wanted(from, None));
            }
            Some(place) => {
                let old = versions[place].clone();
                let wanted = |from, to| {
                    let new = wanted(from, to);
                    let word = new.letter_word.clone().or(old.letter_word.clone());
                    Organisation {
                        letter_word: word,
                        ..new
                    }
                };
                let mut same = wanted(old.valid_from, old.valid_to);
                same.act = old.act.clone();
                if same == old {
                    continue;
                }
                let new = wanted(now, old.valid_to);
                let only_mark = Organisation {
                    declared: true,
                    ..old.clone()
                } == same;
                if only_mark || old.valid_from == now {
                    versions[place] = Organisation {
                        valid_from: old.valid_from,
                        ..new
                    };
                } else {
                    versions[place].valid_to = Some(now);
                    versions.push(new);
                }
            }
        }
        codes.push(one.code.to_string());
        draft.put_versions(one.code, versions);
    }
    let gone: Vec<String> = draft
        .book
        .organisations
        .iter()
        .filter(|(code, versions)| {
            versions.iter().any(|v| v.declared) && !declared.iter().any(|d| d.code == **code)
        })
        .map(|(code, _)| code.clone())
        .collect();
    for code in gone {
        let mut versions = draft.book.versions(&code).to_vec();
        versions.iter_mut().for_each(|v| v.declared = false);
        draft.put_versions(&code, versions);
        codes.push(code);
    }
    if !codes.is_empty() {
        draft.put_act(Act {
            id,
            what: "declared".into(),
            on: now,
            at: now,
            by: "system".into(),
            reason: "cities/*/organisations.yaml".into(),
            codes,
            details: Value::Null,
        });
    }
}
