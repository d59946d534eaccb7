//! Properties: which a request asks for, and one `<D:response>` per node.
//!
//! Listings of 100,000 entries go through [`Sheet::response`], so it appends to one buffer, does
//! nothing per entry that can be done once per request, and looks nothing up.
//!
//! Live: those of RFC 4918 §15 that a node has, and Windows' four file times and attributes. Quota
//! is not reported (answered 404 when asked for): the core does not know free space.

use cellgate_core::Node;
use cellgate_core::http::date;
use cellgate_core::lock::Lock;
use cellgate_core::ports::Meta;
use cellgate_core::principal::Door;

use crate::document::{DAV, Element, Name};
use crate::error::{DavError, Result};
use crate::xml::push_text;

/// Namespace of [`cellgate_core::Tree::meta`] under which dead properties are kept: name
/// `{ns}local`, value the whole element.
pub const DEAD: &str = "dav";
/// Namespace of the Windows redirector.
pub const WIN32: &str = "urn:schemas-microsoft-com:";

/// The root element and its prefix of every multistatus.
pub const MULTISTATUS_OPEN: &str = "<D:multistatus xmlns:D=\"DAV:\">\n";
pub const MULTISTATUS_CLOSE: &str = "</D:multistatus>\n";

const PROPSTAT_OPEN: &[u8] = b"<D:propstat><D:prop>";
const PROPSTAT_OK: &[u8] = b"</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>";
const PROPSTAT_MISSING: &[u8] = b"</D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>";
const SUPPORTED_LOCK: &[u8] = b"<D:supportedlock>\
<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>\
<D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>\
</D:supportedlock>";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    ResourceType,
    DisplayName,
    CreationDate,
    LastModified,
    ContentLength,
    ContentType,
    ETag,
    LockDiscovery,
    SupportedLock,
    Win32Created,
    Win32Accessed,
    Win32Modified,
    Win32Attributes,
}

use Live::*;

/// In the order of an `allprop` answer.
const RFC: [Live; 9] = [
    ResourceType,
    DisplayName,
    CreationDate,
    LastModified,
    ContentLength,
    ContentType,
    ETag,
    LockDiscovery,
    SupportedLock,
];
const WINDOWS: [Live; 4] = [Win32Created, Win32Accessed, Win32Modified, Win32Attributes];

impl Live {
    pub fn of(name: &Name) -> Option<Self> {
        RFC.into_iter().chain(WINDOWS).find(|live| live.local() == name.local && live.ns() == name.ns)
    }

    fn ns(self) -> &'static str {
        if WINDOWS.contains(&self) { WIN32 } else { DAV }
    }

    fn local(self) -> &'static str {
        match self {
            ResourceType => "resourcetype",
            DisplayName => "displayname",
            CreationDate => "creationdate",
            LastModified => "getlastmodified",
            ContentLength => "getcontentlength",
            ContentType => "getcontenttype",
            ETag => "getetag",
            LockDiscovery => "lockdiscovery",
            SupportedLock => "supportedlock",
            Win32Created => "Win32CreationTime",
            Win32Accessed => "Win32LastAccessTime",
            Win32Modified => "Win32LastModifiedTime",
            Win32Attributes => "Win32FileAttributes",
        }
    }

    /// Whether a node of this kind has the property at all.
    fn fits(self, node: &Node) -> bool {
        match self {
            ContentLength => node.is_leaf(),
            ContentType => !node.mime.is_empty(),
            ETag => !node.etag.is_empty(),
            _ => true,
        }
    }
}

/// What a PROPFIND asks for (RFC 4918 §14.20).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    All { include: Vec<Name> },
    Names,
    Only(Vec<Name>),
}

impl Selection {
    /// Reads a body; an empty one asks for everything.
    pub fn parse(body: &[u8]) -> Result<Self> {
        if body.is_empty() {
            return Ok(Self::All { include: Vec::new() });
        }
        let root = Element::parse(body)?;
        if !root.name.is_dav("propfind") {
            return Err(DavError::bad_request("the body is not a propfind element"));
        }
        let names =
            |element: &Element| element.elements().map(|property| property.name.clone()).collect::<Vec<_>>();
        // Unknown elements beside them are ignored (§17).
        let mut asked = Vec::new();
        if root.child("propname").is_some() {
            asked.push(Self::Names);
        }
        if root.child("allprop").is_some() {
            asked.push(Self::All { include: root.child("include").map(names).unwrap_or_default() });
        }
        if let Some(prop) = root.child("prop") {
            asked.push(Self::Only(names(prop)));
        }
        match (asked.pop(), asked.is_empty()) {
            (Some(selection), true) => Ok(selection),
            _ => Err(DavError::bad_request("propfind holds one of propname, allprop and prop")),
        }
    }
}

enum Wanted {
    Live(Live),
    /// Key of a dead property.
    Dead(String),
}

/// Everything about a node that a response is made of.
pub struct Entry<'a> {
    /// Encoded.
    pub href: &'a [u8],
    pub node: &'a Node,
    pub dead: &'a [Meta],
    /// Locks on the node itself.
    pub locks: &'a [Lock],
    /// `activelock` elements of deep locks above, written already.
    pub inherited: &'a [u8],
}

