//! Password hashes.
//!
//! New ones are Argon2id in PHC text. Older servers' forms verify too, and are replaced at the next
//! successful sign-in:
//!
//! | form | from |
//! |---|---|
//! | `sha256:1000:<salt>:<hash>` (or `sha1`), the Base64 text itself is the salt | Pydio 8 |
//! | the same with the salt decoded | Cells |
//! | 32 hex digits, `md5(password)` | AjaXplorer, Pydio before 5, Cells imports |

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};

/// Longer ones are no passwords; the bound keeps strangers from making us hash megabytes.
pub(super) const MAX_BYTES: usize = 4096;
/// How many hashes run at a time: each takes 19 MiB and some 25 ms of a core.
const PERMITS: usize = 2;
/// How many may wait; beyond that the honest answer is "later", not a queue of minutes.
const QUEUE: usize = 256;
/// Rounds that a stored PBKDF2 form may ask for; more would be a way to stall us.
const MAX_ROUNDS: u32 = 10_000_000;

/// What became of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Wrong,
    Right,
    /// Right, and the stored form is an old one.
    Upgrade,
}

/// Hashes a new password.
fn hash(password: &str) -> Result<String> {
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| Error::internal(format!("a password could not be hashed: {error}")))?;
    Ok(hash.to_string())
}

/// Compares a password with a stored form.
fn verify(password: &str, stored: &str) -> Verdict {
    if stored.starts_with("$argon2") {
        return match PasswordHash::new(stored) {
            Ok(parsed) if Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() => {
                Verdict::Right
            }
            _ => Verdict::Wrong,
        };
    }
    if is_pbkdf2(password, stored) || is_md5(password, stored) {
        return Verdict::Upgrade;
    }
    // Old forms and missing users take as long as an Argon2id hash that does not match: the time of
    // an answer must not tell which logins exist.
    let _ = hash(password);
    Verdict::Wrong
}

fn is_pbkdf2(password: &str, stored: &str) -> bool {
    let fields: Vec<&str> = stored.split(':').collect();
    let [algorithm, rounds, salt, expected] = fields[..] else { return false };
    let (Ok(rounds), Ok(expected)) = (rounds.parse::<u32>(), STANDARD.decode(expected)) else {
        return false;
    };
    if rounds == 0 || rounds > MAX_ROUNDS || expected.is_empty() || expected.len() > 64 {
        return false;
    }
    let matches = |salt: &[u8]| -> bool {
        let mut key = vec![0_u8; expected.len()];
        match algorithm {
            "sha256" => pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password.as_bytes(), salt, rounds, &mut key),
            "sha1" => pbkdf2::pbkdf2_hmac::<sha1::Sha1>(password.as_bytes(), salt, rounds, &mut key),
            _ => return false,
        }
        key.ct_eq(&expected).into()
    };
    // Pydio 8 salts with the Base64 text, Cells with what it decodes to; the text does not tell.
    matches(salt.as_bytes()) || STANDARD.decode(salt).is_ok_and(|salt| matches(&salt))
}

fn is_md5(password: &str, stored: &str) -> bool {
    let digest = hex::encode(Md5::digest(password.as_bytes()));
    stored.len() == 32 && digest.as_bytes().ct_eq(stored.to_ascii_lowercase().as_bytes()).into()
}

/// The bounded pool that hashes off the request threads.
pub(super) struct Pool {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self { running: Arc::new(Semaphore::new(PERMITS)), waiting: Arc::new(Semaphore::new(QUEUE)) }
    }

    /// Waits for a turn. The permit goes into the thread that hashes, so that a client which gives
    /// up does not let more hashes run than there are permits.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let _place = Arc::clone(&self.waiting)
            .try_acquire_owned()
            .map_err(|_| Error::Unavailable("too many sign-ins at once".into()))?;
        Arc::clone(&self.running).acquire_owned().await.map_err(Error::internal)
    }

    /// `stored` is empty when there is no such user or no password: that takes as long, and fails.
    pub(super) async fn verify(
        &self,
        turn: OwnedSemaphorePermit,
        password: &str,
        stored: &str,
    ) -> Result<Verdict> {
        let (password, stored) = (password.to_owned(), stored.to_owned());
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            verify(&password, &stored)
        })
        .await
        .map_err(Error::internal)
    }

    /// Checks and hashes a new password.
    pub(super) async fn hash(&self, password: &str) -> Result<String> {
        if password.is_empty() {
            return Err(Error::InvalidArgument("the password is empty".into()));
        }
        if password.len() > MAX_BYTES {
            return Err(Error::InvalidArgument(format!("the password is longer than {MAX_BYTES} bytes")));
        }
        let turn = self.turn().await?;
        let password = password.to_owned();
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            hash(&password)
        })
        .await
        .map_err(Error::internal)?
    }
}

