//! A small V4 and V2 signer, written from Amazon's description, apart from the door's own code.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cellgate_core::http::Request;
use cellgate_core::testing::{RequestBuilder, request};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

const NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PATH: &AsciiSet = &NAMES.remove(b'/');
const HOST: &str = "localhost:8080";

/// A request to be signed.
pub struct Signed {
    pub method: String,
    pub uri: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// `x-amz-content-sha256`, where it is not the body's digest.
    pub payload: Option<String>,
    /// Signs the payload without naming it in a header.
    pub silent: bool,
    pub announced: Option<usize>,
}

impl Signed {
    pub fn new(method: &str, uri: &str) -> Self {
        let (method, uri) = (method.to_owned(), uri.to_owned());
        Self {
            method,
            uri,
            headers: Vec::new(),
            body: Vec::new(),
            payload: None,
            silent: false,
            announced: None,
        }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn payload(mut self, payload: &str) -> Self {
        self.payload = Some(payload.to_owned());
        self
    }

    pub fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Announces another length than the body has.
    pub fn announced(mut self, length: usize) -> Self {
        self.announced = Some(length);
        self
    }

    fn builder(&self, uri: &str) -> RequestBuilder {
        let mut builder = request(&self.method, uri).body(self.body.clone());
        if let Some(length) = self.announced {
            let content = cellgate_core::http::full(self.body.clone());
            builder = request(&self.method, uri).raw(content).header("content-length", length.to_string());
        }
        self.headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value))
    }
}

/// An access key and its secret, at a time.
#[derive(Clone)]
pub struct Signer {
    pub key: String,
    pub secret: String,
    pub region: String,
    pub at: OffsetDateTime,
}

impl Signer {
    pub fn new(key: &str, secret: &str) -> Self {
        let (key, secret, region) = (key.to_owned(), secret.to_owned(), "us-east-1".to_owned());
        Self { key, secret, region, at: OffsetDateTime::now_utc() }
    }

    pub fn at(mut self, seconds: i64) -> Self {
        self.at += Duration::seconds(seconds);
        self
    }

    pub fn time(&self) -> String {
        self.at.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap()
    }

    pub fn scope(&self) -> String {
        let date = self.time();
        format!("{}/{}/s3/aws4_request", &date[..8], self.region)
    }

    fn signing_key(&self) -> Vec<u8> {
        let date = hmac_sha256(format!("AWS4{}", self.secret).as_bytes(), &self.time().as_bytes()[..8]);
        let region = hmac_sha256(&date, self.region.as_bytes());
        hmac_sha256(&hmac_sha256(&region, b"s3"), b"aws4_request")
    }

    fn signature(&self, canonical: &str) -> String {
        let digest = hex::encode(Sha256::digest(canonical));
        let text = format!("AWS4-HMAC-SHA256\n{}\n{}\n{digest}", self.time(), self.scope());
        hex::encode(hmac_sha256(&self.signing_key(), text.as_bytes()))
    }

    /// Signs in the header, everything but `Content-Length`.
    pub fn header(&self, signed: Signed) -> Request {
        self.header_with_seed(signed).0
    }

