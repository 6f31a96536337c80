//! What is delivered: the processes of the systems are read, lead to a decision whatever way a case
//! takes, and are run with the decision tables that stand beside them. Functions are played by hand.

use crate::house::{Rules, admin, at, object, officer};
use async_trait::async_trait;
use cases::bpmn::{Assignment, NodeKind, Process, TaskKind, read};
use cases::{Engine, Means, Tuning};
use kernel::cases::{
    CaseFile, CaseState, CaseVerb, Cases, Count, Expressions, InboxFilter, Light, Limit, Message,
    NewCase, PauseKind, Served, Services, TaskVerb,
};
use kernel::decisions::{Decisions, Expressions as Feel, NewModel, ReadyModel};
use kernel::declare::check;
use kernel::{Fault, ManualClock};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use store::Store;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files below a folder of the checkout, by path.
fn gather(folder: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            gather(&path, files);
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            files.insert(path, text);
        }
    }
}

/// Every declaration of every system and of the city.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    gather("systems", &mut files);
    gather("cities", &mut files);
    let code = |path: &str| {
        path.contains("/src/") || path.contains("/tests/") || path.ends_with("Cargo.toml")
    };
    files.retain(|path, _| !code(path));
    files
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap();
    name.split('.').next().unwrap()
}

/// The declared processes, by name.
fn drawings() -> Vec<(String, String)> {
    let found = files()
        .into_iter()
        .filter(|(path, _)| path.ends_with(".bpmn"));
    found
        .map(|(path, text)| (stem(&path).to_string(), text))
        .collect()
}

fn process(name: &str, xml: &str) -> Process {
    let model = read(name, xml).unwrap_or_else(|faults| panic!("{faults:#?}"));
    model.processes.into_values().next().unwrap()
}

fn assignments(process: &Process) -> impl Iterator<Item = (&str, &Assignment)> {
    process.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Task(TaskKind::User(said) | TaskKind::Manual(said)) => {
            Some((node.id.as_str(), said))
        }
        _ => None,
    })
}

