//! The recordings of `fixtures/`, sent by `cellgate replay` to a new installation, and made by
//! `cellgate record`.
//!
//! A fixture is `fixtures/<protocol>/<client>/<flow>.har`. Each is replayed by a user of its own, whose
//! home is empty.

mod known;
pub mod record;
mod spoiled;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use crate::Outcome;
use crate::engine::Stage;
use crate::gateway::{ADMIN_PASSWORD, Account, Gateway, Installation};
use crate::prepare::Workshop;
use crate::tally::{Status, Tally};
use known::{Bad, Known};

/// For one recording, on a busy machine with a dev build.
const PATIENCE: Duration = Duration::from_secs(300);

/// The names of all fixtures, or of those that begin with one of the names given.
pub fn named(workshop: &Workshop, names: &[String]) -> Outcome<Vec<String>> {
    let root = workshop.root.join("fixtures");
    let mut all = Vec::new();
    gather(&root, &root, &mut all);
    all.sort();
    if all.is_empty() {
        return Err(format!("`{}` has no recordings", root.display()));
    }
    if names.is_empty() {
        return Ok(all);
    }
    for name in names {
        if !all.iter().any(|fixture| fixture.starts_with(name.as_str())) {
            return Err(format!("no fixture begins with `{name}`; there are {}", all.join(", ")));
        }
    }
    Ok(all
        .into_iter()
        .filter(|fixture| names.iter().any(|name| fixture.starts_with(name.as_str())))
        .collect())
}

fn gather(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "har")
            && let Ok(inside) = path.with_extension("").strip_prefix(root)
        {
            found.push(inside.to_string_lossy().into_owned());
        }
    }
}

fn file(workshop: &Workshop, fixture: &str) -> PathBuf {
    workshop.root.join("fixtures").join(format!("{fixture}.har"))
}

pub async fn run(fixtures: &[String], stage: &Stage, workshop: &Workshop, tally: &mut Tally) {
    let step = format!("replay {}", stage.name());
    tally.step(&step);
    if let Err(why) = play(fixtures, stage, workshop, tally, &step).await {
        tally.failed(&step, "gateway", &why);
    }
}

async fn play(
    fixtures: &[String],
    stage: &Stage,
    workshop: &Workshop,
    tally: &mut Tally,
    step: &str,
) -> Outcome {
    let path = workshop.root.join("fixtures/known.toml");
    let known = Known::read(&path)?;
    let installation = stage.installation(workshop, "replay").await?;
    let gateway = installation.serve(None).await?;
    let all = named(workshop, &[])?;
    for stranger in known.fixtures().filter(|name| !all.iter().any(|fixture| fixture == name)) {
        tally.failed(step, stranger, "fixtures/known.toml names a fixture that is not there");
    }
    for fixture in fixtures {
        let begun = Instant::now();
        let report = workshop.logs.join(format!("replay-{}-{}", stage.name(), fixture.replace('/', "-")));
        let rehearsal = Rehearsal { installation: &installation, gateway: &gateway, workshop, options: &[] };
        match rehearsal.replay(&file(workshop, fixture), fixture, &report).await {
            Ok(outcome) => {
                let surprises = known.surprises(fixture, &outcome.bad);
                let status = if surprises.is_empty() { Status::Pass } else { Status::Fail };
                let mut detail = outcome.sums();
                for line in &surprises {
                    detail.push_str(&format!("\n{line}"));
                    detail.push_str(&outcome.words(line));
                }
                tally.note(step, fixture, status, begun.elapsed(), &detail);
            }
            Err(why) => tally.note(step, fixture, Status::Fail, begun.elapsed(), &why),
        }
    }
    spoiled::run(&installation, &gateway, workshop, tally, step).await;
    let rehearsal = Rehearsal {
        installation: &installation,
        gateway: &gateway,
        workshop,
        options: &["--map", "/shares=/dav"],
    };
    tally.case(step, "WebDAV recorded below /shares", elsewhere(&rehearsal)).await;
    gateway.stop().await
}

/// A fixture as a server would have given it whose WebDAV is where that of Pydio 8 was.
async fn elsewhere(rehearsal: &Rehearsal<'_>) -> Outcome<String> {
    let from = file(rehearsal.workshop, "webdav/rclone/suite");
    let text = std::fs::read_to_string(&from)
        .map_err(|error| format!("cannot read `{}`: {error}", from.display()))?;
    let moved = text.replace("/dav/personal-files", "/shares/personal-files");
    if moved == text {
        return Err(format!("`{}` has nothing below /dav/personal-files", from.display()));
    }
    let copy = rehearsal.workshop.logs.join("elsewhere.har");
    std::fs::write(&copy, moved).map_err(|error| format!("cannot write `{}`: {error}", copy.display()))?;
    let outcome = rehearsal.replay(&copy, "elsewhere", &rehearsal.workshop.logs.join("elsewhere")).await?;
    if outcome.bad.is_empty() { Ok(outcome.sums()) } else { Err(outcome.sums()) }
}

