//! The stage of the tests: small real items, an office with clerks, residents of area 130199, and
//! engines that remember what they were asked.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "helpers of tests and of the benchmark"
)]

use applications::{
    Engine, Files, Letters, Means, NewLetter, Notices, People, Person, Recipient, WorkingDays,
};
use async_trait::async_trait;
use kernel::access::{Actor, Decision, Grant, Party, Standing as ActorStanding, Tie};
use kernel::applications::*;
use kernel::cases::*;
use kernel::crypto::{Crypto, PublicKey, Ring, Signature, Suite};
use kernel::facts::{Attribute, Filter, Narrowing, Scalar};
use kernel::fault::{FaultKind, Problem};
use kernel::items::*;
use kernel::licences::{
    Change, Holder, HolderDocument, Licence, Licences, NewLicence, Shown, ShownField, Use,
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
    object == "applications" && verbs.contains(&verb)
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
}

/// Items whose forms know `type`, `required`, `x-personal`, `x-prefill`, `x-when`.
#[derive(Default)]
pub struct FakeItems(pub Mutex<BTreeMap<String, Vec<Arc<Item>>>>);

impl FakeItems {
    pub fn publish(&self, name: &str, content: ItemContent) {
        let mut items = self.0.lock().unwrap();
        let versions = items.entry(name.into()).or_default();
        versions.push(Arc::new(Item {
            item: name.into(),
            version: versions.len() as i64 + 1,
            state: ItemState::InForce,
            published_at: None,
            published_by: None,
            note: String::new(),
            successors: vec![],
            content,
        }));
    }
    pub fn set_state(&self, name: &str, state: ItemState) {
        let mut items = self.0.lock().unwrap();
        let versions = items.get_mut(name).unwrap();
        let last = versions.last_mut().unwrap();
        *last = Arc::new(Item {
            state,
            ..(**last).clone()
        });
    }
    pub fn newest(&self, name: &str) -> Arc<Item> {
        self.0.lock().unwrap()[name].last().unwrap().clone()
    }
}

fn fields(item: &Item) -> Map<String, Value> {
    let fields = item.content.form["properties"].as_object();
    fields.cloned().unwrap_or_default()
}

fn holds(when: &[When], answers: &Map<String, Value>) -> bool {
    let one = |when: &When| {
        answers
            .get(&when.field)
            .is_some_and(|v| when.is.contains(v))
    };
    when.iter().all(one)
}

fn fits(field: &Value, value: &Value) -> bool {
    match field["type"].as_str() {
        Some("string") => value
            .as_str()
            .is_some_and(|t| !t.is_empty() && t.len() < 200),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    }
}

fn wrong(field: &str, zh: &str) -> Problem {
    Problem {
        at: format!("/answers/{field}"),
        words: Words::new(zh, zh),
    }
}

