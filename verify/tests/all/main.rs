//! The verifier against a real city's log on SQLite and PostgreSQL, altered by somebody with the
//! database but without the key.

use audit::{Engine, Options};
use crypto::Engine as Keys;
use kernel::crypto::{Crypto, Ring, Suite};
use kernel::{ManualClock, Time};
use sea_query::{Expr, Query};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::Arc;
use store::audit::{AuditEntry, Stored};
use store::{Run, Store};
use testkit::each_store;
use verify::log::{Fault, Report};
use verify::note::{self, Checkpoint};
use verify::{keys, log, proofs};

const COUNT: i64 = 700;
/// The witness was there at this size, and at the end.
const WITNESSED: i64 = 500;
/// The entry that is altered.
const VICTIM: i64 = 123;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Time(1_770_000_000_000_000)))
}

fn entry(n: i64) -> AuditEntry {
    AuditEntry {
        at: Time(1_770_000_000_000_000 + n),
        account: "duty".into(),
        verb: "read".into(),
        object: "register.person".into(),
        subject: format!("record {n}"),
        purpose: "办理业务".into(),
        basis: "第三条".into(),
        details: json!({"n": n, "text": "引号\" and 1e5", "float": 0.1}),
        outcome: "done".into(),
    }
}

/// A log with what an outsider carries away: the key and two checkpoints.
struct City {
    store: Store,
    keys: Arc<Keys>,
    engine: Arc<Engine>,
    public: Vec<keys::Key>,
    notes: [String; 2],
    rows: Vec<Stored>,
}

async fn open(store: &Store, keys: &Arc<Keys>) -> Arc<Engine> {
    let options = Options {
        origin: "jicheng/test/audit".into(),
        file: None,
    };
    let opened = Engine::open(store.clone(), clock(), keys.clone(), options);
    opened.await.expect("it works")
}

fn public(keys: &Keys) -> Vec<keys::Key> {
    let all = keys.public_keys(Ring::Audit).expect("it works");
    let pem: String = all.iter().map(crypto::pem).collect();
    let by_pem = keys::read(&pem).expect("it works");
    let set = json!({"keys": all.iter().map(crypto::jwk).collect::<Vec<_>>()});
    assert_eq!(keys::read(&set.to_string()).expect("it works"), by_pem);
    by_pem
}

impl City {
    async fn new(store: Store, suite: Suite) -> City {
        let keys = Keys::in_memory(suite, clock()).expect("it works");
        let engine = open(&store, &keys).await;
        let some = |range: std::ops::RangeInclusive<i64>| range.map(entry).collect();
        engine.record(some(1..=WITNESSED)).await.expect("it works");
        let first = engine.checkpoint().await.expect("it works");
        engine
            .record(some(WITNESSED + 1..=COUNT))
            .await
            .expect("it works");
        let second = engine.checkpoint().await.expect("it works");
        let mut reader = store.reader().await.expect("it works");
        let rows = store::audit::stored_after(&mut reader, 0, 1000)
            .await
            .expect("it works");
        City {
            public: public(&keys),
            store,
            keys,
            engine,
            notes: [first, second],
            rows,
        }
    }

    fn witnessed(&self) -> Vec<Checkpoint> {
        let open = |text: &String| note::open(text, &self.public).expect("it works");
        self.notes.iter().map(open).collect()
    }

    /// Puts these rows in place of the log, as somebody with the database may.
    async fn put(&self, rows: &[Stored]) {
        let mut tx = self.store.begin().await.expect("it works");
        let all = Query::delete().from_table("audit").to_owned();
        tx.execute(&all).await.expect("it works");
        for some in rows.chunks(200) {
            let mut insert = Query::insert();
            let columns = ["seq", "at"].into_iter().chain(store::audit::TEXTS);
            insert
                .into_table("audit")
                .columns(columns.chain(["previous", "hash"]));
            for row in some {
                let mut values = vec![Expr::val(row.seq), Expr::val(row.at)];
                values.extend(row.texts.iter().map(|text| Expr::val(text.as_str())));
                values.extend([row.previous.as_slice(), row.hash.as_slice()].map(Expr::val));
                insert.values_panic(values);
            }
            tx.execute(&insert).await.expect("it works");
        }
        tx.commit().await.expect("it works");
    }

