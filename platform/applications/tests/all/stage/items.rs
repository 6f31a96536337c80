//! Small real items, and forms that know what the tests need.
#![allow(
    unused_imports,
    clippy::unwrap_used,
    reason = "helpers of tests and of the benchmark"
)]

use super::*;

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
