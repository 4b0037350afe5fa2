//! The promises of the program as a person meets them: the real binary, its files, its exit codes, its database.
//!
//! Each test has a folder of its own and, where it needs one, a built-in portal of its own on a free port. Nothing is waited for but
//! what must happen, up to a deadline.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, also in its helpers")]

mod support;

mod alive;
mod bound;
mod channels;
mod check;
mod crash;
mod discover;
mod exact;
mod files;
mod first;
mod given;
mod here;
mod hunted;
mod init;
mod links;
mod moved;
mod once;
mod online;
mod output;
mod plan;
mod played;
mod readers;
mod reload;
mod revived;
mod rotated;
mod secrets;
mod status;
mod stop;
mod turned;
mod usage;
