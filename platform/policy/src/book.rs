//! The book: all policies in force, indexed by verb, kind and role, so that a question evaluates
//! the few that can matter. What has no condition is answered without evaluating anything.

use crate::compile::{self, Glass};
use crate::depth;
use crate::rule::{Asks, Rule, Source, number_of};
use crate::schema::Kinds;
use crate::who::{self, Principals};
use cedar_policy::{Authorizer, Context, Entities, Entity, Policy, PolicySet, Request, Response};
use kernel::access::{Actor, Decision, Missing, Verb};
use kernel::declare::{Declared, RoleDecl};
use kernel::facts::{Facts, Mask, Shown};
use kernel::{Problem, Time, Words};
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Selections of policies kept, at most; then they are made anew.
const KEPT: usize = 10_000;

/// Who asks, as far as the selection of policies goes.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    roles: Vec<String>,
    account: Option<String>,
    purpose: Option<String>,
    verb: Verb,
    kind: usize,
}

/// The policies that can matter for a question.
pub(crate) struct Candidates {
    pub(crate) permits: Vec<usize>,
    pub(crate) forbids: Vec<usize>,
    pub(crate) whole: PolicySet,
    pub(crate) of_kind: PolicySet,
    pub(crate) asks: Asks,
    /// Roles of others that would do.
    pub(crate) would: Vec<String>,
    /// The person's own grants have other purposes than the one named.
    pub(crate) other_purpose: bool,
    /// No condition anywhere: every permission holds.
    pub(crate) simple: bool,
}

/// All policies in force.
pub(crate) struct Book {
    pub(crate) kinds: Arc<Kinds>,
    pub(crate) rules: Vec<Arc<Rule>>,
    pub(crate) glass: Arc<Vec<Glass>>,
    pub(crate) roles: Arc<Vec<RoleDecl>>,
    /// Verb and kind → policies, in order.
    index: HashMap<(Verb, usize), Vec<usize>>,
    purposes: HashSet<String>,
    accounts: HashSet<String>,
    pub(crate) principals: Arc<Principals>,
    kept: RwLock<HashMap<Key, Arc<Candidates>>>,
}

/// An answer, with the policies behind it.
pub(crate) struct Answer {
    pub(crate) decision: Decision,
    /// Permissions that hold, the one named in the decision first.
    pub(crate) holding: Vec<usize>,
    /// Prohibitions that hold.
    pub(crate) forbidding: Vec<usize>,
}

impl Book {
    /// Compiles everything declared; the policies that are sound, and every fault.
    pub(crate) fn compile(declared: &Declared) -> (Option<Book>, Vec<Problem>) {
        depth::with_room(|| Book::compile_here(declared)).unwrap_or_else(|| {
            let words = Words::new("无法编译访问策略", "the access policies cannot be compiled");
            let at = "access".into();
            (None, vec![Problem { at, words }])
        })
    }

    fn compile_here(declared: &Declared) -> (Option<Book>, Vec<Problem>) {
        let kinds = match Kinds::of(declared) {
            Ok(kinds) => Arc::new(kinds),
            Err(faults) => return (None, faults),
        };
        let (compiled, faults) = compile::compile(declared, &kinds);
        let roles = Arc::new(declared.roles());
        let principals = Arc::new(Principals::new(declared, kinds.account.clone()));
        let glass = Arc::new(compiled.glass);
        let rules = compiled.rules.into_iter().map(Arc::new).collect();
        let book = Book::of(kinds, rules, glass, roles, principals);
        (Some(book), faults)
    }

    pub(crate) fn of(
        kinds: Arc<Kinds>,
        rules: Vec<Arc<Rule>>,
        glass: Arc<Vec<Glass>>,
        roles: Arc<Vec<RoleDecl>>,
        principals: Arc<Principals>,
    ) -> Book {
        let mut index: HashMap<(Verb, usize), Vec<usize>> = HashMap::new();
        for (number, rule) in rules.iter().enumerate() {
            debug_assert_eq!(number, rule.number);
            let verbs: BTreeSet<Verb> = rule.verbs.iter().copied().collect();
            for verb in verbs {
                for kind in &rule.kinds {
                    index.entry((verb, *kind)).or_default().push(number);
                }
            }
        }
        Book {
            purposes: rules.iter().map(|r| r.purpose.clone()).collect(),
            accounts: rules.iter().filter_map(|r| r.account.clone()).collect(),
            index,
            kinds,
            rules,
            glass,
            roles,
            principals,
            kept: RwLock::default(),
        }
    }

