//! A mutation on its way to a writer, and the answers to a group of them.

use std::any::Any;

use cellgate_core::ports::Mutation;
use cellgate_core::{Error, Result};
use tokio::sync::oneshot;

/// A mutation and who waits for it.
pub struct Job {
    pub mutation: Mutation,
    pub answer: Answer,
}

pub type Answer = oneshot::Sender<Result<()>>;

impl Job {
    pub fn new(mutation: Mutation) -> (Self, oneshot::Receiver<Result<()>>) {
        let (answer, outcome) = oneshot::channel();
        (Self { mutation, answer }, outcome)
    }
}

/// Answers a group whose commit is durable, each with its own outcome.
pub fn acknowledge(answers: Vec<Answer>, outcomes: Vec<Result<()>>) {
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        // The caller may have gone away; the commit stands.
        let _ = answer.send(outcome);
    }
}

/// Answers a group of which nothing stays. Those that failed by themselves hear why.
pub fn refuse(answers: Vec<Answer>, outcomes: Vec<Result<()>>, cause: &Error) {
    // An `Unavailable` was logged where it arose.
    if matches!(cause, Error::Internal(_)) {
        tracing::error!(mutations = answers.len(), "a commit failed: {}", cause.chain());
    }
    let mut outcomes = outcomes.into_iter();
    for answer in answers {
        let outcome = match outcomes.next() {
            Some(Err(own)) => Err(own),
            Some(Ok(())) | None => Err(Error::Unavailable("the index could not commit".into())),
        };
        let _ = answer.send(outcome);
    }
}

pub fn closed() -> Error {
    Error::Unavailable("the index is closed".into())
}

/// A panic inside one mutation ends that one.
pub fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!("a mutation panicked: {text}");
    Error::internal(format!("a mutation panicked: {text}"))
}
