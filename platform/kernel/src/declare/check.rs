//! Reads all files of all systems and of the city, then compares names both ways. `load` answers
//! either with everything declared or with every fault, each with file and line.

use super::read::{Faults, Reader};
use super::shape::{self, Shapes};
use super::system::read_roles;
use super::yaml::{self, Node};
use super::{
    CalendarDecl, CityPack, Declared, IndicatorDecl, LayerDecl, LicenceDecl, PageDecl, PolicyFile,
    PostureItem, PropertyDecl, RegisterDecl, RuleDecl, SystemDecl,
};
use crate::fault::{Problem, Words};
use std::collections::BTreeMap;

/// Engines a system may use.
pub const ENGINES: &[&str] = &[
    "registers",
    "observations",
    "cases",
    "items",
    "maps",
    "exchange",
    "licences",
    "rules",
    "indicators",
    "ledger",
    "identity",
    "portal",
    "lake",
    "devices",
];

/// Kinds of things that access is granted to, besides `register.<name>`.
pub const OBJECTS: &[&str] = &[
    "observations",
    "alerts",
    "devices",
    "frames",
    "layers",
    "registers",
    "indicators",
    "reports",
    "system",
    "audit",
    "accounts",
    "organisations",
    "directory",
    "keys",
    "grants",
    "meters",
    "data_questions",
    "applications",
    "metrics",
    "parties",
    "posture",
    "backups",
    "holds",
    "licences",
    "cases",
    "processes",
    "items",
    "calendar",
    "decisions",
    "service_applications",
    "messages",
    "office",
    "visits",
    "register.*",
];

/// Kinds of things besides registers about whose single members something is known (owner,
/// district, who has it in hand), so that grants may be narrowed by `scope`.
pub const SCOPED: &[&str] = &["alerts", "devices", "frames", "service_applications"];

/// Parts of a folder that are not declarations, or are checked elsewhere.
const OTHER: &[&str] = &[
    "README.md",
    "Cargo.toml",
    "src/",
    "samples/",
    "scenarios/",
    "tests/",
];

struct Work<'a> {
    files: &'a BTreeMap<String, String>,
    faults: Faults,
    nodes: BTreeMap<String, Node>,
    /// What the readers ask, by kind of file; `None` when nobody wants to know.
    shapes: Option<Shapes>,
}

impl Work<'_> {
    fn fault(&self, file: &str, path: &[&str], zh: impl Into<String>, en: impl Into<String>) {
        let mut line = 1;
        let mut node = self.nodes.get(file);
        for key in path {
            node = node.and_then(|n| n.get(key));
            line = node.map_or(line, |n| n.line);
        }
        let at = format!("{file}:{line}");
        self.faults.borrow_mut().push(Problem {
            at,
            words: Words::new(zh, en),
        });
    }

    fn policy(&self, file: &str) -> Option<PolicyFile> {
        self.files.get(file).map(|text| PolicyFile {
            file: file.into(),
            text: text.clone(),
        })
    }

    fn read<T>(
        &self,
        kind: &'static str,
        file: &str,
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> Option<T> {
        let node = self.nodes.get(file)?;
        let shape = self.shapes.as_ref();
        let shape = shape.map(|shapes| shapes.borrow_mut().entry(kind).or_default().clone());
        Some(Reader::whole(file, node, &self.faults, shape, read))
    }
}

/// JSON Schemas of every kind of file, by kind, as the readers read these files.
pub fn schemas(files: &BTreeMap<String, String>) -> BTreeMap<String, serde_json::Value> {
    let mut work = work(files);
    work.shapes = Some(Shapes::default());
    read_all(&work, files);
    let shapes = work.shapes.unwrap_or_default();
    if let Some(rule) = shapes.borrow().get("rule") {
        shape::examples("rule", rule, |top| {
            RuleDecl::read("", "", top);
        });
    }
    // No delivered file need be there for its schema to be known.
    let licence = shapes.borrow_mut().entry("licence").or_default().clone();
    shape::examples("licence", &licence, |top| {
        LicenceDecl::read("", "", top);
    });
    shape::print(&shapes)
}

