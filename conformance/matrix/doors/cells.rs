//! Cells REST with a bearer token.
//!
//! The REST API has no content: Cells' own clients create small text files through `/a/tree/create`
//! and send and fetch all other bytes through S3, where the access key is the token and the secret is
//! `gatewaysecret`. So a new file of plain text is written by REST here, everything else as they do.
//! Copies and moves are jobs, which are asked for until they are finished.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::s3::S3;
use super::{Answer, Door, Entry, Fault, encoded, split, succeeded, unexpected};
use crate::gateway::Account;

/// The secret of every token used as an access key.
const GATEWAY_SECRET: &str = "gatewaysecret";
/// Tokens live for ten minutes.
const RENEW_AFTER: Duration = Duration::from_secs(300);
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Cells {
    client: Client,
    url: String,
    account: Account,
    token: Mutex<(String, Instant)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Nodes {
    #[serde(default)]
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    path: String,
    r#type: String,
    /// 64-bit numbers are strings; zero is left out.
    #[serde(default)]
    size: String,
}

impl Cells {
    pub async fn sign_in(client: &Client, url: &str, account: &Account) -> Answer<Self> {
        let token = session(client, url, account).await?;
        let token = Mutex::new((token, Instant::now()));
        Ok(Self { client: client.clone(), url: url.to_owned(), account: account.clone(), token })
    }

    async fn token(&self) -> Answer<String> {
        let mut token = self.token.lock().await;
        if token.1.elapsed() > RENEW_AFTER {
            *token = (session(&self.client, &self.url, &self.account).await?, Instant::now());
        }
        Ok(token.0.clone())
    }

    async fn s3(&self) -> Answer<S3> {
        Ok(S3::new(&self.client, &self.url, &self.token().await?, GATEWAY_SECRET))
    }

    async fn send(&self, request: RequestBuilder) -> Answer<Value> {
        let response = request.bearer_auth(self.token().await?).send().await?;
        let body = succeeded(response).await.map_err(fault)?;
        serde_json::from_slice(&body).map_err(|error| Fault::Other(error.to_string()))
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Answer<Value> {
        self.send(self.client.request(method, format!("{}/a/{path}", self.url)).json(body)).await
    }

    async fn stats(&self, paths: &[String]) -> Answer<Vec<Node>> {
        let answer = self.call(Method::POST, "tree/stats", &json!({ "NodePaths": paths })).await?;
        let nodes: Nodes = serde_json::from_value(answer).map_err(|error| Fault::Other(error.to_string()))?;
        Ok(nodes.nodes)
    }

    async fn create(&self, node: Value) -> Answer {
        self.call(Method::POST, "tree/create", &json!({ "Nodes": [node] })).await.map(drop)
    }

    /// A move or copy to a complete new path.
    async fn job(&self, name: &str, from: &str, to: &str) -> Answer {
        let parameters = json!({ "nodes": [key(from)], "target": key(to), "targetParent": false });
        let body = json!({ "JobName": name, "JsonParameters": parameters.to_string() });
        let answer = self.call(Method::PUT, &format!("jobs/user/{name}"), &body).await?;
        self.finished(answer["JobUuid"].as_str().unwrap_or_default()).await
    }

    /// Waits for a job as cec does. A job that is not known any more has finished.
    async fn finished(&self, job: &str) -> Answer {
        let begun = Instant::now();
        loop {
            let question = json!({ "JobIDs": [job], "LoadTasks": "Any" });
            let answer = self.call(Method::POST, "jobs/user", &question).await?;
            match answer["Jobs"][0]["Tasks"][0]["Status"].as_str() {
                None | Some("Finished") => return Ok(()),
                Some("Error") => return Err(Fault::Other(format!("the job {job} failed"))),
                Some(status) if begun.elapsed() > PATIENCE => {
                    return Err(Fault::Other(format!("the job {job} stays {status}")));
                }
                Some(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn delete(&self, path: &str) -> Answer {
        let answer =
            self.call(Method::POST, "tree/delete", &json!({ "Nodes": [{ "Path": key(path) }] })).await?;
        for job in answer["DeleteJobs"].as_array().into_iter().flatten() {
            self.finished(job["Uuid"].as_str().unwrap_or_default()).await?;
        }
        Ok(())
    }
}

async fn session(client: &Client, url: &str, account: &Account) -> Answer<String> {
    let body = json!({ "AuthInfo": {
        "type": "credentials", "login": account.login, "password": account.password,
    }});
    let response = client.post(format!("{url}/a/frontend/session")).json(&body).send().await?;
    let body = succeeded(response).await.map_err(|answer| unexpected("cells", answer))?;
    let answer: Value = serde_json::from_slice(&body).map_err(|error| Fault::Other(error.to_string()))?;
    let token = answer["JWT"].as_str();
    token.map(str::to_owned).ok_or_else(|| Fault::Other("cells answers no JWT".into()))
}

/// Without the first slash, as Cells writes paths.
fn key(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn fault(answer: (StatusCode, String)) -> Fault {
    match answer.0 {
        StatusCode::NOT_FOUND => Fault::Missing,
        StatusCode::LOCKED => Fault::Locked,
        _ => unexpected("cells", answer),
    }
}

#[async_trait]
impl Door for Cells {
    fn name(&self) -> &'static str {
        "cells"
    }

    async fn write(&self, path: &str, bytes: Bytes) -> Answer {
        // Clients look first: creating what is there is a conflict.
        let there = !self.stats(&[key(path).to_owned()]).await?.is_empty();
        match std::str::from_utf8(&bytes) {
            Ok(text) if !there && text.len() < 4096 => {
                let contents = json!(text).to_string();
                let meta = json!({ "Contents": contents });
                self.create(json!({ "Path": key(path), "Type": "LEAF", "MetaStore": meta })).await
            }
            _ => self.s3().await?.write(path, bytes).await,
        }
    }

    async fn read(&self, path: &str) -> Answer<Bytes> {
        self.s3().await?.read(path).await
    }

    async fn read_range(&self, path: &str, first: u64, last: u64) -> Answer<Bytes> {
        self.s3().await?.read_range(path, first, last).await
    }

    async fn list(&self, folder: &str) -> Answer<Vec<Entry>> {
        let nodes = self.stats(&[format!("{}/*", key(folder))]).await?;
        let entries = nodes.into_iter().map(|node| {
            let folder = node.r#type == "COLLECTION";
            let size = if node.size.is_empty() { Some(0) } else { node.size.parse().ok() };
            Entry { name: split(&node.path).1.to_owned(), folder, size: size.filter(|_| !folder) }
        });
        Ok(entries.collect())
    }

    async fn make_folder(&self, path: &str) -> Answer {
        self.create(json!({ "Path": key(path), "Type": "COLLECTION" })).await
    }

    async fn move_file(&self, from: &str, to: &str) -> Answer {
        self.job("move", from, to).await
    }

    async fn move_folder(&self, from: &str, to: &str) -> Answer {
        self.job("move", from, to).await
    }

    async fn copy_file(&self, from: &str, to: &str) -> Answer {
        // As `cec cp` does: the source is looked at first.
        self.send(self.client.get(format!("{}/a/tree/stat{}", self.url, encoded(from)))).await?;
        self.job("copy", from, to).await
    }

    async fn delete_file(&self, path: &str) -> Answer {
        self.delete(path).await
    }

    async fn delete_folder(&self, path: &str) -> Answer {
        self.delete(path).await
    }
}