#[async_trait]
impl Items for FakeItems {
    async fn items(&self, _: Option<&Actor>, filter: &ItemFilter) -> Result<ItemPage, Fault> {
        let items = self.0.lock().unwrap();
        let line = |item: &Arc<Item>| ItemLine {
            item: item.item.clone(),
            version: item.version,
            state: item.state,
            title: item.content.title.clone(),
            summary: Words::default(),
            kind: item.content.kind,
            organisation: item.content.organisation.clone(),
            serves: item.content.serves,
            subjects: vec![],
            channels: item.content.channels.clone(),
            promised: item.content.promised,
            visits: item.content.visits,
            instant: item.content.instant,
            bundle: item.content.bundle.clone(),
            changed: false,
        };
        let all: Vec<ItemLine> = items.values().map(|v| line(v.last().unwrap())).collect();
        let after = filter.after.clone().unwrap_or_default();
        let count = all.len() as i64;
        let left: Vec<ItemLine> = all.into_iter().filter(|l| l.item > after).collect();
        // Two to a page, so that the engine turns pages.
        let rows: Vec<ItemLine> = left.iter().take(2).cloned().collect();
        let next = (left.len() > rows.len()).then(|| rows.last().unwrap().item.clone());
        Ok(ItemPage { rows, next, count })
    }
    async fn item(&self, item: &str, version: Option<i64>) -> Result<Arc<Item>, Fault> {
        let items = self.0.lock().unwrap();
        let versions = items.get(item);
        let found = versions.and_then(|versions| match version {
            Some(version) => versions.get(usize::try_from(version - 1).ok()?),
            None => versions.last(),
        });
        found.cloned().ok_or_else(|| Fault::missing("item"))
    }
    async fn versions(&self, _: &str) -> Result<Vec<Item>, Fault> {
        Ok(vec![])
    }
    async fn check(&self, _: &ItemContent) -> Vec<Problem> {
        vec![]
    }
    async fn save(
        &self,
        _: &Actor,
        _: &str,
        _: Option<&str>,
        _: &Value,
    ) -> Result<WorkingCopy, Fault> {
        Err(Fault::missing("item"))
    }
    async fn working_copy(&self, _: &Actor, _: &str) -> Result<WorkingCopy, Fault> {
        Err(Fault::missing("item"))
    }
    async fn rule(&self, _: &Actor, _: &str, _: ItemVerb) -> Result<Item, Fault> {
        Err(Fault::missing("item"))
    }
    fn asked(&self, item: &Item, answers: &Map<String, Value>) -> Vec<String> {
        let shown = |field: &Value| {
            let when = &field["x-when"];
            let asked = when["field"]
                .as_str()
                .map(|name| answers.get(name) == Some(&when["is"]));
            asked.unwrap_or(true)
        };
        let fields = fields(item);
        fields
            .iter()
            .filter(|(_, field)| shown(field))
            .map(|(name, _)| name.clone())
            .collect()
    }
    fn judge(&self, item: &Item, answers: &Map<String, Value>, whole: bool) -> Vec<Problem> {
        let asked = self.asked(item, answers);
        let known = fields(item);
        let mut problems = vec![];
        for (name, value) in answers {
            match known.get(name).filter(|_| asked.contains(name)) {
                None => problems.push(wrong(name, "没有问这一项")),
                Some(field) if !fits(field, value) => problems.push(wrong(name, "格式不对")),
                Some(_) => {}
            }
        }
        let required = item.content.form["required"].as_array();
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            let lacks = asked.iter().any(|a| a == name) && !answers.contains_key(name);
            if whole && lacks {
                problems.push(wrong(name, "必填"));
            }
        }
        problems
    }
    fn judge_desk(&self, _: &Item, _: &str, _: &Map<String, Value>) -> Vec<Problem> {
        vec![]
    }
    fn materials(&self, item: &Item, answers: &Map<String, Value>) -> Vec<Material> {
        let all = item.content.materials.iter();
        all.filter(|m| holds(&m.when, answers)).cloned().collect()
    }
    fn fees(&self, item: &Item, answers: &Map<String, Value>) -> Vec<Fee> {
        let all = item.content.fees.iter();
        all.filter(|f| holds(&f.when, answers)).cloned().collect()
    }
    fn prefills(&self, item: &Item) -> Vec<(String, String)> {
        let fields = fields(item);
        let path = |field: &Value| field["x-prefill"].as_str().map(String::from);
        fields
            .iter()
            .filter_map(|(name, field)| Some((name.clone(), path(field)?)))
            .collect()
    }
    fn personal(&self, item: &Item) -> Vec<String> {
        let fields = fields(item);
        fields
            .iter()
            .filter(|(_, field)| field["x-personal"] == true)
            .map(|(name, _)| name.clone())
            .collect()
    }
    fn carry_over(&self, _: &Item, to: &Item, answers: &Map<String, Value>) -> CarriedOver {
        let known = fields(to);
        let mut carried = CarriedOver::default();
        for (name, value) in answers {
            if known.contains_key(name) {
                carried.answers.insert(name.clone(), value.clone());
            } else {
                carried.left_over.insert(name.clone(), value.clone());
                carried.changes.push(wrong(name, "不再需要"));
            }
        }
        carried
    }
}

fn material(name: &str, required: bool) -> Material {
    Material {
        name: name.into(),
        title: Words::new(name, name),
        required,
        may_follow: false,
        when: vec![],
        sources: vec![],
        formats: vec![],
        most: None,
        note: None,
    }
}