/// Whether a text is a stored form that [`verify`] understands: what an import may bring.
pub(super) fn is_stored_form(text: &str) -> bool {
    let pbkdf2 = || {
        let fields: Vec<&str> = text.split(':').collect();
        matches!(fields[..], ["sha256" | "sha1", rounds, _, hash]
            if rounds.parse().is_ok_and(|rounds: u32| (1..=MAX_ROUNDS).contains(&rounds))
                && STANDARD.decode(hash).is_ok_and(|hash| (1..=64).contains(&hash.len())))
    };
    let md5 = || text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (text.starts_with("$argon2") && PasswordHash::new(text).is_ok()) || pbkdf2() || md5()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The vectors of the originals' own documentation and test data: Pydio 8 (three users, the
    // last one from before 5.0), Cells in its own and in its import form.
    const VECTORS: [(&str, &str); 5] = [
        (
            "P@ssw0rd",
            "sha256:1000:ojGf2O2ELslNab+PZ/CkbVddgHQnSwx/FcMZ0Pa4+EE=:d6mVgF+fS+wg7X+0lmSn1T1IOU7DLZhz",
        ),
        (
            "Al1ce-secret",
            "sha256:1000:b2xkLXB5ZGlvLXNhbHQtZm9yLWFsaWNlLTAwMDAwMDE=:XMLlKNWqzvtx7YtdTKLY48WaJ2644RWq",
        ),
        ("B0b-legacy", "d5bf807ea06cb15f184bf82e05180db4"),
        (
            "correct horse",
            "sha256:1000:YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXpBQkNERUY=:A2cu7r6hJzKBAMjd2iFolrxohxOguurd",
        ),
        (
            "correct horse",
            "sha256:1000:YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXpBQkNERUY=:9g7mM8BVQKYEjsCU8I2avT5oMFi28E4z",
        ),
    ];

    #[test]
    fn forms_of_older_servers_verify_and_ask_for_an_upgrade() {
        for (password, stored) in VECTORS {
            assert_eq!(verify(password, stored), Verdict::Upgrade, "{stored}");
            assert!(is_stored_form(stored), "{stored}");
        }
    }

    #[test]
    fn other_passwords_do_not_verify() {
        for (password, stored) in VECTORS {
            for wrong in ["", "x", &password.to_uppercase(), &format!("{password} ")] {
                assert_eq!(verify(wrong, stored), Verdict::Wrong, "{wrong} {stored}");
            }
        }
    }

    // RFC 6070: PBKDF2-HMAC-SHA1 of `password` with the text `salt`.
    #[test]
    fn sha1_is_the_rfc_s_pbkdf2() {
        for (rounds, key) in [
            (1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
            (2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"),
            (4096, "4b007901b765489abead49d926f721d065a429c1"),
        ] {
            let stored = format!("sha1:{rounds}:salt:{}", STANDARD.encode(hex::decode(key).unwrap()));
            assert_eq!(verify("password", &stored), Verdict::Upgrade, "{rounds}");
        }
    }

    #[test]
    fn new_hashes_are_argon2id_and_need_no_upgrade() {
        let stored = hash("pässword").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(verify("pässword", &stored), Verdict::Right);
        assert_eq!(verify("passwort", &stored), Verdict::Wrong);
        assert_ne!(hash("pässword").unwrap(), stored);
        assert!(is_stored_form(&stored));
    }

    #[test]
    fn what_is_no_hash_verifies_nothing() {
        for stored in [
            "",
            "plain",
            "$argon2id$",
            "$argon2id$v=19$m=19456,t=2,p=1$",
            "sha256:0:c2FsdA==:AAAA",
            "sha256:x:c2FsdA==:AAAA",
            "sha256:1000:c2FsdA==:",
            "sha512:1000:c2FsdA==:AAAA",
            "sha256:4000000000:c2FsdA==:AAAA",
            "a:b:c:d:e",
            ":::",
        ] {
            for password in ["", "plain", stored] {
                assert_eq!(verify(password, stored), Verdict::Wrong, "{password} {stored}");
            }
            assert!(!is_stored_form(stored), "{stored}");
        }
    }
}
