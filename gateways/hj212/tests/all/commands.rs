//! Commands to a station: the dialogue, its time-outs and its refusals.

use crate::station::{QUIET, Station, begin, config, until};
use kernel::devices::{Command, CommandState, Gateway};
use std::time::Duration;

fn command(name: &str, parameters: serde_json::Value) -> Command {
    Command {
        id: name.into(),
        thing: "LD1".into(),
        name: name.into(),
        parameters: parameters.as_object().unwrap().clone(),
        ..Command::default()
    }
}

#[tokio::test]
async fn a_command_is_a_dialogue() {
    let (town, server) = begin(config()).await;
    let fault = server
        .send(command("read_time", serde_json::json!({})))
        .await
        .unwrap_err();
    assert_eq!(fault.code, "commands.not_connected");
    let mut station = Station::connect(&server).await;
    station
        .send("QN=1;ST=32;CN=2011;PW=654321;MN=LD1;Flag=5;CP=&&&&")
        .await;
    station.hear(QUIET).await.unwrap();
    let order = command(
        "extract_hour",
        serde_json::json!({"from": "2026-01-01T08:00+08:00", "to": "2026-01-01T10:00+08:00"}),
    );
    server.send(order).await.unwrap();
    let asked = station.hear(Duration::from_secs(2)).await.unwrap();
    let request = asked[3..20].to_owned();
    assert_eq!(
        asked,
        format!(
            "QN={request};ST=32;CN=2061;PW=654321;MN=LD1;Flag=5;CP=&&BeginTime=20260101080000,EndTime=20260101100000&&"
        )
    );
    station
        .send(&format!(
            "ST=91;CN=9011;MN=LD1;Flag=4;CP=&&QN={request};QnRtn=1&&"
        ))
        .await;
    station.send(&format!("QN={request};ST=32;CN=2061;MN=LD1;Flag=5;CP=&&DataTime=20260101080000;w01018-Avg=12.5&&")).await;
    station
        .expect(&format!("QN={request};ST=91;CN=9014;MN=LD1;Flag=4;CP=&&&&"))
        .await;
    // What comes unasked during the dialogue is stored as well.
    station
        .send("ST=32;CN=2011;MN=LD1;Flag=4;CP=&&DataTime=20260101100500;w01018-Rtd=7&&")
        .await;
    station
        .send(&format!(
            "QN={request};ST=91;CN=9012;MN=LD1;Flag=4;CP=&&ExeRtn=1&&"
        ))
        .await;
    let done = || {
        town.devices
            .command("extract_hour")
            .is_some_and(|c| c.state == CommandState::Done)
    };
    until("done", done).await;
    let steps = town.devices.command("extract_hour").unwrap().steps;
    assert_eq!(steps.len(), 4, "{steps:?}");
    assert!(steps[2].1.contains("w01018-Avg=12.5"));
    let value = |kind, time| town.observations.value("LD1", kind, "w01018", time);
    assert_eq!(value("hour.mean", "2026-01-01T08:00+08:00"), Some(12.5));
    until("stored", || {
        value("real_time", "2026-01-01T10:05+08:00") == Some(7.0)
    })
    .await;
}

#[tokio::test]
async fn commands_are_retried_refused_and_checked() {
    let (town, server) = begin(config()).await;
    let mut station = Station::connect(&server).await;
    station
        .send("QN=1;ST=32;CN=2011;MN=LD1;Flag=1;CP=&&DataTime=20260101080000;011-Rtd=1&&")
        .await;
    station.hear(Duration::from_secs(2)).await.unwrap();
    server
        .send(command("read_time", serde_json::json!({})))
        .await
        .unwrap();
    let first = station.hear(Duration::from_secs(2)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            station.hear(Duration::from_secs(3)).await.as_ref(),
            Some(&first),
            "the same again"
        );
    }
    let state = |name: &str| town.devices.command(name).map(|c| c.state);
    until("timed out", || {
        state("read_time") == Some(CommandState::TimedOut)
    })
    .await;

    server
        .send(command("start_realtime", serde_json::json!({})))
        .await
        .unwrap();
    let asked = station.hear(Duration::from_secs(2)).await.unwrap();
    station
        .send(&format!(
            "ST=91;CN=9011;MN=LD1;CP=&&QN={};QnRtn=3&&",
            &asked[3..20]
        ))
        .await;
    until("refused", || {
        state("start_realtime") == Some(CommandState::Failed)
    })
    .await;
    server
        .send(command("stop_realtime", serde_json::json!({})))
        .await
        .unwrap();
    let asked = station.hear(Duration::from_secs(2)).await.unwrap();
    station
        .send(&format!("ST=91;CN=9013;MN=LD1;CP=&&QN={}&&", &asked[3..20]))
        .await;
    until("heard", || {
        state("stop_realtime") == Some(CommandState::Done)
    })
    .await;

    for (name, parameters, code) in [
        ("fly", serde_json::json!({}), "commands.unsupported"),
        (
            "set_minute_interval",
            serde_json::json!({"interval_min": 10}),
            "commands.unsupported",
        ),
        (
            "set_realtime_interval",
            serde_json::json!({"interval_s": 5, "x": 1}),
            "input.invalid",
        ),
        (
            "extract_hour",
            serde_json::json!({"from": "yesterday"}),
            "input.invalid",
        ),
        (
            "sample_now",
            serde_json::json!({"factor": "a;CN=1"}),
            "input.invalid",
        ),
    ] {
        let fault = server.send(command(name, parameters)).await.unwrap_err();
        assert_eq!(fault.code, code, "{name}");
        if code == "input.invalid" && name != "sample_now" {
            assert_eq!(fault.problems.len(), 2, "{name}: {fault}");
        }
    }
    assert!(server.command_kinds().len() >= 20);
}
