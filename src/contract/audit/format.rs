//! Which format a line is in.
//!
//! The built-in formats are tried on each line, the most telling first, so that a file may mix them.
//! What a custom variant of a format adds at the end of the line is passed over.

use super::pattern::{Pattern, Unusable};
use super::{apache, caddy, line::Line, nginx};

/// A format, by its name.
pub struct Format {
    pub name: &'static str,
    reader: Reader,
}

enum Reader {
    Pattern(Pattern),
    Caddy,
}

/// What a line is.
pub enum Read<'a> {
    Access(Line<'a>),
    /// A line of another log that the server writes into the same file.
    OtherLog,
}

/// The server whose formats are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Server {
    #[default]
    Auto,
    Nginx,
    Apache,
    Caddy,
}

// Written as nginx's formats are, with `$HOST` and `$ADDRESS` for words that are never missing, and
// `$USER` for one that may hold spaces.
const COMBINED: &str = "\"$request\" $status $bytes \"$http_referer\" \"$http_user_agent\"$rest";
const COMMON: &str = "\"$request\" $status $rest";

impl Format {
    /// The formats of a server that are tried without being told.
    pub fn of(server: Server) -> Vec<Self> {
        let mut formats = Vec::new();
        if matches!(server, Server::Auto | Server::Caddy) {
            formats.push(Self { name: "Caddy JSON", reader: Reader::Caddy });
        }
        if server == Server::Caddy {
            return formats;
        }
        let (combined, common) = match server {
            Server::Nginx => ("nginx combined", "nginx without agent"),
            Server::Apache => ("Apache combined", "Apache common"),
            Server::Auto | Server::Caddy => ("combined", "common"),
        };
        for (name, before) in [
            ("combined with host", "$HOST $ADDRESS - $USER"),
            (combined, "$ADDRESS $ident $USER"),
            // What syslog or Docker puts in front, or Seafile's own format; the user is not known then.
            ("combined after other words", "$words"),
        ] {
            formats.push(Self::built_in(name, &format!("{before} [$time_local] {COMBINED}")));
        }
        for (name, before) in [
            ("common with host", "$HOST $ADDRESS - $USER"),
            (common, "$ADDRESS $ident $USER"),
            ("common after other words", "$words"),
        ] {
            formats.push(Self::built_in(name, &format!("{before} [$time_local] {COMMON}")));
        }
        formats
    }

    fn built_in(name: &'static str, format: &str) -> Self {
        match nginx::pattern(format) {
            Ok(pattern) => Self { name, reader: Reader::Pattern(pattern) },
            // Constants, which every test of this file reads.
            Err(why) => unreachable!("{name}: {why}"),
        }
    }

    pub fn custom_nginx(format: &str) -> Result<Self, Unusable> {
        Ok(Self { name: "custom (nginx)", reader: Reader::Pattern(nginx::pattern(format)?) })
    }

    pub fn custom_apache(format: &str) -> Result<Self, Unusable> {
        Ok(Self { name: "custom (Apache)", reader: Reader::Pattern(apache::pattern(format)?) })
    }

    /// Whether its lines have a time.
    pub fn timed(&self) -> bool {
        match &self.reader {
            Reader::Pattern(pattern) => pattern.timed(),
            Reader::Caddy => true,
        }
    }

