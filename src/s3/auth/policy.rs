//! The policy of a POST form: what its signer lets a browser upload.
//!
//! The texts of refusals are Amazon's, as `versitygw test` expects them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::StatusCode;
use s3s::{S3Error, S3Result};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::body::form::Fields;
use crate::error;

/// A policy that has not expired.
pub(crate) struct Policy {
    conditions: Vec<Condition>,
}

struct Condition {
    test: Test,
    /// As refusals show it.
    text: String,
}

enum Test {
    Equals {
        field: String,
        value: String,
    },
    StartsWith {
        field: String,
        prefix: String,
    },
    Length {
        least: u64,
        most: u64,
    },
    /// About no field at all.
    Never,
}

impl Policy {
    pub(crate) fn parse(encoded: &str, now_s: i64) -> S3Result<Self> {
        let document = decode(encoded.trim())?;
        let Ok(Value::Object(document)) = serde_json::from_slice(&document) else {
            return Err(invalid("Invalid JSON."));
        };
        let expiration = document.get("expiration").ok_or_else(|| invalid("Policy missing expiration."))?;
        let conditions = document.get("conditions").ok_or_else(|| invalid("Policy missing conditions."))?;
        if let Some(name) = document.keys().find(|name| !matches!(name.as_str(), "expiration" | "conditions"))
        {
            return Err(invalid(format!("Unexpected: {name:?}")));
        }
        let Value::Array(conditions) = conditions else {
            return Err(invalid("Invalid 'conditions' value: must be a List."));
        };
        let Value::String(expiration) = expiration else { return Err(invalid("Invalid JSON.")) };
        // ISO 8601, where RFC 3339 would take a space for the `T`.
        let until =
            OffsetDateTime::parse(expiration, &Rfc3339).ok().filter(|_| expiration.contains(['T', 't']));
        let until = until.ok_or_else(|| invalid(format!("Invalid 'expiration' value: '{expiration}'")))?;
        let conditions = conditions.iter().map(Condition::parse).collect::<S3Result<_>>()?;
        if until.unix_timestamp() < now_s {
            return Err(expired());
        }
        Ok(Self { conditions })
    }

    /// Checks everything but the size of the file, which it answers the bounds of. `bucket` and `key`
    /// are what the upload goes to, whatever the fields of those names say.
    pub(crate) fn check(&self, bucket: &str, key: &str, fields: &Fields) -> S3Result<(u64, u64)> {
        let value = |name: &str| match name {
            "bucket" => Some(bucket),
            "key" => Some(key),
            _ => fields.get(name),
        };
        let covered = |name: &str| self.conditions.iter().any(|condition| condition.field() == Some(name));
        let names = fields.0.iter().map(|(name, _)| name.as_str());
        if let Some(extra) = names.filter(|name| !is_free(name)).chain(["bucket"]).find(|name| !covered(name))
        {
            return Err(refused(format!("Extra input fields: {extra}")));
        }
        let mut bounds = (0, u64::MAX);
        for condition in &self.conditions {
            let holds = match &condition.test {
                Test::Equals { field, value: expected } => value(field) == Some(expected),
                Test::StartsWith { field, prefix } => {
                    value(field).is_some_and(|value| starts_with(field, value, prefix))
                }
                Test::Length { least, most } => {
                    bounds = (bounds.0.max(*least), bounds.1.min(*most));
                    true
                }
                Test::Never => false,
            };
            if !holds {
                return Err(refused(format!("Policy Condition failed: {}", condition.text)));
            }
        }
        Ok(bounds)
    }
}

/// What a policy need not speak of: the proof itself, the file, and what clients mark so.
fn is_free(field: &str) -> bool {
    matches!(field, "policy" | "x-amz-signature" | "signature" | "awsaccesskeyid" | "file")
        || field.starts_with("x-ignore-")
}

/// A list of types must all begin so.
fn starts_with(field: &str, value: &str, prefix: &str) -> bool {
    match field {
        "content-type" => value.split(',').all(|value| value.trim().starts_with(prefix)),
        _ => value.starts_with(prefix),
    }
}

impl Condition {
    fn parse(value: &Value) -> S3Result<Self> {
        match value {
            Value::Object(pairs) => Self::of_object(pairs),
            Value::Array(list) => Self::of_list(list, value.to_string()),
            _ => Err(invalid("Invalid condition test: must be a List or Object.")),
        }
    }

