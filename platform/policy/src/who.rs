//! Who asks and about what, as entities of Cedar: the account with its standing (kept, since the
//! same people ask again and again), and the record with what policies ask about it.

use crate::rule::Asks;
use crate::schema::{Kind, uid};
use cedar_policy::RestrictedExpression as Value;
use cedar_policy::{Context, Entities, Entity, EntityId, EntityTypeName, EntityUid};
use kernel::Time;
use kernel::access::{Actor, Tie};
use kernel::declare::Declared;
use kernel::facts::Facts;
use parking_lot::RwLock;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// People kept, at most; then they are made anew.
const KEPT: usize = 20_000;

/// A person as policies see them.
pub(crate) struct Principal {
    pub(crate) uid: EntityUid,
    pub(crate) entity: Entity,
    /// Nobody else.
    pub(crate) alone: Entities,
    of: Actor,
}

/// The people who asked lately.
pub(crate) struct Principals {
    /// Their type.
    accounts: EntityTypeName,
    /// Organisation → itself and all below it, as declared.
    below: Arc<HashMap<String, Vec<String>>>,
    /// By account, without and with what is lent.
    kept: [RwLock<HashMap<String, Arc<Principal>>>; 2],
}

fn text(text: &str) -> Value {
    Value::new_string(text.into())
}

fn texts(texts: &[String]) -> Value {
    Value::new_set(texts.iter().map(|t| text(t)))
}

impl Principals {
    pub(crate) fn new(declared: &Declared, accounts: EntityTypeName) -> Principals {
        let all = &declared.city.organisations;
        let mut below: HashMap<String, Vec<String>> = HashMap::new();
        for organisation in all {
            let mut at = Some(organisation);
            // The tree is bounded by its own size, whatever is written in the file.
            for _ in 0..all.len() {
                let Some(found) = at else { break };
                below
                    .entry(found.code.clone())
                    .or_default()
                    .push(organisation.code.clone());
                let parent = found.parent.as_ref();
                at = parent.and_then(|code| all.iter().find(|o| o.code == *code));
            }
        }
        Principals {
            accounts,
            below: Arc::new(below),
            kept: Default::default(),
        }
    }

    /// The person as policies see them when asking about this object: with the roles lent by a
    /// delegation as far as that reaches.
    pub(crate) fn of(&self, actor: &Actor, object: &str) -> Arc<Principal> {
        let lent = actor
            .standing
            .lent
            .as_ref()
            .is_some_and(|lent| lent.reaches(object));
        let kept = &self.kept[usize::from(lent)];
        if let Some(found) = kept.read().get(&actor.account)
            && same(&found.of, actor)
        {
            return found.clone();
        }
        let roles: Vec<&str> = actor.roles_for(object).collect();
        let made = Arc::new(self.make(actor, &roles));
        let mut kept = kept.write();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(actor.account.clone(), made.clone());
        made
    }

    fn make(&self, actor: &Actor, roles: &[&str]) -> Principal {
        let name =
            EntityUid::from_type_name_and_id(self.accounts.clone(), EntityId::new(&actor.account));
        let roles: HashSet<EntityUid> = roles.iter().filter_map(|r| uid("Role", r)).collect();
        let attributes = self.attributes(actor);
        let entity = Entity::new(name.clone(), attributes, roles);
        let entity = entity.unwrap_or_else(|_| Entity::new_no_attrs(name.clone(), HashSet::new()));
        let alone = Entities::from_entities([entity.clone()], None);
        Principal {
            uid: name,
            alone: alone.unwrap_or_else(|_| Entities::empty()),
            entity,
            of: Actor {
                grant: Default::default(),
                display: String::new(),
                ..actor.clone()
            },
        }
    }

