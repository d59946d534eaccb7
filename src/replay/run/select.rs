//! Which entries of a recording are calls to send.
//!
//! Browsers record whatever a page loads: scripts, pictures, other servers. What is no call of the
//! recorded server is counted and left out.

use std::collections::{BTreeSet, HashMap, HashSet};

use cellgate_contract::{Call, Contract, Mounts};
use cellgate_record::{Exchange, Sent, names};

use crate::auth::form_fields;

/// A call to send, and which operation it means.
pub struct Selected<'a> {
    pub exchange: &'a Exchange,
    pub protocol: Option<&'static str>,
    pub operation: Option<&'static str>,
}

pub struct Selection<'a> {
    /// In the order they started.
    pub calls: Vec<Selected<'a>>,
    pub skipped: Vec<(usize, String)>,
    /// Where the recorded calls went, and what else the server was called: the target stands for all
    /// of them.
    pub origins: BTreeSet<String>,
}

/// Extensions of files that a page consists of.
const PAGE_FILES: [&str; 14] = [
    ".js", ".mjs", ".css", ".map", ".png", ".jpg", ".gif", ".svg", ".ico", ".woff", ".woff2", ".ttf", ".eot",
    ".webp",
];

pub fn select<'a>(exchanges: &'a [Exchange], client: Option<&str>) -> Selection<'a> {
    let mut all: Vec<Selected<'a>> = exchanges.iter().map(classified).collect();
    all.sort_by_key(|one| (one.exchange.started, one.exchange.number));
    let origins = origins(&all);
    let mut selection = Selection { calls: Vec::new(), skipped: Vec::new(), origins };
    for one in all {
        match reason_to_skip(&one, &selection.origins, client) {
            Some(reason) => selection.skipped.push((one.exchange.number, reason)),
            None => selection.calls.push(one),
        }
    }
    let hosts: Vec<String> = usual_hosts(&selection);
    selection.origins.extend(hosts);
    selection
}

fn classified(exchange: &Exchange) -> Selected<'_> {
    let sent = &exchange.request;
    let header = |name: &str| sent.header(name);
    let mime = sent.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let is_form = mime.starts_with("application/x-www-form-urlencoded") || mime.starts_with("multipart/");
    let form = if is_form { form_fields(sent) } else { Vec::new() };
    let call =
        Call { method: &sent.method, path: sent.path(), query: sent.query(), form: &form, header: &header };
    let contract = Contract::embedded();
    // As cellgate has it first: elsewhere a signature counts more than the path.
    let found = contract.classify(&call).or_else(|| contract.classify_under(&call, &Mounts::of_others()));
    Selected {
        exchange,
        protocol: found.map(|found| found.table.protocol.as_str()),
        operation: found.map(|found| found.row.operation.as_str()),
    }
}

