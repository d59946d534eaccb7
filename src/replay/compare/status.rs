//! The status, and answers that say "not supported".

use cellgate_record::{Answered, Sent};

use super::Comparison;
use crate::Weight;

/// Whether the rest of the answers is worth comparing.
pub fn compare(c: &mut Comparison<'_>, request: &Sent, recorded: &Answered, fresh: &Answered) -> bool {
    let (before, now) = (recorded.status, fresh.status);
    if before == 0 {
        c.note(
            Weight::Compatible,
            "status",
            None,
            Some(&now.to_string()),
            Some("the recording holds no answer"),
        );
        return false;
    }
    if before == now {
        return true;
    }
    let alike = c.reader.takes_alike(&request.method, before, now);
    let said = if now >= 400 { excerpt(fresh).map(|text| format!("the server says: {text}")) } else { None };
    let why = if alike { Some("this client takes both alike".to_owned()) } else { said };
    let weight = if alike { Weight::Compatible } else { Weight::Different };
    c.note(weight, "status", Some(&before.to_string()), Some(&now.to_string()), why.as_deref());
    // A failure has nothing in common with another. A client that takes one for a success reads its body.
    alike && !(before >= 400 && now >= 400)
}

/// Whether the server says that it does not know the operation, while the recorded one did.
pub fn unsupported(request: &Sent, recorded: &Answered, fresh: &Answered, protocol: &str) -> bool {
    let says = |answer: &Answered| {
        answer.status == 501
            || (protocol == "s3" && contains(answer, "<Code>NotImplemented</Code>"))
            || (protocol == "pydio8" && contains(answer, "Could not find action"))
    };
    let not_allowed = protocol == "webdav"
        && fresh.status == 405
        && (200..300).contains(&recorded.status)
        // Of a collection that is there already, 405 says something else.
        && request.method != "MKCOL";
    (says(fresh) || not_allowed) && !says(recorded) && recorded.status < 400
}

/// Answers that say so are short.
const SAID_WITHIN: usize = 16 * 1024;

fn contains(answer: &Answered, text: &str) -> bool {
    let Some(body) = answer.body.bytes() else { return false };
    let start = body.get(..body.len().min(SAID_WITHIN)).unwrap_or_default();
    start.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The beginning of what a failure says, on one line.
fn excerpt(answer: &Answered) -> Option<String> {
    let body = answer.body.bytes()?;
    let start = body.get(..body.len().min(4096))?;
    let text = String::from_utf8_lossy(start);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|char| !char.is_control()).take(160).collect();
    (!line.is_empty()).then_some(line)
}
