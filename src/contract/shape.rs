//! The form of a call: `METHOD[|METHOD] /template?conditions [headers]`.
//!
//! | written | means |
//! |---|---|
//! | `ANY` | any method |
//! | `{x}` | one segment that isn't empty |
//! | `p{x}s` | one segment with this beginning and end |
//! | `{x*}` | the remaining segments, none as well; once in a template |
//! | `?name`, `?name=value`, `?!name` | a parameter, of the query or of a form body, is there, has the value, is not there |
//! | `[name]`, `[name=value]`, `[!name]` | the same of a header |
//!
//! Segments are split on the raw path and decoded one by one, so `%2F` stays inside its segment. A
//! slash at the end is not told apart: original clients leave it away and add it as they like.

use std::cmp::Ordering;

/// A parsed call shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// As written.
    pub text: String,
    pub method: Method,
    /// Segments of the path; at most one is a [`Segment::Rest`].
    pub path: Vec<Segment>,
    /// On parameters of the query or of a form body.
    pub parameters: Vec<Condition>,
    /// On headers; names in lower case.
    pub headers: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    Any,
    Of(Vec<String>),
}

/// Ordered from the most to the least telling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    Literal(String),
    Affixed(String, String),
    One,
    Rest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Present(String),
    Equal(String, String),
    Missing(String),
}

impl Shape {
    /// Reads a shape; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("call `{text}`: {why}");
        let (method, rest) = text.split_once(' ').ok_or_else(|| wrong("expected `METHOD /path`"))?;
        let mut words = rest.split(' ').filter(|word| !word.is_empty());
        let target = words.next().ok_or_else(|| wrong("no path"))?;
        let headers = words
            .map(|word| {
                let inner = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
                inner.map(|inner| Condition::parse(&inner.to_ascii_lowercase()))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| wrong("expected `[header]` after the path"))?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix('/').ok_or_else(|| wrong("the path starts with `/`"))?;
        let path: Vec<Segment> = path
            .strip_suffix('/')
            .unwrap_or(path)
            .split('/')
            .filter(|_| !path.is_empty())
            .map(Segment::parse)
            .collect::<Option<_>>()
            .ok_or_else(|| wrong("a segment is neither text, `{x}` nor `{x*}`"))?;
        if path.iter().filter(|segment| **segment == Segment::Rest).count() > 1 {
            return Err(wrong("`{x*}` stands in it twice"));
        }
        let method = match method {
            "ANY" => Method::Any,
            _ if method
                .split('|')
                .all(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase())) =>
            {
                Method::Of(method.split('|').map(str::to_owned).collect())
            }
            _ => return Err(wrong("expected methods in capitals, as `GET|POST`, or `ANY`")),
        };
        let parameters = query.split('&').filter(|part| !part.is_empty()).map(Condition::parse).collect();
        Ok(Self { text: text.to_owned(), method, path, parameters, headers })
    }

    /// Orders shapes so that the first one that matches a request is the most telling one: more
    /// literal segments, then no open end, then more conditions, then a named method.
    pub fn order(&self, other: &Self) -> Ordering {
        let key = |shape: &Self| {
            let literals = shape.path.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count();
            let affixed = shape.path.iter().filter(|segment| matches!(segment, Segment::Affixed(..))).count();
            let open = shape.path.contains(&Segment::Rest);
            let conditions = shape.parameters.len() + shape.headers.len();
            let equal = shape
                .parameters
                .iter()
                .chain(&shape.headers)
                .filter(|condition| matches!(condition, Condition::Equal(..)))
                .count();
            (
                std::cmp::Reverse(literals),
                std::cmp::Reverse(affixed),
                open,
                std::cmp::Reverse(shape.path.len()),
                std::cmp::Reverse(conditions),
                std::cmp::Reverse(equal),
                shape.method == Method::Any,
            )
        };
        key(self).cmp(&key(other)).then_with(|| self.path.cmp(&other.path))
    }

    /// Whether the method and the decoded segments of a path fit.
    pub(crate) fn covers(&self, method: &str, segments: &[&str]) -> bool {
        let named = match &self.method {
            Method::Any => true,
            Method::Of(methods) => methods.iter().any(|name| name == method),
        };
        named && self.covers_path(segments)
    }

    fn covers_path(&self, segments: &[&str]) -> bool {
        let fit = |pattern: &[Segment], segments: &[&str]| {
            pattern.iter().zip(segments).all(|(pattern, segment)| pattern.covers(segment))
        };
        match self.path.iter().position(|segment| *segment == Segment::Rest) {
            None => self.path.len() == segments.len() && fit(&self.path, segments),
            Some(at) => {
                let (before, after) = (&self.path[..at], &self.path[at + 1..]);
                segments.len() >= before.len() + after.len()
                    && fit(before, segments)
                    && fit(after, &segments[segments.len() - after.len()..])
            }
        }
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        let Some((before, rest)) = text.split_once('{') else {
            return (!text.contains('}')).then(|| Self::Literal(text.to_owned()));
        };
        let (name, after) = rest.split_once('}')?;
        if after.contains(['{', '}']) || name.is_empty() {
            return None;
        }
        match (before, name.ends_with('*'), after) {
            ("", true, "") => Some(Self::Rest),
            (_, true, _) => None,
            ("", false, "") => Some(Self::One),
            _ => Some(Self::Affixed(before.to_owned(), after.to_owned())),
        }
    }

    fn covers(&self, segment: &str) -> bool {
        match self {
            Self::Literal(text) => text == segment,
            Self::Affixed(before, after) => segment
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .is_some_and(|middle| !middle.is_empty()),
            Self::One => !segment.is_empty(),
            Self::Rest => true,
        }
    }
}

