//! The fields of a HAR entry that matter here, as loosely as programs write them.
//!
//! Nearly everything is optional and may be `null`; whatever is not named here is skipped. What an
//! entry must have is decided where it becomes an exchange.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub started_date_time: Option<String>,
    pub time: Option<f64>,
    pub request: Option<Request>,
    pub response: Option<Response>,
    pub comment: Option<String>,
    #[serde(rename = "_resourceType")]
    pub resource_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub method: Option<String>,
    pub url: Option<Text>,
    /// Ours: what no URL can say, `*` of `OPTIONS *`.
    #[serde(rename = "_target")]
    pub target: Option<String>,
    pub headers: Option<Vec<Pair>>,
    pub cookies: Option<Vec<Cookie>>,
    pub post_data: Option<PostData>,
    pub body_size: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    pub status: Option<f64>,
    pub headers: Option<Vec<Pair>>,
    pub cookies: Option<Vec<Cookie>>,
    pub content: Option<Content>,
    #[serde(rename = "redirectURL")]
    pub redirect_url: Option<Text>,
    pub body_size: Option<f64>,
}

#[derive(Deserialize)]
pub struct Pair {
    pub name: Option<Text>,
    pub value: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    pub name: Option<Text>,
    pub value: Option<Text>,
    pub path: Option<String>,
    pub domain: Option<String>,
    pub http_only: Option<bool>,
    pub secure: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostData {
    pub mime_type: Option<String>,
    pub text: Option<Text>,
    pub params: Option<Vec<Param>>,
    #[serde(rename = "_encoding")]
    pub encoding: Option<String>,
    #[serde(rename = "_length")]
    pub length: Option<u64>,
    #[serde(rename = "_sha256")]
    pub sha256: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Param {
    pub name: Option<Text>,
    pub value: Option<Text>,
    pub file_name: Option<Text>,
    pub content_type: Option<String>,
    /// Ours: of contents that are no text, or are left out.
    #[serde(rename = "_encoding")]
    pub encoding: Option<String>,
    #[serde(rename = "_length")]
    pub length: Option<u64>,
    #[serde(rename = "_sha256")]
    pub sha256: Option<String>,
    #[serde(rename = "_headers")]
    pub headers: Option<Vec<Pair>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    pub size: Option<f64>,
    pub text: Option<Text>,
    pub encoding: Option<String>,
    #[serde(rename = "_length")]
    pub length: Option<u64>,
    #[serde(rename = "_sha256")]
    pub sha256: Option<String>,
}

#[derive(Deserialize)]
pub struct Creator {
    pub name: Option<String>,
    pub version: Option<String>,
}

/// A string that may hold what is no text: mitmproxy writes bytes it cannot decode as lone
/// surrogates, U+DC80 to U+DCFF, and those become the bytes they stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(pub Vec<u8>);

impl Text {
    pub fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for bytes, the JSON reader passes lone surrogates on instead of refusing them.
        deserializer.deserialize_byte_buf(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.as_bytes().to_vec()))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
        Ok(Text(unescape_surrogates(bytes)))
    }
}

fn unescape_surrogates(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        match rest {
            // U+DC80..=U+DCFF in the form UTF-8 would have for them.
            [0xed, second @ (0xb2 | 0xb3), third @ 0x80..=0xbf, after @ ..] => {
                out.push((second << 6) | (third & 0x3f));
                rest = after;
            }
            [byte, after @ ..] => {
                out.push(*byte);
                rest = after;
            }
            [] => return out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_of_mitmproxy_are_bytes() {
        let text: Text = serde_json::from_str(r#""a\udcff\udc80\u00e9\n""#).unwrap();
        assert_eq!(text.0, b"a\xff\x80\xc3\xa9\n");
        let pair: Text = serde_json::from_str(r#""\ud83d\ude00""#).unwrap();
        assert_eq!(pair.0, "😀".as_bytes());
    }
}
