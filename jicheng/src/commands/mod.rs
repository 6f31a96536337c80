//! The commands of the program, one file each.

pub mod accounts;
pub mod admin;
pub mod audit;
pub mod backup;
pub mod client;
pub mod demo;
pub mod import;
pub mod keys;
pub mod replay;
pub mod serve;
pub mod simulate;

use crate::config::Config;
use kernel::declare::Declared;
use kernel::{Fault, Problem};

/// Faults of declarations as lines `file:line: Chinese / English`.
pub fn show(faults: &[Problem]) -> String {
    let mut lines: Vec<String> = faults
        .iter()
        .map(|p| format!("{}: {} / {}", p.at, p.words.zh, p.words.en))
        .collect();
    lines.sort();
    lines.push(format!("{} 处错误 / {} faults", faults.len(), faults.len()));
    lines.join("\n")
}

/// A fault in both languages, for the terminal.
pub fn say(fault: Fault) -> String {
    let mut text = format!("{}: {}\n{}", fault.code, fault.words.zh, fault.words.en);
    for problem in &fault.problems {
        text.push_str(&format!(
            "\n  {}: {} / {}",
            problem.at, problem.words.zh, problem.words.en
        ));
    }
    text
}

/// Everything declared, or every fault.
pub fn declared(config: &Config) -> Result<Declared, String> {
    crate::run::declared(config).map_err(|faults| show(&faults))
}

/// `jicheng check`.
pub fn check(config: &Config) -> Result<(), String> {
    let declared = declared(config)?;
    println!(
        "声明无误 / declarations are sound: {} systems, {} registers, {} properties, {} rules, {} indicators",
        declared.systems.len(),
        declared.registers().count(),
        declared
            .systems
            .iter()
            .map(|s| s.properties.len())
            .sum::<usize>(),
        declared.rules().count(),
        declared.indicators().count(),
    );
    Ok(())
}

/// `jicheng schema`: what `check` knows about a kind of file, for an editor.
pub fn schema(config: &Config, kind: Option<&str>) -> Result<(), String> {
    let files = crate::embed::declarations(config.text("declarations"), config.text("city"))
        .map_err(|e| format!("无法读取声明目录 / cannot read the declarations: {e}"))?;
    let schemas = crate::window::schemas(&files);
    let kinds: Vec<&str> = schemas.keys().map(String::as_str).collect();
    let Some(kind) = kind else {
        println!("{}", kinds.join("\n"));
        return Ok(());
    };
    let schema = schemas.get(kind).ok_or_else(|| {
        let kinds = kinds.join(", ");
        format!("没有这种声明文件，应为 / no such kind, expected one of: {kinds}")
    })?;
    println!(
        "{}",
        serde_json::to_string_pretty(schema).unwrap_or_default()
    );
    Ok(())
}

/// A password nobody can guess: sixteen letters and digits that are not mistaken for each other.
pub fn new_password() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";
    let letter = || LETTERS[rand::random_range(0..LETTERS.len())] as char;
    (0..16).map(|_| letter()).collect()
}
