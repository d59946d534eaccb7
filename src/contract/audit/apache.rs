//! Apache's `LogFormat` as a [`Pattern`].
//!
//! Taken is the format string, or the whole directive as it stands in the configuration:
//! `LogFormat "%h %l %u %t \"%r\" %>s %b" common`.

use super::pattern::{Field, Pattern, Piece, Unusable};
use super::when::Form;

pub fn pattern(text: &str) -> Result<Pattern, Unusable> {
    let format = format_string(text.trim());
    let mut pieces = Vec::new();
    let mut rest = format.as_str();
    while !rest.is_empty() {
        let Some((before, after)) = rest.split_once('%') else {
            pieces.push((Piece::Literal(rest.as_bytes().to_vec()), String::new()));
            break;
        };
        if !before.is_empty() {
            pieces.push((Piece::Literal(before.as_bytes().to_vec()), String::new()));
        }
        if let Some(after) = after.strip_prefix('%') {
            pieces.push((Piece::Literal(b"%".to_vec()), String::new()));
            rest = after;
            continue;
        }
        let directive = Directive::parse(after).ok_or_else(|| {
            Unusable::Syntax(format!("expected a directive as `%h` or `%{{Referer}}i` at `%{after}`"))
        })?;
        directive.pieces(&mut pieces);
        rest = directive.rest;
    }
    Pattern::of(pieces)
}

/// `%>s`, `%{Referer}i`, `%!200,304{Referer}i`, `%{cookie}^ti`, without the `%`.
struct Directive<'a> {
    argument: Option<&'a str>,
    letter: &'a str,
    rest: &'a str,
}

impl<'a> Directive<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_start_matches(|letter: char| "!,<>".contains(letter) || letter.is_ascii_digit());
        let (argument, text) = match text.strip_prefix('{') {
            Some(braced) => braced.split_once('}').map(|(argument, rest)| (Some(argument), rest))?,
            None => (None, text),
        };
        // The modifiers may stand after the braces as well.
        let text = text.trim_start_matches(['<', '>']);
        let length = if text.starts_with('^') { 3 } else { 1 };
        let (letter, rest) = text.split_at_checked(length)?;
        letter.ends_with(|last: char| last.is_ascii_alphabetic()).then_some(Self { argument, letter, rest })
    }

    fn pieces(&self, pieces: &mut Vec<(Piece, String)>) {
        let name = match self.argument {
            Some(argument) => format!("`%{{{argument}}}{}`", self.letter),
            None => format!("`%{}`", self.letter),
        };
        let mut push = |field: Field| pieces.push((Piece::Field(field), name.clone()));
        let header = self.argument.filter(|_| self.letter == "i");
        match (self.letter, self.argument) {
            ("r", _) => push(Field::Request),
            ("m", _) => push(Field::Method),
            ("U", _) => push(Field::Path),
            ("q", _) => push(Field::Query),
            ("s", _) => push(Field::Status),
            ("u", _) => push(Field::User),
            ("i", _) if header.is_some_and(|name| name.eq_ignore_ascii_case("user-agent")) => {
                push(Field::Agent)
            }
            // The only directive that writes text around its value.
            ("t", None) => {
                pieces.push((Piece::Literal(b"[".to_vec()), String::new()));
                pieces.push((Piece::Field(Field::Time(Form::Common)), name));
                pieces.push((Piece::Literal(b"]".to_vec()), String::new()));
            }
            ("t", Some(format)) => push(time(format)),
            _ => push(Field::Skip),
        }
    }
}

/// `sec`, `msec`, `usec` and formats of `strftime`, each also after `begin:` or `end:`. A part of a
/// time that is logged in parts (`%{msec_frac}t`, `%{%T}t`) is passed over.
fn time(format: &str) -> Field {
    let format = format.strip_prefix("begin:").or_else(|| format.strip_prefix("end:")).unwrap_or(format);
    match format {
        "sec" | "msec" | "usec" => Field::Time(Form::Epoch),
        "msec_frac" | "usec_frac" => Field::Skip,
        _ => {
            let whole = format.contains("%s")
                || (["%d", "%e", "%F"].iter().any(|day| format.contains(day))
                    && ["%T", "%H"].iter().any(|hour| format.contains(hour)));
            if whole { Field::Time(Form::Strftime(format.as_bytes().to_vec())) } else { Field::Skip }
        }
    }
}

/// The string of a directive; anything else is the string already.
fn format_string(text: &str) -> String {
    let directive = text
        .get(.."LogFormat".len())
        .filter(|word| word.eq_ignore_ascii_case("LogFormat"))
        .and_then(|word| text.get(word.len()..));
    let quoted = directive.unwrap_or(text).trim_start();
    // A format may itself begin with a quoted field; only a directive's string ends at its quote.
    let end = match (directive, quoted.strip_prefix('"')) {
        (Some(_), Some(string)) => string,
        _ => return unescaped(text, None),
    };
    unescaped(end, Some('"'))
}

/// Undoes `\"`, `\\`, `\t` and `\n`, up to the quote that ends the string.
fn unescaped(text: &str, end: Option<char>) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if Some(letter) == end {
            break;
        }
        match letter {
            '\\' => match letters.next() {
                Some('t') => plain.push('\t'),
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            _ => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Request, status, user and time.
    type Read = (String, Option<u16>, Option<String>, Option<i64>);

    fn read(format: &str, line: &str) -> Option<Read> {
        let pattern = pattern(format).unwrap();
        let line = pattern.read(line.as_bytes())?;
        let request = line.request.map_or_else(String::new, |request| {
            let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
            format!("{} {}{query}", request.method, request.path)
        });
        Some((request, line.status, line.user.map(|user| user.into_owned()), line.time))
    }

    /// The line is the one that Apache's documentation of its access log takes apart.
    #[test]
    fn the_directive_is_read_as_it_stands_in_the_configuration() {
        let line = "127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /apache_pb.gif HTTP/1.0\" 200 2326";
        let expected =
            Some(("GET /apache_pb.gif".into(), Some(200), Some("frank".into()), Some(971_211_336)));
        assert_eq!(read("LogFormat \"%h %l %u %t \\\"%r\\\" %>s %b\" common", line), expected);
        assert_eq!(read("%h %l %u %t \\\"%r\\\" %>s %b", line), expected);
        assert_eq!(read("%h %l %u %t \"%r\" %>s %b", line), expected);
    }

    #[test]
    fn conditions_modifiers_and_formats_of_time_are_understood() {
        let format =
            "%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t %{c}a %{Foo}^ti %!200,304{Referer}i %m %U%q %{X}>s %%";
        let line = "10/Oct/2000 20:55:36.123 +0000 10.0.0.7 - - POST /index.php?get_action=ls 403 %";
        let expected = ("POST /index.php?get_action=ls".into(), Some(403), None, Some(971_211_336));
        assert_eq!(read(format, line), Some(expected));
        let format = "%{usec}t \"%r\" %s";
        let expected = ("GET /".into(), None, None, Some(971_211_336));
        assert_eq!(read(format, "971211336123456 \"GET / HTTP/1.1\" -"), Some(expected));
    }

    #[test]
    fn formats_that_cannot_be_used_say_why() {
        assert_eq!(pattern("%h %l %u %t %>s %b").unwrap_err(), Unusable::NoRequest);
        assert_eq!(pattern("%h%r").unwrap_err(), Unusable::Adjacent("`%h`".into()));
        assert!(matches!(pattern("%r %").unwrap_err(), Unusable::Syntax(_)));
        assert!(matches!(pattern("%{Referer").unwrap_err(), Unusable::Syntax(_)));
    }
}
