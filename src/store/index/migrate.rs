//! The schema's history, embedded. Forward only: a released file never changes.
//!
//! `include_str!` instead of `sqlx::migrate!`, because that macro needs a feature that builds both
//! database drivers a second time, for the compiler's own use.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

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
    history!("sqlite", [(1, "0001_index")])
}

pub fn postgres() -> Migrator {
    history!("postgres", [(1, "0001_index")])
}

fn history(files: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migrations = files.iter().map(|(version, name, text)| {
        Migration::new(*version, Cow::Borrowed(name), MigrationType::Simple, text.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}
