//! A type of licence, one file `licences/<name>.yaml` of a system or of the city: what it is
//! called, who issues it, which fields it carries, how long it is valid, and what is shown of it.

use super::read::Reader;
use super::register::FieldKind;
use crate::fault::Words;
use crate::licences::{Grade, HOLDER_NAME, HOLDER_NUMBER, NUMBER};
use crate::numbers::CreditCode;
use serde::{Deserialize, Serialize};

/// Fields of one type, at most.
const FIELDS: usize = 60;

/// Who can hold licences of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// Natural persons.
    Natural,
    /// Legal persons.
    Legal,
    /// Both.
    Either,
}

/// How long licences of a type are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// 长期.
    Unlimited,
    /// Calendar years: to the day before the same day.
    Years(i16),
    /// Days.
    Days(i32),
}

/// A declared type of licence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LicenceDecl {
    /// System that declares it; empty for the city.
    pub system: String,
    /// Name: the file's stem.
    pub name: String,
    /// Code of the type (证照类型代码): unified social credit code of the body that defined it and
    /// three digits (GB/T 36904).
    pub code: String,
    /// Title.
    pub title: Words,
    /// Organisation that issues it.
    pub issuer: String,
    /// Its unified social credit code, when the organisation's own entry does not say it.
    pub issuer_code: Option<String>,
    /// Who can hold it.
    pub holder: HolderKind,
    /// Trust grade of what is issued here.
    pub grade: Grade,
    /// How long it is valid.
    pub validity: Validity,
    /// Legal basis it is issued on.
    pub basis: String,
    /// Template its print is made with.
    pub template: Option<String>,
    /// Fields in order of the file.
    pub fields: Vec<LicenceField>,
    /// What a presentation shows when its holder chooses nothing else.
    pub minimum: Vec<String>,
    /// What anybody sees who has identifier and name.
    pub public: Vec<String>,
}

/// A field of a type of licence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LicenceField {
    /// Name.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Type.
    pub kind: FieldKind,
    /// Must be there.
    pub required: bool,
    /// Personal data: not shown to everybody.
    pub personal: bool,
    /// Characters of a text, at most.
    pub longest: usize,
}

impl LicenceDecl {
    /// A field by name.
    pub fn field(&self, name: &str) -> Option<&LicenceField> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Title of a field, or of an element every licence has that can be shown.
    pub fn title_of(&self, name: &str) -> Option<Words> {
        match name {
            HOLDER_NAME => Some(Words::new("持证主体", "Holder")),
            HOLDER_NUMBER => Some(Words::new("持证主体代码", "Number of the holder")),
            NUMBER => Some(Words::new("证照编号", "Number of the licence")),
            _ => self.field(name).map(|field| field.title.clone()),
        }
    }

    /// Reads one file.
    pub fn read(system: &str, name: &str, top: &mut Reader<'_>) -> LicenceDecl {
        let holder = match top
            .one_of("holder", &["natural", "legal", "either"])
            .as_str()
        {
            "legal" => HolderKind::Legal,
            "either" => HolderKind::Either,
            _ => HolderKind::Natural,
        };
        let mut decl = LicenceDecl {
            system: system.into(),
            name: name.into(),
            code: top.text("code"),
            title: top.words("title"),
            issuer: top.text("issuer"),
            issuer_code: top.optional_text("issuer_code"),
            holder,
            grade: Grade::parse(&top.one_of_or("grade", &Grade::WORDS, "A")).unwrap_or(Grade::A),
            validity: top
                .part_opt("validity", read_validity)
                .unwrap_or(Validity::Unlimited),
            basis: top.text("basis"),
            template: top.optional_text("template"),
            fields: vec![],
            minimum: top.texts_or("minimum", &[HOLDER_NAME]),
            public: top.texts_or("public", &[]),
        };
        top.each_opt("fields", |name, field| {
            decl.fields.push(read_field(name, field));
        });
        check(&decl, top);
        decl
    }
}

fn read_validity(part: &mut Reader<'_>) -> Validity {
    let (years, days) = (part.optional_number("years"), part.optional_number("days"));
    let whole = |n: f64, most: f64| n.fract() == 0.0 && (1.0..=most).contains(&n);
    match (years, days) {
        (Some(years), None) if whole(years, 100.0) => Validity::Years(years as i16),
        (None, Some(days)) if whole(days, 36_500.0) => Validity::Days(days as i32),
        _ => {
            part.fault(
                "",
                "应为 years 或 days 其一（正整数）；长期有效则不写 validity",
                "expected years or days, a whole number; leave validity out for no end",
            );
            Validity::Unlimited
        }
    }
}

