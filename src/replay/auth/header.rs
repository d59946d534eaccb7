//! The `Authorization` of a recorded request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cellgate_record::Sent;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    Basic {
        login: String,
        password: String,
    },
    /// Has to be computed from a password and a challenge.
    Digest {
        login: String,
    },
    /// `Bearer`, `Token`: the scheme stays, the token is a name like others.
    Token,
    /// V2 or V4 of S3.
    Signed,
    /// Another scheme: its first word.
    Other(String),
}

impl Authorization {
    pub fn of(sent: &Sent) -> Option<Self> {
        let value = sent.header("authorization")?.trim();
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        Some(match scheme.to_ascii_lowercase().as_str() {
            "basic" => basic(rest.trim()),
            "digest" => Self::Digest { login: quoted(rest, "username").unwrap_or_default() },
            "bearer" | "token" => Self::Token,
            "aws" => Self::Signed,
            other if other.starts_with("aws4-") => Self::Signed,
            _ => Self::Other(scheme.to_owned()),
        })
    }
}

/// A scrubbed recording shows the pair, another one its base64.
fn basic(text: &str) -> Authorization {
    let decoded = || {
        let bytes = STANDARD.decode(text).ok()?;
        String::from_utf8(bytes).ok().filter(|text| text.contains(':'))
    };
    let pair = if text.contains(':') { Some(text.to_owned()) } else { decoded() };
    match pair.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((login, password)) => {
            Authorization::Basic { login: login.to_owned(), password: password.to_owned() }
        }
        None => Authorization::Other("Basic".into()),
    }
}

/// What goes out for a pair.
pub fn basic_value(login: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{password}")))
}

fn quoted(parameters: &str, name: &str) -> Option<String> {
    parameters.split(',').find_map(|parameter| {
        let (known, value) = parameter.trim().split_once('=')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sent;

    fn read(value: &str) -> Authorization {
        Authorization::of(&sent("GET", "/", &[("authorization", value)])).unwrap()
    }

    #[test]
    fn every_scheme_is_read() {
        let alice = Authorization::Basic { login: "alice".into(), password: "__password_1__".into() };
        assert_eq!(read("Basic alice:__password_1__"), alice);
        assert_eq!(read("basic YWxpY2U6X19wYXNzd29yZF8xX18="), alice);
        assert_eq!(read("Basic !"), Authorization::Other("Basic".into()));
        assert_eq!(
            read(r#"Digest username="alice", realm="x", response="__signature_1__""#),
            Authorization::Digest { login: "alice".into() }
        );
        assert_eq!(read("Bearer __jwt_1__"), Authorization::Token);
        assert_eq!(read("token __seafile_token_1__"), Authorization::Token);
        assert_eq!(read("AWS a:b"), Authorization::Signed);
        assert_eq!(read("AWS4-HMAC-SHA256 Credential=a"), Authorization::Signed);
        assert_eq!(read("Negotiate abc"), Authorization::Other("Negotiate".into()));
    }

    #[test]
    fn the_first_colon_ends_the_login() {
        // RFC 7617, 2: a user-id holds no colon, a password may.
        assert_eq!(basic_value("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(read("Basic a:b:c"), Authorization::Basic { login: "a".into(), password: "b:c".into() });
    }
}
