//! JSON by structure: members by name, entries of lists by what tells them apart.

use serde_json::{Map, Value};

use super::Comparison;
use super::siblings::{Pairing, pair};
use super::xml::weight;
use crate::Weight;
use crate::reader::{Field, Order};

pub fn document(c: &mut Comparison<'_>, recorded: &Value, fresh: &Value, read: bool) {
    value(c, "", "$", recorded, fresh, read);
}

/// `name`: of the member that holds the value, empty at the root.
pub fn value(c: &mut Comparison<'_>, name: &str, place: &str, recorded: &Value, fresh: &Value, read: bool) {
    match (recorded, fresh) {
        (Value::Object(before), Value::Object(now)) => object(c, name, place, before, now, read),
        (Value::Array(before), Value::Array(now)) => array(c, name, place, before, now, read),
        _ => leaf(c, Field { parent: "", name }, place, recorded, fresh, read),
    }
}

fn member(
    c: &mut Comparison<'_>,
    field: Field<'_>,
    place: &str,
    recorded: &Value,
    fresh: &Value,
    read: bool,
) {
    match (recorded, fresh) {
        (Value::Object(_), Value::Object(_)) | (Value::Array(_), Value::Array(_)) => {
            value(c, field.name, place, recorded, fresh, read);
        }
        _ => leaf(c, field, place, recorded, fresh, read && c.reader.reads(field.name)),
    }
}

fn leaf(c: &mut Comparison<'_>, field: Field<'_>, place: &str, recorded: &Value, fresh: &Value, read: bool) {
    match (recorded, fresh) {
        (Value::String(before), Value::String(now)) => text(c, field, place, before, now, read),
        (Value::Number(before), Value::Number(now)) => {
            let same = before == now || before.as_f64().is_some_and(|number| now.as_f64() == Some(number));
            if !same || before.to_string() == now.to_string() {
                c.leaf(field, place, &before.to_string(), &now.to_string(), read);
            }
        }
        _ if recorded == fresh => {}
        _ if c.reader.omits_zero() && is_zero(recorded) && is_zero(fresh) => {}
        _ => {
            let types = kind(recorded) != kind(fresh);
            let why = types.then(|| format!("{} instead of {}", kind(fresh), kind(recorded)));
            let (before, now) = (shown(c, field.name, recorded), shown(c, field.name, fresh));
            c.note(weight(read), place, Some(&before), Some(&now), why.as_deref());
        }
    }
}

/// A text may hold JSON itself, as Cells' metadata do; then it is compared as such.
fn text(c: &mut Comparison<'_>, field: Field<'_>, place: &str, recorded: &str, fresh: &str, read: bool) {
    let inner = |text: &str| -> Option<Value> {
        let value: Value = text.starts_with(['{', '[', '"']).then(|| serde_json::from_str(text).ok())??;
        (value.is_object() || value.is_array() || value.is_string()).then_some(value)
    };
    match (inner(recorded), inner(fresh)) {
        (Some(Value::String(before)), Some(Value::String(now))) => c.leaf(field, place, &before, &now, read),
        (Some(before @ (Value::Object(_) | Value::Array(_))), Some(now)) if kind(&before) == kind(&now) => {
            value(c, field.name, &format!("{place} (JSON) $"), &before, &now, read);
        }
        _ => c.leaf(field, place, recorded, fresh, read),
    }
}

fn object(
    c: &mut Comparison<'_>,
    name: &str,
    place: &str,
    recorded: &Map<String, Value>,
    fresh: &Map<String, Value>,
    read: bool,
) {
    let (before, now): (Vec<&String>, Vec<&String>) = (recorded.keys().collect(), fresh.keys().collect());
    // Members may be named by paths or identifiers, which are others here.
    let pairing = pair(
        before.len(),
        now.len(),
        1,
        |at, _| before.get(at).map(|key| (*key).clone()),
        |at, _| now.get(at).map(|key| (*key).clone()),
        |key| c.values.substitute(key).into_owned(),
        |_, a, b| c.could_be(Field { parent: name, name: "path" }, a, b),
    );
    let pairing = if before.len() == 1 && now.len() == 1 && before != now {
        apart(c, name, &before, &now)
    } else {
        pairing
    };
    for (a, b) in &pairing.pairs {
        let (Some(key), Some(other)) = (before.get(*a), now.get(*b)) else { continue };
        let (Some(recorded), Some(fresh)) = (recorded.get(*key), fresh.get(*other)) else { continue };
        if key != other {
            c.leaf(Field { parent: name, name: "path" }, &step(place, key), key, other, read);
        }
        member(c, Field { parent: name, name: key }, &step(place, key), recorded, fresh, read);
    }
    for key in pairing.missing.iter().filter_map(|at| before.get(*at)) {
        let Some(value) = recorded.get(*key) else { continue };
        if c.reader.omits_zero() && is_zero(value) {
            continue;
        }
        let read =
            read && (c.reader.reads_everything() || any_name(key, value, &|name| c.reader.reads(name)));
        let text = shown(c, key, value);
        c.absent(Field { parent: name, name: key }, &step(place, key), Some(&text), None, weight(read));
    }
    for key in pairing.additional.iter().filter_map(|at| now.get(*at)) {
        let Some(value) = fresh.get(*key) else { continue };
        if c.reader.omits_zero() && is_zero(value) {
            continue;
        }
        // A list that was left out because it was empty, or an entry of a list by path.
        let list = value.as_array().is_some_and(|entries| entries.iter().any(Value::is_object));
        let entry = (c.reader.omits_zero() && list) || key.starts_with('/') || c.reader.is_entry(key);
        let read = read
            && entry
            && (c.reader.reads_everything() || any_name(key, value, &|name| c.reader.reads(name)));
        let text = shown(c, key, value);
        c.absent(Field { parent: name, name: key }, &step(place, key), None, Some(&text), weight(read));
    }
}

