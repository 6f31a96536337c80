//! What a caller sees of single things: lists narrowed by the policy, a record outside a caller's
//! reach as if it were not there, personal fields as their grant shows them. Handlers ask here and
//! decide nothing themselves.

use super::problem::{Answer, Refusal};
use crate::app::App;
use kernel::declare::RegisterDecl;
use kernel::facts::{Facts, Filter, Shown};
use kernel::fault::Fault;
use kernel::records::{Keep, Record, RecordQuery};
use kernel::{Actor, Verb};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Narrows a query to the records of the register the caller may do this to; `false` when there is
/// none.
pub fn narrow(
    app: &App,
    actor: &Actor,
    verb: Verb,
    register: &RegisterDecl,
    query: &mut RecordQuery,
) -> bool {
    let object = object_of(register);
    let policy = &app.city.policy;
    match policy.filter(actor, verb, &object) {
        Filter::Everything => {}
        Filter::Nothing => return false,
        Filter::Where(narrowing) => query.narrowed = Some(narrowing),
        Filter::Ask => {
            let (policy, actor, decl) = (policy.clone(), actor.clone(), register.clone());
            query.keep = Some(Keep(Arc::new(move |record| {
                let facts = Facts::of(&decl, record);
                policy
                    .may_this(&actor, verb, &object_of(&decl), &facts)
                    .allowed()
            })));
        }
    }
    let mask = policy.mask(actor, verb, &object_of(register), None);
    query.hidden = personal(register)
        .filter(|f| mask.of(f) != Shown::Clear)
        .map(String::from)
        .collect();
    true
}

/// As the policy names a register.
pub fn object_of(register: &RegisterDecl) -> String {
    format!("register.{}", register.name)
}

/// The personal fields of a register.
pub fn personal(register: &RegisterDecl) -> impl Iterator<Item = &str> {
    register
        .fields
        .iter()
        .filter(|f| f.personal)
        .map(|f| f.name.as_str())
}

/// The records as the caller sees them, and the personal fields seen as they are: what is written
/// into the audit log before anything is answered.
pub struct Seen {
    /// As JSON.
    pub records: Vec<Value>,
    /// Personal fields shown, whole or masked.
    pub fields: BTreeSet<String>,
    /// Records that show any: the key, unless it is the citizen number itself, and the pseudonym
    /// of the person the record is about. Versions of one record are one.
    read: BTreeSet<(Option<String>, Option<String>)>,
}

/// Masks records for a caller. Those the caller may not read are left out.
pub fn seen(app: &App, actor: &Actor, register: &RegisterDecl, records: Vec<Record>) -> Seen {
    let mut seen = Seen {
        records: vec![],
        fields: BTreeSet::new(),
        read: BTreeSet::new(),
    };
    let object = object_of(register);
    let personal: Vec<&str> = personal(register).collect();
    for mut record in records {
        if personal.is_empty() {
            seen.records.push(json!(record));
            continue;
        }
        let facts = Facts::of(register, &record);
        let mask = app
            .city
            .policy
            .mask(actor, Verb::Read, &object, Some(&facts));
        let number = facts.person.as_deref();
        let key = (number != Some(record.key.as_str())).then(|| record.key.clone());
        let hidden = mask.apply(register, &mut record);
        let there = personal.iter().filter(|f| record.fields.contains_key(**f));
        let shown: Vec<String> = there.map(|f| f.to_string()).collect();
        if !shown.is_empty() {
            let person = number.and_then(|number| app.log.pseudonym(number));
            seen.read.insert((key, person));
        }
        seen.fields.extend(shown);
        let mut value = json!(record);
        if !hidden.is_empty() {
            value["hidden"] = json!(hidden);
        }
        seen.records.push(value);
    }
    seen
}

/// Reading personal data is written down before it is answered: who, for what purpose, on which
/// basis, which fields, for which case, record by record with the person each is about.
pub async fn log_personal(
    app: &App,
    actor: &Actor,
    register: &RegisterDecl,
    seen: &Seen,
) -> Answer<()> {
    if seen.read.is_empty() {
        return Ok(());
    }
    let subject = match seen.read.first() {
        Some((key, person)) if seen.read.len() == 1 => {
            key.as_deref().or(person.as_deref()).unwrap_or("")
        }
        _ => "",
    };
    let lines = seen.read.iter();
    let lines: Vec<Value> = lines
        .map(|(key, person)| json!({"key": key, "person": person}))
        .collect();
    let details = json!({
        "display": actor.display, "organisation": actor.organisation, "fields": seen.fields,
        "case": actor.standing.case, "records": lines,
    });
    Ok(app
        .audit(actor, Verb::Read, &object_of(register), subject, details)
        .await?)
}

