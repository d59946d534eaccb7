//! Signature Version 2: HMAC-SHA1 over method, digest, type, date, the `x-amz-*` headers and the
//! resource.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use time::OffsetDateTime;
use time::macros::format_description;

use super::Key;
use super::query::Query;
use crate::send::Request;

/// Parameters that are part of the resource.
const SIGNED_PARAMETERS: [&str; 27] = [
    "accelerate",
    "acl",
    "cors",
    "delete",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

pub(super) fn header(request: &mut Request, key: &Key, at: OffsetDateTime) -> Result<(), String> {
    let stated = request.header("x-amz-date").or_else(|| request.header("date"));
    // What is no time was meant to be none.
    let now = match stated
        .filter(|stated| parse_date(stated).is_none() && super::v4::parse_time(stated).is_none())
    {
        Some(broken) => broken.to_owned(),
        None => date_text(at),
    };
    let date = if request.header("x-amz-date").is_some() {
        // s3cmd tells its time there. The line of the date stays empty then.
        request.set_header("x-amz-date", &now);
        String::new()
    } else {
        request.set_header("date", &now);
        now
    };
    let signature = signature(&key.secret, &text(request, &Query::of(&request.target), &date));
    request.set_header("authorization", &format!("AWS {}:{signature}", key.id));
    Ok(())
}

/// `at` is the time until which the URL is good.
pub(super) fn query(request: &mut Request, key: &Key, at: OffsetDateTime) -> Result<(), String> {
    let mut query = Query::of(&request.target);
    let recorded = query.get("Expires").unwrap_or_default();
    // What is no time was meant to be none.
    let expires = if recorded.parse::<i64>().is_ok() { at.unix_timestamp().to_string() } else { recorded };
    query.set("Expires", &expires);
    query.set("AWSAccessKeyId", &key.id);
    query.set("Signature", &signature(&key.secret, &text(request, &query, &expires)));
    request.target = query.target();
    Ok(())
}

fn text(request: &Request, query: &Query, date: &str) -> String {
    let header = |name: &str| request.header(name).unwrap_or_default();
    let (md5, mime) = (header("content-md5"), header("content-type"));
    let (method, amz, resource) = (&request.method, amz_lines(request), resource(query));
    format!("{method}\n{md5}\n{mime}\n{date}\n{amz}{resource}")
}

fn amz_lines(request: &Request) -> String {
    let mut lines: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        if name.starts_with("x-amz-") {
            lines.entry(name).or_default().push(value.trim());
        }
    }
    lines.into_iter().map(|(name, values)| format!("{name}:{}\n", values.join(","))).collect()
}

fn resource(query: &Query) -> String {
    let mut signed: Vec<_> =
        query.parameters().filter(|(name, _)| SIGNED_PARAMETERS.contains(&name.as_str())).collect();
    signed.sort();
    let mut text = query.path().to_owned();
    for (at, (name, value)) in signed.iter().enumerate() {
        text.push(if at == 0 { '?' } else { '&' });
        text.push_str(name);
        // `?uploads` has no `=`, and no value either.
        if !value.is_empty() {
            text.push('=');
            text.push_str(value);
        }
    }
    text
}

fn signature(secret: &str, text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes keys of any length.
        return String::new();
    };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// As in HTTP: `Tue, 27 Mar 2007 19:36:42 GMT`.
pub(super) fn date_text(at: OffsetDateTime) -> String {
    let form = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    at.to_offset(time::UtcOffset::UTC).format(form).unwrap_or_default()
}

