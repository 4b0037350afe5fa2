//! Faults that can be switched on: what they do, and which calls they wait for.
//!
//! A fault is an effect (was the call carried out?) and a reply (what does the caller see?), chosen independently: every
//! way in which an answer can lie about what happened is a pair of the two. Never decides when one strikes.

mod words;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::route::Endpoint;
pub use words::{FaultError, FaultWord, parse, parse_all};

/// Whether the portal carries the call out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// No, and it never will.
    Undone,
    /// Yes, before it answers.
    Done,
    /// Not now, but after this long. For `save` only; any other call is simply not carried out.
    Later(Duration),
}

/// What the caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The true answer.
    Normal,
    /// HTTP 400 and an envelope with this code.
    Refuse(String),
    /// HTTP 200 and an error envelope with this code.
    Disguised(String),
    /// This HTTP status, perhaps with `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// 307 to the same place.
    Redirect,
    /// HTTP 200 and something that is not JSON.
    Garbage,
    /// The answer to the order before, once more.
    Duplicate,
    /// A success that names no order.
    NoOrderNumber,
    /// The true answer, cut after so many bytes of its body.
    Cut(usize),
    /// The true answer, after this long.
    Late(Duration),
    /// The connection closes when the request has been read.
    Close,
    /// The connection closes before the body has been read.
    CloseUnread,
    /// The connection is reset.
    Reset,
    /// Nothing ever comes.
    Hang,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What really happens.
    pub effect: Effect,
    /// What it looks like.
    pub reply: Reply,
}

impl Fault {
    /// Every word, with what it does.
    pub fn all() -> &'static [FaultWord] {
        &words::WORDS
    }
}

/// For which calls a fault waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The next call of this endpoint.
    Only(Endpoint),
    /// The next call of any endpoint for which no fault of its own waits.
    Any,
}

/// What one fault text asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// A fault for the next calls.
    Strike {
        /// Of which endpoint.
        target: Target,
        /// What happens.
        fault: Fault,
        /// How many times.
        times: u32,
    },
    /// Nothing can be reached for this long.
    Down(Duration),
}

/// The faults that wait, each for its calls.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<(Target, Fault, u32)>,
    down_until: Option<Timestamp>,
}

impl Queue {
    pub(super) fn push(&mut self, target: Target, fault: Fault, times: u32) {
        if times > 0 {
            self.waiting.push_back((target, fault, times));
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn down_until(&mut self, at: Timestamp) {
        self.down_until = Some(at);
    }

    pub(super) fn is_down(&self, now: Timestamp) -> bool {
        self.down_until.is_some_and(|until| now < until)
    }

    fn place(&self, endpoint: Endpoint) -> Option<usize> {
        let of = |wanted: Target| self.waiting.iter().position(|(target, ..)| *target == wanted);
        of(Target::Only(endpoint)).or_else(|| of(Target::Any))
    }

    /// The fault that the next call of this endpoint will meet.
    pub(super) fn peek(&self, endpoint: Endpoint) -> Option<&Fault> {
        self.place(endpoint).map(|place| &self.waiting[place].1)
    }

    /// Takes the fault for a call that is being made.
    pub(super) fn take(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let place = self.place(endpoint)?;
        let (_, fault, times) = &mut self.waiting[place];
        *times -= 1;
        let (fault, spent) = (fault.clone(), *times == 0);
        if spent {
            self.waiting.remove(place);
        }
        Some(fault)
    }
}
