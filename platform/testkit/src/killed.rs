//! A process that is killed with -9 in the middle of its work: an ignored test of the same binary,
//! which works until then and says on a line of its own what it was acknowledged.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Runs an ignored test of this binary (`crash::child_works_until_killed`) in a process of its own
/// with these variables in its environment, and hands every line it says to `enough`; once that
/// answers true the process is killed. Returns every whole line it said, those that were on their
/// way when it died with them. Fails when the process ends by itself.
pub async fn killed(
    test: &'static str,
    environment: &[(&str, &str)],
    enough: impl FnMut(&str) -> bool + Send + 'static,
) -> Vec<String> {
    let child = Command::new(std::env::current_exe().unwrap_or_else(|e| panic!("{e}")))
        .args([test, "--exact", "--ignored", "--nocapture"])
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap_or_else(|e| panic!("running {test}: {e}"));
    let listening = tokio::task::spawn_blocking(move || listen(child, enough));
    let (said, killed) = listening
        .await
        .unwrap_or_else(|e| panic!("listening to {test}: {e}"));
    let last = said.last().map(String::as_str).unwrap_or_default();
    assert!(killed, "{test} ended by itself; the last it said: {last}");
    said
}

/// Enough is this many lines that count.
pub fn lines(
    many: usize,
    counts: impl Fn(&str) -> bool + Send + 'static,
) -> impl FnMut(&str) -> bool + Send + 'static {
    let mut heard = 0;
    move |line| {
        heard += usize::from(counts(line));
        heard == many
    }
}

/// The lines a process said, and whether it was killed.
fn listen(mut child: Child, mut enough: impl FnMut(&str) -> bool) -> (Vec<String>, bool) {
    let mut said = vec![];
    let mut killed = false;
    let Some(output) = child.stdout.take() else {
        return (said, killed);
    };
    let mut lines = BufReader::new(output);
    let mut line = String::new();
    // A line that is torn has no end.
    while lines.read_line(&mut line).is_ok_and(|bytes| bytes > 0) && line.ends_with('\n') {
        let whole = line.trim_end().to_string();
        if !killed && enough(&whole) {
            killed = child.kill().is_ok();
        }
        said.push(whole);
        line.clear();
    }
    let _ = child.wait();
    (said, killed)
}
