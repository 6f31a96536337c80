//! Documents: everything that is a file in government services, as other engines and systems see
//! it: what applicants hand in, and the numbered, sealed and signed letters of an office
//! (受理通知书, 准予许可决定书 …). The engine of that name keeps them, encrypted at rest.
//!
//! **Who may read is decided by the caller**: the applications engine, a route. The actor is taken
//! for the audit log: who read what, under which purpose and on which basis, so that the person
//! concerned can see it.

use crate::access::Actor;
use crate::declare::FieldKind;
use crate::fault::{Fault, Words};
use crate::licences::{HOLDER_NUMBER, Licence, LicenceType};
use crate::numbers::Day;
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Kind of a file, found by its content; never by its name or what the sender says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// PDF (ISO 32000).
    Pdf,
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// OFD (GB/T 33190): a ZIP with `OFD.xml`.
    Ofd,
}

impl FileKind {
    /// All kinds.
    pub const ALL: [FileKind; 4] = [FileKind::Pdf, FileKind::Jpeg, FileKind::Png, FileKind::Ofd];
    /// The word in files, in the store and in answers.
    pub fn word(self) -> &'static str {
        ["pdf", "jpeg", "png", "ofd"][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<FileKind> {
        FileKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
    /// Media type (RFC 6838) to send it under.
    pub fn media_type(self) -> &'static str {
        [
            "application/pdf",
            "image/jpeg",
            "image/png",
            "application/ofd",
        ][self as usize]
    }
    /// Endings of names such a file may have, in lower case.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            FileKind::Pdf => &["pdf"],
            FileKind::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            FileKind::Png => &["png"],
            FileKind::Ofd => &["ofd"],
        }
    }
}

/// A file to keep. Personal: no `Debug`.
#[derive(Clone)]
pub struct NewFile {
    /// What it belongs to: `draft/<id>`, `application/<id>`. 3 to 200 characters of `a-z A-Z 0-9
    /// _ - . /`.
    pub owner: String,
    /// Which material of it: the material's name. 1 to 100 characters of the same, no `/`.
    pub slot: String,
    /// Name as the sender has it; shown, never believed. At most 200 characters; folders before
    /// it are dropped.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// Whom it concerns, by the name the audit log knows natural persons (a pseudonym), so that
    /// reads stand under "who saw my data" too.
    pub person: Option<String>,
    /// Kinds accepted for this material; empty for those the city accepts.
    pub accept: Vec<FileKind>,
    /// Already handed in: it can no longer be removed.
    pub handed_in: bool,
}

/// What is known of a file without opening it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Identification (ULID).
    pub id: String,
    /// What it belongs to.
    pub owner: String,
    /// Which material of it.
    pub slot: String,
    /// Name, cleaned; its ending is that of the content.
    pub name: String,
    /// Kind, by content.
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
    /// Pages of a PDF; 1 for an image; `None` for OFD.
    pub pages: Option<u32>,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
    /// SM3 (GB/T 32905) of the content, hexadecimal.
    pub sm3: String,
    /// When it came.
    pub created_at: Time,
    /// Account that brought it.
    pub created_by: String,
    /// Handed in: it can no longer be removed.
    pub handed_in: bool,
    /// What looked for viruses and found none; `None` when no scanner is configured.
    pub scanned_by: Option<String>,
}

/// A file with its content. Personal: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// What is known of it.
    pub info: FileInfo,
    /// The content, whole and as it came: both digests were compared.
    pub bytes: Vec<u8>,
}

/// An organisation as its letters name it, at the time of the letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Office {
    /// Code in the organisations engine. 1 to 100 characters.
    pub code: String,
    /// Full name (on the seal, in the certificate). 2 to 60 characters.
    pub name: String,
    /// 机关代字, the short word of its document numbers: 冀城审. 1 to 20 characters.
    pub short: String,
    /// Unified social credit code (GB 32100); stands in the certificate.
    #[serde(default)]
    pub credit_code: Option<String>,
}

