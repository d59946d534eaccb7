//! The tables and what the doors really answer: every call of every row is sent, signed in as an
//! administrator, to the doors as the gateway puts them together, over a core in memory. What is
//! absent must say so (501), what is built must not.
//!
//! The requests are made from the shapes alone, so what is built refuses most of them; that it is
//! right is what the cases of its row show.

use std::collections::BTreeSet;

use cellgate_contract::{Condition, Contract, Row, Shape, State, Table};
use cellgate_core::Door;
use cellgate_core::http::{Protocol, Request, Response};
use cellgate_core::testing::{
    Answer, MemoryBackends, MemoryIndex, RequestBuilder, TestCore, request, serve, test_core,
};
use futures_util::future::BoxFuture;

use super::{is_absent, methods, none, place};
use crate::dispatch::Dispatch;
use crate::serve::doors;

/// Rows that are absent and answered otherwise than with 501, and how.
const OTHERWISE: &[(&str, u16)] = &[
    // No door has these paths.
    ("cells/web: pages of the sign-in: /oauth2/login, consent, logout, oob, errors", 404),
    ("cells/web: GET /ws/event", 404),
    ("cells/web: GET /robots.txt", 404),
    ("s3/operations: WriteGetObjectResponse", 404),
    ("webdav/methods: /shares, the mount of Pydio 8", 404),
    ("webdav/methods: /remote.php/webdav and /remote.php/dav of ownCloud and Nextcloud", 404),
    ("seafile/web-api: GET, POST /f/{token}/", 404),
    ("seafile/web-api: GET /f/{token}/: download (dl=1)", 404),
    ("seafile/web-api: GET /f/{token}/: inline (raw=1)", 404),
    ("seafile/web-api: GET, POST /d/{token}/", 404),
    ("seafile/web-api: GET /d/{token}/files/", 404),
    ("seafile/web-api: GET, POST /u/d/{token}/", 404),
    ("seafile/web-api: GET /thumbnail/{id}/{size}/{path*}", 404),
    // No workspace has this name; errors of this protocol are 200.
    ("pydio8/api-v1: download (access.inbox)", 200),
    // Refused in the words of its own protocol.
    ("webdav/methods: PUT with Content-Range (Apache)", 400),
    ("webdav/methods: Depth: infinity of PROPFIND", 403),
    ("pydio8/session: login with a captcha_code", 200),
    ("pydio8/session: login with cookie_login", 200),
    ("pydio8/session: make a pair for another user (user_id)", 200),
];

/// A host that is S3's with all its paths.
const S3_HOST: &str = "s3.example.org";

/// With rules, so that preflights are answered.
fn settings() -> cellgate_s3::Settings {
    let all = cellgate_s3::CorsRule {
        origins: vec!["*".into()],
        methods: vec!["GET".into()],
        ..cellgate_s3::CorsRule::default()
    };
    let domains = vec![S3_HOST.to_owned()];
    cellgate_s3::Settings { cors: vec![all], domains, ..cellgate_s3::Settings::default() }
}

