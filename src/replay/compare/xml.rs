//! XML by structure: elements by expanded name, entries of lists by what tells them apart.

use super::siblings::{Pairing, pair};
use super::tree::Element;
use super::{Comparison, multistatus};
use crate::Weight;
use crate::reader::{Field, Order};

pub fn document(c: &mut Comparison<'_>, recorded: &Element, fresh: &Element, read: bool) {
    let place = format!("/{}", recorded.name);
    if recorded.name != fresh.name {
        let weight = if read { Weight::Different } else { Weight::Compatible };
        let why = "another root element";
        c.note(weight, "/", Some(&recorded.name), Some(&describe(c, fresh)), Some(why));
        return;
    }
    if recorded.space != fresh.space {
        let weight = if read { Weight::Different } else { Weight::Compatible };
        c.note(weight, &place, Some(&recorded.space), Some(&fresh.space), Some("another namespace"));
    }
    element(c, "", &place, recorded, fresh, read);
}

/// The root of an unexpected document, with the first text in it that says what went wrong.
fn describe(c: &Comparison<'_>, element: &Element) -> String {
    let said = element.children.iter().find(|child| !child.text.trim().is_empty());
    match said {
        Some(child) => {
            format!("{} ({}: {})", element.name, child.name, c.show(&child.name, child.text.trim()))
        }
        None => element.name.clone(),
    }
}

pub fn element(
    c: &mut Comparison<'_>,
    parent: &str,
    place: &str,
    recorded: &Element,
    fresh: &Element,
    read: bool,
) {
    for (name, value) in &recorded.attributes {
        let place = format!("{place}/@{name}");
        let read = read && c.reader.reads(name);
        let field = Field { parent: &recorded.name, name };
        match fresh.attribute(name) {
            Some(other) => c.leaf(field, &place, value, other, read),
            None => c.absent(field, &place, Some(value), None, weight(read)),
        }
    }
    for (name, value) in fresh.attributes.iter().filter(|(name, _)| recorded.attribute(name).is_none()) {
        let field = Field { parent: &recorded.name, name };
        c.absent(field, &format!("{place}/@{name}"), None, Some(value), Weight::Compatible);
    }
    text(c, parent, place, recorded, fresh, read);
    children(c, place, recorded, fresh, read);
}

/// Blanks between elements are layout.
fn text(c: &mut Comparison<'_>, parent: &str, place: &str, recorded: &Element, fresh: &Element, read: bool) {
    let (before, now) = (recorded.text.trim(), fresh.text.trim());
    if before.is_empty() && now.is_empty() {
        return;
    }
    let read = read && c.reader.reads(&recorded.name);
    let field = Field { parent, name: &recorded.name };
    if recorded.name == "href" && before != now {
        return href(c, field, place, before, now, read);
    }
    c.leaf(field, place, before, now, read);
}

/// RFC 4918 allows an address or a path alone, and any way of encoding it.
fn href(c: &mut Comparison<'_>, field: Field<'_>, place: &str, recorded: &str, fresh: &str, read: bool) {
    if c.values.substitute(recorded) == fresh {
        return;
    }
    let (before, now) = (path(recorded), path(fresh));
    if c.values.substitute(&before) == now || before == now {
        let why = Some("the same address, written otherwise");
        c.note(Weight::Compatible, place, Some(recorded), Some(fresh), why);
        return;
    }
    c.leaf(field, place, &before, &now, read);
}

