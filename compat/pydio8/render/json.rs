//! JSON as PHP writes it: `/` as `\/`, everything beyond ASCII as `\uXXXX`. The Python SDK runs a
//! `unicode_escape` decode over some answers, and raw UTF-8 comes out of that broken.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;

/// The text of a value.
pub fn text(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Php);
    // A `Value` always serialises, and memory always takes it.
    let _ = value.serialize(&mut serializer);
    out
}

struct Php;

impl Formatter for Php {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        for c in fragment.chars() {
            match c {
                '/' => writer.write_all(b"\\/")?,
                c if c.is_ascii() => writer.write_all(&[c as u8])?,
                c => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_everything_beyond_ascii_are_escaped() {
        let value = serde_json::json!({"/é": "a/b \"😀\"\n"});
        assert_eq!(String::from_utf8(text(&value)).unwrap(), r#"{"\/\u00e9":"a\/b \"\ud83d\ude00\"\n"}"#);
    }
}
