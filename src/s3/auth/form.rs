//! Which proof a request brings.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::query::Query;
use crate::{error, headers};

/// How a request proves where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    V4Header,
    V4Query,
    V2Header,
    V2Query,
    Bearer,
    Unsigned,
}

impl Form {
    pub(super) fn of(headers: &HeaderMap, query: &Query) -> S3Result<Self> {
        let authorization = headers::text(headers, &AUTHORIZATION)?.unwrap_or_default();
        let header = Self::of_header(authorization)?;
        let any = |names: &[&str]| names.iter().any(|name| query.has(name));
        let query = match (
            any(&["X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential"]),
            any(&["Signature", "AWSAccessKeyId"]),
        ) {
            (true, true) => return Err(two_forms()),
            (true, false) => Some(Self::V4Query),
            (false, true) => Some(Self::V2Query),
            (false, false) => None,
        };
        match (query, header) {
            // Scripts keep sending their Bearer with a presigned URL; the URL is what counts.
            (Some(query), None | Some(Self::Bearer)) => Ok(query),
            (Some(_), Some(_)) => Err(two_forms()),
            (None, header) => Ok(header.unwrap_or(Self::Unsigned)),
        }
    }

    fn of_header(authorization: &str) -> S3Result<Option<Self>> {
        if authorization.is_empty() {
            return Ok(None);
        }
        let (scheme, _) = authorization.split_once(' ').unwrap_or((authorization, ""));
        Ok(Some(match scheme {
            "AWS4-HMAC-SHA256" => Self::V4Header,
            "AWS" => Self::V2Header,
            "AWS4-ECDSA-P256-SHA256" => return Err(error::unsupported("Signature Version 4A")),
            _ if scheme.eq_ignore_ascii_case("Bearer") => Self::Bearer,
            _ if !authorization.contains(' ') => {
                // Its value may be a token.
                return Err(error::with_fields(
                    error::invalid(
                        "Authorization header is invalid -- one and only one ' ' (space) required.",
                    ),
                    &[("ArgumentName", "Authorization")],
                ));
            }
            _ if scheme.starts_with("AWS") => return Err(unsupported(scheme)),
            _ => {
                return Err(error::with(
                    S3ErrorCode::InvalidRequest,
                    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
                ));
            }
        }))
    }
}

/// A scheme of Amazon's that there is not. It is repeated where it reads as one: in its place may stand
/// a whole header with a token in it, of which only a space was forgotten.
fn unsupported(scheme: &str) -> S3Error {
    let text = "Unsupported Authorization Type";
    let named = scheme.len() <= 32
        && scheme.split_once('-').is_some_and(|(version, algorithm)| {
            let digits = version.strip_prefix("AWS").unwrap_or_default();
            digits.len() <= 1
                && digits.bytes().all(|byte| byte.is_ascii_digit())
                && algorithm
                    .bytes()
                    .all(|byte| byte == b'-' || byte.is_ascii_uppercase() || byte.is_ascii_digit())
        });
    if named {
        return error::argument("Authorization", scheme, text);
    }
    error::with_fields(error::invalid(text), &[("ArgumentName", "Authorization")])
}

pub(super) fn two_forms() -> S3Error {
    error::invalid(
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
         parameter or the Authorization header should be specified",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(query: &str, authorization: Option<&str>) -> S3Result<Form> {
        let uri = format!("/io/ws/a?{query}").parse().unwrap();
        let headers = authorization.map(|value| (AUTHORIZATION, value.parse().unwrap()));
        Form::of(&headers.into_iter().collect(), &Query::of(&uri)?)
    }

    #[test]
    fn forms_are_told_apart() {
        let v4 = Some("AWS4-HMAC-SHA256 Credential=k/20300101/us-east-1/s3/aws4_request");
        assert_eq!(form("", v4).unwrap(), Form::V4Header);
        assert_eq!(form("", Some("AWS key:signature")).unwrap(), Form::V2Header);
        assert_eq!(form("", Some("Bearer t")).unwrap(), Form::Bearer);
        assert_eq!(form("", Some("bearer t")).unwrap(), Form::Bearer);
        assert_eq!(form("", None).unwrap(), Form::Unsigned);
        assert_eq!(form("X-Amz-Signature=1", None).unwrap(), Form::V4Query);
        assert_eq!(form("X-Amz-Signature=1", Some("Bearer t")).unwrap(), Form::V4Query);
        assert_eq!(form("X-Amz-Algorithm=AWS4-HMAC-SHA256", None).unwrap(), Form::V4Query);
        assert_eq!(form("%53ignature=1", Some("Bearer t")).unwrap(), Form::V2Query);
        for (query, authorization, code) in [
            ("Signature=1&X-Amz-Signature=1", None, "InvalidArgument"),
            ("Signature=1", v4, "InvalidArgument"),
            ("X-Amz-Signature=1", v4, "InvalidArgument"),
            ("", Some("Basic eA=="), "InvalidRequest"),
            ("", Some("AWS2-HMAC-SHA1 Credential=k"), "InvalidArgument"),
            ("", Some("nothing"), "InvalidArgument"),
            ("", Some("AWS4-ECDSA-P256-SHA256 Credential=k"), "NotImplemented"),
        ] {
            assert_eq!(form(query, authorization).unwrap_err().code().as_str(), code, "{authorization:?}");
        }
    }
}
