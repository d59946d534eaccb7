//! Elements that are answered as XML or, converted mechanically, as JSON.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::render::xml::Xml;

/// An element of the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    pub name: &'static str,
    pub attributes: Vec<(&'static str, String)>,
    pub children: Vec<Element>,
    pub text: Option<String>,
    /// Whether the text is written as CDATA.
    pub cdata: bool,
}

impl Element {
    pub fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    pub fn cdata(mut self, text: impl Into<String>) -> Self {
        self.cdata = true;
        self.text(text)
    }

    pub fn child(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }

    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children);
        self
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub fn write(&self, xml: &mut Xml) {
        let attributes = self.attributes.iter().map(|(name, value)| (*name, Cow::Borrowed(value.as_str())));
        if self.children.is_empty() && self.text.is_none() {
            return xml.empty(self.name, attributes);
        }
        xml.open(self.name, attributes);
        match &self.text {
            Some(text) if self.cdata => xml.cdata(text),
            Some(text) => xml.text(text),
            None => {}
        }
        for child in &self.children {
            child.write(xml);
        }
        xml.close(self.name);
    }

    /// The mechanical conversion: attributes as `@name`, children under their names, an array only
    /// when one is repeated, text beside attributes as `$`, text alone as a string, nothing as `[]`.
    pub fn to_json(&self) -> Value {
        let text = self.text.as_deref();
        if self.attributes.is_empty() && self.children.is_empty() {
            return text.map_or_else(|| Value::Array(Vec::new()), Value::from);
        }
        let mut object = Map::new();
        for (name, value) in &self.attributes {
            object.insert(format!("@{name}"), Value::from(value.as_str()));
        }
        if let Some(text) = text {
            object.insert("$".to_owned(), Value::from(text));
        }
        for child in &self.children {
            let value = child.to_json();
            let repeated = self.children.iter().filter(|other| other.name == child.name).count() > 1;
            match object.get_mut(child.name) {
                Some(Value::Array(list)) if repeated => list.push(value),
                _ if repeated => {
                    object.insert(child.name.to_owned(), Value::Array(vec![value]));
                }
                _ => {
                    object.insert(child.name.to_owned(), value);
                }
            }
        }
        Value::Object(object)
    }

    /// The first element that a path names: `user/repositories`, `plugins/ajxpcore[@id="core.mq"]`.
    /// Names and one attribute test per step; anything else of XPath finds nothing.
    pub fn find(&self, path: &str) -> Option<&Element> {
        let steps: Vec<Step<'_>> =
            path.split('/').filter(|step| !step.is_empty()).map(Step::parse).collect::<Option<_>>()?;
        if steps.is_empty() { None } else { self.descend(&steps) }
    }

    fn descend(&self, steps: &[Step<'_>]) -> Option<&Element> {
        let Some((step, rest)) = steps.split_first() else {
            return Some(self);
        };
        self.children.iter().filter(|child| step.matches(child)).find_map(|child| child.descend(rest))
    }
}

struct Step<'a> {
    name: &'a str,
    test: Option<(&'a str, &'a str)>,
}

impl<'a> Step<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let Some((name, test)) = text.split_once('[') else {
            return Some(Self { name: text, test: None });
        };
        let (attribute, value) = test.strip_suffix(']')?.strip_prefix('@')?.split_once('=')?;
        let value = value.strip_prefix(['"', '\''])?.strip_suffix(['"', '\''])?;
        Some(Self { name, test: Some((attribute, value)) })
    }

    fn matches(&self, element: &Element) -> bool {
        let attribute = |(name, value): (&str, &str)| element.attribute(name) == Some(value);
        (self.name == element.name || self.name == "*") && self.test.is_none_or(attribute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Element {
        let repository = |id: &str| {
            Element::new("repo").with("id", id).child(Element::new("label").text(format!("Label {id}")))
        };
        Element::new("ajxp_registry").child(
            Element::new("user")
                .with("id", "alice")
                .child(Element::new("repositories").children([repository("1"), repository("2")]))
                .child(Element::new("preferences")),
        )
    }

    #[test]
    fn paths_find_the_first_match() {
        let registry = registry();
        for path in ["user/repositories", "/user/repositories", "//user/repositories/"] {
            assert_eq!(registry.find(path).unwrap().name, "repositories", "{path}");
        }
        let second = registry.find("user/repositories/repo[@id='2']").unwrap();
        assert_eq!(second.attribute("id"), Some("2"));
        for path in ["", "user/nothing", "user/repositories/repo[2]", "user[@id=\"bob\"]"] {
            assert_eq!(registry.find(path), None, "{path}");
        }
    }

    #[test]
    fn json_follows_the_mechanical_rules() {
        let json = registry().find("user").unwrap().to_json();
        assert_eq!(
            json,
            serde_json::json!({
                "@id": "alice",
                "repositories": {"repo": [
                    {"@id": "1", "label": "Label 1"},
                    {"@id": "2", "label": "Label 2"},
                ]},
                "preferences": [],
            })
        );
        let property = Element::new("property").with("name", "X").cdata("true");
        assert_eq!(property.to_json(), serde_json::json!({"@name": "X", "$": "true"}));
    }
}
