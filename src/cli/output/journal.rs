//! The log in systemd's journal, with its fields: `journalctl -u renewd ORDER_NO=…`.
//!
//! Owns the native protocol (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>) and knowing when to speak it. The fields also stand in the
//! message, so that plain `journalctl` says which renewal a line is about. Never waits long: a journal that is stuck loses the line, not
//! the order.

use std::fmt::{Debug, Write as _};
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

const SOCKET: &str = "/run/systemd/journal/socket";
/// Longer values are cut: a datagram has a limit, and an entry beyond it would be lost whole.
const LONGEST_VALUE: usize = 32 * 1024;
/// How long one line may wait for room in the journal's socket.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// Sends each event as one entry.
pub(super) struct Journal(UnixDatagram);

impl Journal {
    /// The journal, if standard error leads there: a person who redirects it wants the text where they sent it.
    pub(super) fn behind_stderr() -> Option<Self> {
        let stream = std::env::var("JOURNAL_STREAM").ok()?;
        let stderr = File::from(io::stderr().as_fd().try_clone_to_owned().ok()?).metadata().ok()?;
        if stream != format!("{}:{}", stderr.dev(), stderr.ino()) {
            return None;
        }
        let socket = UnixDatagram::unbound().ok()?;
        socket.connect(SOCKET).ok()?;
        socket.set_write_timeout(Some(LONGEST_WAIT)).ok()?;
        Some(Self(socket))
    }
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut entry = Entry::default();
        event.record(&mut entry);
        // There is nowhere to report that the log cannot be written.
        let _ = self.0.send(&entry.datagram(*event.metadata().level()));
    }
}

/// One event, taken apart.
#[derive(Default)]
struct Entry {
    message: String,
    fields: Vec<(String, String)>,
}

impl Entry {
    fn datagram(&self, level: Level) -> Vec<u8> {
        let mut message = self.message.clone();
        for (name, value) in &self.fields {
            // A String takes everything.
            let _ = write!(message, " {name}={value}");
        }
        let mut bytes = Vec::new();
        put(&mut bytes, "PRIORITY", priority(level));
        put(&mut bytes, "SYSLOG_IDENTIFIER", "renewd");
        put(&mut bytes, "MESSAGE", &message);
        for (name, value) in &self.fields {
            put(&mut bytes, &name.to_ascii_uppercase(), value);
        }
        bytes
    }

    fn take(&mut self, field: &Field, value: &str) {
        // The journal shows an entry with control characters as "blob data": nobody would read it.
        let keep = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
        let value: String = value.chars().map(keep).collect();
        match field.name() {
            "message" => self.message = value,
            name => self.fields.push((name.replace('.', "_"), value)),
        }
    }
}

impl Visit for Entry {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.take(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value);
    }
}

/// syslog's numbers.
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        _ => "7",
    }
}

/// The length stands before the value, so a line break in it cannot begin another field.
fn put(bytes: &mut Vec<u8>, name: &str, value: &str) {
    let value = &value[..value.floor_char_boundary(LONGEST_VALUE)];
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(b'\n');
    bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// What the journal would get: name and value of every field of one event.
    fn entry(log: impl FnOnce()) -> Vec<(String, String)> {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(Journal(ours)), log);
        let mut bytes = vec![0; 1 << 20];
        let length = theirs.recv(&mut bytes).unwrap();
        let mut rest = &bytes[..length];
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let name = rest.iter().position(|b| *b == b'\n').unwrap();
            let (size, value) = rest[name + 1..].split_first_chunk::<8>().unwrap();
            let size = usize::try_from(u64::from_le_bytes(*size)).unwrap();
            fields.push((String::from_utf8(rest[..name].to_vec()).unwrap(), String::from_utf8(value[..size].to_vec()).unwrap()));
            assert_eq!(value[size], b'\n');
            rest = &value[size + 1..];
        }
        fields
    }

    fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
        fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn an_order_is_found_by_its_numbers_and_read_in_the_message() {
        let none: Option<&str> = None;
        let fields = entry(|| tracing::info!(renewal = "blue-harbour", order_no = "UF34", transaction_no = none, "order placed"));
        assert_eq!(field(&fields, "MESSAGE"), Some("order placed renewal=blue-harbour order_no=UF34"));
        assert_eq!(field(&fields, "RENEWAL"), Some("blue-harbour"));
        assert_eq!(field(&fields, "ORDER_NO"), Some("UF34"));
        assert_eq!(field(&fields, "TRANSACTION_NO"), None);
        assert_eq!(field(&fields, "PRIORITY"), Some("6"));
        assert_eq!(field(&fields, "SYSLOG_IDENTIFIER"), Some("renewd"));
    }

    #[test]
    fn a_failure_has_the_priority_of_an_error() {
        assert_eq!(field(&entry(|| tracing::error!("missed")), "PRIORITY"), Some("3"));
        assert_eq!(field(&entry(|| tracing::warn!("held")), "PRIORITY"), Some("4"));
    }

    #[test]
    fn what_others_wrote_cannot_add_a_field_or_hide_the_line() {
        let fields = entry(|| tracing::info!(renewal = "x\nPRIORITY=0\u{1b}[2J", "order placed"));
        assert_eq!(fields.iter().filter(|(name, _)| name == "PRIORITY").count(), 1);
        assert_eq!(field(&fields, "RENEWAL"), Some("x\nPRIORITY=0\u{fffd}[2J"));
    }

    #[test]
    fn a_huge_value_is_cut_and_not_lost() {
        let fields = entry(|| tracing::info!(renewal = "ä".repeat(40_000), "read"));
        assert_eq!(field(&fields, "RENEWAL").map(str::len), Some(LONGEST_VALUE));
    }
}
