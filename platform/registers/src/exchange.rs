//! CSV in and out. An import is taken whole or not at all, with every problem at its line; rows
//! that change nothing are skipped. A column that is absent leaves its field as it is, an empty
//! cell empties it. An export is read by spreadsheets without running anything.

use crate::apply::{CHANGES_LIMIT, faulty, fields_of};
use crate::csv::{self, Broken};
use crate::query::PAGE_LIMIT;
use crate::schema::{Register, scalar};
use crate::{Engine, Inner};
use kernel::access::Actor;
use kernel::declare::{FieldDecl, FieldKind};
use kernel::facts::Mask;
use kernel::fault::FaultKind;
use kernel::records::{Record, RecordChange, RecordQuery, Registers};
use kernel::{Fault, Problem, Time, Words};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use store::audit::{self, AuditEntry};
use store::records;

/// Bytes of an imported file, at most.
pub const IMPORT_BYTES_LIMIT: usize = 16 * 1024 * 1024;
/// Records of an export, at most.
pub const EXPORT_LIMIT: u64 = 100_000;
/// Stands for personal data that the reader may not see.
const HIDDEN: &str = "***";

/// Asked about a change: the key, the fields before (if the record was there) and after.
pub type MayChange = dyn Fn(&str, Option<&Map<String, Value>>, &Map<String, Value>) -> Result<(), Fault>
    + Send
    + Sync;

/// What an import came to, in records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// New ones.
    pub created: usize,
    /// Changed ones.
    pub updated: usize,
    /// Those that said what was known.
    pub unchanged: usize,
}

/// A row understood: its line, key, and a value or emptiness for every column of the file.
struct Line {
    line: usize,
    key: String,
    values: Vec<(String, Option<Value>)>,
}

impl Engine {
    /// Takes a CSV file (UTF-8, first row: names of fields) into a register. Problems are at
    /// `csv:<line>` or `csv:<line>/<field>`. Valid from now on; `reason` goes into the history.
    pub async fn import_csv(
        &self,
        actor: &Actor,
        register: &str,
        file: &[u8],
        reason: Option<String>,
    ) -> Result<Imported, Fault> {
        self.import_csv_if(actor, register, file, reason, None)
            .await
    }

    /// The same, when every change is allowed: `may` is asked about a record as it was, if it was,
    /// and as it shall be. What is refused stands at its line, and nothing is taken.
    pub async fn import_csv_if(
        &self,
        actor: &Actor,
        register: &str,
        file: &[u8],
        reason: Option<String>,
        may: Option<Arc<MayChange>>,
    ) -> Result<Imported, Fault> {
        let lines = read_file(self.0.register(register)?, file)?;
        let (inner, actor, name) = (self.0.clone(), actor.clone(), register.to_string());
        self.finish(async move {
            let _writing = inner.writing.lock().await;
            inner.import(&actor, &name, lines, reason, may).await
        })
        .await
    }

