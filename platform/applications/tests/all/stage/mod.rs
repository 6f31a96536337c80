//! The stage of the tests: small real items, an office with clerks, residents of area 130199, and
//! engines that remember what they were asked.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "helpers of tests and of the benchmark"
)]

mod cases;
mod items;
mod outside;

pub use cases::*;
pub use items::*;
pub use outside::*;

use applications::{
    Engine, Files, Letters, Means, NewLetter, Notices, People, Person, Recipient, WorkingDays,
};
use async_trait::async_trait;
use kernel::access::{Actor, Decision, Grant, Party, Standing as ActorStanding, Tie};
use kernel::applications::*;
use kernel::cases::*;
use kernel::crypto::{Crypto, PublicKey, Ring, Signature, Suite};
use kernel::events::EventKind;
use kernel::facts::{Attribute, Filter, Narrowing, Scalar};
use kernel::fault::{FaultKind, Problem};
use kernel::items::*;
use kernel::licences::{
    Change, Holder, HolderDocument, InPlace, Licence, Licences, NewLicence, Shown, ShownField, Use,
    Verification,
};
use kernel::numbers::{CitizenNumber, citizen_check, credit_check};
use kernel::parties::{DocumentKind, Identity, Parties, Standing};
use kernel::records::{Record, RecordChange, RecordPage, RecordQuery, Registers};
use kernel::time::DAY;
use kernel::{Clock, Facts, Fault, ManualClock, Policy, Span, Time, Verb, Words, new_id};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use store::Store;

pub fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

pub fn citizen(n: u32) -> String {
    let first = format!("13019919900101{n:03}");
    let check = citizen_check(&first).unwrap();
    format!("{first}{check}")
}

pub fn credit(n: u32) -> String {
    let first = format!("91130199{n:09}");
    let check = credit_check(&first).unwrap();
    format!("{first}{check}")
}

pub fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

pub fn code<T>(outcome: Result<T, Fault>) -> &'static str {
    outcome.err().map_or("no fault", |fault| fault.code)
}

/// Places of the faults of a refused input.
pub fn places<T>(outcome: Result<T, Fault>) -> Vec<String> {
    let fault = outcome.err().expect("a fault");
    fault.problems.into_iter().map(|p| p.at).collect()
}

/// A resident, proven on line.
pub fn resident(n: u32) -> Actor {
    Actor {
        account: format!("r{n}"),
        display: format!("居民{n}"),
        roles: vec!["resident".into()],
        standing: ActorStanding {
            person: Some(citizen(n)),
            proofing: 2,
            session: Some(format!("s{n}")),
            ..ActorStanding::default()
        },
        ..Actor::default()
    }
}

/// The same acting for somebody.
pub fn acting(n: u32, tie: Tie, party: &str) -> Actor {
    let mut actor = resident(n);
    actor.standing.acts_for = Some(Party {
        tie,
        party: party.into(),
        display: "示例餐饮有限公司".into(),
        document: format!("tie-{n}"),
    });
    actor
}

/// An officer of an organisation: `clerk` may read, write and handle, `reader` read only.
pub fn officer(account: &str, role: &str, organisation: &str) -> Actor {
    Actor {
        account: account.into(),
        display: format!("{account} 同志"),
        roles: vec![role.into()],
        organisation: Some(organisation.into()),
        standing: ActorStanding {
            organisations: vec![organisation.into()],
            scope: vec![organisation.to_string()].into(),
            session: Some(account.into()),
            ..ActorStanding::default()
        },
        ..Actor::default()
    }
}

pub fn clerk(account: &str) -> Actor {
    officer(account, "clerk", "market")
}

/// Policy of the office: what roles may, within the own organisation.
pub struct Office;

fn allows(actor: &Actor, verb: Verb, object: &str) -> bool {
    let verbs: &[Verb] = match actor.roles.first().map(String::as_str) {
        Some("clerk") => &[Verb::Read, Verb::Write, Verb::Handle],
        Some("reader") => &[Verb::Read],
        Some("operator") => &[Verb::Operate],
        _ => &[],
    };
    object == "service_applications" && verbs.contains(&verb)
}

