//! Configuration: `cellgate.toml`, then `CELLGATE_*` from the environment, then flags.
//!
//! Every key stands once in [`KEYS`], with its default in [`Config::default`]. All problems of all
//! layers are reported together, with their key, before anything is opened.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cellgate_core::Makers;
use cellgate_s3::CorsRule;

use crate::cors;

/// What `serve` and the commands need to know.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// Health, readiness and metrics; `None` turns them off.
    pub admin_listen: Option<SocketAddr>,
    pub data: PathBuf,
    pub database: Database,
    /// Used at the first start only.
    pub admin_password: Option<Secret>,
    pub tls_cert: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub max_connections: usize,
    pub first_request_timeout_s: u64,
    pub header_timeout_s: u64,
    pub body_idle_timeout_s: u64,
    pub shutdown_timeout_s: u64,
    pub max_leaf_bytes: u64,
    pub upload_expiry_s: u64,
    pub access_token_s: u64,
    pub refresh_token_s: u64,
    pub log: String,
    pub log_json: bool,
    pub s3_domains: Vec<String>,
    pub s3_create_buckets: Makers,
    pub s3_bucket_datasource: String,
    /// In the file alone: a rule does not fit into a variable.
    pub s3_cors: Vec<CorsRule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// `index.sqlite` in the data folder.
    Sqlite,
    Postgres(Secret),
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: None,
            data: PathBuf::from("cellgate-data"),
            database: Database::Sqlite,
            admin_password: None,
            tls_cert: None,
            tls_key: None,
            max_connections: 10_000,
            first_request_timeout_s: 15,
            header_timeout_s: 75,
            body_idle_timeout_s: 120,
            shutdown_timeout_s: 30,
            max_leaf_bytes: 0,
            upload_expiry_s: 7 * 86_400,
            access_token_s: 600,
            refresh_token_s: 30 * 86_400,
            log: "info".to_owned(),
            log_json: false,
            s3_domains: Vec::new(),
            s3_create_buckets: Makers::Admins,
            s3_bucket_datasource: "buckets".to_owned(),
            s3_cors: Vec::new(),
        }
    }
}

type Apply = fn(&mut Config, &str) -> Result<(), String>;

/// One setting: `listen` in the file, `CELLGATE_LISTEN` in the environment; `s3.domains` is `domains`
/// in the table `[s3]` of the file, and `CELLGATE_S3_DOMAINS`.
pub struct Key {
    pub name: &'static str,
    apply: Apply,
}

const fn key(name: &'static str, apply: Apply) -> Key {
    Key { name, apply }
}

pub const KEYS: &[Key] = &[
    key("listen", |config, text| set(&mut config.listen, address(text))),
    key("admin_listen", |config, text| {
        if text.is_empty() {
            config.admin_listen = None;
            return Ok(());
        }
        set(&mut config.admin_listen, address(text).map(Some))
    }),
    key("data", |config, text| set(&mut config.data, path(text))),
    key("database", |config, text| set(&mut config.database, database(text))),
    key("admin_password", |config, text| set(&mut config.admin_password, password(text).map(Some))),
    key("admin_password_file", |config, text| {
        let read = std::fs::read_to_string(text).map_err(|error| format!("cannot read `{text}`: {error}"));
        set(&mut config.admin_password, read.and_then(|text| password(text.trim_end())).map(Some))
    }),
    key("tls_cert", |config, text| set(&mut config.tls_cert, path(text).map(Some))),
    key("tls_key", |config, text| set(&mut config.tls_key, path(text).map(Some))),
    key("max_connections", |config, text| {
        set(
            &mut config.max_connections,
            number(text, 1).and_then(|n| usize::try_from(n).map_err(|e| e.to_string())),
        )
    }),
    key("first_request_timeout_s", |config, text| set(&mut config.first_request_timeout_s, number(text, 1))),
    key("header_timeout_s", |config, text| set(&mut config.header_timeout_s, number(text, 1))),
    key("body_idle_timeout_s", |config, text| set(&mut config.body_idle_timeout_s, number(text, 1))),
    key("shutdown_timeout_s", |config, text| set(&mut config.shutdown_timeout_s, number(text, 0))),
    key("max_leaf_bytes", |config, text| set(&mut config.max_leaf_bytes, number(text, 0))),
    key("upload_expiry_s", |config, text| set(&mut config.upload_expiry_s, number(text, 60))),
    key("access_token_s", |config, text| set(&mut config.access_token_s, number(text, 10))),
    key("refresh_token_s", |config, text| set(&mut config.refresh_token_s, number(text, 60))),
    key("log", |config, text| {
        let checked = tracing_subscriber::EnvFilter::try_new(text)
            .map(|_| text.to_owned())
            .map_err(|error| error.to_string());
        set(&mut config.log, checked)
    }),
    key("log_json", |config, text| {
        let checked = text.parse().map_err(|_| format!("expected `true` or `false`, found `{text}`"));
        set(&mut config.log_json, checked)
    }),
    key("s3.domains", |config, text| {
        let domains = text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(domain).collect();
        set(&mut config.s3_domains, domains)
    }),
    key("s3.create_buckets", |config, text| {
        let makers = match text {
            "nobody" => Ok(Makers::Nobody),
            "admins" => Ok(Makers::Admins),
            "everyone" => Ok(Makers::Everyone),
            _ => Err(format!("expected `nobody`, `admins` or `everyone`, found `{text}`")),
        };
        set(&mut config.s3_create_buckets, makers)
    }),
    key("s3.bucket_datasource", |config, text| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        let name = match text.len() {
            1..=63 if text.bytes().all(allowed) => Ok(text.to_owned()),
            _ => Err(format!("expected 1 to 63 of `a-z`, `0-9`, `-` and `_`, found `{text}`")),
        };
        set(&mut config.s3_bucket_datasource, name)
    }),
];