/// An installation with somebody signed in everywhere; requests are sent to copies of it.
struct Stage {
    index: MemoryIndex,
    backends: MemoryBackends,
    token: String,
    seafile: String,
    cookie: String,
    secure_token: String,
    library: String,
    links: [(&'static str, String); 3],
}

impl Stage {
    async fn set() -> Self {
        let core = test_core().await;
        core.put("/common-files/probe.txt", "probe").await;
        let signed_in = core.identity().sign_in("admin", "admin-password", Door::Cells).await.unwrap();
        let workspaces = core.identity().workspaces().await.unwrap();
        let common = workspaces.iter().find(|known| known.slug == "common-files").unwrap();
        let mut stage = Self {
            index: core.index.clone(),
            backends: core.backends.clone(),
            token: signed_in.access_token,
            seafile: String::new(),
            cookie: String::new(),
            secure_token: String::new(),
            library: common.uuid.to_string(),
            links: Default::default(),
        };
        let doors = Dispatch::new(doors(&core.core, settings()));
        stage.sign_in_to_seafile(&doors).await;
        stage.sign_in_to_pydio8(&doors).await;
        stage
    }

    async fn sign_in_to_seafile(&mut self, doors: &Dispatch) {
        let form = request("POST", "/api2/auth-token/").header("content-type", FORM);
        let answer = send(doors, form.body("username=admin&password=admin-password")).await;
        self.seafile = answer.json()["token"].as_str().unwrap().to_owned();
        let links = [
            ("upload", format!("/api2/repos/{}/upload-link/?p=/", self.library)),
            ("update", format!("/api2/repos/{}/update-link/?p=/", self.library)),
            ("files", format!("/api2/repos/{}/file/?p=/probe.txt&reuse=1", self.library)),
        ];
        self.links = links.map(|(kind, path)| (kind, path));
        for at in 0..self.links.len() {
            let (kind, path) = self.links[at].clone();
            let asked = request("GET", &path).header("authorization", format!("Token {}", self.seafile));
            let url = send(doors, asked).await.json().as_str().unwrap().to_owned();
            // `…/seafhttp/<verb>/<secret>[/<name>]`
            let secret = url.split("/seafhttp/").nth(1).unwrap().split('/').nth(1).unwrap();
            self.links[at] = (kind, secret.to_owned());
        }
    }

    async fn sign_in_to_pydio8(&mut self, doors: &Dispatch) {
        let conf = send(doors, request("GET", "/index.php?get_action=get_boot_conf")).await;
        let cookie = conf.header("set-cookie").split(';').next().unwrap().to_owned();
        let token = conf.json()["SECURE_TOKEN"].as_str().unwrap().to_owned();
        let form = format!("userid=admin&password=admin-password&login_seed=-1&secure_token={token}");
        let login = request("POST", "/index.php?get_action=login").header("content-type", FORM);
        let answer = send(doors, login.header("cookie", &cookie).body(form)).await;
        let text = answer.text();
        self.secure_token =
            text.split("secure_token=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        self.cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    }

    async fn doors(&self) -> Dispatch {
        let core = TestCore::start(self.index.fork(), self.backends.fork()).await;
        Dispatch::new(doors(&core.core, settings()))
    }

    /// A request of a shape, with credentials as the protocol has them.
    fn request(&self, table: &Table, shape: &Shape, method: &str) -> RequestBuilder {
        let path = self.path(table, shape);
        let mut query: Vec<(&str, &str)> = shape.parameters.iter().filter_map(given).collect();
        let headers: Vec<(&str, &str)> = shape.headers.iter().filter_map(given).collect();
        let mut form = Vec::new();
        match table.protocol.as_str() {
            "seafile" => {
                if matches!(method, "POST" | "PUT") {
                    form.clone_from(&query);
                }
                query.extend([("p", "/probe.txt"), ("path", "/probe.txt")]);
            }
            "pydio8" if !path.starts_with("/api") => query.push(("secure_token", &self.secure_token)),
            _ => {}
        }
        let query = serde_urlencoded::to_string(&query).unwrap();
        let uri = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
        let mut built = request(method, &uri);
        for (name, value) in &headers {
            built = built.header(name, example(name, value));
        }
        built = match table.protocol.as_str() {
            "seafile" => built.header("authorization", format!("Token {}", self.seafile)),
            "pydio8" if path.starts_with("/api") => built.basic_with("admin", &self.token),
            "pydio8" => built.header("cookie", &self.cookie),
            "webdav" => built.basic_with("admin", &self.token),
            // Outside of its mount S3 is told by its signatures, or by its host.
            "s3" if path == "/" || path.starts_with("/data") => {
                built.header("host", S3_HOST).bearer(&self.token)
            }
            _ => built.bearer(&self.token),
        };
        if table.protocol == "cells" && method != "GET" {
            return built.json(&serde_json::json!({}));
        }
        if form.is_empty() {
            return built;
        }
        built.header("content-type", FORM).body(serde_urlencoded::to_string(&form).unwrap())
    }

    /// The path of a shape with something in place of its parameters.
    fn path(&self, table: &Table, shape: &Shape) -> String {
        let target = shape.text.split(' ').nth(1).unwrap_or_default();
        let mut rest = target.split('?').next().unwrap_or_default();
        let mut path = String::new();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap();
            path.push_str(before);
            path.push_str(&self.value(table, name, &path));
            rest = after;
        }
        path + rest
    }

    fn value(&self, table: &Table, name: &str, before: &str) -> String {
        let link = |kind: &str| self.links.iter().find(|(known, _)| *known == kind).unwrap().1.clone();
        match (table.protocol.as_str(), name) {
            ("cells", "Node*" | "NodePath*") => "common-files%2Fprobe.txt".into(),
            ("cells", "JobName") => "move".into(),
            ("seafile", "id") => self.library.clone(),
            ("seafile", "token") if before.contains("/upload-") => link("upload"),
            ("seafile", "token") if before.contains("/update-") => link("update"),
            ("seafile", "token") if before.ends_with("/files/") => link("files"),
            ("s3" | "pydio8", "workspace") => "common-files".into(),
            ("webdav", "path*") => "common-files/probe.txt".into(),
            (_, "path*" | "key*" | "name*") => "probe.txt".into(),
            _ => "x".into(),
        }
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// A parameter or header that a condition asks for.
fn given(condition: &Condition) -> Option<(&str, &str)> {
    match condition {
        Condition::Present(name) => Some((name, "1")),
        Condition::Equal(name, value) => Some((name, value)),
        Condition::Missing(_) => None,
    }
}

/// A header's value where any would be refused for its form.
fn example<'a>(name: &str, value: &'a str) -> &'a str {
    match name {
        "content-range" => "bytes 0-4/10",
        "x-amz-copy-source" => "io/common-files/probe.txt",
        "x-amz-date" => "20260101T000000Z",
        "x-amz-content-sha256" => "UNSIGNED-PAYLOAD",
        _ => value,
    }
}

/// All doors as one, for [`serve`].
struct Gateway(Dispatch);

impl Protocol for Gateway {
    fn door(&self) -> Door {
        Door::System
    }

    fn mounts(&self) -> &'static [&'static str] {
        &[]
    }

    fn serve(&self, request: Request) -> BoxFuture<'static, Response> {
        let doors = self.0.clone();
        Box::pin(async move { Dispatch::serve(doors.door(&request), request).await })
    }
}

async fn send(doors: &Dispatch, request: impl Into<Request>) -> Answer {
    serve(&Gateway(doors.clone()), request).await
}

#[tokio::test]
async fn cells() {
    probe("cells").await;
}

#[tokio::test]
async fn s3() {
    probe("s3").await;
}

#[tokio::test]
async fn webdav() {
    probe("webdav").await;
}

#[tokio::test]
async fn pydio8() {
    probe("pydio8").await;
}

#[tokio::test]
async fn seafile() {
    probe("seafile").await;
}

async fn probe(protocol: &str) {
    let stage = Stage::set().await;
    let mut problems = Vec::new();
    let mut otherwise: BTreeSet<&str> =
        OTHERWISE.iter().map(|(place, _)| *place).filter(|place| place.starts_with(protocol)).collect();
    let mut sent = 0;
    for table in Contract::embedded().tables().iter().filter(|table| table.protocol == protocol) {
        for row in table.rows() {
            for shape in &row.calls {
                for method in methods(shape) {
                    let method = if method == "ANY" { "GET" } else { method };
                    let doors = stage.doors().await;
                    let request = stage.request(table, shape, method).build();
                    // `GET /` is the gateway's own, and S3's when it is signed.
                    let nobodys = doors.door(&request).is_none() && request.uri().path() != "/";
                    if nobodys && !is_absent(row) {
                        problems.push(format!("{}: {} is on no door", place(table, row), shape.text));
                    }
                    let status = send(&doors, request).await.status.as_u16();
                    sent += 1;
                    otherwise.remove(place(table, row).as_str());
                    if let Err(expected) = fits(table, row, status) {
                        problems.push(format!(
                            "{}: {method} {} answered {status}, expected {expected}",
                            place(table, row),
                            shape.text
                        ));
                    }
                }
            }
        }
    }
    assert!(sent > 0, "no calls of {protocol}");
    problems.extend(otherwise.iter().map(|place| format!("{place}: no such row is sent")));
    none(problems);
}

/// Whether the answer is that of the row's state, else what was expected.
fn fits(table: &Table, row: &Row, status: u16) -> Result<(), String> {
    let place = place(table, row);
    let otherwise = OTHERWISE.iter().find(|(known, _)| *known == place).map(|(_, status)| *status);
    match (&row.state, otherwise) {
        (State::Absent, Some(expected)) if status == expected => Ok(()),
        (_, Some(expected)) => Err(format!("{expected} of something absent")),
        (State::Absent, None) if status == 501 => Ok(()),
        // s3s reads what it knows of a request before it asks for the operation, and these have none
        // of the bodies and headers they need.
        (State::Absent, None) if status == 400 && table.protocol == "s3" => Ok(()),
        (State::Absent, None) => Err("501".into()),
        (State::Done | State::Partial(_), None) if status == 501 => Err("anything else".into()),
        (State::Done | State::Partial(_), None) => Ok(()),
    }
}
