//! Licences in a matter over HTTP: an office uses a licence of the applicant in place of paper. Who
//! works on the matter is asked here; whose licences of which types it may use, of the
//! applications engine; the use is the licences engine's to write down.

use super::guard::Caller;
use super::input::Json;
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use kernel::applications::Applications;
use kernel::cases::{Cases, InboxFilter};
use kernel::fault::FaultKind;
use kernel::{Access, Actor, Fault, Verb};
use serde::Deserialize;
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    table.add(
        line(
            "POST /api/v1/licences/{identifier}/consult",
            Access::May(Verb::Read, "licences"),
            "以证照代替纸质材料",
            "Use a licence in place of paper",
        )
        .takes("LicenceConsultation")
        .gives("Verification"),
        consult,
    );
}

/// Which fields an office uses, and for which matter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consultation {
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    matter: String,
}

async fn consult(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
    Json(asked): Json<Consultation>,
) -> Answer<Response> {
    let matter = asked.matter.trim();
    let actor = for_matter(&app, caller.actor()?, matter).await?;
    let number = actor.standing.case.as_deref().unwrap_or(matter);
    let Some(papers) = app.applications.papers(number).await? else {
        let zh = "这个案件不是办件，没有申请人，不能为它调用证照";
        let en = "this case is no application: it has no applicant whose licences it could use";
        return Err(Fault::invalid_at("matter", zh, en).into());
    };
    let found = app
        .licences
        .consult_for(&actor, &identifier, &asked.fields, &papers)
        .await?;
    Ok(axum::Json(found).into_response())
}

/// The officer working on a matter: its number stands in the use, and it is the purpose. Only the
/// office that handles it, or somebody with a task of it in hand, uses licences for it.
pub(super) async fn for_matter(app: &App, actor: &Actor, matter: &str) -> Result<Actor, Fault> {
    let wrong = |zh: &str, en: &str| Err(Fault::invalid_at("matter", zh, en));
    if matter.is_empty() {
        let zh = "请写明所办的办件或案件编号";
        return wrong(zh, "say for which application or case, by its number");
    }
    let known = match app.applications.application(actor, matter).await {
        Ok(file) => {
            let known = file.application;
            Some((
                known.number,
                known.title.zh,
                Some(known.organisation),
                known.case,
            ))
        }
        Err(fault) if fault.kind == FaultKind::Missing => None,
        Err(fault) => return Err(fault),
    };
    let known = match known {
        Some(known) => Some(known),
        None => match app.cases.case(actor, matter).await {
            Ok(file) => {
                let known = file.case;
                Some((
                    known.number,
                    known.title,
                    known.organisation,
                    Some(known.id),
                ))
            }
            Err(fault) if matches!(fault.kind, FaultKind::Missing | FaultKind::Denied) => None,
            Err(fault) => return Err(fault),
        },
    };
    let Some((number, title, organisation, case)) = known else {
        let zh = "没有这个办件，或您不能查看";
        return wrong(zh, "there is no such matter, or you may not know of it");
    };
    let standing = &actor.standing;
    let works_for = |code: &String| {
        actor.organisation.as_ref() == Some(code)
            || standing.organisations.contains(code)
            || standing.scope.contains(code)
    };
    let mut works = organisation.as_ref().is_some_and(works_for);
    if let (false, Some(case)) = (works, &case) {
        let filter = InboxFilter {
            text: Some(number.clone()),
            limit: 200,
            ..InboxFilter::default()
        };
        let inbox = app.cases.inbox(actor, &filter).await?;
        works = inbox.rows.iter().any(|task| task.case == *case);
    }
    if !works {
        return Err(Fault::new(
            FaultKind::Denied,
            "access.denied",
            "只有承办这个办件的单位可以为它调用证照",
            "only the office that works on this matter uses licences for it",
        ));
    }
    let mut actor = actor.clone();
    actor.standing.case = Some(number);
    actor.grant.purpose = format!("办理{title}");
    Ok(actor)
}