/// Two objects of one member each: the members are one only if their names could be.
fn apart(c: &Comparison<'_>, name: &str, before: &[&String], now: &[&String]) -> Pairing {
    let both = before.first().zip(now.first());
    let one = both.is_some_and(|(a, b)| {
        c.values.substitute(a) == **b || c.could_be(Field { parent: name, name: "path" }, a, b)
    });
    match one {
        true => Pairing { pairs: vec![(0, 0)], ..Pairing::default() },
        false => Pairing { missing: vec![0], additional: vec![0], ..Pairing::default() },
    }
}

fn array(c: &mut Comparison<'_>, name: &str, place: &str, recorded: &[Value], fresh: &[Value], read: bool) {
    let keys = c.reader.keys();
    let key = |list: &[Value], at: usize, which: usize| -> Option<String> {
        let entry = list.get(at)?;
        // A plain value is its own key.
        let Some(object) = entry.as_object() else { return scalar(entry) };
        let fields = keys.get(which)?.iter().map(|name| object.get(name).and_then(scalar));
        fields.collect::<Option<Vec<_>>>().map(|fields| fields.join("\n"))
    };
    let pairing = pair(
        recorded.len(),
        fresh.len(),
        keys.len(),
        |at, which| key(recorded, at, which),
        |at, which| key(fresh, at, which),
        |key| c.values.substitute(key).into_owned(),
        |which, a, b| {
            let key = keys.get(which).and_then(|key| key.last()).map_or("", String::as_str);
            c.could_be(Field { parent: name, name: key }, a, b)
        },
    );
    let listed = pairing.key;
    for (a, b) in &pairing.pairs {
        let (Some(before), Some(now)) = (recorded.get(*a), fresh.get(*b)) else { continue };
        let place = format!("{place}{}", predicate(c, before, *a, listed));
        member(c, Field { parent: "", name }, &place, before, now, read);
    }
    for (at, value, gone) in pairing
        .missing
        .iter()
        .filter_map(|at| recorded.get(*at).map(|value| (*at, value, true)))
        .chain(pairing.additional.iter().filter_map(|at| fresh.get(*at).map(|value| (*at, value, false))))
    {
        let read =
            read && (c.reader.reads_everything() || any_name(name, value, &|name| c.reader.reads(name)));
        let read = read && (gone || !c.reader.is_open(name));
        let place = format!("{place}{}", predicate(c, value, at, listed));
        let text = shown(c, name, value);
        let (before, now) = if gone { (Some(text.as_str()), None) } else { (None, Some(text.as_str())) };
        c.absent(Field { parent: "", name }, &place, before, now, weight(read));
    }
    if pairing.reordered() && c.reader.order() != Order::Free {
        let matters = read && c.reader.order() == Order::Matters;
        let weight = if matters { Weight::Different } else { Weight::Compatible };
        c.note(weight, place, None, None, Some("the same entries in another order"));
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `[name="a"]`, or the position from 0.
fn predicate(c: &Comparison<'_>, value: &Value, at: usize, listed: Option<usize>) -> String {
    let named = listed.and_then(|which| c.reader.keys().get(which)).and_then(|key| key.last());
    let text = named.and_then(|name| value.get(name).and_then(scalar).map(|text| (name, text)));
    match text {
        Some((name, text)) => format!("[{name}={}]", Value::String(c.show(name, &text))),
        None => format!("[{at}]"),
    }
}

fn step(place: &str, key: &str) -> String {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if plain { format!("{place}.{key}") } else { format!("{place}[{}]", Value::from(key)) }
}

/// What protocol buffers leave out.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(set) => !set,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text == "0",
        Value::Array(entries) => entries.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn any_name(name: &str, value: &Value, wanted: &impl Fn(&str) -> bool) -> bool {
    wanted(name)
        || match value {
            Value::Object(members) => members.iter().any(|(name, value)| any_name(name, value, wanted)),
            Value::Array(entries) => entries.iter().any(|entry| any_name("", entry, wanted)),
            _ => false,
        }
}

/// A value for people; of a large one, its size.
fn shown(c: &Comparison<'_>, name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => c.show(name, text),
        Value::Array(entries) => format!("a list of {}", entries.len()),
        Value::Object(members) => format!("an object of {} members", members.len()),
        other => c.show(name, &other.to_string()),
    }
}
