//! A measurement, not a test: how many people sign in each second, against what the machine can
//! hash at all. `cargo nextest run -p identity --run-ignored only -E 'test(sign_ins_a_second)'
//! --no-capture`.

use crate::{PASSWORD, cheap, done, open, origin};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use identity::{HashCost, Settings};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Store;

const ROUND: Duration = Duration::from_secs(5);

/// Bare verifications a second on so many threads.
fn bare(threads: usize, cost: HashCost) -> f64 {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2
        .hash_password(PASSWORD.as_bytes())
        .unwrap()
        .to_string();
    let begun = Instant::now();
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let (argon2, hash) = (argon2.clone(), hash.clone());
            std::thread::spawn(move || {
                let hash = PasswordHash::new(&hash).unwrap();
                let mut count = 0;
                while begun.elapsed() < ROUND {
                    argon2.verify_password(PASSWORD.as_bytes(), &hash).unwrap();
                    count += 1;
                }
                count
            })
        })
        .collect();
    let count: u32 = workers.into_iter().map(|w| w.join().unwrap()).sum();
    f64::from(count) / begun.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn sign_ins_a_second() {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    for at_once in [processors.div_ceil(2), processors] {
        let cost = HashCost::default();
        let settings = Settings {
            cost,
            hashing_at_once: at_once,
            sessions_per_account: 20,
            ..cheap()
        };
        let folder = std::env::temp_dir().join(format!("speed-{}-{at_once}", std::process::id()));
        let store = Store::in_folder(&folder).await.unwrap();
        let house = Arc::new(open(&store, settings).await);
        let people = 16;
        for n in 0..people {
            house.make(&format!("p{n}"), "duty").await;
        }
        let mut best = (0.0_f64, 0.0_f64);
        for _ in 0..3 {
            let limit = tokio::task::spawn_blocking(move || bare(at_once, cost))
                .await
                .unwrap();
            let begun = Instant::now();
            let workers: Vec<_> = (0..people)
                .map(|n| {
                    let house = house.clone();
                    tokio::spawn(async move {
                        let (name, here) = (format!("p{n}"), origin(&format!("10.0.0.{n}")));
                        let mut count = 0;
                        while begun.elapsed() < ROUND {
                            done(house.engine.sign_in(&name, PASSWORD, &here).await.unwrap());
                            count += 1;
                        }
                        count
                    })
                })
                .collect();
            let mut count = 0;
            for worker in workers {
                count += worker.await.unwrap();
            }
            let rate = f64::from(count) / begun.elapsed().as_secs_f64();
            best = (best.0.max(limit), best.1.max(rate));
        }
        println!(
            "{} KiB, {} passes, {at_once} of {processors} processors: bare argon2 {:.1}/s, sign-ins {:.1}/s ({:.0} %)",
            cost.memory_kib,
            cost.passes,
            best.0,
            best.1,
            100.0 * best.1 / best.0
        );
        store.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
