//! Headers that say something to the client.

use std::collections::{BTreeMap, BTreeSet};

use cellgate_record::{Answered, Sent};

use super::Comparison;
use super::body::is_empty;
use crate::Weight;
use crate::reader::Field;

/// Of the connection, the server or the moment, never of the answer. `content-length` and
/// `content-encoding` are of the body, which is compared itself.
const NEVER: &[&str] = &[
    "date",
    "server",
    "x-powered-by",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "trailer",
    "via",
    "age",
    "alt-svc",
    "upgrade",
    "proxy-connection",
    "x-request-id",
    "x-amz-request-id",
    "x-amz-id-2",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
    "x-robots-tag",
    "content-security-policy",
    "strict-transport-security",
    "referrer-policy",
    "permissions-policy",
    "feature-policy",
    "vary",
    "nel",
    "report-to",
    "x-runtime",
    "content-length",
    "content-encoding",
    "cf-ray",
    "cf-cache-status",
];

/// What a client acts upon, though it was not recorded.
const ACTED_UPON: &[&str] = &["location", "set-cookie", "content-disposition", "www-authenticate"];

pub fn compare(c: &mut Comparison<'_>, request: &Sent, recorded: &Answered, fresh: &Answered) {
    let head = request.method == "HEAD";
    let (before, now) = (by_name(recorded), by_name(fresh));
    let bodiless = head || is_empty(recorded);
    for (name, values) in &before {
        let length_counts = head && name == "content-length" && c.reader.reads_header(name);
        if NEVER.contains(&name.as_str()) && !length_counts {
            continue;
        }
        let place = format!("header {name}");
        let silent = match name.as_str() {
            "content-type" => bodiless && !head,
            "accept-ranges" => !head && request.method != "GET",
            _ => false,
        };
        // A browser enforces these, and says that it is one by its origin.
        let cors = name.starts_with("access-control-") && request.header("origin").is_some();
        let read = (c.reader.reads_header(name) && !silent) || cors;
        match now.get(name) {
            Some(others) => header(c, name, &place, values, others, read),
            None => {
                let weight = if read { Weight::Different } else { Weight::Compatible };
                let field = Field { parent: "", name };
                c.absent(field, &place, Some(&values.join(", ")), None, weight);
            }
        }
    }
    for (name, values) in now.iter().filter(|(name, _)| !before.contains_key(*name)) {
        if ACTED_UPON.contains(&name.as_str()) && c.reader.reads_header(name) {
            let place = format!("header {name}");
            c.absent(Field { parent: "", name }, &place, None, Some(&values.join(", ")), Weight::Compatible);
        }
    }
}

fn by_name(answer: &Answered) -> BTreeMap<String, Vec<&str>> {
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, value) in &answer.headers {
        names.entry(name.to_ascii_lowercase()).or_default().push(value.trim());
    }
    names
}

fn header(c: &mut Comparison<'_>, name: &str, place: &str, recorded: &[&str], fresh: &[&str], read: bool) {
    let field = Field { parent: "", name };
    let (before, now) = (recorded.join(", "), fresh.join(", "));
    match name {
        "content-type" => media_type(c, place, &before, &now, read),
        "etag" => entity_tag(c, place, &before, &now, read),
        "set-cookie" => cookies(c, place, recorded, fresh, read),
        "www-authenticate" => set(c, place, &schemes(recorded), &schemes(fresh), read),
        "allow"
        | "dav"
        | "ms-author-via"
        | "access-control-allow-methods"
        | "access-control-allow-headers" => {
            set(c, place, &words(recorded), &words(fresh), read);
        }
        "content-disposition" => disposition(c, place, &before, &now, read),
        "location" | "content-location" => location(c, place, &before, &now, read),
        _ => c.leaf(field, place, &before, &now, read),
    }
}

fn media_type(c: &mut Comparison<'_>, place: &str, recorded: &str, fresh: &str, read: bool) {
    if recorded == fresh {
        return;
    }
    let differ = |c: &mut Comparison<'_>, weight, why: &str| {
        c.note(weight, place, Some(recorded), Some(fresh), Some(why));
    };
    let (before, now) = (essence(recorded), essence(fresh));
    let xml = |kind: &str| kind == "text/xml" || kind == "application/xml";
    if before == now && parameters(recorded) == parameters(fresh) {
        return;
    }
    if read && c.reader.exact_types() && before == "application/json" {
        differ(c, Weight::Different, "this client wants it spelled exactly");
    } else if before == now {
        differ(c, Weight::Compatible, "only its parameters differ");
    } else if xml(&before) && xml(&now) {
        differ(c, Weight::Compatible, "both are XML");
    } else {
        c.leaf(Field { parent: "", name: "content-type" }, place, recorded, fresh, read);
    }
}

