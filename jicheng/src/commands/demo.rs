//! The demonstration: sample records of the systems, accounts of the city pack with passwords made
//! at the first start, and simulated stations that speak HJ 212 to our own gateway over TCP.

use super::{new_password, say};
use crate::app::App;
use crate::embed;
use crate::run::Running;
use hj212::codec::Edition;
use hj212::simulator::{Options, Scenario, SimProperty, SimStation, StationKind, Stats};
use kernel::declare::{Declared, FieldKind};
use kernel::devices::DeviceFilter;
use kernel::office::{Audience, NewNotice, Office};
use kernel::organisations::Organisations;
use kernel::page::Part;
use kernel::records::{Record, RecordQuery};
use kernel::{Actor, Fault, Words};
use organisations::{NewAppointment, NewPosition, Rank};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Hours of history the stations bring at the first start.
const FIRST_HISTORY_H: u32 = 48;

/// A course of a factor: code, middle, swing over the day, noise of a reading.
type Course = (&'static str, f64, f64, f64);

const AIR: &[Course] = &[
    ("a34004", 42.0, 22.0, 3.0),
    ("a34002", 78.0, 32.0, 5.0),
    ("a21026", 0.012, 0.005, 0.001),
    ("a21004", 0.034, 0.014, 0.002),
    ("a21005", 0.8, 0.3, 0.05),
    ("a05024", 0.075, 0.05, 0.004),
    ("a01001", 9.0, 6.0, 0.3),
    ("a01002", 55.0, 18.0, 1.0),
    ("a01006", 101.2, 0.4, 0.02),
    ("a01007", 2.1, 1.2, 0.4),
    ("a01008", 180.0, 120.0, 20.0),
];
const FLUE_GAS: &[Course] = &[
    ("a34013", 4.2, 1.2, 0.3),
    ("a21026", 16.0, 5.0, 1.5),
    ("a21002", 27.0, 7.0, 2.0),
    ("a19001", 7.2, 0.8, 0.1),
    ("a01011", 12.4, 1.5, 0.3),
    ("a01012", 55.0, 4.0, 0.5),
    ("a01013", -0.45, 0.1, 0.02),
    ("a01014", 8.6, 0.9, 0.1),
    ("a00000", 118.0, 18.0, 3.0),
];
const VOC: &[Course] = &[
    ("a24088", 19.0, 6.0, 1.5),
    ("a01011", 9.0, 1.5, 0.3),
    ("a01012", 32.0, 4.0, 0.5),
    ("a00000", 24.0, 5.0, 1.0),
];
const PLANT: &[Course] = &[
    ("w00000", 420.0, 120.0, 12.0),
    ("w01001", 7.3, 0.2, 0.05),
    ("w01010", 16.0, 2.0, 0.2),
    ("w01018", 23.0, 6.0, 1.5),
    ("w21003", 0.9, 0.5, 0.1),
    ("w21011", 0.21, 0.07, 0.02),
    ("w21001", 8.4, 2.0, 0.4),
];
const WASTE_WATER: &[Course] = &[
    ("w00000", 38.0, 14.0, 3.0),
    ("w01001", 7.6, 0.3, 0.08),
    ("w01018", 56.0, 12.0, 3.0),
    ("w21003", 3.2, 1.1, 0.2),
];
const SURFACE_WATER: &[Course] = &[
    ("w01001", 7.9, 0.2, 0.04),
    ("w01009", 8.4, 1.0, 0.1),
    ("w01010", 10.0, 2.0, 0.1),
    ("w01014", 610.0, 40.0, 6.0),
    ("w01019", 3.1, 0.6, 0.1),
    ("w21003", 0.28, 0.1, 0.02),
    ("w21011", 0.07, 0.02, 0.005),
];
const NOISE: &[Course] = &[("LA", 51.0, 6.0, 3.0), ("Leq", 51.0, 6.0, 1.0)];
const ENERGY: &[Course] = &[
    ("e_power", 780.0, 120.0, 15.0),
    ("e_power_production", 620.0, 100.0, 12.0),
    ("e_power_treatment", 88.0, 12.0, 3.0),
    ("coal_feed", 12.5, 2.0, 0.3),
];
const PROCESS: &[Course] = &[
    ("production_running", 1.0, 0.0, 0.0),
    ("treatment_running", 1.0, 0.0, 0.0),
];
const TREATMENT_STOPPED: &[Course] = &[
    ("production_running", 1.0, 0.0, 0.0),
    ("treatment_running", 0.0, 0.0, 0.0),
];

/// A running simulation.
pub struct Simulation {
    stop: watch::Sender<bool>,
    work: tokio::task::JoinHandle<()>,
}

impl Simulation {
    /// Disconnects every station.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.work.await;
    }
}

