//! `.pydio`: the hidden file by which Pydio Cells and its clients know a folder again.
//!
//! Its content is the uuid of the folder it is in. Here it is no node: every folder answers for it
//! when it is asked for by name, no listing shows it, and no folder is less empty for it. Writing it
//! makes the folder, with that uuid; where there is a folder already, it can only be written again as
//! it is. It comes, moves and goes with its folder and in no other way.
//!
//! Such files in an adopted folder (`structured`) are left alone; a folder that is adopted takes its
//! uuid from there, unless another one bears it.

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::node::{Attributes, Content, Node, NodeId, NodeKind};
use crate::path::NodePath;
use crate::ports::{ByteStream, Txn};
use crate::tree::access::{Found, Place};
use crate::tree::{Existing, Parents, Tree, Write, Written};

/// The name of the file.
pub const FOLDER_ID: &str = ".pydio";
/// A uuid as text; more of a body is not read.
const ID_BYTES: usize = 36;

impl Place {
    /// Whether this is the hidden file of a folder.
    pub(crate) fn is_folder_id(&self) -> bool {
        !self.is_root() && self.names.last().is_some_and(|name| name == FOLDER_ID)
    }

    /// Nothing else bears the name.
    pub(crate) fn require_no_folder_id(&self) -> Result<()> {
        match self.names.iter().skip(self.root_len).any(|name| name == FOLDER_ID) {
            true => Err(Error::Conflict(format!(
                "`{}`: `{FOLDER_ID}` is the id of its folder, which it comes, moves and goes with",
                self.path
            ))),
            false => Ok(()),
        }
    }
}

/// What a folder answers for its hidden file.
pub(crate) fn folder_id(place: &Place, found: &Found) -> Result<Node> {
    match found.parent() {
        Some(folder) if folder.is_collection() => Ok(leaf(folder)),
        _ => Err(Error::NotFound(place.path.to_string())),
    }
}

/// `[start, end)` of the hidden file.
pub(crate) fn content(folder_id: &Node, start: u64, end: u64) -> Bytes {
    let id = folder_id.attributes.get(FOLDER_ID).unwrap_or_default();
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range.and_then(|(start, end)| id.get(start..end)).unwrap_or_default().to_owned().into()
}

fn leaf(folder: &Node) -> Node {
    use md5::Digest as _;
    let id = folder.uuid.hyphenated().to_string();
    let digest: [u8; 16] = md5::Md5::digest(&id).into();
    let mut attributes = Attributes::default();
    attributes.set(FOLDER_ID, id);
    Node {
        // No row has it.
        id: NodeId(i64::MAX),
        // Its own, and always the same.
        uuid: uuid::Builder::from_md5_bytes(digest).into_uuid(),
        parent: folder.id,
        name: FOLDER_ID.to_owned(),
        kind: NodeKind::Leaf,
        size: ID_BYTES as u64,
        mtime_ns: folder.created_ns,
        created_ns: folder.created_ns,
        etag: hex::encode(digest),
        mime: "text/plain".to_owned(),
        content: Content::None,
        attributes,
        version: None,
    }
}

impl Tree {
    /// Writes the hidden file of a folder: makes the folder, or finds it as it should be.
    pub(crate) async fn write_folder_id(
        &self,
        path: &NodePath,
        body: ByteStream,
        mut how: Write,
    ) -> Result<Written> {
        let folder = path.parent().unwrap_or_default();
        let place = self.place_below_root(&folder, "write").await?;
        let found = self.find_at(&place).await?;
        self.check_folder_id(&place, &found, &how)?;
        let text = gather(body).await?;
        let whole = futures_util::stream::once(std::future::ready(Ok(text.clone())));
        // Promised sizes and digests hold here as anywhere.
        let digests = self.receive(&place.mounted, Box::pin(whole), &mut how).await?.digests;
        let id = parse(&text).ok_or_else(|| {
            Error::InvalidArgument(format!("`{FOLDER_ID}` holds a uuid of {ID_BYTES} lower-case characters"))
        })?;
        let other = self.core.inner.index.node_by_uuid(id).await?;
        if found.node().map(|node| node.uuid) != Some(id) && other.is_some() {
            return Err(taken(path));
        }
        let (tree, asked) = (self.clone(), path.clone());
        let mut written = self
            .core
            .commit(move |txn| Box::pin(async move { tree.put_folder_id(txn, place, asked, id, &how).await }))
            .await?;
        written.node.attributes.0.extend(digests.0);
        Ok(written)
    }

    fn check_folder_id(&self, place: &Place, found: &Found, how: &Write) -> Result<()> {
        self.require_write(place, found, "write")?;
        place.require_no_folder_id()?;
        self.require_collections(place, found)?;
        if found.missing > 0 && how.parents == Parents::MustExist {
            return Err(Error::ParentMissing(place.path.to_string()));
        }
        let existing = match found.node() {
            Some(node) if node.is_leaf() => return Err(Error::NotACollection(place.path.to_string())),
            Some(_) if how.existing == Existing::Refuse => {
                return Err(Error::AlreadyExists(place.path.to_string()));
            }
            node => node.map(leaf),
        };
        how.conditions.check_write(existing.as_ref(), &place.path.to_string())
    }

    async fn put_folder_id(
        &self,
        txn: &mut dyn Txn,
        place: Place,
        path: NodePath,
        id: Uuid,
        how: &Write,
    ) -> Result<Written> {
        let mut found = self.find_in(txn, &place).await?;
        self.check_folder_id(&place, &found, how)?;
        if let Some(folder) = found.node() {
            return match folder.uuid == id {
                true => Ok(Written { node: leaf(folder), path, created: false }),
                false => Err(taken(&path)),
            };
        }
        self.require_unlocked(txn, &place, &found, true, &how.tokens).await?;
        self.make_collections(txn, &place, &mut found, 1).await?;
        self.make_collection(txn, &place, &mut found, Some(id)).await?;
        let folder = found.node().ok_or_else(|| Error::internal("a folder that was made is missing"))?;
        Ok(Written { node: leaf(folder), path, created: true })
    }
}

fn taken(path: &NodePath) -> Error {
    Error::Conflict(format!("`{path}` cannot be replaced: the uuid of a folder is its own and stays"))
}

/// A short body; of a longer one no more than shows that it is.
async fn gather(mut body: ByteStream) -> Result<Bytes> {
    let mut text = BytesMut::new();
    while let Some(bytes) = body.try_next().await? {
        text.extend_from_slice(&bytes);
        if text.len() > ID_BYTES {
            return Err(Error::InvalidArgument(format!(
                "`{FOLDER_ID}` holds a uuid of {ID_BYTES} characters"
            )));
        }
    }
    Ok(text.freeze())
}

/// A uuid in the form that it is shown in.
pub(crate) fn parse(text: &[u8]) -> Option<Uuid> {
    let text = std::str::from_utf8(text).ok()?;
    Uuid::try_parse(text).ok().filter(|id| !id.is_nil() && id.hyphenated().to_string() == text)
}
