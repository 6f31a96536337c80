//! policy: who may do what to which record, for which purpose and on which legal basis. Grants of
//! the roles files and the Cedar files of systems and cities are compiled into Cedar policies
//! against a typed schema made of the declarations; code asks, these answer. Denied unless a
//! policy permits; a prohibition that cannot be evaluated is taken to hold.

mod book;
mod compile;
mod depth;
mod explain;
mod grants;
mod narrow;
mod rule;
mod schema;
mod who;

pub use explain::{Cited, Explained, MatrixLine};
pub use grants::{
    Break, Breakable, GLASS_A_DAY, GLASS_MINUTES, GivenGrant, LONGEST, NewGrant, Review,
};
pub use rule::Source;

use book::Book;
use kernel::access::{Actor, Decision, Policy, Verb};
use kernel::declare::{Declared, RoleDecl};
use kernel::facts::{Facts, Filter, Mask};
use kernel::fault::FaultKind;
use kernel::{Clock, Fault, Problem, Words};
use parking_lot::{Mutex, RwLock};
use std::sync::Arc;
use store::Store;
use store::grants::GrantRow;

/// Every fault of the policies declared, each with file and line.
pub fn check(declared: &Declared) -> Vec<Problem> {
    Book::compile(declared).1
}

/// The policy engine.
pub struct Engine {
    clock: Arc<dyn Clock>,
    store: Option<Store>,
    /// What is declared.
    declared: Arc<Book>,
    /// That and the grants for some time.
    book: RwLock<Arc<Book>>,
    /// Those grants.
    given: Mutex<Vec<GrantRow>>,
}

impl Engine {
    /// Compiles everything declared and reads the grants for some time; `declaration.invalid` with
    /// every fault.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        declared: &Declared,
    ) -> Result<Arc<Engine>, Fault> {
        let engine = Arc::new(Engine::compiled(Some(store), clock, declared)?);
        engine.refresh().await?;
        Ok(engine)
    }

    /// Only what is declared; grants for some time neither count nor can be given.
    pub fn new(clock: Arc<dyn Clock>, declared: &Declared) -> Result<Arc<Engine>, Fault> {
        Engine::compiled(None, clock, declared).map(Arc::new)
    }

    fn compiled(
        store: Option<Store>,
        clock: Arc<dyn Clock>,
        declared: &Declared,
    ) -> Result<Engine, Fault> {
        match Book::compile(declared) {
            (Some(book), faults) if faults.is_empty() => {
                let book = Arc::new(book);
                Ok(Engine {
                    clock,
                    store,
                    declared: book.clone(),
                    book: RwLock::new(book),
                    given: Mutex::default(),
                })
            }
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

    fn role_title(&self, name: &str) -> Words {
        let book = self.book();
        let known = book.roles.iter().find(|role| role.name == name);
        known.map_or_else(|| Words::new(name, name), |role| role.title.clone())
    }

    fn mask(&self, actor: &Actor, verb: Verb, object: &str, facts: Option<&Facts>) -> Mask {
        self.book()
            .mask(actor, verb, object, facts, self.clock.now())
    }
}
