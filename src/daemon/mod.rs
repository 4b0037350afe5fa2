//! The shell around the domain: it reads the clock, the database and the portal, asks `renewal/` what to do, and does it.
//!
//! Owns the tick and everything that wakes it. Never decides by itself what is ordered.

pub(crate) mod accept;
pub mod address;
mod answer;
mod aside;
mod asked;
mod behind;
pub mod bell;
mod carried;
mod chains;
pub mod commands;
pub mod counted;
mod courier;
mod details;
mod doubt;
pub mod engine;
mod first;
mod follow;
mod foreign;
mod lacking;
mod lapsed;
mod late;
mod learning;
pub mod lock;
mod not_paid;
mod own;
mod paging;
mod pays;
pub(crate) mod place;
mod reach;
mod record;
mod reopen;
mod resolve;
pub mod roster;
pub mod seal;
pub mod service;
pub mod sound;
mod stands;
mod start;
mod strange;
pub mod sync;
pub mod tell;
#[cfg(test)]
mod testing;
mod time;
pub mod verdict;
mod warning;
pub mod watched;
mod way;
mod words;
