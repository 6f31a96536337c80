//! `jicheng keys …`: the keys of the city from the command line. Shares of the master key are shown
//! here and nowhere else; they never travel over the network.

use super::admin::store;
use super::say;
use crate::config::Config;
use clap::Subcommand;
use crypto::{Engine, MasterSource};
use kernel::crypto::{Crypto, PublicKey, Ring};
use kernel::{Actor, SystemClock};
use serde_json::json;
use std::sync::Arc;

/// `jicheng keys …`
#[derive(Subcommand)]
pub enum Keys {
    /// Every ring with its versions.
    List,
    /// The public keys of a ring, for those who verify.
    Public {
        /// audit, open_id, secrets, backup, seal or letters.
        ring: String,
        /// PEM of the current key instead of a JSON Web Key Set of all.
        #[arg(long)]
        pem: bool,
    },
    /// Make a new version of a ring; the older ones still verify and open.
    Rotate {
        /// audit, open_id, secrets, backup, seal or letters.
        ring: String,
        /// Why; kept in the audit log.
        #[arg(long)]
        reason: String,
    },
    /// Retire an old version: it verifies and opens nothing any more.
    Retire {
        /// audit, open_id, secrets, backup, seal or letters.
        ring: String,
        /// Identification of the key.
        key: String,
        /// Why; kept in the audit log.
        #[arg(long)]
        reason: String,
    },
    /// Split the master key into shares for several keepers; prints them once.
    Escrow {
        /// How many shares.
        #[arg(long, default_value_t = 5)]
        shares: u8,
        /// How many of them make the key anew.
        #[arg(long, default_value_t = 3)]
        threshold: u8,
    },
    /// Put shares together, check the key against the store, and write it where it belongs.
    Recover {
        /// The shares; without any they are read from standard input, one a line, so that they
        /// stay out of the shell's history.
        shares: Vec<String>,
    },
}

fn ring(word: &str) -> Result<Ring, String> {
    let words = Ring::ALL.map(Ring::word).join(", ");
    Ring::parse(word)
        .ok_or_else(|| format!("没有密钥环 {word} / there is no ring {word}; there are {words}"))
}

async fn engine(config: &Config) -> Result<Arc<Engine>, String> {
    let store = store(config).await?;
    Engine::open(store, Arc::new(SystemClock), config.crypto_options())
        .await
        .map_err(say)
}

/// The public keys of a ring as a JSON Web Key Set, the signing one first.
pub fn key_set(keys: &[PublicKey]) -> serde_json::Value {
    json!({"keys": keys.iter().map(crypto::jwk).collect::<Vec<_>>()})
}

/// `jicheng keys …`
pub async fn run(config: &Config, what: Keys) -> Result<(), String> {
    match what {
        Keys::List => list(&*engine(config).await?),
        Keys::Public { ring: word, pem } => {
            let keys = engine(config)
                .await?
                .public_keys(ring(&word)?)
                .map_err(say)?;
            match keys.first() {
                Some(current) if pem => print!("{}", crypto::pem(current)),
                _ => println!(
                    "{}",
                    serde_json::to_string_pretty(&key_set(&keys)).unwrap_or_default()
                ),
            }
        }
        Keys::Rotate { ring: word, reason } => {
            let engine = engine(config).await?;
            let rotated = engine.rotate(&Actor::system(), ring(&word)?, &reason).await;
            let key = rotated.map_err(say)?;
            println!("已轮换 / rotated: {} (version {})", key.id, key.version);
        }
        Keys::Retire {
            ring: word,
            key,
            reason,
        } => {
            let engine = engine(config).await?;
            let ring = ring(&word)?;
            let retired = engine.retire(&Actor::system(), ring, &key, &reason).await;
            println!("已退役 / retired: {}", retired.map_err(say)?.id);
        }
        Keys::Escrow { shares, threshold } => {
            let engine = engine(config).await?;
            let parts = engine.escrow(&Actor::system(), shares, threshold).await;
            let parts = parts.map_err(say)?;
            println!(
                "# 主密钥 {id} 的 {shares} 个份额，任意 {threshold} 个可恢复；每人保管一个，只显示这一次\n# {shares} shares of the master key {id}, any {threshold} make it anew; one keeper each, shown this once",
                id = engine.master_id()
            );
            for part in parts {
                println!("{}", *part);
            }
        }
        Keys::Recover { shares } => recover(config, shares).await?,
    }
    Ok(())
}

fn list(engine: &Engine) {
    println!(
        "套件 suite: {}    主密钥 master key: {} ({})",
        engine.suite().word(),
        engine.master_id(),
        engine.master_place()
    );
    for info in engine.rings() {
        println!("{}", info.ring.word());
        for key in info.keys {
            let state = match (key.current, key.retired_at) {
                (true, _) => "使用中 current",
                (false, None) => "仅验证和解密 verifies and opens",
                (false, Some(_)) => "已退役 retired",
            };
            println!(
                "  {:>3}  {}  {}  {}  {}  {state}  {}",
                key.version,
                key.id,
                key.algorithm.word(),
                key.cipher,
                key.created_at,
                key.reason
            );
        }
    }
}

async fn recover(config: &Config, mut shares: Vec<String>) -> Result<(), String> {
    if shares.is_empty() {
        let lines = std::io::stdin().lines();
        let lines: Result<Vec<String>, _> = lines.take(200).collect();
        let given = lines.map_err(|e| e.to_string())?;
        let said = |line: &String| !line.trim().is_empty() && !line.starts_with('#');
        shares = given.into_iter().filter(said).collect();
    }
    let master = crypto::escrow::combine(&shares).map_err(say)?;
    let store = store(config).await?;
    Engine::check_master(&store, &master).await.map_err(say)?;
    let MasterSource::File(path) = config.master_key() else {
        return Err("主密钥来自配置 master_key，没有可写的文件 / the master key comes from the setting master_key; there is no file to write".into());
    };
    match config.master_key().read() {
        Ok(Some(there)) if there.id() == master.id() => {
            println!(
                "主密钥本来就在 / the master key was there already: {}",
                path.display()
            );
            return Ok(());
        }
        Ok(None) => {}
        // A wrong or broken file is put aside, not lost.
        _ => {
            let aside = path.with_extension("key.wrong");
            std::fs::rename(&path, &aside).map_err(|e| e.to_string())?;
            println!(
                "原文件不对，已改名 / the file there was wrong, it is now {}",
                aside.display()
            );
        }
    }
    master.write_new(&path).map_err(say)?;
    println!(
        "主密钥 {} 已恢复并与存储相符 / the master key is back and belongs to this store: {}",
        master.id(),
        path.display()
    );
    Ok(())
}
