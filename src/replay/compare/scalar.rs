//! Two values at the same place: equal, standing for each other, or different.

use super::Comparison;
use super::clock::Times;
use super::headers::essence;
use super::kind::{Kind, kind, uuid_in};
use super::time::{Form, parse};
use crate::reader::{Field, Role};
use crate::values::{Change, Conflict, find_names};

/// How two values compare, before it is asked whether the client reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alike {
    Same,
    Compatible(&'static str),
    Different(Option<String>),
}

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
    pub fn scalar(&mut self, field: Field<'_>, place: &str, recorded: &str, fresh: &str) -> Alike {
        let role = self.reader.role(field);
        if role == Role::Ignored || self.learn(recorded, fresh) {
            return Alike::Same;
        }
        match role {
            Role::Version => return self.version(place, recorded, fresh),
            Role::Id(class) => return self.identifier(class, recorded, fresh),
            _ => {}
        }
        if recorded == fresh {
            return self.confirm(recorded);
        }
        if self.values.substitute(recorded) == fresh {
            return Alike::Same;
        }
        match role {
            Role::Prose => self.prose(recorded, fresh),
            Role::Machine => Alike::Compatible("a fact of the server or its settings"),
            Role::Person if !recorded.is_empty() && !fresh.is_empty() => self.person(recorded, fresh),
            Role::Media if essence(recorded) == essence(fresh) => {
                Alike::Compatible("only its parameters differ")
            }
            Role::Exact => Alike::Different(None),
            Role::Name => self.text(recorded, fresh, Freedom::Uuids),
            Role::Remaining => match self.time(recorded, fresh) {
                Some(alike) => alike,
                None => remaining(recorded, fresh),
            },
            _ => match self.time(recorded, fresh) {
                Some(alike) => alike,
                None => self.text(recorded, fresh, Freedom::Words),
            },
        }
    }

    pub fn learn_cookie(&mut self, recorded: &str, fresh: &str) -> bool {
        self.learn(recorded, fresh)
    }

    /// Binds the names of secrets in a recorded value to what is in their place. Whether all could be.
    fn learn(&mut self, recorded: &str, fresh: &str) -> bool {
        let names = find_names(recorded);
        if names.is_empty() {
            return false;
        }
        let mut learnt: Vec<(String, String)> = Vec::new();
        let mut rest = fresh;
        let mut from = 0;
        for (at, range) in names.iter().enumerate() {
            let before = recorded.get(from..range.start).unwrap_or_default();
            let literal = self.values.substitute(before);
            // What comes between two names ends the first of them.
            let found = if at == 0 {
                [before, &literal].iter().find(|text| rest.starts_with(**text)).map(|text| (0, text.len()))
            } else if before.is_empty() {
                None
            } else {
                [before, &literal].iter().find_map(|text| rest.find(*text).map(|start| (start, text.len())))
            };
            let Some((start, length)) = found else { return false };
            if let Some(last) = learnt.last_mut() {
                rest.get(..start).unwrap_or_default().clone_into(&mut last.1);
            }
            rest = rest.get(start + length..).unwrap_or_default();
            learnt.push((recorded.get(range.clone()).unwrap_or_default().to_owned(), String::new()));
            from = range.end;
        }
        let after = recorded.get(from..).unwrap_or_default();
        let literal = self.values.substitute(after);
        let Some(end) = [after, &literal].iter().find_map(|text| rest.strip_suffix(*text)) else {
            return false;
        };
        if let Some(last) = learnt.last_mut() {
            end.clone_into(&mut last.1);
        }
        if learnt.iter().any(|(_, secret)| secret.is_empty() || secret.contains(['\n', '"', '<'])) {
            return false;
        }
        for (name, secret) in learnt {
            self.values.learn_secret(&name, &secret);
        }
        true
    }

    /// Another user than the recorded one, but always the same.
    fn person(&mut self, recorded: &str, fresh: &str) -> Alike {
        match self.values.identify("person", recorded, fresh) {
            Ok(()) => Alike::Same,
            Err(_) => Alike::Compatible("says who somebody is, and the user is another one"),
        }
    }

    fn prose(&self, recorded: &str, fresh: &str) -> Alike {
        let today = |text: &str| parse(text, self.at).is_some_and(|time| time.form == Form::Today);
        if today(recorded) && today(fresh) {
            return Alike::Same;
        }
        let (before, now) = (recorded.to_lowercase(), fresh.to_lowercase());
        let sought = self.reader.phrases().iter();
        match sought.into_iter().find(|phrase| before.contains(*phrase) != now.contains(*phrase)) {
            Some(phrase) => Alike::Different(Some(format!("the client looks for “{phrase}” in this text"))),
            None => Alike::Compatible("a text for people"),
        }
    }

    /// Equal identifiers must not have meant others before.
    fn confirm(&mut self, value: &str) -> Alike {
        if kind(value) == Some(Kind::Uuid) {
            return self.identify("uuid", value, value);
        }
        Alike::Same
    }

    fn version(&mut self, place: &str, recorded: &str, fresh: &str) -> Alike {
        let (before, now) = (opaque_tag(recorded), opaque_tag(fresh));
        if kind(before) == Some(Kind::Uuid) && kind(now) == Some(Kind::Uuid) {
            return self.identify("uuid", before, now);
        }
        let known = self.values.is_digest(before);
        let another = before != now && self.values.digests_of_one(before, now);
        if before != now && known && !another && self.values.get(before) != Some(now) {
            return Alike::Different(Some("the recorded one is a digest of what was sent".into()));
        }
        // Seafile's empty files and folders have forty zeros; an identifier there says no more than any other.
        let zeros = before.len() == 40 && is_hex40(now) && before.bytes().all(|byte| byte == b'0');
        if zeros && before != now {
            return Alike::Compatible("the recorded one says that it is empty");
        }
        if before != now && (is_word(before) || is_word(now)) {
            return Alike::Different(None);
        }
        if self.reader.protocol() == "seafile" && is_hex40(before) && !is_hex40(now) {
            return Alike::Different(Some("not forty hexadecimal digits".into()));
        }
        let place = format!("{} {place}", self.resource);
        match self.values.version(&place, before, now) {
            Change::Alike if another => Alike::Compatible("another digest of the same content"),
            Change::Alike => Alike::Same,
            // Some servers number the writes, some digest the content: only what hides a change matters.
            Change::Restless => Alike::Compatible("it changed where the recorded one did not"),
            Change::Stuck => Alike::Different(Some("it did not change where the recorded one did".into())),
        }
    }

    fn identifier(&mut self, class: &'static str, recorded: &str, fresh: &str) -> Alike {
        if recorded == fresh && (is_word(recorded) || recorded.is_empty()) {
            return Alike::Same;
        }
        if recorded.is_empty() || fresh.is_empty() {
            return Alike::Different(None);
        }
        // `null`, `0` and `-1` say that there is none; a repository may be called anything.
        if class != "repository" && recorded != fresh && (is_word(recorded) || is_word(fresh)) {
            return Alike::Different(None);
        }
        if self.values.substitute(recorded) == fresh && recorded != fresh {
            return Alike::Same;
        }
        if recorded.contains("://") || fresh.contains("://") {
            return self.text(recorded, fresh, Freedom::Any(class));
        }
        let (before, now) = (strip_brackets(recorded), strip_brackets(fresh));
        match (uuid_in(before), uuid_in(now)) {
            (Some(a), Some(b)) if a == b && before.get(..a.start) == now.get(..b.start) => {
                let (before, now) = (before.get(a).unwrap_or_default(), now.get(b).unwrap_or_default());
                self.identify("uuid", before, now)
            }
            _ => self.identify(class, before, now),
        }
    }

    fn identify(&mut self, class: &'static str, recorded: &str, fresh: &str) -> Alike {
        match self.values.identify(class, recorded, fresh) {
            Ok(()) => Alike::Same,
            Err(Conflict::Recorded(known)) => {
                Alike::Different(Some(format!("changed identity: {known} was there for it before")))
            }
            Err(Conflict::Fresh(known)) => {
                Alike::Different(Some(format!("changed identity: it was there for {known} before")))
            }
        }
    }

    /// `None`: the recorded value is no time.
    fn time(&mut self, recorded: &str, fresh: &str) -> Option<Alike> {
        let before = parse(recorded, self.at)?;
        let Some(now) = parse(fresh, self.clock.now()) else {
            // A number that happened to look like a time is none.
            return (!matches!(before.form, Form::Unix(_)))
                .then(|| Alike::Different(Some("not written as a time".into())));
        };
        let times = self.clock.compare(self.at, &before, &now);
        if matches!(times, Times::Alike | Times::Finer)
            && matches!(before.form, Form::Http | Form::Iso { .. } | Form::Basic)
        {
            self.values.stand("time", recorded, fresh);
        }
        if times == Times::NotNow && self.values.was_sent(now.instant) {
            return Some(Alike::Compatible("a time that the client itself had set"));
        }
        Some(match times {
            Times::Alike => Alike::Same,
            Times::Finer => Alike::Compatible("the same time, of another fineness"),
            Times::OtherForm => Alike::Different(Some("a time written in another form".into())),
            Times::NotNow => Alike::Different(Some("the recorded one was the time of the call".into())),
            Times::Apart => Alike::Different(None),
        })
    }

    /// Word by word; what stands between the words is equal.
    fn text(&mut self, recorded: &str, fresh: &str, freedom: Freedom) -> Alike {
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
        if !find_names(recorded).is_empty() && !fresh.is_empty() {
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

/// Without quotes and the mark of a weak one.
pub fn opaque_tag(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix("W/").unwrap_or(text);
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

fn strip_brackets(text: &str) -> &str {
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text)
}

/// A word that says something itself instead of being made up: `null`, `temporary`, `-1`, forty zeros.
fn is_word(text: &str) -> bool {
    let letters = text.bytes().all(|byte| byte.is_ascii_lowercase());
    let zeros = text.bytes().all(|byte| byte == b'0');
    text == "-1" || zeros || (letters && text.len() < 16)
}

fn is_hex40(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Seconds that are left tick while the answer travels; how many there were is the server's choice.
fn remaining(recorded: &str, fresh: &str) -> Alike {
    let number = |text: &str| {
        text.trim_start_matches(|char: char| !char.is_ascii_digit())
            .parse::<u64>()
            .ok()
            .map(|number| number as f64)
    };
    match (number(recorded), number(fresh)) {
        (Some(a), Some(b)) if (a - b).abs() <= 60.0_f64.max(a * 0.02) && (a == 0.0) == (b == 0.0) => {
            Alike::Same
        }
        (Some(a), Some(b)) if a > 0.0 && b > 0.0 => Alike::Compatible("the server chooses how long"),
        (None, Some(_)) | (Some(_), None) => Alike::Compatible("the server chooses how long"),
        _ => Alike::Different(None),
    }
}
