//! `kill -9` while doors write; after each restart, what was acknowledged is there and whole.
//!
//! Writers note what they are about to do before each request and what was acknowledged after it. A
//! request that a kill cut off may have happened or not; anything between is a failure: bytes of
//! neither version, entries that nobody wrote, leftovers in staging, locks that nobody holds.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::Rng as _;
use rand::seq::IndexedRandom as _;

use crate::Outcome;
use crate::engine::Stage;
use crate::gateway::{Account, Gateway, Installation};
use crate::matrix::doors::{self, Dav, Door, Fault};
use crate::matrix::noise;
use crate::prepare::Workshop;
use crate::tally::{Status, Tally};

const BASE: &str = "/personal-files/durability";
/// Doors that write; Cells clients write through S3.
const WRITERS: [&str; 4] = ["s3", "dav", "pydio8", "seafile"];
/// Writers per door.
const EACH: usize = 2;
/// How long the writers may take to get going after a start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The content of a file, to be made again; `None` is no file.
type Content = Option<(u64, usize)>;

/// What is known of a path.
#[derive(Default, Clone)]
struct Known {
    writer: &'static str,
    settled: Content,
    /// Sent, and not answered.
    pending: Option<Content>,
}

/// What is known of a lock.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    Held,
    /// UNLOCK was sent, and not answered.
    Releasing,
    Released,
}

#[derive(Default)]
struct Ledger {
    files: BTreeMap<String, Known>,
    locks: BTreeMap<String, Hold>,
    /// Paths for which LOCK was sent, and not answered.
    locking: HashSet<String>,
    acknowledged: BTreeMap<&'static str, u64>,
    complaints: Vec<String>,
}

struct World {
    doors: Vec<Box<dyn Door>>,
    dav: Dav,
    ledger: Mutex<Ledger>,
    /// Set before the kill, so that what fails afterwards is not a complaint.
    killed: AtomicBool,
    /// Of every content that is written.
    seed: AtomicU64,
}

impl World {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn door(&self, name: &str) -> Option<&dyn Door> {
        self.doors.iter().find(|door| door.name() == name).map(AsRef::as_ref)
    }

    fn killed(&self) -> bool {
        self.killed.load(Ordering::SeqCst)
    }
}

pub async fn run(rounds: u32, stage: &Stage, workshop: &Workshop, tally: &mut Tally) {
    let step = format!("durability {}", stage.name());
    tally.step(&step);
    let begun = Instant::now();
    match play(rounds, stage, workshop).await {
        Ok((told, complaints)) if complaints.is_empty() => {
            tally.passed(&step, &format!("kill -9, {rounds} times"), begun.elapsed(), &told);
        }
        Ok((told, complaints)) => {
            let shown: Vec<String> = complaints.iter().take(40).cloned().collect();
            let detail = format!("{} complaints; {told}\n{}", complaints.len(), shown.join("\n"));
            tally.note(&step, &format!("kill -9, {rounds} times"), Status::Fail, begun.elapsed(), &detail);
        }
        Err(why) => tally.note(&step, "kill -9", Status::Fail, begun.elapsed(), &why),
    }
}

