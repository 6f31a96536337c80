//! Prints of licences, and the examination of a PDF somebody shows.

use crate::drawing::licence as drawing;
use crate::fonts::Fonts;
use crate::inspect::{problem, too_big};
use crate::letters::{office_problems, proof, unwritable_at};
use crate::signing::certificates::hex;
use crate::signing::check::check;
use crate::signing::pdf::{Particulars, sign};
use crate::{Engine, blocking};
use kernel::documents::{LicencePrint, PdfCheck, PdfVerdict};
use kernel::fault::FaultKind;
use kernel::{Fault, Problem};
use sha2::{Digest, Sha256};
use store::files as rows;

/// Lines of a print, at most.
const LINES: usize = 60;

/// A certificate as readers import it.
pub(crate) fn pem(der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in der.chunks(3) {
        let bytes = [
            part[0],
            *part.get(1).unwrap_or(&0),
            *part.get(2).unwrap_or(&0),
        ];
        let whole = bytes.iter().fold(0_usize, |n, b| n << 8 | usize::from(*b));
        for n in 0..4 {
            let digit = DIGITS[whole >> (18 - 6 * n) & 63];
            text.push(if n <= part.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    let lines = lines.join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
}

fn judge(engine: &Engine, print: &LicencePrint) -> Result<(), Fault> {
    let mut problems: Vec<Problem> = office_problems(&print.office);
    let mut sized = |at: String, text: &str, least: usize, most: usize| {
        let long = text.chars().count();
        let controls = text.chars().any(|c| c.is_control() && c != '\n');
        if !(least..=most).contains(&long) || controls {
            problems.push(problem(
                &at,
                format!("应为 {least} 至 {most} 个字"),
                format!("has {least} to {most} characters"),
            ));
        }
    };
    sized("title".into(), &print.title, 2, 60);
    sized("number".into(), &print.number, 1, 100);
    sized("identifier".into(), &print.identifier, 1, 120);
    sized("qr".into(), &print.qr, 1, 600);
    for (n, (name, value)) in print.lines.iter().enumerate() {
        sized(format!("lines/{n}/0"), name, 1, 60);
        sized(format!("lines/{n}/1"), value, 0, 1000);
    }
    if let Some(watermark) = &print.watermark {
        sized("watermark/requester".into(), &watermark.requester, 1, 100);
        sized("watermark/purpose".into(), &watermark.purpose, 1, 60);
    }
    if print.lines.len() > LINES {
        problems.push(problem(
            "lines",
            format!("超过 {LINES} 行"),
            format!("more than {LINES} lines"),
        ));
    }
    if problems.is_empty() {
        // What the licence says is printed whatever it is; what is said now can be said otherwise.
        if let Some(watermark) = &print.watermark {
            problems.extend(unwritable_at(engine, "purpose", &watermark.purpose)?);
        }
        problems.extend(unwritable_at(engine, "office/name", &print.office.name)?);
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Fault::invalid(problems)),
    }
}

/// Stands for a character no font has (下駄): names of minorities and rare characters are issued as
/// they are, and a print says openly where it cannot draw them.
const GETA: char = '〓';
/// Characters named in the note of a print, at most.
const NAMED: usize = 12;

/// The print with marks where no font has the character, and a line that says which they are.
fn drawable(fonts: &Fonts, print: &LicencePrint) -> LicencePrint {
    let mut print = print.clone();
    let mut lacking: Vec<char> = vec![];
    {
        let mut mark = |text: &mut String| {
            let some = fonts.lacking(text);
            if some.is_empty() {
                return;
            }
            *text = text
                .chars()
                .map(|c| if some.contains(&c) { GETA } else { c })
                .collect();
            lacking.extend(some);
        };
        mark(&mut print.title);
        mark(&mut print.number);
        for (name, value) in &mut print.lines {
            mark(name);
            mark(value);
        }
        if let Some(watermark) = &mut print.watermark {
            mark(&mut watermark.requester);
        }
    }
    if lacking.is_empty() {
        return print;
    }
    lacking.sort_unstable();
    lacking.dedup();
    let codes = lacking.iter().take(NAMED);
    let codes: Vec<String> = codes.map(|c| format!("U+{:04X}", u32::from(*c))).collect();
    let more = if lacking.len() > NAMED { "等" } else { "" };
    let note = format!(
        "“{GETA}”处的字（{}{more}）本机字库没有，以电子证照的内容为准",
        codes.join("、")
    );
    print.lines.push(("说明".into(), note));
    print
}

/// Characters of a text that a print will show as a mark; `None` when there are none, or nothing
/// is drawn on this machine at all.
pub(crate) fn undrawn(engine: &Engine, at: &str, text: &str) -> Option<Problem> {
    let lacking = engine.fonts().ok()?.lacking(text);
    let some: String = lacking.iter().take(NAMED).collect();
    (!lacking.is_empty()).then(|| {
        problem(
            at,
            format!("本机字库没有“{some}”：证照照常签发，打印件以“{GETA}”代替"),
            format!("no font here has \"{some}\": issued all the same; a print shows {GETA} in their place"),
        )
    })
}

pub(crate) async fn licence(engine: &Engine, print: &LicencePrint) -> Result<Vec<u8>, Fault> {
    engine.fonts()?;
    judge(engine, print)?;
    let identity = engine.authority.identity(&print.office).await?;
    let (fonts, crypto) = (engine.fonts()?, engine.crypto.clone());
    let print = drawable(&fonts, print);
    let at = engine.clock.now();
    let _turn = engine.turn(&engine.drawings).await?;
    blocking(move || {
        let drawn = drawing::draw(&fonts, &print)?;
        let about = Particulars {
            at,
            name: &print.office.name,
            reason: &format!("{} {}", print.title, print.number),
            page: drawn.seal_page,
            place: drawn.seal_place,
            licence: Some(&print.identifier),
        };
        sign(drawn.pdf, crypto.as_ref(), &identity, &about)
    })
    .await?
}

pub(crate) async fn licence_ofd(engine: &Engine, print: &LicencePrint) -> Result<Vec<u8>, Fault> {
    judge(engine, print)?;
    let fonts = engine.fonts()?;
    let print = drawable(&fonts, print);
    let _turn = engine.turn(&engine.drawings).await?;
    blocking(move || drawing::ofd(&fonts, &print)).await?
}

pub(crate) async fn verify(engine: &Engine, bytes: Vec<u8>) -> Result<PdfCheck, Fault> {
    let limit = engine.settings.limits.bytes;
    if bytes.len() > limit {
        let (zh, en) = ("文件过大，无法核验", "the file is too large to be examined");
        let mut fault = Fault::new(FaultKind::TooLarge, "input.too_large", zh, en);
        fault.problems = vec![too_big(bytes.len(), limit)];
        return Err(fault);
    }
    let authority = engine.authority.certificate.clone();
    let _turn = engine.turn(&engine.drawings).await?;
    let (checked, sha256) = blocking(move || {
        let sha256 = hex(&Sha256::digest(&bytes));
        (check(&bytes, &authority), sha256)
    })
    .await?;
    let (mut letter, mut print) = (None, None);
    if checked.verdict == PdfVerdict::Valid {
        print = checked.licence;
        let found = rows::letters_with(&mut engine.store.reader().await?, &sha256).await?;
        if let Some(row) = found.first() {
            letter = proof(engine, row).await?;
        }
    }
    Ok(PdfCheck {
        words: checked.verdict.words(),
        verdict: checked.verdict,
        signer: checked.signer,
        signed_at: checked.signed_at,
        letter,
        print,
    })
}
