//! Chores of the workspace. `cargo xtask new-system NAME` lays out a folder of the usual shape;
//! everything else is a test that blesses itself with `BLESS=1` or a command of `jicheng`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["new-system", name] => new_system(name),
        _ => Err("usage: cargo xtask new-system NAME".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// Lays out `systems/NAME` with the least that `jicheng check` accepts.
fn new_system(name: &str) -> Result<(), String> {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let folder = Path::new("systems").join(name);
    if !plain {
        return Err(format!(
            "{name}: a system's name is lower-case letters and _"
        ));
    }
    if folder.exists() {
        return Err(format!("{} exists already", folder.display()));
    }
    let files = [
        (
            "README.md",
            format!("# {name}\n\nWho uses it, for what, after which standard.\n"),
        ),
        (
            "system.yaml",
            format!(
                "title: {{ zh: {name}, en: {name} }}\nowner: o_data\nuses: [registers]\nmaturity: draft\n"
            ),
        ),
        (
            "texts/zh.yaml",
            "title: \n".replace("\n", &format!("{name}\n")),
        ),
        (
            "texts/en.yaml",
            "title: \n".replace("\n", &format!("{name}\n")),
        ),
    ];
    for (path, text) in files {
        let file = folder.join(path);
        let parent = file.parent().unwrap_or(&folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&file, text))
            .map_err(|e| format!("{path}: {e}"))?;
    }
    println!(
        "{} is laid out; see docs/adding-a-system.md",
        folder.display()
    );
    Ok(())
}
