//! What a debug build can be told for the crash table and the faults of the machine in docs/promise.md: to die at a named step, and to
//! live by a moved clock.
//!
//! A release build has none of it: the functions are empty there. Neither dying nor a wrong clock weakens a rule.

/// The steps, in the order of an order's life.
pub const STEPS: [&str; 8] = [
    "after-sync",
    "before-intent",
    "after-intent",
    "after-seal",
    "after-answer",
    "after-record",
    "before-renewed",
    "after-renewed",
];

/// Dies of SIGKILL, as by the kernel, if `RENEWD_CRASH_AT` names this step.
#[cfg(debug_assertions)]
pub(crate) fn point(step: &'static str) {
    debug_assert!(STEPS.contains(&step), "{step} is not in the list of steps");
    if std::env::var_os("RENEWD_CRASH_AT").is_some_and(|at| at == step) {
        // The shell's kill, because a signal to oneself needs unsafe code.
        let _ = std::process::Command::new("kill").args(["-KILL", &std::process::id().to_string()]).status();
        std::process::abort();
    }
}

/// Nothing, in a release build.
#[cfg(not(debug_assertions))]
#[inline]
pub(crate) const fn point(_step: &'static str) {}

/// How far the wall clock is moved: the seconds in the file that `RENEWD_CLOCK` names. Read at every look at the clock, so that a test
/// can step the clock of a daemon that runs.
#[cfg(debug_assertions)]
pub(crate) fn clock_moved_by() -> jiff::SignedDuration {
    use std::sync::LazyLock;
    static HANDS: LazyLock<Option<std::path::PathBuf>> = LazyLock::new(|| std::env::var_os("RENEWD_CLOCK").map(Into::into));
    let seconds = HANDS.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).and_then(|text| text.trim().parse().ok());
    jiff::SignedDuration::from_secs(seconds.unwrap_or(0))
}

/// Nothing, in a release build.
#[cfg(not(debug_assertions))]
#[inline]
pub(crate) const fn clock_moved_by() -> jiff::SignedDuration {
    jiff::SignedDuration::ZERO
}
