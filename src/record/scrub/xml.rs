//! XML and HTML, looked through as text: attributes and elements by name, everything else as text.

use std::ops::Range;

use super::edits::{Edits, xml_escaped, xml_unescaped};
use super::kind;
use super::scan::Scan;

/// Of HTML, never closed.
const VOID: &[&str] = &["br", "hr", "img", "input", "link", "meta", "base", "col", "area"];
/// Deeper than any answer; below it names of elements are no longer known.
const DEPTH_MAX: usize = 1000;

struct Attribute<'a> {
    name: &'a str,
    value: Range<usize>,
}

impl Scan<'_> {
    pub fn xml(&mut self, text: &str) -> Option<String> {
        let mut edits = Edits::default();
        let mut open: Vec<&str> = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let script = matches!(open.last(), Some(&("script" | "style")));
            let end = if script { rest.find("</") } else { rest.find('<') };
            let length = end.unwrap_or(rest.len());
            self.content(text, at..at + length, open.last().copied().unwrap_or_default(), script, &mut edits);
            at += length;
            let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else { break };
            at += if rest.starts_with("<!--") {
                let length = until(rest, "-->");
                self.content(text, at..at + length, "", true, &mut edits);
                length
            } else if let Some(data) = rest.strip_prefix("<![CDATA[") {
                let inner = data.find("]]>").unwrap_or(data.len());
                let name = open.last().copied().unwrap_or_default();
                self.content(text, at + 9..at + 9 + inner, name, true, &mut edits);
                until(rest, "]]>")
            } else if let Some(name) = rest.strip_prefix("</") {
                let name = local(name.split(['>', ' ', '\t', '\r', '\n']).next().unwrap_or_default());
                if let Some(at) = open.iter().rposition(|known| *known == name) {
                    open.truncate(at);
                }
                until(rest, ">")
            } else if rest[1..].starts_with(|c: char| c.is_alphabetic() || c == '_') {
                self.tag(text, at, &mut open, &mut edits)
            } else if rest.starts_with("<!") || rest.starts_with("<?") {
                until(rest, ">")
            } else {
                1
            };
        }
        edits.apply(text)
    }

    /// Text between tags; `raw` where entities are none.
    fn content(&mut self, text: &str, range: Range<usize>, element: &str, raw: bool, edits: &mut Edits) {
        let Some(part) = text.get(range.clone()).filter(|part| !part.trim().is_empty()) else { return };
        let plain = if raw { part.into() } else { xml_unescaped(part) };
        let new = match self.field(element) {
            Some(kind) => {
                let value = plain.trim();
                Some(self.ledger.name(kind, value)).filter(|name| name != value)
            }
            None => self.text(&plain),
        };
        if let Some(new) = new {
            edits.push(range, if raw { new } else { xml_escaped(&new) });
        }
    }

    /// An opening tag; its length.
    fn tag<'t>(&mut self, text: &'t str, at: usize, open: &mut Vec<&'t str>, edits: &mut Edits) -> usize {
        let (name, attributes, length) = parts(text, at);
        let value =
            |attribute: &Attribute| xml_unescaped(text.get(attribute.value.clone()).unwrap_or_default());
        let said = |wanted: &[&str]| {
            attributes
                .iter()
                .find(|attribute| wanted.contains(&attribute.name))
                .map(value)
                .unwrap_or_default()
        };
        // `<pref name="secure_token" value="…"/>`, `<input type="password" value="…">`
        let mut subject = self.field(&said(&["name"])).or_else(|| self.field(&said(&["id", "key"])));
        let password = said(&["type"]).eq_ignore_ascii_case("password");
        if password {
            subject = subject.or(Some(kind::PASSWORD));
        }
        for attribute in &attributes {
            let plain = value(attribute);
            let kind = match attribute.name {
                "value" | "content" => subject,
                "default" if password => subject,
                name => self.field(name),
            };
            let new = match kind {
                Some(kind) => Some(self.ledger.name(kind, &plain)).filter(|name| *name != plain),
                None => self.text(&plain),
            };
            if let Some(new) = new {
                edits.push(attribute.value.clone(), xml_escaped(&new));
            }
        }
        let closed = text.get(..at + length).is_some_and(|tag| tag.ends_with("/>"));
        if !closed && !VOID.contains(&name) && open.len() < DEPTH_MAX {
            open.push(name);
        }
        length
    }
}

/// Name, attributes and length of the tag that begins at `at`.
fn parts(text: &str, at: usize) -> (&str, Vec<Attribute<'_>>, usize) {
    let mut attributes = Vec::new();
    let in_name = |c: char| !c.is_whitespace() && !matches!(c, '>' | '/' | '=' | '"' | '\'');
    let name_at = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.get(..rest.find(|c| !in_name(c)).unwrap_or(rest.len())).unwrap_or_default()
    };
    let element = name_at(at + 1);
    let mut here = at + 1 + element.len();
    while let Some(c) = text.get(here..).and_then(|rest| rest.chars().next()) {
        if c == '>' {
            here += 1;
            break;
        }
        if !in_name(c) {
            here += c.len_utf8();
            continue;
        }
        let name = name_at(here);
        here += name.len();
        let rest = text.get(here..).unwrap_or_default();
        let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else { continue };
        here += rest.len() - value.len();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let start = here + usize::from(quote.is_some());
        let inner = text.get(start..).unwrap_or_default();
        let length = match quote {
            Some(quote) => inner.find(quote),
            None => inner.find(|c: char| c.is_whitespace() || c == '>'),
        };
        let length = length.unwrap_or(inner.len());
        attributes.push(Attribute { name: local(name), value: start..start + length });
        here = start + length + usize::from(quote.is_some());
    }
    let end = here.min(text.len());
    (local(element), attributes, end - at)
}

/// Without the prefix of its namespace.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Bytes up to and with `end`, or all of them.
fn until(text: &str, end: &str) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len())
}
