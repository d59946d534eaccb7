//! What `serve` prints: where it listens, the first password, and one line per client to paste.

use std::fmt::Write as _;
use std::net::SocketAddr;

use cellgate_core::Core;
use cellgate_core::identity::NewKey;

/// `first` is the admin's password when this start created the installation; `chosen` says that the
/// operator set it and need not be shown it.
pub async fn text(
    core: &Core,
    address: SocketAddr,
    secure: bool,
    first: Option<String>,
    chosen: bool,
) -> Result<String, String> {
    let scheme = if secure { "https" } else { "http" };
    let base = format!("{scheme}://{}", shown(address));
    let dav = base.replacen("http", "dav", 1);
    let mut text = format!("cellgate {} listens on {base}\n", env!("CARGO_PKG_VERSION"));
    let Some(password) = first else {
        let _ = write!(
            text,
            "\nConnect as before; `cellgate key create <login>` makes a new pair of keys for S3.\n\n"
        );
        return Ok(text);
    };
    let admin = core
        .identity()
        .user("admin")
        .await
        .map_err(|error| error.chain())?
        .ok_or("the admin was not created")?;
    let (key, secret) = core
        .identity()
        .create_key(admin.uuid, NewKey { label: "first start".into(), ..NewKey::default() })
        .await
        .map_err(|error| error.chain())?;
    let password = if chosen { "$CELLGATE_ADMIN_PASSWORD".to_owned() } else { password };
    let id = &key.id;
    let _ = write!(
        text,
        "\nFirst start: everything below is printed this once.\n\n\
         \x20 login     admin\n\
         \x20 password  {password}\n\n\
         Connect (paste a line):\n\n\
         \x20 aws       AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret} aws --endpoint-url {base} s3 ls s3://io/\n\
         \x20 rclone    rclone lsf \":s3,provider=Other,access_key_id={id},secret_access_key={secret},endpoint='{base}':io\"\n\
         \x20 rclone    rclone lsf \":webdav,url='{base}/dav',vendor=other,user=admin,pass=$(rclone obscure {password}):\"\n\
         \x20 Pydio 8   curl -u admin:{password} '{base}/api/my-files/ls/'\n\
         \x20 Cells     curl '{base}/a/frontend/session' -H 'Content-Type: application/json' -d \"{{\\\"AuthInfo\\\":{{\\\"type\\\":\\\"credentials\\\",\\\"login\\\":\\\"admin\\\",\\\"password\\\":\\\"{password}\\\"}}}}\"\n\
         \x20 Seafile   curl -d \"username=admin&password={password}\" '{base}/api2/auth-token/'\n\
         \x20 WebDAV    curl -u admin:{password} -X PROPFIND -H 'Depth: 1' '{base}/dav/'\n\
         \x20 Linux     gio mount '{dav}/dav'        (or: mount -t davfs '{base}/dav' /mnt)\n\
         \x20 macOS     Finder, Go, Connect to Server: {base}/dav\n\
         \x20 Windows   net use Z: {base}/dav /user:admin\n\n"
    );
    Ok(text)
}

/// An address that a client on this machine can use.
fn shown(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("127.0.0.1:{}", address.port()) } else { address.to_string() }
}
