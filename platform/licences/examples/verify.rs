//! How many verifications a second: each opens the licence from SQLite, checks its signature, looks
//! at where it stands, and is answered only when its use is on the disk. In the same run the limit,
//! bare verifications of that signature on as many threads, and a peer that verifies the same
//! SD-JWT VC (PyPI `sd-jwt`, when Python has it: `pip install sd-jwt`).
//!
//!     cargo run --release -p licences --example verify [seconds]

use async_trait::async_trait;
use crypto::Engine as Keys;
use kernel::access::{Actor, Standing as ActorStanding};
use kernel::clock::{Clock, SystemClock};
use kernel::crypto::{Crypto, Ring, Signature, Suite};
use kernel::declare::check::load;
use kernel::licences::{Holder, HolderDocument, Licences, NewLicence, Shown, Use, Verdict};
use kernel::numbers::citizen_check;
use kernel::parties::{Parties, Standing};
use kernel::{Fault, Words};
use licences::{Engine, Means, NewPresentation, Settings};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use store::Store;

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const THREADS: usize = 2;
/// Verifications under way at once.
const AT_ONCE: usize = 128;
const LICENCES: usize = 2000;
/// Codes of each licence.
const CODES: usize = 10;
const TYPE: &str = "code: 11130199000000019E002
title: {zh: 网约车驾驶员证, en: Ride-hailing driver permit}
issuer: transport
holder: natural
basis: 基准测试
fields:
  vehicle_class: {title: {zh: 准驾车型, en: Class}, required: true}
public: [vehicle_class]
";

struct Anybody;

#[async_trait]
impl Parties for Anybody {
    async fn standing(&self, _: &str, _: Option<&str>) -> Result<Standing, Fault> {
        Ok(Standing::default())
    }
    async fn demand_matter(&self, _: &Actor, _: &str) -> Result<(), Fault> {
        Ok(())
    }
}

fn citizen(serial: usize) -> String {
    let head = format!("130199{}0101{:03}", 1990 + serial / 1000, serial % 1000);
    let check = citizen_check(&head).unwrap_or('0');
    format!("{head}{check}")
}

fn driver(serial: usize) -> NewLicence {
    NewLicence {
        kind: "driver_permit".into(),
        source: format!("bench/{serial}"),
        holder: Holder {
            document: HolderDocument::CitizenNumber,
            number: citizen(serial),
            name: "李明".into(),
        },
        fields: json!({ "vehicle_class": "C1" })
            .as_object()
            .cloned()
            .unwrap_or_default(),
        number: None,
        serial: None,
        issued_on: None,
        valid_from: None,
        valid_to: None,
        grade: None,
    }
}

fn holder(serial: usize) -> Actor {
    Actor {
        account: format!("r-{serial}"),
        standing: ActorStanding {
            person: Some(citizen(serial)),
            proofing: 2,
            ..ActorStanding::default()
        },
        ..Actor::default()
    }
}

async fn engine(store: &Store, keys: Arc<Keys>) -> Result<Arc<Engine>, Fault> {
    let files = [
        (
            "cities/c/city.yaml",
            "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n",
        ),
        (
            "cities/c/organisations.yaml",
            "organisations:\n  transport: {title: {zh: 交通运输局, en: Transport bureau}, credit_code: 11130199000000019E}\n",
        ),
        ("cities/c/licences/driver_permit.yaml", TYPE),
    ];
    let files: BTreeMap<String, String> = files.map(|(k, v)| (k.to_string(), v.to_string())).into();
    let declared = load(&files).map_err(Fault::invalid)?;
    let means = Means {
        crypto: keys,
        parties: Arc::new(Anybody),
        offices: Arc::new(|code| Some(format!("局 {code}"))),
        pseudonym: Arc::new(|number| Some(format!("person-{}", &number[10..17]))),
        types: kernel::licences::types(&declared),
        settings: Settings {
            issuer: "https://city.example".into(),
            name: Words::new("示例城", "Example city"),
            identifiers: Default::default(),
            state_codes: Default::default(),
        },
    };
    Engine::open(store.clone(), Arc::new(SystemClock), means).await
}

/// What was measured.
struct Measured {
    /// A second.
    rate: f64,
    /// CPU microseconds each, of all threads: two cores to themselves give two million of them a
    /// second, whatever else the machine does meanwhile.
    cpu_us: f64,
    /// The slowest of a hundred, milliseconds.
    p99_ms: f64,
}

