//! A big file by `aws s3 cp`, the same bytes through the other doors, its node in Cells' listing.

use std::process::Stdio;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::process::Command;
use tokio::time::timeout;

use crate::Outcome;
use crate::engine::Stage;
use crate::gateway::{Account, Gateway};
use crate::matrix::doors::{self, S3, Seafile};
use crate::matrix::noise;
use crate::prepare::{Thing, Workshop};
use crate::tally::Tally;

const NAME: &str = "large é.bin";
const PATIENCE: Duration = Duration::from_secs(600);

pub async fn run(mib: u64, stage: &Stage, workshop: &Workshop, tally: &mut Tally) {
    let step = format!("large {}", stage.name());
    tally.step(&step);
    if let Some(reason) = workshop.lacks(&Thing::Program("aws".into())) {
        return Workshop::note_lack(tally, &step, "aws s3 cp", reason);
    }
    if let Err(why) = play(mib, stage, workshop, tally, &step).await {
        tally.failed(&step, "large file", &why);
    }
}

async fn play(mib: u64, stage: &Stage, workshop: &Workshop, tally: &mut Tally, step: &str) -> Outcome {
    let installation = stage.installation(workshop, "large").await?;
    let gateway = installation.serve(None).await?;
    let account = installation.account("alice").await?;
    let work = tempfile::Builder::new()
        .prefix("large-")
        .tempdir_in(&workshop.folder)
        .map_err(|error| format!("cannot make a folder: {error}"))?;
    let file = work.path().join("file");
    let digest = make(&file, mib)?;
    let test =
        Test { workshop, gateway: &gateway, account: &account, work: work.path(), digest, bytes: mib << 20 };
    let title = format!("aws s3 cp of {mib} MiB");
    tally.case(step, &title, test.upload(&file)).await;
    let before = gateway.memory()?;
    let encoded = "large%20%C3%A9.bin";
    let dav = format!("{}/dav/personal-files/{encoded}", gateway.url);
    tally.case(step, "the same bytes by curl from /dav", test.same(&dav, true)).await;
    let pydio = format!("{}/api/my-files/download/{encoded}", gateway.url);
    tally.case(step, "the same bytes by curl from /api/my-files/download/", test.same(&pydio, true)).await;
    tally.case(step, "the same bytes by curl from a Seafile download link", test.by_link()).await;
    tally.case(step, "its node in /a/tree/stats, with size and ETag", test.node()).await;
    println!("  while it was read, memory grew: {}", gateway.memory()?.since(before));
    gateway.stop().await
}

/// Writes the file and answers its digest.
fn make(file: &std::path::Path, mib: u64) -> Outcome<String> {
    use std::io::Write as _;
    let mut out = std::fs::File::create(file).map_err(|error| error.to_string())?;
    let mut digest = Sha256::new();
    for number in 0..mib {
        let piece = noise(number + 1, 1 << 20);
        digest.update(&piece);
        out.write_all(&piece).map_err(|error| error.to_string())?;
    }
    Ok(hex::encode(digest.finalize()))
}

struct Test<'a> {
    workshop: &'a Workshop,
    gateway: &'a Gateway,
    account: &'a Account,
    work: &'a std::path::Path,
    digest: String,
    bytes: u64,
}