fn allowed() -> Decision {
    Decision::Allowed {
        role: "clerk".into(),
        purpose: "受理申请".into(),
        basis: "《行政许可法》第三十二条".into(),
    }
}

impl Policy for Office {
    fn may(&self, actor: &Actor, verb: Verb, object: &str) -> Decision {
        match allows(actor, verb, object) {
            true => allowed(),
            false => Decision::denied(vec!["clerk".into()]),
        }
    }
    fn may_this(&self, actor: &Actor, verb: Verb, object: &str, facts: &Facts) -> Decision {
        let own = actor.organisation.is_some() && actor.organisation == facts.owner;
        match allows(actor, verb, object) && own {
            true => allowed(),
            false => Decision::denied(vec!["clerk".into()]),
        }
    }
    fn filter(&self, actor: &Actor, verb: Verb, object: &str) -> Filter {
        match (&actor.organisation, allows(actor, verb, object)) {
            (Some(own), true) => Filter::Where(Narrowing::OneOf(
                Attribute::Owner,
                vec![Scalar::Text(own.clone())],
            )),
            _ => Filter::Nothing,
        }
    }
}

/// Agents may handle licences only; an agent called `r9` may handle nothing any more.
pub struct FakeParties;

#[async_trait]
impl Parties for FakeParties {
    async fn standing(&self, _: &str, _: Option<&str>) -> Result<Standing, Fault> {
        Ok(Standing::default())
    }
    async fn demand_matter(&self, actor: &Actor, matter: &str) -> Result<(), Fault> {
        let agent = actor.standing.acts_for.as_ref();
        if agent.is_some_and(|party| party.tie == Tie::Agent) && matter != "licences" {
            let (zh, en) = ("超出授权", "beyond scope");
            return Err(Fault::new(
                FaultKind::Denied,
                "parties.beyond_scope",
                zh,
                en,
            ));
        }
        Ok(())
    }
}

pub struct FakePeople;

#[async_trait]
impl People for FakePeople {
    async fn person(&self, account: &str) -> Result<Option<Person>, Fault> {
        let Some(n) = account.strip_prefix('r').and_then(|n| n.parse().ok()) else {
            return Ok(None);
        };
        let number = citizen(n);
        Ok(Some(Person {
            identity: Identity {
                document: DocumentKind::CitizenNumber,
                birth: CitizenNumber::parse(&number).unwrap().birth(),
                number,
                name: "王小明".into(),
            },
            mobile: "13812345678".into(),
        }))
    }
    /// Numbers up to the 899th are known, all by one name.
    async fn is_named(&self, holder: &Holder) -> Result<Option<bool>, Fault> {
        let known = (0..900).any(|n| citizen(n) == holder.number);
        Ok(known.then(|| holder.name == "王小明"))
    }
}

/// Keys that know which of them is the newest.
#[derive(Default)]
pub struct Keys {
    inner: testkit::FakeCrypto,
    rotated: AtomicU32,
}

impl Keys {
    pub fn rotate(&self) {
        self.inner.rotate(Ring::Secrets);
        self.rotated.fetch_add(1, Ordering::SeqCst);
    }
    pub fn retire(&self) {
        self.inner.retire(Ring::Secrets);
    }
}

impl Crypto for Keys {
    fn suite(&self) -> Suite {
        self.inner.suite()
    }
    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        self.inner.digest(bytes)
    }
    fn sign(&self, ring: Ring, message: &[u8]) -> Result<Signature, Fault> {
        self.inner.sign(ring, message)
    }
    fn verify(&self, ring: Ring, message: &[u8], signature: &Signature) -> Result<bool, Fault> {
        self.inner.verify(ring, message, signature)
    }
    fn public_keys(&self, ring: Ring) -> Result<Vec<PublicKey>, Fault> {
        self.inner.public_keys(ring)
    }
    fn seal(&self, ring: Ring, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        self.inner.seal(ring, context, plain)
    }
    fn open(&self, ring: Ring, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        self.inner.open(ring, context, sealed)
    }
    fn is_current(&self, _: Ring, sealed: &[u8]) -> bool {
        let newest = 1 + self.rotated.load(Ordering::SeqCst);
        sealed.starts_with(&newest.to_be_bytes())
    }
}

