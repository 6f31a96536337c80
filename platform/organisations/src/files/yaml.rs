//! The YAML of a city pack, with positions: `organisations: code → title, kind, parent,
//! credit_code, division, letter_word, valid_from, valid_to, positions: [title, roles, rank]`.

use super::{FileOrganisation, FilePosition};
use crate::model::{NewOrganisation, Rank};
use kernel::declare::read::{Faults, Reader};
use kernel::declare::yaml::parse;
use kernel::organisations::OrganisationKind;
use kernel::{Fault, Problem, Time};

const RANKS: [&str; 3] = ["head", "deputy", "staff"];

/// Organisations and their positions.
pub(super) fn organisations(text: &str) -> Result<Vec<FileOrganisation>, Fault> {
    let node = parse(text).map_err(|(line, what)| {
        Fault::invalid_at(
            format!("line {line}"),
            format!("无法读取：{what}"),
            format!("cannot be read: {what}"),
        )
    })?;
    let faults = Faults::default();
    let mut rows = vec![];
    Reader::whole("file", &node, &faults, None, |top| {
        top.each("organisations", |code, part| rows.push(read(code, part)));
    });
    let found = faults.into_inner();
    if found.is_empty() {
        return Ok(rows);
    }
    // "file:3" is "line 3" here: there is one file only.
    let found = found.into_iter().map(|problem| Problem {
        at: problem.at.replacen("file:", "line ", 1),
        ..problem
    });
    Err(Fault::invalid(found.collect()))
}

fn read(code: &str, part: &mut Reader<'_>) -> FileOrganisation {
    let kind = part.one_of_or("kind", &OrganisationKind::WORDS, "department");
    let from = moment(part, "valid_from");
    let to = moment(part, "valid_to");
    let new = NewOrganisation {
        code: code.into(),
        kind: OrganisationKind::parse(&kind).unwrap_or_default(),
        title: part.words("title"),
        parent: part.optional_text("parent"),
        credit_code: part.optional_text("credit_code"),
        division: part.optional_text("division"),
        letter_word: part.optional_text("letter_word"),
        valid_from: from,
        valid_to: to,
    };
    let line = part.line();
    let mut positions = vec![];
    if part.has("positions") {
        part.list("positions", |one| {
            let rank = match one.one_of_or("rank", &RANKS, "staff").as_str() {
                "head" => Rank::Head,
                "deputy" => Rank::Deputy,
                _ => Rank::Staff,
            };
            positions.push(FilePosition {
                line: one.line(),
                title: one.words("title"),
                roles: one.texts_or("roles", &[]),
                rank,
            });
        });
    }
    FileOrganisation {
        line,
        new,
        positions,
    }
}

fn moment(part: &mut Reader<'_>, key: &str) -> Option<Time> {
    let text = part.optional_text(key)?;
    let time = Time::parse(&text);
    if time.is_none() {
        part.fault(
            key,
            format!("“{text}”不是日期"),
            format!("\"{text}\" is no date"),
        );
    }
    time
}