fn read_field(name: &str, field: &mut Reader<'_>) -> LicenceField {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !plain || name.len() > 40 || RESERVED.contains(&name) {
        field.fault(
            "",
            format!("字段名“{name}”应为 1 至 40 个小写字母、数字或 _，且不与证照要素重名"),
            format!("the field name \"{name}\" should be 1 to 40 of a-z 0-9 _, and no element of every licence"),
        );
    }
    let mut choices: Vec<(String, Words)> = vec![];
    field.each_opt("choices", |value, words| {
        let pair = words.own_texts();
        match pair.as_slice() {
            [zh, en] => choices.push((value.into(), Words::new(zh, en))),
            _ => words.fault("", "应为 [中文, English]", "expected [Chinese, English]"),
        }
    });
    let types = ["text", "integer", "number", "boolean", "date", "choice"];
    let kind = match field.one_of_or("type", &types, "text").as_str() {
        "integer" => FieldKind::Integer,
        "number" => FieldKind::Number,
        "boolean" => FieldKind::Boolean,
        "date" => FieldKind::Date,
        "choice" => FieldKind::Choice {
            of: choices.clone(),
        },
        _ => FieldKind::Text,
    };
    if matches!(kind, FieldKind::Choice { .. }) == choices.is_empty() {
        field.fault(
            "choices",
            "choices 与 type: choice 须同时出现",
            "choices and type: choice belong together",
        );
    }
    let longest = field.number_or("longest", 200.0);
    if !(1.0..=2000.0).contains(&longest) || longest.fract() != 0.0 {
        field.fault("longest", "应为 1 至 2000 的整数", "expected 1 to 2000");
    }
    LicenceField {
        name: name.into(),
        title: field.words("title"),
        kind,
        required: field.flag("required", false),
        personal: field.flag("personal", false),
        longest: longest.clamp(1.0, 2000.0) as usize,
    }
}

/// Elements every licence has, and claims of its signed document: no field is called so.
const RESERVED: &[&str] = &[
    HOLDER_NAME,
    HOLDER_NUMBER,
    "identifier",
    "licence_type",
    NUMBER,
    "issuing_authority",
    "issuing_authority_code",
    "grade",
    "replaces",
    "valid_from",
    "valid_to",
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "vct",
    "cnf",
    "status",
];

fn check(decl: &LicenceDecl, top: &mut Reader<'_>) {
    let (body, digits) = decl.code.split_at_checked(18).unwrap_or((&decl.code, ""));
    let sound = CreditCode::parse(body).is_ok_and(|code| code.as_str() == body)
        && digits.len() == 3
        && digits.bytes().all(|b| b.is_ascii_digit());
    if !sound {
        top.fault(
            "code",
            "证照类型代码应为 18 位统一社会信用代码加 3 位数字（GB/T 36904）",
            "expected a unified social credit code and three digits (GB/T 36904)",
        );
    }
    if let Some(code) = &decl.issuer_code
        && CreditCode::parse(code).is_err()
    {
        top.fault(
            "issuer_code",
            "统一社会信用代码不正确",
            "this is no unified social credit code",
        );
    }
    if decl.fields.len() > FIELDS {
        top.fault(
            "fields",
            format!("最多 {FIELDS} 个字段"),
            format!("at most {FIELDS} fields"),
        );
    }
    for (at, names) in [("minimum", &decl.minimum), ("public", &decl.public)] {
        for name in names {
            if decl.title_of(name).is_none() {
                top.fault(
                    at,
                    format!("没有名为“{name}”的字段"),
                    format!("there is no field \"{name}\""),
                );
            }
            let personal = name == HOLDER_NUMBER && decl.holder != HolderKind::Legal
                || decl.field(name).is_some_and(|field| field.personal);
            if at == "public" && personal {
                top.fault(
                    at,
                    format!("“{name}”是个人信息，不能公开"),
                    format!("\"{name}\" is personal and cannot be public"),
                );
            }
        }
    }
}
