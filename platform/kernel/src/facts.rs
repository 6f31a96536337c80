//! Facts: what is known of one record when somebody asks whether they may, the condition that
//! narrows a list to the records they may see, and how personal fields are masked.

use crate::declare::{FieldKind, RegisterDecl};
use crate::records::Record;
use crate::time::Time;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is known of one record (or alert, or device).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Facts {
    /// Its key.
    pub key: String,
    /// Organisation that owns it.
    pub owner: Option<String>,
    /// District or county it is in.
    pub district: Option<String>,
    /// Natural person it is about: citizen number.
    pub person: Option<String>,
    /// Account that has it in hand.
    pub handler: Option<String>,
    /// Its fields.
    pub fields: Map<String, Value>,
}

impl Facts {
    /// What the fields of a record say.
    pub fn of_fields(register: &RegisterDecl, key: &str, fields: &Map<String, Value>) -> Facts {
        let access = &register.access;
        let text = |field: &Option<String>| {
            let value = fields.get(field.as_ref()?)?;
            value.as_str().map(String::from)
        };
        let owner = match &access.owner {
            Some(_) => text(&access.owner),
            None if register.owner.is_empty() => None,
            None => Some(register.owner.clone()),
        };
        Facts {
            key: key.into(),
            owner,
            district: text(&access.district),
            person: text(&access.person),
            handler: text(&access.handler),
            fields: comparable(register, fields),
        }
    }

    /// What a record says.
    pub fn of(register: &RegisterDecl, record: &Record) -> Facts {
        Facts::of_fields(register, &record.key, &record.fields)
    }

    /// The value of an attribute.
    pub fn get(&self, attribute: &Attribute) -> Option<Scalar> {
        let text = |text: &Option<String>| text.clone().map(Scalar::Text);
        match attribute {
            Attribute::Key => Some(Scalar::Text(self.key.clone())),
            Attribute::Owner => text(&self.owner),
            Attribute::District => text(&self.district),
            Attribute::Person => text(&self.person),
            Attribute::Handler => text(&self.handler),
            Attribute::Field(name) => self.fields.get(name).and_then(Scalar::of),
        }
    }
}

/// The fields as conditions compare them: times are microseconds.
fn comparable(register: &RegisterDecl, fields: &Map<String, Value>) -> Map<String, Value> {
    let mut fields = fields.clone();
    for field in register.fields.iter().filter(|f| f.kind == FieldKind::Time) {
        if let Some(value) = fields.get_mut(&field.name)
            && let Some(time) = value.as_str().and_then(Time::parse)
        {
            *value = Value::from(time.0);
        }
    }
    fields
}

/// Something a condition may ask about a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    /// Its key.
    Key,
    /// Organisation that owns it.
    Owner,
    /// District.
    District,
    /// Natural person it is about.
    Person,
    /// Account that has it in hand.
    Handler,
    /// A field of its own.
    Field(String),
}

/// A value conditions compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// Whole number.
    Whole(i64),
    /// Yes or no.
    Truth(bool),
}

impl Scalar {
    /// From JSON; numbers with a fraction are not compared.
    pub fn of(value: &Value) -> Option<Scalar> {
        match value {
            Value::String(text) => Some(Scalar::Text(text.clone())),
            Value::Bool(truth) => Some(Scalar::Truth(*truth)),
            Value::Number(number) => number.as_i64().map(Scalar::Whole).or_else(|| {
                let number = number.as_f64()?;
                let whole = number.fract() == 0.0 && number.abs() < 9e15;
                whole.then_some(Scalar::Whole(number as i64))
            }),
            _ => None,
        }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        match self {
            Scalar::Text(text) => Value::from(text.as_str()),
            Scalar::Whole(whole) => Value::from(*whole),
            Scalar::Truth(truth) => Value::from(*truth),
        }
    }
}

/// A condition on records, as left over from a policy when everything about the person is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Narrowing {
    /// All of them.
    All(Vec<Narrowing>),
    /// One of them.
    Any(Vec<Narrowing>),
    /// Not this.
    Not(Box<Narrowing>),
    /// The record says something of it.
    Has(Attribute),
    /// It is one of these.
    OneOf(Attribute, Vec<Scalar>),
    /// It is a whole number smaller than this.
    Below(Attribute, i64),
    /// It is this whole number or a smaller one.
    AtMost(Attribute, i64),
}

