//! Every place of a secret in the five protocols, and that a second pass finds nothing.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use time::OffsetDateTime;

use super::*;

const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXBhcnQ";
const UUID: &str = "0c1e8a9f-1111-2222-3333-444455556666";
const HEX40: &str = "9d2f0123456789abcdef0123456789abcdef0123";

fn exchange(target: &str) -> Exchange {
    Exchange {
        number: 1,
        started: OffsetDateTime::UNIX_EPOCH,
        took: Duration::ZERO,
        request: Sent {
            method: "POST".to_owned(),
            origin: "http://h".to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Payload::EMPTY,
        },
        response: Answered { status: 200, headers: Vec::new(), body: Payload::EMPTY },
        comment: None,
    }
}

fn bytes(text: &str) -> Payload {
    Payload::Bytes(Bytes::copy_from_slice(text.as_bytes()))
}

fn text(payload: &Payload) -> &str {
    std::str::from_utf8(payload.bytes().unwrap()).unwrap()
}

/// A request header by itself.
fn header(name: &str, value: &str) -> String {
    let mut call = exchange("/");
    call.request.headers = vec![(name.to_owned(), value.to_owned())];
    Scrubber::new().scrub(&mut call);
    call.request.headers.remove(0).1
}

fn target(target: &str) -> String {
    let mut call = exchange(target);
    Scrubber::new().scrub(&mut call);
    call.request.target
}

fn form(kind: &str, body: &str) -> String {
    let mut call = exchange("/");
    call.request.headers = vec![("Content-Type".to_owned(), kind.to_owned())];
    call.request.body = bytes(body);
    Scrubber::new().scrub(&mut call);
    text(&call.request.body).to_owned()
}

fn answer(target: &str, body: &str) -> String {
    let mut call = exchange(target);
    call.response.body = bytes(body);
    Scrubber::new().scrub(&mut call);
    text(&call.response.body).to_owned()
}

#[test]
fn authorization_of_every_form() {
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    for (value, scrubbed) in [
        (basic("alice:se:cret"), "Basic alice:__password_1__"),
        (basic("alice:"), "Basic alice:"),
        (basic("älice:pässword"), "Basic älice:__password_1__"),
        (basic(&format!("alice:{JWT}")), "Basic alice:__jwt_1__"),
        (basic("alice:secret").replace("Basic", "basic"), "basic alice:__password_1__"),
        ("Basic alice:__password_3__".to_owned(), "Basic alice:__password_3__"),
        ("Basic !!!".to_owned(), "Basic __password_1__"),
        (format!("Bearer {JWT}"), "Bearer __jwt_1__"),
        ("Bearer opaque-opaque.token".to_owned(), "Bearer __jwt_1__"),
        (format!("Token {HEX40}"), "Token __seafile_token_1__"),
        (
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/s3/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024"
                .to_owned(),
            "AWS4-HMAC-SHA256 Credential=__access_key_1__/20260101/us-east-1/s3/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=__signature_1__",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=gateway/20260101/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=ab12"
                .to_owned(),
            "AWS4-HMAC-SHA256 Credential=gateway/20260101/us-east-1/s3/aws4_request,SignedHeaders=host,\
             Signature=__signature_1__",
        ),
        ("AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=".to_owned(), "AWS __access_key_1__:__signature_1__"),
        (
            "Digest username=\"alice\", realm=\"r\", nonce=\"abc=\", uri=\"/a?b=c,d\", cnonce=\"xyz\", nc=00000001, \
             response=\"0011\", algorithm=MD5"
                .to_owned(),
            "Digest username=\"alice\", realm=\"r\", nonce=\"__nonce_1__\", uri=\"/a?b=c,d\", cnonce=\"__nonce_2__\", \
             nc=00000001, response=\"__signature_1__\", algorithm=MD5",
        ),
        ("NTLM TlRMTVNTUAAB".to_owned(), "NTLM __secret_1__"),
        ("just-a-token-1234".to_owned(), "__token_1__"),
        ("Negotiate".to_owned(), "Negotiate"),
    ] {
        assert_eq!(header("Authorization", &value), scrubbed);
        assert_eq!(header("proxy-authorization", &value), scrubbed);
        assert_eq!(header("Authorization", scrubbed), scrubbed);
    }
}