pub fn content(organisation: &str, form: Value) -> ItemContent {
    ItemContent {
        title: Words::new("食品经营许可", "Food business permit"),
        summary: Words::default(),
        catalogue_code: "000000000000".into(),
        task_code: "1".repeat(31),
        kind: ItemType::Permit,
        level: Level::County,
        organisation: organisation.into(),
        serves: Serves::Either,
        keywords: vec![],
        subjects: vec![],
        basis: vec!["《食品安全法》第三十五条".into()],
        conditions: vec![],
        instant: false,
        statutory: Limit::parse("20 working days").unwrap(),
        promised: Limit::parse("10 working days").unwrap(),
        channels: vec![
            Channel::Web,
            Channel::Phone,
            Channel::Counter,
            Channel::Hotline,
        ],
        visits: 1,
        delivery: vec![DeliveryWay::Electronic],
        fees: vec![],
        place: Words::default(),
        contact: Words::default(),
        matter: "licences".into(),
        proofing: 2,
        process: Some("food".into()),
        bundle: vec![],
        form,
        desk_forms: BTreeMap::new(),
        materials: vec![],
        guidance: vec![],
        outcome: Outcome {
            title: Words::default(),
            licence: Some("food_permit".into()),
            fields: BTreeMap::from([("premises".into(), "form.premises".into())]),
            holder: None,
        },
        letters: BTreeMap::new(),
        questions: vec![],
    }
}

/// The food permit: three materials, a fee, every way of delivery.
pub fn food() -> ItemContent {
    let form = json!({
        "properties": {
            "premises": { "type": "string" },
            "area": { "type": "integer" },
            "kitchen": { "type": "boolean" },
            "chef": { "type": "string", "x-personal": true, "x-when": { "field": "kitchen", "is": true } },
            "number": { "type": "string", "x-personal": true, "x-prefill": "person.number" },
            "phone": { "type": "string", "x-personal": true, "x-prefill": "person.mobile" },
            "shop": { "type": "string", "x-prefill": "register.shops.name" },
            "grade": { "type": "string", "x-prefill": "licence.health_card.grade" },
        },
        "required": ["premises", "kitchen", "chef", "phone"],
    });
    let mut content = content("market", form);
    let plan = Material {
        may_follow: true,
        ..material("plan", true)
    };
    let health = Material {
        sources: vec![
            Source::Register {
                register: "health".into(),
                key: "form.premises".into(),
            },
            Source::Licence {
                kind: "health_card".into(),
            },
        ],
        ..material("health", true)
    };
    let photo = Material {
        when: vec![When {
            field: "kitchen".into(),
            is: vec![true.into()],
        }],
        formats: vec!["jpeg".into()],
        most: Some(1),
        ..material("photo", false)
    };
    content.materials = vec![material("lease", true), plan, health, photo];
    content.delivery = vec![
        DeliveryWay::Counter,
        DeliveryWay::Post,
        DeliveryWay::Electronic,
    ];
    content.fees = vec![Fee {
        title: Words::new("许可证工本费", "fee"),
        fen: 5_000,
        basis: "示例".into(),
        when: vec![],
    }];
    content
}

pub fn simple(organisation: &str, field: &str) -> ItemContent {
    let form = json!({
        "properties": { field: { "type": "string" }, "child": { "type": "string" } },
        "required": [field],
    });
    let mut content = content(organisation, form);
    content.matter = "registration".into();
    content
}

/// Registers with one shop, and what else a test puts there.
#[derive(Default)]
pub struct FakeRegisters(pub Mutex<BTreeMap<(String, String), Map<String, Value>>>);

