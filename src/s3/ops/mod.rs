//! The operations, one file each (families share one), called by s3s or by [`direct`].

mod acl;
mod archive;
mod bucket;
mod bucket_cors;
mod bucket_ownership;
mod bucket_tagging;
mod bucket_versioning;
mod complete_multipart_upload;
mod copy_object;
mod delete_object;
pub(crate) mod direct;
mod get_object;
mod get_object_attributes;
mod list_multipart_uploads;
mod list_object_versions;
mod list_objects;
mod multipart;
mod object_lock;
pub(crate) mod post_object;
mod put_object;
mod subresource;
mod tagging;
mod upload_part_copy;

pub(crate) use direct::DirectRequest;
pub(crate) use get_object::missing;

use std::future::Future;
use std::sync::Arc;

use cellgate_core::{Core, Credentials, Door, Error, Tree};
use http::{Extensions, StatusCode};
use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use tracing::Instrument as _;

pub(crate) use self::subresource::Fixed;
use crate::address::Bucket;
use crate::auth::Caller;
use crate::{Settings, error};

/// What is built. s3s answers 501 `NotImplemented` to every other operation it knows.
const BUILT: [&str; 39] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateBucket",
    "CreateMultipartUpload",
    "DeleteBucket",
    "DeleteBucketTagging",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "GetBucketCors",
    "GetBucketLocation",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetObject",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "HeadBucket",
    "HeadObject",
    "ListBuckets",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "PostObject",
    "PutBucketAcl",
    "PutBucketOwnershipControls",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "UploadPart",
    "UploadPartCopy",
];

/// All that is built, by Amazon's names.
pub(crate) fn built() -> impl Iterator<Item = &'static str> {
    BUILT.into_iter().chain(subresource::FIXED.iter().map(|fixed| fixed.operation))
}

/// The name of an operation, for the log.
pub(crate) fn name(operation: &str) -> Option<&'static str> {
    built().find(|built| *built == operation)
}

/// The operations of s3s over the core.
#[derive(Clone)]
pub(crate) struct Ops {
    core: Core,
    pub(crate) settings: Arc<Settings>,
}

impl Ops {
    pub(crate) fn new(core: Core, settings: Arc<Settings>) -> Self {
        Self { core, settings }
    }

    /// The tree as the request's caller may use it, and the bucket asked for.
    pub(crate) async fn open(&self, extensions: &Extensions, bucket: &str) -> S3Result<(Tree, Bucket)> {
        let tree = self.tree(extensions).await?;
        let bucket = Bucket::open(&tree, bucket).await?;
        Ok((tree, bucket))
    }

    /// The tree as the request's caller may use it.
    pub(crate) async fn tree(&self, extensions: &Extensions) -> S3Result<Tree> {
        let Some(Caller(principal)) = extensions.get::<Caller>().cloned() else {
            return Err(S3Error::new(S3ErrorCode::AccessDenied));
        };
        self.core.open(&Credentials::Verified(principal), Door::S3).await.map_err(error::answer)
    }
}

/// Runs a mutation to its end even when the client hangs up meanwhile and its request is dropped.
pub(crate) async fn survive<T, F>(mutation: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    tokio::spawn(mutation.in_current_span()).await.unwrap_or_else(|cause| Err(Error::internal(cause)))
}

/// The status of an answer, where it is not the one that s3s gives it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered(pub(crate) StatusCode);

type Answer<T> = S3Result<S3Response<T>>;

