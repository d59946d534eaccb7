//! The cross-door matrix: what one door does, every other door shows in the next request.
//!
//! Each check goes over the wire as the protocol's own clients do it, through one user's password,
//! token and key. Cells that a protocol cannot fill are `n/a` and count for nothing:
//! S3 has no folder to move.

pub mod doors;
mod locks;
mod report;

use bytes::Bytes;

use crate::Outcome;
use crate::engine::Stage;
use crate::matrix::doors::{Answer, Dav, Door, Fault};
use crate::matrix::report::{Cell, Grid};
use crate::prepare::Workshop;
use crate::tally::{Status, Tally};

/// Where everything happens.
const BASE: &str = "/personal-files/matrix";

pub async fn run(stage: &Stage, workshop: &Workshop, tally: &mut Tally) {
    let step = format!("matrix {}", stage.name());
    tally.step(&step);
    let begun = std::time::Instant::now();
    if let Err(why) = play(stage, workshop, tally, &step).await {
        tally.note(&step, "matrix", Status::Fail, begun.elapsed(), &why);
    }
}

async fn play(stage: &Stage, workshop: &Workshop, tally: &mut Tally, step: &str) -> Outcome {
    let installation = stage.installation(workshop, "matrix").await?;
    let gateway = installation.serve(None).await?;
    let account = installation.account("alice").await?;
    let doors = doors::open(&gateway.url, &account).await?;
    let dav = Dav::new(&doors::client()?, &gateway.url, &account);
    dav.make_folder(BASE).await.map_err(|fault| format!("cannot make {BASE}: {fault}"))?;
    let table = Table { doors, dav };
    table.writes(step, tally).await;
    table.overwrites(step, tally).await;
    table.folders(step, tally).await;
    table.moves(step, tally).await;
    table.copies(step, tally).await;
    table.folder_moves(step, tally).await;
    table.deletes(step, tally).await;
    table.folder_deletes(step, tally).await;
    table.locks(step, tally).await;
    let left = installation.staging();
    match left.first() {
        None => tally.passed(step, "staging is empty", std::time::Duration::ZERO, ""),
        Some(path) => tally.failed(step, "staging is empty", &format!("{} is left", path.display())),
    }
    gateway.stop().await
}

/// The doors under test, and the one that takes locks.
pub(crate) struct Table {
    doors: Vec<Box<dyn Door>>,
    dav: Dav,
}

