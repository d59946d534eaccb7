//! Caddy's access log: a line of JSON for each request, as its `json` and `console` encoders write.
//!
//! A file of Caddy may hold lines of its other logs as well; they are told apart from what is no log
//! line of Caddy's at all.

use std::borrow::Cow;

use serde::Deserialize;

use super::line::{Line, Request};
use super::when::{Form, epoch_number};

pub enum Read<'a> {
    Access(Line<'a>),
    /// A line of another log of Caddy.
    Other,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    request: Option<Asked<'a>>,
    status: Option<u16>,
    #[serde(borrow)]
    user_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ts: Option<Stamp<'a>>,
    #[serde(borrow)]
    logger: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    uri: Cow<'a, str>,
    #[serde(borrow)]
    headers: Option<Headers<'a>>,
}

#[derive(Deserialize)]
struct Headers<'a> {
    #[serde(borrow, rename = "User-Agent")]
    agent: Option<Vec<Cow<'a, str>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stamp<'a> {
    Number(f64),
    Text(#[serde(borrow)] Cow<'a, str>),
}

impl Stamp<'_> {
    fn seconds(&self) -> Option<i64> {
        match self {
            // Far beyond any date, the cast stays at the greatest number.
            Self::Number(number) => epoch_number(*number as i64),
            Self::Text(text) => stamp(text.as_bytes()),
        }
    }
}

fn stamp(text: &[u8]) -> Option<i64> {
    [Form::Iso, Form::Common, Form::Epoch].iter().find_map(|form| form.read(text))
}

/// `None` when the line is none of Caddy's.
pub fn read(line: &[u8]) -> Option<Read<'_>> {
    let begin = line.iter().position(|byte| *byte == b'{')?;
    let (before, json) = line.split_at_checked(begin)?;
    // The console encoder writes time, level, logger and message first, with tabs between them.
    let console = !before.is_empty();
    if console && !before.windows(4).any(|window| window == b"http") {
        return None;
    }
    let entry: Entry<'_> = serde_json::from_slice(json).ok()?;
    let Some(asked) = entry.request else {
        return (entry.logger.is_some() || entry.ts.is_some() || console).then_some(Read::Other);
    };
    let time = match &entry.ts {
        Some(ts) => ts.seconds(),
        None => before.split(|byte| *byte == b'\t').next().and_then(stamp),
    };
    let agent = asked.headers.map(|headers| {
        let first = headers.agent.and_then(|agents| agents.into_iter().next());
        first.unwrap_or(Cow::Borrowed(""))
    });
    Some(Read::Access(Line {
        request: Request::of(asked.method, asked.uri),
        // 0 is a connection that ended before an answer.
        status: entry.status.filter(|status| (100..1000).contains(status)),
        agent,
        user: entry.user_id.filter(|user| !user.is_empty()),
        time,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(line: &str) -> Line<'_> {
        match read(line.as_bytes()) {
            Some(Read::Access(line)) => line,
            Some(Read::Other) => panic!("another log: {line}"),
            None => panic!("not Caddy's: {line}"),
        }
    }

    /// As Caddy 2.7 writes it.
    #[test]
    fn a_line_of_the_json_encoder_is_read() {
        let line = access(
            r#"{"level":"info","ts":971211336.872107,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"127.0.0.1","remote_port":"50174","client_ip":"127.0.0.1","proto":"HTTP/1.1","method":"GET","host":"old.example","uri":"/api/my-files/ls/?options=al","headers":{"User-Agent":["curl/7.88.1"],"Authorization":["REDACTED"],"Accept":["*/*"]},"tls":{"resumed":false,"version":772}},"bytes_read":0,"user_id":"alice","duration":0.0005,"size":1259,"status":200,"resp_headers":{"Server":["Caddy"]}}"#,
        );
        let request = line.request.unwrap();
        assert_eq!((&*request.method, &*request.path), ("GET", "/api/my-files/ls/"));
        assert_eq!(request.query.as_deref(), Some("options=al"));
        assert_eq!((line.status, line.time), (Some(200), Some(971_211_336)));
        assert_eq!(line.agent.as_deref(), Some("curl/7.88.1"));
        assert_eq!(line.user.as_deref(), Some("alice"));
    }

    #[test]
    fn times_of_other_encoders_are_read() {
        for ts in [
            "\"2000-10-10T20:55:36.000Z\"",
            "\"2000/10/10 20:55:36\"",
            "971211336000",
            "\"10/Oct/2000:20:55:36 +0000\"",
        ] {
            let line = format!(r#"{{"ts":{ts},"request":{{"method":"GET","uri":"/"}},"status":200}}"#);
            assert_eq!(access(&line).time, Some(971_211_336), "{ts}");
        }
        let console = "2000/10/10 20:55:36.123\tINFO\thttp.log.access.log0\thandled request\t\
                       {\"request\":{\"method\":\"GET\",\"uri\":\"/x\"},\"status\":200}";
        assert_eq!(access(console).time, Some(971_211_336));
    }

    #[test]
    fn lines_of_other_logs_and_other_json_are_told_apart() {
        let other =
            br#"{"level":"info","ts":1756272042.1,"logger":"tls","msg":"finished cleaning storage units"}"#;
        assert!(matches!(read(other), Some(Read::Other)));
        for line in ["", "{", "{}", "{\"a\":1}", "x {\"request\":{\"method\":\"GET\",\"uri\":\"/\"}}"] {
            assert!(read(line.as_bytes()).is_none(), "{line}");
        }
    }

    #[test]
    fn missing_and_odd_fields_are_no_failure() {
        let line =
            access(r#"{"request":{"method":"GET","uri":"/\u00e9\"","headers":{}},"status":0,"user_id":""}"#);
        assert_eq!(line.request.unwrap().path, "/é\"");
        assert_eq!((line.status, line.user, line.time), (None, None, None));
        assert_eq!(line.agent.as_deref(), Some(""));
        let line = access(r#"{"request":{"method":"GET","uri":"/"},"ts":1e300}"#);
        assert_eq!(line.agent, None);
        assert!(line.time.is_some());
    }
}
