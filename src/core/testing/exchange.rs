//! One request through a door, and its answer.
//!
//! ```text
//! let answer = serve(&door, request("PUT", "/io/common-files/a").basic("alice").body("hello")).await;
//! assert_eq!(answer.status, 200, "{}", answer.text());
//! ```

use std::net::{Ipv4Addr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt;

use crate::http::{Body, Client, Protocol, Request, empty, full, stream};
use crate::ports::ByteStream;

/// A request from a client on this host, with no header but `Host`.
pub fn request(method: &str, uri: &str) -> RequestBuilder {
    let request = http::Request::builder().method(method).uri(uri).header(HOST, "localhost:8080");
    let mut request = request.body(empty()).unwrap();
    request.extensions_mut().insert(Client {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000)),
        secure: false,
        request_id: "test".into(),
    });
    RequestBuilder { request }
}

pub struct RequestBuilder {
    request: Request,
}

impl RequestBuilder {
    /// Adds a header; one of the same name stays beside it, but for `Host`. The value may be any bytes that HTTP
    /// allows, so that bad input can be sent too.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name: HeaderName = name.parse().unwrap();
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        let headers = self.request.headers_mut();
        if name == HOST {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
        self
    }

    /// Signs in with Basic and the password `<login>-password`, as the users of
    /// [`super::TestCore`] have it.
    pub fn basic(self, login: &str) -> Self {
        self.basic_with(login, &format!("{login}-password"))
    }

    pub fn basic_with(self, login: &str, password: &str) -> Self {
        let value = format!("Basic {}", STANDARD.encode(format!("{login}:{password}")));
        self.header("authorization", value)
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sets a body of known length, and `Content-Length`.
    pub fn body(mut self, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        self.request.headers_mut().insert(CONTENT_LENGTH, content.len().into());
        *self.request.body_mut() = full(content);
        self
    }

    /// Sets a JSON body with its length and type.
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.header("content-type", "application/json").body(value.to_string())
    }

    /// Sets a body of unknown length: chunked.
    pub fn stream(mut self, content: ByteStream) -> Self {
        *self.request.body_mut() = stream(content);
        self
    }

    /// Sets any body, without touching the headers.
    pub fn raw(mut self, body: Body) -> Self {
        *self.request.body_mut() = body;
        self
    }

    /// Comes over TLS.
    pub fn secure(mut self) -> Self {
        if let Some(client) = self.request.extensions_mut().get_mut::<Client>() {
            client.secure = true;
        }
        self
    }

    pub fn build(self) -> Request {
        self.request
    }
}

impl From<RequestBuilder> for Request {
    fn from(builder: RequestBuilder) -> Self {
        builder.build()
    }
}

/// An answer whose body has been read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Whether the body broke off with an error, as a torn connection would.
    pub torn: bool,
}

/// Sends a request through a door and reads the whole answer.
pub async fn serve<P: Protocol + ?Sized>(door: &P, request: impl Into<Request>) -> Answer {
    let (head, mut body) = door.serve(request.into()).await.into_parts();
    let (mut bytes, mut torn) = (Vec::new(), false);
    while let Some(frame) = body.frame().await {
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => bytes.extend_from_slice(&data),
            Ok(Err(_trailers)) => {}
            Err(_) => {
                torn = true;
                break;
            }
        }
    }
    Answer { status: head.status, headers: head.headers, body: bytes.into(), torn }
}

impl Answer {
    /// The body as text, whatever it is: for messages and searches.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; anything else stops the test and is shown.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.text()))
    }

    /// The first header of a name; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}
