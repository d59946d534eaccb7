//! A body put together again from `postData.params`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::raw;

/// What `application/x-www-form-urlencoded` leaves as it is.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// As multipart where the type names a boundary, else url-encoded.
pub fn rebuilt(params: &[raw::Param], kind: &str) -> Vec<u8> {
    match boundary(kind) {
        Some(boundary) => multipart(params, &boundary),
        None => urlencoded(params),
    }
}

fn urlencoded(params: &[raw::Param]) -> Vec<u8> {
    let encoded = |text: Option<&raw::Text>| {
        let bytes = text.map(|text| text.0.as_slice()).unwrap_or_default();
        percent_encode(bytes, FORM).to_string().replace("%20", "+")
    };
    let pairs: Vec<String> = params
        .iter()
        .map(|param| format!("{}={}", encoded(param.name.as_ref()), encoded(param.value.as_ref())))
        .collect();
    pairs.join("&").into_bytes()
}

fn multipart(params: &[raw::Param], boundary: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for param in params {
        body.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data").as_bytes());
        for (key, value) in [("name", &param.name), ("filename", &param.file_name)] {
            if let Some(value) = value {
                body.extend_from_slice(format!("; {key}=\"{}\"", quoted(value)).as_bytes());
            }
        }
        body.extend_from_slice(b"\r\n");
        if let Some(kind) =
            param.content_type.as_deref().filter(|kind| !kind.is_empty() && !kind.contains('\n'))
        {
            body.extend_from_slice(format!("Content-Type: {kind}\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(param.value.as_ref().map(|value| value.0.as_slice()).unwrap_or_default());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

/// What browsers do with names; others cannot be told apart any more.
pub fn quoted(text: &raw::Text) -> String {
    text.lossy().replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// The boundary of a multipart type.
pub fn boundary(kind: &str) -> Option<String> {
    let start = kind.get(..10)?;
    if !start.eq_ignore_ascii_case("multipart/") {
        return None;
    }
    kind.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty()).then(|| value.to_owned())
    })
}
