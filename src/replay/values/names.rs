//! Names of secrets, `__kind_n__`, in any text.

use std::ops::Range;

/// Where names stand in a text, in order.
pub fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find("__")).map(|at| at + from) {
        match end(bytes, start) {
            Some(end) => {
                found.push(start..end);
                from = end;
            }
            None => from = start + 1,
        }
    }
    found
}

/// Whether all of `text` is one name.
pub fn is(text: &str) -> bool {
    text.starts_with("__") && end(text.as_bytes(), 0) == Some(text.len())
}

/// The end of the name that begins at `start`, where two underscores are: words of small letters, then a
/// number, each after one underscore.
fn end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 2;
    let mut words = 0;
    loop {
        let word = at;
        while bytes.get(at).is_some_and(u8::is_ascii_lowercase) {
            at += 1;
        }
        if at == word {
            break;
        }
        words += 1;
        if bytes.get(at) != Some(&b'_') {
            return None;
        }
        at += 1;
    }
    let digits = at;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    let closed = bytes.get(at) == Some(&b'_') && bytes.get(at + 1) == Some(&b'_');
    (words > 0 && at > digits && closed).then_some(at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn names_are_found_wherever_they_stand() {
        assert_eq!(all("Bearer __jwt_1__"), ["__jwt_1__"]);
        assert_eq!(all("alice:__password_12__"), ["__password_12__"]);
        assert_eq!(all("a=__secure_token_2__&b=__cookie_1__"), ["__secure_token_2__", "__cookie_1__"]);
        assert_eq!(all("x__jwt_1__y____jwt_2__"), ["__jwt_1__", "__jwt_2__"]);
        assert_eq!(all("__init__ __Jwt_1__ __jwt__ __1__ __jwt_1_ ___"), Vec::<&str>::new());
        assert!(is("__jwt_1__") && !is("__jwt_1__ ") && !is("jwt"));
    }
}
