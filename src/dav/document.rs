//! XML documents of requests: parsed whole, namespaces resolved, entities never expanded.
//!
//! Parts of them (property values, lock owners) are kept and later put into other documents, so
//! what this file accepts it can also write again, well-formed and on its own: names and characters
//! are checked, text is unescaped here and escaped there, declarations are repeated where an
//! element leaves its surroundings. Comments and processing instructions are dropped.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::error::DavError;
use crate::xml::{push_attribute, push_text};

/// Largest body of PROPFIND, PROPPATCH and LOCK.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
const DEPTH_MAX: usize = 64;
const ELEMENTS_MAX: usize = 10_000;

pub const DAV: &str = "DAV:";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// An expanded name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    pub ns: String,
    pub local: String,
}

impl Name {
    pub fn is_dav(&self, local: &str) -> bool {
        self.ns == DAV && self.local == local
    }

    /// `{namespace}local`: the key under which a property is kept.
    pub fn key(&self) -> String {
        format!("{{{}}}{}", self.ns, self.local)
    }

    pub fn from_key(key: &str) -> Option<Self> {
        let (ns, local) = key.strip_prefix('{')?.rsplit_once('}')?;
        Some(Self { ns: ns.into(), local: local.into() })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    pub name: Name,
    prefix: String,
    /// `xmlns` attributes of this element: prefix (empty for the default) and namespace.
    declarations: Vec<(String, String)>,
    attributes: Vec<Attribute>,
    /// `xml:lang` that holds for the element, its own or from above.
    lang: Option<String>,
    pub children: Vec<Child>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    name: Name,
    prefix: String,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Child {
    Element(Element),
    Text(String),
}

impl Element {
    /// Parses a body. Every kind of flaw is a 400.
    pub fn parse(body: &[u8]) -> Result<Self, DavError> {
        parse(&decode(body)?).map_err(DavError::bad_request)
    }

    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|child| match child {
            Child::Element(element) => Some(element),
            Child::Text(_) => None,
        })
    }

    /// The first child element with this name in the `DAV:` namespace.
    pub fn child(&self, local: &str) -> Option<&Element> {
        self.elements().find(|element| element.name.is_dav(local))
    }

    /// All text below, in order.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for child in &self.children {
            match child {
                Child::Element(element) => text.push_str(&element.text()),
                Child::Text(piece) => text.push_str(piece),
            }
        }
        text
    }

    /// The element as a document of its own: every namespace it uses is declared in it.
    pub fn standalone(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out, &mut Vec::new(), true);
        String::from_utf8(out).unwrap_or_default()
    }

    /// What is inside, each element standing on its own.
    pub fn inner(&self) -> String {
        let mut out = Vec::new();
        for child in &self.children {
            match child {
                Child::Element(element) => element.write(&mut out, &mut Vec::new(), true),
                Child::Text(text) => push_text(&mut out, text),
            }
        }
        String::from_utf8(out).unwrap_or_default()
    }

    /// `scope` holds the declarations written so far, innermost last.
    fn write(&self, out: &mut Vec<u8>, scope: &mut Vec<(String, String)>, top: bool) {
        let outside = scope.len();
        scope.extend(self.declarations.iter().cloned());
        declare(scope, outside, &self.prefix, &self.name.ns);
        for attribute in self.attributes.iter().filter(|attribute| !attribute.prefix.is_empty()) {
            declare(scope, outside, &attribute.prefix, &attribute.name.ns);
        }

        out.push(b'<');
        push_qualified(out, &self.prefix, &self.name.local);
        for (prefix, ns) in scope.get(outside..).unwrap_or_default() {
            let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
            push_attribute(out, &name, ns);
        }
        for attribute in &self.attributes {
            if attribute.prefix.is_empty() {
                push_attribute(out, &attribute.name.local, &attribute.value);
            } else {
                push_attribute(
                    out,
                    &format!("{}:{}", attribute.prefix, attribute.name.local),
                    &attribute.value,
                );
            }
        }
        // RFC 4918 §4.3: the language in scope belongs to the value.
        let own_lang = self
            .attributes
            .iter()
            .any(|attribute| attribute.name.ns == XML && attribute.name.local == "lang");
        if let Some(lang) = self.lang.as_ref().filter(|_| top && !own_lang) {
            push_attribute(out, "xml:lang", lang);
        }
        if self.children.is_empty() {
            out.extend_from_slice(b"/>");
        } else {
            out.push(b'>');
            for child in &self.children {
                match child {
                    Child::Element(element) => element.write(out, scope, false),
                    Child::Text(text) => push_text(out, text),
                }
            }
            out.extend_from_slice(b"</");
            push_qualified(out, &self.prefix, &self.name.local);
            out.push(b'>');
        }
        scope.truncate(outside);
    }
}

