//! Which keys a listing answers: prefix, delimiter, start and limit, with the semantics of S3.
//!
//! The core lists a collection in key order; a key space is that, walked, be it for objects or for
//! their versions ([`Listed`]). A folder is an empty object
//! `folder/` when it was put as one, or is empty; any other folder is no object, its content stands
//! for it. Workspaces are prefixes only.

use std::future::Future;

use cellgate_core::listing::{Depth, Entry, Listing};
use cellgate_core::tree::VersionRef;
use cellgate_core::{Error, Node, NodePath, Result, Tree};

use crate::address::{Bucket, Place};

/// Amazon's limit on one page.
pub(crate) const PAGE_MAX: usize = 1_000;
/// Above every character a name may hold.
const LAST: char = '\u{10FFFF}';

/// What a listing asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    pub(crate) prefix: String,
    /// Empty is none.
    pub(crate) delimiter: String,
    /// Only keys behind this one.
    pub(crate) after: String,
    /// Of `after` itself those behind this version.
    pub(crate) version: Option<VersionRef>,
    pub(crate) limit: usize,
}

/// Behind which key to go on, or behind which of its versions.
pub(crate) type Cursor = (String, Option<VersionRef>);

/// What is listed.
pub(crate) trait Listed: Sized + Send {
    /// What the core answers for it.
    type Entry: Send;

    /// A page of a folder's content, and where the next one begins.
    fn page(
        tree: &Tree,
        folder: &NodePath,
        asked: Span,
    ) -> impl Future<Output = Result<(Vec<Self::Entry>, Option<Cursor>)>> + Send;
    /// Relative to the folder.
    fn key(entry: &Self::Entry) -> &str;
    /// The folder that an entry is, and whether it is empty.
    fn folder(entry: &Self::Entry) -> Option<(&Node, bool)>;
    fn object(key: String, entry: Self::Entry) -> Self;
    /// The object of the folder that the prefix names.
    fn own(key: String, node: Node) -> Self;
    fn prefix(group: String) -> Self;
}

/// Which part of a folder's content.
pub(crate) struct Span {
    pub(crate) depth: Depth,
    pub(crate) after: Option<Cursor>,
    pub(crate) name_prefix: Option<String>,
    pub(crate) limit: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Object { key: String, node: Box<Node> },
    Prefix(String),
}

impl Item {
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Object { key, .. } | Self::Prefix(key) => key,
        }
    }
}

impl Listed for Item {
    type Entry = Entry;

    async fn page(tree: &Tree, folder: &NodePath, asked: Span) -> Result<(Vec<Entry>, Option<Cursor>)> {
        let Span { depth, after, name_prefix, limit } = asked;
        let listing = Listing { depth, after: after.map(|(key, _)| key), name_prefix, limit };
        let page = tree.list(folder, &listing).await?;
        Ok((page.entries, page.next.map(|key| (key, None))))
    }

    fn key(entry: &Entry) -> &str {
        &entry.key
    }

    fn folder(entry: &Entry) -> Option<(&Node, bool)> {
        entry.node.is_collection().then_some((&entry.node, entry.empty))
    }

    fn object(key: String, entry: Entry) -> Self {
        Self::own(key, entry.node)
    }

    fn own(key: String, node: Node) -> Self {
        Self::Object { key, node: Box::new(node) }
    }

    fn prefix(group: String) -> Self {
        Self::Prefix(group)
    }
}

#[derive(Debug)]
pub(crate) struct Answer<I> {
    /// In key order.
    pub(crate) items: Vec<I>,
    /// Whether there is more behind the last one.
    pub(crate) more: bool,
}

impl<I> Default for Answer<I> {
    fn default() -> Self {
        Self { items: Vec::new(), more: false }
    }
}

