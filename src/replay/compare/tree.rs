//! An XML document as a tree, by expanded names.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    pub space: String,
    pub name: String,
    /// Without declarations of namespaces; names of a namespace as `{space}name`.
    pub attributes: Vec<(String, String)>,
    /// Its own text, all pieces together.
    pub text: String,
    pub children: Vec<Element>,
}

/// Documents of hostile servers are no deeper or longer either.
const DEEPEST: usize = 200;
const MOST_ELEMENTS: usize = 2_000_000;

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub fn same_name(&self, other: &Self) -> bool {
        self.name == other.name && self.space == other.space
    }

    /// Its own name or any below it.
    pub fn any_name(&self, wanted: &impl Fn(&str) -> bool) -> bool {
        wanted(&self.name)
            || self.attributes.iter().any(|(name, _)| wanted(name))
            || self.children.iter().any(|child| child.any_name(wanted))
    }
}

/// The root element. Entities other than XML's own are not resolved, and none is ever fetched.
pub fn parse(bytes: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let mut open: Vec<Element> = vec![Element::default()];
    let mut elements = 0;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(start) => {
                elements += 1;
                open.push(element(&reader, &start)?);
            }
            Event::Empty(start) => {
                elements += 1;
                let element = element(&reader, &start)?;
                open.last_mut().ok_or("no root")?.children.push(element);
            }
            Event::End(_) => {
                let element = open.pop().ok_or("unbalanced")?;
                open.last_mut().ok_or("unbalanced")?.children.push(element);
            }
            Event::Text(text) => push(&mut open, &text.xml10_content()),
            Event::CData(text) => push(&mut open, &text.xml10_content()),
            Event::GeneralRef(entity) => {
                let char = entity.resolve_char_ref().map_err(|error| error.to_string())?;
                match (char, resolve_predefined_entity(&entity)) {
                    (Some(char), _) => push(&mut open, char.encode_utf8(&mut [0; 4])),
                    (None, Some(known)) => push(&mut open, known),
                    (None, None) => push(&mut open, &format!("&{};", &*entity)),
                }
            }
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
        if open.len() > DEEPEST || elements > MOST_ELEMENTS {
            return Err("nested too deep or too large".into());
        }
    }
    match (open.len(), open.pop()) {
        (1, Some(mut document)) if document.children.len() == 1 && document.text.trim().is_empty() => {
            document.children.pop().ok_or_else(|| "no root".into())
        }
        (1, _) => Err("not one root element".into()),
        _ => Err("cut short".into()),
    }
}

fn push(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn element(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Element, String> {
    let (space, name) = reader.resolver().resolve_element(start.name());
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let key = attribute.key.into_inner();
        if key == "xmlns" || key.starts_with("xmlns:") {
            continue;
        }
        let (space, local) = reader.resolver().resolve_attribute(attribute.key);
        let name = match namespace(&space) {
            space if space.is_empty() => local.into_inner().to_owned(),
            space => format!("{{{space}}}{}", local.into_inner()),
        };
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        attributes.push((name, value.into_owned()));
    }
    let name = name.into_inner().to_owned();
    Ok(Element { space: namespace(&space), name, attributes, ..Element::default() })
}

/// An unknown prefix is a namespace of its own: some old servers forgot to declare theirs.
fn namespace(space: &ResolveResult<'_>) -> String {
    match space {
        ResolveResult::Bound(space) => space.into_inner().to_owned(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(prefix) => format!("prefix {prefix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_do_not_matter() {
        let one = parse(
            b"<?xml version='1.0'?><D:a xmlns:D='DAV:' x='1&amp;2'><D:b>t &lt;&#33;<![CDATA[&]]></D:b></D:a>",
        );
        let other = parse(b"<a xmlns='DAV:' x=\"1&amp;2\"><b>t &lt;!&amp;</b></a>");
        assert_eq!(one, other);
        let root = one.unwrap_or_default();
        assert_eq!((root.space.as_str(), root.name.as_str()), ("DAV:", "a"));
        assert_eq!(root.attribute("x"), Some("1&2"));
        assert_eq!(root.child("b").map(|child| child.text.as_str()), Some("t <!&"));
    }

    #[test]
    fn what_is_no_document() {
        for text in ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a/>text", "{}", "<a x=1 x=2/>", "<a"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(b"<a>\xff</a>").is_err());
        assert!(parse("<a>".repeat(10_000).as_bytes()).is_err());
        assert!(
            parse(b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>")
                .is_ok_and(|root| root.text == "&b;")
        );
    }
}
