//! Writing XML, event by event and without white space between elements: the Java SDK takes text
//! nodes inside `<add>` and `<update>` for nodes.

use std::borrow::Cow;

use quick_xml::Writer;
use quick_xml::events::{BytesCData, BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// A document, or a piece of one, in memory.
pub struct Xml {
    writer: Writer<Vec<u8>>,
}

impl Xml {
    /// A document with its declaration.
    pub fn document() -> Self {
        let mut xml = Self::fragment();
        xml.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        xml
    }

    /// A piece of a document that is being streamed.
    pub fn fragment() -> Self {
        Self { writer: Writer::new(Vec::with_capacity(1024)) }
    }

    pub fn open<'a>(&mut self, name: &str, attributes: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>) {
        self.event(Event::Start(start(name, attributes)));
    }

    pub fn open_bare(&mut self, name: &str) {
        self.event(Event::Start(BytesStart::new(name)));
    }

    /// `<tree >`: the wrapper has a blank before its bracket, and scripts look for it so.
    pub fn open_spaced(&mut self, name: &str) {
        self.event(Event::Start(BytesStart::from_content(format!("{name} "), name.len())));
    }

    /// As [`Xml::open_spaced`], with attributes.
    pub fn open_spaced_with<'a>(
        &mut self,
        name: &str,
        attributes: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>,
    ) {
        let element = start(name, attributes);
        let content = format!("{} ", &*element);
        self.event(Event::Start(BytesStart::from_content(content, name.len())));
    }

    pub fn empty<'a>(&mut self, name: &str, attributes: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>) {
        self.event(Event::Empty(start(name, attributes)));
    }

    pub fn close(&mut self, name: &str) {
        self.event(Event::End(BytesEnd::new(name)));
    }

    pub fn text(&mut self, text: &str) {
        let text = clean(text);
        self.event(Event::Text(BytesText::new(&text)));
    }

    pub fn cdata(&mut self, text: &str) {
        let text = clean(text);
        for piece in BytesCData::escaped(&text) {
            self.event(Event::CData(piece));
        }
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.writer.get_ref().len()
    }

    pub fn finish(self) -> Vec<u8> {
        self.writer.into_inner()
    }

    fn event(&mut self, event: Event<'_>) {
        // Writing into memory does not fail.
        let _ = self.writer.write_event(event);
    }
}

fn start<'a>(
    name: &str,
    attributes: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>,
) -> BytesStart<'static> {
    let mut element = BytesStart::new(name.to_owned());
    for (name, value) in attributes {
        element.push_attribute((name, clean(&value).as_ref()));
    }
    element
}

/// Drops what XML 1.0 cannot carry: the writer would put it out raw, and one name would make the
/// whole listing unreadable.
fn clean(text: &str) -> Cow<'_, str> {
    let forbidden =
        |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.contains(forbidden) { text.replace(forbidden, "").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_carry_is_dropped_and_the_rest_escaped() {
        let mut xml = Xml::fragment();
        xml.open("tree", [("text", Cow::Borrowed("a\u{1}<\"&\u{ffff}é"))]);
        xml.text("x\u{7} < & >");
        xml.close("tree");
        let text = String::from_utf8(xml.finish()).unwrap();
        assert_eq!(text, "<tree text=\"a&lt;&quot;&amp;é\">x &lt; &amp; &gt;</tree>");
    }
}
