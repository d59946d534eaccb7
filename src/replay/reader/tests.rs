use super::*;

const WEBDAV: Option<&str> = Some("webdav");

#[test]
fn clients_by_agent_and_protocol() {
    for (agent, protocol, name) in [
        (Some("rclone/v1.60.1-DEV"), WEBDAV, "rclone (WebDAV)"),
        (Some("rclone/v1.60.1-DEV"), Some("s3"), "rclone (S3)"),
        (Some("rclone/v1.60.1-DEV"), Some("seafile"), "rclone (Seafile)"),
        (Some("curl/8.5.0"), WEBDAV, "any client (WebDAV)"),
        (None, Some("pydio8"), "any client (Pydio 8)"),
        (None, Some("pydio8/session"), "any client (Pydio 8)"),
        (Some("python-requests/2.31"), Some("pydio8"), "Python SDK (Pydio 8)"),
        (Some("python-requests/2.31"), Some("seafile"), "any client (Seafile)"),
        (Some("Microsoft-WebDAV-MiniRedir/10.0.19045"), WEBDAV, "Explorer (WebDAV)"),
        (Some("Microsoft Office Word 2014"), WEBDAV, "Microsoft Office (WebDAV)"),
        (Some("WebDAVFS/3.0.0 (03008000) Darwin/19.6.0 (x86_64)"), WEBDAV, "Finder (WebDAV)"),
        (Some("linux/amd64 go1.22.4 github.com/pydio/cells-client@v4.3.0"), Some("cells"), "cec (Cells)"),
        (Some("aws-cli/2.9.19 Python/3.11.2"), Some("s3"), "aws cli (S3)"),
        (Some("curl/8.5.0"), None, "any client"),
        (Some("curl/8.5.0"), Some("gopher"), "any client"),
    ] {
        assert_eq!(Reader::of(agent, protocol).name(), name, "{agent:?} {protocol:?}");
    }
}

#[test]
fn labels_are_the_clients_own_words() {
    for (agent, protocol, label) in [
        (Some("rclone/v1.60.1-DEV"), WEBDAV, "rclone/v1.60.1-DEV (WebDAV)"),
        (Some("aws-cli/2.9.19 Python/3.11.2 Linux/6.1"), Some("s3"), "aws-cli/2.9.19 (S3)"),
        (
            Some("linux/amd64 go1.22.4 github.com/pydio/cells-client@v4.3.0"),
            Some("cells"),
            "github.com/pydio/cells-client@v4.3.0 (Cells)",
        ),
        (Some("Microsoft Office Word 2014"), WEBDAV, "Microsoft Office Word 2014 (WebDAV)"),
        (Some("curl/8.5.0"), None, "curl/8.5.0"),
        (Some("my script"), None, "my"),
        (Some(" "), Some("cells"), "no agent (Cells)"),
        (None, WEBDAV, "no agent (WebDAV)"),
    ] {
        assert_eq!(Reader::of(agent, protocol).label(agent), label);
    }
}

#[test]
fn what_is_read() {
    let rclone = Reader::of(Some("rclone/v1.60"), WEBDAV);
    assert!(rclone.reads("getcontentlength") && !rclone.reads("getetag"));
    assert!(rclone.takes_alike("PUT", 201, 204) && !rclone.takes_alike("GET", 200, 206));
    assert!(!rclone.reads_header("etag"));
    let anyone = Reader::of(None, WEBDAV);
    assert!(anyone.reads("getetag") && anyone.reads_header("ETag") && anyone.reads_header("DAV"));
    assert!(!anyone.takes_alike("PUT", 201, 204));
    let s3 = Reader::of(None, Some("s3"));
    assert!(s3.reads_header("X-Amz-Meta-Mtime") && !s3.reads_header("x-amz-request-id"));
}

#[test]
fn fields_by_name_and_parent() {
    let role = |protocol, parent, name| Reader::of(None, Some(protocol)).role(Field { parent, name });
    assert_eq!(role("webdav", "response", "href"), Role::Name);
    assert_eq!(role("webdav", "locktoken", "href"), Role::Id("lock"));
    assert_eq!(role("pydio8", "repo", "id"), Role::Id("repository"));
    assert_eq!(role("pydio8", "tree", "bytesize"), Role::Exact);
    assert_eq!(role("s3", "Contents", "ETag"), Role::Version);
    assert_eq!(role("s3", "Error", "RequestId"), Role::Ignored);
    assert_eq!(role("s3", "ListBucketResult", "NextContinuationToken"), Role::Id("page"));
    assert_eq!(role("cells", "Node", "Size"), Role::Exact);
    assert_eq!(role("cells", "Node", "MTime"), Role::Plain);
}
