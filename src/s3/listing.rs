//! Which keys a listing answers: prefix, delimiter, start and limit, with the semantics of S3.
//!
//! The core lists a collection in key order; a key space is that, walked. A folder is an empty object
//! `folder/` when it was put as one, or is empty; any other folder is no object, its content stands
//! for it. Workspaces are prefixes only.

use cellgate_core::listing::{Depth, Entry, Listing, Page};
use cellgate_core::{Error, Node, NodePath, Result, Tree};

use crate::address::{Bucket, Place};

/// Amazon's limit on one page.
pub(crate) const PAGE_MAX: usize = 1_000;
/// Above every character a name may hold.
pub(crate) const LAST: char = '\u{10FFFF}';

/// What a listing asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    pub(crate) prefix: String,
    /// Empty is none.
    pub(crate) delimiter: String,
    /// Only keys behind this one.
    pub(crate) after: String,
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

#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// In key order.
    pub(crate) items: Vec<Item>,
    /// Whether there is more behind the last one.
    pub(crate) more: bool,
}

pub(crate) async fn list(tree: &Tree, bucket: &Bucket, question: &Question) -> Result<Answer> {
    let mut answer = Answer::default();
    if question.limit == 0 {
        return Ok(answer);
    }
    let Some(place) = bucket.place(&question.prefix) else { return Ok(answer) };
    let Some(start) = Start::of(&place, question) else { return Ok(answer) };
    let mut walk = Walk { tree, place: &place, question, answer: &mut answer, group: start.group };
    match walk.run(start.after, start.marker).await {
        Ok(()) => Ok(answer),
        // No such folder, or a file of that name: no key begins so.
        Err(Error::NotFound(_) | Error::ParentMissing(_) | Error::NotACollection(_)) => Ok(Answer::default()),
        Err(error) => Err(error),
    }
}

/// Where to begin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// Relative to the place's folder.
    pub(crate) after: Option<String>,
    /// The group that the last page ended with.
    pub(crate) group: Option<String>,
    /// Whether the folder's own key still lies ahead.
    pub(crate) marker: bool,
}

impl Start {
    /// `None` when everything lies behind.
    pub(crate) fn of(place: &Place, question: &Question) -> Option<Self> {
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
pub(crate) fn group_of(key: &str, place: &Place, delimiter: &str) -> Option<String> {
    if delimiter.is_empty() {
        return None;
    }
    let begin = place.text.len() + place.rest.len();
    let rest = key.strip_prefix(place.text.as_str())?.strip_prefix(place.rest.as_str())?;
    let end = begin + rest.find(delimiter)? + delimiter.len();
    key.get(..end).map(str::to_owned)
}

struct Walk<'a> {
    tree: &'a Tree,
    place: &'a Place,
    question: &'a Question,
    answer: &'a mut Answer,
    /// The last group that was answered.
    group: Option<String>,
}

impl Walk<'_> {
    async fn run(&mut self, mut after: Option<String>, marker: bool) -> Result<()> {
        let by_folder = self.question.delimiter == "/";
        let mut first = marker && self.place.rest.is_empty() && self.place.folder.depth() > 1;
        if first && self.own_key(Node::is_key).await? {
            first = false;
        }
        loop {
            let listing = Listing {
                depth: if by_folder { Depth::One } else { Depth::Infinity },
                after,
                name_prefix: (!self.place.rest.is_empty()).then(|| self.place.rest.clone()),
                limit: self.question.limit - self.answer.items.len() + 1,
            };
            let page = self.tree.list(&self.place.folder, &listing).await?;
            if first && page.entries.is_empty() && page.next.is_none() {
                return self.own_key(|node| !node.is_implied()).await.map(drop);
            }
            first = false;
            after = match self.take(page) {
                Some(next) => Some(next),
                None => return Ok(()),
            };
        }
    }

    /// Takes what fits; answers where to go on.
    fn take(&mut self, page: Page) -> Option<String> {
        for entry in page.entries {
            let key = format!("{}{}", self.place.text, entry.key);
            let item = if let Some(group) = group_of(&key, self.place, &self.question.delimiter) {
                if self.group.as_ref() == Some(&group) {
                    continue;
                }
                self.group = Some(group.clone());
                Item::Prefix(group)
            } else if entry.node.is_collection() && !self.is_object(&entry) {
                continue;
            } else {
                Item::Object { key, node: Box::new(entry.node) }
            };
            if self.answer.items.len() == self.question.limit {
                self.answer.more = true;
                return None;
            }
            self.answer.items.push(item);
        }
        let next = page.next?;
        // Rather than walk through a group that is answered already, go on behind it.
        let behind = self.group.as_ref().and_then(|group| {
            let relative = group.get(self.place.text.len()..)?;
            next.starts_with(relative).then(|| format!("{relative}{LAST}"))
        });
        Some(behind.unwrap_or(next))
    }

    /// Whether a folder that is met has a key of its own.
    fn is_object(&self, entry: &Entry) -> bool {
        let depth = self.place.folder.depth() + entry.key.matches('/').count();
        depth > 1 && (entry.node.is_key() || (entry.empty && !entry.node.is_implied()))
    }

    /// Answers the key of the folder that the prefix names, if that is an object.
    async fn own_key(&mut self, is_object: impl Fn(&Node) -> bool) -> Result<bool> {
        let node = self.tree.stat(&self.place.folder).await?;
        if !node.is_collection() || !is_object(&node) {
            return Ok(false);
        }
        self.answer.items.push(Item::Object { key: self.place.text.clone(), node: Box::new(node) });
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
