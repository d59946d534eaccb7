//! Every form of credential, and none.

use cellgate_core::Door;
use cellgate_core::http::{Note, Protocol as _};
use cellgate_core::identity::{NewKey, NewToken, TokenKind};
use cellgate_core::principal::{Rights, Scope};
use cellgate_core::testing::{request, serve};
use time::OffsetDateTime;

use crate::sign::{Signed, Signer, encode};
use crate::{assert_error, stage, token};

const URI: &str = "/io/common-files/a.txt";

fn in_an_hour() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp() + 3_600
}

#[tokio::test]
async fn a_token_as_access_key_signs_with_the_public_secret() {
    let stage = stage().await;
    assert_eq!(stage.put(URI, "hello").await.status, 200);
    assert_eq!(stage.get(URI).await.body, "hello");

    let mut elsewhere = stage.alice.clone();
    elsewhere.region = "us-west-1".into();
    assert_eq!(serve(&stage.s3, elsewhere.header(Signed::new("GET", URI))).await.status, 200);

    let wrong = Signer::new(&stage.alice.key, "another secret");
    assert_error(
        &serve(&stage.s3, wrong.header(Signed::new("GET", URI))).await,
        403,
        "SignatureDoesNotMatch",
    );
}

#[tokio::test]
async fn an_api_key_signs_with_its_own_secret_and_no_other() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let user = stage.core.identity().user("alice").await.unwrap().unwrap();
    let (key, secret) = stage.core.identity().create_key(user.uuid, NewKey::default()).await.unwrap();
    let get = |signer: Signer| signer.header(Signed::new("GET", URI));
    assert_eq!(serve(&stage.s3, get(Signer::new(&key.id, &secret))).await.status, 200);
    let public = serve(&stage.s3, get(Signer::new(&key.id, "gatewaysecret"))).await;
    assert_error(&public, 403, "SignatureDoesNotMatch");

    stage.core.identity().delete_key(&key.id).await.unwrap();
    assert_error(&serve(&stage.s3, get(Signer::new(&key.id, &secret))).await, 403, "InvalidAccessKeyId");
}

#[tokio::test]
async fn the_public_secret_alone_opens_nothing() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    for key in ["gateway", "admin", "nobody", "pydio.anon.user"] {
        let signer = Signer::new(key, "gatewaysecret");
        let header = serve(&stage.s3, signer.header(Signed::new("GET", URI))).await;
        assert_error(&header, 403, "InvalidAccessKeyId");
        let query = serve(&stage.s3, signer.presigned(Signed::new("GET", URI))).await;
        assert_error(&query, 403, "InvalidAccessKeyId");
        let v2 = signer.presign_v2("GET", URI, "", in_an_hour());
        assert_error(&serve(&stage.s3, request("GET", &v2)).await, 403, "InvalidAccessKeyId");
    }
    assert_error(&serve(&stage.s3, request("GET", URI)).await, 403, "AccessDenied");
    assert_error(&serve(&stage.s3, request("GET", "/")).await, 403, "AccessDenied");
    assert_error(&serve(&stage.s3, request("PUT", URI).body("x")).await, 403, "AccessDenied");
    let sync = request("GET", URI).header("user-agent", "pydio.sync.client.s3");
    assert_error(&serve(&stage.s3, sync).await, 403, "AccessDenied");
    assert_eq!(stage.get(URI).await.body, "hello");
}

