//! Organisations: the tree a city is made of, from the city down to departments, districts,
//! streets, communities, enterprises and institutions, at any moment; and the work that stays
//! behind when somebody moves. The engine keeps it in memory, so these answers cost next to
//! nothing.

use crate::access::Actor;
use crate::fault::{Fault, Words};
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::sync::Arc;

/// What kind of organisation.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    /// 市: the city itself.
    City,
    /// 部门: a department, bureau, commission or office.
    #[default]
    Department,
    /// 区县: a district or county.
    District,
    /// 街道、乡镇: a street office, town or township.
    Street,
    /// 社区、村: a community or village.
    Community,
    /// 企业: an enterprise.
    Enterprise,
    /// 事业单位、中心: an institution, a centre.
    Institution,
    /// 社会公众: those who belong to none.
    Public,
}

impl OrganisationKind {
    /// All words, in the order of the kinds.
    pub const WORDS: [&str; 8] = [
        "city",
        "department",
        "district",
        "street",
        "community",
        "enterprise",
        "institution",
        "public",
    ];
    /// All kinds.
    pub const ALL: [OrganisationKind; 8] = [
        OrganisationKind::City,
        OrganisationKind::Department,
        OrganisationKind::District,
        OrganisationKind::Street,
        OrganisationKind::Community,
        OrganisationKind::Enterprise,
        OrganisationKind::Institution,
        OrganisationKind::Public,
    ];
    /// The word in files and the API.
    pub fn word(self) -> &'static str {
        OrganisationKind::WORDS[self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<OrganisationKind> {
        OrganisationKind::ALL.into_iter().find(|k| k.word() == word)
    }
}

/// An organisation as it was for a time. Another name, place or parent is another version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Organisation {
    /// Its code: a short one, or the division code of a place. Never changes.
    pub code: String,
    /// What kind it is.
    pub kind: OrganisationKind,
    /// Its names.
    pub title: Words,
    /// The organisation above it; `None` at the top.
    pub parent: Option<String>,
    /// Unified social credit code (GB 32100), when it has one.
    #[serde(default)]
    pub credit_code: Option<String>,
    /// Division code (GB/T 2260 and its continuation, 2 to 12 digits), when it belongs to a place.
    #[serde(default)]
    pub division: Option<String>,
    /// Word in the numbers of its letters (机关代字), when it has set one; otherwise its name gives
    /// one ([`usual_letter_word`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter_word: Option<String>,
    /// Valid from (inclusive).
    pub valid_from: Time,
    /// Valid to (exclusive); `None` while it stands.
    pub valid_to: Option<Time>,
    /// Declared in the files of the city; those decide, pages cannot end it.
    #[serde(default)]
    pub declared: bool,
    /// The act that made this version.
    pub act: String,
}

impl Organisation {
    /// Does this version stand at that moment?
    pub fn stands_at(&self, at: Time) -> bool {
        self.valid_from <= at && self.valid_to.is_none_or(|to| at < to)
    }
}

/// Letters of a word in the numbers of letters, at most; documents take no more.
pub const LETTER_WORD: usize = 20;

/// The word in the numbers of letters (机关代字) that the name of an office gives: without the city
/// before it, without 局, 厅, 委员会 after it, without 和, 与.
pub fn usual_letter_word(name: &str, city: &str) -> String {
    let place = city.strip_suffix('市').unwrap_or(city);
    let rest = name.strip_prefix(city).or_else(|| name.strip_prefix(place));
    let rest = rest.filter(|rest| !rest.is_empty()).unwrap_or(name);
    let ends = ["委员会", "局", "厅", "委"];
    let short = ends.iter().find_map(|end| rest.strip_suffix(end));
    let rest = short.filter(|short| !short.is_empty()).unwrap_or(rest);
    let letters = rest
        .chars()
        .filter(|c| c.is_alphanumeric() && !"和与".contains(*c));
    let word: String = letters.take(LETTER_WORD).collect();
    match word.is_empty() {
        true => name.chars().take(LETTER_WORD).collect(),
        false => word,
    }
}

/// What is wrong with a word for the numbers of letters; `None` when nothing is.
pub fn letter_word_fault(word: &str) -> Option<Words> {
    let length = word.chars().count();
    let sound = (1..=LETTER_WORD).contains(&length) && word.chars().all(char::is_alphanumeric);
    (!sound).then(|| {
        Words::new(
            format!("机关代字“{word}”须为 1 至 {LETTER_WORD} 个汉字、字母或数字，不含标点和空格"),
            format!(
                "the word of letters \"{word}\" has 1 to {LETTER_WORD} letters or digits, no punctuation"
            ),
        )
    })
}

