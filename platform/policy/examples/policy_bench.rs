//! Benchmark: decisions with 10,000 members and 500 policies, and a list of 100,000 records
//! narrowed by them on SQLite. The peer of decisions is the lookup of roles this engine replaced,
//! which knows no records and no conditions; of lists, the same list without a policy.
//!
//! `cargo run --release -p policy --example policy_bench`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use kernel::access::{Actor, Policy, Standing, Verb};
use kernel::declare::{Declared, RoleDecl, check};
use kernel::facts::{Facts, Filter};
use kernel::records::{RecordChange, RecordQuery, Registers};
use kernel::{ManualClock, Time};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROLES: usize = 100;
const ORGANISATIONS: usize = 1000;
const MEMBERS: usize = 10_000;
const RECORDS: usize = 100_000;
const QUESTIONS: usize = 200_000;
const PLAIN: [&str; 4] = ["alerts", "devices", "system", "reports"];

/// The same sequence on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

/// A hundred roles of five grants: three plain, one narrowed to the organisations below one's own,
/// one with a second factor; and a hundred statements of a Cedar file instead of every sixth grant.
fn city() -> Declared {
    let mut roles = String::from("roles:\n");
    let mut cedar = String::new();
    for role in 0..ROLES {
        let say = |text: &mut String, grant: &str| {
            writeln!(
                text,
                "      - {{{grant}, purpose: 目的{role}, basis: 法第{role}条}}"
            )
            .unwrap();
        };
        writeln!(
            roles,
            "  r{role}:\n    title: {{zh: 角{role}, en: R{role}}}\n    may:"
        )
        .unwrap();
        say(
            &mut roles,
            &format!("do: [read], on: [{}]", PLAIN[role % 4]),
        );
        say(
            &mut roles,
            &format!("do: [handle], on: [{}]", PLAIN[(role + 1) % 4]),
        );
        say(
            &mut roles,
            "do: [read, export], on: [register.site], scope: subordinate",
        );
        say(
            &mut roles,
            &format!(
                "do: [operate], on: [{}], second_factor: true",
                PLAIN[(role + 2) % 4]
            ),
        );
        writeln!(
            cedar,
            "@purpose(\"巡查\") @basis(\"法\") permit (principal in Role::\"r{role}\", action == Action::\"read\", \
             resource is register::site) when {{ resource.fields has size && resource.fields.size < {} }};",
            role % 20
        )
        .unwrap();
    }
    let text = |name: &str, more: &str| {
        format!(
            r#""{name}": {{"type": "string", "title": "{name}", "x-title-en": "{name}"{more}}}"#
        )
    };
    let index = r#", "x-index": true"#;
    let schema = format!(
        r#"{{"title": "site", "x-title-en": "Site", "x-owner": "o0", "x-key": "code", "x-access": {{"owner": "org"}},
        "type": "object", "additionalProperties": false, "required": ["code"], "properties": {{ {}, {}, {},
        "size": {{"type": "integer", "title": "size", "x-title-en": "size", "x-index": true}} }} }}"#,
        text("code", ""),
        text("org", index),
        text("name", index),
    );
    let mut organisations = String::from("organisations:\n  o0: {title: {zh: 市, en: City}}\n");
    for n in 1..ORGANISATIONS {
        writeln!(
            organisations,
            "  o{n}: {{title: {{zh: 局{n}, en: Office {n}}}, parent: o{}}}",
            (n - 1) / 10
        )
        .unwrap();
    }
    let files: BTreeMap<String, String> = [
        (
            "cities/c/city.yaml",
            "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n".to_string(),
        ),
        ("cities/c/organisations.yaml", organisations),
        (
            "systems/s/system.yaml",
            "title: {zh: 系统, en: System}\nowner: o0\nuses: [registers]\nmaturity: draft\n".into(),
        ),
        ("systems/s/access/roles.yaml", roles),
        ("systems/s/access/sites.cedar", cedar),
        ("systems/s/registers/site.schema.json", schema),
    ]
    .map(|(k, v)| (k.to_string(), v))
    .into();
    check::load(&files).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn members(dice: &mut Dice) -> Vec<Actor> {
    let below = |n: usize| -> Vec<String> {
        let mut all = vec![n];
        let mut at = 0;
        while at < all.len() {
            let first = all[at] * 10 + 1;
            all.extend((first..first + 10).filter(|c| *c < ORGANISATIONS));
            at += 1;
        }
        all.into_iter().map(|n| format!("o{n}")).collect()
    };
    (0..MEMBERS)
        .map(|n| {
            let home = dice.below(ORGANISATIONS);
            let roles = (0..1 + dice.below(3)).map(|_| format!("r{}", dice.below(ROLES)));
            Actor {
                account: format!("member{n}"),
                display: format!("成员{n}"),
                roles: roles.collect(),
                organisation: Some(format!("o{home}")),
                standing: Standing {
                    organisations: vec![format!("o{home}")],
                    scope: below(home).into(),
                    proofing: (n % 4) as u8,
                    factors: vec!["pwd".into(), if n % 2 == 0 { "otp" } else { "pwd" }.into()],
                    ..Standing::default()
                },
                ..Actor::default()
            }
        })
        .collect()
}

/// The policy of before: roles looked up, grants gone through.
struct Plain(Vec<RoleDecl>);

impl Plain {
    fn may(&self, actor: &Actor, verb: Verb, object: &str) -> bool {
        self.0.iter().any(|role| {
            actor.roles.contains(&role.name)
                && role
                    .may
                    .iter()
                    .any(|g| g.verbs.contains(&verb) && g.objects.iter().any(|o| o == object))
        })
    }
}