/// Puts the demonstration into a city and lets its stations connect.
pub async fn start(running: &Running) -> Result<Simulation, String> {
    load_samples(running).await.map_err(say)?;
    accounts(running).await?;
    let gateway = running
        .app
        .hj212
        .get()
        .ok_or("网关没有运行 / the gateway is not running")?;
    let (_, known) = running.app.city.devices.list(&DeviceFilter {
        limit: 1,
        ..DeviceFilter::default()
    });
    let fresh = known == 0;
    if fresh {
        notices(running).await.map_err(say)?;
    }
    let options = Options {
        to: gateway.local_addr(),
        stations: stations(running).await.map_err(say)?,
        interval: Duration::from_secs(30),
        minute_interval_min: 10,
        backfill_hours: if fresh { FIRST_HISTORY_H } else { 2 },
        seed: 130100,
        connects_per_s: 40,
    };
    println!("模拟站点 / simulated stations: {}", options.stations.len());
    let (stop, stopping) = watch::channel(false);
    let clock = running.app.city.clock.clone();
    let work = tokio::spawn(hj212::simulator::run(
        clock,
        options,
        Arc::new(Stats::default()),
        stopping,
    ));
    Ok(Simulation { stop, work })
}

/// Role of who publishes the first notices.
const PUBLISHER: &str = "office_publisher";

/// First notices, to the public and to the offices, so that nobody begins at empty pages.
async fn notices(running: &Running) -> Result<(), Fault> {
    let app = &running.app;
    let accounts = &app.city.declared.city.accounts;
    let may = accounts
        .iter()
        .find(|account| account.roles.iter().any(|role| role == PUBLISHER));
    let there = app.office.public_notices(&Part::default()).await?.total;
    let (Some(publisher), 0) = (may, there) else {
        return Ok(());
    };
    let mut by = app.identity.account(&publisher.name).await?.actor();
    app.organisations.dress(&mut by);
    let notice = |title: &str, body: &str, audience| NewNotice {
        title: title.into(),
        body: body.into(),
        files: vec![],
        audience,
        from: None,
        to: None,
        pinned: false,
        confirm: false,
    };
    let public = notice(
        "演示城市开放试用",
        "这是演示城市：人员、企业和监测数据均为模拟，办件不产生法律效力。\n\
         可用演示账号试办事项、查询进度、核验证照。",
        Audience::Public,
    );
    let own = notice(
        "内部邮件、通知公告、公文传阅和日程已开通",
        "通讯录可查全市各机构在岗人员。写邮件、发通知、传阅公文都可以带附件。",
        Audience::Members,
    );
    app.office.publish(&by, public).await?;
    app.office.publish(&by, own).await?;
    Ok(())
}

/// Registers in such an order that what is referred to comes first.
fn in_order(declared: &Declared) -> Vec<(String, String)> {
    let mut waiting: Vec<_> = declared.registers().collect();
    let mut order: Vec<(String, String)> = vec![];
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|r| {
            r.fields.iter().all(|f| match &f.kind {
                FieldKind::Reference { register } => {
                    *register == r.name || order.iter().any(|(_, done)| done == register)
                }
                _ => true,
            })
        });
        // A circle of references has no right order; any will do, and import names what is missing.
        let next = waiting.remove(ready.unwrap_or(0));
        order.push((next.system.clone(), next.name.clone()));
    }
    order
}

