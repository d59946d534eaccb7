//! The door through `Protocol::serve`, with a core in memory.

// clippy lets tests unwrap, but does not take their helpers for tests.
#![allow(clippy::unwrap_used)]

mod archives;
mod attributes;
mod auth;
mod bad_input;
mod bodies;
mod buckets;
mod cells;
mod checksums;
mod claims;
mod copying;
mod cors;
mod deleting;
mod documents;
mod foreign;
mod lifetimes;
mod listing;
mod metadata;
mod multipart;
mod objects;
mod posting;
mod sign;
mod subresources;
mod tagging;
mod versions;

use cellgate_core::Door;
use cellgate_core::identity::GATEWAY_SECRET;
use cellgate_core::testing::{Answer, TestCore, serve, test_core};
use cellgate_s3::S3;

use crate::sign::{Signed, Signer};

/// A door, the core behind it, and the key that `alice` signs with.
struct Stage {
    s3: S3,
    core: TestCore,
    alice: Signer,
}

async fn stage() -> Stage {
    let core = test_core().await;
    let s3 = S3::new(core.core.clone());
    let alice = signer(&core, "alice").await;
    Stage { s3, core, alice }
}

/// A signer whose access key is an access token of that user.
async fn signer(core: &TestCore, login: &str) -> Signer {
    Signer::new(&token(core, login).await, GATEWAY_SECRET)
}

async fn token(core: &TestCore, login: &str) -> String {
    let password = format!("{login}-password");
    core.identity().sign_in(login, &password, Door::S3).await.unwrap().access_token
}

impl Stage {
    /// Sends a request that `alice` signs.
    async fn send(&self, request: Signed) -> Answer {
        serve(&self.s3, self.alice.header(request)).await
    }

    async fn get(&self, uri: &str) -> Answer {
        self.send(Signed::new("GET", uri)).await
    }

    async fn head(&self, uri: &str) -> Answer {
        self.send(Signed::new("HEAD", uri)).await
    }

    async fn put(&self, uri: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.send(Signed::new("PUT", uri).body(body)).await
    }

    async fn delete(&self, uri: &str) -> Answer {
        self.send(Signed::new("DELETE", uri)).await
    }

    /// Puts something that must work.
    async fn seed(&self, keys: &[&str]) {
        for key in keys {
            let answer = self.put(&format!("/io/{key}"), "").await;
            assert_eq!(answer.status, 200, "{key}: {}", answer.text());
        }
    }
}

/// The texts of all elements of one name, unescaped.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&open)
        .skip(1)
        .map(|rest| rest.split(&close).next().unwrap())
        .map(|text| {
            text.replace("&quot;", "\"")
                .replace("&apos;", "'")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&")
        })
        .collect()
}

fn text(xml: &str, name: &str) -> String {
    texts(xml, name).into_iter().next().unwrap_or_default()
}

/// Claims that an answer is an S3 error in its whole form.
#[track_caller]
fn assert_error(answer: &Answer, status: u16, code: &str) {
    let xml = answer.text();
    assert_eq!((answer.status.as_u16(), text(&xml, "Code").as_str()), (status, code), "{xml}");
    assert_eq!(answer.header("content-type"), "application/xml");
    assert!(!text(&xml, "Message").is_empty(), "{xml}");
    assert!(!text(&xml, "Resource").is_empty(), "{xml}");
    assert_eq!(text(&xml, "RequestId"), answer.header("x-amz-request-id"), "{xml}");
    assert!(!answer.header("x-amz-request-id").is_empty());
    assert_eq!(text(&xml, "HostId"), answer.header("x-amz-id-2"), "{xml}");
    assert!(!answer.header("x-amz-id-2").is_empty());
}