fn report(what: &str, mut took: Vec<Duration>) -> Duration {
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!(
        "{what:58} n={:6} p50={:9.1?} p99={:9.1?} p99.9={:9.1?} max={:9.1?}",
        took.len(),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
    at(0.5)
}

fn timed(mut ask: impl FnMut(usize) -> bool) -> (Vec<Duration>, usize) {
    let (mut took, mut yes) = (Vec::with_capacity(QUESTIONS), 0);
    for n in 0..QUESTIONS {
        let start = Instant::now();
        let answer = ask(n);
        took.push(start.elapsed());
        yes += usize::from(answer);
    }
    (took, yes)
}

fn decisions(town: &Declared, people: &[Actor], dice: &mut Dice) {
    let clock = Arc::new(ManualClock::new(Time(1_700_000_000_000_000)));
    let engine = policy::Engine::new(clock, town).unwrap();
    let plain = Plain(town.roles());
    let verbs = [Verb::Read, Verb::Handle, Verb::Operate];
    let asked: Vec<(usize, Verb, &str)> = (0..QUESTIONS)
        .map(|_| {
            (
                dice.below(MEMBERS),
                verbs[dice.below(3)],
                PLAIN[dice.below(4)],
            )
        })
        .collect();
    let site = town.register("site").unwrap();
    let records: Vec<Facts> = (0..1000)
        .map(|n| {
            let fields = serde_json::json!({"code": format!("s{n}"), "org": format!("o{}", dice.below(ORGANISATIONS)), "size": n % 20});
            Facts::of_fields(site, &format!("s{n}"), fields.as_object().unwrap())
        })
        .collect();
    println!(
        "policies: {} lines of the matrix, members: {}",
        engine.matrix().len(),
        people.len()
    );
    let (took, yes) = timed(|n| {
        let (who, verb, object) = asked[n];
        plain.may(&people[who], verb, object)
    });
    println!("  {yes} allowed");
    let peer = report("peer: roles looked up, kind only", took);
    for round in [
        "first round (everybody new)",
        "second round (everybody known)",
    ] {
        let (took, yes) = timed(|n| {
            let (who, verb, object) = asked[n];
            engine.may(&people[who], verb, object).allowed()
        });
        println!("  {yes} allowed");
        let mine = report(&format!("may, {round}"), took);
        println!(
            "  ratio to the peer (p50): {:.1}",
            mine.as_secs_f64() / peer.as_secs_f64()
        );
    }
    let clock = Arc::new(ManualClock::new(Time(1_700_000_000_000_000)));
    let engine = policy::Engine::new(clock, town).unwrap();
    for round in [
        "first round (everybody new)",
        "second round (everybody known)",
    ] {
        let (took, yes) = timed(|n| {
            let facts = &records[(n * 7) % records.len()];
            engine
                .may_this(&people[asked[n].0], Verb::Read, "register.site", facts)
                .allowed()
        });
        println!("  {yes} allowed");
        report(
            &format!("may_this, two conditions on the record, {round}"),
            took,
        );
    }
}

async fn lists(town: Declared, people: &[Actor], dice: &mut Dice) {
    let folder = tempfile::tempdir().unwrap();
    let store = store::Store::in_folder(folder.path()).await.unwrap();
    let clock = Arc::new(ManualClock::new(Time(1_700_000_000_000_000)));
    let engine = policy::Engine::new(clock.clone(), &town).unwrap();
    let registers = registers::Engine::open(store.clone(), clock, Arc::new(town))
        .await
        .unwrap();
    let start = Instant::now();
    for part in 0..RECORDS / 1000 {
        let changes = (0..1000).map(|n| {
            let key = format!("s{:06}", part * 1000 + n);
            let fields = serde_json::json!({"code": key, "org": format!("o{}", dice.below(ORGANISATIONS)), "name": "点", "size": dice.below(20)});
            RecordChange {
                register: "site".into(),
                fields: fields.as_object().cloned(),
                key,
                valid_from: None,
                expect_version: None,
                reason: None,
            }
        });
        registers
            .apply(&Actor::system(), changes.collect())
            .await
            .unwrap();
    }
    println!("{RECORDS} records written in {:.1?}", start.elapsed());
    let (mut filtered, mut narrowed, mut whole, mut shown) = (vec![], vec![], vec![], 0);
    for _ in 0..200 {
        let who = &people[dice.below(people.len())];
        let start = Instant::now();
        let filter = engine.filter(who, Verb::Read, "register.site");
        filtered.push(start.elapsed());
        let Filter::Where(narrowing) = filter else {
            panic!("{filter:?}")
        };
        let mut query = RecordQuery {
            narrowed: Some(narrowing),
            ..RecordQuery::default()
        };
        let page = registers.list("site", &query).await.unwrap();
        narrowed.push(start.elapsed());
        shown += page.total;
        query.narrowed = None;
        let start = Instant::now();
        registers.list("site", &query).await.unwrap();
        whole.push(start.elapsed());
    }
    println!(
        "  {} of {RECORDS} records within reach on average",
        shown / 200
    );
    let p95 = |mut took: Vec<Duration>, what: &str| {
        took.sort();
        println!(
            "{what:58} p50={:9.1?} p95={:9.1?} max={:9.1?}",
            took[100], took[190], took[199]
        );
        took[190]
    };
    p95(filtered, "filter: policies left over as a condition");
    let mine = p95(
        narrowed,
        "list of 100,000 narrowed: filter, total and first page",
    );
    let peer = p95(whole, "peer: the same list without a policy");
    println!(
        "  ratio to the peer (p95): {:.2}",
        mine.as_secs_f64() / peer.as_secs_f64()
    );
    store.close().await;
}

#[tokio::main]
async fn main() {
    let town = city();
    let mut dice = Dice(20_261_125);
    let people = members(&mut dice);
    decisions(&town, &people, &mut dice);
    lists(town, &people, &mut dice).await;
}
