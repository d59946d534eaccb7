//! `GET /api2/server-info/`: what clients decide their behaviour by.

use cellgate_core::http::Response;
use serde_json::json;

use crate::error::SeafileError;
use crate::json;
use crate::route::{Access, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "GET",
    path: "/api2/server-info",
    operation: "server-info",
    access: Access::Anyone,
    handler: |_| Box::pin(server_info()),
}];

async fn server_info() -> Result<Response, SeafileError> {
    // rclone panics on anything but MAJOR.MINOR.PATCH and moves folders from 7 on. Never
    // `seafile-pro`: clients would call for locks and organisations.
    Ok(json::ok(&json!({
        "version": "11.0.0",
        "encrypted_library_version": 2,
        "features": ["seafile-basic"],
    })))
}
