//! Sessions and tokens that a recording begins with, obtained at the target.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cellgate_record::Answered;

use super::cookies::set_cookie;
use crate::send::{Body, Client, Content, Framing, Request};
use crate::sign::encode;

/// Of the answer to a sign-in.
const KEEP: u64 = 1 << 20;
/// Cells gives tokens for ten minutes; a long replay needs more than one.
const GOOD_FOR: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Cookie and secure token of `/index.php`.
    Pydio8,
    /// Token and cookie of `/a/frontend/session`.
    Cells,
    /// Token of `/api2/auth-token/`.
    Seafile,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Of the cookie `AjaXplorer` or `pydio`.
    pub cookie: Option<String>,
    pub token: String,
}

#[derive(Default)]
pub struct Sessions {
    known: HashMap<(Kind, String), (Instant, Result<Session, String>)>,
}

impl Sessions {
    /// The session of a user; opened when there is none, or when it may soon end.
    pub async fn of(
        &mut self,
        kind: Kind,
        user: &str,
        password: &str,
        base: &str,
        client: &mut Client,
    ) -> Result<Session, String> {
        let key = (kind, user.to_owned());
        if let Some((since, known)) = self.known.get(&key) {
            // A refusal stays: servers lock out whoever tries again and again.
            if known.is_err() || kind != Kind::Cells || since.elapsed() < GOOD_FOR {
                return known.clone();
            }
        }
        let opened = match kind {
            Kind::Pydio8 => pydio8(client, base, user, password).await,
            Kind::Cells => cells(client, base, user, password).await,
            Kind::Seafile => seafile(client, base, user, password).await,
        };
        self.known.insert(key, (Instant::now(), opened.clone()));
        opened
    }
}

/// Reference pydio8-v1, 2.1: boot configuration, seed, login.
async fn pydio8(client: &mut Client, base: &str, user: &str, password: &str) -> Result<Session, String> {
    let refused = |what: &str| format!("cannot sign in to Pydio 8 as `{user}`: {what}");
    let page = format!("{base}/index.php");
    let boot = get(client, &format!("{page}?get_action=get_boot_conf"), None).await?;
    let json: serde_json::Value = serde_json::from_slice(text(&boot).as_bytes()).unwrap_or_default();
    let token = json.get("SECURE_TOKEN").and_then(|token| token.as_str()).unwrap_or_default().to_owned();
    let cookie = session_cookie(&boot, "AjaXplorer");
    // Its answer is `-1` everywhere today; asked because clients ask.
    get(client, &format!("{page}?get_action=get_seed"), cookie.as_deref()).await?;

    let mut form =
        format!("get_action=login&userid={}&password={}&login_seed=-1", encode(user), encode(password));
    if !token.is_empty() {
        form.push_str(&format!("&secure_token={}", encode(&token)));
    }
    let mime = "application/x-www-form-urlencoded";
    let answer = post(client, &page, mime, form, cookie.as_deref()).await?;
    let body = text(&answer);
    let result = body.split("<logging_result").nth(1).and_then(|rest| rest.split('>').next());
    let result = result.ok_or_else(|| refused(&format!("status {}, no `logging_result`", answer.status)))?;
    match attribute(result, "value") {
        Some("1") => {}
        value => return Err(refused(&format!("logging_result {}", value.unwrap_or("without a value")))),
    }
    let cookie = session_cookie(&answer, "AjaXplorer").or(cookie);
    let token = attribute(result, "secure_token").map_or(token, str::to_owned);
    Ok(Session { cookie, token })
}

