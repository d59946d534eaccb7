//! Jobs that clients ask about after the work is done.
//!
//! Cells deletes and moves in background jobs; here a removal or a rename is one commit, done before
//! the answer. Clients poll the job all the same, so what finished is remembered for a while, by this
//! process alone: an unknown job is left out of the answer, which cec takes for finished.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use cellgate_core::http::date::now_ns;
use uuid::Uuid;

const KEPT: usize = 1_000;

/// A job that is done.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: String,
    pub label: &'static str,
    /// Login.
    pub owner: String,
    pub started_s: i64,
    pub ended_s: i64,
}

#[derive(Default)]
pub struct Jobs(Mutex<VecDeque<Job>>);

impl Jobs {
    /// Remembers work that is done, and answers the job's id: `<prefix>-<uuid>`.
    pub fn finished(&self, prefix: &str, label: &'static str, owner: &str, started_s: i64) -> String {
        let id = format!("{prefix}-{}", Uuid::new_v4());
        let job = Job { id: id.clone(), label, owner: owner.to_owned(), started_s, ended_s: now_s() };
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() >= KEPT {
            jobs.pop_front();
        }
        jobs.push_back(job);
        id
    }

    /// Newest first; `owner` `None` is everybody's.
    pub fn list(&self, owner: Option<&str>) -> Vec<Job> {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.iter().rev().filter(|job| owner.is_none_or(|owner| job.owner == owner)).cloned().collect()
    }
}

pub fn now_s() -> i64 {
    now_ns().div_euclid(1_000_000_000)
}
