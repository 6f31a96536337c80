//! Prints of licences over HTTP: the holder, or the office that issued it, has a licence as PDF
//! (sealed and signed) or OFD with the purpose across it, and anybody asks whether a PDF they were
//! given is genuine. Who may print is the licences engine's to say, the drawing the documents
//! engine's; the use is on the disk before the file leaves.

use super::guard::Caller;
use super::input::{Json, body};
use super::output::named_file;
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use crate::window::letters::office;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use kernel::documents::{Documents, FileKind, LicencePrint, Office, Watermark};
use kernel::organisations::Organisations;
use kernel::{Access, Actor, Fault, Verb};
use licences::{NewPrint, Printing};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// What a print is answered as.
const FILES: &str = "file: application/pdf, application/ofd";

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    table.add(
        line(
            "POST /api/v1/me/licences/{identifier}/print",
            Access::SignedIn,
            "打印我的证照（PDF 或 OFD，带用途水印）",
            "A licence of mine as PDF or OFD, with the purpose across it",
        )
        .takes("LicencePrinting")
        .gives(FILES)
        .secret(),
        print_own,
    );
    table.add(
        line(
            "POST /api/v1/licences/{identifier}/print",
            Access::May(Verb::Read, "licences"),
            "颁发机构打印证照（PDF 或 OFD，带用途水印）",
            "A licence as PDF or OFD for its issuer, with the purpose across it",
        )
        .takes("LicencePrinting")
        .gives(FILES)
        .secret(),
        print_as_issuer,
    );
    table.add(
        line(
            "POST /api/v1/letters/verify-pdf",
            Access::Public,
            "核验 PDF 签名",
            "Who signed this PDF, and is it untouched?",
        )
        .gives("PdfCheck")
        .large(),
        verify_pdf,
    );
}

/// What to print, how and what for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    format: String,
    purpose: String,
    #[serde(default)]
    fields: Vec<String>,
}

impl Asked {
    fn parts(self) -> Answer<(FileKind, NewPrint)> {
        let format = match FileKind::parse(&self.format) {
            Some(kind @ (FileKind::Pdf | FileKind::Ofd)) => kind,
            _ => {
                return Err(Refusal(Fault::invalid_at(
                    "format",
                    "应为 pdf 或 ofd",
                    "expected pdf or ofd",
                )));
            }
        };
        let asked = NewPrint {
            purpose: self.purpose,
            fields: self.fields,
        };
        Ok((format, asked))
    }
}

async fn print_own(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
    Json(asked): Json<Asked>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let (format, asked) = asked.parts()?;
    let print = app.licences.print_own(actor, &identifier, &asked).await?;
    printed(&app, actor, print, format).await
}

async fn print_as_issuer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
    Json(asked): Json<Asked>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let (format, asked) = asked.parts()?;
    let print = app
        .licences
        .print_as_issuer(actor, &identifier, &asked)
        .await?;
    printed(&app, actor, print, format).await
}

/// Draws it, writes the use down, and only then hands the file out.
async fn printed(app: &App, actor: &Actor, print: Printing, format: FileKind) -> Answer<Response> {
    let watermark = Watermark {
        requester: print.requester.clone(),
        purpose: print.purpose.clone(),
        at: print.at,
    };
    let sheet = LicencePrint::of(
        &print.licence,
        &print.kind,
        &print.fields,
        issuer(app, &print),
        print.address.clone(),
        Some(watermark),
    );
    let bytes = match format {
        FileKind::Ofd => app.documents.licence_ofd(&sheet).await?,
        _ => app.documents.licence_pdf(&sheet).await?,
    };
    app.licences.note_print(actor, &print).await?;
    let word = format.word();
    let plain = format!("{}.{word}", print.licence.identifier);
    let name = format!("{}{}.{word}", sheet.title, sheet.number);
    Ok(named_file(&plain, &name, format.media_type(), bytes))
}

/// Who issued it, as it is called now: it seals. An organisation that is gone keeps the name it
/// issued under.
fn issuer(app: &App, print: &Printing) -> Office {
    let (code, licence) = (&print.kind.decl.issuer, &print.licence);
    let known = app.organisations.get(code, None).is_some();
    let now = office(&app.organisations, &app.city.declared.city.title.zh, code);
    match known {
        true => now,
        false => Office {
            name: licence.issuer.zh.clone(),
            ..now
        },
    }
}

async fn verify_pdf(State(app): State<Arc<App>>, request: Request) -> Answer<Response> {
    let bytes = body(request, &()).await?;
    let check = app.documents.verify_pdf(bytes.to_vec()).await?;
    // A print stays genuine when its licence is over: where that stands now is said beside.
    let licence = match &check.print {
        Some(identifier) => app.licences.print_standing(identifier).await?,
        None => None,
    };
    let mut answer = json!(check);
    answer["licence"] = json!(licence);
    Ok(axum::Json(answer).into_response())
}
