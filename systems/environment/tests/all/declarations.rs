//! The files of the system and of the city pack are read whole; the samples fit the registers.

use kernel::declare::{Declared, FieldKind, check};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Everything declared in this folder and in the city pack.
pub fn declared() -> Declared {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = BTreeMap::new();
    // The city's accounts hold roles of the services, too.
    for folder in [
        "systems/environment",
        "systems/services",
        "cities/shijiazhuang",
    ] {
        gather(&root, &root.join(folder), &mut files);
    }
    check::load(&files).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn gather(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(root, &path, files);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let name = path.strip_prefix(root).unwrap().to_string_lossy();
            files.insert(name.replace('\\', "/"), text);
        }
    }
}

#[test]
fn the_files_are_sound() {
    let declared = declared();
    assert_eq!(declared.systems.len(), 2);
    assert_eq!(declared.city.districts.len(), 24);
    let ours = declared.registers().filter(|r| r.system == "environment");
    assert_eq!(ours.count(), 4);
}

/// Rows of a sample as maps from field to text.
pub fn sample(name: &str) -> Vec<BTreeMap<String, String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("samples/{name}.csv"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows = lines.map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), head.len(), "{line}");
        let pairs = head.iter().zip(cells);
        pairs.map(|(h, c)| (h.to_string(), c.to_string())).collect()
    });
    rows.collect()
}

#[test]
fn samples_fit_their_registers() {
    let declared = declared();
    let mut keys: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let names = ["enterprise", "outlet", "station", "emission_limit"];
    for name in names {
        let register = declared.register(name).unwrap();
        let rows = sample(name);
        let found: BTreeSet<String> = rows.iter().map(|r| r[&register.key].clone()).collect();
        assert_eq!(found.len(), rows.len(), "a key of {name} stands twice");
        keys.insert(name, found);
    }
    for name in names {
        let register = declared.register(name).unwrap();
        for row in sample(name) {
            for (field, text) in &row {
                let decl = register.field(field).expect(field);
                assert!(!(decl.required && text.is_empty()), "{name}.{field}");
                if text.is_empty() {
                    continue;
                }
                let fits = match &decl.kind {
                    FieldKind::Reference { register } => keys[register.as_str()].contains(text),
                    FieldKind::Choice { of } => of.iter().any(|(value, _)| value == text),
                    FieldKind::Number => text.parse::<f64>().is_ok(),
                    FieldKind::Integer => text.parse::<i64>().is_ok(),
                    FieldKind::Boolean => text == "true" || text == "false",
                    _ => true,
                };
                assert!(fits, "{name}.{field}: {text}");
            }
        }
    }
}

#[test]
fn stations_stand_in_every_district_and_belong_to_nobody() {
    let declared = declared();
    let stations = sample("station");
    assert!(stations.len() >= 60);
    let with: BTreeSet<&String> = stations.iter().map(|s| &s["district"]).collect();
    for district in &declared.city.districts {
        assert!(with.contains(&district.code), "{}", district.title.zh);
    }
    for station in &stations {
        // 130199 is assigned to no district.
        assert!(station["mn"].starts_with("130199"));
        assert!(station["name"].starts_with("演示"));
        let district = declared.city.districts.iter();
        let district = district
            .clone()
            .find(|d| d.code == station["district"])
            .unwrap();
        let lon: f64 = station["longitude"].parse().unwrap();
        let lat: f64 = station["latitude"].parse().unwrap();
        assert!((lon - district.centre.0).abs() < 0.3 && (lat - district.centre.1).abs() < 0.3);
        for class in [&station["class"], &station["night_class"]] {
            let known = declared.city.thresholds.iter().any(|t| t.class == *class);
            assert!(class.is_empty() || known, "{class}");
        }
    }
}

/// GB 32100-2015: weights 3^i mod 31 over the first 17 characters; GB 11714-1997 for the
/// organisation code inside.
fn code_is_valid(code: &str) -> bool {
    const LETTERS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let values: Option<Vec<usize>> = code.chars().map(|c| LETTERS.find(c)).collect();
    let Some(values) = values.filter(|v| v.len() == 18) else {
        return false;
    };
    let mut weight = 1;
    let mut sum = 0;
    for value in &values[..17] {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    let weights = [3, 7, 9, 10, 5, 8, 4, 2];
    let body: Vec<char> = code[8..17].chars().collect();
    let inner: u32 = body[..8]
        .iter()
        .zip(weights)
        .map(|(c, w)| c.to_digit(36).unwrap_or(0) * w)
        .sum();
    let last = match 11 - inner % 11 {
        10 => 'X',
        11 => '0',
        n => char::from_digit(n, 10).unwrap_or('?'),
    };
    values[17] == (31 - sum % 31) % 31 && body[8] == last
}

#[test]
fn enterprises_have_valid_codes() {
    // A code often printed as the example of the standard, and the same with a wrong digit.
    assert!(code_is_valid("91350100M000100Y43"));
    assert!(!code_is_valid("91350100M000100Y44"));
    for enterprise in sample("enterprise") {
        let code = &enterprise["uscc"];
        assert!(code_is_valid(code), "{code}");
        assert_eq!(&code[2..8], "130199");
    }
}

#[test]
fn every_text_is_used() {
    let mut source = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    gather(&folder, &folder, &mut source);
    let all: String = source.into_values().collect();
    for key in declared().systems[0].texts.keys() {
        // Numbered texts are put together from their stem.
        let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
        let used = [format!("\"{key}\""), format!("\"{stem}{{}}\"")];
        assert!(used.iter().any(|text| all.contains(text)), "{key}");
    }
}
