//! The promises of the schema and of the store, each against a database of its own.

mod attempts;
mod audit;
mod commands;
mod entries;
mod mirror;
mod open;
mod schema;
mod terms;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::date;
use serde_json::json;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use super::account::Kind;
use super::attempts::{Fence, Intent};
use super::committed::Committed;
use super::ends::Ended;
use super::moves::{Move, Write};
use super::terms::DueTerm;
use super::{Opening, Store};
use crate::config;
use crate::portal::outcome::{NotPlaced, Outcome, Placed, Unknown, Why};
use crate::renewal::chain;
use crate::renewal::roster;
use crate::renewal::state::TermState;

/// The moment at which the first term of every entry here is due.
const DUE: &str = "2027-02-15T09:00:00Z";
const PATH: &str = "/etc/renewd/renewals.toml";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A store that is set up and bound, and the folder that holds it.
struct Fresh {
    folder: TempDir,
    store: Store,
}

impl Fresh {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("renewd.db"), Opening::Create).await.unwrap();
        let now = at("2027-01-01T00:00:00Z");
        store.install(Kind::Portal, "test", "https://portal.example/", now).await.unwrap();
        store.bind_account(now, 0).await.unwrap();
        Self { folder, store }
    }

    /// The same with one entry for each partner, called `p1`, `p2`, ….
    async fn with(partners: impl IntoIterator<Item = u64>) -> Self {
        let mut fresh = Self::new().await;
        let entries: String = partners.into_iter().map(|n| entry(&format!("p{n}"), n)).collect();
        fresh.take(&entries).await;
        fresh
    }

    /// Takes a file with these entries, whatever a person would say of it.
    async fn take(&mut self, entries: &str) {
        self.take_in("UTC", entries).await;
    }

    /// The same in another zone.
    async fn take_in(&mut self, zone: &str, entries: &str) {
        let text = file(entries).replace("UTC", zone);
        let parsed = config::parse(PATH, &text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let known = self.store.known().await.unwrap();
        let now = at("2027-01-02T00:00:00Z");
        let roster = roster::compare(&known, &parsed.entries, &parsed.zone, now);
        assert_eq!(roster.refused, []);
        self.store.take_file(now, PATH, &text, &parsed.entries, &roster.changes).await.unwrap();
    }

    async fn due(&mut self, now: &str) -> Vec<DueTerm> {
        self.store.due_terms(at(now), 1000).await.unwrap().terms
    }

    /// The only term that is due when the first is.
    async fn only(&mut self) -> DueTerm {
        let mut due = self.due(DUE).await;
        assert_eq!(due.len(), 1);
        due.remove(0)
    }

    async fn commit(&mut self, terms: &[&DueTerm], po: &str) -> Result<Vec<Committed>, super::StoreError> {
        let intents = terms.iter().enumerate().map(|(n, term)| intent(term, &format!("{po}{n}"))).collect();
        let fence = Fence { mark: 0, total: Some(0), at: at(DUE) };
        self.store.commit_intents(at(DUE), fence, intents).await
    }

    /// One attempt for `term` that ended like this; its row.
    async fn attempt(&mut self, term: &DueTerm, po: &str, outcome: Outcome) -> i64 {
        let attempt = self.commit(&[term], po).await.unwrap()[0].attempt();
        self.end(term, attempt, outcome).await.unwrap();
        attempt
    }

    async fn end(&mut self, term: &DueTerm, attempt: i64, outcome: Outcome) -> Result<(), super::StoreError> {
        let to = match &outcome {
            Outcome::Placed(_) => TermState::Placed,
            Outcome::NotPlaced(_) => TermState::Scheduled,
            Outcome::Unknown(_) => TermState::Unknown,
        };
        let step = Move { from: TermState::Ordering, act_at: Some(at(DUE)), ..Move::of(term, to) };
        let write = Write { moves: vec![step], ..Write::default() };
        self.store.record_ends(at(DUE), vec![Ended { attempt, outcome, portal_date: None, write }]).await
    }

    /// The placed `term` is paid, and the next one of its year begins.
    async fn renew(&mut self, term: &DueTerm) -> Result<(), super::StoreError> {
        let span = chain::term_at(term.anchor_on, 12, term.standing.cycle()).unwrap();
        let moments = chain::moments(span.starts_on, &term.standing, &jiff::tz::TimeZone::UTC).unwrap();
        let write = Write { moves: vec![Move::of(term, TermState::Renewed)], ..Write::default() };
        self.store.renew(at(DUE), write, term, Some((span, moments))).await
    }

    /// Runs a statement as somebody with `sqlite3` would.
    async fn sql(&mut self, statement: &str) -> Result<u64, sqlx::Error> {
        let done = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut self.store.conn).await?;
        Ok(done.rows_affected())
    }

    /// Fails unless `statement` is refused with `words`.
    async fn refuses(&mut self, statement: &str, words: &str) {
        let refused = self.sql(statement).await.expect_err(statement).to_string();
        assert!(refused.contains(words), "{statement}: {refused}");
    }

    /// Fails unless `statement` changes as many rows.
    async fn allows(&mut self, statement: &str, rows: u64) {
        assert_eq!(self.sql(statement).await.unwrap(), rows, "{statement}");
    }

    async fn number(&mut self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut self.store.conn).await.unwrap()
    }

    async fn texts(&mut self, query: &str) -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(&mut self.store.conn).await.unwrap()
    }
}

fn file(entries: &str) -> String {
    format!("timezone = \"UTC\"\n[defaults]\nproduct = \"rm-premium\"\nservice_id = 5\nbilling_id = 7\nquantity = 3\n{entries}")
}

/// Due at [`DUE`].
fn entry(name: &str, partner: u64) -> String {
    format!("[[renewal]]\nname = \"{name}\"\npartner_id = {partner}\nexpires_on = 2027-03-01\n")
}

fn intent(term: &DueTerm, po: &str) -> Intent {
    Intent {
        term: term.id,
        subscription: term.subscription,
        renewal: term.name.clone(),
        po_number: po.to_owned(),
        body: Bytes::from(json!({"poNumber": po}).to_string()),
        request_hash: "hash".to_owned(),
        looks_like: term.identity.looks_like(),
        quantity: term.standing.quantity,
        civil_day: date(2027, 2, 15),
        alone: false,
        late: false,
        settle_s: 3600,
    }
}

fn placed(order_no: &str) -> Outcome {
    let order_status = Some("succeed".to_owned());
    Outcome::Placed(Box::new(Placed { order_no: order_no.to_owned(), order_status, raw: "{}".to_owned(), ..Placed::default() }))
}

fn unknown() -> Outcome {
    let message = "nobody knows".to_owned();
    Outcome::Unknown(Box::new(Unknown { message, code: None, http_status: None, request_id: None, retry_after: None, raw: None }))
}

fn not_placed() -> Outcome {
    let (why, message) = (Why::NeverSent, "never sent".to_owned());
    Outcome::NotPlaced(Box::new(NotPlaced {
        why,
        message,
        code: None,
        http_status: None,
        request_id: None,
        retry_after: None,
        raw: None,
    }))
}