#[async_trait::async_trait]
impl S3 for Ops {
    async fn list_buckets(&self, req: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        bucket::list_buckets(self, req).await
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        bucket::head_bucket(self, req).await
    }

    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        bucket::create_bucket(self, req).await
    }

    async fn delete_bucket(&self, req: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
        bucket::delete_bucket(self, req).await
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        self.open(&req.extensions, &req.input.bucket).await?;
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    async fn get_bucket_cors(&self, req: S3Request<GetBucketCorsInput>) -> Answer<GetBucketCorsOutput> {
        bucket_cors::get_bucket_cors(self, req).await
    }

    async fn get_bucket_tagging(
        &self,
        req: S3Request<GetBucketTaggingInput>,
    ) -> Answer<GetBucketTaggingOutput> {
        bucket_tagging::get_bucket_tagging(self, req).await
    }

    async fn put_bucket_tagging(
        &self,
        req: S3Request<PutBucketTaggingInput>,
    ) -> Answer<PutBucketTaggingOutput> {
        bucket_tagging::put_bucket_tagging(self, req).await
    }

    async fn delete_bucket_tagging(
        &self,
        req: S3Request<DeleteBucketTaggingInput>,
    ) -> Answer<DeleteBucketTaggingOutput> {
        bucket_tagging::delete_bucket_tagging(self, req).await
    }

    async fn get_bucket_versioning(
        &self,
        req: S3Request<GetBucketVersioningInput>,
    ) -> Answer<GetBucketVersioningOutput> {
        bucket_versioning::get_bucket_versioning(self, req).await
    }

    async fn put_bucket_acl(&self, req: S3Request<PutBucketAclInput>) -> Answer<PutBucketAclOutput> {
        acl::put_bucket_acl(self, req).await
    }

    async fn put_object_acl(&self, req: S3Request<PutObjectAclInput>) -> Answer<PutObjectAclOutput> {
        acl::put_object_acl(self, req).await
    }

    async fn put_bucket_ownership_controls(
        &self,
        req: S3Request<PutBucketOwnershipControlsInput>,
    ) -> Answer<PutBucketOwnershipControlsOutput> {
        bucket_ownership::put_bucket_ownership_controls(self, req).await
    }

    async fn delete_bucket_ownership_controls(
        &self,
        req: S3Request<DeleteBucketOwnershipControlsInput>,
    ) -> Answer<DeleteBucketOwnershipControlsOutput> {
        bucket_ownership::delete_bucket_ownership_controls(self, req).await
    }

    async fn put_bucket_versioning(
        &self,
        req: S3Request<PutBucketVersioningInput>,
    ) -> Answer<PutBucketVersioningOutput> {
        bucket_versioning::put_bucket_versioning(self, req).await
    }

    async fn list_object_versions(
        &self,
        req: S3Request<ListObjectVersionsInput>,
    ) -> Answer<ListObjectVersionsOutput> {
        list_object_versions::list_object_versions(self, req).await
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
        list_objects::list_objects(self, req).await
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> Answer<ListObjectsV2Output> {
        list_objects::list_objects_v2(self, req).await
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        put_object::put_object(self, req).await
    }

    async fn post_object(&self, _: S3Request<PostObjectInput>) -> Answer<PostObjectOutput> {
        // Forms never come this far: see [`post_object`]. The default of s3s would be a PutObject.
        Err(error::unsupported("a form"))
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        delete_object::delete_object(self, req).await
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> Answer<DeleteObjectsOutput> {
        delete_object::delete_objects(self, req).await
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        multipart::create_multipart_upload(self, req).await
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        multipart::upload_part(self, req).await
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        complete_multipart_upload::complete_multipart_upload(self, req).await
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        multipart::abort_multipart_upload(self, req).await
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        multipart::list_parts(self, req).await
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        list_multipart_uploads::list_multipart_uploads(self, req).await
    }

    async fn get_object_attributes(
        &self,
        req: S3Request<GetObjectAttributesInput>,
    ) -> Answer<GetObjectAttributesOutput> {
        get_object_attributes::get_object_attributes(self, req).await
    }

    async fn get_object_tagging(
        &self,
        req: S3Request<GetObjectTaggingInput>,
    ) -> Answer<GetObjectTaggingOutput> {
        tagging::get_object_tagging(self, req).await
    }

    async fn put_object_tagging(
        &self,
        req: S3Request<PutObjectTaggingInput>,
    ) -> Answer<PutObjectTaggingOutput> {
        tagging::put_object_tagging(self, req).await
    }

    async fn delete_object_tagging(
        &self,
        req: S3Request<DeleteObjectTaggingInput>,
    ) -> Answer<DeleteObjectTaggingOutput> {
        tagging::delete_object_tagging(self, req).await
    }

    async fn get_object_legal_hold(
        &self,
        req: S3Request<GetObjectLegalHoldInput>,
    ) -> Answer<GetObjectLegalHoldOutput> {
        object_lock::refuse(self, &req.extensions, &req.input.bucket).await
    }

    async fn put_object_legal_hold(
        &self,
        req: S3Request<PutObjectLegalHoldInput>,
    ) -> Answer<PutObjectLegalHoldOutput> {
        object_lock::refuse(self, &req.extensions, &req.input.bucket).await
    }

    async fn get_object_retention(
        &self,
        req: S3Request<GetObjectRetentionInput>,
    ) -> Answer<GetObjectRetentionOutput> {
        object_lock::refuse(self, &req.extensions, &req.input.bucket).await
    }

    async fn put_object_retention(
        &self,
        req: S3Request<PutObjectRetentionInput>,
    ) -> Answer<PutObjectRetentionOutput> {
        object_lock::refuse(self, &req.extensions, &req.input.bucket).await
    }
}
