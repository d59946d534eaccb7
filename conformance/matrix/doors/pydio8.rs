//! Pydio 8's `/api/<workspace>/` with Basic authentication, by the names that old scripts use for
//! workspaces.
//!
//! Nearly every failure is a 200 with a message; what it means is in the text.

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;

use super::{Answer, Door, Entry, Fault, encoded, encoded_whole, split, succeeded, unexpected, workspace};
use crate::gateway::Account;

pub struct Pydio8 {
    client: Client,
    url: String,
    account: Account,
}

/// A listing's nodes, or an envelope with a message.
#[derive(Deserialize)]
struct Tree {
    #[serde(rename = "@filename", default)]
    filename: String,
    #[serde(rename = "@is_file", default)]
    is_file: String,
    #[serde(rename = "@bytesize")]
    size: Option<u64>,
    pagination: Option<Pagination>,
    #[serde(default)]
    tree: Vec<Tree>,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Pagination {
    #[serde(rename = "@total")]
    total: u32,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "@type")]
    level: String,
    #[serde(rename = "$text", default)]
    text: String,
}

/// The alias by which Pydio 8 knew a workspace, and the path inside.
fn place(path: &str) -> (&str, String) {
    let (slug, inside) = workspace(path);
    let alias = match slug {
        "personal-files" => "my-files",
        "common-files" => "common",
        other => other,
    };
    (alias, inside)
}

impl Pydio8 {
    pub fn new(client: &Client, url: &str, account: &Account) -> Self {
        Self { client: client.clone(), url: url.to_owned(), account: account.clone() }
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.account.login, Some(&self.account.password))
    }

    /// The type and the body of an answer.
    async fn send(&self, request: RequestBuilder) -> Answer<(String, Bytes)> {
        let response = self.signed(request).send().await?;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let body = succeeded(response).await.map_err(|answer| unexpected("pydio8", answer))?;
        Ok((kind, body))
    }

    /// Runs an action and reads its envelope.
    async fn act(&self, alias: &str, action: &str, fields: &[(&str, &str)]) -> Answer<Tree> {
        let url = format!("{}/api/{alias}/{action}", self.url);
        let (_, body) = self.send(self.client.post(url).form(fields)).await?;
        envelope(&body)
    }

    async fn fetch(&self, path: &str, range: Option<String>) -> Answer<Bytes> {
        let (alias, inside) = place(path);
        let mut request = self.client.get(format!("{}/api/{alias}/download{}", self.url, encoded(&inside)));
        if let Some(range) = range {
            request = request.header("Range", range);
        }
        let (kind, body) = self.send(request).await?;
        // A file comes as a download; XML is a message, whatever the status.
        if kind.starts_with("application/force-download") {
            return Ok(body);
        }
        envelope(&body)?;
        Err(Fault::Other(format!("pydio8 sends a file as {kind}")))
    }

    /// `copy` and `move` go into a folder, the name is a parameter.
    async fn transfer(&self, action: &str, from: &str, to: &str) -> Answer {
        let ((alias, from), (_, to)) = (place(from), place(to));
        let (folder, name) = split(&to);
        let folder = if folder.is_empty() { "/" } else { folder };
        let fields = [("file", from.as_str()), ("dest", folder), ("targetBaseName", name)];
        self.act(alias, &format!("{action}/"), &fields).await.map(drop)
    }
}

fn envelope(body: &Bytes) -> Answer<Tree> {
    let text = String::from_utf8_lossy(body);
    let tree: Tree = match quick_xml::de::from_str(&text) {
        Ok(tree) => tree,
        // Uploads fail in plain text, with a code in brackets.
        Err(_) => return Err(meant(&text)),
    };
    match &tree.message {
        Some(message) if message.level == "ERROR" => Err(meant(&message.text)),
        _ => Ok(tree),
    }
}

fn meant(text: &str) -> Fault {
    let lower = text.to_lowercase();
    if lower.contains("cannot find file") || lower.contains("trying to open folder") {
        Fault::Missing
    } else if lower.contains(" is locked by ") {
        Fault::Locked
    } else {
        unexpected("pydio8", (StatusCode::OK, text.to_owned()))
    }
}

#[async_trait]
impl Door for Pydio8 {
    fn name(&self) -> &'static str {
        "pydio8"
    }

    async fn write(&self, path: &str, bytes: Bytes) -> Answer {
        let (alias, inside) = place(path);
        if bytes.is_empty() {
            // An upload without bytes counts as a failed one; clients make empty files so.
            let action = format!("mkfile{}", encoded(&inside));
            return self.act(alias, &action, &[("force", "true")]).await.map(drop);
        }
        let (folder, name) = split(&inside);
        let form = Form::new()
            .text("force_post", "true")
            .text("xhr_uploader", "true")
            // Encoded once more, inside the form.
            .text("urlencoded_filename", encoded_whole(name))
            .part("userfile_0", Part::stream(bytes).file_name("fake-name"));
        let url = format!("{}/api/{alias}/upload/put{}", self.url, encoded(folder));
        let (_, body) = self.send(self.client.post(url).multipart(form)).await?;
        envelope(&body).map(drop)
    }

    async fn read(&self, path: &str) -> Answer<Bytes> {
        self.fetch(path, None).await
    }

    async fn read_range(&self, path: &str, first: u64, last: u64) -> Answer<Bytes> {
        self.fetch(path, Some(format!("bytes={first}-{last}"))).await
    }

    async fn list(&self, folder: &str) -> Answer<Vec<Entry>> {
        let (alias, inside) = place(folder);
        let mut entries = Vec::new();
        for page in 1.. {
            // The page is behind a `%23` that is there after decoding.
            let action = format!("ls{}", encoded(&format!("{inside}%23{page}")));
            let tree = self.act(alias, &action, &[("options", "al")]).await?;
            let total = tree.pagination.map_or(1, |pagination| pagination.total);
            entries.extend(tree.tree.into_iter().map(|node| Entry {
                name: split(&node.filename).1.to_owned(),
                folder: node.is_file != "true",
                size: node.size.filter(|_| node.is_file == "true"),
            }));
            if page >= total {
                break;
            }
        }
        Ok(entries)
    }

    async fn make_folder(&self, path: &str) -> Answer {
        let (alias, inside) = place(path);
        self.act(alias, &format!("mkdir{}", encoded(&inside)), &[]).await.map(drop)
    }

    async fn move_file(&self, from: &str, to: &str) -> Answer {
        let ((alias, from), (_, to)) = (place(from), place(to));
        self.act(alias, "rename/", &[("file", &from), ("dest", &to)]).await.map(drop)
    }

    async fn move_folder(&self, from: &str, to: &str) -> Answer {
        self.transfer("move", from, to).await
    }

    async fn copy_file(&self, from: &str, to: &str) -> Answer {
        self.transfer("copy", from, to).await
    }

    async fn delete_file(&self, path: &str) -> Answer {
        let (alias, inside) = place(path);
        self.act(alias, &format!("delete{}", encoded(&inside)), &[("file", &inside)]).await.map(drop)
    }

    async fn delete_folder(&self, path: &str) -> Answer {
        self.delete_file(path).await
    }
}
