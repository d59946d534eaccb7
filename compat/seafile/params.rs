//! Parameters of a request: query, form, JSON or multipart, all read alike.
//!
//! The original takes different encodings in different places and clients mix them up, so every
//! endpoint takes them all. A list is a key that repeats.

use cellgate_core::http::{Body, collect, incoming};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::error::SeafileError;

/// Largest body of parameters. Batch calls list names, so this is many thousand of them.
const BODY_MAX_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the urlencoded form; scripts put raw UTF-8 into it, which is fine.
    pub fn parse(encoded: &[u8]) -> Self {
        Self(serde_urlencoded::from_bytes(encoded).unwrap_or_default())
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The value, or nothing at all.
    pub fn text(&self, key: &str) -> &str {
        self.get(key).unwrap_or_default()
    }

    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// A required value that is not empty.
    pub fn need(&self, key: &str) -> Result<&str, SeafileError> {
        self.get(key).filter(|value| !value.is_empty()).ok_or_else(|| SeafileError::invalid(key))
    }

    /// `true`, `1`, in any case.
    pub fn is_true(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }

    /// A switch that takes `0` and `1` alone.
    pub fn bit(&self, key: &str) -> Result<bool, SeafileError> {
        match self.get(key) {
            None | Some("0") => Ok(false),
            Some("1") => Ok(true),
            Some(_) => Err(SeafileError::invalid(key)),
        }
    }

    fn push(&mut self, key: &str, value: String) {
        self.0.push((key.to_owned(), value));
    }

    fn push_json(&mut self, key: &str, value: Value) {
        match value {
            Value::String(text) => self.push(key, text),
            Value::Number(number) => self.push(key, number.to_string()),
            Value::Bool(value) => self.push(key, value.to_string()),
            Value::Array(values) => values.into_iter().for_each(|value| self.push_json(key, value)),
            // Nothing that is served takes an object.
            Value::Null | Value::Object(_) => {}
        }
    }
}

/// Reads the parameters of a body by its content type; no body is no parameters.
pub async fn read_body(headers: &HeaderMap, body: Body) -> Result<Params, SeafileError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "multipart/form-data" {
        return read_multipart(kind, body).await;
    }
    let bytes = collect(body, BODY_MAX_BYTES).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(Params::default());
    }
    match essence.as_str() {
        "application/json" => {
            let Ok(Value::Object(members)) = serde_json::from_slice(&bytes) else {
                let text = "JSON parse error: the body is not a JSON object".into();
                return Err(SeafileError::Detail(StatusCode::BAD_REQUEST, text));
            };
            let mut params = Params::default();
            for (key, value) in members {
                params.push_json(&key, value);
            }
            Ok(params)
        }
        "application/x-www-form-urlencoded" | "" => serde_urlencoded::from_bytes(&bytes)
            .map(Params)
            .map_err(|_| SeafileError::Detail(StatusCode::BAD_REQUEST, "the body is not a form".into())),
        other => {
            let shown: String = other.chars().take(80).collect();
            let text = format!("Unsupported media type \"{shown}\" in request.");
            Err(SeafileError::Detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, text))
        }
    }
}

async fn read_multipart(kind: &str, body: Body) -> Result<Params, SeafileError> {
    let broken = |_| SeafileError::Detail(StatusCode::BAD_REQUEST, "the body is not a multipart form".into());
    let boundary = multer::parse_boundary(kind).map_err(broken)?;
    let limits = multer::SizeLimit::new().whole_stream(BODY_MAX_BYTES as u64);
    let constraints = multer::Constraints::new().size_limit(limits);
    let mut form = multer::Multipart::with_constraints(incoming(body), boundary, constraints);
    let mut params = Params::default();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let Some(name) = field.name().map(str::to_owned) else { continue };
        let value = field.text().await.map_err(broken)?;
        params.push(&name, value);
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cellgate_core::http::full;

    async fn read(kind: &str, body: &'static str) -> Option<Params> {
        let mut headers = HeaderMap::new();
        if !kind.is_empty() {
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        }
        read_body(&headers, full(body)).await.ok()
    }

    #[tokio::test]
    async fn every_encoding_says_the_same() {
        let expected = Some(Params(vec![
            ("operation".into(), "mkdir".into()),
            ("n".into(), "é b".into()),
            ("n".into(), "1".into()),
        ]));
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"operation\"\r\n\r\nmkdir\r\n\
            --x\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\né b\r\n\
            --x\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n--x--\r\n";
        let cases = [
            ("application/x-www-form-urlencoded", "operation=mkdir&n=%C3%A9+b&n=1"),
            ("", "operation=mkdir&n=é%20b&n=1"),
            ("multipart/form-data; boundary=x", multipart),
        ];
        for (kind, body) in cases {
            assert_eq!(read(kind, body).await, expected, "{kind}");
        }
        let json = read("application/json", r#"{"n":["é b",1],"operation":"mkdir"}"#).await.unwrap();
        assert_eq!(json.all("n").collect::<Vec<_>>(), ["é b", "1"]);
        assert_eq!(json.text("operation"), "mkdir");
    }

    #[tokio::test]
    async fn a_missing_body_is_no_parameters_and_a_broken_one_an_error() {
        assert_eq!(read("application/json", "").await, Some(Params::default()));
        assert_eq!(read("application/json", "{}").await, Some(Params::default()));
        for (kind, body) in [
            ("application/json", "{"),
            ("application/json", "[]"),
            ("multipart/form-data; boundary=x", "--x\r\nnonsense"),
            ("multipart/form-data", "--x--"),
            ("text/plain", "a=b"),
        ] {
            assert_eq!(read(kind, body).await, None, "{kind} {body}");
        }
    }
}
