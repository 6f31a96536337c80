//! Files: a department in one go, and the divisions of a whole city.

use crate::*;
use kernel::organisations::Organisations;
use organisations::{Format, Found, Imported};
use std::time::Instant;
use testkit::each_store;

fn any(role: &str) -> bool {
    role != "unknown"
}

impl House {
    async fn import(&self, format: Format, file: &str, dry: bool) -> Result<Imported, Fault> {
        let parent = Some("city");
        self.engine
            .import(&boss(), format, file.as_bytes(), parent, None, dry, &any)
            .await
    }
}

const DEPARTMENT: &str = "organisations:
  traffic:
    title: {zh: 交通局, en: Traffic bureau}
    parent: city
    positions:
      - {title: {zh: 局长, en: Director}, roles: [lead], rank: head}
      - {title: {zh: 科员, en: Officer}, roles: [read]}
  traffic_1: {title: {zh: 一科, en: Section one}, parent: traffic, kind: institution}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_department_comes_from_files_and_twice_is_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let done = house.import(Format::Yaml, DEPARTMENT, true).await.unwrap();
        assert_eq!(done.created, 4);
        assert!(house.engine.get("traffic", None).is_none(), "only tried");
        house.import(Format::Yaml, DEPARTMENT, false).await.unwrap();
        let again = house.import(Format::Yaml, DEPARTMENT, false).await.unwrap();
        assert_eq!((again.created, again.updated, again.unchanged), (0, 0, 4));
        let members = "account,name,organisation,position,main,phone\n\
             sun,孙某,traffic,局长,,0311-1\nzhou,周某,traffic,科员,,\nsun,孙某,traffic,科员,兼职,0311-1\n";
        let rows = house.engine.read_members(members.as_bytes()).unwrap();
        let done = house.engine.import_members(&boss(), &rows, false).await.unwrap();
        assert_eq!(done.created, 3);
        let again = house.engine.import_members(&boss(), &rows, false).await.unwrap();
        assert_eq!((again.created, again.unchanged), (0, 3));
        let listed = house.engine.directory(Some("traffic"), true, None, None, 0, 10);
        assert_eq!(listed.total, 3);
        assert_eq!((listed.items[0].name.as_str(), listed.items[0].phone.as_str()), ("孙某", "0311-1"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_file_is_named_with_its_line() {
    each_store(|store| async move {
        let house = house(&store).await;
        let csv = "code,zh,kind,parent,valid_from,valid_to\n\
             x,某局,department,city,,\n坏 码,某局,department,city,,\ny,,department,city,,\n\
             z,某局,wizard,city,,\nx,又一,department,city,,\nw,某局,department,city,yesterday,\n";
        let found = problems(house.import(Format::Csv, csv, false).await.unwrap_err());
        let at: Vec<&str> = found.iter().map(|(at, _)| at.as_str()).collect();
        assert_eq!(at, ["line 5/kind", "line 7/valid_from", "line 6"]);
        let csv = "code,zh,kind,parent,valid_from,valid_to\n\
             x,某局,department,nowhere,,\n坏 码,某局,department,city,,\ny,,department,city,,\n\
             t,某局,department,city,2020-01-01,2022-01-01\nt,某局,department,city,2021-01-01,\n";
        let engine = &house.engine;
        let by = boss();
        let import = engine.import(&by, Format::Csv, csv.as_bytes(), None, None, false, &any);
        let found = problems(import.await.unwrap_err());
        for line in ["line 2", "line 3", "line 4", "line 6"] {
            assert!(found.iter().any(|(at, _)| at == line), "{line}: {found:?}");
        }
        assert!(engine.get("x", None).is_none());
        let yaml = DEPARTMENT
            .replace("[lead]", "[unknown]")
            .replace("rank: head", "rank: king");
        let found = problems(house.import(Format::Yaml, &yaml, false).await.unwrap_err());
        assert!(found[0].0.starts_with("line 6"), "{found:?}");
        let yaml = DEPARTMENT.replace("[lead]", "[unknown]");
        let found = problems(house.import(Format::Yaml, &yaml, false).await.unwrap_err());
        assert_eq!(found[0].0, "line 6/roles");
        for (csv, line) in [
            ("code,zh,colour\n", "line 1"),
            ("code\nx\n", "line 1"),
            ("code,zh\n\"x,1\n", "line 2"),
            ("code,zh\nx\n", "line 2"),
        ] {
            let found = problems(house.import(Format::Csv, csv, false).await.unwrap_err());
            assert_eq!(found[0].0, line, "{csv}");
        }
        let members = "account,name,organisation,position\nli,李,city,没有\n,,city,x\n";
        let found = problems(engine.read_members(members.as_bytes()).unwrap_err());
        assert_eq!(found.len(), 2);
        assert_eq!(
            engine.read_members(&[b'a', 0xff]).unwrap_err().problems[0].at,
            "line 1"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_divisions_of_a_city_become_the_tree() {
    let Ok(corpora) = std::env::var("JICHENG_CORPORA") else {
        eprintln!("JICHENG_CORPORA is not set: nothing to import");
        return;
    };
    let corpora = corpora.as_str();
    each_store(|store| async move {
        let house = house(&store).await;
        let began = Instant::now();
        let mut made = 0;
        for name in ["areas", "streets", "villages"] {
            let file = format!("{corpora}/divisions/{name}.csv");
            let text = std::fs::read_to_string(file).unwrap();
            made += house
                .import(Format::Divisions, &text, false)
                .await
                .unwrap()
                .created;
        }
        eprintln!("{made} divisions imported in {:?}", began.elapsed());
        assert_eq!(made, 24 + 280 + 5152);
        assert_eq!(house.engine.below("city", None).len(), made + 2);
        let areas = Found {
            parent: Some("city".into()),
            limit: 100,
            ..Found::default()
        };
        assert_eq!(house.engine.list(&areas).total, 24 + 1);
        assert!(house.engine.below("130102", None).len() > 100);
        let path = house.engine.path("130102001001", None);
        assert_eq!(path.len(), 4);
        let text = std::fs::read_to_string(format!("{corpora}/divisions/villages.csv")).unwrap();
        let again = house.import(Format::Divisions, &text, false).await.unwrap();
        assert_eq!(
            (again.created, again.updated, again.unchanged),
            (0, 0, 5152)
        );

        // The officer at the top, whose scope is everything, costs no more than others.
        let mut actor = Actor {
            organisation: Some("city".into()),
            ..boss()
        };
        house.engine.dress(&mut actor);
        assert_eq!(actor.standing.scope.len(), made + 2);
        let began = Instant::now();
        for _ in 0..1000 {
            let mut actor = Actor {
                organisation: Some("city".into()),
                ..boss()
            };
            house.engine.dress(&mut actor);
        }
        let each = began.elapsed() / 1000;
        eprintln!("dressing the top officer: {each:?} (debug build)");
        assert!(each.as_micros() < 100, "{each:?}");
    })
    .await;
}
