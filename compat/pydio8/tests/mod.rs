//! The door from outside: requests as clients send them, through `Protocol::serve`.

mod files;
mod listing;
mod sessions;
mod transfers;
mod uploads;

use cellgate_core::testing::{Answer, RequestBuilder, TestCore, request, serve, test_core};

use crate::Pydio8;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

struct Fixture {
    core: TestCore,
    door: Pydio8,
}

async fn fixture() -> Fixture {
    let core = test_core().await;
    let door = Pydio8::new(core.core.clone());
    Fixture { core, door }
}

impl Fixture {
    async fn send(&self, request: RequestBuilder) -> Answer {
        serve(&self.door, request).await
    }

    /// As `admin`, whose personal files [`TestCore::put`] writes too.
    async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path).basic("admin")).await
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        self.send(form_request(path, form).basic("admin")).await
    }
}

fn form_request(path: &str, form: &str) -> RequestBuilder {
    request("POST", path).header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())
}

/// `type` and text of the one message.
fn message(answer: &Answer) -> (String, String) {
    let text = answer.text();
    assert_eq!(text.matches("<message ").count(), 1, "{text}");
    let kind = between(&text, "<message type=\"", "\"");
    let body = between(&text, &format!("<message type=\"{kind}\">"), "</message>");
    (kind, body)
}

fn succeeded(answer: &Answer, text: &str) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/xml; charset=UTF-8");
    assert_eq!(message(answer), ("SUCCESS".to_owned(), text.to_owned()), "{}", answer.text());
}

fn failed(answer: &Answer, text: &str) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.text(), format!("{DECLARATION}<tree ><message type=\"ERROR\">{text}</message></tree>"));
}

fn between(text: &str, before: &str, after: &str) -> String {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}")) + before.len();
    let rest = &text[start..];
    rest[..rest.find(after).unwrap_or_else(|| panic!("no {after} in {rest}"))].to_owned()
}

/// Values of an attribute, in document order.
fn values(text: &str, attribute: &str) -> Vec<String> {
    let before = format!(" {attribute}=\"");
    text.match_indices(&before).map(|(at, _)| between(&text[at..], &before, "\"")).collect()
}
