//! What each client reads of an answer.
//!
//! Per protocol: which headers say something, what the fields are (texts for people, identifiers,
//! versions, facts of the server's machine), how the entries of lists are told apart. Per client: what of
//! it is read, and which statuses it takes alike. The data are in `readers/*.toml`.
//!
//! A client that is not known there reads strictly: everything that was recorded has to be there again.
//!
//! Known gaps: fields are known by name, and by their parent's, not by their whole path. Programs on a
//! common library (`okhttp`, `axios`) cannot be told apart and read strictly.

mod data;
mod field;

pub(crate) use data::Order;
pub(crate) use field::{Field, Role};

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use data::{ReaderData, Source};

/// One client, in one protocol.
#[derive(Debug)]
pub struct Reader {
    name: String,
    protocol: &'static str,
    title: &'static str,
    agents: Vec<String>,
    strict: bool,
    headers: Vec<String>,
    /// `None`: everything.
    reads: Option<HashSet<String>>,
    order: Order,
    alike: Vec<data::Alike>,
    phrases: Vec<String>,
    exact_types: bool,
    failure_bodies: bool,
    roles: HashMap<String, Role>,
    entries: HashSet<String>,
    open: HashSet<String>,
    keys: Vec<Vec<String>>,
    omits_zero: bool,
}

static READERS: LazyLock<Vec<Reader>> = LazyLock::new(|| {
    let general = data::general();
    data::protocols().iter().flat_map(|source| readers(source, &general)).collect()
});

/// For the case that no data could be read, which a test rules out.
static NOBODY: LazyLock<Reader> =
    LazyLock::new(|| Reader::build(&Source::default(), &Source::default(), None));

fn readers(source: &Source, general: &Source) -> Vec<Reader> {
    let known = source.reader.iter().map(|reader| Reader::build(source, general, Some(reader)));
    known.chain([Reader::build(source, general, None)]).collect()
}

