use std::collections::VecDeque;
use std::sync::Mutex as Lock;

use super::*;
use crate::clock::ManualClock;
use crate::portal::transport::{Reached, Response, Transport, TransportError};

/// Answers token calls from a script and remembers their forms.
struct Script {
    answers: Lock<VecDeque<Result<(u16, String), Reached>>>,
    calls: Lock<Vec<String>>,
}

struct Portal {
    script: Arc<Script>,
    line: AnyTransport,
}

impl Portal {
    fn with(answers: impl IntoIterator<Item = Result<(u16, String), Reached>>) -> Self {
        let script = Arc::new(Script { answers: Lock::new(answers.into_iter().collect()), calls: Lock::default() });
        Self { line: AnyTransport::new(Arc::clone(&script)), script }
    }

    fn calls(&self) -> Vec<String> {
        self.script.calls.lock().unwrap().clone()
    }
}

impl Transport for Arc<Script> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        assert_eq!((request.method, request.path.as_str()), (Method::Post, "/auth/openapi/v1/oauth/token"));
        assert_eq!(request.content_type, Some("application/x-www-form-urlencoded"));
        assert!(request.authorization.is_none());
        self.calls.lock().unwrap().push(String::from_utf8(request.body.to_vec()).unwrap());
        tokio::task::yield_now().await; // others get the chance to come in between
        match self.answers.lock().unwrap().pop_front().expect("no more calls were expected") {
            Ok((status, body)) => Ok(Response { status, body: body.into(), date: None, retry_after: None }),
            Err(reached) => Err(TransportError { reached, what: "refused".to_owned(), status: None }),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a line of a script")]
fn says(status: u16, body: impl Into<String>) -> Result<(u16, String), Reached> {
    Ok((status, body.into()))
}

fn grant(token: &str) -> Result<(u16, String), Reached> {
    let result = format!(r#"{{"token":"{token}","refreshToken":"r-{token}","tokenHead":"Bearer","expiresIn":"1800"}}"#);
    says(200, format!(r#"{{"code":"success","status":200,"result":{result}}}"#))
}

fn refusal() -> Result<(u16, String), Reached> {
    says(200, r#"{"code":"bad_client","detailMessage":"no such client","status":401}"#)
}

const CREDENTIALS: &str = "client_id=id-1&client_secret=hunter2&grant_type=pp_credentials";

struct World {
    clock: ManualClock,
    tokens: Tokens,
    start: Timestamp,
}

fn world() -> World {
    let start: Timestamp = "2027-02-15T09:00:00Z".parse().unwrap();
    let clock = ManualClock::at(start);
    let credentials = Credentials { client_id: "id-1".into(), client_secret: "hunter2".into() };
    World { tokens: Tokens::new(credentials, Source::default(), Arc::new(clock.clone())), clock, start }
}

impl World {
    fn at(&self, seconds: i64) {
        self.clock.set(self.start + SignedDuration::from_secs(seconds));
    }

    async fn get(&self, portal: &Portal) -> Result<String, ReadError> {
        let token = self.tokens.get(&portal.line, SignedDuration::ZERO).await?;
        Ok(token.authorization.expose_secret().to_owned())
    }
}

#[tokio::test]
async fn a_token_is_renewed_at_two_thirds_of_its_life_with_the_refresh_token() {
    let (world, portal) = (world(), Portal::with([grant("a"), grant("b")]));
    assert_eq!(world.get(&portal).await.unwrap(), "Bearer a");
    world.at(1199);
    assert_eq!(world.get(&portal).await.unwrap(), "Bearer a");
    world.at(1200);
    assert_eq!(world.get(&portal).await.unwrap(), "Bearer b");
    assert_eq!(portal.calls(), [CREDENTIALS, "grant_type=refresh_token&refresh_token=r-a"]);
}

#[tokio::test]
async fn a_margin_renews_a_token_ahead_of_time() {
    let (world, portal) = (world(), Portal::with([grant("a"), grant("b")]));
    world.get(&portal).await.unwrap();
    world.at(1190);
    let token = world.tokens.get(&portal.line, SignedDuration::from_secs(60)).await.unwrap();
    assert_eq!(token.authorization.expose_secret(), "Bearer b");
}

#[tokio::test]
async fn a_refused_refresh_token_leads_to_the_credentials() {
    for refresh in [refusal(), says(500, "")] {
        let (world, portal) = (world(), Portal::with([grant("a"), refresh, grant("b")]));
        world.get(&portal).await.unwrap();
        world.at(1500);
        assert_eq!(world.get(&portal).await.unwrap(), "Bearer b");
        assert_eq!(portal.calls()[2], CREDENTIALS);
    }
}

#[tokio::test]
async fn callers_at_the_same_time_share_one_fetch() {
    let (world, portal) = (world(), Portal::with([grant("a")]));
    let (one, two, three) = tokio::join!(world.get(&portal), world.get(&portal), world.get(&portal));
    assert_eq!([one.unwrap(), two.unwrap(), three.unwrap()], ["Bearer a", "Bearer a", "Bearer a"]);
    assert_eq!(portal.calls().len(), 1);
}

#[tokio::test]
async fn callers_at_the_same_time_share_a_failure() {
    let (world, portal) = (world(), Portal::with([Err(Reached::No), grant("a")]));
    let (one, two) = tokio::join!(world.get(&portal), world.get(&portal));
    assert_eq!((one.unwrap_err(), portal.calls().len()), (two.unwrap_err(), 1));
    assert_eq!(world.get(&portal).await.unwrap(), "Bearer a", "a later caller tries again");
}

#[tokio::test]
async fn a_401_leads_to_exactly_one_new_fetch() {
    let (world, portal) = (world(), Portal::with([grant("a"), grant("b")]));
    let old = world.tokens.get(&portal.line, SignedDuration::ZERO).await.unwrap();
    for _ in 0..3 {
        world.tokens.invalidate(&old);
        assert_eq!(world.get(&portal).await.unwrap(), "Bearer b");
    }
    assert_eq!(portal.calls(), [CREDENTIALS, CREDENTIALS]);
}

#[tokio::test]
async fn a_token_that_lives_is_used_while_the_portal_is_away() {
    let (world, portal) = (world(), Portal::with([grant("a"), Err(Reached::No), grant("b")]));
    world.get(&portal).await.unwrap();
    world.at(1500);
    assert_eq!(world.get(&portal).await.unwrap(), "Bearer a");
    world.at(1529);
    assert_eq!(world.get(&portal).await.unwrap(), "Bearer a", "not asked again at once");
    world.at(1530);
    assert_eq!(world.get(&portal).await.unwrap(), "Bearer b");
}

#[tokio::test]
async fn a_token_past_its_life_is_not_used() {
    let (world, portal) = (world(), Portal::with([grant("a"), Err(Reached::No)]));
    world.get(&portal).await.unwrap();
    world.at(1800);
    assert!(matches!(world.get(&portal).await, Err(ReadError::Unreachable { .. })));
}

#[tokio::test]
async fn a_clock_set_back_does_not_keep_a_token_alive() {
    let (world, portal) = (world(), Portal::with([grant("a"), grant("b")]));
    world.get(&portal).await.unwrap();
    world.at(-3600);
    assert_eq!(world.get(&portal).await.unwrap(), "Bearer b");
}

#[tokio::test]
async fn refused_credentials_are_told_without_being_printed() {
    let (world, portal) = (world(), Portal::with([grant("secret-token"), refusal(), refusal()]));
    let token = world.tokens.get(&portal.line, SignedDuration::ZERO).await.unwrap();
    assert!(!format!("{token:?}").contains("secret-token"));
    world.at(1500);
    let error = world.get(&portal).await.unwrap_err();
    assert!(error.is_refusal(), "{error}");
    let said = format!("{error} {error:?} {:?}", world.tokens.keys.current());
    assert!(!said.contains("hunter2") && !said.contains("id-1") && !said.contains("secret-token"), "{said}");
}

/// Credentials that lie in a file, and were rotated there.
fn rotated(to: &'static str) -> Source {
    let read = move || Ok(Credentials { client_id: "id-1".into(), client_secret: to.into() });
    Source { read: Box::new(read), help: "write the file".to_owned() }
}

#[tokio::test]
async fn rotated_credentials_are_read_again_and_tried_at_once() {
    let mut world = world();
    let credentials = world.tokens.keys.current();
    world.tokens = Tokens::new(credentials, rotated("hunter3"), Arc::new(world.clock.clone()));
    let portal = Portal::with([refusal(), grant("b")]);
    assert_eq!(world.get(&portal).await.unwrap(), "Bearer b");
    assert_eq!(portal.calls(), [CREDENTIALS.to_owned(), CREDENTIALS.replace("hunter2", "hunter3")]);
    assert_eq!(world.tokens.keys.help(), None);
}

#[tokio::test]
async fn refused_credentials_that_nobody_changed_are_tried_once_and_say_what_to_do() {
    let mut world = world();
    let credentials = world.tokens.keys.current();
    world.tokens = Tokens::new(credentials, rotated("hunter2"), Arc::new(world.clock.clone()));
    let portal = Portal::with([refusal(), grant("b")]);
    assert!(world.get(&portal).await.is_err());
    assert_eq!((portal.calls().len(), world.tokens.keys.help()), (1, Some("write the file")));
    assert_eq!(world.get(&portal).await.unwrap(), "Bearer b");
    assert_eq!(world.tokens.keys.help(), None);
}
