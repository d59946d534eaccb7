//! A `DAV:response`: what counts is which property has which value under which status, however the server
//! groups them.

use super::tree::Element;
use super::xml::{element, weight};
use super::{Comparison, UNREAD};
use crate::Weight;
use crate::reader::Field;

struct Property<'a> {
    element: &'a Element,
    status: String,
}

pub fn response(c: &mut Comparison<'_>, place: &str, recorded: &Element, fresh: &Element, read: bool) {
    let (before, now) = (properties(recorded), properties(fresh));
    for property in &before {
        let name = &property.element.name;
        let place = format!("{place}/{name}");
        let read = read
            && (c.reader.reads_everything()
                || c.reader.reads(name)
                || property.element.any_name(&|name| c.reader.reads(name)));
        match now.iter().find(|other| other.element.same_name(property.element)) {
            Some(other) if class(&property.status) == class(&other.status) => {
                if property.status != other.status {
                    status(c, &place, property, Some(&other.status), weight(read));
                }
                element(c, "prop", &place, property.element, other.element, read);
            }
            // Not to have a property and not to mention it are the same.
            None if class(&property.status) == '4' => {}
            // What was refused or unknown works here.
            Some(other) if class(&property.status) == '4' && class(&other.status) == '2' => {
                status(c, &place, property, Some(&other.status), Weight::Compatible);
            }
            other => status(c, &place, property, other.map(|other| other.status.as_str()), weight(read)),
        }
    }
    for property in now.iter().filter(|property| class(&property.status) == '2') {
        if !before.iter().any(|other| other.element.same_name(property.element)) {
            let name = property.element.name.as_str();
            let place = format!("{place}/{name}");
            let text = property.element.text.trim();
            c.absent(Field { parent: "prop", name }, &place, None, Some(text), Weight::Compatible);
        }
    }
    // What is left: the address, a status of the whole, an error.
    element(c, "multistatus", place, &rest(recorded), &rest(fresh), read);
}

fn status(c: &mut Comparison<'_>, place: &str, recorded: &Property<'_>, fresh: Option<&str>, weight: Weight) {
    let text = recorded.element.text.trim();
    let shown = c.show(&recorded.element.name, text);
    let before =
        if shown.is_empty() { recorded.status.clone() } else { format!("{} {shown}", recorded.status) };
    let why = match (weight, fresh) {
        (Weight::Different, None) => "missing",
        (Weight::Different, Some(_)) => "another status of this property",
        (Weight::Compatible, _) if recorded.status == "404" => "additional",
        (Weight::Compatible, _) if class(&recorded.status) == '4' => "refused before, accepted now",
        (Weight::Compatible, _) => UNREAD,
    };
    c.note(weight, place, Some(&before), fresh, Some(why));
}

fn properties(response: &Element) -> Vec<Property<'_>> {
    let propstats = response.children.iter().filter(|child| child.name == "propstat");
    propstats
        .flat_map(|propstat| {
            let status = propstat.child("status").map_or("", |status| status.text.trim());
            let status = status.split_ascii_whitespace().nth(1).unwrap_or("200").to_owned();
            let props = propstat.child("prop").map(|prop| prop.children.as_slice()).unwrap_or_default();
            props.iter().map(move |element| Property { element, status: status.clone() })
        })
        .collect()
}

fn class(status: &str) -> char {
    status.chars().next().unwrap_or('2')
}

fn rest(response: &Element) -> Element {
    let keep = |child: &&Element| child.name != "propstat";
    Element {
        space: response.space.clone(),
        name: response.name.clone(),
        attributes: response.attributes.clone(),
        text: response.text.clone(),
        children: response.children.iter().filter(keep).cloned().collect(),
    }
}
