//! Making, changing and removing workspaces, by who may.
//!
//! A workspace that is made here has a folder of its own in the datasource for such, and is its
//! maker's alone until rights are granted. Administrators make all others by command.

use uuid::Uuid;

use crate::change::ChangeKind;
use crate::core::Makers;
use crate::error::{Error, Result};
use crate::http::date::now_ns;
use crate::identity::workspaces;
use crate::path::NodePath;
use crate::ports::{Span, Txn};
use crate::principal::Rights;
use crate::tree::access::{Place, fresh_etag};
use crate::tree::uploads::drop_upload;
use crate::tree::{Context, Tree};
use crate::workspace::Workspace;

impl Tree {
    /// Makes a workspace. A name that another one answers to, seen or not, is
    /// [`Error::AlreadyExists`].
    pub async fn create_workspace(&self, slug: &str, tags: &str) -> Result<Workspace> {
        let may = match self.core.settings().workspace_makers {
            Makers::Nobody => false,
            Makers::Admins => self.principal.admin,
            Makers::Everyone => true,
        };
        if !may || self.is_limited() {
            return Err(Error::Denied { path: format!("/{slug}"), right: "create" });
        }
        let identity = self.core.identity();
        if identity.workspaces().await?.iter().any(|workspace| workspace.answers_to(slug)) {
            return Err(Error::AlreadyExists(slug.to_owned()));
        }
        let uuid = Uuid::new_v4();
        let workspace = Workspace {
            uuid,
            slug: slug.to_owned(),
            label: slug.to_owned(),
            description: String::new(),
            aliases: Vec::new(),
            datasource: self.core.workspace_datasource().await?,
            // Its own also when there was one of that name before, or somebody made such a folder.
            root: format!("{slug}-{}", uuid.simple()),
            default_rights: Rights::NONE,
            recycle: false,
            versions: 0,
            versions_suspended: false,
            tags: tags.to_owned(),
            created_by: Some(self.principal.uuid),
            created_ns: now_ns(),
        };
        identity.create_workspace(workspace, self.principal.uuid, Rights::ALL).await
    }

    /// Gives a workspace other tags, for who manages it.
    pub async fn set_workspace_tags(&self, name: &str, tags: &str) -> Result<()> {
        let tags = tags.to_owned();
        let uuid = self.managed(name).await?.uuid;
        self.core.identity().change_workspace(uuid, move |workspace| workspace.tags = tags).await.map(drop)
    }

    /// The workspace of that name, if it is this principal's to change.
    pub(crate) async fn managed(&self, name: &str) -> Result<Workspace> {
        let (workspace, _) = self.workspace(name).await?;
        if !self.manages(&workspace) {
            return Err(Error::Denied { path: format!("/{}", workspace.slug), right: "change" });
        }
        Ok(workspace)
    }

    /// Removes a workspace that holds nothing, for who made it and for administrators. Uploads to
    /// it that are going on end with it.
    pub async fn remove_workspace(&self, name: &str) -> Result<()> {
        let (workspace, _) = self.workspace(name).await?;
        let path = NodePath::root().join_known(&workspace.slug);
        let place = self.place_below_root(&path, "remove").await?;
        // Without a folder that is the workspace's alone there is nothing to be empty.
        if !self.manages(&workspace) || workspace.is_personal() || place.root_len == 0 {
            return Err(Error::Denied { path: path.to_string(), right: "remove" });
        }
        self.find_at(&place).await?;
        let tree = self.clone();
        self.core
            .commit(move |txn| {
                Box::pin(async move { tree.remove_workspace_in(txn, &place, &workspace).await })
            })
            .await?;
        self.drop_uploads_below(&path).await?;
        self.core.janitor().wake();
        Ok(())
    }

    async fn remove_workspace_in(
        &self,
        txn: &mut dyn Txn,
        place: &Place,
        workspace: &Workspace,
    ) -> Result<()> {
        if !workspaces::is_kept(txn, workspace).await? {
            return Err(Error::NotFound(place.path.to_string()));
        }
        let found = self.find_in(txn, place).await?;
        let root = found.node().cloned().ok_or_else(|| Error::NotFound(place.path.to_string()))?;
        // Versions behind delete markers are content as well.
        for parent in [root.id, root.id.removed_below(), root.id.shadows_below()] {
            if !txn.children(parent, &Span { limit: 1, ..Span::default() }).await?.is_empty() {
                return Err(Error::NotEmpty(place.path.to_string()));
            }
        }
        self.require_unlocked(txn, place, &found, true, &[]).await?;
        self.detach(txn, place, &found).await?;
        txn.touch(root.parent, now_ns(), &fresh_etag()).await?;
        let from = Some(place.admin_path());
        txn.append_change(&self.change(ChangeKind::Remove, &root, from, None)).await?;
        workspaces::delete(txn, workspace).await
    }

    /// Nobody could complete them, and a new workspace of that name must not inherit them.
    async fn drop_uploads_below(&self, path: &NodePath) -> Result<()> {
        let below = |upload: &str| NodePath::parse(upload).is_ok_and(|upload| upload.is_within(path));
        let mut uploads = self.core.inner.index.uploads().await?;
        uploads.retain(|upload| below(&upload.path));
        self.core
            .commit(move |txn| {
                Box::pin(async move {
                    for upload in uploads {
                        drop_upload(txn, upload.id).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Whether a workspace is this principal's to change: its maker's, and the administrators'.
    pub(crate) fn manages(&self, workspace: &Workspace) -> bool {
        let mine = self.principal.admin || workspace.created_by == Some(self.principal.uuid);
        mine && !self.is_limited()
    }

    /// A key that was limited to a path or to rights must not widen itself.
    fn is_limited(&self) -> bool {
        let rights = self.principal.scope.rights;
        self.context == Context::Admin
            || self.principal.scope_path.is_some()
            || rights.is_some_and(|rights| rights != Rights::ALL)
    }
}
