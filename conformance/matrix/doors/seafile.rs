//! Seafile's web API with a token, and the links it hands out.
//!
//! Moving takes two requests where folder and name change, as clients do it.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Door, Entry, Fault, encoded_whole, split, succeeded, unexpected, workspace};
use crate::gateway::Account;

pub struct Seafile {
    client: Client,
    url: String,
    token: String,
    /// Ids by workspace.
    libraries: HashMap<&'static str, String>,
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

#[derive(Deserialize)]
struct Library {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Dirent {
    r#type: String,
    name: String,
    size: Option<u64>,
}

#[derive(Deserialize)]
struct Moved {
    obj_name: String,
}

impl Seafile {
    pub async fn sign_in(client: &Client, url: &str, account: &Account) -> Answer<Self> {
        let form = [("username", &account.login), ("password", &account.password)];
        let request = client.post(format!("{url}/api2/auth-token/")).form(&form);
        let body = succeeded(request.send().await?).await.map_err(fault)?;
        let token: Token = read(&body)?;
        let mut door = Self {
            client: client.clone(),
            url: url.to_owned(),
            token: token.token,
            libraries: HashMap::new(),
        };
        let libraries: Vec<Library> = read(&door.send(door.client.get(format!("{url}/api2/repos/"))).await?)?;
        for (slug, name) in [("personal-files", "Personal Files"), ("common-files", "Common Files")] {
            let id = libraries.iter().find(|library| library.name == name).map(|library| library.id.clone());
            door.libraries.extend(id.map(|id| (slug, id)));
        }
        Ok(door)
    }

    async fn send(&self, request: RequestBuilder) -> Answer<Bytes> {
        let request = request.header("Authorization", format!("Token {}", self.token));
        let response = request.send().await?;
        let status = response.status();
        // v2 answers a redirect to what was moved or renamed.
        if status == StatusCode::MOVED_PERMANENTLY {
            return Ok(response.bytes().await?);
        }
        succeeded(response).await.map_err(fault)
    }

    /// Library and path inside.
    fn place(&self, path: &str) -> Answer<(&str, String)> {
        let (slug, inside) = workspace(path);
        let library =
            self.libraries.get(slug).ok_or_else(|| Fault::Other(format!("no library for {slug}")))?;
        Ok((library, inside))
    }

    fn api(&self, version: &str, library: &str, what: &str, path: &str) -> String {
        format!("{}/{version}/repos/{library}/{what}/?p={}", self.url, encoded_whole(path))
    }

    /// The link by which a file is downloaded.
    pub async fn link(&self, path: &str) -> Answer<String> {
        let (library, inside) = self.place(path)?;
        let url = format!("{}&reuse=1", self.api("api2", library, "file", &inside));
        read(&self.send(self.client.get(url)).await?)
    }

    async fn transfer(&self, operation: &str, from: &str, to: &str) -> Answer {
        let ((library, from), (target, to)) = (self.place(from)?, self.place(to)?);
        let ((folder, name), (new_folder, new_name)) = (split(&from), split(&to));
        let (mut at, mut called) = (from.clone(), name.to_owned());
        if operation == "copy" || folder != new_folder {
            let body = json!({
                "operation": operation, "dst_repo": target, "dst_dir": slashed(new_folder), "newname": "",
            });
            let url = self.api("api/v2.1", library, "file", &from);
            let moved: Moved = read(&self.send(self.client.post(url).json(&body)).await?)?;
            at = format!("{new_folder}/{}", moved.obj_name);
            called = moved.obj_name;
        }
        if called != new_name {
            let body = json!({"operation": "rename", "dst_repo": "", "dst_dir": "", "newname": new_name});
            let url = self.api("api/v2.1", target, "file", &at);
            self.send(self.client.post(url).json(&body)).await?;
        }
        Ok(())
    }

