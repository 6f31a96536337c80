//! Files attached to mail, notices and circulated documents over HTTP: brought by a member, read by
//! whoever sees what they are attached to, and looked after until they go out.

use super::guard::Caller;
use super::input::{Query, body};
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use super::uploads::{as_line, file as as_file};
use crate::app::App;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use backup::sealed::hex;
use kernel::applications::FileLine;
use kernel::documents::{Documents, NewFile};
use kernel::fault::FaultKind;
use kernel::office::Office;
use kernel::{Access, Actor, Fault, Span, Verb};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What owners of these files begin with.
const OWNED: &str = "office/";
/// Files of one person that wait to go out, at most.
const WAITING: usize = 50;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    table.add(
        line(
            "POST /api/v1/office/files",
            Access::May(Verb::Handle, "office"),
            "上传附件",
            "Bring a file to be attached",
        )
        .query(&["name: string (required)"])
        .gives("FileLine")
        .large(),
        put,
    );
    table.add(
        line(
            "GET /api/v1/office/files/{file}",
            Access::May(Verb::Read, "office"),
            "下载附件",
            "An attached file",
        ),
        get,
    );
    table.add(
        line(
            "GET /api/v1/notices/{id}/files/{file}",
            Access::Public,
            "下载公告附件",
            "A file attached to a notice to the public",
        ),
        get_public,
    );
}

/// Something of the office with what is attached to it, by name.
#[derive(Serialize)]
pub struct Attached<T> {
    #[serde(flatten)]
    of: T,
    attachments: Vec<FileLine>,
}

impl<T> Attached<T> {
    /// With the names of these files.
    pub async fn to(app: &App, of: T, files: &[String]) -> Result<Attached<T>, Fault> {
        let mut attachments = vec![];
        for file in files {
            match app.documents.info(file).await {
                Ok(info) => attachments.push(as_line(&info)),
                Err(fault) if fault.kind == FaultKind::Missing => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(Attached { of, attachments })
    }
}

/// A file somebody brings belongs to nothing but itself until it goes out; few of one person may
/// wait for that, and [`tidy`] removes those that never do.
async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Query,
    request: Request,
) -> Answer<Response> {
    let name = query.demand("name");
    query.finish()?;
    let actor = caller.actor()?;
    let mine = format!("{OWNED}{}/", hex(&Sha256::digest(&actor.account)));
    // One at a time: those that wait are counted before one more comes.
    let _turn = app.keys.turn(&format!("attachment {mine}")).await;
    let now = app.city.clock.now();
    let until = now + Span::seconds(1);
    if app.documents.loose(&mine, until).await?.len() >= WAITING {
        return Err(Refusal(Fault::new(
            FaultKind::Conflict,
            "input.conflict",
            format!("已有 {WAITING} 个附件上传后没有发出，请先发出，或两天后再传"),
            format!(
                "{WAITING} files were brought and not sent; send them, or bring more in two days"
            ),
        )));
    }
    let bytes = body(request, &()).await?;
    let new = NewFile {
        owner: format!("{mine}{}", kernel::new_id(now)),
        slot: "attachment".into(),
        name,
        bytes: bytes.into(),
        person: None,
        accept: vec![],
        handed_in: false,
    };
    let line = as_line(&app.documents.put(actor, new).await?);
    Ok((StatusCode::CREATED, axum::Json(line)).into_response())
}

async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(file): Path<String>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    if !app.office.sees_file(actor, &file).await? {
        return Err(Fault::missing("file").into());
    }
    Ok(as_file(&app.documents.get(actor, &file).await?))
}

async fn get_public(
    State(app): State<Arc<App>>,
    Path((id, file)): Path<(String, String)>,
) -> Answer<Response> {
    if !app.office.public_notice(&id).await?.files.contains(&file) {
        return Err(Fault::missing("file").into());
    }
    let found = app.documents.get(&Actor::default(), &file).await?;
    Ok(as_file(&found))
}

/// What went out stays for good. If a crash comes before, [`tidy`] does it.
pub async fn keep(app: &App, files: &[String]) -> Result<(), Fault> {
    for file in files {
        let info = app.documents.info(file).await?;
        if !info.handed_in {
            let system = Actor::system();
            app.documents
                .attach(&system, &info.owner, &info.owner)
                .await?;
        }
    }
    Ok(())
}

/// Removes files brought two days ago that never went out; an hourly job. After one day nobody may
/// attach them any more ([`crate::window::people::OfficeFiles`]), so none is on its way.
pub async fn tidy(app: &App) -> Result<(), Fault> {
    let before = app.city.clock.now() - Span::days(2);
    for info in app.documents.loose(OWNED, before).await? {
        if app.office.is_attached(&info.id).await? {
            keep(app, &[info.id]).await?;
        } else {
            app.documents.remove(&Actor::system(), &info.id).await?;
        }
    }
    Ok(())
}
