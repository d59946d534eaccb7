//! `POST /a/jobs/user`: what became of the work that other calls handed out a job for.
//!
//! Partial: there are no running jobs to show, and no filters but `JobIDs`, `Owner` and `LoadTasks`.
//! A job that is no longer known is left out; cec takes that for finished.

use cellgate_core::http::Response;
use serde::{Deserialize, Serialize};

use crate::error::CellsError;
use crate::jobs::Job;
use crate::json;
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "POST",
    path: "/a/jobs/user",
    operation: "UserListJobs",
    access: Access::User,
    handler: |call| Box::pin(user_list_jobs(call)),
}];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListJobsRequest {
    #[serde(rename = "Owner", deserialize_with = "json::nullable")]
    owner: String,
    #[serde(rename = "JobIDs", deserialize_with = "json::nullable")]
    ids: Vec<String>,
    #[serde(rename = "LoadTasks", deserialize_with = "json::nullable")]
    load_tasks: serde_json::Value,
}

#[derive(Serialize)]
struct ListJobsResponse {
    #[serde(rename = "Jobs", skip_serializing_if = "Vec::is_empty")]
    jobs: Vec<JobOut>,
}

#[derive(Serialize)]
struct JobOut {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Label")]
    label: &'static str,
    #[serde(rename = "Owner")]
    owner: String,
    #[serde(rename = "MaxConcurrency")]
    max_concurrency: i32,
    #[serde(rename = "AutoStart")]
    auto_start: bool,
    #[serde(rename = "AutoClean")]
    auto_clean: bool,
    #[serde(rename = "Tasks", skip_serializing_if = "Vec::is_empty")]
    tasks: Vec<TaskOut>,
}

#[derive(Serialize)]
struct TaskOut {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "JobID")]
    job: String,
    /// Never left out: cec dereferences it unchecked.
    #[serde(rename = "Status")]
    status: &'static str,
    #[serde(rename = "StatusMessage")]
    message: String,
    #[serde(rename = "HasProgress")]
    has_progress: bool,
    /// From 0 to 1.
    #[serde(rename = "Progress")]
    progress: u8,
    #[serde(rename = "TriggerOwner")]
    owner: String,
    #[serde(rename = "StartTime")]
    start_s: i64,
    #[serde(rename = "EndTime")]
    end_s: i64,
}

async fn user_list_jobs(call: Call) -> Result<Response, CellsError> {
    let principal = call.tree()?.principal().clone();
    let request: ListJobsRequest = json::read(call.body).await?;
    let everybody = request.owner == "*" && principal.admin;
    let mut jobs = call.state.jobs.list((!everybody).then_some(principal.login.as_str()));
    if !request.ids.is_empty() {
        jobs.retain(|job| request.ids.contains(&job.id));
    }
    // The status to load, by name or number; every task here is `Finished` (3).
    let tasks = match &request.load_tasks {
        serde_json::Value::String(name) => name == "Any" || name == "Finished",
        serde_json::Value::Number(number) => matches!(number.as_u64(), Some(3 | 6)),
        _ => false,
    };
    json::ok(&ListJobsResponse { jobs: jobs.into_iter().map(|job| shown(job, tasks)).collect() })
}

fn shown(job: Job, with_task: bool) -> JobOut {
    let task = |job: &Job| TaskOut {
        id: format!("{}-1", job.id),
        job: job.id.clone(),
        status: "Finished",
        message: format!("{}: finished", job.label),
        has_progress: true,
        progress: 1,
        owner: job.owner.clone(),
        start_s: job.started_s,
        end_s: job.ended_s,
    };
    let tasks = if with_task { vec![task(&job)] } else { Vec::new() };
    JobOut {
        id: job.id,
        label: job.label,
        owner: job.owner,
        max_concurrency: 1,
        auto_start: true,
        auto_clean: true,
        tasks,
    }
}
