//! renewd renews Yeastar subscriptions through the Partner Portal API: on time, never twice, never silently.
//!
//! `ARCHITECTURE.md` is the map of these rooms.

pub mod calendar;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crash;
pub mod daemon;
pub mod ids;
pub mod notify;
pub mod portal;
pub mod renewal;
pub mod rules;
pub mod sandbox;
#[cfg(test)]
mod simulation;
pub mod store;

/// Of the unit tests only: what one thread allocates here, another frees.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
