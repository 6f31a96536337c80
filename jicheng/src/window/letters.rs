//! Letters of offices about applications: which template, which fields, whose seal.

mod preview;

pub use preview::{Wanted, preview};

use super::Days;
use applications::{Letters, NewLetter};
use async_trait::async_trait;
use documents::template::{Shape, Template};
use kernel::applications::LetterLine;
use kernel::cases::{Count, Limit};
use kernel::declare::Declared;
use kernel::documents::{Documents, NewLetter as Written, Office};
use kernel::organisations::Organisations;
use kernel::{Actor, Fault, Problem, Time, Words};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Templates beside those of the documents engine: for what is no permit, where the law on permits
/// must not be cited.
const SERVICE: &[(&str, &str)] = &[
    (
        "service_receipt",
        include_str!("letters/service_receipt.txt"),
    ),
    (
        "service_acceptance",
        include_str!("letters/service_acceptance.txt"),
    ),
    (
        "service_correction",
        include_str!("letters/service_correction.txt"),
    ),
    (
        "service_refusal",
        include_str!("letters/service_refusal.txt"),
    ),
    ("service_grant", include_str!("letters/service_grant.txt")),
    ("service_denial", include_str!("letters/service_denial.txt")),
];
/// Type of items that are permits (行政许可).
const PERMIT: &str = "01";

/// Templates of this program.
pub fn templates() -> BTreeMap<String, String> {
    let both = |(name, text): &(&str, &str)| (name.to_string(), text.to_string());
    SERVICE.iter().map(both).collect()
}

/// Writes letters by the documents engine.
pub struct CityLetters {
    documents: Arc<documents::Engine>,
    organisations: Arc<organisations::Engine>,
    days: Arc<Days>,
    declared: Arc<Declared>,
}

impl CityLetters {
    /// Over these engines.
    pub fn new(
        documents: Arc<documents::Engine>,
        organisations: Arc<organisations::Engine>,
        days: Arc<Days>,
        declared: Arc<Declared>,
    ) -> CityLetters {
        CityLetters {
            documents,
            organisations,
            days,
            declared,
        }
    }

    /// The organisation as its letters name it.
    fn office(&self, code: &str) -> Office {
        office(&self.organisations, &self.declared.city.title.zh, code)
    }

    /// The template of a letter: the city's, in the words of the item when it has its own. Fields
    /// the template does not ask for are left out: it refuses those it does not know.
    fn template(
        &self,
        kind: &str,
        own: Option<&str>,
        fields: &mut Map<String, Value>,
    ) -> Result<Arc<Template>, Fault> {
        let standard = standard(&self.documents, kind).ok_or_else(|| Fault::missing(kind))?;
        let found = match own {
            Some(text) => Arc::new(standard.reworded(text).map_err(Fault::invalid)?),
            None => standard,
        };
        fields.retain(|name, _| found.fields.iter().any(|field| field.name == *name));
        Ok(found)
    }

    async fn fields(&self, letter: &NewLetter) -> Map<String, Value> {
        let given = &letter.fields;
        let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or("");
        let mut all = Map::new();
        let mut put = |name: &str, value: &str| {
            if !value.is_empty() {
                all.insert(name.into(), value.into());
            }
        };
        put("applicant", text("applicant"));
        put("item", text("title"));
        put("application", text("number"));
        put("contact", text("contact"));
        put("reason", text("reason"));
        put(
            "basis",
            match text("basis") {
                "" => text("item_basis"),
                basis => basis,
            },
        );
        let above = self.organisations.above(&letter.organisation, None);
        let above = above.last().map(|code| self.office(code).name);
        put(
            "review_office",
            &above.unwrap_or_else(|| "本级人民政府".into()),
        );
        put("court", "有管辖权的人民法院");
        put("licence", text("licence"));
        let submitted = day(text("submitted_at"));
        match letter.kind.as_str() {
            "receipt" => {
                put("received_on", &submitted);
                put("channel", channel(text("channel")));
                if let Some(at) = Time::parse(text("submitted_at")) {
                    let due = applications::WorkingDays::add(self.days.as_ref(), at, ANSWER).await;
                    put(
                        "answer_by",
                        &due.map_or(String::new(), |left| last_day(left.due)),
                    );
                }
            }
            "acceptance" => {
                put("applied_on", &submitted);
                put("accepted_on", &day(text("at")));
                let days = given.get("days").and_then(Value::as_u64).unwrap_or(20);
                put("limit", &format!("{days}个工作日"));
                let limit = Limit {
                    days: u32::try_from(days).unwrap_or(20),
                    count: Count::WorkingDays,
                };
                if let Some(at) = Time::parse(text("at")) {
                    let due = applications::WorkingDays::add(self.days.as_ref(), at, limit).await;
                    put(
                        "due_on",
                        &due.map_or(String::new(), |left| last_day(left.due)),
                    );
                }
            }
            "correction" | "non_acceptance" => put("applied_on", &submitted),
            _ => {
                put("accepted_on", &day(text("accepted_at")));
                let content = match text("reason") {
                    "" => "准予办理",
                    reason => reason,
                };
                put("content", content);
            }
        }
        for table in ["materials", "missing"] {
            if let Some(rows @ Value::Array(_)) = given.get(table) {
                all.insert(table.into(), rows.clone());
            }
        }
        all
    }
}