/// A letter to write. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLetter {
    /// Name of its template: `acceptance`, `refusal`, `correction` …
    pub kind: String,
    /// Who writes.
    pub office: Office,
    /// What it is about: `application/<id>` or `case/<id>`. 3 to 200 characters.
    pub about: String,
    /// Asked twice with one key, the same letter is answered; another content under the key is
    /// `input.conflict`. 1 to 200 characters.
    pub key: String,
    /// Fields of the template by name: text, number, list of texts (one line each), or for a
    /// table a list of objects.
    pub fields: Map<String, Value>,
    /// Whom it concerns, as [`NewFile::person`].
    #[serde(default)]
    pub person: Option<String>,
    /// Text of a template in place of the city's of this kind: an item's own. Its numbers are of
    /// the same series unless it says another.
    #[serde(default)]
    pub template: Option<String>,
}

/// Where a letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// It counts.
    Issued,
    /// The office took it back (撤回、作废).
    Withdrawn,
}

/// A letter of an office: numbered, sealed, signed, on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Identification (ULID).
    pub id: String,
    /// Number: `冀城审受字〔2026〕第000123号`. Without gaps for office, series and year.
    pub number: String,
    /// Code printed beside the number, to look the letter up with.
    pub check: String,
    /// Name of its template.
    pub kind: String,
    /// Title: 受理通知书.
    pub title: String,
    /// Code of the office.
    pub office: String,
    /// What it is about.
    pub about: String,
    /// The PDF, for [`Documents::get`].
    pub file: String,
    /// When it was issued.
    pub issued_at: Time,
    /// Where it stands.
    pub state: LetterState,
}

/// What anybody may know of a letter whose number and check they hold. Nothing personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterProof {
    /// Number.
    pub number: String,
    /// Title.
    pub title: String,
    /// Name of the office.
    pub office: String,
    /// When it was issued.
    pub issued_at: Time,
    /// Where it stands.
    pub state: LetterState,
    /// SHA-256 of the PDF, hexadecimal.
    pub sha256: String,
}

/// What the examination of a PDF found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PdfVerdict {
    /// Signed by this city, and untouched since.
    Valid,
    /// Something was changed or added after it was signed, or the signature is broken.
    Altered,
    /// Untouched since it was signed, but not by this city.
    Foreign,
    /// Signed in a way that cannot be checked here (an algorithm or form that is not known).
    Uncheckable,
    /// Not signed.
    Unsigned,
    /// Not a PDF that can be read.
    Unreadable,
}

impl PdfVerdict {
    /// For people.
    pub fn words(self) -> Words {
        let (zh, en) = match self {
            PdfVerdict::Valid => ("签名有效，签署后未被改动", "signed and untouched"),
            PdfVerdict::Altered => (
                "签署后内容被改动，或签名已损坏",
                "altered since it was signed",
            ),
            PdfVerdict::Foreign => (
                "签署后未被改动，但不是本市机关的签名",
                "untouched, but not signed by this city",
            ),
            PdfVerdict::Uncheckable => (
                "签名的算法或格式本系统无法核验",
                "signed in a way that cannot be checked here",
            ),
            PdfVerdict::Unsigned => ("没有电子签名", "not signed"),
            PdfVerdict::Unreadable => ("不是可识别的 PDF 文件", "not a PDF that can be read"),
        };
        Words::new(zh, en)
    }
}

/// What a PDF turned out to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PdfCheck {
    /// What was found.
    pub verdict: PdfVerdict,
    /// The same for people.
    pub words: Words,
    /// Organisation that signed, as its certificate names it.
    pub signer: Option<String>,
    /// When it says it was signed.
    pub signed_at: Option<Time>,
    /// The letter this very file is, when it is one of ours.
    pub letter: Option<LetterProof>,
    /// Identifier of the licence this is a print of, when this city signed it.
    #[serde(default)]
    pub print: Option<String>,
}

/// What is printed across a copy that is passed on (加注件, GB/T 36905).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watermark {
    /// For whom the copy is. 1 to 100 characters.
    pub requester: String,
    /// For which purpose only. 1 to 60 characters.
    pub purpose: String,
    /// When it was made.
    pub at: Time,
}

