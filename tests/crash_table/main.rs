//! The crash table: the real binary, killed at every named step, under every fate of its request.
//!
//! Each cell has a portal of its own, lets `renewd run` die, and starts it again until its term is settled. Nobody waits for an hour:
//! portal and daemon share a clock that is moved on to whatever is next. Then the cell reads the portal's ledger: never more than one
//! order, none that is not in the database, and an end that is explained.
//!
//! The table is the one in docs/promise.md, or the test fails. `RENEWD_RENEW_TABLE=1 cargo test --test crash_table` writes it there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test says by its panic what it found")]

mod cell;
mod world;

use std::sync::Arc;

use cell::{Cell, Fate, Verdict};
use tokio::sync::Semaphore;

/// How many cells run at once; they mostly wait.
const AT_ONCE: usize = 24;
const PROMISE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/promise.md");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_crash_at_any_step_under_any_fate_buys_twice_or_stays_silent() {
    let cells: Vec<Cell> =
        steps().into_iter().flat_map(|step| Fate::all().into_iter().map(move |fate| Cell { step, fate })).collect();
    let verdicts = run_all(&cells).await;
    let table = table(&cells, &verdicts);
    println!("{table}");
    let wrong: Vec<String> = cells
        .iter()
        .zip(&verdicts)
        .filter_map(|(cell, verdict)| Some(format!("{} × {}: {}", cell.step, cell.fate.name, verdict.wrong.as_ref()?)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    compare(&table);
}

fn steps() -> Vec<&'static str> {
    let mut steps = vec![cell::NO_CRASH];
    steps.extend(renewd::crash::STEPS);
    steps.push(cell::IN_FLIGHT);
    steps
}

async fn run_all(cells: &[Cell]) -> Vec<Verdict> {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let running: Vec<_> = cells
        .iter()
        .map(|cell| {
            let (cell, room) = (*cell, Arc::clone(&room));
            tokio::spawn(async move {
                let _place = room.acquire().await.unwrap();
                cell.run().await
            })
        })
        .collect();
    let mut verdicts = Vec::new();
    for (cell, running) in cells.iter().zip(running) {
        verdicts.push(running.await.unwrap_or_else(|error| panic!("{} × {}: {error}", cell.step, cell.fate.name)));
    }
    verdicts
}

fn table(cells: &[Cell], verdicts: &[Verdict]) -> String {
    let fates = Fate::all();
    let names: Vec<&str> = fates.iter().map(|fate| fate.name).collect();
    let mut lines = vec![format!("| killed at | {} |", names.join(" | ")), format!("|---|{}", "---|".repeat(names.len()))];
    for (row, of_step) in cells.chunks(fates.len()).zip(verdicts.chunks(fates.len())) {
        let words: Vec<String> = of_step.iter().map(Verdict::short).collect();
        lines.push(format!("| {} | {} |", row[0].step, words.join(" | ")));
    }
    lines.join("\n")
}

/// What the promise says must be what is so.
fn compare(table: &str) {
    let promise = std::fs::read_to_string(PROMISE).unwrap();
    let begin = promise.find("| killed at |").expect("the crash table stands in docs/promise.md");
    let stood = &promise[begin..begin + promise[begin..].find("\n\n").unwrap()];
    if std::env::var_os("RENEWD_RENEW_TABLE").is_some() {
        std::fs::write(PROMISE, promise.replace(stood, table)).unwrap();
        return;
    }
    assert_eq!(
        stood, table,
        "the crash table of docs/promise.md is another one; RENEWD_RENEW_TABLE=1 cargo test --test crash_table writes it there"
    );
}
