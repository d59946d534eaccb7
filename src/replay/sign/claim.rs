//! How a recorded request is signed.

use super::query::Query;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    V4Header,
    V4Query,
    V2Header,
    V2Query,
}

/// What a request says of its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub form: Form,
    /// Of the recording: the name of a secret, or `gateway`.
    pub access_key: String,
}

impl Claim {
    /// `None` where there is no signature.
    pub fn of(target: &str, authorization: Option<&str>) -> Option<Self> {
        let query = Query::of(target);
        // The URL comes first: scripts send a stray `Authorization` with a presigned one.
        if query.get("X-Amz-Signature").is_some() {
            let credential = query.get("X-Amz-Credential").unwrap_or_default();
            return Some(Self { form: Form::V4Query, access_key: access_key(&credential) });
        }
        if let (Some(_), Some(key)) = (query.get("Signature"), query.get("AWSAccessKeyId")) {
            return Some(Self { form: Form::V2Query, access_key: key });
        }
        let authorization = authorization?.trim();
        if authorization.starts_with("AWS4-") {
            let credential = parameter(authorization, "Credential").unwrap_or_default();
            return Some(Self { form: Form::V4Header, access_key: access_key(credential) });
        }
        let (key, _) = authorization.strip_prefix("AWS ")?.rsplit_once(':')?;
        Some(Self { form: Form::V2Header, access_key: key.trim().to_owned() })
    }
}

/// The part of a credential before its scope. A token may hold anything but `/`, an access key even
/// that: the last four parts are date, region, service and `aws4_request`.
fn access_key(credential: &str) -> String {
    credential.rsplitn(5, '/').nth(4).unwrap_or(credential).to_owned()
}

/// Region and service of a credential.
pub fn place(credential: &str) -> Option<(&str, &str)> {
    let mut parts = credential.rsplitn(5, '/');
    let (_, service, region, _) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some((region, service))
}

/// A part of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; clients differ in the
/// spaces.
pub fn parameter<'a>(authorization: &'a str, name: &str) -> Option<&'a str> {
    let (_, parameters) = authorization.split_once(' ')?;
    parameters
        .split(',')
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_known_by_their_marks() {
        let v4 = "AWS4-HMAC-SHA256 Credential=__access_key_1__/20260101/us-east-1/s3/aws4_request, \
                  SignedHeaders=host, Signature=__signature_1__";
        for (target, authorization, form, key) in [
            ("/io", Some(v4), Form::V4Header, "__access_key_1__"),
            ("/io", Some("AWS __access_key_2__:__signature_1__"), Form::V2Header, "__access_key_2__"),
            (
                "/io/a?X-Amz-Credential=gateway%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=x",
                Some("Bearer __jwt_1__"),
                Form::V4Query,
                "gateway",
            ),
            ("/io/a?AWSAccessKeyId=gateway&Expires=1&Signature=x", None, Form::V2Query, "gateway"),
        ] {
            let claim = Claim::of(target, authorization).unwrap();
            assert_eq!((claim.form, claim.access_key.as_str()), (form, key), "{target}");
        }
        for (target, authorization) in [
            ("/io", None),
            ("/io?Signature=x", Some("Bearer x")),
            ("/dav", Some("Basic alice:__password_1__")),
        ] {
            assert_eq!(Claim::of(target, authorization), None, "{target}");
        }
    }

    #[test]
    fn an_access_key_may_hold_slashes() {
        assert_eq!(access_key("a/b/20260101/r/s3/aws4_request"), "a/b");
        assert_eq!(place("a/b/20260101/r/s3/aws4_request"), Some(("r", "s3")));
        assert_eq!(place("a"), None);
    }

    #[test]
    fn parameters_are_found_with_and_without_spaces() {
        let tight = "AWS4-HMAC-SHA256 Credential=a/b,SignedHeaders=host;x-amz-date,Signature=c";
        assert_eq!(parameter(tight, "SignedHeaders"), Some("host;x-amz-date"));
        assert_eq!(parameter(tight, "Other"), None);
        assert_eq!(parameter("AWS4-HMAC-SHA256", "Credential"), None);
    }
}
