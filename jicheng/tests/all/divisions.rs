//! The city pack against the national list of divisions, which others keep: every district of the
//! city with its code and name, and none besides.

use crate::architecture::root;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[test]
fn districts_of_the_pack_are_those_of_the_division_list() {
    let corpora =
        std::env::var_os("JICHENG_CORPORA").map_or(root().join("../shared/corpora"), PathBuf::from);
    let Ok(list) = std::fs::read_to_string(corpora.join("divisions/areas.csv")) else {
        eprintln!("skipped: the corpus divisions is not here");
        return;
    };
    let listed: BTreeMap<&str, &str> = list
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split(',');
            Some((cells.next()?, cells.next()?))
        })
        .collect();
    let files = jicheng::embed::declarations("", "shijiazhuang").expect("declarations");
    let declared = kernel::declare::check::load(&files).expect("sound declarations");
    let ours: BTreeMap<&str, &str> = declared
        .city
        .districts
        .iter()
        .map(|d| (d.code.as_str(), d.title.zh.as_str()))
        .collect();
    assert_eq!(ours, listed);
}
