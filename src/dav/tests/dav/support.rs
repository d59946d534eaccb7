//! One door with a user, and XML looked at by structure.

use cellgate_core::testing::{self, Answer, RequestBuilder, TestCore};
use cellgate_dav::Dav;
use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

pub struct Door {
    pub core: TestCore,
    pub dav: Dav,
}

pub const BASE: &str = "/dav/common-files";

pub async fn door() -> Door {
    let core = testing::test_core().await;
    let dav = Dav::new(core.core.clone());
    Door { core, dav }
}

/// A request as `alice`; the path is below the workspace `common-files`.
pub fn ask(method: &str, path: &str) -> RequestBuilder {
    testing::request(method, &format!("{BASE}{path}")).basic("alice")
}

impl Door {
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        testing::serve(&self.dav, request).await
    }

    /// Sends and checks the status.
    pub async fn expect(&self, status: u16, request: RequestBuilder) -> Answer {
        let request = request.build();
        let shown = format!("{} {}", request.method(), request.uri());
        let answer = testing::serve(&self.dav, request).await;
        assert_eq!(answer.status, status, "{shown}: {}", answer.text());
        if answer.header("content-type").starts_with("text/xml") {
            responses(&answer);
        }
        answer
    }

    pub async fn put(&self, path: &str, content: &'static str) -> Answer {
        let answer = self.send(ask("PUT", path).body(content)).await;
        assert!(
            matches!(answer.status.as_u16(), 201 | 204),
            "PUT {path}: {} {}",
            answer.status,
            answer.text()
        );
        answer
    }

    pub async fn mkcol(&self, path: &str) {
        self.expect(201, ask("MKCOL", path)).await;
    }

    pub async fn content(&self, path: &str) -> Option<String> {
        let answer = self.send(ask("GET", path)).await;
        match answer.status.as_u16() {
            200 => Some(answer.text()),
            404 => None,
            other => panic!("GET {path}: {other} {}", answer.text()),
        }
    }

    pub async fn exists(&self, path: &str) -> bool {
        let answer = self.send(ask("PROPFIND", path).header("depth", "0")).await;
        match answer.status.as_u16() {
            207 => true,
            404 => false,
            other => panic!("PROPFIND {path}: {other} {}", answer.text()),
        }
    }
}

/// A property in a multistatus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// `{ns}local`
    pub name: String,
    pub status: u16,
    /// Text in it, trimmed, child elements left out.
    pub text: String,
    /// Names of elements in it, in order.
    pub inside: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Response {
    pub href: String,
    pub properties: Vec<Property>,
}

impl Response {
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    pub fn dav(&self, local: &str) -> Option<&Property> {
        self.property(&format!("{{DAV:}}{local}"))
    }

    /// The text of a property that was found.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.property(name).filter(|property| property.status == 200).map(|property| property.text.as_str())
    }
}

/// Reads a body strictly: prefixes must be declared, tags must match. A body that is no multistatus
/// has no responses.
pub fn responses(answer: &Answer) -> Vec<Response> {
    let text = std::str::from_utf8(&answer.body).unwrap();
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    let mut all: Vec<Response> = Vec::new();
    let mut pending: Vec<Property> = Vec::new();
    loop {
        let (ns, event) = reader.read_resolved_event().unwrap_or_else(|error| panic!("{error} in {text}"));
        let ns = match ns {
            ResolveResult::Bound(ns) => ns.0.to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(prefix) => panic!("undeclared prefix {prefix:?} in {text}"),
        };
        match event {
            Event::Start(tag) | Event::Empty(tag) if text.is_empty() => {
                let _ = tag;
            }
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                let name = format!("{{{ns}}}{}", tag.local_name().as_ref());
                let path = open.join("/");
                if path == "{DAV:}multistatus" && name == "{DAV:}response" {
                    all.push(Response::default());
                } else if path == "{DAV:}multistatus/{DAV:}response/{DAV:}propstat/{DAV:}prop" {
                    pending.push(Property {
                        name: name.clone(),
                        status: 0,
                        text: String::new(),
                        inside: vec![],
                    });
                } else if path.starts_with("{DAV:}multistatus/{DAV:}response/{DAV:}propstat/{DAV:}prop/")
                    && let Some(property) = pending.last_mut()
                {
                    property.inside.push(name.clone());
                }
                if matches!(event, Event::Start(_)) {
                    open.push(name);
                }
            }
            Event::End(_) => {
                open.pop();
            }
            Event::Text(piece) => {
                let piece = piece.xml10_content().into_owned();
                text_in(&open, &piece, &mut all, &mut pending);
            }
            Event::GeneralRef(reference) => {
                let piece = match reference.resolve_char_ref().unwrap() {
                    Some(character) => character.to_string(),
                    None => match &*reference {
                        "amp" => "&".into(),
                        "lt" => "<".into(),
                        "gt" => ">".into(),
                        "quot" => "\"".into(),
                        other => panic!("entity {other} in {text}"),
                    },
                };
                text_in(&open, &piece, &mut all, &mut pending);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "unclosed {open:?} in {text}");
    all
}

fn text_in(open: &[String], piece: &str, all: &mut [Response], pending: &mut Vec<Property>) {
    let Some(response) = all.last_mut() else { return };
    match open.join("/").as_str() {
        "{DAV:}multistatus/{DAV:}response/{DAV:}href" => response.href.push_str(piece),
        "{DAV:}multistatus/{DAV:}response/{DAV:}propstat/{DAV:}status" => {
            let status = piece.split(' ').nth(1).unwrap().parse().unwrap();
            for mut property in pending.drain(..) {
                property.status = status;
                response.properties.push(property);
            }
        }
        path if path.starts_with("{DAV:}multistatus/{DAV:}response/{DAV:}propstat/{DAV:}prop/") => {
            // Text of the property itself; of its elements, see `inside`.
            if open.len() == 5
                && let Some(property) = pending.last_mut()
            {
                property.text.push_str(piece);
            }
        }
        _ => {}
    }
}

pub fn prop(names: &str) -> String {
    format!("<?xml version='1.0'?><D:propfind xmlns:D='DAV:'><D:prop>{names}</D:prop></D:propfind>")
}
