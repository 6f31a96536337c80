//! Files of drafts and applications over HTTP, and the letters anybody may hold against what the
//! city issued. Who may put, take and read a file is the applications engine's to say; what it
//! really is, the documents engine's.

use super::guard::Caller;
use super::input::{Query, body};
use super::output::named_file;
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::applications::{Applications, FileLine, UploadRule};
use kernel::documents::{Documents, File, FileInfo, FileKind, NewFile};
use kernel::{Access, Fault};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Who looks letters up at once.
static GUESSES: Semaphore = Semaphore::const_new(16);
/// How much longer a wrong number and check code takes.
const WRONG: Duration = Duration::from_millis(400);

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let own = Access::SignedIn;
    table.add(
        line(
            "POST /api/v1/uploads/{about}/{part}",
            own,
            "上传材料",
            "Put a file at a material of a draft or application",
        )
        .query(&["name: string (required)"])
        .gives("FileLine")
        .large(),
        put,
    );
    table.add(
        line(
            "GET /api/v1/uploads/{about}/{part}",
            own,
            "下载材料",
            "A file of a draft or application",
        ),
        get,
    );
    table.add(
        line(
            "DELETE /api/v1/uploads/{about}/{part}/{file}",
            own,
            "删除尚未提交的材料",
            "Take a file back that was not handed in",
        ),
        remove,
    );
    let open = Access::Public;
    table.add(
        line(
            "GET /api/v1/letters/verify",
            open,
            "核验文书编号",
            "Is there a letter of this number and check code?",
        )
        .query(&["number: string (required)", "check: string (required)"])
        .gives("LetterProof"),
        find_letter,
    );
    table.add(
        line(
            "GET /api/v1/letters/authority",
            open,
            "文书签名的根证书（PEM）",
            "Certificate that signatures of letters are traced to (PEM)",
        ),
        authority,
    );
}

/// A file as an attachment; never shown within our pages' origin.
pub fn file(found: &File) -> Response {
    let info = &found.info;
    let ending = info.kind.endings().first().copied().unwrap_or("bin");
    let plain = format!("{}.{ending}", info.id);
    let bytes = found.bytes.clone();
    named_file(&plain, &info.name, info.kind.media_type(), bytes)
}

/// A file as drafts and applications list it.
pub fn as_line(info: &FileInfo) -> FileLine {
    FileLine {
        id: info.id.clone(),
        name: info.name.clone(),
        media: info.kind.media_type().into(),
        bytes: info.size as i64,
        at: info.created_at,
    }
}

async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((about, material)): Path<(String, String)>,
    query: Query,
    request: Request,
) -> Answer<Response> {
    let name = query.demand("name");
    query.finish()?;
    let actor = caller.actor()?;
    // One upload of a material at a time: the number of files is counted before one comes.
    let _turn = app.keys.turn(&format!("upload {about} {material}")).await;
    let rule: UploadRule = app
        .applications
        .may_upload(actor, &about, &material)
        .await?;
    if rule.left == 0 {
        return Err(Refusal(Fault::invalid_at(
            "material",
            "此材料的文件已达上限，请先删除一份",
            "this material has as many files as it may; take one back first",
        )));
    }
    let bytes = body(request, &()).await?;
    let formats = rule.formats.iter();
    let new = NewFile {
        owner: rule.about.clone(),
        slot: material.clone(),
        name,
        bytes: bytes.into(),
        person: app.pseudonym_of(actor),
        accept: formats.filter_map(|word| FileKind::parse(word)).collect(),
        handed_in: false,
    };
    let info = app.documents.put(actor, new).await?;
    let line = as_line(&info);
    let noted = app
        .applications
        .note_file(actor, &about, &material, line.clone(), false)
        .await;
    if let Err(fault) = noted {
        // Nothing half done: what nobody knows of is taken back.
        app.documents.remove(actor, &info.id).await?;
        return Err(fault.into());
    }
    Ok((StatusCode::CREATED, axum::Json(line)).into_response())
}

async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((about, id)): Path<(String, String)>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    app.applications.may_read_file(actor, &about, &id).await?;
    Ok(file(&app.documents.get(actor, &id).await?))
}

async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((about, material, id)): Path<(String, String, String)>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let rule = app
        .applications
        .may_upload(actor, &about, &material)
        .await?;
    let info = app.documents.info(&id).await?;
    if info.owner != rule.about || info.slot != material {
        return Err(Fault::missing(&id).into());
    }
    if info.handed_in {
        return Err(Refusal(Fault::new(
            kernel::fault::FaultKind::Conflict,
            "input.conflict",
            "材料已随申请提交，不能删除",
            "the file was handed in with the application and stays",
        )));
    }
    app.applications
        .note_file(actor, &about, &material, as_line(&info), true)
        .await?;
    app.documents.remove(actor, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn find_letter(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let (number, check) = (query.demand("number"), query.demand("check"));
    query.finish()?;
    // Whoever guesses waits, and few may guess at once.
    let Ok(_turn) = GUESSES.try_acquire() else {
        return Err(Fault::overloaded("letters", 1).into());
    };
    match app.documents.find_letter(&number, &check).await {
        Ok(proof) => Ok(axum::Json(proof).into_response()),
        Err(fault) => {
            tokio::time::sleep(WRONG).await;
            Err(fault.into())
        }
    }
}

async fn authority(State(app): State<Arc<App>>) -> Answer<Response> {
    let pem = app.documents.authority().await?;
    let kind = "application/x-pem-file";
    Ok(super::output::file(
        "jicheng-letters.pem",
        kind,
        pem.into_bytes(),
    ))
}