#[async_trait]
impl Registers for FakeRegisters {
    async fn get(
        &self,
        register: &str,
        key: &str,
        _: Option<Time>,
        _: Option<Time>,
    ) -> Result<Option<Record>, Fault> {
        let known = self.0.lock().unwrap();
        let fields = known.get(&(register.to_string(), key.to_string()));
        Ok(fields.map(|fields| Record {
            register: register.into(),
            key: key.into(),
            fields: fields.clone(),
            valid_from: Time(0),
            valid_to: None,
            recorded_at: Time(0),
            superseded_at: None,
            version: 1,
            by: "x".into(),
            reason: None,
        }))
    }
    async fn list(&self, _: &str, _: &RecordQuery) -> Result<RecordPage, Fault> {
        Err(Fault::missing("register"))
    }
    async fn history(&self, _: &str, _: &str) -> Result<Vec<Record>, Fault> {
        Ok(vec![])
    }
    async fn apply(&self, _: &Actor, _: Vec<RecordChange>) -> Result<Vec<Record>, Fault> {
        Err(Fault::missing("register"))
    }
    fn cached(&self, _: &str, _: &str) -> Option<Arc<Record>> {
        None
    }
    fn cached_all(&self, _: &str) -> Vec<Arc<Record>> {
        vec![]
    }
}

/// Licences: who holds a health card, and what was issued.
#[derive(Default)]
pub struct FakeLicences {
    pub cards: Mutex<BTreeSet<String>>,
    pub issued: Mutex<BTreeMap<String, NewLicence>>,
    pub consulted: Mutex<Vec<(String, String)>>,
}

#[async_trait]
impl Licences for FakeLicences {
    async fn issue(&self, _: &Actor, new: &[NewLicence]) -> Result<Vec<Licence>, Fault> {
        let mut issued = self.issued.lock().unwrap();
        let new = new[0].clone();
        issued.insert(new.source.clone(), new.clone());
        let grade = kernel::licences::Grade::A;
        Ok(vec![Licence {
            identifier: format!("1.2.156.{}", new.source),
            kind: new.kind,
            title: Words::default(),
            number: "1".into(),
            holder: new.holder,
            fields: new.fields,
            issuer: Words::default(),
            issuer_code: String::new(),
            issued_at: Time(0),
            valid_from: Time(0),
            valid_to: None,
            grade,
            state: kernel::licences::State::InForce,
            state_code: "01".into(),
            reason: None,
            replaces: None,
            replaced_by: None,
            version: 1,
        }])
    }
    async fn reissue(&self, _: &Actor, _: &str, _: &NewLicence) -> Result<Licence, Fault> {
        Err(Fault::missing("licence"))
    }
    async fn change(&self, _: &Actor, _: &str, _: &Change) -> Result<Licence, Fault> {
        Err(Fault::missing("licence"))
    }
    async fn held(&self, holder: &Holder, kind: &str) -> Result<Vec<String>, Fault> {
        let has = kind == "health_card" && self.cards.lock().unwrap().contains(&holder.number);
        Ok(if has { vec!["card-1".into()] } else { vec![] })
    }
    async fn consult(
        &self,
        actor: &Actor,
        identifier: &str,
        fields: &[String],
    ) -> Result<Verification, Fault> {
        let grant = &actor.grant;
        assert!(!grant.purpose.is_empty() && !grant.basis.is_empty());
        let used = (identifier.to_string(), grant.purpose.clone());
        self.consulted.lock().unwrap().push(used);
        Ok(Verification {
            verdict: kernel::licences::Verdict::Valid,
            words: Words::default(),
            as_of: Time(0),
            identifier: Some(identifier.into()),
            title: Some(Words::new("健康证", "health card")),
            issuer: None,
            grade: None,
            valid_from: None,
            valid_to: None,
            fields: vec![ShownField {
                name: fields[0].clone(),
                title: Words::default(),
                value: "A级".into(),
            }],
            watermark: Words::default(),
        })
    }
    async fn verify(&self, _: &Actor, _: &Shown, _: &Use) -> Result<Verification, Fault> {
        Err(Fault::missing("licence"))
    }
}

/// What was asked of letters, messages and files.
#[derive(Default)]
pub struct Outside {
    pub letters: Mutex<BTreeMap<String, NewLetter>>,
    pub notices: Mutex<BTreeMap<String, (String, String)>>,
    pub handed_in: Mutex<BTreeSet<String>>,
    pub forgotten: Mutex<BTreeSet<String>>,
    pub broken: AtomicBool,
}

