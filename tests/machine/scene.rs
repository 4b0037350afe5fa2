//! A portal, a folder with renewals, and people who are told through a program.

use std::fs;
use std::ops::Deref;

use serde_json::Value;

use super::support::{Daemon, Place, Portal, file, until};

/// A minute and a little: longer than anything waits for after one failure, and within what clocks may differ.
pub const A_MINUTE: i64 = 65;

pub struct Scene {
    pub portal: Portal,
    pub place: Place,
}

impl Deref for Scene {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Scene {
    /// With these entries, bound to a portal of its own.
    pub fn with(entries: &str) -> Self {
        let portal = Portal::start();
        let place = at(&portal, entries);
        Self { portal, place }
    }

    /// A daemon that has looked once and could not order, because the portal was not well. It tries again when the clock is moved.
    pub fn daemon_about_to_order(&self) -> Daemon {
        self.portal.fault("list=500");
        let daemon = self.place.daemon();
        assert_eq!(self.portal.calls("save"), 0, "{}", daemon.log());
        daemon
    }

    /// Moves the clock of every `renewd` here, also of one that runs, so many seconds from the true time.
    pub fn clock(&self, seconds: i64) {
        fs::write(self.path("clock.new"), seconds.to_string()).unwrap();
        fs::rename(self.path("clock.new"), self.path("clock")).unwrap();
    }

    /// What people were told so far.
    pub fn told(&self) -> String {
        fs::read_to_string(self.path("told")).unwrap_or_default()
    }

    pub fn people_hear(&self, words: &[&str]) {
        for word in words {
            until(&format!("people hear {word:?}"), || self.told().contains(word).then_some(()));
        }
    }

    /// What is due is ordered, once; the database has what the portal has, transaction numbers too; the log is whole.
    pub fn is_ordered_once(&self) {
        until("what was due is placed", || (self.attempts().last() == Some(&"placed".into())).then_some(()));
        assert_eq!(self.portal.orders().len(), 1);
        self.agrees_with_the_portal();
    }

    pub fn agrees_with_the_portal(&self) {
        let numbers = |order: &Value| serde_json::json!([order["orderNo"], order["transactionNo"]]);
        let theirs: Vec<Value> = self.portal.orders().iter().map(numbers).collect();
        assert_eq!(self.rows("order_no, transaction_no", "attempt WHERE state = 'placed'"), theirs);
        self.run(&["audit", "verify"]).ended(0);
    }

    pub fn ordered_nothing(&self) {
        assert_eq!((self.portal.calls("save"), self.portal.orders().len()), (0, 0));
    }
}

/// A daemon that writes to a journal which another program has deleted loses what it writes there.
pub fn writes_to_files_that_are_there(daemon: &Daemon) {
    let files = fs::read_dir(format!("/proc/{}/fd", daemon.child.id())).unwrap();
    let names = files.filter_map(|file| fs::read_link(file.unwrap().path()).ok()).map(|path| path.display().to_string());
    let ours: Vec<String> = names.filter(|name| name.contains("renewd.db")).collect();
    assert!(ours.iter().any(|name| name.ends_with("-wal")) && ours.iter().all(|name| !name.contains("deleted")), "{ours:?}");
}

/// A folder whose people are told by lines in the file `told`.
fn at(portal: &Portal, entries: &str) -> Place {
    let place = Place::with("");
    let tell = format!("cat >> '{0}'; echo >> '{0}'", place.path("told").display());
    let channel = format!("[notify]\ncommand = [\"/bin/sh\", \"-c\", \"{tell}\"]\n[portal]\nsettle = \"2 s\"\n");
    place.write(&file(&portal.address, entries).replace("notify = \"none\"\n[portal]\n", &channel));
    place.init()
}