#[tokio::test]
async fn the_web_client_of_cells_uploads_with_v2_and_a_bearer_header() {
    let stage = stage().await;
    let gateway = Signer::new("gateway", "gatewaysecret");
    let mime = "application/octet-stream";
    let uri = gateway.presign_v2("PUT", URI, mime, in_an_hour());
    let uri = format!("{uri}&Content-Type=application%2Foctet-stream");
    let put = |bearer: &str| {
        request("PUT", &uri).header("content-type", mime).header("x-pydio-bearer", bearer).body("hello")
    };
    let answer = serve(&stage.s3, put(&stage.alice.key)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(stage.get(URI).await.body, "hello");

    assert_error(&serve(&stage.s3, put("no token")).await, 403, "AccessDenied");
    let forged = uri.replace("Expires=", "Expires=1");
    let forged =
        request("PUT", &forged).header("content-type", mime).header("x-pydio-bearer", &stage.alice.key);
    assert_error(&serve(&stage.s3, forged.body("x")).await, 403, "SignatureDoesNotMatch");
    let expired = gateway.presign_v2("PUT", URI, mime, 1_579_564_291);
    let expired =
        request("PUT", &expired).header("content-type", mime).header("x-pydio-bearer", &stage.alice.key);
    assert_error(&serve(&stage.s3, expired.body("x")).await, 403, "AccessDenied");
    assert_eq!(stage.get(URI).await.body, "hello");
}

#[tokio::test]
async fn presigned_links_carry_the_token_as_key_or_beside() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let jwt = encode(&stage.alice.key);
    let gateway = Signer::new("gateway", "gatewaysecret");
    let host = "localhost:8080";

    let own_key = stage.alice.presign("GET", URI, host, 600);
    let appended = format!("{}&pydio_jwt={jwt}", gateway.presign("GET", URI, host, 600));
    let inside = gateway.presign("GET", &format!("{URI}?pydio_jwt={jwt}"), host, 600);
    let both = stage.alice.presign("GET", &format!("{URI}?pydio_jwt={jwt}"), host, 600);
    let v2 = format!("{}&pydio_jwt={jwt}", gateway.presign_v2("GET", URI, "", in_an_hour()));
    let v2_key = stage.alice.presign_v2("GET", URI, "", in_an_hour());
    for uri in [&own_key, &appended, &inside, &both, &v2, &v2_key] {
        let answer = serve(&stage.s3, request("GET", uri)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body[..]),
            (200, &b"hello"[..]),
            "{uri}: {}",
            answer.text()
        );
        let saved = answer.header("content-disposition") == "attachment";
        assert_eq!(saved, uri.contains("pydio_jwt"), "{uri}");
    }
    // A script's Bearer beside a presigned link is ignored, whatever it is.
    let beside = serve(&stage.s3, request("GET", &own_key).bearer("stale")).await;
    assert_eq!(beside.status, 200);

    for link in [&own_key, &appended, &inside, &both] {
        let forged = link.replace("X-Amz-Expires=600", "X-Amz-Expires=601");
        assert_error(&serve(&stage.s3, request("GET", &forged)).await, 403, "SignatureDoesNotMatch");
    }
    let no_token = appended.replace(&jwt, "x");
    assert_error(&serve(&stage.s3, request("GET", &no_token)).await, 403, "AccessDenied");
    let expired = stage.alice.clone().at(-601).presign("GET", URI, host, 600);
    assert_error(&serve(&stage.s3, request("GET", &expired)).await, 403, "AccessDenied");
    let ahead = stage.alice.clone().at(901).presign("GET", URI, host, 600);
    assert_error(&serve(&stage.s3, request("GET", &ahead)).await, 403, "AccessDenied");
    let week = stage.alice.presign("GET", URI, host, 604_801);
    assert_error(&serve(&stage.s3, request("GET", &week)).await, 400, "AuthorizationQueryParametersError");
}

#[tokio::test]
async fn a_presigned_upload_does_not_become_a_copy() {
    let stage = stage().await;
    stage.put("/io/personal-files/secret.txt", "secret").await;
    let uri = stage.alice.presign("PUT", URI, "localhost:8080", 600);
    let copy = request("PUT", &uri).header("x-amz-copy-source", "io/personal-files/secret.txt").body("");
    assert_error(&serve(&stage.s3, copy).await, 403, "AccessDenied");
    assert_eq!(stage.head(URI).await.status, 404);
    assert_eq!(serve(&stage.s3, request("PUT", &uri).body("mine")).await.status, 200);
    assert_eq!(stage.get(URI).await.body, "mine");
}

#[tokio::test]
async fn v4_with_the_gateway_key_takes_the_token_from_the_header() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let gateway = Signer::new("gateway", "gatewaysecret");
    let mut get = gateway.header(Signed::new("GET", URI));
    get.headers_mut().insert("x-pydio-bearer", stage.alice.key.parse().unwrap());
    assert_eq!(serve(&stage.s3, get).await.body, "hello");

    // Two tokens of two people: nobody's request.
    let reader = token(&stage.core, "reader").await;
    let mut mixed = stage.alice.header(Signed::new("GET", URI));
    mixed.headers_mut().insert("x-pydio-bearer", reader.parse().unwrap());
    assert_error(&serve(&stage.s3, mixed).await, 403, "InvalidAccessKeyId");
    let unsigned = request("GET", URI).header("x-pydio-bearer", &reader);
    assert_error(&serve(&stage.s3, unsigned).await, 403, "AccessDenied");
}

