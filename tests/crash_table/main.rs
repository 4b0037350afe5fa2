//! The crash table: the real binary, killed at every named step, under every fate of its request.
//!
//! Each cell starts a portal of its own, lets `renewd run --once` die, and lets it run again until nothing moves. Then it reads the
//! portal's ledger: never more than one order, and one order or a person told.
//!
//! `cargo test --test crash_table -- --ignored --nocapture` prints the table that stands in docs/promise.md.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test says by its panic what it found")]

mod cell;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use cell::{Cell, Fate, Verdict};

/// How many cells run at once; they mostly wait.
const AT_ONCE: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: cargo test --test crash_table -- --ignored --nocapture"]
async fn no_crash_at_any_step_under_any_fate_buys_twice_or_stays_silent() {
    let cells: Vec<Cell> =
        steps().into_iter().flat_map(|step| Fate::all().into_iter().map(move |fate| Cell { step, fate })).collect();
    let verdicts = run_all(&cells).await;
    print(&cells, &verdicts);
    let bad: Vec<String> = cells
        .iter()
        .zip(&verdicts)
        .filter(|(_, v)| !v.is_good())
        .map(|(c, v)| format!("{} × {}: {v:?}", c.step, c.fate.name))
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

fn steps() -> Vec<&'static str> {
    let mut steps = vec!["(no crash)"];
    steps.extend(renewd::crash::STEPS);
    steps.push(cell::IN_FLIGHT);
    steps
}

async fn run_all(cells: &[Cell]) -> Vec<Verdict> {
    let next = Arc::new(Mutex::new(cells.iter().cloned().enumerate().collect::<Vec<_>>().into_iter()));
    let done = Arc::new(Mutex::new(Vec::new()));
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (next, done) = (Arc::clone(&next), Arc::clone(&done));
            tokio::spawn(async move {
                loop {
                    let Some((index, cell)) = next.lock().unwrap().next() else { return };
                    let verdict = cell.run().await;
                    done.lock().unwrap().push((index, verdict));
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let mut done = std::mem::take(&mut *done.lock().unwrap());
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, verdict)| verdict).collect()
}

fn print(cells: &[Cell], verdicts: &[Verdict]) {
    let fates = Fate::all();
    let mut table = format!(
        "| killed at | {} |\n|---|{}",
        fates.iter().map(|f| f.name).collect::<Vec<_>>().join(" | "),
        "---|".repeat(fates.len())
    );
    for (row, of_step) in cells.chunks(fates.len()).zip(verdicts.chunks(fates.len())) {
        let words: Vec<String> = of_step.iter().map(Verdict::short).collect();
        let _ = write!(table, "\n| {} | {} |", row[0].step, words.join(" | "));
    }
    println!("{table}");
}
