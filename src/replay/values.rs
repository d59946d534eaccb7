//! What stands for what: names of secrets, ids, links and times of earlier answers.
//!
//! Long values, which mean one thing wherever they stand, are replaced in every text. Short ones, such as
//! a repository's `1`, only where a parameter of their class is known to hold one. Every value is replaced
//! as a whole word, never inside a longer one.
//!
//! Known gap: values inside of base64 or compressed bodies are not seen.

mod index;
mod scoped;
mod view;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use cellgate_record::{is_name, names};
use index::{Edge, Index, Into};
use scoped::Scoped;

use time::OffsetDateTime;

/// Recorded values and the fresh ones that stand for them.
#[derive(Debug, Clone, Default)]
pub struct Values {
    names: HashMap<String, String>,
    anywhere: Index,
    scoped: Scoped,
    /// Fresh secrets, and their names for messages.
    secrets: Index,
    /// The way back for hosts.
    origins: Index,
    /// Of each class of identifiers, both ways.
    pairs: HashMap<(Class, String), String>,
    reverse: HashMap<(Class, String), String>,
    /// Of each place that holds a version: the last recorded and fresh one.
    versions: HashMap<String, (String, String)>,
    contents: HashMap<String, String>,
    /// And of which content, by number, they are; whether they are its MD5.
    digests: HashMap<String, (usize, bool)>,
    contents_sent: usize,
    /// Times that the client gave to something, in Unix seconds.
    times_sent: HashSet<i64>,
}

type Class = &'static str;

/// An identifier does not stand for what it stood for before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// The recorded value already stood for this other fresh one.
    Recorded(String),
    /// The fresh value already stands for this other recorded one.
    Fresh(String),
}

/// Shorter ones could be a word of something else.
const SAFE_ANYWHERE: usize = 12;
/// Identifiers that are numbers alone are rarer than other numbers.
const SAFE_NUMBER: usize = 15;
/// A recording may be hostile; beyond this nothing more of a kind is remembered.
const MOST: usize = 500_000;
/// Secrets of fewer characters are not masked in messages: they would mask ordinary words.
const SHORTEST_SECRET: usize = 3;

impl Values {
    /// The name of a secret, or any other recorded value, and the fresh one. The last setting holds.
    pub fn set(&mut self, recorded: &str, fresh: &str) {
        if is_name(recorded) {
            if fresh.len() >= SHORTEST_SECRET {
                self.secrets.set(fresh, recorded, Edge::Word);
            }
            self.names.insert(recorded.to_owned(), fresh.to_owned());
        } else {
            let edge = if recorded.len() >= SAFE_ANYWHERE { Edge::Word } else { Edge::Segment };
            self.anywhere.set(recorded, fresh, edge);
        }
    }

    pub fn get(&self, recorded: &str) -> Option<&str> {
        self.names
            .get(recorded)
            .map(String::as_str)
            .or_else(|| self.anywhere.get(recorded))
            .or_else(|| self.contents.get(recorded).map(String::as_str))
    }

    /// The recording's login, and the one that the replay uses for it.
    pub fn set_login(&mut self, recorded: &str, fresh: &str) {
        if recorded != fresh {
            self.anywhere.set(recorded, fresh, Edge::Segment);
        }
    }

    /// `https://old.example.com` of the recording, and the target that answers in its place.
    pub fn set_origin(&mut self, recorded: &str, fresh: &str) {
        let host = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
        self.anywhere.set(recorded, fresh, Edge::Host);
        self.origins.set(fresh, recorded, Edge::Host);
        // A bare `localhost` is a word of its own in too many texts.
        if let (Some(old), Some(new)) = (host(recorded), host(fresh))
            && old.contains(['.', ':'])
        {
            self.anywhere.set(&old, &new, Edge::Host);
            self.origins.set(&new, &old, Edge::Host);
        }
    }

