//! Edits that are refused, and what becomes of them.

use crate::daemon::commands::Asked;
use crate::daemon::testing::{World, file};

fn rebased_to(day: &str) -> Asked {
    Asked::Rebase { subscription: 1, to: day.parse().unwrap(), why: "corrected".to_owned(), far: false }
}

/// The quantity of the same edit was forgotten for good: the message named the rebase and stood there after it.
#[tokio::test]
async fn the_rest_of_a_refused_edit_is_taken_when_its_date_is() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.take_text(&file("2027-03-15").replace("quantity = 3", "quantity = 4\nlead = \"30 days\"")).await;
    assert_eq!(world.told("entry:one").await.len(), 1);
    let answer = world.ask(rebased_to("2027-03-15")).await.unwrap();
    assert!(answer.ends_with("is due on 2027-02-13 09:00"), "{answer}");
    assert!(!world.engine.store.any_notice("entry:").await.unwrap());
    world.live_until("2027-02-13T09:00:00Z").await;
    assert_eq!(sandbox.orders()[0].request.service_list[0].quantity, Some(4));
}

/// Next year's date was written into the file before this year's order went out.
#[tokio::test]
async fn a_refused_edit_is_taken_as_soon_as_the_chain_reaches_it() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.take_text(&file("2028-03-01").replace("quantity = 3", "quantity = 4")).await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("renewed ", 1));
    assert!(!world.engine.store.any_notice("entry:").await.unwrap());
    assert_eq!(world.told("entry:one").await.len(), 1, "it is told once");
}

/// Two renewals of one name: no command for it worked.
#[tokio::test]
async fn a_refused_entry_gives_its_name_on() {
    let (mut world, ..) = World::before_sandbox().await;
    let renamed = file("2027-03-15").replace("\"one\"", "\"old\"");
    world.take_text(&format!("{renamed}[[renewal]]\nname = \"one\"\npartner_id = 2\nexpires_on = 2027-03-01\n")).await;
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM subscription ORDER BY id").fetch_all(&mut world.engine.store.conn).await.unwrap();
    assert_eq!(names, ["old", "one"]);
    assert!(world.told("entry:old").await[0].contains("renewd rebase old 2027-03-15"));
}