impl Measured {
    fn print(&self, what: &str, more: &str) {
        let p99 = match self.p99_ms > 0.0 {
            true => format!("p99 {:>6.1} ms", self.p99_ms),
            false => String::new(),
        };
        println!(
            "  {what:<34} {:>7.0}/s  CPU {:>4.0} µs each = {:>6.0}/s on two free cores  {p99} {more}",
            self.rate,
            self.cpu_us,
            2e6 / self.cpu_us
        );
    }
}

/// A code for a licence, as its holder shows it.
async fn code(engine: Arc<Engine>, me: Actor, identifier: String) -> Result<Shown, Fault> {
    let new = NewPresentation {
        seconds: Some(120),
        ..NewPresentation::default()
    };
    let token = engine.present(&me, &identifier, &new).await?.token;
    Ok(Shown::Token { token })
}

/// Verifies what is shown: each once, or all in turn for so long.
async fn load_it(engine: &Arc<Engine>, shown: Vec<Shown>, span: Option<Duration>) -> Measured {
    let next = Arc::new(AtomicUsize::new(0));
    let shown = Arc::new(shown);
    let (start, cpu) = (Instant::now(), cpu_s());
    let workers = (0..AT_ONCE).map(|_| {
        let (engine, shown, next) = (engine.clone(), shown.clone(), next.clone());
        tokio::spawn(async move {
            let why = Use {
                verifier: "示例超市".into(),
                purpose: "核对从业资格".into(),
                basis: String::new(),
            };
            let mut waits = vec![];
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let over = match span {
                    Some(span) => start.elapsed() >= span,
                    None => n >= shown.len(),
                };
                let Some(one) = shown.get(n % shown.len()).filter(|_| !over) else {
                    return waits;
                };
                let begun = Instant::now();
                let found = engine.verify(&Actor::default(), one, &why).await;
                let valid = found.is_ok_and(|found| found.verdict == Verdict::Valid);
                assert!(valid, "a licence was not valid");
                waits.push(begun.elapsed());
            }
        })
    });
    let mut waits = vec![];
    for worker in workers.collect::<Vec<_>>() {
        waits.extend(worker.await.unwrap_or_default());
    }
    waits.sort();
    let p99 = waits.get(waits.len() * 99 / 100).copied();
    Measured {
        rate: waits.len() as f64 / start.elapsed().as_secs_f64(),
        cpu_us: (cpu_s() - cpu) * 1e6 / waits.len() as f64,
        p99_ms: p99.unwrap_or_default().as_secs_f64() * 1000.0,
    }
}

/// CPU seconds this process has used, user and system (Linux).
fn cpu_s() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = text.rsplit(')').next().unwrap_or_default();
    let mut fields = rest
        .split_whitespace()
        .skip(11)
        .map(|n| n.parse::<f64>().unwrap_or(0.0));
    // Ticks of a hundredth of a second.
    (fields.next().unwrap_or(0.0) + fields.next().unwrap_or(0.0)) / 100.0
}

/// Bare verifications of one signature on so many threads, a second.
fn bare(keys: &Arc<Keys>, message: &[u8], signature: &Signature, span: Duration) -> Measured {
    let (start, cpu) = (Instant::now(), cpu_s());
    let count: u64 = std::thread::scope(|scope| {
        let count = || {
            let mut count = 0;
            while start.elapsed() < span {
                let sound = keys.verify(Ring::Seal, message, signature);
                assert!(sound.unwrap_or(false), "a signature was not sound");
                count += 1;
            }
            count
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(count)).collect();
        threads.into_iter().map(|t| t.join().unwrap_or(0)).sum()
    });
    Measured {
        rate: count as f64 / start.elapsed().as_secs_f64(),
        cpu_us: (cpu_s() - cpu) * 1e6 / count as f64,
        p99_ms: 0.0,
    }
}