/// Bytes that differ everywhere: `seed` gives another file.
pub fn noise(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

fn text(of: &str) -> Bytes {
    format!("written by {of}\n").into()
}

/// Whether a door shows a file: its bytes, and its name and size in the listing of its folder.
async fn shows(door: &dyn Door, path: &str, bytes: &Bytes) -> Answer {
    let read = door.read(path).await.map_err(|fault| at(path, fault))?;
    if read != bytes {
        return Err(Fault::Other(format!("{path}: {} bytes that are not those written", read.len())));
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let listing = door.list(folder).await.map_err(|fault| at(folder, fault))?;
    let Some(entry) = listing.iter().find(|entry| entry.name == name) else {
        let names: Vec<&str> = listing.iter().map(|entry| entry.name.as_str()).collect();
        return Err(Fault::Other(format!("{path} is not in its listing: {names:?}")));
    };
    if entry.folder || entry.size != Some(bytes.len() as u64) {
        return Err(Fault::Other(format!("{path} is listed as {entry:?}, it has {} bytes", bytes.len())));
    }
    if bytes.len() > 2_000 {
        let range = door.read_range(path, 1_000, 1_999).await.map_err(|fault| at(path, fault))?;
        if range != bytes.slice(1_000..2_000) {
            return Err(Fault::Other(format!("{path}: bytes 1000-1999 are {} others", range.len())));
        }
    }
    Ok(())
}

/// Whether a door no longer shows a file.
async fn hides(door: &dyn Door, path: &str) -> Answer {
    match door.read(path).await {
        Err(Fault::Missing) => {}
        Ok(_) => return Err(Fault::Other(format!("{path} can still be read"))),
        Err(fault) => return Err(at(path, fault)),
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let listing = door.list(folder).await.map_err(|fault| at(folder, fault))?;
    match listing.iter().any(|entry| entry.name == name) {
        true => Err(Fault::Other(format!("{path} is still listed"))),
        false => Ok(()),
    }
}

/// Whether a door shows a folder in the listing of its parent.
async fn lists_folder(door: &dyn Door, path: &str, there: bool) -> Answer {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let listing = door.list(parent).await.map_err(|fault| at(parent, fault))?;
    match listing.iter().any(|entry| entry.name == name && entry.folder) == there {
        true => Ok(()),
        false => Err(Fault::Other(format!("{path} is {}listed", if there { "not " } else { "still " }))),
    }
}

/// A fault that is no answer to the check itself.
fn at(path: &str, fault: Fault) -> Fault {
    Fault::Other(format!("{path}: {fault}"))
}

/// What a step before the check says of it: absence of an operation stays that, the rest is broken.
fn before(what: String, fault: Fault) -> Fault {
    match fault {
        Fault::NotOffered => Fault::NotOffered,
        fault => Fault::Other(format!("{what}: {fault}")),
    }
}

impl Table {
    fn columns(&self) -> Vec<&'static str> {
        self.doors.iter().map(|door| door.name()).collect()
    }

    async fn folder(&self, name: &str) -> Answer<String> {
        let path = format!("{BASE}/{name}");
        self.dav.make_folder(&path).await.map_err(|fault| before(format!("making {path}"), fault))?;
        Ok(path)
    }

    /// Every door shows the file with these bytes.
    async fn all_show(&self, path: &str, bytes: &Bytes) -> Answer {
        for door in &self.doors {
            shows(door.as_ref(), path, bytes)
                .await
                .map_err(|fault| before(format!("by {}", door.name()), fault))?;
        }
        Ok(())
    }

    async fn all_hide(&self, path: &str) -> Answer {
        for door in &self.doors {
            hides(door.as_ref(), path).await.map_err(|fault| before(format!("by {}", door.name()), fault))?;
        }
        Ok(())
    }

    /// A table with a check for each pair of doors.
    async fn pairs<C>(&self, title: &'static str, step: &str, tally: &mut Tally, check: C)
    where
        C: AsyncFn(&dyn Door, &dyn Door) -> Answer,
    {
        let mut grid = Grid::new(title, self.columns());
        for first in &self.doors {
            let mut cells = Vec::new();
            for second in &self.doors {
                cells.push(Cell::from(check(first.as_ref(), second.as_ref()).await));
            }
            grid.row(first.name(), cells);
        }
        grid.report(step, tally);
    }

    /// A table where each door does something once, and every door then checks it.
    async fn deeds<T, D, C>(&self, title: &'static str, step: &str, tally: &mut Tally, deed: D, check: C)
    where
        D: AsyncFn(&dyn Door) -> Answer<T>,
        C: AsyncFn(&dyn Door, &T) -> Answer,
    {
        let mut grid = Grid::new(title, self.columns());
        for doer in &self.doors {
            let done = deed(doer.as_ref()).await;
            let mut cells = Vec::new();
            for door in &self.doors {
                cells.push(match &done {
                    Ok(done) => Cell::from(check(door.as_ref(), done).await),
                    Err(fault) => Cell::from(Err(fault.clone())),
                });
            }
            grid.row(doer.name(), cells);
        }
        grid.report(step, tally);
    }

    async fn writes(&self, step: &str, tally: &mut Tally) {
        let deed = async |door: &dyn Door| {
            let folder = self.folder(&format!("write {}", door.name())).await?;
            let files = [
                ("plain.txt", text(door.name())),
                ("a b+c%20d.txt", text("a name that tempts decoders")),
                ("é ü #1 & =;,'.txt", noise(1, 300 * 1024)),
                ("empty", Bytes::new()),
                ("big.bin", noise(2, 9 * 1024 * 1024 + 1)),
            ];
            let mut written = Vec::new();
            for (name, bytes) in files {
                let path = format!("{folder}/{name}");
                door.write(&path, bytes.clone())
                    .await
                    .map_err(|fault| before(format!("writing {path}"), fault))?;
                written.push((path, bytes));
            }
            Ok(written)
        };
        let check = async |door: &dyn Door, written: &Vec<(String, Bytes)>| {
            for (path, bytes) in written {
                shows(door, path, bytes).await?;
            }
            Ok(())
        };
        self.deeds("written by (row), read and listed by (column)", step, tally, deed, check).await;
    }

    async fn overwrites(&self, step: &str, tally: &mut Tally) {
        let check = async |first: &dyn Door, second: &dyn Door| {
            let path = format!("{BASE}/over {} {}.txt", first.name(), second.name());
            let what = |door: &dyn Door| format!("writing {path} by {}", door.name());
            first.write(&path, noise(3, 5_000)).await.map_err(|fault| before(what(first), fault))?;
            let bytes = text(&format!("{} over {}", second.name(), first.name()));
            second.write(&path, bytes.clone()).await.map_err(|fault| before(what(second), fault))?;
            self.all_show(&path, &bytes).await
        };
        self.pairs("written by (row), overwritten by (column), read by all", step, tally, check).await;
    }

    async fn folders(&self, step: &str, tally: &mut Tally) {
        let deed = async |door: &dyn Door| {
            let path = format!("{BASE}/folder é+ by {}", door.name());
            door.make_folder(&path).await.map_err(|fault| before(format!("making {path}"), fault))?;
            Ok(path)
        };
        let check = async |door: &dyn Door, path: &String| {
            lists_folder(door, path, true).await?;
            let path = format!("{path}/in it by {}.txt", door.name());
            let bytes = text(door.name());
            door.write(&path, bytes.clone()).await.map_err(|fault| at(&path, fault))?;
            shows(door, &path, &bytes).await
        };
        self.deeds("folder made by (row), listed and written into by (column)", step, tally, deed, check)
            .await;
    }

    async fn moves(&self, step: &str, tally: &mut Tally) {
        let check = async |writer: &dyn Door, mover: &dyn Door| {
            let folder = self.folder(&format!("move {} {}", writer.name(), mover.name())).await?;
            let sub = self.folder(&format!("move {} {}/sub", writer.name(), mover.name())).await?;
            let (from, to) = (format!("{folder}/from.txt"), format!("{sub}/to + é.txt"));
            let bytes = text(writer.name());
            writer
                .write(&from, bytes.clone())
                .await
                .map_err(|fault| before(format!("writing {from}"), fault))?;
            mover.move_file(&from, &to).await.map_err(|fault| before(format!("moving {from}"), fault))?;
            self.all_hide(&from).await?;
            self.all_show(&to, &bytes).await
        };
        self.pairs("written by (row), moved by (column), seen by all", step, tally, check).await;
    }

    async fn copies(&self, step: &str, tally: &mut Tally) {
        let check = async |writer: &dyn Door, copier: &dyn Door| {
            let folder = self.folder(&format!("copy {} {}", writer.name(), copier.name())).await?;
            let sub = self.folder(&format!("copy {} {}/sub", writer.name(), copier.name())).await?;
            let (from, to) = (format!("{folder}/from é.txt"), format!("{sub}/to.txt"));
            let bytes = noise(4, 40_000);
            writer
                .write(&from, bytes.clone())
                .await
                .map_err(|fault| before(format!("writing {from}"), fault))?;
            copier.copy_file(&from, &to).await.map_err(|fault| before(format!("copying {from}"), fault))?;
            self.all_show(&from, &bytes).await?;
            self.all_show(&to, &bytes).await
        };
        self.pairs("written by (row), copied by (column), seen by all", step, tally, check).await;
    }

    async fn folder_moves(&self, step: &str, tally: &mut Tally) {
        let deed = async |door: &dyn Door| {
            let base = self.folder(&format!("tree {}", door.name())).await?;
            let (from, to) = (format!("{base}/from"), format!("{base}/to/moved é"));
            for folder in [from.clone(), format!("{from}/sub"), format!("{base}/to")] {
                self.dav.make_folder(&folder).await.map_err(|fault| at(&folder, fault))?;
            }
            for writer in &self.doors {
                let path = format!("{from}/sub/{}.txt", writer.name());
                writer.write(&path, text(writer.name())).await.map_err(|fault| at(&path, fault))?;
            }
            door.move_folder(&from, &to).await.map_err(|fault| before(format!("moving {from}"), fault))?;
            Ok((from, to))
        };
        let check = async |door: &dyn Door, (from, to): &(String, String)| {
            lists_folder(door, from, false).await?;
            lists_folder(door, to, true).await?;
            for writer in &self.doors {
                shows(door, &format!("{to}/sub/{}.txt", writer.name()), &text(writer.name())).await?;
            }
            Ok(())
        };
        self.deeds(
            "folder with a file of each door moved by (row), seen by (column)",
            step,
            tally,
            deed,
            check,
        )
        .await;
    }

    async fn deletes(&self, step: &str, tally: &mut Tally) {
        let check = async |writer: &dyn Door, deleter: &dyn Door| {
            let path = format!("{BASE}/gone {} {}.txt", writer.name(), deleter.name());
            writer
                .write(&path, text("nobody"))
                .await
                .map_err(|fault| before(format!("writing {path}"), fault))?;
            deleter.delete_file(&path).await.map_err(|fault| before(format!("deleting {path}"), fault))?;
            self.all_hide(&path).await
        };
        self.pairs("written by (row), deleted by (column), gone for all", step, tally, check).await;
    }

    async fn folder_deletes(&self, step: &str, tally: &mut Tally) {
        let deed = async |door: &dyn Door| {
            let path = self.folder(&format!("gone with {}", door.name())).await?;
            for writer in &self.doors {
                let path = format!("{path}/{}.txt", writer.name());
                writer.write(&path, text(writer.name())).await.map_err(|fault| at(&path, fault))?;
            }
            door.delete_folder(&path).await.map_err(|fault| before(format!("deleting {path}"), fault))?;
            Ok(path)
        };
        let check = async |door: &dyn Door, path: &String| {
            lists_folder(door, path, false).await?;
            match door.read(&format!("{path}/{}.txt", door.name())).await {
                Err(Fault::Missing) => Ok(()),
                Ok(_) => Err(Fault::Other(format!("a file in {path} can still be read"))),
                Err(fault) => Err(at(path, fault)),
            }
        };
        self.deeds(
            "folder with a file of each door deleted by (row), gone for (column)",
            step,
            tally,
            deed,
            check,
        )
        .await;
    }
}
