//! `jicheng import`: a register from CSV, or the outlines of districts from GeoJSON, into the
//! store; organisations and members into a running city, through its API.

use super::client::{Server, escape};
use super::{declared, say};
use crate::config::Config;
use kernel::{Actor, SystemClock};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;

/// What to import.
#[derive(clap::Args)]
pub struct Arguments {
    /// Name of a register, `districts`, `organisations` or `members`.
    what: String,
    /// CSV with a header of field names; GeoJSON for districts; YAML or CSV for organisations.
    file: PathBuf,
    /// Organisations: those at the top of the file go below this one.
    #[arg(long)]
    parent: Option<String>,
    /// Organisations: the day new and changed ones begin, such as 2026-12-01.
    #[arg(long)]
    on: Option<String>,
    /// Organisations: a list of divisions (code, name, …Code).
    #[arg(long)]
    divisions: bool,
    /// Organisations and members: say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    server: Server,
}

/// Imports whole or not at all.
pub async fn run(config: Config, arguments: Arguments) -> Result<(), String> {
    let show = arguments.file.display();
    let bytes = std::fs::read(&arguments.file).map_err(|e| format!("{show}: {e}"))?;
    if ["organisations", "members"].contains(&arguments.what.as_str()) {
        return into_running(&arguments, &bytes).await;
    }
    std::fs::create_dir_all(config.data()).map_err(|e| e.to_string())?;
    let store = Store::open(&config.store_url()).await.map_err(say)?;
    if arguments.what == "districts" {
        let features = districts(&store, &bytes).await?;
        println!("已导入轮廓 / outlines imported: {features}");
        return Ok(());
    }
    let declared = Arc::new(declared(&config)?);
    let engine = registers::Engine::open(store, Arc::new(SystemClock), declared)
        .await
        .map_err(say)?;
    let done = engine
        .import_csv(
            &Actor::system(),
            &arguments.what,
            &bytes,
            Some("import".into()),
        )
        .await
        .map_err(say)?;
    println!("{}", json!(done));
    Ok(())
}

/// Organisations or members into a running city.
async fn into_running(arguments: &Arguments, bytes: &[u8]) -> Result<(), String> {
    let mut path = format!(
        "/api/v1/operator/{}/import?dry_run={}",
        arguments.what, arguments.dry_run
    );
    if arguments.what == "organisations" {
        let extension = arguments.file.extension().and_then(|e| e.to_str());
        let format = match extension {
            _ if arguments.divisions => "divisions",
            Some("yaml" | "yml") => "yaml",
            _ => "csv",
        };
        path.push_str(&format!("&format={format}"));
        for (name, value) in [("parent", &arguments.parent), ("on", &arguments.on)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", escape(value)));
            }
        }
    }
    let done = arguments
        .server
        .send("POST", &path, "application/octet-stream", bytes)
        .await?;
    println!(
        "{}",
        serde_json::to_string_pretty(&done).unwrap_or_default()
    );
    Ok(())
}

/// Keeps a FeatureCollection of polygons with `code` and `name`; coordinates CGCS2000.
async fn districts(store: &Store, bytes: &[u8]) -> Result<usize, String> {
    let json: Value =
        serde_json::from_slice(bytes).map_err(|e| format!("不是 GeoJSON / no GeoJSON: {e}"))?;
    let features = json["features"]
        .as_array()
        .filter(|_| json["type"] == "FeatureCollection");
    let features = features.ok_or("不是 FeatureCollection / no FeatureCollection")?;
    for (n, feature) in features.iter().enumerate() {
        let kind = feature["geometry"]["type"].as_str().unwrap_or("");
        let named = feature["properties"]["name"].is_string();
        if !["Polygon", "MultiPolygon"].contains(&kind) || !named {
            return Err(format!(
                "features[{n}]: 应为带 name 的面 / expected a polygon with a name"
            ));
        }
    }
    let mut tx = store.begin().await.map_err(say)?;
    store::documents::put(&mut tx, "map", "districts", &json, None)
        .await
        .map_err(say)?;
    tx.commit().await.map_err(say)?;
    Ok(features.len())
}
