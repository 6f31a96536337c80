//! Organisations, positions and members from files into a running city: CSV, the YAML of a city
//! pack, or lists of divisions (GB/T 2260). Whole or not at all, every fault at its line, and a
//! file taken twice changes nothing the second time.

mod csv;
mod yaml;

use crate::acts::{self, version_of};
use crate::book::Draft;
use crate::check::problem;
use crate::model::{Act, NewAppointment, NewOrganisation, NewPosition, Rank};
use crate::people::{self, KnowsRole, MemberChange, PositionChange};
use crate::{Deeds, Engine, check};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::organisations::Organisation;
use kernel::{Fault, Problem, Time, Words, new_id};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Bytes of a file, at most.
pub(crate) const BYTES_LIMIT: usize = 16 << 20;

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `code,zh,en,kind,parent,credit_code,division,letter_word,valid_from,valid_to`.
    Csv,
    /// As `organisations.yaml` of a city, with `positions` below an organisation.
    Yaml,
    /// `code,name,…Code`: a list of divisions, one level a file.
    Divisions,
}

impl Format {
    /// From its word.
    pub fn parse(word: &str) -> Option<Format> {
        match word {
            "csv" => Some(Format::Csv),
            "yaml" => Some(Format::Yaml),
            "divisions" => Some(Format::Divisions),
            _ => None,
        }
    }
}

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// New ones.
    pub created: usize,
    /// Changed ones.
    pub updated: usize,
    /// Those that said what was known.
    pub unchanged: usize,
}

/// An organisation as a file says it, with its line and positions.
pub(crate) struct FileOrganisation {
    pub line: usize,
    pub new: NewOrganisation,
    pub positions: Vec<FilePosition>,
}

/// A position as a file says it.
pub(crate) struct FilePosition {
    pub line: usize,
    pub title: Words,
    pub roles: Vec<String>,
    pub rank: Rank,
}

/// A member as a file says them.
#[derive(Clone, Debug, PartialEq)]
pub struct FileMember {
    /// Line.
    pub line: usize,
    /// Account.
    pub account: String,
    /// Name.
    pub name: String,
    /// Organisation code.
    pub organisation: String,
    /// Title of the position, Chinese or English.
    pub position: String,
    /// Main, or besides another.
    pub main: bool,
    /// Office telephone; `None` leaves it.
    pub phone: Option<String>,
    /// Room; `None` leaves it.
    pub room: Option<String>,
    /// From; now when absent.
    pub from: Option<Time>,
    /// To.
    pub to: Option<Time>,
}

fn too_large() -> Fault {
    Fault::new(
        FaultKind::TooLarge,
        "input.too_large",
        format!("文件超过 {} MiB", BYTES_LIMIT >> 20),
        format!("the file is larger than {} MiB", BYTES_LIMIT >> 20),
    )
}

