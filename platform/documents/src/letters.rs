//! Letters: a number is taken with what is asked for in one transaction; then the PDF is drawn,
//! signed, and kept in another. Whoever asks again with the same key, after a crash too, gets the
//! same number and, when it was kept already, the same file.

mod shown;

pub(crate) use shown::{find, ofd, preview, proof, withdraw};

use crate::Engine;
use crate::drawing::letter::{self as drawing, LetterText};
use crate::inspect::problem;
use crate::keeping::{
    self, CHUNK, Judged, digests, entry, is_reference, reference_problem, seal_chunks, tell,
};
use crate::quiet::quietly;
use crate::signing::certificates::hex;
use crate::signing::pdf::{Particulars, sign};
use crate::template::Template;
use kernel::access::Actor;
use kernel::crypto::Ring;
use kernel::documents::{FileKind, Letter, LetterState, NewFile, NewLetter, Office};
use kernel::fault::FaultKind;
use kernel::{Fault, Problem, Span, Time};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use store::audit;
use store::files::{self as rows, By, LetterRow};
use store::{Tx, documents};

/// Letters drawn again by one run of the job, at most.
const FINISH: u64 = 100;
/// Characters a check is made of: none that is taken for another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TEMPLATES: &str = "letter_templates";

/// Ten random characters in two groups.
fn new_check() -> String {
    let bytes: [u8; 10] = rand::random();
    let mut check = String::with_capacity(11);
    for (n, byte) in bytes.iter().enumerate() {
        if n == 5 {
            check.push('-');
        }
        check.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    check
}

/// Percent-encoded for the query of an address (RFC 3986).
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn place(id: &str) -> String {
    format!("letters/{id}")
}

pub(crate) fn office_problems(office: &Office) -> Vec<Problem> {
    let mut problems = vec![];
    let mut sized = |at: &str, text: &str, least: usize, most: usize| {
        let long = text.trim().chars().count();
        if !(least..=most).contains(&long) || text.chars().any(char::is_control) {
            problems.push(problem(
                at,
                format!("应为 {least} 至 {most} 个字"),
                format!("has {least} to {most} characters"),
            ));
        }
    };
    sized("office/code", &office.code, 1, 100);
    sized("office/name", &office.name, 2, 60);
    sized("office/short", &office.short, 1, 20);
    if let Some(code) = &office.credit_code {
        sized("office/credit_code", code, 18, 18);
    }
    problems
}

/// Every text a letter will show.
fn shown(office: &Office, fields: &Map<String, Value>) -> String {
    fn gather(value: &Value, out: &mut String) {
        match value {
            Value::String(text) => out.push_str(text),
            Value::Array(items) => items.iter().for_each(|item| gather(item, out)),
            Value::Object(row) => row.values().for_each(|item| gather(item, out)),
            _ => {}
        }
    }
    let mut text = format!("{}{}", office.name, office.short);
    fields.values().for_each(|value| gather(value, &mut text));
    text
}

/// Characters that cannot be written.
pub(crate) fn unwritable(engine: &Engine, text: &str) -> Result<Option<Problem>, Fault> {
    unwritable_at(engine, "fields", text)
}

/// The same, of one text.
pub(crate) fn unwritable_at(
    engine: &Engine,
    at: &str,
    text: &str,
) -> Result<Option<Problem>, Fault> {
    let lacking = engine.fonts()?.lacking(text);
    Ok((!lacking.is_empty()).then(|| {
        let some: String = lacking.iter().take(20).collect();
        problem(
            at,
            format!("字体中没有这些字：{some}"),
            format!("the font lacks these characters: {some}"),
        )
    }))
}

/// Judges what is asked for; every fault is named.
fn judge(engine: &Engine, new: &NewLetter) -> Result<Arc<Template>, Fault> {
    let template = match &new.template {
        Some(text) => Some(Template::parse(&new.kind, text).map_err(Fault::invalid)?),
        None => None,
    };
    let template = template.map(Arc::new);
    let of_city = || engine.templates.read().get(&new.kind).cloned();
    let Some(template) = template.or_else(of_city) else {
        let known: Vec<String> = engine.templates.read().keys().cloned().collect();
        let known = known.join(", ");
        return Err(Fault::invalid_at(
            "kind",
            format!("没有这种文书；已有：{known}"),
            format!("there is no such template; there are: {known}"),
        ));
    };
    let mut problems = office_problems(&new.office);
    if !is_reference(&new.about, 200, true) || new.about.len() < 3 {
        problems.push(reference_problem("about"));
    }
    let key = new.key.chars().count();
    if !(1..=200).contains(&key) || new.key.chars().any(char::is_control) {
        let (zh, en) = ("应为 1 至 200 个字", "has 1 to 200 characters");
        problems.push(problem("key", zh, en));
    }
    problems.extend(template.judge(&new.fields));
    problems.extend(unwritable(engine, &shown(&new.office, &new.fields))?);
    match problems.is_empty() {
        true => Ok(template),
        false => Err(Fault::invalid(problems)),
    }
}

pub(crate) async fn letter(
    engine: &Engine,
    actor: &Actor,
    new: &NewLetter,
) -> Result<Letter, Fault> {
    let template = judge(engine, new)?;
    measure(engine, new, &template).await?;
    let row = number(engine, actor, new, &template).await?;
    match row.file {
        Some(_) => letter_of(&row),
        None => write(engine, actor, row).await,
    }
}

/// Characters that fit into 60 pages were each a line of its own, of which a page has 22.
const SURELY: usize = 1000;

/// Refuses a letter that would be too long, before a number is taken for it.
async fn measure(engine: &Engine, new: &NewLetter, template: &Arc<Template>) -> Result<(), Fault> {
    let fields = new.fields.values().map(|value| value.to_string());
    let fields: usize = fields.map(|text| text.chars().count()).sum();
    if template.text.chars().count() + fields < SURELY {
        return Ok(());
    }
    let (fonts, new, template) = (engine.fonts()?, new.clone(), template.clone());
    let at = engine.clock.now();
    let turn = engine.turn(&engine.drawings).await?;
    let fits = quietly(move || {
        let text = LetterText {
            template: &template,
            office: &new.office,
            number: &template.number(&new.office.short, 2000, 0),
            check: "",
            at,
            fields: &new.fields,
            qr: "",
        };
        drawing::fits(&fonts, &text)
    });
    let fits = fits.await??;
    drop(turn);
    match fits {
        true => Ok(()),
        false => Err(Fault::invalid_at(
            "fields",
            "文书过长（超过 60 页），请精简或改用附件",
            "the letter would have more than 60 pages; shorten it or use attachments",
        )),
    }
}

/// Takes a number, or finds the one taken for this key.
async fn number(
    engine: &Engine,
    actor: &Actor,
    new: &NewLetter,
    template: &Template,
) -> Result<LetterRow, Fault> {
    let digest = keep_template(engine, template).await?;
    let mut tx = engine.store.begin().await?;
    if let Some(row) = rows::letter(&mut tx, By::Once, &new.key).await? {
        let asked = asked(engine, &row)?;
        // The office may have another name by now; the letter says the one of its day.
        let same = asked.kind == new.kind
            && asked.office.code == new.office.code
            && asked.about == new.about
            && asked.fields == new.fields;
        return match same {
            true => Ok(row),
            false => Err(Fault::new(
                FaultKind::Conflict,
                "input.conflict",
                format!("此业务已经出具文书 {}，内容与本次不同", row.number),
                format!(
                    "the letter {} was written for this key with another content",
                    row.number
                ),
            )),
        };
    }
    let now = engine.clock.now();
    let year = i64::from(now.beijing_fields().0);
    let office = &new.office;
    let n = rows::next_number(&mut tx, &office.code, &template.series, year).await?;
    let number = template.number(&office.short, year, n);
    if let Some(other) = rows::letter(&mut tx, By::Number, &number).await? {
        let code = other.office;
        return Err(Fault::new(
            FaultKind::Conflict,
            "input.conflict",
            format!("文号 {number} 已被 {code} 使用：机关代字或文号样式重复"),
            format!(
                "the number {number} is taken by {code}: two offices or templates share a pattern"
            ),
        ));
    }
    let id = kernel::new_id(now);
    let body = serde_json::to_vec(new).map_err(|e| Fault::internal("writing a letter", e))?;
    let row = LetterRow {
        sealed: engine
            .crypto
            .seal(Ring::Secrets, place(&id).as_bytes(), &body)?,
        once: new.key.clone(),
        office: office.code.clone(),
        series: template.series.clone(),
        year,
        n,
        number,
        check_code: new_check(),
        kind: new.kind.clone(),
        title: template.title.clone(),
        about: new.about.clone(),
        person: new.person.clone(),
        template: digest,
        issued_at: now.0,
        issued_by: actor.account.clone(),
        file: None,
        state: "numbered".into(),
        reason: None,
        id,
    };
    rows::add_letter(&mut tx, &row).await?;
    note(&mut tx, actor, now, &row, "number").await?;
    tx.commit().await?;
    Ok(row)
}

/// Keeps the text of a template under its digest: a letter is finished with the one it was begun
/// with.
async fn keep_template(engine: &Engine, template: &Template) -> Result<String, Fault> {
    let named = format!("{}\n{}", template.kind, template.text);
    let digest = hex(&Sha256::digest(named));
    if engine.kept_templates.read().contains_key(&digest) {
        return Ok(digest);
    }
    if engine
        .store
        .documents()
        .get(TEMPLATES, &digest)
        .await?
        .is_none()
    {
        let document = json!({ "kind": template.kind, "text": template.text });
        let mut tx = engine.store.begin().await?;
        documents::put(&mut tx, TEMPLATES, &digest, &document, None).await?;
        tx.commit().await?;
    }
    let kept = Arc::new(template.clone());
    engine.kept_templates.write().insert(digest.clone(), kept);
    Ok(digest)
}

async fn kept_template(engine: &Engine, digest: &str) -> Result<Arc<Template>, Fault> {
    if let Some(known) = engine.kept_templates.read().get(digest) {
        return Ok(known.clone());
    }
    let broken = || Fault::internal("writing a letter", "its template is not kept");
    let kept = engine
        .store
        .documents()
        .get(TEMPLATES, digest)
        .await?
        .ok_or_else(broken)?;
    let text = |name: &str| {
        kept.json[name]
            .as_str()
            .map(String::from)
            .ok_or_else(broken)
    };
    let template = Template::parse(&text("kind")?, &text("text")?).map_err(|_| broken())?;
    let kept = Arc::new(template);
    let mut known = engine.kept_templates.write();
    known.insert(digest.into(), kept.clone());
    Ok(kept)
}

/// What was asked for.
fn asked(engine: &Engine, row: &LetterRow) -> Result<NewLetter, Fault> {
    let opened = engine
        .crypto
        .open(Ring::Secrets, place(&row.id).as_bytes(), &row.sealed)?;
    serde_json::from_slice(&opened).map_err(|e| Fault::internal("reading a letter", e))
}

/// What the code of a letter says: where it is verified.
fn qr(engine: &Engine, row: &LetterRow) -> String {
    format!(
        "{}?number={}&check={}",
        engine.settings.verify_at,
        encoded(&row.number),
        encoded(&row.check_code)
    )
}

/// Draws, signs and keeps a letter that has its number.
async fn write(engine: &Engine, actor: &Actor, row: LetterRow) -> Result<Letter, Fault> {
    let fonts = engine.fonts()?;
    let template = kept_template(engine, &row.template).await?;
    let new = asked(engine, &row)?;
    let identity = engine.authority.identity(&new.office).await?;
    let crypto = engine.crypto.clone();
    let qr = qr(engine, &row);
    let turn = engine.turn(&engine.drawings).await?;
    let (number, check, at) = (
        row.number.clone(),
        row.check_code.clone(),
        Time(row.issued_at),
    );
    let office = new.office.clone();
    let made = quietly(move || {
        let text = LetterText {
            template: &template,
            office: &new.office,
            number: &number,
            check: &check,
            at,
            fields: &new.fields,
            qr: &qr,
        };
        let drawn = drawing::draw(&fonts, &text)?;
        let pages = drawn.pages;
        let about = Particulars {
            at,
            name: &new.office.name,
            reason: &format!("{} {number}", template.title),
            page: drawn.seal_page,
            place: drawn.seal_place,
            licence: None,
        };
        let pdf = sign(drawn.pdf, crypto.as_ref(), &identity, &about)?;
        let found = digests(&pdf);
        Ok::<_, Fault>((pdf, pages, found))
    });
    let (pdf, pages, (sha256, sm3)) = made.await??;
    drop(turn);
    let judged = Judged {
        kind: FileKind::Pdf,
        pages: Some(pages),
        name: format!("{} {}.pdf", row.title, row.number),
        sha256,
        sm3,
    };
    let file = NewFile {
        owner: format!("letter/{}", row.id),
        slot: row.kind.clone(),
        name: String::new(),
        bytes: pdf,
        person: row.person.clone(),
        accept: vec![],
        handed_in: true,
    };
    let mut coming = keeping::incoming(engine, actor, &file, judged)?;
    coming.row.whole = 1;
    keep(engine, actor, row, coming.row, file.bytes, &office).await
}

/// Keeps the PDF and issues the letter, in one transaction; whoever was quicker wins.
async fn keep(
    engine: &Engine,
    actor: &Actor,
    row: LetterRow,
    file: rows::FileRow,
    pdf: Vec<u8>,
    office: &Office,
) -> Result<Letter, Fault> {
    debug_assert!(pdf.len() < CHUNK * 64, "a letter is small");
    let chunks = seal_chunks(engine.crypto.as_ref(), &file.id, 0, file.chunks, &pdf)?;
    let mut tx = engine.store.begin().await?;
    if !rows::issue_letter(&mut tx, &row.id, &file.id).await? {
        let known = rows::letter(&mut tx, By::Id, &row.id).await?;
        return letter_of(&known.ok_or_else(|| Fault::missing("letter"))?);
    }
    rows::add_file(&mut tx, &file).await?;
    for (n, chunk) in chunks {
        rows::add_chunk(&mut tx, &file.id, n, chunk).await?;
    }
    let now = engine.clock.now();
    let issued = LetterRow {
        file: Some(file.id),
        state: "issued".into(),
        ..row
    };
    note(&mut tx, actor, now, &issued, "issue").await?;
    announce(&mut tx, now, &issued, Some(office)).await?;
    tx.commit().await?;
    letter_of(&issued)
}

async fn note(
    tx: &mut Tx,
    actor: &Actor,
    now: Time,
    row: &LetterRow,
    what: &str,
) -> Result<(), Fault> {
    let mut details = json!({
        "what": what, "kind": row.kind, "office": row.office, "about": row.about,
    });
    if let Some(reason) = &row.reason {
        details["reason"] = reason.clone().into();
    }
    let person = row.person.as_deref();
    let entry = entry(actor, now, "write", "letters", &row.number, person, details);
    audit::append(tx, &entry).await?;
    Ok(())
}

async fn announce(
    tx: &mut Tx,
    now: Time,
    row: &LetterRow,
    office: Option<&Office>,
) -> Result<(), Fault> {
    let body = json!({
        "what": row.state, "letter": row.id, "number": row.number, "kind": row.kind,
        "about": row.about, "file": row.file, "office": office.map_or(&row.office, |o| &o.code),
    });
    tell(tx, now, &row.about, &body).await
}

fn state_of(row: &LetterRow) -> LetterState {
    match row.state.as_str() {
        "withdrawn" => LetterState::Withdrawn,
        _ => LetterState::Issued,
    }
}

fn letter_of(row: &LetterRow) -> Result<Letter, Fault> {
    let file = row.file.clone();
    Ok(Letter {
        id: row.id.clone(),
        number: row.number.clone(),
        check: row.check_code.clone(),
        kind: row.kind.clone(),
        title: row.title.clone(),
        office: row.office.clone(),
        about: row.about.clone(),
        file: file.ok_or_else(|| Fault::internal("reading a letter", "it has no file"))?,
        issued_at: Time(row.issued_at),
        state: state_of(row),
    })
}

pub(crate) async fn letters(engine: &Engine, about: &str) -> Result<Vec<Letter>, Fault> {
    let found = rows::letters_about(&mut engine.store.reader().await?, about).await?;
    found.iter().map(letter_of).collect()
}

/// Writes letters whose process ended between number and PDF.
pub(crate) async fn finish(engine: &Engine) -> Result<u64, Fault> {
    let before = (engine.clock.now() - Span::minutes(2)).0;
    let open = rows::unwritten(&mut engine.store.reader().await?, before, FINISH).await?;
    let mut written = 0;
    for row in open {
        let number = row.number.clone();
        match write(engine, &Actor::system(), row).await {
            Ok(_) => written += 1,
            // One that cannot be written does not stop the others; it is tried again.
            Err(fault) => tracing::error!(%fault, number, "a letter cannot be written"),
        }
    }
    Ok(written)
}
