//! The simulation: the real engine, database and portal client in seeded worlds, over decades, against an oracle.
//!
//! A world is a portal with its own ledger, a clock, a file, people and weather, all drawn from one number. After every step the oracle reads
//! the portal's ledger and what people were told, and never what the daemon thinks. `RENEWD_SEED=n cargo test --lib simulation::replay --
//! --nocapture --ignored` plays one world aloud; `RENEWD_SEEDS=n cargo test --lib simulation::worlds` plays n of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod agenda;
mod causes;
mod cores;
pub(crate) mod crash;
mod dice;
mod disk;
mod event;
mod figures;
mod file;
mod kinds;
mod life;
pub(crate) mod line;
mod mutations;
mod nature;
mod oracle;
mod people;
mod whims;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use figures::Figures;
use nature::Nature;

/// How many worlds `cargo test` plays.
const SEEDS: u64 = 2000;

/// Plays one world on this thread.
fn play(seed: u64, nature: Option<Nature>, loud: bool) -> Result<Figures, String> {
    let _on_one_core = cores::stay();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let played = catch_unwind(AssertUnwindSafe(|| runtime.block_on(cores::taking_turns(life::live(seed, nature, loud)))));
    match played {
        Ok(lived) => lived.map_err(|complaint| complaint.to_string()),
        Err(panic) => {
            let text =
                panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
            Err(format!("panicked: {}", text.unwrap_or_default()))
        }
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Plays worlds `first..first + count`, one on each core; returns the sums and what was complained about.
fn play_many(first: u64, count: u64, nature: impl Fn(u64) -> Option<Nature> + Sync) -> (Figures, Vec<(u64, String)>) {
    let (next, sums, complaints) = (AtomicU64::new(first), Mutex::new(Figures::default()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..cores::count() {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    match play(seed, nature(seed), false) {
                        Ok(figures) => sums.lock().unwrap().add(&figures),
                        Err(complaint) => complaints.lock().unwrap().push((seed, complaint)),
                    }
                }
            });
        }
    });
    (sums.into_inner().unwrap(), complaints.into_inner().unwrap())
}

#[test]
fn worlds() {
    let began = Instant::now();
    let (figures, mut complaints) =
        play_many(variable("RENEWD_FIRST_SEED").unwrap_or(0), variable("RENEWD_SEEDS").unwrap_or(SEEDS), |_| None);
    println!("{figures}in {:.1} s", began.elapsed().as_secs_f64());
    complaints.sort();
    for (seed, complaint) in complaints.iter().take(40) {
        println!(
            "seed {seed}: {complaint}\n    replay: RENEWD_SEED={seed} cargo test --lib simulation::replay -- --nocapture --ignored"
        );
    }
    assert!(complaints.is_empty(), "{} of the worlds went wrong", complaints.len());
}

#[test]
#[ignore = "plays the one world of RENEWD_SEED, aloud"]
fn replay() {
    let seed = variable("RENEWD_SEED").expect("RENEWD_SEED is the number of a world");
    // With RUST_LOG=renewd=debug, or sqlx=debug, what the daemon says of it.
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).with_test_writer().init();
    let nature = std::env::var("RENEWD_KIND").ok().map(|name| kinds::world(&name, seed).expect("a kind of the table"));
    match play(seed, nature, true) {
        Ok(figures) => println!("{figures}"),
        Err(complaint) => panic!("seed {seed}: {complaint}"),
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    for seed in 0..10 {
        assert_eq!(play(seed, None, false), play(seed, None, false), "seed {seed}");
    }
}
