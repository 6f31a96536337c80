//! Narrowing: the condition a policy leaves of a register, put into the query where its attributes
//! are the key or indexed fields. What is not is tested on each record, and only so many are looked
//! at.

use crate::schema::Register;
use kernel::declare::FieldKind;
use kernel::facts::{Attribute, Facts, Narrowing, Scalar};
use kernel::records::{Record, RecordQuery};
use store::records::{Cell, CellKind, Test};

/// Records looked at for one page, at most, when they are kept or left out one by one.
pub(crate) const LOOKED_AT: u64 = 20_000;
/// Values of one condition in a query, at most; the databases bound the parameters of a statement.
const VALUES: usize = 5_000;

/// The condition for the query; `None` when it cannot be said there.
pub(crate) fn test(register: &Register, narrowing: &Narrowing) -> Option<Test> {
    let all = |parts: &[Narrowing]| -> Option<Vec<Test>> {
        parts.iter().map(|p| test(register, p)).collect()
    };
    match narrowing {
        Narrowing::All(parts) => Some(Test::All(all(parts)?)),
        Narrowing::Any(parts) => Some(Test::Any(all(parts)?)),
        Narrowing::Not(part) => Some(Test::Not(Box::new(test(register, part)?))),
        Narrowing::Has(attribute) => match place(register, attribute)? {
            Place::Key => Some(Test::All(vec![])),
            Place::Column(number, _) => Some(Test::Has(number)),
            Place::Fixed(value) => Some(always(value.is_some())),
        },
        Narrowing::OneOf(attribute, values) => one_of(register, attribute, values),
        Narrowing::Below(attribute, than) => match place(register, attribute)? {
            Place::Column(number, CellKind::Integer) => Some(Test::Below(number, *than)),
            _ => None,
        },
        Narrowing::AtMost(attribute, than) => match place(register, attribute)? {
            Place::Column(number, CellKind::Integer) => Some(Test::AtMost(number, *than)),
            _ => None,
        },
    }
}

fn always(holds: bool) -> Test {
    if holds {
        Test::All(vec![])
    } else {
        Test::Any(vec![])
    }
}

fn one_of(register: &Register, attribute: &Attribute, values: &[Scalar]) -> Option<Test> {
    if values.len() > VALUES {
        return None;
    }
    match place(register, attribute)? {
        Place::Fixed(value) => {
            let among = value.is_some_and(|v| values.contains(&Scalar::Text(v)));
            Some(always(among))
        }
        Place::Key => {
            let texts = values.iter().filter_map(|v| match v {
                Scalar::Text(text) => Some(text.clone()),
                _ => None,
            });
            Some(Test::KeyOneOf(texts.collect()))
        }
        Place::Column(number, kind) => {
            let cells = values.iter().filter_map(|value| cell(kind, value));
            Some(Test::OneOf(number, cells.collect()))
        }
    }
}

/// A value as a cell of a column; a value of another type equals nothing there.
fn cell(kind: CellKind, value: &Scalar) -> Option<Cell> {
    match (kind, value) {
        (CellKind::Text, Scalar::Text(text)) => Some(Cell::Text(Some(text.clone()))),
        (CellKind::Integer, Scalar::Whole(whole)) => Some(Cell::Integer(Some(*whole))),
        (CellKind::Integer, Scalar::Truth(truth)) => Some(Cell::Integer(Some(i64::from(*truth)))),
        _ => None,
    }
}

enum Place {
    Key,
    Column(usize, CellKind),
    /// The same for every record.
    Fixed(Option<String>),
}

/// Where the query finds an attribute; `None` when only the record itself says it.
fn place(register: &Register, attribute: &Attribute) -> Option<Place> {
    let decl = &register.decl;
    let of = |field: &Option<String>| match field {
        Some(field) => of_field(register, field),
        None => Some(Place::Fixed(None)),
    };
    match attribute {
        Attribute::Key => Some(Place::Key),
        Attribute::Owner if decl.access.owner.is_none() => Some(Place::Fixed(
            Some(decl.owner.clone()).filter(|o| !o.is_empty()),
        )),
        Attribute::Owner => of(&decl.access.owner),
        Attribute::District => of(&decl.access.district),
        Attribute::Person => of(&decl.access.person),
        Attribute::Handler => of(&decl.access.handler),
        Attribute::Field(name) => of_field(register, name),
    }
}

fn of_field(register: &Register, name: &str) -> Option<Place> {
    if name == register.decl.key {
        let text = register
            .decl
            .field(name)
            .is_some_and(|f| f.kind != FieldKind::Integer);
        return text.then_some(Place::Key);
    }
    let (number, _) = register.column(name)?;
    Some(Place::Column(number, register.shape.columns()[number].kind))
}

/// Whether a record is kept, of a query whose condition is not in the statement.
pub(crate) fn keeps(
    register: &Register,
    query: &RecordQuery,
    record: &Record,
    in_query: bool,
) -> bool {
    let narrowed = query.narrowed.as_ref().filter(|_| !in_query);
    narrowed.is_none_or(|n| n.holds(&Facts::of(&register.decl, record)))
        && query.keep.as_ref().is_none_or(|keep| (keep.0)(record))
}
