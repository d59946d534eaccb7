//! Kinds of words that one server makes up otherwise than another.

/// What a word looks like, on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// With hyphens.
    Uuid,
    /// Sixteen digits at least.
    Hex,
    /// Three parts of base64url.
    Jwt,
    /// A mix of letters and digits that nobody types.
    Opaque,
}

/// `None`: a word that means what it says.
pub fn kind(word: &str) -> Option<Kind> {
    let bytes = word.as_bytes();
    // All of one digit is no identifier but says that there is none, as Seafile's forty zeros do.
    let significant = bytes.iter().filter(|byte| **byte != b'-');
    if !word.is_ascii() || significant.clone().min() == significant.max() {
        return None;
    }
    if is_uuid(bytes) {
        return Some(Kind::Uuid);
    }
    if bytes.len() >= 16 && is_hex(bytes) {
        return Some(Kind::Hex);
    }
    if is_jwt(word) {
        return Some(Kind::Jwt);
    }
    is_opaque(bytes).then_some(Kind::Opaque)
}

pub fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// With a letter: digits alone are a number.
fn is_hex(bytes: &[u8]) -> bool {
    let lower = bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let upper = bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    (lower || upper) && bytes.iter().any(u8::is_ascii_alphabetic)
}

fn is_jwt(word: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    word.starts_with("eyJ") && word.split('.').count() == 3 && word.split('.').all(part)
}

/// Random text changes between small letters, capitals and digits every second or third character;
/// names of files do so a few times.
fn is_opaque(bytes: &[u8]) -> bool {
    #[derive(PartialEq, Clone, Copy)]
    enum Class {
        Small,
        Capital,
        Digit,
    }
    if bytes.len() < 16 {
        return false;
    }
    let mut classes = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'a'..=b'z' => classes.push(Class::Small),
            b'A'..=b'Z' => classes.push(Class::Capital),
            b'0'..=b'9' => classes.push(Class::Digit),
            b'-' | b'_' | b'+' | b'/' | b'=' | b'~' => {}
            _ => return false,
        }
    }
    // A capital that begins a word is no change.
    let change =
        |pair: &&[Class]| !matches!(pair, [a, b] if a == b || (*a == Class::Capital && *b == Class::Small));
    let changes = classes.windows(2).filter(change).count();
    let letters = classes.contains(&Class::Small) || classes.contains(&Class::Capital);
    letters && classes.contains(&Class::Digit) && changes * 4 >= classes.len()
}

/// Where UUIDs stand in a word, such as in `copy-move-<uuid>`.
pub fn uuid_in(word: &str) -> Option<std::ops::Range<usize>> {
    let bytes = word.as_bytes();
    (0..bytes.len().saturating_sub(35)).map(|at| at..at + 36).find(|range| {
        let clear = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at)).is_none_or(|byte| !byte.is_ascii_alphanumeric())
        };
        bytes.get(range.clone()).is_some_and(is_uuid)
            && clear(range.start.checked_sub(1))
            && clear(Some(range.end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_words() {
        for (word, expected) in [
            ("2f4c0f0e-8a84-4b32-908a-408927657810", Some(Kind::Uuid)),
            ("00000000-0000-0000-0000-000000000000", None),
            ("62109206880d38a4010a98e11243924a", Some(Kind::Hex)),
            ("17cd3f5a2b0000004d2", Some(Kind::Hex)),
            ("0000000000000000000000000000000000000000", None),
            ("12345678901234567890", None),
            ("eyJhbGciOi.eyJzdWIiOi.c2ln-_X", Some(Kind::Jwt)),
            ("VXBsb2FkIElEIGZvciA2aWWpbmcncyBteS1tb3ZpZS5tMnRzIHVwbG9hZA", Some(Kind::Opaque)),
            ("k3J9x0PqLm28ZtR5vN1a", Some(Kind::Opaque)),
            ("report-2024-final-version", None),
            ("MyHolidayPictures2024", None),
            ("application/octet-stream", None),
            ("report-2024-final.pdf", None),
            ("", None),
            ("short1", None),
            ("éa1éa1éa1éa1éa1éa1éa1", None),
        ] {
            assert_eq!(kind(word), expected, "{word}");
        }
        assert_eq!(uuid_in("copy-move-2f4c0f0e-8a84-4b32-908a-408927657810"), Some(10..46));
        assert_eq!(uuid_in("x2f4c0f0e-8a84-4b32-908a-408927657810"), None);
    }
}
