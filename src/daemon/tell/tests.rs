use super::*;
use crate::clock::ManualClock;
use crate::config;
use crate::daemon::commands::{Asked, Refused};
use crate::daemon::testing::{self, BEGIN, PATH, at, file};
use crate::portal::transport::{Reached, Request, Response, Transport, TransportError};

/// A portal that is not there.
struct Away;

impl Transport for Away {
    async fn send(&self, _request: Request) -> Result<Response, TransportError> {
        Err(TransportError { reached: Reached::No, what: "refused".to_owned(), status: None })
    }
}

type World = testing::World;

async fn world() -> World {
    World::new(Away, ManualClock::at(at(BEGIN))).await
}

impl World {
    async fn rebase(&mut self, to: &str, far: bool) -> Result<String, Refused> {
        self.ask(Asked::Rebase { subscription: 1, to: to.parse().unwrap(), why: "test".to_owned(), far }).await
    }
}

#[tokio::test]
async fn a_portal_that_is_down_is_told_at_the_third_failure_and_then_once_a_day_and_deadline_warnings_go_on() {
    let mut world = world().await;
    for hour in 0..20 * 24 {
        let now = at("2027-02-15T09:00:00Z") + SignedDuration::from_hours(hour);
        world.live_until(&now.to_string()).await;
    }
    let told = world.told("portal:").await;
    assert!((15..=20).contains(&told.len()), "{} messages in twenty days: {told:?}", told.len());
    assert!(told[0].contains("(3 failed tries)") && told[0].contains("renewd check --online"), "{}", told[0]);
    let warned = world.told("term:1:deadline").await;
    assert_eq!(warned.len(), 4, "{warned:?}");
    assert!(warned.iter().all(|message| message.contains("renewd check --online")), "{warned:?}");
}

#[tokio::test]
async fn an_entry_that_says_an_earlier_date_than_the_database_is_told_until_that_date() {
    let mut world = world().await;
    world.take("2027-02-01").await;
    let first = world.told("entry:").await;
    assert!(first[0].contains("\"by\":\"2027-02-01T00:00:00.000Z\""), "{first:?}");
    for day in 3..32 {
        world.live_until(&format!("2027-01-{day:02}T01:00:00Z")).await;
    }
    let again = world.told("still:entry:one").await;
    let days: Vec<&str> = again.iter().map(|message| &message[..10]).collect();
    // A week after the edit, and 7, 3 and 1 days before the date.
    assert_eq!(days, ["2027-01-09", "2027-01-16", "2027-01-23", "2027-01-25", "2027-01-29", "2027-01-31"]);
    assert!(again[0].contains("contradicts the database") && again[0].contains("2027-02-01T00:00:00.000Z"), "{}", again[0]);
    world.take("2027-03-01").await;
    world.live_until("2027-02-10T00:00:00Z").await;
    assert_eq!(world.told("still:entry:one").await.len(), 6, "it is settled");
}

#[tokio::test]
async fn a_held_term_names_what_helps_once_no_order_can_be_made() {
    let mut world = world().await;
    world.ask(Asked::Hold { term: 1 }).await.unwrap();
    for day in ["2027-02-22", "2027-02-26", "2027-02-28", "2027-03-01", "2027-03-08"] {
        world.live_until(&format!("{day}T00:00:00Z")).await;
    }
    let told = world.told("term:1:deadline").await;
    assert!(told[..3].iter().all(|message| message.contains("renewd release one")), "{told:?}");
    assert!(told[3..].iter().all(|m| m.contains("renewd rebase one DATE") && m.contains("--order-no X")), "{told:?}");
    let attention = world.engine.store.attention().await.unwrap();
    assert!(attention[0].what_to_do.as_ref().unwrap().contains("rebase"), "{attention:?}");
}

#[tokio::test]
async fn what_was_missed_is_told_every_week_until_it_is_settled() {
    let mut world = world().await;
    let term = world.engine.store.term(1).await.unwrap().unwrap();
    let mut write = Write::default();
    words::missed(&term, at("2027-03-01T00:00:00Z"), &mut write);
    world.engine.store.write(at("2027-03-01T00:00:00Z"), write).await.unwrap();
    for day in 2..30 {
        world.live_until(&format!("2027-03-{day:02}T00:00:00Z")).await;
    }
    let weekly: Vec<String> = world.told("term:1:deadline").await.iter().map(|message| message[..10].to_owned()).collect();
    assert_eq!(weekly, ["2027-03-08", "2027-03-15", "2027-03-22", "2027-03-29"]);
    world.rebase("2028-03-01", false).await.unwrap();
    world.live_until("2027-05-01T00:00:00Z").await;
    assert_eq!(world.told("term:1:deadline").await.len(), 4);
}