async fn play(rounds: u32, stage: &Stage, workshop: &Workshop) -> Outcome<(String, Vec<String>)> {
    let installation = stage.installation(workshop, "durability").await?;
    let mut gateway = installation.serve(None).await?;
    let address = gateway.address().to_owned();
    let account = installation.account("alice").await?;
    let world = open(&gateway.url, &account).await?;
    world.dav.make_folder(BASE).await.map_err(|fault| format!("cannot make {BASE}: {fault}"))?;
    let mut slowest = Duration::ZERO;
    for round in 1..=rounds {
        let folder = format!("{BASE}/round {round}");
        world.dav.make_folder(&folder).await.map_err(|fault| format!("cannot make {folder}: {fault}"))?;
        gateway = disturb(&world, gateway, &folder).await?;
        gateway.kill().await?;
        let begun = Instant::now();
        gateway = installation.serve(Some(&address)).await?;
        slowest = slowest.max(begun.elapsed());
        staging_is_empty(&world, &installation, round).await;
        no_ghost_locks(&world, &installation, round).await?;
        let touched = world
            .ledger()
            .files
            .iter()
            .filter(|(path, known)| known.pending.is_some() || path.starts_with(&format!("{folder}/")))
            .map(|(path, _)| path.clone())
            .collect::<Vec<_>>();
        for path in touched {
            settle(&world, &path, round).await;
        }
        only_known_entries(&world, &folder, round).await;
        if round % 10 == 0 || round == rounds {
            let ledger = world.ledger();
            println!(
                "  round {round}: {} files, {} complaints",
                ledger.files.values().filter(|known| known.settled.is_some()).count(),
                ledger.complaints.len()
            );
        }
    }
    // All of them once more, the oldest ones too.
    let all: Vec<String> = world.ledger().files.keys().cloned().collect();
    for path in &all {
        settle(&world, path, rounds).await;
    }
    gateway.stop().await?;
    let ledger = world.ledger();
    let sums: Vec<String> =
        ledger.acknowledged.iter().map(|(door, count)| format!("{count} by {door}")).collect();
    let told = format!(
        "acknowledged {}; {} files checked at the end; slowest start {} ms",
        sums.join(", "),
        all.len(),
        slowest.as_millis()
    );
    Ok((told, ledger.complaints.clone()))
}

async fn open(url: &str, account: &Account) -> Outcome<Arc<World>> {
    Ok(Arc::new(World {
        doors: doors::open(url, account).await?,
        dav: Dav::new(&doors::client()?, url, account),
        ledger: Mutex::default(),
        killed: AtomicBool::new(false),
        seed: AtomicU64::new(1),
    }))
}

/// Lets every door write, and answers at the instant of the kill.
async fn disturb(world: &Arc<World>, gateway: Gateway, folder: &str) -> Outcome<Gateway> {
    world.killed.store(false, Ordering::SeqCst);
    let before = world.ledger().acknowledged.clone();
    let mut tasks = Vec::new();
    for door in WRITERS {
        for number in 0..EACH {
            tasks.push(tokio::spawn(write_on(world.clone(), door, format!("{folder}/{door} {number}"))));
        }
    }
    tasks.push(tokio::spawn(lock_on(world.clone(), format!("{folder}/locked"))));
    let begun = Instant::now();
    // Signing in costs time after a start; what is tested are writes.
    loop {
        let going = {
            let ledger = world.ledger();
            WRITERS.iter().all(|door| ledger.acknowledged.get(door) > before.get(door))
        };
        if going {
            break;
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("not every door writes: {:?}", world.ledger().acknowledged));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let more = rand::rng().random_range(20..600);
    tokio::time::sleep(Duration::from_millis(more)).await;
    world.killed.store(true, Ordering::SeqCst);
    let pid = gateway.pid().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
    let pid = pid.ok_or("the gateway ended by itself")?;
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).map_err(|error| error.to_string())?;
    for task in tasks {
        task.await.map_err(|error| error.to_string())?;
    }
    Ok(gateway)
}

