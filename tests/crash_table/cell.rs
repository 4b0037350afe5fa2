//! One cell of the crash table: a portal, a file, a daemon that dies, and daemons that go on.

use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use renewd::clock::WallClock;
use renewd::sandbox::settings::Lag;
use renewd::sandbox::{Endpoint, Sandbox, faults, serve, settings::Settings};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The step that no code names: the portal has the request, and nobody has answered it.
pub const IN_FLIGHT: &str = "in flight";

/// What becomes of the first order that is sent.
#[derive(Debug, Clone)]
pub struct Fate {
    pub name: &'static str,
    /// Faults of the built-in portal.
    faults: &'static [&'static str],
    /// How long an order takes to show in the list.
    lag: Duration,
    /// Another daemon is started beside the one that goes on.
    second_daemon: bool,
}

impl Fate {
    pub fn all() -> Vec<Self> {
        let fate = |name, faults| Self { name, faults, lag: Duration::ZERO, second_daemon: false };
        vec![
            fate("answered", &[]),
            fate("not received", &["save=unread"]),
            fate("answer lost", &["save=lost-answer"]),
            fate("reset, carried out", &["save=reset+done"]),
            fate("cut answer", &["save=cut:20"]),
            fate("500, not carried out", &["save=500"]),
            fate("500, carried out", &["save=500+done"]),
            fate("redirect", &["save=redirect"]),
            fate("no number", &["save=no-order-number"]),
            fate("carried out later", &["save=reset+later:1s"]),
            fate("list fails", &["save=lost-answer", "list=ok*2", "list=500"]),
            Self { lag: Duration::from_millis(1200), ..fate("list lags", &["save=lost-answer"]) },
            Self { second_daemon: true, ..fate("second daemon", &["save=lost-answer"]) },
        ]
    }
}

#[derive(Debug, Clone)]
pub struct Cell {
    pub step: &'static str,
    pub fate: Fate,
}

/// How a cell ended.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Living orders in the portal's ledger.
    orders: usize,
    /// The state of the first term.
    state: String,
    /// Whether a person was told, if anything is not as it should be.
    told: bool,
    /// Whether the daemon died where it was told to.
    died: bool,
}

impl Verdict {
    pub fn is_good(&self) -> bool {
        let settled = self.orders == 1 && matches!(self.state.as_str(), "renewed" | "placed");
        self.orders <= 1 && (settled || self.told)
    }

    pub fn short(&self) -> String {
        let died = if self.died { "" } else { " (did not come there)" };
        format!("{} {}{died}", self.orders, self.state.replace('_', " "))
    }
}

struct World {
    folder: TempDir,
    sandbox: Sandbox,
    stop: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Cell {
    pub async fn run(&self) -> Verdict {
        let world = World::new(&self.fate).await;
        assert!(world.renewd(&["init", "--yes"], None).await.status.success());
        for fault in self.fate.faults {
            world.sandbox.switch_on(faults::parse(fault).unwrap());
        }
        let died = match self.step {
            "(no crash)" => true,
            IN_FLIGHT => world.kill_in_flight().await,
            step => world.renewd(&["run", "--once"], Some(step)).await.status.code().is_none(),
        };
        world.go_on(self.fate.second_daemon).await;
        let status = world.status().await;
        let orders = world.sandbox.orders().len();
        let state = ["missed", "held", "unknown", "awaiting_approval", "placed", "renewed", "scheduled"];
        let counts = status["counts"].as_array().unwrap();
        // A renewed term has its next one beside it, scheduled: the first term is whatever is not that.
        let has = |state: &&str| counts.iter().any(|count| count["state"] == **state);
        let state = state.iter().find(|state| has(state)).map_or_else(String::new, |state| (*state).to_owned());
        let told = !status["attention"].as_array().unwrap().is_empty();
        Verdict { orders, state, told, died }
    }
}

impl World {
    async fn new(fate: &Fate) -> Self {
        let mut settings = Settings::default();
        settings.list.lag = Lag::Fixed(fate.lag);
        let sandbox = Sandbox::new(Arc::new(WallClock), settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(serve(sandbox.clone(), listener, stop.clone()));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("renewals.toml"), file(&address.to_string())).unwrap();
        Self { folder, sandbox, stop }
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
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    async fn renewd(&self, arguments: &[&str], crash_at: Option<&str>) -> Output {
        let mut command = self.command(arguments);
        if let Some(step) = crash_at {
            command.env("RENEWD_CRASH_AT", step);
        }
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Kills the daemon once the portal has its order, answered or not.
    async fn kill_in_flight(&self) -> bool {
        let mut daemon = self.command(&["run", "--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while self.sandbox.calls_of(Endpoint::Save) == 0 && began.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        daemon.kill().unwrap();
        tokio::task::spawn_blocking(move || daemon.wait().unwrap()).await.unwrap().code().is_none()
    }

    /// Lets daemons run, one after the other, until one has nothing left to wait for; at most a few.
    async fn go_on(&self, second_daemon: bool) {
        for _ in 0..4 {
            let second = second_daemon.then(|| self.renewd(&["run", "--once"], None));
            let first = self.renewd(&["run", "--once"], None);
            let first = match second {
                Some(second) => tokio::join!(first, second).0,
                None => first.await,
            };
            if first.status.code() == Some(0) {
                return;
            }
        }
    }

    async fn status(&self) -> Value {
        serde_json::from_slice(&self.renewd(&["status", "--json"], None).await.stdout).unwrap()
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
settle = "2 s"
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
