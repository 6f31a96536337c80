//! Work nobody waits for: letters written by jobs are drawn and signed on threads that give way to
//! all others, so that a request on a busy machine is not behind them. On a machine with a core to
//! spare they are as quick as ever.

use kernel::Fault;
use tokio::sync::oneshot;

/// How far such a thread gives way (`nice`): of one contended core it keeps a tenth, so that letters
/// go on under any load.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Work on a thread of its own that gives way. How many there are at once is the caller's to bound.
pub(crate) async fn quietly<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let (tell, answer) = oneshot::channel();
    let thread = std::thread::Builder::new().name("letter".into());
    let begun = thread.spawn(move || {
        give_way();
        let _ = tell.send(work());
    });
    let doing = "drawing a letter";
    begun.map_err(|e| Fault::internal(doing, e))?;
    answer.await.map_err(|e| Fault::internal(doing, e))
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