pub(crate) async fn list<I: Listed>(tree: &Tree, bucket: &Bucket, question: &Question) -> Result<Answer<I>> {
    let mut answer = Answer::default();
    if question.limit == 0 {
        return Ok(answer);
    }
    let Some(place) = bucket.place(&question.prefix) else { return Ok(answer) };
    let Some(start) = Start::of(&place, question) else { return Ok(answer) };
    // A group is skipped whole, whatever version the question names.
    let version = question.version.filter(|_| start.group.is_none());
    let after = start.after.map(|key| (key, version));
    let mut walk = Walk { tree, place: &place, question, answer: &mut answer, group: start.group };
    match walk.run(after, start.marker).await {
        Ok(()) => Ok(answer),
        // No such folder, or a file of that name: no key begins so.
        Err(Error::NotFound(_) | Error::ParentMissing(_) | Error::NotACollection(_)) => Ok(Answer::default()),
        Err(error) => Err(error),
    }
}

/// Where to begin.
#[derive(Debug, PartialEq, Eq)]
struct Start {
    /// Relative to the place's folder.
    after: Option<String>,
    /// The group that the last page ended with.
    group: Option<String>,
    /// Whether the folder's own key still lies ahead.
    marker: bool,
}

impl Start {
    /// `None` when everything lies behind.
    fn of(place: &Place, question: &Question) -> Option<Self> {
        let beginning = Self { after: None, group: None, marker: true };
        let after = question.after.as_str();
        if after.is_empty() {
            return Some(beginning);
        }
        let Some(relative) = after.strip_prefix(place.text.as_str()) else {
            return (after < place.text.as_str()).then_some(beginning);
        };
        // A page that ended with a group resumes behind all of it, and so does one that is told to
        // start inside: its prefix would be the same.
        if let Some(group) = group_of(after, place, &question.delimiter) {
            let after = format!("{}{LAST}", group.get(place.text.len()..)?);
            return Some(Self { after: Some(after), group: Some(group), marker: false });
        }
        let after = (!relative.is_empty()).then(|| relative.to_owned());
        Some(Self { after, group: None, marker: place.text.is_empty() })
    }
}

/// The common prefix that stands for a key: up to the first delimiter behind the prefix.
fn group_of(key: &str, place: &Place, delimiter: &str) -> Option<String> {
    if delimiter.is_empty() {
        return None;
    }
    let begin = place.text.len() + place.rest.len();
    let rest = key.strip_prefix(place.text.as_str())?.strip_prefix(place.rest.as_str())?;
    let end = begin + rest.find(delimiter)? + delimiter.len();
    key.get(..end).map(str::to_owned)
}

struct Walk<'a, I> {
    tree: &'a Tree,
    place: &'a Place,
    question: &'a Question,
    answer: &'a mut Answer<I>,
    /// The last group that was answered.
    group: Option<String>,
}

impl<I: Listed> Walk<'_, I> {
    async fn run(&mut self, mut after: Option<Cursor>, marker: bool) -> Result<()> {
        let by_folder = self.question.delimiter == "/";
        let mut first = marker && self.place.rest.is_empty() && self.place.folder.depth() > 1;
        if first && self.own_key(Node::is_key).await? {
            first = false;
        }
        loop {
            let asked = Span {
                depth: if by_folder { Depth::One } else { Depth::Infinity },
                after,
                name_prefix: (!self.place.rest.is_empty()).then(|| self.place.rest.clone()),
                limit: self.question.limit - self.answer.items.len() + 1,
            };
            let (entries, next) = I::page(self.tree, &self.place.folder, asked).await?;
            if first && entries.is_empty() && next.is_none() {
                return self.own_key(|node| !node.is_implied()).await.map(drop);
            }
            first = false;
            after = match self.take(entries, next) {
                Some(next) => Some(next),
                None => return Ok(()),
            };
        }
    }

    /// Takes what fits; answers where to go on.
    fn take(&mut self, entries: Vec<I::Entry>, next: Option<Cursor>) -> Option<Cursor> {
        for entry in entries {
            let key = format!("{}{}", self.place.text, I::key(&entry));
            let item = if let Some(group) = group_of(&key, self.place, &self.question.delimiter) {
                if self.group.as_ref() == Some(&group) {
                    continue;
                }
                self.group = Some(group.clone());
                I::prefix(group)
            } else if I::folder(&entry).is_some_and(|folder| !self.is_object(I::key(&entry), folder)) {
                continue;
            } else {
                I::object(key, entry)
            };
            if self.answer.items.len() == self.question.limit {
                self.answer.more = true;
                return None;
            }
            self.answer.items.push(item);
        }
        let next = next?;
        // Rather than walk through a group that is answered already, go on behind it.
        let behind = self.group.as_ref().and_then(|group| {
            let relative = group.get(self.place.text.len()..)?;
            next.0.starts_with(relative).then(|| (format!("{relative}{LAST}"), None))
        });
        Some(behind.unwrap_or(next))
    }

    /// Whether a folder that is met has a key of its own.
    fn is_object(&self, key: &str, (node, empty): (&Node, bool)) -> bool {
        let depth = self.place.folder.depth() + key.matches('/').count();
        depth > 1 && (node.is_key() || (empty && !node.is_implied()))
    }

    /// Answers the key of the folder that the prefix names, if that is an object.
    async fn own_key(&mut self, is_object: impl Fn(&Node) -> bool) -> Result<bool> {
        let node = match self.tree.stat(&self.place.folder).await {
            // Versions may be left of what was in it.
            Err(Error::NotFound(_) | Error::ParentMissing(_) | Error::NotACollection(_)) => return Ok(false),
            stat => stat?,
        };
        if !node.is_collection() || !is_object(&node) {
            return Ok(false);
        }
        self.answer.items.push(I::own(self.place.text.clone(), node));
        Ok(true)
    }
}

