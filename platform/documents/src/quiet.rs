//! Work nobody waits for: letters written by jobs are drawn and signed on threads that give way to
//! all others, so that a request on a busy machine is not behind them. On a machine with a core to
//! spare they are as quick as ever.

use kernel::Fault;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How far such a thread gives way (`nice`): of one contended core it keeps a tenth, so that letters
/// go on under any load.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;
/// Threads, at most; how much work there is at once is the caller's to bound.
const THREADS: usize = 64;
/// A thread without work ends after this.
const IDLE: Duration = Duration::from_secs(30);

/// Where the threads come from. They stay: the memory of a new one is empty and fills page by page.
static QUIET: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_current_thread()
        .thread_name("letter")
        .max_blocking_threads(THREADS)
        .thread_keep_alive(IDLE)
        .on_thread_start(give_way)
        .build()
});

/// Work on a thread that gives way.
pub(crate) async fn quietly<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let doing = "drawing a letter";
    let runtime = QUIET.as_ref().map_err(|e| Fault::internal(doing, e))?;
    let done = runtime.spawn_blocking(work).await;
    done.map_err(|e| Fault::internal(doing, e))
}

/// Lowers the priority of this thread; refused, it keeps the one it has.
fn give_way() {
    // Linux counts niceness by thread; elsewhere the whole program would give way.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let gives_way = getpriority_process(None).is_ok_and(|niceness| niceness >= NICENESS);
        if let (false, Err(error)) = (gives_way, setpriority_process(None, NICENESS)) {
            tracing::debug!(%error, "a letter is drawn at the usual priority");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn only_its_own_thread_gives_way() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let before = niceness();
        let within = quietly(niceness).await.unwrap();
        assert_eq!((within, niceness()), (before.max(NICENESS), before));
    }

    #[tokio::test]
    async fn work_that_panics_is_a_fault() {
        let outcome = quietly(|| panic!("of a test")).await;
        assert_eq!(outcome.unwrap_err().code, "system.internal");
    }
}
