//! The OpenAPI 3.1 document, printed from the table of routes and the components beside this
//! file. It is committed as `schemas/openapi.json`; a test fails when it is stale, and another
//! holds real answers against the components.

use super::table::Route;
use kernel::Access;
use serde_json::{Map, Value, json};

const COMPONENTS: &str = include_str!("components.json");

/// The components, as JSON Schema 2020-12.
pub fn components() -> Value {
    serde_json::from_str(COMPONENTS).unwrap_or(Value::Null)
}

/// The whole document.
pub fn document(routes: &[Route]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let path = route.path.replace("{*path}", "{path}");
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[route.method.to_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "冀城 Jicheng",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "智慧城市平台 API。The API of the smart-city platform.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": super::guard::COOKIE},
            },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.words.zh,
        "description": route.words.en,
        "parameters": parameters(route),
        "responses": {
            "200": answer(route.gives),
            "default": {
                "description": "problem",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
        "x-access": access(route.access),
    });
    if route.access != Access::Public {
        operation["security"] = json!([{"bearer": []}, {"cookie": []}]);
    }
    if !route.takes.is_empty() {
        let reference =
            json!({"schema": {"$ref": format!("#/components/schemas/{}", route.takes)}});
        operation["requestBody"] = match route.takes {
            "ObservationBatch" => {
                json!({"required": true, "content": {"text/plain": {"schema": {"type": "string"}},
                "application/x-ndjson": {"schema": {"type": "string"}}}})
            }
            _ => json!({"required": true, "content": {"application/json": reference}}),
        };
    }
    operation
}

/// `public`, `signed in`, or verb and object; the form of `golden/access.txt`.
pub fn access(access: Access) -> String {
    match access {
        Access::Public => "public".into(),
        Access::SignedIn => "signed in".into(),
        Access::May(verb, object) => format!("{} {object}", verb.word()),
    }
}

fn answer(component: &str) -> Value {
    if component.is_empty() {
        return json!({"description": "ok"});
    }
    if let Some(kinds) = component.strip_prefix("file: ") {
        let content: serde_json::Map<String, Value> = kinds
            .split(", ")
            .map(|kind| {
                (
                    kind.to_string(),
                    json!({"schema": {"type": "string", "format": "binary"}}),
                )
            })
            .collect();
        return json!({"description": "ok", "content": content});
    }
    let schema = json!({"$ref": format!("#/components/schemas/{component}")});
    json!({"description": "ok", "content": {"application/json": {"schema": schema}}})
}

fn operation_id(route: &Route) -> String {
    let words = route
        .path
        .split(['/', '.', '-', '_'])
        .map(|w| w.trim_matches(['{', '}', '*']));
    let words = words.filter(|w| !w.is_empty() && !["api", "v1"].contains(w));
    let mut id = route.method.to_lowercase();
    for word in words {
        let mut letters = word.chars();
        id.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        id.push_str(letters.as_str());
    }
    // The same path with and without the last stroke are two operations.
    if route.path.len() > 1 && route.path.ends_with('/') {
        id.push_str("Root");
    }
    id
}

fn parameters(route: &Route) -> Value {
    let in_path = route
        .path
        .split('/')
        .filter_map(|w| w.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = in_path
        .map(|name| {
            json!({"name": name.trim_start_matches('*'), "in": "path", "required": true, "schema": {"type": "string"}})
        })
        .collect();
    for text in route.query {
        let Some((name, about)) = text.split_once(": ") else {
            continue;
        };
        let required = about.ends_with("(required)");
        let schema = match about {
            "number" => json!({"type": "integer"}),
            "boolean" => json!({"type": "boolean"}),
            _ => json!({"type": "string"}),
        };
        all.push(json!({"name": name, "in": "query", "required": required, "description": about, "schema": schema}));
    }
    Value::Array(all)
}