/// A [`Selection`] made ready to be answered many times.
pub struct Sheet {
    names_only: bool,
    all: bool,
    /// Each wanted property with its empty element, for `propname` and for 404s.
    wanted: Vec<(Wanted, Vec<u8>)>,
    windows: bool,
    now_ns: i64,
    missing: Vec<u8>,
    created: Memo,
    modified: Memo,
}

impl Sheet {
    /// `windows`: the client is Microsoft's and expects its own properties in `allprop`.
    pub fn new(selection: Selection, windows: bool, now_ns: i64) -> Self {
        let (names_only, all, names) = match selection {
            Selection::All { include } => (false, true, include),
            Selection::Names => (true, true, Vec::new()),
            Selection::Only(names) => (false, false, names),
        };
        let mut lives: Vec<Live> = if all { RFC.to_vec() } else { Vec::new() };
        if all && windows {
            lives.extend(WINDOWS);
        }
        let mut wanted: Vec<_> = lives
            .iter()
            .map(|&live| {
                (
                    Wanted::Live(live),
                    empty_element(&Name { ns: live.ns().into(), local: live.local().into() }),
                )
            })
            .collect();
        for name in names {
            let live = Live::of(&name);
            // With `allprop`, dead properties and these live ones come anyway.
            if all && live.is_none_or(|live| lives.contains(&live)) {
                continue;
            }
            let empty = empty_element(&name);
            wanted.push((live.map_or_else(|| Wanted::Dead(name.key()), Wanted::Live), empty));
        }
        Self {
            names_only,
            all,
            wanted,
            windows,
            now_ns,
            missing: Vec::new(),
            created: Memo::default(),
            modified: Memo::default(),
        }
    }

    /// Whether [`Entry::dead`] is looked at.
    pub fn needs_dead(&self) -> bool {
        self.all
            || self.wanted.iter().any(|(wanted, _)| match wanted {
                Wanted::Dead(_) => true,
                Wanted::Live(live) => WINDOWS.contains(live),
            })
    }

    /// Whether [`Entry::locks`] and [`Entry::inherited`] are looked at.
    pub fn needs_locks(&self) -> bool {
        !self.names_only
            && self.wanted.iter().any(|(wanted, _)| matches!(wanted, Wanted::Live(LockDiscovery)))
    }

    /// Appends one `<D:response>`.
    pub fn response(&mut self, out: &mut Vec<u8>, entry: &Entry<'_>) {
        out.extend_from_slice(b"<D:response><D:href>");
        out.extend_from_slice(entry.href);
        out.extend_from_slice(b"</D:href>");
        let start = out.len();
        out.extend_from_slice(PROPSTAT_OPEN);
        let inside = out.len();
        self.missing.clear();

        let mut wanted = std::mem::take(&mut self.wanted);
        for (wanted, empty) in &mut wanted {
            match wanted {
                Wanted::Live(live) if !live.fits(entry.node) => {
                    if !self.all {
                        self.missing.extend_from_slice(empty);
                    }
                }
                Wanted::Live(_) if self.names_only => out.extend_from_slice(empty),
                Wanted::Live(live) => self.live(out, *live, entry),
                Wanted::Dead(key) => match entry.dead.iter().find(|meta| &meta.name == key) {
                    Some(meta) => out.extend_from_slice(meta.value.as_bytes()),
                    None => self.missing.extend_from_slice(empty),
                },
            }
        }
        self.wanted = wanted;
        if self.all {
            self.all_dead(out, entry);
        }

        if out.len() == inside && !self.missing.is_empty() {
            out.truncate(start);
        } else {
            out.extend_from_slice(PROPSTAT_OK);
        }
        if !self.missing.is_empty() {
            out.extend_from_slice(PROPSTAT_OPEN);
            out.extend_from_slice(&self.missing);
            out.extend_from_slice(PROPSTAT_MISSING);
        }
        out.extend_from_slice(b"</D:response>\n");
    }

    fn all_dead(&self, out: &mut Vec<u8>, entry: &Entry<'_>) {
        for meta in entry.dead {
            let name = Name::from_key(&meta.name);
            // Written as a live one above.
            if self.windows && name.as_ref().and_then(Live::of).is_some() {
                continue;
            }
            match name {
                Some(name) if self.names_only => out.extend_from_slice(&empty_element(&name)),
                Some(_) => out.extend_from_slice(meta.value.as_bytes()),
                None => {}
            }
        }
    }