/// Everything together.
pub struct House {
    pub engine: Arc<Engine>,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub items: Arc<FakeItems>,
    pub registers: Arc<FakeRegisters>,
    pub licences: Arc<FakeLicences>,
    pub outside: Arc<Outside>,
    pub cases: Arc<FakeCases>,
    pub crypto: Arc<Keys>,
}

/// A Wednesday.
pub const START: &str = "2026-11-25T10:00:00+08:00";

pub async fn house(store: &Store) -> House {
    let house = House {
        engine: blank(store).await,
        store: store.clone(),
        clock: Arc::new(ManualClock::new(at(START))),
        items: Arc::default(),
        registers: Arc::default(),
        licences: Arc::default(),
        outside: Arc::default(),
        cases: Arc::default(),
        crypto: Arc::default(),
    };
    house.items.publish("food", food());
    house.items.publish("card", simple("police", "address"));
    house.items.publish("social", simple("civil", "bank"));
    let mut instant = simple("civil", "reason");
    instant.instant = true;
    house.items.publish("instant", instant);
    let form = json!({
        "properties": {
            "address": { "type": "string" }, "bank": { "type": "string" },
            "child": { "type": "string" },
        },
        "required": ["child"],
    });
    let mut birth = content("hall", form);
    birth.process = None;
    birth.matter = "registration".into();
    birth.bundle = vec!["card".into(), "social".into()];
    birth.title = Words::new("新生儿出生一件事", "birth");
    house.items.publish("birth", birth);
    house.again().await
}

async fn blank(store: &Store) -> Arc<Engine> {
    let clock = Arc::new(ManualClock::new(at(START)));
    let outside: Arc<Outside> = Arc::default();
    let means = means(
        Arc::<Keys>::default(),
        Arc::default(),
        Arc::default(),
        Arc::default(),
        outside,
        clock.clone(),
    );
    Engine::open(store.clone(), clock, means).await.unwrap()
}

fn means(
    crypto: Arc<dyn Crypto>,
    items: Arc<FakeItems>,
    registers: Arc<FakeRegisters>,
    licences: Arc<FakeLicences>,
    outside: Arc<Outside>,
    clock: Arc<ManualClock>,
) -> Means {
    Means {
        crypto,
        parties: Arc::new(FakeParties),
        people: Arc::new(FakePeople),
        policy: Arc::new(Office),
        items,
        registers,
        licences,
        letters: outside.clone(),
        notices: outside.clone(),
        files: outside,
        days: Arc::new(Weekdays(clock)),
        pseudonym: Arc::new(|number: &str| Some(format!("p{}", &number[14..]))),
        register_title: Arc::new(|register: &str| {
            (register == "shops").then(|| Words::new("门店登记簿", "Shops"))
        }),
        offices: Arc::new(FakeOffices),
    }
}

/// Four offices, and one (`old`) whose work went to the market office.
pub struct FakeOffices;

impl applications::Offices for FakeOffices {
    fn number_word(&self, code: &str) -> Option<String> {
        let known = ["market", "police", "civil", "hall"].contains(&code);
        known.then(|| code.to_owned())
    }
    fn title(&self, code: &str) -> Option<Words> {
        self.number_word(code)
            .map(|word| Words::new(word.clone(), word))
    }
    fn successor(&self, code: &str) -> Option<String> {
        (code == "old").then(|| "market".into())
    }
    fn predecessors(&self, code: &str) -> Vec<String> {
        match code {
            "market" => vec!["old".into()],
            _ => vec![],
        }
    }
}

impl House {
    /// The same house after a restart.
    pub async fn again(self) -> House {
        let means = means(
            self.crypto.clone(),
            self.items.clone(),
            self.registers.clone(),
            self.licences.clone(),
            self.outside.clone(),
            self.clock.clone(),
        );
        let engine = Engine::open(self.store.clone(), self.clock.clone(), means);
        let engine = engine.await.unwrap();
        engine.set_cases(self.cases.clone());
        House { engine, ..self }
    }

