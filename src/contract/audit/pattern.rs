//! A log format taken apart: what stands between the fields, and which field is which.
//!
//! A field ends where the text after it in the format is found first, escaped characters skipped. So
//! `"$request" $status` reads a request that holds `\"`, and `$remote_user [` a user with a space.

use std::borrow::Cow;

use super::line::{Line, Request, text};
use super::when::Form;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Literal(Vec<u8>),
    Field(Field),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `GET /a?b HTTP/1.1`
    Request,
    Method,
    /// Path and query
    Uri,
    /// Without the query
    Path,
    /// With or without its `?`
    Query,
    Status,
    User,
    /// A user where other formats have more words: not with the ` - ` that stands before it
    OnlyUser,
    Agent,
    Time(Form),
    /// Neither empty nor `-` nor with a space nor one of a list: an address or a host
    Word,
    Skip,
}

/// Why a format cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("nothing separates {0} from the field after it, so their ends cannot be told")]
    Adjacent(String),
    #[error("it logs no request: neither the request line nor both method and path")]
    NoRequest,
    #[error("{0}")]
    Syntax(String),
}

#[derive(Clone, Debug)]
pub struct Pattern {
    pieces: Vec<Piece>,
    timed: bool,
}

impl Pattern {
    /// Checks the pieces of a format. Text of two neighbours becomes one, and so do a path and the
    /// query that follows it.
    pub fn of(pieces: impl IntoIterator<Item = (Piece, String)>) -> Result<Self, Unusable> {
        let mut joined: Vec<(Piece, String)> = Vec::new();
        for (piece, name) in pieces {
            match (joined.last_mut(), &piece) {
                (Some((Piece::Literal(before), _)), Piece::Literal(after)) => before.extend(after),
                (Some((Piece::Field(path @ Field::Path), _)), Piece::Field(Field::Query)) => {
                    *path = Field::Uri
                }
                _ => joined.push((piece, name)),
            }
        }
        for pair in joined.windows(2) {
            if let [(Piece::Field(_), name), (Piece::Field(_), _)] = pair {
                return Err(Unusable::Adjacent(name.clone()));
            }
        }
        let pieces: Vec<Piece> = joined.into_iter().map(|(piece, _)| piece).collect();
        let has =
            |field: &Field| pieces.iter().any(|piece| matches!(piece, Piece::Field(found) if found == field));
        if !has(&Field::Request) && !(has(&Field::Method) && (has(&Field::Uri) || has(&Field::Path))) {
            return Err(Unusable::NoRequest);
        }
        let timed = pieces.iter().any(|piece| matches!(piece, Piece::Field(Field::Time(_))));
        Ok(Self { pieces, timed })
    }

    /// Whether the format has a time that can be read.
    pub fn timed(&self) -> bool {
        self.timed
    }

    /// Reads a line; `None` when it is not of this format.
    pub fn read<'a>(&self, line: &'a [u8]) -> Option<Line<'a>> {
        // Logs without escapes have backslashes that mean nothing.
        self.read_with(line, true).or_else(|| line.contains(&b'\\').then(|| self.read_with(line, false))?)
    }

    fn read_with<'a>(&self, line: &'a [u8], escapes: bool) -> Option<Line<'a>> {
        let mut found = Found::default();
        let mut rest = line;
        let mut pieces = self.pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Literal(literal) => rest = rest.strip_prefix(literal.as_slice())?,
                Piece::Field(field) => {
                    let end = match pieces.peek() {
                        Some(Piece::Literal(literal)) => find(rest, literal, escapes)?,
                        _ => rest.len(),
                    };
                    let (value, after) = rest.split_at_checked(end)?;
                    found.take(field, value)?;
                    rest = after;
                }
            }
        }
        rest.is_empty().then(|| found.line())
    }
}

/// Where `literal` begins, not counting escaped bytes as a beginning.
fn find(text: &[u8], literal: &[u8], escapes: bool) -> Option<usize> {
    let (first, others) = literal.split_first()?;
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let step = rest.iter().position(|byte| byte == first || (escapes && *byte == b'\\'))?;
        let here = at + step;
        if escapes && *first != b'\\' && text.get(here) == Some(&b'\\') {
            at = here + 2;
        } else if text.get(here + 1..).is_some_and(|after| after.starts_with(others)) {
            return Some(here);
        } else {
            at = here + 1;
        }
    }
    None
}

#[derive(Default)]
struct Found<'a> {
    line: Line<'a>,
    method: Option<&'a [u8]>,
    uri: Option<&'a [u8]>,
    query: Option<&'a [u8]>,
    request: Option<&'a [u8]>,
}

impl<'a> Found<'a> {
    /// `None` when the value cannot be the field's.
    fn take(&mut self, field: &Field, value: &'a [u8]) -> Option<()> {
        match field {
            Field::Request => self.request = Some(value),
            Field::Method => self.method = Some(value),
            Field::Uri | Field::Path => self.uri = Some(value),
            Field::Query => self.query = Some(value),
            Field::Status => self.line.status = status(value)?,
            Field::OnlyUser if value.windows(2).any(|two| two == b" -") => return None,
            Field::User | Field::OnlyUser => self.line.user = given(value).map(text),
            Field::Agent => self.line.agent = Some(text(value)),
            Field::Time(form) => self.line.time = Some(form.read(value)?),
            Field::Word => {
                if matches!(value, b"" | b"-" | [.., b',']) || value.contains(&b' ') {
                    return None;
                }
            }
            Field::Skip => {}
        }
        Some(())
    }

    fn line(self) -> Line<'a> {
        let Self { mut line, method, uri, query, request } = self;
        line.request = match (request, method, uri) {
            (Some(request), ..) => Request::of_line(text(request)),
            (None, Some(method), Some(uri)) => {
                let mut target = text(uri);
                if let Some(query) = query.and_then(given) {
                    let query = text(query);
                    let query = query.strip_prefix('?').unwrap_or(&query);
                    target = Cow::Owned(format!("{target}?{query}"));
                }
                Request::of(text(method), target)
            }
            _ => None,
        };
        line
    }
}

/// A status is three digits; logs write `-` or `000` for none.
fn status(value: &[u8]) -> Option<Option<u16>> {
    match value {
        b"-" | b"" | b"0" | b"000" => Some(None),
        [a @ b'1'..=b'9', b, c] if b.is_ascii_digit() && c.is_ascii_digit() => {
            let digit = |byte: &u8| u16::from(byte - b'0');
            Some(Some(digit(a) * 100 + digit(b) * 10 + digit(c)))
        }
        _ => None,
    }
}

/// Logs write `-` for what is missing; Apache writes `""` for an empty user.
fn given(value: &[u8]) -> Option<&[u8]> {
    (!matches!(value, b"" | b"-" | b"\"\"")).then_some(value)
}
