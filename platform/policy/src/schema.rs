//! The typed schema policies are checked against, generated from what is declared: accounts with
//! roles, organisations, proof of identity and factors; one type for each kind of thing, and one
//! for each register with its fields; the verbs as actions; purpose, time and case as context.

use cedar_policy::{EntityId, EntityTypeName, EntityUid, Schema};
use kernel::access::Verb;
use kernel::declare::check::{OBJECTS, SCOPED};
use kernel::declare::{Declared, FieldKind, RegisterDecl};
use kernel::{Problem, Words};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::str::FromStr;

/// Grants on every register cover registers that are not declared too; these have this type.
const UNDECLARED: &str = "undeclared_register";

/// A kind of thing.
pub(crate) struct Kind {
    /// As access names it, such as `alerts` or `register.station`.
    pub(crate) object: String,
    /// Its type in policies, such as `alerts` or `register::station`.
    pub(crate) name: EntityTypeName,
    /// Stands for any of the kind.
    pub(crate) any: EntityUid,
    /// The register, when it is one.
    pub(crate) register: Option<RegisterDecl>,
    /// Something is known of its single members.
    pub(crate) scoped: bool,
}

impl Kind {
    /// Has the register fields with personal data?
    pub(crate) fn personal(&self) -> bool {
        let register = self.register.as_ref();
        register.is_some_and(|r| r.fields.iter().any(|f| f.personal))
    }

    /// A single member.
    pub(crate) fn member(&self, key: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.name.clone(), EntityId::new(key))
    }
}

/// The kinds, their schema, and the verbs as actions.
pub(crate) struct Kinds {
    pub(crate) schema: Schema,
    pub(crate) all: Vec<Kind>,
    /// The type of people.
    pub(crate) account: EntityTypeName,
    by_object: HashMap<String, usize>,
    by_name: HashMap<EntityTypeName, usize>,
    actions: Vec<EntityUid>,
    undeclared: usize,
}

