//! `get_boot_conf`: what a client asks first; needs neither login nor token.
//!
//! A key `backend` must never appear: the Java SDK takes a server with it for a Cells one.

use cellgate_core::http::Response;
use serde_json::json;

use crate::render::{BARE_JSON, json as php, ok};
use crate::session::{IDLE_S, Visit};

pub const TITLE: &str = "cellgate";
/// The release whose protocol this door speaks.
pub const VERSION: &str = "8.2.5";

pub fn get_boot_conf(visit: &Visit) -> Response {
    let conf = json!({
        "ajxpResourcesFolder": "plugins/gui.ajax/res",
        "ajxpServerAccess": "index.php",
        "zipEnabled": false,
        "multipleFilesDownloadEnabled": false,
        "customWording": {
            "welcomeMessage": "",
            "title": TITLE,
            "icon": "",
            "iconWidth": "0px",
            "iconHeight": "0px",
            "iconOnly": false,
            "titleFontSize": "20px",
        },
        "usersEnabled": true,
        "loggedUser": visit.session.user.is_some(),
        "currentLanguage": "en",
        "session_timeout": IDLE_S,
        "client_timeout": IDLE_S,
        "client_timeout_warning": 3,
        "availableLanguages": {"en": "English"},
        "usersEditable": false,
        "ajxpVersion": VERSION,
        "i18nMessages": {},
        "SECURE_TOKEN": visit.token(),
        "streaming_supported": "true",
        "theme": "material",
    });
    ok(BARE_JSON, php::text(&conf))
}
