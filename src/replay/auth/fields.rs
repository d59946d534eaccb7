//! Parameters of a request, wherever they stand: query, form, multipart fields, JSON.

use cellgate_record::{Part, Payload, Sent};

use crate::sign::Query;

/// Of a multipart field; longer ones are files.
const FIELD_MAX: usize = 4096;
/// Longer JSON is nobody's login.
const JSON_MAX: usize = 1 << 20;
/// Nor is deeper one.
const DEPTH_MAX: usize = 16;

/// Names and values, decoded; of JSON the last keys. The query comes first.
pub fn fields(sent: &Sent) -> Vec<(String, String)> {
    let mut found: Vec<_> = Query::of(&sent.target).parameters().collect();
    found.extend(body_fields(sent));
    found
}

pub fn body_fields(sent: &Sent) -> Vec<(String, String)> {
    if let Payload::Form(form) = &sent.body {
        let fields = form.parts.iter().filter(|part| !part.is_file());
        let text = |part: &Part| Some(String::from_utf8_lossy(part.content.bytes()?).into_owned());
        return fields.filter_map(|part| Some((part.name.clone(), text(part)?))).collect();
    }
    let mime = sent.header("content-type").unwrap_or_default();
    let Some(bytes) = sent.body.bytes().filter(|bytes| !bytes.is_empty()) else { return Vec::new() };
    let kind = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/x-www-form-urlencoded" => match std::str::from_utf8(bytes) {
            Ok(text) => Query::of(&format!("?{text}")).parameters().collect(),
            Err(_) => Vec::new(),
        },
        "multipart/form-data" => multipart(bytes, mime),
        // Scripts forget the type; what is no JSON is found out at once.
        _ if bytes.first() == Some(&b'{') && bytes.len() <= JSON_MAX => {
            let mut found = Vec::new();
            if let Ok(value) = serde_json::from_slice(bytes) {
                leaves("", &value, DEPTH_MAX, &mut found);
            }
            found
        }
        _ => Vec::new(),
    }
}

fn leaves(key: &str, value: &serde_json::Value, depth: usize, found: &mut Vec<(String, String)>) {
    use serde_json::Value;
    if depth == 0 {
        return;
    }
    match value {
        Value::String(text) => found.push((key.to_owned(), text.clone())),
        Value::Array(items) => items.iter().for_each(|item| leaves(key, item, depth - 1, found)),
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| leaves(key, value, depth - 1, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn multipart(bytes: &[u8], mime: &str) -> Vec<(String, String)> {
    let Some(boundary) = boundary(mime) else { return Vec::new() };
    let mark = format!("--{boundary}");
    let text = String::from_utf8_lossy(bytes);
    text.split(mark.as_str())
        .filter_map(|part| {
            let (head, body) = part.split_once("\r\n\r\n")?;
            let disposition = head.lines().find(|line| {
                line.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:"))
            })?;
            if disposition.contains("filename") || body.len() > FIELD_MAX {
                return None;
            }
            let name = disposition.split("name=").nth(1)?;
            let name = name.split(';').next().unwrap_or_default().trim().trim_matches('"');
            Some((name.to_owned(), body.strip_suffix("\r\n").unwrap_or(body).to_owned()))
        })
        .collect()
}

pub fn boundary(mime: &str) -> Option<String> {
    let parameter = mime.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    (!parameter.is_empty()).then_some(parameter)
}

/// The first value of a name.
pub fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sent;

    fn pairs(fields: &[(String, String)]) -> Vec<(&str, &str)> {
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn query_and_form_are_decoded() {
        let mut sent = sent("POST", "/index.php?get_action=login&a=%2Fb", &[]);
        sent.headers.push(("content-type".into(), "application/x-www-form-urlencoded; charset=utf-8".into()));
        sent.body = Payload::Bytes("userid=a+b%40c&password=__password_1__".into());
        assert_eq!(
            pairs(&fields(&sent)),
            [("get_action", "login"), ("a", "/b"), ("userid", "a b@c"), ("password", "__password_1__")]
        );
    }

    #[test]
    fn json_gives_its_leaves_also_without_a_type() {
        let mut sent = sent("POST", "/a/frontend/session", &[]);
        let body = r#"{"AuthInfo":{"login":"alice","password":"__password_1__","n":1},"List":["x"]}"#;
        sent.body = Payload::Bytes(body.into());
        assert_eq!(
            pairs(&fields(&sent)),
            [("login", "alice"), ("password", "__password_1__"), ("List", "x")]
        );
        sent.body = Payload::Bytes("{".into());
        assert!(fields(&sent).is_empty());
    }

    #[test]
    fn multipart_gives_fields_without_files() {
        let mut sent = sent("POST", "/upload", &[("Content-Type", "multipart/form-data; boundary=\"x y\"")]);
        let body = "--x y\r\nContent-Disposition: form-data; name=\"secure_token\"\r\n\r\n__secure_token_1__\r\n\
                    --x y\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nbytes\r\n--x y--\r\n";
        sent.body = Payload::Bytes(body.into());
        assert_eq!(pairs(&fields(&sent)), [("secure_token", "__secure_token_1__")]);
    }
}
