//! Files carried inside the program: the declarations of `systems/` and `cities/`, the web
//! application, the pages of the error codes. A debug build reads them from disk, a release
//! carries them; `declarations` in the configuration overrides the first two.

use rust_embed::RustEmbed;
use std::collections::BTreeMap;
use std::path::Path;

/// Declarations of the systems.
#[derive(RustEmbed)]
#[folder = "../systems"]
#[exclude = "*/src/*"]
#[exclude = "*/tests/*"]
#[exclude = "*/Cargo.toml"]
struct Systems;

/// City packs.
#[derive(RustEmbed)]
#[folder = "../cities"]
struct Cities;

/// The built web application.
#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
pub struct Web;

/// Pages of the error codes.
#[derive(RustEmbed)]
#[folder = "../docs/errors"]
#[allow_missing = true]
pub struct ErrorPages;

/// The declaration files of all systems and of one city, by path with `/`.
pub fn declarations(folder: &str, city: &str) -> std::io::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    if folder.is_empty() {
        for name in Systems::iter() {
            files.insert(format!("systems/{name}"), text(Systems::get(&name)));
        }
        for name in Cities::iter().filter(|n| n.split('/').next() == Some(city)) {
            files.insert(format!("cities/{name}"), text(Cities::get(&name)));
        }
    } else {
        collect(Path::new(folder), "systems", &mut files)?;
        collect(Path::new(folder), &format!("cities/{city}"), &mut files)?;
    }
    // Sources are the compiler's business, not a declaration's.
    files.retain(|name, _| {
        !name.contains("/src/") && !name.contains("/tests/") && !name.ends_with("Cargo.toml")
    });
    Ok(files)
}

fn text(file: Option<rust_embed::EmbeddedFile>) -> String {
    file.map(|f| String::from_utf8_lossy(&f.data).into_owned())
        .unwrap_or_default()
}

fn collect(root: &Path, under: &str, files: &mut BTreeMap<String, String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(root.join(under))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{under}/{name}");
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            files.insert(path, text);
        }
    }
    Ok(())
}

/// The sample records of a register, as CSV.
pub fn sample(system: &str, register: &str) -> Option<Vec<u8>> {
    Systems::get(&format!("{system}/samples/{register}.csv")).map(|f| f.data.into_owned())
}
