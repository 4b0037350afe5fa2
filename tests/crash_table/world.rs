//! The world of one cell: a portal, a folder with a file and a database, daemons, and one clock for all of them.

use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use renewd::clock::Clock;
use renewd::sandbox::settings::{Lag, Settings};
use renewd::sandbox::{Sandbox, faults, serve};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Longer than any cell takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often a daemon at work is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// The first term, whether only a person or the year moves it on, and when something is next to be done.
const STANDING: &str = "
    SELECT state, state IN ('renewed', 'held', 'missed', 'skipped') OR (reason = 'second_unknown' AND detail LIKE 'two orders were sent%'),
           (SELECT min(act_at) FROM term WHERE state NOT IN ('renewed', 'held', 'missed', 'skipped'))
    FROM term ORDER BY id LIMIT 1";

/// The portal's clock and, through a file, the daemons': the wall clock, moved on.
#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

pub struct World {
    folder: TempDir,
    pub portal: Sandbox,
    hands: Hands,
    stop: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// How it went with a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was killed.
    Died,
    /// The first term is in this state, and stays there.
    At(String),
}

impl World {
    pub async fn new(lag: Duration) -> Self {
        let hands = Hands(Arc::new(AtomicI64::new(0)));
        let mut settings = Settings::default();
        settings.list.lag = Lag::Fixed(lag);
        let portal = Sandbox::new(Arc::new(hands.clone()), settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(serve(portal.clone(), listener, stop.clone()));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("renewals.toml");
        std::fs::write(&path, file(&address.to_string())).unwrap();
        // One that was written a moment ago is waited for until it stands still.
        let long_ago = std::time::SystemTime::now() - PATIENCE;
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
        let world = Self { folder, portal, hands, stop };
        world.renewd(&["init", "--yes"]).await;
        world
    }

    pub fn fault(&self, text: &str) {
        self.portal.switch_on(faults::parse(text).unwrap());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_renewd"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("RENEWD_CLIENT_ID", "sandbox")
            .env("RENEWD_CLIENT_SECRET", "sandbox")
            .env("RENEWD_CLOCK", self.folder.path().join("clock"))
            .stdin(Stdio::null());
        command
    }

    /// A command that must end well.
    pub async fn renewd(&self, arguments: &[&str]) -> String {
        let output = self.ended(arguments).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    pub async fn ended(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    pub fn daemon(&self, crash_at: Option<&str>) -> Daemon {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = self.command(&["run"]);
        if let Some(step) = crash_at {
            command.env("RENEWD_CRASH_AT", step);
        }
        Daemon(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    /// Moves the clock on to whatever is next, again and again, until the daemon is dead or its first term is settled. One that is
    /// to die may do so just after the term was settled.
    pub async fn through(&self, daemon: &mut Daemon, to_die: bool) -> Ended {
        let mut reader = self.reader().await;
        let began = Instant::now();
        loop {
            if daemon.0.try_wait().unwrap().is_some_and(|status| status.code().is_none()) {
                return Ended::Died;
            }
            assert!(began.elapsed() < PATIENCE, "it gets nowhere:\n{}", self.log());
            let (state, settled, next): (String, bool, Option<String>) =
                sqlx::query_as(STANDING).fetch_one(&mut reader).await.unwrap();
            match next {
                _ if settled && !to_die => return Ended::At(state),
                Some(next) if !settled => self.move_on(next.parse().unwrap()),
                _ => {}
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A daemon that has something to do now is left to it.
    fn move_on(&self, next: Timestamp) {
        let wait = next.duration_since(self.hands.now()).as_secs();
        if wait < 1 {
            return;
        }
        let moved = self.hands.0.load(Ordering::SeqCst) + wait + 1;
        let path = self.folder.path().join("clock");
        std::fs::write(path.with_extension("new"), moved.to_string()).unwrap();
        self.hands.0.store(moved, Ordering::SeqCst);
        std::fs::rename(path.with_extension("new"), path).unwrap();
    }

    async fn reader(&self) -> SqliteConnection {
        let database = self.folder.path().join("renewd.db");
        SqliteConnectOptions::new().filename(database).busy_timeout(PATIENCE).disable_statement_logging().connect().await.unwrap()
    }

    /// What `query` gives, as numbers and texts in one JSON.
    pub async fn value<T>(&self, query: &'static str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + Unpin,
    {
        let mut reader = self.reader().await;
        let value = sqlx::query_scalar(query).fetch_one(&mut reader).await.unwrap();
        reader.close().await.unwrap();
        value
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until this daemon holds the lock: another one is then refused.
    pub async fn is_locked_by(&self, daemon: &Daemon) {
        let lock = self.folder.path().join("renewd.db.running");
        let began = Instant::now();
        while std::fs::read_to_string(&lock).unwrap_or_default().trim() != daemon.0.id().to_string() {
            assert!(began.elapsed() < PATIENCE, "it does not take the lock:\n{}", self.log());
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// `renewd run`; killed when it is dropped.
pub struct Daemon(Child);

impl Daemon {
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One renewal that is due today.
fn file(address: &str) -> String {
    let expires = jiff::Zoned::now().date().checked_add(jiff::ToSpan::days(10)).unwrap();
    format!(
        r#"timezone = "UTC"
notify = "none"
[portal]
base_url = "http://{address}"
settle = "1 h"
[[renewal]]
name = "one"
product = "rm-premium"
partner_id = 3076915454489739264
service_id = 3375819276601303040
billing_id = 3197218168379846218
quantity = 10
order_at = "00:00"
lead = "14 days"
expires_on = {expires}
"#
    )
}
