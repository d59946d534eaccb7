//! Messages and diffs: what every action but a listing answers.

use std::borrow::Cow;

use cellgate_core::http::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::render::node::Attributes;
use crate::render::xml::Xml;
use crate::render::{Format, JSON, XML, json as php, respond};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Success,
    Error,
}

/// Nodes that went, came or changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Paths inside the workspace.
    pub remove: Vec<String>,
    pub add: Vec<Attributes>,
    pub update: Vec<Attributes>,
}

impl Diff {
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.add.is_empty() && self.update.is_empty()
    }
}

/// An answer inside `<tree >`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// At most one: the Python SDK fails on a second.
    pub message: Option<(Level, String)>,
    pub diff: Diff,
    /// An empty element such as `logging_result`, with its attributes. It has no JSON form.
    pub signal: Option<(&'static str, Vec<(&'static str, String)>)>,
    /// For `ajxp_im_time` of removed nodes.
    pub now_s: i64,
}

impl Envelope {
    pub fn success(text: impl Into<String>) -> Self {
        Self { message: Some((Level::Success, text.into())), ..Self::default() }
    }

    pub fn error(text: impl Into<String>) -> Self {
        Self { message: Some((Level::Error, text.into())), ..Self::default() }
    }

    pub fn signal(name: &'static str, attributes: Vec<(&'static str, String)>) -> Self {
        Self { signal: Some((name, attributes)), ..Self::default() }
    }

    pub fn respond(&self, status: StatusCode, format: Format) -> Response {
        match format {
            Format::Xml => respond(status, XML, self.xml()),
            Format::Json => respond(status, JSON, php::text(&self.json())),
        }
    }

    pub fn xml(&self) -> Vec<u8> {
        let mut xml = Xml::document();
        xml.open_spaced("tree");
        if let Some((name, attributes)) = &self.signal {
            xml.empty(name, attributes.iter().map(|(name, value)| (*name, Cow::Borrowed(value.as_str()))));
        }
        if let Some((level, text)) = &self.message {
            let level = match level {
                Level::Success => "SUCCESS",
                Level::Error => "ERROR",
            };
            xml.open("message", [("type", Cow::Borrowed(level))]);
            xml.text(text);
            xml.close("message");
        }
        if !self.diff.is_empty() {
            self.diff_xml(&mut xml);
        }
        xml.close("tree");
        xml.finish()
    }

    fn diff_xml(&self, xml: &mut Xml) {
        xml.open_bare("nodes_diff");
        if !self.diff.remove.is_empty() {
            xml.open_bare("remove");
            for path in &self.diff.remove {
                let now = self.now_s.to_string();
                xml.empty("tree", [("filename", Cow::Borrowed(path.as_str())), ("ajxp_im_time", now.into())]);
            }
            xml.close("remove");
        }
        for (name, nodes) in [("add", &self.diff.add), ("update", &self.diff.update)] {
            if !nodes.is_empty() {
                xml.open_bare(name);
                for node in nodes {
                    xml.empty("tree", node.xml());
                }
                xml.close(name);
            }
        }
        xml.close("nodes_diff");
    }

    /// A single chunk stands alone, several are collected under their keys.
    fn json(&self) -> Value {
        let mut chunks = Map::new();
        if let Some((level, text)) = &self.message {
            let level = match level {
                Level::Success => "Info",
                Level::Error => "Error",
            };
            chunks.insert("message".into(), json!({"level": level, "message": text}));
        }
        if !self.diff.is_empty() {
            chunks.insert("nodesDiff".into(), self.diff_json());
        }
        if chunks.is_empty() && matches!(self.signal, Some(("require_auth", _))) {
            return json!({"message": ""});
        }
        if chunks.len() == 1
            && let Some((_, only)) = chunks.iter_mut().next()
        {
            return only.take();
        }
        Value::Object(chunks)
    }

    fn diff_json(&self) -> Value {
        let mut diff = Map::new();
        if !self.diff.remove.is_empty() {
            let removed = self.diff.remove.iter();
            let removed = removed.map(|path| json!({"path": path, "ajxp_im_time": self.now_s}));
            diff.insert("remove".into(), removed.collect());
        }
        for (name, nodes) in [("add", &self.diff.add), ("update", &self.diff.update)] {
            if !nodes.is_empty() {
                diff.insert(name.into(), nodes.iter().map(Attributes::json).collect());
            }
        }
        Value::Object(diff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::node::Value as Attribute;

    fn node(path: &str) -> Attributes {
        Attributes(vec![("filename", Attribute::Text(path.into())), ("ajxp_im_time", Attribute::Number(7))])
    }

    fn xml(envelope: &Envelope) -> String {
        String::from_utf8(envelope.xml()).unwrap()
    }

    const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

    #[test]
    fn chunks_come_in_order_and_without_white_space() {
        let mut envelope = Envelope { now_s: 7, ..Envelope::success("a & b") };
        envelope.diff.remove.push("/old".into());
        envelope.diff.add.push(node("/new"));
        assert_eq!(
            xml(&envelope),
            format!(
                "{DECLARATION}<tree ><message type=\"SUCCESS\">a &amp; b</message><nodes_diff>\
                 <remove><tree filename=\"/old\" ajxp_im_time=\"7\"/></remove>\
                 <add><tree filename=\"/new\" ajxp_im_time=\"7\"/></add></nodes_diff></tree>"
            )
        );
        assert_eq!(xml(&Envelope::default()), format!("{DECLARATION}<tree ></tree>"));
    }

    #[test]
    fn sign_in_results_as_the_reference_writes_them() {
        let envelope =
            Envelope::signal("logging_result", vec![("value", "1".into()), ("secure_token", "f3J".into())]);
        assert_eq!(
            xml(&envelope),
            format!("{DECLARATION}<tree ><logging_result value=\"1\" secure_token=\"f3J\"/></tree>")
        );
        assert_eq!(envelope.json(), json!({}));
    }

    #[test]
    fn json_unwraps_a_single_chunk() {
        let mut envelope = Envelope::error("no");
        assert_eq!(envelope.json(), json!({"level": "Error", "message": "no"}));
        envelope.diff.update.push(node("/a"));
        assert_eq!(
            envelope.json(),
            json!({
                "message": {"level": "Error", "message": "no"},
                "nodesDiff": {"update": [{"path": "/a", "ajxp_im_time": 7}]},
            })
        );
        assert_eq!(Envelope::signal("require_auth", vec![]).json(), json!({"message": ""}));
    }
}
