//! The architecture's rules, checked against the tree itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the checkout")
        .to_path_buf()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn manifest(member: &str) -> toml::Table {
    read(&root().join(member).join("Cargo.toml"))
        .parse()
        .expect("a manifest")
}

fn members() -> Vec<String> {
    let workspace: toml::Table = read(&root().join("Cargo.toml"))
        .parse()
        .expect("a manifest");
    let list = workspace["workspace"]["members"]
        .as_array()
        .expect("members");
    list.iter()
        .map(|m| m.as_str().expect("a name").to_string())
        .collect()
}

/// Folders directly under `under` that hold a `Cargo.toml`.
fn crates_under(under: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(under)).expect(under);
    let folders = entries
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.join("Cargo.toml").exists());
    folders
        .map(|p| {
            format!(
                "{under}/{}",
                p.file_name().expect("a name").to_string_lossy()
            )
        })
        .collect()
}

#[test]
fn members_are_the_folders_and_named_after_them() {
    let listed: BTreeSet<String> = members().into_iter().collect();
    let mut found: BTreeSet<String> = ["jicheng", "verify", "xtask"].map(String::from).into();
    for under in ["platform", "gateways", "systems"] {
        found.extend(crates_under(under));
    }
    assert_eq!(
        listed, found,
        "Cargo.toml lists other members than there are folders"
    );
    for member in &listed {
        let name = manifest(member)["package"]["name"]
            .as_str()
            .expect("a name")
            .to_string();
        assert_eq!(
            member.rsplit('/').next(),
            Some(name.as_str()),
            "{member}: a crate is named after its folder"
        );
    }
}

#[test]
fn the_dependency_star_holds() {
    let members = members();
    let ours: BTreeSet<&str> = members
        .iter()
        .filter_map(|m| m.rsplit('/').next())
        .collect();
    for member in &members {
        let allowed: &[&str] = match member.as_str() {
            "jicheng" => continue,
            // The verifier must not share a line with what it checks.
            "platform/kernel" | "verify" | "xtask" => &[],
            "platform/store" => &["kernel"],
            "platform/testkit" => &["kernel", "store"],
            m if m.starts_with("platform/") => &["kernel", "store"],
            _ => &["kernel"],
        };
        let manifest = manifest(member);
        let Some(dependencies) = manifest.get("dependencies").and_then(|d| d.as_table()) else {
            continue;
        };
        for name in dependencies.keys().filter(|n| ours.contains(n.as_str())) {
            assert!(
                allowed.contains(&name.as_str()),
                "{member} may not depend on {name}"
            );
        }
    }
}

fn sources(under: &Path, found: &mut Vec<PathBuf>) {
    let skip = ["target", "node_modules", ".git", "fuzz"];
    for entry in std::fs::read_dir(under).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !skip.contains(&name.as_str()) {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let mut found = vec![];
    for under in [
        "platform", "gateways", "systems", "jicheng", "verify", "xtask",
    ] {
        sources(&root().join(under), &mut found);
    }
    let relative = |p: &PathBuf| {
        p.strip_prefix(root())
            .expect("inside")
            .to_string_lossy()
            .into_owned()
    };
    found.iter().map(|p| (relative(p), read(p))).collect()
}

#[test]
fn every_file_says_which_room_it_is() {
    for (path, text) in all_sources() {
        assert!(text.starts_with("//!"), "{path} does not begin with //!");
    }
}

#[test]
fn only_the_store_writes_sql_and_only_the_program_speaks_http_and_reads_the_environment() {
    for (path, text) in all_sources() {
        let product = !path.contains("/tests/")
            && !path.contains("/examples/")
            && !path.starts_with("platform/testkit");
        if !product {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        if !path.starts_with("platform/store/") {
            for word in ["sqlx::", "sea_query"] {
                assert!(
                    !code.contains(word),
                    "{path}: SQL belongs in platform/store"
                );
            }
        }
        if !path.starts_with("jicheng/") {
            assert!(!code.contains("axum::"), "{path}: HTTP belongs in jicheng");
            if !path.starts_with("xtask/") {
                assert!(
                    !code.contains("std::env::var"),
                    "{path}: only the program reads the environment"
                );
            }
        }
    }
}

#[test]
fn every_error_code_has_its_page_and_is_used() {
    let sources = all_sources();
    for code in kernel::fault::CODES {
        let page = root().join(format!("docs/errors/{code}.md"));
        assert!(page.exists(), "docs/errors/{code}.md is missing");
        let quoted = format!("\"{code}\"");
        let used = sources
            .iter()
            .any(|(path, text)| !path.ends_with("kernel/src/fault.rs") && text.contains(&quoted))
            || read(&root().join("platform/kernel/src/fault.rs"))
                .matches(&quoted)
                .count()
                > 1;
        assert!(used, "{code} is never used");
    }
    for entry in std::fs::read_dir(root().join("docs/errors")).expect("docs/errors") {
        let name = entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned();
        let code = name.trim_end_matches(".md");
        assert!(
            code == "README" || kernel::fault::CODES.contains(&code),
            "docs/errors/{name} is of no code"
        );
    }
}

#[test]
fn the_list_of_systems_is_the_folders() {
    let listed: BTreeSet<String> = jicheng::systems::all()
        .iter()
        .map(|s| format!("systems/{}", s.folder()))
        .collect();
    assert_eq!(listed, crates_under("systems"));
}