impl Reader {
    /// By `User-Agent` and by the protocol's folder name (`cells`, `s3`, `webdav`, `pydio8`, `seafile`).
    pub fn of(agent: Option<&str>, protocol: Option<&str>) -> &'static Self {
        let protocol = protocol.map_or("", |name| name.split('/').next().unwrap_or_default());
        let known = |name: &str| READERS.iter().any(|reader| reader.protocol == name);
        let protocol = if known(protocol) { protocol } else { "" };
        let agent = agent.unwrap_or_default().to_ascii_lowercase();
        READERS
            .iter()
            .filter(|reader| reader.protocol == protocol)
            .find(|reader| reader.strict || reader.agents.iter().any(|needle| agent.contains(needle)))
            .unwrap_or(&NOBODY)
    }

    /// `rclone (WebDAV)`; `any client (WebDAV)` of one that is not known.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What reports call the client: its agent as it names itself, shortened, and the protocol:
    /// `rclone/v1.60 (WebDAV)`.
    pub fn label(&self, agent: Option<&str>) -> String {
        let agent = agent.map(str::trim).filter(|agent| !agent.is_empty() && *agent != "-");
        let product = agent.map(|agent| self.product(agent));
        let product = product.unwrap_or_else(|| "no agent".to_owned());
        if self.title.is_empty() { product } else { format!("{product} ({})", self.title) }
    }

    /// Browsers and libraries say a lot; the word by which the client is known, or else the first, is enough.
    fn product(&self, agent: &str) -> String {
        let known = |word: &&str| {
            let word = word.to_ascii_lowercase();
            self.agents.iter().any(|needle| word.contains(needle.trim_end()))
        };
        let word = agent.split_ascii_whitespace().find(known);
        let browser = word.is_some_and(|word| word.starts_with("Mozilla/"));
        let word = if browser { "browser" } else { word.unwrap_or(agent) };
        let phrase = self.agents.iter().find(|needle| needle.contains(' ') && word == agent).is_some();
        let word = if phrase { agent } else { word.split_ascii_whitespace().next().unwrap_or(agent) };
        let printable = |char: &char| char.is_ascii_graphic() || *char == ' ';
        word.chars().filter(printable).take(48).collect()
    }

    pub(crate) fn protocol(&self) -> &str {
        self.protocol
    }

    /// Whether a header says something to this client.
    pub(crate) fn reads_header(&self, name: &str) -> bool {
        self.headers.iter().any(|known| match known.strip_suffix('*') {
            Some(prefix) => name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)),
            None => known.eq_ignore_ascii_case(name),
        })
    }

    /// Whether the client looks at a field of this name at all.
    pub(crate) fn reads(&self, name: &str) -> bool {
        self.reads.as_ref().is_none_or(|reads| reads.contains(name.trim_start_matches('@')))
    }

    pub(crate) fn reads_everything(&self) -> bool {
        self.reads.is_none()
    }

    pub(crate) fn order(&self) -> Order {
        self.order
    }

    /// Whether two statuses of a method lead this client to the same.
    pub(crate) fn takes_alike(&self, method: &str, recorded: u16, fresh: u16) -> bool {
        self.alike.iter().any(|alike| alike.holds(method, recorded) && alike.holds(method, fresh))
    }

    /// Whether the type of an answer must be spelled exactly as recorded.
    pub(crate) fn exact_types(&self) -> bool {
        self.exact_types
    }

    /// Whether the body of a failure is read at all.
    pub(crate) fn reads_failures(&self) -> bool {
        self.failure_bodies
    }

    /// Words in texts for people that the client looks for nevertheless.
    pub(crate) fn phrases(&self) -> &[String] {
        &self.phrases
    }

    pub(crate) fn role(&self, field: Field<'_>) -> Role {
        field::role(&self.roles, field)
    }

    /// Whether elements of this name are entries of a list, of which one more is another answer.
    pub(crate) fn is_entry(&self, name: &str) -> bool {
        self.entries.contains(name)
    }

    /// Whether a list of these may have grown.
    pub(crate) fn is_open(&self, name: &str) -> bool {
        self.open.contains(name)
    }

    /// By which fields the entries of lists are told apart, the best first; some only together.
    pub(crate) fn keys(&self) -> &[Vec<String>] {
        &self.keys
    }

    /// Whether a missing field and one that holds nothing are the same.
    pub(crate) fn omits_zero(&self) -> bool {
        self.omits_zero
    }

    fn build(source: &Source, general: &Source, reader: Option<&ReaderData>) -> Self {
        let both = |list: fn(&Source) -> &Vec<String>| -> Vec<String> {
            list(source).iter().chain(list(general)).cloned().collect()
        };
        let name = reader.map_or("any client", |reader| reader.name.as_str());
        let title = source.title;
        Self {
            name: if title.is_empty() { name.to_owned() } else { format!("{name} ({title})") },
            protocol: source.protocol,
            title,
            agents: reader
                .map(|reader| reader.agents.iter().map(|a| a.to_ascii_lowercase()).collect())
                .unwrap_or_default(),
            strict: reader.is_none(),
            headers: match reader.and_then(|reader| reader.headers.clone()) {
                Some(headers) => headers,
                None => both(|source| &source.headers),
            },
            reads: reader.and_then(|reader| reader.reads.clone()).map(|reads| reads.into_iter().collect()),
            order: reader.and_then(|reader| reader.order).or(source.order).unwrap_or(Order::Seen),
            alike: reader.map(|reader| reader.alike.clone()).unwrap_or_default(),
            phrases: reader.map(|reader| reader.phrases.clone()).unwrap_or_default(),
            exact_types: reader.is_some_and(|reader| reader.exact_types),
            failure_bodies: reader.is_none_or(|reader| reader.failure_bodies.unwrap_or(true)),
            roles: field::roles(&[general, source]),
            entries: both(|source| &source.entries).into_iter().collect(),
            open: both(|source| &source.open).into_iter().collect(),
            keys: both(|source| &source.keys)
                .iter()
                .map(|key| key.split('+').map(str::to_owned).collect())
                .collect(),
            omits_zero: source.omits_zero,
        }
    }
}

#[cfg(test)]
mod tests;