/// It kept a daemon awake every week for years, to say nothing.
#[tokio::test]
async fn what_was_missed_and_taken_out_is_told_again_when_it_is_back_and_not_before() {
    let mut world = world().await;
    let term = world.engine.store.term(1).await.unwrap().unwrap();
    let mut write = Write::default();
    words::missed(&term, at("2027-03-01T00:00:00Z"), &mut write);
    world.engine.store.write(at("2027-03-01T00:00:00Z"), write).await.unwrap();
    world.clock.set(at("2027-03-02T00:00:00Z"));
    let other = file("2027-03-01").replace("partner_id = 1", "partner_id = 2").replace("\"one\"", "\"two\"");
    world.take_text(&other).await;
    let planned = "SELECT count(*) FROM term WHERE id = 1 AND coalesce(warn_at, act_at) IS NOT NULL";
    let planned: i64 = sqlx::query_scalar(planned).fetch_one(&mut world.engine.store.conn).await.unwrap();
    assert_eq!(planned, 0);
    world.live_until("2027-04-01T00:00:00Z").await;
    assert!(world.told("term:1:deadline").await.is_empty());
    world.take("2027-03-01").await;
    world.live_until("2027-04-01T00:01:00Z").await;
    assert_eq!(world.told("term:1:deadline").await.len(), 1);
}

#[tokio::test]
async fn rebase_refuses_a_day_that_has_passed_and_one_that_is_far_unless_it_is_meant() {
    let mut world = world().await;
    let refused = |done: Result<String, Refused>| done.unwrap_err().to_string();
    let passed = refused(world.rebase("2027-01-02", false).await);
    assert!(passed.contains("has passed") && passed.contains("what is paid ends"), "{passed}");
    let far = refused(world.rebase("2028-06-01", false).await);
    assert!(far.contains("renewd rebase one 2028-06-01 --far"), "{far}");
    assert!(refused(world.rebase("2027-01-01", true).await).contains("has passed"));
    assert!(world.rebase("2028-06-01", true).await.unwrap().contains("is due on 2028-05-18 09:00"));
    assert!(world.rebase("2027-01-03", false).await.is_ok());
}

#[tokio::test]
async fn words_that_changed_while_a_message_was_on_its_way_are_sent_too() {
    let mut world = world().await;
    let message = |what: &str| Message { cause: "x".to_owned(), renewal: None, what: what.to_owned(), by: None, command: None };
    let (now, store) = (at(BEGIN), &mut world.engine.store);
    store.tell(now, &[message("old")]).await.unwrap();
    let on_its_way = store.outgoing(now, 9).await.unwrap();
    store.tell(now, &[message("new")]).await.unwrap();
    store.delivered(&on_its_way[0], now).await.unwrap();
    let left = store.outgoing(now, 9).await.unwrap();
    assert!(left.len() == 1 && left[0].body.contains("new"), "{left:?}");
    store.delivered(&left[0], now).await.unwrap();
    assert!(store.outgoing(now, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn new_channels_do_not_take_the_place_of_those_that_work_before_they_were_tried() {
    let mut world = world().await;
    world.engine.hire_courier(Arc::default());
    let with = |program: &str| {
        let text = file("2027-03-01") + &format!("[notify]\ncommand = [\"{program}\"]\n");
        config::parse(PATH, &text).unwrap_or_else(|wrong| panic!("{wrong}"))
    };
    let program = |world: &World| match &world.engine.config.notify {
        Notify::Channels(channels) => channels.command.clone().unwrap().remove(0),
        other => panic!("{other:?}"),
    };
    world.engine.adopt(with("/old"));
    let old = world.engine.channels_asked.clone().unwrap();
    world.engine.use_channels(old); // there was none before it, so it was in force at once, and tried
    world.engine.adopt(with("/new"));
    assert_eq!(program(&world), "/old");
    world.engine.adopt(with("/new")); // after each command the file is looked at again
    let asked = world.engine.channels_asked.clone().unwrap();
    world.engine.use_channels(asked);
    assert_eq!((program(&world), world.engine.channels_asked.is_none()), ("/new".to_owned(), true));
    world.engine.adopt(with("/other"));
    world.engine.adopt(with("/new"));
    assert!(world.engine.channels_asked.is_none(), "put back, it is asked for no more");
}

#[tokio::test]
async fn a_program_that_is_missing_is_wrong_and_one_that_fails_may_work_another_time() {
    let channels = |argv: &[&str]| Channels {
        command: Some(argv.iter().map(|&word| word.to_owned()).collect()),
        timeout: Duration::from_secs(10),
        ..Channels::default()
    };
    assert!(matches!(test(channels(&["/nowhere/at/all"]), at(BEGIN)).await, Channelled::Wrong(_)));
    assert!(matches!(test(channels(&["/etc/passwd"]), at(BEGIN)).await, Channelled::Wrong(_)));
    assert!(matches!(test(channels(&["/bin/sh", "-c", "exit 1"]), at(BEGIN)).await, Channelled::NotNow(_)));
    assert_eq!(test(channels(&["/bin/sh", "-c", "cat > /dev/null"]), at(BEGIN)).await, Channelled::Works);
}

/// After its deadline, before it can be called missed: it was told at the next weekly moment (world 96310).
#[tokio::test]
async fn what_became_overdue_while_nobody_looked_is_told_at_once_although_the_portal_is_down() {
    let mut world = world().await;
    world.live_until("2027-03-03T09:00:00Z").await;
    world.live_until("2027-03-03T09:01:00Z").await;
    assert_eq!(world.told("term:1:deadline").await.len(), 1, "{:?}", world.told("").await);
    for day in 4..=12 {
        world.live_until(&format!("2027-03-{day:02}T09:00:00Z")).await;
    }
    assert_eq!(world.told("term:1:deadline").await.len(), 2, "and weekly");
}