    /// The same book with these policies.
    pub(crate) fn with(&self, rules: Vec<Arc<Rule>>) -> Book {
        let (kinds, glass, roles) = (self.kinds.clone(), self.glass.clone(), self.roles.clone());
        Book::of(kinds, rules, glass, roles, self.principals.clone())
    }

    /// Every policy about a verb and kind, whoever it speaks of.
    pub(crate) fn about(&self, verb: Verb, kind: usize) -> &[usize] {
        self.index.get(&(verb, kind)).map_or(&[], Vec::as_slice)
    }

    /// The policies that can matter when this person asks.
    pub(crate) fn candidates(&self, actor: &Actor, verb: Verb, kind: usize) -> Arc<Candidates> {
        // Purposes no grant has are all alike: names from outside must not fill the memory.
        let purpose = actor.standing.purpose.as_ref().map(|purpose| {
            let known = self.purposes.contains(purpose);
            if known {
                purpose.clone()
            } else {
                String::new()
            }
        });
        let object = &self.kinds.all[kind].object;
        let key = Key {
            roles: actor.roles_for(object).map(String::from).collect(),
            account: self.accounts.get(&actor.account).cloned(),
            purpose,
            verb,
            kind,
        };
        if let Some(found) = self.kept.read().get(&key) {
            return found.clone();
        }
        let found = Arc::new(self.select(&key));
        let mut kept = self.kept.write();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, found.clone());
        found
    }

    fn select(&self, key: &Key) -> Candidates {
        let (mut permits, mut forbids, mut would) = (vec![], vec![], vec![]);
        let account = key.account.as_deref().unwrap_or_default();
        for number in self.about(key.verb, key.kind) {
            let rule = &self.rules[*number];
            if rule.speaks_of(account, &key.roles) {
                if rule.permits {
                    permits.push(*number);
                } else {
                    forbids.push(*number);
                }
            } else if let Some(role) = rule.role.as_ref().filter(|_| rule.permits) {
                would.push(role.clone());
            }
        }
        let mut seen = HashSet::new();
        would.retain(|role| !key.roles.contains(role) && seen.insert(role.clone()));
        let mut other_purpose = false;
        if let Some(purpose) = &key.purpose {
            let fits = |n: &usize| self.rules[*n].purpose == *purpose && !purpose.is_empty();
            let personal = self.kinds.all[key.kind].personal();
            if permits.iter().any(fits) {
                permits.retain(fits);
            } else if personal && !permits.is_empty() {
                permits.clear();
                other_purpose = true;
            }
        }
        let all = || permits.iter().chain(&forbids).map(|n| &self.rules[*n]);
        let mut asks = Asks::default();
        all().for_each(|rule| asks.add(&rule.asks));
        let set = |policies: Vec<&Policy>| {
            PolicySet::from_policies(policies.into_iter().cloned()).unwrap_or_default()
        };
        Candidates {
            whole: set(all().map(|r| &r.whole).collect()),
            of_kind: set(all().filter_map(|r| r.of_kind.as_ref()).collect()),
            simple: forbids.is_empty() && permits.iter().all(|n| !self.rules[*n].conditional),
            permits,
            forbids,
            asks,
            would,
            other_purpose,
        }
    }

    /// May this person do this: to this record, or to any of the kind?
    pub(crate) fn answer(
        &self,
        actor: &Actor,
        verb: Verb,
        object: &str,
        facts: Option<&Facts>,
        now: Time,
    ) -> Answer {
        let Some(kind) = self.kinds.number(object) else {
            return Answer {
                decision: Decision::denied(vec![]),
                holding: vec![],
                forbidding: vec![],
            };
        };
        let candidates = self.candidates(actor, verb, kind);
        let (mut holding, forbidding, sound) = if candidates.permits.is_empty() {
            (vec![], vec![], true)
        } else if candidates.simple {
            (candidates.permits.clone(), vec![], true)
        } else {
            match self.ask(actor, verb, kind, facts, &candidates, now) {
                Some(response) => self.read(&candidates, &response),
                None => (vec![], vec![], false),
            }
        };
        holding.sort_unstable();
        // Who broke the glass acts in the emergency; otherwise what admitted them goes on.
        let purpose = &actor.grant.purpose;
        let opened = |n: &usize| self.rules[*n].source == Source::BreakGlass;
        let same = |n: &usize| self.rules[*n].purpose == *purpose;
        let first = holding.iter().position(opened);
        if let Some(first) = first.or_else(|| holding.iter().position(same)) {
            holding[..=first].rotate_right(1);
        }
        let decision = match holding.first().filter(|_| forbidding.is_empty() && sound) {
            Some(first) => {
                let rule = &self.rules[*first];
                Decision::Allowed {
                    role: rule.role.clone().unwrap_or_else(|| rule.at.clone()),
                    purpose: rule.purpose.clone(),
                    basis: rule.basis.clone(),
                }
            }
            None => Decision::Denied {
                would: candidates.would.clone(),
                missing: self.missing(actor, verb, kind, facts, &candidates, &forbidding, now),
            },
        };
        Answer {
            decision,
            holding,
            forbidding,
        }
    }

    /// Evaluates the candidates.
    fn ask(
        &self,
        actor: &Actor,
        verb: Verb,
        kind: usize,
        facts: Option<&Facts>,
        candidates: &Candidates,
        now: Time,
    ) -> Option<Response> {
        let (set, entities) = match facts {
            Some(facts) => (
                &candidates.whole,
                self.entities(actor, kind, Some(facts), &candidates.asks),
            ),
            None => (
                &candidates.of_kind,
                self.entities(actor, kind, None, &candidates.asks),
            ),
        };
        let request = self.request(actor, verb, kind, facts, candidates.asks.context, now);
        Some(Authorizer::new().is_authorized(&request?, set, &entities))
    }

    /// The person and, when one is asked about, the record.
    pub(crate) fn entities(
        &self,
        actor: &Actor,
        kind: usize,
        facts: Option<&Facts>,
        asks: &Asks,
    ) -> Entities {
        let principal = self.principals.of(actor, &self.kinds.all[kind].object);
        let record: Option<Entity> = facts
            .filter(|_| asks.record)
            .and_then(|facts| who::record(&self.kinds.all[kind], facts, asks));
        let Some(record) = record else {
            return principal.alone.clone();
        };
        let both = [principal.entity.clone(), record];
        Entities::from_entities(both, None).unwrap_or_else(|_| principal.alone.clone())
    }

    fn request(
        &self,
        actor: &Actor,
        verb: Verb,
        kind: usize,
        facts: Option<&Facts>,
        context: bool,
        now: Time,
    ) -> Option<Request> {
        let kind = &self.kinds.all[kind];
        let resource = facts.map_or_else(|| kind.any.clone(), |facts| kind.member(&facts.key));
        let context = if context {
            who::context(actor, now)
        } else {
            Context::empty()
        };
        let principal = self.principals.of(actor, &kind.object).uid.clone();
        Request::new(principal, self.kinds.action(verb), resource, context, None).ok()
    }

    /// Permissions and prohibitions that hold, and whether every prohibition could be evaluated:
    /// one that cannot is taken to hold.
    fn read(&self, candidates: &Candidates, response: &Response) -> (Vec<usize>, Vec<usize>, bool) {
        let errors = response.diagnostics().errors();
        let failed: HashSet<usize> = errors
            .filter_map(|e| {
                let cedar_policy::AuthorizationError::PolicyEvaluationError(e) = e;
                number_of(e.policy_id())
            })
            .collect();
        let sound = !candidates.forbids.iter().any(|n| failed.contains(n));
        let reasons = response.diagnostics().reason().filter_map(number_of);
        let (mut holding, forbidding): (Vec<usize>, Vec<usize>) =
            reasons.partition(|n| self.rules[*n].permits);
        // The first permission that holds names purpose and basis; when something forbids, Cedar
        // names the prohibition only.
        if !forbidding.is_empty() {
            holding.clear();
        }
        (holding, forbidding, sound)
    }

    /// What keeps the person's own grants from allowing it: of the grant that comes closest.
    #[allow(clippy::too_many_arguments)]
    fn missing(
        &self,
        actor: &Actor,
        verb: Verb,
        kind: usize,
        facts: Option<&Facts>,
        candidates: &Candidates,
        forbidding: &[usize],
        now: Time,
    ) -> Vec<Missing> {
        let mut missing: Vec<Missing> = vec![];
        if candidates.other_purpose {
            missing.push(Missing::Purpose);
        }
        missing.extend(
            forbidding
                .iter()
                .map(|n| Missing::Condition(self.rules[*n].at.clone())),
        );
        missing.extend(self.closest(actor, verb, kind, facts, candidates, now));
        let glass = self.glass.iter().any(|glass| {
            actor.roles.contains(&glass.role)
                && glass.kinds.contains(&kind)
                && glass.grant.verbs.contains(&verb)
        });
        if glass {
            missing.push(Missing::BreakGlass);
        }
        missing
    }

    /// The fewest conditions that keep a grant from holding.
    fn closest(
        &self,
        actor: &Actor,
        verb: Verb,
        kind: usize,
        facts: Option<&Facts>,
        candidates: &Candidates,
        now: Time,
    ) -> Vec<Missing> {
        if candidates.permits.is_empty() {
            return vec![];
        }
        let entities = self.entities(actor, kind, facts, &candidates.asks);
        let Some(request) = self.request(actor, verb, kind, facts, true, now) else {
            return vec![];
        };
        let mut closest: Vec<Missing> = vec![];
        for number in &candidates.permits {
            let unmet = self.unmet(&entities, &request, facts, *number);
            let closer = closest.is_empty() || unmet.len() < closest.len();
            if !unmet.is_empty() && closer {
                closest = unmet;
            }
            if closest.len() == 1 {
                break;
            }
        }
        closest
    }

    /// The conditions of a policy that do not hold, in words of the policy.
    pub(crate) fn unmet_of(
        &self,
        actor: &Actor,
        verb: Verb,
        kind: usize,
        facts: Option<&Facts>,
        number: usize,
        now: Time,
    ) -> Vec<Missing> {
        let entities = self.entities(actor, kind, facts, &self.rules[number].asks);
        let request = self.request(actor, verb, kind, facts, true, now);
        request.map_or_else(Vec::new, |request| {
            self.unmet(&entities, &request, facts, number)
        })
    }

    /// The same, with what is asked at hand.
    fn unmet(
        &self,
        entities: &Entities,
        request: &Request,
        facts: Option<&Facts>,
        number: usize,
    ) -> Vec<Missing> {
        let rule = &self.rules[number];
        let authorizer = Authorizer::new();
        let mut unmet = vec![];
        for (missing, alone) in &rule.clauses {
            let about_record = matches!(missing, Missing::Scope(_) | Missing::Condition(_));
            if facts.is_none() && about_record && rule.asks.record {
                continue;
            }
            let response = authorizer.is_authorized(request, alone, entities);
            if response.diagnostics().reason().next().is_none() {
                unmet.push(missing.clone());
            }
        }
        if unmet.is_empty() && facts.is_some() {
            // The policy names one record, and it is another.
            let response = authorizer.is_authorized(request, &rule.alone, entities);
            if response.diagnostics().reason().next().is_none() {
                unmet.push(Missing::Condition(rule.at.clone()));
            }
        }
        unmet.dedup();
        unmet
    }

    /// How personal fields are shown: of one record under the policies that allow it with one
    /// purpose; of the kind, the least that is shown of any record.
    pub(crate) fn mask(
        &self,
        actor: &Actor,
        verb: Verb,
        object: &str,
        facts: Option<&Facts>,
        now: Time,
    ) -> Mask {
        let answer = self.answer(actor, verb, object, facts, now);
        let (Some(kind), true) = (self.kinds.number(object), answer.decision.allowed()) else {
            return Mask::default();
        };
        let Some(register) = &self.kinds.all[kind].register else {
            return Mask::clear();
        };
        let first = answer.holding.first().map(|n| &self.rules[*n].purpose);
        let same: Vec<&Arc<Rule>> = answer
            .holding
            .iter()
            .map(|n| &self.rules[*n])
            .filter(|rule| Some(&rule.purpose) == first)
            .collect();
        let mut fields = BTreeMap::new();
        for field in register.fields.iter().filter(|f| f.personal) {
            let each = same.iter().map(|rule| rule.shows(&field.name));
            let shown = match facts {
                Some(_) => each.max(),
                None => answer
                    .holding
                    .iter()
                    .map(|n| self.rules[*n].shows(&field.name))
                    .min(),
            };
            fields.insert(field.name.clone(), shown.unwrap_or_default());
        }
        Mask {
            fields,
            otherwise: Shown::Withheld,
        }
    }
}
