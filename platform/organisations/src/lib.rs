//! organisations: the tree a city is made of with its history, who holds which position in it,
//! who stands in for whom, and what is handed over when somebody moves. Everything is in memory
//! and answered from there; a change is decided on a draft, checked, and written with its audit
//! entry and event in one transaction. Other processes on the same store hear of it by the event.

mod acts;
mod book;
mod check;
mod delegations;
mod directory;
mod files;
mod heirs;
mod model;
mod people;
#[cfg(test)]
mod properties;
mod read;
mod snapshot;
mod staff;
mod tree;

pub use delegations::lend;
pub use directory::Entry;
pub use files::{FileMember, Format, Imported};
pub use model::{
    Act, Appointment, Deed, Delegation, DelegationState, HandOver, HandedItem, Leave, Member,
    NewAct, NewAppointment, NewDelegation, NewLeave, NewOrganisation, NewPosition, Position, Rank,
};
pub use people::{KnowsRole, MemberChange, PositionChange};
pub use read::{Answer, Found, Listed, Page};
pub use staff::NewHandOver;

use acts::Declaration;
use book::{Book, Draft};
use kernel::access::Actor;
use kernel::declare::Declared;
use kernel::events::EventKind;
use kernel::organisations::{Organisation, Organisations};
use kernel::{Clock, Fault, Time};
use parking_lot::RwLock;
use serde_json::{Value, json};
use snapshot::Snapshot;
use std::sync::{Arc, Weak};
use store::audit::{self, AuditEntry};
use store::{Run, Store, Tx, events, organisations as rows};
use tree::Tree;

/// Bytes of events looked at in one go.
const EVENTS_BYTES: usize = 4 << 20;

/// The engine of organisations.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    state: RwLock<Arc<Snapshot>>,
    follower: parking_lot::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// What is written down about a change.
struct Deeds<'a> {
    verb: &'a str,
    object: &'a str,
    subject: String,
    details: Value,
}

async fn load(run: &mut impl Run) -> Result<Book, Fault> {
    let version = rows::version(run).await?;
    Book::of(version, &rows::all(run).await?)
}

