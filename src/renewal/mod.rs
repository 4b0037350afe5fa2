//! The domain: what is renewed, when, and what an answer proves.
//!
//! Owns every decision, as pure functions of what is stored, what the mirror holds, and now. Never does I/O, never reads a
//! clock, never awaits.

pub mod carried;
pub mod chain;
pub mod evidence;
pub mod facts;
pub mod gate;
pub mod learned;
pub mod order;
pub mod product;
pub mod retry;
pub mod roster;
pub mod state;
pub mod subscription;
pub mod typed;
