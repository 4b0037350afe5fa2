//! SQLite, through sqlx: the only room that knows SQL.

pub mod committed;
