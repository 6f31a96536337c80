//! One's people over HTTP: a member's page, leave, delegations, hand-over of open work, inviting
//! officers one by one or from a file.

use super::guard::Caller;
use super::input::{Json, Query};
use super::organisations::{keeps, keeps_member};
use super::output::Listing;
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::fault::{Fault, FaultKind};
use kernel::organisations::Successor;
use kernel::{Access, Actor, Decision, Problem, Verb};
use organisations::{MemberChange, NewAppointment, NewDelegation, NewHandOver, NewLeave};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let own = Access::SignedIn;
    let write = Access::May(Verb::Write, "organisations");
    table.add(
        line(
            "GET /api/v1/members/{account}",
            own,
            "人员详情",
            "One member: oneself, or of one's organisations",
        )
        .gives("MemberDetail"),
        member,
    );
    table.add(
        line(
            "POST /api/v1/members/{account}/leaves",
            own,
            "请假",
            "Record leave",
        )
        .takes("NewLeave"),
        take_leave,
    );
    table.add(
        line(
            "POST /api/v1/leaves/{id}/cancel",
            own,
            "销假",
            "Give leave up",
        ),
        cancel_leave,
    );
    table.add(
        line(
            "GET /api/v1/members/{account}/work",
            write,
            "未结事项",
            "What somebody has in hand",
        )
        .gives("OpenWorkPage"),
        work,
    );
    table.add(
        line(
            "POST /api/v1/members/{account}/hand-over",
            write,
            "交接",
            "Hand over somebody's work",
        )
        .takes("NewHandOver"),
        hand_over,
    );
    table.add(
        line(
            "POST /api/v1/organisations/{code}/invitations",
            write,
            "邀请人员",
            "Make an account and appoint it",
        )
        .takes("Invitation")
        .gives("Invited"),
        invite,
    );
    table.add(
        line(
            "POST /api/v1/operator/members/import",
            Access::May(Verb::Operate, "organisations"),
            "从文件导入人员",
            "Members from a file",
        )
        .query(&["dry_run: boolean"])
        .gives("ImportedMembers"),
        import,
    );
    table.add(
        line(
            "GET /api/v1/me/delegations",
            own,
            "我的委托",
            "Delegations given and received",
        ),
        delegations,
    );
    table.add(
        line(
            "POST /api/v1/me/delegations",
            own,
            "委托他人",
            "Give a delegation",
        )
        .takes("NewDelegation")
        .gives("Delegation"),
        delegate,
    );
    table.add(
        line(
            "POST /api/v1/me/delegations/{id}/{answer}",
            own,
            "接受或拒绝委托",
            "Accept or refuse a delegation",
        )
        .gives("Delegation"),
        answer,
    );
    table.add(
        line(
            "DELETE /api/v1/me/delegations/{id}",
            own,
            "收回或退回委托",
            "End a delegation at once",
        )
        .query(&["reason: text"])
        .gives("Delegation"),
        end,
    );
}

fn own_or_kept(app: &App, actor: &Actor, account: &str) -> Result<(), Refusal> {
    if actor.account == account {
        return Ok(());
    }
    keeps_member(app, actor, account)
        .map_err(|_| Refusal(Fault::missing(&format!("member {account}"))))
}

async fn member(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(account): Path<String>,
) -> Answer<Response> {
    own_or_kept(&app, caller.actor()?, &account)?;
    // Whoever was never appointed is still somebody, if there is such an account.
    app.identity.account(&account).await?;
    Ok(axum::Json(app.organisations.member(&account)?).into_response())
}

async fn take_leave(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(account): Path<String>,
    Json(new): Json<NewLeave>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    own_or_kept(&app, actor, &account)?;
    if let Some(substitute) = &new.substitute {
        standing_account(&app, substitute, "substitute").await?;
    }
    let leave = app.organisations.take_leave(actor, &account, new).await?;
    Ok((StatusCode::CREATED, axum::Json(leave)).into_response())
}

