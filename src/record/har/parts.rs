//! A form whose files are left out, as `postData.params`.
//!
//! Ours say `_length` beside `params`; a part that is left out has `_length` and `_sha256`, one that is
//! no text `_encoding`, and `_headers` what HAR has no place for. Browsers leave files out too, without
//! a word of their size.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::{body, form, raw};
use crate::form::{Content, Form, Part};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Param<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(rename = "_encoding", skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(rename = "_length", skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    #[serde(rename = "_sha256", skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
    #[serde(rename = "_headers", skip_serializing_if = "Vec::is_empty")]
    headers: Vec<Header<'a>>,
}

#[derive(Serialize)]
struct Header<'a> {
    name: &'a str,
    value: &'a str,
}

pub fn listed(form: &Form) -> Vec<Param<'_>> {
    form.parts.iter().map(param).collect()
}

fn param(part: &Part) -> Param<'_> {
    let (mut value, mut encoding, mut length, mut sha256) = (None, None, None, None);
    match &part.content {
        Content::Omitted { length: bytes, sha256: hash } => {
            length = Some(*bytes);
            sha256 = hash.as_deref();
        }
        Content::Bytes(bytes) => match body::readable(bytes) {
            Some(text) => value = Some(text.to_owned()),
            None => {
                value = Some(STANDARD.encode(bytes));
                encoding = Some("base64");
            }
        },
    }
    Param {
        name: &part.name,
        value,
        file_name: part.file_name.as_deref(),
        content_type: part.content_type.as_deref(),
        encoding,
        length,
        sha256,
        headers: part.headers.iter().map(|(name, value)| Header { name, value }).collect(),
    }
}

/// A form as we write it.
pub fn form(params: &[raw::Param], length: u64) -> Result<Form, String> {
    let parts: Result<Vec<Part>, String> = params.iter().map(part).collect();
    Ok(Form { length, parts: parts? })
}

fn part(param: &raw::Param) -> Result<Part, String> {
    let content = match (param.length, &param.value) {
        (Some(length), None) => {
            body::hash(param.sha256.as_deref(), "request")?;
            Content::Omitted { length, sha256: param.sha256.clone() }
        }
        (_, value) => {
            let text = value.as_ref().map(|value| value.0.clone()).unwrap_or_default();
            let bytes = match param.encoding.as_deref() {
                Some(encoding) => body::decoded(&text, encoding, "request")?,
                None => text,
            };
            Content::Bytes(bytes.into())
        }
    };
    let text = |text: Option<&raw::Text>| line(text.map(raw::Text::lossy).unwrap_or_default());
    let mut headers = Vec::new();
    for pair in param.headers.as_deref().unwrap_or_default() {
        headers.push((text(pair.name.as_ref())?, text(pair.value.as_ref())?));
    }
    Ok(Part {
        name: text(param.name.as_ref())?,
        file_name: param.file_name.as_ref().map(|name| text(Some(name))).transpose()?,
        content_type: param.content_type.clone().map(line).transpose()?,
        headers,
        content,
    })
}

/// It goes into the head of a part, where a line end would begin another header.
fn line(text: String) -> Result<String, String> {
    match text.contains(['\r', '\n', '\0']) {
        true => Err("a part of its form has a line end in its head".to_owned()),
        false => Ok(text),
    }
}

/// A browser's form with one file that it left out: how long that was shows by what all of it was.
pub fn without_file(params: &[raw::Param], kind: &str, declared: Option<u64>) -> Option<Form> {
    let is_lost = |param: &raw::Param| {
        let value = param.value.as_ref().map(|value| value.0.as_slice());
        param.file_name.as_ref().is_some_and(|name| !name.0.is_empty())
            && matches!(value, None | Some(b"" | b"(binary)"))
    };
    form::boundary(kind)?;
    let (length, 1) = (declared?, params.iter().filter(|param| is_lost(param)).count()) else { return None };
    let quoted = |text: &raw::Text| form::quoted(text);
    let mut parts = Vec::with_capacity(params.len());
    for param in params {
        let value = param.value.as_ref().filter(|_| !is_lost(param));
        parts.push(Part {
            name: param.name.as_ref().map(quoted).unwrap_or_default(),
            file_name: param.file_name.as_ref().map(quoted),
            content_type: param
                .content_type
                .clone()
                .filter(|kind| !kind.is_empty() && !kind.contains(['\r', '\n'])),
            headers: Vec::new(),
            content: Content::Bytes(value.map(|value| value.0.clone()).unwrap_or_default().into()),
        });
    }
    let mut made = Form { length, parts };
    let left = length.checked_sub(made.rebuilt_length(&form::boundary(kind)?)).filter(|left| *left > 0)?;
    let lost = params.iter().position(is_lost)?;
    made.parts.get_mut(lost)?.content = Content::Omitted { length: left, sha256: None };
    Some(made)
}