    fn live(&mut self, out: &mut Vec<u8>, live: Live, entry: &Entry<'_>) {
        let node = entry.node;
        match live {
            ResourceType if node.is_collection() => {
                out.extend_from_slice(b"<D:resourcetype><D:collection/></D:resourcetype>");
            }
            ResourceType => out.extend_from_slice(b"<D:resourcetype/>"),
            DisplayName => {
                out.extend_from_slice(b"<D:displayname>");
                push_text(out, &node.name);
                out.extend_from_slice(b"</D:displayname>");
            }
            CreationDate => {
                out.extend_from_slice(b"<D:creationdate>");
                out.extend_from_slice(self.created.get(node.created_ns, date::rfc3339).as_bytes());
                out.extend_from_slice(b"</D:creationdate>");
            }
            LastModified => {
                out.extend_from_slice(b"<D:getlastmodified>");
                out.extend_from_slice(self.modified.get(node.mtime_ns, date::http).as_bytes());
                out.extend_from_slice(b"</D:getlastmodified>");
            }
            ContentLength => {
                out.extend_from_slice(b"<D:getcontentlength>");
                push_number(out, node.size);
                out.extend_from_slice(b"</D:getcontentlength>");
            }
            ContentType => {
                out.extend_from_slice(b"<D:getcontenttype>");
                push_text(out, &node.mime);
                out.extend_from_slice(b"</D:getcontenttype>");
            }
            ETag => {
                out.extend_from_slice(b"<D:getetag>\"");
                push_text(out, &node.etag);
                out.extend_from_slice(b"\"</D:getetag>");
            }
            LockDiscovery if entry.locks.is_empty() && entry.inherited.is_empty() => {
                out.extend_from_slice(b"<D:lockdiscovery/>");
            }
            LockDiscovery => {
                out.extend_from_slice(b"<D:lockdiscovery>");
                for lock in entry.locks {
                    active_lock(out, lock, entry.href, self.now_ns);
                }
                out.extend_from_slice(entry.inherited);
                out.extend_from_slice(b"</D:lockdiscovery>");
            }
            SupportedLock => out.extend_from_slice(SUPPORTED_LOCK),
            Win32Modified => windows(out, live, &date::http(node.mtime_ns)),
            Win32Created | Win32Accessed | Win32Attributes => {
                let kept = entry.dead.iter().find(|meta| {
                    Name::from_key(&meta.name).is_some_and(|name| Live::of(&name) == Some(live))
                });
                match (kept, live) {
                    (Some(meta), _) => out.extend_from_slice(meta.value.as_bytes()),
                    (None, Win32Created) => windows(out, live, &date::http(node.created_ns)),
                    (None, Win32Accessed) => windows(out, live, &date::http(node.mtime_ns)),
                    // FILE_ATTRIBUTE_DIRECTORY and FILE_ATTRIBUTE_ARCHIVE.
                    (None, _) if node.is_collection() => windows(out, live, "00000010"),
                    (None, _) => windows(out, live, "00000020"),
                }
            }
        }
    }
}

fn windows(out: &mut Vec<u8>, live: Live, value: &str) {
    let local = live.local();
    out.extend_from_slice(format!("<Z:{local} xmlns:Z=\"{WIN32}\">{value}</Z:{local}>").as_bytes());
}

/// The element of a property without its value.
pub fn empty_element(name: &Name) -> Vec<u8> {
    let mut out = Vec::new();
    let (prefix, colon) = match name.ns.as_str() {
        DAV => ("D", ":"),
        "" => ("", ""),
        _ => ("N", ":"),
    };
    out.extend_from_slice(format!("<{prefix}{colon}{}", name.local).as_bytes());
    if prefix == "N" {
        crate::xml::push_attribute(&mut out, "xmlns:N", &name.ns);
    }
    out.extend_from_slice(b"/>");
    out
}

/// Appends an `activelock` (RFC 4918 §14.1).
pub fn active_lock(out: &mut Vec<u8>, lock: &Lock, root_href: &[u8], now_ns: i64) {
    let scope = if lock.shared { "shared" } else { "exclusive" };
    let depth = if lock.deep { "infinity" } else { "0" };
    out.extend_from_slice(b"<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:");
    out.extend_from_slice(scope.as_bytes());
    out.extend_from_slice(b"/></D:lockscope><D:depth>");
    out.extend_from_slice(depth.as_bytes());
    out.extend_from_slice(b"</D:depth>");
    if !lock.owner.is_empty() {
        out.extend_from_slice(b"<D:owner>");
        if lock.door == Door::Dav {
            // XML that this door has parsed and written itself.
            out.extend_from_slice(lock.owner.as_bytes());
        } else {
            push_text(out, &lock.owner);
        }
        out.extend_from_slice(b"</D:owner>");
    }
    out.extend_from_slice(b"<D:timeout>Second-");
    let left_ns = u64::try_from(lock.expires_ns.saturating_sub(now_ns)).unwrap_or(0);
    push_number(out, left_ns.div_ceil(1_000_000_000));
    out.extend_from_slice(b"</D:timeout><D:locktoken><D:href>");
    push_text(out, &lock.token);
    out.extend_from_slice(b"</D:href></D:locktoken><D:lockroot><D:href>");
    out.extend_from_slice(root_href);
    out.extend_from_slice(b"</D:href></D:lockroot></D:activelock>");
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// The last second that was formatted: neighbours in a listing often share it.
#[derive(Default)]
struct Memo {
    second: Option<i64>,
    text: String,
}

impl Memo {
    fn get(&mut self, ns: i64, format: fn(i64) -> String) -> &str {
        let second = ns.div_euclid(1_000_000_000);
        if self.second != Some(second) {
            self.second = Some(second);
            self.text = format(ns);
        }
        &self.text
    }
}
