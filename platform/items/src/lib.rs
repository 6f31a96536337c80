//! items: government service items in versions. What is published stays; a designer works on a copy
//! that is checked as a whole, tried out and published; forms are read, their answers judged, and
//! drafts of earlier versions carried over.
//!
//! - [`shape`](schema), `check`: what a content must be; every fault at once, each at its place.
//! - `form`: the subset of JSON Schema forms are written in (`docs/items.md`), judged with the
//!   validator of `jsonschema`, field by field, so that messages belong to fields.
//! - `carry`: answers from one version to the next. `desk`: forms of the desk that stand in.
//! - `catalogue`: every item in memory as lists show it; contents in a bounded cache.
//! - `copies`, `verbs`, `declared`: what changes. Each change raises the revision of its item, and
//!   every call asks the store for revisions it does not know, so that several processes on one
//!   database agree. Where one process writes alone, it is asked only after a change.

mod carry;
mod catalogue;
mod check;
mod copies;
mod declared;
mod desk;
mod form;
mod forms;
mod say;
mod shape;
mod verbs;

pub use check::{CONTENT_LIMIT, LETTERS, Surroundings};
pub use declared::read_declared;
pub use desk::STANDARD;
pub use shape::schema;

use async_trait::async_trait;
use catalogue::{Entry, State};
use forms::Forms;
use kernel::access::{Actor, Policy, Verb};
use kernel::events::EventKind;
use kernel::items::{
    CarriedOver, Fee, Item, ItemContent, ItemFilter, ItemPage, ItemVerb, Items, Material,
    WorkingCopy,
};
use kernel::numbers::Day;
use kernel::{Clock, Fault, Problem, Time};
use parking_lot::{Mutex, RwLock};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::audit::AuditEntry;
use store::items::VersionRow;
use store::{Store, Tx};

/// Versions of one item that are shown, the newest.
pub const VERSIONS_SHOWN: u64 = 200;
/// Items there can be, cancelled ones included.
pub const ITEMS: i64 = 20_000;

/// The engine of items.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    policy: Arc<dyn Policy>,
    around: Arc<dyn Surroundings>,
    state: RwLock<State>,
    /// When the store was last asked what changed, and how often this process had changed it.
    looked: Mutex<Option<(Instant, u64)>>,
    forms: Forms,
}

/// Where nobody else writes to the store it is asked this seldom, in case somebody does.
const LOOK: Duration = Duration::from_millis(250);

impl Engine {
    /// Opens the engine on a store and reads the catalogue.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        policy: Arc<dyn Policy>,
        around: Arc<dyn Surroundings>,
    ) -> Result<Arc<Engine>, Fault> {
        let engine = Arc::new(Engine {
            store,
            clock,
            policy,
            around,
            state: RwLock::default(),
            looked: Mutex::default(),
            forms: Forms::default(),
        });
        engine.look().await?;
        Ok(engine)
    }

    /// Subjects of the items in force, with how many items each has, the largest first.
    pub async fn subjects(&self) -> Result<Vec<(String, i64)>, Fault> {
        self.fresh().await?;
        Ok(self.state.read().subjects())
    }

    /// Takes note of what was changed unless nothing was: every request asks.
    async fn fresh(&self) -> Result<(), Fault> {
        let (looked, changes) = (*self.looked.lock(), self.store.catalogue_changes());
        let known = looked.is_some_and(|(at, seen)| at.elapsed() < LOOK && Some(seen) == changes);
        match known {
            true => Ok(()),
            false => self.look().await,
        }
    }

    /// Takes note of what was changed, here or by other processes.
    async fn look(&self) -> Result<(), Fault> {
        let changes = self.store.catalogue_changes();
        let looked = changes.map(|changes| (Instant::now(), changes));
        loop {
            let known = self.state.read().revision;
            let mut reader = self.store.reader().await?;
            let rows = store::items::changed(&mut reader, known, catalogue::PAGE).await?;
            drop(reader);
            if rows.is_empty() {
                *self.looked.lock() = looked;
                return Ok(());
            }
            let mut state = self.state.write();
            for row in rows {
                state.note(row)?;
            }
        }
    }

    fn entry(&self, item: &str) -> Result<Arc<Entry>, Fault> {
        let found = self.state.read().entries.get(item).cloned();
        found.ok_or_else(|| missing(item))
    }

    /// A published version, from memory or the store.
    async fn version(&self, entry: &Entry, number: i64) -> Result<Arc<Item>, Fault> {
        let key = (entry.item.clone(), number);
        let ready = self.state.read().ready.get(&key).cloned();
        if let Some(item) = ready
            && item.state == entry.state
            && item.successors == entry.successors
        {
            return Ok(item);
        }
        let mut reader = self.store.reader().await?;
        let found = store::items::at_version(&mut reader, &entry.item, number).await?;
        let (row, content) = found.ok_or_else(|| missing(&entry.item))?;
        let item = Arc::new(published(entry, &row, &content)?);
        self.state.write().keep(key, item.clone());
        Ok(item)
    }

    fn today(&self) -> Day {
        Day::of(self.clock.now())
    }

    fn audit(&self, by: &Actor, subject: &str, details: Value) -> AuditEntry {
        AuditEntry {
            at: self.clock.now(),
            account: by.account.clone(),
            verb: Verb::Operate.word().into(),
            object: "items".into(),
            subject: subject.into(),
            purpose: by.grant.purpose.clone(),
            basis: by.grant.basis.clone(),
            details: by.on_behalf(details),
            outcome: "done".into(),
        }
    }

    /// The event of a change of the catalogue and its entry of the audit log.
    async fn tell(&self, tx: &mut Tx, by: &Actor, item: &str, body: Value) -> Result<(), Fault> {
        store::audit::append(tx, &self.audit(by, item, body.clone())).await?;
        let body = body.to_string();
        let now = self.clock.now();
        store::events::append(tx, now, EventKind::Item, item, body.as_bytes()).await?;
        Ok(())
    }
}

