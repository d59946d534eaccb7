//! Credentials that a hostile client makes up: the exact answer, nothing stored, and no secret shown.

use cellgate_core::identity::NewKey;
use cellgate_core::testing::{Answer, request, serve};

use crate::sign::{Signed, Signer, encode};
use crate::{Stage, assert_error, stage, text};

const URI: &str = "/io/common-files/a.txt";
const HOST: &str = "localhost:8080";

async fn put(stage: &Stage, uri: &str) -> Answer {
    serve(&stage.s3, request("PUT", uri).body("x")).await
}

#[tokio::test]
async fn one_request_has_one_kind_of_credentials() {
    let stage = stage().await;
    let v4 = stage.alice.presign("PUT", URI, HOST, 600);
    let v2 = stage.alice.presign_v2("PUT", URI, "", 4_000_000_000);
    let signed = stage.alice.header(Signed::new("PUT", URI).body("x"));
    let v4_header = signed.headers()["authorization"].to_str().unwrap().to_owned();
    let v2_header = format!("AWS {}:c2lnbmF0dXJl", stage.alice.key);
    for uri in [&v4, &v2] {
        for header in [&v4_header, &v2_header] {
            let both = request("PUT", uri).header("authorization", header).body("x");
            let answer = serve(&stage.s3, both).await;
            assert_error(&answer, 400, "InvalidArgument");
            assert!(text(&answer.text(), "Message").starts_with("Only one auth mechanism allowed"));
        }
    }
    let (_, query) = v2.split_once('?').unwrap();
    assert_error(&put(&stage, &format!("{v4}&{query}")).await, 400, "InvalidArgument");
    assert_eq!(stage.head(URI).await.status, 404);
}

/// "Authenticating Requests: Using Query Parameters": from 1 to 604800 seconds.
#[tokio::test]
async fn links_hold_for_a_second_to_a_week() {
    let stage = stage().await;
    let link = stage.alice.presign("PUT", URI, HOST, 600);
    let never = stage.alice.presign("PUT", URI, HOST, 0);
    assert_error(&put(&stage, &never).await, 403, "AccessDenied");
    for (expires, why) in [
        ("-1", "X-Amz-Expires must be non-negative"),
        ("-9223372036854775808", "X-Amz-Expires must be non-negative"),
        ("604801", "X-Amz-Expires must be less than a week (in seconds)"),
        ("9223372036854775807", "X-Amz-Expires must be less than a week (in seconds)"),
        ("9223372036854775808", "X-Amz-Expires should be a number"),
        ("1e3", "X-Amz-Expires should be a number"),
        ("", "Query-string authentication version 4 requires"),
    ] {
        let forged = link.replace("X-Amz-Expires=600", &format!("X-Amz-Expires={expires}"));
        let answer = put(&stage, &forged).await;
        assert_error(&answer, 400, "AuthorizationQueryParametersError");
        assert!(text(&answer.text(), "Message").starts_with(why), "{}", answer.text());
    }
    assert_eq!(stage.head(URI).await.status, 404);
    for good in [1, 604_800] {
        assert_eq!(put(&stage, &stage.alice.presign("PUT", URI, HOST, good)).await.status, 200);
    }
}

#[tokio::test]
async fn parameters_come_once() {
    let stage = stage().await;
    let link = stage.alice.presign("PUT", URI, HOST, 600);
    for again in
        ["X-Amz-Expires=600", "X-Amz-Signature=0", "X-Amz-Date=20300101T000000Z", "%58-Amz-Expires=600"]
    {
        assert_error(&put(&stage, &format!("{link}&{again}")).await, 400, "InvalidArgument");
    }
    let twice = stage.alice.presign("PUT", &format!("{URI}?tagging&tagging=1"), HOST, 600);
    assert_error(&put(&stage, &twice).await, 400, "InvalidArgument");
    assert_eq!(stage.head(URI).await.status, 404);
}

/// A signature that does not cover the host would hold for every bucket of that name.
#[tokio::test]
async fn the_host_is_signed() {
    let stage = stage().await;
    let link = stage.alice.presign("PUT", URI, HOST, 600);
    for signed in ["x-amz-date", "date%3Bx-amz-date"] {
        let unsigned = link.replace("X-Amz-SignedHeaders=host", &format!("X-Amz-SignedHeaders={signed}"));
        assert_error(&put(&stage, &unsigned).await, 403, "AccessDenied");
    }
    let mut request = stage.alice.header(Signed::new("PUT", URI).body("x"));
    let authorization = request.headers()["authorization"].to_str().unwrap();
    let unsigned = authorization.replace("=host;", "=");
    assert_ne!(authorization, unsigned);
    request.headers_mut().insert("authorization", unsigned.parse().unwrap());
    assert_error(&serve(&stage.s3, request).await, 403, "AccessDenied");
    let elsewhere = stage.alice.presign("PUT", URI, "elsewhere.example.org", 600);
    assert_error(&put(&stage, &elsewhere).await, 403, "SignatureDoesNotMatch");
    assert_eq!(stage.head(URI).await.status, 404);
}