    /// A fresh text with the recording's hosts in it.
    pub(crate) fn at_recorded_origin<'a>(&self, fresh: &'a str) -> Cow<'a, str> {
        self.origins.replace(fresh, Into::Text)
    }

    /// A recorded body that the replay sends another one for.
    pub fn set_content(&mut self, recorded_sha256: &str, fresh_sha256: &str) {
        self.contents.insert(recorded_sha256.to_owned(), fresh_sha256.to_owned());
        self.anywhere.set(recorded_sha256, fresh_sha256, Edge::Word);
    }

    /// A header value or a body, with fresh values in the place of recorded ones.
    pub fn substitute<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.replace(text, Into::Text)
    }

    /// A request target, in which values may be percent-encoded.
    pub fn substitute_target<'a>(&self, target: &'a str) -> Cow<'a, str> {
        self.replace(target, Into::Target)
    }

    /// Names of secrets in a text that nothing stands for yet.
    pub fn missing(&self, text: &str) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        for range in names(text).map(|name| name.range) {
            let Some(name) = text.get(range) else { continue };
            if !self.names.contains_key(name) && !missing.iter().any(|known| known == name) {
                missing.push(name.to_owned());
            }
        }
        missing
    }

    fn replace<'a>(&self, text: &'a str, into: Into) -> Cow<'a, str> {
        let text = chain(Cow::Borrowed(text), |text| self.scoped.replace(text, into == Into::Target));
        let text = chain(text, |text| self.anywhere.replace(text, into));
        chain(text, |text| self.replace_names(text, into))
    }

    fn replace_names<'a>(&self, text: &'a str, into: Into) -> Cow<'a, str> {
        let mut out = String::new();
        let mut copied = 0;
        for range in names(text).map(|name| name.range) {
            let Some(fresh) = text.get(range.clone()).and_then(|name| self.names.get(name)) else { continue };
            out.push_str(text.get(copied..range.start).unwrap_or_default());
            match into {
                Into::Text => out.push_str(fresh),
                Into::Target => out.push_str(&view::View::of("").encode(0, 0, fresh, true)),
            }
            copied = range.end;
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// A text for messages: fresh secrets by their names.
    pub(crate) fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.secrets.replace(text, Into::Text)
    }

    /// What the client would find at the place of a name. Passwords stay what the replay was given.
    pub(crate) fn learn_secret(&mut self, name: &str, fresh: &str) {
        let given = name.starts_with("__password_") && self.names.contains_key(name);
        if !fresh.is_empty() && !given {
            self.set(name, fresh);
        }
    }

    /// An identifier of a class; the first time it is bound, later it must be the same one.
    pub(crate) fn identify(&mut self, class: Class, recorded: &str, fresh: &str) -> Result<(), Conflict> {
        if let Some(known) = self.pairs.get(&(class, recorded.to_owned()))
            && known != fresh
        {
            return Err(Conflict::Recorded(known.clone()));
        }
        if let Some(known) = self.reverse.get(&(class, fresh.to_owned()))
            && known != recorded
        {
            return Err(Conflict::Fresh(known.clone()));
        }
        if self.pairs.len() >= MOST {
            return Ok(());
        }
        self.pairs.insert((class, recorded.to_owned()), fresh.to_owned());
        self.reverse.insert((class, fresh.to_owned()), recorded.to_owned());
        self.stand(class, recorded, fresh);
        Ok(())
    }

    /// From here on `fresh` is sent where `recorded` was, without a claim about identity.
    pub(crate) fn stand(&mut self, class: Class, recorded: &str, fresh: &str) {
        if recorded == fresh && self.get(recorded).is_none() {
            return;
        }
        // In the headers that hold one it has brackets, with which even a number is nothing else.
        if class == "lock" {
            self.anywhere.set(&format!("<{recorded}>"), &format!("<{fresh}>"), Edge::Word);
        }
        let number = recorded.bytes().all(|byte| byte.is_ascii_digit());
        if recorded.len() >= if number { SAFE_NUMBER } else { SAFE_ANYWHERE } {
            self.anywhere.set(recorded, fresh, Edge::Word);
        } else {
            self.scoped.set(class, recorded, fresh);
        }
    }

    /// A version of what is at `place`, such as an ETag: it has to change when the recorded one does.
    pub(crate) fn version(&mut self, place: &str, recorded: &str, fresh: &str) -> Change {
        let change = match self.versions.get(place) {
            Some((before, now)) if before != recorded && now == fresh => Change::Stuck,
            Some((before, now)) if before == recorded && now != fresh => Change::Restless,
            _ => Change::Alike,
        };
        if self.versions.len() < MOST {
            self.versions.insert(place.to_owned(), (recorded.to_owned(), fresh.to_owned()));
        }
        let base64 = recorded.len() >= 8 && recorded.ends_with('=');
        if recorded.len() >= SAFE_ANYWHERE || base64 {
            self.anywhere.set(recorded, fresh, Edge::Word);
        } else if recorded != fresh {
            // With its quotes even `"5"` is nothing else.
            self.anywhere.set(&format!("\"{recorded}\""), &format!("\"{fresh}\""), Edge::Word);
        }
        change
    }

    pub(crate) fn content(&self, recorded_sha256: &str) -> Option<&str> {
        self.contents.get(recorded_sha256).map(String::as_str)
    }

    pub(crate) fn replaced_contents(&self) -> bool {
        !self.contents.is_empty()
    }

    /// Digests of one content that the recording's client sent: data, that a server may not invent. The
    /// first two are its MD5.
    pub(crate) fn add_digests(&mut self, digests: Vec<String>) {
        self.contents_sent += 1;
        for (at, digest) in digests.into_iter().enumerate() {
            self.digests.insert(digest, (self.contents_sent, at < 2));
        }
    }

    pub(crate) fn add_time(&mut self, time: OffsetDateTime) {
        if self.times_sent.len() < MOST {
            self.times_sent.insert(time.unix_timestamp());
        }
    }

    pub(crate) fn was_sent(&self, time: OffsetDateTime) -> bool {
        self.times_sent.contains(&time.unix_timestamp())
    }

    pub(crate) fn is_digest(&self, recorded: &str) -> bool {
        self.digests.contains_key(recorded)
    }

    /// Whether both are digests of one content, and the recorded one not the MD5, which clients check.
    pub(crate) fn digests_of_one(&self, recorded: &str, fresh: &str) -> bool {
        let fresh = fresh.split_once('-').map_or(fresh, |(digest, _)| digest);
        match (self.digests.get(recorded), self.digests.get(fresh)) {
            (Some((a, md5)), Some((b, _))) => a == b && !md5,
            _ => false,
        }
    }
}

/// How a fresh version moved against the recorded one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Alike,
    /// The recorded one changed, the fresh one did not: a cache would keep what is old.
    Stuck,
    /// The fresh one changed, the recorded one did not: a cache would ask again.
    Restless,
}

fn chain<'a>(text: Cow<'a, str>, replace: impl for<'b> Fn(&'b str) -> Cow<'b, str>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => replace(text),
        Cow::Owned(text) => Cow::Owned(replace(&text).into_owned()),
    }
}

#[cfg(test)]
mod tests;