impl Narrowing {
    /// Does it hold for this record?
    pub fn holds(&self, facts: &Facts) -> bool {
        let whole = |attribute| match facts.get(attribute) {
            Some(Scalar::Whole(number)) => Some(number),
            _ => None,
        };
        match self {
            Narrowing::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Narrowing::Any(parts) => parts.iter().any(|part| part.holds(facts)),
            Narrowing::Not(part) => !part.holds(facts),
            Narrowing::Has(attribute) => facts.get(attribute).is_some(),
            Narrowing::OneOf(attribute, values) => {
                facts.get(attribute).is_some_and(|v| values.contains(&v))
            }
            Narrowing::Below(attribute, than) => whole(attribute).is_some_and(|n| n < *than),
            Narrowing::AtMost(attribute, than) => whole(attribute).is_some_and(|n| n <= *than),
        }
    }
}

/// Which records of a kind somebody may do something to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// All.
    Everything,
    /// None.
    Nothing,
    /// Those for which this holds.
    Where(Narrowing),
    /// The rules cannot be said as a condition on fields: each record must be asked about.
    Ask,
}

impl Filter {
    /// Surely lets nothing through.
    pub fn is_nothing(&self) -> bool {
        *self == Filter::Nothing
    }
}

/// How a personal field is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Not at all.
    #[default]
    Withheld,
    /// With most of its characters replaced.
    Masked,
    /// As it is.
    Clear,
}

/// How the personal fields of a record are shown to somebody. Hides everything by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mask {
    /// Fields named.
    pub fields: BTreeMap<String, Shown>,
    /// All the others.
    pub otherwise: Shown,
}

impl Mask {
    /// Everything as it is.
    pub fn clear() -> Mask {
        Mask {
            fields: BTreeMap::new(),
            otherwise: Shown::Clear,
        }
    }

    /// How this personal field is shown.
    pub fn of(&self, field: &str) -> Shown {
        self.fields.get(field).copied().unwrap_or(self.otherwise)
    }

    /// Masks the personal fields of a record in place, its key too when that is one of them, and
    /// says which are not shown as they are.
    pub fn apply(&self, register: &RegisterDecl, record: &mut Record) -> BTreeMap<String, Shown> {
        let mut hidden = BTreeMap::new();
        for field in register.fields.iter().filter(|f| f.personal) {
            let shown = self.of(&field.name);
            if shown == Shown::Clear {
                continue;
            }
            if field.name == register.key {
                record.key = masked(&record.key);
            }
            if let Some(value) = record.fields.remove(&field.name) {
                hidden.insert(field.name.clone(), shown);
                if shown == Shown::Masked {
                    let text = match &value {
                        Value::String(text) => masked(text),
                        _ => "***".into(),
                    };
                    record.fields.insert(field.name.clone(), text.into());
                }
            }
        }
        hidden
    }
}

/// A personal value with most of its characters replaced: of a citizen number the first three and
/// last four digits stay, of a telephone number the first three and last four, of a short name the
/// first character, of anything else nothing.
pub fn masked(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let number = |c: &char| c.is_ascii_digit() || *c == 'X' || *c == 'x';
    let kept = |first: usize, last: usize| -> String {
        let hidden = characters.len() - first - last;
        let stars = std::iter::repeat_n('*', hidden);
        characters[..first]
            .iter()
            .copied()
            .chain(stars)
            .chain(characters[characters.len() - last..].iter().copied())
            .collect()
    };
    match characters.len() {
        11 | 15 | 18 if characters.iter().all(number) => kept(3, 4),
        2..=6
            if characters
                .iter()
                .all(|c| ('\u{4e00}'..='\u{9fff}').contains(c) || *c == '·') =>
        {
            kept(1, 0)
        }
        _ => "***".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_leave_what_helps_to_recognise_and_no_more() {
        let check = |text: &str, expect: &str| assert_eq!(masked(text), expect);
        check("130199199001011234", "130***********1234");
        check("13019919900101123X", "130***********123X");
        check("13812345678", "138****5678");
        check("张三", "张*");
        check("欧阳小明", "欧***");
        check("张", "***");
        check("somebody@example.org", "***");
        check("", "***");
        check("石家庄市长安区中山东路一号", "***");
    }
}