    fn of_object(pairs: &Map<String, Value>) -> S3Result<Self> {
        let mut pairs = pairs.iter();
        let (Some((field, value)), None) = (pairs.next(), pairs.next()) else {
            return Err(invalid(
                "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
            ));
        };
        let Value::String(value) = value else {
            return Err(invalid("Invalid Simple-Condition: value must be a string."));
        };
        let field = field.to_ascii_lowercase();
        let text = format!("[\"eq\", \"${field}\", \"{value}\"]");
        Ok(Self { test: Test::Equals { field, value: value.clone() }, text })
    }

    fn of_list(list: &[Value], text: String) -> S3Result<Self> {
        let operation = list
            .first()
            .ok_or_else(|| invalid("Invalid Condition: missing operation identifier."))?
            .as_str()
            .ok_or_else(|| invalid("Invalid JSON."))?;
        // ceph/s3-tests has them in any case.
        let known = ["eq", "starts-with", "content-length-range"];
        let Some(operation) = known.into_iter().find(|known| operation.eq_ignore_ascii_case(known)) else {
            return Err(invalid(format!("Invalid Condition: unknown operation '{operation}'.")));
        };
        let [_, one, two] = list else {
            return Err(invalid(format!("Invalid {operation}: wrong number of arguments.")));
        };
        if operation == "content-length-range" {
            return Ok(Self { test: Test::Length { least: number(one)?, most: number(two)? }, text });
        }
        let (Value::String(field), Value::String(value)) = (one, two) else {
            return Err(invalid("Invalid JSON."));
        };
        let (value, field) = (value.clone(), field.strip_prefix('$').map(str::to_ascii_lowercase));
        let test = match field.filter(|field| !field.is_empty()) {
            None => Test::Never,
            Some(field) if operation == "eq" => Test::Equals { field, value },
            Some(field) => Test::StartsWith { field, prefix: value },
        };
        Ok(Self { test, text })
    }

    fn field(&self) -> Option<&str> {
        match &self.test {
            Test::Equals { field, .. } | Test::StartsWith { field, .. } => Some(field),
            Test::Length { .. } | Test::Never => None,
        }
    }
}

/// A size, which some write as text.
fn number(value: &Value) -> S3Result<u64> {
    let number = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| invalid("Invalid JSON."))
}

fn decode(encoded: &str) -> S3Result<Vec<u8>> {
    if encoded.is_empty() {
        return Err(invalid("Expecting '{' but found End-of-Input"));
    }
    STANDARD
        .decode(encoded)
        .or_else(|_| STANDARD_NO_PAD.decode(encoded))
        .map_err(|_| invalid("invalid Base64 encoding."))
}

fn invalid(why: impl AsRef<str>) -> S3Error {
    let text = format!("Invalid Policy: {}", why.as_ref());
    error::custom("InvalidPolicyDocument", StatusCode::BAD_REQUEST, text)
}

fn refused(why: impl AsRef<str>) -> S3Error {
    error::denied(format!("Invalid according to Policy: {}", why.as_ref()))
}