#[test]
fn other_headers() {
    for (name, value, scrubbed) in [
        (
            "Cookie",
            "AjaXplorer=a1b2c3d4e5; theme=x; empty=; flag",
            "AjaXplorer=__cookie_1__; theme=__cookie_2__; empty=; flag",
        ),
        ("cookie", "a=\"q\"", "a=\"__cookie_1__\""),
        ("X-Pydio-Bearer", JWT, "__jwt_1__"),
        ("X-Amz-Security-Token", "FwoGZXIvYXdzE==", "__token_1__"),
        ("X-Auth-Token", "t0ken", "__token_1__"),
        ("X-My-Secret-Thing", "s", "__secret_1__"),
        ("Seafile-Repo-Token", HEX40, "__token_1__"),
        ("Lock-Token", "<opaquelocktoken:0c1e8a9f>", "<opaquelocktoken:0c1e8a9f>"),
        (
            "Referer",
            "http://h/?get_action=ls&secure_token=abc&x=1",
            "http://h/?get_action=ls&secure_token=__secure_token_1__&x=1",
        ),
        ("Destination", "http://alice:pw@h/dav/x", "http://alice:__password_1__@h/dav/x"),
        ("Content-Type", "text/plain; charset=utf-8", "text/plain; charset=utf-8"),
    ] {
        assert_eq!(header(name, value), scrubbed, "{name}");
    }
    let mut call = exchange("/");
    call.response.headers = [
        ("Set-Cookie", "pydio=abc; Path=/a/frontend; HttpOnly"),
        ("Set-Cookie", "old=deleted; Max-Age=0"),
        ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n1\", opaque=\"o\""),
        ("WWW-Authenticate", "Basic realm=\"Pydio\""),
        ("Location", "https://c/login/callback?code=c0de&state=xyz"),
        ("Location", "https://c/x?code=404"),
        ("X-Seafile-OTP", "required"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    Scrubber::new().scrub(&mut call);
    let values: Vec<&str> = call.response.headers.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(
        values,
        [
            "pydio=__cookie_1__; Path=/a/frontend; HttpOnly",
            "old=deleted; Max-Age=0",
            "Digest realm=\"r\", nonce=\"__nonce_1__\", opaque=\"__nonce_2__\"",
            "Basic realm=\"Pydio\"",
            "https://c/login/callback?code=__code_1__&state=xyz",
            "https://c/x?code=404",
            "required",
        ]
    );
}

#[test]
fn targets() {
    for (before, after) in [
        (
            "/io/personal-files/logic-spock.jpg?AWSAccessKeyId=AKIDEXAMPLE&Expires=1579564291&Signature=nqIzr%2Fm6VXKP%3D".to_owned(),
            "/io/personal-files/logic-spock.jpg?AWSAccessKeyId=__access_key_1__&Expires=1579564291&Signature=__signature_1__",
        ),
        (
            format!("/io/a?X-Amz-Credential={JWT}%2F20300101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=8fb9&X-Amz-Date=1"),
            "/io/a?X-Amz-Credential=__jwt_1__%2F20300101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=__signature_1__&X-Amz-Date=1",
        ),
        (format!("/io/a?x=1&pydio_jwt={JWT}"), "/io/a?x=1&pydio_jwt=__jwt_1__"),
        (
            "/api/my-files/ls/a%20b?auth_token=Jq7dD0v1&auth_hash=n1%3Aa18646f1".to_owned(),
            "/api/my-files/ls/a%20b?auth_token=__auth_token_1__&auth_hash=__auth_hash_1__",
        ),
        (
            "/index.php?get_action=download&secure_token=x&ajxp_sessid=abc&login_seed=-1".to_owned(),
            "/index.php?get_action=download&secure_token=__secure_token_1__&ajxp_sessid=__cookie_1__&login_seed=-1",
        ),
        (format!("/seafhttp/files/{UUID}/a%20b.txt"), "/seafhttp/files/__link_token_1__/a%20b.txt"),
        (format!("/seafhttp/upload-api/{UUID}?ret-json=1"), "/seafhttp/upload-api/__link_token_1__?ret-json=1"),
        (
            "/io/b?list-type=2&continuation-token=abc%2F&prefix=a+b%2f&key".to_owned(),
            "/io/b?list-type=2&continuation-token=abc%2F&prefix=a+b%2f&key",
        ),
        ("/oidc/oauth2/auth?state=s&code=c&scope=a".to_owned(), "/oidc/oauth2/auth?state=s&code=__code_1__&scope=a"),
    ] {
        assert_eq!(target(&before), after);
        assert_eq!(target(after), after);
    }
}

#[test]
fn bodies_of_requests() {
    const FORM: &str = "application/x-www-form-urlencoded";
    for (kind, before, after) in [
        (FORM, "username=ann%40ex.org&password=p+w%26", "username=ann%40ex.org&password=__password_1__"),
        (
            FORM,
            "get_action=login&userid=a&password=x&login_seed=-1&secure_token=s",
            "get_action=login&userid=a&password=__password_1__&login_seed=-1&secure_token=__secure_token_1__",
        ),
        (
            FORM,
            "grant_type=authorization_code&code=c1&code_verifier=v1&client_id=cells-client&client_secret=cs",
            "grant_type=authorization_code&code=__code_1__&code_verifier=__code_verifier_1__&client_id=cells-client&client_secret=__secret_1__",
        ),
        (
            FORM,
            "grant_type=refresh_token&refresh_token=r1",
            "grant_type=refresh_token&refresh_token=__refresh_token_1__",
        ),
        (FORM, "AuthInfo%5Bpassword%5D=x", "AuthInfo%5Bpassword%5D=__password_1__"),
        (FORM, r#"{"password":"x"}"#, r#"{"password":"__password_1__"}"#),
        (FORM, "data=%7B%22password%22%3A%22x%22%7D", "data=%7B%22password%22%3A%22__password_1__%22%7D"),
        (
            "application/json",
            r#"{"AuthInfo":{"type":"credentials","login":"alice","password":"se\"cret"}, "n": 1.50}"#,
            r#"{"AuthInfo":{"type":"credentials","login":"alice","password":"__password_1__"}, "n": 1.50}"#,
        ),
        ("", r#"{"username":"a","password":1234}"#, r#"{"username":"a","password":"__password_1__"}"#),
        ("text/plain", r#"{"a":"{\"password\":\"x\"}"}"#, r#"{"a":"{\"password\":\"__password_1__\"}"}"#),
        // Cut off.
        ("application/json", r#"{"password":"x","JWT":"y"#, r#"{"password":"__password_1__","JWT":"y"#),
    ] {
        assert_eq!(form(kind, before), after);
        assert_eq!(form(kind, after), after);
    }
}

#[test]
fn a_multipart_form_keeps_its_files() {
    let policy = STANDARD.encode(r#"{"conditions":[{"x-amz-credential":"AKID/1/2/s3/aws4_request"}]}"#);
    let part = |name: &str, more: &str, value: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{value}\r\n")
    };
    let body = |token: &str, policy: &str, credential: &str, signature: &str| {
        [
            part("secure_token", "", token),
            part("key", "", "a/b"),
            part("policy", "", policy),
            part("x-amz-credential", "", credential),
            part("x-amz-signature", "", signature),
            part("file", "; filename=\"a.bin\"\r\nContent-Type: application/octet-stream", "token=1 \r\n--"),
            "--B--\r\n".to_owned(),
        ]
        .concat()
    };
    let kind = "multipart/form-data; boundary=B";
    let before = body("s3cr3t", &policy, "AKID/1/2/s3/aws4_request", "ab12");
    let after = body(
        "__secure_token_1__",
        r#"{"conditions":[{"x-amz-credential":"__access_key_1__/1/2/s3/aws4_request"}]}"#,
        "__access_key_1__/1/2/s3/aws4_request",
        "__signature_1__",
    );
    assert_eq!(form(kind, &before), after);
    assert_eq!(form(kind, &after), after);

    // A binary file beside the fields: they are looked into, it is not.
    let mut call = exchange("/");
    call.request.headers = vec![("content-type".to_owned(), kind.to_owned())];
    let mut binary = part("secure_token", "", "s3cr3t-s3cr3t").into_bytes();
    binary.extend_from_slice(part("note", "", "it was s3cr3t-s3cr3t").as_bytes());
    binary.extend_from_slice(
        b"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n\xff\0\r\n--B--\r\n",
    );
    call.request.body = Payload::Bytes(binary.into());
    Scrubber::new().scrub(&mut call);
    let body = call.request.body.bytes().unwrap();
    let shown = String::from_utf8_lossy(body);
    assert!(!shown.contains("s3cr3t") && shown.contains("it was __secure_token_1__"), "{shown}");
    assert!(body.windows(2).any(|window| window == b"\xff\0"));
}

#[test]
fn answers() {
    let link = format!("https://h/seafhttp/upload-api/{UUID}");
    for (at, before, after) in [
        (
            "/a/frontend/session",
            format!(r#"{{"JWT":"{JWT}","ExpireTime":1735689600,"Token":{{"AccessToken":"{JWT}","IDToken":"idididid","RefreshToken":"r","ExpiresAt":"1735689600"}}}}"#),
            r#"{"JWT":"__jwt_1__","ExpireTime":1735689600,"Token":{"AccessToken":"__jwt_1__","IDToken":"__jwt_2__","RefreshToken":"__refresh_token_1__","ExpiresAt":"1735689600"}}"#,
        ),
        ("/api/pydio/keystore_generate_auth_token/d", r#"{"t":"Jq7d","p":"p0Zk"}"#.to_owned(), r#"{"t":"__auth_token_1__","p":"__secret_1__"}"#),
        ("/api/x", r#"{"t":"Jq7d","p":"p0Zk","q":""}"#.to_owned(), r#"{"t":"Jq7d","p":"p0Zk","q":""}"#),
        ("/index.php?get_action=get_boot_conf", r#"{"SECURE_TOKEN":"f3J","theme":"material"}"#.to_owned(), r#"{"SECURE_TOKEN":"__secure_token_1__","theme":"material"}"#),
        (
            "/index.php",
            r#"<?xml version="1.0" encoding="UTF-8"?><tree ><logging_result value="1" secure_token="f3J&amp;"/></tree>"#.to_owned(),
            r#"<?xml version="1.0" encoding="UTF-8"?><tree ><logging_result value="1" secure_token="__secure_token_1__"/></tree>"#,
        ),
        (
            "/index.php",
            r#"<html><!-- x --><input type="password" value='pw'><input name=secure_token value=abc><script>var p = {"SECURE_TOKEN": "abc", x: 1 < 2};</script></html>"#.to_owned(),
            r#"<html><!-- x --><input type="password" value='__password_1__'><input name=secure_token value=__secure_token_1__><script>var p = {"SECURE_TOKEN": "__secure_token_1__", x: 1 < 2};</script></html>"#,
        ),
        ("/api2/auth-token/", format!(r#"{{"token":"{HEX40}"}}"#), r#"{"token":"__seafile_token_1__"}"#),
        ("/api2/repos/r/upload-link/", format!("\"{link}\""), r#""https://h/seafhttp/upload-api/__link_token_1__""#),
        ("/api/v2.1/x/", format!(r#"{{"upload_link":"{link}"}}"#), r#"{"upload_link":"https://h/seafhttp/upload-api/__link_token_1__"}"#),
        ("/api/v2.1/repos/r/zip-task/", format!(r#"{{"zip_token":"{UUID}"}}"#), r#"{"zip_token":"__link_token_1__"}"#),
        (
            "/",
            "<AssumeRoleResult><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>y</SessionToken></AssumeRoleResult>".to_owned(),
            "<AssumeRoleResult><AccessKeyId>__access_key_1__</AccessKeyId><SecretAccessKey>__secret_1__</SecretAccessKey><SessionToken>__token_1__</SessionToken></AssumeRoleResult>",
        ),
        (
            "/io/b",
            "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKID</AWSAccessKeyId><SignatureProvided>ab</SignatureProvided></Error>".to_owned(),
            "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>__access_key_1__</AWSAccessKeyId><SignatureProvided>__signature_1__</SignatureProvided></Error>",
        ),
        (
            "/dav/",
            "<D:prop><D:locktoken><D:href>opaquelocktoken:1</D:href></D:locktoken><x:Password><![CDATA[p<w]]></x:Password></D:prop>".to_owned(),
            "<D:prop><D:locktoken><D:href>opaquelocktoken:1</D:href></D:locktoken><x:Password><![CDATA[__password_1__]]></x:Password></D:prop>",
        ),
        (
            "/io/b",
            "<R><NextContinuationToken>abc</NextContinuationToken><Key>a&amp;b</Key></R>".to_owned(),
            "<R><NextContinuationToken>abc</NextContinuationToken><Key>a&amp;b</Key></R>",
        ),
        ("/x", r#"{"code":404,"password":"","PasswordRequired":true,"has":"true"}"#.to_owned(), r#"{"code":404,"password":"","PasswordRequired":true,"has":"true"}"#),
        ("/x", format!("see {JWT}."), "see __jwt_1__."),
        ("/x", r#"{"Url":"https://h/io/a?X-Amz-Signature=ab\u0026pydio_jwt=cd"}"#.to_owned(), r#"{"Url":"https://h/io/a?X-Amz-Signature=__signature_1__&pydio_jwt=__jwt_1__"}"#),
    ] {
        assert_eq!(answer(at, &before), after);
        assert_eq!(answer(at, after), after);
    }
}

#[test]
fn a_value_seen_once_is_found_everywhere_later() {
    let mut scrubber = Scrubber::new();
    let mut login = exchange("/api2/auth-token/");
    login.request.headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    login.request.body = bytes("username=ann&password=p%26ss+wörd");
    login.response.body = bytes(&format!(r#"{{"token":"{HEX40}"}}"#));
    scrubber.scrub(&mut login);

    let mut later = exchange(&format!("/some/{HEX40}/p%26ss%20w%C3%B6rd?x=p%26ss+w%C3%B6rd"));
    later.request.headers = vec![("authorization".to_owned(), format!("Token {HEX40}"))];
    later.response.headers = vec![("x-echo".to_owned(), "p&ss wörd".to_owned())];
    later.response.body = bytes(&format!("your token is {HEX40}, your password p&amp;ss wörd"));
    later.comment = Some(format!("with {HEX40}"));
    scrubber.scrub(&mut later);
    assert_eq!(later.request.target, "/some/__seafile_token_1__/__password_1__?x=__password_1__");
    assert_eq!(later.request.headers[0].1, "Token __seafile_token_1__");
    assert_eq!(later.response.headers[0].1, "__password_1__");
    assert_eq!(text(&later.response.body), "your token is __seafile_token_1__, your password __password_1__");
    assert_eq!(later.comment.as_deref(), Some("with __seafile_token_1__"));
    assert_eq!(scrubber.counts().collect::<Vec<_>>(), [("password", 1), ("seafile_token", 1)]);
}

#[test]
fn what_is_learnt_first_is_found_also_before() {
    let mut early = exchange("/x?note=hush-hush-1");
    let mut login = exchange("/");
    login.request.headers =
        vec![("authorization".to_owned(), format!("Basic {}", STANDARD.encode("a:hush-hush-1")))];
    let mut scrubber = Scrubber::new();
    scrubber.learn(&early);
    scrubber.learn(&login);
    scrubber.scrub(&mut early);
    scrubber.scrub(&mut login);
    assert_eq!(early.request.target, "/x?note=__password_1__");
    assert_eq!(login.request.header("authorization"), Some("Basic a:__password_1__"));
}

#[test]
fn words_are_not_looked_for() {
    let mut call = exchange("/password/francais?lang=francais");
    call.request.headers = vec![
        ("cookie".to_owned(), "lang=francais".to_owned()),
        ("authorization".to_owned(), format!("Basic {}", STANDARD.encode("a:password"))),
    ];
    call.response.body = bytes(r#"{"password":"","language":"francais"}"#);
    Scrubber::new().scrub(&mut call);
    assert_eq!(call.request.target, "/password/francais?lang=francais");
    assert_eq!(text(&call.response.body), r#"{"password":"","language":"francais"}"#);
    assert_eq!(call.request.header("authorization"), Some("Basic a:__password_1__"));
}

#[test]
fn binary_bodies_stay() {
    let mut call = exchange("/");
    let body = Bytes::from_static(b"\xffpassword=x&token=abc\0");
    call.request.body = Payload::Bytes(body.clone());
    call.response.body = Payload::Omitted { length: 9, sha256: None };
    Scrubber::new().scrub(&mut call);
    assert_eq!(call.request.body, Payload::Bytes(body));
    assert_eq!(call.response.body, Payload::Omitted { length: 9, sha256: None });
}

#[test]
fn chunks_of_a_signed_upload_lose_their_signatures() {
    let mut call = exchange("/io/b/k");
    call.request.headers =
        vec![("x-amz-content-sha256".to_owned(), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned())];
    let signature = "a1".repeat(32);
    let body = |signature: &str| {
        Bytes::from(
            [
                b"2;chunk-signature=",
                signature.as_bytes(),
                b"\r\n\xff\0\r\n0;chunk-signature=",
                signature.as_bytes(),
                b"\r\n\r\n",
            ]
            .concat(),
        )
    };
    call.request.body = Payload::Bytes(body(&signature));
    Scrubber::new().scrub(&mut call);
    assert_eq!(call.request.body, Payload::Bytes(body(&"0".repeat(64))));
}

/// Pieces of what traffic is made of, whole and broken.
fn piece() -> impl Strategy<Value = String> {
    let secret = || {
        prop_oneof![
            Just("s3cr3t-value-0001".to_owned()),
            "[ -~]{1,20}",
            "[a-zA-Z0-9+/=]{8,40}",
            Just(JWT.to_owned())
        ]
    };
    let json = |value: String| serde_json::to_string(&value).unwrap();
    prop_oneof![
        secret(),
        secret().prop_map(|value| format!("password={value}")),
        secret().prop_map(|value| format!("?secure_token={value}&x=1")),
        secret().prop_map(|value| format!("Basic {}", STANDARD.encode(format!("alice:{value}")))),
        secret().prop_map(|value| format!("Bearer {value}")),
        secret().prop_map(|value| format!("Digest nonce=\"{value}\", response={value}")),
        secret().prop_map(|value| format!(
            "AWS4-HMAC-SHA256 Credential={value}/1/2/s3/aws4_request, Signature={value}"
        )),
        secret().prop_map(move |value| format!(
            "{{\"token\":{}, \"x\":[{}]}}",
            json(value.clone()),
            json(value)
        )),
        secret().prop_map(move |value| format!("{{\"t\":{0},\"p\":{0}}}", json(value))),
        secret().prop_map(|value| format!(
            "<a secure_token=\"{value}\" name='password' value=\"{value}\"><Token>{value}</Token>"
        )),
        secret().prop_map(|value| format!("var token = '{value}'; http://u:{value}@h/")),
        secret().prop_map(|value| format!("a={value}; b=\"{value}\"")),
        Just(format!("/seafhttp/files/{UUID}/x")),
        Just("__password_1__".to_owned()),
        "\\PC{0,30}",
    ]
}

fn calls() -> impl Strategy<Value = Exchange> {
    let header = || {
        let name = prop_oneof![
            Just("authorization"),
            Just("cookie"),
            Just("set-cookie"),
            Just("x-auth-token"),
            Just("www-authenticate"),
            Just("location"),
            Just("x-other"),
        ];
        (name, piece()).prop_map(|(name, value)| (name.to_owned(), value))
    };
    let kind = prop_oneof![
        Just("application/x-www-form-urlencoded"),
        Just("application/json"),
        Just("text/xml"),
        Just("multipart/form-data; boundary=B"),
        Just(""),
    ];
    let body = || proptest::collection::vec(piece(), 0..4).prop_map(|pieces| pieces.concat());
    let headers = || proptest::collection::vec(header(), 0..4);
    (piece(), headers(), headers(), kind, body(), body()).prop_map(
        |(target, sent, answered, kind, request, response)| {
            let mut call = exchange(&format!("/{target}"));
            call.request.headers = sent;
            call.request.headers.push(("content-type".to_owned(), kind.to_owned()));
            call.response.headers = answered;
            call.request.body = bytes(&request);
            call.response.body = bytes(&response);
            call
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_second_pass_changes_nothing(mut call in calls()) {
        let mut scrubber = Scrubber::new();
        scrubber.scrub(&mut call);
        let once = call.clone();
        scrubber.scrub(&mut call);
        prop_assert_eq!(&call, &once, "with what was learnt");
        Scrubber::new().scrub(&mut call);
        prop_assert_eq!(&call, &once, "from nothing");
    }

    #[test]
    fn a_secret_in_its_place_is_gone_everywhere(secret in "[a-z]{4}[0-9]{4}[A-Za-z0-9&<\"/+ é]{0,12}[A-Z]", mut call in calls()) {
        let json = serde_json::to_string(&secret).unwrap();
        call.request.headers.push(("x-auth-token".to_owned(), secret.clone()));
        call.request.headers.push(("x-other".to_owned(), format!("it is {secret}")));
        call.response.headers = vec![("x-echo".to_owned(), secret.clone())];
        call.response.body = bytes(&format!("{{\"a\":{json},\"b\":[{json}]}} {secret}"));
        Scrubber::new().scrub(&mut call);
        let all = format!("{call:?}") + &String::from_utf8_lossy(call.response.body.bytes().unwrap());
        prop_assert!(!all.contains(&secret), "{all}");
        prop_assert!(!all.contains(json.trim_matches('"')), "{all}");
    }
}
