//! Tests of the licences engine, each on both databases. People and firms are synthetic: area
//! 130199, valid check characters.
#![allow(clippy::unwrap_used)]

mod attacks;
mod desk;
mod foreign;
mod histories;
mod identifiers;
mod issuing;
mod keys;
mod openid4vc;
mod showing;
mod wallet_desk;

use async_trait::async_trait;
use crypto::Engine as Keys;
use kernel::access::{Actor, Grant, Standing as ActorStanding};
use kernel::crypto::{Crypto, Suite};
use kernel::declare::check::load;
use kernel::fault::FaultKind;
use kernel::licences::{
    Change, Holder, HolderDocument, Licence, Licences, NewLicence, Papers, Shown, State, Use,
    Verification,
};
use kernel::numbers::{citizen_check, credit_check};
use kernel::parties::{Parties, Standing};
use kernel::{Fault, ManualClock, Span, Time, Words};
use licences::{Engine, Means, NewPresentation, Presentation, Settings};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;
use store::audit::{AuditFilter, AuditRow};

pub(crate) const ISSUER: &str = "https://city.example";

pub(crate) struct House {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Store,
}

pub(crate) fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// An agent called `narrow` is authorised for other matters only.
struct FakeParties;

#[async_trait]
impl Parties for FakeParties {
    async fn standing(&self, _: &str, _: Option<&str>) -> Result<Standing, Fault> {
        Ok(Standing::default())
    }
    async fn demand_matter(&self, actor: &Actor, _: &str) -> Result<(), Fault> {
        match actor.account.as_str() {
            "narrow" => Err(Fault::new(
                FaultKind::Denied,
                "parties.beyond_scope",
                "超出授权",
                "beyond scope",
            )),
            _ => Ok(()),
        }
    }
}

pub(crate) const FOOD: &str = "code: 11130199000000019E001
title: {zh: 食品经营许可证, en: Food business permit}
issuer: market
holder: legal
grade: A
validity: {years: 5}
basis: 《食品经营许可和备案管理办法》
fields:
  address: {title: {zh: 经营场所, en: Premises}, required: true, longest: 100}
  category: {title: {zh: 主体业态, en: Category}, type: choice, choices: {restaurant: [餐饮服务, Restaurant], shop: [食品销售, Shop]}, required: true}
  area: {title: {zh: 面积, en: Area}, type: number}
  seats: {title: {zh: 座位, en: Seats}, type: integer}
  manager: {title: {zh: 负责人, en: Manager}, personal: true}
minimum: [holder_name, category]
public: [holder_name, category]
";

pub(crate) const DRIVER: &str = "code: 11130199000000019E002
title: {zh: 网约车驾驶员证, en: Ride-hailing driver permit}
issuer: transport
issuer_code: 11130199000000019E
holder: natural
validity: {days: 30}
basis: 《网络预约出租汽车经营服务管理暂行办法》
fields:
  vehicle_class: {title: {zh: 准驾车型, en: Class}, required: true}
  first_issued: {title: {zh: 初次领证日期, en: First issued}, type: date}
minimum: [holder_name, vehicle_class]
public: [vehicle_class]
";

pub(crate) fn files() -> BTreeMap<String, String> {
    let files = [
        (
            "cities/c/city.yaml",
            "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n",
        ),
        (
            "cities/c/organisations.yaml",
            "organisations:\n  market: {title: {zh: 市场监督管理局, en: Market bureau}, credit_code: 11130199000000019E}\n  \
             transport: {title: {zh: 交通运输局, en: Transport bureau}}\n",
        ),
        ("cities/c/licences/food_permit.yaml", FOOD),
        ("cities/c/licences/driver_permit.yaml", DRIVER),
    ];
    files.map(|(k, v)| (k.to_string(), v.to_string())).into()
}

pub(crate) fn settings() -> Settings {
    Settings {
        issuer: ISSUER.into(),
        name: Words::new("示例城", "Example city"),
        identifiers: Default::default(),
        state_codes: Default::default(),
    }
}

pub(crate) async fn house(store: &Store) -> House {
    house_with(store, Suite::International).await
}

pub(crate) async fn house_with(store: &Store, suite: Suite) -> House {
    let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
    let keys = Keys::in_memory(suite, clock.clone()).unwrap();
    house_of(store, clock, keys, &files()).await
}

pub(crate) async fn house_of(
    store: &Store,
    clock: Arc<ManualClock>,
    crypto: Arc<dyn Crypto>,
    files: &BTreeMap<String, String>,
) -> House {
    let declared = load(files).unwrap();
    let means = Means {
        crypto,
        parties: Arc::new(FakeParties),
        offices: Arc::new(|code| Some(format!("局 {code}"))),
        pseudonym: Arc::new(|number| Some(format!("person-{}", &number[14..17]))),
        types: kernel::licences::types(&declared),
        settings: settings(),
    };
    House {
        engine: Engine::open(store.clone(), clock.clone(), means)
            .await
            .unwrap(),
        clock,
        store: store.clone(),
    }
}

