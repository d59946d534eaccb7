//! One call of an action, with everything its operation needs.

use cellgate_core::node::Node;
use cellgate_core::{NodePath, Tree};
use http::HeaderMap;

use crate::error::{Fault, NOTHING_SELECTED};
use crate::params::Params;
use crate::place::{Place, inside};
use crate::render::Format;
use crate::render::node::{Attributes, Row, Show, attributes};

pub struct Call {
    pub tree: Tree,
    pub place: Place,
    pub params: Params,
    pub headers: HeaderMap,
    pub format: Format,
    /// Seconds since the epoch: one time for the whole answer.
    pub now_s: i64,
}

impl Call {
    /// The nodes the call is about; never the workspace itself, which no action of a selection can
    /// change.
    pub fn selection(&self) -> Result<Vec<NodePath>, Fault> {
        let paths: Vec<NodePath> =
            self.params.selection().iter().map(|path| self.place.path(path)).collect::<Result<_, _>>()?;
        if paths.is_empty() || paths.iter().any(Place::is_root) {
            return Err(Fault::text(NOTHING_SELECTED));
        }
        Ok(paths)
    }

    /// The one node the call is about.
    pub fn single(&self) -> Result<NodePath, Fault> {
        match self.selection()?.as_slice() {
            [path] => Ok(path.clone()),
            _ => Err(Fault::NotBuilt("This action on several nodes".into())),
        }
    }

    /// A node as a diff shows it.
    pub fn shown(&self, node: &Node, path: &NodePath, original: Option<&str>) -> Attributes {
        let (shown, workspace) = (inside(path), self.place.id());
        let show = Show {
            path: &shown,
            readonly: !self.place.rights.write,
            workspace: Some(&workspace),
            original,
            now_s: self.now_s,
            ..Show::default()
        };
        attributes(&Row::from(node), &show)
    }
}
