//! What needs no running gateway: formatting, lints, unit tests, documentation, licences. And the
//! build of the gateway that everything else runs.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::time::timeout;

use crate::Outcome;
use crate::prepare::Workshop;
use crate::tally::{Status, Tally};

const STEP: &str = "checks";
/// A cold build on a small machine.
const PATIENCE: Duration = Duration::from_secs(1_800);

struct Run {
    success: bool,
    stdout: String,
    stderr: String,
}

async fn cargo(workshop: &Workshop, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome<Run> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // Of the crate that is running, not of those to be built.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(environment.iter().copied()).current_dir(&workshop.root);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output())
        .await
        .map_err(|_| format!("`cargo {}` does not end", arguments.join(" ")))?
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ok(Run { success: output.status.success(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
}

/// The last lines of what a failed run said.
fn end_of(run: &Run) -> String {
    let text = format!("{}\n{}", run.stdout, run.stderr);
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(60)..).unwrap_or_default().join("\n")
}

pub async fn checks(workshop: &Workshop, tally: &mut Tally) {
    tally.step("checks");
    check(workshop, tally, "cargo fmt", &["fmt", "--all", "--check", "--", "--color", "never"], &[]).await;
    let lint = ["clippy", "--ignore-rust-version", "--workspace", "--all-targets", "--", "-D", "warnings"];
    check(workshop, tally, "cargo clippy", &lint, &[]).await;
    tests(workshop, tally).await;
    let doc = ["doc", "--ignore-rust-version", "--workspace", "--no-deps"];
    check(workshop, tally, "cargo doc", &doc, &[("RUSTDOCFLAGS", "-D warnings")]).await;
    match cargo(workshop, &["deny", "--version"], &[]).await {
        Ok(run) if run.success => {
            let deny = ["deny", "check", "licenses", "bans", "sources"];
            check(workshop, tally, "cargo deny", &deny, &[]).await;
        }
        _ => tally.skipped(STEP, "cargo deny", "cargo-deny is not installed"),
    }
}

async fn check(
    workshop: &Workshop,
    tally: &mut Tally,
    name: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) {
    let begun = Instant::now();
    match cargo(workshop, arguments, environment).await {
        Ok(run) if run.success => tally.passed(STEP, name, begun.elapsed(), ""),
        Ok(run) => tally.note(STEP, name, Status::Fail, begun.elapsed(), &end_of(&run)),
        Err(why) => tally.note(STEP, name, Status::Fail, begun.elapsed(), &why),
    }
}

/// Unit and door tests. Each test counts as a case.
async fn tests(workshop: &Workshop, tally: &mut Tally) {
    let begun = Instant::now();
    let arguments = ["test", "--ignore-rust-version", "--workspace", "--no-fail-fast"];
    let run = match cargo(workshop, &arguments, &[]).await {
        Ok(run) => run,
        Err(why) => return tally.failed(STEP, "cargo test", &why),
    };
    let (mut passed, mut failed, mut ignored) = (0_u32, 0_u32, 0_u32);
    for line in run.stdout.lines().filter(|line| line.starts_with("test ")) {
        if line.ends_with(" ok") {
            passed += 1;
            tally.count("cargo test", line, Status::Pass, Duration::ZERO, "");
        } else if line.contains("... ignored") {
            ignored += 1;
        } else if line.ends_with(" FAILED") {
            failed += 1;
            tally.count("cargo test", line, Status::Fail, Duration::ZERO, "");
        }
    }
    let sum = format!("{passed} passed, {failed} failed, {ignored} ignored");
    if run.success {
        tally.passed(STEP, "cargo test", begun.elapsed(), &sum);
    } else {
        tally.note(STEP, "cargo test", Status::Fail, begun.elapsed(), &format!("{sum}\n{}", end_of(&run)));
    }
}

/// Builds the gateway and finds where cargo put it.
pub async fn build(workshop: &mut Workshop, tally: &mut Tally) -> Outcome {
    if workshop.has_binary() {
        return Ok(());
    }
    tally.step("build");
    let begun = Instant::now();
    let arguments = [
        "build",
        "--ignore-rust-version",
        "--package",
        "cellgate",
        "--bin",
        "cellgate",
        "--message-format",
        "json-render-diagnostics",
    ];
    let run = cargo(workshop, &arguments, &[]).await?;
    if !run.success {
        return Err(format!("the gateway does not build\n{}", run.stderr));
    }
    let binary = run
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "cellgate")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or("cargo does not say where it put the gateway")?;
    tally.passed("build", "cellgate", begun.elapsed(), "dev profile");
    workshop.set_binary(binary);
    Ok(())
}
