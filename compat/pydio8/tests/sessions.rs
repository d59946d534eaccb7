//! The session endpoint.

use cellgate_core::testing::request;

use super::*;

/// A client that keeps its cookie and its token.
struct Browser<'a> {
    fixture: &'a Fixture,
    cookie: String,
    token: String,
}

impl<'a> Browser<'a> {
    async fn signed_in(fixture: &'a Fixture, login: &str) -> Self {
        let mut browser = Self { fixture, cookie: String::new(), token: String::new() };
        let conf = browser.get("get_action=get_boot_conf").await;
        browser.token = conf.json()["SECURE_TOKEN"].as_str().unwrap().to_owned();
        assert_eq!(browser.get("get_action=get_seed").await.text(), "-1");
        let form = format!("get_action=login&userid={login}&password={login}-password&login_seed=-1");
        let answer = browser.post(&form).await;
        let token = between(&answer.text(), "secure_token=\"", "\"");
        assert_eq!(
            answer.text(),
            format!("{DECLARATION}<tree ><logging_result value=\"1\" secure_token=\"{token}\"/></tree>")
        );
        browser.token = token;
        browser
    }

    async fn get(&mut self, query: &str) -> Answer {
        let request = request("GET", &format!("/index.php?{query}&secure_token={}", self.token));
        self.send(request).await
    }

    async fn post(&mut self, form: &str) -> Answer {
        self.send(form_request("/index.php", &format!("{form}&secure_token={}", self.token))).await
    }

    async fn send(&mut self, request: RequestBuilder) -> Answer {
        let answer = self.fixture.send(request.header("cookie", &self.cookie)).await;
        let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert!(cookies.len() <= 1, "clients cope with one cookie");
        if let Some(cookie) = cookies.first() {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.starts_with("AjaXplorer="), "{cookie}");
            assert!(!cookie.to_lowercase().contains("max-age"));
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        answer
    }
}

const REQUIRE_AUTH: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><tree ><require_auth/></tree>";

#[tokio::test]
async fn from_boot_conf_to_logout() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/a.txt", "hello").await;
    fixture.core.put("/common-files/c.txt", "common").await;
    let mut browser = Browser::signed_in(&fixture, "admin").await;

    let answer = browser.post("get_action=switch_repository&repository_id=1").await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    let answer = browser.post("get_action=ls&options=al&dir=%2F").await;
    assert_eq!(values(&answer.text(), "filename"), ["/", "/a.txt", "/recycle_bin"]);
    // For one call only.
    let answer = browser.post("get_action=ls&options=f&dir=%2F&tmp_repository_id=common-files").await;
    assert_eq!(values(&answer.text(), "filename"), ["/", "/c.txt"]);
    let answer = browser.post("get_action=ls&options=f&dir=%2F").await;
    assert_eq!(values(&answer.text(), "filename"), ["/", "/a.txt"]);
    assert!(answer.header("cache-control").contains("no-store"));

    assert_eq!(browser.get("get_action=ping").await.status, 204);
    assert_eq!(browser.get("get_action=download&file=/a.txt").await.text(), "hello");
    assert_eq!(browser.get("get_action=tasks_list").await.status, 501);
    let answer = browser.post("get_action=mkdir&dir=/&dirname=d").await;
    succeeded(&answer, "The directory d has been created in /");

    let stale = browser.cookie.clone();
    let answer = browser.get("get_action=logout").await;
    assert_eq!(answer.text(), format!("{DECLARATION}<tree ><logging_result value=\"2\"/></tree>"));
    browser.cookie = stale;
    assert_eq!(browser.post("get_action=ls&dir=/").await.text(), REQUIRE_AUTH);
}

