//! What each command does, in order.

use crate::engine::{Engine, Stage};
use crate::prepare::{Thing, Workshop, prepare};
use crate::tally::Tally;
use crate::{Cli, Command, Outcome, checks, clients, durability, large, matrix, propfind, replay};

/// Rounds of `kill -9` in a run of everything.
const ROUNDS: u32 = 5;
/// Entries of the big folder in a run of everything.
const FILES: u32 = 10_000;
/// Size of the big file in a run of everything.
const MIB: u64 = 64;

pub async fn run(cli: &Cli, tally: &mut Tally) -> Outcome {
    let mut workshop = Workshop::open(cli.binary.clone())?;
    let results = workshop.folder.join("results.json");
    let outcome = perform(cli, &mut workshop, tally).await;
    tally.write(&results);
    println!("\nresults are in {}, logs in {}", results.display(), workshop.logs.display());
    outcome
}

async fn perform(cli: &Cli, workshop: &mut Workshop, tally: &mut Tally) -> Outcome {
    let all = clients::all(workshop)?;
    match cli.command.as_ref().unwrap_or(&Command::All) {
        Command::All => {
            prepare(workshop, &all, tally).await;
            checks::checks(workshop, tally).await;
            checks::build(workshop, tally).await?;
            let fixtures = replay::named(workshop, &[])?;
            for engine in Engine::BOTH {
                let Some(stage) = stage(engine, workshop, tally).await else { continue };
                matrix::run(&stage, workshop, tally).await;
                clients::run(&all, &stage, workshop, tally).await;
                replay::run(&fixtures, &stage, workshop, tally).await;
                large::run(MIB, &stage, workshop, tally).await;
                propfind::run(FILES, &stage, workshop, tally).await;
                durability::run(ROUNDS, &stage, workshop, tally).await;
                stage.close().await;
            }
        }
        Command::Checks => {
            prepare(workshop, &[], tally).await;
            checks::checks(workshop, tally).await;
        }
        Command::Matrix(on) => {
            checks::build(workshop, tally).await?;
            for engine in on.engines() {
                let Some(stage) = stage(engine, workshop, tally).await else { continue };
                matrix::run(&stage, workshop, tally).await;
                stage.close().await;
            }
        }
        Command::Clients { names, on } => {
            let chosen = clients::named(&all, names)?;
            prepare(workshop, &chosen, tally).await;
            checks::build(workshop, tally).await?;
            for engine in on.engines() {
                let Some(stage) = stage(engine, workshop, tally).await else { continue };
                clients::run(&chosen, &stage, workshop, tally).await;
                stage.close().await;
            }
        }
        Command::Replay { names, on } => {
            let fixtures = replay::named(workshop, names)?;
            checks::build(workshop, tally).await?;
            for engine in on.engines() {
                let Some(stage) = stage(engine, workshop, tally).await else { continue };
                replay::run(&fixtures, &stage, workshop, tally).await;
                stage.close().await;
            }
        }
        Command::Record { names } => {
            let chosen = clients::named(&all, names)?;
            prepare(workshop, &chosen, tally).await;
            checks::build(workshop, tally).await?;
            let stage = Stage::open(Engine::Sqlite).await?;
            replay::record::run(&chosen, &stage, workshop, tally).await;
            stage.close().await;
        }
        Command::Durability { rounds, on } => {
            checks::build(workshop, tally).await?;
            for engine in on.engines() {
                let Some(stage) = stage(engine, workshop, tally).await else { continue };
                durability::run(*rounds, &stage, workshop, tally).await;
                stage.close().await;
            }
        }
        Command::Large { mib, on } => {
            let chosen = clients::named(&all, &["aws".to_owned()])?;
            prepare(workshop, &chosen, tally).await;
            checks::build(workshop, tally).await?;
            for engine in on.engines() {
                let Some(stage) = stage(engine, workshop, tally).await else { continue };
                large::run(*mib, &stage, workshop, tally).await;
                stage.close().await;
            }
        }
        Command::Propfind { files, on } => {
            checks::build(workshop, tally).await?;
            for engine in on.engines() {
                let Some(stage) = stage(engine, workshop, tally).await else { continue };
                propfind::run(*files, &stage, workshop, tally).await;
                stage.close().await;
            }
        }
    }
    Ok(())
}

/// The engine, or a note of why it is not there.
async fn stage(engine: Engine, workshop: &Workshop, tally: &mut Tally) -> Option<Stage> {
    if engine == Engine::Postgres
        && let Some(reason) = workshop.lacks(&Thing::Postgres)
    {
        Workshop::note_lack(tally, "engine", engine.name(), reason);
        return None;
    }
    match Stage::open(engine).await {
        Ok(stage) => Some(stage),
        Err(why) => {
            tally.failed("engine", engine.name(), &why);
            None
        }
    }
}
