//! When credentials and signatures end.

use std::time::{Duration, Instant};

use bytes::Bytes;
use cellgate_core::identity::{NewKey, NewToken, TokenKind};
use cellgate_core::principal::Scope;
use cellgate_core::testing::{request, serve};
use futures_util::StreamExt as _;
use futures_util::stream::unfold;

use crate::sign::{Signed, Signer, encode};
use crate::{Stage, assert_error, stage, text};

const URI: &str = "/io/common-files/a.txt";

async fn personal(stage: &Stage, expires_in_s: Option<u64>) -> (uuid::Uuid, Signer) {
    let user = stage.core.identity().user("alice").await.unwrap().unwrap();
    let new = NewToken {
        kind: TokenKind::Personal,
        label: String::new(),
        scope: Scope::default(),
        expires_in_s,
        payload: String::new(),
    };
    let (token, secret) = stage.core.identity().create_token(user.uuid, new).await.unwrap();
    (token.uuid, Signer::new(&secret, "gatewaysecret"))
}

#[tokio::test]
async fn an_upload_whose_token_expires_meanwhile_finishes() {
    let stage = stage().await;
    let (_, signer) = personal(&stage, Some(1)).await;
    let began = Instant::now();
    let mut put = signer.header(Signed::new("PUT", URI).payload("UNSIGNED-PAYLOAD"));
    put.headers_mut().insert("content-length", 10.into());
    let slow = unfold(0, |sent| async move {
        if sent == 1 {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
        }
        (sent < 2).then(|| (Ok(Bytes::from_static(b"hello")), sent + 1))
    });
    *put.body_mut() = cellgate_core::http::stream(slow.boxed());
    let answer = serve(&stage.s3, put).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(began.elapsed() > Duration::from_secs(1));
    assert_eq!(stage.get(URI).await.body, "hellohello");
    let late = serve(&stage.s3, signer.header(Signed::new("GET", URI))).await;
    assert_error(&late, 403, "AccessDenied");
}

#[tokio::test]
async fn what_is_revoked_opens_nothing_from_then_on() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let (uuid, token) = personal(&stage, None).await;
    let user = stage.core.identity().user("alice").await.unwrap().unwrap();
    let (key, secret) = stage.core.identity().create_key(user.uuid, NewKey::default()).await.unwrap();
    let key_signer = Signer::new(&key.id, &secret);
    let link = token.presign("GET", URI, "localhost:8080", 600);
    let gateway = Signer::new("gateway", "gatewaysecret").presign("GET", URI, "localhost:8080", 600);
    let beside = format!("{gateway}&pydio_jwt={}", encode(&token.key));
    let statuses = async || {
        let mut statuses = Vec::new();
        for request in [
            token.header(Signed::new("GET", URI)),
            key_signer.header(Signed::new("GET", URI)),
            request("GET", &link).build(),
            request("GET", &beside).build(),
            request("GET", URI).bearer(&token.key).build(),
        ] {
            statuses.push(serve(&stage.s3, request).await.status.as_u16());
        }
        statuses
    };
    // Twice: what was verified once is remembered.
    for _ in 0..2 {
        assert_eq!(statuses().await, [200; 5]);
    }
    stage.core.identity().delete_token(uuid).await.unwrap();
    assert_eq!(statuses().await, [403, 200, 403, 403, 403]);
    stage.core.identity().delete_key(&key.id).await.unwrap();
    assert_eq!(statuses().await, [403; 5]);
}

#[tokio::test]
async fn a_link_says_how_long_it_holds() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let link = stage.alice.presign("GET", URI, "localhost:8080", 600);
    let number = "X-Amz-Expires should be a number";
    let week = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be \
        less than 604800 seconds";
    let missing = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
        X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";
    for (expires, status, code, why) in [
        ("X-Amz-Expires=0", 403, "AccessDenied", "Request has expired."),
        ("X-Amz-Expires=-3", 400, "AuthorizationQueryParametersError", "X-Amz-Expires must be non-negative"),
        ("X-Amz-Expires=604801", 400, "AuthorizationQueryParametersError", week),
        ("X-Amz-Expires=soon", 400, "AuthorizationQueryParametersError", number),
        ("X-Amz-Expires=1e3", 400, "AuthorizationQueryParametersError", number),
        ("X-Amz-Expires=", 400, "AuthorizationQueryParametersError", missing),
        ("x=600", 400, "AuthorizationQueryParametersError", missing),
        (
            "X-Amz-Expires=600&X-Amz-Expires=600",
            400,
            "InvalidArgument",
            "a query parameter must not be repeated",
        ),
    ] {
        let answer = serve(&stage.s3, request("GET", &link.replace("X-Amz-Expires=600", expires))).await;
        assert_error(&answer, status, code);
        assert_eq!(text(&answer.text(), "Message"), why);
    }
    let twice = format!("{link}&X-Amz-Signature={}", "0".repeat(64));
    assert_error(&serve(&stage.s3, request("GET", &twice)).await, 400, "InvalidArgument");
    let part =
        stage.send(Signed::new("PUT", &format!("{URI}?partNumber=1&uploadId=a&uploadId=b")).body("x")).await;
    assert_error(&part, 400, "InvalidArgument");
}

#[tokio::test]
async fn what_was_not_signed_does_not_count() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    // Only the date is signed, the host is not.
    let mut hostless = stage.alice.header(Signed::new("GET", URI));
    let authorization = hostless.headers()["authorization"].to_str().unwrap().replace("=host;", "=");
    hostless.headers_mut().insert("authorization", authorization.parse().unwrap());
    assert_error(&serve(&stage.s3, hostless).await, 403, "AccessDenied");
    let link = stage.alice.presign("GET", URI, "localhost:8080", 600);
    let hostless = link.replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=range");
    assert_error(&serve(&stage.s3, request("GET", &hostless)).await, 403, "AccessDenied");
    let elsewhere = request("GET", &link).header("host", "other.example.org");
    assert_error(&serve(&stage.s3, elsewhere).await, 403, "SignatureDoesNotMatch");
    // Credentials in the header and in the query.
    let mut both = stage.alice.header(Signed::new("GET", URI));
    *both.uri_mut() = link.parse().unwrap();
    assert_error(&serve(&stage.s3, both).await, 400, "InvalidArgument");
    let mut extra = stage.alice.header(Signed::new("PUT", URI).body("hello"));
    extra.headers_mut().insert("x-amz-copy-source", "io/personal-files/b".parse().unwrap());
    let extra = serve(&stage.s3, extra).await;
    assert_error(&extra, 403, "AccessDenied");
    let why = "There were headers present in the request which were not signed";
    assert_eq!(text(&extra.text(), "Message"), why);
}

/// What presigners move from the headers into the query means the same there.
#[tokio::test]
async fn headers_in_a_signed_query_are_headers() {
    let stage = stage().await;
    let uri = format!("{URI}?x-amz-meta-colour=blue&x-amz-checksum-crc32=AAAAAA%3D%3D");
    let put = serve(&stage.s3, stage.alice.presigned(Signed::new("PUT", &uri).body("hello"))).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(stage.head(URI).await.header("x-amz-meta-colour"), "blue");
    // Added to a link, they are not signed.
    let link = stage.alice.presign("PUT", URI, "localhost:8080", 600);
    let added = request("PUT", &format!("{link}&x-amz-meta-colour=red")).body("x");
    assert_error(&serve(&stage.s3, added).await, 403, "SignatureDoesNotMatch");
}
