//! `renewals.toml`.

pub mod model;
