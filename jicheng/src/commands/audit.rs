//! `jicheng audit …`: the audit log from the command line. What it prints is what `jicheng-verify`
//! reads on somebody else's machine.

use super::admin::store;
use super::say;
use crate::config::Config;
use audit::Engine;
use clap::Subcommand;
use kernel::SystemClock;
use serde::Serialize;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// `jicheng audit …`
#[derive(Subcommand)]
pub enum Audit {
    /// Check the whole log from inside: chain, trees, last checkpoint; names the altered entry.
    Verify,
    /// Write the whole log as NDJSON, for jicheng-verify.
    Export {
        /// The file to write; without one, standard output.
        file: Option<PathBuf>,
    },
    /// Print the newest signed checkpoint, made when the log grew.
    Checkpoint,
    /// Print the proof that an entry is in the signed log.
    Proof {
        /// Number of the entry.
        seq: i64,
        /// Of the checkpoint of this size; without it, of the newest.
        #[arg(long)]
        size: Option<u64>,
    },
    /// Print the proof that the log only grew between two sizes.
    Consistency {
        /// Entries of the older checkpoint.
        from: u64,
        /// Entries of the newer one.
        to: u64,
    },
}

/// The engine without keys: all but signing.
async fn reading(config: &Config) -> Result<Arc<Engine>, String> {
    let (store, clock) = (store(config).await?, Arc::new(SystemClock));
    let opened = Engine::reading(store, clock, config.audit_options());
    opened.await.map_err(say)
}

async fn signing(config: &Config) -> Result<Arc<Engine>, String> {
    let (store, clock) = (store(config).await?, Arc::new(SystemClock));
    let keys = crypto::Engine::open(store.clone(), clock.clone(), config.crypto_options());
    let keys = keys.await.map_err(say)?;
    let opened = Engine::open(store, clock, keys, config.audit_options());
    opened.await.map_err(say)
}

fn print(value: &impl Serialize) {
    println!(
        "{}",
        serde_json::to_string_pretty(value).unwrap_or_default()
    );
}

/// `jicheng audit …`
pub async fn run(config: &Config, what: Audit) -> Result<(), String> {
    match what {
        Audit::Verify => verify(config).await?,
        Audit::Export { file } => export(config, file).await?,
        Audit::Checkpoint => {
            let text = signing(config).await?.checkpoint().await;
            print!("{}", text.map_err(say)?);
        }
        Audit::Proof { seq, size } => {
            let proof = signing(config).await?.inclusion(seq, size).await;
            print(&proof.map_err(say)?);
        }
        Audit::Consistency { from, to } => {
            let proof = reading(config).await?.consistency(from, to).await;
            print(&proof.map_err(say)?);
        }
    }
    Ok(())
}

async fn verify(config: &Config) -> Result<(), String> {
    let verdict = reading(config).await?.verify().await.map_err(say)?;
    match verdict.damage {
        None => {
            println!(
                "审计日志完好 / the audit log is whole: {} entries, head {}; {} in the trees, {} under the last checkpoint",
                verdict.checked, verdict.head.hash, verdict.tree_size, verdict.checkpoint_size
            );
            Ok(())
        }
        Some((seq, damage)) => Err(format!(
            "审计日志第 {seq} 条被改动 / entry {seq} of the audit log was altered: {damage:?}"
        )),
    }
}

async fn export(config: &Config, file: Option<PathBuf>) -> Result<(), String> {
    let engine = reading(config).await?;
    engine.integrate().await.map_err(say)?;
    let failed = |e: std::io::Error| format!("无法写入 / cannot write: {e}");
    let mut out: BufWriter<Box<dyn Write>> = BufWriter::new(match &file {
        Some(path) => Box::new(std::fs::File::create(path).map_err(failed)?),
        None => Box::new(std::io::stdout()),
    });
    let mut after = 0;
    loop {
        let page = engine.export(after).await.map_err(say)?;
        let Some(last) = page.last() else {
            break;
        };
        after = last.seq;
        for line in &page {
            serde_json::to_writer(&mut out, line).map_err(|e| e.to_string())?;
            out.write_all(b"\n").map_err(failed)?;
        }
    }
    out.flush().map_err(failed)
}
