//! Tables of the matrix: a row per writer, a column per door.

use std::time::Instant;

use crate::matrix::doors::Fault;
use crate::tally::{Status, Tally};

/// How a cell went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Held,
    /// The protocol has no such operation.
    NotOffered,
    Broken(String),
}

impl From<Result<(), Fault>> for Cell {
    fn from(answer: Result<(), Fault>) -> Self {
        match answer {
            Ok(()) => Self::Held,
            Err(Fault::NotOffered) => Self::NotOffered,
            Err(fault) => Self::Broken(fault.to_string()),
        }
    }
}

/// One table.
pub struct Grid {
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<(String, Vec<Cell>)>,
    begun: Instant,
}

impl Grid {
    pub fn new(title: &'static str, columns: Vec<&'static str>) -> Self {
        Self { title, columns, rows: Vec::new(), begun: Instant::now() }
    }

    pub fn row(&mut self, name: impl Into<String>, cells: Vec<Cell>) {
        self.rows.push((name.into(), cells));
    }

    /// Prints the table, then what is broken; each cell is a case.
    pub fn report(self, step: &str, tally: &mut Tally) {
        println!("\n  {}", self.title);
        let widest = self.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        print!("    {:<widest$}", "");
        for column in &self.columns {
            print!("  {column:<8}");
        }
        println!();
        let share = self.begun.elapsed() / u32::try_from(self.rows.len().max(1)).unwrap_or(1);
        for (name, cells) in &self.rows {
            print!("    {name:<widest$}");
            for (column, cell) in self.columns.iter().zip(cells) {
                let word = match cell {
                    Cell::Held => "ok",
                    Cell::NotOffered => "n/a",
                    Cell::Broken(_) => "FAIL",
                };
                print!("  {word:<8}");
                let case = format!("{}: {name} x {column}", self.title);
                match cell {
                    Cell::Held => tally.count(step, &case, Status::Pass, share, ""),
                    Cell::Broken(why) => tally.count(step, &case, Status::Fail, share, why),
                    // Nothing that could be tested.
                    Cell::NotOffered => {}
                }
            }
            println!();
        }
        for (name, cells) in &self.rows {
            for (column, cell) in self.columns.iter().zip(cells) {
                if let Cell::Broken(why) = cell {
                    println!("    {name} x {column}: {why}");
                }
            }
        }
    }
}