/// The print of a licence. Personal: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicencePrint {
    /// Title: 食品经营许可证.
    pub title: String,
    /// Number printed on it.
    pub number: String,
    /// Identifier (证照标识, GB/T 36904).
    pub identifier: String,
    /// Who issued it; seals and signs the print.
    pub office: Office,
    /// What it says, line by line: title of the field and value. At most 60 lines.
    pub lines: Vec<(String, String)>,
    /// When it was issued.
    pub issued_at: Time,
    /// What the file says of itself beside what is printed, for programs: names of elements of
    /// GB/T 36903 and their values. In OFD only.
    pub elements: Vec<(String, String)>,
    /// What the QR code says: an address to verify at. At most 600 bytes.
    pub qr: String,
    /// Across a copy that is passed on.
    pub watermark: Option<Watermark>,
}

impl LicencePrint {
    /// A licence as it is printed: its holder, its fields in the order of the type with choices by
    /// their titles, and how long it is valid. Of the holder's number and the fields only those
    /// that are `chosen`, all when none are; a print that leaves something out says so. `office` is
    /// its issuer, `qr` an address to verify it at.
    pub fn of(
        licence: &Licence,
        kind: &LicenceType,
        chosen: &[String],
        office: Office,
        qr: String,
        watermark: Option<Watermark>,
    ) -> LicencePrint {
        let day = |time: Time| {
            let (y, m, d, ..) = time.beijing_fields();
            format!("{y}年{m}月{d}日")
        };
        let mut left_out = false;
        let mut wanted = |name: &str| {
            let wanted = chosen.is_empty() || chosen.iter().any(|each| each == name);
            left_out |= !wanted;
            wanted
        };
        let mut lines = vec![("持证主体".to_string(), licence.holder.name.clone())];
        let numbered = wanted(HOLDER_NUMBER);
        if numbered {
            lines.push(("持证主体代码".into(), licence.holder.number.clone()));
        }
        for field in &kind.decl.fields {
            let value = licence.fields.get(&field.name);
            if value.is_none_or(Value::is_null) || !wanted(&field.name) {
                continue;
            }
            let said = match value {
                None | Some(Value::Null) => continue,
                Some(Value::String(text)) => text.clone(),
                Some(Value::Bool(yes)) => if *yes { "是" } else { "否" }.into(),
                Some(other) => other.to_string(),
            };
            let in_words = match &field.kind {
                FieldKind::Choice { of } => {
                    let choice = of.iter().find(|(value, _)| *value == said);
                    choice.map(|(_, words)| words.zh.clone())
                }
                FieldKind::Date => Day::parse(&said).map(|of| day(of.starts())),
                _ => None,
            };
            lines.push((field.title.zh.clone(), in_words.unwrap_or(said)));
        }
        // The end is exclusive: the last day is the one before.
        let last = licence.valid_to.map(|to| day(Time(to.0 - 1)));
        let last = last.unwrap_or_else(|| "长期".into());
        lines.push((
            "有效期".into(),
            format!("{}至{last}", day(licence.valid_from)),
        ));
        // Whoever seals today may be called otherwise than whoever issued it.
        if licence.issuer.zh != office.name {
            lines.push(("颁发机构".into(), licence.issuer.zh.clone()));
        }
        if left_out {
            let said = "本件为摘录，只载所选内容，不代替全文";
            lines.push(("说明".into(), said.into()));
        }
        LicencePrint {
            title: licence.title.zh.clone(),
            number: licence.number.clone(),
            identifier: licence.identifier.clone(),
            office,
            lines,
            issued_at: licence.issued_at,
            elements: elements(licence, kind, numbered),
            qr,
            watermark,
        }
    }
}