    /// The records a query selects as CSV with a byte order mark, in the order of the query and
    /// the state of one instant. Personal fields are shown as `mask` says of each record, and not at
    /// all without one. The export is written into the audit log.
    pub async fn export_csv(
        &self,
        actor: &Actor,
        register: &str,
        query: &RecordQuery,
        mask: Option<&(dyn Fn(&Record) -> Mask + Sync)>,
    ) -> Result<String, Fault> {
        let now = self.0.clock.now();
        let decl = &self.0.register(register)?.decl;
        let mut query = RecordQuery {
            valid_at: query.valid_at.or(Some(now)),
            limit: PAGE_LIMIT,
            after: None,
            ..query.clone()
        };
        let mut text = String::from("\u{feff}");
        csv::write_row(&mut text, decl.fields.iter().map(|f| f.name.as_str()));
        let mut written = 0u64;
        let mut shown: BTreeSet<String> = BTreeSet::new();
        loop {
            let page = self.list(register, &query).await?;
            if page.total > EXPORT_LIMIT {
                return Err(Fault::new(
                    FaultKind::TooLarge,
                    "input.too_large",
                    format!(
                        "符合条件的记录有 {} 条，超过一次导出的上限 {EXPORT_LIMIT} 条，请缩小范围",
                        page.total
                    ),
                    format!(
                        "{} records match; an export holds {EXPORT_LIMIT}, narrow it",
                        page.total
                    ),
                ));
            }
            for mut record in page.records {
                let hidden = mask.map(|mask| mask(&record).apply(decl, &mut record));
                if let Some(hidden) = hidden {
                    let clear = decl.fields.iter().filter(|f| f.personal);
                    let clear = clear.filter(|f| record.fields.contains_key(&f.name));
                    shown.extend(
                        clear
                            .filter(|f| !hidden.contains_key(&f.name))
                            .map(|f| f.name.clone()),
                    );
                }
                written += 1;
                let cells: Vec<String> = decl
                    .fields
                    .iter()
                    .map(|field| match record.fields.get(&field.name) {
                        None => String::new(),
                        Some(_) if field.personal && mask.is_none() => HIDDEN.into(),
                        Some(value) => scalar(value),
                    })
                    .collect();
                csv::write_row(&mut text, cells.iter().map(String::as_str));
            }
            if written > EXPORT_LIMIT {
                return Err(Fault::new(
                    FaultKind::TooLarge,
                    "input.too_large",
                    format!("符合条件的记录超过一次导出的上限 {EXPORT_LIMIT} 条，请缩小范围"),
                    format!("an export holds {EXPORT_LIMIT} records, narrow it"),
                ));
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        let mut tx = self.0.store.begin().await?;
        let entry = AuditEntry {
            at: now,
            account: actor.account.clone(),
            verb: "export".into(),
            object: format!("register.{register}"),
            subject: String::new(),
            purpose: actor.grant.purpose.clone(),
            basis: actor.grant.basis.clone(),
            details: actor.on_behalf(
                json!({ "format": "csv", "records": written, "personal": shown, "case": actor.standing.case }),
            ),
            outcome: "done".into(),
        };
        audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(text)
    }
}

impl Inner {
    async fn import(
        &self,
        actor: &Actor,
        name: &str,
        lines: Vec<Line>,
        reason: Option<String>,
        may: Option<Arc<MayChange>>,
    ) -> Result<Imported, Fault> {
        let now = self.clock.now().0;
        let mut refused = vec![];
        let known = self.standing(name, &lines, now).await?;
        let mut done = Imported {
            created: 0,
            updated: 0,
            unchanged: 0,
        };
        let (mut changes, mut places) = (vec![], vec![]);
        for line in lines {
            let before = known.get(&line.key);
            let mut fields = before.cloned().unwrap_or_default();
            for (field, value) in line.values {
                match value {
                    Some(value) => fields.insert(field, value),
                    None => fields.remove(&field),
                };
            }
            match before {
                Some(before) if same(before, &fields) => {
                    done.unchanged += 1;
                    continue;
                }
                Some(_) => done.updated += 1,
                None => done.created += 1,
            }
            if let Some(may) = &may
                && let Err(fault) = may(&line.key, before, &fields)
            {
                refused.push(Problem {
                    at: format!("csv:{}", line.line),
                    words: fault.words,
                });
            }
            places.push(line.line);
            changes.push(RecordChange {
                register: name.into(),
                fields: Some(fields),
                key: line.key,
                valid_from: None,
                expect_version: None,
                reason: reason.clone(),
            });
        }
        if !refused.is_empty() {
            return Err(Fault::invalid(refused));
        }
        let single = changes.len() == 1;
        self.apply(actor, changes).await.map_err(|mut fault| {
            for problem in &mut fault.problems {
                problem.at = line_of(&problem.at, single, &places);
            }
            fault
        })?;
        Ok(done)
    }

    async fn standing(
        &self,
        name: &str,
        lines: &[Line],
        now: i64,
    ) -> Result<BTreeMap<String, Map<String, Value>>, Fault> {
        let keys: Vec<String> = lines.iter().map(|line| line.key.clone()).collect();
        let mut reader = self.store.reader().await?;
        let held = records::held(&mut reader, &self.register(name)?.shape, &keys).await?;
        let mut known = BTreeMap::new();
        for row in &held.standing {
            if row.valid_from <= now && now < row.valid_to {
                known.insert(row.key.clone(), fields_of(&row.body)?);
            }
        }
        Ok(known)
    }
}

/// The place of a problem of a change as a place of the file.
fn line_of(at: &str, single: bool, places: &[usize]) -> String {
    let (number, rest) = if single {
        (0, at)
    } else {
        let inside = at.trim_start_matches('/');
        let split = inside.find('/').unwrap_or(inside.len());
        match inside[..split].parse() {
            Ok(number) => (number, &inside[split..]),
            Err(_) => return at.into(),
        }
    };
    match places.get(number) {
        Some(line) => format!("csv:{line}{rest}"),
        None => at.into(),
    }
}

/// The order of fields says nothing, nor whether 5 was written 5.0.
fn same(before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
    let equal = |a: &Value, b: &Value| a == b || (a.is_number() && a.as_f64() == b.as_f64());
    before.len() == after.len()
        && before
            .iter()
            .all(|(name, value)| after.get(name).is_some_and(|other| equal(value, other)))
}

fn at_line(line: usize, zh: impl Into<String>, en: impl Into<String>) -> Problem {
    Problem {
        at: format!("csv:{line}"),
        words: Words::new(zh, en),
    }
}

fn read_file(register: &Register, file: &[u8]) -> Result<Vec<Line>, Fault> {
    if file.len() > IMPORT_BYTES_LIMIT {
        return Err(too_large());
    }
    let text = std::str::from_utf8(file).map_err(|error| {
        let line = 1 + file[..error.valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count();
        Fault::invalid(vec![at_line(
            line,
            "文件不是 UTF-8 编码，请在表格软件中另存为“CSV UTF-8”",
            "the file is not UTF-8; save it as \"CSV UTF-8\"",
        )])
    })?;
    let rows = csv::read(text).map_err(|broken| {
        Fault::invalid(vec![match broken {
            Broken::Open(line) => at_line(line, "引号没有闭合", "a quoted cell is never closed"),
            Broken::Stray(line) => at_line(
                line,
                "引号位置不正确：含引号的单元格须整体加引号，内部引号写两遍",
                "a quote in the wrong place: quote the whole cell and double quotes inside",
            ),
        }])
    })?;
    let mut rows = rows.into_iter();
    let Some((header_line, header)) = rows.next() else {
        return Err(Fault::invalid(vec![at_line(
            1,
            "文件是空的",
            "the file is empty",
        )]));
    };
    if rows.len() > CHANGES_LIMIT {
        return Err(too_large());
    }
    let fields = read_header(register, header_line, &header)?;
    let mut problems = vec![];
    let mut lines = vec![];
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (line, cells) in rows {
        let Some(row) = read_row(register, &fields, line, &cells, &mut problems) else {
            continue;
        };
        if let Some(first) = seen.insert(row.key.clone(), line) {
            problems.push(at_line(
                line,
                format!("主键“{}”与第 {first} 行重复", row.key),
                format!("the key \"{}\" stands on line {first} already", row.key),
            ));
        }
        lines.push(row);
    }
    if problems.is_empty() {
        Ok(lines)
    } else {
        Err(faulty(None, problems))
    }
}

fn too_large() -> Fault {
    Fault::new(
        FaultKind::TooLarge,
        "input.too_large",
        format!("文件超过上限（16 MB、{CHANGES_LIMIT} 行），请分成几个文件"),
        format!("the file is larger than 16 MB or {CHANGES_LIMIT} rows; split it"),
    )
}

fn read_header<'a>(
    register: &'a Register,
    line: usize,
    header: &[String],
) -> Result<Vec<&'a FieldDecl>, Fault> {
    let (mut fields, mut problems) = (vec![], vec![]);
    for name in header.iter().map(|name| name.trim()) {
        match register.decl.field(name) {
            None => problems.push(at_line(
                line,
                format!("登记簿“{}”没有字段“{name}”", register.decl.title.zh),
                format!("{} has no field \"{name}\"", register.decl.title.en),
            )),
            Some(field) if fields.iter().any(|f: &&FieldDecl| f.name == field.name) => {
                problems.push(at_line(
                    line,
                    format!("字段“{name}”出现两次"),
                    format!("the field \"{name}\" stands twice"),
                ));
            }
            Some(field) => fields.push(field),
        }
    }
    let key = &register.decl.key;
    if !fields.iter().any(|f| f.name == *key) {
        problems.push(at_line(
            line,
            format!("缺少主键列“{key}”"),
            format!("the key column \"{key}\" is missing"),
        ));
    }
    if problems.is_empty() {
        Ok(fields)
    } else {
        Err(Fault::invalid(problems))
    }
}

fn read_row(
    register: &Register,
    fields: &[&FieldDecl],
    line: usize,
    cells: &[String],
    problems: &mut Vec<Problem>,
) -> Option<Line> {
    if cells.len() != fields.len() {
        let (has, should) = (cells.len(), fields.len());
        problems.push(at_line(
            line,
            format!("有 {has} 列，应为 {should} 列"),
            format!("has {has} cells instead of {should}"),
        ));
        return None;
    }
    let before = problems.len();
    let (mut key, mut values) = (String::new(), vec![]);
    for (field, cell) in fields.iter().zip(cells) {
        let cell = csv::unguarded(cell.trim());
        let value = match cell {
            "" => None,
            text => match value(&field.kind, text) {
                Ok(value) => Some(value),
                Err(words) => {
                    problems.push(Problem {
                        at: format!("csv:{line}/{}", field.name),
                        words,
                    });
                    continue;
                }
            },
        };
        if field.name == register.decl.key {
            key = value.as_ref().map(scalar).unwrap_or_default();
        }
        values.push((field.name.clone(), value));
    }
    if key.is_empty() && problems.len() == before {
        problems.push(at_line(line, "主键为空", "the key is empty"));
    }
    (problems.len() == before).then_some(Line { line, key, values })
}

/// The value a cell says. Choices may be written by their words, truth in Chinese.
fn value(kind: &FieldKind, text: &str) -> Result<Value, Words> {
    let wrong =
        |zh: &str, en: &str| Words::new(format!("“{text}”{zh}"), format!("\"{text}\" {en}"));
    match kind {
        FieldKind::Integer => text
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| wrong("不是整数", "is no whole number")),
        FieldKind::Number => text
            .parse::<f64>()
            .ok()
            .filter(|n| n.is_finite())
            .map(Value::from)
            .ok_or_else(|| wrong("不是数值", "is no number")),
        FieldKind::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "是" => Ok(true.into()),
            "false" | "0" | "no" | "否" => Ok(false.into()),
            _ => Err(wrong("应为是或否", "should be true or false")),
        },
        FieldKind::Time => Time::parse(text)
            .map(|time| time.rfc3339().into())
            .ok_or_else(|| wrong("不是时间", "is no time")),
        FieldKind::Choice { of } => {
            let found = of
                .iter()
                .find(|(value, words)| value == text || words.zh == text || words.en == text);
            Ok(found.map_or(text, |(value, _)| value.as_str()).into())
        }
        _ => Ok(text.into()),
    }
}
