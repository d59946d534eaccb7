//! `GetObjectAttributes`: what HEAD says and more, without the content.

use cellgate_core::Node;
use cellgate_core::parts::Piece;
use s3s::dto::{
    Checksum, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, ObjectPart,
    StorageClass,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use super::Ops;
use super::get_object::leaf;
use super::list_objects::limit;
use crate::address::Key;
use crate::checksums::{self, fill};
use crate::{error, headers, versions};

const ATTRIBUTES: &str = "x-amz-object-attributes";

/// What a request wants to know.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    etag: bool,
    checksum: bool,
    parts: bool,
    class: bool,
    size: bool,
}

impl Wanted {
    /// Reads the values of the header, which may come in one or in several.
    fn of<'v>(values: impl Iterator<Item = &'v str>) -> S3Result<Self> {
        let mut wanted = Self::default();
        for name in values.flat_map(|value| value.split(',')).map(str::trim) {
            match name {
                "" => {}
                "ETag" => wanted.etag = true,
                "Checksum" => wanted.checksum = true,
                "ObjectParts" => wanted.parts = true,
                "StorageClass" => wanted.class = true,
                "ObjectSize" => wanted.size = true,
                other => return Err(error::argument(ATTRIBUTES, other, "Invalid attribute name specified.")),
            }
        }
        match wanted == Self::default() {
            true => Err(error::with(
                S3ErrorCode::InvalidRequest,
                format!(
                    "The {ATTRIBUTES} header specifying the attributes to be retrieved is either missing or \
                     empty"
                ),
            )),
            false => Ok(wanted),
        }
    }
}

pub(crate) async fn get_object_attributes(
    ops: &Ops,
    req: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.input.bucket).await?;
    let version = versions::asked(req.input.version_id.as_deref())?;
    let wanted = Wanted::of(req.input.object_attributes.iter().map(|name| name.as_str()))?;
    let Key::Leaf(path) = bucket.key(&req.input.key)? else {
        return Err(error::unsupported("asking for the attributes of a folder"));
    };
    let node = match versions::stat(&tree, &path, version).await {
        Ok(node) => node,
        Err(error) => return Err(versions::missing(&tree, &path, version, error).await),
    };
    leaf(&node)?;
    let limit = limit(req.input.max_parts)?;
    let marker = req.input.part_number_marker.unwrap_or(0);
    let after = u32::try_from(marker).map_err(|_| error::invalid("the marker must not be negative"))?;
    let class = StorageClass::from_static(StorageClass::STANDARD);
    Ok(S3Response::new(GetObjectAttributesOutput {
        e_tag: wanted.etag.then(|| headers::etag(&node.etag)),
        checksum: checksum(&node).filter(|_| wanted.checksum),
        object_parts: parts(&node, after, limit).filter(|_| wanted.parts),
        object_size: i64::try_from(node.size).ok().filter(|_| wanted.size),
        storage_class: wanted.class.then_some(class),
        last_modified: Some(headers::timestamp(node.mtime_ns)),
        version_id: versions::of(&tree, &path, &node).await,
        ..GetObjectAttributesOutput::default()
    }))
}

fn checksum(node: &Node) -> Option<Checksum> {
    let of = checksums::kept_type(&node.attributes)?;
    let mut checksum = Checksum { checksum_type: Some(checksums::type_of(of)), ..Checksum::default() };
    // Here, Amazon leaves the number of parts away.
    let bare = |value: &'_ str| value.split('-').next().unwrap_or_default().to_owned();
    fill!(checksum, checksums::kept(&node.attributes).map(|(algorithm, value)| (algorithm, bare(value))));
    Some(checksum)
}

fn parts(node: &Node, after: u32, limit: usize) -> Option<GetObjectAttributesParts> {
    let count = node.part_count()?;
    let pieces = node.pieces(after, limit);
    let last = pieces.last().map_or(after, |piece| piece.number);
    Some(GetObjectAttributesParts {
        is_truncated: Some(last < count && limit > 0),
        max_parts: i32::try_from(limit).ok(),
        part_number_marker: i32::try_from(after).ok(),
        next_part_number_marker: i32::try_from(last).ok(),
        total_parts_count: i32::try_from(count).ok(),
        parts: Some(pieces.into_iter().map(shown).collect()),
    })
}

fn shown(piece: Piece<'_>) -> ObjectPart {
    let mut part = ObjectPart {
        part_number: i32::try_from(piece.number).ok(),
        size: i64::try_from(piece.range.len()).ok(),
        ..ObjectPart::default()
    };
    fill!(part, piece.digests);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_asked_for_by_name() {
        let wanted = Wanted::of(["ETag, ObjectSize", "Checksum"].into_iter()).unwrap();
        assert_eq!(wanted, Wanted { etag: true, size: true, checksum: true, ..Wanted::default() });
        for (header, code) in [
            ("", "InvalidRequest"),
            (",", "InvalidRequest"),
            ("etag", "InvalidArgument"),
            ("ETag,Colour", "InvalidArgument"),
        ] {
            assert_eq!(Wanted::of([header].into_iter()).unwrap_err().code().as_str(), code, "{header}");
        }
    }
}