fn missing(item: &str) -> Fault {
    Fault::missing(&say::brief(item))
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn published(entry: &Entry, row: &VersionRow, content: &str) -> Result<Item, Fault> {
    let content: ItemContent = serde_json::from_str(content)
        .map_err(|why| Fault::internal("reading an item of service", why))?;
    Ok(Item {
        item: row.item.clone(),
        version: row.version,
        state: entry.state,
        published_at: Some(Time(row.published_at)),
        published_by: Some(row.published_by.clone()),
        note: row.note.clone(),
        successors: entry.successors.clone(),
        content,
    })
}

#[async_trait]
impl check::Ask for Engine {
    fn surroundings(&self) -> &dyn Surroundings {
        &*self.around
    }

    async fn published(&self, name: &str) -> Result<Option<Arc<Item>>, Fault> {
        let entry = self.state.read().entries.get(name).cloned();
        match entry {
            Some(entry) if entry.version > 0 => {
                Ok(Some(self.version(&entry, entry.version).await?))
            }
            _ => Ok(None),
        }
    }

    async fn bundles_with(&self, name: &str) -> Result<Vec<Arc<Item>>, Fault> {
        let entries = self.state.read().bundles_with(name);
        let mut found = vec![];
        for entry in entries {
            found.push(self.version(&entry, entry.version).await?);
        }
        Ok(found)
    }
}

#[async_trait]
impl Items for Engine {
    async fn items(&self, by: Option<&Actor>, filter: &ItemFilter) -> Result<ItemPage, Fault> {
        self.fresh().await?;
        let designer = by.is_some_and(|by| self.policy.may(by, Verb::Operate, "items").allowed());
        let all = filter.all && designer;
        let office = |code: &str| self.around.successor(code);
        self.state.read().page(filter, all, &office)
    }

    async fn item(&self, item: &str, version: Option<i64>) -> Result<Arc<Item>, Fault> {
        self.fresh().await?;
        let entry = self.entry(item)?;
        match version {
            Some(0) => Ok(Arc::new(self.copied(&entry).await?)),
            _ => {
                let number = version.unwrap_or(entry.version);
                if !(1..=entry.version).contains(&number) {
                    return Err(missing(item));
                }
                self.version(&entry, number).await
            }
        }
    }

    async fn versions(&self, item: &str) -> Result<Vec<Item>, Fault> {
        self.fresh().await?;
        let entry = self.entry(item)?;
        let mut reader = self.store.reader().await?;
        let rows = store::items::versions(&mut reader, item, VERSIONS_SHOWN).await?;
        rows.iter()
            .map(|(row, content)| published(&entry, row, content))
            .collect()
    }

    async fn check(&self, content: &ItemContent) -> Vec<Problem> {
        let value = match serde_json::to_value(content) {
            Ok(value) => value,
            Err(why) => return vec![say::problem("", "内容无法读取", why.to_string())],
        };
        let checked = match self.fresh().await {
            Ok(()) => check::check(&value, None, self).await,
            Err(fault) => Err(fault),
        };
        checked.unwrap_or_else(|fault| {
            vec![Problem {
                at: String::new(),
                words: fault.words,
            }]
        })
    }

    async fn save(
        &self,
        by: &Actor,
        item: &str,
        seen: Option<&str>,
        content: &Value,
    ) -> Result<WorkingCopy, Fault> {
        let by = self.policy.demand(by, Verb::Operate, "items")?;
        self.save_copy(&by, item, seen, content).await
    }

    async fn working_copy(&self, by: &Actor, item: &str) -> Result<WorkingCopy, Fault> {
        self.policy.demand(by, Verb::Operate, "items")?;
        self.read_copy(item).await
    }

    async fn rule(&self, by: &Actor, item: &str, verb: ItemVerb) -> Result<Item, Fault> {
        let by = self.policy.demand(by, Verb::Operate, "items")?;
        self.carry_out(&by, item, verb).await
    }

    fn tidy(&self, item: &Item, answers: &Map<String, Value>) -> Map<String, Value> {
        form::tidy(&self.forms.of(item), answers)
    }

    fn asked(&self, item: &Item, answers: &Map<String, Value>) -> Vec<String> {
        let form = self.forms.of(item);
        let asked = form.asked(answers);
        let names = form.fields.iter().zip(asked);
        names
            .filter(|(_, asked)| *asked)
            .map(|(field, _)| field.name.clone())
            .collect()
    }

    fn judge(&self, item: &Item, answers: &Map<String, Value>, whole: bool) -> Vec<Problem> {
        form::judge(&self.forms.of(item), answers, whole, self.today())
    }

    fn judge_desk(&self, item: &Item, name: &str, answers: &Map<String, Value>) -> Vec<Problem> {
        match self.forms.of_desk(item, name) {
            Some(form) => form::judge(&form, answers, true, self.today()),
            None => {
                let name = say::brief(name);
                vec![say::problem(
                    "/form",
                    format!("没有办理表单“{name}”"),
                    format!("there is no form of the desk \"{name}\""),
                )]
            }
        }
    }

    fn judge_applicant(
        &self,
        item: &Item,
        answers: &Map<String, Value>,
        applicant: &str,
    ) -> Vec<Problem> {
        form::judge_applicant(&self.forms.of(item), answers, applicant)
    }

    fn materials(&self, item: &Item, answers: &Map<String, Value>) -> Vec<Material> {
        let form = self.forms.of(item);
        let all = item.content.materials.iter();
        all.filter(|material| form.holds(&material.when, answers))
            .cloned()
            .collect()
    }

    fn fees(&self, item: &Item, answers: &Map<String, Value>) -> Vec<Fee> {
        let form = self.forms.of(item);
        let all = item.content.fees.iter();
        all.filter(|fee| form.holds(&fee.when, answers))
            .cloned()
            .collect()
    }

    fn prefills(&self, item: &Item) -> Vec<(String, String)> {
        let form = self.forms.of(item);
        let paths = form.fields.iter().filter_map(|field| {
            let path = field.prefill.clone()?;
            Some((field.name.clone(), path))
        });
        paths.collect()
    }

    fn personal(&self, item: &Item) -> Vec<String> {
        let form = self.forms.of(item);
        let fields = form.fields.iter().filter(|field| field.personal);
        fields.map(|field| field.name.clone()).collect()
    }

    fn carry_over(&self, from: &Item, to: &Item, answers: &Map<String, Value>) -> CarriedOver {
        carry::carry_over(&self.forms.of(from), &self.forms.of(to), answers)
    }
}

/// A form of the desk that stands in when an item brings none of that name, as JSON Schema.
pub fn standard_desk_form(name: &str) -> Option<Value> {
    desk::standard(name)
}

/// The body of an event of items.
fn told(what: &str, entry: &store::items::ItemRow, note: &str) -> Value {
    json!({ "what": what, "item": entry.item, "version": entry.version, "state": entry.state,
        "note": note })
}