fn push_qualified(out: &mut Vec<u8>, prefix: &str, local: &str) {
    if !prefix.is_empty() {
        out.extend_from_slice(prefix.as_bytes());
        out.push(b':');
    }
    out.extend_from_slice(local.as_bytes());
}

/// Adds a declaration unless what is in scope already means the same.
fn declare(scope: &mut Vec<(String, String)>, own_from: usize, prefix: &str, ns: &str) {
    if prefix == "xml" {
        return;
    }
    let current = scope.iter().rev().find(|(known, _)| known == prefix).map(|(_, ns)| ns.as_str());
    if current == Some(ns) || (current.is_none() && ns.is_empty() && own_from > 0) {
        return;
    }
    scope.push((prefix.to_owned(), ns.to_owned()));
}

/// UTF-8, or UTF-16 with its mark (RFC 4918 §8.2 wants both).
fn decode(body: &[u8]) -> Result<String, DavError> {
    let wide = |unit: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        if rest.is_empty() { String::from_utf16(&units).ok() } else { None }
    };
    match body {
        [0xFE, 0xFF, rest @ ..] => wide(u16::from_be_bytes, rest),
        [0xFF, 0xFE, rest @ ..] => wide(u16::from_le_bytes, rest),
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        _ => std::str::from_utf8(body).ok().map(str::to_owned),
    }
    .ok_or_else(|| DavError::bad_request("the XML body is neither UTF-8 nor UTF-16"))
}

/// What is open while parsing.
struct Open {
    element: Element,
    /// How many declarations were in scope outside it.
    outside: usize,
    qualified: String,
}

fn parse(text: &str) -> Result<Element, &'static str> {
    if text.chars().any(|c| !is_xml_char(c)) {
        return Err("the XML body has a character that XML does not allow");
    }
    let mut reader = Reader::from_str(text);
    let mut scope: Vec<(String, String)> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut count = 0;
    loop {
        match reader.read_event().map_err(|_| "the XML body is not well-formed")? {
            Event::Start(tag) => {
                if root.is_some() {
                    return Err("the XML body has more than one root");
                }
                count += 1;
                if count > ELEMENTS_MAX || open.len() >= DEPTH_MAX {
                    return Err("the XML body has too many elements");
                }
                open.push(start(&tag, &mut scope, open.last())?);
            }
            Event::Empty(tag) => {
                if root.is_some() {
                    return Err("the XML body has more than one root");
                }
                count += 1;
                if count > ELEMENTS_MAX {
                    return Err("the XML body has too many elements");
                }
                let opened = start(&tag, &mut scope, open.last())?;
                close(opened, &mut scope, &mut open, &mut root);
            }
            Event::End(tag) => {
                let opened = open.pop().ok_or("the XML body is not well-formed")?;
                if opened.qualified != tag.name().0 {
                    return Err("the XML body is not well-formed");
                }
                close(opened, &mut scope, &mut open, &mut root);
            }
            Event::Text(piece) => add_text(&mut open, &piece.xml10_content())?,
            Event::CData(piece) if open.is_empty() => {
                let _ = piece;
                return Err("the XML body has text outside its root");
            }
            Event::CData(piece) => add_text(&mut open, &piece.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) if is_xml_char(character) => character,
                    Ok(Some(_)) | Err(_) => return Err("the XML body has an invalid character reference"),
                    Ok(None) => match &*reference {
                        "lt" => '<',
                        "gt" => '>',
                        "amp" => '&',
                        "apos" => '\'',
                        "quot" => '"',
                        _ => return Err("the XML body has an unknown entity"),
                    },
                };
                if open.is_empty() {
                    return Err("the XML body has text outside its root");
                }
                add_text(&mut open, character.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(declaration) => {
                let encoding =
                    declaration.encoding().transpose().map_err(|_| "the XML body is not well-formed")?;
                let known = ["utf-8", "utf8", "utf-16", "us-ascii", "ascii"];
                if encoding.is_some_and(|name| !known.iter().any(|known| name.eq_ignore_ascii_case(known))) {
                    return Err("the XML body is in an encoding other than UTF-8 and UTF-16");
                }
            }
            // Nothing of WebDAV needs one, and entities begin here.
            Event::DocType(_) => return Err("the XML body has a document type declaration"),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if !open.is_empty() {
        return Err("the XML body ends early");
    }
    root.ok_or("the XML body is empty")
}

fn add_text(open: &mut [Open], text: &str) -> Result<(), &'static str> {
    match open.last_mut() {
        Some(parent) => {
            if let Some(Child::Text(before)) = parent.element.children.last_mut() {
                before.push_str(text);
            } else if !text.is_empty() {
                parent.element.children.push(Child::Text(text.to_owned()));
            }
            Ok(())
        }
        None if text.chars().all(|c| c.is_ascii_whitespace()) => Ok(()),
        None => Err("the XML body has text outside its root"),
    }
}