impl Condition {
    fn parse(text: &str) -> Self {
        if let Some(name) = text.strip_prefix('!') {
            return Self::Missing(name.to_owned());
        }
        match text.split_once('=') {
            Some((name, value)) => Self::Equal(name.to_owned(), value.to_owned()),
            None => Self::Present(text.to_owned()),
        }
    }

    /// Whether the values a name has, none of them when it isn't there, meet the condition.
    pub(crate) fn met<'a, V: Iterator<Item = &'a str>>(&self, values: impl Fn(&str) -> V) -> bool {
        match self {
            Self::Present(name) => values(name).next().is_some(),
            Self::Equal(name, value) => values(name).any(|found| found == value),
            Self::Missing(name) => values(name).next().is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(shape: &str, method: &str, path: &str) -> bool {
        let segments: Vec<&str> = path.split('/').skip(1).filter(|_| path != "/").collect();
        Shape::parse(shape).unwrap().covers(method, &segments)
    }

    #[test]
    fn templates() {
        for (shape, path, expected) in [
            ("GET /a/tree/stats", "/a/tree/stats", true),
            ("GET /a/tree/stats/", "/a/tree/stats", true),
            ("GET /a/tree/stats", "/a/tree", false),
            ("GET /a/{x}", "/a/b", true),
            ("GET /a/{x}", "/a/", false),
            ("GET /a/{x}", "/a/b/c", false),
            ("GET /io/{key*}", "/io", true),
            ("GET /io/{key*}", "/io/a/b", true),
            ("GET /io/{key*}", "/iox", false),
            ("GET /x/{rest*}/end", "/x/end", true),
            ("GET /x/{rest*}/end", "/x/a/b/end", true),
            ("GET /x/{rest*}/end", "/x/a", false),
            ("GET /ws-{alias}", "/ws-files", true),
            ("GET /ws-{alias}", "/ws-", false),
            ("GET /a{x}a", "/aa", false),
            ("GET /", "/", true),
            ("GET /", "/a", false),
        ] {
            assert_eq!(covers(shape, "GET", path), expected, "{shape} {path}");
        }
        assert!(covers("GET|HEAD /x", "HEAD", "/x") && !covers("GET|HEAD /x", "PUT", "/x"));
        assert!(covers("ANY /x", "REPORT", "/x"));
    }

    #[test]
    fn what_is_no_shape_is_refused_with_its_text() {
        for text in [
            "",
            "GET",
            "get /x",
            "GET| /x",
            "GET x",
            "GET /{a*}/{b*}",
            "GET /{a",
            "GET /a}",
            "GET /{}",
            "GET /x{a*}",
            "GET /x {h}",
            "GET /x y",
        ] {
            let why = Shape::parse(text).unwrap_err();
            assert!(why.contains(&format!("`{text}`")), "{why}");
        }
    }

    #[test]
    fn the_more_telling_shape_comes_first() {
        let ordered = [
            "GET /a/b/c",
            "GET /a/{x}/c?one&two=2",
            "GET /a/{x}/c?one&two",
            "GET /a/{x}/c?one",
            "GET /a/b/{x}",
            "GET /a/{x}/c",
            "ANY /a/{x}/c",
            "GET /a/{x}/{y}",
            "GET /a/{x}/{rest*}",
            "GET /a/{rest*}?one",
            "GET /a/{rest*}",
            "GET /{rest*}",
        ];
        let shapes = ordered.map(|text| Shape::parse(text).unwrap());
        for (one, other) in shapes.iter().zip(&shapes[1..]) {
            assert_eq!(one.order(other), Ordering::Less, "{one:?} {other:?}");
        }
    }
}