#[async_trait]
impl Letters for Outside {
    async fn make(&self, letter: &NewLetter) -> Result<LetterLine, Fault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Fault::overloaded("letters", 1));
        }
        let mut letters = self.letters.lock().unwrap();
        let count = letters.len();
        letters.entry(letter.key.clone()).or_insert(letter.clone());
        Ok(LetterLine {
            kind: letter.kind.clone(),
            number: format!("冀城受〔2026〕{}号", count + 1),
            file: Some(format!("file-of-{}", letter.key)),
            at: Time(1),
        })
    }
}

#[async_trait]
impl Notices for Outside {
    async fn tell(
        &self,
        to: &Recipient,
        what: &str,
        _: &Map<String, Value>,
        once: &str,
    ) -> Result<(), Fault> {
        let mut notices = self.notices.lock().unwrap();
        notices.insert(once.into(), (what.into(), to.mobile.clone()));
        Ok(())
    }
}

#[async_trait]
impl Files for Outside {
    async fn hand_in(&self, files: &[String]) -> Result<(), Fault> {
        self.handed_in.lock().unwrap().extend(files.iter().cloned());
        Ok(())
    }
    async fn forget(&self, about: &str) -> Result<(), Fault> {
        self.forgotten.lock().unwrap().insert(about.into());
        Ok(())
    }
}

/// Monday to Friday, no holidays.
pub struct Weekdays(pub Arc<ManualClock>);

#[async_trait]
impl WorkingDays for Weekdays {
    async fn add(&self, from: Time, limit: Limit) -> Result<Left, Fault> {
        let mut day = from.floor(Span::days(1)).0;
        let mut left = limit.days;
        while left > 0 {
            day += DAY;
            let since_thursday = (day + 8 * 3_600_000_000).div_euclid(DAY);
            let weekday = (since_thursday + 3).rem_euclid(7);
            left -= u32::from(limit.count == Count::CalendarDays || weekday < 5);
        }
        self.until(Time(day + DAY), limit, self.0.now()).await
    }
}

/// Cases that remember.
#[derive(Default)]
pub struct FakeCases {
    pub started: Mutex<BTreeMap<String, (NewCase, String)>>,
    pub starts: Mutex<u32>,
    pub cancelled: Mutex<Vec<String>>,
    pub messages: Mutex<Vec<Message>>,
    pub pauses: Mutex<Vec<Pause>>,
    /// Account that has a task of a case.
    pub tasks: Mutex<Vec<(String, String)>>,
    pub broken: AtomicBool,
    pub due: Mutex<Option<Left>>,
}

impl FakeCases {
    fn case_of(&self, new: &NewCase, id: &str) -> Case {
        Case {
            id: id.into(),
            number: new.number.clone().unwrap_or_default(),
            process: new.process.clone(),
            version: 1,
            title: new.title.clone(),
            organisation: new.organisation.clone(),
            state: CaseState::Running,
            error: None,
            started_by: "system".into(),
            started_at: Time(0),
            ended_at: None,
            parent: None,
            stuck: 0,
            statutory: None,
            promised: *self.due.lock().unwrap(),
            revision: 1,
        }
    }
    pub fn data(&self, application: &str) -> Map<String, Value> {
        self.started.lock().unwrap()[application].0.data.clone()
    }
}

fn none<T>() -> Result<T, Fault> {
    Err(Fault::missing("case"))
}