impl Engine {
    /// Opens the engine, brings the tree into step with the files of the city, and follows the
    /// log for what other processes change.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        declared: Arc<Declared>,
    ) -> Result<Arc<Engine>, Fault> {
        let seen = store.events().last_seq();
        let book = load(&mut store.snapshot().await?).await?;
        let now = clock.now();
        let engine = Arc::new(Engine {
            store,
            clock,
            state: RwLock::new(Arc::new(Snapshot::at(Arc::new(book), now))),
            follower: parking_lot::Mutex::default(),
        });
        engine.declare(&declared).await?;
        let weak = Arc::downgrade(&engine);
        let events = engine.store.clone();
        *engine.follower.lock() = Some(tokio::spawn(follow(weak, events, seen)));
        Ok(engine)
    }

    /// Stops following the log.
    pub fn shutdown(&self) {
        if let Some(follower) = self.follower.lock().take() {
            follower.abort();
        }
    }

    /// Brings the tree into step with the files of the city.
    pub async fn declare(&self, declared: &Declared) -> Result<(), Fault> {
        let declared: Vec<Declaration<'_>> = declared
            .city
            .organisations
            .iter()
            .map(|o| Declaration {
                code: &o.code,
                kind: o.kind,
                title: &o.title,
                parent: o.parent.as_deref(),
                credit_code: o.credit_code.as_deref(),
                division: o.division.as_deref(),
                letter_word: o.letter_word.as_deref(),
            })
            .collect();
        self.write(&Actor::system(), |draft| {
            acts::declare(draft, &declared);
            let deeds = Deeds {
                verb: "operate",
                object: "organisations",
                subject: String::new(),
                details: json!({ "what": "declared" }),
            };
            Ok(((), deeds))
        })
        .await
    }

    /// Does an act on the tree. Every fault is named and nothing done.
    pub async fn act(&self, by: &Actor, new: &NewAct) -> Result<Act, Fault> {
        self.act_or_try(by, new, false).await
    }

    /// The same; with `dry` nothing is written.
    pub async fn act_or_try(&self, by: &Actor, new: &NewAct, dry: bool) -> Result<Act, Fault> {
        let decide = |draft: &mut Draft| {
            let act = acts::act(draft, &by.account, new).map_err(Fault::invalid)?;
            let deeds = Deeds {
                verb: "operate",
                object: "organisations",
                subject: match act.codes.as_slice() {
                    [one] => one.clone(),
                    _ => act.id.clone(),
                },
                details: json!({
                    "what": act.what, "on": act.on, "reason": act.reason, "deed": act.details,
                }),
            };
            Ok((act, deeds))
        };
        if !dry {
            return self.write(by, decide).await;
        }
        let now = self.clock.now();
        let mut draft = Draft::new(&self.now().book, now);
        let (act, _) = decide(&mut draft)?;
        let problems = check::problems(&draft);
        if problems.is_empty() {
            Ok(act)
        } else {
            Err(Fault::invalid(problems))
        }
    }

    /// Decides on a draft of the newest state and writes what it touched, with audit entry and
    /// event, in one transaction. A draft that touched nothing writes nothing.
    async fn write<'a, T>(
        &self,
        by: &Actor,
        decide: impl FnOnce(&mut Draft) -> Result<(T, Deeds<'a>), Fault>,
    ) -> Result<T, Fault> {
        let mut tx = self.store.begin().await?;
        let (draft, answer) = self.decide(&mut tx, decide).await?;
        let Some((draft, deeds)) = draft else {
            return Ok(answer);
        };
        self.finish(tx, by, draft, deeds).await?;
        Ok(answer)
    }

    async fn decide<'a, T>(
        &self,
        tx: &mut Tx,
        decide: impl FnOnce(&mut Draft) -> Result<(T, Deeds<'a>), Fault>,
    ) -> Result<(Option<(Draft, Deeds<'a>)>, T), Fault> {
        let now = self.clock.now();
        let known = self.now().book.clone();
        let newest = match rows::version(tx).await? {
            version if version == known.version => known,
            _ => Arc::new(load(tx).await?),
        };
        let mut draft = Draft::new(&newest, now);
        let (answer, deeds) = decide(&mut draft)?;
        if draft.is_untouched() {
            return Ok((None, answer));
        }
        let problems = check::problems(&draft);
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        Ok((Some((draft, deeds)), answer))
    }

    async fn finish(
        &self,
        mut tx: Tx,
        by: &Actor,
        mut draft: Draft,
        deeds: Deeds<'_>,
    ) -> Result<(), Fault> {
        let now = draft.now;
        draft.book.version += 1;
        rows::put(&mut tx, &draft.rows()?, draft.book.version).await?;
        let mut details = deeds.details;
        if let (Some(party), Some(map)) = (&by.standing.acts_for, details.as_object_mut()) {
            map.insert("for".into(), json!(party));
        }
        let entry = AuditEntry {
            at: now,
            account: by.account.clone(),
            verb: deeds.verb.into(),
            object: deeds.object.into(),
            subject: deeds.subject.clone(),
            purpose: by.grant.purpose.clone(),
            basis: by.grant.basis.clone(),
            details,
            outcome: "done".into(),
        };
        audit::append(&mut tx, &entry).await?;
        let body =
            json!({ "version": draft.book.version, "object": deeds.object, "by": by.account });
        let body = body.to_string();
        events::append(
            &mut tx,
            now,
            EventKind::Organisation,
            &deeds.subject,
            body.as_bytes(),
        )
        .await?;
        tx.commit().await?;
        self.know(Arc::new(draft.book));
        Ok(())
    }

    /// Takes a newer book into use.
    fn know(&self, book: Arc<Book>) {
        let mut state = self.state.write();
        if book.version > state.book.version {
            *state = Arc::new(Snapshot::at(book, self.clock.now()));
        }
    }

    /// The state of now.
    fn now(&self) -> Arc<Snapshot> {
        let now = self.clock.now();
        let state = self.state.read().clone();
        if state.holds_at(now) {
            return state;
        }
        let fresh = Arc::new(Snapshot::at(state.book.clone(), now));
        let mut held = self.state.write();
        // Somebody may have written meanwhile; theirs is newer.
        if held.book.version == fresh.book.version {
            *held = fresh.clone();
        }
        fresh
    }

    /// Reads the store anew when it has changed.
    async fn refresh(&self) -> Result<(), Fault> {
        let mut reader = self.store.snapshot().await?;
        if rows::version(&mut reader).await? > self.now().book.version {
            self.know(Arc::new(load(&mut reader).await?));
        }
        Ok(())
    }

    /// Asks a tree: the one of now, or one laid out for that moment.
    fn on_tree<T>(&self, at: Option<Time>, ask: impl FnOnce(&Tree) -> T) -> T {
        let now = self.now();
        match at {
            None => ask(&now.tree),
            Some(at) if now.holds_at(at) => ask(&now.tree),
            Some(at) => ask(&Tree::at(&now.book, at)),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Follows the log: another process may have changed the tree.
async fn follow(engine: Weak<Engine>, store: Store, mut seen: i64) {
    loop {
        let news = store.events().wait_beyond(seen).await;
        let Some(engine) = engine.upgrade() else {
            return;
        };
        let outcome = async {
            news?;
            let events = store.events().read(seen, EVENTS_BYTES).await?;
            let known = engine.state.read().book.version;
            let newer = events.iter().any(|event| {
                event.kind == EventKind::Organisation
                    && serde_json::from_slice::<Value>(&event.body)
                        .is_ok_and(|body| body["version"].as_i64().is_some_and(|v| v > known))
            });
            if newer {
                engine.refresh().await?;
            }
            Ok::<i64, Fault>(events.last().map_or(seen, |event| event.seq))
        };
        match outcome.await {
            Ok(last) => seen = last,
            Err(fault) => {
                tracing::warn!(%fault, "changes of organisations by others are not heard of");
                drop(engine);
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}

impl Organisations for Engine {
    fn get(&self, code: &str, at: Option<Time>) -> Option<Arc<Organisation>> {
        match at {
            None => self.now().tree.get(code).cloned(),
            Some(at) => {
                let book = self.now().book.clone();
                book.organisation(code, at).cloned().map(Arc::new)
            }
        }
    }

    fn below(&self, code: &str, at: Option<Time>) -> Arc<[String]> {
        match at {
            None => self.now().below(code),
            Some(_) => self.on_tree(at, |tree| tree.below(code).into()),
        }
    }

    fn above(&self, code: &str, at: Option<Time>) -> Vec<String> {
        self.on_tree(at, |tree| {
            let above = tree.above(code);
            above.iter().map(|o| o.code.clone()).collect()
        })
    }

    fn path(&self, code: &str, at: Option<Time>) -> Vec<Arc<Organisation>> {
        self.on_tree(at, |tree| {
            let mut path: Vec<_> = tree.above(code).into_iter().rev().cloned().collect();
            path.extend(tree.get(code).cloned());
            path
        })
    }

    fn successor(&self, code: &str) -> Option<String> {
        self.now().heirs.successor(code).map(String::from)
    }

    fn predecessors(&self, code: &str) -> Vec<String> {
        self.now().heirs.predecessors(code).to_vec()
    }

    fn dress(&self, actor: &mut Actor) {
        let dress = self
            .now()
            .dress(&actor.account, actor.organisation.as_deref());
        actor.standing.organisations = dress.organisations.clone();
        actor.standing.scope = dress.scope.clone();
        for role in &dress.roles {
            if !actor.roles.contains(role) {
                actor.roles.push(role.clone());
            }
        }
    }
}