async fn load_samples(running: &Running) -> Result<(), Fault> {
    let app = &running.app;
    for (system, register) in in_order(&app.city.declared) {
        let Some(csv) = embed::sample(&system, &register) else {
            continue;
        };
        let one = RecordQuery {
            limit: 1,
            ..RecordQuery::default()
        };
        if app.city.registers.list(&register, &one).await?.total == 0 {
            app.registers
                .import_csv(
                    &Actor::system(),
                    &register,
                    &csv,
                    Some("demonstration".into()),
                )
                .await?;
        }
    }
    Ok(())
}

/// Demonstration accounts; their passwords are made once and kept beside the data, readable by
/// the owner only.
async fn accounts(running: &Running) -> Result<(), String> {
    let app = &running.app;
    let file = app.config.data().join("demo-accounts.json");
    let known: BTreeMap<String, Value> = match std::fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?,
        Err(_) => BTreeMap::new(),
    };
    let mut all = BTreeMap::new();
    for account in &app.city.declared.city.accounts {
        let password = known
            .get(&account.name)
            .and_then(|a| a["password"].as_str())
            .map(String::from);
        let password = password.unwrap_or_else(new_password);
        all.insert(
            account.name.clone(),
            json!({"password": password, "display": account.display, "roles": account.roles}),
        );
    }
    write_private(
        &file,
        &serde_json::to_string_pretty(&all).unwrap_or_default(),
    )?;
    let passwords = |(name, value): (&String, &Value)| {
        (
            name.clone(),
            value["password"].as_str().unwrap_or("").to_string(),
        )
    };
    let passwords: BTreeMap<String, String> = all.iter().map(passwords).collect();
    let made = app
        .identity
        .ensure_demo_accounts(&passwords)
        .await
        .map_err(say)?;
    app.staff.refresh().await.map_err(say)?;
    heads(app, &made).await.map_err(say)?;
    println!("演示账号（数据为模拟）/ demonstration accounts (the data are simulated):");
    for (name, value) in &all {
        println!(
            "  {name:10} {:18} {}",
            value["password"].as_str().unwrap_or(""),
            value["display"]["zh"].as_str().unwrap_or("")
        );
    }
    Ok(())
}

/// Heads of offices, who hear of missed deadlines: appointed when their account is made, and as the
/// operator leaves them after that.
async fn heads(app: &App, made: &[String]) -> Result<(), Fault> {
    let by = Actor::system();
    for account in &app.city.declared.city.accounts {
        if !account.head || !made.contains(&account.name) {
            continue;
        }
        let post = NewPosition {
            organisation: account.organisation.clone(),
            title: Words::new("主要负责人", "Head"),
            roles: vec![],
            rank: Rank::Head,
            valid_from: None,
        };
        let knows = |role: &str| app.knows_role(role);
        let post = app.organisations.make_position(&by, post, &knows).await?;
        let appointment = NewAppointment {
            account: account.name.clone(),
            position: post.id,
            main: true,
            valid_from: None,
            valid_to: None,
            reason: "演示".into(),
        };
        let display = &account.display.zh;
        app.organisations.appoint(&by, appointment, display).await?;
    }
    Ok(())
}

fn write_private(file: &Path, text: &str) -> Result<(), String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file);
    opened
        .and_then(|mut f| f.write_all(text.as_bytes()))
        .map_err(|e| format!("{}: {e}", file.display()))
}

