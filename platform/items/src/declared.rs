//! Items declared in files: the content of an item as YAML. Read with lines, and published when the
//! city starts unless a designer took the item over.

use crate::catalogue::{GONE, word};
use crate::check::{self, Ask, Surroundings};
use crate::say::{brief, problem};
use crate::verbs::{Ready, prepared};
use crate::{Engine, form, shape};
use async_trait::async_trait;
use kernel::access::Actor;
use kernel::declare::PolicyFile;
use kernel::declare::yaml::{self, Data, Node};
use kernel::fault::FaultKind;
use kernel::items::{Item, ItemContent, ItemState};
use kernel::{Fault, Problem};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::items::ItemRow;

/// Reads the text of a file. What is wrong in itself is named with its line in `at`; whether names of
/// other parts of the city resolve is checked when it is published.
pub fn read_declared(text: &str) -> Result<ItemContent, Vec<Problem>> {
    let (node, value) = parse(text)?;
    let mut found = shape::compare(&value);
    if let Some(form) = value.get("form") {
        found.extend(form::read(form, "/form").1);
    }
    for (name, desk) in value
        .get("desk_forms")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        found.extend(form::read(desk, &format!("/desk_forms/{}", crate::say::escape(name))).1);
    }
    match (check::read(&value).0, found.is_empty()) {
        (Some(content), true) => Ok(content),
        _ => Err(with_lines(&node, found)),
    }
}

fn parse(text: &str) -> Result<(Node, Value), Vec<Problem>> {
    let node = yaml::parse(text).map_err(|(line, why)| {
        vec![problem(
            line.to_string(),
            format!("无法读取：{why}"),
            format!("cannot be read: {why}"),
        )]
    })?;
    let mut value = node.json();
    // Codes of digits are texts, quoted or not.
    for key in ["type", "catalogue_code", "task_code"] {
        if let (Some(map), Some(text)) =
            (value.as_object_mut(), node.get(key).and_then(Node::scalar))
        {
            map.insert(key.into(), text.into());
        }
    }
    Ok((node, value))
}

/// Lines in the place of JSON pointers; what is wrong there is said with its key.
fn with_lines(node: &Node, problems: Vec<Problem>) -> Vec<Problem> {
    let line = |mut problem: Problem| {
        let pointer = std::mem::take(&mut problem.at);
        problem.at = line_of(node, &pointer).to_string();
        let key = pointer.trim_start_matches('/');
        if !key.is_empty() {
            problem.words.zh = format!("{key}：{}", problem.words.zh);
            problem.words.en = format!("{key}: {}", problem.words.en);
        }
        problem
    };
    problems.into_iter().map(line).collect()
}

/// The line of the deepest part of a pointer there is.
fn line_of(node: &Node, pointer: &str) -> usize {
    let mut line = node.line;
    let mut here = node;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match &here.data {
            Data::Map(entries) => entries
                .iter()
                .find(|(key, _, _)| *key == part)
                .map(|(_, at, node)| (*at, node)),
            Data::List(list) => part
                .parse::<usize>()
                .ok()
                .and_then(|n| list.get(n))
                .map(|node| (node.line, node)),
            _ => None,
        };
        let Some((at, node)) = next else { break };
        line = at;
        here = node;
    }
    line
}

/// A file that was read.
struct Declared<'a> {
    file: &'a PolicyFile,
    item: String,
    node: Node,
    value: Value,
    ready: Ready,
}

/// The city with the items of the files as they will be.
struct Around<'a> {
    engine: &'a Engine,
    coming: BTreeMap<&'a str, Arc<Item>>,
}

#[async_trait]
impl Ask for Around<'_> {
    fn surroundings(&self) -> &dyn Surroundings {
        self.engine.surroundings()
    }

    async fn published(&self, name: &str) -> Result<Option<Arc<Item>>, Fault> {
        match self.coming.get(name) {
            Some(item) => Ok(Some(item.clone())),
            None => self.engine.published(name).await,
        }
    }

    async fn bundles_with(&self, name: &str) -> Result<Vec<Arc<Item>>, Fault> {
        let mut found = self.engine.bundles_with(name).await?;
        found.retain(|item| !self.coming.contains_key(item.item.as_str()));
        let of = |item: &&Arc<Item>| item.content.bundle.iter().any(|member| member == name);
        found.extend(self.coming.values().filter(of).cloned());
        Ok(found)
    }
}

