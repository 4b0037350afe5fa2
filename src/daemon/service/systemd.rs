//! What the service manager is told: `sd_notify(3)`.
//!
//! Owns the words of the protocol. Without a manager (`NOTIFY_SOCKET` is not set) every call does nothing.

use sd_notify::NotifyState;

use crate::store::reports::{AttentionRow, UpcomingRow};

/// The daemon works: after the start, and after a reload.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A reload began. The time is what `Type=notify-reload` (systemd 253 and later) needs to tell this answer from an earlier one.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "systemd was not told of the reload"),
    }
}

/// A tick was finished: the watchdog waits anew.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// The line that `systemctl status` shows.
pub(super) fn status(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

/// The daemon was asked to leave, and does.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("leaving; an order in flight is waited for")]);
}

/// What needs a person, and what is due next, in one line.
pub(super) fn line(attention: &[AttentionRow], next: Option<&UpcomingRow>) -> String {
    let next = next.map_or_else(
        || "nothing is scheduled".to_owned(),
        // `2027-03-01T09:00:00.000Z`, to the minute.
        |row| format!("next: {}, due {} UTC", row.renewal, row.due_at.get(..16).unwrap_or(&row.due_at).replace('T', " ")),
    );
    let person = match attention {
        [] => "nothing needs you".to_owned(),
        [only] => format!("{} needs you (renewd status)", only.renewal.as_deref().unwrap_or("one thing")),
        many => format!("{} things need you (renewd status)", many.len()),
    };
    // One line, whatever a label in the file holds: a line break would begin another message to systemd.
    format!("{person}; {next}").replace(char::is_control, " ")
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attention(renewal: Option<&str>) -> AttentionRow {
        let text = |text: &str| Some(text.to_owned());
        AttentionRow {
            renewal: renewal.map(str::to_owned),
            since: String::new(),
            reason: text("held"),
            what_to_do: text("renewd"),
            deadline: None,
        }
    }

    fn upcoming(renewal: &str) -> UpcomingRow {
        let text = str::to_owned;
        UpcomingRow {
            renewal: text(renewal),
            partner_id: text("1"),
            quantity: Some(1),
            expires_on: text("2027-03-15"),
            due_at: text("2027-03-01T09:00:00.000Z"),
            deadline: text("2027-03-14T23:00:00.000Z"),
            state: text("scheduled"),
            reason: None,
        }
    }

    #[test]
    fn the_status_names_what_needs_a_person_before_what_is_due_next() {
        let next = upcoming("blue-harbour");
        assert_eq!(line(&[], Some(&next)), "nothing needs you; next: blue-harbour, due 2027-03-01 09:00 UTC");
        let held = [attention(Some("north-quay"))];
        assert_eq!(
            line(&held, Some(&next)),
            "north-quay needs you (renewd status); next: blue-harbour, due 2027-03-01 09:00 UTC"
        );
        assert_eq!(line(&[attention(None), attention(None)], None), "2 things need you (renewd status); nothing is scheduled");
    }

    #[test]
    fn a_label_cannot_forge_a_message_to_systemd() {
        let line = line(&[attention(Some("x\nSTOPPING=1"))], None);
        assert_eq!(line, "x STOPPING=1 needs you (renewd status); nothing is scheduled");
    }
}