    /// The same, and the signature, from which signed chunks go on.
    pub fn header_with_seed(&self, mut signed: Signed) -> (Request, String) {
        let payload = signed.payload.clone().unwrap_or_else(|| hex::encode(Sha256::digest(&signed.body)));
        signed.headers.push(("x-amz-date".into(), self.time()));
        if !signed.silent {
            signed.headers.push(("x-amz-content-sha256".into(), payload.clone()));
        }
        let mut headers: Vec<_> = signed.headers.clone();
        headers.push(("host".into(), HOST.into()));
        let (names, lines) = canonical_headers(&headers);
        let (path, query) = split(&signed.uri);
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{names}\n{payload}",
            signed.method,
            canonical_path(path),
            canonical_query(&pairs(query)),
        );
        let signature = self.signature(&canonical);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={names}, Signature={signature}",
            self.key,
            self.scope()
        );
        (signed.builder(&signed.uri).header("authorization", authorization).build(), signature)
    }

    /// The URI with a V4 signature in its query; only `host` is signed.
    pub fn presign(&self, method: &str, uri: &str, host: &str, expires_s: u32) -> String {
        let (path, query) = split(uri);
        let mut pairs = pairs(query);
        for (name, value) in [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("X-Amz-Credential", format!("{}/{}", self.key, self.scope())),
            ("X-Amz-Date", self.time()),
            ("X-Amz-Expires", expires_s.to_string()),
            ("X-Amz-SignedHeaders", "host".to_owned()),
        ] {
            pairs.push((name.to_owned(), value));
        }
        let query = canonical_query(&pairs);
        let canonical =
            format!("{method}\n{}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD", canonical_path(path));
        format!("{path}?{query}&X-Amz-Signature={}", self.signature(&canonical))
    }

    pub fn presigned(&self, signed: Signed) -> Request {
        let uri = self.presign(&signed.method, &signed.uri, HOST, 600);
        signed.builder(&uri).build()
    }

    /// One signed chunk of an `aws-chunked` body, and its signature.
    pub fn chunk(&self, before: &str, content: &[u8]) -> (Vec<u8>, String) {
        let empty = hex::encode(Sha256::digest(b""));
        let digest = hex::encode(Sha256::digest(content));
        let (time, scope) = (self.time(), self.scope());
        let text = format!("AWS4-HMAC-SHA256-PAYLOAD\n{time}\n{scope}\n{before}\n{empty}\n{digest}");
        let signature = hex::encode(hmac_sha256(&self.signing_key(), text.as_bytes()));
        let mut chunk = format!("{:x};chunk-signature={signature}\r\n", content.len()).into_bytes();
        chunk.extend_from_slice(content);
        chunk.extend_from_slice(b"\r\n");
        (chunk, signature)
    }

    /// The signature of the trailers of such a body, given the digest of their canonical lines.
    pub fn trailer(&self, before: &str, digest: &str) -> String {
        let text = format!("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{before}\n{digest}", self.time(), self.scope());
        hex::encode(hmac_sha256(&self.signing_key(), text.as_bytes()))
    }

    /// The signature of a POST policy in base64.
    pub fn policy(&self, encoded: &str) -> String {
        hex::encode(hmac_sha256(&self.signing_key(), encoded.as_bytes()))
    }

    pub fn v2(&self, text: &str) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    /// The URI with a V2 signature of a request with this `Content-Type`.
    pub fn presign_v2(&self, method: &str, uri: &str, mime: &str, expires: i64) -> String {
        let (path, query) = split(uri);
        let mut resource = path.to_owned();
        let mut signed: Vec<_> =
            pairs(query).into_iter().filter(|(name, _)| name.starts_with("response-")).collect();
        signed.sort();
        for (at, (name, value)) in signed.iter().enumerate() {
            resource.push(if at == 0 { '?' } else { '&' });
            resource.push_str(&format!("{name}={value}"));
        }
        let signature = self.v2(&format!("{method}\n\n{mime}\n{expires}\n{resource}"));
        let (key, signature) = (encode(&self.key), encode(&signature));
        let rest = if query.is_empty() { String::new() } else { format!("&{query}") };
        format!("{path}?AWSAccessKeyId={key}&Expires={expires}&Signature={signature}{rest}")
    }
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn split(uri: &str) -> (&str, &str) {
    uri.split_once('?').unwrap_or((uri, ""))
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, NAMES).to_string()
}

fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn canonical_path(path: &str) -> String {
    utf8_percent_encode(&decode(path), PATH).to_string()
}

fn canonical_query(pairs: &[(String, String)]) -> String {
    let mut encoded: Vec<_> = pairs.iter().map(|(name, value)| (encode(name), encode(value))).collect();
    encoded.sort();
    let joined: Vec<_> = encoded.iter().map(|(name, value)| format!("{name}={value}")).collect();
    joined.join("&")
}

fn canonical_headers(headers: &[(String, String)]) -> (String, String) {
    let mut sorted = BTreeMap::new();
    for (name, value) in headers {
        let line: &mut Vec<&str> = sorted.entry(name.to_lowercase()).or_default();
        line.push(value.trim());
    }
    let sorted: BTreeMap<_, _> = sorted.into_iter().map(|(name, line)| (name, line.join(","))).collect();
    let names: Vec<_> = sorted.keys().cloned().collect();
    let lines = sorted.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    (names.join(";"), lines)
}

/// The V4 vectors of the Cells reference, 3.3: this signer is right before it judges the door.
#[test]
fn vectors_of_the_reference() {
    let mut signer = Signer::new("demo-token", "gatewaysecret");
    signer.at = time::macros::datetime!(2030-01-01 00:00:00 UTC);
    let host = "cells.example.org";
    let signature = |uri: String| uri.rsplit_once('=').unwrap().1.to_owned();

    let uri = "/io/personal-files/report.txt";
    assert_eq!(
        signature(signer.presign("GET", uri, host, 600)),
        "8ea655ea890d2f420f2a2f563c6cc48e80b7c0683d80beaa88cc6ece410953bd"
    );
    let uri = "/io/personal-files/My%20Docs/%C3%A9t%C3%A9.txt\
        ?response-content-disposition=attachment%3B%20filename%3D%25C3%25A9t%25C3%25A9.txt";
    assert_eq!(
        signature(signer.presign("GET", uri, host, 600)),
        "69a84a0fbebb7a1d811d51e0b0c5c6253dac36907185dcfb51681dcc81ab2f4e"
    );
    let empty = hex::encode(Sha256::digest(b""));
    let canonical = format!(
        "GET\n/io/personal-files/report.txt\n\nhost:{host}\nx-amz-content-sha256:{empty}\n\
         x-amz-date:20300101T000000Z\n\nhost;x-amz-content-sha256;x-amz-date\n{empty}"
    );
    assert_eq!(
        signer.signature(&canonical),
        "8fb9c4d3f5f1339972f28b2abbf67883d9b95f1bf7ae21b7eeda8364e6d9d5aa"
    );
    assert_eq!(
        signer.presign_v2("PUT", "/io/personal-files/report.txt", "application/octet-stream", 1_893_456_000),
        "/io/personal-files/report.txt?AWSAccessKeyId=demo-token&Expires=1893456000\
         &Signature=topOzj4jgaeAdN%2F6iPqGGIDXshs%3D"
    );
}
