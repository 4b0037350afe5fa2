//! How things look: colour only where it is seen, whole lines in a pipe, and a reader that goes away.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::support::{EXAMPLE, Place, Ran};

#[test]
fn there_is_no_colour_in_a_pipe_or_with_no_color_and_there_is_when_asked_for() {
    let place = Place::with(EXAMPLE);
    place.run(&["run", "--sandbox"]).ended(0);
    let broken = EXAMPLE.replace("= 25", "= 0");
    std::fs::write(place.path("broken.toml"), broken).unwrap();
    for command in [&["status", "--sandbox"][..], &["plan", "--days", "400"], &["check"], &["--config", "broken.toml", "check"]] {
        let plain = place.run(command);
        assert!(!(plain.out + &plain.err).contains('\u{1b}'), "{command:?}");
        let coloured = place.run(&[&["--color", "always"], command].concat());
        assert!((coloured.out + &coloured.err).contains('\u{1b}'), "{command:?}");
        let unwanted = Ran::of(&place.command(command).env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1").output().unwrap());
        assert!(!(unwanted.out + &unwanted.err).contains('\u{1b}'), "{command:?}");
    }
}

#[test]
fn a_pipe_gets_one_line_for_each_order_with_both_numbers_whole() {
    let place = Place::with(EXAMPLE);
    place.run(&["run", "--sandbox"]).ended(0);
    let said = Ran::of(&place.command(&["status", "--sandbox"]).env("COLUMNS", "30").output().unwrap()).ended(0).out;
    let lines = said.lines().filter(|line| line.contains(" UF34") && line.contains(" ZC34") && line.contains("succeed")).count();
    assert_eq!(lines, 5, "{said}");
    assert!(said.lines().all(|line| line.trim_end() == line), "{said}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::with(EXAMPLE);
    for command in [&["run", "--sandbox"][..], &["plan", "--days", "4000"], &["man"]] {
        let mut child = place.command(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap(); // and closes, as `head -1` does
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!first.is_empty() && !said.contains("panicked") && !said.contains("os error"), "{command:?}: {said}");
    }
}

#[test]
fn a_full_disk_under_the_output_is_told() {
    let place = Place::with(EXAMPLE);
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = place.command(&["plan", "--days", "400"]).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let silent = place.command(&["nothing"]).stdout(full()).stderr(full()).output().unwrap();
    assert_eq!(silent.status.code(), Some(64));
}

#[test]
fn the_log_is_json_when_asked_for() {
    let place = Place::with(&EXAMPLE.replace("approval   = \"manual\"", "approval   = \"auto\""));
    let ran = Ran::of(&place.command(&["--log-format", "json", "run", "--sandbox"]).env("RENEWD_LOG", "info").output().unwrap())
        .ended(0);
    let placed: Vec<serde_json::Value> = ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let placed: Vec<_> = placed.iter().filter(|line| line["message"] == "order placed").collect();
    assert!(placed.len() >= 5, "{}", ran.err);
    for field in ["renewal", "po_number", "order_no", "transaction_no"] {
        assert!(placed[0][field].is_string(), "{field} is not in {}", placed[0]);
    }
}