/// Amazon's `InvalidToken`: nobody has temporary credentials here, so whose token it is cannot be known.
#[tokio::test]
async fn a_session_token_is_nobodys() {
    let stage = stage().await;
    let header = |value: &str| Signed::new("PUT", URI).header("x-amz-security-token", value).body("x");
    let link = stage.alice.presign("PUT", &format!("{URI}?X-Amz-Security-Token=session"), HOST, 600);
    let appended = format!("{}&X-Amz-Security-Token=session", stage.alice.presign("PUT", URI, HOST, 600));
    let v2 = stage.alice.presign_v2("PUT", URI, "", 4_000_000_000);
    let beside_v2 = request("PUT", &v2).header("x-amz-security-token", "session").body("x");
    let mut answers = vec![stage.send(header("session")).await, serve(&stage.s3, beside_v2).await];
    for uri in [link, appended, format!("{v2}&x-amz-security-token=session")] {
        answers.push(put(&stage, &uri).await);
    }
    for answer in answers {
        assert_error(&answer, 400, "InvalidToken");
        let xml = answer.text();
        assert_eq!(text(&xml, "Message"), "The provided token is malformed or otherwise invalid.");
        assert!(!xml.contains("session"), "{xml}");
    }
    assert_eq!(stage.head(URI).await.status, 404);
    // Some clients send an empty one.
    assert_eq!(stage.send(header("")).await.status, 200);
}

/// The arguments that Amazon names in its answers, as `versitygw test` expects them.
#[tokio::test]
async fn what_announces_a_signature_is_named_when_it_is_unknown() {
    let stage = stage().await;
    let mut other = stage.alice.header(Signed::new("PUT", URI).body("x"));
    let authorization = other.headers()["authorization"].to_str().unwrap();
    let authorization = authorization.replace("AWS4-HMAC-SHA256", "AWS2-HMAC-SHA1");
    other.headers_mut().insert("authorization", authorization.parse().unwrap());
    let digest = Signed::new("PUT", URI).payload("invalid_sha256").body("x");
    for (answer, name, value, why) in [
        (serve(&stage.s3, other).await, "Authorization", "AWS2-HMAC-SHA1", "Unsupported Authorization Type"),
        (
            stage.send(digest).await,
            "x-amz-content-sha256",
            "invalid_sha256",
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
             STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, \
             STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a \
             valid sha256 value.",
        ),
    ] {
        assert_error(&answer, 400, "InvalidArgument");
        let xml = answer.text();
        assert_eq!(
            (text(&xml, "ArgumentName").as_str(), text(&xml, "ArgumentValue").as_str()),
            (name, value)
        );
        assert_eq!(text(&xml, "Message"), why);
    }
    assert_eq!(stage.head(URI).await.status, 404);
}

/// Amazon S3 Developer Guide, "Signing and authenticating REST requests": within 15 minutes.
#[tokio::test]
async fn v2_headers_have_a_time_that_is_now() {
    let stage = stage().await;
    let put = |date: Option<&str>| {
        let signature = stage.alice.v2(&format!("PUT\n\n\n{}\n{URI}", date.unwrap_or_default()));
        let put = request("PUT", URI).header("authorization", format!("AWS {}:{signature}", stage.alice.key));
        let put = date.into_iter().fold(put, |put, date| put.header("date", date));
        serve(&stage.s3, put.body("x"))
    };
    // Their days of the week are made up, as in ceph/s3-tests.
    for far in ["Tue, 07 Jul 2010 21:53:04 GMT", "Tue, 07 Jul 9999 21:53:04 GMT", "20100707T215304Z"] {
        assert_error(&put(Some(far)).await, 403, "RequestTimeTooSkewed");
    }
    for none in [
        None,
        Some(""),
        Some("yesterday"),
        Some("Tue, 31 Feb 2030 21:53:04 GMT"),
        Some("Tue, 07 Jul 1950 21:53:04 GMT"),
    ] {
        assert_error(&put(none).await, 403, "AccessDenied");
    }
    assert_eq!(stage.head(URI).await.status, 404);
    let now = cellgate_core::http::date::http(cellgate_core::http::date::now_ns());
    assert_eq!(put(Some(&now)).await.status, 200);
}

