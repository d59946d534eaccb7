//! Which names of fields, parameters, headers and attributes hold a secret, and of what kind.

/// What a secret is. The name of it begins with this.
pub type Kind = &'static str;

pub const PASSWORD: Kind = "password";
pub const JWT: Kind = "jwt";
pub const TOKEN: Kind = "token";
pub const SEAFILE_TOKEN: Kind = "seafile_token";
pub const LINK_TOKEN: Kind = "link_token";
pub const AUTH_TOKEN: Kind = "auth_token";
pub const COOKIE: Kind = "cookie";
pub const SECRET: Kind = "secret";
pub const ACCESS_KEY: Kind = "access_key";
pub const SIGNATURE: Kind = "signature";
pub const NONCE: Kind = "nonce";
pub const CODE: Kind = "code";

/// Names without `-`, `_`, `.` and case, and what their values are.
const EXACT: &[(&str, Kind)] = &[
    ("pass", PASSWORD),
    ("oldpass", PASSWORD),
    ("newpass", PASSWORD),
    ("userpass", PASSWORD),
    ("dbpass", PASSWORD),
    ("password1", PASSWORD),
    ("password2", PASSWORD),
    ("passwordconfirm", PASSWORD),
    ("passwordconfirmation", PASSWORD),
    ("passwordagain", PASSWORD),
    ("securetoken", "secure_token"),
    ("jwt", JWT),
    ("pydiojwt", JWT),
    ("xpydiobearer", JWT),
    ("accesstoken", JWT),
    ("idtoken", JWT),
    ("idtokenhint", JWT),
    ("refreshtoken", "refresh_token"),
    ("authtoken", AUTH_TOKEN),
    ("authhash", "auth_hash"),
    ("ziptoken", LINK_TOKEN),
    ("sharelinktoken", LINK_TOKEN),
    ("apikey", "api_key"),
    ("xapikey", "api_key"),
    ("secretkey", SECRET),
    ("secretaccesskey", SECRET),
    ("privatekey", SECRET),
    ("xamzserversideencryptioncustomerkey", SECRET),
    ("xamzcopysourceserversideencryptioncustomerkey", SECRET),
    ("accesskey", ACCESS_KEY),
    ("accesskeyid", ACCESS_KEY),
    ("awsaccesskeyid", ACCESS_KEY),
    ("signature", SIGNATURE),
    ("signatureprovided", SIGNATURE),
    ("xamzsignature", SIGNATURE),
    ("ajxpsessid", COOKIE),
    ("phpsessid", COOKIE),
    ("sessionid", COOKIE),
    ("codeverifier", "code_verifier"),
    ("otp", CODE),
    ("xseafileotp", CODE),
];

const ENDINGS: &[(&str, Kind)] = &[
    ("password", PASSWORD),
    ("passwd", PASSWORD),
    ("passphrase", PASSWORD),
    ("pwd", PASSWORD),
    ("secret", SECRET),
    ("apikey", "api_key"),
    ("token", TOKEN),
];

/// Tokens that are places in a listing or ids of locks, not keys to anything.
const HARMLESS: &[&str] = &["continuationtoken", "pagetoken", "locktoken", "nexttoken"];

/// The kind of a field of this name; `None` for harmless ones.
pub fn of_field(name: &str) -> Option<Kind> {
    let name = normal(name);
    if HARMLESS.iter().any(|harmless| name.ends_with(harmless)) {
        return None;
    }
    let exact = EXACT.iter().find(|(known, _)| *known == name);
    exact.or_else(|| ENDINGS.iter().find(|(ending, _)| name.ends_with(ending))).map(|(_, kind)| *kind)
}

/// Whether a text is such a name itself: as a value it says nothing.
pub fn is_name_of_field(text: &str) -> bool {
    let text = normal(text);
    EXACT.iter().chain(ENDINGS).any(|(known, _)| *known == text)
}

/// As for a field, and whatever else has a telling word in its name: headers are made up freely.
pub fn of_header(name: &str) -> Option<Kind> {
    of_field(name).or_else(|| {
        let name = normal(name);
        if HARMLESS.iter().any(|harmless| name.contains(harmless)) {
            return None;
        }
        [("password", PASSWORD), ("secret", SECRET), ("token", TOKEN)]
            .into_iter()
            .find(|(word, _)| name.contains(word))
            .map(|(_, kind)| kind)
    })
}

/// The last part of `AuthInfo[password]`, in lower case, without separators.
fn normal(name: &str) -> String {
    let name = name.strip_suffix(']').and_then(|name| name.rsplit_once('[')).map_or(name, |(_, last)| last);
    name.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_all_protocols_have_their_kind() {
        for (name, kind) in [
            ("password", "password"),
            ("AuthInfo[password]", "password"),
            ("new_pwd", "password"),
            ("NewPassword", "password"),
            ("dbTCPPassword", "password"),
            ("secure_token", "secure_token"),
            ("SECURE_TOKEN", "secure_token"),
            ("JWT", "jwt"),
            ("AccessToken", "jwt"),
            ("pydio_jwt", "jwt"),
            ("RefreshToken", "refresh_token"),
            ("auth_hash", "auth_hash"),
            ("token", "token"),
            ("api_token", "token"),
            ("zip_token", "link_token"),
            ("ClientSecret", "secret"),
            ("X-Amz-Signature", "signature"),
            ("AWSAccessKeyId", "access_key"),
            ("X-Amz-Security-Token", "token"),
            ("ajxp_sessid", "cookie"),
        ] {
            assert_eq!(of_field(name), Some(kind), "{name}");
        }
    }

    #[test]
    fn names_without_a_secret_have_none() {
        for name in [
            "login_seed",
            "key",
            "code",
            "continuation-token",
            "NextContinuationToken",
            "locktoken",
            "Lock-Token",
            "token_type",
            "PasswordRequired",
            "p",
            "t",
            "",
            "userid",
            "compass",
            "TokenId",
        ] {
            assert_eq!(of_field(name), None, "{name}");
        }
        assert_eq!(of_header("Lock-Token"), None);
        assert_eq!(of_header("X-My-Token-Value"), Some("token"));
        assert_eq!(of_header("Content-Type"), None);
    }
}
