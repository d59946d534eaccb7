//! The schema's history, embedded. Forward only: a released file never changes.
//!
//! `include_str!` instead of `sqlx::migrate!`, because that macro needs a feature that builds both
//! database drivers a second time, for the compiler's own use.

use std::borrow::Cow;

use cellgate_core::Error;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

macro_rules! history {
    ($engine:literal, [$(($version:literal, $name:literal)),* $(,)?]) => {
        history(&[$((
            $version,
            $name,
            include_str!(concat!("../migrations/", $engine, "/", $name, ".sql")),
        )),*])
    };
}

pub fn sqlite() -> Migrator {
    history!("sqlite", [(1, "0001_index"), (2, "0002_versions"), (3, "0003_extents")])
}

pub fn postgres() -> Migrator {
    history!("postgres", [(1, "0001_index"), (2, "0002_versions"), (3, "0003_extents")])
}

/// Runs what is missing. Not `Migrator::run`, whose future the compiler does not recognise as `Send`
/// ("implementation of `Acquire` is not general enough"); it calls this with the same values.
pub async fn run<C: Migrate>(history: &Migrator, connection: &mut C) -> Result<(), MigrateError> {
    history.run_direct(None, connection, false).await
}

/// What the operator is told when the schema cannot be brought up to date.
pub fn failed(error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) => Error::internal(format!(
            "the index was written by a newer cellgate (schema {version}); start that one"
        )),
        error => Error::internal(format!("cannot bring the index's schema up to date: {error}")),
    }
}

fn history(files: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migrations = files.iter().map(|(version, name, text)| {
        Migration::new(*version, Cow::Borrowed(name), MigrationType::Simple, text.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}