#[tokio::test]
async fn boot_conf_has_what_clients_read_and_no_backend() {
    let fixture = fixture().await;
    let answer = fixture.send(request("GET", "/index.php?get_action=get_boot_conf")).await;
    assert_eq!(answer.header("content-type"), "application/json");
    let conf = answer.json();
    assert_eq!(conf["SECURE_TOKEN"].as_str().unwrap().len(), 32);
    assert!(conf["ajxpVersion"].is_string());
    assert!(conf["customWording"]["title"].is_string());
    assert!(conf["customWording"]["icon"].is_string());
    assert_eq!(conf["loggedUser"], false);
    assert!(conf.get("backend").is_none());
}

#[tokio::test]
async fn every_sign_in_result_has_its_value() {
    let fixture = fixture().await;
    let login = |form: &str| form_request("/index.php", &format!("get_action=login&{form}"));
    let cases = [
        ("userid=admin&password=wrong&login_seed=-1", "-1"),
        ("userid=nobody&password=x&login_seed=-1", "-1"),
        ("userid=admin&password=", "-1"),
        ("userid=admin&password=admin-password&captcha_code=", "-4"),
        ("cookie_login=true", "-5"),
    ];
    for (form, value) in cases {
        let answer = fixture.send(login(form)).await;
        let expected = format!("{DECLARATION}<tree ><logging_result value=\"{value}\"/></tree>");
        assert_eq!(answer.text(), expected, "{form}");
        assert_eq!(answer.header("set-cookie"), "", "{form}");
    }
    let form = "userid=admin&password=admin-password&remember_me=true&format=json";
    assert_eq!(fixture.send(login(form)).await.text(), "{}");
    let answer = fixture.send(login("userid=admin&password=admin-password&remember_me=true")).await;
    assert!(answer.text().contains(
        "<logging_result value=\"1\" remember_login=\"notify\" remember_pass=\"notify\" secure_token=\""
    ));
    let secure = login("userid=admin&password=admin-password").secure();
    let cookie = fixture.send(secure).await.header("set-cookie").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("Secure") && cookie.contains("Path=/"),
        "{cookie}"
    );
}

#[tokio::test]
async fn a_live_session_with_a_wrong_token_is_refused() {
    let fixture = fixture().await;
    let mut browser = Browser::signed_in(&fixture, "admin").await;
    browser.token = "wrong".into();
    for action in ["ls&dir=/", "mkdir&dir=/&dirname=d", "logout", "get_xml_registry", "ping"] {
        let answer = browser.post(&format!("get_action={action}")).await;
        failed(&answer, "You are not allowed to access this resource.");
    }
    // Exempt ones hand the right one out again.
    let token = browser.get("get_action=get_secure_token").await.text();
    let answer = browser.post(&format!("get_action=ls&dir=/&secure_token={token}&x=1")).await;
    failed(&answer, "You are not allowed to access this resource.");
    browser.token = token;
    assert_eq!(browser.get("get_action=ping").await.status, 204);
    assert!(fixture.core.stat("/personal-files/d").await.is_err());
}

#[tokio::test]
async fn without_a_session_there_is_only_require_auth() {
    let fixture = fixture().await;
    for query in ["get_action=ls&dir=/", "get_action=ping", "get_action=tasks_list", ""] {
        let answer = fixture.send(request("GET", &format!("/index.php?{query}"))).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, REQUIRE_AUTH), "{query}");
    }
    // Basic is for `/api/`.
    let answer = fixture.send(request("GET", "/index.php?get_action=ls").basic("admin")).await;
    assert_eq!(answer.text(), REQUIRE_AUTH);
    let bogus =
        request("GET", "/index.php?get_action=ls&ajxp_sessid=nonsense").header("cookie", "AjaXplorer=x; y");
    assert_eq!(fixture.send(bogus).await.text(), REQUIRE_AUTH);
    let json = request("GET", "/index.php?get_action=ls&format=json");
    assert_eq!(fixture.send(json).await.text(), r#"{"message":""}"#);
    // Nobody has to be signed in to sign out.
    let logout = fixture.send(request("GET", "/index.php?get_action=logout")).await;
    assert_eq!(logout.text(), format!("{DECLARATION}<tree ><logging_result value=\"2\"/></tree>"));
}

