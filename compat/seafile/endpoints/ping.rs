//! `GET /api2/ping/` and, with a token, `GET /api2/auth/ping/`.

use cellgate_core::http::Response;
use serde_json::json;

use crate::error::SeafileError;
use crate::json;
use crate::route::{Access, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "GET",
        path: "/api2/ping",
        operation: "ping",
        access: Access::Anyone,
        handler: |_| Box::pin(pong()),
    },
    Endpoint {
        method: "GET",
        path: "/api2/auth/ping",
        operation: "auth-ping",
        access: Access::User,
        handler: |_| Box::pin(pong()),
    },
];

async fn pong() -> Result<Response, SeafileError> {
    Ok(json::ok(&json!("pong")))
}
