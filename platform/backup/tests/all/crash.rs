//! Killed with -9 at any moment, again and again, while it writes, ships, folds and makes bases:
//! what was shipped when it was acknowledged as covered can be restored, and the file is sound.

use crate::fake::{City, keys, last_event, quick};
use backup::{Moment, Options, Repository, restore};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Not a test by itself: the city that is killed. Prints what is covered.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test below"]
async fn a_city_to_be_killed() {
    let Ok(dir) = std::env::var("BACKUP_TEST_FOLDER") else {
        return;
    };
    let options = Options {
        interval: Duration::from_millis(5),
        base_every: kernel::Span(300_000),
        ..quick()
    };
    let city = City::start(Path::new(&dir), options).await;
    loop {
        let mut last = 0;
        for n in 0..20 {
            last = city.write(n * 700).await.0;
        }
        if city.shipper.look().await.is_ok() && city.shipper.state().broken == 0 {
            println!("covered {last}");
        } else if city.shipper.base().await.is_ok() {
            println!("again {last}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_leaves_a_repository_that_restores() {
    let kills: u64 = std::env::var("JICHENG_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(8);
    let dir = tempfile::tempdir().unwrap();
    let mut certain = 0;
    for kill in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture"])
            .arg("crash::a_city_to_be_killed")
            .env("BACKUP_TEST_FOLDER", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            let mut covered = 0;
            for line in lines.lines().map_while(Result::ok) {
                if let Some((_, number)) = line.rsplit_once("covered ") {
                    covered = number.parse().unwrap_or(covered);
                }
                if let Some((_, number)) = line.rsplit_once("again ") {
                    covered = number.parse().unwrap_or(covered);
                }
            }
            covered
        });
        // Another moment each time, without chance in it.
        tokio::time::sleep(Duration::from_millis(700 + kill * 137 % 900)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let covered: i64 = reader.join().unwrap();
        certain = std::cmp::max(certain, covered);
        let repository = match Repository::open(&dir.path().join("backup")) {
            Ok(repository) => repository,
            Err(_) if certain == 0 => continue,
            Err(fault) => panic!("{fault}"),
        };
        let into = dir.path().join(format!("restored-{kill}"));
        match restore(&repository, &*keys(), Moment::Latest, &into, |_| {}).await {
            Ok(done) => {
                let last = last_event(&into).await;
                eprintln!("kill {kill}: covered {certain}, restored {last}, {done:?}");
                assert!(last >= certain, "{last} < {certain}: {done:?}");
            }
            Err(fault) => assert_eq!(certain, 0, "{fault}"),
        }
    }
    assert!(certain > 0, "it never came to a base");
}
