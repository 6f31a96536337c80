//! Names bound in Rust against names declared in files, both ways: a report that is declared must
//! be bound, and one that is bound must be declared.

use kernel::city::Bindings;
use kernel::declare::Declared;
use kernel::{Problem, System, Words};

/// Every fault of the comparison.
pub fn compare(declared: &Declared, systems: &[Box<dyn System>]) -> Vec<Problem> {
    let mut faults = vec![];
    let mut fault = |folder: &str, zh: String, en: String| {
        let at = format!("systems/{folder}/system.yaml:1");
        faults.push(Problem {
            at,
            words: Words::new(zh, en),
        });
    };
    for system in &declared.systems {
        let Some(known) = systems.iter().find(|s| s.folder() == system.folder) else {
            // A system may be files only; then it declares nothing that needs Rust.
            for report in &system.reports {
                let en = format!(
                    "report \"{}\" is declared, but the system has no Rust",
                    report.name
                );
                fault(&system.folder, format!("报表“{}”没有实现", report.name), en);
            }
            continue;
        };
        let mut names = Bindings::default();
        known.bind(&mut names);
        for report in &system.reports {
            if !names.reports.contains_key(report.name.as_str()) {
                let en = format!("report \"{}\" is declared and not bound", report.name);
                fault(
                    &system.folder,
                    format!("报表“{}”已声明而未绑定", report.name),
                    en,
                );
            }
        }
        for name in names.reports.keys() {
            if !system.reports.iter().any(|r| r.name == *name) {
                let en = format!("report \"{name}\" is bound and not declared");
                fault(&system.folder, format!("报表“{name}”已绑定而未声明"), en);
            }
        }
    }
    for system in systems {
        if !declared.systems.iter().any(|s| s.folder == system.folder()) {
            let en = "the program lists this system, but it has no folder".to_string();
            fault(
                system.folder(),
                "程序列出了该系统，但没有它的目录".into(),
                en,
            );
        }
    }
    faults
}
