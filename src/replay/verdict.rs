//! What a comparison says.

use serde::Serialize;

/// Of one call, or the worst of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The client cannot tell the two answers apart; ids, times and links stand for each other.
    Same,
    /// They differ in what this client does not read, or takes alike.
    Compatible,
    /// The client sees another answer than the recorded one.
    Different,
    /// The server says that it does not know this operation.
    Unsupported,
}

/// How much one difference matters to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    Compatible,
    Different,
}

/// One difference between two answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub weight: Weight,
    /// `status`, `header etag`, `/tree/tree[@filename="/a"]/@bytesize`, `$.Nodes[0].Size`, `body`.
    pub place: String,
    /// `None` where there was nothing.
    pub recorded: Option<String>,
    pub fresh: Option<String>,
    /// Why it has this weight, where that is not plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The outcome of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    pub verdict: Verdict,
    pub findings: Vec<Finding>,
}
