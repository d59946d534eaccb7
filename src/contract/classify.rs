//! Which operation a request means.
//!
//! Every shape is parsed once and found again by its most telling part, a parameter's value or the
//! last literal segment before an open end, so that a line of a log costs a few look-ups.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;

use crate::embedded::{SOURCES, Source};
use crate::shape::{Condition, Segment, Shape};
use crate::table::{Problem, Row, Table, Totals};

/// All tables, ready to be asked.
#[derive(Debug)]
pub struct Contract {
    tables: Vec<Table>,
    /// The most telling first.
    shapes: Vec<Place>,
    /// Places in `shapes`, ascending.
    by_literal: HashMap<(usize, String), Vec<usize>>,
    by_value: HashMap<(String, String), Vec<usize>>,
    others: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    table: usize,
    section: usize,
    row: usize,
    call: usize,
}

/// A request, as far as its operation is concerned.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub method: &'a str,
    /// Raw, as sent, without the query; a prefix of another installation (`/pydio`) taken off.
    pub path: &'a str,
    /// Raw, without the `?`.
    pub query: Option<&'a str>,
    /// Decoded fields of a form body, empty when the body is none.
    pub form: &'a [(String, String)],
    /// Value of a header by its name in lower case.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
}

/// What a request means.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub table: &'a Table,
    pub row: &'a Row,
}

/// Where the protocols without a prefix of their own are mounted.
#[derive(Clone, Debug)]
pub struct Mounts {
    /// Prefixes of WebDAV.
    pub dav: Vec<String>,
    /// Whether a request with the signs of S3 (a signature, a signed query) may name any bucket.
    pub any_bucket: bool,
}

impl Default for Mounts {
    /// cellgate's own: `/dav`, and the bucket `io`.
    fn default() -> Self {
        Self { dav: vec!["/dav".to_owned()], any_bucket: false }
    }
}

impl Mounts {
    /// Where other servers have them: the usual mounts of WebDAV, and any bucket.
    pub fn of_others() -> Self {
        let dav = ["/dav", "/shares", "/webdav", "/remote.php/webdav"];
        Self { dav: dav.map(str::to_owned).to_vec(), any_bucket: true }
    }
}

static EMBEDDED: LazyLock<Contract> = LazyLock::new(|| match Contract::parse(SOURCES) {
    Ok(contract) => contract,
    // The tables are part of the program and a test reads them.
    Err(problem) => panic!("{problem}"),
});

impl Contract {
    /// The contract this build carries.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Reads tables; the first problem ends it.
    pub fn parse(sources: &[Source]) -> Result<Self, Problem> {
        sources
            .iter()
            .map(|source| Table::parse(source.protocol, source.name, source.text))
            .collect::<Result<Vec<_>, _>>()
            .map(Self::of)
    }

