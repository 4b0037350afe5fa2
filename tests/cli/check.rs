//! `check`: every mistake at once, each with its place and its remedy.

use super::support::{EXAMPLE, Place, Portal, due, file};

#[test]
fn every_mistake_is_shown_with_file_line_column_caret_and_remedy() {
    let broken = EXAMPLE
        .replace("\"Europe/Berlin\"", "\"Europe/Berlinn\"")
        .replace("quantity   = 10", "quantitty  = 10")
        .replace("2027-06-15", "2027-02-30")
        .replace("\"manual\"\nlead", "\"maybe\"\nlead");
    let place = Place::with(&broken);
    let ran = place.run(&["check"]).ended(78);
    let line = |of: &str| broken.lines().position(|line| line.contains(of)).unwrap() + 1;
    ran.explained(&[
        &format!("--> renewals.toml:{}:12", line("Berlinn")),
        "did you mean \"Europe/Berlin\"?",
        &format!("--> renewals.toml:{}:1", line("quantitty")),
        "did you mean `quantity`?",
        &format!("--> renewals.toml:{}:14", line("2027-02-30")),
        &format!("--> renewals.toml:{}:14", line("= \"maybe\"")),
        "^^^^",
        "= help:",
    ]);
    for command in [&["plan"][..], &["run", "--sandbox"], &["init", "--yes"], &["discover", "partners"]] {
        place.run(command).ended(78).explained(&["renewals.toml:", "did you mean `quantity`?"]);
    }
}

#[test]
fn its_json_lists_the_same_mistakes() {
    let far = EXAMPLE.replace("2027-06-15", "2047-06-15");
    for (broken, title) in [(EXAMPLE.replace("= 25", "= 0"), "quantity"), (far, "more than a term from now")] {
        let found = Place::with(&broken).run(&["check", "--json"]).ended(78).json();
        assert_eq!(found["errors"], 1);
        let first = &found["diagnostics"][0];
        assert!(
            first["title"].as_str().unwrap().contains(title) && first["line"].is_u64() && first["column"].is_u64(),
            "{found}"
        );
    }
}

#[test]
fn the_shipped_example_is_good_and_says_what_a_real_portal_would_still_need() {
    let said = Place::with(EXAMPLE).run(&["check"]).ended(0).out;
    assert!(said.contains("ok   renewals.toml: 6 renewals") && said.contains("nobody would be told"), "{said}");
    let none = Place::with("timezone = \"UTC\"\nnotify = \"none\"\n").run(&["check"]).ended(0).out;
    assert!(none.contains("0 renewals") && none.contains("nothing would be renewed"), "{none}");
}

#[test]
fn online_asks_the_portal_and_finds_what_it_does_not_know() {
    Place::with(EXAMPLE).run(&["check", "--online", "--sandbox"]).ended(0);
    let portal = Portal::start();
    let place = Place::with(&file(&portal.address, &due("one", "12345", 1)));
    let ran = place.run(&["check", "--online"]).ended(1);
    assert!(ran.out.contains("one (12345)") && ran.out.contains("renewd discover partners"), "{}", ran.out);
    let wrong = Place::with(&file(&portal.address, "")).with_credentials("sandbox", "nonsense");
    assert!(wrong.run(&["check", "--online"]).ended(1).out.contains("credentials"));
    assert_eq!(portal.calls("save"), 0);
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_a_remedy() {
    let place = Place::with(EXAMPLE);
    place.run(&["--config", "nowhere.toml", "check"]).ended(78).explained(&["no file \"nowhere.toml\"", "--config FILE"]);
    place.run(&["--config", ".", "check"]).ended(78).explained(&["is a folder"]);
    std::fs::write(place.path("latin1.toml"), b"timezone = \"\xe9\"").unwrap();
    place.run(&["--config", "latin1.toml", "check"]).ended(78).explained(&["not UTF-8", "line 1"]);
}
