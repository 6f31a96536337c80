//! Commands of the operator: audit, access, configuration, OpenAPI.

use super::{declared, say};
use crate::run::{Parts, Running};
use clap::Subcommand;
use kernel::facts::Facts;
use kernel::records::Registers;
use kernel::{Decision, SystemClock, Verb};
use std::sync::Arc;
use store::Store;

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

/// `jicheng access explain`
pub async fn access(config: &crate::config::Config, what: Access) -> Result<(), String> {
    let Access::Explain { who, what, which } = what;
    let verb = Verb::parse(&what).ok_or_else(|| format!("没有动词 / there is no verb {what}"))?;
    let declared = Arc::new(declared(config)?);
    let store = store(config).await?;
    let clock = Arc::new(SystemClock);
    let people = super::accounts::engine(config).await?;
    let actor = people.account(&who).await.map_err(say)?.actor();
    let policy = policy::Engine::open(store.clone(), clock.clone(), &declared);
    let policy = policy.await.map_err(say)?;
    let (object, key) = match which.split_once('/') {
        Some((object, key)) => (object, Some(key)),
        None => (which.as_str(), None),
    };
    let facts = match (key, object.strip_prefix("register.")) {
        (Some(key), Some(name)) => {
            let registers = registers::Engine::open(store, clock, declared.clone());
            let registers = registers.await.map_err(say)?;
            let record = registers.get(name, key, None, None).await.map_err(say)?;
            let record = record.ok_or_else(|| format!("没有记录 / there is no record {key}"))?;
            declared
                .register(name)
                .map(|register| Facts::of(register, &record))
        }
        (Some(_), None) => {
            return Err("单条记录只限登记簿 / single records are of registers only".into());
        }
        (None, _) => None,
    };
    print!(
        "{}",
        in_words(&policy.explain(&actor, verb, object, facts.as_ref()))
    );
    Ok(())
}

/// An explanation for the terminal.
fn in_words(why: &policy::Explained) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str(&words);
        text.push('\n');
    };
    match &why.decision {
        Decision::Allowed {
            role,
            purpose,
            basis,
        } => line(format!(
            "允许 / allowed\n  角色 role: {role}\n  目的 purpose: {purpose}\n  依据 basis: {basis}"
        )),
        Decision::Denied { would, missing } => {
            line("拒绝 / denied".into());
            for missing in missing {
                let words = missing.words();
                line(format!("  缺少 missing: {} / {}", words.zh, words.en));
            }
            line(format!("  可行的角色 roles that may: {}", would.join(", ")));
        }
    }
    for cited in &why.determining {
        let effect = if cited.permits {
            "允许 permits"
        } else {
            "禁止 forbids"
        };
        line(format!(
            "  {effect}: {}（{}，{}）",
            cited.at, cited.purpose, cited.basis
        ));
    }
    for cited in &why.others {
        let missing: Vec<String> = cited.missing.iter().map(|m| m.words().zh).collect();
        line(format!(
            "  未生效 not in force: {}（{}）",
            cited.at,
            missing.join("；")
        ));
    }
    for (field, shown) in &why.mask.fields {
        line(format!(
            "  个人信息 personal: {field} {}",
            format!("{shown:?}").to_lowercase()
        ));
    }
    text
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
