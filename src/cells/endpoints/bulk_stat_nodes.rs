//! `POST /a/tree/stats` and `POST /a/meta/bulk/get`: listings and stats of many nodes, one handler.
//!
//! A path that ends in `/*` lists, any other is a stat that is skipped when there is nothing to see.
//! The answer streams: parents are checked first, then each page is written as the index hands it out.
//!
//! The listing of an archive is what is in it. With `Versions`, a file comes once per version, newest
//! first, with the id that S3 takes as `versionId`; without a `versionDescription`.

use std::collections::{BTreeMap, HashSet, VecDeque};

use bytes::Bytes;
use cellgate_core::archive::Format;
use cellgate_core::http::{Response, settle};
use cellgate_core::listing::Entry;
use cellgate_core::ports::Count;
use cellgate_core::{Error, Node, NodePath, Tree};
use futures_util::stream;
use http::StatusCode;
use serde::Deserialize;

use crate::error::CellsError;
use crate::json;
use crate::listing::{Order, Pagination, Question, Walk};
use crate::model::{self, Extras, TreeNode};
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "POST",
        path: "/a/tree/stats",
        operation: "BulkStatNodes",
        access: Access::User,
        handler: |call| Box::pin(bulk_stat_nodes(call)),
    },
    Endpoint {
        method: "POST",
        path: "/a/meta/bulk/get",
        operation: "GetBulkMeta",
        access: Access::User,
        handler: |call| Box::pin(bulk_stat_nodes(call)),
    },
];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct GetBulkMetaRequest {
    #[serde(deserialize_with = "json::nullable")]
    node_paths: Vec<String>,
    #[serde(deserialize_with = "json::integer")]
    limit: i64,
    #[serde(deserialize_with = "json::integer")]
    offset: i64,
    #[serde(deserialize_with = "json::nullable")]
    sort_field: String,
    #[serde(deserialize_with = "json::nullable")]
    sort_dir_desc: bool,
    #[serde(deserialize_with = "json::texts")]
    filters: BTreeMap<String, String>,
    #[serde(deserialize_with = "json::nullable")]
    versions: bool,
}

async fn bulk_stat_nodes(call: Call) -> Result<Response, CellsError> {
    let tree = call.tree()?.clone();
    let request: GetBulkMetaRequest = json::read(call.body).await?;
    let question = question(&request)?;
    let steps = steps(&request)?;
    let mut wanted = VecDeque::with_capacity(steps.len());
    for step in steps {
        wanted.extend(match step {
            Step::Children(path) => checked(&tree, path).await?,
            step => Some(step),
        });
    }
    let answer = Answer::new(tree, question, wanted);
    let chunks = stream::try_unfold(answer, |mut answer| async move {
        Ok::<_, Error>(answer.next().await?.map(|bytes| (bytes, answer)))
    });
    Ok(json::answer(StatusCode::OK, settle(Box::pin(chunks)).await?))
}

fn question(request: &GetBulkMetaRequest) -> Result<Question, CellsError> {
    let number = |name: &str, value: i64| {
        u64::try_from(value).map_err(|_| CellsError::bad_request(format!("{name} is negative")))
    };
    let kind = request.filters.get("type").map_or("", String::as_str);
    Ok(Question {
        kind: model::kind_of(kind)
            .ok_or_else(|| CellsError::bad_request("the filter `type` takes LEAF or COLLECTION"))?,
        recursive: false,
        hide_dots: true,
        order: Order::parse(&request.sort_field),
        descending: request.sort_dir_desc,
        offset: number("Offset", request.offset)?,
        limit: number("Limit", request.limit)?,
    })
}

/// One entry of `NodePaths`.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Node(NodePath),
    /// A file, in all of its versions.
    Versions(NodePath),
    Children(NodePath),
    /// What is in an archive, or in a folder of one.
    Members(NodePath, Vec<Entry>),
}