/// The record, when the caller may do this to it; `input.not_found` otherwise, whether it is there
/// or not. Answers the caller acting under the grant that allows it.
pub async fn reach(
    app: &App,
    actor: &Actor,
    verb: Verb,
    register: &RegisterDecl,
    record: Option<&Record>,
    key: &str,
) -> Answer<Actor> {
    let missing = || Refusal(Fault::missing(key));
    let record = record.ok_or_else(missing)?;
    let facts = Facts::of(register, record);
    let allowed = app
        .city
        .policy
        .demand_this(actor, verb, &object_of(register), &facts);
    allowed.map_err(|_| missing())
}

/// Is every record of the register within the caller's reach?
pub fn everything(app: &App, actor: &Actor, verb: Verb, register: &RegisterDecl) -> bool {
    app.city.policy.filter(actor, verb, &object_of(register)) == Filter::Everything
}

/// Demands that the caller may write a record as it was and as it shall be. What was out of reach
/// is not found; what would get out of reach is refused.
pub fn may_change(
    app: &App,
    actor: &Actor,
    register: &RegisterDecl,
    key: &str,
    before: Option<&Map<String, Value>>,
    after: Option<&Map<String, Value>>,
) -> Result<(), Fault> {
    let (policy, object) = (&app.city.policy, object_of(register));
    let demand = |fields: &Map<String, Value>| {
        let facts = Facts::of_fields(register, key, fields);
        policy
            .demand_this(actor, Verb::Write, &object, &facts)
            .map(|_| ())
    };
    if let Some(before) = before {
        demand(before).map_err(|_| Fault::missing(key))?;
    }
    let Some(after) = after else { return Ok(()) };
    demand(after)?;
    // Nobody overwrites what they cannot see.
    let shown = before.unwrap_or(after);
    let mask = policy.mask(
        actor,
        Verb::Write,
        &object,
        Some(&Facts::of_fields(register, key, shown)),
    );
    let changed = |field: &&str| before.and_then(|b| b.get(*field)) != after.get(*field);
    let blind = |field: &&str| before.is_some() && mask.of(field) != Shown::Clear && changed(field);
    let blindly: Vec<&str> = personal(register).filter(blind).collect();
    if blindly.is_empty() {
        return Ok(());
    }
    let problem = |field: &&str| kernel::Problem {
        at: format!("fields.{field}"),
        words: kernel::Words::new(
            "您看不到该个人信息的原值，不能更改",
            "you do not see this personal field as it is: you may not change it",
        ),
    };
    Err(Fault::invalid(blindly.iter().map(problem).collect()))
}

/// What is known of a thing (station, outlet, enterprise) an alert or a device is about: owner and
/// district of its record.
pub fn facts_of_thing(app: &App, thing: &str) -> Facts {
    let registers = app.city.declared.registers().filter(|r| r.cached);
    for register in registers {
        if let Some(record) = app.city.registers.cached(&register.name, thing) {
            let facts = Facts::of(register, &record);
            return Facts {
                fields: Map::new(),
                person: None,
                handler: None,
                ..facts
            };
        }
    }
    Facts {
        key: thing.into(),
        ..Facts::default()
    }
}

/// What of a kind without a register (`alerts`, `devices`, `frames`) is within a caller's reach;
/// worked out once for a list.
pub struct Within<'a> {
    app: &'a App,
    actor: &'a Actor,
    verb: Verb,
    object: &'a str,
    filter: Filter,
}

impl<'a> Within<'a> {
    /// Of this caller.
    pub fn of(app: &'a App, actor: &'a Actor, verb: Verb, object: &'a str) -> Within<'a> {
        Within {
            filter: app.city.policy.filter(actor, verb, object),
            app,
            actor,
            verb,
            object,
        }
    }

    /// Everything there is.
    pub fn everything(&self) -> bool {
        self.filter == Filter::Everything
    }

    /// This one? What is known of it is asked only when it matters.
    pub fn has(&self, facts: impl FnOnce() -> Facts) -> bool {
        let policy = &self.app.city.policy;
        match &self.filter {
            Filter::Everything => true,
            Filter::Nothing => false,
            Filter::Where(narrowing) => narrowing.holds(&facts()),
            Filter::Ask => policy
                .may_this(self.actor, self.verb, self.object, &facts())
                .allowed(),
        }
    }
}
