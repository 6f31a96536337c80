//! Commands of the operator: audit, access, configuration, OpenAPI.

use super::{declared, say};
use crate::run::{Parts, Running};
use clap::Subcommand;
use kernel::{Decision, Policy, SystemClock, Verb};
use std::sync::Arc;
use store::Store;

/// `jicheng audit …`
#[derive(Subcommand)]
pub enum Audit {
    /// Check the whole chain.
    Verify,
}

/// `jicheng access …`
#[derive(Subcommand)]
pub enum Access {
    /// WHO may do WHAT on WHICH object, and why (not).
    Explain {
        /// Account name.
        who: String,
        /// Verb: read, export, write, handle, command, operate, audit.
        what: String,
        /// Object, such as alerts or register.station.
        which: String,
    },
}

/// `jicheng config …`
#[derive(Subcommand)]
pub enum Config {
    /// Print every setting, its value and origin.
    Show,
}

pub(super) async fn store(config: &crate::config::Config) -> Result<Store, String> {
    std::fs::create_dir_all(config.data()).map_err(|e| e.to_string())?;
    Store::open(&config.store_url()).await.map_err(say)
}

/// `jicheng audit verify`
pub async fn audit(config: &crate::config::Config, what: Audit) -> Result<(), String> {
    let Audit::Verify = what;
    let verdict = store(config).await?.audit().verify().await.map_err(say)?;
    match verdict.damage {
        None => {
            println!(
                "审计日志完好 / the audit log is whole: {} entries, head {}",
                verdict.checked, verdict.head.hash
            );
            Ok(())
        }
        Some((seq, damage)) => Err(format!(
            "审计日志第 {seq} 条被改动 / entry {seq} of the audit log was altered: {damage:?}"
        )),
    }
}

/// `jicheng access explain`
pub async fn access(config: &crate::config::Config, what: Access) -> Result<(), String> {
    let Access::Explain { who, what, which } = what;
    let verb = Verb::parse(&what).ok_or_else(|| format!("没有动词 / there is no verb {what}"))?;
    let engine = super::accounts::engine(config).await?;
    let actor = engine.account(&who).await.map_err(say)?.actor();
    let policy = policy::Engine::new(Arc::new(SystemClock), &declared(config)?).map_err(say)?;
    match policy.may(&actor, verb, &which) {
        Decision::Allowed {
            role,
            purpose,
            basis,
        } => {
            println!(
                "允许 / allowed\n  角色 role: {role}\n  目的 purpose: {purpose}\n  依据 basis: {basis}"
            );
        }
        Decision::Denied { would, .. } => {
            println!(
                "拒绝 / denied\n  可行的角色 roles that may: {}",
                would.join(", ")
            );
        }
    }
    Ok(())
}

/// `jicheng config show`
pub fn config(config: &crate::config::Config, what: Config) -> Result<(), String> {
    let Config::Show = what;
    for [name, value, from, about] in config.show() {
        println!("{name} = {value:?}\n    # {about} ({from})");
    }
    Ok(())
}

/// `jicheng openapi`: from a city in a temporary folder, so that nothing needs to run.
pub async fn openapi(config: &crate::config::Config) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("jicheng-openapi-{}", std::process::id()));
    let flags = [
        ("data".to_string(), folder.display().to_string()),
        (
            "declarations".to_string(),
            config.text("declarations").to_string(),
        ),
    ];
    let private =
        crate::config::Config::load(None, std::iter::empty(), &flags).map_err(|f| f.join("\n"))?;
    let parts = Parts {
        http: false,
        gateways: false,
        simulated: false,
        replaying: false,
    };
    let running = Running::start(private, declared(config)?, Arc::new(SystemClock), parts)
        .await
        .map_err(say)?;
    let routes = crate::http::table(&running.app).1;
    println!(
        "{}",
        serde_json::to_string_pretty(&crate::http::openapi::document(&routes)).unwrap_or_default()
    );
    running.stop().await;
    let _ = std::fs::remove_dir_all(folder);
    Ok(())
}
