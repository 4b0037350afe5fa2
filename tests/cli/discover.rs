//! `discover`: the tutorial's look-ups.

use super::support::{EXAMPLE, Place};

#[test]
fn every_look_up_answers_from_the_sandbox_with_stable_keys() {
    let place = Place::with(EXAMPLE);
    for (what, key) in
        [("products", "product_id"), ("services", "service_id"), ("partners", "partner_id"), ("contacts", "billing_id")]
    {
        let found = place.run(&["discover", what, "--sandbox", "--json"]).ended(0).json();
        let first = found[0][key].as_str().unwrap().to_owned();
        assert!(place.run(&["discover", what, "--sandbox"]).ended(0).out.contains(&first));
    }
}

#[test]
fn its_entries_can_be_pasted_once_quantity_and_date_are_filled_in() {
    let place = Place::with(EXAMPLE);
    let entries = place.run(&["discover", "partners", "--sandbox", "--toml"]).ended(0).out;
    let top = EXAMPLE.split("\n[[renewal]]").next().unwrap();
    place.write(&format!("{top}\n{entries}"));
    let filled = entries.replace("quantity   = ", "quantity   = 5").replace("expires_on = ", "expires_on = 2027-03-01");
    place.run(&["check"]).ended(78).explained(&["renewals.toml:"]);
    place.write(&format!("{top}\n{filled}"));
    place.run(&["check"]).ended(0);
}

#[test]
fn its_lines_for_defaults_can_be_pasted() {
    let place = Place::with(EXAMPLE);
    for (what, key) in [
        ("products", "product = \"rm-premium\""),
        ("services", "service_id = \"3375819276601303040\""),
        ("contacts", "billing_id = \"3197218168379846218\""),
    ] {
        let said = place.run(&["discover", what, "--sandbox", "--toml"]).ended(0).out;
        assert!(said.contains(key), "{key} is not in:\n{said}");
        said.parse::<toml::Table>().map_or_else(|error| assert!(error.to_string().contains("duplicate key"), "{error}"), drop);
    }
}

#[test]
fn without_credentials_it_says_where_they_come_from() {
    let place = Place::with(EXAMPLE);
    let output = place
        .command(&["discover", "partners"])
        .env_remove("RENEWD_CLIENT_ID")
        .env_remove("RENEWD_CLIENT_SECRET")
        .output()
        .unwrap();
    super::support::Ran::of(&output).ended(78).explained(&["no portal credentials", "RENEWD_CLIENT_SECRET_FILE"]);
}