/// One writer: new files, other contents, removals, until the gateway is gone.
async fn write_on(world: Arc<World>, name: &'static str, prefix: String) {
    let Some(door) = world.door(name) else { return };
    let mut own: Vec<String> = Vec::new();
    for number in 0.. {
        let (path, content) = {
            let mut random = rand::rng();
            let seed = world.seed.fetch_add(1, Ordering::Relaxed);
            // Mostly small, some above what the index holds itself, a few that take a while.
            let length = match random.random_range(0..20) {
                0 => random.random_range(1 << 20..3 << 20),
                1..6 => random.random_range(16_000..300_000),
                _ => random.random_range(1..16_000),
            };
            match (own.choose(&mut random).cloned(), random.random_range(0..10)) {
                (Some(path), 0) => (path, None),
                (Some(path), 1..4) => (path, Some((seed, length))),
                _ => (format!("{prefix} {number}.bin"), Some((seed, length))),
            }
        };
        if world.killed() {
            return;
        }
        {
            let mut ledger = world.ledger();
            let known = ledger.files.entry(path.clone()).or_default();
            known.writer = name;
            known.pending = Some(content);
        }
        let answer = match content {
            Some((seed, length)) => door.write(&path, noise(seed, length)).await,
            None => door.delete_file(&path).await,
        };
        let mut ledger = world.ledger();
        match answer {
            Ok(()) => {
                *ledger.acknowledged.entry(name).or_default() += 1;
                if let Some(known) = ledger.files.get_mut(&path) {
                    known.settled = content;
                    known.pending = None;
                }
                if content.is_none() {
                    own.retain(|other| *other != path);
                } else if !own.contains(&path) {
                    own.push(path);
                }
            }
            Err(_) if world.killed() => return,
            Err(fault) => {
                ledger.complaints.push(format!("{name} refuses {path} while nothing is wrong: {fault}"));
                return;
            }
        }
    }
}

/// Locks, writes with the token, unlocks.
async fn lock_on(world: Arc<World>, prefix: String) {
    for number in 0.. {
        if world.killed() {
            return;
        }
        let path = format!("{prefix} {number}.txt");
        let seed = world.seed.fetch_add(1, Ordering::Relaxed);
        {
            let mut ledger = world.ledger();
            ledger.locking.insert(path.clone());
            // LOCK on what is not there makes an empty file (RFC 4918 7.3).
            let empty = Known { writer: "dav", settled: None, pending: Some(Some((seed, 0))) };
            ledger.files.insert(path.clone(), empty);
        }
        let Ok(token) = world.dav.lock(&path, "0").await else { return };
        {
            let mut ledger = world.ledger();
            ledger.locking.remove(&path);
            ledger.locks.insert(token.clone(), Hold::Held);
            if let Some(known) = ledger.files.get_mut(&path) {
                known.settled = Some((seed, 0));
                known.pending = Some(Some((seed, 9_000)));
            }
        }
        if world.dav.write_locked(&path, &token, noise(seed, 9_000)).await.is_err() {
            return;
        }
        {
            let mut ledger = world.ledger();
            if let Some(known) = ledger.files.get_mut(&path) {
                known.settled = Some((seed, 9_000));
                known.pending = None;
            }
            ledger.locks.insert(token.clone(), Hold::Releasing);
        }
        if world.dav.unlock(&path, &token).await.is_err() {
            return;
        }
        world.ledger().locks.insert(token, Hold::Released);
    }
}

/// Reads a file through a door that did not write it, and takes what is there for settled.
async fn settle(world: &World, path: &str, round: u32) {
    let Some(known) = world.ledger().files.get(path).cloned() else { return };
    let others: Vec<&dyn Door> =
        world.doors.iter().map(AsRef::as_ref).filter(|door| door.name() != known.writer).collect();
    let Some(door) = others.choose(&mut rand::rng()).copied() else { return };
    let found = match door.read(path).await {
        Ok(bytes) => Some(bytes),
        Err(Fault::Missing) => None,
        Err(fault) => {
            let complaint = format!("round {round}: {path} by {}: {fault}", door.name());
            return world.ledger().complaints.push(complaint);
        }
    };
    let made = |content: Content| content.map(|(seed, length)| noise(seed, length));
    let matching =
        std::iter::once(known.settled).chain(known.pending).find(|content| same(&made(*content), &found));
    let mut ledger = world.ledger();
    match matching {
        Some(content) => {
            if let Some(known) = ledger.files.get_mut(path) {
                known.settled = content;
                known.pending = None;
            }
        }
        None => {
            let is = found.map_or("nothing".to_owned(), |bytes| format!("{} bytes", bytes.len()));
            let complaint = format!(
                "round {round}: {path}, written by {}, has {is} by {}; acknowledged {:?}, unanswered {:?}",
                known.writer,
                door.name(),
                known.settled,
                known.pending
            );
            ledger.complaints.push(complaint);
        }
    }
}