/// Amazon echoes the access key, the text to sign and more; here an access key may be a token.
#[tokio::test]
async fn refusals_show_no_secret() {
    let stage = stage().await;
    let user = stage.core.identity().user("alice").await.unwrap().unwrap();
    let (key, secret) = stage.core.identity().create_key(user.uuid, NewKey::default()).await.unwrap();
    let token = stage.alice.key.clone();
    let get = || Signed::new("GET", URI);
    let (mut requests, mut secrets) = (Vec::new(), vec![token.clone(), key.id.clone(), secret.clone()]);
    for signer in [
        Signer::new(&token, "wrong secret"),
        Signer::new(&key.id, "wrong secret"),
        Signer::new("unknown-key", "gatewaysecret"),
        Signer::new(&token, "gatewaysecret").at(-901),
        Signer::new(&key.id, &secret).at(960),
    ] {
        secrets.extend([signer.key.clone(), signer.secret.clone()]);
        let mut request = signer.header(get());
        let authorization = request.headers()["authorization"].to_str().unwrap().to_owned();
        secrets.push(authorization.rsplit_once('=').unwrap().1.to_owned());
        for (from, to) in [
            ("Credential=", "Credential"),
            ("/s3/", "/ec2/"),
            ("/us-east-1", ""),
            (", ", " "),
            ("SHA256 ", "SHA256,"),
            ("SHA256 ", "SHA256"),
            ("4-HMAC-SHA256 Credential=", ""),
        ] {
            let mut broken = signer.header(get());
            let value = authorization.replace(from, to);
            broken.headers_mut().insert("authorization", value.parse().unwrap());
            requests.push(broken);
        }
        request.headers_mut().insert("x-amz-security-token", "session-token".parse().unwrap());
        requests.push(request);
        requests.push(signer.header(get()));
        let expires = stage.alice.at.unix_timestamp() - 10;
        for uri in [
            signer.clone().at(-2_000).presign("GET", URI, HOST, 600),
            signer.presign("GET", URI, HOST, 604_801),
            signer.presign("GET", URI, HOST, 600).replace("%2Fs3%2F", "%2Fec2%2F"),
            signer.presign_v2("GET", URI, "", expires),
            signer.presign_v2("GET", URI, "text/plain", 4_000_000_000).replace("Signature=", "Signature=x"),
        ] {
            let signature = uri.rsplit_once("Signature=").unwrap().1;
            secrets.push(signature.to_owned());
            requests.push(request_of(&uri));
        }
        let v2 = signer.v2("something else");
        secrets.push(v2.clone());
        let date = cellgate_core::http::date::http(cellgate_core::http::date::now_ns());
        let header = format!("AWS {}:{v2}", signer.key);
        requests
            .push(self::request("GET", URI).header("date", &date).header("authorization", header).build());
    }
    let gateway = Signer::new("gateway", "gatewaysecret");
    let link = gateway.presign("GET", URI, HOST, 600);
    for wrong in ["stale-token", "a.b.c"] {
        secrets.push(wrong.to_owned());
        requests.push(request("GET", URI).bearer(wrong).build());
        requests.push(request("GET", &link).header("x-pydio-bearer", wrong).build());
        requests.push(request_of(&format!("{link}&pydio_jwt={}", encode(wrong))));
        requests.push(request("GET", URI).header("x-pydio-bearer", wrong).build());
        requests.push(request("GET", URI).header("authorization", wrong).build());
        requests.push(request("GET", URI).header("authorization", format!("Token {wrong}")).build());
    }
    secrets.push("session-token".to_owned());
    secrets.retain(|secret| secret.len() > 4);
    for request in requests {
        let asked = format!("{} {:?}", request.uri(), request.headers());
        let answer = serve(&stage.s3, request).await;
        assert!(matches!(answer.status.as_u16(), 400 | 403), "{asked}: {}", answer.text());
        let shown = format!("{:?}\n{}", answer.headers, answer.text());
        for secret in &secrets {
            assert!(!shown.contains(secret.as_str()), "{secret} of {asked} in {shown}");
            assert!(!shown.contains(&encode(secret)), "{secret} of {asked} in {shown}");
        }
        for field in ["AWSAccessKeyId", "StringToSign", "SignatureProvided", "CanonicalRequest"] {
            assert!(!shown.contains(field), "{field} of {asked} in {shown}");
        }
    }
}

fn request_of(uri: &str) -> cellgate_core::http::Request {
    request("GET", uri).build()
}
