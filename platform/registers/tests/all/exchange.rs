//! CSV in and out: all or nothing, every problem at its line, and nothing a spreadsheet runs.

use crate::{change, house, officer, problems};
use kernel::Fault;
use kernel::records::{RecordQuery, Registers};
use registers::{IMPORT_BYTES_LIMIT, Imported};
use serde_json::json;
use testkit::each_store;

fn came_to(created: usize, updated: usize, unchanged: usize) -> Result<Imported, Fault> {
    Ok(Imported {
        created,
        updated,
        unchanged,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_and_taken_again() {
    each_store(|store| async move {
        let house = house(&store).await;
        let import = async |text: &str| {
            let engine = &house.engine;
            engine.import_csv(&officer(), "station", text.as_bytes(), Some("导入".into())).await
        };
        let file = "\u{feff}id,name,state,power,open,checked\r\nA,甲站,运行,5,是,2026-01-01\r\nB,\"乙,站\",off,,0,\r\n";
        assert_eq!(import(file).await, came_to(2, 0, 0));
        let a = house.engine.get("station", "A", None, None).await.unwrap().unwrap();
        assert_eq!(
            json!(a.fields),
            json!({"id": "A", "name": "甲站", "state": "on", "power": 5.0, "open": true,
                   "checked": "2026-01-01T00:00:00+08:00"})
        );
        assert_eq!(a.reason.as_deref(), Some("导入"));
        house.wait(1);
        assert_eq!(import(file).await, came_to(0, 0, 2));
        assert_eq!(import("id,power\nA,6\nB,\nC,1\n").await.unwrap_err().code, "input.invalid");
        // An absent column leaves its field alone, an empty cell empties it.
        assert_eq!(import("id,power,state\nA,,on\nB,2,off\n").await, came_to(0, 2, 0));
        let a = house.engine.get("station", "A", None, None).await.unwrap().unwrap();
        assert_eq!(a.fields.get("power"), None);
        assert_eq!((a.fields["name"].as_str(), a.version), (Some("甲站"), 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_are_at_their_lines() {
    each_store(|store| async move {
        let house = house(&store).await;
        let check = async |file: &[u8], expect: &[(&str, &str)]| {
            let fault =
                house.engine.import_csv(&officer(), "station", file, None).await.unwrap_err();
            assert_eq!(problems(&fault), expect);
            let page = house.engine.list("station", &RecordQuery::default()).await.unwrap();
            assert_eq!(page.total, 0);
        };
        check(b"", &[("csv:1", "the file is empty")]).await;
        check(
            b"name,colour,name\n",
            &[
                ("csv:1", "Station has no field \"colour\""),
                ("csv:1", "the field \"name\" stands twice"),
                ("csv:1", "the key column \"id\" is missing"),
            ],
        )
        .await;
        check(
            b"id,name\nA,\xbc\xd7\n",
            &[("csv:2", "the file is not UTF-8; save it as \"CSV UTF-8\"")],
        )
        .await;
        check(b"id,name\nA,\"x\n", &[("csv:2", "a quoted cell is never closed")]).await;
        check(
            "id,name,power,floors,open,checked\nA,甲站,x,1.5,maybe,soon\n\nB,乙站,1\n,丙站,1,1,1,\nC,丙站,,,,\nC,丁站,,,,\n"
                .as_bytes(),
            &[
                ("csv:2/power", "\"x\" is no number"),
                ("csv:2/floors", "\"1.5\" is no whole number"),
                ("csv:2/open", "\"maybe\" should be true or false"),
                ("csv:2/checked", "\"soon\" is no time"),
                ("csv:4", "has 3 cells instead of 6"),
                ("csv:5", "the key is empty"),
                ("csv:7", "the key \"C\" stands on line 6 already"),
            ],
        )
        .await;
        check(
            "id,name,state\nA,甲站,\nB,x,broken\n".as_bytes(),
            &[
                ("csv:3/name", "at least 2 characters"),
                ("csv:3/state", "should be one of on (Running), off (Stopped)"),
            ],
        )
        .await;
        check("id,name\nA,x\n".as_bytes(), &[("csv:2/name", "at least 2 characters")]).await;
        let large = vec![b'a'; IMPORT_BYTES_LIMIT + 1];
        let fault =
            house.engine.import_csv(&officer(), "station", &large, None).await.unwrap_err();
        assert_eq!((fault.code, fault.status()), ("input.too_large", 413));
        let rows = format!("id\n{}", "A\n".repeat(registers::CHANGES_LIMIT + 1));
        let many = house.engine.import_csv(&officer(), "station", rows.as_bytes(), None).await;
        assert_eq!(many.unwrap_err().code, "input.too_large");
        // The list of problems is bounded too.
        let rows: String = (0..500).map(|n| format!("K{n},x\n")).collect();
        let file = format!("id,name\n{rows}");
        let fault = house.engine.import_csv(&officer(), "station", file.as_bytes(), None).await;
        let fault = fault.unwrap_err();
        assert_eq!(fault.problems.len(), 201);
        assert_eq!(fault.problems[200].words.en, "300 more faults are not listed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_hides_what_is_personal_and_runs_nothing() {
    each_store(|store| async move {
        let house = house(&store).await;
        let records = vec![
            change(
                "station",
                "A",
                json!({"id": "A", "name": "=HYPERLINK(\"x\")", "phone": "19900001111", "lon": -1.5}),
            ),
            change("station", "B", json!({"id": "B", "name": "+甲,\n站"})),
        ];
        house.engine.apply(&officer(), records).await.unwrap();
        let query = RecordQuery {
            limit: 1,
            ..RecordQuery::default()
        };
        let hidden = house.engine.export_csv(&officer(), "station", &query, None).await.unwrap();
        assert_eq!(
            hidden,
            "\u{feff}id,name,state,power,floors,open,built,checked,phone,lon,lat\r\n\
             A,\"'=HYPERLINK(\"\"x\"\")\",,,,,,,***,-1.5,\r\nB,\"'+甲,\n站\",,,,,,,,,\r\n"
        );
        let clear = |_: &kernel::records::Record| kernel::facts::Mask::clear();
        let shown = house.engine.export_csv(&officer(), "station", &query, Some(&clear)).await.unwrap();
        assert!(shown.contains(",19900001111,"));
        let filter = store::audit::AuditFilter {
            verb: Some("export".into()),
            limit: 10,
            ..store::audit::AuditFilter::default()
        };
        let entries = store.audit().list(&filter).await.unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1].entry.details["records"], 2);
        // What was exported whole can be taken in again and says nothing new.
        let again = house.engine.import_csv(&officer(), "station", shown.as_bytes(), None).await;
        assert_eq!(again, came_to(0, 0, 2));
    })
    .await;
}
