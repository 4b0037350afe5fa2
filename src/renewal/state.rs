//! The states of a term and the reasons it can be in one (DESIGN.md section 5, docs/states.md).
//!
//! Owns the words. Every reason that needs a person carries the sentence and the command; no state is a dead end.

use std::fmt;

/// Makes an enum of words that are stored as text: the text, and back.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word as stored and shown.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The one called `word`.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.word()) }
        }
    };
}

words! {
    /// Where a term stands.
    TermState {
        /// Waits for its due time, or for another try.
        Scheduled = "scheduled",
        /// Waits for `approve`.
        AwaitingApproval = "awaiting_approval",
        /// An attempt is committed and may be on its way.
        Ordering = "ordering",
        /// An attempt was sent and nobody knows yet what became of it.
        Unknown = "unknown",
        /// The portal has the order, not yet paid or confirmed.
        Placed = "placed",
        /// The portal says `succeed`.
        Renewed = "renewed",
        /// A person decides.
        Held = "held",
        /// A person decided not to renew it; ends the chain until `rebase`.
        Skipped = "skipped",
        /// The deadline passed without an order; ends the chain until `rebase`.
        Missed = "missed",
    }
}

words! {
    /// Why a term is where it is, where that is not plain from its state.
    Reason {
        /// `approval = "manual"`.
        Approval = "approval",
        /// R3: a new identity that looks like an old one.
        LooksLikeOld = "looks_like_old",
        /// R14: what would be ordered is not what was approved.
        ChangedSinceApproval = "changed_since_approval",
        /// The entry buys another length than the term has, for which an order was tried already.
        OtherLength = "other_length",
        /// R25: a person said that the last attempt was not ordered.
        NotOrdered = "not_ordered",
        /// R11: someone may have renewed it already.
        ForeignOrder = "foreign_order",
        /// R19: the list does not show our newest order any more, and may hide others as well.
        ListLacks = "list_lacks",
        /// R19 d: no evidence either way.
        NoEvidence = "no_evidence",
        /// R21: a second unknown on one term.
        SecondUnknown = "second_unknown",
        /// The term before it was paid and is not any more: whether it goes on is for a person to say.
        Lapsed = "lapsed",
        /// R23: the order was cancelled, failed, refunded or is invalid.
        DeadOrder = "dead_order",
        /// R23: paid, then refunded before or after the term began.
        RefundedLater = "refunded_later",
        /// R23: the portal still waits for payment.
        PendingLong = "pending_long",
        /// The order is not in the portal's list although it should be by now.
        NotListed = "not_listed",
        /// `hold NAME`.
        Operator = "operator",
        /// The portal refused it; tried again rarely.
        Refused = "refused",
        /// Nothing was sent; tried again by the table.
        NotSent = "not_sent",
        /// R12: a limit is in the way.
        OverLimit = "over_limit",
        /// R22: waits for the first order to be read back.
        Canary = "canary",
        /// R10: another order that looks the same is undecided.
        LookAlike = "look_alike",
        /// The account is paused.
        Paused = "paused",
        /// The portal cannot be reached or is not well.
        PortalTrouble = "portal_trouble",
        /// R13: the clock cannot be trusted.
        Clock = "clock",
        /// R8, R9: the database waits for `init` or `accept`.
        Unbound = "unbound",
        /// An attempt is on its way to being found out.
        FindingOut = "finding_out",
        /// The deadline passed.
        DeadlinePassed = "deadline_passed",
        /// `skip NAME`.
        Skipped = "skipped",
        /// `rebase NAME DATE` began another chain.
        Rebased = "rebased",
    }
}

impl TermState {
    /// Whether an order for the term may exist at the portal.
    pub const fn may_exist(self) -> bool {
        matches!(self, Self::Ordering | Self::Unknown | Self::Placed | Self::Renewed)
    }

    /// R26: ends the chain until `rebase`.
    pub const fn ends_chain(self) -> bool {
        matches!(self, Self::Skipped | Self::Missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_itself() {
        assert!(TermState::ALL.iter().all(|state| TermState::from_word(state.word()) == Some(*state)));
        assert!(Reason::ALL.iter().all(|reason| Reason::from_word(reason.word()) == Some(*reason)));
    }

    /// The cells of each row of the table in docs/states.md.
    fn documented() -> Vec<Vec<String>> {
        include_str!("../../docs/states.md")
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
            .collect()
    }

    #[test]
    fn every_state_and_every_reason_is_documented_and_nothing_else() {
        let mut rows = documented();
        assert!(rows.iter().all(|row| row.len() == 5), "{rows:?}");
        for cell in rows.iter_mut().flat_map(|row| &mut row[..2]) {
            *cell = cell.trim_matches('`').to_owned();
        }
        assert!(rows.iter().all(|row| TermState::from_word(&row[0]).is_some()), "{rows:?}");
        assert!(rows.iter().all(|row| row[1] == "–" || Reason::from_word(&row[1]).is_some()), "{rows:?}");
        for state in TermState::ALL {
            assert!(rows.iter().any(|row| row[0] == state.word()), "{state} is not in docs/states.md");
        }
        for reason in Reason::ALL {
            assert!(rows.iter().any(|row| row[1] == reason.word()), "{reason} is not in docs/states.md");
        }
    }

    #[test]
    fn no_documented_state_is_a_dead_end() {
        for row in documented() {
            let waits_for_the_daemon = ["`ordering`", "`placed`", "`renewed`"].contains(&row[0].as_str());
            assert!(waits_for_the_daemon || row[3].contains('`') || row[3].contains('('), "{row:?} names no command");
            assert!(!row[4].is_empty(), "{row:?} goes nowhere");
        }
    }
}
