//! Tables: comma separated, first row names, quotes doubled inside quotes.

use super::{FileMember, FileOrganisation, at_line, moment};
use crate::check::problem;
use crate::model::NewOrganisation;
use kernel::organisations::OrganisationKind;
use kernel::{Fault, Problem, Words};
use std::collections::BTreeMap;

/// Cells of one row, at most.
const WIDEST: usize = 64;

/// A row: its line and cells by name of the column.
type Row<'a> = (usize, BTreeMap<&'a str, String>);

/// Rows of cells with the line each begins at; `Err` is the line of a quote never closed.
fn cells(text: &str) -> Result<Vec<(usize, Vec<String>)>, usize> {
    let (mut rows, mut row, mut cell) = (vec![], vec![], String::new());
    let (mut line, mut began, mut quoted) = (1, 1, false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && rest.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push((began, std::mem::take(&mut row)));
                line += 1;
                began = line;
            }
            c => {
                line += usize::from(c == '\n');
                cell.push(c);
            }
        }
    }
    if quoted {
        return Err(began);
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push((began, row));
    }
    rows.retain(|(_, row)| row.iter().any(|cell| !cell.trim().is_empty()));
    Ok(rows)
}

/// Reads a table with these columns; those in `must` have to be there, unknown ones are faults
/// unless `loose`.
fn table<'a>(
    text: &str,
    known: &[&'a str],
    must: &[&str],
    loose: bool,
) -> Result<Vec<Row<'a>>, Fault> {
    let rows = cells(text).map_err(|line| {
        Fault::invalid(vec![at_line(
            line,
            "引号没有闭合",
            "a quote is never closed",
        )])
    })?;
    let mut rows = rows.into_iter();
    let (_, head) = rows.next().unwrap_or_default();
    let mut found = vec![];
    let mut columns: Vec<Option<&'a str>> = vec![];
    for name in head.iter().map(|n| n.trim()) {
        let column = known.iter().find(|k| **k == name).copied();
        if (column.is_none() && !loose) || (column.is_some() && columns.contains(&column)) {
            found.push(at_line(
                1,
                format!("不认识或重复的列“{name}”，可用：{}", known.join("、")),
                format!(
                    "unknown or repeated column \"{name}\"; known: {}",
                    known.join(", ")
                ),
            ));
        }
        columns.push(column);
    }
    for name in must.iter().filter(|name| !columns.contains(&Some(**name))) {
        found.push(at_line(
            1,
            format!("缺少列“{name}”"),
            format!("the column \"{name}\" is missing"),
        ));
    }
    if head.len() > WIDEST {
        found.push(at_line(1, "列太多", "too many columns"));
    }
    if !found.is_empty() {
        return Err(Fault::invalid(found));
    }
    let mut out = vec![];
    for (line, cells) in rows {
        if cells.len() != columns.len() {
            found.push(at_line(
                line,
                format!("有 {} 格，表头有 {} 格", cells.len(), columns.len()),
                format!("{} cells, the head has {}", cells.len(), columns.len()),
            ));
            continue;
        }
        let named = columns.iter().zip(cells);
        let row = named.filter_map(|(name, cell)| Some(((*name)?, cell.trim().to_string())));
        out.push((line, row.collect()));
    }
    if found.is_empty() {
        Ok(out)
    } else {
        Err(Fault::invalid(found))
    }
}

fn take(row: &mut BTreeMap<&str, String>, name: &str) -> String {
    row.remove(name).unwrap_or_default()
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|t| !t.is_empty())
}

fn finish<T>(rows: Vec<T>, found: Vec<Problem>) -> Result<Vec<T>, Fault> {
    if found.is_empty() {
        Ok(rows)
    } else {
        Err(Fault::invalid(found))
    }
}

/// A code twice in one file, for organisations without periods, is a slip.
fn repeated(rows: &[FileOrganisation], found: &mut Vec<Problem>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        let dated = row.new.valid_from.is_some();
        if let Some(first) = seen.insert(&row.new.code, row.line)
            && !dated
        {
            found.push(at_line(
                row.line,
                format!("代码“{}”与第 {first} 行重复", row.new.code),
                format!("the code \"{}\" is on line {first} too", row.new.code),
            ));
        }
    }
}

