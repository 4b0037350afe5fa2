//! A command that a message names finds the files that the message is about, wherever it is typed.

use super::support::{Portal, due};

#[test]
fn what_to_do_names_the_files_that_were_named() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    place.run(&["pause", "looking"]).ended(0);
    assert!(place.run(&["status"]).ended(0).out.contains("do   renewd resume"));
    std::fs::create_dir(place.path("elsewhere")).unwrap();
    let (config, database) = (place.path("renewals.toml"), place.database());
    let files = ["--config", config.to_str().unwrap(), "--database", database.to_str().unwrap()];
    let there = |command: &[&str]| {
        let output = place.command(&[&files, command].concat()).current_dir(place.path("elsewhere")).output().unwrap();
        super::support::Ran::of(&output)
    };
    let remedy = format!("renewd {} {} {} {}", files[0], files[1], files[2], files[3]);
    let said = there(&["status"]).ended(0).out;
    assert!(said.contains(&format!("do   {remedy} resume")), "{said}");
    assert!(there(&["run", "--once"]).ended(2).out.contains(&format!("{remedy} resume")));
    let missing = place.path("none.db");
    let absent = ["--database", missing.to_str().unwrap(), "status"];
    place.run(&absent).ended(1).explained(&[&format!("renewd --database {} init", missing.display())]);
}