    /// `None` when the line is not of this format.
    pub fn read<'a>(&self, line: &'a [u8]) -> Option<Read<'a>> {
        match &self.reader {
            Reader::Pattern(pattern) => pattern.read(line).map(Read::Access),
            Reader::Caddy => caddy::read(line).map(|read| match read {
                caddy::Read::Access(line) => Read::Access(line),
                caddy::Read::Other => Read::OtherLog,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Format, request, status, user and agent of a line, tried as without options.
    fn read(line: &str) -> Option<String> {
        read_as(Server::Auto, line.as_bytes())
    }

    fn read_as(server: Server, line: &[u8]) -> Option<String> {
        let formats = Format::of(server);
        let (name, read) =
            formats.iter().find_map(|format| format.read(line).map(|read| (format.name, read)))?;
        let Read::Access(line) = read else { return Some(format!("{name}: other log")) };
        let request = line
            .request
            .map_or("no request".to_owned(), |request| format!("{} {}", request.method, request.path));
        let word = |word: Option<std::borrow::Cow<'_, str>>| {
            word.map_or("none".to_owned(), |word| word.into_owned())
        };
        let status = line.status.map_or("none".to_owned(), |status| status.to_string());
        assert_eq!(line.time, Some(971_211_336));
        Some(format!("{name}: {request}, {status}, {}, {}", word(line.user), word(line.agent)))
    }

    const TIME: &str = "[10/Oct/2000:13:55:36 -0700]";

    #[test]
    fn combined_is_read_with_and_without_additions() {
        for (line, expected) in [
            (
                "10.0.0.7 - alice TIME \"GET /api/my-files/ls/a%20b HTTP/1.1\" 200 512 \"-\" \"curl/7.88.1\"",
                "combined: GET /api/my-files/ls/a%20b, 200, alice, curl/7.88.1",
            ),
            // The `main` format that nginx's packages configure.
            (
                "10.0.0.7 - - TIME \"POST /index.php HTTP/2.0\" 200 9 \"https://old.example/\" \"Mozilla/5.0\" \"-\"",
                "combined: POST /index.php, 200, none, Mozilla/5.0",
            ),
            (
                "2001:db8::7 - - TIME \"GET / HTTP/1.1\" 304 0 \"-\" \"-\" 0.004 - .",
                "combined: GET /, 304, none, -",
            ),
            (
                "10.0.0.7 - Jörg van Example TIME \"PUT /dav/x HTTP/1.1\" 201 0 \"-\" \"gvfs/1.50.3\"",
                "combined: PUT /dav/x, 201, Jörg van Example, gvfs/1.50.3",
            ),
            // Apache with identd, and with an empty user.
            (
                "host.example ident7 \"\" TIME \"GET / HTTP/1.1\" 401 - \"-\" \"x/1\"",
                "combined: GET /, 401, none, x/1",
            ),
        ] {
            assert_eq!(read(&line.replace("TIME", TIME)).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn hosts_in_front_and_missing_agents_are_recognized() {
        for (line, expected) in [
            (
                "old.example:443 10.0.0.7 - alice TIME \"GET /x HTTP/1.1\" 200 5 \"-\" \"rclone/v1.60.1\"",
                "combined with host: GET /x, 200, alice, rclone/v1.60.1",
            ),
            (
                "old.example 10.0.0.7 - - TIME \"GET /x HTTP/1.1\" 200 5",
                "common with host: GET /x, 200, none, none",
            ),
            (
                "127.0.0.1 - frank TIME \"GET /apache_pb.gif HTTP/1.0\" 200 2326",
                "common: GET /apache_pb.gif, 200, frank, none",
            ),
            (
                "- 10.0.0.7 TIME \"GET /api2/ping/ HTTP/1.1\" 200 6 \"-\" \"okhttp/4.9.3\" 0.010",
                "combined after other words: GET /api2/ping/, 200, none, okhttp/4.9.3",
            ),
            (
                "Oct 10 20:55:36 proxy nginx[12]: 10.0.0.7 - alice TIME \"GET /x HTTP/1.1\" 200 6 \"-\" \"curl/8\"",
                "combined after other words: GET /x, 200, none, curl/8",
            ),
            (
                "198.51.100.1, 10.0.0.2 10.0.0.7 TIME \"GET /api2/ping/ HTTP/1.1\" 200 6 \"-\" \"curl/8\" 0.010",
                "combined after other words: GET /api2/ping/, 200, none, curl/8",
            ),
        ] {
            assert_eq!(read(&line.replace("TIME", TIME)).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn hostile_requests_are_read_or_no_request() {
        for (line, expected) in [
            ("10.0.0.7 - - TIME \"-\" 408 0 \"-\" \"-\"", "combined: no request, 408, none, -"),
            ("10.0.0.7 - - TIME \"\" 400 0 \"-\" \"-\"", "combined: no request, 400, none, -"),
            (
                r#"10.0.0.7 - - TIME "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\x22" 400 157 "-" "-""#,
                "combined: no request, 400, none, -",
            ),
            (
                r#"10.0.0.7 - - TIME "GET /a\x22b HTTP/1.1" 404 1 "-" "evil\x22 200 1 \x22-\x22""#,
                "combined: GET /a\"b, 404, none, evil\" 200 1 \"-\"",
            ),
            (
                r#"10.0.0.7 - - TIME "GET /a\"b HTTP/1.1" 404 1 "-" "evil\" 200 1 \"x""#,
                "combined: GET /a\"b, 404, none, evil\" 200 1 \"x",
            ),
            // As nginx writes with `escape=none`, or Apache before 2.0.46.
            (r#"10.0.0.7 - - TIME "GET /a\" 404 1 "-" "x""#, "combined: GET /a\\, 404, none, x"),
            (
                "10.0.0.7 - - TIME \"GET /[x] [y HTTP/1.1\" 404 1 \"-\" \"x\"",
                "combined: GET /[x] [y, 404, none, x",
            ),
            ("10.0.0.7 - - TIME \"PRI * HTTP/2.0\" 400 1 \"-\" \"x\"", "combined: PRI *, 400, none, x"),
        ] {
            assert_eq!(read(&line.replace("TIME", TIME)).as_deref(), Some(expected), "{line}");
        }
        let mut latin = format!("10.0.0.7 - - {TIME} \"GET /caf").into_bytes();
        latin.extend(b"\xe9 HTTP/1.1\" 404 1 \"-\" \"x\xff\"");
        let expected = "combined: GET /caf\u{fffd}, 404, none, x\u{fffd}";
        assert_eq!(read_as(Server::Auto, &latin).as_deref(), Some(expected));
    }

    #[test]
    fn other_texts_are_no_format() {
        for line in [
            "",
            "-",
            "2024/06/30 12:00:00 [error] 12#12: *3 open() \"/x\" failed (2: No such file or directory)",
            "10.0.0.7 - - [32/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"",
            "10.0.0.7 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" ok 1 \"-\" \"-\"",
            "10.0.0.7 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1",
            "{\"ts\":\"x\"",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn only_the_formats_of_a_named_server_are_tried() {
        let caddy = br#"{"ts":971211336,"request":{"method":"GET","uri":"/"},"status":200}"#;
        assert_eq!(read_as(Server::Caddy, caddy).as_deref(), Some("Caddy JSON: GET /, 200, none, none"));
        assert_eq!(read_as(Server::Nginx, caddy), None);
        let combined = format!("10.0.0.7 - - {TIME} \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"");
        assert_eq!(
            read_as(Server::Apache, combined.as_bytes()).as_deref(),
            Some("Apache combined: GET /, 200, none, x")
        );
        assert_eq!(read_as(Server::Caddy, combined.as_bytes()), None);
    }
}