impl Test<'_> {
    async fn program(&self, name: &str, arguments: &[&str]) -> Outcome<String> {
        let mut command = Command::new(name);
        command
            .args(arguments)
            .current_dir(self.work)
            .env("PATH", &self.workshop.path)
            .env("AWS_ACCESS_KEY_ID", &self.account.key_id)
            .env("AWS_SECRET_ACCESS_KEY", &self.account.key_secret)
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = timeout(PATIENCE, command.output())
            .await
            .map_err(|_| format!("{name} does not end"))?
            .map_err(|error| format!("cannot run {name}: {error}"))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{name} ended with {}: {}", output.status, stderr.trim()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn upload(&self, file: &std::path::Path) -> Outcome<String> {
        let begun = Instant::now();
        let target = format!("s3://io/personal-files/{NAME}");
        let file = file.to_string_lossy();
        self.program(
            "aws",
            &["--endpoint-url", &self.gateway.url, "s3", "cp", "--no-progress", &file, &target],
        )
        .await?;
        Ok(self.speed(begun))
    }

    fn speed(&self, begun: Instant) -> String {
        format!("{:.0} MB/s", self.bytes as f64 / 1e6 / begun.elapsed().as_secs_f64())
    }

    async fn same(&self, url: &str, signed: bool) -> Outcome<String> {
        let begun = Instant::now();
        let user = format!("{}:{}", self.account.login, self.account.password);
        let mut arguments = vec!["-sSf", "-o", "got", url];
        if signed {
            arguments.extend(["-u", &user]);
        }
        self.program("curl", &arguments).await?;
        let speed = self.speed(begun);
        let path = self.work.join("got");
        let digest = tokio::task::spawn_blocking(move || {
            let mut digest = Sha256::new();
            let mut file = std::fs::File::open(path)?;
            let mut buffer = vec![0; 1 << 20];
            loop {
                match std::io::Read::read(&mut file, &mut buffer)? {
                    0 => return Ok(hex::encode(digest.finalize())),
                    read => digest.update(buffer.get(..read).unwrap_or_default()),
                }
            }
        });
        let digest = digest.await.map_err(|error| error.to_string())?;
        let digest = digest.map_err(|error: std::io::Error| error.to_string())?;
        if digest == self.digest { Ok(speed) } else { Err("other bytes than those written".into()) }
    }

    async fn by_link(&self) -> Outcome<String> {
        let failed = |fault: doors::Fault| fault.to_string();
        let seafile =
            Seafile::sign_in(&doors::client()?, &self.gateway.url, self.account).await.map_err(failed)?;
        let link = seafile.link(&format!("/personal-files/{NAME}")).await.map_err(failed)?;
        self.same(&link, false).await
    }

    /// By a token of the same user: the key as a bearer would do, a session is what clients use.
    async fn node(&self) -> Outcome<String> {
        let client = doors::client()?;
        let url = &self.gateway.url;
        let post = |path: &str| client.post(format!("{url}{path}"));
        let session = serde_json::json!({"AuthInfo": {
            "type": "credentials", "login": self.account.login, "password": self.account.password,
        }});
        let failed = |error: reqwest::Error| error.to_string();
        let answer = post("/a/frontend/session").json(&session).send().await.map_err(failed)?;
        let answer: serde_json::Value = answer.json().await.map_err(failed)?;
        let token = answer["JWT"].as_str().ok_or("there is no JWT in the session")?.to_owned();
        let question = serde_json::json!({"NodePaths": ["personal-files/*"]});
        let answer = post("/a/tree/stats").bearer_auth(token).json(&question).send().await.map_err(failed)?;
        let answer: serde_json::Value = answer.json().await.map_err(failed)?;
        let nodes = answer["Nodes"].as_array().ok_or_else(|| format!("no nodes in {answer}"))?;
        let path = format!("personal-files/{NAME}");
        let node = nodes.iter().find(|node| node["Path"] == path.as_str());
        let node = node.ok_or_else(|| format!("{path} is not in {answer}"))?;
        let s3 = S3::new(&client, url, &self.account.key_id, &self.account.key_secret);
        let etag = s3.etag(&format!("/{path}")).await.map_err(|fault| fault.to_string())?;
        if node["Size"] != self.bytes.to_string().as_str() {
            return Err(format!("the size is {}, not {}", node["Size"], self.bytes));
        }
        if etag.is_empty() || node["Etag"] != etag.as_str() {
            return Err(format!("the ETag is {}, by S3 {etag}", node["Etag"]));
        }
        Ok(format!("{} bytes, {etag}", self.bytes))
    }
}
