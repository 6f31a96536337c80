//! Devices over HTTP: who is connected, what was refused, who claims an unknown station, and
//! commands to stations.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::Listing;
use super::problem::{Answer, Refusal};
use super::scope;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::devices::{Command, CommandState, Device, DeviceFilter, DeviceState, Frame, Gateway};
use kernel::fault::{Fault, FaultKind};
use kernel::records::RecordChange;
use kernel::{Access, Actor, Verb, new_id};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let read = Access::May(Verb::Read, "devices");
    let frames = Access::May(Verb::Read, "frames");
    table.add(
        line("GET /api/v1/devices", read, "设备列表", "List devices")
            .query(&[
                "state: quarantined,claimed",
                "connected: boolean",
                "text: text",
                "after: cursor",
                "limit: number",
            ])
            .gives("DevicePage"),
        list,
    );
    table.add(
        line(
            "GET /api/v1/devices/{thing}",
            read,
            "设备详情",
            "One device",
        )
        .gives("Device"),
        one,
    );
    table.add(
        line(
            "POST /api/v1/devices/{thing}/claim",
            Access::May(Verb::Write, "register.station"),
            "认领设备",
            "Claim a device for a new station",
        )
        .takes("Claim")
        .gives("Device"),
        claim,
    );
    table.add(
        line(
            "GET /api/v1/devices/{thing}/frames",
            frames,
            "设备报文",
            "Frames of a device",
        )
        .query(&["limit: number"])
        .gives("FramePage"),
        device_frames,
    );
    table.add(
        line(
            "GET /api/v1/frames/rejected",
            frames,
            "被拒收的报文",
            "Refused frames",
        )
        .query(&["reason: text", "limit: number"])
        .gives("FramePage"),
        rejected,
    );
    table.add(
        line(
            "GET /api/v1/frames/rejected/counts",
            frames,
            "拒收原因统计",
            "Refused frames by reason",
        ),
        rejected_counts,
    );
    table.add(
        line(
            "GET /api/v1/devices/{thing}/commands",
            read,
            "指令记录",
            "Commands of a device",
        )
        .query(&["limit: number"])
        .gives("CommandPage"),
        commands,
    );
    table.add(
        line(
            "POST /api/v1/devices/{thing}/commands",
            Access::May(Verb::Command, "devices"),
            "下发指令",
            "Send a command",
        )
        .takes("NewCommand")
        .gives("Command"),
        send,
    );
    table.add(
        line(
            "GET /api/v1/command-kinds",
            read,
            "可用指令",
            "Commands a gateway knows",
        )
        .query(&["gateway: text"]),
        kinds,
    );
}

async fn list(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let state = query.choice("state", "quarantined, claimed", |t| match t {
        "quarantined" => Some(DeviceState::Quarantined),
        "claimed" => Some(DeviceState::Claimed),
        _ => None,
    });
    let filter = DeviceFilter {
        state,
        connected: query.flag("connected"),
        text: query.text("text"),
        after: query.text("after"),
        limit: query.number("limit", 1, 1000, 100),
    };
    query.finish()?;
    let (mut items, mut total) = app.city.devices.list(&filter);
    let full = items.len() == filter.limit;
    let next = full
        .then(|| items.last().map(|d| d.thing.clone()))
        .flatten();
    let actor = caller.actor()?;
    let within = scope::Within::of(&app, actor, Verb::Read, "devices");
    if !within.everything() {
        // Shown or left out one by one: the total counts the page.
        items.retain(|device| within.has(|| scope::facts_of_thing(&app, &device.thing)));
        total = items.len();
    }
    Ok(Listing {
        items,
        next,
        total: total as u64,
    }
    .into_response())
}

/// Is the device within the caller's reach, by the record of its station?
fn within(app: &App, actor: &Actor, verb: Verb, object: &str, thing: &str) -> bool {
    let within = scope::Within::of(app, actor, verb, object);
    within.has(|| scope::facts_of_thing(app, thing))
}

fn find(app: &App, thing: &str) -> Answer<Device> {
    app.city
        .devices
        .get(thing)
        .ok_or_else(|| Refusal(Fault::missing(thing)))
}

/// The device, when it is within the caller's reach; not found otherwise.
fn reach(app: &App, caller: &Caller, verb: Verb, object: &str, thing: &str) -> Answer<Device> {
    let device = find(app, thing)?;
    if within(app, caller.actor()?, verb, object, thing) {
        return Ok(device);
    }
    Err(Refusal(Fault::missing(thing)))
}

async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(thing): Path<String>,
) -> Answer<Response> {
    Ok(axum::Json(reach(&app, &caller, Verb::Read, "devices", &thing)?).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    fields: Map<String, Value>,
}

/// Writes the station record first: the device is claimed only for a station that is on record.
async fn claim(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(thing): Path<String>,
    Json(claim): Json<Claim>,
) -> Answer<Response> {
    find(&app, &thing)?;
    let mut fields = claim.fields;
    let key_field = app
        .city
        .declared
        .register("station")
        .map(|r| r.key.clone())
        .unwrap_or_default();
    fields.insert(key_field, Value::String(thing.clone()));
    let station = app.city.declared.register("station");
    let station = station.ok_or_else(|| Refusal(Fault::missing("station")))?;
    scope::may_change(&app, caller.actor()?, station, &thing, None, Some(&fields))?;
    let change = RecordChange {
        register: "station".into(),
        fields: Some(fields),
        key: thing.clone(),
        valid_from: None,
        expect_version: Some(0),
        reason: Some("认领设备 claimed".into()),
    };
    app.city
        .registers
        .apply(caller.actor()?, vec![change])
        .await?;
    app.city
        .devices
        .set_state(&thing, DeviceState::Claimed)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(find(&app, &thing)?)).into_response())
}

