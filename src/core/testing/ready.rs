//! An installation in memory, ready to be used: bootstrapped, and with users.
//!
//! | login | password | may |
//! |---|---|---|
//! | `admin` | `admin-password` | everything |
//! | `alice` | `alice-password` | what everybody may: read and write both workspaces |
//! | `reader` | `reader-password` | read `common-files`, nothing else |

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{MemoryBackends, MemoryIndex};
use crate::core::{Core, Settings};
use crate::error::Result;
use crate::identity::{Credentials, Grant, NewUser, Subject, Target};
use crate::node::Node;
use crate::path::NodePath;
use crate::ports::{Bits, ByteStream};
use crate::principal::{Door, Rights};
use crate::tree::{Existing, Parents, ReadOptions, Tree, Write};

/// A core with what is below it, to look behind its back. Is the core wherever one is asked for.
pub struct TestCore {
    pub core: Core,
    pub index: MemoryIndex,
    pub backends: MemoryBackends,
}

impl Deref for TestCore {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

/// A core with the users of the module documentation, and nothing in its workspaces.
pub async fn core() -> Core {
    test_core().await.core
}

/// As [`core`], with its ports.
pub async fn test_core() -> TestCore {
    // Hashing passwords is slow on purpose; once per test binary is enough.
    static TEMPLATE: OnceCell<(MemoryIndex, MemoryBackends)> = OnceCell::const_new();
    let (index, backends) = TEMPLATE.get_or_init(install).await;
    TestCore::start(index.fork(), backends.fork()).await
}

async fn install() -> (MemoryIndex, MemoryBackends) {
    let ready = TestCore::start(MemoryIndex::new(), MemoryBackends::new()).await;
    ready.bootstrap(Some("admin-password".into())).await.unwrap();
    ready.add_user("alice").await;
    ready.add_user("reader").await;
    ready.grant("reader", "common-files", Rights::READ).await;
    ready.grant("reader", "personal-files", Rights::NONE).await;
    (ready.index, ready.backends)
}

impl TestCore {
    /// Starts a core over ports that may have been in use before: a restart.
    pub async fn start(index: MemoryIndex, backends: MemoryBackends) -> Self {
        Self::start_with(index, backends, Settings::default()).await
    }

    /// The same installation with other settings.
    pub async fn with(self, settings: Settings) -> Self {
        Self::start_with(self.index, self.backends, settings).await
    }

    async fn start_with(index: MemoryIndex, backends: MemoryBackends, settings: Settings) -> Self {
        let ports = (Arc::new(index.clone()), Arc::new(backends.clone()));
        let core = Core::start(ports.0, ports.1, settings).await.unwrap();
        Self { core, index, backends }
    }

    /// Creates a user whose password is `<login>-password`.
    pub async fn add_user(&self, login: &str) {
        let new = NewUser { login: login.to_owned(), password: Some(password(login)), ..NewUser::default() };
        self.identity().create_user(new).await.unwrap();
    }

    /// Sets a user's own rights on a workspace.
    pub async fn grant(&self, login: &str, workspace: &str, rights: Rights) {
        let user = self.identity().user(login).await.unwrap().expect("a user that exists");
        let workspaces = self.identity().workspaces().await.unwrap();
        let workspace = workspaces.iter().find(|known| known.slug == workspace).expect("a workspace");
        let grant = Grant {
            uuid: Uuid::new_v4(),
            subject: Subject::User(user.uuid),
            target: Target::Workspace(workspace.uuid),
            rights,
        };
        self.identity().grant(grant).await.unwrap();
    }

    /// The tree as a user sees it who signs in with `<login>-password`.
    pub async fn tree(&self, login: &str) -> Tree {
        self.tree_through(login, Door::System).await
    }

    pub async fn tree_through(&self, login: &str, door: Door) -> Tree {
        let credentials = Credentials::Password { login: login.to_owned(), password: password(login) };
        self.open(&credentials, door).await.unwrap()
    }

    /// The administrators' context: `/<datasource>/…`.
    pub async fn admin_tree(&self) -> Tree {
        self.admin(&self.tree("admin").await).unwrap()
    }

    /// Writes a leaf as `admin`, with its parents.
    pub async fn put(&self, path: &str, content: impl Into<Bytes>) -> Node {
        let how = Write { parents: Parents::Create, ..Write::default() };
        let tree = self.tree("admin").await;
        tree.write(&parse(path), body(content), how).await.unwrap().node
    }

    /// Makes a collection as `admin`, with its parents.
    pub async fn mkdir(&self, path: &str) -> Node {
        let tree = self.tree("admin").await;
        let made = tree.create_collection(&parse(path), Parents::Create, Existing::Refuse, &[]).await;
        made.unwrap().node
    }

    /// Reads a whole leaf as `admin`.
    pub async fn get(&self, path: &str) -> Result<Bytes> {
        let read = self.tree("admin").await.read(&parse(path), &ReadOptions::default()).await?;
        whole(read.bits).await
    }

    /// The node at a path, as `admin` sees it.
    pub async fn stat(&self, path: &str) -> Result<Node> {
        self.tree("admin").await.stat(&parse(path)).await
    }
}

fn password(login: &str) -> String {
    format!("{login}-password")
}

fn parse(path: &str) -> NodePath {
    NodePath::parse(path).unwrap()
}

/// A body that arrives in one piece.
pub fn body(content: impl Into<Bytes>) -> ByteStream {
    let content = content.into();
    stream::once(async move { Ok(content) }).boxed()
}

/// All bytes that a read hands out.
pub async fn whole(bits: Bits) -> Result<Bytes> {
    match bits {
        Bits::Whole(bytes) => Ok(bytes),
        bits => {
            let pieces: Vec<Bytes> = bits.into_stream().try_collect().await?;
            Ok(pieces.concat().into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    async fn write(tree: &Tree, path: &str) -> Result<Node> {
        let how = Write { parents: Parents::Create, ..Write::default() };
        tree.write(&parse(path), body("hello"), how).await.map(|written| written.node)
    }

    #[tokio::test]
    async fn users_may_what_the_module_says() {
        let core = test_core().await;
        for login in ["admin", "alice"] {
            let tree = core.tree(login).await;
            write(&tree, &format!("/common-files/{login}")).await.unwrap();
            write(&tree, "/personal-files/own").await.unwrap();
        }
        let reader = core.tree("reader").await;
        reader.stat(&parse("/common-files/alice")).await.unwrap();
        let refused = write(&reader, "/common-files/reader").await;
        assert!(matches!(refused, Err(Error::Denied { .. })), "{refused:?}");
        reader.stat(&parse("/personal-files")).await.unwrap_err();
        let slugs = reader.workspaces().await.unwrap();
        assert_eq!(slugs.iter().map(|(known, _)| known.slug.as_str()).collect::<Vec<_>>(), ["common-files"]);
    }

    #[tokio::test]
    async fn two_cores_share_nothing_and_a_restart_keeps_everything() {
        let (one, two) = (test_core().await, test_core().await);
        one.put("/common-files/folder/a", vec![7; 100_000]).await;
        assert!(matches!(two.stat("/common-files/folder").await, Err(Error::NotFound(_))));
        let again = TestCore::start(one.index.clone(), one.backends.clone()).await;
        assert_eq!(again.get("/common-files/folder/a").await.unwrap(), vec![7; 100_000]);
    }
}