/// The tree of organisations as others see it. `None` for a moment means now.
pub trait Organisations: Send + Sync {
    /// An organisation by its code.
    fn get(&self, code: &str, at: Option<Time>) -> Option<Arc<Organisation>>;
    /// It and everything below it, it first, parents before children. Empty when there is none.
    fn below(&self, code: &str, at: Option<Time>) -> Arc<[String]>;
    /// Everything above it, the nearest first.
    fn above(&self, code: &str, at: Option<Time>) -> Vec<String>;
    /// From the top down to it, it last. Empty when there is none.
    fn path(&self, code: &str, at: Option<Time>) -> Vec<Arc<Organisation>>;
    /// The organisation that has the work of one that stands no longer: what it was merged into,
    /// the first of those it was split into, or the one above it. `None` for one that stands, and
    /// for one that left no heir.
    fn successor(&self, _code: &str) -> Option<String> {
        None
    }
    /// Those that stand no longer and whose work is with this one.
    fn predecessors(&self, _code: &str) -> Vec<String> {
        vec![]
    }
    /// Adds to an actor what their positions give now: organisations, scope and roles. Those that
    /// went into an organisation of theirs count as theirs.
    fn dress(&self, actor: &mut Actor);
}

/// Something somebody has in hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenItem {
    /// What it is: `alert`, `case` …
    pub kind: String,
    /// Its identification.
    pub id: String,
    /// What to call it.
    pub title: Words,
    /// Since when it is open.
    pub since: Time,
}

/// Who takes over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Successor {
    /// This account.
    Account(String),
    /// Nobody yet: back into the queue.
    Queue,
}

/// A kind of work that can stay behind when somebody moves: alerts now, cases later. Listed and
/// handed over, so that nothing stays with somebody who has left.
#[async_trait]
pub trait OpenWork: Send + Sync {
    /// The word of [`OpenItem::kind`].
    fn kind(&self) -> &'static str;
    /// What this account has in hand, oldest first, `limit` at most.
    async fn of(&self, account: &str, limit: usize) -> Result<Vec<OpenItem>, Fault>;
    /// Hands one item over within a transaction of the store (`store::Tx`, which this crate does
    /// not know). Says whether the account still had it.
    async fn hand_over(
        &self,
        transaction: &mut (dyn Any + Send),
        by: &Actor,
        id: &str,
        from: &str,
        to: &Successor,
    ) -> Result<bool, Fault>;
}

/// Letters and digits of a unified social credit code, in the order of their values.
const CREDIT_LETTERS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// What is wrong with a unified social credit code (GB 32100-2015), if anything: 18 characters
/// without I, O, S, V, Z, the division in places 3 to 8, the check character last.
pub fn credit_code_fault(code: &str) -> Option<Words> {
    let values: Option<Vec<usize>> = code.chars().map(|c| CREDIT_LETTERS.find(c)).collect();
    let Some(values) = values.filter(|v| v.len() == 18) else {
        return Some(Words::new(
            format!("统一社会信用代码“{code}”应为 18 位数字或大写字母（无 I、O、S、V、Z）"),
            format!(
                "the unified social credit code \"{code}\" must have 18 digits or capitals without I, O, S, V, Z"
            ),
        ));
    };
    if !code[2..8].bytes().all(|b| b.is_ascii_digit()) {
        return Some(Words::new(
            format!("统一社会信用代码“{code}”第 3 至 8 位应为行政区划码"),
            format!(
                "places 3 to 8 of the unified social credit code \"{code}\" must be a division code"
            ),
        ));
    }
    let mut weight = 1;
    let mut sum = 0;
    for value in &values[..17] {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    let check = (31 - sum % 31) % 31;
    (check != values[17]).then(|| {
        Words::new(
            format!("统一社会信用代码“{code}”的校验位不对"),
            format!("the check character of the unified social credit code \"{code}\" is wrong"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_the_words_of_letters() {
        let check = |name: &str, expect: &str| {
            assert_eq!(usual_letter_word(name, "石家庄市"), expect, "{name}");
        };
        check("石家庄市数据和政务服务局", "数据政务服务");
        check("石家庄市公安局", "公安");
        check("石家庄市卫生健康委员会", "卫生健康");
        check("石家庄住房公积金管理中心", "住房公积金管理中心");
        check("石家庄市城市管理综合行政执法局", "城市管理综合行政执法");
        check("石家庄市残疾人联合会", "残疾人联合会");
        check("长安区市场监督管理局", "长安区市场监督管理");
        check("某局", "某");
        check("局", "局");
        check("石家庄市", "石家庄市");
        for (word, sound) in [
            ("石数政", true),
            ("", false),
            ("石〔2026〕", false),
            ("石 政", false),
        ] {
            assert_eq!(letter_word_fault(word).is_none(), sound, "{word}");
        }
    }

    #[test]
    fn credit_codes_are_checked_as_gb_32100_says() {
        // The example of the standard's explanation, and made-up ones in area 130199.
        for (code, sound) in [
            ("91350100M000100Y43", true),
            ("91350100M000100Y44", false),
            ("91350100M000100Y4", false),
            ("9135O100M000100Y43", false),
            ("91A50100M000100Y43", false),
            ("91350100m000100y43", false),
            ("", false),
            ("统一社会信用代码统一社会信用代码统一", false),
        ] {
            assert_eq!(credit_code_fault(code).is_none(), sound, "{code}");
        }
    }
}