fn text_of(file: &[u8]) -> Result<&str, Fault> {
    if file.len() > BYTES_LIMIT {
        return Err(too_large());
    }
    let text = std::str::from_utf8(file).map_err(|e| {
        let line = file[..e.valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1;
        Fault::invalid_at(
            format!("line {line}"),
            "文件须为 UTF-8 编码",
            "the file must be in UTF-8",
        )
    })?;
    Ok(text.trim_start_matches('\u{feff}'))
}

/// A problem at a line.
pub(crate) fn at_line(line: usize, zh: impl Into<String>, en: impl Into<String>) -> Problem {
    problem(&format!("line {line}"), zh, en)
}

impl Engine {
    /// Takes organisations (and positions) from a file. `parent` is what those at the top of the
    /// file are put below; `on` the day new and changed ones begin; with `dry` nothing is written.
    #[allow(clippy::too_many_arguments)]
    pub async fn import(
        &self,
        by: &Actor,
        format: Format,
        file: &[u8],
        parent: Option<&str>,
        on: Option<Time>,
        dry: bool,
        knows: KnowsRole<'_>,
    ) -> Result<Imported, Fault> {
        let text = text_of(file)?;
        let rows = match format {
            Format::Csv => csv::organisations(text)?,
            Format::Divisions => csv::divisions(text)?,
            Format::Yaml => yaml::organisations(text)?,
        };
        if rows.len() > acts::ACT_LIMIT {
            return Err(Fault::invalid_at(
                "file",
                format!("一次至多 {} 个机构", acts::ACT_LIMIT),
                format!("at most {} organisations at a time", acts::ACT_LIMIT),
            ));
        }
        let by_name = &by.account;
        let decide = |draft: &mut Draft| {
            let done = take(draft, by_name, &rows, parent, on, knows)?;
            let deeds = Deeds {
                verb: "operate",
                object: "organisations",
                subject: String::new(),
                details: json!({ "what": "import", "done": done }),
            };
            Ok((done, deeds))
        };
        if !dry {
            return self.write(by, decide).await;
        }
        let mut draft = Draft::new(&self.now().book, self.clock.now());
        decide(&mut draft).map(|(done, _)| done)
    }

    /// Reads a file of members and says every fault of it that can be seen without writing.
    pub fn read_members(&self, file: &[u8]) -> Result<Vec<FileMember>, Fault> {
        csv::members(text_of(file)?)
    }

    /// Appoints the members of a file. With `dry` nothing is written.
    pub async fn import_members(
        &self,
        by: &Actor,
        members: &[FileMember],
        dry: bool,
    ) -> Result<Imported, Fault> {
        let decide = |draft: &mut Draft| {
            let done = take_members(draft, &by.account, members)?;
            let deeds = Deeds {
                verb: "operate",
                object: "directory",
                subject: String::new(),
                details: json!({ "what": "import", "done": done }),
            };
            Ok((done, deeds))
        };
        if !dry {
            return self.write(by, decide).await;
        }
        let mut draft = Draft::new(&self.now().book, self.clock.now());
        decide(&mut draft).map(|(done, _)| done)
    }
}

fn same(version: &Organisation, new: &NewOrganisation) -> bool {
    let text = |a: &Option<String>| a.clone().filter(|t| !t.is_empty());
    version.title == new.title
        && version.kind == new.kind
        && version.parent == text(&new.parent)
        && version.credit_code == text(&new.credit_code)
        && version.division == text(&new.division)
        && (new.letter_word.is_none() || version.letter_word == text(&new.letter_word))
}

fn take(
    draft: &mut Draft,
    by: &str,
    rows: &[FileOrganisation],
    parent: Option<&str>,
    on: Option<Time>,
    knows: KnowsRole<'_>,
) -> Result<Imported, Fault> {
    let on = on.unwrap_or(draft.now);
    let id = new_id(draft.now);
    let mut done = Imported::default();
    let mut found = vec![];
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    let mut codes = vec![];
    for row in rows {
        let mut new = row.new.clone();
        lines.insert(&row.new.code, row.line);
        if let Some(top) = parent {
            let above = new.parent.as_deref().unwrap_or("");
            let inside = rows.iter().any(|r| r.new.code == above)
                || draft.book.organisation(above, on).is_some();
            if !inside {
                new.parent = Some(top.into());
            }
        }
        let versions = draft.book.versions(&new.code).to_vec();
        let exact = |v: &Organisation| {
            let from = new.valid_from.is_none_or(|from| from == v.valid_from);
            from && (new.valid_to.is_none() || new.valid_to == v.valid_to) && same(v, &new)
        };
        if versions.iter().any(exact) {
            done.unchanged += 1;
            continue;
        }
        codes.push(new.code.clone());
        let standing = versions.iter().any(|v| v.stands_at(on));
        if new.valid_from.is_none() && new.valid_to.is_none() && standing {
            done.updated += 1;
            acts::change(draft, &id, on, &new.code, &mut found, |o| {
                let fresh = version_of(&new, on, &id);
                o.title = fresh.title;
                o.kind = fresh.kind;
                o.parent = fresh.parent;
                o.credit_code = fresh.credit_code;
                o.division = fresh.division;
                // A file that says none leaves what pages have set.
                o.letter_word = fresh.letter_word.or(o.letter_word.take());
            });
        } else {
            done.created += 1;
            let mut versions = versions;
            versions.push(version_of(&new, on, &id));
            draft.put_versions(&new.code, versions);
        }
    }
    if !codes.is_empty() {
        draft.put_act(Act {
            id,
            what: "import".into(),
            on,
            at: draft.now,
            by: by.into(),
            reason: "导入 import".into(),
            details: json!({ "count": codes.len() }),
            codes,
        });
    }
    // Faults of the tree first: a position needs its organisation.
    found.extend(check::problems(draft));
    for problem in &mut found {
        if let Some(line) = lines.get(problem.at.as_str()) {
            problem.at = format!("line {line}");
        }
    }
    for row in rows {
        for position in &row.positions {
            if let Err(problems) =
                take_position(draft, &row.new.code, position, on, knows, &mut done)
            {
                found.extend(problems);
            }
        }
    }
    people::refuse(found)?;
    Ok(done)
}

fn take_position(
    draft: &mut Draft,
    organisation: &str,
    row: &FilePosition,
    on: Time,
    knows: KnowsRole<'_>,
    done: &mut Imported,
) -> Result<(), Vec<Problem>> {
    let known = draft.book.positions.values().find(|p| {
        p.organisation == organisation
            && p.title.zh == row.title.zh
            && p.valid_to.is_none_or(|to| to > on)
    });
    let outcome = match known.cloned() {
        Some(known)
            if known.roles == row.roles && known.rank == row.rank && known.title == row.title =>
        {
            done.unchanged += 1;
            return Ok(());
        }
        Some(known) => {
            done.updated += 1;
            let change = PositionChange {
                title: Some(row.title.clone()),
                roles: Some(row.roles.clone()),
                rank: Some(row.rank),
                valid_to: None,
            };
            people::change_position(draft, &known.id, change, None, knows)
        }
        None => {
            done.created += 1;
            let new = NewPosition {
                organisation: organisation.into(),
                title: row.title.clone(),
                roles: row.roles.clone(),
                rank: row.rank,
                valid_from: Some(on),
            };
            people::make_position(draft, new, knows)
        }
    };
    outcome.map(drop).map_err(|fault| at(fault, row.line))
}

/// The problems of a fault, at a line.
fn at(fault: Fault, line: usize) -> Vec<Problem> {
    if fault.problems.is_empty() {
        return vec![at_line(line, fault.words.zh, fault.words.en)];
    }
    let problems = fault.problems.into_iter();
    problems
        .map(|p| Problem {
            at: format!("line {line}/{}", p.at),
            words: p.words,
        })
        .collect()
}

fn take_members(draft: &mut Draft, by: &str, rows: &[FileMember]) -> Result<Imported, Fault> {
    let mut done = Imported::default();
    let mut found = vec![];
    for row in rows {
        let from = row.from.unwrap_or(draft.now);
        let position = draft.book.positions.values().find(|p| {
            p.organisation == row.organisation
                && (p.title.zh == row.position
                    || p.title.en == row.position
                    || p.id == row.position)
                && p.valid_to.is_none_or(|to| to > from)
        });
        let Some(position) = position.cloned() else {
            found.push(at_line(
                row.line,
                format!("机构“{}”没有岗位“{}”", row.organisation, row.position),
                format!(
                    "\"{}\" has no position \"{}\"",
                    row.organisation, row.position
                ),
            ));
            continue;
        };
        let held = draft.book.appointments.values().any(|a| {
            let same_from = row.from.is_none_or(|f| f == a.valid_from);
            a.account == row.account
                && a.position == position.id
                && a.main == row.main
                && same_from
                && (row.to == a.valid_to || (row.to.is_none() && a.valid_to.is_none()))
        });
        if !held {
            let new = NewAppointment {
                account: row.account.clone(),
                position: position.id.clone(),
                main: row.main,
                valid_from: Some(from),
                valid_to: row.to,
                reason: "导入 import".into(),
            };
            if let Err(fault) = people::appoint(draft, by, new, &row.name) {
                found.extend(at(fault, row.line));
                continue;
            }
        }
        let before = draft.book.members.get(&row.account).cloned();
        let text = |value: &Option<String>, known: fn(&crate::Member) -> &String| {
            let before = before
                .as_ref()
                .map(|m| known(m).clone())
                .unwrap_or_default();
            value.clone().filter(|v| *v != before)
        };
        let change = MemberChange {
            name: Some(row.name.clone()).filter(|n| before.as_ref().is_none_or(|m| m.name != *n)),
            phone: text(&row.phone, |m| &m.phone),
            room: text(&row.room, |m| &m.room),
        };
        let changes = change != MemberChange::default();
        if changes && let Err(fault) = people::change_member(draft, &row.account, change) {
            found.extend(at(fault, row.line));
        }
        match (held, changes) {
            (false, _) => done.created += 1,
            (true, true) => done.updated += 1,
            (true, false) => done.unchanged += 1,
        }
    }
    people::refuse(found)?;
    Ok(done)
}

/// Reads a moment of a file.
pub(crate) fn moment(
    text: &str,
    line: usize,
    field: &str,
    found: &mut Vec<Problem>,
) -> Option<Time> {
    if text.is_empty() {
        return None;
    }
    let time = Time::parse(text);
    if time.is_none() {
        found.push(problem(
            &format!("line {line}/{field}"),
            format!("“{text}”不是日期"),
            format!("\"{text}\" is no date"),
        ));
    }
    time
}

/// For answers of the API.
impl From<Imported> for Value {
    fn from(done: Imported) -> Value {
        json!(done)
    }
}
