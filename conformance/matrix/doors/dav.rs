//! WebDAV with Basic authentication, and the locks that the other doors must respect.

use async_trait::async_trait;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Deserialize;

use super::{Answer, Door, Entry, Fault, encoded, succeeded, unexpected};
use crate::gateway::Account;

pub struct Dav {
    client: Client,
    url: String,
    account: Account,
}

#[derive(Deserialize)]
struct Multistatus {
    #[serde(default)]
    response: Vec<Response>,
}

#[derive(Deserialize)]
struct Response {
    href: String,
    #[serde(default)]
    propstat: Vec<Propstat>,
}

#[derive(Deserialize)]
struct Propstat {
    prop: Prop,
    status: String,
}

#[derive(Deserialize, Default)]
struct Prop {
    resourcetype: Option<ResourceType>,
    /// Empty where a folder has none.
    #[serde(default)]
    getcontentlength: String,
}

#[derive(Deserialize, Default)]
struct ResourceType {
    collection: Option<Empty>,
}

#[derive(Deserialize)]
struct Empty {}

const QUESTION: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/></prop></propfind>"#;

const LOCK: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype>
<owner>conformance</owner></lockinfo>"#;

impl Dav {
    pub fn new(client: &Client, url: &str, account: &Account) -> Self {
        Self { client: client.clone(), url: url.to_owned(), account: account.clone() }
    }

    pub fn request(&self, method: &str, path: &str) -> Answer<RequestBuilder> {
        let method =
            Method::from_bytes(method.as_bytes()).map_err(|error| Fault::Other(error.to_string()))?;
        let url = format!("{}/dav{}", self.url, encoded(path));
        let request = self.client.request(method, url);
        Ok(request.basic_auth(&self.account.login, Some(&self.account.password)))
    }

    async fn send(&self, request: RequestBuilder) -> Answer<Bytes> {
        succeeded(request.send().await?).await.map_err(fault)
    }

    /// COPY and MOVE.
    async fn transfer(&self, method: &str, from: &str, to: &str) -> Answer {
        let target = format!("{}/dav{}", self.url, encoded(to));
        self.send(self.request(method, from)?.header("Destination", target)).await.map(drop)
    }

    /// Locks exclusively and answers the token.
    pub async fn lock(&self, path: &str, depth: &str) -> Answer<String> {
        let request = self.request("LOCK", path)?.header("Depth", depth).header("Timeout", "Second-600");
        let response = request.header("Content-Type", "application/xml").body(LOCK).send().await?;
        let token = response.headers().get("lock-token").and_then(|token| token.to_str().ok());
        let token = token.map(|token| token.trim_matches(['<', '>']).to_owned());
        succeeded(response).await.map_err(fault)?;
        token.ok_or_else(|| Fault::Other("LOCK answers no Lock-Token".into()))
    }

    pub async fn unlock(&self, path: &str, token: &str) -> Answer {
        self.send(self.request("UNLOCK", path)?.header("Lock-Token", format!("<{token}>"))).await.map(drop)
    }

    /// Writes as the holder of a lock.
    pub async fn write_locked(&self, path: &str, token: &str, bytes: Bytes) -> Answer {
        let request = self.request("PUT", path)?.header("If", format!("(<{token}>)")).body(bytes);
        self.send(request).await.map(drop)
    }
}

fn fault(answer: (StatusCode, String)) -> Fault {
    match answer.0 {
        StatusCode::NOT_FOUND => Fault::Missing,
        StatusCode::LOCKED => Fault::Locked,
        _ => unexpected("dav", answer),
    }
}

#[async_trait]
impl Door for Dav {
    fn name(&self) -> &'static str {
        "dav"
    }

    async fn write(&self, path: &str, bytes: Bytes) -> Answer {
        self.send(self.request("PUT", path)?.body(bytes)).await.map(drop)
    }

    async fn read(&self, path: &str) -> Answer<Bytes> {
        self.send(self.request("GET", path)?).await
    }

    async fn read_range(&self, path: &str, first: u64, last: u64) -> Answer<Bytes> {
        self.send(self.request("GET", path)?.header("Range", format!("bytes={first}-{last}"))).await
    }

    async fn list(&self, folder: &str) -> Answer<Vec<Entry>> {
        let request = self.request("PROPFIND", &format!("{folder}/"))?.header("Depth", "1").body(QUESTION);
        let body = self.send(request).await?;
        let text = String::from_utf8_lossy(&body);
        let listing: Multistatus =
            quick_xml::de::from_str(&text).map_err(|error| Fault::Other(format!("{error} in {text}")))?;
        let mut entries = Vec::new();
        // The folder itself comes first (RFC 4918 9.1 does not say so; every server does).
        for response in listing.response.into_iter().skip(1) {
            let path =
                percent_decode_str(response.href.trim_end_matches('/')).decode_utf8_lossy().into_owned();
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            let found = response.propstat.into_iter().find(|propstat| propstat.status.contains(" 200 "));
            let prop = found.map(|propstat| propstat.prop).unwrap_or_default();
            let folder = prop.resourcetype.is_some_and(|kind| kind.collection.is_some());
            entries.push(Entry { name, folder, size: prop.getcontentlength.parse().ok() });
        }
        Ok(entries)
    }

    async fn make_folder(&self, path: &str) -> Answer {
        self.send(self.request("MKCOL", &format!("{path}/"))?).await.map(drop)
    }

    async fn move_file(&self, from: &str, to: &str) -> Answer {
        self.transfer("MOVE", from, to).await
    }

    async fn move_folder(&self, from: &str, to: &str) -> Answer {
        self.transfer("MOVE", &format!("{from}/"), &format!("{to}/")).await
    }

    async fn copy_file(&self, from: &str, to: &str) -> Answer {
        self.transfer("COPY", from, to).await
    }

    async fn delete_file(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)?).await.map(drop)
    }

    async fn delete_folder(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", &format!("{path}/"))?).await.map(drop)
    }
}