/// What `cellgate replay --json` writes, as far as it is read here.
#[derive(Deserialize)]
struct Report {
    recordings: Vec<Recording>,
}

#[derive(Deserialize)]
struct Recording {
    calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    number: u64,
    verdict: String,
    method: String,
    target: String,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    weight: String,
    place: String,
    recorded: Option<String>,
    fresh: Option<String>,
}

/// The outcome of one recording.
struct Replayed {
    calls: Vec<Call>,
    bad: BTreeMap<u64, Bad>,
}

impl Replayed {
    fn of(report: Report) -> Outcome<Self> {
        let calls: Vec<Call> = report.recordings.into_iter().flat_map(|recording| recording.calls).collect();
        let mut bad = BTreeMap::new();
        for call in &calls {
            match call.verdict.as_str() {
                "same" | "compatible" => {}
                "different" => drop(bad.insert(call.number, Bad::Different)),
                "unsupported" => drop(bad.insert(call.number, Bad::Unsupported)),
                other => return Err(format!("call {} has the verdict `{other}`", call.number)),
            }
        }
        Ok(Self { calls, bad })
    }

    fn sums(&self) -> String {
        let count = |verdict| self.calls.iter().filter(|call| call.verdict == verdict).count();
        let mut text =
            format!("{} calls: {} same, {} compatible", self.calls.len(), count("same"), count("compatible"));
        for verdict in ["different", "unsupported"] {
            if count(verdict) > 0 {
                text.push_str(&format!(", {} {verdict}", count(verdict)));
            }
        }
        text
    }

    /// The first differences of the call that a line of surprises begins with.
    fn words(&self, line: &str) -> String {
        let number = line.split(' ').nth(1).and_then(|word| word.parse::<u64>().ok());
        let Some(call) = self.calls.iter().find(|call| Some(call.number) == number) else {
            return String::new();
        };
        let mut text = format!(": {} {}", call.method, call.target);
        for finding in call.findings.iter().filter(|finding| finding.weight == "different").take(3) {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
            text.push_str(&format!(
                "\n  {}: {}, recorded {}",
                finding.place,
                shown(&finding.fresh),
                shown(&finding.recorded)
            ));
        }
        text
    }
}

/// Where a recording is replayed.
struct Rehearsal<'a> {
    installation: &'a Installation,
    gateway: &'a Gateway,
    workshop: &'a Workshop,
    /// More options of `cellgate replay`.
    options: &'a [&'a str],
}

impl Rehearsal<'_> {
    /// Replays a file as a new user; reports go beside `report`, as JSON and HTML.
    async fn replay(&self, recording: &Path, name: &str, report: &Path) -> Outcome<Replayed> {
        // One password for everybody, since a recording may hold the admin's calls as well.
        let login = name.replace('/', "-");
        let account = self.installation.account_with(&login, ADMIN_PASSWORD.into()).await?;
        let json = report.with_extension("json");
        let html = report.with_extension("html");
        let (code, said) = self.command(recording, &account, &json, &html).await?;
        let text = std::fs::read_to_string(&json)
            .map_err(|error| format!("no report ({error}), exit {code:?}: {}", said.trim()))?;
        let report: Report =
            serde_json::from_str(&text).map_err(|error| format!("`{}`: {error}", json.display()))?;
        let replayed = Replayed::of(report)?;
        let expected = i32::from(!replayed.bad.is_empty());
        if code != Some(expected) {
            return Err(format!("exit {code:?} with {}: {}", replayed.sums(), said.trim()));
        }
        Ok(replayed)
    }

    async fn command(
        &self,
        recording: &Path,
        account: &Account,
        json: &Path,
        html: &Path,
    ) -> Outcome<(Option<i32>, String)> {
        for old in [json, html] {
            let _ = std::fs::remove_file(old);
        }
        let mut command = Command::new(self.workshop.binary()?);
        command
            .arg("replay")
            .arg(recording)
            .args(["--against", &self.gateway.url, "--user", &account.login, "--user", "admin=admin"])
            .arg("--json")
            .arg(json)
            .arg("--html")
            .arg(html)
            .arg("--quiet")
            .args(self.options)
            .env("CELLGATE_PASSWORD", &account.password)
            .env("CELLGATE_KEY", format!("{}:{}", account.key_id, account.key_secret))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = timeout(PATIENCE, command.output())
            .await
            .map_err(|_| format!("the replay does not end within {} s", PATIENCE.as_secs()))?
            .map_err(|error| format!("cannot run the replay: {error}"))?;
        Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}