/// Reference cells-s3-dav-auth, 4.7.
async fn cells(client: &mut Client, base: &str, user: &str, password: &str) -> Result<Session, String> {
    let refused = |what: String| format!("cannot sign in to Cells as `{user}`: {what}");
    let body = serde_json::json!({
        "AuthInfo": { "type": "credentials", "login": user, "password": password }
    });
    let target = format!("{base}/a/frontend/session");
    let answer = post(client, &target, "application/json", body.to_string(), None).await?;
    if answer.status != 200 {
        return Err(refused(format!("status {}", answer.status)));
    }
    let json: serde_json::Value = serde_json::from_slice(text(&answer).as_bytes()).unwrap_or_default();
    let token = json.get("JWT").or_else(|| json.get("Token")?.get("AccessToken"));
    let token = token.and_then(|token| token.as_str()).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| refused("the answer holds no token".into()))?.to_owned();
    Ok(Session { cookie: session_cookie(&answer, "pydio"), token })
}

/// Reference seafile, 3.1.
async fn seafile(client: &mut Client, base: &str, user: &str, password: &str) -> Result<Session, String> {
    let refused = |what: String| format!("cannot sign in to Seafile as `{user}`: {what}");
    let form = format!("username={}&password={}", encode(user), encode(password));
    let target = format!("{base}/api2/auth-token/");
    let answer = post(client, &target, "application/x-www-form-urlencoded", form, None).await?;
    if answer.status != 200 {
        return Err(refused(format!("status {}", answer.status)));
    }
    let json: serde_json::Value = serde_json::from_slice(text(&answer).as_bytes()).unwrap_or_default();
    let token = json.get("token").and_then(|token| token.as_str()).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| refused("the answer holds no token".into()))?.to_owned();
    Ok(Session { cookie: None, token })
}

async fn get(client: &mut Client, target: &str, cookie: Option<&str>) -> Result<Answered, String> {
    send(client, "GET", target, None, cookie).await
}

async fn post(
    client: &mut Client,
    target: &str,
    mime: &str,
    body: String,
    cookie: Option<&str>,
) -> Result<Answered, String> {
    send(client, "POST", target, Some((mime, body)), cookie).await
}

async fn send(
    client: &mut Client,
    method: &str,
    target: &str,
    body: Option<(&str, String)>,
    cookie: Option<&str>,
) -> Result<Answered, String> {
    let mut headers = vec![
        ("Host".to_owned(), client.origin().authority().to_owned()),
        ("User-Agent".to_owned(), concat!("cellgate-replay/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("Accept".to_owned(), "*/*".to_owned()),
    ];
    if let Some(cookie) = cookie {
        headers.push(("Cookie".into(), format!("AjaXplorer={cookie}")));
    }
    let (framing, body) = match body {
        Some((mime, text)) => {
            headers.push(("Content-Type".into(), mime.into()));
            (Framing::Length, Body::Plain(Content::Bytes(Bytes::from(text))))
        }
        None => (Framing::None, Body::EMPTY),
    };
    let request = Request { method: method.into(), target: target.into(), headers, body, framing };
    client.send(&request, KEEP).await.map_err(|error| format!("cannot sign in: {error}"))
}

/// The cookie of a session. Cells adds a hash to its name within a public link.
fn session_cookie(answered: &Answered, name: &str) -> Option<String> {
    let headers = answered.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case("set-cookie"));
    let last = headers.filter_map(|(_, value)| set_cookie(value)).rfind(|(known, value)| {
        !value.is_empty()
            && (*known == name || known.strip_prefix(name).is_some_and(|rest| rest.starts_with('-')))
    });
    last.map(|(_, value)| value.to_owned())
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    // A blank before it: `value` is also the end of other names.
    let start = element.find(&format!(" {name}=\""))? + name.len() + 3;
    element.get(start..)?.split('"').next()
}

fn text(answered: &Answered) -> String {
    answered.body.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_a_sign_in_are_found_in_any_order() {
        let element = " secure_token=\"abc\" remember_value=\"0\" value=\"1\"/";
        assert_eq!(attribute(element, "value"), Some("1"));
        assert_eq!(attribute(element, "secure_token"), Some("abc"));
        assert_eq!(attribute(element, "none"), None);
    }
}
