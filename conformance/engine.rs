//! The index engines, and one installation of the gateway on either.

use clap::ValueEnum;

use crate::Outcome;
use crate::gateway::Installation;
use crate::postgres::Postgres;
use crate::prepare::Workshop;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// An engine that is there to be used.
pub enum Stage {
    Sqlite,
    Postgres(Box<Postgres>),
}

impl Stage {
    pub async fn open(engine: Engine) -> Outcome<Self> {
        match engine {
            Engine::Sqlite => Ok(Self::Sqlite),
            Engine::Postgres => Ok(Self::Postgres(Box::new(Postgres::start().await?))),
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// A new, empty installation. `purpose` names its logs and its database.
    pub async fn installation(&self, workshop: &Workshop, purpose: &str) -> Outcome<Installation> {
        let database = match self {
            Self::Sqlite => "sqlite".to_owned(),
            Self::Postgres(server) => server.database(purpose).await?,
        };
        Installation::new(workshop, &format!("{purpose}-{}", self.name()), database)
    }

    pub async fn close(self) {
        if let Self::Postgres(server) = self {
            server.stop().await;
        }
    }
}