    /// Checks first, as clients do: the server would make `name (1)` instead of refusing.
    async fn rename_folder(&self, library: &str, path: &str, name: &str) -> Answer {
        let form = [("operation", "rename"), ("newname", name)];
        let url = self.api("api2", library, "dir", path);
        self.send(self.client.post(url).form(&form)).await.map(drop)
    }
}

fn slashed(folder: &str) -> &str {
    if folder.is_empty() { "/" } else { folder }
}

fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Answer<T> {
    serde_json::from_slice(body)
        .map_err(|error| Fault::Other(format!("{error} in {}", String::from_utf8_lossy(body))))
}

/// A lock is 403, with a text that says so: a right that is missing has the same status.
fn fault(answer: (StatusCode, String)) -> Fault {
    match answer.0 {
        StatusCode::NOT_FOUND => Fault::Missing,
        StatusCode::FORBIDDEN if answer.1.contains("locked") => Fault::Locked,
        _ => unexpected("seafile", answer),
    }
}

#[async_trait]
impl Door for Seafile {
    fn name(&self) -> &'static str {
        "seafile"
    }

    async fn write(&self, path: &str, bytes: Bytes) -> Answer {
        let (library, inside) = self.place(path)?;
        let (folder, name) = split(&inside);
        let folder = slashed(folder);
        let link: String =
            read(&self.send(self.client.get(self.api("api2", library, "upload-link", folder))).await?)?;
        let form = Form::new()
            .part("file", Part::stream(bytes).file_name(name.to_owned()))
            .text("parent_dir", folder.to_owned())
            .text("replace", "1");
        self.send(self.client.post(format!("{link}?ret-json=1")).multipart(form)).await.map(drop)
    }

    async fn read(&self, path: &str) -> Answer<Bytes> {
        let link = self.link(path).await?;
        self.send(self.client.get(link)).await
    }

    async fn read_range(&self, path: &str, first: u64, last: u64) -> Answer<Bytes> {
        let link = self.link(path).await?;
        self.send(self.client.get(link).header("Range", format!("bytes={first}-{last}"))).await
    }

    async fn list(&self, folder: &str) -> Answer<Vec<Entry>> {
        let (library, inside) = self.place(folder)?;
        let body = self.send(self.client.get(self.api("api2", library, "dir", &inside))).await?;
        let entries: Vec<Dirent> = read(&body)?;
        let entries = entries.into_iter().map(|entry| Entry {
            folder: entry.r#type == "dir",
            size: entry.size.filter(|_| entry.r#type == "file"),
            name: entry.name,
        });
        Ok(entries.collect())
    }

    async fn make_folder(&self, path: &str) -> Answer {
        let (library, inside) = self.place(path)?;
        let url = self.api("api2", library, "dir", &inside);
        self.send(self.client.post(url).form(&[("operation", "mkdir")])).await.map(drop)
    }

    async fn move_file(&self, from: &str, to: &str) -> Answer {
        self.transfer("move", from, to).await
    }

    /// As rclone moves folders, without its detour over a temporary name.
    async fn move_folder(&self, from: &str, to: &str) -> Answer {
        let ((library, from), (target, to)) = (self.place(from)?, self.place(to)?);
        let ((folder, name), (new_folder, new_name)) = (split(&from), split(&to));
        if folder != new_folder {
            let body = json!({
                "src_repo_id": library, "src_parent_dir": slashed(folder), "src_dirents": [name],
                "dst_repo_id": target, "dst_parent_dir": slashed(new_folder),
            });
            let url = format!("{}/api/v2.1/repos/sync-batch-move-item/", self.url);
            self.send(self.client.post(url).json(&body)).await?;
        }
        if name != new_name {
            self.rename_folder(target, &format!("{new_folder}/{name}"), new_name).await?;
        }
        Ok(())
    }

    async fn copy_file(&self, from: &str, to: &str) -> Answer {
        self.transfer("copy", from, to).await
    }

    async fn delete_file(&self, path: &str) -> Answer {
        let (library, inside) = self.place(path)?;
        self.send(self.client.delete(self.api("api2", library, "file", &inside))).await.map(drop)
    }

    async fn delete_folder(&self, path: &str) -> Answer {
        let (library, inside) = self.place(path)?;
        self.send(self.client.delete(self.api("api2", library, "dir", &inside))).await.map(drop)
    }
}