/// The origin of most known calls, and others that are the same server: by host name, or because they
/// were given the same secrets.
fn origins(all: &[Selected<'_>]) -> BTreeSet<String> {
    let mut known: HashMap<&str, (usize, usize)> = HashMap::new();
    for one in all {
        let count = known.entry(&one.exchange.request.origin).or_default();
        count.0 += usize::from(one.operation.is_some());
        count.1 += 1;
    }
    let Some(main) =
        known.iter().max_by_key(|(origin, count)| (**count, **origin)).map(|(origin, _)| *origin)
    else {
        return BTreeSet::new();
    };
    let secrets = |origin: &str| -> HashSet<&str> {
        let sent = all.iter().map(|one| &one.exchange.request).filter(|sent| sent.origin == origin);
        sent.flat_map(secrets).collect()
    };
    let of_main = secrets(main);
    let same = |origin: &str| host(origin) == host(main) || !secrets(origin).is_disjoint(&of_main);
    known.keys().filter(|origin| same(origin)).map(|origin| (*origin).to_owned()).collect()
}

fn secrets(sent: &Sent) -> impl Iterator<Item = &str> {
    let texts = sent.headers.iter().map(|(_, value)| value.as_str()).chain([sent.target.as_str()]);
    texts.flat_map(names).map(|name| name.whole)
}

fn host(origin: &str) -> &str {
    let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// A recorder between client and server makes the client say another host than the entries' own.
fn usual_hosts(selection: &Selection<'_>) -> Vec<String> {
    let mut hosts: HashMap<(&str, &str), usize> = HashMap::new();
    for one in &selection.calls {
        let sent = &one.exchange.request;
        let scheme = sent.origin.split_once("://").map_or("http", |(scheme, _)| scheme);
        if let Some(host) = sent.header("host") {
            *hosts.entry((scheme, host)).or_default() += 1;
        }
    }
    let most = selection.calls.len() / 2;
    hosts
        .into_iter()
        .filter(|(_, count)| *count > most)
        .map(|((scheme, host), _)| format!("{scheme}://{host}"))
        .collect()
}

fn reason_to_skip(one: &Selected<'_>, origins: &BTreeSet<String>, client: Option<&str>) -> Option<String> {
    let (sent, answered) = (&one.exchange.request, &one.exchange.response);
    if !origins.contains(&sent.origin) {
        return Some(format!("to another server, {}", sent.origin));
    }
    if answered.status == 0 {
        return Some("the recording has no answer to compare with".into());
    }
    if answered.status == 101 || sent.header("upgrade").is_some_and(|name| name.contains("websocket")) {
        return Some("a websocket".into());
    }
    if one.operation.is_none() && is_page_file(one.exchange) {
        return Some("a file of a web page".into());
    }
    let label =
        || crate::Reader::of(sent.header("user-agent"), one.protocol).label(sent.header("user-agent"));
    if let Some(client) = client {
        let wanted = client.to_ascii_lowercase();
        let agent = sent.header("user-agent").unwrap_or_default().to_ascii_lowercase();
        if !agent.contains(&wanted) && !label().to_ascii_lowercase().contains(&wanted) {
            return Some("of another client".into());
        }
    }
    None
}

fn is_page_file(exchange: &Exchange) -> bool {
    if !matches!(exchange.request.method.as_str(), "GET" | "HEAD") {
        return false;
    }
    let path = exchange.request.path().to_ascii_lowercase();
    let mime = exchange.response.header("content-type").unwrap_or_default();
    let mime_of_page = ["text/css", "text/javascript", "application/javascript", "font/"];
    PAGE_FILES.iter().any(|end| path.ends_with(end))
        || mime_of_page.iter().any(|start| mime.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{answered, exchange, sent};

    fn at(number: usize, origin: &str, target: &str) -> Exchange {
        let mut sent = sent("GET", target, &[("User-Agent", "curl/8.0")]);
        sent.origin = origin.into();
        exchange(number, sent, answered(200, ""))
    }

    fn numbers(selection: &Selection<'_>) -> Vec<usize> {
        selection.calls.iter().map(|one| one.exchange.number).collect()
    }

    #[test]
    fn calls_come_in_the_order_they_started() {
        let mut exchanges =
            vec![at(1, "http://a", "/api/my-files/ls/"), at(2, "http://a", "/api/my-files/ls/")];
        exchanges.swap(0, 1);
        assert_eq!(numbers(&select(&exchanges, None)), [1, 2]);
    }

    #[test]
    fn what_is_no_call_of_the_server_is_skipped() {
        let mut pending = at(5, "https://a", "/api/my-files/ls/");
        pending.response.status = 0;
        let exchanges = [
            at(1, "https://a", "/api/my-files/ls/"),
            at(2, "https://stats.example.com", "/collect?x=1"),
            at(3, "https://a", "/plug/gui/app.JS"),
            at(4, "http://a:8080", "/api/my-files/ls/"),
            pending,
        ];
        let selection = select(&exchanges, None);
        assert_eq!(numbers(&selection), [1, 4]);
        let skipped: Vec<_> = selection.skipped.iter().map(|(number, _)| *number).collect();
        assert_eq!(skipped, [2, 3, 5]);
        assert_eq!(selection.origins.iter().collect::<Vec<_>>(), ["http://a:8080", "https://a"]);
    }

    #[test]
    fn a_server_with_the_same_secrets_is_the_same_one() {
        let mut other = at(2, "https://storage.example.com", "/x/y");
        other.request.headers.push(("Authorization".into(), "Bearer __jwt_1__".into()));
        let mut main = at(1, "https://a", "/a/user");
        main.request.headers.push(("Authorization".into(), "Bearer __jwt_1__".into()));
        let exchanges = [main, other];
        assert_eq!(numbers(&select(&exchanges, None)), [1, 2]);
    }

    #[test]
    fn a_host_that_all_say_is_the_servers_too() {
        let mut one = at(1, "http://upstream", "/api/my-files/ls/");
        one.request.headers.push(("Host".into(), "127.0.0.1:9000".into()));
        let exchanges = [one];
        assert!(select(&exchanges, None).origins.contains("http://127.0.0.1:9000"));
    }

    #[test]
    fn one_client_can_be_asked_for() {
        let mut other = at(2, "http://a", "/api/my-files/ls/");
        other.request.headers = vec![("User-Agent".into(), "rclone/v1.60".into())];
        let exchanges = [at(1, "http://a", "/api/my-files/ls/"), other];
        assert_eq!(numbers(&select(&exchanges, Some("RClone"))), [2]);
    }

    #[test]
    fn hosts_lose_their_port_only() {
        assert_eq!(host("http://a:80"), "a");
        assert_eq!(host("http://[::1]"), "[::1]");
        assert_eq!(host("http://[::1]:80"), "[::1]");
    }
}
