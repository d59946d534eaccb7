//! Collections in shadow: those that hold nothing but delete markers.
//!
//! A marker stands in a collection, also the marker of a key that never was. But a folder in which
//! nobody sees anything is none. So a collection that came with a key (`folders`) moves to the hidden
//! parent [`NodeId::shadows_below`] of its own collection when markers alone are left in it, or is made
//! there for the first marker. When something appears in it, it comes back with its history. No path
//! and no listing of the tree leads there, only the history of versions does.
//!
//! A leaf may stand beside a shadow of its name. A collection that is moved to the name of one hides
//! it, and the markers in it, for as long as it stays.

use crate::error::Result;
use crate::http::date::now_ns;
use crate::node::{Attributes, Node, NodeId};
use crate::ports::{NewNode, Txn};
use crate::tree::Tree;
use crate::tree::access::{Found, Place, fresh_etag, new_collection};
use crate::tree::folders::{imply, occupied};

/// Where the history of a place is.
pub(crate) struct Shade<'p> {
    /// The innermost collection there is, in the tree or in shadow.
    pub collection: NodeId,
    /// The collections in shadow on the way, outermost first.
    pub shadows: Vec<Node>,
    /// Names of the collections that are in neither.
    pub missing: &'p [String],
    pub name: &'p String,
}

impl<'p> Shade<'p> {
    fn of(entrance: Entrance<'p>, shadows: Vec<Node>) -> Self {
        Self {
            collection: shadows.last().map_or(entrance.collection, |node| node.id),
            missing: entrance.above.get(shadows.len()..).unwrap_or_default(),
            shadows,
            name: entrance.name,
        }
    }

    /// The hidden parent of the place's marker, if it can have one.
    pub fn markers(&self) -> Option<NodeId> {
        self.missing.is_empty().then(|| self.collection.removed_below())
    }
}

/// Where the tree ends on the way to a place.
struct Entrance<'p> {
    collection: NodeId,
    /// Names of the collections behind it.
    above: &'p [String],
    name: &'p String,
}

impl<'p> Entrance<'p> {
    fn of(place: &'p Place, found: &Found) -> Option<Self> {
        let (name, above) = place.names.split_last()?;
        let known = found.ancestry.iter().take(place.names.len());
        let (depth, node) = known.enumerate().rfind(|(_, node)| node.is_collection())?;
        Some(Self { collection: node.id, above: above.get(depth..)?, name })
    }
}

impl Tree {
    pub(crate) async fn shade_at<'p>(&self, place: &'p Place, found: &Found) -> Result<Option<Shade<'p>>> {
        let Some(entrance) = Entrance::of(place, found) else { return Ok(None) };
        let shadows = self.shadows(entrance.collection, entrance.above).await?;
        Ok(Some(Shade::of(entrance, shadows)))
    }

    /// The collection in shadow at a place.
    pub(crate) async fn shadow_at(&self, place: &Place) -> Result<Option<NodeId>> {
        let mut found = self.find_at(place).await?;
        let Some(shade) = self.shade_at(place, &found).await? else { return Ok(None) };
        if !shade.missing.is_empty() {
            return Ok(None);
        }
        let own = self.shadows(shade.collection, std::slice::from_ref(shade.name)).await?;
        let id = own.last().map(|node| node.id);
        found.ancestry.extend(shade.shadows.into_iter().chain(own));
        self.require_read(place, &found)?;
        Ok(id)
    }

    /// Follows names through the shadow, as far as there are collections.
    async fn shadows(&self, from: NodeId, names: &[String]) -> Result<Vec<Node>> {
        let mut shadows: Vec<Node> = Vec::new();
        for name in names {
            let hidden = shadows.last().map_or(from, |node| node.id).shadows_below();
            match self.core.inner.index.chain(hidden, std::slice::from_ref(name)).await?.pop() {
                Some(node) => shadows.push(node),
                None => break,
            }
        }
        Ok(shadows)
    }
}

/// The same inside a transaction.
pub(crate) async fn shade_in<'p>(
    txn: &mut dyn Txn,
    place: &'p Place,
    found: &Found,
) -> Result<Option<Shade<'p>>> {
    let Some(entrance) = Entrance::of(place, found) else { return Ok(None) };
    let mut shadows: Vec<Node> = Vec::new();
    for name in entrance.above {
        let hidden = shadows.last().map_or(entrance.collection, |node| node.id).shadows_below();
        match txn.child(hidden, name).await? {
            Some(node) => shadows.push(node),
            None => break,
        }
    }
    Ok(Some(Shade::of(entrance, shadows)))
}

/// Makes the collections that a marker needs; answers its hidden parent.
pub(crate) async fn cast(txn: &mut dyn Txn, shade: &Shade<'_>) -> Result<NodeId> {
    let mut collection = shade.collection;
    for name in shade.missing {
        let mut new = new_collection(collection.shadows_below(), name, now_ns());
        imply(&mut new.attributes);
        collection = txn.insert_node(&new).await?.id;
    }
    Ok(collection.removed_below())
}

/// Whether delete markers stand in a collection, or below.
pub(crate) async fn remembers(txn: &mut dyn Txn, collection: NodeId) -> Result<bool> {
    Ok(occupied(txn, collection.removed_below()).await? || occupied(txn, collection.shadows_below()).await?)
}

/// Moves a collection that holds nothing but markers into shadow. `false` when another one, which it
/// hid, is there.
pub(crate) async fn hide(txn: &mut dyn Txn, collection: &Node) -> Result<bool> {
    let parent = collection.parent.shadows_below();
    if txn.child(parent, &collection.name).await?.is_some() {
        return Ok(false);
    }
    let mut hidden = Node { parent, attributes: Attributes::default(), ..collection.clone() };
    imply(&mut hidden.attributes);
    txn.update_node(&hidden).await?;
    Ok(true)
}

/// Inserts a collection, or brings the one back that is in shadow there.
pub(crate) async fn appear(txn: &mut dyn Txn, new: &NewNode) -> Result<Node> {
    let Some(shadow) = txn.child(new.parent.shadows_below(), &new.name).await? else {
        return txn.insert_node(new).await;
    };
    let node = Node {
        parent: new.parent,
        mtime_ns: new.mtime_ns,
        created_ns: new.created_ns,
        etag: fresh_etag(),
        attributes: new.attributes.clone(),
        ..shadow
    };
    txn.update_node(&node).await?;
    Ok(node)
}

/// Removes the shadows in which the last marker was.
pub(crate) async fn fade(txn: &mut dyn Txn, shade: &Shade<'_>) -> Result<()> {
    for shadow in shade.shadows.iter().rev() {
        if remembers(txn, shadow.id).await? {
            break;
        }
        txn.delete_node(shadow.id).await?;
    }
    Ok(())
}