#[tokio::test]
async fn a_bare_bearer_token_is_enough() {
    let stage = stage().await;
    let put = request("PUT", URI).bearer(&stage.alice.key).body("hello");
    assert_eq!(serve(&stage.s3, put).await.status, 200);
    let list = request("GET", "/io?list-type=2&prefix=common-files/").bearer(&stage.alice.key);
    assert!(serve(&stage.s3, list).await.text().contains("<Key>common-files/a.txt</Key>"));
    for wrong in ["", "wrong", "gateway"] {
        assert_error(&serve(&stage.s3, request("GET", URI).bearer(wrong)).await, 403, "AccessDenied");
    }
    // Frames of a chunked body are not content, whoever sends them.
    let chunked = |payload: &str| {
        request("PUT", URI)
            .bearer(&stage.alice.key)
            .header("x-amz-content-sha256", payload)
            .header("x-amz-decoded-content-length", "3")
            .header("content-encoding", "aws-chunked")
            .body("3\r\nabc\r\n0\r\n\r\n")
    };
    // There is no signature that those of chunks could go on from.
    let signed = serve(&stage.s3, chunked("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")).await;
    assert_error(&signed, 400, "InvalidRequest");
    assert_eq!(stage.get(URI).await.body, "hello");
    let unsigned = serve(&stage.s3, chunked("STREAMING-UNSIGNED-PAYLOAD-TRAILER")).await;
    assert_eq!(unsigned.status, 200, "{}", unsigned.text());
    assert_eq!(stage.get(URI).await.body, "abc");
}

#[tokio::test]
async fn a_token_in_the_query_goes_before_one_in_the_header() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let gateway = Signer::new("gateway", "gatewaysecret");
    let link = gateway.presign("GET", URI, "localhost:8080", 600);
    let alice = encode(&stage.alice.key);
    let get = |query: &str, header: &str| {
        serve(&stage.s3, request("GET", &format!("{link}{query}")).header("x-pydio-bearer", header))
    };
    assert_eq!(get(&format!("&pydio_jwt={alice}"), "stale").await.status, 200);
    assert_error(&get("&pydio_jwt=stale", &stage.alice.key).await, 403, "AccessDenied");
    let twice = format!("&pydio_jwt={alice}&pydio_jwt={alice}");
    assert_error(&get(&twice, &stage.alice.key).await, 400, "InvalidArgument");
}

#[tokio::test]
async fn other_mechanisms_are_refused_by_name() {
    let stage = stage().await;
    assert_error(&serve(&stage.s3, request("GET", URI).basic("alice")).await, 400, "InvalidRequest");
    let two = request("GET", URI).bearer(&stage.alice.key).bearer(&stage.alice.key);
    assert_error(&serve(&stage.s3, two).await, 400, "InvalidRequest");
}

#[tokio::test]
async fn v2_headers_are_accepted_as_boto3_signs_buckets() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let date = cellgate_core::http::date::http(cellgate_core::http::date::now_ns());
    let signature = stage.alice.v2(&format!("GET\n\n\n{date}\n/io/"));
    let list = request("GET", "/io?prefix=common-files/")
        .header("date", &date)
        .header("authorization", format!("AWS {}:{signature}", stage.alice.key));
    let answer = serve(&stage.s3, list).await;
    assert!(answer.text().contains("<Key>common-files/a.txt</Key>"), "{}", answer.text());
}

