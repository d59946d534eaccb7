//! The parameters of a request, decoded once.

use http::Uri;
use http::uri::PathAndQuery;
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::{error, route};

/// In order; each name once.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Refuses what would be ambiguous: a name that comes twice means one thing to who signs it and
    /// may mean another to who answers.
    pub(super) fn of(uri: &Uri) -> S3Result<Self> {
        // Read loosely, it would mean another key than the one that was signed.
        route::decode(uri.query().unwrap_or_default())?;
        let pairs: Vec<_> = route::parameters(uri.query()).collect();
        // XML 1.0 cannot carry them, so no answer could echo them.
        let control =
            |text: &str| text.chars().any(|c| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r'));
        if pairs.iter().any(|(name, value)| control(name) || control(value)) {
            return Err(error::invalid("a parameter contains a control character"));
        }
        for (at, (name, _)) in pairs.iter().enumerate() {
            if pairs.iter().skip(at + 1).any(|(other, _)| other == name) {
                return Err(error::invalid("a query parameter must not be repeated"));
            }
        }
        Ok(Self(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Rewrites the query without some of its parameters. The others stay as they were written.
pub(super) fn retain(uri: &Uri, keep: impl Fn(&str) -> bool) -> S3Result<Uri> {
    let Some(query) = uri.query() else { return Ok(uri.clone()) };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
            route::parameters(Some(name)).next().is_none_or(|(name, _)| keep(&name))
        })
        .collect();
    let path = uri.path();
    let rewritten = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    let mut parts = uri.clone().into_parts();
    let invalid = || S3Error::new(S3ErrorCode::InvalidURI);
    parts.path_and_query = Some(PathAndQuery::try_from(rewritten).map_err(|_| invalid())?);
    Uri::from_parts(parts).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(uri: &str) -> Uri {
        uri.parse().unwrap()
    }

    #[test]
    fn other_parameters_stay_as_written() {
        let uri = uri("/io/a?b=%2f&Signature=x&c");
        assert_eq!(retain(&uri, |name| name != "Signature").unwrap(), "/io/a?b=%2f&c");
        assert_eq!(retain(&uri, |_| false).unwrap(), "/io/a");
    }

    #[test]
    fn names_come_once_however_they_are_written() {
        assert_eq!(Query::of(&uri("/io/a?b=%2f+&c")).unwrap().get("b"), Some("/ "));
        for repeated in ["/io/a?b=1&b=1", "/io/a?b&c&b=2", "/io/a?b=1&%62=2"] {
            assert!(Query::of(&uri(repeated)).is_err(), "{repeated}");
        }
        assert!(Query::of(&uri("/io/a?b=%01")).is_err());
    }
}
