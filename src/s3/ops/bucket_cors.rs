//! GetBucketCors: the installation's rules, which every bucket has. They cannot be set here.

use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::{Answer, Ops};
use crate::cors::CorsRule;
use crate::error;

pub(super) async fn get_bucket_cors(
    ops: &Ops,
    req: S3Request<GetBucketCorsInput>,
) -> Answer<GetBucketCorsOutput> {
    ops.open(&req.extensions, &req.input.bucket).await?;
    if ops.settings.cors.is_empty() {
        let text = "The CORS configuration does not exist";
        return Err(error::custom("NoSuchCORSConfiguration", StatusCode::NOT_FOUND, text));
    }
    let rules = ops.settings.cors.iter().map(shown).collect();
    Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(rules) }))
}

fn shown(rule: &CorsRule) -> CORSRule {
    let some = |names: &[String]| (!names.is_empty()).then(|| names.to_vec());
    CORSRule {
        allowed_headers: some(&rule.headers),
        allowed_methods: rule.methods.clone(),
        allowed_origins: rule.origins.clone(),
        expose_headers: some(&rule.expose),
        id: None,
        max_age_seconds: rule.max_age_s.map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX)),
    }
}
