//! PostgreSQL for tests: the installed server, run in a temporary folder and reached through a
//! socket in it, so that no port is needed and nothing is downloaded. It is guarded by a shell
//! that waits for its standard input to end: when the test process is gone, even killed, the
//! server stops and the folder is removed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long the server may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The database role tests connect as.
const ROLE: &str = "jicheng";
/// Starts the server ($1, folder $2), stops it when standard input ends, removes the folder.
/// Signals to the group of the tests (Ctrl-C) must not end the guard before the server.
const GUARD: &str = r#"
trap '' INT TERM HUP
"$1" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c full_page_writes=off \
    -c max_connections=300 -c shared_buffers=32MB >"$2/log" 2>&1 &
server=$!
read -r _
kill -INT "$server"
wait "$server"
rm -rf "$2"
"#;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No `initdb` and `postgres` in `PATH` or under `/usr/lib/postgresql`.
    #[error("PostgreSQL is not installed (on Debian: apt-get install postgresql)")]
    NotInstalled,
    /// A program of PostgreSQL could not be run.
    #[error("running {program}: {source}")]
    Run {
        /// Which.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// A program of PostgreSQL failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// Which.
        program: String,
        /// What it said.
        output: String,
    },
    /// The folder could not be made or given to the server's user.
    #[error("making the folder of the server: {0}")]
    Folder(#[source] std::io::Error),
}

/// A running server in a temporary folder. Stopped when dropped.
pub struct PostgresServer {
    guard: Child,
    programs: PathBuf,
    folder: PathBuf,
    user: Option<String>,
    databases: AtomicU32,
}

impl PostgresServer {
    /// Makes a cluster (UTF-8, sorted by bytes) and starts a server on it. The server refuses to
    /// run as root: it then runs as `postgres` or `nobody`. Not durable: it never fsyncs.
    pub fn start() -> Result<PostgresServer, StartError> {
        let programs = find_programs().ok_or(StartError::NotInstalled)?;
        let user = is_root().then(unprivileged_user).flatten();
        let folder = make_folder(user.as_deref())?;
        let mut initdb = as_user(user.as_deref(), &programs.join("initdb"));
        initdb
            .args([
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ])
            .args(["-U", ROLE, "-D"])
            .arg(folder.join("data"))
            .current_dir(&folder);
        if let Err(error) = succeed("initdb", &mut initdb) {
            std::fs::remove_dir_all(&folder).map_err(StartError::Folder)?;
            return Err(error);
        }
        let guard = as_user(user.as_deref(), Path::new("/bin/sh"))
            .args(["-c", GUARD, "guard"])
            .arg(programs.join("postgres"))
            .arg(&folder)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| StartError::Run {
                program: "postgres".into(),
                source,
            })?;
        let databases = AtomicU32::new(0);
        let server = PostgresServer {
            guard,
            programs,
            folder,
            user,
            databases,
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&self) -> Result<(), StartError> {
        let begun = Instant::now();
        loop {
            let mut ready = self.client("pg_isready");
            match succeed("pg_isready", &mut ready) {
                Ok(()) => return Ok(()),
                Err(_) if begun.elapsed() < START_LIMIT => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(_) => {
                    let log = std::fs::read_to_string(self.folder.join("log"));
                    let output = log.unwrap_or_else(|e| e.to_string());
                    return Err(StartError::Failed {
                        program: "postgres".into(),
                        output,
                    });
                }
            }
        }
    }

    fn client(&self, program: &str) -> Command {
        let mut command = as_user(self.user.as_deref(), &self.programs.join(program));
        command
            .arg("-h")
            .arg(&self.folder)
            .args(["-U", ROLE])
            .current_dir(&self.folder);
        command
    }

    /// Makes a fresh, empty database (UTF-8, sorted by bytes) and returns its address.
    pub fn create_database(&self) -> Result<String, StartError> {
        self.create_database_in("C", "UTF8")
    }

    /// The same with another locale and encoding.
    pub fn create_database_in(&self, locale: &str, encoding: &str) -> Result<String, StartError> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut create = self.client("createdb");
        create.args(["--maintenance-db=postgres", "-T", "template0", "-l", locale]);
        create.args(["-E", encoding, &name]);
        succeed("createdb", &mut create)?;
        Ok(self.address(&name))
    }

    /// The address of a database of this server.
    pub fn address(&self, database: &str) -> String {
        let folder = self.folder.display();
        format!("postgres:///{database}?host={folder}&user={ROLE}")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Nothing can be done about a guard that cannot be waited for.
        let _ = self.guard.wait();
    }
}

/// Where `initdb` and `postgres` are: in `PATH`, or Debian's place, newest edition first.
fn find_programs() -> Option<PathBuf> {
    let complete = |dir: &PathBuf| {
        ["initdb", "postgres", "createdb", "pg_isready"]
            .iter()
            .all(|name| dir.join(name).exists())
    };
    let mut places: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut editions: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| {
            let edition = entry.file_name().to_str()?.parse().ok()?;
            Some((edition, entry.path().join("bin")))
        })
        .collect();
    editions.sort();
    places.extend(editions.into_iter().rev().map(|(_, dir)| dir));
    places.into_iter().find(complete)
}

/// The answer of `id` with these arguments, when it succeeds.
fn id(arguments: &[&str]) -> Option<String> {
    let Output { status, stdout, .. } = Command::new("id").args(arguments).output().ok()?;
    status
        .success()
        .then(|| String::from_utf8_lossy(&stdout).trim().to_owned())
}

fn is_root() -> bool {
    id(&["-u"]).as_deref() == Some("0")
}

fn unprivileged_user() -> Option<String> {
    let mut users = ["postgres", "nobody"].into_iter();
    users
        .find(|user| id(&["-u", user]).is_some())
        .map(str::to_owned)
}

/// The command that runs `program`, as this user when one is given.
fn as_user(user: Option<&str>, program: &Path) -> Command {
    let Some(user) = user else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    let group = id(&["-g", user]).unwrap_or_else(|| user.to_owned());
    command
        .arg(format!("--reuid={user}"))
        .arg(format!("--regid={group}"))
        .arg("--clear-groups");
    command.arg("--").arg(program);
    command
}

/// A temporary folder that belongs to the server's user; the guard removes it.
fn make_folder(user: Option<&str>) -> Result<PathBuf, StartError> {
    let folder = TempDir::with_prefix("jicheng-pg-").map_err(StartError::Folder)?;
    if let Some(user) = user {
        let number = |flag| id(&[flag, user]).and_then(|text| text.parse().ok());
        std::os::unix::fs::chown(folder.path(), number("-u"), number("-g"))
            .map_err(StartError::Folder)?;
    }
    Ok(folder.keep())
}

fn succeed(program: &str, command: &mut Command) -> Result<(), StartError> {
    let outcome = command.stdin(Stdio::null()).output();
    let Output {
        status,
        stdout,
        stderr,
    } = outcome.map_err(|source| StartError::Run {
        program: program.into(),
        source,
    })?;
    if status.success() {
        return Ok(());
    }
    let output = [stdout, stderr].concat();
    let output = String::from_utf8_lossy(&output).into_owned();
    Err(StartError::Failed {
        program: program.into(),
        output,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_starts_makes_databases_and_leaves_nothing_behind() {
        let server = PostgresServer::start().unwrap();
        let (first, second) = (server.create_database(), server.create_database());
        assert_ne!(first.unwrap(), second.unwrap());
        let folder = server.folder.clone();
        assert!(folder.join("data").exists());
        drop(server);
        assert!(!folder.exists());
    }
}
