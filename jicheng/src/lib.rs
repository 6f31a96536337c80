//! jicheng: the program. One binary that serves a city, checks its declarations, replays
//! recorded traffic, simulates stations, backs up and restores. Nothing else knows every part.

pub mod app;
pub mod backups;
pub mod bindings;
pub mod commands;
pub mod config;
pub mod drill;
pub mod embed;
pub mod fetch;
pub mod http;
pub mod jobs;
pub mod listen;
pub mod matters;
pub mod metered;
pub mod outgoing;
pub mod payments;
pub mod people;
pub mod persons;
pub mod posture;
pub mod run;
pub mod services;
pub mod signon;
pub mod systems;
pub mod window;
pub mod workers;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// 冀城 Jicheng, the smart-city platform.
#[derive(Parser)]
#[command(version, about, long_about = None)]
struct Arguments {
    /// Configuration file (TOML); also JICHENG_CONFIG.
    #[arg(long, global = true, env = "JICHENG_CONFIG")]
    config: Option<PathBuf>,
    /// A setting for this run, such as --set http=0.0.0.0:80 (repeatable); see `config show`.
    #[arg(long = "set", global = true, value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// Data folder; short for --set data=….
    #[arg(long, global = true)]
    data: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the city until stopped.
    Serve(commands::serve::Arguments),
    /// Check all declarations: every fault with file and line.
    Check,
    /// Send recorded frames through a real connection and count.
    Replay(commands::replay::Arguments),
    /// Simulate stations that speak to a gateway.
    Simulate(commands::simulate::Arguments),
    /// Import a register (CSV) or district outlines (GeoJSON).
    Import(commands::import::Arguments),
    /// Copy a city, running or not, into one file; or look after its backup repository.
    Backup(commands::backup::Backup),
    /// Restore a city: an empty store from an archive, or a moment from a repository.
    Restore(commands::backup::Restore),
    /// Practise a restore from the repository and report what it took.
    Drill(commands::backup::Drill),
    /// The audit log: verify it, export it, sign and prove it.
    Audit {
        #[command(subcommand)]
        what: commands::audit::Audit,
    },
    /// Why may (or may not) a person do something.
    Access {
        #[command(subcommand)]
        what: commands::admin::Access,
    },
    /// Make or change an account.
    Account {
        #[command(subcommand)]
        what: commands::accounts::Account,
    },
    /// Lists of leaked passwords.
    Passwords {
        #[command(subcommand)]
        what: commands::accounts::Passwords,
    },
    /// Show the configuration in force and where each value comes from.
    Config {
        #[command(subcommand)]
        what: commands::admin::Config,
    },
    /// The keys of the city: list, rotate, retire, escrow, recover.
    Keys {
        #[command(subcommand)]
        what: commands::keys::Keys,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Print the JSON Schema of a kind of declaration, for editors; without a kind, list them.
    Schema {
        /// Such as `rule` or `page`.
        kind: Option<String>,
    },
}

/// The program: reads its arguments, works, answers with an exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match work(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn work(arguments: Arguments) -> Result<(), String> {
    let config = configure(&arguments)?;
    start_log(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("无法启动运行时 / cannot start the runtime: {e}"))?;
    runtime.block_on(async {
        match arguments.command {
            Command::Serve(input) => commands::serve::run(config, input).await,
            Command::Check => commands::check(&config),
            Command::Replay(input) => commands::replay::run(config, input).await,
            Command::Simulate(input) => commands::simulate::run(config, input).await,
            Command::Import(input) => commands::import::run(config, input).await,
            Command::Backup(what) => commands::backup::backup(&config, what).await,
            Command::Restore(what) => commands::backup::restore(&config, what).await,
            Command::Drill(what) => commands::backup::drill(&config, what).await,
            Command::Audit { what } => commands::audit::run(&config, what).await,
            Command::Access { what } => commands::admin::access(&config, what).await,
            Command::Account { what } => commands::accounts::run(&config, what).await,
            Command::Passwords { what } => commands::accounts::passwords(&config, what),
            Command::Config { what } => commands::admin::config(&config, what),
            Command::Keys { what } => commands::keys::run(&config, what).await,
            Command::Openapi => commands::admin::openapi(&config).await,
            Command::Schema { kind } => commands::schema(&config, kind.as_deref()),
        }
    })
}

fn configure(arguments: &Arguments) -> Result<config::Config, String> {
    let mut flags = vec![];
    for setting in &arguments.settings {
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| format!("--set {setting}: 应为 名称=值 / expected NAME=VALUE"))?;
        flags.push((name.to_string(), value.to_string()));
    }
    flags.extend(
        arguments
            .data
            .iter()
            .map(|data| ("data".to_string(), data.clone())),
    );
    config::Config::load(arguments.config.as_deref(), std::env::vars(), &flags)
        .map_err(|faults| faults.join("\n"))
}

fn start_log(config: &config::Config) {
    use std::io::IsTerminal;
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(config.text("log")).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Colours are for people; a file or a journal gets plain lines.
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first log.
    let _ = match config.text("log_format") {
        "json" => log.json().try_init(),
        _ => log.try_init(),
    };
}
