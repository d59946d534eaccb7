//! A lock that WebDAV took, against every change through every door, its own user's included: the
//! lock's token is what counts, and only WebDAV can show it.

use bytes::Bytes;

use super::doors::{Answer, Door, Fault};
use super::report::{Cell, Grid};
use super::{BASE, Table, at, before, shows, text};
use crate::tally::Tally;

/// A change that a lock forbids.
#[derive(Clone, Copy)]
enum Change {
    Overwrite,
    MoveAway,
    MoveOnto,
    CopyOnto,
    Delete,
    CreateInside,
    DeleteParent,
}

impl Change {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Overwrite, "overwrite a locked file"),
        (Self::MoveAway, "move a locked file"),
        (Self::MoveOnto, "move onto a locked file"),
        (Self::CopyOnto, "copy onto a locked file"),
        (Self::Delete, "delete a locked file"),
        (Self::CreateInside, "write into a locked folder"),
        (Self::DeleteParent, "delete a folder with a locked file"),
    ];

    fn number(self) -> u8 {
        self as u8
    }
}

impl Table {
    pub(super) async fn locks(&self, step: &str, tally: &mut Tally) {
        let mut grid = Grid::new("locked by WebDAV: refused by (column), unchanged for all", self.columns());
        for (change, name) in Change::ALL {
            let mut cells = Vec::new();
            for door in &self.doors {
                cells.push(Cell::from(self.refuses(door.as_ref(), change).await));
            }
            grid.row(name, cells);
        }
        let mut cells = Vec::new();
        for door in &self.doors {
            cells.push(Cell::from(self.holder_writes(door.as_ref()).await));
        }
        grid.row("the holder writes, seen by", cells);
        let mut cells = Vec::new();
        for door in &self.doors {
            cells.push(Cell::from(self.works_after_unlock(door.as_ref()).await));
        }
        grid.row("unlocked: write, move, delete", cells);
        grid.report(step, tally);
    }

    async fn refuses(&self, door: &dyn Door, change: Change) -> Answer {
        let folder = self.folder(&format!("lock {} {}", change.number(), door.name())).await?;
        let (held, other) = (format!("{folder}/held.txt"), format!("{folder}/other.txt"));
        let bytes = text("the holder");
        for path in [&held, &other] {
            self.dav.write(path, bytes.clone()).await.map_err(|fault| at(path, fault))?;
        }
        let (locked, depth) = match change {
            Change::CreateInside => (format!("{folder}/"), "infinity"),
            _ => (held.clone(), "0"),
        };
        let token = self.dav.lock(&locked, depth).await.map_err(|fault| before("LOCK".into(), fault))?;
        let tried = match change {
            Change::Overwrite => door.write(&held, text("an intruder")).await,
            Change::MoveAway => door.move_file(&held, &format!("{folder}/away.txt")).await,
            Change::MoveOnto => self.onto(door, &other, &held, true).await,
            Change::CopyOnto => self.onto(door, &other, &held, false).await,
            Change::Delete => door.delete_file(&held).await,
            Change::CreateInside => door.write(&format!("{folder}/new.txt"), text("an intruder")).await,
            Change::DeleteParent => door.delete_folder(&folder).await,
        };
        let unchanged = self.all_show(&held, &bytes).await;
        // Some protocols delete or move by many requests: only what is locked must have stayed.
        let other_stayed = match change {
            Change::DeleteParent => Ok(()),
            _ => self.all_show(&other, &bytes).await,
        };
        let inside = match change {
            Change::CreateInside => self.all_hide(&format!("{folder}/new.txt")).await,
            Change::MoveAway if !matches!(tried, Err(Fault::NotOffered)) => {
                self.not_moved(door, &folder).await
            }
            _ => Ok(()),
        };
        self.dav.unlock(&locked, &token).await.map_err(|fault| before("UNLOCK".into(), fault))?;
        match tried {
            Err(Fault::Locked) => unchanged.and(other_stayed).and(inside),
            Err(Fault::NotOffered) => Err(Fault::NotOffered),
            Ok(()) => Err(Fault::Other("the lock did not stop it".into())),
            Err(fault) => Err(before("refused in other words".into(), fault)),
        }
    }

    /// Onto what is there: by protocols whose moves and copies replace.
    async fn onto(&self, door: &dyn Door, from: &str, to: &str, moving: bool) -> Answer {
        match door.name() {
            // These take another free name instead, so there is nothing to refuse.
            "seafile" | "cells" => Err(Fault::NotOffered),
            // `rename` refuses an existing name before it could come to a lock.
            "pydio8" if moving => door.move_folder(from, to).await,
            _ if moving => door.move_file(from, to).await,
            _ => door.copy_file(from, to).await,
        }
    }

    /// S3 moves by copy and delete, so that a copy of the locked file may be there.
    async fn not_moved(&self, door: &dyn Door, folder: &str) -> Answer {
        match door.name() {
            "s3" => Ok(()),
            _ => self.all_hide(&format!("{folder}/away.txt")).await,
        }
    }

    async fn holder_writes(&self, door: &dyn Door) -> Answer {
        let path = format!("{BASE}/held for {}.txt", door.name());
        self.dav.write(&path, text("before")).await.map_err(|fault| at(&path, fault))?;
        let token = self.dav.lock(&path, "0").await.map_err(|fault| before("LOCK".into(), fault))?;
        let bytes: Bytes = text("the holder");
        let written = self.dav.write_locked(&path, &token, bytes.clone()).await;
        let shown = shows(door, &path, &bytes).await;
        self.dav.unlock(&path, &token).await.map_err(|fault| before("UNLOCK".into(), fault))?;
        written.map_err(|fault| before("writing with the token".into(), fault))?;
        shown
    }

    async fn works_after_unlock(&self, door: &dyn Door) -> Answer {
        let path = format!("{BASE}/free for {}.txt", door.name());
        let moved = format!("{BASE}/moved for {}.txt", door.name());
        self.dav.write(&path, text("before")).await.map_err(|fault| at(&path, fault))?;
        let token = self.dav.lock(&path, "0").await.map_err(|fault| before("LOCK".into(), fault))?;
        self.dav.unlock(&path, &token).await.map_err(|fault| before("UNLOCK".into(), fault))?;
        let bytes = text(door.name());
        door.write(&path, bytes.clone()).await.map_err(|fault| before("writing".into(), fault))?;
        self.all_show(&path, &bytes).await?;
        door.move_file(&path, &moved).await.map_err(|fault| before("moving".into(), fault))?;
        self.all_show(&moved, &bytes).await?;
        door.delete_file(&moved).await.map_err(|fault| before("deleting".into(), fault))?;
        self.all_hide(&moved).await
    }
}