#[tokio::test]
async fn players_bring_the_session_in_the_url() {
    let fixture = fixture().await;
    fixture.core.put("/personal-files/a.txt", "hello").await;
    let browser = Browser::signed_in(&fixture, "admin").await;
    let secret = browser.cookie.strip_prefix("AjaXplorer=").unwrap();
    let query = format!("file=/a.txt&tmp_repository_id=1&secure_token={}", browser.token);
    let url = format!("/index.php?get_action=download&{query}&ajxp_sessid={secret}");
    assert_eq!(fixture.send(request("GET", &url)).await.text(), "hello");
}

#[tokio::test]
async fn uploads_carry_everything_in_their_form() {
    let fixture = fixture().await;
    let mut browser = Browser::signed_in(&fixture, "admin").await;
    // As the Java SDK writes it: typed text parts, and a file name without quotes.
    let mut body = String::new();
    for (name, value) in [
        ("get_action", "upload"),
        ("dir", "/"),
        ("tmp_repository_id", "personal-files"),
        ("urlencoded_filename", "a+b.txt"),
        ("auto_rename", "false"),
        ("xhr_uploader", "true"),
        ("secure_token", browser.token.as_str()),
    ] {
        body += &format!(
            "--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{value}\r\n"
        );
    }
    body += "--B\r\nContent-Disposition: form-data; name=\"userfile_0\"; filename=a+b.txt\r\n\r\nhello\r\n--B--\r\n";
    let upload = |body: String| {
        request("POST", "/index.php").header("content-type", "multipart/form-data; boundary=B").body(body)
    };
    let answer = browser.send(upload(body.clone())).await;
    assert_eq!(values(&answer.text(), "filename"), ["/a b.txt"]);
    assert_eq!(fixture.core.get("/personal-files/a b.txt").await.unwrap(), "hello");

    let forged = body.replace(&browser.token, "wrong").replace("a+b", "c");
    let answer = browser.send(upload(forged)).await;
    failed(&answer, "You are not allowed to access this resource.");
    assert!(fixture.core.stat("/personal-files/c.txt").await.is_err());
}

#[tokio::test]
async fn the_registry_tells_clients_what_they_look_for() {
    let fixture = fixture().await;
    let mut browser = Browser::signed_in(&fixture, "admin").await;
    let part = browser.post("get_action=get_xml_registry&xPath=user/repositories").await.text();
    assert!(part.starts_with(&format!(
        "{DECLARATION}<ajxp_registry_part xPath=\"user/repositories\" ><repositories><repo access_type=\"fs\" id=\""
    )));
    assert!(part.contains("repositorySlug=\"personal-files\""));
    assert!(part.contains("acl=\"rw\"><label>"));

    // `user_state` is the part that `xPath=user` names.
    let user = browser.post("get_action=user_state").await.text();
    assert_eq!(user, browser.post("get_action=get_xml_registry&xPath=user").await.text());
    assert!(user.starts_with(&format!(
        "{DECLARATION}<ajxp_registry_part xPath=\"user\" ><user id=\"admin\"><active_repo id=\""
    )));
    assert!(user.contains("<special_rights is_admin=\"1\"/>"));

    // Without a login there is no user, and the Java SDK sees that it must sign in.
    let anonymous = request("POST", "/index.php?get_action=get_xml_registry&xPath=user/repositories");
    assert_eq!(
        fixture.send(anonymous).await.text(),
        format!("{DECLARATION}<ajxp_registry_part xPath=\"user/repositories\" ></ajxp_registry_part>")
    );
    let whole = fixture.send(request("GET", "/index.php?get_action=get_xml_registry")).await;
    assert!(whole.text().starts_with(&format!("{DECLARATION}<ajxp_registry><actions>")));
    assert!(whole.text().contains("<property name=\"UPLOAD_MAX_SIZE\"><![CDATA[2147483648]]></property>"));
    let again = request("GET", "/index.php?get_action=get_xml_registry")
        .header("if-none-match", whole.header("etag"));
    assert_eq!(fixture.send(again).await.status, 304);

    // The Python SDK's way, under `/api/`.
    let json = fixture.get("/api/pydio/state/user/repositories?format=json").await.json();
    let repositories = json["repositories"]["repo"].as_array().unwrap();
    assert!(repositories.iter().any(|repo| repo["@id"] == "1" && repo["@access_type"] == "fs"));
    let json = fixture.get("/api/pydio/state/plugins?format=json").await.json();
    for plugin in json["plugins"]["ajxpcore"].as_array().unwrap() {
        assert!(plugin["plugin_configs"]["property"].as_array().unwrap().len() >= 2);
    }
    let json = fixture.get("/api/pydio/state/user/preferences?format=json").await.json();
    assert!(json["preferences"]["pref"].as_array().unwrap().len() >= 2);
}

