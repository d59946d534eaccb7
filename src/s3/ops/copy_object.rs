//! `CopyObject`: a leaf is copied inside the core; no content passes through here.
//!
//! Copying a key onto itself is for replacing its metadata (rclone sets modification times so), or
//! for bringing an earlier version back.

use cellgate_core::node::Attributes;
use cellgate_core::tree::{Parents, Transfer, VersionRef};
use cellgate_core::{Error, Node, Tree};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use s3s::{Body, S3Error, S3ErrorCode, S3Response, S3Result};

use super::get_object::{EMPTY_MD5, leaf, missing};
use super::put_object::make_folder;
use super::{DirectRequest, Ops, survive};
use crate::address::{Bucket, Key};
use crate::headers::REDIRECT;
use crate::tags::Tags;
use crate::{checksums, error, headers, route, versions};

pub(crate) async fn copy_object(ops: &Ops, req: DirectRequest) -> S3Result<S3Response<Body>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.bucket).await?;
    let target = bucket.target(&req.key)?;
    let compute = checksums::algorithm(&req.headers, "x-amz-checksum-algorithm")?;
    let (source_key, version) = Source::of(&req)?.open(&tree).await?;
    let (from, to) = match (source_key, target) {
        (Key::Leaf(from), Key::Leaf(to)) => (from, to),
        // `aws s3 mv --recursive` moves the keys of empty folders as well.
        (Key::Folder(from), Key::Folder(to)) => {
            let node = tree.stat(&from).await.map_err(missing)?;
            if !node.is_collection() {
                return Err(S3Error::new(S3ErrorCode::NoSuchKey));
            }
            let attributes = match directive(&req, "x-amz-metadata-directive")? {
                Directive::Copy => node.attributes,
                Directive::Replace => headers::content(&req.headers)?.0,
            };
            make_folder(tree, to, false, attributes).await.map_err(error::answer)?;
            return Ok(result("CopyObjectResult", EMPTY_MD5, node.mtime_ns));
        }
        _ => return Err(error::invalid("a key that ends in a slash is a folder and takes no content")),
    };
    let tagging = directive(&req, "x-amz-tagging-directive")?;
    let replace = match directive(&req, "x-amz-metadata-directive")? {
        Directive::Copy if from == to && version.is_none() => {
            return Err(error::with(
                S3ErrorCode::InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without \
                 changing the object's metadata, storage class, website redirect location or encryption \
                 attributes.",
            ));
        }
        Directive::Copy => None,
        Directive::Replace => Some(headers::content(&req.headers)?),
    };
    let own = headers::content(&req.headers)?.0;
    let tags = match tagging {
        Directive::Copy => None,
        Directive::Replace => Some(Tags::of_header(&req.headers)?.unwrap_or_default().text()),
    };
    let node = versions::stat(&tree, &from, version).await.map_err(versions::source_missing)?;
    leaf(&node)?;
    let replace = replace.or_else(|| redirected(&node, &own));
    let source_version = versions::of(&tree, &from, &node).await;
    let source = headers::source_conditions(&req.headers)?;
    // Those of a read, `modified since` among them; the copy checks again what a write can.
    source.check_read(&node, &from.to_string()).map_err(source_failed)?;
    let how = Transfer {
        source,
        target: headers::write_conditions(&req.headers)?,
        parents: Parents::Create,
        replace,
        tags,
        compute: compute.into_iter().collect(),
        version,
        // To the core a copy may replace a folder; an object never does.
        leaf_only: true,
        ..Transfer::default()
    };
    let (worker, at) = (tree.clone(), to.clone());
    let copied = survive(async move { worker.copy(&from, &at, &how).await });
    let node = copied.await.map_err(source_failed)?.node;
    let mut answer = copied_object(&node);
    versions::stamp(&mut answer.headers, versions::SOURCE_VERSION_ID, source_version);
    versions::stamp(&mut answer.headers, versions::VERSION_ID, versions::of(&tree, &to, &node).await);
    Ok(answer)
}

/// What a copy is made with, where the source redirects or the copy is to: where to is not copied.
fn redirected(source: &Node, own: &Attributes) -> Option<(Attributes, Option<String>)> {
    let location = own.get(REDIRECT);
    (source.attributes.get(REDIRECT) != location).then(|| {
        let mut attributes = source.attributes.clone();
        attributes.0.remove(REDIRECT);
        if let Some(location) = location {
            attributes.set(REDIRECT, location);
        }
        (attributes, Some(source.mime.clone()))
    })
}

enum Directive {
    Copy,
    Replace,
}