/// Reads the date of HTTP, whatever it calls UTC.
pub(super) fn parse_date(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    let bare = ["GMT", "UTC", "+0000", "-0000"].into_iter().find_map(|zone| text.strip_suffix(zone))?;
    let form =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second]");
    time::PrimitiveDateTime::parse(bare.trim(), form).ok().map(time::PrimitiveDateTime::assume_utc)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use time::macros::datetime;

    use super::*;
    use crate::send::{Body, Content, Framing};

    /// The secret of the examples in "Signing and authenticating REST requests" (S3, V2).
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> Request {
        Request {
            method: method.into(),
            target: target.into(),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: Body::Plain(Content::Bytes(Bytes::new())),
            framing: Framing::None,
        }
    }

    #[test]
    fn the_examples_of_amazon() {
        for (method, target, headers, date, expected) in [
            (
                "GET",
                "/awsexamplebucket1/photos/puppy.jpg",
                &[][..],
                "Tue, 27 Mar 2007 19:36:42 +0000",
                "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=",
            ),
            (
                "PUT",
                "/awsexamplebucket1/photos/puppy.jpg",
                &[("Content-Type", "image/jpeg"), ("Content-Length", "94328")][..],
                "Tue, 27 Mar 2007 21:15:45 +0000",
                "iqRzw+ileNPu1fhspnRs8nOjjIA=",
            ),
            (
                "GET",
                "/awsexamplebucket1/?prefix=photos&max-keys=50&marker=puppy",
                &[("User-Agent", "Mozilla/5.0")][..],
                "Tue, 27 Mar 2007 19:42:41 +0000",
                "m0WP8eCtspQl5Ahe6L1SozdX9YA=",
            ),
            (
                "GET",
                "/awsexamplebucket1/?acl",
                &[][..],
                "Tue, 27 Mar 2007 19:44:46 +0000",
                "82ZHiFIjc+WbcwFKGUVEQspPn+0=",
            ),
        ] {
            let request = request(method, target, headers);
            let text = text(&request, &Query::of(target), date);
            assert_eq!(signature(SECRET, &text), expected, "{target}");
        }
    }

    /// The vectors of the Cells reference, 3.3; the first is a capture from a real web client.
    #[test]
    fn the_vectors_of_cells() {
        let key = Key { id: "gateway".into(), secret: "gatewaysecret".into() };
        let mut capture = request(
            "PUT",
            "/io/personal-files/logic-spock.jpg?AWSAccessKeyId=__access_key_1__\
             &Content-Type=application%2Foctet-stream&Expires=1&Signature=__signature_1__",
            &[("X-Pydio-Bearer", "x"), ("Content-Type", "application/octet-stream")],
        );
        query(&mut capture, &key, datetime!(2020-01-20 23:51:31 UTC)).unwrap();
        assert_eq!(
            capture.target,
            "/io/personal-files/logic-spock.jpg?AWSAccessKeyId=gateway&Content-Type=application%2Foctet-stream\
             &Expires=1579564291&Signature=nqIzr%2Fm6VXKPsPxbTTlXomZY1EE%3D"
        );
        let mut overridden = request(
            "GET",
            "/io/personal-files/report.txt?response-content-disposition=attachment%3B%20filename%3Dreport.txt\
             &AWSAccessKeyId=x&Expires=1&Signature=x",
            &[],
        );
        query(&mut overridden, &key, datetime!(2030-01-01 00:00:00 UTC)).unwrap();
        assert!(overridden.target.ends_with("&Expires=1893456000&Signature=CqObI1hid4CYlJwFyzq0frP3q3E%3D"));
    }

    #[test]
    fn an_expiry_that_is_no_time_stays() {
        let mut broken = request("GET", "/io/a?AWSAccessKeyId=x&Expires=1795276665x&Signature=x", &[]);
        let key = Key { id: "gateway".into(), secret: "gatewaysecret".into() };
        query(&mut broken, &key, datetime!(2030-01-01 00:00:00 UTC)).unwrap();
        assert!(broken.target.contains("&Expires=1795276665x&"), "{}", broken.target);
    }

    #[test]
    fn dates_of_several_clients_are_read() {
        let expected = datetime!(2007-03-27 19:36:42 UTC);
        for text in ["Tue, 27 Mar 2007 19:36:42 GMT", "Tue, 27 Mar 2007 19:36:42 +0000"] {
            assert_eq!(parse_date(text), Some(expected), "{text}");
        }
        assert_eq!(date_text(expected), "Tue, 27 Mar 2007 19:36:42 GMT");
        assert_eq!(parse_date("yesterday"), None);
    }
}
