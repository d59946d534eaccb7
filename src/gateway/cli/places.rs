//! `workspace`, `datasource`, `lock`, `resync`.

use cellgate_core::ports::{DatasourceConfig, Form, INLINE_DEFAULT_BYTES};
use cellgate_core::{Core, Error, Result, Rights, workspace};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Workspace {
    /// List workspaces
    List,
    /// Create a workspace
    Create {
        /// First segment of its paths: lower case, digits, `-`
        slug: String,
        #[arg(long)]
        datasource: String,
        /// Folder of the datasource; `{login}` stands for each user's login
        #[arg(long, default_value = "")]
        root: String,
        #[arg(long, default_value = "")]
        label: String,
        /// Other names for old clients; may be repeated
        #[arg(long)]
        alias: Vec<String>,
        /// Rights of everybody: `r`, `rw` or `-`
        #[arg(long, default_value = "-")]
        rights: String,
        /// Remove for good instead of into a recycle bin
        #[arg(long)]
        no_recycle: bool,
        /// Earlier contents to keep of each file; not in structured datasources
        #[arg(long, default_value_t = 0)]
        versions: u32,
    },
    /// Set how many earlier contents to keep of each file
    Versions {
        slug: String,
        /// 0 keeps none; those there are stay
        keep: u32,
    },
    /// Delete a workspace; its files stay in the datasource
    Delete { slug: String },
}

pub async fn workspace(core: &Core, command: Workspace) -> Result<()> {
    match command {
        Workspace::List => {
            for workspace in core.identity().workspaces().await?.iter() {
                println!(
                    "{}\t{}\t/{}/{}\t{}",
                    workspace.slug,
                    workspace.label,
                    workspace.datasource,
                    workspace.root,
                    workspace.default_rights
                );
            }
        }
        Workspace::Create { slug, datasource, root, label, alias, rights, no_recycle, versions } => {
            let default_rights = Rights::parse(&rights)
                .ok_or_else(|| Error::InvalidArgument(format!("expected r, rw or -, found `{rights}`")))?;
            let workspace = workspace::Workspace {
                uuid: uuid::Uuid::new_v4(),
                label: if label.is_empty() { slug.clone() } else { label },
                slug,
                description: String::new(),
                aliases: alias,
                datasource,
                root,
                default_rights,
                recycle: !no_recycle,
                versions,
                versions_suspended: false,
                tags: String::new(),
                created_by: None,
                created_ns: cellgate_core::http::date::now_ns(),
            };
            println!("created {}", core.identity().put_workspace(workspace).await?.slug);
        }
        Workspace::Versions { slug, keep } => {
            let workspaces = core.identity().workspaces().await?;
            let found = workspaces.iter().find(|workspace| workspace.answers_to(&slug));
            let found = found.ok_or_else(|| Error::NotFound(slug.clone()))?;
            let mut workspace = cellgate_core::Workspace::clone(found);
            workspace.versions = keep;
            workspace.versions_suspended = false;
            core.identity().put_workspace(workspace).await?;
            println!("{slug} keeps {keep}");
        }
        Workspace::Delete { slug } => {
            core.identity().delete_workspace(&slug).await?;
            println!("deleted {slug}");
        }
    }
    Ok(())
}

#[derive(Subcommand)]
pub enum Datasource {
    /// List datasources
    List,
    /// Add a datasource; a structured one adopts what is in its folder
    Add {
        name: String,
        /// Folder; relative to the data folder
        #[arg(long)]
        path: String,
        /// A file's path on disk is its path in the tree
        #[arg(long)]
        structured: bool,
        /// Skip the fsync of contents: a power cut may lose what was acknowledged
        #[arg(long)]
        relaxed: bool,
    },
    /// Forget a datasource; its bytes stay where they are
    Delete { name: String },
}

pub async fn datasource(core: &Core, command: Datasource) -> Result<()> {
    match command {
        Datasource::List => {
            for config in core.identity().datasources().await? {
                let form = match config.form {
                    Form::Flat => "flat",
                    Form::Structured => "structured",
                };
                println!("{}\t{form}\t{}", config.name, config.path);
            }
        }
        Datasource::Add { name, path, structured, relaxed } => {
            let form = if structured { Form::Structured } else { Form::Flat };
            let config = DatasourceConfig {
                name: name.clone(),
                form,
                path,
                relaxed,
                inline_limit_bytes: INLINE_DEFAULT_BYTES,
            };
            core.add_datasource(config).await?;
            println!("added {name}");
        }
        Datasource::Delete { name } => {
            core.identity().delete_datasource(&name).await?;
            println!("deleted {name}");
        }
    }
    Ok(())
}

#[derive(Subcommand)]
pub enum Lock {
    /// List locks
    List,
    /// Break a lock, whoever holds it
    Break { token: String },
}

pub async fn lock(core: &Core, command: Lock) -> Result<()> {
    match command {
        Lock::List => {
            for (path, lock) in core.locks().await? {
                let until = cellgate_core::http::date::rfc3339(lock.expires_ns);
                println!("{}\t{path}\t{}\t{}\t{until}", lock.token, lock.principal, lock.door);
            }
        }
        Lock::Break { token } => {
            core.break_lock(&token).await?;
            println!("broken {token}");
        }
    }
    Ok(())
}

pub async fn resync(core: &Core, datasource: &str) -> Result<()> {
    let report = core.resync(datasource).await?;
    println!(
        "added {}, updated {}, removed {}, missing {}",
        report.added, report.updated, report.removed, report.missing
    );
    Ok(())
}