/// The work, in order: where a folder is listed and asked for itself, it comes once, before its
/// children; cec takes the first node for ".".
fn steps(request: &GetBulkMetaRequest) -> Result<VecDeque<Step>, CellsError> {
    let mut steps = VecDeque::new();
    let mut plain = Vec::new();
    for text in &request.node_paths {
        match text.strip_suffix("/*") {
            Some(parent) => steps.push_back(Step::Children(NodePath::parse(parent)?)),
            None if request.versions => steps.push_back(Step::Versions(NodePath::parse(text)?)),
            None => {
                let path = NodePath::parse(text)?;
                plain.push(path.clone());
                steps.push_back(Step::Node(path));
            }
        }
    }
    let mut done: HashSet<NodePath> = HashSet::new();
    let mut ordered = VecDeque::with_capacity(steps.len());
    for step in steps {
        match &step {
            Step::Children(path) if plain.contains(path) && done.insert(path.clone()) => {
                ordered.push_back(Step::Node(path.clone()));
            }
            Step::Node(path) if done.contains(path) => continue,
            Step::Node(path) if request.node_paths.iter().any(|text| is_listing_of(text, path)) => {
                done.insert(path.clone());
            }
            _ => {}
        }
        ordered.push_back(step);
    }
    Ok(ordered)
}

fn is_listing_of(text: &str, path: &NodePath) -> bool {
    text.strip_suffix("/*").is_some_and(|parent| NodePath::parse(parent).is_ok_and(|parent| parent == *path))
}

/// A listing that can be answered. It fails as a whole when its parent cannot be read; after the
/// first byte it is too late. A leaf can be read and has no children (`None`): `cec ls` asks for the
/// listing of whatever it was given.
async fn checked(tree: &Tree, path: NodePath) -> Result<Option<Step>, CellsError> {
    let listed = match tree.stat(&path).await {
        Ok(node) if path.is_root() || node.is_collection() => return Ok(Some(Step::Children(path))),
        Ok(node) if Format::of_name(&node.name).is_none() => return Ok(None),
        Ok(_) | Err(Error::NotFound(_)) => tree.members(&path).await,
        Err(error) => Err(error),
    };
    match listed {
        Ok(members) => Ok(Some(Step::Members(path, members))),
        Err(Error::NotFound(_) | Error::Denied { .. } | Error::NotACollection(_)) => {
            Err(CellsError::Refused(StatusCode::NOT_FOUND, format!("`{path}` cannot be listed")))
        }
        Err(error) => Err(error.into()),
    }
}

/// The message being written.
struct Answer {
    tree: Tree,
    question: Question,
    steps: VecDeque<Step>,
    walk: Option<Walk>,
    any: bool,
    pagination: Option<Pagination>,
    ended: bool,
}

