//! The real day: nine hours of captured traffic through a real connection, counted. Also a bad
//! declaration: the program says where and does not start.

use crate::architecture::root;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

fn corpus() -> Option<Vec<PathBuf>> {
    let folder =
        std::env::var_os("JICHENG_CORPORA").map_or(root().join("../shared/corpora"), PathBuf::from);
    let entries = std::fs::read_dir(folder.join("hj212-shijiazhuang")).ok()?;
    let mut files: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "gz"));
    files.sort();
    Some(files)
}

#[test]
fn the_captured_day_is_counted_exactly() {
    let Some(files) = corpus() else {
        eprintln!("skipped: the corpus hj212-shijiazhuang is not here");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("r.json");
    let done = Command::new(env!("CARGO_BIN_EXE_jicheng"))
        .args(["--set", "log=warn", "replay", "hj212", "--report"])
        .arg(&report)
        .args(&files)
        .output()
        .expect("the program");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let report: Value =
        serde_json::from_str(&std::fs::read_to_string(&report).expect("a report")).expect("json");
    let number = |name: &str| {
        report[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name}: {report}"))
    };
    assert_eq!(number("frames_read"), 79_945);
    assert_eq!(number("not_frames"), 9);
    assert_eq!(number("accepted"), 79_906);
    assert_eq!(report["rejected"]["crc"], 38);
    // A right check value does not excuse a wrong length.
    assert_eq!(report["rejected"]["length"], 1);
    assert_eq!(number("devices"), 288);
    assert_eq!(number("values_received"), 734_234);
    // 712,242 are distinct as text; 972 of them name the same instant twice (day reports sent with
    // 14 and with 17 digits), and 664 came again with another value and are kept as corrections.
    assert_eq!(number("values_stored"), 712_242 - 972 + number("corrected"));
    assert_eq!(number("duplicates"), 734_234 - number("values_stored"));
    assert!(
        report["alerts"]["total"].as_u64().is_some_and(|n| n > 50),
        "{report}"
    );
}

#[test]
fn a_wrong_declaration_is_named_and_nothing_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = Command::new("cp")
        .arg("-r")
        .arg(root().join("systems"))
        .arg(root().join("cities"))
        .arg(folder.path())
        .status();
    assert!(copy.is_ok_and(|s| s.success()));
    let rule = folder
        .path()
        .join("systems/environment/rules/station_offline.yaml");
    let text = std::fs::read_to_string(&rule)
        .expect("a rule")
        .replace("absent: 30 min", "absent: soon\n  whenever: 1");
    std::fs::write(&rule, text).expect("write");
    let setting = format!("declarations={}", folder.path().display());
    for command in ["check", "serve"] {
        let done = Command::new(env!("CARGO_BIN_EXE_jicheng"))
            .args([
                "--data",
                &folder.path().join("data").display().to_string(),
                "--set",
                &setting,
                command,
            ])
            .output()
            .expect("the program");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success(), "{command} accepted a wrong rule");
        for expected in [
            "station_offline.yaml:6: ",
            "\"soon\" is no span",
            "unknown key \"whenever\"",
            "2 faults",
        ] {
            assert!(
                said.contains(expected),
                "{command} should say {expected}: {said}"
            );
        }
        assert!(
            !folder.path().join("data").exists(),
            "{command} made a data folder"
        );
    }
}
