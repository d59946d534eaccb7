//! A client's connection: each request to the upstream, each answer back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::sync::{Mutex, watch};

use super::call::{Call, End};
use super::connect::Sender;
use super::scribe::Page;
use super::tap::{AnswerBody, RequestBody};
use super::{Shared, tunnel};

pub type Answer = Response<UnsyncBoxBody<Bytes, hyper::Error>>;

/// No answer: the connection is closed, as the upstream closed its own.
#[derive(Debug, thiserror::Error)]
#[error("the upstream closed the connection")]
pub struct Broken;

/// Until a connection is free again for the next request; one that never gets free is left alone.
const FREE_IN: Duration = Duration::from_millis(200);

const HOP_BY_HOP: [HeaderName; 3] =
    [header::CONNECTION, HeaderName::from_static("keep-alive"), HeaderName::from_static("proxy-connection")];

pub struct Client {
    pub(super) shared: Arc<Shared>,
    page: Page,
    /// The connection to the upstream that belongs to the client's.
    sender: Mutex<Option<Sender>>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Client {
    pub fn new(shared: Arc<Shared>, page: Page, stopped: watch::Receiver<bool>) -> Self {
        Self { shared, page, sender: Mutex::new(None), stopped }
    }

    pub async fn serve(&self, mut request: Request<Incoming>) -> Result<Answer, Broken> {
        let Ok(room) = self.shared.room.clone().acquire_owned().await else { return Err(Broken) };
        let socket = tunnel::wanted(&request).then(|| hyper::upgrade::on(&mut request));
        let (mut head, body) = request.into_parts();
        let options = &self.shared.options;
        let mut call = Call::new(&head, self.origin(&head.headers), options.limit, self.page.clone(), room);
        let refuse = |mut call: Call, status, text: &str| {
            let answer = own(status, text);
            call.answered(&answer.0);
            Ok(answered(answer, call, End::Refused))
        };
        if head.method == Method::CONNECT {
            let text = "cellgate record: CONNECT is for forward proxies, this is none\n";
            return refuse(call, StatusCode::NOT_IMPLEMENTED, text);
        }
        let Ok(target) = options.upstream.target(&head.uri) else {
            return refuse(call, StatusCode::BAD_REQUEST, "cellgate record: the target is no URI\n");
        };
        head.uri = target;
        head.version = Version::HTTP_11;
        drop_hop_by_hop(&mut head.headers, socket.is_some());
        let host = HeaderValue::from_str(&options.upstream.authority);
        if let Ok(host) = host
            && (options.upstream_host || !head.headers.contains_key(header::HOST))
        {
            head.headers.insert(header::HOST, host);
        }
        let request = Request::from_parts(head, RequestBody::new(body, call.passed()));
        let response = match self.send(request).await {
            Ok(response) => response,
            Err(failure) => return failure.answer(call),
        };
        if let Some(socket) = socket
            && response.status() == StatusCode::SWITCHING_PROTOCOLS
        {
            call.forget();
            return Ok(tunnel::open(self, socket, response));
        }
        let (mut head, body) = response.into_parts();
        call.answered(&head);
        drop_hop_by_hop(&mut head.headers, false);
        head.version = Version::HTTP_11;
        Ok(Response::from_parts(head, AnswerBody::new(body, call, End::Whole).boxed_unsync()))
    }

    async fn send(&self, mut request: Request<RequestBody>) -> Result<Response<Incoming>, Failure> {
        let mut kept = self.sender.lock().await;
        loop {
            let mut old = kept.take();
            if let Some(sender) = &mut old
                && !matches!(tokio::time::timeout(FREE_IN, sender.ready()).await, Ok(Ok(())))
            {
                old = None;
            }
            let (mut sender, used) = match old {
                Some(sender) => (sender, true),
                None => {
                    let connected = self.shared.connector.connect(&self.shared.options.upstream).await;
                    (connected.map_err(Failure::Unreachable)?, false)
                }
            };
            match sender.try_send_request(request).await {
                Ok(response) => {
                    *kept = Some(sender);
                    return Ok(response);
                }
                // The upstream had closed the connection in the meantime, and nothing of the request
                // has been sent.
                Err(mut error) if used => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(Failure::of(error.error())),
                },
                Err(error) => return Err(Failure::of(error.error())),
            }
        }
    }

    /// The server as the client sees it: links in its answers begin so.
    fn origin(&self, headers: &HeaderMap) -> String {
        if self.shared.options.upstream_host {
            return self.shared.options.upstream.origin();
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        match host.and_then(|host| host.parse::<Authority>().ok()).filter(|host| !host.as_str().contains('@'))
        {
            Some(host) => format!("http://{host}"),
            None => format!("http://{}", self.shared.address),
        }
    }
}

enum Failure {
    Unreachable(String),
    NotHttp,
    NoAnswer,
}

impl Failure {
    fn of(error: &hyper::Error) -> Self {
        if error.is_parse() { Self::NotHttp } else { Self::NoAnswer }
    }

    fn answer(self, mut call: Call) -> Result<Answer, Broken> {
        let (text, end) = match self {
            Self::Unreachable(why) => {
                (format!("cellgate record: cannot reach the upstream: {why}\n"), End::NoUpstream)
            }
            Self::NotHttp => {
                ("cellgate record: what the upstream answered is not HTTP\n".to_owned(), End::NotHttp)
            }
            Self::NoAnswer => {
                call.end = End::NoAnswer;
                return Err(Broken);
            }
        };
        let answer = own(StatusCode::BAD_GATEWAY, &text);
        call.answered(&answer.0);
        Ok(answered(answer, call, end))
    }
}

type Own = (http::response::Parts, String);

fn own(status: StatusCode, text: &str) -> Own {
    let mut head = Response::new(()).into_parts().0;
    head.status = status;
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    (head, text.to_owned())
}

fn answered((head, text): Own, call: Call, end: End) -> Answer {
    let body = AnswerBody::new(Full::from(text), call, end).map_err(|never| match never {});
    Response::from_parts(head, body.boxed_unsync())
}

/// Removes what concerns one connection only. `Transfer-Encoding` stays: it says that the body comes
/// in chunks, and so it is passed on. `TE` stays: without it an upstream sends no trailers.
fn drop_hop_by_hop(headers: &mut HeaderMap, upgrade: bool) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    if upgrade {
        return;
    }
    for name in named {
        if name != header::TE && name != header::TRANSFER_ENCODING && name != header::CONTENT_LENGTH {
            headers.remove(name);
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers.remove(header::UPGRADE);
}