/// The peer: PyPI `sd-jwt` verifying the same documents in two processes; `None` when Python lacks
/// it. No store, no status, no log.
fn peer(document: &str, key: &Value, span: Duration) -> Option<Measured> {
    let script = r#"
import json, sys, time
from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier
task = json.load(sys.stdin)
key = JWK.from_json(json.dumps(task["key"]))
count, start, cpu = 0, time.monotonic(), time.process_time()
while time.monotonic() - start < task["seconds"]:
    payload = SDJWTVerifier(task["document"], lambda issuer, header: key).get_verified_payload()
    assert payload["vehicle_class"] == "C1"
    count += 1
print(count / (time.monotonic() - start), (time.process_time() - cpu) * 1e6 / count)
"#;
    let task = json!({ "document": document, "key": key, "seconds": span.as_secs_f64() });
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let start = || {
        let mut child = Command::new(&python)
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        child
            .stdin
            .take()?
            .write_all(task.to_string().as_bytes())
            .ok()?;
        Some(child)
    };
    let running: Vec<_> = (0..THREADS).map(|_| start()).collect();
    let mut all = Measured {
        rate: 0.0,
        cpu_us: 0.0,
        p99_ms: 0.0,
    };
    for child in running {
        let output = child?.wait_with_output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (rate, cpu_us) = text.trim().split_once(' ')?;
        all.rate += rate.parse::<f64>().ok()?;
        all.cpu_us += cpu_us.parse::<f64>().ok()? / THREADS as f64;
    }
    Some(all)
}

async fn run(suite: Suite, span: Duration) -> Result<(), Fault> {
    let dir = tempfile::tempdir().map_err(|e| Fault::internal("making a folder", e))?;
    let store = Store::in_folder(dir.path()).await?;
    let keys = Keys::in_memory(suite, Arc::new(SystemClock))?;
    let engine = engine(&store, keys.clone()).await?;
    let issuing = Instant::now();
    let mut issued = vec![];
    for some in (0..LICENCES).collect::<Vec<_>>().chunks(500) {
        let new: Vec<NewLicence> = some.iter().map(|n| driver(*n)).collect();
        issued.extend(engine.issue(&Actor::system(), &new).await?);
    }
    let rate = LICENCES as f64 / issuing.elapsed().as_secs_f64();
    println!(
        "{}: {LICENCES} licences issued in batches of 500, {rate:.0}/s",
        suite.word()
    );
    let (mut documents, mut codes) = (vec![], vec![]);
    for (n, licence) in issued.iter().enumerate() {
        let me = holder(n);
        documents.push(engine.document(&me, &licence.identifier, &[]).await?);
        // They are good for two minutes: made at once.
        let mut made = tokio::task::JoinSet::new();
        for _ in 0..CODES {
            made.spawn(code(engine.clone(), me.clone(), licence.identifier.clone()));
        }
        for code in made.join_all().await {
            codes.push(code?);
        }
    }
    let document = documents.first().cloned().unwrap_or_default();
    let by_name = issued.iter().map(|licence| Shown::Identifier {
        identifier: licence.identifier.clone(),
        name: "李明".into(),
    });
    let shown = documents.into_iter().map(|document| Shown::Document {
        document,
        audience: None,
        nonce: None,
    });
    let each = load_it(&engine, codes, None).await;
    each.print("by code (each used up)", "");
    let each = load_it(&engine, by_name.collect(), Some(span)).await;
    each.print("by identifier and name", "");
    let each = load_it(&engine, shown.collect(), Some(span)).await;
    each.print("by signed document", "");
    let message = vec![b'x'; 900];
    let signature = keys.sign(Ring::Seal, &message)?;
    let each = bare(&keys, &message, &signature, span);
    each.print("limit: bare signature, two threads", "");
    if suite == Suite::International {
        let jwks = engine.jwt_vc_issuer()?;
        match peer(&document, &jwks["jwks"]["keys"][0], span) {
            Some(each) => each.print("peer: PyPI sd-jwt, two processes", "(no store, no log)"),
            None => println!("  peer: PyPI sd-jwt is not installed (pip install sd-jwt)"),
        }
    }
    let verdict = store.audit().verify().await?;
    println!("  {} audit entries, chain checked", verdict.checked);
    assert_eq!(verdict.damage, None);
    store.close().await;
    Ok(())
}

fn main() -> Result<(), Fault> {
    let seconds = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(5);
    let now = SystemClock.now();
    println!(
        "{} {THREADS} threads, {AT_ONCE} at once, {seconds} s each",
        now.rfc3339()
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(|e| Fault::internal("starting", e))?;
    for suite in [Suite::International, Suite::National] {
        runtime.block_on(run(suite, Duration::from_secs(seconds)))?;
    }
    Ok(())
}
