//! Faults of a table of licences to issue: rows that clash with each other, and everything that is
//! wrong with all of them in one answer.

use crate::issue::conflict;
use crate::problem;
use crate::reading::Row;
use kernel::fault::FaultKind;
use kernel::licences::NewLicence;
use kernel::{Fault, Problem};
use std::collections::BTreeMap;

/// Rows that cannot stand beside an earlier one: its serial for another source, or its source for
/// another content.
pub(crate) fn twice(read: &[Row]) -> Vec<(usize, Problem)> {
    let mut serials: BTreeMap<(&str, &str), (usize, &str)> = BTreeMap::new();
    let mut sources: BTreeMap<&str, (usize, &NewLicence)> = BTreeMap::new();
    let mut found = vec![];
    let same = |at: &str, zh: &str, en: &str, earlier: usize| {
        problem(
            at,
            format!("{zh}与第 {} 行相同", earlier + 1),
            format!("{en} of row {}", earlier + 1),
        )
    };
    for (n, row) in read.iter().enumerate() {
        let new = &row.new;
        if !new.source.is_empty() {
            let (earlier, first) = *sources.entry(&new.source).or_insert((n, new));
            if earlier != n && *first != *new {
                let (zh, en) = ("内容不同而来源", "another content for the source");
                found.push((n, same("source", zh, en, earlier)));
                continue;
            }
        }
        if let Some(serial) = &new.serial {
            let key = (new.kind.as_str(), serial.as_str());
            let (earlier, source) = *serials.entry(key).or_insert((n, &new.source));
            if earlier != n && source != new.source {
                found.push((n, same("serial", "流水号", "the serial", earlier)));
            }
        }
    }
    found
}

/// Everything that is wrong with a table, at `rows/<number>/…` in order of its rows. What only
/// clashes with licences issued before is a conflict; what only others may issue is denied.
pub(crate) fn faults_of(
    wrong: Vec<(usize, Problem)>,
    denied: Vec<(usize, Problem)>,
    clashes: Vec<(usize, Problem)>,
) -> Fault {
    let count = clashes.len();
    let kinds = (wrong.is_empty(), denied.is_empty());
    let mut all: Vec<(usize, Problem)> = wrong;
    let known = |all: &[(usize, Problem)], n: usize, at: &str| {
        all.iter().any(|(m, problem)| *m == n && problem.at == at)
    };
    for (n, problem) in denied.into_iter().chain(clashes) {
        if !known(&all, n, &problem.at) {
            all.push((n, problem));
        }
    }
    all.sort_by_key(|(n, _)| *n);
    let place = |(n, problem): (usize, Problem)| Problem {
        at: format!("rows/{n}/{}", problem.at),
        words: problem.words,
    };
    let problems: Vec<Problem> = all.into_iter().map(place).collect();
    let mut fault = match kinds {
        (true, true) => conflict(
            format!("有 {count} 件与已签发的证照冲突，未签发任何证照"),
            format!("{count} of them conflict with licences issued before; none was issued"),
        ),
        (true, false) if count == 0 => Fault::new(
            FaultKind::Denied,
            "access.denied",
            "有的证照只能由其颁发机构签发，未签发任何证照",
            "some of them are issued by another organisation only; none was issued",
        ),
        _ => return Fault::invalid(problems),
    };
    fault.problems = problems;
    fault
}
