//! What a caller presents.

use std::fmt;

/// Credentials as a door found them in a request. `Debug` never shows a secret.
#[derive(Clone)]
pub enum Credentials {
    /// Nothing at all.
    Anonymous,
    /// Basic, login forms. The password may also be a personal token or an API key's secret; the
    /// login may be an API key's id.
    Password { login: String, password: String },
    /// Access token (JWT), personal token, or `id:secret` of an API key.
    Token(String),
    /// An S3 access key whose request signature the door has verified with
    /// [`crate::Identity::signing_key`].
    AccessKey(String),
    /// A session's secret, from its cookie.
    Session(String),
    /// A principal that was verified earlier in the same request.
    Verified(crate::principal::SharedPrincipal),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Password { .. } => "Password(…)",
            Self::Token(_) => "Token(…)",
            Self::AccessKey(_) => "AccessKey(…)",
            Self::Session(_) => "Session(…)",
            Self::Verified(_) => "Verified(…)",
        })
    }
}