async fn cancel_leave(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let leave = app.organisations.leave(&id);
    let leave = leave.ok_or_else(|| Refusal(Fault::missing(&format!("leave {id}"))))?;
    own_or_kept(&app, actor, &leave.account)
        .map_err(|_| Refusal(Fault::missing(&format!("leave {id}"))))?;
    let leave = app.organisations.cancel_leave(actor, &id).await?;
    Ok(axum::Json(leave).into_response())
}

async fn work(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(account): Path<String>,
) -> Answer<Response> {
    keeps_member(&app, caller.actor()?, &account)?;
    let items = app
        .organisations
        .open_work(&app.open_work, &account)
        .await?;
    Ok(Listing::whole(items).into_response())
}

/// An account that exists, may sign in and has not left; otherwise a problem at this field.
async fn standing_account(app: &App, name: &str, at: &str) -> Result<(), Refusal> {
    let known = match app.identity.account(name).await {
        Ok(account) => !account.disabled && !app.organisations.has_left(name),
        Err(fault) if fault.kind == FaultKind::Missing => false,
        Err(fault) => return Err(fault.into()),
    };
    if known {
        return Ok(());
    }
    Err(Refusal(Fault::invalid_at(
        at,
        format!("没有可用的账号“{name}”"),
        format!("there is no account \"{name}\" that can work"),
    )))
}