    pub fn of(tables: Vec<Table>) -> Self {
        let mut shapes = Vec::new();
        for (t, table) in tables.iter().enumerate() {
            for (s, section) in table.sections.iter().enumerate() {
                for (r, row) in section.rows.iter().enumerate() {
                    shapes.extend((0..row.calls.len()).map(|call| Place {
                        table: t,
                        section: s,
                        row: r,
                        call,
                    }));
                }
            }
        }
        let shape =
            |place: &Place| &tables[place.table].sections[place.section].rows[place.row].calls[place.call];
        shapes.sort_by(|one, other| shape(one).order(shape(other)));
        let mut by_literal: HashMap<_, Vec<usize>> = HashMap::new();
        let mut by_value: HashMap<_, Vec<usize>> = HashMap::new();
        let mut others = Vec::new();
        for (at, place) in shapes.iter().enumerate() {
            match key(shape(place)) {
                Key::Value(name, value) => by_value.entry((name, value)).or_default().push(at),
                Key::Literal(position, text) => by_literal.entry((position, text)).or_default().push(at),
                Key::None => others.push(at),
            }
        }
        Self { tables, shapes, by_literal, by_value, others }
    }

    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for table in &self.tables {
            totals += table.totals();
        }
        totals
    }

    /// The operation of a request to cellgate itself.
    pub fn classify(&self, call: &Call<'_>) -> Option<Found<'_>> {
        self.classify_under(call, &Mounts::default())
    }

    /// The operation of a request to a server that has its protocols elsewhere.
    pub fn classify_under(&self, call: &Call<'_>, mounts: &Mounts) -> Option<Found<'_>> {
        let parameters: Vec<(Cow<'_, str>, Cow<'_, str>)> = pairs(call.query.unwrap_or_default())
            .chain(call.form.iter().map(|(name, value)| (name.into(), value.into())))
            .collect();
        let dav = mounts.dav.iter().filter_map(|mount| under(call.path, mount)).min_by_key(|rest| rest.len());
        let decoded: Vec<Cow<'_, str>> = segments(dav.unwrap_or(call.path)).map(decode).collect();
        let mut path: Vec<&str> = Vec::with_capacity(decoded.len() + 1);
        if dav.is_some() {
            path.push("dav");
        }
        path.extend(decoded.iter().map(AsRef::as_ref));
        let s3_only = mounts.any_bucket && signed_for_s3(call, &parameters);
        if let (true, Some(bucket)) = (s3_only, path.first_mut()) {
            *bucket = "io";
        }

        let mut candidates: Vec<usize> = self.others.clone();
        for (position, segment) in path.iter().enumerate() {
            // A key of two owned parts cannot be looked up by borrowed ones; paths are short.
            if let Some(found) = self.by_literal.get(&(position, (*segment).to_owned())) {
                candidates.extend(found);
            }
        }
        for (name, value) in &parameters {
            if let Some(found) = self.by_value.get(&(name.to_string(), value.to_string())) {
                candidates.extend(found);
            }
        }
        candidates.sort_unstable();
        candidates
            .into_iter()
            .filter_map(|at| self.shapes.get(at))
            .filter(|place| !s3_only || self.tables[place.table].protocol == "s3")
            .find(|place| {
                let shape = &self.row(place).calls[place.call];
                shape.covers(call.method, &path)
                    && shape.parameters.iter().all(|condition| {
                        condition.met(|name| {
                            let name = name.to_owned();
                            parameters
                                .iter()
                                .filter(move |(n, _)| *n == name)
                                .map(|(_, value)| value.as_ref())
                        })
                    })
                    && shape
                        .headers
                        .iter()
                        .all(|condition| condition.met(|name| (call.header)(name).into_iter()))
            })
            .map(|place| Found { table: &self.tables[place.table], row: self.row(place) })
    }

    fn row(&self, place: &Place) -> &Row {
        &self.tables[place.table].sections[place.section].rows[place.row]
    }
}

enum Key {
    Value(String, String),
    Literal(usize, String),
    None,
}

fn key(shape: &Shape) -> Key {
    let value = shape.parameters.iter().find_map(|condition| match condition {
        Condition::Equal(name, value) => Some(Key::Value(name.clone(), value.clone())),
        Condition::Present(_) | Condition::Missing(_) => None,
    });
    let literal = || {
        let closed = shape.path.iter().take_while(|segment| **segment != Segment::Rest).enumerate();
        closed
            .filter_map(|(at, segment)| match segment {
                Segment::Literal(text) => Some(Key::Literal(at, text.clone())),
                Segment::Affixed(..) | Segment::One | Segment::Rest => None,
            })
            .last()
    };
    value.or_else(literal).unwrap_or(Key::None)
}

/// Whether a request was made for S3, whatever its path: it is signed for it, or presigned.
fn signed_for_s3(call: &Call<'_>, parameters: &[(Cow<'_, str>, Cow<'_, str>)]) -> bool {
    let signature = (call.header)("authorization")
        .is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256") || value.starts_with("AWS "));
    let presigned = parameters.iter().any(|(name, _)| {
        name == "AWSAccessKeyId" || name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
    });
    signature || presigned
}

/// What follows a mount, on whole segments.
fn under<'a>(path: &'a str, mount: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(mount.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// The raw segments of a path, without the empty one of a slash at its end.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').filter(move |_| !path.is_empty())
}

fn decode(raw: &str) -> Cow<'_, str> {
    percent_decode_str(raw).decode_utf8_lossy()
}

fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let value = |raw: &'_ str| -> Cow<'static, str> {
        if raw.contains('+') {
            decode(&raw.replace('+', " ")).into_owned().into()
        } else {
            decode(raw).into_owned().into()
        }
    };
    query.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, given) = pair.split_once('=').unwrap_or((pair, ""));
        (value(name), value(given))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `METHOD path[?query]`, form fields, headers; answers `table: operation`.
    fn classified(request: &str, form: &[(&str, &str)], headers: &[(&str, &str)], mounts: &Mounts) -> String {
        let (method, target) = request.split_once(' ').unwrap();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let form: Vec<(String, String)> =
            form.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let header = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
        let call = Call { method, path, query, form: &form, header: &header };
        match Contract::embedded().classify_under(&call, mounts) {
            Some(found) => format!("{}/{}: {}", found.table.protocol, found.table.name, found.row.operation),
            None => "none".to_owned(),
        }
    }

    #[test]
    fn requests_of_real_clients() {
        let id = "6f1c2d3e-0a4b-4c5d-8e6f-7a8b9c0d1e2f";
        for (request, form, headers, expected) in [
            ("POST /a/tree/stats", &[][..], &[][..], "cells/rest: BulkStatNodes"),
            ("GET /a/tree/stat/common-files%2Fa%20b", &[], &[], "cells/rest: HeadNode"),
            ("GET /a/tree/stat/common-files/dir/", &[], &[], "cells/rest: HeadNode"),
            ("GET /a/config/datasource/x", &[], &[], "cells/rest: GetDataSource"),
            ("GET /a/config/some/deep/key", &[], &[], "cells/rest: GetConfig"),
            ("PUT /io/ws/a%2Fb", &[], &[], "s3/operations: PutObject"),
            ("PUT /io/ws/a", &[], &[("x-amz-copy-source", "/io/ws/b")], "s3/operations: CopyObject"),
            ("PUT /io/ws/a?partNumber=1&uploadId=u", &[], &[], "s3/operations: UploadPart"),
            ("GET /io/?list-type=2&prefix=a", &[], &[], "s3/operations: ListObjectsV2"),
            ("GET /io", &[], &[], "s3/operations: ListObjects"),
            ("POST /io/?delete=", &[], &[], "s3/operations: DeleteObjects"),
            ("PROPFIND /dav/ws/x", &[], &[], "webdav/methods: PROPFIND"),
            ("GET /api/ws/ls/a%2Fb/c", &[], &[], "pydio8/api-v1: ls"),
            ("POST /index.php?secure_token=x", &[("get_action", "mkdir")], &[], "pydio8/api-v1: mkdir"),
            ("GET /?get_action=ls&dir=%2F", &[], &[], "pydio8/api-v1: ls"),
            ("GET /api/v2/tasks", &[], &[], "pydio8/api-v2: GET /tasks"),
            ("GET /api2/repos", &[], &[], "seafile/web-api: GET /api2/repos/"),
            ("GET /api/v2.1/repos/ID/dir/?p=%2F", &[], &[], "seafile/web-api: GET /api/v2.1/repos/{id}/dir/"),
            (
                "POST /api/v2.1/repos/ID/dir/?p=/x",
                &[("operation", "revert")],
                &[],
                "seafile/web-api: POST /api/v2.1/repos/{id}/dir/: revert",
            ),
            ("GET /api2/repos/public/", &[], &[], "seafile/web-api: GET /api2/repos/public/"),
            ("GET /a/nothing", &[], &[], "none"),
            ("GET /", &[], &[], "cells/web: GET /"),
            ("GET /dave", &[], &[], "none"),
            ("BREW /a/tree/stats", &[], &[], "none"),
        ] {
            let request = request.replace("ID", id);
            assert_eq!(classified(&request, form, headers, &Mounts::default()), expected, "{request}");
        }
    }

    #[test]
    fn other_servers_have_other_buckets_and_mounts() {
        let others = Mounts::of_others();
        let signed = [("authorization", "AWS4-HMAC-SHA256 Credential=x")];
        for (request, headers, expected) in [
            ("PUT /backup/a.txt", &signed[..], "s3/operations: PutObject"),
            // Signed: a bucket, whatever it is called.
            ("GET /a/b/c", &signed, "s3/operations: GetObject"),
            ("GET /backup/x?X-Amz-Signature=0", &[], "s3/operations: GetObject"),
            ("GET /backup/x?AWSAccessKeyId=k&Signature=s&Expires=1", &[], "s3/operations: GetObject"),
            ("PROPFIND /remote.php/webdav/x", &[], "webdav/methods: PROPFIND"),
            ("PUT /shares/ws/x", &[], "webdav/methods: PUT"),
            ("PUT /backup/a.txt", &[], "none"),
        ] {
            assert_eq!(classified(request, &[], headers, &others), expected, "{request}");
        }
        for request in ["GET /backup/x?X-Amz-Signature=0", "PUT /webdav/ws/x"] {
            assert_eq!(classified(request, &[], &[], &Mounts::default()), "none", "{request}");
        }
    }

    #[test]
    fn paths_that_make_no_sense_are_no_operation() {
        for path in ["", "//", "/%", "/%ff%fe/%00", "/a/../..", "/é", "/?", "*"] {
            classified(&format!("GET {path}"), &[], &[], &Mounts::of_others());
        }
        let long = "/x".repeat(100_000);
        assert_eq!(classified(&format!("GET {long}"), &[], &[], &Mounts::default()), "none");
    }

    /// Which row such a request means would depend on the order of tables.
    #[test]
    fn no_two_rows_have_the_same_call() {
        let mut seen: HashMap<String, String> = HashMap::new();
        for table in Contract::embedded().tables() {
            for row in table.rows() {
                for call in &row.calls {
                    let place = format!("{}/{}: {}", table.protocol, table.name, row.operation);
                    let means = (&call.method, &call.path, &call.parameters, &call.headers);
                    if let Some(other) = seen.insert(format!("{means:?}"), place.clone()) {
                        panic!("{place} and {other} have the same call {call:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_call_is_its_own_row() {
        for table in Contract::embedded().tables() {
            for row in table.rows() {
                for shape in &row.calls {
                    let place = format!("{}/{}: {}", table.protocol, table.name, row.operation);
                    assert_eq!(sample(shape), place, "{shape:?}");
                }
            }
        }
    }

    /// What a request made from a shape alone is classified as.
    fn sample(shape: &Shape) -> String {
        let segment = |segment: &Segment| match segment {
            Segment::Literal(text) => text.clone(),
            Segment::Affixed(before, after) => format!("{before}x{after}"),
            Segment::One | Segment::Rest => "x".to_owned(),
        };
        let path: Vec<String> = shape.path.iter().map(segment).collect();
        let there = |condition: &Condition| match condition {
            Condition::Present(name) => Some((name.clone(), "x".to_owned())),
            Condition::Equal(name, value) => Some((name.clone(), value.clone())),
            Condition::Missing(_) => None,
        };
        let form: Vec<(String, String)> = shape.parameters.iter().filter_map(there).collect();
        let headers: Vec<(String, String)> = shape.headers.iter().filter_map(there).collect();
        let method = match &shape.method {
            crate::Method::Any => "ANY",
            crate::Method::Of(names) => &names[0],
        };
        let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        classified(&format!("{method} /{}", path.join("/")), &form, &headers, &Mounts::default())
    }
}