    /// Numbers of everything in the audit log, as text.
    pub async fn audit(&self) -> Vec<store::audit::AuditRow> {
        let filter = store::audit::AuditFilter::default();
        self.store.audit().list(&filter).await.unwrap()
    }

    pub fn file(&self, id: &str) -> FileLine {
        FileLine {
            id: id.into(),
            name: format!("{id}.pdf"),
            media: "application/pdf".into(),
            bytes: 1_000,
            at: self.clock.now(),
        }
    }

    /// A complete draft of the food permit.
    pub async fn food_draft(&self, n: u32) -> Draft {
        let by = resident(n);
        let engine = &self.engine;
        let draft = engine.begin(&by, new_draft("food")).await.unwrap();
        for material in ["lease", "plan", "health"] {
            let file = self.file(&format!("{material}-{n}"));
            let noted = engine.note_file(&by, &draft.id, material, file, false);
            noted.await.unwrap();
        }
        engine
            .save(&by, &draft.id, None, food_answers())
            .await
            .unwrap()
    }

    /// The food permit handed in.
    pub async fn food(&self, n: u32) -> Receipt {
        let draft = self.food_draft(n).await;
        assert_eq!(draft.problems, [], "the draft is complete");
        self.engine.submit(&resident(n), &draft.id).await.unwrap()
    }

    /// A case says that something happened to it.
    pub async fn happens(&self, case: &str, what: &str) {
        let mut tx = self.store.begin().await.unwrap();
        let body = json!({ "case": case, "number": "", "what": what }).to_string();
        let kind = EventKind::Case;
        store::events::append(&mut tx, at(START), kind, case, body.as_bytes())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Every case waits for a hearing.
    pub fn hearing(&self) {
        self.cases.pauses.lock().unwrap().push(Pause {
            from: at(START),
            to: None,
            kind: PauseKind::Hearing,
            basis: "《行政许可法》第四十五条".into(),
            note: String::new(),
            by: "x".into(),
        });
    }

    /// Accepted, with its case begun.
    pub async fn accepted(&self, n: u32) -> Application {
        let receipt = self.food(n).await;
        let verb = Clerk::Accept {
            note: String::new(),
        };
        let id = &receipt.application.id;
        self.engine
            .handle(&clerk("li"), id, None, verb)
            .await
            .unwrap()
    }

    /// Decided by its process.
    pub async fn decided(&self, n: u32, approved: bool) -> Application {
        let application = self.accepted(n).await;
        let input = object(json!({
            "application": { "id": application.id }, "case": format!("case-{}", application.id),
            "approved": approved, "reason": "材料齐全、符合条件", "basis": "《食品安全法》第三十五条",
        }));
        let key = format!("decide-{n}");
        let served = self.engine.serve("applications.decide", &key, &input);
        assert!(matches!(served.await.unwrap(), Served::Done(_)));
        self.one(&application.id).await
    }

    /// An application as its clerk sees it.
    pub async fn one(&self, id: &str) -> Application {
        let file = self.engine.application(&clerk("li"), id).await;
        file.unwrap().application
    }
}

pub fn new_draft(item: &str) -> NewDraft {
    NewDraft {
        item: item.into(),
        ..NewDraft::default()
    }
}

pub fn food_answers() -> DraftChange {
    DraftChange {
        answers: object(json!({ "premises": "示例路1号", "kitchen": false })),
        step: Some("done".into()),
        delivery: Some(WantedDelivery {
            way: DeliveryWay::Counter,
            address: None,
        }),
        following: None,
    }
}

pub fn behalf(n: u32) -> Behalf {
    Behalf {
        holder: Holder {
            document: HolderDocument::CitizenNumber,
            number: citizen(n),
            name: "王小明".into(),
        },
        mobile: "13812345678".into(),
        seen: "身份证原件".into(),
    }
}

/// A random identification, for names that must not clash.
pub fn some_id() -> String {
    new_id(Time(1))
}

pub fn granted(mut actor: Actor) -> Actor {
    actor.grant = Grant {
        purpose: "受理申请".into(),
        basis: "依法".into(),
    };
    actor
}
