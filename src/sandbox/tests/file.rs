//! A sandbox goes on from where its file stands, or leaves the file alone.

use std::path::Path;

use super::*;

fn open(path: &Path) -> Caller {
    let clock = ManualClock::at(stood_at(path).unwrap().unwrap_or_else(start));
    Caller::of(Sandbox::open(path, Arc::new(clock.clone()), patient()).unwrap(), clock)
}

#[test]
fn orders_postponed_ones_statuses_and_time_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    let caller = open(&path);
    caller.save(&numbered("RW1-1"));
    caller.fault("save=lost-answer+later:2h");
    caller.save(&numbered("RW1-2"));
    caller.portal.add_foreign(Foreign { by: PlacedBy::Colleague, request: request(), status: SUCCEED, created_at: None });
    caller.portal.set_status("1780063", "refunded").unwrap();
    caller.wait(seconds(60));
    caller.portal.save().unwrap();
    let (before, token) = (caller.portal.orders(), caller.authorization.clone());

    let caller = open(&path);
    assert_eq!(caller.portal.orders(), before);
    assert_eq!(caller.clock.now(), start().checked_add(seconds(60)).unwrap());
    assert_ne!(caller.authorization, token, "a token is never made twice");
    caller.wait(seconds(7200));
    assert_eq!(caller.portal.orders().len(), 3);
    let next = order_no(&caller.save(TUTORIAL));
    assert!(before.iter().all(|order| order.order_no < next), "numbers go on");
}

#[test]
fn the_file_is_written_when_an_order_was_made_and_not_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    let caller = open(&path);
    caller.save(TUTORIAL);
    caller.portal.keep().unwrap();
    let first = std::fs::read(&path).unwrap();
    caller.get(PAGE);
    caller.wait(seconds(1));
    caller.portal.keep().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), first);
    caller.portal.save().unwrap();
    assert_ne!(std::fs::read(&path).unwrap(), first, "a stop keeps the time");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn a_file_that_cannot_be_used_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    let whole = {
        open(&path).portal.save().unwrap();
        std::fs::read_to_string(&path).unwrap()
    };
    let cases = [
        (String::new(), "not marked"),
        ("order,amount\n".into(), "not marked"),
        (r#"{"format":"other","version":1}"#.into(), "its format is other"),
        (whole.replace("\"version\":1", "\"version\":2"), "its version is 2"),
        (whole.replace("\"orders\":[]", "\"orders\":[{}]"), "missing field"),
        (whole[..whole.len() - 1].into(), "not marked"),
    ];
    for (contents, expected) in cases {
        std::fs::write(&path, &contents).unwrap();
        let clock = Arc::new(ManualClock::at(start()));
        let problem = Sandbox::open(&path, clock, Settings::default()).unwrap_err().to_string();
        assert!(problem.contains(expected) && problem.contains("sandbox.json"), "{problem}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), contents);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone").join("sandbox.json");
    let problem = open(&path).portal.save().unwrap_err();
    assert!(matches!(problem, BookError::Write { .. }), "{problem}");
}
