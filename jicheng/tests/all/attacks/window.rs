//! Attacks on what people apply for: somebody else's draft, application, case, task, paper and
//! letter through every route, drawings that explode, papers that are no papers, wallets that ask
//! for what is not theirs.

use crate::city::{Answer, TestCity};
use crate::permits::{draft, get, hand_in, officer, post, task, until, upload};
use serde_json::{Value, json};

/// What a route is asked with, so that it goes as far as it can.
fn body(method: &str, path: &str) -> Option<Value> {
    if matches!(method, "GET" | "DELETE") {
        return None;
    }
    let body = match path {
        p if p.starts_with("/api/v1/tasks/") => json!({"verb": "claim"}),
        p if p.starts_with("/api/v1/cases/") && p.ends_with("/verbs") => {
            json!({"verb": "cancel", "reason": "不办了"})
        }
        p if p.ends_with("/handle") => json!({"verb": "accept", "note": ""}),
        p if p.ends_with("/own") => json!({"verb": "withdraw", "reason": "不办了"}),
        p if p.starts_with("/api/v1/drafts/") && method == "PATCH" => json!({"answers": {}}),
        _ => json!({}),
    };
    Some(body)
}

/// Every way to put these into the places of a path.
fn filled(path: &str, ids: &[String]) -> Vec<String> {
    let mut paths = vec![String::new()];
    for part in path.split('/').skip(1) {
        let choices: Vec<&str> = match part.starts_with('{') {
            true => ids.iter().map(String::as_str).collect(),
            false => vec![part],
        };
        let longer = |path: &String| {
            let path = path.clone();
            let join = move |choice: &&str| format!("{path}/{choice}");
            choices.iter().map(join).collect::<Vec<_>>()
        };
        paths = paths.iter().flat_map(longer).collect();
    }
    paths
}

/// What an answer lets a stranger know: its status and which error it is.
fn told(answer: &Answer) -> (u16, String) {
    let problem: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let code = problem["code"].as_str().unwrap_or_default();
    (answer.status, code.to_string())
}