    fn attributes(&self, actor: &Actor) -> HashMap<String, Value> {
        let standing = &actor.standing;
        let (mut own, mut scope) = (standing.organisations.clone(), standing.scope.clone());
        if let (true, Some(code)) = (own.is_empty(), &actor.organisation) {
            own.push(code.clone());
        }
        if scope.is_empty() {
            let below = own.iter().flat_map(|code| match self.below.get(code) {
                Some(below) => below.clone(),
                None => vec![code.clone()],
            });
            scope = below.collect();
        }
        let strong = ["otp", "passkey", "recovery", "mfa"];
        let second = standing
            .factors
            .iter()
            .any(|f| strong.contains(&f.as_str()));
        let mut all: HashMap<String, Value> = HashMap::from([
            ("name".into(), text(&actor.account)),
            ("organisations".into(), texts(&own)),
            ("scope".into(), texts(&scope)),
            (
                "proofing".into(),
                Value::new_long(i64::from(standing.proofing)),
            ),
            ("factors".into(), texts(&standing.factors)),
            ("second_factor".into(), Value::new_bool(second)),
        ]);
        let optional = [
            ("organisation", &actor.organisation),
            ("person", &standing.person),
            ("application", &standing.application),
        ];
        for (name, value) in optional {
            all.extend(value.as_ref().map(|v| (name.to_string(), text(v))));
        }
        if let Some(party) = &standing.acts_for {
            let tie = match party.tie {
                Tie::Delegation => "delegation",
                Tie::Representative => "representative",
                Tie::Agent => "agent",
                Tie::Guardian => "guardian",
            };
            let parts = [
                ("tie", tie),
                ("party", &party.party),
                ("document", &party.document),
            ];
            let record = Value::new_record(parts.map(|(n, v)| (n.to_string(), text(v))));
            all.extend(record.ok().map(|r| ("acts_for".to_string(), r)));
        }
        all
    }
}

/// Is everything the same that policies can see?
fn same(kept: &Actor, actor: &Actor) -> bool {
    let (a, b) = (&kept.standing, &actor.standing);
    kept.account == actor.account
        && kept.roles == actor.roles
        && kept.organisation == actor.organisation
        && a.lent == b.lent
        && a.organisations == b.organisations
        && a.scope == b.scope
        && a.person == b.person
        && a.proofing == b.proofing
        && a.factors == b.factors
        && a.application == b.application
        && a.acts_for == b.acts_for
}

/// Purpose, time and case.
pub(crate) fn context(actor: &Actor, now: Time) -> Context {
    let mut pairs = vec![("at".to_string(), Value::new_long(now.0))];
    let named = [
        ("purpose", &actor.standing.purpose),
        ("case", &actor.standing.case),
    ];
    for (name, value) in named {
        pairs.extend(value.as_ref().map(|v| (name.to_string(), text(v))));
    }
    Context::from_pairs(pairs).unwrap_or_else(|_| Context::empty())
}

/// A record with what policies ask about it.
pub(crate) fn record(kind: &Kind, facts: &Facts, asks: &Asks) -> Option<Entity> {
    let mut all: HashMap<String, Value> = HashMap::from([("key".into(), text(&facts.key))]);
    let optional = [
        ("owner", &facts.owner),
        ("district", &facts.district),
        ("person", &facts.person),
        ("handler", &facts.handler),
    ];
    for (name, value) in optional {
        all.extend(value.as_ref().map(|v| (name.to_string(), text(v))));
    }
    let mut fields = vec![];
    if asks.all_fields || !asks.fields.is_empty() {
        for field in kind.register.iter().flat_map(|r| &r.fields) {
            if !asks.all_fields && !asks.fields.contains(&field.name) {
                continue;
            }
            let value = facts
                .fields
                .get(&field.name)
                .and_then(|v| crate::narrow::scalar(&field.kind, v));
            fields.extend(value.map(|v| (field.name.clone(), crate::narrow::value(v))));
        }
    }
    all.insert("fields".into(), Value::new_record(fields).ok()?);
    Entity::new(kind.member(&facts.key), all, HashSet::new()).ok()
}
