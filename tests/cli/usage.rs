//! Wrong usage is 64, with a word on what would be right.

use super::support::{EXAMPLE, Place};

#[test]
fn wrong_usage_is_64_everywhere() {
    let place = Place::with(EXAMPLE);
    for wrong in [
        &[][..],
        &["nothing"],
        &["plan", "--dyas", "3"],
        &["plan", "--days", "-3"],
        &["plan", "--days", "3", "--until", "2027-01-01"],
        &["plan", "--until", "2027-13-01"],
        &["status", "--most", "some"],
        &["run", "--real-time"],
        &["run", "--once", "--sandbox"],
        &["init", "--sandbox"],
        &["discover"],
        &["sandbox", "--port", "70000"],
        &["sandbox", "--fault", "save=hag"],
        &["completions", "bsh"],
        &["--color", "sometimes", "plan"],
    ] {
        let ran = place.run(wrong).ended(64);
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{wrong:?}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn wrong_words_get_the_right_ones_shown() {
    let place = Place::with(EXAMPLE);
    place.run(&["plan", "--dyas", "3"]).explained(&["'--days'"]);
    place.run(&["sandbox", "--fault", "save=hag"]).explained(&["did you mean hang?"]);
    place.run(&["init", "--sandbox"]).explained(&["renewd run --sandbox"]);
}

#[test]
fn help_version_completions_and_the_manual_are_fine() {
    let place = Place::with(EXAMPLE);
    for right in [&["--help"][..], &["run", "--help"], &["--version"], &["completions", "bash"], &["man"]] {
        let ran = place.run(right).ended(0);
        assert!(!ran.out.is_empty() && ran.err.is_empty(), "{right:?}");
    }
}

#[test]
fn a_file_that_is_no_database_is_named_once_and_left_alone() {
    let place = Place::with(EXAMPLE);
    std::fs::write(place.path("junk.db"), "not a database").unwrap();
    for command in [&["status", "--database", "junk.db"][..], &["run", "--sandbox", "--database", "junk.db"]] {
        let ran = place.run(command).ended(1);
        assert_eq!(ran.err.matches("file is not a database").count(), 1, "{}", ran.err);
        assert!(ran.err.starts_with("error: "), "{}", ran.err);
    }
    assert_eq!(std::fs::read(place.path("junk.db")).unwrap(), b"not a database");
}
