//! The requests of a recording, as far as their operations are concerned.

use cellgate_contract::{Call, Contract, Found};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    params: Vec<Pair>,
}

impl Har {
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.log.entries.iter().map(|entry| &entry.request)
    }
}

impl Request {
    pub fn operation(&self) -> Option<Found<'static>> {
        let (path, query) = target(&self.url);
        let form = self.post_data.as_ref().map(PostData::form).unwrap_or_default();
        let header = |name: &str| {
            let found = self.headers.iter().find(|pair| pair.name.eq_ignore_ascii_case(name));
            found.map(|pair| pair.value.as_str())
        };
        Contract::embedded().classify(&Call {
            method: &self.method,
            path,
            query,
            form: &form,
            header: &header,
        })
    }
}

/// Raw path and query of a URL.
fn target(url: &str) -> (&str, Option<&str>) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = rest.find(['/', '?']).map_or("/", |at| &rest[at..]);
    let target = target.split_once('#').map_or(target, |(target, _)| target);
    match target.split_once('?') {
        Some((path, query)) => (if path.is_empty() { "/" } else { path }, Some(query)),
        None => (target, None),
    }
}

impl PostData {
    /// The fields of a form of any kind; of JSON, the texts of its object.
    fn form(&self) -> Vec<(String, String)> {
        if !self.params.is_empty() {
            return self.params.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect();
        }
        let kind = self.mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/x-www-form-urlencoded" => serde_urlencoded::from_str(&self.text).unwrap_or_default(),
            "application/json" => match serde_json::from_str(&self.text) {
                Ok(serde_json::Value::Object(members)) => members
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
                    .collect(),
                _ => Vec::new(),
            },
            "multipart/form-data" => {
                self.text.split("form-data; name=\"").skip(1).filter_map(field).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Name and value of a part that is no file.
fn field(part: &str) -> Option<(String, String)> {
    let (head, rest) = part.split_once("\r\n\r\n")?;
    let (name, rest_of_head) = head.split_once('"')?;
    let value = rest.split_once("\r\n--").map_or(rest, |(value, _)| value);
    (!rest_of_head.contains("filename")).then(|| (name.to_owned(), value.to_owned()))
}

#[test]
fn targets_of_urls() {
    for (url, expected) in [
        ("http://h:1/a/b?c=d#e", ("/a/b", Some("c=d"))),
        ("https://h", ("/", None)),
        ("https://h?x", ("/", Some("x"))),
        ("/a", ("/a", None)),
    ] {
        assert_eq!(target(url), expected, "{url}");
    }
}
