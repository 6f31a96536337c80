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

    let document = serde_json::to_string_pretty(&openapi::document(&routes)).expect("json");
    check("schemas/openapi.json", &format!("{document}\n"));
    city.stop().await;
}
