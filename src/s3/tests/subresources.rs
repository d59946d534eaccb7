//! Sub-resources that have one answer: Amazon's for a private bucket that nothing is configured of.

use cellgate_core::testing::serve;

use crate::sign::Signed;
use crate::{assert_error, signer, stage, text};

#[tokio::test]
async fn what_is_not_configured_has_amazons_answer_for_that() {
    let stage = stage().await;
    for bucket in ["/io", "/common-files/"] {
        for (parameter, code) in [
            ("policy", "NoSuchBucketPolicy"),
            ("policyStatus", "NoSuchBucketPolicy"),
            ("lifecycle", "NoSuchLifecycleConfiguration"),
            ("website", "NoSuchWebsiteConfiguration"),
            ("encryption", "ServerSideEncryptionConfigurationNotFoundError"),
            ("object-lock", "ObjectLockConfigurationNotFoundError"),
            ("tagging", "NoSuchTagSet"),
            ("replication", "ReplicationConfigurationNotFoundError"),
        ] {
            assert_error(&stage.get(&format!("{bucket}?{parameter}")).await, 404, code);
        }
        for (parameter, root, holds) in [
            ("notification", "NotificationConfiguration", ""),
            ("logging", "BucketLoggingStatus", ""),
            ("accelerate", "AccelerateConfiguration", ""),
            ("requestPayment", "RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"),
            ("ownershipControls", "OwnershipControls", "BucketOwnerEnforced"),
            (
                "publicAccessBlock",
                "PublicAccessBlockConfiguration",
                "<BlockPublicAcls>true</BlockPublicAcls>",
            ),
            ("analytics", "ListBucketAnalyticsConfigurationResult", "<IsTruncated>false</IsTruncated>"),
            ("inventory", "ListInventoryConfigurationsResult", "<IsTruncated>false</IsTruncated>"),
            ("metrics", "ListMetricsConfigurationsResult", "<IsTruncated>false</IsTruncated>"),
            (
                "intelligent-tiering",
                "ListBucketIntelligentTieringConfigurationsOutput",
                "<IsTruncated>false</IsTruncated>",
            ),
        ] {
            let answer = stage.get(&format!("{bucket}?{parameter}=")).await;
            let xml = answer.text();
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/xml"));
            assert!(xml.contains(&format!("<{root} xmlns=")) && xml.contains(holds), "{parameter}: {xml}");
        }
    }
}

#[tokio::test]
async fn removing_what_is_not_there_is_done_and_setting_it_is_not_built() {
    let stage = stage().await;
    for parameter in ["policy", "lifecycle", "website", "encryption", "tagging", "replication"] {
        assert_eq!(stage.delete(&format!("/io?{parameter}")).await.status, 204, "{parameter}");
    }
    for (parameter, body) in [
        ("policy", "{}"),
        ("logging", "<BucketLoggingStatus/>"),
        (
            "requestPayment",
            "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>",
        ),
        ("accelerate", "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>"),
    ] {
        let put = stage.send(Signed::new("PUT", &format!("/io?{parameter}")).body(body)).await;
        assert_error(&put, 501, "NotImplemented");
    }
    // The bucket is there still, and so is the rest of it.
    assert_eq!(stage.head("/io").await.status, 200);
}

/// "Controlling ownership of objects": one rule, of one of three names.
#[tokio::test]
async fn ownership_is_the_buckets_and_stays_so() {
    let stage = stage().await;
    let put = |bucket: &str, owned: &[&str]| {
        let rules =
            owned.iter().map(|owned| format!("<Rule><ObjectOwnership>{owned}</ObjectOwnership></Rule>"));
        let body = format!("<OwnershipControls>{}</OwnershipControls>", rules.collect::<String>());
        stage.send(Signed::new("PUT", &format!("{bucket}?ownershipControls")).body(body))
    };
    for bucket in ["/io", "/common-files"] {
        assert_eq!(put(bucket, &["BucketOwnerEnforced"]).await.status, 200);
        for other in ["ObjectWriter", "BucketOwnerPreferred"] {
            assert_error(&put(bucket, &[other]).await, 501, "NotImplemented");
        }
        for malformed in [&["mine"][..], &[""], &[], &["ObjectWriter", "BucketOwnerEnforced"]] {
            assert_error(&put(bucket, malformed).await, 400, "MalformedXML");
        }
        let removed = stage.delete(&format!("{bucket}?ownershipControls")).await;
        assert_error(&removed, 501, "NotImplemented");
        let xml = stage.get(&format!("{bucket}?ownershipControls")).await.text();
        assert_eq!(text(&xml, "ObjectOwnership"), "BucketOwnerEnforced", "{xml}");
    }
    assert_error(&put("/nowhere", &["BucketOwnerEnforced"]).await, 404, "NoSuchBucket");
    assert_error(&put("/nowhere", &["ObjectWriter"]).await, 404, "NoSuchBucket");
    assert_error(&stage.delete("/nowhere?ownershipControls").await, 404, "NoSuchBucket");
}

#[tokio::test]
async fn access_lists_are_those_of_a_private_bucket() {
    let stage = stage().await;
    stage.seed(&["common-files/a", "common-files/folder/"]).await;
    for uri in ["/io?acl", "/common-files?acl", "/io/common-files/a?acl", "/common-files/folder/?acl"] {
        let xml = stage.get(uri).await.text();
        assert_eq!(text(&xml, "Permission"), "FULL_CONTROL", "{uri}: {xml}");
        assert_eq!(text(&xml, "DisplayName"), "alice", "{uri}: {xml}");
        assert!(!text(&xml, "ID").is_empty());
        let put = |acl: &str| Signed::new("PUT", uri).header("x-amz-acl", acl);
        assert_eq!(stage.send(put("private")).await.status, 200, "{uri}");
        assert_error(&stage.send(put("public-read")).await, 400, "AccessControlListNotSupported");
        let listed = |xml: &str| Signed::new("PUT", uri).body(xml.to_owned());
        assert_eq!(stage.send(listed(&xml)).await.status, 200, "what was read: {uri}");
        let public = xml.replace("FULL_CONTROL", "READ");
        let others = xml.replace(&text(&xml, "ID"), "somebody");
        let none = "<AccessControlPolicy></AccessControlPolicy>".to_owned();
        for refused in [public, others, none] {
            assert_error(&stage.send(listed(&refused)).await, 400, "AccessControlListNotSupported");
        }
    }
    assert_eq!(stage.get("/common-files/a").await.status, 200, "the object is what it was");
    assert_error(&stage.get("/io/common-files/none?acl").await, 404, "NoSuchKey");
    assert_error(&stage.get("/nowhere?acl").await, 404, "NoSuchBucket");
    let reader = signer(&stage.core, "reader").await;
    let hidden = serve(&stage.s3, reader.header(Signed::new("GET", "/personal-files?policy"))).await;
    assert_error(&hidden, 404, "NoSuchBucket");
}
