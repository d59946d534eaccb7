//! `GET /api2/account/info/`.
//!
//! Gap: nothing accounts what a user has stored, so `usage` is 0; there are no quotas, so `total` is
//! unlimited.

use cellgate_core::http::Response;
use serde_json::json;

use crate::error::SeafileError;
use crate::json;
use crate::library::{email, name};
use crate::route::{Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "GET",
    path: "/api2/account/info",
    operation: "account-info",
    access: Access::User,
    handler: |call| Box::pin(account_info(call)),
}];

/// How Seafile writes "no quota".
const UNLIMITED: i64 = -2;

async fn account_info(call: Call) -> Result<Response, SeafileError> {
    let tree = call.tree()?;
    let principal = tree.principal();
    Ok(json::ok(&json!({
        "space_usage": "0.00%",
        "total": UNLIMITED,
        "usage": 0,
        "email": email(principal),
        "name": name(principal),
        "login_id": principal.login,
        "department": "",
        "contact_email": principal.email,
        "institution": "",
        "is_staff": principal.admin,
        "avatar_url": "",
        "enable_subscription": false,
        "file_updates_email_interval": 0,
        "collaborate_email_interval": 0,
    })))
}