const FAMILIES: [&str; 6] = [
    "/api/v1/drafts/",
    "/api/v1/service-applications/",
    "/api/v1/uploads/",
    "/api/v1/cases/",
    "/api/v1/tasks/",
    "/api/v1/me/licences/",
];

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_matter_through_every_route() {
    let city = TestCity::start().await;
    let clerk = officer(&city, "clerk", &["acceptance_clerk"]).await;
    let inspector = officer(&city, "inspector", &["permit_inspector"]).await;
    let open = draft(&city, &clerk, 17, "retail", 500).await;
    let paper = upload(&city, &clerk, &open, "rules.pdf", crate::permits::PDF).await;
    let paper = paper.json()["id"].as_str().expect("a file").to_string();
    let handed = draft(&city, &clerk, 18, "catering", 80).await;
    let receipt = hand_in(&city, &clerk, &handed).await;
    let text = |value: &Value| value.as_str().expect("a text").to_string();
    let application = text(&receipt["application"]["id"]);
    let path = format!("/api/v1/service-applications/{application}");
    let accept = json!({"verb": "accept", "note": ""});
    post(&city, &format!("{path}/handle"), &clerk, accept).await;
    let file = until(&city, &clerk, &application, "accepted", 2).await;
    let case = text(&file["application"]["case"]);
    let number =
        text(&get(&city, &format!("/api/v1/cases/{case}"), &clerk).await["case"]["number"]);
    let inspect = task(&city, &inspector, "inspect", &number).await;
    let letter = text(&file["letters"][0]["file"]);
    let before = file.clone();

    let ids = [
        open,
        paper,
        application.clone(),
        number,
        case,
        inspect,
        letter,
    ];
    let nobodys: Vec<String> = vec!["01JZZZZZZZZZZZZZZZZZZZZZZZ".into()];
    let mut strangers = vec![];
    for name in ["nobody", "resident", "officer"] {
        strangers.push((name, city.token(name).await));
    }
    let (_, routes) = jicheng::http::table(&city.running.app);
    let mut tried = 0;
    for route in routes {
        let ours = FAMILIES.iter().any(|family| route.path.starts_with(family));
        if !ours || !route.path.contains('{') {
            continue;
        }
        let body = body(route.method, &route.path);
        let unknown = filled(&route.path, &nobodys).remove(0);
        for (name, token) in &strangers {
            let none = city
                .call(route.method, &unknown, Some(token), body.clone())
                .await;
            for path in filled(&route.path, &ids) {
                let answer = city
                    .call(route.method, &path, Some(token), body.clone())
                    .await;
                let at = format!("{name}: {} {path}: {}", route.method, answer.text);
                assert!((400..500).contains(&answer.status), "{at}");
                assert_eq!(told(&answer), told(&none), "{at}");
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "only {tried} tried");
    for (_, token) in &strangers {
        for list in [
            "/api/v1/drafts",
            "/api/v1/service-applications",
            "/api/v1/tasks",
            "/api/v1/cases",
        ] {
            let answer = city.call("GET", list, Some(token), None).await;
            assert!(
                ids.iter().all(|id| !answer.text.contains(id)),
                "{list}: {}",
                answer.text
            );
        }
    }
    let after = get(&city, &path, &clerk).await;
    assert_eq!(
        after["application"], before["application"],
        "nothing was done to it"
    );
    city.stop().await;
}

/// Expands to 2^30 letters where entities are read.
fn billion_laughs() -> String {
    let mut doctype = String::from("<!DOCTYPE d [<!ENTITY a0 \"ha\">");
    for n in 1..30 {
        let before = n - 1;
        doctype += &format!("<!ENTITY a{n} \"&a{before};&a{before};\">");
    }
    format!(
        "<?xml version=\"1.0\"?>{doctype}]><definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"><process id=\"p\" name=\"&a29;\" isExecutable=\"true\"/></definitions>"
    )
}

fn bpmn(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" targetNamespace=\"t\"><process id=\"bomb\" isExecutable=\"true\">{inner}</process></definitions>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn drawings_that_explode_are_refused() {
    let city = TestCity::start().await;
    let drawer = officer(&city, "drawer", &["service_designer"]).await;
    let (open, close) = ("<subProcess>", "</subProcess>");
    let deep = [open.repeat(20_000), close.repeat(20_000)].concat();
    let many: String = (0..30_000)
        .map(|n| format!("<task id=\"t{n}\"/>"))
        .collect();
    for (what, xml) in [
        ("entities", billion_laughs()),
        ("deep", bpmn(&deep)),
        ("many", bpmn(&many)),
    ] {
        let body = json!({"name": "bomb", "xml": xml});
        let begun = std::time::Instant::now();
        let answer = city
            .call("POST", "/api/v1/processes", Some(&drawer), Some(body))
            .await;
        assert!(
            matches!(answer.status, 413 | 422),
            "{what}: {} {:.300}",
            answer.status,
            answer.text
        );
        assert!(
            begun.elapsed().as_secs() < 10,
            "{what} took {:?}",
            begun.elapsed()
        );
        assert!(
            answer.text.len() < 64 * 1024,
            "{what}: an answer of {} bytes",
            answer.text.len()
        );
    }
    let known = get(&city, "/api/v1/processes", &drawer).await;
    assert!(!known.to_string().contains("bomb"), "a bomb was published");
    city.stop().await;
}

/// Publishable, and never at an end: the case is refused when it begins, whole and in words.
#[tokio::test(flavor = "multi_thread")]
async fn cases_that_never_end_do_not_begin() {
    let city = TestCity::start().await;
    let drawer = officer(&city, "drawer", &["service_designer", "acceptance_clerk"]).await;
    let flow = |id: &str, from: &str, to: &str| {
        format!("<sequenceFlow id=\"{id}\" sourceRef=\"{from}\" targetRef=\"{to}\"/>")
    };
    let start = "<startEvent id=\"s\"/>".to_string();
    let ways = "<exclusiveGateway id=\"g\"/><exclusiveGateway id=\"h\"/>".to_string();
    let flows = [
        flow("a", "s", "g"),
        flow("b", "g", "h"),
        flow("c", "h", "g"),
    ];
    let endless = [start.clone(), ways, flows.concat()].concat();
    let call = "<callActivity id=\"c\" calledElement=\"bomb\"/><endEvent id=\"e\"/>".to_string();
    let flows = [flow("a", "s", "c"), flow("b", "c", "e")];
    let myself = [start, call, flows.concat()].concat();
    // A circle of calls is seen when it is published.
    let body = json!({"name": "bomb", "xml": bpmn(&myself)});
    let refused = city.call("POST", "/api/v1/processes", Some(&drawer), Some(body));
    let refused = refused.await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("circle"), "{}", refused.text);
    // A circle of gateways may have a way out; that there is none shows when a case begins.
    let body = json!({"name": "bomb", "xml": bpmn(&endless)});
    post(&city, "/api/v1/processes", &drawer, body).await;
    let begun = std::time::Instant::now();
    let new = json!({"process": "bomb", "title": "走查", "data": {}});
    let refused = city.call("POST", "/api/v1/cases", Some(&drawer), Some(new));
    let refused = refused.await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    let cases = get(&city, "/api/v1/cases", &drawer).await;
    assert_eq!(cases["items"], json!([]), "nothing is left of it");
    city.stop().await;
}
