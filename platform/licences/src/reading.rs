//! Rows to issue as they arrive: each is read element by element, so that everything that cannot be
//! read is named with what is wrong otherwise, not one fault at a time.

use crate::problem;
use kernel::Problem;
use kernel::licences::{Grade, Holder, HolderDocument, NewLicence};
use kernel::numbers::Day;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A row as far as it can be read.
pub(crate) struct Row {
    pub(crate) new: NewLicence,
    /// What cannot be read, at its place.
    pub(crate) unread: Vec<Problem>,
}

impl Row {
    /// A row that was read already.
    pub(crate) fn whole(new: &NewLicence) -> Row {
        Row {
            new: new.clone(),
            unread: vec![],
        }
    }

    /// Is something wrong there that nothing more needs to be said of?
    pub(crate) fn names(&self, at: &str) -> bool {
        let covers = |known: &str| at == known || at.starts_with(&format!("{known}/"));
        self.unread.iter().any(|problem| covers(&problem.at))
    }
}

struct Reader<'a> {
    object: &'a Map<String, Value>,
    /// Before every place.
    within: &'static str,
    unread: Vec<Problem>,
}

impl Reader<'_> {
    fn wrong(&mut self, name: &str, zh: &str, en: &str) {
        let name: String = name.chars().take(60).collect();
        let at = format!("{}{name}", self.within);
        self.unread.push(problem(at, zh, en));
    }

    /// An element, if it is there and can be read.
    fn maybe<T: DeserializeOwned>(&mut self, name: &str, zh: &str, en: &str) -> Option<T> {
        let value = self.object.get(name).filter(|value| !value.is_null())?;
        let read = serde_json::from_value(value.clone()).ok();
        if read.is_none() {
            self.wrong(name, zh, en);
        }
        read
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.maybe(name, "应为文字", "expected a text")
    }

    fn day(&mut self, name: &str) -> Option<Day> {
        let (zh, en) = (
            "应为日期（如 2026-11-21）",
            "expected a date such as 2026-11-21",
        );
        self.maybe(name, zh, en)
    }

    /// A text that must be there.
    fn needed(&mut self, name: &str) -> String {
        if self.object.get(name).is_none_or(Value::is_null) {
            self.wrong(name, "必须填写", "it must be there");
        }
        self.text(name).unwrap_or_default()
    }

    fn strangers(&mut self, known: &[&str]) {
        let names = self.object.keys().map(String::as_str);
        let strange: Vec<String> = names
            .filter(|name| !known.contains(name))
            .map(String::from)
            .collect();
        for name in strange {
            self.wrong(&name, "没有这一项", "there is no such element");
        }
    }
}

/// Reads a row.
pub(crate) fn row(value: &Value) -> Row {
    let nothing = Map::new();
    let mut reader = Reader {
        object: value.as_object().unwrap_or(&nothing),
        within: "",
        unread: vec![],
    };
    reader.strangers(&[
        "kind",
        "source",
        "holder",
        "fields",
        "number",
        "serial",
        "issued_on",
        "valid_from",
        "valid_to",
        "grade",
    ]);
    let (zh, en) = ("应为 A、B、C、D 之一", "expected one of A, B, C, D");
    let grade: Option<Grade> = reader.maybe("grade", zh, en);
    let (zh, en) = ("应为字段名到值的对象", "expected an object of fields");
    let fields = reader.maybe("fields", zh, en);
    let mut new = NewLicence {
        kind: reader.needed("kind"),
        source: reader.needed("source"),
        holder: Holder {
            document: HolderDocument::CitizenNumber,
            number: String::new(),
            name: String::new(),
        },
        fields: fields.unwrap_or_default(),
        number: reader.text("number"),
        serial: reader.text("serial"),
        issued_on: reader.day("issued_on"),
        valid_from: reader.day("valid_from"),
        valid_to: reader.day("valid_to"),
        grade,
    };
    match value.get("holder").and_then(Value::as_object) {
        None => reader.wrong("holder", "必须填写持证主体", "the holder must be there"),
        Some(object) => {
            let mut inner = Reader {
                object,
                within: "holder/",
                unread: vec![],
            };
            new.holder = holder(&mut inner);
            reader.unread.append(&mut inner.unread);
        }
    }
    Row {
        new,
        unread: reader.unread,
    }
}

fn holder(reader: &mut Reader<'_>) -> Holder {
    reader.strangers(&["document", "number", "name"]);
    let (zh, en) = (
        "应为 citizen_number、residence_permit、passport、credit_code 之一",
        "expected one of citizen_number, residence_permit, passport, credit_code",
    );
    let document = reader.maybe("document", zh, en);
    if document.is_none() && !reader.unread.iter().any(|p| p.at == "holder/document") {
        reader.wrong("document", zh, en);
    }
    Holder {
        document: document.unwrap_or(HolderDocument::CitizenNumber),
        number: reader.needed("number"),
        name: reader.needed("name"),
    }
}
