//! What was looked up lately, served again for as long as nothing is committed.
//!
//! A lookup through SQLite takes and drops locks in the file system; one from here reads 96 bytes.
//! They are the header of the shared memory beside the WAL (`-shm`,
//! <https://sqlite.org/walformat.html>, "The WAL-Index Header"), which every commit of every
//! process rewrites once it is on disk, and before anybody sees it. An entry is served only while
//! the header is still the one under which it was read, so no answer is older than the last commit.
//!
//! The price: a commit makes all nodes worthless. Beside steady writes this is one small read more
//! per lookup. Inline bytes stay: they never change.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::{BuildHasher, Hash};
use std::mem::ManuallyDrop;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cellgate_core::node::{Node, NodeId};
use uuid::Uuid;

/// One copy of the header; two stand one after the other.
const HEADER_BYTES: usize = 48;
/// Where the header says that it has been filled in.
const IS_INIT: usize = 12;
/// Bytes of each of two generations. When the younger is full, the older is forgotten.
const GENERATION_BYTES: usize = 16 * 1024 * 1024;
/// About what an entry takes beside its texts.
const ENTRY_BYTES: usize = 320;

/// A state of the whole index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp([u8; HEADER_BYTES]);

pub struct Lookups {
    /// Never closed: closing any handle on a file drops all POSIX locks that the process holds on
    /// it, those of SQLite's own handles too.
    header: ManuallyDrop<File>,
    open: AtomicBool,
    hasher: RandomState,
    kept: Mutex<Kept>,
}

struct Kept {
    stamp: Stamp,
    /// Counts changes of `stamp`: entries of another era are worthless.
    era: u64,
    /// By the hash of parent and name, which the node itself confirms.
    nodes: Generations<u64, Arc<Node>>,
    inline: Generations<Uuid, Bytes>,
}

impl Lookups {
    /// Beside an open database. `None` where the shared memory is no file, or cannot be read.
    pub fn beside(database: &Path) -> Option<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push("-shm");
        let header = ManuallyDrop::new(File::open(path).ok()?);
        let kept = Kept {
            stamp: Stamp([0; HEADER_BYTES]),
            era: 0,
            nodes: Generations::default(),
            inline: Generations::default(),
        };
        let kept = Mutex::new(kept);
        Some(Self { header, open: AtomicBool::new(true), hasher: RandomState::new(), kept })
    }

    /// After the last connection is closed the file may be replaced by another one.
    pub fn close(&self) {
        self.open.store(false, Ordering::Relaxed);
    }

    /// The state that a read which begins now would see; `None` in the middle of a commit.
    pub fn now(&self) -> Option<Stamp> {
        if !self.open.load(Ordering::Relaxed) {
            return None;
        }
        let mut both = [0; 2 * HEADER_BYTES];
        self.header.read_exact_at(&mut both, 0).ok()?;
        let (one, two) = both.split_first_chunk()?;
        (one == two && one.get(IS_INIT) == Some(&1)).then_some(Stamp(*one))
    }

    /// The nodes of a path, if all of them are known.
    pub fn chain(&self, stamp: &Stamp, from: NodeId, names: &[String]) -> Option<Vec<Node>> {
        let mut chain: Vec<Arc<Node>> = Vec::with_capacity(names.len());
        let mut kept = self.at(stamp);
        let era = kept.era;
        for name in names {
            let parent = chain.last().map_or(from, |node| node.id);
            let node = kept.nodes.get(&self.hash(parent, name), era)?;
            if node.parent != parent || node.name != *name {
                return None;
            }
            chain.push(node);
        }
        drop(kept);
        Some(chain.iter().map(|node| Node::clone(node)).collect())
    }

    /// Whatever was committed since: bytes never change under their id, and whoever asks has just
    /// read it from a node.
    pub fn inline(&self, id: Uuid) -> Option<Bytes> {
        self.kept().inline.get(&id, 0)
    }

    /// Keeps what was read since `stamp`, unless something was committed meanwhile.
    pub fn keep_chain(&self, stamp: &Stamp, chain: &[Node]) {
        if self.now().as_ref() != Some(stamp) {
            return;
        }
        let entries: Vec<_> = chain
            .iter()
            .map(|node| {
                let bytes = ENTRY_BYTES + 2 * node.name.len() + 64 * node.attributes.0.len();
                (self.hash(node.parent, &node.name), Arc::new(node.clone()), bytes)
            })
            .collect();
        let mut kept = self.at(stamp);
        let era = kept.era;
        for (key, node, bytes) in entries {
            kept.nodes.insert(key, node, era, bytes);
        }
    }

    pub fn keep_inline(&self, id: Uuid, bytes: &Bytes) {
        self.kept().inline.insert(id, bytes.clone(), 0, ENTRY_BYTES + bytes.len());
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept of a state: nothing, if what is kept is of another one.
    fn at(&self, stamp: &Stamp) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept();
        if kept.stamp != *stamp {
            kept.stamp = *stamp;
            kept.era += 1;
        }
        kept
    }

    fn hash(&self, parent: NodeId, name: &str) -> u64 {
        self.hasher.hash_one((parent, name))
    }
}

/// A map that forgets what was not asked for lately.
struct Generations<K, V> {
    young: HashMap<K, Entry<V>>,
    young_bytes: usize,
    old: HashMap<K, Entry<V>>,
}

struct Entry<V> {
    value: V,
    era: u64,
    bytes: usize,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self { young: HashMap::new(), young_bytes: 0, old: HashMap::new() }
    }
}

impl<K: Eq + Hash + Copy, V: Clone> Generations<K, V> {
    fn get(&mut self, key: &K, era: u64) -> Option<V> {
        if let Some(entry) = self.young.get(key) {
            return (entry.era == era).then(|| entry.value.clone());
        }
        let entry = self.old.remove(key).filter(|entry| entry.era == era)?;
        let value = entry.value.clone();
        self.insert(*key, entry.value, era, entry.bytes);
        Some(value)
    }

    fn insert(&mut self, key: K, value: V, era: u64, bytes: usize) {
        if self.young_bytes + bytes > GENERATION_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        if let Some(replaced) = self.young.insert(key, Entry { value, era, bytes }) {
            self.young_bytes = self.young_bytes.saturating_sub(replaced.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_forgotten() {
        let mut kept = Generations::default();
        kept.insert(1, "asked for", 0, 1);
        kept.insert(2, "not asked for", 0, 1);
        for round in 0..3 {
            assert_eq!(kept.get(&1, 0), Some("asked for"), "{round}");
            kept.insert(10 + round, "filler", 0, GENERATION_BYTES - 1);
        }
        assert_eq!(kept.get(&2, 0), None);
        assert!(kept.young.len() + kept.old.len() <= 4);
    }

    #[test]
    fn another_era_finds_nothing() {
        let mut kept = Generations::default();
        kept.insert(1, "a", 0, 1);
        assert_eq!(kept.get(&1, 1), None);
        kept.insert(1, "b", 1, 1);
        assert_eq!(kept.get(&1, 1), Some("b"));
        assert_eq!(kept.young_bytes, 1);
    }
}
