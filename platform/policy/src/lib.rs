//! policy: who may do what to which record, for which purpose and on which legal basis. Grants of
//! the roles files and the Cedar files of systems and cities are compiled into Cedar policies
//! against a typed schema made of the declarations; code asks, these answer. Denied unless a
//! policy permits; a prohibition that cannot be evaluated is taken to hold.

mod book;
mod compile;
mod depth;
mod narrow;
mod rule;
mod schema;
mod who;

pub use rule::Source;

use book::Book;
use kernel::access::{Actor, Decision, Policy, Verb};
use kernel::declare::{Declared, RoleDecl};
use kernel::facts::{Facts, Filter, Mask};
use kernel::fault::FaultKind;
use kernel::{Clock, Fault, Problem};
use parking_lot::RwLock;
use std::sync::Arc;

/// Every fault of the policies declared, each with file and line.
pub fn check(declared: &Declared) -> Vec<Problem> {
    Book::compile(declared).1
}

/// The policy engine.
pub struct Engine {
    clock: Arc<dyn Clock>,
    book: RwLock<Arc<Book>>,
}

impl Engine {
    /// Compiles everything declared; `declaration.invalid` with every fault.
    pub fn new(clock: Arc<dyn Clock>, declared: &Declared) -> Result<Arc<Engine>, Fault> {
        match Book::compile(declared) {
            (Some(book), faults) if faults.is_empty() => Ok(Arc::new(Engine {
                clock,
                book: RwLock::new(Arc::new(book)),
            })),
            (_, faults) => {
                let mut fault = Fault::new(
                    FaultKind::Invalid,
                    "declaration.invalid",
                    "访问策略有误",
                    "the access policies are not sound",
                );
                fault.problems = faults;
                Err(fault)
            }
        }
    }

    fn book(&self) -> Arc<Book> {
        self.book.read().clone()
    }

    /// The declared roles.
    pub fn roles(&self) -> Vec<RoleDecl> {
        self.book().roles.to_vec()
    }

    /// Everything an actor may do by their roles: verbs and objects as granted (`register.*` stays
    /// as it is), in order, each once. What Cedar files add is not in it.
    pub fn may_list(&self, actor: &Actor) -> Vec<(Verb, String)> {
        let book = self.book();
        let mut list: Vec<(Verb, String)> = vec![];
        let mine = book.roles.iter().filter(|role| {
            let lent = actor.standing.lent.as_ref();
            actor.roles.contains(&role.name)
                || lent.is_some_and(|lent| lent.roles.contains(&role.name))
        });
        for grant in mine
            .flat_map(|role| &role.may)
            .filter(|grant| !grant.break_glass)
        {
            for verb in &grant.verbs {
                let may = |object: &&String| {
                    object.ends_with(".*") || self.may(actor, *verb, object).allowed()
                };
                list.extend(grant.objects.iter().filter(may).map(|o| (*verb, o.clone())));
            }
        }
        list.sort();
        list.dedup();
        list
    }
}

impl Policy for Engine {
    fn may(&self, actor: &Actor, verb: Verb, object: &str) -> Decision {
        self.book()
            .answer(actor, verb, object, None, self.clock.now())
            .decision
    }

    fn may_this(&self, actor: &Actor, verb: Verb, object: &str, facts: &Facts) -> Decision {
        self.book()
            .answer(actor, verb, object, Some(facts), self.clock.now())
            .decision
    }

    fn filter(&self, actor: &Actor, verb: Verb, object: &str) -> Filter {
        self.book().filter(actor, verb, object, self.clock.now())
    }

    fn mask(&self, actor: &Actor, verb: Verb, object: &str, facts: Option<&Facts>) -> Mask {
        self.book()
            .mask(actor, verb, object, facts, self.clock.now())
    }
}