#[tokio::test]
async fn a_session_ends_with_its_user() {
    let fixture = fixture().await;
    let mut browser = Browser::signed_in(&fixture, "alice").await;
    assert_eq!(browser.get("get_action=ping").await.status, 204);
    fixture.core.identity().delete_user("alice").await.unwrap();
    assert_eq!(browser.post("get_action=ls&dir=/").await.text(), REQUIRE_AUTH);
}

#[tokio::test]
async fn workspaces_without_rights_cannot_be_switched_to() {
    let fixture = fixture().await;
    let mut browser = Browser::signed_in(&fixture, "reader").await;
    let answer = browser.post("get_action=switch_repository&repository_id=personal-files").await;
    failed(&answer, "You have no right on this workspace");
    let answer = browser.post("get_action=switch_repository&repository_id=none").await;
    failed(&answer, "Could not find workspace with id/alias none");
    let answer = browser.post("get_action=ls&dir=/&tmp_repository_id=personal-files").await;
    failed(&answer, "You have no right on this workspace");
}

#[tokio::test]
async fn signing_in_takes_the_place_of_the_session_it_began_in() {
    let fixture = fixture().await;
    let mut browser = Browser { fixture: &fixture, cookie: String::new(), token: String::new() };
    browser.get("get_action=get_boot_conf").await;
    let before = browser.cookie.clone();
    assert!(!before.is_empty());
    browser.post("get_action=login&userid=admin&password=admin-password&login_seed=-1").await;
    assert_ne!(browser.cookie, before);
    // Signed in is the new one alone.
    let old = request("GET", "/index.php?get_action=ping").header("cookie", &before);
    assert_eq!(fixture.send(old).await.text(), REQUIRE_AUTH);
}

#[tokio::test]
async fn an_action_may_be_named_by_its_older_parameter() {
    let fixture = fixture().await;
    let mut browser = Browser::signed_in(&fixture, "admin").await;
    let answer = browser.post("action=mkdir&dir=/&dirname=d").await;
    succeeded(&answer, "The directory d has been created in /");
    assert_eq!(browser.get("get_action=ping&action=logout").await.status, 204, "the newer one counts");
    assert_eq!(browser.get("get_action=ping").await.status, 204);
}

#[tokio::test]
async fn too_many_failures_lock_out() {
    let fixture = fixture().await;
    let login = |password: &str| {
        form_request(
            "/index.php",
            &format!("get_action=login&userid=admin&password={password}&login_seed=-1"),
        )
    };
    for number in 0..10 {
        let guess = format!("wrong-{number}");
        assert!(fixture.send(login(&guess)).await.text().contains("value=\"-1\""));
    }
    let answer = fixture.send(login("admin-password")).await;
    assert_eq!(answer.text(), format!("{DECLARATION}<tree ><logging_result value=\"-4\"/></tree>"));
    let answer = fixture.get("/api/my-files/ls/").await;
    assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, ""));
    assert_eq!(answer.text(), "You are not authorized to access this API.");
}
