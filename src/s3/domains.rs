//! Buckets named by the host: `<bucket>.<domain>`, for configured domains.

use cellgate_core::http::{Request, host};

/// The bucket that the host of a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostBucket(pub(crate) String);

/// What a host of one of these domains names: a bucket, or none (the domain itself). `None` for
/// hosts elsewhere.
pub(crate) fn named(domains: &[String], host: &str) -> Option<Option<String>> {
    let host = host.to_ascii_lowercase();
    domains
        .iter()
        .filter_map(|domain| match host.strip_suffix(domain.as_str())? {
            "" => Some((domain.len(), None)),
            before => Some((domain.len(), Some(before.strip_suffix('.')?.to_owned()))),
        })
        // `s3.example.org` is no bucket of `example.org` when both are configured.
        .max_by_key(|(length, _)| *length)
        .map(|(_, bucket)| bucket)
}

pub(crate) fn bucket(domains: &[String], request: &Request) -> Option<HostBucket> {
    if domains.is_empty() {
        return None;
    }
    named(domains, host(request)?).flatten().filter(|bucket| !bucket.is_empty()).map(HostBucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_domain_is_a_bucket() {
        let domains = ["example.org".to_owned(), "s3.example.org".to_owned()];
        let bucket = |name: &str| Some(Some(name.to_owned()));
        for (host, expected) in [
            ("s3.example.org", Some(None)),
            ("photos.s3.example.org", bucket("photos")),
            ("Photos.S3.example.org", bucket("photos")),
            ("my.photos.s3.example.org", bucket("my.photos")),
            ("photos.example.org", bucket("photos")),
            ("photoss3.example.org", bucket("photoss3")),
            ("notexample.org", None),
            ("localhost", None),
        ] {
            assert_eq!(named(&domains, host), expected, "{host}");
        }
        assert_eq!(named(&[], "s3.example.org"), None);
    }
}
