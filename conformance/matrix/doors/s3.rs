//! S3, as SDKs speak it: path style, bucket `io`, Signature V4.
//!
//! A folder is a key that ends in a slash; there is no way to move one, or to move a file in one
//! request: clients copy and delete.

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;

use super::sign::{Parts, Signer, query};
use super::{Answer, Door, Entry, Fault, encoded, succeeded, unexpected};

pub struct S3 {
    client: Client,
    url: String,
    signer: Signer,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListBucketResult {
    #[serde(default)]
    contents: Vec<Contents>,
    #[serde(default)]
    common_prefixes: Vec<CommonPrefixes>,
    next_continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    key: String,
    size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CommonPrefixes {
    prefix: String,
}

#[derive(Deserialize)]
struct S3Error {
    #[serde(rename = "Code")]
    code: String,
}

/// Answer headers and body.
pub struct Got {
    pub etag: String,
    pub body: Bytes,
}

impl S3 {
    pub fn new(client: &Client, url: &str, id: &str, secret: &str) -> Self {
        let signer = Signer { id: id.to_owned(), secret: secret.to_owned() };
        Self { client: client.clone(), url: url.to_owned(), signer }
    }

    async fn send(
        &self,
        method: Method,
        key: &str,
        pairs: &[(&str, &str)],
        headers: &[(&str, String)],
        body: Bytes,
    ) -> Answer<Got> {
        let path = format!("/io{}", encoded(key));
        let host = self.url.split_once("://").map_or("", |(_, host)| host);
        let parts = Parts { method: method.as_str(), host, path: &path, query: pairs, body: &body };
        let headers = self.signer.headers(&parts, headers)?;
        let question = if pairs.is_empty() { String::new() } else { format!("?{}", query(pairs)) };
        let url = format!("{}{path}{question}", self.url);
        let response = self.client.request(method, url).headers(headers).body(body).send().await?;
        let etag = response.headers().get("etag").and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        let etag = etag.trim_matches('"').to_owned();
        let body = succeeded(response).await.map_err(fault)?;
        Ok(Got { etag, body })
    }

    /// The ETag of an object, without its quotes.
    pub async fn etag(&self, path: &str) -> Answer<String> {
        Ok(self.send(Method::HEAD, path, &[], &[], Bytes::new()).await?.etag)
    }
}

/// A lock is `AccessDenied`: the protocol has no word for it.
fn fault((status, body): (StatusCode, String)) -> Fault {
    let code = quick_xml::de::from_str::<S3Error>(&body).map(|error| error.code).unwrap_or_default();
    match (status, code.as_str()) {
        (StatusCode::NOT_FOUND, "NoSuchKey") => Fault::Missing,
        // HEAD has no body.
        (StatusCode::NOT_FOUND, "") if body.is_empty() => Fault::Missing,
        (StatusCode::FORBIDDEN, "AccessDenied") => Fault::Locked,
        _ => unexpected("s3", (status, body)),
    }
}

#[async_trait]
impl Door for S3 {
    fn name(&self) -> &'static str {
        "s3"
    }

    async fn write(&self, path: &str, bytes: Bytes) -> Answer {
        self.send(Method::PUT, path, &[], &[], bytes).await.map(drop)
    }

    async fn read(&self, path: &str) -> Answer<Bytes> {
        Ok(self.send(Method::GET, path, &[], &[], Bytes::new()).await?.body)
    }

    async fn read_range(&self, path: &str, first: u64, last: u64) -> Answer<Bytes> {
        let range = [("range", format!("bytes={first}-{last}"))];
        Ok(self.send(Method::GET, path, &[], &range, Bytes::new()).await?.body)
    }

    async fn list(&self, folder: &str) -> Answer<Vec<Entry>> {
        let prefix = format!("{}/", folder.trim_start_matches('/'));
        let mut entries = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut pairs = vec![("list-type", "2"), ("prefix", prefix.as_str()), ("delimiter", "/")];
            if let Some(token) = &token {
                pairs.push(("continuation-token", token));
            }
            let got = self.send(Method::GET, "", &pairs, &[], Bytes::new()).await?;
            let text = String::from_utf8_lossy(&got.body);
            let page: ListBucketResult =
                quick_xml::de::from_str(&text).map_err(|error| Fault::Other(format!("{error} in {text}")))?;
            let inside = |key: &str| key.strip_prefix(&prefix).unwrap_or(key).to_owned();
            // The folder itself is an object of its own listing.
            let files = page.contents.into_iter().filter(|object| object.key != prefix);
            entries.extend(files.map(|object| Entry {
                name: inside(&object.key),
                folder: false,
                size: Some(object.size),
            }));
            entries.extend(page.common_prefixes.into_iter().map(|common| Entry {
                name: inside(&common.prefix).trim_end_matches('/').to_owned(),
                folder: true,
                size: None,
            }));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(entries);
            }
        }
    }

    async fn make_folder(&self, path: &str) -> Answer {
        self.send(Method::PUT, &format!("{path}/"), &[], &[], Bytes::new()).await.map(drop)
    }

    async fn move_file(&self, from: &str, to: &str) -> Answer {
        self.copy_file(from, to).await?;
        self.delete_file(from).await
    }

    async fn move_folder(&self, _: &str, _: &str) -> Answer {
        Err(Fault::NotOffered)
    }

    async fn copy_file(&self, from: &str, to: &str) -> Answer {
        let source = [("x-amz-copy-source", format!("/io{}", encoded(from)))];
        let got = self.send(Method::PUT, to, &[], &source, Bytes::new()).await?;
        // A copy that fails late is a 200 with an error inside.
        let text = String::from_utf8_lossy(&got.body).into_owned();
        if text.contains("<CopyObjectResult") { Ok(()) } else { Err(fault((StatusCode::OK, text))) }
    }

    async fn delete_file(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], &[], Bytes::new()).await.map(drop)
    }

    /// One request per object, the folder last.
    async fn delete_folder(&self, path: &str) -> Answer {
        for entry in self.list(path).await? {
            let inner = format!("{path}/{}", entry.name);
            if entry.folder {
                self.delete_folder(&inner).await?;
            } else {
                self.delete_file(&inner).await?;
            }
        }
        self.send(Method::DELETE, &format!("{path}/"), &[], &[], Bytes::new()).await.map(drop)
    }
}