pub(crate) fn citizen(serial: u32) -> String {
    let head = format!("13019919900101{serial:03}");
    format!("{head}{}", citizen_check(&head).unwrap())
}

pub(crate) fn firm(serial: u32) -> String {
    let head = format!("91130199{serial:09}");
    format!("{head}{}", credit_check(&head).unwrap())
}

pub(crate) fn fields(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

pub(crate) fn food(serial: u32) -> NewLicence {
    NewLicence {
        kind: "food_permit".into(),
        source: format!("case/{serial}/permit"),
        holder: Holder {
            document: HolderDocument::CreditCode,
            number: firm(serial),
            name: format!("示例餐饮{serial}号有限公司"),
        },
        fields: fields(json!({
            "address": "示例路 1 号", "category": "restaurant", "area": 86.5, "manager": "李明",
        })),
        number: Some(format!("JY2130199{serial:07}")),
        serial: None,
        issued_on: None,
        valid_from: None,
        valid_to: None,
        grade: None,
    }
}

pub(crate) fn driver(serial: u32) -> NewLicence {
    NewLicence {
        kind: "driver_permit".into(),
        source: format!("case/{serial}/driver"),
        holder: Holder {
            document: HolderDocument::CitizenNumber,
            number: citizen(serial),
            name: "李明".into(),
        },
        fields: fields(json!({ "vehicle_class": "C1", "first_issued": "2010-05-01" })),
        number: None,
        serial: None,
        issued_on: None,
        valid_from: None,
        valid_to: None,
        grade: None,
    }
}

pub(crate) fn officer(organisation: &str) -> Actor {
    Actor {
        account: format!("officer-{organisation}"),
        organisation: Some(organisation.into()),
        grant: Grant {
            purpose: "核发许可".into(),
            basis: "《中华人民共和国行政许可法》第三十三条".into(),
        },
        ..Actor::default()
    }
}

pub(crate) fn resident(number: &str) -> Actor {
    Actor {
        account: format!("r-{}", &number[14..]),
        standing: ActorStanding {
            person: Some(number.into()),
            proofing: 2,
            ..ActorStanding::default()
        },
        ..Actor::default()
    }
}

pub(crate) fn why() -> Use {
    Use {
        verifier: "示例超市".into(),
        purpose: "核对从业资格".into(),
        basis: String::new(),
    }
}

pub(crate) fn code<T>(outcome: Result<T, Fault>) -> &'static str {
    match outcome {
        Ok(_) => "ok",
        Err(fault) => fault.code,
    }
}

/// Places of the problems of a fault.
pub(crate) fn places<T>(outcome: Result<T, Fault>) -> Vec<String> {
    let fault = outcome.err().unwrap();
    fault.problems.into_iter().map(|p| p.at).collect()
}

impl House {
    pub(crate) async fn issue(&self, new: NewLicence) -> Licence {
        let organisation = match new.kind.as_str() {
            "food_permit" => "market",
            _ => "transport",
        };
        let issued = self.engine.issue(&officer(organisation), &[new]).await;
        issued.unwrap().pop().unwrap()
    }

    pub(crate) async fn change(&self, licence: &Licence, to: State) -> Result<Licence, Fault> {
        let change = Change {
            to,
            reason: "依法处理".into(),
            version: None,
        };
        let organisation = match licence.kind.as_str() {
            "food_permit" => "market",
            _ => "transport",
        };
        self.engine
            .change(&officer(organisation), &licence.identifier, &change)
            .await
    }

    pub(crate) async fn present(&self, serial: u32, licence: &Licence) -> Presentation {
        let new = NewPresentation::default();
        let holder = resident(&citizen(serial));
        let made = self.engine.present(&holder, &licence.identifier, &new);
        made.await.unwrap()
    }

    pub(crate) async fn verify(&self, shown: Shown) -> Verification {
        self.engine
            .verify(&Actor::default(), &shown, &why())
            .await
            .unwrap()
    }

    pub(crate) async fn verify_token(&self, token: &str) -> Verification {
        self.verify(Shown::Token {
            token: token.into(),
        })
        .await
    }

    pub(crate) async fn verify_document(&self, document: &str) -> Verification {
        self.verify(Shown::Document {
            document: document.into(),
            audience: None,
            nonce: None,
        })
        .await
    }

    pub(crate) async fn audit(&self) -> Vec<AuditRow> {
        let filter = AuditFilter {
            limit: 1000,
            ..AuditFilter::default()
        };
        self.store.audit().list(&filter).await.unwrap()
    }

    pub(crate) fn wait(&self, span: Span) {
        self.clock.advance(span);
    }
}

pub(crate) fn shown(found: &Verification) -> Vec<(&str, &Value)> {
    let fields = found.fields.iter();
    fields.map(|f| (f.name.as_str(), &f.value)).collect()
}

impl House {
    pub(crate) fn clock_now(&self) -> Time {
        use kernel::Clock;
        self.clock.now()
    }
}