fn same(made: &Option<Bytes>, found: &Option<Bytes>) -> bool {
    made == found
}

/// A listing shows what is settled and nothing else.
async fn only_known_entries(world: &World, folder: &str, round: u32) {
    let names: Vec<&dyn Door> = world.doors.iter().map(AsRef::as_ref).collect();
    let Some(door) = names.choose(&mut rand::rng()).copied() else { return };
    let listing = match door.list(folder).await {
        Ok(listing) => listing,
        Err(fault) => {
            let complaint = format!("round {round}: listing {folder} by {}: {fault}", door.name());
            return world.ledger().complaints.push(complaint);
        }
    };
    let mut ledger = world.ledger();
    let expected: BTreeMap<String, u64> = ledger
        .files
        .iter()
        .filter_map(|(path, known)| {
            let name = path.strip_prefix(folder)?.strip_prefix('/')?;
            known.settled.map(|(_, length)| (name.to_owned(), length as u64))
        })
        .collect();
    let mut complaints = Vec::new();
    for entry in &listing {
        match expected.get(&entry.name) {
            None => complaints.push(format!("shows {entry:?}, which nobody wrote")),
            Some(length) if entry.size != Some(*length) => {
                complaints.push(format!("shows {entry:?}, which has {length} bytes"));
            }
            Some(_) => {}
        }
    }
    for name in expected.keys().filter(|name| !listing.iter().any(|entry| entry.name == **name)) {
        complaints.push(format!("does not show {name}"));
    }
    let place = format!("round {round}: {} in {folder}", door.name());
    ledger.complaints.extend(complaints.into_iter().map(|complaint| format!("{place} {complaint}")));
}

/// Staging is swept at the start, beside the first requests.
async fn staging_is_empty(world: &World, installation: &Installation, round: u32) {
    let begun = Instant::now();
    loop {
        let left = installation.staging();
        let Some(first) = left.first() else { return };
        if begun.elapsed() > Duration::from_secs(5) {
            let complaint = format!("round {round}: {} left in staging, as {}", left.len(), first.display());
            return world.ledger().complaints.push(complaint);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Every lock that is there was acknowledged and not given back, or was being asked for. Those are
/// broken, after which there are none.
async fn no_ghost_locks(world: &World, installation: &Installation, round: u32) -> Outcome {
    let listed = installation.run(&["lock", "list"], "").await?;
    for line in listed.lines() {
        let mut fields = line.split('\t');
        let (token, path) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let expected = {
            let ledger = world.ledger();
            match ledger.locks.get(token) {
                Some(hold) => *hold != Hold::Released,
                // Admin paths begin otherwise, names are the same.
                None => {
                    let name = path.rsplit('/').next().unwrap_or_default();
                    ledger.locking.iter().any(|path| path.rsplit('/').next() == Some(name))
                }
            }
        };
        if !expected {
            world.ledger().complaints.push(format!("round {round}: nobody holds the lock {line}"));
        }
        installation.run(&["lock", "break", token], "").await?;
    }
    let left = installation.run(&["lock", "list"], "").await?;
    let mut ledger = world.ledger();
    for token in ledger
        .locks
        .iter()
        .filter(|(_, hold)| **hold == Hold::Held)
        .map(|(token, _)| token.clone())
        .collect::<Vec<_>>()
    {
        // Acknowledged, so it must have been there, until it was broken just now.
        if !listed.contains(&token) {
            ledger.complaints.push(format!("round {round}: the lock {token} was acknowledged and is gone"));
        }
    }
    ledger.locks.clear();
    ledger.locking.clear();
    if !left.trim().is_empty() {
        ledger.complaints.push(format!("round {round}: locks after breaking all: {}", left.trim()));
    }
    Ok(())
}
