//! Names that stand for secrets: `__<kind>_<n>__`.
//!
//! Lower-case letters, digits and underscores only, so a name survives a URL, XML and JSON as it is.

use std::ops::Range;

/// A name found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<'a> {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// `password` of `__password_1__`.
    pub kind: &'a str,
    pub number: u32,
    /// `__password_1__`
    pub whole: &'a str,
}

/// The names in a text, in order.
pub fn names(text: &str) -> impl Iterator<Item = Name<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(found) = text.get(from..)?.find("__") {
            let start = from + found;
            if let Some(name) = name_at(text, start) {
                from = name.range.end;
                return Some(name);
            }
            from = start + 1;
        }
        None
    })
}

/// Whether a text is one name and nothing else.
pub fn is_name(text: &str) -> bool {
    name_at(text, 0).is_some_and(|name| name.range.end == text.len())
}

/// The name that begins at `start`.
pub(crate) fn name_at(text: &str, start: usize) -> Option<Name<'_>> {
    let after = text.get(start..)?.strip_prefix("__")?;
    let mut at = 0;
    loop {
        let rest = after.get(at..)?;
        let letters = rest.bytes().take_while(u8::is_ascii_lowercase).count();
        if letters == 0 || rest.as_bytes().get(letters) != Some(&b'_') {
            return None;
        }
        let kind = after.get(..at + letters)?;
        at += letters + 1;
        let rest = after.get(at..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            continue;
        }
        let (number, close) = rest.split_at(digits);
        // `0` and leading zeros are nobody's: what is counted here begins with 1.
        if number.starts_with('0') || !close.starts_with("__") {
            return None;
        }
        let range = start..start + 2 + at + digits + 2;
        let whole = text.get(range.clone())?;
        return Some(Name { range, kind, number: number.parse().ok()?, whole });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Vec<&str> {
        names(text).map(|name| name.whole).collect()
    }

    #[test]
    fn names_are_found_wherever_they_stand() {
        assert_eq!(whole("Basic alice:__password_1__"), ["__password_1__"]);
        assert_eq!(
            whole("/a?secure_token=__secure_token_12__&x=__jwt_1__"),
            ["__secure_token_12__", "__jwt_1__"]
        );
        assert_eq!(whole("__a_1____b_2__"), ["__a_1__", "__b_2__"]);
        assert_eq!(whole("___cookie_1___"), ["__cookie_1__"]);
        let name = names("é__link_token_3__").next().unwrap();
        assert_eq!((name.range, name.kind, name.number), (2..18, "link_token", 3));
    }

    #[test]
    fn what_only_looks_like_a_name_is_none() {
        for text in [
            "",
            "__",
            "____",
            "__1__",
            "__a__",
            "__a_1_",
            "__a_1",
            "__a_0__",
            "__a_01__",
            "__A_1__",
            "__a1_1__",
            "__a__1__",
            "__a_99999999999__",
            "_a_1__",
            "__é_1__",
        ] {
            assert_eq!(whole(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_name_with_company_is_not_one_name() {
        assert!(is_name("__jwt_1__"));
        assert!(!is_name("Bearer __jwt_1__"));
        assert!(!is_name("__jwt_1__x"));
    }
}
