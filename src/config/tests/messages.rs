//! The drawn text, to the letter.

use super::*;

#[track_caller]
fn drawn(source: &str, expected: &str) {
    assert_eq!(mistakes(source).render(false), expected.trim_matches('\n'));
}

#[test]
fn an_unknown_key_is_met_with_the_one_that_was_meant() {
    drawn(
        &with_entry("quantity = 1\napprovel = \"auto\""),
        r#"
error: unknown key `approvel` in [[renewal]]
  --> renewals.toml:10:1
   |
10 | approvel = "auto"
   | ^^^^^^^^ did you mean `approval`?
"#,
    );
}

#[test]
fn a_key_in_the_wrong_table_is_sent_home() {
    drawn(
        "timezone = \"UTC\"\n[portal]\nnotify = \"none\"",
        r#"
error: unknown key `notify` in [portal]
 --> renewals.toml:3:1
  |
3 | notify = "none"
  | ^^^^^^ not here
  |
  = help: `notify` belongs at the top of the file, before the first [table]
"#,
    );
}

#[test]
fn a_moment_where_a_day_belongs_names_the_day() {
    drawn(
        &with_entry("quantity = 1").replace("2027-03-01", "2027-03-01T00:00:00+01:00"),
        r"
error: `expires_on` must be a day without a time
 --> renewals.toml:8:14
  |
8 | expires_on = 2027-03-01T00:00:00+01:00
  |              ^^^^^^^^^^^^^^^^^^^^^^^^^ this is a moment
  |
  = help: write `2027-03-01`: the day is meant in the zone of `timezone`; check that it is the same day there
",
    );
}

#[test]
fn a_missing_key_is_reported_at_its_table() {
    drawn(
        &with_entry(""),
        r"
error: `quantity` is missing in [[renewal]]
 --> renewals.toml:6:1
  |
6 | [[renewal]]
  | ^^^^^^^^^^^ in this table
  |
  = help: neither here nor in [defaults]; for example `quantity = 10`
",
    );
}

#[test]
fn the_same_subscription_twice_names_both_entries_and_both_lines() {
    drawn(
        &(with_entry("quantity = 1") + "[[renewal]]\nname = \"two\"\nexpires_on = 2028-03-01\nquantity = 9\n"),
        r"
error: `two` and `one` are the same subscription
  --> renewals.toml:10:1
   |
10 | [[renewal]]
   | ^^^^^^^^^^^ this one begins in line 10, the first in line 6
   |
   = help: it would be bought twice: take one out, or, if there are really two, give one a `batch`
",
    );
}

#[test]
fn a_credential_in_the_file_is_refused_and_never_shown() {
    drawn(
        "timezone = \"UTC\"\n[portal]\nclient_secret = \"hunter2\" # of 2026",
        "
error: credentials never stand in the file
 --> renewals.toml:3:1
  |
3 | client_secret = ********* * ** ****
  | ^^^^^^^^^^^^^ take this line out
  |
  = help: give them as the systemd credentials portal-client-id and portal-client-secret, as files named by \
RENEWD_CLIENT_ID_FILE and RENEWD_CLIENT_SECRET_FILE, or as RENEWD_CLIENT_ID and RENEWD_CLIENT_SECRET; a secret that has stood \
in a file is better replaced in the portal
",
    );
}

#[test]
fn a_warning_looks_like_one() {
    let source = with_entry("quantity = 1\nlead = \"1 day\"");
    let parsed = parse_and_keep("renewals.toml", source).unwrap();
    let expected = r#"
warning: `lead` leaves little time to find and settle a failure
  --> renewals.toml:10:8
   |
10 | lead = "1 day"
   |        ^^^^^^^ a weekend is longer
   |
   = help: for example `lead = "14 days"`
"#;
    assert_eq!(parsed.warnings.render(false), expected.trim_matches('\n'));
}

#[test]
fn a_date_too_far_ahead_is_shown_where_it_stands() {
    let parsed = parse_and_keep("renewals.toml", with_entry("quantity = 1")).unwrap();
    let check = |today| check_dates(&parsed.config, today);
    assert_eq!(check(jiff::civil::date(2026, 1, 29)), []);
    let problems = check(jiff::civil::date(2026, 1, 28));
    let expected = r"
error: `one` expires on 2027-03-01, more than a term from now
 --> renewals.toml:8:14
  |
8 | expires_on = 2027-03-01
  |              ^^^^^^^^^^ is this meant?
  |
  = help: check the year; if the date is right, write `far = true` beside it
";
    assert_eq!(parsed.show_dates(&problems).render(false), expected.trim_matches('\n'));
    let far = parse("renewals.toml", &with_entry("quantity = 1\nfar = true")).unwrap();
    assert_eq!(check_dates(&far, jiff::civil::date(2000, 1, 1)), []);
}

#[test]
fn accents_wide_characters_and_tabs_before_the_mistake_keep_the_column() {
    let source = "timezone = \"UTC\"\nlimits = { \"größe漢\" = 1,\t\tmax_orders_per_day = 0 }\n";
    let found = mistakes(source);
    let places: Vec<_> = found.iter().map(|one| (one.line, one.column)).collect();
    assert_eq!(places, [(2, 12), (2, 48)]);
    assert!(found.render(false).contains("renewals.toml:2:48"), "{found}");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_no_place() {
    let unix = with_entry("quantity = 0");
    let windows = format!("\u{feff}{}", unix.replace('\n', "\r\n"));
    assert_eq!(mistakes(&windows), mistakes(&unix));
    let first_line = "\u{feff}timezone = 5\r\n";
    assert!(only(first_line).starts_with("1:12 "));
}

#[test]
fn nothing_from_the_file_can_steer_the_terminal() {
    let source = format!(
        "{TOP}\"\u{202e}evil\u{200b}\\u001b[2J\" = 1\n[[renewal]]\nname = \"\\u001b[31m\u{2066}x\"\nexpires_on = 2027-03-01\nquantity = 1"
    );
    let found = parse("bad\u{1b}[1m\u{202e}name", &source).unwrap_err();
    let shown = format!("{}{}", found.render(false), found.to_json());
    assert!(!shown.contains(|c: char| shown::is_treacherous(c) && c != '\n'), "{shown:?}");
    assert_eq!(found.len(), 2);
}

#[test]
fn a_long_line_is_cut_around_the_caret_and_keeps_its_column() {
    let codes = "\"some_code\", ".repeat(200);
    let found = mistakes(&format!("timezone = \"UTC\"\n[portal]\nvalidation_codes = [{codes}5, {codes}]"));
    let drawn = found.render(false);
    assert!(drawn.contains("renewals.toml:3:2621\n"), "{drawn}");
    assert!(drawn.lines().all(|line| line.chars().count() < 250), "{drawn}");
}

#[test]
fn programs_get_the_same_as_json() {
    let json = mistakes(&with_entry("quantity = 0")).to_json();
    assert_eq!(json["errors"], 1);
    let one = &json["diagnostics"][0];
    assert_eq!((&one["line"], &one["column"], &one["severity"]), (&9.into(), &12.into(), &"error".into()));
    assert_eq!(one["title"], "`quantity` must be a whole number from 1 to 1000000");
}

#[test]
fn a_thousand_mistakes_are_counted_and_a_hundred_drawn() {
    let lines: Vec<String> = (0..1500).map(|n| format!("key-{n} = 1\n")).collect();
    let found = mistakes(&lines.concat());
    assert_eq!((found.len(), found.errors(), found.iter().count()), (1501, 1501, 1000));
    assert!(found.render(false).ends_with("... and 1401 more"));
}
