//! The rules R1 to R28 of docs/promise.md, where a test wants to know what happens without one.
//!
//! In every build but the unit tests of this crate, each rule is kept, as a constant: there is no switch.

/// A rule that the simulation can take out, to show that its oracle notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the numbers are those of docs/promise.md")]
pub enum Rule {
    R2,
    R3,
    R4,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    R17,
    R18,
    R19,
    R20,
    R21,
    R22,
    R23,
    R25,
    R26,
}

/// Whether `rule` is kept.
#[cfg(not(test))]
#[inline]
pub const fn kept(_rule: Rule) -> bool {
    true
}

/// Whether `rule` is kept on this thread.
#[cfg(test)]
pub fn kept(rule: Rule) -> bool {
    !BROKEN.with_borrow(|broken| broken.contains(&rule))
}

#[cfg(test)]
thread_local! {
    static BROKEN: std::cell::RefCell<Vec<Rule>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Takes rules out on this thread until the next call.
#[cfg(test)]
pub fn break_on_this_thread(rules: &[Rule]) {
    BROKEN.with_borrow_mut(|broken| *broken = rules.to_vec());
}
