//! A recording of a server that had a protocol elsewhere: WebDAV below `/shares`, everything below `/pydio`.
//!
//! The recording is read as if the server had had it where the target has: in targets, in headers that
//! hold addresses, and in XML bodies. The contents of files are left alone.

use bytes::Bytes;
use cellgate_record::{Exchange, Payload};

/// Another place for all that lies below one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocation {
    from: String,
    /// Empty for the root.
    to: String,
}

/// Headers that hold addresses of the server.
const ADDRESSES: [&str; 6] = ["destination", "if", "location", "content-location", "referer", "lock-token"];

impl Relocation {
    /// `/shares=/dav`; `/pydio=/` takes the place away.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('=').ok_or("it has the form OLD=NEW, as in /shares=/dav")?;
        let place = |path: &str| {
            let path = path.trim_end_matches('/');
            let sound = path.starts_with('/') && !path.contains(['?', '#', ' ', '"', '<', '>']);
            (path.is_empty() || sound).then(|| path.to_owned())
        };
        let from = place(from).filter(|path| !path.is_empty());
        match (from, place(to)) {
            (Some(from), Some(to)) => Ok(Self { from, to }),
            _ => Err(format!("`{text}`: both are paths that begin with a slash, as in /shares=/dav")),
        }
    }

    pub fn apply(&self, exchange: &mut Exchange) {
        let origin = exchange.request.origin.clone();
        let request = &mut exchange.request;
        if let Some(rest) = request.target.strip_prefix(&self.from)
            && (rest.is_empty() || rest.starts_with(['/', '?']))
        {
            let slash = if self.to.is_empty() && !rest.starts_with('/') { "/" } else { "" };
            request.target = format!("{}{slash}{rest}", self.to);
        }
        let response = &mut exchange.response;
        for (name, value) in request.headers.iter_mut().chain(&mut response.headers) {
            if ADDRESSES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
                *value = self.text(value, &origin);
            }
        }
        for body in [&mut request.body, &mut response.body] {
            let Payload::Bytes(bytes) = body else { continue };
            let Ok(text) = std::str::from_utf8(bytes) else { continue };
            if text.trim_start_matches(['\u{feff}', ' ', '\r', '\n']).starts_with("<?xml")
                && text.contains(&self.from)
            {
                *body = Payload::Bytes(Bytes::from(self.text(text, &origin)));
            }
        }
    }

    /// Replaces addresses in a text: whole paths, alone or behind the server's origin.
    fn text(&self, text: &str, origin: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(&self.from) {
            let (before, found) = rest.split_at(at);
            let after = found.get(self.from.len()..).unwrap_or_default();
            out.push_str(before);
            let begins = (out.is_empty() || out.ends_with(['>', '<', '"', '\'', '(', ' ', '\n', '\t']))
                || (!origin.is_empty() && out.ends_with(origin));
            let ends =
                after.is_empty() || after.starts_with(['/', '?', '#', '<', '>', '"', '\'', ')', ' ', '\n']);
            if begins && ends {
                let slash = if self.to.is_empty() && !after.starts_with('/') { "/" } else { "" };
                out.push_str(&self.to);
                out.push_str(slash);
            } else {
                out.push_str(&self.from);
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{answered, sent};

    fn exchange(method: &str, target: &str) -> Exchange {
        crate::testing::exchange(1, sent(method, target, &[]), answered(200, ""))
    }

    #[test]
    fn places_are_paths() {
        for good in ["/shares=/dav", "/shares/=/dav/", "/pydio=/", "/a/b=/c"] {
            assert!(Relocation::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "/shares", "shares=/dav", "/=/dav", "/shares=dav", "/a b=/c", "/a?x=/c"] {
            assert!(Relocation::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn targets_addresses_and_hrefs_move_and_nothing_else() {
        let moved = Relocation::parse("/shares=/dav").unwrap();
        let mut call = exchange("MOVE", "/shares/w/shares/a.txt?x=/shares");
        call.request.origin = "https://old.example".into();
        call.request.headers = vec![
            ("Destination".into(), "https://old.example/shares/w/b.txt".into()),
            ("If".into(), "<https://old.example/shares/w/b.txt> (<opaquelocktoken:1>)".into()),
            ("X-Note".into(), "/shares/w".into()),
        ];
        call.response.headers = vec![("Location".into(), "/shares/w/b.txt".into())];
        let body = "<?xml version=\"1.0\"?><d:href>/shares/w/shares/</d:href><d:href>https://old.example/shares</d:href>\
                    <d:displayname>/sharesfolder</d:displayname>";
        call.response.body = Payload::Bytes(Bytes::from(body));
        moved.apply(&mut call);
        assert_eq!(call.request.target, "/dav/w/shares/a.txt?x=/shares");
        assert_eq!(call.request.header("destination"), Some("https://old.example/dav/w/b.txt"));
        assert_eq!(
            call.request.header("if"),
            Some("<https://old.example/dav/w/b.txt> (<opaquelocktoken:1>)")
        );
        assert_eq!(call.request.header("x-note"), Some("/shares/w"));
        assert_eq!(call.response.header("location"), Some("/dav/w/b.txt"));
        let text = String::from_utf8(call.response.body.bytes().unwrap().to_vec()).unwrap();
        assert_eq!(
            text,
            "<?xml version=\"1.0\"?><d:href>/dav/w/shares/</d:href><d:href>https://old.example/dav</d:href>\
             <d:displayname>/sharesfolder</d:displayname>"
        );
    }

    #[test]
    fn a_place_can_be_taken_away() {
        let moved = Relocation::parse("/pydio=/").unwrap();
        for (old, new) in [
            ("/pydio/api/x", "/api/x"),
            ("/pydio", "/"),
            ("/pydio?get_action=ls", "/?get_action=ls"),
            ("/pydios", "/pydios"),
        ] {
            let mut call = exchange("GET", old);
            moved.apply(&mut call);
            assert_eq!(call.request.target, new);
        }
    }

    #[test]
    fn files_are_left_alone() {
        let moved = Relocation::parse("/shares=/dav").unwrap();
        let mut call = exchange("PUT", "/shares/a.txt");
        call.request.body = Payload::Bytes(Bytes::from_static(b"see /shares/a"));
        moved.apply(&mut call);
        assert_eq!(call.request.body.bytes().unwrap().as_ref(), b"see /shares/a");
    }
}