/// Every station on record as a simulated one, some with something the matter, and two that
/// nobody has on record.
async fn stations(running: &Running) -> Result<Vec<SimStation>, Fault> {
    let mut query = RecordQuery {
        limit: 1000,
        ..RecordQuery::default()
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut all: Vec<SimStation> = vec![];
    loop {
        let page = running.app.city.registers.list("station", &query).await?;
        for record in &page.records {
            let kind = text(record, "kind");
            let nth = counts.entry(kind.clone()).or_default();
            all.push(simulated(record, &kind, *nth, all.len(), &all));
            *nth += 1;
        }
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    for n in 0..2 {
        let mn = format!("13019931000000000000900{n}");
        all.push(station(
            mn,
            "31",
            Edition::E2017,
            StationKind::FlueGas,
            FLUE_GAS,
            Scenario::Normal,
        ));
    }
    Ok(all)
}

fn text(record: &Record, field: &str) -> String {
    record
        .fields
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or("")
        .to_string()
}

fn simulated(
    record: &Record,
    kind: &str,
    nth: usize,
    place: usize,
    before: &[SimStation],
) -> SimStation {
    let class = text(record, "class");
    let (of, courses) = match (kind, class.as_str()) {
        ("air", _) => (StationKind::Air, AIR),
        ("flue_gas", "flue_gas_voc") => (StationKind::FlueGas, VOC),
        ("flue_gas", _) => (StationKind::FlueGas, FLUE_GAS),
        ("waste_water", "waste_water_plant") => (StationKind::WasteWater, PLANT),
        ("waste_water", _) => (StationKind::WasteWater, WASTE_WATER),
        ("surface_water", _) => (StationKind::Air, SURFACE_WATER),
        ("noise", _) => (StationKind::Noise, NOISE),
        ("process", _) if nth == 1 => (StationKind::Energy, TREATMENT_STOPPED),
        ("process", _) => (StationKind::Energy, PROCESS),
        _ => (StationKind::Energy, ENERGY),
    };
    let scenario = match (kind, nth) {
        ("air", 3) | ("flue_gas", 1) | ("waste_water", 2) => Scenario::Exceeding,
        ("air", 14) | ("waste_water", 5) => Scenario::Offline,
        ("flue_gas", 4) => Scenario::Constant,
        ("flue_gas", 6) => match before.iter().rev().find(|s| s.st == "31") {
            Some(other) => Scenario::CopyOf(other.mn.clone()),
            None => Scenario::Normal,
        },
        ("flue_gas", 8) => Scenario::TreatmentOff,
        ("waste_water", 7) => Scenario::WrongClock,
        _ => Scenario::Normal,
    };
    let edition = match (kind, place % 10) {
        ("energy" | "process", _) | (_, 7) => Edition::E2025,
        ("flue_gas" | "waste_water", 3) => Edition::E2005,
        _ => Edition::E2017,
    };
    station(
        record.key.clone(),
        &text(record, "st"),
        edition,
        of,
        courses,
        scenario,
    )
}

fn station(
    mn: String,
    st: &str,
    edition: Edition,
    kind: StationKind,
    courses: &[Course],
    scenario: Scenario,
) -> SimStation {
    let property = |(code, base, amplitude, noise): &Course| SimProperty {
        code: code.to_string(),
        base: *base,
        amplitude: *amplitude,
        noise: *noise,
    };
    SimStation {
        mn,
        st: st.into(),
        edition,
        kind,
        properties: courses.iter().map(property).collect(),
        scenario,
    }
}

/// The n-th of many alike, for `jicheng simulate`.
pub fn numbered(n: usize) -> SimStation {
    let mn = format!("130199{:018}", 500_000_000 + n);
    match n % 3 {
        0 => station(
            mn,
            "22",
            Edition::E2017,
            StationKind::Air,
            AIR,
            Scenario::Normal,
        ),
        1 => station(
            mn,
            "31",
            Edition::E2017,
            StationKind::FlueGas,
            FLUE_GAS,
            Scenario::Normal,
        ),
        _ => station(
            mn,
            "32",
            Edition::E2017,
            StationKind::WasteWater,
            PLANT,
            Scenario::Normal,
        ),
    }
}
