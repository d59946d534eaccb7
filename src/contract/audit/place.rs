//! What may be shown of a request that is no call of the contract: where it goes, without names of
//! files, ids, hashes and tokens, and never a value of its query but the action it asks for.

/// Stands for what is not shown.
const HIDDEN: &str = "…";

/// Longest segment that is shown.
const SEGMENT: usize = 40;

/// Segments before one that is somebody's secret or name, however short: public links, resets.
const KEEPS_SECRETS: [&str; 12] = [
    "public",
    "reset-password",
    "f",
    "d",
    "s",
    "link",
    "links",
    "shared",
    "token",
    "invite",
    "ocs-invite",
    "proxy",
];

/// Endings of what belongs to a web page rather than to a user.
const PAGES: [&str; 12] =
    ["js", "css", "map", "php", "woff", "woff2", "ttf", "eot", "ico", "cgi", "asp", "aspx"];

/// More of them in the root, where nobody keeps files: `/robots.txt`.
const ROOT_PAGES: [&str; 9] = ["txt", "html", "htm", "xml", "json", "webmanifest", "png", "svg", "jsp"];

/// The first segment, by which requests are grouped: `/plugins/`, `/robots.txt`, `/`.
pub fn group(path: &str) -> String {
    let path = path.trim_start_matches('/');
    match path.split_once('/') {
        Some((first, _)) => format!("/{}/", segment(first)),
        None if is_document(path, true) => format!("/{HIDDEN}"),
        None => format!("/{}", segment(path)),
    }
}

/// The path and the names of the query's parameters, as an example of a group.
pub fn example(method: &str, path: &str, query: Option<&str>) -> String {
    let mut shown = String::from(if method.len() <= 20 { method } else { HIDDEN });
    shown.push(' ');
    let mut before = "";
    // The action of Pydio's API stands behind the workspace.
    let depth = if path.starts_with("/api/") { 3 } else { 2 };
    let all: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    for (at, part) in all.iter().enumerate() {
        let last = at + 1 == all.len();
        shown.push('/');
        if at < depth || (last && is_page(part)) {
            let hidden = KEEPS_SECRETS.contains(&before) || (last && is_document(part, at == 0));
            shown.push_str(if hidden { HIDDEN } else { segment(part) });
        } else if !part.is_empty() {
            shown.push_str(HIDDEN);
            if !all.last().is_some_and(|part| is_page(part)) {
                break;
            }
            // One sign stands for all folders before the file of a page.
            if let Some(file) = all.last().filter(|_| !last) {
                shown.push('/');
                shown.push_str(segment(file));
            }
            break;
        }
        before = part;
    }
    parameters(&mut shown, query.unwrap_or_default());
    shown
}

fn parameters(shown: &mut String, query: &str) {
    let mut separator = '?';
    for (at, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        shown.push(separator);
        separator = '&';
        if at == 6 {
            shown.push_str(HIDDEN);
            return;
        }
        match pair.split_once('=') {
            Some(("get_action", action)) => {
                shown.push_str("get_action=");
                shown.push_str(segment(action));
            }
            Some((name, _)) => shown.push_str(segment(name)),
            // A lone word is a value as often as a name.
            None => shown.push_str(HIDDEN),
        }
    }
}

/// The segment, or a sign in its place if it may be an id, a token, an address or a person's text.
fn segment(text: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-~+[]".contains(&byte);
    if text.len() > SEGMENT || !text.bytes().all(plain) || is_id(text) { HIDDEN } else { text }
}

fn ending(text: &str) -> Option<&str> {
    let (name, ending) = text.rsplit_once('.')?;
    (!name.is_empty() && !ending.is_empty()).then_some(ending)
}

fn is_page(text: &str) -> bool {
    ending(text).is_some_and(|ending| PAGES.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Whether it may be the name of a user's file.
fn is_document(text: &str, in_root: bool) -> bool {
    ending(text).is_some_and(|ending| {
        let known = |endings: &[&str]| endings.iter().any(|known| ending.eq_ignore_ascii_case(known));
        !(known(&PAGES) || (in_root && known(&ROOT_PAGES)))
    })
}

fn is_id(text: &str) -> bool {
    // `app.3f2a9c1b.js` has its hash between dots.
    text.split('.').any(|part| {
        let count = |class: fn(&u8) -> bool| part.bytes().filter(&class).count();
        let digits = count(u8::is_ascii_digit);
        let hex = part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let only_digits = digits == part.len() && digits >= 4;
        let hash = hex && part.len() >= 8 && digits > 0;
        let mixed = part.len() >= 8
            && digits > 0
            && count(u8::is_ascii_lowercase) > 0
            && count(u8::is_ascii_uppercase) > 0;
        let long = part.len() >= 16 && digits >= 3;
        only_digits || hash || mixed || long || part.len() >= 32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_first_segments() {
        for (path, expected) in [
            ("/", "/"),
            ("/robots.txt", "/robots.txt"),
            ("/plugins/gui.ajax/res/x.js", "/plugins/"),
            ("//wp-login.php", "/wp-login.php"),
            ("/Contract%20Smith.pdf", "/…"),
            ("/smith.pdf", "/…"),
            ("/.env", "/.env"),
            ("/0f3c9a7d1e2b4c5d/x", "/…/"),
            ("/\u{1b}[31m", "/…"),
            ("*", "/…"),
        ] {
            assert_eq!(group(path), expected, "{path}");
        }
    }

    #[test]
    fn examples_hide_names_ids_and_values() {
        for (path, query, expected) in [
            ("/plugins/gui.ajax/res/themes/orbit/a.css", None, "GET /plugins/gui.ajax/…/a.css"),
            ("/plugins/gui.ajax/res/build/app.0f3c9a7d.js", Some("v=8.2.5"), "GET /plugins/gui.ajax/…/…?v"),
            ("/public/b4c2f1", None, "GET /public/…"),
            ("/public/summer-party", Some("dl=true&key=hunter2"), "GET /public/…?dl&key"),
            ("/user/reset-password/Zk3v", None, "GET /user/reset-password/…"),
            ("/api/my-files/unknown_action/Letters/to%20Bob.doc", None, "GET /api/my-files/unknown_action/…"),
            (
                "/index.php",
                Some("get_action=odd&dir=%2FLetters&secure_token=Ab3"),
                "GET /index.php?get_action=odd&dir&secure_token",
            ),
            ("/index.php", Some("get_action=%3Cscript%3E"), "GET /index.php?get_action=…"),
            ("/shares/my-files/Letters/To Bob.odt", None, "GET /shares/my-files/…"),
            ("/u/alice@example.org/x", None, "GET /u/…/…"),
            ("/x", Some("eyJhbGciOi.J9"), "GET /x?…"),
            ("/files/Smith.png", None, "GET /files/…"),
            ("/files/passwords.txt", None, "GET /files/…"),
            ("/12345", None, "GET /…"),
            ("/a/", None, "GET /a/"),
        ] {
            assert_eq!(example("GET", path, query), expected, "{path}");
        }
        let many = (0..100).map(|at| format!("p{at}=x&")).collect::<String>();
        assert_eq!(example("GET", "/x", Some(&many)), "GET /x?p0&p1&p2&p3&p4&p5&…");
    }
}
