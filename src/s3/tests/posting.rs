//! Uploads by HTML form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cellgate_core::identity::NewKey;
use cellgate_core::testing::{Answer, RequestBuilder, request, serve};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::sign::Signer;
use crate::{Stage, assert_error, stage, text};

const KEY: &str = "common-files/up/${filename}";
const URI: &str = "/io/common-files/up/a.txt";

type Fields = Vec<(String, String)>;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A form as browsers write it, with a file named `a.txt`.
fn form(fields: &Fields, content: &str) -> RequestBuilder {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!("--b0\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n";
    body += &format!("Content-Type: text/plain\r\n\r\n{content}\r\n--b0--\r\n");
    request("POST", "/io").header("content-type", "multipart/form-data; boundary=b0").body(body)
}

/// The policy of these conditions, in base64, for so many seconds.
fn policy(conditions: &str, seconds: i64) -> String {
    let until = (OffsetDateTime::now_utc() + Duration::seconds(seconds)).format(&Rfc3339).unwrap();
    STANDARD.encode(format!("{{\"expiration\":\"{until}\",\"conditions\":[{conditions}]}}"))
}

const CONDITIONS: &str = "{\"bucket\":\"io\"},[\"starts-with\",\"$key\",\"common-files/up/\"]";
const PROOF: &str = "[\"starts-with\",\"$x-amz-algorithm\",\"\"],[\"starts-with\",\"$x-amz-credential\",\"\"],\
    [\"starts-with\",\"$x-amz-date\",\"\"]";

/// The fields of a V4 signature over a policy, beside others.
fn v4(signer: &Signer, policy: &str, others: &[(&str, &str)]) -> Fields {
    let mut all = fields(others);
    all.extend([
        ("policy".to_owned(), policy.to_owned()),
        ("x-amz-algorithm".to_owned(), "AWS4-HMAC-SHA256".to_owned()),
        ("X-Amz-Credential".to_owned(), format!("{}/{}", signer.key, signer.scope())),
        ("X-Amz-Date".to_owned(), signer.time()),
        ("X-Amz-Signature".to_owned(), signer.policy(policy)),
    ]);
    all
}

fn v2(signer: &Signer, policy: &str, others: &[(&str, &str)]) -> Fields {
    let mut all = fields(others);
    all.extend([
        ("AWSAccessKeyId".to_owned(), signer.key.clone()),
        ("policy".to_owned(), policy.to_owned()),
        ("signature".to_owned(), signer.v2(policy)),
    ]);
    all
}

async fn send(stage: &Stage, fields: &Fields, content: &str) -> Answer {
    serve(&stage.s3, form(fields, content)).await
}

/// "Example: Browser-Based Upload using HTTP POST" of the Amazon S3 API Reference: the signature of
/// its policy. The signer is right before it judges the door.
#[test]
fn the_signer_signs_policies_as_amazon_does() {
    let mut signer = Signer::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    signer.at = time::macros::datetime!(2015-12-29 00:00:00 UTC);
    let policy = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";
    assert_eq!(signer.policy(policy), "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e");
}

#[tokio::test]
async fn a_browser_uploads_with_a_signed_policy() {
    let stage = stage().await;
    let conditions = format!("{CONDITIONS},{PROOF}");
    let by_v4 = send(&stage, &v4(&stage.alice, &policy(&conditions, 60), &[("key", KEY)]), "four").await;
    assert_eq!((by_v4.status.as_u16(), by_v4.text().as_str()), (204, ""), "{}", by_v4.text());
    assert_eq!(by_v4.header("location"), "http://localhost:8080/io/common-files/up/a.txt");
    // MD5 of `four`.
    assert_eq!(by_v4.header("etag"), "\"8cbad96aced40b3838dd9f07f6ef5772\"");
    assert_eq!(stage.get(URI).await.body, "four");

    let by_v2 = send(&stage, &v2(&stage.alice, &policy(CONDITIONS, 60), &[("key", KEY)]), "two").await;
    assert_eq!(by_v2.status, 204, "{}", by_v2.text());
    assert_eq!(stage.get(URI).await.body, "two");

    let user = stage.core.identity().user("alice").await.unwrap().unwrap();
    let (key, secret) = stage.core.identity().create_key(user.uuid, NewKey::default()).await.unwrap();
    let own = Signer::new(&key.id, &secret);
    let by_key = send(&stage, &v4(&own, &policy(&conditions, 60), &[("key", KEY)]), "key").await;
    assert_eq!(by_key.status, 204, "{}", by_key.text());

    let gateway = Signer::new("gateway", "gatewaysecret");
    let beside = form(&v2(&gateway, &policy(CONDITIONS, 60), &[("key", KEY)]), "beside");
    let beside = serve(&stage.s3, beside.header("x-pydio-bearer", &stage.alice.key)).await;
    assert_eq!(beside.status, 204, "{}", beside.text());
    let bearer = form(&fields(&[("key", KEY)]), "bearer").bearer(&stage.alice.key);
    assert_eq!(serve(&stage.s3, bearer).await.status, 204);
    assert_eq!(stage.get(URI).await.body, "bearer");
}

#[tokio::test]
async fn the_form_says_what_to_keep_and_what_to_answer() {
    let stage = stage().await;
    let extra = [
        ("key", "common-files/up/ü b.txt"),
        ("success_action_status", "201"),
        ("acl", "private"),
        ("Content-Type", "image/png"),
        ("Cache-Control", "max-age=100"),
        ("x-amz-meta-Tag", "some"),
        ("x-ignore-submit", "Send"),
        ("tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"),
    ];
    let conditions = format!(
        "{CONDITIONS},{{\"acl\":\"private\"}},{{\"success_action_status\":\"201\"}},\
         [\"starts-with\",\"$Content-Type\",\"image/\"],[\"eq\",\"$cache-control\",\"max-age=100\"],\
         [\"starts-with\",\"$x-amz-meta-tag\",\"\"],[\"starts-with\",\"$tagging\",\"\"],[\"content-length-range\",1,10]"
    );
    let made = send(&stage, &v2(&stage.alice, &policy(&conditions, 60), &extra), "hello").await;
    let xml = made.text();
    assert_eq!((made.status.as_u16(), made.header("content-type")), (201, "application/xml"), "{xml}");
    let location = "http://localhost:8080/io/common-files/up/%C3%BC%20b.txt";
    assert_eq!(
        (text(&xml, "Bucket").as_str(), text(&xml, "Key").as_str()),
        ("io", "common-files/up/ü b.txt")
    );
    assert_eq!((text(&xml, "Location").as_str(), made.header("location")), (location, location));
    assert_eq!(text(&xml, "ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
    let head = stage.head("/io/common-files/up/%C3%BC%20b.txt").await;
    assert_eq!(head.header("content-type"), "image/png");
    assert_eq!((head.header("cache-control"), head.header("x-amz-meta-tag")), ("max-age=100", "some"));
    assert_eq!(head.header("x-amz-tagging-count"), "1");

    for (asked, status, location) in [
        (("success_action_status", "200"), 200, "http://localhost:8080/io/common-files/up/a.txt"),
        (("success_action_status", "500"), 204, "http://localhost:8080/io/common-files/up/a.txt"),
        (
            ("success_action_redirect", "https://example.org/done?x=1"),
            303,
            "https://example.org/done?x=1&bucket=io&key=common-files%2Fup%2Fa.txt\
             &etag=%225d41402abc4b2a76b9719d911017c592%22",
        ),
        (
            ("success_action_redirect", "not an address"),
            204,
            "http://localhost:8080/io/common-files/up/a.txt",
        ),
    ] {
        let conditions = format!("{CONDITIONS},[\"starts-with\",\"${}\",\"\"]", asked.0);
        let form = v2(&stage.alice, &policy(&conditions, 60), &[("key", KEY), asked]);
        let answer = send(&stage, &form, "hello").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (status, location),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn what_the_policy_does_not_allow_is_not_stored() {
    let stage = stage().await;
    let key = ("key", KEY);
    let signed =
        |conditions: &str, others: &[(&str, &str)]| v2(&stage.alice, &policy(conditions, 60), others);
    let sized = format!("{CONDITIONS},[\"content-length-range\",2,4]");
    for (form, content, status, code, why) in [
        (
            signed(CONDITIONS, &[("key", "common-files/a.txt")]),
            "x",
            403,
            "AccessDenied",
            "Invalid according to Policy: Policy Condition failed: [\"starts-with\",\"$key\",\"common-files/up/\"]",
        ),
        (
            signed(CONDITIONS, &[key, ("acl", "private")]),
            "x",
            403,
            "AccessDenied",
            "Invalid according to Policy: Extra input fields: acl",
        ),
        (
            signed("{\"bucket\":\"data\"},[\"starts-with\",\"$key\",\"\"]", &[key]),
            "x",
            403,
            "AccessDenied",
            "Invalid according to Policy: Policy Condition failed: [\"eq\", \"$bucket\", \"data\"]",
        ),
        (
            v2(&stage.alice, &policy(CONDITIONS, -1), &[key]),
            "x",
            403,
            "AccessDenied",
            "Invalid according to Policy: Policy expired.",
        ),
        (
            signed(&sized, &[key]),
            "12345",
            400,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed object size.",
        ),
        (
            signed(&sized, &[key]),
            "1",
            400,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        ),
        (
            signed(CONDITIONS, &[]),
            "x",
            400,
            "InvalidArgument",
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
        ),
        (
            signed("{\"bucket\":\"io\"}", &[key, ("tagging", "x")]),
            "x",
            403,
            "AccessDenied",
            "Invalid according to Policy: Extra input fields: key",
        ),
        (
            signed(
                &format!("{CONDITIONS},[\"starts-with\",\"$tagging\",\"\"]"),
                &[key, ("tagging", "<Tagging>")],
            ),
            "x",
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema.",
        ),
        (
            v2(&stage.alice, "", &[key]),
            "x",
            400,
            "InvalidPolicyDocument",
            "Invalid Policy: Expecting '{' but found End-of-Input",
        ),
    ] {
        let answer = send(&stage, &form, content).await;
        assert_error(&answer, status, code);
        assert_eq!(text(&answer.text(), "Message"), why);
    }
    let long = "x".repeat(300_000);
    assert_error(&send(&stage, &signed(&sized, &[key]), &long).await, 400, "EntityTooLarge");
    assert_eq!(stage.head(URI).await.status, 404);
    assert_eq!(stage.head("/io/common-files/a.txt").await.status, 404);
}

/// What `versitygw test` and ceph/s3-tests ask of forms.
#[tokio::test]
async fn forms_are_read_as_strictly_as_their_policies() {
    let stage = stage().await;
    let key = ("key", KEY);
    let sent = |policy: &str, others: &[(&str, &str)]| v2(&stage.alice, policy, others);
    let until =
        |text: &str| STANDARD.encode(format!("{{\"expiration\":\"{text}\",\"conditions\":[{CONDITIONS}]}}"));
    let covered = |field: &str| policy(&format!("{CONDITIONS},[\"starts-with\",\"${field}\",\"\"]"), 60);
    for (form, status, code, why) in [
        (
            sent(&covered("x-amz-checksum-invalid"), &[key, ("x-amz-checksum-invalid", "invalid")]),
            400,
            "InvalidRequest",
            "The algorithm type you specified in x-amz-checksum- header is invalid.",
        ),
        (
            sent(&covered("x-amz-checksum-sha256"), &[key, ("x-amz-checksum-sha256", "sailorjerry")]),
            400,
            "InvalidRequest",
            "Value for x-amz-checksum-sha256 header is invalid.",
        ),
        // Every field is in the policy, checksums too: "POST policy", conditions.
        (
            sent(&policy(CONDITIONS, 60), &[key, ("x-amz-checksum-crc32", "AAAAAA==")]),
            403,
            "AccessDenied",
            "Invalid according to Policy: Extra input fields: x-amz-checksum-crc32",
        ),
        (
            sent(&until("2144-11-08 04:19:33.123456+00:00"), &[key]),
            400,
            "InvalidPolicyDocument",
            "Invalid Policy: Invalid 'expiration' value: '2144-11-08 04:19:33.123456+00:00'",
        ),
        (
            sent(&covered("x-amz-security-token"), &[key, ("x-amz-security-token", "session")]),
            400,
            "InvalidToken",
            "The provided token is malformed or otherwise invalid.",
        ),
    ] {
        let answer = send(&stage, &form, "x").await;
        assert_error(&answer, status, code);
        assert_eq!(text(&answer.text(), "Message"), why);
    }
    assert_eq!(stage.head(URI).await.status, 404);
    let cased = "{\"bUcKeT\":\"io\"},[\"StArTs-WiTh\",\"$KeY\",\"common-files/up/\"]";
    assert_eq!(send(&stage, &sent(&policy(cased, 60), &[("kEy", KEY)]), "x").await.status, 204);
}

#[tokio::test]
async fn a_form_without_a_good_signature_is_nobodys() {
    let stage = stage().await;
    let conditions = format!("{CONDITIONS},{PROOF}");
    let good = policy(&conditions, 60);
    let key = ("key", KEY);
    let forged = Signer::new(&stage.alice.key, "another secret");
    let unknown = Signer::new("nobody", "gatewaysecret");
    let gateway = Signer::new("gateway", "gatewaysecret");
    let without = |name: &str| -> Fields {
        v4(&stage.alice, &good, &[key])
            .into_iter()
            .filter(|(other, _)| !other.eq_ignore_ascii_case(name))
            .collect()
    };
    let with = |name: &str, value: &str| -> Fields {
        let mut fields = without(name);
        fields.push((name.to_owned(), value.to_owned()));
        fields
    };
    for (form, status, code) in [
        (v4(&forged, &good, &[key]), 403, "SignatureDoesNotMatch"),
        (v2(&forged, &good, &[key]), 403, "SignatureDoesNotMatch"),
        (with("policy", &policy(CONDITIONS, 3_600)), 403, "SignatureDoesNotMatch"),
        (v4(&unknown, &good, &[key]), 403, "InvalidAccessKeyId"),
        (v4(&gateway, &good, &[key]), 403, "InvalidAccessKeyId"),
        (v2(&gateway, &good, &[key]), 403, "InvalidAccessKeyId"),
        (without("policy"), 400, "InvalidArgument"),
        (without("x-amz-algorithm"), 400, "InvalidArgument"),
        (without("x-amz-credential"), 400, "InvalidArgument"),
        (without("x-amz-date"), 400, "InvalidArgument"),
        (without("x-amz-signature"), 400, "InvalidArgument"),
        (with("x-amz-algorithm", "AWS4-ECDSA-P256-SHA256"), 400, "InvalidArgument"),
        (with("x-amz-date", "yesterday"), 400, "InvalidArgument"),
        (with("x-amz-credential", "no-slashes"), 400, "InvalidArgument"),
        // A token may stand where the credential should.
        (with("x-amz-credential", &stage.alice.key), 400, "InvalidArgument"),
        (
            with("x-amz-credential", &format!("{}/{}", stage.alice.key, "20300101/r/ec2/x")),
            400,
            "InvalidArgument",
        ),
        (v4(&stage.alice.clone().at(-8 * 24 * 3_600), &good, &[key]), 403, "AccessDenied"),
        (fields(&[key]), 403, "AccessDenied"),
    ] {
        let answer = send(&stage, &form, "x").await;
        assert_error(&answer, status, code);
        assert!(!answer.text().contains(&stage.alice.key), "{}", answer.text());
    }
    assert_eq!(stage.head(URI).await.status, 404);
}

#[tokio::test]
async fn bodies_that_are_no_form_are_refused() {
    let stage = stage().await;
    let good = v2(&stage.alice, &policy(CONDITIONS, 60), &[("key", KEY)]);
    let post = |uri: &str, mime: &str, body: &str| {
        serve(
            &stage.s3,
            request("POST", uri).header("content-type", mime).bearer(&stage.alice.key).body(body.to_owned()),
        )
    };
    assert_error(&post("/io", "multipart/form-data", "x").await, 400, "MalformedPOSTRequest");
    assert_error(&post("/io", "multipart/form-data; boundary=b", "x").await, 400, "MalformedPOSTRequest");
    assert_error(&post("/io", "multipart/form-data; boundary=b", "--b--\r\n").await, 400, "InvalidArgument");
    assert_error(&post("/io", "text/plain", "x").await, 412, "PreconditionFailed");
    let mut elsewhere = form(&good, "x").build();
    *elsewhere.uri_mut() = "/io/common-files/up/a.txt".parse().unwrap();
    assert_error(&serve(&stage.s3, elsewhere).await, 405, "MethodNotAllowed");
    // Cut off within the file: nothing of it stays.
    let whole = "--b0\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\ncommon-files/up/a.txt\r\n\
        --b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhalf of";
    assert_error(&post("/io", "multipart/form-data; boundary=b0", whole).await, 400, "IncompleteBody");
    assert_eq!(stage.head(URI).await.status, 404);
}