    async fn export(&self) -> String {
        let mut text = String::new();
        let mut after = 0;
        loop {
            let page = self.engine.export(after).await.expect("it works");
            let Some(last) = page.last() else {
                return text;
            };
            after = last.seq;
            for line in &page {
                text.push_str(&json!(line).to_string());
                text.push('\n');
            }
        }
    }

    async fn verdict(&self) -> Report {
        let text = self.export().await;
        log::check(text.as_bytes(), &self.witnessed()).expect("it works")
    }

    /// What both say of the log as these rows have it: the verifier's first fault, and the city's
    /// own inspection.
    async fn check(&self, what: &str, rows: &[Stored], expect: Fault) {
        self.put(rows).await;
        let report = self.verdict().await;
        assert_eq!(
            report.faults.first(),
            Some(&expect),
            "{what}: {:?}",
            report.faults
        );
        let own = self.engine.verify().await.expect("it works");
        assert!(own.damage.is_some(), "{what}");
    }
}

/// Computes the chain anew from an entry on.
fn chain_anew(rows: &mut [Stored], from: usize) {
    use sha2::Digest;
    for at in from..rows.len() {
        rows[at].previous = at.checked_sub(1).map_or(vec![], |b| rows[b].hash.clone());
        rows[at].hash = sha2::Sha256::digest(rows[at].canonical()).to_vec();
    }
}

fn altered(seq: i64, rows: &[Stored]) -> Fault {
    let row = rows.iter().find(|row| row.seq == seq).expect("it works");
    Fault::Altered {
        seq: seq as u64,
        about: format!("{} {} {}", row.texts[0], row.texts[1], row.texts[2]),
    }
}

