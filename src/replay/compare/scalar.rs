//! Two values at the same place: equal, standing for each other, or different.

use super::Comparison;
use super::clock::Times;
use super::headers::essence;
use super::kind::{Kind, kind, uuid_in};
use super::time::{Form, parse};
use super::words::Freedom;
use crate::reader::{Field, Role};
use crate::values::{Change, Conflict};

/// How two values compare, before it is asked whether the client reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alike {
    Same,
    Compatible(&'static str),
    Different(Option<String>),
}

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

    /// Binds the names of secrets in a recorded value to what is in their place. Whether all could be.
    pub fn learn(&mut self, recorded: &str, fresh: &str) -> bool {
        let names: Vec<_> = cellgate_record::names(recorded).map(|name| name.range).collect();
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

    pub fn identify(&mut self, class: &'static str, recorded: &str, fresh: &str) -> Alike {
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

pub fn is_hex40(text: &str) -> bool {
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
