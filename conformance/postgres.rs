//! A PostgreSQL of our own, from Debian's binaries, in a temporary folder.
//!
//! The server refuses to run as root, so that root starts it as the user `postgres`. It does not
//! flush to disk: what is killed in these tests is the gateway, never the database or the machine.

use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::Outcome;
use crate::gateway::tail;

const OWNER: &str = "cellgate";
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Postgres {
    binaries: PathBuf,
    folder: TempDir,
    child: Child,
    port: u16,
    password: String,
    identity: Option<Identity>,
}

/// Whom the server runs as.
#[derive(Clone, Copy)]
struct Identity {
    uid: u32,
    gid: u32,
}

/// The folder of `initdb` and `postgres`, newest version first.
pub fn binaries() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, path)| path.join("initdb").exists())
        .collect();
    versions.sort();
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
    };
    versions.pop().map(|(_, path)| path).or_else(on_path)
}

impl Postgres {
    pub async fn start() -> Outcome<Self> {
        let binaries = binaries().ok_or("there is no PostgreSQL; Debian's package is `postgresql`")?;
        // Not below the target folder: the user `postgres` need not get there.
        let folder = tempfile::Builder::new()
            .prefix("cellgate-postgres-")
            .tempdir()
            .map_err(|error| format!("cannot make a folder for PostgreSQL: {error}"))?;
        let identity = if geteuid().is_root() { Some(unprivileged()?) } else { None };
        if let Some(Identity { uid, gid }) = identity {
            chown(folder.path(), Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        let password = hex::encode(rand::random::<[u8; 16]>());
        let port = free_port()?;
        let secret = secret_file(&password, identity)?;
        let data = folder.path().join("data");
        let log = folder.path().join("log");
        let mut init = command(&binaries.join("initdb"), identity);
        init.arg("-D").arg(&data).args(["-U", OWNER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"]);
        init.arg("--no-sync").arg("--pwfile").arg(secret.path());
        let output = init.output().await.map_err(|error| format!("cannot run initdb: {error}"))?;
        if !output.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        let output = std::fs::File::create(&log).map_err(|error| error.to_string())?;
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        let mut server = command(&binaries.join("postgres"), identity);
        server.arg("-D").arg(&data).arg("-k").arg(folder.path()).arg("-p").arg(port.to_string());
        server.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200"]);
        let child = server
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("cannot start PostgreSQL: {error}"))?;
        let mut server = Self { binaries, folder, child, port, password, identity };
        server.wait_until_ready(&log).await?;
        Ok(server)
    }

    async fn wait_until_ready(&mut self, log: &Path) -> Outcome {
        let begun = Instant::now();
        loop {
            if self.psql("postgres", "select 1").await.is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("PostgreSQL ended with {status}: {}", tail(log)));
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("PostgreSQL does not answer: {}", tail(log)));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn psql(&self, database: &str, sql: &str) -> Outcome {
        let mut command = command(&self.binaries.join("psql"), self.identity);
        command.args([
            "-qX",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            OWNER,
            "-d",
            database,
            "-c",
            sql,
        ]);
        command.arg("-p").arg(self.port.to_string()).env("PGPASSWORD", &self.password);
        let output = command.output().await.map_err(|error| format!("cannot run psql: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("psql: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }

    /// Makes an empty database and answers its URL.
    pub async fn database(&self, purpose: &str) -> Outcome<String> {
        let name = format!("{purpose}_{}", hex::encode(rand::random::<[u8; 4]>()));
        self.psql("postgres", &format!("create database \"{name}\"")).await?;
        Ok(format!("postgres://{OWNER}:{}@127.0.0.1:{}/{name}", self.password, self.port))
    }

    pub async fn stop(mut self) {
        // "Fast": clients that are still there are sent away.
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::INT);
        }
        if timeout(PATIENCE, self.child.wait()).await.is_err() {
            eprintln!("conformance: PostgreSQL did not stop when asked to; it is killed");
            let _ = self.child.kill().await;
        }
        if let Err(error) = self.folder.close() {
            eprintln!("conformance: PostgreSQL's folder is left over: {error}");
        }
    }
}

fn command(program: &Path, identity: Option<Identity>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").kill_on_drop(true);
    if let Some(Identity { uid, gid }) = identity {
        command.uid(uid).gid(gid);
    }
    command
}

/// The account of Debian's package.
fn unprivileged() -> Outcome<Identity> {
    let passwd = std::fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    for user in ["postgres", "nobody"] {
        let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
        for fields in fields {
            if let [name, _, uid, gid, ..] = fields.as_slice()
                && *name == user
                && let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse())
            {
                return Ok(Identity { uid, gid });
            }
        }
    }
    Err("PostgreSQL does not run as root, and there is no user `postgres`".into())
}

/// A file with the password, gone after `initdb` has read it.
fn secret_file(password: &str, identity: Option<Identity>) -> Outcome<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let written = file.write_all(format!("{password}\n").as_bytes());
    written
        .and_then(|()| std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)))
        .and_then(|()| match identity {
            Some(Identity { uid, gid }) => chown(file.path(), Some(uid), Some(gid)),
            None => Ok(()),
        })
        .map_err(|error| error.to_string())?;
    Ok(file)
}

fn free_port() -> Outcome<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