/// One thing that is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Config {
    /// Reads all layers. `file` must exist when it was named; `cellgate.toml` need not.
    pub fn load(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
        flags: &[(&str, String)],
    ) -> Result<Self, Vec<Problem>> {
        let mut config = Self::default();
        let mut problems = Vec::new();
        config.apply_file(file, &mut problems);
        for key in KEYS {
            let variable = format!("CELLGATE_{}", key.name.to_ascii_uppercase().replace('.', "_"));
            if let Some(text) = environment(&variable)
                && let Err(why) = (key.apply)(&mut config, &text)
            {
                problems.push(Problem(format!("environment: `{variable}`: {why}")));
            }
        }
        for (name, text) in flags {
            if let Some(key) = KEYS.iter().find(|key| key.name == *name)
                && let Err(why) = (key.apply)(&mut config, text)
            {
                problems.push(Problem(format!("flag: `--{}`: {why}", name.replace('_', "-"))));
            }
        }
        config.check(&mut problems);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    fn apply_file(&mut self, file: Option<&Path>, problems: &mut Vec<Problem>) {
        let (path, named) = file.map_or((Path::new("cellgate.toml"), false), |path| (path, true));
        let shown = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => return,
            Err(error) => {
                problems.push(Problem(format!("config: cannot read `{shown}`: {error}")));
                return;
            }
        };
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => {
                problems.push(Problem(format!("config: `{shown}`: {error}")));
                return;
            }
        };
        for (name, value) in &table {
            match value {
                toml::Value::Table(section) if is_section(name) => {
                    for (key, value) in section {
                        self.apply_value(&format!("{name}.{key}"), value, problems);
                    }
                }
                value => self.apply_value(name, value, problems),
            }
        }
    }

    fn apply_value(&mut self, name: &str, value: &toml::Value, problems: &mut Vec<Problem>) {
        if name == "s3.cors" {
            match cors::rules(value) {
                Ok(rules) => self.s3_cors = rules,
                Err(why) => problems.extend(why.into_iter().map(Problem)),
            }
            return;
        }
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            problems.push(Problem(format!("config: `{name}`: there is no such key")));
            return;
        };
        let Some(text) = text_of(value) else {
            problems.push(Problem(format!("config: `{name}`: expected text, a number or a flag")));
            return;
        };
        if let Err(why) = (key.apply)(self, &text) {
            problems.push(Problem(format!("config: `{name}`: {why}")));
        }
    }

    fn check(&self, problems: &mut Vec<Problem>) {
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            problems.push(Problem("config: `tls_cert` and `tls_key` go together".into()));
        }
        for path in [&self.tls_cert, &self.tls_key].into_iter().flatten() {
            if let Err(error) = std::fs::metadata(path) {
                problems.push(Problem(format!("config: `{}`: {error}", path.display())));
            }
        }
        if self.admin_listen == Some(self.listen) && self.listen.port() != 0 {
            problems.push(Problem("config: `admin_listen` is the same address as `listen`".into()));
        }
    }
}

fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.split_once('.').is_some_and(|(section, _)| section == name))
}

/// A value as the environment would have it; lists are joined by commas.
fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(values) => {
            let texts: Option<Vec<&str>> = values.iter().map(toml::Value::as_str).collect();
            Some(texts?.join(","))
        }
        _ => None,
    }
}

fn domain(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(allowed)
    };
    match text.split('.').all(label) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(format!("expected the name of a host without a port, found `{text}`")),
    }
}

fn set<T>(field: &mut T, value: Result<T, String>) -> Result<(), String> {
    *field = value?;
    Ok(())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("expected an address and a port like `127.0.0.1:8080`, found `{text}`"))
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("expected a path, found nothing".into()) } else { Ok(PathBuf::from(text)) }
}

fn number(text: &str, least: u64) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(format!("expected a whole number from {least}, found `{text}`")),
    }
}

fn password(text: &str) -> Result<Secret, String> {
    if text.len() < 8 {
        return Err("a password needs 8 characters at least".into());
    }
    Ok(Secret(text.to_owned()))
}

fn database(text: &str) -> Result<Database, String> {
    match text {
        "sqlite" => Ok(Database::Sqlite),
        url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Ok(Database::Postgres(Secret(url.to_owned())))
        }
        // The text may hold a password; it is not repeated.
        _ => Err("expected `sqlite` or a `postgres://` URL".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cellgate.toml");
        std::fs::write(&path, file).unwrap();
        let environment = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        Config::load(Some(&path), environment, &[])
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let config =
            load("listen = \"127.0.0.1:1\"\nmax_connections = 7", &[("CELLGATE_LISTEN", "127.0.0.1:2")]);
        let config = config.unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.max_connections, 7);
    }

    #[test]
    fn a_section_is_read_like_the_rest() {
        let file = "[s3]\ndomains = [\"S3.example.org\", \"b.org\"]\ncreate_buckets = \"everyone\"\n\
                    [[s3.cors]]\norigins = [\"*\"]\nmethods = [\"GET\"]";
        let config = load(file, &[("CELLGATE_S3_BUCKET_DATASOURCE", "made")]).unwrap();
        assert_eq!(config.s3_domains, ["s3.example.org", "b.org"]);
        assert_eq!(config.s3_create_buckets, Makers::Everyone);
        assert_eq!(config.s3_bucket_datasource, "made");
        assert_eq!(config.s3_cors.len(), 1);
        let config = load(file, &[("CELLGATE_S3_DOMAINS", "c.org, d.org")]).unwrap();
        assert_eq!(config.s3_domains, ["c.org", "d.org"]);
    }

    #[test]
    fn every_problem_is_reported_at_once_with_its_key() {
        let problems = load(
            "listen = \"io\"\nlissten = \"x\"\nmax_connections = 0\ntls_cert = \"/nowhere\"\nlog_json = [1]\n\
             [s3]\ndomains = [\"a:8080\"]\ncreate_buckets = \"all\"\nbuckets = 1\n[s4]\na = 1",
            &[("CELLGATE_DATABASE", "mysql://user:hunter2@host/db"), ("CELLGATE_ADMIN_PASSWORD", "short")],
        )
        .unwrap_err();
        let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        for expected in [
            "`listen`",
            "`lissten`",
            "`max_connections`",
            "`tls_key`",
            "/nowhere",
            "`log_json`",
            "`s3.domains`",
            "`s3.create_buckets`",
            "`s3.buckets`",
            "`s4`",
            "`CELLGATE_DATABASE`",
            "`CELLGATE_ADMIN_PASSWORD`",
        ] {
            assert!(text.contains(expected), "{expected} is missing in\n{text}");
        }
        assert!(!text.contains("hunter2") && !text.contains("short"), "a secret is shown in\n{text}");
    }

    #[test]
    fn every_key_is_documented() {
        let page = include_str!("../../docs/configuration.md");
        for key in KEYS {
            assert!(
                page.contains(&format!("`{}`", key.name)),
                "`{}` is not in docs/configuration.md",
                key.name
            );
        }
    }
}
