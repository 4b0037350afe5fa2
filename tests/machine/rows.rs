//! One bad row.

use serde_json::json;

use super::scene::Scene;
use super::support::{change, due};

#[test]
fn one_bad_row_does_not_stop_the_others_and_is_told() {
    let scene = Scene::with(&(due("bad", "1", 3) + &due("good", "2", 4)));
    change(&scene.database(), "UPDATE subscription SET entry = json_remove(entry, '$.quantity') WHERE name = 'bad'");
    let daemon = scene.daemon();
    scene.is_ordered_once();
    assert_eq!(scene.rows("renewal", "orders"), [json!("good")]);
    scene.people_hear(&["a row of it is bad", "the entry of a subscription"]);
    assert!(scene.rows("renewal", "attention").contains(&json!("bad")), "{}", daemon.log());
    daemon.stop();
}