/// Working days within which an office says whether it accepts (行政许可法第三十二条).
const ANSWER: Limit = Limit {
    days: 5,
    count: Count::WorkingDays,
};

/// The city's template of a name.
fn standard(documents: &documents::Engine, name: &str) -> Option<Arc<Template>> {
    let all = documents.templates();
    all.into_iter().find(|known| known.kind == name)
}

/// Fields every letter of an application has, whatever the city's template asks for.
const ALWAYS: [&str; 5] = ["applicant", "item", "application", "review_office", "court"];

/// What speaks against an item's own words for a kind of letter: they cannot be read, or they ask
/// for what letters of this kind do not have. Where is said in the words (their line); which letter it
/// is, whoever asks knows.
pub fn problems(
    documents: &documents::Engine,
    kind: &str,
    permit: bool,
    text: &str,
) -> Vec<Problem> {
    let Some(standard) = standard(documents, &template(kind, permit)) else {
        return vec![]; // no such kind, which is said elsewhere
    };
    let own = match standard.reworded(text) {
        Ok(own) => own,
        Err(mut found) => {
            for problem in &mut found {
                let line = problem.at.rsplit(':').next().unwrap_or("1").to_owned();
                let Words { zh, en } = &problem.words;
                problem.words =
                    Words::new(format!("第 {line} 行：{zh}"), format!("line {line}: {en}"));
            }
            return found;
        }
    };
    let has = |name: &str| {
        ALWAYS.contains(&name) || standard.fields.iter().any(|f| f.required && f.name == name)
    };
    let lacking = own
        .fields
        .iter()
        .filter(|field| field.required && !has(&field.name));
    lacking
        .map(|field| Problem {
            at: String::new(),
            words: Words::new(
                format!("字段 {} 不一定有内容，应为 optional", field.name),
                format!("the field {} may be empty: make it optional", field.name),
            ),
        })
        .collect()
}

/// A field a letter may name.
#[derive(Clone, Debug, Serialize)]
pub struct WordingField {
    name: String,
    title: String,
    /// A letter of this kind always has it.
    required: bool,
    /// Named by itself in a paragraph; lists and tables have their own lines.
    text: bool,
}

/// A letter of the city as an item may word it differently.
#[derive(Clone, Debug, Serialize)]
pub struct Wording {
    kind: &'static str,
    title: String,
    /// What stands below the title.
    body: String,
    fields: Vec<WordingField>,
}

/// The city's letters about applications for permits, or for anything else.
pub fn wordings(documents: &documents::Engine, permit: bool) -> Vec<Wording> {
    let wording = |kind: &'static str| {
        let found = standard(documents, &template(kind, permit))?;
        let fields = found.fields.iter().map(|field| WordingField {
            name: field.name.clone(),
            title: field.title.clone(),
            required: field.required,
            text: field.shape == Shape::Text,
        });
        Some(Wording {
            kind,
            title: found.title.clone(),
            body: found.words().into(),
            fields: fields.collect(),
        })
    };
    items::LETTERS.into_iter().filter_map(wording).collect()
}

/// Name of the template for a kind of letter.
fn template(kind: &str, permit: bool) -> String {
    let name = match kind {
        "non_acceptance" => "refusal",
        "approval" => "grant",
        "refusal" => "denial",
        other => other,
    };
    match permit {
        true => name.into(),
        false => format!("service_{name}"),
    }
}

