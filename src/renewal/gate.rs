//! Which of the orders that are due may go now (R10, R12, R21, R22).
//!
//! Owns the choice among candidates, as a pure function. Whether one candidate is sound by itself (approval, foreign orders,
//! deadline) was decided before it came here.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::state::Reason;
use crate::rules::{Rule, kept};

/// A kind of order: what R22 learns about. Product, and whether it is for a partner or one's own.
pub type Kind = (String, bool);

/// An order that is due and sound by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What looks the same at the portal.
    pub looks_like: String,
    /// What R22 learns about.
    pub kind: Kind,
    /// Whether an order of this kind has been read back.
    pub learned: bool,
    /// What the limits count.
    pub quantity: u64,
    /// When it must be done.
    pub deadline: Timestamp,
    /// R21: an attempt of this term was once unknown.
    pub follows_unknown: bool,
}

/// What is in the way.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    /// Orders that today's limit still allows.
    pub orders_left: u64,
    /// Quantity that today's limit still allows.
    pub quantity_left: u64,
    /// The most that one order may have.
    pub max_quantity_per_order: u64,
    /// Orders a day, for the forecast.
    pub orders_per_day: u64,
    /// Quantity a day, for the forecast.
    pub quantity_per_day: u64,
    /// Looks of undecided attempts.
    pub undecided: HashSet<String>,
    /// Kinds whose first order is out and not read back yet.
    pub canaries_out: HashSet<Kind>,
    /// R21: a retry that follows an unknown is out.
    pub retry_out: bool,
}

/// The verdict on one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes now; `alone` if nothing else goes with it.
    Go {
        /// R21, R22.
        alone: bool,
    },
    /// It waits.
    Wait(Reason),
    /// It waits for another day, and the forecast says that its deadline will pass before its turn (R12).
    WaitPastDeadline,
}

/// Within this time of a blocked deadline, the next one is tried alone (R22).
const NEAR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Judges `candidates`, which come nearest deadline first, in their order.
pub fn admit(candidates: &[Candidate], situation: &Situation, now: Timestamp) -> Vec<Verdict> {
    let mut gate = Gate::new(situation, candidates, now);
    candidates.iter().enumerate().map(|(index, candidate)| gate.judge(index, candidate)).collect()
}

struct Gate<'a> {
    situation: &'a Situation,
    now: Timestamp,
    orders_left: u64,
    quantity_left: u64,
    looks: HashSet<String>,
    /// R22: the due order with the furthest deadline goes first, so that a mistake has the most time to be found.
    canary: HashMap<Kind, usize>,
    near_tried: HashSet<Kind>,
    retry_out: bool,
    /// The forecast: so many days from now, and what that day still has room for.
    ahead: Day,
}

/// A day to come, with its limits.
#[derive(Debug, Clone, Copy, Default)]
struct Day {
    from_now: u64,
    orders_left: u64,
    quantity_left: u64,
}

impl<'a> Gate<'a> {
    fn new(situation: &'a Situation, candidates: &[Candidate], now: Timestamp) -> Self {
        let canary =
            candidates.iter().enumerate().filter(|(_, c)| !c.learned).map(|(index, c)| (c.kind.clone(), index)).collect();
        Self {
            situation,
            now,
            orders_left: situation.orders_left,
            quantity_left: situation.quantity_left,
            looks: situation.undecided.clone(),
            canary,
            near_tried: HashSet::new(),
            retry_out: situation.retry_out,
            ahead: Day::default(),
        }
    }

    fn judge(&mut self, index: usize, candidate: &Candidate) -> Verdict {
        if kept(Rule::R10) && self.looks.contains(&candidate.looks_like) {
            return Verdict::Wait(Reason::LookAlike);
        }
        if !self.fits(candidate) {
            return self.postpone(candidate);
        }
        match self.alone(index, candidate) {
            Some(Verdict::Go { alone }) => self.go(candidate, alone),
            Some(wait) => wait,
            None => self.go(candidate, false),
        }
    }

    fn go(&mut self, candidate: &Candidate, alone: bool) -> Verdict {
        self.looks.insert(candidate.looks_like.clone());
        self.orders_left -= 1;
        self.quantity_left -= candidate.quantity;
        Verdict::Go { alone }
    }

    fn fits(&self, candidate: &Candidate) -> bool {
        !kept(Rule::R12)
            || (candidate.quantity <= self.situation.max_quantity_per_order
                && candidate.quantity <= self.quantity_left
                && self.orders_left > 0)
    }

    /// R12: earliest deadline first; whoever does not fit today is forecast by its place in the queue, day by day.
    fn postpone(&mut self, candidate: &Candidate) -> Verdict {
        let limits = self.situation;
        if candidate.quantity > limits.max_quantity_per_order.min(limits.quantity_per_day) || limits.orders_per_day == 0 {
            return Verdict::WaitPastDeadline;
        }
        if self.ahead.orders_left == 0 || self.ahead.quantity_left < candidate.quantity {
            let from_now = self.ahead.from_now + 1;
            self.ahead = Day { from_now, orders_left: limits.orders_per_day, quantity_left: limits.quantity_per_day };
        }
        self.ahead.orders_left -= 1;
        self.ahead.quantity_left -= candidate.quantity;
        let turn = SignedDuration::from_hours(24 * i64::try_from(self.ahead.from_now).unwrap_or(i64::MAX / 1_000_000));
        let late = self.now.checked_add(turn).is_ok_and(|at| at >= candidate.deadline);
        if late { Verdict::WaitPastDeadline } else { Verdict::Wait(Reason::OverLimit) }
    }

