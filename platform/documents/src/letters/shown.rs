//! Letters as they are shown: found by number and check, taken back, and how one would look.

use super::{
    announce, asked, kept_template, letter_of, note, office_problems, qr, shown, state_of,
    unwritable,
};
use crate::drawing::letter::{self as drawing, LetterText};
use crate::keeping::{entry, is_reference};
use crate::template::Template;
use crate::{Engine, blocking};
use kernel::access::Actor;
use kernel::documents::{Letter, LetterProof, Office};
use kernel::fault::FaultKind;
use kernel::{Fault, Time};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use store::files::{self as rows, By, LetterRow};

/// As somebody types it: without groups, in capitals, with the usual confusions put right.
fn typed_check(text: &str) -> String {
    let kept = text.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    })
    .collect()
}

pub(crate) async fn withdraw(
    engine: &Engine,
    actor: &Actor,
    id: &str,
    reason: &str,
) -> Result<Letter, Fault> {
    let reason = reason.trim();
    if !(2..=200).contains(&reason.chars().count()) || reason.chars().any(char::is_control) {
        return Err(Fault::invalid_at(
            "reason",
            "请说明理由，2 至 200 个字",
            "a reason of 2 to 200 characters is needed",
        ));
    }
    let mut tx = engine.store.begin().await?;
    let row = match is_reference(id, 40, false) {
        true => rows::letter(&mut tx, By::Id, id).await?,
        false => None,
    };
    let mut row = row.ok_or_else(|| Fault::missing("letter"))?;
    if !rows::withdraw_letter(&mut tx, id, reason).await? {
        return Err(Fault::new(
            FaultKind::Conflict,
            "input.conflict",
            format!("文书 {} 已经撤回或尚未出具", row.number),
            format!(
                "the letter {} was withdrawn before, or is not issued",
                row.number
            ),
        ));
    }
    row.state = "withdrawn".into();
    row.reason = Some(reason.into());
    let now = engine.clock.now();
    note(&mut tx, actor, now, &row, "withdraw").await?;
    announce(&mut tx, now, &row, None).await?;
    tx.commit().await?;
    letter_of(&row)
}

/// What anybody may know of a letter; `None` when its file or its office cannot be read.
pub(crate) async fn proof(engine: &Engine, row: &LetterRow) -> Result<Option<LetterProof>, Fault> {
    let Some(file) = &row.file else {
        return Ok(None);
    };
    let file = rows::file(&mut engine.store.reader().await?, file).await?;
    let asked = asked(engine, row)?;
    Ok(file.map(|file| LetterProof {
        number: row.number.clone(),
        title: row.title.clone(),
        office: asked.office.name,
        issued_at: Time(row.issued_at),
        state: state_of(row),
        sha256: file.sha256,
    }))
}

pub(crate) async fn find(engine: &Engine, number: &str, check: &str) -> Result<LetterProof, Fault> {
    let missing = || Fault::missing("letter");
    let number = number.trim();
    if number.chars().count() > 200 || check.len() > 40 || number.contains('\0') {
        return Err(missing());
    }
    // Brackets as a keyboard has them.
    let number = number
        .replace(['[', '【', '﹝', '['], "〔")
        .replace([']', '】', '﹞', ']'], "〕");
    let row = rows::letter(&mut engine.store.reader().await?, By::Number, &number).await?;
    let row = row.ok_or_else(missing)?;
    // Compared by digests, so that the time taken tells nothing of how much fits.
    let digest = |check: &str| Sha256::digest(typed_check(check));
    if digest(&row.check_code) != digest(check) {
        return Err(missing());
    }
    proof(engine, &row).await?.ok_or_else(missing)
}

/// A letter as OFD.
pub(crate) async fn ofd(engine: &Engine, actor: &Actor, id: &str) -> Result<Vec<u8>, Fault> {
    let missing = || Fault::missing("letter");
    if !is_reference(id, 40, false) {
        return Err(missing());
    }
    let row = rows::letter(&mut engine.store.reader().await?, By::Id, id).await?;
    let row = row.filter(|row| row.file.is_some()).ok_or_else(missing)?;
    let template = kept_template(engine, &row.template).await?;
    let (fonts, new, qr) = (engine.fonts()?, asked(engine, &row)?, qr(engine, &row));
    let details = json!({ "what": "ofd", "about": row.about });
    let person = row.person.as_deref();
    let now = engine.clock.now();
    let read = entry(actor, now, "read", "letters", &row.number, person, details);
    let turn = engine.turn(&engine.drawings).await?;
    let made = blocking(move || {
        let text = LetterText {
            template: &template,
            office: &new.office,
            number: &row.number,
            check: &row.check_code,
            at: Time(row.issued_at),
            fields: &new.fields,
            qr: &qr,
        };
        drawing::ofd(&fonts, &text)
    });
    let made = made.await??;
    drop(turn);
    engine.reads.note(read).await?;
    Ok(made)
}

/// How a letter would look.
pub(crate) async fn preview(
    engine: &Engine,
    kind: &str,
    text: &str,
    office: &Office,
    fields: Map<String, Value>,
) -> Result<Vec<u8>, Fault> {
    let template = Template::parse(kind, text).map_err(Fault::invalid)?;
    let mut problems = office_problems(office);
    problems.extend(template.judge(&fields));
    problems.extend(unwritable(engine, &shown(office, &fields))?);
    if !problems.is_empty() {
        return Err(Fault::invalid(problems));
    }
    let (fonts, office) = (engine.fonts()?, office.clone());
    let at = engine.clock.now();
    let _turn = engine.turn(&engine.drawings).await?;
    blocking(move || {
        let year = i64::from(at.beijing_fields().0);
        let text = LetterText {
            template: &template,
            office: &office,
            number: &format!("样张 {}", template.number(&office.short, year, 0)),
            check: "样张",
            at,
            fields: &fields,
            qr: "preview",
        };
        Ok(drawing::draw(&fonts, &text)?.pdf)
    })
    .await?
}