/// The elements of a licence as GB/T 36903 calls them; days as `2026-11-25`, an end that never comes
/// as `长期`. The holder's number only where it is printed too.
fn elements(licence: &Licence, kind: &LicenceType, numbered: bool) -> Vec<(String, String)> {
    let day = |time: Time| Day::of(time).to_string();
    let last = licence.valid_to.map(|to| day(Time(to.0 - 1)));
    let holder = match numbered {
        true => licence.holder.number.as_str(),
        false => "",
    };
    let all: [(&str, &str); 11] = [
        ("证照标识", licence.identifier.as_str()),
        ("证照类型名称", &licence.title.zh),
        ("证照类型代码", &kind.decl.code),
        ("证照编号", &licence.number),
        ("证照颁发机构", &licence.issuer.zh),
        ("证照颁发机构代码", &licence.issuer_code),
        ("证照颁发日期", &day(licence.issued_at)),
        ("证照有效期起始日期", &day(licence.valid_from)),
        ("证照有效期截止日期", last.as_deref().unwrap_or("长期")),
        ("持证主体", &licence.holder.name),
        ("持证主体代码", holder),
    ];
    let said = all.into_iter().filter(|(_, value)| !value.is_empty());
    said.map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// The documents engine as others see it.
#[async_trait]
pub trait Documents: Send + Sync {
    /// Looks at a file, has it searched for viruses and keeps it, encrypted. Refused whole with
    /// every fault named (`input.invalid`): empty, of a kind not accepted, of another kind than
    /// its name says, too many pages or pixels, encrypted, with scripts, programs or files inside;
    /// `input.too_large`; `documents.infected`; `documents.not_scanned` (503) when the scanner
    /// cannot be reached. Acknowledged means on the disk.
    async fn put(&self, actor: &Actor, new: NewFile) -> Result<FileInfo, Fault>;
    /// A file with its content; the read is on the disk, in the audit log, before the answer. The
    /// caller has decided that the actor may read it. `documents.altered` when what is kept is not
    /// what came.
    async fn get(&self, actor: &Actor, id: &str) -> Result<File, Fault>;
    /// What is known of a file; nothing is opened and nothing logged.
    async fn info(&self, id: &str) -> Result<FileInfo, Fault>;
    /// The files of an owner, oldest first; nothing is opened and nothing logged.
    async fn list(&self, owner: &str) -> Result<Vec<FileInfo>, Fault>;
    /// Removes a file that was not handed in; `input.conflict` for one that was.
    async fn remove(&self, actor: &Actor, id: &str) -> Result<(), Fault>;
    /// Hands in: every file of `from` (`draft/<id>`) belongs to `to` (`application/<id>`) from now
    /// on and can no longer be removed. With `from` and `to` alike, what came later (补正) is handed
    /// in where it is. May be asked again after a crash: answers the files of `to`.
    async fn attach(&self, actor: &Actor, from: &str, to: &str) -> Result<Vec<FileInfo>, Fault>;

    /// Writes a letter: checks the fields against the template (every fault named), takes the next
    /// number, renders, seals, signs and keeps the PDF. Once for each key, over crashes too: asked
    /// again it answers the same number and the same file.
    async fn letter(&self, actor: &Actor, new: &NewLetter) -> Result<Letter, Fault>;
    /// The letters about something, oldest first.
    async fn letters(&self, about: &str) -> Result<Vec<Letter>, Fault>;
    /// Takes a letter back; its number is not used again. 2 to 200 characters of reason.
    async fn withdraw_letter(&self, actor: &Actor, id: &str, reason: &str)
    -> Result<Letter, Fault>;
    /// "Is this document real?" For anybody who holds number and check; `input.not_found` for
    /// anything else. The caller limits how often one may guess.
    async fn find_letter(&self, number: &str, check: &str) -> Result<LetterProof, Fault>;
    /// What is signed by whom, and is it untouched? A verdict is an answer, not a fault.
    async fn verify_pdf(&self, bytes: Vec<u8>) -> Result<PdfCheck, Fault>;
    /// The print of a licence, sealed and signed by its office. Nothing is kept; the caller notes
    /// the use.
    async fn licence_pdf(&self, print: &LicencePrint) -> Result<Vec<u8>, Fault>;
    /// A letter as OFD (GB/T 33190), for archives that ask for that form: the same sheets, with the
    /// read on record as for [`Documents::get`]. It carries no electronic seal (GB/T 38540): the
    /// signed form is the PDF.
    async fn letter_ofd(&self, actor: &Actor, id: &str) -> Result<Vec<u8>, Fault>;
    /// The print of a licence as OFD, with the same reservation.
    async fn licence_ofd(&self, print: &LicencePrint) -> Result<Vec<u8>, Fault>;
    /// The certificate letters are traced to, PEM: to be trusted by readers of PDF.
    async fn authority(&self) -> Result<String, Fault>;
}