/// An organisation as its letters and prints name it now; of one that stands no longer, whoever has
/// its work.
pub fn office(organisations: &organisations::Engine, city: &str, code: &str) -> Office {
    let heir = organisations.successor(code);
    let code = heir.as_deref().unwrap_or(code);
    let known = organisations.get(code, None);
    let name = known.as_ref().map_or(code, |known| &known.title.zh);
    let credit_code = known.as_ref().and_then(|known| known.credit_code.clone());
    Office {
        code: code.into(),
        name: name.into(),
        short: short(name, city),
        credit_code,
    }
}

/// The short word of an office's numbers (机关代字): its name without the city and without 局, 委.
fn short(name: &str, city: &str) -> String {
    let place = city.strip_suffix('市').unwrap_or(city);
    let rest = name.strip_prefix(city).or_else(|| name.strip_prefix(place));
    let rest = rest.filter(|rest| !rest.is_empty()).unwrap_or(name);
    let rest = rest.trim_end_matches(['局', '委', '会', '员']);
    let word: String = rest
        .chars()
        .filter(|c| !"和与、".contains(*c))
        .take(6)
        .collect();
    match word.is_empty() {
        true => name.chars().take(6).collect(),
        false => word,
    }
}

fn channel(word: &str) -> &'static str {
    match word {
        "web" => "网上",
        "phone" => "手机",
        "counter" => "窗口",
        "terminal" => "自助终端",
        "hotline" => "热线代办",
        _ => "",
    }
}

/// `2026年11月25日` of an RFC 3339 time, Beijing; empty when it is none.
fn day(text: &str) -> String {
    Time::parse(text).map_or(String::new(), chinese)
}

fn chinese(at: Time) -> String {
    let text = at.rfc3339(); // Beijing time
    let mut parts = text.get(..10).unwrap_or_default().split('-');
    let mut next = || {
        parts
            .next()
            .unwrap_or("")
            .trim_start_matches('0')
            .to_string()
    };
    let (year, month, day) = (next(), next(), next());
    format!("{year}年{month}月{day}日")
}

/// The day a clock ends on: its end is the beginning of the next.
fn last_day(due: Time) -> String {
    chinese(Time(due.0 - 1))
}

#[async_trait]
impl Letters for CityLetters {
    async fn make(&self, letter: &NewLetter) -> Result<LetterLine, Fault> {
        let permit = letter.fields.get("type").and_then(Value::as_str) == Some(PERMIT);
        let kind = template(&letter.kind, permit);
        let mut known = self.fields(letter).await;
        let own = letter.template.as_deref();
        let template = self.template(&kind, own, &mut known)?;
        let written = Written {
            kind,
            template: own.map(|_| template.text().to_owned()),
            office: self.office(&letter.organisation),
            about: letter.about.clone(),
            key: letter.key.clone(),
            fields: known,
            person: letter.person.clone(),
        };
        let made = self.documents.letter(&Actor::system(), &written).await?;
        Ok(LetterLine {
            kind: letter.kind.clone(),
            number: made.number,
            file: Some(made.file),
            at: made.issued_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_the_short_word_of_their_office() {
        for (name, expect) in [
            ("石家庄市数据和政务服务局", "数据政务服务"),
            ("石家庄市公安局", "公安"),
            ("石家庄市卫生健康委员会", "卫生健康"),
            ("石家庄市住房公积金管理中心", "住房公积金管"),
            ("某局", "某"),
        ] {
            assert_eq!(short(name, "石家庄市"), expect, "{name}");
        }
    }

    #[test]
    fn days_are_those_of_beijing() {
        for (time, expect) in [
            ("2026-11-24T16:30:00Z", "2026年11月25日"),
            ("2026-11-26T00:00:00+08:00", "2026年11月26日"),
            ("2026-11-26T18:42:00+08:00", "2026年11月26日"),
            ("2026-11-26T23:59:59+08:00", "2026年11月26日"),
        ] {
            assert_eq!(day(time), expect, "{time}");
        }
        let due = Time::parse("2026-12-11T00:00:00+08:00").map(last_day);
        assert_eq!(due.as_deref(), Some("2026年12月10日"));
        assert_eq!(day("x"), "");
    }
}