pub(super) fn expired() -> S3Error {
    refused("Policy expired.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_893_456_000;

    fn policy(conditions: &str) -> S3Result<Policy> {
        let text = format!("{{\"expiration\":\"2030-01-01T00:00:01.000Z\",\"conditions\":{conditions}}}");
        Policy::parse(&STANDARD.encode(text), NOW_S)
    }

    fn refusal<T>(result: S3Result<T>) -> (String, String) {
        let error = result.err().unwrap();
        (error.code().as_str().to_owned(), error.message().unwrap().to_owned())
    }

    #[test]
    fn documents_that_are_no_policy_are_refused_by_what_is_wrong() {
        for (document, why) in [
            ("", "Expecting '{' but found End-of-Input"),
            ("?", "invalid Base64 encoding."),
            (&STANDARD.encode("no json"), "Invalid JSON."),
            (&STANDARD.encode("{\"conditions\":[]}"), "Policy missing expiration."),
            (&STANDARD.encode("{\"expiration\":\"2144-11-08T04:19:33Z\"}"), "Policy missing conditions."),
            (&STANDARD.encode("{\"expiration\":\"x\",\"conditions\":[]}"), "Invalid 'expiration' value: 'x'"),
            // As Python prints one.
            (
                &STANDARD.encode("{\"expiration\":\"2144-11-08 04:19:33+00:00\",\"conditions\":[]}"),
                "Invalid 'expiration' value: '2144-11-08 04:19:33+00:00'",
            ),
            (&STANDARD.encode("{\"expiration\":\"x\",\"conditions\":[],\"a\":1}"), "Unexpected: \"a\""),
        ] {
            let expected = ("InvalidPolicyDocument".to_owned(), format!("Invalid Policy: {why}"));
            assert_eq!(refusal(Policy::parse(document, NOW_S)), expected);
        }
        for (conditions, why) in [
            ("true", "Invalid 'conditions' value: must be a List."),
            ("[true]", "Invalid condition test: must be a List or Object."),
            ("[[]]", "Invalid Condition: missing operation identifier."),
            ("[[\"like\",\"$key\",\"a\"]]", "Invalid Condition: unknown operation 'like'."),
            ("[[\"EQ\",\"$key\"]]", "Invalid eq: wrong number of arguments."),
            ("[[\"eq\",false,\"a\"]]", "Invalid JSON."),
            ("[[\"content-length-range\",-1,5]]", "Invalid JSON."),
            ("[{\"a\":\"b\",\"c\":\"d\"}]", "Simple-Conditions must have exactly one property specified."),
            ("[{\"a\":1}]", "Invalid Simple-Condition: value must be a string."),
        ] {
            assert!(refusal(policy(conditions)).1.ends_with(why), "{conditions}");
        }
        let late = Policy::parse(
            &STANDARD.encode("{\"expiration\":\"2030-01-01T00:00:01Z\",\"conditions\":[]}"),
            NOW_S + 2,
        );
        let expected = ("AccessDenied".to_owned(), "Invalid according to Policy: Policy expired.".to_owned());
        assert_eq!(refusal(late), expected);
    }

    #[test]
    fn fields_must_be_covered_and_conditions_hold() {
        let fields = |pairs: &[(&str, &str)]| {
            Fields(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let check = |conditions: &str, pairs: &[(&str, &str)]| {
            policy(conditions).unwrap().check("io", "ws/a.txt", &fields(pairs))
        };
        let both = "{\"Bucket\":\"io\"},[\"starts-with\",\"$key\",\"ws/\"]";
        let cased = "[{\"bUcKeT\":\"io\"},[\"StArTs-WiTh\",\"$KeY\",\"ws/\"]]";
        let typed = format!("[{both},[\"starts-with\",\"$Content-Type\",\"image/\"]]");
        let key = ("key", "ws/${filename}");
        assert_eq!(check(&format!("[{both}]"), &[key]).unwrap(), (0, u64::MAX));
        assert_eq!(check(cased, &[key]).unwrap(), (0, u64::MAX));
        assert_eq!(check(&format!("[{both},[\"content-length-range\",1,\"9\"]]"), &[key]).unwrap(), (1, 9));
        assert!(check(&typed, &[key, ("content-type", "image/png, image/gif"), ("x-ignore-a", "b")]).is_ok());
        for (conditions, pairs, why) in [
            (
                &typed,
                &[key, ("content-type", "image/png,text/html")][..],
                "Policy Condition failed: [\"starts-with\",\"$Content-Type\",\"image/\"]",
            ),
            (&typed, &[key], "Policy Condition failed: [\"starts-with\",\"$Content-Type\",\"image/\"]"),
            (&format!("[{both}]"), &[key, ("acl", "private")], "Extra input fields: acl"),
            (&"[[\"eq\",\"$key\",\"ws/a.txt\"]]".to_owned(), &[key], "Extra input fields: bucket"),
            (&"[{\"bucket\":\"io\"}]".to_owned(), &[key], "Extra input fields: key"),
            (
                &"[{\"bucket\":\"io\"},{\"key\":\"b\"}]".to_owned(),
                &[key],
                "Policy Condition failed: [\"eq\", \"$key\", \"b\"]",
            ),
            (
                &format!("[{both},[\"eq\",\"key\",\"ws/a.txt\"]]"),
                &[key],
                "Policy Condition failed: [\"eq\",\"key\",\"ws/a.txt\"]",
            ),
        ] {
            let expected = ("AccessDenied".to_owned(), format!("Invalid according to Policy: {why}"));
            assert_eq!(refusal(check(conditions, pairs)), expected);
        }
    }
}
