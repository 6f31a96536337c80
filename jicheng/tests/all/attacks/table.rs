//! docs/attacks.md against the tests: every test it names exists, and every test of an attack is
//! in it.

use crate::architecture::root;
use std::collections::BTreeSet;

/// Tests of a source file, as `module::name`.
fn tests_of(path: &std::path::Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).expect("a file");
    let module = path
        .file_stem()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let mut found = BTreeSet::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim().starts_with("#[tokio::test") || line.trim() == "#[test]" {
            let head = lines.by_ref().find(|l| l.contains("fn "));
            let name = head.and_then(|h| h.split("fn ").nth(1));
            let name = name.and_then(|n| n.split('(').next()).expect("a name");
            found.insert(format!("{module}::{name}"));
        }
    }
    found
}

#[test]
fn the_table_of_attacks_names_tests_that_exist() {
    let page = std::fs::read_to_string(root().join("docs/attacks.md")).expect("docs/attacks.md");
    let rows: Vec<&str> = page
        .lines()
        .filter(|l| l.starts_with("| "))
        .skip(1)
        .collect();
    assert!(rows.len() >= 15, "only {} rows", rows.len());
    let mut named = BTreeSet::new();
    for row in &rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [attack, _, tests, cases] = cells[..] else {
            panic!("not four cells: {row}");
        };
        assert!(!attack.is_empty() && !cases.is_empty(), "{row}");
        for name in tests.split('`').skip(1).step_by(2) {
            named.insert(name.to_string());
        }
    }
    let here = root().join("jicheng/tests/all");
    let mut known = BTreeSet::new();
    let mut attacks = BTreeSet::new();
    for folder in [here.clone(), here.join("attacks")] {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|e| e == "rs") {
                let tests = tests_of(&path);
                if folder != here && !path.ends_with("table.rs") {
                    attacks.extend(tests.clone());
                }
                known.extend(tests);
            }
        }
    }
    for name in &named {
        // A test of another crate or of the web is named by its file.
        let elsewhere = name
            .split_once(": ")
            .map_or(name.as_str(), |(file, _)| file);
        if elsewhere.contains('/') {
            let text = std::fs::read_to_string(root().join(elsewhere)).unwrap_or_default();
            let test = name.split_once(": ").map_or("", |(_, test)| test);
            assert!(
                !text.is_empty() && text.contains(test),
                "docs/attacks.md: no {name}"
            );
        } else {
            assert!(
                known.contains(name),
                "docs/attacks.md names {name}: no such test"
            );
        }
    }
    for name in attacks {
        assert!(named.contains(&name), "{name} is not in docs/attacks.md");
    }
}
