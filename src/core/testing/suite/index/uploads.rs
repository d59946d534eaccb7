//! Uploads and their parts.

use std::sync::Arc;

use uuid::Uuid;

use super::NOW;
use crate::node::{Attributes, Content};
use crate::ports::Index;
use crate::principal::Door;
use crate::upload::{PART_MAX, Part, Upload};

fn upload(age: i64) -> Upload {
    let mut attributes = Attributes::default();
    attributes.set("x-amz-meta-é", "\"1\"");
    Upload {
        id: Uuid::new_v4(),
        path: "/common-files/it's 100%/é 😀".into(),
        datasource: "pydiods1".into(),
        principal: "alice".into(),
        door: Door::S3,
        created_ns: NOW + age,
        expires_ns: NOW + age + 1,
        mime: Some("text/plain".into()),
        mtime_ns: Some(-1),
        attributes,
    }
}

fn part(upload: Uuid, number: u32) -> Part {
    let mut digests = Attributes::default();
    digests.set("sha256", format!("{number}="));
    Part {
        upload,
        number,
        size: u64::from(u32::MAX) + u64::from(number),
        etag: "5d41402abc4b2a76b9719d911017c592".into(),
        content: Content::Blob(Uuid::new_v4()),
        at_ns: NOW,
        digests,
    }
}

pub async fn uploads_come_back_oldest_first(index: Arc<dyn Index>) {
    let mut uploads = [upload(2), upload(0), upload(1)];
    uploads[1].mime = None;
    uploads[1].mtime_ns = None;
    let written = uploads.clone();
    txn!(index, |txn| {
        for upload in &written {
            txn.put_upload(upload).await?;
            assert_eq!(txn.upload(upload.id).await?.as_ref(), Some(upload));
        }
        Ok(())
    })
    .unwrap();
    for upload in &uploads {
        assert_eq!(index.upload(upload.id).await.unwrap().as_ref(), Some(upload));
    }
    assert_eq!(index.upload(Uuid::new_v4()).await.unwrap(), None);
    uploads.sort_by_key(|upload| upload.created_ns);
    assert_eq!(index.uploads().await.unwrap(), uploads);
}

pub async fn parts_come_ascending_and_in_pages(index: Arc<dyn Index>) {
    let (one, two) = (upload(0), upload(1));
    // Numbers, not text: 10 comes after 9.
    let mut parts: Vec<Part> =
        [10, 1, PART_MAX, 9, 2, 100].into_iter().map(|number| part(one.id, number)).collect();
    let other = part(two.id, 5);
    let (ids, written, also) = ((one.id, two.id), parts.clone(), other.clone());
    txn!(index, |txn| {
        txn.put_upload(&one).await?;
        txn.put_upload(&two).await?;
        for part in &written {
            assert_eq!(txn.put_part(part).await?, None);
        }
        assert_eq!(txn.put_part(&also).await?, None);
        Ok(())
    })
    .unwrap();
    parts.sort_by_key(|part| part.number);

    assert_eq!(index.parts(ids.0, 0, 1_000).await.unwrap(), parts);
    assert_eq!(index.parts(ids.0, 0, 2).await.unwrap(), parts[..2]);
    assert_eq!(index.parts(ids.0, 2, 2).await.unwrap(), parts[2..4]);
    assert_eq!(index.parts(ids.0, 3, 2).await.unwrap(), parts[2..4]);
    assert_eq!(index.parts(ids.0, PART_MAX, 2).await.unwrap(), []);
    assert_eq!(index.parts(ids.1, 0, 1_000).await.unwrap(), [other]);
    assert_eq!(index.parts(Uuid::new_v4(), 0, 1_000).await.unwrap(), []);
    let inside = txn!(index, |txn| txn.parts(ids.0).await).unwrap();
    assert_eq!(inside, parts);
}

pub async fn a_part_with_a_taken_number_replaces_and_answers_the_old(index: Arc<dyn Index>) {
    let upload = upload(0);
    let id = upload.id;
    let first = part(id, 1);
    let second = Part { size: 7, etag: "second".into(), ..part(id, 1) };
    let neighbour = part(id, 2);
    let put = [first.clone(), neighbour.clone()];
    txn!(index, |txn| {
        txn.put_upload(&upload).await?;
        for part in &put {
            txn.put_part(part).await?;
        }
        Ok(())
    })
    .unwrap();
    let again = second.clone();
    let replaced = txn!(index, |txn| txn.put_part(&again).await).unwrap();
    assert_eq!(replaced, Some(first));
    assert_eq!(index.parts(id, 0, 10).await.unwrap(), [second, neighbour]);
}

pub async fn deleting_an_upload_takes_its_parts(index: Arc<dyn Index>) {
    let (gone, kept) = (upload(0), upload(1));
    let ids = (gone.id, kept.id);
    txn!(index, |txn| {
        for upload in [&gone, &kept] {
            txn.put_upload(upload).await?;
            txn.put_part(&part(upload.id, 1)).await?;
        }
        Ok(())
    })
    .unwrap();
    txn!(index, |txn| {
        txn.delete_upload(ids.0).await?;
        assert_eq!(txn.upload(ids.0).await?, None);
        assert_eq!(txn.parts(ids.0).await?, []);
        Ok(())
    })
    .unwrap();
    assert_eq!(index.upload(ids.0).await.unwrap(), None);
    assert_eq!(index.parts(ids.0, 0, 10).await.unwrap(), []);
    assert_eq!(index.uploads().await.unwrap().len(), 1);
    assert_eq!(index.parts(ids.1, 0, 10).await.unwrap().len(), 1);
}
