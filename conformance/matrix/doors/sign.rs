//! AWS Signature Version 4 in the `Authorization` header, written from Amazon's description.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;

use super::{Answer, Fault, encoded_whole};

pub struct Signer {
    pub id: String,
    pub secret: String,
}

/// What is signed of a request, besides the headers.
pub struct Parts<'a> {
    pub method: &'a str,
    pub host: &'a str,
    /// Encoded.
    pub path: &'a str,
    /// Not encoded.
    pub query: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

impl Signer {
    /// The headers to send: those given and those of the signature.
    pub fn headers(&self, parts: &Parts<'_>, extra: &[(&str, String)]) -> Answer<HeaderMap> {
        self.headers_at(parts, extra, OffsetDateTime::now_utc())
    }

    fn headers_at(
        &self,
        parts: &Parts<'_>,
        extra: &[(&str, String)],
        now: OffsetDateTime,
    ) -> Answer<HeaderMap> {
        let wrong = |error: &dyn std::fmt::Display| Fault::Other(format!("cannot sign: {error}"));
        let stamp = now
            .format(format_description!("[year][month][day]T[hour][minute][second]Z"))
            .map_err(|error| wrong(&error))?;
        let day = stamp.get(..8).unwrap_or_default();
        let digest = hex::encode(Sha256::digest(parts.body));
        let mut headers: Vec<(String, String)> =
            extra.iter().map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
        headers.push(("x-amz-date".into(), stamp.clone()));
        headers.push(("x-amz-content-sha256".into(), digest.clone()));
        let mut signed = headers.clone();
        signed.push(("host".into(), parts.host.to_owned()));
        signed.sort();
        let names = signed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical =
            format!("{}\n{}\n{}\n{lines}\n{names}\n{digest}", parts.method, parts.path, query(parts.query));
        let scope = format!("{day}/us-east-1/s3/aws4_request");
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [day, "us-east-1", "s3", "aws4_request"] {
            key = mac(&key, part)?;
        }
        let signature = hex::encode(mac(&key, &text)?);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.id
        );
        headers.push(("authorization".into(), authorization));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| wrong(&error))?;
            map.append(name, HeaderValue::from_str(&value).map_err(|error| wrong(&error))?);
        }
        Ok(map)
    }
}

/// Sorted and encoded, as it is signed and sent.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let mut pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encoded_whole(name), encoded_whole(value)))
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn mac(key: &[u8], text: &str) -> Answer<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| Fault::Other(error.to_string()))?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    /// "Example: GET Bucket (List Objects)" of Amazon's "Signature Calculations for the Authorization
    /// Header".
    #[test]
    fn signs_the_published_example() {
        let signer = Signer {
            id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
        };
        let parts = Parts {
            method: "GET",
            host: "examplebucket.s3.amazonaws.com",
            path: "/",
            query: &[("max-keys", "2"), ("prefix", "J")],
            body: b"",
        };
        let headers = signer.headers_at(&parts, &[], datetime!(2013-05-24 00:00:00 UTC)).unwrap();
        let authorization = headers["authorization"].to_str().unwrap();
        assert!(
            authorization
                .ends_with("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
            "{authorization}"
        );
    }
}
