//! Cases and tasks as others see them.

use super::work::Kept;
use super::{Engine, clocks};
use crate::clock::Calendar;
use kernel::Time;
use kernel::cases::{Case, Pause, Task};
use store::cases::{CaseRow, TaskRow};

pub(super) fn case(
    engine: &Engine,
    row: &CaseRow,
    kept: &Kept,
    calendar: &Calendar,
    now: Time,
) -> Case {
    let (statutory, promised) = clocks::case_left(row, kept, calendar, now);
    Case {
        id: row.id.clone(),
        number: row.number.clone(),
        process: row.process.clone(),
        version: row.version,
        title: row.title.clone(),
        organisation: engine.in_charge(row),
        state: row.state,
        error: row.error.clone(),
        started_by: row.started_by.clone(),
        started_at: row.started_at,
        ended_at: row.ended_at,
        parent: row.parent.clone(),
        stuck: row.stuck,
        statutory,
        promised,
        revision: row.revision,
    }
}

pub(super) fn task(
    engine: &Engine,
    row: &TaskRow,
    pauses: &[Pause],
    calendar: &Calendar,
    now: Time,
) -> Task {
    Task {
        id: row.id.clone(),
        case: row.case_id.clone(),
        number: row.number.clone(),
        title: row.title.clone(),
        process: row.process.clone(),
        node: row.node.clone(),
        name: row.name.clone(),
        kind: row.kind,
        state: row.state,
        assignee: row.assignee.clone(),
        owner: row.owner.clone(),
        roles: row.roles.clone(),
        organisation: engine.shown_at(row),
        parent: row.parent.clone(),
        form: row.form.clone(),
        opened_at: row.opened_at,
        claimed_at: row.claimed_at,
        ended_at: row.ended_at,
        ended_by: row.ended_by.clone(),
        left: clocks::task_left(row, pauses, calendar, now),
        urged: row.urged,
        revision: row.revision,
    }
}
