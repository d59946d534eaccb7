//! Makes the recorded fixtures: each client's script once more, through `cellgate record`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::file;
use crate::Outcome;
use crate::clients::{Client, Visit};
use crate::engine::Stage;
use crate::gateway::Gateway;
use crate::prepare::Workshop;
use crate::tally::{Status, Tally};

/// Bodies beyond are kept as hash and length, so that fixtures stay small enough to read.
const LIMIT: &str = "32768";
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn run(clients: &[Client], stage: &Stage, workshop: &Workshop, tally: &mut Tally) {
    const STEP: &str = "record";
    tally.step(STEP);
    for client in clients {
        let lack = client.needs.iter().find_map(|need| Some((need, workshop.lacks(&need.thing)?)));
        if let Some((need, reason)) = lack {
            need.note_lack(tally, STEP, &client.name, reason);
            continue;
        }
        for (fixture, arguments) in &client.flows {
            let begun = Instant::now();
            if let Err(why) = one(client, fixture, arguments, stage, workshop, tally).await {
                tally.note(STEP, fixture, Status::Fail, begun.elapsed(), &why);
            }
        }
    }
}

async fn one(
    client: &Client,
    fixture: &str,
    arguments: &[String],
    stage: &Stage,
    workshop: &Workshop,
    tally: &mut Tally,
) -> Outcome {
    let step = format!("record {fixture}");
    let mut installation = stage.installation(workshop, &fixture.replace('/', "-")).await?;
    installation.set(&client.settings);
    let gateway = installation.serve(None).await?;
    let account = installation.account("alice").await?;
    let file = file(workshop, fixture);
    let recorder = Recorder::start(&gateway, client, &file, workshop).await?;
    let visit =
        Visit { client, arguments, url: &recorder.url, account: &account, installation: &installation };
    let went = visit.run(workshop, &step).await;
    recorder.stop().await?;
    gateway.stop().await?;
    went?.note(tally, &step)
}

struct Recorder {
    child: Child,
    url: String,
    part: PathBuf,
    file: PathBuf,
}

impl Recorder {
    async fn start(gateway: &Gateway, client: &Client, file: &Path, workshop: &Workshop) -> Outcome<Self> {
        let folder = file.parent().ok_or("a fixture lies in a folder")?;
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
        let part = workshop.logs.join("recording.har");
        let comment = format!("recorded: conformance/clients/{}, against cellgate", client.name);
        let mut child = Command::new(workshop.binary()?)
            .args(["record", "--upstream", &gateway.url, "--listen", "127.0.0.1:0", "--limit", LIMIT])
            .args(["--force", "--comment", &comment, "--out"])
            .arg(&part)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("cannot start the recorder: {error}"))?;
        let stdout = child.stdout.take().ok_or("the recorder has no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = match timeout(PATIENCE, lines.next_line()).await {
            Ok(Ok(Some(line))) => line,
            _ => return Err("the recorder does not start".into()),
        };
        let url = first
            .split_once(" records on ")
            .and_then(|(_, rest)| rest.split([',', ' ']).next())
            .map(str::to_owned)
            .ok_or_else(|| format!("the recorder's first line is `{first}`"))?;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, url, part, file: file.to_owned() })
    }

    /// Ends the recording and puts it into its place.
    async fn stop(mut self) -> Outcome {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let id = id.ok_or("the recorder has gone")?;
        kill_process(id, Signal::INT).map_err(|error| format!("cannot stop the recorder: {error}"))?;
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .map_err(|_| "the recorder does not end".to_owned())?
            .map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("the recorder ended with {status}"));
        }
        std::fs::copy(&self.part, &self.file)
            .map(drop)
            .map_err(|error| format!("cannot write `{}`: {error}", self.file.display()))
    }
}