async fn hand_over(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(account): Path<String>,
    Json(new): Json<NewHandOver>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    keeps_member(&app, actor, &account)?;
    let successors: BTreeSet<&String> = new
        .items
        .values()
        .chain([&new.to])
        .filter_map(|to| match to {
            Successor::Account(name) => Some(name),
            Successor::Queue => None,
        })
        .collect();
    for name in successors {
        standing_account(&app, name, "to").await?;
    }
    if let Some(next) = &new.next
        && let Some(position) = app.organisations.position(&next.position)
    {
        keeps(&app, actor, &position.organisation)?;
    }
    let leaves = new.leaves_service && new.on.is_none_or(|on| on <= app.city.clock.now());
    let record = app
        .organisations
        .hand_over(&app.open_work, actor, &account, new)
        .await?;
    if leaves {
        let change = identity::AccountChange {
            disabled: Some(true),
            ..identity::AccountChange::default()
        };
        app.identity.change(actor, &account, change, None).await?;
    }
    Ok((StatusCode::CREATED, axum::Json(record)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    account: String,
    name: String,
    position: String,
    #[serde(default)]
    main: Option<bool>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    room: Option<String>,
}

/// Makes an account with a temporary password and appoints it. The password is in this one answer
/// and nowhere else.
async fn invite(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(code): Path<String>,
    Json(new): Json<Invitation>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    keeps(&app, actor, &code)?;
    let position = app.organisations.position(&new.position);
    if position.is_none_or(|p| p.organisation != code) {
        return Err(Refusal(Fault::invalid_at(
            "position",
            "该机构没有这个岗位",
            "the organisation has no such position",
        )));
    }
    let password = crate::commands::new_password();
    app.identity
        .create(
            actor,
            first_account(&new.account, &new.name, &code, &password),
        )
        .await?;
    let appointment = NewAppointment {
        account: new.account.clone(),
        position: new.position,
        main: new.main.unwrap_or(true),
        valid_from: None,
        valid_to: None,
        reason: "邀请 invited".into(),
    };
    app.organisations
        .appoint(actor, appointment, &new.name)
        .await?;
    if new.phone.is_some() || new.room.is_some() {
        let change = MemberChange {
            name: None,
            phone: new.phone,
            room: new.room,
        };
        app.organisations
            .change_member(actor, &new.account, change)
            .await?;
    }
    let body = json!({ "account": new.account, "password": password });
    Ok((StatusCode::CREATED, axum::Json(body)).into_response())
}

fn first_account(account: &str, name: &str, code: &str, password: &str) -> identity::NewAccount {
    identity::NewAccount {
        name: account.into(),
        display: name.into(),
        password: password.into(),
        roles: vec![],
        organisation: Some(code.into()),
    }
}

/// Members from CSV. Everything is tried first; then the accounts that do not exist yet are made,
/// then all are appointed in one transaction. Taken again it changes nothing.
async fn import(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Query,
    body: bytes::Bytes,
) -> Answer<Response> {
    let dry = query.flag("dry_run").unwrap_or(false);
    query.finish()?;
    let actor = caller.actor()?;
    let members = app.organisations.read_members(&body)?;
    let mut problems: Vec<Problem> = vec![];
    let mut missing = vec![];
    let mut seen = BTreeSet::new();
    for member in &members {
        if !seen.insert(&member.account) {
            continue;
        }
        match app.identity.account(&member.account).await {
            Ok(_) => {}
            Err(fault) if fault.kind == FaultKind::Missing => {
                let password = crate::commands::new_password();
                let new = first_account(
                    &member.account,
                    &member.name,
                    &member.organisation,
                    &password,
                );
                problems.extend(app.identity.problems_of(&new).into_iter().map(|p| Problem {
                    at: format!("line {}/{}", member.line, p.at),
                    words: p.words,
                }));
                missing.push(new);
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    let tried = app
        .organisations
        .import_members(actor, &members, true)
        .await;
    if let Err(fault) = &tried {
        problems.extend(fault.problems.iter().cloned());
    }
    if !problems.is_empty() {
        return Err(Refusal(Fault::invalid(problems)));
    }
    let mut done = tried?;
    let mut accounts: Vec<Value> = vec![];
    if !dry {
        for new in missing {
            accounts.push(json!({ "account": new.name, "password": new.password }));
            app.identity.create(actor, new).await?;
        }
        done = app
            .organisations
            .import_members(actor, &members, false)
            .await?;
    } else {
        accounts.extend(
            missing
                .iter()
                .map(|new| json!({ "account": new.name, "password": null })),
        );
    }
    let body = json!({
        "created": done.created, "updated": done.updated, "unchanged": done.unchanged,
        "accounts": accounts,
    });
    Ok(axum::Json(body).into_response())
}

async fn delegations(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let items = app.organisations.delegations(&caller.actor()?.account);
    Ok(Listing::whole(items).into_response())
}

async fn delegate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewDelegation>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    standing_account(&app, &new.receiver, "receiver").await?;
    let holds = |object: &String| {
        Verb::ALL.into_iter().any(|verb| {
            let decision = app.city.policy.may(actor, verb, object);
            matches!(decision, Decision::Allowed { .. })
        })
    };
    let foreign: Vec<Problem> = new
        .objects
        .iter()
        .filter(|object| !holds(object))
        .map(|object| Problem {
            at: "objects".into(),
            words: kernel::Words::new(
                format!("您对“{object}”没有任何权限"),
                format!("you may do nothing with \"{object}\""),
            ),
        })
        .collect();
    if !foreign.is_empty() {
        return Err(Refusal(Fault::invalid(foreign)));
    }
    let made = app.organisations.delegate(actor, new).await?;
    Ok((StatusCode::CREATED, axum::Json(made)).into_response())
}

async fn answer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, answer)): Path<(String, String)>,
) -> Answer<Response> {
    let accept = match answer.as_str() {
        "accept" => true,
        "refuse" => false,
        _ => return Err(Refusal(Fault::missing(&answer))),
    };
    let actor = caller.actor()?;
    let answered = app
        .organisations
        .answer_delegation(actor, &id, accept)
        .await?;
    Ok(axum::Json(answered).into_response())
}

async fn end(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Response> {
    let reason = query.demand("reason");
    query.finish()?;
    let actor = caller.actor()?;
    let keeps_all = app
        .city
        .policy
        .demand(actor, Verb::Operate, "organisations")
        .is_ok();
    let ended = app
        .organisations
        .end_delegation(actor, &id, &reason, keeps_all)
        .await?;
    Ok(axum::Json(ended).into_response())
}