fn close(opened: Open, scope: &mut Vec<(String, String)>, open: &mut [Open], root: &mut Option<Element>) {
    scope.truncate(opened.outside);
    match open.last_mut() {
        Some(parent) => parent.element.children.push(Child::Element(opened.element)),
        None => *root = Some(opened.element),
    }
}

fn start(
    tag: &BytesStart<'_>,
    scope: &mut Vec<(String, String)>,
    parent: Option<&Open>,
) -> Result<Open, &'static str> {
    let outside = scope.len();
    let mut plain = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| "the XML body has a malformed attribute")?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| "the XML body has a malformed attribute")?;
        if value.chars().any(|c| !is_xml_char(c)) {
            return Err("the XML body has an invalid character reference");
        }
        let name = attribute.key.0;
        if name == "xmlns" {
            scope.push((String::new(), value.into_owned()));
        } else if let Some(prefix) = name.strip_prefix("xmlns:") {
            // Namespaces in XML 1.0 §5: a prefix cannot be undeclared, `xml` and `xmlns` are taken.
            if value.is_empty()
                || prefix == "xmlns"
                || (prefix == "xml") != (value == XML)
                || !is_name(prefix)
            {
                return Err("the XML body has an invalid namespace declaration");
            }
            if prefix != "xml" {
                scope.push((prefix.to_owned(), value.into_owned()));
            }
        } else {
            plain.push((name.to_owned(), value.into_owned()));
        }
    }
    let declarations = scope.get(outside..).unwrap_or_default().to_vec();

    let resolve = |qualified: &str, is_attribute: bool| {
        let (prefix, local) = qualified.split_once(':').unwrap_or(("", qualified));
        if !is_name(local) || !(prefix.is_empty() || is_name(prefix)) || qualified.starts_with(':') {
            return Err("the XML body has an invalid name");
        }
        let ns = match prefix {
            "xml" => XML,
            "" if is_attribute => "",
            _ => match scope.iter().rev().find(|(known, _)| known == prefix) {
                Some((_, ns)) => ns,
                None if prefix.is_empty() => "",
                None => return Err("the XML body uses a prefix that it does not declare"),
            },
        };
        Ok((Name { ns: ns.to_owned(), local: local.to_owned() }, prefix.to_owned()))
    };
    let qualified = tag.name().0.to_owned();
    let (name, prefix) = resolve(&qualified, false)?;
    let mut attributes: Vec<Attribute> = Vec::with_capacity(plain.len());
    for (qualified, value) in plain {
        let (name, prefix) = resolve(&qualified, true)?;
        // Two prefixes for one namespace make one attribute twice.
        if attributes.iter().any(|other| other.name == name) {
            return Err("the XML body has an attribute twice");
        }
        attributes.push(Attribute { name, prefix, value });
    }
    let lang = attributes
        .iter()
        .find(|attribute| attribute.name.ns == XML && attribute.name.local == "lang")
        .map(|attribute| attribute.value.clone())
        .or_else(|| parent.and_then(|parent| parent.element.lang.clone()));
    let element = Element { name, prefix, declarations, attributes, lang, children: Vec::new() };
    Ok(Open { element, outside, qualified })
}

