//! `jicheng simulate`: many stations against any gateway, for measuring how it carries them.

use crate::config::Config;
use hj212::simulator::{Options, Stats};
use kernel::SystemClock;
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What to simulate.
#[derive(clap::Args)]
pub struct Arguments {
    /// The protocol: hj212.
    #[arg(value_parser = ["hj212"])]
    protocol: String,
    /// The gateway.
    #[arg(long)]
    to: SocketAddr,
    /// Stations connected at once.
    #[arg(long, default_value_t = 100)]
    stations: usize,
    /// Seconds between two real-time frames of a station.
    #[arg(long, default_value_t = 30)]
    interval: u64,
    /// Stop after so many seconds; 0: run until Ctrl-C.
    #[arg(long, default_value_t = 0)]
    seconds: u64,
    /// Stations connecting in a second at the start.
    #[arg(long, default_value_t = 500)]
    connects: u32,
    /// Write the figures as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Simulates, printing where it stands every ten seconds.
pub async fn run(_config: Config, arguments: Arguments) -> Result<(), String> {
    if arguments.stations == 0 || arguments.interval == 0 {
        return Err("--stations 与 --interval 应大于 0 / must be more than 0".into());
    }
    let options = Options {
        to: arguments.to,
        stations: (0..arguments.stations).map(super::demo::numbered).collect(),
        interval: Duration::from_secs(arguments.interval),
        minute_interval_min: 10,
        backfill_hours: 0,
        seed: 212,
        connects_per_s: arguments.connects,
    };
    let stats = Arc::new(Stats::default());
    let (stop, stopping) = watch::channel(false);
    let work = tokio::spawn(hj212::simulator::run(
        Arc::new(SystemClock),
        options,
        stats.clone(),
        stopping,
    ));
    let begun = tokio::time::Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_secs(10));
    ticks.tick().await;
    // The latency of the wave of first connections is not that of the day.
    let wave =
        Duration::from_secs(arguments.stations as u64 / u64::from(arguments.connects.max(1)) + 5);
    let mut settled = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => eprintln!("{}", json!(stats.snapshot())),
            _ = tokio::signal::ctrl_c() => break,
            () = tokio::time::sleep_until(begun + wave), if !settled => {
                stats.restart_latency();
                settled = true;
            }
            () = tokio::time::sleep_until(begun + Duration::from_secs(arguments.seconds)), if arguments.seconds > 0 => break,
        }
    }
    let figures = json!(stats.snapshot());
    let _ = stop.send(true);
    let _ = work.await;
    println!(
        "{}",
        serde_json::to_string_pretty(&figures).unwrap_or_default()
    );
    match arguments.report {
        Some(path) => std::fs::write(&path, figures.to_string())
            .map_err(|e| format!("{}: {e}", path.display())),
        None => Ok(()),
    }
}