/// A frame as people see it: without the station's password.
fn shown(frame: Frame) -> Frame {
    Frame {
        raw: hj212::without_passwords(&frame.raw),
        ..frame
    }
}

/// A frame with its decoded form beside it.
fn with_decoded(frame: Frame) -> Value {
    let decoded = hj212::explain(frame.raw.as_bytes());
    let mut value = json!(shown(frame));
    if let Value::Object(fields) = &mut value {
        fields.insert("decoded".into(), decoded);
    }
    value
}

async fn device_frames(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(thing): Path<String>,
    query: Query,
) -> Answer<Response> {
    let limit = query.number("limit", 1, 500, 50);
    query.finish()?;
    let mut frames = app.city.devices.frames(Some(&thing), false, None, limit);
    if !within(&app, caller.actor()?, Verb::Read, "frames", &thing) {
        frames.clear();
    }
    Ok(Listing::whole(frames.into_iter().map(with_decoded).collect()).into_response())
}

async fn rejected(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let reason = query.text("reason");
    let limit = query.number("limit", 1, 1000, 100);
    query.finish()?;
    let mut frames = app
        .city
        .devices
        .frames(None, true, reason.as_deref(), limit);
    let within = scope::Within::of(&app, caller.actor()?, Verb::Read, "frames");
    frames.retain(|frame| within.has(|| scope::facts_of_thing(&app, &frame.thing)));
    Ok(Listing::whole(frames.into_iter().map(shown).collect()).into_response())
}

async fn rejected_counts(State(app): State<Arc<App>>) -> Answer<Response> {
    let counts = app.city.devices.rejected_counts();
    let item =
        |(gateway, reason, count)| json!({"gateway": gateway, "reason": reason, "count": count});
    Ok(Listing::whole(counts.into_iter().map(item).collect()).into_response())
}

async fn commands(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(thing): Path<String>,
    query: Query,
) -> Answer<Response> {
    let limit = query.number("limit", 1, 500, 50);
    query.finish()?;
    if !within(&app, caller.actor()?, Verb::Read, "devices", &thing) {
        return Err(Fault::missing(&thing).into());
    }
    Ok(Listing::whole(app.city.devices.commands(Some(&thing), limit).await?).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCommand {
    name: String,
    #[serde(default)]
    parameters: Map<String, Value>,
}

async fn send(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(thing): Path<String>,
    Json(new): Json<NewCommand>,
) -> Answer<Response> {
    let device = reach(&app, &caller, Verb::Command, "devices", &thing)?;
    let actor = caller.actor()?;
    let gateway = app
        .gateways()
        .into_iter()
        .find(|g| g.name() == device.gateway)
        .ok_or_else(|| {
            let (zh, en) = (
                "该设备的网关没有运行",
                "the gateway of this device is not running",
            );
            Refusal(Fault::new(
                FaultKind::Conflict,
                "commands.not_connected",
                zh,
                en,
            ))
        })?;
    let now = app.city.clock.now();
    let command = Command {
        id: new_id(now),
        thing: thing.clone(),
        name: new.name,
        parameters: new.parameters,
        by: actor.account.clone(),
        at: now,
        state: CommandState::Queued,
        steps: vec![],
    };
    let details =
        json!({"command": command.name, "parameters": command.parameters, "id": command.id});
    // Before anything is sent: no command without its entry. Its end is in the book of commands.
    app.audit_as("begun", actor, Verb::Command, "devices", &thing, details)
        .await?;
    if let Err(fault) = gateway.send(command.clone()).await {
        let details = json!({"id": command.id, "fault": fault.code});
        app.audit_as("failed", actor, Verb::Command, "devices", &thing, details)
            .await?;
        return Err(fault.into());
    }
    Ok((StatusCode::ACCEPTED, axum::Json(command)).into_response())
}

async fn kinds(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let name = query.text("gateway");
    query.finish()?;
    let wanted = |g: &Arc<dyn Gateway>| name.as_deref().is_none_or(|n| g.name() == n);
    let kinds = app
        .gateways()
        .into_iter()
        .filter(wanted)
        .flat_map(|g| g.command_kinds());
    let item = |k: kernel::devices::CommandKind| {
        let parameter = |(name, kind, title): &(&str, &str, kernel::Words)| json!({"name": name, "type": kind, "title": title});
        let parameters: Vec<Value> = k.parameters.iter().map(parameter).collect();
        json!({"name": k.name, "title": k.title, "parameters": parameters})
    };
    Ok(Listing::whole(kinds.map(item).collect()).into_response())
}
