//! The book: everything the engine knows, in memory, and a draft of it that a change is written
//! into. A draft remembers what it touched; only that is written to the store.

use crate::model::{Act, Appointment, Delegation, HandOver, Leave, Member, Position};
use kernel::organisations::Organisation;
use kernel::{Fault, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::organisations::OrganisationRow;

type Shelf<T> = BTreeMap<String, Arc<T>>;

/// Everything, at one number of change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    /// Number of the last change.
    pub version: i64,
    /// Versions of each organisation, oldest first, by code.
    pub organisations: Shelf<Vec<Organisation>>,
    pub acts: Shelf<Act>,
    pub positions: Shelf<Position>,
    pub appointments: Shelf<Appointment>,
    pub members: Shelf<Member>,
    pub leaves: Shelf<Leave>,
    pub delegations: Shelf<Delegation>,
    pub hand_overs: Shelf<HandOver>,
}

fn read<T: DeserializeOwned>(row: &OrganisationRow) -> Result<Arc<T>, Fault> {
    serde_json::from_str(&row.body).map(Arc::new).map_err(|e| {
        Fault::internal(
            "reading a row of organisations",
            format!("{} {}: {e}", row.kind, row.id),
        )
    })
}

impl Book {
    /// From the rows of the store.
    pub fn of(version: i64, rows: &[OrganisationRow]) -> Result<Book, Fault> {
        let mut book = Book {
            version,
            ..Book::default()
        };
        for row in rows {
            let id = row.id.clone();
            match row.kind.as_str() {
                "organisation" => drop(book.organisations.insert(id, read(row)?)),
                "act" => drop(book.acts.insert(id, read(row)?)),
                "position" => drop(book.positions.insert(id, read(row)?)),
                "appointment" => drop(book.appointments.insert(id, read(row)?)),
                "member" => drop(book.members.insert(id, read(row)?)),
                "leave" => drop(book.leaves.insert(id, read(row)?)),
                "delegation" => drop(book.delegations.insert(id, read(row)?)),
                "hand_over" => drop(book.hand_overs.insert(id, read(row)?)),
                other => {
                    return Err(Fault::internal(
                        "reading organisations",
                        format!("a row of kind {other}"),
                    ));
                }
            }
        }
        Ok(book)
    }

    /// The versions of an organisation.
    pub fn versions(&self, code: &str) -> &[Organisation] {
        self.organisations.get(code).map_or(&[], |v| v.as_slice())
    }

    /// The version that stands at a moment.
    pub fn organisation(&self, code: &str, at: Time) -> Option<&Organisation> {
        self.versions(code).iter().find(|v| v.stands_at(at))
    }

    /// Every moment at which something begins or ends, in order.
    pub fn moments(&self) -> Vec<i64> {
        let mut all: Vec<i64> = vec![];
        let mut add = |from: Time, to: Option<Time>| {
            all.push(from.0);
            all.extend(to.map(|t| t.0));
        };
        for version in self.organisations.values().flat_map(|v| v.iter()) {
            add(version.valid_from, version.valid_to);
        }
        for position in self.positions.values() {
            add(position.valid_from, position.valid_to);
        }
        for appointment in self.appointments.values() {
            add(appointment.valid_from, appointment.valid_to);
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// A change in the making.
pub(crate) struct Draft {
    pub book: Book,
    pub now: Time,
    touched: BTreeSet<(&'static str, String)>,
}

macro_rules! put {
    ($name:ident, $shelf:ident, $kind:literal, $type:ty, $id:ident) => {
        pub fn $name(&mut self, row: $type) {
            self.touched.insert(($kind, row.$id.clone()));
            self.book.$shelf.insert(row.$id.clone(), Arc::new(row));
        }
    };
}

impl Draft {
    pub fn new(book: &Book, now: Time) -> Draft {
        Draft {
            book: book.clone(),
            now,
            touched: BTreeSet::new(),
        }
    }

    put!(put_act, acts, "act", Act, id);
    put!(put_position, positions, "position", Position, id);
    put!(
        put_appointment,
        appointments,
        "appointment",
        Appointment,
        id
    );
    put!(put_member, members, "member", Member, account);
    put!(put_leave, leaves, "leave", Leave, id);
    put!(put_delegation, delegations, "delegation", Delegation, id);
    put!(put_hand_over, hand_overs, "hand_over", HandOver, id);

    pub fn put_versions(&mut self, code: &str, mut versions: Vec<Organisation>) {
        versions.sort_by_key(|v| v.valid_from);
        self.touched.insert(("organisation", code.into()));
        self.book
            .organisations
            .insert(code.into(), Arc::new(versions));
    }

    /// Codes of the organisations touched.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.touched
            .iter()
            .filter(|(kind, _)| *kind == "organisation")
            .map(|(_, id)| id.as_str())
    }

    pub fn is_untouched(&self) -> bool {
        self.touched.is_empty()
    }

    /// The rows to write.
    pub fn rows(&self) -> Result<Vec<OrganisationRow>, Fault> {
        fn text<T: Serialize>(shelf: &Shelf<T>, id: &str) -> Result<String, Fault> {
            let row = shelf.get(id).map(|row| serde_json::to_string(&**row));
            row.unwrap_or_else(|| Ok("null".into()))
                .map_err(|e| Fault::internal("writing organisations", e))
        }
        let book = &self.book;
        self.touched
            .iter()
            .map(|(kind, id)| {
                let body = match *kind {
                    "organisation" => text(&book.organisations, id),
                    "act" => text(&book.acts, id),
                    "position" => text(&book.positions, id),
                    "appointment" => text(&book.appointments, id),
                    "member" => text(&book.members, id),
                    "leave" => text(&book.leaves, id),
                    "delegation" => text(&book.delegations, id),
                    _ => text(&book.hand_overs, id),
                }?;
                Ok(OrganisationRow {
                    kind: (*kind).into(),
                    id: id.clone(),
                    body,
                })
            })
            .collect()
    }
}