impl Engine {
    /// Publishes the items of files that nobody published yet, and the next version of those whose
    /// file changed while no designer published since. Answers the names of what was published. With
    /// any fault in any of them nothing is published: `declaration.invalid`, with `file:line`.
    pub async fn publish_declared(&self, files: &[PolicyFile]) -> Result<Vec<String>, Fault> {
        self.look().await?;
        let mut problems = vec![];
        let mut declared: Vec<Declared<'_>> = vec![];
        for file in files {
            match self.read_file(file) {
                Ok(read) => {
                    if declared.iter().any(|other| other.item == read.item) {
                        problems.push(problem(
                            format!("{}:1", file.file),
                            format!("事项“{}”已声明", read.item),
                            format!("the item \"{}\" is declared already", read.item),
                        ));
                    }
                    declared.push(read);
                }
                Err(found) => problems.extend(found),
            }
        }
        let mut coming: Vec<(Declared<'_>, Option<ItemRow>)> = vec![];
        let mut reader = self.store.reader().await?;
        for read in declared {
            let row = store::items::get(&mut reader, &read.item).await?;
            let row = row.filter(|row| row.state != GONE);
            let wanted = match &row {
                Some(row) if row.version > 0 => {
                    let newest = store::items::at_version(&mut reader, &read.item, row.version);
                    let newest = newest.await?;
                    let cancelled = row.state == word(ItemState::Cancelled);
                    newest.is_some_and(|(newest, _)| {
                        let ours = newest.published_by == Actor::system().account;
                        ours && !cancelled && newest.digest != read.ready.digest
                    })
                }
                // A designer is writing an item of that name.
                Some(_) => false,
                None => true,
            };
            if wanted {
                coming.push((read, row));
            }
        }
        drop(reader);
        problems.extend(self.check_declared(&coming).await?);
        if !problems.is_empty() {
            return Err(invalid(problems));
        }
        self.publish_files(coming).await
    }

    fn read_file<'a>(&self, file: &'a PolicyFile) -> Result<Declared<'a>, Vec<Problem>> {
        let stem = file.file.rsplit('/').next().unwrap_or_default();
        let item = stem.split('.').next().unwrap_or_default().to_owned();
        let at_file = |mut problem: Problem| {
            problem.at = format!("{}:{}", file.file, problem.at);
            problem
        };
        if let Err(fault) = crate::copies::named(&item) {
            return Err(vec![problem(
                format!("{}:1", file.file),
                fault.problems[0].words.zh.clone(),
                fault.problems[0].words.en.clone(),
            )]);
        }
        let located = |problems: Vec<Problem>| -> Vec<Problem> {
            problems.into_iter().map(at_file).collect()
        };
        read_declared(&file.text).map_err(located)?;
        let (node, value) = parse(&file.text).map_err(located)?;
        let ready = prepared(&value, &file.file).map_err(|fault| {
            let problems = fault.problems;
            located(with_lines(&node, problems))
        })?;
        Ok(Declared {
            file,
            item,
            node,
            value,
            ready,
        })
    }

    async fn check_declared(
        &self,
        coming: &[(Declared<'_>, Option<ItemRow>)],
    ) -> Result<Vec<Problem>, Fault> {
        let mut around = Around {
            engine: self,
            coming: BTreeMap::new(),
        };
        for (read, row) in coming {
            let content = serde_json::from_str(&read.ready.text)
                .map_err(|why| Fault::internal("reading a declared item", why))?;
            let item = Item {
                item: read.item.clone(),
                version: row.as_ref().map_or(1, |row| row.version + 1),
                state: ItemState::InForce,
                published_at: None,
                published_by: None,
                note: String::new(),
                successors: vec![],
                content,
            };
            around.coming.insert(&read.item, Arc::new(item));
        }
        let mut problems = vec![];
        for (read, _) in coming {
            let found = check::check(&read.value, Some(&read.item), &around).await?;
            for mut problem in with_lines(&read.node, found) {
                problem.at = format!("{}:{}", read.file.file, problem.at);
                problems.push(problem);
            }
        }
        Ok(problems)
    }

    async fn publish_files(
        &self,
        coming: Vec<(Declared<'_>, Option<ItemRow>)>,
    ) -> Result<Vec<String>, Fault> {
        if coming.is_empty() {
            return Ok(vec![]);
        }
        let by = Actor::system();
        let mut names = vec![];
        let mut tx = self.store.begin().await?;
        for (read, seen) in coming {
            let row = store::items::get(&mut tx, &read.item).await?;
            let row = row.filter(|row| row.state != GONE);
            let version = |row: &Option<ItemRow>| row.as_ref().map(|row| row.version);
            if version(&row) != version(&seen) {
                // Another process was first.
                continue;
            }
            let row = row.unwrap_or_else(|| ItemRow {
                item: read.item.clone(),
                state: word(ItemState::Drafted).into(),
                version: 0,
                revision: 0,
                successors: "[]".into(),
                line: read.ready.line.clone(),
                copied: false,
            });
            self.add_version(&mut tx, &by, row, &read.ready, "publish")
                .await?;
            names.push(read.item);
        }
        tx.commit().await?;
        self.look().await?;
        Ok(names)
    }
}

fn invalid(problems: Vec<Problem>) -> Fault {
    let first = problems.first().map(|p| brief(&p.at)).unwrap_or_default();
    let mut fault = Fault::new(
        FaultKind::Invalid,
        "declaration.invalid",
        format!(
            "事项文件有 {} 处错误，未发布（首处 {first}）",
            problems.len()
        ),
        format!(
            "the files of items have {} fault(s), nothing was published (first at {first})",
            problems.len()
        ),
    );
    fault.problems = problems;
    fault
}
