//! The JSON rules of the Cells API, once for all endpoints.
//!
//! Its messages are protobuf's: 64-bit integers are strings, what is zero is left out, names are
//! case-sensitive. Coming in, `null` stands for the default (the Go SDK sends it for every empty
//! list), integers may be strings or numbers, enums names or numbers, and unknown fields are ignored.

use cellgate_core::http::{Body, Response, collect, full};
use http::{HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::error::CellsError;

/// Largest request body. Requests are lists of paths; cec sends at most a hundred nodes at once.
const BODY_MAX_BYTES: usize = 8 * 1024 * 1024;

/// Reads a request's message; no body at all is the empty message.
pub async fn read<T: DeserializeOwned + Default>(body: Body) -> Result<T, CellsError> {
    let bytes = collect(body, BODY_MAX_BYTES).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    // The parser's own texts may quote the body, and a body may hold a password: only where is said.
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        CellsError::bad_request(format!("the body is not JSON (line {line}, column {column})"))
    })?;
    match value {
        Value::Null => Ok(T::default()),
        Value::Object(_) => serde_json::from_value(value)
            .map_err(|_| CellsError::bad_request("a member of the body has the wrong type")),
        _ => Err(CellsError::bad_request("the body is not a JSON object")),
    }
}

pub fn ok(message: &impl Serialize) -> Result<Response, CellsError> {
    let bytes = serde_json::to_vec(message)
        .map_err(|error| CellsError::Core(cellgate_core::Error::internal(error)))?;
    Ok(answer(StatusCode::OK, full(bytes)))
}

pub fn answer(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A `restError`: its `Detail` begins with the status' reason, as in v4.
pub fn error(status: StatusCode, message: &str) -> Response {
    let reason = status.canonical_reason().unwrap_or("Error");
    let body = json!({ "Title": message, "Detail": format!("{reason}: {message}") });
    answer(status, full(body.to_string()))
}

/// Takes `null` for the default.
pub fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// An integer of any width, as a number or as its text.
pub fn integer<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let refused = || serde::de::Error::custom("expected an integer");
    match Value::deserialize(from)? {
        Value::Null => Ok(0),
        Value::Number(number) => number.as_i64().ok_or_else(refused),
        Value::String(text) => text.parse().map_err(|_| refused()),
        _ => Err(refused()),
    }
}

/// A 64-bit integer going out: a string.
pub fn as_text<S: Serializer>(value: &i64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

pub fn zero(value: &i64) -> bool {
    *value == 0
}

/// A map of strings whose values some clients send as `null` or bare numbers.
pub fn texts<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<std::collections::BTreeMap<String, String>, D::Error> {
    let map: std::collections::BTreeMap<String, Value> = nullable(from)?;
    let text = |value| match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    };
    map.into_iter()
        .map(|(key, value)| text(value).map(|value| (key, value)))
        .collect::<Option<_>>()
        .ok_or_else(|| serde::de::Error::custom("expected strings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug, PartialEq, Default)]
    #[serde(default)]
    struct Sample {
        #[serde(deserialize_with = "integer")]
        limit: i64,
        #[serde(deserialize_with = "nullable")]
        paths: Vec<String>,
        #[serde(deserialize_with = "texts")]
        info: std::collections::BTreeMap<String, String>,
    }

    async fn read_text(text: &'static str) -> Option<Sample> {
        read(full(text)).await.ok()
    }

    #[tokio::test]
    async fn input_is_read_as_clients_write_it() {
        let sample = |limit, paths: &[&str]| {
            Some(Sample { limit, paths: paths.iter().map(|p| p.to_string()).collect(), ..Sample::default() })
        };
        assert_eq!(read_text("").await, sample(0, &[]));
        assert_eq!(read_text("null").await, sample(0, &[]));
        assert_eq!(read_text(r#"{"limit":"100","paths":null,"info":null}"#).await, sample(100, &[]));
        assert_eq!(read_text(r#"{"limit":100,"paths":["a"],"unknown":{}}"#).await, sample(100, &["a"]));
        for broken in ["{", r#"{"limit":"x"}"#, r#"{"limit":1.5}"#, r#"{"paths":"a"}"#, "[1]", "{}x"] {
            assert_eq!(read_text(broken).await, None, "{broken}");
        }
    }

    #[tokio::test]
    async fn a_refused_body_is_not_quoted() {
        let refused = read::<Sample>(full(r#"{"info":"s3cret"}"#)).await.unwrap_err();
        let CellsError::Refused(status, text) = refused else { panic!("{refused:?}") };
        assert_eq!(status, 400);
        assert!(!text.contains("s3cret"), "{text}");
    }

    #[tokio::test]
    async fn errors_are_rest_errors() {
        let response = error(StatusCode::NOT_FOUND, "cannot find node");
        assert_eq!(response.headers()["content-type"], "application/json");
        let body = collect(response.into_body(), 1000).await.unwrap();
        // The example of the reference, 1.5.
        let expected = json!({ "Title": "cannot find node", "Detail": "Not Found: cannot find node" });
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
    }
}
