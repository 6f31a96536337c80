//! Golden truths of the whole system, reviewed as diffs: routes, the access matrix, layers, the
//! OpenAPI document. `BLESS=1 cargo nextest run -p jicheng golden` writes them anew; read the
//! difference before committing it.

use crate::architecture::root;
use crate::city::TestCity;
use jicheng::http::openapi;
use kernel::{Access, Decision};
use std::fmt::Write;

fn check(path: &str, text: &str) {
    let file = root().join(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, text).expect("write");
        return;
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    if known != text {
        let differs = known.lines().zip(text.lines()).find(|(a, b)| a != b);
        panic!("{path} is stale ({differs:?}); BLESS=1 writes it anew, then read the difference");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_access_layers_and_openapi() {
    let city = TestCity::start().await;
    let app = city.running.app.clone();
    let (_, routes) = jicheng::http::table(&app);

    let mut text = String::new();
    for route in &routes {
        writeln!(
            text,
            "{:6} {:50} {}",
            route.method,
            route.path,
            openapi::access(route.access)
        )
        .expect("text");
    }
    check("jicheng/golden/routes.txt", &text);

    let roles = app.city.declared.roles();
    let mut text = String::from("route × role: who may call what (. = no)\n");
    for route in &routes {
        let mut line = format!("{:6} {:50}", route.method, route.path);
        for role in &roles {
            let actor = kernel::Actor {
                account: "x".into(),
                display: "x".into(),
                roles: vec![role.name.clone()],
                ..kernel::Actor::default()
            };
            let allowed = match route.access {
                Access::Public | Access::SignedIn => true,
                Access::May(verb, object) => {
                    let object = object.replace("{register}", "station");
                    matches!(
                        app.city.policy.may(&actor, verb, &object),
                        Decision::Allowed { .. }
                    )
                }
            };
            write!(line, " {}", if allowed { role.name.as_str() } else { "." }).expect("text");
        }
        writeln!(text, "{line}").expect("text");
    }
    text.push_str("\nrole object: verbs, with what narrows them\n");
    let mut last = (String::new(), String::new());
    for line in app.policy.matrix() {
        let here = (line.role.clone(), line.object.clone());
        if here != last {
            write!(text, "\n{} {}:", line.role, line.object).expect("text");
            last = here;
        }
        write!(text, " {}", line.verb.word()).expect("text");
        if !line.marks.is_empty() {
            write!(text, "[{}]", line.marks.join(" ")).expect("text");
        }
    }
    text.push('\n');
    check("jicheng/golden/access.txt", &text);

    let mut text = String::new();
    for layer in app.city.declared.systems.iter().flat_map(|s| &s.layers) {
        writeln!(
            text,
            "{} {} {}",
            layer.name,
            layer.register,
            layer.fields.join(",")
        )
        .expect("text");
    }
    check("jicheng/golden/layers.txt", &text);

    let mut operations: Vec<String> = vec![];
    let document = openapi::document(&routes);
    for path in document["paths"].as_object().expect("paths").values() {
        for operation in path.as_object().expect("operations").values() {
            operations.push(operation["operationId"].to_string());
        }
    }
    let all = operations.len();
    operations.sort();
    operations.dedup();
    assert_eq!(operations.len(), all, "an operationId stands twice");
    let document = serde_json::to_string_pretty(&document).expect("json");
    check("schemas/openapi.json", &format!("{document}\n"));
    city.stop().await;
}

/// The kind of a declaration file, as `schemas/declarations/` names it; `None` for other files.
fn kind_of(path: &str) -> Option<&str> {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["systems", _, "system.yaml"] => Some("system"),
        ["systems", _, "registers", _] => Some("register"),
        ["systems", _, "observations", _] => Some("observations"),
        ["systems", _, "rules", _] => Some("rule"),
        ["systems", _, "layers", _] => Some("layer"),
        ["systems", _, "indicators", _] => Some("indicator"),
        ["systems", _, "pages", _] => Some("page"),
        ["systems" | "cities", _, "licences", _] => Some("licence"),
        ["systems" | "cities", _, "items", _] => Some("item"),
        ["systems", _, "access", "roles.yaml"] | ["cities", _, "roles.yaml"] => Some("roles"),
        ["systems", _, "texts", _] => Some("texts"),
        // Their shape is that of the engine of visits.
        ["cities", _, "halls.yaml"] => None,
        ["cities", _, name] => name.strip_suffix(".yaml"),
        _ => None,
    }
}

#[test]
fn schemas_of_declarations() {
    let files = jicheng::embed::declarations("", "shijiazhuang").expect("declarations");
    let schemas = jicheng::window::schemas(&files);
    for (kind, schema) in &schemas {
        let text = serde_json::to_string_pretty(schema).expect("json");
        check(
            &format!("schemas/declarations/{kind}.schema.json"),
            &format!("{text}\n"),
        );
    }
    let folder = std::fs::read_dir(root().join("schemas/declarations")).expect("a folder");
    assert_eq!(
        folder.count(),
        schemas.len(),
        "a schema of no kind is left over"
    );
    let mut checked = 0;
    for (path, text) in &files {
        let Some(schema) = kind_of(path).and_then(|kind| schemas.get(kind)) else {
            continue;
        };
        let validator = jsonschema::validator_for(schema).expect("a schema");
        let tree = kernel::declare::yaml::parse(text).expect("a tree").json();
        if let Err(fault) = validator.validate(&tree) {
            panic!("{path}: {fault}");
        }
        checked += 1;
    }
    assert!(checked > 50, "only {checked} files were compared");
    // What the readers refuse, the schema refuses too.
    let refuse = |kind: &str, text: &str| {
        let validator = jsonschema::validator_for(&schemas[kind]).expect("a schema");
        let tree = kernel::declare::yaml::parse(text).expect("a tree").json();
        assert!(!validator.is_valid(&tree), "{kind} takes {text}");
    };
    refuse("page", "face: roof\npath: /x\ntitle: { zh: 甲, en: A }\n");
    refuse("page", "face: desk\ntitle: { zh: 甲, en: A }\n");
    refuse(
        "page",
        "face: desk\npath: /x\ntitle: { zh: 甲, en: A }\ncolour: red\n",
    );
    refuse("system", "title: 甲\nowner: data_bureau\nmaturity: trial\n");
    refuse(
        "rule",
        "title: { zh: 甲, en: A }\nabout: station\nwhen: { absent: soon }\nalert: { level: red, message: { zh: 甲, en: A } }\n",
    );
}
