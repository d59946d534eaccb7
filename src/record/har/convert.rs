//! A HAR entry into an exchange: what must be there, what is made up for, what is skipped.

use std::time::Duration;

use super::url::{self, Unfit};
use super::{Limits, body, cookies, date, raw};
use crate::exchange::{Answered, Exchange, Payload, Sent};

pub enum Converted {
    Exchange { exchange: Box<Exchange>, notes: Vec<String> },
    Skipped(String),
}

pub fn convert(number: usize, entry: raw::Entry, limits: &Limits) -> Result<Converted, String> {
    let request = entry.request.ok_or("it has no `request`")?;
    let url = request.url.as_ref().ok_or("it has no `request.url`")?.lossy();
    let (origin, target) = match url::split(&url) {
        Ok(parts) => parts,
        Err(Unfit::Scheme(scheme)) => return Ok(Converted::Skipped(format!("`{scheme}:` is not HTTP"))),
        Err(Unfit::Bad(why)) => return Err(format!("`request.url` is no URL: {why}")),
    };
    if entry.resource_type.as_deref() == Some("websocket") {
        return Ok(Converted::Skipped("a web socket is no call and answer".to_owned()));
    }
    let started = entry.started_date_time.ok_or("it has no `startedDateTime`")?;
    let started = date::parse(&started).ok_or("`startedDateTime` is no date")?;
    let mut notes = Vec::new();
    let request = sent(request, origin, target, limits, &mut notes)?;
    let response = match entry.response {
        Some(response) => answered(response, &request.method, limits)?,
        None => Answered { status: 0, headers: Vec::new(), body: Payload::EMPTY },
    };
    let notes = notes.into_iter().map(|note| format!("entry {number}: {note}")).collect();
    let took = duration(entry.time);
    let comment = entry.comment.filter(|comment| !comment.is_empty());
    let exchange = Box::new(Exchange { number, started, took, request, response, comment });
    Ok(Converted::Exchange { exchange, notes })
}

fn sent(
    request: raw::Request,
    origin: String,
    target: String,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Result<Sent, String> {
    let method = request.method.unwrap_or_default();
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err("`request.method` is no method".to_owned());
    }
    let mut headers = headers(request.headers, "request")?;
    if !has(&headers, "cookie") {
        headers.extend(cookies::cookie(request.cookies.as_deref().unwrap_or_default()));
    }
    let body = body::sent(request.post_data, request.body_size, &headers, limits, notes)?;
    // `*` has no URL of its own; ours says it beside one.
    let target = if request.target.as_deref() == Some("*") { "*".to_owned() } else { target };
    Ok(Sent { method, origin, target, headers, body })
}

fn answered(response: raw::Response, method: &str, limits: &Limits) -> Result<Answered, String> {
    let status = match response.status {
        None => 0,
        Some(status) if (0.0..1000.0).contains(&status) && status.fract() == 0.0 => status as u16,
        // Some programs write -1 for an answer that never came.
        Some(-1.0) => 0,
        Some(_) => return Err("`response.status` is no status".to_owned()),
    };
    let mut headers = headers(response.headers, "response")?;
    if !has(&headers, "set-cookie") {
        headers.extend(cookies::set_cookie(response.cookies.as_deref().unwrap_or_default()));
    }
    if let Some(to) = response.redirect_url.filter(|to| !to.0.is_empty())
        && !has(&headers, "location")
    {
        headers.push(("location".to_owned(), header_value(&to.lossy(), "redirectURL")?));
    }
    let bodiless = method == "HEAD" || matches!(status, 0 | 100..200 | 204 | 304);
    let body = body::answered(response.content, response.body_size, &headers, bodiless, limits)?;
    Ok(Answered { status, headers, body })
}

fn headers(list: Option<Vec<raw::Pair>>, side: &str) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::new();
    for pair in list.unwrap_or_default() {
        let name = pair.name.ok_or_else(|| format!("a {side} header has no name"))?.lossy();
        // HTTP/2 has method, path and host among its headers; they are elsewhere in a HAR.
        if name.starts_with(':') {
            continue;
        }
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("a {side} header has a name that is none"));
        }
        // Chrome puts the lines of a header that came several times into one, as with Set-Cookie.
        for line in pair.value.unwrap_or_default().lossy().split('\n') {
            headers.push((name.clone(), header_value(line.trim_matches([' ', '\t', '\r']), &name)?));
        }
    }
    Ok(headers)
}

fn header_value(value: &str, name: &str) -> Result<String, String> {
    if value.chars().any(|c| c.is_ascii_control() && c != '\t') {
        return Err(format!("the header `{name}` holds a control character"));
    }
    Ok(value.to_owned())
}

pub fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn has(headers: &[(String, String)], name: &str) -> bool {
    find(headers, name).is_some()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Milliseconds; unknown and negative ones are none.
fn duration(ms: Option<f64>) -> Duration {
    ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok()).unwrap_or_default()
}