fn missing(from: i64, to: i64) -> Fault {
    Fault::Missing {
        from: from as u64,
        to: to as u64,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alteration_by_hand_is_named() {
    each_store(|store| async move {
        let city = City::new(store, Suite::International).await;
        let report = city.verdict().await;
        assert_eq!(
            (report.entries, report.proved, report.faults.len()),
            (700, 700, 0)
        );
        assert_eq!(city.engine.verify().await.unwrap().damage, None);
        let victim = VICTIM as usize - 1;
        let with = |change: &dyn Fn(&mut Vec<Stored>)| {
            let mut rows = city.rows.clone();
            change(&mut rows);
            rows
        };

        for (column, name) in store::audit::TEXTS.iter().enumerate() {
            let rows = with(&|rows| rows[victim].texts[column].push('x'));
            city.check(name, &rows, altered(VICTIM, &rows)).await;
        }
        let rows = with(&|rows| rows[victim].at += 1);
        city.check("at", &rows, altered(VICTIM, &rows)).await;
        let rows = with(&|rows| rows[victim].previous[0] ^= 1);
        city.check("previous", &rows, altered(VICTIM, &rows)).await;
        let rows = with(&|rows| rows[victim].hash[0] ^= 1);
        city.check("hash", &rows, altered(VICTIM, &rows)).await;
        let rows = with(&|rows| rows[victim].seq = 9_999);
        city.check("seq", &rows, missing(VICTIM, VICTIM)).await;

        let rows = with(&|rows| drop(rows.remove(victim)));
        city.check("deleted", &rows, missing(VICTIM, VICTIM)).await;
        let rows = with(&|rows| drop(rows.drain(victim..victim + 40)));
        city.check("many deleted", &rows, missing(VICTIM, VICTIM + 39))
            .await;
        let rows = with(&|rows| drop(rows.remove(0)));
        city.check("the first deleted", &rows, missing(1, 1)).await;
        let rows = with(&|rows| rows.truncate(650));
        city.check("the tail cut", &rows, missing(651, 700)).await;
        city.check("everything deleted", &[], missing(1, 700)).await;

        let rows = with(&|rows| {
            (rows[victim].seq, rows[victim + 1].seq) = (rows[victim + 1].seq, rows[victim].seq);
        });
        city.check("two swapped", &rows, altered(VICTIM, &rows))
            .await;
        let rows = with(&|rows| {
            let twin = rows[victim].clone();
            rows.insert(victim + 1, twin);
            (1..)
                .zip(rows.iter_mut())
                .for_each(|(seq, row)| row.seq = seq);
        });
        city.check("one slipped in", &rows, altered(VICTIM + 1, &rows))
            .await;
        // The chain made anew hides it from the chain, not from the trees.
        let rows = with(&|rows| {
            rows[victim].texts[0] = "nobody".into();
            chain_anew(rows, victim);
        });
        city.check("chained anew", &rows, altered(VICTIM, &rows))
            .await;
        let rows = with(&|rows| {
            rows.remove(victim);
            (1..)
                .zip(rows.iter_mut())
                .for_each(|(seq, row)| row.seq = seq);
            chain_anew(rows, victim);
        });
        city.check("deleted and chained anew", &rows, altered(VICTIM, &rows))
            .await;

        city.put(&city.rows).await;
        assert_eq!(city.verdict().await.faults, []);
    })
    .await;
}

/// Chain and trees made anew by somebody who has the whole database, with the program signing what
/// it finds: the checkpoint that a witness carried away says no.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_made_anew_from_the_ground_is_caught_by_an_old_checkpoint() {
    each_store(|store| async move {
        let city = City::new(store, Suite::National).await;
        for (victim, expect) in [(VICTIM, (1, 500)), (600, (501, 700))] {
            let mut rows = city.rows.clone();
            rows[victim as usize - 1].texts[0] = "nobody".into();
            chain_anew(&mut rows, victim as usize - 1);
            city.put(&rows).await;
            let mut tx = city.store.begin().await.unwrap();
            for table in ["audit_tree", "audit_tiles", "audit_checkpoints"] {
                let all = Query::delete().from_table(table).to_owned();
                tx.execute(&all).await.unwrap();
            }
            tx.commit().await.unwrap();
            // The running city knows what it signed and refuses.
            let refused = city.engine.checkpoint().await.unwrap_err();
            assert_eq!(refused.code, "audit.altered");
            // One started anew has forgotten, and signs.
            let blind = open(&city.store, &city.keys).await;
            let forged = blind.checkpoint().await.unwrap();
            assert_eq!(
                blind.verify().await.unwrap().damage,
                None,
                "from inside all is well"
            );

            let report = city.verdict().await;
            let (from, to) = expect;
            assert_eq!(report.faults, [Fault::Rewritten { from, to }]);
            let forged = note::open(&forged, &city.public).unwrap();
            let [old, _] = city.witnessed().try_into().unwrap();
            let proof = blind
                .consistency(WITNESSED as u64, COUNT as u64)
                .await
                .unwrap();
            let checked = proofs::consistency(&json!(proof), &old, &forged);
            assert_eq!(checked.is_err(), victim <= WITNESSED);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_hold_for_what_is_true_and_for_nothing_else() {
    for suite in [Suite::International, Suite::National] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::in_folder(dir.path()).await.unwrap();
        let city = City::new(store, suite).await;
        let other = public(&Keys::in_memory(suite, clock()).unwrap());
        for text in &city.notes {
            assert!(note::open(text, &city.public).is_ok());
            assert_eq!(note::open(text, &other), Err(note::Refusal::Unsigned));
            // Every character of the signed part counts.
            let body = text.find("\n\n").unwrap();
            for at in (0..body).filter(|at| text.is_char_boundary(*at)) {
                let mut wrong = text.clone().into_bytes();
                wrong[at] ^= 1;
                let wrong = String::from_utf8_lossy(&wrong).into_owned();
                assert!(note::open(&wrong, &city.public).is_err(), "{at}");
            }
        }
        for seq in [1, 2, 255, 256, 257, 500, 512, 513, 700] {
            for size in [None, Some(500)] {
                if size.is_some_and(|size| seq > size) {
                    continue;
                }
                let size = size.map(|size| size as u64);
                let proof = json!(city.engine.inclusion(seq, size).await.unwrap());
                let (entry, _) = proofs::inclusion(&proof, &city.public).unwrap();
                assert_eq!(entry.seq, seq as u64);
                assert!(proofs::inclusion(&proof, &other).is_err());
                for (name, value) in [
                    ("account", json!("nobody")),
                    ("details", json!("{}")),
                    ("seq", json!(seq % 700 + 1)),
                    ("at", json!(0)),
                ] {
                    let mut wrong = proof.clone();
                    wrong["entry"][name] = value;
                    assert!(proofs::inclusion(&wrong, &city.public).is_err(), "{name}");
                }
                for tree in ["sha256", "sm3"] {
                    let mut short = proof.clone();
                    short[tree].as_array_mut().unwrap().pop();
                    assert!(proofs::inclusion(&short, &city.public).is_err());
                    let mut wrong = proof.clone();
                    wrong[tree][0] = json!("00".repeat(32));
                    assert!(proofs::inclusion(&wrong, &city.public).is_err());
                }
            }
        }
        let [old, new] = city.witnessed().try_into().unwrap();
        let proof = json!(city.engine.consistency(500, 700).await.unwrap());
        proofs::consistency(&proof, &old, &new).unwrap();
        assert!(proofs::consistency(&proof, &new, &old).is_err());
        let mut wrong = proof.clone();
        wrong["sm3"][1] = wrong["sm3"][0].clone();
        assert!(proofs::consistency(&wrong, &old, &new).is_err());
        for garbage in [json!(null), json!([]), json!({"from": 500, "to": 700})] {
            assert!(proofs::consistency(&garbage, &old, &new).is_err());
            assert!(proofs::inclusion(&garbage, &city.public).is_err());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_it_and_ends_accordingly() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let city = City::new(store, Suite::National).await;
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let all = city.keys.public_keys(Ring::Audit).unwrap();
    let key = write("audit.pub", &crypto::pem(&all[0]));
    let run = |words: &[&str]| -> (i32, String) {
        let done = Command::new(env!("CARGO_BIN_EXE_jicheng-verify"))
            .args(["--key", &key])
            .args(words)
            .output()
            .unwrap();
        let text = [done.stdout, done.stderr].concat();
        (
            done.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    };
    let (old, new) = (write("old", &city.notes[0]), write("new", &city.notes[1]));
    let both = write("both", &city.notes.join("\n"));
    assert_eq!(run(&["checkpoint", &both]).0, 0);
    let proof: Value = json!(city.engine.inclusion(VICTIM, None).await.unwrap());
    let right = write("proof.json", &proof.to_string());
    assert_eq!(run(&["proof", &right]).0, 0);
    let wrong = write("wrong.json", &proof.to_string().replace("duty", "nobody"));
    assert_eq!(run(&["proof", &wrong]).0, 1);
    let grown = json!(city.engine.consistency(500, 700).await.unwrap());
    let grown = write("grown.json", &grown.to_string());
    assert_eq!(
        run(&["consistency", &grown, "--old", &old, "--new", &new]).0,
        0
    );
    assert_eq!(
        run(&["consistency", &grown, "--old", &new, "--new", &old]).0,
        1
    );

    let text = city.export().await;
    let whole = write("log.ndjson", &text);
    let (code, said) = run(&["log", &whole, "--checkpoints", &both]);
    assert!(code == 0 && said.contains("700"), "{said}");
    let forged = write(
        "forged.ndjson",
        &text.replacen("\"record 123\"", "\"record 321\"", 1),
    );
    let (code, said) = run(&["log", &forged, "--checkpoints", &both]);
    assert!(
        code == 1 && said.contains("entry 123 was altered"),
        "{said}"
    );
    let line = text.lines().nth(9).unwrap();
    let twice = write(
        "twice.ndjson",
        &text.replacen(line, &format!("{line}\n{line}"), 1),
    );
    let (code, said) = run(&["log", &twice, "--checkpoints", &both]);
    assert!(
        code == 1 && said.contains("entry 10 on line 11 was slipped in"),
        "{said}"
    );
    let rubbish = write("rubbish.ndjson", "{}\n[1]\nnot json\n");
    assert_eq!(run(&["log", &rubbish, "--checkpoints", &both]).0, 1);
    assert_eq!(run(&["log", "nowhere", "--checkpoints", &both]).0, 2);
    assert_eq!(run(&["checkpoint", &whole]).0, 1);
    assert_eq!(
        run(&["log", &whole]).0,
        2,
        "without a checkpoint it proves nothing"
    );
}