/// Reads declarations. Keys are paths with `/`, such as `systems/environment/rules/dark.yaml` or
/// `cities/shijiazhuang/city.yaml`; exactly one city is expected.
pub fn load(files: &BTreeMap<String, String>) -> Result<Declared, Vec<Problem>> {
    let (declared, faults) = load_all(files);
    if faults.is_empty() {
        Ok(declared)
    } else {
        Err(faults)
    }
}

/// The same, with what could be read in spite of the faults, for checks that go further.
pub fn load_all(files: &BTreeMap<String, String>) -> (Declared, Vec<Problem>) {
    let work = work(files);
    let declared = read_all(&work, files);
    super::names::compare(&declared, &|file, path, zh, en| {
        work.fault(file, path, zh, en)
    });
    (declared, work.faults.into_inner())
}

/// The files as trees, with the faults of those that cannot be read.
fn work(files: &BTreeMap<String, String>) -> Work<'_> {
    let mut work = Work {
        files,
        faults: Faults::default(),
        nodes: BTreeMap::new(),
        shapes: None,
    };
    for (file, text) in files {
        let declares = file.ends_with(".yaml") || file.ends_with(".json");
        if !declares
            || file.contains("/samples/")
            || file.contains("/scenarios/")
            || file.contains("/src/")
        {
            continue;
        }
        match yaml::parse(text) {
            Ok(node) => {
                work.nodes.insert(file.clone(), node);
            }
            Err((line, text)) => work.faults.borrow_mut().push(Problem {
                at: format!("{file}:{line}"),
                words: Words::new(
                    format!("无法读取：{text}"),
                    format!("cannot be read: {text}"),
                ),
            }),
        }
    }
    work
}

fn read_all(work: &Work<'_>, files: &BTreeMap<String, String>) -> Declared {
    let mut declared = Declared::default();
    for file in files.keys() {
        let mut parts = file.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("systems"), Some(folder), Some(rest)) => {
                if declared.systems.last().is_none_or(|s| s.folder != folder) {
                    declared.systems.push(SystemDecl {
                        folder: folder.into(),
                        ..SystemDecl::default()
                    });
                }
                if let Some(system) = declared.systems.last_mut() {
                    read_system_file(work, system, file, rest);
                }
            }
            (Some("cities"), Some(folder), Some(rest)) => {
                read_city_file(work, &mut declared.city, file, folder, rest);
            }
            _ => work.fault(
                file,
                &[],
                "不知道这个文件属于哪里",
                "no place for this file",
            ),
        }
    }
    declared
}

