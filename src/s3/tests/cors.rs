//! What pages of other origins may do. Headers, codes and texts are those of Amazon's pages on CORS.

use cellgate_core::http::Protocol;
use cellgate_core::testing::{Answer, RequestBuilder, request, serve};
use cellgate_s3::{CorsRule, S3, Settings};

use crate::sign::Signed;
use crate::{Stage, assert_error, signer, stage, text, texts};

const PAGE: &str = "https://app.example.org";
const VARIES: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

fn rule(origins: &[&str], methods: &[&str]) -> CorsRule {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    CorsRule { origins: owned(origins), methods: owned(methods), ..CorsRule::default() }
}

/// Pages of `*.example.org` may read and write, all pages may look at heads.
async fn shared() -> Stage {
    let stage = stage().await;
    let pages = CorsRule {
        headers: vec!["Content-*".into(), "x-amz-date".into(), "authorization".into()],
        expose: vec!["ETag".into(), "x-amz-version-id".into()],
        max_age_s: Some(3000),
        ..rule(&["https://*.example.org"], &["GET", "PUT"])
    };
    let settings = Settings {
        domains: vec!["s3.example.org".into()],
        cors: vec![pages, rule(&["*"], &["HEAD"])],
        ..Settings::default()
    };
    let s3 = S3::with(stage.core.core.clone(), settings);
    let alice = signer(&stage.core, "alice").await;
    Stage { s3, core: stage.core, alice }
}

fn preflight(uri: &str, origin: &str, method: &str) -> RequestBuilder {
    request("OPTIONS", uri).header("origin", origin).header("access-control-request-method", method)
}

fn wants(request: RequestBuilder, headers: &str) -> RequestBuilder {
    request.header("access-control-request-headers", headers)
}

#[track_caller]
fn assert_not_granted(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), "", "{}", answer.text());
    assert_eq!(answer.header("access-control-allow-methods"), "");
}

#[tokio::test]
async fn a_preflight_needs_no_credentials() {
    let stage = shared().await;
    for uri in ["/io", "/io/common-files/a%2Fb", "/common-files/a?partNumber=1&uploadId=x", "/nowhere", "/"] {
        let asked = wants(preflight(uri, PAGE, "PUT"), "Content-Type,x-amz-date, authorization");
        let answer = serve(&stage.s3, asked).await;
        assert_eq!(answer.status, 200, "{uri}: {}", answer.text());
        for (name, value) in [
            ("access-control-allow-origin", PAGE),
            ("access-control-allow-methods", "GET, PUT"),
            ("access-control-allow-headers", "content-type, x-amz-date, authorization"),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", "ETag, x-amz-version-id"),
            ("access-control-max-age", "3000"),
            ("vary", VARIES),
        ] {
            assert_eq!(answer.header(name), value, "{uri}: {name}");
        }
        assert!(answer.body.is_empty());
    }
}