/// `Char` of XML 1.0 §2.2.
pub fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// `NCName`: a name of XML 1.0 §2.3 without a colon.
fn is_name(text: &str) -> bool {
    let start = |c: char| {
        matches!(c, 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}'
            | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}'
            | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
            | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
            | '\u{10000}'..='\u{EFFFF}')
    };
    let rest = |c: char| {
        start(c)
            || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
    };
    let mut chars = text.chars();
    chars.next().is_some_and(start) && chars.all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Element {
        Element::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn names_are_resolved() {
        let root =
            parsed("<a:x xmlns:a='DAV:' xmlns='urn:d'><y a:z='1'/><a:q xmlns:a='urn:a'/><n xmlns=''/></a:x>");
        assert!(root.name.is_dav("x"));
        let keys: Vec<_> = root.elements().map(|element| element.name.key()).collect();
        assert_eq!(keys, ["{urn:d}y", "{urn:a}q", "{}n"]);
        assert_eq!(Name::from_key("{urn:d}y"), Some(Name { ns: "urn:d".into(), local: "y".into() }));
        assert_eq!(Name::from_key("{}n"), Some(Name { ns: String::new(), local: "n".into() }));
    }

    #[test]
    fn an_element_that_leaves_takes_its_namespaces_along() {
        let root = parsed(
            "<D:p xmlns:D='DAV:' xmlns:x='urn:x' xml:lang='de'><x:a>t &amp; <D:b q='&quot;'/><![CDATA[<]]></x:a></D:p>",
        );
        let value = root.elements().next().unwrap().standalone();
        assert_eq!(
            value,
            "<x:a xmlns:x=\"urn:x\" xml:lang=\"de\">t &amp; <D:b xmlns:D=\"DAV:\" q=\"&quot;\"/>&lt;</x:a>"
        );
        // What was written is read as the same thing again.
        let again = parsed(&value);
        assert_eq!(again.name.key(), "{urn:x}a");
        assert_eq!(again.text(), "t & <");
        assert!(again.child("b").is_some());
    }

    #[test]
    fn the_null_namespace_stays_null() {
        let root = parsed("<a xmlns='urn:a'><b xmlns=''><c/></b></a>");
        let value = root.elements().next().unwrap().standalone();
        assert_eq!(value, "<b xmlns=\"\"><c/></b>");
        let root = parsed("<D:a xmlns:D='DAV:'><b/></D:a>");
        assert_eq!(root.elements().next().unwrap().standalone(), "<b xmlns=\"\"/>");
    }

    #[test]
    fn owners_keep_what_they_contain() {
        let root = parsed("<D:owner xmlns:D='DAV:'>me <D:href>http://x/</D:href></D:owner>");
        assert_eq!(root.inner(), "me <D:href xmlns:D=\"DAV:\">http://x/</D:href>");
    }

    #[test]
    fn utf_16_is_read() {
        let text = "<a xmlns='DAV:'>é</a>";
        let mut body = vec![0xFF, 0xFE];
        body.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(Element::parse(&body).unwrap().text(), "é");
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(70), "</a>".repeat(70));
        let wide = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX));
        for body in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a b='1' b='2'/>",
            "<a b=1/>",
            "<a xmlns:b=''/>",
            "<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>",
            "<b:a/>",
            "<a b:c='1'/>",
            "<1a/>",
            "<a><b<c/></a>",
            "<a:b:c xmlns:a='u'/>",
            "<:a/>",
            "<a>&x;</a>",
            "<a b='&x;'/>",
            "<a>&#0;</a>",
            "<a>&#1;</a>",
            "<a>\u{1}</a>",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<?xml version='1.0' encoding='iso-8859-1'?><a/>",
            deep.as_str(),
            wide.as_str(),
        ] {
            let shown: String = body.chars().take(60).collect();
            assert!(Element::parse(body.as_bytes()).is_err(), "{shown}");
        }
        assert!(Element::parse(b"<a>\xff</a>").is_err());
        assert!(Element::parse(&[0xFF, 0xFE, 0x3C]).is_err());
    }
}