#[test]
fn every_declaration_is_sound() {
    let declared = check::load(&files()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert!(declared.items().count() >= 12, "items");
}

#[test]
fn every_process_is_read_drawn_and_known_to_whom() {
    let declared = check::load(&files()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let roles = declared.roles();
    let drawings = drawings();
    assert!(drawings.len() >= 12);
    for (name, xml) in &drawings {
        let process = process(name, xml);
        assert_eq!(&process.id, name, "a process is called as its file");
        for node in &process.nodes {
            let shape = format!("bpmnElement=\"{}\"", node.id);
            assert!(xml.contains(&shape), "{name}: {} is not drawn", node.id);
        }
        for (node, said) in assignments(&process) {
            let at = format!("{name}: {node}");
            assert!(
                !said.roles.is_empty(),
                "{at} is offered to nobody in particular"
            );
            for role in &said.roles {
                assert!(
                    roles.iter().any(|r| r.name == *role),
                    "{at}: no role {role}"
                );
            }
            let literal = said
                .organisation
                .as_deref()
                .and_then(|o| o.strip_prefix('"'));
            if let Some(code) = literal.map(|o| o.trim_end_matches('"')) {
                let known = declared.city.organisations.iter().any(|o| o.code == code);
                assert!(known, "{at}: no organisation {code}");
            }
            let due = said.due.as_deref().and_then(Limit::parse);
            assert!(due.is_some(), "{at}: how long there is");
            assert!(said.form.is_some(), "{at}: which form");
        }
    }
}

/// Functions of the program, as the contract of routes and services lists them.
const FUNCTIONS: &[&str] = &[
    "applications.decide",
    "applications.licence",
    "applications.note",
    "applications.bill",
    "cases.pause",
    "cases.unpause",
    "licences.issue",
];

#[test]
fn no_case_ends_without_a_decision() {
    for (name, xml) in drawings() {
        let process = process(&name, &xml);
        let is = |at: usize, function: &str| matches!(&process.nodes[at].kind, NodeKind::Task(TaskKind::Service(f)) if f == function);
        // Where one can get to without going through the decision.
        let mut seen = vec![false; process.nodes.len()];
        let mut next = process.entries(None);
        while let Some(at) = next.pop() {
            if std::mem::replace(&mut seen[at], true) || is(at, "applications.decide") {
                continue;
            }
            let node = &process.nodes[at];
            assert!(
                !node.outgoing.is_empty(),
                "{name}: {} ends undecided",
                node.id
            );
            next.extend(node.outgoing.iter().map(|flow| process.flows[*flow].target));
        }
        for node in &process.nodes {
            if let NodeKind::Task(TaskKind::Service(function)) = &node.kind {
                assert!(FUNCTIONS.contains(&function.as_str()), "{name}: {function}");
            }
        }
    }
}

#[test]
fn every_task_has_the_form_it_names_and_every_table_stands_beside() {
    let files = files();
    let declared = check::load(&files).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let drawings: BTreeMap<String, String> = drawings().into_iter().collect();
    let mut used = vec![];
    for file in declared.items() {
        let (path, text) = (&file.file, &file.text);
        let content =
            kernel::declare::yaml::parse(text).unwrap_or_else(|e| panic!("{path}: {e:?}"));
        let content: kernel::items::ItemContent =
            serde_json::from_value(content.json()).unwrap_or_else(|e| panic!("{path}: {e}"));
        let Some(name) = &content.process else {
            assert!(
                content.bundle.len() >= 2,
                "{path}: neither a process nor a bundle"
            );
            for part in &content.bundle {
                assert!(files.contains_key(&format!("systems/services/items/{part}.yaml")));
            }
            continue;
        };
        let xml = drawings
            .get(name)
            .unwrap_or_else(|| panic!("{path}: no process {name}"));
        let process = process(name, xml);
        used.push(name.clone());
        for (node, said) in assignments(&process) {
            let form = said.form.as_deref().unwrap_or_default();
            assert!(
                content.desk_forms.contains_key(form),
                "{path}: no form {form} of {node}"
            );
        }
        let forms: Vec<&str> = assignments(&process)
            .filter_map(|(_, a)| a.form.as_deref())
            .collect();
        for form in content.desk_forms.keys() {
            assert!(
                forms.contains(&form.as_str()),
                "{path}: nobody asks for the form {form}"
            );
        }
        let issues = process.nodes.iter().any(|node| {
            matches!(&node.kind, NodeKind::Task(TaskKind::Service(f)) if f == "applications.licence")
        });
        assert_eq!(
            issues,
            content.outcome.licence.is_some(),
            "{path}: is a licence issued?"
        );
        for node in &process.nodes {
            if let NodeKind::Task(TaskKind::Rule { decision, .. }) = &node.kind {
                let model = decision.split(':').next().unwrap();
                let file = format!("systems/services/decisions/{model}.dmn");
                assert!(files.contains_key(&file), "{name}: no {file}");
            }
        }
        // What somebody promised is enough for the longest way of tasks that the clock counts.
        assert!(content.promised.days <= content.statutory.days, "{path}");
    }
    for name in drawings.keys() {
        assert!(used.contains(name), "no item is decided by {name}");
    }
}

/// FEEL and the declared decisions, as the program has them.
struct Words {
    feel: decisions::FeelExpressions,
    ready: HashMap<String, Arc<dyn ReadyModel>>,
}

impl Words {
    async fn open(store: &Store, clock: Arc<ManualClock>) -> Words {
        let engine = decisions::Engine::open(store.clone(), clock).unwrap();
        let mut ready = HashMap::new();
        for (path, xml) in files()
            .into_iter()
            .filter(|(path, _)| path.ends_with(".dmn"))
        {
            let model = stem(&path).to_string();
            let new = NewModel {
                model: model.clone(),
                xml,
                note: path.clone(),
                after_version: None,
            };
            let published = engine.publish(&kernel::Actor::system(), &new).await;
            published.unwrap_or_else(|fault| panic!("{path}: {fault} {:?}", fault.problems));
            ready.insert(model.clone(), engine.ready(&model, None).await.unwrap());
        }
        Words {
            feel: engine.expressions(),
            ready,
        }
    }
}

impl Expressions for Words {
    fn evaluate(&self, expression: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        Ok(self.feel.evaluate(expression, variables)?.value)
    }
    fn decide(&self, decision: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        let (model, decision) = decision.split_once(':').unwrap();
        let model = &self.ready[model];
        let asked = model.shape().inputs.iter();
        let input = asked.filter_map(|i| Some((i.name.clone(), variables.get(&i.name)?.clone())));
        Ok(model.decide(decision, &input.collect())?.result)
    }
}

/// The functions of the program: what was decided, licensed and billed, and the clocks stopped.
#[derive(Default)]
struct Program {
    engine: OnceLock<Arc<Engine>>,
    done: Mutex<Vec<(String, Map<String, Value>)>>,
}

#[async_trait]
impl Services for Program {
    async fn call(&self, name: &str, _: &str, input: Map<String, Value>) -> Result<Served, Fault> {
        let case = input["application"]["number"].as_str().unwrap().to_string();
        let mut answer = Map::new();
        let verb = match name {
            "cases.pause" => Some(CaseVerb::Pause {
                kind: serde_json::from_value::<PauseKind>(input["kind"].clone()).unwrap(),
                basis: input["basis"].as_str().unwrap().into(),
                note: String::new(),
            }),
            "cases.unpause" => Some(CaseVerb::Unpause),
            "applications.licence" => {
                answer.insert("licence_identifier".into(), json!("1.2.156"));
                None
            }
            _ => None,
        };
        if let Some(verb) = verb {
            let engine = self.engine.get().unwrap();
            engine.rule(&admin(), &case, None, verb).await?;
        }
        self.done.lock().unwrap().push((name.into(), input));
        Ok(Served::Done(answer))
    }
}

/// A city with the delivered processes.
struct City {
    engine: Arc<Engine>,
    clock: Arc<ManualClock>,
    program: Arc<Program>,
    _folder: tempfile::TempDir,
}

impl City {
    async fn open() -> City {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_folder(folder.path()).await.unwrap();
        // A Wednesday.
        let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
        let program = Arc::new(Program::default());
        let means = Means {
            expressions: Arc::new(Words::open(&store, clock.clone()).await),
            services: program.clone(),
            policy: Arc::new(Rules),
        };
        let engine = Engine::open(store, clock.clone(), means, Tuning::default());
        let engine = engine.await.unwrap();
        program.engine.set(engine.clone()).ok().unwrap();
        for (name, xml) in drawings() {
            let published = engine.publish(&admin(), &name, &xml).await;
            published.unwrap_or_else(|fault| panic!("{name}: {fault} {:?}", fault.problems));
        }
        City {
            engine,
            clock,
            program,
            _folder: folder,
        }
    }

    /// An application is accepted: its case begins.
    async fn accept(&self, process: &str, number: &str, form: Value) -> String {
        let days = |days| Limit {
            days,
            count: Count::WorkingDays,
        };
        let application =
            json!({"id": format!("A-{number}"), "number": number, "item": process, "form": form});
        let new = NewCase {
            process: process.into(),
            number: Some(number.into()),
            organisation: Some("planning_bureau".into()),
            data: object(json!({ "application": application })),
            statutory: Some(days(20)),
            promised: Some(days(12)),
            ..NewCase::default()
        };
        let case = self.engine.start(&admin(), new).await.unwrap();
        self.engine.settle().await.unwrap();
        case.id
    }

    /// Somebody of a role and an organisation does the one task of the case they are offered.
    async fn does(&self, case: &str, who: &str, node: &str, data: Value) {
        let (role, organisation) = who.split_once('@').unwrap();
        let actor = officer(&format!("{role}_{organisation}"), organisation, role);
        let inbox = self
            .engine
            .inbox(&actor, &InboxFilter::default())
            .await
            .unwrap();
        let mut of_case = inbox.rows.iter().filter(|task| task.case == case);
        let task = of_case
            .next()
            .unwrap_or_else(|| panic!("{who} has nothing to do at {node}"));
        assert_eq!(task.node, node, "{who}");
        assert!(of_case.next().is_none(), "{who} has one task only");
        let data = object(data);
        let done = self
            .engine
            .act(&actor, &task.id, None, TaskVerb::Complete { data })
            .await;
        done.unwrap_or_else(|fault| panic!("{node}: {fault}"));
        self.engine.settle().await.unwrap();
    }

    async fn file(&self, case: &str) -> CaseFile {
        self.engine.case(&admin(), case).await.unwrap()
    }

    /// The case ended as decided; answers what the function of that name was given.
    async fn ended(&self, case: &str) -> Map<String, Value> {
        let file = self.file(case).await;
        assert_eq!(file.case.state, CaseState::Completed, "{:?}", file.marks);
        let done = self.program.done.lock().unwrap();
        let of_case = |(name, input): &&(String, Map<String, Value>)| {
            name == "applications.decide" && input["application"]["number"] == file.case.number
        };
        let decided: Vec<_> = done.iter().filter(of_case).collect();
        assert_eq!(decided.len(), 1, "one decision");
        decided[0].1.clone()
    }

    fn called(&self, function: &str) -> usize {
        let done = self.program.done.lock().unwrap();
        done.iter().filter(|(name, _)| name == function).count()
    }

    fn go_to(&self, moment: &str) {
        self.clock.set(at(moment));
    }
}

fn tower() -> Value {
    json!({
        "height": 60, "area": 20000, "underground": true, "near_water": false,
        "vehicle_entrance": true,
    })
}

/// Everybody asked agrees, and the planner puts it on display.
async fn reviewed(city: &City, case: &str) {
    let opinion = json!({"agreed": true, "note": "同意"});
    for bureau in ["planning_bureau", "housing_bureau", "civil_defence_office"] {
        let who = format!("joint_reviewer@{bureau}");
        city.does(case, &who, "joint_review", opinion.clone()).await;
    }
    // The case waits for the last of them.
    assert_eq!(city.file(case).await.tasks.len(), 1);
    let who = "joint_reviewer@transport_bureau";
    city.does(case, who, "joint_review", opinion).await;
    let opinions = city.file(case).await.data["opinions"].clone();
    assert_eq!(opinions.as_array().unwrap().len(), 4);
    assert_eq!(
        opinions[1],
        json!({
            "organisation": "housing_bureau", "subject": "消防设计", "agreed": true, "note": "同意",
        })
    );
    let planner = "planning_reviewer@planning_bureau";
    city.does(case, planner, "summarise", json!({"displayable": true}))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tower_is_reviewed_displayed_heard_and_permitted() {
    let city = City::open().await;
    let case = city
        .accept("construction_planning_permit", "G1", tower())
        .await;
    let due = |file: &CaseFile| file.case.promised.unwrap().due;
    let end = |day: &str| at(&format!("{day}T00:00:00+08:00")) + kernel::Span::days(1);
    assert_eq!(due(&city.file(&case).await), end("2026-12-11"));
    // Nobody else is asked: there is no water near.
    let water = officer("w", "water_bureau", "joint_reviewer");
    let inbox = city
        .engine
        .inbox(&water, &InboxFilter::default())
        .await
        .unwrap();
    assert_eq!(inbox.count, 0);

    city.go_to("2026-11-27T10:00:00+08:00");
    reviewed(&city, &case).await;
    let file = city.file(&case).await;
    assert_eq!(file.pauses[0].kind, PauseKind::Display);
    assert_eq!(file.case.promised.unwrap().light, Light::Paused);
    assert!(file.pauses[0].basis.contains("第四十五条"));

    // Ten working days on display, then eight until the hearing was held: none of them counts.
    city.go_to("2026-12-11T10:00:00+08:00");
    let planner = "planning_reviewer@planning_bureau";
    let found = json!({"objections": 7, "hearing": true, "hearing_reason": "asked"});
    city.does(&case, planner, "display", found).await;
    let file = city.file(&case).await;
    assert_eq!(file.pauses.len(), 2);
    assert_eq!(file.pauses[1].kind, PauseKind::Hearing);
    assert!(file.pauses[0].to.is_some() && file.pauses[1].to.is_none());
    city.go_to("2026-12-23T10:00:00+08:00");
    city.does(
        &case,
        planner,
        "hold_hearing",
        json!({"hearing_record": "笔录"}),
    )
    .await;
    let file = city.file(&case).await;
    let left = file.case.promised.unwrap();
    // Two of twelve days were used before; ten remain after Wednesday, 23 December.
    assert_eq!((left.days, left.due), (10, end("2027-01-06")), "{left:?}");
    assert_eq!(left.light, Light::Green);
    // The calendar of 2027 is not known here.
    assert!(left.provisional);

    let approver = "permit_approver@planning_bureau";
    city.does(&case, approver, "approve", json!({"approved": true}))
        .await;
    let decided = city.ended(&case).await;
    assert_eq!(decided["approved"], true);
    assert!(decided["basis"].as_str().unwrap().contains("城乡规划法"));
    assert!(decided["reason"].as_str().unwrap().contains("会审同意"));
    assert_eq!(city.called("applications.licence"), 1);
    assert_eq!(city.file(&case).await.data["licence_identifier"], "1.2.156");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_is_refused_with_reason_and_basis() {
    let city = City::open().await;
    // A small house asks planners only.
    let small = json!({"height": 9, "area": 300, "underground": false, "near_water": false, "vehicle_entrance": false});
    let case = city
        .accept("construction_planning_permit", "G2", small)
        .await;
    let opinion = json!({"agreed": false, "note": "超出容积率"});
    city.does(
        &case,
        "joint_reviewer@planning_bureau",
        "joint_review",
        opinion,
    )
    .await;
    let why = json!({"displayable": false, "opinion": "容积率超出规划条件"});
    city.does(&case, "planning_reviewer@planning_bureau", "summarise", why)
        .await;
    let no = json!({"approved": false, "opinion": "容积率超出规划条件"});
    city.does(&case, "permit_approver@planning_bureau", "approve", no)
        .await;
    let decided = city.ended(&case).await;
    assert_eq!(decided["approved"], false);
    assert_eq!(decided["reason"], "容积率超出规划条件");
    assert!(
        decided["basis"]
            .as_str()
            .unwrap()
            .contains("第三十八条第二款")
    );
    assert_eq!(
        (
            city.called("applications.licence"),
            city.called("cases.pause")
        ),
        (0, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birth_is_handled_by_four_offices_and_insurance_at_once() {
    let city = City::open().await;
    let form = json!({"child_sex": "1", "child_birth": "2026-11-03", "hospital": "演示妇产医院"});
    let yes = json!({"approved": true});
    let certificate = city.accept("birth_certificate", "B1", form.clone()).await;
    city.does(
        &certificate,
        "health_reviewer@health_commission",
        "review",
        yes.clone(),
    )
    .await;
    assert_eq!(city.ended(&certificate).await["approved"], true);
    let household = city
        .accept("household_registration_birth", "B2", form.clone())
        .await;
    city.does(
        &household,
        "police_reviewer@public_security_bureau",
        "review",
        yes.clone(),
    )
    .await;
    assert!(
        city.ended(&household).await["basis"]
            .as_str()
            .unwrap()
            .contains("户口登记条例")
    );
    // Within ninety days nobody needs to look.
    let insurance = city
        .accept("medical_insurance_newborn", "B3", form.clone())
        .await;
    assert_eq!(city.ended(&insurance).await["approved"], true);
    let card = city.accept("social_security_card_child", "B4", form).await;
    let clerk = "social_security_reviewer@human_resources_bureau";
    city.does(&card, clerk, "review", yes.clone()).await;
    city.does(&card, clerk, "make", json!({"card_number": "C0000001"}))
        .await;
    assert_eq!(city.ended(&card).await["approved"], true);
    assert_eq!(city.called("applications.licence"), 2);
    // After ninety days somebody does.
    let late = json!({"child_birth": "2026-06-01"});
    let insurance = city.accept("medical_insurance_newborn", "B5", late).await;
    let clerk = "medical_insurance_reviewer@medical_insurance_bureau";
    let no = json!({"approved": false, "opinion": "已在外地参保"});
    city.does(&insurance, clerk, "review", no).await;
    assert_eq!(city.ended(&insurance).await["reason"], "已在外地参保");
}

#[tokio::test(flavor = "multi_thread")]
async fn water_waits_for_its_bill_and_gives_up_after_thirty_days() {
    let city = City::open().await;
    let engineer = "water_engineer@water_group";
    let survey = json!({"possible": true, "charged": true});
    let paid = city.accept("water_connection", "W1", json!({})).await;
    city.does(&paid, engineer, "survey", survey.clone()).await;
    assert_eq!(city.called("applications.bill"), 1);
    let message = Message {
        name: "paid".into(),
        key: json!("A-W1"),
        ..Message::default()
    };
    city.engine
        .message(&admin(), message.clone())
        .await
        .unwrap();
    city.does(&paid, engineer, "build", json!({"meter": "M1"}))
        .await;
    assert_eq!(city.ended(&paid).await["approved"], true);
    let again = city.engine.message(&admin(), message).await;
    assert!(again.is_err(), "a case that ended waits for no bill");

    let unpaid = city.accept("water_connection", "W2", json!({})).await;
    city.does(&unpaid, engineer, "survey", survey).await;
    city.go_to("2026-12-26T10:00:00+08:00");
    city.engine.settle().await.unwrap();
    let decided = city.ended(&unpaid).await;
    assert_eq!(decided["approved"], false);
    assert!(decided["reason"].as_str().unwrap().contains("三十日"));
    // Nothing to pay: the works begin at once.
    let free = city.accept("water_connection", "W3", json!({})).await;
    city.does(
        &free,
        engineer,
        "survey",
        json!({"possible": true, "charged": false}),
    )
    .await;
    city.does(&free, engineer, "build", json!({"meter": "M3"}))
        .await;
    assert_eq!(city.ended(&free).await["approved"], true);
    assert_eq!(city.called("applications.bill"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_within_the_limit_is_granted_at_once_and_above_the_balance_refused() {
    let city = City::open().await;
    let ask = |amount: i64| json!({"purpose": "rent", "amount": amount, "balance": 20000, "paid_months": 12});
    let at_once = city
        .accept("housing_fund_withdrawal", "H1", ask(9000))
        .await;
    assert_eq!(city.ended(&at_once).await["approved"], true);
    let never = city
        .accept("housing_fund_withdrawal", "H2", ask(20001))
        .await;
    let decided = city.ended(&never).await;
    assert_eq!(decided["approved"], false);
    assert!(decided["reason"].as_str().unwrap().contains("余额"));
    let looked = city
        .accept("housing_fund_withdrawal", "H3", ask(19000))
        .await;
    let clerk = "housing_fund_reviewer@housing_fund_centre";
    city.does(&looked, clerk, "review", json!({"approved": true}))
        .await;
    assert_eq!(city.ended(&looked).await["approved"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_processes_take_their_main_way() {
    let city = City::open().await;
    let yes = json!({"approved": true});
    // process, form, who does what
    let ways: &[(&str, Value, &[(&str, &str, Value)])] = &[
        (
            "business_registration",
            json!({}),
            &[
                (
                    "market_reviewer@market_bureau",
                    "review",
                    json!({"fit": true}),
                ),
                ("permit_approver@market_bureau", "approve", yes.clone()),
            ],
        ),
        (
            "food_permit",
            json!({"business": "catering", "area": 80}),
            &[
                (
                    "permit_inspector@data_bureau",
                    "inspect",
                    json!({"passed": true}),
                ),
                ("permit_approver@data_bureau", "approve", yes.clone()),
            ],
        ),
        (
            "food_permit",
            json!({"business": "retail", "area": 500}),
            &[("permit_approver@data_bureau", "approve", yes.clone())],
        ),
        (
            "elderly_subsidy",
            json!({"birth_date": "1940-01-01"}),
            &[
                (
                    "civil_affairs_reviewer@civil_affairs_bureau",
                    "review",
                    json!({"alive": true}),
                ),
                (
                    "permit_approver@civil_affairs_bureau",
                    "approve",
                    yes.clone(),
                ),
            ],
        ),
        (
            "ride_hailing_vehicle_permit",
            json!({"mileage": 10, "first_registered": "2020-01-01"}),
            &[
                ("transport_reviewer@transport_bureau", "review", json!({})),
                (
                    "transport_reviewer@transport_bureau",
                    "inspect",
                    json!({"passed": true}),
                ),
                ("permit_approver@transport_bureau", "approve", yes.clone()),
            ],
        ),
        (
            "ride_hailing_driver_permit",
            json!({}),
            &[
                (
                    "police_reviewer@public_security_bureau",
                    "background",
                    json!({}),
                ),
                (
                    "transport_reviewer@transport_bureau",
                    "examination",
                    json!({}),
                ),
                ("permit_approver@transport_bureau", "approve", yes.clone()),
            ],
        ),
        (
            "outdoor_advertising",
            json!({"position": "roof", "area": 8, "height": 4}),
            &[
                ("urban_reviewer@urban_bureau", "review", json!({})),
                ("urban_reviewer@urban_bureau", "expert_review", json!({})),
                ("urban_reviewer@urban_bureau", "survey", json!({})),
                ("permit_approver@urban_bureau", "approve", yes.clone()),
            ],
        ),
        (
            "social_insurance_transfer",
            json!({}),
            &[
                (
                    "social_security_reviewer@human_resources_bureau",
                    "check",
                    json!({"fit": true}),
                ),
                (
                    "social_security_reviewer@human_resources_bureau",
                    "contact",
                    json!({}),
                ),
                (
                    "social_security_reviewer@human_resources_bureau",
                    "book",
                    json!({}),
                ),
            ],
        ),
        (
            "disability_card",
            json!({}),
            &[
                (
                    "disability_reviewer@disabled_federation",
                    "review",
                    json!({}),
                ),
                (
                    "disability_reviewer@disabled_federation",
                    "appraise",
                    json!({"graded": true}),
                ),
                (
                    "disability_reviewer@disabled_federation",
                    "display",
                    json!({}),
                ),
                (
                    "permit_approver@disabled_federation",
                    "approve",
                    yes.clone(),
                ),
            ],
        ),
        (
            "road_occupation",
            json!({"traffic": true}),
            &[
                (
                    "police_reviewer@public_security_bureau",
                    "traffic",
                    json!({}),
                ),
                ("urban_reviewer@urban_bureau", "review", json!({})),
                (
                    "permit_approver@urban_bureau",
                    "approve",
                    json!({"approved": true, "charged": false}),
                ),
            ],
        ),
    ];
    for (n, (process, form, steps)) in ways.iter().enumerate() {
        let case = city.accept(process, &format!("M{n}"), form.clone()).await;
        for (who, node, data) in *steps {
            city.does(&case, who, node, data.clone()).await;
        }
        let decided = city.ended(&case).await;
        assert_eq!(decided["approved"], true, "{process}");
        for said in ["basis", "reason"] {
            assert!(
                decided[said].as_str().is_some_and(|s| !s.is_empty()),
                "{process}: {said}"
            );
        }
        let open = city.file(&case).await.pauses;
        assert!(
            open.iter().all(|pause| pause.to.is_some()),
            "{process}: a clock stands still"
        );
    }
}