impl Answer {
    fn new(tree: Tree, question: Question, steps: VecDeque<Step>) -> Self {
        Self { tree, question, steps, walk: None, any: false, pagination: None, ended: false }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(walk) = &mut self.walk {
                if let Some(entries) = walk.next().await? {
                    let nodes = shown(&self.tree, walk.path(), &entries).await?;
                    return self.write(&nodes).map(Some);
                }
                let (path, returned, hidden) = (walk.path().clone(), walk.returned, walk.hidden);
                let counted = walk.counted;
                self.walk = None;
                if self.question.limit > 0 {
                    let total = match counted {
                        Some(counted) => counted,
                        None => total(self.tree.count(&path).await?, &self.question),
                    };
                    // Several listings in one request share this member; the last one wins.
                    self.pagination = Pagination::of(&self.question, returned, total, hidden);
                }
            }
            match self.steps.pop_front() {
                Some(Step::Children(path)) => {
                    self.walk = Some(Walk::new(self.tree.clone(), path, self.question.clone()));
                }
                Some(Step::Members(path, members)) => {
                    let (tree, question) = (self.tree.clone(), self.question.clone());
                    self.walk = Some(Walk::over(tree, path, question, members));
                }
                Some(Step::Versions(path)) => match versions(&self.tree, &path).await {
                    Ok(nodes) => return self.write(&nodes).map(Some),
                    Err(Error::NotFound(_) | Error::Denied { .. } | Error::NotACollection(_)) => {}
                    Err(error) => return Err(error),
                },
                Some(Step::Node(path)) => match model::stat(&self.tree, &path).await {
                    Ok(node) => return self.write(&[node]).map(Some),
                    // The web UI asks for a path that is not there to see whether an upload would
                    // replace something.
                    Err(Error::NotFound(_) | Error::Denied { .. } | Error::NotACollection(_)) => {}
                    Err(error) => return Err(error),
                },
                None if self.ended => return Ok(None),
                None => {
                    self.ended = true;
                    return self.end().map(Some);
                }
            }
        }
    }

    fn write(&mut self, nodes: &[TreeNode]) -> Result<Bytes, Error> {
        let mut out = Vec::with_capacity(nodes.len() * 400);
        for node in nodes {
            out.extend_from_slice(if self.any { b"," } else { br#"{"Nodes":["# });
            self.any = true;
            serde_json::to_writer(&mut out, node).map_err(Error::internal)?;
        }
        Ok(out.into())
    }

    fn end(&self) -> Result<Bytes, Error> {
        let pagination = match &self.pagination {
            Some(pagination) => serde_json::to_string(pagination).map_err(Error::internal)?,
            None => return Ok(Bytes::from_static(if self.any { b"]}" } else { b"{}" })),
        };
        let before = if self.any { "]," } else { "{" };
        Ok(format!("{before}\"Pagination\":{pagination}}}").into())
    }
}

fn total(count: Count, question: &Question) -> u64 {
    match question.kind {
        None => count.leaves + count.collections,
        Some(cellgate_core::NodeKind::Leaf) => count.leaves,
        Some(cellgate_core::NodeKind::Collection) => count.collections,
    }
}

/// A file in all of its versions; a folder has none.
async fn versions(tree: &Tree, path: &NodePath) -> Result<Vec<TreeNode>, Error> {
    let node = tree.stat(path).await?;
    if node.is_collection() {
        return Ok(vec![model::stat(tree, path).await?]);
    }
    let versions = tree.versions(path).await?.into_iter().filter(|version| !version.marker);
    Ok(versions
        .map(|version| {
            let id = version.id.to_string();
            let (size, mtime_ns, etag) = (version.size, version.mtime_ns, version.etag);
            let mut shown = TreeNode::new(path, &Node { size, mtime_ns, etag, ..node.clone() });
            shown.set("versionId", id);
            shown
        })
        .collect())
}

/// A page of children as Cells shows them.
async fn shown(tree: &Tree, parent: &NodePath, entries: &[Entry]) -> Result<Vec<TreeNode>, Error> {
    let extras = Extras::of_entries(tree, entries).await?;
    let workspaces = if parent.is_root() { tree.workspaces().await? } else { Vec::new() };
    let mut nodes = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut node = TreeNode::new(&parent.descend(&entry.key)?, &entry.node);
        extras.apply(entry.node.id, &mut node);
        let workspace = workspaces.iter().find(|(workspace, _)| workspace.slug == entry.node.name);
        if let Some((workspace, rights)) = workspace {
            node.set_workspace(workspace, *rights);
        }
        nodes.push(node);
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(paths: &[&str]) -> Vec<String> {
        let request = GetBulkMetaRequest {
            node_paths: paths.iter().map(|path| path.to_string()).collect(),
            ..GetBulkMetaRequest::default()
        };
        let name = |step| match step {
            Step::Node(path) | Step::Versions(path) => path.to_string(),
            Step::Children(path) | Step::Members(path, _) => format!("{path}/*"),
        };
        steps(&request).unwrap().into_iter().map(name).collect()
    }

    #[test]
    fn a_listed_folder_comes_once_and_before_its_children() {
        assert_eq!(order(&["/*"]), ["//*"]);
        assert_eq!(order(&["", "/*"]), ["/", "//*"]);
        assert_eq!(order(&["ws/d", "ws/d/*"]), ["/ws/d", "/ws/d/*"]);
        assert_eq!(order(&["ws/d/*", "ws/d"]), ["/ws/d", "/ws/d/*"]);
        assert_eq!(order(&["ws/a", "ws/a", "ws/d/*"]), ["/ws/a", "/ws/a", "/ws/d/*"]);
    }
}
