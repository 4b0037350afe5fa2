//! The vendor's Partner Portal API.
//!
//! Owns the wire: transport, token, paths, JSON, and what an answer proves. Never decides what is ordered, never retries an order.

pub mod client;
pub mod credentials;
pub mod http;
pub mod once_body;
pub mod outcome;
pub mod read_error;
mod token;
pub mod transport;
pub mod wire;