#[async_trait]
impl Cases for FakeCases {
    async fn publish(&self, _: &Actor, _: &str, _: &str) -> Result<Vec<Process>, Fault> {
        none()
    }
    async fn processes(&self) -> Result<Vec<Process>, Fault> {
        none()
    }
    async fn versions(&self, _: &str) -> Result<Vec<Process>, Fault> {
        none()
    }
    async fn drawing(&self, _: &str, _: Option<i64>) -> Result<String, Fault> {
        none()
    }
    async fn migrate(&self, _: &Actor, _: &Migration) -> Result<Vec<Migrated>, Fault> {
        none()
    }
    async fn start(&self, by: &Actor, new: NewCase) -> Result<Case, Fault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Fault::overloaded("cases", 1));
        }
        assert_eq!(by.account, "system");
        *self.starts.lock().unwrap() += 1;
        let once = new.once.clone().unwrap();
        let mut started = self.started.lock().unwrap();
        let fresh = || (new.clone(), format!("case-{once}"));
        let (kept, id) = started.entry(once.clone()).or_insert_with(fresh).clone();
        assert_eq!(kept, new, "the same key for the same case");
        Ok(self.case_of(&new, &id))
    }
    async fn case(&self, _: &Actor, case: &str) -> Result<CaseFile, Fault> {
        let started = self.started.lock().unwrap();
        let found = started.values().find(|(_, id)| id == case);
        let (new, id) = found.ok_or_else(|| Fault::missing("case"))?;
        Ok(CaseFile {
            case: self.case_of(new, id),
            data: Map::new(),
            marks: vec![],
            passed: vec![],
            tasks: vec![],
            pauses: self.pauses.lock().unwrap().clone(),
        })
    }
    async fn history(&self, _: &Actor, _: &str, _: i64, _: usize) -> Result<Vec<Entry>, Fault> {
        none()
    }
    async fn cases(&self, _: &Actor, _: &CaseFilter) -> Result<CasePage, Fault> {
        none()
    }
    async fn rule(
        &self,
        _: &Actor,
        case: &str,
        _: Option<i64>,
        verb: CaseVerb,
    ) -> Result<Case, Fault> {
        assert!(matches!(verb, CaseVerb::Cancel { .. }));
        self.cancelled.lock().unwrap().push(case.into());
        Ok(self.case_of(&NewCase::default(), case))
    }
    async fn inbox(&self, by: &Actor, _: &InboxFilter) -> Result<Inbox, Fault> {
        let tasks = self.tasks.lock().unwrap();
        let mine = tasks.iter().filter(|(account, _)| *account == by.account);
        let rows: Vec<Task> = mine.map(|(account, case)| task(account, case)).collect();
        Ok(Inbox {
            count: rows.len() as i64,
            rows,
            next: None,
        })
    }
    async fn task(&self, _: &Actor, _: &str) -> Result<(Task, Map<String, Value>), Fault> {
        none()
    }
    async fn act(&self, _: &Actor, _: &str, _: Option<i64>, _: TaskVerb) -> Result<Acted, Fault> {
        none()
    }
    async fn message(&self, _: &Actor, message: Message) -> Result<Correlated, Fault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Fault::missing("case"));
        }
        self.messages.lock().unwrap().push(message);
        Ok(Correlated {
            case: String::new(),
            began: false,
        })
    }
    async fn signal(&self, _: &Actor, _: &str, _: Map<String, Value>) -> Result<(), Fault> {
        none()
    }
    async fn set_aside(&self, _: &Actor, _: usize) -> Result<Vec<SetAside>, Fault> {
        none()
    }
    async fn try_again(&self, _: &Actor, _: &str) -> Result<(), Fault> {
        none()
    }
    async fn calendar(&self, _: i16) -> Result<Vec<CalendarDay>, Fault> {
        none()
    }
    async fn set_calendar(
        &self,
        _: &Actor,
        _: i16,
        _: Vec<CalendarDay>,
        _: bool,
    ) -> Result<Vec<Moved>, Fault> {
        none()
    }
}

fn task(account: &str, case: &str) -> Task {
    Task {
        id: format!("{case}-1"),
        case: case.into(),
        number: String::new(),
        title: String::new(),
        process: "food".into(),
        node: "t".into(),
        name: "t".into(),
        kind: TaskKind::Task,
        state: TaskState::Open,
        assignee: Some(account.into()),
        owner: None,
        roles: vec![],
        organisation: None,
        parent: None,
        form: None,
        opened_at: Time(0),
        claimed_at: None,
        ended_at: None,
        ended_by: None,
        left: None,
        urged: 0,
        revision: 1,
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
        organisation: Arc::new(|code: &str| ["market", "police", "civil", "hall"].contains(&code)),
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
            "application": { "id": application.id },
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
