//! `POST /a/tree/admin/list`: the tree as administrators see it, datasources first.
//!
//! `WithVersions`, `WithCommits` and `StatFlags` have no effect.

use bytes::Bytes;
use cellgate_core::http::{Response, settle};
use cellgate_core::{Error, Node, NodeKind, NodePath, Tree};
use futures_util::stream;
use http::StatusCode;
use serde::Deserialize;

use crate::error::CellsError;
use crate::json;
use crate::listing::{Order, Question, Walk};
use crate::model::{self, Extras, NodeIn, TreeNode};
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "POST",
    path: "/a/tree/admin/list",
    operation: "ListAdminTree",
    access: Access::Admin,
    handler: |call| Box::pin(list_admin_tree(call)),
}];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListNodesRequest {
    #[serde(deserialize_with = "json::nullable")]
    node: NodeIn,
    #[serde(deserialize_with = "json::nullable")]
    recursive: bool,
    /// List the parents up to the root instead of the children.
    #[serde(deserialize_with = "json::nullable")]
    ancestors: bool,
    #[serde(deserialize_with = "json::integer")]
    limit: i64,
    #[serde(deserialize_with = "json::integer")]
    offset: i64,
    #[serde(deserialize_with = "model::kind")]
    filter_type: Option<NodeKind>,
    #[serde(deserialize_with = "json::nullable")]
    sort_field: String,
    #[serde(deserialize_with = "json::nullable")]
    sort_dir_desc: bool,
}

async fn list_admin_tree(call: Call) -> Result<Response, CellsError> {
    let tree = call.state.core.admin(call.tree()?)?;
    let request: ListNodesRequest = json::read(call.body).await?;
    let (path, node) = locate(&tree, &request.node).await?;
    let children = if request.ancestors {
        Children::Ancestors(path.parent())
    } else {
        Children::Walk(Box::new(Walk::new(tree.clone(), path.clone(), question(&request)?)))
    };
    let answer = Answer { tree, parent: Some(shown(&path, &node)), children, any: false, ended: false };
    let chunks = stream::try_unfold(answer, |mut answer| async move {
        Ok::<_, Error>(answer.next().await?.map(|bytes| (bytes, answer)))
    });
    Ok(json::answer(StatusCode::OK, settle(Box::pin(chunks)).await?))
}

async fn locate(tree: &Tree, asked: &NodeIn) -> Result<(NodePath, Node), CellsError> {
    let by_path = !asked.path.is_empty() || asked.uuid.is_empty() || asked.uuid == "ROOT";
    if by_path {
        let path = NodePath::parse(&asked.path)?;
        let node = tree.stat(&path).await?;
        return Ok((path, node));
    }
    if let Some(name) = asked.uuid.strip_prefix("DATASOURCE:") {
        let path = NodePath::root().join(name)?;
        let node = tree.stat(&path).await?;
        return Ok((path, node));
    }
    let uuid = asked.uuid.parse().map_err(|_| CellsError::bad_request("`Uuid` is not a uuid"))?;
    Ok(tree.find(uuid).await?)
}

fn question(request: &ListNodesRequest) -> Result<Question, CellsError> {
    let number = |name: &str, value: i64| {
        u64::try_from(value).map_err(|_| CellsError::bad_request(format!("{name} is negative")))
    };
    Ok(Question {
        kind: request.filter_type,
        recursive: request.recursive,
        // Administrators see everything.
        hide_dots: false,
        order: Order::parse(&request.sort_field),
        descending: request.sort_dir_desc,
        offset: number("Offset", request.offset)?,
        limit: number("Limit", request.limit)?,
    })
}

/// A node of the administrators' tree: its first level bears ids of its own.
fn shown(path: &NodePath, node: &Node) -> TreeNode {
    let mut out = TreeNode::new(path, node);
    match (path.first(), path.depth()) {
        (None, _) => {
            out.uuid = "ROOT".into();
            out.path = "/".into();
        }
        (Some(name), 1) => out.uuid = format!("DATASOURCE:{name}"),
        _ => {}
    }
    out
}

enum Children {
    Walk(Box<Walk>),
    /// The next parent up.
    Ancestors(Option<NodePath>),
}

/// The message being written.
struct Answer {
    tree: Tree,
    parent: Option<TreeNode>,
    children: Children,
    any: bool,
    ended: bool,
}

impl Answer {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(parent) = self.parent.take() {
            let parent = serde_json::to_string(&parent).map_err(Error::internal)?;
            return Ok(Some(format!("{{\"Parent\":{parent}").into()));
        }
        if self.ended {
            return Ok(None);
        }
        let nodes = match &mut self.children {
            Children::Walk(walk) => match walk.next().await? {
                Some(entries) => {
                    let extras = Extras::of_entries(&self.tree, &entries).await?;
                    let mut nodes = Vec::with_capacity(entries.len());
                    for entry in &entries {
                        let mut node = shown(&walk.path().descend(&entry.key)?, &entry.node);
                        extras.apply(entry.node.id, &mut node);
                        nodes.push(node);
                    }
                    nodes
                }
                None => Vec::new(),
            },
            Children::Ancestors(next) => match next.take() {
                Some(path) => {
                    let node = shown(&path, &self.tree.stat(&path).await?);
                    *next = path.parent();
                    vec![node]
                }
                None => Vec::new(),
            },
        };
        if nodes.is_empty() {
            self.ended = true;
            return Ok(Some(Bytes::from_static(if self.any { b"]}" } else { b"}" })));
        }
        let mut out = Vec::with_capacity(nodes.len() * 400);
        for node in &nodes {
            out.extend_from_slice(if self.any { b"," } else { br#","Children":["# });
            self.any = true;
            serde_json::to_writer(&mut out, node).map_err(Error::internal)?;
        }
        Ok(Some(out.into()))
    }
}
