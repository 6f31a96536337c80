//! `jicheng serve`: the city, until it is told to stop (Ctrl-C or SIGTERM).

use super::{declared, demo, say};
use crate::config::Config;
use crate::run::{Parts, Running};
use kernel::SystemClock;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How to serve.
#[derive(clap::Args)]
pub struct Arguments {
    /// A demonstration: sample records, demonstration accounts, simulated stations.
    #[arg(long)]
    demo: bool,
}

/// Serves until stopped.
pub async fn run(config: Config, arguments: Arguments) -> Result<(), String> {
    // From the first moment on, so that being asked to stop is never a sudden death.
    let stopped = Stopped::listen();
    let declared = declared(&config)?;
    let parts = Parts {
        http: true,
        gateways: true,
        simulated: arguments.demo,
        replaying: false,
    };
    let running = Running::start(config, declared, Arc::new(SystemClock), parts)
        .await
        .map_err(say)?;
    let simulation = match arguments.demo {
        true => Some(demo::start(&running).await?),
        false => None,
    };
    if let Some(http) = running.http {
        let scheme = match running.app.tls.get() {
            Some(_) => "https",
            None => "http",
        };
        announce(&format!(
            "冀城已启动 / Jicheng is running: {scheme}://{http}/"
        ));
        if running
            .app
            .identity
            .accounts("", 1)
            .await
            .map_err(say)?
            .total
            == 0
        {
            announce(
                "还没有账号 / no account yet: jicheng account add NAME --display … --roles operator",
            );
        }
    }
    stopped.wait().await;
    tracing::info!("stopping");
    if let Some(simulation) = simulation {
        simulation.stop().await;
    }
    running.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Says a line on standard output. A city does not end because nobody listens there any more.
fn announce(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Ctrl-C and SIGTERM.
struct Stopped(Option<[Signal; 2]>);

impl Stopped {
    fn listen() -> Stopped {
        let both = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
        let [Ok(interrupt), Ok(terminate)] = both else {
            return Stopped(None);
        };
        Stopped(Some([interrupt, terminate]))
    }

    /// Returns on the first of them, at once if it has come already.
    async fn wait(self) {
        match self.0 {
            Some([mut interrupt, mut terminate]) => tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            },
            // Without handlers the system ends the program by itself.
            None => std::future::pending().await,
        }
    }
}
