//! Reading, entry by entry: what is in memory is the exchanges kept and one entry.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{BufReader, Read};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::convert::{Converted, convert};
use super::error::{At, HarError};
use super::guard::{Guard, Refused};
use super::{Limits, Recording, raw};
use crate::exchange::Exchange;

pub fn read(reader: impl Read, limits: &Limits) -> Result<Recording, HarError> {
    let mut guard = Guard::new(BufReader::with_capacity(256 * 1024, reader), limits.file)?;
    let state = State { limits: *limits, ..State::default() };
    let mut json = serde_json::Deserializer::from_reader(&mut guard);
    let done = File(&state).deserialize(&mut json).and_then(|()| json.end());
    drop(json);
    if let Err(error) = done {
        return Err(state.explain(&error, guard.refused));
    }
    state.finish()
}

/// What has been read so far, for the visitors, which share it.
#[derive(Default)]
struct State {
    limits: Limits,
    exchanges: RefCell<Vec<Exchange>>,
    skipped: RefCell<Vec<(usize, String)>>,
    notes: RefCell<Vec<String>>,
    /// The entry that is being read.
    entry: Cell<Option<usize>>,
    /// What was wrong with it beyond its JSON.
    wrong: RefCell<Option<HarError>>,
    log: Cell<bool>,
    entries: Cell<bool>,
    version: RefCell<Option<String>>,
    creator: RefCell<Option<String>>,
    comment: RefCell<Option<String>>,
}

impl State {
    fn explain(&self, error: &serde_json::Error, refused: Option<Refused>) -> HarError {
        if let Some(wrong) = self.wrong.borrow_mut().take() {
            return wrong;
        }
        let at = At(self.entry.get());
        let (line, column) = (error.line(), error.column());
        match (refused, error.classify()) {
            (Some(Refused::Size), _) => HarError::FileTooLarge { limit: self.limits.file },
            (Some(Refused::Depth), _) => HarError::TooDeep { at },
            (None, Category::Io) => HarError::Io(std::io::Error::other(error.to_string())),
            (None, Category::Eof) => HarError::Truncated { at },
            (None, Category::Syntax) if error.to_string().starts_with("recursion limit") => {
                HarError::TooDeep { at }
            }
            (None, Category::Syntax) => HarError::NotJson { at, what: plain(error), line, column },
            (None, Category::Data) => match self.entry.get() {
                Some(number) => HarError::Entry { number, what: plain(error) },
                None => HarError::NotJson { at, what: plain(error), line, column },
            },
        }
    }

    fn finish(self) -> Result<Recording, HarError> {
        if !self.log.get() {
            return Err(HarError::NotHar("it has no `log`"));
        }
        let mut notes = self.notes.into_inner();
        match self.version.into_inner().as_deref() {
            // An empty version means 1.1, says the specification.
            Some("1.1" | "1.2" | "") => {}
            None => notes.push("`log.version` is missing; read as 1.2".to_owned()),
            Some(other) => return Err(HarError::Version(other.chars().take(20).collect())),
        }
        if !self.entries.get() {
            return Err(HarError::NotHar("its `log` has no `entries`"));
        }
        let mut exchanges = self.exchanges.into_inner();
        // Stable: what began within the same millisecond keeps the order of the file.
        exchanges.sort_by_key(|exchange| exchange.started);
        Ok(Recording {
            comment: self.comment.into_inner().filter(|comment| !comment.is_empty()),
            creator: self.creator.into_inner().unwrap_or_else(|| "unknown".to_owned()),
            exchanges,
            skipped: self.skipped.into_inner(),
            notes,
        })
    }

    fn take(&self, number: usize, entry: raw::Entry) -> Result<(), ()> {
        match convert(number, entry, &self.limits) {
            Ok(Converted::Exchange { exchange, notes }) => {
                self.exchanges.borrow_mut().push(*exchange);
                self.notes.borrow_mut().extend(notes);
                Ok(())
            }
            Ok(Converted::Skipped(why)) => {
                self.skipped.borrow_mut().push((number, why));
                Ok(())
            }
            Err(what) => {
                *self.wrong.borrow_mut() = Some(HarError::Entry { number, what });
                Err(())
            }
        }
    }
}

/// The reader's own words without its position, and without the value that was wrong.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    match (text.split_once(": "), text.rsplit_once(", expected ")) {
        (Some((kind @ ("invalid type" | "invalid value"), _)), Some((_, expected))) => {
            format!("{kind}, expected {expected}")
        }
        _ => text.to_owned(),
    }
}

struct File<'a>(&'a State);
struct Log<'a>(&'a State);
struct Entries<'a>(&'a State);

impl<'de> DeserializeSeed<'de> for File<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for File<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object with `log`")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "log" {
                self.0.log.set(true);
                map.next_value_seed(Log(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Log<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Log<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object as `log`")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "entries" => {
                    self.0.entries.set(true);
                    map.next_value_seed(Entries(self.0))?;
                }
                "version" => *self.0.version.borrow_mut() = map.next_value::<Version>()?.0,
                "comment" => *self.0.comment.borrow_mut() = map.next_value()?,
                "creator" => {
                    let creator: Option<raw::Creator> = map.next_value()?;
                    let words = creator.map(|creator| [creator.name, creator.version]);
                    let words: Vec<String> = words.into_iter().flatten().flatten().collect();
                    *self.0.creator.borrow_mut() = (!words.is_empty()).then(|| words.join(" "));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list as `entries`")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for number in 1.. {
            self.0.entry.set(Some(number));
            let Some(entry) = seq.next_element::<raw::Entry>()? else { break };
            self.0.take(number, entry).map_err(|()| A::Error::custom("entry"))?;
        }
        self.0.entry.set(None);
        Ok(())
    }
}

/// A version, which some programs write as a number.
#[derive(Deserialize)]
#[serde(from = "Written")]
struct Version(Option<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(f64),
    Nothing(()),
}

impl From<Written> for Version {
    fn from(written: Written) -> Self {
        Self(match written {
            Written::Text(text) => Some(text),
            Written::Number(number) => Some(number.to_string()),
            Written::Nothing(()) => None,
        })
    }
}
