//! Texts, word by word: which words of a fresh one may stand for the recorded ones.

use super::Comparison;
use super::clock::Times;
use super::kind::{Kind, kind, uuid_in};
use super::scalar::{Alike, is_hex40, opaque_tag};
use super::time::parse;
use crate::reader::{Field, Role};

/// Which words of a text a server may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freedom {
    /// UUIDs alone, as in names and paths.
    Uuids,
    /// Whatever looks made up, and times.
    Words,
    /// Any word: the field holds an identifier of this class.
    Any(&'static str),
}

/// Two words that stand for each other if the whole text does.
struct Pair {
    class: &'static str,
    recorded: String,
    fresh: String,
    /// The fresh one is of another form.
    other_form: bool,
}

const OTHER_FORM: &str = "an identifier of another form";

impl Comparison<'_> {
    /// Word by word; what stands between the words is equal.
    pub fn text(&mut self, recorded: &str, fresh: &str, freedom: Freedom) -> Alike {
        let whole = if freedom == Freedom::Uuids { None } else { self.pair(recorded, fresh, freedom) };
        let pairs = match whole {
            Some(pair) => vec![pair],
            None => match self.pairs(recorded, fresh, freedom) {
                Some(pairs) => pairs,
                None => return Alike::Different(self.digest_note(recorded)),
            },
        };
        let mut alike = Alike::Same;
        for pair in pairs {
            if let Alike::Different(why) = self.bind(&pair) {
                return Alike::Different(why);
            }
            if pair.other_form && alike == Alike::Same {
                alike = Alike::Compatible(OTHER_FORM);
            }
        }
        alike
    }

    fn digest_note(&self, recorded: &str) -> Option<String> {
        let digest = self.values.is_digest(opaque_tag(recorded));
        digest.then(|| "the recorded one is a digest of what was sent".into())
    }

    fn bind(&mut self, pair: &Pair) -> Alike {
        match pair.class {
            "secret" => {
                self.learn(&pair.recorded, &pair.fresh);
                Alike::Same
            }
            // A session may be given any number of the one, a content have any number of the other.
            class @ ("jwt" | "content") => {
                self.values.stand(class, &pair.recorded, &pair.fresh);
                Alike::Same
            }
            "time" => Alike::Same,
            class => self.identify(class, &pair.recorded, &pair.fresh),
        }
    }

    /// Whether two keys could be of the same entry, with nothing bound by asking.
    pub fn could_be(&self, field: Field<'_>, recorded: &str, fresh: &str) -> bool {
        let freedom = match self.reader.role(field) {
            Role::Id(class) => Freedom::Any(class),
            Role::Name => Freedom::Uuids,
            Role::Exact => return false,
            _ => Freedom::Words,
        };
        (freedom != Freedom::Uuids && self.pair(recorded, fresh, freedom).is_some())
            || self.pairs(recorded, fresh, freedom).is_some()
    }

    fn pairs(&self, recorded: &str, fresh: &str, freedom: Freedom) -> Option<Vec<Pair>> {
        // Links to the target are as good as those to the recorded host.
        let there = self.values.at_recorded_origin(fresh);
        self.zip(recorded, &there, freedom).or_else(|| self.zip(recorded, fresh, freedom))
    }

    fn zip(&self, recorded: &str, fresh: &str, freedom: Freedom) -> Option<Vec<Pair>> {
        if split(recorded).count() != split(fresh).count() {
            return None;
        }
        let words = split(recorded).zip(split(fresh));
        let pairs: Option<Vec<_>> = words.map(|(a, b)| self.words(a, b, freedom)).collect();
        pairs.map(|pairs| pairs.into_iter().flatten().collect())
    }

    /// `None`: they differ. Equal words need no pair.
    fn words(&self, recorded: &str, fresh: &str, freedom: Freedom) -> Option<Option<Pair>> {
        if recorded == fresh || self.values.substitute(recorded) == fresh {
            return Some(None);
        }
        if !recorded.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        if let Some(pair) = self.pair(recorded, fresh, freedom) {
            return Some(Some(pair));
        }
        // The part that differs, between marks that are common: `thumb-<id>.jpg`.
        let marks = ['-', '_', '.', '~', '@', '+'];
        let start = common_start(recorded, fresh);
        let start = recorded.get(..start)?.rfind(marks).map_or(0, |at| at + 1);
        let (a, b) = (recorded.get(start..)?, fresh.get(start..)?);
        let end = common_end(a, b);
        let end = a.get(a.len() - end..)?.find(marks).map_or(0, |at| end - at);
        let (a, b) = (a.get(..a.len() - end)?, b.get(..b.len() - end)?);
        let inner = a.len() < recorded.len() && !a.is_empty() && !b.is_empty();
        match (uuid_in(recorded), uuid_in(fresh)) {
            // Hyphens within a UUID are marks too, by which only a part of it would be taken.
            (Some(x), Some(y))
                if recorded.get(..x.start) == fresh.get(..y.start)
                    && recorded.get(x.end..) == fresh.get(y.end..) =>
            {
                self.pair(recorded.get(x)?, fresh.get(y)?, freedom).map(Some)
            }
            _ if inner && !matches!(freedom, Freedom::Any(_)) => self.pair(a, b, freedom).map(Some),
            _ => None,
        }
    }

    /// Two words that may stand for each other by what they look like.
    fn pair(&self, recorded: &str, fresh: &str, freedom: Freedom) -> Option<Pair> {
        let pair = |class, other_form| Pair {
            class,
            recorded: recorded.to_owned(),
            fresh: fresh.to_owned(),
            other_form,
        };
        if cellgate_record::names(recorded).next().is_some() && !fresh.is_empty() {
            return Some(pair("secret", false));
        }
        let kinds = (kind(recorded), kind(fresh));
        if kinds == (Some(Kind::Uuid), Some(Kind::Uuid)) {
            return Some(pair("uuid", false));
        }
        if freedom == Freedom::Uuids || self.values.is_digest(recorded) {
            return None;
        }
        match kinds {
            (Some(Kind::Jwt), Some(Kind::Jwt)) => return Some(pair("jwt", false)),
            (Some(Kind::Hex), Some(Kind::Hex))
                if self.reader.protocol() == "seafile" && is_hex40(recorded) =>
            {
                return is_hex40(fresh).then(|| pair("content", false));
            }
            (Some(a), Some(b)) => {
                let length = a == Kind::Hex && recorded.len() != fresh.len();
                return Some(pair("token", a != b || length));
            }
            _ => {}
        }
        if let Freedom::Any(class) = freedom
            && !recorded.contains(['/', ':'])
            && !fresh.contains(['/', ':'])
        {
            return Some(pair(class, false));
        }
        let times = (parse(recorded, self.at)?, parse(fresh, self.clock.now())?);
        let alike = self.clock.compare(self.at, &times.0, &times.1) == Times::Alike;
        alike.then(|| pair("time", false))
    }
}

/// Words, and what is between them, in turn.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |char: char| char.is_alphanumeric() || "_-.~+%@".contains(char);
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|char| is_word(char) != is_word(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

fn common_start(a: &str, b: &str) -> usize {
    let pairs = a.char_indices().zip(b.chars());
    pairs.take_while(|((_, a), b)| a == b).last().map_or(0, |((at, char), _)| at + char.len_utf8())
}

fn common_end(a: &str, b: &str) -> usize {
    let pairs = a.chars().rev().zip(b.chars().rev());
    pairs.take_while(|(a, b)| a == b).map(|(char, _)| char.len_utf8()).sum()
}
