//! A recorded request, made ready for the target.

use cellgate_record::{Payload, Sent};

use super::body::{self, Kind};
use super::{digests, select::Selected};
use crate::auth::{Auth, form_fields};
use crate::send::{Body, Client, Content, Framing, Request};
use crate::{Finding, Values};

/// Of one connection, or of a proxy between: not for the target (RFC 9110, 7.6.1). `Content-Length` and
/// `Transfer-Encoding` are made anew; nobody waits here for a `100 Continue`.
const NOT_SENT: [&str; 13] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "content-length",
    "expect",
    "host",
];

/// The request that goes out, and what has to be said of it. `Err` says why none can.
pub async fn prepare(
    call: &Selected<'_>,
    is_ours: impl Fn(&str) -> bool,
    auth: &mut Auth,
    values: &mut Values,
    client: &mut Client,
) -> Result<(Request, Option<Finding>), String> {
    let exchange = call.exchange;
    let sent = &exchange.request;
    let kind = Kind::of(sent, call.protocol);
    if kind == Kind::Multipart && is_signed_form(sent) {
        return Err("an upload form with a signed policy cannot be signed again".into());
    }
    let body_texts = body::texts(sent, kind);
    let mut texts: Vec<&str> = vec![&sent.target];
    texts.extend(
        sent.headers.iter().filter(|(name, _)| with_values(name, sent)).map(|(_, value)| value.as_str()),
    );
    texts.extend(body_texts.iter().map(String::as_str));
    auth.prepare(exchange, &texts, values, client).await?;

    let host = match sent.header("host") {
        // A virtual host, or a test of one: the client meant it.
        Some(host) if !is_ours(host) => host.to_owned(),
        _ => client.origin().authority().to_owned(),
    };
    let mut headers = vec![("Host".to_owned(), host)];
    for (name, value) in sent.headers.iter().filter(|(name, _)| is_sent(name)) {
        let value = if name.eq_ignore_ascii_case("accept-encoding") {
            codings(value)
        } else if with_values(name, sent) {
            values.substitute(value).into_owned()
        } else {
            value.clone()
        };
        headers.push((name.clone(), value));
    }
    let body = body::body(sent, kind, exchange.number, exchange.response.status == 401, values)?;
    bind_content(sent, &body, values);
    let mut request = Request {
        method: sent.method.clone(),
        target: values.substitute_target(&sent.target).into_owned(),
        headers,
        framing: framing(sent, &body),
        body,
    };
    digests::refresh(&mut request, sent, &exchange.response, values);
    // Some clients sign the length.
    let signs_length = sent.header("authorization").is_some_and(|value| value.contains("content-length;"));
    if signs_length {
        request.set_header("Content-Length", &request.body.length().to_string());
    }
    let finding = auth.authorize(exchange, &mut request, values, client).await?;
    request.remove_header("content-length");
    Ok((request, finding))
}

/// An S3 upload by a web form.
fn is_signed_form(sent: &Sent) -> bool {
    let fields = form_fields(sent);
    let has = |name: &str| fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    has("policy") && (has("signature") || has("x-amz-signature"))
}

fn is_sent(name: &str) -> bool {
    !name.starts_with(':') && !NOT_SENT.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a header's names are to be replaced here; the others are the business of [`Auth`].
fn with_values(name: &str, sent: &Sent) -> bool {
    let token = || {
        let scheme =
            sent.header("authorization").and_then(|value| value.split(' ').next()).unwrap_or_default();
        scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token")
    };
    match name.to_ascii_lowercase().as_str() {
        "cookie" => false,
        "authorization" => token(),
        // Digests have a care of their own.
        "content-md5" | "x-amz-content-sha256" => false,
        _ => is_sent(name),
    }
}

/// What can be decoded here as well.
fn codings(recorded: &str) -> String {
    let known = |coding: &&str| {
        let name = coding.split(';').next().unwrap_or_default().trim();
        ["gzip", "x-gzip", "deflate", "identity"].iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    let kept: Vec<&str> = recorded.split(',').map(str::trim).filter(known).collect();
    if kept.is_empty() { "identity".to_owned() } else { kept.join(", ") }
}

fn framing(sent: &Sent, body: &Body) -> Framing {
    let chunked =
        sent.header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
    if chunked {
        Framing::Chunked
    } else if body.length() > 0 || sent.header("content-length").is_some() {
        Framing::Length
    } else {
        Framing::None
    }
}

/// Later answers have the digest of what was sent in place of what the recording lacks.
fn bind_content(sent: &Sent, body: &Body, values: &mut Values) {
    match (body, &sent.body) {
        (Body::Plain(content @ Content::Made(_)), Payload::Omitted { sha256: Some(recorded), .. }) => {
            values.set_content(recorded, &content.sha256());
        }
        (Body::Form(pieces), Payload::Form(form)) => {
            let made = pieces.iter().filter(|piece| matches!(piece, Content::Made(_)));
            let omitted = form.parts.iter().filter_map(|part| match &part.content {
                cellgate_record::Content::Omitted { sha256, .. } => Some(sha256.as_deref()),
                cellgate_record::Content::Bytes(_) => None,
            });
            for (recorded, content) in omitted.zip(made) {
                if let Some(recorded) = recorded {
                    values.set_content(recorded, &content.sha256());
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sent;

    #[test]
    fn only_codings_that_can_be_undone_are_asked_for() {
        assert_eq!(codings("gzip, deflate, br, zstd"), "gzip, deflate");
        assert_eq!(codings("GZIP;q=0.5"), "GZIP;q=0.5");
        assert_eq!(codings("br"), "identity");
        assert_eq!(codings("identity"), "identity");
    }

    #[test]
    fn a_body_is_framed_as_recorded() {
        let some = Body::Plain(Content::Bytes("x".into()));
        for (headers, body, expected) in [
            (&[("Transfer-Encoding", "chunked")][..], &some, Framing::Chunked),
            (&[("Content-Length", "1")], &some, Framing::Length),
            (&[("Content-Length", "0")], &Body::EMPTY, Framing::Length),
            (&[], &Body::EMPTY, Framing::None),
            (&[], &some, Framing::Length),
        ] {
            assert_eq!(framing(&sent("PUT", "/", headers), body), expected, "{headers:?}");
        }
    }

    #[test]
    fn headers_of_the_connection_stay_behind() {
        for name in [":authority", "Connection", "TE", "Expect", "Content-Length"] {
            assert!(!is_sent(name), "{name}");
        }
        assert!(is_sent("Destination") && is_sent("If-Match"));
    }
}