/// Decoded, without scheme and host.
fn path(href: &str) -> String {
    let rest = href.split_once("://").filter(|(scheme, _)| scheme.starts_with("http"));
    let path = rest.map_or(href, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"));
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

fn children(c: &mut Comparison<'_>, place: &str, recorded: &Element, fresh: &Element, read: bool) {
    let mut done: Vec<&Element> = Vec::new();
    for child in recorded.children.iter().chain(&fresh.children) {
        if done.iter().any(|known| known.same_name(child)) {
            continue;
        }
        done.push(child);
        let of = |element: &'_ Element| -> Vec<usize> {
            let children = element.children.iter().enumerate();
            children.filter(|(_, other)| other.same_name(child)).map(|(at, _)| at).collect()
        };
        group(c, place, recorded, &of(recorded), fresh, &of(fresh), read);
    }
}

/// All children of one name.
fn group(
    c: &mut Comparison<'_>,
    place: &str,
    recorded: &Element,
    before: &[usize],
    fresh: &Element,
    now: &[usize],
    read: bool,
) {
    fn nth<'e>(parent: &'e Element, positions: &[usize], at: usize) -> Option<&'e Element> {
        parent.children.get(*positions.get(at)?)
    }
    let Pairing { pairs, missing, additional, key } = &paired(c, recorded, before, fresh, now);
    let listed = before.len() > 1 || now.len() > 1;
    let named = |c: &Comparison<'_>, element: &Element, at: usize| {
        let step = format!("{place}/{}", element.name);
        if listed { format!("{step}{}", predicate(c, element, at)) } else { step }
    };
    for (a, b) in pairs {
        let (Some(a), Some(b), at) = (nth(recorded, before, *a), nth(fresh, now, *b), *a) else { continue };
        let place = named(c, a, at);
        if a.name == "response" && a.space == "DAV:" {
            multistatus::response(c, &place, a, b, read);
        } else {
            element(c, &recorded.name, &place, a, b, read);
        }
    }
    for at in missing {
        let Some(element) = nth(recorded, before, *at) else { continue };
        let read = read && (c.reader.reads_everything() || element.any_name(&|name| c.reader.reads(name)));
        let (place, text) = (named(c, element, *at), summary(element));
        c.absent(
            Field { parent: &recorded.name, name: &element.name },
            &place,
            Some(&text),
            None,
            weight(read),
        );
    }
    for at in additional {
        let Some(element) = nth(fresh, now, *at) else { continue };
        // One more of a list is another answer; another kind of element is one that is not known yet.
        let grown = !before.is_empty() && key.is_some() && !c.reader.is_open(&element.name);
        let entry = grown || c.reader.is_entry(&element.name);
        let read =
            read && entry && (c.reader.reads_everything() || element.any_name(&|name| c.reader.reads(name)));
        let (place, text) = (named(c, element, *at), summary(element));
        c.absent(
            Field { parent: &recorded.name, name: &element.name },
            &place,
            None,
            Some(&text),
            weight(read),
        );
    }
    order(c, place, pairs, read, nth(recorded, before, 0));
}

fn order(c: &mut Comparison<'_>, place: &str, pairs: &[(usize, usize)], read: bool, first: Option<&Element>) {
    let pairing = Pairing { pairs: pairs.to_vec(), ..Pairing::default() };
    if !pairing.reordered() || c.reader.order() == Order::Free {
        return;
    }
    let name = first.map_or("", |element| element.name.as_str());
    let weight =
        if read && c.reader.order() == Order::Matters { Weight::Different } else { Weight::Compatible };
    c.note(weight, &format!("{place}/{name}"), None, None, Some("the same entries in another order"));
}

fn paired(
    c: &Comparison<'_>,
    recorded: &Element,
    before: &[usize],
    fresh: &Element,
    now: &[usize],
) -> Pairing {
    let keys = c.reader.keys();
    let key = |parent: &Element, positions: &[usize], at: usize, key: usize| {
        let element = parent.children.get(*positions.get(at)?)?;
        let fields = keys.get(key)?.iter().map(|name| value(element, name));
        fields.collect::<Option<Vec<_>>>().map(|fields| fields.join("\n"))
    };
    pair(
        before.len(),
        now.len(),
        keys.len(),
        |at, which| key(recorded, before, at, which),
        |at, which| key(fresh, now, at, which),
        |key| c.values.substitute(key).into_owned(),
        |which, a, b| {
            let name = keys.get(which).and_then(|key| key.last()).map_or("", String::as_str);
            let child = recorded.children.first().map_or("", |child| child.name.as_str());
            c.could_be(Field { parent: child, name }, a, b)
        },
    )
}

/// An attribute's value or a child's text; of an address, its path.
fn value(element: &Element, name: &str) -> Option<String> {
    let text = element.attribute(name).or_else(|| element.child(name).map(|child| child.text.trim()))?;
    if name == "href" {
        return Some(path(text).trim_end_matches('/').to_owned());
    }
    (!text.is_empty()).then(|| text.to_owned())
}

/// `[@filename="/a"]`, `[Key="a"]`, or the position from 1.
fn predicate(c: &Comparison<'_>, element: &Element, at: usize) -> String {
    for name in c.reader.keys().iter().filter_map(|key| key.last()) {
        let attribute = element.attribute(name);
        let Some(text) = attribute.or_else(|| element.child(name).map(|child| child.text.trim())) else {
            continue;
        };
        if !text.is_empty() {
            let mark = if attribute.is_some() { "@" } else { "" };
            return format!("[{mark}{name}=\"{}\"]", c.show(name, text));
        }
    }
    format!("[{}]", at + 1)
}

/// What an element says, for who has to find it.
fn summary(element: &Element) -> String {
    let text = element.text.trim();
    if !text.is_empty() {
        return text.to_owned();
    }
    match element.children.len() {
        0 => format!("<{}/>", element.name),
        count => format!("<{}> of {count} elements", element.name),
    }
}

pub fn weight(read: bool) -> Weight {
    if read { Weight::Different } else { Weight::Compatible }
}