fn directive(req: &DirectRequest, name: &'static str) -> S3Result<Directive> {
    match req.header(name)?.unwrap_or("COPY") {
        "COPY" => Ok(Directive::Copy),
        "REPLACE" => Ok(Directive::Replace),
        other => {
            let what = if name == "x-amz-tagging-directive" { "tagging" } else { "metadata" };
            Err(error::argument(name, other, format!("Unknown {what} directive.")))
        }
    }
}

fn copied_object(node: &Node) -> S3Response<Body> {
    let mut more = checksums::elements(checksums::kept(&node.attributes));
    if let Some(of) = checksums::kept_type(&node.attributes) {
        more.push_str(&format!("<ChecksumType>{}</ChecksumType>", checksums::name_of(of)));
    }
    document("CopyObjectResult", &node.etag, node.mtime_ns, &more)
}

/// What `x-amz-copy-source` names: `[/]bucket/key[?versionId=…]`, percent-encoded.
pub(crate) struct Source {
    bucket: String,
    key: String,
    version: Option<VersionRef>,
}

impl Source {
    /// Reads the header; nothing is looked up.
    pub(crate) fn of(req: &DirectRequest) -> S3Result<Self> {
        let header = req.header("x-amz-copy-source")?.unwrap_or_default();
        let (bucket, key, version) = source_address(header)?;
        Ok(Self { bucket, key, version })
    }

    pub(crate) async fn open(self, tree: &Tree) -> S3Result<(Key, Option<VersionRef>)> {
        Ok((Bucket::open(tree, &self.bucket).await?.key(&self.key)?, self.version))
    }
}

/// Bucket, key and version of such a header.
fn source_address(header: &str) -> S3Result<(String, String, Option<VersionRef>)> {
    let (path, version) = match header.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (header, None),
    };
    let version = versions::asked(version)?;
    let wrong =
        |what: &str| error::argument("x-amz-copy-source", header, format!("Invalid copy source {what}"));
    let percent = |at: usize| {
        path.as_bytes().get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    if !path.match_indices('%').all(|(at, _)| percent(at)) {
        return Err(wrong("encoding"));
    }
    let path = route::decode(path).map_err(|_| wrong("encoding"))?;
    let (bucket, key) = route::split_bucket(&path);
    if bucket.is_empty()
        || bucket.parse::<std::net::Ipv4Addr>().is_ok()
        || bucket.contains(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))
    {
        return Err(wrong("bucket name"));
    }
    if key.is_empty() || key.split('/').any(|name| matches!(name, "." | "..")) {
        return Err(wrong("object key"));
    }
    Ok((bucket.to_owned(), key.to_owned(), version))
}

/// To a copy, a condition on its source that asks for a change failed when there was none.
pub(crate) fn source_failed(error: Error) -> S3Error {
    match error {
        Error::NotModified { .. } => S3Error::new(S3ErrorCode::PreconditionFailed),
        other => error::answer(other),
    }
}

/// The document that copies answer.
pub(crate) fn result(element: &str, etag: &str, mtime_ns: i64) -> S3Response<Body> {
    document(element, etag, mtime_ns, "")
}

pub(crate) fn document(element: &str, etag: &str, mtime_ns: i64, more: &str) -> S3Response<Body> {
    let time = cellgate_core::http::date::iso_ms(mtime_ns);
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <{element} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <LastModified>{time}</LastModified><ETag>&quot;{etag}&quot;</ETag>{more}</{element}>"
    );
    let mut response = S3Response::new(Body::from(xml));
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_clients_write_them() {
        let of = |header: &str| source_address(header).map(|(bucket, key, _)| (bucket, key));
        let some = |bucket: &str, key: &str| (bucket.to_owned(), key.to_owned());
        assert_eq!(of("io/ws/a.txt").unwrap(), some("io", "ws/a.txt"));
        assert_eq!(of("/io/ws/a.txt").unwrap(), some("io", "ws/a.txt"));
        assert_eq!(of("my-bucket/a.txt").unwrap(), some("my-bucket", "a.txt"));
        assert_eq!(of("io/ws/a%20b%2Bc%3F").unwrap(), some("io", "ws/a b+c?"));
        assert_eq!(of("io%2Fws%2Fa.txt").unwrap(), some("io", "ws/a.txt"));
        let (.., version) = source_address("io/ws/a.txt?versionId=null").unwrap();
        assert_eq!(version, Some(VersionRef::Unversioned));
        for (header, code) in [
            ("io", S3ErrorCode::InvalidArgument),
            ("io/", S3ErrorCode::InvalidArgument),
            ("", S3ErrorCode::InvalidArgument),
            ("io/ws/a?versionId=1", S3ErrorCode::InvalidArgument),
            ("io/%ff", S3ErrorCode::InvalidArgument),
        ] {
            assert_eq!(of(header).unwrap_err().code(), &code, "{header}");
        }
    }
}
