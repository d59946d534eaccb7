//! Sub-resources that a bucket here cannot have, and access lists, which say what always holds: the
//! caller controls what the caller sees.
//!
//! Reading what is not configured has Amazon's answer for that: an error of its own, or the default
//! document. Removing it does nothing. Setting it answers 501 `NotImplemented`; access lists are set in
//! [`super::acl`], rights by commands and through Cells.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use s3s::{Body, S3Response, S3Result};

use super::bucket::owner;
use super::get_object::missing;
use super::{DirectRequest, Ops};
use crate::error;

/// An operation on one sub-resource.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fixed {
    pub(crate) operation: &'static str,
    method: Method,
    parameter: &'static str,
    of_object: bool,
    answer: Answer,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// 404 with this code.
    None(&'static str, &'static str),
    /// The content of a root element of this name.
    Document(&'static str, &'static str),
    /// 204.
    Gone,
    Acl,
}

use Answer::{Acl, Document, Gone, None as Absent};

const fn get(operation: &'static str, parameter: &'static str, answer: Answer) -> Fixed {
    Fixed { operation, method: Method::GET, parameter, of_object: false, answer }
}

const fn delete(operation: &'static str, parameter: &'static str) -> Fixed {
    Fixed { operation, method: Method::DELETE, parameter, of_object: false, answer: Gone }
}

const EMPTY_LIST: &str = "<IsTruncated>false</IsTruncated>";
const NO_POLICY: Answer = Absent("NoSuchBucketPolicy", "The bucket policy does not exist");

pub(crate) static FIXED: [Fixed; 24] = [
    get("GetBucketAcl", "acl", Acl),
    Fixed { operation: "GetObjectAcl", method: Method::GET, parameter: "acl", of_object: true, answer: Acl },
    get("GetBucketPolicy", "policy", NO_POLICY),
    get("GetBucketPolicyStatus", "policyStatus", NO_POLICY),
    delete("DeleteBucketPolicy", "policy"),
    get(
        "GetBucketLifecycleConfiguration",
        "lifecycle",
        Absent("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    ),
    delete("DeleteBucketLifecycle", "lifecycle"),
    get(
        "GetBucketWebsite",
        "website",
        Absent("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    ),
    delete("DeleteBucketWebsite", "website"),
    get(
        "GetBucketEncryption",
        "encryption",
        Absent(
            "ServerSideEncryptionConfigurationNotFoundError",
            "The server side encryption configuration was not found",
        ),
    ),
    delete("DeleteBucketEncryption", "encryption"),
    get(
        "GetObjectLockConfiguration",
        "object-lock",
        Absent(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        ),
    ),
    get(
        "GetBucketReplication",
        "replication",
        Absent("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    ),
    delete("DeleteBucketReplication", "replication"),
    get("GetBucketNotificationConfiguration", "notification", Document("NotificationConfiguration", "")),
    get("GetBucketLogging", "logging", Document("BucketLoggingStatus", "")),
    get("GetBucketAccelerateConfiguration", "accelerate", Document("AccelerateConfiguration", "")),
    get(
        "GetBucketRequestPayment",
        "requestPayment",
        Document("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"),
    ),
    get(
        "GetBucketOwnershipControls",
        "ownershipControls",
        Document("OwnershipControls", "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"),
    ),
    get(
        "GetPublicAccessBlock",
        "publicAccessBlock",
        Document(
            "PublicAccessBlockConfiguration",
            "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
             <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>",
        ),
    ),
    get(
        "ListBucketAnalyticsConfigurations",
        "analytics",
        Document("ListBucketAnalyticsConfigurationResult", EMPTY_LIST),
    ),
    get(
        "ListBucketIntelligentTieringConfigurations",
        "intelligent-tiering",
        Document("ListBucketIntelligentTieringConfigurationsOutput", EMPTY_LIST),
    ),
    get(
        "ListBucketInventoryConfigurations",
        "inventory",
        Document("ListInventoryConfigurationsResult", EMPTY_LIST),
    ),
    get(
        "ListBucketMetricsConfigurations",
        "metrics",
        Document("ListMetricsConfigurationsResult", EMPTY_LIST),
    ),
];

impl Fixed {
    pub(crate) fn of(
        method: &Method,
        of_object: bool,
        parameters: &[(String, String)],
    ) -> Option<&'static Self> {
        let has = |name: &str| parameters.iter().any(|(parameter, _)| parameter == name);
        // With an id one of them is asked for, and there is none.
        if has("id") {
            return None;
        }
        FIXED
            .iter()
            .find(|known| known.method == *method && known.of_object == of_object && has(known.parameter))
    }
}

pub(crate) async fn answer(ops: &Ops, req: DirectRequest, known: &Fixed) -> S3Result<S3Response<Body>> {
    let (tree, bucket) = ops.open(&req.extensions, &req.bucket).await?;
    if known.of_object {
        tree.stat(bucket.key(&req.key)?.path()).await.map_err(missing)?;
    }
    match known.answer {
        Absent(code, text) => Err(error::custom(code, StatusCode::NOT_FOUND, text)),
        Document(name, content) => Ok(document(name, content)),
        Gone => {
            let mut response = S3Response::new(Body::empty());
            response.status = Some(StatusCode::NO_CONTENT);
            Ok(response)
        }
        Acl => Ok(document("AccessControlPolicy", &access_list(&owner(tree.principal())))),
    }
}

/// The owner may do everything; nobody else is named.
fn access_list(owner: &s3s::dto::Owner) -> String {
    let text = |text: &Option<String>| crate::escape(text.as_deref().unwrap_or_default());
    let who = format!("<ID>{}</ID><DisplayName>{}</DisplayName>", text(&owner.id), text(&owner.display_name));
    format!(
        "<Owner>{who}</Owner><AccessControlList><Grant>\
         <Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">\
         {who}</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>"
    )
}

fn document(name: &str, content: &str) -> S3Response<Body> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{content}</{name}>"
    );
    let mut response = S3Response::new(Body::from(xml));
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}
