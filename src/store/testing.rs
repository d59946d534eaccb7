//! PostgreSQL for tests: a given server, or a temporary one.
//!
//! `CELLGATE_TEST_POSTGRES=<url>` names a server whose user may create databases. Without it a server
//! is started from Debian's binaries in a temporary folder, reachable through a socket there only.
//! It lives as long as its [`PostgresServer`], or the process, however that ends.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use uuid::Uuid;

/// Starts a server and keeps it until standard input closes, which the end of the parent does, also
/// one by `kill -9`. Says `ready <folder>` or what went wrong.
const SUPERVISOR: &str = r#"
trap '' INT
bin=$1; shift
dir=$(mktemp -d) || exit 1
fail() { echo "$1: $(tail -n 3 "$dir/log" | tr '\n' ' ')"; rm -rf "$dir"; exit 1; }
"$bin/initdb" -D "$dir/data" -U cellgate -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 ||
    fail initdb
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=300 "$@" >"$dir/log" 2>&1 &
server=$!
tries=0
until "$bin/pg_isready" -q -h "$dir"; do
    tries=$((tries + 1))
    kill -0 $server 2>/dev/null && [ $tries -lt 300 ] || fail postgres
    sleep 0.1
done
echo "ready $dir"
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$dir"
"#;

/// A server that tests may create databases on.
pub struct PostgresServer {
    /// Of a database that is there already.
    options: PgConnectOptions,
    /// Databases are addressed by this and their name.
    url: Box<dyn Fn(&str) -> String + Send + Sync>,
    supervisor: Option<Child>,
}

impl PostgresServer {
    /// The server named by the environment or a temporary one. `durable` decides whether the latter
    /// flushes to disk: for measurements it must, tests are quicker without. The error says why
    /// there is none.
    pub fn start(durable: bool) -> Result<Self, String> {
        match std::env::var("CELLGATE_TEST_POSTGRES") {
            Ok(url) if !url.is_empty() => Self::given(&url),
            _ => Self::temporary(durable),
        }
    }

    /// One for all tests of this process.
    pub fn shared() -> Result<&'static Self, &'static str> {
        static SHARED: OnceLock<Result<PostgresServer, String>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(false)).as_ref().map_err(String::as_str)
    }

    fn given(url: &str) -> Result<Self, String> {
        let options: PgConnectOptions =
            url.parse().map_err(|error| format!("CELLGATE_TEST_POSTGRES: {error}"))?;
        let base = options.clone();
        let url = move |name: &str| base.clone().database(name).to_url_lossy().to_string();
        Ok(Self { options, url: Box::new(url), supervisor: None })
    }

    fn temporary(durable: bool) -> Result<Self, String> {
        let binaries = binaries().ok_or("PostgreSQL's server is not installed (no initdb found)")?;
        // initdb refuses to run as root; Debian's package has made a user for it.
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        command.args(["-c", SUPERVISOR, "sh"]).arg(binaries);
        if !durable {
            command.args(["-c", "fsync=off"]);
        }
        let mut supervisor = command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("PostgreSQL did not start: {error}"))?;
        let mut line = String::new();
        if let Some(output) = supervisor.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let Some(folder) = line.trim_end().strip_prefix("ready ").map(str::to_owned) else {
            return Err(format!("PostgreSQL did not start: {}", line.trim_end()));
        };
        let url = move |name: &str| format!("postgres://cellgate@localhost/{name}?host={folder}");
        let options = url("postgres").parse().map_err(|error: sqlx::Error| error.to_string())?;
        Ok(Self { options, url: Box::new(url), supervisor: Some(supervisor) })
    }

    /// A new, empty database. It sorts like a person where the server can (ICU), so that whatever
    /// relies on the order of bytes has to ask for it.
    pub async fn database(&self) -> Result<PostgresDatabase, sqlx::Error> {
        let name = format!("cellgate_test_{}", Uuid::new_v4().simple());
        let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
        let mut connection = self.options.connect().await?;
        let icu = format!("{create} LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'");
        if sqlx::raw_sql(AssertSqlSafe(icu)).execute(&mut connection).await.is_err() {
            sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await?;
        }
        connection.close().await?;
        let given = self.supervisor.is_none();
        Ok(PostgresDatabase { url: (self.url)(&name), name, server: given.then(|| self.options.clone()) })
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(mut supervisor) = self.supervisor.take() {
            // Closing its input ends it.
            drop(supervisor.stdin.take());
            let _ = supervisor.wait();
        }
    }
}

/// A database of its own; dropped with this value when the server is not a temporary one.
pub struct PostgresDatabase {
    pub url: String,
    name: String,
    server: Option<PgConnectOptions>,
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let Some(server) = self.server.take() else { return };
        let text = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A thread, because this may run inside a runtime.
        let dropped = std::thread::spawn(move || -> Result<(), String> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(|error| error.to_string())?.block_on(async {
                let mut connection: PgConnection = server.connect().await.map_err(|e| e.to_string())?;
                let done = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await;
                done.map(drop).map_err(|error| error.to_string())
            })
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("the test database {} was not dropped: {error}", self.name);
        }
    }
}

/// The folder with initdb and postgres: Debian's newest, else from the search path.
fn binaries() -> Option<PathBuf> {
    let complete =
        |folder: &Path| ["initdb", "postgres", "pg_isready"].iter().all(|it| folder.join(it).exists());
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let mut debian: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((version(&entry.path())?, entry.path().join("bin"))))
        .filter(|(_, folder)| complete(folder))
        .collect();
    debian.sort();
    if let Some((_, folder)) = debian.pop() {
        return Some(folder);
    }
    let path: OsString = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| complete(folder))
}