pub fn essence(kind: &str) -> String {
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whatever their case and order.
fn parameters(kind: &str) -> BTreeSet<String> {
    kind.split(';')
        .skip(1)
        .map(|text| text.trim().to_ascii_lowercase().replace('"', ""))
        .filter(|text| !text.is_empty())
        .collect()
}

fn entity_tag(c: &mut Comparison<'_>, place: &str, recorded: &str, fresh: &str, read: bool) {
    let weak = |tag: &str| tag.starts_with("W/");
    if weak(fresh) && !weak(recorded) {
        let weight = if read { Weight::Different } else { Weight::Compatible };
        c.note(
            weight,
            place,
            Some(recorded),
            Some(fresh),
            Some("a weak one, which no range or condition may rely on"),
        );
    }
    c.leaf(Field { parent: "", name: "etag" }, place, recorded, fresh, read);
}

/// Values are the server's; what cookies there are is not.
fn cookies(c: &mut Comparison<'_>, place: &str, recorded: &[&str], fresh: &[&str], read: bool) {
    let (before, now) = (jar(recorded), jar(fresh));
    for (name, (value, attributes)) in &before {
        let place = format!("{place} {name}");
        let Some((other, others)) = now.get(name) else {
            let weight = if read { Weight::Different } else { Weight::Compatible };
            c.absent(Field { parent: "", name: "set-cookie" }, &place, Some("set"), None, weight);
            continue;
        };
        // Whatever is in a cookie comes back as it is.
        if !c.learn(value, other) && *value != *other && !value.is_empty() {
            c.values.stand("jwt", value, other);
        }
        if value.is_empty() != other.is_empty() {
            let said = |value: &str| if value.is_empty() { "removed" } else { "set" };
            let weight = if read { Weight::Different } else { Weight::Compatible };
            c.note(weight, &place, Some(said(value)), Some(said(other)), None);
        } else if attributes != others {
            let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join("; ");
            let why = Some("only its attributes differ");
            c.note(Weight::Compatible, &place, Some(&list(attributes)), Some(&list(others)), why);
        }
    }
    for name in now.keys().filter(|name| !before.contains_key(*name)) {
        let place = format!("{place} {name}");
        c.absent(Field { parent: "", name: "set-cookie" }, &place, None, Some("set"), Weight::Compatible);
    }
}

type Jar<'a> = BTreeMap<&'a str, (&'a str, BTreeSet<String>)>;

/// Times of expiry are left out: they are relative to now, and `Max-Age` says the same.
fn jar<'a>(headers: &[&'a str]) -> Jar<'a> {
    let mut jar = Jar::new();
    for header in headers {
        let mut parts = header.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
        let attributes = parts.map(|part| part.trim().to_ascii_lowercase());
        let attributes = attributes.filter(|part| !part.is_empty() && !part.starts_with("expires")).collect();
        jar.insert(name.trim(), (value.trim().trim_matches('"'), attributes));
    }
    jar
}

fn schemes(headers: &[&str]) -> BTreeSet<String> {
    let known = ["basic", "digest", "bearer", "negotiate", "ntlm", "token", "aws4-hmac-sha256"];
    let words = headers.iter().flat_map(|header| header.split([',', ' ']));
    let words: BTreeSet<String> =
        words.map(str::to_ascii_lowercase).filter(|word| known.contains(&word.as_str())).collect();
    if words.is_empty() { headers.iter().map(|header| header.to_ascii_lowercase()).collect() } else { words }
}

fn words(headers: &[&str]) -> BTreeSet<String> {
    let words = headers.iter().flat_map(|header| header.split(','));
    words.map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

fn set(
    c: &mut Comparison<'_>,
    place: &str,
    recorded: &BTreeSet<String>,
    fresh: &BTreeSet<String>,
    read: bool,
) {
    let list = |set: BTreeSet<&String>| set.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let missing = list(recorded.difference(fresh).collect());
    let additional = list(fresh.difference(recorded).collect());
    if !missing.is_empty() {
        let weight = if read { Weight::Different } else { Weight::Compatible };
        let (before, now) = (list(recorded.iter().collect()), list(fresh.iter().collect()));
        c.note(weight, place, Some(&before), Some(&now), Some(&format!("missing: {missing}")));
    } else if !additional.is_empty() {
        let (before, now) = (list(recorded.iter().collect()), list(fresh.iter().collect()));
        c.note(
            Weight::Compatible,
            place,
            Some(&before),
            Some(&now),
            Some(&format!("additional: {additional}")),
        );
    }
}

/// By what it says: `attachment`, and the name however it is encoded.
fn disposition(c: &mut Comparison<'_>, place: &str, recorded: &str, fresh: &str, read: bool) {
    if recorded == fresh {
        return;
    }
    let (before, now) = (said(recorded), said(fresh));
    if before == now {
        c.note(Weight::Compatible, place, Some(recorded), Some(fresh), Some("the same, written otherwise"));
        return;
    }
    let text = |(kind, name): &(String, Option<String>)| match name {
        Some(name) => format!("{kind}; filename=\"{name}\""),
        None => kind.clone(),
    };
    c.leaf(Field { parent: "", name: "content-disposition" }, place, &text(&before), &text(&now), read);
}

fn said(text: &str) -> (String, Option<String>) {
    let mut parts = text.split(';');
    let kind = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let (mut plain, mut extended) = (None, None);
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        let decoded =
            |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        match name.trim().to_ascii_lowercase().as_str() {
            "filename" => plain = Some(decoded(value.trim().trim_matches('"'))),
            "filename*" => extended = value.trim().rsplit('\'').next().map(decoded),
            _ => {}
        }
    }
    (kind, extended.or(plain))
}

/// A path alone leads to the same place as the whole address.
fn location(c: &mut Comparison<'_>, place: &str, recorded: &str, fresh: &str, read: bool) {
    let path = |text: &str| {
        let rest = text.split_once("://").map(|(_, rest)| rest);
        rest.map(|rest| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/").to_owned())
    };
    let field = Field { parent: "", name: "location" };
    match (path(recorded), path(fresh)) {
        (Some(before), None) => c.leaf(field, place, &before, fresh, read),
        (None, Some(now)) => c.leaf(field, place, recorded, &now, read),
        _ => c.leaf(field, place, recorded, fresh, read),
    }
}