fn read_system_file(work: &Work<'_>, system: &mut SystemDecl, file: &str, rest: &str) {
    let folder = system.folder.clone();
    let (kind, name) = rest.split_once('/').unwrap_or(("", rest));
    let stem = name.split('.').next().unwrap_or(name);
    match (kind, name) {
        ("", "system.yaml") => {
            work.read("system", file, |top| system.read_head(top));
        }
        ("", "posture.yaml") => {
            let items = work.read("posture", file, PostureItem::read_all);
            system.posture.extend(items.unwrap_or_default());
        }
        ("registers", _) if name.ends_with(".schema.json") => {
            system.registers.extend(work.read("register", file, |top| {
                RegisterDecl::read(&folder, stem, top)
            }));
        }
        ("observations", _) if name.ends_with(".yaml") => {
            work.read("observations", file, |top| {
                top.entries(|name, part| system.properties.push(PropertyDecl::read(name, part)));
            });
        }
        ("rules", _) if name.ends_with(".yaml") => {
            system
                .rules
                .extend(work.read("rule", file, |top| RuleDecl::read(&folder, stem, top)));
        }
        ("layers", _) if name.ends_with(".yaml") => {
            system
                .layers
                .extend(work.read("layer", file, |top| LayerDecl::read(stem, top)));
        }
        ("licences", _) if name.ends_with(".yaml") => {
            system
                .licences
                .extend(work.read("licence", file, |top| LicenceDecl::read(&folder, stem, top)));
        }
        ("indicators", _) if name.ends_with(".yaml") => {
            system
                .indicators
                .extend(work.read("indicator", file, |top| {
                    IndicatorDecl::read(&folder, stem, top)
                }));
        }
        ("pages", _) if name.ends_with(".yaml") => {
            system
                .pages
                .extend(work.read("page", file, |top| PageDecl::read(stem, top)));
        }
        ("calendar", _) if name.ends_with(".yaml") => {
            system
                .calendars
                .extend(work.read("calendar", file, |top| CalendarDecl::read(file, stem, top)));
        }
        ("processes", _) if name.ends_with(".bpmn") => system.processes.extend(work.policy(file)),
        ("decisions", _) if name.ends_with(".dmn") => system.decisions.extend(work.policy(file)),
        ("items", _) if name.ends_with(".yaml") => system.items.extend(work.policy(file)),
        ("access", _) if name.ends_with(".cedar") => system.policies.extend(work.policy(file)),
        ("access", "roles.yaml") => {
            system
                .roles
                .extend(work.read("roles", file, read_roles).unwrap_or_default());
        }
        ("texts", "zh.yaml" | "en.yaml") => read_texts(work, system, file, stem),
        _ if OTHER.iter().any(|other| rest.starts_with(other)) => {}
        _ => work.fault(
            file,
            &[],
            "不知道这是什么文件",
            "this file is of no known kind",
        ),
    }
}

fn read_texts(work: &Work<'_>, system: &mut SystemDecl, file: &str, language: &str) {
    work.read("texts", file, |top| {
        top.entries(|key, value| {
            let text = value.own_texts().join("");
            let words = system.texts.entry(key.into()).or_default();
            if language == "zh" {
                words.zh = text;
            } else {
                words.en = text;
            }
        });
    });
}

fn read_city_file(work: &Work<'_>, city: &mut CityPack, file: &str, folder: &str, rest: &str) {
    if !city.folder.is_empty() && city.folder != folder {
        work.fault(
            file,
            &[],
            "只能有一个城市包",
            "there can be only one city pack",
        );
    }
    city.folder = folder.into();
    match rest {
        "city.yaml" => work.read("city", file, |top| city.read_head(top)),
        "organisations.yaml" => {
            work.read("organisations", file, |top| city.read_organisations(top))
        }
        "districts.yaml" => work.read("districts", file, |top| city.read_districts(top)),
        "thresholds.yaml" => work.read("thresholds", file, |top| city.read_thresholds(top)),
        "accounts.yaml" => work.read("accounts", file, |top| city.read_accounts(top)),
        "roles.yaml" => work.read("roles", file, |top| city.roles = read_roles(top)),
        "quotas.yaml" => work.read("quotas", file, |top| city.read_quotas(top)),
        "README.md" => None,
        // Shapes of halls are read where halls are kept.
        "halls.yaml" => {
            city.halls = work.policy(file);
            None
        }
        _ if rest.starts_with("access/") && rest.ends_with(".cedar") => {
            city.policies.extend(work.policy(file));
            None
        }
        _ if rest.starts_with("items/") && rest.ends_with(".yaml") => {
            city.items.extend(work.policy(file));
            None
        }
        _ if rest.starts_with("licences/") && rest.ends_with(".yaml") => {
            let name = rest
                .trim_start_matches("licences/")
                .trim_end_matches(".yaml");
            city.licences
                .extend(work.read("licence", file, |top| LicenceDecl::read("", name, top)));
            None
        }
        _ => {
            work.fault(
                file,
                &[],
                "不知道这是什么文件",
                "this file is of no known kind",
            );
            None
        }
    };
}
