//! Named steps at which a debug build can be told to die, for the crash table of docs/promise.md.
//!
//! A release build has none of it: the function is empty there. Dying is no switch that weakens a rule.

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
