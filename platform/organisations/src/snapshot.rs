//! What the engine answers from: the book, the tree of now, and what positions give to each
//! account, laid out until the next moment at which something begins or ends.

use crate::book::Book;
use crate::heirs::Heirs;
use crate::model::{Appointment, Position, Rank};
use crate::tree::Tree;
use kernel::Time;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The role of everybody who works for an organisation.
pub(crate) const STAFF: &str = "staff";

/// What an account holds now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    pub position: Arc<Position>,
    pub appointment: Arc<Appointment>,
}

/// What an actor is dressed with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dress {
    pub organisations: Vec<String>,
    pub scope: Arc<[String]>,
    pub roles: Vec<String>,
    /// Organisation written in the account when it was made.
    home: Option<String>,
}

/// The state between two moments.
pub(crate) struct Snapshot {
    pub book: Arc<Book>,
    pub tree: Tree,
    pub heirs: Heirs,
    /// By account, the main position first.
    pub held: FxHashMap<String, Vec<Held>>,
    /// Good from here …
    since: i64,
    /// … to here.
    until: i64,
    scopes: RwLock<FxHashMap<String, Arc<[String]>>>,
    dresses: RwLock<FxHashMap<String, Arc<Dress>>>,
}

impl Snapshot {
    /// Lays out the state at a moment.
    pub fn at(book: Arc<Book>, now: Time) -> Snapshot {
        let moments = book.moments();
        let next = moments.partition_point(|moment| *moment <= now.0);
        let since = if next == 0 {
            i64::MIN
        } else {
            moments[next - 1]
        };
        let until = moments.get(next).copied().unwrap_or(i64::MAX);
        Snapshot {
            tree: Tree::at(&book, now),
            heirs: Heirs::at(&book, now),
            held: held(&book, now),
            since,
            until,
            book,
            scopes: RwLock::default(),
            dresses: RwLock::default(),
        }
    }

    /// Does it still say the truth?
    pub fn holds_at(&self, now: Time) -> bool {
        (self.since..self.until).contains(&now.0)
    }

    /// An organisation and everything below it, shared.
    pub fn below(&self, code: &str) -> Arc<[String]> {
        if let Some(known) = self.scopes.read().get(code) {
            return known.clone();
        }
        let below: Arc<[String]> = self.tree.below(code).into();
        if !below.is_empty() {
            self.scopes.write().insert(code.into(), below.clone());
        }
        below
    }

    /// What an account is dressed with; `home` is the organisation written in the account itself,
    /// which counts for those who hold no position.
    pub fn dress(&self, account: &str, home: Option<&str>) -> Arc<Dress> {
        if let Some(known) = self.dresses.read().get(account) {
            // The account may have been moved meanwhile; then its home is not the same.
            let held = self.held.contains_key(account);
            if held || known.home.as_deref() == home {
                return known.clone();
            }
        }
        let dress = Arc::new(self.make_dress(account, home));
        let mut dresses = self.dresses.write();
        // Accounts that do not exist cannot fill the memory for long.
        if dresses.len() > 100_000 {
            dresses.clear();
        }
        dresses.insert(account.into(), dress.clone());
        dress
    }

    fn make_dress(&self, account: &str, home: Option<&str>) -> Dress {
        let mut dress = Dress {
            home: home.map(String::from),
            ..Dress::default()
        };
        let add = |list: &mut Vec<String>, text: &str| {
            if !list.iter().any(|known| known == text) {
                list.push(text.into());
            }
        };
        match self.held.get(account) {
            Some(held) => {
                add(&mut dress.roles, STAFF);
                for one in held {
                    add(&mut dress.organisations, &one.position.organisation);
                    for role in &one.position.roles {
                        add(&mut dress.roles, role);
                    }
                }
            }
            None => {
                let home = home.map(|code| self.heirs.home(code).unwrap_or(code));
                let home = home.and_then(|code| self.tree.get(code));
                if let Some(home) = home {
                    if home.kind != kernel::organisations::OrganisationKind::Public {
                        add(&mut dress.roles, STAFF);
                    }
                    add(&mut dress.organisations, &home.code);
                }
            }
        }
        dress.scope = match dress.organisations.as_slice() {
            [] => Arc::default(),
            [one] => self.below(one),
            several => {
                let mut scope: Vec<String> = vec![];
                let mut ends = 0;
                let mut places: Vec<usize> =
                    several.iter().filter_map(|c| self.tree.place(c)).collect();
                places.sort_unstable();
                for place in places {
                    // One below another is in its stretch already.
                    if place >= ends {
                        let code = &self.tree.nodes[place].organisation.code;
                        scope.extend(self.tree.below(code).iter().cloned());
                        ends = self.tree.nodes[place].end;
                    }
                }
                scope.into()
            }
        };
        self.add_predecessors(&mut dress);
        dress
    }

    /// Adds those whose work is with the organisations of an actor.
    fn add_predecessors(&self, dress: &mut Dress) {
        let of = |codes: &[String]| -> Vec<String> {
            let heirs = codes.iter().map(|code| self.heirs.predecessors(code));
            heirs.flatten().cloned().collect()
        };
        let (own, all) = (of(&dress.organisations), of(&dress.scope));
        dress.organisations.extend(own);
        if !all.is_empty() {
            dress.scope = dress.scope.iter().cloned().chain(all).collect();
        }
    }
}

/// Who holds what at a moment: positions that exist, in organisations that stand.
pub(crate) fn held(book: &Book, now: Time) -> FxHashMap<String, Vec<Held>> {
    let stands = |from: Time, to: Option<Time>| from <= now && to.is_none_or(|to| now < to);
    let mut all: FxHashMap<String, Vec<Held>> = FxHashMap::default();
    for appointment in book.appointments.values() {
        if !stands(appointment.valid_from, appointment.valid_to) {
            continue;
        }
        let Some(position) = book.positions.get(&appointment.position) else {
            continue;
        };
        let there = book.organisation(&position.organisation, now).is_some();
        if !there || !stands(position.valid_from, position.valid_to) {
            continue;
        }
        all.entry(appointment.account.clone())
            .or_default()
            .push(Held {
                position: position.clone(),
                appointment: appointment.clone(),
            });
    }
    for held in all.values_mut() {
        held.sort_by_key(|h| (!h.appointment.main, h.appointment.valid_from));
    }
    all
}

/// Order of people in a list: heads, deputies, staff.
pub(crate) fn by_rank(held: &Held) -> (Rank, Time) {
    (held.position.rank, held.appointment.valid_from)
}
