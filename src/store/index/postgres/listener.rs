//! What other gateways commit, heard through LISTEN/NOTIFY.
//!
//! A notification is sent inside the transaction it tells of and delivered after its commit. It
//! names its sender, because PostgreSQL delivers it there too, and the sender has announced it
//! already.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use uuid::Uuid;

use super::reader::Readers;
use crate::index::engine::Signals;
use crate::index::queries;
use crate::index::txn::Effects;

const CHANNEL: &str = "cellgate";
const RETRY: Duration = Duration::from_secs(1);

/// The statement that tells the other gateways, with its semicolon; nothing when there is nothing to
/// tell. Payload: sender, whether the directory changed, newest sequence number.
pub fn announcement(instance: Uuid, effects: Effects) -> String {
    if !effects.directory && effects.last_change == 0 {
        return String::new();
    }
    let directory = u8::from(effects.directory);
    format!("SELECT pg_notify('{CHANNEL}', '{} {directory} {}');", instance.simple(), effects.last_change)
}

/// Reads a payload; `None` for one's own and for what is none.
fn heard(instance: Uuid, payload: &str) -> Option<Effects> {
    let mut fields = payload.split(' ');
    let sender = Uuid::try_parse(fields.next()?).ok()?;
    let directory = fields.next()? == "1";
    let last_change = fields.next()?.parse().ok()?;
    (sender != instance).then_some(Effects { directory, last_change })
}

pub async fn connect(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Hears what others commit and announces it here.
pub struct Ears {
    pub pool: PgPool,
    pub readers: Arc<Readers>,
    pub instance: Uuid,
    pub signals: Arc<Signals>,
}

impl Ears {
    /// Until the pool is closed.
    pub async fn listen(self, mut listener: PgListener) {
        loop {
            match listener.try_recv().await {
                Ok(Some(notification)) => {
                    if let Some(effects) = heard(self.instance, notification.payload()) {
                        self.signals.announce(effects);
                    }
                    continue;
                }
                Ok(None) => {}
                Err(_) if self.pool.is_closed() => return,
                Err(error) => tracing::info!(%error, "the listener lost PostgreSQL: {error}"),
            }
            // A new listener, whatever happened: this one keeps a connection that ended in an error.
            drop(listener);
            let Some(again) = self.connect_again().await else { return };
            listener = again;
            self.catch_up().await;
        }
    }

    /// Tries until it succeeds; `None` when the pool is closed.
    async fn connect_again(&self) -> Option<PgListener> {
        while !self.pool.is_closed() {
            match connect(&self.pool).await {
                Ok(listener) => return Some(listener),
                Err(error) => {
                    tracing::warn!(%error, "cannot listen to PostgreSQL: {error}");
                    // Nobody says what changes, so nothing is remembered for longer than this.
                    self.signals.announce(Effects { directory: true, last_change: 0 });
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        None
    }

    /// Anything may have been missed while nobody listened.
    async fn catch_up(&self) {
        let last_change = match self.readers.take().await {
            Ok(mut reader) => queries::last_change(&mut reader).await.unwrap_or(0),
            Err(_) => 0,
        };
        self.signals.announce(Effects { directory: true, last_change });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_understood_by_others_and_ignored_by_its_sender() {
        let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
        let effects = Effects { directory: true, last_change: 42 };
        let sql = announcement(one, effects);
        let payload = sql.split('\'').nth(3).unwrap();
        assert_eq!(heard(other, payload), Some(effects));
        assert_eq!(heard(one, payload), None);
        assert_eq!(announcement(one, Effects::default()), "");
        for odd in ["", "x", "x 1 2", "00000000000000000000000000000000 1"] {
            assert_eq!(heard(other, odd), None, "{odd}");
        }
    }
}