    /// R21 and R22: whether it must go alone, and whether it may now.
    fn alone(&mut self, index: usize, candidate: &Candidate) -> Option<Verdict> {
        if candidate.follows_unknown && kept(Rule::R21) {
            let free = !self.retry_out;
            self.retry_out = true;
            return Some(if free { Verdict::Go { alone: true } } else { Verdict::Wait(Reason::LookAlike) });
        }
        if candidate.learned || !kept(Rule::R22) {
            return None;
        }
        let out = self.situation.canaries_out.contains(&candidate.kind);
        if !out && self.canary.get(&candidate.kind) == Some(&index) {
            return Some(Verdict::Go { alone: true });
        }
        let near = out && candidate.deadline.duration_since(self.now) <= NEAR;
        if near && self.near_tried.insert(candidate.kind.clone()) {
            return Some(Verdict::Go { alone: true });
        }
        Some(Verdict::Wait(Reason::Canary))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn candidate(partner: u32, deadline: &str) -> Candidate {
        Candidate {
            looks_like: format!("21|{partner}|"),
            kind: ("21".to_owned(), true),
            learned: true,
            quantity: 10,
            deadline: at(deadline),
            follows_unknown: false,
        }
    }

    fn room() -> Situation {
        Situation {
            orders_left: 50,
            quantity_left: 2000,
            max_quantity_per_order: 500,
            orders_per_day: 50,
            quantity_per_day: 2000,
            ..Situation::default()
        }
    }

    const NOW: &str = "2027-02-15T09:00:00Z";
    const GO: Verdict = Verdict::Go { alone: false };

    #[test]
    fn orders_that_look_alike_are_never_in_flight_together() {
        let two = [candidate(1, "2027-03-01T00:00:00Z"), candidate(1, "2027-03-01T00:00:00Z")];
        assert_eq!(admit(&two, &room(), at(NOW)), [GO, Verdict::Wait(Reason::LookAlike)]);
        let undecided = Situation { undecided: ["21|1|".to_owned()].into(), ..room() };
        assert_eq!(admit(&two[..1], &undecided, at(NOW)), [Verdict::Wait(Reason::LookAlike)]);
    }

    #[test]
    fn the_first_order_of_a_kind_goes_alone_and_is_the_one_with_the_most_time() {
        let all: Vec<Candidate> =
            (1..=3).map(|n| Candidate { learned: false, ..candidate(n, &format!("2027-03-0{n}T00:00:00Z")) }).collect();
        let wait = Verdict::Wait(Reason::Canary);
        assert_eq!(admit(&all, &room(), at(NOW)), [wait, wait, Verdict::Go { alone: true }]);
        let out = Situation { canaries_out: [("21".to_owned(), true)].into(), ..room() };
        assert_eq!(admit(&all, &out, at(NOW)), [wait; 3]);
    }

    /// Two orders of 60 do not fit into one day of 100: added up, six of twenty were missed, and people heard of it a day before.
    #[test]
    fn the_forecast_puts_whole_orders_into_days() {
        let all: Vec<Candidate> = (1..=4).map(|n| Candidate { quantity: 60, ..candidate(n, "2027-02-18T09:00:00Z") }).collect();
        let tight = Situation { quantity_left: 100, quantity_per_day: 100, ..room() };
        let wait = Verdict::Wait(Reason::OverLimit);
        assert_eq!(admit(&all, &tight, at(NOW)), [GO, wait, wait, Verdict::WaitPastDeadline]);
    }

    #[test]
    fn a_stuck_first_order_does_not_let_a_near_deadline_pass() {
        let all: Vec<Candidate> = (1..=2).map(|n| Candidate { learned: false, ..candidate(n, "2027-02-20T00:00:00Z") }).collect();
        let out = Situation { canaries_out: [("21".to_owned(), true)].into(), ..room() };
        assert_eq!(admit(&all, &out, at(NOW)), [Verdict::Go { alone: true }, Verdict::Wait(Reason::Canary)]);
    }

    #[test]
    fn limits_postpone_the_later_deadline_and_say_when_that_is_too_late() {
        let tight = Situation { orders_left: 1, ..room() };
        let all =
            [candidate(1, "2027-02-20T00:00:00Z"), candidate(2, "2027-03-01T00:00:00Z"), candidate(3, "2027-02-16T00:00:00Z")];
        assert_eq!(admit(&all, &tight, at(NOW)), [GO, Verdict::Wait(Reason::OverLimit), Verdict::WaitPastDeadline]);
    }

    #[test]
    fn retries_after_an_unknown_go_one_at_a_time() {
        let all: Vec<Candidate> =
            (1..=2).map(|n| Candidate { follows_unknown: true, ..candidate(n, "2027-03-01T00:00:00Z") }).collect();
        assert_eq!(admit(&all, &room(), at(NOW)), [Verdict::Go { alone: true }, Verdict::Wait(Reason::LookAlike)]);
    }
}
