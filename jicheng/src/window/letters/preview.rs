//! How a letter in an item's own words would look: with sample content that says it is one, a number
//! that counts for nothing, no signature. For whoever designs items.

use super::{office, standard, template};
use documents::template::{Field, Shape, Template};
use kernel::items::ItemType;
use kernel::refusing::Refusing;
use kernel::{Fault, Problem, Words};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The letter to look at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Kind of letter: `receipt`, `acceptance`, `correction`, `non_acceptance`, `approval`, `refusal`.
    pub kind: String,
    /// Type of the item, which says what its refusal is called.
    #[serde(rename = "type")]
    pub item_type: ItemType,
    /// The item's own words; the city's when there are none.
    #[serde(default)]
    pub text: Option<String>,
    /// Code of the office in charge.
    pub organisation: String,
    /// Title of the item.
    #[serde(default)]
    pub title: String,
    /// Law and article of the item.
    #[serde(default)]
    pub basis: String,
}

/// Draws it as PDF. What is wrong with the words is named at `text`, by line.
pub async fn preview(
    documents: &documents::Engine,
    organisations: &organisations::Engine,
    city: &str,
    wanted: &Wanted,
) -> Result<Vec<u8>, Fault> {
    let refusing = Refusing::of(wanted.item_type, &wanted.title);
    let name = template(&wanted.kind, refusing);
    let known = items::LETTERS.contains(&wanted.kind.as_str());
    let standard = standard(documents, &name)
        .filter(|_| known)
        .ok_or_else(|| {
            let kinds = items::LETTERS.join(", ");
            let (zh, en) = (format!("应为 {kinds}"), format!("expected one of {kinds}"));
            Fault::invalid_at("kind", zh, en)
        })?;
    let own = wanted.text.as_deref().unwrap_or(standard.words());
    let at_text = |problem: Problem| {
        let line = problem.at.rsplit(':').next().unwrap_or("1");
        let words = &problem.words;
        let zh = format!("第 {line} 行：{}", words.zh);
        Problem {
            words: Words::new(zh, format!("line {line}: {}", words.en)),
            at: "text".into(),
        }
    };
    let drawn = standard
        .reworded(own)
        .map_err(|found| Fault::invalid(found.into_iter().map(at_text).collect()))?;
    let office = office(organisations, city, &wanted.organisation);
    let sample = |field: &Field| (field.name.clone(), sample(&drawn, field, wanted));
    let fields: Map<String, Value> = drawn.fields.iter().map(sample).collect();
    documents
        .preview(&name, drawn.text(), &office, fields)
        .await
}

/// Something to read for a field, within what it may hold.
fn sample(drawn: &Template, field: &Field, wanted: &Wanted) -> Value {
    match field.shape {
        Shape::List => json!(["样稿内容一", "样稿内容二"]),
        Shape::Table => {
            let row = |n: &str| -> Value {
                let said = |column: &&str| match *column {
                    "name" => format!("样稿材料{n}"),
                    "form" => "电子文件".into(),
                    "copies" => "1".into(),
                    _ => format!("样稿内容{n}"),
                };
                let columns = drawn.columns(&field.name).into_iter();
                let cells = columns.map(|column| (column.to_string(), said(&column).into()));
                cells.collect::<Map<String, Value>>().into()
            };
            json!([row("一"), row("二")])
        }
        Shape::Text => {
            let text = match field.name.as_str() {
                "applicant" => "样稿申请人".into(),
                "item" if wanted.title.trim().is_empty() => "样稿事项".into(),
                "item" => wanted.title.trim().to_string(),
                "application" => "样稿-20260101-00001".into(),
                "applied_on" | "received_on" => "2026年1月5日".into(),
                "accepted_on" => "2026年1月6日".into(),
                "answer_by" => "2026年1月12日".into(),
                "due_on" => "2026年2月3日".into(),
                "limit" => "20个工作日".into(),
                "channel" => "网上".into(),
                "basis" if wanted.basis.trim().is_empty() => "样稿依据".into(),
                "basis" => wanted.basis.trim().to_string(),
                "review_office" => "本级人民政府".into(),
                "court" => "有管辖权的人民法院".into(),
                _ => format!("样稿{}", field.title),
            };
            text.chars().take(field.most).collect::<String>().into()
        }
    }
}