/// Organisations from a table of our own.
pub(super) fn organisations(text: &str) -> Result<Vec<FileOrganisation>, Fault> {
    let known = [
        "code",
        "zh",
        "en",
        "kind",
        "parent",
        "credit_code",
        "division",
        "letter_word",
        "valid_from",
        "valid_to",
    ];
    let (mut rows, mut found) = (vec![], vec![]);
    for (line, mut row) in table(text, &known, &["code", "zh"], false)? {
        let word = take(&mut row, "kind");
        let kind = if word.is_empty() {
            Some(OrganisationKind::Department)
        } else {
            OrganisationKind::parse(&word)
        };
        if kind.is_none() {
            let all = OrganisationKind::WORDS.join(", ");
            found.push(problem(
                &format!("line {line}/kind"),
                format!("“{word}”应为：{all}"),
                format!("\"{word}\" should be one of {all}"),
            ));
        }
        let from = take(&mut row, "valid_from");
        let to = take(&mut row, "valid_to");
        rows.push(FileOrganisation {
            line,
            new: NewOrganisation {
                code: take(&mut row, "code"),
                kind: kind.unwrap_or_default(),
                title: Words::new(take(&mut row, "zh"), take(&mut row, "en")),
                parent: some(take(&mut row, "parent")),
                credit_code: some(take(&mut row, "credit_code")),
                division: some(take(&mut row, "division")),
                letter_word: some(take(&mut row, "letter_word")),
                valid_from: moment(&from, line, "valid_from", &mut found),
                valid_to: moment(&to, line, "valid_to", &mut found),
            },
            positions: vec![],
        });
    }
    repeated(&rows, &mut found);
    finish(rows, found)
}

/// Divisions: `code,name` and the code of the level above in `streetCode`, `areaCode` or
/// `cityCode` (the nearest that is given counts).
pub(super) fn divisions(text: &str) -> Result<Vec<FileOrganisation>, Fault> {
    let known = ["code", "name", "streetCode", "areaCode", "cityCode"];
    let (mut rows, mut found) = (vec![], vec![]);
    for (line, mut row) in table(text, &known, &["code", "name"], true)? {
        let code = take(&mut row, "code");
        let kind = match code.len() {
            6 => OrganisationKind::District,
            9 => OrganisationKind::Street,
            12 => OrganisationKind::Community,
            _ => {
                found.push(at_line(
                    line,
                    format!("区划码“{code}”应为 6、9 或 12 位"),
                    format!("the division code \"{code}\" should have 6, 9 or 12 digits"),
                ));
                continue;
            }
        };
        let above = ["streetCode", "areaCode", "cityCode"];
        let parent = above.iter().find_map(|name| some(take(&mut row, name)));
        rows.push(FileOrganisation {
            line,
            new: NewOrganisation {
                division: Some(code.clone()),
                code,
                kind,
                title: Words::new(take(&mut row, "name"), ""),
                parent,
                ..NewOrganisation::default()
            },
            positions: vec![],
        });
    }
    repeated(&rows, &mut found);
    finish(rows, found)
}

/// Members.
pub(super) fn members(text: &str) -> Result<Vec<FileMember>, Fault> {
    let known = [
        "account",
        "name",
        "organisation",
        "position",
        "main",
        "phone",
        "room",
        "from",
        "to",
    ];
    let must = ["account", "name", "organisation", "position"];
    let has_phone = |text: &str, name: &str| {
        let head = text.lines().next().unwrap_or("");
        head.split(',').any(|column| column.trim() == name)
    };
    let (phones, rooms) = (has_phone(text, "phone"), has_phone(text, "room"));
    let (mut rows, mut found) = (vec![], vec![]);
    for (line, mut row) in table(text, &known, &must, false)? {
        let main = match take(&mut row, "main").as_str() {
            "" | "true" | "yes" | "主职" => true,
            "false" | "no" | "兼职" => false,
            other => {
                found.push(problem(
                    &format!("line {line}/main"),
                    format!("“{other}”应为 true（主职）或 false（兼职）"),
                    format!("\"{other}\" should be true or false"),
                ));
                true
            }
        };
        let (from, to) = (take(&mut row, "from"), take(&mut row, "to"));
        let member = FileMember {
            line,
            account: take(&mut row, "account"),
            name: take(&mut row, "name"),
            organisation: take(&mut row, "organisation"),
            position: take(&mut row, "position"),
            main,
            phone: phones.then(|| take(&mut row, "phone")),
            room: rooms.then(|| take(&mut row, "room")),
            from: moment(&from, line, "from", &mut found),
            to: moment(&to, line, "to", &mut found),
        };
        for (field, value) in [("account", &member.account), ("name", &member.name)] {
            if value.is_empty() {
                found.push(problem(
                    &format!("line {line}/{field}"),
                    "不能为空",
                    "must not be empty",
                ));
            }
        }
        rows.push(member);
    }
    finish(rows, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_with_their_lines() {
        let text = "a,b\r\n1,\"x,\"\"y\"\"\nz\"\n\n2,3";
        let rows = cells(text).unwrap_or_default();
        assert_eq!(rows[1], (2, vec!["1".into(), "x,\"y\"\nz".into()]));
        assert_eq!(rows[2], (5, vec!["2".into(), "3".into()]));
        assert_eq!(cells("a\n\"b"), Err(2));
    }
}
