//! The door through `Protocol::serve`, over a core in memory.

mod account;
mod batch;
mod dir;
mod download;
mod file;
mod refusals;
mod repos;
mod upload;

use cellgate_core::testing::{Answer, RequestBuilder, TestCore, request, serve, test_core};
use serde_json::Value;

use crate::Seafile;

/// A door over a fresh installation, and who is signed in.
struct Client {
    core: TestCore,
    door: Seafile,
    token: String,
    /// The library `common-files`.
    common: String,
    /// The library `personal-files`.
    personal: String,
}

async fn sign_in(door: &Seafile, login: &str) -> String {
    let form = request("POST", "/api2/auth-token/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("username={login}&password={login}-password"));
    let answer = serve(door, form).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["token"].as_str().unwrap().to_owned()
}

impl Client {
    async fn new(login: &str) -> Self {
        Self::on(test_core().await, login).await
    }

    async fn on(core: TestCore, login: &str) -> Self {
        let door = Seafile::new(core.core.clone());
        let token = sign_in(&door, login).await;
        let workspaces = core.identity().workspaces().await.unwrap();
        let id = |slug: &str| workspaces.iter().find(|known| known.slug == slug).unwrap().uuid.to_string();
        let (common, personal) = (id("common-files"), id("personal-files"));
        Self { core, door, token, common, personal }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let path = path.replace("COMMON", &self.common).replace("PERSONAL", &self.personal);
        request(method, &path).header("authorization", format!("Token {}", self.token))
    }

    async fn get(&self, path: &str) -> Answer {
        serve(&self.door, self.request("GET", path)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        serve(&self.door, self.request("DELETE", path)).await
    }

    async fn form(&self, path: &str, form: &str) -> Answer {
        let form = form.replace("COMMON", &self.common).replace("PERSONAL", &self.personal);
        let request = self.request("POST", path).header("content-type", "application/x-www-form-urlencoded");
        serve(&self.door, request.body(form)).await
    }

    async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = body.to_string().replace("COMMON", &self.common).replace("PERSONAL", &self.personal);
        let request = self.request(method, path).header("content-type", "application/json");
        serve(&self.door, request.body(body)).await
    }

    /// A link that the API hands out, as the path that the file server is asked for.
    async fn link(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let link = answer.json().as_str().unwrap().to_owned();
        link.strip_prefix("http://localhost:8080").expect("the host of the request").to_owned()
    }

    /// Without `Authorization`, as the file server takes it.
    async fn send(&self, request: RequestBuilder) -> Answer {
        serve(&self.door, request).await
    }
}

/// One part of a multipart form: name, file name, content.
type Part<'a> = (&'a str, Option<&'a str>, &'a str);

/// A form of these parts, in this order.
fn multipart(parts: &[Part<'_>]) -> String {
    let mut body = String::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.push_str(&format!(
            "--bound\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n"
        ));
    }
    body + "--bound--\r\n"
}

fn post_form(path: &str, body: impl Into<bytes::Bytes>) -> RequestBuilder {
    request("POST", path).header("content-type", "multipart/form-data; boundary=bound").body(body)
}

/// The names of a listing.
fn names(entries: &Value) -> Vec<String> {
    let entries = entries.as_array().unwrap();
    entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}
