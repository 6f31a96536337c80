//! `jicheng-verify`: checks checkpoints, proofs and exported audit logs with the public key alone.
//! Ends with 0 when everything holds, 1 when something does not, 2 when it cannot tell.

use clap::{Parser, Subcommand};
use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verify::keys::{self, Key};
use verify::note::{self, Checkpoint, Refusal};
use verify::{log, proofs};

/// 校验冀城的审计日志，只需公钥 / checks the audit log of a city with its public key alone.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Public key of the audit ring: PEM, JWK or JWK Set (`jicheng keys public audit`).
    #[arg(long, global = true, default_value = "audit.pub")]
    key: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Signatures of the checkpoints of a file.
    Checkpoint {
        /// One checkpoint or many.
        file: PathBuf,
    },
    /// That an entry is in a signed log.
    Proof {
        /// What `…/audit/{seq}/proof` or `jicheng audit proof` answered.
        file: PathBuf,
    },
    /// That a newer log is an older one with entries added.
    Consistency {
        /// What `…/audit/consistency` or `jicheng audit consistency` answered.
        file: PathBuf,
        /// The older checkpoint.
        #[arg(long)]
        old: PathBuf,
        /// The newer checkpoint.
        #[arg(long)]
        new: PathBuf,
    },
    /// A whole exported log; names the entry that was altered, is missing or was slipped in.
    Log {
        /// NDJSON; `-` for standard input.
        file: PathBuf,
        /// Checkpoints that were carried away earlier: one or many. Those of the city's own
        /// machine prove little.
        #[arg(long, required = true)]
        checkpoints: Vec<PathBuf>,
    },
}

/// Something does not hold (said already), or it cannot be told.
enum End {
    Wrong(String),
    Unable(String),
}

fn main() -> ExitCode {
    match work(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(End::Wrong(text)) => {
            println!("✗ {text}");
            ExitCode::from(1)
        }
        Err(End::Unable(text)) => {
            eprintln!("{text}");
            ExitCode::from(2)
        }
    }
}

fn read(path: &Path) -> Result<String, End> {
    std::fs::read_to_string(path).map_err(|e| {
        let show = path.display();
        End::Unable(format!("无法读取 / cannot read {show}: {e}"))
    })
}

fn json(path: &Path) -> Result<serde_json::Value, End> {
    serde_json::from_str(&read(path)?)
        .map_err(|e| End::Wrong(format!("{}: 不是 JSON / not JSON: {e}", path.display())))
}

fn checkpoints(path: &Path, keys: &[Key]) -> Result<Vec<Checkpoint>, End> {
    let notes = note::split(&read(path)?);
    if notes.is_empty() {
        let show = path.display();
        return Err(End::Wrong(format!("{show}: 没有检查点 / no checkpoint")));
    }
    let opened = notes.iter().enumerate().map(|(number, text)| {
        note::open(text, keys).map_err(|refusal| {
            let (zh, en) = match refusal {
                Refusal::Malformed => ("格式有误", "malformed"),
                Refusal::Unsigned => ("不是用给出的公钥签名的", "not signed by the given key"),
            };
            let (show, number) = (path.display(), number + 1);
            End::Wrong(format!(
                "{show}: 第 {number} 个检查点{zh} / checkpoint {number} is {en}"
            ))
        })
    });
    opened.collect()
}

fn one(path: &Path, keys: &[Key]) -> Result<Checkpoint, End> {
    let mut all = checkpoints(path, keys)?;
    all.pop()
        .ok_or_else(|| End::Wrong(path.display().to_string()))
}

fn work(arguments: &Arguments) -> Result<(), End> {
    let keys = keys::read(&read(&arguments.key)?)
        .ok_or_else(|| End::Unable("公钥文件有误 / the key file is malformed".into()))?;
    let wrong = |(zh, en): proofs::Wrong| End::Wrong(format!("{zh} / {en}"));
    match &arguments.what {
        What::Checkpoint { file } => {
            for c in checkpoints(file, &keys)? {
                println!("✓ {} {} 条 / entries, {}, {}", c.origin, c.size, c.at, c.by);
            }
        }
        What::Proof { file } => {
            let (entry, c) = proofs::inclusion(&json(file)?, &keys).map_err(wrong)?;
            println!(
                "✓ 第 {seq} 条在 {size} 条的已签名日志中 / entry {seq} is in the signed log of {size} entries ({at})",
                seq = entry.seq,
                size = c.size,
                at = c.at
            );
        }
        What::Consistency { file, old, new } => {
            let (old, new) = (one(old, &keys)?, one(new, &keys)?);
            proofs::consistency(&json(file)?, &old, &new).map_err(wrong)?;
            println!(
                "✓ {new} 条的日志是 {old} 条的日志追加而成 / the log of {new} entries is that of {old} with entries added",
                old = old.size,
                new = new.size
            );
        }
        What::Log {
            file,
            checkpoints: files,
        } => {
            let mut known = vec![];
            for path in files {
                known.extend(checkpoints(path, &keys)?);
            }
            whole(file, &known)?;
        }
    }
    Ok(())
}

fn whole(file: &Path, known: &[Checkpoint]) -> Result<(), End> {
    let unable = |e: std::io::Error| End::Unable(format!("{}: {e}", file.display()));
    let report = if file == Path::new("-") {
        log::check(BufReader::new(stdin()), known)
    } else {
        log::check(BufReader::new(File::open(file).map_err(unable)?), known)
    };
    let report = report.map_err(unable)?;
    if report.faults.is_empty() {
        println!(
            "✓ 日志完好：{n} 条，其中前 {p} 条由检查点证明 / the log is whole: {n} entries, the first {p} proved by a checkpoint",
            n = report.entries,
            p = report.proved
        );
        return Ok(());
    }
    let said: Vec<String> = report.faults.iter().map(log::Fault::say).collect();
    Err(End::Wrong(format!(
        "{}\n（前 {p} 条由检查点证明；共 {n} 条 / the first {p} are proved by a checkpoint; {n} read）",
        said.join("\n✗ "),
        p = report.proved,
        n = report.entries
    )))
}
