//! The scenarios of every system: given, steps, expect.

use crate::architecture::root;
use jicheng::config::Config;

#[test]
fn every_scenario_of_every_system() {
    let config = Config::load(None, std::iter::empty(), &[]).expect("a configuration");
    let declared = jicheng::run::declared(&config)
        .unwrap_or_else(|f| panic!("{}", jicheng::commands::show(&f)));
    let mut ran = 0;
    let mut faults = vec![];
    for system in &declared.systems {
        let folder = root()
            .join("systems")
            .join(&system.folder)
            .join("scenarios");
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("an entry").path();
            let name = path
                .strip_prefix(root())
                .expect("inside")
                .display()
                .to_string();
            let text = std::fs::read_to_string(&path).expect("a scenario");
            if let Err(problems) = rules::scenario::run(&declared, &name, &text) {
                faults.push(jicheng::commands::show(&problems));
            }
            ran += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(ran >= 6, "only {ran} scenarios ran");
}
