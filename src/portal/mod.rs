//! The vendor's Partner Portal API.
//!
//! Owns the wire: transport, token, paths, JSON, and what an answer proves. Never decides what is ordered, never retries an order.

pub mod credentials;
pub mod outcome;
pub mod transport;
