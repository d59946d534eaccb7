//! nginx's `log_format` as a [`Pattern`].
//!
//! Taken is the format string, or the whole directive as it stands in the configuration:
//! `log_format main '$remote_addr ...' '"$request" ...';`.

use super::pattern::{Field, Pattern, Piece, Unusable};
use super::when::Form;

pub fn pattern(text: &str) -> Result<Pattern, Unusable> {
    let format = format_string(text.trim())?;
    let mut pieces = Vec::new();
    let mut rest = format.as_str();
    while !rest.is_empty() {
        let Some((before, after)) = rest.split_once('$') else {
            pieces.push((Piece::Literal(rest.as_bytes().to_vec()), String::new()));
            break;
        };
        if !before.is_empty() {
            pieces.push((Piece::Literal(before.as_bytes().to_vec()), String::new()));
        }
        let (name, after) = variable(after).ok_or_else(|| {
            Unusable::Syntax(format!("expected the name of a variable after `$` in `${after}`"))
        })?;
        pieces.push((Piece::Field(field(name)), format!("`${name}`")));
        rest = after;
    }
    Pattern::of(pieces)
}

/// `name` or `{name}`, and what follows.
fn variable(text: &str) -> Option<(&str, &str)> {
    if let Some(braced) = text.strip_prefix('{') {
        return braced.split_once('}').filter(|(name, _)| !name.is_empty());
    }
    let end =
        text.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(text.len());
    (end > 0).then(|| text.split_at_checked(end)).flatten()
}

fn field(name: &str) -> Field {
    match name {
        "request" => Field::Request,
        "request_method" => Field::Method,
        "request_uri" => Field::Uri,
        "uri" | "document_uri" => Field::Path,
        "args" | "query_string" => Field::Query,
        "status" => Field::Status,
        "remote_user" => Field::User,
        "http_user_agent" => Field::Agent,
        "time_local" => Field::Time(Form::Common),
        "time_iso8601" => Field::Time(Form::Iso),
        "msec" => Field::Time(Form::Epoch),
        // No variables of nginx: the built-in formats tell lines apart by these.
        "HOST" | "ADDRESS" => Field::Word,
        "USER" => Field::OnlyUser,
        _ => Field::Skip,
    }
}

/// The string of a directive, its quoted parts joined as nginx joins them; anything else is the
/// string already.
fn format_string(text: &str) -> Result<String, Unusable> {
    let parts = match text.strip_prefix("log_format").filter(|rest| rest.starts_with(char::is_whitespace)) {
        Some(directive) => {
            let (_name, rest) = directive.trim_start().split_once(char::is_whitespace).ok_or_else(|| {
                Unusable::Syntax("expected a name and a string after `log_format`".to_owned())
            })?;
            let rest = rest.trim_start();
            match rest.strip_prefix("escape=") {
                Some(escape) => escape.split_once(char::is_whitespace).map_or("", |(_, rest)| rest),
                None => rest,
            }
        }
        // A string that begins with a quote may be quoted or begin with a quoted field.
        None if text.starts_with('\'') => text,
        None => return Ok(text.to_owned()),
    };
    let parts = parts.trim().trim_end_matches(';').trim_end();
    let mut joined = String::new();
    let mut rest = parts;
    while let Some(quote) = rest.chars().next() {
        if quote != '\'' && quote != '"' {
            return Err(Unusable::Syntax(format!("expected a quoted string at `{rest}`")));
        }
        let mut letters = rest.char_indices().skip(1);
        let mut end = None;
        while let Some((at, letter)) = letters.next() {
            if letter == quote {
                end = Some(at);
                break;
            }
            match letter {
                '\\' => match letters.next() {
                    Some((_, 't')) => joined.push('\t'),
                    Some((_, escaped @ ('\'' | '"' | '\\'))) => joined.push(escaped),
                    Some((_, other)) => joined.extend(['\\', other]),
                    None => {}
                },
                _ => joined.push(letter),
            }
        }
        let end = end.ok_or_else(|| Unusable::Syntax(format!("the quote at `{rest}` is not closed")))?;
        rest = rest.get(end + 1..).unwrap_or_default().trim_start();
    }
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Request, status, agent and time.
    type Read = (String, Option<u16>, Option<String>, Option<i64>);

    fn read(format: &str, line: &str) -> Option<Read> {
        let pattern = pattern(format).unwrap();
        let line = pattern.read(line.as_bytes())?;
        let request = line.request.map_or_else(String::new, |request| {
            let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
            format!("{} {}{query}", request.method, request.path)
        });
        Some((request, line.status, line.agent.map(|agent| agent.into_owned()), line.time))
    }

    /// The example of the documentation of ngx_http_log_module.
    #[test]
    fn the_directive_is_read_as_it_stands_in_the_configuration() {
        let directive = "log_format compression '$remote_addr - $remote_user [$time_local] '\n    \
                         '\"$request\" $status $bytes_sent '\n    \
                         '\"$http_referer\" \"$http_user_agent\" \"$gzip_ratio\"';";
        let line = "10.0.0.7 - alice [10/Oct/2000:13:55:36 -0700] \"GET /api/my-files/ls/ HTTP/1.1\" 200 512 \
                    \"-\" \"curl/7.88.1\" \"2.12\"";
        let expected =
            Some(("GET /api/my-files/ls/".into(), Some(200), Some("curl/7.88.1".into()), Some(971_211_336)));
        assert_eq!(read(directive, line), expected);
        let string = "$remote_addr - $remote_user [$time_local] \"$request\" $status $bytes_sent \"$http_referer\" \
                      \"$http_user_agent\" \"$gzip_ratio\"";
        assert_eq!(read(string, line), expected);
        assert_eq!(read(&format!("'{string}'"), line), expected);
    }

    #[test]
    fn formats_of_json_are_read() {
        let directive = "log_format js escape=json '{\"t\":\"$time_iso8601\",\"m\":\"$request_method\",'\
                         '\"u\":\"$request_uri\",\"s\":$status,\"ua\":\"$http_user_agent\"}';";
        let line = "{\"t\":\"2000-10-10T13:55:36-07:00\",\"m\":\"PUT\",\"u\":\"/io/a\\\"b\",\"s\":200,\"ua\":\"x\\/1\"}";
        let expected = ("PUT /io/a\"b".into(), Some(200), Some("x/1".into()), Some(971_211_336));
        assert_eq!(read(directive, line), Some(expected));
    }

    #[test]
    fn parts_of_the_request_are_put_together() {
        let format = "$msec ${request_method} $uri$is_args$args|$status";
        assert_eq!(pattern(format).unwrap_err(), Unusable::Adjacent("`$uri`".into()));
        let format = "$msec ${request_method} $uri?$args|$status";
        let expected = ("GET /a b?get_action=ls".into(), Some(200), None, Some(971_211_336));
        assert_eq!(read(format, "971211336.250 GET /a b?get_action=ls|200"), Some(expected));
        assert_eq!(read(format, "971211336.250 GET /a?|200").map(|found| found.0), Some("GET /a".into()));
    }

    #[test]
    fn formats_that_cannot_be_used_say_why() {
        assert_eq!(pattern("$remote_addr $status").unwrap_err(), Unusable::NoRequest);
        assert_eq!(pattern("$host$request").unwrap_err(), Unusable::Adjacent("`$host`".into()));
        assert!(matches!(pattern("$").unwrap_err(), Unusable::Syntax(_)));
        assert!(matches!(pattern("log_format x '$request").unwrap_err(), Unusable::Syntax(_)));
        assert!(matches!(pattern("log_format x").unwrap_err(), Unusable::Syntax(_)));
    }
}
