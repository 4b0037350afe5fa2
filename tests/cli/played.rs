//! `run --sandbox`: the first thing a newcomer runs.

use std::collections::HashSet;

use super::support::{EXAMPLE, Place, Ran, change, rows, value};

fn play(place: &Place) -> Ran {
    place.run(&["run", "--sandbox"]).ended(0)
}

/// The least that DESIGN.md section 4 promises of each view.
const VIEWS: [(&str, &str); 4] = [
    (
        "orders",
        "renewal partner_id product_id service_id quantity starts_on ends_on po_number order_no transaction_no order_id instance_id \
         order_status ordered_at settled_at request_id",
    ),
    ("upcoming", "renewal partner_id quantity expires_on due_at deadline state"),
    ("attention", "renewal since reason what_to_do"),
    ("audit", "seq at kind renewal po_number order_no transaction_no detail hash"),
];

#[test]
fn the_shipped_example_shows_its_orders_and_leaves_a_database_one_can_query() {
    let place = Place::with(EXAMPLE);
    let said = play(&place).out;
    let database = place.path("renewd-sandbox.db");
    let placed = rows(&database, "renewal, quantity, order_no, transaction_no", "orders");
    assert!(placed.len() >= 5, "{placed:?}");
    for order in &placed {
        for part in [&order[0], &order[2], &order[3]] {
            assert!(said.contains(part.as_str().unwrap()), "{part} is not in:\n{said}");
        }
    }
    assert!(placed.iter().any(|order| order[0] == "blue-harbour" && order[1] == 10), "{placed:?}");
    for (view, promised) in VIEWS {
        let columns: HashSet<String> = rows(&database, "name", &format!("pragma_table_info('{view}')"))
            .iter()
            .map(|name| name.as_str().unwrap().into())
            .collect();
        let missing: Vec<&str> = promised.split_whitespace().filter(|column| !columns.contains(*column)).collect();
        assert!(missing.is_empty(), "{view} lacks {missing:?}");
        assert!(value(&database, &format!("SELECT count(*) FROM {view}")).unwrap().as_u64() > Some(0), "{view} is empty");
    }
    assert!(said.contains("sqlite3 -readonly"), "{said}");
}

#[test]
fn the_clock_of_the_sandbox_goes_on_and_no_term_is_ordered_twice() {
    let place = Place::with(EXAMPLE);
    let (first, second) = (play(&place).out, play(&place).out);
    let until = |said: &str| said.split(" on a simulated clock").next().unwrap().rsplit(' ').next().unwrap().to_owned();
    let from = |said: &str| said.split("Playing ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!(until(&first), from(&second));
    let terms = rows(&place.path("renewd-sandbox.db"), "renewal, starts_on", "orders");
    let different: HashSet<String> = terms.iter().map(ToString::to_string).collect();
    assert!(different.len() == terms.len() && terms.len() > 8, "{terms:?}");
}

/// A run that was killed did not write down where its clock stood.
#[test]
fn a_run_that_was_cut_short_is_taken_up_and_time_never_goes_back() {
    let place = Place::with(EXAMPLE);
    play(&place);
    let database = place.path("renewd-sandbox.db");
    change(&database, "UPDATE installation SET sandbox_now = NULL");
    play(&place);
    let times: Vec<String> = rows(&database, "at", "audit").iter().skip(1).map(ToString::to_string).collect();
    assert!(times.is_sorted(), "{times:?}");
    let terms = rows(&database, "renewal, starts_on", "orders");
    let different: HashSet<String> = terms.iter().map(ToString::to_string).collect();
    assert!(different.len() == terms.len() && terms.len() > 8, "{terms:?}");
}

#[test]
fn a_file_without_renewals_has_nothing_to_play() {
    let place = Place::with("timezone = \"UTC\"\n");
    place.run(&["run", "--sandbox"]).ended(78).explained(&["no [[renewal]]"]);
}
