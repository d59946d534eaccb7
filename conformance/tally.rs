//! Results: a line each while they come in, a table and a file at the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pass,
    Fail,
    Skip,
}

/// One case.
#[derive(Debug, Serialize)]
pub struct Case {
    /// `matrix sqlite`, `clients postgres`, `checks`.
    step: String,
    case: String,
    status: Status,
    ms: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

#[derive(Default)]
pub struct Tally {
    cases: Vec<Case>,
    started: Option<Instant>,
}

impl Tally {
    /// Prints what begins.
    pub fn step(&mut self, title: &str) {
        let started = *self.started.get_or_insert_with(Instant::now);
        println!("\n== {title} (at {})", shown(started.elapsed()));
    }

    /// Counts a case without printing it, where a table does.
    pub fn count(&mut self, step: &str, case: &str, status: Status, took: Duration, detail: &str) {
        self.cases.push(Case {
            step: step.to_owned(),
            case: case.to_owned(),
            status,
            ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            detail: detail.to_owned(),
        });
    }

    /// Counts a case and prints its line.
    pub fn note(&mut self, step: &str, case: &str, status: Status, took: Duration, detail: &str) {
        let word = match status {
            Status::Pass => "ok  ",
            Status::Fail => "FAIL",
            Status::Skip => "skip",
        };
        let mut lines = detail.trim_end().lines();
        let first = lines.next().unwrap_or_default();
        println!("  {word} {:>8}  {case}{}{first}", shown(took), if first.is_empty() { "" } else { ": " });
        for line in lines {
            println!("                 | {line}");
        }
        self.count(step, case, status, took, detail);
    }

    pub fn passed(&mut self, step: &str, case: &str, took: Duration, detail: &str) {
        self.note(step, case, Status::Pass, took, detail);
    }

    pub fn failed(&mut self, step: &str, case: &str, detail: &str) {
        self.note(step, case, Status::Fail, Duration::ZERO, detail);
    }

    pub fn skipped(&mut self, step: &str, case: &str, reason: &str) {
        self.note(step, case, Status::Skip, Duration::ZERO, reason);
    }

    /// Runs a case and notes how it went; the text of a success is shown too.
    pub async fn case(&mut self, step: &str, case: &str, work: impl Future<Output = Result<String, String>>) {
        let begun = Instant::now();
        match work.await {
            Ok(detail) => self.passed(step, case, begun.elapsed(), &detail),
            Err(detail) => self.note(step, case, Status::Fail, begun.elapsed(), &detail),
        }
    }

    /// Writes every case into a file.
    pub fn write(&self, path: &Path) {
        let text = serde_json::to_string_pretty(&self.cases).unwrap_or_default();
        if let Err(error) = std::fs::write(path, text) {
            eprintln!("conformance: cannot write `{}`: {error}", path.display());
        }
    }

    /// Prints the failures again, the sums by step, and the last line.
    pub fn finish(&self) -> ExitCode {
        let count = |status| self.cases.iter().filter(|case| case.status == status).count();
        let (passed, failed, skipped) = (count(Status::Pass), count(Status::Fail), count(Status::Skip));
        println!("\n== results (at {})", shown(self.started.map_or(Duration::ZERO, |at| at.elapsed())));
        let mut steps: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for case in &self.cases {
            let [pass, fail, skip] = steps.entry(&case.step).or_default();
            match case.status {
                Status::Pass => *pass += 1,
                Status::Fail => *fail += 1,
                Status::Skip => *skip += 1,
            }
        }
        println!("  {:<24} {:>7} {:>7} {:>7}", "", "passed", "failed", "skipped");
        for (step, [pass, fail, skip]) in steps {
            println!("  {step:<24} {pass:>7} {fail:>7} {skip:>7}");
        }
        const SHOWN: usize = 40;
        let others: Vec<&Case> = self.cases.iter().filter(|case| case.status != Status::Pass).collect();
        for case in others.iter().take(SHOWN) {
            let word = if case.status == Status::Fail { "FAIL" } else { "skip" };
            let detail = case.detail.lines().next().unwrap_or_default();
            println!("  {word} {} / {}: {detail}", case.step, case.case);
        }
        if others.len() > SHOWN {
            println!("  and {} more", others.len() - SHOWN);
        }
        println!("\n{passed} passed, {failed} failed, {skipped} skipped");
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// A duration for people.
pub fn shown(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        1..=59 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}
