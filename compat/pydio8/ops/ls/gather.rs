//! One page of a folder in this protocol's order.

use std::cmp::Ordering;

use cellgate_core::NodePath;
use cellgate_core::error::Error;
use cellgate_core::listing::{Listing, PAGE_DEFAULT};

use crate::call::Call;
use crate::ops::ls::{Options, absent_bin, is_bin};
use crate::place::is_hidden;
use crate::render::listing::{PAGE, Pagination, UNPAGED};
use crate::render::node::Row;

/// A page, and where it stands.
pub struct Slice {
    pub rows: Vec<Row>,
    pub pagination: Pagination,
}

/// Reads a folder and keeps the rows of one page.
pub async fn gather(call: &Call, options: Options, path: &NodePath, page: u64) -> Result<Slice, Error> {
    let mut best = Best::new(page);
    let mut bin =
        call.place.bin().filter(|bin| bin.parent().as_ref() == Some(path)).map(|_| absent_bin(call));
    let (mut count, mut dirs) = (0, 0);
    let mut after = None;
    loop {
        let listing = Listing { after, limit: PAGE_DEFAULT, ..Listing::default() };
        let answer = match call.tree.list(path, &listing).await {
            Ok(answer) => answer,
            // The bin before anything was removed into it, or a folder that went away meanwhile.
            Err(Error::NotFound(_)) => break,
            Err(error) => return Err(error),
        };
        for entry in &answer.entries {
            let row = Row::from(&entry.node);
            if is_bin(call, path, &row) {
                bin = Some(row);
            } else if !is_hidden(&row.name) && wanted(options, &row) {
                count += 1;
                dirs += u64::from(row.is_collection());
                best.offer(row);
            }
        }
        after = answer.next;
        if after.is_none() {
            break;
        }
    }
    let bin = bin.filter(|_| options.folders);
    if bin.is_some() {
        count += 1;
        dirs += 1;
    }
    let pagination = Pagination::of(count, dirs, page);
    Ok(Slice { rows: cut(best.sorted(), bin, options, &pagination), pagination })
}

/// The rows of the current page. The bin comes last in its folder, whatever it is called.
fn cut(mut rows: Vec<Row>, bin: Option<Row>, options: Options, pagination: &Pagination) -> Vec<Row> {
    if pagination.total == 1 {
        rows.extend(bin);
        return rows;
    }
    // The original does not page what has no files in it, and shows how much there is instead.
    if !options.files {
        return Vec::new();
    }
    let start = (pagination.current - 1) * PAGE;
    let end = start + PAGE;
    rows.truncate(index(end));
    rows.drain(..index(start).min(rows.len()));
    rows.extend(bin.filter(|_| (start..end).contains(&(pagination.count - 1))));
    rows
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn wanted(options: Options, row: &Row) -> bool {
    if row.is_collection() { options.folders } else { options.files || (options.archives && is_archive(row)) }
}

fn is_archive(row: &Row) -> bool {
    row.name.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("zip"))
}

/// Folders, then files, each without regard to ASCII case, as `strcasecmp` sorts.
fn order(a: &Row, b: &Row) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    b.is_collection()
        .cmp(&a.is_collection())
        .then_with(|| a.name.bytes().map(lower).cmp(b.name.bytes().map(lower)))
        .then_with(|| a.name.cmp(&b.name))
}

/// The first rows of a folder, in bounded memory.
struct Best {
    rows: Vec<Row>,
    keep: usize,
}

impl Best {
    fn new(page: u64) -> Self {
        Self { rows: Vec::new(), keep: index(UNPAGED.max(page.saturating_mul(PAGE))) }
    }

    fn offer(&mut self, row: Row) {
        self.rows.push(row);
        if self.rows.len() >= self.keep.saturating_mul(2) {
            self.rows.select_nth_unstable_by(self.keep, order);
            self.rows.truncate(self.keep);
        }
    }

    fn sorted(mut self) -> Vec<Row> {
        self.rows.sort_unstable_by(order);
        self.rows.truncate(self.keep);
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use cellgate_core::node::{NodeId, NodeKind};

    use super::*;

    fn row(name: &str, kind: NodeKind) -> Row {
        Row { id: NodeId(1), name: name.into(), kind, size: 1, mtime_s: 0 }
    }

    fn leaves(count: u64) -> impl Iterator<Item = Row> {
        // Offered backwards, so that what comes first arrives last.
        (0..count).rev().map(|number| row(&format!("f{number:05}"), NodeKind::Leaf))
    }

    fn names(rows: &[Row]) -> Vec<&str> {
        rows.iter().map(|row| row.name.as_str()).collect()
    }

    #[test]
    fn folders_come_first_and_case_does_not_count() {
        let mut rows = [
            row("b.txt", NodeKind::Leaf),
            row("A.txt", NodeKind::Leaf),
            row("a.txt", NodeKind::Leaf),
            row("Z", NodeKind::Collection),
            row("y", NodeKind::Collection),
        ];
        rows.sort_by(order);
        assert_eq!(names(&rows), ["y", "Z", "A.txt", "a.txt", "b.txt"]);
    }

    #[test]
    fn the_rows_of_a_page_survive_whatever_is_dropped() {
        for page in [1, 2, 3, 26] {
            let mut best = Best::new(page);
            leaves(5_000).for_each(|row| best.offer(row));
            assert!(best.rows.len() < 2 * best.keep);
            let pagination = Pagination::of(5_000, 0, page);
            let rows = cut(best.sorted(), None, Options::parse("a"), &pagination);
            let expected: Vec<String> =
                ((page - 1) * PAGE..(page * PAGE).min(5_000)).map(|number| format!("f{number:05}")).collect();
            assert_eq!(names(&rows), expected, "{page}");
        }
    }

    #[test]
    fn the_bin_is_the_last_row_of_the_last_page() {
        let bin = || Some(row("recycle_bin", NodeKind::Collection));
        for page in 1..=4 {
            let mut best = Best::new(page);
            leaves(700).for_each(|row| best.offer(row));
            let pagination = Pagination::of(701, 1, page);
            let rows = cut(best.sorted(), bin(), Options::parse("a"), &pagination);
            assert_eq!(rows.last().is_some_and(|row| row.name == "recycle_bin"), page == 4);
        }
        let pagination = Pagination::of(701, 701, 1);
        assert!(cut(vec![], bin(), Options::parse("d"), &pagination).is_empty());
    }
}