#[tokio::test]
async fn a_rule_for_everybody_grants_no_credentials() {
    let stage = shared().await;
    let answer = serve(&stage.s3, preflight("/io/common-files/a", "http://other.test", "HEAD")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-methods"), "HEAD");
    for absent in ["credentials", "headers"] {
        assert_eq!(answer.header(&format!("access-control-allow-{absent}")), "", "{absent}");
    }
    assert_eq!(answer.header("access-control-max-age"), "");
}

#[tokio::test]
async fn what_no_rule_allows_is_refused() {
    let stage = shared().await;
    for (asked, kind) in [
        (preflight("/io/common-files/a", "http://app.example.org", "GET"), "OBJECT"),
        (preflight("/io/common-files/a", "https://example.org", "GET"), "OBJECT"),
        (preflight("/io/common-files/a", "https://app.example.org.test", "GET"), "OBJECT"),
        (preflight("/io", PAGE, "DELETE"), "BUCKET"),
        (wants(preflight("/io/", PAGE, "GET"), "x-other"), "BUCKET"),
        (wants(preflight("/io/a/", PAGE, "GET"), "content-type,x-other"), "OBJECT"),
        (preflight("/a", PAGE, "POST").header("host", "common-files.s3.example.org"), "OBJECT"),
        (preflight("/", PAGE, "POST").header("host", "common-files.s3.example.org"), "BUCKET"),
    ] {
        let answer = serve(&stage.s3, asked).await;
        assert_error(&answer, 403, "AccessForbidden");
        let xml = answer.text();
        assert!(
            text(&xml, "Message").starts_with("CORSResponse: This CORS request is not allowed."),
            "{xml}"
        );
        assert_eq!(text(&xml, "ResourceType"), kind, "{xml}");
        assert_not_granted(&answer);
        assert_eq!(answer.header("vary"), VARIES);
    }
    for asked in [
        request("OPTIONS", "/io"),
        request("OPTIONS", "/io").header("origin", PAGE),
        preflight("/io", PAGE, "<x>"),
    ] {
        let answer = serve(&stage.s3, asked).await;
        assert_error(&answer, 400, "BadRequest");
        assert_eq!(answer.header("vary"), VARIES);
    }
}

#[tokio::test]
async fn answers_and_errors_say_who_may_read_them() {
    let stage = shared().await;
    stage.seed(&["common-files/a"]).await;
    let get = |uri: &str, origin: &str| Signed::new("GET", uri).header("origin", origin);
    let unsigned = serve(&stage.s3, request("GET", "/io/common-files/a").header("origin", PAGE)).await;
    assert_error(&unsigned, 403, "AccessDenied");
    let missing = stage.send(get("/io/common-files/none", PAGE)).await;
    assert_error(&missing, 404, "NoSuchKey");
    let read = stage.send(get("/io/common-files/a", PAGE)).await;
    assert_eq!(read.status, 200);
    for answer in [unsigned, missing, read] {
        assert_eq!(answer.header("access-control-allow-origin"), PAGE);
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert_eq!(answer.header("access-control-expose-headers"), "ETag, x-amz-version-id");
        assert_eq!(answer.header("vary"), VARIES);
    }
    let head = Signed::new("HEAD", "/io/common-files/a").header("origin", "http://other.test");
    assert_eq!(stage.send(head).await.header("access-control-allow-origin"), "*");
    // A request that no rule allows is answered; its page may not read the answer.
    let other = stage.send(get("/io/common-files/a", "http://other.test")).await;
    assert_eq!((other.status.as_u16(), other.header("vary")), (200, VARIES));
    assert_not_granted(&other);
    assert_not_granted(&stage.get("/io/common-files/a").await);
}

#[tokio::test]
async fn the_rules_are_shown_and_not_set() {
    let stage = shared().await;
    for bucket in ["/io", "/common-files/"] {
        let xml = stage.get(&format!("{bucket}?cors")).await.text();
        assert!(xml.contains("<CORSConfiguration xmlns="), "{xml}");
        assert_eq!(texts(&xml, "AllowedOrigin"), ["https://*.example.org", "*"]);
        assert_eq!(texts(&xml, "AllowedMethod"), ["GET", "PUT", "HEAD"]);
        assert_eq!(texts(&xml, "AllowedHeader"), ["Content-*", "x-amz-date", "authorization"]);
        assert_eq!(texts(&xml, "ExposeHeader"), ["ETag", "x-amz-version-id"]);
        assert_eq!(texts(&xml, "MaxAgeSeconds"), ["3000"]);
    }
    assert_error(&stage.get("/nowhere?cors").await, 404, "NoSuchBucket");
    assert_error(&stage.delete("/io?cors").await, 501, "NotImplemented");
    let rules = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod>\
                 <AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>";
    assert_error(&stage.put("/io?cors", rules).await, 501, "NotImplemented");
}

#[tokio::test]
async fn without_rules_no_page_is_answered() {
    let stage = stage().await;
    assert_error(&stage.get("/io?cors").await, 404, "NoSuchCORSConfiguration");
    let answer = serve(&stage.s3, preflight("/io", PAGE, "GET")).await;
    assert_error(&answer, 501, "NotImplemented");
    assert_not_granted(&answer);
    let read = stage.send(Signed::new("GET", "/io").header("origin", PAGE)).await;
    assert_eq!((read.status.as_u16(), read.header("vary")), (200, ""));
    assert_not_granted(&read);
}

#[tokio::test]
async fn preflights_outside_of_all_mounts_are_this_doors_where_there_are_rules() {
    let (with, without) = (shared().await, stage().await);
    let recognizes = |stage: &Stage, asked: RequestBuilder| stage.s3.recognizes(&asked.into());
    for uri in ["/common-files/a", "/"] {
        assert!(recognizes(&with, preflight(uri, PAGE, "PUT")), "{uri}");
        assert!(!recognizes(&without, preflight(uri, PAGE, "PUT")), "{uri}");
        // WebDAV clients ask so.
        assert!(!recognizes(&with, request("OPTIONS", uri)), "{uri}");
    }
}