impl Kinds {
    /// Of everything declared. Names that cannot stand in a policy are faults.
    pub(crate) fn of(declared: &Declared) -> Result<Kinds, Vec<Problem>> {
        let mut all = vec![];
        let mut faults = vec![];
        let plain = OBJECTS.iter().filter(|o| !o.ends_with(".*"));
        let plain = plain.map(|o| (o.to_string(), o.to_string(), None));
        let registers = declared.registers().map(|r| {
            let object = format!("register.{}", r.name);
            (object, format!("register::{}", r.name), Some(r.clone()))
        });
        let undeclared = ("register.*".to_string(), UNDECLARED.to_string(), None);
        for (object, name, register) in plain.chain(registers).chain([undeclared]) {
            let Ok(name) = EntityTypeName::from_str(&name) else {
                let system = register.map(|r| r.system).unwrap_or_default();
                faults.push(Problem {
                    at: format!("systems/{system}/system.yaml:1"),
                    words: Words::new(
                        format!("“{object}”不能用作策略中的名称"),
                        format!("\"{object}\" cannot be a name in policies"),
                    ),
                });
                continue;
            };
            all.push(Kind {
                any: EntityUid::from_type_name_and_id(name.clone(), EntityId::new("*")),
                scoped: register.is_some() || SCOPED.contains(&object.as_str()),
                object,
                name,
                register,
            });
        }
        let Ok(account) = EntityTypeName::from_str("Account") else {
            return Err(faults);
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let schema = Schema::from_json_value(document(&all)).map_err(|e| {
            let words = Words::new(
                format!("无法生成策略的类型：{e}"),
                format!("the types of policies cannot be made: {e}"),
            );
            vec![Problem {
                at: "access".into(),
                words,
            }]
        })?;
        let actions = Verb::ALL
            .iter()
            .filter_map(|verb| uid("Action", verb.word()));
        let by = |kind: &Kind| kind.object.clone();
        Ok(Kinds {
            by_object: all.iter().map(by).zip(0..).collect(),
            by_name: all.iter().map(|k| k.name.clone()).zip(0..).collect(),
            undeclared: all.len() - 1,
            actions: actions.collect(),
            schema,
            account,
            all,
        })
    }

    /// The number of a kind, as a question names it.
    pub(crate) fn number(&self, object: &str) -> Option<usize> {
        if let Some(number) = self.by_object.get(object) {
            // Nothing is called `register.*`; only grants are.
            return (*number != self.undeclared).then_some(*number);
        }
        let rest = object.strip_prefix("register.")?;
        (!rest.is_empty()).then_some(self.undeclared)
    }

    /// The numbers of the kinds a grant names.
    pub(crate) fn granted(&self, object: &str) -> Vec<usize> {
        if object == "register.*" {
            let register = |n: &usize| *n == self.undeclared || self.all[*n].register.is_some();
            return (0..self.all.len()).filter(register).collect();
        }
        self.by_object.get(object).copied().into_iter().collect()
    }

    /// The number of a kind by its type.
    pub(crate) fn named(&self, name: &EntityTypeName) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// A verb as an action.
    pub(crate) fn action(&self, verb: Verb) -> EntityUid {
        self.actions[verb as usize].clone()
    }
}

/// An entity by type and name.
pub(crate) fn uid(name: &str, id: &str) -> Option<EntityUid> {
    let name = EntityTypeName::from_str(name).ok()?;
    Some(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

fn text() -> Value {
    json!({"type": "String"})
}

fn optional(kind: &str) -> Value {
    json!({"type": kind, "required": false})
}

fn texts() -> Value {
    json!({"type": "Set", "element": {"type": "String"}})
}

fn record(attributes: Value) -> Value {
    json!({"type": "Record", "attributes": attributes})
}

/// The type of a field; numbers with fractions are not compared in policies.
fn of_field(kind: &FieldKind) -> Option<&'static str> {
    match kind {
        FieldKind::Text | FieldKind::Date | FieldKind::Choice { .. } => Some("String"),
        FieldKind::Reference { .. } => Some("String"),
        FieldKind::Integer | FieldKind::Time => Some("Long"),
        FieldKind::Boolean => Some("Boolean"),
        FieldKind::Number => None,
    }
}

fn account() -> Value {
    let party = json!({
        "type": "Record", "required": false,
        "attributes": {"tie": text(), "party": text(), "document": text()},
    });
    json!({"memberOfTypes": ["Role"], "shape": record(json!({
        "name": text(), "organisation": optional("String"), "organisations": texts(), "scope": texts(),
        "person": optional("String"), "proofing": {"type": "Long"}, "factors": texts(),
        "second_factor": {"type": "Boolean"}, "application": optional("String"), "acts_for": party,
    }))})
}

fn member(kind: &Kind) -> Value {
    if !kind.scoped {
        return json!({});
    }
    let mut fields = Map::new();
    for field in kind.register.iter().flat_map(|r| &r.fields) {
        if let Some(name) = of_field(&field.kind) {
            let shape = json!({"type": name, "required": field.required});
            fields.insert(field.name.clone(), shape);
        }
    }
    json!({"shape": record(json!({
        "key": text(), "owner": optional("String"), "district": optional("String"),
        "person": optional("String"), "handler": optional("String"), "fields": record(Value::Object(fields)),
    }))})
}

fn document(kinds: &[Kind]) -> Value {
    let (mut plain, mut registers) = (Map::new(), Map::new());
    plain.insert("Role".into(), json!({}));
    plain.insert("Account".into(), account());
    for kind in kinds {
        match &kind.register {
            Some(register) => registers.insert(register.name.clone(), member(kind)),
            None => plain.insert(kind.name.to_string(), member(kind)),
        };
    }
    let resources: Vec<String> = kinds.iter().map(|k| k.name.to_string()).collect();
    let applies = json!({
        "principalTypes": ["Account"], "resourceTypes": resources,
        "context": record(json!({
            "at": {"type": "Long"}, "purpose": optional("String"), "case": optional("String"),
        })),
    });
    let verbs = Verb::ALL.map(|v| (v.word().to_string(), json!({"appliesTo": applies})));
    let actions: Map<String, Value> = verbs.into_iter().collect();
    let mut document = json!({"": {"entityTypes": plain, "actions": actions}});
    if !registers.is_empty() {
        document["register"] = json!({"entityTypes": registers, "actions": {}});
    }
    document
}
