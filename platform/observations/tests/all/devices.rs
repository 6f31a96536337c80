//! Devices, frames, commands: known again after a restart, bounded, with their events.

use crate::help::*;
use kernel::devices::*;
use kernel::events::EventKind;
use testkit::each_store;

fn device(thing: &str, frames: u64) -> Device {
    Device {
        thing: thing.into(),
        gateway: "hj212".into(),
        connected: true,
        first_seen: Some(minute(1)),
        frames,
        ..Device::default()
    }
}

fn frame(thing: &str, rejected: Option<&str>, raw: &str) -> Frame {
    let rejected = rejected.map(String::from);
    Frame {
        seq: 0,
        at: minute(1),
        gateway: "hj212".into(),
        peer: "p".into(),
        thing: thing.into(),
        rejected,
        raw: raw.into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_known_again() {
    each_store(|store| async move {
        let bench = Bench::open(store).await;
        let engine = &bench.engine;
        for thing in ["B", "A", "C"] {
            engine.touch(&device(thing, 1));
        }
        engine.set_state("A", DeviceState::Claimed).await.unwrap();
        assert_eq!(
            engine
                .set_state("Z", DeviceState::Claimed)
                .await
                .unwrap_err()
                .code,
            "input.not_found"
        );
        // The gateway's idea of the state does not undo the claim.
        engine.touch(&Device {
            first_seen: Some(minute(9)),
            ..device("A", 2)
        });
        let known = Devices::get(&**engine, "A").unwrap();
        assert_eq!(
            (known.state, known.frames, known.first_seen),
            (DeviceState::Claimed, 2, Some(minute(1)))
        );

        let list = |filter: DeviceFilter| {
            let (page, total) = engine.list(&DeviceFilter { limit: 2, ..filter });
            (
                page.into_iter()
                    .map(|d| d.thing)
                    .collect::<Vec<_>>()
                    .join(""),
                total,
            )
        };
        assert_eq!(list(DeviceFilter::default()), ("AB".into(), 3));
        assert_eq!(
            list(DeviceFilter {
                after: Some("B".into()),
                ..Default::default()
            }),
            ("C".into(), 3)
        );
        assert_eq!(
            list(DeviceFilter {
                state: Some(DeviceState::Quarantined),
                ..Default::default()
            }),
            ("BC".into(), 2)
        );
        assert_eq!(
            list(DeviceFilter {
                connected: Some(false),
                ..Default::default()
            }),
            ("".into(), 0)
        );
        assert_eq!(
            list(DeviceFilter {
                text: Some("C".into()),
                ..Default::default()
            }),
            ("C".into(), 1)
        );

        engine.keep_frame(frame("A", None, "good"));
        engine.keep_frame(frame("A", Some("crc"), "bad\0byte"));
        engine.keep_frame(frame("", Some("not_a_frame"), "worse"));
        assert_eq!(engine.frames(Some("A"), false, None, 9).len(), 2);

        let bench = bench.reopen(true).await;
        let engine = &bench.engine;
        let known = Devices::get(&**engine, "A").unwrap();
        assert_eq!(
            (known.state, known.frames, known.connected),
            (DeviceState::Claimed, 2, false)
        );
        let frames = engine.frames(None, true, None, 9);
        assert_eq!(
            frames.iter().map(|f| f.raw.as_str()).collect::<Vec<_>>(),
            ["worse", "bad\u{2400}byte"]
        );
        assert_eq!(
            engine.rejected_counts(),
            [
                ("hj212".into(), "crc".into(), 1),
                ("hj212".into(), "not_a_frame".into(), 1)
            ]
        );
        engine.keep_frame(frame("", Some("crc"), "again"));
        assert!(engine.frames(None, true, None, 1)[0].seq > frames[0].seq);
        let events = bench.store.events().read(0, 1 << 20).await.unwrap();
        let about: Vec<&str> = events
            .iter()
            .filter(|e| e.kind == EventKind::Device)
            .map(|e| &*e.about)
            .collect();
        assert_eq!(about, ["A", "A", "B", "C"]);
        bench.engine.shutdown().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_written_down_with_their_event() {
    each_store(|store| async move {
        let bench = Bench::open(store).await;
        for n in 0..3 {
            let id = kernel::new_id(minute(n));
            let mut command = Command {
                id,
                thing: format!("D{}", n % 2),
                name: "set_time".into(),
                ..Command::default()
            };
            bench.engine.put_command(&command).await.unwrap();
            command.state = CommandState::Sent;
            command.steps.push((minute(n), "##sent".into()));
            bench.engine.put_command(&command).await.unwrap();
        }
        let all = bench.engine.commands(None, 10).await.unwrap();
        assert!(all.len() == 3 && all.windows(2).all(|p| p[0].id > p[1].id));
        assert!(
            all.iter()
                .all(|c| c.state == CommandState::Sent && c.steps.len() == 1)
        );
        assert_eq!(
            bench.engine.commands(Some("D0"), 1).await.unwrap(),
            all[..1]
        );
        let events = bench.store.events().read(0, 1 << 20).await.unwrap();
        assert_eq!(
            events
                .iter()
                .filter(|e| e.kind == EventKind::Command)
                .count(),
            6
        );
        bench.engine.shutdown().await;
    })
    .await;
}
