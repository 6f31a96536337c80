//! What is missing from an application: said once and whole, and what the applicant supplies.

use crate::Engine;
use crate::body::Round;
use crate::change::{Change, Open};
use crate::faults::{conflict, problem, said};
use kernel::access::Actor;
use kernel::applications::{ApplicationState, Missing};
use kernel::fault::Problem;
use kernel::items::Item;
use kernel::{Fault, Words};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Things a correction names, at most.
const MISSING: usize = 50;

/// What is wrong with what a correction says; `knows` tells whether the form or the materials have
/// what a point is about.
pub(crate) fn point_problems(missing: &[Missing], knows: impl Fn(&str) -> bool) -> Vec<Problem> {
    let mut problems = vec![];
    if missing.is_empty() || missing.len() > MISSING {
        problems.push(problem(
            "missing",
            format!("须一次性列明需要补正的内容，1 至 {MISSING} 项"),
            format!("name everything that is missing, 1 to {MISSING} points"),
        ));
    }
    for (n, one) in missing.iter().take(MISSING).enumerate() {
        if !one.at.is_empty() && !knows(&one.at) {
            problems.push(problem(
                format!("missing/{n}/at"),
                "本事项没有这一项或这份材料",
                "the item has no such field or material",
            ));
        }
        problems.extend(said(&format!("missing/{n}/what"), &one.what, 2, 500));
    }
    problems
}

/// Points, each with its place in the notice, that were not named in the first of these rounds and
/// so cannot be named now: a second time only what was supplied and is itself wrong.
pub(crate) fn untold(rounds: &[Round], points: &[(usize, &Missing)]) -> Vec<Problem> {
    if rounds.is_empty() {
        return vec![];
    }
    let named = |one: &Missing| {
        let mut before = rounds.iter().flat_map(|round| &round.missing);
        !one.at.is_empty() && before.any(|known| known.at == one.at)
    };
    let new = points.iter().filter(|(_, one)| !named(one));
    new.map(|(n, _)| {
        problem(
            format!("missing/{n}"),
            "首次告知时没有提出这一点",
            "this was not named the first time",
        )
    })
    .collect()
}

/// What is missing is said once and whole (行政许可法第三十二条).
pub(crate) fn once(untold: Vec<Problem>) -> Result<(), Fault> {
    if untold.is_empty() {
        return Ok(());
    }
    let mut fault = conflict(
        "需要补正的全部内容应当一次告知（《行政许可法》第三十二条）；再次补正只能针对上次所列、补交后仍不合格的内容",
        "everything missing must be told at once (Administrative Licensing Law, article 32); again only where what was supplied is itself wrong",
    );
    fault.problems = untold;
    Err(fault)
}

/// The applicant is told what is missing; the letter and the message are the caller's.
pub(crate) fn tell(change: &mut Change, by: &Actor, missing: Vec<Missing>, of_bundle: bool) {
    let materials = change.open.body.materials.iter();
    let had = materials.flat_map(|m| m.files.iter().map(|file| file.id.clone()));
    let round = Round {
        at: change.now,
        had: had.collect(),
        of_bundle,
        missing,
    };
    let told: Vec<&str> = round.missing.iter().map(|m| m.what.as_str()).collect();
    let (told, points) = (told.join("；"), round.missing.len());
    change.open.body.rounds.push(round);
    change.becomes(ApplicationState::Correction);
    let words = Words::new("请补正材料", "please supply what is missing");
    change.step("correction", words, Some(&told), true);
    change.last(by);
    change.event("correction");
    change.audit(by, "handle", "correction", json!({ "points": points }));
}

/// What a correction lets the applicant change.
pub(crate) struct Opened<'a> {
    named: BTreeSet<&'a str>,
    /// Something that is no field and no material is wanted: any of them may hold it.
    any: bool,
}

impl<'a> Opened<'a> {
    /// By what these points name.
    pub(crate) fn of(points: impl IntoIterator<Item = &'a Missing>) -> Opened<'a> {
        let named: BTreeSet<&str> = points.into_iter().map(|m| m.at.as_str()).collect();
        Opened {
            any: named.contains(""),
            named,
        }
    }

    fn lets(&self, field: &str) -> bool {
        self.any || self.named.contains(format!("answers/{field}").as_str())
    }
}

/// Answers as they are with what the applicant supplied.
pub(crate) struct Supplied {
    pub(crate) answers: Map<String, Value>,
    /// Fields asked now.
    pub(crate) asked: BTreeSet<String>,
    /// What the correction does not ask to change.
    pub(crate) problems: Vec<Problem>,
}

impl Engine {
    /// Puts what was supplied into the answers of an application.
    pub(crate) fn supplied(
        &self,
        open: &Open,
        item: &Item,
        answers: &Map<String, Value>,
        opened: &Opened<'_>,
    ) -> Supplied {
        let items = &*self.means.items;
        let before: BTreeSet<String> = items.asked(item, &open.body.answers).into_iter().collect();
        let mut all = open.body.answers.clone();
        let tidied = items.tidy(item, &crate::drafts::given(answers));
        for (field, value) in answers {
            match value.is_null() {
                true => all.remove(field),
                false => all.insert(field.clone(), tidied.get(field).unwrap_or(value).clone()),
            };
        }
        let asked: BTreeSet<String> = items.asked(item, &all).into_iter().collect();
        all.retain(|field, _| asked.contains(field));
        let closed = answers.keys().filter(|field| {
            let opens = asked.contains(*field) && !before.contains(*field);
            !opens && !opened.lets(field)
        });
        let problems = closed.map(|field| {
            problem(
                format!("/answers/{field}"),
                "补正告知没有要求更改这一项",
                "the correction does not ask to change this",
            )
        });
        Supplied {
            problems: problems.collect(),
            answers: all,
            asked,
        }
    }
}

/// Points of a correction nothing was supplied for.
pub(crate) fn still_missing(
    open: &Open,
    asked: &BTreeSet<String>,
    answers: &Map<String, Value>,
) -> Vec<Problem> {
    let body = &open.body;
    let had = |file: &str| {
        let last = body.rounds.last();
        last.is_some_and(|round| round.had.contains(file))
    };
    let lacks = |at: &str| match at.split_once('/') {
        Some(("answers", field)) => asked.contains(field) && !answers.contains_key(field),
        Some(("materials", name)) => {
            let mut kept = body.materials.iter().filter(|m| m.name == name);
            !kept.any(|m| m.files.iter().any(|file| !had(&file.id)))
        }
        _ => false,
    };
    let points = body.missing().iter().filter(|m| lacks(&m.at));
    points
        .map(|m| {
            problem(
                format!("/{}", m.at),
                format!("尚未补正：{}", m.what),
                format!("still missing: {}", m.what),
            )
        })
        .collect()
}