/// s3cmd, as it lists buckets before it was told a region.
#[tokio::test]
async fn regions_in_capitals_are_regions() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let mut alice = stage.alice.clone();
    alice.region = "US".into();
    let buckets = serve(&stage.s3, alice.header(Signed::new("GET", "/"))).await;
    assert!(buckets.text().contains("<Name>io</Name>"), "{}", buckets.text());
    let list = alice.header(Signed::new("GET", "/io?prefix=common-files/&delimiter=%2F"));
    assert!(serve(&stage.s3, list).await.text().contains("<Key>common-files/a.txt</Key>"));

    let mut wrong = Signer::new(&stage.alice.key, "another secret");
    wrong.region = "US".into();
    let wrong = serve(&stage.s3, wrong.header(Signed::new("GET", URI))).await;
    assert_error(&wrong, 403, "SignatureDoesNotMatch");
    let mut nobody = Signer::new("gateway", "gatewaysecret");
    nobody.region = "US".into();
    assert_error(&serve(&stage.s3, nobody.header(Signed::new("GET", URI))).await, 403, "InvalidAccessKeyId");
    let old = alice.clone().at(-901).header(Signed::new("GET", URI));
    assert_error(&serve(&stage.s3, old).await, 403, "RequestTimeTooSkewed");
    let mut extra = alice.header(Signed::new("GET", URI));
    extra.headers_mut().insert("x-amz-checksum-mode", "ENABLED".parse().unwrap());
    assert_error(&serve(&stage.s3, extra).await, 403, "AccessDenied");
    let mut other = alice.header(Signed::new("GET", URI));
    *other.uri_mut() = "/io/common-files/b.txt".parse().unwrap();
    assert_error(&serve(&stage.s3, other).await, 403, "SignatureDoesNotMatch");
    let put = alice.header(Signed::new("PUT", URI).body("x"));
    assert_eq!(serve(&stage.s3, put).await.status, 200);
    assert_eq!(stage.get(URI).await.body, "x");
}

#[tokio::test]
async fn old_requests_are_not_replayed() {
    let stage = stage().await;
    for skew in [-901, 901] {
        let request = stage.alice.clone().at(skew).header(Signed::new("GET", URI));
        assert_error(&serve(&stage.s3, request).await, 403, "RequestTimeTooSkewed");
    }
}

#[tokio::test]
async fn scopes_and_rights_hold() {
    let stage = stage().await;
    stage.put(URI, "hello").await;
    let user = stage.core.identity().user("alice").await.unwrap().unwrap();
    let new = |scope: Scope| NewToken {
        kind: TokenKind::Personal,
        label: String::new(),
        scope,
        expires_in_s: None,
        payload: String::new(),
    };
    let dav = new(Scope { doors: vec![Door::Dav], ..Scope::default() });
    let (_, dav) = stage.core.identity().create_token(user.uuid, dav).await.unwrap();
    let signer = Signer::new(&dav, "gatewaysecret");
    assert_error(&serve(&stage.s3, signer.header(Signed::new("GET", URI))).await, 403, "AccessDenied");

    let read = new(Scope { rights: Some(Rights::READ), ..Scope::default() });
    let (_, read) = stage.core.identity().create_token(user.uuid, read).await.unwrap();
    let signer = Signer::new(&read, "gatewaysecret");
    assert_eq!(serve(&stage.s3, signer.header(Signed::new("GET", URI))).await.status, 200);
    let put = signer.header(Signed::new("PUT", URI).body("x"));
    assert_error(&serve(&stage.s3, put).await, 403, "AccessDenied");
    let delete = signer.header(Signed::new("DELETE", URI));
    assert_error(&serve(&stage.s3, delete).await, 403, "AccessDenied");
    assert_eq!(stage.get(URI).await.body, "hello");
}

#[tokio::test]
async fn answers_tell_the_log_who_and_what_but_no_token() {
    let stage = stage().await;
    let answer = stage.s3.serve(stage.alice.header(Signed::new("PUT", URI).body("x"))).await;
    let note = answer.extensions().get::<Note>().unwrap();
    assert_eq!((note.principal.as_deref(), note.operation), (Some("alice"), Some("PutObject")));
    assert_eq!(answer.headers()["x-amz-request-id"], "test");
    let answer = stage.s3.serve(stage.alice.header(Signed::new("GET", URI))).await;
    let note = answer.extensions().get::<Note>().unwrap();
    assert_eq!((note.principal.as_deref(), note.operation), (Some("alice"), Some("GetObject")));
    let answer = stage.s3.serve(request("GET", URI).build()).await;
    assert_eq!(answer.extensions().get::<Note>().unwrap().principal, None);

    let wrong = Signer::new(&stage.alice.key, "another secret");
    let refused = serve(&stage.s3, wrong.presigned(Signed::new("GET", URI))).await;
    assert!(!refused.text().contains(&stage.alice.key), "{}", refused.text());
    let unknown = Signer::new("some-secret-token", "gatewaysecret");
    let refused = serve(&stage.s3, unknown.header(Signed::new("GET", URI))).await;
    assert!(!refused.text().contains("some-secret-token"), "{}", refused.text());
}