/// The folder that an upload's key would be grouped under, for listings of uploads.
pub(crate) fn group(key: &str, prefix: &str, delimiter: &str) -> Option<String> {
    let place = Place { folder: NodePath::root(), text: String::new(), rest: prefix.to_owned() };
    group_of(key, &place, delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(prefix: &str, delimiter: &str, after: &str) -> Option<(Option<String>, Option<String>, bool)> {
        let place = Bucket::io().place(prefix).unwrap();
        let question = Question {
            prefix: prefix.into(),
            delimiter: delimiter.into(),
            after: after.into(),
            limit: PAGE_MAX,
            ..Question::default()
        };
        Start::of(&place, &question).map(|start| (start.after, start.group, start.marker))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn listings_begin_behind_their_marker() {
        assert_eq!(start("ws/", "", ""), Some((None, None, true)));
        assert_eq!(start("ws/", "", "aa/z"), Some((None, None, true)));
        assert_eq!(start("ws/", "", "ws"), Some((None, None, true)));
        assert_eq!(start("ws/", "", "ws/"), Some((None, None, false)));
        assert_eq!(start("ws/", "", "ws/a"), Some((some("a"), None, false)));
        assert_eq!(start("ws/", "", "ws/a/b"), Some((some("a/b"), None, false)));
        assert_eq!(start("ws/", "", "ws0"), None);
        assert_eq!(start("ws/", "", "z"), None);
    }

    #[test]
    fn listings_resume_behind_a_whole_group() {
        let group =
            |relative: &str, group: &str| Some((some(&format!("{relative}{LAST}")), some(group), false));
        assert_eq!(start("ws/", "/", "ws/a/"), group("a/", "ws/a/"));
        assert_eq!(start("ws/", "/", "ws/a/b/c"), group("a/", "ws/a/"));
        assert_eq!(start("ws/", "/", "ws/a"), Some((some("a"), None, false)));
        assert_eq!(start("ws/x", "-", "ws/x1-"), group("x1-", "ws/x1-"));
        assert_eq!(start("ws/x", "-", "ws/a-"), Some((some("a-"), None, false)));
    }

    #[test]
    fn groups_end_with_their_first_delimiter_behind_the_prefix() {
        for (key, prefix, delimiter, expected) in [
            ("ws/a/b", "ws/", "/", Some("ws/a/")),
            ("ws/a", "ws/", "/", None),
            ("ws/a/b", "", "/", Some("ws/")),
            ("ws/a-b-c", "ws/", "-", Some("ws/a-")),
            ("ws/a-b-c", "ws/a-", "-", Some("ws/a-b-")),
            ("ws/a-b/c", "ws/", "/c", Some("ws/a-b/c")),
            ("ws/ab", "ws/", "", None),
            ("ws/é😀x", "ws/", "😀", Some("ws/é😀")),
        ] {
            let place = Bucket::io().place(prefix).unwrap();
            assert_eq!(group_of(key, &place, delimiter).as_deref(), expected, "{key} {prefix} {delimiter}");
        }
    }
}
