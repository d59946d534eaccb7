//! `POST /api2/auth-token/`: login and password for a token of 40 hex digits that does not expire.
//!
//! The same user gets the same token each time, one per device: scripts sign in on each run. Gap: a
//! user is known by login; another e-mail address is not looked up.

use cellgate_core::http::Response;
use cellgate_core::{Door, Error};
use http::StatusCode;
use serde_json::{Value, json};

use crate::error::SeafileError;
use crate::json;
use crate::library::LOCAL_DOMAIN;
use crate::route::{self, Access, Call, Endpoint};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: "POST",
    path: "/api2/auth-token",
    operation: "auth-token",
    access: Access::Anyone,
    handler: |call| Box::pin(auth_token(call)),
}];

async fn auth_token(mut call: Call) -> Result<Response, SeafileError> {
    let form = call.form().await?;
    for field in ["username", "password"] {
        if form.text(field).is_empty() {
            return Err(refused(json!({ field: ["This field is required."] })));
        }
    }
    let device = ["platform", "device_id", "device_name"].map(|field| form.text(field));
    let given = device.iter().filter(|value| !value.is_empty()).count();
    if given != 0 && given != device.len() {
        return Err(not_signed_in("invalid params"));
    }
    let login = form.text("username").trim();
    let login = login.strip_suffix(LOCAL_DOMAIN).unwrap_or(login).to_owned();
    let [platform, id, _] = device;
    let label = if given == 0 { "seafile".to_owned() } else { format!("seafile {platform} {id}") };
    let label: String = label.chars().filter(|c| !c.is_control()).take(100).collect();
    let identity = call.core.identity();
    let signed_in = identity.standing_sign_in(&login, form.text("password"), &label, Door::Seafile).await;
    let (principal, token) = signed_in.map_err(|error| match error {
        Error::Unauthenticated(_) => not_signed_in("Unable to login with provided credentials."),
        error => error.into(),
    })?;
    let mut response = json::ok(&json!({ "token": token }));
    route::note_principal(&mut response, &principal.login);
    Ok(response)
}

fn refused(body: Value) -> SeafileError {
    SeafileError::Form(StatusCode::BAD_REQUEST, body)
}

fn not_signed_in(text: &str) -> SeafileError {
    refused(json!({ "non_field_errors": [text] }))
}
