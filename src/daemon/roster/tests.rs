//! Edits that are refused, and what becomes of them.

use super::{File, Taken};
use crate::clock::Clock as _;
use crate::daemon::commands::Asked;
use crate::daemon::testing::{PATH, World, file};

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
    assert!(world.engine.store.notices("entry:").await.unwrap().is_empty());
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
    assert!(world.engine.store.notices("entry:").await.unwrap().is_empty());
    assert_eq!(world.told("entry:one").await.len(), 1, "it is told once");
    assert_eq!(world.told("entry.taken:one").await.len(), 1, "and that it is taken, a year later perhaps");
}

/// What an edit adds is watched over by nobody until it is accepted: the deadline of a new customer passed in silence.
#[tokio::test]
async fn an_edit_that_waits_is_told_again_as_the_first_deadline_of_what_it_adds_nears() {
    let (mut world, ..) = World::before_sandbox().await;
    let entry =
        |partner: u32, day: &str| format!("[[renewal]]\nname = \"p{partner}\"\npartner_id = {partner}\nexpires_on = {day}\n");
    let more: String = (2..=5).map(|partner| entry(partner, "2027-09-01")).collect();
    world.take_text(&format!("{}{more}", file("2027-09-01"))).await;
    let taken = world.edit(&format!("{}{}", file("2027-09-01"), entry(9, "2027-02-20")), false).await;
    assert!(matches!(taken, Taken::Waiting { .. }), "{taken:?}");
    assert!(world.told("file.waiting").await[0].contains("\"by\":\"2027-02-20T00:00:00.000Z\""));
    for day in 13..=20 {
        world.live_until(&format!("2027-02-{day}T00:00:00Z")).await;
    }
    let told = world.told("still:file").await;
    for day in ["2027-02-13", "2027-02-17", "2027-02-19"] {
        assert!(told.iter().any(|told| told.starts_with(day) && told.contains("renewd accept")), "{day}: {told:?}");
    }
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

/// The years of an entry were edited while its last order, refunded, was set aside: each tick of the daemon failed at a trigger, nothing was renewed
/// any more, and nobody was told.
#[tokio::test]
async fn another_length_waits_while_the_term_before_is_open_again() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    let sold = "name = \"pbx\"\nproduct = \"p-series-appliance\"\nserial = \"3631A2200005\"\nplan_id = 9\nyears = 3\n";
    let text = file("2027-03-01").replace("name = \"one\"\n", sold).replace("quantity = 3\n", "").replace("service_id = 5\n", "");
    world.take_text(&text).await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    sandbox.set_status(&sandbox.orders()[0].order_no, "refunded").unwrap();
    world.live_until("2027-02-16T12:00:00Z").await;
    world.ask(Asked::ResolveVoid { term: 2 }).await.unwrap();
    world.take_text(&text.replace("years = 3", "years = 1")).await;
    assert!(world.told("entry:pbx").await[0].contains("renewd rebase pbx 2027-03-01"));
    let request_hash = world.request_hash(2).await;
    for asked in
        [Asked::Approve { term: 2, request_hash: request_hash.clone() }, Asked::Order { term: 2, request_hash, early: false }]
    {
        let refused = world.ask(asked).await.unwrap_err().to_string();
        assert!(refused.contains("renewd rebase pbx 2027-03-01"), "{refused}");
    }
    world.live_until("2027-02-17T12:00:00Z").await;
    world
        .ask(Asked::Rebase { subscription: 2, to: "2027-03-01".parse().unwrap(), why: "one year".to_owned(), far: false })
        .await
        .unwrap();
    assert!(world.engine.store.notices("entry:").await.unwrap().is_empty());
    let ends: Vec<String> = sqlx::query_scalar("SELECT ends_on FROM term WHERE subscription_id = 2 ORDER BY id")
        .fetch_all(&mut world.engine.store.conn)
        .await
        .unwrap();
    assert_eq!(ends, ["2030-03-01", "2033-03-01", "2028-03-01"]);
}

#[tokio::test]
async fn a_file_that_the_database_does_not_take_leaves_the_last_good_one_in_force() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    let trap = "CREATE TRIGGER trap BEFORE UPDATE OF entry ON subscription BEGIN SELECT RAISE(ABORT, 'no'); END";
    sqlx::query(trap).execute(&mut world.engine.store.conn).await.unwrap();
    let portal = "[portal]\nbase_url = \"https://portal.example/\"\n[defaults]\n";
    let text = file("2027-03-01").replace("quantity = 3", "quantity = 4").replace("[defaults]\n", portal);
    let config = crate::config::parse(PATH, &text).unwrap();
    let edit = File { path: PATH, text: &text, config: &config };
    let now = world.clock.now();
    let taken = super::take(&mut world.engine.store, edit, now, false).await.unwrap();
    assert!(matches!(taken, Taken::Waiting { ref why } if why.contains("does not take it")), "{taken:?}");
    assert_eq!(world.told("file.waiting").await.len(), 1);
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!(sandbox.orders()[0].request.service_list[0].quantity, Some(3));
}

/// It was held, taken out, and its name given on: every message named a command that meant the other renewal, for ever.
#[tokio::test]
async fn what_was_taken_out_while_it_was_held_is_not_warned_about_until_it_is_back() {
    let (mut world, ..) = World::before_sandbox().await;
    world.ask(Asked::Hold { term: 1 }).await.unwrap();
    let other = file("2027-09-01").replace("partner_id = 1", "partner_id = 2");
    world.take_text(&other).await;
    for day in 20..=28 {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    assert!(world.told("term:1").await.is_empty());
    assert!(world.engine.store.attention().await.unwrap().iter().all(|what| what.renewal.is_none()));

    let back = file("2027-03-01").replace("\"one\"", "\"back\"");
    let text = format!("{back}[[renewal]]\nname = \"one\"\npartner_id = 2\nexpires_on = 2027-09-01\n");
    world.take_text(&text).await;
    world.live_until("2027-02-28T13:00:00Z").await;
    assert_eq!(world.states().await[0], "held operator");
    assert!(world.told("term:1").await[0].contains("renewd release back"), "{:?}", world.told("term:1").await);
}

/// The same while its order is unpaid: such a name cannot be given on, to a new entry or to an old one.
#[tokio::test]
async fn the_name_of_one_that_was_taken_out_is_not_given_on_while_its_order_is_open() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    let second = "[[renewal]]\nname = \"two\"\npartner_id = 2\nexpires_on = 2027-09-01\n";
    world.take_text(&format!("{}{second}", file("2027-03-01"))).await;
    world.live_until("2027-02-15T09:00:00Z").await;
    sandbox.set_status(&sandbox.orders()[0].order_no, "pending").unwrap();
    let given_on = file("2027-09-01").replace("partner_id = 1", "partner_id = 2");
    world.take_text(&given_on).await;
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM subscription ORDER BY id").fetch_all(&mut world.engine.store.conn).await.unwrap();
    assert_eq!(names, ["one", "two"]);
    assert!(world.told("entry:one").await[0].contains("give this entry another name"));
}
